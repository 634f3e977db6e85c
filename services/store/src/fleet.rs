//! How the installation does: what the leading backend writes down ([`kinora_core::fleet`]), and what the database
//! knows by itself.
//!
//! The backend replaces its rows, so there are never more than a few; the application may only read them.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use kinora_core::fleet::{
    Dashboards, Glance, InstallationStatus, MailQueue, Monitoring, Panel, Queue, Storage, judge,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::mail::claims;
use crate::schema::{fleet_figures, objects};
use crate::{Result, StoreError, runs};

const GLANCE: &str = "glance";
const MONITORING: &str = "monitoring";
const STORAGE: &str = "storage";
/// Before the names of panels.
const PANEL: &str = "panel_";

fn replace(connection: &mut PgConnection, name: &str, at: DateTime<Utc>, row: &impl Serialize) -> Result<()> {
    let figures = serde_json::to_value(row).map_err(not_understood)?;
    diesel::insert_into(fleet_figures::table)
        .values((fleet_figures::name.eq(name), fleet_figures::at.eq(at), fleet_figures::figures.eq(&figures)))
        .on_conflict(fleet_figures::name)
        .do_update()
        .set((fleet_figures::at.eq(at), fleet_figures::figures.eq(&figures)))
        .execute(connection)?;
    Ok(())
}

fn not_understood(error: serde_json::Error) -> StoreError {
    StoreError::NotUnderstood(format!("figures of the fleet: {error}"))
}

fn find<T: DeserializeOwned>(connection: &mut PgConnection, name: &str) -> Result<Option<T>> {
    let figures: Option<Value> =
        fleet_figures::table.find(name).select(fleet_figures::figures).first(connection).optional()?;
    // What another release wrote otherwise is as if it had not been asked yet.
    Ok(figures.and_then(|figures| serde_json::from_value(figures).ok()))
}

/// Writes down how asking went.
///
/// # Errors
/// The database's.
pub fn note_monitoring(
    connection: &mut PgConnection,
    monitoring: &Monitoring,
    at: DateTime<Utc>,
) -> Result<()> {
    replace(connection, MONITORING, at, monitoring)
}

/// Writes down the fleet at a glance.
///
/// # Errors
/// The database's; also when it is larger than half a megabyte.
pub fn replace_glance(connection: &mut PgConnection, glance: &Glance) -> Result<()> {
    replace(connection, GLANCE, glance.at, glance)
}

/// When panels were last written down; none if none are there.
///
/// # Errors
/// The database's.
pub fn panels_at(connection: &mut PgConnection) -> Result<Option<DateTime<Utc>>> {
    Ok(fleet_figures::table
        .filter(fleet_figures::name.like(format!("{PANEL}%")))
        .select(diesel::dsl::max(fleet_figures::at))
        .first(connection)?)
}

/// Writes down these panels in place of all that are there.
///
/// # Errors
/// The database's; also when one is larger than half a megabyte.
pub fn replace_panels(connection: &mut PgConnection, panels: &[Panel]) -> Result<()> {
    connection.transaction(|connection| {
        diesel::delete(fleet_figures::table.filter(fleet_figures::name.like(format!("{PANEL}%"))))
            .execute(connection)?;
        for panel in panels {
            replace(connection, &format!("{PANEL}{}", panel.name), panel.at, panel)?;
        }
        Ok(())
    })
}

/// Forgets what monitoring said: this installation has none any more.
///
/// # Errors
/// The database's.
pub fn forget_monitoring(connection: &mut PgConnection) -> Result<()> {
    let of_monitoring = fleet_figures::name.eq(GLANCE).or(fleet_figures::name.like(format!("{PANEL}%")));
    diesel::delete(fleet_figures::table.filter(of_monitoring)).execute(connection)?;
    Ok(())
}

/// Counts what is stored, and writes it down.
///
/// # Errors
/// The database's.
pub fn count_storage(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    let sum = diesel::dsl::sql::<BigInt>("coalesce(sum(size_bytes), 0)::bigint");
    let (objects, bytes) = objects::table.select((count_star(), sum)).first(connection)?;
    replace(connection, STORAGE, now, &Storage { objects, bytes, counted_at: Some(now) })
}

/// When [`count_storage`] last did so.
///
/// # Errors
/// The database's.
pub fn storage_counted_at(connection: &mut PgConnection) -> Result<Option<DateTime<Utc>>> {
    Ok(find::<Storage>(connection, STORAGE)?.and_then(|storage| storage.counted_at))
}

/// How the installation does, judged.
///
/// # Errors
/// The database's.
pub fn status(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<InstallationStatus> {
    let mut status = InstallationStatus {
        at: now,
        is_well: true,
        attention: Vec::new(),
        monitoring: find(connection, MONITORING)?.unwrap_or_default(),
        glance: find(connection, GLANCE)?,
        queues: queues(connection, now)?,
        mail: mail(connection, now)?,
        storage: find(connection, STORAGE)?.unwrap_or_default(),
    };
    status.attention = judge(&status);
    status.is_well = status.attention.is_empty();
    Ok(status)
}

/// The dashboards, by name of the panels.
///
/// # Errors
/// The database's.
pub fn dashboards(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<Dashboards> {
    let rows: Vec<Value> = fleet_figures::table
        .filter(fleet_figures::name.like(format!("{PANEL}%")))
        .order(fleet_figures::name)
        .select(fleet_figures::figures)
        .load(connection)?;
    let panels = rows.into_iter().filter_map(|row| serde_json::from_value(row).ok()).collect();
    Ok(Dashboards { at: now, monitoring: find(connection, MONITORING)?.unwrap_or_default(), panels })
}

fn seconds(age: Option<TimeDelta>) -> i64 {
    age.map_or(0, |age| age.num_seconds().max(0))
}

fn queues(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<Queue>> {
    let mut queues: Vec<Queue> = runs::count_steps(connection)?
        .into_iter()
        .map(|row| Queue {
            kind: row.kind,
            state: row.state,
            count: row.count,
            oldest_seconds: seconds(row.oldest.map(|oldest| now - oldest)),
        })
        .collect();
    queues.sort_by(|one, other| (&one.kind, &one.state).cmp(&(&other.kind, &other.state)));
    Ok(queues)
}

fn mail(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<MailQueue> {
    let figures = claims::count(connection)?;
    let oldest_seconds = seconds(figures.oldest.map(|oldest| now - oldest));
    Ok(MailQueue { waiting: figures.waiting, oldest_seconds })
}
