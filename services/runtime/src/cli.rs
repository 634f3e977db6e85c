//! The part of the command line that all roles share.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::credentials::{Credentials, TLS_KEY};
use crate::settings::{self, Settings};
use crate::tls;

/// Exit code for settings or secrets that cannot be used (`EX_CONFIG` of sysexits.h).
pub const EXIT_CONFIG: u8 = 78;

/// Options of every role; flatten it into the role's own arguments.
#[derive(Clone, Debug, clap::Args)]
pub struct CommonArguments {
    /// The settings file [default: /etc/kinora/ROLE.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub settings: Option<PathBuf>,
}

impl CommonArguments {
    /// The file to read for the role of `S`.
    #[must_use]
    pub fn settings_path<S: Settings>(&self) -> PathBuf {
        self.settings.clone().unwrap_or_else(|| default_settings_path(S::ROLE))
    }
}

/// Where the settings of `role` are installed.
#[must_use]
pub fn default_settings_path(role: &str) -> PathBuf {
    Path::new("/etc/kinora").join(format!("{role}.toml"))
}

/// The command `check-config`: reads the settings of a role and says whether it could start with
/// them: also whether certificates and keys belong together, and how long they hold. Secrets are looked
/// at only where a credentials directory is there (under systemd).
#[must_use]
pub fn check_config<S: Settings>(path: &Path) -> ExitCode {
    let settings = match settings::load::<S>(path) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    let credentials = Credentials::from_environment();
    let mut is_complete = true;
    let mut complain = |error: &dyn std::fmt::Display| {
        eprintln!("{error}");
        is_complete = false;
    };
    if credentials.is_available() {
        for name in settings::secret_names(&settings) {
            if let Err(error) = credentials.read(name) {
                complain(&error);
            }
        }
    }
    for (key, file) in settings.authority_files() {
        match tls::check_authorities(file) {
            Ok(told) => println!("{key} = {told}"),
            Err(error) => complain(&format_args!("{}: '{key}': {error}", path.display())),
        }
    }
    if let Some(files) = settings::tls_files(&settings) {
        // A missing key was told above.
        match files.check(credentials.read(TLS_KEY).ok().as_ref()) {
            Ok(told) => told.iter().for_each(|line| println!("[tls] {line}")),
            Err(error) => complain(&format_args!("{}: '[tls]': {error}", path.display())),
        }
    }
    if !is_complete {
        return ExitCode::from(EXIT_CONFIG);
    }
    if credentials.is_available() {
        println!("{}: the settings and secrets of the {} can be used", path.display(), S::ROLE);
    } else {
        println!(
            "{}: the settings of the {} can be used (secrets were not checked: no CREDENTIALS_DIRECTORY)",
            path.display(),
            S::ROLE,
        );
    }
    ExitCode::SUCCESS
}
