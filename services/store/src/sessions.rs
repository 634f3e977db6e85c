//! Sessions: signed-in browsers. Only a hash of each token is stored.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use kinora_core::{PersonId, SessionId};
use serde_json::json;
use uuid::Uuid;

use crate::audit::{self, Act, Origin};
use crate::schema::{people, sessions};
use crate::second_factors::EMAIL_CODE;
use crate::{Result, StoreError};

/// A session to be made.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub person_id: PersonId,
    /// SHA-256 of the token.
    pub token_digest: [u8; 32],
    /// It ends after this time without a request,
    pub idle_limit: TimeDelta,
    /// and after this time in any case.
    pub absolute_limit: TimeDelta,
    /// What the browser says it is.
    pub user_agent: Option<String>,
    /// The second factor it is begun with, as the audit trail calls it.
    pub factor: Option<&'static str>,
}

/// A session as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Session {
    /// Its id.
    pub id: Uuid,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_seen_at: DateTime<Utc>,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
    /// From where it began.
    pub address: Option<String>,
    /// What the browser said it is.
    pub user_agent: Option<String>,
}

/// Begins a session.
///
/// # Errors
/// If the database fails.
pub fn create(connection: &mut PgConnection, origin: &Origin, session: &NewSession) -> Result<()> {
    let now = Utc::now();
    let expires_at = now + session.absolute_limit;
    let by_email_code = session.factor == Some(EMAIL_CODE);
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(session.id.0),
            sessions::person_id.eq(session.person_id.0),
            sessions::token_digest.eq(session.token_digest.as_slice()),
            sessions::created_at.eq(now),
            sessions::last_seen_at.eq(now),
            sessions::idle_expires_at.eq((now + session.idle_limit).min(expires_at)),
            sessions::expires_at.eq(expires_at),
            sessions::address.eq(&origin.address),
            sessions::user_agent.eq(&session.user_agent),
            // What came by mail confirms nothing.
            sessions::confirmed_at.eq((!by_email_code).then_some(now)),
            sessions::by_email_code.eq(by_email_code),
        ))
        .execute(connection)?;
    let act = Act::new("session.begun", "session", session.id, &origin.actor);
    let act = match session.factor {
        Some(factor) => act.after(json!({ "factor": factor })),
        None => act,
    };
    audit::record_personal(connection, origin, session.person_id, act)
}

/// The sessions of a person that hold, newest first.
///
/// # Errors
/// If the database fails.
pub fn list(connection: &mut PgConnection, person: PersonId) -> Result<Vec<Session>> {
    let now = Utc::now();
    Ok(sessions::table
        .filter(sessions::person_id.eq(person.0))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::idle_expires_at.gt(now))
        .order(sessions::created_at.desc())
        .limit(200)
        .select((
            sessions::id,
            sessions::created_at,
            sessions::last_seen_at,
            sessions::expires_at,
            sessions::address,
            sessions::user_agent,
        ))
        .load(connection)?)
}

/// What the browser of a session shows from now on.
#[derive(Clone, Copy, Debug)]
pub struct NewToken {
    /// SHA-256 of the token that the request came with; none where it came without, because a provider's page sent it.
    pub former: Option<[u8; 32]>,
    /// SHA-256 of the one that takes its place.
    pub digest: [u8; 32],
}

/// A session that was confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// When.
    pub at: DateTime<Utc>,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
}

/// Remembers that the person of a session has just proved themselves again, `with` what, as the audit trail calls it. From
/// now on the session is known by another token; it stays the same session, with what goes on in its name.
///
/// # Errors
/// [`StoreError::NotFound`] if it has ended, or is not known by the former token any more.
pub(crate) fn confirm(
    connection: &mut PgConnection,
    origin: &Origin,
    (person, session): (PersonId, SessionId),
    token: &NewToken,
    with: &str,
) -> Result<Confirmed> {
    let now = Utc::now();
    let own = sessions::table
        .find(session.0)
        .filter(sessions::person_id.eq(person.0))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::idle_expires_at.gt(now));
    let known_by: Option<Vec<u8>> =
        own.select(sessions::token_digest).for_update().first(connection).optional()?;
    let known_by = known_by.ok_or(StoreError::NotFound)?;
    // Of two requests that confirm at the same time with one cookie, the browser could keep the answer of the first.
    if token.former.is_some_and(|former| known_by != former) {
        return Err(StoreError::NotFound);
    }
    let expires_at = diesel::update(sessions::table.find(session.0))
        .set((sessions::confirmed_at.eq(now), sessions::token_digest.eq(token.digest.as_slice())))
        .returning(sessions::expires_at)
        .get_result(connection)?;
    let act = Act::new("session.confirmed", "session", session, &origin.actor);
    audit::record_personal(connection, origin, person, act.after(json!({ "with": with })))?;
    Ok(Confirmed { at: now, expires_at })
}

/// Ends a session of a person.
///
/// # Errors
/// [`StoreError::NotFound`] if the person has no such session that is not ended.
pub fn revoke(connection: &mut PgConnection, origin: &Origin, person: PersonId, id: SessionId) -> Result<()> {
    let now = Utc::now();
    let own = sessions::table
        .find(id.0)
        .filter(sessions::person_id.eq(person.0))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::idle_expires_at.gt(now));
    let ended = diesel::update(own).set(sessions::revoked_at.eq(now)).execute(connection)?;
    if ended == 0 {
        return Err(StoreError::NotFound);
    }
    let act = Act::new("session.ended", "session", id, &origin.actor);
    audit::record_personal(connection, origin, person, act)
}

/// Ends a session whosever it is, because somebody signs in anew in its browser; nothing if it has ended already.
///
/// # Errors
/// If the database fails.
pub fn replace(connection: &mut PgConnection, visitor: &Origin, id: SessionId) -> Result<()> {
    let found: Option<(Uuid, String)> = sessions::table
        .inner_join(people::table)
        .filter(sessions::id.eq(id.0))
        .select((people::id, people::login))
        .first(connection)
        .optional()?;
    let Some((person, login)) = found else { return Ok(()) };
    let origin = Origin { actor_id: Some(PersonId(person)), actor: login, ..visitor.clone() };
    match revoke(connection, &origin, PersonId(person), id) {
        Err(StoreError::NotFound) => Ok(()),
        other => other,
    }
}

/// Ends all sessions of a person but one. Leaves the audit row to the caller, whose act this is part of.
///
/// # Errors
/// If the database fails.
pub(crate) fn revoke_all(
    connection: &mut PgConnection,
    person: PersonId,
    except: Option<SessionId>,
) -> Result<usize> {
    let others = sessions::table
        .filter(sessions::person_id.eq(person.0))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::id.ne(except.map_or(Uuid::nil(), Into::into)));
    Ok(diesel::update(others).set(sessions::revoked_at.eq(Utc::now())).execute(connection)?)
}

/// Removes sessions that ended more than a month ago.
///
/// # Errors
/// If the database fails.
pub fn remove_expired(connection: &mut PgConnection) -> Result<usize> {
    let old = sessions::table.filter(sessions::expires_at.lt(Utc::now() - TimeDelta::days(30)));
    Ok(diesel::delete(old).execute(connection)?)
}
