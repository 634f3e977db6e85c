//! Our keys towards identity providers, as they are made and as they stand in the database: encrypted under a key that
//! is derived from the master key, for their own row only.

use chrono::{DateTime, Utc};
use kinora_saml::{Refusal, ServiceKey};
use kinora_store::second_factors::totp::Sealed;
use kinora_store::single_sign_on::keys::{NewKey, SamlKeyRow};
use kinora_vault::{MasterKeys, SealedSecret, VaultError};
use uuid::Uuid;

/// What the key of the keys is derived for.
const PURPOSE: &str = "saml-key";
/// How long certificates of ours hold, days: three years.
const VALIDITY_DAYS: u32 = 1096;

/// Why a key cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It does not open.
    #[error("a key towards an identity provider: {0}")]
    Vault(#[from] VaultError),
    /// It is no key, or OpenSSL fails.
    #[error("a key towards an identity provider: {0}")]
    Saml(#[from] Refusal),
}

fn seal(keys: &MasterKeys, id: Uuid, secret: &[u8]) -> Result<Sealed, VaultError> {
    let SealedSecret { master_key_id, text } = keys.seal(PURPOSE, id.as_bytes(), secret)?;
    Ok(Sealed { master_key_id, text })
}

fn sealed(row: &SamlKeyRow) -> SealedSecret {
    SealedSecret { master_key_id: row.master_key_id.clone(), text: row.sealed_key.clone() }
}

/// Makes a key with a certificate for `host`. Takes a good part of a second: call it where it may block.
///
/// # Errors
/// [`KeyError`].
pub fn make(keys: &MasterKeys, host: &str, now: DateTime<Utc>) -> Result<NewKey, KeyError> {
    let id = Uuid::now_v7();
    let key = ServiceKey::generate(&format!("Kinora ({host})"), now, VALIDITY_DAYS)?;
    let certificate = key.certificate();
    Ok(NewKey {
        id,
        sealed: seal(keys, id, &key.secret_der()?)?,
        certificate: certificate.der().to_vec(),
        fingerprint: certificate.fingerprint(),
        not_after: certificate.not_after,
    })
}

/// The key of a row.
///
/// # Errors
/// [`KeyError`].
pub fn open(keys: &MasterKeys, row: &SamlKeyRow) -> Result<ServiceKey, KeyError> {
    let secret = keys.open(PURPOSE, row.id.as_bytes(), &sealed(row))?;
    Ok(ServiceKey::from_der(&secret, &row.certificate)?)
}

/// The same key, encrypted under the current master key.
///
/// # Errors
/// If it does not open with the master keys that are there.
pub fn reseal(keys: &MasterKeys, row: &SamlKeyRow) -> Result<Sealed, VaultError> {
    seal(keys, row.id, &keys.open(PURPOSE, row.id.as_bytes(), &sealed(row))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinora_store::single_sign_on::keys::SIGNING;

    fn row(key: &NewKey) -> SamlKeyRow {
        SamlKeyRow {
            id: key.id,
            connection_id: Uuid::now_v7(),
            role: SIGNING.to_owned(),
            master_key_id: key.sealed.master_key_id.clone(),
            sealed_key: key.sealed.text.clone(),
            certificate: key.certificate.clone(),
            not_after: key.not_after,
            created_at: Utc::now(),
        }
    }

    #[test]
    fn keys_open_for_their_own_row_only_and_under_a_new_master_key_when_resealed() {
        let old = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
        let new = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
        let keys = MasterKeys::parse(old).unwrap();
        let made = make(&keys, "kinora.example", Utc::now()).unwrap();
        let stored = row(&made);
        let opened = open(&keys, &stored).unwrap();
        assert_eq!(opened.certificate().fingerprint(), made.fingerprint);
        assert!(opened.certificate().subject.contains("kinora.example"));
        assert!(open(&keys, &SamlKeyRow { id: Uuid::now_v7(), ..stored.clone() }).is_err());
        let both = MasterKeys::parse(&format!("{new}\n{old}")).unwrap();
        let again = reseal(&both, &stored).unwrap();
        let moved = SamlKeyRow { master_key_id: again.master_key_id, sealed_key: again.text, ..stored };
        let alone = MasterKeys::parse(new).unwrap();
        assert_eq!(open(&alone, &moved).unwrap().secret_der().unwrap(), opened.secret_der().unwrap());
    }
}
