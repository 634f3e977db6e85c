//! Wrong passwords in a row, counted before a password is looked at.
//!
//! A try takes its place in the count first, in one statement that PostgreSQL serialises, and a right
//! password clears the count afterwards. So however many instances are asked at the same time, no more
//! than [`TRIES`] wrong passwords are looked at before the login is locked. Logins that do not exist
//! are counted in the same way, by a digest.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Binary, Integer, Nullable, Timestamptz};
use kinora_core::PersonId;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization as _;
use uuid::Uuid;

use crate::Result;
use crate::audit::{self, Act, Origin};
use crate::schema::{people, sign_in_failures};

/// Wrong passwords in a row after which a login is locked.
pub const TRIES: i32 = 10;
/// For how long.
pub const LOCK: TimeDelta = TimeDelta::minutes(5);
/// Counts that nobody added to for so long are forgotten.
const FORGOTTEN: TimeDelta = TimeDelta::days(30);

/// What makes two logins the same: compatibility forms and capitals do not differ.
#[must_use]
pub fn login_key(login: &str) -> String {
    login.trim().nfkc().flat_map(char::to_lowercase).collect()
}

/// What wrong passwords for a login are counted under.
#[must_use]
pub fn login_digest(login_key: &str) -> [u8; 32] {
    Sha256::digest(login_key.as_bytes()).into()
}

/// Whether a password may be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It may; this is the number of the try since the last right one.
    Allowed(i32),
    /// It may not, for so long.
    Locked(TimeDelta),
}

/// Takes a place in the count for one try, and finds the account that it is for.
///
/// The try that fills the count locks the login, and that is recorded in the same transaction: a lock is on record
/// whatever becomes of the process that took the try. If the try was right after all, the lock ends with the count.
///
/// # Errors
/// If the database fails; then nothing was counted.
pub fn take_attempt(
    connection: &mut PgConnection,
    origin: &Origin,
    login_key: &str,
    now: DateTime<Utc>,
) -> Result<(Attempt, Option<Account>)> {
    connection.transaction(|connection| {
        let attempt = count(connection, &login_digest(login_key), now)?;
        let account = find_account(connection, login_key)?;
        if attempt == Attempt::Allowed(TRIES) {
            record_lock_out(connection, origin, account.as_ref())?;
        }
        Ok((attempt, account))
    })
}

fn count(connection: &mut PgConnection, login_digest: &[u8], now: DateTime<Utc>) -> Result<Attempt> {
    #[derive(QueryableByName)]
    struct Taken {
        #[diesel(sql_type = Integer)]
        failures: i32,
    }
    // The try that fills the count locks: those that come after it are not looked at, and if it is
    // right itself the count is cleared.
    let taken: Option<Taken> = diesel::sql_query(
        "INSERT INTO sign_in_failures AS f (login_digest, failures, updated_at) VALUES ($1, 1, $2) \
         ON CONFLICT (login_digest) DO UPDATE SET \
             failures = CASE WHEN f.locked_until IS NULL THEN f.failures + 1 ELSE 1 END, \
             locked_until = CASE WHEN f.locked_until IS NULL AND f.failures + 1 >= $3 THEN $4 END, \
             updated_at = $2 \
         WHERE f.locked_until IS NULL OR f.locked_until <= $2 \
         RETURNING failures",
    )
    .bind::<Binary, _>(login_digest)
    .bind::<Timestamptz, _>(now)
    .bind::<Integer, _>(TRIES)
    .bind::<Nullable<Timestamptz>, _>(Some(now + LOCK))
    .get_result(connection)
    .optional()?;
    if let Some(taken) = taken {
        return Ok(Attempt::Allowed(taken.failures));
    }
    let until: Option<Option<DateTime<Utc>>> = sign_in_failures::table
        .find(login_digest)
        .select(sign_in_failures::locked_until)
        .first(connection)
        .optional()?;
    Ok(Attempt::Locked(until.flatten().map_or(LOCK, |until| until - now)))
}

/// Gives the place in the count back: the password was not looked at after all.
///
/// # Errors
/// If the database fails.
pub fn give_attempt_back(connection: &mut PgConnection, login_digest: &[u8]) -> Result<()> {
    diesel::sql_query(
        "UPDATE sign_in_failures SET failures = greatest(failures - 1, 0), locked_until = NULL WHERE login_digest = $1",
    )
    .bind::<Binary, _>(login_digest)
    .execute(connection)?;
    Ok(())
}

/// Records that the count is full, so that the login is locked now.
///
/// Logins nobody has take the same statements as others, and are not written down: people type
/// passwords into the wrong field.
fn record_lock_out(connection: &mut PgConnection, origin: &Origin, account: Option<&Account>) -> Result<()> {
    let (person, act) = match account {
        Some(account) => (account.id, Act::new("account.locked", audit::PERSON, account.id, &account.login)),
        None => (Uuid::nil(), Act::new("account.locked", "login", Uuid::nil(), "unknown")),
    };
    let act = act.after(json!({ "minutes": LOCK.num_minutes() }));
    audit::record_personal(connection, origin, PersonId(person), act)
}

/// Clears the count after a right password.
///
/// # Errors
/// If the database fails.
pub fn clear(connection: &mut PgConnection, login_digest: &[u8]) -> Result<()> {
    diesel::delete(sign_in_failures::table.find(login_digest)).execute(connection)?;
    Ok(())
}

/// Whom a login belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Account {
    /// The person.
    pub id: Uuid,
    /// The login as it was typed when it was made.
    pub login: String,
    /// bcrypt hash; none until a first password is set.
    pub password_hash: Option<String>,
    /// Set if the person may not sign in.
    pub disabled_at: Option<DateTime<Utc>>,
}

/// The account of that login.
fn find_account(connection: &mut PgConnection, login_key: &str) -> Result<Option<Account>> {
    Ok(people::table
        .filter(people::login_key.eq(login_key))
        .select((people::id, people::login, people::password_hash, people::disabled_at))
        .first(connection)
        .optional()?)
}

/// Forgets counts that nobody added to for a month.
///
/// # Errors
/// If the database fails.
pub fn remove_forgotten(connection: &mut PgConnection) -> Result<usize> {
    let old = sign_in_failures::table.filter(sign_in_failures::updated_at.lt(Utc::now() - FORGOTTEN));
    Ok(diesel::delete(old).execute(connection)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_that_look_the_same_are_the_same() {
        assert_eq!(login_key(" Ada@Studio.EXAMPLE "), "ada@studio.example");
        assert_eq!(login_key("ＡＤＡ"), "ada");
        assert_eq!(login_key("e\u{301}va"), login_key("\u{e9}va"));
        assert_ne!(login_digest("ada"), login_digest("bob"));
    }
}
