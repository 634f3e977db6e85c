//! Whatever is killed in the middle of a run, the run completes, nothing is twice in the result, and
//! nobody has to do anything.

use kinora_core::FailureCode;
use kinora_core::message::StepEvent;
use kinora_core::state::{RunState, StepState};
use kinora_core::step::StepKind;
use kinora_tests::{Kinora, wait_until};

use super::fixture::{Engine, IMPATIENT, number, output_of, step, word};
use super::scripted_worker::{Act, ScriptedWorker, report};

/// Does probes and works on renders for ever.
async fn stuck(engine: &Engine) -> ScriptedWorker {
    ScriptedWorker::start(engine.bus(), |order| {
        if order.input.kind() == StepKind::Render { Act::Hang } else { Act::Do }
    })
    .await
}

async fn wait_for_render(engine: &Engine, run: kinora_core::RunId) {
    engine
        .wait_for_step(run, StepKind::Render, "the render is running", |step| {
            step.state == StepState::Running
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_is_followed_by_another_one() {
    let engine = Engine::start(1).await;
    let mut first = stuck(&engine).await;
    let delivered = engine.deliver();
    wait_for_render(&engine, delivered.run).await;
    first.kill().await;
    let _second = ScriptedWorker::willing(engine.bus()).await;
    engine.wait_for_run(delivered.run, RunState::Done).await;
    engine.assert_complete_and_single(delivered);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_worker_is_given_up_and_its_late_result_is_ignored() {
    let engine = Engine::start(1).await;
    let _frozen = ScriptedWorker::start(engine.bus(), |order| {
        if order.input.kind() == StepKind::Render { Act::Freeze } else { Act::Do }
    })
    .await;
    let delivered = engine.deliver();
    wait_for_render(&engine, delivered.run).await;
    let before = engine.run(delivered.run);
    let _second = ScriptedWorker::willing(engine.bus()).await;
    let run = engine.wait_for_run(delivered.run, RunState::Done).await;
    assert!(step(&run, StepKind::Render).attempt >= 2);
    engine.assert_complete_and_single(delivered);

    // Now the frozen one wakes up and reports what it has made.
    let order = kinora_core::message::StepOrder {
        run_id: delivered.run,
        step_id: step(&before, StepKind::Render).id,
        attempt: 1,
        production_id: engine.world.production,
        input: kinora_core::step::StepInput::Render {
            original: super::fixture::object(),
            technical: super::fixture::technical(),
        },
    };
    let late = report(&order, StepEvent::Done { output: output_of(&order.input) });
    let bus = engine.bus();
    bus.connected().await;
    bus.publish_report(&late).await.unwrap();
    let mut connection = engine.connect();
    wait_until("the late objects are marked for removal", async || {
        (number(&mut connection, "SELECT count(*) AS number FROM orphan_objects") == 2).then_some(())
    })
    .await;
    engine.assert_complete_and_single(delivered);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_whose_workers_are_always_lost_fails_in_the_end() {
    let settings = format!("{IMPATIENT}coordinator.max_tries = 2\n");
    let engine = Engine::with(Kinora::builder().backends(1).settings("backend", &settings)).await;
    let _first = ScriptedWorker::start(engine.bus(), |_| Act::Freeze).await;
    let _second = ScriptedWorker::start(engine.bus(), |_| Act::Freeze).await;
    let delivered = engine.deliver();
    let run = engine.wait_for_run(delivered.run, RunState::Failed).await;
    assert_eq!(run.failure.unwrap().code, FailureCode::WorkerLost);
    assert_eq!(word(&mut engine.connect(), "SELECT status AS word FROM assets"), "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_backend_is_followed_by_the_other_one() {
    let mut engine = Engine::start(2).await;
    let mut first = stuck(&engine).await;
    let delivered = engine.deliver();
    wait_for_render(&engine, delivered.run).await;
    let leaders: Vec<usize> =
        (0..2).filter(|index| engine.kinora.backend(*index).log().contains("this backend leads")).collect();
    assert_eq!(leaders.len(), 1, "exactly one leads");
    engine.kinora.backend(leaders[0]).kill();
    first.kill().await;
    let _second = ScriptedWorker::willing(engine.bus()).await;
    engine.wait_for_run(delivered.run, RunState::Done).await;
    engine.assert_complete_and_single(delivered);
    assert!(engine.kinora.backend(1 - leaders[0]).log().contains("this backend leads"));
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_wait_for_a_backend_that_is_started_again() {
    let mut engine = Engine::start(1).await;
    let worker = stuck(&engine).await;
    let delivered = engine.deliver();
    wait_for_render(&engine, delivered.run).await;
    engine.kinora.backend(0).kill();
    drop(worker);
    let _second = ScriptedWorker::willing(engine.bus()).await;
    let waiting = engine.deliver();
    engine.kinora.backend(0).start().await;
    for file in [delivered, waiting] {
        engine.wait_for_run(file.run, RunState::Done).await;
        engine.assert_complete_and_single(file);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_backend_ends_at_once_and_without_an_error() {
    let mut engine = Engine::start(1).await;
    let _worker = stuck(&engine).await;
    let delivered = engine.deliver();
    wait_for_render(&engine, delivered.run).await;
    let end = engine.kinora.backend(0).stop().await;
    assert_eq!(end.code, Some(0));
    assert!(engine.kinora.backend(0).log().contains("ended"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_broker_that_comes_back_loses_nothing() {
    let mut engine =
        Engine::with(Kinora::builder().backends(1).own_broker().settings("backend", IMPATIENT)).await;
    let mut first = stuck(&engine).await;
    let delivered = engine.deliver();
    wait_for_render(&engine, delivered.run).await;
    engine.kinora.broker().kill();
    let waiting = engine.deliver();
    engine.kinora.broker().start_again().await;
    first.kill().await;
    let _second = ScriptedWorker::willing(engine.bus()).await;
    for file in [delivered, waiting] {
        engine.wait_for_run(file.run, RunState::Done).await;
        engine.assert_complete_and_single(file);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_broker_is_filled_again_from_the_database() {
    let engine = Engine::start(1).await;
    // Without a worker: the order of the probe is in the broker.
    let delivered = engine.deliver();
    engine
        .wait_for_step(delivered.run, StepKind::Probe, "the probe is queued", |step| {
            step.state == StepState::Queued
        })
        .await;
    let bus = engine.bus();
    wait_until("the order is in the broker", async || {
        let depths = bus.depths().await.ok()?;
        depths.iter().any(|depth| depth.queue == "orders.quick" && depth.messages == 1).then_some(())
    })
    .await;
    bus.delete_topology().await.unwrap();
    let _worker = ScriptedWorker::willing(engine.bus()).await;
    let run = engine.wait_for_run(delivered.run, RunState::Done).await;
    assert_eq!(step(&run, StepKind::Probe).attempt, 2);
    engine.assert_complete_and_single(delivered);
}
