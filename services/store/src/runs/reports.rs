//! What workers report, applied in one transaction each.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::message::{Progress, StepEvent, StepReport};
use kinora_core::object::SealedObject;
use kinora_core::state::StepState;
use kinora_core::step::{Derivative, DerivativeKind, StepOutput};
use kinora_core::technical::{Analysis, Technical};
use kinora_core::{AssetId, Failure, FailureCode, ProductionId};
use uuid::Uuid;

use super::rows::{LockedRun, LockedStep, lock_run, not_understood};
use super::{Policy, delta, require_legal, retry_or_fail};
use crate::columns::Json;
use crate::schema::{assets, derivatives, objects as object_rows, steps, versions};
use crate::{Result, StoreError, assets as asset_rows, objects, run_views};

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was applied.
    Applied {
        /// The production it concerns.
        production_id: ProductionId,
        /// The asset it is about.
        asset_id: AssetId,
        /// The state of the step now.
        state: StepState,
        /// Whether the worker works on something that is to be cancelled.
        should_stop: bool,
    },
    /// It was about an attempt that is not the current one, or about a step that has ended.
    Stale {
        /// Whether the worker should be told to stop, as it works in vain.
        should_stop: bool,
    },
}

/// Applies a report in a transaction of its own. Objects of a result that is ignored are marked for
/// removal. The same report may come any number of times.
///
/// # Errors
/// The database's; [`StoreError::Conflict`] if the state machine forbids it, which is a defect.
pub fn apply_report(
    connection: &mut PgConnection,
    report: &StepReport,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    connection.transaction(|connection| {
        let run = lock_run(connection, report.run_id)?;
        let step = match &run {
            Some(run) => run.step(connection, report.step_id)?,
            None => None,
        };
        let (Some(run), Some(step)) = (run, step) else {
            return ignore(connection, report, policy, now);
        };
        if step.state.is_final()
            || step.state == StepState::Blocked
            || u32::try_from(step.attempt) != Ok(report.attempt)
        {
            return ignore(connection, report, policy, now);
        }
        if step.is_given_up() && !matches!(report.event, StepEvent::Done { .. }) {
            return ignore(connection, report, policy, now);
        }
        let state = match &report.event {
            StepEvent::Started => start(connection, &run, &step, report, now)?,
            StepEvent::Progress(progress) => beat(connection, &run, &step, report, progress, now)?,
            StepEvent::Done { output } => finish(connection, &run, &step, output, policy, now)?,
            StepEvent::Failed { failure } => fail(connection, &run, &step, failure, policy, now)?,
            StepEvent::Cancelled => {
                // Not asked for: the worker gave it up, for instance as it was shut down.
                let failure = Failure::new(FailureCode::Cancelled);
                retry_or_fail(connection, &run, &step, &failure, policy.delay_after(step.tries), policy, now)?
            }
        };
        if report.event.is_final() {
            run.settle(connection, now)?;
        }
        let should_stop = run.is_cancelling() && !report.event.is_final();
        let (production_id, asset_id) = (run.production_id, run.asset_id);
        Ok(Outcome::Applied { production_id, asset_id, state, should_stop })
    })
}

/// A report that changes nothing; its objects belong to nobody, unless it is a report that was
/// applied before and comes again.
fn ignore(
    connection: &mut PgConnection,
    report: &StepReport,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    if let StepEvent::Done { output } = &report.event {
        abandon(connection, output, policy, now)?;
    }
    Ok(Outcome::Stale { should_stop: !report.event.is_final() })
}

