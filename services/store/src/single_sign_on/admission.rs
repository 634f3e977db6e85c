//! Letting somebody in whom an identity provider has signed in: which account they have, and what their groups give.
//!
//! What a connection gives bears its mark (`granted_by`). At each sign-in exactly what the groups give now is what
//! stands: memberships with the mark are added, changed and removed; nothing without it is touched, and no owner is.
//! A refusal is an outcome and not an error: what it takes away must be committed too.

use std::collections::BTreeMap;

use chrono::Utc;
use diesel::prelude::*;
use kinora_core::permission::{OrganisationRole, ProductionRoles};
use kinora_core::{ConnectionId, OrganisationId, PersonId, ProductionId};
use serde_json::json;
use uuid::Uuid;

use super::{connections, domains, identities};
use crate::audit::{self, Act, Origin, PERSON};
use crate::principals::{RoleColumns, organisation_role, production_roles, role_columns};
use crate::productions::MembershipState;
use crate::provisioning::standing;
use crate::schema::{
    organisation_members, people, production_members, productions, provisioned_users, saml_identities,
};
use crate::sign_in::login_key;
use crate::{Result, StoreError, belonging, events, service_accounts};

/// What somebody's groups give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    /// The role in the organisation, never owner.
    pub role: OrganisationRole,
    /// Roles in its productions.
    pub productions: BTreeMap<ProductionId, ProductionRoles>,
}

/// Somebody whom an identity provider has signed in.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The connection they come through.
    pub connection: ConnectionId,
    /// The connection's name, for the audit trail.
    pub connection_name: String,
    /// The connection's organisation.
    pub organisation: OrganisationId,
    /// Who they are there, once and for all.
    pub subject: String,
    /// Their e-mail address and its domain (lower case, A-labels), if there is one that mail can be sent to.
    pub address: Option<(String, String)>,
    /// How they are called.
    pub display_name: Option<String>,
    /// What their groups give; none: they are not to be let in.
    pub grants: Option<Grants>,
    /// The account that they have asked, signed in to it, to be joined with.
    pub link_to: Option<PersonId>,
    /// What provisioning may know them by: the value of the subject, and the address.
    pub names: Vec<String>,
    /// Whether people in none of the groups become members as well.
    pub admits_everyone: bool,
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdmitted {
    /// None of their groups is for Kinora.
    NoGroup,
    /// No address that an account could be made for.
    NoAddress,
    /// The address is of a domain that is not confirmed as the organisation's.
    ForeignAddress,
    /// There is an account of that address, or one that the provider knew, which has roles elsewhere.
    AccountElsewhere,
    /// There is an account of that address, which is an owner's.
    OwnersAccount,
    /// There is an account of that address, which is somebody's at another connection.
    KnownElsewhere,
    /// The provider's person belongs to another account.
    LinkedToAnother,
    /// The account may not sign in.
    Disabled,
}

/// What became of it.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// They are let in as this person, who signs in with this login.
    Admitted {
        /// The person.
        person: PersonId,
        /// The login.
        login: String,
        /// What was changed: to be given to [`record`] when everything else of the transaction is done.
        acts: Vec<Act>,
    },
    /// They are not; the person is told where it is known.
    Refused(NotAdmitted, Option<PersonId>),
}

