//! A worker that speaks the protocol of real ones and does as the test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kinora_bus::{Bus, Delivery};
use kinora_core::message::{Control, Progress, StepEvent, StepOrder, StepReport};
use kinora_core::queue::QueueClass;
use kinora_core::step::StepKind;
use kinora_core::{Failure, StepId};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::fixture::output_of;

/// What to do with an order.
#[derive(Clone, Debug)]
pub enum Act {
    /// Do it.
    Do,
    /// Report that it cannot be done.
    Fail(Failure),
    /// Work on it, with progress, until it is cancelled or the worker is killed.
    Hang,
    /// Report that it began, and then nothing.
    Freeze,
}

/// What a worker has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    pub step: StepId,
    pub kind: StepKind,
    pub attempt: u32,
}

type Script = Arc<dyn Fn(&StepOrder) -> Act + Send + Sync>;

pub struct ScriptedWorker {
    bus: Bus,
    begun: Arc<Mutex<Vec<Begun>>>,
    tasks: Vec<JoinHandle<()>>,
}

impl ScriptedWorker {
    /// Connects and takes orders of both classes, one at a time of each.
    pub async fn start(bus: Bus, script: impl Fn(&StepOrder) -> Act + Send + Sync + 'static) -> Self {
        let script: Script = Arc::new(script);
        let begun = Arc::new(Mutex::new(Vec::new()));
        let (controls, _) = broadcast::channel(100);
        let stop = CancellationToken::new();
        let mut commands = bus.controls(stop.clone());
        commands.subscribed().await;
        let sender = controls.clone();
        let mut tasks = vec![tokio::spawn(async move {
            while let Some(command) = commands.next().await {
                let _ = sender.send(command.body);
            }
        })];
        for class in QueueClass::ALL {
            let mut orders = bus.orders(class, 1, stop.clone());
            orders.subscribed().await;
            let (bus, script, begun, controls) =
                (bus.clone(), Arc::clone(&script), Arc::clone(&begun), controls.clone());
            tasks.push(tokio::spawn(async move {
                while let Some(delivery) = orders.next().await {
                    let commands = controls.subscribe();
                    obey(&bus, &script, &begun, commands, delivery).await;
                }
            }));
        }
        Self { bus, begun, tasks }
    }

    /// A worker that does whatever it is told.
    pub async fn willing(bus: Bus) -> Self {
        Self::start(bus, |_| Act::Do).await
    }

    /// What it has begun so far.
    pub fn begun(&self) -> Vec<Begun> {
        self.begun.lock().unwrap().clone()
    }

    /// Ends it as a crash would: it stops where it is, and its connection is gone.
    pub async fn kill(&mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
        }
        self.bus.close().await;
    }
}

impl Drop for ScriptedWorker {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

pub fn report(order: &StepOrder, event: StepEvent) -> StepReport {
    StepReport {
        run_id: order.run_id,
        step_id: order.step_id,
        attempt: order.attempt,
        worker: "scripted".to_owned(),
        event,
    }
}

async fn obey(
    bus: &Bus,
    script: &Script,
    begun: &Mutex<Vec<Begun>>,
    mut commands: broadcast::Receiver<Control>,
    delivery: Delivery<StepOrder>,
) {
    let order = &delivery.body;
    begun.lock().unwrap().push(Begun {
        step: order.step_id,
        kind: order.input.kind(),
        attempt: order.attempt,
    });
    let never = CancellationToken::new();
    let act = script(order);
    bus.publish_report_until_confirmed(&report(order, StepEvent::Started), &never).await.unwrap();
    let half = Progress { fraction: Some(0.5), speed: Some(2.0), remaining_seconds: Some(10) };
    let _ = bus.publish_progress(&report(order, StepEvent::Progress(half))).await;
    let event = match act {
        Act::Do => StepEvent::Done { output: output_of(&order.input) },
        Act::Fail(failure) => StepEvent::Failed { failure },
        Act::Hang => loop {
            tokio::select! {
                command = commands.recv() => {
                    if let Ok(Control::Cancel { step_id, attempt }) = command
                        && step_id == order.step_id && attempt >= order.attempt
                    {
                        break StepEvent::Cancelled;
                    }
                }
                () = tokio::time::sleep(Duration::from_millis(200)) => {
                    let _ = bus.publish_progress(&report(order, StepEvent::Progress(half))).await;
                }
            }
        },
        Act::Freeze => std::future::pending().await,
    };
    bus.publish_report_until_confirmed(&report(order, event), &never).await.unwrap();
    // The order may come again if this is lost.
    let _ = delivery.acknowledge().await;
}
