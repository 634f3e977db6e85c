//! Who the people of identity providers are here. An identity belongs to one connection: the same name, or the same
//! e-mail address, at another provider is somebody else.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::{ConnectionId, OrganisationId, PersonId};
use uuid::Uuid;

use crate::Result;
use crate::schema::{saml_connections, saml_identities};

/// An identity as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Identity {
    /// The connection.
    pub connection_id: Uuid,
    /// The connection's name.
    pub connection: String,
    /// Since when it is this account's.
    pub created_at: DateTime<Utc>,
    /// When it was last signed in with.
    pub last_signed_in_at: DateTime<Utc>,
}

/// Whose it is.
///
/// # Errors
/// If the database fails.
pub fn find(connection: &mut PgConnection, owner: ConnectionId, subject: &str) -> Result<Option<PersonId>> {
    let found: Option<Uuid> = saml_identities::table
        .find((owner.0, subject))
        .select(saml_identities::person_id)
        .first(connection)
        .optional()?;
    Ok(found.map(PersonId))
}

/// Whether a person has joined their account with the connection.
pub(crate) fn is_joined(
    connection: &mut PgConnection,
    owner: ConnectionId,
    person: PersonId,
) -> Result<bool> {
    let own = saml_identities::table
        .filter(saml_identities::connection_id.eq(owner.0))
        .filter(saml_identities::person_id.eq(person.0));
    Ok(diesel::select(diesel::dsl::exists(own)).get_result(connection)?)
}

/// Gives it to a person, unless it is somebody's already. Whose it is then.
///
/// # Errors
/// If the database fails.
pub fn assign(
    connection: &mut PgConnection,
    owner: ConnectionId,
    subject: &str,
    person: PersonId,
) -> Result<PersonId> {
    diesel::insert_into(saml_identities::table)
        .values((
            saml_identities::connection_id.eq(owner.0),
            saml_identities::subject.eq(subject),
            saml_identities::person_id.eq(person.0),
        ))
        .on_conflict_do_nothing()
        .execute(connection)?;
    Ok(find(connection, owner, subject)?.unwrap_or(person))
}

/// Takes those of a connection away from a person; gives their subjects.
pub(super) fn remove(
    connection: &mut PgConnection,
    owner: ConnectionId,
    person: PersonId,
) -> Result<Vec<String>> {
    let rows = saml_identities::table
        .filter(saml_identities::connection_id.eq(owner.0))
        .filter(saml_identities::person_id.eq(person.0));
    Ok(diesel::delete(rows).returning(saml_identities::subject).get_results(connection)?)
}

/// Notes that it was signed in with.
///
/// # Errors
/// If the database fails.
pub fn note_use(
    connection: &mut PgConnection,
    owner: ConnectionId,
    subject: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::update(saml_identities::table.find((owner.0, subject)))
        .set(saml_identities::last_signed_in_at.eq(now))
        .execute(connection)?;
    Ok(())
}

/// The identities of a person, oldest first.
///
/// # Errors
/// If the database fails.
pub fn list_of_person(connection: &mut PgConnection, person: PersonId) -> Result<Vec<Identity>> {
    Ok(saml_identities::table
        .inner_join(saml_connections::table)
        .filter(saml_identities::person_id.eq(person.0))
        .order(saml_identities::created_at)
        .limit(100)
        .select((
            saml_connections::id,
            saml_connections::name,
            saml_identities::created_at,
            saml_identities::last_signed_in_at,
        ))
        .load(connection)?)
}

/// The connections of these organisations that people sign in through: id, name and whose each is, by name.
///
/// # Errors
/// If the database fails.
pub fn list_open(
    connection: &mut PgConnection,
    organisations: &[OrganisationId],
) -> Result<Vec<(ConnectionId, String, OrganisationId)>> {
    let ids: Vec<Uuid> = organisations.iter().map(|id| id.0).collect();
    let rows: Vec<(Uuid, String, Uuid)> = saml_connections::table
        .filter(saml_connections::organisation_id.eq_any(ids))
        .filter(saml_connections::enabled)
        .order((saml_connections::name, saml_connections::id))
        .limit(100)
        .select((saml_connections::id, saml_connections::name, saml_connections::organisation_id))
        .load(connection)?;
    Ok(rows.into_iter().map(|(id, name, owner)| (ConnectionId(id), name, OrganisationId(owner))).collect())
}
