//! Runs and their steps as people and operators see them, and what they may do to them: cancel a run, restart a
//! step. The coordinator's side of the same tables is in [`crate::runs`].

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::message::Progress;
use kinora_core::permission::{Module, ModuleRole};
use kinora_core::state::{RunState, StepState};
use kinora_core::step::StepKind;
use kinora_core::{AssetId, Failure, PersonId, ProductionId, RunId, StepId, VersionId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::audit::{self, Act, Origin};
use crate::columns::{ByName, Json};
use crate::events::{self, EventKind};
use crate::notify::{WORK_CHANNEL, notify};
use crate::principals::Principal;
use crate::schema::{assets, productions, runs, steps};
use crate::{Result, StoreError};

/// One execution of a workflow.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The production.
    pub production_id: ProductionId,
    /// The asset it works on.
    pub asset_id: AssetId,
    /// The version it works on.
    pub version_id: VersionId,
    /// The workflow's name.
    pub workflow: String,
    /// Where it stands.
    pub state: RunState,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// When somebody asked to cancel it; it is cancelled once its steps have stopped.
    #[serde(serialize_with = "crate::instant::optional::serialize")]
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// Whose act started it, if that person still exists.
    pub created_by: Option<PersonId>,
    /// When it was started.
    #[serde(serialize_with = "crate::instant::serialize")]
    pub created_at: DateTime<Utc>,
    /// When it ended, if it has.
    #[serde(serialize_with = "crate::instant::optional::serialize")]
    pub finished_at: Option<DateTime<Utc>>,
    /// Its steps in their order.
    pub steps: Vec<Step>,
}

/// One unit of work in a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Step {
    /// Its id.
    pub id: StepId,
    /// What it does.
    pub kind: StepKind,
    /// Where it stands.
    pub state: StepState,
    /// Which try this is, counted from 1; 0 before the first.
    pub attempt: i32,
    /// How far the attempt was when it was last written down. Live progress comes as events.
    pub progress: Option<Progress>,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// The worker that has it or had it last.
    pub worker: Option<String>,
    /// Since when it could be worked on, waiting for a worker.
    #[serde(serialize_with = "crate::instant::serialize")]
    pub waiting_since: DateTime<Utc>,
    /// When a worker began the last attempt.
    #[serde(serialize_with = "crate::instant::optional::serialize")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended, if it has.
    #[serde(serialize_with = "crate::instant::optional::serialize")]
    pub finished_at: Option<DateTime<Utc>>,
}

type RunIds = (Uuid, Uuid, Uuid, Uuid);
type RunTimes = (Option<DateTime<Utc>>, Option<Uuid>, DateTime<Utc>, Option<DateTime<Utc>>);
type RunRow = (RunIds, (String, ByName<RunState>, Option<Json<Failure>>), RunTimes);
type RunColumns = (
    (runs::id, runs::production_id, runs::asset_id, runs::version_id),
    (runs::workflow, runs::state, runs::failure),
    (runs::cancel_requested_at, runs::created_by, runs::created_at, runs::finished_at),
);
const RUN: RunColumns = (
    (runs::id, runs::production_id, runs::asset_id, runs::version_id),
    (runs::workflow, runs::state, runs::failure),
    (runs::cancel_requested_at, runs::created_by, runs::created_at, runs::finished_at),
);

fn read_run((ids, what, times): RunRow) -> Run {
    Run {
        id: RunId(ids.0),
        production_id: ProductionId(ids.1),
        asset_id: AssetId(ids.2),
        version_id: VersionId(ids.3),
        workflow: what.0,
        state: what.1.0,
        failure: what.2.map(|failure| failure.0),
        cancel_requested_at: times.0,
        created_by: times.1.map(PersonId),
        created_at: times.2,
        finished_at: times.3,
        steps: Vec::new(),
    }
}

type StepRow = (
    (Uuid, Uuid, ByName<StepKind>, ByName<StepState>, i32),
    (Option<Json<Progress>>, Option<Json<Failure>>, Option<String>),
    (DateTime<Utc>, Option<DateTime<Utc>>, Option<DateTime<Utc>>),
);

