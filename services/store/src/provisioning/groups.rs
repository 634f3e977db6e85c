//! Provisioned groups.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::{MOST_GROUPS, Provisioned, ProvisioningError, Slice, Source, lock, standing};
use crate::audit::{self, Act, Origin};
use crate::schema::{provisioned_groups, provisioned_members, provisioned_users};
use crate::sign_in::login_key;
use crate::{Result, StoreError};

/// What they are called in the audit trail.
const KIND: &str = "provisioned_group";

/// A provisioned group.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Group {
    /// Its id.
    pub id: Uuid,
    /// Its name, which rules may name it by.
    pub display_name: String,
    /// What the provider knows it by, which rules may name as well.
    pub external_id: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Counts its changes.
    pub revision: i64,
}

/// What groups are looked for by; all of it must fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupTerm {
    /// The id.
    Id(Uuid),
    /// Without regard to case.
    DisplayName(String),
    /// Exactly.
    ExternalId(String),
    /// A user in it.
    Member(Uuid),
    /// None fits: a value that cannot be one of ours.
    Nothing,
}

/// What becomes of a group, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupStep {
    /// Another name.
    DisplayName(String),
    /// Another external id, or none.
    ExternalId(Option<String>),
    /// These come in.
    Add(Vec<Uuid>),
    /// These leave; those that are not in it are passed over.
    Remove(Vec<Uuid>),
    /// Exactly these are in it.
    Replace(Vec<Uuid>),
}

type Columns = (
    provisioned_groups::id,
    provisioned_groups::display_name,
    provisioned_groups::external_id,
    provisioned_groups::created_at,
    provisioned_groups::updated_at,
    provisioned_groups::revision,
);
const COLUMNS: Columns = (
    provisioned_groups::id,
    provisioned_groups::display_name,
    provisioned_groups::external_id,
    provisioned_groups::created_at,
    provisioned_groups::updated_at,
    provisioned_groups::revision,
);

/// Groups of the connection, oldest first, that fit; and how many fit at all.
///
/// # Errors
/// If the database fails.
pub fn list(
    connection: &mut PgConnection,
    source: &Source,
    terms: &[GroupTerm],
    slice: Slice,
) -> Result<(Vec<Group>, i64)> {
    macro_rules! fitting {
        () => {{
            let mut query = provisioned_groups::table
                .filter(provisioned_groups::connection_id.eq(source.connection.0))
                .into_boxed();
            for term in terms {
                query = match term {
                    GroupTerm::Id(id) => query.filter(provisioned_groups::id.eq(*id)),
                    GroupTerm::DisplayName(name) => {
                        query.filter(provisioned_groups::display_name_key.eq(login_key(name)))
                    }
                    GroupTerm::ExternalId(id) => {
                        query.filter(provisioned_groups::external_id.eq(Some(id.clone())))
                    }
                    GroupTerm::Member(user) => query.filter(
                        provisioned_groups::id.eq_any(
                            provisioned_members::table
                                .filter(provisioned_members::user_id.eq(*user))
                                .select(provisioned_members::group_id),
                        ),
                    ),
                    GroupTerm::Nothing => query.filter(provisioned_groups::id.is_null()),
                };
            }
            query
        }};
    }
    let total = fitting!().count().get_result(connection)?;
    let rows = fitting!()
        .order(provisioned_groups::id)
        .offset(slice.offset)
        .limit(slice.limit)
        .select(COLUMNS)
        .load(connection)?;
    Ok((rows, total))
}

/// A group of the connection.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find(connection: &mut PgConnection, source: &Source, id: Uuid) -> Result<Group> {
    Ok(provisioned_groups::table
        .find(id)
        .filter(provisioned_groups::connection_id.eq(source.connection.0))
        .select(COLUMNS)
        .first(connection)?)
}

