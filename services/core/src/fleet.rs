//! How an installation does: what the leading backend writes down, what the API answers and the operator's command
//! reads.
//!
//! It is about hosts, services and counts. Nothing of organisations, productions, files or people stands in it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

mod judgement;

pub use judgement::{Attention, judge, span};

/// Whether this installation's monitoring can be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MonitoringState {
    /// No backend has said anything about it yet.
    #[default]
    Unknown,
    /// This installation has none.
    Unset,
    /// It answers.
    Working,
    /// It could not be asked the last time.
    Failing,
}

/// What is known of the monitoring.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Monitoring {
    /// Whether it can be asked.
    pub state: MonitoringState,
    /// When the leading backend last asked, or looked whether there is anything to ask.
    pub asked_at: Option<DateTime<Utc>>,
    /// Why it could not be asked.
    pub error: Option<String>,
}

/// A host, as monitoring sees it. What is unknown is null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Host {
    /// Its name in the inventory.
    pub name: String,
    /// Its groups in the inventory, as in "databases".
    pub roles: Vec<String>,
    /// Whether it answers.
    pub is_up: bool,
    /// Services that give no figures.
    pub silent: Vec<String>,
    /// The version of each of Kinora's services on it.
    pub versions: BTreeMap<String, String>,
    /// Whether its database is the primary, where it has one.
    pub is_primary: Option<bool>,
    /// Bytes of the log that its database has still to read, where that is a standby.
    pub replication_lag_bytes: Option<f64>,
    /// Whether its backend leads, where it has one.
    pub leads: Option<bool>,
    /// Whether it has the public address, where it is a load balancer.
    pub has_public_address: Option<bool>,
    /// When the first of its certificates ends.
    pub certificate_ends_at: Option<DateTime<Utc>>,
    /// Where its fullest disk is mounted.
    pub fullest_disk: Option<String>,
    /// How full that is, 0 to 1.
    pub disk_used_ratio: Option<f64>,
}

/// An alert that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Alert {
    /// Its name; the page alerts.md says what to do.
    pub name: String,
    /// "critical", "warning" or "notice".
    pub severity: String,
    /// The host it is about, if it is about one.
    pub host: Option<String>,
    /// What else tells it from others: a disk, a unit, a stage.
    pub about: Option<String>,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
}

/// Backups, their drill and the copies of the media. Null is "none yet", or unknown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Backups {
    /// When the newest backup of the database ended.
    pub newest_at: Option<DateTime<Utc>>,
    /// For how long what was written has not been in the archive, seconds.
    pub archive_lag_seconds: Option<f64>,
    /// When the newest backup was last tried.
    pub drill_at: Option<DateTime<Utc>>,
    /// Whether it could be made a database that answers.
    pub drill_ok: Option<bool>,
    /// When the media were last copied well.
    pub media_copy_at: Option<DateTime<Utc>>,
}

/// The fleet at a glance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Glance {
    /// When monitoring was asked.
    pub at: DateTime<Utc>,
    /// All hosts, by name.
    pub hosts: Vec<Host>,
    /// Backups and their drill.
    pub backups: Backups,
    /// Alerts that hold, the worst first; at most 100.
    pub alerts: Vec<Alert>,
}

/// Steps of one kind in one state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Queue {
    /// The kind of step.
    pub kind: String,
    /// "waiting", "queued" or "running".
    pub state: String,
    /// How many.
    pub count: i64,
    /// For how long the oldest is in it, seconds.
    pub oldest_seconds: i64,
}

/// Mail that waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MailQueue {
    /// How many, of all organisations.
    pub waiting: i64,
    /// For how long the oldest has waited, seconds.
    pub oldest_seconds: i64,
}

/// What is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Storage {
    /// Media objects of all organisations.
    pub objects: i64,
    /// Their size, bytes.
    pub bytes: i64,
    /// When that was counted.
    pub counted_at: Option<DateTime<Utc>>,
}

/// How the installation does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InstallationStatus {
    /// The clock of whoever answers.
    pub at: DateTime<Utc>,
    /// Whether nothing needs attention.
    pub is_well: bool,
    /// What needs attention, the worst first.
    pub attention: Vec<Attention>,
    /// What is known of the monitoring.
    pub monitoring: Monitoring,
    /// What monitoring said when it last answered; none if it never has.
    pub glance: Option<Glance>,
    /// Steps that have not ended, by kind and state, as the database has them now.
    pub queues: Vec<Queue>,
    /// Mail that waits, as the database has it now.
    pub mail: MailQueue,
    /// What is stored.
    pub storage: Storage,
}

/// What the values of a panel are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Seconds for each second of media.
    SecondsPerMediaSecond,
    /// A share, 0 to 1.
    Ratio,
}

/// A line of a chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Series {
    /// What it is about: a stage, a host, a kind of step.
    pub name: String,
    /// One value for each step of time; null where nothing is known.
    pub values: Vec<Option<f64>>,
}

/// Lines over the same stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Chart {
    /// When the first value was.
    pub starts_at: DateTime<Utc>,
    /// Between two values, seconds.
    pub step_seconds: u32,
    /// The lines, by name.
    pub series: Vec<Series>,
}

/// A panel of the dashboards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Panel {
    /// Its name: "ingest_stages", "ingest_steps", "queue_age", "errors", "storage", "backups".
    pub name: String,
    /// What the values are.
    pub unit: Unit,
    /// When monitoring was asked.
    pub at: DateTime<Utc>,
    /// The last 24 hours.
    pub day: Chart,
    /// The last 14 days.
    pub fortnight: Chart,
}

/// The dashboards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Dashboards {
    /// The clock of whoever answers.
    pub at: DateTime<Utc>,
    /// What is known of the monitoring.
    pub monitoring: Monitoring,
    /// The panels; none where there is no monitoring, or none was asked yet.
    pub panels: Vec<Panel>,
}
