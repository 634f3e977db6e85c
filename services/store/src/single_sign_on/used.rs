//! Assertions and messages that were used: none is used again, on whichever instance and after whichever takeover.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::ConnectionId;

use crate::Result;
use crate::schema::saml_used_documents;

/// Remembers a document until it could not be used any more in any case. Whether it is used for the first time: another
/// transaction that uses it in the same moment waits here until this one has ended.
///
/// # Errors
/// If the database fails.
pub fn remember(
    connection: &mut PgConnection,
    owner: ConnectionId,
    (entity, document): (&str, &str),
    keep_until: DateTime<Utc>,
) -> Result<bool> {
    let inserted = diesel::insert_into(saml_used_documents::table)
        .values((
            saml_used_documents::connection_id.eq(owner.0),
            saml_used_documents::entity_id.eq(entity),
            saml_used_documents::document_id.eq(document),
            saml_used_documents::keep_until.eq(keep_until),
        ))
        .on_conflict_do_nothing()
        .execute(connection)?;
    Ok(inserted > 0)
}

/// Forgets those that are refused as expired by now.
///
/// # Errors
/// If the database fails.
pub fn remove_expired(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<usize> {
    let old = saml_used_documents::table.filter(saml_used_documents::keep_until.lt(now));
    Ok(diesel::delete(old).execute(connection)?)
}
