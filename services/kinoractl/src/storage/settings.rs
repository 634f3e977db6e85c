//! The settings of copies; `packaging/settings/media-copy.toml` documents them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use kinora_runtime::credentials::Credentials;
use kinora_runtime::logging::LogFilter;
use kinora_runtime::settings::{Problems, Settings, Span};
use kinora_store::DatabaseSettings;
use kinora_vault::{CopyPlace, S3Credentials, S3Settings, VaultSettings};
use serde::Deserialize;

use crate::administration::{ApplicationSettings, CommandError};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// All settings of copies.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MediaCopySettings {
    pub(super) log: LogFilter,
    pub(super) database: DatabaseSettings,
    pub(super) vault: VaultSettings,
    pub(super) copy: CopySettings,
}

/// What `storage verify` and `storage restore` read of the application's settings.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct StorageSettings {
    log: LogFilter,
    pub(super) database: DatabaseSettings,
    pub(super) vault: VaultSettings,
}

impl Settings for StorageSettings {
    const ROLE: &'static str = ApplicationSettings::ROLE;
    const DEFAULTS: &'static str = ApplicationSettings::DEFAULTS;

    fn log_filter(&self) -> &LogFilter {
        &self.log
    }

    fn metrics_listen(&self) -> Option<SocketAddr> {
        None
    }
}

/// The table `[copy]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CopySettings {
    directory: Option<PathBuf>,
    s3: Option<S3Settings>,
    pub(super) keep_removed: Span,
    read_again: Span,
}

impl Settings for MediaCopySettings {
    const ROLE: &'static str = "media-copy";
    const DEFAULTS: &'static str = include_str!("../../../../packaging/settings/media-copy.toml");

    fn log_filter(&self) -> &LogFilter {
        &self.log
    }

    fn metrics_listen(&self) -> Option<SocketAddr> {
        None
    }

    fn check(&self, problems: &mut Problems) {
        for (key, allowed) in self.database.problems() {
            problems.add(&format!("database.{key}"), allowed);
        }
        let copy = &self.copy;
        let one = copy.directory.is_some() != copy.s3.is_some();
        problems.require(
            one,
            "copy.directory",
            "set, or copy.s3.endpoint and copy.s3.bucket; one of the two",
        );
        let directory = copy.directory.as_ref();
        let is_absolute = directory.is_none_or(|path| path.is_absolute());
        problems.require(is_absolute, "copy.directory", "an absolute path");
        let vault = &self.vault.directory;
        let is_apart = directory.is_none_or(|path| !path.starts_with(vault) && !vault.starts_with(path));
        problems.require(
            is_apart,
            "copy.directory",
            "apart from vault.directory, neither in it nor around it",
        );
        problems.require(copy.keep_removed.get() >= DAY, "copy.keep_removed", "1d or more");
        problems.require(copy.read_again.get() >= DAY, "copy.read_again", "1d or more");
    }
}

impl CopySettings {
    /// Where copies are kept, with what S3 needs.
    pub(super) fn place(&self, credentials: &Credentials) -> Result<CopyPlace, CommandError> {
        match (&self.directory, &self.s3) {
            (Some(directory), _) => Ok(CopyPlace::Directory(directory.clone())),
            (None, Some(s3)) => {
                let secrets = s3_credentials(credentials, "copy", Some(s3))?;
                let none = || CommandError::Argument("copy.s3 has no credentials".to_owned());
                Ok(CopyPlace::S3(s3.clone(), secrets.ok_or_else(none)?))
            }
            (None, None) => Err(CommandError::Argument("no place for copies is set".to_owned())),
        }
    }

    /// Of 256 parts, how many a daily run reads again.
    pub(super) fn shards_a_day(&self) -> u64 {
        let days = self.read_again.get().as_secs() / DAY.as_secs();
        256_u64.div_ceil(days.max(1))
    }
}

/// What requests to an S3 service are signed with; none where there is no S3 service.
pub(super) fn s3_credentials(
    credentials: &Credentials,
    table: &str,
    s3: Option<&S3Settings>,
) -> Result<Option<S3Credentials>, CommandError> {
    if s3.is_none() {
        return Ok(None);
    }
    let read = |what: &str| -> Result<String, CommandError> {
        Ok(credentials.read_text(&format!("{table}-s3-{what}-key"))?.expose_text().to_owned())
    };
    Ok(Some(S3Credentials { access_key: read("access")?, secret_key: read("secret")? }))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use kinora_runtime::settings::parse;

    use super::*;

    #[test]
    fn one_place_is_needed_and_it_is_not_the_storage() {
        let read = |lines: &str| parse::<MediaCopySettings>(Path::new("m.toml"), lines);
        let text = |copy: &str| format!("[vault]\ndirectory = \"/srv/kinora/vault\"\n[copy]\n{copy}\n");
        let settings = read(&text("directory = \"/srv/copy\"")).unwrap();
        assert_eq!((settings.copy.shards_a_day(), settings.database.user.as_str()), (9, "kinora_copy"));
        read(&text("s3.endpoint = \"https://a\"\ns3.bucket = \"b\"")).unwrap();
        for (wrong, told) in [
            ("", "one of the two"),
            ("directory = \"/srv/copy\"\ns3.endpoint = \"https://a\"\ns3.bucket = \"b\"", "one of the two"),
            ("directory = \"copy\"", "an absolute path"),
            ("directory = \"/srv/kinora/vault/copy\"", "apart from vault.directory"),
            ("directory = \"/srv/kinora\"", "apart from vault.directory"),
            ("directory = \"/srv/copy\"\nkeep_removed = \"1h\"", "1d or more"),
            ("direktory = \"/srv/copy\"", "did you mean 'copy.directory'"),
        ] {
            let error = read(&text(wrong)).unwrap_err().to_string();
            assert!(error.contains(told), "{wrong}: {error}");
        }
    }
}