fn abandon(
    connection: &mut PgConnection,
    output: &StepOutput,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<()> {
    let made: Vec<Uuid> = objects_of(output).into_iter().map(|object| object.id.0).collect();
    let kept: Vec<Uuid> =
        object_rows::table.filter(object_rows::id.eq_any(&made)).select(object_rows::id).load(connection)?;
    let orphans: Vec<Uuid> = made.into_iter().filter(|id| !kept.contains(id)).collect();
    if orphans.is_empty() {
        return Ok(());
    }
    objects::orphan(connection, &orphans, now + delta(policy.orphan_delay))
}

/// The objects that a result has made. Settling makes none: it moves one.
fn objects_of(output: &StepOutput) -> Vec<&SealedObject> {
    match output {
        StepOutput::Probe { raw_probe, .. } => vec![raw_probe],
        StepOutput::Settle { .. } => Vec::new(),
        StepOutput::Render { derivatives, .. } => derivatives.iter().map(|made| &made.object).collect(),
    }
}

fn start(
    connection: &mut PgConnection,
    run: &LockedRun,
    step: &LockedStep,
    report: &StepReport,
    now: DateTime<Utc>,
) -> Result<StepState> {
    let target = steps::table.find(step.id.0);
    if step.state == StepState::Running {
        // Delivered again, to the same worker or another one.
        diesel::update(target)
            .set((steps::worker.eq(&report.worker), steps::heartbeat_at.eq(now)))
            .execute(connection)?;
        return Ok(StepState::Running);
    }
    require_legal(step, StepState::Running)?;
    diesel::update(target)
        .set((
            steps::state.eq(StepState::Running.name()),
            steps::worker.eq(&report.worker),
            steps::started_at.eq(now),
            steps::heartbeat_at.eq(now),
            steps::failure.eq(None::<serde_json::Value>),
            steps::progress.eq(None::<serde_json::Value>),
        ))
        .execute(connection)?;
    run_views::announce(connection, run.id)?;
    Ok(StepState::Running)
}

fn beat(
    connection: &mut PgConnection,
    run: &LockedRun,
    step: &LockedStep,
    report: &StepReport,
    progress: &Progress,
    now: DateTime<Utc>,
) -> Result<StepState> {
    // Progress may overtake the report that it began.
    let state = start(connection, run, step, report, now)?;
    let progress = serde_json::to_value(progress).map_err(not_understood)?;
    diesel::update(steps::table.find(step.id.0)).set(steps::progress.eq(progress)).execute(connection)?;
    Ok(state)
}

fn fail(
    connection: &mut PgConnection,
    run: &LockedRun,
    step: &LockedStep,
    failure: &Failure,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<StepState> {
    if failure.code.is_transient() || run.is_cancelling() {
        return retry_or_fail(connection, run, step, failure, policy.delay_after(step.tries), policy, now);
    }
    step.end(connection, StepState::Failed, Some(failure), now)?;
    Ok(StepState::Failed)
}

fn finish(
    connection: &mut PgConnection,
    run: &LockedRun,
    step: &LockedStep,
    output: &StepOutput,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<StepState> {
    if run.is_abandoned {
        abandon(connection, output, policy, now)?;
        step.end(connection, StepState::Cancelled, None, now)?;
        return Ok(StepState::Cancelled);
    }
    if let Err(reason) = check(step, output) {
        abandon(connection, output, policy, now)?;
        let failure = Failure::new(FailureCode::Internal).with_detail(reason);
        return retry_or_fail(connection, run, step, &failure, policy.delay_after(step.tries), policy, now);
    }
    match output {
        StepOutput::Probe { technical, raw_probe } => {
            apply_probe(connection, run, technical, raw_probe, policy, now)?
        }
        StepOutput::Settle { original } => objects::update_place(connection, original)?,
        StepOutput::Render { derivatives, analysis, warnings } => {
            apply_render(connection, run, derivatives, analysis, warnings, policy, now)?;
        }
    }
    step.end(connection, StepState::Done, None, now)?;
    let output = serde_json::to_value(output).map_err(not_understood)?;
    diesel::update(steps::table.find(step.id.0)).set(steps::output.eq(output)).execute(connection)?;
    Ok(StepState::Done)
}

/// Whether a result can be taken for this step at all; else why not.
fn check(step: &LockedStep, output: &StepOutput) -> Result<(), String> {
    use kinora_core::step::StepKind;
    let kind = match output {
        StepOutput::Probe { .. } => StepKind::Probe,
        StepOutput::Settle { .. } => StepKind::Settle,
        StepOutput::Render { .. } => StepKind::Render,
    };
    if kind != step.kind {
        return Err(format!("the result of a {} step came for a {} step", kind.name(), step.kind.name()));
    }
    match objects_of(output).into_iter().find(|object| !object.is_consistent()) {
        Some(object) => Err(format!("the segments of object {} do not add up", object.id)),
        None => Ok(()),
    }
}

fn apply_probe(
    connection: &mut PgConnection,
    run: &LockedRun,
    technical: &Technical,
    raw_probe: &SealedObject,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<()> {
    let duration_us = technical.duration_us.map(i64::try_from).transpose().map_err(not_understood)?;
    diesel::update(versions::table.find(run.version_id.0))
        .set((
            versions::technical.eq(serde_json::to_value(technical).map_err(not_understood)?),
            versions::warnings.eq(serde_json::to_value(&technical.warnings).map_err(not_understood)?),
        ))
        .execute(connection)?;
    let raw = Derivative {
        kind: DerivativeKind::RawProbe,
        media_type: "application/json".to_owned(),
        object: raw_probe.clone(),
    };
    put_derivative(connection, run, &raw, policy, now)?;
    let changed = diesel::update(assets::table.find(run.asset_id.0))
        .filter(assets::current_version.eq(run.version_id.0))
        .set((
            assets::kind.eq(technical.kind.name()),
            assets::duration_us.eq(duration_us),
            assets::updated_at.eq(now),
            assets::revision.eq(assets::revision + 1),
        ))
        .execute(connection)?;
    if changed > 0 {
        asset_rows::announce(connection, run.asset_id)?;
    }
    Ok(())
}

fn apply_render(
    connection: &mut PgConnection,
    run: &LockedRun,
    made: &[Derivative],
    analysis: &Analysis,
    warnings: &[String],
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<()> {
    for derivative in made {
        put_derivative(connection, run, derivative, policy, now)?;
    }
    let Json(mut all): Json<Vec<String>> =
        versions::table.find(run.version_id.0).select(versions::warnings).first(connection)?;
    for warning in warnings {
        if !all.contains(warning) {
            all.push(warning.clone());
        }
    }
    diesel::update(versions::table.find(run.version_id.0))
        .set((
            versions::analysis.eq(serde_json::to_value(analysis).map_err(not_understood)?),
            versions::warnings.eq(serde_json::to_value(all).map_err(not_understood)?),
        ))
        .execute(connection)?;
    Ok(())
}

/// Makes a derivative the one of its kind; the one before belongs to nobody then.
fn put_derivative(
    connection: &mut PgConnection,
    run: &LockedRun,
    derivative: &Derivative,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<()> {
    objects::insert(connection, run.production_id, &derivative.object)?;
    let target = (run.version_id.0, derivative.kind.name());
    let previous: Option<Uuid> =
        derivatives::table.find(target).select(derivatives::object_id).first(connection).optional()?;
    diesel::insert_into(derivatives::table)
        .values((
            derivatives::version_id.eq(run.version_id.0),
            derivatives::kind.eq(derivative.kind.name()),
            derivatives::object_id.eq(derivative.object.id.0),
            derivatives::media_type.eq(&derivative.media_type),
        ))
        .on_conflict((derivatives::version_id, derivatives::kind))
        .do_update()
        .set((
            derivatives::object_id.eq(derivative.object.id.0),
            derivatives::media_type.eq(&derivative.media_type),
        ))
        .execute(connection)
        .map_err(StoreError::from)?;
    if let Some(previous) = previous {
        objects::orphan(connection, &[previous], now + delta(policy.orphan_delay))?;
    }
    Ok(())
}
