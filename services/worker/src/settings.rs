//! The worker's settings: `packaging/settings/worker.toml` explains each.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kinora_bus::BrokerSettings;
use kinora_core::queue::QueueClass;
use kinora_runtime::credentials::{BROKER_PASSWORD, VAULT_MASTER_KEY};
use kinora_runtime::logging::LogFilter;
use kinora_runtime::settings::{ByteSize, Problems, Settings, Span, TlsSettings};
use kinora_vault::VaultSettings;
use serde::Deserialize;

use crate::confinement::Limits;

/// Credential with the S3 service's access key id, needed with S3 only.
pub const S3_ACCESS_KEY: &str = "vault-s3-access-key";

/// Credential with the S3 service's secret key, needed with S3 only.
pub const S3_SECRET_KEY: &str = "vault-s3-secret-key";

/// All of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerSettings {
    /// Name shown with the steps this worker does; see [`WorkerSettings::name`].
    name: Option<String>,
    /// Where metrics are served.
    pub metrics_listen: SocketAddr,
    /// Which log records are kept.
    pub log: LogFilter,
    /// The classes of work.
    pub queues: Vec<QueueClass>,
    /// Steps of the quick class at the same time.
    pub quick_parallel: u16,
    /// Steps of the long class at the same time.
    pub long_parallel: u16,
    /// Where scratch directories are made.
    pub scratch_path: PathBuf,
    /// How long steps may go on after the process was asked to stop.
    pub shutdown_grace: Span,
    /// TLS of the metrics' listener.
    #[serde(default)]
    pub tls: TlsSettings,
    /// The media programs.
    pub media: MediaSettings,
    /// RabbitMQ.
    pub broker: BrokerSettings,
    /// Where originals are read and derivatives are stored.
    pub vault: VaultSettings,
}

/// Who makes the sandbox that media programs run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConfinementKind {
    /// The worker, with bubblewrap.
    Bubblewrap,
    /// systemd, in unit instances.
    Service,
}

/// The media programs and their bounds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaSettings {
    /// Absolute path of `ffmpeg`.
    pub ffmpeg: PathBuf,
    /// Absolute path of `ffprobe`.
    pub ffprobe: PathBuf,
    /// Who makes the sandbox they run in.
    pub confinement: ConfinementKind,
    /// Absolute path of bubblewrap, for [`ConfinementKind::Bubblewrap`].
    pub bubblewrap: PathBuf,
    /// Socket of `kinora-media.socket`, for [`ConfinementKind::Service`].
    pub socket: PathBuf,
    /// Most private memory of one program.
    pub memory_limit: ByteSize,
    /// Largest file one may write.
    pub file_limit: ByteSize,
    /// Longest time a step may take, without the media's length.
    pub time_limit: Span,
    /// Seconds more for each second of the media.
    pub time_limit_factor: f64,
}

impl MediaSettings {
    /// What a child may use.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits { memory_bytes: self.memory_limit.get(), file_bytes: self.file_limit.get() }
    }

    /// How long a step on media of `length` may take.
    #[must_use]
    pub fn time_limit(&self, length: Duration) -> Duration {
        self.time_limit.get().saturating_add(
            Duration::try_from_secs_f64(length.as_secs_f64() * self.time_limit_factor)
                .unwrap_or(Duration::MAX),
        )
    }
}

impl WorkerSettings {
    /// The worker's name: as set, or the host's.
    #[must_use]
    pub fn name(&self) -> String {
        let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let name = self.name.clone().or_else(host).unwrap_or_default();
        let name = name.trim();
        if name.is_empty() { "worker".to_owned() } else { name.to_owned() }
    }

    /// Steps of `class` at the same time.
    #[must_use]
    pub fn parallel(&self, class: QueueClass) -> u16 {
        match class {
            QueueClass::Quick => self.quick_parallel,
            QueueClass::Long => self.long_parallel,
        }
    }
}

impl Settings for WorkerSettings {
    const ROLE: &'static str = "worker";
    const DEFAULTS: &'static str = include_str!("../../../packaging/settings/worker.toml");

    fn log_filter(&self) -> &LogFilter {
        &self.log
    }

    fn metrics_listen(&self) -> Option<SocketAddr> {
        Some(self.metrics_listen)
    }

