//! What must be true of a verified assertion before anyone is signed in (SAML profiles 4.1.4.2 and 4.1.4.3).

use chrono::{DateTime, TimeDelta, Utc};

use crate::names::BEARER;
use crate::refusal::{Refusal, RefusalCode, quoted};
use crate::schema::assertion::{Assertion, Authentication, Conditions, Confirmation};
use crate::schema::response::Response;
use crate::sign_in::{Connection, Identity, OneTimeUse, PendingRequest, SignIn};

/// How long after it was made a message is taken at most, whatever it says itself.
pub(crate) const MESSAGE_LIFE: TimeDelta = TimeDelta::minutes(10);

/// A response must answer the request, or none if none was made.
pub(crate) fn answers(in_response_to: Option<&str>, request: Option<&PendingRequest>) -> Result<(), Refusal> {
    match (in_response_to, request) {
        (None, None) => Ok(()),
        (Some(found), Some(request)) if found == request.id => Ok(()),
        (Some(found), Some(_)) => Err(Refusal::with(RefusalCode::WrongRequest, quoted(found))),
        (None, Some(_)) => Err(RefusalCode::NoRequest.into()),
        (Some(found), None) => Err(Refusal::with(RefusalCode::UnexpectedRequest, quoted(found))),
    }
}

/// A response is addressed to us; a signed one must say so.
pub(crate) fn destination(response: &Response, expected: &str) -> Result<(), Refusal> {
    match response.destination.as_deref() {
        Some(found) if found == expected => Ok(()),
        None if response.signature.is_none() => Ok(()),
        found => Err(Refusal::differs(RefusalCode::WrongDestination, found.unwrap_or_default(), expected)),
    }
}

/// The rest, and what comes of it.
pub(crate) fn accept(
    connection: &Connection<'_>,
    assertion: &Assertion,
    request: Option<&PendingRequest>,
    now: DateTime<Utc>,
) -> Result<SignIn, Refusal> {
    let clock = Clock { now, skew: connection.clock_skew };
    let made_until = clock.message(assertion.envelope.issued)?;
    let conditions =
        assertion.conditions.as_ref().ok_or_else(|| Refusal::with(RefusalCode::Missing, "Conditions"))?;
    let conditions_until = check_conditions(conditions, connection, clock)?;
    let name_id = assertion.name_id.clone().ok_or(RefusalCode::NoNameId)?;
    let confirmed_until = check_confirmations(&assertion.confirmations, connection, request, clock)?;
    let authentication = assertion.authentication.as_ref().ok_or(RefusalCode::NoAuthentication)?;
    check_authentication(authentication, request, clock)?;
    let end = made_until.min(conditions_until).min(confirmed_until);
    Ok(SignIn {
        one_time_use: OneTimeUse { id: assertion.envelope.id.clone(), keep_until: clock.late(end) },
        identity: Identity {
            issuer: assertion.issuer.clone(),
            name_id,
            attributes: assertion.attributes.clone(),
            session_index: authentication.session_index.clone(),
            context: authentication.context.clone(),
            authenticated: authentication.instant,
            session_end: authentication.session_not_on_or_after,
        },
    })
}

/// Now, and by how much clocks may differ.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    /// Now.
    pub now: DateTime<Utc>,
    /// The tolerance.
    pub skew: TimeDelta,
}

