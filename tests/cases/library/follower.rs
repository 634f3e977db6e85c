//! A reader of server-sent events, as a browser is one.

use kinora_tests::{Client, DEADLINE};
use reqwest::{Method, Response};
use serde_json::Value;
use tokio::time::timeout;

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub id: Option<i64>,
    pub kind: String,
    pub data: Value,
}

/// An open stream.
pub struct Follower {
    response: Response,
    rest: String,
    /// Number of the last event that was read.
    pub last: Option<i64>,
}

impl Follower {
    /// Opens the stream, goes on after `last`, and reads its beginning ("ready" or "reset").
    pub async fn open(client: &Client, production: &str, last: Option<i64>) -> (Self, Event) {
        let mut follower = Self::open_unread(client, production, last).await;
        let first = follower.next().await.expect("a beginning");
        (follower, first)
    }

    /// Opens the stream and reads nothing of it.
    pub async fn open_unread(client: &Client, production: &str, last: Option<i64>) -> Self {
        let path = format!("/api/data/v1/productions/{production}/events");
        let mut request = client.request(Method::GET, &path);
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = timeout(DEADLINE, request.send()).await.expect("in time").expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, rest: String::new(), last }
    }

    /// The next event; none at the end, whether it came in good order or by a crash.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.rest.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.rest = rest;
                if let Some(event) = parse(&block) {
                    self.last = event.id.or(self.last);
                    return Some(event);
                }
                continue;
            }
            let chunk = timeout(DEADLINE, self.response.chunk()).await.expect("something in time");
            self.rest.push_str(std::str::from_utf8(&chunk.ok()??).expect("whole characters"));
        }
    }

    /// Reads until the end; gives what came.
    pub async fn read_to_end(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| {
        block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned))
    };
    Some(Event {
        id: field("id").map(|id| id.parse().expect("a number")),
        kind: field("event")?,
        data: serde_json::from_str(&field("data")?).expect("JSON"),
    })
}
