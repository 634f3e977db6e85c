//! What runs first inside a sandbox: opens the loopback listener that the child's input comes from,
//! hands it to the worker outside, limits itself, and becomes the media program.
//!
//! It becomes the program only when the worker has answered after the sandbox had bound its life to
//! the worker's. bubblewrap does that a moment after it has started this program; a worker killed in
//! that moment would leave a program behind that nothing ends.

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use rustix::process::{Resource, Rlimit, setrlimit};

use super::{Limits, word};

/// The hidden command of `kinora-worker` that this is.
pub const COMMAND: &str = "launch";

/// Port of the input on the sandbox's own loopback, where nothing else can be listening.
pub const FEED_PORT: u16 = 8000;

/// Exit code if the way could not be prepared; FFmpeg does not use it.
pub const EXIT_UNPREPARED: u8 = 125;

/// Arguments of the command.
#[derive(Clone, Debug, clap::Args)]
pub struct LaunchArguments {
    /// Most private memory of the program, bytes.
    #[arg(long)]
    memory_bytes: u64,
    /// Largest file the program may write, bytes.
    #[arg(long)]
    file_bytes: u64,
    /// Whether a listener is to be sent over the channel, which is standard input.
    #[arg(long)]
    fed: bool,
    /// The program.
    program: PathBuf,
    /// Its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<std::ffi::OsString>,
}

/// Prepares the way and becomes the program; comes back only if that fails.
#[must_use]
pub fn run(arguments: &LaunchArguments) -> ExitCode {
    let error = match prepare(arguments) {
        Ok(()) => Command::new(&arguments.program).args(&arguments.arguments).stdin(Stdio::null()).exec(),
        Err(error) => error,
    };
    eprintln!("{} could not be started in its sandbox: {error}", arguments.program.display());
    ExitCode::from(EXIT_UNPREPARED)
}

fn prepare(arguments: &LaunchArguments) -> std::io::Result<()> {
    limit_self(Limits { memory_bytes: arguments.memory_bytes, file_bytes: arguments.file_bytes })?;
    wait_for_first_process()?;
    let listener = listen(arguments.fed)?;
    word::send(std::io::stdin().as_fd(), listener.as_ref())?;
    std::io::stdin().read_exact(&mut [0])
}

/// Limits this process and those it starts.
pub(super) fn limit_self(limits: Limits) -> std::io::Result<()> {
    let limit = |bytes| Rlimit { current: Some(bytes), maximum: Some(bytes) };
    setrlimit(Resource::Core, limit(0))?;
    setrlimit(Resource::Data, limit(limits.memory_bytes))?;
    setrlimit(Resource::Fsize, limit(limits.file_bytes))?;
    setrlimit(Resource::Nofile, limit(1024))?;
    Ok(())
}

/// The listener on the sandbox's own loopback, for a program that is fed.
pub(super) fn listen(is_fed: bool) -> std::io::Result<Option<TcpListener>> {
    is_fed.then(|| TcpListener::bind((Ipv4Addr::LOCALHOST, FEED_PORT))).transpose()
}

/// Waits until the sandbox's first process does nothing but wait for us: it has then asked the kernel
/// to be killed when its parent ends.
fn wait_for_first_process() -> std::io::Result<()> {
    loop {
        let state = std::fs::read_to_string("/proc/1/stat")?;
        if state.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('S')) {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}
