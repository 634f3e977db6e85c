//! Which of a pool's connections are in use, since when, and whether their server still works on what they ask.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Double, Integer};

use crate::Result;

/// The connections in use, by the process that serves each at the server. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct InUse {
    since: Arc<Mutex<HashMap<i32, Instant>>>,
}

impl InUse {
    fn lock(&self) -> MutexGuard<'_, HashMap<i32, Instant>> {
        // The table is whole even if a thread panicked: each act is a single insert or remove.
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(&self, process: i32) {
        let _ = self.lock().insert(process, Instant::now());
    }

    pub(super) fn give_back(&self, process: i32) {
        let _ = self.lock().remove(&process);
    }

    /// The processes of connections that have been in use for so long.
    pub(super) fn for_longer_than(&self, duration: Duration) -> Vec<i32> {
        let since = self.lock();
        since.iter().filter(|(_, since)| since.elapsed() >= duration).map(|(process, _)| *process).collect()
    }
}

/// How many of these processes the server knows as this user's, and has been working on something for, or has worked on
/// something for within `duration`.
///
/// # Errors
/// If the database fails.
pub(super) fn count_at_work(
    connection: &mut PgConnection,
    processes: &[i32],
    duration: Duration,
) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let statement = "SELECT count(*) AS count FROM pg_stat_activity
        WHERE pid = ANY($1) AND usename = current_user AND datname = current_database()
          AND (state <> 'idle' OR state_change > now() - make_interval(secs => $2))";
    let row = diesel::sql_query(statement)
        .bind::<Array<Integer>, _>(processes)
        .bind::<Double, _>(duration.as_secs_f64())
        .get_result::<Row>(connection)?;
    Ok(row.count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_in_use_for_long_is_looked_at() {
        let in_use = InUse::default();
        in_use.take(1);
        in_use.take(2);
        in_use.give_back(1);
        assert_eq!(in_use.for_longer_than(Duration::ZERO), [2]);
        assert!(in_use.for_longer_than(Duration::from_secs(3600)).is_empty());
    }
}
