//! The worker's process: takes its tools into use, works until it is asked to stop, and leaves
//! nothing behind.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use kinora_bus::{Bus, BusError};
use kinora_runtime::cli::{EXIT_CONFIG, check_config};
use kinora_runtime::credentials::{BROKER_PASSWORD, CredentialError, VAULT_MASTER_KEY};
use kinora_runtime::{Credentials, Service, settings};
use kinora_vault::{MasterKeys, S3Credentials, Vault, VaultError, VaultSecrets};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::child::Tools;
use crate::confinement::bubblewrap::Bubblewrap;
use crate::confinement::service::MediaService;
use crate::confinement::{Confinement, ConfinementError, verify};
use crate::consumer::Crew;
use crate::jobs::Jobs;
use crate::scratch::Scratch;
use crate::settings::{ConfinementKind, MediaSettings, S3_ACCESS_KEY, S3_SECRET_KEY, WorkerSettings};
use crate::steps::Workshop;

/// How long children may take to die and orders to be handed back, after the grace.
const LAST_GRACE: Duration = Duration::from_secs(5);

/// Why the worker cannot work.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The media programs do not run confined.
    #[error("{0}")]
    Tools(String),
    /// Children cannot be started at all.
    #[error(transparent)]
    Confinement(#[from] ConfinementError),
    /// The scratch directory cannot be used.
    #[error("scratch_path {path}: {source}")]
    Scratch {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Signals cannot be heard.
    #[error("signals: {0}")]
    Signals(std::io::Error),
    /// The program does not know where it is.
    #[error("the path of this program: {0}")]
    Program(std::io::Error),
    /// A secret is missing.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The vault cannot be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The broker's settings cannot be used.
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// Works until shutdown is requested.
///
/// # Errors
/// [`ServiceError`] if it cannot begin.
pub async fn run(service: Service<WorkerSettings>) -> Result<(), ServiceError> {
    let settings = &service.settings;
    let tools = take_tools(&settings.media).await?;
    let scratch = Scratch::open(&settings.scratch_path)
        .map_err(|source| ServiceError::Scratch { path: settings.scratch_path.clone(), source })?;
    let vault = Vault::open(&settings.vault, secrets(settings, &service.credentials)?)?;
    let password = service.secret(BROKER_PASSWORD)?;
    let name = settings.name();
    let bus = Bus::join(&settings.broker, password.expose_text(), &format!("kinora-worker {name}"))?;
    let workshop = Arc::new(Workshop { tools, vault, scratch, media: settings.media.clone() });
    let crew = Crew {
        bus,
        workshop,
        jobs: Jobs::default(),
        name,
        stop: service.shutdown.token().child_token(),
        hand_back: CancellationToken::new(),
        tasks: TaskTracker::new(),
    };
    let controls = tokio::spawn(crew.clone().obey());
    let consumers = TaskTracker::new();
    for class in &settings.queues {
        consumers.spawn(crew.clone().work(*class, settings.parallel(*class)));
    }
    drain_on_signal(&crew, &consumers).map_err(ServiceError::Signals)?;
    service.notify_ready();
    service.shutdown.requested().await;
    consumers.close();
    consumers.wait().await;
    crew.tasks.close();
    if tokio::time::timeout(settings.shutdown_grace.get(), crew.tasks.wait()).await.is_err() {
        log::info!(steps = crew.tasks.len(); "handing back what is not done");
        crew.hand_back.cancel();
        if tokio::time::timeout(LAST_GRACE, crew.tasks.wait()).await.is_err() {
            log::warn!(steps = crew.tasks.len(); "some steps did not stop in time");
        }
    }
    crew.hand_back.cancel();
    // Ends by itself now; its subscription is to be over before the connection says goodbye.
    if tokio::time::timeout(LAST_GRACE, controls).await.is_err() {
        log::debug!("the broker did not answer the end of a subscription");
    }
    crew.bus.close().await;
    Ok(())
}

/// On SIGUSR1 takes no more orders, for good, and says in the metrics when what is under way has ended: so that an
/// upgrade need not begin anything anew.
fn drain_on_signal(crew: &Crew, consumers: &TaskTracker) -> std::io::Result<()> {
    let drained = metrics::gauge!("kinora_worker_drained");
    drained.set(0.0);
    let mut asked = signal(SignalKind::user_defined1())?;
    let (stop, tasks, consumers) = (crew.stop.clone(), crew.tasks.clone(), consumers.clone());
    tokio::spawn(async move {
        if asked.recv().await.is_none() {
            return;
        }
        log::info!(steps = tasks.len(); "asked to drain: no more orders are taken, what is under way goes on");
        stop.cancel();
        consumers.close();
        consumers.wait().await;
        tasks.close();
        tasks.wait().await;
        drained.set(1.0);
        log::info!("drained: nothing is under way any more");
    });
    Ok(())
}

fn secrets(settings: &WorkerSettings, credentials: &Credentials) -> Result<VaultSecrets, ServiceError> {
    let master_keys = MasterKeys::parse(credentials.read_text(VAULT_MASTER_KEY)?.expose_text())?;
    let mut secrets = VaultSecrets::new(master_keys);
    if settings.vault.s3.is_some() {
        let read = |name| credentials.read_text(name).map(|secret| secret.expose_text().to_owned());
        secrets.s3 =
            Some(S3Credentials { access_key: read(S3_ACCESS_KEY)?, secret_key: read(S3_SECRET_KEY)? });
    }
    Ok(secrets)
}

/// Takes the media programs into use: each must run in its sandbox.
///
/// # Errors
/// What stands in the way, for the operator.
pub async fn take_tools(media: &MediaSettings) -> Result<Tools, ServiceError> {
    let confinement = match media.confinement {
        ConfinementKind::Bubblewrap => {
            let launcher = std::env::current_exe().map_err(ServiceError::Program)?;
            Confinement::Bubblewrap(Bubblewrap::new(media.bubblewrap.clone(), launcher, media.limits())?)
        }
        ConfinementKind::Service => {
            Confinement::Service(MediaService::new(media.socket.clone(), media.limits()))
        }
    };
    let ask = async |program: &Path, question: &[&str]| {
        verify(&confinement, program, question).await.map_err(ServiceError::Tools)
    };
    let version = ask(&media.ffmpeg, &["-hide_banner", "-version"]).await?;
    ask(&media.ffprobe, &["-hide_banner", "-version"]).await?;
    let encoders = ask(&media.ffmpeg, &["-hide_banner", "-encoders"]).await?;
    for encoder in ["libx264", "aac", "mjpeg"] {
        if !lists(&encoders, encoder) {
            let program = media.ffmpeg.display();
            return Err(ServiceError::Tools(format!("{program} was built without the encoder {encoder}")));
        }
    }
    let has_zscale = lists(&ask(&media.ffmpeg, &["-hide_banner", "-filters"]).await?, "zscale");
    log::info!(has_zscale, version = version.lines().next().unwrap_or_default(); "FFmpeg runs confined");
    if !has_zscale {
        log::warn!("this FFmpeg was built without zscale: HDR pictures will look flat");
    }
    Ok(Tools { confinement, ffmpeg: media.ffmpeg.clone(), ffprobe: media.ffprobe.clone(), has_zscale })
}

/// Whether FFmpeg's list (flags, name, description) has `name`.
fn lists(list: &str, name: &str) -> bool {
    list.lines().any(|line| line.split_whitespace().nth(1) == Some(name))
}

/// The command `check-config`: settings, secrets, and whether the media programs run confined here.
#[must_use]
pub fn check(path: &Path) -> ExitCode {
    let code = check_config::<WorkerSettings>(path);
    if code != ExitCode::SUCCESS {
        return code;
    }
    let Ok(settings) = settings::load::<WorkerSettings>(path) else { return ExitCode::from(EXIT_CONFIG) };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(take_tools(&settings.media)) {
        Ok(_) => {
            let by = match settings.media.confinement {
                ConfinementKind::Bubblewrap => &settings.media.bubblewrap,
                ConfinementKind::Service => &settings.media.socket,
            };
            println!("FFmpeg runs confined by {}", by.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(EXIT_CONFIG)
        }
    }
}
