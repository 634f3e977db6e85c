//! Our own keys: what we sign with and what is encrypted for us.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use openssl::x509::{X509, X509Name};

use crate::certificate::Certificate;
use crate::refusal::{Refusal, RefusalCode};

/// Size of the keys we make, bits.
const RSA_BITS: u32 = 3072;

/// An RSA key of ours with its self-signed certificate. It signs our requests, and assertions are encrypted for it.
#[derive(Clone)]
pub struct ServiceKey {
    key: PKey<Private>,
    certificate: Certificate,
}

impl std::fmt::Debug for ServiceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServiceKey")
            .field("certificate", &self.certificate.fingerprint())
            .finish_non_exhaustive()
    }
}

impl ServiceKey {
    /// Makes a key and a certificate for `name` that holds from `now` for `days`.
    ///
    /// # Errors
    /// [`RefusalCode::Internal`] if there is no randomness.
    pub fn generate(name: &str, now: DateTime<Utc>, days: u32) -> Result<Self, Refusal> {
        let made = || -> Result<(PKey<Private>, Vec<u8>), ErrorStack> {
            let key = PKey::from_rsa(Rsa::generate(RSA_BITS)?)?;
            let der = self_signed(&key, name, now, days)?.to_der()?;
            Ok((key, der))
        };
        let (key, der) = made().map_err(internal)?;
        Ok(Self { key, certificate: Certificate::from_der(&der)? })
    }

    /// Takes a key (PKCS #8, DER) and its certificate (DER) as they were stored.
    ///
    /// # Errors
    /// [`RefusalCode::BadCertificate`] if they cannot be read, do not belong together, or are not RSA.
    pub fn from_der(key: &[u8], certificate: &[u8]) -> Result<Self, Refusal> {
        let certificate = Certificate::from_der(certificate)?;
        let key = PKey::private_key_from_pkcs8(key).map_err(|_| RefusalCode::BadCertificate)?;
        if key.id() != Id::RSA || !key.public_eq(&*certificate.public_key()?) {
            return Err(RefusalCode::BadCertificate.into());
        }
        Ok(Self { key, certificate })
    }

    /// The key in PKCS #8, DER: a secret.
    ///
    /// # Errors
    /// [`RefusalCode::Internal`] if OpenSSL cannot write it.
    pub fn secret_der(&self) -> Result<Vec<u8>, Refusal> {
        self.key.private_key_to_pkcs8().map_err(internal)
    }

    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(crate) fn key(&self) -> &PKey<Private> {
        &self.key
    }

    /// RSA PKCS #1 v1.5 with SHA-256, Base64.
    pub(crate) fn sign(&self, bytes: &[u8]) -> Result<String, Refusal> {
        let signed = || Signer::new(MessageDigest::sha256(), &self.key)?.sign_oneshot_to_vec(bytes);
        Ok(STANDARD.encode(signed().map_err(internal)?))
    }
}

/// 128 bits of randomness as a message's ID.
///
/// # Errors
/// [`RefusalCode::Internal`] if there is no randomness.
pub fn random_id() -> Result<String, Refusal> {
    let mut bytes = [0; 16];
    openssl::rand::rand_bytes(&mut bytes).map_err(internal)?;
    Ok(format!("_{}", hex::encode(bytes)))
}

pub(crate) fn internal(_: ErrorStack) -> Refusal {
    Refusal::with(RefusalCode::Internal, "OpenSSL refused an operation")
}

fn self_signed(key: &PKey<Private>, name: &str, now: DateTime<Utc>, days: u32) -> Result<X509, ErrorStack> {
    let mut subject = X509Name::builder()?;
    // A common name has at most 64 characters (X.520).
    subject.append_entry_by_text("CN", &name.chars().take(64).collect::<String>())?;
    let subject = subject.build();
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
    let serial = serial.to_asn1_integer()?;
    let (from, until) = (now.timestamp(), now.timestamp() + i64::from(days) * 86_400);
    let (from, until) = (Asn1Time::from_unix(from)?, Asn1Time::from_unix(until)?);
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&serial)?;
    builder.set_subject_name(&subject)?;
    builder.set_issuer_name(&subject)?;
    builder.set_pubkey(key)?;
    builder.set_not_before(&from)?;
    builder.set_not_after(&until)?;
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}
