//! How many codes of a person may be looked at: counted before they are, over all sessions and instances.
//!
//! A try takes its place in one statement that PostgreSQL serialises. Every [`TRIES`]th in a row locks,
//! each time twice as long as before, up to [`LONGEST_LOCK`]; only a right code begins the count anew. Whoever has
//! stolen a password can so look at about five codes a day in the long run: a chance of one in two hundred
//! in a year to guess one of the three six-digit codes that are right at a time.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Double, Integer, Text, Timestamptz, Uuid as SqlUuid};
use kinora_core::PersonId;
use serde_json::json;

use crate::Result;
use crate::audit::{self, Act, Origin};
use crate::schema::factor_tries;

/// Wrong codes in a row after which no more are looked at for a while.
pub const TRIES: i32 = 5;
/// How long the first time.
pub const FIRST_LOCK: TimeDelta = TimeDelta::minutes(5);
/// How long at most.
pub const LONGEST_LOCK: TimeDelta = TimeDelta::hours(24);

/// What is counted apart: somebody who guesses codes of the app does not take the recovery codes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Short codes: of the authenticator app, and those sent by mail.
    Totp,
    /// Recovery codes.
    RecoveryCode,
}

impl Kind {
    /// Its stored name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
        }
    }
}

/// Whether a code may be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It may; the number of the try since the last right one.
    Allowed(i32),
    /// It may not, for so long.
    Locked(TimeDelta),
}

/// Takes a place in the count for one try.
///
/// # Errors
/// If the database fails.
pub fn take(
    connection: &mut PgConnection,
    person: PersonId,
    kind: Kind,
    now: DateTime<Utc>,
) -> Result<Attempt> {
    #[derive(QueryableByName)]
    struct Taken {
        #[diesel(sql_type = Integer)]
        failures: i32,
    }
    // Looked at without a lock first: a flood of guesses must not queue for the row.
    if let Some(remaining) = find_lock(connection, person, kind, now)? {
        return Ok(Attempt::Locked(remaining));
    }
    let seconds = |span: TimeDelta| span.as_seconds_f64();
    // The try that fills the count locks: those that come after it are not looked at, and if it is right
    // itself the count is cleared.
    let taken: Option<Taken> = diesel::sql_query(
        "INSERT INTO factor_tries AS f (person_id, kind, failures, updated_at) VALUES ($1, $2, 1, $3) \
         ON CONFLICT (person_id, kind) DO UPDATE SET \
             failures = f.failures + 1, \
             locked_until = CASE WHEN (f.failures + 1) % $4 = 0 THEN $3 + make_interval(secs => \
                 least($5 * power(2, least((f.failures + 1) / $4 - 1, 30)), $6)) END, \
             updated_at = $3 \
         WHERE f.locked_until IS NULL OR f.locked_until <= $3 \
         RETURNING failures",
    )
    .bind::<SqlUuid, _>(person.0)
    .bind::<Text, _>(kind.name())
    .bind::<Timestamptz, _>(now)
    .bind::<Integer, _>(TRIES)
    .bind::<Double, _>(seconds(FIRST_LOCK))
    .bind::<Double, _>(seconds(LONGEST_LOCK))
    .get_result(connection)
    .optional()?;
    match taken {
        Some(taken) => Ok(Attempt::Allowed(taken.failures)),
        None => Ok(Attempt::Locked(find_lock(connection, person, kind, now)?.unwrap_or(FIRST_LOCK))),
    }
}

fn find_lock(
    connection: &mut PgConnection,
    person: PersonId,
    kind: Kind,
    now: DateTime<Utc>,
) -> Result<Option<TimeDelta>> {
    let until: Option<Option<DateTime<Utc>>> = factor_tries::table
        .find((person.0, kind.name()))
        .select(factor_tries::locked_until)
        .first(connection)
        .optional()?;
    Ok(until.flatten().map(|until| until - now).filter(|remaining| *remaining > TimeDelta::zero()))
}

/// Begins the count anew after a right code.
///
/// # Errors
/// If the database fails.
pub fn clear(connection: &mut PgConnection, person: PersonId, kind: Kind) -> Result<()> {
    diesel::delete(factor_tries::table.find((person.0, kind.name()))).execute(connection)?;
    Ok(())
}

/// Records a wrong code that filled the count, so that no more are looked at now.
///
/// # Errors
/// If the database fails.
pub fn record_lock_out(
    connection: &mut PgConnection,
    origin: &Origin,
    person: PersonId,
    kind: Kind,
    tries: i32,
) -> Result<()> {
    let act = Act::new("factor.locked", audit::PERSON, person, &origin.actor)
        .after(json!({ "kind": kind.name(), "wrong_in_a_row": tries }));
    connection.transaction(|connection| audit::record_personal(connection, origin, person, act))
}
