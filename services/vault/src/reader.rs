//! Reading any part of an object, decrypting only the frames that hold it.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::Stream;
use kinora_core::ObjectId;
use kinora_core::object::{Place as Location, SealedObject};

use crate::buffers::Buffers;
use crate::error::VaultError;
use crate::frame::{FRAME, FrameCipher, STORED_FRAME_BYTES, TAG, span};
use crate::keys::Key;
use crate::place::{Place, SegmentSource};

/// A segment and where in the object it begins.
#[derive(Clone, Copy)]
struct Part {
    number: u32,
    start: u64,
    length_bytes: u64,
}

/// A segment that is open.
struct OpenSegment {
    number: u32,
    source: Arc<dyn SegmentSource>,
    frames_per_read: u64,
}

struct Shared {
    id: ObjectId,
    key: Key,
    parts: Vec<Part>,
    size_bytes: u64,
    /// Where to look, in this order: a staged object may have been moved a moment ago.
    places: Vec<Arc<dyn Place>>,
    /// The segment that was read last.
    open: Mutex<Option<OpenSegment>>,
    buffers: Buffers,
}

/// Reads one object. Cheap to clone; made by [`Vault::reader`](crate::Vault::reader).
#[derive(Clone)]
pub struct ObjectReader {
    shared: Arc<Shared>,
}

impl ObjectReader {
    pub(crate) fn new(
        object: &SealedObject,
        key: Key,
        places: Vec<Arc<dyn Place>>,
    ) -> Result<Self, VaultError> {
        if !object.is_consistent() {
            return Err(VaultError::Corrupt(format!("the record of object {}", object.id)));
        }
        let mut start = 0;
        let mut parts = Vec::with_capacity(object.segments.len());
        for segment in object.segments.iter().filter(|segment| segment.length_bytes > 0) {
            parts.push(Part { number: segment.number, start, length_bytes: segment.length_bytes });
            start += segment.length_bytes;
        }
        let shared = Shared {
            id: object.id,
            key,
            parts,
            size_bytes: object.size_bytes,
            places,
            open: Mutex::new(None),
            buffers: Buffers::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Plain bytes of the whole object.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.shared.size_bytes
    }

    /// The plain bytes from `offset` on: `length` of them, or fewer if the object ends before. For
    /// more than a few MiB use [`Self::stream`].
    ///
    /// # Errors
    /// [`VaultError::NotFound`] and [`VaultError::Corrupt`] if the object is not what its record says;
    /// [`VaultError::Unavailable`] if the store does not answer.
    pub async fn read_at(&self, offset: u64, length: usize) -> Result<Bytes, VaultError> {
        let end = offset.saturating_add(length as u64).min(self.shared.size_bytes);
        let mut position = offset;
        let mut joined = Vec::new();
        while position < end {
            let piece = self.read_piece(position, end).await?;
            position += piece.len() as u64;
            if joined.is_empty() && position >= end {
                return Ok(piece);
            }
            joined.extend_from_slice(&piece);
        }
        Ok(Bytes::from(joined))
    }

    /// The plain bytes in `range`, cut to the object's size, piece by piece. At most two pieces
    /// (512 KiB from a directory, a few MiB from S3) are in memory at a time.
    pub fn stream(
        &self,
        range: Range<u64>,
    ) -> impl Stream<Item = Result<Bytes, VaultError>> + Send + Unpin + use<> {
        let end = range.end.min(self.shared.size_bytes);
        let reader = self.clone();
        Box::pin(futures_util::stream::try_unfold(range.start, move |position| {
            let reader = reader.clone();
            async move {
                if position >= end {
                    return Ok(None);
                }
                let piece = reader.read_piece(position, end).await?;
                let next = position + piece.len() as u64;
                Ok(Some((piece, next)))
            }
        }))
    }

    /// Some bytes at `position`, at least one and none at or after `end`.
    async fn read_piece(&self, position: u64, end: u64) -> Result<Bytes, VaultError> {
        let shared = &self.shared;
        let corrupt = || VaultError::Corrupt(format!("object {}", shared.id));
        let index = shared.parts.partition_point(|part| part.start <= position);
        let part = *index.checked_sub(1).and_then(|index| shared.parts.get(index)).ok_or_else(corrupt)?;
        let (source, most_frames) = self.source(part.number).await?;
        let wanted = position - part.start;
        let frames = span(part.length_bytes, wanted, end - part.start, most_frames).ok_or_else(corrupt)?;
        let stored = source.read(frames.stored_start..frames.stored_end).await?;
        if stored.len() as u64 != frames.stored_end - frames.stored_start {
            return Err(corrupt());
        }
        let mut cipher = FrameCipher::opening(&shared.key, shared.id, part.number)?;
        let mut plain = shared.buffers.take(frames.plain_bytes);
        let stored_frames = stored.chunks(FRAME + TAG);
        for ((frame, to), index) in stored_frames.zip(plain.as_mut().chunks_mut(FRAME)).zip(frames.first..) {
            cipher.open(index, frame, to)?;
        }
        let plain = Bytes::from_owner(plain);
        let available =
            (plain.len() - frames.skip).min(usize::try_from(end - position).unwrap_or(usize::MAX));
        Ok(plain.slice(frames.skip..frames.skip + available))
    }

    /// The stored bytes of segment `number`, and how many frames are best read at once.
    async fn source(&self, number: u32) -> Result<(Arc<dyn SegmentSource>, u64), VaultError> {
        if let Ok(open) = self.shared.open.lock()
            && let Some(open) = open.as_ref()
            && open.number == number
        {
            return Ok((Arc::clone(&open.source), open.frames_per_read));
        }
        let mut missing = VaultError::NotFound(format!("object {}", self.shared.id));
        for place in &self.shared.places {
            match place.open(self.shared.id, number).await {
                Ok(source) => {
                    let frames_per_read = place.frames_per_read();
                    if let Ok(mut open) = self.shared.open.lock() {
                        *open = Some(OpenSegment { number, source: Arc::clone(&source), frames_per_read });
                    }
                    return Ok((source, frames_per_read));
                }
                Err(error @ VaultError::NotFound(_)) => missing = error,
                Err(error) => return Err(error),
            }
        }
        Err(missing)
    }
}

/// The places where an object may be, the likeliest first, given where its record says it is.
///
/// What was finished before an installation got its S3 service has stayed in the directory.
pub(crate) fn places(
    location: Location,
    staging: &Arc<dyn Place>,
    store: &Arc<dyn Place>,
    is_one: bool,
) -> Vec<Arc<dyn Place>> {
    match location {
        _ if is_one => vec![Arc::clone(store)],
        Location::Staging => vec![Arc::clone(staging), Arc::clone(store)],
        Location::Store => vec![Arc::clone(store), Arc::clone(staging)],
    }
}

const _: () = assert!(STORED_FRAME_BYTES == (FRAME + TAG) as u64);
