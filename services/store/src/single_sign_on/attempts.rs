//! The last attempts at each connection, with the reason of each refusal: for whoever has to mend it.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use kinora_core::{ConnectionId, PersonId};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::Result;
use crate::schema::{saml_attempts, saml_connections};

/// How long they are kept.
pub const KEPT: TimeDelta = TimeDelta::days(30);
/// Most of one connection that went well, or of people who are known.
const MOST: i64 = 1000;
/// Most refusals for one reason of which no person is known. Anybody may send rubbish to a connection's address: it fills
/// no disk, and it takes the place neither of what is known of people nor of refusals for reasons that only a
/// provider's own signature leads to.
const MOST_OF_STRANGERS: i64 = 100;

/// An attempt.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable)]
#[diesel(table_name = saml_attempts, check_for_backend(diesel::pg::Pg))]
pub struct Attempt {
    /// Its id, which the person is shown too.
    pub id: Uuid,
    /// The connection.
    pub connection_id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// What for: "sign_in", "unsolicited", "test", "link", "confirm" or "logout".
    pub purpose: String,
    /// A code of the library's refusals or of the application's; none: it went well.
    pub refusal: Option<String>,
    /// What was found, in addition.
    pub detail: Option<String>,
    /// Whose attempt it was, as far as that is known.
    pub person_id: Option<Uuid>,
    /// From where.
    pub address: Option<String>,
    /// For tests: what came, and what it would be mapped to.
    pub findings: Option<Value>,
}

/// An attempt that was made.
#[derive(Clone, Debug, Default)]
pub struct NewAttempt {
    /// What for.
    pub purpose: &'static str,
    /// Why it was refused.
    pub refusal: Option<&'static str>,
    /// What was found, in addition.
    pub detail: Option<String>,
    /// Whose.
    pub person: Option<PersonId>,
    /// From where.
    pub address: Option<String>,
    /// For tests.
    pub findings: Option<Value>,
}

/// Writes an attempt down, with a digest of the metadata that the connection has; gives its id.
///
/// # Errors
/// If the database fails.
pub fn record(connection: &mut PgConnection, owner: ConnectionId, attempt: &NewAttempt) -> Result<Uuid> {
    let id = Uuid::now_v7();
    let metadata: Option<Option<String>> = saml_connections::table
        .find(owner.0)
        .select(saml_connections::metadata)
        .first(connection)
        .optional()?;
    let digest = metadata.flatten().map(|text| Sha256::digest(text.as_bytes()).to_vec());
    diesel::insert_into(saml_attempts::table)
        .values((
            saml_attempts::id.eq(id),
            saml_attempts::connection_id.eq(owner.0),
            saml_attempts::at.eq(Utc::now()),
            saml_attempts::purpose.eq(attempt.purpose),
            saml_attempts::refusal.eq(attempt.refusal),
            saml_attempts::detail.eq(&attempt.detail),
            saml_attempts::person_id.eq(attempt.person.map(Uuid::from)),
            saml_attempts::address.eq(&attempt.address),
            saml_attempts::findings.eq(&attempt.findings),
            saml_attempts::metadata_digest.eq(digest),
        ))
        .execute(connection)?;
    trim(connection, owner, attempt)?;
    Ok(id)
}

/// Removes what is too many of the kind that `newest` is of.
fn trim(connection: &mut PgConnection, owner: ConnectionId, newest: &NewAttempt) -> Result<()> {
    let own = saml_attempts::table
        .filter(saml_attempts::connection_id.eq(owner.0))
        .order(saml_attempts::id.desc())
        .select(saml_attempts::id);
    let old: Vec<Uuid> = match newest.refusal {
        Some(code) if newest.person.is_none() => own
            .filter(saml_attempts::person_id.is_null())
            .filter(saml_attempts::refusal.eq(code))
            .offset(MOST_OF_STRANGERS)
            .load(connection)?,
        _ => {
            // What single sign-on can be required by, however many people have come since.
            let proof: Option<Uuid> = own
                .filter(saml_attempts::purpose.eq("test"))
                .filter(saml_attempts::refusal.is_null())
                .first(connection)
                .optional()?;
            own.filter(saml_attempts::person_id.is_not_null().or(saml_attempts::refusal.is_null()))
                .filter(saml_attempts::id.ne(proof.unwrap_or_default()))
                .offset(MOST)
                .load(connection)?
        }
    };
    if !old.is_empty() {
        diesel::delete(saml_attempts::table.filter(saml_attempts::id.eq_any(old))).execute(connection)?;
    }
    Ok(())
}

/// The last attempts at a connection, newest first; where `refused` says so, only those that were refused, or only the
/// others.
///
/// # Errors
/// If the database fails.
pub fn list(
    connection: &mut PgConnection,
    owner: ConnectionId,
    refused: Option<bool>,
    limit: i64,
) -> Result<Vec<Attempt>> {
    let mut chosen = saml_attempts::table
        .filter(saml_attempts::connection_id.eq(owner.0))
        .order(saml_attempts::id.desc())
        .limit(limit)
        .select(Attempt::as_select())
        .into_boxed();
    if let Some(refused) = refused {
        chosen = chosen.filter(saml_attempts::refusal.is_not_null().eq(refused));
    }
    Ok(chosen.load(connection)?)
}

/// One attempt at a connection.
///
/// # Errors
/// [`crate::StoreError::NotFound`].
pub fn find(connection: &mut PgConnection, owner: ConnectionId, id: Uuid) -> Result<Attempt> {
    Ok(saml_attempts::table
        .find(id)
        .filter(saml_attempts::connection_id.eq(owner.0))
        .select(Attempt::as_select())
        .first(connection)?)
}

/// Removes those that are older than [`KEPT`].
///
/// # Errors
/// If the database fails.
pub fn remove_old(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<usize> {
    let old = saml_attempts::table.filter(saml_attempts::at.lt(now - KEPT));
    Ok(diesel::delete(old).execute(connection)?)
}
