//! Scratch directories: what is being made stands there in clear, so it is removed whatever happens.
//!
//! A process makes a directory of its own below the configured one and holds a lock in it; a
//! directory whose lock is free belongs to a process that has crashed, and is removed by the next one
//! that starts.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// First part of the names of processes' directories.
const PREFIX: &str = "process-";

/// The lock in each of them.
const LOCK: &str = "lock";

/// The directory of this process; removed with everything in it at the end.
#[derive(Debug)]
pub struct Scratch {
    directory: TempDir,
    _lock: File,
}

impl Scratch {
    /// Makes a directory below `root`, and removes those of crashed processes.
    ///
    /// # Errors
    /// If `root` cannot be made or written to.
    pub fn open(root: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(root)?;
        // Between making its directory and locking it, another process's looks abandoned.
        let gate = File::create(root.join("gate"))?;
        gate.lock()?;
        remove_abandoned(root)?;
        let directory = tempfile::Builder::new().prefix(PREFIX).tempdir_in(root)?;
        let lock = File::create(directory.path().join(LOCK))?;
        lock.lock()?;
        Ok(Self { directory, _lock: lock })
    }

    /// An empty directory for one job, removed when it is dropped.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn job(&self) -> io::Result<TempDir> {
        tempfile::Builder::new().prefix("job-").tempdir_in(self.directory.path())
    }

    /// Where jobs' directories are.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

fn remove_abandoned(root: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(root)? {
        let path: PathBuf = entry?.path();
        let is_ours = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        if !is_ours {
            continue;
        }
        let is_alive = match File::open(path.join(LOCK)) {
            Ok(lock) => matches!(lock.try_lock(), Err(TryLockError::WouldBlock)),
            Err(_) => false,
        };
        if !is_alive {
            log::warn!(path:% = path.display(); "removing what a crashed worker left behind");
            std::fs::remove_dir_all(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_living_use_stays_and_what_the_dead_left_goes() {
        let root = tempfile::tempdir().expect("a directory");
        let living = Scratch::open(root.path()).expect("scratch");
        let job = living.job().expect("a job's directory");
        let dead = root.path().join("process-dead");
        std::fs::create_dir_all(dead.join("job-1")).expect("a directory");
        std::fs::write(dead.join("job-1/proxy.mp4"), b"in clear").expect("a file");
        std::fs::write(dead.join(LOCK), b"").expect("a file");
        let foreign = root.path().join("something-else");
        std::fs::create_dir(&foreign).expect("a directory");
        let second = Scratch::open(root.path()).expect("scratch");
        assert!(job.path().exists() && foreign.exists() && !dead.exists());
        let path = second.path().to_owned();
        drop(second);
        assert!(!path.exists());
    }
}
