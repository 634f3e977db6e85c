//! Letting somebody in: what every way of signing in ends with. One place makes sessions and their cookies.

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use chrono::TimeDelta;
use diesel::pg::PgConnection;
use kinora_core::{PersonId, SessionId};
use kinora_store::known_browsers;
use kinora_store::notices::Scene;
use kinora_store::principals::Proof;
use kinora_store::second_factors::EMAIL_CODE;
use kinora_store::sessions::{self, Confirmed, NewSession};
use kinora_store::single_sign_on::break_glass;
use kinora_store::{Origin, StoreError};

use super::session::Session;
use crate::context::{Caller, Context, origin};
use crate::error::{Problem, ProblemKind};
use crate::middleware::session::{COOKIE, find_cookie};
use crate::secrets::{Digest, digest, random_token};
use crate::sessions::Credential;

/// Name of the cookie of a half sign-in: good for nothing but finishing it.
pub const PENDING_COOKIE: &str = "__Host-kinora-pending";
/// Name of the cookie by which a browser is known again; it proves nothing.
const BROWSER_COOKIE: &str = "__Host-kinora-browser";

/// Who is let in.
#[derive(Clone, Debug)]
pub struct Entering {
    /// The person.
    pub person: PersonId,
    /// Their login.
    pub login: String,
    /// The second factor they have shown, as the audit trail calls it.
    pub factor: Option<&'static str>,
}

/// What the browser says it is, as much as is kept of it.
#[must_use]
pub fn device(request: &HttpRequest) -> Option<String> {
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    agent.map(|agent| agent.chars().take(300).collect())
}

/// Somebody who acts in this request, and what a letter about it says.
#[must_use]
pub fn scene(request: &HttpRequest, context: &Context, origin: Origin) -> Scene {
    Scene { origin, device: device(request), page: account_page(context) }
}

/// The address of the page where people look after their account.
#[must_use]
pub fn account_page(context: &Context) -> String {
    format!("{}account", context.settings.public_url)
}

/// The session that the browser has, if it has one.
#[must_use]
pub fn session_of(request: &HttpRequest) -> Option<SessionId> {
    request_session(request).and_then(|caller| match caller.principal.proof {
        Proof::Session(id) => Some(id),
        Proof::Token(_) => None,
    })
}

/// Begins a session, with a new token whatever the browser had before, and ends the one that it had.
/// `before` runs first, in the same transaction.
///
/// # Errors
/// What `before` refuses; if the database cannot be reached.
pub async fn let_in<F>(
    context: &Context,
    request: &HttpRequest,
    entering: Entering,
    before: F,
) -> Result<HttpResponse, Problem>
where
    F: FnOnce(&mut PgConnection, &Scene) -> Result<(), StoreError> + Send + 'static,
{
    let Entering { person, login, factor } = entering;
    let visitor = origin(request, None);
    let scene = scene(request, context, Origin { actor_id: Some(person), actor: login, ..visitor });
    let opening = Opening::new(known_browser(request))?;
    let session = opening.session(context, scene.device.clone(), (person, factor));
    let browser = opening.browser;
    context
        .database
        .transaction(move |connection| {
            before(connection, &scene)?;
            known_browsers::note(connection, &scene, person, &browser)?;
            // A code that came by mail breaks no glass.
            if session.factor.is_some_and(|factor| factor != EMAIL_CODE) {
                break_glass::note_use(connection, &scene, person)?;
            }
            sessions::create(connection, &scene.origin, &session)
        })
        .await?;
    if let Some(former) = request_session(request) {
        end_former(context, request, former).await?;
    }
    let principal = context.sessions.read(opening.credential()).await?;
    let principal = principal.ok_or_else(|| Problem::from(ProblemKind::SignInFailed))?;
    let body = Session::of(context, &principal, opening.credential())?;
    let mut response = HttpResponse::Ok();
    for cookie in opening.cookies(context) {
        response.cookie(cookie);
    }
    if find_cookie(request.headers(), PENDING_COOKIE).is_some() {
        response.cookie(pending_cookie(String::new(), CookieDuration::ZERO));
    }
    Ok(response.json(body))
}

/// A session that is about to begin in a browser.
#[derive(Debug)]
pub struct Opening {
    token: String,
    /// Digest of the cookie by which the browser is known.
    pub browser: Digest,
    /// That cookie, if the browser does not have it yet.
    new_browser: Option<String>,
}

