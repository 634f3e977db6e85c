//! Resumable uploads: who may write to one now, and how far it is.
//!
//! # Writers
//! An upload has at most one writer. Becoming it counts up the upload's *epoch*; every later statement
//! of a writer names its epoch and fails with [`UploadError::Overtaken`] when it is no longer the
//! newest. So a writer that was only thought to be dead cannot change anything any more, and as the
//! epoch is also the number of the segment it writes, it cannot touch anybody's bytes either.
//!
//! A writer is active as long as it has shown life within [`LEASE`]; until then nobody else gets in
//! ([`UploadError::Busy`]). All instants are the database's, so hosts need not agree on the time.

mod removal;
mod rows;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use kinora_core::object::{SealedObject, Segment};
use kinora_core::permission::{Module, ModuleRole};
use kinora_core::{AssetId, ObjectId, ProductionId, UploadId, VersionId};
use uuid::Uuid;

pub use removal::{remove, remove_expired, unknown_objects};
pub use rows::{Concatenation, Upload};

use crate::audit::{self, Act, Origin};
use crate::principals::Principal;
use crate::runs::NewIngest;
use crate::schema::{productions, uploads};
use crate::versions::Delivery;
use crate::{Result, StoreError, assets, objects, runs, versions};
use rows::{Row, UPLOAD, epoch_column, lease_start, not_understood, read, size_column};

/// How long a writer is believed to be alive after its last sign of life.
pub const LEASE: Duration = Duration::from_secs(3);

/// What can go wrong beside the database.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// Somebody is writing to it.
    #[error("somebody else is writing")]
    Busy,
    /// The client's offset is not the upload's.
    #[error("the upload is at offset {0}")]
    WrongOffset(u64),
    /// The writer is not the upload's writer any more, or the upload was removed.
    #[error("another writer has taken over, or the upload was removed")]
    Overtaken,
    /// The upload has all its bytes, or is put together from others.
    #[error("nothing can be added to this upload")]
    Closed,
    /// The length was given before and is another one, or is less than what has arrived.
    #[error("the length contradicts what is known")]
    WrongLength,
    /// An upload that should become a part of another one is not a complete partial upload.
    #[error("{0} is not a complete partial upload")]
    NotAPart(UploadId),
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<diesel::result::Error> for UploadError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A new upload.
#[derive(Clone, Debug)]
pub struct NewUpload {
    /// Its id.
    pub id: UploadId,
    /// The production that gets the asset.
    pub production_id: ProductionId,
    /// Length of the file, if it is known already.
    pub length_bytes: Option<u64>,
    /// `Upload-Metadata` as it was sent.
    pub metadata: String,
    /// The file's name, if it was told.
    pub file_name: Option<String>,
    /// The file's media type, if it was told.
    pub media_type: Option<String>,
    /// Whether it is part of, or put together from, others.
    pub concatenation: Option<Concatenation>,
    /// The object to write.
    pub object_id: ObjectId,
    /// Which master key wrapped the object's key.
    pub master_key_id: String,
    /// The object's wrapped key.
    pub wrapped_key: String,
}

/// How far a writer has come, all of it durable in the vault.
#[derive(Clone, Debug)]
pub struct Mark {
    /// Durable bytes of the whole upload.
    pub offset_bytes: u64,
    /// The durable segments.
    pub segments: Vec<Segment>,
    /// State of the checksum.
    pub hash_state: Vec<u8>,
}

fn act(connection: &mut PgConnection, action: &'static str, upload: &Upload) -> Result<Act> {
    let organisation: Uuid = productions::table
        .find(upload.production_id.0)
        .select(productions::organisation_id)
        .first(connection)?;
    Ok(Act::new(action, "upload", upload.id, upload.file_name.as_deref().unwrap_or_default())
        .in_organisation(organisation.into())
        .in_production(upload.production_id))
}

