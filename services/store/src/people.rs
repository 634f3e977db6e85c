//! People and their places in organisations.
//!
//! What is changed about a person (a new password link, disabling) concerns all organisations that
//! the person belongs to. So it takes somebody who could give the person's role in each of them:
//! an administrator of one studio must not get at the owner of another through a shared account. The
//! organisations in whose productions the person is a guest count as well.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use kinora_core::mail::SecurityNotice;
use kinora_core::permission::OrganisationRole;
use kinora_core::{OrganisationId, PersonId, ProductionId};
use serde_json::json;
use uuid::Uuid;

use crate::audit::{self, Act, Origin};
use crate::notices::{self, Scene};
use crate::principals::{Principal, organisation_role};
use crate::schema::{organisation_members, people, production_members, productions};
use crate::second_factors::{self, pending};
use crate::sign_in::login_key;
use crate::{
    Result, StoreError, belonging, events, organisations, password_links, security, service_accounts,
    sessions,
};

/// A person in an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganisationPerson {
    /// The person.
    pub id: PersonId,
    /// What they sign in with.
    pub login: String,
    /// How they are called.
    pub display_name: String,
    /// The role in the organisation.
    pub role: OrganisationRole,
    /// Whether they have ever set a password.
    pub has_password: bool,
    /// Whether they have a second factor.
    pub has_second_factor: bool,
    /// Since when they may not sign in.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Since when they belong to the organisation.
    pub created_at: DateTime<Utc>,
    /// Counts the changes of the person and of their place in the organisation.
    pub revision: i64,
}

type Row = (Uuid, String, String, String, bool, Option<DateTime<Utc>>, DateTime<Utc>, i64, i64, bool);

type Columns = (
    people::id,
    people::login,
    people::display_name,
    organisation_members::role,
    diesel::dsl::IsNotNull<people::password_hash>,
    people::disabled_at,
    organisation_members::created_at,
    people::revision,
    organisation_members::revision,
    SqlLiteral<Bool>,
);

/// Whether the person has an authenticator app or a passkey.
pub(crate) const HAS_SECOND_FACTOR: &str = "(EXISTS (SELECT FROM totp_factors f WHERE f.person_id = people.id) \
     OR EXISTS (SELECT FROM passkeys k WHERE k.person_id = people.id))";

/// The same, or that codes by mail count for them.
const HAS_ANY_FACTOR: &str = concat!(
    "(EXISTS (SELECT FROM totp_factors f WHERE f.person_id = people.id) \
     OR EXISTS (SELECT FROM passkeys k WHERE k.person_id = people.id) OR ",
    crate::second_factors::email_codes::usable_sql!(),
    ")"
);

fn columns() -> Columns {
    (
        people::id,
        people::login,
        people::display_name,
        organisation_members::role,
        people::password_hash.is_not_null(),
        people::disabled_at,
        organisation_members::created_at,
        people::revision,
        organisation_members::revision,
        diesel::dsl::sql(HAS_ANY_FACTOR),
    )
}

fn read(row: Row) -> Result<OrganisationPerson> {
    let (
        id,
        login,
        display_name,
        role,
        has_password,
        disabled_at,
        created_at,
        first,
        second,
        has_second_factor,
    ) = row;
    Ok(OrganisationPerson {
        id: PersonId(id),
        login,
        display_name,
        role: organisation_role(&role)?,
        has_password,
        has_second_factor,
        disabled_at,
        created_at,
        // Both only grow, so their sum shows a change of either.
        revision: first + second,
    })
}

