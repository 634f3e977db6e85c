//! Provisioned users.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::PersonId;
use kinora_core::permission::OrganisationRole;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{MOST_USERS, Provisioned, ProvisioningError, Slice, Source, lock, standing};
use crate::audit::{self, Act, Origin, PERSON};
use crate::principals::organisation_role;
use crate::schema::{
    organisation_members, people, provisioned_groups, provisioned_members, provisioned_users,
};
use crate::second_factors::pending;
use crate::sign_in::login_key;
use crate::single_sign_on::admission::{self, Grants, NoAccount, NotAdmitted};
use crate::single_sign_on::identities;
use crate::{Result, StoreError, belonging, people as accounts, service_accounts, sessions, tokens};

/// A provisioned user.
#[derive(Clone, Debug, PartialEq, Queryable)]
pub struct User {
    /// Its id at the provider's interface; not that of the account.
    pub id: Uuid,
    /// The account.
    pub person_id: Uuid,
    /// What the provider calls them.
    pub user_name: String,
    /// What the provider knows them by.
    pub external_id: Option<String>,
    /// Whether they may come in.
    pub active: bool,
    /// Name, display name and addresses, as the provider gave them.
    pub attributes: Value,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Counts its changes.
    pub revision: i64,
}

/// What a user is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct UserForm {
    /// What the provider calls them.
    pub user_name: String,
    /// What the provider knows them by.
    pub external_id: Option<String>,
    /// Whether they may come in.
    pub active: bool,
    /// Name, display name and addresses, to be given back.
    pub attributes: Value,
    /// The addresses, lower case.
    pub emails: Vec<String>,
    /// The address that is the login, and its domain (lower case), if there is one that mail can be sent to.
    pub address: Option<(String, String)>,
    /// How they are called.
    pub display_name: Option<String>,
}

/// What users are looked for by; all of it must fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserTerm {
    /// The id.
    Id(Uuid),
    /// Without regard to case.
    UserName(String),
    /// Exactly.
    ExternalId(String),
    /// One of the addresses, without regard to case.
    Email(String),
    /// Whether they may come in.
    Active(bool),
    /// Nobody fits: a value that cannot be one of ours.
    Nobody,
}

/// A group of a user: id and name.
pub type GroupRef = (Uuid, String);

type Columns = (
    provisioned_users::id,
    provisioned_users::person_id,
    provisioned_users::user_name,
    provisioned_users::external_id,
    provisioned_users::active,
    provisioned_users::attributes,
    provisioned_users::created_at,
    provisioned_users::updated_at,
    provisioned_users::revision,
);
const COLUMNS: Columns = (
    provisioned_users::id,
    provisioned_users::person_id,
    provisioned_users::user_name,
    provisioned_users::external_id,
    provisioned_users::active,
    provisioned_users::attributes,
    provisioned_users::created_at,
    provisioned_users::updated_at,
    provisioned_users::revision,
);

/// Users of the connection, oldest first, that fit; and how many fit at all.
///
/// # Errors
/// If the database fails.
pub fn list(
    connection: &mut PgConnection,
    source: &Source,
    terms: &[UserTerm],
    slice: Slice,
) -> Result<(Vec<User>, i64)> {
    macro_rules! fitting {
        () => {{
            let mut query = provisioned_users::table
                .filter(provisioned_users::connection_id.eq(source.connection.0))
                .into_boxed();
            for term in terms {
                query = match term {
                    UserTerm::Id(id) => query.filter(provisioned_users::id.eq(*id)),
                    UserTerm::UserName(name) => {
                        query.filter(provisioned_users::user_name_key.eq(login_key(name)))
                    }
                    UserTerm::ExternalId(id) => {
                        query.filter(provisioned_users::external_id.eq(Some(id.clone())))
                    }
                    UserTerm::Email(address) => {
                        query.filter(provisioned_users::emails.contains(vec![address.to_lowercase()]))
                    }
                    UserTerm::Active(active) => query.filter(provisioned_users::active.eq(*active)),
                    UserTerm::Nobody => query.filter(provisioned_users::id.is_null()),
                };
            }
            query
        }};
    }
    let total = fitting!().count().get_result(connection)?;
    let rows = fitting!()
        .order(provisioned_users::id)
        .offset(slice.offset)
        .limit(slice.limit)
        .select(COLUMNS)
        .load(connection)?;
    Ok((rows, total))
}

