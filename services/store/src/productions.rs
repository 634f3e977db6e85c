//! Productions: films, series, programmes; and who is a member of them.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Timestamptz, Uuid as SqlUuid};
use kinora_core::permission::{Module, ModuleRole, ProductionRoles};
use kinora_core::{OrganisationId, PersonId, ProductionId};
use serde_json::json;
use uuid::Uuid;

use crate::audit::{self, Act, Origin};
use crate::principals::{RoleColumns, production_roles, role_columns};
use crate::schema::{organisation_members, organisations, people, production_members, productions};
use crate::{Result, StoreError, events};

/// How long the objects of a removed production are kept, for the case that it was a mistake.
const KEPT_AFTER_REMOVAL: TimeDelta = TimeDelta::days(7);

/// A production.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Production {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The organisation that owns it.
    pub organisation_id: Uuid,
    /// The organisation's name.
    pub organisation: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Counts its changes.
    pub revision: i64,
}

type Columns = (
    productions::id,
    productions::name,
    productions::organisation_id,
    organisations::name,
    productions::created_at,
    productions::updated_at,
    productions::revision,
);

const COLUMNS: Columns = (
    productions::id,
    productions::name,
    productions::organisation_id,
    organisations::name,
    productions::created_at,
    productions::updated_at,
    productions::revision,
);

/// Which productions are listed.
#[derive(Clone, Debug)]
pub enum Which {
    /// Those with these ids: the caller's own.
    Own(Vec<Uuid>),
    /// All of an organisation, for its administrators.
    Of(OrganisationId),
}

/// The organisation that owns a production, unless it was removed.
///
/// # Errors
/// If the database fails.
pub fn find_organisation(connection: &mut PgConnection, id: ProductionId) -> Result<Option<OrganisationId>> {
    let found: Option<Uuid> = productions::table
        .find(id.0)
        .filter(productions::removed_at.is_null())
        .select(productions::organisation_id)
        .first(connection)
        .optional()?;
    Ok(found.map(OrganisationId))
}

/// Productions, newest first, those before `before`.
///
/// # Errors
/// If the database fails.
pub fn list(
    connection: &mut PgConnection,
    which: &Which,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Production>> {
    let mut query = productions::table
        .inner_join(organisations::table)
        .filter(productions::removed_at.is_null())
        .order(productions::id.desc())
        .limit(limit)
        .select(COLUMNS)
        .into_boxed();
    query = match which {
        Which::Own(ids) => query.filter(productions::id.eq_any(ids)),
        Which::Of(organisation) => query.filter(productions::organisation_id.eq(organisation.0)),
    };
    if let Some(before) = before {
        query = query.filter(productions::id.lt(before));
    }
    Ok(query.load(connection)?)
}

/// A production. Whether the caller may see it is decided before.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find(connection: &mut PgConnection, id: ProductionId) -> Result<Production> {
    Ok(productions::table
        .inner_join(organisations::table)
        .filter(productions::id.eq(id.0))
        .filter(productions::removed_at.is_null())
        .select(COLUMNS)
        .first(connection)?)
}

/// Makes a production; its maker becomes manager of every module.
///
/// # Errors
/// [`StoreError::NotFound`] if the maker does not belong to the organisation (any more).
pub fn create(
    connection: &mut PgConnection,
    origin: &Origin,
    maker: PersonId,
    organisation: OrganisationId,
    name: &str,
) -> Result<Production> {
    let id = ProductionId::new();
    find_login(connection, organisation, maker)?;
    diesel::insert_into(productions::table)
        .values((
            productions::id.eq(id.0),
            productions::organisation_id.eq(organisation.0),
            productions::name.eq(name),
        ))
        .execute(connection)?;
    write_roles(connection, id, maker, &ProductionRoles::MANAGER)?;
    events::record_membership(connection, id, maker)?;
    let act = Act::new("production.created", "production", id, name);
    let act = act.in_organisation(organisation).in_production(id);
    audit::record(connection, origin, act.after(json!({ "name": name, "manager": maker })))?;
    find(connection, id)
}

