//! Runs and steps under lock, and the changes that follow from a step's change: steps that can go
//! on, the run's state, the asset's status, and their events.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use kinora_core::asset::AssetStatus;
use kinora_core::state::{RunState, StepState};
use kinora_core::step::StepKind;
use kinora_core::{AssetId, Failure, FailureCode, ProductionId, RunId, StepId, VersionId};
use uuid::Uuid;

use crate::columns::{ByName, Json};
use crate::notify::{WORK_CHANNEL, notify};
use crate::schema::{assets, productions, runs, steps};
use crate::{Result, StoreError, assets as asset_rows, run_views};

use super::require_legal;

/// A run that nobody else changes until the transaction ends.
#[derive(Clone, Debug)]
pub(super) struct LockedRun {
    pub(super) id: RunId,
    pub(super) production_id: ProductionId,
    pub(super) asset_id: AssetId,
    pub(super) version_id: VersionId,
    pub(super) state: RunState,
    pub(super) cancel_requested_at: Option<DateTime<Utc>>,
    /// Whether its asset or production was removed: nobody wants the results any more.
    pub(super) is_abandoned: bool,
}

/// A step of a locked run.
#[derive(Clone, Debug)]
pub(super) struct LockedStep {
    pub(super) id: StepId,
    pub(super) kind: StepKind,
    pub(super) needs: Vec<String>,
    pub(super) state: StepState,
    pub(super) attempt: i32,
    pub(super) tries: i32,
    pub(super) failure: Option<Failure>,
}

/// Locks a run; none if there is no such run.
pub(super) fn lock_run(connection: &mut PgConnection, id: RunId) -> Result<Option<LockedRun>> {
    type Row = (Uuid, Uuid, Uuid, ByName<RunState>, Option<DateTime<Utc>>);
    let row: Option<Row> = runs::table
        .find(id.0)
        .for_update()
        .select((
            runs::production_id,
            runs::asset_id,
            runs::version_id,
            runs::state,
            runs::cancel_requested_at,
        ))
        .first(connection)
        .optional()?;
    let Some((production, asset, version, state, cancel_requested_at)) = row else { return Ok(None) };
    let (asset_removed, production_removed): (bool, bool) = assets::table
        .inner_join(productions::table.on(productions::id.eq(assets::production_id)))
        .filter(assets::id.eq(asset))
        .select((assets::removed_at.is_not_null(), productions::removed_at.is_not_null()))
        .first(connection)?;
    Ok(Some(LockedRun {
        id,
        production_id: production.into(),
        asset_id: asset.into(),
        version_id: version.into(),
        state: state.0,
        cancel_requested_at,
        is_abandoned: asset_removed || production_removed,
    }))
}

impl LockedRun {
    /// Whether no step of it may begin any more.
    pub(super) fn is_cancelling(&self) -> bool {
        self.cancel_requested_at.is_some() || self.is_abandoned
    }

