//! The part of the command line that all roles share.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::credentials::Credentials;
use crate::settings::{self, Settings};

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
/// them. Secrets are looked at only where a credentials directory is there (under systemd).
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
    if credentials.is_available() {
        let mut complete = true;
        for name in settings.secret_names() {
            if let Err(error) = credentials.read(name) {
                eprintln!("{error}");
                complete = false;
            }
        }
        if !complete {
            return ExitCode::from(EXIT_CONFIG);
        }
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
