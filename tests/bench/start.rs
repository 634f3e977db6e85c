//! How long `make run` takes from its start until people can open it, once programs are built.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kinora_tests::{Stack, program};
use rustix::process::{Pid, Signal, kill_process};

use crate::measure::{Row, median};

const AGAIN: usize = 5;
const GOAL: Duration = Duration::from_secs(10);

/// Starts it, and takes the time until it says that it is ready.
fn start(directory: &Path) -> (Child, Duration) {
    let began = Instant::now();
    let mut process = Command::new(program("kinora-devstack"))
        .args(["run", "--dir"])
        .arg(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("kinora-devstack starts");
    let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
    assert!(lines.any(|line| line.expect("text").starts_with("ready: ")), "it ended before it was ready");
    let took = began.elapsed();
    // What it says when it ends must find a reader.
    std::thread::spawn(move || lines.for_each(drop));
    (process, took)
}

/// Ends it as Ctrl-C does.
fn stop(mut process: Child) {
    let id = Pid::from_raw(process.id().try_into().expect("a number")).expect("a process");
    kill_process(id, Signal::INT).expect("it runs");
    assert!(process.wait().expect("it ends").success());
}

/// The first start in an empty directory, and the next ones on what that left.
pub fn measure() -> Vec<Row> {
    let directory = Stack::get().create_test_directory().join("kinora");
    let (process, first) = start(&directory);
    stop(process);
    let again = (0..AGAIN).map(|_| {
        let (process, took) = start(&directory);
        stop(process);
        took.as_secs_f64()
    });
    let again = median(again.collect());
    vec![Row {
        what: "`make run` until it is ready, programs built, data there",
        figure: format!("{again:.1} s"),
        goal: "≤ 10 s",
        reached: Some(again <= GOAL.as_secs_f64()),
        from: format!(
            "median of {AGAIN} starts; the first one, in an empty directory, took {:.1} s",
            first.as_secs_f64()
        ),
    }]
}
