//! Confirming a session: whoever sits at the browser shows once more that it is them, before what a stolen
//! session must not be able to do.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use kinora_store::second_factors;
use kinora_store::second_factors::challenges::Purpose;
use kinora_store::sessions::NewToken;
use serde::Serialize;
use utoipa::ToSchema;

use super::passkeys::{self, PasskeyRequest, session_digest};
use super::proof::{FactorProof, Occasion, refused};
use crate::accounts::entrance::{Renewal, scene};
use crate::context::Context;
use crate::error::{Problem, ProblemDocument, ProblemKind};
use crate::extract::permission::CONFIRMATION;
use crate::extract::{Json, OwnAccount, SignedIn, Then};
use crate::secrets::Digest;
use crate::sessions::Credential;

/// A session that was confirmed.
#[derive(Serialize, ToSchema)]
pub struct Confirmation {
    /// Until when what asks for it can be done.
    confirmed_until: DateTime<Utc>,
    /// To be sent as `X-CSRF-Token` with changes from now on.
    csrf_token: String,
}

/// Confirm the session.
///
/// With a second factor, or with the password if the account has none. What was answered with `step-up-required` can
/// be sent again afterwards. The session goes on with another cookie and another `X-CSRF-Token`; the former ones open nothing any
/// more. A request that was sent with them and is refused may be sent again with the new ones.
#[utoipa::path(post, path = "/api/data/v1/account/confirmation", tag = "account", request_body = FactorProof, responses(
    (status = 200, description = "Confirmed", body = Confirmation, headers(("Set-Cookie" = String))),
    (status = 422, description = "Wrong", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 429, description = "Too many wrong ones; none is looked at for a while", body = ProblemDocument, content_type = "application/problem+json"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn confirm_session(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(OwnAccount(who), Json(proof)): Then<OwnAccount, Json<FactorProof>>,
) -> Result<HttpResponse, Problem> {
    let (session, person, bound_to) = (who.session()?, who.principal.person_id, session_digest(&who)?);
    let pointer = proof.pointer();
    let occasion =
        Occasion { context: &context, origin: &who.origin, person, bound_to, purpose: Purpose::Confirm };
    let shown = occasion.look_at(proof).await?;
    let scene = scene(&request, &context, who.origin.clone());
    let renewal = Renewal::new()?;
    let token = NewToken { former: former_digest(&who), digest: renewal.digest };
    let confirmed = context
        .database
        .transaction(move |connection| {
            second_factors::confirm_session(connection, &scene, (person, session), &token, &shown)
        })
        .await
        .map_err(|problem| match problem.kind() {
            // Ended, or confirmed by another page of the browser in this moment.
            ProblemKind::NotFound => ProblemKind::SignInRequired.into(),
            _ => refused(problem, pointer),
        })?;
    context.sessions.forget(person);
    let csrf_token = context.keys.csrf_token(session, &renewal.digest).map_err(Problem::internal)?;
    let confirmation = Confirmation { confirmed_until: confirmed.at + CONFIRMATION, csrf_token };
    Ok(HttpResponse::Ok().cookie(renewal.cookie(confirmed)).json(confirmation))
}

/// What the session was known by when the request came.
fn former_digest(who: &SignedIn) -> Option<Digest> {
    match who.credential {
        Credential::Session(digest) => Some(digest),
        Credential::Token(_) => None,
    }
}

/// Ask for a passkey to confirm the session with.
#[utoipa::path(post, path = "/api/data/v1/account/confirmation/challenge", tag = "account", responses(
    (status = 200, description = "To be given to the browser", body = PasskeyRequest),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn challenge_confirmation(
    context: web::Data<Context>,
    OwnAccount(who): OwnAccount,
) -> Result<web::Json<PasskeyRequest>, Problem> {
    let bound_to = session_digest(&who)?;
    Ok(web::Json(passkeys::ask(&context, Purpose::Confirm, bound_to, Some(who.principal.person_id)).await?))
}
