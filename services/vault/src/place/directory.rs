//! Segments as files in a directory, usually a NAS mount.
//!
//! Directories are made with mode 0700 and files with 0600; where the root is one that its group may write to,
//! 0770 and 0660: applications and workers are different users then and share a group, which directories
//! hand down (their set-group-ID bit). Those of a copy are 0750 and 0640: whoever puts something back may read it. A new file or directory is durable only
//! when the directory that names it has been synced too, so each is, before anything is acknowledged.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use kinora_core::ObjectId;

use super::{Place, SegmentSink, SegmentSource, object_path, segment_path};
use crate::buffers::Buffers;
use crate::error::VaultError;
use crate::threads::Threads;

/// Part of a file system that nothing new may count on.
const RESERVE_FRACTION: u64 = 50;
/// The reserve of a large file system.
const MOST_RESERVE_BYTES: u64 = 1 << 30;

/// The permission of a directory's group to make files in it.
const GROUP_WRITE: u32 = 0o020;

/// Who besides the owner may do something in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// Nobody.
    Private,
    /// The group may read.
    Read,
    /// The group takes part.
    Written,
}

impl Sharing {
    fn directory_mode(self) -> u32 {
        match self {
            Self::Private => 0o700,
            Self::Read => 0o750,
            Self::Written => 0o770,
        }
    }

    fn file_mode(self) -> u32 {
        match self {
            Self::Private => 0o600,
            Self::Read => 0o640,
            Self::Written => 0o660,
        }
    }
}

/// A directory that keeps segments.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    pub(super) root: PathBuf,
    /// What was taken into use: the root, or what it is below.
    base: PathBuf,
    sharing: Sharing,
    /// Where it blocks.
    pub(crate) threads: Threads,
}

impl Directory {
    /// Takes `root` into use; makes it (not its parents) if it does not exist.
    pub(crate) fn open(root: &Path) -> Result<Self, VaultError> {
        if !root.is_absolute() {
            return Err(VaultError::Settings(format!(
                "vault directory: {} is not an absolute path",
                root.display()
            )));
        }
        let fail = |error: io::Error| VaultError::from_io(&error, root.display());
        make_directory(root, Sharing::Private).map_err(fail)?;
        let is_shared = fs::metadata(root).map_err(fail)?.permissions().mode() & GROUP_WRITE != 0;
        let sharing = if is_shared { Sharing::Written } else { Sharing::Private };
        Ok(Self { root: root.to_owned(), base: root.to_owned(), sharing, threads: Threads::here() })
    }

    /// Takes `root` into use, which must be there: it is not made, because what is missing may be a mount.
    pub(crate) fn open_existing(root: &Path) -> Result<Self, VaultError> {
        if !root.is_absolute() || !root.is_dir() {
            return Err(VaultError::Unavailable(format!(
                "{} is no directory: is it mounted?",
                root.display()
            )));
        }
        Ok(Self {
            root: root.to_owned(),
            base: root.to_owned(),
            sharing: Sharing::Read,
            threads: Threads::here(),
        })
    }

    /// A directory below this one, which need not be there yet.
    pub(super) fn below(&self, path: &str) -> Self {
        Self { root: self.root.join(path), ..self.clone() }
    }

    /// The error for `error`. What is not there while the whole directory is away is not missing: nobody can say. Blocks.
    fn fault(&self, error: &io::Error, what: impl std::fmt::Display) -> VaultError {
        if error.kind() == io::ErrorKind::NotFound && !self.base.is_dir() {
            return VaultError::Unavailable(format!("{} is not there: is it mounted?", self.base.display()));
        }
        VaultError::from_io(error, what)
    }

