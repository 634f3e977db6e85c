//! The state machine under random interleavings of everything that can happen to a run: reports that
//! come twice, late, never or for the wrong attempt, lost orders, cancellations, restarts, a clock
//! that jumps. Whatever happened, the rows stay consistent, and once things calm down each run ends.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use kinora_core::message::{Progress, StepEvent, StepOrder, StepReport};
use kinora_core::object::Place;
use kinora_core::queue::QueueClass;
use kinora_core::state::{RunState, StepState};
use kinora_core::step::StepOutput;
use kinora_core::{Failure, FailureCode};
use kinora_store::audit::Origin;
use kinora_store::run_views::{self, Run};
use kinora_store::runs::{self, Claim, Outcome, Policy};
use kinora_tests::{DatabaseRole, TestDatabase};

use super::fixture::{Delivered, World, number, output_of};
use super::scripted_worker::report;

/// Numbers that look random and are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(self.below(from.len())) }
    }
}

struct Machine {
    connection: PgConnection,
    world: World,
    files: Vec<Delivered>,
    /// All orders that were ever published.
    orders: Vec<StepOrder>,
    /// All reports that were ever sent.
    reports: Vec<StepReport>,
    now: DateTime<Utc>,
    policy: Policy,
}

impl Machine {
    fn runs(&mut self) -> Vec<Run> {
        let files = self.files.clone();
        files.iter().map(|file| self.world.run(&mut self.connection, file.run)).collect()
    }

    fn claim(&mut self, class: QueueClass) {
        if let Claim::Order(order) = runs::claim(&mut self.connection, class, self.now).unwrap() {
            assert_eq!(order.class, class);
            self.orders.push(order.order);
        }
    }

    fn apply(&mut self, report: &StepReport) -> Outcome {
        runs::apply_report(&mut self.connection, report, &self.policy, self.now).unwrap()
    }

    fn send(&mut self, order: &StepOrder, event: StepEvent) {
        let report = report(order, event);
        self.apply(&report);
        self.reports.push(report);
    }

    fn publish(&mut self) {
        for (run, step) in runs::list_due_publishes(&mut self.connection, self.now, 10).unwrap() {
            runs::complete_publish(&mut self.connection, run, step, self.now).unwrap();
        }
    }

    fn cancel(&mut self) {
        for (run, _) in runs::list_cancel_requests(&mut self.connection).unwrap() {
            runs::apply_cancel(&mut self.connection, run, &self.policy, self.now).unwrap();
        }
    }

    fn reap(&mut self, drained: &[QueueClass]) {
        runs::reap(&mut self.connection, drained, &self.policy, self.now).unwrap();
    }

    /// One thing happens.
    fn act(&mut self, random: &mut Random) {
        let caller = self.world.editor();
        let origin = Origin::system("test");
        match random.below(14) {
            0 | 1 => self.claim(QueueClass::Quick),
            2 | 3 => self.claim(QueueClass::Long),
            4..=8 => {
                let Some(order) = random.pick(&self.orders).cloned() else { return };
                let event = match random.below(8) {
                    0 | 1 => StepEvent::Started,
                    2 => StepEvent::Progress(Progress::default()),
                    3..=5 => StepEvent::Done { output: output_of(&order.input) },
                    6 => {
                        let codes = [FailureCode::NotMedia, FailureCode::Storage, FailureCode::Internal];
                        StepEvent::Failed { failure: Failure::new(codes[random.below(3)]) }
                    }
                    _ => StepEvent::Cancelled,
                };
                self.send(&order, event);
            }
            9 => {
                if let Some(report) = random.pick(&self.reports).cloned() {
                    self.apply(&report);
                }
            }
            10 => {
                self.now += TimeDelta::seconds(random.below(40) as i64);
                let drained = if random.below(2) == 0 { &QueueClass::ALL[..] } else { &[] };
                self.reap(drained);
            }
            11 => {
                if let Some(order) = random.pick(&self.orders).cloned() {
                    runs::return_unpublished(&mut self.connection, &order, TimeDelta::zero(), self.now)
                        .unwrap();
                }
            }
            12 => {
                self.publish();
                self.cancel();
                if random.below(6) == 0 {
                    let file = self.files[random.below(self.files.len())];
                    // Refused when the run has ended.
                    let _ = run_views::request_cancel(&mut self.connection, &caller, &origin, file.run);
                }
            }
            _ => {
                let all = self.runs();
                let ended: Vec<_> = all
                    .iter()
                    .flat_map(|run| run.steps.iter().map(move |step| (run.id, step)))
                    .filter(|(_, step)| matches!(step.state, StepState::Failed | StepState::Cancelled))
                    .map(|(run, step)| (run, step.id))
                    .collect();
                if let Some((run, step)) = random.pick(&ended) {
                    // Refused when a step before it is not done.
                    let _ = run_views::restart_step(&mut self.connection, &caller, &origin, *run, *step);
                }
            }
        }
    }

