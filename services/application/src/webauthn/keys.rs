//! Public keys of passkeys: from COSE (RFC 9052, 9053) to OpenSSL, and signatures by them.

use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Public};
use openssl::rsa::Rsa;
use openssl::sign::Verifier;

use super::Refusal;
use super::cbor::Value;

/// ECDSA with P-256 and SHA-256.
const ES256: i32 = -7;
/// Ed25519.
const EDDSA: i32 = -8;
/// RSASSA-PKCS1-v1_5 with SHA-256.
const RS256: i32 = -257;
/// What authenticators are offered, the best first.
pub const ALGORITHMS: [i32; 3] = [EDDSA, ES256, RS256];

const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

/// The algorithm and the SubjectPublicKeyInfo of a COSE key.
pub(super) fn read(key: &Value<'_>) -> Result<(i32, Vec<u8>), Refusal> {
    let number = |label: i64| key.int_key(label).and_then(Value::int);
    let bytes = |label: i64| key.int_key(label).and_then(Value::bytes).ok_or(Refusal::Key("incomplete"));
    let (kind, algorithm, curve) = (number(1), number(3), number(-1));
    let unusable = |_: ErrorStack| Refusal::Key("not a point or number of its kind");
    let (algorithm, key) = match (kind, algorithm, curve) {
        (Some(2), Some(-7), Some(1)) => (ES256, p256(bytes(-2)?, bytes(-3)?).map_err(unusable)?),
        (Some(1), Some(-8), Some(6)) => {
            (EDDSA, PKey::public_key_from_raw_bytes(bytes(-2)?, Id::ED25519).map_err(unusable)?)
        }
        (Some(3), Some(-257), None) => {
            let key = rsa(bytes(-1)?, bytes(-2)?).map_err(unusable)?;
            if !RSA_BITS.contains(&key.bits()) {
                return Err(Refusal::Key("too short or too long"));
            }
            (RS256, key)
        }
        _ => return Err(Refusal::Key("another algorithm")),
    };
    Ok((algorithm, key.public_key_to_der().map_err(unusable)?))
}

fn p256(x: &[u8], y: &[u8]) -> Result<PKey<Public>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let (x, y) = (BigNum::from_slice(x)?, BigNum::from_slice(y)?);
    // Refuses what is not on the curve.
    PKey::from_ec_key(EcKey::from_public_key_affine_coordinates(&group, &x, &y)?)
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<PKey<Public>, ErrorStack> {
    PKey::from_rsa(Rsa::from_public_components(BigNum::from_slice(modulus)?, BigNum::from_slice(exponent)?)?)
}

/// Whether the signature over `message` is by this key.
pub(super) fn verify(
    algorithm: i32,
    public_key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), Refusal> {
    let key =
        PKey::public_key_from_der(public_key).map_err(|_| Refusal::Key("not stored as it should be"))?;
    let is_right = match (algorithm, key.id()) {
        (EDDSA, Id::ED25519) => Verifier::new_without_digest(&key),
        (ES256, Id::EC) | (RS256, Id::RSA) => Verifier::new(MessageDigest::sha256(), &key),
        _ => return Err(Refusal::Key("another algorithm")),
    }
    // A signature that cannot be read is an error to OpenSSL, and wrong to us.
    .and_then(|mut verifier| verifier.verify_oneshot(signature, message))
    .unwrap_or(false);
    if is_right { Ok(()) } else { Err(Refusal::Signature) }
}
