//! The library: assets, runs and live events.
//!
//! [`assets`] and [`runs`] answer requests. [`events`] answers with a [`stream`] that never ends; what
//! is in it comes from the [`hub`], which the database's listener and [`progress`] feed.

pub mod assets;
pub mod events;
mod frame;
pub mod hub;
pub mod progress;
pub mod runs;
mod stream;

use actix_web::web::{self, ServiceConfig};
use utoipa::OpenApi;

/// Registers the addresses below `/api/data/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/productions/{production_id}/assets").route(web::get().to(assets::list_assets)),
        )
        .service(web::resource("/productions/{production_id}/runs").route(web::get().to(runs::list_runs)))
        .service(
            web::resource("/productions/{production_id}/events").route(web::get().to(events::follow_events)),
        )
        .service(
            web::resource("/assets/{asset_id}")
                .route(web::get().to(assets::get_asset))
                .route(web::patch().to(assets::update_asset))
                .route(web::delete().to(assets::remove_asset)),
        )
        .service(web::resource("/assets/{asset_id}/runs").route(web::get().to(runs::list_asset_runs)))
        .service(web::resource("/runs/{run_id}").route(web::get().to(runs::get_run)))
        .service(web::resource("/runs/{run_id}/cancel").route(web::post().to(runs::cancel_run)))
        .service(
            web::resource("/runs/{run_id}/steps/{step_id}/restart").route(web::post().to(runs::restart_step)),
        );
}

/// The OpenAPI document of these addresses.
#[derive(OpenApi)]
#[openapi(paths(
    assets::list_assets,
    assets::get_asset,
    assets::update_asset,
    assets::remove_asset,
    runs::list_asset_runs,
    runs::list_runs,
    runs::get_run,
    runs::cancel_run,
    runs::restart_step,
    events::follow_events,
))]
pub struct Documentation;
