//! Encrypts assertions (XML Encryption), well and badly.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;
use openssl::md::Md;
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use openssl::x509::X509;

use super::{DS, keys};

const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
const XENC11: &str = "http://www.w3.org/2009/xmlenc11#";

/// How to encrypt.
#[derive(Clone, Debug)]
pub struct Scheme {
    /// `aes128-gcm` and so on.
    pub data: &'static str,
    /// `rsa-oaep-mgf1p`, `rsa-oaep` or `rsa-1_5`.
    pub key: &'static str,
    /// Whether OAEP hashes with SHA-256.
    pub is_sha256: bool,
    /// For whom.
    pub recipient: Vec<u8>,
    /// Whether the key stands beside the data instead of in it.
    pub is_beside: bool,
    /// Changes of the result.
    pub changes: Vec<(String, String)>,
}

/// AES-256-GCM for us.
pub fn gcm() -> Scheme {
    scheme("aes256-gcm", "rsa-oaep-mgf1p")
}

pub fn scheme(data: &'static str, key: &'static str) -> Scheme {
    Scheme {
        data,
        key,
        is_sha256: false,
        recipient: keys::service_plain().certificate,
        is_beside: false,
        changes: Vec::new(),
    }
}

/// `EncryptedData`, with its key.
pub fn encrypted(scheme: &Scheme, plain: &[u8]) -> String {
    let (cipher, is_gcm) = match scheme.data {
        "aes128-cbc" => (Cipher::aes_128_cbc(), false),
        "aes192-cbc" => (Cipher::aes_192_cbc(), false),
        "aes256-cbc" => (Cipher::aes_256_cbc(), false),
        "aes128-gcm" => (Cipher::aes_128_gcm(), true),
        "aes192-gcm" => (Cipher::aes_192_gcm(), true),
        _ => (Cipher::aes_256_gcm(), true),
    };
    let (key, start) = (vec![7; cipher.key_length()], vec![9; cipher.iv_length()]);
    let mut context = CipherCtx::new().expect("a context");
    context.encrypt_init(Some(cipher), Some(&key), Some(&start)).expect("a key");
    context.set_padding(false);
    let mut padded = plain.to_vec();
    if !is_gcm {
        let padding = 16 - plain.len() % 16;
        padded.resize(plain.len() + padding, u8::try_from(padding).expect("at most 16"));
    }
    let mut data = start;
    context.cipher_update_vec(&padded, &mut data).expect("encrypts");
    context.cipher_final_vec(&mut data).expect("encrypts");
    if is_gcm {
        let mut tag = [0; 16];
        context.tag(&mut tag).expect("a tag");
        data.extend_from_slice(&tag);
    }
    let mut xml = written(scheme, &wrapped(scheme, &key), &data, if is_gcm { XENC11 } else { XENC });
    for (from, to) in &scheme.changes {
        assert!(xml.contains(from), "{from} is not in {xml}");
        xml = xml.replace(from, to);
    }
    xml
}

fn wrapped(scheme: &Scheme, key: &[u8]) -> Vec<u8> {
    let public = X509::from_der(&scheme.recipient).and_then(|c| c.public_key()).expect("a key");
    let mut context = PkeyCtx::new(&public).expect("a context");
    context.encrypt_init().expect("can encrypt");
    if scheme.key == "rsa-1_5" {
        context.set_rsa_padding(Padding::PKCS1).expect("padding");
    } else {
        let hash = if scheme.is_sha256 { Md::sha256() } else { Md::sha1() };
        context.set_rsa_padding(Padding::PKCS1_OAEP).expect("padding");
        context.set_rsa_oaep_md(hash).expect("a hash");
        // XML Encryption 1.0 has its mask always over SHA-1.
        context.set_rsa_mgf1_md(if scheme.key == "rsa-oaep" { hash } else { Md::sha1() }).expect("a hash");
    }
    let mut wrapped = Vec::new();
    context.encrypt_to_vec(key, &mut wrapped).expect("encrypts");
    wrapped
}

fn written(scheme: &Scheme, key: &[u8], data: &[u8], data_namespace: &str) -> String {
    let method_namespace = if scheme.key == "rsa-oaep" { XENC11 } else { XENC };
    let hash = if scheme.is_sha256 { format!("{XENC}sha256") } else { format!("{DS}sha1") };
    let mask = if scheme.key == "rsa-oaep" {
        let mask = if scheme.is_sha256 { "mgf1sha256" } else { "mgf1sha1" };
        format!("<xenc11:MGF xmlns:xenc11=\"{XENC11}\" Algorithm=\"{XENC11}{mask}\"/>")
    } else {
        String::new()
    };
    let parameters = if scheme.key == "rsa-1_5" {
        String::new()
    } else {
        format!("<ds:DigestMethod xmlns:ds=\"{DS}\" Algorithm=\"{hash}\"/>{mask}")
    };
    let encrypted_key = format!(
        "<xenc:EncryptedKey xmlns:xenc=\"{XENC}\"><xenc:EncryptionMethod Algorithm=\"{method_namespace}{}\">{parameters}\
         </xenc:EncryptionMethod><xenc:CipherData><xenc:CipherValue>{}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>",
        scheme.key,
        STANDARD.encode(key),
    );
    let (within, beside) = if scheme.is_beside {
        (String::new(), encrypted_key)
    } else {
        (format!("<ds:KeyInfo xmlns:ds=\"{DS}\">{encrypted_key}</ds:KeyInfo>"), String::new())
    };
    format!(
        "<xenc:EncryptedData xmlns:xenc=\"{XENC}\" Type=\"{XENC}Element\"><xenc:EncryptionMethod \
         Algorithm=\"{data_namespace}{}\"/>{within}<xenc:CipherData><xenc:CipherValue>{}</xenc:CipherValue></xenc:CipherData>\
         </xenc:EncryptedData>{beside}",
        scheme.data,
        STANDARD.encode(data),
    )
}
