//! The byte layout of a segment, and sealing and opening its frames.
//!
//! ```text
//! segment  = frame 0 | frame 1 | … | frame n-1          (nothing before, between or after)
//! frame    = ciphertext (1 … 65,536 bytes, as long as the plain text) | tag (16 bytes)
//! cipher   = AES-256-GCM (NIST SP 800-38D) with the object's data key
//! nonce    = segment number (u32, big-endian) | frame index (u64, big-endian)     = 12 bytes
//! AAD      = "kinora/frame/1" (14 bytes) | object id (16 bytes)
//!            | segment number (u32, big-endian) | frame index (u64, big-endian)   = 42 bytes
//! ```
//!
//! All frames hold 65,536 plain bytes except the last of the segment, which may hold fewer. An empty
//! segment has no frames. Plain byte `p` of a segment is in frame `p / 65536`, which begins at stored
//! byte `p / 65536 * 65552`.
//!
//! A nonce is never used twice: a segment is created exclusively (`O_EXCL`) by one writer, which seals
//! each index once, ascending, and stops for good at its first error. How many bytes of a segment are
//! valid is told by the object's record, not by the segment: a crash may leave more. Hence the last
//! frame has no mark of its own; a record that is too short or too long for what is stored makes the
//! frame at its end fail to authenticate, because a frame's tag covers its length.

use kinora_core::ObjectId;
use kinora_core::object::FRAME_BYTES;
use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;

use crate::error::VaultError;
use crate::keys::Key;

/// Length of a frame's authentication tag.
pub(crate) const TAG_BYTES: u64 = 16;
/// Length of a full frame as it is stored.
pub(crate) const STORED_FRAME_BYTES: u64 = FRAME_BYTES + TAG_BYTES;
/// [`FRAME_BYTES`] for indexing memory.
pub(crate) const FRAME: usize = 64 * 1024;
/// [`TAG_BYTES`] for indexing memory.
pub(crate) const TAG: usize = 16;
const CONTEXT: &[u8; 14] = b"kinora/frame/1";

/// How many bytes a segment of `plain_bytes` takes in the store.
pub(crate) fn stored_bytes(plain_bytes: u64) -> u64 {
    plain_bytes + plain_bytes.div_ceil(FRAME_BYTES) * TAG_BYTES
}

/// Seals and opens the frames of one segment.
pub(crate) struct FrameCipher {
    context: CipherCtx,
    aad: [u8; 42],
    nonce: [u8; 12],
    object: ObjectId,
}

impl FrameCipher {
    /// For writing: seals with `key`.
    pub(crate) fn sealing(key: &Key, object: ObjectId, number: u32) -> Result<Self, VaultError> {
        let mut context = CipherCtx::new()?;
        context.encrypt_init(Some(Cipher::aes_256_gcm()), Some(key.as_slice()), None)?;
        Ok(Self::with(context, object, number))
    }

    /// For reading: opens with `key`.
    pub(crate) fn opening(key: &Key, object: ObjectId, number: u32) -> Result<Self, VaultError> {
        let mut context = CipherCtx::new()?;
        context.decrypt_init(Some(Cipher::aes_256_gcm()), Some(key.as_slice()), None)?;
        Ok(Self::with(context, object, number))
    }

    fn with(context: CipherCtx, object: ObjectId, number: u32) -> Self {
        let mut aad = [0; 42];
        let fields = CONTEXT.iter().chain(object.0.as_bytes()).copied().chain(number.to_be_bytes());
        for (to, from) in aad.iter_mut().zip(fields) {
            *to = from;
        }
        let mut nonce = [0; 12];
        for (to, from) in nonce.iter_mut().zip(number.to_be_bytes()) {
            *to = from;
        }
        Self { context, aad, nonce, object }
    }

    fn set_index(&mut self, index: u64) {
        for (to, from) in self.nonce.iter_mut().skip(4).zip(index.to_be_bytes()) {
            *to = from;
        }
        for (to, from) in self.aad.iter_mut().skip(34).zip(index.to_be_bytes()) {
            *to = from;
        }
    }

    /// Encrypts `plain` in place and puts its tag into `tag`.
    pub(crate) fn seal(&mut self, index: u64, plain: &mut [u8], tag: &mut [u8]) -> Result<(), VaultError> {
        self.set_index(index);
        self.context.encrypt_init(None, None, Some(&self.nonce))?;
        self.context.cipher_update(&self.aad, None)?;
        let length = plain.len();
        self.context.cipher_update_inplace(plain, length)?;
        self.context.cipher_final(&mut [])?;
        self.context.tag(tag)?;
        Ok(())
    }

    /// Decrypts one stored frame (ciphertext and tag) into `plain`, which has the ciphertext's length.
    pub(crate) fn open(&mut self, index: u64, stored: &[u8], plain: &mut [u8]) -> Result<(), VaultError> {
        let object = self.object;
        let corrupt = || VaultError::Corrupt(format!("object {object}"));
        let (sealed, tag) = stored.split_at_checked(plain.len()).ok_or_else(corrupt)?;
        if tag.len() != TAG {
            return Err(corrupt());
        }
        self.set_index(index);
        self.context.decrypt_init(None, None, Some(&self.nonce))?;
        self.context.cipher_update(&self.aad, None)?;
        self.context.cipher_update(sealed, Some(plain))?;
        self.context.set_tag(tag)?;
        if self.context.cipher_final(&mut []).is_err() {
            plain.fill(0);
            return Err(corrupt());
        }
        Ok(())
    }
}

