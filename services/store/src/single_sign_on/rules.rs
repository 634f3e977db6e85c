//! What membership of a group at the provider gives here: a role in the organisation, or roles in a production.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::permission::{OrganisationRole, ProductionRoles};
use kinora_core::{ConnectionId, GroupRuleId, OrganisationId, ProductionId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::admission::Grants;
use super::connections::{self, SamlConnection};
use crate::audit::{self, Act, Origin};
use crate::principals::{RoleColumns, organisation_role, production_roles, role_columns};
use crate::provisioning::{Source, standing};
use crate::schema::{productions, saml_group_rules};
use crate::{Result, StoreError};

/// Most rules of one connection.
const MOST: i64 = 500;

/// A rule. It gives a role in the organisation or roles in a production, never both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRule {
    /// Its id.
    pub id: GroupRuleId,
    /// The connection.
    pub connection_id: ConnectionId,
    /// The group, as the provider writes it.
    pub group_name: String,
    /// The role in the organisation, never owner.
    pub organisation_role: Option<OrganisationRole>,
    /// The production.
    pub production_id: Option<ProductionId>,
    /// The roles in the production.
    pub roles: ProductionRoles,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What a rule gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gift {
    /// A role in the organisation.
    Organisation(OrganisationRole),
    /// Roles in a production.
    Production(ProductionId, ProductionRoles),
}

impl Gift {
    fn state(self, group: &str) -> Value {
        match self {
            Self::Organisation(role) => json!({ "group": group, "organisation_role": role }),
            Self::Production(id, roles) => json!({ "group": group, "production_id": id, "roles": roles }),
        }
    }
}

impl GroupRule {
    /// What it gives.
    #[must_use]
    pub fn gift(&self) -> Option<Gift> {
        match (self.organisation_role, self.production_id) {
            (Some(role), _) => Some(Gift::Organisation(role)),
            (None, Some(id)) => Some(Gift::Production(id, self.roles)),
            (None, None) => None,
        }
    }
}

/// What these rules give together: in the organisation and in each module of a production the highest role; none if
/// nothing does.
#[must_use]
pub fn grants<'a>(matched: impl IntoIterator<Item = &'a GroupRule>, admits_everyone: bool) -> Option<Grants> {
    let mut productions: BTreeMap<ProductionId, ProductionRoles> = BTreeMap::new();
    let mut role = admits_everyone.then_some(OrganisationRole::Member);
    for rule in matched {
        // Whoever works in a production of the organisation belongs to it.
        role = role.max(Some(OrganisationRole::Member));
        match rule.gift() {
            Some(Gift::Organisation(given)) => {
                role = role.max(Some(given.min(OrganisationRole::Administrator)));
            }
            Some(Gift::Production(id, roles)) => {
                let held = productions.entry(id).or_default();
                *held = held.higher(&roles);
            }
            None => {}
        }
    }
    role.map(|role| Grants { role, productions })
}

type Row = (Uuid, Uuid, String, Option<String>, Option<Uuid>, RoleColumns, DateTime<Utc>);
type Columns = (
    saml_group_rules::id,
    saml_group_rules::connection_id,
    saml_group_rules::group_name,
    saml_group_rules::organisation_role,
    saml_group_rules::production_id,
    (
        saml_group_rules::office_role,
        saml_group_rules::library_role,
        saml_group_rules::subtitling_role,
        saml_group_rules::budget_role,
    ),
    saml_group_rules::created_at,
);

const COLUMNS: Columns = (
    saml_group_rules::id,
    saml_group_rules::connection_id,
    saml_group_rules::group_name,
    saml_group_rules::organisation_role,
    saml_group_rules::production_id,
    (
        saml_group_rules::office_role,
        saml_group_rules::library_role,
        saml_group_rules::subtitling_role,
        saml_group_rules::budget_role,
    ),
    saml_group_rules::created_at,
);

fn read((id, connection, group_name, role, production, roles, created_at): Row) -> Result<GroupRule> {
    Ok(GroupRule {
        id: GroupRuleId(id),
        connection_id: ConnectionId(connection),
        group_name,
        organisation_role: role.as_deref().map(organisation_role).transpose()?,
        production_id: production.map(ProductionId),
        roles: production_roles(&roles)?,
        created_at,
    })
}

/// The rules of a connection, by group. Those of productions that were removed are not among them.
///
/// # Errors
/// If the database fails.
pub fn of(connection: &mut PgConnection, id: ConnectionId) -> Result<Vec<GroupRule>> {
    let present = productions::table.filter(productions::removed_at.is_null()).select(productions::id);
    let rows: Vec<Row> = saml_group_rules::table
        .filter(saml_group_rules::connection_id.eq(id.0))
        .filter(
            saml_group_rules::production_id
                .is_null()
                .or(saml_group_rules::production_id.eq_any(present.nullable())),
        )
        .order((saml_group_rules::group_name, saml_group_rules::id))
        .select(COLUMNS)
        .load(connection)?;
    rows.into_iter().map(read).collect()
}

