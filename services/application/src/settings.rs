//! The application's settings; `packaging/settings/application.toml` documents them.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kinora_runtime::credentials;
use kinora_runtime::logging::LogFilter;
use kinora_runtime::redis::RedisSettings;
use kinora_runtime::settings::{ByteSize, Problems, Settings, Span};
use kinora_runtime::tls::Clients;
use kinora_store::DatabaseSettings;
use kinora_vault::VaultSettings;
use serde::{Deserialize, Deserializer, de};
use url::Url;

use crate::address::Network;

/// All settings of the role.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationSettings {
    /// Where requests are accepted.
    pub listen: SocketAddr,
    /// Where metrics are served.
    pub metrics_listen: SocketAddr,
    /// Which log records are kept.
    pub log: LogFilter,
    /// The address at which people open Kinora.
    #[serde(deserialize_with = "read_url")]
    pub public_url: Url,
    /// The built web client; none: only the APIs are served.
    pub web_root: Option<PathBuf>,
    /// Load balancers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Worker threads; 0: one for each core.
    pub threads: usize,
    /// Longest JSON body.
    pub body_limit: ByteSize,
    /// How long requests may take to end after the process was asked to.
    pub shutdown_grace: Span,
    /// TLS.
    pub tls: TlsSettings,
    /// PostgreSQL.
    pub database: DatabaseSettings,
    /// Redis.
    pub redis: RedisSettings,
    /// Where media objects are.
    pub vault: VaultSettings,
    /// Uploads.
    pub upload: UploadSettings,
    /// Sessions.
    pub session: SessionSettings,
    /// Passwords.
    pub password: PasswordSettings,
    /// Invitations.
    pub invitation: InvitationSettings,
    /// Single sign-on.
    pub saml: SamlSettings,
    /// Rate limits.
    pub rate_limit: RateLimitSettings,
}

fn read_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let text = String::deserialize(deserializer)?;
    // Not shown: somebody may have written a password into it.
    Url::parse(&text).map_err(|error| de::Error::custom(format!("not a URL: {error}")))
}

/// How the listeners speak TLS.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// The certificate, and those between it and its authority; none: plain HTTP.
    pub certificate: Option<PathBuf>,
    /// Authorities that clients' certificates must come from; none: no certificate is asked for.
    pub client_authorities: Option<PathBuf>,
    /// Names of which a client's certificate must have one; empty: any.
    pub client_names: Vec<String>,
}

/// How long uploads are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UploadSettings {
    /// An unfinished upload is removed after this time without a request.
    pub expire_after: Span,
    /// How often this process looks for what is to be removed.
    pub sweep_interval: Span,
}

/// How long sessions hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionSettings {
    /// Longest time without a request.
    pub idle_limit: Span,
    /// Longest time altogether.
    pub absolute_limit: Span,
}

/// How passwords are kept and guarded.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordSettings {
    /// bcrypt cost.
    pub cost: u32,
    /// Passwords worked on at the same time; 0: half the cores.
    pub parallel: usize,
    /// How many may wait for that.
    pub queue: usize,
    /// How long one-time links hold.
    pub link_validity: Span,
}

/// Invitations.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvitationSettings {
    /// How long the link of an invitation works.
    pub validity: Span,
}

/// Single sign-on with identity providers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamlSettings {
    /// The program that checks signatures; none: the one beside this program, or that of the package.
    pub verifier: Option<PathBuf>,
    /// Authorities (PEM) that servers of metadata may have their certificates from, besides the system's.
    pub metadata_authorities: Option<PathBuf>,
    /// Whether metadata may be fetched from this host's own addresses, link-local ones and the host of `public_url`.
    pub metadata_from_this_host: bool,
}

impl SamlSettings {
    /// The program that checks signatures.
    #[must_use]
    pub fn verifier(&self) -> PathBuf {
        const NAME: &str = "kinora-saml-verifier";
        let beside = || Some(std::env::current_exe().ok()?.parent()?.join(NAME)).filter(|path| path.exists());
        self.verifier.clone().or_else(beside).unwrap_or_else(|| Path::new("/usr/libexec/kinora").join(NAME))
    }
}

/// Requests per second, and how many at once.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimitSettings {
    /// Per second and person.
    pub person_per_second: f64,
    /// At once per person.
    pub person_burst: u32,
    /// Per second and address that is not signed in.
    pub address_per_second: f64,
    /// At once per address that is not signed in.
    pub address_burst: u32,
    /// Sign-ins per minute and address.
    pub sign_in_per_minute: f64,
    /// Sign-ins at once per address.
    pub sign_in_burst: u32,
}

impl Settings for ApplicationSettings {
    const ROLE: &'static str = "application";
    const DEFAULTS: &'static str = include_str!("../../../packaging/settings/application.toml");

    fn log_filter(&self) -> &LogFilter {
        &self.log
    }

    fn metrics_listen(&self) -> Option<SocketAddr> {
        Some(self.metrics_listen)
    }

    fn tls_certificate(&self) -> Option<&Path> {
        self.tls.certificate.as_deref()
    }

    fn tls_clients(&self) -> Option<Clients> {
        let authorities = self.tls.client_authorities.clone()?;
        Some(Clients { authorities, names: self.tls.client_names.clone() })
    }

