//! Tokens, their digests, and what is derived from the session key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kinora_core::SessionId;
use kinora_runtime::Secret;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rand::rand_bytes;
use openssl::sign::Signer;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use sha2::{Digest as _, Sha256};

/// SHA-256 of a token: what the database keeps of it.
pub type Digest = [u8; 32];

/// What API access tokens begin with, so that scanners find those that leaked.
pub const TOKEN_PREFIX: &str = "kinora_";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 43 of 62 characters: 256 bits.
const TOKEN_BODY: usize = 43;
const TOKEN_CHECK: usize = 6;
const NONCE: usize = 12;
const TAG: usize = 16;

/// SHA-256 of a token.
#[must_use]
pub fn digest(token: &str) -> Digest {
    Sha256::digest(token.as_bytes()).into()
}

/// 32 random bytes as text that fits into URLs and cookies.
///
/// # Errors
/// If the system gives no random bytes.
pub fn random_token() -> Result<String, ErrorStack> {
    let mut bytes = [0_u8; 32];
    rand_bytes(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn letters(bytes: impl IntoIterator<Item = u8>) -> String {
    bytes.into_iter().filter_map(|byte| ALPHABET.get(usize::from(byte)).copied()).map(char::from).collect()
}

/// Six characters that tell a mistyped token from a revoked one without a look into the database.
fn check_of(body: &str) -> String {
    let hash = Sha256::digest(format!("kinora token check {body}").as_bytes());
    letters(hash.iter().take(TOKEN_CHECK).map(|byte| byte % 62))
}

/// A new API access token: prefix, 256 random bits, check characters.
///
/// # Errors
/// If the system gives no random bytes.
pub fn new_access_token() -> Result<String, ErrorStack> {
    let mut body = String::new();
    while body.len() < TOKEN_BODY {
        let mut bytes = [0_u8; 64];
        rand_bytes(&mut bytes)?;
        // Only values below 62 are used, so that all characters are equally likely.
        let usable = bytes.into_iter().map(|byte| byte & 63).filter(|value| *value < 62);
        body.push_str(&letters(usable.take(TOKEN_BODY - body.len())));
    }
    Ok(format!("{TOKEN_PREFIX}{body}{}", check_of(&body)))
}

/// Whether the text can be an API access token at all.
#[must_use]
pub fn is_access_token(text: &str) -> bool {
    text.strip_prefix(TOKEN_PREFIX)
        .and_then(|rest| rest.split_at_checked(TOKEN_BODY))
        .is_some_and(|(body, check)| check == check_of(body))
}

/// The last characters of a token, to tell tokens apart in a list.
#[must_use]
pub fn hint_of(token: &str) -> String {
    token.chars().skip(token.chars().count().saturating_sub(4)).collect()
}

/// Keys derived from the credential `session-key`.
#[derive(Clone)]
pub struct Keys {
    csrf: [u8; 32],
    seal: [u8; 32],
    cursor: [u8; 32],
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
        Ok(Self { csrf: derive("csrf")?, seal: derive("seal")?, cursor: derive("cursor")? })
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

    /// Encrypts what is stored only to be given back to whoever made it (AES-256-GCM).
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn seal(&self, context: &[u8], content: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let mut sealed = vec![0_u8; NONCE];
        rand_bytes(&mut sealed)?;
        let mut tag = [0_u8; TAG];
        let text = encrypt_aead(Cipher::aes_256_gcm(), &self.seal, Some(&sealed), context, content, &mut tag)?;
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
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn sign_cursor(&self, list: &[u8], position: &[u8]) -> Result<[u8; 32], ErrorStack> {
        hmac(&self.cursor, &[&(list.len() as u64).to_be_bytes(), list, position])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::derive(&Secret::new([7_u8; 32])).unwrap()
    }

    #[test]
    fn access_tokens_are_recognisable_and_checked() {
        let token = new_access_token().unwrap();
        assert_eq!(token.len(), TOKEN_PREFIX.len() + TOKEN_BODY + TOKEN_CHECK);
        assert!(is_access_token(&token));
        assert_ne!(token, new_access_token().unwrap());
        assert!(!is_access_token(&token.replace("kinora_", "github_")));
        let last = if token.ends_with('A') { "B" } else { "A" };
        assert!(!is_access_token(&format!("{}{last}", &token[..token.len() - 1])));
        assert!(!is_access_token("kinora_é"));
        assert!(token.ends_with(&hint_of(&token)));
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
    fn sealed_content_opens_only_in_its_context() {
        let keys = keys();
        let sealed = keys.seal(b"a", b"secret").unwrap();
        assert_eq!(keys.open(b"a", &sealed).as_deref(), Some(&b"secret"[..]));
        assert_eq!(keys.open(b"b", &sealed), None);
        assert_eq!(keys.open(b"a", b"short"), None);
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
    }
}
