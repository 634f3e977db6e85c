//! Where somebody signs in, and how a way through an identity provider begins.
//!
//! A request is bound to the browser that it is made in by a cookie, whose digest stands in the request's row. The answer
//! comes as a form that the provider's page posts: with such a request browsers send no cookie that is SameSite=Lax, as the
//! session's is. So this one cookie is SameSite=None. It is random, new for each request, only good for finding that one
//! request again, together with a relay state that only the provider was told, and gone after ten minutes. The session's
//! own cookie stays Lax: nothing that another site posts is ever done in the name of a session. What the answer is for
//! (whose session is confirmed, whose account is joined) stands in the row.

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use kinora_core::{ConnectionId, PersonId, SessionId};
use kinora_saml::{Binding, Delivery, Outgoing, Refusal, RelayState, SignInOptions};
use kinora_store::single_sign_on::requests::{self, Request, VALIDITY};
use kinora_store::single_sign_on::{connections, domains};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use kinora_store::single_sign_on::requests::Purpose as Kind;

use super::provider::Ours;
use super::refused::sentence_of;
use crate::accounts::entrance::{self, known_browser};
use crate::context::Context;
use crate::error::{Problem, ProblemDocument, ProblemKind};
use crate::extract::{Json, SignedIn};
use crate::middleware::session::find_cookie;
use crate::secrets::{Digest, digest, random_token};

/// Name of the cookie that binds a request to its browser.
pub const COOKIE: &str = "__Host-kinora-sign-on";
/// How long a page of ours may take to go where it was sent.
const TICKET_VALIDITY: TimeDelta = TimeDelta::minutes(1);
/// Longest path to go on to.
const LONGEST_PATH: usize = 2000;
/// What tickets are sealed for.
const TICKET: &[u8] = b"single sign-on ticket";

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInAddress {
    /// The e-mail address or login.
    #[schema(max_length = 254)]
    address: String,
}

/// A way of signing in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignInWay {
    /// With a password, or a passkey.
    Password,
    /// At the identity provider of an organisation.
    SingleSignOn,
}

/// Where to sign in.
#[derive(Serialize, ToSchema)]
pub struct SignInRoute {
    /// How.
    way: SignInWay,
    /// The address to open for single sign-on; `?return=` and a path may be added.
    address: Option<String>,
}

/// Where does somebody sign in?
///
/// The domain alone decides: whether there is such an account shows nowhere.
#[utoipa::path(post, path = "/api/data/v1/session/route", tag = "session", security(()), request_body = SignInAddress, responses(
    (status = 200, description = "Where", body = SignInRoute),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn route_sign_in(
    context: web::Data<Context>,
    Json(form): Json<SignInAddress>,
) -> Result<web::Json<SignInRoute>, Problem> {
    if form.address.len() > 254 {
        return Err(Problem::invalid("/address", "must have at most 254 bytes"));
    }
    let domain = domain_of(&form.address);
    let found = context.database.read(move |connection| connections::for_domain(connection, &domain)).await?;
    Ok(web::Json(match found {
        Some(found) => {
            SignInRoute { way: SignInWay::SingleSignOn, address: Some(sign_in_path(ConnectionId(found.id))) }
        }
        None => SignInRoute { way: SignInWay::Password, address: None },
    }))
}

/// The domain of an address as it is stored; empty if there is none, which is nobody's.
fn domain_of(address: &str) -> String {
    let named = address.trim().rsplit_once('@').map(|(_, domain)| domain).unwrap_or_default();
    domains::parse(named).unwrap_or_default()
}

/// Where signing in through a connection begins.
#[must_use]
pub fn sign_in_path(connection: ConnectionId) -> String {
    format!("/saml/{connection}/sign-in")
}

/// A path inside the product, if it is one: nothing that a browser could take for another site.
#[must_use]
pub fn safe_path(text: &str) -> Option<String> {
    let rest = text.strip_prefix('/')?;
    let is_inside = !rest.starts_with(['/', '\\'])
        && text.len() <= LONGEST_PATH
        && text.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    is_inside.then(|| text.to_owned())
}

/// What somebody wants of a provider.
#[derive(Clone, Debug)]
pub enum Purpose {
    /// To sign in, and go on there.
    SignIn {
        /// Path inside the product.
        return_to: Option<String>,
    },
    /// To see what comes.
    Test {
        /// The owner who tests.
        person: PersonId,
    },
    /// To join the provider's person with the account that they are signed in to.
    Link {
        /// The account's person.
        person: PersonId,
        /// Their session.
        session: SessionId,
        /// Path inside the product.
        return_to: Option<String>,
    },
    /// To confirm a session.
    Confirm {
        /// Whose it is.
        person: PersonId,
        /// The session.
        session: SessionId,
        /// Path inside the product.
        return_to: Option<String>,
    },
}

/// A request that was made: how it is sent, and the cookie that goes with it.
#[derive(Debug)]
pub struct Begun {
    /// How it is sent.
    pub delivery: Delivery,
    /// What binds it to the browser.
    pub cookie: Cookie<'static>,
}

