//! Tokens, their digests, and what is derived from the session key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kinora_core::{PersonId, SessionId};
use kinora_runtime::Secret;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rand::rand_bytes;
use openssl::sign::Signer;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use sha2::{Digest as _, Sha256};

pub use kinora_store::token_text::{
    Digest, EMAIL_CODE_DIGITS, TOKEN_PREFIX, digest, hint_of, is_access_token, is_provisioning_token,
    new_access_token, new_email_code, new_provisioning_token, random_token,
};

const NONCE: usize = 12;
const TAG: usize = 16;

/// Keys derived from the credential `session-key`.
#[derive(Clone)]
pub struct Keys {
    csrf: [u8; 32],
    email_code: [u8; 32],
    seal: [u8; 32],
    cursor: Mac,
}

/// HMAC-SHA-256 (RFC 2104) with a key that was hashed into both states beforehand. OpenSSL looks the
/// algorithm up for each signature, which takes ten times as long as signing something short.
#[derive(Clone)]
struct Mac {
    inner: Sha256,
    outer: Sha256,
}

impl Mac {
    fn new(key: &[u8; 32]) -> Self {
        let state = |pad: u8| Sha256::new().chain_update(key.map(|byte| byte ^ pad)).chain_update([pad; 32]);
        Self { inner: state(0x36), outer: state(0x5C) }
    }

    fn sign(&self, parts: &[&[u8]]) -> [u8; 32] {
        let inner = parts.iter().fold(self.inner.clone(), |state, part| state.chain_update(part));
        self.outer.clone().chain_update(inner.finalize()).finalize().into()
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], ErrorStack> {
    let key = PKey::hmac(key)?;
    let mut signer = Signer::new(MessageDigest::sha256(), &key)?;
    for part in parts {
        signer.update(part)?;
    }
    let mut out = [0_u8; 32];
    signer.sign(&mut out)?;
    Ok(out)
}

impl Keys {
    /// Derives the keys.
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn derive(session_key: &Secret) -> Result<Self, ErrorStack> {
        let derive = |purpose: &str| hmac(session_key.expose(), &[b"kinora ", purpose.as_bytes()]);
        Ok(Self {
            csrf: derive("csrf")?,
            email_code: derive("email code")?,
            seal: derive("seal")?,
            cursor: Mac::new(&derive("cursor")?),
        })
    }

    /// The token that requests of a session carry in `X-CSRF-Token`. It is bound to the session and
    /// its cookie, and needs no row.
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn csrf_token(&self, session: SessionId, cookie: &Digest) -> Result<String, ErrorStack> {
        Ok(URL_SAFE_NO_PAD.encode(hmac(&self.csrf, &[session.0.as_bytes(), cookie])?))
    }

    /// Whether this is the session's token; takes the same time for all wrong ones.
    #[must_use]
    pub fn is_csrf_token(&self, session: SessionId, cookie: &Digest, token: &str) -> bool {
        self.csrf_token(session, cookie).is_ok_and(|expected| {
            expected.len() == token.len() && openssl::memcmp::eq(expected.as_bytes(), token.as_bytes())
        })
    }

    /// What is stored of a code that was sent by mail: nothing from which its few digits could be found by trying.
    /// It is bound to the person and to the cookie of the browser that asked for it.
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn email_code_digest(
        &self,
        person: PersonId,
        bound_to: &Digest,
        code: &str,
    ) -> Result<Digest, ErrorStack> {
        hmac(&self.email_code, &[person.0.as_bytes(), bound_to, code.as_bytes()])
    }

    /// Encrypts what is stored only to be given back to whoever made it (AES-256-GCM).
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn seal(&self, context: &[u8], content: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let mut sealed = vec![0_u8; NONCE];
        rand_bytes(&mut sealed)?;
        let mut tag = [0_u8; TAG];
        let text =
            encrypt_aead(Cipher::aes_256_gcm(), &self.seal, Some(&sealed), context, content, &mut tag)?;
        sealed.extend_from_slice(&text);
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Decrypts what [`Keys::seal`] made in the same context; none if it is anything else.
    #[must_use]
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_at_checked(NONCE)?;
        let (text, tag) = rest.split_at_checked(rest.len().checked_sub(TAG)?)?;
        decrypt_aead(Cipher::aes_256_gcm(), &self.seal, Some(nonce), context, text, tag).ok()
    }

    /// Proves that a cursor was made here, for this list.
    #[must_use]
    pub fn sign_cursor(&self, list: &[u8], position: &[u8]) -> [u8; 32] {
        self.cursor.sign(&[&(list.len() as u64).to_be_bytes(), list, position])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::derive(&Secret::new([7_u8; 32])).unwrap()
    }

    #[test]
    fn csrf_tokens_belong_to_one_session() {
        let (keys, session) = (keys(), SessionId::new());
        let token = keys.csrf_token(session, &[1; 32]).unwrap();
        assert!(keys.is_csrf_token(session, &[1; 32], &token));
        assert!(!keys.is_csrf_token(SessionId::new(), &[1; 32], &token));
        assert!(!keys.is_csrf_token(session, &[2; 32], &token));
        assert!(!keys.is_csrf_token(session, &[1; 32], ""));
    }

    #[test]
    fn what_is_stored_of_a_code_belongs_to_one_person_and_browser() {
        let (keys, person) = (keys(), PersonId::new());
        let stored = keys.email_code_digest(person, &[1; 32], "12345678").unwrap();
        assert_eq!(keys.email_code_digest(person, &[1; 32], "12345678").unwrap(), stored);
        assert_ne!(keys.email_code_digest(PersonId::new(), &[1; 32], "12345678").unwrap(), stored);
        assert_ne!(keys.email_code_digest(person, &[2; 32], "12345678").unwrap(), stored);
        assert_ne!(keys.email_code_digest(person, &[1; 32], "12345679").unwrap(), stored);
        let others = Keys::derive(&Secret::new([8_u8; 32])).unwrap();
        assert_ne!(others.email_code_digest(person, &[1; 32], "12345678").unwrap(), stored);
    }

    #[test]
    fn the_prepared_key_signs_as_openssl_does() {
        for parts in [&[][..], &[b"".as_slice()], &[b"what do ya want ", b"for nothing?"], &[&[7; 200]]] {
            for key in [[0; 32], [0xAA; 32], *b"0123456789abcdef0123456789abcdef"] {
                assert_eq!(Mac::new(&key).sign(parts), hmac(&key, parts).unwrap());
            }
        }
    }

    #[test]
    fn sealed_content_opens_only_in_its_context() {
        let keys = keys();
        let sealed = keys.seal(b"a", b"secret").unwrap();
        assert_eq!(keys.open(b"a", &sealed).as_deref(), Some(&b"secret"[..]));
        assert_eq!(keys.open(b"b", &sealed), None);
        assert_eq!(keys.open(b"a", b"short"), None);
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
    }
}
