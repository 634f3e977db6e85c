//! What can go wrong in a query, as seen by those who call it.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// The result of a query.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Why a query gave no result.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It does not exist, or the caller must not learn that it does.
    #[error("not found")]
    NotFound,
    /// The caller sees it but may not do this to it.
    #[error("not allowed")]
    Forbidden,
    /// It was changed since the caller read it; its revision is now this.
    #[error("changed by somebody else (now revision {current})")]
    RevisionMismatch {
        /// The revision that is stored.
        current: i64,
    },
    /// It contradicts what is stored: a sentence for the person.
    #[error("{0}")]
    Conflict(String),
    /// A stored value is not what this release understands.
    #[error("stored value not understood: {0}")]
    NotUnderstood(String),
    /// There is no connection to the database to be had.
    #[error("no database connection: {0}")]
    Unavailable(String),
    /// The schema could not be migrated.
    #[error("migration: {0}")]
    Migration(String),
    /// Any other failure of the database.
    #[error("database: {0}")]
    Database(DieselError),
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => Self::NotFound,
            DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, info) => {
                Self::Unavailable(info.message().to_owned())
            }
            other => Self::Database(other),
        }
    }
}

impl StoreError {
    /// Whether a unique constraint was violated; gives the constraint's name.
    #[must_use]
    pub fn violated_unique_constraint(&self) -> Option<&str> {
        match self {
            Self::Database(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info)) => {
                info.constraint_name()
            }
            _ => None,
        }
    }
}
