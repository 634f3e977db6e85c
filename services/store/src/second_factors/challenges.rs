//! What passkeys are asked to sign: random, for one purpose, for the browser that asked, once.

use chrono::{TimeDelta, Utc};
use diesel::prelude::*;

use crate::Result;
use crate::schema::passkey_challenges;

/// How long one holds.
pub const VALIDITY: TimeDelta = TimeDelta::minutes(5);
/// Most for one cookie at a time; the oldest end.
const MOST: i64 = 5;

/// What the signature is to be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Adding the passkey.
    Enrol,
    /// Finishing a sign-in that began with the password.
    SecondFactor,
    /// Signing in without a password.
    SignIn,
    /// Confirming a session.
    Confirm,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Enrol => "enrol",
            Self::SecondFactor => "second_factor",
            Self::SignIn => "sign_in",
            Self::Confirm => "confirm",
        }
    }
}

/// Keeps a challenge for the cookie with the digest `bound_to`.
///
/// # Errors
/// If the database fails.
pub fn store(
    connection: &mut PgConnection,
    purpose: Purpose,
    bound_to: &[u8; 32],
    challenge: &[u8; 32],
) -> Result<()> {
    let old: Vec<Vec<u8>> = passkey_challenges::table
        .filter(passkey_challenges::bound_to.eq(bound_to.as_slice()))
        .order(passkey_challenges::expires_at.desc())
        .offset(MOST - 1)
        .select(passkey_challenges::challenge)
        .load(connection)?;
    diesel::delete(passkey_challenges::table.filter(passkey_challenges::challenge.eq_any(old)))
        .execute(connection)?;
    diesel::insert_into(passkey_challenges::table)
        .values((
            passkey_challenges::challenge.eq(challenge.as_slice()),
            passkey_challenges::bound_to.eq(bound_to.as_slice()),
            passkey_challenges::purpose.eq(purpose.name()),
            passkey_challenges::expires_at.eq(Utc::now() + VALIDITY),
        ))
        .execute(connection)?;
    Ok(())
}

/// Takes a challenge out: whether it was there, for this purpose and this cookie. It is gone afterwards,
/// whatever the signature is worth.
///
/// # Errors
/// If the database fails.
pub fn take(
    connection: &mut PgConnection,
    purpose: Purpose,
    bound_to: &[u8; 32],
    challenge: &[u8],
) -> Result<bool> {
    let held = passkey_challenges::table
        .find(challenge)
        .filter(passkey_challenges::purpose.eq(purpose.name()))
        .filter(passkey_challenges::bound_to.eq(bound_to.as_slice()))
        .filter(passkey_challenges::expires_at.gt(Utc::now()));
    Ok(diesel::delete(held).execute(connection)? > 0)
}

pub(super) fn remove_expired(connection: &mut PgConnection) -> Result<usize> {
    let old = passkey_challenges::table.filter(passkey_challenges::expires_at.lt(Utc::now()));
    Ok(diesel::delete(old).execute(connection)?)
}
