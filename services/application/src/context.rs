//! What handlers and middleware share, and what is known about each request.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::{HttpMessage as _, HttpRequest, web};
use kinora_store::{Origin, Principal};

use crate::database::Database;
use crate::error::Problem;
use crate::rate::RateLimiter;
use crate::secrets::Keys;
use crate::sessions::{Credential, Sessions};
use crate::settings::ApplicationSettings;

/// What all handlers share; registered as `web::Data<Context>`.
pub struct Context {
    /// The settings.
    pub settings: ApplicationSettings,
    /// PostgreSQL.
    pub database: Database,
    /// Principals by credential.
    pub sessions: Sessions,
    /// Keys derived from the session key.
    pub keys: Keys,
    /// Rate limits of this process.
    pub rates: RateLimiter,
    /// Hashes and verifies passwords.
    pub passwords: crate::accounts::passwords::PasswordDesk,
    /// Redis, for readiness and progress.
    pub redis: kinora_runtime::redis::Redis,
    /// Ends transfers with the permission they began with.
    pub guards: Arc<crate::guards::Guards>,
    /// The vault.
    pub vault: Arc<kinora_vault::Vault>,
    /// How the vault's places are.
    pub storage: Arc<crate::storage::Storage>,
    /// Judges what identity providers send.
    pub sign_on: Arc<crate::single_sign_on::desk::Desk>,
    /// Keys of secrets that stand in the database.
    pub master_keys: kinora_vault::MasterKeys,
    /// Checks the signatures of identity providers. Blocks the calling thread.
    pub verifier: Arc<kinora_saml::VerifierProcess>,
}

impl Context {
    /// The context of the application that serves this request.
    ///
    /// # Errors
    /// If the application was put together without it.
    pub fn of(request: &HttpRequest) -> Result<&Self, Problem> {
        request
            .app_data::<web::Data<Self>>()
            .map(|data| data.get_ref())
            .ok_or_else(|| Problem::internal("no context registered"))
    }
}

/// Id of a request, in the answer, the log and the audit trail.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

/// The client's address.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// Who is calling, as the session middleware found out.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The person with all roles.
    pub principal: Arc<Principal>,
    /// What they came with.
    pub credential: Credential,
    /// Whether the principal was read for this request, not kept from an earlier one.
    pub is_fresh: bool,
}

/// The id of the request.
#[must_use]
pub fn request_id(request: &HttpRequest) -> Arc<str> {
    request.extensions().get::<RequestId>().map_or_else(|| Arc::from(""), |id| Arc::clone(&id.0))
}

/// The client's address, as text.
#[must_use]
pub fn client_address(request: &HttpRequest) -> Option<IpAddr> {
    request.extensions().get::<ClientAddress>().map(|address| address.0)
}

/// Where a change comes from, for the audit trail.
#[must_use]
pub fn origin(request: &HttpRequest, principal: Option<&Principal>) -> Origin {
    Origin {
        actor_id: principal.map(|principal| principal.person_id),
        actor: principal.map_or_else(|| "anonymous".to_owned(), |principal| principal.login.clone()),
        address: client_address(request).map(|address| address.to_string()),
        request_id: Some(request_id(request).to_string()),
        support_grant: None,
    }
}
