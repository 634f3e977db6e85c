//! The database as handlers reach it: blocking work on a bounded number of threads, with a bounded
//! wait. A database that hangs costs its own requests an error, and the others nothing. One that changes its
//! primary costs reads a moment.

mod line;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use actix_web::web;
use diesel::Connection as _;
use diesel::pg::PgConnection;
use kinora_store::{DatabaseSettings, Lease, Pool};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::error::{Problem, ProblemKind};
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
    statement_limit: Duration,
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

/// Why an attempt gave nothing.
enum Failure {
    /// The connection was lost; whether what was done on it was committed is not known.
    Lost(String),
    /// Anything else.
    Answered(Problem),
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Lost(cause) => Self::unavailable(cause),
            Failure::Answered(problem) => problem,
        }
    }
}

/// Does `work` once. What a server says when it goes has many forms (SQLSTATE 25006, 57P01 to 57P03, class
/// 08, or nothing at all), so after a failure the connection itself is asked.
fn attempt<T, E: Into<Problem>>(
    mut lease: Lease,
    work: impl FnOnce(&mut PgConnection) -> Result<T, E>,
) -> Result<T, Failure> {
    work(&mut lease).map_err(|error| {
        let problem = error.into();
        let is_the_databases = matches!(problem.kind(), ProblemKind::Internal | ProblemKind::Unavailable);
        if is_the_databases && lease.is_lost() {
            Failure::Lost(problem.cause().unwrap_or("the database connection was lost").to_owned())
        } else {
            Failure::Answered(problem)
        }
    })
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
            statement_limit: seconds(settings.statement_timeout_seconds + 1),
        }
    }

    /// The pool, for parts that have threads of their own.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Runs `work` with a connection on a thread where it may block.
    ///
    /// It is never run twice: for all that changes something, where it may not be known whether a change
    /// that failed was committed.
    ///
    /// # Errors
    /// What `work` answers; unavailable, if no connection is free in time, the work takes too long, or the
    /// connection is lost.
    pub async fn run<T, E, F>(&self, work: F) -> Result<T, Problem>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        self.run_patiently(self.checkout_limit, work).await
    }

    /// Runs `work` that only reads, or may be repeated for another reason. Should its connection be lost,
    /// as when the database changes its primary, it is run once more on another one.
    ///
    /// # Errors
    /// As [`Database::run`].
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, Problem>
    where
        F: Fn(&mut PgConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        self.read_patiently(self.checkout_limit, work).await
    }

    /// As [`Database::read`], for those that would rather wait for `patience` than fail.
    ///
    /// # Errors
    /// As [`Database::run`].
    pub async fn read_patiently<T, E, F>(&self, patience: Duration, work: F) -> Result<T, Problem>
    where
        F: Fn(&mut PgConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        self.hand_over(patience, move |pool| {
            let first = attempt(pool.get_within(patience)?, &work);
            let Err(Failure::Lost(cause)) = first else { return first.map_err(Problem::from) };
            log::warn!("a database connection was lost; asking on another one: {cause}");
            attempt(pool.get_within(patience)?, &work).map_err(Problem::from)
        })
        .await
    }

    /// As [`Database::run`], for those that would rather wait for `patience` than fail.
    ///
    /// # Errors
    /// As [`Database::run`].
    pub async fn run_patiently<T, E, F>(&self, patience: Duration, work: F) -> Result<T, Problem>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        self.hand_over(patience, move |pool| attempt(pool.get_within(patience)?, work).map_err(Problem::from))
            .await
    }

    /// Has `work` done on a thread where it may block; waits at most for `patience` for that thread, and as
    /// long for a connection.
    async fn hand_over<T, F>(&self, patience: Duration, work: F) -> Result<T, Problem>
    where
        F: FnOnce(&Pool) -> Result<T, Problem> + Send + 'static,
        T: Send + 'static,
    {
        let ticket = Arc::new(Ticket::default());
        let (answer, answered) = oneshot::channel();
        let (pool, shown) = (Arc::clone(&self.pool), Arc::clone(&ticket));
        let job = move || {
            // Nothing is begun for somebody who has left, or has waited for too long.
            if answer.is_closed() || !shown.decide(Ticket::BEGUN) {
                return;
            }
            // Who left meanwhile does not need it.
            let _ = answer.send(work(&pool));
        };
        self.line.push(Box::new(job), start);
        self.wait(patience, &ticket, answered).await
    }

    /// Waits for the answer; sees to it that the work is begun.
    async fn wait<T>(
        &self,
        limit: Duration,
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
            if since.elapsed() >= limit && ticket.decide(Ticket::GIVEN_UP) {
                return Err(Problem::unavailable("all database connections stayed in use"));
            }
            self.line.hurry(start);
            patience = (2 * patience).min(self.checkout_limit);
        }
        match timeout(limit + self.statement_limit, answered).await {
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

    /// A transaction that makes something. With an idempotency key `K` it is repeated once if its connection is
    /// lost: had it been committed all the same, the second one finds that out by the key.
    ///
    /// # Errors
    /// As [`Database::run`].
    pub async fn creation<K, T, E, F>(&self, key: Option<K>, work: F) -> Result<T, Problem>
    where
        K: Send + 'static,
        F: Fn(&mut PgConnection, Option<&K>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        let is_repeatable = key.is_some();
        let work = move |connection: &mut PgConnection| {
            connection.transaction(|connection| work(connection, key.as_ref()).map_err(Into::<Problem>::into))
        };
        if is_repeatable { self.read(work).await } else { self.run(work).await }
    }
}