/// Adds the steps to runs, with one query for all.
fn with_steps(connection: &mut PgConnection, mut found: Vec<Run>) -> Result<Vec<Run>> {
    let ids: Vec<Uuid> = found.iter().map(|run| run.id.0).collect();
    let rows: Vec<StepRow> = steps::table
        .filter(steps::run_id.eq_any(ids))
        .order((steps::run_id, steps::position))
        .select((
            (steps::run_id, steps::id, steps::kind, steps::state, steps::attempt),
            (steps::progress, steps::failure, steps::worker),
            (steps::waiting_since, steps::started_at, steps::finished_at),
        ))
        .load(connection)?;
    for (what, how, when) in rows {
        let step = Step {
            id: StepId(what.1),
            kind: what.2.0,
            state: what.3.0,
            attempt: what.4,
            progress: how.0.map(|progress| progress.0),
            failure: how.1.map(|failure| failure.0),
            worker: how.2,
            waiting_since: when.0,
            started_at: when.1,
            finished_at: when.2,
        };
        if let Some(run) = found.iter_mut().find(|run| run.id.0 == what.0) {
            run.steps.push(step);
        }
    }
    Ok(found)
}

/// The run of that id, of an asset that is still there.
fn load(connection: &mut PgConnection, id: RunId) -> Result<Run> {
    let row: RunRow = runs::table
        .inner_join(assets::table)
        .filter(runs::id.eq(id.0))
        .filter(assets::removed_at.is_null())
        .select(RUN)
        .first(connection)?;
    with_steps(connection, vec![read_run(row)])?.pop().ok_or(StoreError::NotFound)
}

/// A run with its steps, for readers of the library.
///
/// # Errors
/// [`StoreError::NotFound`]; else the database's.
pub fn find(connection: &mut PgConnection, caller: &Principal, id: RunId) -> Result<Run> {
    let run = load(connection, id)?;
    caller.require(run.production_id, Module::Library, ModuleRole::Reader)?;
    Ok(run)
}

/// The runs of an asset with their steps, newest first, at most 100, for readers of the library.
///
/// # Errors
/// [`StoreError::NotFound`] if there is no such asset for the caller; else the database's.
pub fn list_of_asset(connection: &mut PgConnection, caller: &Principal, asset: AssetId) -> Result<Vec<Run>> {
    crate::assets::find(connection, caller, asset, ModuleRole::Reader, false)?;
    let rows: Vec<RunRow> = runs::table
        .filter(runs::asset_id.eq(asset.0))
        .order((runs::created_at.desc(), runs::id.desc()))
        .limit(100)
        .select(RUN)
        .load(connection)?;
    with_steps(connection, rows.into_iter().map(read_run).collect())
}

/// A place in the list of runs: right after the run with these values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPosition {
    /// When it was started.
    pub created_at: DateTime<Utc>,
    /// Its id.
    pub id: RunId,
}

/// A page of the list of runs.
#[derive(Clone, Debug, PartialEq)]
pub struct RunPage {
    /// The runs, newest first.
    pub items: Vec<Run>,
    /// Where the next page begins, if there is one.
    pub next: Option<RunPosition>,
}

/// The runs of a production with their steps, newest first, for readers of the library.
///
/// # Errors
/// [`StoreError::NotFound`] if the caller may not see the library; else the database's.
pub fn list_of_production(
    connection: &mut PgConnection,
    caller: &Principal,
    production: ProductionId,
    state: Option<RunState>,
    after: Option<RunPosition>,
    limit: usize,
) -> Result<RunPage> {
    caller.require(production, Module::Library, ModuleRole::Reader)?;
    let mut query = runs::table
        .inner_join(assets::table)
        .filter(runs::production_id.eq(production.0))
        .filter(assets::removed_at.is_null())
        .order((runs::created_at.desc(), runs::id.desc()))
        .limit(i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1))
        .select(RUN)
        .into_boxed();
    if let Some(state) = state {
        query = query.filter(runs::state.eq(state.name()));
    }
    if let Some(position) = after {
        let earlier = runs::created_at.lt(position.created_at);
        let equal = runs::created_at.eq(position.created_at).and(runs::id.lt(position.id.0));
        query = query.filter(runs::created_at.le(position.created_at)).filter(earlier.or(equal));
    }
    let mut found: Vec<Run> = query.load(connection)?.into_iter().map(read_run).collect();
    let next = if found.len() > limit {
        found.truncate(limit);
        found.last().map(|run| RunPosition { created_at: run.created_at, id: run.id })
    } else {
        None
    };
    Ok(RunPage { items: with_steps(connection, found)?, next })
}

