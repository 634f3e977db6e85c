//! What an operator can do on the server for people who cannot do it themselves: because they are
//! locked out, or because they are no person but a program.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use kinora_core::mail::{Letter, OperatorMeans, is_address};
use kinora_core::{OrganisationId, PersonId};
use uuid::Uuid;

use crate::audit::{self, Act, Origin};
use crate::notices::Scene;
use crate::privacy::erasure;
use crate::privacy::erasures::{AskedBy, Erasure};
use crate::privacy::held::Extent;
use crate::schema::{organisation_members, people};
use crate::tokens::{AccessToken, NewToken};
use crate::{
    Result, StoreError, mail, password_links, second_factors, security, service_accounts, sign_in, tokens,
};

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

/// The person with a login who may sign in.
///
/// # Errors
/// [`StoreError::Conflict`] if there is nobody.
pub fn find_able_person(connection: &mut PgConnection, login: &str) -> Result<PersonId> {
    Ok(find(connection, login)?.id)
}

/// Does something in one transaction.
///
/// # Errors
/// Those of `work`.
pub fn in_transaction<T>(
    connection: &mut PgConnection,
    work: impl FnOnce(&mut PgConnection) -> Result<T>,
) -> Result<T> {
    connection.transaction(work)
}

/// Makes an access token for somebody; they and the owners of their organisations are told.
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
        if let Some(organisation) = service_accounts::organisation_of(connection, person.id)? {
            let made = service_accounts::create_token(connection, origin, (organisation, person.id), token)?;
            tell(connection, &person, OperatorMeans::AccessToken, Some(made.expires_at))?;
            return Ok(made);
        }
        let made = tokens::create(connection, origin, person.id, token)?;
        // The token's own row names no person, because normally its maker is its owner.
        record(connection, origin, "person.token_issued", &person)?;
        tell(connection, &person, OperatorMeans::AccessToken, Some(made.expires_at))?;
        Ok(made)
    })
}

/// Makes a one-time link with which somebody sets a password, whether they have one or not. Gives
/// when it ends. They and the owners of their organisations are told.
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
        if service_accounts::organisation_of(connection, person.id)?.is_some() {
            return Err(StoreError::Conflict(format!("'{login}' is a service account: it has no password.")));
        }
        let expires_at = password_links::create(connection, person.id, None, token_digest, validity)?;
        record(connection, origin, "person.password_link_issued", &person)?;
        tell(connection, &person, OperatorMeans::PasswordLink, Some(expires_at))?;
        Ok(expires_at)
    })
}

/// Takes all second factors of somebody who has lost them, and ends their sessions. Where they were the last owner who
/// could sign in without the identity provider, single sign-on is not required any more, so that they get in; gives
/// the names of those organisations. They and the owners are told.
///
/// # Errors
/// [`StoreError::Conflict`] if there is nobody with the login, or they have no second factor.
pub fn reset_factors(connection: &mut PgConnection, scene: &Scene, login: &str) -> Result<Vec<String>> {
    connection.transaction(|connection| {
        let person = find(connection, login)?;
        let _ = second_factors::reset(connection, scene, person.id)?;
        let opened = security::open_where_shut(connection, &scene.origin, person.id)?;
        record(connection, &scene.origin, "person.factors_reset", &person)?;
        tell(connection, &person, OperatorMeans::FactorsReset, None)?;
        Ok(opened)
    })
}

/// The person with a login, whether they may sign in or not.
///
/// # Errors
/// [`StoreError::Conflict`] if there is nobody.
pub fn find_person(connection: &mut PgConnection, login: &str) -> Result<PersonId> {
    let found: Option<Uuid> = people::table
        .filter(people::login_key.eq(sign_in::login_key(login)))
        .filter(people::erased_at.is_null())
        .select(people::id)
        .first(connection)
        .optional()?;
    found
        .map(PersonId)
        .ok_or_else(|| StoreError::Conflict(format!("There is nobody with the login '{login}'.")))
}

/// Erases somebody, in all organisations; or an e-mail address that nobody has an account with, but that was invited
/// or given support access.
///
/// # Errors
/// [`StoreError::Conflict`] if there is nobody with the login and nothing that names the address, or an organisation
/// would be without an owner.
pub fn erase(connection: &mut PgConnection, origin: &Origin, login: &str) -> Result<Erasure> {
    connection.transaction(|connection| match find_person(connection, login) {
        Ok(person) => erasure::erase(connection, origin, (person, Extent::Whole), AskedBy::Operator),
        Err(StoreError::Conflict(_)) if is_address(login.trim()) => {
            erasure::erase_address(connection, origin, login.trim(), AskedBy::Operator)
        }
        Err(error) => Err(error),
    })
}

/// Tells a person, and every owner of their organisations who may sign in, what an operator has made: nobody outside an
/// organisation gets at its content without its owners' hearing of it.
fn tell(
    connection: &mut PgConnection,
    person: &Found,
    means: OperatorMeans,
    expires_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let organisations: Vec<Uuid> = organisation_members::table
        .filter(organisation_members::person_id.eq(person.id.0))
        .select(organisation_members::organisation_id)
        .load(connection)?;
    let mut told = BTreeSet::from([person.id.0]);
    let of_programs = service_accounts::organisation_of(connection, person.id)?;
    for organisation in organisations.into_iter().map(OrganisationId).chain(of_programs) {
        let owners = security::owners(connection, organisation)?;
        told.extend(owners.iter().filter(|owner| owner.disabled_at.is_none()).map(|owner| owner.id));
    }
    let letter = Letter::OperatorAccess { means, person: person.login.clone(), at: Utc::now(), expires_at };
    for id in told {
        let _ = mail::enqueue_personal(connection, PersonId(id), &letter, None)?;
    }
    Ok(())
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
