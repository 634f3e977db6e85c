//! Support access: owners let somebody outside see their organisation's content for a time.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use kinora_core::permission::{ModuleRole, TokenScope};
use kinora_core::{OrganisationId, SupportGrantId};
use kinora_store::support::{self, FARTHEST_START, LONGEST, NewGrant, Pages};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;
use uuid::Uuid;

use super::fields;
use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::cursor::List;
use crate::extract::idempotency::{Created, once};
use crate::extract::permission::Owner;
use crate::extract::support::pages;
use crate::extract::{Confirmed, Creation, Cursor, InOrganisation, Page, PathId, Query, Then};

/// Longest reason.
const MAX_REASON: usize = 500;

/// Where support access stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SupportState {
    /// Whoever has the address has not accepted it yet.
    Offered,
    /// It is accepted, and has not begun.
    Planned,
    /// It holds.
    Active,
    /// It has ended: by itself, by an owner, or because somebody else was let into the account.
    Ended,
}

/// Support access, as the owners of the organisation see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SupportGrant {
    /// Its id.
    id: SupportGrantId,
    /// The address it was given to. Whether there is an account of that address is not told.
    address: String,
    /// Where it stands.
    state: SupportState,
    /// What it lets them do at most.
    scope: TokenScope,
    /// Whether originals may be downloaded.
    originals: bool,
    /// Why it was given.
    reason: String,
    /// The name of who gave it, if that person still exists.
    given_by: Option<String>,
    /// When it was given.
    created_at: DateTime<Utc>,
    /// From when it holds.
    starts_at: DateTime<Utc>,
    /// When it ends by itself.
    ends_at: DateTime<Utc>,
    /// When an owner ended it before its time.
    ended_at: Option<DateTime<Utc>>,
    /// The name of that owner, if that person still exists. None also where it ended because the account got a new one-time
    /// link or lost its second factors.
    ended_by: Option<String>,
    /// When it was accepted.
    accepted_at: Option<DateTime<Utc>>,
    /// When it was used for the first time; what was done is in the audit trail, with its id as `support_grant`.
    first_used_at: Option<DateTime<Utc>>,
}

impl From<support::Grant> for SupportGrant {
    fn from(grant: support::Grant) -> Self {
        let now = Utc::now();
        let state = if grant.ended_at.is_some() || grant.ends_at <= now {
            SupportState::Ended
        } else if grant.accepted_at.is_none() {
            SupportState::Offered
        } else if now < grant.starts_at {
            SupportState::Planned
        } else {
            SupportState::Active
        };
        Self {
            id: grant.id,
            address: grant.address,
            state,
            scope: grant.scope,
            originals: grant.originals,
            reason: grant.reason,
            given_by: grant.given_by,
            created_at: grant.created_at,
            starts_at: grant.starts_at,
            ends_at: grant.ends_at,
            ended_at: grant.ended_at,
            ended_by: grant.ended_by,
            accepted_at: grant.accepted_at,
            first_used_at: grant.first_used_at,
        }
    }
}

/// Support access to be given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupportGrantForm {
    /// The address with which the person who is to help signs in here.
    #[schema(min_length = 3, max_length = 254)]
    address: String,
    /// What they may do at most: as reader or editor, never as manager.
    scope: TokenScope,
    /// Whether they may download originals.
    #[serde(default)]
    originals: bool,
    /// Why: the owners and the audit trail are told.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// From when it holds, at most 30 days ahead; left out: from now on.
    #[serde(default)]
    starts_at: Option<DateTime<Utc>>,
    /// When it ends, at most seven days after it begins.
    ends_at: DateTime<Utc>,
}