/// The logins of people, by id.
///
/// # Errors
/// If the database fails.
pub fn logins(connection: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, String>> {
    let rows: Vec<(Uuid, String)> =
        people::table.filter(people::id.eq_any(ids)).select((people::id, people::login)).load(connection)?;
    Ok(rows.into_iter().collect())
}

/// Escapes what `LIKE` would take for a pattern.
pub(crate) fn pattern(text: &str) -> String {
    format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

/// People of an organisation by login, those after `after`; only those whose login or name contains
/// `search`.
///
/// # Errors
/// If the database fails.
pub fn list(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    search: Option<&str>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<OrganisationPerson>> {
    let mut query = organisation_members::table
        .inner_join(people::table)
        .filter(organisation_members::organisation_id.eq(organisation.0))
        .order(people::login_key)
        .limit(limit)
        .select(columns())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(people::login_key.gt(login_key(after)));
    }
    if let Some(search) = search {
        let pattern = pattern(search);
        query = query.filter(people::login.ilike(pattern.clone()).or(people::display_name.ilike(pattern)));
    }
    let rows: Vec<Row> = query.load(connection)?;
    rows.into_iter().map(read).collect()
}

/// A person of an organisation.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    person: PersonId,
) -> Result<OrganisationPerson> {
    let row: Row = organisation_members::table
        .inner_join(people::table)
        .filter(organisation_members::organisation_id.eq(organisation.0))
        .filter(organisation_members::person_id.eq(person.0))
        .select(columns())
        .first(connection)?;
    read(row)
}

/// A person to be added to an organisation, and the one-time link they get.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// What they sign in with.
    pub login: String,
    /// How they are called.
    pub display_name: String,
    /// The role.
    pub role: OrganisationRole,
    /// SHA-256 of the link's token.
    pub link_digest: [u8; 32],
    /// How long the link holds.
    pub link_validity: TimeDelta,
}

/// Adds a person to an organisation, making the account if there is none of that login. Gives the end of
/// the one-time link; none if the person has a password already.
///
/// # Errors
/// [`StoreError::Forbidden`] if the caller may not give that role; [`StoreError::Conflict`] if the login
/// is taken by somebody whom the caller does not administer.
pub fn create(
    connection: &mut PgConnection,
    origin: &Origin,
    caller: &Principal,
    organisation: OrganisationId,
    new: &NewPerson,
) -> Result<(OrganisationPerson, Option<DateTime<Utc>>)> {
    let may = caller.organisation_role(organisation).is_some_and(|role| role.may_grant(new.role));
    if !may {
        return Err(StoreError::Forbidden);
    }
    let key = login_key(&new.login);
    let existing: Option<Uuid> =
        people::table.filter(people::login_key.eq(&key)).select(people::id).first(connection).optional()?;
    let person = match existing {
        Some(id) => adopt(connection, caller, organisation, PersonId(id))?,
        None => insert(connection, new, &key)?,
    };
    organisations::insert_member(connection, organisation, person, new.role)?;
    let made = find(connection, organisation, person)?;
    let expires_at = if made.has_password {
        None
    } else {
        let by = origin.actor_id;
        Some(password_links::create(connection, person, by, &new.link_digest, new.link_validity)?)
    };
    let act = Act::new("person.added", "person", person, &made.login).in_organisation(organisation);
    let after =
        json!({ "role": new.role, "display_name": made.display_name, "new_account": existing.is_none() });
    audit::record(connection, origin, act.after(after))?;
    Ok((made, expires_at))
}

fn taken() -> StoreError {
    StoreError::Conflict("This login is taken.".to_owned())
}

/// An existing account may be added by somebody who administers all its organisations, or did as long as it had any: they
/// know it anyway. For everybody else the login is just taken. One that belongs to nobody any more begins anew.
fn adopt(
    connection: &mut PgConnection,
    caller: &Principal,
    organisation: OrganisationId,
    person: PersonId,
) -> Result<PersonId> {
    if places_of(connection, person)?.iter().any(|(id, _)| *id == organisation.0) {
        return Err(StoreError::Conflict("This person belongs to the organisation already.".to_owned()));
    }
    if belonging::is_anywhere(connection, person)? {
        return if administers_everywhere(connection, caller, person)? { Ok(person) } else { Err(taken()) };
    }
    if !belonging::was_always_of(connection, caller, person)? {
        return Err(taken());
    }
    belonging::begin_anew(connection, person)?;
    Ok(person)
}

fn insert(connection: &mut PgConnection, new: &NewPerson, key: &str) -> Result<PersonId> {
    let id = PersonId::new();
    diesel::insert_into(people::table)
        .values((
            people::id.eq(id.0),
            people::login.eq(new.login.trim()),
            people::login_key.eq(key),
            people::display_name.eq(&new.display_name),
        ))
        .execute(connection)
        .map_err(|error| match StoreError::from(error) {
            // Somebody else made it in the same moment.
            error if error.violated_unique_constraint().is_some() => taken(),
            error => error,
        })?;
    Ok(id)
}

pub(crate) fn places_of(
    connection: &mut PgConnection,
    person: PersonId,
) -> Result<Vec<(Uuid, OrganisationRole)>> {
    let rows: Vec<(Uuid, String)> = organisation_members::table
        .filter(organisation_members::person_id.eq(person.0))
        .order(organisation_members::organisation_id)
        .select((organisation_members::organisation_id, organisation_members::role))
        .load(connection)?;
    rows.into_iter().map(|(id, role)| Ok((id, organisation_role(&role)?))).collect()
}

