//! Finds out who is calling: a session's cookie or an API access token. Does not refuse anybody:
//! that is what the extractors of the handlers do.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, web};

use crate::context::{Caller, ClientAddress, Context};
use crate::error::{Problem, ProblemKind};
use crate::middleware::rate_limit;
use crate::rate::Counted;
use crate::secrets::{self, digest};
use crate::sessions::Credential;

/// Name of the session's cookie. The prefix makes browsers insist on Secure, no Domain and path `/`.
pub const COOKIE: &str = "__Host-kinora";

/// The middleware.
///
/// # Errors
/// If the database cannot be reached, or the address has made up too many sessions.
pub async fn session(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(credential) = find_credential(&request) {
        match find_caller(&request, credential).await {
            Ok(Some(caller)) => drop(request.extensions_mut().insert(caller)),
            Ok(None) => {}
            Err(problem) => return Ok(request.error_response(problem)),
        }
    }
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

/// A token goes before a cookie: whoever sends one means it.
fn find_credential(request: &ServiceRequest) -> Option<Credential> {
    if let Some(value) = request.headers().get(header::AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        let token = token.trim();
        return (scheme.eq_ignore_ascii_case("bearer") && secrets::is_access_token(token))
            .then(|| Credential::Token(digest(token)));
    }
    find_cookie(request.headers(), COOKIE).map(|token| Credential::Session(digest(token)))
}

/// A cookie of a request, if it can be one of ours.
#[must_use]
pub fn find_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, token)| token)
        .filter(|token| !token.is_empty() && token.len() <= 128)
}

async fn find_caller(request: &ServiceRequest, credential: Credential) -> Result<Option<Caller>, Problem> {
    let context = request
        .app_data::<web::Data<Context>>()
        .ok_or_else(|| Problem::from(ProblemKind::Internal).with_cause("no context registered"))?;
    if let Some(principal) = context.sessions.kept(credential) {
        return Ok(Some(Caller { principal, credential, is_fresh: false }));
    }
    let found = context.sessions.read(credential).await?;
    if found.is_none() {
        // Whoever tries sessions out pays for each from the address's bucket.
        let address = request.extensions().get::<ClientAddress>().copied();
        if let Some(address) = address {
            rate_limit::take(context, Counted::Address(crate::address::counted_address(address.0)))?;
        }
    }
    Ok(found.map(|principal| Caller { principal, credential, is_fresh: true }))
}
