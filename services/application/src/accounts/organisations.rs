//! Organisations and their audit trail.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use kinora_core::permission::OrganisationRole;
use kinora_core::{OrganisationId, PersonId};
use kinora_store::organisations;
use kinora_store::security::{self, OwnerState};
use kinora_store::single_sign_on::connections;
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
    /// Whether they must have signed in through one of its identity providers.
    sso_required: bool,
    /// Whether a code sent by mail counts as a second factor.
    email_code_allowed: bool,
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
            sso_required: row.sso_required,
            email_code_allowed: row.email_code_allowed,
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
    /// Whether a code that is sent by mail counts as a second factor; left out: as it is. It is the weak one: whoever
    /// reads somebody's mail and knows their password gets in. It counts for somebody as long as all their
    /// organisations that ask for a second factor allow it.
    #[serde(default)]
    email_code_allowed: Option<bool>,
    /// Whether they must have signed in through one of the organisation's identity providers; left out: as it is. It takes a
    /// connection that is switched on and whose last test went well, and somebody in `break_glass`.
    #[serde(default)]
    sso_required: Option<bool>,
    /// The owners who may sign in with password and second factor all the same; left out: as they are. Each must have both.
    #[serde(default)]
    break_glass: Option<Vec<PersonId>>,
}

/// An owner, and whether they could get in without the identity provider.
#[derive(Serialize, ToSchema)]
pub struct SecurityOwner {
    /// The person.
    id: PersonId,
    /// What they sign in with.
    login: String,
    /// How they are called.
    display_name: String,
    /// Whether they may sign in with password and second factor where single sign-on is required.
    break_glass: bool,
    /// Whether they have a password.
    has_password: bool,
    /// Whether they have a second factor.
    has_second_factor: bool,
    /// Whether they may not sign in at all.
    disabled: bool,
}

impl From<OwnerState> for SecurityOwner {
    fn from(owner: OwnerState) -> Self {
        Self {
            id: PersonId(owner.id),
            login: owner.login,
            display_name: owner.display_name,
            break_glass: owner.break_glass,
            has_password: owner.has_password,
            has_second_factor: owner.has_second_factor,
            disabled: owner.disabled_at.is_some(),
        }
    }
}

/// What an organisation asks of its people, and what stands in the way of asking for more.
#[derive(Serialize, ToSchema)]
pub struct OrganisationSecurityState {
    /// Whether they must have a second factor.
    second_factor_required: bool,
    /// Whether they must have signed in through one of its identity providers.
    sso_required: bool,
    /// Whether a code sent by mail counts as a second factor.
    email_code_allowed: bool,
    /// Whether a connection is switched on whose last test went well.
    sso_proven: bool,
    /// Its owners, by login.
    owners: Vec<SecurityOwner>,
    /// Counts the organisation's changes; in quotes it is the `ETag`.
    revision: i64,
}

/// What an organisation asks of its people.
///
/// For owners.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/security", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path)), responses(
    (status = 200, description = "It", body = OrganisationSecurityState, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_security(
    context: web::Data<Context>,
    access: InOrganisation<Owner>,
) -> Result<HttpResponse, Problem> {
    let id = access.organisation_id;
    let state = context
        .database
        .read(move |connection| {
            let row = organisations::find(connection, id)?;
            Ok::<_, kinora_store::StoreError>(OrganisationSecurityState {
                second_factor_required: row.second_factor_required,
                sso_required: row.sso_required,
                email_code_allowed: row.email_code_allowed,
                sso_proven: connections::has_proven(connection, id)?,
                owners: security::owners(connection, id)?.into_iter().map(Into::into).collect(),
                revision: row.revision,
            })
        })
        .await?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, etag(state.revision))).json(state))
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
    let change = security::SecurityChange {
        second_factor_required: Some(form.second_factor_required),
        email_code_allowed: form.email_code_allowed,
        sso_required: form.sso_required,
        break_glass: form.break_glass,
    };
    let row = context
        .database
        .transaction(move |connection| {
            let is_expected = |revision| expected.includes(revision);
            security::change(connection, &origin, person, id, is_expected, &change)
        })
        .await?;
    context.sessions.forget(person);
    Ok(Organisation::new(row, access.role).into_response())
}
