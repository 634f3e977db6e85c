//! Segments as objects of an S3 service.
//!
//! A segment is written as one multipart upload, so it appears whole or not at all. S3 allows 10,000
//! parts; their size follows from the segment's length.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use kinora_core::ObjectId;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Key;
use object_store::{
    BackoffConfig, Certificate, ClientOptions, Error, ObjectStore, ObjectStoreExt, RetryConfig,
    WriteMultipart,
};

use super::{Place, SegmentSink, SegmentSource, object_path, segment_path};
use crate::error::VaultError;
use crate::place::signing::OpenSslProvider;
use crate::settings::{S3Credentials, S3Settings};

/// Parts of a multipart upload are at least this long (S3 demands 5 MiB).
const LEAST_PART_BYTES: u64 = 8 * 1024 * 1024;
/// Below S3's 10,000, as the length of a segment is not always known exactly.
const MOST_PARTS: u64 = 9_000;
/// Parts under way at a time; bounds the memory of a writer.
const PARTS_UNDER_WAY: usize = 2;
/// 4 MiB: a request costs some 10 ms, so smaller ones would be slow.
const FRAMES_PER_READ: u64 = 64;

/// A bucket, or a prefix in one, that keeps segments.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    pub(super) client: Arc<AmazonS3>,
    prefix: String,
}

impl Bucket {
    /// Prepares a client; nothing is sent yet. `table` is where the settings stand, `vault` or `copy`; the credentials
    /// are called after it.
    pub(crate) fn open(
        table: &str,
        settings: &S3Settings,
        credentials: Option<&S3Credentials>,
    ) -> Result<Self, VaultError> {
        let credentials = credentials.ok_or_else(|| {
            VaultError::Settings(format!(
                "{table}.s3 needs the credentials {table}-s3-access-key and {table}-s3-secret-key"
            ))
        })?;
        let options = authorities(table, settings)?
            .into_iter()
            .fold(ClientOptions::new(), ClientOptions::with_root_certificate)
            .with_allow_http(settings.allow_http)
            .with_connect_timeout(Duration::from_secs(5))
            .with_timeout(Duration::from_secs(120));
        let retry = RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: 4,
            retry_timeout: Duration::from_secs(60),
        };
        let client = AmazonS3Builder::new()
            .with_endpoint(&settings.endpoint)
            .with_bucket_name(&settings.bucket)
            .with_region(&settings.region)
            .with_access_key_id(&credentials.access_key)
            .with_secret_access_key(&credentials.secret_key)
            .with_virtual_hosted_style_request(false)
            .with_crypto_provider(Arc::new(OpenSslProvider))
            .with_client_options(options)
            .with_retry(retry)
            .build()
            .map_err(|error| VaultError::Settings(format!("{table}.s3: {error}")))?;
        Ok(Self { client: Arc::new(client), prefix: settings.prefix.trim_matches('/').to_owned() })
    }

    /// What lies below `path` in this one.
    pub(super) fn below(&self, path: &str) -> Self {
        let key = self.key(path);
        Self { client: Arc::clone(&self.client), prefix: key.to_string() }
    }

    pub(super) fn key(&self, path: &str) -> Key {
        if self.prefix.is_empty() { Key::from(path) } else { Key::from(format!("{}/{path}", self.prefix)) }
    }
}

/// The authorities that the settings name besides the system's.
fn authorities(table: &str, settings: &S3Settings) -> Result<Vec<Certificate>, VaultError> {
    let Some(file) = &settings.tls_authorities else { return Ok(Vec::new()) };
    let problem = |what: String| {
        VaultError::Settings(format!("{table}.s3.tls_authorities: {}: {what}", file.display()))
    };
    let pem = std::fs::read(file).map_err(|error| problem(error.to_string()))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|error| problem(error.to_string()))?;
    if found.is_empty() {
        return Err(problem("it holds no certificate".to_owned()));
    }
    Ok(found)
}

pub(super) fn from_s3(error: &Error, what: impl std::fmt::Display) -> VaultError {
    match error {
        Error::NotFound { .. } => VaultError::NotFound(what.to_string()),
        _ => {
            let text = error.to_string();
            // Quotas have no error of their own in S3; these are the codes that services use.
            let full = ["QuotaExceeded", "XMinioStorageFull", "InsufficientCapacity", "507 "];
            if full.iter().any(|code| text.contains(code)) {
                VaultError::Full(format!("{what}: {text}"))
            } else {
                VaultError::Unavailable(format!("{what}: {text}"))
            }
        }
    }
}

fn segment_name(object: ObjectId, number: u32) -> String {
    format!("segment {number} of object {object}")
}

#[async_trait]
impl Place for Bucket {
    async fn create(
        &self,
        object: ObjectId,
        number: u32,
        stored_bytes: u64,
    ) -> Result<Box<dyn SegmentSink>, VaultError> {
        let key = self.key(&segment_path(object, number));
        let name = segment_name(object, number);
        let upload = self.client.put_multipart(&key).await.map_err(|error| from_s3(&error, &name))?;
        let part_bytes = usize::try_from(part_bytes(stored_bytes))
            .map_err(|_| VaultError::Settings(format!("{name} is too long")))?;
        let parts = WriteMultipart::new_with_chunk_size(upload, part_bytes);
        Ok(Box::new(MultipartSink { parts, name }))
    }

