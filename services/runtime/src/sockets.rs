//! Listening sockets that systemd opened for us (sd_listen_fds(3)), by the name their socket unit gives
//! them (`FileDescriptorName=`). They stay open while the process is restarted: whoever connects in
//! between waits in the kernel's queue and is not refused.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Mutex, PoisonError};

use listenfd::ListenFd;

/// Name of the socket for requests.
pub const HTTP: &str = "http";
/// Name of the socket for metrics.
pub const METRICS: &str = "metrics";

/// The sockets that were handed to this process and not taken yet.
#[derive(Debug, Default)]
pub struct Sockets {
    by_name: Mutex<BTreeMap<String, Vec<TcpListener>>>,
}

impl Sockets {
    /// Takes over what systemd passed on. Call it once, before there are other threads: the variables
    /// that announce the sockets are removed, so that child processes do not take them for theirs.
    ///
    /// # Errors
    /// If a descriptor is no listening TCP socket.
    pub fn from_environment() -> std::io::Result<Self> {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut passed = ListenFd::from_env();
        let mut names = names.split(':');
        let mut by_name: BTreeMap<String, Vec<TcpListener>> = BTreeMap::new();
        for index in 0..passed.len() {
            let name = names.next().filter(|name| !name.is_empty()).unwrap_or("unnamed").to_owned();
            if let Some(socket) = passed.take_tcp_listener(index)? {
                by_name.entry(name).or_default().push(socket);
            }
        }
        Ok(Self { by_name: Mutex::new(by_name) })
    }

    /// The sockets called `name`; none if systemd opened none, and none the second time.
    #[must_use]
    pub fn take(&self, name: &str) -> Vec<TcpListener> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner).remove(name).unwrap_or_default()
    }
}
