//! The threads on which the vault blocks: for the disk, and for hashing and encrypting.
//!
//! They are those of the runtime in which the vault was opened. An HTTP server thread brings a small
//! runtime of its own whose blocking threads also serve the database; a slow disk must not keep
//! those busy.

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::error::VaultError;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Threads(Option<Handle>);

impl Threads {
    /// The blocking threads of the current runtime; outside of one, those of whichever runs the work.
    pub(crate) fn here() -> Self {
        Self(Handle::try_current().ok())
    }

    /// Starts `work`.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        match &self.0 {
            Some(runtime) => runtime.spawn_blocking(work),
            None => tokio::task::spawn_blocking(work),
        }
    }

    /// Runs `work` and waits for it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, VaultError> {
        self.spawn(work).await.map_err(|error| VaultError::from_join(&error))?
    }
}
