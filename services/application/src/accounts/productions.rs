//! Productions and their members.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use kinora_core::permission::{ModuleRole, ProductionRoles};
use kinora_core::{OrganisationId, PersonId, ProductionId, SupportGrantId};
use kinora_store::principals::{Principal, ProductionMembership, UnderSupport};
use kinora_store::productions::{self, Changer, MembershipChange, Which};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::fields;
use super::session::Person;
use crate::context::Context;
use crate::error::{Problem, ProblemDocument, ProblemKind};
use crate::extract::conditional::{Expected, MaybeIfMatch};
use crate::extract::cursor::List;
use crate::extract::idempotency::{Created, once};
use crate::extract::permission::{self, Administrator, OfMemberships};
use crate::extract::{
    AsOfNow, Authenticated, Creation, Cursor, IfMatch, InOrganisation, Json, OfProduction, Page, PathId,
    Query, SignedIn, Then, etag, support,
};

/// A production.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Production {
    /// Its id.
    id: ProductionId,
    /// Its name.
    name: String,
    /// The organisation that owns it.
    organisation_id: OrganisationId,
    /// The organisation's name.
    organisation: String,
    /// One's own roles in it; none in any module for an administrator who is no member.
    my_roles: ProductionRoles,
    /// When one's own membership ends.
    my_membership_ends_at: Option<DateTime<Utc>>,
    /// Whether one is a guest in it: does not belong to the organisation that owns it.
    guest: bool,
    /// The support access under which one sees it; none: one is a member, or administers the organisation.
    support: Option<ProductionSupport>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
    /// Counts its changes; in quotes it is the `ETag`.
    revision: i64,
}

/// Support access, as whoever has it sees it in a production.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct ProductionSupport {
    /// Its id.
    grant_id: SupportGrantId,
    /// When it ends.
    ends_at: Option<DateTime<Utc>>,
    /// Whether originals may be downloaded.
    originals: bool,
}

impl Production {
    fn new(row: productions::Production, principal: &Principal) -> Self {
        let membership = principal.productions.get(&ProductionId(row.id));
        Self {
            guest: principal.is_guest(ProductionId(row.id)),
            support: membership.and_then(ProductionSupport::of),
            my_membership_ends_at: membership.and_then(|membership| membership.ends_at),
            id: ProductionId(row.id),
            name: row.name,
            organisation_id: OrganisationId(row.organisation_id),
            organisation: row.organisation,
            my_roles: principal.production_roles(ProductionId(row.id)),
            created_at: row.created_at,
            updated_at: row.updated_at,
            revision: row.revision,
        }
    }

    fn into_response(self) -> HttpResponse {
        HttpResponse::Ok().insert_header((header::ETAG, etag(self.revision))).json(self)
    }
}

impl ProductionSupport {
    fn of(membership: &ProductionMembership) -> Option<Self> {
        let UnderSupport { grant, originals } = membership.support?;
        Some(Self { grant_id: grant, ends_at: membership.ends_at, originals })
    }
}

/// The name of a production.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductionForm {
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
}

async fn list(
    context: &Context,
    principal: &Principal,
    which: Which,
    name: String,
    page: &Page,
) -> Result<web::Json<List<Production>>, Problem> {
    let limit = page.limit()?;
    let before: Option<Uuid> =
        page.cursor.as_deref().map(|cursor| Cursor::read(&context.keys, &name, cursor)).transpose()?;
    let rows = context
        .database
        .read(move |connection| productions::list(connection, &which, before, limit + 1))
        .await?;
    let items = rows.into_iter().map(|row| Production::new(row, principal)).collect();
    Ok(web::Json(Cursor::cut(&context.keys, &name, items, limit, |production: &Production| production.id.0)?))
}

