//! Handing steps over: a claim commits first and is published afterwards, so that what a worker
//! reports is always about an attempt that the database knows.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Timestamptz, Uuid as SqlUuid};
use kinora_core::asset::AssetStatus;
use kinora_core::message::StepOrder;
use kinora_core::queue::QueueClass;
use kinora_core::state::StepState;
use kinora_core::step::{StepInput, StepKind};
use kinora_core::technical::Technical;
use kinora_core::{AssetId, Failure, FailureCode, ProductionId, RunId, StepId};
use uuid::Uuid;

use super::rows::{LockedRun, LockedStep, lock_run};
use super::{Policy, require_legal};
use crate::columns::{ByName, Json};
use crate::schema::{assets, steps, versions};
use crate::{Result, StoreError, assets as asset_rows, objects, run_views};

/// An order and the queue it goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The class of the queue.
    pub class: QueueClass,
    /// The asset that the run is about, for logs.
    pub asset_id: AssetId,
    /// What is to be published.
    pub order: StepOrder,
}

/// What a claim came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "short-lived: made, published, dropped")]
pub enum Claim {
    /// Publish this, now that it is committed.
    Order(Order),
    /// A step was due but could not be handed over; it was ended.
    Ended(StepId),
    /// No step is due.
    Nothing,
}

/// Orders that were published and not begun, by class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InFlight(BTreeMap<QueueClass, u32>);

impl InFlight {
    /// How many of that class.
    #[must_use]
    pub fn count(&self, class: QueueClass) -> u32 {
        self.0.get(&class).copied().unwrap_or(0)
    }

    /// Counts one more.
    pub fn add(&mut self, class: QueueClass) {
        *self.0.entry(class).or_default() += 1;
    }
}

/// Counts the orders that were published and not begun.
///
/// # Errors
/// The database's.
pub fn count_in_flight(connection: &mut PgConnection) -> Result<InFlight> {
    let kinds: Vec<ByName<StepKind>> = steps::table
        .filter(steps::state.eq(StepState::Queued.name()))
        .select(steps::kind)
        .load(connection)?;
    let mut counts = InFlight::default();
    for class in kinds.into_iter().filter_map(|kind| kind.0.queue_class()) {
        counts.add(class);
    }
    Ok(counts)
}

/// The kinds of steps whose orders go to `class`.
fn kinds_of(class: QueueClass) -> Vec<&'static str> {
    [StepKind::Probe, StepKind::Settle, StepKind::Render, StepKind::Publish]
        .into_iter()
        .filter(|kind| kind.queue_class() == Some(class))
        .map(StepKind::name)
        .collect()
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    run_id: Uuid,
}

/// Claims the step of this class that has waited longest, in a transaction of its own: it is queued,
/// with its attempt counted. Leaves out what somebody else has locked. Publish the order afterwards;
/// if that fails, call [`return_unpublished`].
///
/// # Errors
/// The database's.
pub fn claim(connection: &mut PgConnection, class: QueueClass, now: DateTime<Utc>) -> Result<Claim> {
    connection.transaction(|connection| {
        let due: Option<Due> = diesel::sql_query(
            "SELECT s.id, s.run_id FROM steps s JOIN runs r ON r.id = s.run_id \
             WHERE s.state = 'waiting' AND s.not_before <= $1 AND s.kind = ANY($2) \
               AND r.state = 'active' AND r.cancel_requested_at IS NULL \
             ORDER BY s.waiting_since, s.id LIMIT 1 FOR UPDATE OF r, s SKIP LOCKED",
        )
        .bind::<Timestamptz, _>(now)
        .bind::<Array<Text>, _>(kinds_of(class))
        .get_result(connection)
        .optional()?;
        let Some(due) = due else { return Ok(Claim::Nothing) };
        let found = lock_run(connection, RunId(due.run_id))?;
        let run = found.ok_or(StoreError::NotFound)?;
        let step = run.step(connection, StepId(due.id))?.ok_or(StoreError::NotFound)?;
        hand_over(connection, &run, &step, class, now)
    })
}

fn hand_over(
    connection: &mut PgConnection,
    run: &LockedRun,
    step: &LockedStep,
    class: QueueClass,
    now: DateTime<Utc>,
) -> Result<Claim> {
    if run.is_cancelling() {
        run.settle(connection, now)?;
        return Ok(Claim::Ended(step.id));
    }
    let input = match build_input(connection, run, step.kind) {
        Ok(input) => input,
        Err(StoreError::NotUnderstood(reason)) => {
            let failure = Failure::new(FailureCode::Internal).with_detail(reason);
            step.end(connection, StepState::Failed, Some(&failure), now)?;
            run.settle(connection, now)?;
            return Ok(Claim::Ended(step.id));
        }
        Err(error) => return Err(error),
    };
    require_legal(step, StepState::Queued)?;
    let attempt = step.attempt.saturating_add(1);
    diesel::update(steps::table.find(step.id.0))
        .set((
            steps::state.eq(StepState::Queued.name()),
            steps::attempt.eq(attempt),
            steps::tries.eq(steps::tries + 1),
            steps::queued_at.eq(now),
            steps::started_at.eq(None::<DateTime<Utc>>),
            steps::heartbeat_at.eq(None::<DateTime<Utc>>),
            steps::finished_at.eq(None::<DateTime<Utc>>),
            steps::worker.eq(None::<String>),
        ))
        .execute(connection)?;
    run_views::announce(connection, run.id)?;
    let order = StepOrder {
        run_id: run.id,
        step_id: step.id,
        attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
        production_id: run.production_id,
        input,
    };
    Ok(Claim::Order(Order { class, asset_id: run.asset_id, order }))
}

