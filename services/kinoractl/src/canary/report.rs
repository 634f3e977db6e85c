//! What the canary tells: each stage with its seconds, for an operator or for a program.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::ingest::Step;

/// One stage that has ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stage {
    /// Its name; stable, for programs.
    pub name: &'static str,
    /// Whether it did what it should.
    pub ok: bool,
    /// How long it took.
    pub seconds: f64,
    /// What is worth knowing about it; why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What is told in the end.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    ok: bool,
    url: &'a str,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_stage: Option<&'static str>,
    stages: &'a [Stage],
    /// Of the ingest, each with its worker.
    #[serde(skip_serializing_if = "<[Step]>::is_empty")]
    steps: &'a [Step],
}

/// Collects stages, and prints each as it ends unless a program reads.
#[derive(Debug)]
pub struct Report {
    url: String,
    is_json: bool,
    begun: Instant,
    stages: Vec<Stage>,
    steps: Vec<Step>,
}

/// Rounded to milliseconds.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}

/// Prints a line; a reader that went away is no reason to stop before everything is cleaned up.
fn print(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn line(stage: &Stage) -> String {
    let state = if stage.ok { "ok" } else { "FAILED" };
    let detail = stage.detail.as_deref().unwrap_or_default();
    format!("{:<18} {:>9.3} s  {state:<6}  {detail}", stage.name, stage.seconds).trim_end().to_owned()
}

impl Report {
    /// A report about the Kinora at `url`, which begins now.
    pub fn new(url: &str, is_json: bool) -> Self {
        Self { url: url.to_owned(), is_json, begun: Instant::now(), stages: Vec::new(), steps: Vec::new() }
    }

    /// Adds a stage that began at `begun` and has ended now.
    pub fn add(&mut self, name: &'static str, begun: Instant, outcome: Result<Option<String>, String>) {
        let (ok, detail) = match outcome {
            Ok(detail) => (true, detail),
            Err(why) => (false, Some(why)),
        };
        let stage = Stage { name, ok, seconds: seconds(begun.elapsed()), detail };
        if !self.is_json {
            print(&line(&stage));
        }
        self.stages.push(stage);
    }

    /// What the steps of the ingest took, for programs.
    pub fn add_steps(&mut self, steps: Vec<Step>) {
        self.steps = steps;
    }

    /// The first stage that failed.
    pub fn failed_stage(&self) -> Option<&'static str> {
        self.stages.iter().find(|stage| !stage.ok).map(|stage| stage.name)
    }

    /// Prints the end; gives whether all went well.
    pub fn finish(&self) -> bool {
        let failed_stage = self.failed_stage();
        let total = seconds(self.begun.elapsed());
        if self.is_json {
            let summary = Summary {
                ok: failed_stage.is_none(),
                url: &self.url,
                seconds: total,
                failed_stage,
                stages: &self.stages,
                steps: &self.steps,
            };
            print(&serde_json::to_string(&summary).unwrap_or_default());
        } else {
            let end = match failed_stage {
                None => "ok".to_owned(),
                Some(name) => format!("FAILED  in stage {name}"),
            };
            print(&format!("{:<18} {total:>9.3} s  {end}", "total"));
        }
        failed_stage.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_in_columns_and_the_first_failure_counts() {
        let stage = |name, ok, detail: Option<&str>| Stage {
            name,
            ok,
            seconds: 1.5,
            detail: detail.map(str::to_owned),
        };
        assert_eq!(line(&stage("sign_in", true, None)), "sign_in                1.500 s  ok");
        let failed = line(&stage("ingest", false, Some("not a media file")));
        assert_eq!(failed, "ingest                 1.500 s  FAILED  not a media file");
        let mut report = Report::new("http://localhost", true);
        report.add("a", Instant::now(), Ok(None));
        assert_eq!(report.failed_stage(), None);
        report.add("b", Instant::now(), Err("why".to_owned()));
        report.add("c", Instant::now(), Err("then".to_owned()));
        assert_eq!(report.failed_stage(), Some("b"));
    }
}
