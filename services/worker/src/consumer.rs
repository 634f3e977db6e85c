//! The glue to the broker: takes orders, does them, keeps telling how they are going, and settles
//! each order only after its result is safely with the broker.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kinora_bus::{Bus, Delivery};
use kinora_core::message::{Progress, StepEvent, StepOrder, StepReport};
use kinora_core::queue::QueueClass;
use kinora_core::{Failure, FailureCode};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::StepError;
use crate::jobs::{Admission, Held, Jobs, hold};
use crate::steps::Workshop;

/// Time between two words of progress, which are also the heartbeat.
const HEARTBEAT: Duration = Duration::from_millis(800);

/// Takes orders and does them.
#[derive(Clone)]
pub struct Crew {
    /// The broker.
    pub bus: Bus,
    /// What the steps need.
    pub workshop: Arc<Workshop>,
    /// What is under way.
    pub jobs: Jobs,
    /// The worker's name in reports.
    pub name: String,
    /// Cancelled when no more orders are to be taken.
    pub stop: CancellationToken,
    /// Cancelled when what is under way is to be handed back.
    pub hand_back: CancellationToken,
    /// The jobs' tasks.
    pub tasks: TaskTracker,
}

impl Crew {
    /// Does what the backend tells all workers, until the end.
    pub async fn obey(self) {
        let mut controls = self.bus.controls(self.hand_back.clone());
        while let Some(control) = controls.next().await {
            self.jobs.obey(control.body);
        }
    }

    /// Takes orders of `class` and does `parallel` at a time, until it is told to stop.
    pub async fn work(self, class: QueueClass, parallel: u16) {
        let mut orders = self.bus.orders(class, parallel, self.stop.clone());
        // The broker holds back more than `parallel`, but after a lost connection it gives out again
        // what is still under way here, perhaps to others, and then something else to us.
        let places = Arc::new(Semaphore::new(usize::from(parallel)));
        while let Some(delivery) = orders.next().await {
            let crew = self.clone();
            match self.jobs.admit(delivery) {
                Admission::UnderWay => {}
                Admission::Cancelled(delivery) => {
                    self.tasks.spawn(async move {
                        let report = crew.report(&delivery.body, StepEvent::Cancelled);
                        crew.say_and_settle(&report, &delivery).await;
                    });
                }
                Admission::Known(delivery, report) => {
                    self.tasks.spawn(async move { crew.say_and_settle(&report, &delivery).await });
                }
                Admission::Begin { cancel, delivery } => {
                    let places = Arc::clone(&places);
                    self.tasks.spawn(async move {
                        // The semaphore is never closed.
                        let _place = places.acquire().await;
                        crew.run(&cancel, &delivery).await;
                    });
                }
            }
        }
    }

    async fn run(&self, cancel: &CancellationToken, delivery: &Held) {
        let Some(order) = hold(delivery).as_ref().map(|delivery| delivery.body.clone()) else { return };
        let kind = order.input.kind().name();
        let begun = Instant::now();
        log::info!(
            run_id:% = order.run_id, step_id:% = order.step_id, step = kind, attempt = order.attempt,
            production_id:% = order.production_id;
            "{kind} begins"
        );
        metrics::gauge!("kinora_worker_steps_running", "kind" => kind).increment(1.0);
        let outcome = self.attempt(&order, cancel).await;
        metrics::gauge!("kinora_worker_steps_running", "kind" => kind).decrement(1.0);
        let seconds = begun.elapsed().as_secs_f64();
        metrics::histogram!("kinora_worker_step_seconds", "kind" => kind).record(seconds);
        let Some(event) = outcome else {
            self.jobs.end(order.step_id, order.attempt, None);
            count(kind, "handed_back");
            log::info!(run_id:% = order.run_id, step_id:% = order.step_id, step = kind; "{kind} is handed back");
            let taken = hold(delivery).take();
            if let Some(delivery) = taken
                && let Err(error) = delivery.hand_back().await
            {
                log::debug!("not handed back, which the end of the connection does too: {error}");
            }
            return;
        };
        log_outcome(&order, &event, seconds);
        let report = self.report(&order, event);
        let said = self.bus.publish_report_until_confirmed(&report, &self.hand_back).await;
        self.jobs.end(order.step_id, order.attempt, Some(report));
        let taken = hold(delivery).take();
        match said {
            Ok(()) => settle(taken).await,
            Err(error) => {
                log::warn!(run_id:% = order.run_id, step_id:% = order.step_id, step = kind; "the result was not said: {error}");
            }
        }
    }

