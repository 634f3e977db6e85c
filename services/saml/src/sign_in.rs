//! From a posted form to the person: the gate, the signatures, decryption, and what must be true of the rest.
//!
//! The document is read once before its signature is verified and once more from what the signature covers. Both must
//! be the same, and only the second is used. What the signature does not cover can make a response be refused,
//! never be accepted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};

use crate::certificate::Certificate;
use crate::checks;
use crate::decrypt::decrypt;
use crate::document::{self, MESSAGE};
use crate::keys::ServiceKey;
use crate::names::{ASSERTION, PROTOCOL};
use crate::provider::IdentityProvider;
use crate::refusal::{Refusal, RefusalCode};
use crate::schema::assertion::{Assertion, Attribute, NameId};
use crate::schema::encryption::Encrypted;
use crate::schema::is;
use crate::schema::response::{Content, Response};
use crate::schema::signature::Signature;
use crate::service::ServiceProvider;
use crate::verifier::{Kind, Verifier};

/// One identity provider, ourselves towards it, and how strict we are.
#[derive(Clone, Copy)]
pub struct Connection<'a> {
    /// Ourselves.
    pub service: &'a ServiceProvider,
    /// The identity provider.
    pub provider: &'a IdentityProvider,
    /// What verifies signatures.
    pub verifier: &'a dyn Verifier,
    /// By how much the provider's clock may differ from ours.
    pub clock_skew: TimeDelta,
}

impl std::fmt::Debug for Connection<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("provider", &self.provider.entity_id()).finish_non_exhaustive()
    }
}

/// The request that a response has to answer. The caller binds it to the browser, to this connection, and to one use.
#[derive(Clone, Debug)]
pub struct PendingRequest {
    /// The request's ID.
    pub id: String,
    /// When it was made.
    pub made: DateTime<Utc>,
    /// Whether it asked for a fresh sign-in.
    pub force: bool,
    /// The ways of signing in that it asked for; any if there are none.
    pub contexts: Vec<String>,
}

/// Whom an identity provider has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The identity provider.
    pub issuer: String,
    /// The person's name there.
    pub name_id: NameId,
    /// What is said of the person, in the order of the assertion.
    pub attributes: Vec<Attribute>,
    /// The session at the provider, which its logout requests name.
    pub session_index: Option<String>,
    /// How the person signed in (`AuthnContextClassRef`).
    pub context: Option<String>,
    /// When the person signed in.
    pub authenticated: DateTime<Utc>,
    /// When a session of ours must end at the latest, if the provider says so.
    pub session_end: Option<DateTime<Utc>>,
}

impl Identity {
    /// All values of the attribute with this name or friendly name.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.attributes
            .iter()
            .filter(move |attribute| {
                attribute.name == name || attribute.friendly_name.as_deref() == Some(name)
            })
            .flat_map(|attribute| attribute.values.iter().map(String::as_str))
    }
}

/// What the caller must remember so that an assertion is used only once, on whichever instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTimeUse {
    /// The assertion's (or message's) ID; unique together with the provider's entity ID.
    pub id: String,
    /// Until when it must be remembered; afterwards the document is refused as expired.
    pub keep_until: DateTime<Utc>,
}

/// A response that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Whom it signs in.
    pub identity: Identity,
    /// What must be stored, and must not have been stored before, for the sign-in to count.
    pub one_time_use: OneTimeUse,
}

