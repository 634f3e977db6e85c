//! The list of a production's assets: filters, orders, and pages that stay correct while others
//! add assets.
//!
//! A page begins right after the last row of the page before, by the values of that row and not by
//! counting, and every order ends with the id. So a row that is there all the time is shown exactly
//! once, whatever comes and goes meanwhile. This is the busiest query of all; its statement is
//! written by hand so that PostgreSQL only walks a range of one index (see the test of its plans)
//! and diesel keeps it prepared.

use chrono::{DateTime, Utc};
use diesel::connection::{DefaultLoadingMode, LoadConnection};
use diesel::deserialize::FromSqlRow;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::row::Row;
use diesel::sql_types::{BigInt, Text, Timestamptz, Uuid as SqlUuid};
use kinora_core::asset::{AssetKind, AssetStatus};
use kinora_core::permission::{Module, ModuleRole};
use kinora_core::{AssetId, ProductionId};
use serde::{Deserialize, Serialize};

use crate::assets::{Asset, COLUMNS, SqlColumns};
use crate::principals::Principal;
use crate::wire::{self, Form};
use crate::{Result, StoreError};

/// What the list is ordered by; the id decides between equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SortBy {
    /// When the asset was added.
    Created,
    /// Its name, without regard to case.
    Name,
    /// Bytes of its current version.
    Size,
    /// Its length; assets without one come before all others.
    Duration,
}

impl SortBy {
    /// The indexed expression.
    fn expression(self) -> &'static str {
        match self {
            Self::Created => "a.created_at",
            Self::Name => "lower(a.name)",
            Self::Size => "a.size_bytes",
            Self::Duration => "coalesce(a.duration_us, -1)",
        }
    }

    /// Where `asset` stands in this order.
    fn position(self, asset: &Asset) -> Position {
        let key = match self {
            Self::Created => Key::Instant(asset.created_at),
            Self::Name => Key::Text(asset.name.clone()),
            Self::Size => Key::Number(asset.size_bytes),
            Self::Duration => Key::Number(asset.duration_us.unwrap_or(-1)),
        };
        Position { key, id: asset.id }
    }
}

/// The value of a row that it is ordered by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Key {
    /// For [`SortBy::Created`].
    Instant(DateTime<Utc>),
    /// For [`SortBy::Name`]: the name as it is.
    Text(String),
    /// For [`SortBy::Size`] and [`SortBy::Duration`].
    Number(i64),
}

/// A place between two rows of the list: right after the row with these values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// What the row is ordered by.
    pub key: Key,
    /// The row's id.
    pub id: AssetId,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The production.
    pub production_id: ProductionId,
    /// Only assets that stand there.
    pub status: Option<AssetStatus>,
    /// Only assets of this kind.
    pub kind: Option<AssetKind>,
    /// Only assets whose name contains this, without regard to case.
    pub name_contains: Option<String>,
    /// The order.
    pub sort_by: SortBy,
    /// From the largest to the smallest.
    pub descending: bool,
    /// Begin right after this place; none: at the beginning. Its key must be of the order's type.
    pub after: Option<Position>,
    /// At most so many rows.
    pub limit: usize,
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The rows.
    pub items: Vec<Asset>,
    /// Where the next page begins, if there is one.
    pub next: Option<Position>,
}

/// A page of a production's assets, for readers of its library.
///
/// # Errors
/// [`crate::StoreError::NotFound`] if the caller may not see the library; else the database's.
pub fn list(connection: &mut PgConnection, caller: &Principal, listing: &Listing) -> Result<Page> {
    caller.require(listing.production_id, Module::Library, ModuleRole::Reader)?;
    let mut items: Vec<Asset> = Statement::new(listing).load(connection)?;
    let next = if items.len() > listing.limit {
        items.truncate(listing.limit);
        items.last().map(|last| listing.sort_by.position(last))
    } else {
        None
    };
    Ok(Page { items, next })
}

/// The members of an [`Asset`] in JSON, in the order of [`COLUMNS`].
const MEMBERS: [(&str, Form); 13] = [
    ("id", Form::Id),
    ("production_id", Form::Id),
    ("name", Form::Text),
    ("kind", Form::Name(|name| AssetKind::from_name(name).is_some())),
    ("status", Form::Name(|name| AssetStatus::from_name(name).is_some())),
    ("failure", Form::Failure),
    ("version_id", Form::Id),
    ("size_bytes", Form::Number),
    ("duration_us", Form::Number),
    ("created_by", Form::Id),
    ("created_at", Form::Instant),
    ("updated_at", Form::Instant),
    ("revision", Form::Number),
];

