//! Room in memory for the database of tests.
//!
//! Tests make and drop hundreds of databases of hundreds of files each. ext4 does not take an inode again that was given
//! up in the last seconds, and looks at all of those each time it needs one: a tenth of all that the tests took.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

/// Where Linux has a file system in memory that everybody may use.
const ROOT: &str = "/dev/shm";
/// "tmpfs" in `statfs` (linux/magic.h).
const TMPFS: i64 = 0x0102_1994;
/// What has to be free there, and of the machine's memory, in bytes. Tests take some hundreds of MiB.
const FREE: u64 = 4 << 30;

/// A directory in memory, with a link to it where it is looked for. Removed with this.
#[derive(Debug)]
pub struct MemoryDirectory {
    path: PathBuf,
}

impl MemoryDirectory {
    /// Makes one for `link`, which does not exist yet. None if there is no such file system, or too little room: the disk
    /// does as well.
    #[must_use]
    pub fn create(link: &Path) -> Option<Self> {
        if !has_room(Path::new(ROOT)) {
            return None;
        }
        let path = Path::new(ROOT).join(format!("kinora-test-{}", std::process::id()));
        // Of a process of this number that was killed.
        let _ = fs::remove_dir_all(&path);
        // Everybody may write to the root: what is there already is not used.
        DirBuilder::new().mode(0o700).create(&path).ok()?;
        let made = Self { path };
        symlink(&made.path, link).ok()?;
        Some(made)
    }
}

impl Drop for MemoryDirectory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn has_room(root: &Path) -> bool {
    let Ok(found) = rustix::fs::statfs(root) else { return false };
    let free = u64::try_from(found.f_bsize).unwrap_or(0).saturating_mul(found.f_bavail);
    found.f_type == TMPFS && free >= FREE && available_memory() >= FREE
}

/// Bytes that programs can still get without swapping.
fn available_memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lent_is_taken_back() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("postgresql");
        let Some(made) = MemoryDirectory::create(&link) else {
            assert!(!has_room(Path::new(ROOT)));
            return;
        };
        fs::write(link.join("file"), "kept in memory").unwrap();
        let path = made.path.clone();
        assert!(path.join("file").exists());
        drop(made);
        assert!(!path.exists());
    }

    #[test]
    fn a_disk_is_not_memory() {
        assert!(!has_room(Path::new("/proc")));
        assert!(available_memory() > 0);
    }
}
