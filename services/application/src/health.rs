//! Whether the process answers, and whether what it needs does.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use diesel::RunQueryDsl as _;
use serde::Serialize;
use tokio::time::timeout;
use utoipa::{OpenApi, ToSchema};

use crate::context::Context;
use crate::error::Problem;
use crate::storage::Condition;

/// Longest wait for one service.
/// Shorter than load balancers wait for the answer.
const LIMIT: Duration = Duration::from_secs(2);

/// How a service is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It answers.
    Ok,
    /// It answers, and takes nothing more.
    Full,
    /// It does not, or not in time.
    Unavailable,
}

/// Whether requests can be served.
#[derive(Serialize, ToSchema)]
pub struct Readiness {
    /// All of what cannot be done without.
    pub ready: bool,
    /// PostgreSQL.
    pub postgresql: State,
    /// Redis; without it only live progress is missing.
    pub redis: State,
    /// The storage of media objects; without it only files are missing, and nothing can be uploaded. Not ready is an
    /// instance for which it is away while it works for another one.
    pub vault: State,
}

/// Registers the addresses.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/livez").route(web::get().to(livez)).route(web::head().to(livez)))
        .service(web::resource("/readyz").route(web::get().to(readyz)).route(web::head().to(readyz)));
}

/// The OpenAPI document of these addresses.
#[derive(OpenApi)]
#[openapi(paths(livez, readyz), components(schemas(Readiness)))]
pub struct Documentation;

/// Whether the process answers.
#[utoipa::path(get, path = "/livez", tag = "health", security(()), responses((status = 200, description = "It does", body = String, content_type = "text/plain")))]
pub async fn livez() -> impl Responder {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// Whether PostgreSQL and Redis answer, and how the vault was a moment ago; each is really used.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()), responses(
    (status = 200, description = "Requests can be served", body = Readiness),
    (status = 503, description = "They cannot", body = Readiness),
))]
pub async fn readyz(context: web::Data<Context>) -> impl Responder {
    let postgresql = async {
        let ask = |connection: &mut diesel::PgConnection| {
            diesel::sql_query("SELECT 1").execute(connection).map_err(Problem::from)
        };
        context
            .database
            .read(ask)
            .await
            .map_err(|problem| log_unready("PostgreSQL", problem.cause().unwrap_or_default()))
    };
    let redis =
        async { context.redis.ping().await.map_err(|error| log_unready("Redis", &error.to_string())) };
    let vault = context.storage.condition();
    let (postgresql, redis, vault) =
        futures_util::join!(timeout(LIMIT, postgresql), timeout(LIMIT, redis), timeout(LIMIT, vault));
    // Redis holds only what may be lost: taking every instance out of service for it would turn a
    // missing progress bar into an outage. So would it be for a storage that is away or full everywhere: nobody could even
    // sign in to make room in it.
    let has_database = matches!(postgresql, Ok(Ok(_)));
    let ready = has_database && !context.storage.is_better_elsewhere();
    let state = |is_ok| if is_ok { State::Ok } else { State::Unavailable };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    HttpResponse::build(status).json(Readiness {
        ready,
        postgresql: state(has_database),
        redis: state(matches!(redis, Ok(Ok(())))),
        vault: match vault {
            Ok(Condition::Works) => State::Ok,
            Ok(Condition::Full) => State::Full,
            Ok(Condition::Fails | Condition::Hangs) | Err(_) => State::Unavailable,
        },
    })
}

fn log_unready(service: &str, cause: &str) {
    log::warn!("{service} is not ready: {cause}");
}
