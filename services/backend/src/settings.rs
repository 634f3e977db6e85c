//! The backend's settings: `packaging/settings/backend.toml` explains each.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;
use kinora_bus::BrokerSettings;
use kinora_runtime::credentials::{BROKER_PASSWORD, DATABASE_PASSWORD, MAIL_PASSWORD, REDIS_PASSWORD};
use kinora_runtime::logging::LogFilter;
use kinora_runtime::redis::RedisSettings;
use kinora_runtime::settings::{Problems, Settings, Span, TlsSettings};
use kinora_store::DatabaseSettings;
use kinora_store::runs::Policy;
use serde::Deserialize;

mod mail;
mod monitoring;

pub use mail::{MailSettings, RelayTls};
pub use monitoring::MonitoringSettings;

/// All of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackendSettings {
    /// Where metrics are served.
    pub metrics_listen: SocketAddr,
    /// Which log records are kept.
    pub log: LogFilter,
    /// TLS of the metrics' listener.
    #[serde(default)]
    pub tls: TlsSettings,
    /// PostgreSQL.
    pub database: DatabaseSettings,
    /// RabbitMQ.
    pub broker: BrokerSettings,
    /// Redis; without servers there are no live percentages.
    pub redis: RedisSettings,
    /// How runs are moved on.
    pub coordinator: CoordinatorSettings,
    /// Passwords that this program makes.
    pub password: PasswordSettings,
    /// Mail.
    pub mail: MailSettings,
    /// The audit trail.
    pub audit: AuditSettings,
    /// Prometheus; without it what it knows is not shown.
    pub monitoring: MonitoringSettings,
}

/// The audit trail.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditSettings {
    /// How long rows are kept; none: for ever.
    pub keep: Option<Span>,
}

impl AuditSettings {
    /// How long rows are kept; none: for ever.
    #[must_use]
    pub fn keep(&self) -> Option<TimeDelta> {
        self.keep.and_then(|span| TimeDelta::from_std(span.get()).ok())
    }
}

/// How runs are moved on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoordinatorSettings {
    /// Most orders of the quick class in the broker.
    pub quick_ahead: u32,
    /// Most orders of the long class in the broker.
    pub long_ahead: u32,
    /// See [`Policy::max_tries`].
    pub max_tries: u32,
    /// See [`Policy::retry_delay`].
    pub retry_delay: Span,
    /// See [`Policy::heartbeat_timeout`].
    pub heartbeat_timeout: Span,
    /// See [`Policy::start_timeout`].
    pub start_timeout: Span,
    /// See [`Policy::cancel_timeout`].
    pub cancel_timeout: Span,
    /// See [`Policy::orphan_delay`].
    pub orphan_delay: Span,
}

impl CoordinatorSettings {
    /// How patient the coordinator is.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy {
            max_tries: self.max_tries,
            heartbeat_timeout: self.heartbeat_timeout.get(),
            start_timeout: self.start_timeout.get(),
            retry_delay: self.retry_delay.get(),
            cancel_timeout: self.cancel_timeout.get(),
            orphan_delay: self.orphan_delay.get(),
        }
    }
}

/// Passwords that this program makes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordSettings {
    /// bcrypt cost.
    pub cost: u32,
}