/// The stored revision of a production, which stays as it is until the transaction ends.
fn lock(
    connection: &mut PgConnection,
    id: ProductionId,
    is_expected: impl FnOnce(i64) -> bool,
) -> Result<(String, OrganisationId, i64)> {
    let (name, organisation, revision): (String, Uuid, i64) = productions::table
        .find(id.0)
        .filter(productions::removed_at.is_null())
        .select((productions::name, productions::organisation_id, productions::revision))
        .for_update()
        .first(connection)?;
    if !is_expected(revision) {
        return Err(StoreError::RevisionMismatch { current: revision });
    }
    Ok((name, OrganisationId(organisation), revision))
}

/// Gives a production another name. `is_expected` says whether the stored revision is one that the
/// caller has seen.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::RevisionMismatch`].
pub fn rename(
    connection: &mut PgConnection,
    origin: &Origin,
    id: ProductionId,
    is_expected: impl FnOnce(i64) -> bool,
    name: &str,
) -> Result<Production> {
    let (before, organisation, revision) = lock(connection, id, is_expected)?;
    diesel::update(productions::table.find(id.0))
        .set((
            productions::name.eq(name),
            productions::updated_at.eq(Utc::now()),
            productions::revision.eq(revision + 1),
        ))
        .execute(connection)?;
    events::record_production(connection, id)?;
    let changed = find(connection, id)?;
    let act = Act::new("production.renamed", "production", id, name);
    let act = act.in_organisation(organisation).in_production(id);
    audit::record(connection, origin, act.before(json!({ "name": before })).after(json!({ "name": name })))?;
    Ok(changed)
}

/// Removes a production. It is gone for everybody at once; running work is cancelled, uploads end,
/// and its objects are removed a week later.
///
/// # Errors
/// As [`rename`].
pub fn remove(
    connection: &mut PgConnection,
    origin: &Origin,
    id: ProductionId,
    is_expected: impl FnOnce(i64) -> bool,
) -> Result<()> {
    let now = Utc::now();
    let (name, organisation, _) = lock(connection, id, is_expected)?;
    diesel::update(productions::table.find(id.0))
        .set((productions::removed_at.eq(now), productions::updated_at.eq(now)))
        .execute(connection)?;
    for statement in [
        "UPDATE runs SET cancel_requested_at = coalesce(cancel_requested_at, $2) \
         WHERE production_id = $1 AND state = 'active'",
        "INSERT INTO orphan_objects (object_id, remove_after) SELECT id, $2 FROM objects \
         WHERE production_id = $1 ON CONFLICT DO NOTHING",
        // Found by whoever removes expired uploads.
        "UPDATE uploads SET expires_at = least(expires_at, $2) WHERE production_id = $1 AND state = 'receiving'",
    ] {
        let at = if statement.starts_with("INSERT") { now + KEPT_AFTER_REMOVAL } else { now };
        diesel::sql_query(statement)
            .bind::<SqlUuid, _>(id.0)
            .bind::<Timestamptz, _>(at)
            .execute(connection)?;
    }
    events::record_production(connection, id)?;
    let act = Act::new("production.removed", "production", id, &name);
    audit::record(connection, origin, act.in_organisation(organisation).in_production(id))
}

/// A member of a production.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub person_id: PersonId,
    /// What they sign in with.
    pub login: String,
    /// How they are called.
    pub display_name: String,
    /// The roles, at least one.
    pub roles: ProductionRoles,
    /// Counts the changes of the roles.
    pub revision: i64,
}

type MemberRow = (Uuid, String, String, RoleColumns, i64);

fn read_member((id, login, display_name, roles, revision): MemberRow) -> Result<Member> {
    let roles = production_roles(&roles)?;
    Ok(Member { person_id: PersonId(id), login, display_name, roles, revision })
}

type RoleColumnNames = (
    production_members::office_role,
    production_members::library_role,
    production_members::subtitling_role,
    production_members::budget_role,
);

type MemberColumns =
    (people::id, people::login, people::display_name, RoleColumnNames, production_members::revision);

const MEMBER_COLUMNS: MemberColumns = (
    people::id,
    people::login,
    people::display_name,
    (
        production_members::office_role,
        production_members::library_role,
        production_members::subtitling_role,
        production_members::budget_role,
    ),
    production_members::revision,
);

