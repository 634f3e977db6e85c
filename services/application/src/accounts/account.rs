//! One's own account: name, password, sessions, access tokens.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use kinora_core::permission::TokenScope;
use kinora_core::{ProductionId, SessionId, TokenId};
use kinora_store::principals::{Principal, ProductionMembership, Proof};
use kinora_store::tokens::{self, NewToken};
use kinora_store::{people, sessions, sign_in};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entrance::scene;
use super::fields;
use super::password_policy;
use super::session::{Person, try_password};
use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::cursor::List;
use crate::extract::idempotency::{Created, once};
use crate::extract::{Confirmed, Creation, Json, OwnAccount, PathId, SignedIn, Then, permission};
use crate::secrets::{digest, hint_of, new_access_token};

/// What one can change about oneself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    /// How one is called.
    #[schema(min_length = 1, max_length = 200)]
    display_name: String,
}

/// Change one's own name.
#[utoipa::path(patch, path = "/api/data/v1/account", tag = "account", request_body = AccountChange, responses(
    (status = 200, description = "Changed", body = Person),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn update_account(
    context: web::Data<Context>,
    Then(OwnAccount(who), Json(change)): Then<OwnAccount, Json<AccountChange>>,
) -> Result<web::Json<Person>, Problem> {
    let display_name = fields::name("/display_name", &change.display_name, fields::MAX_NAME)?;
    let (person, name) = (who.principal.person_id, display_name.clone());
    context
        .database
        .transaction(move |connection| people::rename(connection, &who.origin, person, &name))
        .await?;
    context.sessions.forget(person);
    Ok(web::Json(Person { id: person, login: who.principal.login.clone(), display_name }))
}

/// The present password and a new one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The present password.
    #[schema(max_length = 1024, format = Password)]
    current_password: String,
    /// The new one.
    #[schema(max_length = 200, format = Password)]
    new_password: String,
}

