//! What can go wrong with stored objects.

use std::io;

/// Why an operation of the vault failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum VaultError {
    /// The object, or one of its segments, is not in the store.
    #[error("{0} is not in the vault")]
    NotFound(String),
    /// The stored bytes are not what was written: truncated, exchanged or altered.
    #[error("{0} is damaged")]
    Corrupt(String),
    /// The store has no room left (`ENOSPC`, `EDQUOT`, `EFBIG`, or an S3 quota).
    #[error("the storage is full: {0}")]
    Full(String),
    /// The store cannot be reached or does not work at the moment.
    #[error("the storage does not work: {0}")]
    Unavailable(String),
    /// The data key was wrapped with a master key that this process was not given.
    #[error("master key {0} is not among the keys of this process")]
    UnknownMasterKey(String),
    /// Somebody else already writes, or wrote, this segment.
    #[error("segment {number} of {object} exists already")]
    SegmentExists {
        /// The object.
        object: String,
        /// The segment's number.
        number: u32,
    },
    /// A setting or credential cannot be used.
    #[error("{0}")]
    Settings(String),
    /// A file given by the caller cannot be read.
    #[error("cannot read the file to be stored: {0}")]
    Source(String),
    /// OpenSSL refused an operation: a defect, or no entropy.
    #[error("cryptography failed: {0}")]
    Crypto(#[from] openssl::error::ErrorStack),
}

impl VaultError {
    /// The error for `error`, which the operating system gave while `what` was used.
    pub(crate) fn from_io(error: &io::Error, what: impl std::fmt::Display) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound(what.to_string()),
            io::ErrorKind::UnexpectedEof => Self::Corrupt(format!("{what} (too short)")),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::Full(format!("{what}: {error}"))
            }
            _ => Self::Unavailable(format!("{what}: {error}")),
        }
    }

    /// The error for a background task that ended without a result.
    pub(crate) fn from_join(error: &tokio::task::JoinError) -> Self {
        Self::Unavailable(format!("the task was lost: {error}"))
    }
}
