//! Whether objects are what was delivered, and putting them back from a copy.

use futures_util::TryStreamExt as _;
use kinora_core::ProductionId;
use kinora_core::object::{Place as Location, SealedObject};

use crate::copies::Copies;
use crate::error::VaultError;
use crate::frame::stored_bytes;
use crate::hash::HashState;
use crate::reader::{self, ObjectReader};
use crate::stored::transfer;
use crate::{Held, Vault};

impl Vault {
    /// Whether all segments of an object are there and long enough. Reads none of them.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] or [`VaultError::Corrupt`] if not; [`VaultError::Unavailable`] if a store does not answer.
    pub async fn look_at(&self, object: &SealedObject) -> Result<(), VaultError> {
        let places = reader::places(object.place, &self.staging, &self.store, !self.stages);
        for segment in object.segments.iter().filter(|segment| segment.length_bytes > 0) {
            let mut found =
                Err(VaultError::NotFound(format!("segment {} of object {}", segment.number, object.id)));
            for place in &places {
                match place.stored_bytes(object.id, segment.number).await {
                    Err(error @ VaultError::NotFound(_)) => found = Err(error),
                    other => {
                        found = other;
                        break;
                    }
                }
            }
            // A crash leaves a segment longer than its record; the rest is never read.
            if found? < stored_bytes(segment.length_bytes) {
                let what = format!("segment {} of object {} (too short)", segment.number, object.id);
                return Err(VaultError::Corrupt(what));
            }
        }
        Ok(())
    }

    /// Reads all of an object: whether every frame opens, and whether it has the checksum of its record, which was
    /// taken when it was delivered.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] or [`VaultError::Corrupt`] if not; [`VaultError::Unavailable`] if a store does not answer;
    /// the errors of its key.
    pub async fn verify(&self, object: &SealedObject) -> Result<(), VaultError> {
        verify(&self.reader(object)?, object).await
    }

    /// Reads all of an object's copy, as [`Self::verify`] reads the object.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub async fn verify_copy(
        &self,
        copies: &Copies,
        production: ProductionId,
        object: &SealedObject,
    ) -> Result<(), VaultError> {
        let key = self.keys.unwrap(object.id, &object.master_key_id, &object.wrapped_key)?;
        verify(&ObjectReader::new(object, key, vec![copies.place(production)])?, object).await
    }

    /// Puts an object back from its copy, whatever is in the vault. The copy is read first, as by [`Self::verify`], and so
    /// is the object afterwards: nothing is replaced by what is not exactly what was delivered.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] or [`VaultError::Corrupt`] if the copy is missing or damaged: nothing was changed then. Else the errors of both places.
    pub async fn put_back(
        &self,
        copies: &Copies,
        production: ProductionId,
        object: &SealedObject,
    ) -> Result<(), VaultError> {
        let from = copies.place(production);
        self.verify_copy(copies, production, object).await?;
        let held =
            copies.record(production, object.id).await?.map(|entry| entry.segments).unwrap_or_default();
        let to = match object.place {
            Location::Staging => &self.staging,
            Location::Store => &self.store,
        };
        for segment in object.segments.iter().filter(|segment| segment.length_bytes > 0) {
            let (number, stored) = (segment.number, stored_bytes(segment.length_bytes));
            let is_it = |held: &&Held| held.number == number && held.stored_bytes == stored;
            let expected = held.iter().find(is_it).map(|held| held.sha256.as_str());
            let source = from.open(object.id, number).await?;
            let sink = to.replace(object.id, number, stored).await?;
            transfer(source.as_ref(), sink, stored, expected).await?;
        }
        self.verify(object).await
    }
}

async fn verify(reader: &ObjectReader, object: &SealedObject) -> Result<(), VaultError> {
    let mut hash = HashState::new();
    let mut pieces = reader.stream(0..object.size_bytes);
    while let Some(piece) = pieces.try_next().await? {
        hash.update(&piece);
    }
    if hash.sha256() == object.sha256 {
        return Ok(());
    }
    Err(VaultError::Corrupt(format!("object {} (its checksum)", object.id)))
}