impl Clock {
    /// An instant later by the tolerance.
    fn late(self, instant: DateTime<Utc>) -> DateTime<Utc> {
        instant.checked_add_signed(self.skew).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    fn not_before(self, instant: DateTime<Utc>) -> Result<(), Refusal> {
        if instant <= self.late(self.now) {
            Ok(())
        } else {
            Err(self.refuse(RefusalCode::NotYetValid, instant))
        }
    }

    fn not_on_or_after(self, instant: DateTime<Utc>, code: RefusalCode) -> Result<(), Refusal> {
        if self.now < self.late(instant) { Ok(()) } else { Err(self.refuse(code, instant)) }
    }

    fn refuse(self, code: RefusalCode, instant: DateTime<Utc>) -> Refusal {
        let (instant, now) = (instant.format("%Y-%m-%d %H:%M:%S"), self.now.format("%Y-%m-%d %H:%M:%S"));
        Refusal::with(code, format_args!("it says {instant}, here it is {now} UTC"))
    }

    /// Checks when a message was made; until when it can be taken.
    pub(crate) fn message(self, issued: DateTime<Utc>) -> Result<DateTime<Utc>, Refusal> {
        self.not_before(issued)?;
        let end = issued.checked_add_signed(MESSAGE_LIFE).unwrap_or(DateTime::<Utc>::MAX_UTC);
        self.not_on_or_after(end, RefusalCode::Expired)?;
        Ok(end)
    }

    /// The end of an optional time limit.
    pub(crate) fn limit(self, end: Option<DateTime<Utc>>) -> Result<(), Refusal> {
        end.map_or(Ok(()), |end| self.not_on_or_after(end, RefusalCode::Expired))
    }
}

fn check_conditions(
    conditions: &Conditions,
    connection: &Connection<'_>,
    clock: Clock,
) -> Result<DateTime<Utc>, Refusal> {
    let missing = |what| Refusal::with(RefusalCode::Missing, format_args!("{what} of Conditions"));
    clock.not_before(conditions.not_before.ok_or_else(|| missing("NotBefore"))?)?;
    let end = conditions.not_on_or_after.ok_or_else(|| missing("NotOnOrAfter"))?;
    clock.not_on_or_after(end, RefusalCode::Expired)?;
    if conditions.audiences.is_empty() {
        return Err(missing("AudienceRestriction"));
    }
    let ours = &connection.service.entity_id;
    match conditions.audiences.iter().find(|restriction| !restriction.contains(ours)) {
        None => Ok(end),
        Some(other) => Err(Refusal::differs(RefusalCode::WrongAudience, &other.join(", "), ours)),
    }
}

/// One of the confirmations must hold; until when it does. The refusal is that of the first bearer confirmation.
fn check_confirmations(
    confirmations: &[Confirmation],
    connection: &Connection<'_>,
    request: Option<&PendingRequest>,
    clock: Clock,
) -> Result<DateTime<Utc>, Refusal> {
    let mut refusal = None;
    for confirmation in confirmations.iter().filter(|confirmation| confirmation.method == BEARER) {
        match check_bearer(confirmation, &connection.service.acs_url, request, clock) {
            Ok(end) => return Ok(end),
            Err(why) => refusal = refusal.or(Some(why)),
        }
    }
    Err(refusal.unwrap_or_else(|| RefusalCode::NoBearer.into()))
}

fn check_bearer(
    confirmation: &Confirmation,
    acs_url: &str,
    request: Option<&PendingRequest>,
    clock: Clock,
) -> Result<DateTime<Utc>, Refusal> {
    if !confirmation.has_data {
        return Err(Refusal::with(RefusalCode::Missing, "SubjectConfirmationData"));
    }
    let missing =
        |what| Refusal::with(RefusalCode::Missing, format_args!("{what} of SubjectConfirmationData"));
    let recipient = confirmation.recipient.as_deref().ok_or_else(|| missing("Recipient"))?;
    if recipient != acs_url {
        return Err(Refusal::differs(RefusalCode::WrongRecipient, recipient, acs_url));
    }
    answers(confirmation.in_response_to.as_deref(), request)?;
    if let Some(start) = confirmation.not_before {
        clock.not_before(start)?;
    }
    let end = confirmation.not_on_or_after.ok_or_else(|| missing("NotOnOrAfter"))?;
    clock.not_on_or_after(end, RefusalCode::Expired)?;
    Ok(end)
}

fn check_authentication(
    authentication: &Authentication,
    request: Option<&PendingRequest>,
    clock: Clock,
) -> Result<(), Refusal> {
    clock.not_before(authentication.instant)?;
    if let Some(end) = authentication.session_not_on_or_after {
        clock.not_on_or_after(end, RefusalCode::SessionOver)?;
    }
    let Some(request) = request else { return Ok(()) };
    if request.force && clock.late(authentication.instant) < request.made {
        return Err(RefusalCode::StaleAuthentication.into());
    }
    let context = authentication.context.as_deref().unwrap_or_default();
    if !request.contexts.is_empty() && !request.contexts.iter().any(|wanted| wanted == context) {
        return Err(Refusal::differs(RefusalCode::WeakAuthentication, context, &request.contexts.join(", ")));
    }
    Ok(())
}
