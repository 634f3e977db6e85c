//! Writing a segment while its bytes arrive, with checkpoints that survive a crash.
//!
//! Bytes are gathered in a buffer of two frames; a full buffer is hashed, encrypted in place and
//! written by a thread that may block, while the next buffer fills. A writer never holds more than
//! two such buffers (about 256 KiB).
//!
//! A checkpoint covers whole frames only: the frame that is being filled is not written before it is
//! full or the writer ends, because writing it twice would use its nonce twice. Making a checkpoint
//! durable takes as long as the disk needs; the writer goes on meanwhile.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use kinora_core::ObjectId;
use tokio::task::JoinHandle;

use crate::error::VaultError;
use crate::frame::{FRAME, FrameCipher, TAG, stored_bytes};
use crate::hash::HashState;
use crate::keys::ObjectSeal;
use crate::place::directory::Directory;
use crate::threads::Threads;

const BUFFER_FRAMES: usize = 2;
const BUFFER_BYTES: usize = BUFFER_FRAMES * (FRAME + TAG);

/// How far a segment is on stable storage.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Plain bytes of this segment that can be read back whatever happens.
    pub length_bytes: u64,
    /// Checksum over the whole object up to there.
    pub hash: HashState,
}

/// A checkpoint that is on its way to stable storage.
#[must_use = "nothing may be acknowledged before it is durable"]
pub struct PendingCheckpoint {
    checkpoint: Checkpoint,
    sync: JoinHandle<Result<(), VaultError>>,
}

impl PendingCheckpoint {
    fn begin(engine: &Engine, threads: &Threads) -> Self {
        let checkpoint = Checkpoint { length_bytes: engine.length_bytes, hash: engine.hash.clone() };
        let (file, object) = (Arc::clone(&engine.file), engine.object);
        let sync = threads.spawn(move || {
            file.sync_data().map_err(|error| VaultError::from_io(&error, format!("object {object}")))
        });
        Self { checkpoint, sync }
    }

    /// Waits until it is durable.
    ///
    /// # Errors
    /// [`VaultError::Full`] or [`VaultError::Unavailable`]: nothing since the checkpoint before is safe.
    pub async fn durable(self) -> Result<Checkpoint, VaultError> {
        self.sync.await.map_err(|error| VaultError::from_join(&error))??;
        Ok(self.checkpoint)
    }

    /// Whether it is durable already, so that [`Self::durable`] does not wait.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.sync.is_finished()
    }
}

/// How a writer ended.
#[derive(Debug)]
pub struct Finished {
    /// What is durable.
    pub checkpoint: Checkpoint,
    /// Why it is less than what was written, if it is: usually [`VaultError::Full`].
    pub failure: Option<VaultError>,
}

/// The part of a writer that goes to the blocking thread and comes back.
struct Engine {
    file: Arc<File>,
    cipher: FrameCipher,
    hash: HashState,
    length_bytes: u64,
    next_frame: u64,
    object: ObjectId,
    failure: Option<VaultError>,
}

/// Frames being filled: plain bytes with room for a tag after each frame.
struct Buffer {
    bytes: Vec<u8>,
    /// Plain bytes in it.
    filled: usize,
}

impl Buffer {
    fn new() -> Self {
        Self { bytes: Vec::new(), filled: 0 }
    }

    /// Takes bytes from the front of `input`; returns the rest.
    fn fill<'a>(&mut self, input: &'a [u8]) -> &'a [u8] {
        let mut rest = input;
        while !rest.is_empty() && !self.is_full() {
            if self.bytes.capacity() == 0 {
                self.bytes.reserve_exact(BUFFER_BYTES);
            }
            let (taken, after) = rest.split_at(rest.len().min(FRAME - self.filled % FRAME));
            self.bytes.extend_from_slice(taken);
            self.filled += taken.len();
            if self.filled.is_multiple_of(FRAME) {
                self.bytes.extend_from_slice(&[0; TAG]);
            }
            rest = after;
        }
        rest
    }

    fn is_full(&self) -> bool {
        self.filled == BUFFER_FRAMES * FRAME
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.filled = 0;
    }
}

impl Engine {
    /// Hashes, seals and writes a buffer. After a failure nothing more is ever written.
    fn write(&mut self, buffer: &mut Buffer) {
        if self.failure.is_none() && buffer.filled > 0 {
            let hash = self.hash.clone();
            match self.try_write(buffer) {
                Ok(()) => self.length_bytes += buffer.filled as u64,
                Err(error) => {
                    self.hash = hash;
                    self.failure = Some(error);
                    // Frees what will never be read; if it fails, no harm is done.
                    let _ = self.file.set_len(stored_bytes(self.length_bytes));
                }
            }
        }
        buffer.clear();
    }

    fn try_write(&mut self, buffer: &mut Buffer) -> Result<(), VaultError> {
        if !buffer.filled.is_multiple_of(FRAME) {
            buffer.bytes.extend_from_slice(&[0; TAG]);
        }
        for frame in buffer.bytes.chunks_mut(FRAME + TAG) {
            let plain_length = frame.len().saturating_sub(TAG);
            let (plain, tag) = frame.split_at_mut(plain_length);
            self.hash.update(plain);
            self.cipher.seal(self.next_frame, plain, tag)?;
            self.next_frame += 1;
        }
        let object = self.object;
        (&*self.file)
            .write_all(&buffer.bytes)
            .map_err(|error| VaultError::from_io(&error, format!("object {object}")))
    }
}