/// The newest runs of all productions, for operators of the installation. Of what they work on there are ids alone.
///
/// # Errors
/// The database's.
pub fn list_of_installation(
    connection: &mut PgConnection,
    state: Option<RunState>,
    limit: i64,
) -> Result<Vec<Run>> {
    let mut query = runs::table
        .inner_join(assets::table)
        .filter(assets::removed_at.is_null())
        .order((runs::created_at.desc(), runs::id.desc()))
        .limit(limit)
        .select(RUN)
        .into_boxed();
    if let Some(state) = state {
        query = query.filter(runs::state.eq(state.name()));
    }
    let rows: Vec<RunRow> = query.load(connection)?;
    with_steps(connection, rows.into_iter().map(read_run).collect())
}

/// One run, for operators of the installation.
///
/// # Errors
/// [`StoreError::NotFound`]; else the database's.
pub fn find_as_operator(connection: &mut PgConnection, id: RunId) -> Result<Run> {
    load(connection, id)
}

/// Records the event that a run or one of its steps has changed state. For whoever changes them;
/// call it after the change.
///
/// # Errors
/// The database's.
pub fn announce(connection: &mut PgConnection, id: RunId) -> Result<()> {
    let mut run = match load(connection, id) {
        Ok(run) => run,
        // Of a removed asset nobody wants to hear any more.
        Err(StoreError::NotFound) => return Ok(()),
        Err(error) => return Err(error),
    };
    // The technical detail can be long; whoever opens it reads the run.
    for failure in run.failure.iter_mut().chain(run.steps.iter_mut().filter_map(|s| s.failure.as_mut())) {
        failure.detail = None;
    }
    events::record(connection, run.production_id, EventKind::Run, &run)?;
    Ok(())
}

/// Locks a run of an asset that is still there.
fn lock(connection: &mut PgConnection, id: RunId) -> Result<Run> {
    let found: Uuid = runs::table.find(id.0).for_update().select(runs::id).first(connection)?;
    load(connection, RunId(found))
}

/// Locks a run that the caller, at least an editor of the library, may change.
fn lock_for(connection: &mut PgConnection, caller: &Principal, id: RunId) -> Result<Run> {
    let run = lock(connection, id)?;
    crate::assets::find(connection, caller, run.asset_id, ModuleRole::Editor, false)?;
    Ok(run)
}

/// Asks to cancel a run, for editors of the library. Asking again changes nothing.
///
/// # Errors
/// [`StoreError::NotFound`], [`StoreError::Forbidden`]; [`StoreError::Conflict`] if it has ended.
pub fn request_cancel(
    connection: &mut PgConnection,
    caller: &Principal,
    origin: &Origin,
    id: RunId,
) -> Result<Run> {
    connection.transaction(|connection| {
        let run = lock_for(connection, caller, id)?;
        cancel(connection, origin, &run)
    })
}

/// The same for an operator of the installation, whose command says so in the audit trail.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::Conflict`] if it has ended.
pub fn cancel_as_operator(connection: &mut PgConnection, origin: &Origin, id: RunId) -> Result<Run> {
    connection.transaction(|connection| {
        let run = lock(connection, id)?;
        cancel(connection, origin, &run)
    })
}

fn cancel(connection: &mut PgConnection, origin: &Origin, run: &Run) -> Result<Run> {
    if run.state != RunState::Active {
        return Err(StoreError::Conflict(format!("The run has already ended ({}).", run.state.name())));
    }
    if run.cancel_requested_at.is_none() {
        diesel::update(runs::table.find(run.id.0))
            .set(runs::cancel_requested_at.eq(Utc::now()))
            .execute(connection)?;
        notify(connection, WORK_CHANNEL, &run.id.to_string())?;
        announce(connection, run.id)?;
        record_act(connection, origin, "run.cancel_requested", run, None)?;
    }
    load(connection, run.id)
}

