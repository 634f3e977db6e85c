//! Runs and their steps: reading, cancelling, starting a step again.

use actix_web::HttpResponse;
use actix_web::web;
use kinora_core::state::RunState;
use kinora_core::{AssetId, RunId, StepId};
use kinora_store::run_views::{self, Run};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::cursor::{List, checked_limit};
use crate::extract::permission::{Editor, Library, Reader};
use crate::extract::{Cursor, InProduction, PathId, Query, Then, Within};

/// The runs of an asset with their steps, newest first, at most 100.
#[utoipa::path(
    get,
    path = "/api/data/v1/assets/{asset_id}/runs",
    tag = "library",
    params(("asset_id" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "The runs", body = List<Run>),
        (status = "default", description = "A problem", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn list_asset_runs(
    caller: Within<AssetId, Library, Reader>,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let (principal, id) = (caller.who.principal, caller.id);
    let items =
        context.database.read(move |connection| run_views::list_of_asset(connection, &principal, id)).await?;
    Ok(HttpResponse::Ok().json(List { items, next_cursor: None }))
}

/// What the list is asked for.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RunQuery {
    /// Only runs that stand there.
    #[param(inline)]
    state: Option<RunState>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most items: 1 to 200, else 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
}

/// The runs of a production with their steps, newest first.
#[utoipa::path(
    get,
    path = "/api/data/v1/productions/{production_id}/runs",
    tag = "library",
    params(("production_id" = uuid::Uuid, Path), RunQuery),
    responses(
        (status = 200, description = "A page of the list", body = List<Run>),
        (status = "default", description = "A problem", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn list_runs(
    caller: InProduction<Library, Reader>,
    Query(query): Query<RunQuery>,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let (principal, production) = (caller.who.principal, caller.production_id);
    let list = format!("runs {production} {:?}", query.state);
    let limit = usize::try_from(checked_limit(query.limit)?).unwrap_or_default();
    let after = match &query.cursor {
        Some(cursor) => Some(Cursor::read(&context.keys, &list, cursor)?),
        None => None,
    };
    let page = context
        .database
        .read(move |connection| {
            run_views::list_of_production(connection, &principal, production, query.state, after, limit)
        })
        .await?;
    let next_cursor = match &page.next {
        Some(next) => Some(Cursor::write(&context.keys, &list, next)?),
        None => None,
    };
    Ok(HttpResponse::Ok().json(List { items: page.items, next_cursor }))
}

/// A run with its steps.
#[utoipa::path(
    get,
    path = "/api/data/v1/runs/{run_id}",
    tag = "library",
    params(("run_id" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "The run", body = Run),
        (status = "default", description = "A problem", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn get_run(
    caller: Within<RunId, Library, Reader>,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let (principal, id) = (caller.who.principal, caller.id);
    let run = context.database.read(move |connection| run_views::find(connection, &principal, id)).await?;
    Ok(HttpResponse::Ok().json(run))
}

/// Asks to cancel a run. Its steps stop within seconds; doing it again changes nothing.
#[utoipa::path(
    post,
    path = "/api/data/v1/runs/{run_id}/cancel",
    tag = "library",
    params(("run_id" = uuid::Uuid, Path)),
    responses(
        (status = 202, description = "The run as it is now", body = Run),
        (status = 409, description = "It has already ended", body = ProblemDocument, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn cancel_run(
    caller: Within<RunId, Library, Editor>,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let (who, id) = (caller.who, caller.id);
    let run = context
        .database
        .run(move |connection| run_views::request_cancel(connection, &who.principal, &who.origin, id))
        .await?;
    Ok(HttpResponse::Accepted().json(run))
}

/// Starts a failed or cancelled step again; those that need it follow.
#[utoipa::path(
    post,
    path = "/api/data/v1/runs/{run_id}/steps/{step_id}/restart",
    tag = "library",
    params(("run_id" = uuid::Uuid, Path), ("step_id" = uuid::Uuid, Path)),
    responses(
        (status = 202, description = "The run as it is now", body = Run),
        (status = 409, description = "It is in another state", body = ProblemDocument, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn restart_step(
    Then(caller, PathId(step)): Then<Within<RunId, Library, Editor>, PathId<StepId>>,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let (who, id) = (caller.who, caller.id);
    let run = context
        .database
        .run(move |connection| run_views::restart_step(connection, &who.principal, &who.origin, id, step))
        .await?;
    Ok(HttpResponse::Accepted().json(run))
}
