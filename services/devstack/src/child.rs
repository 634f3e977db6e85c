//! One child process that cannot outlive us.
//!
//! Linux' parent-death signal follows the *thread* that started a process, not the process. Every
//! child is therefore started by a thread of its own, which then waits for it and lives as long as it does.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, PipeReader, Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::error::DevstackError;

/// Logs above this size are set aside when their part starts again.
const LOG_LIMIT_BYTES: u64 = 32 * 1024 * 1024;

/// What to start, and where its output goes.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Name for people: "postgresql", "worker-1".
    pub name: String,
    /// Words before the program, for wrappers such as `unshare`.
    pub wrapper: Vec<OsString>,
    /// The program.
    pub program: PathBuf,
    /// Its arguments. Never secrets: every user of the machine can read them.
    pub arguments: Vec<OsString>,
    /// Its environment besides what is inherited (or all of it, see `keep_environment`).
    pub environment: Vec<(OsString, OsString)>,
    /// Whether our own environment is passed on.
    pub keep_environment: bool,
    /// Where it runs; our own directory if none.
    pub directory: Option<PathBuf>,
    /// The file its output is appended to.
    pub log: PathBuf,
    /// A text whose appearance in the output says that the program is ready.
    pub ready_text: Option<&'static str>,
}

impl Launch {
    /// A launch of `program` with an inherited environment and no arguments.
    #[must_use]
    pub fn new(name: &str, program: &Path, log: &Path) -> Self {
        Self {
            name: name.to_owned(),
            wrapper: Vec::new(),
            program: program.to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            keep_environment: true,
            directory: None,
            log: log.to_owned(),
            ready_text: None,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// The command, wrapped so that the kernel kills it when the starting thread ends.
    pub(crate) fn command(&self) -> Command {
        let guard: [&OsStr; 4] = ["setpriv".as_ref(), "--pdeathsig".as_ref(), "KILL".as_ref(), "--".as_ref()];
        // The wrapper comes first: changing credentials clears the parent-death signal.
        let mut words = self
            .wrapper
            .iter()
            .map(OsString::as_os_str)
            .chain(guard)
            .chain([self.program.as_os_str()])
            .chain(self.arguments.iter().map(OsString::as_os_str));
        let mut command = Command::new(words.next().unwrap_or_else(|| "setpriv".as_ref()));
        command.args(words);
        if !self.keep_environment {
            command.env_clear();
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        // A group of its own: Ctrl-C on the terminal reaches us alone, and we stop things in order.
        command.process_group(0).stdin(Stdio::null());
        command
    }
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitReport {
    /// Its exit code, when it ended by itself.
    pub code: Option<i32>,
    /// The signal that ended it, otherwise.
    pub signal: Option<i32>,
}

impl From<ExitStatus> for ExitReport {
    fn from(status: ExitStatus) -> Self {
        Self { code: status.code(), signal: status.signal() }
    }
}

impl std::fmt::Display for ExitReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exit code {code}"),
            (None, Some(signal)) => write!(f, "signal {signal}"),
            (None, None) => f.write_str("unknown end"),
        }
    }
}

#[derive(Debug, Default)]
struct Progress {
    process: Option<(u32, Arc<OwnedFd>)>,
    spawn_error: Option<std::io::Error>,
    ready: bool,
    ended: Option<ExitReport>,
}

#[derive(Debug, Default)]
struct Shared {
    progress: Mutex<Progress>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn wait_until(
        &self,
        deadline: Option<Instant>,
        done: impl Fn(&Progress) -> bool,
    ) -> MutexGuard<'_, Progress> {
        let mut progress = self.lock();
        while !done(&progress) {
            let now = Instant::now();
            progress = match deadline {
                Some(deadline) if now >= deadline => break,
                Some(deadline) => {
                    self.changed
                        .wait_timeout(progress, deadline - now)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
                None => self.changed.wait(progress).unwrap_or_else(PoisonError::into_inner),
            };
        }
        progress
    }
}

/// A running (or ended) child process. Dropping it kills it.
#[derive(Debug)]
pub struct Child {
    name: String,
    log: PathBuf,
    shared: Arc<Shared>,
}

impl Child {
    /// Starts the process.
    ///
    /// # Errors
    /// When its log cannot be opened or the program cannot be executed.
    pub fn launch(launch: &Launch) -> Result<Self, DevstackError> {
        let log = open_log(&launch.log)?;
        let shared = Arc::new(Shared::default());
        let child = Self { name: launch.name.clone(), log: launch.log.clone(), shared: Arc::clone(&shared) };
        let launch = launch.clone();
        let name = launch.name.clone();
        std::thread::Builder::new()
            .name(format!("child {name}"))
            .spawn(move || run(&launch, log, &shared))
            .map_err(|source| DevstackError::Spawn { name, source })?;
        let mut progress = child
            .shared
            .wait_until(None, |progress| progress.process.is_some() || progress.spawn_error.is_some());
        if let Some(source) = progress.spawn_error.take() {
            drop(progress);
            return Err(DevstackError::Spawn { name: child.name.clone(), source });
        }
        drop(progress);
        Ok(child)
    }