impl SupportGrantForm {
    /// What is to be given, if it may be.
    fn checked(self, now: DateTime<Utc>) -> Result<NewGrant, Problem> {
        let address = fields::address("/address", &self.address)?;
        let reason = fields::name("/reason", &self.reason, MAX_REASON)?;
        let starts_at = self.starts_at.unwrap_or(now).max(now);
        if starts_at > now + FARTHEST_START {
            return Err(Problem::invalid("/starts_at", "must be within the next 30 days"));
        }
        if self.ends_at <= starts_at {
            return Err(Problem::invalid("/ends_at", "must be after the beginning, and in the future"));
        }
        if self.ends_at > starts_at + LONGEST {
            return Err(Problem::invalid("/ends_at", "must be at most seven days after the beginning"));
        }
        Ok(NewGrant {
            address,
            scope: checked_scope(self.scope)?,
            originals: self.originals,
            reason,
            starts_at,
            ends_at: self.ends_at,
        })
    }
}

/// A scope as it is stored: each module and production once, and nothing of what managers do.
fn checked_scope(mut scope: TokenScope) -> Result<TokenScope, Problem> {
    if scope.most_role == ModuleRole::Manager {
        let detail = "must be reader or editor: what managers do is not for support";
        return Err(Problem::invalid("/scope/most_role", detail));
    }
    scope.modules.sort_unstable();
    scope.modules.dedup();
    if scope.modules.is_empty() {
        return Err(Problem::invalid("/scope/modules", "must name a module at least"));
    }
    if let Some(productions) = &mut scope.productions {
        productions.sort_unstable();
        productions.dedup();
        if !(1..=100).contains(&productions.len()) {
            return Err(Problem::invalid("/scope/productions", "must name 1 to 100 productions"));
        }
    }
    Ok(scope)
}

fn mailed_pages(public_url: &Url, organisation: OrganisationId) -> Pages {
    Pages {
        grants: pages(public_url, organisation),
        // Behind the #, which browsers send to no server and write into no Referer.
        acceptance: format!("{public_url}support-access#"),
    }
}

