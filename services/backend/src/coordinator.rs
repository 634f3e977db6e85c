//! The coordinator: hands steps to workers and applies what they report.
//!
//! Several backends may run; one leads, the others stand by and follow within a second or two of its
//! end ([`kinora_store::leader`]). The leader
//!
//! - claims waiting steps, **commits, then publishes** with confirms (`dispatch`);
//! - applies reports, each in one transaction, **then acknowledges** them (`reports`);
//! - cancels, and takes back what was lost (`upkeep`);
//! - sends mail ([`crate::mail`]), looks after the audit trail ([`crate::audit`]), and writes down how the fleet does
//!   ([`crate::fleet`]).
//!
//! All state is in the database. Whatever a crash leaves half done, the next leader sees as rows:
//! a claim that was never published is a queued step that nobody begins, a lost worker is a running
//! step without heartbeat. See `docs/adr/0004-commit-then-publish.md`.

mod dispatch;
mod progress;
mod reports;
mod upkeep;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use kinora_bus::{Bus, BusError};
use kinora_core::queue::QueueClass;
use kinora_runtime::credentials::{
    BROKER_PASSWORD, DATABASE_PASSWORD, MAIL_PASSWORD, REDIS_PASSWORD, TLS_KEY,
};
use kinora_runtime::redis::Redis;
use kinora_runtime::tls::TlsError;
use kinora_runtime::{CredentialError, Service};
use kinora_store::leader::{COORDINATOR_LOCK, Leadership};
use kinora_store::migrations::{SchemaState, schema_state};
use kinora_store::notify::{Listener, MAIL_CHANNEL, Notice, WORK_CHANNEL};
use kinora_store::runs::Policy;
use kinora_store::{Pool, StoreError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::audit::AuditKeeper;
use crate::database::blocking;
use crate::fleet::{FleetError, FleetKeeper};
use crate::mail::{Mail, RelayError};
use crate::settings::CoordinatorSettings;
use crate::{BackendSettings, Database, Fanout};

/// How often a follower tries to lead, and a leader makes sure that it does.
const ELECTION_INTERVAL: Duration = Duration::from_secs(1);
/// Wait before the database is asked again at the start.
const STARTUP_DELAY: Duration = Duration::from_secs(1);

/// Tells the time; tests tell another one.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Why the backend cannot run.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// A secret is missing.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The broker's settings cannot be used.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The mail relay's settings cannot be used.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// Monitoring's settings cannot be used.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The authorities of Redis cannot be read.
    #[error("redis: {0}")]
    Redis(#[from] TlsError),
    /// A thread cannot be started.
    #[error("a thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
    /// The schema is older than this release.
    #[error("the database lacks migrations of this release ({0}): run 'kinora-backend migrate' first")]
    Behind(String),
}

/// The command `run`.
///
/// # Errors
/// [`BackendError`].
pub async fn run(service: Service<BackendSettings>) -> Result<(), BackendError> {
    let settings = &service.settings;
    let password = service.secret(DATABASE_PASSWORD)?;
    let pool = Pool::new(&settings.database, password.expose_text(), "kinora-backend");
    let redis_password = service.credentials.read_optional_text(REDIS_PASSWORD)?;
    let redis = settings.redis.is_set().then(|| Redis::new(&settings.redis, redis_password.as_ref()));
    let fanout = Fanout::new(redis.transpose()?);
    let broker_password = service.secret(BROKER_PASSWORD)?;
    let bus = Bus::start(&settings.broker, broker_password.expose_text(), "kinora-backend")?;
    let database = Database::new(pool);
    let stop = service.shutdown.token();
    match stop.run_until_cancelled(wait_for_schema(&database)).await {
        Some(result) => result?,
        None => return Ok(()),
    }
    let clock: Clock = Arc::new(Utc::now);
    let mail_password = service.credentials.read_optional_text(MAIL_PASSWORD)?;
    let mail = Mail::new(database.clone(), &settings.mail, mail_password.as_ref(), Arc::clone(&clock))?;
    let audit = AuditKeeper::new(database.clone(), &settings.audit, Arc::clone(&clock));
    let key = service.credentials.read_optional_text(TLS_KEY)?;
    let fleet = FleetKeeper::new(database.clone(), settings, key.as_ref(), Arc::clone(&clock))?;
    let duties = Duties { mail: Arc::new(mail), audit: Arc::new(audit), fleet: Arc::new(fleet) };
    let coordinator = Coordinator::new(database, bus.clone(), fanout, duties, &settings.coordinator, clock);
    let listener = coordinator.listen()?;
    service.notify_ready();
    coordinator.run(stop.clone()).await;
    bus.close().await;
    // Joins its thread, so not on one of the runtime's.
    drop(tokio::task::spawn_blocking(move || drop(listener)).await);
    Ok(())
}

/// Waits until the database is there and makes sure that its schema is not too old. A newer one is
/// fine: migrations only expand.
async fn wait_for_schema(database: &Database) -> Result<(), BackendError> {
    loop {
        match database.call(schema_state).await {
            Ok(SchemaState::Current) => return Ok(()),
            Ok(SchemaState::Ahead(versions)) => {
                log::warn!(versions = versions.join(","); "the database was migrated by a later release");
                return Ok(());
            }
            Ok(SchemaState::Behind(versions)) => return Err(BackendError::Behind(versions.join(", "))),
            Err(error) => log::warn!("the database cannot be used yet: {error}"),
        }
        tokio::time::sleep(STARTUP_DELAY).await;
    }
}

/// What else the leader does, beside the processing.
#[derive(Clone)]
pub struct Duties {
    /// Sends mail.
    pub mail: Arc<Mail>,
    /// Looks after the audit trail.
    pub audit: Arc<AuditKeeper>,
    /// Writes down how the fleet does.
    pub fleet: Arc<FleetKeeper>,
}

/// Everything the coordinator works with.
pub struct Coordinator {
    database: Database,
    bus: Bus,
    fanout: Fanout,
    duties: Duties,
    policy: Policy,
    limits: Vec<(QueueClass, u32)>,
    clock: Clock,
    work: Arc<Notify>,
}

impl Coordinator {
    /// A coordinator that does not lead yet.
    #[must_use]
    pub fn new(
        database: Database,
        bus: Bus,
        fanout: Fanout,
        duties: Duties,
        settings: &CoordinatorSettings,
        clock: Clock,
    ) -> Arc<Self> {
        Arc::new(Self {
            database,
            bus,
            fanout,
            duties,
            policy: settings.policy(),
            limits: vec![(QueueClass::Quick, settings.quick_ahead), (QueueClass::Long, settings.long_ahead)],
            clock,
            work: Arc::new(Notify::new()),
        })
    }

    /// Wakes the coordinator whenever the database says that there is work.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn listen(&self) -> std::io::Result<Listener> {
        let (work, mail) = (Arc::clone(&self.work), self.duties.mail.work());
        let connector = self.database.pool().connector().clone();
        Listener::spawn(connector, &[WORK_CHANNEL, MAIL_CHANNEL], move |notice| match notice {
            Notice::Lost => {}
            Notice::Connected => {
                work.notify_one();
                mail.notify_one();
            }
            Notice::Notification { channel, .. } if channel == MAIL_CHANNEL => mail.notify_one(),
            Notice::Notification { .. } => work.notify_one(),
        })
    }

    fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// Stands by and leads by turns until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let leading = metrics::gauge!("kinora_backend_leader");
        leading.set(0.0);
        let mut is_follower = false;
        while !stop.is_cancelled() {
            let connector = self.database.pool().connector().clone();
            match blocking(move || Leadership::try_acquire(&connector, COORDINATOR_LOCK)).await {
                Ok(Some(leadership)) => {
                    log::info!("this backend leads");
                    leading.set(1.0);
                    Arc::clone(&self).lead(leadership, &stop).await;
                    leading.set(0.0);
                    log::info!("this backend leads no longer");
                    is_follower = false;
                }
                Ok(None) => {
                    if !std::mem::replace(&mut is_follower, true) {
                        log::info!("another backend leads: standing by");
                    }
                }
                Err(error) => log::warn!("the election could not be held: {error}"),
            }
            stop.run_until_cancelled(tokio::time::sleep(ELECTION_INTERVAL)).await;
        }
    }

    /// Leads until `stop` or until the leadership is lost.
    async fn lead(self: Arc<Self>, leadership: Leadership, stop: &CancellationToken) {
        let term = stop.child_token();
        let tasks = [
            tokio::spawn(Arc::clone(&self).dispatch(term.clone())),
            tokio::spawn(Arc::clone(&self).apply_results(term.clone())),
            tokio::spawn(Arc::clone(&self).follow_progress(term.clone())),
            tokio::spawn(Arc::clone(&self).keep_up(term.clone())),
            tokio::spawn(Arc::clone(&self.duties.mail).run(term.clone())),
            tokio::spawn(Arc::clone(&self.duties.audit).run(term.clone())),
            tokio::spawn(Arc::clone(&self.duties.fleet).run(term.clone())),
        ];
        term.run_until_cancelled(hold(leadership)).await;
        term.cancel();
        for task in tasks {
            if let Err(error) = task.await {
                log::error!("a part of the coordinator has failed: {error}");
            }
        }
    }
}

/// Returns when the leadership is lost.
async fn hold(leadership: Leadership) {
    let mut leadership = Some(leadership);
    while let Some(mut held) = leadership.take() {
        tokio::time::sleep(ELECTION_INTERVAL).await;
        let verified = blocking(move || {
            held.verify()?;
            Ok::<_, StoreError>(held)
        });
        match verified.await {
            Ok(held) => leadership = Some(held),
            Err(error) => log::warn!("the leadership is lost: {error}"),
        }
    }
}
