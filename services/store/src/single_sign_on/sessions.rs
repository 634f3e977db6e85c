//! Sessions that began with an assertion: what single logout finds them by, and what they are to be ended with.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::{ConnectionId, PersonId, SessionId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::audit::{self, Act, Origin};
use crate::schema::{people, saml_sessions, sessions};
use crate::sessions::{Confirmed, NewToken};
use crate::{Result, StoreError, second_factors};

/// A person's name at an identity provider (`NameID`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredName {
    /// The name.
    pub value: String,
    /// Its format.
    pub format: String,
    /// `NameQualifier`.
    pub name_qualifier: Option<String>,
    /// `SPNameQualifier`.
    pub sp_name_qualifier: Option<String>,
}

/// The format of a name that says none.
const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";

impl StoredName {
    /// Whether both name the same person. Providers leave formats and qualifiers out of logout requests that they had
    /// in the assertion, so what one of both does not say is no difference.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let agree = |one: &Option<String>, two: &Option<String>| one.is_none() || two.is_none() || one == two;
        let is_open = |name: &Self| name.format == UNSPECIFIED;
        self.value == other.value
            && (self.format == other.format || is_open(self) || is_open(other))
            && agree(&self.name_qualifier, &other.name_qualifier)
            && agree(&self.sp_name_qualifier, &other.sp_name_qualifier)
    }
}

/// How a session began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// The connection.
    pub connection: ConnectionId,
    /// Who it is there.
    pub subject: String,
    /// The `NameID`.
    pub name: StoredName,
    /// The session there.
    pub session_index: Option<String>,
}

/// Forgets that sessions of a person began through a connection.
pub(super) fn forget(connection: &mut PgConnection, owner: ConnectionId, person: PersonId) -> Result<()> {
    let own = sessions::table.filter(sessions::person_id.eq(person.0)).select(sessions::id);
    let rows = saml_sessions::table
        .filter(saml_sessions::connection_id.eq(owner.0))
        .filter(saml_sessions::session_id.eq_any(own));
    diesel::delete(rows).execute(connection)?;
    Ok(())
}

/// Remembers how a session began, and when the person last showed the provider who they are: a confirmation of the
/// session is no fresher than that. Whoever has a second factor confirms with that: an account may have roles in several
/// organisations, and one's provider is not to answer for what is to be done with the account itself.
///
/// # Errors
/// If the database fails.
pub fn create(
    connection: &mut PgConnection,
    session: SessionId,
    beginning: &Beginning,
    authenticated: DateTime<Utc>,
) -> Result<()> {
    let name = to_json(&beginning.name)?;
    diesel::insert_into(saml_sessions::table)
        .values((
            saml_sessions::session_id.eq(session.0),
            saml_sessions::connection_id.eq(beginning.connection.0),
            saml_sessions::subject.eq(&beginning.subject),
            saml_sessions::name_id.eq(name),
            saml_sessions::session_index.eq(&beginning.session_index),
        ))
        .execute(connection)?;
    let person: Uuid = sessions::table.find(session.0).select(sessions::person_id).first(connection)?;
    let has_factor = second_factors::methods(connection, PersonId(person))?.any();
    let confirmed = (!has_factor).then(|| authenticated.min(Utc::now()));
    diesel::update(sessions::table.find(session.0))
        .set(sessions::confirmed_at.eq(confirmed))
        .execute(connection)?;
    Ok(())
}

fn to_json(name: &StoredName) -> Result<serde_json::Value> {
    serde_json::to_value(name).map_err(|error| StoreError::NotUnderstood(error.to_string()))
}

fn from_json(value: serde_json::Value) -> Result<StoredName> {
    serde_json::from_value(value).map_err(|error| StoreError::NotUnderstood(error.to_string()))
}

