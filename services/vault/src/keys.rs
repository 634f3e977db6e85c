//! Master keys, and the data keys that they wrap.
//!
//! Every object has a random 256-bit data key. It is stored only wrapped: AES-256-GCM under the
//! master key with a random 96-bit nonce and the object's id as additional data, so that a wrapped
//! key moved to another object does not open. Wrapped form, before Base64 (RFC 4648, padded):
//!
//! ```text
//! nonce 12 | encrypted data key 32 | tag 16          = 60 bytes
//! additional data: "kinora/data-key/1" (17 bytes) | object id (16 bytes, big-endian)
//! ```
//!
//! A master key is named by what it is: the first 8 bytes of HMAC-SHA-256(key, "kinora/master-key-id/1")
//! in hexadecimal. Nobody has to invent names, and a wrong key is noticed before it is used.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kinora_core::ObjectId;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rand::rand_bytes;
use openssl::sign::Signer;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use zeroize::Zeroizing;

use crate::error::VaultError;

/// Length of master and data keys.
pub(crate) const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const WRAP_CONTEXT: &[u8] = b"kinora/data-key/1";
const ID_CONTEXT: &[u8] = b"kinora/master-key-id/1";

/// A 256-bit key that is erased when it goes out of use.
pub(crate) type Key = Zeroizing<[u8; KEY_BYTES]>;

/// The master keys this process was given: one that wraps new data keys, and older ones that still
/// unwrap what they wrapped.
#[derive(Clone)]
pub struct MasterKeys {
    current: String,
    keys: Arc<HashMap<String, Key>>,
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKeys").field("current", &self.current).finish_non_exhaustive()
    }
}

impl MasterKeys {
    /// Reads the content of the credential `vault-master-key`: one key of 32 bytes in Base64 on each
    /// line. The first is the current one; the others are kept until everything is rewrapped.
    ///
    /// # Errors
    /// [`VaultError::Settings`] if there is no key, or one is not 32 bytes of Base64.
    pub fn parse(credential: &str) -> Result<Self, VaultError> {
        let mut current = None;
        let mut keys = HashMap::new();
        let lines = credential.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
        for (index, line) in lines {
            let refuse = || {
                VaultError::Settings(format!(
                    "vault-master-key: line {} is not 32 bytes in Base64 (openssl rand -base64 32)",
                    index + 1
                ))
            };
            let bytes = Zeroizing::new(STANDARD.decode(line).map_err(|_| refuse())?);
            let key: Key = Zeroizing::new(bytes.as_slice().try_into().map_err(|_| refuse())?);
            let id = master_key_id(&key)?;
            current.get_or_insert_with(|| id.clone());
            keys.insert(id, key);
        }
        let current = current.ok_or_else(|| VaultError::Settings("vault-master-key: is empty".to_owned()))?;
        Ok(Self { current, keys: Arc::new(keys) })
    }

    /// The name of the key that wraps new data keys.
    #[must_use]
    pub fn current_id(&self) -> &str {
        &self.current
    }

    pub(crate) fn key(&self, id: &str) -> Result<&Key, VaultError> {
        self.keys.get(id).ok_or_else(|| VaultError::UnknownMasterKey(id.to_owned()))
    }

    /// Wraps `data_key` of `object` with the current master key.
    pub(crate) fn wrap(&self, object: ObjectId, data_key: &Key) -> Result<String, VaultError> {
        let mut nonce = [0_u8; NONCE_BYTES];
        rand_bytes(&mut nonce)?;
        self.wrap_with_nonce(object, data_key, nonce)
    }

    fn wrap_with_nonce(
        &self,
        object: ObjectId,
        data_key: &Key,
        nonce: [u8; NONCE_BYTES],
    ) -> Result<String, VaultError> {
        let key = self.key(&self.current)?;
        let mut tag = [0_u8; TAG_BYTES];
        let sealed = encrypt_aead(
            Cipher::aes_256_gcm(),
            key.as_slice(),
            Some(&nonce),
            &wrap_aad(object),
            data_key.as_slice(),
            &mut tag,
        )?;
        Ok(STANDARD.encode([nonce.as_slice(), &sealed, &tag].concat()))
    }

    /// A wrapped data key of `object`, wrapped anew by the current master key: its name, and the key.
    ///
    /// # Errors
    /// [`VaultError::UnknownMasterKey`]; [`VaultError::Corrupt`] if the key does not unwrap.
    pub fn rewrap(
        &self,
        object: ObjectId,
        master_key_id: &str,
        wrapped: &str,
    ) -> Result<(String, String), VaultError> {
        let data_key = self.unwrap(object, master_key_id, wrapped)?;
        Ok((self.current.clone(), self.wrap(object, &data_key)?))
    }

