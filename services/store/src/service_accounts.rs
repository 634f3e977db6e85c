//! Accounts of programs. One belongs to an organisation, which answers for it: no person's e-mail address, no password and
//! no way to sign in; access tokens alone.
//!
//! It is a row among people, so that roles, tokens, streams and the audit trail know it as they know everybody; it belongs
//! to no organisation as people do, and lists of people leave it out. Whoever is responsible for it may leave: then the
//! administrators are told, and it goes on.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Timestamptz};
use kinora_core::mail::Letter;
use kinora_core::permission::{OrganisationRole, ProductionRoles};
use kinora_core::{OrganisationId, PersonId, ProductionId, TokenId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::audit::{self, Act, Origin};
use crate::principals::{RoleColumns, production_roles};
use crate::schema::{
    organisation_members, organisations as organisation_rows, people, production_members, productions,
    service_accounts,
};
use crate::tokens::{AccessToken, NewToken};
use crate::{Result, StoreError, mail, organisations, tokens};

/// What they are called in the audit trail.
const KIND: &str = "service_account";
/// What their logins begin with: no login of a person does, and no e-mail address can.
pub const LOGIN_PREFIX: &str = "service:";
/// Most of one organisation.
pub const MOST: i64 = 100;
/// Longest part of a login that is made of the name.
const LONGEST_SLUG: usize = 40;

/// Whether the row of `people` is a service account's.
pub(crate) const IS_SERVICE_ACCOUNT: &str =
    "EXISTS (SELECT FROM service_accounts sa WHERE sa.person_id = people.id)";

/// Who answers for a service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Responsible {
    /// The person.
    pub id: PersonId,
    /// What they sign in with.
    pub login: String,
    /// How they are called.
    pub display_name: String,
    /// Whether they still belong to the organisation and may sign in.
    pub is_present: bool,
}

/// Roles of a service account in a production.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The production.
    pub production_id: ProductionId,
    /// Its name.
    pub name: String,
    /// The roles.
    pub roles: ProductionRoles,
    /// When they end, or have ended.
    pub ends_at: Option<DateTime<Utc>>,
}

/// A service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its id, which is a person's in memberships and the audit trail.
    pub id: PersonId,
    /// What it is called in the audit trail.
    pub login: String,
    /// How people call it.
    pub name: String,
    /// What it is for.
    pub purpose: String,
    /// Who answers for it; none: their account is gone.
    pub responsible: Option<Responsible>,
    /// Since when it may do nothing.
    pub deactivated_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When a token of it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Its roles, by production.
    pub productions: Vec<Place>,
    /// Counts its changes.
    pub revision: i64,
}

impl ServiceAccount {
    fn state(&self) -> Value {
        json!({
            "name": self.name,
            "purpose": self.purpose,
            "responsible": self.responsible.as_ref().map(|person| person.login.as_str()),
            "deactivated": self.deactivated_at.is_some(),
        })
    }
}

/// A service account to be made.
#[derive(Clone, Debug)]
pub struct NewServiceAccount {
    /// How people call it.
    pub name: String,
    /// What it is for.
    pub purpose: String,
    /// Who answers for it: a member of the organisation.
    pub responsible: PersonId,
}

/// What is to be changed about one.
#[derive(Clone, Debug, Default)]
pub struct ServiceAccountChange {
    /// Another name. The login stays.
    pub name: Option<String>,
    /// Another purpose.
    pub purpose: Option<String>,
    /// Somebody else answers for it.
    pub responsible: Option<PersonId>,
    /// Whether it may do nothing. Deactivating it revokes its tokens.
    pub deactivated: Option<bool>,
}

/// Person, login, name, purpose, responsible, deactivated, made, last used, revision.
type Row = (
    Uuid,
    String,
    String,
    String,
    Option<Uuid>,
    Option<DateTime<Utc>>,
    DateTime<Utc>,
    Option<DateTime<Utc>>,
    i64,
);

const LAST_USED: &str = "(SELECT max(t.last_used_at) FROM access_tokens t WHERE t.person_id = people.id)";

