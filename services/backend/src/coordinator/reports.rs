//! Applying what workers report: the transaction first, the acknowledgement after it. A report that
//! comes again because of that changes nothing.

use std::sync::Arc;
use std::time::Duration;

use kinora_bus::Delivery;
use kinora_core::message::{StepEvent, StepReport};
use kinora_store::StoreError;
use kinora_store::runs::{self, Outcome};
use tokio_util::sync::CancellationToken;

use super::Coordinator;

/// Reports that are taken from the broker ahead of time.
const PREFETCH: u16 = 32;
/// Tries to apply a report that the database refuses, before it goes to the dead letters.
const MAX_TRIES: u32 = 5;
/// Wait between two tries.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// What a report says, for logs and metrics.
fn event_name(event: &StepEvent) -> &'static str {
    match event {
        StepEvent::Started => "started",
        StepEvent::Progress(_) => "progress",
        StepEvent::Done { .. } => "done",
        StepEvent::Failed { .. } => "failed",
        StepEvent::Cancelled => "cancelled",
    }
}

impl Coordinator {
    /// Applies reports until `term` ends.
    pub(super) async fn apply_results(self: Arc<Self>, term: CancellationToken) {
        let mut reports = self.bus.reports(PREFETCH, term.clone());
        while let Some(delivery) = reports.next().await {
            let lag = (self.now() - delivery.sent_at).to_std().unwrap_or_default();
            metrics::histogram!("kinora_backend_report_lag_seconds").record(lag.as_secs_f64());
            term.run_until_cancelled(self.apply_result(&delivery)).await;
        }
    }

    /// Applies one report. Left alone, it is not acknowledged and comes again.
    async fn apply_result(&self, delivery: &Delivery<StepReport>) {
        let report = &delivery.body;
        let (run_id, step_id, attempt) = (report.run_id, report.step_id, report.attempt);
        let event = event_name(&report.event);
        let mut refusals = 0;
        let settled = loop {
            match self.apply(report.clone()).await {
                Ok(outcome) => {
                    self.tell(report, outcome).await;
                    break delivery.acknowledge().await;
                }
                Err(StoreError::Unavailable(reason)) => {
                    log::warn!(run_id:%, step_id:%, event; "a report has to wait for the database: {reason}");
                }
                Err(error) => {
                    refusals += 1;
                    log::error!(run_id:%, step_id:%, attempt, event, refusals; "a report was not applied: {error}");
                    if refusals >= MAX_TRIES {
                        break delivery.refuse().await;
                    }
                }
            }
            tokio::time::sleep(RETRY_DELAY).await;
        };
        if let Err(error) = settled {
            log::debug!(run_id:%, step_id:%, event; "a report will come again: {error}");
        }
    }

    /// One transaction.
    pub(super) async fn apply(&self, report: StepReport) -> Result<Outcome, StoreError> {
        let (policy, now) = (self.policy.clone(), self.now());
        self.database.call(move |c| runs::apply_report(c, &report, &policy, now)).await
    }

    /// Logs, counts, and wakes the dispatcher, as a step that ended lets others begin.
    async fn tell(&self, report: &StepReport, outcome: Outcome) {
        let (run_id, step_id, attempt) = (report.run_id, report.step_id, report.attempt);
        let (event, worker) = (event_name(&report.event), report.worker.as_str());
        let (label, should_stop) = match outcome {
            Outcome::Applied { production_id, state, should_stop, .. } => {
                let state = state.name();
                match &report.event {
                    StepEvent::Failed { failure } => {
                        let detail = failure.detail.as_deref().unwrap_or_default();
                        log::warn!(
                            run_id:%, step_id:%, production_id:%, attempt, worker, state, code:? = failure.code, detail;
                            "a step has failed: {}", failure.message
                        );
                    }
                    _ => {
                        log::info!(run_id:%, step_id:%, production_id:%, attempt, worker, state; "step {event}")
                    }
                }
                ("applied", should_stop)
            }
            Outcome::Stale { should_stop } => {
                log::info!(run_id:%, step_id:%, attempt, worker; "ignored: {event} of an attempt that is over");
                ("stale", should_stop)
            }
        };
        metrics::counter!("kinora_backend_reports_total", "event" => event, "outcome" => label).increment(1);
        if should_stop {
            self.send_stop(step_id, attempt).await;
        }
        if report.event.is_final() {
            self.work.notify_one();
        }
    }
}