/// The members of these groups, by group.
///
/// # Errors
/// If the database fails.
pub fn members_of(connection: &mut PgConnection, groups: &[Uuid]) -> Result<HashMap<Uuid, Vec<Uuid>>> {
    let rows: Vec<(Uuid, Uuid)> = provisioned_members::table
        .filter(provisioned_members::group_id.eq_any(groups))
        .order((provisioned_members::group_id, provisioned_members::user_id))
        .select((provisioned_members::group_id, provisioned_members::user_id))
        .load(connection)?;
    let mut members: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for (group, user) in rows {
        members.entry(group).or_default().push(user);
    }
    Ok(members)
}

fn taken(name: &str) -> ProvisioningError {
    ProvisioningError::Uniqueness(format!("There is a group with the displayName {name:?} already."))
}

/// Refuses ids that are no users of the connection.
fn require_users(connection: &mut PgConnection, source: &Source, ids: &[Uuid]) -> Provisioned<()> {
    let known: Vec<Uuid> = provisioned_users::table
        .filter(provisioned_users::connection_id.eq(source.connection.0))
        .filter(provisioned_users::id.eq_any(ids))
        .select(provisioned_users::id)
        .load(connection)?;
    match ids.iter().find(|id| !known.contains(id)) {
        Some(id) => Err(ProvisioningError::NoMember(format!("There is no user {id}."))),
        None => Ok(()),
    }
}

fn insert_members(connection: &mut PgConnection, group: Uuid, users: &BTreeSet<Uuid>) -> Result<()> {
    let rows: Vec<_> = users
        .iter()
        .map(|user| (provisioned_members::group_id.eq(group), provisioned_members::user_id.eq(*user)))
        .collect();
    diesel::insert_into(provisioned_members::table)
        .values(rows)
        .on_conflict_do_nothing()
        .execute(connection)?;
    Ok(())
}

/// Makes a group with these members.
///
/// # Errors
/// [`ProvisioningError`].
pub fn create(
    connection: &mut PgConnection,
    origin: &Origin,
    source: &Source,
    (display_name, external_id): (&str, Option<&str>),
    members: &[Uuid],
) -> Provisioned<Group> {
    lock(connection, source)?;
    let of_connection =
        provisioned_groups::table.filter(provisioned_groups::connection_id.eq(source.connection.0));
    let key = login_key(display_name);
    let same: i64 =
        of_connection.filter(provisioned_groups::display_name_key.eq(&key)).count().get_result(connection)?;
    if same > 0 {
        return Err(taken(display_name));
    }
    let count: i64 = of_connection.count().get_result(connection)?;
    if count >= MOST_GROUPS {
        return Err(ProvisioningError::Refused(format!("A connection has at most {MOST_GROUPS} groups.")));
    }
    require_users(connection, source, members)?;
    let now = Utc::now();
    let made: Group = diesel::insert_into(provisioned_groups::table)
        .values((
            provisioned_groups::id.eq(Uuid::now_v7()),
            provisioned_groups::connection_id.eq(source.connection.0),
            provisioned_groups::display_name.eq(display_name),
            provisioned_groups::display_name_key.eq(&key),
            provisioned_groups::external_id.eq(external_id),
            provisioned_groups::created_at.eq(now),
            provisioned_groups::updated_at.eq(now),
        ))
        .returning(COLUMNS)
        .get_result(connection)?;
    let members: BTreeSet<Uuid> = members.iter().copied().collect();
    insert_members(connection, made.id, &members)?;
    let act = Act::new("provisioned_group.created", KIND, made.id, display_name)
        .in_organisation(source.organisation)
        .after(json!({ "connection": source.connection_name, "external_id": external_id, "members": members.len() }));
    let mut acts = vec![act];
    let members: Vec<Uuid> = members.into_iter().collect();
    standing::apply(connection, source, &members, &mut acts)?;
    audit::record_all(connection, origin, acts)?;
    Ok(made)
}

