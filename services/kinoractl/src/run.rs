//! `kinoractl run …` and `kinoractl queue`: what is being made of media, what holds it, and what can be done about it.
//!
//! An operator sees where work stands, never what it is about: no names of productions or files, nor what FFmpeg said of
//! one, which may hold such names.

use std::process::ExitCode;

use chrono::{DateTime, TimeDelta, Utc};
use kinora_core::RunId;
use kinora_core::state::{RunState, StepState};
use kinora_store::StoreError;
use kinora_store::run_views::{self, Run, Step};
use kinora_store::runs::{StepCount, count_steps};

use crate::administration::{Access, CommandError, end, instant, origin};

/// `kinoractl run …`
#[derive(Debug, clap::Subcommand)]
pub enum RunCommand {
    /// Show the newest runs of the whole installation
    List {
        #[command(flatten)]
        access: Access,
        /// Only those in this state: active, done, failed or cancelled
        #[arg(long, value_parser = state)]
        state: Option<RunState>,
        /// How many at most, 1 to 1000
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
        /// Print a JSON document instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Show one run with its steps
    Show {
        #[command(flatten)]
        access: Access,
        /// The run's id
        id: RunId,
        /// Print a JSON document instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Start the steps again by which a run failed or was cancelled
    Retry {
        #[command(flatten)]
        access: Access,
        /// The run's id
        id: RunId,
    },
    /// Cancel a run: what a worker does for it ends within seconds
    Cancel {
        #[command(flatten)]
        access: Access,
        /// The run's id
        id: RunId,
    },
}

/// `kinoractl queue`
#[derive(Debug, clap::Args)]
pub struct QueueCommand {
    #[command(flatten)]
    access: Access,
    /// Print a JSON document instead of a table
    #[arg(long)]
    json: bool,
}

fn state(name: &str) -> Result<RunState, String> {
    RunState::from_name(name).ok_or_else(|| "there are active, done, failed and cancelled".to_owned())
}

/// What went wrong with a run that an id was given for.
fn of(id: RunId) -> impl Fn(StoreError) -> CommandError {
    move |error| match error {
        StoreError::NotFound => CommandError::Argument(format!("there is no run {id}; kinoractl run list")),
        error => error.into(),
    }
}

/// Runs `kinoractl run …`.
pub fn run(command: &RunCommand) -> ExitCode {
    end(match command {
        RunCommand::List { access, state, limit, json } => list(access, *state, *limit, *json),
        RunCommand::Show { access, id, json } => show(access, *id, *json),
        RunCommand::Retry { access, id } => retry(access, *id),
        RunCommand::Cancel { access, id } => cancel(access, *id),
    })
}

/// Runs `kinoractl queue`.
pub fn queue(command: &QueueCommand) -> ExitCode {
    end(show_queue(command))
}

fn list(access: &Access, state: Option<RunState>, limit: u16, json: bool) -> Result<ExitCode, CommandError> {
    let found =
        run_views::list_of_installation(&mut access.open()?.connector.connect()?, state, limit.into())?;
    if json {
        let runs: Vec<_> = found.iter().map(document).collect();
        println!("{}", serde_json::json!({ "runs": runs }));
        return Ok(ExitCode::SUCCESS);
    }
    if found.is_empty() {
        println!("There are no such runs.");
    }
    let now = Utc::now();
    for run in &found {
        println!("{}  {:9}  {:>8}  {}", run.id, run.state.name(), lasting(run, now), standing(run));
    }
    Ok(ExitCode::SUCCESS)
}

fn show(access: &Access, id: RunId, json: bool) -> Result<ExitCode, CommandError> {
    let run = run_views::find_as_operator(&mut access.open()?.connector.connect()?, id).map_err(of(id))?;
    if json {
        println!("{}", document(&run));
        return Ok(ExitCode::SUCCESS);
    }
    println!("run         {}, {} ({})", run.id, run.workflow, run.state.name());
    println!("production  {}", run.production_id);
    println!("asset       {}", run.asset_id);
    println!("began       {}, {}", instant(run.created_at), lasting(&run, Utc::now()));
    if let Some(at) = run.cancel_requested_at {
        println!("cancel      asked for {}", instant(at));
    }
    for step in &run.steps {
        println!("{}", step_line(step));
    }
    Ok(ExitCode::SUCCESS)
}

fn retry(access: &Access, id: RunId) -> Result<ExitCode, CommandError> {
    let run =
        run_views::retry_as_operator(&mut access.open()?.connector.connect()?, &origin("run retry"), id)
            .map_err(of(id))?;
    println!("{}  {}", run.id, standing(&run));
    Ok(ExitCode::SUCCESS)
}

fn cancel(access: &Access, id: RunId) -> Result<ExitCode, CommandError> {
    let run =
        run_views::cancel_as_operator(&mut access.open()?.connector.connect()?, &origin("run cancel"), id)
            .map_err(of(id))?;
    println!("{}  will be cancelled as soon as its steps have stopped", run.id);
    Ok(ExitCode::SUCCESS)
}

fn show_queue(command: &QueueCommand) -> Result<ExitCode, CommandError> {
    let mut counts = count_steps(&mut command.access.open()?.connector.connect()?)?;
    counts.sort_by(|a, b| (&a.kind, &a.state).cmp(&(&b.kind, &b.state)));
    let now = Utc::now();
    let age = |count: &StepCount| count.oldest.map(|at| now - at);
    if command.json {
        let steps: Vec<_> = counts
            .iter()
            .map(|count| {
                serde_json::json!({
                    "kind": count.kind,
                    "state": count.state,
                    "count": count.count,
                    "oldest_seconds": age(count).map(|age| age.num_seconds()),
                })
            })
            .collect();
        println!("{}", serde_json::json!({ "steps": steps }));
        return Ok(ExitCode::SUCCESS);
    }
    if counts.is_empty() {
        println!("Nothing waits and nothing runs.");
    }
    for count in &counts {
        let oldest = age(count).map_or_else(String::new, |age| format!("the oldest since {}", span(age)));
        println!("{:10}  {:8}  {:>6}  {oldest}", count.kind, count.state, count.count);
    }
    Ok(ExitCode::SUCCESS)
}

/// A run for programs, with ids where there are names.
fn document(run: &Run) -> serde_json::Value {
    let steps: Vec<_> = run
        .steps
        .iter()
        .map(|step| {
            serde_json::json!({
                "id": step.id,
                "kind": step.kind,
                "state": step.state,
                "attempt": step.attempt,
                "worker": step.worker,
                "failure": step.failure.as_ref().map(|failure| failure.code),
                "waiting_since": instant(step.waiting_since),
                "started_at": step.started_at.map(instant),
                "finished_at": step.finished_at.map(instant),
            })
        })
        .collect();
    serde_json::json!({
        "id": run.id,
        "workflow": run.workflow,
        "state": run.state,
        "production_id": run.production_id,
        "asset_id": run.asset_id,
        "created_at": instant(run.created_at),
        "finished_at": run.finished_at.map(instant),
        "cancel_requested_at": run.cancel_requested_at.map(instant),
        "failure": run.failure.as_ref().map(|failure| failure.code),
        "steps": steps,
    })
}

/// What a run is at, or came to.
fn standing(run: &Run) -> String {
    if let Some(failure) = &run.failure {
        return failure.message.clone();
    }
    let at = |state: StepState| {
        let kinds: Vec<_> =
            run.steps.iter().filter(|step| step.state == state).map(|step| step.kind.name()).collect();
        (!kinds.is_empty()).then(|| format!("{} {}", state.name(), kinds.join(", ")))
    };
    let parts: Vec<String> =
        [StepState::Running, StepState::Queued, StepState::Waiting].into_iter().filter_map(at).collect();
    parts.join("; ")
}

fn step_line(step: &Step) -> String {
    let mut line = format!("  {:10}  {:9}", step.kind.name(), step.state.name());
    if step.attempt > 0 {
        line += &format!("  attempt {}", step.attempt);
    }
    if let Some(worker) = &step.worker {
        line += &format!("  {worker}");
    }
    match (step.started_at, step.finished_at) {
        (Some(from), Some(to)) => line += &format!("  {}", span(to - from)),
        (Some(from), None) => line += &format!("  for {}", span(Utc::now() - from)),
        _ if step.state == StepState::Waiting => {
            line += &format!("  for {}", span(Utc::now() - step.waiting_since))
        }
        _ => {}
    }
    if let Some(failure) = &step.failure {
        line += &format!("  {}", failure.message);
    }
    line
}

/// How long a run took, or takes.
fn lasting(run: &Run, now: DateTime<Utc>) -> String {
    span(run.finished_at.unwrap_or(now) - run.created_at)
}

/// As people read it: two units at most.
fn span(time: TimeDelta) -> String {
    let seconds = time.num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units_at_most() {
        let said = |seconds| span(TimeDelta::seconds(seconds));
        assert_eq!([said(-3), said(59), said(61)], ["0 s", "59 s", "1 min 1 s"]);
        assert_eq!([said(3600), said(90_061)], ["1 h 0 min", "1 d 1 h"]);
    }
}
