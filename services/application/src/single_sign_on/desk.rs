//! Judging what identity providers send: on threads that may block, a few documents at a time, so that however many
//! come, requests of people who are signed in find a thread.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use kinora_saml::{Connection, Refusal, RefusalCode, VerifierProcess};
use tokio::sync::Semaphore;

use super::provider::Ours;

/// How long a document waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub struct Desk {
    verifier: Arc<VerifierProcess>,
    turns: Semaphore,
}

impl Desk {
    /// Has signatures verified by `verifier`.
    #[must_use]
    pub fn new(verifier: Arc<VerifierProcess>) -> Arc<Self> {
        let places = std::thread::available_parallelism().map_or(2, |cores| usize::from(cores).max(2));
        Arc::new(Self { verifier, turns: Semaphore::new(places) })
    }

    /// Does `work` with a connection on a thread where it may block, in its turn.
    ///
    /// # Errors
    /// What `work` refuses; [`RefusalCode::Busy`].
    pub async fn judge<T, F>(self: &Arc<Self>, ours: Arc<Ours>, work: F) -> Result<T, Refusal>
    where
        F: FnOnce(Connection<'_>) -> Result<T, Refusal> + Send + 'static,
        T: Send + 'static,
    {
        let turn = tokio::time::timeout(PATIENCE, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(RefusalCode::Busy.into()) };
        let desk = Arc::clone(self);
        web::block(move || work(ours.saml(desk.verifier.as_ref())))
            .await
            .unwrap_or_else(|stopped| Err(Refusal::with(RefusalCode::Internal, stopped)))
    }
}