fn load(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    only: Option<PersonId>,
) -> Result<Vec<ServiceAccount>> {
    let mut query = service_accounts::table
        .inner_join(people::table.on(people::id.eq(service_accounts::person_id)))
        .filter(service_accounts::organisation_id.eq(organisation.0))
        .order((people::display_name, people::id))
        .limit(2 * MOST)
        .select((
            people::id,
            people::login,
            people::display_name,
            service_accounts::purpose,
            service_accounts::responsible_id,
            people::disabled_at,
            service_accounts::created_at,
            sql::<Nullable<Timestamptz>>(LAST_USED),
            people::revision,
        ))
        .into_boxed();
    if let Some(id) = only {
        query = query.filter(people::id.eq(id.0));
    }
    let rows: Vec<Row> = query.load(connection)?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.0).collect();
    let responsible: Vec<Uuid> = rows.iter().filter_map(|row| row.4).collect();
    let responsible = responsible_people(connection, organisation, &responsible)?;
    let mut places = places_of(connection, &ids)?;
    let read =
        |(id, login, name, purpose, person, deactivated_at, created_at, last_used_at, revision): Row| {
            ServiceAccount {
                id: PersonId(id),
                login,
                name,
                purpose,
                responsible: person.and_then(|person| responsible.get(&person).cloned()),
                deactivated_at,
                created_at,
                last_used_at,
                productions: places.remove(&id).unwrap_or_default(),
                revision,
            }
        };
    Ok(rows.into_iter().map(read).collect())
}

