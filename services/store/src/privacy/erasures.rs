//! The list of erasures: what was erased, without saying whom. Rows are only added.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use kinora_core::{ErasureId, OrganisationId, PersonId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::erasure::{Done, erase, sweep};
use super::held::{self, Extent};
use crate::audit::Origin;
use crate::schema::{erasures, people};
use crate::{Result, StoreError};

/// How long after an erasure it is looked for what was written meanwhile.
const SWEPT: TimeDelta = TimeDelta::hours(24);

/// Who asked for an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskedBy {
    /// The person.
    Person,
    /// An administrator of an organisation.
    Organisation,
    /// The operator of the installation.
    Operator,
}

impl AskedBy {
    /// The name in the database and the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Organisation => "organisation",
            Self::Operator => "operator",
        }
    }

    fn from_name(name: &str) -> Result<Self> {
        [Self::Person, Self::Organisation, Self::Operator]
            .into_iter()
            .find(|who| who.name() == name)
            .ok_or_else(|| StoreError::NotUnderstood(format!("who asked for an erasure: '{name}'")))
    }
}

/// What was erased, when, and what was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Its id.
    pub id: ErasureId,
    /// The opaque id of the person.
    pub person_id: PersonId,
    /// The organisation whose part alone was erased; none: the whole account.
    pub organisation_id: Option<OrganisationId>,
    /// The opaque id that stands in place of the person.
    pub stands_for: PersonId,
    /// Who asked for it.
    pub asked_by: AskedBy,
    /// When.
    pub erased_at: DateTime<Utc>,
    /// What was done with how many rows of which tables.
    pub report: Vec<Done>,
}

type Row = (Uuid, Uuid, Option<Uuid>, Uuid, String, DateTime<Utc>, serde_json::Value);

type Columns = (
    erasures::id,
    erasures::person_id,
    erasures::organisation_id,
    erasures::stands_for,
    erasures::asked_by,
    erasures::erased_at,
    erasures::report,
);

const COLUMNS: Columns = (
    erasures::id,
    erasures::person_id,
    erasures::organisation_id,
    erasures::stands_for,
    erasures::asked_by,
    erasures::erased_at,
    erasures::report,
);

fn read((id, person, organisation, stands_for, asked_by, erased_at, report): Row) -> Result<Erasure> {
    let report =
        serde_json::from_value(report).map_err(|error| StoreError::NotUnderstood(error.to_string()))?;
    Ok(Erasure {
        id: ErasureId(id),
        person_id: PersonId(person),
        organisation_id: organisation.map(OrganisationId),
        stands_for: PersonId(stands_for),
        asked_by: AskedBy::from_name(&asked_by)?,
        erased_at,
        report,
    })
}

/// Puts an erasure into the list; administrators of the organisations in `told_to` see its report.
pub(super) fn insert(connection: &mut PgConnection, erasure: &Erasure, told_to: &[Uuid]) -> Result<()> {
    let report = serde_json::to_value(&erasure.report)
        .map_err(|error| StoreError::NotUnderstood(error.to_string()))?;
    diesel::sql_query(
        "INSERT INTO erasures (id, person_id, organisation_id, stands_for, asked_by, told_to, erased_at, report) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind::<SqlUuid, _>(erasure.id.0)
    .bind::<SqlUuid, _>(erasure.person_id.0)
    .bind::<Nullable<SqlUuid>, _>(erasure.organisation_id.map(Uuid::from))
    .bind::<SqlUuid, _>(erasure.stands_for.0)
    .bind::<Text, _>(erasure.asked_by.name())
    .bind::<Array<SqlUuid>, _>(told_to)
    .bind::<Timestamptz, _>(erasure.erased_at)
    .bind::<Jsonb, _>(report)
    .execute(connection)?;
    Ok(())
}

/// The erasures that an organisation is told of, newest first, those before `before`.
///
/// # Errors
/// If the database fails.
pub fn list(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Erasure>> {
    let mut query = erasures::table
        .filter(erasures::told_to.contains(vec![organisation.0]))
        .order(erasures::id.desc())
        .limit(limit)
        .select(COLUMNS)
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(erasures::id.lt(before));
    }
    let rows: Vec<Row> = query.load(connection)?;
    rows.into_iter().map(read).collect()
}

/// An erasure that an organisation is told of.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find(connection: &mut PgConnection, organisation: OrganisationId, id: ErasureId) -> Result<Erasure> {
    let row: Row = erasures::table
        .find(id.0)
        .filter(erasures::told_to.contains(vec![organisation.0]))
        .select(COLUMNS)
        .first(connection)?;
    read(row)
}

/// The whole list, oldest first: to be kept where a restore does not reach.
///
/// # Errors
/// If the database fails.
pub fn list_all(connection: &mut PgConnection) -> Result<Vec<Erasure>> {
    let rows: Vec<Row> = erasures::table.order(erasures::id).select(COLUMNS).load(connection)?;
    rows.into_iter().map(read).collect()
}

/// What repeating came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repeated {
    /// People who were erased again.
    pub erased: usize,
    /// Erasures that still hold.
    pub held: usize,
}

/// Erases again whoever is in the list and not erased in this database: after a backup was restored. `list` is what
/// [`list_all`] gave before; each erasure is a transaction of its own.
///
/// # Errors
/// If the database fails, or an erasure is refused.
pub fn repeat(connection: &mut PgConnection, origin: &Origin, list: &[Erasure]) -> Result<Repeated> {
    let mut repeated = Repeated::default();
    for erasure in list {
        let is_done = connection.transaction(|connection| match due(connection, erasure)? {
            Some(extent) => {
                erase(connection, origin, (erasure.person_id, extent), erasure.asked_by).map(|_| true)
            }
            None => Ok::<_, StoreError>(false),
        })?;
        if is_done {
            repeated.erased += 1;
        } else {
            repeated.held += 1;
        }
    }
    Ok(repeated)
}

/// What is to be erased again. An organisation's part only if this database does not know of the erasure: the person
/// may have come back since.
fn due(connection: &mut PgConnection, erasure: &Erasure) -> Result<Option<Extent>> {
    let lives: Option<Uuid> = people::table
        .find(erasure.person_id.0)
        .filter(people::erased_at.is_null())
        .select(people::id)
        .first(connection)
        .optional()?;
    if lives.is_none() {
        return Ok(None);
    }
    let Some(organisation) = erasure.organisation_id else { return Ok(Some(Extent::Whole)) };
    let is_known: bool =
        diesel::select(diesel::dsl::exists(erasures::table.find(erasure.id.0))).get_result(connection)?;
    match held::find(connection, organisation, erasure.person_id) {
        Ok(_) if !is_known => Ok(Some(Extent::Organisation(organisation))),
        Ok(_) | Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Looks once more at those who were erased within the last day: a request of theirs may have been under way, and have
/// left something. Gives how many rows it were.
///
/// # Errors
/// If the database fails.
pub fn sweep_recent(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<i64> {
    let rows: Vec<Row> = erasures::table
        .filter(erasures::erased_at.gt(now - SWEPT))
        .filter(erasures::organisation_id.is_null())
        .select(COLUMNS)
        .load(connection)?;
    let mut swept = 0;
    for row in rows {
        let erasure = read(row)?;
        swept += connection
            .transaction(|connection| sweep(connection, &Origin::system("application"), &erasure))?;
    }
    Ok(swept)
}
