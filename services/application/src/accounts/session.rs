//! Signing in and out, and who is signed in.

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use kinora_core::permission::OrganisationRole;
use kinora_core::{OrganisationId, PersonId, SupportGrantId};
use kinora_store::principals::{
    self, Principal, ProductionMembership, Proof, SupportAccess, SupportLack, Withheld,
};
use kinora_store::second_factors::{self, Shown};
use kinora_store::sign_in::{self, Account, Attempt};
use kinora_store::{Origin, people, sessions};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entrance::{self, Entering};
use super::factors::FactorMethods;
use super::factors::second_step::{self, SecondStep};
use super::passwords::Turn;
use crate::address::counted_address;
use crate::context::{Context, client_address, origin};
use crate::error::{Problem, ProblemDocument, ProblemKind};
use crate::extract::permission::CONFIRMATION;
use crate::extract::{AsOfNow, Json, SignedIn};
use crate::middleware::rate_limit;
use crate::rate::Counted;
use crate::sessions::Credential;
use crate::single_sign_on::logout;

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
    /// Nothing of it may be seen before the person has a second factor, or signs in with the studio account, or with
    /// their own.
    pub withheld: bool,
    /// It is withheld until the person signs in with the studio account.
    pub single_sign_on_required: bool,
    /// It is withheld until the person signs in with their own password and second factor, or a passkey.
    pub own_sign_in_required: bool,
    /// Whether it runs this installation: its administrators see how that does.
    pub runs_installation: bool,
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
    /// The second factors they have.
    pub factors: FactorMethods,
    /// Something is withheld until they have a second factor.
    pub second_factor_required: bool,
    /// Whether the session began at an organisation's identity provider.
    pub single_sign_on: bool,
    /// Something is withheld until they sign in at an organisation's identity provider.
    pub single_sign_on_required: bool,
    /// Something besides support access is withheld until they sign in with their own password and second factor, or a
    /// passkey: an organisation asks for the factor, and another one's identity provider let them in.
    pub own_sign_in_required: bool,
    /// Until when what asks for a fresh confirmation can be done; none: it must be confirmed first.
    pub confirmed_until: Option<DateTime<Utc>>,
    /// Support access to other organisations that holds at this moment.
    pub support: Vec<SessionSupport>,
}

/// Support access that one has.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SessionSupport {
    /// Its id.
    pub grant_id: SupportGrantId,
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// Its name.
    pub organisation: String,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// What is missing for it to open anything.
    #[schema(inline)]
    pub withheld: Option<SupportWithheld>,
}

/// What is missing for support access to open anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SupportWithheld {
    /// A second factor.
    SecondFactor,
    /// A session that began with one's own password or passkey.
    OwnSignIn,
}

impl From<&SupportAccess> for SessionSupport {
    fn from(access: &SupportAccess) -> Self {
        Self {
            grant_id: access.grant,
            organisation_id: access.organisation_id,
            organisation: access.organisation.clone(),
            ends_at: access.ends_at,
            withheld: access.lack.map(|lack| match lack {
                SupportLack::SecondFactor => SupportWithheld::SecondFactor,
                SupportLack::OwnSignIn => SupportWithheld::OwnSignIn,
            }),
        }
    }
}

/// What keeps an organisation from somebody.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lacking {
    SecondFactor,
    SingleSignOn,
    OwnSignIn,
}

impl OrganisationMembership {
    fn of(membership: &principals::OrganisationMembership, lacking: Option<Lacking>) -> Self {
        Self {
            id: membership.id,
            name: membership.name.clone(),
            role: membership.role,
            withheld: lacking.is_some(),
            single_sign_on_required: lacking == Some(Lacking::SingleSignOn),
            own_sign_in_required: lacking == Some(Lacking::OwnSignIn),
            // That only its administrators need to know.
            runs_installation: membership.runs_installation && membership.role.administers(),
        }
    }
}

impl Session {
    /// The session of this principal.
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn of(context: &Context, principal: &Principal, credential: Credential) -> Result<Self, Problem> {
        let csrf_token = match (principal.proof, credential) {
            (Proof::Session(id), Credential::Session(cookie)) => {
                context.keys.csrf_token(id, &cookie).map_err(Problem::internal)?
            }
            _ => String::new(),
        };
        let Withheld { second_factor, single_sign_on, own_sign_in } = &principal.withheld;
        let organisations = [
            (&principal.organisations, None),
            (&second_factor.organisations, Some(Lacking::SecondFactor)),
            (&single_sign_on.organisations, Some(Lacking::SingleSignOn)),
            (&own_sign_in.organisations, Some(Lacking::OwnSignIn)),
        ];
        let organisations = organisations.into_iter().flat_map(|(memberships, lacking)| {
            memberships.iter().map(move |membership| OrganisationMembership::of(membership, lacking))
        });
        let is_own = |membership: &ProductionMembership| membership.support.is_none();
        let own_sign_in_required =
            !own_sign_in.organisations.is_empty() || own_sign_in.productions.values().any(is_own);
        let confirmed_until = principal.confirmed_at.map(|at| at + CONFIRMATION);
        Ok(Self {
            person: Person {
                id: principal.person_id,
                login: principal.login.clone(),
                display_name: principal.display_name.clone(),
            },
            csrf_token,
            password_change_required: principal.password_change_required,
            organisations: organisations.collect(),
            factors: principal.methods.into(),
            second_factor_required: !second_factor.is_empty(),
            single_sign_on: principal.is_single_sign_on,
            single_sign_on_required: !single_sign_on.is_empty(),
            own_sign_in_required,
            confirmed_until: confirmed_until.filter(|until| *until > Utc::now()),
            support: principal.support.iter().map(Into::into).collect(),
        })
    }
}

