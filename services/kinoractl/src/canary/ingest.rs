//! Waits until an asset's ingest has ended: by live events, and by asking where those fail.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use reqwest::Method;
use reqwest::header::ACCEPT;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout_at};

use super::client::{CanaryError, Client, send};

/// How often the stream of events is opened before the canary only asks.
const MOST_STREAMS: u32 = 3;
/// How often it asks.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Longest event that is looked at.
const LONGEST_EVENT: usize = 1024 * 1024;

/// An asset as far as the canary looks at it.
#[derive(Clone, Debug, Deserialize)]
pub struct Asset {
    /// Its id.
    pub id: String,
    /// "processing", "ready", "failed" or "cancelled".
    pub status: String,
    /// Why it failed.
    #[serde(default)]
    pub failure: Option<Failure>,
    /// Its current version; only where the asset was asked for.
    #[serde(default)]
    pub version: Option<Version>,
    /// What was made of it; only where the asset was asked for.
    #[serde(default)]
    pub derivatives: Vec<Derivative>,
}

/// Why an asset failed.
#[derive(Clone, Debug, Deserialize)]
pub struct Failure {
    /// A sentence.
    pub message: String,
}

/// A version.
#[derive(Clone, Debug, Deserialize)]
pub struct Version {
    /// SHA-256 of the original.
    pub sha256: String,
    /// Bytes of the original.
    pub size_bytes: u64,
}

/// A derivative.
#[derive(Clone, Debug, Deserialize)]
pub struct Derivative {
    /// What it is.
    pub kind: String,
    /// Its size.
    pub size_bytes: u64,
    /// Where it is.
    pub url: String,
}

/// A step of an ingest as the API tells it.
#[derive(Debug, Deserialize)]
struct RunStep {
    kind: String,
    state: String,
    #[serde(default)]
    worker: Option<String>,
    waiting_since: DateTime<Utc>,
    #[serde(default)]
    started_at: Option<DateTime<Utc>>,
    #[serde(default)]
    finished_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Deserialize)]
struct Run {
    steps: Vec<RunStep>,
}

#[derive(Debug, Deserialize)]
struct Runs {
    items: Vec<Run>,
}

/// How long a step took, and where.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// What it does.
    pub kind: String,
    /// The worker that did it.
    pub worker: String,
    /// Seconds for which it waited for a worker.
    pub waited_seconds: f64,
    /// Seconds from its begin to its end.
    pub seconds: f64,
}

/// Between two instants; nothing where clocks differ.
fn between(begin: DateTime<Utc>, end: DateTime<Utc>) -> f64 {
    (end - begin).to_std().unwrap_or_default().as_secs_f64()
}

/// The steps of an asset's newest run that are done.
pub async fn steps(client: &Client, asset_id: &str) -> Result<Vec<Step>, CanaryError> {
    let runs: Runs = client.get("read the runs", &format!("/api/data/v1/assets/{asset_id}/runs")).await?;
    let newest = runs.items.into_iter().next().map(|run| run.steps).unwrap_or_default();
    Ok(done(newest))
}

fn done(steps: Vec<RunStep>) -> Vec<Step> {
    let read = |step: RunStep| {
        let (begin, end) = (step.started_at?, step.finished_at?);
        let is_done = step.state == "done";
        is_done.then_some(Step {
            kind: step.kind,
            worker: step.worker.unwrap_or_default(),
            waited_seconds: between(step.waiting_since, begin),
            seconds: between(begin, end),
        })
    };
    steps.into_iter().filter_map(read).collect()
}

/// How the waiting went.
#[derive(Debug)]
pub struct Ingested {
    /// The asset, ready.
    pub asset: Asset,
    /// Events that were seen.
    pub events: u32,
    /// Messages about progress that were seen.
    pub progress: u32,
}

/// Reads an asset.
pub async fn find(client: &Client, asset_id: &str) -> Result<Asset, CanaryError> {
    client.get("read the asset", &format!("/api/data/v1/assets/{asset_id}")).await
}

/// Waits until the asset is ready.
pub async fn wait(
    client: &Client,
    production: &str,
    asset_id: &str,
    limit: Duration,
) -> Result<Ingested, CanaryError> {
    let deadline = Instant::now() + limit;
    let mut watch = Watch { asset_id, last_event_id: None, events: 0, progress: 0 };
    for _ in 0..MOST_STREAMS {
        match timeout_at(deadline, watch.follow(client, production)).await {
            Err(_) => return Err(too_slow(limit)),
            Ok(Ok(true)) => break,
            // The stream has ended or cannot be opened: again, and then without it.
            Ok(Ok(false) | Err(_)) => {}
        }
    }
    loop {
        let asset = find(client, asset_id).await?;
        match asset.status.as_str() {
            "ready" => return Ok(Ingested { asset, events: watch.events, progress: watch.progress }),
            "processing" => {}
            other => {
                let why = asset.failure.map_or_else(String::new, |failure| format!(": {}", failure.message));
                return Err(CanaryError::Wrong(format!("the ingest ended as {other}{why}")));
            }
        }
        if Instant::now() >= deadline {
            return Err(too_slow(limit));
        }
        sleep(POLL_INTERVAL).await;
    }
}

