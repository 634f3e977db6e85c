//! What the store of uploads and the vault say, as problems.

use actix_web::http::header::{HeaderName, HeaderValue};
use kinora_store::uploads::UploadError;
use kinora_vault::VaultError;

use crate::error::{Problem, ProblemKind};

/// A client may try again when the writer that is in the way has had time to show that it is dead.
const LEASE_SECONDS: u64 = kinora_store::uploads::LEASE.as_secs();

/// After how many seconds it is worth asking for a file again while the storage is away.
const STORAGE_SECONDS: u64 = 5;

/// The storage cannot be reached; `cause` goes to the log only.
pub(super) fn storage_away(cause: impl std::fmt::Display) -> Problem {
    let detail = "The storage of media cannot be reached. Try again shortly; what needs no file goes on.";
    Problem::new(ProblemKind::Unavailable, detail).retry_after(STORAGE_SECONDS).with_cause(cause)
}

/// What a failure of the store of uploads is answered with.
pub(super) fn upload_problem(error: UploadError) -> Problem {
    match error {
        UploadError::Busy => Problem::from(ProblemKind::Busy).retry_after(LEASE_SECONDS),
        UploadError::WrongOffset(offset) => {
            Problem::new(ProblemKind::Conflict, "The upload is at another offset; ask for it with HEAD.")
                .with_header(HeaderName::from_static("upload-offset"), HeaderValue::from(offset))
        }
        UploadError::Overtaken => Problem::new(
            ProblemKind::Conflict,
            "Another request has taken this upload over, or it was removed.",
        ),
        UploadError::Closed => Problem::new(ProblemKind::Forbidden, "Nothing can be added to this upload."),
        UploadError::WrongLength => {
            Problem::new(ProblemKind::Malformed, "Upload-Length contradicts what is known of this upload.")
        }
        UploadError::NotAPart(id) => {
            Problem::invalid_parameter("Upload-Concat", format!("{id} is not a complete partial upload"))
        }
        UploadError::Store(error) => error.into(),
    }
}

/// What a failure of the vault is answered with.
pub(super) fn vault_problem(error: VaultError) -> Problem {
    match &error {
        VaultError::Full(_) => Problem::from(ProblemKind::StorageFull).with_cause(error),
        VaultError::Unavailable(_) => storage_away(error),
        VaultError::Corrupt(_) => Problem::new(
            ProblemKind::Internal,
            "The stored file is damaged. Restore it from the backup or upload it again.",
        )
        .with_cause(error),
        VaultError::NotFound(_) => Problem::new(
            ProblemKind::Internal,
            "The stored file is missing. Restore it from the backup or upload it again.",
        )
        .with_cause(error),
        _ => Problem::internal(error),
    }
}
