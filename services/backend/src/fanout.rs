//! Live progress to the pages, by way of Redis. All of it may be lost: without Redis states still
//! move, only the percentages stand still.

use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, Utc};
use kinora_core::message::Progress;
use kinora_core::{AssetId, ProductionId, RunId, StepId};
use kinora_runtime::redis::{Redis, cmd};
use serde::{Serialize, Serializer};
use tokio::sync::Mutex;

/// How long a Redis that failed is left alone.
const REST: Duration = Duration::from_secs(2);

/// What a page is told about a step under way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProgressMessage {
    /// The run.
    pub run_id: RunId,
    /// The step.
    pub step_id: StepId,
    /// The asset that it works on: lists know no step.
    pub asset_id: AssetId,
    /// Its attempt.
    pub attempt: u32,
    /// How far it is.
    pub progress: Progress,
    /// When that was said.
    #[serde(serialize_with = "as_instant")]
    pub at: DateTime<Utc>,
}

fn as_instant<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// Redis, and whether it was there lately.
pub struct Fanout {
    redis: Option<Redis>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When it failed last.
    failed_at: Option<Instant>,
    /// Whether that was told in the log.
    is_lost: bool,
}

impl Fanout {
    /// Tells through `redis`; without it nothing is told.
    #[must_use]
    pub fn new(redis: Option<Redis>) -> Self {
        Self { redis, state: Mutex::default() }
    }

    /// Tells the pages of a production, if Redis is there.
    pub async fn tell(&self, production: ProductionId, message: &ProgressMessage) {
        let Some(redis) = &self.redis else { return };
        let Ok(json) = serde_json::to_string(message) else { return };
        let mut state = self.state.lock().await;
        if state.failed_at.is_some_and(|at| at.elapsed() < REST) {
            return;
        }
        let mut publish = cmd("PUBLISH");
        publish.arg(format!("progress:{production}")).arg(json);
        match redis.run::<i64>(&publish).await {
            Ok(_) => {
                state.failed_at = None;
                if std::mem::take(&mut state.is_lost) {
                    log::info!("Redis is back: live progress again");
                }
            }
            Err(error) => {
                state.failed_at = Some(Instant::now());
                metrics::counter!("kinora_backend_redis_failures_total").increment(1);
                if !std::mem::replace(&mut state.is_lost, true) {
                    log::warn!("no live progress until Redis is back: {error}");
                }
            }
        }
    }
}