/// Lets somebody in, in the running transaction. `visitor` says where they come from; changes are recorded as theirs.
///
/// # Errors
/// If the database fails.
pub fn admit(connection: &mut PgConnection, visitor: &Origin, arrival: &Arrival) -> Result<Outcome> {
    let known = identities::find(connection, arrival.connection, &arrival.subject)?;
    let standing = standing::of_arrival(connection, arrival, known)?;
    if let Some(standing) = standing.as_ref().filter(|standing| !standing.active) {
        return Ok(Outcome::Refused(NotAdmitted::Disabled, Some(standing.person)));
    }
    let judged = standing.as_ref().and_then(|standing| standing.grants.clone());
    let decided = judged.map(|grants| Arrival { grants, ..arrival.clone() });
    let arrival = decided.as_ref().unwrap_or(arrival);
    let (person, is_new) = match (known, arrival.link_to) {
        (Some(known), Some(asked)) if known != asked => {
            return Ok(Outcome::Refused(NotAdmitted::LinkedToAnother, Some(asked)));
        }
        (Some(known), _) => {
            let here = (arrival.organisation, arrival.connection);
            if arrival.grants.is_some() && !belonging::may_return(connection, here, known)? {
                return Ok(Outcome::Refused(NotAdmitted::AccountElsewhere, Some(known)));
            }
            (known, false)
        }
        (None, Some(asked)) => (asked, false),
        (None, None) => match find_or_make(connection, arrival, standing.map(|standing| standing.person))? {
            Ok(found) => found,
            Err(refused) => return Ok(refused),
        },
    };
    // Two sign-ins of one person wait for each other here.
    let (login, name, disabled): (String, String, bool) = people::table
        .find(person.0)
        .select((people::login, people::display_name, people::disabled_at.is_not_null()))
        .for_update()
        .first(connection)?;
    if disabled {
        return Ok(Outcome::Refused(NotAdmitted::Disabled, Some(person)));
    }
    let mut acts = Vec::new();
    if arrival.grants.is_some() && known.is_none() {
        if identities::assign(connection, arrival.connection, &arrival.subject, person)? != person {
            return Ok(Outcome::Refused(NotAdmitted::LinkedToAnother, Some(person)));
        }
        let act = Act::new("identity.linked", PERSON, person, &login).in_organisation(arrival.organisation);
        acts.push(act.after(json!({ "connection": arrival.connection_name, "new_account": is_new })));
    }
    let login = update_person(connection, arrival, (person, login, name), &mut acts)?;
    apply(connection, arrival, (person, &login), &mut acts)?;
    if arrival.grants.is_none() {
        record(connection, visitor, (person, &login), acts)?;
        return Ok(Outcome::Refused(NotAdmitted::NoGroup, Some(person)));
    }
    identities::note_use(connection, arrival.connection, &arrival.subject, Utc::now())?;
    Ok(Outcome::Admitted { person, login, acts })
}

/// Separates the provider's people of a connection from somebody's account: what the connection gave goes, and none of
/// their sessions counts as begun through it any more.
///
/// # Errors
/// [`StoreError::NotFound`] if none is joined with it; [`StoreError::Conflict`] if there would be no way to sign in.
pub fn separate(
    connection: &mut PgConnection,
    origin: &Origin,
    person: PersonId,
    id: ConnectionId,
) -> Result<()> {
    let (login, has_password): (String, bool) = people::table
        .find(person.0)
        .select((people::login, people::password_hash.is_not_null()))
        .for_update()
        .first(connection)?;
    let subjects = identities::remove(connection, id, person)?;
    let stored = connections::find(connection, id)?.filter(|_| !subjects.is_empty());
    let Some(stored) = stored else { return Err(StoreError::NotFound) };
    if !has_password {
        return Err(StoreError::Conflict(
            "This account has no password: without the studio account you could not sign in. Ask an administrator \
             for a link with which you choose one."
                .to_owned(),
        ));
    }
    super::sessions::forget(connection, id, person)?;
    let nothing = Arrival {
        connection: id,
        connection_name: stored.name.clone(),
        organisation: OrganisationId(stored.organisation_id),
        subject: String::new(),
        address: None,
        display_name: None,
        grants: None,
        link_to: None,
        names: Vec::new(),
        admits_everyone: false,
    };
    let act = Act::new("identity.separated", PERSON, person, &login).in_organisation(nothing.organisation);
    let mut acts = vec![act.before(json!({ "connection": stored.name }))];
    apply(connection, &nothing, (person, &login), &mut acts)?;
    audit::record_all(connection, origin, acts)
}

/// Records what [`admit`] has changed, as done by the person.
///
/// # Errors
/// If the database fails.
pub fn record(
    connection: &mut PgConnection,
    visitor: &Origin,
    (person, login): (PersonId, &str),
    acts: Vec<Act>,
) -> Result<()> {
    let origin = Origin { actor_id: Some(person), actor: login.to_owned(), ..visitor.clone() };
    audit::record_all(connection, &origin, acts)
}

/// The account of somebody who comes for the first time, and whether it was made for them.
fn find_or_make(
    connection: &mut PgConnection,
    arrival: &Arrival,
    provisioned: Option<PersonId>,
) -> Result<Result<(PersonId, bool), Outcome>> {
    if arrival.grants.is_none() {
        return Ok(Err(Outcome::Refused(NotAdmitted::NoGroup, None)));
    }
    let found = match provisioned {
        Some(person) => require_own(connection, arrival, person)?.map(|()| (person, false)),
        None => account_for(connection, arrival)?,
    };
    Ok(found.map_err(|(why, person)| Outcome::Refused(why, person)))
}

/// Why somebody has no account here, and whose it would be.
pub(crate) type NoAccount = (NotAdmitted, Option<PersonId>);

