//! A private Redis: caches and fan-out only, so nothing is written to disk.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::child::Launch;
use crate::directory::{create_private_directory, write_private_file};
use crate::error::DevstackError;
use crate::secret::{SecretBook, SecretKind};

/// Where to reach it.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct RedisEndpoint {
    /// Port on 127.0.0.1.
    pub port: u16,
    /// File with the password of the default user.
    pub password_file: PathBuf,
}

/// A Redis below a directory.
#[derive(Debug)]
pub struct Redis {
    directory: PathBuf,
    endpoint: RedisEndpoint,
    password: String,
}

impl Redis {
    /// Prepares an instance in `directory`, with its password in `secrets`.
    ///
    /// # Errors
    /// When files cannot be written.
    pub fn prepare(directory: &Path, secrets: &SecretBook, port: u16) -> Result<Self, DevstackError> {
        create_private_directory(directory)?;
        let redis = Self {
            directory: directory.to_owned(),
            endpoint: RedisEndpoint { port, password_file: secrets.path("redis-password") },
            password: secrets.obtain("redis-password", SecretKind::Password)?,
        };
        write_private_file(&redis.settings_file(), redis.settings().as_bytes())?;
        Ok(redis)
    }

    /// Where to reach it.
    #[must_use]
    pub fn endpoint(&self) -> &RedisEndpoint {
        &self.endpoint
    }

    /// How to start it; its output goes to `log`.
    #[must_use]
    pub fn launch(&self, log: &Path) -> Launch {
        let mut launch = Launch::new("redis", Path::new("redis-server"), log).argument(self.settings_file());
        launch.ready_text = Some("Ready to accept connections");
        launch
    }

    fn settings_file(&self) -> PathBuf {
        self.directory.join("redis.conf")
    }

    fn settings(&self) -> String {
        format!(
            "bind 127.0.0.1\n\
             port {port}\n\
             protected-mode yes\n\
             requirepass {password}\n\
             dir \"{directory}\"\n\
             save \"\"\n\
             appendonly no\n\
             maxmemory 256mb\n\
             maxmemory-policy allkeys-lru\n\
             daemonize no\n\
             logfile \"\"\n",
            port = self.endpoint.port,
            password = self.password,
            directory = self.directory.display(),
        )
    }
}
