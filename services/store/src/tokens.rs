//! API access tokens. Only a hash of each is stored.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use kinora_core::{PersonId, TokenId};
use uuid::Uuid;

use crate::audit::{self, Act, Origin};
use crate::schema::access_tokens;
use crate::{Result, StoreError};

/// Most tokens that hold at the same time, for one person.
pub const MAX_PER_PERSON: i64 = 50;

/// A token as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct AccessToken {
    /// Its id.
    pub id: Uuid,
    /// What it is for.
    pub name: String,
    /// Its last characters.
    pub hint: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// SHA-256 of it.
    pub digest: [u8; 32],
    /// Its last characters.
    pub hint: String,
    /// How long it holds.
    pub validity: TimeDelta,
}

type Columns = (
    access_tokens::id,
    access_tokens::name,
    access_tokens::hint,
    access_tokens::created_at,
    access_tokens::expires_at,
    access_tokens::last_used_at,
);

const COLUMNS: Columns = (
    access_tokens::id,
    access_tokens::name,
    access_tokens::hint,
    access_tokens::created_at,
    access_tokens::expires_at,
    access_tokens::last_used_at,
);

/// Makes a token.
///
/// # Errors
/// [`StoreError::Conflict`] if the person has too many.
pub fn create(
    connection: &mut PgConnection,
    origin: &Origin,
    person: PersonId,
    token: &NewToken,
) -> Result<AccessToken> {
    let now = Utc::now();
    let held: i64 = access_tokens::table
        .filter(access_tokens::person_id.eq(person.0))
        .filter(access_tokens::revoked_at.is_null())
        .filter(access_tokens::expires_at.gt(now))
        .count()
        .get_result(connection)?;
    if held >= MAX_PER_PERSON {
        return Err(StoreError::Conflict(format!(
            "You have {held} access tokens already. Revoke some of them first."
        )));
    }
    let id = TokenId::new();
    let made = diesel::insert_into(access_tokens::table)
        .values((
            access_tokens::id.eq(id.0),
            access_tokens::person_id.eq(person.0),
            access_tokens::name.eq(&token.name),
            access_tokens::token_digest.eq(token.digest.as_slice()),
            access_tokens::hint.eq(&token.hint),
            access_tokens::created_at.eq(now),
            access_tokens::expires_at.eq(now + token.validity),
        ))
        .returning(COLUMNS)
        .get_result::<AccessToken>(connection)?;
    let after = serde_json::json!({ "expires_at": made.expires_at, "hint": made.hint });
    let act = Act::new("token.created", "token", id, &token.name).after(after);
    audit::record_personal(connection, origin, person, act)?;
    Ok(made)
}

/// The tokens of a person that hold, newest first.
///
/// # Errors
/// If the database fails.
pub fn list(connection: &mut PgConnection, person: PersonId) -> Result<Vec<AccessToken>> {
    Ok(access_tokens::table
        .filter(access_tokens::person_id.eq(person.0))
        .filter(access_tokens::revoked_at.is_null())
        .filter(access_tokens::expires_at.gt(Utc::now()))
        .order(access_tokens::created_at.desc())
        .limit(200)
        .select(COLUMNS)
        .load(connection)?)
}

/// Revokes a token of a person.
///
/// # Errors
/// [`StoreError::NotFound`] if the person has no such token that holds.
pub fn revoke(connection: &mut PgConnection, origin: &Origin, person: PersonId, id: TokenId) -> Result<()> {
    let now = Utc::now();
    let own = access_tokens::table
        .find(id.0)
        .filter(access_tokens::person_id.eq(person.0))
        .filter(access_tokens::revoked_at.is_null())
        .filter(access_tokens::expires_at.gt(now));
    let name: Option<String> = diesel::update(own)
        .set(access_tokens::revoked_at.eq(now))
        .returning(access_tokens::name)
        .get_result(connection)
        .optional()?;
    let name = name.ok_or(StoreError::NotFound)?;
    audit::record_personal(connection, origin, person, Act::new("token.revoked", "token", id, &name))
}

/// Revokes all tokens of a person. Leaves the audit row to the caller, whose act this is part of.
///
/// # Errors
/// If the database fails.
pub(crate) fn revoke_all(connection: &mut PgConnection, person: PersonId) -> Result<usize> {
    let own = access_tokens::table
        .filter(access_tokens::person_id.eq(person.0))
        .filter(access_tokens::revoked_at.is_null());
    Ok(diesel::update(own).set(access_tokens::revoked_at.eq(Utc::now())).execute(connection)?)
}
