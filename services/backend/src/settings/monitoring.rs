//! Where Prometheus is.

use std::path::{Path, PathBuf};

use kinora_runtime::settings::{Problems, Span};
use reqwest::Url;
use serde::Deserialize;

/// Prometheus.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MonitoringSettings {
    /// Its address; none: there is none.
    pub url: Option<String>,
    /// Authorities that its certificate must come from (PEM).
    pub tls_authorities: Option<PathBuf>,
    /// How often it is asked.
    pub interval: Span,
}

impl MonitoringSettings {
    fn address(&self) -> Option<Url> {
        self.url.as_deref().and_then(|url| Url::parse(url).ok())
    }

    /// The file of authorities, where it is used.
    pub(super) fn authorities(&self) -> Option<&Path> {
        let is_used = self.address().is_some_and(|url| url.scheme() == "https");
        self.tls_authorities.as_deref().filter(|_| is_used)
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        problems.require(
            (1..=120).contains(&self.interval.get().as_secs()),
            "monitoring.interval",
            "\"1s\" to \"2m\"",
        );
        if self.url.is_none() {
            return;
        }
        let address = self.address();
        let is_usable = address.as_ref().is_some_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.path().ends_with('/')
                && url.query().is_none()
        });
        problems.require(is_usable, "monitoring.url", "an address like \"https://localhost:9090\"");
        let is_here = |url: &Url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        problems.require(
            address.is_none_or(|url| url.scheme() == "https" || is_here(&url)),
            "monitoring.url",
            "https for a Prometheus on another host",
        );
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use kinora_runtime::settings::{Settings as _, parse};

    use crate::BackendSettings;

    fn read(url: &str) -> Result<BackendSettings, String> {
        let text = format!("[monitoring]\nurl = \"{url}\"\ntls_authorities = \"/a.pem\"\n");
        parse::<BackendSettings>(Path::new("b.toml"), &text).map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_is_needed_and_encryption_beyond_this_host() {
        assert_eq!(read("https://localhost:9090").unwrap().authority_files().len(), 1);
        assert!(read("http://127.0.0.1:9090").unwrap().authority_files().is_empty());
        for url in
            ["localhost:9090", "ftp://localhost", "https://u:p@localhost", "http://be2:9090", "https://a/?b"]
        {
            let error = read(url).unwrap_err();
            assert!(error.contains("monitoring.url"), "{url}: {error}");
        }
    }
}
