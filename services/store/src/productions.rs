//! Productions: films, series, programmes; and who is a member of them.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Timestamptz, Uuid as SqlUuid};
use kinora_core::permission::{Module, ModuleRole, ProductionRoles};
use kinora_core::{OrganisationId, PersonId, ProductionId};
use serde_json::json;
use uuid::Uuid;

use crate::audit::{self, Act, Origin};
use crate::principals::{RoleColumns, production_roles, role_columns};
use crate::schema::{organisation_members, organisations, people, production_members, productions};
use crate::{Result, StoreError, events, service_accounts};

/// How long the objects of a removed production are kept, for the case that it was a mistake.
const KEPT_AFTER_REMOVAL: TimeDelta = TimeDelta::days(7);

/// How long somebody takes back without a word what they have begun: longer than a program works that cleans up after
/// itself and, with an access token, cannot confirm anything.
const BEGINNING: TimeDelta = TimeDelta::hours(6);

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
    write_membership(connection, id, maker, &ProductionRoles::MANAGER, None)?;
    events::record_membership(connection, id, maker)?;
    let act = Act::new("production.created", "production", id, name);
    let act = act.in_organisation(organisation).in_production(id);
    audit::record(connection, origin, act.after(json!({ "name": name, "manager": maker })))?;
    find(connection, id)
}

/// Name, owner and revision of a production, which stays as it is until the transaction ends.
pub(crate) fn lock(
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

/// Whether a production was made a short time ago and has no member but this person: nobody else misses it.
///
/// # Errors
/// If the database fails.
pub fn has_just_begun(connection: &mut PgConnection, id: ProductionId, person: PersonId) -> Result<bool> {
    let members = || production_members::table.filter(production_members::production_id.eq(productions::id));
    let own = members().filter(production_members::person_id.eq(person.0));
    let others = members().filter(production_members::person_id.ne(person.0));
    let begun = productions::table
        .find(id.0)
        .filter(productions::created_at.gt(Utc::now() - BEGINNING))
        .filter(diesel::dsl::exists(own))
        .filter(diesel::dsl::not(diesel::dsl::exists(others)));
    Ok(diesel::select(diesel::dsl::exists(begun)).get_result(connection)?)
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
    /// When the membership ends, or has ended.
    pub ends_at: Option<DateTime<Utc>>,
    /// Whether the person does not belong to the organisation that owns the production.
    pub is_guest: bool,
    /// Counts the changes of the roles.
    pub revision: i64,
}

impl Member {
    /// Whether the membership holds at that instant.
    #[must_use]
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.ends_at.is_none_or(|end| end > now)
    }
}

type MemberRow = (Uuid, String, String, RoleColumns, Option<DateTime<Utc>>, Option<String>, i64, bool);

fn read_member(row: MemberRow) -> Result<Member> {
    let (id, login, display_name, roles, ends_at, organisation_role, revision, is_service_account) = row;
    Ok(Member {
        person_id: PersonId(id),
        login,
        display_name,
        roles: production_roles(&roles)?,
        ends_at,
        is_guest: organisation_role.is_none() && !is_service_account,
        revision,
    })
}

type RoleColumnNames = (
    production_members::office_role,
    production_members::library_role,
    production_members::subtitling_role,
    production_members::budget_role,
);

type MemberColumns = (
    people::id,
    people::login,
    people::display_name,
    RoleColumnNames,
    production_members::ends_at,
    diesel::dsl::Nullable<organisation_members::role>,
    production_members::revision,
    SqlLiteral<Bool>,
);

fn member_columns() -> MemberColumns {
    (
        people::id,
        people::login,
        people::display_name,
        (
            production_members::office_role,
            production_members::library_role,
            production_members::subtitling_role,
            production_members::budget_role,
        ),
        production_members::ends_at,
        organisation_members::role.nullable(),
        production_members::revision,
        service_accounts::is_service_account(),
    )
}

/// Members with their place in the organisation that owns the production, if they have one.
macro_rules! members {
    () => {
        production_members::table.inner_join(people::table).inner_join(productions::table).left_join(
            organisation_members::table.on(organisation_members::person_id
                .eq(production_members::person_id)
                .and(organisation_members::organisation_id.eq(productions::organisation_id))),
        )
    };
}

