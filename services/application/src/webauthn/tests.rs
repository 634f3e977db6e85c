//! The relying party against an authenticator in software, and against every bit of its answers.

use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;

use super::*;

const CHALLENGE: [u8; 32] = [7; 32];

fn party() -> RelyingParty {
    RelyingParty::at(&Url::parse("https://kinora.studio.example").unwrap()).unwrap()
}

fn client_data(ceremony: &str, origin: &str, more: &str) -> Vec<u8> {
    let challenge = URL_SAFE_NO_PAD.encode(CHALLENGE);
    format!("{{\"type\":\"{ceremony}\",\"challenge\":\"{challenge}\",\"origin\":\"{origin}\"{more}}}")
        .into_bytes()
}

/// A private key and its public part as COSE.
fn keys() -> Vec<(i32, PKey<Private>, Vec<u8>)> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let ec = EcKey::generate(&group).unwrap();
    let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
    ec.public_key().affine_coordinates(&group, &mut x, &mut y, &mut BigNumContext::new().unwrap()).unwrap();
    let es256 = [
        &[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20][..],
        &x.to_vec_padded(32).unwrap(),
        &[0x22, 0x58, 0x20],
        &y.to_vec_padded(32).unwrap(),
    ]
    .concat();
    let ed = PKey::generate_ed25519().unwrap();
    let eddsa =
        [&[0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20][..], &ed.raw_public_key().unwrap()]
            .concat();
    let rsa = Rsa::generate(2048).unwrap();
    let rs256 = [
        &[0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20, 0x59, 0x01, 0x00][..],
        &rsa.n().to_vec(),
        &[0x21, 0x43, 0x01, 0x00, 0x01],
    ]
    .concat();
    vec![
        (-7, PKey::from_ec_key(ec).unwrap(), es256),
        (-8, ed, eddsa),
        (-257, PKey::from_rsa(rsa).unwrap(), rs256),
    ]
}

fn authenticator_data(flags: u8, credential: Option<&[u8]>) -> Vec<u8> {
    let mut data = sha256(b"kinora.studio.example").to_vec();
    data.push(flags | if credential.is_some() { 0x40 } else { 0 });
    data.extend([0, 0, 0, 9]);
    if let Some(cose) = credential {
        data.extend([0; 16]);
        data.extend([0, 4, 1, 2, 3, 4]);
        data.extend(cose);
    }
    data
}

fn attestation(data: &[u8]) -> Vec<u8> {
    let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
    object.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    object.extend(data);
    object
}

fn sign(key: &PKey<Private>, algorithm: i32, data: &[u8], client_data: &[u8]) -> Vec<u8> {
    let message = [data, &sha256(client_data)].concat();
    let mut signer = if algorithm == -8 {
        Signer::new_without_digest(key).unwrap()
    } else {
        Signer::new(MessageDigest::sha256(), key).unwrap()
    };
    signer.sign_oneshot_to_vec(&message).unwrap()
}

#[test]
fn all_offered_algorithms_are_enrolled_and_verified_and_no_changed_bit_is() {
    let party = party();
    for (algorithm, key, cose) in keys() {
        let made = party.register(&attestation(&authenticator_data(0x1d, Some(&cose)))).unwrap();
        assert_eq!((made.algorithm, made.sign_count, made.is_synced), (algorithm, 9, true));
        assert_eq!(made.credential_id, [1, 2, 3, 4]);
        assert!(ALGORITHMS.contains(&algorithm));
        let client = client_data("webauthn.get", "https://kinora.studio.example", "");
        assert_eq!(party.challenge_of_signature(&client), Ok(CHALLENGE));
        let data = authenticator_data(0x05, None);
        let signature = sign(&key, algorithm, &data, &client);
        let verify = |client_data: &[u8], authenticator_data: &[u8], signature: &[u8]| {
            let signed = Signed { client_data, authenticator_data, signature };
            party.verify((algorithm, &made.public_key), signed, UserVerification::Required)
        };
        assert_eq!(verify(&client, &data, &signature), Ok(9));
        let flip = |bytes: &[u8], bit: usize| {
            let mut changed = bytes.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            changed
        };
        for bit in 0..data.len() * 8 {
            assert!(verify(&client, &flip(&data, bit), &signature).is_err(), "{algorithm} data {bit}");
        }
        for bit in 0..client.len() * 8 {
            assert!(verify(&flip(&client, bit), &data, &signature).is_err(), "{algorithm} client {bit}");
        }
        for bit in 0..signature.len() * 8 {
            assert!(verify(&client, &data, &flip(&signature, bit)).is_err(), "{algorithm} signature {bit}");
        }
        for length in 0..signature.len() {
            assert!(verify(&client, &data, &signature[..length]).is_err());
        }
        // The key under the name of another algorithm.
        for other in [-7, -8, -257, -37, 0] {
            let signed = Signed { client_data: &client, authenticator_data: &data, signature: &signature };
            let found = party.verify((other, &made.public_key), signed, UserVerification::Required);
            assert_eq!(found.is_ok(), other == algorithm, "{algorithm} as {other}");
        }
    }
}

