//! A segment's frames on their way: hashed by one thread, sealed and written by another.
//!
//! Each stage works through what has come to it and then ends; it is started again when more comes.
//! So the checksum, which must see the bytes one after another, uses one processor all the time
//! while the others receive, seal and write, and a writer that waits for its client costs no thread.
//!
//! A frame carries the state of the checksum at its end along, so that what is written and the
//! checksum over it always belong together.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kinora_core::ObjectId;
use rustix::fs::{Advice, fadvise};
use tokio::sync::Notify;

use crate::error::VaultError;
use crate::frame::{FRAME, FrameCipher, TAG, stored_bytes};
use crate::hash::HashState;
use crate::memory::FrameMemory;
use crate::threads::Threads;
use crate::writer::Checkpoint;

/// Frames sealed and then written at once, at most (512 KiB).
const BATCH_FRAMES: usize = 8;
/// Written bytes after which the disk is set to work, so that little is left when all must be durable.
const WRITEBACK_BYTES: u64 = 8 * 1024 * 1024;

/// Plain bytes of a frame and the checksum up to its end.
struct Hashed {
    bytes: Vec<u8>,
    hash: HashState,
}

/// What the stages hand to each other.
struct State {
    arrived: VecDeque<Vec<u8>>,
    is_hashing: bool,
    hashed: VecDeque<Hashed>,
    is_writing: bool,
    /// Buffers that are not in the common memory: being filled, waiting, or worked on.
    held: usize,
    /// What is in the file, durable or not.
    written: Checkpoint,
    failure: Option<VaultError>,
}

/// The stage that writes.
struct Output {
    cipher: FrameCipher,
    next_frame: u64,
    /// Stored bytes of which the disk was told.
    written_back: u64,
}

struct Shared {
    state: Mutex<State>,
    /// Told whenever buffers came back or a stage ended.
    changed: Notify,
    hasher: Mutex<HashState>,
    output: Mutex<Output>,
    file: File,
    object: ObjectId,
    memory: Arc<FrameMemory>,
    threads: Threads,
}

/// The stages of one segment.
#[derive(Clone)]
pub(crate) struct Pipeline(Arc<Shared>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone, Copy)]
enum Stage {
    Hash,
    Write,
}

/// A stage's turn. If it is dropped before its end, because the runtime stops or the thread panicked,
/// nobody must wait for it for ever.
struct Turn {
    shared: Arc<Shared>,
    stage: Stage,
    is_over: bool,
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut state = lock(&self.shared.state);
        state.failure.get_or_insert_with(|| VaultError::Unavailable("a writing thread was lost".to_owned()));
        match self.stage {
            Stage::Hash => state.is_hashing = false,
            Stage::Write => state.is_writing = false,
        }
        drop(state);
        self.shared.changed.notify_one();
    }
}

impl Pipeline {
    pub(crate) fn new(
        file: File,
        object: ObjectId,
        cipher: FrameCipher,
        hash: HashState,
        memory: Arc<FrameMemory>,
        threads: Threads,
    ) -> Self {
        let state = State {
            arrived: VecDeque::new(),
            is_hashing: false,
            hashed: VecDeque::new(),
            is_writing: false,
            held: 0,
            written: Checkpoint { length_bytes: 0, hash: hash.clone() },
            failure: None,
        };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            changed: Notify::new(),
            hasher: Mutex::new(hash),
            output: Mutex::new(Output { cipher, next_frame: 0, written_back: 0 }),
            file,
            object,
            memory,
            threads,
        }))
    }

    /// An empty buffer for a frame, as soon as there is one.
    ///
    /// # Errors
    /// What an earlier write met with.
    pub(crate) async fn buffer(&self) -> Result<Vec<u8>, VaultError> {
        loop {
            {
                let mut state = lock(&self.0.state);
                if let Some(failure) = &state.failure {
                    return Err(failure.clone());
                }
                if let Some(buffer) = self.0.memory.take(state.held) {
                    state.held += 1;
                    return Ok(buffer);
                }
            }
            self.0.changed.notified().await;
        }
    }

    /// Sends a buffer on its way: a full frame, or the last one.
    pub(crate) fn push(&self, buffer: Vec<u8>) {
        let mut state = lock(&self.0.state);
        state.arrived.push_back(buffer);
        if !std::mem::replace(&mut state.is_hashing, true) {
            drop(state);
            Shared::start(&self.0, Stage::Hash);
        }
    }

    /// Waits until all that was pushed is in the file, or was given up after a failure, which is told.
    pub(crate) async fn drained(&self) -> Option<VaultError> {
        loop {
            {
                let state = lock(&self.0.state);
                let is_working = state.is_hashing || state.is_writing;
                let is_empty = state.arrived.is_empty() && state.hashed.is_empty();
                if !is_working && (is_empty || state.failure.is_some()) {
                    return state.failure.clone();
                }
            }
            self.0.changed.notified().await;
        }
    }

    /// What is in the file now, durable or not.
    ///
    /// # Errors
    /// What a write met with.
    pub(crate) fn written(&self) -> Result<Checkpoint, VaultError> {
        let state = lock(&self.0.state);
        state.failure.clone().map_or_else(|| Ok(state.written.clone()), Err)
    }

    /// What was written before a failure, if there was one.
    pub(crate) fn kept(&self) -> Checkpoint {
        lock(&self.0.state).written.clone()
    }

    /// Makes durable what is in the file. Blocks.
    pub(crate) fn sync(&self) -> Result<(), VaultError> {
        self.0.file.sync_data().map_err(|error| self.0.io_error(&error))
    }
}

