//! Encrypted objects in the vault: how to read each, and those that nothing refers to any more.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use kinora_core::object::{Place, SealedObject, Segment};
use kinora_core::{ObjectId, ProductionId};
use uuid::Uuid;

use crate::columns::Json;
use crate::schema::{derivatives, objects, orphan_objects};
use crate::{Result, StoreError};

fn place_name(place: Place) -> &'static str {
    match place {
        Place::Staging => "staging",
        Place::Store => "store",
    }
}

/// Writes down an object that is durable in the vault.
///
/// # Errors
/// [`StoreError::NotUnderstood`] if its segments do not add up; else the database's.
pub fn insert(connection: &mut PgConnection, production: ProductionId, object: &SealedObject) -> Result<()> {
    if !object.is_consistent() {
        return Err(StoreError::NotUnderstood(format!("object {}: its segments do not add up", object.id)));
    }
    diesel::insert_into(objects::table)
        .values((
            objects::id.eq(object.id.0),
            objects::production_id.eq(production.0),
            objects::master_key_id.eq(&object.master_key_id),
            objects::wrapped_key.eq(&object.wrapped_key),
            objects::size_bytes.eq(size_column(object.size_bytes)?),
            objects::sha256.eq(&object.sha256),
            objects::segments.eq(segments_column(&object.segments)?),
            objects::place.eq(place_name(object.place)),
        ))
        .execute(connection)?;
    Ok(())
}

/// Writes down that an object is in another place now (its segments may be other ones, too).
///
/// # Errors
/// [`StoreError::NotFound`] if it was never inserted; else the database's.
pub fn update_place(connection: &mut PgConnection, object: &SealedObject) -> Result<()> {
    let changed = diesel::update(objects::table.find(object.id.0))
        .set((
            objects::place.eq(place_name(object.place)),
            objects::segments.eq(segments_column(&object.segments)?),
        ))
        .execute(connection)?;
    if changed == 0 { Err(StoreError::NotFound) } else { Ok(()) }
}

fn size_column(size_bytes: u64) -> Result<i64> {
    i64::try_from(size_bytes).map_err(|_| StoreError::NotUnderstood(format!("a size of {size_bytes} bytes")))
}

fn segments_column(segments: &[Segment]) -> Result<serde_json::Value> {
    serde_json::to_value(segments).map_err(|e| StoreError::NotUnderstood(e.to_string()))
}

/// How to read an object. No permission is asked for here: the caller comes by way of an asset.
///
/// # Errors
/// [`StoreError::NotFound`]; else the database's.
pub fn find(connection: &mut PgConnection, id: ObjectId) -> Result<SealedObject> {
    type Row = (String, String, i64, String, Json<Vec<Segment>>, String);
    let (master_key_id, wrapped_key, size_bytes, sha256, segments, place): Row = objects::table
        .find(id.0)
        .select((
            objects::master_key_id,
            objects::wrapped_key,
            objects::size_bytes,
            objects::sha256,
            objects::segments,
            objects::place,
        ))
        .first(connection)?;
    let place = [Place::Staging, Place::Store]
        .into_iter()
        .find(|known| place_name(*known) == place)
        .ok_or(StoreError::NotUnderstood(place))?;
    let size_bytes =
        u64::try_from(size_bytes).map_err(|_| StoreError::NotUnderstood("a negative size".to_owned()))?;
    Ok(SealedObject { id, master_key_id, wrapped_key, size_bytes, sha256, segments: segments.0, place })
}

/// Marks objects as belonging to nobody, to be removed from the vault after that instant.
///
/// # Errors
/// The database's.
pub fn orphan(connection: &mut PgConnection, ids: &[Uuid], remove_after: DateTime<Utc>) -> Result<()> {
    let rows: Vec<_> = ids
        .iter()
        .map(|id| (orphan_objects::object_id.eq(*id), orphan_objects::remove_after.eq(remove_after)))
        .collect();
    diesel::insert_into(orphan_objects::table).values(rows).on_conflict_do_nothing().execute(connection)?;
    Ok(())
}

/// Objects that are to be removed from the vault now, the oldest first. Locks them until the
/// transaction ends and leaves out those that somebody else has locked. What an asset refers to that is still
/// there, in a production that is still there, is never among them, whatever was marked.
///
/// # Errors
/// The database's.
pub fn claim_orphans(connection: &mut PgConnection, now: DateTime<Utc>, limit: i64) -> Result<Vec<ObjectId>> {
    #[derive(QueryableByName)]
    struct Orphan {
        #[diesel(sql_type = SqlUuid)]
        object_id: Uuid,
    }
    let rows: Vec<Orphan> = diesel::sql_query(
        "SELECT o.object_id FROM orphan_objects o WHERE o.remove_after <= $1 \
         AND NOT EXISTS (SELECT 1 FROM versions v JOIN assets a ON a.id = v.asset_id \
                         JOIN productions p ON p.id = a.production_id \
                         WHERE v.original_object_id = o.object_id \
                           AND a.removed_at IS NULL AND p.removed_at IS NULL) \
         AND NOT EXISTS (SELECT 1 FROM derivatives d JOIN versions v ON v.id = d.version_id \
                         JOIN assets a ON a.id = v.asset_id \
                         JOIN productions p ON p.id = a.production_id \
                         WHERE d.object_id = o.object_id \
                           AND a.removed_at IS NULL AND p.removed_at IS NULL) \
         ORDER BY o.remove_after LIMIT $2 FOR UPDATE OF o SKIP LOCKED",
    )
    .bind::<diesel::sql_types::Timestamptz, _>(now)
    .bind::<BigInt, _>(limit)
    .load(connection)?;
    Ok(rows.into_iter().map(|row| ObjectId(row.object_id)).collect())
}

/// Forgets an orphan whose bytes are gone from the vault. The row of an original stays with its
/// version, as the record of what was once delivered, but its key is destroyed.
///
/// # Errors
/// The database's.
pub fn forget_orphan(connection: &mut PgConnection, id: ObjectId) -> Result<()> {
    connection.transaction(|connection| {
        diesel::delete(derivatives::table.filter(derivatives::object_id.eq(id.0))).execute(connection)?;
        diesel::sql_query(
            "DELETE FROM objects o WHERE o.id = $1 \
             AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.original_object_id = o.id)",
        )
        .bind::<SqlUuid, _>(id.0)
        .execute(connection)?;
        diesel::update(objects::table.find(id.0)).set(objects::wrapped_key.eq("")).execute(connection)?;
        diesel::delete(orphan_objects::table.find(id.0)).execute(connection)?;
        Ok(())
    })
}
