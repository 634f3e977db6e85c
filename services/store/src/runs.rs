//! Runs and steps as the coordinator sees them: started, claimed, reported on, cancelled, reaped.
//! What people see and may do is in [`crate::run_views`].
//!
//! Every function runs in a transaction of its own or in the caller's, takes the present instant,
//! and locks the run before its steps, its steps before anything else, and events last. A step
//! changes state only as [`StepState::may_become`] allows, and a message about an attempt changes
//! something only while that attempt is the current one and the step is not in a final state. That
//! is what makes it safe that messages come twice, late or never.

mod claims;
mod reports;
mod rows;
mod upkeep;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use kinora_core::object::Place;
use kinora_core::state::{RunState, StepState};
use kinora_core::workflow::{self, PlannedStep};
use kinora_core::{AssetId, Failure, FailureCode, PersonId, ProductionId, RunId, StepId, VersionId};

pub use claims::{
    Claim, InFlight, Order, claim, complete_publish, count_in_flight, defer_publish, list_due_publishes,
    return_unpublished,
};
pub use reports::{Outcome, apply_report};
pub use upkeep::{Cancelled, Reaped, StepCount, apply_cancel, count_steps, list_cancel_requests, reap};

use crate::notify::{WORK_CHANNEL, notify};
use crate::schema::{runs, steps};
use crate::{Result, StoreError, run_views};
use rows::{LockedRun, LockedStep};

/// How patient the coordinator is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Attempts of a step before it has failed for good, counted from when a person last started it.
    pub max_tries: u32,
    /// An attempt that was not heard of for this long is lost.
    pub heartbeat_timeout: Duration,
    /// An order that was not begun after this long is lost, if the broker has none left waiting.
    pub start_timeout: Duration,
    /// Wait before the second try of a step that failed for a passing reason; doubled each time.
    pub retry_delay: Duration,
    /// A worker that has not confirmed a cancellation after this long is not waited for.
    pub cancel_timeout: Duration,
    /// How long the objects of ignored results are kept.
    pub orphan_delay: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_tries: 4,
            heartbeat_timeout: Duration::from_secs(30),
            start_timeout: Duration::from_secs(60),
            retry_delay: Duration::from_secs(10),
            cancel_timeout: Duration::from_secs(10),
            orphan_delay: Duration::from_secs(600),
        }
    }
}

impl Policy {
    /// The wait after the `tries`-th try, at most an hour.
    fn delay_after(&self, tries: i32) -> TimeDelta {
        let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or(0).min(12);
        delta(self.retry_delay.saturating_mul(1 << doublings).min(Duration::from_secs(3600)))
    }

    fn is_exhausted(&self, tries: i32) -> bool {
        u32::try_from(tries).unwrap_or(0) >= self.max_tries
    }
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

/// A delivered version that is to be made watchable.
#[derive(Clone, Copy, Debug)]
pub struct NewIngest {
    /// The production.
    pub production_id: ProductionId,
    /// The asset.
    pub asset_id: AssetId,
    /// The version.
    pub version_id: VersionId,
    /// Whose act it is.
    pub created_by: Option<PersonId>,
    /// Where the original is.
    pub place: Place,
}

/// Starts the workflow `ingest` in the running transaction, wakes the coordinator and records the
/// event of the run. Asset and version must be there.
///
/// # Errors
/// The database's.
pub fn start_ingest(connection: &mut PgConnection, new: &NewIngest, now: DateTime<Utc>) -> Result<RunId> {
    let run = RunId::new();
    diesel::insert_into(runs::table)
        .values((
            runs::id.eq(run.0),
            runs::production_id.eq(new.production_id.0),
            runs::asset_id.eq(new.asset_id.0),
            runs::version_id.eq(new.version_id.0),
            runs::workflow.eq(workflow::INGEST),
            runs::workflow_version.eq(workflow::INGEST_VERSION),
            runs::state.eq(RunState::Active.name()),
            runs::created_by.eq(new.created_by.map(|person| person.0)),
            runs::created_at.eq(now),
        ))
        .execute(connection)?;
    let plan = workflow::ingest(new.place);
    let rows: Vec<_> =
        (0_i32..).zip(&plan).map(|(position, step)| planned_row(run, position, step, now)).collect();
    diesel::insert_into(steps::table).values(rows).execute(connection)?;
    notify(connection, WORK_CHANNEL, &run.to_string())?;
    run_views::announce(connection, run)?;
    Ok(run)
}

type PlannedRow = (
    diesel::dsl::Eq<steps::id, uuid::Uuid>,
    diesel::dsl::Eq<steps::run_id, uuid::Uuid>,
    diesel::dsl::Eq<steps::position, i32>,
    diesel::dsl::Eq<steps::kind, &'static str>,
    diesel::dsl::Eq<steps::needs, Vec<&'static str>>,
    diesel::dsl::Eq<steps::state, &'static str>,
    diesel::dsl::Eq<steps::not_before, DateTime<Utc>>,
    diesel::dsl::Eq<steps::waiting_since, DateTime<Utc>>,
);

fn planned_row(run: RunId, position: i32, step: &PlannedStep, now: DateTime<Utc>) -> PlannedRow {
    let state = if step.needs.is_empty() { StepState::Waiting } else { StepState::Blocked };
    (
        steps::id.eq(StepId::new().0),
        steps::run_id.eq(run.0),
        steps::position.eq(position),
        steps::kind.eq(step.kind.name()),
        steps::needs.eq(step.needs.iter().map(|kind| kind.name()).collect::<Vec<_>>()),
        steps::state.eq(state.name()),
        steps::not_before.eq(now),
        steps::waiting_since.eq(now),
    )
}

/// Changes a step's state, or refuses with [`StoreError::Conflict`] what is not legal.
fn require_legal(step: &LockedStep, next: StepState) -> Result<()> {
    if step.state.may_become(next) {
        Ok(())
    } else {
        let (state, next) = (step.state.name(), next.name());
        Err(StoreError::Conflict(format!("step {} is {state} and cannot become {next}", step.id)))
    }
}

/// The attempt is over without a result: another one is due, or, if there were enough, the step has
/// failed with `failure`.
fn retry_or_fail(
    connection: &mut PgConnection,
    run: &LockedRun,
    step: &LockedStep,
    failure: &Failure,
    delay: TimeDelta,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<StepState> {
    if run.is_cancelling() {
        step.end(connection, StepState::Cancelled, None, now)?;
        return Ok(StepState::Cancelled);
    }
    if policy.is_exhausted(step.tries) {
        step.end(connection, StepState::Failed, Some(failure), now)?;
        return Ok(StepState::Failed);
    }
    if step.state != StepState::Waiting {
        step.wait_again(connection, delay, Some(failure), now)?;
    }
    Ok(StepState::Waiting)
}

/// The failure of a step whose worker was lost each time.
fn worker_lost() -> Failure {
    Failure::new(FailureCode::WorkerLost)
}
