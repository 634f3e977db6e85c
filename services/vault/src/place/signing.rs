//! What the S3 client needs to sign requests, from OpenSSL, so that no second cryptography library is
//! linked.

use object_store::client::{
    CryptoProvider, DigestAlgorithm, DigestContext, HmacContext, Signer, SigningAlgorithm,
};
use openssl::hash::{Hasher, MessageDigest};
use openssl::pkey::PKey;
use openssl::sign;

type Result<T> = object_store::Result<T>;

fn failed(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> object_store::Error {
    object_store::Error::Generic { store: "OpenSSL", source: source.into() }
}

fn digest_of(algorithm: &DigestAlgorithm) -> Result<MessageDigest> {
    match algorithm {
        DigestAlgorithm::Sha256 => Ok(MessageDigest::sha256()),
        other => Err(failed(format!("{other:?} is not supported"))),
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct OpenSslProvider;

impl CryptoProvider for OpenSslProvider {
    fn digest(&self, algorithm: DigestAlgorithm) -> Result<Box<dyn DigestContext>> {
        let hasher = Hasher::new(digest_of(&algorithm)?).map_err(failed)?;
        Ok(Box::new(Digest { hasher, result: Ok(Vec::new()) }))
    }

    fn hmac(&self, algorithm: DigestAlgorithm, secret: &[u8]) -> Result<Box<dyn HmacContext>> {
        let key = PKey::hmac(secret).map_err(failed)?;
        let signer = sign::Signer::new(digest_of(&algorithm)?, &key).map_err(failed)?;
        Ok(Box::new(Hmac { signer, result: Ok(Vec::new()) }))
    }

    fn sign(&self, algorithm: SigningAlgorithm, _pem: &[u8]) -> Result<Box<dyn Signer>> {
        // Only Google's service accounts sign with RSA.
        Err(failed(format!("{algorithm:?} is not supported")))
    }
}

type Outcome = std::result::Result<Vec<u8>, openssl::error::ErrorStack>;

fn finished(result: &Outcome) -> Result<&[u8]> {
    result.as_deref().map_err(|error| failed(error.clone()))
}

struct Digest {
    hasher: Hasher,
    result: Outcome,
}

impl DigestContext for Digest {
    fn update(&mut self, data: &[u8]) {
        if let Err(error) = self.hasher.update(data) {
            self.result = Err(error);
        }
    }

    fn finish(&mut self) -> Result<&[u8]> {
        if self.result.is_ok() {
            self.result = self.hasher.finish().map(|bytes| bytes.to_vec());
        }
        finished(&self.result)
    }
}

struct Hmac {
    signer: sign::Signer<'static>,
    result: Outcome,
}

impl HmacContext for Hmac {
    fn update(&mut self, data: &[u8]) {
        if let Err(error) = self.signer.update(data) {
            self.result = Err(error);
        }
    }

    fn finish(&mut self) -> Result<&[u8]> {
        if self.result.is_ok() {
            self.result = self.signer.sign_to_vec();
        }
        finished(&self.result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        let mut digest = OpenSslProvider.digest(DigestAlgorithm::Sha256).unwrap();
        digest.update(b"a");
        digest.update(b"bc");
        // FIPS 180-4 example.
        assert_eq!(
            hex::encode(digest.finish().unwrap()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        // RFC 4231, test case 2.
        let mut hmac = OpenSslProvider.hmac(DigestAlgorithm::Sha256, b"Jefe").unwrap();
        hmac.update(b"what do ya want ");
        hmac.update(b"for nothing?");
        assert_eq!(
            hex::encode(hmac.finish().unwrap()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert!(OpenSslProvider.sign(SigningAlgorithm::RS256, b"").is_err());
    }
}
