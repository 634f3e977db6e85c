//! The `[broker]` table of the settings of backend and worker.

use std::path::PathBuf;

use lapin::tcp::OwnedTLSConfig;
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use serde::Deserialize;

use crate::BusError;

/// Where the brokers are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokerSettings {
    /// Brokers as `host` or `host:port`, all of one cluster; tried in turn.
    pub hosts: Vec<String>,
    /// The virtual host.
    pub virtual_host: String,
    /// The role's RabbitMQ user; its password is the credential `broker-password`.
    pub user: String,
    /// Whether to speak TLS (AMQPS).
    #[serde(default)]
    pub tls: bool,
    /// Certificates of the authorities that the brokers' certificates must come from (PEM); without
    /// it the system's.
    #[serde(default)]
    pub tls_authorities: Option<PathBuf>,
    /// First part of the names of all queues and exchanges.
    pub prefix: String,
}

impl BrokerSettings {
    /// What is wrong with the values: pairs of a key in the table and what is allowed.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, &'static str)> {
        let is_name = |text: &str| {
            (1..=64).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        let are_hosts =
            !self.hosts.is_empty() && self.hosts.iter().all(|host| self.host_and_port(host).is_some());
        let checks = [
            (are_hosts, "hosts", "a list of at least one broker, each \"host\" or \"host:port\""),
            (is_name(&self.prefix), "prefix", "1 to 64 letters, digits, '-', '_' or '.'"),
            (!self.virtual_host.is_empty(), "virtual_host", "a name such as \"/\""),
            (!self.user.is_empty(), "user", "the name of a RabbitMQ user"),
        ];
        checks.into_iter().filter(|(fine, ..)| !fine).map(|(_, key, allowed)| (key, allowed)).collect()
    }

    fn host_and_port(&self, entry: &str) -> Option<(String, u16)> {
        let default = if self.tls { 5671 } else { 5672 };
        match entry.rsplit_once(':') {
            _ if entry.is_empty() => None,
            Some((host, port)) => Some((host.trim_matches(['[', ']']).to_owned(), port.parse().ok()?)),
            None => Some((entry.to_owned(), default)),
        }
    }

    /// One address for each broker. Beware: shown, an address includes the password.
    pub(crate) fn addresses(&self, password: &str) -> Result<Vec<AMQPUri>, BusError> {
        let scheme = if self.tls { AMQPScheme::AMQPS } else { AMQPScheme::AMQP };
        let address = |entry: &String| {
            let (host, port) = self.host_and_port(entry)?;
            let userinfo = AMQPUserInfo { username: self.user.clone(), password: password.to_owned() };
            Some(AMQPUri {
                scheme: scheme.clone(),
                authority: AMQPAuthority { userinfo, host, port },
                vhost: self.virtual_host.clone(),
                query: AMQPQueryString { heartbeat: Some(5), ..AMQPQueryString::default() },
            })
        };
        let addresses: Option<Vec<_>> = self.hosts.iter().map(address).collect();
        addresses
            .filter(|list| !list.is_empty())
            .ok_or_else(|| BusError::Settings("hosts must be a list of \"host\" or \"host:port\"".to_owned()))
    }

    pub(crate) fn tls_config(&self) -> Result<OwnedTLSConfig, BusError> {
        let read = |path: &PathBuf| {
            std::fs::read_to_string(path)
                .map_err(|error| BusError::Settings(format!("tls_authorities {}: {error}", path.display())))
        };
        let cert_chain = self.tls_authorities.as_ref().map(read).transpose()?;
        Ok(OwnedTLSConfig { identity: None, cert_chain })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_from_the_hosts() {
        let mut settings = BrokerSettings {
            hosts: vec!["mq1".into(), "mq2:1234".into(), "[::1]:5".into()],
            virtual_host: "/".into(),
            user: "kinora".into(),
            tls: true,
            tls_authorities: None,
            prefix: "kinora".into(),
        };
        let shown: Vec<_> = settings
            .addresses("p")
            .unwrap()
            .iter()
            .map(|a| (a.authority.host.clone(), a.authority.port))
            .collect();
        assert_eq!(shown, [("mq1".to_owned(), 5671), ("mq2".to_owned(), 1234), ("::1".to_owned(), 5)]);
        assert_eq!(settings.problems(), []);
        settings.hosts = vec!["mq:port".into()];
        settings.prefix = "a b".into();
        let keys: Vec<_> = settings.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["hosts", "prefix"]);
        assert!(settings.addresses("p").is_err());
    }
}
