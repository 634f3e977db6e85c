//! What an operator can do on the server for people who cannot do it themselves: because they are
//! locked out, or because they are no person but a program.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use kinora_core::{OrganisationId, PersonId};
use uuid::Uuid;

use crate::audit::{self, Act, Origin};
use crate::notices::Scene;
use crate::schema::{organisation_members, people};
use crate::tokens::{AccessToken, NewToken};
use crate::{Result, StoreError, password_links, second_factors, security, sign_in, tokens};

struct Found {
    id: PersonId,
    login: String,
    organisation: Option<OrganisationId>,
}

/// The person with a login; the oldest of their organisations, whose administrators are to see it.
fn find(connection: &mut PgConnection, login: &str) -> Result<Found> {
    type Row = (Uuid, String, Option<DateTime<Utc>>);
    let found: Option<Row> = people::table
        .filter(people::login_key.eq(sign_in::login_key(login)))
        .select((people::id, people::login, people::disabled_at))
        .first(connection)
        .optional()?;
    let Some((id, login, disabled_at)) = found else {
        return Err(StoreError::Conflict(format!("There is nobody with the login '{login}'.")));
    };
    if disabled_at.is_some() {
        return Err(StoreError::Conflict(format!("'{login}' is disabled.")));
    }
    let organisation: Option<Uuid> = organisation_members::table
        .filter(organisation_members::person_id.eq(id))
        .order((organisation_members::created_at, organisation_members::organisation_id))
        .select(organisation_members::organisation_id)
        .first(connection)
        .optional()?;
    Ok(Found { id: PersonId(id), login, organisation: organisation.map(OrganisationId) })
}

/// Makes an access token for somebody.
///
/// # Errors
/// [`StoreError::Conflict`] if there is nobody with the login, or they have too many tokens.
pub fn create_token(
    connection: &mut PgConnection,
    origin: &Origin,
    login: &str,
    token: &NewToken,
) -> Result<AccessToken> {
    connection.transaction(|connection| {
        let person = find(connection, login)?;
        let made = tokens::create(connection, origin, person.id, token)?;
        // The token's own row names no person, because normally its maker is its owner.
        record(connection, origin, "person.token_issued", &person)?;
        Ok(made)
    })
}

/// Makes a one-time link with which somebody sets a password, whether they have one or not. Gives
/// when it ends.
///
/// # Errors
/// [`StoreError::Conflict`] if there is nobody with the login.
pub fn create_password_link(
    connection: &mut PgConnection,
    origin: &Origin,
    login: &str,
    token_digest: &[u8],
    validity: TimeDelta,
) -> Result<DateTime<Utc>> {
    connection.transaction(|connection| {
        let person = find(connection, login)?;
        let expires_at = password_links::create(connection, person.id, None, token_digest, validity)?;
        record(connection, origin, "person.password_link_issued", &person)?;
        Ok(expires_at)
    })
}

/// Takes all second factors of somebody who has lost them, and ends their sessions. Where they were the last owner who
/// could sign in without the identity provider, single sign-on is not required any more, so that they get in; gives
/// the names of those organisations.
///
/// # Errors
/// [`StoreError::Conflict`] if there is nobody with the login, or they have no second factor.
pub fn reset_factors(connection: &mut PgConnection, scene: &Scene, login: &str) -> Result<Vec<String>> {
    connection.transaction(|connection| {
        let person = find(connection, login)?;
        let _ = second_factors::reset(connection, scene, person.id)?;
        let opened = security::open_where_shut(connection, &scene.origin, person.id)?;
        record(connection, &scene.origin, "person.factors_reset", &person)?;
        Ok(opened)
    })
}

fn record(
    connection: &mut PgConnection,
    origin: &Origin,
    action: &'static str,
    person: &Found,
) -> Result<()> {
    let act = Act::new(action, "person", person.id, &person.login);
    let act = match person.organisation {
        Some(organisation) => act.in_organisation(organisation),
        None => act,
    };
    audit::record(connection, origin, act)
}
