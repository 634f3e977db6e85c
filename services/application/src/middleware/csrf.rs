//! Refuses changes that another site makes a browser send.
//!
//! Three barriers, each enough by itself: the cookie is SameSite=Lax; `Origin` and `Sec-Fetch-Site`,
//! which pages cannot forge, must not name another site; and requests authenticated by the cookie
//! carry a token that only Kinora's own pages can read. Access tokens need none of this, because no
//! browser sends them by itself. The two addresses that identity providers' pages post to are let through: nothing
//! there is done in the name of the cookie.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, web};
use kinora_store::principals::Proof;

use crate::context::{Caller, Context};
use crate::error::{Problem, ProblemKind};
use crate::sessions::Credential;
use crate::single_sign_on::protocol::is_posted_by_others;

static X_CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Requests that do not act in the name of the cookie, so that they need no token.
const WITHOUT_TOKEN: [(Method, &str); 2] =
    [(Method::POST, "/api/data/v1/session"), (Method::POST, "/api/data/v1/password-link")];

/// The middleware.
///
/// # Errors
/// Those of the services inside; its own are answers.
pub async fn csrf(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Err(problem) = check(&request) {
        return Ok(request.error_response(problem));
    }
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

fn check(request: &ServiceRequest) -> Result<(), Problem> {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
        || is_posted_by_others(request.method(), request.path());
    if is_safe || request.headers().contains_key(header::AUTHORIZATION) {
        return Ok(());
    }
    let context =
        request.app_data::<web::Data<Context>>().ok_or_else(|| Problem::internal("no context registered"))?;
    let text =
        |name: &HeaderName| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    if text(&SEC_FETCH_SITE).is_some_and(|site| site != "same-origin") {
        return Err(ProblemKind::CrossSite.into());
    }
    let own = context.settings.public_url.origin().ascii_serialization();
    if text(&header::ORIGIN).is_some_and(|origin| origin != own) {
        return Err(ProblemKind::CrossSite.into());
    }
    let extensions = request.extensions();
    let Some(caller) = extensions.get::<Caller>() else { return Ok(()) };
    let is_exempt = WITHOUT_TOKEN
        .iter()
        .any(|(method, path)| method == request.method() && request.path().starts_with(path));
    let (Credential::Session(digest), Proof::Session(id)) = (caller.credential, caller.principal.proof)
    else {
        return Ok(());
    };
    let token = text(&X_CSRF_TOKEN).unwrap_or_default();
    if is_exempt || context.keys.is_csrf_token(id, &digest, token) {
        Ok(())
    } else {
        Err(Problem::new(
            ProblemKind::CrossSite,
            "The X-CSRF-Token of this session is missing or wrong. Load the page again.",
        ))
    }
}
