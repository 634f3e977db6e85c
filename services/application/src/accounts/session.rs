//! Signing in and out, and who is signed in.

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{TimeDelta, Utc};
use kinora_core::permission::OrganisationRole;
use kinora_core::{OrganisationId, PersonId, SessionId};
use kinora_store::principals::{Principal, Proof};
use kinora_store::sessions::{self, NewSession};
use kinora_store::sign_in::{self, Account, Attempt};
use kinora_store::{Origin, people};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::passwords::Turn;
use crate::address::counted_address;
use crate::context::{Caller, Context, client_address, origin};
use crate::error::{Problem, ProblemDocument, ProblemKind};
use crate::extract::{Json, SignedIn};
use crate::middleware::rate_limit;
use crate::middleware::session::COOKIE;
use crate::rate::Counted;
use crate::secrets::{digest, random_token};
use crate::sessions::Credential;

/// Login and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The login; capitals do not matter.
    #[schema(max_length = 254)]
    login: String,
    /// The password.
    #[schema(max_length = 1024, format = Password)]
    password: String,
}

/// A person.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Person {
    /// Their id.
    pub id: PersonId,
    /// What they sign in with.
    pub login: String,
    /// How they are called.
    pub display_name: String,
}

/// A role in an organisation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrganisationMembership {
    /// The organisation.
    pub id: OrganisationId,
    /// Its name.
    pub name: String,
    /// The role in it.
    pub role: OrganisationRole,
}

/// Who is signed in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Session {
    /// The person.
    pub person: Person,
    /// To be sent as `X-CSRF-Token` with changes; empty for access tokens, which need none.
    pub csrf_token: String,
    /// Nothing but choosing a new password is allowed.
    pub password_change_required: bool,
    /// Their organisations.
    pub organisations: Vec<OrganisationMembership>,
}

impl Session {
    fn of(context: &Context, principal: &Principal, credential: Credential) -> Result<Self, Problem> {
        let csrf_token = match (principal.proof, credential) {
            (Proof::Session(id), Credential::Session(cookie)) => {
                context.keys.csrf_token(id, &cookie).map_err(Problem::internal)?
            }
            _ => String::new(),
        };
        let organisations = principal.organisations.iter().map(|membership| OrganisationMembership {
            id: membership.id,
            name: membership.name.clone(),
            role: membership.role,
        });
        Ok(Self {
            person: Person {
                id: principal.person_id,
                login: principal.login.clone(),
                display_name: principal.display_name.clone(),
            },
            csrf_token,
            password_change_required: principal.password_change_required,
            organisations: organisations.collect(),
        })
    }
}