/// Whether the caller could give the person's role in every organisation that it would concern if the
/// account passed to somebody else: those they belong to, and those whose guest they are or were. Of an account without any
/// place this says nothing: who asks this has found the person in an organisation, or asks [`belonging`] first.
pub(crate) fn administers_everywhere(
    connection: &mut PgConnection,
    caller: &Principal,
    person: PersonId,
) -> Result<bool> {
    let may =
        |id: Uuid, role| caller.organisation_role(OrganisationId(id)).is_some_and(|own| own.may_grant(role));
    let places = places_of(connection, person)?;
    let hosts: Vec<Uuid> = production_members::table
        .inner_join(productions::table)
        .filter(production_members::person_id.eq(person.0))
        .select(productions::organisation_id)
        .distinct()
        .load(connection)?;
    Ok(places.into_iter().all(|(id, role)| may(id, role))
        && hosts.into_iter().all(|id| may(id, OrganisationRole::Member)))
}

/// What is to be changed about a person in an organisation.
#[derive(Clone, Copy, Debug, Default)]
pub struct PersonChange {
    /// Another role in this organisation.
    pub role: Option<OrganisationRole>,
    /// Whether they may sign in at all.
    pub disabled: Option<bool>,
}

/// Changes a person in an organisation. `is_expected` says whether the stored revision is one that the
/// caller has seen.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::RevisionMismatch`]; [`StoreError::Forbidden`] if the caller may
/// not; [`StoreError::Conflict`] if an organisation would be without an owner.
pub fn change(
    connection: &mut PgConnection,
    origin: &Origin,
    caller: &Principal,
    (organisation, person): (OrganisationId, PersonId),
    is_expected: impl FnOnce(i64) -> bool,
    change: PersonChange,
) -> Result<OrganisationPerson> {
    let places = places_of(connection, person)?;
    let ids: Vec<Uuid> = places.iter().map(|(id, _)| *id).collect();
    organisations::lock(connection, &ids)?;
    // Again, because it may have changed before the lock.
    let places = places_of(connection, person)?;
    let stored = find(connection, organisation, person)?;
    if !is_expected(stored.revision) {
        return Err(StoreError::RevisionMismatch { current: stored.revision });
    }
    let own = caller.organisation_role(organisation).ok_or(StoreError::NotFound)?;
    if let Some(role) = change.role.filter(|role| *role != stored.role) {
        if !own.may_grant(role) || !own.may_grant(stored.role) {
            return Err(StoreError::Forbidden);
        }
        set_role(connection, organisation, person, role)?;
        organisations::require_owner(connection, organisation.0)?;
    }
    let is_disabled = stored.disabled_at.is_some();
    if let Some(disabled) = change.disabled.filter(|disabled| *disabled != is_disabled) {
        if !administers_everywhere(connection, caller, person)? {
            return Err(StoreError::Forbidden);
        }
        set_disabled(connection, person, disabled)?;
        if disabled {
            for (id, _) in &places {
                let leaver = (person, stored.login.as_str());
                service_accounts::note_departure(connection, OrganisationId(*id), leaver)?;
            }
        }
        for id in places.iter().filter(|(_, role)| *role == OrganisationRole::Owner).map(|(id, _)| *id) {
            organisations::require_owner(connection, id)?;
        }
    }
    let changed = find(connection, organisation, person)?;
    if changed.revision != stored.revision {
        let state = |person: &OrganisationPerson| json!({ "role": person.role, "disabled": person.disabled_at.is_some() });
        let act = Act::new("person.changed", "person", person, &stored.login).in_organisation(organisation);
        audit::record(connection, origin, act.before(state(&stored)).after(state(&changed)))?;
    }
    Ok(changed)
}

fn set_role(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    person: PersonId,
    role: OrganisationRole,
) -> Result<()> {
    diesel::update(organisation_members::table.find((organisation.0, person.0)))
        .set((
            organisation_members::role.eq(role.name()),
            // Only owners may sign in past a required provider, and nobody becomes owner with it.
            organisation_members::break_glass.eq(false),
            // Given by hand from now on: no connection takes it any more.
            organisation_members::granted_by.eq(None::<Uuid>),
            organisation_members::revision.eq(organisation_members::revision + 1),
        ))
        .execute(connection)?;
    Ok(())
}

