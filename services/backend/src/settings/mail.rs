//! The `[mail]` table.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use kinora_core::mail::is_address;
use kinora_runtime::settings::{Problems, Span};
use kinora_store::mail::claims::Policy;
use lettre::message::Mailbox;
use serde::Deserialize;

/// How the connection to the relay is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RelayTls {
    /// By STARTTLS (RFC 3207), which the relay must offer.
    Starttls,
    /// From the first byte (RFC 8314).
    Implicit,
    /// Not at all.
    None,
}

/// The mail relay, and how patient we are with it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSettings {
    /// The relay as `host` or `host:port`; none: mail waits.
    pub relay: Option<String>,
    /// The relay's network address, where its name cannot be resolved.
    pub address: Option<IpAddr>,
    /// How the connection is encrypted.
    pub tls: RelayTls,
    /// Authorities that the relay's certificate must come from; none: the system's.
    pub tls_authorities: Option<PathBuf>,
    /// The user at the relay; the password is the credential `mail-password`.
    pub user: Option<String>,
    /// Whom mail comes from.
    pub from: Option<String>,
    /// What this host calls itself to the relay (EHLO).
    pub hello_name: Option<String>,
    /// Longest that sending one mail may take.
    pub timeout: Span,
    /// See [`Policy::retry_delay`].
    pub retry_delay: Span,
    /// See [`Policy::longest_delay`].
    pub longest_delay: Span,
    /// See [`Policy::give_up_after`].
    pub give_up_after: Span,
    /// See [`Policy::keep_ended`].
    pub keep_ended: Span,
}

impl MailSettings {
    /// How patient the sender is.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy {
            retry_delay: self.retry_delay.get(),
            longest_delay: self.longest_delay.get(),
            give_up_after: self.give_up_after.get(),
            // Twice, because noting the end may have to wait for the database.
            claim_validity: self.timeout.get() * 2,
            keep_ended: self.keep_ended.get(),
        }
    }

    /// Where the relay is.
    #[must_use]
    pub fn host_and_port(&self) -> Option<(String, u16)> {
        let relay = self.relay.as_deref()?;
        let (host, port) = match relay.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port.parse().ok()?),
            _ => (relay, if self.tls == RelayTls::Implicit { 465 } else { 587 }),
        };
        let host = host.trim_matches(['[', ']']);
        (!host.is_empty() && !host.contains(char::is_whitespace) && port > 0).then(|| (host.to_owned(), port))
    }

    /// The file of authorities, where it is used.
    pub(super) fn authorities(&self) -> Option<&Path> {
        let is_used = self.relay.is_some() && self.tls != RelayTls::None;
        self.tls_authorities.as_deref().filter(|_| is_used)
    }

    fn is_on_this_host(&self) -> bool {
        match self.address {
            Some(address) => address.is_loopback(),
            None => self.host_and_port().is_some_and(|(host, _)| {
                host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }),
        }
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        for (span, key) in [
            (self.timeout, "timeout"),
            (self.retry_delay, "retry_delay"),
            (self.longest_delay, "longest_delay"),
        ] {
            problems.require(span.get().as_secs() >= 1, &format!("mail.{key}"), "at least \"1s\"");
        }
        if self.relay.is_none() {
            return;
        }
        problems.require(self.host_and_port().is_some(), "mail.relay", "\"host\" or \"host:port\"");
        let from = self.from.as_deref().and_then(|from| from.parse::<Mailbox>().ok());
        problems.require(
            from.is_some_and(|from| is_address(from.email.as_ref())),
            "mail.from",
            "an address, or a name with an address in angle brackets, when mail.relay is set",
        );
        problems.require(
            self.tls != RelayTls::None || self.is_on_this_host(),
            "mail.tls",
            "\"starttls\" or \"implicit\" for a relay on another host",
        );
        let is_name = |name: &str| {
            (1..=253).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
        };
        problems.require(
            self.hello_name.as_deref().is_none_or(is_name),
            "mail.hello_name",
            "the name of a host",
        );
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use kinora_runtime::settings::{Settings as _, parse};

    use crate::BackendSettings;

    fn read(text: &str) -> Result<BackendSettings, String> {
        parse::<BackendSettings>(Path::new("b.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_relay_needs_a_sender_and_encryption() {
        let settings = read("").unwrap();
        assert_eq!(settings.mail.host_and_port(), None);
        let table = "[mail]\nrelay = \"mail.studio.example\"\n";
        let error = read(table).unwrap_err();
        assert!(error.contains("mail.from"), "{error}");
        let from = "from = \"Kinora <kinora@studio.example>\"\n";
        let settings = read(&format!("{table}{from}")).unwrap();
        assert_eq!(settings.mail.host_and_port(), Some(("mail.studio.example".to_owned(), 587)));
        assert!(!settings.secret_names().contains(&"mail-password"));
        let settings = read(&format!("{table}{from}user = \"k\"\ntls = \"implicit\"\n")).unwrap();
        assert_eq!(settings.mail.host_and_port(), Some(("mail.studio.example".to_owned(), 465)));
        assert!(settings.secret_names().contains(&"mail-password"));
        for (line, key) in [
            ("tls = \"none\"", "mail.tls"),
            ("timeout = \"0s\"", "mail.timeout"),
            ("hello_name = \"a b\"", "mail.hello_name"),
            ("tls = \"ssl\"", "mail.tls"),
        ] {
            let error = read(&format!("{table}{from}{line}\n")).unwrap_err();
            assert!(error.contains(key), "{line}: {error}");
        }
        let here = "[mail]\nrelay = \"localhost:25\"\ntls = \"none\"\n";
        assert!(read(&format!("{here}{from}")).is_ok());
        for relay in ["", "a b", "x:port", "x:0", ":25"] {
            let error = read(&format!("[mail]\nrelay = \"{relay}\"\n{from}")).unwrap_err();
            assert!(error.contains("mail.relay"), "{relay}: {error}");
        }
    }
}
