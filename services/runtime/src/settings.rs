//! Settings: a commented default file that is compiled in and *is* the documentation, and the
//! installed file on top of it. What the default file does not know is refused, with file, line and
//! the nearest known key.
//!
//! A key without a default stands commented out as `#key = value` (no space after `#`) and is an
//! `Option` in the settings type. Explaining comments have a space after `#`.

mod keys;
mod values;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Config, ConfigError, File, FileFormat};
use serde::de::DeserializeOwned;

pub use keys::KeyMap;
pub use values::{ByteSize, Span};

use crate::logging::LogFilter;
use crate::tls::{Clients, TlsFiles};

/// The `[tls]` table of roles that listen for metrics only.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// The certificate, and those between it and its authority, in this order (PEM).
    #[serde(default)]
    pub certificate: Option<PathBuf>,
}

/// The settings of a role.
///
/// Derive `Deserialize` for it with `#[serde(deny_unknown_fields)]`, so that the test of its default
/// file notices keys that are described but not read.
pub trait Settings: DeserializeOwned + Send + 'static {
    /// The role's name: "application", "backend", "worker".
    const ROLE: &'static str;
    /// The commented default file: `include_str!("…/packaging/settings/<role>.toml")`.
    const DEFAULTS: &'static str;

    /// Which log records are kept.
    fn log_filter(&self) -> &LogFilter;

    /// Where metrics are served; none if the role serves them itself.
    fn metrics_listen(&self) -> Option<SocketAddr>;

    /// The secrets that must be there with these settings.
    fn secret_names(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// The certificate that the listeners show; none: they speak plain text.
    fn tls_certificate(&self) -> Option<&Path> {
        None
    }

    /// Which clients the role's own listener lets in. Metrics are for everybody who gets that far.
    fn tls_clients(&self) -> Option<Clients> {
        None
    }

    /// Files with certificates of authorities, and the keys that name them.
    fn authority_files(&self) -> Vec<(&'static str, &Path)> {
        Vec::new()
    }

    /// How long the role may take to end after it was asked to.
    fn stop_limit(&self) -> Duration {
        Duration::ZERO
    }

    /// Adds what is wrong although each value has the right type.
    fn check(&self, problems: &mut Problems) {
        let _ = problems;
    }
}

/// All secrets that must be there with `settings`.
#[must_use]
pub fn secret_names<S: Settings>(settings: &S) -> Vec<&'static str> {
    let key = settings.tls_certificate().map(|_| crate::credentials::TLS_KEY);
    settings.secret_names().into_iter().chain(key).collect()
}

/// What the TLS of the role's own listener is made of; none: it speaks plain text.
#[must_use]
pub fn tls_files<S: Settings>(settings: &S) -> Option<TlsFiles> {
    let certificate = settings.tls_certificate()?.to_owned();
    Some(TlsFiles { certificate, clients: settings.tls_clients() })
}

/// What is wrong with settings, collected so that all of it is told at once.
#[derive(Debug, Default)]
pub struct Problems(Vec<(String, String)>);

impl Problems {
    /// Adds that `key` ("table.key") has a value that is not allowed; `allowed` says what is.
    pub fn add(&mut self, key: &str, allowed: impl Into<String>) {
        self.0.push((key.to_owned(), allowed.into()));
    }

    /// Adds that unless `condition` holds.
    pub fn require(&mut self, condition: bool, key: &str, allowed: &str) {
        if !condition {
            self.add(key, allowed);
        }
    }
}

/// Why settings cannot be used. Its text names file, line and key, one problem a line.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("the settings file {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Something in the file is wrong.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Wrong(Vec<Fault>),
}

/// One thing that is wrong in a settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1; none where a value comes from the defaults.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Reads the settings of a role from its defaults and the file `path`.
///
/// # Errors
/// [`SettingsError`] with everything that is wrong.
pub fn load<S: Settings>(path: &Path) -> Result<S, SettingsError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
    parse(path, &text)
}

/// Reads the settings of a role from its defaults and `text`; `path` is for messages.
///
/// # Errors
/// [`SettingsError`] with everything that is wrong.
pub fn parse<S: Settings>(path: &Path, text: &str) -> Result<S, SettingsError> {
    let fault = |line, message: String| Fault { path: path.to_owned(), line, message };
    let installed = KeyMap::of_file(text).map_err(|error| {
        let line = error.span().map(|span| keys::line_at(text, span.start));
        SettingsError::Wrong(vec![fault(line, format!("not TOML: {}", error.message()))])
    })?;
    let known = KeyMap::of_defaults(S::DEFAULTS);
    let mut unknown: Vec<Fault> = installed
        .iter()
        .filter(|(key, _)| !known.contains(key))
        .map(|(key, line)| {
            let hint = known.nearest(key).map_or_else(
                || "; the known keys are in the commented default file".to_owned(),
                |nearest| format!("; did you mean '{nearest}'?"),
            );
            fault(Some(line), format!("unknown key '{key}'{hint}"))
        })
        .collect();
    unknown.sort_by_key(|fault| fault.line);
    if !unknown.is_empty() {
        return Err(SettingsError::Wrong(unknown));
    }
    let settings: S = Config::builder()
        .add_source(File::from_str(S::DEFAULTS, FileFormat::Toml))
        .add_source(File::from_str(text, FileFormat::Toml))
        .build()
        .and_then(Config::try_deserialize)
        .map_err(|error| {
            let (key, message) = explain(&error);
            let line = key.as_deref().and_then(|key| installed.line_of(key));
            SettingsError::Wrong(vec![fault(line, message)])
        })?;
    let mut problems = Problems::default();
    settings.check(&mut problems);
    if problems.0.is_empty() {
        return Ok(settings);
    }
    let faults = problems
        .0
        .into_iter()
        .map(|(key, allowed)| fault(installed.line_of(&key), format!("'{key}' must be {allowed}")));
    Err(SettingsError::Wrong(faults.collect()))
}

