//! How the storage of media is, looked at again and again.
//!
//! Who signs in, reads lists or makes room needs nothing of it, so the application is ready whatever is found here, unless
//! another one can do more: where the storage is away on one host alone, that one leaves the work to the others. A file
//! system that hangs must hang neither whoever asks nor one more thread each time: there is one look at a time, and what it
//! found last is told.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kinora_runtime::Shutdown;
use kinora_store::pool::Connector;
use kinora_store::presence::{self, Presence, STORAGE_WORKS};
use kinora_vault::{Vault, VaultError};
use tokio::sync::{Mutex, watch};
use tokio::time::{sleep, timeout};

use crate::database::Database;

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(2);
/// What has not answered for so long hangs.
const LIMIT: Duration = Duration::from_secs(5);

/// How a place is; the worst is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// It can be written and read.
    Works,
    /// It takes nothing more. What is there can be read and removed.
    Full,
    /// It is away, or refuses.
    Fails,
    /// It does not answer, and keeps whoever asks it.
    Hangs,
}

impl Condition {
    fn of(outcome: &Result<(), VaultError>) -> Self {
        match outcome {
            Ok(()) => Self::Works,
            Err(VaultError::Full(_)) => Self::Full,
            Err(_) => Self::Fails,
        }
    }
}

/// One of the places that media lie in.
#[derive(Debug)]
struct Place {
    name: &'static str,
    /// Nothing until it was looked at.
    found: watch::Sender<Option<Condition>>,
}

impl Place {
    fn new(name: &'static str) -> Self {
        Self { name, found: watch::Sender::new(None) }
    }

    /// Looks once; tells of a hang while it lasts.
    async fn look(&self, limit: Duration, check: impl Future<Output = Result<(), VaultError>>) {
        let mut check = std::pin::pin!(check);
        let outcome = if let Ok(outcome) = timeout(limit, &mut check).await {
            outcome
        } else {
            self.note(Condition::Hangs, &format!("no answer within {} s", limit.as_secs()));
            check.await
        };
        let cause = outcome.as_ref().err().map(ToString::to_string).unwrap_or_default();
        self.note(Condition::of(&outcome), &cause);
    }

    fn note(&self, condition: Condition, cause: &str) {
        let figure = |holds: bool| f64::from(u8::from(holds));
        metrics::gauge!("kinora_storage_full", "place" => self.name)
            .set(figure(condition == Condition::Full));
        metrics::gauge!("kinora_storage_unavailable", "place" => self.name)
            .set(figure(condition >= Condition::Fails));
        let before = self.found.send_replace(Some(condition));
        if before == Some(condition) {
            return;
        }
        match condition {
            Condition::Works if before.is_none() => {}
            Condition::Works => log::info!(place = self.name; "the storage of media works again"),
            _ => log::error!(place = self.name; "the storage of media cannot be used: {cause}"),
        }
    }

    /// What was found last; waits for the first look.
    async fn known(&self) -> Condition {
        let mut found = self.found.subscribe();
        let known = found.wait_for(Option::is_some).await.ok().and_then(|found| *found);
        known.unwrap_or(Condition::Fails)
    }
}

/// How the storage is.
#[derive(Debug)]
pub struct Storage {
    /// Where uploads arrive, and all lies where there is no S3 service.
    directory: Place,
    service: Option<Place>,
    /// Whether it works for another application, and for this one it does not.
    elsewhere: AtomicBool,
}

impl Storage {
    /// That of `vault`, of which nothing is known yet.
    #[must_use]
    pub fn new(vault: &Vault) -> Self {
        let service = vault.has_service().then(|| Place::new("s3"));
        Self { directory: Place::new("directory"), service, elsewhere: AtomicBool::new(false) }
    }

