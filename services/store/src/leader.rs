//! Who of several processes does what only one should do: whoever holds an advisory lock, on a
//! connection of its own. The lock falls with the connection, so a killed leader is followed within
//! a moment.
//!
//! Nothing breaks if two believe to lead for a moment: claims lock rows, and messages about the same
//! attempt may come twice anyway. The election only spares work.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use crate::pool::Connector;
use crate::{Result, StoreError};

/// The lock of the coordinator ("kinora" and a number, as an integer).
pub const COORDINATOR_LOCK: i64 = 0x6b69_6e6f_7261_0001;
/// The lock of whoever migrates the schema.
pub const MIGRATION_LOCK: i64 = 0x6b69_6e6f_7261_0002;
/// The lock of whoever copies media.
pub const COPY_LOCK: i64 = 0x6b69_6e6f_7261_0003;

/// Being the leader, until this is dropped or its connection breaks.
pub struct Leadership {
    connection: PgConnection,
    lock: i64,
}

fn select_bool(connection: &mut PgConnection, expression: &str, lock: i64) -> QueryResult<bool> {
    let query = diesel::dsl::sql::<Bool>(expression).bind::<BigInt, _>(lock).sql(")");
    diesel::select(query).get_result(connection)
}

impl Leadership {
    /// Tries to become the leader; none if another process is.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be asked.
    pub fn try_acquire(connector: &Connector, lock: i64) -> Result<Option<Self>> {
        let mut connection = connector.connect()?;
        let acquired = select_bool(&mut connection, "pg_try_advisory_lock(", lock)?;
        Ok(acquired.then_some(Self { connection, lock }))
    }

    /// Makes sure that this process still leads: its connection lives, to a server that accepts
    /// writes.
    ///
    /// # Errors
    /// [`StoreError`] if it does not; drop this and try again.
    pub fn verify(&mut self) -> Result<()> {
        let query = "NOT pg_is_in_recovery() AND EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' \
                     AND pid = pg_backend_pid() AND granted AND (classid::bigint << 32 | objid::bigint) = ";
        if select_bool(&mut self.connection, query, self.lock)? {
            Ok(())
        } else {
            Err(StoreError::Unavailable("the leader's lock is gone".to_owned()))
        }
    }

    /// Ends being the leader: when this returns, another process may be. Dropping it does the same, a moment later.
    ///
    /// # Errors
    /// [`StoreError`] if the connection is lost, which ends it too.
    pub fn release(mut self) -> Result<()> {
        select_bool(&mut self.connection, "pg_advisory_unlock(", self.lock)?;
        Ok(())
    }
}
