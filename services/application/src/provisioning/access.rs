//! Who provisions, and what comes with the request.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use diesel::{Connection as _, PgConnection};
use futures_util::StreamExt as _;
use kinora_store::Origin;
use kinora_store::provisioning::{Source, tokens};
use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::address::counted_address;
use crate::context::{ClientAddress, Context, client_address, request_id};
use crate::error::Problem;
use crate::middleware::rate_limit;
use crate::rate::Counted;
use crate::secrets::{digest, is_provisioning_token};

/// Largest body, bytes.
pub(super) const MAX_BODY: usize = 1 << 20;

type Extraction<T> = Pin<Box<dyn Future<Output = Result<T, Refusal>>>>;

/// An identity provider with a token for provisioning. Neither sessions nor access tokens are any good here.
#[derive(Clone, Debug)]
pub struct Provisioner {
    /// The connection and its organisation.
    pub source: Source,
    /// The token, for the audit trail.
    pub origin: Origin,
}

impl FromRequest for Provisioner {
    type Error = Refusal;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { find(&request).await })
    }
}

async fn find(request: &HttpRequest) -> Result<Provisioner, Refusal> {
    let context = Context::of(request)?;
    let shown = match token(request) {
        Some(token) => {
            let digest = digest(token);
            context.database.run(move |connection| tokens::find(connection, &digest)).await?
        }
        None => None,
    };
    let Some(shown) = shown else {
        // Whoever tries tokens out pays for each from the address's bucket.
        let address = request.extensions().get::<ClientAddress>().copied();
        if let Some(address) = address {
            rate_limit::take(context, Counted::Address(counted_address(address.0)))?;
        }
        return Err(Refusal::unauthorized());
    };
    rate_limit::take(context, Counted::Token(shown.id.0))?;
    let origin = Origin {
        actor_id: None,
        actor: format!("provisioning of {} (token …{})", shown.source.connection_name, shown.hint),
        address: client_address(request).map(|address| address.to_string()),
        request_id: Some(request_id(request).to_string()),
        support_grant: None,
    };
    Ok(Provisioner { source: shown.source, origin })
}

fn token(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && is_provisioning_token(token)).then_some(token)
}

/// A body that is a JSON object.
#[derive(Debug)]
pub struct Body(pub Map<String, Value>);

impl FromRequest for Body {
    type Error = Refusal;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move { read(&request, payload).await })
    }
}

async fn read(request: &HttpRequest, mut payload: Payload) -> Result<Body, Refusal> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    if !["application/scim+json", "application/json"].iter().any(|known| essence.eq_ignore_ascii_case(known))
    {
        return Err(Problem::new(
            crate::error::ProblemKind::UnsupportedMediaType,
            "Send the body as application/scim+json.",
        )
        .into());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Refusal::syntax("The body was cut off."))?;
        if body.len() + chunk.len() > MAX_BODY {
            return Err(Refusal::too_large(format!("A request has at most {MAX_BODY} bytes.")));
        }
        body.extend_from_slice(&chunk);
    }
    // PostgreSQL keeps no zero character.
    if body.windows(6).any(|part| part == b"\\u0000") {
        return Err(Refusal::value("Texts must not contain the character U+0000."));
    }
    match serde_json::from_slice(&body) {
        Ok(Value::Object(map)) => Ok(Body(map)),
        _ => Err(Refusal::syntax("The body must be a JSON object.")),
    }
}

/// Runs `work` in one transaction, which is rolled back if it refuses.
pub(super) async fn transaction<T, F>(context: &Context, work: F) -> Result<T, Refusal>
where
    F: FnOnce(&mut PgConnection) -> Result<T, Refusal> + Send + 'static,
    T: Send + 'static,
{
    context.database.run(move |connection| Ok::<_, Problem>(connection.transaction(work))).await?
}

/// Runs `work` that only reads.
pub(super) async fn reading<T, F>(context: &Context, work: F) -> Result<T, Refusal>
where
    F: Fn(&mut PgConnection) -> kinora_store::Result<T> + Send + Sync + 'static,
    T: Send + 'static,
{
    Ok(context.database.read(work).await?)
}
