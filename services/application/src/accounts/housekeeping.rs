//! Removes what has expired: sessions and half sign-ins, idempotency keys, counts of wrong passwords, old
//! events and invitations, what single sign-on remembers, and what requests have left of people who were erased.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use kinora_runtime::Shutdown;
use kinora_store::privacy::{address, erasures};
use kinora_store::single_sign_on::{attempts, requests, used};
use kinora_store::{events, idempotency, invitations, known_browsers, second_factors, sessions, sign_in};

use crate::database::Database;

const INTERVAL: Duration = Duration::from_secs(15 * 60);
/// How long a page may be away and still be told only what it has missed.
const EVENTS_KEPT: TimeDelta = TimeDelta::days(7);
/// How long invitations are kept after their end.
const INVITATIONS_KEPT: TimeDelta = TimeDelta::days(30);

/// Works in the background until shutdown. Several instances may do it at the same time.
pub fn spawn(database: Database, shutdown: Shutdown) {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(INTERVAL);
        loop {
            tokio::select! {
                () = shutdown.requested() => return,
                _ = ticks.tick() => {}
            }
            if let Err(problem) = database.run(remove_expired).await {
                log::warn!("expired rows could not be removed: {}", problem.cause().unwrap_or_default());
            }
        }
    });
}

fn remove_expired(connection: &mut diesel::PgConnection) -> kinora_store::Result<()> {
    idempotency::remove_expired(connection)?;
    sessions::remove_expired(connection)?;
    sign_in::remove_forgotten(connection)?;
    second_factors::remove_expired(connection)?;
    known_browsers::remove_forgotten(connection)?;
    events::trim(connection, Utc::now() - EVENTS_KEPT)?;
    invitations::remove_old(connection, Utc::now() - INVITATIONS_KEPT)?;
    let now = Utc::now();
    requests::remove_expired(connection, now)?;
    used::remove_expired(connection, now)?;
    attempts::remove_old(connection, now)?;
    address::remove_expired(connection, now)?;
    let swept = erasures::sweep_recent(connection, now)?;
    if swept > 0 {
        log::info!(rows = swept; "what people left behind who were erased is erased as well");
    }
    Ok(())
}