/// Begins an upload, for editors of the library. Without a transaction around it, it makes one.
///
/// # Errors
/// [`StoreError::NotFound`] and [`StoreError::Forbidden`], as the caller's role in the library says;
/// [`UploadError::NotAPart`] for a concatenation of what cannot be concatenated.
pub fn create(
    connection: &mut PgConnection,
    caller: &Principal,
    origin: &Origin,
    new: &NewUpload,
    expires_after: TimeDelta,
) -> Result<Upload, UploadError> {
    caller.require(new.production_id, Module::Library, ModuleRole::Editor)?;
    connection.transaction(|connection| {
        let (kind, parts, length_bytes) = match &new.concatenation {
            None => (None, None, new.length_bytes),
            Some(Concatenation::Partial) => (Some("partial"), None, new.length_bytes),
            Some(Concatenation::Final(parts)) => {
                let total = total_of_parts(connection, caller, new.production_id, parts)?;
                let parts = serde_json::to_value(parts).map_err(not_understood)?;
                (Some("final"), Some(parts), Some(total))
            }
        };
        let row: Row = diesel::insert_into(uploads::table)
            .values((
                uploads::id.eq(new.id.0),
                uploads::production_id.eq(new.production_id.0),
                uploads::person_id.eq(caller.person_id.0),
                uploads::length_bytes.eq(length_bytes.map(size_column).transpose()?),
                uploads::metadata.eq(&new.metadata),
                uploads::file_name.eq(&new.file_name),
                uploads::media_type.eq(&new.media_type),
                uploads::concatenation.eq(kind),
                uploads::parts.eq(parts),
                uploads::object_id.eq(new.object_id.0),
                uploads::master_key_id.eq(&new.master_key_id),
                uploads::wrapped_key.eq(&new.wrapped_key),
                uploads::expires_at.eq(Utc::now() + expires_after),
            ))
            .returning(UPLOAD)
            .get_result(connection)?;
        let upload = read(row)?;
        let act = act(connection, "upload.created", &upload)?;
        audit::record(connection, origin, act)?;
        Ok(upload)
    })
}

fn total_of_parts(
    connection: &mut PgConnection,
    caller: &Principal,
    production: ProductionId,
    parts: &[UploadId],
) -> Result<u64, UploadError> {
    let mut total = 0_u64;
    for id in parts {
        let part = match find(connection, caller, production, *id) {
            Err(StoreError::NotFound) => return Err(UploadError::NotAPart(*id)),
            other => other?,
        };
        if !part.is_complete || part.concatenation != Some(Concatenation::Partial) {
            return Err(UploadError::NotAPart(*id));
        }
        total = total.checked_add(part.offset_bytes).ok_or_else(|| not_understood("a sum of sizes"))?;
    }
    Ok(total)
}

/// The caller's own upload to a production.
///
/// # Errors
/// [`StoreError::NotFound`] if it does not exist, belongs to somebody else, is expired or removed;
/// [`StoreError::Forbidden`] if the caller may not upload (any more).
pub fn find(
    connection: &mut PgConnection,
    caller: &Principal,
    production: ProductionId,
    id: UploadId,
) -> Result<Upload> {
    caller.require(production, Module::Library, ModuleRole::Editor)?;
    let row: Row = uploads::table
        .find(id.0)
        .filter(uploads::production_id.eq(production.0))
        .filter(uploads::person_id.eq(caller.person_id.0))
        .filter(uploads::state.ne("removed"))
        .filter(uploads::expires_at.gt(now))
        .select(UPLOAD)
        .first(connection)?;
    read(row)
}

/// The caller's uploads to a production that are not complete, the newest first.
///
/// # Errors
/// As [`find`].
pub fn list_unfinished(
    connection: &mut PgConnection,
    caller: &Principal,
    production: ProductionId,
) -> Result<Vec<Upload>> {
    const MOST: i64 = 1000;
    caller.require(production, Module::Library, ModuleRole::Editor)?;
    let rows: Vec<Row> = uploads::table
        .filter(uploads::person_id.eq(caller.person_id.0))
        .filter(uploads::production_id.eq(production.0))
        .filter(uploads::state.eq("receiving"))
        .filter(uploads::expires_at.gt(now))
        .order(uploads::created_at.desc())
        .limit(MOST)
        .select(UPLOAD)
        .load(connection)?;
    rows.into_iter().map(read).collect()
}

