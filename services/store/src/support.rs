//! Support access: what lets somebody outside an organisation see its content, for a time.
//!
//! Nobody outside has any way to it but this: no role of another organisation, and no administrator of the
//! installation. An owner gives it to an address, with a scope, a reason and an end; whoever accepts it ([`acceptance`])
//! then has roles in productions as a member would ([`access`]), and every request that uses them is on record before it
//! is answered ([`uses`]).
//!
//! # Addresses
//! What an owner is told is the same whether the address has an account or not: nobody looks. A link goes to the address,
//! and the access is bound to the account of that login with which the link is opened: other organisations make accounts
//! with addresses that nobody has proven to own. It ends where somebody else is let into that account ([`end_of`]).

pub mod acceptance;
pub mod access;
mod letters;
pub mod uses;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use kinora_core::mail::SupportEvent;
use kinora_core::permission::TokenScope;
use kinora_core::{OrganisationId, PersonId, SupportGrantId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::audit::{self, Act, Origin};
use crate::schema::{organisation_members, people, productions, support_grants};
use crate::sign_in::login_key;
use crate::{Result, StoreError, organisations, tokens};

/// The longest that support access can hold.
pub const LONGEST: TimeDelta = TimeDelta::days(7);
/// How far ahead it can begin.
pub const FARTHEST_START: TimeDelta = TimeDelta::days(30);
/// The kind of subject of acts that are about a grant.
const SUBJECT: &str = "support_grant";

/// Support access as its organisation sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: SupportGrantId,
    /// The organisation.
    pub organisation: OrganisationId,
    /// The address it was given to.
    pub address: String,
    /// What it lets somebody do at most.
    pub scope: TokenScope,
    /// Whether originals may be downloaded.
    pub originals: bool,
    /// Why it was given.
    pub reason: String,
    /// The name of who gave it, if that person still exists.
    pub given_by: Option<String>,
    /// When it was given.
    pub created_at: DateTime<Utc>,
    /// From when it holds.
    pub starts_at: DateTime<Utc>,
    /// When it ends by itself.
    pub ends_at: DateTime<Utc>,
    /// When an owner ended it before its time.
    pub ended_at: Option<DateTime<Utc>>,
    /// The name of that owner, if that person still exists.
    pub ended_by: Option<String>,
    /// When it was accepted.
    pub accepted_at: Option<DateTime<Utc>>,
    /// When it was used for the first time.
    pub first_used_at: Option<DateTime<Utc>>,
}

impl Grant {
    /// Whether an account is let in at this instant, if it is accepted.
    #[must_use]
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && self.starts_at <= now && now < self.ends_at
    }

    /// What the audit trail keeps of it.
    fn state(&self) -> Value {
        json!({
            "scope": &self.scope,
            "originals": self.originals,
            "reason": &self.reason,
            "starts_at": self.starts_at,
            "ends_at": self.ends_at,
            "accepted_at": self.accepted_at,
        })
    }

    fn act(&self, action: &'static str) -> Act {
        Act::new(action, SUBJECT, self.id, &self.address).in_organisation(self.organisation)
    }
}

/// Support access to be given.
#[derive(Clone, Debug)]
pub struct NewGrant {
    /// The address.
    pub address: String,
    /// What it is to let somebody do at most: never what managers do.
    pub scope: TokenScope,
    /// Whether originals may be downloaded.
    pub originals: bool,
    /// Why.
    pub reason: String,
    /// From when it holds.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
}

/// Id, organisation, address, most role, modules, productions, originals, reason.
type What = (Uuid, Uuid, String, String, Vec<String>, Option<Vec<Uuid>>, bool, String);
/// Who gave it, when, from when, until when, when ended, by whom, accepted, first used.
type When = (
    Uuid,
    DateTime<Utc>,
    DateTime<Utc>,
    DateTime<Utc>,
    Option<DateTime<Utc>>,
    Option<Uuid>,
    Option<DateTime<Utc>>,
    Option<DateTime<Utc>>,
);

type WhatColumns = (
    support_grants::id,
    support_grants::organisation_id,
    support_grants::address,
    support_grants::most_role,
    support_grants::modules,
    support_grants::productions,
    support_grants::originals,
    support_grants::reason,
);
type WhenColumns = (
    support_grants::given_by,
    support_grants::created_at,
    support_grants::starts_at,
    support_grants::ends_at,
    support_grants::ended_at,
    support_grants::ended_by,
    support_grants::accepted_at,
    support_grants::first_used_at,
);

const COLUMNS: (WhatColumns, WhenColumns) = (
    (
        support_grants::id,
        support_grants::organisation_id,
        support_grants::address,
        support_grants::most_role,
        support_grants::modules,
        support_grants::productions,
        support_grants::originals,
        support_grants::reason,
    ),
    (
        support_grants::given_by,
        support_grants::created_at,
        support_grants::starts_at,
        support_grants::ends_at,
        support_grants::ended_at,
        support_grants::ended_by,
        support_grants::accepted_at,
        support_grants::first_used_at,
    ),
);

