//! Token buckets in memory, by person or address. Each instance counts for itself; what must hold
//! across instances (wrong passwords) is counted in PostgreSQL.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::settings::RateLimitSettings;

const SHARDS: usize = 16;
/// Buckets of a shard beyond which full ones are dropped.
const SHARD_LIMIT: usize = 8192;

/// Who is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counted {
    /// A person, in whichever session.
    Person(Uuid),
    /// An access token: a program that runs wild does not lock its owner out.
    Token(Uuid),
    /// An address that is not signed in.
    Address(IpAddr),
    /// Sign-ins from an address.
    SignIn(IpAddr),
}

#[derive(Clone, Copy, Debug)]
struct Rate {
    per_second: f64,
    burst: f64,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    filled_at: Instant,
}

/// The buckets of this process.
pub struct RateLimiter {
    person: Rate,
    address: Rate,
    sign_in: Rate,
    shards: Vec<Mutex<HashMap<Counted, Bucket>>>,
}

impl RateLimiter {
    /// Counts with these settings.
    #[must_use]
    pub fn new(settings: &RateLimitSettings) -> Self {
        let rate = |per_second, burst| Rate { per_second, burst: f64::from(burst) };
        Self {
            person: rate(settings.person_per_second, settings.person_burst),
            address: rate(settings.address_per_second, settings.address_burst),
            sign_in: rate(settings.sign_in_per_minute / 60.0, settings.sign_in_burst),
            shards: std::iter::repeat_with(Mutex::default).take(SHARDS).collect(),
        }
    }

    /// Takes one token.
    ///
    /// # Errors
    /// How long to wait, if there is none.
    pub fn take(&self, who: Counted) -> Result<(), Duration> {
        self.take_at(who, Instant::now())
    }

    fn take_at(&self, who: Counted, now: Instant) -> Result<(), Duration> {
        let rate = match who {
            Counted::Person(_) | Counted::Token(_) => self.person,
            Counted::Address(_) => self.address,
            Counted::SignIn(_) => self.sign_in,
        };
        let mut hasher = DefaultHasher::new();
        who.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % SHARDS as u64).unwrap_or_default();
        let Some(shard) = self.shards.get(index) else { return Ok(()) };
        let mut buckets = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= SHARD_LIMIT {
            buckets.retain(|who, bucket| !self.is_full(*who, *bucket, now));
        }
        let bucket = buckets.entry(who).or_insert(Bucket { tokens: rate.burst, filled_at: now });
        bucket.tokens = filled(*bucket, rate, now);
        bucket.filled_at = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            Ok(())
        } else {
            Err(Duration::from_secs_f64((1.0 - bucket.tokens) / rate.per_second))
        }
    }

    fn is_full(&self, who: Counted, bucket: Bucket, now: Instant) -> bool {
        let rate = match who {
            Counted::Person(_) | Counted::Token(_) => self.person,
            Counted::Address(_) => self.address,
            Counted::SignIn(_) => self.sign_in,
        };
        filled(bucket, rate, now) >= rate.burst
    }
}

fn filled(bucket: Bucket, rate: Rate, now: Instant) -> f64 {
    let elapsed = now.saturating_duration_since(bucket.filled_at).as_secs_f64();
    elapsed.mul_add(rate.per_second, bucket.tokens).min(rate.burst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate_and_nobody_pays_for_others() {
        let limiter = RateLimiter::new(&RateLimitSettings {
            person_per_second: 2.0,
            person_burst: 3,
            address_per_second: 1.0,
            address_burst: 1,
            sign_in_per_minute: 6.0,
            sign_in_burst: 1,
        });
        let start = Instant::now();
        let (ada, bob) = (Counted::Person(Uuid::from_u128(1)), Counted::Person(Uuid::from_u128(2)));
        for _ in 0..3 {
            assert_eq!(limiter.take_at(ada, start), Ok(()));
        }
        assert_eq!(limiter.take_at(ada, start), Err(Duration::from_millis(500)));
        assert_eq!(limiter.take_at(bob, start), Ok(()));
        assert_eq!(limiter.take_at(ada, start + Duration::from_millis(500)), Ok(()));
        assert!(limiter.take_at(ada, start + Duration::from_millis(500)).is_err());
        let sign_in = Counted::SignIn("192.0.2.1".parse().unwrap());
        assert_eq!(limiter.take_at(sign_in, start), Ok(()));
        assert_eq!(limiter.take_at(sign_in, start), Err(Duration::from_secs(10)));
    }
}
