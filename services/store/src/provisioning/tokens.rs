//! Tokens that an identity provider provisions with. Each belongs to one connection and is good for nothing else; there
//! are at most two, so that one can follow the other without a gap. Only a digest of each is stored.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use kinora_core::{ConnectionId, OrganisationId, TokenId};
use serde_json::json;
use uuid::Uuid;

use super::Source;
use crate::audit::{self, Act, Origin};
use crate::schema::{provisioned_groups, provisioned_users, provisioning_tokens, saml_connections};
use crate::single_sign_on::connections;
use crate::{Result, StoreError};

/// Most of one connection that hold at the same time.
pub const MOST: i64 = 2;
/// How long use is not written down again after it was.
const USE_RESOLUTION: TimeDelta = TimeDelta::seconds(60);

/// A token as owners see it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct ProvisioningToken {
    /// Its id.
    pub id: Uuid,
    /// Its last characters.
    pub hint: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewProvisioningToken {
    /// SHA-256 of it.
    pub digest: [u8; 32],
    /// Its last characters.
    pub hint: String,
    /// How long it holds.
    pub validity: TimeDelta,
}

/// What has been provisioned through a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Users that are active.
    pub active_users: i64,
    /// Users that are not.
    pub inactive_users: i64,
    /// Groups.
    pub groups: i64,
}

/// A token that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its id.
    pub id: TokenId,
    /// Its last characters, for the audit trail.
    pub hint: String,
    /// Whose provider it is.
    pub source: Source,
}

type Columns = (
    provisioning_tokens::id,
    provisioning_tokens::hint,
    provisioning_tokens::created_at,
    provisioning_tokens::expires_at,
    provisioning_tokens::last_used_at,
);
const COLUMNS: Columns = (
    provisioning_tokens::id,
    provisioning_tokens::hint,
    provisioning_tokens::created_at,
    provisioning_tokens::expires_at,
    provisioning_tokens::last_used_at,
);

/// The tokens of a connection that hold, newest first, and what came through it.
///
/// # Errors
/// [`StoreError::NotFound`] if the organisation has no such connection.
pub fn list(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    id: ConnectionId,
) -> Result<(Vec<ProvisioningToken>, Extent)> {
    let _ = connections::find_in(connection, organisation, id)?;
    let tokens = provisioning_tokens::table
        .filter(provisioning_tokens::connection_id.eq(id.0))
        .filter(provisioning_tokens::revoked_at.is_null())
        .filter(provisioning_tokens::expires_at.gt(Utc::now()))
        .order(provisioning_tokens::id.desc())
        .limit(MOST)
        .select(COLUMNS)
        .load(connection)?;
    let mut users = |active: bool| {
        provisioned_users::table
            .filter(provisioned_users::connection_id.eq(id.0))
            .filter(provisioned_users::active.eq(active))
            .count()
            .get_result(connection)
    };
    let (active_users, inactive_users) = (users(true)?, users(false)?);
    let groups = provisioned_groups::table
        .filter(provisioned_groups::connection_id.eq(id.0))
        .count()
        .get_result(connection)?;
    Ok((tokens, Extent { active_users, inactive_users, groups }))
}

/// Makes a token.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::Conflict`] if there are two already.
pub fn create(
    connection: &mut PgConnection,
    origin: &Origin,
    (organisation, id): (OrganisationId, ConnectionId),
    new: &NewProvisioningToken,
) -> Result<ProvisioningToken> {
    let stored = connections::find_for_update(connection, organisation, id)?;
    let now = Utc::now();
    let held: i64 = provisioning_tokens::table
        .filter(provisioning_tokens::connection_id.eq(id.0))
        .filter(provisioning_tokens::revoked_at.is_null())
        .filter(provisioning_tokens::expires_at.gt(now))
        .count()
        .get_result(connection)?;
    if held >= MOST {
        return Err(StoreError::Conflict(
            "There are two tokens already, so that one can follow the other. Revoke the one that is no longer used."
                .to_owned(),
        ));
    }
    let made: ProvisioningToken = diesel::insert_into(provisioning_tokens::table)
        .values((
            provisioning_tokens::id.eq(TokenId::new().0),
            provisioning_tokens::connection_id.eq(id.0),
            provisioning_tokens::token_digest.eq(new.digest.as_slice()),
            provisioning_tokens::hint.eq(&new.hint),
            provisioning_tokens::created_by.eq(origin.actor_id.map(Uuid::from)),
            provisioning_tokens::created_at.eq(now),
            provisioning_tokens::expires_at.eq(now + new.validity),
        ))
        .returning(COLUMNS)
        .get_result(connection)?;
    let act = Act::new("provisioning_token.created", connections::KIND, id, &stored.name)
        .in_organisation(organisation)
        .after(json!({ "hint": made.hint, "expires_at": made.expires_at }));
    audit::record(connection, origin, act)?;
    Ok(made)
}

/// Revokes a token.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn revoke(
    connection: &mut PgConnection,
    origin: &Origin,
    (organisation, id, token): (OrganisationId, ConnectionId, TokenId),
) -> Result<()> {
    let stored = connections::find_for_update(connection, organisation, id)?;
    let now = Utc::now();
    let one = provisioning_tokens::table
        .find(token.0)
        .filter(provisioning_tokens::connection_id.eq(id.0))
        .filter(provisioning_tokens::revoked_at.is_null())
        .filter(provisioning_tokens::expires_at.gt(now));
    let hint: String = diesel::update(one)
        .set(provisioning_tokens::revoked_at.eq(now))
        .returning(provisioning_tokens::hint)
        .get_result(connection)?;
    let act = Act::new("provisioning_token.revoked", connections::KIND, id, &stored.name)
        .in_organisation(organisation)
        .before(json!({ "hint": hint }));
    audit::record(connection, origin, act)
}

type ShownRow = (Uuid, String, Option<DateTime<Utc>>, Uuid, String, Uuid, bool);

/// The token of this digest, if it holds. Notes that it is in use, at most once a minute.
///
/// # Errors
/// If the database fails.
pub fn find(connection: &mut PgConnection, digest: &[u8]) -> Result<Option<Shown>> {
    let now = Utc::now();
    let found: Option<ShownRow> = provisioning_tokens::table
        .inner_join(saml_connections::table.on(saml_connections::id.eq(provisioning_tokens::connection_id)))
        .filter(provisioning_tokens::token_digest.eq(digest))
        .filter(provisioning_tokens::revoked_at.is_null())
        .filter(provisioning_tokens::expires_at.gt(now))
        .select((
            provisioning_tokens::id,
            provisioning_tokens::hint,
            provisioning_tokens::last_used_at,
            saml_connections::id,
            saml_connections::name,
            saml_connections::organisation_id,
            saml_connections::admits_everyone,
        ))
        .first(connection)
        .optional()?;
    let Some((id, hint, last_used_at, owner, connection_name, organisation, admits_everyone)) = found else {
        return Ok(None);
    };
    if last_used_at.is_none_or(|last| now - last >= USE_RESOLUTION) {
        diesel::update(provisioning_tokens::table.find(id))
            .set(provisioning_tokens::last_used_at.eq(now))
            .execute(connection)?;
    }
    let source = Source {
        connection: ConnectionId(owner),
        connection_name,
        organisation: OrganisationId(organisation),
        admits_everyone,
    };
    Ok(Some(Shown { id: TokenId(id), hint, source }))
}
