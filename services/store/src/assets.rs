//! Assets: the things in the library of a production. Finding, renaming, removing.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::deserialize::{self, Queryable};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use kinora_core::asset::{AssetKind, AssetStatus};
use kinora_core::permission::{Module, ModuleRole};
use kinora_core::{AssetId, Failure, PersonId, ProductionId, VersionId};
use serde::Serialize;
use uuid::Uuid;

use crate::audit::{self, Act, Origin};
use crate::columns::{ByName, Json};
use crate::events::{self, EventKind};
use crate::principals::Principal;
use crate::schema::{assets, derivatives, organisation_members, people, productions, runs, versions};
use crate::versions::{Derivative, Version};
use crate::{Result, StoreError, objects};

/// How long the objects of a removed asset are still kept for those who are just reading them.
const REMOVAL_DELAY: TimeDelta = TimeDelta::hours(1);

/// An asset as in the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Asset {
    /// Its id.
    pub id: AssetId,
    /// The production it belongs to.
    pub production_id: ProductionId,
    /// Its name; the file's name until somebody renames it.
    pub name: String,
    /// What kind of thing it is.
    pub kind: AssetKind,
    /// Where it stands.
    pub status: AssetStatus,
    /// Why its ingest failed, if it did. In lists without the technical detail.
    pub failure: Option<Failure>,
    /// Its current version.
    pub version_id: Option<VersionId>,
    /// Bytes of the current version's original.
    pub size_bytes: i64,
    /// Length in microseconds; null for stills and until it is known.
    pub duration_us: Option<i64>,
    /// Who added it, if that person still exists.
    pub created_by: Option<PersonId>,
    /// When it was added.
    #[serde(serialize_with = "crate::instant::serialize")]
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    #[serde(serialize_with = "crate::instant::serialize")]
    pub updated_at: DateTime<Utc>,
    /// Counts the changes; the ETag.
    pub revision: i64,
}

/// The columns of [`Asset`], in its order, for statements written by hand.
pub(crate) const COLUMNS: &str = "a.id, a.production_id, a.name, a.kind, a.status, a.failure - 'detail', \
     a.current_version, a.size_bytes, a.duration_us, a.created_by, a.created_at, a.updated_at, a.revision";

/// The types of [`COLUMNS`].
pub(crate) type SqlColumns = (
    SqlUuid,
    SqlUuid,
    Text,
    Text,
    Text,
    Nullable<Jsonb>,
    Nullable<SqlUuid>,
    BigInt,
    Nullable<BigInt>,
    Nullable<SqlUuid>,
    Timestamptz,
    Timestamptz,
    BigInt,
);

impl Queryable<SqlColumns, Pg> for Asset {
    type Row = (
        Uuid,
        Uuid,
        String,
        ByName<AssetKind>,
        ByName<AssetStatus>,
        Option<Json<Failure>>,
        Option<Uuid>,
        i64,
        Option<i64>,
        Option<Uuid>,
        DateTime<Utc>,
        DateTime<Utc>,
        i64,
    );

    fn build(row: Self::Row) -> deserialize::Result<Self> {
        Ok(Self {
            id: AssetId(row.0),
            production_id: ProductionId(row.1),
            name: row.2,
            kind: row.3.0,
            status: row.4.0,
            failure: row.5.map(|failure| failure.0),
            version_id: row.6.map(VersionId),
            size_bytes: row.7,
            duration_us: row.8,
            created_by: row.9.map(PersonId),
            created_at: row.10,
            updated_at: row.11,
            revision: row.12,
        })
    }
}

/// The columns of [`Asset`] for diesel's own statements.
type Columns = (
    assets::id,
    assets::production_id,
    assets::name,
    assets::kind,
    assets::status,
    assets::failure,
    assets::current_version,
    assets::size_bytes,
    assets::duration_us,
    assets::created_by,
    assets::created_at,
    assets::updated_at,
    assets::revision,
);

const ASSET: Columns = (
    assets::id,
    assets::production_id,
    assets::name,
    assets::kind,
    assets::status,
    assets::failure,
    assets::current_version,
    assets::size_bytes,
    assets::duration_us,
    assets::created_by,
    assets::created_at,
    assets::updated_at,
    assets::revision,
);