/// Makes the caller's process the writer of an upload. `writer` names the process, for the log;
/// `length_bytes` is a length that was not known before.
///
/// # Errors
/// [`UploadError::Busy`], [`UploadError::WrongOffset`], [`UploadError::WrongLength`],
/// [`UploadError::Closed`]; those of [`find`].
pub fn claim(
    connection: &mut PgConnection,
    caller: &Principal,
    production: ProductionId,
    id: UploadId,
    offset_bytes: u64,
    length_bytes: Option<u64>,
    writer: &str,
) -> Result<Upload, UploadError> {
    connection.transaction(|connection| {
        let upload = find(connection, caller, production, id)?;
        if matches!(upload.concatenation, Some(Concatenation::Final(_))) {
            return Err(UploadError::Closed);
        }
        let is_busy = lock(connection, id)?;
        let upload = find(connection, caller, production, id)?;
        if is_busy {
            return Err(UploadError::Busy);
        }
        if upload.offset_bytes != offset_bytes {
            return Err(UploadError::WrongOffset(upload.offset_bytes));
        }
        if let Some(told) = length_bytes
            && (upload.length_bytes.is_some_and(|known| known != told) || told < upload.offset_bytes)
        {
            return Err(UploadError::WrongLength);
        }
        if upload.is_complete {
            return Err(UploadError::Closed);
        }
        take(connection, &upload, length_bytes, writer)
    })
}

/// Locks the row; says whether a writer is active.
fn lock(connection: &mut PgConnection, id: UploadId) -> Result<bool> {
    let (writer, is_alive): (Option<String>, Option<bool>) = uploads::table
        .find(id.0)
        .select((uploads::writer, uploads::writer_seen_at.gt(lease_start())))
        .for_update()
        .first(connection)?;
    Ok(writer.is_some() && is_alive == Some(true))
}

fn take(
    connection: &mut PgConnection,
    upload: &Upload,
    length_bytes: Option<u64>,
    writer: &str,
) -> Result<Upload, UploadError> {
    let length = length_bytes.or(upload.length_bytes).map(size_column).transpose()?;
    let row: Row = diesel::update(uploads::table.find(upload.id.0))
        .set((
            uploads::epoch.eq(uploads::epoch + 1),
            uploads::writer.eq(writer),
            uploads::writer_seen_at.eq(now),
            uploads::length_bytes.eq(length),
        ))
        .returning(UPLOAD)
        .get_result(connection)?;
    Ok(read(row)?)
}

/// Shows that a writer is alive.
///
/// # Errors
/// [`UploadError::Overtaken`].
pub fn renew(connection: &mut PgConnection, id: UploadId, epoch: u32) -> Result<(), UploadError> {
    let changed = diesel::update(uploads::table.find(id.0))
        .filter(uploads::epoch.eq(epoch_column(epoch)?))
        .filter(uploads::state.eq("receiving"))
        .set(uploads::writer_seen_at.eq(now))
        .execute(connection)?;
    if changed == 1 { Ok(()) } else { Err(UploadError::Overtaken) }
}

/// Notes how far a writer is; also shows that it is alive.
///
/// # Errors
/// [`UploadError::Overtaken`].
pub fn mark(connection: &mut PgConnection, id: UploadId, epoch: u32, mark: &Mark) -> Result<(), UploadError> {
    let changed = diesel::update(uploads::table.find(id.0))
        .filter(uploads::epoch.eq(epoch_column(epoch)?))
        .filter(uploads::state.eq("receiving"))
        // A statement that was given up on may still be carried out, late.
        .filter(uploads::offset_bytes.le(size_column(mark.offset_bytes)?))
        .set((
            uploads::offset_bytes.eq(size_column(mark.offset_bytes)?),
            uploads::segments.eq(serde_json::to_value(&mark.segments).map_err(not_understood)?),
            uploads::hash_state.eq(&mark.hash_state),
            uploads::writer_seen_at.eq(now),
        ))
        .execute(connection)?;
    if changed == 1 { Ok(()) } else { Err(UploadError::Overtaken) }
}

