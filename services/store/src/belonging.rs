//! Whose an account is. People come to an organisation, leave it and come back; an account that has no place in any was
//! somebody's and must not become somebody else's, nor bring back what others left in it meanwhile.

use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use kinora_core::permission::OrganisationRole;
use kinora_core::{ConnectionId, OrganisationId, PersonId};
use uuid::Uuid;

use crate::Result;
use crate::principals::Principal;
use crate::schema::{
    address_changes, known_browsers, organisation_members, password_links, people, production_members,
    productions,
};
use crate::{second_factors, sessions, tokens};

/// The organisations that a person belongs to, and those in whose productions they are or were.
struct Places {
    belongs: Vec<Uuid>,
    works: Vec<Uuid>,
}

impl Places {
    fn of(connection: &mut PgConnection, person: PersonId) -> Result<Self> {
        let belongs = organisation_members::table
            .filter(organisation_members::person_id.eq(person.0))
            .select(organisation_members::organisation_id)
            .load(connection)?;
        let works = production_members::table
            .inner_join(productions::table)
            .filter(production_members::person_id.eq(person.0))
            .select(productions::organisation_id)
            .distinct()
            .load(connection)?;
        Ok(Self { belongs, works })
    }

    fn contain(&self, organisation: OrganisationId) -> bool {
        self.belongs.iter().chain(&self.works).any(|id| *id == organisation.0)
    }
}

/// Whether a person belongs to any organisation, or is or was in a production.
pub(crate) fn is_anywhere(connection: &mut PgConnection, person: PersonId) -> Result<bool> {
    let Places { belongs, works } = Places::of(connection, person)?;
    Ok(!(belongs.is_empty() && works.is_empty()))
}

/// Whether a person belongs to another organisation, or is or was in a production of one.
pub(crate) fn is_elsewhere(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    person: PersonId,
) -> Result<bool> {
    let Places { belongs, works } = Places::of(connection, person)?;
    Ok(belongs.iter().chain(&works).any(|id| *id != organisation.0))
}

#[derive(QueryableByName)]
struct Home {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// The organisations of which anything tells that a person belonged to them or was their guest: the audit trail as far as
/// it is kept, and the connections that know the account or made it.
const HOMES: &str = "SELECT organisation_id AS id FROM audit_rows \
       WHERE subject_id = $1 AND subject_kind = 'person' AND organisation_id IS NOT NULL \
     UNION SELECT c.organisation_id FROM saml_connections c WHERE \
       EXISTS (SELECT FROM saml_identities i WHERE i.connection_id = c.id AND i.person_id = $1) \
       OR EXISTS (SELECT FROM provisioned_users u WHERE u.connection_id = c.id AND u.person_id = $1) \
       OR c.id = (SELECT made_by FROM people WHERE id = $1)";

fn homes_of(connection: &mut PgConnection, person: PersonId) -> Result<Vec<Uuid>> {
    let homes: Vec<Home> = diesel::sql_query(HOMES).bind::<SqlUuid, _>(person.0).load(connection)?;
    Ok(homes.into_iter().map(|home| home.id).collect())
}

/// Whether a person never belonged to an organisation of which the caller does not administer members.
pub(crate) fn was_always_of(
    connection: &mut PgConnection,
    caller: &Principal,
    person: PersonId,
) -> Result<bool> {
    let may = |id: Uuid| {
        caller
            .organisation_role(OrganisationId(id))
            .is_some_and(|own| own.may_grant(OrganisationRole::Member))
    };
    Ok(homes_of(connection, person)?.into_iter().all(may))
}

/// Whether a connection may let a person whom it knows into its organisation, if they have no place there any more: not
/// if they belong to another one by now, and guests of others only if it was this connection that made the account.
/// Whoever runs the provider of a former employer would get at what the next one has.
pub(crate) fn may_return(
    connection: &mut PgConnection,
    (organisation, owner): (OrganisationId, ConnectionId),
    person: PersonId,
) -> Result<bool> {
    let places = Places::of(connection, person)?;
    if places.contain(organisation) {
        return Ok(true);
    }
    let maker: Option<Uuid> = people::table.find(person.0).select(people::made_by).first(connection)?;
    Ok(places.belongs.is_empty() && (places.works.is_empty() || maker == Some(owner.0)))
}

/// Lets a person who comes to an organisation by its connection begin anew, if they have no place there and others had the
/// account: they may know its password, hold its tokens or have left a passkey. Whether there was anything of the kind.
pub(crate) fn arrive(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    person: PersonId,
) -> Result<bool> {
    if Places::of(connection, person)?.contain(organisation) {
        return Ok(false);
    }
    let was_elsewhere = homes_of(connection, person)?.into_iter().any(|id| id != organisation.0);
    if was_elsewhere { begin_anew(connection, person) } else { Ok(false) }
}

/// Takes everything that opens an account: password and links for one, factors, tokens, sessions. Whether there was
/// anything.
pub(crate) fn begin_anew(connection: &mut PgConnection, person: PersonId) -> Result<bool> {
    second_factors::lock(connection, person)?;
    let with_password = people::table.find(person.0).filter(people::password_hash.is_not_null());
    let mut taken = diesel::update(with_password)
        .set((
            people::password_hash.eq(None::<String>),
            people::password_change_required.eq(false),
            people::updated_at.eq(chrono::Utc::now()),
            people::revision.eq(people::revision + 1),
        ))
        .execute(connection)?;
    let links = password_links::table.filter(password_links::person_id.eq(person.0));
    taken += diesel::delete(links.filter(password_links::used_at.is_null())).execute(connection)?;
    taken += diesel::delete(address_changes::table.find(person.0)).execute(connection)?;
    taken += usize::from(second_factors::take_all(connection, person)?);
    taken += sessions::revoke_all(connection, person, None)?;
    taken += tokens::revoke_all(connection, person)?;
    diesel::delete(known_browsers::table.filter(known_browsers::person_id.eq(person.0)))
        .execute(connection)?;
    Ok(taken > 0)
}
