//! Orderly shutdown: the first SIGTERM or SIGINT asks everything to finish, the second one ends the
//! process at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The wish that this process ends. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    token: CancellationToken,
}

impl Shutdown {
    /// One that only [`Shutdown::request`] triggers; for tests and commands.
    #[must_use]
    pub fn manual() -> Self {
        Self::default()
    }

    /// One that SIGTERM and SIGINT trigger. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// If the signal handlers cannot be installed.
    pub fn on_signals() -> std::io::Result<Self> {
        let shutdown = Self::default();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let asked = shutdown.clone();
        tokio::spawn(async move {
            let mut next = async || {
                tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                }
            };
            let first = next().await;
            log::info!(signal = first; "shutting down");
            asked.request();
            let second = next().await;
            log::warn!(signal = second; "asked a second time: ending at once");
            std::process::exit(130);
        });
        Ok(shutdown)
    }

    /// Asks everything to finish.
    pub fn request(&self) {
        self.token.cancel();
    }

    /// Whether it was asked for.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits until it is asked for.
    pub async fn requested(&self) {
        self.token.cancelled().await;
    }

    /// The token itself, for `run_until_cancelled` and child tokens.
    #[must_use]
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }
}