/// The scope of these columns.
fn scope_of(most_role: String, modules: Vec<String>, ids: Option<Vec<Uuid>>) -> Result<TokenScope> {
    tokens::read_scope((Some(most_role), Some(modules), ids))?
        .ok_or_else(|| StoreError::NotUnderstood("support access without a scope".to_owned()))
}

/// The grants of these rows, with the names of who gave and ended them.
fn read(connection: &mut PgConnection, rows: Vec<(What, When)>) -> Result<Vec<Grant>> {
    let ids: Vec<Uuid> =
        rows.iter().flat_map(|(_, (giver, .., ender, _, _))| [Some(*giver), *ender]).flatten().collect();
    let names: Vec<(Uuid, String)> = people::table
        .filter(people::id.eq_any(ids))
        .select((people::id, people::display_name))
        .load(connection)?;
    let name = |id: Uuid| names.iter().find(|(known, _)| *known == id).map(|(_, name)| name.clone());
    rows.into_iter()
        .map(|(what, when)| {
            let (id, organisation, address, most_role, modules, ids, originals, reason) = what;
            let (giver, created_at, starts_at, ends_at, ended_at, ender, accepted_at, first_used_at) = when;
            Ok(Grant {
                id: SupportGrantId(id),
                organisation: OrganisationId(organisation),
                address,
                scope: scope_of(most_role, modules, ids)?,
                originals,
                reason,
                given_by: name(giver),
                created_at,
                starts_at,
                ends_at,
                ended_at,
                ended_by: ender.and_then(name),
                accepted_at,
                first_used_at,
            })
        })
        .collect()
}

fn read_one(connection: &mut PgConnection, row: (What, When)) -> Result<Grant> {
    read(connection, vec![row])?.pop().ok_or(StoreError::NotFound)
}

/// The grants of an organisation, newest first, those before `before`.
///
/// # Errors
/// If the database fails.
pub fn list(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Grant>> {
    let mut query = support_grants::table
        .filter(support_grants::organisation_id.eq(organisation.0))
        .order(support_grants::id.desc())
        .limit(limit)
        .select(COLUMNS)
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(support_grants::id.lt(before));
    }
    let rows = query.load(connection)?;
    read(connection, rows)
}

/// A grant of an organisation.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    id: SupportGrantId,
) -> Result<Grant> {
    let row = support_grants::table
        .find(id.0)
        .filter(support_grants::organisation_id.eq(organisation.0))
        .select(COLUMNS)
        .first(connection)?;
    read_one(connection, row)
}

fn refuse<T>(sentence: &str) -> Result<T> {
    Err(StoreError::Conflict(sentence.to_owned()))
}

/// The addresses of pages of the web client that mails lead to.
#[derive(Clone, Debug)]
pub struct Pages {
    /// That of the organisation's grants, with a slash at its end.
    pub grants: String,
    /// That where one is accepted; it ends in `#`, behind which the token stands.
    pub acceptance: String,
}

/// Gives support access: offers it to the address by mail, and tells the owners.
///
/// # Errors
/// [`StoreError::Conflict`] if the address is one of the organisation's own people, has support access in that time
/// already, or a production of the scope is none of the organisation's.
pub fn give(
    connection: &mut PgConnection,
    origin: &Origin,
    giver: PersonId,
    organisation: OrganisationId,
    new: &NewGrant,
    pages: &Pages,
) -> Result<Grant> {
    // Two grants for one address at the same time would leave open under which of them something was done.
    organisations::lock(connection, &[organisation.0])?;
    let key = login_key(&new.address);
    require_outside(connection, organisation, &key)?;
    require_own_productions(connection, organisation, &new.scope)?;
    let overlaps: bool = diesel::select(exists(
        support_grants::table
            .filter(support_grants::organisation_id.eq(organisation.0))
            .filter(support_grants::address_key.eq(&key))
            .filter(support_grants::ended_at.is_null())
            .filter(support_grants::starts_at.lt(new.ends_at))
            .filter(support_grants::ends_at.gt(new.starts_at)),
    ))
    .get_result(connection)?;
    if overlaps {
        return refuse("This address has support access in that time already. End that first.");
    }
    let id = SupportGrantId::new();
    let modules: Vec<&str> = new.scope.modules.iter().map(|module| module.name()).collect();
    let ids: Option<Vec<Uuid>> =
        new.scope.productions.as_ref().map(|ids| ids.iter().map(|id| id.0).collect());
    let row = diesel::insert_into(support_grants::table)
        .values((
            support_grants::id.eq(id.0),
            support_grants::organisation_id.eq(organisation.0),
            support_grants::address.eq(&new.address),
            support_grants::address_key.eq(&key),
            support_grants::most_role.eq(new.scope.most_role.name()),
            support_grants::modules.eq(modules),
            support_grants::productions.eq(ids),
            support_grants::originals.eq(new.originals),
            support_grants::reason.eq(&new.reason),
            support_grants::given_by.eq(giver.0),
            support_grants::starts_at.eq(new.starts_at),
            support_grants::ends_at.eq(new.ends_at),
        ))
        .returning(COLUMNS)
        .get_result(connection)?;
    let made = read_one(connection, row)?;
    letters::offer(connection, &made, &pages.acceptance)?;
    letters::tell(connection, &made, SupportEvent::Given, &pages.grants)?;
    audit::record(connection, origin, made.act("support.given").after(made.state()))?;
    Ok(made)
}