/// A user of the connection.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find(connection: &mut PgConnection, source: &Source, id: Uuid) -> Result<User> {
    Ok(provisioned_users::table
        .find(id)
        .filter(provisioned_users::connection_id.eq(source.connection.0))
        .select(COLUMNS)
        .first(connection)?)
}

/// The groups of these users, by user.
///
/// # Errors
/// If the database fails.
pub fn groups_of(connection: &mut PgConnection, users: &[Uuid]) -> Result<HashMap<Uuid, Vec<GroupRef>>> {
    let rows: Vec<(Uuid, Uuid, String)> = provisioned_members::table
        .inner_join(provisioned_groups::table)
        .filter(provisioned_members::user_id.eq_any(users))
        .order((provisioned_groups::display_name, provisioned_groups::id))
        .select((provisioned_members::user_id, provisioned_groups::id, provisioned_groups::display_name))
        .load(connection)?;
    let mut groups: HashMap<Uuid, Vec<GroupRef>> = HashMap::new();
    for (user, id, name) in rows {
        groups.entry(user).or_default().push((id, name));
    }
    Ok(groups)
}

fn taken(user_name: &str) -> ProvisioningError {
    ProvisioningError::Uniqueness(format!("There is a user with the userName {user_name:?} already."))
}

/// The same as a sentence for whoever administers the provider.
fn sentence(why: NotAdmitted) -> &'static str {
    match why {
        NotAdmitted::NoAddress => {
            "Neither emails nor userName hold an e-mail address, and an account needs one. Map the work address to \
             emails[type eq \"work\"].value."
        }
        NotAdmitted::ForeignAddress => {
            "The address is in no domain that is confirmed as the organisation's. Name the domain on the page of single \
             sign-on and have the operator confirm it."
        }
        NotAdmitted::AccountElsewhere => {
            "There is an account of this address that belongs to somebody else. Its holder can join it: on the page of the \
             own account, under studio accounts."
        }
        NotAdmitted::OwnersAccount => {
            "There is an account of this address that owns the organisation. Its holder can join it: on the page of the \
             own account, under studio accounts."
        }
        NotAdmitted::KnownElsewhere => {
            "There is an account of this address that another connection knows already. Its holder can join it: on the page \
             of the own account, under studio accounts. If the other connection is no longer used, remove it."
        }
        NotAdmitted::NoGroup | NotAdmitted::LinkedToAnother | NotAdmitted::Disabled => {
            "The account of this address may not be provisioned."
        }
    }
}

/// The account that a user is to have, and whether it was made for them.
fn account(connection: &mut PgConnection, source: &Source, form: &UserForm) -> Provisioned<(PersonId, bool)> {
    let arrival = arrival(source, form);
    match admission::account_for(connection, &arrival)? {
        Ok(found) => Ok(found),
        Err(refused) => joined(connection, source, refused),
    }
}

/// An account that could not be had by its address alone can if its holder has joined it with the connection.
fn joined(
    connection: &mut PgConnection,
    source: &Source,
    (why, person): NoAccount,
) -> Provisioned<(PersonId, bool)> {
    match person {
        Some(person) if identities::is_joined(connection, source.connection, person)? => Ok((person, false)),
        _ => Err(ProvisioningError::Refused(sentence(why).to_owned())),
    }
}

/// Somebody as [`admission`] takes them, to whom names and addresses are given and nothing else.
fn arrival(source: &Source, form: &UserForm) -> admission::Arrival {
    let grants = Grants { role: OrganisationRole::Member, productions: BTreeMap::new() };
    admission::Arrival {
        address: form.address.clone(),
        display_name: form.display_name.clone(),
        ..standing::arrival(source, Some(grants))
    }
}