fn responsible_people(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Responsible>> {
    let belongs = organisation_members::table
        .filter(organisation_members::organisation_id.eq(organisation.0))
        .filter(organisation_members::person_id.eq(people::id));
    let rows: Vec<(Uuid, String, String, bool, bool)> = people::table
        .filter(people::id.eq_any(ids))
        .select((
            people::id,
            people::login,
            people::display_name,
            people::disabled_at.is_null(),
            exists(belongs),
        ))
        .load(connection)?;
    let read = |(id, login, display_name, is_enabled, belongs): (Uuid, String, String, bool, bool)| {
        let is_present = is_enabled && belongs;
        (id, Responsible { id: PersonId(id), login, display_name, is_present })
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Person, production, its name, roles, end.
type PlaceRow = (Uuid, Uuid, String, RoleColumns, Option<DateTime<Utc>>);

fn places_of(connection: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<Place>>> {
    let rows: Vec<PlaceRow> = production_members::table
        .inner_join(productions::table)
        .filter(production_members::person_id.eq_any(ids))
        .filter(productions::removed_at.is_null())
        .order((productions::name, productions::id))
        .select((
            production_members::person_id,
            productions::id,
            productions::name,
            (
                production_members::office_role,
                production_members::library_role,
                production_members::subtitling_role,
                production_members::budget_role,
            ),
            production_members::ends_at,
        ))
        .load(connection)?;
    let mut places: HashMap<Uuid, Vec<Place>> = HashMap::new();
    for (person, production, name, roles, ends_at) in rows {
        let place = Place {
            production_id: ProductionId(production),
            name,
            roles: production_roles(&roles)?,
            ends_at,
        };
        places.entry(person).or_default().push(place);
    }
    Ok(places)
}

/// The service accounts of an organisation, by name.
///
/// # Errors
/// If the database fails.
pub fn list(connection: &mut PgConnection, organisation: OrganisationId) -> Result<Vec<ServiceAccount>> {
    load(connection, organisation, None)
}

/// A service account of an organisation.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    id: PersonId,
) -> Result<ServiceAccount> {
    load(connection, organisation, Some(id))?.pop().ok_or(StoreError::NotFound)
}

/// The organisation of a service account; none if it is a person.
pub(crate) fn organisation_of(
    connection: &mut PgConnection,
    person: PersonId,
) -> Result<Option<OrganisationId>> {
    let found: Option<Uuid> = service_accounts::table
        .find(person.0)
        .select(service_accounts::organisation_id)
        .first(connection)
        .optional()?;
    Ok(found.map(OrganisationId))
}

/// The login of a service account of the organisation, locked against its removal.
pub(crate) fn find_login(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    person: PersonId,
) -> Result<Option<String>> {
    Ok(service_accounts::table
        .inner_join(people::table.on(people::id.eq(service_accounts::person_id)))
        .filter(service_accounts::organisation_id.eq(organisation.0))
        .filter(service_accounts::person_id.eq(person.0))
        .select(people::login)
        .first(connection)
        .optional()?)
}

/// The login of an account of this name: the name as far as it can be read, and what makes it the only one.
fn login_of(name: &str, id: PersonId) -> String {
    let mut slug = String::new();
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= LONGEST_SLUG {
            break;
        }
    }
    let id = id.0.simple().to_string();
    // The first half of a UUIDv7 is the time; its end is random.
    let end: String = id.chars().skip(24).collect();
    let slug = slug.trim_matches('-');
    if slug.is_empty() { format!("{LOGIN_PREFIX}{end}") } else { format!("{LOGIN_PREFIX}{slug}-{end}") }
}

/// Refuses somebody who does not belong to the organisation, or may not sign in.
fn require_member(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    person: PersonId,
) -> Result<()> {
    let found: i64 = organisation_members::table
        .inner_join(people::table)
        .filter(organisation_members::organisation_id.eq(organisation.0))
        .filter(organisation_members::person_id.eq(person.0))
        .filter(people::disabled_at.is_null())
        .count()
        .get_result(connection)?;
    if found > 0 {
        return Ok(());
    }
    Err(StoreError::Conflict("Whoever answers for it must be a person of the organisation.".to_owned()))
}

/// Makes a service account, without roles and tokens.
///
/// # Errors
/// [`StoreError::Conflict`] if the organisation has very many, or nobody of it would answer for this one.
pub fn create(
    connection: &mut PgConnection,
    origin: &Origin,
    organisation: OrganisationId,
    new: &NewServiceAccount,
) -> Result<ServiceAccount> {
    organisations::lock(connection, &[organisation.0])?;
    let count: i64 = service_accounts::table
        .filter(service_accounts::organisation_id.eq(organisation.0))
        .count()
        .get_result(connection)?;
    if count >= MOST {
        return Err(StoreError::Conflict(format!("An organisation has at most {MOST} service accounts.")));
    }
    require_member(connection, organisation, new.responsible)?;
    let id = PersonId::new();
    let login = login_of(&new.name, id);
    diesel::insert_into(people::table)
        .values((
            people::id.eq(id.0),
            people::login.eq(&login),
            people::login_key.eq(&login),
            people::display_name.eq(&new.name),
        ))
        .execute(connection)?;
    diesel::insert_into(service_accounts::table)
        .values((
            service_accounts::person_id.eq(id.0),
            service_accounts::organisation_id.eq(organisation.0),
            service_accounts::purpose.eq(&new.purpose),
            service_accounts::responsible_id.eq(new.responsible.0),
            service_accounts::created_by.eq(origin.actor_id.map(Uuid::from)),
        ))
        .execute(connection)?;
    let made = find(connection, organisation, id)?;
    let act = Act::new("service_account.created", KIND, id, &made.login).in_organisation(organisation);
    audit::record(connection, origin, act.after(made.state()))?;
    Ok(made)
}

/// Changes a service account. `is_expected` says whether the stored revision is one that the caller has seen.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::RevisionMismatch`]; [`StoreError::Conflict`] as [`create`].
pub fn change(
    connection: &mut PgConnection,
    origin: &Origin,
    (organisation, id): (OrganisationId, PersonId),
    is_expected: impl FnOnce(i64) -> bool,
    change: &ServiceAccountChange,
) -> Result<ServiceAccount> {
    organisations::lock(connection, &[organisation.0])?;
    let stored = find(connection, organisation, id)?;
    if !is_expected(stored.revision) {
        return Err(StoreError::RevisionMismatch { current: stored.revision });
    }
    if let Some(person) = change.responsible {
        require_member(connection, organisation, person)?;
        diesel::update(service_accounts::table.find(id.0))
            .set(service_accounts::responsible_id.eq(person.0))
            .execute(connection)?;
    }
    if let Some(purpose) = &change.purpose {
        diesel::update(service_accounts::table.find(id.0))
            .set(service_accounts::purpose.eq(purpose))
            .execute(connection)?;
    }
    let now = Utc::now();
    let disabled_at = match change.deactivated {
        Some(true) => stored.deactivated_at.or(Some(now)),
        Some(false) => None,
        None => stored.deactivated_at,
    };
    diesel::update(people::table.find(id.0))
        .set((
            people::display_name.eq(change.name.as_ref().unwrap_or(&stored.name)),
            people::disabled_at.eq(disabled_at),
            people::updated_at.eq(now),
            people::revision.eq(people::revision + 1),
        ))
        .execute(connection)?;
    if change.deactivated == Some(true) {
        // Activated again, it gets new ones: nobody needs to remember who has the old.
        tokens::revoke_all(connection, id)?;
    }
    let changed = find(connection, organisation, id)?;
    let act = Act::new("service_account.changed", KIND, id, &stored.login).in_organisation(organisation);
    audit::record(connection, origin, act.before(stored.state()).after(changed.state()))?;
    Ok(changed)
}

/// The tokens of a service account that hold, newest first.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn list_tokens(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    id: PersonId,
) -> Result<Vec<AccessToken>> {
    find(connection, organisation, id)?;
    tokens::list(connection, id)
}

/// Makes a token of a service account.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::Conflict`] if it is deactivated, has too many, or is not in a production of
/// the scope.
pub fn create_token(
    connection: &mut PgConnection,
    origin: &Origin,
    (organisation, id): (OrganisationId, PersonId),
    token: &NewToken,
) -> Result<AccessToken> {
    organisations::lock(connection, &[organisation.0])?;
    let account = find(connection, organisation, id)?;
    if account.deactivated_at.is_some() {
        return Err(StoreError::Conflict("This service account is deactivated.".to_owned()));
    }
    let is_in = |id: &ProductionId| account.productions.iter().any(|place| place.production_id == *id);
    let asked = token.scope.as_ref().and_then(|scope| scope.productions.as_ref());
    if asked.is_some_and(|productions| !productions.iter().all(is_in)) {
        return Err(StoreError::Conflict(
            "The service account has no role in one of these productions. Give it one first.".to_owned(),
        ));
    }
    let made = tokens::insert(connection, id, token)?;
    let after = json!({
        "token": made.name, "expires_at": made.expires_at, "hint": made.hint, "scope": made.scope,
    });
    let act = Act::new("token.created", KIND, id, &account.login).in_organisation(organisation);
    audit::record(connection, origin, act.after(after))?;
    Ok(made)
}

/// Revokes a token of a service account.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn revoke_token(
    connection: &mut PgConnection,
    origin: &Origin,
    (organisation, id): (OrganisationId, PersonId),
    token: TokenId,
) -> Result<()> {
    let account = find(connection, organisation, id)?;
    let name = tokens::end(connection, id, token)?;
    let act = Act::new("token.revoked", KIND, id, &account.login).in_organisation(organisation);
    audit::record(connection, origin, act.before(json!({ "token": name })))
}

