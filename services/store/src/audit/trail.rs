//! Reading the trail: what an organisation's administrators look for in it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::{OrganisationId, PersonId, ProductionId, SupportGrantId};
use uuid::Uuid;

use super::AuditRow;
use crate::Result;
use crate::schema::audit_rows;

/// Acts that change who may do what: roles and what gives them, whom a provider answers for, and what somebody gets in with
/// that others gave, or that opens more to them than they had. An act that is added is decided in the tests.
pub const PERMISSION_ACTS: [&str; 50] = [
    "database.restored",
    "factor.added",
    "factor.removed",
    "factors.reset",
    "identity.linked",
    "identity.separated",
    "invitation.accepted",
    "invitation.created",
    "invitation.withdrawn",
    "login.changed",
    "membership.changed",
    "organisation.created",
    "organisation.security_changed",
    "organisation_domain.confirmed",
    "organisation_domain.led",
    "organisation_domain.removed",
    "organisation_domain.withdrawn",
    "password_link.created",
    "person.added",
    "person.changed",
    "person.corrected",
    "person.created",
    "person.erased",
    "person.factors_reset",
    "person.password_link_issued",
    "person.removed",
    "person.token_issued",
    "production.created",
    "provisioned_group.changed",
    "provisioned_group.created",
    "provisioned_group.removed",
    "provisioned_user.changed",
    "provisioned_user.created",
    "provisioned_user.removed",
    "provisioning_token.created",
    "provisioning_token.revoked",
    "saml_connection.changed",
    "saml_connection.created",
    "saml_connection.metadata_refreshed",
    "saml_connection.metadata_set",
    "saml_connection.removed",
    "saml_group_rule.created",
    "saml_group_rule.removed",
    "service_account.changed",
    "service_account.created",
    "support.accepted",
    "support.ended",
    "support.given",
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
    /// Only what was done under this support access.
    pub support_grant: Option<SupportGrantId>,
    /// Only what was done under any support access.
    pub support_only: bool,
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
    if let Some(grant) = filter.support_grant {
        query = query.filter(audit_rows::support_grant_id.eq(grant.0));
    }
    if filter.support_only {
        query = query.filter(audit_rows::support_grant_id.is_not_null());
    }
    Ok(query.order(audit_rows::sequence.desc()).limit(limit).select(AuditRow::as_select()).load(conn)?)
}

/// The text as it must stand in a LIKE pattern to mean itself.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
