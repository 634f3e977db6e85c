//! What is done under support access: on record before it is answered.
//!
//! Changes leave the rows they always leave, with the mark of the grant. Reads leave rows here: one for each kind of act
//! on each thing within [`TOGETHER`], so that a clip that plays is one row a minute and not one for each range of bytes.
//! The row of the grant is locked meanwhile and looked at again: nothing that was kept in memory lets anybody in after
//! the end.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Text, Uuid as SqlUuid};
use kinora_core::mail::{MOST_SUBJECTS, SupportDeed, SupportEvent};
use kinora_core::{OrganisationId, ProductionId, SupportGrantId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{COLUMNS, letters, read_one};
use crate::audit::{self, Act, Origin};
use crate::schema::{assets, audit_rows, productions, runs, support_grants};
use crate::{Result, StoreError, organisations};

/// How long the same act on the same thing is the same row.
pub const TOGETHER: TimeDelta = TimeDelta::seconds(60);

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Lists and pictures of a production, or the list of productions.
    Browsed,
    /// All that is known of one thing, and what was made of it but the proxy.
    Viewed,
    /// The proxy of an asset.
    Played,
    /// The original of an asset.
    Downloaded,
    /// The stream of what happens in a production.
    Followed,
    /// A request that changes something, whether it succeeds or not.
    Changed,
}

impl Deed {
    /// The act in the audit trail.
    #[must_use]
    pub fn action(self) -> &'static str {
        match self {
            Self::Browsed => "support.browsed",
            Self::Viewed => "support.viewed",
            Self::Played => "support.played",
            Self::Downloaded => "support.downloaded",
            Self::Followed => "support.followed",
            Self::Changed => "support.changed",
        }
    }
}

/// To what it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// The organisation: its list of productions.
    Organisation(OrganisationId),
    /// A production.
    Production(ProductionId),
    /// Something in a production: its kind, as its ids are called in addresses, and its id.
    Part(ProductionId, &'static str, Uuid),
}

impl Thing {
    fn kind_and_id(self) -> (&'static str, Uuid) {
        match self {
            Self::Organisation(id) => ("organisation", id.0),
            Self::Production(id) => ("production", id.0),
            Self::Part(_, kind, id) => (kind, id),
        }
    }

    fn production(self) -> Option<ProductionId> {
        match self {
            Self::Organisation(_) => None,
            Self::Production(id) | Self::Part(id, ..) => Some(id),
        }
    }

    /// How people call it.
    fn name(self, connection: &mut PgConnection) -> Result<String> {
        let name: Option<String> = match self {
            Self::Organisation(id) => Some(organisations::find(connection, id)?.name),
            Self::Part(_, "asset", id) => {
                assets::table.find(id).select(assets::name).first(connection).optional()?
            }
            Self::Part(_, "run", id) => runs::table
                .inner_join(assets::table)
                .filter(runs::id.eq(id))
                .select(assets::name)
                .first(connection)
                .optional()?,
            Self::Production(id) | Self::Part(id, ..) => {
                productions::table.find(id.0).select(productions::name).first(connection).optional()?
            }
        };
        Ok(name.unwrap_or_default())
    }
}

/// A request under support access.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it does.
    pub deed: Deed,
    /// To what.
    pub thing: Thing,
    /// Its method.
    pub method: String,
    /// Its address, with names in place of ids.
    pub route: String,
}

impl Request {
    fn as_json(&self) -> Value {
        json!({ "method": self.method, "route": self.route })
    }
}

/// Puts a request on record, and tells the owners if it is the first. To be called in a transaction of its own, before
/// anything is answered; `pages` as in [`super::give`], for the organisation of the grant.
///
/// # Errors
/// [`StoreError::NotFound`] if the grant does not hold at `now`.
pub fn note(
    connection: &mut PgConnection,
    origin: &Origin,
    id: SupportGrantId,
    request: &Request,
    pages: impl FnOnce(OrganisationId) -> String,
    now: DateTime<Utc>,
) -> Result<()> {
    let row = support_grants::table.find(id.0).select(COLUMNS).for_update().first(connection)?;
    let grant = read_one(connection, row)?;
    if !grant.holds(now) {
        return Err(StoreError::NotFound);
    }
    if is_noted(connection, id, request, now)? {
        return Ok(());
    }
    if grant.first_used_at.is_none() {
        diesel::update(support_grants::table.find(id.0))
            .set(support_grants::first_used_at.eq(Some(now)))
            .execute(connection)?;
        letters::tell(connection, &grant, SupportEvent::FirstUsed, &pages(grant.organisation))?;
    }
    let (kind, subject) = request.thing.kind_and_id();
    let name = request.thing.name(connection)?;
    let act = Act::new(request.deed.action(), kind, subject, &name)
        .in_organisation(grant.organisation)
        .after(request.as_json());
    let act = match request.thing.production() {
        Some(production) => act.in_production(production),
        None => act,
    };
    audit::record(connection, &Origin { support_grant: Some(id), ..origin.clone() }, act)
}

/// Whether the same was noted a moment ago. Changes are the same only at the same address.
fn is_noted(
    connection: &mut PgConnection,
    id: SupportGrantId,
    request: &Request,
    now: DateTime<Utc>,
) -> Result<bool> {
    let (_, subject) = request.thing.kind_and_id();
    let recent = audit_rows::table
        .filter(audit_rows::support_grant_id.eq(id.0))
        .filter(audit_rows::at.gt(now - TOGETHER))
        .filter(audit_rows::action.eq(request.deed.action()))
        .filter(audit_rows::subject_id.eq(subject));
    Ok(if request.deed == Deed::Changed {
        diesel::select(exists(recent.filter(audit_rows::after.eq(request.as_json()))))
            .get_result(connection)?
    } else {
        diesel::select(exists(recent)).get_result(connection)?
    })
}

/// What was done under a grant, by act.
///
/// # Errors
/// If the database fails.
pub fn deeds(connection: &mut PgConnection, id: SupportGrantId) -> Result<Vec<SupportDeed>> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Text)]
        action: String,
        #[diesel(sql_type = BigInt)]
        rows: i64,
        #[diesel(sql_type = Array<Text>)]
        subjects: Vec<String>,
    }
    let found: Vec<Found> = diesel::sql_query(
        "SELECT action, count(*) AS rows, coalesce((array_agg(DISTINCT subject ORDER BY subject) \
             FILTER (WHERE subject <> ''))[1:$2], '{}') AS subjects \
         FROM audit_rows WHERE support_grant_id = $1 GROUP BY action ORDER BY action",
    )
    .bind::<SqlUuid, _>(id.0)
    .bind::<Integer, _>(i32::try_from(MOST_SUBJECTS).unwrap_or(i32::MAX).saturating_add(1))
    .load(connection)?;
    let deed = |Found { action, rows, subjects }| SupportDeed { action, rows, subjects };
    Ok(found.into_iter().map(deed).collect())
}
