//! The audit trail, as the leading backend looks after it: every row goes to the journal, the whole trail is
//! checked once a day, and what is older than it is to be kept is removed.
//!
//! A row is handed on before that is noted, so after a crash some come again: `KINORA_AUDIT_SEQUENCE` tells
//! which. As in all records people are ids there; names stand in the trail itself.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kinora_store::Result;
use kinora_store::audit::{self, AuditRow, Check, Verdict};
use tokio_util::sync::CancellationToken;

use crate::Database;
use crate::coordinator::Clock;
use crate::settings::AuditSettings;

/// How often it is looked for new rows.
const TICK: Duration = Duration::from_secs(2);
/// Rows that are handed on before that is noted.
const BATCH: i64 = 500;
/// How old the last check may become.
const CHECK_INTERVAL: TimeDelta = TimeDelta::days(1);
/// How often it is looked for rows that are too old.
const REMOVAL_INTERVAL: TimeDelta = TimeDelta::hours(1);
/// What these records can be found by: `journalctl TARGET=kinora_audit`.
const TARGET: &str = "kinora_audit";

/// Looks after the audit trail.
pub struct AuditKeeper {
    database: Database,
    keep: Option<TimeDelta>,
    clock: Clock,
}

impl AuditKeeper {
    /// With these settings.
    #[must_use]
    pub fn new(database: Database, settings: &AuditSettings, clock: Clock) -> Self {
        Self { database, keep: settings.keep(), clock }
    }

    fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// Does so until `term` ends.
    pub async fn run(self: Arc<Self>, term: CancellationToken) {
        let mut removed_at: Option<DateTime<Utc>> = None;
        while !term.is_cancelled() {
            if let Err(error) = self.round(&mut removed_at, &term).await {
                log::warn!("the audit trail could not be looked after: {error}");
            }
            let _ = term.run_until_cancelled(tokio::time::sleep(TICK)).await;
        }
    }

    async fn round(&self, removed_at: &mut Option<DateTime<Utc>>, term: &CancellationToken) -> Result<()> {
        while !term.is_cancelled() && self.forward().await? == BATCH {}
        self.check().await?;
        let Some(keep) = self.keep else { return Ok(()) };
        let now = self.now();
        if removed_at.is_some_and(|at| now - at < REMOVAL_INTERVAL) {
            return Ok(());
        }
        while !term.is_cancelled() && self.database.call(move |c| audit::remove_old(c, now - keep)).await? > 0
        {
        }
        *removed_at = Some(now);
        Ok(())
    }

    /// Hands new rows on; gives how many.
    async fn forward(&self) -> Result<i64> {
        let rows = self.database.call(|c| audit::forwardable(c, BATCH)).await?;
        let Some(newest) = rows.last().map(|row| row.sequence) else { return Ok(0) };
        for row in &rows {
            tell(row);
        }
        self.database.call(move |c| audit::note_forwarded(c, newest)).await?;
        Ok(i64::try_from(rows.len()).unwrap_or(BATCH))
    }

    async fn check(&self) -> Result<()> {
        let now = self.now();
        let last = self.database.call(audit::last_check).await?;
        if let Some(check) = last
            && now - check.at < CHECK_INTERVAL
        {
            // Also where another backend looked, or this one before its restart.
            tell_verdict(&check.verdict);
            return Ok(());
        }
        let verdict = self.database.call(audit::verify).await?;
        match &verdict {
            Verdict::Intact { rows, head } => log::info!(rows, head; "the audit trail is intact"),
            broken => log::error!("the audit trail is not what was written: {broken:?}"),
        }
        tell_verdict(&verdict);
        self.database.call(move |c| audit::store_check(c, &Check { at: now, verdict })).await
    }
}

fn tell_verdict(verdict: &Verdict) {
    let is_intact = matches!(verdict, Verdict::Intact { .. });
    metrics::gauge!("kinora_audit_intact").set(if is_intact { 1.0 } else { 0.0 });
}

fn tell(row: &AuditRow) {
    let text = |id: Option<uuid::Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let hash: String = row.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    log::info!(
        target: TARGET,
        audit_sequence = row.sequence,
        audit_at:% = row.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        audit_action = row.action,
        person_id = text(row.actor_id),
        address = row.address.as_deref().unwrap_or_default(),
        request_id = row.request_id.as_deref().unwrap_or_default(),
        organisation_id = text(row.organisation_id),
        production_id = text(row.production_id),
        subject_kind = row.subject_kind,
        subject_id = text(row.subject_id),
        audit_hash = hash,
        support_grant_id = text(row.support_grant_id),
        actor_is_guest = row.actor_is_guest;
        "{}", row.action
    );
}
