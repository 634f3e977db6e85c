//! Codes by mail: adding and removing them, and sending one.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use kinora_core::PersonId;
use kinora_store::notices::Scene;
use kinora_store::second_factors::Shown;
use kinora_store::second_factors::challenges::Purpose;
use kinora_store::second_factors::email_codes::{self as mailed, NewCode, Purpose as MailPurpose, Sending};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::passkeys::session_digest;
use super::proof::{Occasion, refused, wrong};
use crate::accounts::entrance::scene;
use crate::context::Context;
use crate::error::{Problem, ProblemDocument, ProblemKind};
use crate::extract::{Confirmed, Json, Then};
use crate::secrets::{Digest, EMAIL_CODE_DIGITS, new_email_code};

/// Where the code stands in a request's body.
const POINTER: &str = "/email_code";

/// A code that is on its way.
#[derive(Serialize, ToSchema)]
pub struct SentCode {
    /// Until when it works.
    expires_at: DateTime<Utc>,
}

/// Digits as they were typed, perhaps in two groups; none if it cannot be a code.
pub(super) fn mailed_digits_of(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    let is_code = digits.len() == EMAIL_CODE_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then_some(digits)
}

/// Sends a code, bound to a cookie; it works until the given instant at the latest.
pub(super) async fn send(
    context: &Context,
    scene: Scene,
    person: PersonId,
    (purpose, bound_to, until): (MailPurpose, Digest, Option<DateTime<Utc>>),
) -> Result<SentCode, Problem> {
    let code = new_email_code().map_err(Problem::internal)?;
    let digest = context.keys.email_code_digest(person, &bound_to, &code).map_err(Problem::internal)?;
    let new = NewCode { purpose, bound_to, code, digest, until };
    let sending = context
        .database
        .transaction(move |connection| mailed::send(connection, &scene, person, &new))
        .await?;
    match sending {
        Sending::Sent(expires_at) => Ok(SentCode { expires_at }),
        Sending::Wait(wait) => {
            let seconds = u64::try_from(wait.num_seconds()).unwrap_or_default();
            let detail = "A code was sent a short time ago. Wait a little before you ask for another one.";
            Err(Problem::new(ProblemKind::RateLimited, detail).retry_after(seconds + 1))
        }
    }
}

/// Add codes by mail to one's account: sends a first one.
///
/// Codes by mail are the weak second factor: they finish a sign-in and confirm nothing. They can be added where one's
/// organisations allow it, and are none before `confirm_email_codes` has got the first one.
#[utoipa::path(post, path = "/api/data/v1/account/factors/email-code", tag = "account", responses(
    (status = 200, description = "It is on its way", body = SentCode),
    (status = 409, description = "They would not count, or one's login is no address", body = ProblemDocument, content_type = "application/problem+json"),
    (status = 429, description = "There were mails enough", body = ProblemDocument, content_type = "application/problem+json"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn begin_email_codes(
    request: HttpRequest,
    context: web::Data<Context>,
    Confirmed(who): Confirmed,
) -> Result<web::Json<SentCode>, Problem> {
    let (person, bound_to) = (who.principal.person_id, session_digest(&who)?);
    let scene = scene(&request, &context, who.origin);
    Ok(web::Json(send(&context, scene, person, (MailPurpose::Enrol, bound_to, None)).await?))
}

/// A first code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstEmailCode {
    /// Eight digits.
    #[schema(min_length = 8, max_length = 20)]
    email_code: String,
}

/// Finish adding codes by mail with the first one.
///
/// With the first factor of an account all its other sessions end.
#[utoipa::path(put, path = "/api/data/v1/account/factors/email-code", tag = "account", request_body = FirstEmailCode, responses(
    (status = 204, description = "They are a factor now"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn confirm_email_codes(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(Confirmed(who), Json(form)): Then<Confirmed, Json<FirstEmailCode>>,
) -> Result<HttpResponse, Problem> {
    let (session, person, bound_to) = (who.session()?, who.principal.person_id, session_digest(&who)?);
    let occasion =
        Occasion { context: &context, origin: &who.origin, person, bound_to, purpose: Purpose::Enrol };
    let shown = occasion.look_at_email_code(&form.email_code, MailPurpose::Enrol, POINTER).await?;
    let Shown::EmailCode { bound_to, digest } = shown else { return Err(wrong(POINTER)) };
    let scene = scene(&request, &context, who.origin.clone());
    context
        .database
        .transaction(move |connection| {
            mailed::confirm(connection, &scene, (person, session), (&bound_to, &digest))
        })
        .await
        .map_err(|problem| refused(problem, POINTER))?;
    context.sessions.forget(person);
    Ok(HttpResponse::NoContent().finish())
}

/// Remove codes by mail.
#[utoipa::path(delete, path = "/api/data/v1/account/factors/email-code", tag = "account", responses(
    (status = 204, description = "Removed"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn remove_email_codes(
    request: HttpRequest,
    context: web::Data<Context>,
    Confirmed(who): Confirmed,
) -> Result<HttpResponse, Problem> {
    let person = who.principal.person_id;
    let scene = scene(&request, &context, who.origin);
    context.database.transaction(move |connection| mailed::remove(connection, &scene, person)).await?;
    context.sessions.forget(person);
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_codes_may_have_spaces() {
        assert_eq!(mailed_digits_of(" 1234 5678\n").as_deref(), Some("12345678"));
        for none in ["", "1234567", "123456789", "1234567x", "１２３４５６７８"] {
            assert_eq!(mailed_digits_of(none), None, "{none}");
        }
    }
}
