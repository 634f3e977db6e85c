//! Where objects are kept, as settings say it.

use std::path::PathBuf;

use serde::Deserialize;

use crate::keys::MasterKeys;

/// Where the vault keeps its objects.
///
/// With only `directory` everything is in that directory. With `s3`, the directory is the staging
/// place in which uploads arrive; it must then be shared by all application and worker hosts too.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultSettings {
    /// Absolute path of a directory that only Kinora uses, usually on the studio's NAS.
    pub directory: PathBuf,
    /// The S3 service that finished objects are moved to, if there is one.
    #[serde(default)]
    pub s3: Option<S3Settings>,
}

/// Where copies of the objects are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyPlace {
    /// A directory, best on a storage of its own.
    Directory(PathBuf),
    /// An S3 service.
    S3(S3Settings, S3Credentials),
}

/// An S3 service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Settings {
    /// Its address, e.g. `https://s3.studio.example`.
    pub endpoint: String,
    /// The bucket, which exists already.
    pub bucket: String,
    /// The region that requests are signed for.
    #[serde(default = "default_region")]
    pub region: String,
    /// Put before all keys, without slashes at its ends; empty for none.
    #[serde(default)]
    pub prefix: String,
    /// Whether an endpoint without TLS is accepted.
    #[serde(default)]
    pub allow_http: bool,
    /// Certificates (PEM) of authorities besides the system's that the service's certificate may come from.
    #[serde(default)]
    pub tls_authorities: Option<PathBuf>,
}

fn default_region() -> String {
    "us-east-1".to_owned()
}

/// The secrets of the vault, read from credentials by the caller.
#[derive(Clone, Debug)]
pub struct VaultSecrets {
    /// From the credential `vault-master-key`.
    pub master_keys: MasterKeys,
    /// From the credentials `vault-s3-access-key` and `vault-s3-secret-key`; needed with S3 only.
    pub s3: Option<S3Credentials>,
}

impl VaultSecrets {
    /// Secrets for a vault without S3.
    #[must_use]
    pub fn new(master_keys: MasterKeys) -> Self {
        Self { master_keys, s3: None }
    }
}

/// What requests to the S3 service are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Credentials {
    /// The access key id.
    pub access_key: String,
    /// The secret key.
    pub secret_key: String,
}

impl std::fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("S3Credentials")
    }
}
