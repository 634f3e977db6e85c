//! Confinement of the programs that touch media: FFmpeg parses what strangers made, so it runs where
//! a taken-over parser finds nothing.
//!
//! Each child lives in a bubblewrap sandbox: no network but a loopback of its own, its own process,
//! IPC and host name space, a read-only `/usr`, a private `/tmp`, no capability, an empty
//! environment, limited memory, and one writable directory, its job's scratch at [`SCRATCH`]. It dies
//! with the worker, however the worker ends. Inside, [`launch`] prepares the way and becomes the
//! program.

pub mod launch;
mod spawner;

use std::ffi::OsString;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use launch::Word;
use tokio::io::Interest;
use tokio::process::{Child, ChildStderr, ChildStdout};

use spawner::Spawner;

/// Where a child sees its job's scratch directory; also its working directory.
pub const SCRATCH: &str = "/scratch";

/// Where a child sees the worker's own program, which is its launcher.
const LAUNCHER: &str = "/run/kinora-worker";

/// What the host must have for the sandbox to be readable: bound read-only where it exists.
const OPTIONAL_FILES: [&str; 2] = ["/etc/ld.so.cache", "/etc/alternatives"];

/// Directories that are symbolic links into `/usr` on a merged-/usr system.
const SYSTEM_DIRECTORIES: [&str; 4] = ["/bin", "/lib", "/lib64", "/sbin"];

const NAMESPACE_ADVICE: &str = "The system must allow user name spaces to this user: check the sysctls \
    user.max_user_namespaces, kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns, \
    and RestrictNamespaces= in the unit.";

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
pub struct Confinement {
    bubblewrap: PathBuf,
    launcher: PathBuf,
    limits: Limits,
    spawner: Spawner,
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
    /// The sandbox's outer process; killing it kills everything inside.
    pub child: Child,
    /// What the program writes to its standard output.
    pub stdout: ChildStdout,
    /// What the program writes to its standard error.
    pub stderr: ChildStderr,
    /// The listener on the sandbox's own loopback, from which a fed program's input is served.
    pub listener: Option<TcpListener>,
    /// The child dies with the thread that started it.
    _spawner: Spawner,
}

impl Confinement {
    /// Confinement by `bubblewrap`, with `launcher` (this program, `kinora-worker`) inside.
    ///
    /// Must be called within a Tokio runtime, which the children belong to.
    ///
    /// # Errors
    /// If the thread that starts children cannot be started.
    pub fn new(bubblewrap: PathBuf, launcher: PathBuf, limits: Limits) -> Result<Self, ConfinementError> {
        let spawner = Spawner::start().map_err(ConfinementError::Channel)?;
        Ok(Self { bubblewrap, launcher, limits, spawner })
    }

    /// Starts `program`.
    ///
    /// # Errors
    /// [`ConfinementError`] if bubblewrap is not there or cannot set up the sandbox.
    pub async fn start(&self, program: Program<'_>) -> Result<Running, ConfinementError> {
        let (ours, theirs) = UnixStream::pair().map_err(ConfinementError::Channel)?;
        let mut command = Command::new(&self.bubblewrap);
        command
            .args(self.sandbox_arguments(&program))
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let start =
            |source| ConfinementError::Start { program: self.bubblewrap.display().to_string(), source };
        let mut child = self.spawner.spawn(command).await.map_err(start)?;
        let missing = || ConfinementError::Channel(std::io::Error::other("no pipe"));
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let mut stderr = child.stderr.take().ok_or_else(missing)?;
        match shake_hands(ours).await.map_err(ConfinementError::Channel)? {
            Word::Ready(listener) => {
                Ok(Running { child, stdout, stderr, listener, _spawner: self.spawner.clone() })
            }
            Word::Gone => {
                let mut complaint = String::new();
                // Whatever can be read helps; that it cannot be read does not matter here.
                let _ = tokio::io::AsyncReadExt::read_to_string(&mut stderr, &mut complaint).await;
                Err(ConfinementError::Setup(complaint.trim().to_owned()))
            }
        }
    }

    fn sandbox_arguments(&self, program: &Program<'_>) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::with_capacity(64);
        let mut add = |words: &[&dyn AsRef<std::ffi::OsStr>]| {
            arguments.extend(words.iter().map(|word| word.as_ref().to_owned()));
        };
        for flag in [
            "--unshare-user",
            "--unshare-ipc",
            "--unshare-pid",
            "--unshare-net",
            "--unshare-uts",
            "--unshare-cgroup-try",
            "--disable-userns",
            "--die-with-parent",
            "--new-session",
            "--clearenv",
        ] {
            add(&[&flag]);
        }
        add(&[&"--cap-drop", &"ALL", &"--hostname", &"media"]);
        add(&[&"--setenv", &"PATH", &"/usr/bin", &"--setenv", &"LC_ALL", &"C.UTF-8"]);
        add(&[&"--ro-bind", &"/usr", &"/usr"]);
        for directory in SYSTEM_DIRECTORIES {
            match std::fs::read_link(directory) {
                Ok(target) => add(&[&"--symlink", &target, &directory]),
                Err(_) => add(&[&"--ro-bind-try", &directory, &directory]),
            }
        }
        for file in OPTIONAL_FILES {
            add(&[&"--ro-bind-try", &file, &file]);
        }
        add(&[&"--proc", &"/proc", &"--dev", &"/dev", &"--tmpfs", &"/tmp"]);
        // To a worker that runs as root the kernel's settings would be writable even in here.
        add(&[&"--tmpfs", &"/proc/sys", &"--remount-ro", &"/proc/sys"]);
        add(&[&"--ro-bind", &self.launcher, &LAUNCHER]);
        if let Some(scratch) = program.scratch {
            add(&[&"--bind", &scratch, &SCRATCH, &"--chdir", &SCRATCH]);
        } else {
            add(&[&"--chdir", &"/tmp"]);
        }
        // The root itself is a tmpfs that bubblewrap leaves writable.
        add(&[&"--remount-ro", &"/", &"--", &LAUNCHER, &launch::COMMAND]);
        add(&[&"--memory-bytes", &self.limits.memory_bytes.to_string()]);
        add(&[&"--file-bytes", &self.limits.file_bytes.to_string()]);
        if program.is_fed {
            add(&[&"--fed"]);
        }
        add(&[&"--", &program.path]);
        arguments.extend(program.arguments.iter().cloned());
        arguments
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
async fn shake_hands(channel: UnixStream) -> std::io::Result<Word> {
    channel.set_nonblocking(true)?;
    let channel = tokio::net::UnixStream::from_std(channel)?;
    let word = channel.async_io(Interest::READABLE, || launch::receive_word(&channel)).await?;
    if matches!(word, Word::Ready(_)) {
        channel.async_io(Interest::WRITABLE, || channel.try_write(b"G")).await?;
    }
    Ok(word)
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
            return Err(format!("the sandbox cannot be set up: {complaint}\n{NAMESPACE_ADVICE}"));
        }
        Err(error) => {
            return Err(format!(
                "{error}. Install the package bubblewrap, or correct the setting `bubblewrap`."
            ));
        }
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
