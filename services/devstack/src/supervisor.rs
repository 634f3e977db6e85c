//! Keeps a part running: restarts it when it ends, and says so. Never silent.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::child::{Child, Launch};
use crate::error::DevstackError;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// A part that ran this long is taken for healthy: its next crash starts with the short pause again.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);

/// How one sees that a part is ready to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// The launch's ready text appears in its output.
    Text,
    /// A GET of the path on the loopback port answers 200.
    Http {
        /// Port on 127.0.0.1.
        port: u16,
        /// Path, with its leading slash.
        path: &'static str,
    },
}

/// A part and how to treat it.
pub struct PartPlan {
    /// What to start.
    pub launch: Launch,
    /// How to see that it is ready.
    pub readiness: Readiness,
    /// The signal that asks it to stop.
    pub stop_signal: Signal,
    /// How long it may take to stop before it is killed.
    pub stop_grace: Duration,
    /// How long it may take to become ready.
    pub start_limit: Duration,
}

/// Where lines for the operator go.
pub(crate) type Reporter = Arc<dyn Fn(&str) + Send + Sync>;

#[derive(Debug, Default)]
struct State {
    stopping: bool,
    child: Option<Arc<Child>>,
    ready: bool,
    failed: Option<DevstackError>,
    finished: bool,
    stop_begun: Option<Instant>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits for `length` unless the part is to stop; whether it is.
    fn pause(&self, length: Duration) -> bool {
        let end = Instant::now() + length;
        let mut state = self.lock();
        while !state.stopping {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.stopping
    }
}

/// A part under supervision. Dropping it stops it.
pub struct Supervised {
    name: String,
    stop_signal: Signal,
    stop_grace: Duration,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Supervised {
    /// Starts the part and watches it from a thread of its own. `report` gets one line per event.
    ///
    /// # Errors
    /// When the watching thread cannot be started.
    pub fn start(
        plan: PartPlan,
        report: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Self, DevstackError> {
        let shared = Arc::new(Shared::default());
        let name = plan.launch.name.clone();
        let (stop_signal, stop_grace) = (plan.stop_signal, plan.stop_grace);
        let watched = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name(format!("supervisor {name}"))
            .spawn(move || {
                supervise(&plan, &watched, &report);
                watched.update(|state| state.finished = true);
            })
            .map_err(|source| DevstackError::Spawn { name: name.clone(), source })?;
        Ok(Self { name, stop_signal, stop_grace, shared, thread: Mutex::new(Some(thread)) })
    }

    /// The part's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process that runs now, if one does.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.shared.lock().child.as_ref().map(|child| child.process_id())
    }

    /// Waits until the part is ready for the first time.
    ///
    /// # Errors
    /// When its first start failed, or it was told to stop.
    pub fn wait_ready(&self) -> Result<(), DevstackError> {
        let mut state = self.shared.lock();
        loop {
            if state.ready {
                return Ok(());
            }
            if let Some(error) = state.failed.take() {
                return Err(error);
            }
            if state.finished || state.stopping {
                return Err(DevstackError::Stopped);
            }
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Tells the part to stop without waiting for it.
    pub fn begin_stop(&self) {
        let mut child = None;
        // Asked once only: to many programs a second signal means "at once".
        self.shared.update(|state| {
            if !state.stopping {
                state.stopping = true;
                state.stop_begun = Some(Instant::now());
                child.clone_from(&state.child);
            }
        });
        if let Some(child) = child {
            child.signal(self.stop_signal);
        }
    }

    /// Stops the part, killing it when its grace has passed since it was first told to stop.
    pub fn stop(&self) {
        self.begin_stop();
        let (child, begun) = {
            let state = self.shared.lock();
            (state.child.clone(), state.stop_begun)
        };
        let spent = begun.map_or(Duration::ZERO, |begun| begun.elapsed());
        if let Some(child) = child
            && child.wait_end(Some(self.stop_grace.saturating_sub(spent))).is_none()
        {
            child.signal(Signal::KILL);
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.stop();
    }
}

fn supervise(plan: &PartPlan, shared: &Shared, report: &dyn Fn(&str)) {
    let name = &plan.launch.name;
    let mut pause = FIRST_PAUSE;
    let mut was_ready = false;
    loop {
        let begun = Instant::now();
        let outcome = run_once(plan, shared, &mut was_ready, report);
        shared.update(|state| state.child = None);
        if shared.lock().stopping {
            return;
        }
        let reason = match outcome {
            Err(error) if !was_ready => {
                // A part that never came up will not come up by trying harder: the caller decides.
                shared.update(|state| state.failed = Some(error));
                return;
            }
            Err(error) => error.to_string(),
            Ok(reason) => reason,
        };
        if begun.elapsed() > HEALTHY_AFTER {
            pause = FIRST_PAUSE;
        }
        report(&format!("{name} {reason}; starting it again in {:.1} s", pause.as_secs_f64()));
        if shared.pause(pause) {
            return;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// One life of the part. `Ok` tells how a life that had become ready ended.
fn run_once(
    plan: &PartPlan,
    shared: &Shared,
    was_ready: &mut bool,
    report: &dyn Fn(&str),
) -> Result<String, DevstackError> {
    let child = {
        let mut state = shared.lock();
        if state.stopping {
            return Ok("stopped".to_owned());
        }
        // Launched under the lock: `begin_stop` sees either no child yet or this one.
        let child = Arc::new(Child::launch(&plan.launch)?);
        state.child = Some(Arc::clone(&child));
        child
    };
    wait_ready(plan, &child)?;
    if *was_ready {
        report(&format!("{} is running again", plan.launch.name));
    }
    *was_ready = true;
    shared.update(|state| state.ready = true);
    let end = child.wait_end(None).map_or_else(String::new, |end| end.to_string());
    Ok(format!("ended ({end}, log: {})", plan.launch.log.display()))
}

fn wait_ready(plan: &PartPlan, child: &Child) -> Result<(), DevstackError> {
    match plan.readiness {
        Readiness::Text => child.wait_ready(plan.start_limit),
        Readiness::Http { port, path } => {
            let deadline = Instant::now() + plan.start_limit;
            loop {
                if let Some(end) = child.wait_end(Some(Duration::from_millis(40))) {
                    return Err(child.failure(&format!("ended while starting ({end})")));
                }
                if answers(port, path) {
                    return Ok(());
                }
                if Instant::now() > deadline {
                    let limit = plan.start_limit.as_secs();
                    return Err(child.failure(&format!("is not ready after {limit} s")));
                }
            }
        }
    }
}

/// Whether a GET answers 200.
fn answers(port: u16, path: &str) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut head = [0_u8; 12];
        stream.read_exact(&mut head)?;
        Ok(head.starts_with(b"HTTP/1.") && head.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use std::path::Path;
    use std::sync::mpsc;

    use super::*;

    fn plan(directory: &Path, script: &str) -> PartPlan {
        let mut launch = Launch::new("script", Path::new("/bin/sh"), &directory.join("script.log"))
            .argument("-c")
            .argument(script);
        launch.ready_text = Some("ready");
        PartPlan {
            launch,
            readiness: Readiness::Text,
            stop_signal: Signal::TERM,
            stop_grace: Duration::from_secs(5),
            start_limit: Duration::from_secs(60),
        }
    }

    #[test]
    fn a_part_that_is_killed_comes_back_and_is_reported() {
        let directory = tempfile::tempdir().unwrap();
        let (sender, lines) = mpsc::channel();
        let part = Supervised::start(plan(directory.path(), "echo ready; exec sleep 1000"), move |line| {
            let _ = sender.send(line.to_owned());
        })
        .unwrap();
        part.wait_ready().unwrap();
        let first = part.process_id().unwrap();
        part.shared.lock().child.as_ref().unwrap().signal(Signal::KILL);
        let told = lines.recv_timeout(Duration::from_secs(60)).unwrap();
        assert!(told.contains("signal 9"), "{told}");
        let told = lines.recv_timeout(Duration::from_secs(60)).unwrap();
        assert!(told.contains("running again"), "{told}");
        assert_ne!(part.process_id().unwrap(), first);
        part.stop();
        assert_eq!(part.process_id(), None);
    }

    #[test]
    fn a_part_that_never_comes_up_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let part = Supervised::start(plan(directory.path(), "echo broken; exit 1"), |_| {}).unwrap();
        let text = part.wait_ready().unwrap_err().to_string();
        assert!(text.contains("broken"), "{text}");
    }

    #[test]
    fn stopping_during_the_start_does_not_hang() {
        let directory = tempfile::tempdir().unwrap();
        let part = Supervised::start(plan(directory.path(), "exec sleep 1000"), |_| {}).unwrap();
        part.stop();
        assert!(part.wait_ready().is_err());
    }
}
