//! Mails to owners about what of a connection is about to end: each once, whichever instance finds it out.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::mail::Letter;
use kinora_core::permission::OrganisationRole;
use kinora_core::{ConnectionId, OrganisationId, PersonId};
use uuid::Uuid;

use crate::schema::{organisation_members, people, saml_warnings};
use crate::{Result, mail};

/// Writes a mail to every owner, unless that was done for this end (SHA-256 of what ends, hexadecimal) and this many days
/// before it. Tells whether it was.
///
/// # Errors
/// If the database fails.
pub fn warn_once(
    connection: &mut PgConnection,
    (organisation, id): (OrganisationId, ConnectionId),
    (what, days): (&str, i32),
    letter: &Letter,
    expires_at: DateTime<Utc>,
) -> Result<bool> {
    connection.transaction(|connection| {
        let is_first = diesel::insert_into(saml_warnings::table)
            .values((
                saml_warnings::connection_id.eq(id.0),
                saml_warnings::what.eq(what),
                saml_warnings::days.eq(days),
            ))
            .on_conflict_do_nothing()
            .execute(connection)?
            > 0;
        if !is_first {
            return Ok(false);
        }
        let owners: Vec<Uuid> = organisation_members::table
            .inner_join(people::table)
            .filter(organisation_members::organisation_id.eq(organisation.0))
            .filter(organisation_members::role.eq(OrganisationRole::Owner.name()))
            .filter(people::disabled_at.is_null())
            .order(people::id)
            .select(people::id)
            .load(connection)?;
        for owner in owners {
            let _ = mail::enqueue_personal(connection, PersonId(owner), letter, Some(expires_at))?;
        }
        Ok(true)
    })
}
