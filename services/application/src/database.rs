//! The database as handlers reach it: blocking work on a bounded number of threads, with a bounded
//! wait. A database that hangs costs its own requests an error, and the others nothing.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use diesel::Connection as _;
use diesel::pg::PgConnection;
use kinora_store::{DatabaseSettings, Pool};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::error::Problem;

/// The database. Clones share the pool and its bound.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Pool,
    permits: Arc<Semaphore>,
    checkout_limit: Duration,
    work_limit: Duration,
}

impl Database {
    /// Works through `pool`, which has these settings.
    #[must_use]
    pub fn new(pool: Pool, settings: &DatabaseSettings) -> Self {
        let seconds = |count: u32| Duration::from_secs(u64::from(count));
        Self {
            pool,
            permits: Arc::new(Semaphore::new(settings.pool_size as usize)),
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
        let permit = match timeout(self.checkout_limit, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(closed)) => return Err(Problem::unavailable(closed)),
            Err(_) => return Err(Problem::unavailable("all database connections stayed in use")),
        };
        let pool = self.pool.clone();
        let blocking = web::block(move || {
            // Held until the work ends, also when nobody waits for it any more.
            let _permit = permit;
            let mut lease = pool.get()?;
            work(&mut lease).map_err(Into::into)
        });
        match timeout(self.work_limit, blocking).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(stopped)) => Err(Problem::unavailable(stopped)),
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
