//! What the vault needs of a place that keeps segments: a directory or an S3 service.
//!
//! Places know nothing of keys or plain bytes. In both, the segments of an object lie together under
//! `<aa>/<object id>/<segment number, 8 hexadecimal digits>`, where `aa` are the last two digits of the
//! id: the random end of a UUIDv7, so that objects spread evenly over 256 shards.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use kinora_core::ObjectId;

use crate::error::VaultError;

pub(crate) mod directory;
pub(crate) mod s3;
pub(crate) mod shelf;
mod signing;

/// A place that keeps segments.
#[async_trait]
pub(crate) trait Place: Send + Sync {
    /// Begins a new segment that will be `stored_bytes` long.
    async fn create(
        &self,
        object: ObjectId,
        number: u32,
        stored_bytes: u64,
    ) -> Result<Box<dyn SegmentSink>, VaultError>;

    /// As [`Self::create`], but a segment that is there already stays as it is until the new one is whole and durable, and
    /// is replaced by it then. One writer at a time.
    async fn replace(
        &self,
        object: ObjectId,
        number: u32,
        stored_bytes: u64,
    ) -> Result<Box<dyn SegmentSink>, VaultError>;

    /// Opens a segment for reading.
    async fn open(&self, object: ObjectId, number: u32) -> Result<Arc<dyn SegmentSource>, VaultError>;

    /// How many bytes of a segment are stored.
    async fn stored_bytes(&self, object: ObjectId, number: u32) -> Result<u64, VaultError>;

    /// Removes all segments of an object. Nothing there is no error.
    async fn delete(&self, object: ObjectId) -> Result<(), VaultError>;

    /// The objects in one shard (last two digits of the id).
    async fn list(&self, shard: u8) -> Result<Vec<ObjectId>, VaultError>;

    /// Whether the place works: writes, reads and removes something.
    async fn check(&self) -> Result<(), VaultError>;

    /// How many frames are best read at once.
    fn frames_per_read(&self) -> u64;
}

/// A segment that is being written.
#[async_trait]
pub(crate) trait SegmentSink: Send {
    /// Adds bytes at the end.
    async fn append(&mut self, bytes: Bytes) -> Result<(), VaultError>;

    /// Makes the segment durable and visible.
    async fn finish(self: Box<Self>) -> Result<(), VaultError>;

    /// Removes what was written.
    async fn abort(self: Box<Self>);
}

/// A segment that is being read.
#[async_trait]
pub(crate) trait SegmentSource: Send + Sync {
    /// Exactly the stored bytes in `range`; [`VaultError::Corrupt`] if the segment ends before.
    async fn read(&self, range: Range<u64>) -> Result<Bytes, VaultError>;
}

/// The shard of an object.
pub(crate) fn shard(object: ObjectId) -> u8 {
    object.0.as_bytes().last().copied().unwrap_or_default()
}

/// The path of an object, relative to the root of a place.
pub(crate) fn object_path(object: ObjectId) -> String {
    format!("{:02x}/{object}", shard(object))
}

/// The path of a segment, relative to the root of a place.
pub(crate) fn segment_path(object: ObjectId, number: u32) -> String {
    format!("{}/{number:08x}", object_path(object))
}
