//! Codes sent by mail: the weak second factor, for people who have nothing better at hand.
//!
//! Whoever reads somebody's mail and knows their password gets in with it, so it is off until an organisation's owners
//! allow it, must be added by each person, is worth nothing where an organisation asks for a second factor and does
//! not allow it, and confirms no session. A code goes to the login, which is an address that has answered to a code
//! before; it works once, in the browser that asked for it, for ten minutes. Guesses are counted with those at the app's codes
//! ([`budget::Kind::Totp`]), and few mails are sent.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Timestamptz, Uuid as SqlUuid};
use kinora_core::mail::{CodeOccasion, Letter, SecurityNotice, is_address};
use kinora_core::{PersonId, SessionId};
use serde_json::json;

use super::{EMAIL_CODE, budget, find_requiring, lock, methods, pending};
use crate::audit::{self, Act};
use crate::notices::{self, Scene};
use crate::schema::{email_codes, email_factors, people};
use crate::{Result, StoreError, mail, sessions};

/// How long a code holds at most (OWASP ASVS 5.0, 6.5.5).
pub const VALIDITY: TimeDelta = TimeDelta::minutes(10);
/// Most mails to one person in an hour, at least a minute apart unless the one before has come back.
const MOST_IN_AN_HOUR: i32 = 5;
/// Counts of mails that are older are of no use.
const COUNTED: TimeDelta = TimeDelta::days(1);

/// SQL: whether the organisations of `people.id` let codes by mail count: one of them at least allows it, and each
/// that asks for a second factor does. Those count whose guest the person is, too.
macro_rules! allowed_sql {
    () => {
        "coalesce((SELECT bool_or(eo.email_code_allowed) \
                      AND bool_and(eo.email_code_allowed OR NOT eo.second_factor_required) \
             FROM organisations eo WHERE eo.id IN ( \
                 SELECT em.organisation_id FROM organisation_members em WHERE em.person_id = people.id \
                 UNION ALL SELECT ex.organisation_id FROM production_members ep \
                     JOIN productions ex ON ex.id = ep.production_id AND ex.removed_at IS NULL \
                     WHERE ep.person_id = people.id AND (ep.ends_at IS NULL OR ep.ends_at > now()))), false)"
    };
}

/// SQL: whether `people` can show a code sent by mail, and it counts.
macro_rules! usable_sql {
    () => {
        concat!(
            "(EXISTS (SELECT FROM email_factors ef WHERE ef.person_id = people.id AND ef.address = people.login) AND ",
            $crate::second_factors::email_codes::allowed_sql!(),
            ")"
        )
    };
}

pub(crate) use {allowed_sql, usable_sql};

/// The same for queries that diesel writes.
pub(crate) const IS_USABLE: &str = usable_sql!();

/// What a code is to be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Finishing a sign-in that began with the password.
    SecondFactor,
    /// Showing that mail arrives.
    Enrol,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::SecondFactor => "second_factor",
            Self::Enrol => "enrol",
        }
    }
}

/// A code to be sent.
#[derive(Clone, Debug)]
pub struct NewCode {
    /// What it is for.
    pub purpose: Purpose,
    /// Digest of the cookie of the half sign-in or session that asks for it.
    pub bound_to: [u8; 32],
    /// Its digits.
    pub code: String,
    /// What is stored of it.
    pub digest: [u8; 32],
    /// When it ends at the latest; after [`VALIDITY`] in any case.
    pub until: Option<DateTime<Utc>>,
}

/// Whether a code was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// It holds until then.
    Sent(DateTime<Utc>),
    /// There were mails enough; the next one in so long.
    Wait(TimeDelta),
}

/// Codes by mail, as their owner sees them.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct EmailFactor {
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// When a code was last accepted.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Whether a person's organisations let codes by mail count.
///
/// # Errors
/// If the database fails.
pub fn is_allowed(connection: &mut PgConnection, person: PersonId) -> Result<bool> {
    Ok(people::table.find(person.0).select(sql::<Bool>(allowed_sql!())).first(connection)?)
}

/// What a person has.
///
/// # Errors
/// If the database fails.
pub fn find(connection: &mut PgConnection, person: PersonId) -> Result<Option<EmailFactor>> {
    Ok(email_factors::table
        .find(person.0)
        .select((email_factors::created_at, email_factors::last_used_at))
        .first(connection)
        .optional()?)
}

