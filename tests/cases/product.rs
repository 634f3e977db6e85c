//! The whole product as `make run` starts it: what it prints, that crashes are repaired and told, that
//! nothing is left running, that data stays.

use std::path::Path;
use std::process::Stdio;

use kinora_tests::{Client, Stack, program, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

struct Product {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Product {
    fn start(directory: &Path) -> Self {
        Self::start_with(directory, program("kinora-devstack").parent().unwrap())
    }

    fn start_with(directory: &Path, programs: &Path) -> Self {
        let mut process = Command::new(program("kinora-devstack"))
            .args(["run", "--workers", "1", "--dir"])
            .arg(directory)
            .arg("--bin-dir")
            .arg(programs)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// All lines up to and including the first that starts with `start`.
    async fn lines_until(&mut self, start: &str) -> Vec<String> {
        let mut seen = Vec::new();
        loop {
            let line = self.lines.next_line().await.unwrap();
            let Some(line) = line else { panic!("ended before {start:?}: {seen:#?}") };
            seen.push(line);
            if seen.last().unwrap().starts_with(start) {
                return seen;
            }
        }
    }

    fn process_id(&self) -> u32 {
        self.process.id().expect("it runs")
    }

    fn signal(&self, signal: Signal) {
        send(self.process_id(), signal);
    }
}

fn send(process: u32, signal: Signal) {
    let pid = Pid::from_raw(process.try_into().unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

fn value<'a>(lines: &'a [String], start: &str) -> Option<&'a str> {
    lines.iter().find_map(|line| line.strip_prefix(start))
}

/// A process as the kernel tells it: number, parent, name; the start time makes the number unique.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    id: u32,
    parent: u32,
    name: String,
    started: String,
}

/// All processes that are not just waiting to be reaped.
fn processes() -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            let text = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            let (head, tail) = text.rsplit_once(')')?;
            let fields: Vec<&str> = tail.split_whitespace().collect();
            let name = head.split_once('(')?.1.to_owned();
            let started = (*fields.get(19)?).to_owned();
            let process = Process { id, parent: fields.get(1)?.parse().ok()?, name, started };
            (*fields.first()? != "Z").then_some(process)
        })
        .collect()
}

/// Everything below a process.
fn descendants(of: u32) -> Vec<Process> {
    let all = processes();
    let mut found: Vec<Process> = Vec::new();
    let mut parents = vec![of];
    while let Some(parent) = parents.pop() {
        for process in all.iter().filter(|process| process.parent == parent) {
            parents.push(process.id);
            found.push(process.clone());
        }
    }
    found
}

