//! `kinoractl run …` and `queue`: what operators see of work, and what they can do about it.

use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kinora_core::state::RunState;
use kinora_core::step::StepKind;
use kinora_core::{Failure, FailureCode};
use kinora_tests::{Kinora, program};
use serde_json::Value;

use super::fixture::{Engine, IMPATIENT, number, step, word};
use super::scripted_worker::{Act, ScriptedWorker};

async fn engine() -> Engine {
    Engine::with(Kinora::builder().applications(1).backends(1).settings("backend", IMPATIENT)).await
}

fn operate(engine: &Engine, arguments: &[&str]) -> Output {
    let directory = engine.kinora.directory();
    Command::new(program("kinoractl"))
        .args(arguments)
        .arg("--settings")
        .arg(directory.join("settings/application-1.toml"))
        .arg("--credentials")
        .arg(directory.join("credentials/application"))
        .output()
        .unwrap()
}

#[track_caller]
fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn refused(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_is_listed_without_what_it_is_about_and_tried_again() {
    let engine = engine().await;
    let is_repaired = Arc::new(AtomicBool::new(false));
    let repaired = Arc::clone(&is_repaired);
    let _worker = ScriptedWorker::start(engine.bus(), move |_| {
        let failure =
            Failure::new(FailureCode::NotMedia).with_detail("The Heist, scene 9: Invalid data found");
        if repaired.load(Ordering::SeqCst) { Act::Do } else { Act::Fail(failure) }
    })
    .await;
    let delivered = engine.deliver();
    let _ = engine.wait_for_run(delivered.run, RunState::Failed).await;
    let id = delivered.run.to_string();
    let mut connection = engine.connect();
    let name = word(&mut connection, "SELECT name AS word FROM assets");

    for arguments in [
        &["run", "list"][..],
        &["run", "list", "--state", "failed"],
        &["run", "list", "--json"],
        &["run", "show", &id],
        &["run", "show", &id, "--json"],
    ] {
        let text = said(&operate(&engine, arguments));
        assert!(text.contains(&id), "{arguments:?}: {text}");
        assert!(!text.contains(&name) && !text.contains("Heist"), "{arguments:?}: {text}");
    }
    assert!(said(&operate(&engine, &["run", "list"])).contains("This is not a media file we can read."));
    assert_eq!(said(&operate(&engine, &["run", "list", "--state", "active"])), "There are no such runs.\n");
    let shown: Value =
        serde_json::from_str(&said(&operate(&engine, &["run", "show", &id, "--json"]))).unwrap();
    assert_eq!((&shown["state"], &shown["failure"]), (&"failed".into(), &"not_media".into()));
    assert_eq!(said(&operate(&engine, &["queue"])), "Nothing waits and nothing runs.\n");

    is_repaired.store(true, Ordering::SeqCst);
    assert!(said(&operate(&engine, &["run", "retry", &id])).starts_with(&id));
    let run = engine.wait_for_run(delivered.run, RunState::Done).await;
    assert_eq!(step(&run, StepKind::Probe).attempt, 2);
    engine.assert_complete_and_single(delivered);
    let noted = "SELECT count(*) AS number FROM audit_rows WHERE action = 'step.restarted'";
    assert_eq!(number(&mut connection, noted), 1);
    assert!(refused(&operate(&engine, &["run", "retry", &id]), 1).contains("No step of it has failed"));
    assert!(refused(&operate(&engine, &["run", "cancel", &id]), 1).contains("already ended (done)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_is_counted_and_cancelled() {
    let engine = engine().await;
    let delivered = engine.deliver();
    let id = delivered.run.to_string();
    let queue: Value = serde_json::from_str(&said(&operate(&engine, &["queue", "--json"]))).unwrap();
    let waits = &queue["steps"][0];
    assert_eq!((&waits["kind"], &waits["count"]), (&"probe".into(), &1.into()), "{queue}");
    assert!(waits["oldest_seconds"].as_i64().is_some());
    assert!(said(&operate(&engine, &["queue"])).contains("the oldest since"));
    assert!(said(&operate(&engine, &["run", "list"])).contains("probe"));
    assert!(said(&operate(&engine, &["run", "cancel", &id])).contains("will be cancelled"));
    let _ = engine.wait_for_run(delivered.run, RunState::Cancelled).await;
    let nobody = "018f0000-0000-7000-8000-000000000000";
    assert!(refused(&operate(&engine, &["run", "show", nobody]), 2).contains("there is no run"));
    assert!(refused(&operate(&engine, &["run", "list", "--state", "lost"]), 2).contains("there are active"));
}