/// An asset with everything that is known about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AssetDetail {
    /// The asset as in the list, here with the technical detail of its failure.
    #[serde(flatten)]
    pub asset: Asset,
    /// The name of who added it, if that person still exists.
    pub created_by_name: Option<String>,
    /// Whether that person does not belong to the organisation that owns the production.
    pub created_by_guest: bool,
    /// The version that plays.
    pub version: Option<Version>,
    /// What was made of that version.
    pub derivatives: Vec<Derivative>,
}

/// An asset that exists and that the caller may do this to. With `lock`, nobody changes it until the
/// transaction ends.
///
/// # Errors
/// [`StoreError::NotFound`] and [`StoreError::Forbidden`], as the caller's role in the library says.
pub fn find(
    connection: &mut PgConnection,
    caller: &Principal,
    id: AssetId,
    least: ModuleRole,
    lock: bool,
) -> Result<Asset> {
    let query = assets::table.find(id.0).filter(assets::removed_at.is_null()).select(ASSET);
    let asset: Asset = if lock { query.for_update().first(connection)? } else { query.first(connection)? };
    caller.require(asset.production_id, Module::Library, least)?;
    Ok(asset)
}

/// An asset with its current version and what was made of it, for readers of the library.
///
/// # Errors
/// [`StoreError::NotFound`]; else the database's.
pub fn find_detail(connection: &mut PgConnection, caller: &Principal, id: AssetId) -> Result<AssetDetail> {
    let asset = find(connection, caller, id, ModuleRole::Reader, false)?;
    let maker = match asset.created_by {
        Some(person) => find_maker(connection, asset.production_id, person)?,
        None => None,
    };
    let created_by_guest = maker.as_ref().is_some_and(|(_, is_guest)| *is_guest);
    let created_by_name = maker.map(|(name, _)| name);
    let (version, derivatives) = match asset.version_id {
        Some(id) => {
            (Some(crate::versions::find(connection, id)?), crate::versions::list_derivatives(connection, id)?)
        }
        None => (None, Vec::new()),
    };
    Ok(AssetDetail { asset, created_by_name, created_by_guest, version, derivatives })
}

/// The name of a person, and whether they are a guest in this production.
fn find_maker(
    connection: &mut PgConnection,
    production: ProductionId,
    person: PersonId,
) -> Result<Option<(String, bool)>> {
    let name: Option<String> =
        people::table.find(person.0).select(people::display_name).first(connection).optional()?;
    let Some(name) = name else { return Ok(None) };
    let owner = productions::table.find(production.0).select(productions::organisation_id);
    let places: i64 = organisation_members::table
        .filter(organisation_members::person_id.eq(person.0))
        .filter(organisation_members::organisation_id.eq_any(owner))
        .count()
        .get_result(connection)?;
    Ok(Some((name, places == 0 && !crate::service_accounts::is_one(connection, person.0)?)))
}

/// Records the event that an asset is new or has changed. For whoever changes an asset row; call it
/// after the change.
///
/// # Errors
/// [`StoreError::NotFound`] if there is no such asset; else the database's.
pub fn announce(connection: &mut PgConnection, id: AssetId) -> Result<()> {
    let found: Option<Asset> = assets::table
        .find(id.0)
        .filter(assets::removed_at.is_null())
        .select(ASSET)
        .first(connection)
        .optional()?;
    // Of a removed asset nobody wants to hear any more.
    let Some(mut asset) = found else { return Ok(()) };
    if let Some(failure) = &mut asset.failure {
        failure.detail = None;
    }
    events::record(connection, asset.production_id, EventKind::Asset, &asset)?;
    Ok(())
}

