//! Confinement by systemd: a connection to the socket of `kinora-media.socket` starts an instance of
//! `kinora-media@.service`, whose sandbox stands in the unit; [`super::unit`] is what runs there.
//!
//! The worker sends an [`Order`] with the ends of the pipes and the open scratch directory, gets the listener
//! back, and reads the exit status at the end. Closing the connection ends the instance with everything in it; the
//! kernel closes it when the worker dies.

use std::io::{IoSlice, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;

use super::word::Word;
use super::{ConfinementError, Life, Limits, Program, Running, shake_hands, watched};

/// Longest order, bytes: arguments are options and the names of outputs.
pub(super) const MAX_ORDER_BYTES: usize = 256 * 1024;

/// What may stand in the way.
pub(super) const ADVICE: &str = "Check `systemctl status kinora-media.socket` and the setting `media.socket`; \
    `journalctl -u 'kinora-media@*'` tells why an instance did not start.";

/// What the instance is to do. Beside it go, as descriptors: standard output, standard error, and the scratch
/// directory if there is one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    /// Absolute path of the program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<std::ffi::OsString>,
    /// Private memory, bytes.
    pub memory_bytes: u64,
    /// Largest file, bytes.
    pub file_bytes: u64,
    /// Whether a listener is wanted.
    pub is_fed: bool,
    /// Whether a scratch directory comes along.
    pub has_scratch: bool,
}

/// Asks systemd for children.
#[derive(Clone, Debug)]
pub struct MediaService {
    socket: PathBuf,
    limits: Limits,
}

/// The connection to an instance. Dropping it ends the instance.
#[derive(Debug)]
pub struct Connection(tokio::net::UnixStream);

impl Connection {
    /// The exit status, which the instance sends as a wait status (wait(2)) of 4 bytes, little-endian.
    pub(super) async fn wait(&mut self) -> std::io::Result<ExitStatus> {
        let mut status = [0; 4];
        self.0.read_exact(&mut status).await.map_err(|error| {
            std::io::Error::new(error.kind(), "the media service ended before it told how the program ended")
        })?;
        Ok(ExitStatus::from_raw(i32::from_le_bytes(status)))
    }

    /// Ends the instance.
    pub(super) fn hang_up(&mut self) -> std::io::Result<()> {
        match rustix::net::shutdown(&self.0, rustix::net::Shutdown::Both) {
            // It has ended by itself.
            Ok(()) | Err(rustix::io::Errno::NOTCONN) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl MediaService {
    /// Confinement by the units behind `socket`.
    #[must_use]
    pub const fn new(socket: PathBuf, limits: Limits) -> Self {
        Self { socket, limits }
    }

    /// See [`super::Confinement::start`].
    pub(super) async fn start(&self, program: Program<'_>) -> Result<Running, ConfinementError> {
        let channel = ConfinementError::Channel;
        let connection = tokio::net::UnixStream::connect(&self.socket)
            .await
            .and_then(tokio::net::UnixStream::into_std)
            .map_err(|source| ConfinementError::Start {
                program: self.socket.display().to_string(),
                source,
            })?;
        let (stdout, their_stdout) = std::io::pipe().map_err(channel)?;
        let (stderr, their_stderr) = std::io::pipe().map_err(channel)?;
        let scratch = program.scratch.map(lend).transpose().map_err(channel)?;
        let order = self.order(&program);
        let mut descriptors = vec![their_stdout.as_fd(), their_stderr.as_fd()];
        descriptors.extend(scratch.as_ref().map(AsFd::as_fd));
        connection.set_nonblocking(false).map_err(channel)?;
        // A few kilobytes into an empty buffer: this does not wait.
        send(&connection, &order, &descriptors).map_err(channel)?;
        drop((their_stdout, their_stderr, scratch));
        let receiver = |pipe: std::io::PipeReader| pipe::Receiver::from_owned_fd(OwnedFd::from(pipe));
        let stdout = receiver(stdout).map_err(channel)?;
        let mut stderr = receiver(stderr).map_err(channel)?;
        let connection = watched(connection).map_err(channel)?;
        match shake_hands(&connection).await.map_err(channel)? {
            Word::Ready(listener) => {
                Ok(Running { child: Life::Connection(Connection(connection)), stdout, stderr, listener })
            }
            Word::Gone => {
                let mut complaint = String::new();
                // Whatever can be read helps; that it cannot be read does not matter here.
                let _ = stderr.read_to_string(&mut complaint).await;
                Err(ConfinementError::Setup(complaint.trim().to_owned()))
            }
        }
    }

    fn order(&self, program: &Program<'_>) -> Order {
        Order {
            program: program.path.to_owned(),
            arguments: program.arguments.clone(),
            memory_bytes: self.limits.memory_bytes,
            file_bytes: self.limits.file_bytes,
            is_fed: program.is_fed,
            has_scratch: program.scratch.is_some(),
        }
    }
}

/// Opens a job's directory for the instance, which is another user: it may write in this directory, and gets to
/// no other, since those above let only the worker through.
fn lend(scratch: &Path) -> std::io::Result<OwnedFd> {
    std::fs::set_permissions(scratch, std::fs::Permissions::from_mode(0o777))?;
    Ok(std::fs::File::open(scratch)?.into())
}

/// Sends the order's length (4 bytes, little-endian) with the descriptors, then the order as JSON.
fn send(connection: &UnixStream, order: &Order, descriptors: &[BorrowedFd<'_>]) -> std::io::Result<()> {
    let text = serde_json::to_vec(order)?;
    let length = u32::try_from(text.len()).map_err(std::io::Error::other)?.to_le_bytes();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if text.len() > MAX_ORDER_BYTES || !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(std::io::Error::other("the order is too long"));
    }
    rustix::net::sendmsg(connection, &[IoSlice::new(&length)], &mut control, SendFlags::empty())?;
    let mut writer = connection;
    writer.write_all(&text)
}
