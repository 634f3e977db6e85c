//! Versions: the delivered files of an asset, and what was made of them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::object::SealedObject;
use kinora_core::permission::ModuleRole;
use kinora_core::step::DerivativeKind;
use kinora_core::technical::{Analysis, Technical};
use kinora_core::{AssetId, ObjectId, PersonId, ProductionId, VersionId};
use serde::Serialize;
use uuid::Uuid;

use crate::columns::{ByName, Json};
use crate::principals::Principal;
use crate::schema::{assets, derivatives, objects as object_rows, versions};
use crate::{Result, StoreError, objects};

/// One delivered file of an asset.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Version {
    /// Its id.
    pub id: VersionId,
    /// Counts from 1 within the asset.
    pub number: i32,
    /// The file's name as it was delivered.
    pub file_name: String,
    /// The media type as it was delivered or guessed.
    pub media_type: String,
    /// Bytes of the original.
    pub size_bytes: i64,
    /// SHA-256 of the original, lower-case hexadecimal.
    pub sha256: String,
    /// What the probe found.
    pub technical: Option<Technical>,
    /// What the decoding pass measured.
    pub analysis: Option<Analysis>,
    /// What was not right about the file, in the user's words.
    pub warnings: Vec<String>,
    /// When it was delivered.
    #[serde(serialize_with = "crate::instant::serialize")]
    pub created_at: DateTime<Utc>,
}

/// Something that was made of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Derivative {
    /// What it is.
    pub kind: DerivativeKind,
    /// Its media type.
    pub media_type: String,
    /// Its size.
    pub size_bytes: i64,
}

type VersionRow = (
    (Uuid, i32, String, String, i64, String),
    (Option<Json<Technical>>, Option<Json<Analysis>>, Json<Vec<String>>, DateTime<Utc>),
);

/// A version by its id. No permission is asked for here: the caller comes by way of an asset.
///
/// # Errors
/// [`StoreError::NotFound`]; else the database's.
pub(crate) fn find(connection: &mut PgConnection, id: VersionId) -> Result<Version> {
    let (file, found): VersionRow = versions::table
        .find(id.0)
        .select((
            (
                versions::id,
                versions::number,
                versions::file_name,
                versions::media_type,
                versions::size_bytes,
                versions::sha256,
            ),
            (versions::technical, versions::analysis, versions::warnings, versions::created_at),
        ))
        .first(connection)?;
    Ok(Version {
        id: VersionId(file.0),
        number: file.1,
        file_name: file.2,
        media_type: file.3,
        size_bytes: file.4,
        sha256: file.5,
        technical: found.0.map(|json| json.0),
        analysis: found.1.map(|json| json.0),
        warnings: found.2.0,
        created_at: found.3,
    })
}

/// What was made of a version.
///
/// # Errors
/// The database's.
pub(crate) fn list_derivatives(connection: &mut PgConnection, id: VersionId) -> Result<Vec<Derivative>> {
    let rows: Vec<(ByName<DerivativeKind>, String, i64)> = derivatives::table
        .inner_join(object_rows::table)
        .filter(derivatives::version_id.eq(id.0))
        .order(derivatives::kind)
        .select((derivatives::kind, derivatives::media_type, object_rows::size_bytes))
        .load(connection)?;
    Ok(rows
        .into_iter()
        .map(|(kind, media_type, size_bytes)| Derivative { kind: kind.0, media_type, size_bytes })
        .collect())
}

/// A file of an asset that is to be read from the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetFile {
    /// How to read it.
    pub object: SealedObject,
    /// For `Content-Type`.
    pub media_type: String,
    /// The delivered file's name; derivatives are named after it.
    pub file_name: String,
    /// The production, for logs.
    pub production_id: ProductionId,
}

/// The original (`kind` none) or a derivative of an asset's current version, for readers of the library.
///
/// # Errors
/// [`StoreError::NotFound`] if the caller may not see the asset, or there is no such derivative;
/// [`StoreError::Forbidden`] for an original under support access that does not include them.
pub fn find_file(
    connection: &mut PgConnection,
    caller: &Principal,
    asset: AssetId,
    kind: Option<DerivativeKind>,
) -> Result<AssetFile> {
    let asset = crate::assets::find(connection, caller, asset, ModuleRole::Reader, false)?;
    let support = caller.under_support(asset.production_id);
    if kind.is_none() && support.is_some_and(|support| !support.originals) {
        return Err(StoreError::Forbidden);
    }
    let version = asset.version_id.ok_or(StoreError::NotFound)?;
    let (file_name, original_type, original): (String, String, Uuid) = versions::table
        .find(version.0)
        .select((versions::file_name, versions::media_type, versions::original_object_id))
        .first(connection)?;
    let (media_type, object) = match kind {
        None => (original_type, original),
        Some(kind) => derivatives::table
            .find((version.0, kind.name()))
            .select((derivatives::media_type, derivatives::object_id))
            .first(connection)?,
    };
    let object = objects::find(connection, ObjectId(object))?;
    Ok(AssetFile { object, media_type, file_name, production_id: asset.production_id })
}

/// A delivered file that becomes a new asset.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// The production it was delivered to.
    pub production_id: ProductionId,
    /// Who delivered it.
    pub person_id: PersonId,
    /// The file's name as it was sent; also the asset's name at first.
    pub file_name: &'a str,
    /// Its media type.
    pub media_type: &'a str,
    /// The bytes, durable in the vault.
    pub original: &'a SealedObject,
}

/// Makes an asset with its first version out of a delivered file. The run, the event
/// ([`crate::assets::announce`]) and the audit row are the caller's, in the same transaction.
///
/// # Errors
/// The database's.
pub fn insert_asset(connection: &mut PgConnection, delivery: Delivery<'_>) -> Result<(AssetId, VersionId)> {
    let (asset, version) = (AssetId::new(), VersionId::new());
    objects::insert(connection, delivery.production_id, delivery.original)?;
    let size_bytes = i64::try_from(delivery.original.size_bytes)
        .map_err(|_| StoreError::NotUnderstood("a size over 8 EiB".to_owned()))?;
    diesel::insert_into(assets::table)
        .values((
            assets::id.eq(asset.0),
            assets::production_id.eq(delivery.production_id.0),
            assets::name.eq(asset_name(delivery.file_name)),
            assets::status.eq("processing"),
            assets::current_version.eq(version.0),
            assets::size_bytes.eq(size_bytes),
            assets::created_by.eq(delivery.person_id.0),
        ))
        .execute(connection)?;
    diesel::insert_into(versions::table)
        .values((
            versions::id.eq(version.0),
            versions::asset_id.eq(asset.0),
            versions::production_id.eq(delivery.production_id.0),
            versions::number.eq(1),
            versions::file_name.eq(delivery.file_name),
            versions::media_type.eq(delivery.media_type),
            versions::original_object_id.eq(delivery.original.id.0),
            versions::size_bytes.eq(size_bytes),
            versions::sha256.eq(&delivery.original.sha256),
            versions::created_by.eq(delivery.person_id.0),
        ))
        .execute(connection)?;
    Ok((asset, version))
}

/// The name of an asset made from a file of that name: the same, but never empty or endless.
fn asset_name(file_name: &str) -> String {
    const LONGEST_CHARS: usize = 1000;
    if file_name.is_empty() { "Untitled".to_owned() } else { file_name.chars().take(LONGEST_CHARS).collect() }
}