/// Makes a rule.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::Conflict`] with a production of somebody else, for the role of an owner, for
/// no role at all, and if there is such a rule.
pub fn create(
    connection: &mut PgConnection,
    origin: &Origin,
    (organisation, id): (OrganisationId, ConnectionId),
    group: &str,
    gift: Gift,
) -> Result<GroupRule> {
    let stored = connections::find_for_update(connection, organisation, id)?;
    check(connection, organisation, gift)?;
    let count: i64 = saml_group_rules::table
        .filter(saml_group_rules::connection_id.eq(id.0))
        .count()
        .get_result(connection)?;
    if count >= MOST {
        return Err(StoreError::Conflict(format!("A connection has at most {MOST} rules.")));
    }
    let (role, production, roles) = match gift {
        Gift::Organisation(role) => (Some(role.name()), None, ProductionRoles::default()),
        Gift::Production(production, roles) => (None, Some(production.0), roles),
    };
    let (office, library, subtitling, budget) = role_columns(&roles);
    let made: Row = diesel::insert_into(saml_group_rules::table)
        .values((
            saml_group_rules::id.eq(GroupRuleId::new().0),
            saml_group_rules::connection_id.eq(id.0),
            saml_group_rules::group_name.eq(group),
            saml_group_rules::organisation_role.eq(role),
            saml_group_rules::production_id.eq(production),
            saml_group_rules::office_role.eq(office),
            saml_group_rules::library_role.eq(library),
            saml_group_rules::subtitling_role.eq(subtitling),
            saml_group_rules::budget_role.eq(budget),
        ))
        .returning(COLUMNS)
        .get_result(connection)
        .map_err(|error| match StoreError::from(error) {
            error if error.violated_unique_constraint().is_some() => StoreError::Conflict(
                "There is a rule for this group and place already. Remove it first.".to_owned(),
            ),
            error => error,
        })?;
    let act = Act::new("saml_group_rule.created", connections::KIND, id, &stored.name)
        .in_organisation(organisation)
        .after(gift.state(group));
    let mut acts = vec![act];
    standing::reapply(connection, &source(&stored), group, &mut acts)?;
    audit::record_all(connection, origin, acts)?;
    read(made)
}

fn check(connection: &mut PgConnection, organisation: OrganisationId, gift: Gift) -> Result<()> {
    let refuse = |sentence: &str| Err(StoreError::Conflict(sentence.to_owned()));
    match gift {
        Gift::Organisation(OrganisationRole::Owner) => {
            refuse("No group makes owners: who owns the organisation is decided here, by its owners.")
        }
        Gift::Organisation(_) => Ok(()),
        Gift::Production(_, roles) if roles.is_empty() => {
            refuse("A rule for a production gives a role in at least one module.")
        }
        Gift::Production(id, _) => {
            let owner: Option<Uuid> = productions::table
                .find(id.0)
                .filter(productions::removed_at.is_null())
                .select(productions::organisation_id)
                .first(connection)
                .optional()?;
            // Somebody else's production is like one that does not exist.
            if owner == Some(organisation.0) {
                Ok(())
            } else {
                refuse("The organisation has no such production.")
            }
        }
    }
}

/// Removes a rule. What it gave is taken at once from people whose groups are provisioned, and from others at their next
/// sign-in.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn remove(
    connection: &mut PgConnection,
    origin: &Origin,
    (organisation, id, rule): (OrganisationId, ConnectionId, GroupRuleId),
) -> Result<()> {
    let stored = connections::find_for_update(connection, organisation, id)?;
    let one =
        saml_group_rules::table.find(rule.0).filter(saml_group_rules::connection_id.eq(id.0)).select(COLUMNS);
    let removed = read(one.first::<Row>(connection)?)?;
    diesel::delete(saml_group_rules::table.find(rule.0)).execute(connection)?;
    let before = removed.gift().map(|gift| gift.state(&removed.group_name));
    let act = Act::new("saml_group_rule.removed", connections::KIND, id, &stored.name)
        .in_organisation(organisation)
        .before(before);
    let mut acts = vec![act];
    standing::reapply(connection, &source(&stored), &removed.group_name, &mut acts)?;
    audit::record_all(connection, origin, acts)
}

fn source(stored: &SamlConnection) -> Source {
    Source {
        connection: ConnectionId(stored.id),
        connection_name: stored.name.clone(),
        organisation: OrganisationId(stored.organisation_id),
        admits_everyone: stored.admits_everyone,
    }
}