/// Makes a request to the provider and keeps it until its answer comes.
///
/// # Errors
/// Conflict, with a sentence, if the provider has no address for it; if the database cannot be reached.
pub async fn begin(
    context: &Context,
    request: &HttpRequest,
    ours: &Ours,
    purpose: Purpose,
) -> Result<Begun, Problem> {
    let row = &ours.connection;
    let options = SignInOptions {
        force: row.force_sign_in || matches!(purpose, Purpose::Confirm { .. }),
        contexts: row.contexts.clone(),
        name_id_format: row.name_id_format.clone(),
    };
    let binding = match row.request_binding.as_deref() {
        Some("redirect") => Some(Binding::Redirect),
        Some("post") => Some(Binding::Post),
        _ => None,
    };
    let relay_state = RelayState::random().map_err(unsendable)?;
    let now = Utc::now();
    let outgoing = ours
        .service
        .request_sign_in(&ours.provider, binding, &options, &relay_state, now)
        .map_err(unsendable)?;
    let (kind, person, session, return_to) = match purpose {
        Purpose::SignIn { return_to } => (Kind::SignIn, None, entrance::session_of(request), return_to),
        Purpose::Test { person } => (Kind::Test, Some(person), None, None),
        Purpose::Link { person, session, return_to } => (Kind::Link, Some(person), Some(session), return_to),
        Purpose::Confirm { person, session, return_to } => {
            (Kind::Confirm, Some(person), Some(session), return_to)
        }
    };
    let kept = Request {
        id: outgoing.id.clone(),
        connection: ConnectionId(row.id),
        purpose: kind,
        relay_state: relay_state.as_str().to_owned(),
        browser_digest: [0; 32],
        known_browser: known_browser(request),
        person,
        session,
        return_to,
        forced: options.force,
        contexts: options.contexts,
        made_at: now,
    };
    keep(context, outgoing, kept).await
}

/// Keeps a request that was made, bound to a new cookie.
pub(super) async fn keep(context: &Context, outgoing: Outgoing, kept: Request) -> Result<Begun, Problem> {
    let token = random_token().map_err(Problem::internal)?;
    let kept = Request { browser_digest: digest(&token), ..kept };
    context.database.transaction(move |connection| requests::create(connection, &kept)).await?;
    Ok(Begun {
        delivery: outgoing.delivery,
        cookie: cookie(token, CookieDuration::seconds(VALIDITY.num_seconds())),
    })
}

/// A request that cannot be made: the provider's metadata lacks what it needs.
fn unsendable(refusal: Refusal) -> Problem {
    Problem::new(ProblemKind::Conflict, sentence_of(refusal.code.as_str())).with_cause(refusal)
}

fn cookie(token: String, age: CookieDuration) -> Cookie<'static> {
    Cookie::build(COOKIE, token)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::None)
        .max_age(age)
        .finish()
}

/// The cookie's end.
#[must_use]
pub fn no_cookie() -> Cookie<'static> {
    cookie(String::new(), CookieDuration::ZERO)
}

/// Digest of the cookie that came.
#[must_use]
pub fn cookie_digest(request: &HttpRequest) -> Option<Digest> {
    find_cookie(request.headers(), COOKIE).map(digest)
}

/// What a page of ours has asked for in the name of a session: carried by the browser in the address that it is sent to,
/// for a minute, and good for nothing in another session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ticket {
    /// The connection.
    pub connection: ConnectionId,
    /// What for.
    pub purpose: Kind,
    /// Who.
    pub person: PersonId,
    /// In which session.
    pub session: SessionId,
    /// Path inside the product to go on to.
    pub return_to: Option<String>,
    expires_at: DateTime<Utc>,
}

/// The address that a page is to open, to do something at the provider in the name of a session.
///
/// # Errors
/// [`ProblemKind::SessionRequired`] for an access token.
pub fn ticket_address(
    context: &Context,
    who: &SignedIn,
    connection: ConnectionId,
    purpose: Kind,
    return_to: Option<&str>,
) -> Result<String, Problem> {
    let session = who.session()?;
    let return_to = return_to.and_then(safe_path);
    address_with_ticket(context, connection, purpose, (who.principal.person_id, session), return_to)
}

/// The same for a session that may have ended.
pub(super) fn address_with_ticket(
    context: &Context,
    connection: ConnectionId,
    purpose: Kind,
    (person, session): (PersonId, SessionId),
    return_to: Option<String>,
) -> Result<String, Problem> {
    let expires_at = Utc::now() + TICKET_VALIDITY;
    let ticket = Ticket { connection, purpose, person, session, return_to, expires_at };
    let text = serde_json::to_vec(&ticket).map_err(Problem::internal)?;
    let sealed = context.keys.seal(TICKET, &text).map_err(Problem::internal)?;
    let place = if purpose == Kind::Logout { "sign-out" } else { "sign-in" };
    Ok(format!("/saml/{connection}/{place}?ticket={}", URL_SAFE_NO_PAD.encode(sealed)))
}

/// The ticket in an address, if it is one for this connection and still holds.
#[must_use]
pub fn open_ticket(context: &Context, connection: ConnectionId, text: &str) -> Option<Ticket> {
    let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
    let ticket: Ticket = serde_json::from_slice(&context.keys.open(TICKET, &sealed)?).ok()?;
    (ticket.connection == connection && ticket.expires_at > Utc::now()).then_some(ticket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_inside_are_gone_on_to() {
        for inside in ["/", "/productions?q=a%20b", "/a//b"] {
            assert_eq!(safe_path(inside).as_deref(), Some(inside));
        }
        let long = format!("/{}", "a".repeat(2000));
        for outside in [
            "",
            "//evil.example",
            "/\\evil.example",
            "/a\\b",
            "https://evil.example",
            "a",
            "/\t/evil",
            "/a b",
            &long,
        ] {
            assert_eq!(safe_path(outside), None, "{outside}");
        }
    }

    #[test]
    fn the_domain_alone_counts() {
        assert_eq!(domain_of(" Ada@Studio.Example "), "studio.example");
        for none in ["ada", "ada@", "@", "ada@localhost", "ada@gmail.com", "ada@stüdio.example"] {
            assert_eq!(domain_of(none), "", "{none}");
        }
    }
}
