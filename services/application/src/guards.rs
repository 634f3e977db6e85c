//! Downloads and uploads that go on for long, and end with the permission they began with.
//!
//! What an extractor granted is true for a second; a download may take an hour. So whoever sends or
//! receives for long registers here, and one task of the process asks the database twice a second, in
//! one query for all of them, who may still do what they do. The cost does not grow with the bytes, and
//! where nothing is under way nothing is asked. (Streams of events are looked after by their hub, which
//! asks the same question.)
//!
//! Bytes that have left the process cannot be called back: what lies in the buffers of the kernel and
//! of load balancers still arrives.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::stream::{self, Stream, StreamExt as _};
use kinora_core::ProductionId;
use kinora_core::permission::{Decision, Module, ModuleRole, ProductionRoles};
use kinora_runtime::Shutdown;
use kinora_store::events::{self, Follower};
use kinora_store::principals::{Principal, Proof};
use tokio::sync::oneshot;

use crate::database::Database;
use crate::error::Problem;

/// How often everybody's permission is looked at.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);
/// How long transfers go on while the database cannot be asked: longer than it takes to change its
/// primary, during which nobody's permission can be changed either.
const GRACE: Duration = Duration::from_secs(45);

struct Entry {
    follower: Follower,
    module: Module,
    least: ModuleRole,
    end: oneshot::Sender<()>,
}

impl Entry {
    fn may_go_on(&self, roles: Option<&ProductionRoles>) -> bool {
        roles.is_some_and(|roles| roles.decide(self.module, self.least) == Decision::Allowed)
    }
}

#[derive(Default)]
struct State {
    entries: HashMap<u64, Entry>,
    last_number: u64,
}

/// See the module.
pub struct Guards {
    database: Database,
    state: Mutex<State>,
}

/// Watches over one transfer until it is dropped.
pub struct Guard {
    guards: Arc<Guards>,
    number: u64,
    end: oneshot::Receiver<()>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.guards.state().entries.remove(&self.number);
    }
}

/// Who follows a production in the name of this principal, whatever token their session is known by.
#[must_use]
pub fn follower(principal: &Principal, production: ProductionId) -> Follower {
    let credential = match principal.proof {
        Proof::Session(id) => id.0,
        Proof::Token(id) => id.0,
    };
    Follower { production, person: principal.person_id, credential, token_digest: None }
}

impl Guards {
    /// Guards without anything to watch over. They do nothing until [`Guards::run`] is.
    #[must_use]
    pub fn new(database: Database) -> Arc<Self> {
        Arc::new(Self { database, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole even if a thread panicked: each change is made in one go.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches over a transfer that needs at least `least` in `module`, which was just granted.
    #[must_use]
    pub fn watch(
        self: &Arc<Self>,
        principal: &Principal,
        production: ProductionId,
        module: Module,
        least: ModuleRole,
    ) -> Guard {
        let (end, ended) = oneshot::channel();
        let follower = follower(principal, production);
        let mut state = self.state();
        state.last_number += 1;
        let number = state.last_number;
        state.entries.insert(number, Entry { follower, module, least, end });
        drop(state);
        Guard { guards: Arc::clone(self), number, end: ended }
    }

    /// Looks at everybody's permission until `shutdown`.
    pub async fn run(self: Arc<Self>, shutdown: Shutdown) {
        let mut check = tokio::time::interval(CHECK_INTERVAL);
        check.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut known_at = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = shutdown.requested() => return,
                _ = check.tick() => {}
            }
            match self.check().await {
                Ok(()) => known_at = Instant::now(),
                Err(problem) => {
                    log::warn!(
                        "permissions of transfers could not be looked at: {}",
                        problem.cause().unwrap_or_default()
                    );
                    if known_at.elapsed() >= GRACE {
                        self.end(|_| true);
                        known_at = Instant::now();
                    }
                }
            }
        }
    }

    async fn check(&self) -> Result<(), Problem> {
        let followers: HashSet<Follower> =
            self.state().entries.values().map(|entry| entry.follower).collect();
        if followers.is_empty() {
            return Ok(());
        }
        let followers: Vec<Follower> = followers.into_iter().collect();
        let asked = followers.clone();
        let roles = self.database.read(move |conn| events::find_roles_of_followers(conn, &asked)).await?;
        let roles: HashMap<Follower, Option<ProductionRoles>> = followers.into_iter().zip(roles).collect();
        // Who is not in the answer has come since the question.
        self.end(|entry| roles.get(&entry.follower).is_some_and(|roles| !entry.may_go_on(roles.as_ref())));
        Ok(())
    }

    fn end(&self, is_over: impl Fn(&Entry) -> bool) {
        let mut state = self.state();
        let numbers: Vec<u64> =
            state.entries.iter().filter(|(_, entry)| is_over(entry)).map(|(number, _)| *number).collect();
        for number in numbers {
            if let Some(entry) = state.entries.remove(&number) {
                metrics::counter!("kinora_transfers_cut_total").increment(1);
                log::info!(
                    person_id:% = entry.follower.person, production_id:% = entry.follower.production;
                    "a transfer ends with the permission for it"
                );
                // Nobody listens any more if the transfer has just ended by itself.
                let _ = entry.end.send(());
            }
        }
    }
}

impl Guard {
    /// The items of `inner`, or those until the permission ends and then what `farewell` gives.
    pub fn over<T, S: Stream<Item = T> + Unpin>(
        self,
        inner: S,
        farewell: impl FnOnce() -> T,
    ) -> impl Stream<Item = T> {
        stream::unfold(Some((self, inner, farewell)), |state| async move {
            let (mut guard, mut inner, farewell) = state?;
            tokio::select! {
                biased;
                ended = &mut guard.end => {
                    // The other end is dropped only after it has spoken.
                    let _ = ended;
                    Some((farewell(), None))
                }
                item = inner.next() => item.map(|item| (item, Some((guard, inner, farewell)))),
            }
        })
    }
}
