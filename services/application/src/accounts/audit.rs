//! The audit trail of an organisation: searching it, taking it along, and whether it is whole.

use std::fmt::Write as _;

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::{Stream, TryStreamExt as _, stream};
use kinora_core::permission::OrganisationRole;
use kinora_core::{OrganisationId, PersonId, ProductionId, SupportGrantId};
use kinora_store::audit::{self, Act, AuditRow, Filter, Verdict};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::cursor::{Cursor, List, checked_limit};
use crate::extract::permission::Administrator;
use crate::extract::{InOrganisation, Query, SignedIn, Then};

/// Rows of an export that are read at once.
const EXPORT_PAGE: i64 = 1000;

/// A row of the audit trail.
#[derive(Serialize, ToSchema)]
pub struct AuditEntry {
    /// Its position in the trail of the whole installation.
    sequence: i64,
    /// When it was recorded.
    at: DateTime<Utc>,
    /// Who did it.
    actor_id: Option<PersonId>,
    /// Their login at that time.
    actor: String,
    /// From where.
    address: Option<String>,
    /// In which request.
    request_id: Option<String>,
    /// In which production.
    production_id: Option<ProductionId>,
    /// What was done.
    action: String,
    /// To what kind of thing.
    subject_kind: String,
    /// To which one.
    subject_id: Option<Uuid>,
    /// Its name at that time.
    subject: Option<String>,
    /// State before.
    before: Option<serde_json::Value>,
    /// State after.
    after: Option<serde_json::Value>,
    /// The row's place in the chain: SHA-256 over the hash before it and the row, hexadecimal.
    hash: String,
    /// The support access under which it was done.
    support_grant_id: Option<SupportGrantId>,
    /// Whether names were erased from it, of somebody who asked for that.
    erased: bool,
    /// Whether whoever did it was a guest of the organisation at that time.
    actor_is_guest: bool,
}

impl From<AuditRow> for AuditEntry {
    fn from(row: AuditRow) -> Self {
        Self {
            sequence: row.sequence,
            at: row.at,
            actor_id: row.actor_id.map(PersonId),
            actor: row.actor,
            address: row.address,
            request_id: row.request_id,
            production_id: row.production_id.map(ProductionId),
            action: row.action,
            subject_kind: row.subject_kind,
            subject_id: row.subject_id,
            subject: row.subject,
            before: row.before,
            after: row.after,
            hash: hex::encode(row.hash),
            support_grant_id: row.support_grant_id.map(SupportGrantId),
            erased: !row.erasures.is_empty(),
            actor_is_guest: row.actor_is_guest,
        }
    }
}

/// What is looked for, and how much of it.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditSearch {
    /// `next_cursor` of the page before, with the same filter.
    pub cursor: Option<String>,
    /// Most items: 1 to 200, else 50.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u16>,
    /// Who did it, or to whom it was done.
    pub person: Option<PersonId>,
    /// In which production.
    pub production: Option<ProductionId>,
    /// The act, like `person.created`; with a dot at the end all of a noun, like `person.`.
    #[param(max_length = 100)]
    pub action: Option<String>,
    /// Not before this instant.
    pub since: Option<DateTime<Utc>>,
    /// Before this instant.
    pub until: Option<DateTime<Utc>>,
    /// Only what changes who may do what.
    #[serde(default)]
    pub permissions_only: bool,
    /// Only what was done under this support access.
    pub support_grant: Option<SupportGrantId>,
    /// Only what was done under any support access.
    #[serde(default)]
    pub support_only: bool,
}

impl AuditSearch {
    fn filter(&self) -> Result<Filter, Problem> {
        if self.action.as_ref().is_some_and(|action| action.chars().count() > 100) {
            return Err(Problem::invalid_parameter("action", "must have at most 100 characters"));
        }
        Ok(Filter {
            person: self.person,
            production: self.production,
            action: self.action.clone().filter(|action| !action.is_empty()),
            since: self.since,
            until: self.until,
            permissions_only: self.permissions_only,
            support_grant: self.support_grant,
            support_only: self.support_only,
        })
    }
}

