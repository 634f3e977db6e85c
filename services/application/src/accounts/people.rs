//! People of an organisation, for its administrators.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use kinora_core::permission::OrganisationRole;
use kinora_core::{OrganisationId, PersonId};
use kinora_store::people;
use kinora_store::privacy::correction::{self, Correction};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::entrance::scene;
use super::fields;
use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::conditional::MaybeIfMatch;
use crate::extract::cursor::{List, checked_limit};
use crate::extract::idempotency::{BareCreation, Created, once};
use crate::extract::permission::{self, Administrator, Member};
use crate::extract::{
    Change, Confirmed, Creation, Cursor, IfMatch, InOrganisation, Json, PathId, Query, Then, etag,
};
use crate::secrets::{digest, random_token};

/// Of an administrator in a confirmed session, what makes something for a person.
type Making = Then<InOrganisation<Administrator>, Then<PathId<PersonId>, Then<Confirmed, BareCreation>>>;

/// A person of an organisation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrganisationPerson {
    /// Their id.
    id: PersonId,
    /// What they sign in with.
    login: String,
    /// How they are called.
    display_name: String,
    /// The role in the organisation.
    role: OrganisationRole,
    /// Whether they may not sign in.
    disabled: bool,
    /// Whether they have ever set a password.
    has_password: bool,
    /// Whether they have a second factor.
    has_second_factor: bool,
    /// Since when they belong to the organisation.
    created_at: DateTime<Utc>,
    /// Counts the changes; in quotes it is the `ETag`.
    revision: i64,
}

impl From<people::OrganisationPerson> for OrganisationPerson {
    fn from(row: people::OrganisationPerson) -> Self {
        Self {
            id: row.id,
            login: row.login,
            display_name: row.display_name,
            role: row.role,
            disabled: row.disabled_at.is_some(),
            has_password: row.has_password,
            has_second_factor: row.has_second_factor,
            created_at: row.created_at,
            revision: row.revision,
        }
    }
}

impl OrganisationPerson {
    fn into_response(self) -> HttpResponse {
        HttpResponse::Ok().insert_header((header::ETAG, etag(self.revision))).json(self)
    }
}

/// A link that sets a password once.
#[derive(Serialize, ToSchema)]
pub struct OneTimeLink {
    /// The address to give to the person.
    url: String,
    /// When it ends.
    expires_at: DateTime<Utc>,
}

/// The address of a one-time link in the web client.
fn link_url(context: &Context, token: &str) -> String {
    format!("{}welcome#{token}", context.settings.public_url)
}

fn link_validity(context: &Context) -> TimeDelta {
    TimeDelta::from_std(context.settings.password.link_validity.get()).unwrap_or(TimeDelta::hours(48))
}

/// Which people are listed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PeopleFilter {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most items: 1 to 200, else 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// What login or name contains.
    #[param(max_length = 200)]
    q: Option<String>,
}

/// List the people of an organisation.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/people", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path), PeopleFilter), responses(
    (status = 200, description = "By login", body = List<OrganisationPerson>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_people(
    context: web::Data<Context>,
    Then(access, Query(filter)): Then<InOrganisation<Administrator>, Query<PeopleFilter>>,
) -> Result<web::Json<List<OrganisationPerson>>, Problem> {
    let (id, limit) = (access.organisation_id, checked_limit(filter.limit)?);
    let search = filter.q.filter(|text| !text.is_empty());
    if search.as_ref().is_some_and(|text| text.chars().count() > 200) {
        return Err(Problem::invalid_parameter("q", "must have at most 200 characters"));
    }
    let list = format!("people {id} {}", search.as_deref().unwrap_or_default());
    let after: Option<String> =
        filter.cursor.as_deref().map(|cursor| Cursor::read(&context.keys, &list, cursor)).transpose()?;
    let rows = context
        .database
        .read(move |connection| people::list(connection, id, search.as_deref(), after.as_deref(), limit + 1))
        .await?;
    let items: Vec<OrganisationPerson> = rows.into_iter().map(Into::into).collect();
    Ok(web::Json(Cursor::cut(&context.keys, &list, items, limit, |person| person.login.clone())?))
}

/// A person to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    /// What they will sign in with, usually the e-mail address.
    #[schema(min_length = 1, max_length = 254)]
    login: String,
    /// How they are called.
    #[schema(min_length = 1, max_length = 200)]
    display_name: String,
    /// The role in the organisation.
    role: OrganisationRole,
}

