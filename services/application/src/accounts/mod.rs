//! Accounts: sessions, people, organisations, productions and who may do what in them.

pub mod housekeeping;
pub mod passwords;

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

/// Registers the addresses.
pub fn configure(_config: &mut ServiceConfig) {}

/// The OpenAPI document of these addresses.
#[derive(OpenApi)]
#[openapi()]
pub struct Documentation;
