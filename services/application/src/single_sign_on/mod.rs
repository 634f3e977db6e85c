//! Single sign-on with the identity providers of organisations (SAML 2.0).
//!
//! What a provider says is judged by `kinora_saml`, in which there is neither a database nor HTTP; [`provider`] brings
//! rows and library together.

pub mod admission;
pub mod attempt;
pub mod connections;
pub mod desk;
pub mod domains;
mod ends;
pub mod fetch;
pub mod form;
pub mod keys;
pub mod logout;
pub mod metadata;
pub mod page;
pub mod protocol;
pub mod provider;
pub mod receive;
pub mod refused;
pub mod route;
pub mod rules;
pub mod sign_in;
pub mod test_run;
pub mod views;
pub mod watch;

use actix_web::web::{self, ServiceConfig, resource};
use kinora_core::ConnectionId;
use utoipa::OpenApi;

use crate::extract::permission::Owner;
use crate::extract::{Confirmed, InOrganisation, PathId, Then};

/// An owner whose session was confirmed, the connection in the path, and what comes with the request.
pub(crate) type Setting<T> = Then<InOrganisation<Owner>, Then<PathId<ConnectionId>, Then<Confirmed, T>>>;

/// Registers the addresses of the protocol, which identity providers know.
pub fn configure_protocol(config: &mut ServiceConfig) {
    config.service(
        resource("/saml/{connection_id}/metadata").route(web::get().to(metadata::read_our_metadata)),
    );
}

/// Registers the addresses below `/api/data/v1`.
pub fn configure(config: &mut ServiceConfig) {
    configure_connections(config);
    let domains = resource("/organisations/{organisation_id}/sign-on/domains")
        .route(web::get().to(domains::list_domains))
        .route(web::post().to(domains::add_domain));
    let domain = resource("/organisations/{organisation_id}/sign-on/domains/{domain_id}")
        .route(web::patch().to(domains::update_domain))
        .route(web::delete().to(domains::remove_domain));
    config.service(domains).service(domain);
}

fn configure_connections(config: &mut ServiceConfig) {
    let all = resource("/organisations/{organisation_id}/sign-on/connections")
        .route(web::get().to(connections::list_connections))
        .route(web::post().to(connections::create_connection));
    let below = |rest: &str| {
        resource(format!("/organisations/{{organisation_id}}/sign-on/connections/{{connection_id}}{rest}"))
    };
    let one = below("")
        .route(web::get().to(connections::read_connection))
        .route(web::patch().to(connections::update_connection))
        .route(web::delete().to(connections::remove_connection));
    let certificates = below("/certificates")
        .route(web::post().to(connections::add_certificate))
        .route(web::delete().to(connections::drop_certificate));
    let rules = below("/rules")
        .route(web::get().to(rules::list_group_rules))
        .route(web::post().to(rules::create_group_rule));
    config
        .service(all)
        .service(one)
        .service(below("/metadata").route(web::put().to(metadata::set_provider_metadata)))
        .service(below("/metadata/refresh").route(web::post().to(metadata::refresh_provider_metadata)))
        .service(certificates)
        .service(below("/test").route(web::post().to(test_run::test_connection)))
        .service(below("/attempts").route(web::get().to(test_run::list_attempts)))
        .service(below("/attempts/{attempt_id}").route(web::get().to(test_run::read_attempt)))
        .service(below("/certificates/switch").route(web::post().to(connections::switch_certificate)))
        .service(rules)
        .service(below("/rules/{rule_id}").route(web::delete().to(rules::remove_group_rule)));
}

/// The OpenAPI document of these addresses.
#[derive(OpenApi)]
#[openapi(paths(
    connections::list_connections,
    connections::create_connection,
    connections::read_connection,
    connections::update_connection,
    connections::remove_connection,
    connections::add_certificate,
    connections::switch_certificate,
    connections::drop_certificate,
    metadata::set_provider_metadata,
    metadata::refresh_provider_metadata,
    test_run::test_connection,
    test_run::list_attempts,
    test_run::read_attempt,
    rules::list_group_rules,
    rules::create_group_rule,
    rules::remove_group_rule,
    domains::list_domains,
    domains::add_domain,
    domains::update_domain,
    domains::remove_domain,
))]
pub struct Documentation;