/// A person who was added.
#[derive(Serialize, ToSchema)]
pub struct CreatedPerson {
    /// The person.
    person: OrganisationPerson,
    /// The link to set a first password with; none if they have a password already.
    password_link: Option<OneTimeLink>,
}

/// Add a person to an organisation.
///
/// Adding an owner or administrator takes a confirmed session.
#[utoipa::path(post, path = "/api/data/v1/organisations/{organisation_id}/people", tag = "organisations", request_body = NewPerson,
    params(("organisation_id" = OrganisationId, Path), ("Idempotency-Key" = Option<String>, Header)), responses(
    (status = 201, description = "Added", body = CreatedPerson, headers(("ETag" = String), ("Location" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn create_person(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(access, Creation { body, key }): Then<InOrganisation<Administrator>, Creation<NewPerson>>,
) -> Result<HttpResponse, Problem> {
    if body.role.administers() {
        permission::confirmed(&request).await?;
    }
    let token = random_token().map_err(Problem::internal)?;
    let new = people::NewPerson {
        login: fields::login("/login", &body.login)?,
        display_name: fields::name("/display_name", &body.display_name, fields::MAX_NAME)?,
        role: body.role,
        link_digest: digest(&token),
        link_validity: link_validity(&context),
    };
    let url = link_url(&context, &token);
    let (organisation, keys) = (access.organisation_id, context.keys.clone());
    let created = context
        .database
        .creation(key, move |connection, key| {
            let caller = &access.who.principal;
            once(connection, &keys, caller.person_id, key, |connection| {
                let (row, expires_at) =
                    people::create(connection, &access.who.origin, caller, organisation, &new)?;
                let location = format!("/api/data/v1/organisations/{organisation}/people/{}", row.id);
                let revision = row.revision;
                let password_link = expires_at.map(|expires_at| OneTimeLink { url: url.clone(), expires_at });
                let made = CreatedPerson { person: row.into(), password_link };
                Ok(Created::new(&made)?.at(location).revision(revision))
            })
        })
        .await?;
    Ok(created.into_response())
}

/// A person of an organisation.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/people/{person_id}", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path), ("person_id" = PersonId, Path)), responses(
    (status = 200, description = "They", body = OrganisationPerson, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_person(
    context: web::Data<Context>,
    Then(access, PathId(person)): Then<InOrganisation<Administrator>, PathId<PersonId>>,
) -> Result<HttpResponse, Problem> {
    let id = access.organisation_id;
    let row = context.database.read(move |connection| people::find(connection, id, person)).await?;
    Ok(OrganisationPerson::from(row).into_response())
}

/// What is to be changed about a person.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonChange {
    /// Another role in the organisation.
    role: Option<OrganisationRole>,
    /// Whether they may not sign in.
    disabled: Option<bool>,
    /// Another name, where the present one is wrong.
    #[schema(min_length = 1, max_length = 200)]
    display_name: Option<String>,
    /// What they sign in with, where the present one is wrong.
    #[schema(min_length = 1, max_length = 254)]
    login: Option<String>,
}

impl PersonChange {
    fn correction(&self) -> Result<Correction, Problem> {
        let name = |name: &String| fields::name("/display_name", name, fields::MAX_NAME);
        let login = |login: &String| fields::login("/login", login);
        Ok(Correction {
            display_name: self.display_name.as_ref().map(name).transpose()?,
            login: self.login.as_ref().map(login).transpose()?,
        })
    }
}

/// Change a person's role, whether they may sign in, or what is wrong about name and login.
///
/// An organisation always has an owner. Disabling concerns all organisations of the person, so it takes
/// an administrator of all of them; so does correcting name or login, of which the person is told. What makes
/// an owner or administrator, unmakes an owner, or corrects, takes a confirmed session.
#[utoipa::path(patch, path = "/api/data/v1/organisations/{organisation_id}/people/{person_id}", tag = "organisations", request_body = PersonChange,
    params(("organisation_id" = OrganisationId, Path), ("person_id" = PersonId, Path), ("If-Match" = String, Header)), responses(
    (status = 200, description = "Changed", body = OrganisationPerson, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn update_person(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(Then(access, PathId(person)), Then(IfMatch(expected), Json(change))): Then<
        Then<InOrganisation<Administrator>, PathId<PersonId>>,
        Change<PersonChange>,
    >,
) -> Result<HttpResponse, Problem> {
    let correction = change.correction()?;
    let change = people::PersonChange { role: change.role, disabled: change.disabled };
    let place = (access.organisation_id, person);
    if !correction.is_empty()
        || change.role.is_some_and(OrganisationRole::administers)
        || is_owner(&context, place).await?
    {
        permission::confirmed(&request).await?;
    }
    let scene = scene(&request, &context, access.who.origin.clone());
    let row = context
        .database
        .transaction(move |connection| {
            let (origin, caller) = (&access.who.origin, &access.who.principal);
            let is_expected = |revision| expected.includes(revision);
            if correction.is_empty() {
                return people::change(connection, origin, caller, place, is_expected, change);
            }
            correction::correct(connection, &scene, caller, place, is_expected, &correction)?;
            people::change(connection, origin, caller, place, |_| true, change)
        })
        .await?;
    context.sessions.forget(person);
    Ok(OrganisationPerson::from(row).into_response())
}

/// Remove a person from an organisation and all its productions.
///
/// Administrators remove others; everybody may leave. Removing an owner takes a confirmed session.
#[utoipa::path(delete, path = "/api/data/v1/organisations/{organisation_id}/people/{person_id}", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path), ("person_id" = PersonId, Path), ("If-Match" = Option<String>, Header)), responses(
    (status = 204, description = "Removed"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn remove_person(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(access, Then(PathId(person), MaybeIfMatch(expected))): Then<
        InOrganisation<Member>,
        Then<PathId<PersonId>, MaybeIfMatch>,
    >,
) -> Result<HttpResponse, Problem> {
    if person != access.who.principal.person_id && !access.role.administers() {
        // Who else belongs to it is not for members to know: the same answer for everybody.
        return Err(Problem::from(crate::error::ProblemKind::Forbidden));
    }
    let place = (access.organisation_id, person);
    if is_owner(&context, place).await? {
        permission::confirmed(&request).await?;
    }
    context
        .database
        .transaction(move |connection| {
            let (origin, caller) = (&access.who.origin, &access.who.principal);
            let is_expected = |revision| expected.as_ref().is_none_or(|expected| expected.includes(revision));
            people::remove(connection, origin, caller, place, is_expected)
        })
        .await?;
    context.sessions.forget(person);
    Ok(HttpResponse::NoContent().finish())
}

/// Whether the person owns the organisation.
async fn is_owner(
    context: &Context,
    (organisation, person): (OrganisationId, PersonId),
) -> Result<bool, Problem> {
    let found =
        context.database.read(move |connection| people::find(connection, organisation, person)).await?;
    Ok(found.role == OrganisationRole::Owner)
}

/// Take the second factors of a person who has lost them.
///
/// Their sessions end; they sign in with the password, and add new ones. It takes a confirmed session, and
/// an administrator of all organisations of the person.
#[utoipa::path(delete, path = "/api/data/v1/organisations/{organisation_id}/people/{person_id}/factors", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path), ("person_id" = PersonId, Path)), responses(
    (status = 204, description = "Taken"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn reset_factors(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(access, Then(PathId(person), Confirmed(who))): Then<
        InOrganisation<Administrator>,
        Then<PathId<PersonId>, Confirmed>,
    >,
) -> Result<HttpResponse, Problem> {
    let place = (access.organisation_id, person);
    let scene = scene(&request, &context, who.origin);
    context
        .database
        .transaction(move |connection| people::reset_factors(connection, &scene, &who.principal, place))
        .await?;
    context.sessions.forget(person);
    Ok(HttpResponse::NoContent().finish())
}

/// Make a one-time link with which a person sets a new password. Takes a confirmed session.
#[utoipa::path(post, path = "/api/data/v1/organisations/{organisation_id}/people/{person_id}/password-link", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path), ("person_id" = PersonId, Path), ("Idempotency-Key" = Option<String>, Header)), responses(
    (status = 201, description = "Made; earlier ones have ended", body = OneTimeLink),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn create_password_link(
    context: web::Data<Context>,
    Then(access, Then(PathId(person), Then(Confirmed(_), BareCreation(key)))): Making,
) -> Result<HttpResponse, Problem> {
    let token = random_token().map_err(Problem::internal)?;
    let (url, validity, keys) = (link_url(&context, &token), link_validity(&context), context.keys.clone());
    let place = (access.organisation_id, person);
    let created = context
        .database
        .creation(key, move |connection, key| {
            let (origin, caller) = (&access.who.origin, &access.who.principal);
            once(connection, &keys, caller.person_id, key, |connection| {
                let digest = digest(&token);
                let expires_at =
                    people::create_password_link(connection, origin, caller, place, &digest, validity)?;
                Created::new(&OneTimeLink { url: url.clone(), expires_at })
            })
        })
        .await?;
    Ok(created.into_response())
}