impl Connection<'_> {
    /// Takes the response to a request of ours (the form field `SAMLResponse`).
    ///
    /// # Errors
    /// The refusal.
    pub fn receive(
        &self,
        form: &str,
        request: &PendingRequest,
        now: DateTime<Utc>,
    ) -> Result<SignIn, Refusal> {
        self.open(form, Some(request), now)
    }

    /// Takes a response that nobody asked for. Call it only where that is switched on for this connection.
    ///
    /// # Errors
    /// The refusal; [`RefusalCode::UnexpectedRequest`] if the response does answer a request.
    pub fn receive_unsolicited(&self, form: &str, now: DateTime<Utc>) -> Result<SignIn, Refusal> {
        self.open(form, None, now)
    }

    fn open(
        &self,
        form: &str,
        request: Option<&PendingRequest>,
        now: DateTime<Utc>,
    ) -> Result<SignIn, Refusal> {
        let bytes = decode_form(form)?;
        let text = document::screen(&bytes, MESSAGE)?;
        let document = document::parse(text, MESSAGE)?;
        let response = Response::read(document.root_element())?;
        self.check_issuer(response.issuer.as_deref())?;
        checks::answers(response.in_response_to.as_deref(), request)?;
        checks::destination(&response, &self.service.acs_url)?;
        let assertion = self.verified_assertion(text, &response)?;
        self.check_issuer(Some(&assertion.issuer))?;
        checks::accept(self, &assertion, request, now)
    }

    pub(crate) fn check_issuer(&self, issuer: Option<&str>) -> Result<(), Refusal> {
        match issuer {
            Some(issuer) if issuer != self.provider.entity_id() => {
                Err(Refusal::differs(RefusalCode::WrongIssuer, issuer, self.provider.entity_id()))
            }
            _ => Ok(()),
        }
    }

    /// The assertion, from what a verified signature covers.
    fn verified_assertion(&self, text: &str, response: &Response) -> Result<Assertion, Refusal> {
        let signature = response.signature.as_ref().map(|(signature, _)| signature);
        match (&response.content, signature) {
            (Content::Plain(assertion), Some(signature)) => {
                self.check_known(signature)?;
                assertion.signature.as_ref().map_or(Ok(()), |inner| self.check_known(inner))?;
                let covered = self.verify_response(text, response)?;
                match covered.content {
                    Content::Plain(assertion) => Ok(*assertion),
                    Content::Encrypted(_) => Err(RefusalCode::Disagreement.into()),
                }
            }
            (Content::Plain(assertion), None) => self.verify_assertion(text, assertion),
            (Content::Encrypted(_), Some(signature)) => {
                self.check_known(signature)?;
                match self.verify_response(text, response)?.content {
                    Content::Encrypted(encrypted) => self.open_encrypted(text, response, &encrypted),
                    Content::Plain(_) => Err(RefusalCode::Disagreement.into()),
                }
            }
            (Content::Encrypted(encrypted), None) => {
                if !encrypted.algorithm.is_authenticated {
                    return Err(RefusalCode::UnauthenticatedEncryption.into());
                }
                self.open_encrypted(text, response, encrypted)
            }
        }
    }

    /// Decrypts an assertion and reads it in its place. Its own signature is verified if it has one, and must be there
    /// if no signature covers the response.
    fn open_encrypted(
        &self,
        text: &str,
        response: &Response,
        encrypted: &Encrypted,
    ) -> Result<Assertion, Refusal> {
        let keys: Vec<&ServiceKey> =
            std::iter::once(&self.service.key).chain(&self.service.other_key).collect();
        let plain = decrypt(encrypted, &keys)?;
        let plain = String::from_utf8(plain).map_err(|_| RefusalCode::NotDecrypted)?;
        let opened = in_place(text, response, &plain)?;
        let text = document::screen(opened.as_bytes(), MESSAGE)?;
        let document = document::parse(text, MESSAGE)?;
        let Content::Plain(assertion) = Response::read(document.root_element())?.content else {
            return Err(Refusal::with(RefusalCode::UnexpectedElement, "an encrypted assertion in another"));
        };
        if assertion.signature.is_none() && response.signature.is_some() {
            return Ok(*assertion);
        }
        self.verify_assertion(text, &assertion)
    }

    /// Verifies the response's signature, and the assertion's if there is one, and reads what the former covers.
    fn verify_response(&self, text: &str, before: &Response) -> Result<Response, Refusal> {
        let covered = self.verifier.verify(Kind::Message, text, self.provider.certificates())?;
        let text = document::screen(covered.as_bytes(), MESSAGE)?;
        let document = document::parse(text, MESSAGE)?;
        if !is(document.root_element(), PROTOCOL, "Response") {
            return Err(RefusalCode::Disagreement.into());
        }
        let after = Response::read(document.root_element())?;
        if after.signature.is_some() || !same_response(before, &after) {
            return Err(RefusalCode::Disagreement.into());
        }
        Ok(after)
    }

    /// Verifies the assertion's signature and reads what it covers.
    fn verify_assertion(&self, text: &str, before: &Assertion) -> Result<Assertion, Refusal> {
        self.check_known(before.signature.as_ref().ok_or(RefusalCode::Unsigned)?)?;
        let covered = self.verifier.verify(Kind::Message, text, self.provider.certificates())?;
        let text = document::screen(covered.as_bytes(), MESSAGE)?;
        let document = document::parse(text, MESSAGE)?;
        if !is(document.root_element(), ASSERTION, "Assertion") {
            return Err(RefusalCode::Disagreement.into());
        }
        let after = Assertion::read(document.root_element())?;
        if after.signature.is_some() || after != (Assertion { signature: None, ..before.clone() }) {
            return Err(RefusalCode::Disagreement.into());
        }
        Ok(after)
    }

    /// Refuses a signature that names certificates of which none is trusted: it would not verify, but this says why.
    pub(crate) fn check_known(&self, signature: &Signature) -> Result<(), Refusal> {
        let trusted = |der: &Vec<u8>| self.provider.certificates().iter().any(|known| known.der() == der);
        match signature.certificates.first() {
            Some(first) if !signature.certificates.iter().any(trusted) => {
                let shown = Certificate::from_der(first)
                    .map_or_else(|_| "unreadable".to_owned(), |certificate| certificate.fingerprint());
                Err(Refusal::with(RefusalCode::UnknownCertificate, format_args!("SHA-256 {shown}")))
            }
            _ => Ok(()),
        }
    }
}