/// The key an error is about, and the error in words.
fn explain(error: &ConfigError) -> (Option<String>, String) {
    match error {
        ConfigError::NotFound(key) => (None, format!("'{key}' must be set: it has no default")),
        ConfigError::Type { unexpected, expected, key, .. } => {
            let name = key.clone().unwrap_or_default();
            (key.clone(), format!("'{name}' must be {expected}, not {}", kind_of(unexpected)))
        }
        ConfigError::At { error, key, .. } => {
            let name = key.clone().unwrap_or_default();
            let inner = match &**error {
                ConfigError::Type { unexpected, expected, .. } => {
                    format!("must be {expected}, not {}", kind_of(unexpected))
                }
                other => other.to_string(),
            };
            (key.clone(), format!("'{name}': {inner}"))
        }
        other => {
            // serde's own "missing field `x`" comes without a key.
            (None, other.to_string())
        }
    }
}

/// What was found, without its value: somebody may have put a secret where it does not belong.
fn kind_of(unexpected: &impl fmt::Display) -> String {
    let shown = unexpected.to_string();
    shown.split(['`', '"']).next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        listen: SocketAddr,
        log: LogFilter,
        name: Option<String>,
        database: Database,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Database {
        hosts: Vec<String>,
        pool_size: u32,
        timeout: Span,
        cache: ByteSize,
    }

    impl Settings for Example {
        const ROLE: &'static str = "example";
        const DEFAULTS: &'static str = r##"
# Where to listen. See #listen = nothing here.
listen = "127.0.0.1:0"
log = "info"
# A name.
#name = "kinora"

[database]
hosts = ["localhost"]
# 1 to 100
pool_size = 10
timeout = "2s"
cache = "16 MiB"
"##;

        fn log_filter(&self) -> &LogFilter {
            &self.log
        }

        fn metrics_listen(&self) -> Option<SocketAddr> {
            None
        }

        fn check(&self, problems: &mut Problems) {
            problems.require((1..=100).contains(&self.database.pool_size), "database.pool_size", "1 to 100");
        }
    }

    fn fail(text: &str) -> String {
        parse::<Example>(Path::new("/etc/kinora/example.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn the_file_goes_over_the_defaults() {
        let text = "name = \"x\"\n[database]\nhosts = [\"a\", \"b\"]\n";
        let settings = parse::<Example>(Path::new("f"), text).unwrap();
        assert_eq!(settings.database.hosts, ["a", "b"]);
        assert_eq!(settings.database.pool_size, 10);
        assert_eq!(settings.database.timeout.get(), Duration::from_secs(2));
        assert_eq!(settings.database.cache.get(), 16 << 20);
        assert_eq!(settings.name.as_deref(), Some("x"));
        assert_eq!(settings.listen.port(), 0);
    }

    #[test]
    fn unknown_keys_name_file_line_and_the_nearest_known_key() {
        assert_eq!(
            fail("\nlitsen = 1\n[database]\npoolsize = 3\n"),
            "/etc/kinora/example.toml:2: unknown key 'litsen'; did you mean 'listen'?\n\
             /etc/kinora/example.toml:4: unknown key 'database.poolsize'; did you mean 'database.pool_size'?",
        );
        let message = fail("[databse]\npool_size = 3\n");
        assert!(message.contains("example.toml:2: unknown key 'databse.pool_size'"), "{message}");
        assert!(message.contains("'database.pool_size'"), "{message}");
        let message = fail("pool_size = 3\n");
        assert!(message.contains("did you mean 'database.pool_size'?"), "{message}");
    }

    #[test]
    fn bad_values_name_file_line_key_and_what_is_allowed() {
        for (text, expected) in [
            ("[database]\n\npool_size = 0\n", "toml:3: 'database.pool_size' must be 1 to 100"),
            ("[database]\npool_size = \"many\"\n", "toml:2: 'database.pool_size'"),
            ("listen = \"nowhere\"\n", "toml:1: 'listen'"),
            ("[database]\ntimeout = \"soon\"\n", "toml:2: 'database.timeout'"),
            ("[database]\ntimeout = \"soon\"\n", "30s"),
            ("log = \"loud\"\n", "toml:1: 'log': 'loud' is not a log level: off, error"),
            ("[database]\nhosts = 3\n", "toml:2: 'database.hosts'"),
            ("database = 3\n", "toml:1: 'database'"),
            ("listen = \n", "toml:1: not TOML"),
        ] {
            let message = fail(text);
            assert!(message.contains(expected), "{text:?}: {message}");
        }
    }
}
