//! Passwords and keys: generated once, kept as files only their owner may read.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine as _;

use crate::directory::{create_private_directory, write_private_file};
use crate::error::DevstackError;

/// The form a secret takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// 192 random bits as 48 hexadecimal digits: needs no quoting anywhere.
    Password,
    /// 32 random bytes in base64 (RFC 4648, padded).
    Key,
}

/// A directory of secrets, each in a file of its own name.
#[derive(Debug, Clone)]
pub struct SecretBook {
    directory: PathBuf,
}

impl SecretBook {
    /// Opens (and creates) the directory with mode 0700.
    ///
    /// # Errors
    /// When the directory cannot be created.
    pub fn open(directory: &Path) -> Result<Self, DevstackError> {
        create_private_directory(directory)?;
        Ok(Self { directory: directory.to_owned() })
    }

    /// The file of a secret.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Reads a secret, generating it on first use.
    ///
    /// # Errors
    /// When the file cannot be read or written, or the system gives no random bytes.
    pub fn obtain(&self, name: &str, kind: SecretKind) -> Result<String, DevstackError> {
        let path = self.path(name);
        match fs::read_to_string(&path) {
            Ok(secret) if !secret.is_empty() => return Ok(secret),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(DevstackError::file("read", &path)(error)),
        }
        let secret = generate(kind)?;
        write_private_file(&path, secret.as_bytes())?;
        Ok(secret)
    }
}

fn generate(kind: SecretKind) -> Result<String, DevstackError> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0_u8; 32];
    File::open(source)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(DevstackError::file("read", source))?;
    Ok(match kind {
        SecretKind::Password => bytes.iter().take(24).map(|b| format!("{b:02x}")).collect(),
        SecretKind::Key => base64::engine::general_purpose::STANDARD.encode(bytes),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn secrets_are_made_once_and_differ() {
        let directory = tempfile::tempdir().unwrap();
        let book = SecretBook::open(&directory.path().join("secrets")).unwrap();
        let first = book.obtain("one", SecretKind::Password).unwrap();
        assert_eq!(first.len(), 48);
        assert_eq!(book.obtain("one", SecretKind::Password).unwrap(), first);
        assert_ne!(book.obtain("two", SecretKind::Password).unwrap(), first);
        let key = book.obtain("key", SecretKind::Key).unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(key).unwrap();
        assert_eq!(bytes.len(), 32);
    }
}
