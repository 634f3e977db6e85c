//! Which processes say of something that it works for them: each holds a shared advisory lock on a connection of its own. What
//! it said ends with the connection, so nobody answers for a process that has died.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use crate::pool::Connector;
use crate::{Result, StoreError};

/// The storage of media ("kinora" and a number, as an integer).
pub const STORAGE_WORKS: i64 = 0x6b69_6e6f_7261_0004;

/// Locks of this database that are held for what is bound; locks of all databases are listed.
const HELD: &str = "FROM pg_locks WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32 | objid::bigint) = $1 \
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// Having said so, until this is dropped or its connection breaks.
pub struct Presence {
    connection: PgConnection,
    what: i64,
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    holds: bool,
}

fn ask(connection: &mut PgConnection, query: &str, what: i64) -> QueryResult<bool> {
    let answer: Answer = diesel::sql_query(query).bind::<BigInt, _>(what).get_result(connection)?;
    Ok(answer.holds)
}

impl Presence {
    /// Says that it works.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub fn announce(connector: &Connector, what: i64) -> Result<Self> {
        let mut connection = connector.connect()?;
        let _ = ask(&mut connection, "SELECT pg_try_advisory_lock_shared($1) AS holds", what)?;
        Ok(Self { connection, what })
    }

    /// Makes sure that the others still hear it: the connection lives, to a server that accepts writes.
    ///
    /// # Errors
    /// [`StoreError`] if not; drop this and say it again.
    pub fn verify(&mut self) -> Result<()> {
        let query = format!(
            "SELECT NOT pg_is_in_recovery() AND EXISTS (SELECT {HELD} AND pid = pg_backend_pid()) AS holds"
        );
        if ask(&mut self.connection, &query, self.what)? {
            Ok(())
        } else {
            Err(StoreError::Unavailable("what was said is not heard any more".to_owned()))
        }
    }
}

/// Whether it works for any process.
///
/// # Errors
/// The database's.
pub fn is_announced(connection: &mut PgConnection, what: i64) -> Result<bool> {
    Ok(ask(connection, &format!("SELECT EXISTS (SELECT {HELD}) AS holds"), what)?)
}