#[test]
fn pages_ceremonies_and_flags_are_looked_at() {
    let party = party();
    let here = "https://kinora.studio.example";
    for (ceremony, origin, more) in [
        ("webauthn.create", here, ""),
        ("payment.get", here, ""),
        ("webauthn.get", "https://evil.example", ""),
        ("webauthn.get", "http://kinora.studio.example", ""),
        ("webauthn.get", "https://kinora.studio.example:444", ""),
        ("webauthn.get", "https://kinora.studio.example.evil.example", ""),
        ("webauthn.get", here, ",\"crossOrigin\":true"),
        ("webauthn.get", here, ",\"topOrigin\":\"https://evil.example\""),
        ("webauthn.get", here, ",\"type\":\"webauthn.get\""),
    ] {
        let found = party.challenge_of_signature(&client_data(ceremony, origin, more));
        assert!(found.is_err(), "{ceremony} {origin} {more}");
    }
    let extended = client_data("webauthn.get", here, ",\"crossOrigin\":false,\"from the future\":[1]");
    assert_eq!(party.challenge_of_signature(&extended), Ok(CHALLENGE));
    assert!(party.challenge_of_registration(&extended).is_err());
    assert!(party.challenge_of_signature(b"{}").is_err());
    assert!(party.challenge_of_signature(&[b' '; MAX_BYTES + 1]).is_err());

    let (algorithm, key, cose) = keys().remove(0);
    let made = party.register(&attestation(&authenticator_data(0x05, Some(&cose)))).unwrap();
    let client = client_data("webauthn.get", here, "");
    for (flags, verification, expected) in [
        (0x05, UserVerification::Required, Ok(9)),
        (0x01, UserVerification::Required, Err(Refusal::Person("verified"))),
        (0x01, UserVerification::NotRequired, Ok(9)),
        (0x04, UserVerification::NotRequired, Err(Refusal::Person("present"))),
        (0x15, UserVerification::Required, Err(Refusal::Malformed("backed up without being eligible"))),
    ] {
        let data = authenticator_data(flags, None);
        let signature = sign(&key, algorithm, &data, &client);
        let signed = Signed { client_data: &client, authenticator_data: &data, signature: &signature };
        assert_eq!(party.verify((algorithm, &made.public_key), signed, verification), expected, "{flags:#x}");
    }
    assert!(RelyingParty::at(&Url::parse("https://192.0.2.1").unwrap()).is_none());
}

#[test]
fn broken_enrolments_are_refused_and_nothing_panics() {
    let party = party();
    for (_, _, cose) in keys() {
        let object = attestation(&authenticator_data(0x05, Some(&cose)));
        for length in 0..object.len() {
            assert!(party.register(&object[..length]).is_err());
        }
        assert!(party.register(&[object.as_slice(), &[0]].concat()).is_err());
        for bit in 0..object.len() * 8 {
            let mut changed = object.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let _ = party.register(&changed);
        }
    }
    // A point that is not on the curve; a short RSA key; a kind nobody offered.
    let off = [
        &[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20][..],
        &[1; 32],
        &[0x22, 0x58, 0x20],
        &[1; 32],
    ];
    let short = [
        &[0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20, 0x58, 0x80][..],
        &[0xff; 128],
        &[0x21, 0x43, 1, 0, 1],
        &[],
    ];
    let other =
        [&[0xa5, 0x01, 0x02, 0x03, 0x38, 0x22, 0x20, 0x02, 0x21, 0x41, 1, 0x22, 0x41, 1][..], &[], &[], &[]];
    for cose in [off.concat(), short.concat(), other.concat(), vec![0xa0], vec![0x80]] {
        let found = party.register(&attestation(&authenticator_data(0x05, Some(&cose))));
        assert!(matches!(found, Err(Refusal::Key(_))), "{found:?}");
    }
    assert!(party.register(&attestation(&authenticator_data(0x05, None))).is_err());
}
