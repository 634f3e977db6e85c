//! What an organisation asks of its people when they sign in, and who may get in although it does.
//!
//! Where single sign-on is required, at least one owner can always sign in with password and second factor (break
//! glass), so that nobody is locked out when the identity provider fails. Whatever could take the last such owner away
//! is refused: see [`require_break_glass`] and where it is called.

use chrono::{DateTime, Utc};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use kinora_core::permission::OrganisationRole;
use kinora_core::{OrganisationId, PersonId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::audit::{self, Act, Origin};
use crate::organisations::{self, Organisation};
use crate::people::HAS_SECOND_FACTOR;
use crate::schema::{organisation_members, organisations as organisation_rows, people};
use crate::single_sign_on::connections;
use crate::{Result, StoreError, second_factors};

/// An owner, and whether they could break the glass.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct OwnerState {
    /// The person.
    pub id: Uuid,
    /// What they sign in with.
    pub login: String,
    /// How they are called.
    pub display_name: String,
    /// Whether they may sign in with password and second factor where single sign-on is required.
    pub break_glass: bool,
    /// Whether they have a password.
    pub has_password: bool,
    /// Whether they have a second factor.
    pub has_second_factor: bool,
    /// Since when they may not sign in.
    pub disabled_at: Option<DateTime<Utc>>,
}

impl OwnerState {
    /// Whether they can sign in with password and second factor.
    #[must_use]
    pub fn is_able(&self) -> bool {
        self.has_password && self.has_second_factor && self.disabled_at.is_none()
    }
}

/// The owners of an organisation, by login.
///
/// # Errors
/// If the database fails.
pub fn owners(connection: &mut PgConnection, organisation: OrganisationId) -> Result<Vec<OwnerState>> {
    let has_second_factor: SqlLiteral<Bool> = diesel::dsl::sql(HAS_SECOND_FACTOR);
    Ok(organisation_members::table
        .inner_join(people::table)
        .filter(organisation_members::organisation_id.eq(organisation.0))
        .filter(organisation_members::role.eq(OrganisationRole::Owner.name()))
        .order(people::login_key)
        .select((
            people::id,
            people::login,
            people::display_name,
            organisation_members::break_glass,
            people::password_hash.is_not_null(),
            has_second_factor,
            people::disabled_at,
        ))
        .load(connection)?)
}

/// What an organisation is to ask for. `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct SecurityChange {
    /// Whether its people must have a second factor.
    pub second_factor_required: Option<bool>,
    /// Whether a code sent by mail counts as one.
    pub email_code_allowed: Option<bool>,
    /// Whether they must have signed in through one of its connections.
    pub sso_required: Option<bool>,
    /// The owners who may sign in with password and second factor all the same.
    pub break_glass: Option<Vec<PersonId>>,
}

fn state(organisation: &Organisation, owners: &[OwnerState]) -> Value {
    let glass: Vec<&str> =
        owners.iter().filter(|owner| owner.break_glass).map(|owner| owner.login.as_str()).collect();
    json!({
        "second_factor_required": organisation.second_factor_required,
        "email_code_allowed": organisation.email_code_allowed,
        "sso_required": organisation.sso_required,
        "break_glass": glass,
    })
}

fn refuse<T>(sentence: &str) -> Result<T> {
    Err(StoreError::Conflict(sentence.to_owned()))
}

/// Changes what an organisation asks for. `is_expected` says whether the stored revision is one that the caller has
/// seen.
///
/// # Errors
/// [`StoreError::RevisionMismatch`]; [`StoreError::Conflict`] if the caller has no second factor and would be the first
/// to be shut out, if somebody who is to break the glass cannot, and if single sign-on is to be required before a
/// connection is proven or with nobody to break the glass.
pub fn change(
    connection: &mut PgConnection,
    origin: &Origin,
    caller: PersonId,
    organisation: OrganisationId,
    is_expected: impl FnOnce(i64) -> bool,
    change: &SecurityChange,
) -> Result<Organisation> {
    let stored = organisations::find_for_update(connection, organisation)?;
    if !is_expected(stored.revision) {
        return Err(StoreError::RevisionMismatch { current: stored.revision });
    }
    let owners_before = owners(connection, organisation)?;
    let second_factor = change.second_factor_required.unwrap_or(stored.second_factor_required);
    if second_factor && !stored.second_factor_required && !second_factors::methods(connection, caller)?.any()
    {
        return refuse(
            "Add a second factor to your own account first: you would be the first who is shut out.",
        );
    }
    if let Some(people) = &change.break_glass {
        set_break_glass(connection, organisation, people)?;
    }
    let sso = change.sso_required.unwrap_or(stored.sso_required);
    if sso && !stored.sso_required && !connections::has_proven(connection, organisation)? {
        return refuse(
            "Switch a connection on and test it first: with single sign-on required and none that works, nobody \
             would get in.",
        );
    }
    let owners_after = owners(connection, organisation)?;
    if sso && !owners_after.iter().any(|owner| owner.break_glass && owner.is_able()) {
        return refuse(
            "Choose at least one owner with a password and a second factor who may sign in without the identity \
             provider: for the day on which it fails.",
        );
    }
    let email_code = change.email_code_allowed.unwrap_or(stored.email_code_allowed);
    let is_same = second_factor == stored.second_factor_required
        && email_code == stored.email_code_allowed
        && sso == stored.sso_required
        && owners_after == owners_before;
    if is_same {
        return Ok(stored);
    }
    diesel::update(organisation_rows::table.find(organisation.0))
        .set((
            organisation_rows::second_factor_required.eq(second_factor),
            organisation_rows::email_code_allowed.eq(email_code),
            organisation_rows::sso_required.eq(sso),
            organisation_rows::updated_at.eq(Utc::now()),
            organisation_rows::revision.eq(stored.revision + 1),
        ))
        .execute(connection)?;
    let changed = organisations::find(connection, organisation)?;
    let act = Act::new("organisation.security_changed", "organisation", organisation, &stored.name)
        .in_organisation(organisation)
        .before(state(&stored, &owners_before))
        .after(state(&changed, &owners_after));
    audit::record(connection, origin, act)?;
    Ok(changed)
}