/// Starts a failed or cancelled step again, for editors of the library: it waits for a worker, and
/// its run and asset are under way again.
///
/// # Errors
/// [`StoreError::NotFound`], [`StoreError::Forbidden`]; [`StoreError::Conflict`] if the step is in
/// another state, or its run is just being cancelled, or a step that it needs is not done.
pub fn restart_step(
    connection: &mut PgConnection,
    caller: &Principal,
    origin: &Origin,
    run_id: RunId,
    step_id: StepId,
) -> Result<Run> {
    connection.transaction(|connection| {
        let run = lock_for(connection, caller, run_id)?;
        restart(connection, origin, &run, step_id)
    })
}

/// Starts the steps again that a run came to an end by, for an operator of the installation: those that failed or were
/// cancelled while all that they need was done. What waits for them goes on after them.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::Conflict`] if nothing failed, or the run is just being cancelled.
pub fn retry_as_operator(connection: &mut PgConnection, origin: &Origin, id: RunId) -> Result<Run> {
    connection.transaction(|connection| {
        let mut run = lock(connection, id)?;
        let mut restarted = 0;
        for step in run.steps.clone() {
            // One that another one brings along is blocked by now.
            let is_stopped = |known: &Step| known.id == step.id && has_stopped(known);
            if !run.steps.iter().any(is_stopped) {
                continue;
            }
            run = restart(connection, origin, &run, step.id)?;
            restarted += 1;
        }
        if restarted == 0 {
            let state = run.state.name();
            return Err(StoreError::Conflict(format!(
                "No step of it has failed or was cancelled; it is {state}."
            )));
        }
        Ok(run)
    })
}

fn has_stopped(step: &Step) -> bool {
    matches!(step.state, StepState::Failed | StepState::Cancelled)
}

fn restart(connection: &mut PgConnection, origin: &Origin, run: &Run, step_id: StepId) -> Result<Run> {
    let step = run.steps.iter().find(|step| step.id == step_id).ok_or(StoreError::NotFound)?;
    if !has_stopped(step) {
        let state = step.state.name();
        return Err(StoreError::Conflict(format!(
            "Only a failed or cancelled step can be started again; this one is {state}."
        )));
    }
    if run.state == RunState::Active && run.cancel_requested_at.is_some() {
        return Err(StoreError::Conflict(
            "The run is just being cancelled. Try again in a moment.".to_owned(),
        ));
    }
    revive(connection, run, step)?;
    notify(connection, WORK_CHANNEL, &run.id.to_string())?;
    crate::assets::announce(connection, run.asset_id)?;
    announce(connection, run.id)?;
    record_act(connection, origin, "step.restarted", run, Some(step))?;
    load(connection, run.id)
}

/// Puts a step, its run and its asset back into motion.
fn revive(connection: &mut PgConnection, run: &Run, step: &Step) -> Result<()> {
    let needs: Vec<(ByName<StepKind>, Vec<String>)> = steps::table
        .filter(steps::run_id.eq(run.id.0))
        .select((steps::kind, steps::needs))
        .load(connection)?;
    let is_done = |kind: &str| run.steps.iter().any(|s| s.kind.name() == kind && s.state == StepState::Done);
    let needed = needs.iter().filter(|(kind, _)| kind.0 == step.kind).flat_map(|(_, needs)| needs);
    if let Some(missing) = needed.into_iter().find(|kind| !is_done(kind)) {
        return Err(StoreError::Conflict(format!(
            "This step needs the step '{missing}', which is not done. Start that one again."
        )));
    }
    let now = Utc::now();
    diesel::update(steps::table.find(step.id.0))
        .set((
            steps::state.eq(StepState::Waiting.name()),
            steps::tries.eq(0),
            steps::not_before.eq(now),
            steps::waiting_since.eq(now),
            cleared(),
        ))
        .execute(connection)?;
    // Those that were given up because of it wait for it again.
    diesel::update(steps::table)
        .filter(steps::run_id.eq(run.id.0))
        .filter(steps::kind.eq_any(dependents(step.kind, &needs)))
        .filter(steps::state.eq_any([StepState::Failed.name(), StepState::Cancelled.name()]))
        .set((steps::state.eq(StepState::Blocked.name()), steps::tries.eq(0), cleared()))
        .execute(connection)?;
    diesel::update(runs::table.find(run.id.0))
        .set((
            runs::state.eq(RunState::Active.name()),
            runs::failure.eq(None::<serde_json::Value>),
            runs::cancel_requested_at.eq(None::<DateTime<Utc>>),
            runs::finished_at.eq(None::<DateTime<Utc>>),
        ))
        .execute(connection)?;
    diesel::update(assets::table)
        .filter(assets::id.eq(run.asset_id.0))
        .filter(assets::current_version.eq(run.version_id.0))
        .set((
            assets::status.eq("processing"),
            assets::failure.eq(None::<serde_json::Value>),
            assets::updated_at.eq(now),
            assets::revision.eq(assets::revision + 1),
        ))
        .execute(connection)?;
    Ok(())
}

