//! Ending children: whatever they do, nothing of them is left when it is told that they have ended.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use kinora_core::FailureCode;
use kinora_worker::StepError;
use kinora_worker::child::{Bounds, finish, start_fed};
use kinora_worker::feed::FileSource;
use tokio::io::AsyncReadExt;
use tokio_util::sync::CancellationToken;

use crate::samples::Studio;

/// Longest wait for anything.
const DEADLINE: Duration = Duration::from_secs(240);

/// Far longer than a test may take: what ends sooner was ended.
const HOURS: Duration = Duration::from_secs(36_000);

/// Processes with `mark` in their command line whose program is `name`.
fn processes(name: &str, mark: &str) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let found = all.filter_map(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        let is_meant = line.split('\0').next()?.ends_with(name) && line.contains(mark);
        is_meant.then(|| entry.file_name().to_str()?.parse().ok()).flatten()
    });
    found.collect()
}

async fn wait_until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited {} s in vain", DEADLINE.as_secs());
        tokio::task::yield_now().await;
    }
}

/// Runs a shell that ignores all requests to end and would run for hours, in a sandbox with a scratch
/// directory; `bounds` and `then` decide what ends it.
async fn run_stubborn(bounds: &Bounds, then: impl FnOnce()) -> Result<(), StepError> {
    let studio = Studio::new();
    let scratch = tempfile::tempdir_in(studio.directory.path()).unwrap();
    let mark = scratch.path().file_name().unwrap().to_str().unwrap().to_owned();
    let script = format!(
        "trap '' TERM INT HUP QUIT; echo x > film.mp4; echo x > {mark}; echo {mark}; \
         while :; do tail -f {mark} > /dev/null; done"
    );
    let source = FileSource::open(&studio.write("original", b"x")).unwrap();
    let arguments = vec!["-c".into(), script.into()];
    let shell = Path::new("/usr/bin/sh");
    let (mut running, feed) =
        start_fed(&studio.tools, shell, arguments, Some(scratch.path()), source.into()).await.unwrap();
    let mut word = vec![0; mark.len()];
    running.stdout.read_exact(&mut word).await.unwrap();
    assert_eq!(word, mark.as_bytes(), "it has begun");
    // Until it is tail, the shell's child looks like a second shell.
    wait_until(|| !processes("tail", &mark).is_empty()).await;
    let shells = processes("sh", &mark);
    assert_eq!(shells.len(), 1);
    for name in ["-TERM", "-INT", "-HUP"] {
        assert!(Command::new("kill").args([name, &shells[0].to_string()]).status().unwrap().success());
    }
    assert_eq!(processes("sh", &mark), shells, "requests do nothing");
    then();
    let child = &mut running.child;
    let work = async { child.wait().await.map(drop).map_err(StepError::internal) };
    let result = bounds.within(work).await;
    let result = finish(running, &feed, result).await;
    // The pipes are closed by now, which is the last but one thing a process that is killed does.
    wait_until(|| processes("", &mark).is_empty()).await;
    let film = scratch.path().join("film.mp4");
    assert!(film.exists());
    drop(scratch);
    assert!(!film.exists(), "nobody is in the way of removing it");
    result
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_ends_what_ignores_requests() {
    let bounds = Bounds { cancel: CancellationToken::new(), time_limit: HOURS };
    let result = run_stubborn(&bounds, || bounds.cancel.cancel()).await;
    assert!(matches!(result, Err(StepError::Cancelled)), "{result:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_limit_ends_what_ignores_requests() {
    let bounds = Bounds { cancel: CancellationToken::new(), time_limit: Duration::from_millis(1) };
    match run_stubborn(&bounds, || ()).await {
        Err(StepError::Failed(failure)) => assert_eq!(failure.code, FailureCode::TimedOut),
        other => panic!("{other:?}"),
    }
}
