//! Taking personal data along: one's own, that of a member or guest, that of all of them. Each is in the audit trail.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use kinora_core::{OrganisationId, PersonId};
use kinora_store::audit::{self, Act, PERSON};
use kinora_store::privacy::export::find_subject;
use kinora_store::privacy::held::{self, Extent};
use serde::Serialize;
use utoipa::ToSchema;

use super::writing::{Plan, written};
use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::permission::Administrator;
use crate::extract::{Confirmed, InOrganisation, PathId, Then};

/// The act that an export is recorded as.
const EXPORTED: &str = "personal_data.exported";

/// What is kept of somebody. It is read by programs; `docs/operations/privacy.md` tells the whole shape.
#[derive(Serialize, ToSchema)]
pub struct PersonalDataExport {
    /// "kinora-personal-data".
    format: String,
    /// 1: sections and fields may be added to it, and none is removed.
    version: u32,
    /// When it was made.
    exported_at: chrono::DateTime<chrono::Utc>,
    /// The people.
    people: Vec<ExportedPerson>,
}

/// What is kept of one person.
#[derive(Serialize, ToSchema)]
pub struct ExportedPerson {
    /// Their id.
    id: PersonId,
    /// "whole"; "account" for an account that is the organisation's, with what this organisation keeps; "organisation" for
    /// what it keeps of somebody whose account is not its own.
    extent: String,
    /// Rows by section.
    data: std::collections::BTreeMap<String, Vec<serde_json::Value>>,
}

fn file(name: &str) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    response
}

/// Export what is kept of oneself.
///
/// It takes a confirmed session. That it was exported stands in the audit trail.
#[utoipa::path(get, path = "/api/data/v1/account/personal-data", tag = "personal data", responses(
    (status = 200, description = "As a file", body = PersonalDataExport),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn export_account(
    context: web::Data<Context>,
    Confirmed(who): Confirmed,
) -> Result<HttpResponse, Problem> {
    let (person, origin) = (who.principal.person_id, who.origin.clone());
    let subject = context
        .database
        .transaction(move |connection| {
            let subject = find_subject(connection, person, Extent::Whole)?;
            let act = Act::new(EXPORTED, PERSON, person, &origin.actor);
            audit::record_personal(connection, &origin, person, act)?;
            Ok::<_, kinora_store::StoreError>(subject)
        })
        .await?;
    let plan = Plan::Own(subject);
    Ok(file("my-personal-data.json").streaming(Box::pin(written(context, who, plan))))
}

/// Export what is kept of a member or guest.
///
/// The account as well, if the caller administers every organisation that the person has anything to do with; never what
/// other organisations keep. It takes a confirmed session, and stands in the audit trail.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/people/{person_id}/personal-data", tag = "personal data",
    params(("organisation_id" = OrganisationId, Path), ("person_id" = PersonId, Path)), responses(
    (status = 200, description = "As a file", body = PersonalDataExport),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn export_person(
    context: web::Data<Context>,
    Then(access, Then(PathId(person), Confirmed(who))): Then<
        InOrganisation<Administrator>,
        Then<PathId<PersonId>, Confirmed>,
    >,
) -> Result<HttpResponse, Problem> {
    let organisation = access.organisation_id;
    let (origin, principal) = (who.origin.clone(), who.principal.clone());
    let subject = context
        .database
        .transaction(move |connection| {
            let held = held::find(connection, organisation, person)?;
            let extent = held::extent_of_export(connection, &principal, organisation, person)?;
            let subject = find_subject(connection, person, extent)?;
            let act = Act::new(EXPORTED, PERSON, person, &held.login).in_organisation(organisation);
            let act = act.after(serde_json::json!({ "extent": extent.name() }));
            audit::record(connection, &origin, act)?;
            Ok::<_, kinora_store::StoreError>(subject)
        })
        .await?;
    let plan = Plan::One(organisation, subject);
    Ok(file(&format!("personal-data-{person}.json")).streaming(Box::pin(written(context, who, plan))))
}

/// Export what is kept of all members and guests of an organisation.
///
/// It takes a confirmed session, and stands in the audit trail.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/personal-data", tag = "personal data",
    params(("organisation_id" = OrganisationId, Path)), responses(
    (status = 200, description = "As a file", body = PersonalDataExport),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn export_organisation(
    context: web::Data<Context>,
    Then(access, Confirmed(who)): Then<InOrganisation<Administrator>, Confirmed>,
) -> Result<HttpResponse, Problem> {
    let organisation = access.organisation_id;
    let origin = who.origin.clone();
    context
        .database
        .transaction(move |connection| {
            let act = Act::new(EXPORTED, "organisation", organisation, "all members and guests");
            audit::record(connection, &origin, act.in_organisation(organisation))
        })
        .await?;
    Ok(file("personal-data.json").streaming(Box::pin(written(context, who, Plan::All(organisation)))))
}
