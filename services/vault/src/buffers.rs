//! Memory for reading that is used again: fresh memory is cleared and faulted in page by page, which
//! costs more than decrypting what is then put into it.

use std::sync::{Arc, Mutex, PoisonError};

/// Buffers kept for the next use: one that is filled while another is sent.
const KEPT: usize = 2;

/// Buffers of one reader. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    /// A buffer of `length` bytes, whose content is whatever was in it before: fill all of it.
    pub(crate) fn take(&self, length: usize) -> Buffer {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        bytes.resize(length, 0);
        Buffer { bytes, home: self.clone() }
    }
}

/// A buffer that goes back when it is dropped.
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    home: Buffers,
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsMut<[u8]> for Buffer {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut kept = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn memory_is_used_again_but_not_while_somebody_reads_it() {
        let buffers = Buffers::default();
        let mut first = buffers.take(4);
        first.as_mut().copy_from_slice(b"abcd");
        let place = first.as_ref().as_ptr();
        let sent = Bytes::from_owner(first).slice(1..3);
        let second = buffers.take(4);
        assert_ne!(second.as_ref().as_ptr(), place);
        assert_eq!(sent, "bc");
        drop(sent);
        assert_eq!(buffers.take(3).as_ref().as_ptr(), place);
        assert_eq!(buffers.take(5).as_ref().len(), 5);
        drop(second);
        let many: Vec<_> = (0..9).map(|_| buffers.take(1)).collect();
        drop(many);
        assert_eq!(buffers.0.lock().unwrap().len(), KEPT);
    }
}
