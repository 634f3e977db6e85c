//! How the installation does, for the administrators of the organisation that runs it. For everybody else it is not
//! there.
//!
//! All of it was written down by the leading backend or is counted in the database: the application has no way to
//! monitoring. Nothing of organisations' content is in it.

use actix_web::web::{self, ServiceConfig, resource};
use chrono::Utc;
use kinora_core::fleet::{Dashboards, InstallationStatus};
use kinora_store::fleet;
use utoipa::OpenApi;

use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::permission::OfInstallation;

/// Registers the addresses below `/api/data/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(resource("/installation/status").route(web::get().to(read_installation_status)))
        .service(resource("/installation/dashboards").route(web::get().to(read_installation_dashboards)));
}

/// The OpenAPI document of these addresses.
#[derive(OpenApi)]
#[openapi(paths(read_installation_status, read_installation_dashboards))]
pub struct Documentation;

/// How the installation does.
///
/// For administrators of the organisation that runs it: hosts, versions, replication, queues, certificates, backups,
/// alerts, and how old these figures are. 404 for everybody else.
#[utoipa::path(get, path = "/api/data/v1/installation/status", tag = "installation", responses(
    (status = 200, description = "What the leading backend last saw, and what the database has now", body = InstallationStatus),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_installation_status(
    context: web::Data<Context>,
    _access: OfInstallation,
) -> Result<web::Json<InstallationStatus>, Problem> {
    let status = context.database.read(|connection| fleet::status(connection, Utc::now())).await?;
    Ok(web::Json(status))
}

/// Curves of the last 24 hours and 14 days.
///
/// For administrators of the organisation that runs the installation. 404 for everybody else.
#[utoipa::path(get, path = "/api/data/v1/installation/dashboards", tag = "installation", responses(
    (status = 200, description = "What the leading backend last saw", body = Dashboards),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_installation_dashboards(
    context: web::Data<Context>,
    _access: OfInstallation,
) -> Result<web::Json<Dashboards>, Problem> {
    let dashboards = context.database.read(|connection| fleet::dashboards(connection, Utc::now())).await?;
    Ok(web::Json(dashboards))
}
