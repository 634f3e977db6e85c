//! Fans out what happens in productions to the pages that are open on them.
//!
//! One database connection of the process hears that there are new events; one task reads them,
//! once for all followers of a production, and hands each follower what that person may see. The
//! roles of the followers are read in the same moment as the events, and twice a second besides, so
//! that whoever has lost a role, a session or a token gets nothing more.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use kinora_core::permission::{Module, ProductionRoles};
use kinora_core::{PersonId, ProductionId};
use kinora_store::events::{self, Event, Follower};
use kinora_store::notify::Notice;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::database::Database;
use crate::error::Problem;
use crate::library::frame;

/// Frames kept for a follower who reads slowly; who falls further behind is cut off, and comes back
/// with the number of the last event that arrived.
const QUEUE_FRAMES: usize = 256;
/// Events read at once.
const EVENTS_AT_ONCE: i64 = 200;
/// How often everybody's permission is looked at, whatever happens.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);
/// How long followers are kept while the database cannot be asked for their permission.
const CHECK_GRACE: u32 = 8;
/// Streams one person may have open at the same time on this instance.
const STREAMS_PER_PERSON: usize = 32;

/// A frame on its way to a follower.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The event's number; none for what is not an event.
    pub sequence: Option<i64>,
    /// The text, as it goes into the stream.
    pub text: Bytes,
}

struct Subscriber {
    number: u64,
    follower: Follower,
    roles: ProductionRoles,
    frames: mpsc::Sender<Frame>,
    end: oneshot::Sender<Option<Bytes>>,
}

impl Subscriber {
    /// Ends the stream at once, with a last frame if there is something to say.
    fn dismiss(self, farewell: Option<Bytes>) {
        // Nobody listens any more if the stream has just ended by itself.
        let _ = self.end.send(farewell);
    }
}

struct Followed {
    /// Number of the last event that was handed out.
    sequence: i64,
    subscribers: Vec<Subscriber>,
}

#[derive(Default)]
struct State {
    followed: HashMap<ProductionId, Followed>,
    /// Productions with perhaps new events.
    touched: HashSet<ProductionId>,
    last_number: u64,
    closed: bool,
}

/// See the module.
pub struct Hub {
    database: Database,
    state: Mutex<State>,
    wake: Notify,
}

/// What a stream holds: its frames, and its end. Leaves the hub when it is dropped.
pub struct Subscription {
    hub: Arc<Hub>,
    follower: Follower,
    number: u64,
    /// What happens.
    pub frames: mpsc::Receiver<Frame>,
    /// Resolves when the stream must end; the last frame, if there is one.
    pub end: oneshot::Receiver<Option<Bytes>>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.leave(self.follower.production, self.number);
    }
}