fn set_disabled(connection: &mut PgConnection, person: PersonId, disabled: bool) -> Result<()> {
    let now = Utc::now();
    diesel::update(people::table.find(person.0))
        .set((
            people::disabled_at.eq(disabled.then_some(now)),
            people::updated_at.eq(now),
            people::revision.eq(people::revision + 1),
        ))
        .execute(connection)?;
    if disabled {
        // A person who is let in again signs in again.
        sessions::revoke_all(connection, person, None)?;
        pending::remove_all(connection, person)?;
    }
    Ok(())
}

/// Removes a person from an organisation and from all its productions. Everybody may remove themselves.
///
/// # Errors
/// As [`change`].
pub fn remove(
    connection: &mut PgConnection,
    origin: &Origin,
    caller: &Principal,
    (organisation, person): (OrganisationId, PersonId),
    is_expected: impl FnOnce(i64) -> bool,
) -> Result<()> {
    organisations::lock(connection, &[organisation.0])?;
    let stored = find(connection, organisation, person)?;
    if !is_expected(stored.revision) {
        return Err(StoreError::RevisionMismatch { current: stored.revision });
    }
    let own = caller.organisation_role(organisation).ok_or(StoreError::NotFound)?;
    if caller.person_id != person && !own.may_grant(stored.role) {
        return Err(StoreError::Forbidden);
    }
    let act = take_places(connection, organisation, (person, &stored.login, stored.role))?;
    audit::record(connection, origin, act)
}

/// Takes a person's place in an organisation and all roles in its productions; gives the act to record. To be called with
/// the organisation locked.
pub(crate) fn take_places(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    (person, login, role): (PersonId, &str, OrganisationRole),
) -> Result<Act> {
    let ended = take_productions(connection, organisation, person)?;
    diesel::delete(organisation_members::table.find((organisation.0, person.0))).execute(connection)?;
    organisations::require_owner(connection, organisation.0)?;
    service_accounts::note_departure(connection, organisation, (person, login))?;
    let before = json!({ "role": role, "productions": ended });
    Ok(Act::new("person.removed", "person", person, login).in_organisation(organisation).before(before))
}

/// Takes all roles of a person in the productions of an organisation; gives those productions.
pub(crate) fn take_productions(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    person: PersonId,
) -> Result<Vec<Uuid>> {
    let memberships = production_members::table.filter(production_members::person_id.eq(person.0)).filter(
        production_members::production_id.eq_any(
            productions::table
                .filter(productions::organisation_id.eq(organisation.0))
                .select(productions::id),
        ),
    );
    let mut ended: Vec<Uuid> =
        diesel::delete(memberships).returning(production_members::production_id).get_results(connection)?;
    ended.sort_unstable();
    for production in &ended {
        events::record_membership(connection, ProductionId(*production), person)?;
    }
    Ok(ended)
}

/// Makes a new one-time link for a person; earlier ones end. Gives its end.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::Forbidden`] if the caller does not administer the person
/// everywhere; [`StoreError::Conflict`] if the person is disabled.
pub fn create_password_link(
    connection: &mut PgConnection,
    origin: &Origin,
    caller: &Principal,
    (organisation, person): (OrganisationId, PersonId),
    digest: &[u8],
    validity: TimeDelta,
) -> Result<DateTime<Utc>> {
    let stored = find(connection, organisation, person)?;
    if !administers_everywhere(connection, caller, person)? {
        return Err(StoreError::Forbidden);
    }
    if stored.disabled_at.is_some() {
        return Err(StoreError::Conflict("This person is disabled and cannot sign in.".to_owned()));
    }
    let expires_at = password_links::create(connection, person, origin.actor_id, digest, validity)?;
    let act =
        Act::new("password_link.created", "person", person, &stored.login).in_organisation(organisation);
    audit::record(connection, origin, act.after(json!({ "expires_at": expires_at })))?;
    Ok(expires_at)
}

