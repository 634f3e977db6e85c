//! What the tests of the vault share.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::TryStreamExt;
use kinora_core::object::{SealedObject, Segment};
use kinora_vault::{HashState, MasterKeys, ObjectReader, Vault, VaultSecrets, VaultSettings};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Plain bytes in a frame.
pub const FRAME: usize = 65_536;

/// Master keys made of repeated bytes.
pub fn master_keys(bytes: &[u8]) -> MasterKeys {
    let lines: Vec<String> = bytes.iter().map(|byte| STANDARD.encode([*byte; 32])).collect();
    MasterKeys::parse(&lines.join("\n")).unwrap()
}

/// A vault in `directory`.
pub fn open_vault(directory: &Path) -> Vault {
    let settings = VaultSettings { directory: directory.to_owned(), s3: None };
    Vault::open(&settings, VaultSecrets::new(master_keys(&[1]))).unwrap()
}

/// Numbers that look random and are the same each time (xorshift64*, Vigna 2014).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..length.div_ceil(8)).flat_map(|_| self.next().to_le_bytes()).collect();
        bytes.truncate(length);
        bytes
    }
}

/// Everything in `range`, through the stream.
pub async fn read_range(reader: &ObjectReader, range: Range<u64>) -> Vec<u8> {
    let pieces: Vec<bytes::Bytes> = reader.stream(range).try_collect().await.unwrap();
    pieces.concat()
}

/// Writes `pieces` as one segment each.
pub async fn write_segments(vault: &Vault, pieces: &[&[u8]]) -> SealedObject {
    let seal = vault.begin_object().unwrap();
    let mut hash = HashState::new();
    let mut segments = Vec::new();
    for (number, piece) in (0..).zip(pieces) {
        let mut writer = vault.segment_writer(&seal, number, hash.clone()).await.unwrap();
        for part in piece.chunks(10_000) {
            writer.write(part).await.unwrap();
        }
        let finished = writer.finish().await.unwrap();
        assert!(finished.failure.is_none());
        assert_eq!(finished.checkpoint.length_bytes, piece.len() as u64);
        hash = finished.checkpoint.hash;
        segments.push(Segment { number, length_bytes: finished.checkpoint.length_bytes });
    }
    vault.seal_object(&seal, &segments, &hash)
}

/// The file of a segment, by the documented layout.
pub fn segment_file(root: &Path, object: &SealedObject, number: u32) -> PathBuf {
    let id = object.id.to_string();
    root.join(&id[id.len() - 2..]).join(&id).join(format!("{number:08x}"))
}