    /// Unwraps the data key of `object`.
    pub(crate) fn unwrap(
        &self,
        object: ObjectId,
        master_key_id: &str,
        wrapped: &str,
    ) -> Result<Key, VaultError> {
        let key = self.key(master_key_id)?;
        let corrupt = || VaultError::Corrupt(format!("the wrapped key of object {object}"));
        let bytes = STANDARD.decode(wrapped).map_err(|_| corrupt())?;
        let (nonce, rest) = bytes.split_at_checked(NONCE_BYTES).ok_or_else(corrupt)?;
        let (sealed, tag) = rest.split_at_checked(KEY_BYTES).ok_or_else(corrupt)?;
        if tag.len() != TAG_BYTES {
            return Err(corrupt());
        }
        let opened =
            decrypt_aead(Cipher::aes_256_gcm(), key.as_slice(), Some(nonce), &wrap_aad(object), sealed, tag)
                .map(Zeroizing::new)
                .map_err(|_| corrupt())?;
        Ok(Zeroizing::new(opened.as_slice().try_into().map_err(|_| corrupt())?))
    }
}

/// A fresh random data key.
pub(crate) fn random_key() -> Result<Key, VaultError> {
    let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
    rand_bytes(key.as_mut_slice())?;
    Ok(key)
}

fn wrap_aad(object: ObjectId) -> Vec<u8> {
    [WRAP_CONTEXT, object.0.as_bytes()].concat()
}

fn master_key_id(key: &Key) -> Result<String, VaultError> {
    let pkey = PKey::hmac(key.as_slice())?;
    let mut signer = Signer::new(MessageDigest::sha256(), &pkey)?;
    signer.update(ID_CONTEXT)?;
    let mac = signer.sign_to_vec()?;
    Ok(hex::encode(mac.get(..8).unwrap_or_default()))
}

/// An object that is being written: its id and its data key.
///
/// `master_key_id` and `wrapped_key` are what the database keeps; the data key itself stays inside.
#[derive(Clone)]
pub struct ObjectSeal {
    /// The object.
    pub id: ObjectId,
    /// Which master key wrapped the data key.
    pub master_key_id: String,
    /// The wrapped data key, Base64.
    pub wrapped_key: String,
    pub(crate) key: Arc<Key>,
}

impl fmt::Debug for ObjectSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectSeal").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> MasterKeys {
        let lines: Vec<String> = bytes.iter().map(|b| STANDARD.encode([*b; 32])).collect();
        MasterKeys::parse(&lines.join("\n")).unwrap()
    }

    #[test]
    fn wrapped_form_is_as_documented() {
        let object: ObjectId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let keys = keys(&[1]);
        let wrapped = keys.wrap_with_nonce(object, &Zeroizing::new([2; 32]), [3; 12]).unwrap();
        assert_eq!(keys.current_id(), "540b10b436b36ca9");
        assert_eq!(
            wrapped,
            "AwMDAwMDAwMDAwMD+mMWmP2GNWuv/uRlzhsmqroxo0+FzcCwrhK/RKhIhHFG6vvibKmW7sSBXSR21WYi"
        );
    }

    #[test]
    fn a_wrapped_key_opens_only_for_its_object_and_master_key() {
        let (object, other) = (ObjectId::new(), ObjectId::new());
        let data_key = random_key().unwrap();
        let old = keys(&[1]);
        let wrapped = old.wrap(object, &data_key).unwrap();
        let both = keys(&[2, 1]);
        assert_eq!(both.unwrap(object, old.current_id(), &wrapped).unwrap(), data_key);
        assert!(matches!(both.unwrap(other, old.current_id(), &wrapped), Err(VaultError::Corrupt(_))));
        assert!(matches!(both.unwrap(object, both.current_id(), &wrapped), Err(VaultError::Corrupt(_))));
        assert!(matches!(
            keys(&[2]).unwrap(object, old.current_id(), &wrapped),
            Err(VaultError::UnknownMasterKey(_))
        ));
        assert_ne!(wrapped, old.wrap(object, &data_key).unwrap(), "nonces are fresh");
    }

    #[test]
    fn every_changed_bit_of_a_wrapped_key_is_noticed() {
        let object = ObjectId::new();
        let keys = keys(&[7]);
        let wrapped = STANDARD.decode(keys.wrap(object, &random_key().unwrap()).unwrap()).unwrap();
        for bit in 0..wrapped.len() * 8 {
            let mut changed = wrapped.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(keys.unwrap(object, keys.current_id(), &STANDARD.encode(&changed)).is_err());
        }
        for length in 0..wrapped.len() {
            assert!(keys.unwrap(object, keys.current_id(), &STANDARD.encode(&wrapped[..length])).is_err());
        }
    }

    #[test]
    fn unusable_credentials_are_refused() {
        for credential in ["", "\n \n", "short", &STANDARD.encode([1; 31]), &STANDARD.encode([1; 33])] {
            assert!(matches!(MasterKeys::parse(credential), Err(VaultError::Settings(_))), "{credential}");
        }
    }
}
