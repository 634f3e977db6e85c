//! Our keys towards a connection's provider: one signs; another may be about to follow it, or was before it.
//!
//! Both certificates stand in our metadata and both keys decrypt, so a change takes three steps that each leave
//! everything working: add the next one, let the provider load our metadata, switch; then drop the former one.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::{ConnectionId, OrganisationId};
use serde_json::json;
use uuid::Uuid;

use super::connections::{self, SamlConnection};
use crate::audit::{self, Act, Origin};
use crate::schema::saml_keys;
use crate::second_factors::totp::Sealed;
use crate::{Result, StoreError};

/// The role of the key that signs.
pub const SIGNING: &str = "signing";
/// The role of a key that follows the signing one, or went before it.
pub const OTHER: &str = "other";

/// A key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = saml_keys, check_for_backend(diesel::pg::Pg))]
pub struct SamlKeyRow {
    /// Its id, for which it is sealed.
    pub id: Uuid,
    /// The connection.
    pub connection_id: Uuid,
    /// [`SIGNING`] or [`OTHER`].
    pub role: String,
    /// The master key from which the sealing key was derived.
    pub master_key_id: String,
    /// The private key (PKCS #8), encrypted.
    pub sealed_key: String,
    /// The certificate (DER).
    pub certificate: Vec<u8>,
    /// When the certificate ends.
    pub not_after: DateTime<Utc>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A key that was made.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Its id, for which it was sealed.
    pub id: Uuid,
    /// The private key (PKCS #8), encrypted.
    pub sealed: Sealed,
    /// The certificate (DER).
    pub certificate: Vec<u8>,
    /// Its SHA-256, hexadecimal, for the audit trail.
    pub fingerprint: String,
    /// When it ends.
    pub not_after: DateTime<Utc>,
}

/// The keys of a connection, the signing one first.
///
/// # Errors
/// If the database fails.
pub fn of(connection: &mut PgConnection, id: ConnectionId) -> Result<Vec<SamlKeyRow>> {
    Ok(saml_keys::table
        .filter(saml_keys::connection_id.eq(id.0))
        // "signing" comes after "other".
        .order(saml_keys::role.desc())
        .select(SamlKeyRow::as_select())
        .load(connection)?)
}

pub(super) fn insert(
    connection: &mut PgConnection,
    owner: ConnectionId,
    role: &str,
    key: &NewKey,
) -> Result<()> {
    diesel::insert_into(saml_keys::table)
        .values((
            saml_keys::id.eq(key.id),
            saml_keys::connection_id.eq(owner.0),
            saml_keys::role.eq(role),
            saml_keys::master_key_id.eq(&key.sealed.master_key_id),
            saml_keys::sealed_key.eq(&key.sealed.text),
            saml_keys::certificate.eq(&key.certificate),
            saml_keys::not_after.eq(key.not_after),
        ))
        .execute(connection)?;
    Ok(())
}

/// Adds the key that is to follow. From now on both certificates stand in our metadata.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::Conflict`] if there is one already.
pub fn add_next(
    connection: &mut PgConnection,
    origin: &Origin,
    (organisation, id): (OrganisationId, ConnectionId),
    key: &NewKey,
) -> Result<SamlConnection> {
    let stored = connections::find_for_update(connection, organisation, id)?;
    if of(connection, id)?.iter().any(|row| row.role == OTHER) {
        return Err(StoreError::Conflict(
            "There is a second certificate already. Switch to it, or remove it, before you make another one."
                .to_owned(),
        ));
    }
    insert(connection, id, OTHER, key)?;
    connections::touch(connection, id)?;
    let act = Act::new("saml_key.added", connections::KIND, id, &stored.name).in_organisation(organisation);
    audit::record(connection, origin, act.after(json!({ "certificate": key.fingerprint })))?;
    connections::find_in(connection, organisation, id)
}

