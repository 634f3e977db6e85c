//! What can go wrong while services are started, in words an operator can act on.

use std::path::{Path, PathBuf};

/// A failure to start, stop or prepare a part of the stack.
#[derive(Debug, thiserror::Error)]
pub enum DevstackError {
    /// A file or directory could not be read or written.
    #[error("{action} {}: {source}", path.display())]
    File {
        /// What was tried, as a verb: "write", "create".
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
    /// Another process holds the directory.
    #[error(
        "Kinora is already running in {} (process {owner}). Stop it first, or use another --dir.",
        path.display()
    )]
    AlreadyRunning {
        /// The directory.
        path: PathBuf,
        /// The process that holds it, as it wrote it down itself.
        owner: String,
    },
    /// A program that is needed is not installed.
    #[error("{program} is not installed. `packaging/bootstrap run` installs it.")]
    Missing {
        /// The program's name.
        program: &'static str,
    },
    /// A program could not be started at all.
    #[error("cannot start {name}: {source}")]
    Spawn {
        /// The part's name.
        name: String,
        /// What the system answered.
        source: std::io::Error,
    },
    /// A part ended, or did not become ready in time.
    #[error("{name} {what}\n{tail}\n(log: {})", log.display())]
    Part {
        /// The part's name.
        name: String,
        /// What happened.
        what: String,
        /// The last lines of its log.
        tail: String,
        /// Where the whole log is.
        log: PathBuf,
    },
    /// A short command that prepares something failed.
    #[error("{name} failed: {detail}")]
    Command {
        /// The command's name.
        name: String,
        /// Its output or the system's answer.
        detail: String,
    },
    /// No free port was found.
    #[error("no free loopback port found for {0}")]
    NoPort(String),
    /// The stack was asked to stop while it was still starting.
    #[error("stopped while starting")]
    Stopped,
}

impl DevstackError {
    /// Builds the adapter for `map_err` on file operations.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> DevstackError {
        let path = path.to_owned();
        move |source| DevstackError::File { action, path, source }
    }
}