fn too_slow(limit: Duration) -> CanaryError {
    CanaryError::Wrong(format!("the ingest did not end within {} s", limit.as_secs()))
}

struct Watch<'a> {
    asset_id: &'a str,
    last_event_id: Option<String>,
    events: u32,
    progress: u32,
}

impl Watch<'_> {
    /// Follows the production's events; true once the asset has left "processing".
    async fn follow(&mut self, client: &Client, production: &str) -> Result<bool, CanaryError> {
        let address = format!("/api/data/v1/productions/{production}/events");
        let mut request = client.request(Method::GET, &address)?.header(ACCEPT, "text/event-stream");
        if let Some(id) = &self.last_event_id {
            request = request.header("last-event-id", id);
        }
        let mut bytes = send("follow the events", request).await?.bytes_stream();
        let mut reader = EventReader::default();
        while let Some(chunk) = bytes.next().await {
            for event in reader.read(&chunk?)? {
                if event.id.is_some() {
                    self.last_event_id = event.id;
                }
                match event.kind.as_str() {
                    // From here on nothing is missed; before, it may be over already.
                    "ready" | "reset" => {
                        if find(client, self.asset_id).await?.status != "processing" {
                            return Ok(true);
                        }
                    }
                    "progress" => self.progress += 1,
                    kind => {
                        self.events += 1;
                        if kind == "asset" && self.has_ended(&event.data) {
                            return Ok(true);
                        }
                    }
                }
            }
        }
        Ok(false)
    }

    fn has_ended(&self, data: &str) -> bool {
        serde_json::from_str::<Asset>(data)
            .is_ok_and(|asset| asset.id == self.asset_id && asset.status != "processing")
    }
}

/// One server-sent event.
#[derive(Debug, Default, PartialEq, Eq)]
struct Event {
    id: Option<String>,
    kind: String,
    data: String,
}

/// Puts the bytes of a stream together to events.
#[derive(Debug, Default)]
struct EventReader {
    rest: Vec<u8>,
    event: Event,
}

impl EventReader {
    fn read(&mut self, chunk: &[u8]) -> Result<Vec<Event>, CanaryError> {
        self.rest.extend_from_slice(chunk);
        if self.rest.len() > LONGEST_EVENT {
            return Err(CanaryError::Wrong("an event is longer than 1 MiB".to_owned()));
        }
        let mut events = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                let event = std::mem::take(&mut self.event);
                if !event.data.is_empty() {
                    events.push(event);
                }
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "id" => self.event.id = Some(value.to_owned()),
                "event" => value.clone_into(&mut self.event.kind),
                "data" => self.event.data.push_str(value),
                _ => {}
            }
        }
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_are_done_are_told_with_their_worker() {
        let text = r#"{"items": [{"id": "r", "steps": [
            {"kind": "probe", "state": "done", "worker": "wk1", "waiting_since": "2026-11-22T10:00:00Z",
             "started_at": "2026-11-22T10:00:01Z", "finished_at": "2026-11-22T10:00:03.5Z"},
            {"kind": "proxy", "state": "running", "worker": "wk2", "waiting_since": "2026-11-22T10:00:04Z",
             "started_at": "2026-11-22T10:00:05Z", "finished_at": null}]}], "next_cursor": null}"#;
        let runs: Runs = serde_json::from_str(text).unwrap();
        let told = done(runs.items.into_iter().next().unwrap().steps);
        let expected =
            Step { kind: "probe".to_owned(), worker: "wk1".to_owned(), waited_seconds: 1.0, seconds: 2.5 };
        assert_eq!(told, [expected]);
    }

    #[test]
    fn events_are_put_together_from_any_pieces() {
        let text =
            ": keep-alive\n\nid: 7\nevent: asset\ndata: {\"id\":\"ä\"}\n\nevent: progress\r\ndata:{}\r\n\r\n";
        for size in [1, 2, 7, 1000] {
            let mut reader = EventReader::default();
            let events: Vec<Event> =
                text.as_bytes().chunks(size).flat_map(|chunk| reader.read(chunk).unwrap()).collect();
            let asset = Event {
                id: Some("7".to_owned()),
                kind: "asset".to_owned(),
                data: "{\"id\":\"ä\"}".to_owned(),
            };
            let progress = Event { id: None, kind: "progress".to_owned(), data: "{}".to_owned() };
            assert_eq!(events, [asset, progress]);
        }
    }
}
