//! The bytes that an authenticator signs (section 6.1).

use super::Refusal;
use super::cbor::{self, Value};

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const HAS_CREDENTIAL: u8 = 0x40;
const HAS_EXTENSIONS: u8 = 0x80;
/// Longest credential id.
const MAX_CREDENTIAL_ID: usize = 1023;

/// A credential that was just made.
#[derive(Debug)]
pub(super) struct Credential<'a> {
    pub(super) id: &'a [u8],
    pub(super) public_key: Value<'a>,
}

/// The authenticator's data.
#[derive(Debug)]
pub(super) struct AuthenticatorData<'a> {
    pub(super) rp_id_hash: [u8; 32],
    pub(super) is_user_present: bool,
    pub(super) is_user_verified: bool,
    pub(super) is_backed_up: bool,
    pub(super) sign_count: u32,
    pub(super) credential: Option<Credential<'a>>,
}

const SHORT: Refusal = Refusal::Malformed("the authenticator data is too short");

fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), Refusal> {
    let (head, rest) = bytes.split_first_chunk::<N>().ok_or(SHORT)?;
    Ok((*head, rest))
}

impl<'a> AuthenticatorData<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let (rp_id_hash, rest) = take::<32>(bytes)?;
        let ([flags], rest) = take::<1>(rest)?;
        let (counter, mut rest) = take::<4>(rest)?;
        let has = |flag: u8| flags & flag != 0;
        let mut credential = None;
        if has(HAS_CREDENTIAL) {
            let (_model, after) = take::<16>(rest)?;
            let (length, after) = take::<2>(after)?;
            let length = usize::from(u16::from_be_bytes(length));
            if !(1..=MAX_CREDENTIAL_ID).contains(&length) {
                return Err(Refusal::Malformed("the credential id has no allowed length"));
            }
            let (id, after) = after.split_at_checked(length).ok_or(SHORT)?;
            let (public_key, after) = cbor::decode(after)?;
            credential = Some(Credential { id, public_key });
            rest = after;
        }
        if has(HAS_EXTENSIONS) {
            let (extensions, after) = cbor::decode(rest)?;
            if !matches!(extensions, Value::Map(_)) {
                return Err(Refusal::Malformed("extensions are no map"));
            }
            rest = after;
        }
        if !rest.is_empty() {
            return Err(Refusal::Malformed("bytes after the authenticator data"));
        }
        if has(BACKED_UP) && !has(BACKUP_ELIGIBLE) {
            return Err(Refusal::Malformed("backed up without being eligible"));
        }
        Ok(Self {
            rp_id_hash,
            is_user_present: has(USER_PRESENT),
            is_user_verified: has(USER_VERIFIED),
            is_backed_up: has(BACKED_UP),
            sign_count: u32::from_be_bytes(counter),
            credential,
        })
    }
}
