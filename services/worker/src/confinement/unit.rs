//! What runs in an instance of `kinora-media@.service`: takes one order from the worker over its standard input,
//! starts the program, tells how it ended, and ends it when the worker is gone.
//!
//! The unit has taken away network, privileges and files already. Here the program is bound to its scratch directory by
//! Landlock besides (Linux ≥ 5.13; without it by the permissions of the directories around it).

use std::io::{IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitCode, Stdio};

use landlock::{
    ABI, Access as _, AccessFs, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError,
};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use rustix::process::{Pid, Signal};

use super::launch::{EXIT_UNPREPARED, limit_self, listen};
use super::service::{MAX_ORDER_BYTES, Order};
use super::{Limits, word};

/// What every program reads: itself, its libraries, their configuration, and the few devices there are.
const READABLE: [&str; 5] = ["/usr", "/etc/ld.so.cache", "/etc/alternatives", "/dev/null", "/dev/urandom"];

/// Why the program was not started.
#[derive(Debug, thiserror::Error)]
enum UnitError {
    #[error("the worker's order cannot be read: {0}")]
    Order(std::io::Error),
    #[error("the way cannot be prepared: {0}")]
    Prepare(std::io::Error),
    #[error("files cannot be kept from the program: {0}")]
    Landlock(#[from] RulesetError),
    #[error("{program} cannot be started: {source}")]
    Start { program: String, source: std::io::Error },
}

/// An order, with what came beside it.
struct Received {
    order: Order,
    stdout: OwnedFd,
    stderr: OwnedFd,
    scratch: Option<OwnedFd>,
}

/// The command `confined`: standard input is the connection to the worker.
#[must_use]
pub fn run() -> ExitCode {
    let channel = std::io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from);
    let result = channel.map_err(UnitError::Order).and_then(serve);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(EXIT_UNPREPARED)
        }
    }
}

fn serve(mut channel: UnixStream) -> Result<(), UnitError> {
    let received = receive(&mut channel).map_err(UnitError::Order)?;
    let Received { order, stdout, stderr, scratch } = received;
    // The worker reads complaints about the start where it reads those of the program.
    let tell = std::fs::File::from(stderr.try_clone().map_err(UnitError::Order)?);
    start(&mut channel, &order, stdout, stderr, scratch).inspect_err(|error| {
        let mut tell = &tell;
        // Nobody may be listening any more.
        let _ = writeln!(tell, "{error}");
    })
}

fn start(
    channel: &mut UnixStream,
    order: &Order,
    stdout: OwnedFd,
    stderr: OwnedFd,
    scratch: Option<OwnedFd>,
) -> Result<(), UnitError> {
    limit_self(Limits { memory_bytes: order.memory_bytes, file_bytes: order.file_bytes })
        .map_err(UnitError::Prepare)?;
    let listener = listen(order.is_fed).map_err(UnitError::Prepare)?;
    word::send(channel.as_fd(), listener.as_ref()).map_err(UnitError::Prepare)?;
    drop(listener);
    channel.read_exact(&mut [0]).map_err(UnitError::Order)?;
    match &scratch {
        Some(scratch) => rustix::process::fchdir(scratch),
        None => rustix::process::chdir("/"),
    }
    .map_err(|error| UnitError::Prepare(error.into()))?;
    restrict_files(scratch)?;
    let mut child = Command::new(&order.program)
        .args(&order.arguments)
        .env_clear()
        .env("PATH", "/usr/bin")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr)
        .spawn()
        .map_err(|source| UnitError::Start { program: order.program.display().to_string(), source })?;
    if let Some(pid) = Pid::from_raw(i32::try_from(child.id()).unwrap_or_default()) {
        let mut watched = channel.try_clone().map_err(UnitError::Order)?;
        std::thread::spawn(move || kill_when_closed(&mut watched, pid));
    }
    let status = child.wait().map_err(UnitError::Prepare)?;
    // The worker may have ended the connection, which is how it kills.
    let _ = channel.write_all(&status.into_raw().to_le_bytes());
    Ok(())
}

/// The worker says nothing more; it only closes the connection, on purpose or by dying.
fn kill_when_closed(channel: &mut UnixStream, pid: Pid) {
    let _ = channel.read(&mut [0]);
    // It may have ended by itself a moment ago.
    let _ = rustix::process::kill_process(pid, Signal::KILL);
}

/// From here on this process and the program read what [`READABLE`] lists and write to the scratch directory.
fn restrict_files(scratch: Option<OwnedFd>) -> Result<(), UnitError> {
    let abi = ABI::V5;
    let read = AccessFs::from_read(abi);
    let mut ruleset = Ruleset::default().handle_access(AccessFs::from_all(abi))?.create()?;
    for path in READABLE {
        // What a host does not have cannot be read either.
        if let Ok(directory) = PathFd::new(path) {
            ruleset = ruleset.add_rule(PathBeneath::new(directory, readable(path, read)))?;
        }
    }
    if let Some(scratch) = scratch {
        let everything_but_devices = AccessFs::from_all(abi) & !(AccessFs::MakeBlock | AccessFs::MakeChar);
        ruleset = ruleset.add_rule(PathBeneath::new(scratch, everything_but_devices))?;
    }
    ruleset.restrict_self()?;
    Ok(())
}

/// Rights that a file cannot have would be refused for it.
fn readable(path: &str, read: BitFlags<AccessFs>) -> BitFlags<AccessFs> {
    match path {
        "/dev/null" => AccessFs::ReadFile | AccessFs::WriteFile,
        _ if std::path::Path::new(path).is_dir() => read,
        _ => BitFlags::from(AccessFs::ReadFile),
    }
}

/// Takes what [`super::service`] sends.
fn receive(channel: &mut UnixStream) -> std::io::Result<Received> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut length = [0_u8; 4];
    let got = rustix::net::recvmsg(
        &*channel,
        &mut [IoSliceMut::new(&mut length)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC | RecvFlags::WAITALL,
    )?;
    let bad = |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, what.to_owned());
    let length = u32::from_le_bytes(length) as usize;
    if got.bytes != 4 || length > MAX_ORDER_BYTES {
        return Err(bad("no order, or one that is too long"));
    }
    let mut descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    let mut descriptors = descriptors.next().ok_or_else(|| bad("no descriptors"))?;
    let mut text = vec![0; length];
    channel.read_exact(&mut text)?;
    let order: Order = serde_json::from_slice(&text)?;
    let mut next = || descriptors.next().ok_or_else(|| bad("a descriptor is missing"));
    let (stdout, stderr) = (next()?, next()?);
    let scratch = order.has_scratch.then(next).transpose()?;
    Ok(Received { order, stdout, stderr, scratch })
}