type Job = JoinHandle<(Box<Engine>, Buffer)>;

/// Where the engine is.
enum Work {
    Idle(Box<Engine>, Buffer),
    Busy(Job),
    Lost,
}

/// Writes one segment. Made by [`Vault::segment_writer`](crate::Vault::segment_writer).
///
/// If a call is cancelled (its future dropped) the writer may have lost its state and every later
/// call fails; what was checkpointed stays. Run it in a task of its own.
pub struct SegmentWriter {
    filling: Buffer,
    work: Work,
    place: Directory,
    object: ObjectId,
    number: u32,
    /// Length at the newest checkpoint that was begun.
    checkpointed_bytes: u64,
}

impl SegmentWriter {
    pub(crate) async fn create(
        place: Directory,
        seal: &ObjectSeal,
        number: u32,
        hash: HashState,
    ) -> Result<Self, VaultError> {
        let cipher = FrameCipher::sealing(&seal.key, seal.id, number)?;
        let object = seal.id;
        let creating = place.clone();
        let file = place.threads.run(move || creating.create_file(object, number)).await?;
        let engine = Box::new(Engine {
            file: Arc::new(file),
            cipher,
            hash,
            length_bytes: 0,
            next_frame: 0,
            object,
            failure: None,
        });
        Ok(Self {
            filling: Buffer::new(),
            work: Work::Idle(engine, Buffer::new()),
            place,
            object,
            number,
            checkpointed_bytes: 0,
        })
    }

    /// Takes `bytes`; writes when enough have come together.
    ///
    /// # Errors
    /// What an earlier write met with. The writer then takes no more; end it with [`Self::finish`].
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), VaultError> {
        let mut rest = self.filling.fill(bytes);
        while self.filling.is_full() {
            self.flush().await?;
            rest = self.filling.fill(rest);
        }
        Ok(())
    }

    /// Begins to make all full buffers durable; goes on writing meanwhile. Nothing if there is
    /// nothing new since the last one.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn begin_checkpoint(&mut self) -> Result<Option<PendingCheckpoint>, VaultError> {
        let (engine, buffer) = self.idle().await?;
        let pending = (engine.length_bytes > self.checkpointed_bytes)
            .then(|| PendingCheckpoint::begin(&engine, &self.place.threads));
        self.checkpointed_bytes = engine.length_bytes;
        self.work = Work::Idle(engine, buffer);
        Ok(pending)
    }

    /// Makes all full buffers durable and tells how far the segment is.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn checkpoint(&mut self) -> Result<Checkpoint, VaultError> {
        let (engine, buffer) = self.idle().await?;
        let pending = PendingCheckpoint::begin(&engine, &self.place.threads);
        self.checkpointed_bytes = engine.length_bytes;
        self.work = Work::Idle(engine, buffer);
        pending.durable().await
    }

    /// Writes the rest, makes everything durable and ends. What had been written before a failure is
    /// kept and told.
    ///
    /// # Errors
    /// If making it durable failed: only what earlier checkpoints covered is safe.
    pub async fn finish(mut self) -> Result<Finished, VaultError> {
        let (mut engine, _) = self.take_engine().await?;
        let mut filling = std::mem::replace(&mut self.filling, Buffer::new());
        let threads = self.place.threads.clone();
        threads
            .run(move || {
                engine.write(&mut filling);
                let object = engine.object;
                engine
                    .file
                    .sync_data()
                    .map_err(|error| VaultError::from_io(&error, format!("object {object}")))?;
                let checkpoint = Checkpoint { length_bytes: engine.length_bytes, hash: engine.hash };
                Ok(Finished { checkpoint, failure: engine.failure })
            })
            .await
    }

    /// Ends and removes the segment: for bytes that turned out to be wrong.
    ///
    /// # Errors
    /// If it could not be removed.
    pub async fn discard(mut self) -> Result<(), VaultError> {
        // A job under way must not outlive the file's name; whether it succeeds does not matter.
        let _ = self.take_engine().await;
        self.place.delete_segment(self.object, self.number).await
    }

    /// The number of the segment it writes.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Hands the filled buffer to a blocking thread, after the one before is done.
    async fn flush(&mut self) -> Result<(), VaultError> {
        let (mut engine, buffer) = self.idle().await?;
        let mut full = std::mem::replace(&mut self.filling, buffer);
        self.work = Work::Busy(self.place.threads.spawn(move || {
            engine.write(&mut full);
            (engine, full)
        }));
        Ok(())
    }

    /// Waits for the job under way; fails if it, or one before, failed.
    async fn idle(&mut self) -> Result<(Box<Engine>, Buffer), VaultError> {
        let (engine, buffer) = self.take_engine().await?;
        match engine.failure.clone() {
            None => Ok((engine, buffer)),
            Some(error) => {
                self.work = Work::Idle(engine, buffer);
                Err(error)
            }
        }
    }

    async fn take_engine(&mut self) -> Result<(Box<Engine>, Buffer), VaultError> {
        match std::mem::replace(&mut self.work, Work::Lost) {
            Work::Idle(engine, buffer) => Ok((engine, buffer)),
            Work::Busy(job) => job.await.map_err(|error| VaultError::from_join(&error)),
            Work::Lost => Err(VaultError::Unavailable("the writer was interrupted".to_owned())),
        }
    }
}
