//! One-time links with which a person sets a password. Only a hash of each token is stored.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use kinora_core::PersonId;
use kinora_core::mail::SecurityNotice;
use uuid::Uuid;

use crate::audit::{self, Act, Origin};
use crate::notices::{self, Scene};
use crate::schema::{password_links, people};
use crate::second_factors::pending;
use crate::{Result, StoreError, people as accounts, sessions, sign_in, support, tokens};

/// Whose link it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordLink {
    /// The link.
    pub id: Uuid,
    /// The person.
    pub person_id: PersonId,
    /// The person's login.
    pub login: String,
    /// How the person is called.
    pub display_name: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// Makes a link and ends all earlier ones of the person, and their support access: whoever has the link can be somebody
/// else. Leaves the audit row to the caller.
///
/// # Errors
/// If the database fails.
pub(crate) fn create(
    connection: &mut PgConnection,
    person: PersonId,
    created_by: Option<PersonId>,
    token_digest: &[u8],
    validity: TimeDelta,
) -> Result<DateTime<Utc>> {
    let now = Utc::now();
    let earlier = password_links::table.filter(password_links::person_id.eq(person.0));
    diesel::delete(earlier.filter(password_links::used_at.is_null())).execute(connection)?;
    support::end_of(connection, person)?;
    let expires_at = now + validity;
    diesel::insert_into(password_links::table)
        .values((
            password_links::id.eq(Uuid::now_v7()),
            password_links::person_id.eq(person.0),
            password_links::token_digest.eq(token_digest),
            password_links::created_at.eq(now),
            password_links::created_by.eq(created_by.map(|id| id.0)),
            password_links::expires_at.eq(expires_at),
        ))
        .execute(connection)?;
    Ok(expires_at)
}

/// The link of that token, if it can still be used.
///
/// # Errors
/// [`StoreError::NotFound`] if it cannot.
pub fn find(connection: &mut PgConnection, token_digest: &[u8]) -> Result<PasswordLink> {
    let (id, person_id, login, display_name, expires_at): (Uuid, Uuid, String, String, DateTime<Utc>) =
        password_links::table
            .inner_join(people::table.on(people::id.eq(password_links::person_id)))
            .filter(password_links::token_digest.eq(token_digest))
            .filter(password_links::used_at.is_null())
            .filter(password_links::expires_at.gt(Utc::now()))
            .filter(people::disabled_at.is_null())
            .select((
                password_links::id,
                people::id,
                people::login,
                people::display_name,
                password_links::expires_at,
            ))
            .first(connection)?;
    Ok(PasswordLink { id, person_id: PersonId(person_id), login, display_name, expires_at })
}

/// Uses a link: sets the password, ends all sessions and tokens of the person and any lock-out.
///
/// # Errors
/// [`StoreError::NotFound`] if it cannot be used (any more).
pub fn consume(
    connection: &mut PgConnection,
    scene: &Scene,
    token_digest: &[u8],
    password_hash: &str,
) -> Result<()> {
    let link = find(connection, token_digest)?;
    // Two requests with the same link: one finds it used.
    let used = diesel::update(password_links::table.find(link.id).filter(password_links::used_at.is_null()))
        .set(password_links::used_at.eq(Utc::now()))
        .execute(connection)?;
    if used == 0 {
        return Err(StoreError::NotFound);
    }
    let had_password: bool = people::table
        .find(link.person_id.0)
        .select(people::password_hash.is_not_null())
        .for_update()
        .first(connection)?;
    accounts::store_password(connection, link.person_id, password_hash, false)?;
    sessions::revoke_all(connection, link.person_id, None)?;
    tokens::revoke_all(connection, link.person_id)?;
    pending::remove_all(connection, link.person_id)?;
    sign_in::clear(connection, &sign_in::login_digest(&sign_in::login_key(&link.login)))?;
    if had_password {
        notices::tell(connection, scene, link.person_id, SecurityNotice::PasswordChanged)?;
    }
    let origin = Origin { actor_id: Some(link.person_id), actor: link.login.clone(), ..scene.origin.clone() };
    let act = Act::new("password.set", audit::PERSON, link.person_id, &link.login);
    audit::record_personal(connection, &origin, link.person_id, act)
}