/// Notes how far a writer came, if that changed, and that it has ended. Gives the new expiry.
///
/// # Errors
/// [`UploadError::Overtaken`].
pub fn release(
    connection: &mut PgConnection,
    id: UploadId,
    epoch: u32,
    reached: Option<&Mark>,
    expires_after: TimeDelta,
) -> Result<DateTime<Utc>, UploadError> {
    connection.transaction(|connection| {
        if let Some(reached) = reached {
            mark(connection, id, epoch, reached)?;
        }
        let expires_at = Utc::now() + expires_after;
        let changed = diesel::update(uploads::table.find(id.0))
            .filter(uploads::epoch.eq(epoch_column(epoch)?))
            .filter(uploads::state.eq("receiving"))
            .set((
                uploads::writer.eq(None::<String>),
                uploads::writer_seen_at.eq(None::<DateTime<Utc>>),
                uploads::expires_at.eq(expires_at),
            ))
            .execute(connection)?;
        if changed == 1 { Ok(expires_at) } else { Err(UploadError::Overtaken) }
    })
}

/// Ends an upload whose bytes are all durable: makes the asset with its first version and starts its
/// ingest, all in one transaction with the events and the audit row. A partial upload just becomes
/// complete. The parts of a concatenation are removed.
///
/// # Errors
/// [`UploadError::Overtaken`], also if its production was removed; [`UploadError::WrongLength`] if `object` has not the
/// upload's length.
pub fn complete(
    connection: &mut PgConnection,
    origin: &Origin,
    id: UploadId,
    epoch: u32,
    reached: &Mark,
    object: &SealedObject,
    expires_after: TimeDelta,
) -> Result<Upload, UploadError> {
    connection.transaction(|connection| {
        lock_production(connection, id)?;
        mark(connection, id, epoch, reached)?;
        let row: Row = uploads::table.find(id.0).select(UPLOAD).first(connection)?;
        let upload = read(row)?;
        if upload.length_bytes != Some(object.size_bytes) || !object.is_consistent() {
            return Err(UploadError::WrongLength);
        }
        let delivered = match &upload.concatenation {
            Some(Concatenation::Partial) => None,
            _ => Some(deliver(connection, &upload, object)?),
        };
        let row: Row = diesel::update(uploads::table.find(id.0))
            .set((
                uploads::state.eq("complete"),
                uploads::asset_id.eq(delivered.map(|(asset, _)| asset.0)),
                uploads::writer.eq(None::<String>),
                uploads::expires_at.eq(Utc::now() + expires_after),
            ))
            .returning(UPLOAD)
            .get_result(connection)?;
        if let Some(Concatenation::Final(parts)) = &upload.concatenation {
            discard_parts(connection, parts)?;
        }
        if let Some((asset_id, version_id)) = delivered {
            assets::announce(connection, asset_id)?;
            let ingest = NewIngest {
                production_id: upload.production_id,
                asset_id,
                version_id,
                created_by: Some(upload.person_id),
                place: object.place,
            };
            runs::start_ingest(connection, &ingest, Utc::now())?;
            let act = asset_act(connection, &upload, asset_id, object)?;
            audit::record(connection, origin, act)?;
        }
        Ok(read(row)?)
    })
}