/// Where plain bytes of a segment are: whole frames, and the part of them that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameSpan {
    /// Index of the first frame.
    pub(crate) first: u64,
    /// Stored bytes from the start of the first frame to the end of the last one.
    pub(crate) stored_start: u64,
    /// See `stored_start`.
    pub(crate) stored_end: u64,
    /// Wanted bytes begin this far into the first frame.
    pub(crate) skip: usize,
    /// Plain bytes in all these frames together.
    pub(crate) plain_bytes: usize,
}

/// The frames of a segment of `segment_bytes` that hold its plain bytes from `start`, at most
/// `most_frames` of them and none that begins at or after `end`. Nothing if `start` is not in the segment.
pub(crate) fn span(segment_bytes: u64, start: u64, end: u64, most_frames: u64) -> Option<FrameSpan> {
    let end = end.min(segment_bytes);
    if start >= end {
        return None;
    }
    let first = start / FRAME_BYTES;
    let after = end.div_ceil(FRAME_BYTES).min(first + most_frames.max(1));
    let plain_start = first * FRAME_BYTES;
    let plain_end = (after * FRAME_BYTES).min(segment_bytes);
    Some(FrameSpan {
        first,
        stored_start: first * STORED_FRAME_BYTES,
        stored_end: stored_bytes(plain_end),
        skip: usize::try_from(start - plain_start).ok()?,
        plain_bytes: usize::try_from(plain_end - plain_start).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn sealed_bytes_are_as_documented() {
        // Made with another implementation (Python, cryptography.hazmat AESGCM) from the module's text.
        let object: ObjectId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let key = Zeroizing::new([2; 32]);
        for (number, index, plain, sealed) in [
            (0, 0, b"kinora".as_slice(), "311b54a1974d92b62410ef957be5cef8b539ab320d27"),
            (7, 5_000_000_000, b"\0".as_slice(), "1964da372f0a8fc3d85ad39d66e1a96d24"),
        ] {
            let mut bytes = plain.to_vec();
            let mut tag = [0; TAG];
            FrameCipher::sealing(&key, object, number).unwrap().seal(index, &mut bytes, &mut tag).unwrap();
            bytes.extend_from_slice(&tag);
            assert_eq!(hex::encode(&bytes), sealed);
            let mut back = vec![0; plain.len()];
            let mut opening = FrameCipher::opening(&key, object, number).unwrap();
            opening.open(index, &bytes, &mut back).unwrap();
            assert_eq!(back, plain);
            // Not as another frame, of another segment, of another object, or of another length.
            assert!(opening.open(index + 1, &bytes, &mut back).is_err());
            assert!(back.iter().all(|byte| *byte == 0), "nothing unauthenticated is handed out");
            let mut other = FrameCipher::opening(&key, object, number + 1).unwrap();
            assert!(other.open(index, &bytes, &mut back).is_err());
            let mut other = FrameCipher::opening(&key, ObjectId::new(), number).unwrap();
            assert!(other.open(index, &bytes, &mut back).is_err());
            assert!(opening.open(index, &bytes, &mut vec![0; plain.len() + 1]).is_err());
            assert!(opening.open(index, &bytes, &mut vec![0; plain.len() - 1]).is_err());
            opening.open(index, &bytes, &mut back).unwrap();
        }
    }

    #[test]
    fn frames_far_beyond_four_gibibytes_are_found() {
        let five_tebibytes = 5 << 40;
        let at = five_tebibytes - 70_000;
        let found = span(five_tebibytes, at, five_tebibytes, 4).unwrap();
        assert_eq!(found.first, at / 65_536);
        assert_eq!(found.stored_start, at / 65_536 * 65_552);
        assert_eq!(found.stored_end, stored_bytes(five_tebibytes));
        assert_eq!(found.skip as u64, at % 65_536);
        assert_eq!(stored_bytes(five_tebibytes), (five_tebibytes / 65_536) * 65_552);
    }

    #[test]
    fn spans_at_frame_boundaries() {
        let segment = 65_536 * 3 + 10;
        assert_eq!(span(segment, segment, u64::MAX, 4), None);
        assert_eq!(span(segment, 5, 5, 4), None);
        let last = span(segment, segment - 1, u64::MAX, 4).unwrap();
        assert_eq!((last.first, last.skip, last.plain_bytes), (3, 9, 10));
        assert_eq!((last.stored_start, last.stored_end), (3 * 65_552, 3 * 65_552 + 26));
        let two = span(segment, 65_535, 65_537, 4).unwrap();
        assert_eq!((two.first, two.skip, two.plain_bytes), (0, 65_535, 131_072));
        let one = span(segment, 65_535, 65_537, 1).unwrap();
        assert_eq!((one.first, one.skip, one.plain_bytes), (0, 65_535, 65_536));
        assert_eq!(span(65_536, 0, 1, 9).unwrap().stored_end, 65_552);
        assert_eq!(stored_bytes(0), 0);
        assert_eq!(stored_bytes(1), 17);
    }
}
