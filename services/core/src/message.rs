//! What backend and worker say to each other over the broker.
//!
//! Delivery is at least once and unordered: every message names the step *and the attempt* it is
//! about, and whoever reads it must cope with seeing it twice, late or never.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::step::{StepInput, StepOutput};
use crate::{Failure, ProductionId, RunId, StepId};

/// Version of the envelope. A reader refuses (dead-letters) what is newer than it knows.
pub const ENVELOPE_VERSION: u16 = 1;

/// What every message is wrapped in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope<T> {
    /// [`ENVELOPE_VERSION`] of the writer.
    pub version: u16,
    /// This message, for logs.
    pub id: Uuid,
    /// When it was written.
    pub sent_at: DateTime<Utc>,
    /// What it says.
    pub body: T,
}

impl<T> Envelope<T> {
    /// Wraps `body` as written at `sent_at`.
    pub fn new(body: T, sent_at: DateTime<Utc>) -> Self {
        Self { version: ENVELOPE_VERSION, id: Uuid::now_v7(), sent_at, body }
    }
}

/// Backend to worker: do this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepOrder {
    /// The run the step belongs to.
    pub run_id: RunId,
    /// The step.
    pub step_id: StepId,
    /// Counts from 1; results of earlier attempts are ignored.
    pub attempt: u32,
    /// The production, for logs only: a worker decides nothing by it.
    pub production_id: ProductionId,
    /// What to do.
    pub input: StepInput,
}

/// Worker to backend: how an attempt is going.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// The run the step belongs to.
    pub run_id: RunId,
    /// The step.
    pub step_id: StepId,
    /// The attempt that is reported on.
    pub attempt: u32,
    /// The worker, as in its settings.
    pub worker: String,
    /// What happened.
    pub event: StepEvent,
}

/// What can happen to an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "short-lived: made, serialised, dropped")]
pub enum StepEvent {
    /// The worker has begun.
    Started,
    /// The worker is alive and got this far; sent at least once a second.
    Progress(Progress),
    /// The step is done.
    Done {
        /// What came of it.
        output: StepOutput,
    },
    /// The step has failed.
    Failed {
        /// Why.
        failure: Failure,
    },
    /// The step was cancelled and has left nothing behind.
    Cancelled,
}

impl StepEvent {
    /// Whether nothing more will come of this attempt.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Failed { .. } | Self::Cancelled)
    }
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Progress {
    /// Done part, 0 to 1; none while the length is unknown.
    pub fraction: Option<f32>,
    /// Media seconds processed in one second; none where that has no meaning.
    pub speed: Option<f32>,
    /// Seconds left at this speed.
    pub remaining_seconds: Option<u32>,
}

/// Backend to all workers: stop something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "control", rename_all = "snake_case")]
pub enum Control {
    /// Kill the attempt's child processes, remove its scratch, report `Cancelled`.
    Cancel {
        /// The step.
        step_id: StepId,
        /// The highest attempt that is meant; a later one goes on.
        attempt: u32,
    },
}
