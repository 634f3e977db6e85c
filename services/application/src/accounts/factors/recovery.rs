//! New recovery codes.

use actix_web::{HttpRequest, web};
use kinora_store::second_factors::recovery;

use super::{RecoveryCodes, draw_recovery_codes};
use crate::accounts::entrance::scene;
use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::Confirmed;

/// Make new recovery codes; those there were work no more.
#[utoipa::path(post, path = "/api/data/v1/account/factors/recovery-codes", tag = "account", responses(
    (status = 200, description = "The codes, shown only now", body = RecoveryCodes),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn make_recovery_codes(
    request: HttpRequest,
    context: web::Data<Context>,
    Confirmed(who): Confirmed,
) -> Result<web::Json<RecoveryCodes>, Problem> {
    let person = who.principal.person_id;
    let (recovery_codes, digests) = draw_recovery_codes(person)?;
    let scene = scene(&request, &context, who.origin);
    context
        .database
        .transaction(move |connection| recovery::regenerate(connection, &scene, person, &digests))
        .await?;
    Ok(web::Json(RecoveryCodes { recovery_codes }))
}
