//! Confinement of the programs that touch media: FFmpeg parses what strangers made, so it runs where
//! a taken-over parser finds nothing.
//!
//! Each child gets no network but a loopback of its own, sees a read-only system, has no capability, an
//! empty environment, limited memory, and one writable directory, its job's scratch, which is also its working
//! directory. It dies with the worker, however the worker ends. There are two ways to that: [`bubblewrap`] on a machine
//! without systemd's help, and [`service`], where systemd starts each child in a unit instance of its own, so that the
//! worker itself needs no right to make name spaces.

pub mod bubblewrap;
pub mod launch;
pub mod service;
mod spawner;
pub mod unit;
mod word;

use std::ffi::OsString;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitStatus;

use tokio::io::Interest;
use tokio::net::unix::pipe;
use tokio::process::Child;

use spawner::Spawner;
use word::Word;

/// Why a child could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ConfinementError {
    /// The sandbox program could not be run.
    #[error("{program} could not be started: {source}")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// The pipes or the socket to the child could not be made.
    #[error("the channel to the child could not be made: {0}")]
    Channel(std::io::Error),
    /// The sandbox ended before the program in it was started.
    #[error("the sandbox could not be set up: {0}")]
    Setup(String),
}

/// What a child may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Private memory of the process, bytes.
    pub memory_bytes: u64,
    /// Largest file it may write, bytes.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory_bytes: 12 << 30, file_bytes: 256 << 30 }
    }
}

/// Starts confined children.
#[derive(Clone, Debug)]
pub enum Confinement {
    /// In sandboxes that this process makes.
    Bubblewrap(bubblewrap::Bubblewrap),
    /// In unit instances that systemd makes.
    Service(service::MediaService),
}

/// What to start.
#[derive(Debug)]
pub struct Program<'a> {
    /// Absolute path of the program, below `/usr`.
    pub path: &'a Path,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// The directory it may write to; none if it writes nothing.
    pub scratch: Option<&'a Path>,
    /// Whether it gets a loopback listener for its input; see [`Running::listener`].
    pub is_fed: bool,
}

/// A child that runs. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    /// Its life.
    pub child: Life,
    /// What the program writes to its standard output.
    pub stdout: pipe::Receiver,
    /// What the program writes to its standard error.
    pub stderr: pipe::Receiver,
    /// The listener on the child's own loopback, from which a fed program's input is served.
    pub listener: Option<TcpListener>,
}

/// What ends a child, and tells how it ended. Dropping it kills the child.
#[derive(Debug)]
pub enum Life {
    /// The sandbox's outer process; killing it kills everything inside. The child also dies with the thread that
    /// started it.
    Process(Child, Spawner),
    /// The connection to the unit instance, which ends with it.
    Connection(service::Connection),
}

impl Life {
    /// Waits until the child has ended.
    ///
    /// # Errors
    /// If that cannot be found out.
    pub async fn wait(&mut self) -> std::io::Result<ExitStatus> {
        match self {
            Self::Process(child, _) => child.wait().await,
            Self::Connection(connection) => connection.wait().await,
        }
    }

    async fn kill(&mut self) -> std::io::Result<()> {
        match self {
            Self::Process(child, _) => child.kill().await,
            Self::Connection(connection) => connection.hang_up(),
        }
    }
}

impl Confinement {
    /// Starts `program`.
    ///
    /// # Errors
    /// [`ConfinementError`] if the sandbox is not there or cannot be set up.
    pub async fn start(&self, program: Program<'_>) -> Result<Running, ConfinementError> {
        match self {
            Self::Bubblewrap(bubblewrap) => bubblewrap.start(program).await,
            Self::Service(service) => service.start(program).await,
        }
    }

    /// What the operator can do about a sandbox that cannot be set up.
    const fn advice(&self) -> &'static str {
        match self {
            Self::Bubblewrap(_) => bubblewrap::ADVICE,
            Self::Service(_) => service::ADVICE,
        }
    }
}

impl Running {
    /// Kills everything in the sandbox and waits until nothing of it is left: the outer process ends at
    /// once, those inside a moment later, and only they hold the other ends of the pipes then.
    ///
    /// # Errors
    /// If the process cannot be killed or waited for.
    pub async fn kill(&mut self) -> std::io::Result<()> {
        self.child.kill().await?;
        let (mut output, mut complaint) = (tokio::io::sink(), tokio::io::sink());
        tokio::try_join!(
            tokio::io::copy(&mut self.stdout, &mut output),
            tokio::io::copy(&mut self.stderr, &mut complaint),
        )?;
        Ok(())
    }
}

/// Waits until the launcher in the sandbox is ready, and lets it go on.
async fn shake_hands(channel: &tokio::net::UnixStream) -> std::io::Result<Word> {
    let word = channel.async_io(Interest::READABLE, || word::receive(channel)).await?;
    if matches!(word, Word::Ready(_)) {
        channel.async_io(Interest::WRITABLE, || channel.try_write(b"G")).await?;
    }
    Ok(word)
}

/// The channel as this process's runtime sees it.
fn watched(channel: UnixStream) -> std::io::Result<tokio::net::UnixStream> {
    channel.set_nonblocking(true)?;
    tokio::net::UnixStream::from_std(channel)
}

/// Tries out whether children can be confined on this machine, by running `program` with
/// `arguments` (which must succeed) in a sandbox.
///
/// # Errors
/// What stands in the way and what to do about it, for the operator.
pub async fn verify(confinement: &Confinement, program: &Path, arguments: &[&str]) -> Result<String, String> {
    let order = Program {
        path: program,
        arguments: arguments.iter().map(Into::into).collect(),
        scratch: None,
        is_fed: false,
    };
    let mut running = match confinement.start(order).await {
        Ok(running) => running,
        Err(ConfinementError::Setup(complaint)) => {
            return Err(format!("the sandbox cannot be set up: {complaint}\n{}", confinement.advice()));
        }
        Err(error) => return Err(format!("{error}.\n{}", confinement.advice())),
    };
    let (mut output, mut complaint) = (Vec::new(), Vec::new());
    let read = async {
        tokio::try_join!(
            tokio::io::AsyncReadExt::read_to_end(&mut running.stdout, &mut output),
            tokio::io::AsyncReadExt::read_to_end(&mut running.stderr, &mut complaint),
        )?;
        running.child.wait().await
    };
    let status = read.await.map_err(|error| error.to_string())?;
    let complaint = String::from_utf8_lossy(&complaint).trim().to_owned();
    if status.success() {
        return Ok(String::from_utf8_lossy(&output).into_owned());
    }
    Err(format!(
        "{} does not run in its sandbox ({status}): {complaint}\nCheck the settings `ffmpeg` and `ffprobe`.",
        program.display()
    ))
}
