//! Another e-mail address for one's own account: asked for in a session, confirmed with a link that goes to the new
//! address. Asking tells nobody whether the address has an account; only whoever reads its mail learns that.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use kinora_core::PersonId;
use kinora_core::mail::{Letter, SecurityNotice};
use serde_json::json;
use uuid::Uuid;

use super::correction::set_login;
use crate::audit::{self, Act, Origin, PERSON};
use crate::mail::{self, Message};
use crate::notices::{self, Scene};
use crate::schema::{address_changes, people};
use crate::token_text::{digest, random_token};
use crate::{Result, StoreError};

/// How long the link in the mail works.
pub const VALIDITY: TimeDelta = TimeDelta::hours(24);
/// Shortest time between two such mails.
const PAUSE: TimeDelta = TimeDelta::seconds(60);

/// Asks for another address; an earlier wish is forgotten. Gives when the link ends.
///
/// # Errors
/// [`StoreError::Conflict`] if it is the present one, no mail can be sent to it, or a mail was just sent.
pub fn ask(
    connection: &mut PgConnection,
    origin: &Origin,
    person: PersonId,
    address: &str,
    page: &str,
) -> Result<DateTime<Utc>> {
    let login: String = people::table.find(person.0).select(people::login).for_update().first(connection)?;
    if login == address {
        return Err(StoreError::Conflict("This is your address already.".to_owned()));
    }
    let now = Utc::now();
    let former: Option<DateTime<Utc>> = address_changes::table
        .find(person.0)
        .select(address_changes::created_at)
        .first(connection)
        .optional()?;
    if former.is_some_and(|at| now - at < PAUSE) {
        return Err(StoreError::Conflict("A mail was sent just now. Try again in a minute.".to_owned()));
    }
    diesel::delete(address_changes::table.find(person.0)).execute(connection)?;
    let expires_at = now + VALIDITY;
    diesel::insert_into(address_changes::table)
        .values((
            address_changes::person_id.eq(person.0),
            address_changes::address.eq(address),
            address_changes::created_at.eq(now),
            address_changes::expires_at.eq(expires_at),
        ))
        .execute(connection)?;
    let letter = Letter::AddressConfirmation { page: page.to_owned(), expires_at };
    let message = Message {
        recipient: address,
        person: Some(person),
        organisation: None,
        invitation: None,
        letter: &letter,
        expires_at: Some(expires_at),
    };
    mail::enqueue(connection, &message)?;
    let act = Act::new("address.change_asked", PERSON, person, &origin.actor);
    audit::record_personal(connection, origin, person, act.after(json!({ "address": address })))?;
    Ok(expires_at)
}

/// The token of the link in a mail that is about to go out, if its address is still wanted. Only its digest is stored.
pub(crate) fn make_link(
    connection: &mut PgConnection,
    person: Uuid,
    recipient: &str,
    now: DateTime<Utc>,
) -> Result<Option<String>> {
    let token = random_token().map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let wanted = address_changes::table
        .find(person)
        .filter(address_changes::address.eq(recipient))
        .filter(address_changes::expires_at.gt(now));
    let made = diesel::update(wanted)
        .set(address_changes::token_digest.eq(Some(digest(&token).as_slice())))
        .execute(connection)?;
    Ok((made > 0).then_some(token))
}

/// Confirms an address: it is the login from now on. Both addresses are told. Gives the person and the address.
///
/// # Errors
/// [`StoreError::NotFound`] if the link cannot be used (any more); [`StoreError::Conflict`] if there is another account
/// with that address.
pub fn confirm(
    connection: &mut PgConnection,
    scene: &Scene,
    token_digest: &[u8],
) -> Result<(PersonId, String)> {
    let now = Utc::now();
    let taken: Option<(Uuid, String)> = diesel::delete(
        address_changes::table
            .filter(address_changes::token_digest.eq(token_digest))
            .filter(address_changes::expires_at.gt(now)),
    )
    .returning((address_changes::person_id, address_changes::address))
    .get_result(connection)
    .optional()?;
    let (id, address) = taken.ok_or(StoreError::NotFound)?;
    let former: String = people::table
        .find(id)
        .filter(people::disabled_at.is_null())
        .select(people::login)
        .for_update()
        .first(connection)?;
    let person = PersonId(id);
    let scene = Scene {
        origin: Origin { actor_id: Some(person), actor: former.clone(), ..scene.origin.clone() },
        ..scene.clone()
    };
    // To the former address, so that whoever has it hears of it.
    notices::tell(connection, &scene, person, SecurityNotice::AddressChanged)?;
    set_login(connection, person, &address)?;
    diesel::update(people::table.find(id))
        .set((people::updated_at.eq(now), people::revision.eq(people::revision + 1)))
        .execute(connection)?;
    let act = Act::new("login.changed", PERSON, person, &former)
        .before(json!({ "login": former }))
        .after(json!({ "login": address }));
    audit::record_personal(connection, &scene.origin, person, act)?;
    Ok((person, address))
}

/// Removes wishes that were not confirmed in time.
///
/// # Errors
/// If the database fails.
pub fn remove_expired(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<usize> {
    Ok(diesel::delete(address_changes::table.filter(address_changes::expires_at.lt(now)))
        .execute(connection)?)
}
