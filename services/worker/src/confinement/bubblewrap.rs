//! Confinement by bubblewrap: each child lives in name spaces of its own that this process makes, with a read-only
//! `/usr`, a private `/tmp`, and its job's scratch at [`SCRATCH`]. Inside, [`launch`] prepares the way and becomes the
//! program.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;

use super::spawner::Spawner;
use super::word::Word;
use super::{ConfinementError, Life, Limits, Program, Running, launch, shake_hands, watched};

/// Where a child sees its job's scratch directory; also its working directory.
pub const SCRATCH: &str = "/scratch";

/// Where a child sees the worker's own program, which is its launcher.
const LAUNCHER: &str = "/run/kinora-worker";

/// What the host must have for the sandbox to be readable: bound read-only where it exists.
const OPTIONAL_FILES: [&str; 2] = ["/etc/ld.so.cache", "/etc/alternatives"];

/// Directories that are symbolic links into `/usr` on a merged-/usr system.
const SYSTEM_DIRECTORIES: [&str; 4] = ["/bin", "/lib", "/lib64", "/sbin"];

/// What may stand in the way.
pub(super) const ADVICE: &str = "Install the package bubblewrap, or correct the setting `bubblewrap`. The system must \
    allow user name spaces to this user: check the sysctls user.max_user_namespaces, kernel.unprivileged_userns_clone and \
    kernel.apparmor_restrict_unprivileged_userns, and RestrictNamespaces= in the unit.";

/// Starts children in sandboxes.
#[derive(Clone, Debug)]
pub struct Bubblewrap {
    program: PathBuf,
    launcher: PathBuf,
    limits: Limits,
    spawner: Spawner,
}

impl Bubblewrap {
    /// Confinement by the program `bubblewrap`, with `launcher` (this program, `kinora-worker`) inside.
    ///
    /// Must be called within a Tokio runtime, which the children belong to.
    ///
    /// # Errors
    /// If the thread that starts children cannot be started.
    pub fn new(bubblewrap: PathBuf, launcher: PathBuf, limits: Limits) -> Result<Self, ConfinementError> {
        let spawner = Spawner::start().map_err(ConfinementError::Channel)?;
        Ok(Self { program: bubblewrap, launcher, limits, spawner })
    }

    /// See [`super::Confinement::start`].
    ///
    /// What was begun is brought to its end also if nobody waits for it any more, and killed then: a
    /// sandbox whose parent dies while it is being set up would wait for it for ever.
    pub(super) async fn start(&self, program: Program<'_>) -> Result<Running, ConfinementError> {
        let (this, arguments) = (self.clone(), self.arguments(&program));
        let starting = tokio::spawn(async move { this.set_up(arguments).await });
        starting.await.map_err(|error| ConfinementError::Channel(std::io::Error::other(error)))?
    }

    async fn set_up(&self, arguments: Vec<OsString>) -> Result<Running, ConfinementError> {
        let (ours, theirs) = UnixStream::pair().map_err(ConfinementError::Channel)?;
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let start = |source| ConfinementError::Start { program: self.program.display().to_string(), source };
        let mut child = self.spawner.spawn(command).await.map_err(start)?;
        let missing = || std::io::Error::other("no pipe");
        let stdout = child.stdout.take().ok_or_else(missing).and_then(|pipe| pipe.into_owned_fd());
        let stderr = child.stderr.take().ok_or_else(missing).and_then(|pipe| pipe.into_owned_fd());
        let stdout = stdout.and_then(pipe::Receiver::from_owned_fd).map_err(ConfinementError::Channel)?;
        let mut stderr = stderr.and_then(pipe::Receiver::from_owned_fd).map_err(ConfinementError::Channel)?;
        let channel = watched(ours).map_err(ConfinementError::Channel)?;
        match shake_hands(&channel).await.map_err(ConfinementError::Channel)? {
            Word::Ready(listener) => {
                Ok(Running { child: Life::Process(child, self.spawner.clone()), stdout, stderr, listener })
            }
            Word::Gone => {
                let mut complaint = String::new();
                // Whatever can be read helps; that it cannot be read does not matter here.
                let _ = stderr.read_to_string(&mut complaint).await;
                Err(ConfinementError::Setup(complaint.trim().to_owned()))
            }
        }
    }

    fn arguments(&self, program: &Program<'_>) -> Vec<OsString> {
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
