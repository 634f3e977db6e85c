//! Decryption of assertions: AES (128, 192, 256; CBC, GCM) under RSA-OAEP, with OpenSSL.
//!
//! Every failure is the same refusal, whatever it was that did not fit. CBC is only decrypted once a verified signature
//! covers it (the caller sees to that), because its padding would tell whoever may change the ciphertext what stands
//! in it.

use openssl::cipher::{Cipher, CipherRef};
use openssl::cipher_ctx::CipherCtx;
use openssl::error::ErrorStack;
use openssl::md::{Md, MdRef};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;

use crate::keys::ServiceKey;
use crate::refusal::{Refusal, RefusalCode};
use crate::schema::encryption::{DataAlgorithm, Encrypted, OaepHash};

/// Bytes of an AES block, and of its initialisation vector in CBC.
const BLOCK: usize = 16;
/// Bytes of a nonce in GCM.
const NONCE: usize = 12;
/// Bytes of a tag in GCM.
const TAG: usize = 16;

/// Decrypts with the first of `keys` that fits.
pub(crate) fn decrypt(encrypted: &Encrypted, keys: &[&ServiceKey]) -> Result<Vec<u8>, Refusal> {
    keys.iter()
        .find_map(|key| {
            let secret = unwrap_key(encrypted, key).ok()?;
            if secret.len() != encrypted.algorithm.key_bytes {
                return None;
            }
            decrypt_data(encrypted.algorithm, &secret, &encrypted.data)
        })
        .ok_or_else(|| RefusalCode::NotDecrypted.into())
}

fn unwrap_key(encrypted: &Encrypted, key: &ServiceKey) -> Result<Vec<u8>, ErrorStack> {
    let mut context = PkeyCtx::new(key.key())?;
    context.decrypt_init()?;
    context.set_rsa_padding(Padding::PKCS1_OAEP)?;
    context.set_rsa_oaep_md(digest(encrypted.digest))?;
    context.set_rsa_mgf1_md(digest(encrypted.mask))?;
    let mut secret = Vec::new();
    context.decrypt_to_vec(&encrypted.key, &mut secret)?;
    Ok(secret)
}

fn digest(hash: OaepHash) -> &'static MdRef {
    match hash {
        OaepHash::Sha1 => Md::sha1(),
        OaepHash::Sha256 => Md::sha256(),
    }
}

fn decrypt_data(algorithm: DataAlgorithm, secret: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    if algorithm.is_authenticated {
        open_gcm(algorithm, secret, data)
    } else {
        open_cbc(algorithm, secret, data)
    }
}

fn open_gcm(algorithm: DataAlgorithm, secret: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let cipher = match algorithm.key_bytes {
        16 => Cipher::aes_128_gcm(),
        24 => Cipher::aes_192_gcm(),
        _ => Cipher::aes_256_gcm(),
    };
    let (nonce, rest) = data.split_at_checked(NONCE)?;
    let (sealed, tag) = rest.split_at_checked(rest.len().checked_sub(TAG)?)?;
    run(cipher, secret, nonce, sealed, Some(tag)).ok()
}

fn open_cbc(algorithm: DataAlgorithm, secret: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let cipher = match algorithm.key_bytes {
        16 => Cipher::aes_128_cbc(),
        24 => Cipher::aes_192_cbc(),
        _ => Cipher::aes_256_cbc(),
    };
    let (start, sealed) = data.split_at_checked(BLOCK)?;
    if sealed.is_empty() || sealed.len() % BLOCK != 0 {
        return None;
    }
    let mut plain = run(cipher, secret, start, sealed, None).ok()?;
    // XML Encryption's padding: only the last byte says something, which is how many bytes are padding.
    let padding = usize::from(*plain.last()?);
    let length = (1..=BLOCK).contains(&padding).then(|| plain.len().checked_sub(padding))??;
    plain.truncate(length);
    Some(plain)
}

fn run(
    cipher: &CipherRef,
    secret: &[u8],
    start: &[u8],
    sealed: &[u8],
    tag: Option<&[u8]>,
) -> Result<Vec<u8>, ErrorStack> {
    let mut context = CipherCtx::new()?;
    context.decrypt_init(Some(cipher), Some(secret), Some(start))?;
    context.set_padding(false);
    let mut plain = Vec::with_capacity(sealed.len() + BLOCK);
    context.cipher_update_vec(sealed, &mut plain)?;
    if let Some(tag) = tag {
        context.set_tag(tag)?;
    }
    context.cipher_final_vec(&mut plain)?;
    Ok(plain)
}
