//! The store, from asynchronous code: each call runs on a blocking thread and is not waited for
//! without end.

use std::time::Duration;

use diesel::pg::PgConnection;
use kinora_store::{Pool, Result, StoreError};

/// Longest wait for a call. A server that hangs with its connection open is bounded by nothing else.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// The database. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Pool,
}

impl Database {
    /// Uses the connections of `pool`.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// The connections themselves.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Runs `call` with a connection of the pool on a blocking thread.
    ///
    /// # Errors
    /// Those of `call`; [`StoreError::Unavailable`] if there is no connection or no answer in time.
    pub async fn call<T, F>(&self, call: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> Result<T> + Send + 'static,
    {
        let pool = self.pool.clone();
        blocking(move || call(&mut *pool.get()?)).await
    }
}

/// Runs `work` on a blocking thread.
pub(crate) async fn blocking<T, F>(work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    match tokio::time::timeout(CALL_TIMEOUT, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => Err(StoreError::Unavailable(format!("a call has not returned: {panic}"))),
        Err(_) => Err(StoreError::Unavailable("the database does not answer".to_owned())),
    }
}