    fn check(&mut self, seed: u64) {
        for run in self.runs() {
            let states: Vec<StepState> = run.steps.iter().map(|step| step.state).collect();
            assert_eq!(run.state, RunState::of(&states), "seed {seed}: {run:?}");
            assert_eq!(run.finished_at.is_some(), run.state != RunState::Active, "seed {seed}: {run:?}");
            assert_eq!(run.failure.is_some(), run.state == RunState::Failed, "seed {seed}: {run:?}");
        }
        let connection = &mut self.connection;
        let asset = "SELECT count(*) AS number FROM assets a JOIN runs r ON r.asset_id = a.id \
                     WHERE a.status <> CASE r.state WHEN 'active' THEN 'processing' WHEN 'done' THEN 'ready' ELSE r.state END";
        assert_eq!(number(connection, asset), 0, "seed {seed}: an asset's status differs from its run's");
        let early = "SELECT count(*) AS number FROM steps s JOIN steps n ON n.run_id = s.run_id AND n.kind = ANY(s.needs) \
                     WHERE s.state IN ('waiting', 'queued', 'running', 'done') AND n.state <> 'done'";
        assert_eq!(number(connection, early), 0, "seed {seed}: a step went ahead of what it needs");
        let gaps = "SELECT count(*) AS number FROM productions p \
                    WHERE p.event_sequence <> (SELECT count(*) FROM events e WHERE e.production_id = p.id)";
        assert_eq!(number(connection, gaps), 0, "seed {seed}: events have gaps");
        let used = "SELECT count(*) AS number FROM orphan_objects o WHERE EXISTS \
                    (SELECT FROM derivatives d WHERE d.object_id = o.object_id)";
        assert_eq!(number(connection, used), 0, "seed {seed}: something that is used is to be removed");
    }

    /// Every object that a report has brought is either used or marked for removal.
    fn check_objects(&mut self, seed: u64) {
        let mut brought = BTreeSet::new();
        for report in &self.reports {
            if let StepEvent::Done { output } = &report.event {
                match output {
                    StepOutput::Probe { raw_probe, .. } => {
                        brought.insert(raw_probe.id.to_string());
                    }
                    StepOutput::Render { derivatives, .. } => {
                        brought.extend(derivatives.iter().map(|made| made.object.id.to_string()));
                    }
                    StepOutput::Settle { .. } => {}
                }
            }
        }
        for id in brought {
            let places = format!(
                "SELECT (SELECT count(*) FROM derivatives WHERE object_id = '{id}') + \
                 (SELECT count(*) FROM orphan_objects WHERE object_id = '{id}') AS number"
            );
            assert_eq!(number(&mut self.connection, &places), 1, "seed {seed}: object {id}");
        }
    }

    /// From now on nothing goes wrong: each run comes to an end.
    fn calm_down(&mut self, seed: u64) {
        for _ in 0..60 {
            self.now += TimeDelta::seconds(120);
            self.cancel();
            self.publish();
            self.reap(&QueueClass::ALL);
            let first = self.orders.len();
            for class in [QueueClass::Quick, QueueClass::Long, QueueClass::Quick, QueueClass::Long] {
                self.claim(class);
            }
            for order in self.orders.split_off(first) {
                self.send(&order, StepEvent::Started);
                self.send(&order, StepEvent::Done { output: output_of(&order.input) });
            }
        }
        for run in self.runs() {
            assert_ne!(run.state, RunState::Active, "seed {seed}: {run:#?}");
        }
    }
}

fn play(seed: u64) {
    let database = TestDatabase::create(&format!("engine_states_{seed}"));
    let mut connection = database.connect(DatabaseRole::Owner);
    let world = World::make(&mut connection);
    let files = [Place::Store, Place::Staging].map(|place| world.deliver(&mut connection, place)).to_vec();
    let mut machine = Machine {
        connection,
        world,
        files,
        orders: Vec::new(),
        reports: Vec::new(),
        now: Utc::now(),
        policy: Policy::default(),
    };
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..150 {
        machine.act(&mut random);
        machine.check(seed);
    }
    machine.check_objects(seed);
    machine.calm_down(seed);
    machine.check(seed);
    machine.check_objects(seed);
}

#[test]
fn runs_stay_consistent_whatever_the_order_of_things() {
    for seed in 1..=6 {
        play(seed);
    }
}

#[test]
fn runs_stay_consistent_whatever_the_order_of_things_with_other_dice() {
    for seed in 101..=106 {
        play(seed);
    }
}

/// The last report of a render comes when its production was removed already.
#[test]
fn what_is_made_for_a_removed_production_is_not_kept() {
    let database = TestDatabase::create("states_removed_production");
    let mut connection = database.connect(DatabaseRole::Application);
    let world = World::make(&mut connection);
    let _ = world.deliver(&mut connection, Place::Store);
    let (policy, now) = (Policy::default(), Utc::now());
    let claim = |connection: &mut PgConnection, class| match runs::claim(connection, class, now).unwrap() {
        Claim::Order(order) => order.order,
        other => panic!("{other:?}"),
    };
    let probe = claim(&mut connection, QueueClass::Quick);
    let done = |order: &StepOrder| report(order, StepEvent::Done { output: output_of(&order.input) });
    runs::apply_report(&mut connection, &done(&probe), &policy, now).unwrap();
    let render = claim(&mut connection, QueueClass::Long);
    runs::apply_report(&mut connection, &report(&render, StepEvent::Started), &policy, now).unwrap();
    kinora_store::productions::remove(&mut connection, &Origin::system("test"), world.production, |_| true)
        .unwrap();
    let kept = "SELECT count(*) AS number FROM objects o \
                WHERE NOT EXISTS (SELECT FROM orphan_objects x WHERE x.object_id = o.id)";
    assert_eq!(number(&mut connection, kept), 0);
    let listed =
        |connection: &mut PgConnection| number(connection, "SELECT count(*) AS number FROM orphan_objects");
    let before = listed(&mut connection);
    runs::apply_report(&mut connection, &done(&render), &policy, now).unwrap();
    assert_eq!(number(&mut connection, kept), 0, "what came late stays");
    assert!(listed(&mut connection) > before, "what came late is to be removed");
}
