//! The database as uploads reach it: in turn, and not with all connections.
//!
//! Hundreds of uploads may want to note something in the same second. They wait for each other here,
//! first come first served, so that they neither keep everybody else from the database nor fail
//! because the wait for a connection is short.

use std::sync::OnceLock;
use std::time::Duration;

use diesel::pg::PgConnection;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::context::Context;
use crate::error::Problem;

/// Longest wait for one's turn. Only a database that does not answer makes it that long.
const PATIENCE: Duration = Duration::from_secs(30);

static TURNS: OnceLock<Semaphore> = OnceLock::new();

/// Runs `work` with a connection when it is its turn.
///
/// # Errors
/// What `work` answers; unavailable, if the database does not answer.
pub(super) async fn run<T, E, F>(context: &Context, work: F) -> Result<T, Problem>
where
    F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    let half = (context.settings.database.pool_size as usize / 2).max(1);
    let turns = TURNS.get_or_init(|| Semaphore::new(half));
    match timeout(PATIENCE, turns.acquire()).await {
        Ok(Ok(_turn)) => context.database.run(work).await,
        Ok(Err(closed)) => Err(Problem::unavailable(closed)),
        Err(_) => Err(Problem::unavailable("the database did not keep up with the uploads")),
    }
}
