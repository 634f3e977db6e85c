//! A certificate authority of a test's own.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};

pub struct Authority {
    pub certificate: X509,
    key: PKey<Private>,
    directory: PathBuf,
}

/// A certificate and its key.
#[derive(Clone)]
pub struct Identity {
    pub certificate: X509,
    pub key: PKey<Private>,
}

fn new_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn name(text: &str) -> X509Name {
    let mut names = X509NameBuilder::new().unwrap();
    names.append_entry_by_nid(Nid::COMMONNAME, text).unwrap();
    names.build()
}

fn begin(subject: &X509Name, key: &PKey<Private>) -> X509Builder {
    let mut serial = BigNum::new().unwrap();
    serial.rand(64, MsbOption::MAYBE_ZERO, false).unwrap();
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&Asn1Integer::from_bn(&serial).unwrap()).unwrap();
    builder.set_subject_name(subject).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(30).unwrap()).unwrap();
    builder
}

impl Authority {
    /// One whose certificate is in a file in `directory`.
    pub fn new(directory: &Path, title: &str) -> Self {
        let (key, subject) = (new_key(), name(title));
        let mut builder = begin(&subject, &key);
        builder.set_issuer_name(&subject).unwrap();
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        let directory = directory.join(title);
        std::fs::create_dir_all(&directory).unwrap();
        let authority = Self { certificate: builder.build(), key, directory };
        std::fs::write(authority.file(), authority.certificate.to_pem().unwrap()).unwrap();
        authority
    }

    /// Where its certificate is.
    pub fn file(&self) -> PathBuf {
        self.directory.join("authorities.pem")
    }

    /// A certificate for these names and addresses.
    pub fn issue(&self, names: &[&str]) -> Identity {
        let key = new_key();
        let mut builder = begin(&name("host"), &key);
        builder.set_issuer_name(self.certificate.subject_name()).unwrap();
        let mut alternative = SubjectAlternativeName::new();
        for name in names {
            match name.parse::<IpAddr>() {
                Ok(_) => alternative.ip(name),
                Err(_) => alternative.dns(name),
            };
        }
        let names = alternative.build(&builder.x509v3_context(Some(&self.certificate), None)).unwrap();
        builder.append_extension(names).unwrap();
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        Identity { certificate: builder.build(), key }
    }
}

impl Identity {
    /// Writes `host.pem` and `host.key` into `directory`.
    pub fn write(&self, directory: &Path) {
        std::fs::create_dir_all(directory).unwrap();
        std::fs::write(directory.join("host.pem"), self.certificate.to_pem().unwrap()).unwrap();
        std::fs::write(directory.join("host.key"), self.key_pem()).unwrap();
    }

    pub fn key_pem(&self) -> Vec<u8> {
        self.key.private_key_to_pem_pkcs8().unwrap()
    }
}
