//! Certificates of identity providers.
//!
//! They are trusted because the metadata names them, not because anyone signed them, so that only their keys matter; the
//! dates are for warnings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Public};
use openssl::x509::X509;
use sha2::{Digest as _, Sha256};

use crate::refusal::{Refusal, RefusalCode};

/// Least size of an RSA key, bits.
const RSA_BITS: u32 = 2048;

/// A certificate whose key is fit to verify with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    /// When it ends.
    pub not_after: DateTime<Utc>,
    /// Its subject, in words.
    pub subject: String,
}

impl Certificate {
    /// Takes a certificate in DER.
    ///
    /// # Errors
    /// [`RefusalCode::BadCertificate`] if it is none or its key is weak or of another kind.
    pub fn from_der(der: &[u8]) -> Result<Self, Refusal> {
        let bad = |why: &str| Refusal::with(RefusalCode::BadCertificate, why);
        let x509 = X509::from_der(der).map_err(|_| bad("it cannot be read"))?;
        // What is stored is what was parsed, without anything behind it.
        let der = x509.to_der().map_err(|_| bad("it cannot be read"))?;
        let key = x509.public_key().map_err(|_| bad("its key cannot be read"))?;
        check_strength(&key)?;
        Ok(Self {
            der,
            not_after: instant(x509.not_after()).ok_or_else(|| bad("its dates"))?,
            subject: subject(&x509),
        })
    }

    /// Takes a certificate in PEM, or the Base64 of its DER as metadata has it.
    ///
    /// # Errors
    /// As [`Self::from_der`].
    pub fn from_text(text: &str) -> Result<Self, Refusal> {
        let plain: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("-----"))
            .flat_map(str::chars)
            .filter(|c| !c.is_ascii_whitespace())
            .collect();
        let der = STANDARD.decode(plain);
        Self::from_der(&der.map_err(|_| Refusal::with(RefusalCode::BadCertificate, "it is not Base64"))?)
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the DER, hexadecimal, as administrators compare it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex::encode(Sha256::digest(&self.der))
    }

    /// The key.
    pub(crate) fn public_key(&self) -> Result<PKey<Public>, Refusal> {
        let key = X509::from_der(&self.der).and_then(|x509| x509.public_key());
        key.map_err(|_| RefusalCode::BadCertificate.into())
    }
}

fn check_strength(key: &PKey<Public>) -> Result<(), Refusal> {
    let strong =
        match key.id() {
            Id::RSA => (RSA_BITS..=16_384).contains(&key.bits()),
            Id::EC => key.ec_key().ok().and_then(|key| key.group().curve_name()).is_some_and(|curve| {
                [Nid::X9_62_PRIME256V1, Nid::SECP384R1, Nid::SECP521R1].contains(&curve)
            }),
            _ => false,
        };
    if strong {
        Ok(())
    } else {
        Err(Refusal::with(RefusalCode::BadCertificate, format_args!("{} bits", key.bits())))
    }
}

fn subject(x509: &X509) -> String {
    let names: Vec<String> =
        x509.subject_name().entries().filter_map(|entry| entry.data().to_string().ok()).collect();
    crate::refusal::quoted(&names.join(", "))
}

fn instant(time: &Asn1TimeRef) -> Option<DateTime<Utc>> {
    let difference = Asn1Time::from_unix(0).ok()?.diff(time).ok()?;
    DateTime::from_timestamp(i64::from(difference.days) * 86_400 + i64::from(difference.secs), 0)
}