impl Opening {
    /// With a new token, whatever the browser had before; `known` is what it is known by.
    ///
    /// # Errors
    /// If there is no randomness.
    pub fn new(known: Option<Digest>) -> Result<Self, Problem> {
        let token = random_token().map_err(Problem::internal)?;
        if let Some(browser) = known {
            return Ok(Self { token, browser, new_browser: None });
        }
        let made = random_token().map_err(Problem::internal)?;
        Ok(Self { token, browser: digest(&made), new_browser: Some(made) })
    }

    /// What its requests will be known by.
    #[must_use]
    pub fn credential(&self) -> Credential {
        Credential::Session(digest(&self.token))
    }

    /// The session to be stored.
    #[must_use]
    pub fn session(
        &self,
        context: &Context,
        device: Option<String>,
        who: (PersonId, Option<&'static str>),
    ) -> NewSession {
        new_session(context, device, who, digest(&self.token))
    }

    /// The cookies that make it the browser's.
    #[must_use]
    pub fn cookies(self, context: &Context) -> Vec<Cookie<'static>> {
        let limit = context.settings.session.absolute_limit.get().as_secs();
        let kept = CookieDuration::seconds(known_browsers::KEPT.num_seconds());
        let browser = self.new_browser.map(|token| cookie(BROWSER_COOKIE, token, kept));
        std::iter::once(session_cookie(self.token, seconds(limit))).chain(browser).collect()
    }
}

/// Another token for a session that goes on, because its person has just proved themselves again: whoever has a copy of the
/// cookie has nothing any more.
#[derive(Debug)]
pub struct Renewal {
    token: String,
    /// What the session will be known by.
    pub digest: Digest,
}

impl Renewal {
    /// With a new token.
    ///
    /// # Errors
    /// If there is no randomness.
    pub fn new() -> Result<Self, Problem> {
        let token = random_token().map_err(Problem::internal)?;
        Ok(Self { digest: digest(&token), token })
    }

    /// The cookie that makes it the browser's.
    #[must_use]
    pub fn cookie(self, confirmed: Confirmed) -> Cookie<'static> {
        let left = confirmed.expires_at - confirmed.at;
        session_cookie(self.token, CookieDuration::seconds(left.num_seconds()))
    }
}

/// Digest of the cookie by which the browser is known, if it has one.
#[must_use]
pub fn known_browser(request: &HttpRequest) -> Option<Digest> {
    find_cookie(request.headers(), BROWSER_COOKIE).map(digest)
}

/// The digest of the half sign-in's cookie.
#[must_use]
pub fn pending_digest(request: &HttpRequest) -> Option<Digest> {
    find_cookie(request.headers(), PENDING_COOKIE).map(digest)
}

fn seconds(count: u64) -> CookieDuration {
    CookieDuration::seconds(i64::try_from(count).unwrap_or(i64::MAX))
}

fn new_session(
    context: &Context,
    user_agent: Option<String>,
    (person_id, factor): (PersonId, Option<&'static str>),
    token_digest: Digest,
) -> NewSession {
    let limit = |limit| TimeDelta::from_std(limit).unwrap_or(TimeDelta::MAX);
    let settings = &context.settings.session;
    NewSession {
        id: SessionId::new(),
        person_id,
        token_digest,
        idle_limit: limit(settings.idle_limit.get()),
        absolute_limit: limit(settings.absolute_limit.get()),
        user_agent,
        factor,
    }
}

fn cookie(name: &'static str, value: String, age: CookieDuration) -> Cookie<'static> {
    Cookie::build(name, value)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(age)
        .finish()
}

/// The cookie of a session; without age and value it is removed.
#[must_use]
pub fn session_cookie(token: String, age: CookieDuration) -> Cookie<'static> {
    cookie(COOKIE, token, age)
}

/// The cookie of a half sign-in, which no other site can make a browser send at all.
#[must_use]
pub fn pending_cookie(token: String, age: CookieDuration) -> Cookie<'static> {
    let mut made = cookie(PENDING_COOKIE, token, age);
    made.set_same_site(SameSite::Strict);
    made
}

/// The session that the browser had before it signed in again.
fn request_session(request: &HttpRequest) -> Option<Caller> {
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