impl Hub {
    /// A hub without followers. It does nothing until [`Hub::run`] is.
    #[must_use]
    pub fn new(database: Database) -> Arc<Self> {
        Arc::new(Self { database, state: Mutex::default(), wake: Notify::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole even if a thread panicked: each change is made in one go.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to collect frames for a follower whose permission was just checked. `newest` is the
    /// number of the production's newest event, read before: later ones will be among the frames.
    ///
    /// # Errors
    /// If the person has too many streams open, or the process is about to end.
    pub fn join(
        self: &Arc<Self>,
        follower: Follower,
        roles: ProductionRoles,
        newest: i64,
    ) -> Result<Subscription, Problem> {
        let (frames, received) = mpsc::channel(QUEUE_FRAMES);
        let (end, ended) = oneshot::channel();
        let number = {
            let mut state = self.state();
            if state.closed {
                return Err(Problem::unavailable("the application is about to end"));
            }
            let of_person = |s: &&Subscriber| s.follower.person == follower.person;
            let open: usize =
                state.followed.values().map(|f| f.subscribers.iter().filter(of_person).count()).sum();
            if open >= STREAMS_PER_PERSON {
                return Err(Problem::from(crate::error::ProblemKind::RateLimited).retry_after(5));
            }
            state.last_number += 1;
            let number = state.last_number;
            let subscriber = Subscriber { number, follower, roles, frames, end };
            state
                .followed
                .entry(follower.production)
                .or_insert_with(|| Followed { sequence: newest, subscribers: Vec::new() })
                .subscribers
                .push(subscriber);
            // Events between the reading of `newest` and now were announced to nobody.
            state.touched.insert(follower.production);
            number
        };
        self.wake.notify_one();
        Ok(Subscription { hub: Arc::clone(self), follower, number, frames: received, end: ended })
    }

    fn leave(&self, production: ProductionId, number: u64) {
        let mut state = self.state();
        if let Some(followed) = state.followed.get_mut(&production) {
            followed.subscribers.retain(|subscriber| subscriber.number != number);
            if followed.subscribers.is_empty() {
                state.followed.remove(&production);
                state.touched.remove(&production);
            }
        }
    }

    /// How many streams are open.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.state().followed.values().map(|followed| followed.subscribers.len()).sum()
    }

    /// Takes what the database's listener hears. Does not block.
    pub fn hear(&self, notice: &Notice) {
        let mut state = self.state();
        match notice {
            Notice::Connected => {
                // Something may have been missed.
                let all: Vec<ProductionId> = state.followed.keys().copied().collect();
                state.touched.extend(all);
            }
            Notice::Notification { payload, .. } => {
                let Ok(production) = payload.parse() else { return };
                if !state.followed.contains_key(&production) {
                    return;
                }
                state.touched.insert(production);
            }
            Notice::Lost => return,
        }
        drop(state);
        self.wake.notify_one();
    }

    /// Hands the progress of a step, as JSON text, to those who may see it. It is not an event: who
    /// reads slowly misses some of it.
    pub fn tell_progress(&self, production: ProductionId, json: &str) {
        let state = self.state();
        let Some(followed) = state.followed.get(&production) else { return };
        let frame = Frame { sequence: None, text: frame::live("progress", json) };
        for subscriber in &followed.subscribers {
            let has_room = subscriber.frames.capacity() > QUEUE_FRAMES / 2;
            if has_room && subscriber.roles.role(Module::Library).is_some() {
                // Full or gone: the next event finds out.
                let _ = subscriber.frames.try_send(frame.clone());
            }
        }
    }

    /// Reads and hands out events until `shutdown`, then ends all streams.
    pub async fn run(self: Arc<Self>, shutdown: kinora_runtime::shutdown::Shutdown) {
        let mut check = tokio::time::interval(CHECK_INTERVAL);
        check.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut failures = 0;
        loop {
            let is_check = tokio::select! {
                biased;
                () = shutdown.requested() => break,
                _ = check.tick() => true,
                () = self.wake.notified() => false,
            };
            let outcome = if is_check { self.check().await } else { self.hand_out().await };
            match outcome {
                Ok(()) => failures = 0,
                Err(problem) => {
                    log::warn!("live events: {}", problem.cause().unwrap_or("the database failed"));
                    failures += 1;
                    if failures >= CHECK_GRACE {
                        // Nobody is shown anything for long on a permission that cannot be checked.
                        self.dismiss_all();
                        failures = 0;
                    }
                }
            }
        }
        self.state().closed = true;
        self.dismiss_all();
    }

    fn dismiss_all(&self) {
        let followed = std::mem::take(&mut self.state().followed);
        for subscriber in followed.into_values().flat_map(|followed| followed.subscribers) {
            subscriber.dismiss(None);
        }
    }

    fn followers(&self, only: Option<ProductionId>) -> Vec<Follower> {
        let state = self.state();
        let all = state.followed.iter().filter(|(id, _)| only.is_none_or(|only| only == **id));
        let unique: HashSet<Follower> =
            all.flat_map(|(_, followed)| followed.subscribers.iter().map(|s| s.follower)).collect();
        unique.into_iter().collect()
    }

    /// Looks at everybody's permission, and reads what a failed attempt has left unread.
    async fn check(&self) -> Result<(), Problem> {
        let followers = self.followers(None);
        if followers.is_empty() {
            return Ok(());
        }
        let asked = followers.clone();
        let roles = self.database.read(move |conn| events::find_roles_of_followers(conn, &asked)).await?;
        self.apply_roles(&followers.into_iter().zip(roles).collect(), &[]);
        self.hand_out().await
    }

    /// Keeps the followers' roles, dismisses those who have none. `events` may hold what they are to
    /// hear last.
    fn apply_roles(&self, roles: &HashMap<Follower, Option<ProductionRoles>>, events: &[Event]) {
        let mut state = self.state();
        for followed in state.followed.values_mut() {
            let (kept, gone): (Vec<_>, Vec<_>) = std::mem::take(&mut followed.subscribers)
                .into_iter()
                // Who is not in the answer has come since the question.
                .partition(|subscriber| roles.get(&subscriber.follower).is_none_or(Option::is_some));
            followed.subscribers = kept;
            for subscriber in &mut followed.subscribers {
                if let Some(Some(roles)) = roles.get(&subscriber.follower) {
                    subscriber.roles = *roles;
                }
            }
            for subscriber in gone {
                let farewell = last_word(events, subscriber.follower.person);
                subscriber.dismiss(farewell);
            }
        }
        state.followed.retain(|_, followed| !followed.subscribers.is_empty());
    }

    /// Reads the new events of all touched productions and hands them out.
    async fn hand_out(&self) -> Result<(), Problem> {
        loop {
            let next = {
                let mut state = self.state();
                let production = state.touched.iter().next().copied();
                production.map(|production| {
                    state.touched.remove(&production);
                    (production, state.followed.get(&production).map(|followed| followed.sequence))
                })
            };
            let Some((production, sequence)) = next else { return Ok(()) };
            let Some(sequence) = sequence else { continue };
            if let Err(problem) = self.hand_out_production(production, sequence).await {
                // To be read with the next check.
                self.state().touched.insert(production);
                return Err(problem);
            }
        }
    }

    async fn hand_out_production(&self, production: ProductionId, sequence: i64) -> Result<(), Problem> {
        let followers = self.followers(Some(production));
        let asked = followers.clone();
        let (found, roles) = self
            .database
            .read(move |conn| {
                let found = events::list_after(conn, production, sequence, EVENTS_AT_ONCE)?;
                // After the events: what somebody may no longer see is not shown for having been read.
                let roles = events::find_roles_of_followers(conn, &asked)?;
                Ok::<_, kinora_store::StoreError>((found, roles))
            })
            .await?;
        self.apply_roles(&followers.into_iter().zip(roles).collect(), &found);
        let Some(newest) = found.last().map(|event| event.sequence) else { return Ok(()) };
        let mut state = self.state();
        if found.len() >= usize::try_from(EVENTS_AT_ONCE).unwrap_or(usize::MAX) {
            state.touched.insert(production);
        }
        let Some(followed) = state.followed.get_mut(&production) else { return Ok(()) };
        followed.sequence = followed.sequence.max(newest);
        for event in &found {
            let frame = Frame { sequence: Some(event.sequence), text: frame::event(event) };
            followed.offer(event, &frame);
        }
        Ok(())
    }
}

impl Followed {
    /// Queues a frame for those who may see the event; who has no room left is cut off.
    fn offer(&mut self, event: &Event, frame: &Frame) {
        let subscribers = std::mem::take(&mut self.subscribers);
        for subscriber in subscribers {
            let may_see = event.is_visible_to(subscriber.follower.person, &subscriber.roles);
            if !may_see || subscriber.frames.try_send(frame.clone()).is_ok() {
                self.subscribers.push(subscriber);
            } else {
                subscriber.dismiss(None);
            }
        }
    }
}

/// The news that this person's roles have changed, if it is among the events.
fn last_word(events: &[Event], person: PersonId) -> Option<Bytes> {
    events.iter().rev().find(|event| event.only_for == Some(person)).map(frame::event)
}
