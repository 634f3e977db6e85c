//! What groups at the provider give here, for the organisation's owners.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use kinora_core::permission::{OrganisationRole, ProductionRoles};
use kinora_core::{ConnectionId, GroupRuleId, OrganisationId, ProductionId};
use kinora_store::single_sign_on::connections;
use kinora_store::single_sign_on::rules::{self as rows, Gift};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Setting;
use crate::accounts::fields;
use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::cursor::List;
use crate::extract::idempotency::{Created, once};
use crate::extract::permission::Owner;
use crate::extract::{Confirmed, Creation, InOrganisation, PathId, Then};

/// An owner whose session was confirmed, and a rule of the connection in the path.
type OneRule = Then<InOrganisation<Owner>, Then<PathId<ConnectionId>, Then<PathId<GroupRuleId>, Confirmed>>>;

/// Longest name of a group.
const MAX_GROUP: usize = 256;

/// What a group gives: a role in the organisation, or roles in one of its productions.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GroupRule {
    /// Its id.
    id: GroupRuleId,
    /// The group, as the provider writes it.
    group: String,
    /// The role in the organisation.
    organisation_role: Option<OrganisationRole>,
    /// The production.
    production_id: Option<ProductionId>,
    /// The roles in the production.
    roles: Option<ProductionRoles>,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<rows::GroupRule> for GroupRule {
    fn from(row: rows::GroupRule) -> Self {
        Self {
            id: row.id,
            group: row.group_name,
            organisation_role: row.organisation_role,
            roles: row.production_id.map(|_| row.roles),
            production_id: row.production_id,
            created_at: row.created_at,
        }
    }
}

/// A rule to be made: `organisation_role`, or `production_id` with `roles`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupRuleForm {
    /// The group, exactly as the provider writes it.
    #[schema(min_length = 1, max_length = 256)]
    group: String,
    /// The role in the organisation: member or administrator. No group makes owners.
    #[serde(default)]
    organisation_role: Option<OrganisationRole>,
    /// A production of the organisation.
    #[serde(default)]
    production_id: Option<ProductionId>,
    /// The roles in it, at least one.
    #[serde(default)]
    roles: Option<ProductionRoles>,
}

impl GroupRuleForm {
    fn gift(&self) -> Result<Gift, Problem> {
        match (self.organisation_role, self.production_id, self.roles) {
            (Some(OrganisationRole::Owner), ..) => Err(Problem::invalid(
                "/organisation_role",
                "must be member or administrator: who owns the organisation is decided here, by its owners",
            )),
            (Some(role), None, None) => Ok(Gift::Organisation(role)),
            (None, Some(_), Some(roles)) if roles.is_empty() => {
                Err(Problem::invalid("/roles", "must have a role in at least one module"))
            }
            (None, Some(production), Some(roles)) => Ok(Gift::Production(production, roles)),
            _ => Err(Problem::invalid("", "must have either organisation_role, or production_id and roles")),
        }
    }
}

/// List what groups give.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/rules", tag = "single sign-on",
    params(("organisation_id" = OrganisationId, Path), ("connection_id" = ConnectionId, Path)), responses(
    (status = 200, description = "By group", body = List<GroupRule>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_group_rules(
    context: web::Data<Context>,
    Then(access, PathId(id)): Then<InOrganisation<Owner>, PathId<ConnectionId>>,
) -> Result<web::Json<List<GroupRule>>, Problem> {
    let organisation = access.organisation_id;
    let rows = context
        .database
        .read(move |connection| {
            let _ = connections::find_in(connection, organisation, id)?;
            rows::of(connection, id)
        })
        .await?;
    Ok(web::Json(List { items: rows.into_iter().map(Into::into).collect(), next_cursor: None }))
}

/// Say what a group gives.
///
/// It takes effect at each person's next sign-in through the connection, and at once for people whose groups are
/// provisioned; so does its removal.
#[utoipa::path(post, path = "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/rules", tag = "single sign-on", request_body = GroupRuleForm,
    params(("organisation_id" = OrganisationId, Path), ("connection_id" = ConnectionId, Path), ("Idempotency-Key" = Option<String>, Header)), responses(
    (status = 201, description = "Made", body = GroupRule),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn create_group_rule(
    context: web::Data<Context>,
    Then(access, Then(PathId(id), Then(Confirmed(who), Creation { body, key }))): Setting<
        Creation<GroupRuleForm>,
    >,
) -> Result<HttpResponse, Problem> {
    let group = fields::name("/group", &body.group, MAX_GROUP)?;
    let (gift, organisation, keys) = (body.gift()?, access.organisation_id, context.keys.clone());
    let created = context
        .database
        .creation(key, move |connection, key| {
            once(connection, &keys, who.principal.person_id, key, |connection| {
                let made = rows::create(connection, &who.origin, (organisation, id), &group, gift)?;
                Created::new(&GroupRule::from(made))
            })
        })
        .await?;
    Ok(created.into_response())
}

/// Remove a rule.
#[utoipa::path(delete, path = "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/rules/{rule_id}", tag = "single sign-on",
    params(("organisation_id" = OrganisationId, Path), ("connection_id" = ConnectionId, Path), ("rule_id" = GroupRuleId, Path)), responses(
    (status = 204, description = "Removed"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn remove_group_rule(
    context: web::Data<Context>,
    Then(access, Then(PathId(id), Then(PathId(rule), Confirmed(who)))): OneRule,
) -> Result<HttpResponse, Problem> {
    let organisation = access.organisation_id;
    context
        .database
        .transaction(move |connection| rows::remove(connection, &who.origin, (organisation, id, rule)))
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