    /// Does the order. None if it was stopped so that another worker does it.
    async fn attempt(&self, order: &StepOrder, cancel: &CancellationToken) -> Option<StepEvent> {
        let started = self.report(order, StepEvent::Started);
        // Whoever waits for it is told by progress, too: the work does not wait for the broker.
        let (progress, seen) = watch::channel(Progress::default());
        let heartbeat = async {
            if let Err(error) = self.bus.publish_report_until_confirmed(&started, cancel).await {
                log::debug!(step_id:% = order.step_id; "the start was not said: {error}");
            }
            self.tell_progress(order, seen).await
        };
        let told = |word: Progress| {
            progress.send_replace(word);
        };
        let work = self.workshop.perform(&order.input, cancel, told);
        let handed_back = async {
            self.hand_back.cancelled().await;
            cancel.cancel();
            std::future::pending::<()>().await;
        };
        let result = tokio::select! {
            result = work => result,
            () = heartbeat => Err(StepError::internal("the heartbeat has ended")),
            () = handed_back => Err(StepError::Cancelled),
        };
        match result {
            Ok(output) => Some(StepEvent::Done { output }),
            Err(StepError::Failed(failure)) => Some(StepEvent::Failed { failure }),
            Err(StepError::Cancelled) if self.hand_back.is_cancelled() => None,
            Err(StepError::Cancelled) => Some(StepEvent::Cancelled),
        }
    }

    /// Tells how far it is, at least once a second, also when it stands still.
    async fn tell_progress(&self, order: &StepOrder, seen: watch::Receiver<Progress>) {
        let mut ticks = tokio::time::interval(HEARTBEAT);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let report = self.report(order, StepEvent::Progress(*seen.borrow()));
            if let Err(error) = self.bus.publish_progress(&report).await {
                log::debug!(step_id:% = order.step_id; "progress was dropped: {error}");
            }
        }
    }

    async fn say_and_settle(&self, report: &StepReport, delivery: &Delivery<StepOrder>) {
        match self.bus.publish_report_until_confirmed(report, &self.hand_back).await {
            Ok(()) => acknowledge(delivery).await,
            Err(error) => {
                log::warn!(run_id:% = report.run_id, step_id:% = report.step_id; "the result was not said: {error}")
            }
        }
    }

    fn report(&self, order: &StepOrder, event: StepEvent) -> StepReport {
        StepReport {
            run_id: order.run_id,
            step_id: order.step_id,
            attempt: order.attempt,
            worker: self.name.clone(),
            event,
        }
    }
}

async fn settle(delivery: Option<Delivery<StepOrder>>) {
    if let Some(delivery) = delivery {
        acknowledge(&delivery).await;
    }
}

async fn acknowledge(delivery: &Delivery<StepOrder>) {
    if let Err(error) = delivery.acknowledge().await {
        // It comes again and is answered from memory.
        log::info!(step_id:% = delivery.body.step_id; "not acknowledged: {error}");
    }
}

fn count(kind: &'static str, outcome: &'static str) {
    metrics::counter!("kinora_worker_steps_total", "kind" => kind, "outcome" => outcome).increment(1);
}

fn log_outcome(order: &StepOrder, event: &StepEvent, seconds: f64) {
    let kind = order.input.kind().name();
    let (run_id, step_id, attempt) = (order.run_id, order.step_id, order.attempt);
    let (production_id, duration_ms) = (order.production_id, (seconds * 1000.0) as u64);
    match event {
        StepEvent::Failed { failure } => {
            count(kind, "failed");
            let detail = failure.detail.as_deref().unwrap_or_default();
            let is_ours = matches!(failure.code, FailureCode::Internal | FailureCode::Storage);
            let level = if is_ours { log::Level::Error } else { log::Level::Info };
            log::log!(level, run_id:%, step_id:%, step = kind, attempt, production_id:%, duration_ms, code:? = failure.code, detail;
                "{kind} has failed: {}", Failure::new(failure.code).message);
        }
        StepEvent::Cancelled => {
            count(kind, "cancelled");
            log::info!(run_id:%, step_id:%, step = kind, attempt, production_id:%, duration_ms; "{kind} is cancelled");
        }
        _ => {
            count(kind, "done");
            log::info!(run_id:%, step_id:%, step = kind, attempt, production_id:%, duration_ms; "{kind} is done");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_goes_out_at_least_once_a_second() {
        const { assert!(HEARTBEAT.as_millis() < 1000) };
    }
}