/// How a session began, if it began with an assertion; also of one that has ended.
///
/// # Errors
/// If the database fails.
pub fn find(connection: &mut PgConnection, session: SessionId) -> Result<Option<Beginning>> {
    let row: Option<(Uuid, String, serde_json::Value, Option<String>)> = saml_sessions::table
        .find(session.0)
        .select((
            saml_sessions::connection_id,
            saml_sessions::subject,
            saml_sessions::name_id,
            saml_sessions::session_index,
        ))
        .first(connection)
        .optional()?;
    row.map(|(id, subject, name, session_index)| {
        Ok(Beginning { connection: ConnectionId(id), subject, name: from_json(name)?, session_index })
    })
    .transpose()
}

/// Ends the sessions of somebody that began through a connection: those with one of the indexes, or all if there are
/// none. A session whose index the provider has not told is one of them in any case. Gives the people whose sessions ended.
///
/// # Errors
/// If the database fails.
pub fn end(
    connection: &mut PgConnection,
    origin: &Origin,
    owner: ConnectionId,
    name: &StoredName,
    indexes: &[String],
) -> Result<Vec<PersonId>> {
    let now = Utc::now();
    let rows: Vec<(Uuid, Uuid, String, serde_json::Value, Option<String>)> = saml_sessions::table
        .inner_join(sessions::table.inner_join(people::table))
        .filter(saml_sessions::connection_id.eq(owner.0))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .order(sessions::id)
        .select((
            sessions::id,
            sessions::person_id,
            people::login,
            saml_sessions::name_id,
            saml_sessions::session_index,
        ))
        .load(connection)?;
    let mut ended = Vec::new();
    for (id, person, login, stored, index) in rows {
        let is_named = indexes.is_empty() || index.as_ref().is_none_or(|index| indexes.contains(index));
        if is_named && from_json(stored)?.is_same(name) {
            ended.push((id, person, login));
        }
    }
    let ids: Vec<Uuid> = ended.iter().map(|(id, ..)| *id).collect();
    diesel::update(sessions::table.filter(sessions::id.eq_any(ids)))
        .set(sessions::revoked_at.eq(now))
        .execute(connection)?;
    for (id, person, login) in &ended {
        let act = Act::new("session.ended", "session", *id, login);
        let act = act.after(serde_json::json!({ "by": "identity_provider" }));
        audit::record_personal(connection, origin, PersonId(*person), act)?;
    }
    Ok(ended.into_iter().map(|(_, person, _)| PersonId(person)).collect())
}

/// Notes that the person of a session has just shown the provider who they are, and gives the session another token.
///
/// # Errors
/// [`StoreError::NotFound`] if the session has ended.
pub fn confirm(
    connection: &mut PgConnection,
    origin: &Origin,
    whose: (PersonId, SessionId),
    token: &NewToken,
) -> Result<Confirmed> {
    crate::sessions::confirm(connection, origin, whose, token, "single_sign_on")
}

/// Whether a session of a person still holds.
///
/// # Errors
/// If the database fails.
pub fn holds(connection: &mut PgConnection, person: PersonId, session: SessionId) -> Result<bool> {
    let now = Utc::now();
    let count: i64 = sessions::table
        .find(session.0)
        .filter(sessions::person_id.eq(person.0))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::idle_expires_at.gt(now))
        .count()
        .get_result(connection)?;
    Ok(count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(value: &str, format: &str, qualifier: Option<&str>) -> StoredName {
        StoredName {
            value: value.to_owned(),
            format: format.to_owned(),
            name_qualifier: qualifier.map(str::to_owned),
            sp_name_qualifier: None,
        }
    }

    #[test]
    fn what_one_of_two_names_leaves_out_is_no_difference() {
        let persistent = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
        let ada = name("ada", persistent, Some("idp"));
        assert!(ada.is_same(&name("ada", persistent, None)));
        assert!(ada.is_same(&name("ada", UNSPECIFIED, Some("idp"))));
        assert!(!ada.is_same(&name("Ada", persistent, Some("idp"))));
        assert!(!ada.is_same(&name("ada", persistent, Some("other"))));
        assert!(!ada.is_same(&name("ada", "another", None)));
    }
}