/// Renames an asset, for editors of the library. `is_expected` says whether the stored revision is one
/// that the caller has seen. Without a transaction around it, it makes one.
///
/// # Errors
/// [`StoreError::NotFound`], [`StoreError::Forbidden`], [`StoreError::RevisionMismatch`].
pub fn rename(
    connection: &mut PgConnection,
    caller: &Principal,
    origin: &Origin,
    id: AssetId,
    is_expected: impl FnOnce(i64) -> bool,
    name: &str,
) -> Result<AssetDetail> {
    connection.transaction(|connection| {
        let asset = find(connection, caller, id, ModuleRole::Editor, true)?;
        if !is_expected(asset.revision) {
            return Err(StoreError::RevisionMismatch { current: asset.revision });
        }
        if asset.name != name {
            diesel::update(assets::table.find(id.0))
                .set((
                    assets::name.eq(name),
                    assets::updated_at.eq(Utc::now()),
                    assets::revision.eq(assets::revision + 1),
                ))
                .execute(connection)?;
            announce(connection, id)?;
            let act = act(connection, "asset.renamed", &asset)?;
            audit::record(connection, origin, act.before(Named { name: &asset.name }).after(Named { name }))?;
        }
        find_detail(connection, caller, id)
    })
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
}

/// Removes an asset, for managers of the library: it is invisible at once, its runs are cancelled,
/// its objects are removed a while later. `is_expected` as in [`rename`]. Without a transaction around
/// it, it makes one.
///
/// # Errors
/// [`StoreError::NotFound`], [`StoreError::Forbidden`], [`StoreError::RevisionMismatch`].
pub fn remove(
    connection: &mut PgConnection,
    caller: &Principal,
    origin: &Origin,
    id: AssetId,
    is_expected: impl FnOnce(i64) -> bool,
) -> Result<()> {
    connection.transaction(|connection| {
        // Runs are locked before their asset, as whoever applies the result of a step does it.
        let _: Vec<Uuid> = runs::table
            .filter(runs::asset_id.eq(id.0))
            .order(runs::id)
            .select(runs::id)
            .for_update()
            .load(connection)?;
        let asset = find(connection, caller, id, ModuleRole::Manager, true)?;
        if !is_expected(asset.revision) {
            return Err(StoreError::RevisionMismatch { current: asset.revision });
        }
        let now = Utc::now();
        diesel::update(assets::table.find(id.0))
            .set((
                assets::removed_at.eq(now),
                assets::updated_at.eq(now),
                assets::revision.eq(assets::revision + 1),
            ))
            .execute(connection)?;
        cancel_runs(connection, id, now)?;
        let objects = objects_of(connection, id)?;
        objects::orphan(connection, &objects, now + REMOVAL_DELAY)?;
        events::record(connection, asset.production_id, EventKind::AssetRemoved, &Removed { id })?;
        let act = act(connection, "asset.removed", &asset)?;
        audit::record(connection, origin, act.before(Named { name: &asset.name }))
    })
}

#[derive(Serialize)]
struct Removed {
    id: AssetId,
}

fn cancel_runs(connection: &mut PgConnection, id: AssetId, now: DateTime<Utc>) -> Result<()> {
    let cancelled = diesel::update(runs::table)
        .filter(runs::asset_id.eq(id.0))
        .filter(runs::state.eq("active"))
        .filter(runs::cancel_requested_at.is_null())
        .set(runs::cancel_requested_at.eq(now))
        .execute(connection)?;
    if cancelled > 0 {
        crate::notify::notify(connection, crate::notify::WORK_CHANNEL, "")?;
    }
    Ok(())
}

/// All objects that belong to an asset: the originals and derivatives of all its versions.
fn objects_of(connection: &mut PgConnection, id: AssetId) -> Result<Vec<Uuid>> {
    let mut objects: Vec<Uuid> = versions::table
        .filter(versions::asset_id.eq(id.0))
        .select(versions::original_object_id)
        .load(connection)?;
    let made: Vec<Uuid> = derivatives::table
        .inner_join(versions::table)
        .filter(versions::asset_id.eq(id.0))
        .select(derivatives::object_id)
        .load(connection)?;
    objects.extend(made);
    Ok(objects)
}

/// An act upon an asset, for the audit trail.
fn act(connection: &mut PgConnection, action: &'static str, asset: &Asset) -> Result<Act> {
    let organisation: Uuid = productions::table
        .find(asset.production_id.0)
        .select(productions::organisation_id)
        .first(connection)?;
    Ok(Act::new(action, "asset", asset.id, &asset.name)
        .in_organisation(organisation.into())
        .in_production(asset.production_id))
}
