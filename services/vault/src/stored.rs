//! Objects as they lie in the vault, encrypted: for copying them elsewhere. Needs no key, and changes nothing.

use std::sync::Arc;

use bytes::Bytes;
use kinora_core::ObjectId;
use sha2::{Digest, Sha256};

use crate::error::VaultError;
use crate::place::directory::Directory;
use crate::place::{Place, SegmentSink, SegmentSource, s3};
use crate::settings::{S3Credentials, VaultSettings};
use crate::{Entry, Held};

/// Stored bytes read at a time.
const PIECE_BYTES: u64 = 4 * 1024 * 1024;

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Stored {
    /// Where an object may be, in this order: a staged one may be moved at any moment.
    places: Vec<Arc<dyn Place>>,
}

impl Stored {
    /// Takes the places named by `settings` into use. Neither makes the directory nor reaches out to S3.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] if the directory is not there; [`VaultError::Settings`] if S3 cannot be used.
    pub fn open(settings: &VaultSettings, s3: Option<&S3Credentials>) -> Result<Self, VaultError> {
        let mut places: Vec<Arc<dyn Place>> = vec![Arc::new(Directory::open_existing(&settings.directory)?)];
        if let Some(settings) = &settings.s3 {
            places.push(Arc::new(s3::Bucket::open("vault", settings, s3)?));
        }
        Ok(Self { places })
    }

    pub(crate) async fn source(
        &self,
        object: ObjectId,
        number: u32,
    ) -> Result<Arc<dyn SegmentSource>, VaultError> {
        let mut missing = VaultError::NotFound(format!("segment {number} of object {object}"));
        for place in &self.places {
            match place.open(object, number).await {
                Err(error @ VaultError::NotFound(_)) => missing = error,
                other => return other,
            }
        }
        Err(missing)
    }

    /// Reads the object again: whether the vault still has what was copied. Tells how many bytes were read.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] if a segment is missing, [`VaultError::Corrupt`] if one is other than it was copied.
    pub async fn compare(&self, entry: &Entry) -> Result<u64, VaultError> {
        let mut read_bytes = 0;
        for held in &entry.segments {
            let source = self.source(entry.object, held.number).await?;
            compare(source.as_ref(), entry.object, held).await?;
            read_bytes += held.stored_bytes;
        }
        Ok(read_bytes)
    }
}

/// Reads the first `stored_bytes`, hands each piece to the sink, if there is one, and gives their SHA-256 in hexadecimal.
async fn digest(
    source: &dyn SegmentSource,
    stored_bytes: u64,
    mut sink: Option<&mut dyn SegmentSink>,
) -> Result<String, VaultError> {
    let mut hash = Sha256::new();
    let mut position = 0;
    while position < stored_bytes {
        let end = (position + PIECE_BYTES).min(stored_bytes);
        let piece: Bytes = source.read(position..end).await?;
        hash.update(&piece);
        if let Some(sink) = &mut sink {
            sink.append(piece).await?;
        }
        position = end;
    }
    Ok(hex::encode(hash.finalize()))
}

/// Whether a segment is what it was when it was copied.
pub(crate) async fn compare(
    source: &dyn SegmentSource,
    object: ObjectId,
    held: &Held,
) -> Result<(), VaultError> {
    if digest(source, held.stored_bytes, None).await? == held.sha256 {
        return Ok(());
    }
    Err(VaultError::Corrupt(format!("segment {} of object {object}", held.number)))
}

/// Copies the first `stored_bytes` of a segment; the sink is finished only if they have the SHA-256 that is expected, where
/// there is one. Gives it.
pub(crate) async fn transfer(
    source: &dyn SegmentSource,
    mut sink: Box<dyn SegmentSink>,
    stored_bytes: u64,
    expected: Option<&str>,
) -> Result<String, VaultError> {
    let outcome = match digest(source, stored_bytes, Some(sink.as_mut())).await {
        Ok(sha256) if expected.is_some_and(|expected| expected != sha256) => {
            Err(VaultError::Corrupt("what was to be copied".to_owned()))
        }
        other => other,
    };
    match outcome {
        Ok(sha256) => sink.finish().await.map(|()| sha256),
        Err(error) => {
            sink.abort().await;
            Err(error)
        }
    }
}
