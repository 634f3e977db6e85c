//! A change of the primary that somebody makes on purpose: they say so before, and until the new one is there nothing new
//! is begun. What is under way ends meanwhile; what waits is done a moment later, and nobody is refused.

use std::time::Duration;

use kinora_store::notify::{Notice, PAUSE_CHANNEL};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// However long is asked for. Should nobody end it, work goes on by itself.
const LONGEST: Duration = Duration::from_secs(5);

/// Whether to wait, and until when at most.
#[derive(Debug)]
pub struct Pause {
    until: watch::Sender<Option<Instant>>,
}

impl Pause {
    /// None now.
    #[must_use]
    pub fn new() -> Self {
        Self { until: watch::Sender::new(None) }
    }

    /// Takes what the database's listener hears; says whether a pause has ended.
    pub fn hear(&self, notice: &Notice) -> bool {
        match notice {
            Notice::Notification { channel, payload } if channel == PAUSE_CHANNEL => {
                let asked = payload.parse().map_or(Duration::ZERO, Duration::from_millis);
                log::info!("the database changes its primary: nothing new is begun");
                self.until.send_replace(Some(Instant::now() + asked.min(LONGEST)));
                false
            }
            // To a server that accepts writes: the new primary, or the old one that has stayed.
            Notice::Connected => self.until.send_replace(None).is_some(),
            Notice::Notification { .. } | Notice::Lost => false,
        }
    }

    /// Waits while there is a pause.
    pub async fn pass(&self) {
        if self.until.borrow().is_none() {
            return;
        }
        let mut until = self.until.subscribe();
        loop {
            let Some(end) = *until.borrow_and_update() else { return };
            if timeout_at(end, until.changed()).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn asked(milliseconds: &str) -> Notice {
        Notice::Notification { channel: PAUSE_CHANNEL.to_owned(), payload: milliseconds.to_owned() }
    }

    #[tokio::test]
    async fn work_waits_until_the_new_primary_is_there() {
        let pause = Pause::new();
        assert!(pause.pass().now_or_never().is_some());
        assert!(!pause.hear(&asked("4000")));
        assert!(!pause.hear(&Notice::Lost));
        let mut waiting = Box::pin(pause.pass());
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        assert!(pause.hear(&Notice::Connected));
        waiting.await;
        assert!(!pause.hear(&Notice::Connected));
    }

    #[tokio::test]
    async fn a_pause_that_nobody_ends_ends_by_itself() {
        let pause = Pause::new();
        assert!(!pause.hear(&asked("20")));
        pause.pass().await;
        assert!(!pause.hear(&asked("no number")));
        pause.pass().await;
    }

    #[tokio::test]
    async fn other_notifications_are_none() {
        let pause = Pause::new();
        let other = Notice::Notification { channel: "kinora_events".to_owned(), payload: "4000".to_owned() };
        assert!(!pause.hear(&other));
        assert!(pause.pass().now_or_never().is_some());
    }
}
