//! The reaper, and the figures for monitoring.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kinora_bus::Depth;
use kinora_core::queue::QueueClass;
use kinora_core::state::StepState;
use kinora_store::Result;
use kinora_store::runs::{self, Reaped};
use kinora_store::write_ahead_log;
use tokio_util::sync::CancellationToken;

use super::Coordinator;

/// Between two rounds, at most; shorter if the timeouts are.
const LONGEST_INTERVAL: Duration = Duration::from_secs(5);

impl Coordinator {
    /// Takes back what was lost and counts, until `term` ends.
    pub(super) async fn keep_up(self: Arc<Self>, term: CancellationToken) {
        let interval = self.policy.heartbeat_timeout.min(self.policy.start_timeout) / 4;
        let interval = interval.clamp(Duration::from_millis(100), LONGEST_INTERVAL);
        let mut seen = BTreeSet::new();
        // The first round comes after a pause: reports that waited for a leader are applied first.
        while term.run_until_cancelled(tokio::time::sleep(interval)).await.is_some() {
            let depths = self.depths().await;
            if let Err(error) = self.reap(&depths).await {
                log::warn!("lost attempts could not be taken back: {error}");
            }
            if let Err(error) = self.count(&depths, &mut seen).await {
                log::debug!("steps could not be counted: {error}");
            }
        }
    }

    async fn depths(&self) -> Vec<Depth> {
        match self.bus.depths().await {
            Ok(depths) => depths,
            Err(error) => {
                log::debug!("the queues could not be looked at: {error}");
                Vec::new()
            }
        }
    }

    async fn reap(&self, depths: &[Depth]) -> Result<()> {
        // An order that waits in the broker is not lost, however long it takes.
        let is_drained = |class: &QueueClass| {
            let queue = format!("orders.{}", class.name());
            depths.iter().any(|depth| depth.queue == queue && depth.messages == 0)
        };
        let drained: Vec<QueueClass> = QueueClass::ALL.into_iter().filter(is_drained).collect();
        let (policy, now) = (self.policy.clone(), self.now());
        for reaped in self.database.call(move |c| runs::reap(c, &drained, &policy, now)).await? {
            let Reaped { run_id, step_id, attempt, worker, state } = reaped;
            let worker = worker.unwrap_or_default();
            let state_name = state.name();
            log::warn!(run_id:%, step_id:%, attempt, worker, state = state_name; "an attempt was lost");
            metrics::counter!("kinora_backend_lost_attempts_total").increment(1);
            // Should the worker be alive after all, it works in vain.
            self.send_stop(step_id, attempt).await;
            if state == StepState::Waiting {
                self.work.notify_one();
            }
        }
        Ok(())
    }

    async fn count(&self, depths: &[Depth], seen: &mut BTreeSet<(String, String)>) -> Result<()> {
        for depth in depths {
            let queue = depth.queue.clone();
            metrics::gauge!("kinora_bus_queue_messages", "queue" => queue.clone())
                .set(f64::from(depth.messages));
            metrics::gauge!("kinora_bus_queue_consumers", "queue" => queue).set(f64::from(depth.consumers));
        }
        let counts = self.database.call(runs::count_steps).await?;
        // What is counted no longer is zero now.
        for (kind, state) in seen.iter() {
            set_steps(kind, state, 0.0, 0.0);
        }
        for count in counts {
            let age = count.oldest.and_then(|at| (self.now() - at).to_std().ok()).unwrap_or_default();
            #[expect(clippy::cast_precision_loss, reason = "a figure for a graph")]
            set_steps(&count.kind, &count.state, count.count as f64, age.as_secs_f64());
            seen.insert((count.kind, count.state));
        }
        let lag = self.database.call(write_ahead_log::archive_lag_seconds).await?;
        metrics::gauge!("kinora_database_archive_lag_seconds").set(lag);
        Ok(())
    }
}

fn set_steps(kind: &str, state: &str, count: f64, age_seconds: f64) {
    let (kind, state) = (kind.to_owned(), state.to_owned());
    metrics::gauge!("kinora_backend_steps", "kind" => kind.clone(), "state" => state.clone()).set(count);
    metrics::gauge!("kinora_backend_oldest_step_seconds", "kind" => kind, "state" => state).set(age_seconds);
}
