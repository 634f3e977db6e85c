//! Provisioning by identity providers: SCIM 2.0 (RFC 7643, RFC 7644) at `/scim/v2`, and the tokens that providers do it with.
//!
//! What a provider says is read strictly where it matters (who, whether they may come in, in which groups) and with
//! patience where products differ: names of attributes in any case, `active` as text, operations without a path, members to be
//! removed in a value. Attributes that Kinora does not keep are passed over, so that a provider need not be taught them.

mod access;
mod answer;
mod discovery;
mod document;
mod groups;
mod patch;
mod path;
pub mod refusal;
pub mod tokens;
mod users;

use actix_web::web::{self, ServiceConfig, resource};
use utoipa::OpenApi;

/// Where providers provision.
pub const PREFIX: &str = "/scim/v2";

/// Registers what providers ask for.
pub fn configure_protocol(config: &mut ServiceConfig) {
    let otherwise = || web::route().to(discovery::not_allowed);
    let all_users = resource("/Users")
        .route(web::get().to(users::list_users))
        .route(web::post().to(users::create_user))
        .default_service(otherwise());
    let one_user = resource("/Users/{id}")
        .route(web::get().to(users::read_user))
        .route(web::put().to(users::replace_user))
        .route(web::patch().to(users::patch_user))
        .route(web::delete().to(users::remove_user))
        .default_service(otherwise());
    let all_groups = resource("/Groups")
        .route(web::get().to(groups::list_groups))
        .route(web::post().to(groups::create_group))
        .default_service(otherwise());
    let one_group = resource("/Groups/{id}")
        .route(web::get().to(groups::read_group))
        .route(web::put().to(groups::replace_group))
        .route(web::patch().to(groups::patch_group))
        .route(web::delete().to(groups::remove_group))
        .default_service(otherwise());
    let read_only = |path: &str| resource(path).default_service(otherwise());
    config.service(
        web::scope(PREFIX)
            .service(all_users)
            .service(one_user)
            .service(all_groups)
            .service(one_group)
            .service(
                read_only("/ServiceProviderConfig").route(web::get().to(discovery::read_service_provider)),
            )
            .service(read_only("/ResourceTypes").route(web::get().to(discovery::list_resource_types)))
            .service(read_only("/ResourceTypes/{id}").route(web::get().to(discovery::read_resource_type)))
            .service(read_only("/Schemas").route(web::get().to(discovery::list_schemas)))
            .service(read_only("/Schemas/{id}").route(web::get().to(discovery::read_schema)))
            .service(
                resource(["/Bulk", "/Me", "/.search"])
                    .default_service(web::route().to(discovery::not_implemented)),
            )
            .default_service(web::route().to(discovery::not_found)),
    );
}

/// Registers the addresses below `/api/data/v1`.
pub fn configure(config: &mut ServiceConfig) {
    let below = "/organisations/{organisation_id}/sign-on/connections/{connection_id}/provisioning";
    let all = resource(below)
        .route(web::get().to(tokens::read_provisioning))
        .route(web::post().to(tokens::create_provisioning_token));
    let one =
        resource(format!("{below}/{{token_id}}")).route(web::delete().to(tokens::revoke_provisioning_token));
    config.service(all).service(one);
}

/// The OpenAPI document of those. SCIM describes itself, at `/scim/v2/Schemas`.
#[derive(OpenApi)]
#[openapi(paths(
    tokens::read_provisioning,
    tokens::create_provisioning_token,
    tokens::revoke_provisioning_token,
))]
pub struct Documentation;
