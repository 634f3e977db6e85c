//! Progress, which is also the heartbeat: often to the pages, rarely to the database.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kinora_core::message::{StepEvent, StepReport};
use kinora_core::{AssetId, ProductionId, StepId};
use kinora_store::runs::Outcome;
use tokio_util::sync::CancellationToken;

use super::Coordinator;
use crate::ProgressMessage;

/// Reports that are taken from the broker ahead of time.
const PREFETCH: u16 = 200;
/// At most so often a page is told of one step.
const TELL_INTERVAL: Duration = Duration::from_millis(500);
/// At most so often one step is written; more often where heartbeats are missed sooner.
const LONGEST_WRITE_INTERVAL: Duration = Duration::from_secs(5);
/// What was not heard of for so long is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(60);
/// So many attempts are remembered before the forgotten ones are looked for.
const MANY: usize = 1000;

/// What is remembered of an attempt under way.
struct Watched {
    production_id: ProductionId,
    asset_id: AssetId,
    written_at: Instant,
    told_at: Option<Instant>,
}

/// The attempts under way. Lost with the leadership, and learnt again from the next report.
#[derive(Default)]
struct Watch(HashMap<(StepId, u32), Watched>);

impl Watch {
    fn forget_old(&mut self) {
        if self.0.len() >= MANY {
            self.0.retain(|_, watched| watched.written_at.elapsed() < FORGET_AFTER);
        }
    }
}

impl Coordinator {
    /// Passes progress on until `term` ends.
    pub(super) async fn follow_progress(self: Arc<Self>, term: CancellationToken) {
        let mut reports = self.bus.progress(PREFETCH, term);
        let mut watch = Watch::default();
        while let Some(delivery) = reports.next().await {
            self.follow(&mut watch, &delivery.body).await;
            watch.forget_old();
            if let Err(error) = delivery.acknowledge().await {
                log::debug!("progress will come again: {error}");
            }
        }
    }

    async fn follow(&self, watch: &mut Watch, report: &StepReport) {
        let StepEvent::Progress(progress) = &report.event else { return };
        let key = (report.step_id, report.attempt);
        let interval = LONGEST_WRITE_INTERVAL.min(self.policy.heartbeat_timeout / 4);
        let is_due = watch.0.get(&key).is_none_or(|watched| watched.written_at.elapsed() >= interval);
        if is_due {
            match self.apply(report.clone()).await {
                Ok(Outcome::Applied { production_id, asset_id, should_stop, .. }) => {
                    let told_at = watch.0.get(&key).and_then(|watched| watched.told_at);
                    let written_at = Instant::now();
                    watch.0.insert(key, Watched { production_id, asset_id, written_at, told_at });
                    if should_stop {
                        self.send_stop(report.step_id, report.attempt).await;
                    }
                }
                Ok(Outcome::Stale { .. }) => {
                    // The worker works in vain, for instance as its heartbeat was held up.
                    watch.0.remove(&key);
                    self.send_stop(report.step_id, report.attempt).await;
                    return;
                }
                Err(error) => log::debug!(step_id:% = report.step_id; "progress was not written: {error}"),
            }
        }
        if let Some(watched) = watch.0.get_mut(&key)
            && watched.told_at.is_none_or(|at| at.elapsed() >= TELL_INTERVAL)
        {
            watched.told_at = Some(Instant::now());
            let message = ProgressMessage {
                run_id: report.run_id,
                step_id: report.step_id,
                asset_id: watched.asset_id,
                attempt: report.attempt,
                progress: *progress,
                at: self.now(),
            };
            self.fanout.tell(watched.production_id, &message).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_told_at_least_once_a_second() {
        // A word that comes sooner than this after the last one is left out, and workers send one every 0.8 seconds.
        const { assert!(TELL_INTERVAL.as_millis() < 800) };
    }
}