    fn authority_files(&self) -> Vec<(&'static str, &Path)> {
        let database = self.database.tls_authorities.as_deref();
        let redis = self.redis.tls_authorities.as_deref().filter(|_| self.redis.tls);
        let metadata = self.saml.metadata_authorities.as_deref();
        let storage = self.vault.s3.as_ref().and_then(|s3| s3.tls_authorities.as_deref());
        let named = [
            ("vault.s3.tls_authorities", storage),
            ("database.tls_authorities", database),
            ("redis.tls_authorities", redis),
            ("saml.metadata_authorities", metadata),
        ];
        named.into_iter().filter_map(|(name, file)| Some((name, file?))).collect()
    }

    fn stop_limit(&self) -> Duration {
        self.shutdown_grace.get()
    }

    fn secret_names(&self) -> Vec<&'static str> {
        vec![
            credentials::DATABASE_PASSWORD,
            credentials::REDIS_PASSWORD,
            credentials::SESSION_KEY,
            credentials::VAULT_MASTER_KEY,
        ]
    }

    fn check(&self, problems: &mut Problems) {
        let url = &self.public_url;
        let is_origin = matches!(url.scheme(), "http" | "https")
            && url.host().is_some()
            && url.path() == "/"
            && url.query().is_none();
        problems.require(is_origin, "public_url", "http:// or https://, a host, perhaps a port, and no path");
        for (key, allowed) in self.database.problems() {
            problems.add(&format!("database.{key}"), allowed);
        }
        for (key, allowed) in self.redis.problems() {
            problems.add(&format!("redis.{key}"), allowed);
        }
        problems.require(self.redis.is_set(), "redis.url_hosts", "a list of at least one server");
        let tls = &self.tls;
        problems.require(
            tls.certificate.is_some() || tls.client_authorities.is_none(),
            "tls.client_authorities",
            "left out as long as tls.certificate is",
        );
        problems.require(
            tls.client_authorities.is_some() || tls.client_names.is_empty(),
            "tls.client_names",
            "left out as long as tls.client_authorities is",
        );
        problems.require(self.body_limit.get() >= 16 * 1024, "body_limit", "at least \"16 KiB\"");
        problems.require(
            !self.upload.sweep_interval.get().is_zero(),
            "upload.sweep_interval",
            "more than no time at all",
        );
        let hours = |hours: u64| std::time::Duration::from_secs(hours * 3600);
        let (idle, absolute) = (self.session.idle_limit.get(), self.session.absolute_limit.get());
        problems.require(
            idle >= hours(1) / 60 && idle <= absolute,
            "session.idle_limit",
            "at least \"1m\" and not more than session.absolute_limit",
        );
        problems.require(absolute <= hours(24 * 365), "session.absolute_limit", "at most \"365d\"");
        problems.require((12..=20).contains(&self.password.cost), "password.cost", "12 to 20");
        problems.require(self.password.queue > 0, "password.queue", "at least 1");
        let validity = self.password.link_validity.get();
        problems.require(
            (hours(24)..=hours(72)).contains(&validity),
            "password.link_validity",
            "\"24h\" to \"72h\"",
        );
        let validity = self.invitation.validity.get();
        problems.require(
            (hours(1)..=hours(24 * 60)).contains(&validity),
            "invitation.validity",
            "\"1h\" to \"60d\"",
        );
        self.rate_limit.check(problems);
    }
}

impl RateLimitSettings {
    fn check(&self, problems: &mut Problems) {
        for (key, rate) in [
            ("rate_limit.person_per_second", self.person_per_second),
            ("rate_limit.address_per_second", self.address_per_second),
            ("rate_limit.sign_in_per_minute", self.sign_in_per_minute),
        ] {
            problems.require(rate > 0.0 && rate <= 1e9, key, "more than 0");
        }
        for (key, burst) in [
            ("rate_limit.person_burst", self.person_burst),
            ("rate_limit.address_burst", self.address_burst),
            ("rate_limit.sign_in_burst", self.sign_in_burst),
        ] {
            problems.require(burst > 0, key, "at least 1");
        }
    }
}

impl ApplicationSettings {
    /// Whether people reach it through TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// Whether requests from there carry the client's address in `X-Forwarded-For`.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "[vault]\ndirectory = \"/srv/kinora\"\n";

    #[test]
    fn the_defaults_can_be_used_with_a_vault() {
        let settings =
            kinora_runtime::settings::parse::<ApplicationSettings>("a.toml".as_ref(), LEAST).unwrap();
        assert_eq!(settings.password.cost, 12);
        assert!(settings.trusts("127.0.0.1".parse().unwrap()));
        assert!(!settings.trusts("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn bad_values_are_refused() {
        for (text, key) in [
            ("public_url = \"ftp://x/\"", "public_url"),
            ("public_url = \"http://x/path\"", "public_url"),
            ("[password]\ncost = 11", "password.cost"),
            ("[session]\nidle_limit = \"9000d\"", "session.idle_limit"),
            ("[password]\nlink_validity = \"1h\"", "password.link_validity"),
            ("[invitation]\nvalidity = \"90d\"", "invitation.validity"),
            ("trusted_proxies = [\"10.0.0.0/33\"]", "trusted_proxies"),
        ] {
            let text = format!("{text}\n{LEAST}");
            let error = kinora_runtime::settings::parse::<ApplicationSettings>("a.toml".as_ref(), &text)
                .unwrap_err()
                .to_string();
            assert!(error.contains(key), "{error}");
        }
    }
}
