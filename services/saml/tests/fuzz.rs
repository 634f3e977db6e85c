//! `make fuzz`: a million documents, made from good ones by changing their structure; none may be accepted as anybody
//! but whom the good ones name.
//!
//! Arguments: how many documents, and the seed. What libxml2 writes to standard error is thrown away.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a run that cannot go on fails"
)]

mod forge;
mod mutate;

use std::collections::BTreeMap;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mutate::{Numbers, Pool};

/// Set in the process that does the work.
const INNER: &str = "KINORA_FUZZ_INNER";

fn main() -> ExitCode {
    let arguments: Vec<u64> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .map(|a| a.parse().expect("a number"))
        .collect();
    let count = arguments.first().copied().unwrap_or(1_000_000);
    let seed = arguments
        .get(1)
        .copied()
        .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs());
    if std::env::var_os(INNER).is_none() {
        return outer(count, seed);
    }
    std::panic::set_hook(Box::new(|panic| println!("fuzz: {panic}")));
    run(count, seed);
    ExitCode::SUCCESS
}

fn outer(count: u64, seed: u64) -> ExitCode {
    println!("fuzz: {count} documents, seed {seed}");
    let program = std::env::current_exe().expect("a program knows its path");
    let status = Command::new(program)
        .args([count.to_string(), seed.to_string()])
        .env(INNER, "1")
        .stderr(Stdio::null())
        .status()
        .expect("starts");
    if status.success() {
        ExitCode::SUCCESS
    } else {
        println!("fuzz: {status}");
        ExitCode::FAILURE
    }
}

fn run(count: u64, seed: u64) {
    let next = AtomicU64::new(0);
    let began = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
    let parts: Vec<BTreeMap<&str, u64>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(count, seed, &next, began))).collect();
        workers.into_iter().map(|worker| worker.join().expect("no changed identity is accepted")).collect()
    });
    for (outcome, number) in parts.into_iter().flatten() {
        *outcomes.entry(outcome).or_default() += number;
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "fuzz: {count} documents in {seconds:.0} s, {:.0} a second; no changed identity was accepted",
        count as f64 / seconds
    );
    for (outcome, number) in outcomes {
        println!("fuzz: {number:>9} {outcome}");
    }
}

fn work(count: u64, seed: u64, next: &AtomicU64, began: Instant) -> BTreeMap<&'static str, u64> {
    let pool = Pool::new();
    let mut outcomes = BTreeMap::new();
    let mut said = Duration::ZERO;
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            return outcomes;
        }
        let document = pool.document(&mut Numbers::new(seed, number));
        *outcomes.entry(pool.check(&document).unwrap_or("accepted unchanged")).or_default() += 1;
        if number.is_multiple_of(100_000) && began.elapsed() > said {
            said = began.elapsed() + Duration::from_secs(5);
            println!("fuzz: {number}");
        }
    }
}
