//! Cancelling, publishing, and handing waiting steps to the broker: whenever the database says that
//! there is work, and every second in case it could not say so.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use kinora_core::message::Control;
use kinora_core::queue::QueueClass;
use kinora_core::{RunId, StepId};
use kinora_store::runs::{self, Cancelled, Claim, Order};
use kinora_store::{Result, StoreError};
use tokio_util::sync::CancellationToken;

use super::Coordinator;

/// The longest that work waits when no notification came.
const TICK: Duration = Duration::from_secs(1);
/// Steps that the backend does itself in one round.
const PUBLISH_BATCH: i64 = 100;

impl Coordinator {
    /// Does what is due until `term` ends.
    pub(super) async fn dispatch(self: Arc<Self>, term: CancellationToken) {
        loop {
            if let Err(error) = self.do_what_is_due(&term).await {
                log::warn!("work could not be handed over: {error}");
            }
            let wait = tokio::time::timeout(TICK, self.work.notified());
            if term.run_until_cancelled(wait).await.is_none() {
                return;
            }
        }
    }

    async fn do_what_is_due(&self, term: &CancellationToken) -> Result<()> {
        self.cancel().await?;
        self.publish().await?;
        self.hand_over(term).await
    }

    /// Cancels what somebody asked to cancel. Workers are told again each round until they obey.
    async fn cancel(&self) -> Result<()> {
        for (run_id, _) in self.database.call(runs::list_cancel_requests).await? {
            let (policy, now) = (self.policy.clone(), self.now());
            let to_stop = self.database.call(move |c| runs::apply_cancel(c, run_id, &policy, now)).await?;
            for Cancelled { step_id, attempt } in to_stop {
                log::info!(run_id:%, step_id:%, attempt; "cancelling");
                self.send_stop(step_id, attempt).await;
            }
        }
        Ok(())
    }

    /// Tells whichever worker has this attempt to stop it.
    pub(super) async fn send_stop(&self, step_id: StepId, attempt: u32) {
        if let Err(error) = self.bus.publish_control(&Control::Cancel { step_id, attempt }).await {
            log::warn!(step_id:%, attempt; "workers could not be told to stop: {error}");
        }
    }

    /// Does the steps that are the backend's own.
    async fn publish(&self) -> Result<()> {
        let now = self.now();
        let due = self.database.call(move |c| runs::list_due_publishes(c, now, PUBLISH_BATCH)).await?;
        for (run_id, step_id) in due {
            match self.database.call(move |c| runs::complete_publish(c, run_id, step_id, now)).await {
                Ok(Some(production_id)) => {
                    log::info!(run_id:%, step_id:%, step = "publish", production_id:%; "published");
                    metrics::counter!("kinora_backend_published_total").increment(1);
                }
                Ok(None) => {}
                Err(error @ StoreError::Unavailable(_)) => return Err(error),
                Err(error) => self.defer(run_id, step_id, &error).await?,
            }
        }
        Ok(())
    }

    async fn defer(&self, run_id: RunId, step_id: StepId, error: &StoreError) -> Result<()> {
        log::error!(run_id:%, step_id:%, step = "publish"; "not published: {error}");
        let (reason, policy, now) = (error.to_string(), self.policy.clone(), self.now());
        self.database.call(move |c| runs::defer_publish(c, run_id, step_id, &reason, &policy, now)).await
    }

    /// Hands waiting steps to the broker, as many as it should have in stock.
    async fn hand_over(&self, term: &CancellationToken) -> Result<()> {
        if !self.bus.is_connected() {
            return Ok(());
        }
        let mut in_flight = self.database.call(runs::count_in_flight).await?;
        for (class, limit) in &self.limits {
            while in_flight.count(*class) < *limit && !term.is_cancelled() {
                if !self.hand_over_one(*class).await? {
                    break;
                }
                in_flight.add(*class);
            }
        }
        Ok(())
    }

    /// Claims, commits, publishes. Gives whether to go on with this class.
    async fn hand_over_one(&self, class: QueueClass) -> Result<bool> {
        let now = self.now();
        let Order { class, asset_id, order } =
            match self.database.call(move |c| runs::claim(c, class, now)).await? {
                Claim::Order(order) => order,
                Claim::Ended(step_id) => {
                    log::info!(step_id:%; "a step that was due was ended instead");
                    return Ok(true);
                }
                Claim::Nothing => return Ok(false),
            };
        let (run_id, step_id, attempt) = (order.run_id, order.step_id, order.attempt);
        let kind = order.input.kind().name();
        match self.bus.publish_order(class, &order).await {
            Ok(()) => {
                log::info!(
                    run_id:%, step_id:%, step = kind, attempt, asset_id:%, production_id:% = order.production_id;
                    "handed to the workers"
                );
                metrics::counter!("kinora_backend_orders_total", "class" => class.name()).increment(1);
                Ok(true)
            }
            Err(error) => {
                log::warn!(run_id:%, step_id:%, step = kind, attempt; "not handed to the workers: {error}");
                metrics::counter!("kinora_backend_order_failures_total").increment(1);
                let now = self.now();
                let delay = TimeDelta::seconds(1);
                self.database.call(move |c| runs::return_unpublished(c, &order, delay, now)).await?;
                Ok(false)
            }
        }
    }
}
