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
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::EXIT_CONFIG;
use crate::credentials::Credentials;
use crate::metrics::Metrics;
use crate::settings::{self, Settings};
use crate::shutdown::Shutdown;
use crate::sockets::{self, Sockets};
use crate::tls::{Protocols, Tls, TlsError, TlsFiles};
use crate::{Secret, logging};

/// What the end may take besides the role's own limit.
const STOP_MARGIN: Duration = Duration::from_secs(20);
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
    /// Sockets that systemd opened for it.
    pub sockets: Sockets,
    /// What is read again when it is asked to reload.
    pub reload: Reload,
}

/// What is read again on SIGHUP (`systemctl reload`). Clones share it.
#[derive(Clone, Default)]
pub struct Reload {
    listeners: Arc<Mutex<Vec<Tls>>>,
}

impl Reload {
    /// From now on, reads these certificates again when the process is asked to reload.
    pub fn add(&self, tls: Tls) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(tls);
    }

    fn run(&self) {
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for tls in &listeners {
            match tls.reload() {
                Ok(()) => log::info!("a listener's certificates were read again"),
                Err(error) => log::error!("a listener keeps the certificates it has: {error}"),
            }
        }
    }
}

impl<S: Settings> Service<S> {
    /// The TLS of the role's own listener, which follows the files on reload; none: plain text.
    ///
    /// # Errors
    /// [`TlsError`] naming the file that cannot be used.
    pub fn tls(&self, protocols: Protocols) -> Result<Option<Tls>, TlsError> {
        let Some(files) = settings::tls_files(&self.settings) else { return Ok(None) };
        let tls = Tls::open(files, self.credentials.clone(), protocols)?;
        self.reload.add(tls.clone());
        Ok(Some(tls))
    }
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
    let sockets = match Sockets::from_environment() {
        Ok(sockets) => sockets,
        Err(error) => {
            log::error!("the sockets that systemd opened cannot be used: {error}");
            return ExitCode::FAILURE;
        }
    };
    let credentials = Credentials::from_environment();
    let mut complete = true;
    for name in settings::secret_names(&settings) {
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
    let service = Service {
        settings,
        credentials,
        shutdown: Shutdown::manual(),
        metrics,
        sockets,
        reload: Reload::default(),
    };
    let code = runtime.block_on(supervise(service, main));
    runtime.shutdown_timeout(BLOCKING_GRACE);
    code
}

async fn supervise<S, F, Fut, E>(mut service: Service<S>, main: F) -> ExitCode
where
    S: Settings,
    F: FnOnce(Service<S>) -> Fut,
    Fut: Future<Output = Result<(), E>>,
    E: Display,
{
    let prepared = Shutdown::on_signals().and_then(|shutdown| {
        reload_on_signal(service.reload.clone())?;
        Ok(shutdown)
    });
    service.shutdown = match prepared {
        Ok(shutdown) => shutdown,
        Err(error) => {
            log::error!("signals cannot be handled: {error}");
            return ExitCode::FAILURE;
        }
    };
    log::info!(version = env!("CARGO_PKG_VERSION"), pid = std::process::id(); "starting {}", S::ROLE);
    if let Err(code) = serve_metrics(&service) {
        return code;
    }
    spawn_watchdog();
    let shutdown = service.shutdown.clone();
    let limit = service.settings.stop_limit() + STOP_MARGIN;
    let stopping = shutdown.clone();
    tokio::spawn(async move {
        stopping.requested().await;
        // However short the unit's TimeoutStopSec= is, requests get the time that the settings give.
        let microseconds = u32::try_from(limit.as_micros()).unwrap_or(u32::MAX);
        notify(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(microseconds)]);
    });
    let result = main(service).await;
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

/// Serves metrics where the settings, or a socket of systemd's, say so.
fn serve_metrics<S: Settings>(service: &Service<S>) -> Result<(), ExitCode> {
    let Some(address) = service.settings.metrics_listen() else { return Ok(()) };
    let tls = service.settings.tls_certificate().map(|certificate| {
        let files = TlsFiles { certificate: certificate.to_owned(), clients: None };
        Tls::open(files, service.credentials.clone(), Protocols::Http1)
    });
    let tls = tls.transpose().map_err(|error| {
        log::error!("{error}");
        ExitCode::from(EXIT_CONFIG)
    })?;
    if let Some(tls) = &tls {
        service.reload.add(tls.clone());
    }
    let refused = |error: std::io::Error| {
        log::error!("metrics_listen = \"{address}\" cannot be used: {error}");
        ExitCode::FAILURE
    };
    let mut listeners = service.sockets.take(sockets::METRICS);
    if listeners.is_empty() {
        listeners.push(std::net::TcpListener::bind(address).map_err(refused)?);
    }
    for listener in listeners {
        let bound =
            service.metrics.serve(listener, tls.clone(), service.shutdown.clone()).map_err(refused)?;
        log::info!(address:% = bound, tls = tls.is_some(); "metrics are served");
    }
    Ok(())
}

/// Reads certificates again on each SIGHUP, and tells systemd when that is done (`Type=notify-reload`).
fn reload_on_signal(reload: Reload) -> std::io::Result<()> {
    let mut hangups = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            match NotifyState::monotonic_usec_now() {
                Ok(now) => notify(&[NotifyState::Reloading, now]),
                Err(error) => log::warn!("the clock cannot be read: {error}"),
            }
            reload.run();
            notify(&[NotifyState::Ready]);
        }
    });
    Ok(())
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