/// Sends a code; the one before it in the same half sign-in or session ends.
///
/// # Errors
/// [`StoreError::Forbidden`] to sign in, if the person has no such factor or it does not count; [`StoreError::Conflict`] to
/// add one where it would not count.
pub fn send(
    connection: &mut PgConnection,
    scene: &Scene,
    person: PersonId,
    new: &NewCode,
) -> Result<Sending> {
    match new.purpose {
        Purpose::SecondFactor if !methods(connection, person)?.email_code => {
            return Err(StoreError::Forbidden);
        }
        Purpose::Enrol => require_allowed(connection, person)?,
        Purpose::SecondFactor => {}
    }
    let now = Utc::now();
    if let Some(wait) = count_mail(connection, person, now)? {
        return Ok(Sending::Wait(wait));
    }
    let expires_at = new.until.map_or(now + VALIDITY, |until| until.min(now + VALIDITY));
    let values = (
        email_codes::person_id.eq(person.0),
        email_codes::purpose.eq(new.purpose.name()),
        email_codes::code_digest.eq(new.digest.as_slice()),
        email_codes::expires_at.eq(expires_at),
    );
    diesel::insert_into(email_codes::table)
        .values((email_codes::bound_to.eq(new.bound_to.as_slice()), values))
        .on_conflict(email_codes::bound_to)
        .do_update()
        .set(values)
        .execute(connection)?;
    let letter = Letter::Code {
        code: new.code.clone(),
        minutes: u32::try_from((expires_at - now).num_minutes()).unwrap_or_default().max(1),
        occasion: match new.purpose {
            Purpose::SecondFactor => CodeOccasion::SignIn,
            Purpose::Enrol => CodeOccasion::Enrolment,
        },
        at: Some(now),
        address: scene.origin.address.clone(),
        device: scene.device.clone(),
    };
    if mail::enqueue_personal(connection, person, &letter, Some(expires_at))?.is_none() {
        return Err(StoreError::Forbidden);
    }
    let act = Act::new("email_code.sent", audit::PERSON, person, &scene.origin.actor)
        .after(json!({ "for": new.purpose.name() }));
    audit::record_personal(connection, &scene.origin, person, act)?;
    Ok(Sending::Sent(expires_at))
}

fn require_allowed(connection: &mut PgConnection, person: PersonId) -> Result<()> {
    let login: String = people::table.find(person.0).select(people::login).first(connection)?;
    if !is_address(&login) {
        return Err(StoreError::Conflict(
            "What you sign in with is no e-mail address, so no code can be sent to you.".to_owned(),
        ));
    }
    if !is_allowed(connection, person)? {
        return Err(StoreError::Conflict(
            "Your organisations do not allow codes by mail. Use an authenticator app or a passkey."
                .to_owned(),
        ));
    }
    Ok(())
}

/// Counts a mail; gives how long to wait instead if there were enough.
fn count_mail(
    connection: &mut PgConnection,
    person: PersonId,
    now: DateTime<Utc>,
) -> Result<Option<TimeDelta>> {
    #[derive(QueryableByName)]
    struct Next {
        #[diesel(sql_type = Timestamptz)]
        at: DateTime<Utc>,
    }
    let counted = diesel::sql_query(
        "INSERT INTO email_code_mails AS c (person_id, last_at, hour_began_at, in_hour) VALUES ($1, $2, $2, 1) \
         ON CONFLICT (person_id) DO UPDATE SET \
             last_at = $2, \
             hour_began_at = CASE WHEN c.hour_began_at <= $2 - interval '1 hour' THEN $2 ELSE c.hour_began_at END, \
             in_hour = CASE WHEN c.hour_began_at <= $2 - interval '1 hour' THEN 1 ELSE c.in_hour + 1 END \
         WHERE c.last_at <= $2 - interval '1 minute' \
             AND (c.in_hour < $3 OR c.hour_began_at <= $2 - interval '1 hour')",
    )
    .bind::<SqlUuid, _>(person.0)
    .bind::<Timestamptz, _>(now)
    .bind::<Integer, _>(MOST_IN_AN_HOUR)
    .execute(connection)?;
    if counted > 0 {
        return Ok(None);
    }
    let next: Next = diesel::sql_query(
        "SELECT greatest(last_at + interval '1 minute', \
             CASE WHEN in_hour >= $2 THEN hour_began_at + interval '1 hour' END) AS at \
         FROM email_code_mails WHERE person_id = $1",
    )
    .bind::<SqlUuid, _>(person.0)
    .bind::<Integer, _>(MOST_IN_AN_HOUR)
    .get_result(connection)?;
    Ok(Some((next.at - now).max(TimeDelta::seconds(1))))
}

/// Whether this is the code that was sent. Taking it is [`super::accept`]'s, or [`confirm`]'s.
///
/// # Errors
/// If the database fails.
pub fn is_open(
    connection: &mut PgConnection,
    person: PersonId,
    purpose: Purpose,
    (bound_to, digest): (&[u8; 32], &[u8; 32]),
) -> Result<bool> {
    let sent = email_codes::table
        .find(bound_to.as_slice())
        .filter(email_codes::person_id.eq(person.0))
        .filter(email_codes::purpose.eq(purpose.name()))
        .filter(email_codes::code_digest.eq(digest.as_slice()))
        .filter(email_codes::expires_at.gt(Utc::now()));
    Ok(diesel::select(diesel::dsl::exists(sent)).get_result(connection)?)
}

