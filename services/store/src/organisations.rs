//! Organisations: studios and vendors.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::permission::OrganisationRole;
use kinora_core::{OrganisationId, PersonId};
use serde_json::json;
use uuid::Uuid;

use crate::audit::{self, Act, Origin};
use crate::schema::{organisation_members, organisations, people};
use crate::{Result, StoreError, security};

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Organisation {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Counts its changes.
    pub revision: i64,
    /// Whether its people must have a second factor.
    pub second_factor_required: bool,
    /// Whether its people must have signed in through one of its connections.
    pub sso_required: bool,
    /// Whether codes by mail count as a second factor here.
    pub email_code_allowed: bool,
}

type Columns = (
    organisations::id,
    organisations::name,
    organisations::created_at,
    organisations::revision,
    organisations::second_factor_required,
    organisations::sso_required,
    organisations::email_code_allowed,
);

const COLUMNS: Columns = (
    organisations::id,
    organisations::name,
    organisations::created_at,
    organisations::revision,
    organisations::second_factor_required,
    organisations::sso_required,
    organisations::email_code_allowed,
);

/// An organisation. Whether the caller may see it is decided before.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find(connection: &mut PgConnection, id: OrganisationId) -> Result<Organisation> {
    Ok(organisations::table.find(id.0).select(COLUMNS).first(connection)?)
}

/// The same, locked against other changes.
pub(crate) fn find_for_update(connection: &mut PgConnection, id: OrganisationId) -> Result<Organisation> {
    Ok(organisations::table.find(id.0).select(COLUMNS).for_update().first(connection)?)
}

/// The organisations with these ids, by name.
///
/// # Errors
/// If the database fails.
pub fn list(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Organisation>> {
    Ok(organisations::table
        .filter(organisations::id.eq_any(ids))
        .order((organisations::name, organisations::id))
        .select(COLUMNS)
        .load(connection)?)
}

/// Makes an organisation; its maker becomes owner.
///
/// # Errors
/// If the database fails.
pub fn create(
    connection: &mut PgConnection,
    origin: &Origin,
    maker: PersonId,
    name: &str,
) -> Result<Organisation> {
    let id = OrganisationId::new();
    let made = diesel::insert_into(organisations::table)
        .values((organisations::id.eq(id.0), organisations::name.eq(name)))
        .returning(COLUMNS)
        .get_result(connection)?;
    insert_member(connection, id, maker, OrganisationRole::Owner)?;
    let act = Act::new("organisation.created", "organisation", id, name).in_organisation(id);
    audit::record(connection, origin, act.after(json!({ "name": name, "owner": maker })))?;
    Ok(made)
}

pub(crate) fn insert_member(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    person: PersonId,
    role: OrganisationRole,
) -> Result<()> {
    diesel::insert_into(organisation_members::table)
        .values((
            organisation_members::organisation_id.eq(organisation.0),
            organisation_members::person_id.eq(person.0),
            organisation_members::role.eq(role.name()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Gives an organisation another name. `is_expected` says whether the stored revision is one that the
/// caller has seen.
///
/// # Errors
/// [`StoreError::RevisionMismatch`] if it is not.
pub fn rename(
    connection: &mut PgConnection,
    origin: &Origin,
    id: OrganisationId,
    is_expected: impl FnOnce(i64) -> bool,
    name: &str,
) -> Result<Organisation> {
    let stored = find_for_update(connection, id)?;
    if !is_expected(stored.revision) {
        return Err(StoreError::RevisionMismatch { current: stored.revision });
    }
    let changed = diesel::update(organisations::table.find(id.0))
        .set((
            organisations::name.eq(name),
            organisations::updated_at.eq(Utc::now()),
            organisations::revision.eq(stored.revision + 1),
        ))
        .returning(COLUMNS)
        .get_result(connection)?;
    let act = Act::new("organisation.renamed", "organisation", id, name).in_organisation(id);
    let act = act.before(json!({ "name": stored.name })).after(json!({ "name": name }));
    audit::record(connection, origin, act)?;
    Ok(changed)
}

/// Locks organisations against changes of their owners, in an order that is the same for everybody.
pub(crate) fn lock(connection: &mut PgConnection, ids: &[Uuid]) -> Result<()> {
    let _: Vec<Uuid> = organisations::table
        .filter(organisations::id.eq_any(ids))
        .order(organisations::id)
        .select(organisations::id)
        .for_update()
        .load(connection)?;
    Ok(())
}

/// Refuses to leave an organisation without an owner who can sign in, or, where single sign-on is required, without one
/// who can do so without it. To be called after the change, with the organisation locked.
pub(crate) fn require_owner(connection: &mut PgConnection, id: Uuid) -> Result<()> {
    let owners: i64 = organisation_members::table
        .inner_join(people::table)
        .filter(organisation_members::organisation_id.eq(id))
        .filter(organisation_members::role.eq(OrganisationRole::Owner.name()))
        .filter(people::disabled_at.is_null())
        .count()
        .get_result(connection)?;
    if owners > 0 {
        return security::require_break_glass(connection, OrganisationId(id));
    }
    Err(StoreError::Conflict(
        "An organisation always has an owner. Make somebody else owner first.".to_owned(),
    ))
}
