//! An authenticator in software: makes passkeys with P-256 and signs with them, as a phone would.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kinora_tests::{Answer, Client};
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::world::text;

/// A passkey, and where it believes to be used.
#[derive(Clone)]
pub struct SoftwareKey {
    pub key: PKey<Private>,
    pub id: Vec<u8>,
    pub user_handle: String,
    pub origin: String,
    pub rp_id: String,
    pub flags: u8,
    pub counter: u32,
    pub cross_origin: bool,
}

/// The person was there, and was recognised.
pub const PRESENT_AND_VERIFIED: u8 = 0x05;
/// The person was there.
pub const PRESENT: u8 = 0x01;

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl SoftwareKey {
    pub fn new(origin: &str) -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        Self {
            key,
            id: uuid::Uuid::new_v4().as_bytes().to_vec(),
            user_handle: String::new(),
            origin: origin.to_owned(),
            rp_id: "localhost".to_owned(),
            flags: PRESENT_AND_VERIFIED,
            counter: 1,
            cross_origin: false,
        }
    }

    fn client_data(&self, ceremony: &str, challenge: &str) -> Vec<u8> {
        let data = json!({
            "type": ceremony, "challenge": challenge, "origin": self.origin, "crossOrigin": self.cross_origin,
        });
        data.to_string().into_bytes()
    }

    fn head(&self, flags: u8) -> Vec<u8> {
        let mut data = Sha256::digest(&self.rp_id).to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// The public key as COSE, written out by hand.
    fn cose(&self) -> Vec<u8> {
        let key = self.key.ec_key().unwrap();
        let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
        let mut context = BigNumContext::new().unwrap();
        key.public_key().affine_coordinates(key.group(), &mut x, &mut y, &mut context).unwrap();
        let mut cose = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        cose.extend(x.to_vec_padded(32).unwrap());
        cose.extend([0x22, 0x58, 0x20]);
        cose.extend(y.to_vec_padded(32).unwrap());
        cose
    }

    /// What `add_passkey` is sent for this challenge.
    pub fn creation(&self, name: &str, challenge: &str) -> Value {
        let mut data = self.head(self.flags | 0x40);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(self.cose());
        // {"fmt": "none", "attStmt": {}, "authData": …}
        let mut object = vec![0xa3, 0x63];
        object.extend(b"fmt");
        object.extend([0x64]);
        object.extend(b"none");
        object.extend([0x67]);
        object.extend(b"attStmt");
        object.extend([0xa0, 0x68]);
        object.extend(b"authData");
        object.extend([0x58, u8::try_from(data.len()).unwrap()]);
        object.extend(data);
        json!({
            "name": name,
            "client_data": b64(&self.client_data("webauthn.create", challenge)),
            "attestation_object": b64(&object),
            "transports": ["internal", "hybrid", "from-the-future"],
        })
    }

    /// A signature over this challenge; the counter grows.
    pub fn sign(&mut self, challenge: &str) -> Value {
        self.counter += 1;
        let client_data = self.client_data("webauthn.get", challenge);
        let authenticator_data = self.head(self.flags);
        let mut signer = Signer::new(MessageDigest::sha256(), &self.key).unwrap();
        signer.update(&authenticator_data).unwrap();
        signer.update(&Sha256::digest(&client_data)).unwrap();
        json!({
            "credential_id": b64(&self.id),
            "client_data": b64(&client_data),
            "authenticator_data": b64(&authenticator_data),
            "signature": b64(&signer.sign_to_vec().unwrap()),
            "user_handle": if self.user_handle.is_empty() { Value::Null } else { json!(self.user_handle) },
        })
    }

    /// Adds it to the account of somebody who is signed in.
    pub async fn enrol(&mut self, client: &mut Client, name: &str) -> Answer {
        let asked =
            client.post("/api/data/v1/account/passkeys/challenge", &json!({})).await.expect(200).json();
        self.user_handle = text(&asked, "/user_id");
        let body = self.creation(name, &text(&asked, "/challenge"));
        client.post("/api/data/v1/account/passkeys", &body).await
    }

    /// Asks at `path` for a challenge and signs it.
    pub async fn answer(&mut self, client: &mut Client, path: &str) -> Value {
        let asked = client.post(path, &json!({})).await.expect(200).json();
        self.sign(&text(&asked, "/challenge"))
    }
}