async fn wait_until_gone(gone: &[Process]) {
    wait_until("all its processes are gone", async || {
        let left = processes();
        gone.iter()
            .all(|process| {
                !left.iter().any(|other| other.id == process.id && other.started == process.started)
            })
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_first_start_that_fails_tells_the_password_all_the_same() {
    let directory = Stack::get().create_test_directory();
    let programs = directory.join("programs");
    std::fs::create_dir(&programs).unwrap();
    for file in std::fs::read_dir(program("kinora-devstack").parent().unwrap()).unwrap().flatten() {
        let name = file.file_name();
        if name.to_string_lossy().starts_with("kinora") && file.path().is_file() {
            let target = if name == "kinora-worker" { "/bin/false".into() } else { file.path() };
            std::os::unix::fs::symlink(target, programs.join(name)).unwrap();
        }
    }
    let kinora = directory.join("kinora");
    let mut failing = Product::start_with(&kinora, &programs);
    let lines = failing.lines_until("stopping").await;
    let password = value(&lines, "one-time password: ").expect("a password").to_owned();
    assert_eq!(value(&lines, "first administrator: "), Some("admin@localhost"));
    assert_eq!(value(&lines, "ready: "), None, "{lines:?}");
    assert_eq!(failing.process.wait().await.unwrap().code(), Some(1));

    let mut second = Product::start(&kinora);
    let lines = second.lines_until("logs: ").await;
    let url = value(&lines, "ready: ").unwrap().trim_end_matches('/').to_owned();
    let _ = Client::anonymous(&url).sign_in("admin@localhost", &password).await.expect(200);
}

#[tokio::test]
async fn it_prints_how_to_get_in_keeps_data_and_leaves_nothing_running() {
    let directory = Stack::get().create_test_directory().join("kinora");
    let mut first = Product::start(&directory);
    let lines = first.lines_until("logs: ").await;
    let url = value(&lines, "ready: ").expect("an address").to_owned();
    assert!(url.starts_with("http://localhost:"), "{url}");
    let login = value(&lines, "first administrator: ").expect("a login").to_owned();
    let password = value(&lines, "one-time password: ").expect("a password").to_owned();
    let logs = value(&lines, "logs: ").expect("where the logs are");
    for part in ["postgresql", "rabbitmq", "redis", "application", "backend", "worker-1"] {
        assert!(Path::new(logs).join(format!("{part}.log")).exists(), "{part}");
    }
    let mut client = Client::anonymous(url.trim_end_matches('/'));
    let _ = client.sign_in(&login, &password).await.expect(200);

    let below = descendants(first.process_id());
    assert!(below.len() >= 6, "{below:#?}");
    first.signal(Signal::INT);
    let stopped = first.lines_until("stopped in").await;
    assert!(stopped.iter().all(|line| !line.contains("starting it again")), "{stopped:#?}");
    assert!(first.process.wait().await.unwrap().success());
    wait_until_gone(&below).await;

    let mut second = Product::start(&directory);
    let lines = second.lines_until("logs: ").await;
    assert_eq!(value(&lines, "ready: "), Some(url.as_str()), "the address is stable");
    assert_eq!(value(&lines, "first administrator: "), None);
    assert_eq!(value(&lines, "administrator: "), Some(login.as_str()), "later runs tell who it is");
    let mut client = Client::anonymous(url.trim_end_matches('/'));
    let _ = client.sign_in(&login, &password).await.expect(200);

    let words = value(&lines, "password lost? ").expect("a command that makes a new link");
    let link = Command::new("sh").args(["-c", words]).output().await.unwrap();
    assert!(String::from_utf8_lossy(&link.stdout).contains("/welcome#"), "{words}: {link:?}");

    let third = Command::new(program("kinora-devstack"))
        .args(["run", "--dir"])
        .arg(&directory)
        .output()
        .await
        .unwrap();
    assert!(!third.status.success());
    assert!(String::from_utf8_lossy(&third.stderr).contains("already running"), "{third:?}");

    let below = descendants(second.process_id());
    second.signal(Signal::KILL);
    second.process.wait().await.unwrap();
    wait_until_gone(&below).await;
}

#[tokio::test]
async fn a_part_that_crashes_is_told_and_comes_back() {
    let directory = Stack::get().create_test_directory().join("kinora");
    let mut product = Product::start(&directory);
    product.lines_until("logs: ").await;
    let parts = [
        ("redis", "redis-server"),
        ("worker-1", "kinora-worker"),
        ("backend", "kinora-backend"),
        ("application", "kinora-applicat"),
        ("rabbitmq", "beam.smp"),
        ("postgresql", "postgres"),
    ];
    for (part, name) in parts {
        let below = descendants(product.process_id());
        let process = below
            .iter()
            .find(|process| process.name == name && process.parent == product.process_id())
            .unwrap_or_else(|| panic!("{name} is not among {below:#?}"));
        send(process.id, Signal::KILL);
        product.lines_until(&format!("{part} ended (signal 9")).await;
        product.lines_until(&format!("{part} is running again")).await;
    }
    let below = descendants(product.process_id());
    product.signal(Signal::TERM);
    assert!(product.process.wait().await.unwrap().success());
    wait_until_gone(&below).await;
}