/// Takes all second factors of a person who has lost them, and ends their sessions: they sign in with the
/// password and begin anew.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::Forbidden`] if the caller does not administer the person
/// everywhere; [`StoreError::Conflict`] if they have none, or for oneself.
pub fn reset_factors(
    connection: &mut PgConnection,
    scene: &Scene,
    caller: &Principal,
    (organisation, person): (OrganisationId, PersonId),
) -> Result<()> {
    let stored = find(connection, organisation, person)?;
    if caller.person_id == person {
        return Err(StoreError::Conflict(
            "Add and remove your own factors on the page of your account.".to_owned(),
        ));
    }
    if !administers_everywhere(connection, caller, person)? {
        return Err(StoreError::Forbidden);
    }
    let before = second_factors::reset(connection, scene, person)?;
    security::require_glass_of(connection, person)?;
    let act = Act::new("factors.reset", audit::PERSON, person, &stored.login)
        .before(json!({ "authenticator": before.authenticator, "passkeys": before.passkey }));
    audit::record_personal(connection, &scene.origin, person, act)
}

/// Gives oneself another name.
///
/// # Errors
/// If the database fails.
pub fn rename(connection: &mut PgConnection, origin: &Origin, person: PersonId, name: &str) -> Result<()> {
    let before: String =
        people::table.find(person.0).select(people::display_name).for_update().first(connection)?;
    if before == name {
        return Ok(());
    }
    diesel::update(people::table.find(person.0))
        .set((
            people::display_name.eq(name),
            people::updated_at.eq(Utc::now()),
            people::revision.eq(people::revision + 1),
        ))
        .execute(connection)?;
    let act = Act::new("person.renamed", audit::PERSON, person, &origin.actor)
        .before(json!({ "name": before }))
        .after(json!({ "name": name }));
    audit::record_personal(connection, origin, person, act)
}

/// What a new password must not be made of, and the hash of the present one.
#[derive(Clone, Debug)]
pub struct PasswordSubject {
    /// What they sign in with.
    pub login: String,
    /// How they are called.
    pub display_name: String,
    /// Names of their organisations.
    pub organisations: Vec<String>,
    /// bcrypt hash.
    pub password_hash: Option<String>,
}

/// What is needed to judge a new password of a person.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find_password_subject(connection: &mut PgConnection, person: PersonId) -> Result<PasswordSubject> {
    use crate::schema::organisations as organisation_rows;
    let (login, display_name, password_hash) = people::table
        .find(person.0)
        .select((people::login, people::display_name, people::password_hash))
        .first(connection)?;
    let organisations = organisation_members::table
        .inner_join(organisation_rows::table)
        .filter(organisation_members::person_id.eq(person.0))
        .select(organisation_rows::name)
        .load(connection)?;
    Ok(PasswordSubject { login, display_name, organisations, password_hash })
}

/// Stores the hash of a new password. Leaves audit row and sessions to the caller.
pub(crate) fn store_password(
    connection: &mut PgConnection,
    person: PersonId,
    hash: &str,
    change_required: bool,
) -> Result<()> {
    diesel::update(people::table.find(person.0))
        .set((
            people::password_hash.eq(hash),
            people::password_change_required.eq(change_required),
            people::updated_at.eq(Utc::now()),
            people::revision.eq(people::revision + 1),
        ))
        .execute(connection)?;
    Ok(())
}

/// Stores a hash of the same password at a higher cost; `former` must still be the stored one.
///
/// # Errors
/// If the database fails.
pub fn rehash_password(
    connection: &mut PgConnection,
    person: PersonId,
    former: &str,
    hash: &str,
) -> Result<()> {
    diesel::update(people::table.find(person.0).filter(people::password_hash.eq(former)))
        .set(people::password_hash.eq(hash))
        .execute(connection)?;
    Ok(())
}

/// Changes one's own password: ends the other sessions, and one-time links that are still open.
///
/// # Errors
/// [`StoreError::Forbidden`] if `former` is not the stored hash any more.
pub fn change_password(
    connection: &mut PgConnection,
    scene: &Scene,
    person: PersonId,
    (former, hash): (&str, &str),
    session: kinora_core::SessionId,
) -> Result<()> {
    let stored: Option<String> =
        people::table.find(person.0).select(people::password_hash).for_update().first(connection)?;
    if stored.as_deref() != Some(former) {
        return Err(StoreError::Forbidden);
    }
    store_password(connection, person, hash, false)?;
    sessions::revoke_all(connection, person, Some(session))?;
    pending::remove_all(connection, person)?;
    notices::tell(connection, scene, person, SecurityNotice::PasswordChanged)?;
    let act = Act::new("password.changed", audit::PERSON, person, &scene.origin.actor);
    audit::record_personal(connection, &scene.origin, person, act)
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn searching_for_a_percent_sign_finds_percent_signs() {
        assert_eq!(pattern("50%_\\"), "%50\\%\\_\\\\%");
    }
}
