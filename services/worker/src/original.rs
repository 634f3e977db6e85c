//! Originals in the vault as a source for the feed, and the vault's errors in the user's words.

use bytes::Bytes;
use kinora_core::{Failure, FailureCode};
use kinora_vault::{ObjectReader, VaultError};

use crate::feed::Source;

impl Source for ObjectReader {
    fn size_bytes(&self) -> u64 {
        ObjectReader::size_bytes(self)
    }

    async fn read_at(&self, offset: u64, most: usize) -> Result<Bytes, Failure> {
        let bytes = ObjectReader::read_at(self, offset, most).await.map_err(|error| failure(&error))?;
        if bytes.is_empty() {
            return Err(Failure::new(FailureCode::Corrupt).with_detail(format!("nothing at {offset}")));
        }
        Ok(bytes)
    }
}

/// What a user gets to read of an error of the vault.
#[must_use]
pub fn failure(error: &VaultError) -> Failure {
    let code = match error {
        VaultError::NotFound(_) => FailureCode::MissingObject,
        VaultError::Corrupt(_) => FailureCode::Corrupt,
        VaultError::Full(_) | VaultError::Unavailable(_) => FailureCode::Storage,
        _ => FailureCode::Internal,
    };
    Failure::new(code).with_detail(error.to_string())
}