/// Tells the administrators that somebody who answers for service accounts has left or may not sign in any more.
pub(crate) fn note_departure(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    (person, login): (PersonId, &str),
) -> Result<()> {
    let accounts: Vec<String> = service_accounts::table
        .inner_join(people::table.on(people::id.eq(service_accounts::person_id)))
        .filter(service_accounts::organisation_id.eq(organisation.0))
        .filter(service_accounts::responsible_id.eq(person.0))
        .filter(people::disabled_at.is_null())
        .order(people::display_name)
        .select(people::display_name)
        .load(connection)?;
    if accounts.is_empty() {
        return Ok(());
    }
    let name: String =
        organisation_rows::table.find(organisation.0).select(organisation_rows::name).first(connection)?;
    let letter = Letter::ResponsibleLeft { organisation: name, person: login.to_owned(), accounts };
    let administrators: Vec<Uuid> = organisation_members::table
        .inner_join(people::table)
        .filter(organisation_members::organisation_id.eq(organisation.0))
        .filter(organisation_members::role.ne(OrganisationRole::Member.name()))
        .filter(organisation_members::person_id.ne(person.0))
        .filter(people::disabled_at.is_null())
        .order(people::id)
        .select(people::id)
        .load(connection)?;
    for administrator in administrators {
        let _ = mail::enqueue_personal(connection, PersonId(administrator), &letter, None)?;
    }
    Ok(())
}

/// Whether somebody is a service account.
pub(crate) fn is_one(connection: &mut PgConnection, person: Uuid) -> Result<bool> {
    let found: bool = diesel::select(exists(service_accounts::table.find(person))).get_result(connection)?;
    Ok(found)
}

/// For selections with `people`.
pub(crate) fn is_service_account() -> diesel::expression::SqlLiteral<Bool> {
    sql::<Bool>(IS_SERVICE_ACCOUNT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_can_be_read_and_are_no_addresses() {
        let id = PersonId(Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef));
        for (name, login) in [
            ("Nightly Export", "service:nightly-export-89abcdef"),
            ("  Ω映画 ", "service:89abcdef"),
            ("a@b.example", "service:a-b-example-89abcdef"),
        ] {
            assert_eq!(login_of(name, id), login);
            assert_eq!(crate::sign_in::login_key(login), login);
            assert!(!kinora_core::mail::is_address(login));
        }
        assert!(login_of(&"x".repeat(200), id).len() < 80);
    }
}
