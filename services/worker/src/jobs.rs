//! The jobs of this process: which attempts are under way, what was cancelled before it came, and
//! what came of the last ones, so that orders may arrive twice, late or after their cancellation.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kinora_bus::Delivery;
use kinora_core::StepId;
use kinora_core::message::{Control, StepOrder, StepReport};
use tokio_util::sync::CancellationToken;

/// Most results and cancellations that are remembered.
const MEMORY: usize = 256;

/// An order as it was delivered last.
pub type Held = Arc<Mutex<Option<Delivery<StepOrder>>>>;

#[derive(Debug)]
struct Running {
    attempt: u32,
    cancel: CancellationToken,
    delivery: Held,
}

/// What to do with an order.
#[derive(Debug)]
pub enum Admission {
    /// Do it; the token is cancelled by a cancellation, and the delivery is to be settled at the end.
    Begin {
        /// Cancelled when the step is.
        cancel: CancellationToken,
        /// What is to be settled.
        delivery: Held,
    },
    /// It is under way in this process; it will settle this delivery instead of the earlier one.
    UnderWay,
    /// It was cancelled before it came.
    Cancelled(Delivery<StepOrder>),
    /// It was done before: say so again.
    Known(Delivery<StepOrder>, Box<StepReport>),
}

#[derive(Debug, Default)]
struct Books {
    running: HashMap<StepId, Running>,
    cancelled: VecDeque<(StepId, u32)>,
    reports: VecDeque<StepReport>,
}

/// The register. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    books: Arc<Mutex<Books>>,
}

impl Jobs {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in an order. An attempt older than the one under way is treated like it.
    #[must_use]
    pub fn admit(&self, delivery: Delivery<StepOrder>) -> Admission {
        let (step, attempt) = (delivery.body.step_id, delivery.body.attempt);
        let mut books = self.books();
        if let Some(running) = books.running.get(&step) {
            if attempt <= running.attempt {
                let earlier = hold(&running.delivery).replace(delivery);
                // Its channel is gone, or it would not have been delivered again.
                drop(earlier);
                return Admission::UnderWay;
            }
            // Somebody decided that the attempt under way is lost.
            running.cancel.cancel();
        }
        if books.cancelled.iter().any(|(cancelled, highest)| *cancelled == step && attempt <= *highest) {
            return Admission::Cancelled(delivery);
        }
        let known = books.reports.iter().find(|report| report.step_id == step && report.attempt == attempt);
        if let Some(report) = known {
            return Admission::Known(delivery, Box::new(report.clone()));
        }
        let cancel = CancellationToken::new();
        let delivery = Arc::new(Mutex::new(Some(delivery)));
        let running = Running { attempt, cancel: cancel.clone(), delivery: Arc::clone(&delivery) };
        books.running.insert(step, running);
        Admission::Begin { cancel, delivery }
    }

    /// Ends an attempt; `report` is what is said if its order comes again.
    pub fn end(&self, step: StepId, attempt: u32, report: Option<StepReport>) {
        let mut books = self.books();
        if books.running.get(&step).is_some_and(|running| running.attempt == attempt) {
            books.running.remove(&step);
        }
        if let Some(report) = report {
            books.reports.push_back(report);
            if books.reports.len() > MEMORY {
                books.reports.pop_front();
            }
        }
    }

    /// Does what the backend tells all workers.
    pub fn obey(&self, control: Control) {
        let Control::Cancel { step_id, attempt } = control;
        let mut books = self.books();
        books.cancelled.push_back((step_id, attempt));
        if books.cancelled.len() > MEMORY {
            books.cancelled.pop_front();
        }
        if let Some(running) = books.running.get(&step_id).filter(|running| running.attempt <= attempt) {
            log::info!(step_id:%, attempt = running.attempt; "cancelled");
            running.cancel.cancel();
        }
    }

    /// Cancels everything that runs.
    pub fn cancel_all(&self) {
        for running in self.books().running.values() {
            running.cancel.cancel();
        }
    }
}

/// The delivery that is held.
pub fn hold(delivery: &Held) -> MutexGuard<'_, Option<Delivery<StepOrder>>> {
    delivery.lock().unwrap_or_else(PoisonError::into_inner)
}
