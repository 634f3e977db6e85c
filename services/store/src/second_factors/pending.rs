//! Half sign-ins: the password was right, the second factor is still to be shown. No session, good for
//! nothing else.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use kinora_core::PersonId;
use uuid::Uuid;

use crate::schema::{pending_sign_ins, people};
use crate::{Result, StoreError};

/// How long one holds.
pub const VALIDITY: TimeDelta = TimeDelta::minutes(10);
/// Most of one person at a time; the oldest end.
const MOST: i64 = 300;

/// Somebody who has given the right password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its id.
    pub id: Uuid,
    /// The person.
    pub person: PersonId,
    /// Their login.
    pub login: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// Begins one; gives its end.
///
/// # Errors
/// If the database fails.
pub fn create(
    connection: &mut PgConnection,
    person: PersonId,
    token_digest: &[u8; 32],
) -> Result<DateTime<Utc>> {
    let now = Utc::now();
    let expires_at = now + VALIDITY;
    let kept = pending_sign_ins::table
        .filter(pending_sign_ins::person_id.eq(person.0))
        .order(pending_sign_ins::created_at.desc())
        .select(pending_sign_ins::id)
        .offset(MOST - 1)
        .load::<Uuid>(connection)?;
    diesel::delete(pending_sign_ins::table.filter(pending_sign_ins::id.eq_any(kept))).execute(connection)?;
    diesel::insert_into(pending_sign_ins::table)
        .values((
            pending_sign_ins::id.eq(Uuid::now_v7()),
            pending_sign_ins::person_id.eq(person.0),
            pending_sign_ins::token_digest.eq(token_digest.as_slice()),
            pending_sign_ins::created_at.eq(now),
            pending_sign_ins::expires_at.eq(expires_at),
        ))
        .execute(connection)?;
    Ok(expires_at)
}

/// The one of that token, if it holds and its person may sign in.
///
/// # Errors
/// If the database fails.
pub fn find(connection: &mut PgConnection, token_digest: &[u8; 32]) -> Result<Option<Pending>> {
    let row: Option<(Uuid, Uuid, String, DateTime<Utc>)> = pending_sign_ins::table
        .inner_join(people::table)
        .filter(pending_sign_ins::token_digest.eq(token_digest.as_slice()))
        .filter(pending_sign_ins::expires_at.gt(Utc::now()))
        .filter(people::disabled_at.is_null())
        .select((pending_sign_ins::id, people::id, people::login, pending_sign_ins::expires_at))
        .first(connection)
        .optional()?;
    Ok(row.map(|(id, person, login, expires_at)| Pending { id, person: PersonId(person), login, expires_at }))
}

/// Ends one, because it becomes a session: whoever comes second finds it gone.
///
/// # Errors
/// [`StoreError::NotFound`] if it is gone, has expired, or its person may not sign in.
pub fn consume(connection: &mut PgConnection, id: Uuid) -> Result<()> {
    let holds = pending_sign_ins::table.find(id).filter(pending_sign_ins::expires_at.gt(Utc::now()));
    let person: Option<Uuid> =
        diesel::delete(holds).returning(pending_sign_ins::person_id).get_result(connection).optional()?;
    let person = person.ok_or(StoreError::NotFound)?;
    let may: i64 =
        people::table.find(person).filter(people::disabled_at.is_null()).count().get_result(connection)?;
    if may == 0 { Err(StoreError::NotFound) } else { Ok(()) }
}

/// Ends all of a person.
pub(crate) fn remove_all(connection: &mut PgConnection, person: PersonId) -> Result<()> {
    diesel::delete(pending_sign_ins::table.filter(pending_sign_ins::person_id.eq(person.0)))
        .execute(connection)?;
    Ok(())
}

pub(super) fn remove_expired(connection: &mut PgConnection) -> Result<usize> {
    let old = pending_sign_ins::table.filter(pending_sign_ins::expires_at.lt(Utc::now()));
    Ok(diesel::delete(old).execute(connection)?)
}