    /// Looks at it until `shutdown`, and compares with the other applications.
    pub fn watch(self: &Arc<Self>, vault: &Arc<Vault>, database: &Database, shutdown: &Shutdown) {
        let (storage, looked_at, end) = (Arc::clone(self), Arc::clone(vault), shutdown.clone());
        tokio::spawn(async move {
            until(&end, || storage.directory.look(LIMIT, looked_at.check_directory())).await;
        });
        let (storage, looked_at, end) = (Arc::clone(self), Arc::clone(vault), shutdown.clone());
        tokio::spawn(async move {
            let Some(service) = &storage.service else { return };
            until(&end, || service.look(LIMIT, looked_at.check_service())).await;
        });
        let (storage, database, end) = (Arc::clone(self), database.clone(), shutdown.clone());
        tokio::spawn(async move {
            let said = Mutex::new(None);
            until(&end, || storage.compare(&database, &said)).await;
        });
    }

    /// Tells the other applications that it works here, or asks whether it does there.
    async fn compare(&self, database: &Database, said: &Mutex<Option<Presence>>) {
        let mut said = said.lock().await;
        if self.condition().await < Condition::Fails {
            let (connector, before) = (database.connector().clone(), said.take());
            *said = tokio::task::spawn_blocking(move || say(&connector, before)).await.unwrap_or_default();
            self.elsewhere.store(false, Ordering::Release);
        } else {
            *said = None;
            let asked = database.read(|connection| presence::is_announced(connection, STORAGE_WORKS)).await;
            self.elsewhere.store(asked.unwrap_or_default(), Ordering::Release);
        }
    }

    /// Whether another application can do what this one cannot.
    #[must_use]
    pub fn is_better_elsewhere(&self) -> bool {
        self.elsewhere.load(Ordering::Acquire)
    }

    /// How it is, by the place that is worst; waits for the first look.
    pub async fn condition(&self) -> Condition {
        let directory = self.directory.known().await;
        match &self.service {
            Some(service) => directory.max(service.known().await),
            None => directory,
        }
    }

    /// Whether whoever needs the directory would wait for ever.
    #[must_use]
    pub fn hangs(&self) -> bool {
        *self.directory.found.borrow() == Some(Condition::Hangs)
    }
}

/// Says that it works, or makes sure that this is still heard. Blocks.
fn say(connector: &Connector, before: Option<Presence>) -> Option<Presence> {
    let said = match before {
        Some(mut before) => before.verify().map(|()| before),
        None => Presence::announce(connector, STORAGE_WORKS),
    };
    said.inspect_err(|error| log::debug!("the others do not hear that the storage works: {error}")).ok()
}

async fn until<F: Future<Output = ()>>(shutdown: &Shutdown, look: impl Fn() -> F) {
    loop {
        tokio::select! {
            () = shutdown.requested() => return,
            () = look() => {}
        }
        tokio::select! {
            () = shutdown.requested() => return,
            () = sleep(INTERVAL) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_hang_is_told_while_it_lasts_and_heals() {
        let place = Arc::new(Place::new("directory"));
        let (answer, answered) = oneshot::channel();
        let hanging = Arc::clone(&place);
        let look = tokio::spawn(async move {
            hanging.look(Duration::from_millis(1), async { answered.await.unwrap() }).await;
        });
        assert_eq!(place.known().await, Condition::Hangs);
        answer.send(Ok(())).unwrap();
        look.await.unwrap();
        assert_eq!(place.known().await, Condition::Works);
    }

    #[tokio::test]
    async fn the_worst_place_counts_and_only_the_directory_keeps_whoever_asks() {
        let storage = Storage {
            directory: Place::new("directory"),
            service: Some(Place::new("s3")),
            elsewhere: AtomicBool::new(false),
        };
        let service = storage.service.as_ref().unwrap();
        storage.directory.look(LIMIT, async { Ok(()) }).await;
        for (outcome, condition) in [
            (Err(VaultError::Unavailable("away".to_owned())), Condition::Fails),
            (Err(VaultError::Full("no room".to_owned())), Condition::Full),
            (Ok(()), Condition::Works),
        ] {
            service.look(LIMIT, async { outcome }).await;
            assert_eq!(storage.condition().await, condition);
        }
        service.note(Condition::Hangs, "for the test");
        assert!(!storage.hangs());
        storage.directory.note(Condition::Hangs, "for the test");
        assert!(storage.hangs());
    }
}
