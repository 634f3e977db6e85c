//! Runs from delivery to their end, with a backend that nobody disturbs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::prelude::*;
use futures_util::StreamExt;
use kinora_core::object::Place;
use kinora_core::state::{RunState, StepState};
use kinora_core::step::StepKind;
use kinora_core::{Failure, FailureCode};
use kinora_store::audit::Origin;
use kinora_store::run_views;
use kinora_tests::{Kinora, wait_until};
use serde_json::Value;

use super::fixture::{Engine, IMPATIENT, number, step, step_id, word};
use super::scripted_worker::{Act, ScriptedWorker};

#[tokio::test(flavor = "multi_thread")]
async fn a_delivered_file_goes_through_all_steps_and_can_be_watched() {
    let engine = Engine::start(1).await;
    let worker = ScriptedWorker::willing(engine.bus()).await;
    let delivered = engine.deliver();
    let run = engine.wait_for_run(delivered.run, RunState::Done).await;
    assert!(run.steps.iter().all(|step| step.state == StepState::Done && step.attempt == 1), "{run:?}");
    assert!(run.finished_at.is_some());
    engine.assert_complete_and_single(delivered);
    let kinds: Vec<_> = worker.begun().into_iter().map(|begun| begun.kind).collect();
    assert_eq!(kinds, [StepKind::Probe, StepKind::Render]);
    let mut connection = engine.connect();
    let warnings = word(&mut connection, "SELECT warnings::text AS word FROM versions");
    assert_eq!(warnings, r#"["The file has no timecode.", "The file ends early."]"#);
    // Each change is an event; the last ones say that the asset is ready and the run done.
    let told = "SELECT string_agg(payload->>'status', ' ' ORDER BY sequence) AS word FROM events WHERE kind = 'asset'";
    assert!(word(&mut connection, told).ends_with("processing ready"));
    let told =
        "SELECT payload->>'state' AS word FROM events WHERE kind = 'run' ORDER BY sequence DESC LIMIT 1";
    assert_eq!(word(&mut connection, told), "done");
    let gaps = "SELECT max(sequence) - count(*) AS number FROM events";
    assert_eq!(number(&mut connection, gaps), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_staged_original_is_settled_as_well() {
    let engine = Engine::start(1).await;
    let _worker = ScriptedWorker::willing(engine.bus()).await;
    let delivered = engine.world.deliver(&mut engine.connect(), Place::Staging);
    let run = engine.wait_for_run(delivered.run, RunState::Done).await;
    assert_eq!(step(&run, StepKind::Settle).state, StepState::Done);
    engine.assert_complete_and_single(delivered);
    let staged = "SELECT count(*) AS number FROM objects WHERE place = 'staging'";
    assert_eq!(number(&mut engine.connect(), staged), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_media_file_fails_with_a_sentence_and_can_be_started_again() {
    let engine = Engine::start(1).await;
    let is_repaired = Arc::new(AtomicU32::new(0));
    let repaired = Arc::clone(&is_repaired);
    let _worker = ScriptedWorker::start(engine.bus(), move |_| {
        let failure = Failure::new(FailureCode::NotMedia).with_detail("Invalid data found");
        if repaired.load(Ordering::SeqCst) == 0 { Act::Fail(failure) } else { Act::Do }
    })
    .await;
    let delivered = engine.deliver();
    let run = engine.wait_for_run(delivered.run, RunState::Failed).await;
    let failure = run.failure.clone().unwrap();
    assert_eq!(failure.code, FailureCode::NotMedia);
    assert_eq!(failure.detail.as_deref(), Some("Invalid data found"));
    assert_eq!(step(&run, StepKind::Render).state, StepState::Blocked);
    let mut connection = engine.connect();
    let asset = "SELECT status || ': ' || (failure->>'message') AS word FROM assets";
    assert_eq!(word(&mut connection, asset), "failed: This is not a media file we can read.");
    assert_eq!(number(&mut connection, "SELECT count(*) AS number FROM objects"), 1, "the original is kept");

    is_repaired.store(1, Ordering::SeqCst);
    let (caller, origin) = (engine.world.editor(), Origin::system("test"));
    let probe = step_id(&run, StepKind::Probe);
    let revived = run_views::restart_step(&mut connection, &caller, &origin, delivered.run, probe).unwrap();
    assert_eq!(revived.state, RunState::Active);
    let run = engine.wait_for_run(delivered.run, RunState::Done).await;
    assert_eq!(step(&run, StepKind::Probe).attempt, 2);
    assert_eq!(step(&run, StepKind::Render).attempt, 1);
    engine.assert_complete_and_single(delivered);
    let cleared = "SELECT count(*) AS number FROM assets WHERE failure IS NOT NULL";
    assert_eq!(number(&mut connection, cleared), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passing_failure_is_tried_again_a_bounded_number_of_times() {
    let engine = Engine::start(1).await;
    let failures = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&failures);
    // The render fails twice; the second file's probe always fails.
    let doomed = Arc::new(std::sync::Mutex::new(None));
    let is_doomed = Arc::clone(&doomed);
    let _worker = ScriptedWorker::start(engine.bus(), move |order| {
        let storage = Act::Fail(Failure::new(FailureCode::Storage));
        let is_render = order.input.kind() == StepKind::Render;
        let is_doomed = *is_doomed.lock().unwrap() == Some(order.run_id);
        let fails = is_doomed || (is_render && counted.fetch_add(1, Ordering::SeqCst) < 2);
        if fails { storage } else { Act::Do }
    })
    .await;
    let lucky = engine.deliver();
    let run = engine.wait_for_run(lucky.run, RunState::Done).await;
    assert_eq!(step(&run, StepKind::Render).attempt, 3);
    assert_eq!(step(&run, StepKind::Render).failure, None);
    engine.assert_complete_and_single(lucky);

    // Claimed only after it is doomed: the row is written under the same lock.
    let unlucky = {
        let mut doomed = doomed.lock().unwrap();
        let unlucky = engine.deliver();
        *doomed = Some(unlucky.run);
        unlucky
    };
    let run = engine.wait_for_run(unlucky.run, RunState::Failed).await;
    assert_eq!(step(&run, StepKind::Probe).attempt, 4);
    assert_eq!(run.failure.unwrap().code, FailureCode::Storage);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_stops_its_worker_and_can_go_on_later() {
    let engine = Engine::start(1).await;
    let hangs = Arc::new(AtomicU32::new(1));
    let hanging = Arc::clone(&hangs);
    let worker = ScriptedWorker::start(engine.bus(), move |order| {
        let is_render = order.input.kind() == StepKind::Render;
        if is_render && hanging.load(Ordering::SeqCst) == 1 { Act::Hang } else { Act::Do }
    })
    .await;
    let delivered = engine.deliver();
    engine
        .wait_for_step(delivered.run, StepKind::Render, "the render is running", |step| {
            step.state == StepState::Running
        })
        .await;
    let (caller, origin) = (engine.world.editor(), Origin::system("test"));
    run_views::request_cancel(&mut engine.connect(), &caller, &origin, delivered.run).unwrap();
    let run = engine.wait_for_run(delivered.run, RunState::Cancelled).await;
    let states: Vec<_> = run.steps.iter().map(|step| step.state).collect();
    assert_eq!(states, [StepState::Done, StepState::Cancelled, StepState::Cancelled]);
    let mut connection = engine.connect();
    assert_eq!(word(&mut connection, "SELECT status AS word FROM assets"), "cancelled");

    hangs.store(0, Ordering::SeqCst);
    let render = step_id(&run, StepKind::Render);
    run_views::restart_step(&mut connection, &caller, &origin, delivered.run, render).unwrap();
    engine.wait_for_run(delivered.run, RunState::Done).await;
    engine.assert_complete_and_single(delivered);
    let probes = worker.begun().into_iter().filter(|begun| begun.kind == StepKind::Probe).count();
    assert_eq!(probes, 1, "what was done is not done again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_ignores_a_cancellation_is_not_waited_for() {
    let settings = format!("{IMPATIENT}coordinator.cancel_timeout = \"1s\"\n");
    let engine = Engine::with(Kinora::builder().backends(1).settings("backend", &settings)).await;
    let _worker = ScriptedWorker::start(engine.bus(), |_| Act::Freeze).await;
    let delivered = engine.deliver();
    engine
        .wait_for_step(delivered.run, StepKind::Probe, "the probe is running", |step| {
            step.state == StepState::Running
        })
        .await;
    let (caller, origin) = (engine.world.editor(), Origin::system("test"));
    run_views::request_cancel(&mut engine.connect(), &caller, &origin, delivered.run).unwrap();
    engine.wait_for_run(delivered.run, RunState::Cancelled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hear_progress_by_way_of_redis_and_the_database_keeps_some() {
    let engine = Engine::start(1).await;
    let settings = engine.kinora.redis_settings();
    let password = std::fs::read_to_string(&settings.password_file).unwrap();
    let url = format!("redis://:{}@127.0.0.1:{}/", password.trim_end(), settings.port);
    let mut subscriber = redis::Client::open(url).unwrap().get_async_pubsub().await.unwrap();
    subscriber.subscribe(format!("progress:{}", engine.world.production)).await.unwrap();
    let _worker = ScriptedWorker::start(engine.bus(), |_| Act::Hang).await;
    let delivered = engine.deliver();
    let message = subscriber.on_message().next().await.unwrap();
    let told: Value = serde_json::from_str(&message.get_payload::<String>().unwrap()).unwrap();
    assert_eq!(told["run_id"], delivered.run.to_string());
    assert_eq!(told["asset_id"], delivered.asset.to_string());
    assert_eq!(told["attempt"], 1);
    assert_eq!(told["progress"]["fraction"], 0.5);
    assert!(told["at"].as_str().unwrap().ends_with('Z'));
    let step = engine
        .wait_for_step(delivered.run, StepKind::Probe, "progress is written", |step| step.progress.is_some())
        .await;
    assert_eq!(step.progress.unwrap().remaining_seconds, Some(10));
    assert_eq!(step.worker.as_deref(), Some("scripted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_go_on_without_redis() {
    let mut engine = Engine::start(1).await;
    engine.kinora.redis().kill();
    let _worker = ScriptedWorker::willing(engine.bus()).await;
    let delivered = engine.deliver();
    engine.wait_for_run(delivered.run, RunState::Done).await;
    engine.assert_complete_and_single(delivered);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_asset_stops_its_run_and_leaves_nothing() {
    let engine = Engine::start(1).await;
    let _worker = ScriptedWorker::start(engine.bus(), |order| {
        if order.input.kind() == StepKind::Render { Act::Hang } else { Act::Do }
    })
    .await;
    let delivered = engine.deliver();
    engine
        .wait_for_step(delivered.run, StepKind::Render, "the render is running", |step| {
            step.state == StepState::Running
        })
        .await;
    let mut connection = engine.connect();
    let revision = number(&mut connection, "SELECT revision AS number FROM assets");
    let (caller, origin) = (engine.world.editor(), Origin::system("test"));
    kinora_store::assets::remove(&mut connection, &caller, &origin, delivered.asset, |found| {
        found == revision
    })
    .unwrap();
    wait_until("the run is cancelled", async || {
        (word(&mut connection, "SELECT state AS word FROM runs") == "cancelled").then_some(())
    })
    .await;
    let kept = "SELECT count(*) AS number FROM objects o \
                WHERE NOT EXISTS (SELECT FROM orphan_objects x WHERE x.object_id = o.id)";
    assert_eq!(number(&mut connection, kept), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_so_many_orders_are_in_the_broker_and_probes_pass_long_renders() {
    let settings = format!("{IMPATIENT}coordinator.long_ahead = 1\ncoordinator.quick_ahead = 2\n");
    let engine = Engine::with(Kinora::builder().backends(1).settings("backend", &settings)).await;
    let worker = ScriptedWorker::start(engine.bus(), |order| {
        if order.input.kind() == StepKind::Render { Act::Hang } else { Act::Do }
    })
    .await;
    let files: Vec<_> = (0..6).map(|_| engine.deliver()).collect();
    for file in &files {
        engine
            .wait_for_step(file.run, StepKind::Probe, "the probe is done", |step| {
                step.state == StepState::Done
            })
            .await;
    }
    let mut connection = engine.connect();
    let queued = "SELECT count(*) AS number FROM steps WHERE kind = 'render' AND state = 'queued'";
    wait_until("one render runs and one is queued", async || {
        let running = "SELECT count(*) AS number FROM steps WHERE kind = 'render' AND state = 'running'";
        let counts = (number(&mut connection, running), number(&mut connection, queued));
        (counts == (1, 1)).then_some(())
    })
    .await;
    let renders = worker.begun().into_iter().filter(|begun| begun.kind == StepKind::Render).count();
    assert_eq!(renders, 1);
    assert!(diesel::sql_query("SELECT 1").execute(&mut connection).is_ok());
}
