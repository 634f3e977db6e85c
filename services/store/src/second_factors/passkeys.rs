//! Passkeys and security keys of a person: public keys, which are no secret.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::{PasskeyId, PersonId, SessionId};
use uuid::Uuid;

use super::{Added, Kind, finish_addition, finish_removal, lock, lock_for_removal, methods};
use crate::notices::Scene;
use crate::schema::{passkeys, people};
use crate::{Result, StoreError};

/// Most of one person.
pub const MAX_PER_PERSON: i64 = 25;

/// A passkey as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Passkey {
    /// Its id.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// Whether it is kept on several devices.
    pub is_synced: bool,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// When it last signed.
    pub last_used_at: Option<DateTime<Utc>>,
}

type Columns =
    (passkeys::id, passkeys::name, passkeys::is_synced, passkeys::created_at, passkeys::last_used_at);

const COLUMNS: Columns =
    (passkeys::id, passkeys::name, passkeys::is_synced, passkeys::created_at, passkeys::last_used_at);

/// A passkey to be added.
#[derive(Clone, Debug)]
pub struct NewPasskey {
    /// What its owner calls it.
    pub name: String,
    /// The authenticator's id of it.
    pub credential_id: Vec<u8>,
    /// COSE algorithm.
    pub algorithm: i32,
    /// SubjectPublicKeyInfo, DER.
    pub public_key: Vec<u8>,
    /// Its counter.
    pub sign_count: i64,
    /// How browsers reach it.
    pub transports: Vec<String>,
    /// Whether it is kept on several devices.
    pub is_synced: bool,
}

/// A passkey as a browser is asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Descriptor {
    /// The authenticator's id of it.
    pub credential_id: Vec<u8>,
    /// How browsers reach it.
    pub transports: Vec<String>,
}

/// What a signature is verified with.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Verifier {
    /// The passkey.
    pub id: Uuid,
    /// Whose.
    pub person: Uuid,
    /// Their login.
    pub login: String,
    /// COSE algorithm.
    pub algorithm: i32,
    /// SubjectPublicKeyInfo, DER.
    pub public_key: Vec<u8>,
    /// The counter of the last signature.
    pub sign_count: i64,
}

/// A person's passkeys, oldest first.
///
/// # Errors
/// If the database fails.
pub fn list(connection: &mut PgConnection, person: PersonId) -> Result<Vec<Passkey>> {
    Ok(passkeys::table
        .filter(passkeys::person_id.eq(person.0))
        .order((passkeys::created_at, passkeys::id))
        .select(COLUMNS)
        .load(connection)?)
}

/// The same as browsers are told.
///
/// # Errors
/// If the database fails.
pub fn descriptors(connection: &mut PgConnection, person: PersonId) -> Result<Vec<Descriptor>> {
    Ok(passkeys::table
        .filter(passkeys::person_id.eq(person.0))
        .order(passkeys::created_at)
        .select((passkeys::credential_id, passkeys::transports))
        .load(connection)?)
}

/// The passkey with an authenticator's id, if its person may sign in.
///
/// # Errors
/// If the database fails.
pub fn find_verifier(connection: &mut PgConnection, credential_id: &[u8]) -> Result<Option<Verifier>> {
    Ok(passkeys::table
        .inner_join(people::table)
        .filter(passkeys::credential_id.eq(credential_id))
        .filter(people::disabled_at.is_null())
        .select((
            passkeys::id,
            people::id,
            people::login,
            passkeys::algorithm,
            passkeys::public_key,
            passkeys::sign_count,
        ))
        .first(connection)
        .optional()?)
}

/// Adds a passkey.
///
/// # Errors
/// [`StoreError::Conflict`] if it is there already, or the person has too many.
pub fn add(
    connection: &mut PgConnection,
    scene: &Scene,
    (person, session): (PersonId, SessionId),
    new: &NewPasskey,
    recovery_digests: &[[u8; 32]],
) -> Result<(Passkey, Added)> {
    lock(connection, person)?;
    let before = methods(connection, person)?;
    let held: i64 =
        passkeys::table.filter(passkeys::person_id.eq(person.0)).count().get_result(connection)?;
    if held >= MAX_PER_PERSON {
        return Err(StoreError::Conflict(format!(
            "You have {held} passkeys already. Remove some of them first."
        )));
    }
    let made: Passkey = diesel::insert_into(passkeys::table)
        .values((
            passkeys::id.eq(PasskeyId::new().0),
            passkeys::person_id.eq(person.0),
            passkeys::credential_id.eq(&new.credential_id),
            passkeys::algorithm.eq(new.algorithm),
            passkeys::public_key.eq(&new.public_key),
            passkeys::sign_count.eq(new.sign_count),
            passkeys::transports.eq(&new.transports),
            passkeys::is_synced.eq(new.is_synced),
            passkeys::name.eq(&new.name),
        ))
        .returning(COLUMNS)
        .get_result(connection)
        .map_err(|error| match StoreError::from(error) {
            error if error.violated_unique_constraint().is_some() => {
                StoreError::Conflict("This passkey is registered already.".to_owned())
            }
            error => error,
        })?;
    let what = (before, Kind::Passkey, Some(new.name.as_str()));
    let added = finish_addition(connection, scene, (person, session), what, recovery_digests)?;
    Ok((made, added))
}

/// Takes a signature: the counter must have grown, unless the authenticator does not count.
pub(super) fn accept(
    connection: &mut PgConnection,
    person: PersonId,
    id: Uuid,
    sign_count: i64,
) -> Result<bool> {
    // With a signature that counts nothing, the one before must have counted nothing either: lower than 1.
    let own = passkeys::table
        .find(id)
        .filter(passkeys::person_id.eq(person.0))
        .filter(passkeys::sign_count.lt(sign_count.max(1)));
    let taken = diesel::update(own)
        .set((passkeys::sign_count.eq(sign_count), passkeys::last_used_at.eq(Utc::now())))
        .execute(connection)?;
    Ok(taken > 0)
}

/// Removes a passkey of a person.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::Conflict`] if an organisation asks for it.
pub fn remove(connection: &mut PgConnection, scene: &Scene, person: PersonId, id: PasskeyId) -> Result<()> {
    lock_for_removal(connection, person)?;
    let own = passkeys::table.find(id.0).filter(passkeys::person_id.eq(person.0));
    let name: Option<String> =
        diesel::delete(own).returning(passkeys::name).get_result(connection).optional()?;
    let name = name.ok_or(StoreError::NotFound)?;
    finish_removal(connection, scene, person, (Kind::Passkey, Some(&name)))
}
