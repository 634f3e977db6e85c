//! Asks the verifier in a process of its own, which dies when it takes too long.
//!
//! libxml2 and libxmlsec1 read what anybody on the internet may send before anyone is signed in. One process for each
//! document means that one that was taken over finds no secret, no other person's document, no file and no network, and
//! that its end needs no co-operation of it.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;

use crate::certificate::Certificate;
use crate::refusal::{Refusal, RefusalCode};
use crate::verifier::{Answer, Kind, Question, Verifier};

/// How long one verification may take.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest answer, bytes: what is covered is not longer than the document, but for the writing of JSON.
const ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// The verifier as a program, a fresh process for each document. Blocks the calling thread.
#[derive(Debug)]
pub struct VerifierProcess {
    program: PathBuf,
    time_limit: Duration,
    patience: Duration,
    free: Mutex<usize>,
    freed: Condvar,
}

impl VerifierProcess {
    /// Uses `program` (`kinora-saml-verifier`), at most `processes` at once.
    #[must_use]
    pub fn new(program: PathBuf, processes: usize) -> Self {
        Self {
            program,
            time_limit: TIME_LIMIT,
            patience: PATIENCE,
            free: Mutex::new(processes.max(1)),
            freed: Condvar::new(),
        }
    }

    /// The same with other limits: of one verification, and of waiting for its turn.
    #[must_use]
    pub fn with_limits(self, time_limit: Duration, patience: Duration) -> Self {
        Self { time_limit, patience, ..self }
    }

    /// Waits for a place.
    fn enter(&self) -> Result<Place<'_>, Refusal> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut free, _) = self
            .freed
            .wait_timeout_while(free, self.patience, |free| *free == 0)
            .unwrap_or_else(PoisonError::into_inner);
        if *free == 0 {
            return Err(RefusalCode::Busy.into());
        }
        *free -= 1;
        Ok(Place(self))
    }

    fn ask(&self, question: &Question) -> Result<Answer, Refusal> {
        let failed = |why: &dyn std::fmt::Display| Refusal::with(RefusalCode::VerifierFailed, why);
        let question = serde_json::to_vec(question).map_err(|error| failed(&error))?;
        let mut child = self.start().map_err(|error| failed(&error))?;
        let bytes = converse(&mut child.0, &question, self.time_limit)?;
        serde_json::from_slice(&bytes).map_err(|_| {
            // It has closed its output, so that it has ended or is about to.
            let _ = child.0.kill();
            match child.0.wait() {
                Ok(status) => failed(&format_args!("no answer; {status}")),
                Err(error) => failed(&error),
            }
        })
    }

    fn start(&self) -> std::io::Result<Mortal> {
        Command::new(&self.program)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // libxml2 and libxmlsec1 write lines chosen by whoever made the document.
            .stderr(Stdio::null())
            .spawn()
            .map(Mortal)
    }
}

impl Verifier for VerifierProcess {
    fn verify(&self, kind: Kind, xml: &str, certificates: &[Certificate]) -> Result<String, Refusal> {
        if certificates.is_empty() {
            return Err(RefusalCode::NoCertificate.into());
        }
        let _place = self.enter()?;
        let certificates =
            certificates.iter().map(|certificate| STANDARD.encode(certificate.der())).collect();
        self.ask(&Question { kind, xml: xml.to_owned(), certificates })?.into_result()
    }
}

/// A place among those that may run, given back when it is dropped.
struct Place<'a>(&'a VerifierProcess);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}

/// A child that does not outlive this.
struct Mortal(Child);

impl Drop for Mortal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Writes the question and reads the answer, both without ever waiting beyond the limit.
fn converse(child: &mut Child, question: &[u8], limit: Duration) -> Result<Vec<u8>, Refusal> {
    let failed = |error: std::io::Error| Refusal::with(RefusalCode::VerifierFailed, error);
    let mut input = child.stdin.take();
    let mut output = child.stdout.take().ok_or(RefusalCode::VerifierFailed)?;
    if let Some(input) = &input {
        ioctl_fionbio(input, true).map_err(|error| failed(error.into()))?;
    }
    ioctl_fionbio(&output, true).map_err(|error| failed(error.into()))?;
    let deadline = Instant::now() + limit;
    let (mut unwritten, mut answer) = (question, Vec::new());
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(RefusalCode::TimedOut.into());
        }
        wait(input.as_ref(), &output, left).map_err(failed)?;
        if let Some(pipe) = &mut input {
            let is_gone = write_some(pipe, &mut unwritten).map_err(failed)?;
            if is_gone || unwritten.is_empty() {
                input = None;
            }
        }
        if read_some(&mut output, &mut answer).map_err(failed)? {
            return Ok(answer);
        }
        if answer.len() > ANSWER_BYTES {
            return Err(Refusal::with(RefusalCode::VerifierFailed, "the answer is too long"));
        }
    }
}

/// Waits until something can be written or read, or the time is over.
fn wait(input: Option<&ChildStdin>, output: &ChildStdout, left: Duration) -> std::io::Result<()> {
    let mut pipes = vec![PollFd::new(output, PollFlags::IN)];
    pipes.extend(input.map(|input| PollFd::from_borrowed_fd(input.as_fd(), PollFlags::OUT)));
    let timeout = Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    };
    match poll(&mut pipes, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Writes what can be written; whether nobody reads it any more.
fn write_some(pipe: &mut ChildStdin, unwritten: &mut &[u8]) -> std::io::Result<bool> {
    match pipe.write(unwritten) {
        Ok(written) => {
            *unwritten = unwritten.get(written..).unwrap_or_default();
            Ok(false)
        }
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(false),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(true),
        Err(error) => Err(error),
    }
}

/// Reads what is there; whether that was all.
fn read_some(pipe: &mut ChildStdout, answer: &mut Vec<u8>) -> std::io::Result<bool> {
    let mut buffer = [0; 16 * 1024];
    match pipe.read(&mut buffer) {
        Ok(0) => Ok(true),
        Ok(read) => {
            answer.extend_from_slice(buffer.get(..read).unwrap_or_default());
            Ok(false)
        }
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(false),
        Err(error) => Err(error),
    }
}
