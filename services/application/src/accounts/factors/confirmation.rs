//! Confirming a session: whoever sits at the browser shows once more that it is them, before what a stolen
//! session must not be able to do.

use actix_web::{HttpRequest, web};
use chrono::{DateTime, Utc};
use kinora_store::second_factors;
use kinora_store::second_factors::challenges::Purpose;
use serde::Serialize;
use utoipa::ToSchema;

use super::passkeys::{self, PasskeyRequest, cookie_digest};
use super::proof::{FactorProof, Occasion, refused};
use crate::accounts::entrance::scene;
use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::permission::CONFIRMATION;
use crate::extract::{Json, OwnAccount, Then};

/// A session that was confirmed.
#[derive(Serialize, ToSchema)]
pub struct Confirmation {
    /// Until when what asks for it can be done.
    confirmed_until: DateTime<Utc>,
}

/// Confirm the session.
///
/// With a second factor, or with the password if the account has none. What was answered with `step-up-required` can
/// be sent again afterwards.
#[utoipa::path(post, path = "/api/data/v1/account/confirmation", tag = "account", request_body = FactorProof, responses(
    (status = 200, description = "Confirmed", body = Confirmation),
    (status = 422, description = "Wrong", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 429, description = "Too many wrong ones; none is looked at for a while", body = ProblemDocument, content_type = "application/problem+json"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn confirm_session(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(OwnAccount(who), Json(proof)): Then<OwnAccount, Json<FactorProof>>,
) -> Result<web::Json<Confirmation>, Problem> {
    let (session, person, bound_to) = (who.session()?, who.principal.person_id, cookie_digest(&who)?);
    let pointer = proof.pointer();
    let occasion =
        Occasion { context: &context, origin: &who.origin, person, bound_to, purpose: Purpose::Confirm };
    let shown = occasion.look_at(proof).await?;
    let scene = scene(&request, &context, who.origin.clone());
    let at = context
        .database
        .transaction(move |connection| {
            second_factors::confirm_session(connection, &scene, person, session, &shown)
        })
        .await
        .map_err(|problem| refused(problem, pointer))?;
    context.sessions.forget(person);
    Ok(web::Json(Confirmation { confirmed_until: at + CONFIRMATION }))
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
    let bound_to = cookie_digest(&who)?;
    Ok(web::Json(passkeys::ask(&context, Purpose::Confirm, bound_to, Some(who.principal.person_id)).await?))
}
