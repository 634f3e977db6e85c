//! Asking Prometheus by its HTTP API, version 1.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use kinora_runtime::Secret;
use kinora_runtime::settings::TlsSettings;
use reqwest::{Certificate, Identity, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::settings::MonitoringSettings;

/// Longest wait for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest answer that is read, bytes.
const LARGEST_ANSWER: usize = 2 * 1024 * 1024;
/// Longest text of a label or an error that is kept, characters.
const LONGEST_TEXT: usize = 120;

/// Why Prometheus cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum PrometheusError {
    /// A file cannot be read.
    #[error("{key}: {path} cannot be read: {source}")]
    File {
        /// The setting.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The certificate and its key cannot be shown.
    #[error("the certificate of [tls] and the secret 'tls-key' cannot be shown to Prometheus: {0}")]
    Identity(#[source] reqwest::Error),
    /// The connection cannot be set up, or broke.
    #[error("{}", chain(.0))]
    Connection(#[from] reqwest::Error),
    /// The address cannot be used.
    #[error("monitoring.url: {0}")]
    Address(String),
    /// It answers something else than it was asked for.
    #[error("Prometheus answers {0}")]
    Answer(String),
}

/// An error with its causes; reqwest keeps the telling one at the end.
fn chain(error: &reqwest::Error) -> String {
    let mut text = String::from("Prometheus cannot be asked");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    if error.is_timeout() { format!("{text}: no answer in time") } else { text }
}

/// The Prometheus of this host.
pub struct Prometheus {
    http: reqwest::Client,
    base: Url,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The labels that are left.
    pub labels: BTreeMap<String, String>,
    /// Finite.
    pub value: f64,
}

/// One line over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The labels that are left.
    pub labels: BTreeMap<String, String>,
    /// Instants in seconds since 1970, with what was then.
    pub values: Vec<(f64, f64)>,
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The first instant.
    pub starts_at: DateTime<Utc>,
    /// Between two, seconds.
    pub step_seconds: u32,
    /// How many instants.
    pub count: u32,
}

impl Stretch {
    /// The last instant, seconds since 1970.
    fn end(self) -> i64 {
        self.starts_at.timestamp() + i64::from(self.step_seconds) * i64::from(self.count.saturating_sub(1))
    }
}

#[derive(Deserialize)]
struct Answer<T> {
    data: Option<Data<T>>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Data<T> {
    result: Vec<T>,
}

#[derive(Deserialize)]
struct Instant {
    metric: BTreeMap<String, String>,
    value: (f64, String),
}

#[derive(Deserialize)]
struct Range {
    metric: BTreeMap<String, String>,
    values: Vec<(f64, String)>,
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

fn short_labels(labels: BTreeMap<String, String>) -> BTreeMap<String, String> {
    labels.into_iter().map(|(name, value)| (name, short(&value))).collect()
}

fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

impl Prometheus {
    /// The one at `url`. Shows the certificate of the metrics' listener, where there is one.
    ///
    /// # Errors
    /// [`PrometheusError`].
    pub fn new(
        url: &str,
        settings: &MonitoringSettings,
        tls: &TlsSettings,
        key: Option<&Secret>,
    ) -> Result<Self, PrometheusError> {
        let base = Url::parse(url).map_err(|error| PrometheusError::Address(error.to_string()))?;
        let read = |key, path: &PathBuf| {
            std::fs::read(path).map_err(|source| PrometheusError::File { key, path: path.clone(), source })
        };
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none());
        if let Some(file) = &settings.tls_authorities {
            let authorities = Certificate::from_pem_bundle(&read("monitoring.tls_authorities", file)?)?;
            builder = builder.tls_certs_only(authorities);
        }
        if let (Some(file), Some(key), "https") = (&tls.certificate, key, base.scheme()) {
            let certificate = read("tls.certificate", file)?;
            let identity =
                Identity::from_pkcs8_pem(&certificate, key.expose()).map_err(PrometheusError::Identity)?;
            builder = builder.identity(identity);
        }
        Ok(Self { http: builder.build()?, base })
    }

    /// Values now.
    ///
    /// # Errors
    /// [`PrometheusError`].
    pub async fn now(&self, query: &str, at: DateTime<Utc>) -> Result<Vec<Sample>, PrometheusError> {
        let time = at.timestamp().to_string();
        let found: Vec<Instant> = self.get("api/v1/query", &[("query", query), ("time", &time)]).await?;
        let sample =
            |one: Instant| Some(Sample { value: number(&one.value.1)?, labels: short_labels(one.metric) });
        Ok(found.into_iter().filter_map(sample).collect())
    }

    /// Values over a stretch of time.
    ///
    /// # Errors
    /// [`PrometheusError`].
    pub async fn range(&self, query: &str, stretch: Stretch) -> Result<Vec<Line>, PrometheusError> {
        let (start, end) = (stretch.starts_at.timestamp().to_string(), stretch.end().to_string());
        let step = stretch.step_seconds.to_string();
        let parameters = [("query", query), ("start", &start), ("end", &end), ("step", &step)];
        let found: Vec<Range> = self.get("api/v1/query_range", &parameters).await?;
        let line = |one: Range| Line {
            labels: short_labels(one.metric),
            values: one.values.into_iter().filter_map(|(at, value)| Some((at, number(&value)?))).collect(),
        };
        Ok(found.into_iter().map(line).collect())
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Vec<T>, PrometheusError> {
        let mut url = self.base.join(path).map_err(|error| PrometheusError::Address(error.to_string()))?;
        url.query_pairs_mut().extend_pairs(parameters);
        let mut response = self.http.get(url).send().await?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(PrometheusError::Answer("more than is read".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        let answer: Answer<T> = serde_json::from_slice(&body).map_err(|error| {
            PrometheusError::Answer(format!("{status}, and not what was expected: {error}"))
        })?;
        match answer.data {
            Some(data) if status.is_success() => Ok(data.result),
            _ => Err(PrometheusError::Answer(format!(
                "{status}: {}",
                short(&answer.error.unwrap_or_default())
            ))),
        }
    }
}
