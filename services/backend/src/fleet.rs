//! How the fleet does: the leading backend asks the Prometheus of its own host about once a minute, and writes what
//! matters to operators into the database, from where the application shows it. Nobody but a backend reaches
//! Prometheus, and nothing of a request does.
//!
//! What is asked stands in `fleet/queries.toml`. Without monitoring only what the database knows by itself is kept.

mod ask;
mod glance;
mod panels;
mod queries;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kinora_core::fleet::{Monitoring, MonitoringState};
use kinora_runtime::Secret;
use kinora_store::{Result, fleet};
use tokio_util::sync::CancellationToken;

pub use ask::{Prometheus, PrometheusError};
pub use queries::{Queries, QueriesError};

use crate::Database;
use crate::coordinator::Clock;
use crate::settings::BackendSettings;

/// The curves of the dashboards are asked for in each so many rounds.
const ROUNDS_OF_PANELS: i32 = 5;
/// Longest that all questions of a round may take.
const ROUND_TIMEOUT: Duration = Duration::from_secs(45);
/// How often what is stored is counted.
const STORAGE_INTERVAL: TimeDelta = TimeDelta::minutes(15);
/// Longest reason that is kept, characters.
const LONGEST_ERROR: usize = 300;

/// Why the figures of the fleet cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// Prometheus cannot be asked with these settings.
    #[error(transparent)]
    Prometheus(#[from] PrometheusError),
    /// What is to be asked cannot be read.
    #[error(transparent)]
    Queries(#[from] QueriesError),
}

/// Keeps the figures of the fleet.
pub struct FleetKeeper {
    database: Database,
    prometheus: Option<Prometheus>,
    queries: Queries,
    interval: Duration,
    clock: Clock,
}

impl FleetKeeper {
    /// With these settings. `key` is the credential `tls-key`, where there is one.
    ///
    /// # Errors
    /// [`FleetError`].
    pub fn new(
        database: Database,
        settings: &BackendSettings,
        key: Option<&Secret>,
        clock: Clock,
    ) -> Result<Self, FleetError> {
        let prometheus = match &settings.monitoring.url {
            Some(url) => Some(Prometheus::new(url, &settings.monitoring, &settings.tls, key)?),
            None => None,
        };
        let interval = settings.monitoring.interval.get();
        Ok(Self { database, prometheus, queries: Queries::read()?, interval, clock })
    }

    fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// Does so until `term` ends.
    pub async fn run(self: Arc<Self>, term: CancellationToken) {
        while !term.is_cancelled() {
            let begun = tokio::time::Instant::now();
            if let Some(Err(error)) = term.run_until_cancelled(self.round(self.now())).await {
                log::warn!("how the fleet does could not be written down: {error}");
            }
            let _ = term.run_until_cancelled(tokio::time::sleep_until(begun + self.interval)).await;
        }
    }

    async fn round(&self, now: DateTime<Utc>) -> Result<()> {
        let counted_at = self.database.call(fleet::storage_counted_at).await?;
        if counted_at.is_none_or(|at| now - at >= STORAGE_INTERVAL) {
            self.database.call(move |c| fleet::count_storage(c, now)).await?;
        }
        let Some(prometheus) = &self.prometheus else {
            self.database.call(fleet::forget_monitoring).await?;
            return self.note(MonitoringState::Unset, None, now).await;
        };
        let asked = tokio::time::timeout(ROUND_TIMEOUT, self.ask(prometheus, now)).await;
        match asked {
            Ok(Ok(())) => self.note(MonitoringState::Working, None, now).await,
            Ok(Err(Asked::Database(error))) => Err(error),
            Ok(Err(Asked::Prometheus(error))) => self.failed(&error.to_string(), now).await,
            Err(_) => self.failed("it did not answer in time", now).await,
        }
    }

    /// Asks and writes down. What was written before is kept where an answer is missing: its age tells.
    async fn ask(&self, prometheus: &Prometheus, now: DateTime<Utc>) -> Result<(), Asked> {
        let glance = glance::ask(prometheus, &self.queries, now).await?;
        self.database.call(move |c| fleet::replace_glance(c, &glance)).await.map_err(Asked::Database)?;
        let written = self.database.call(fleet::panels_at).await.map_err(Asked::Database)?;
        let interval = TimeDelta::from_std(self.interval).unwrap_or_default() * ROUNDS_OF_PANELS;
        if written.is_some_and(|at| now - at < interval) {
            return Ok(());
        }
        let panels = panels::ask(prometheus, &self.queries, now).await?;
        self.database.call(move |c| fleet::replace_panels(c, &panels)).await.map_err(Asked::Database)
    }

    async fn failed(&self, error: &str, now: DateTime<Utc>) -> Result<()> {
        log::warn!("monitoring could not be asked how the fleet does: {error}");
        self.note(MonitoringState::Failing, Some(error.chars().take(LONGEST_ERROR).collect()), now).await
    }

    async fn note(&self, state: MonitoringState, error: Option<String>, now: DateTime<Utc>) -> Result<()> {
        let monitoring = Monitoring { state, asked_at: Some(now), error };
        self.database.call(move |c| fleet::note_monitoring(c, &monitoring, now)).await
    }
}

/// Why a round did not get to its end.
enum Asked {
    Prometheus(PrometheusError),
    Database(kinora_store::StoreError),
}

impl From<PrometheusError> for Asked {
    fn from(error: PrometheusError) -> Self {
        Self::Prometheus(error)
    }
}
