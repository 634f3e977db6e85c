//! What making and comparing copies of media asks of the database. Objects whose key was destroyed are no objects any more:
//! their rows only remember what was once delivered.

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{Text, Uuid as SqlUuid};
use kinora_core::object::{SealedObject, Segment};
use kinora_core::{AssetId, ObjectId, ProductionId};
use uuid::Uuid;

use crate::audit::{self, Act, Origin};
use crate::columns::Json;
use crate::schema::{objects as rows, orphan_objects};
use crate::{Result, objects, uploads};

/// The PostgreSQL user that copies, and what it may read: nothing but which objects there are. A wrapped key opens nothing
/// without the master key; an empty one says that the object is gone.
pub const COPY_USER: &str = "kinora_copy";
pub(crate) const COPY_RIGHTS: &str = "GRANT USAGE ON SCHEMA public TO kinora_copy;
     GRANT SELECT (id, production_id, segments, wrapped_key) ON objects TO kinora_copy;
     GRANT SELECT (object_id) ON orphan_objects TO kinora_copy";

/// The productions that have objects.
///
/// # Errors
/// The database's.
pub fn productions(connection: &mut PgConnection) -> Result<Vec<ProductionId>> {
    let ids: Vec<Uuid> = rows::table.select(rows::production_id).distinct().load(connection)?;
    Ok(ids.into_iter().map(ProductionId).collect())
}

/// Up to `limit` objects of a production and their segments, by id, from after `after` on.
///
/// # Errors
/// The database's.
pub fn page(
    connection: &mut PgConnection,
    production: ProductionId,
    after: ObjectId,
    limit: i64,
) -> Result<Vec<(ObjectId, Vec<Segment>)>> {
    let found: Vec<(Uuid, Json<Vec<Segment>>)> = rows::table
        .filter(rows::production_id.eq(production.0).and(rows::id.gt(after.0)).and(rows::wrapped_key.ne("")))
        .order(rows::id)
        .limit(limit)
        .select((rows::id, rows::segments))
        .load(connection)?;
    Ok(found.into_iter().map(|(id, segments)| (ObjectId(id), segments.0)).collect())
}

/// Whether an object must be in the vault: it has a row with a key, and is not marked to be removed.
///
/// # Errors
/// The database's.
pub fn is_wanted(connection: &mut PgConnection, id: ObjectId) -> Result<bool> {
    let has_key = rows::table.filter(rows::id.eq(id.0).and(rows::wrapped_key.ne(""))).select(rows::id);
    let marked =
        orphan_objects::table.filter(orphan_objects::object_id.eq(id.0)).select(orphan_objects::object_id);
    Ok(diesel::select(exists(has_key)).get_result(connection)?
        && !diesel::select(exists(marked)).get_result(connection)?)
}

/// Up to `limit` ids of objects, by id, from after `after` on; of one production or all.
///
/// # Errors
/// The database's.
pub fn ids(
    connection: &mut PgConnection,
    production: Option<ProductionId>,
    after: ObjectId,
    limit: i64,
) -> Result<Vec<(ProductionId, ObjectId)>> {
    let mut query = rows::table
        .filter(rows::id.gt(after.0).and(rows::wrapped_key.ne("")))
        .order(rows::id)
        .limit(limit)
        .select((rows::production_id, rows::id))
        .into_boxed();
    if let Some(production) = production {
        query = query.filter(rows::production_id.eq(production.0));
    }
    let found: Vec<(Uuid, Uuid)> = query.load(connection)?;
    Ok(found.into_iter().map(|(production, id)| (ProductionId(production), ObjectId(id))).collect())
}

/// How to read an object, as it stands now; none if it is gone, or is to be removed and no asset that is there needs it.
///
/// # Errors
/// The database's.
pub fn find_wanted(connection: &mut PgConnection, id: ObjectId) -> Result<Option<SealedObject>> {
    let found = match objects::find(connection, id) {
        Err(crate::StoreError::NotFound) => return Ok(None),
        other => other?,
    };
    let is_wanted = !found.wrapped_key.is_empty()
        && (is_wanted(connection, id)? || use_of(connection, id)?.is_some_and(|it| it.is_there));
    Ok(is_wanted.then_some(found))
}

/// What an object is to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The asset that it belongs to.
    pub asset: AssetId,
    /// "original", or what kind of derivative it is.
    pub what: String,
    /// Whether the asset was not removed.
    pub is_there: bool,
}

/// What an object is to people; none if it belongs to no asset. An asset that is there comes first.
///
/// # Errors
/// The database's.
pub fn use_of(connection: &mut PgConnection, id: ObjectId) -> Result<Option<Use>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        asset: Uuid,
        #[diesel(sql_type = Text)]
        what: String,
        #[diesel(sql_type = diesel::sql_types::Bool)]
        is_there: bool,
    }
    let row: Option<Row> = diesel::sql_query(
        "SELECT a.id AS asset, used.what, a.removed_at IS NULL AS is_there FROM \
         (SELECT v.asset_id, 'original' AS what FROM versions v WHERE v.original_object_id = $1 \
          UNION ALL SELECT v.asset_id, d.kind FROM derivatives d JOIN versions v ON v.id = d.version_id WHERE d.object_id = $1) used \
         JOIN assets a ON a.id = used.asset_id ORDER BY is_there DESC LIMIT 1",
    )
    .bind::<SqlUuid, _>(id.0)
    .get_result(connection)
    .optional()?;
    Ok(row.map(|row| Use { asset: AssetId(row.asset), what: row.what, is_there: row.is_there }))
}

/// Marks those of the objects that still no row knows as to be removed, with a row in the audit trail. Tells how many.
///
/// # Errors
/// The database's.
pub fn mark_orphans(
    connection: &mut PgConnection,
    origin: &Origin,
    ids: &[ObjectId],
    now: DateTime<Utc>,
) -> Result<usize> {
    connection.transaction(|connection| {
        let unknown: Vec<Uuid> =
            uploads::unknown_objects(connection, ids)?.into_iter().map(|id| id.0).collect();
        if unknown.is_empty() {
            return Ok(0);
        }
        objects::orphan(connection, &unknown, now)?;
        let act = Act::new("media.orphans_marked", "storage", Uuid::nil(), "storage");
        audit::record(connection, origin, act.after(serde_json::json!({ "objects": unknown.len() })))?;
        Ok(unknown.len())
    })
}

/// Writes down that objects were put back from their copies.
///
/// # Errors
/// The database's.
pub fn record_repair(connection: &mut PgConnection, origin: &Origin, repaired: u64) -> Result<()> {
    connection.transaction(|connection| {
        let act = Act::new("media.repaired", "storage", Uuid::nil(), "storage");
        audit::record(connection, origin, act.after(serde_json::json!({ "objects": repaired })))?;
        Ok(())
    })
}
