//! Erasing a person, and the reports of it.

use std::time::Duration;

use actix_web::web;
use chrono::{DateTime, Utc};
use diesel::Connection as _;
use kinora_core::{ErasureId, OrganisationId, PersonId};
use kinora_store::privacy::erasures::{self, AskedBy};
use kinora_store::privacy::{erasure, held, register};
use kinora_store::sign_in::login_key;
use kinora_store::{Origin, Principal, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::cursor::{List, Page};
use crate::extract::permission::Administrator;
use crate::extract::{Confirmed, Cursor, InOrganisation, Json, PathId, Query, Then};

/// How long an erasure may take: it looks through all of the audit trail.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was done with rows of one kind.
#[derive(Serialize, ToSchema)]
pub struct ErasedRows {
    /// The table.
    table: String,
    /// What it is called on the page about personal data.
    title: String,
    /// "deleted", "pseudonymised", or "kept" with the opaque id alone.
    done: String,
    /// How many.
    rows: i64,
}

/// An erasure, and what was done. It holds no personal data.
#[derive(Serialize, ToSchema)]
pub struct Erasure {
    /// Its id.
    id: ErasureId,
    /// The opaque id of the person.
    person_id: PersonId,
    /// "whole", or "organisation" where only what an organisation kept was erased.
    extent: &'static str,
    /// The opaque id that stands in place of the person.
    stands_for: PersonId,
    /// Who asked for it: "person", "organisation" or "operator".
    asked_by: &'static str,
    /// When.
    erased_at: DateTime<Utc>,
    /// What was done.
    report: Vec<ErasedRows>,
}

impl From<erasures::Erasure> for Erasure {
    fn from(row: erasures::Erasure) -> Self {
        let rows = |done: erasure::Done| {
            let title = register::find(&done.table).map(|table| table.title).unwrap_or_default();
            ErasedRows { table: done.table, title: title.to_owned(), done: done.done, rows: done.rows }
        };
        Self {
            id: row.id,
            person_id: row.person_id,
            extent: if row.organisation_id.is_some() { "organisation" } else { "whole" },
            stands_for: row.stands_for,
            asked_by: row.asked_by.name(),
            erased_at: row.erased_at,
            report: row.report.into_iter().map(rows).collect(),
        }
    }
}

/// Whose data is to be erased, typed once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErasureRequest {
    /// What the person signs in with, so that nobody erases somebody by mistake.
    #[schema(max_length = 254)]
    login: String,
}

/// An administrator, whom they erase, that it is them, and that it is meant.
type Erasing =
    Then<InOrganisation<Administrator>, Then<PathId<PersonId>, Then<Confirmed, Json<ErasureRequest>>>>;

fn require_same(stored: &str, typed: &str) -> Result<(), Problem> {
    if login_key(stored) == login_key(typed) {
        Ok(())
    } else {
        Err(Problem::invalid("/login", "is not what this person signs in with"))
    }
}

async fn erase<F>(context: &Context, origin: Origin, asked_by: AskedBy, decide: F) -> Result<Erasure, Problem>
where
    F: FnOnce(&mut diesel::PgConnection) -> Result<(PersonId, held::Extent), Problem> + Send + 'static,
{
    let done = context
        .database
        .run_patiently(PATIENCE, move |connection| {
            connection.transaction(|connection| {
                let whom = decide(connection)?;
                erasure::erase(connection, &origin, whom, asked_by).map_err(Problem::from)
            })
        })
        .await?;
    context.sessions.forget(done.person_id);
    Ok(done.into())
}

/// Erase one's own account and everything that is kept of oneself.
///
/// It takes a confirmed session, and cannot be undone. What one made stays in its productions, without the name. The
/// only owner of an organisation makes somebody else owner first.
#[utoipa::path(post, path = "/api/data/v1/account/erasure", tag = "personal data", request_body = ErasureRequest, responses(
    (status = 200, description = "Erased; the session has ended", body = Erasure),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn erase_account(
    context: web::Data<Context>,
    Then(Confirmed(who), Json(request)): Then<Confirmed, Json<ErasureRequest>>,
) -> Result<web::Json<Erasure>, Problem> {
    require_same(&who.principal.login, &request.login)?;
    let person = who.principal.person_id;
    let erased =
        erase(&context, who.origin, AskedBy::Person, move |_| Ok((person, held::Extent::Whole))).await?;
    Ok(web::Json(erased))
}

/// Erase a member or guest.
///
/// The account, if it belongs to organisations that the caller administers, or to none; else what this organisation
/// keeps of the person. It takes a confirmed session, and cannot be undone.
#[utoipa::path(post, path = "/api/data/v1/organisations/{organisation_id}/people/{person_id}/erasure", tag = "personal data",
    request_body = ErasureRequest, params(("organisation_id" = OrganisationId, Path), ("person_id" = PersonId, Path)), responses(
    (status = 200, description = "Erased", body = Erasure),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn erase_person(
    context: web::Data<Context>,
    Then(access, Then(PathId(person), Then(Confirmed(who), Json(request)))): Erasing,
) -> Result<web::Json<Erasure>, Problem> {
    let (organisation, caller) = (access.organisation_id, who.principal.clone());
    let decide = move |connection: &mut diesel::PgConnection| {
        decide(connection, &caller, organisation, person, &request.login)
    };
    let erased = erase(&context, who.origin, AskedBy::Organisation, decide).await?;
    context.sessions.forget(person);
    Ok(web::Json(erased))
}

fn decide(
    connection: &mut diesel::PgConnection,
    caller: &Principal,
    organisation: OrganisationId,
    person: PersonId,
    typed: &str,
) -> Result<(PersonId, held::Extent), Problem> {
    let held = held::find(connection, organisation, person)?;
    if caller.person_id == person {
        let sentence = "Erase your own account on the page of your account.";
        return Err(StoreError::Conflict(sentence.to_owned()).into());
    }
    let extent = held::extent_of_erasure(connection, caller, organisation, person)?;
    require_same(&held.login, typed)?;
    Ok((person, extent))
}

/// List the erasures that an organisation is told of.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/erasures", tag = "personal data",
    params(("organisation_id" = OrganisationId, Path), Page), responses(
    (status = 200, description = "Newest first", body = List<Erasure>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_erasures(
    context: web::Data<Context>,
    Then(access, Query(page)): Then<InOrganisation<Administrator>, Query<Page>>,
) -> Result<web::Json<List<Erasure>>, Problem> {
    let (id, limit) = (access.organisation_id, page.limit()?);
    let list = format!("erasures {id}");
    let before: Option<Uuid> =
        page.cursor.as_deref().map(|cursor| Cursor::read(&context.keys, &list, cursor)).transpose()?;
    let rows =
        context.database.read(move |connection| erasures::list(connection, id, before, limit + 1)).await?;
    let items: Vec<Erasure> = rows.into_iter().map(Into::into).collect();
    Ok(web::Json(Cursor::cut(&context.keys, &list, items, limit, |erasure| erasure.id.0)?))
}

/// The report of an erasure.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/erasures/{erasure_id}", tag = "personal data",
    params(("organisation_id" = OrganisationId, Path), ("erasure_id" = ErasureId, Path)), responses(
    (status = 200, description = "It", body = Erasure),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_erasure(
    context: web::Data<Context>,
    Then(access, PathId(id)): Then<InOrganisation<Administrator>, PathId<ErasureId>>,
) -> Result<web::Json<Erasure>, Problem> {
    let organisation = access.organisation_id;
    let row = context.database.read(move |connection| erasures::find(connection, organisation, id)).await?;
    Ok(web::Json(row.into()))
}
