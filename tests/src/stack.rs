//! The services of this test process.

use std::fs::{self, DirBuilder};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use kinora_devstack::{DevstackError, DirectoryLock, PortBook, ServiceEndpoints};

use crate::programs;

/// PostgreSQL, RabbitMQ and Redis for all tests of this process.
pub struct Stack {
    directory: PathBuf,
    endpoints: ServiceEndpoints,
    ports: Mutex<PortBook>,
    next_test: AtomicU64,
    /// Closed by the kernel when this process ends, however it ends; the services end then and
    /// remove their directory.
    _lifeline: ChildStdin,
    _process: Child,
}

impl Stack {
    /// The one stack, started by the first test that needs it.
    pub fn get() -> &'static Stack {
        static STACK: OnceLock<Stack> = OnceLock::new();
        STACK.get_or_init(Stack::start)
    }

    /// Where the services are.
    #[must_use]
    pub fn endpoints(&self) -> &ServiceEndpoints {
        &self.endpoints
    }

    /// A free port on 127.0.0.1 that no other test of this process gets.
    pub fn assign_port(&self, name: &str) -> u16 {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner).assign(name).expect("a free port")
    }

    /// A fresh private directory with a short unique name, for one test.
    #[must_use]
    pub fn create_test_directory(&self) -> PathBuf {
        let number = self.next_test.fetch_add(1, Ordering::Relaxed);
        let path = self.directory.join(format!("test-{number}"));
        DirBuilder::new().mode(0o700).create(&path).expect("a directory for the test");
        path
    }

    fn start() -> Stack {
        let root = std::env::temp_dir();
        sweep(&root);
        let directory = root.join(format!("kinora-test-{}", std::process::id()));
        let mut process = Command::new(programs::program("kinora-devstack"))
            .args(["services", "--throw-away", "--dir"])
            .arg(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("kinora-devstack starts");
        let lifeline = process.stdin.take().expect("a pipe");
        let mut line = String::new();
        let output = process.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("kinora-devstack answers");
        let endpoints = serde_json::from_str(&line).expect("the services came up");
        // A port book of its own: the services keep theirs in the same directory.
        let tests = directory.join("tests");
        fs::create_dir(&tests).expect("a directory for the tests");
        Stack {
            ports: Mutex::new(PortBook::open(&tests)),
            directory: tests,
            endpoints,
            next_test: AtomicU64::new(0),
            _lifeline: lifeline,
            _process: process,
        }
    }
}

/// Removes what test processes left behind whose services were killed before they could tidy up.
/// A directory is in use as long as its lock is held.
fn sweep(root: &Path) {
    let Ok(entries) = fs::read_dir(root) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_ours = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with("kinora-test-"));
        if !is_ours || !path.join("lock").exists() {
            continue;
        }
        match DirectoryLock::take(&path) {
            Ok(_held) => {
                if let Ok(in_memory) = fs::read_link(path.join("postgresql")) {
                    let _ = fs::remove_dir_all(in_memory);
                }
                let _ = fs::remove_dir_all(&path);
            }
            Err(DevstackError::AlreadyRunning { .. }) => {}
            Err(_) => {}
        }
    }
}