/// Sign in.
///
/// Sets the cookie `__Host-kinora`. After ten wrong passwords in a row the login is locked for five
/// minutes, whether it exists or not.
#[utoipa::path(post, path = "/api/data/v1/session", tag = "session", security(()), request_body = SignIn, responses(
    (status = 200, description = "Signed in", body = Session, headers(("Set-Cookie" = String))),
    (status = 401, description = "Login and password do not belong together", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 429, description = "Locked, or too many sign-ins from this address", body = ProblemDocument, content_type = "application/problem+json"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn create_session(
    request: HttpRequest,
    context: web::Data<Context>,
    Json(form): Json<SignIn>,
) -> Result<HttpResponse, Problem> {
    if let Some(address) = client_address(&request) {
        rate_limit::take(&context, Counted::SignIn(counted_address(address)))?;
    }
    for (pointer, text, max) in [("/login", &form.login, 254), ("/password", &form.password, 1024)] {
        if text.len() > max {
            return Err(Problem::invalid(pointer, format!("must have at most {max} bytes")));
        }
    }
    let key = sign_in::login_key(&form.login);
    let turn = context.passwords.turn().await?;
    let visitor = origin(&request, None);
    let Verified { account, new_hash } = verify(&context, &turn, &visitor, &key, form.password).await?;
    drop(turn);
    let person_id = PersonId(account.id);
    let origin = Origin { actor_id: Some(person_id), actor: account.login.clone(), ..visitor };
    let token = random_token().map_err(Problem::internal)?;
    let session = new_session(&context, &request, person_id, digest(&token));
    let former = request_session(&request);
    context
        .database
        .transaction(move |connection| {
            if let (Some(new), Some(old)) = (new_hash, account.password_hash.as_deref()) {
                people::rehash_password(connection, person_id, old, &new)?;
            }
            sign_in::clear(connection, &sign_in::login_digest(&key))?;
            sessions::create(connection, &origin, &session)
        })
        .await?;
    if let Some(former) = former {
        end_former(&context, &request, former).await?;
    }
    let credential = Credential::Session(digest(&token));
    let principal = context.sessions.read(credential).await?;
    let principal = principal.ok_or_else(|| Problem::from(ProblemKind::SignInFailed))?;
    let seconds = i64::try_from(context.settings.session.absolute_limit.get().as_secs()).unwrap_or(i64::MAX);
    let cookie = cookie(token, CookieDuration::seconds(seconds));
    Ok(HttpResponse::Ok().cookie(cookie).json(Session::of(&context, &principal, credential)?))
}

struct Verified {
    account: Account,
    new_hash: Option<String>,
}

/// Looks at the password. Known and unknown logins take the same statements and the same work.
async fn verify(
    context: &Context,
    turn: &Turn,
    visitor: &Origin,
    key: &str,
    password: String,
) -> Result<Verified, Problem> {
    let account = try_password(context, turn, visitor, key, password.clone()).await?;
    let account = account.ok_or_else(|| Problem::from(ProblemKind::SignInFailed))?;
    let is_outdated =
        account.password_hash.as_deref().is_some_and(|hash| context.passwords.is_outdated(hash));
    let new_hash = if is_outdated { Some(context.passwords.hash(turn, password).await?) } else { None };
    Ok(Verified { account, new_hash })
}

/// The account of the login if the password is its own and it may sign in. The try is counted before
/// it is looked at; whoever calls this clears the count if it was right.
///
/// # Errors
/// [`ProblemKind::Locked`].
pub(super) async fn try_password(
    context: &Context,
    turn: &Turn,
    origin: &Origin,
    key: &str,
    password: String,
) -> Result<Option<Account>, Problem> {
    let login_digest = sign_in::login_digest(key);
    let looked_up = key.to_owned();
    let (attempt, account) = context
        .database
        .run(move |connection| {
            let attempt = sign_in::take_attempt(connection, &login_digest, Utc::now())?;
            Ok::<_, kinora_store::StoreError>((attempt, sign_in::find_account(connection, &looked_up)?))
        })
        .await?;
    let tries = match attempt {
        Attempt::Allowed(tries) => tries,
        Attempt::Locked(remaining) => {
            metrics::counter!("kinora_sign_in_total", "outcome" => "locked").increment(1);
            let seconds = u64::try_from(remaining.num_seconds()).unwrap_or_default();
            return Err(Problem::from(ProblemKind::Locked).retry_after(seconds + 1));
        }
    };
    let hash = account.as_ref().and_then(|account| account.password_hash.clone());
    let is_right = match context.passwords.verify(turn, password, hash).await {
        Ok(is_right) => is_right,
        Err(problem) => {
            context
                .database
                .run(move |connection| sign_in::give_attempt_back(connection, &login_digest))
                .await?;
            return Err(problem);
        }
    };
    let outcome = if is_right { "right" } else { "wrong" };
    metrics::counter!("kinora_sign_in_total", "outcome" => outcome).increment(1);
    let is_let_in = is_right && account.as_ref().is_some_and(|account| account.disabled_at.is_none());
    if is_let_in {
        return Ok(account);
    }
    if tries >= sign_in::TRIES {
        let origin = origin.clone();
        context
            .database
            .run(move |connection| sign_in::record_lock_out(connection, &origin, account.as_ref()))
            .await?;
    }
    Ok(None)
}

fn new_session(
    context: &Context,
    request: &HttpRequest,
    person_id: PersonId,
    token_digest: [u8; 32],
) -> NewSession {
    let limit = |limit| TimeDelta::from_std(limit).unwrap_or(TimeDelta::MAX);
    let settings = &context.settings.session;
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    NewSession {
        id: SessionId::new(),
        person_id,
        token_digest,
        idle_limit: limit(settings.idle_limit.get()),
        absolute_limit: limit(settings.absolute_limit.get()),
        user_agent: agent.map(|agent| agent.chars().take(300).collect()),
    }
}

fn cookie(token: String, age: CookieDuration) -> Cookie<'static> {
    Cookie::build(COOKIE, token)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(age)
        .finish()
}

/// The session that the browser had before it signed in again.
fn request_session(request: &HttpRequest) -> Option<Caller> {
    use actix_web::HttpMessage as _;
    request
        .extensions()
        .get::<Caller>()
        .filter(|caller| matches!(caller.principal.proof, Proof::Session(_)))
        .cloned()
}

async fn end_former(context: &Context, request: &HttpRequest, former: Caller) -> Result<(), Problem> {
    let Proof::Session(id) = former.principal.proof else { return Ok(()) };
    let (person, origin) = (former.principal.person_id, origin(request, Some(&former.principal)));
    let ended = context
        .database
        .transaction(move |connection| sessions::revoke(connection, &origin, person, id))
        .await;
    context.sessions.forget(person);
    match ended {
        // It has ended by itself meanwhile.
        Err(problem) if problem.kind() == ProblemKind::NotFound => Ok(()),
        other => other,
    }
}

/// Who am I?
#[utoipa::path(get, path = "/api/data/v1/session", tag = "session", responses(
    (status = 200, description = "Who is signed in", body = Session),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_session(context: web::Data<Context>, who: SignedIn) -> Result<web::Json<Session>, Problem> {
    Ok(web::Json(Session::of(&context, &who.principal, who.credential)?))
}

/// Sign out.
#[utoipa::path(delete, path = "/api/data/v1/session", tag = "session", responses(
    (status = 204, description = "Signed out"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn delete_session(context: web::Data<Context>, who: SignedIn) -> Result<HttpResponse, Problem> {
    let (id, person, origin) = (who.session()?, who.principal.person_id, who.origin);
    context.database.transaction(move |connection| sessions::revoke(connection, &origin, person, id)).await?;
    context.sessions.forget(person);
    let mut response = HttpResponse::NoContent();
    response.cookie(cookie(String::new(), CookieDuration::ZERO));
    Ok(response.finish())
}