fn consume(
    connection: &mut PgConnection,
    person: PersonId,
    purpose: Purpose,
    (bound_to, digest): (&[u8; 32], &[u8; 32]),
) -> Result<bool> {
    let sent = email_codes::table
        .find(bound_to.as_slice())
        .filter(email_codes::person_id.eq(person.0))
        .filter(email_codes::purpose.eq(purpose.name()))
        .filter(email_codes::code_digest.eq(digest.as_slice()))
        .filter(email_codes::expires_at.gt(Utc::now()));
    let is_consumed = diesel::delete(sent).execute(connection)? > 0;
    if is_consumed {
        // Whoever reads the mail is at the keyboard: the next code need not wait, though it counts for the hour.
        diesel::sql_query(
            "UPDATE email_code_mails SET last_at = last_at - interval '1 minute' WHERE person_id = $1",
        )
        .bind::<SqlUuid, _>(person.0)
        .execute(connection)?;
    }
    Ok(is_consumed)
}

/// Takes a code for signing in, once.
pub(super) fn accept(
    connection: &mut PgConnection,
    person: PersonId,
    code: (&[u8; 32], &[u8; 32]),
) -> Result<bool> {
    if !methods(connection, person)?.email_code || !consume(connection, person, Purpose::SecondFactor, code)?
    {
        return Ok(false);
    }
    diesel::update(email_factors::table.find(person.0))
        .set(email_factors::last_used_at.eq(Utc::now()))
        .execute(connection)?;
    Ok(true)
}

/// Makes codes by mail a factor of a person's, after a first one has come back. With the first factor of an account its other
/// sessions end.
///
/// # Errors
/// [`StoreError::Forbidden`] if it is not the code any more; [`StoreError::Conflict`] where it would not count.
pub fn confirm(
    connection: &mut PgConnection,
    scene: &Scene,
    (person, session): (PersonId, SessionId),
    code: (&[u8; 32], &[u8; 32]),
) -> Result<()> {
    lock(connection, person)?;
    let before = methods(connection, person)?;
    require_allowed(connection, person)?;
    if !consume(connection, person, Purpose::Enrol, code)? {
        return Err(StoreError::Forbidden);
    }
    budget::clear(connection, person, budget::Kind::Totp)?;
    let address: String = people::table.find(person.0).select(people::login).first(connection)?;
    let now = Utc::now();
    let values = (
        email_factors::address.eq(&address),
        email_factors::created_at.eq(now),
        email_factors::last_used_at.eq(Some(now)),
    );
    diesel::insert_into(email_factors::table)
        .values((email_factors::person_id.eq(person.0), values))
        .on_conflict(email_factors::person_id)
        .do_update()
        .set(values)
        .execute(connection)?;
    let is_first = !before.any_at_sign_in();
    if is_first {
        sessions::revoke_all(connection, person, Some(session))?;
        pending::remove_all(connection, person)?;
    }
    notices::tell(connection, scene, person, SecurityNotice::EmailCodesAdded)?;
    let act = Act::new("factor.added", audit::PERSON, person, &scene.origin.actor)
        .after(json!({ "kind": EMAIL_CODE, "name": null, "first": is_first }));
    audit::record_personal(connection, &scene.origin, person, act)
}

/// Takes codes by mail away from a person.
///
/// # Errors
/// [`StoreError::NotFound`] if they have none; [`StoreError::Conflict`] if an organisation asks for a second factor and this
/// is the last.
pub fn remove(connection: &mut PgConnection, scene: &Scene, person: PersonId) -> Result<()> {
    lock(connection, person)?;
    if !forget(connection, person)? {
        return Err(StoreError::NotFound);
    }
    if !methods(connection, person)?.any()
        && let Some(organisation) = find_requiring(connection, person)?
    {
        return Err(StoreError::Conflict(format!(
            "{organisation} asks for a second factor. Add another one before you remove this one."
        )));
    }
    notices::tell(connection, scene, person, SecurityNotice::EmailCodesRemoved)?;
    let act = Act::new("factor.removed", audit::PERSON, person, &scene.origin.actor)
        .before(json!({ "kind": EMAIL_CODE, "name": null }));
    audit::record_personal(connection, &scene.origin, person, act)
}

/// Takes what a person has, with the codes that were sent; whether there was anything.
pub(super) fn forget(connection: &mut PgConnection, person: PersonId) -> Result<bool> {
    diesel::delete(email_codes::table.filter(email_codes::person_id.eq(person.0))).execute(connection)?;
    Ok(diesel::delete(email_factors::table.find(person.0)).execute(connection)? > 0)
}

pub(super) fn remove_expired(connection: &mut PgConnection) -> Result<()> {
    let now = Utc::now();
    diesel::delete(email_codes::table.filter(email_codes::expires_at.lt(now))).execute(connection)?;
    diesel::sql_query("DELETE FROM email_code_mails WHERE last_at < $1")
        .bind::<Timestamptz, _>(now - COUNTED)
        .execute(connection)?;
    Ok(())
}