/// Makes a user.
///
/// # Errors
/// [`ProvisioningError`].
pub fn create(
    connection: &mut PgConnection,
    origin: &Origin,
    source: &Source,
    form: &UserForm,
) -> Provisioned<User> {
    lock(connection, source)?;
    let of_connection =
        provisioned_users::table.filter(provisioned_users::connection_id.eq(source.connection.0));
    let key = login_key(&form.user_name);
    let same: i64 =
        of_connection.filter(provisioned_users::user_name_key.eq(&key)).count().get_result(connection)?;
    if same > 0 {
        return Err(taken(&form.user_name));
    }
    let count: i64 = of_connection.count().get_result(connection)?;
    if count >= MOST_USERS {
        let why = format!("A connection has at most {MOST_USERS} users.");
        return Err(ProvisioningError::Refused(why));
    }
    let (person, is_new) = account(connection, source, form)?;
    let other: i64 =
        of_connection.filter(provisioned_users::person_id.eq(person.0)).count().get_result(connection)?;
    if other > 0 {
        return Err(ProvisioningError::Uniqueness(
            "Another user has the account of this address.".to_owned(),
        ));
    }
    let now = Utc::now();
    let made: User = diesel::insert_into(provisioned_users::table)
        .values((
            provisioned_users::id.eq(Uuid::now_v7()),
            provisioned_users::connection_id.eq(source.connection.0),
            provisioned_users::person_id.eq(person.0),
            provisioned_users::user_name.eq(&form.user_name),
            provisioned_users::user_name_key.eq(&key),
            provisioned_users::external_id.eq(&form.external_id),
            provisioned_users::active.eq(form.active),
            provisioned_users::attributes.eq(&form.attributes),
            provisioned_users::emails.eq(&form.emails),
            provisioned_users::created_at.eq(now),
            provisioned_users::updated_at.eq(now),
        ))
        .returning(COLUMNS)
        .get_result(connection)?;
    let (login, name) = find_person(connection, person)?;
    let act = Act::new("provisioned_user.created", PERSON, person, &login)
        .in_organisation(source.organisation)
        .after(json!({
            "connection": source.connection_name, "active": form.active, "new_account": is_new,
        }));
    let mut acts = vec![act];
    let login =
        admission::update_person(connection, &arrival(source, form), (person, login, name), &mut acts)?;
    settle(connection, source, &made, (person, &login), &mut acts)?;
    audit::record_all(connection, origin, acts)?;
    Ok(made)
}

/// The login and name of a person, whose row is locked.
fn find_person(connection: &mut PgConnection, person: PersonId) -> Result<(String, String)> {
    Ok(people::table
        .find(person.0)
        .select((people::login, people::display_name))
        .for_update()
        .first(connection)?)
}

/// Makes what a user is now what stands of roles.
fn settle(
    connection: &mut PgConnection,
    source: &Source,
    user: &User,
    who: (PersonId, &str),
    acts: &mut Vec<Act>,
) -> Provisioned<()> {
    if !user.active {
        return end_access(connection, source, who, acts);
    }
    if standing::has_groups(connection, source.connection)? {
        standing::apply(connection, source, &[user.id], acts)?;
    } else if source.admits_everyone && role_of(connection, source, who.0)?.is_none() {
        // What groups give is said at the sign-in; until then they belong to the organisation.
        standing::apply(connection, source, &[user.id], acts)?;
    }
    Ok(())
}

fn role_of(
    connection: &mut PgConnection,
    source: &Source,
    person: PersonId,
) -> Result<Option<(OrganisationRole, bool)>> {
    let stored: Option<(String, bool)> = organisation_members::table
        .find((source.organisation.0, person.0))
        .select((organisation_members::role, organisation_members::break_glass))
        .first(connection)
        .optional()?;
    stored.map(|(role, break_glass)| Ok((organisation_role(&role)?, break_glass))).transpose()
}

/// Ends all access of a person to the organisation, as removing them does. Of whoever has nothing anywhere else, sessions
/// and tokens end as well, so that none comes back with the account.
fn end_access(
    connection: &mut PgConnection,
    source: &Source,
    (person, login): (PersonId, &str),
    acts: &mut Vec<Act>,
) -> Provisioned<()> {
    let refused = |why: &str| Err(ProvisioningError::Refused(why.to_owned()));
    match role_of(connection, source, person)? {
        Some((OrganisationRole::Owner, true)) => {
            return refused(
                "This is an owner who can do without the identity provider in an emergency. Provisioning does not touch \
                 them: make them something else in Kinora first.",
            );
        }
        Some((role, _)) => {
            let taken = accounts::take_places(connection, source.organisation, (person, login, role));
            match taken {
                Ok(act) => acts.push(act),
                Err(StoreError::Conflict(why)) => return refused(&why),
                Err(error) => return Err(error.into()),
            }
        }
        None => {
            let ended = accounts::take_productions(connection, source.organisation, person)?;
            if !ended.is_empty() {
                let act =
                    Act::new("person.removed", PERSON, person, login).in_organisation(source.organisation);
                acts.push(act.before(json!({ "productions": ended })));
            }
            service_accounts::note_departure(connection, source.organisation, (person, login))?;
        }
    }
    if !belonging::is_elsewhere(connection, source.organisation, person)? {
        sessions::revoke_all(connection, person, None)?;
        pending::remove_all(connection, person)?;
        tokens::revoke_all(connection, person)?;
    }
    Ok(())
}