fn build_input(connection: &mut PgConnection, run: &LockedRun, kind: StepKind) -> Result<StepInput> {
    let (original, file_name, technical): (Uuid, String, Option<Json<Technical>>) = versions::table
        .find(run.version_id.0)
        .select((versions::original_object_id, versions::file_name, versions::technical))
        .first(connection)?;
    let original = objects::find(connection, original.into())?;
    match kind {
        StepKind::Probe => Ok(StepInput::Probe { original, file_name }),
        StepKind::Settle => Ok(StepInput::Settle { original }),
        StepKind::Render => {
            let missing = || StoreError::NotUnderstood("the version has no technical metadata".to_owned());
            Ok(StepInput::Render { original, technical: technical.ok_or_else(missing)?.0 })
        }
        StepKind::Publish => Err(StoreError::NotUnderstood("publish has no order".to_owned())),
    }
}

/// The order of an attempt was not confirmed by the broker: the step waits again, as if the attempt
/// had not been. Should the broker have it nevertheless, its reports are ignored.
///
/// # Errors
/// The database's.
pub fn return_unpublished(
    connection: &mut PgConnection,
    order: &StepOrder,
    delay: TimeDelta,
    now: DateTime<Utc>,
) -> Result<()> {
    connection.transaction(|connection| {
        let Some(run) = lock_run(connection, order.run_id)? else { return Ok(()) };
        let Some(step) = run.step(connection, order.step_id)? else { return Ok(()) };
        if step.state != StepState::Queued || u32::try_from(step.attempt) != Ok(order.attempt) {
            return Ok(());
        }
        step.wait_again(connection, delay, step.failure.as_ref(), now)?;
        diesel::update(steps::table.find(step.id.0))
            .set(steps::tries.eq(step.tries - 1))
            .execute(connection)?;
        run.settle(connection, now)?;
        Ok(())
    })
}

/// The steps that the backend itself is to do now, at most `limit`.
///
/// # Errors
/// The database's.
pub fn list_due_publishes(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(RunId, StepId)>> {
    let rows: Vec<(Uuid, Uuid)> = steps::table
        .filter(steps::state.eq(StepState::Waiting.name()))
        .filter(steps::kind.eq(StepKind::Publish.name()))
        .filter(steps::not_before.le(now))
        .order((steps::waiting_since, steps::id))
        .limit(limit)
        .select((steps::run_id, steps::id))
        .load(connection)?;
    Ok(rows.into_iter().map(|(run, step)| (run.into(), step.into())).collect())
}

/// Does the step `publish`, in a transaction of its own: what the run has made becomes visible and
/// the asset can be watched. Does nothing if it was done meanwhile. Gives the production.
///
/// # Errors
/// The database's.
pub fn complete_publish(
    connection: &mut PgConnection,
    run: RunId,
    step: StepId,
    now: DateTime<Utc>,
) -> Result<Option<ProductionId>> {
    connection.transaction(|connection| {
        let Some(run) = lock_run(connection, run)? else { return Ok(None) };
        let Some(step) = run.step(connection, step)? else { return Ok(None) };
        if step.state != StepState::Waiting || step.kind != StepKind::Publish {
            return Ok(None);
        }
        if !run.is_cancelling() {
            diesel::update(steps::table.find(step.id.0))
                .set((
                    steps::attempt.eq(step.attempt.saturating_add(1)),
                    steps::tries.eq(steps::tries + 1),
                    steps::started_at.eq(now),
                ))
                .execute(connection)?;
            step.end(connection, StepState::Done, None, now)?;
            make_ready(connection, &run, now)?;
        }
        run.settle(connection, now)?;
        Ok(Some(run.production_id))
    })
}

fn make_ready(connection: &mut PgConnection, run: &LockedRun, now: DateTime<Utc>) -> Result<()> {
    let changed = diesel::update(assets::table.find(run.asset_id.0))
        .filter(assets::current_version.eq(run.version_id.0))
        .set((
            assets::status.eq(AssetStatus::Ready.name()),
            assets::failure.eq(None::<serde_json::Value>),
            assets::updated_at.eq(now),
            assets::revision.eq(assets::revision + 1),
        ))
        .execute(connection)?;
    if changed > 0 {
        asset_rows::announce(connection, run.asset_id)?;
    }
    Ok(())
}

/// Puts off a step that the backend could not do, so that it does not stand in the way of others.
///
/// # Errors
/// The database's.
pub fn defer_publish(
    connection: &mut PgConnection,
    run: RunId,
    step: StepId,
    reason: &str,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<()> {
    connection.transaction(|connection| {
        let Some(run) = lock_run(connection, run)? else { return Ok(()) };
        let Some(step) = run.step(connection, step)? else { return Ok(()) };
        if step.state != StepState::Waiting {
            return Ok(());
        }
        let tries = step.tries.saturating_add(1);
        if policy.is_exhausted(tries) {
            let failure = Failure::new(FailureCode::Internal).with_detail(reason);
            step.end(connection, StepState::Failed, Some(&failure), now)?;
            run.settle(connection, now)?;
        } else {
            diesel::update(steps::table.find(step.id.0))
                .set((steps::tries.eq(tries), steps::not_before.eq(now + policy.delay_after(tries))))
                .execute(connection)?;
        }
        Ok(())
    })
}
