//! Writing a segment while its bytes arrive, with checkpoints that survive a crash.
//!
//! Bytes are gathered in frames; a full frame goes through the stages of `pipeline`, while the next one
//! fills. What a writer holds in memory is bounded by `memory`.
//!
//! A checkpoint covers whole frames only: the frame that is being filled is not written before it is
//! full or the writer ends, because writing it twice would use its nonce twice. Making a checkpoint
//! durable takes as long as the disk needs; the writer goes on meanwhile.

use std::sync::Arc;

use kinora_core::ObjectId;
use tokio::task::JoinHandle;

use crate::error::VaultError;
use crate::frame::{FRAME, FrameCipher};
use crate::hash::HashState;
use crate::keys::ObjectSeal;
use crate::memory::FrameMemory;
use crate::pipeline::Pipeline;
use crate::place::directory::Directory;
use crate::threads::Threads;

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
    fn begin(checkpoint: Checkpoint, pipeline: &Pipeline, threads: &Threads) -> Self {
        let pipeline = pipeline.clone();
        Self { checkpoint, sync: threads.spawn(move || pipeline.sync()) }
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

/// Writes one segment. Made by [`Vault::segment_writer`](crate::Vault::segment_writer).
///
/// If [`Self::write`] is cancelled (its future dropped), it is not known how many of the bytes were
/// taken: end the writer then. What was checkpointed stays. Run it in a task of its own.
pub struct SegmentWriter {
    /// Plain bytes of the frame being filled; without memory until the first one comes.
    filling: Option<Vec<u8>>,
    pipeline: Pipeline,
    place: Directory,
    object: ObjectId,
    number: u32,
    /// Length at the newest checkpoint that was begun.
    checkpointed_bytes: u64,
}

impl SegmentWriter {
    pub(crate) async fn create(
        place: Directory,
        memory: Arc<FrameMemory>,
        seal: &ObjectSeal,
        number: u32,
        hash: HashState,
    ) -> Result<Self, VaultError> {
        let cipher = FrameCipher::sealing(&seal.key, seal.id, number)?;
        let object = seal.id;
        let creating = place.clone();
        let file = place.threads.run(move || creating.create_file(object, number)).await?;
        let pipeline = Pipeline::new(file, object, cipher, hash, memory, place.threads.clone());
        Ok(Self { filling: None, pipeline, place, object, number, checkpointed_bytes: 0 })
    }

    /// Takes `bytes`; sends full frames on their way.
    ///
    /// # Errors
    /// What an earlier write met with. The writer then takes no more; end it with [`Self::finish`].
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), VaultError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let mut frame = match self.filling.take() {
                Some(frame) => frame,
                None => self.pipeline.buffer().await?,
            };
            let (taken, after) = rest.split_at(rest.len().min(FRAME - frame.len()));
            frame.extend_from_slice(taken);
            rest = after;
            if frame.len() == FRAME {
                self.pipeline.push(frame);
            } else {
                self.filling = Some(frame);
            }
        }
        Ok(())
    }

    /// Begins to make durable what is in the file by now; full frames may still be on their way to it.
    /// Goes on writing meanwhile. Nothing if there is nothing new since the last one.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn begin_checkpoint(&mut self) -> Result<Option<PendingCheckpoint>, VaultError> {
        let written = self.pipeline.written()?;
        if written.length_bytes <= self.checkpointed_bytes {
            return Ok(None);
        }
        self.checkpointed_bytes = written.length_bytes;
        Ok(Some(PendingCheckpoint::begin(written, &self.pipeline, &self.place.threads)))
    }

    /// Makes all full frames durable and tells how far the segment is.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn checkpoint(&mut self) -> Result<Checkpoint, VaultError> {
        self.pipeline.drained().await.map_or(Ok(()), Err)?;
        let written = self.pipeline.written()?;
        self.checkpointed_bytes = written.length_bytes;
        PendingCheckpoint::begin(written, &self.pipeline, &self.place.threads).durable().await
    }

    /// Writes the rest, makes everything durable and ends. What had been written before a failure is
    /// kept and told.
    ///
    /// # Errors
    /// If making it durable failed: only what earlier checkpoints covered is safe.
    pub async fn finish(mut self) -> Result<Finished, VaultError> {
        if let Some(last) = self.filling.take() {
            self.pipeline.push(last);
        }
        let failure = self.pipeline.drained().await;
        let pipeline = self.pipeline.clone();
        self.place.threads.run(move || pipeline.sync()).await?;
        Ok(Finished { checkpoint: self.pipeline.kept(), failure })
    }

    /// Ends and removes the segment: for bytes that turned out to be wrong.
    ///
    /// # Errors
    /// If it could not be removed.
    pub async fn discard(self) -> Result<(), VaultError> {
        // Work under way must not outlive the file's name; whether it succeeds does not matter.
        let _ = self.pipeline.drained().await;
        self.place.delete_segment(self.object, self.number).await
    }

    /// The number of the segment it writes.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }
}
