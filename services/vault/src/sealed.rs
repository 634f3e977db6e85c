//! Short secrets that are kept in the database: encrypted under keys derived from the master keys, one for
//! each purpose, so that nothing that was encrypted for one purpose opens for another.
//!
//! The key is HKDF-SHA-256 (RFC 5869) of the master key, without salt, with "kinora/sealed/1 " and the purpose
//! as info. Sealed form, before Base64 (RFC 4648, padded): nonce 12 | encrypted secret | tag 16, AES-256-GCM,
//! with the context (whose secret it is) as additional data.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::md::Md;
use openssl::pkey::Id;
use openssl::pkey_ctx::PkeyCtx;
use openssl::rand::rand_bytes;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use zeroize::Zeroizing;

use crate::error::VaultError;
use crate::keys::{KEY_BYTES, Key, MasterKeys};

const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// A secret that was encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    /// The master key that the key was derived from.
    pub master_key_id: String,
    /// The secret, Base64.
    pub text: String,
}

impl MasterKeys {
    /// Encrypts a secret with the current master key. `context` says whose it is: it opens in no other.
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn seal(&self, purpose: &str, context: &[u8], secret: &[u8]) -> Result<SealedSecret, VaultError> {
        let key = self.derive(self.current_id(), purpose)?;
        let mut sealed = vec![0_u8; NONCE_BYTES];
        rand_bytes(&mut sealed)?;
        let mut tag = [0_u8; TAG_BYTES];
        let text =
            encrypt_aead(Cipher::aes_256_gcm(), key.as_slice(), Some(&sealed), context, secret, &mut tag)?;
        sealed.extend_from_slice(&text);
        sealed.extend_from_slice(&tag);
        Ok(SealedSecret { master_key_id: self.current_id().to_owned(), text: STANDARD.encode(sealed) })
    }

    /// Decrypts what [`MasterKeys::seal`] made for the same purpose in the same context.
    ///
    /// # Errors
    /// [`VaultError::UnknownMasterKey`]; [`VaultError::Corrupt`] if it is anything else.
    pub fn open(
        &self,
        purpose: &str,
        context: &[u8],
        sealed: &SealedSecret,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let key = self.derive(&sealed.master_key_id, purpose)?;
        let corrupt = || VaultError::Corrupt(format!("a sealed secret ({purpose})"));
        let bytes = STANDARD.decode(&sealed.text).map_err(|_| corrupt())?;
        let (nonce, rest) = bytes.split_at_checked(NONCE_BYTES).ok_or_else(corrupt)?;
        let end = rest.len().checked_sub(TAG_BYTES).ok_or_else(corrupt)?;
        let (text, tag) = rest.split_at_checked(end).ok_or_else(corrupt)?;
        decrypt_aead(Cipher::aes_256_gcm(), key.as_slice(), Some(nonce), context, text, tag)
            .map(Zeroizing::new)
            .map_err(|_| corrupt())
    }

    fn derive(&self, master_key_id: &str, purpose: &str) -> Result<Key, VaultError> {
        let mut context = PkeyCtx::new_id(Id::HKDF)?;
        context.derive_init()?;
        context.set_hkdf_md(Md::sha256())?;
        context.set_hkdf_key(self.key(master_key_id)?.as_slice())?;
        context.add_hkdf_info(b"kinora/sealed/1 ")?;
        context.add_hkdf_info(purpose.as_bytes())?;
        let mut key: Key = Zeroizing::new([0_u8; KEY_BYTES]);
        context.derive(Some(key.as_mut_slice()))?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> MasterKeys {
        let lines: Vec<String> = bytes.iter().map(|byte| STANDARD.encode([*byte; 32])).collect();
        MasterKeys::parse(&lines.join("\n")).unwrap()
    }

    #[test]
    fn derived_keys_are_as_documented() {
        // Computed with Python's hashlib and hmac from the description above.
        let key = keys(&[1]).derive("540b10b436b36ca9", "totp").unwrap();
        assert_eq!(hex::encode(key.as_slice()), EXPECTED);
    }

    const EXPECTED: &str = "95f496f37ee7b9a331823bfa44e27b914fc20b184a42cf4be63efeccc0658f45";

    #[test]
    fn a_secret_opens_only_for_its_purpose_owner_and_master_key() {
        let old = keys(&[1]);
        let sealed = old.seal("totp", b"ada", b"secret").unwrap();
        let both = keys(&[2, 1]);
        assert_eq!(both.open("totp", b"ada", &sealed).unwrap().as_slice(), b"secret");
        assert!(matches!(both.open("totp", b"bob", &sealed), Err(VaultError::Corrupt(_))));
        assert!(matches!(both.open("other", b"ada", &sealed), Err(VaultError::Corrupt(_))));
        assert!(matches!(keys(&[2]).open("totp", b"ada", &sealed), Err(VaultError::UnknownMasterKey(_))));
        let claimed = SealedSecret { master_key_id: both.current_id().to_owned(), ..sealed.clone() };
        assert!(matches!(both.open("totp", b"ada", &claimed), Err(VaultError::Corrupt(_))));
        assert_ne!(sealed.text, old.seal("totp", b"ada", b"secret").unwrap().text, "nonces are fresh");
        let bytes = STANDARD.decode(&sealed.text).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let changed = SealedSecret { text: STANDARD.encode(changed), ..sealed.clone() };
            assert!(both.open("totp", b"ada", &changed).is_err());
        }
        for length in 0..bytes.len() {
            let short = SealedSecret { text: STANDARD.encode(&bytes[..length]), ..sealed.clone() };
            assert!(both.open("totp", b"ada", &short).is_err());
        }
    }
}
