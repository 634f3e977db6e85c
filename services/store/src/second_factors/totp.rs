//! Authenticator apps: the encrypted secret, and the newest time step that was used.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use kinora_core::{PersonId, SessionId};
use uuid::Uuid;

use super::{Added, Kind, budget, finish_addition, finish_removal, lock, lock_for_removal, methods};
use crate::audit::{self, Act, Origin};
use crate::notices::Scene;
use crate::schema::{totp_enrolments, totp_factors};
use crate::{Result, StoreError};

/// How long an enrolment waits for its first code.
const ENROLMENT: TimeDelta = TimeDelta::minutes(30);

/// A secret as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Sealed {
    /// The master key from which the key was derived.
    pub master_key_id: String,
    /// The secret, encrypted.
    pub text: String,
}

/// An authenticator app as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Authenticator {
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// When a code was last accepted.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Begins an enrolment; an earlier one that waits still ends.
///
/// # Errors
/// If the database fails.
pub fn begin(
    connection: &mut PgConnection,
    person: PersonId,
    session: SessionId,
    sealed: &Sealed,
) -> Result<DateTime<Utc>> {
    let expires_at = Utc::now() + ENROLMENT;
    let values = (
        totp_enrolments::session_id.eq(session.0),
        totp_enrolments::master_key_id.eq(&sealed.master_key_id),
        totp_enrolments::sealed_secret.eq(&sealed.text),
        totp_enrolments::expires_at.eq(expires_at),
    );
    diesel::insert_into(totp_enrolments::table)
        .values((totp_enrolments::person_id.eq(person.0), values))
        .on_conflict(totp_enrolments::person_id)
        .do_update()
        .set(values)
        .execute(connection)?;
    Ok(expires_at)
}

/// The secret of the enrolment that this session has begun.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find_enrolment(connection: &mut PgConnection, person: PersonId, session: SessionId) -> Result<Sealed> {
    Ok(totp_enrolments::table
        .find(person.0)
        .filter(totp_enrolments::session_id.eq(session.0))
        .filter(totp_enrolments::expires_at.gt(Utc::now()))
        .select((totp_enrolments::master_key_id, totp_enrolments::sealed_secret))
        .first(connection)?)
}

/// Makes the app of an enrolment the person's factor, in place of an earlier one, after a code of `step`.
/// The enrolment must still be the one that `sealed` was read of.
///
/// # Errors
/// [`StoreError::NotFound`] if it is not.
pub fn confirm(
    connection: &mut PgConnection,
    scene: &Scene,
    (person, session): (PersonId, SessionId),
    (sealed, step): (&Sealed, i64),
    recovery_digests: &[[u8; 32]],
) -> Result<Added> {
    lock(connection, person)?;
    let before = methods(connection, person)?;
    let enrolment = totp_enrolments::table
        .find(person.0)
        .filter(totp_enrolments::session_id.eq(session.0))
        .filter(totp_enrolments::sealed_secret.eq(&sealed.text));
    if diesel::delete(enrolment).execute(connection)? == 0 {
        return Err(StoreError::NotFound);
    }
    let now = Utc::now();
    let values = (
        totp_factors::master_key_id.eq(&sealed.master_key_id),
        totp_factors::sealed_secret.eq(&sealed.text),
        totp_factors::last_step.eq(step),
        totp_factors::created_at.eq(now),
        totp_factors::last_used_at.eq(Some(now)),
    );
    diesel::insert_into(totp_factors::table)
        .values((totp_factors::person_id.eq(person.0), values))
        .on_conflict(totp_factors::person_id)
        .do_update()
        .set(values)
        .execute(connection)?;
    budget::clear(connection, person, budget::Kind::Totp)?;
    let what = (before, Kind::Authenticator, None);
    finish_addition(connection, scene, (person, session), what, recovery_digests)
}