    fn tls_certificate(&self) -> Option<&Path> {
        self.tls.certificate.as_deref()
    }

    fn authority_files(&self) -> Vec<(&'static str, &Path)> {
        let broker = self.broker.tls_authorities.as_deref().filter(|_| self.broker.tls);
        let storage = self.vault.s3.as_ref().and_then(|s3| s3.tls_authorities.as_deref());
        let named = [("broker.tls_authorities", broker), ("vault.s3.tls_authorities", storage)];
        named.into_iter().filter_map(|(name, file)| Some((name, file?))).collect()
    }

    fn stop_limit(&self) -> Duration {
        self.shutdown_grace.get()
    }

    fn secret_names(&self) -> Vec<&'static str> {
        let mut names = vec![BROKER_PASSWORD, VAULT_MASTER_KEY];
        if self.vault.s3.is_some() {
            names.extend([S3_ACCESS_KEY, S3_SECRET_KEY]);
        }
        names
    }

    fn check(&self, problems: &mut Problems) {
        for (key, allowed) in self.broker.problems() {
            problems.add(&format!("broker.{key}"), allowed);
        }
        problems.require(!self.queues.is_empty(), "queues", "a list of \"quick\", \"long\" or both");
        for (value, key) in [(self.quick_parallel, "quick_parallel"), (self.long_parallel, "long_parallel")] {
            problems.require((1..=256).contains(&value), key, "1 to 256");
        }
        let is_absolute = |path: &Path| path.is_absolute();
        problems.require(is_absolute(&self.scratch_path), "scratch_path", "an absolute path");
        problems.require(is_absolute(&self.vault.directory), "vault.directory", "an absolute path");
        let media = &self.media;
        for (path, key) in [(&media.ffmpeg, "ffmpeg"), (&media.ffprobe, "ffprobe")] {
            let is_visible = path.starts_with("/usr");
            problems.require(
                is_visible,
                &format!("media.{key}"),
                "a path below /usr: all else is hidden from it",
            );
        }
        problems.require(is_absolute(&media.bubblewrap), "media.bubblewrap", "an absolute path");
        problems.require(media.memory_limit.get() >= 1 << 30, "media.memory_limit", "at least \"1 GiB\"");
        problems.require(media.file_limit.get() >= 1 << 30, "media.file_limit", "at least \"1 GiB\"");
        problems.require(
            media.time_limit.get() >= Duration::from_secs(1),
            "media.time_limit",
            "at least \"1s\"",
        );
        let factor = media.time_limit_factor;
        problems.require((0.0..=10_000.0).contains(&factor), "media.time_limit_factor", "0 to 10000");
    }
}

#[cfg(test)]
mod tests {
    use kinora_runtime::settings::parse;

    use super::*;

    const LEAST: &str = "[vault]\ndirectory = \"/srv/kinora/vault\"\n";

    #[test]
    fn the_defaults_can_be_used_with_a_vault() {
        let settings = parse::<WorkerSettings>(Path::new("w.toml"), LEAST).unwrap();
        assert_eq!(settings.queues, QueueClass::ALL);
        assert_eq!(settings.media.limits().memory_bytes, Limits::default().memory_bytes);
        assert_eq!(settings.media.limits().file_bytes, Limits::default().file_bytes);
        assert_eq!(settings.media.time_limit(Duration::from_secs(60)), Duration::from_secs(1800 + 1200));
        assert_eq!(settings.secret_names(), ["broker-password", "vault-master-key"]);
        assert!(!settings.name().is_empty());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |text: &str| {
            let error = parse::<WorkerSettings>(Path::new("w.toml"), &format!("{text}\n{LEAST}"));
            error.unwrap_err().to_string()
        };
        assert_eq!(wrong("queue = []"), "w.toml:1: unknown key 'queue'; did you mean 'queues'?");
        assert!(wrong("queues = []").contains("w.toml:1: 'queues' must be"));
        assert!(wrong("queues = [\"slow\"]").starts_with("w.toml:1"));
        assert!(wrong("[media]\nffmpeg = \"/opt/ffmpeg\"").contains("w.toml:2: 'media.ffmpeg' must be"));
        assert!(parse::<WorkerSettings>(Path::new("w.toml"), "").is_err(), "no vault");
    }
}
