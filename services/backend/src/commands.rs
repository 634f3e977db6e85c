//! Commands that do one thing and end.

use std::path::Path;
use std::process::ExitCode;

use kinora_runtime::cli::EXIT_CONFIG;
use kinora_runtime::credentials::{CANARY_TOKEN, Credentials, DATABASE_PASSWORD};
use kinora_runtime::settings::{self, SettingsError};
use kinora_runtime::{CredentialError, logging};
use kinora_store::audit::Origin;
use kinora_store::bootstrap::{self, Founding};
use kinora_store::pool::Connector;
use kinora_store::releases::{NotAVersion, RELEASES, Version};
use kinora_store::{StoreError, canary, migrations, passwords, releases};
use serde::Serialize;

use crate::BackendSettings;
use crate::upgrade_check::{self, Installed, Way};

/// Exit code of `upgrade-check` where something speaks against it; 1 where that could not be found out.
const EXIT_REFUSED: u8 = 3;

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A secret is missing.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No password could be made.
    #[error(transparent)]
    Password(#[from] passwords::PasswordError),
    /// The answer could not be written.
    #[error("the answer cannot be written: {0}")]
    Answer(#[from] serde_json::Error),
    /// A version that was given says nothing.
    #[error(transparent)]
    Version(#[from] NotAVersion),
    /// This release may not be installed here.
    #[error("{0}")]
    Refused(String),
}

/// Prints an error, if there is one, and gives the code to end with.
#[must_use]
pub fn exit_code(result: Result<(), CommandError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            match error {
                CommandError::Settings(_) | CommandError::Credential(_) => ExitCode::from(EXIT_CONFIG),
                CommandError::Refused(_) => ExitCode::from(EXIT_REFUSED),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn connect(path: &Path) -> Result<(BackendSettings, Connector), CommandError> {
    let settings: BackendSettings = settings::load(path)?;
    logging::install(&settings.log, "kinora-backend");
    let password = Credentials::from_environment().read_text(DATABASE_PASSWORD)?;
    let connector = Connector::new(&settings.database, password.expose_text(), "kinora-backend command");
    Ok((settings, connector))
}

/// The command `migrate`: prints one line of JSON with the versions that were applied.
///
/// # Errors
/// [`CommandError`].
pub fn migrate(path: &Path) -> Result<(), CommandError> {
    let (_, connector) = connect(path)?;
    let applied = migrations::migrate(&connector)?;
    if applied.is_empty() {
        log::info!("the schema is this release's already");
    } else {
        log::info!(versions = applied.join(","); "the schema was migrated");
    }
    println!("{}", serde_json::json!({ "applied": applied }));
    Ok(())
}

/// Arguments of the command `create-administrator`.
#[derive(Clone, Debug, clap::Args)]
pub struct NewAdministrator {
    /// What the person signs in with, usually an e-mail address
    #[arg(long)]
    login: String,
    /// The person's name
    #[arg(long)]
    name: String,
    /// The organisation, which is made as well
    #[arg(long)]
    organisation: String,
}

/// The command `create-administrator`: prints one line of JSON. Where an organisation exists already it
/// makes nothing and prints `{"already_present":true}`.
///
/// # Errors
/// [`CommandError`]; nothing was made then.
pub fn create_administrator(path: &Path, new: &NewAdministrator) -> Result<(), CommandError> {
    #[derive(Serialize)]
    struct Answer<'a> {
        login: &'a str,
        one_time_password: &'a str,
        person_id: kinora_core::PersonId,
        organisation_id: kinora_core::OrganisationId,
    }
    let (settings, connector) = connect(path)?;
    let mut connection = connector.connect()?;
    if bootstrap::has_organisation(&mut connection)? {
        println!("{{\"already_present\":true}}");
        return Ok(());
    }
    let password = passwords::generate()?;
    let hash = passwords::hash(&password, settings.password.cost)?;
    let founding = Founding {
        organisation: new.organisation.trim(),
        login: new.login.trim(),
        display_name: new.name.trim(),
        password_hash: &hash,
    };
    let origin = Origin::system("kinora-backend create-administrator");
    let founded = bootstrap::found_organisation(&mut connection, &origin, &founding)?;
    let answer = Answer {
        login: founding.login,
        one_time_password: &password,
        person_id: founded.person_id,
        organisation_id: founded.organisation_id,
    };
    println!("{}", serde_json::to_string(&answer)?);
    Ok(())
}

/// The command `prepare-canary`: the token comes as the secret `canary-token`. Prints one line of JSON with the production
/// in which canaries fly, and whether anything was changed.
///
/// # Errors
/// [`CommandError`]; nothing was changed then.
pub fn prepare_canary(path: &Path) -> Result<(), CommandError> {
    let (_, connector) = connect(path)?;
    let token = Credentials::from_environment().read_text(CANARY_TOKEN)?;
    let mut connection = connector.connect()?;
    let origin = Origin::system("kinora-backend prepare-canary");
    let prepared = canary::prepare(&mut connection, &origin, token.expose_text())?;
    println!(
        "{}",
        serde_json::json!({ "production_id": prepared.production_id, "changed": prepared.is_changed })
    );
    Ok(())
}

/// Arguments of the command `upgrade-check`.
#[derive(Clone, Debug, clap::Args)]
pub struct Upgrade {
    /// Look whether this release may be returned to, instead of whether it may follow
    #[arg(long)]
    back: bool,
    /// The version of one of Kinora's packages on a host, as dpkg says it; one for each
    #[arg(long = "installed", value_name = "VERSION")]
    installed: Vec<String>,
    /// A package of an engine on a host and its version; one for each
    #[arg(long = "engine", value_name = "PACKAGE=VERSION", value_parser = engine)]
    engines: Vec<(String, String)>,
}

fn engine(text: &str) -> Result<(String, String), String> {
    let (package, version) = text.split_once('=').ok_or("write PACKAGE=VERSION")?;
    Ok((package.to_owned(), version.to_owned()))
}

/// The command `upgrade-check`: prints what would be done, or says all that speaks against it. Changes nothing.
///
/// # Errors
/// [`CommandError::Refused`] where something speaks against it; others where that could not be found out.
pub fn check_upgrade(path: &Path, upgrade: &Upgrade) -> Result<(), CommandError> {
    let packages = upgrade.installed.iter().map(|text| text.parse()).collect::<Result<Vec<Version>, _>>()?;
    let (_, connector) = connect(path)?;
    let mut connection = connector.connect()?;
    let mut engines = vec![("postgresql".to_owned(), migrations::server_version(&mut connection)?)];
    engines.extend_from_slice(&upgrade.engines);
    let schema = migrations::compare(&mut connection)?;
    let recorded = releases::recorded(&mut connection)?;
    let installed = Installed { schema, recorded, packages, engines };
    let way = if upgrade.back { Way::Back } else { Way::On };
    let objections = upgrade_check::judge(way, RELEASES, &installed);
    if objections.is_empty() {
        println!("{}", upgrade_check::describe(way, RELEASES, &installed));
        return Ok(());
    }
    let lines: Vec<_> = objections.iter().map(|objection| format!("- {objection}")).collect();
    Err(CommandError::Refused(lines.join("\n")))
}
