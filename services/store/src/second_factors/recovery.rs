//! Recovery codes: for somebody whose app and passkeys are gone. Each works once; only digests are stored.

use chrono::Utc;
use diesel::prelude::*;
use kinora_core::PersonId;
use kinora_core::mail::SecurityNotice;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{budget, lock, methods};
use crate::audit::{self, Act};
use crate::notices::{self, Scene};
use crate::schema::recovery_codes;
use crate::{Result, StoreError};

/// How many a person gets.
pub const COUNT: usize = 10;

/// What is stored of a code: bound to the person, so that equal digests say nothing. `code` is taken as it is
/// typed: capitals, spaces and hyphens do not matter.
#[must_use]
pub fn digest(person: PersonId, code: &str) -> [u8; 32] {
    let letters: String =
        code.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    Sha256::new()
        .chain_update(b"kinora recovery code ")
        .chain_update(person.0.as_bytes())
        .chain_update(letters)
        .finalize()
        .into()
}

/// How many are left.
///
/// # Errors
/// If the database fails.
pub fn count_left(connection: &mut PgConnection, person: PersonId) -> Result<i64> {
    Ok(recovery_codes::table
        .filter(recovery_codes::person_id.eq(person.0))
        .filter(recovery_codes::used_at.is_null())
        .count()
        .get_result(connection)?)
}

/// Whether the person has this code still. Taking it is [`super::accept`]'s.
///
/// # Errors
/// If the database fails.
pub fn is_left(connection: &mut PgConnection, person: PersonId, digest: &[u8; 32]) -> Result<bool> {
    let unused =
        recovery_codes::table.find((person.0, digest.as_slice())).filter(recovery_codes::used_at.is_null());
    Ok(diesel::select(diesel::dsl::exists(unused)).get_result(connection)?)
}

pub(super) fn consume(connection: &mut PgConnection, person: PersonId, digest: &[u8; 32]) -> Result<bool> {
    let unused =
        recovery_codes::table.find((person.0, digest.as_slice())).filter(recovery_codes::used_at.is_null());
    Ok(diesel::update(unused).set(recovery_codes::used_at.eq(Utc::now())).execute(connection)? > 0)
}

pub(super) fn replace(connection: &mut PgConnection, person: PersonId, digests: &[[u8; 32]]) -> Result<()> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::person_id.eq(person.0)))
        .execute(connection)?;
    let rows: Vec<_> = digests
        .iter()
        .map(|digest| {
            (recovery_codes::person_id.eq(person.0), recovery_codes::code_digest.eq(digest.as_slice()))
        })
        .collect();
    diesel::insert_into(recovery_codes::table).values(rows).execute(connection)?;
    budget::clear(connection, person, budget::Kind::RecoveryCode)
}

/// Gives a person other codes; those they had work no more.
///
/// # Errors
/// [`StoreError::Conflict`] without a second factor.
pub fn regenerate(
    connection: &mut PgConnection,
    scene: &Scene,
    person: PersonId,
    digests: &[[u8; 32]],
) -> Result<()> {
    lock(connection, person)?;
    if !methods(connection, person)?.any() {
        return Err(StoreError::Conflict(
            "Recovery codes come with a second factor. Add one first.".to_owned(),
        ));
    }
    replace(connection, person, digests)?;
    notices::tell(connection, scene, person, SecurityNotice::RecoveryCodesMade)?;
    let act = Act::new("recovery_codes.made", audit::PERSON, person, &scene.origin.actor)
        .after(json!({ "codes": digests.len() }));
    audit::record_personal(connection, &scene.origin, person, act)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_code_is_typed_does_not_matter_and_whose_it_is_does() {
        let (ada, bob) = (PersonId::new(), PersonId::new());
        assert_eq!(digest(ada, "abcd-efgh-jkmn-pqrs"), digest(ada, " ABCD EFGHJKMN-pqrs\n"));
        assert_ne!(digest(ada, "abcd-efgh-jkmn-pqrs"), digest(ada, "abcd-efgh-jkmn-pqrt"));
        assert_ne!(digest(ada, "abcd-efgh-jkmn-pqrs"), digest(bob, "abcd-efgh-jkmn-pqrs"));
    }
}
