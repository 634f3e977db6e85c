//! `kinoractl canary`: the whole path from outside, through public APIs only.
//!
//! Whatever happens in between, also after Ctrl-C, what it made is removed.

pub(crate) mod client;
mod ingest;
mod report;
mod upload;

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Mutex;

use self::client::{CanaryError, Client, send};
use self::ingest::{Asset, Derivative};
use self::report::Report;
use self::upload::{Source, Upload};
use crate::input::{self, Secret};
use crate::size::size;

/// Bytes read from the middle of the proxy.
const RANGE_BYTES: u64 = 64 * 1024;
/// Longest time that cleaning up may take after Ctrl-C.
const CLEANUP_LIMIT: Duration = Duration::from_secs(60);

/// Options of the command.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Kinora's address, as people open it
    #[arg(long)]
    url: String,
    /// Who signs in; the password is read from standard input
    #[arg(long, required_unless_present_any = ["token", "token_file"])]
    login: Option<String>,
    /// The media file to upload
    #[arg(long)]
    file: PathBuf,
    /// Read the password from this file instead
    #[arg(long, value_name = "FILE", conflicts_with_all = ["token", "token_file"])]
    password_file: Option<PathBuf>,
    /// Standard input holds an access token instead of a password
    #[arg(long, conflicts_with = "token_file")]
    token: bool,
    /// Use the access token in this file
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The organisation (name or id) to make the scratch production in, if there are several
    #[arg(long)]
    organisation: Option<String>,
    /// Fly in this production (id) instead of a scratch one; the account needs to be manager of its library
    #[arg(long, value_name = "ID", conflicts_with = "organisation")]
    production: Option<String>,
    /// Connect to this address instead of looking the name in --url up
    #[arg(long, value_name = "ADDRESS")]
    connect_to: Option<IpAddr>,
    /// Certificates (PEM) to trust besides those of the system
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Longest time the ingest may take, seconds
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    timeout: u64,
    /// Print one JSON document instead of lines
    #[arg(long)]
    json: bool,
}

impl Options {
    fn uses_token(&self) -> bool {
        self.token || self.token_file.is_some()
    }

    fn read_secret(&self) -> Result<Secret, input::InputError> {
        if self.uses_token() {
            input::read_secret(self.token_file.as_deref(), "access token")
        } else {
            input::read_secret(self.password_file.as_deref(), "password")
        }
    }
}

/// Runs the command.
pub fn run(options: &Options) -> ExitCode {
    let secret = match options.read_secret() {
        Ok(secret) => secret,
        Err(error) => {
            eprintln!("kinoractl: {error}");
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("kinoractl: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        match Client::new(&options.url, options.ca_file.as_deref(), options.connect_to) {
            Ok(client) => Canary::new(options, client, secret).run().await,
            Err(error) => {
                eprintln!("kinoractl: {error}");
                ExitCode::from(2)
            }
        }
    })
}

/// What was made and has to go.
#[derive(Debug, Default)]
struct Made {
    production: Option<String>,
    upload: Option<Upload>,
    asset: Option<String>,
}

struct Canary<'a> {
    options: &'a Options,
    client: Client,
    secret: Secret,
    report: Report,
    made: Made,
    /// Held while something is being made whose id only the answer tells: given up then, nobody could remove it.
    making: Arc<Mutex<()>>,
}

#[derive(Deserialize)]
struct WithId {
    id: String,
}

impl<'a> Canary<'a> {
    fn new(options: &'a Options, client: Client, secret: Secret) -> Self {
        let report = Report::new(&options.url, options.json);
        Self { options, client, secret, report, made: Made::default(), making: Arc::default() }
    }

