//! The wrapped data keys of objects and uploads: what a change of the master key goes through.

use diesel::prelude::*;
use kinora_core::ObjectId;
use uuid::Uuid;

use crate::Result;
use crate::audit::{self, Act, Origin};
use crate::schema::{objects, uploads};

/// Which row keeps a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRow {
    /// An object's.
    Object(Uuid),
    /// An upload's; its object has no row before it is complete.
    Upload(Uuid),
}

/// A data key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// Where.
    pub row: KeyRow,
    /// The object whose bytes it opens.
    pub object_id: ObjectId,
    /// The master key that wraps it.
    pub master_key_id: String,
    /// Itself, wrapped.
    pub wrapped_key: String,
}

/// Up to `limit` keys that another master key wraps than the one called `current`.
///
/// # Errors
/// The database's.
pub fn find_wrapped_by_others(
    connection: &mut PgConnection,
    current: &str,
    limit: usize,
) -> Result<Vec<WrappedKey>> {
    type Row = (Uuid, Uuid, String, String);
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let of_objects: Vec<Row> = objects::table
        .filter(objects::master_key_id.ne(current))
        .select((objects::id, objects::id, objects::master_key_id, objects::wrapped_key))
        .limit(most)
        .load(connection)?;
    let of_uploads: Vec<Row> = uploads::table
        .filter(uploads::master_key_id.ne(current))
        .select((uploads::id, uploads::object_id, uploads::master_key_id, uploads::wrapped_key))
        .limit(most)
        .load(connection)?;
    let key = |row: fn(Uuid) -> KeyRow| {
        move |(id, object, master_key_id, wrapped_key): Row| WrappedKey {
            row: row(id),
            object_id: ObjectId(object),
            master_key_id,
            wrapped_key,
        }
    };
    let found = of_objects.into_iter().map(key(KeyRow::Object));
    Ok(found.chain(of_uploads.into_iter().map(key(KeyRow::Upload))).take(limit).collect())
}

/// Replaces keys, each pair from what was read to what it is now, with one row in the audit trail. A key
/// that is not what was read any more is left alone. Tells how many were replaced.
///
/// # Errors
/// The database's; nothing is replaced then.
pub fn replace(
    connection: &mut PgConnection,
    origin: &Origin,
    keys: &[(WrappedKey, WrappedKey)],
) -> Result<usize> {
    let Some((_, first)) = keys.first() else { return Ok(0) };
    connection.transaction(|connection| {
        let mut replaced = 0;
        for (old, new) in keys {
            replaced += match old.row {
                KeyRow::Object(id) => diesel::update(objects::table.find(id))
                    .filter(objects::wrapped_key.eq(&old.wrapped_key))
                    .set((
                        objects::master_key_id.eq(&new.master_key_id),
                        objects::wrapped_key.eq(&new.wrapped_key),
                    ))
                    .execute(connection)?,
                KeyRow::Upload(id) => diesel::update(uploads::table.find(id))
                    .filter(uploads::wrapped_key.eq(&old.wrapped_key))
                    .set((
                        uploads::master_key_id.eq(&new.master_key_id),
                        uploads::wrapped_key.eq(&new.wrapped_key),
                    ))
                    .execute(connection)?,
            };
        }
        let act = Act::new("data_keys.rewrapped", "master_key", Uuid::nil(), &first.master_key_id)
            .after(serde_json::json!({ "keys": replaced }));
        audit::record(connection, origin, act)?;
        Ok(replaced)
    })
}
