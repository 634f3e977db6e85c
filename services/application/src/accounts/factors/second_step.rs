//! The second step of signing in, and signing in with a passkey alone.
//!
//! After the right password of somebody with a second factor there is no session but a *half* sign-in: a row
//! and a cookie of its own, which no extractor knows. It ends with a factor, a new session and a new token, or
//! by itself after ten minutes.

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use kinora_core::PersonId;
use kinora_store::second_factors::challenges::Purpose;
use kinora_store::second_factors::email_codes::Purpose as MailPurpose;
use kinora_store::second_factors::pending::{self, Pending, VALIDITY};
use kinora_store::second_factors::{self, Methods};
use kinora_store::{Origin, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

use super::FactorMethods;
use super::email_codes::{self, SentCode};
use super::passkeys::{self, PasskeyRequest, PasskeySignature};
use super::proof::{FactorProof, Occasion, refused};
use crate::accounts::entrance::{self, Entering, pending_cookie, pending_digest};
use crate::accounts::session::Session;
use crate::address::counted_address;
use crate::context::{Context, client_address, origin};
use crate::error::{Problem, ProblemDocument, ProblemKind};
use crate::extract::{Extraction, Json, Then};
use crate::middleware::rate_limit;
use crate::rate::Counted;
use crate::secrets::{Digest, digest, random_token};
use crate::webauthn::UserVerification;

/// The password was right; a second factor is still to be shown.
#[derive(Serialize, ToSchema)]
pub struct SecondStep {
    /// Which ones there are. A recovery code will do as well.
    factors: FactorMethods,
    /// Until when.
    expires_at: DateTime<Utc>,
}

/// Begins a half sign-in. `password_is_right` runs first, in the same transaction.
pub(in crate::accounts) async fn begin(
    context: &Context,
    person: PersonId,
    methods: Methods,
    password_is_right: impl FnOnce(&mut PgConnection) -> Result<(), StoreError> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    let token = random_token().map_err(Problem::internal)?;
    let token_digest = digest(&token);
    let expires_at = context
        .database
        .transaction(move |connection| {
            password_is_right(connection)?;
            pending::create(connection, person, &token_digest)
        })
        .await?;
    let age = CookieDuration::seconds(VALIDITY.num_seconds());
    Ok(HttpResponse::build(StatusCode::ACCEPTED)
        .cookie(pending_cookie(token, age))
        .json(SecondStep { factors: methods.into(), expires_at }))
}

/// Somebody who has given the right password in this browser, and whose second factor is still to come.
pub struct HalfSignedIn {
    pending: Pending,
    /// Digest of the cookie.
    bound_to: Digest,
}

impl FromRequest for HalfSignedIn {
    type Error = Problem;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let gone = || {
                let detail = "No sign-in is under way, or it took too long. Begin with your password.";
                Problem::new(ProblemKind::SignInRequired, detail)
            };
            let bound_to = pending_digest(&request).ok_or_else(gone)?;
            let find = move |connection: &mut PgConnection| pending::find(connection, &bound_to);
            let pending = Context::of(&request)?.database.read(find).await?.ok_or_else(gone)?;
            Ok(Self { pending, bound_to })
        })
    }
}