    async fn run(mut self) -> ExitCode {
        let making = Arc::clone(&self.making);
        let was_interrupted = tokio::select! {
            // The error is in the report already.
            _ = self.walk() => false,
            _ = async {
                asked_to_stop().await;
                making.lock().await
            } => true,
        };
        if was_interrupted {
            self.report.add("interrupted", Instant::now(), Err("asked to stop; cleaning up".to_owned()));
        }
        let begun = Instant::now();
        let outcome = tokio::time::timeout(CLEANUP_LIMIT, self.clean_up())
            .await
            .unwrap_or_else(|_| Err("took too long".to_owned()));
        self.report.add("clean_up", begun, outcome);
        let ok = self.report.finish();
        if was_interrupted {
            return ExitCode::from(130);
        }
        if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// Adds the stage to the report.
    fn note<T>(
        &mut self,
        name: &'static str,
        begun: Instant,
        outcome: Result<(T, Option<String>), CanaryError>,
    ) -> Result<T, ()> {
        match outcome {
            Ok((value, detail)) => {
                self.report.add(name, begun, Ok(detail));
                Ok(value)
            }
            Err(error) => {
                self.report.add(name, begun, Err(error.to_string()));
                Err(())
            }
        }
    }

    async fn walk(&mut self) -> Result<(), ()> {
        let begun = Instant::now();
        let outcome = Source::open(&self.options.file).await;
        let outcome = outcome.map(|source| {
            let detail = format!("{}, {}", source.name, size(source.size_bytes));
            (source, Some(detail))
        });
        let mut source = self.note("read_file", begun, outcome)?;

        let begun = Instant::now();
        let outcome = self.sign_in().await;
        let organisation = self.note("sign_in", begun, outcome)?;

        let production = match (&self.options.production, organisation) {
            (Some(given), _) => given.clone(),
            (None, organisation) => {
                let begun = Instant::now();
                let outcome = self.make_production(&organisation).await;
                self.note("make_production", begun, outcome)?
            }
        };

        let begun = Instant::now();
        let outcome = self.upload(&production, &mut source, begun).await;
        let asset_id = self.note("upload", begun, outcome)?;

        let begun = Instant::now();
        let limit = Duration::from_secs(self.options.timeout);
        let outcome = ingest::wait(&self.client, &production, &asset_id, limit).await.map(|ingested| {
            let detail = format!("{} events, {} of progress", ingested.events, ingested.progress);
            (ingested.asset, Some(detail))
        });
        let asset = self.note("ingest", begun, outcome)?;
        // What each step took and where tells more than the sum; without it the canary has flown all the same.
        if let Ok(steps) = ingest::steps(&self.client, &asset_id).await {
            self.report.add_steps(steps);
        }

        let begun = Instant::now();
        let outcome = compare(&asset, &source);
        self.note("compare", begun, outcome)?;

        let begun = Instant::now();
        let outcome = self.play(&asset).await;
        self.note("play", begun, outcome)
    }

    /// Signs in; gives the organisation to make the production in.
    async fn sign_in(&mut self) -> Result<(String, Option<String>), CanaryError> {
        match &self.options.login {
            Some(login) if !self.options.uses_token() => self.client.sign_in(login, &self.secret).await?,
            _ => self.client.use_token(self.secret.clone()),
        }
        let session = self.client.session().await?;
        if session.password_change_required {
            return Err(CanaryError::Wrong(format!(
                "this account still has its one-time password, with which nothing else can be done: sign in at \
                 {} once, choose a password, and use that",
                self.options.url
            )));
        }
        if self.options.production.is_some() {
            return Ok((String::new(), None));
        }
        let mut candidates = session
            .organisations
            .into_iter()
            .filter(|organisation| matches!(organisation.role.as_str(), "owner" | "administrator"));
        let found = match &self.options.organisation {
            None => candidates.next(),
            Some(wanted) => {
                candidates.find(|organisation| organisation.id == *wanted || organisation.name == *wanted)
            }
        };
        let organisation = found.ok_or_else(|| {
            CanaryError::Wrong(
                "the account administers no (such) organisation, so it cannot make a scratch production"
                    .to_owned(),
            )
        })?;
        Ok((organisation.id, Some(organisation.name)))
    }

    async fn make_production(&mut self, organisation: &str) -> Result<(String, Option<String>), CanaryError> {
        let name = format!("Canary {}", chrono::Utc::now().format("%Y-%m-%d %H:%M:%S"));
        let path = format!("/api/data/v1/organisations/{organisation}/productions");
        let body = serde_json::json!({ "name": name });
        let making = self.making.lock().await;
        let production: WithId = self.client.create("make a production", &path, &body).await?;
        self.made.production = Some(production.id.clone());
        drop(making);
        Ok((production.id, Some(name)))
    }

    async fn upload(
        &mut self,
        production: &str,
        source: &mut Source,
        begun: Instant,
    ) -> Result<(String, Option<String>), CanaryError> {
        let making = self.making.lock().await;
        let upload = upload::create(&self.client, production, source).await?;
        self.made.upload = Some(upload.clone());
        drop(making);
        let uploaded = upload::send_all(&self.client, &upload, source).await?;
        self.made.upload = None;
        self.made.asset = Some(uploaded.asset_id.clone());
        let mut detail = rate(source.size_bytes, begun.elapsed());
        match uploaded.kept_bytes {
            None => {}
            // Of a short piece that broke off the server may have taken nothing yet.
            Some(0) => detail = format!("{detail}, went on after a break"),
            Some(kept) => detail = format!("{detail}, went on after a break with {} kept", size(kept)),
        }
        Ok((uploaded.asset_id, Some(detail)))
    }

    /// Reads a range from the middle of the proxy.
    async fn play(&mut self, asset: &Asset) -> Result<((), Option<String>), CanaryError> {
        let proxy = asset
            .derivatives
            .iter()
            .find(|derivative| derivative.kind == "proxy")
            .ok_or_else(|| CanaryError::Wrong("the asset has no proxy to be played".to_owned()))?;
        let (first, last) = middle(proxy);
        let request =
            self.client.request(Method::GET, &proxy.url)?.header(RANGE, format!("bytes={first}-{last}"));
        let response = send("read from the proxy", request).await?;
        if response.status() != StatusCode::PARTIAL_CONTENT {
            return Err(CanaryError::Wrong(format!("a range was answered {}, not 206", response.status())));
        }
        let range = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
        let expected = format!("bytes {first}-{last}/{}", proxy.size_bytes);
        if range != Some(expected.as_str()) {
            return Err(CanaryError::Wrong(format!("Content-Range is {range:?}, not {expected:?}")));
        }
        let announced = response.content_length();
        let bytes = response.bytes().await?;
        let length = last - first + 1;
        if bytes.len() as u64 != length || announced != Some(length) {
            return Err(CanaryError::Wrong(format!(
                "a range of {length} bytes came as {} bytes (Content-Length {announced:?})",
                bytes.len()
            )));
        }
        Ok(((), Some(format!("{} from the middle of {}", size(length), size(proxy.size_bytes)))))
    }

    /// Removes what was made, all of it that can be removed; ends the session. Gives what is left for how long.
    async fn clean_up(&mut self) -> Result<Option<String>, String> {
        let mut failures = Vec::new();
        if let Some(upload) = self.made.upload.take() {
            match upload::terminate(&self.client, &upload).await {
                Ok(asset) => self.made.asset = asset,
                Err(error) => failures.push(error.to_string()),
            }
        }
        // The asset before its production: media of a removed asset goes within the hour, that of a production after a week.
        let left = match (&self.made.asset, &self.made.production) {
            (Some(_), _) => Some("its media goes within the hour; its rows, without media, stay"),
            (None, Some(_)) => Some("the rows of its production stay"),
            (None, None) => None,
        };
        let asset =
            self.made.asset.take().map(|id| ("remove the asset", format!("/api/data/v1/assets/{id}")));
        let production = self
            .made
            .production
            .take()
            .map(|id| ("remove the production", format!("/api/data/v1/productions/{id}")));
        for (what, path) in [asset, production].into_iter().flatten() {
            if let Err(error) = self.client.remove(what, &path).await {
                failures.push(error.to_string());
            }
        }
        if self.client.has_session()
            && let Err(error) = self.client.sign_out().await
        {
            failures.push(error.to_string());
        }
        if failures.is_empty() { Ok(left.map(str::to_owned)) } else { Err(failures.join("; ")) }
    }
}

/// Whether the original is bit for bit what was sent.
fn compare(asset: &Asset, source: &Source) -> Result<((), Option<String>), CanaryError> {
    let version =
        asset.version.as_ref().ok_or_else(|| CanaryError::Wrong("the asset has no version".to_owned()))?;
    if version.sha256 != source.sha256 || version.size_bytes != source.size_bytes {
        return Err(CanaryError::Wrong(format!(
            "the original is not what was sent: {} bytes {}, sent {} bytes {}",
            version.size_bytes, version.sha256, source.size_bytes, source.sha256
        )));
    }
    Ok(((), Some(format!("SHA-256 {}…", source.sha256.get(..16).unwrap_or_default()))))
}

/// First and last byte of a range in the middle.
fn middle(proxy: &Derivative) -> (u64, u64) {
    let length = RANGE_BYTES.min(proxy.size_bytes).max(1);
    let first = (proxy.size_bytes - length.min(proxy.size_bytes)) / 2;
    (first, first + length - 1)
}

/// How many bytes went through in a second.
fn rate(bytes: u64, time: Duration) -> String {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "for showing"
    )]
    let per_second = (bytes as f64 / time.as_secs_f64().max(0.001)) as u64;
    format!("{}/s", size(per_second))
}

/// Resolves at Ctrl-C or SIGTERM.
async fn asked_to_stop() {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_lies_inside() {
        for size_bytes in [1, 2, 1000, RANGE_BYTES, RANGE_BYTES + 1, 10 * RANGE_BYTES] {
            let proxy = Derivative { kind: "proxy".to_owned(), size_bytes, url: String::new() };
            let (first, last) = middle(&proxy);
            assert!(first <= last && last < size_bytes, "{size_bytes}: {first}-{last}");
            assert_eq!(last - first + 1, RANGE_BYTES.min(size_bytes));
        }
    }

    #[test]
    fn rates_are_readable() {
        assert_eq!(rate(2_000_000, Duration::from_secs(2)), "1.0 MB/s");
    }
}