    /// As [`Self::fault`], where nothing there is no error. Blocks.
    fn unless_missing<T>(
        &self,
        outcome: io::Result<T>,
        what: impl std::fmt::Display,
    ) -> Result<Option<T>, VaultError> {
        match outcome.map_err(|error| self.fault(&error, what)) {
            Err(VaultError::NotFound(_)) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Makes `directory`, which is below the root or it, with what is missing in between. Blocks.
    pub(super) fn make_below(&self, directory: &Path) -> io::Result<()> {
        if directory.is_dir() {
            return Ok(());
        }
        if let Some(parent) = directory.parent() {
            self.make_below(parent)?;
        }
        make_directory(directory, self.sharing)
    }

    /// A file beside `path` that takes its place when it is whole. Blocks.
    pub(super) fn begin_part(&self, path: &Path) -> io::Result<Part> {
        if let Some(directory) = path.parent() {
            self.make_below(directory)?;
        }
        let part = path.with_extension("part");
        let mut options = OpenOptions::new();
        let file =
            options.write(true).create(true).truncate(true).mode(self.sharing.file_mode()).open(&part)?;
        Ok(Part { file, part, path: path.to_owned() })
    }

    /// Creates the file of a segment, exclusively, and makes its name durable. Blocks.
    pub(crate) fn create_file(&self, object: ObjectId, number: u32) -> Result<File, VaultError> {
        let path = self.root.join(segment_path(object, number));
        let fail = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => VaultError::SegmentExists { object: object.to_string(), number },
            // The directory cannot be missing for the reason that an object is.
            io::ErrorKind::NotFound => VaultError::Unavailable(format!("{}: {error}", path.display())),
            _ => VaultError::from_io(&error, path.display()),
        };
        let directory = self.root.join(object_path(object));
        if let Some(shard) = directory.parent() {
            make_directory(shard, self.sharing).map_err(fail)?;
        }
        make_directory(&directory, self.sharing).map_err(fail)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(self.sharing.file_mode())
            .open(&path)
            .map_err(fail)?;
        sync_directory(&directory).map_err(fail)?;
        Ok(file)
    }

    /// Removes one segment. Nothing there is no error.
    pub(crate) async fn delete_segment(&self, object: ObjectId, number: u32) -> Result<(), VaultError> {
        let (this, path) = (self.clone(), self.root.join(segment_path(object, number)));
        self.threads
            .run(move || this.unless_missing(fs::remove_file(&path), path.display()).map(|_| ()))
            .await
    }

    /// Bytes that can still be written to the file system by anybody who is not root, less a reserve: a
    /// fiftieth of it, at most 1 GiB, so that what is under way is not stopped by what begins.
    pub(crate) async fn free_bytes(&self) -> Result<u64, VaultError> {
        let this = self.clone();
        self.threads
            .run(move || {
                let told = rustix::fs::statvfs(&this.root)
                    .map_err(|error| this.fault(&error.into(), this.root.display()))?;
                if told.f_blocks == 0 {
                    // Some network shares tell no sizes; then it shows while bytes come.
                    return Ok(u64::MAX);
                }
                let size_bytes = told.f_blocks.saturating_mul(told.f_frsize);
                let free_bytes = told.f_bavail.saturating_mul(told.f_frsize);
                Ok(free_bytes.saturating_sub((size_bytes / RESERVE_FRACTION).min(MOST_RESERVE_BYTES)))
            })
            .await
    }

    fn check_now(&self) -> Result<(), VaultError> {
        const PROBE: &[u8] = b"kinora";
        let path = self.root.join(format!(".check-{}", ObjectId::new()));
        let attempt = || -> io::Result<bool> {
            let mut file = OpenOptions::new()
                .write(true)
                .read(true)
                .create_new(true)
                .mode(self.sharing.file_mode())
                .open(&path)?;
            file.write_all(PROBE)?;
            file.sync_data()?;
            let mut back = [0; PROBE.len()];
            file.read_exact_at(&mut back, 0)?;
            Ok(back == PROBE)
        };
        let outcome = attempt();
        let removed = fs::remove_file(&path);
        match outcome.and_then(|same| removed.map(|()| same)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(VaultError::Corrupt(path.display().to_string())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(VaultError::Unavailable(format!("{}: {error}", self.root.display())))
            }
            Err(error) => Err(VaultError::from_io(&error, self.root.display())),
        }
    }

    fn list_now(&self, shard: u8) -> Result<Vec<ObjectId>, VaultError> {
        let path = self.root.join(format!("{shard:02x}"));
        let fail = |error: io::Error| VaultError::from_io(&error, path.display());
        let entries = self.unless_missing(fs::read_dir(&path), path.display())?;
        let Some(entries) = entries else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for entry in entries {
            let name = entry.map_err(fail)?.file_name();
            found.extend(name.to_str().and_then(|name| name.parse::<ObjectId>().ok()));
        }
        Ok(found)
    }
}

/// Makes `path` if it does not exist, and its entry in its parent durable.
fn make_directory(path: &Path, sharing: Sharing) -> io::Result<()> {
    match DirBuilder::new().mode(sharing.directory_mode()).create(path) {
        Ok(()) => {
            if sharing != Sharing::Written {
                // The umask of the process must not make it unusable for the process itself. A shared one keeps what
                // it has inherited, which setting its mode would take away.
                fs::set_permissions(path, fs::Permissions::from_mode(sharing.directory_mode()))?;
            }
            path.parent().map_or(Ok(()), sync_directory)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// A file that takes the place of another when it is whole: see [`Directory::begin_part`].
pub(super) struct Part {
    pub(super) file: File,
    part: PathBuf,
    path: PathBuf,
}

impl Part {
    /// Makes it durable and puts it in its place. Blocks.
    pub(super) fn settle(&self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.part, &self.path)?;
        self.path.parent().map_or(Ok(()), sync_directory)
    }
}

struct PartSink {
    part: Arc<Part>,
    threads: Threads,
    name: String,
}

impl PartSink {
    async fn run(
        &self,
        work: impl FnOnce(&Part) -> io::Result<()> + Send + 'static,
    ) -> Result<(), VaultError> {
        let (part, name) = (Arc::clone(&self.part), self.name.clone());
        self.threads.run(move || work(&part).map_err(|error| VaultError::from_io(&error, name))).await
    }
}

#[async_trait]
impl SegmentSink for PartSink {
    async fn append(&mut self, bytes: Bytes) -> Result<(), VaultError> {
        self.run(move |part| (&part.file).write_all(&bytes)).await
    }

    async fn finish(self: Box<Self>) -> Result<(), VaultError> {
        self.run(Part::settle).await
    }

    async fn abort(self: Box<Self>) {
        // One that stays is written over by the next attempt, and goes with its object.
        let _ = self.run(|part| fs::remove_file(&part.part)).await;
    }
}

#[async_trait]
impl Place for Directory {
    async fn create(
        &self,
        object: ObjectId,
        number: u32,
        _stored_bytes: u64,
    ) -> Result<Box<dyn SegmentSink>, VaultError> {
        let this = self.clone();
        let file = self.threads.run(move || this.create_file(object, number)).await?;
        Ok(Box::new(FileSink { file: Arc::new(file), place: self.clone(), object, number }))
    }

    async fn replace(
        &self,
        object: ObjectId,
        number: u32,
        _stored_bytes: u64,
    ) -> Result<Box<dyn SegmentSink>, VaultError> {
        let (this, path) = (self.clone(), self.root.join(segment_path(object, number)));
        let name = format!("segment {number} of object {object} in {}", self.root.display());
        let begin = move || {
            this.begin_part(&path).map_err(|error| match error.kind() {
                // A directory in between went away: no object is missing.
                io::ErrorKind::NotFound => VaultError::Unavailable(format!("{}: {error}", path.display())),
                _ => VaultError::from_io(&error, path.display()),
            })
        };
        let part = Arc::new(self.threads.run(begin).await?);
        Ok(Box::new(PartSink { part, threads: self.threads.clone(), name }))
    }

    async fn open(&self, object: ObjectId, number: u32) -> Result<Arc<dyn SegmentSource>, VaultError> {
        let path = self.root.join(segment_path(object, number));
        let name = format!("segment {number} of object {object}");
        let file = self
            .threads
            .run({
                let (this, name) = (self.clone(), name.clone());
                move || File::open(&path).map_err(|error| this.fault(&error, name))
            })
            .await?;
        let (threads, buffers) = (self.threads.clone(), Buffers::default());
        Ok(Arc::new(FileSource { threads, file: Arc::new(file), buffers, name }))
    }

    async fn stored_bytes(&self, object: ObjectId, number: u32) -> Result<u64, VaultError> {
        let (this, path) = (self.clone(), self.root.join(segment_path(object, number)));
        self.threads
            .run(move || {
                let metadata = fs::metadata(&path);
                metadata
                    .map(|metadata| metadata.len())
                    .map_err(|error| this.fault(&error, format!("segment {number} of object {object}")))
            })
            .await
    }

    async fn delete(&self, object: ObjectId) -> Result<(), VaultError> {
        let (this, path) = (self.clone(), self.root.join(object_path(object)));
        self.threads
            .run(move || this.unless_missing(fs::remove_dir_all(&path), path.display()).map(|_| ()))
            .await
    }

    async fn list(&self, shard: u8) -> Result<Vec<ObjectId>, VaultError> {
        let this = self.clone();
        self.threads.run(move || this.list_now(shard)).await
    }

    async fn check(&self) -> Result<(), VaultError> {
        let this = self.clone();
        self.threads.run(move || this.check_now()).await
    }

    fn frames_per_read(&self) -> u64 {
        4
    }
}

struct FileSink {
    file: Arc<File>,
    place: Directory,
    object: ObjectId,
    number: u32,
}

#[async_trait]
impl SegmentSink for FileSink {
    async fn append(&mut self, bytes: Bytes) -> Result<(), VaultError> {
        let file = Arc::clone(&self.file);
        let object = self.object;
        self.place
            .threads
            .run(move || {
                (&*file)
                    .write_all(&bytes)
                    .map_err(|error| VaultError::from_io(&error, format!("object {object}")))
            })
            .await
    }

    async fn finish(self: Box<Self>) -> Result<(), VaultError> {
        let (file, object) = (Arc::clone(&self.file), self.object);
        self.place
            .threads
            .run(move || {
                file.sync_data().map_err(|error| VaultError::from_io(&error, format!("object {object}")))
            })
            .await
    }

    async fn abort(self: Box<Self>) {
        // What cannot be removed now is removed by the search for orphans.
        let _ = self.place.delete_segment(self.object, self.number).await;
    }
}

struct FileSource {
    threads: Threads,
    file: Arc<File>,
    buffers: Buffers,
    name: String,
}

#[async_trait]
impl SegmentSource for FileSource {
    async fn read(&self, range: Range<u64>) -> Result<Bytes, VaultError> {
        let file = Arc::clone(&self.file);
        let (buffers, name) = (self.buffers.clone(), self.name.clone());
        self.threads
            .run(move || {
                let length = usize::try_from(range.end.saturating_sub(range.start))
                    .map_err(|_| VaultError::Corrupt(name.clone()))?;
                let mut buffer = buffers.take(length);
                file.read_exact_at(buffer.as_mut(), range.start)
                    .map_err(|error| VaultError::from_io(&error, name))?;
                Ok(Bytes::from_owner(buffer))
            })
            .await
    }
}
