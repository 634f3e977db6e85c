//! The desk where passwords are hashed and verified: few at a time, few waiting.
//!
//! bcrypt takes a quarter of a second of one core on purpose. Whatever number of sign-ins arrives,
//! only some of the cores work on them, and whoever would wait too long is told so at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::web;
use kinora_store::passwords::{self, PasswordError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::error::{Problem, ProblemKind};
use crate::settings::PasswordSettings;

/// Longest wait for a turn.
const WAIT: Duration = Duration::from_secs(10);

/// Hashes and verifies passwords.
pub struct PasswordDesk {
    cost: u32,
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
    /// What the password of nobody is compared with, so that unknown logins take as long as known ones.
    nobody: String,
}

/// The right to work on one password.
pub struct Turn(OwnedSemaphorePermit);

/// Counts somebody who waits, also when they give up.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl PasswordDesk {
    /// A desk with these settings.
    ///
    /// # Errors
    /// If the system gives no random bytes.
    pub fn new(settings: &PasswordSettings) -> Result<Self, PasswordError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let parallel = if settings.parallel == 0 { (cores / 2).max(1) } else { settings.parallel };
        let nobody = passwords::of_nobody(settings.cost)?;
        Ok(Self {
            cost: settings.cost,
            turns: Arc::new(Semaphore::new(parallel)),
            waiting: AtomicUsize::new(0),
            queue: settings.queue,
            nobody,
        })
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`ProblemKind::Overloaded`] if too many wait already or it takes too long.
    pub async fn turn(&self) -> Result<Turn, Problem> {
        let overloaded = || Problem::from(ProblemKind::Overloaded).retry_after(5);
        if let Ok(permit) = Arc::clone(&self.turns).try_acquire_owned() {
            return Ok(Turn(permit));
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.queue {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            metrics::counter!("kinora_password_queue_full_total").increment(1);
            return Err(overloaded());
        }
        let _waiting = Waiting(&self.waiting);
        match timeout(WAIT, Arc::clone(&self.turns).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Turn(permit)),
            _ => Err(overloaded()),
        }
    }

    /// Whether the password is the one behind `hash`; without a hash it never is. A wrong one takes the same work in
    /// either case, also where the hash is from before the cost was raised.
    ///
    /// # Errors
    /// If the work cannot be done.
    pub async fn verify(&self, turn: &Turn, password: String, hash: Option<String>) -> Result<bool, Problem> {
        let _ = &turn.0;
        let is_known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.clone());
        metrics::counter!("kinora_password_verifications_total").increment(1);
        let cost = self.cost;
        let verified = work(move || compare(&hash, cost, |hash| passwords::verify(&password, hash))).await?;
        Ok(verified && is_known)
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// If the work cannot be done.
    pub async fn hash(&self, turn: &Turn, password: String) -> Result<String, Problem> {
        let _ = &turn.0;
        let cost = self.cost;
        work(move || passwords::hash(&password, cost)).await
    }

    /// Whether the hash is to be made anew when its owner signs in.
    #[must_use]
    pub fn is_outdated(&self, hash: &str) -> bool {
        passwords::is_outdated(hash, self.cost)
    }
}

/// Compares with `hash`; after a wrong password also with hashes of nobody, until it was as much work as at `cost`. A right
/// one is hashed anew instead.
fn compare(
    hash: &str,
    cost: u32,
    mut verify: impl FnMut(&str) -> Result<bool, PasswordError>,
) -> Result<bool, PasswordError> {
    if verify(hash)? {
        return Ok(true);
    }
    for missing in passwords::costs_that_make_up(hash, cost) {
        verify(&passwords::of_nobody(missing)?)?;
    }
    Ok(false)
}

async fn work<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
) -> Result<T, Problem> {
    web::block(act).await.map_err(Problem::unavailable)?.map_err(Problem::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a comparison finds, and its work: bcrypt's rounds.
    fn rounds(hash: &str, cost: u32, is_right: bool) -> (bool, u64) {
        let mut rounds = 0;
        let found = compare(hash, cost, |compared| {
            rounds += 1_u64 << compared.split('$').nth(2).unwrap().parse::<u32>().unwrap();
            Ok(is_right && compared == hash)
        });
        (found.unwrap(), rounds)
    }

    #[test]
    fn a_wrong_password_takes_the_same_work_whatever_the_cost_of_its_hash() {
        const COST: u32 = 14;
        let nobody = passwords::of_nobody(COST).unwrap();
        assert_eq!(rounds(&nobody, COST, false), (false, 1 << COST));
        for made in 10..=COST {
            let known = passwords::of_nobody(made).unwrap();
            assert_eq!(rounds(&known, COST, false), (false, 1 << COST), "made with {made}");
            assert_eq!(rounds(&known, COST, true), (true, 1 << made), "made with {made}");
        }
    }

    #[actix_web::test]
    async fn passwords_of_before_the_cost_was_raised_are_still_known() {
        let desk = PasswordDesk {
            cost: 6,
            turns: Arc::new(Semaphore::new(1)),
            waiting: AtomicUsize::new(0),
            queue: 1,
            nobody: passwords::of_nobody(6).unwrap(),
        };
        let old = passwords::hash("right", 4).unwrap();
        let turn = desk.turn().await.unwrap();
        assert!(desk.verify(&turn, "right".to_owned(), Some(old.clone())).await.unwrap());
        assert!(!desk.verify(&turn, "wrong".to_owned(), Some(old)).await.unwrap());
        assert!(!desk.verify(&turn, "right".to_owned(), None).await.unwrap());
    }
}
