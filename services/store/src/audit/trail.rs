//! Reading the trail: what an organisation's administrators look for in it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::{OrganisationId, PersonId, ProductionId};
use uuid::Uuid;

use super::AuditRow;
use crate::Result;
use crate::schema::audit_rows;

/// Acts that change who may do what.
pub const PERMISSION_ACTS: [&str; 18] = [
    "factor.removed",
    "factors.reset",
    "invitation.accepted",
    "invitation.created",
    "invitation.withdrawn",
    "membership.changed",
    "organisation.created",
    "organisation.security_changed",
    "password_link.created",
    "person.added",
    "person.changed",
    "person.created",
    "person.factors_reset",
    "person.password_link_issued",
    "person.removed",
    "person.token_issued",
    "token.created",
    "token.revoked",
];

/// What is looked for; what is none does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Who did it, or to whom it was done.
    pub person: Option<PersonId>,
    /// In which production.
    pub production: Option<ProductionId>,
    /// The act: "person.created", or all of a noun: "person.".
    pub action: Option<String>,
    /// Not before this instant.
    pub since: Option<DateTime<Utc>>,
    /// Before this instant.
    pub until: Option<DateTime<Utc>>,
    /// Only [`PERMISSION_ACTS`].
    pub permissions_only: bool,
}

/// Rows of an organisation, newest first, with a number below `before` if that is given.
///
/// # Errors
/// If the database fails.
pub fn list(
    conn: &mut PgConnection,
    organisation_id: OrganisationId,
    filter: &Filter,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<AuditRow>> {
    let mut query = audit_rows::table
        .filter(audit_rows::organisation_id.eq(Uuid::from(organisation_id)))
        .filter(audit_rows::sequence.lt(before.unwrap_or(i64::MAX)))
        .into_boxed();
    if let Some(person) = filter.person {
        query = query.filter(audit_rows::actor_id.eq(person.0).or(audit_rows::subject_id.eq(person.0)));
    }
    if let Some(production) = filter.production {
        query = query.filter(audit_rows::production_id.eq(production.0));
    }
    if let Some(action) = &filter.action {
        query = match action.strip_suffix('.') {
            Some(_) => query.filter(audit_rows::action.like(format!("{}%", escaped(action)))),
            None => query.filter(audit_rows::action.eq(action.clone())),
        };
    }
    if let Some(since) = filter.since {
        query = query.filter(audit_rows::at.ge(since));
    }
    if let Some(until) = filter.until {
        query = query.filter(audit_rows::at.lt(until));
    }
    if filter.permissions_only {
        query = query.filter(audit_rows::action.eq_any(PERMISSION_ACTS));
    }
    Ok(query.order(audit_rows::sequence.desc()).limit(limit).select(AuditRow::as_select()).load(conn)?)
}

/// The text as it must stand in a LIKE pattern to mean itself.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