/// The account of the address of somebody whom the provider speaks of for the first time, and whether it was made for them.
pub(crate) fn account_for(
    connection: &mut PgConnection,
    arrival: &Arrival,
) -> Result<Result<(PersonId, bool), NoAccount>> {
    let Some((address, domain)) = &arrival.address else { return Ok(Err((NotAdmitted::NoAddress, None))) };
    // An address is a login in the whole installation: a provider may speak only of those that are its own.
    if !domains::is_verified(connection, arrival.organisation, domain)? {
        return Ok(Err((NotAdmitted::ForeignAddress, None)));
    }
    let key = login_key(address);
    let id = PersonId::new();
    let made = diesel::insert_into(people::table)
        .values((
            people::id.eq(id.0),
            people::login.eq(address.trim()),
            people::login_key.eq(&key),
            people::display_name.eq(arrival.display_name.as_deref().unwrap_or(address)),
            people::made_by.eq(arrival.connection.0),
        ))
        .on_conflict_do_nothing()
        .execute(connection)?;
    if made > 0 {
        return Ok(Ok((id, true)));
    }
    let existing: Uuid =
        people::table.filter(people::login_key.eq(&key)).select(people::id).first(connection)?;
    let existing = PersonId(existing);
    Ok(require_own(connection, arrival, existing)?.map(|()| (existing, false)))
}

/// Refuses an account that whoever runs the provider must not get at by naming it.
fn require_own(
    connection: &mut PgConnection,
    arrival: &Arrival,
    person: PersonId,
) -> Result<Result<(), NoAccount>> {
    // Of two that come first through different connections, the second sees what the first has become.
    let _: Uuid = people::table.find(person.0).select(people::id).for_update().first(connection)?;
    if belonging::is_elsewhere(connection, arrival.organisation, person)? {
        return Ok(Err((NotAdmitted::AccountElsewhere, Some(person))));
    }
    // Whoever runs the provider could name any address: that must not be enough to own the organisation.
    if is_owner(connection, arrival.organisation, person)? {
        return Ok(Err((NotAdmitted::OwnersAccount, Some(person))));
    }
    // Nor to be somebody whom another provider vouches for: providers may give one address to different people.
    if is_known_elsewhere(connection, arrival.connection, person)? {
        return Ok(Err((NotAdmitted::KnownElsewhere, Some(person))));
    }
    Ok(Ok(()))
}

/// Whether another connection knows a person: they have signed in through it, or it has provisioned them. What a connection
/// knew goes with it.
fn is_known_elsewhere(connection: &mut PgConnection, owner: ConnectionId, person: PersonId) -> Result<bool> {
    let joined = saml_identities::table
        .filter(saml_identities::person_id.eq(person.0))
        .filter(saml_identities::connection_id.ne(owner.0));
    let provisioned = provisioned_users::table
        .filter(provisioned_users::person_id.eq(person.0))
        .filter(provisioned_users::connection_id.ne(owner.0));
    let (joined, provisioned): (bool, bool) =
        diesel::select((diesel::dsl::exists(joined), diesel::dsl::exists(provisioned)))
            .get_result(connection)?;
    Ok(joined || provisioned)
}

fn is_owner(connection: &mut PgConnection, organisation: OrganisationId, person: PersonId) -> Result<bool> {
    let owner = organisation_members::table
        .find((organisation.0, person.0))
        .filter(organisation_members::role.eq(OrganisationRole::Owner.name()));
    Ok(diesel::select(diesel::dsl::exists(owner)).get_result(connection)?)
}

/// Takes over name and address as the provider has them now, of people who are nowhere else: elsewhere others may know
/// them by what they have. The name only of an account that the connection made: who was here before, and joined
/// their account with it, has chosen their own. Gives the login.
pub(crate) fn update_person(
    connection: &mut PgConnection,
    arrival: &Arrival,
    (person, login, name): (PersonId, String, String),
    acts: &mut Vec<Act>,
) -> Result<String> {
    let maker: Option<Uuid> = people::table.find(person.0).select(people::made_by).first(connection)?;
    let is_ours = maker == Some(arrival.connection.0);
    let new_name = arrival.display_name.as_ref().filter(|new| is_ours && **new != name);
    let new_login = arrival.address.as_ref().filter(|(new, _)| login_key(new) != login_key(&login));
    if arrival.grants.is_none()
        || (new_name.is_none() && new_login.is_none())
        || belonging::is_elsewhere(connection, arrival.organisation, person)?
    {
        return Ok(login);
    }
    let now = Utc::now();
    if let Some(new) = new_name {
        diesel::update(people::table.find(person.0))
            .set((
                people::display_name.eq(new),
                people::updated_at.eq(now),
                people::revision.eq(people::revision + 1),
            ))
            .execute(connection)?;
        let act = Act::new("person.renamed", PERSON, person, &login).in_organisation(arrival.organisation);
        acts.push(act.before(json!({ "name": name })).after(json!({ "name": new })));
    }
    match new_login {
        Some((new, domain)) => move_login(connection, arrival, (person, login), (new, domain), acts),
        None => Ok(login),
    }
}