/// Refuses for an address of the organisation's own people. Looks at those alone: an owner can list them, and learns
/// nothing of anybody else.
fn require_outside(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    address_key: &str,
) -> Result<()> {
    let is_inside: bool = diesel::select(exists(
        organisation_members::table
            .inner_join(people::table)
            .filter(organisation_members::organisation_id.eq(organisation.0))
            .filter(people::login_key.eq(address_key)),
    ))
    .get_result(connection)?;
    if is_inside {
        return refuse("This is somebody of your own organisation: give them roles in productions instead.");
    }
    Ok(())
}

fn require_own_productions(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    scope: &TokenScope,
) -> Result<()> {
    let Some(wanted) = &scope.productions else { return Ok(()) };
    let ids: Vec<Uuid> = wanted.iter().map(|id| id.0).collect();
    let found: i64 = productions::table
        .filter(productions::id.eq_any(ids))
        .filter(productions::organisation_id.eq(organisation.0))
        .filter(productions::removed_at.is_null())
        .count()
        .get_result(connection)?;
    if usize::try_from(found).ok() == Some(wanted.len()) {
        return Ok(());
    }
    refuse("A production of the scope is none of your organisation's.")
}

/// Ends support access at once, also before it begins, and tells the owners. What has ended already stays as it is.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn end(
    connection: &mut PgConnection,
    origin: &Origin,
    ender: PersonId,
    (organisation, id): (OrganisationId, SupportGrantId),
    pages: &Pages,
    now: DateTime<Utc>,
) -> Result<Grant> {
    let row = support_grants::table
        .find(id.0)
        .filter(support_grants::organisation_id.eq(organisation.0))
        .select(COLUMNS)
        .for_update()
        .first(connection)?;
    let stored = read_one(connection, row)?;
    if stored.ended_at.is_some() || stored.ends_at <= now {
        return Ok(stored);
    }
    let row = diesel::update(support_grants::table.find(id.0))
        .set((
            support_grants::ended_at.eq(Some(now)),
            support_grants::ended_by.eq(Some(ender.0)),
            support_grants::end_told_at.eq(Some(now)),
        ))
        .returning(COLUMNS)
        .get_result(connection)?;
    let ended = read_one(connection, row)?;
    letters::tell(connection, &ended, SupportEvent::Ended, &pages.grants)?;
    audit::record(connection, origin, ended.act("support.ended").after(ended.state()))?;
    Ok(ended)
}

/// Ends all support access of an account into which somebody else is about to be let: with a new one-time link, or past
/// its factors. Whoever runs the account's organisation could otherwise use what was given to its holder. The owners are
/// told by [`end_due`].
pub(crate) fn end_of(connection: &mut PgConnection, person: PersonId) -> Result<()> {
    let now = Utc::now();
    let open = support_grants::table
        .filter(support_grants::supporter_id.eq(person.0))
        .filter(support_grants::ended_at.is_null())
        .filter(support_grants::ends_at.gt(now));
    diesel::update(open).set(support_grants::ended_at.eq(Some(now))).execute(connection)?;
    Ok(())
}

/// Notes that one grant has ended without an owner, and tells the owners; gives whether there was one. Several instances
/// may do it at the same time. `pages` as [`Pages::grants`], for the organisation of the grant.
///
/// # Errors
/// If the database fails.
pub fn end_due(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    pages: impl Fn(OrganisationId) -> String,
) -> Result<bool> {
    let row: Option<(What, When)> = support_grants::table
        .filter(support_grants::end_told_at.is_null())
        .filter(support_grants::ends_at.le(now).or(support_grants::ended_at.is_not_null()))
        .order(support_grants::ends_at)
        .select(COLUMNS)
        .for_update()
        .skip_locked()
        .first(connection)
        .optional()?;
    let Some(row) = row else { return Ok(false) };
    let ended = read_one(connection, row)?;
    diesel::update(support_grants::table.find(ended.id.0))
        .set(support_grants::end_told_at.eq(Some(now)))
        .execute(connection)?;
    letters::tell(connection, &ended, SupportEvent::Ended, &pages(ended.organisation))?;
    let act = ended.act("support.ended").after(ended.state());
    audit::record(connection, &Origin::system("application"), act)?;
    Ok(true)
}
