//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

/// How long anything in a test may take before the test is taken for hung. Generous: a busy machine
/// must not fail a test.
pub const DEADLINE: Duration = Duration::from_secs(240);

/// Asks `condition` again and again until it gives a value.
///
/// # Panics
/// After [`DEADLINE`], naming `what` was waited for.
pub async fn wait_until<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {} s in vain: {what}", DEADLINE.as_secs());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
