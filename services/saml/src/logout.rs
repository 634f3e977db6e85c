//! Single logout, both ways: requests and answers, by Redirect and by POST. What is not signed is refused.

use chrono::{DateTime, Utc};

use crate::checks::{Clock, MESSAGE_LIFE};
use crate::document::{self, MESSAGE};
use crate::keys::random_id;
use crate::names;
use crate::provider::Binding;
use crate::redirect::{self, Parameter};
use crate::refusal::{Refusal, RefusalCode, quoted};
use crate::relay::RelayState;
use crate::schema::assertion::NameId;
use crate::schema::logout::Logout;
use crate::service::{Outgoing, choose};
use crate::sign_in::{Connection, OneTimeUse, decode_form};
use crate::verifier::Kind;
use crate::write::Element;

/// A request of the identity provider to end sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutRequest {
    /// Its ID, which the answer names.
    pub id: String,
    /// Whose sessions.
    pub name_id: NameId,
    /// Which; all of the person's if there is none.
    pub session_indexes: Vec<String>,
    /// What must be stored so that it is obeyed only once.
    pub one_time_use: OneTimeUse,
    /// The relay state, which the answer has to bring back as it is.
    pub relay_state: Option<String>,
}

/// The answer of the identity provider to a request of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutAnswer {
    /// The request it answers, which must be one of this person's.
    pub in_response_to: String,
    /// What the provider could not do, if anything.
    pub problem: Option<String>,
}

/// What came to the logout address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogoutMessage {
    /// A request.
    Request(LogoutRequest),
    /// An answer.
    Answer(LogoutAnswer),
}

impl Connection<'_> {
    /// Takes a message that came in the query: exactly as it stands in the address, without the `?`.
    ///
    /// # Errors
    /// The refusal; [`RefusalCode::Unsigned`] if there is no signature.
    pub fn receive_logout_query(&self, query: &str, now: DateTime<Utc>) -> Result<LogoutMessage, Refusal> {
        let received = redirect::receive(query, self.provider.certificates())?;
        let text = document::screen(&received.xml, MESSAGE)?;
        let document = document::parse(text, MESSAGE)?;
        let logout = Logout::read(document.root_element())?;
        if logout.head().signature.is_some() {
            return Err(RefusalCode::MisplacedSignature.into());
        }
        self.accept_logout(logout, received.parameter, received.relay_state, now)
    }

    /// Takes a message that came in a form, from the field `SAMLRequest` (`is_request`) or `SAMLResponse`.
    ///
    /// # Errors
    /// The refusal; [`RefusalCode::Unsigned`] if there is no signature.
    pub fn receive_logout_form(
        &self,
        form: &str,
        is_request: bool,
        relay_state: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<LogoutMessage, Refusal> {
        let bytes = decode_form(form)?;
        let text = document::screen(&bytes, MESSAGE)?;
        let document = document::parse(text, MESSAGE)?;
        let before = Logout::read(document.root_element())?;
        self.check_issuer(Some(&before.head().issuer))?;
        self.check_known(before.head().signature.as_ref().ok_or(RefusalCode::Unsigned)?)?;
        let covered = self.verifier.verify(Kind::Message, text, self.provider.certificates())?;
        let text = document::screen(covered.as_bytes(), MESSAGE)?;
        let document = document::parse(text, MESSAGE)?;
        let after = Logout::read(document.root_element())?;
        if after.head().signature.is_some() || after != before.without_signature() {
            return Err(RefusalCode::Disagreement.into());
        }
        let parameter = if is_request { Parameter::Request } else { Parameter::Response };
        self.accept_logout(after, parameter, relay_state, now)
    }

    fn accept_logout(
        &self,
        logout: Logout,
        parameter: Parameter,
        relay_state: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<LogoutMessage, Refusal> {
        let head = logout.head();
        self.check_issuer(Some(&head.issuer))?;
        let ours = &self.service.logout_url;
        if head.destination.as_ref() != Some(ours) {
            let found = head.destination.as_deref().unwrap_or_default();
            return Err(Refusal::differs(RefusalCode::WrongDestination, found, ours));
        }
        let clock = Clock { now, skew: self.clock_skew };
        let end = clock.message(head.envelope.issued)?;
        match (logout, parameter) {
            (Logout::Request { head, name_id, session_indexes, not_on_or_after }, Parameter::Request) => {
                clock.limit(not_on_or_after)?;
                if relay_state.as_ref().is_some_and(|relay_state| relay_state.len() > 512) {
                    return Err(RefusalCode::RelayState.into());
                }
                let keep_until = end.checked_add_signed(self.clock_skew).unwrap_or(end + MESSAGE_LIFE);
                Ok(LogoutMessage::Request(LogoutRequest {
                    one_time_use: OneTimeUse { id: head.envelope.id.clone(), keep_until },
                    id: head.envelope.id,
                    name_id,
                    session_indexes,
                    relay_state,
                }))
            }
            (Logout::Response { in_response_to, problem, .. }, Parameter::Response) => {
                let in_response_to = in_response_to.ok_or(RefusalCode::NoRequest)?;
                Ok(LogoutMessage::Answer(LogoutAnswer { in_response_to, problem }))
            }
            (_, parameter) => Err(Refusal::with(RefusalCode::UnexpectedRoot, quoted(parameter.name()))),
        }
    }

    /// A request to end a person's session at the identity provider; none if it has no single logout.
    ///
    /// # Errors
    /// [`RefusalCode::Internal`].
    pub fn request_logout(
        &self,
        name_id: &NameId,
        session_index: Option<&str>,
        relay_state: &RelayState,
        now: DateTime<Utc>,
    ) -> Result<Option<Outgoing>, Refusal> {
        let Some((binding, endpoint)) = choose(self.provider.logout(), None) else { return Ok(None) };
        let id = random_id()?;
        let name = Element::assertion("NameID")
            .with("Format", name_id.format.as_str())
            .with_some("NameQualifier", name_id.name_qualifier.clone())
            .with_some("SPNameQualifier", name_id.sp_name_qualifier.clone())
            .text(name_id.value.as_str());
        let sessions = session_index.map(|index| Element::protocol("SessionIndex").text(index));
        let request =
            self.service.message("LogoutRequest", &id, endpoint, now).child(name).children(sessions);
        self.service
            .send(Parameter::Request, request, id, binding, endpoint, Some(relay_state.as_str()))
            .map(Some)
    }

    /// The answer to a request; `is_complete` if every session it meant has ended. None if the provider gives no
    /// address for it.
    ///
    /// # Errors
    /// [`RefusalCode::Internal`].
    pub fn answer_logout(
        &self,
        request: &LogoutRequest,
        is_complete: bool,
        now: DateTime<Utc>,
    ) -> Result<Option<(Outgoing, Binding)>, Refusal> {
        let Some((binding, endpoint)) = choose(self.provider.logout_answers(), None) else { return Ok(None) };
        let id = random_id()?;
        let code = |value: &str| Element::protocol("StatusCode").with("Value", value);
        let status = if is_complete {
            code(names::SUCCESS)
        } else {
            code("urn:oasis:names:tc:SAML:2.0:status:Responder")
                .child(code("urn:oasis:names:tc:SAML:2.0:status:PartialLogout"))
        };
        let response = self
            .service
            .message("LogoutResponse", &id, endpoint, now)
            .with("InResponseTo", request.id.as_str())
            .child(Element::protocol("Status").child(status));
        let relay_state = request.relay_state.as_deref();
        self.service
            .send(Parameter::Response, response, id, binding, endpoint, relay_state)
            .map(|outgoing| Some((outgoing, binding)))
    }
}