    /// Its steps in their order, locked.
    pub(super) fn steps(&self, connection: &mut PgConnection) -> Result<Vec<LockedStep>> {
        type Row = (Uuid, ByName<StepKind>, Vec<String>, ByName<StepState>, i32, i32, Option<Json<Failure>>);
        let rows: Vec<Row> = steps::table
            .filter(steps::run_id.eq(self.id.0))
            .order(steps::position)
            .for_update()
            .select((
                steps::id,
                steps::kind,
                steps::needs,
                steps::state,
                steps::attempt,
                steps::tries,
                steps::failure,
            ))
            .load(connection)?;
        let read = |row: Row| LockedStep {
            id: row.0.into(),
            kind: row.1.0,
            needs: row.2,
            state: row.3.0,
            attempt: row.4,
            tries: row.5,
            failure: row.6.map(|failure| failure.0),
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// One of its steps, locked.
    pub(super) fn step(&self, connection: &mut PgConnection, id: StepId) -> Result<Option<LockedStep>> {
        Ok(self.steps(connection)?.into_iter().find(|step| step.id == id))
    }

    /// Draws the consequences of changed steps: what was blocked by done steps waits now, the run's
    /// state follows from its steps, the asset's status from the run's; records the events.
    pub(super) fn settle(&self, connection: &mut PgConnection, now: DateTime<Utc>) -> Result<RunState> {
        let mut all = self.steps(connection)?;
        let done: Vec<&str> =
            all.iter().filter(|step| step.state == StepState::Done).map(|step| step.kind.name()).collect();
        let is_ready = |step: &LockedStep| {
            step.state == StepState::Blocked && step.needs.iter().all(|need| done.contains(&need.as_str()))
        };
        let ready: Vec<StepId> = all.iter().filter(|step| is_ready(step)).map(|step| step.id).collect();
        for step in &mut all {
            if self.is_cancelling() && matches!(step.state, StepState::Blocked | StepState::Waiting) {
                step.end(connection, StepState::Cancelled, None, now)?;
                step.state = StepState::Cancelled;
            } else if ready.contains(&step.id) {
                step.become_ready(connection, now)?;
                step.state = StepState::Waiting;
                notify(connection, WORK_CHANNEL, &self.id.to_string())?;
            }
        }
        let states: Vec<StepState> = all.iter().map(|step| step.state).collect();
        let state = RunState::of(&states);
        if state != self.state {
            self.enter(connection, state, &all, now)?;
        }
        run_views::announce(connection, self.id)?;
        Ok(state)
    }

    fn enter(
        &self,
        connection: &mut PgConnection,
        state: RunState,
        all: &[LockedStep],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let failure = match state {
            RunState::Failed => {
                let failed = all.iter().find(|step| step.state == StepState::Failed);
                failed.and_then(|step| step.failure.clone())
            }
            _ => None,
        };
        let failure = failure.map(serde_json::to_value).transpose().map_err(not_understood)?;
        let finished_at = (state != RunState::Active).then_some(now);
        diesel::update(runs::table.find(self.id.0))
            .set((
                runs::state.eq(state.name()),
                runs::failure.eq(failure.clone()),
                runs::finished_at.eq(finished_at),
            ))
            .execute(connection)?;
        let status = match state {
            RunState::Active | RunState::Done => return Ok(()),
            RunState::Failed => AssetStatus::Failed,
            RunState::Cancelled => AssetStatus::Cancelled,
        };
        let changed = diesel::update(assets::table.find(self.asset_id.0))
            .filter(assets::current_version.eq(self.version_id.0))
            .set((
                assets::status.eq(status.name()),
                assets::failure.eq(failure),
                assets::updated_at.eq(now),
                assets::revision.eq(assets::revision + 1),
            ))
            .execute(connection)?;
        if changed > 0 {
            asset_rows::announce(connection, self.asset_id)?;
        }
        Ok(())
    }
}

pub(super) fn not_understood(error: impl std::fmt::Display) -> StoreError {
    StoreError::NotUnderstood(error.to_string())
}

impl LockedStep {
    /// Whether the last attempt was reported to have failed, and the next one is due. Only a result
    /// can still come of it: a copy of its order may be with another worker.
    pub(super) fn is_given_up(&self) -> bool {
        let failure = self.failure.as_ref().map(|failure| failure.code);
        self.state == StepState::Waiting && failure.is_some_and(|code| code != FailureCode::WorkerLost)
    }

    /// The step has ended as `state`.
    pub(super) fn end(
        &self,
        connection: &mut PgConnection,
        state: StepState,
        failure: Option<&Failure>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        require_legal(self, state)?;
        let failure = failure.map(serde_json::to_value).transpose().map_err(not_understood)?;
        diesel::update(steps::table.find(self.id.0))
            .set((
                steps::state.eq(state.name()),
                steps::failure.eq(failure),
                steps::progress.eq(None::<serde_json::Value>),
                steps::finished_at.eq(now),
            ))
            .execute(connection)?;
        Ok(())
    }

    /// All that it needs is done.
    fn become_ready(&self, connection: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
        require_legal(self, StepState::Waiting)?;
        diesel::update(steps::table.find(self.id.0))
            .set((
                steps::state.eq(StepState::Waiting.name()),
                steps::not_before.eq(now),
                steps::waiting_since.eq(now),
            ))
            .execute(connection)?;
        Ok(())
    }

    /// The attempt is over, the next one is due after `delay`. Its failure stays to be seen.
    pub(super) fn wait_again(
        &self,
        connection: &mut PgConnection,
        delay: TimeDelta,
        failure: Option<&Failure>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        require_legal(self, StepState::Waiting)?;
        let failure = failure.map(serde_json::to_value).transpose().map_err(not_understood)?;
        diesel::update(steps::table.find(self.id.0))
            .set((
                steps::state.eq(StepState::Waiting.name()),
                steps::not_before.eq(now + delay),
                steps::waiting_since.eq(now),
                steps::failure.eq(failure),
                steps::progress.eq(None::<serde_json::Value>),
                steps::worker.eq(None::<String>),
                steps::queued_at.eq(None::<DateTime<Utc>>),
                steps::started_at.eq(None::<DateTime<Utc>>),
                steps::heartbeat_at.eq(None::<DateTime<Utc>>),
            ))
            .execute(connection)?;
        Ok(())
    }
}