/// List the support access of an organisation.
///
/// For owners.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/support-grants", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path), Page), responses(
    (status = 200, description = "Newest first; what has ended among it", body = List<SupportGrant>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_support_grants(
    context: web::Data<Context>,
    Then(access, Query(page)): Then<InOrganisation<Owner>, Query<Page>>,
) -> Result<web::Json<List<SupportGrant>>, Problem> {
    let (id, limit) = (access.organisation_id, page.limit()?);
    let list = format!("support grants {id}");
    let before: Option<Uuid> =
        page.cursor.as_deref().map(|cursor| Cursor::read(&context.keys, &list, cursor)).transpose()?;
    let rows =
        context.database.read(move |connection| support::list(connection, id, before, limit + 1)).await?;
    let items: Vec<SupportGrant> = rows.into_iter().map(Into::into).collect();
    Ok(web::Json(Cursor::cut(&context.keys, &list, items, limit, |grant| grant.id.0)?))
}

/// Give somebody outside the organisation access to its content for a time.
///
/// For owners, in a confirmed session. Whether the address has an account here shows nowhere: a mail with a link goes to it
/// either way, and the access is that of the account with which the link is opened.
#[utoipa::path(post, path = "/api/data/v1/organisations/{organisation_id}/support-grants", tag = "organisations", request_body = SupportGrantForm,
    params(("organisation_id" = OrganisationId, Path), ("Idempotency-Key" = Option<String>, Header)), responses(
    (status = 201, description = "Given; the mail to the address is on its way, and the owners are told", body = SupportGrant, headers(("Location" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn give_support_access(
    context: web::Data<Context>,
    Then(access, Then(Confirmed(who), Creation { body, key })): Then<
        InOrganisation<Owner>,
        Then<Confirmed, Creation<SupportGrantForm>>,
    >,
) -> Result<HttpResponse, Problem> {
    let new = body.checked(Utc::now())?;
    let (organisation, person, keys) =
        (access.organisation_id, who.principal.person_id, context.keys.clone());
    let pages = mailed_pages(&context.settings.public_url, organisation);
    let created = context
        .database
        .creation(key, move |connection, key| {
            once(connection, &keys, person, key, |connection| {
                let made = support::give(connection, &who.origin, person, organisation, &new, &pages)?;
                let location =
                    format!("/api/data/v1/organisations/{organisation}/support-grants/{}", made.id);
                Ok(Created::new(&SupportGrant::from(made))?.at(location))
            })
        })
        .await?;
    Ok(created.into_response())
}

/// Support access of an organisation.
///
/// For owners.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/support-grants/{grant_id}", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path), ("grant_id" = SupportGrantId, Path)), responses(
    (status = 200, description = "It", body = SupportGrant),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_support_grant(
    context: web::Data<Context>,
    Then(access, PathId(id)): Then<InOrganisation<Owner>, PathId<SupportGrantId>>,
) -> Result<web::Json<SupportGrant>, Problem> {
    let organisation = access.organisation_id;
    let grant = context.database.read(move |connection| support::find(connection, organisation, id)).await?;
    Ok(web::Json(grant.into()))
}

/// End support access at once.
///
/// For owners. What is under way under it, like a clip that plays, ends within two seconds. What has ended already stays
/// as it is.
#[utoipa::path(post, path = "/api/data/v1/organisations/{organisation_id}/support-grants/{grant_id}/end", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path), ("grant_id" = SupportGrantId, Path)), responses(
    (status = 200, description = "It has ended", body = SupportGrant),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn end_support_access(
    context: web::Data<Context>,
    Then(access, PathId(id)): Then<InOrganisation<Owner>, PathId<SupportGrantId>>,
) -> Result<web::Json<SupportGrant>, Problem> {
    let (place, person) = ((access.organisation_id, id), access.who.principal.person_id);
    let pages = mailed_pages(&context.settings.public_url, access.organisation_id);
    let grant = context
        .database
        .transaction(move |connection| {
            support::end(connection, &access.who.origin, person, place, &pages, Utc::now())
        })
        .await?;
    Ok(web::Json(grant.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use kinora_core::ProductionId;
    use kinora_core::permission::Module;

    fn form(now: DateTime<Utc>, starts_in: Option<TimeDelta>, ends_in: TimeDelta) -> SupportGrantForm {
        SupportGrantForm {
            address: "help@vendor.example".to_owned(),
            scope: TokenScope {
                most_role: ModuleRole::Reader,
                modules: vec![Module::Library, Module::Library],
                productions: None,
            },
            originals: false,
            reason: "The proxy of reel 3 does not play".to_owned(),
            starts_at: starts_in.map(|after| now + after),
            ends_at: now + ends_in,
        }
    }

    #[test]
    fn it_begins_and_ends_within_bounds() {
        let days = TimeDelta::days;
        for (starts_in, ends_in, pointer) in [
            (None, days(7), None),
            (None, TimeDelta::seconds(1), None),
            (Some(days(29)), days(36), None),
            // A beginning in the past is now, and gives no longer time.
            (Some(days(-3)), days(6), None),
            (None, days(0), Some("/ends_at")),
            (None, days(8), Some("/ends_at")),
            (Some(days(-3)), days(8), Some("/ends_at")),
            (Some(days(2)), days(1), Some("/ends_at")),
            (Some(days(31)), days(32), Some("/starts_at")),
        ] {
            let now = Utc::now();
            match (form(now, starts_in, ends_in).checked(now), pointer) {
                (Ok(new), None) => assert!(new.starts_at >= now && new.ends_at - new.starts_at <= LONGEST),
                (Err(problem), Some(pointer)) => {
                    assert!(problem.document("r").contains(&format!("\"pointer\":\"{pointer}\"")));
                }
                (outcome, _) => panic!("{starts_in:?} {ends_in:?}: {outcome:?}"),
            }
        }
    }

    #[test]
    fn it_is_never_what_managers_do() {
        let mut asked = form(Utc::now(), None, TimeDelta::hours(1));
        asked.scope.most_role = ModuleRole::Manager;
        assert!(asked.checked(Utc::now()).is_err());
        let id = ProductionId::new();
        let mut asked = form(Utc::now(), None, TimeDelta::hours(1));
        asked.scope.productions = Some(vec![id, id]);
        let new = asked.checked(Utc::now()).unwrap();
        assert_eq!((new.scope.modules, new.scope.productions), (vec![Module::Library], Some(vec![id])));
    }
}
