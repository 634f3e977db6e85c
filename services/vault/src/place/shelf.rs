//! What copies need of a place besides segments: small files, and places below one another.

use std::fs;
use std::io::{self, Write};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::ObjectStoreExt as _;

use super::Place;
use super::directory::Directory;
use super::s3::{Bucket, from_s3};
use crate::error::VaultError;

/// A place that keeps small files, named by paths below it, beside segments.
#[async_trait]
pub(crate) trait Shelf: Send + Sync {
    /// A place for segments below this one.
    fn place(&self, path: &str) -> Arc<dyn Place>;

    /// The content of a file; none if there is no such file.
    async fn read(&self, path: &str) -> Result<Option<Bytes>, VaultError>;

    /// Writes a file, durably: whoever reads it sees what was there before, or all of this.
    async fn write(&self, path: &str, content: Bytes) -> Result<(), VaultError>;

    /// The names of what is directly below a path, directories too. Nothing there is no error.
    async fn names(&self, path: &str) -> Result<Vec<String>, VaultError>;
}

#[async_trait]
impl Shelf for Directory {
    fn place(&self, path: &str) -> Arc<dyn Place> {
        Arc::new(self.below(path))
    }

    async fn read(&self, path: &str) -> Result<Option<Bytes>, VaultError> {
        let path = self.root.join(path);
        self.threads
            .run(move || match fs::read(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                read => read
                    .map(|it| Some(it.into()))
                    .map_err(|error| VaultError::from_io(&error, path.display())),
            })
            .await
    }

    async fn write(&self, path: &str, content: Bytes) -> Result<(), VaultError> {
        let (this, path) = (self.clone(), self.root.join(path));
        let write = move || {
            let attempt = || -> io::Result<()> {
                let part = this.begin_part(&path)?;
                (&part.file).write_all(&content)?;
                part.settle()
            };
            attempt().map_err(|error| VaultError::from_io(&error, path.display()))
        };
        self.threads.run(write).await
    }

    async fn names(&self, path: &str) -> Result<Vec<String>, VaultError> {
        let path = self.root.join(path);
        self.threads
            .run(move || {
                let fail = |error: io::Error| VaultError::from_io(&error, path.display());
                let entries = match fs::read_dir(&path) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                    other => other.map_err(fail)?,
                };
                let mut names = Vec::new();
                for entry in entries {
                    names.extend(entry.map_err(fail)?.file_name().into_string().ok());
                }
                Ok(names)
            })
            .await
    }
}

#[async_trait]
impl Shelf for Bucket {
    fn place(&self, path: &str) -> Arc<dyn Place> {
        Arc::new(self.below(path))
    }

    async fn read(&self, path: &str) -> Result<Option<Bytes>, VaultError> {
        let fail = |error: object_store::Error| match error {
            object_store::Error::NotFound { .. } => Ok(None),
            other => Err(from_s3(&other, path)),
        };
        match self.client.get(&self.key(path)).await {
            Ok(found) => found.bytes().await.map(Some).or_else(fail),
            Err(error) => fail(error),
        }
    }

    async fn write(&self, path: &str, content: Bytes) -> Result<(), VaultError> {
        self.client
            .put(&self.key(path), content.into())
            .await
            .map(drop)
            .map_err(|error| from_s3(&error, path))
    }

    async fn names(&self, path: &str) -> Result<Vec<String>, VaultError> {
        use object_store::ObjectStore as _;
        let key = self.key(path);
        let prefix = if key.as_ref().is_empty() { None } else { Some(&key) };
        let listed = self.client.list_with_delimiter(prefix).await.map_err(|error| from_s3(&error, path))?;
        let below = listed.common_prefixes.iter().filter_map(|prefix| prefix.filename());
        let here = listed.objects.iter().filter_map(|meta| meta.location.filename());
        Ok(below.chain(here).map(str::to_owned).collect())
    }
}
