//! The life of a role's process: settings, metrics, logging, credentials, runtime, signals,
//! readiness, watchdog, end.
//!
//! ```no_run
//! # use kinora_runtime::{service, Service, Settings, settings::Problems, logging::LogFilter};
//! # #[derive(Debug, serde::Deserialize)] struct Mine { log: LogFilter }
//! # impl Settings for Mine {
//! #   const ROLE: &'static str = "mine";
//! #   const DEFAULTS: &'static str = "log = \"info\"";
//! #   fn log_filter(&self) -> &LogFilter { &self.log }
//! #   fn metrics_listen(&self) -> Option<std::net::SocketAddr> { None }
//! # }
//! fn main() -> std::process::ExitCode {
//!     service::run::<Mine, _, _, std::io::Error>("/etc/kinora/mine.toml".as_ref(), async |service| {
//!         // … connect, listen …
//!         service.notify_ready();
//!         service.shutdown.requested().await;
//!         Ok(())
//!     })
//! }
//! ```

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use sd_notify::NotifyState;

use crate::cli::EXIT_CONFIG;
use crate::credentials::Credentials;
use crate::metrics::Metrics;
use crate::settings::{self, Settings};
use crate::shutdown::Shutdown;
use crate::{Secret, logging};

/// Longest wait at the end for blocking work that does not notice the shutdown.
const BLOCKING_GRACE: Duration = Duration::from_secs(5);

/// What a running role has at hand.
pub struct Service<S> {
    /// Its settings, checked.
    pub settings: S,
    /// Its secrets.
    pub credentials: Credentials,
    /// The wish to end.
    pub shutdown: Shutdown,
    /// Its metrics.
    pub metrics: Metrics,
}

impl<S> Service<S> {
    /// Tells systemd that the role can do its work.
    pub fn notify_ready(&self) {
        log::info!("ready");
        notify(&[NotifyState::Ready]);
    }

    /// The secret `name` as text; see [`Credentials::read_text`].
    ///
    /// # Errors
    /// See [`Credentials::read_text`].
    pub fn secret(&self, name: &str) -> Result<Secret, crate::CredentialError> {
        self.credentials.read_text(name)
    }
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::warn!(error:%; "systemd could not be notified");
    }
}

/// Runs a role: `main` works until [`Service::shutdown`] is requested and then returns.
///
/// Must be called on the main thread outside any runtime. Gives exit code 78 for unusable settings,
/// 1 if `main` fails, else 0.
pub fn run<S, F, Fut, E>(settings_path: &Path, main: F) -> ExitCode
where
    S: Settings,
    F: FnOnce(Service<S>) -> Fut,
    Fut: Future<Output = Result<(), E>>,
    E: Display,
{
    let settings = match settings::load::<S>(settings_path) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    let metrics = match Metrics::install() {
        Ok(metrics) => metrics,
        Err(error) => {
            eprintln!("metrics cannot be collected: {error}");
            return ExitCode::FAILURE;
        }
    };
    logging::install(settings.log_filter(), &format!("kinora-{}", S::ROLE));
    let credentials = Credentials::from_environment();
    let mut complete = true;
    for name in settings.secret_names() {
        if let Err(error) = credentials.read(name) {
            log::error!("{error}");
            complete = false;
        }
    }
    if !complete {
        return ExitCode::from(EXIT_CONFIG);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            log::error!("the process cannot start its threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(supervise(settings, credentials, metrics, main));
    runtime.shutdown_timeout(BLOCKING_GRACE);
    code
}

async fn supervise<S, F, Fut, E>(settings: S, credentials: Credentials, metrics: Metrics, main: F) -> ExitCode
where
    S: Settings,
    F: FnOnce(Service<S>) -> Fut,
    Fut: Future<Output = Result<(), E>>,
    E: Display,
{
    let shutdown = match Shutdown::on_signals() {
        Ok(shutdown) => shutdown,
        Err(error) => {
            log::error!("signals cannot be handled: {error}");
            return ExitCode::FAILURE;
        }
    };
    log::info!(version = env!("CARGO_PKG_VERSION"), pid = std::process::id(); "starting {}", S::ROLE);
    if let Some(address) = settings.metrics_listen() {
        match metrics.serve(address, shutdown.clone()).await {
            Ok(bound) => log::info!(address:% = bound; "metrics are served"),
            Err(error) => {
                log::error!("metrics_listen = \"{address}\" cannot be used: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    spawn_watchdog();
    let stopping = shutdown.clone();
    tokio::spawn(async move {
        stopping.requested().await;
        notify(&[NotifyState::Stopping]);
    });
    let result = main(Service { settings, credentials, shutdown: shutdown.clone(), metrics }).await;
    // Ends the listener and the watchdog also where `main` came back by itself.
    shutdown.request();
    match result {
        Ok(()) => {
            log::info!("ended");
            ExitCode::SUCCESS
        }
        Err(error) => {
            log::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Pets systemd's watchdog twice per period from inside the runtime, so that a runtime that no longer
/// turns is restarted.
fn spawn_watchdog() {
    let Some(period) = sd_notify::watchdog_enabled() else { return };
    let mut ticks = tokio::time::interval((period / 2).max(Duration::from_millis(100)));
    tokio::spawn(async move {
        // Not ended by a shutdown, which systemd bounds by TimeoutStopSec, but with the runtime.
        loop {
            ticks.tick().await;
            notify(&[NotifyState::Watchdog]);
        }
    });
}