/// Makes a user what `change` makes of the stored one. Without a difference nothing is written. `is_expected` says
/// whether the stored revision is one that the caller has seen.
///
/// # Errors
/// [`ProvisioningError`]; what `change` answers.
pub fn change<E: From<ProvisioningError> + From<StoreError>>(
    connection: &mut PgConnection,
    origin: &Origin,
    source: &Source,
    id: Uuid,
    is_expected: impl FnOnce(i64) -> bool,
    change: impl FnOnce(&User) -> std::result::Result<UserForm, E>,
) -> std::result::Result<User, E> {
    lock(connection, source)?;
    let stored = find(connection, source, id)?;
    if !is_expected(stored.revision) {
        return Err(StoreError::RevisionMismatch { current: stored.revision }.into());
    }
    let form = change(&stored)?;
    Ok(write(connection, origin, source, stored, &form)?)
}

fn write(
    connection: &mut PgConnection,
    origin: &Origin,
    source: &Source,
    stored: User,
    form: &UserForm,
) -> Provisioned<User> {
    let is_same = stored.user_name == form.user_name
        && stored.external_id == form.external_id
        && stored.active == form.active
        && stored.attributes == form.attributes;
    if is_same {
        return Ok(stored);
    }
    let changed: User = diesel::update(provisioned_users::table.find(stored.id))
        .set((
            provisioned_users::user_name.eq(&form.user_name),
            provisioned_users::user_name_key.eq(login_key(&form.user_name)),
            provisioned_users::external_id.eq(&form.external_id),
            provisioned_users::active.eq(form.active),
            provisioned_users::attributes.eq(&form.attributes),
            provisioned_users::emails.eq(&form.emails),
            provisioned_users::updated_at.eq(Utc::now()),
            provisioned_users::revision.eq(stored.revision + 1),
        ))
        .returning(COLUMNS)
        .get_result(connection)
        .map_err(|error| match StoreError::from(error) {
            error if error.violated_unique_constraint().is_some() => taken(&form.user_name),
            error => error.into(),
        })?;
    let person = PersonId(stored.person_id);
    let (login, name) = find_person(connection, person)?;
    let mut acts = Vec::new();
    if stored.active != form.active {
        let state = |active: bool| json!({ "active": active, "connection": source.connection_name });
        let act = Act::new("provisioned_user.changed", PERSON, person, &login);
        let act = act.in_organisation(source.organisation);
        acts.push(act.before(state(stored.active)).after(state(form.active)));
    }
    let login =
        admission::update_person(connection, &arrival(source, form), (person, login, name), &mut acts)?;
    if stored.active != form.active {
        settle(connection, source, &changed, (person, &login), &mut acts)?;
    }
    if acts.is_empty() {
        // Names that the account does not show: that something was changed is on record all the same.
        let act = Act::new("provisioned_user.changed", PERSON, person, &login);
        acts.push(act.in_organisation(source.organisation).after(json!({
            "connection": source.connection_name, "active": form.active,
        })));
    }
    audit::record_all(connection, origin, acts)?;
    Ok(changed)
}

/// Removes a user: their access ends, their account and their work stay. Gives the account.
///
/// # Errors
/// [`ProvisioningError`].
pub fn remove(
    connection: &mut PgConnection,
    origin: &Origin,
    source: &Source,
    id: Uuid,
    is_expected: impl FnOnce(i64) -> bool,
) -> Provisioned<PersonId> {
    lock(connection, source)?;
    let stored = find(connection, source, id)?;
    if !is_expected(stored.revision) {
        return Err(StoreError::RevisionMismatch { current: stored.revision }.into());
    }
    let person = PersonId(stored.person_id);
    let (login, _) = find_person(connection, person)?;
    let act = Act::new("provisioned_user.removed", PERSON, person, &login)
        .in_organisation(source.organisation)
        .before(json!({ "connection": source.connection_name, "active": stored.active }));
    let mut acts = vec![act];
    end_access(connection, source, (person, &login), &mut acts)?;
    diesel::delete(provisioned_users::table.find(id)).execute(connection)?;
    audit::record_all(connection, origin, acts)?;
    Ok(person)
}