/// Members of a production by login, those after `after`. Service accounts are listed with their organisation's.
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
    let rows: Vec<MemberRow> = members!()
        .filter(production_members::production_id.eq(production.0))
        .filter(people::login_key.gt(after))
        .filter(diesel::dsl::not(service_accounts::is_service_account()))
        .order(people::login_key)
        .limit(limit)
        .select(member_columns())
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
    let row: MemberRow = members!()
        .filter(production_members::production_id.eq(production.0))
        .filter(production_members::person_id.eq(person.0))
        .select(member_columns())
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
    fn decides_on(&self, module: Module) -> bool {
        self.administers || self.roles.role(module) == Some(ModuleRole::Manager)
    }

    /// Whether they may bring about this change: administrators any, managers of a module that module's.
    #[must_use]
    pub fn may(&self, before: &ProductionRoles, after: &ProductionRoles) -> bool {
        Module::ALL
            .into_iter()
            .all(|module| before.role(module) == after.role(module) || self.decides_on(module))
    }

    /// Whether they may say when a membership with these roles ends: it ends for all of them.
    fn may_end(&self, before: &ProductionRoles, after: &ProductionRoles) -> bool {
        let is_held = |module| before.role(module).is_some() || after.role(module).is_some();
        Module::ALL.into_iter().all(|module| !is_held(module) || self.decides_on(module))
    }
}

/// What is to become of a membership.
#[derive(Clone, Copy, Debug)]
pub struct MembershipChange {
    /// The roles; none in any module ends it.
    pub roles: ProductionRoles,
    /// When it ends: left as it is, or set, or (`Some(None)`) never.
    pub ends_at: Option<Option<DateTime<Utc>>>,
}

/// Gives a person or service account of the organisation, or somebody who is in the production already, these roles in a
/// production; none in any module removes them. `is_expected` is asked with the stored revision, or none
/// if they are no member yet.
///
/// # Errors
/// [`StoreError::NotFound`] if the person belongs neither to the organisation nor to the production;
/// [`StoreError::Forbidden`]; what `is_expected` answers.
pub fn set_roles<E: From<StoreError>>(
    connection: &mut PgConnection,
    origin: &Origin,
    changer: Changer,
    (production, person): (ProductionId, PersonId),
    is_expected: impl FnOnce(Option<i64>) -> Result<(), E>,
    change: &MembershipChange,
) -> Result<Option<Member>, E> {
    let organisation = find_organisation(connection, production)?.ok_or(StoreError::NotFound)?;
    // In this order, which is that of removing a person from the organisation: first the person's place
    // there, then the production, whose row keeps two changes of the same member apart.
    let colleague = match missing_as_none(find_login(connection, organisation, person))? {
        None => service_accounts::find_login(connection, organisation, person)?,
        found => found,
    };
    lock(connection, production, |_| true)?;
    let stored = missing_as_none(find_member(connection, production, person))?;
    let guest = stored.as_ref().map(|member| member.login.clone());
    let login = colleague.or(guest).ok_or(StoreError::NotFound)?;
    let before = stored.as_ref().map(|member| member.roles).unwrap_or_default();
    let end_before = stored.as_ref().and_then(|member| member.ends_at);
    let (roles, end) = (&change.roles, change.ends_at.unwrap_or(end_before));
    if !changer.may(&before, roles) || (end != end_before && !changer.may_end(&before, roles)) {
        return Err(StoreError::Forbidden.into());
    }
    is_expected(stored.as_ref().map(|member| member.revision))?;
    if before == *roles && end == end_before {
        return Ok(stored);
    }
    if roles.is_empty() {
        diesel::delete(production_members::table.find((production.0, person.0)))
            .execute(connection)
            .map_err(StoreError::from)?;
    } else {
        write_membership(connection, production, person, roles, end)?;
    }
    events::record_membership(connection, production, person)?;
    let act = Act::new("membership.changed", "person", person, &login)
        .in_organisation(organisation)
        .in_production(production)
        .before(MembershipState { roles: &before, ends_at: end_before })
        .after(MembershipState { roles, ends_at: if roles.is_empty() { None } else { end } });
    audit::record(connection, origin, act)?;
    if roles.is_empty() { Ok(None) } else { Ok(Some(find_member(connection, production, person)?)) }
}

/// A membership as the audit trail keeps it.
#[derive(serde::Serialize)]
pub(crate) struct MembershipState<'a> {
    #[serde(flatten)]
    pub roles: &'a ProductionRoles,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
}

fn missing_as_none<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
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

/// Writes roles and end of a membership, which may be there already.
pub(crate) fn write_membership(
    connection: &mut PgConnection,
    production: ProductionId,
    person: PersonId,
    roles: &ProductionRoles,
    ends_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let (office, library, subtitling, budget) = role_columns(roles);
    let columns = (
        production_members::office_role.eq(office),
        production_members::library_role.eq(library),
        production_members::subtitling_role.eq(subtitling),
        production_members::budget_role.eq(budget),
        production_members::ends_at.eq(ends_at),
        // Given by hand from now on: no connection takes it any more.
        production_members::granted_by.eq(None::<Uuid>),
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
