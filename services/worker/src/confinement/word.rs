//! The word by which the inner side of a sandbox tells the worker that it is ready, with the listener on
//! its own loopback.
//!
//! The listener is made inside because a socket belongs to the network name space it was made in; the worker that
//! gets it over the channel can then serve the child's private loopback from outside, without a copying process
//! between them.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};

/// Says over the channel that the way is prepared; hands over the listener, if there is one.
pub(super) fn send(channel: impl AsFd, listener: Option<&TcpListener>) -> std::io::Result<()> {
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

/// Takes the word that the other side sends.
pub(super) fn receive(channel: impl AsFd) -> std::io::Result<Word> {
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
