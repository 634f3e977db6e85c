//! The database as handlers reach it: blocking work on a bounded number of threads, with a bounded
//! wait. A database that hangs costs its own requests an error, and the others nothing.

mod line;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use actix_web::web;
use diesel::Connection as _;
use diesel::pg::PgConnection;
use kinora_store::{DatabaseSettings, Pool};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::error::Problem;
use line::{Job, Line};

/// How long work waits for one of the threads that are busy before it asks for one more; twice as long
/// each further time.
const PATIENCE: Duration = Duration::from_millis(2);

/// The database. Clones share the pool and its bound.
#[derive(Clone)]
pub struct Database {
    pool: Arc<Pool>,
    line: Arc<Line>,
    checkout_limit: Duration,
    work_limit: Duration,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.pool).finish()
    }
}

/// Whether a piece of work has begun, which only one of both sides decides.
#[derive(Default)]
struct Ticket(AtomicU8);

impl Ticket {
    const WAITING: u8 = 0;
    const BEGUN: u8 = 1;
    const GIVEN_UP: u8 = 2;

    fn decide(&self, state: u8) -> bool {
        self.0.compare_exchange(Self::WAITING, state, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire) == Self::BEGUN
    }
}

/// Gives a thread its work. It is not awaited: what comes of it goes to whoever waits for each piece.
fn start(work: Job) {
    drop(web::block(work));
}

impl Database {
    /// Works through `pool`, which has these settings.
    #[must_use]
    pub fn new(pool: Pool, settings: &DatabaseSettings) -> Self {
        let seconds = |count: u32| Duration::from_secs(u64::from(count));
        // As many as keep the processors busy while each waits for its answer half of the time.
        let eager = 2 * std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            pool: Arc::new(pool),
            line: Line::new(eager, settings.pool_size as usize),
            checkout_limit: seconds(settings.checkout_timeout_seconds),
            // A server that is stopped without closing its connections answers nobody's timeout.
            work_limit: seconds(settings.checkout_timeout_seconds + settings.statement_timeout_seconds + 1),
        }
    }

    /// The pool, for parts that have threads of their own.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Runs `work` with a connection on a thread where it may block.
    ///
    /// # Errors
    /// What `work` answers; unavailable, if no connection is free in time or the work takes too long.
    pub async fn run<T, E, F>(&self, work: F) -> Result<T, Problem>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        let ticket = Arc::new(Ticket::default());
        let (answer, answered) = oneshot::channel();
        let (pool, shown) = (Arc::clone(&self.pool), Arc::clone(&ticket));
        let job = move || {
            // Nothing is begun for somebody who has left, or has waited for too long.
            if answer.is_closed() || !shown.decide(Ticket::BEGUN) {
                return;
            }
            let outcome =
                pool.get().map_err(Problem::from).and_then(|mut lease| work(&mut lease).map_err(Into::into));
            // Who left meanwhile does not need it.
            let _ = answer.send(outcome);
        };
        self.line.push(Box::new(job), start);
        self.wait(&ticket, answered).await
    }

    /// Waits for the answer; sees to it that the work is begun.
    async fn wait<T>(
        &self,
        ticket: &Ticket,
        mut answered: oneshot::Receiver<Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let since = Instant::now();
        let mut patience = PATIENCE;
        loop {
            if let Ok(answer) = timeout(patience, &mut answered).await {
                return answer.unwrap_or_else(|stopped| Err(Problem::unavailable(stopped)));
            }
            if ticket.has_begun() {
                break;
            }
            if since.elapsed() >= self.checkout_limit && ticket.decide(Ticket::GIVEN_UP) {
                return Err(Problem::unavailable("all database connections stayed in use"));
            }
            self.line.hurry(start);
            patience = (2 * patience).min(self.checkout_limit);
        }
        match timeout(self.work_limit, answered).await {
            Ok(answer) => answer.unwrap_or_else(|stopped| Err(Problem::unavailable(stopped))),
            Err(_) => Err(Problem::unavailable("the database did not answer in time")),
        }
    }

    /// The same in one transaction, which is rolled back if `work` answers an error.
    ///
    /// # Errors
    /// As [`Database::run`].
    pub async fn transaction<T, E, F>(&self, work: F) -> Result<T, Problem>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        self.run(move |connection| {
            connection.transaction(|connection| work(connection).map_err(Into::<Problem>::into))
        })
        .await
    }
}
