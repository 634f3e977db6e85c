//! Web Authentication (W3C, level 3), the relying party's side: what a browser brings of a passkey is verified.
//!
//! No HTTP, no database: [`RelyingParty`] says whether bytes are right, its caller whether the challenge in them
//! was ours. Attestation is neither asked for nor looked at: which make an authenticator is of decides nothing
//! here. Signatures are OpenSSL's work. See `docs/adr/0013-second-factors.md` for why there is no library.

mod authenticator_data;
mod cbor;
mod keys;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::sha::sha256;
use serde::Deserialize;
use url::{Host, Url};

use authenticator_data::AuthenticatorData;
pub use keys::ALGORITHMS;

/// Length of the challenges that are made here.
pub const CHALLENGE_BYTES: usize = 32;
/// Longest part of an answer that is looked at.
const MAX_BYTES: usize = 64 * 1024;

/// Why something is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not what the specification says it is.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// It belongs to another ceremony, page or challenge.
    #[error("not meant for this: {0}")]
    Foreign(&'static str),
    /// The person was not there, or was not recognised by the authenticator.
    #[error("the person was not {0}")]
    Person(&'static str),
    /// The key is of a kind that was not offered.
    #[error("key not usable: {0}")]
    Key(&'static str),
    /// The signature is not by this key over these bytes.
    #[error("wrong signature")]
    Signature,
}

/// Who asks: the installation at its public address.
#[derive(Clone, Debug)]
pub struct RelyingParty {
    id: String,
    id_hash: [u8; 32],
    origin: String,
}

/// What a browser says it was asked.
#[derive(Debug, Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    ceremony: String,
    challenge: String,
    origin: String,
    #[serde(default, rename = "crossOrigin")]
    cross_origin: bool,
    #[serde(default, rename = "topOrigin")]
    top_origin: Option<String>,
}

/// A new credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The authenticator's id of it.
    pub credential_id: Vec<u8>,
    /// COSE algorithm.
    pub algorithm: i32,
    /// SubjectPublicKeyInfo, DER.
    pub public_key: Vec<u8>,
    /// Its counter.
    pub sign_count: u32,
    /// Whether it is kept on several devices.
    pub is_synced: bool,
}

/// What an authenticator signed, as the browser brings it.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The browser's JSON.
    pub client_data: &'a [u8],
    /// The authenticator's data.
    pub authenticator_data: &'a [u8],
    /// The signature over both.
    pub signature: &'a [u8],
}

/// Whether the authenticator must have recognised the person, by PIN, finger or face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserVerification {
    /// It must: the passkey stands for both factors.
    Required,
    /// Touching it is enough: the password was given as well.
    NotRequired,
}

impl RelyingParty {
    /// The installation at this address; none if it has no name but an IP address, for which browsers make no
    /// passkeys.
    #[must_use]
    pub fn at(public_url: &Url) -> Option<Self> {
        let Some(Host::Domain(domain)) = public_url.host() else { return None };
        Some(Self {
            id: domain.to_owned(),
            id_hash: sha256(domain.as_bytes()),
            origin: public_url.origin().ascii_serialization(),
        })
    }

    /// Its name for authenticators.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The challenge that a browser's JSON answers, once it is known to be from our page.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn challenge_of_registration(&self, client_data: &[u8]) -> Result<[u8; CHALLENGE_BYTES], Refusal> {
        self.challenge_of("webauthn.create", client_data)
    }

    /// The same of a signature.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn challenge_of_signature(&self, client_data: &[u8]) -> Result<[u8; CHALLENGE_BYTES], Refusal> {
        self.challenge_of("webauthn.get", client_data)
    }

    fn challenge_of(
        &self,
        ceremony: &'static str,
        client_data: &[u8],
    ) -> Result<[u8; CHALLENGE_BYTES], Refusal> {
        if client_data.len() > MAX_BYTES {
            return Err(Refusal::Malformed("the client data is too long"));
        }
        let data: ClientData = serde_json::from_slice(client_data)
            .map_err(|_| Refusal::Malformed("the client data is no JSON"))?;
        if data.ceremony != ceremony {
            return Err(Refusal::Foreign("another ceremony"));
        }
        if data.origin != self.origin || data.cross_origin || data.top_origin.is_some() {
            return Err(Refusal::Foreign("another page"));
        }
        let challenge = URL_SAFE_NO_PAD.decode(&data.challenge);
        challenge.ok().and_then(|bytes| bytes.try_into().ok()).ok_or(Refusal::Foreign("another challenge"))
    }

    /// A new credential out of an attestation object (section 7.1). That the challenge was ours is the
    /// caller's to know; `user_verification` is not asked for here.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn register(&self, attestation_object: &[u8]) -> Result<Registered, Refusal> {
        if attestation_object.len() > MAX_BYTES {
            return Err(Refusal::Malformed("the attestation object is too long"));
        }
        let object = cbor::decode_all(attestation_object)?;
        let data = object.text_key("authData").and_then(cbor::Value::bytes);
        let data = AuthenticatorData::parse(data.ok_or(Refusal::Malformed("no authenticator data"))?)?;
        self.check(&data, UserVerification::NotRequired)?;
        let credential = data.credential.ok_or(Refusal::Malformed("no credential"))?;
        let (algorithm, public_key) = keys::read(&credential.public_key)?;
        Ok(Registered {
            credential_id: credential.id.to_vec(),
            algorithm,
            public_key,
            sign_count: data.sign_count,
            is_synced: data.is_backed_up,
        })
    }

    /// Verifies a signature by a registered key (section 7.2); gives the authenticator's counter. That the
    /// challenge was ours is the caller's to know, and that the counter has grown.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn verify(
        &self,
        (algorithm, public_key): (i32, &[u8]),
        signed: Signed<'_>,
        user_verification: UserVerification,
    ) -> Result<u32, Refusal> {
        let lengths = [signed.authenticator_data.len(), signed.signature.len(), signed.client_data.len()];
        if lengths.iter().any(|length| *length > MAX_BYTES) {
            return Err(Refusal::Malformed("too long"));
        }
        let data = AuthenticatorData::parse(signed.authenticator_data)?;
        self.check(&data, user_verification)?;
        let message = [signed.authenticator_data, &sha256(signed.client_data)].concat();
        keys::verify(algorithm, public_key, &message, signed.signature)?;
        Ok(data.sign_count)
    }

    fn check(
        &self,
        data: &AuthenticatorData<'_>,
        user_verification: UserVerification,
    ) -> Result<(), Refusal> {
        if data.rp_id_hash != self.id_hash {
            return Err(Refusal::Foreign("another installation"));
        }
        if !data.is_user_present {
            return Err(Refusal::Person("present"));
        }
        if user_verification == UserVerification::Required && !data.is_user_verified {
            return Err(Refusal::Person("verified"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