/// Gives an account the address that it has at the provider now, if both are the organisation's and it is free.
fn move_login(
    connection: &mut PgConnection,
    arrival: &Arrival,
    (person, login): (PersonId, String),
    (new, domain): (&str, &str),
    acts: &mut Vec<Act>,
) -> Result<String> {
    let former = login.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase()).unwrap_or_default();
    let key = login_key(new);
    let taken: i64 = people::table.filter(people::login_key.eq(&key)).count().get_result(connection)?;
    if taken > 0
        || !domains::is_verified(connection, arrival.organisation, &former)?
        || !domains::is_verified(connection, arrival.organisation, domain)?
    {
        return Ok(login);
    }
    diesel::update(people::table.find(person.0))
        .set((
            people::login.eq(new.trim()),
            people::login_key.eq(&key),
            people::updated_at.eq(Utc::now()),
            people::revision.eq(people::revision + 1),
        ))
        .execute(connection)?;
    let act = Act::new("login.changed", PERSON, person, &login).in_organisation(arrival.organisation);
    acts.push(act.before(json!({ "login": login })).after(json!({ "login": new.trim() })));
    Ok(new.trim().to_owned())
}

/// Makes what the connection has given what the groups give now.
pub(crate) fn apply(
    connection: &mut PgConnection,
    arrival: &Arrival,
    who: (PersonId, &str),
    acts: &mut Vec<Act>,
) -> Result<()> {
    let here = (arrival.organisation, arrival.connection);
    if arrival.grants.is_some() && !belonging::may_return(connection, here, who.0)? {
        return Ok(());
    }
    apply_role(connection, arrival, who, acts)?;
    apply_productions(connection, arrival, who, acts)
}

fn apply_role(
    connection: &mut PgConnection,
    arrival: &Arrival,
    (person, login): (PersonId, &str),
    acts: &mut Vec<Act>,
) -> Result<()> {
    let key = (arrival.organisation.0, person.0);
    let stored: Option<(String, Option<Uuid>)> = organisation_members::table
        .find(key)
        .select((organisation_members::role, organisation_members::granted_by))
        .for_update()
        .first(connection)
        .optional()?;
    let wanted = arrival.grants.as_ref().map(|grants| grants.role);
    let state = |role: OrganisationRole| json!({ "role": role, "connection": arrival.connection_name });
    let act = |action| Act::new(action, PERSON, person, login).in_organisation(arrival.organisation);
    match (stored, wanted) {
        (None, Some(role)) => {
            let begins_anew = belonging::arrive(connection, arrival.organisation, person)?;
            diesel::insert_into(organisation_members::table)
                .values((
                    organisation_members::organisation_id.eq(arrival.organisation.0),
                    organisation_members::person_id.eq(person.0),
                    organisation_members::role.eq(role.name()),
                    organisation_members::granted_by.eq(Some(arrival.connection.0)),
                ))
                .execute(connection)?;
            let after = json!({
                "role": role, "connection": arrival.connection_name, "begins_anew": begins_anew,
            });
            acts.push(act("person.added").after(after));
        }
        (Some((stored, by)), wanted) if by == Some(arrival.connection.0) => {
            let stored = organisation_role(&stored)?;
            if stored == OrganisationRole::Owner || Some(stored) == wanted {
                return Ok(());
            }
            match wanted {
                Some(role) => {
                    diesel::update(organisation_members::table.find(key))
                        .set((
                            organisation_members::role.eq(role.name()),
                            organisation_members::revision.eq(organisation_members::revision + 1),
                        ))
                        .execute(connection)?;
                    acts.push(act("person.changed").before(state(stored)).after(state(role)));
                }
                None => {
                    diesel::delete(organisation_members::table.find(key)).execute(connection)?;
                    service_accounts::note_departure(connection, arrival.organisation, (person, login))?;
                    acts.push(act("person.removed").before(state(stored)));
                }
            }
        }
        // Given by hand, or by another connection; or there is nothing and nothing is given.
        _ => {}
    }
    Ok(())
}

