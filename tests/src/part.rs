//! One process under test: it can be killed, stopped, and started again.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use kinora_devstack::{Child, ExitReport, Launch};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::Client;
use crate::wait::{DEADLINE, wait_until};

/// How a test sees that a part is ready.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ReadyWhen {
    /// Its launch's ready text appears.
    Text,
    /// `GET /readyz` answers 200.
    Http(u16),
}

/// A process under test.
#[derive(Debug)]
pub struct Part {
    launch: Launch,
    ready_when: ReadyWhen,
    child: Option<Child>,
}

impl Part {
    pub(crate) fn new(launch: Launch, ready_when: ReadyWhen) -> Self {
        Self { launch, ready_when, child: None }
    }

    /// Starts the process (again) and waits until it is ready.
    ///
    /// # Panics
    /// When it does not come up; the message carries the end of its log.
    pub async fn start(&mut self) {
        self.begin_start();
        self.wait_ready().await;
    }

    /// Starts the process without waiting.
    ///
    /// # Panics
    /// When it cannot be executed, or runs already.
    pub fn begin_start(&mut self) {
        assert!(!self.is_running(), "{} runs already", self.launch.name);
        self.child = Some(Child::launch(&self.launch).expect("the program starts"));
    }

    /// Waits until the process is ready.
    ///
    /// # Panics
    /// When it ends instead, or does not get ready.
    pub async fn wait_ready(&self) {
        let child = self.child.as_ref().expect("a started process");
        let deadline = Instant::now() + DEADLINE;
        loop {
            let ready = match self.ready_when {
                ReadyWhen::Text => child.wait_ready(Duration::ZERO).is_ok(),
                ReadyWhen::Http(port) => answers(port).await,
            };
            if ready {
                return;
            }
            let end = child.wait_end(Some(Duration::ZERO));
            assert!(
                end.is_none() && Instant::now() < deadline,
                "{} does not come up ({end:?}):\n{}",
                self.launch.name,
                child.log_tail(40)
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends the process as a crash would (SIGKILL).
    pub fn kill(&mut self) {
        if let Some(child) = self.child.take() {
            child.signal(Signal::KILL);
            let _ = child.wait_end(None);
        }
    }

    /// Asks the process to end (SIGTERM) and waits for it; tells how it ended.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn stop(&mut self) -> ExitReport {
        let child = self.child.take().expect("a started process");
        child.signal(Signal::TERM);
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(end) = child.wait_end(Some(Duration::ZERO)) {
                return end;
            }
            assert!(Instant::now() < deadline, "{} does not stop", self.launch.name);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Holds the process still (SIGSTOP): it lives, and answers nothing.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets a frozen process go on (SIGCONT).
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        if let Some(child) = &self.child {
            child.signal(signal);
        }
    }

    /// Whether the process runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.child.as_ref().is_some_and(|child| child.wait_end(Some(Duration::ZERO)).is_none())
    }

    /// The operating system's number of the process.
    ///
    /// # Panics
    /// When it was never started.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.child.as_ref().expect("a started process").process_id()
    }

    /// Everything it wrote since its first start.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(&self.launch.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Everything it wrote since its first start, once `text` is among it: what it writes reaches its log through a pipe, a
    /// moment after it has answered.
    ///
    /// # Panics
    /// When it does not say so.
    pub async fn log_with(&self, text: &str) -> String {
        wait_until(text, async || Some(self.log()).filter(|log| log.contains(text))).await
    }

    /// A visitor of its metrics, whose address it tells in its log.
    ///
    /// # Panics
    /// When it does not say so.
    pub async fn metrics(&self) -> Client {
        let log = self.log_with("metrics are served").await;
        // It may have been started again.
        let line = log.lines().rfind(|line| line.contains("metrics are served"));
        let address = line.and_then(|line| line.split("address=").nth(1)?.split_whitespace().next());
        Client::anonymous(&format!("http://{}", address.expect("an address")))
    }

    /// Where its log is.
    #[must_use]
    pub fn log_path(&self) -> PathBuf {
        self.launch.log.clone()
    }

    /// Its name: "application-1".
    #[must_use]
    pub fn name(&self) -> &str {
        &self.launch.name
    }
}

async fn answers(port: u16) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut head = [0_u8; 12];
        stream.read_exact(&mut head).await?;
        std::io::Result::Ok(head.ends_with(b" 200"))
    };
    ask.await.unwrap_or(false)
}
