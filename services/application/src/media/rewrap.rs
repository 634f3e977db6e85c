//! The command `rewrap-keys`: the second half of a change of the master key.
//!
//! It belongs to the application because that role has both the database and the master keys already: no
//! other process has to be trusted with more. It neither reads nor writes media, only the wrapped keys and the sealed secrets in the
//! database, in small transactions, while everything runs; it may be stopped and repeated at any point.

use std::path::Path;
use std::process::ExitCode;

use diesel::pg::PgConnection;
use kinora_runtime::cli::EXIT_CONFIG;
use kinora_runtime::credentials::{Credentials, DATABASE_PASSWORD, VAULT_MASTER_KEY};
use kinora_runtime::settings::{self, SettingsError};
use kinora_runtime::{CredentialError, logging};
use kinora_store::StoreError;
use kinora_store::audit::Origin;
use kinora_store::object_keys::{self, WrappedKey};
use kinora_store::pool::Connector;
use kinora_store::second_factors::totp;
use kinora_store::single_sign_on::keys as saml_keys;
use kinora_vault::{MasterKeys, VaultError};

use crate::accounts::factors::authenticator;
use crate::settings::ApplicationSettings;
use crate::single_sign_on;

/// Keys replaced in one transaction.
const BATCH: usize = 500;

/// Why not all keys were wrapped anew.
#[derive(Debug, thiserror::Error)]
enum RewrapError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Credential(#[from] CredentialError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("vault-master-key: {0}")]
    Keys(VaultError),
    #[error(
        "the authenticator app of person {person}: {cause}. Put every master key that was ever current and is still \
         in use into vault-master-key, one a line, the new one first, and run this again."
    )]
    Factor { person: kinora_core::PersonId, cause: VaultError },
    #[error(
        "the key {key} towards an identity provider: {cause}. Put every master key that was ever current and is still \
         in use into vault-master-key, one a line, the new one first, and run this again."
    )]
    SamlKey { key: uuid::Uuid, cause: VaultError },
    #[error(
        "object {object}: {cause}. {done} keys were wrapped anew. Put every master key that was ever current \
         and is still in use into vault-master-key, one a line, the new one first, and run this again."
    )]
    Key { object: kinora_core::ObjectId, cause: VaultError, done: usize },
}

/// Wraps all data keys with the first master key of the credential. Prints what it did.
#[must_use]
pub fn run(path: &Path) -> ExitCode {
    match rewrap_all(path) {
        Ok((done, current)) => {
            println!(
                "{done} data keys were wrapped anew; all are wrapped by master key {current} now. When no run \
                 is under way, the other lines of vault-master-key can go, on every host."
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            match error {
                RewrapError::Settings(_) | RewrapError::Credential(_) | RewrapError::Keys(_) => {
                    ExitCode::from(EXIT_CONFIG)
                }
                RewrapError::Store(_)
                | RewrapError::Factor { .. }
                | RewrapError::SamlKey { .. }
                | RewrapError::Key { .. } => ExitCode::FAILURE,
            }
        }
    }
}

fn rewrap_all(path: &Path) -> Result<(usize, String), RewrapError> {
    let settings: ApplicationSettings = settings::load(path)?;
    logging::install(&settings.log, "kinora-application");
    let credentials = Credentials::from_environment();
    let keys = credentials.read_text(VAULT_MASTER_KEY)?;
    let keys = MasterKeys::parse(keys.expose_text()).map_err(RewrapError::Keys)?;
    let password = credentials.read_text(DATABASE_PASSWORD)?;
    let connector = Connector::new(&settings.database, password.expose_text(), "kinora-application command");
    let mut connection = connector.connect()?;
    let origin = Origin::system("kinora-application rewrap-keys");
    reseal_factors(&mut connection, &origin, &keys)?;
    reseal_saml_keys(&mut connection, &origin, &keys)?;
    let mut done = 0;
    loop {
        let found = object_keys::find_wrapped_by_others(&mut connection, keys.current_id(), BATCH)?;
        if found.is_empty() {
            return Ok((done, keys.current_id().to_owned()));
        }
        let mut pairs = Vec::with_capacity(found.len());
        for old in found {
            let (master_key_id, wrapped_key) = keys
                .rewrap(old.object_id, &old.master_key_id, &old.wrapped_key)
                .map_err(|cause| RewrapError::Key { object: old.object_id, cause, done })?;
            pairs.push((old.clone(), WrappedKey { master_key_id, wrapped_key, ..old }));
        }
        done += object_keys::replace(&mut connection, &origin, &pairs)?;
    }
}

/// Encrypts the secrets of authenticator apps anew, which are sealed under keys derived from the master keys.
fn reseal_factors(
    connection: &mut PgConnection,
    origin: &Origin,
    keys: &MasterKeys,
) -> Result<(), RewrapError> {
    loop {
        let found = totp::find_sealed_by_others(connection, keys.current_id(), BATCH)?;
        if found.is_empty() {
            return Ok(());
        }
        let mut pairs = Vec::with_capacity(found.len());
        for old in found {
            let new = authenticator::reseal(keys, old.person, &old.sealed)
                .map_err(|cause| RewrapError::Factor { person: old.person, cause })?;
            pairs.push((old, new));
        }
        let _ = totp::reseal(connection, origin, &pairs)?;
    }
}

/// Encrypts our keys towards identity providers anew, in the same way.
fn reseal_saml_keys(
    connection: &mut PgConnection,
    origin: &Origin,
    keys: &MasterKeys,
) -> Result<(), RewrapError> {
    loop {
        let found = saml_keys::find_sealed_by_others(connection, keys.current_id(), BATCH)?;
        if found.is_empty() {
            return Ok(());
        }
        let mut pairs = Vec::with_capacity(found.len());
        for old in found {
            let new = single_sign_on::keys::reseal(keys, &old)
                .map_err(|cause| RewrapError::SamlKey { key: old.id, cause })?;
            pairs.push((old, new));
        }
        let _ = saml_keys::reseal(connection, origin, &pairs)?;
    }
}
