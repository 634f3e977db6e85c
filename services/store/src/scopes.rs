//! Which production something belongs to. That never changes, so the answer is only "not any more"
//! after it was removed.

use diesel::prelude::*;
use kinora_core::{AssetId, ProductionId, RunId};
use uuid::Uuid;

use crate::Result;
use crate::schema::{assets, runs};

/// The production of an asset that is not removed.
///
/// # Errors
/// If the database fails.
pub fn find_production_of_asset(connection: &mut PgConnection, id: AssetId) -> Result<Option<ProductionId>> {
    let found: Option<Uuid> = assets::table
        .find(id.0)
        .filter(assets::removed_at.is_null())
        .select(assets::production_id)
        .first(connection)
        .optional()?;
    Ok(found.map(ProductionId))
}

/// The production of a run whose asset is not removed.
///
/// # Errors
/// If the database fails.
pub fn find_production_of_run(connection: &mut PgConnection, id: RunId) -> Result<Option<ProductionId>> {
    let found: Option<Uuid> = runs::table
        .inner_join(assets::table)
        .filter(runs::id.eq(id.0))
        .filter(assets::removed_at.is_null())
        .select(runs::production_id)
        .first(connection)
        .optional()?;
    Ok(found.map(ProductionId))
}