/// What is to become of a membership: the roles before, and those after.
struct Change {
    production: ProductionId,
    before: ProductionRoles,
    after: ProductionRoles,
}

fn apply_productions(
    connection: &mut PgConnection,
    arrival: &Arrival,
    (person, login): (PersonId, &str),
    acts: &mut Vec<Act>,
) -> Result<()> {
    let changes = find_changes(connection, arrival, person)?;
    let ids: Vec<Uuid> = changes.iter().map(|change| change.production.0).collect();
    // First the productions, as whoever changes members by hand does, and in one order.
    let _: Vec<Uuid> = productions::table
        .filter(productions::id.eq_any(&ids))
        .order(productions::id)
        .select(productions::id)
        .for_update()
        .load(connection)?;
    let mut changed = Vec::new();
    for change in changes {
        if write_change(connection, arrival.connection, person, &change)? {
            changed.push(change);
        }
    }
    for change in &changed {
        events::record_membership(connection, change.production, person)?;
    }
    for change in changed {
        let before = MembershipState { roles: &change.before, ends_at: None };
        let after = json!({
            "office": change.after.office, "library": change.after.library,
            "subtitling": change.after.subtitling, "budget": change.after.budget,
            "connection": arrival.connection_name,
        });
        let act = Act::new("membership.changed", PERSON, person, login)
            .in_organisation(arrival.organisation)
            .in_production(change.production);
        acts.push(act.before(before).after(after));
    }
    Ok(())
}

/// What differs, by production.
fn find_changes(connection: &mut PgConnection, arrival: &Arrival, person: PersonId) -> Result<Vec<Change>> {
    let rows: Vec<(Uuid, RoleColumns, Option<Uuid>)> = production_members::table
        .inner_join(productions::table)
        .filter(production_members::person_id.eq(person.0))
        .filter(productions::organisation_id.eq(arrival.organisation.0))
        .filter(productions::removed_at.is_null())
        .select((
            productions::id,
            (
                production_members::office_role,
                production_members::library_role,
                production_members::subtitling_role,
                production_members::budget_role,
            ),
            production_members::granted_by,
        ))
        .load(connection)?;
    let mut wanted = arrival.grants.as_ref().map(|grants| grants.productions.clone()).unwrap_or_default();
    let mut changes = Vec::new();
    for (id, columns, by) in rows {
        let production = ProductionId(id);
        let after = wanted.remove(&production).unwrap_or_default();
        let before = production_roles(&columns)?;
        if by == Some(arrival.connection.0) && before != after {
            changes.push(Change { production, before, after });
        }
    }
    for (production, after) in wanted.into_iter().filter(|(_, roles)| !roles.is_empty()) {
        changes.push(Change { production, before: ProductionRoles::default(), after });
    }
    changes.sort_by_key(|change| change.production);
    Ok(changes)
}

/// Writes one membership; whether it was still what it was found to be.
fn write_change(
    connection: &mut PgConnection,
    owner: ConnectionId,
    person: PersonId,
    change: &Change,
) -> Result<bool> {
    let key = (change.production.0, person.0);
    let own = production_members::table.find(key).filter(production_members::granted_by.eq(Some(owner.0)));
    if change.after.is_empty() {
        return Ok(diesel::delete(own).execute(connection)? > 0);
    }
    let (office, library, subtitling, budget) = role_columns(&change.after);
    let columns = (
        production_members::office_role.eq(office),
        production_members::library_role.eq(library),
        production_members::subtitling_role.eq(subtitling),
        production_members::budget_role.eq(budget),
    );
    if !change.before.is_empty() {
        let set = (columns, production_members::revision.eq(production_members::revision + 1));
        return Ok(diesel::update(own).set(set).execute(connection)? > 0);
    }
    let written = diesel::insert_into(production_members::table)
        .values((
            production_members::production_id.eq(change.production.0),
            production_members::person_id.eq(person.0),
            production_members::granted_by.eq(Some(owner.0)),
            columns,
        ))
        .on_conflict_do_nothing()
        .execute(connection)?;
    Ok(written > 0)
}

/// The login of a person who may sign in.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find_login(connection: &mut PgConnection, person: PersonId) -> Result<String> {
    let found: Option<String> = people::table
        .find(person.0)
        .filter(people::disabled_at.is_null())
        .select(people::login)
        .first(connection)
        .optional()?;
    found.ok_or(StoreError::NotFound)
}