/// List the productions one has a role in.
#[utoipa::path(get, path = "/api/data/v1/productions", tag = "productions", params(Page), responses(
    (status = 200, description = "Newest first", body = List<Production>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_productions(
    context: web::Data<Context>,
    request: HttpRequest,
    Then(AsOfNow(Authenticated(who)), Query(page)): Then<AsOfNow<Authenticated>, Query<Page>>,
) -> Result<web::Json<List<Production>>, Problem> {
    let principal = &who.principal;
    let hidden = unlisted(&request, &who).await?;
    let is_listed = |membership: &ProductionMembership| {
        membership.support.is_none_or(|support| !hidden.contains(&support.grant))
    };
    let listed = principal.productions.iter().filter(|(_, membership)| is_listed(membership));
    let ids = listed.map(|(id, _)| id.0).collect();
    let name = format!("productions {}", principal.person_id);
    list(&context, principal, Which::Own(ids), name, &page).await
}

/// The support access whose productions are not to be listed: it has ended in this moment. That the names of the others' are
/// seen is on record before they are.
async fn unlisted(request: &HttpRequest, who: &SignedIn) -> Result<Vec<SupportGrantId>, Problem> {
    let principal = &who.principal;
    let mut hidden = Vec::new();
    for access in principal.support.iter().filter(|access| access.lack.is_none()) {
        let gives = |membership: &ProductionMembership| {
            membership.support.is_some_and(|support| support.grant == access.grant)
        };
        if principal.productions.values().any(gives)
            && !support::note_list(request, who, access.organisation_id, access.grant).await?
        {
            hidden.push(access.grant);
        }
    }
    Ok(hidden)
}

/// List all productions of an organisation.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/productions", tag = "productions",
    params(("organisation_id" = OrganisationId, Path), Page), responses(
    (status = 200, description = "Newest first", body = List<Production>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_organisation_productions(
    context: web::Data<Context>,
    Then(access, Query(page)): Then<InOrganisation<Administrator>, Query<Page>>,
) -> Result<web::Json<List<Production>>, Problem> {
    let id = access.organisation_id;
    list(&context, &access.who.principal, Which::Of(id), format!("productions of {id}"), &page).await
}

/// Make a production.
///
/// Its maker becomes manager of every module.
#[utoipa::path(post, path = "/api/data/v1/organisations/{organisation_id}/productions", tag = "productions", request_body = ProductionForm,
    params(("organisation_id" = OrganisationId, Path), ("Idempotency-Key" = Option<String>, Header)), responses(
    (status = 201, description = "Made", body = Production, headers(("ETag" = String), ("Location" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn create_production(
    context: web::Data<Context>,
    Then(access, Creation { body, key }): Then<InOrganisation<Administrator>, Creation<ProductionForm>>,
) -> Result<HttpResponse, Problem> {
    let name = fields::name("/name", &body.name, fields::MAX_NAME)?;
    let (organisation, person) = (access.organisation_id, access.who.principal.person_id);
    let keys = context.keys.clone();
    let created = context
        .database
        .creation(key, move |connection, key| {
            once(connection, &keys, person, key, |connection| {
                let row = productions::create(connection, &access.who.origin, person, organisation, &name)?;
                let location = format!("/api/data/v1/productions/{}", row.id);
                // Its maker is its manager, whom the principal of this request does not know yet.
                let made = Production {
                    my_roles: ProductionRoles::MANAGER,
                    ..Production::new(row, &access.who.principal)
                };
                let revision = made.revision;
                Ok(Created::new(&made)?.at(location).revision(revision))
            })
        })
        .await?;
    context.sessions.forget(person);
    Ok(created.into_response())
}

/// A production.
#[utoipa::path(get, path = "/api/data/v1/productions/{production_id}", tag = "productions", params(("production_id" = ProductionId, Path)), responses(
    (status = 200, description = "It", body = Production, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_production(
    context: web::Data<Context>,
    access: OfProduction,
) -> Result<HttpResponse, Problem> {
    let id = access.production_id;
    let row = context.database.read(move |connection| productions::find(connection, id)).await?;
    Ok(Production::new(row, &access.who.principal).into_response())
}

/// Give a production another name.
///
/// For administrators and managers of the production office.
#[utoipa::path(patch, path = "/api/data/v1/productions/{production_id}", tag = "productions", request_body = ProductionForm,
    params(("production_id" = ProductionId, Path), ("If-Match" = String, Header)), responses(
    (status = 200, description = "Changed", body = Production, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn update_production(
    context: web::Data<Context>,
    Then(access, Then(IfMatch(expected), Json(form))): Then<
        OfProduction,
        Then<IfMatch, Json<ProductionForm>>,
    >,
) -> Result<HttpResponse, Problem> {
    if !access.administers() && access.roles.office != Some(ModuleRole::Manager) {
        return Err(ProblemKind::Forbidden.into());
    }
    let name = fields::name("/name", &form.name, fields::MAX_NAME)?;
    let (id, origin) = (access.production_id, access.who.origin);
    let row = context
        .database
        .transaction(move |connection| {
            productions::rename(connection, &origin, id, |revision| expected.includes(revision), &name)
        })
        .await?;
    Ok(Production::new(row, &access.who.principal).into_response())
}

/// Remove a production with all that is in it.
///
/// For administrators, in a session that was confirmed a short time ago; without that only what was made within the last hours
/// and nobody else is a member of. It is gone at once for everybody; its media are kept for a week.
#[utoipa::path(delete, path = "/api/data/v1/productions/{production_id}", tag = "productions",
    params(("production_id" = ProductionId, Path), ("If-Match" = Option<String>, Header)), responses(
    (status = 204, description = "Removed"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn remove_production(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(access, MaybeIfMatch(expected)): Then<OfProduction, MaybeIfMatch>,
) -> Result<HttpResponse, Problem> {
    if !access.administers() {
        return Err(ProblemKind::Forbidden.into());
    }
    let (id, origin, person) = (access.production_id, access.who.origin, access.who.principal.person_id);
    let just_begun =
        context.database.read(move |connection| productions::has_just_begun(connection, id, person)).await?;
    if !just_begun {
        permission::confirmed(&request).await?;
    }
    context
        .database
        .transaction(move |connection| {
            let is_expected = |revision| expected.as_ref().is_none_or(|expected| expected.includes(revision));
            productions::remove(connection, &origin, id, is_expected)
        })
        .await?;
    context.sessions.forget(person);
    Ok(HttpResponse::NoContent().finish())
}

/// A member of a production.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProductionMember {
    /// The person.
    person: Person,
    /// The roles, at least one.
    roles: ProductionRoles,
    /// When the membership ends, or has ended: from that instant on it gives nothing.
    ends_at: Option<DateTime<Utc>>,
    /// Whether they are a guest: do not belong to the organisation that owns the production.
    guest: bool,
    /// Counts the changes; in quotes it is the `ETag`.
    revision: i64,
}

impl From<productions::Member> for ProductionMember {
    fn from(row: productions::Member) -> Self {
        let person = Person { id: row.person_id, login: row.login, display_name: row.display_name };
        Self { person, roles: row.roles, ends_at: row.ends_at, guest: row.is_guest, revision: row.revision }
    }
}

/// What a member is to have.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberForm {
    /// Role in the production office.
    #[serde(default)]
    office: Option<ModuleRole>,
    /// Role in the library.
    #[serde(default)]
    library: Option<ModuleRole>,
    /// Role in subtitling.
    #[serde(default)]
    subtitling: Option<ModuleRole>,
    /// Role in the budget.
    #[serde(default)]
    budget: Option<ModuleRole>,
    /// When the membership ends; `null`: never. Left out: as it is.
    #[serde(default, deserialize_with = "fields::present")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    ends_at: Option<Option<DateTime<Utc>>>,
}

impl MemberForm {
    fn roles(&self) -> ProductionRoles {
        let Self { office, library, subtitling, budget, .. } = *self;
        ProductionRoles { office, library, subtitling, budget }
    }
}

impl ProductionMember {
    fn into_response(self) -> HttpResponse {
        HttpResponse::Ok().insert_header((header::ETAG, etag(self.revision))).json(self)
    }
}

/// List the members of a production.
#[utoipa::path(get, path = "/api/data/v1/productions/{production_id}/members", tag = "productions",
    params(("production_id" = ProductionId, Path), Page), responses(
    (status = 200, description = "By login", body = List<ProductionMember>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_members(
    context: web::Data<Context>,
    Then(OfMemberships(access), Query(page)): Then<OfMemberships, Query<Page>>,
) -> Result<web::Json<List<ProductionMember>>, Problem> {
    let (id, limit) = (access.production_id, page.limit()?);
    let list = format!("members {id}");
    let after: Option<String> =
        page.cursor.as_deref().map(|cursor| Cursor::read(&context.keys, &list, cursor)).transpose()?;
    let rows = context
        .database
        .read(move |connection| productions::list_members(connection, id, after.as_deref(), limit + 1))
        .await?;
    let items: Vec<ProductionMember> = rows.into_iter().map(Into::into).collect();
    Ok(web::Json(Cursor::cut(&context.keys, &list, items, limit, |member| member.person.login.clone())?))
}

/// A member of a production.
#[utoipa::path(get, path = "/api/data/v1/productions/{production_id}/members/{person_id}", tag = "productions",
    params(("production_id" = ProductionId, Path), ("person_id" = PersonId, Path)), responses(
    (status = 200, description = "They", body = ProductionMember, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_member(
    context: web::Data<Context>,
    Then(OfMemberships(access), PathId(person)): Then<OfMemberships, PathId<PersonId>>,
) -> Result<HttpResponse, Problem> {
    let id = access.production_id;
    let row =
        context.database.read(move |connection| productions::find_member(connection, id, person)).await?;
    Ok(ProductionMember::from(row).into_response())
}

/// Give a person of the organisation, or a guest, roles in a production.
///
/// Administrators give any; managers of a module give that module's, and say when a membership ends that
/// has no roles in others. Needs `If-Match` if the person is a member already.
#[utoipa::path(put, path = "/api/data/v1/productions/{production_id}/members/{person_id}", tag = "productions", request_body = MemberForm,
    params(("production_id" = ProductionId, Path), ("person_id" = PersonId, Path), ("If-Match" = Option<String>, Header)), responses(
    (status = 200, description = "They are a member with these roles", body = ProductionMember, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn set_member(
    context: web::Data<Context>,
    Then(Then(access, PathId(person)), Then(MaybeIfMatch(expected), Json(form))): Then<
        Then<OfProduction, PathId<PersonId>>,
        Then<MaybeIfMatch, Json<MemberForm>>,
    >,
) -> Result<HttpResponse, Problem> {
    require_some_manager(&access)?;
    let roles = form.roles();
    if roles.is_empty() {
        return Err(Problem::invalid(
            "",
            "must have a role in at least one module; remove the member instead",
        ));
    }
    if let Some(Some(end)) = form.ends_at {
        fields::future("/ends_at", end)?;
    }
    let check = move |stored: Option<i64>| check_expected(expected.as_ref(), stored, true);
    let change = MembershipChange { roles, ends_at: form.ends_at };
    let member = change_roles(&context, access, person, change, check).await?;
    let member = member.ok_or_else(|| Problem::internal("a member without roles"))?;
    Ok(ProductionMember::from(member).into_response())
}

/// Remove a person from a production.
#[utoipa::path(delete, path = "/api/data/v1/productions/{production_id}/members/{person_id}", tag = "productions",
    params(("production_id" = ProductionId, Path), ("person_id" = PersonId, Path), ("If-Match" = Option<String>, Header)), responses(
    (status = 204, description = "Removed"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn remove_member(
    context: web::Data<Context>,
    Then(access, Then(PathId(person), MaybeIfMatch(expected))): Then<
        OfProduction,
        Then<PathId<PersonId>, MaybeIfMatch>,
    >,
) -> Result<HttpResponse, Problem> {
    require_some_manager(&access)?;
    let check = move |stored: Option<i64>| match stored {
        None => Err(Problem::not_found()),
        stored => check_expected(expected.as_ref(), stored, false),
    };
    let change = MembershipChange { roles: ProductionRoles::default(), ends_at: None };
    change_roles(&context, access, person, change, check).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Refuses those who manage nothing, before they learn who belongs to the organisation.
fn require_some_manager(access: &OfProduction) -> Result<(), Problem> {
    let roles = &access.roles;
    let manages =
        [roles.office, roles.library, roles.subtitling, roles.budget].contains(&Some(ModuleRole::Manager));
    if access.administers() || manages { Ok(()) } else { Err(ProblemKind::Forbidden.into()) }
}

fn check_expected(expected: Option<&Expected>, stored: Option<i64>, is_needed: bool) -> Result<(), Problem> {
    match (expected, stored) {
        (Some(expected), Some(stored)) => expected.require(stored),
        // They were a member when the caller last looked.
        (Some(_), None) => Err(ProblemKind::PreconditionFailed.into()),
        (None, Some(_)) if is_needed => Err(ProblemKind::PreconditionRequired.into()),
        (None, _) => Ok(()),
    }
}

async fn change_roles(
    context: &Context,
    access: OfProduction,
    person: PersonId,
    change: MembershipChange,
    check: impl FnOnce(Option<i64>) -> Result<(), Problem> + Send + 'static,
) -> Result<Option<productions::Member>, Problem> {
    let changer = Changer { administers: access.administers(), roles: access.roles };
    let (place, origin) = ((access.production_id, person), access.who.origin);
    let member = context
        .database
        .transaction(move |connection| {
            productions::set_roles::<Problem>(connection, &origin, changer, place, check, &change)
        })
        .await?;
    context.sessions.forget(person);
    Ok(member)
}
