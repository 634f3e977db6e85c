//! SHA-256 that can be stopped, stored and continued, by another process if need be.

use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest, Sha256};

use crate::error::VaultError;

/// The state of a SHA-256 over the bytes of an object so far.
///
/// Its stored form is that of the `sha2` crate: the eight state words, the number of blocks and the
/// bytes of the incomplete block. A test pins it, because it is kept in database rows.
#[derive(Clone, Default)]
pub struct HashState(Sha256);

impl std::fmt::Debug for HashState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashState")
    }
}

impl HashState {
    /// The state before the first byte.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`VaultError::Corrupt`] if it is not such a state.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, VaultError> {
        let corrupt = || VaultError::Corrupt("the stored state of a checksum".to_owned());
        let state = SerializedState::<Sha256>::try_from(bytes).map_err(|_| corrupt())?;
        Sha256::deserialize(&state).map(Self).map_err(|_| corrupt())
    }

    /// The state for storing.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.serialize().to_vec()
    }

    /// The checksum of the bytes so far, lower-case hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex::encode(self.0.clone().finalize())
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_hash_goes_on_as_if_it_had_not_stopped() {
        let bytes: Vec<u8> = (0..1000_u32).flat_map(u32::to_le_bytes).collect();
        for cut in (0..bytes.len()).step_by(13).chain([63, 64, 65, 127, 128]) {
            let (before, after) = bytes.split_at(cut);
            let mut state = HashState::new();
            state.update(before);
            let mut state = HashState::from_bytes(&state.to_bytes()).unwrap();
            state.update(after);
            assert_eq!(state.sha256(), hex::encode(openssl::sha::sha256(&bytes)));
        }
    }

    #[test]
    fn the_stored_form_stays_readable() {
        let mut state = HashState::new();
        state.update(&[b'a'; 70]);
        assert_eq!(
            hex::encode(state.to_bytes()),
            concat!(
                "1cb85bdf26061ee894a845fb310fd44f16685eb2c199d4d6294990ab665e6300", // words
                "0100000000000000",                                                 // blocks
                "06616161616161",                                                   // rest and its length
                "000000000000000000000000000000000000000000000000000000000000",
                "000000000000000000000000000000000000000000000000000000",
            )
        );
        for bytes in [&[][..], &[0; 10], &[0xff; 200]] {
            assert!(HashState::from_bytes(bytes).is_err());
        }
    }
}
