//! One open stream of events: first what the client has missed, then what happens.

use std::collections::VecDeque;
use std::time::Duration;

use actix_web::web;
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use kinora_store::StoreError;
use kinora_store::events::{self, Follower};
use tokio::sync::oneshot::error::TryRecvError;

use crate::context::Context;
use crate::library::frame;
use crate::library::hub::Subscription;

/// How long a stream is silent at most.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Missed events that are read at once.
const PAGE: i64 = 100;

/// An open stream.
pub struct EventStream {
    context: web::Data<Context>,
    follower: Follower,
    subscription: Subscription,
    /// To be sent next.
    ready: VecDeque<Bytes>,
    /// Number of the last event that was sent or that the client has.
    seen: i64,
    /// Whether there may still be missed events in the database.
    is_catching_up: bool,
}

impl EventStream {
    /// A stream that begins with `first` and goes on after the event number `seen`.
    #[must_use]
    pub fn new(
        context: web::Data<Context>,
        follower: Follower,
        subscription: Subscription,
        first: Bytes,
        seen: i64,
    ) -> Self {
        Self { context, follower, subscription, ready: VecDeque::from([first]), seen, is_catching_up: true }
    }

    /// The body of the answer.
    pub fn into_body(self) -> impl Stream<Item = Result<Bytes, actix_web::Error>> {
        stream::unfold(Some(self), |stream| async move {
            let mut stream = stream?;
            match stream.next().await {
                Next::Frame(bytes) => Some((Ok(bytes), Some(stream))),
                Next::Last(bytes) => Some((Ok(bytes), None)),
                Next::End => None,
            }
        })
    }

    async fn next(&mut self) -> Next {
        loop {
            match self.subscription.end.try_recv() {
                Ok(farewell) => return Next::end(farewell),
                Err(TryRecvError::Closed) => return Next::End,
                Err(TryRecvError::Empty) => {}
            }
            if let Some(bytes) = self.ready.pop_front() {
                return Next::Frame(bytes);
            }
            if self.is_catching_up {
                if !self.catch_up().await {
                    return Next::End;
                }
                continue;
            }
            return tokio::select! {
                biased;
                farewell = &mut self.subscription.end => Next::end(farewell.ok().flatten()),
                frame = self.subscription.frames.recv() => match frame {
                    // Was among those that were caught up with.
                    Some(frame) if frame.sequence.is_some_and(|sequence| sequence <= self.seen) => continue,
                    Some(frame) => {
                        self.seen = frame.sequence.unwrap_or(self.seen);
                        Next::Frame(frame.text)
                    }
                    None => Next::End,
                },
                () = tokio::time::sleep(KEEP_ALIVE) => Next::Frame(frame::KEEP_ALIVE),
            };
        }
    }

    /// Reads missed events. Whether the stream goes on.
    async fn catch_up(&mut self) -> bool {
        let (follower, seen) = (self.follower, self.seen);
        let read = self.context.database.read(move |conn| {
            let missed = events::list_after(conn, follower.production, seen, PAGE)?;
            let roles = events::find_roles_of_followers(conn, &[follower])?.pop().flatten();
            Ok::<_, StoreError>((missed, roles))
        });
        let (missed, roles) = match read.await {
            Ok((missed, Some(roles))) => (missed, roles),
            Ok((_, None)) => return false,
            Err(problem) => {
                // The client comes back by itself.
                log::warn!("a stream of events ends: {}", problem.cause().unwrap_or("the database failed"));
                return false;
            }
        };
        self.is_catching_up = missed.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
        for event in &missed {
            self.seen = event.sequence;
            if event.is_visible_to(follower.person, &roles) {
                self.ready.push_back(frame::event(event));
            }
        }
        true
    }
}

enum Next {
    Frame(Bytes),
    Last(Bytes),
    End,
}

impl Next {
    fn end(farewell: Option<Bytes>) -> Self {
        farewell.map_or(Self::End, Self::Last)
    }
}