    /// The operating system's number for it.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.shared.lock().process.as_ref().map_or(0, |(id, _)| *id)
    }

    /// Its name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sends a signal; nothing happens when it has ended.
    pub fn signal(&self, signal: Signal) {
        let handle = self.shared.lock().process.as_ref().map(|(_, handle)| Arc::clone(handle));
        if let Some(handle) = handle {
            let _ = pidfd_send_signal(&*handle, signal);
        }
    }

    /// Waits until the ready text was seen.
    ///
    /// # Errors
    /// When the process ends first or `limit` passes; the error carries the end of the log.
    pub fn wait_ready(&self, limit: Duration) -> Result<(), DevstackError> {
        let progress = self
            .shared
            .wait_until(Some(Instant::now() + limit), |progress| progress.ready || progress.ended.is_some());
        if let Some(end) = progress.ended {
            return Err(self.failure(&format!("ended while starting ({end})")));
        }
        if progress.ready {
            return Ok(());
        }
        Err(self.failure(&format!("is not ready after {} s", limit.as_secs())))
    }

    /// Waits for the end, at most `limit` (for ever when none).
    #[must_use]
    pub fn wait_end(&self, limit: Option<Duration>) -> Option<ExitReport> {
        let deadline = limit.map(|limit| Instant::now() + limit);
        self.shared.wait_until(deadline, |progress| progress.ended.is_some()).ended
    }

    /// Asks with `signal`, kills after `grace`, and returns when the process is gone.
    pub fn stop(&self, signal: Signal, grace: Duration) {
        self.signal(signal);
        if self.wait_end(Some(grace)).is_none() {
            self.signal(Signal::KILL);
            let _ = self.wait_end(None);
        }
    }

    /// The last lines of the log.
    #[must_use]
    pub fn log_tail(&self, lines: usize) -> String {
        read_tail(&self.log, lines)
    }