/// Members of a production by login, those after `after`.
///
/// # Errors
/// If the database fails.
pub fn list_members(
    connection: &mut PgConnection,
    production: ProductionId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Member>> {
    let after = after.map(crate::sign_in::login_key).unwrap_or_default();
    let rows: Vec<MemberRow> = production_members::table
        .inner_join(people::table)
        .filter(production_members::production_id.eq(production.0))
        .filter(people::login_key.gt(after))
        .order(people::login_key)
        .limit(limit)
        .select(MEMBER_COLUMNS)
        .load(connection)?;
    rows.into_iter().map(read_member).collect()
}

/// A member of a production.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find_member(
    connection: &mut PgConnection,
    production: ProductionId,
    person: PersonId,
) -> Result<Member> {
    let row: MemberRow = production_members::table
        .inner_join(people::table)
        .filter(production_members::production_id.eq(production.0))
        .filter(production_members::person_id.eq(person.0))
        .select(MEMBER_COLUMNS)
        .first(connection)?;
    read_member(row)
}

/// Who changes members.
#[derive(Clone, Copy, Debug)]
pub struct Changer {
    /// Whether they administer the organisation.
    pub administers: bool,
    /// Their own roles in the production.
    pub roles: ProductionRoles,
}

impl Changer {
    /// Whether they may bring about this change: administrators any, managers of a module that module's.
    fn may(&self, before: &ProductionRoles, after: &ProductionRoles) -> bool {
        let own = |module| self.roles.role(module) == Some(ModuleRole::Manager);
        self.administers
            || Module::ALL.into_iter().all(|module| before.role(module) == after.role(module) || own(module))
    }
}

/// Gives a person of the organisation these roles in a production; none in any module removes them.
/// `is_expected` is asked with the stored revision, or none if they are no member yet.
///
/// # Errors
/// [`StoreError::NotFound`] if the person does not belong to the organisation; [`StoreError::Forbidden`];
/// what `is_expected` answers.
pub fn set_roles<E: From<StoreError>>(
    connection: &mut PgConnection,
    origin: &Origin,
    changer: Changer,
    (production, person): (ProductionId, PersonId),
    is_expected: impl FnOnce(Option<i64>) -> Result<(), E>,
    roles: &ProductionRoles,
) -> Result<Option<Member>, E> {
    let organisation = find_organisation(connection, production)?.ok_or(StoreError::NotFound)?;
    // In this order, which is that of removing a person from the organisation: first the person's place
    // there, then the production, whose row keeps two changes of the same member apart.
    let login = find_login(connection, organisation, person)?;
    lock(connection, production, |_| true)?;
    let stored = match find_member(connection, production, person) {
        Ok(member) => Some(member),
        Err(StoreError::NotFound) => None,
        Err(error) => return Err(error.into()),
    };
    let before = stored.as_ref().map(|member| member.roles).unwrap_or_default();
    if !changer.may(&before, roles) {
        return Err(StoreError::Forbidden.into());
    }
    is_expected(stored.as_ref().map(|member| member.revision))?;
    if before == *roles {
        return Ok(stored);
    }
    if roles.is_empty() {
        diesel::delete(production_members::table.find((production.0, person.0)))
            .execute(connection)
            .map_err(StoreError::from)?;
    } else {
        write_roles(connection, production, person, roles)?;
    }
    events::record_membership(connection, production, person)?;
    let act = Act::new("membership.changed", "person", person, &login);
    let act = act.in_organisation(organisation).in_production(production).before(before).after(roles);
    audit::record(connection, origin, act)?;
    if roles.is_empty() { Ok(None) } else { Ok(Some(find_member(connection, production, person)?)) }
}

fn find_login(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    person: PersonId,
) -> Result<String> {
    Ok(organisation_members::table
        .inner_join(people::table)
        .filter(organisation_members::organisation_id.eq(organisation.0))
        .filter(organisation_members::person_id.eq(person.0))
        .select(people::login)
        .for_key_share()
        .first(connection)?)
}

fn write_roles(
    connection: &mut PgConnection,
    production: ProductionId,
    person: PersonId,
    roles: &ProductionRoles,
) -> Result<()> {
    let (office, library, subtitling, budget) = role_columns(roles);
    let columns = (
        production_members::office_role.eq(office),
        production_members::library_role.eq(library),
        production_members::subtitling_role.eq(subtitling),
        production_members::budget_role.eq(budget),
    );
    diesel::insert_into(production_members::table)
        .values((
            production_members::production_id.eq(production.0),
            production_members::person_id.eq(person.0),
            columns.clone(),
        ))
        .on_conflict((production_members::production_id, production_members::person_id))
        .do_update()
        .set((columns, production_members::revision.eq(production_members::revision + 1)))
        .execute(connection)?;
    Ok(())
}
