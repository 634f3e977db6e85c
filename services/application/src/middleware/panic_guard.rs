//! Turns a panic in a handler into an answer 500, so that it costs one request and not a connection.

use std::panic::AssertUnwindSafe;

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use futures_util::FutureExt as _;

use crate::error::Problem;

/// The middleware.
///
/// # Errors
/// [`Problem`] for a panic: the request is gone by then, and nothing outside the router may hold a copy of
/// it, as actix writes the route into it.
pub async fn panic_guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(outcome) => outcome.map(ServiceResponse::map_into_boxed_body),
        Err(_) => {
            metrics::counter!("kinora_http_panics_total").increment(1);
            Err(Problem::internal("a handler panicked").into())
        }
    }
}
