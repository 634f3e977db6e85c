//! Accounts of programs, for the administrators of the organisation that they belong to. What makes one, changes it or
//! gives it a token takes a confirmed session, as for one's own tokens.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use kinora_core::permission::ProductionRoles;
use kinora_core::{OrganisationId, PersonId, ProductionId, TokenId};
use kinora_store::service_accounts as rows;
use kinora_store::tokens::NewToken;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::account::{AccessToken, CreatedAccessToken, NewAccessToken};
use super::fields;
use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::cursor::List;
use crate::extract::idempotency::{Created, once};
use crate::extract::permission::Administrator;
use crate::extract::{Change, Confirmed, Creation, IfMatch, InOrganisation, Json, PathId, Then, etag};
use crate::secrets::{digest, hint_of, new_access_token};

/// Longest name.
const MAX_NAME: usize = 100;
/// Longest purpose.
const MAX_PURPOSE: usize = 500;

/// An administrator whose session was confirmed, the service account in the path, and what comes with the request.
type Setting<T> = Then<InOrganisation<Administrator>, Then<PathId<PersonId>, Then<Confirmed, T>>>;

/// Who answers for a service account.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ResponsiblePerson {
    /// Their id.
    id: PersonId,
    /// What they sign in with.
    login: String,
    /// How they are called.
    display_name: String,
    /// Whether they still belong to the organisation and may sign in.
    present: bool,
}

/// Roles of a service account in a production.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ServiceAccountPlace {
    /// The production.
    production_id: ProductionId,
    /// Its name.
    name: String,
    /// The roles, at least one.
    roles: ProductionRoles,
    /// When they end, or have ended.
    ends_at: Option<DateTime<Utc>>,
}

/// An account of a program. It signs in nowhere: it has access tokens.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ServiceAccount {
    /// Its id: that of a person in memberships and in the audit trail.
    id: PersonId,
    /// What it is called in the audit trail.
    login: String,
    /// How people call it.
    name: String,
    /// What it is for.
    purpose: String,
    /// Who answers for it; none: their account is gone.
    responsible: Option<ResponsiblePerson>,
    /// Whether it may do nothing.
    deactivated: bool,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When a token of it was last used, to the minute.
    last_used_at: Option<DateTime<Utc>>,
    /// Where it has roles. They are given and taken as those of people: `/productions/{production_id}/members/{id}`.
    productions: Vec<ServiceAccountPlace>,
    /// Counts its changes; in quotes it is the `ETag`.
    revision: i64,
}

impl From<rows::ServiceAccount> for ServiceAccount {
    fn from(row: rows::ServiceAccount) -> Self {
        let place = |place: rows::Place| ServiceAccountPlace {
            production_id: place.production_id,
            name: place.name,
            roles: place.roles,
            ends_at: place.ends_at,
        };
        let person = |person: rows::Responsible| ResponsiblePerson {
            id: person.id,
            login: person.login,
            display_name: person.display_name,
            present: person.is_present,
        };
        Self {
            id: row.id,
            login: row.login,
            name: row.name,
            purpose: row.purpose,
            responsible: row.responsible.map(person),
            deactivated: row.deactivated_at.is_some(),
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            productions: row.productions.into_iter().map(place).collect(),
            revision: row.revision,
        }
    }
}

impl ServiceAccount {
    fn into_response(self) -> HttpResponse {
        HttpResponse::Ok().insert_header((header::ETAG, etag(self.revision))).json(self)
    }
}

/// A service account to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccountForm {
    /// How people call it.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What it is for.
    #[schema(min_length = 1, max_length = 500)]
    purpose: String,
    /// Who answers for it: a person of the organisation.
    responsible_id: PersonId,
}

/// What is to be changed about a service account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccountChange {
    /// Another name; in the audit trail it stays what it was.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// Another purpose.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    purpose: Option<String>,
    /// Another person who answers for it.
    #[serde(default)]
    responsible_id: Option<PersonId>,
    /// Whether it may do nothing. To deactivate it revokes all its tokens, and ends what it does at once.
    #[serde(default)]
    deactivated: Option<bool>,
}

