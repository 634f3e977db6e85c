//! Mail: the leading backend sends what waits in the queue ([`kinora_store::mail`]) through the studio's
//! relay.
//!
//! A mail is claimed and that is committed, then it is sent, then its end is noted. What a backend that
//! was killed has left claimed is taken back when the claim has ended, and sent again with the same
//! Message-ID: better twice than never. While the relay cannot be used all mail waits, however long that
//! lasts; only what the relay refuses for now is given up after some days.

mod compose;
mod letters;
mod relay;
mod render;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kinora_runtime::Secret;
use kinora_store::Result;
use kinora_store::mail::claims::{self, Claim, Claimed, Outcome, Policy, RelayState, Settled};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub use compose::Sender;
pub use relay::{Relay, RelayError};

use crate::Database;
use crate::coordinator::Clock;
use crate::settings::MailSettings;

/// The longest that mail waits when no notification came.
const TICK: Duration = Duration::from_secs(5);
/// Mails of one round, so that what else is to be done comes between.
const ROUND: usize = 100;
/// The longest wait before a relay that could not be used is asked again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The shortest such wait; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// Sends mail.
pub struct Mail {
    database: Database,
    relay: Option<(Relay, Sender)>,
    policy: Policy,
    clock: Clock,
    work: Arc<Notify>,
}

impl Mail {
    /// Sends through the relay of these settings, if there is one. `password` is the credential
    /// `mail-password`.
    ///
    /// # Errors
    /// [`RelayError`] if the settings cannot be used.
    pub fn new(
        database: Database,
        settings: &MailSettings,
        password: Option<&Secret>,
        clock: Clock,
    ) -> Result<Self, RelayError> {
        let relay = match (&settings.relay, &settings.from) {
            (Some(_), Some(from)) => Some((Relay::new(settings, password)?, Sender::new(from)?)),
            _ => None,
        };
        Ok(Self { database, relay, policy: settings.policy(), clock, work: Arc::new(Notify::new()) })
    }

    /// What to notify when there is mail.
    #[must_use]
    pub fn work(&self) -> Arc<Notify> {
        Arc::clone(&self.work)
    }

    fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// Sends what is due until `term` ends. A mail that is on its way then is sent to its end.
    pub async fn run(self: Arc<Self>, term: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        while !term.is_cancelled() {
            let mut wait = TICK;
            match self.do_what_is_due(&term).await {
                Ok(true) => pause = FIRST_PAUSE,
                Ok(false) => {
                    wait = pause;
                    pause = (2 * pause).min(LONGEST_PAUSE);
                }
                Err(error) => log::warn!("mail could not be sent: {error}"),
            }
            if wait == TICK {
                let work = tokio::time::timeout(TICK, self.work.notified());
                let _ = term.run_until_cancelled(work).await;
            } else {
                // What is new does not hurry a relay that is away.
                let _ = term.run_until_cancelled(tokio::time::sleep(wait)).await;
            }
        }
    }

    /// One round. Gives whether the relay, if there is one, could be used.
    async fn do_what_is_due(&self, term: &CancellationToken) -> Result<bool> {
        let now = self.now();
        let taken_back = self.database.call(move |c| claims::reap(c, now)).await?;
        if taken_back > 0 {
            log::warn!(count = taken_back; "mail of a sender that has ended is sent again");
        }
        let policy = self.policy.clone();
        self.database.call(move |c| claims::remove_old(c, &policy, now)).await?;
        let outcome = match &self.relay {
            Some((relay, sender)) => self.send_due(relay, sender, term).await,
            None => self.note(RelayState::Unset).await.map(|()| true),
        };
        self.count().await?;
        outcome
    }

    async fn send_due(&self, relay: &Relay, sender: &Sender, term: &CancellationToken) -> Result<bool> {
        for _ in 0..ROUND {
            if term.is_cancelled() {
                return Ok(true);
            }
            let (policy, now) = (self.policy.clone(), self.now());
            let claimed = match self.database.call(move |c| claims::claim(c, &policy, now)).await? {
                Claim::Mail(claimed) => claimed,
                Claim::Ended(id) => {
                    log::info!(message_id:% = id; "a mail that was due was not sent");
                    continue;
                }
                Claim::Nothing => return Ok(true),
            };
            if !self.send(relay, sender, *claimed).await? {
                return Ok(false);
            }
        }
        self.work.notify_one();
        Ok(true)
    }

    /// Sends one mail and notes how that ended. Gives whether the relay could be used.
    async fn send(&self, relay: &Relay, sender: &Sender, claimed: Claimed) -> Result<bool> {
        let outcome = match sender.compose(&claimed, self.now()) {
            Ok(mail) => relay.send(&mail).await,
            Err(error) => Outcome::Refused(format!("This mail cannot be written: {error}")),
        };
        let state = match &outcome {
            Outcome::Unreachable(error) => RelayState::Failing(error.clone()),
            _ => RelayState::Working,
        };
        let is_usable = state == RelayState::Working;
        self.note(state).await?;
        let (policy, now, id) = (self.policy.clone(), self.now(), claimed.id);
        let kind = claimed.letter.kind();
        let told = outcome.clone();
        let settled =
            self.database.call(move |c| claims::settle(c, &claimed, &outcome, &policy, now)).await?;
        tell(id, kind, &told, settled);
        Ok(is_usable)
    }

    async fn note(&self, state: RelayState) -> Result<()> {
        let working = if state == RelayState::Working { 1.0 } else { 0.0 };
        if state != RelayState::Unset {
            metrics::gauge!("kinora_mail_relay_working").set(working);
        }
        let now = self.now();
        self.database.call(move |c| claims::note_relay(c, &state, now)).await
    }

    async fn count(&self) -> Result<()> {
        let figures = self.database.call(claims::count).await?;
        let age = figures.oldest.map_or(TimeDelta::zero(), |oldest| self.now() - oldest);
        #[expect(clippy::cast_precision_loss, reason = "figures for a graph")]
        {
            metrics::gauge!("kinora_mail_waiting").set(figures.waiting as f64);
            metrics::gauge!("kinora_mail_failed").set(figures.failed as f64);
            metrics::gauge!("kinora_mail_oldest_seconds").set(age.num_seconds().max(0) as f64);
        }
        Ok(())
    }
}

/// Logs how sending ended: without the relay's own words, which may repeat an address.
fn tell(id: kinora_core::MessageId, kind: &'static str, outcome: &Outcome, settled: Settled) {
    let name = match settled {
        Settled::Sent => "sent",
        Settled::Waiting => "waiting",
        Settled::Failed => "failed",
        Settled::Overtaken => "overtaken",
    };
    metrics::counter!("kinora_mail_total", "kind" => kind, "outcome" => name).increment(1);
    match (settled, outcome) {
        (Settled::Sent, _) => log::info!(message_id:% = id, letter = kind; "mail sent"),
        (Settled::Overtaken, _) => {
            log::warn!(message_id:% = id, letter = kind; "a mail was sent by somebody else meanwhile");
        }
        (_, Outcome::Unreachable(_)) => {
            log::warn!(message_id:% = id, letter = kind; "the mail relay cannot be used; mail waits");
        }
        (Settled::Waiting, _) => {
            log::warn!(message_id:% = id, letter = kind; "the mail relay refused a mail for now");
        }
        (Settled::Failed, _) => log::error!(message_id:% = id, letter = kind; "a mail was given up"),
    }
}
