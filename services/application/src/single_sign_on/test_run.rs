//! The live test of a connection, and the last attempts at it: what was wrong, for who has to mend it.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use kinora_core::permission::{OrganisationRole, ProductionRoles};
use kinora_core::{AttemptId, ConnectionId, GroupRuleId, OrganisationId, ProductionId};
use kinora_store::people;
use kinora_store::single_sign_on::attempts::{self, Attempt};
use kinora_store::single_sign_on::connections;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::provider::Ours;
use super::refused::sentence_of;
use super::route::{Kind, ticket_address};
use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::cursor::List;
use crate::extract::permission::Owner;
use crate::extract::{InOrganisation, PathId, Query, Then};

/// How many attempts are listed.
const LISTED: i64 = 50;

/// The `NameID` that came.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FoundName {
    /// Its value.
    value: String,
    /// Its format.
    format: String,
}

/// An attribute that came.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FoundAttribute {
    /// Its name.
    name: String,
    /// Its friendly name.
    friendly_name: Option<String>,
    /// Its values.
    values: Vec<String>,
}

/// Roles in a production.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FoundProduction {
    /// The production.
    production_id: ProductionId,
    /// The roles.
    roles: ProductionRoles,
}

/// What the person would be here.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FoundPerson {
    /// The value that is the stable identity.
    subject_value: Option<String>,
    /// The attribute that it is of; none: the `NameID`.
    subject_attribute: Option<String>,
    /// The e-mail address.
    address: Option<String>,
    /// The name.
    display_name: Option<String>,
    /// All groups that came.
    groups: Vec<String>,
    /// The rules that match.
    matched_rules: Vec<GroupRuleId>,
    /// The role in the organisation; none: they would not be let in.
    organisation_role: Option<OrganisationRole>,
    /// Roles in productions.
    productions: Vec<FoundProduction>,
}

/// What a test found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TestFindings {
    /// The `NameID`.
    name_id: Option<FoundName>,
    /// The attributes, in the order in which they came.
    attributes: Vec<FoundAttribute>,
    /// How the person signed in there.
    context: Option<String>,
    /// What they would be here.
    mapped: FoundPerson,
}

/// An attempt to sign in through a connection, or to sign out.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SignOnAttempt {
    /// Its id, which the person was shown too.
    id: AttemptId,
    /// When.
    at: DateTime<Utc>,
    /// What for: "sign_in", "unsolicited", "test", "link", "confirm" or "logout".
    purpose: String,
    /// The code of the refusal; none: it went well.
    refusal: Option<String>,
    /// What that means, and what helps.
    sentence: Option<String>,
    /// What was found, in addition.
    detail: Option<String>,
    /// Whose attempt it was, as far as that is known.
    person: Option<String>,
    /// From where.
    address: Option<String>,
    /// Of a test: what came, and what it would be mapped to. Not in lists.
    findings: Option<TestFindings>,
}

impl SignOnAttempt {
    fn new(row: Attempt, person: Option<String>) -> Self {
        Self {
            id: AttemptId(row.id),
            at: row.at,
            purpose: row.purpose,
            sentence: row.refusal.as_deref().map(sentence_of).map(str::to_owned),
            refusal: row.refusal,
            detail: row.detail,
            person,
            address: row.address,
            findings: row.findings.and_then(|findings| serde_json::from_value(findings).ok()),
        }
    }
}

/// Where a test begins.
#[derive(Serialize, ToSchema)]
pub struct TestStart {
    /// The address to open in this browser, within a minute.
    address: String,
}

/// Test a connection.
///
/// It need not be switched on, and nobody is signed in: the answer leads to the provider, and the provider back to the
/// connection's page with the attempt, which says what came and what it would be mapped to.
#[utoipa::path(post, path = "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/test", tag = "single sign-on",
    params(("organisation_id" = OrganisationId, Path), ("connection_id" = ConnectionId, Path)), responses(
    (status = 200, description = "Where it begins", body = TestStart),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn test_connection(
    context: web::Data<Context>,
    Then(access, PathId(id)): Then<InOrganisation<Owner>, PathId<ConnectionId>>,
) -> Result<HttpResponse, Problem> {
    let organisation = access.organisation_id;
    context.database.read(move |connection| connections::find_in(connection, organisation, id)).await?;
    // Whatever could not even begin is said here, on the page.
    let _ = Ours::load(&context, id).await?;
    let address = ticket_address(&context, &access.who, id, Kind::Test, None)?;
    Ok(HttpResponse::Ok().json(TestStart { address }))
}

/// Which attempts are listed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AttemptFilter {
    /// Only those that were refused, or only those that went well.
    refused: Option<bool>,
}

/// List the last attempts at a connection.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/attempts", tag = "single sign-on",
    params(("organisation_id" = OrganisationId, Path), ("connection_id" = ConnectionId, Path), AttemptFilter), responses(
    (status = 200, description = "Newest first, at most 50", body = List<SignOnAttempt>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_attempts(
    context: web::Data<Context>,
    Then(access, Then(PathId(id), Query(filter))): Then<
        InOrganisation<Owner>,
        Then<PathId<ConnectionId>, Query<AttemptFilter>>,
    >,
) -> Result<web::Json<List<SignOnAttempt>>, Problem> {
    let organisation = access.organisation_id;
    let (rows, names) = context
        .database
        .read(move |connection| {
            let _ = connections::find_in(connection, organisation, id)?;
            let rows = attempts::list(connection, id, filter.refused, LISTED)?;
            let ids: Vec<Uuid> = rows.iter().filter_map(|row| row.person_id).collect();
            Ok::<_, kinora_store::StoreError>((rows, people::logins(connection, &ids)?))
        })
        .await?;
    let items = rows
        .into_iter()
        .map(|row| {
            let person = row.person_id.and_then(|id| names.get(&id).cloned());
            SignOnAttempt::new(Attempt { findings: None, ..row }, person)
        })
        .collect();
    Ok(web::Json(List { items, next_cursor: None }))
}

/// An attempt at a connection.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/attempts/{attempt_id}", tag = "single sign-on",
    params(("organisation_id" = OrganisationId, Path), ("connection_id" = ConnectionId, Path), ("attempt_id" = AttemptId, Path)), responses(
    (status = 200, description = "It", body = SignOnAttempt),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_attempt(
    context: web::Data<Context>,
    Then(access, Then(PathId(id), PathId(attempt))): Then<
        InOrganisation<Owner>,
        Then<PathId<ConnectionId>, PathId<AttemptId>>,
    >,
) -> Result<web::Json<SignOnAttempt>, Problem> {
    let organisation = access.organisation_id;
    let (row, person) = context
        .database
        .read(move |connection| {
            let _ = connections::find_in(connection, organisation, id)?;
            let row = attempts::find(connection, id, attempt.0)?;
            let ids: Vec<Uuid> = row.person_id.into_iter().collect();
            let person = people::logins(connection, &ids)?.into_values().next();
            Ok::<_, kinora_store::StoreError>((row, person))
        })
        .await?;
    Ok(web::Json(SignOnAttempt::new(row, person)))
}
