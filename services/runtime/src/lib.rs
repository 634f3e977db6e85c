//! Process plumbing that is the same for every role: settings and credentials, logging, TLS, sockets
//! and notifications of systemd, its watchdog, orderly shutdown, the metrics listener and, for roles
//! that want it, Redis.
//!
//! A role's `main` reads its command line, and calls [`service::run`] with its settings type; see
//! there for an example. This crate knows nothing about Kinora itself.

pub mod cli;
pub mod credentials;
pub mod logging;
pub mod metrics;
#[cfg(feature = "redis")]
pub mod redis;
pub mod service;
pub mod settings;
pub mod shutdown;
pub mod sockets;
pub mod tls;

pub use credentials::{CredentialError, Credentials, Secret};
pub use service::Service;
pub use settings::{Problems, Settings, SettingsError};
pub use shutdown::Shutdown;