/// Makes these owners, and no others, those who may break the glass.
fn set_break_glass(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    chosen: &[PersonId],
) -> Result<()> {
    // Their factors must not go while this is decided.
    let mut ids: Vec<Uuid> = chosen.iter().map(|person| person.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let owners = owners(connection, organisation)?;
    for id in &ids {
        if !owners.iter().any(|owner| owner.id == *id) {
            return refuse("Only owners of the organisation can be chosen.");
        }
        second_factors::lock(connection, PersonId(*id))?;
    }
    let owners = self::owners(connection, organisation)?;
    let unable = owners.iter().find(|owner| ids.contains(&owner.id) && !owner.is_able());
    if let Some(owner) = unable {
        return Err(StoreError::Conflict(format!(
            "{} cannot sign in with password and second factor: one of them is missing, or the person is disabled.",
            owner.display_name
        )));
    }
    for owner in &owners {
        let wanted = ids.contains(&owner.id);
        if wanted != owner.break_glass {
            diesel::update(organisation_members::table.find((organisation.0, owner.id)))
                .set((
                    organisation_members::break_glass.eq(wanted),
                    organisation_members::revision.eq(organisation_members::revision + 1),
                ))
                .execute(connection)?;
        }
    }
    Ok(())
}

/// Whether an organisation requires single sign-on and nobody could break the glass.
fn is_shut(connection: &mut PgConnection, organisation: OrganisationId) -> Result<bool> {
    Ok(organisations::find(connection, organisation)?.sso_required
        && !owners(connection, organisation)?.iter().any(|owner| owner.break_glass && owner.is_able()))
}

/// Refuses to leave an organisation that requires single sign-on without an owner who can break the glass. To be called
/// after the change, with the organisation locked.
///
/// # Errors
/// [`StoreError::Conflict`].
pub(crate) fn require_break_glass(connection: &mut PgConnection, organisation: OrganisationId) -> Result<()> {
    if is_shut(connection, organisation)? {
        return refuse(
            "The organisation requires single sign-on, and this is its last owner who can sign in without the \
             identity provider. Choose another one first, or take the requirement away.",
        );
    }
    Ok(())
}

/// The organisations in which a person may break the glass.
fn of_person(connection: &mut PgConnection, person: PersonId) -> Result<Vec<Uuid>> {
    Ok(organisation_members::table
        .filter(organisation_members::person_id.eq(person.0))
        .filter(organisation_members::break_glass)
        .order(organisation_members::organisation_id)
        .select(organisation_members::organisation_id)
        .load(connection)?)
}

/// Locks the organisations in which a person may break the glass, so that two of them do not lose what they need for
/// it at the same time. To be called before the person is locked.
pub(crate) fn lock_glass_of(connection: &mut PgConnection, person: PersonId) -> Result<()> {
    let ids = of_person(connection, person)?;
    organisations::lock(connection, &ids)
}

/// [`require_break_glass`] in every organisation in which the person may break the glass.
///
/// # Errors
/// [`StoreError::Conflict`].
pub(crate) fn require_glass_of(connection: &mut PgConnection, person: PersonId) -> Result<()> {
    for id in of_person(connection, person)? {
        require_break_glass(connection, OrganisationId(id))?;
    }
    Ok(())
}

/// Takes the requirement away wherever nobody could break the glass any more: for the operator, who is the last who can
/// help somebody who has lost everything. Gives the names of those organisations.
///
/// # Errors
/// If the database fails.
pub(crate) fn open_where_shut(
    connection: &mut PgConnection,
    origin: &Origin,
    person: PersonId,
) -> Result<Vec<String>> {
    let mut opened = Vec::new();
    let mut acts = Vec::new();
    for id in of_person(connection, person)? {
        let organisation = OrganisationId(id);
        if !is_shut(connection, organisation)? {
            continue;
        }
        let name: String = diesel::update(organisation_rows::table.find(id))
            .set((
                organisation_rows::sso_required.eq(false),
                organisation_rows::updated_at.eq(Utc::now()),
                organisation_rows::revision.eq(organisation_rows::revision + 1),
            ))
            .returning(organisation_rows::name)
            .get_result(connection)?;
        acts.push(
            Act::new("organisation.security_changed", "organisation", organisation, &name)
                .in_organisation(organisation)
                .before(json!({ "sso_required": true }))
                .after(json!({ "sso_required": false })),
        );
        opened.push(name);
    }
    audit::record_all(connection, origin, acts)?;
    Ok(opened)
}
