//! The vault: media objects, encrypted, durable, readable at any offset, in a directory or on S3.
//!
//! * [`MasterKeys`] come from a credential and wrap one data key per object; see `keys`.
//! * A segment is what one writer wrote without interruption. Its bytes are sealed in frames; the
//!   layout is in `frame` and in `docs/adr/0002-object-format.md`.
//! * [`SegmentWriter`] takes the bytes of an upload as they arrive and makes checkpoints;
//!   [`Vault::put_file`] and [`Vault::put_bytes`] store what is there already.
//! * [`ObjectReader`] reads any part of an object, decrypting only the frames that hold it.
//!
//! What an object consists of is known to the caller: [`SealedObject`] is its record, kept in the
//! database. Bytes in the store that no record covers do not exist for the reader, which is what makes
//! a crash harmless: whatever was written after the last recorded checkpoint is simply not read.
//!
//! This crate never reaches the database, the broker or HTTP handlers.

mod buffers;
mod copies;
mod error;
mod frame;
mod hash;
mod keys;
mod memory;
mod pipeline;
mod place;
mod put;
mod reader;
mod repair;
mod sealed;
mod settings;
mod stored;
mod threads;
mod writer;

use std::sync::Arc;

use kinora_core::ObjectId;
use kinora_core::object::{Place as Location, SealedObject, Segment};

pub use copies::{Copies, Entry, Held, Manifest};
pub use error::VaultError;
pub use hash::HashState;
pub use keys::{MasterKeys, ObjectSeal};
pub use reader::ObjectReader;
pub use sealed::SealedSecret;
pub use settings::{CopyPlace, S3Credentials, S3Settings, VaultSecrets, VaultSettings};
pub use stored::Stored;
pub use writer::{Checkpoint, Finished, PendingCheckpoint, SegmentWriter};

use memory::FrameMemory;
use place::Place;
use place::directory::Directory;

/// Access to all objects. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    keys: MasterKeys,
    /// Where uploads arrive.
    directory: Directory,
    /// What all writers together may hold.
    memory: Arc<FrameMemory>,
    staging: Arc<dyn Place>,
    /// Where objects stay; the same as `staging` unless there is an S3 service.
    store: Arc<dyn Place>,
    stages: bool,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("directory", &self.directory).field("stages", &self.stages).finish()
    }
}

impl Vault {
    /// Takes the places named by `settings` into use. Does not reach out to S3; see [`Self::check_service`]. Call
    /// it in the runtime whose blocking threads it is to use.
    ///
    /// # Errors
    /// [`VaultError::Settings`] if a setting or credential cannot be used; the errors of making the
    /// directory.
    pub fn open(settings: &VaultSettings, secrets: VaultSecrets) -> Result<Self, VaultError> {
        let directory = Directory::open(&settings.directory)?;
        let staging: Arc<dyn Place> = Arc::new(directory.clone());
        let store: Arc<dyn Place> = match &settings.s3 {
            Some(s3) => Arc::new(place::s3::Bucket::open("vault", s3, secrets.s3.as_ref())?),
            None => Arc::clone(&staging),
        };
        Ok(Self {
            keys: secrets.master_keys,
            directory,
            memory: Arc::new(FrameMemory::new()),
            staging,
            store,
            stages: settings.s3.is_some(),
        })
    }