/// Does these steps to a group. Without a difference nothing is written. `is_expected` says whether the stored revision is
/// one that the caller has seen.
///
/// # Errors
/// [`ProvisioningError`].
pub fn change(
    connection: &mut PgConnection,
    origin: &Origin,
    source: &Source,
    id: Uuid,
    is_expected: impl FnOnce(i64) -> bool,
    steps: &[GroupStep],
) -> Provisioned<Group> {
    lock(connection, source)?;
    let stored = find(connection, source, id)?;
    if !is_expected(stored.revision) {
        return Err(StoreError::RevisionMismatch { current: stored.revision }.into());
    }
    let before: BTreeSet<Uuid> =
        members_of(connection, &[id])?.remove(&id).unwrap_or_default().into_iter().collect();
    let (mut name, mut external_id, mut after) =
        (stored.display_name.clone(), stored.external_id.clone(), before.clone());
    for step in steps {
        match step {
            GroupStep::DisplayName(new) => name.clone_from(new),
            GroupStep::ExternalId(new) => external_id.clone_from(new),
            GroupStep::Add(users) => after.extend(users),
            GroupStep::Remove(users) => after.retain(|user| !users.contains(user)),
            GroupStep::Replace(users) => after = users.iter().copied().collect(),
        }
    }
    let joined: BTreeSet<Uuid> = after.difference(&before).copied().collect();
    let left: Vec<Uuid> = before.difference(&after).copied().collect();
    let is_renamed = name != stored.display_name || external_id != stored.external_id;
    if !is_renamed && joined.is_empty() && left.is_empty() {
        return Ok(stored);
    }
    require_users(connection, source, &joined.iter().copied().collect::<Vec<_>>())?;
    let changed = write(connection, &stored, (&name, external_id.as_deref()))?;
    insert_members(connection, id, &joined)?;
    diesel::delete(
        provisioned_members::table
            .filter(provisioned_members::group_id.eq(id))
            .filter(provisioned_members::user_id.eq_any(&left)),
    )
    .execute(connection)?;
    let act = Act::new("provisioned_group.changed", KIND, id, &stored.display_name)
        .in_organisation(source.organisation)
        .before(json!({ "name": stored.display_name, "external_id": stored.external_id, "members": before.len() }))
        .after(json!({ "name": name, "external_id": external_id, "joined": joined, "left": left }));
    let mut acts = vec![act];
    // A new name may be another rule's, for everybody who was in it or is.
    let mut concerned: BTreeSet<Uuid> = joined.into_iter().chain(left).collect();
    if is_renamed {
        concerned.extend(after);
    }
    let concerned: Vec<Uuid> = concerned.into_iter().collect();
    standing::apply(connection, source, &concerned, &mut acts)?;
    audit::record_all(connection, origin, acts)?;
    Ok(changed)
}

fn write(
    connection: &mut PgConnection,
    stored: &Group,
    (name, external_id): (&str, Option<&str>),
) -> Provisioned<Group> {
    diesel::update(provisioned_groups::table.find(stored.id))
        .set((
            provisioned_groups::display_name.eq(name),
            provisioned_groups::display_name_key.eq(login_key(name)),
            provisioned_groups::external_id.eq(external_id),
            provisioned_groups::updated_at.eq(Utc::now()),
            provisioned_groups::revision.eq(stored.revision + 1),
        ))
        .returning(COLUMNS)
        .get_result(connection)
        .map_err(|error| match StoreError::from(error) {
            error if error.violated_unique_constraint().is_some() => taken(name),
            error => error.into(),
        })
}

/// Removes a group: what it gave is taken at once.
///
/// # Errors
/// [`ProvisioningError`].
pub fn remove(
    connection: &mut PgConnection,
    origin: &Origin,
    source: &Source,
    id: Uuid,
    is_expected: impl FnOnce(i64) -> bool,
) -> Provisioned<()> {
    lock(connection, source)?;
    let stored = find(connection, source, id)?;
    if !is_expected(stored.revision) {
        return Err(StoreError::RevisionMismatch { current: stored.revision }.into());
    }
    let members = members_of(connection, &[id])?.remove(&id).unwrap_or_default();
    diesel::delete(provisioned_groups::table.find(id)).execute(connection)?;
    let act = Act::new("provisioned_group.removed", KIND, id, &stored.display_name)
        .in_organisation(source.organisation)
        .before(json!({ "connection": source.connection_name, "members": members.len() }));
    let mut acts = vec![act];
    standing::apply(connection, source, &members, &mut acts)?;
    Ok(audit::record_all(connection, origin, acts)?)
}
