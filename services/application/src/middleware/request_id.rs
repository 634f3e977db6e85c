//! Gives each request its id and its client's address, writes problem documents, counts and logs.

use std::sync::Arc;
use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpResponse, ResponseError as _, web};
use uuid::Uuid;

use crate::address;
use crate::context::{ClientAddress, Context, RequestId};
use crate::error::{Problem, ProblemKind};
use crate::provisioning::refusal::Refusal;

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The middleware.
///
/// # Errors
/// Where the services inside gave no answer; the error is one then.
pub async fn request_id(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started_at = Instant::now();
    let id: Arc<str> = Arc::from(Uuid::now_v7().simple().to_string());
    let address = find_address(&request);
    {
        let mut extensions = request.extensions_mut();
        extensions.insert(RequestId(Arc::clone(&id)));
        if let Some(address) = address {
            extensions.insert(address);
        }
    }
    let mut response = match next.call(request).await {
        Ok(response) => response.map_into_boxed_body(),
        Err(error) => return Err(answered(&error, &id)),
    };
    if let Some(refusal) = refusal_of(&response) {
        if let Some(cause) = refusal.cause() {
            log::error!(request_id:% = id; "{refusal}: {cause}");
        }
    } else if is_bare_error(&response) {
        response = as_problem(response, &id);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID.clone(), value);
    }
    count(&response, started_at);
    Ok(response)
}

/// An error that is the problem document. Only panics come here: they took the request with them.
fn answered(error: &Error, id: &str) -> Error {
    let fallback = Problem::from(ProblemKind::Internal);
    let problem = error.as_error::<Problem>().unwrap_or(&fallback);
    log::error!(request_id = id; "{problem}: {}", problem.cause().unwrap_or_default());
    let answer = HttpResponse::build(problem.status_code())
        .insert_header((header::CONTENT_TYPE, "application/problem+json"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((X_REQUEST_ID.clone(), id))
        .body(problem.document(id));
    InternalError::from_response(problem.to_string(), answer).into()
}

fn find_address(request: &ServiceRequest) -> Option<ClientAddress> {
    let peer = request.peer_addr()?.ip();
    let context = request.app_data::<web::Data<Context>>()?;
    let settings = &context.settings;
    if !settings.trusts(peer) {
        return Some(ClientAddress(peer.to_canonical()));
    }
    let forwarded: Vec<&str> =
        request.headers().get_all(&X_FORWARDED_FOR).filter_map(|value| value.to_str().ok()).collect();
    Some(ClientAddress(address::client_address(peer, &forwarded.join(","), |ip| settings.trusts(ip))))
}

/// What provisioning refuses, which has a document of its own.
fn refusal_of(response: &ServiceResponse<BoxBody>) -> Option<&Refusal> {
    response.response().error().and_then(|error| error.as_error::<Refusal>())
}

/// Whether the answer is an error without a document of its own; readiness has one.
fn is_bare_error(response: &ServiceResponse<BoxBody>) -> bool {
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    let is_empty = matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0));
    is_error && (is_empty || response.response().error().is_some())
}

/// Puts the problem document into an answer that is an error.
fn as_problem(response: ServiceResponse<BoxBody>, id: &str) -> ServiceResponse<BoxBody> {
    let fallback;
    let problem = match response.response().error().and_then(|error| error.as_error::<Problem>()) {
        Some(problem) => problem,
        None => {
            fallback = Problem::from(ProblemKind::of_status(response.status()));
            &fallback
        }
    };
    // The path is the client's own text; the route's pattern is ours.
    let route = response.request().match_pattern();
    let (method, route) = (response.request().method(), route.as_deref().unwrap_or("none"));
    if let Some(cause) = problem.cause() {
        if response.status().is_server_error() {
            log::error!(request_id = id, method = method_name(method), route; "{problem}: {cause}");
        } else {
            log::info!(request_id = id, method = method_name(method), route; "{problem}: {cause}");
        }
    }
    let document = problem.document(id);
    let is_head = method == Method::HEAD;
    let mut response =
        response.map_body(|_, _| if is_head { BoxBody::new(()) } else { BoxBody::new(document) });
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::CONTENT_ENCODING);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn count(response: &ServiceResponse<BoxBody>, started_at: Instant) {
    let route = response.request().match_pattern().unwrap_or_else(|| "none".to_owned());
    let method = method_name(response.request().method());
    let status = response.status().as_u16();
    let class = match status / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        5 => "5xx",
        _ => "1xx",
    };
    metrics::counter!("kinora_http_requests_total", "route" => route.clone(), "method" => method, "status" => class)
        .increment(1);
    let took = started_at.elapsed();
    crate::access::write(response, &route, method, took);
    metrics::histogram!("kinora_http_request_seconds", "route" => route, "method" => method)
        .record(took.as_secs_f64());
}

/// Names of a closed set, so that clients cannot make up metrics.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
