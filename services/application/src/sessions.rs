//! Who a cookie or token belongs to, kept for less than a second.
//!
//! Only what allows is kept, never what refuses: before a request is refused because of what is kept
//! here, the principal is read again. So what somebody was just given works at once on every
//! instance, and what was taken from them ends within [`KEPT`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use diesel::pg::PgConnection;
use kinora_core::PersonId;
use kinora_store::principals::{self, Principal, Proof};

use crate::database::Database;
use crate::error::Problem;
use crate::secrets::Digest;

/// How long a principal is believed after it was read.
pub const KEPT: Duration = Duration::from_millis(900);
/// How many locks the table is spread over.
const SHARDS: usize = 16;
/// Entries of a shard beyond which old ones are dropped at once.
const SHARD_LIMIT: usize = 4096;

/// What a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Credential {
    /// The cookie of a session, by the digest of its token.
    Session(Digest),
    /// An API access token, by its digest.
    Token(Digest),
}

impl Credential {
    fn shard(self) -> usize {
        let (Self::Session(digest) | Self::Token(digest)) = self;
        usize::from(digest.first().copied().unwrap_or_default()) % SHARDS
    }
}

#[derive(Clone)]
struct Kept {
    principal: Arc<Principal>,
    read_at: Instant,
}

type Shard = Mutex<HashMap<Credential, Kept>>;

/// Reads principals and keeps them for a moment.
pub struct Sessions {
    database: Database,
    idle_limit: TimeDelta,
    shards: Vec<Shard>,
}

impl Sessions {
    /// Sessions end after `idle_limit` without a request.
    #[must_use]
    pub fn new(database: Database, idle_limit: Duration) -> Self {
        let idle_limit = TimeDelta::from_std(idle_limit).unwrap_or(TimeDelta::MAX);
        let shards = std::iter::repeat_with(Shard::default).take(SHARDS).collect();
        Self { database, idle_limit, shards }
    }

    fn with_shard<T>(
        &self,
        credential: Credential,
        act: impl FnOnce(&mut HashMap<Credential, Kept>) -> T,
    ) -> Option<T> {
        let shard = self.shards.get(credential.shard())?;
        // The table is whole even if a thread panicked: each act is a single insert or remove.
        Some(act(&mut shard.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// The principal that is kept for the credential, if there is one.
    #[must_use]
    pub fn kept(&self, credential: Credential) -> Option<Arc<Principal>> {
        let kept = self.with_shard(credential, |shard| shard.get(&credential).cloned()).flatten()?;
        (kept.read_at.elapsed() < KEPT && kept.principal.expires_at > Utc::now()).then_some(kept.principal)
    }

    /// Reads the principal anew.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn read(&self, credential: Credential) -> Result<Option<Arc<Principal>>, Problem> {
        // Before the query: what the query has seen is at most this old.
        let read_at = Instant::now();
        let idle_limit = self.idle_limit;
        let found = self
            .database
            .read(move |connection| match credential {
                Credential::Session(digest) => principals::by_session(connection, &digest, idle_limit),
                Credential::Token(digest) => principals::by_token(connection, &digest),
            })
            .await?
            .map(Arc::new);
        self.with_shard(credential, |shard| match &found {
            Some(principal) => {
                if shard.len() >= SHARD_LIMIT {
                    shard.retain(|_, kept| kept.read_at.elapsed() < KEPT);
                }
                if shard.len() < SHARD_LIMIT {
                    shard.insert(credential, Kept { principal: Arc::clone(principal), read_at });
                }
            }
            None => {
                shard.remove(&credential);
            }
        });
        Ok(found)
    }

    /// Reads whoever began something that goes on for long: a session's cookie may be another one by now.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn read_under_way(
        &self,
        proof: Proof,
        begun_with: Credential,
    ) -> Result<Option<Arc<Principal>>, Problem> {
        let Proof::Session(id) = proof else { return self.read(begun_with).await };
        let idle_limit = self.idle_limit;
        let read = move |connection: &mut PgConnection| principals::of_session(connection, id, idle_limit);
        Ok(self.database.read(read).await?.map(Arc::new))
    }

    /// Forgets a person at once on this instance; the others follow within [`KEPT`].
    pub fn forget(&self, person: PersonId) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.retain(|_, kept| kept.principal.person_id != person);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_away_ends_within_a_second() {
        // That is promised; an answer that is under way takes its time as well.
        const { assert!(KEPT.as_millis() < 1000) };
    }
}
