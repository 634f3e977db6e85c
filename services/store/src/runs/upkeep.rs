//! What keeps runs moving when messages do not come: cancelling, and taking back lost attempts.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use kinora_core::queue::QueueClass;
use kinora_core::state::StepState;
use kinora_core::step::StepKind;
use kinora_core::{RunId, StepId};
use uuid::Uuid;

use super::rows::lock_run;
use super::{Policy, delta, retry_or_fail, worker_lost};
use crate::Result;
use crate::schema::{runs, steps};

/// An attempt that a worker should stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled {
    /// The step.
    pub step_id: StepId,
    /// The highest attempt that is meant.
    pub attempt: u32,
}

/// The runs that somebody asked to cancel and that have not ended, with the instant of the wish.
///
/// # Errors
/// The database's.
pub fn list_cancel_requests(connection: &mut PgConnection) -> Result<Vec<(RunId, DateTime<Utc>)>> {
    let rows: Vec<(Uuid, Option<DateTime<Utc>>)> = runs::table
        .filter(runs::cancel_requested_at.is_not_null())
        .filter(runs::state.eq("active"))
        .order(runs::cancel_requested_at)
        .select((runs::id, runs::cancel_requested_at))
        .load(connection)?;
    Ok(rows.into_iter().filter_map(|(id, at)| Some((id.into(), at?))).collect())
}

/// Cancels what can be cancelled of a run, in a transaction of its own: steps that no worker has end
/// at once; gives the attempts that workers have, who are to be told. Those end when the worker
/// says so, or after [`Policy::cancel_timeout`].
///
/// # Errors
/// The database's.
pub fn apply_cancel(
    connection: &mut PgConnection,
    run: RunId,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Vec<Cancelled>> {
    connection.transaction(|connection| {
        let Some(run) = lock_run(connection, run)? else { return Ok(Vec::new()) };
        let Some(requested_at) = run.cancel_requested_at else { return Ok(Vec::new()) };
        let is_overdue = now - requested_at >= delta(policy.cancel_timeout);
        let mut to_stop = Vec::new();
        let mut has_ended = false;
        for step in run.steps(connection)? {
            if matches!(step.state, StepState::Queued | StepState::Running) {
                let attempt = u32::try_from(step.attempt).unwrap_or(0);
                to_stop.push(Cancelled { step_id: step.id, attempt });
            }
            let is_idle = matches!(step.state, StepState::Blocked | StepState::Waiting | StepState::Queued);
            if is_idle || (is_overdue && step.state == StepState::Running) {
                step.end(connection, StepState::Cancelled, None, now)?;
                has_ended = true;
            }
        }
        if has_ended {
            run.settle(connection, now)?;
        }
        Ok(to_stop)
    })
}

/// An attempt that was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaped {
    /// The run.
    pub run_id: RunId,
    /// The step.
    pub step_id: StepId,
    /// The attempt that is lost.
    pub attempt: u32,
    /// The worker that had it, if any.
    pub worker: Option<String>,
    /// The step's state now.
    pub state: StepState,
}

#[derive(QueryableByName)]
struct Lost {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    run_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    worker: Option<String>,
}

/// Takes back attempts that were lost, each in a transaction of its own: running ones that were not
/// heard of for long, and queued ones that nobody began although the broker has no order of their
/// class left waiting (`drained`). The latter are not counted against the step.
///
/// # Errors
/// The database's.
pub fn reap(
    connection: &mut PgConnection,
    drained: &[QueueClass],
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Vec<Reaped>> {
    let kinds: Vec<&str> = [StepKind::Probe, StepKind::Settle, StepKind::Render]
        .into_iter()
        .filter(|kind| kind.queue_class().is_some_and(|class| drained.contains(&class)))
        .map(StepKind::name)
        .collect();
    let lost: Vec<Lost> = diesel::sql_query(
        "SELECT id, run_id, worker FROM steps WHERE (state = 'running' AND heartbeat_at < $1) \
         OR (state = 'queued' AND queued_at < $2 AND kind = ANY($3)) ORDER BY id LIMIT 100",
    )
    .bind::<Timestamptz, _>(now - delta(policy.heartbeat_timeout))
    .bind::<Timestamptz, _>(now - delta(policy.start_timeout))
    .bind::<Array<Text>, _>(kinds)
    .load(connection)?;
    let mut reaped = Vec::new();
    for lost in lost {
        reaped.extend(take_back(connection, lost, policy, now)?);
    }
    Ok(reaped)
}

fn take_back(
    connection: &mut PgConnection,
    lost: Lost,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Option<Reaped>> {
    connection.transaction(|connection| {
        let Some(run) = lock_run(connection, lost.run_id.into())? else { return Ok(None) };
        let Some(mut step) = run.step(connection, lost.id.into())? else { return Ok(None) };
        // What was lost a moment ago may have been heard of meanwhile.
        type Times = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);
        let (heartbeat_at, queued_at): Times =
            steps::table.find(step.id.0).select((steps::heartbeat_at, steps::queued_at)).first(connection)?;
        let is_before = |at: Option<DateTime<Utc>>, limit| at.is_some_and(|at| at < now - limit);
        let is_lost = match step.state {
            StepState::Running => is_before(heartbeat_at, delta(policy.heartbeat_timeout)),
            StepState::Queued => is_before(queued_at, delta(policy.start_timeout)),
            _ => false,
        };
        if !is_lost {
            return Ok(None);
        }
        if step.state == StepState::Queued {
            step.tries = (step.tries - 1).max(0);
            diesel::update(steps::table.find(step.id.0))
                .set(steps::tries.eq(step.tries))
                .execute(connection)?;
        }
        let state = retry_or_fail(connection, &run, &step, &worker_lost(), TimeDelta::zero(), policy, now)?;
        run.settle(connection, now)?;
        let attempt = u32::try_from(step.attempt).unwrap_or(0);
        Ok(Some(Reaped { run_id: run.id, step_id: step.id, attempt, worker: lost.worker, state }))
    })
}

/// How many steps are in a state, for metrics.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct StepCount {
    /// The kind's name.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// The state's name.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// How many.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
    /// Since when the one that has waited longest is waiting.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub oldest: Option<DateTime<Utc>>,
}

/// Counts the steps that have not ended by kind and state.
///
/// # Errors
/// The database's.
pub fn count_steps(connection: &mut PgConnection) -> Result<Vec<StepCount>> {
    Ok(diesel::sql_query(
        "SELECT kind, state, count(*) AS count, min(waiting_since) AS oldest FROM steps \
         WHERE state IN ('waiting', 'queued', 'running') GROUP BY kind, state",
    )
    .load(connection)?)
}
