//! The stack's directory: private to its owner, held by one process at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::DevstackError;

/// Creates a directory (and its parents) that only its owner may enter (mode 0700).
///
/// # Errors
/// When the directory cannot be created or its mode cannot be set.
pub fn create_private_directory(path: &Path) -> Result<(), DevstackError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(DevstackError::file("create", path))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
        .map_err(DevstackError::file("restrict", path))
}

/// Writes a file only its owner may read (mode 0600), replacing it in one step, so that a reader
/// never sees half of it and a crash never leaves half of it.
///
/// # Errors
/// When the file cannot be written or renamed into place.
pub fn write_private_file(path: &Path, content: &[u8]) -> Result<(), DevstackError> {
    let fresh = path.with_extension("fresh");
    let _ = fs::remove_file(&fresh);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)
        .map_err(DevstackError::file("create", &fresh))?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(DevstackError::file("write", &fresh))?;
    fs::rename(&fresh, path).map_err(DevstackError::file("write", path))
}

/// Holds a directory for this process; the kernel lets go when the process ends, however it ends.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Creates the directory if needed and takes it.
    ///
    /// # Errors
    /// [`DevstackError::AlreadyRunning`] when another process holds it.
    pub fn take(directory: &Path) -> Result<Self, DevstackError> {
        create_private_directory(directory)?;
        let path = directory.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(DevstackError::file("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                let _ = file.read_to_string(&mut owner);
                return Err(DevstackError::AlreadyRunning {
                    path: directory.to_owned(),
                    owner: owner.trim().to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => {
                return Err(DevstackError::file("lock", &path)(source));
            }
        }
        let written = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(file, "{}", std::process::id()));
        written.map_err(DevstackError::file("write", &path))?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use super::*;

    #[test]
    fn a_directory_is_held_by_one_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stack");
        let held = DirectoryLock::take(&path).unwrap();
        match DirectoryLock::take(&path) {
            Err(DevstackError::AlreadyRunning { owner, .. }) => {
                assert_eq!(owner, std::process::id().to_string());
            }
            other => panic!("a second holder got in: {other:?}"),
        }
        drop(held);
        DirectoryLock::take(&path).unwrap();
    }

    #[test]
    fn private_files_are_private_and_replaced_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        write_private_file(&path, b"a long first text").unwrap();
        write_private_file(&path, b"short").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"short");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
