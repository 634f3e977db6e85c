//! Organisations and their audit trail.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use kinora_core::OrganisationId;
use kinora_core::permission::OrganisationRole;
use kinora_store::{organisations, second_factors};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::fields;
use crate::context::Context;
use crate::error::{Problem, ProblemDocument, ProblemKind};
use crate::extract::cursor::List;
use crate::extract::idempotency::{Created, once};
use crate::extract::permission::{Administrator, Member, Owner};
use crate::extract::{Authenticated, Change, Confirmed, Creation, IfMatch, InOrganisation, Json, Then, etag};

/// An organisation, as one of its people sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Organisation {
    /// Its id.
    id: OrganisationId,
    /// Its name.
    name: String,
    /// One's own role in it.
    role: OrganisationRole,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// Counts its changes; in quotes it is the `ETag`.
    revision: i64,
    /// Whether its people must have a second factor.
    second_factor_required: bool,
}

impl Organisation {
    fn new(row: organisations::Organisation, role: OrganisationRole) -> Self {
        Self {
            id: OrganisationId(row.id),
            name: row.name,
            role,
            created_at: row.created_at,
            revision: row.revision,
            second_factor_required: row.second_factor_required,
        }
    }

    fn into_response(self) -> HttpResponse {
        HttpResponse::Ok().insert_header((header::ETAG, etag(self.revision))).json(self)
    }
}

/// The name of an organisation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganisationForm {
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
}

/// List one's own organisations.
#[utoipa::path(get, path = "/api/data/v1/organisations", tag = "organisations", responses(
    (status = 200, description = "By name", body = List<Organisation>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_organisations(
    context: web::Data<Context>,
    Authenticated(who): Authenticated,
) -> Result<web::Json<List<Organisation>>, Problem> {
    let ids: Vec<Uuid> = who.principal.organisations.iter().map(|membership| membership.id.0).collect();
    let rows = context.database.read(move |connection| organisations::list(connection, &ids)).await?;
    let of = |row: organisations::Organisation| {
        let role = who.principal.organisation_role(OrganisationId(row.id))?;
        Some(Organisation::new(row, role))
    };
    Ok(web::Json(List { items: rows.into_iter().filter_map(of).collect(), next_cursor: None }))
}

/// Make an organisation.
///
/// For owners of another one; the maker becomes owner of the new one.
#[utoipa::path(post, path = "/api/data/v1/organisations", tag = "organisations", request_body = OrganisationForm,
    params(("Idempotency-Key" = Option<String>, Header)), responses(
    (status = 201, description = "Made", body = Organisation),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn create_organisation(
    context: web::Data<Context>,
    Then(Authenticated(who), Creation { body, key }): Then<Authenticated, Creation<OrganisationForm>>,
) -> Result<HttpResponse, Problem> {
    if !who.principal.organisations.iter().any(|membership| membership.role == OrganisationRole::Owner) {
        return Err(ProblemKind::Forbidden.into());
    }
    let name = fields::name("/name", &body.name, fields::MAX_NAME)?;
    let (person, keys) = (who.principal.person_id, context.keys.clone());
    let created = context
        .database
        .creation(key, move |connection, key| {
            once(connection, &keys, person, key, |connection| {
                let row = organisations::create(connection, &who.origin, person, &name)?;
                let location = format!("/api/data/v1/organisations/{}", row.id);
                let revision = row.revision;
                let made = Organisation::new(row, OrganisationRole::Owner);
                Ok(Created::new(&made)?.at(location).revision(revision))
            })
        })
        .await?;
    context.sessions.forget(person);
    Ok(created.into_response())
}

/// An organisation.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}", tag = "organisations", params(("organisation_id" = OrganisationId, Path)), responses(
    (status = 200, description = "It", body = Organisation, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_organisation(
    context: web::Data<Context>,
    access: InOrganisation<Member>,
) -> Result<HttpResponse, Problem> {
    let id = access.organisation_id;
    let row = context.database.read(move |connection| organisations::find(connection, id)).await?;
    Ok(Organisation::new(row, access.role).into_response())
}

/// Give an organisation another name.
#[utoipa::path(patch, path = "/api/data/v1/organisations/{organisation_id}", tag = "organisations", request_body = OrganisationForm,
    params(("organisation_id" = OrganisationId, Path), ("If-Match" = String, Header)), responses(
    (status = 200, description = "Changed", body = Organisation, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn update_organisation(
    context: web::Data<Context>,
    Then(access, Then(IfMatch(expected), Json(form))): Then<
        InOrganisation<Administrator>,
        Then<IfMatch, Json<OrganisationForm>>,
    >,
) -> Result<HttpResponse, Problem> {
    let name = fields::name("/name", &form.name, fields::MAX_NAME)?;
    let (id, origin, person) = (access.organisation_id, access.who.origin, access.who.principal.person_id);
    let row = context
        .database
        .transaction(move |connection| {
            organisations::rename(connection, &origin, id, |revision| expected.includes(revision), &name)
        })
        .await?;
    context.sessions.forget(person);
    Ok(Organisation::new(row, access.role).into_response())
}

/// What an organisation asks of its people.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganisationSecurity {
    /// Whether they must have a second factor. Whoever has none sees nothing of the organisation until they have
    /// added one, also in sessions that are open; access tokens go on.
    second_factor_required: bool,
}

/// Say what an organisation asks of its people.
///
/// For owners, in a confirmed session.
#[utoipa::path(put, path = "/api/data/v1/organisations/{organisation_id}/security", tag = "organisations", request_body = OrganisationSecurity,
    params(("organisation_id" = OrganisationId, Path), ("If-Match" = String, Header)), responses(
    (status = 200, description = "Changed", body = Organisation, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn update_security(
    context: web::Data<Context>,
    Then(access, Then(Confirmed(who), Then(IfMatch(expected), Json(form)))): Then<
        InOrganisation<Owner>,
        Then<Confirmed, Change<OrganisationSecurity>>,
    >,
) -> Result<HttpResponse, Problem> {
    let (id, person, origin) = (access.organisation_id, who.principal.person_id, who.origin);
    let row = context
        .database
        .transaction(move |connection| {
            let is_expected = |revision| expected.includes(revision);
            let required = form.second_factor_required;
            second_factors::require_in_organisation(connection, &origin, person, id, is_expected, required)
        })
        .await?;
    context.sessions.forget(person);
    Ok(Organisation::new(row, access.role).into_response())
}
