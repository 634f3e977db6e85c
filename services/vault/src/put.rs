//! Storing what is there already, and moving staged objects to the store.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use kinora_core::object::{Place as Location, SealedObject, Segment};

use crate::Vault;
use crate::error::VaultError;
use crate::frame::{FRAME, FrameCipher, TAG, stored_bytes};
use crate::hash::HashState;
use crate::place::SegmentSink;
use crate::threads::Threads;

/// Plain bytes sealed at a time.
const BLOCK_FRAMES: usize = 16;

/// Seals a stream of plain bytes, block by block.
struct BlockSealer {
    cipher: FrameCipher,
    hash: HashState,
    next_frame: u64,
    length_bytes: u64,
}

impl BlockSealer {
    /// Reads up to a block from `source` and seals it. Nothing at its end.
    fn next_block(&mut self, source: &mut dyn Read) -> Result<Option<Bytes>, VaultError> {
        let mut block = Vec::with_capacity(BLOCK_FRAMES * (FRAME + TAG));
        for _ in 0..BLOCK_FRAMES {
            let start = block.len();
            source
                .take(FRAME as u64)
                .read_to_end(&mut block)
                .map_err(|error| VaultError::Source(error.to_string()))?;
            let length = block.len() - start;
            if length == 0 {
                break;
            }
            block.extend_from_slice(&[0; TAG]);
            let (_, frame) = block.split_at_mut(start);
            let (plain, tag) = frame.split_at_mut(length);
            self.hash.update(plain);
            self.cipher.seal(self.next_frame, plain, tag)?;
            self.next_frame += 1;
            self.length_bytes += length as u64;
            if length < FRAME {
                break;
            }
        }
        Ok(if block.is_empty() { None } else { Some(Bytes::from(block)) })
    }
}

impl Vault {
    /// Stores the content of a file as a new object, durably, in its final place.
    ///
    /// # Errors
    /// [`VaultError::Source`] if the file cannot be read; the errors of the store.
    pub async fn put_file(&self, path: &Path) -> Result<SealedObject, VaultError> {
        let path = path.to_owned();
        let (file, length_bytes) = self
            .directory
            .threads
            .run(move || {
                let open = || -> std::io::Result<(File, u64)> {
                    let file = File::open(&path)?;
                    let length_bytes = file.metadata()?.len();
                    Ok((file, length_bytes))
                };
                open().map_err(|error| VaultError::Source(format!("{}: {error}", path.display())))
            })
            .await?;
        self.put(file, length_bytes).await
    }

    /// Stores `bytes` as a new object, durably, in its final place.
    ///
    /// # Errors
    /// The errors of the store.
    pub async fn put_bytes(&self, bytes: impl Into<Bytes>) -> Result<SealedObject, VaultError> {
        let bytes: Bytes = bytes.into();
        let length_bytes = bytes.len() as u64;
        self.put(std::io::Cursor::new(bytes), length_bytes).await
    }

    async fn put(
        &self,
        source: impl Read + Send + 'static,
        length_bytes: u64,
    ) -> Result<SealedObject, VaultError> {
        const NUMBER: u32 = 0;
        let seal = self.begin_object()?;
        let sealer = BlockSealer {
            cipher: FrameCipher::sealing(&seal.key, seal.id, NUMBER)?,
            hash: HashState::new(),
            next_frame: 0,
            length_bytes: 0,
        };
        let sink = self.store.create(seal.id, NUMBER, stored_bytes(length_bytes)).await?;
        let sealer = pour(sealer, source, sink, &self.directory.threads).await?;
        let segment = Segment { number: NUMBER, length_bytes: sealer.length_bytes };
        let mut object = self.seal_object(&seal, &[segment], &sealer.hash);
        object.place = Location::Store;
        Ok(object)
    }
}

/// Stored bytes copied at a time while settling.
const COPY_BYTES: u64 = 4 * 1024 * 1024;

impl Vault {
    /// Moves a staged object to the store; what is there already is not moved again, so this may be
    /// repeated after a crash at any point. Returns the record with its new place, which is valid
    /// from then on; the old record stays readable too.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] if a segment is in neither place; [`VaultError::Corrupt`] if a staged
    /// segment is shorter than its record says; the errors of the stores.
    pub async fn settle(&self, object: &SealedObject) -> Result<SealedObject, VaultError> {
        self.settle_with(object, |_| ()).await
    }

    /// As [`Self::settle`]; tells the stored bytes copied so far, for showing progress.
    ///
    /// # Errors
    /// As [`Self::settle`].
    pub async fn settle_with(
        &self,
        object: &SealedObject,
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<SealedObject, VaultError> {
        let settled = SealedObject { place: Location::Store, ..object.clone() };
        if object.place == Location::Store || !self.stages {
            return Ok(settled);
        }
        let mut copied = 0;
        for segment in object.segments.iter().filter(|segment| segment.length_bytes > 0) {
            let stored = stored_bytes(segment.length_bytes);
            match self.store.stored_bytes(object.id, segment.number).await {
                Ok(present) if present == stored => {}
                Ok(_) | Err(VaultError::NotFound(_)) => {
                    let mut tell = |bytes| progress(copied + bytes);
                    self.copy_segment(object, segment.number, stored, &mut tell).await?;
                }
                Err(error) => return Err(error),
            }
            copied += stored;
            progress(copied);
        }
        self.staging.delete(object.id).await?;
        Ok(settled)
    }

    async fn copy_segment(
        &self,
        object: &SealedObject,
        number: u32,
        stored: u64,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<(), VaultError> {
        let source = match self.staging.open(object.id, number).await {
            // Another attempt of the same move may have been faster.
            Err(VaultError::NotFound(_))
                if self.store.stored_bytes(object.id, number).await.is_ok_and(|there| there == stored) =>
            {
                return Ok(());
            }
            other => other?,
        };
        let mut sink = self.store.create(object.id, number, stored).await?;
        let mut position = 0;
        while position < stored {
            let end = (position + COPY_BYTES).min(stored);
            let appended = match source.read(position..end).await {
                Ok(bytes) => sink.append(bytes).await,
                Err(error) => Err(error),
            };
            if let Err(error) = appended {
                sink.abort().await;
                return Err(error);
            }
            position = end;
            progress(position);
        }
        sink.finish().await
    }
}

/// Seals everything from `source` into `sink` and finishes it.
async fn pour(
    mut sealer: BlockSealer,
    mut source: impl Read + Send + 'static,
    mut sink: Box<dyn SegmentSink>,
    threads: &Threads,
) -> Result<BlockSealer, VaultError> {
    loop {
        let (back, block) = threads
            .spawn(move || {
                let block = sealer.next_block(&mut source);
                ((sealer, source), block)
            })
            .await
            .map_err(|error| VaultError::from_join(&error))?;
        (sealer, source) = back;
        let appended = match block {
            Ok(None) => return sink.finish().await.map(|()| sealer),
            Ok(Some(block)) => sink.append(block).await,
            Err(error) => Err(error),
        };
        if let Err(error) = appended {
            sink.abort().await;
            return Err(error);
        }
    }
}
