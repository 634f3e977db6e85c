//! The database as uploads reach it: in turn, and not with all connections.
//!
//! Hundreds of uploads may want to note something in the same second. They wait for each other here,
//! first come first served, so that they neither keep everybody else from the database nor fail
//! because the wait for a connection is short. What a client waits for goes before what an upload notes
//! every second for itself.
//!
//! A database that is slow makes them slow; they fail only when nothing at all comes back from it.

use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use diesel::pg::PgConnection;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use crate::context::Context;
use crate::error::{Problem, ProblemKind};

/// How long nothing must come back from the database before those that wait give up.
const PATIENCE: Duration = Duration::from_secs(30);

struct Turns {
    all: Semaphore,
    /// What no client waits for gets this many of them at most.
    routine: Semaphore,
    /// When the database last answered.
    answered_at: Mutex<Instant>,
}

static TURNS: OnceLock<Turns> = OnceLock::new();

impl Turns {
    fn of(context: &Context) -> &'static Self {
        let half = (context.settings.database.pool_size as usize / 2).max(1);
        TURNS.get_or_init(|| Self {
            all: Semaphore::new(half),
            routine: Semaphore::new((half / 2).max(1)),
            answered_at: Mutex::new(Instant::now()),
        })
    }

    fn answered_at(&self) -> Instant {
        *self.answered_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn wait<'a>(&self, turns: &'a Semaphore) -> Result<SemaphorePermit<'a>, Problem> {
        let begun = Instant::now();
        let mut turn = pin!(turns.acquire());
        loop {
            let limit = begun.max(self.answered_at()) + PATIENCE;
            match timeout_at(limit, &mut turn).await {
                Ok(turn) => return turn.map_err(Problem::unavailable),
                Err(_) if self.answered_at() + PATIENCE > limit => {}
                Err(_) => return Err(Problem::unavailable("the database did not answer any upload")),
            }
        }
    }

    /// Does `work` when it is its turn.
    async fn take<T>(
        &self,
        is_routine: bool,
        work: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let _routine = if is_routine { Some(self.wait(&self.routine).await?) } else { None };
        let _turn = self.wait(&self.all).await?;
        let outcome = work.await;
        if !matches!(&outcome, Err(problem) if problem.kind() == ProblemKind::Unavailable) {
            *self.answered_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
        outcome
    }
}

/// Starts `work` in a task of its own. Whoever has a turn thus uses it and gives it back, whatever the
/// caller does meanwhile: a turn in the hands of somebody who waits for another one would never end.
async fn in_turn<T: Send + 'static>(
    context: &Context,
    is_routine: bool,
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    let task = tokio::spawn(Turns::of(context).take(is_routine, work));
    task.await.unwrap_or_else(|lost| Err(Problem::unavailable(lost)))
}

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
    let database = context.database.clone();
    in_turn(context, false, async move { database.run_patiently(PATIENCE, work).await }).await
}

/// The same for work that may be repeated, as [`Database::read`](crate::database::Database::read).
///
/// # Errors
/// As [`run`].
pub(super) async fn read<T, E, F>(context: &Context, work: F) -> Result<T, Problem>
where
    F: Fn(&mut PgConnection) -> Result<T, E> + Send + Sync + 'static,
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    let database = context.database.clone();
    in_turn(context, false, async move { database.read_patiently(PATIENCE, work).await }).await
}

/// The same for what no client waits for.
///
/// # Errors
/// As [`run`].
pub(super) async fn run_routine<T, E, F>(context: &Context, work: F) -> Result<T, Problem>
where
    F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    let database = context.database.clone();
    in_turn(context, true, async move { database.run_patiently(PATIENCE, work).await }).await
}
