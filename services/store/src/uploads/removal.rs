//! Uploads that end without an asset: removed by their owner, or expired.

use chrono::{TimeDelta, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use kinora_core::{AssetId, ObjectId, ProductionId, UploadId};
use uuid::Uuid;

use super::rows::{Row, UPLOAD, lease_start, read};
use super::{Upload, act, find, lock};
use crate::audit::{self, Origin};
use crate::principals::Principal;
use crate::schema::{objects as object_rows, orphan_objects, productions, uploads};
use crate::{Result, objects};

/// How long the bytes of a removed upload are left alone, so that a writer that does not know yet can
/// end before.
const WRITER_GRACE: TimeDelta = TimeDelta::seconds(10);

/// Removes the caller's upload. Its bytes are removed soon after. Nothing happens to the asset that a
/// complete one has become, which is what this gives.
///
/// # Errors
/// Those of [`find`].
pub fn remove(
    connection: &mut PgConnection,
    caller: &Principal,
    origin: &Origin,
    production: ProductionId,
    id: UploadId,
) -> Result<Option<AssetId>> {
    connection.transaction(|connection| {
        let upload = find(connection, caller, production, id)?;
        let was_busy = lock(connection, id)?;
        let upload = Upload { asset_id: read_asset(connection, id)?, ..upload };
        delete(connection, &upload, if was_busy { WRITER_GRACE } else { TimeDelta::zero() })?;
        let act = act(connection, "upload.removed", &upload)?;
        audit::record(connection, origin, act)?;
        Ok(upload.asset_id)
    })
}

fn read_asset(connection: &mut PgConnection, id: UploadId) -> Result<Option<AssetId>> {
    let asset: Option<Uuid> = uploads::table.find(id.0).select(uploads::asset_id).first(connection)?;
    Ok(asset.map(AssetId))
}

fn delete(connection: &mut PgConnection, upload: &Upload, grace: TimeDelta) -> Result<()> {
    diesel::delete(uploads::table.find(upload.id.0)).execute(connection)?;
    if upload.asset_id.is_none() {
        objects::orphan(connection, &[upload.object_id.0], Utc::now() + grace)?;
    }
    Ok(())
}

/// Removes uploads that have expired, or whose production is gone, at most `limit` of them; those that another process is removing
/// at the same time are left to it. Gives how many it were.
///
/// # Errors
/// The database's.
pub fn remove_expired(connection: &mut PgConnection, origin: &Origin, limit: i64) -> Result<usize> {
    connection.transaction(|connection| {
        // A writer that ends after its production was removed sets a time once more.
        let removed =
            productions::table.filter(productions::removed_at.is_not_null()).select(productions::id);
        let rows: Vec<Row> = uploads::table
            .filter(uploads::expires_at.le(now).or(uploads::production_id.eq_any(removed)))
            .filter(uploads::writer_seen_at.is_null().or(uploads::writer_seen_at.lt(lease_start())))
            .order(uploads::expires_at)
            .limit(limit)
            .select(UPLOAD)
            .for_update()
            .skip_locked()
            .load(connection)?;
        let mut acts = Vec::new();
        for row in &rows {
            let upload = read(row.clone())?;
            delete(connection, &upload, WRITER_GRACE)?;
            if !upload.is_complete {
                acts.push(act(connection, "upload.expired", &upload)?);
            }
        }
        audit::record_all(connection, origin, acts)?;
        Ok(rows.len())
    })
}

/// Of these objects, those that nothing in the database knows: what a crash between the vault and the
/// database has left behind.
///
/// # Errors
/// The database's.
pub fn unknown_objects(connection: &mut PgConnection, ids: &[ObjectId]) -> Result<Vec<ObjectId>> {
    let wanted: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let mut known: Vec<Uuid> = object_rows::table
        .filter(object_rows::id.eq_any(&wanted))
        .select(object_rows::id)
        .load(connection)?;
    let uploading: Vec<Uuid> = uploads::table
        .filter(uploads::object_id.eq_any(&wanted))
        .select(uploads::object_id)
        .load(connection)?;
    let orphaned: Vec<Uuid> = orphan_objects::table
        .filter(orphan_objects::object_id.eq_any(&wanted))
        .select(orphan_objects::object_id)
        .load(connection)?;
    known.extend(uploading);
    known.extend(orphaned);
    Ok(ids.iter().copied().filter(|id| !known.contains(&id.0)).collect())
}