/// Change one's own password.
///
/// Ends all other sessions. Wrong present passwords count towards the lock-out of the login. Who has a second
/// factor must have confirmed the session with it.
#[utoipa::path(put, path = "/api/data/v1/account/password", tag = "account", request_body = PasswordChange, responses(
    (status = 204, description = "Changed"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn update_password(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(who, Json(change)): Then<SignedIn, Json<PasswordChange>>,
) -> Result<HttpResponse, Problem> {
    let session = who.session()?;
    let person = who.principal.person_id;
    if who.principal.methods.any() {
        permission::confirmed(&request).await?;
    }
    if change.current_password.len() > 1024 {
        return Err(Problem::invalid("/current_password", "is not your present password"));
    }
    let subject =
        context.database.read(move |connection| people::find_password_subject(connection, person)).await?;
    let new_password = change.new_password;
    let judged = new_password.clone();
    web::block(move || password_policy::check("/new_password", &judged, &subject))
        .await
        .map_err(Problem::unavailable)??;
    if change.current_password == new_password {
        return Err(Problem::invalid("/new_password", "must be another one than the present password"));
    }
    let key = sign_in::login_key(&who.principal.login);
    let turn = context.passwords.turn().await?;
    let account = try_password(&context, &turn, &who.origin, &key, change.current_password).await?;
    let former = account
        .and_then(|account| account.password_hash)
        .ok_or_else(|| Problem::invalid("/current_password", "is not your present password"))?;
    let hash = context.passwords.hash(&turn, new_password).await?;
    drop(turn);
    let scene = scene(&request, &context, who.origin);
    context
        .database
        .transaction(move |connection| {
            sign_in::clear(connection, &sign_in::login_digest(&key))?;
            people::change_password(connection, &scene, person, (&former, &hash), session)
        })
        .await?;
    context.sessions.forget(person);
    Ok(HttpResponse::NoContent().finish())
}

/// One of one's own sessions.
#[derive(Serialize, ToSchema)]
pub struct SessionEntry {
    /// Its id.
    id: SessionId,
    /// When it began.
    created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    last_seen_at: DateTime<Utc>,
    /// When it ends at the latest.
    expires_at: DateTime<Utc>,
    /// From where it began.
    address: Option<String>,
    /// What the browser said it is.
    user_agent: Option<String>,
    /// Whether it is the one this request came with.
    current: bool,
}

/// List one's own sessions.
#[utoipa::path(get, path = "/api/data/v1/account/sessions", tag = "account", responses(
    (status = 200, description = "Newest first", body = List<SessionEntry>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_sessions(
    context: web::Data<Context>,
    OwnAccount(who): OwnAccount,
) -> Result<web::Json<List<SessionEntry>>, Problem> {
    let person = who.principal.person_id;
    let rows = context.database.read(move |connection| sessions::list(connection, person)).await?;
    let entry = |row: sessions::Session| SessionEntry {
        id: SessionId(row.id),
        created_at: row.created_at,
        last_seen_at: row.last_seen_at,
        expires_at: row.expires_at,
        address: row.address,
        user_agent: row.user_agent,
        current: who.principal.proof == Proof::Session(SessionId(row.id)),
    };
    Ok(web::Json(List { items: rows.into_iter().map(entry).collect(), next_cursor: None }))
}

/// End one of one's own sessions.
///
/// Another one than that of the request only in a session that was confirmed a short time ago.
#[utoipa::path(delete, path = "/api/data/v1/account/sessions/{session_id}", tag = "account", params(("session_id" = SessionId, Path)), responses(
    (status = 204, description = "Ended; it holds nowhere for longer than a second"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn revoke_session(
    context: web::Data<Context>,
    Then(OwnAccount(who), PathId(id)): Then<OwnAccount, PathId<SessionId>>,
) -> Result<HttpResponse, Problem> {
    if who.principal.proof != Proof::Session(id) {
        permission::require_confirmed(&who.principal)?;
    }
    let person = who.principal.person_id;
    context
        .database
        .transaction(move |connection| sessions::revoke(connection, &who.origin, person, id))
        .await?;
    context.sessions.forget(person);
    Ok(HttpResponse::NoContent().finish())
}

/// An API access token, without its secret.
#[derive(Serialize, ToSchema)]
pub struct AccessToken {
    /// Its id.
    id: TokenId,
    /// What it is for.
    name: String,
    /// Its last characters.
    hint: String,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it ends.
    expires_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    last_used_at: Option<DateTime<Utc>>,
    /// What it may do at most; without this, all that the person may.
    scope: Option<TokenScope>,
}

impl From<tokens::AccessToken> for AccessToken {
    fn from(row: tokens::AccessToken) -> Self {
        Self {
            id: TokenId(row.id),
            name: row.name,
            hint: row.hint,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            scope: row.scope,
        }
    }
}

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccessToken {
    /// What it is for.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// How long it holds, in days.
    #[serde(default = "default_days")]
    #[schema(minimum = 1, maximum = 366, default = 90)]
    expires_in_days: i64,
    /// What it may do at most; without this, all that the person may.
    #[serde(default)]
    scope: Option<TokenScope>,
}

/// What was asked for, as it is stored.
pub(super) struct CheckedToken {
    pub name: String,
    pub days: i64,
    pub scope: Option<TokenScope>,
}

impl NewAccessToken {
    /// Checks all but whose the productions are.
    pub(super) fn checked(self) -> Result<CheckedToken, Problem> {
        let name = fields::name("/name", &self.name, 100)?;
        if !(1..=366).contains(&self.expires_in_days) {
            return Err(Problem::invalid("/expires_in_days", "must be 1 to 366"));
        }
        Ok(CheckedToken { name, days: self.expires_in_days, scope: self.scope.map(scope).transpose()? })
    }
}

/// A scope with each module and production once.
fn scope(mut scope: TokenScope) -> Result<TokenScope, Problem> {
    scope.modules.sort_unstable();
    scope.modules.dedup();
    if scope.modules.is_empty() {
        return Err(Problem::invalid("/scope/modules", "must name a module at least"));
    }
    if let Some(productions) = &mut scope.productions {
        if !(1..=100).contains(&productions.len()) {
            return Err(Problem::invalid("/scope/productions", "must name 1 to 100 productions"));
        }
        productions.sort_unstable();
        productions.dedup();
    }
    Ok(scope)
}

/// Refuses a scope with productions that the person is not in.
fn require_own_productions(asked: Option<&TokenScope>, principal: &Principal) -> Result<(), Problem> {
    let asked = asked.and_then(|scope| scope.productions.as_ref()).map(Vec::as_slice).unwrap_or_default();
    // Support access is not for tokens.
    let is_own = |id: &ProductionId| {
        principal
            .productions
            .get(id)
            .is_some_and(|membership: &ProductionMembership| membership.support.is_none())
    };
    match asked.iter().position(|id| !is_own(id)) {
        Some(place) => {
            Err(Problem::invalid(format!("/scope/productions/{place}"), "is none of your productions"))
        }
        None => Ok(()),
    }
}

fn default_days() -> i64 {
    90
}

/// A new token with its secret, which is never shown again.
#[derive(Serialize, ToSchema)]
pub struct CreatedAccessToken {
    /// To be sent as `Authorization: Bearer …`.
    pub(super) secret: String,
    /// The token.
    pub(super) token: AccessToken,
}

/// List one's own access tokens.
#[utoipa::path(get, path = "/api/data/v1/account/tokens", tag = "account", responses(
    (status = 200, description = "Newest first", body = List<AccessToken>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_tokens(
    context: web::Data<Context>,
    OwnAccount(who): OwnAccount,
) -> Result<web::Json<List<AccessToken>>, Problem> {
    let person = who.principal.person_id;
    let rows = context.database.read(move |connection| tokens::list(connection, person)).await?;
    Ok(web::Json(List { items: rows.into_iter().map(Into::into).collect(), next_cursor: None }))
}

/// Make an access token.
///
/// Only in a session that was confirmed a short time ago: neither a token that leaked nor a stolen session must be
/// able to make others that outlive it.
#[utoipa::path(post, path = "/api/data/v1/account/tokens", tag = "account", request_body = NewAccessToken,
    params(("Idempotency-Key" = Option<String>, Header)), responses(
    (status = 201, description = "Made", body = CreatedAccessToken),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn create_token(
    context: web::Data<Context>,
    Then(Confirmed(who), Creation { body, key }): Then<Confirmed, Creation<NewAccessToken>>,
) -> Result<HttpResponse, Problem> {
    // Before the list is put in order, so that the answer names the place in what was sent.
    require_own_productions(body.scope.as_ref(), &who.principal)?;
    let CheckedToken { name, days, scope } = body.checked()?;
    let secret = new_access_token().map_err(Problem::internal)?;
    let validity = TimeDelta::days(days);
    let new = NewToken { name, digest: digest(&secret), hint: hint_of(&secret), validity, scope };
    let (person, keys) = (who.principal.person_id, context.keys.clone());
    let created = context
        .database
        .creation(key, move |connection, key| {
            once(connection, &keys, person, key, |connection| {
                let token = tokens::create(connection, &who.origin, person, &new)?;
                Created::new(&CreatedAccessToken { secret: secret.clone(), token: token.into() })
            })
        })
        .await?;
    Ok(created.into_response())
}

/// Revoke one of one's own access tokens.
#[utoipa::path(delete, path = "/api/data/v1/account/tokens/{token_id}", tag = "account", params(("token_id" = TokenId, Path)), responses(
    (status = 204, description = "Revoked; it holds nowhere for longer than a second"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn revoke_token(
    context: web::Data<Context>,
    Then(OwnAccount(who), PathId(id)): Then<OwnAccount, PathId<TokenId>>,
) -> Result<HttpResponse, Problem> {
    let person = who.principal.person_id;
    context
        .database
        .transaction(move |connection| tokens::revoke(connection, &who.origin, person, id))
        .await?;
    context.sessions.forget(person);
    Ok(HttpResponse::NoContent().finish())
}
