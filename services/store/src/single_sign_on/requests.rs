//! Requests to identity providers that wait for an answer: each counts once, and only for the browser that it was
//! made in.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use kinora_core::{ConnectionId, PersonId, SessionId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::schema::saml_requests;
use crate::{Result, StoreError};

/// How long an answer is waited for: somebody may have to look for their telephone.
pub const VALIDITY: TimeDelta = TimeDelta::minutes(10);
/// Most that wait at one connection; the oldest end first.
const MOST: i64 = 20_000;

/// What the answer is to be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Signing in.
    SignIn,
    /// Showing an owner what comes, and nothing else.
    Test,
    /// Joining the provider's person with an account that is signed in.
    Link,
    /// Confirming a session.
    Confirm,
    /// Signing out at the provider as well.
    Logout,
}

impl Purpose {
    /// The name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Test => "test",
            Self::Link => "link",
            Self::Confirm => "confirm",
            Self::Logout => "logout",
        }
    }

    fn from_name(name: &str) -> Result<Self> {
        [Self::SignIn, Self::Test, Self::Link, Self::Confirm, Self::Logout]
            .into_iter()
            .find(|purpose| purpose.name() == name)
            .ok_or_else(|| StoreError::NotUnderstood(format!("purpose {name:?}")))
    }
}

/// A request, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The ID in the message.
    pub id: String,
    /// The connection.
    pub connection: ConnectionId,
    /// What the answer is good for.
    pub purpose: Purpose,
    /// What comes back with the answer.
    pub relay_state: String,
    /// SHA-256 of the cookie of the browser.
    pub browser_digest: [u8; 32],
    /// SHA-256 of the cookie by which the browser is known for long, if it has one.
    pub known_browser: Option<[u8; 32]>,
    /// Who tests, links, confirms or signs out.
    pub person: Option<PersonId>,
    /// The session that the browser had.
    pub session: Option<SessionId>,
    /// Path inside the product to go on to.
    pub return_to: Option<String>,
    /// Whether a fresh sign-in was asked for.
    pub forced: bool,
    /// The ways of signing in that were asked for.
    pub contexts: Vec<String>,
    /// When it was made.
    pub made_at: DateTime<Utc>,
}

/// Keeps a request.
///
/// # Errors
/// If the database fails.
pub fn create(connection: &mut PgConnection, request: &Request) -> Result<()> {
    let old: Vec<String> = saml_requests::table
        .filter(saml_requests::connection_id.eq(request.connection.0))
        .order(saml_requests::made_at.desc())
        .offset(MOST - 1)
        .select(saml_requests::id)
        .load(connection)?;
    diesel::delete(saml_requests::table.filter(saml_requests::id.eq_any(old))).execute(connection)?;
    diesel::insert_into(saml_requests::table)
        .values((
            saml_requests::id.eq(&request.id),
            saml_requests::connection_id.eq(request.connection.0),
            saml_requests::purpose.eq(request.purpose.name()),
            saml_requests::relay_state.eq(&request.relay_state),
            saml_requests::browser_digest.eq(request.browser_digest.as_slice()),
            saml_requests::known_browser.eq(request.known_browser.map(|digest| digest.to_vec())),
            saml_requests::person_id.eq(request.person.map(Uuid::from)),
            saml_requests::session_id.eq(request.session.map(Uuid::from)),
            saml_requests::return_to.eq(&request.return_to),
            saml_requests::forced.eq(request.forced),
            saml_requests::contexts.eq(&request.contexts),
            saml_requests::made_at.eq(request.made_at),
            saml_requests::expires_at.eq(request.made_at + VALIDITY),
        ))
        .execute(connection)?;
    Ok(())
}

#[derive(Queryable)]
struct Row {
    id: String,
    connection: Uuid,
    purpose: String,
    relay_state: String,
    browser_digest: Vec<u8>,
    known_browser: Option<Vec<u8>>,
    person: Option<Uuid>,
    session: Option<Uuid>,
    return_to: Option<String>,
    forced: bool,
    contexts: Vec<String>,
    made_at: DateTime<Utc>,
}

impl Row {
    fn read(self) -> Result<Request> {
        let digest = |bytes: Vec<u8>| {
            <[u8; 32]>::try_from(bytes).map_err(|_| StoreError::NotUnderstood("a digest".to_owned()))
        };
        Ok(Request {
            id: self.id,
            connection: ConnectionId(self.connection),
            purpose: Purpose::from_name(&self.purpose)?,
            relay_state: self.relay_state,
            browser_digest: digest(self.browser_digest)?,
            known_browser: self.known_browser.map(digest).transpose()?,
            person: self.person.map(PersonId),
            session: self.session.map(SessionId),
            return_to: self.return_to,
            forced: self.forced,
            contexts: self.contexts,
            made_at: self.made_at,
        })
    }
}

/// The request of that relay state that still waits, whichever connection and browser it was made for: the caller
/// compares both.
///
/// # Errors
/// If the database fails.
pub fn find(connection: &mut PgConnection, relay_state: &str, now: DateTime<Utc>) -> Result<Option<Request>> {
    let row: Option<Row> = saml_requests::table
        .filter(saml_requests::relay_state.eq(relay_state))
        .filter(saml_requests::expires_at.gt(now))
        .select((
            saml_requests::id,
            saml_requests::connection_id,
            saml_requests::purpose,
            saml_requests::relay_state,
            saml_requests::browser_digest,
            saml_requests::known_browser,
            saml_requests::person_id,
            saml_requests::session_id,
            saml_requests::return_to,
            saml_requests::forced,
            saml_requests::contexts,
            saml_requests::made_at,
        ))
        .first(connection)
        .optional()?;
    row.map(Row::read).transpose()
}

/// Ends a request because it was answered; whoever comes second is told that it is gone. Belongs into the transaction of
/// what the answer brings about.
///
/// # Errors
/// If the database fails.
pub fn take(connection: &mut PgConnection, id: &str) -> Result<bool> {
    Ok(diesel::delete(saml_requests::table.find(id)).execute(connection)? > 0)
}

/// Ends a logout request of that ID; whether it waited, at this connection, in this browser.
///
/// # Errors
/// If the database fails.
pub fn take_logout(
    connection: &mut PgConnection,
    owner: ConnectionId,
    id: &str,
    browser_digest: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<bool> {
    let waiting = saml_requests::table
        .find(id)
        .filter(saml_requests::connection_id.eq(owner.0))
        .filter(saml_requests::purpose.eq(Purpose::Logout.name()))
        .filter(saml_requests::browser_digest.eq(browser_digest.as_slice()))
        .filter(saml_requests::expires_at.gt(now));
    Ok(diesel::delete(waiting).execute(connection)? > 0)
}

/// Removes those that nobody has answered.
///
/// # Errors
/// If the database fails.
pub fn remove_expired(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<usize> {
    Ok(diesel::delete(saml_requests::table.filter(saml_requests::expires_at.le(now))).execute(connection)?)
}
