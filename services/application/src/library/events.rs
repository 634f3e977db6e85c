//! The address where a page follows what happens in a production.

use std::sync::Arc;

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web;
use actix_web::{HttpRequest, HttpResponse};
use kinora_core::ProductionId;
use kinora_runtime::shutdown::Shutdown;
use kinora_store::StoreError;
use kinora_store::events::{self, Extent, Follower};
use kinora_store::notify::{EVENTS_CHANNEL, Listener, Notice, PAUSE_CHANNEL};

use crate::context::Context;
use crate::error::{Problem, ProblemDocument, ProblemKind};
use crate::extract::{Authenticated, PathId, SignedIn, Then, support};
use crate::guards::follower;
use crate::library::hub::Hub;
use crate::library::stream::EventStream;
use crate::library::{frame, progress};
use crate::sessions::Credential;

static LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Starts what feeds the streams of this process; they end with `shutdown`. The listener hears until
/// it is dropped.
///
/// # Errors
/// If no thread can be started.
pub fn start(
    context: web::Data<Context>,
    shutdown: &Shutdown,
) -> std::io::Result<(web::Data<Hub>, Listener)> {
    let hub = Hub::new(context.database.clone());
    let hearing = Arc::clone(&hub);
    let (database, connector) = (context.database.clone(), context.database.connector().clone());
    let hear = move |notice: Notice| {
        database.hear(&notice);
        hearing.hear(&notice);
    };
    let listener = Listener::spawn(connector, &[EVENTS_CHANNEL, PAUSE_CHANNEL], hear)?;
    tokio::spawn(Arc::clone(&hub).run(shutdown.clone()));
    tokio::spawn(progress::run(context, Arc::clone(&hub), shutdown.clone()));
    Ok((web::Data::from(hub), listener))
}

/// The number of the last event that the client has, if it comes back.
fn last_event_id(request: &HttpRequest) -> Result<Option<i64>, Problem> {
    let Some(value) = request.headers().get(&LAST_EVENT_ID) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.trim().parse::<i64>().ok());
    match number {
        Some(number) if number >= 0 => Ok(Some(number)),
        _ => Err(Problem::invalid_parameter("Last-Event-ID", "is not the id of an event")),
    }
}

/// The first frame, and the number after which the stream goes on.
fn begin(extent: Extent, last: Option<i64>) -> (bytes::Bytes, i64) {
    let newest = extent.newest;
    match last {
        Some(last) if extent.continues_from(last) => (frame::beginning(last, "ready"), last),
        Some(_) => (frame::beginning(newest, "reset"), newest),
        None => (frame::beginning(newest, "ready"), newest),
    }
}

/// The answer to somebody who may not follow the production: perhaps they may with a second factor.
async fn missing(context: &Context, who: &SignedIn, production: ProductionId) -> Problem {
    match context.sessions.read(who.credential).await {
        Ok(Some(principal)) if principal.withheld.second_factor.productions.contains_key(&production) => {
            ProblemKind::SecondFactorRequired.into()
        }
        Ok(Some(principal)) if principal.withheld.single_sign_on.productions.contains_key(&production) => {
            ProblemKind::SingleSignOnRequired.into()
        }
        Ok(Some(principal)) if principal.withheld.own_sign_in.productions.contains_key(&production) => {
            ProblemKind::OwnSignInRequired.into()
        }
        Ok(Some(_)) => Problem::not_found(),
        Ok(None) => ProblemKind::SignInRequired.into(),
        Err(problem) => problem,
    }
}

/// A stream has no end of its own, so it ends with the cookie it was opened with; the browser comes back with the next one.
fn with_its_token(follower: Follower, credential: Credential) -> Follower {
    match credential {
        Credential::Session(digest) => Follower { token_digest: Some(digest), ..follower },
        Credential::Token(_) => follower,
    }
}

/// What happens in a production, as server-sent events.
///
/// The stream begins with `ready`, or with `reset` if what was missed is no longer kept: then read
/// everything again. To miss nothing, open the stream first and read lists after `ready`.
#[utoipa::path(
    get,
    path = "/api/data/v1/productions/{production_id}/events",
    tag = "library",
    params(
        ("production_id" = uuid::Uuid, Path),
        ("Last-Event-ID" = Option<i64>, Header, description = "Go on after this event"),
    ),
    responses(
        (status = 200, description = "A stream that does not end", body = String, content_type = "text/event-stream"),
        (status = "default", description = "A problem", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn follow_events(
    Then(Authenticated(who), PathId(production)): Then<Authenticated, PathId<ProductionId>>,
    request: HttpRequest,
    context: web::Data<Context>,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, Problem> {
    let follower = with_its_token(follower(&who.principal, production), who.credential);
    let found = context
        .database
        .read(move |connection| {
            let following = events::find_followings(connection, &[follower])?.pop().flatten();
            let Some(following) = following else { return Ok(None) };
            Ok::<_, StoreError>(Some((events::find_extent(connection, production)?, following)))
        })
        .await?;
    let Some((extent, following)) = found else { return Err(missing(&context, &who, production).await) };
    let (first, seen) = begin(extent, last_event_id(&request)?);
    if let Some(grant) = following.support {
        support::note_following(&request, &who, production, grant).await?;
    }
    let subscription = hub.into_inner().join(follower, following.roles, extent.newest)?;
    let stream = EventStream::new(context, follower, subscription, first, seen);
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Proxies that would collect the stream are asked not to.
        .insert_header((HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")))
        .streaming(stream.into_body()))
}