/// List the service accounts of an organisation.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/service-accounts", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path)), responses(
    (status = 200, description = "By name", body = List<ServiceAccount>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_service_accounts(
    context: web::Data<Context>,
    access: InOrganisation<Administrator>,
) -> Result<web::Json<List<ServiceAccount>>, Problem> {
    let organisation = access.organisation_id;
    let found = context.database.read(move |connection| rows::list(connection, organisation)).await?;
    Ok(web::Json(List { items: found.into_iter().map(Into::into).collect(), next_cursor: None }))
}

/// Make a service account.
///
/// It has neither roles nor tokens yet.
#[utoipa::path(post, path = "/api/data/v1/organisations/{organisation_id}/service-accounts", tag = "organisations", request_body = ServiceAccountForm,
    params(("organisation_id" = OrganisationId, Path), ("Idempotency-Key" = Option<String>, Header)), responses(
    (status = 201, description = "Made", body = ServiceAccount, headers(("ETag" = String), ("Location" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn create_service_account(
    context: web::Data<Context>,
    Then(access, Then(Confirmed(who), Creation { body, key })): Then<
        InOrganisation<Administrator>,
        Then<Confirmed, Creation<ServiceAccountForm>>,
    >,
) -> Result<HttpResponse, Problem> {
    let new = rows::NewServiceAccount {
        name: fields::name("/name", &body.name, MAX_NAME)?,
        purpose: fields::name("/purpose", &body.purpose, MAX_PURPOSE)?,
        responsible: body.responsible_id,
    };
    let (organisation, keys) = (access.organisation_id, context.keys.clone());
    let created = context
        .database
        .creation(key, move |connection, key| {
            once(connection, &keys, who.principal.person_id, key, |connection| {
                let made = rows::create(connection, &who.origin, organisation, &new)?;
                let (id, revision) = (made.id, made.revision);
                let location = format!("/api/data/v1/organisations/{organisation}/service-accounts/{id}");
                Ok(Created::new(&ServiceAccount::from(made))?.at(location).revision(revision))
            })
        })
        .await?;
    Ok(created.into_response())
}

/// A service account.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/service-accounts/{person_id}", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path), ("person_id" = PersonId, Path)), responses(
    (status = 200, description = "It", body = ServiceAccount, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_service_account(
    context: web::Data<Context>,
    Then(access, PathId(id)): Then<InOrganisation<Administrator>, PathId<PersonId>>,
) -> Result<HttpResponse, Problem> {
    let organisation = access.organisation_id;
    let row = context.database.read(move |connection| rows::find(connection, organisation, id)).await?;
    Ok(ServiceAccount::from(row).into_response())
}

/// Change a service account, deactivate it, or activate it again.
#[utoipa::path(patch, path = "/api/data/v1/organisations/{organisation_id}/service-accounts/{person_id}", tag = "organisations", request_body = ServiceAccountChange,
    params(("organisation_id" = OrganisationId, Path), ("person_id" = PersonId, Path), ("If-Match" = String, Header)), responses(
    (status = 200, description = "Changed", body = ServiceAccount, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn update_service_account(
    context: web::Data<Context>,
    Then(access, Then(PathId(id), Then(Confirmed(who), Then(IfMatch(expected), Json(change))))): Setting<
        Change<ServiceAccountChange>,
    >,
) -> Result<HttpResponse, Problem> {
    let name = change.name.map(|name| fields::name("/name", &name, MAX_NAME)).transpose()?;
    let purpose = change.purpose.map(|text| fields::name("/purpose", &text, MAX_PURPOSE)).transpose()?;
    let change = rows::ServiceAccountChange {
        name,
        purpose,
        responsible: change.responsible_id,
        deactivated: change.deactivated,
    };
    let place = (access.organisation_id, id);
    let row = context
        .database
        .transaction(move |connection| {
            rows::change(connection, &who.origin, place, |revision| expected.includes(revision), &change)
        })
        .await?;
    context.sessions.forget(id);
    Ok(ServiceAccount::from(row).into_response())
}

/// List the access tokens of a service account.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/service-accounts/{person_id}/tokens", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path), ("person_id" = PersonId, Path)), responses(
    (status = 200, description = "Newest first", body = List<AccessToken>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_service_account_tokens(
    context: web::Data<Context>,
    Then(access, PathId(id)): Then<InOrganisation<Administrator>, PathId<PersonId>>,
) -> Result<web::Json<List<AccessToken>>, Problem> {
    let organisation = access.organisation_id;
    let found =
        context.database.read(move |connection| rows::list_tokens(connection, organisation, id)).await?;
    Ok(web::Json(List { items: found.into_iter().map(Into::into).collect(), next_cursor: None }))
}

/// Make an access token of a service account.
#[utoipa::path(post, path = "/api/data/v1/organisations/{organisation_id}/service-accounts/{person_id}/tokens", tag = "organisations", request_body = NewAccessToken,
    params(("organisation_id" = OrganisationId, Path), ("person_id" = PersonId, Path), ("Idempotency-Key" = Option<String>, Header)), responses(
    (status = 201, description = "Made", body = CreatedAccessToken),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn create_service_account_token(
    context: web::Data<Context>,
    Then(access, Then(PathId(id), Then(Confirmed(who), Creation { body, key }))): Setting<
        Creation<NewAccessToken>,
    >,
) -> Result<HttpResponse, Problem> {
    let secret = new_access_token().map_err(Problem::internal)?;
    let checked = body.checked()?;
    let new = NewToken {
        name: checked.name,
        digest: digest(&secret),
        hint: hint_of(&secret),
        validity: TimeDelta::days(checked.days),
        scope: checked.scope,
    };
    let (place, keys) = ((access.organisation_id, id), context.keys.clone());
    let created = context
        .database
        .creation(key, move |connection, key| {
            once(connection, &keys, who.principal.person_id, key, |connection| {
                let token = rows::create_token(connection, &who.origin, place, &new)?;
                Created::new(&CreatedAccessToken { secret: secret.clone(), token: token.into() })
            })
        })
        .await?;
    Ok(created.into_response())
}

/// Revoke an access token of a service account.
#[utoipa::path(delete, path = "/api/data/v1/organisations/{organisation_id}/service-accounts/{person_id}/tokens/{token_id}", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path), ("person_id" = PersonId, Path), ("token_id" = TokenId, Path)), responses(
    (status = 204, description = "Revoked; it holds nowhere for longer than a second"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn revoke_service_account_token(
    context: web::Data<Context>,
    Then(access, Then(PathId(id), PathId(token))): Then<
        InOrganisation<Administrator>,
        Then<PathId<PersonId>, PathId<TokenId>>,
    >,
) -> Result<HttpResponse, Problem> {
    let place = (access.organisation_id, id);
    context
        .database
        .transaction(move |connection| rows::revoke_token(connection, &access.who.origin, place, token))
        .await?;
    context.sessions.forget(id);
    Ok(HttpResponse::NoContent().finish())
}
