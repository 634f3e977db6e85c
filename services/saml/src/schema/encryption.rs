//! Encrypted assertions: the one shape that is accepted.
//!
//! The ciphertext and its key stand in the document. libxmlsec1 would also fetch them by `CipherReference` and
//! `RetrievalMethod`, and transform what it fetched.

use roxmltree::Node;

use super::{Children, attributes, empty, optional, required, text};
use crate::names::{ENCRYPTION, ENCRYPTION_11, RSA_OAEP, RSA_OAEP_MGF1P, SHA1, SHA256, SIGNATURE};
use crate::refusal::{Refusal, RefusalCode, quoted};
use crate::schema::signature::{decode, read_key_info};

/// How the assertion is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataAlgorithm {
    /// Bytes of the AES key.
    pub key_bytes: usize,
    /// Whether the mode is GCM, which notices changes; else CBC, which does not.
    pub is_authenticated: bool,
}

/// A hash inside RSA-OAEP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OaepHash {
    /// SHA-1, the default of XML Encryption.
    Sha1,
    /// SHA-256.
    Sha256,
}

/// An encrypted assertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encrypted {
    /// How the assertion is encrypted.
    pub algorithm: DataAlgorithm,
    /// The digest of RSA-OAEP.
    pub digest: OaepHash,
    /// The digest of its mask generation.
    pub mask: OaepHash,
    /// The encrypted AES key.
    pub key: Vec<u8>,
    /// The encrypted assertion.
    pub data: Vec<u8>,
    /// Where the whole element stands in the document, bytes.
    pub range: std::ops::Range<usize>,
}

impl Encrypted {
    /// Reads an `EncryptedAssertion`.
    pub(crate) fn read(node: Node<'_, '_>) -> Result<Self, Refusal> {
        attributes(node, &[])?;
        let mut children = Children::of(node)?;
        let data = children.next(ENCRYPTION, "EncryptedData")?;
        let beside = children.next_if(ENCRYPTION, "EncryptedKey");
        children.finish()?;

        attributes(data, &["Id", "Type"])?;
        if optional(data, "Type").is_some_and(|kind| kind != "http://www.w3.org/2001/04/xmlenc#Element") {
            return Err(Refusal::with(RefusalCode::EncryptionAlgorithm, "Type of EncryptedData"));
        }
        let mut parts = Children::of(data)?;
        let algorithm = read_data_algorithm(parts.next(ENCRYPTION, "EncryptionMethod")?)?;
        let within = parts.next_if(SIGNATURE, "KeyInfo").map(read_encrypted_key_info).transpose()?.flatten();
        let cipher = read_cipher(parts.next(ENCRYPTION, "CipherData")?)?;
        parts.finish()?;
        let key = match (within, beside) {
            (Some(key), None) | (None, Some(key)) => key,
            (None, None) => return Err(Refusal::with(RefusalCode::Missing, "EncryptedKey")),
            (Some(_), Some(_)) => return Err(super::unexpected(node)),
        };
        let (key, digest, mask) = read_encrypted_key(key)?;
        Ok(Self { algorithm, digest, mask, key, data: cipher, range: node.range() })
    }
}

fn refused(algorithm: &str) -> Refusal {
    Refusal::with(RefusalCode::EncryptionAlgorithm, quoted(algorithm))
}

fn read_data_algorithm(node: Node<'_, '_>) -> Result<DataAlgorithm, Refusal> {
    attributes(node, &["Algorithm"])?;
    let algorithm = required(node, "Algorithm")?;
    let (key_bytes, is_authenticated) = match algorithm.as_str() {
        "http://www.w3.org/2001/04/xmlenc#aes128-cbc" => (16, false),
        "http://www.w3.org/2001/04/xmlenc#aes192-cbc" => (24, false),
        "http://www.w3.org/2001/04/xmlenc#aes256-cbc" => (32, false),
        "http://www.w3.org/2009/xmlenc11#aes128-gcm" => (16, true),
        "http://www.w3.org/2009/xmlenc11#aes192-gcm" => (24, true),
        "http://www.w3.org/2009/xmlenc11#aes256-gcm" => (32, true),
        other => return Err(refused(other)),
    };
    let mut children = Children::of(node)?;
    if let Some(size) = children.next_if(ENCRYPTION, "KeySize") {
        text(size)?;
    }
    children.finish()?;
    Ok(DataAlgorithm { key_bytes, is_authenticated })
}