/// List the audit trail of an organisation.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/audit", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path), AuditSearch), responses(
    (status = 200, description = "Newest first", body = List<AuditEntry>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_audit(
    context: web::Data<Context>,
    Then(access, Query(search)): Then<InOrganisation<Administrator>, Query<AuditSearch>>,
) -> Result<web::Json<List<AuditEntry>>, Problem> {
    let (id, limit, filter) = (access.organisation_id, checked_limit(search.limit)?, search.filter()?);
    let list = format!("audit {id} {filter:?}");
    let before: Option<i64> =
        search.cursor.as_deref().map(|cursor| Cursor::read(&context.keys, &list, cursor)).transpose()?;
    let rows = context
        .database
        .read(move |connection| audit::list(connection, id, &filter, before, limit + 1))
        .await?;
    let items: Vec<AuditEntry> = rows.into_iter().map(Into::into).collect();
    Ok(web::Json(Cursor::cut(&context.keys, &list, items, limit, |row| row.sequence)?))
}

/// What an export is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// A table (RFC 4180) for spreadsheets.
    Csv,
    /// An array of the same objects as in the list.
    Json,
}

/// What is exported.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditExport {
    /// What it is written in.
    #[param(inline)]
    pub format: ExportFormat,
    /// Who did it, or to whom it was done.
    pub person: Option<PersonId>,
    /// In which production.
    pub production: Option<ProductionId>,
    /// As in the list.
    #[param(max_length = 100)]
    pub action: Option<String>,
    /// Not before this instant.
    pub since: Option<DateTime<Utc>>,
    /// Before this instant.
    pub until: Option<DateTime<Utc>>,
    /// Only what changes who may do what.
    #[serde(default)]
    pub permissions_only: bool,
    /// Only what was done under this support access.
    pub support_grant: Option<SupportGrantId>,
    /// Only what was done under any support access.
    #[serde(default)]
    pub support_only: bool,
}

impl From<AuditExport> for AuditSearch {
    fn from(export: AuditExport) -> Self {
        let AuditExport {
            format: _,
            person,
            production,
            action,
            since,
            until,
            permissions_only,
            support_grant,
            support_only,
        } = export;
        Self {
            cursor: None,
            limit: None,
            person,
            production,
            action,
            since,
            until,
            permissions_only,
            support_grant,
            support_only,
        }
    }
}

/// Export the audit trail of an organisation, or what a filter leaves of it.
///
/// That it was exported stands in the trail.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/audit/export", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path), AuditExport), responses(
    (status = 200, description = "Newest first, as a file", content((String = "text/csv"), (Vec<AuditEntry> = "application/json"))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn export_audit(
    context: web::Data<Context>,
    Then(access, Query(export)): Then<InOrganisation<Administrator>, Query<AuditExport>>,
) -> Result<HttpResponse, Problem> {
    let format = export.format;
    let search = AuditSearch::from(export);
    let (filter, id) = (search.filter()?, access.organisation_id);
    let origin = access.who.origin.clone();
    context
        .database
        .transaction(move |connection| {
            let act = Act::new("audit.exported", "organisation", id, "audit trail").in_organisation(id);
            audit::record(connection, &origin, act)
        })
        .await?;
    let (kind, name) = match format {
        ExportFormat::Csv => ("text/csv; charset=utf-8", "audit.csv"),
        ExportFormat::Json => ("application/json", "audit.json"),
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, kind))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(Box::pin(written(context, access.who, id, filter, format))))
}

/// How far an export is.
enum Place {
    Begin,
    /// Rows below this number are still to be written.
    Below(i64),
    End,
}

/// The export as bytes, page by page. It breaks off when the caller may not read the trail any longer.
fn written(
    context: web::Data<Context>,
    who: SignedIn,
    id: OrganisationId,
    filter: Filter,
    format: ExportFormat,
) -> impl Stream<Item = Result<Bytes, actix_web::Error>> {
    stream::try_unfold(Place::Begin, move |place| {
        let (context, who, filter) = (context.clone(), who.clone(), filter.clone());
        async move {
            let (below, mut text) = match place {
                Place::Begin => (i64::MAX, opening(format)),
                Place::Below(below) => (below, String::new()),
                Place::End => return Ok(None),
            };
            let principal = context.sessions.read_under_way(who.principal.proof, who.credential).await?;
            let role = principal.and_then(|principal| principal.organisation_role(id));
            if !role.is_some_and(OrganisationRole::administers) {
                return Err(Problem::not_found());
            }
            let rows = context
                .database
                .read(move |connection| audit::list(connection, id, &filter, Some(below), EXPORT_PAGE))
                .await?;
            let last = rows.last().map(|row| row.sequence);
            let is_first = below == i64::MAX;
            for (number, row) in rows.into_iter().enumerate() {
                write_row(&mut text, format, row.into(), is_first && number == 0)?;
            }
            let next = last.map_or(Place::End, Place::Below);
            if matches!((&next, format), (Place::End, ExportFormat::Json)) {
                text.push_str("]\n");
            }
            Ok(Some((Bytes::from(text), next)))
        }
    })
    .map_err(actix_web::Error::from)
}

