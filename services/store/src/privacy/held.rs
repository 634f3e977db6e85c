//! Of whom an organisation keeps something, and how far its administrators may go with them.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Uuid as SqlUuid};
use kinora_core::permission::OrganisationRole;
use kinora_core::{OrganisationId, PersonId};
use uuid::Uuid;

use crate::people as accounts;
use crate::principals::Principal;
use crate::schema::people;
use crate::sign_in::login_key;
use crate::{Result, StoreError, belonging};

/// Somebody of whom an organisation keeps something: a member, a guest of its productions, or one who was either and whom
/// the audit trail still names. Service accounts are nobody.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct HeldPerson {
    /// The person.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// What they sign in with; of those who have left, what they signed in with then: where they went is nobody's business.
    #[diesel(sql_type = Text)]
    pub login: String,
    /// How they are called; of those who have left, their login.
    #[diesel(sql_type = Text)]
    pub display_name: String,
    /// The role in the organisation; none: a guest, or somebody who has left.
    #[diesel(sql_type = Nullable<Text>)]
    pub role: Option<String>,
    /// Whether they have left.
    #[diesel(sql_type = Bool)]
    pub has_left: bool,
}

// Whom the organisation has erased already it names by `super::pseudonym` alone.
const HELD: &str = "\
    WITH somebody AS ( \
        SELECT p.id, p.login, p.login_key, p.display_name FROM people p WHERE p.erased_at IS NULL \
            AND NOT EXISTS (SELECT FROM service_accounts s WHERE s.person_id = p.id) \
    ), present AS ( \
        SELECT p.*, m.role, false AS has_left \
        FROM somebody p LEFT JOIN organisation_members m ON m.person_id = p.id AND m.organisation_id = $1 \
        WHERE m.person_id IS NOT NULL \
            OR EXISTS (SELECT FROM production_members g JOIN productions f ON f.id = g.production_id \
                       WHERE g.person_id = p.id AND f.organisation_id = $1) \
    ), named AS ( \
        SELECT DISTINCT ON (subject_id) subject_id, subject FROM audit_rows r \
        WHERE organisation_id = $1 AND subject_kind = 'person' AND subject_id IS NOT NULL AND subject <> '' \
            AND NOT EXISTS (SELECT FROM erasures e WHERE e.person_id = r.subject_id AND e.organisation_id = $1 \
                            AND r.subject = 'Erased person ' || right(e.stands_for::text, 8)) \
        ORDER BY subject_id, sequence DESC \
    ), held AS ( \
        SELECT * FROM present \
        UNION ALL SELECT p.id, n.subject, lower(n.subject), n.subject, NULL, true \
        FROM named n JOIN somebody p ON p.id = n.subject_id \
        WHERE NOT EXISTS (SELECT FROM present h WHERE h.id = p.id) \
    ) SELECT id, login, display_name, role, has_left FROM held WHERE true ";

/// Those of whom an organisation keeps something, by login, those after `after`; only those whose login or name contains
/// `search`.
///
/// # Errors
/// If the database fails.
pub fn list(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    search: Option<&str>,
    after: Option<(&str, PersonId)>,
    limit: i64,
) -> Result<Vec<HeldPerson>> {
    let pattern = search.map(accounts::pattern);
    let (login, id) = after.unzip();
    // Somebody may have the login now that one who has left had.
    Ok(diesel::sql_query(format!(
        "{HELD} AND ($2 IS NULL OR (login_key, id) > ($2, $3)) AND ($4 IS NULL OR login ILIKE $4 OR display_name ILIKE $4) \
         ORDER BY login_key, id LIMIT $5"
    ))
    .bind::<SqlUuid, _>(organisation.0)
    .bind::<Nullable<Text>, _>(login.map(login_key))
    .bind::<Nullable<SqlUuid>, _>(id.map(|id| id.0))
    .bind::<Nullable<Text>, _>(pattern)
    .bind::<BigInt, _>(limit)
    .load(connection)?)
}

/// Somebody of whom an organisation keeps something.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    person: PersonId,
) -> Result<HeldPerson> {
    Ok(diesel::sql_query(format!("{HELD} AND id = $2"))
        .bind::<SqlUuid, _>(organisation.0)
        .bind::<SqlUuid, _>(person.0)
        .get_result(connection)?)
}

/// How much of a person is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All that the installation keeps of them.
    Whole,
    /// In exports: all of the account, and of what belongs to organisations that of this one.
    Account(OrganisationId),
    /// What this organisation keeps of them.
    Organisation(OrganisationId),
}

impl Extent {
    /// The organisation, if it is not all.
    #[must_use]
    pub fn organisation(self) -> Option<OrganisationId> {
        match self {
            Self::Whole => None,
            Self::Account(id) | Self::Organisation(id) => Some(id),
        }
    }

    /// The name in answers and exports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Account(_) => "account",
            Self::Organisation(_) => "organisation",
        }
    }
}

/// How much of a person this caller may see: the account as well, if they administer every organisation that the person
/// has, or had, anything to do with. What other organisations keep, or kept, is in no case shown, as none is to learn of another.
///
/// # Errors
/// If the database fails.
pub fn extent_of_export(
    connection: &mut PgConnection,
    caller: &Principal,
    organisation: OrganisationId,
    person: PersonId,
) -> Result<Extent> {
    let is_theirs = accounts::administers_everywhere(connection, caller, person)?
        && belonging::was_always_of(connection, caller, person)?;
    Ok(if is_theirs { Extent::Account(organisation) } else { Extent::Organisation(organisation) })
}

/// How much of a person this caller may erase: the account if it belongs to organisations that they administer, or to
/// none and is a guest of theirs alone, or to none any more and never was anybody else's; else what the organisation keeps.
///
/// # Errors
/// [`StoreError::Forbidden`] if the person's role in the organisation is above the caller's.
pub fn extent_of_erasure(
    connection: &mut PgConnection,
    caller: &Principal,
    organisation: OrganisationId,
    person: PersonId,
) -> Result<Extent> {
    let places = accounts::places_of(connection, person)?;
    let may =
        |id: Uuid, role| caller.organisation_role(OrganisationId(id)).is_some_and(|own| own.may_grant(role));
    let is_above = places.iter().any(|(id, role)| *id == organisation.0 && !may(*id, *role));
    if is_above || !may(organisation.0, OrganisationRole::Member) {
        return Err(StoreError::Forbidden);
    }
    let is_theirs = if !belonging::is_anywhere(connection, person)? {
        belonging::was_always_of(connection, caller, person)?
    } else if places.is_empty() {
        accounts::administers_everywhere(connection, caller, person)?
    } else {
        places.iter().all(|(id, role)| may(*id, *role))
    };
    Ok(if is_theirs { Extent::Whole } else { Extent::Organisation(organisation) })
}

/// Login and name of a person, whose row is locked.
///
/// # Errors
/// [`StoreError::NotFound`] if there is nobody, or they are erased already.
pub(super) fn lock(connection: &mut PgConnection, person: PersonId) -> Result<(String, String)> {
    Ok(people::table
        .find(person.0)
        .filter(people::erased_at.is_null())
        .select((people::login, people::display_name))
        .for_update()
        .first(connection)?)
}
