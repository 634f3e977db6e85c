//! Memory for frames on their way to the disk, bounded for all writers of a vault together.
//!
//! Every writer may hold [`OWN_FRAMES`] at any time, so none ever waits for another. What lets one
//! upload use all processors at once, more frames under way, comes from one budget that all
//! share: a few uploads are fast, and hundreds still fit.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::frame::{FRAME, TAG};

/// Frames that a writer may always hold (128 KiB).
pub(crate) const OWN_FRAMES: usize = 2;
/// Most frames that a writer holds (1.5 MiB).
pub(crate) const MOST_FRAMES: usize = 24;
/// Frames that all writers share beyond their own (12 MiB).
const SHARED_FRAMES: usize = 192;
/// Frames kept for the next use, so that their pages are not faulted in again and again (3 MiB).
const KEPT_FRAMES: usize = 48;

/// See the module.
pub(crate) struct FrameMemory {
    shared: AtomicUsize,
    kept: Mutex<Vec<Vec<u8>>>,
}

impl FrameMemory {
    pub(crate) fn new() -> Self {
        Self { shared: AtomicUsize::new(SHARED_FRAMES), kept: Mutex::new(Vec::new()) }
    }

    /// An empty buffer with room for a frame and its tag, for a writer that holds `held` frames.
    /// Nothing if it has to wait until one of its own is given back.
    pub(crate) fn take(&self, held: usize) -> Option<Vec<u8>> {
        let less = |left: usize| left.checked_sub(1);
        let is_allowed = held < OWN_FRAMES
            || held < MOST_FRAMES
                && self.shared.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok();
        is_allowed.then(|| {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop();
            kept.unwrap_or_else(|| Vec::with_capacity(FRAME + TAG))
        })
    }

    /// Takes a buffer back from a writer that held `held` frames, this one among them. One that was lost
    /// is given back without its memory.
    pub(crate) fn give_back(&self, mut buffer: Vec<u8>, held: usize) {
        if held > OWN_FRAMES {
            self.shared.fetch_add(1, Ordering::Relaxed);
        }
        buffer.clear();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_FRAMES && buffer.capacity() >= FRAME + TAG {
            kept.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_gets_its_own_frames_even_when_nothing_is_left() {
        let memory = FrameMemory::new();
        let mut taken = Vec::new();
        let mut held = [0_usize; 20];
        for writer in &mut held {
            while let Some(buffer) = memory.take(*writer) {
                assert!(buffer.is_empty() && buffer.capacity() >= FRAME + TAG);
                taken.push(buffer);
                *writer += 1;
            }
        }
        assert_eq!(held.iter().max(), Some(&MOST_FRAMES));
        assert_eq!(held.iter().min(), Some(&OWN_FRAMES));
        assert_eq!(taken.len(), 20 * OWN_FRAMES + SHARED_FRAMES);
        // What is given back can be taken by another.
        for writer in &mut held {
            while *writer > 0 {
                memory.give_back(taken.pop().unwrap(), *writer);
                *writer -= 1;
            }
        }
        assert_eq!(memory.shared.load(Ordering::Relaxed), SHARED_FRAMES);
        assert!(memory.kept.lock().unwrap().len() <= KEPT_FRAMES);
        assert!(memory.take(OWN_FRAMES).is_some());
    }
}
