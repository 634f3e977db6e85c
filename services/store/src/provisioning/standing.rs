//! What provisioning makes of somebody: whether they may come in, and what their provisioned groups give.

use std::collections::HashMap;

use diesel::prelude::*;
use kinora_core::{ConnectionId, PersonId};
use uuid::Uuid;

use super::Source;
use crate::Result;
use crate::audit::Act;
use crate::schema::{
    people, production_members, productions, provisioned_groups, provisioned_members, provisioned_users,
};
use crate::sign_in::login_key;
use crate::single_sign_on::admission::{self, Arrival, Grants};
use crate::single_sign_on::rules::{self, GroupRule};

/// What is known of somebody who signs in.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// Their account.
    pub person: PersonId,
    /// Whether the provider wants them in.
    pub active: bool,
    /// What their groups give, if groups are provisioned through this connection; then assertions have no say in it.
    pub grants: Option<Option<Grants>>,
}

/// Whether groups are provisioned through a connection.
pub(super) fn has_groups(connection: &mut PgConnection, owner: ConnectionId) -> Result<bool> {
    let groups = provisioned_groups::table.filter(provisioned_groups::connection_id.eq(owner.0));
    Ok(diesel::select(diesel::dsl::exists(groups)).get_result(connection)?)
}

/// What provisioning knows of somebody who signs in: by their account, if that is known, else by what the provider calls
/// them. Names that fit several users are nobody's.
pub(crate) fn of_arrival(
    connection: &mut PgConnection,
    arrival: &Arrival,
    known: Option<PersonId>,
) -> Result<Option<Standing>> {
    let all = provisioned_users::table.filter(provisioned_users::connection_id.eq(arrival.connection.0));
    let found: Vec<(Uuid, Uuid, bool)> = match known {
        Some(person) => all
            .filter(provisioned_users::person_id.eq(person.0))
            .select((provisioned_users::id, provisioned_users::person_id, provisioned_users::active))
            .load(connection)?,
        None => {
            let keys: Vec<String> = arrival.names.iter().map(|name| login_key(name)).collect();
            all.filter(
                provisioned_users::user_name_key
                    .eq_any(keys)
                    .or(provisioned_users::external_id.eq_any(arrival.names.clone())),
            )
            .limit(2)
            .select((provisioned_users::id, provisioned_users::person_id, provisioned_users::active))
            .load(connection)?
        }
    };
    let [(user, person, active)] = found.as_slice() else { return Ok(None) };
    let grants = if has_groups(connection, arrival.connection)? {
        let rules = rules::of(connection, arrival.connection)?;
        let names = group_names(connection, &[*user])?;
        let names = names.get(user).map(Vec::as_slice).unwrap_or_default();
        Some(granted(&rules, names, arrival.admits_everyone))
    } else {
        None
    };
    Ok(Some(Standing { person: PersonId(*person), active: *active, grants }))
}

/// What these groups give.
fn granted(rules: &[GroupRule], names: &[String], admits_everyone: bool) -> Option<Grants> {
    rules::grants(rules.iter().filter(|rule| names.contains(&rule.group_name)), admits_everyone)
}

/// The names that rules know the groups of these users by: display names and external ids.
fn group_names(connection: &mut PgConnection, users: &[Uuid]) -> Result<HashMap<Uuid, Vec<String>>> {
    let rows: Vec<(Uuid, String, Option<String>)> = provisioned_members::table
        .inner_join(provisioned_groups::table)
        .filter(provisioned_members::user_id.eq_any(users))
        .select((
            provisioned_members::user_id,
            provisioned_groups::display_name,
            provisioned_groups::external_id,
        ))
        .load(connection)?;
    let mut names: HashMap<Uuid, Vec<String>> = HashMap::new();
    for (user, display_name, external_id) in rows {
        let of_user = names.entry(user).or_default();
        of_user.push(display_name);
        of_user.extend(external_id);
    }
    Ok(names)
}

/// Somebody as [`admission`] takes them.
pub(super) fn arrival(source: &Source, grants: Option<Grants>) -> Arrival {
    Arrival {
        connection: source.connection,
        connection_name: source.connection_name.clone(),
        organisation: source.organisation,
        subject: String::new(),
        names: Vec::new(),
        address: None,
        display_name: None,
        grants,
        link_to: None,
        admits_everyone: source.admits_everyone,
    }
}

/// Makes what these users' groups give what stands, for those of them that are active.
pub(super) fn apply(
    connection: &mut PgConnection,
    source: &Source,
    users: &[Uuid],
    acts: &mut Vec<Act>,
) -> Result<()> {
    // In one order, as everybody who locks several accounts.
    let people: Vec<(Uuid, Uuid, String)> = provisioned_users::table
        .inner_join(people::table.on(people::id.eq(provisioned_users::person_id)))
        .filter(provisioned_users::id.eq_any(users))
        .filter(provisioned_users::connection_id.eq(source.connection.0))
        .filter(provisioned_users::active)
        .filter(people::disabled_at.is_null())
        .order(people::id)
        .select((provisioned_users::id, people::id, people::login))
        .load(connection)?;
    let ids: Vec<Uuid> = people.iter().map(|(_, person, _)| *person).collect();
    let _: Vec<Uuid> = people::table
        .filter(people::id.eq_any(&ids))
        .order(people::id)
        .select(people::id)
        .for_update()
        .load(connection)?;
    let rules = rules::of(connection, source.connection)?;
    lock_productions(connection, source, &rules, &ids)?;
    let names = group_names(connection, users)?;
    for (user, person, login) in people {
        let names = names.get(&user).map(Vec::as_slice).unwrap_or_default();
        let arrival = arrival(source, granted(&rules, names, source.admits_everyone));
        admission::apply(connection, &arrival, (PersonId(person), &login), acts)?;
    }
    Ok(())
}

/// Locks the productions that may change, in the order of everybody else: for several people one after the other it would
/// be another one.
fn lock_productions(
    connection: &mut PgConnection,
    source: &Source,
    rules: &[GroupRule],
    people: &[Uuid],
) -> Result<()> {
    let mut ids: Vec<Uuid> = production_members::table
        .filter(production_members::person_id.eq_any(people))
        .filter(production_members::granted_by.eq(Some(source.connection.0)))
        .select(production_members::production_id)
        .distinct()
        .load(connection)?;
    ids.extend(rules.iter().filter_map(|rule| rule.production_id).map(Uuid::from));
    let _: Vec<Uuid> = productions::table
        .filter(productions::id.eq_any(ids))
        .order(productions::id)
        .select(productions::id)
        .for_update()
        .load(connection)?;
    Ok(())
}

/// Makes the rules of a connection what stands for all its provisioned people whose groups a rule names.
///
/// # Errors
/// If the database fails.
pub(crate) fn reapply(
    connection: &mut PgConnection,
    source: &Source,
    group: &str,
    acts: &mut Vec<Act>,
) -> Result<()> {
    let users: Vec<Uuid> = provisioned_members::table
        .inner_join(provisioned_groups::table)
        .filter(provisioned_groups::connection_id.eq(source.connection.0))
        .filter(
            provisioned_groups::display_name.eq(group).or(provisioned_groups::external_id.eq(Some(group))),
        )
        .select(provisioned_members::user_id)
        .distinct()
        .load(connection)?;
    if users.is_empty() { Ok(()) } else { apply(connection, source, &users, acts) }
}
