//! References to encrypted objects in the vault.
//!
//! A sealed object is one or more segments, each encrypted with the object's data key in frames of
//! [`FRAME_BYTES`]. A segment is what one writer wrote without interruption; a resumed upload adds
//! one. The data key travels only wrapped by the master key.

use serde::{Deserialize, Serialize};

use crate::ObjectId;

/// Plain bytes in one AES-256-GCM frame; the last frame of a segment may be shorter.
pub const FRAME_BYTES: u64 = 64 * 1024;

/// Where the segments of an object are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the staging directory, still to be moved to the object store (only with S3).
    Staging,
    /// In the object store.
    Store,
}

/// One uninterrupted piece of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Segment {
    /// Distinguishes the segments of one object; part of each frame's nonce, so never used twice.
    pub number: u32,
    /// Plain bytes in this segment.
    pub length_bytes: u64,
}

/// Everything needed, besides the master key, to read an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedObject {
    /// The object's id, from which its place in the store follows.
    pub id: ObjectId,
    /// Which master key wrapped the data key.
    pub master_key_id: String,
    /// The wrapped data key, Base64.
    pub wrapped_key: String,
    /// Plain bytes of the whole object.
    pub size_bytes: u64,
    /// SHA-256 of the plain bytes, lower-case hexadecimal.
    pub sha256: String,
    /// The segments in order.
    pub segments: Vec<Segment>,
    /// Where the segments are.
    pub place: Place,
}

impl SealedObject {
    /// Whether the segments add up to the size, as they must.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        let total = self.segments.iter().try_fold(0_u64, |sum, s| sum.checked_add(s.length_bytes));
        total == Some(self.size_bytes)
    }
}
