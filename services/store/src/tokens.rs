//! API access tokens. Only a hash of each is stored.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use kinora_core::permission::{Module, ModuleRole, TokenScope};
use kinora_core::{PersonId, ProductionId, TokenId};
use uuid::Uuid;

use crate::audit::{self, Act, Origin};
use crate::schema::access_tokens;
use crate::{Result, StoreError};

/// Most tokens that hold at the same time, for one person.
pub const MAX_PER_PERSON: i64 = 50;

/// A token as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// Its id.
    pub id: Uuid,
    /// What it is for.
    pub name: String,
    /// Its last characters.
    pub hint: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// What it may do at most; none: all that its person may.
    pub scope: Option<TokenScope>,
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// SHA-256 of it.
    pub digest: [u8; 32],
    /// Its last characters.
    pub hint: String,
    /// How long it holds.
    pub validity: TimeDelta,
    /// What it may do at most; none: all that its person may.
    pub scope: Option<TokenScope>,
}

/// The columns of a scope: most role, modules, productions.
pub(crate) type ScopeColumns = (Option<String>, Option<Vec<String>>, Option<Vec<Uuid>>);

/// The scope of these columns.
pub(crate) fn read_scope((most_role, modules, productions): ScopeColumns) -> Result<Option<TokenScope>> {
    let (Some(most_role), Some(modules)) = (most_role, modules) else { return Ok(None) };
    let unknown = |name: &str| StoreError::NotUnderstood(format!("scope of a token: {name:?}"));
    Ok(Some(TokenScope {
        most_role: ModuleRole::from_name(&most_role).ok_or_else(|| unknown(&most_role))?,
        modules: modules
            .iter()
            .map(|name| Module::from_name(name).ok_or_else(|| unknown(name)))
            .collect::<Result<_>>()?,
        productions: productions.map(|ids| ids.into_iter().map(ProductionId).collect()),
    }))
}

fn scope_columns(scope: Option<&TokenScope>) -> ScopeColumns {
    let Some(scope) = scope else { return (None, None, None) };
    (
        Some(scope.most_role.name().to_owned()),
        Some(scope.modules.iter().map(|module| module.name().to_owned()).collect()),
        scope.productions.as_ref().map(|ids| ids.iter().map(|id| id.0).collect()),
    )
}

type Row = (Uuid, String, String, DateTime<Utc>, DateTime<Utc>, Option<DateTime<Utc>>, ScopeColumns);

fn read((id, name, hint, created_at, expires_at, last_used_at, scope): Row) -> Result<AccessToken> {
    Ok(AccessToken { id, name, hint, created_at, expires_at, last_used_at, scope: read_scope(scope)? })
}

type Columns = (
    access_tokens::id,
    access_tokens::name,
    access_tokens::hint,
    access_tokens::created_at,
    access_tokens::expires_at,
    access_tokens::last_used_at,
    (access_tokens::most_role, access_tokens::modules, access_tokens::productions),
);

const COLUMNS: Columns = (
    access_tokens::id,
    access_tokens::name,
    access_tokens::hint,
    access_tokens::created_at,
    access_tokens::expires_at,
    access_tokens::last_used_at,
    (access_tokens::most_role, access_tokens::modules, access_tokens::productions),
);

/// Makes a token.
///
/// # Errors
/// [`StoreError::Conflict`] if the person has too many.
pub fn create(
    connection: &mut PgConnection,
    origin: &Origin,
    person: PersonId,
    token: &NewToken,
) -> Result<AccessToken> {
    let made = insert(connection, person, token)?;
    let after = serde_json::json!({ "expires_at": made.expires_at, "hint": made.hint, "scope": made.scope });
    let act = Act::new("token.created", "token", made.id, &token.name).after(after);
    audit::record_personal(connection, origin, person, act)?;
    Ok(made)
}

/// Writes a token. Leaves the audit row to the caller.
pub(crate) fn insert(
    connection: &mut PgConnection,
    person: PersonId,
    token: &NewToken,
) -> Result<AccessToken> {
    let now = Utc::now();
    let held: i64 = access_tokens::table
        .filter(access_tokens::person_id.eq(person.0))
        .filter(access_tokens::revoked_at.is_null())
        .filter(access_tokens::expires_at.gt(now))
        .count()
        .get_result(connection)?;
    if held >= MAX_PER_PERSON {
        return Err(StoreError::Conflict(format!(
            "There are {held} access tokens already. Revoke some of them first."
        )));
    }
    let id = TokenId::new();
    let (most_role, modules, productions) = scope_columns(token.scope.as_ref());
    diesel::insert_into(access_tokens::table)
        .values((
            access_tokens::id.eq(id.0),
            access_tokens::person_id.eq(person.0),
            access_tokens::name.eq(&token.name),
            access_tokens::token_digest.eq(token.digest.as_slice()),
            access_tokens::hint.eq(&token.hint),
            access_tokens::created_at.eq(now),
            access_tokens::expires_at.eq(now + token.validity),
            access_tokens::most_role.eq(most_role),
            access_tokens::modules.eq(modules),
            access_tokens::productions.eq(productions),
        ))
        .returning(COLUMNS)
        .get_result(connection)
        .map_err(StoreError::from)
        .and_then(read)
}

/// The tokens of a person that hold, newest first.
///
/// # Errors
/// If the database fails.
pub fn list(connection: &mut PgConnection, person: PersonId) -> Result<Vec<AccessToken>> {
    let rows: Vec<Row> = access_tokens::table
        .filter(access_tokens::person_id.eq(person.0))
        .filter(access_tokens::revoked_at.is_null())
        .filter(access_tokens::expires_at.gt(Utc::now()))
        .order(access_tokens::created_at.desc())
        .limit(200)
        .select(COLUMNS)
        .load(connection)?;
    rows.into_iter().map(read).collect()
}

/// Revokes a token of a person.
///
/// # Errors
/// [`StoreError::NotFound`] if the person has no such token that holds.
pub fn revoke(connection: &mut PgConnection, origin: &Origin, person: PersonId, id: TokenId) -> Result<()> {
    let name = end(connection, person, id)?;
    audit::record_personal(connection, origin, person, Act::new("token.revoked", "token", id, &name))
}

/// Ends a token of a person that holds; gives its name. Leaves the audit row to the caller.
pub(crate) fn end(connection: &mut PgConnection, person: PersonId, id: TokenId) -> Result<String> {
    let now = Utc::now();
    let own = access_tokens::table
        .find(id.0)
        .filter(access_tokens::person_id.eq(person.0))
        .filter(access_tokens::revoked_at.is_null())
        .filter(access_tokens::expires_at.gt(now));
    let name: Option<String> = diesel::update(own)
        .set(access_tokens::revoked_at.eq(now))
        .returning(access_tokens::name)
        .get_result(connection)
        .optional()?;
    name.ok_or(StoreError::NotFound)
}

/// Revokes all tokens of a person. Leaves the audit row to the caller, whose act this is part of.
///
/// # Errors
/// If the database fails.
pub(crate) fn revoke_all(connection: &mut PgConnection, person: PersonId) -> Result<usize> {
    let own = access_tokens::table
        .filter(access_tokens::person_id.eq(person.0))
        .filter(access_tokens::revoked_at.is_null());
    Ok(diesel::update(own).set(access_tokens::revoked_at.eq(Utc::now())).execute(connection)?)
}
