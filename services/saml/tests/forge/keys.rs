//! Fixed keys, so that the corpus can be made again. They protect nothing.

use kinora_saml::ServiceKey;
use openssl::pkey::PKey;
use openssl::x509::X509;

/// A private key as libxmlsec1 loads it, and its certificate, both DER.
#[derive(Clone, Debug)]
pub struct Key {
    pub private: Vec<u8>,
    pub certificate: Vec<u8>,
}

fn key(private: &[u8], certificate: &[u8]) -> Key {
    let private = PKey::private_key_from_pem(private).expect("a key");
    let private = match private.rsa() {
        Ok(rsa) => rsa.private_key_to_der().expect("DER"),
        Err(_) => private.ec_key().expect("RSA or EC").private_key_to_der().expect("DER"),
    };
    Key { private, certificate: X509::from_pem(certificate).expect("a certificate").to_der().expect("DER") }
}

macro_rules! keys {
    ($($name:ident = $file:literal;)*) => {
        $(pub fn $name() -> Key {
            key(
                include_bytes!(concat!("../keys/", $file, ".pem")),
                include_bytes!(concat!("../keys/", $file, ".crt")),
            )
        })*
    };
}
keys! {
    provider = "idp";
    provider_next = "idp-next";
    p256 = "idp-p256";
    p384 = "idp-p384";
    other_provider = "other";
    attacker = "attacker";
    service_plain = "service";
    service_next_plain = "service-next";
}

/// A certificate with a key of 1024 bits.
pub fn weak_certificate() -> Vec<u8> {
    X509::from_pem(include_bytes!("../keys/weak.crt")).expect("a certificate").to_der().expect("DER")
}

fn service_key(key: &Key) -> ServiceKey {
    let private = PKey::private_key_from_der(&key.private).expect("a key");
    let pkcs8 = private.private_key_to_pkcs8().expect("DER");
    ServiceKey::from_der(&pkcs8, &key.certificate).expect("a key and its certificate")
}

/// Our key.
pub fn service() -> ServiceKey {
    service_key(&service_plain())
}

/// The key that follows ours.
pub fn service_next() -> ServiceKey {
    service_key(&service_next_plain())
}
