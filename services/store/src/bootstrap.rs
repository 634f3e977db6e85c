//! The beginning: an organisation and its first owner, made on the server by an operator, as there
//! is nobody yet who could invite anybody.

use diesel::prelude::*;
use kinora_core::{OrganisationId, PersonId};
use serde::Serialize;

use crate::audit::{self, Act, Origin};
use crate::schema::{installation, organisation_members, organisations, people};
use crate::sign_in::login_key;
use crate::{Result, StoreError};

/// What is to be made.
#[derive(Clone, Copy, Debug)]
pub struct Founding<'a> {
    /// Name of the organisation.
    pub organisation: &'a str,
    /// What the owner signs in with.
    pub login: &'a str,
    /// The owner's name.
    pub display_name: &'a str,
    /// Hash of a password that must be changed at the first sign-in.
    pub password_hash: &'a str,
}

/// What was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Founded {
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// Its owner.
    pub person_id: PersonId,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Member<'a> {
    login: &'a str,
    role: &'static str,
}

/// Makes an organisation with its first owner, in a transaction of its own.
///
/// # Errors
/// [`StoreError::Conflict`] if the login is taken or a name is too short or too long.
pub fn found_organisation(
    connection: &mut PgConnection,
    origin: &Origin,
    founding: &Founding<'_>,
) -> Result<Founded> {
    for (what, text, longest) in [
        ("organisation", founding.organisation, 200),
        ("login", founding.login, 254),
        ("name", founding.display_name, 200),
    ] {
        if !(1..=longest).contains(&text.chars().count()) {
            return Err(StoreError::Conflict(format!("The {what} must have 1 to {longest} characters.")));
        }
    }
    let founded = Founded { organisation_id: OrganisationId::new(), person_id: PersonId::new() };
    connection.transaction(|connection| {
        insert(connection, founding, founded)?;
        let organisation =
            Act::new("organisation.created", "organisation", founded.organisation_id, founding.organisation)
                .in_organisation(founded.organisation_id)
                .after(Named { name: founding.organisation });
        let person = Act::new("person.created", "person", founded.person_id, founding.login)
            .in_organisation(founded.organisation_id)
            .after(Member { login: founding.login, role: "owner" });
        audit::record_all(connection, origin, vec![organisation, person])?;
        Ok(founded)
    })
}

/// Whether there is an organisation already, so that nobody has to begin.
///
/// # Errors
/// [`StoreError`].
pub fn has_organisation(connection: &mut PgConnection) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(organisations::table.select(organisations::id)))
        .get_result(connection)?)
}

fn insert(connection: &mut PgConnection, founding: &Founding<'_>, founded: Founded) -> Result<()> {
    let login_key = login_key(founding.login);
    diesel::insert_into(organisations::table)
        .values((
            organisations::id.eq(founded.organisation_id.0),
            organisations::name.eq(founding.organisation),
        ))
        .execute(connection)?;
    diesel::insert_into(people::table)
        .values((
            people::id.eq(founded.person_id.0),
            people::login.eq(founding.login),
            people::login_key.eq(login_key),
            people::display_name.eq(founding.display_name),
            people::password_hash.eq(founding.password_hash),
            people::password_change_required.eq(true),
        ))
        .execute(connection)
        .map_err(StoreError::from)
        .map_err(|error| match error.violated_unique_constraint() {
            Some(_) => {
                StoreError::Conflict(format!("There is a person with the login {} already.", founding.login))
            }
            None => error,
        })?;
    diesel::insert_into(organisation_members::table)
        .values((
            organisation_members::organisation_id.eq(founded.organisation_id.0),
            organisation_members::person_id.eq(founded.person_id.0),
            organisation_members::role.eq("owner"),
        ))
        .execute(connection)?;
    // Whoever is first runs the installation.
    diesel::update(installation::table.filter(installation::organisation_id.is_null()))
        .set(installation::organisation_id.eq(founded.organisation_id.0))
        .execute(connection)?;
    Ok(())
}