    async fn replace(
        &self,
        object: ObjectId,
        number: u32,
        stored_bytes: u64,
    ) -> Result<Box<dyn SegmentSink>, VaultError> {
        // It appears when the last part is acknowledged, and not before.
        self.create(object, number, stored_bytes).await
    }

    async fn open(&self, object: ObjectId, number: u32) -> Result<Arc<dyn SegmentSource>, VaultError> {
        // Whether it is there shows when it is read, except that a caller may want to look elsewhere.
        self.stored_bytes(object, number).await?;
        Ok(Arc::new(KeySource {
            client: Arc::clone(&self.client),
            key: self.key(&segment_path(object, number)),
            name: segment_name(object, number),
        }))
    }

    async fn stored_bytes(&self, object: ObjectId, number: u32) -> Result<u64, VaultError> {
        let key = self.key(&segment_path(object, number));
        let head = self.client.head(&key).await;
        head.map(|meta| meta.size).map_err(|error| from_s3(&error, segment_name(object, number)))
    }

    async fn delete(&self, object: ObjectId) -> Result<(), VaultError> {
        let prefix = self.key(&object_path(object));
        let fail = |error: Error| from_s3(&error, format!("object {object}"));
        let keys: Vec<Key> =
            self.client.list(Some(&prefix)).map_ok(|meta| meta.location).try_collect().await.map_err(fail)?;
        let keys = futures_util::stream::iter(keys.into_iter().map(Ok)).boxed();
        let mut outcomes = self.client.delete_stream(keys);
        while let Some(outcome) = outcomes.next().await {
            match outcome {
                Ok(_) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(fail(error)),
            }
        }
        Ok(())
    }

    async fn list(&self, shard: u8) -> Result<Vec<ObjectId>, VaultError> {
        let prefix = self.key(&format!("{shard:02x}"));
        let listed = self.client.list_with_delimiter(Some(&prefix)).await;
        let listed = listed.map_err(|error| from_s3(&error, format!("shard {shard:02x}")))?;
        let names = listed.common_prefixes.iter().filter_map(|prefix| prefix.filename());
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    }

    async fn check(&self) -> Result<(), VaultError> {
        const PROBE: &[u8] = b"kinora";
        let key = self.key(&format!("check/{}", ObjectId::new()));
        let fail = |error: Error| match from_s3(&error, "the S3 service") {
            VaultError::NotFound(what) => VaultError::Unavailable(format!("{what}: {error}")),
            other => other,
        };
        self.client.put(&key, Bytes::from_static(PROBE).into()).await.map_err(fail)?;
        let back = self.client.get_range(&key, 0..PROBE.len() as u64).await.map_err(fail)?;
        self.client.delete(&key).await.map_err(fail)?;
        if back == PROBE { Ok(()) } else { Err(VaultError::Corrupt("the S3 service".to_owned())) }
    }

    fn frames_per_read(&self) -> u64 {
        FRAMES_PER_READ
    }
}

/// How long the parts of a segment of `stored_bytes` are.
fn part_bytes(stored_bytes: u64) -> u64 {
    stored_bytes.div_ceil(MOST_PARTS).max(LEAST_PART_BYTES)
}

struct MultipartSink {
    parts: WriteMultipart,
    name: String,
}

#[async_trait]
impl SegmentSink for MultipartSink {
    async fn append(&mut self, bytes: Bytes) -> Result<(), VaultError> {
        let ready = self.parts.wait_for_capacity(PARTS_UNDER_WAY).await;
        ready.map_err(|error| from_s3(&error, &self.name))?;
        self.parts.put(bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<(), VaultError> {
        let name = self.name;
        self.parts.finish().await.map(|_| ()).map_err(|error| from_s3(&error, name))
    }

    async fn abort(self: Box<Self>) {
        // Parts that stay behind are removed by the bucket's rule for incomplete uploads.
        let _ = self.parts.abort().await;
    }
}

struct KeySource {
    client: Arc<AmazonS3>,
    key: Key,
    name: String,
}

#[async_trait]
impl SegmentSource for KeySource {
    async fn read(&self, range: Range<u64>) -> Result<Bytes, VaultError> {
        let length = range.end.saturating_sub(range.start);
        let read = self.client.get_range(&self.key, range).await;
        let bytes = read.map_err(|error| match error {
            // A range that begins after the end (416): the segment is shorter than its record says.
            Error::Generic { ref source, .. } if source.to_string().contains("416") => {
                VaultError::Corrupt(self.name.clone())
            }
            other => from_s3(&other, &self.name),
        })?;
        if bytes.len() as u64 == length { Ok(bytes) } else { Err(VaultError::Corrupt(self.name.clone())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_never_needs_more_parts_than_s3_allows() {
        for stored in [0, 1, LEAST_PART_BYTES, 100 << 30, 100_000_000_000, 5 << 40] {
            let parts = stored.div_ceil(part_bytes(stored));
            assert!(parts <= MOST_PARTS, "{stored}: {parts}");
        }
        assert_eq!(part_bytes(1 << 30), LEAST_PART_BYTES);
    }
}
