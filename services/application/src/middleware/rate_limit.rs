//! Bounds how many requests a person, an access token, or an address that is not signed in, can make.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, web};

use kinora_store::principals::Proof;

use crate::address::counted_address;
use crate::context::{Caller, ClientAddress, Context};
use crate::error::{Problem, ProblemKind};
use crate::rate::Counted;

/// The middleware.
///
/// # Errors
/// Those of the services inside; its own are answers.
pub async fn rate_limit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Err(problem) = check(&request) {
        return Ok(request.error_response(problem));
    }
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

fn check(request: &ServiceRequest) -> Result<(), Problem> {
    // Only the APIs: the page itself is cheap, and monitoring must not be refused.
    if !request.path().starts_with("/api/") {
        return Ok(());
    }
    let Some(context) = request.app_data::<web::Data<Context>>() else { return Ok(()) };
    let extensions = request.extensions();
    let who = match (extensions.get::<Caller>(), extensions.get::<ClientAddress>()) {
        (Some(caller), _) => match caller.principal.proof {
            Proof::Session(_) => Counted::Person(caller.principal.person_id.0),
            Proof::Token(id) => Counted::Token(id.0),
        },
        (None, Some(address)) => Counted::Address(counted_address(address.0)),
        (None, None) => return Ok(()),
    };
    take(context, who)
}

/// Takes one token of a bucket.
///
/// # Errors
/// [`ProblemKind::RateLimited`] with the time to wait.
pub fn take(context: &Context, who: Counted) -> Result<(), Problem> {
    context.rates.take(who).map_err(|wait| {
        metrics::counter!("kinora_http_rate_limited_total").increment(1);
        Problem::from(ProblemKind::RateLimited)
            .retry_after(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
    })
}