    /// Whether the directory works, in which uploads arrive: writes, reads and removes something. Takes for ever where its
    /// file system hangs, and a thread as long: whoever asks does not ask again meanwhile.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn check_directory(&self) -> Result<(), VaultError> {
        self.staging.check().await
    }

    /// The same of the S3 service; what there is none of works.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn check_service(&self) -> Result<(), VaultError> {
        if self.stages { self.store.check().await } else { Ok(()) }
    }

    /// Whether there is an S3 service.
    #[must_use]
    pub fn has_service(&self) -> bool {
        self.stages
    }

    /// A new object with a fresh data key. Nothing is stored yet.
    ///
    /// # Errors
    /// [`VaultError::Crypto`] if there is no randomness.
    pub fn begin_object(&self) -> Result<ObjectSeal, VaultError> {
        let id = ObjectId::new();
        let key = keys::random_key()?;
        Ok(ObjectSeal {
            id,
            master_key_id: self.keys.current_id().to_owned(),
            wrapped_key: self.keys.wrap(id, &key)?,
            key: Arc::new(key),
        })
    }

    /// An object begun earlier, by any process, so that another segment can be added.
    ///
    /// # Errors
    /// [`VaultError::UnknownMasterKey`]; [`VaultError::Corrupt`] if the key does not unwrap.
    pub fn reopen_object(
        &self,
        id: ObjectId,
        master_key_id: &str,
        wrapped_key: &str,
    ) -> Result<ObjectSeal, VaultError> {
        let key = self.keys.unwrap(id, master_key_id, wrapped_key)?;
        Ok(ObjectSeal {
            id,
            master_key_id: master_key_id.to_owned(),
            wrapped_key: wrapped_key.to_owned(),
            key: Arc::new(key),
        })
    }

    /// Bytes that a new upload can count on where uploads arrive: what is free, less a reserve for those
    /// under way.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] if the directory does not answer.
    pub async fn free_bytes(&self) -> Result<u64, VaultError> {
        self.directory.free_bytes().await
    }

    /// Begins segment `number` of an object; `hash` is the state at the end of the segment before.
    ///
    /// The caller sees to it that a number is given to one writer only (uploads use their epoch).
    ///
    /// # Errors
    /// [`VaultError::SegmentExists`] if the number was used before; the errors of creating a file.
    pub async fn segment_writer(
        &self,
        seal: &ObjectSeal,
        number: u32,
        hash: HashState,
    ) -> Result<SegmentWriter, VaultError> {
        SegmentWriter::create(self.directory.clone(), Arc::clone(&self.memory), seal, number, hash).await
    }

    /// The record of an object whose segments have all been written by [`Self::segment_writer`];
    /// segments without bytes are left out.
    #[must_use]
    pub fn seal_object(&self, seal: &ObjectSeal, segments: &[Segment], hash: &HashState) -> SealedObject {
        let segments: Vec<Segment> = segments.iter().copied().filter(|s| s.length_bytes > 0).collect();
        SealedObject {
            id: seal.id,
            master_key_id: seal.master_key_id.clone(),
            wrapped_key: seal.wrapped_key.clone(),
            size_bytes: segments.iter().map(|segment| segment.length_bytes).sum(),
            sha256: hash.sha256(),
            segments,
            place: if self.stages { Location::Staging } else { Location::Store },
        }
    }

    /// A reader of `object`. Does not touch the store yet.
    ///
    /// # Errors
    /// [`VaultError::UnknownMasterKey`]; [`VaultError::Corrupt`] if the record is inconsistent or the
    /// key does not unwrap.
    pub fn reader(&self, object: &SealedObject) -> Result<ObjectReader, VaultError> {
        let key = self.keys.unwrap(object.id, &object.master_key_id, &object.wrapped_key)?;
        let places = reader::places(object.place, &self.staging, &self.store, !self.stages);
        ObjectReader::new(object, key, places)
    }

    /// Removes everything of an object, staged and stored. Nothing there is no error.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] if something could not be removed.
    pub async fn delete(&self, object: ObjectId) -> Result<(), VaultError> {
        self.staging.delete(object).await?;
        if self.stages { self.store.delete(object).await } else { Ok(()) }
    }

    /// Removes one staged segment that no record mentions.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] if it could not be removed.
    pub async fn delete_segment(&self, object: ObjectId, number: u32) -> Result<(), VaultError> {
        self.directory.delete_segment(object, number).await
    }

    /// The objects of which anything is stored, one of 256 shards at a time (0 … 255): for finding what
    /// no record mentions. The id of an object tells when it was begun.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] if a store cannot be listed.
    pub async fn list(&self, shard: u8) -> Result<Vec<ObjectId>, VaultError> {
        let mut found = self.staging.list(shard).await?;
        if self.stages {
            found.extend(self.store.list(shard).await?);
            found.sort_unstable();
            found.dedup();
        }
        Ok(found)
    }

    /// The same object with its data key wrapped by the current master key, if it is not yet. The media
    /// stay as they are.
    ///
    /// # Errors
    /// [`VaultError::UnknownMasterKey`]; [`VaultError::Corrupt`] if the key does not unwrap.
    pub fn rewrap(&self, object: &SealedObject) -> Result<SealedObject, VaultError> {
        if object.master_key_id == self.keys.current_id() {
            return Ok(object.clone());
        }
        let (master_key_id, wrapped_key) =
            self.keys.rewrap(object.id, &object.master_key_id, &object.wrapped_key)?;
        Ok(SealedObject { master_key_id, wrapped_key, ..object.clone() })
    }
}