/// Holds the upload's production as it is, unless it was removed: what is delivered afterwards would never go. Its row is
/// locked before any other, as whoever removes it does; the event of the asset locks it anyway.
fn lock_production(connection: &mut PgConnection, id: UploadId) -> Result<(), UploadError> {
    let production: Uuid = uploads::table
        .find(id.0)
        .select(uploads::production_id)
        .first(connection)
        .optional()?
        .ok_or(UploadError::Overtaken)?;
    let _: Uuid = productions::table
        .find(production)
        .filter(productions::removed_at.is_null())
        .for_no_key_update()
        .select(productions::id)
        .first(connection)
        .optional()?
        .ok_or(UploadError::Overtaken)?;
    Ok(())
}

/// Makes the asset and its version.
fn deliver(
    connection: &mut PgConnection,
    upload: &Upload,
    object: &SealedObject,
) -> Result<(AssetId, VersionId)> {
    let delivery = Delivery {
        production_id: upload.production_id,
        person_id: upload.person_id,
        file_name: upload.file_name.as_deref().filter(|name| !name.is_empty()).unwrap_or("Untitled"),
        media_type: upload.media_type.as_deref().unwrap_or("application/octet-stream"),
        original: object,
    };
    versions::insert_asset(connection, delivery)
}

fn asset_act(
    connection: &mut PgConnection,
    upload: &Upload,
    asset: AssetId,
    object: &SealedObject,
) -> Result<Act> {
    #[derive(serde::Serialize)]
    struct Delivered<'a> {
        file_name: Option<&'a str>,
        size_bytes: u64,
        sha256: &'a str,
        upload_id: UploadId,
    }
    let organisation: Uuid = productions::table
        .find(upload.production_id.0)
        .select(productions::organisation_id)
        .first(connection)?;
    let delivered = Delivered {
        file_name: upload.file_name.as_deref(),
        size_bytes: object.size_bytes,
        sha256: &object.sha256,
        upload_id: upload.id,
    };
    Ok(Act::new("asset.created", "asset", asset, upload.file_name.as_deref().unwrap_or("Untitled"))
        .in_organisation(organisation.into())
        .in_production(upload.production_id)
        .after(delivered))
}

fn discard_parts(connection: &mut PgConnection, parts: &[UploadId]) -> Result<()> {
    let ids: Vec<Uuid> = parts.iter().map(|id| id.0).collect();
    let objects: Vec<Uuid> = diesel::delete(uploads::table.filter(uploads::id.eq_any(ids)))
        .returning(uploads::object_id)
        .get_results(connection)?;
    objects::orphan(connection, &objects, Utc::now())
}

/// Makes the caller's process the writer of a concatenation that nobody works on, if there is one:
/// of that upload, or of any.
///
/// # Errors
/// The database's.
pub fn claim_concatenation(
    connection: &mut PgConnection,
    id: Option<UploadId>,
    writer: &str,
) -> Result<Option<Upload>, UploadError> {
    connection.transaction(|connection| {
        let row: Option<Row> = uploads::table
            .filter(uploads::concatenation.eq("final"))
            .filter(uploads::state.eq("receiving"))
            .filter(uploads::writer_seen_at.is_null().or(uploads::writer_seen_at.lt(lease_start())))
            .filter(uploads::id.nullable().eq(id.map(|id| id.0)).or(id.is_none().into_sql::<Bool>()))
            .select(UPLOAD)
            .for_update()
            .skip_locked()
            .first(connection)
            .optional()?;
        row.map(|row| take(connection, &read(row)?, None, writer)).transpose()
    })
}

/// The parts of a concatenation in their order. No permission is asked for here: it was when the
/// concatenation was made.
///
/// # Errors
/// [`UploadError::NotAPart`] if one has gone.
pub fn list_parts(connection: &mut PgConnection, parts: &[UploadId]) -> Result<Vec<Upload>, UploadError> {
    parts
        .iter()
        .map(|id| {
            let row: Option<Row> = uploads::table.find(id.0).select(UPLOAD).first(connection).optional()?;
            Ok(read(row.ok_or(UploadError::NotAPart(*id))?)?)
        })
        .collect()
}
