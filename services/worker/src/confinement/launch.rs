//! What runs first inside a sandbox: opens the loopback listener that the child's input comes from,
//! hands it to the worker outside, limits itself, and becomes the media program.
//!
//! It becomes the program only when the worker has answered after the sandbox had bound its life to
//! the worker's. bubblewrap does that a moment after it has started this program; a worker killed in
//! that moment would leave a program behind that nothing ends.
//!
//! The listener is made here because a socket belongs to the network namespace it was made in; the
//! worker that gets it over the channel can then serve the child's private loopback from outside,
//! without a copying process between them.

use std::io::{IoSlice, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};
use rustix::process::{Resource, Rlimit, setrlimit};

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
    let limit = |bytes| Rlimit { current: Some(bytes), maximum: Some(bytes) };
    setrlimit(Resource::Core, limit(0))?;
    setrlimit(Resource::Data, limit(arguments.memory_bytes))?;
    setrlimit(Resource::Fsize, limit(arguments.file_bytes))?;
    setrlimit(Resource::Nofile, limit(1024))?;
    wait_for_first_process()?;
    let listener =
        if arguments.fed { Some(TcpListener::bind((Ipv4Addr::LOCALHOST, FEED_PORT))?) } else { None };
    send_word(std::io::stdin().as_fd(), listener.as_ref())?;
    std::io::stdin().read_exact(&mut [0])
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

fn send_word(channel: impl AsFd, listener: Option<&TcpListener>) -> std::io::Result<()> {
    let descriptors: Vec<_> = listener.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(std::io::Error::other("no room for the listener"));
    }
    rustix::net::sendmsg(channel, &[IoSlice::new(b"L")], &mut control, SendFlags::empty())?;
    Ok(())
}

/// What comes from the other side of the channel.
#[derive(Debug)]
pub(super) enum Word {
    /// The launcher is ready; with the listener, if the program is fed.
    Ready(Option<TcpListener>),
    /// It has ended before.
    Gone,
}

/// Takes the word that [`run`] sends over the channel.
pub(super) fn receive_word(channel: impl AsFd) -> std::io::Result<Word> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut mark = [0_u8; 1];
    let received = rustix::net::recvmsg(
        channel,
        &mut [IoSliceMut::new(&mut mark)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT,
    )?;
    if received.bytes == 0 {
        return Ok(Word::Gone);
    }
    let mut descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    let descriptor: Option<OwnedFd> = descriptors.next().and_then(|mut each| each.next());
    Ok(Word::Ready(descriptor.map(TcpListener::from)))
}