/// Sign in.
///
/// Sets the cookie `__Host-kinora`. After ten wrong passwords in a row the login is locked for five
/// minutes, whether it exists or not. Who has a second factor is not signed in yet: the answer is 202,
/// with the cookie `__Host-kinora-pending`, and the next request is `show_second_factor`.
#[utoipa::path(post, path = "/api/data/v1/session", tag = "session", security(()), request_body = SignIn, responses(
    (status = 200, description = "Signed in", body = Session, headers(("Set-Cookie" = String))),
    (status = 202, description = "The second factor is still to be shown", body = SecondStep, headers(("Set-Cookie" = String))),
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
    let person = PersonId(account.id);
    let cleared = sign_in::login_digest(&key);
    let password_is_right = move |connection: &mut PgConnection| {
        if let (Some(new), Some(old)) = (new_hash, account.password_hash.as_deref()) {
            people::rehash_password(connection, person, old, &new)?;
        }
        sign_in::clear(connection, &cleared)
    };
    let methods =
        context.database.read(move |connection| second_factors::methods(connection, person)).await?;
    if methods.any_at_sign_in() {
        return second_step::begin(&context, person, methods, password_is_right).await;
    }
    let entering = Entering { person, login: account.login, factor: None };
    entrance::let_in(&context, &request, entering, move |connection, scene| {
        // Again, because a factor may have been added in this moment.
        second_factors::accept(connection, scene, person, &Shown::Password)?;
        password_is_right(connection)
    })
    .await
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
    let (looked_up, visitor) = (key.to_owned(), origin.clone());
    let (attempt, account) = context
        .database
        .run(move |connection| sign_in::take_attempt(connection, &visitor, &looked_up, Utc::now()))
        .await?;
    if let Attempt::Locked(remaining) = attempt {
        metrics::counter!("kinora_sign_in_total", "outcome" => "locked").increment(1);
        let seconds = u64::try_from(remaining.num_seconds()).unwrap_or_default();
        return Err(Problem::from(ProblemKind::Locked).retry_after(seconds + 1));
    }
    // Whoever may not sign in is compared with nobody: whether a password is theirs shows in nothing, time included.
    let account_that_may = account.as_ref().filter(|account| account.disabled_at.is_none());
    let hash = account_that_may.and_then(|account| account.password_hash.clone());
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
    if is_right {
        return Ok(account);
    }
    tell_refused(origin, account.as_ref());
    Ok(None)
}

/// A record of a try that failed, in the journal alone, which administrators of organisations do not read. Of logins that
/// do not exist there is one, too: it takes the same time, and what was typed stands in neither.
fn tell_refused(origin: &Origin, account: Option<&Account>) {
    log::info!(
        person_id = account.map(|account| account.id.to_string()).unwrap_or_default(),
        address = origin.address.as_deref().unwrap_or_default(),
        request_id = origin.request_id.as_deref().unwrap_or_default();
        "a password was not right, or its account is disabled"
    );
}

/// Who am I?
#[utoipa::path(get, path = "/api/data/v1/session", tag = "session", responses(
    (status = 200, description = "Who is signed in", body = Session),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_session(
    context: web::Data<Context>,
    AsOfNow(who): AsOfNow<SignedIn>,
) -> Result<web::Json<Session>, Problem> {
    Ok(web::Json(Session::of(&context, &who.principal, who.credential)?))
}

/// Where to go on after signing out.
#[derive(Serialize, ToSchema)]
pub struct SignedOut {
    /// To be opened in this browser, within a minute: it ends the session at the identity provider too.
    address: String,
}

/// Sign out.
///
/// A session that began at an identity provider can be ended there as well; here it has ended in any case.
#[utoipa::path(delete, path = "/api/data/v1/session", tag = "session", responses(
    (status = 200, description = "Signed out here; go on to the identity provider", body = SignedOut),
    (status = 204, description = "Signed out"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn delete_session(context: web::Data<Context>, who: SignedIn) -> Result<HttpResponse, Problem> {
    let (id, person, origin) = (who.session()?, who.principal.person_id, who.origin);
    context.database.transaction(move |connection| sessions::revoke(connection, &origin, person, id)).await?;
    context.sessions.forget(person);
    let gone = entrance::session_cookie(String::new(), CookieDuration::ZERO);
    match logout::address_after(&context, person, id).await {
        Some(address) => Ok(HttpResponse::Ok().cookie(gone).json(SignedOut { address })),
        None => Ok(HttpResponse::NoContent().cookie(gone).finish()),
    }
}