/// Finish signing in with a second factor.
///
/// For who has got 202 from `create_session`; the cookie that came with it is needed.
#[utoipa::path(post, path = "/api/data/v1/session/second-factor", tag = "session", security(()), request_body = FactorProof, responses(
    (status = 200, description = "Signed in", body = Session, headers(("Set-Cookie" = String))),
    (status = 401, description = "No sign-in is under way in this browser", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 422, description = "Wrong", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 429, description = "Too many wrong codes; none is looked at for a while", body = ProblemDocument, content_type = "application/problem+json"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn show_second_factor(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(HalfSignedIn { pending, bound_to }, Json(proof)): Then<HalfSignedIn, Json<FactorProof>>,
) -> Result<HttpResponse, Problem> {
    let (pointer, person) = (proof.pointer(), pending.person);
    let origin = Origin { actor_id: Some(person), actor: pending.login.clone(), ..origin(&request, None) };
    let occasion =
        Occasion { context: &context, origin: &origin, person, bound_to, purpose: Purpose::SecondFactor };
    let shown = occasion.look_at(proof).await?;
    let entering = Entering { person, login: pending.login, factor: Some(shown.name()) };
    entrance::let_in(&context, &request, entering, move |connection, scene| {
        second_factors::accept(connection, scene, person, &shown)?;
        pending::consume(connection, pending.id)
    })
    .await
    .map_err(|problem| refused(problem, pointer))
}

/// Ask for a code by mail to finish signing in with.
///
/// It goes to one's login. At most one a minute and five an hour.
#[utoipa::path(post, path = "/api/data/v1/session/second-factor/email-code", tag = "session", security(()), responses(
    (status = 200, description = "It is on its way", body = SentCode),
    (status = 403, description = "Codes by mail are no factor of this account, or do not count", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 429, description = "There were mails enough", body = ProblemDocument, content_type = "application/problem+json"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn send_email_code(
    request: HttpRequest,
    context: web::Data<Context>,
    HalfSignedIn { pending, bound_to }: HalfSignedIn,
) -> Result<web::Json<SentCode>, Problem> {
    let person = pending.person;
    let origin = Origin { actor_id: Some(person), actor: pending.login, ..origin(&request, None) };
    let scene = entrance::scene(&request, &context, origin);
    let until = Some(pending.expires_at);
    let sent =
        email_codes::send(&context, scene, person, (MailPurpose::SecondFactor, bound_to, until)).await?;
    Ok(web::Json(sent))
}

/// Ask for a passkey to finish signing in with.
#[utoipa::path(post, path = "/api/data/v1/session/second-factor/challenge", tag = "session", security(()), responses(
    (status = 200, description = "To be given to the browser", body = PasskeyRequest),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn challenge_second_factor(
    context: web::Data<Context>,
    half: HalfSignedIn,
) -> Result<web::Json<PasskeyRequest>, Problem> {
    let person = half.pending.person;
    let asked = passkeys::ask(&context, Purpose::SecondFactor, half.bound_to, Some(person)).await?;
    Ok(web::Json(asked))
}

/// Ask for a passkey to sign in with, without login and password.
///
/// Sets the cookie `__Host-kinora-pending`, which the challenge is bound to.
#[utoipa::path(post, path = "/api/data/v1/session/passkey/challenge", tag = "session", security(()), responses(
    (status = 200, description = "To be given to the browser", body = PasskeyRequest, headers(("Set-Cookie" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn challenge_passkey_sign_in(
    request: HttpRequest,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    count_sign_in(&context, &request)?;
    let token = random_token().map_err(Problem::internal)?;
    let asked = passkeys::ask(&context, Purpose::SignIn, digest(&token), None).await?;
    let age = CookieDuration::seconds(VALIDITY.num_seconds());
    Ok(HttpResponse::Ok().cookie(pending_cookie(token, age)).json(asked))
}

/// Sign in with a passkey alone.
///
/// The authenticator must have recognised the person: the passkey stands for both factors.
#[utoipa::path(post, path = "/api/data/v1/session/passkey", tag = "session", security(()), request_body = PasskeySignature, responses(
    (status = 200, description = "Signed in", body = Session, headers(("Set-Cookie" = String))),
    (status = 401, description = "Not a passkey that is known here, or not signed as it should be", body = ProblemDocument, content_type = "application/problem+json"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn sign_in_with_passkey(
    request: HttpRequest,
    context: web::Data<Context>,
    Json(signature): Json<PasskeySignature>,
) -> Result<HttpResponse, Problem> {
    count_sign_in(&context, &request)?;
    let failed =
        || Problem::new(ProblemKind::SignInFailed, "This passkey is not known here, or took too long.");
    let bound_to = pending_digest(&request).ok_or_else(failed)?;
    let verified =
        passkeys::verify(&context, &signature, Purpose::SignIn, bound_to, UserVerification::Required).await?;
    let verified = verified.filter(|verified| verified.is_named).ok_or_else(failed)?;
    let person = verified.person;
    let entering = Entering { person, login: verified.login, factor: Some(verified.shown.name()) };
    entrance::let_in(&context, &request, entering, move |connection, scene| {
        second_factors::accept(connection, scene, person, &verified.shown)
    })
    .await
    .map_err(|problem| if problem.kind() == ProblemKind::Forbidden { failed() } else { problem })
}

fn count_sign_in(context: &Context, request: &HttpRequest) -> Result<(), Problem> {
    match client_address(request) {
        Some(address) => rate_limit::take(context, Counted::SignIn(counted_address(address))),
        None => Ok(()),
    }
}