    /// The error that says what happened, with the end of the log.
    pub(crate) fn failure(&self, what: &str) -> DevstackError {
        DevstackError::Part {
            name: self.name.clone(),
            what: what.to_owned(),
            tail: self.log_tail(15),
            log: self.log.clone(),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.wait_end(None);
    }
}

/// Starts the process and stays with it until it has ended.
fn run(launch: &Launch, log: File, shared: &Arc<Shared>) {
    let started = std::io::pipe().and_then(|(reader, writer)| {
        let mut command = launch.command();
        command.stdout(writer.try_clone()?).stderr(writer);
        let child = command.spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let handle = pid
            .ok_or_else(|| std::io::Error::other("no process id"))
            .and_then(|pid| Ok(pidfd_open(pid, PidfdFlags::empty())?))?;
        Ok((child, handle, reader))
    });
    let (mut child, handle, reader) = match started {
        Ok(started) => started,
        Err(error) => {
            shared.update(|progress| {
                progress.spawn_error = Some(error);
                progress.ended = Some(ExitReport { code: None, signal: None });
            });
            return;
        }
    };
    let id = child.id();
    shared.update(|progress| progress.process = Some((id, Arc::new(handle))));
    let copier = {
        let shared = Arc::clone(shared);
        let ready_text = launch.ready_text;
        std::thread::spawn(move || copy_output(reader, log, ready_text, &shared))
    };
    let status = child.wait();
    // The rest of the output belongs into the log before anybody asks for its end. A grandchild may
    // hold the pipe open for longer: then the copier goes on by itself.
    let patience = Instant::now() + Duration::from_millis(500);
    while !copier.is_finished() && Instant::now() < patience {
        std::thread::park_timeout(Duration::from_millis(5));
    }
    shared.update(|progress| {
        progress.ended = Some(status.map_or(ExitReport { code: None, signal: None }, ExitReport::from));
    });
}

fn copy_output(reader: PipeReader, mut log: File, ready_text: Option<&str>, shared: &Shared) {
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    let mut waiting_for = ready_text;
    loop {
        line.clear();
        match (&mut reader).take(64 * 1024).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let _ = log.write_all(&line);
        if let Some(text) = waiting_for
            && String::from_utf8_lossy(&line).contains(text)
        {
            waiting_for = None;
            shared.update(|progress| progress.ready = true);
        }
    }
}

fn open_log(path: &Path) -> Result<File, DevstackError> {
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() > LOG_LIMIT_BYTES) {
        let _ = fs::rename(path, path.with_extension("log.1"));
    }
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(DevstackError::file("open", path))
}

/// The last `lines` lines of a file; empty when it cannot be read.
fn read_tail(path: &Path, lines: usize) -> String {
    let Ok(mut file) = File::open(path) else {
        return String::new();
    };
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let _ = file.seek(SeekFrom::Start(length.saturating_sub(64 * 1024)));
    let mut bytes = Vec::new();
    let _ = file.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let mut last = VecDeque::with_capacity(lines + 1);
    for line in text.lines() {
        // A panic with its backtrace is one long line.
        last.push_back(line.chars().take(500).collect::<String>());
        if last.len() > lines {
            last.pop_front();
        }
    }
    Vec::from(last).join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use super::*;

    fn shell(directory: &Path, script: &str) -> Launch {
        Launch::new("script", Path::new("/bin/sh"), &directory.join("script.log"))
            .argument("-c")
            .argument(script)
    }

    #[test]
    fn a_child_reports_readiness_end_and_its_last_words() {
        let directory = tempfile::tempdir().unwrap();
        let mut launch = shell(directory.path(), "echo up and running; read x; exit 3");
        launch.ready_text = Some("up and");
        let child = Child::launch(&launch).unwrap();
        let end = child.wait_end(None).unwrap();
        assert_eq!(end.code, Some(3));
        assert_eq!(child.log_tail(1), "up and running");
    }

    #[test]
    fn a_child_that_ends_early_says_why() {
        let directory = tempfile::tempdir().unwrap();
        let mut launch = shell(directory.path(), "echo no such luck; exit 7");
        launch.ready_text = Some("ready");
        let child = Child::launch(&launch).unwrap();
        let error = child.wait_ready(Duration::from_secs(60)).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("exit code 7"), "{text}");
        assert!(text.contains("no such luck"), "{text}");
    }

    #[test]
    fn a_stubborn_child_is_killed() {
        let directory = tempfile::tempdir().unwrap();
        let mut launch =
            shell(directory.path(), "trap '' TERM; echo deaf; while :; do read x < /dev/zero; done");
        launch.ready_text = Some("deaf");
        let child = Child::launch(&launch).unwrap();
        child.wait_ready(Duration::from_secs(60)).unwrap();
        child.stop(Signal::TERM, Duration::from_millis(50));
        assert_eq!(child.wait_end(None).unwrap().signal, Some(9));
    }

    #[test]
    fn a_missing_program_is_an_error_and_not_a_hang() {
        let directory = tempfile::tempdir().unwrap();
        let launch =
            Launch::new("ghost", Path::new("/nonexistent/ghost"), &directory.path().join("ghost.log"));
        // The guard program starts, the program behind it does not: the end is reported.
        let child = Child::launch(&launch).unwrap();
        assert_ne!(child.wait_end(None).unwrap().code, Some(0));
        assert!(child.log_tail(3).contains("ghost"));
    }
}