impl Shared {
    fn start(this: &Arc<Self>, stage: Stage) {
        let turn = Turn { shared: Arc::clone(this), stage, is_over: false };
        // Nobody waits for the task itself: the turn tells when it is over.
        drop(this.threads.spawn(move || turn.run()));
    }

    fn io_error(&self, error: &io::Error) -> VaultError {
        VaultError::from_io(error, format!("object {}", self.object))
    }

    /// Gives buffers back; a writer that waits for one goes on.
    fn give_back(&self, state: &mut State, buffers: impl Iterator<Item = Vec<u8>>) {
        for buffer in buffers {
            self.memory.give_back(buffer, state.held);
            state.held = state.held.saturating_sub(1);
        }
    }

    /// Seals a batch and writes it. Tells how many frames are in the file, and what went wrong.
    fn write(&self, batch: &mut [Hashed]) -> (usize, Result<(), VaultError>) {
        let mut output = lock(&self.output);
        for frame in batch.iter_mut() {
            let length = frame.bytes.len();
            frame.bytes.extend_from_slice(&[0; TAG]);
            let (plain, tag) = frame.bytes.split_at_mut(length);
            let index = output.next_frame;
            output.next_frame += 1;
            if let Err(error) = output.cipher.seal(index, plain, tag) {
                return (0, Err(error));
            }
        }
        let total: usize = batch.iter().map(|frame| frame.bytes.len()).sum();
        let (written, outcome) = write_all(&self.file, batch);
        if written == total {
            self.begin_writeback(&mut output);
            return (batch.len(), Ok(()));
        }
        // All but the last frame of a segment are full.
        (written / (FRAME + TAG), outcome.map_err(|error| self.io_error(&error)))
    }

    /// Lets the disk begin with what is only in the page cache. Linux starts the writeback of a range
    /// that is declared unneeded (mm/fadvise.c) and drops pages from the cache only if they are
    /// clean already. Nothing depends on it: durable is what `sync` has covered.
    fn begin_writeback(&self, output: &mut Output) {
        let end = output.next_frame * (FRAME + TAG) as u64;
        let length = end - output.written_back;
        if length >= WRITEBACK_BYTES {
            let _ = fadvise(&self.file, output.written_back, NonZeroU64::new(length), Advice::DontNeed);
            output.written_back = end;
        }
    }
}

/// Writes all frames one after another; tells how many bytes were written in any case.
fn write_all(mut file: &File, batch: &[Hashed]) -> (usize, io::Result<()>) {
    let mut slices: Vec<IoSlice<'_>> = batch.iter().map(|frame| IoSlice::new(&frame.bytes)).collect();
    let mut rest = slices.as_mut_slice();
    let mut written = 0;
    while !rest.is_empty() {
        match file.write_vectored(rest) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(count) => {
                written += count;
                IoSlice::advance_slices(&mut rest, count);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}

impl Turn {
    fn run(mut self) {
        match self.stage {
            Stage::Hash => self.hash(),
            Stage::Write => self.write(),
        }
        self.is_over = true;
        self.shared.changed.notify_one();
    }

    /// Hashes what has arrived, until nothing is left.
    fn hash(&self) {
        let shared = &self.shared;
        let mut hasher = lock(&shared.hasher);
        loop {
            let bytes = {
                let mut state = lock(&shared.state);
                if state.failure.is_some() {
                    let arrived = std::mem::take(&mut state.arrived);
                    shared.give_back(&mut state, arrived.into_iter());
                }
                let Some(bytes) = state.arrived.pop_front() else {
                    state.is_hashing = false;
                    return;
                };
                bytes
            };
            hasher.update(&bytes);
            let mut state = lock(&shared.state);
            state.hashed.push_back(Hashed { bytes, hash: hasher.clone() });
            if !std::mem::replace(&mut state.is_writing, true) {
                drop(state);
                Shared::start(shared, Stage::Write);
            }
        }
    }

    /// Writes what was hashed, until nothing is left. After a failure nothing is ever written again.
    fn write(&self) {
        let shared = &self.shared;
        loop {
            let mut batch: Vec<Hashed> = {
                let mut state = lock(&shared.state);
                if state.failure.is_some() {
                    let hashed = std::mem::take(&mut state.hashed);
                    shared.give_back(&mut state, hashed.into_iter().map(|frame| frame.bytes));
                }
                let count = state.hashed.len().min(BATCH_FRAMES);
                if count == 0 {
                    state.is_writing = false;
                    return;
                }
                state.hashed.drain(..count).collect()
            };
            let (frames, outcome) = shared.write(&mut batch);
            let mut state = lock(&shared.state);
            if let Some(last) = frames.checked_sub(1).and_then(|last| batch.get(last)) {
                state.written.hash = last.hash.clone();
            }
            let stored: usize = batch.iter().take(frames).map(|frame| frame.bytes.len() - TAG).sum();
            state.written.length_bytes += stored as u64;
            if let Err(error) = outcome {
                // Frees what will never be read; if it fails, no harm is done.
                let _ = shared.file.set_len(stored_bytes(state.written.length_bytes));
                state.failure = Some(error);
            }
            shared.give_back(&mut state, batch.into_iter().map(|frame| frame.bytes));
            drop(state);
            shared.changed.notify_one();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Whatever the writer still held goes back: the one being filled is among it, by number.
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let left: Vec<Vec<u8>> =
            state.arrived.drain(..).chain(state.hashed.drain(..).map(|frame| frame.bytes)).collect();
        for buffer in left {
            self.memory.give_back(buffer, state.held);
            state.held = state.held.saturating_sub(1);
        }
        while state.held > 0 {
            self.memory.give_back(Vec::new(), state.held);
            state.held -= 1;
        }
    }
}
