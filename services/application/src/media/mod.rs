//! The Media API: uploads, playback and downloads.
//!
//! * [`uploads`]: the addresses of tus 1.0.0; [`protocol`] reads its headers, [`receive`] takes the bytes,
//!   [`concatenate`] puts parts together, [`sweep`] removes what is left behind.
//! * [`files`]: the addresses of originals and derivatives; [`delivery`] decides about ranges and names.
//! * [`rewrap`] is the command that goes with a change of the master key.

pub mod concatenate;
pub mod delivery;
pub mod files;
mod problems;
pub mod protocol;
pub mod receive;
pub mod rewrap;
pub mod sweep;
mod turns;
pub mod uploads;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, ServiceConfig};
use utoipa::OpenApi;

use crate::context::Context;

/// Answers at once while the storage hangs: a request that asked it would wait for ever, and keep a thread.
///
/// # Errors
/// Those of the services inside; its own is an answer.
pub async fn need_storage(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if Context::of(request.request())?.storage.hangs() {
        return Ok(request.error_response(problems::storage_away("the storage hangs")));
    }
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

/// Registers the addresses below `/api/media/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config.service(
        web::scope("/productions/{production_id}/uploads")
            .wrap(from_fn(uploads::speak_tus))
            .service(
                web::resource("")
                    .route(web::method(actix_web::http::Method::OPTIONS).to(uploads::describe_uploads))
                    .route(web::post().to(uploads::create_upload))
                    .route(web::get().to(uploads::list_uploads)),
            )
            .service(
                web::resource("/{upload_id}")
                    .route(web::method(actix_web::http::Method::OPTIONS).to(uploads::describe_uploads))
                    .route(web::head().to(uploads::get_upload_offset))
                    .route(web::patch().to(uploads::write_upload))
                    .route(web::delete().to(uploads::remove_upload))
                    .route(web::post().to(uploads::override_method)),
            ),
    );
    macro_rules! files {
        ($($last:literal => $handler:ident),+ $(,)?) => {
            config$(.service(
                web::resource(concat!("/assets/{asset_id}/", $last))
                    .route(web::get().to(files::$handler))
                    .route(web::head().to(files::$handler)),
            ))+;
        };
    }
    files!(
        "original" => download_original,
        "proxy" => get_proxy,
        "poster" => get_poster,
        "filmstrip" => get_filmstrip,
        "filmstrip.vtt" => get_filmstrip_index,
        "waveform" => get_waveform,
        "probe" => get_probe,
    );
}

/// The OpenAPI document of these addresses.
#[derive(OpenApi)]
#[openapi(
    paths(
        uploads::describe_uploads,
        uploads::create_upload,
        uploads::list_uploads,
        uploads::get_upload_offset,
        uploads::write_upload,
        uploads::remove_upload,
        files::download_original,
        files::get_proxy,
        files::get_poster,
        files::get_filmstrip,
        files::get_filmstrip_index,
        files::get_waveform,
        files::get_probe,
    ),
    components(schemas(uploads::UploadSummaries, uploads::UploadSummary))
)]
pub struct Documentation;
