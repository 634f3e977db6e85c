//! Productions and their members.

use diesel::prelude::*;
use kinora_core::{OrganisationId, ProductionId};
use uuid::Uuid;

use crate::Result;
use crate::schema::productions;

/// The organisation that owns a production, unless it was removed.
///
/// # Errors
/// If the database fails.
pub fn find_organisation(connection: &mut PgConnection, id: ProductionId) -> Result<Option<OrganisationId>> {
    let found: Option<Uuid> = productions::table
        .find(id.0)
        .filter(productions::removed_at.is_null())
        .select(productions::organisation_id)
        .first(connection)
        .optional()?;
    Ok(found.map(OrganisationId))
}