impl Settings for BackendSettings {
    const ROLE: &'static str = "backend";
    const DEFAULTS: &'static str = include_str!("../../../packaging/settings/backend.toml");

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
        let database =
            self.database.tls_authorities.as_deref().map(|file| ("database.tls_authorities", file));
        let broker = self.broker.tls_authorities.as_deref().filter(|_| self.broker.tls);
        let redis = self.redis.tls_authorities.as_deref().filter(|_| self.redis.tls);
        database
            .into_iter()
            .chain(broker.map(|file| ("broker.tls_authorities", file)))
            .chain(redis.map(|file| ("redis.tls_authorities", file)))
            .chain(self.mail.authorities().map(|file| ("mail.tls_authorities", file)))
            .chain(self.monitoring.authorities().map(|file| ("monitoring.tls_authorities", file)))
            .collect()
    }

    fn secret_names(&self) -> Vec<&'static str> {
        let mut names = vec![DATABASE_PASSWORD, BROKER_PASSWORD];
        if self.redis.is_set() {
            names.push(REDIS_PASSWORD);
        }
        if self.mail.relay.is_some() && self.mail.user.is_some() {
            names.push(MAIL_PASSWORD);
        }
        names
    }

    fn check(&self, problems: &mut Problems) {
        for (key, allowed) in self.database.problems() {
            problems.add(&format!("database.{key}"), allowed);
        }
        for (key, allowed) in self.broker.problems() {
            problems.add(&format!("broker.{key}"), allowed);
        }
        for (key, allowed) in self.redis.problems() {
            problems.add(&format!("redis.{key}"), allowed);
        }
        let coordinator = &self.coordinator;
        for (value, key) in [(coordinator.quick_ahead, "quick_ahead"), (coordinator.long_ahead, "long_ahead")]
        {
            problems.require((1..=10_000).contains(&value), &format!("coordinator.{key}"), "1 to 10000");
        }
        problems.require((1..=20).contains(&coordinator.max_tries), "coordinator.max_tries", "1 to 20");
        for (span, key) in [
            (coordinator.heartbeat_timeout, "heartbeat_timeout"),
            (coordinator.start_timeout, "start_timeout"),
            (coordinator.cancel_timeout, "cancel_timeout"),
        ] {
            problems.require(span.get().as_secs() >= 1, &format!("coordinator.{key}"), "at least \"1s\"");
        }
        self.mail.check(problems);
        self.monitoring.check(problems);
        let shortest = Duration::from_secs(30 * 24 * 3600);
        problems.require(
            self.audit.keep.is_none_or(|span| span.get() >= shortest),
            "audit.keep",
            "at least \"30d\"",
        );
        problems.require(
            (4..=31).contains(&self.password.cost),
            "password.cost",
            "4 to 31 (12 or more in earnest)",
        );
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use kinora_runtime::settings::parse;

    use super::*;

    #[test]
    fn the_defaults_are_complete_and_agree_with_the_code() {
        let settings = parse::<BackendSettings>(Path::new("f"), "").unwrap();
        assert_eq!(settings.coordinator.policy(), Policy::default());
        assert_eq!(settings.secret_names().len(), 3);
    }

    #[test]
    fn the_trail_is_kept_for_a_month_at_least() {
        let read = |keep: &str| {
            parse::<BackendSettings>(Path::new("b.toml"), &format!("[audit]\nkeep = \"{keep}\"\n"))
        };
        assert_eq!(read("30d").unwrap().audit.keep(), Some(TimeDelta::days(30)));
        for short in ["29d", "719h", "1s"] {
            let error = read(short).unwrap_err().to_string();
            assert!(error.contains("b.toml:2: 'audit.keep' must be at least \"30d\""), "{error}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let text = "[broker]\nhots = []\n";
        let error = parse::<BackendSettings>(Path::new("b.toml"), text).unwrap_err().to_string();
        assert_eq!(error, "b.toml:2: unknown key 'broker.hots'; did you mean 'broker.hosts'?");
        let text = "[coordinator]\nmax_tries = 0\nheartbeat_timeout = \"soon\"\n";
        let error = parse::<BackendSettings>(Path::new("b.toml"), text).unwrap_err().to_string();
        assert!(error.starts_with("b.toml:3: 'coordinator.heartbeat_timeout'"), "{error}");
        let text = "[coordinator]\nmax_tries = 0\n[database]\nhosts = []\n";
        let error = parse::<BackendSettings>(Path::new("b.toml"), text).unwrap_err().to_string();
        assert!(error.contains("b.toml:2: 'coordinator.max_tries' must be 1 to 20"), "{error}");
        assert!(
            error.contains("b.toml:4: 'database.hosts' must be a list of at least one server"),
            "{error}"
        );
    }
}
