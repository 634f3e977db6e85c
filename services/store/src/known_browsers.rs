//! Browsers that somebody has signed in with before, by a random cookie: a sign-in from another one is told
//! to the person.

use chrono::{TimeDelta, Utc};
use diesel::prelude::*;
use kinora_core::PersonId;
use kinora_core::mail::SecurityNotice;

use crate::Result;
use crate::notices::{self, Scene};
use crate::schema::known_browsers;

/// How long a browser is known without a sign-in: as long as browsers keep a cookie at most.
pub const KEPT: TimeDelta = TimeDelta::days(400);
/// Most of one person; those that were away longest are forgotten.
const MOST: usize = 100;

/// Notes a sign-in from the browser whose cookie has this digest. The person is told, if it is not the first
/// one they ever sign in with and they have not signed in with it before.
///
/// # Errors
/// If the database fails.
pub fn note(
    connection: &mut PgConnection,
    scene: &Scene,
    person: PersonId,
    token_digest: &[u8; 32],
) -> Result<()> {
    let now = Utc::now();
    let known = known_browsers::table.find((person.0, token_digest.as_slice()));
    let seen = diesel::update(known).set(known_browsers::last_seen_at.eq(now)).execute(connection)?;
    if seen > 0 {
        return Ok(());
    }
    let others: Vec<Vec<u8>> = known_browsers::table
        .filter(known_browsers::person_id.eq(person.0))
        .order(known_browsers::last_seen_at.desc())
        .select(known_browsers::token_digest)
        .load(connection)?;
    let too_many: Vec<_> = others.iter().skip(MOST - 1).collect();
    diesel::delete(
        known_browsers::table
            .filter(known_browsers::person_id.eq(person.0))
            .filter(known_browsers::token_digest.eq_any(too_many)),
    )
    .execute(connection)?;
    diesel::insert_into(known_browsers::table)
        .values((
            known_browsers::person_id.eq(person.0),
            known_browsers::token_digest.eq(token_digest.as_slice()),
            known_browsers::first_seen_at.eq(now),
            known_browsers::last_seen_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(connection)?;
    if others.is_empty() {
        Ok(())
    } else {
        notices::tell(connection, scene, person, SecurityNotice::NewDevice)
    }
}

/// Forgets browsers nobody has signed in with for long.
///
/// # Errors
/// If the database fails.
pub fn remove_forgotten(connection: &mut PgConnection) -> Result<usize> {
    let old = known_browsers::table.filter(known_browsers::last_seen_at.lt(Utc::now() - KEPT));
    Ok(diesel::delete(old).execute(connection)?)
}
