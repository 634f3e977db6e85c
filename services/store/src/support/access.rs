//! What somebody may see because of support access, for [`crate::principals`].
//!
//! Only the account that a grant is bound to, only while it holds, and nothing for the organisation's own people: they
//! have roles of their own there.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::permission::{ProductionRoles, TokenScope};
use kinora_core::{OrganisationId, ProductionId, SupportGrantId};
use uuid::Uuid;

use super::scope_of;
use crate::Result;
use crate::schema::{organisations, productions, support_grants};

/// Support access of somebody, with what it opens.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    /// The grant.
    pub id: SupportGrantId,
    /// The organisation whose content it opens.
    pub organisation_id: OrganisationId,
    /// Its name.
    pub organisation: String,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// Whether originals may be downloaded.
    pub originals: bool,
    /// The roles it gives in productions; none of them empty.
    pub productions: Vec<(ProductionId, ProductionRoles)>,
}

/// Id, organisation, its name, end, originals, most role, modules, productions.
type Row = (Uuid, Uuid, String, DateTime<Utc>, bool, String, Vec<String>, Option<Vec<Uuid>>);

/// The support access of a person that holds at this instant, the oldest first. `is_inside` says whether they belong to an
/// organisation.
pub(crate) fn opened(
    connection: &mut PgConnection,
    person: Uuid,
    is_inside: impl Fn(Uuid) -> bool,
    now: DateTime<Utc>,
) -> Result<Vec<Opened>> {
    let mut rows: Vec<Row> = support_grants::table
        .inner_join(organisations::table)
        .filter(support_grants::supporter_id.eq(person))
        .filter(support_grants::ended_at.is_null())
        .filter(support_grants::starts_at.le(now))
        .filter(support_grants::ends_at.gt(now))
        .order(support_grants::id)
        .select((
            support_grants::id,
            support_grants::organisation_id,
            organisations::name,
            support_grants::ends_at,
            support_grants::originals,
            support_grants::most_role,
            support_grants::modules,
            support_grants::productions,
        ))
        .load(connection)?;
    rows.retain(|(_, organisation, ..)| !is_inside(*organisation));
    let mut found = Vec::with_capacity(rows.len());
    for (id, organisation_id, organisation, ends_at, originals, most_role, modules, ids) in rows {
        let scope = scope_of(most_role, modules, ids)?;
        found.push(Opened {
            id: SupportGrantId(id),
            organisation_id: OrganisationId(organisation_id),
            organisation,
            ends_at,
            originals,
            productions: productions_in(connection, organisation_id, &scope)?,
        });
    }
    Ok(found)
}

fn productions_in(
    connection: &mut PgConnection,
    organisation: Uuid,
    scope: &TokenScope,
) -> Result<Vec<(ProductionId, ProductionRoles)>> {
    let ids: Vec<Uuid> = productions::table
        .filter(productions::organisation_id.eq(organisation))
        .filter(productions::removed_at.is_null())
        .select(productions::id)
        .load(connection)?;
    let limited = |id: Uuid| (ProductionId(id), scope.limit(ProductionId(id), ProductionRoles::MANAGER));
    Ok(ids.into_iter().map(limited).filter(|(_, roles)| !roles.is_empty()).collect())
}