/// Changes the roles of both keys: the other one signs from now on.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::Conflict`] if there is no other one.
pub fn switch(
    connection: &mut PgConnection,
    origin: &Origin,
    (organisation, id): (OrganisationId, ConnectionId),
) -> Result<()> {
    let stored = connections::find_for_update(connection, organisation, id)?;
    let rows = of(connection, id)?;
    let by = |role: &str| rows.iter().find(|row| row.role == role);
    let (Some(signing), Some(other)) = (by(SIGNING), by(OTHER)) else {
        return Err(StoreError::Conflict("There is no second certificate to switch to.".to_owned()));
    };
    // Both cannot have the same role even for a moment, so one of them is written anew.
    diesel::delete(saml_keys::table.find(other.id)).execute(connection)?;
    diesel::update(saml_keys::table.find(signing.id)).set(saml_keys::role.eq(OTHER)).execute(connection)?;
    diesel::insert_into(saml_keys::table)
        .values((
            saml_keys::id.eq(other.id),
            saml_keys::connection_id.eq(id.0),
            saml_keys::role.eq(SIGNING),
            saml_keys::master_key_id.eq(&other.master_key_id),
            saml_keys::sealed_key.eq(&other.sealed_key),
            saml_keys::certificate.eq(&other.certificate),
            saml_keys::not_after.eq(other.not_after),
            saml_keys::created_at.eq(other.created_at),
        ))
        .execute(connection)?;
    connections::touch(connection, id)?;
    let act = Act::new("saml_key.switched", connections::KIND, id, &stored.name)
        .in_organisation(organisation)
        .before(json!({ "key": signing.id }))
        .after(json!({ "key": other.id }));
    audit::record(connection, origin, act)
}

/// Removes the key that does not sign.
///
/// # Errors
/// [`StoreError::NotFound`] if there is none.
pub fn drop_other(
    connection: &mut PgConnection,
    origin: &Origin,
    (organisation, id): (OrganisationId, ConnectionId),
) -> Result<()> {
    let stored = connections::find_for_update(connection, organisation, id)?;
    let other = saml_keys::table.filter(saml_keys::connection_id.eq(id.0)).filter(saml_keys::role.eq(OTHER));
    let removed: Option<Uuid> =
        diesel::delete(other).returning(saml_keys::id).get_result(connection).optional()?;
    let removed = removed.ok_or(StoreError::NotFound)?;
    connections::touch(connection, id)?;
    let act = Act::new("saml_key.removed", connections::KIND, id, &stored.name).in_organisation(organisation);
    audit::record(connection, origin, act.before(json!({ "key": removed })))
}

/// Up to `limit` keys that were encrypted under another master key than the one called `current`.
///
/// # Errors
/// If the database fails.
pub fn find_sealed_by_others(
    connection: &mut PgConnection,
    current: &str,
    limit: usize,
) -> Result<Vec<SamlKeyRow>> {
    Ok(saml_keys::table
        .filter(saml_keys::master_key_id.ne(current))
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(SamlKeyRow::as_select())
        .load(connection)?)
}

/// Replaces keys by the same ones encrypted anew, in one transaction with one row in the audit trail. One that is not
/// what was read any more is left alone. Tells how many were replaced.
///
/// # Errors
/// If the database fails; nothing is replaced then.
pub fn reseal(
    connection: &mut PgConnection,
    origin: &Origin,
    pairs: &[(SamlKeyRow, Sealed)],
) -> Result<usize> {
    let Some((_, first)) = pairs.first() else { return Ok(0) };
    connection.transaction(|connection| {
        let mut replaced = 0;
        for (old, new) in pairs {
            replaced += diesel::update(saml_keys::table.find(old.id))
                .filter(saml_keys::sealed_key.eq(&old.sealed_key))
                .set((saml_keys::master_key_id.eq(&new.master_key_id), saml_keys::sealed_key.eq(&new.text)))
                .execute(connection)?;
        }
        let act = Act::new("saml_keys.resealed", "master_key", Uuid::nil(), &first.master_key_id)
            .after(json!({ "keys": replaced }));
        audit::record(connection, origin, act)?;
        Ok(replaced)
    })
}
