//! The database as handlers reach it: blocking work on a bounded number of threads, with a bounded
//! wait. A database that hangs costs its own requests an error, and the others nothing. One that changes its
//! primary costs reads a moment.

mod engine;
mod line;
mod pause;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use actix_web::web;
use diesel::Connection as _;
use diesel::pg::PgConnection;
use kinora_store::notify::Notice;
use kinora_store::pool::Connector;
use kinora_store::{DatabaseSettings, Lease, Pool};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::error::{Problem, ProblemKind};
use engine::{Engine, Stand};
use line::Job;
use pause::Pause;

/// How long work waits for one of the threads that are busy before it asks for one more; twice as long
/// each further time.
const PATIENCE: Duration = Duration::from_millis(2);
/// For how long work that has begun may be without an answer before it is found out whether its server hangs, and
/// how often that is.
const SUSPICION: Duration = Duration::from_secs(3);

/// The database. Clones share the pool and its bound.
#[derive(Clone)]
pub struct Database {
    stand: Arc<Stand>,
    pause: Arc<Pause>,
    connector: Connector,
    checkout_limit: Duration,
    statement_limit: Duration,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.connector).finish()
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

/// What came of work that was handed over.
enum Outcome<T> {
    /// Its answer, or why there is none.
    Answered(Result<T, Problem>),
    /// Its server hangs. Whether what was asked of it will be done is not known.
    Hangs,
}

impl<T> Outcome<T> {
    fn of(answer: Result<Result<T, Problem>, oneshot::error::RecvError>) -> Self {
        Self::Answered(answer.unwrap_or_else(|stopped| Err(Problem::unavailable(stopped))))
    }
}

impl<T> From<Outcome<T>> for Result<T, Problem> {
    fn from(outcome: Outcome<T>) -> Self {
        match outcome {
            Outcome::Answered(answer) => answer,
            Outcome::Hangs => Err(Problem::unavailable("the database server hangs")),
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
            connector: pool.connector().clone(),
            stand: Arc::new(Stand::new(pool, eager, settings.pool_size as usize)),
            pause: Arc::new(Pause::new()),
            checkout_limit: seconds(settings.checkout_timeout_seconds),
            // A server that is stopped without closing its connections answers nobody's timeout.
            statement_limit: seconds(settings.statement_timeout_seconds + 1),
        }
    }

    /// How to connect, for parts that have connections of their own.
    #[must_use]
    pub fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Most threads that may wait for the database at the same time, those for a server that hangs included.
    #[must_use]
    pub fn most_threads(pool_size: usize) -> usize {
        (1 + engine::MOST_LEFT) * pool_size
    }

    /// Takes what the database's listener hears: whether to pause, and that it is over.
    pub fn hear(&self, notice: &Notice) {
        if self.pause.hear(notice) {
            self.stand.current().pool.distrust();
        }
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
        F: Fn(&mut PgConnection) -> Result<T, E> + Send + Sync + 'static,
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
        F: Fn(&mut PgConnection) -> Result<T, E> + Send + Sync + 'static,
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        let work = Arc::new(work);
        let asking = || {
            let work = Arc::clone(&work);
            move |pool: &Pool| {
                let first = attempt(pool.get_within(patience)?, &*work);
                let Err(Failure::Lost(cause)) = first else { return first.map_err(Problem::from) };
                log::warn!("a database connection was lost; asking on another one: {cause}");
                attempt(pool.get_within(patience)?, &*work).map_err(Problem::from)
            }
        };
        match self.hand_over(patience, asking()).await {
            Outcome::Answered(answer) => answer,
            // On other connections, which lead to a server that works.
            Outcome::Hangs => self.hand_over(patience, asking()).await.into(),
        }
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
            .into()
    }

    /// Has `work` done on a thread where it may block; waits at most for `patience` for that thread, and as
    /// long for a connection.
    async fn hand_over<T, F>(&self, patience: Duration, work: F) -> Outcome<T>
    where
        F: FnOnce(&Pool) -> Result<T, Problem> + Send + 'static,
        T: Send + 'static,
    {
        self.pause.pass().await;
        let engine = self.stand.current();
        let ticket = Arc::new(Ticket::default());
        let (answer, answered) = oneshot::channel();
        let (used, shown) = (Arc::clone(&engine), Arc::clone(&ticket));
        let job = move || {
            // Nothing is begun for somebody who has left, or has waited for too long.
            if answer.is_closed() || !shown.decide(Ticket::BEGUN) {
                return;
            }
            // Who left meanwhile does not need it.
            let _ = answer.send(work(&used.pool));
        };
        engine.line.push(Box::new(job), start);
        self.wait(patience, &engine, &ticket, answered).await
    }

    /// Waits for the answer; sees to it that the work is begun.
    async fn wait<T>(
        &self,
        limit: Duration,
        engine: &Arc<Engine>,
        ticket: &Ticket,
        mut answered: oneshot::Receiver<Result<T, Problem>>,
    ) -> Outcome<T> {
        let since = Instant::now();
        let mut patience = PATIENCE;
        loop {
            if let Ok(answer) = timeout(patience, &mut answered).await {
                return Outcome::of(answer);
            }
            if ticket.has_begun() {
                break;
            }
            if since.elapsed() >= limit && ticket.decide(Ticket::GIVEN_UP) {
                return Outcome::Answered(Err(Problem::unavailable(
                    "all database connections stayed in use",
                )));
            }
            if engine.is_left() && ticket.decide(Ticket::GIVEN_UP) {
                return Outcome::Hangs;
            }
            engine.line.hurry(start);
            patience = (2 * patience).min(self.checkout_limit);
        }
        tokio::select! {
            biased;
            answer = &mut answered => Outcome::of(answer),
            // Who has waited for less may have a connection to a server that works.
            () = async { tokio::time::sleep(SUSPICION).await; engine.left().await } => Outcome::Hangs,
            () = tokio::time::sleep(limit + self.statement_limit) => {
                // No server that works lets a statement take so long.
                self.stand.leave(engine);
                Outcome::Answered(Err(Problem::unavailable("the database did not answer in time")))
            }
            never = self.keep_suspecting(engine) => match never {},
        }
    }

    /// Looks again and again whether the server hangs that `engine` is connected to.
    async fn keep_suspecting(&self, engine: &Arc<Engine>) -> Infallible {
        loop {
            tokio::time::sleep(SUSPICION).await;
            let (stand, engine) = (Arc::clone(&self.stand), Arc::clone(engine));
            // There is a thread for it: engines that hang take no more than theirs.
            drop(tokio::task::spawn_blocking(move || stand.suspect(&engine, SUSPICION)));
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
        K: Send + Sync + 'static,
        F: Fn(&mut PgConnection, Option<&K>) -> Result<T, E> + Send + Sync + 'static,
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