/// What a step knows of its last attempt, forgotten.
type Cleared = (
    diesel::dsl::Eq<steps::progress, Option<serde_json::Value>>,
    diesel::dsl::Eq<steps::failure, Option<serde_json::Value>>,
    diesel::dsl::Eq<steps::worker, Option<String>>,
    diesel::dsl::Eq<steps::queued_at, Option<DateTime<Utc>>>,
    diesel::dsl::Eq<steps::started_at, Option<DateTime<Utc>>>,
    diesel::dsl::Eq<steps::heartbeat_at, Option<DateTime<Utc>>>,
    diesel::dsl::Eq<steps::finished_at, Option<DateTime<Utc>>>,
);

fn cleared() -> Cleared {
    (
        steps::progress.eq(None),
        steps::failure.eq(None),
        steps::worker.eq(None),
        steps::queued_at.eq(None),
        steps::started_at.eq(None),
        steps::heartbeat_at.eq(None),
        steps::finished_at.eq(None),
    )
}

/// The kinds of steps that need `kind`, directly or by way of others.
fn dependents(kind: StepKind, needs: &[(ByName<StepKind>, Vec<String>)]) -> Vec<&'static str> {
    let mut found = vec![kind.name()];
    let mut next = 0;
    while let Some(needed) = found.get(next).copied() {
        for (dependent, needs) in needs {
            let name = dependent.0.name();
            if needs.iter().any(|need| need == needed) && !found.contains(&name) {
                found.push(name);
            }
        }
        next += 1;
    }
    found.remove(0);
    found
}

fn record_act(
    connection: &mut PgConnection,
    origin: &Origin,
    action: &'static str,
    run: &Run,
    step: Option<&Step>,
) -> Result<()> {
    let (organisation, name): (Uuid, String) = productions::table
        .inner_join(assets::table.on(assets::production_id.eq(productions::id)))
        .filter(assets::id.eq(run.asset_id.0))
        .select((productions::organisation_id, assets::name))
        .first(connection)?;
    let act = match step {
        Some(step) => Act::new(action, "step", step.id, &format!("{} of {name}", step.kind.name())),
        None => Act::new(action, "run", run.id, &format!("{} of {name}", run.workflow)),
    };
    audit::record(
        connection,
        origin,
        act.in_organisation(organisation.into()).in_production(run.production_id),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependents_are_found_through_others() {
        let needs = [
            (ByName(StepKind::Probe), vec![]),
            (ByName(StepKind::Settle), vec!["probe".to_owned()]),
            (ByName(StepKind::Render), vec!["probe".to_owned(), "settle".to_owned()]),
            (ByName(StepKind::Publish), vec!["render".to_owned()]),
        ];
        assert_eq!(dependents(StepKind::Probe, &needs), ["settle", "render", "publish"]);
        assert_eq!(dependents(StepKind::Render, &needs), ["publish"]);
        assert!(dependents(StepKind::Publish, &needs).is_empty());
    }
}