/// The same page as [`list`], appended to `json` as an array; gives where the next one begins.
///
/// For answers, which are nearly all of the calls: the rows go from the connection's buffer into the
/// answer's without becoming [`Asset`]s in between, which took most of the time of a request.
///
/// # Errors
/// As [`list`].
pub fn write(
    connection: &mut PgConnection,
    caller: &Principal,
    listing: &Listing,
    json: &mut Vec<u8>,
) -> Result<Option<Position>> {
    caller.require(listing.production_id, Module::Library, ModuleRole::Reader)?;
    let rows = LoadConnection::<DefaultLoadingMode>::load(connection, Statement::new(listing))?;
    json.push(b'[');
    let mut last = None;
    let mut next = None;
    for (index, row) in rows.enumerate() {
        if index == listing.limit {
            next = last.as_ref().map(|last| position_of(listing.sort_by, last)).transpose()?;
            break;
        }
        let row = row?;
        if index > 0 {
            json.push(b',');
        }
        wire::write(&row, &MEMBERS, json)?;
        last = Some(row);
    }
    json.push(b']');
    Ok(next)
}

/// Where the asset in `row` stands in this order.
fn position_of<'a>(sort_by: SortBy, row: &impl Row<'a, Pg>) -> Result<Position> {
    let asset = <Asset as FromSqlRow<SqlColumns, Pg>>::build_from_row(row);
    Ok(sort_by.position(&asset.map_err(|error| StoreError::NotUnderstood(error.to_string()))?))
}

/// How PostgreSQL executes the statement of [`list`], a line of text each; for tests and support.
/// Executes it, too.
///
/// # Errors
/// The database's.
pub fn explain(connection: &mut PgConnection, listing: &Listing) -> Result<Vec<String>> {
    Ok(Explained(Statement::new(listing)).load(connection)?)
}

struct Explained<'a>(Statement<'a>);

impl QueryId for Explained<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Explained<'_> {
    type SqlType = Text;
}

impl RunQueryDsl<PgConnection> for Explained<'_> {}

impl QueryFragment<Pg> for Explained<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ");
        self.0.walk_ast(out.reborrow())
    }
}

struct Statement<'a> {
    listing: &'a Listing,
    status: Option<&'static str>,
    kind: Option<&'static str>,
    limit: i64,
}

impl<'a> Statement<'a> {
    fn new(listing: &'a Listing) -> Self {
        Self {
            listing,
            status: listing.status.map(AssetStatus::name),
            kind: listing.kind.map(AssetKind::name),
            // One row more than asked for tells whether there is another page.
            limit: i64::try_from(listing.limit).unwrap_or(i64::MAX).saturating_add(1),
        }
    }
}

impl QueryId for Statement<'_> {
    type QueryId = ();
    // The text depends on what is asked for; diesel keeps one prepared statement for each text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement<'_> {
    type SqlType = SqlColumns;
}

impl RunQueryDsl<PgConnection> for Statement<'_> {}

impl QueryFragment<Pg> for Statement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let listing = self.listing;
        out.push_sql("SELECT ");
        out.push_sql(COLUMNS);
        out.push_sql(" FROM assets a WHERE a.removed_at IS NULL AND a.production_id = ");
        out.push_bind_param::<SqlUuid, _>(&listing.production_id.0)?;
        if let Some(status) = &self.status {
            out.push_sql(" AND a.status = ");
            out.push_bind_param::<Text, _>(status)?;
        }
        if let Some(kind) = &self.kind {
            out.push_sql(" AND a.kind = ");
            out.push_bind_param::<Text, _>(kind)?;
        }
        if let Some(text) = &listing.name_contains {
            // strpos and not LIKE: nothing in the text has a meaning of its own.
            out.push_sql(" AND strpos(lower(a.name), lower(");
            out.push_bind_param::<Text, _>(text)?;
            out.push_sql(")) > 0");
        }
        let expression = listing.sort_by.expression();
        if let Some(position) = &listing.after {
            out.push_sql(" AND (");
            out.push_sql(expression);
            out.push_sql(if listing.descending { ", a.id) < (" } else { ", a.id) > (" });
            match &position.key {
                Key::Instant(instant) => out.push_bind_param::<Timestamptz, _>(instant)?,
                Key::Text(text) => {
                    out.push_sql("lower(");
                    out.push_bind_param::<Text, _>(text)?;
                    out.push_sql(")");
                }
                Key::Number(number) => out.push_bind_param::<BigInt, _>(number)?,
            }
            out.push_sql(", ");
            out.push_bind_param::<SqlUuid, _>(&position.id.0)?;
            out.push_sql(")");
        }
        let direction = if listing.descending { " DESC" } else { "" };
        for part in [" ORDER BY ", expression, direction, ", a.id", direction, " LIMIT "] {
            out.push_sql(part);
        }
        out.push_bind_param::<BigInt, _>(&self.limit)
    }
}
