//! An orderly end: nobody who was let in is sent away without an answer.
//!
//! The server alone would drop connections that wait for one of its threads, and close those that have
//! not sent their first request yet. So it stops to accept first; then what was accepted is served, each
//! answer closes its connection, and only then the server is stopped. New connections wait in the
//! kernel's queue of the socket that systemd holds, for the next process.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{self, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::http::{ConnectionType, Version};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use bytes::Bytes;
use kinora_runtime::Shutdown;
use tokio::time::Instant;

/// How often in a row nothing must be under way, and nothing new have come, before it is over. The
/// server does not tell when its acceptor has paused, nor what waits for its threads or for TLS. Looks
/// are counted rather than time, as a busy machine is slower with both.
const QUIET_LOOKS: u32 = 25;
/// Longest wait for the first request of a connection: browsers open some that they never use.
const FIRST_REQUEST_LIMIT: Duration = Duration::from_secs(2);
/// How often it is looked whether all is answered.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// What is under way. Clones share it.
#[derive(Clone, Debug)]
pub struct Drain {
    state: Arc<State>,
    /// Asked itself rather than told: once anybody knows that it stops, every answer does.
    shutdown: Shutdown,
}

#[derive(Debug, Default)]
struct State {
    /// Requests without a complete answer.
    requests: AtomicUsize,
    /// Connections without a request.
    fresh: AtomicUsize,
    /// Connections and requests that ever came.
    arrivals: AtomicUsize,
}

/// A connection, until its first request.
#[derive(Debug)]
struct Fresh {
    state: Arc<State>,
    is_over: AtomicBool,
}

impl Fresh {
    fn end(&self) {
        if !self.is_over.swap(true, Ordering::AcqRel) {
            self.state.fresh.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        self.end();
    }
}

/// A request, until its answer was handed to the connection in full.
struct UnderWay(Arc<State>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drain {
    /// From `shutdown` on, answers close their connections.
    #[must_use]
    pub fn new(shutdown: Shutdown) -> Self {
        Self { state: Arc::default(), shutdown }
    }

    /// Registers a new connection.
    pub fn connected(&self, connection: &mut Extensions) {
        self.state.fresh.fetch_add(1, Ordering::AcqRel);
        self.state.arrivals.fetch_add(1, Ordering::AcqRel);
        connection.insert(Fresh { state: Arc::clone(&self.state), is_over: AtomicBool::new(false) });
    }

    /// Waits until what was accepted is answered, at most for `limit`. Call it when no more is accepted.
    pub async fn finish(&self, limit: Duration) {
        let begun = Instant::now();
        let (mut quiet, mut known) = (0, None);
        loop {
            let requests = self.state.requests.load(Ordering::Acquire);
            let fresh = self.state.fresh.load(Ordering::Acquire);
            let arrivals = self.state.arrivals.load(Ordering::Acquire);
            let waited = begun.elapsed();
            let is_idle = requests == 0 && (fresh == 0 || waited >= FIRST_REQUEST_LIMIT);
            quiet = if is_idle && known == Some(arrivals) { quiet + 1 } else { 0 };
            known = Some(arrivals);
            if quiet >= QUIET_LOOKS {
                return;
            }
            if waited >= limit {
                log::warn!(requests; "some requests are not answered in time");
                return;
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }
}

/// The middleware, the outermost of all.
///
/// # Errors
/// Those of the services inside.
pub async fn drain(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(drain) = request.app_data::<web::Data<Drain>>().cloned() else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    let state = Arc::clone(&drain.state);
    state.requests.fetch_add(1, Ordering::AcqRel);
    state.arrivals.fetch_add(1, Ordering::AcqRel);
    let under_way = UnderWay(Arc::clone(&state));
    if let Some(fresh) = request.conn_data::<Fresh>() {
        fresh.end();
    }
    // HTTP/2 has no such header (RFC 9113, section 8.2.2).
    let is_closable = request.version() <= Version::HTTP_11;
    let mut response = next.call(request).await?.map_into_boxed_body();
    if is_closable && drain.shutdown.is_requested() {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(response.map_body(|_, body| BoxBody::new(Held { body, _under_way: under_way })))
}

/// A body that counts as under way until it is gone.
struct Held {
    body: BoxBody,
    _under_way: UnderWay,
}

impl MessageBody for Held {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
