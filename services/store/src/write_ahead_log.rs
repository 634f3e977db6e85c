//! The database's own log, as far as it concerns whoever watches: whether what was committed is in the archive too.

use diesel::prelude::*;
use diesel::sql_types::Double;

use crate::Result;

/// Parts of the log are numbered by their position; one is being written, the one before may be on its way to the archive.
/// With none closed beside these nothing waits. Else it has waited since the archive took its last part; a primary that has
/// sent none yet (one that has just taken over, and sent no more than the history of its timeline) counts from when it was started.
const ARCHIVE_LAG: &str = "
    WITH log AS (
        SELECT current_setting('archive_mode') <> 'off' AS is_archived,
               floor((pg_current_wal_insert_lsn() - '0/0')
                     / (SELECT setting::numeric FROM pg_settings WHERE name = 'wal_segment_size')) AS written,
               CASE WHEN last_archived_wal ~ '^[0-9A-F]{24}' THEN
                   (('x' || substr(last_archived_wal, 9, 8))::bit(32)::bigint
                        * (4294967296 / (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'))
                    + ('x' || substr(last_archived_wal, 17, 8))::bit(32)::bigint)::numeric
               END AS archived,
               coalesce(last_archived_time, stats_reset, pg_postmaster_start_time()) AS since
        FROM pg_stat_archiver
    )
    SELECT CASE WHEN is_archived AND (archived IS NULL OR written - archived > 1)
                THEN greatest(extract(epoch FROM clock_timestamp() - since), 0) ELSE 0 END::double precision AS seconds
    FROM log";

#[derive(QueryableByName)]
struct Lag {
    #[diesel(sql_type = Double)]
    seconds: f64,
}

/// Seconds for which closed parts of the log have waited for the archive; 0 where none waits, or nothing is archived.
///
/// # Errors
/// If the database fails, or does not accept writes.
pub fn archive_lag_seconds(connection: &mut PgConnection) -> Result<f64> {
    let lag: Lag = diesel::sql_query(ARCHIVE_LAG).get_result(connection)?;
    Ok(lag.seconds)
}
