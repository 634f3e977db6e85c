//! The application as systemd starts it: with sockets that are open already, credentials in a
//! directory, and somebody to notify.

use std::fs::{File, OpenOptions};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use kinora_tests::{DEADLINE, Kinora, program};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixDatagram};
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

/// Becomes the program with the sockets as descriptors 3 and 4, as sd_listen_fds(3) has it.
const SCRIPT: &str = "exec 3<&0 4<&1 0</dev/null 1>/dev/null; \
    export LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=http:metrics; exec \"$@\"";

/// The unit files, so to say.
pub struct Unit {
    http: TcpListener,
    metrics: TcpListener,
    pub settings: PathBuf,
    pub credentials: PathBuf,
    pub log: PathBuf,
    pub notify_path: PathBuf,
    /// What the process tells systemd. Always read: it would wait for a full queue.
    notices: Mutex<mpsc::UnboundedReceiver<String>>,
}

/// A running process of it.
pub struct Process(Child);

impl Unit {
    /// One that works on the database of `kinora`, with more lines of settings.
    pub fn new(kinora: &Kinora, name: &str, lines: &str) -> Self {
        let directory = kinora.directory().join(name);
        std::fs::create_dir(&directory).unwrap();
        let text = std::fs::read_to_string(kinora.directory().join("settings/application-1.toml")).unwrap();
        let settings = directory.join("application.toml");
        std::fs::write(&settings, format!("{text}\n{lines}\n")).unwrap();
        let credentials = directory.join("credentials");
        std::fs::create_dir(&credentials).unwrap();
        for entry in std::fs::read_dir(kinora.directory().join("credentials/application")).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), credentials.join(entry.file_name())).unwrap();
        }
        let notify_path = directory.join("notify");
        let notify = UnixDatagram::bind(&notify_path).unwrap();
        let (sender, notices) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut buffer = [0_u8; 4096];
            while let Ok(count) = notify.recv(&mut buffer).await {
                if sender.send(String::from_utf8_lossy(&buffer[..count]).into_owned()).is_err() {
                    return;
                }
            }
        });
        let http = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        // As the socket unit has it: room for those who wait for the next process.
        rustix::net::listen(&http, 4096).unwrap();
        Self {
            http,
            metrics: TcpListener::bind(("127.0.0.1", 0)).unwrap(),
            settings,
            credentials,
            log: directory.join("log"),
            notices: Mutex::new(notices),
            notify_path,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.http.local_addr().unwrap()
    }

    pub fn metrics_address(&self) -> SocketAddr {
        self.metrics.local_addr().unwrap()
    }

    pub fn read_log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Starts a process and does not wait for it.
    pub fn start(&self) -> Process {
        self.start_with(&[], &self.open_log())
    }

    pub fn open_log(&self) -> File {
        OpenOptions::new().create(true).append(true).open(&self.log).unwrap()
    }

    /// The same behind a wrapper, such as `unshare`.
    pub fn start_with(&self, wrapper: &[&str], stderr: &File) -> Process {
        let words: Vec<&str> = wrapper.iter().copied().chain(["sh", "-c", SCRIPT, "sh"]).collect();
        let child = Command::new(words[0])
            .args(&words[1..])
            .arg(program("kinora-application"))
            .arg("--settings")
            .arg(&self.settings)
            .env("CREDENTIALS_DIRECTORY", &self.credentials)
            .env("NOTIFY_SOCKET", &self.notify_path)
            .env("WATCHDOG_USEC", "400000")
            .stdin(Stdio::from(OwnedFd::from(self.http.try_clone().unwrap())))
            .stdout(Stdio::from(OwnedFd::from(self.metrics.try_clone().unwrap())))
            .stderr(stderr.try_clone().unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Process(child)
    }

    /// What the process tells systemd next that contains `text`.
    pub async fn told(&self, text: &str) -> String {
        let listen = async {
            let mut notices = self.notices.lock().await;
            loop {
                let message = notices.recv().await.expect("a reader");
                if message.contains(text) {
                    return message;
                }
            }
        };
        let told = timeout(DEADLINE, listen).await;
        told.unwrap_or_else(|_| panic!("never told {text:?}\n{}", self.read_log()))
    }

    /// The command `check-config`.
    pub fn check(&self) -> (bool, String) {
        let output = std::process::Command::new(program("kinora-application"))
            .args(["check-config", "--settings"])
            .arg(&self.settings)
            .env("CREDENTIALS_DIRECTORY", &self.credentials)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }
}

impl Process {
    pub fn signal(&self, signal: Signal) {
        let id = self.0.id().expect("it runs");
        kill_process(Pid::from_raw(id.try_into().unwrap()).unwrap(), signal).unwrap();
    }

    /// Waits for the end of a process that was asked to end.
    pub async fn end(mut self) -> ExitStatus {
        timeout(DEADLINE, self.0.wait()).await.expect("an end in time").unwrap()
    }

    pub async fn stop(self) {
        self.signal(Signal::TERM);
        assert!(self.end().await.success());
    }
}

/// How a visit went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Visit {
    Answered,
    Refused,
    Reset,
    Other,
}

impl From<std::io::Error> for Visit {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::ConnectionRefused => Self::Refused,
            std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe => Self::Reset,
            _ => Self::Other,
        }
    }
}

/// One request on a connection of its own.
pub async fn visit(address: SocketAddr) -> Visit {
    let talk = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"GET /livez HTTP/1.1\r\nHost: kinora\r\nConnection: close\r\n\r\n").await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    match timeout(DEADLINE, talk).await {
        Ok(Ok(answer)) if answer.starts_with(b"HTTP/1.1 200") => Visit::Answered,
        // Closed without a word.
        Ok(Ok(answer)) if answer.is_empty() => Visit::Reset,
        Ok(Err(error)) => error.into(),
        _ => Visit::Other,
    }
}

/// Reads one answer with a body of known length; gives its head.
pub async fn read_answer(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).await? == 0 {
            return Err(std::io::ErrorKind::ConnectionReset.into());
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    Ok(head)
}

/// Whether `path` is there soon.
pub async fn wait_for_text(path: &Path, text: &str) {
    kinora_tests::wait_until(text, async || {
        std::fs::read_to_string(path).is_ok_and(|content| content.contains(text)).then_some(())
    })
    .await;
}

/// Between two requests of a busy visitor.
pub const PACE: Duration = Duration::from_millis(20);