/// A form field as browsers send it: Base64, perhaps with line ends.
pub(crate) fn decode_form(form: &str) -> Result<Vec<u8>, Refusal> {
    // Four characters for three bytes, and line ends.
    if form.len() > MESSAGE.bytes / 3 * 4 * 11 / 10 {
        return Err(RefusalCode::TooLarge.into());
    }
    let plain: String = form.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(plain).map_err(|_| RefusalCode::NotBase64.into())
}

/// Whether two readings of a response say the same, but for the response's own signature and positions.
fn same_response(before: &Response, after: &Response) -> bool {
    let same_content = match (&before.content, &after.content) {
        (Content::Plain(before), Content::Plain(after)) => before == after,
        (Content::Encrypted(before), Content::Encrypted(after)) => {
            **after == Encrypted { range: after.range.clone(), ..(**before).clone() }
        }
        _ => false,
    };
    same_content
        && before.envelope == after.envelope
        && before.issuer == after.issuer
        && before.destination == after.destination
        && before.in_response_to == after.in_response_to
}

/// The document with `plain` in the place of its encrypted assertion, and without the signature that covered that.
fn in_place(text: &str, response: &Response, plain: &str) -> Result<String, Refusal> {
    let Content::Encrypted(encrypted) = &response.content else { return Err(RefusalCode::Internal.into()) };
    let signature = response.signature.as_ref().map_or(0..0, |(_, range)| range.clone());
    // A signature stands before the assertion.
    let pieces = [
        text.get(..signature.start),
        text.get(signature.end..encrypted.range.start),
        Some(document::screen(plain.as_bytes(), MESSAGE)?),
        text.get(encrypted.range.end..),
    ];
    pieces.into_iter().collect::<Option<String>>().ok_or_else(|| RefusalCode::Internal.into())
}
