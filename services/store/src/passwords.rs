//! How passwords are kept: bcrypt over a digest of the password.
//!
//! bcrypt reads only 72 bytes, and stops at a zero byte. So it is given 64 characters instead:
//! Base64 of HMAC-SHA-384 of the password (NFKC) under a fixed key. The key is no secret; it keeps
//! digests of passwords that leaked elsewhere from being tried here. See
//! `docs/adr/0006-passwords.md`.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD};
use bcrypt::BcryptError;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rand::rand_bytes;
use openssl::sign::Signer;
use unicode_normalization::UnicodeNormalization as _;

/// Longest password that is looked at: more would only cost time.
pub const MAX_BYTES: usize = 1024;

const KEY: &[u8] = b"kinora password v1";

/// Characters that cannot be mistaken for one another when read aloud or from paper.
const CLEAR: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789x";

/// Why a password could not be hashed or verified.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Longer than [`MAX_BYTES`].
    #[error("the password is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// OpenSSL failed.
    #[error("OpenSSL: {0}")]
    Digest(#[from] ErrorStack),
    /// bcrypt failed.
    #[error("bcrypt: {0}")]
    Bcrypt(#[from] BcryptError),
}

fn prepare(password: &str) -> Result<String, PasswordError> {
    if password.len() > MAX_BYTES {
        return Err(PasswordError::TooLong);
    }
    let normal: String = password.nfkc().collect();
    let key = PKey::hmac(KEY)?;
    let mut signer = Signer::new(MessageDigest::sha384(), &key)?;
    signer.update(normal.as_bytes())?;
    Ok(STANDARD.encode(signer.sign_to_vec()?))
}

/// Hashes a password; takes about a quarter of a second at cost 12.
///
/// # Errors
/// [`PasswordError`].
pub fn hash(password: &str, cost: u32) -> Result<String, PasswordError> {
    Ok(bcrypt::non_truncating_hash(prepare(password)?, cost)?)
}

/// Whether the password is the one that was hashed; takes as long as hashing.
///
/// # Errors
/// [`PasswordError`], also if `hash` is none.
pub fn verify(password: &str, hash: &str) -> Result<bool, PasswordError> {
    Ok(bcrypt::non_truncating_verify(prepare(password)?, hash)?)
}

/// What no password hashes to, and verifying takes as long against as against any hash of that cost: for sign-ins of
/// people who do not exist. Made without hashing: `$2b$COST$`, 16 random bytes of salt, 23 of digest.
///
/// # Errors
/// If the system gives no random bytes.
pub fn of_nobody(cost: u32) -> Result<String, PasswordError> {
    const LETTERS: GeneralPurpose = GeneralPurpose::new(&BCRYPT, NO_PAD);
    let (mut salt, mut digest) = ([0_u8; 16], [0_u8; 23]);
    rand_bytes(&mut salt)?;
    rand_bytes(&mut digest)?;
    Ok(format!("$2b${cost:02}${}{}", LETTERS.encode(salt), LETTERS.encode(digest)))
}

/// Whether the hash was made with a lower cost than is wanted now.
#[must_use]
pub fn is_outdated(hash: &str, cost: u32) -> bool {
    cost_of(hash).is_none_or(|made| made < cost)
}

/// The costs of comparisons that, together with the one against `hash`, are as much work as one at `cost`: each step
/// doubles the work, so those from the hash's own cost on make up the rest. None for a hash of that cost or a higher one.
#[must_use]
pub fn costs_that_make_up(hash: &str, cost: u32) -> Range<u32> {
    cost_of(hash).unwrap_or(cost)..cost
}

fn cost_of(hash: &str) -> Option<u32> {
    // $2b$12$…
    hash.split('$').nth(2)?.parse().ok()
}

/// A random one-time password of about 138 bits, in groups that are easy to read.
///
/// # Errors
/// If the system gives no random bytes.
pub fn generate() -> Result<String, PasswordError> {
    let mut bytes = [0_u8; 28];
    rand_bytes(&mut bytes)?;
    let mut password = String::new();
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 && index % 5 == 0 {
            password.push('-');
        }
        password.extend(CLEAR.get(usize::from(byte & 31)).map(|letter| char::from(*letter)));
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: u32 = 4;

    #[test]
    fn every_byte_of_a_long_password_counts() {
        let long = "a".repeat(200);
        let hashed = hash(&long, CHEAP).unwrap();
        assert!(verify(&long, &hashed).unwrap());
        assert!(!verify(&format!("{}b", "a".repeat(199)), &hashed).unwrap());
        assert!(!verify(&"a".repeat(72), &hashed).unwrap());
    }

    #[test]
    fn the_hash_of_nobody_is_one_of_that_cost() {
        let (nobody, somebody) = (of_nobody(CHEAP).unwrap(), hash("x", CHEAP).unwrap());
        assert_eq!(nobody.len(), somebody.len());
        assert!(!is_outdated(&nobody, CHEAP) && is_outdated(&nobody, CHEAP + 1));
        // That it is looked at, and not refused for its form, is what makes it take as long.
        assert!(!verify("x", &nobody).unwrap());
        assert_ne!(nobody, of_nobody(CHEAP).unwrap());
    }

    #[test]
    fn a_zero_byte_ends_nothing() {
        let hashed = hash("one\0two", CHEAP).unwrap();
        assert!(!verify("one\0three", &hashed).unwrap());
    }

    #[test]
    fn the_same_letters_typed_differently_are_the_same_password() {
        let hashed = hash("pässwörd", CHEAP).unwrap();
        assert!(verify("pa\u{308}sswo\u{308}rd", &hashed).unwrap());
    }

    #[test]
    fn too_long_ones_are_refused_before_any_work() {
        assert!(matches!(hash(&"x".repeat(MAX_BYTES + 1), CHEAP), Err(PasswordError::TooLong)));
    }

    #[test]
    fn costs_are_compared() {
        let hashed = hash("x", CHEAP).unwrap();
        assert!(is_outdated(&hashed, CHEAP + 1));
        assert!(!is_outdated(&hashed, CHEAP));
        assert!(is_outdated("nonsense", CHEAP));
    }

    #[test]
    fn what_makes_up_for_a_lower_cost_is_exactly_the_rest() {
        for made in CHEAP..=15 {
            let hash = of_nobody(made).unwrap();
            let rest: u64 = costs_that_make_up(&hash, 15).map(|cost| 1 << cost).sum();
            assert_eq!((1_u64 << made) + rest, 1 << 15, "made with {made}");
        }
        assert!(costs_that_make_up(&of_nobody(CHEAP + 1).unwrap(), CHEAP).is_empty());
    }

    #[test]
    fn one_time_passwords_differ() {
        let password = generate().unwrap();
        assert_eq!(password.len(), 33);
        assert_ne!(password, generate().unwrap());
    }
}
