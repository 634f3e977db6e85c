//! Secrets, as systemd hands them over: one file each in `$CREDENTIALS_DIRECTORY` (systemd.exec(5),
//! `LoadCredential=`). Nothing else is a source of secrets: neither settings, environment nor
//! command line.

use std::fmt;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Name of the environment variable that holds the *directory* of the credentials.
pub const DIRECTORY_VARIABLE: &str = "CREDENTIALS_DIRECTORY";

/// Password of the role's PostgreSQL user.
pub const DATABASE_PASSWORD: &str = "database-password";
/// Password of the role's RabbitMQ user.
pub const BROKER_PASSWORD: &str = "broker-password";
/// Password of Redis.
pub const REDIS_PASSWORD: &str = "redis-password";
/// Password of the backend at the studio's mail relay.
pub const MAIL_PASSWORD: &str = "mail-password";
/// Master key that wraps the data keys of media objects: 32 bytes, Base64.
pub const VAULT_MASTER_KEY: &str = "vault-master-key";
/// Key of session cookies and tokens: 32 bytes, Base64.
pub const SESSION_KEY: &str = "session-key";
/// Access token that the canary shows.
pub const CANARY_TOKEN: &str = "canary-token";
/// Private key of the certificate that the listeners show: PEM, without a passphrase.
pub const TLS_KEY: &str = "tls-key";

/// Why a secret could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The process was started without a credentials directory.
    #[error(
        "the secret '{0}' is missing: it is expected in the file $CREDENTIALS_DIRECTORY/{0}, but \
         CREDENTIALS_DIRECTORY is not set (systemd sets it for LoadCredential={0}:…)"
    )]
    NoDirectory(String),
    /// There is no such file.
    #[error("the secret '{name}' is missing: it is expected in the file {path}")]
    Missing {
        /// The secret.
        name: String,
        /// Where it should be.
        path: PathBuf,
    },
    /// The file is there but could not be read.
    #[error("the secret '{name}' in {path} cannot be read: {source}")]
    Unreadable {
        /// The secret.
        name: String,
        /// Where it is.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file does not hold what it should.
    #[error("the secret '{name}' in {path} must be {expected}")]
    Malformed {
        /// The secret.
        name: String,
        /// Where it is.
        path: PathBuf,
        /// What is allowed.
        expected: &'static str,
    },
}

/// A secret. It never shows in logs, and its memory is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A secret with this content.
    #[must_use]
    pub fn new(content: impl Into<Vec<u8>>) -> Self {
        Self(content.into())
    }

    /// The content. Do not keep copies.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The content as text; empty if it is not UTF-8 (which [`Credentials::read_text`] rules out).
    #[must_use]
    pub fn expose_text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        black_box(&self.0);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The directory that holds this process's secrets.
#[derive(Clone, Debug)]
pub struct Credentials {
    directory: Option<PathBuf>,
}

impl Credentials {
    /// Those in the directory systemd names in the environment.
    #[must_use]
    pub fn from_environment() -> Self {
        Self { directory: std::env::var_os(DIRECTORY_VARIABLE).map(PathBuf::from) }
    }

    /// Those in `directory`.
    #[must_use]
    pub fn in_directory(directory: impl Into<PathBuf>) -> Self {
        Self { directory: Some(directory.into()) }
    }

    /// Whether there is a directory at all. `check-config` on an administrator's terminal has none.
    #[must_use]
    pub fn is_available(&self) -> bool {
        self.directory.is_some()
    }

    fn path_of(&self, name: &str) -> Result<PathBuf, CredentialError> {
        let directory = self.directory.as_deref();
        directory
            .map(|directory: &Path| directory.join(name))
            .ok_or_else(|| CredentialError::NoDirectory(name.to_owned()))
    }

    /// The secret `name` as bytes.
    ///
    /// # Errors
    /// [`CredentialError`] naming the secret and the file it is expected in.
    pub fn read(&self, name: &str) -> Result<Secret, CredentialError> {
        let path = self.path_of(name)?;
        std::fs::read(&path).map(Secret).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => CredentialError::Missing { name: name.to_owned(), path },
            _ => CredentialError::Unreadable { name: name.to_owned(), path, source },
        })
    }

    /// The secret `name` as text without the newline an editor leaves at its end.
    ///
    /// # Errors
    /// [`CredentialError`] if it is missing, empty or not UTF-8.
    pub fn read_text(&self, name: &str) -> Result<Secret, CredentialError> {
        let mut secret = self.read(name)?;
        while secret.0.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            secret.0.pop();
        }
        if secret.0.is_empty() || std::str::from_utf8(&secret.0).is_err() {
            return Err(self.malformed(name, "one line of text"));
        }
        Ok(secret)
    }

    /// The secret `name`, which is text and may be absent.
    ///
    /// # Errors
    /// [`CredentialError`] if it is there but cannot be used.
    pub fn read_optional_text(&self, name: &str) -> Result<Option<Secret>, CredentialError> {
        match self.read_text(name) {
            Ok(secret) => Ok(Some(secret)),
            Err(CredentialError::NoDirectory(_) | CredentialError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The key `name`: 32 bytes, stored as Base64.
    ///
    /// # Errors
    /// [`CredentialError`] if it is missing or no such key.
    pub fn read_key(&self, name: &str) -> Result<Secret, CredentialError> {
        let text = self.read_text(name)?;
        match STANDARD.decode(text.expose_text().trim()) {
            Ok(key) if key.len() == 32 => Ok(Secret(key)),
            _ => Err(self.malformed(name, "32 random bytes in Base64 (openssl rand -base64 32)")),
        }
    }

    fn malformed(&self, name: &str, expected: &'static str) -> CredentialError {
        let path = self.directory.clone().unwrap_or_default().join(name);
        CredentialError::Malformed { name: name.to_owned(), path, expected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_secret_is_named_with_its_path() {
        let directory = tempfile::tempdir().unwrap();
        let credentials = Credentials::in_directory(directory.path());
        let message = credentials.read_text("broker-password").unwrap_err().to_string();
        let path = directory.path().join("broker-password");
        assert!(
            message.contains("'broker-password'") && message.contains(path.to_str().unwrap()),
            "{message}"
        );
        let message = Credentials { directory: None }.read("x").unwrap_err().to_string();
        assert!(message.contains("$CREDENTIALS_DIRECTORY/x"), "{message}");
        assert_eq!(credentials.read_optional_text("x").unwrap(), None);
    }

    #[test]
    fn secrets_are_read_trimmed_and_never_shown() {
        let directory = tempfile::tempdir().unwrap();
        let credentials = Credentials::in_directory(directory.path());
        std::fs::write(directory.path().join("p"), "hunter2 \r\n").unwrap();
        let secret = credentials.read_text("p").unwrap();
        assert_eq!(secret.expose_text(), "hunter2 ");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        std::fs::write(directory.path().join("k"), STANDARD.encode([7; 32]) + "\n").unwrap();
        assert_eq!(credentials.read_key("k").unwrap().expose(), [7; 32]);
        for bad in ["", "\n", "aGVsbG8="] {
            std::fs::write(directory.path().join("bad"), bad).unwrap();
            assert!(matches!(credentials.read_key("bad"), Err(CredentialError::Malformed { .. })), "{bad:?}");
        }
    }
}