/// The columns of a table, in the order of [`write_row`].
const COLUMNS: &str = "sequence,at,actor_id,actor,address,request_id,production_id,action,subject_kind,\
                       subject_id,subject,before,after,hash,support_grant_id,actor_is_guest\r\n";

fn opening(format: ExportFormat) -> String {
    match format {
        ExportFormat::Csv => COLUMNS.to_owned(),
        ExportFormat::Json => "[".to_owned(),
    }
}

fn write_row(
    text: &mut String,
    format: ExportFormat,
    entry: AuditEntry,
    is_first: bool,
) -> Result<(), Problem> {
    match format {
        ExportFormat::Json => {
            if !is_first {
                text.push_str(",\n");
            }
            text.push_str(&serde_json::to_string(&entry).map_err(Problem::internal)?);
        }
        ExportFormat::Csv => {
            let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
            let json =
                |value: Option<serde_json::Value>| value.map(|value| value.to_string()).unwrap_or_default();
            let cells = [
                entry.sequence.to_string(),
                entry.at.to_rfc3339_opts(SecondsFormat::Micros, true),
                id(entry.actor_id.map(Into::into)),
                entry.actor,
                entry.address.unwrap_or_default(),
                entry.request_id.unwrap_or_default(),
                id(entry.production_id.map(Into::into)),
                entry.action,
                entry.subject_kind,
                id(entry.subject_id),
                entry.subject.unwrap_or_default(),
                json(entry.before),
                json(entry.after),
                entry.hash,
                id(entry.support_grant_id.map(Into::into)),
                entry.actor_is_guest.to_string(),
            ];
            for (place, value) in cells.iter().enumerate() {
                let separator = if place == 0 { "" } else { "," };
                write!(text, "{separator}{}", cell(value)).map_err(Problem::internal)?;
            }
            text.push_str("\r\n");
        }
    }
    Ok(())
}

/// A cell of a table. What a spreadsheet would take for a formula gets an apostrophe before it
/// (OWASP, CSV Injection): people choose their names.
fn cell(value: &str) -> String {
    let guard = if value.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if value.contains([',', '"', '\r', '\n']) || !guard.is_empty() {
        format!("\"{guard}{}\"", value.replace('"', "\"\""))
    } else {
        value.to_owned()
    }
}

/// What the last check of the trail found.
#[derive(Serialize, ToSchema)]
pub struct AuditCheck {
    /// When; none: it was not checked yet.
    at: Option<DateTime<Utc>>,
    /// Whether every row of the installation's trail is what was written, and none is missing.
    intact: Option<bool>,
    /// Hash of the newest row at that time. Kept elsewhere, it shows should all of the trail be rewritten.
    head: Option<String>,
}

/// Whether the audit trail is whole, as of its last check.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/audit/check", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path)), responses(
    (status = 200, description = "The last check", body = AuditCheck),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_audit_check(
    context: web::Data<Context>,
    _access: InOrganisation<Administrator>,
) -> Result<web::Json<AuditCheck>, Problem> {
    let check = context.database.read(audit::last_check).await?;
    Ok(web::Json(match check {
        None => AuditCheck { at: None, intact: None, head: None },
        Some(audit::Check { at, verdict: Verdict::Intact { head, .. } }) => {
            AuditCheck { at: Some(at), intact: Some(true), head: Some(head) }
        }
        Some(audit::Check { at, .. }) => AuditCheck { at: Some(at), intact: Some(false), head: None },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_what_they_were_and_never_formulas() {
        assert_eq!(cell("plain"), "plain");
        assert_eq!(cell("a,\"b\"\r\nc"), "\"a,\"\"b\"\"\r\nc\"");
        for formula in ["=1+1", "+1", "-1", "@x", "\tx"] {
            assert_eq!(cell(formula), format!("\"'{formula}\""));
        }
    }
}