/// The secret of a person's app.
///
/// # Errors
/// If the database fails.
pub fn find_secret(connection: &mut PgConnection, person: PersonId) -> Result<Option<Sealed>> {
    Ok(totp_factors::table
        .find(person.0)
        .select((totp_factors::master_key_id, totp_factors::sealed_secret))
        .first(connection)
        .optional()?)
}

/// A person's app.
///
/// # Errors
/// If the database fails.
pub fn find(connection: &mut PgConnection, person: PersonId) -> Result<Option<Authenticator>> {
    Ok(totp_factors::table
        .find(person.0)
        .select((totp_factors::created_at, totp_factors::last_used_at))
        .first(connection)
        .optional()?)
}

/// Takes a code of this step: once, and no earlier one afterwards.
pub(super) fn accept(connection: &mut PgConnection, person: PersonId, step: i64) -> Result<bool> {
    let newer = totp_factors::table.find(person.0).filter(totp_factors::last_step.lt(step));
    let taken = diesel::update(newer)
        .set((totp_factors::last_step.eq(step), totp_factors::last_used_at.eq(Utc::now())))
        .execute(connection)?;
    Ok(taken > 0)
}

/// Removes a person's app.
///
/// # Errors
/// [`StoreError::NotFound`] without one; [`StoreError::Conflict`] if an organisation asks for it.
pub fn remove(connection: &mut PgConnection, scene: &Scene, person: PersonId) -> Result<()> {
    lock_for_removal(connection, person)?;
    if diesel::delete(totp_factors::table.find(person.0)).execute(connection)? == 0 {
        return Err(StoreError::NotFound);
    }
    budget::clear(connection, person, budget::Kind::Totp)?;
    finish_removal(connection, scene, person, (Kind::Authenticator, None))
}

/// A stored secret, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedFactor {
    /// Whose.
    pub person: PersonId,
    /// The secret.
    pub sealed: Sealed,
}

/// Up to `limit` secrets that were encrypted under another master key than the one called `current`.
///
/// # Errors
/// If the database fails.
pub fn find_sealed_by_others(
    connection: &mut PgConnection,
    current: &str,
    limit: usize,
) -> Result<Vec<SealedFactor>> {
    let rows: Vec<(Uuid, Sealed)> = totp_factors::table
        .filter(totp_factors::master_key_id.ne(current))
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select((totp_factors::person_id, (totp_factors::master_key_id, totp_factors::sealed_secret)))
        .load(connection)?;
    Ok(rows.into_iter().map(|(id, sealed)| SealedFactor { person: PersonId(id), sealed }).collect())
}

/// Replaces secrets by the same ones encrypted anew, in one transaction with one row in the audit trail. One that
/// is not what was read any more is left alone. Enrolments that wait end. Tells how many were replaced.
///
/// # Errors
/// If the database fails; nothing is replaced then.
pub fn reseal(
    connection: &mut PgConnection,
    origin: &Origin,
    pairs: &[(SealedFactor, Sealed)],
) -> Result<usize> {
    let Some((_, first)) = pairs.first() else { return Ok(0) };
    connection.transaction(|connection| {
        let mut replaced = 0;
        for (old, new) in pairs {
            replaced += diesel::update(totp_factors::table.find(old.person.0))
                .filter(totp_factors::sealed_secret.eq(&old.sealed.text))
                .set((
                    totp_factors::master_key_id.eq(&new.master_key_id),
                    totp_factors::sealed_secret.eq(&new.text),
                ))
                .execute(connection)?;
        }
        diesel::delete(
            totp_enrolments::table.filter(totp_enrolments::master_key_id.ne(&first.master_key_id)),
        )
        .execute(connection)?;
        let act = Act::new("factor_secrets.resealed", "master_key", Uuid::nil(), &first.master_key_id)
            .after(serde_json::json!({ "secrets": replaced }));
        audit::record(connection, origin, act)?;
        Ok(replaced)
    })
}
