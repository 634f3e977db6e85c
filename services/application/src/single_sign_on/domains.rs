//! E-mail domains of an organisation, for its owners. The operator of the installation confirms them
//! (`kinoractl domain confirm`): there may be no internet, and so no DNS, to ask.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use kinora_core::{ConnectionId, DomainId, OrganisationId};
use kinora_store::single_sign_on::domains as rows;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::conditional::etag;
use crate::extract::cursor::List;
use crate::extract::idempotency::{Created, once};
use crate::extract::permission::Owner;
use crate::extract::{Change, Confirmed, Creation, IfMatch, InOrganisation, Json, PathId, Then};

/// An e-mail domain of an organisation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrganisationDomain {
    /// Its id.
    id: DomainId,
    /// The domain.
    domain: String,
    /// When the operator confirmed that it is the organisation's; none: it has no effect yet.
    verified_at: Option<DateTime<Utc>>,
    /// The connection that its people sign in through; none: the organisation's oldest that is switched on.
    connection_id: Option<ConnectionId>,
    /// When it was named.
    created_at: DateTime<Utc>,
    /// Counts its changes; in quotes it is the `ETag`.
    revision: i64,
}

impl From<rows::Domain> for OrganisationDomain {
    fn from(row: rows::Domain) -> Self {
        Self {
            id: DomainId(row.id),
            domain: row.domain,
            verified_at: row.verified_at,
            connection_id: row.connection_id.map(ConnectionId),
            created_at: row.created_at,
            revision: row.revision,
        }
    }
}

/// A domain to be named.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DomainForm {
    /// The domain, such as "studio.example".
    #[schema(min_length = 3, max_length = 260)]
    domain: String,
}

/// Where the people of a domain are to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DomainChange {
    /// A connection of the organisation; `null`: its oldest that is switched on.
    #[serde(deserialize_with = "Option::deserialize")]
    connection_id: Option<ConnectionId>,
}

/// List an organisation's e-mail domains.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/sign-on/domains", tag = "single sign-on",
    params(("organisation_id" = OrganisationId, Path)), responses(
    (status = 200, description = "By name", body = List<OrganisationDomain>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_domains(
    context: web::Data<Context>,
    access: InOrganisation<Owner>,
) -> Result<web::Json<List<OrganisationDomain>>, Problem> {
    let organisation = access.organisation_id;
    let rows = context.database.read(move |connection| rows::list(connection, organisation)).await?;
    Ok(web::Json(List { items: rows.into_iter().map(Into::into).collect(), next_cursor: None }))
}

/// Name an e-mail domain of an organisation.
///
/// It has no effect before the operator of the installation has confirmed it. Then people with addresses in it sign in
/// through the organisation's connection.
#[utoipa::path(post, path = "/api/data/v1/organisations/{organisation_id}/sign-on/domains", tag = "single sign-on", request_body = DomainForm,
    params(("organisation_id" = OrganisationId, Path), ("Idempotency-Key" = Option<String>, Header)), responses(
    (status = 201, description = "Named", body = OrganisationDomain, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn add_domain(
    context: web::Data<Context>,
    Then(access, Then(Confirmed(who), Creation { body, key })): Then<
        InOrganisation<Owner>,
        Then<Confirmed, Creation<DomainForm>>,
    >,
) -> Result<HttpResponse, Problem> {
    let domain = rows::parse(&body.domain).map_err(|wrong| Problem::invalid("/domain", wrong))?;
    let (organisation, keys) = (access.organisation_id, context.keys.clone());
    let created = context
        .database
        .creation(key, move |connection, key| {
            once(connection, &keys, who.principal.person_id, key, |connection| {
                let made = rows::add(connection, &who.origin, organisation, &domain)?;
                let revision = made.revision;
                Ok(Created::new(&OrganisationDomain::from(made))?.revision(revision))
            })
        })
        .await?;
    Ok(created.into_response())
}

/// An owner whose session was confirmed, the domain in the path, and what comes with the request.
type Setting<T> = Then<InOrganisation<Owner>, Then<PathId<DomainId>, Then<Confirmed, T>>>;

/// Say which connection the people of a domain sign in through.
///
/// If that is switched off they sign in with a password; they are never sent to another connection instead.
#[utoipa::path(patch, path = "/api/data/v1/organisations/{organisation_id}/sign-on/domains/{domain_id}", tag = "single sign-on", request_body = DomainChange,
    params(("organisation_id" = OrganisationId, Path), ("domain_id" = DomainId, Path), ("If-Match" = String, Header)), responses(
    (status = 200, description = "Said", body = OrganisationDomain, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn update_domain(
    context: web::Data<Context>,
    Then(access, Then(PathId(id), Then(Confirmed(who), Then(IfMatch(expected), Json(change))))): Setting<
        Change<DomainChange>,
    >,
) -> Result<HttpResponse, Problem> {
    let organisation = access.organisation_id;
    let changed = context
        .database
        .transaction(move |connection| {
            let is_expected = |revision| expected.includes(revision);
            rows::lead_to(connection, &who.origin, (organisation, id), is_expected, change.connection_id)
        })
        .await?;
    let tag = etag(changed.revision);
    Ok(HttpResponse::Ok().insert_header((header::ETAG, tag)).json(OrganisationDomain::from(changed)))
}

/// Take an e-mail domain away from an organisation.
#[utoipa::path(delete, path = "/api/data/v1/organisations/{organisation_id}/sign-on/domains/{domain_id}", tag = "single sign-on",
    params(("organisation_id" = OrganisationId, Path), ("domain_id" = DomainId, Path)), responses(
    (status = 204, description = "Taken away"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn remove_domain(
    context: web::Data<Context>,
    Then(access, Then(PathId(id), Confirmed(who))): Then<
        InOrganisation<Owner>,
        Then<PathId<DomainId>, Confirmed>,
    >,
) -> Result<HttpResponse, Problem> {
    let organisation = access.organisation_id;
    context
        .database
        .transaction(move |connection| rows::remove(connection, &who.origin, organisation, id))
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
