//! Uploads as rows of the database.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::sql_types::{Nullable, Timestamptz};
use kinora_core::object::Segment;
use kinora_core::{AssetId, ObjectId, PersonId, ProductionId, UploadId};
use uuid::Uuid;

use crate::columns::Json;
use crate::schema::uploads;
use crate::{Result, StoreError};

/// How an upload takes part in a concatenation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concatenation {
    /// It becomes part of another one.
    Partial,
    /// It is put together from these.
    Final(Vec<UploadId>),
}

/// An upload as it is stored.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Its id.
    pub id: UploadId,
    /// The production that gets the asset.
    pub production_id: ProductionId,
    /// Who uploads; nobody else sees it.
    pub person_id: PersonId,
    /// Length of the file, if it is known already.
    pub length_bytes: Option<u64>,
    /// Durable bytes.
    pub offset_bytes: u64,
    /// `Upload-Metadata` as it was sent.
    pub metadata: String,
    /// The file's name, if it was told.
    pub file_name: Option<String>,
    /// The file's media type, if it was told.
    pub media_type: Option<String>,
    /// Whether it is part of, or put together from, others.
    pub concatenation: Option<Concatenation>,
    /// The object that is being written.
    pub object_id: ObjectId,
    /// Which master key wrapped the object's key.
    pub master_key_id: String,
    /// The object's wrapped key.
    pub wrapped_key: String,
    /// The durable segments.
    pub segments: Vec<Segment>,
    /// State of the checksum at `offset_bytes`; none before the first byte.
    pub hash_state: Option<Vec<u8>>,
    /// Counts the writers.
    pub epoch: u32,
    /// Whether all bytes are here (and, unless it is partial, the asset was made).
    pub is_complete: bool,
    /// The asset it became.
    pub asset_id: Option<AssetId>,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When it is removed if nothing happens.
    pub expires_at: DateTime<Utc>,
}

pub(super) type Row = (
    (Uuid, Uuid, Uuid, Option<i64>, i64, String, Option<String>, Option<String>),
    (Option<String>, Option<Json<Vec<UploadId>>>, Uuid, String, String, Json<Vec<Segment>>),
    (Option<Vec<u8>>, i32, String, Option<Uuid>, DateTime<Utc>, DateTime<Utc>),
);

pub(super) type Columns = (
    (
        uploads::id,
        uploads::production_id,
        uploads::person_id,
        uploads::length_bytes,
        uploads::offset_bytes,
        uploads::metadata,
        uploads::file_name,
        uploads::media_type,
    ),
    (
        uploads::concatenation,
        uploads::parts,
        uploads::object_id,
        uploads::master_key_id,
        uploads::wrapped_key,
        uploads::segments,
    ),
    (
        uploads::hash_state,
        uploads::epoch,
        uploads::state,
        uploads::asset_id,
        uploads::created_at,
        uploads::expires_at,
    ),
);

pub(super) const UPLOAD: Columns = (
    (
        uploads::id,
        uploads::production_id,
        uploads::person_id,
        uploads::length_bytes,
        uploads::offset_bytes,
        uploads::metadata,
        uploads::file_name,
        uploads::media_type,
    ),
    (
        uploads::concatenation,
        uploads::parts,
        uploads::object_id,
        uploads::master_key_id,
        uploads::wrapped_key,
        uploads::segments,
    ),
    (
        uploads::hash_state,
        uploads::epoch,
        uploads::state,
        uploads::asset_id,
        uploads::created_at,
        uploads::expires_at,
    ),
);

pub(super) fn not_understood(what: impl std::fmt::Display) -> StoreError {
    StoreError::NotUnderstood(what.to_string())
}

pub(super) fn size(column: i64) -> Result<u64> {
    u64::try_from(column).map_err(not_understood)
}

pub(super) fn size_column(size_bytes: u64) -> Result<i64> {
    i64::try_from(size_bytes).map_err(not_understood)
}

pub(super) fn epoch_column(epoch: u32) -> Result<i32> {
    i32::try_from(epoch).map_err(not_understood)
}

/// Writers seen before this instant are taken for dead ([`super::LEASE`]).
pub(super) fn lease_start() -> SqlLiteral<Nullable<Timestamptz>> {
    sql("now() - interval '3 seconds'")
}

pub(super) fn read(row: Row) -> Result<Upload> {
    let (file, object, progress) = row;
    let concatenation = match (object.0.as_deref(), object.1) {
        (None, _) => None,
        (Some("partial"), _) => Some(Concatenation::Partial),
        (Some("final"), Some(parts)) => Some(Concatenation::Final(parts.0)),
        (Some(other), _) => return Err(not_understood(format!("concatenation '{other}'"))),
    };
    Ok(Upload {
        id: UploadId(file.0),
        production_id: ProductionId(file.1),
        person_id: PersonId(file.2),
        length_bytes: file.3.map(size).transpose()?,
        offset_bytes: size(file.4)?,
        metadata: file.5,
        file_name: file.6,
        media_type: file.7,
        concatenation,
        object_id: ObjectId(object.2),
        master_key_id: object.3,
        wrapped_key: object.4,
        segments: object.5.0,
        hash_state: progress.0,
        epoch: u32::try_from(progress.1).map_err(not_understood)?,
        is_complete: progress.2 == "complete",
        asset_id: progress.3.map(AssetId),
        created_at: progress.4,
        expires_at: progress.5,
    })
}