/// The `EncryptedKey` in the `KeyInfo` of `EncryptedData`, if it stands there.
fn read_encrypted_key_info<'a, 'input>(node: Node<'a, 'input>) -> Result<Option<Node<'a, 'input>>, Refusal> {
    attributes(node, &["Id"])?;
    let mut children = Children::of(node)?;
    let key = children.next_if(ENCRYPTION, "EncryptedKey");
    children.finish().map_err(|refusal| Refusal { code: RefusalCode::KeyInfo, ..refusal })?;
    Ok(key)
}

fn read_encrypted_key(node: Node<'_, '_>) -> Result<(Vec<u8>, OaepHash, OaepHash), Refusal> {
    attributes(node, &["Id", "Recipient"])?;
    let mut children = Children::of(node)?;
    let (digest, mask) = read_key_algorithm(children.next(ENCRYPTION, "EncryptionMethod")?)?;
    if let Some(info) = children.next_if(SIGNATURE, "KeyInfo") {
        read_key_info(info)?;
    }
    let cipher = read_cipher(children.next(ENCRYPTION, "CipherData")?)?;
    if let Some(list) = children.next_if(ENCRYPTION, "ReferenceList") {
        let mut references = Children::of(list)?;
        for reference in references.all(ENCRYPTION, "DataReference") {
            attributes(reference, &["URI"])?;
            if !required(reference, "URI")?.starts_with('#') {
                return Err(Refusal::with(RefusalCode::ForeignReference, "DataReference"));
            }
            empty(reference)?;
        }
        references.finish()?;
    }
    if let Some(name) = children.next_if(ENCRYPTION, "CarriedKeyName") {
        text(name)?;
    }
    children.finish()?;
    Ok((cipher, digest, mask))
}

fn read_key_algorithm(node: Node<'_, '_>) -> Result<(OaepHash, OaepHash), Refusal> {
    attributes(node, &["Algorithm"])?;
    let algorithm = required(node, "Algorithm")?;
    let mut children = Children::of(node)?;
    if children.next_if(ENCRYPTION, "KeySize").is_some() {
        return Err(refused("KeySize"));
    }
    let digest = match children.next_if(SIGNATURE, "DigestMethod") {
        Some(method) => read_hash(method)?,
        None => OaepHash::Sha1,
    };
    let mask = match (algorithm.as_str(), children.next_if(ENCRYPTION_11, "MGF")) {
        (RSA_OAEP_MGF1P, None) | (RSA_OAEP, None) => OaepHash::Sha1,
        (RSA_OAEP, Some(mask)) => {
            attributes(mask, &["Algorithm"])?;
            empty(mask)?;
            match required(mask, "Algorithm")?.as_str() {
                "http://www.w3.org/2009/xmlenc11#mgf1sha1" => OaepHash::Sha1,
                "http://www.w3.org/2009/xmlenc11#mgf1sha256" => OaepHash::Sha256,
                other => return Err(refused(other)),
            }
        }
        (other, _) => return Err(refused(other)),
    };
    // OAEPparams in particular.
    children.finish().map_err(|refusal| Refusal { code: RefusalCode::EncryptionAlgorithm, ..refusal })?;
    Ok((digest, mask))
}

fn read_hash(node: Node<'_, '_>) -> Result<OaepHash, Refusal> {
    attributes(node, &["Algorithm"])?;
    empty(node)?;
    match required(node, "Algorithm")?.as_str() {
        SHA1 => Ok(OaepHash::Sha1),
        SHA256 => Ok(OaepHash::Sha256),
        other => Err(refused(other)),
    }
}

/// The bytes in a `CipherData`; a `CipherReference` is refused like anything else.
fn read_cipher(node: Node<'_, '_>) -> Result<Vec<u8>, Refusal> {
    attributes(node, &[])?;
    let mut children = Children::of(node)?;
    let value = children.next(ENCRYPTION, "CipherValue")?;
    children.finish()?;
    attributes(value, &[])?;
    decode(&text(value)?).ok_or_else(|| Refusal::with(RefusalCode::BadValue, "CipherValue"))
}
