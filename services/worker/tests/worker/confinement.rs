//! What a child cannot do.

use std::io::BufRead;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kinora_worker::confinement::bubblewrap::Bubblewrap;
use kinora_worker::confinement::{Confinement, Limits, Program, Running};
use tokio::io::AsyncReadExt;

fn confinement() -> Confinement {
    let launcher = env!("CARGO_BIN_EXE_kinora-worker").into();
    Confinement::Bubblewrap(Bubblewrap::new("/usr/bin/bwrap".into(), launcher, Limits::default()).unwrap())
}

/// Runs a shell script in the sandbox; whether it succeeded, and what it wrote.
async fn run(script: &str, scratch: &Path) -> (bool, String) {
    let program = Program {
        path: Path::new("/usr/bin/bash"),
        arguments: vec!["-c".into(), script.into()],
        scratch: Some(scratch),
        is_fed: false,
    };
    let mut running = confinement().start(program).await.unwrap();
    let Running { child, stdout, stderr, .. } = &mut running;
    let (mut output, mut complaint) = (String::new(), String::new());
    let (a, b) = tokio::join!(stdout.read_to_string(&mut output), stderr.read_to_string(&mut complaint));
    a.unwrap();
    b.unwrap();
    (child.wait().await.unwrap().success(), output + &complaint)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_network_but_its_own() {
    let scratch = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connect = format!("exec 3<>/dev/tcp/127.0.0.1/{}", listener.local_addr().unwrap().port());
    let outside = Command::new("bash").args(["-c", &connect]).status().unwrap();
    assert!(outside.success(), "the same outside works");
    let (succeeded, output) = run(&connect, scratch.path()).await;
    assert!(!succeeded && output.contains("refused"), "{output}");
    let (_, devices) = run("cat /proc/net/dev", scratch.path()).await;
    let names: Vec<&str> =
        devices.lines().skip(2).filter_map(|line| Some(line.split_once(':')?.0.trim())).collect();
    assert_eq!(names, ["lo"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_only_to_its_scratch() {
    let scratch = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let (succeeded, output) = run("echo here > /scratch/a && echo there > b", scratch.path()).await;
    assert!(succeeded, "{output}");
    assert_eq!(std::fs::read_to_string(scratch.path().join("a")).unwrap(), "here\n");
    assert_eq!(std::fs::read_to_string(scratch.path().join("b")).unwrap(), "there\n");
    let elsewhere = elsewhere.path().display();
    for place in ["/x", "/usr/x", "/etc/x", "/run/x", "/run/kinora-worker", "/proc/sys/kernel/hostname"]
        .into_iter()
        .map(str::to_owned)
        .chain([format!("{elsewhere}/x")])
    {
        let (succeeded, _) = run(&format!("echo x > {place}"), scratch.path()).await;
        assert!(!succeeded, "{place} could be written");
    }
    // Its own /tmp is not the host's.
    let (succeeded, _) = run("echo x > /tmp/kinora-confinement-test", scratch.path()).await;
    assert!(succeeded && !Path::new("/tmp/kinora-confinement-test").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn sees_no_secret() {
    let scratch = tempfile::tempdir().unwrap();
    let credentials = tempfile::tempdir().unwrap();
    let secret = credentials.path().join("vault-master-key");
    std::fs::write(&secret, "secret").unwrap();
    for path in ["/etc/shadow", "/etc/passwd", "/root", "/home", "/var", &secret.display().to_string()] {
        let (succeeded, output) = run(&format!("ls {path}"), scratch.path()).await;
        assert!(!succeeded && output.contains("No such file"), "{path}: {output}");
    }
    let (_, environment) = run("/usr/bin/env", scratch.path()).await;
    let names: Vec<&str> = environment.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    for name in &names {
        assert!(["PATH", "LC_ALL", "PWD", "SHLVL", "_", "OLDPWD"].contains(name), "{name}");
    }
    let (_, processes) = run("echo /proc/[0-9]*", scratch.path()).await;
    assert!(processes.split_whitespace().count() <= 3, "{processes}");
    let (_, status) = run("cat /proc/self/status", scratch.path()).await;
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert!(status.contains(&format!("{set}:\t0000000000000000")), "{status}");
    }
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    let (succeeded, output) = run("/usr/bin/unshare --user true", scratch.path()).await;
    assert!(!succeeded, "a name space of its own: {output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn has_limits() {
    let scratch = tempfile::tempdir().unwrap();
    let (_, limits) = run("cat /proc/self/limits", scratch.path()).await;
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line.trim_start_matches(name).split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(limit("Max data size"), Limits::default().memory_bytes.to_string());
    assert_eq!(limit("Max file size"), Limits::default().file_bytes.to_string());
    assert_eq!(limit("Max core file size"), "0");
}

/// Cancelled while the sandbox is being set up: nothing of it may stay.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_nobody_waits_for_leaves_nothing() {
    let mark = format!("8{}", std::process::id());
    for moment in 0..40_u64 {
        let program = Program {
            path: Path::new("/usr/bin/sleep"),
            arguments: vec![mark.as_str().into()],
            scratch: None,
            is_fed: false,
        };
        // Wherever the start is after so many half milliseconds, it is dropped there.
        let limit = Duration::from_micros(moment * 500);
        let _ = tokio::time::timeout(limit, confinement().start(program)).await;
    }
    let deadline = Instant::now() + Duration::from_secs(30);
    let marked = |process: &std::fs::DirEntry| {
        let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        command.ends_with(format!("\0{mark}\0").as_bytes())
    };
    while std::fs::read_dir("/proc").unwrap().flatten().any(|process| marked(&process)) {
        assert!(Instant::now() < deadline, "a sandbox was left behind");
        tokio::task::yield_now().await;
    }
}

/// Not a test of its own: the process that [`children_die_with_the_worker`] kills.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by children_die_with_the_worker"]
async fn worker_with_a_child() {
    let mark = std::env::var("KINORA_TEST_MARK").unwrap();
    let program = Program {
        path: Path::new("/usr/bin/sleep"),
        arguments: vec![mark.into()],
        scratch: None,
        is_fed: false,
    };
    let mut running = confinement().start(program).await.unwrap();
    running.child.wait().await.unwrap();
}

#[test]
fn children_die_with_the_worker() {
    // Found by its argument, a number of seconds that nobody else sleeps.
    let mark = format!("7{}", std::process::id());
    let count = || {
        let marked = |process: &std::fs::DirEntry| {
            let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            command.starts_with(b"/usr/bin/sleep\0") && command.ends_with(format!("\0{mark}\0").as_bytes())
        };
        std::fs::read_dir("/proc").unwrap().flatten().filter(marked).count()
    };
    let until = |expected: usize| {
        let deadline = Instant::now() + Duration::from_secs(20);
        while count() != expected {
            assert!(Instant::now() < deadline, "{} children, not {expected}", count());
            std::thread::yield_now();
        }
    };
    let mut worker = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "confinement::worker_with_a_child"])
        .env("KINORA_TEST_MARK", &mark)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufReader::new(worker.stdout.take().unwrap()).read_line(&mut line).unwrap();
    until(1);
    // SIGKILL: the worker has no chance to clean up.
    worker.kill().unwrap();
    worker.wait().unwrap();
    until(0);
}
