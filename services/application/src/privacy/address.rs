//! Another e-mail address for one's own account.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use kinora_store::privacy::address;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::entrance::scene;
use crate::accounts::fields;
use crate::context::{Context, origin};
use crate::error::{Problem, ProblemDocument};
use crate::extract::{Confirmed, Json, Then};
use crate::secrets::digest;

/// The address that is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedAddress {
    /// The e-mail address.
    #[schema(min_length = 3, max_length = 254)]
    address: String,
}

/// A mail with a link is on its way.
#[derive(Serialize, ToSchema)]
pub struct AddressAsked {
    /// When the link ends.
    expires_at: DateTime<Utc>,
}

/// Ask for another e-mail address to sign in with.
///
/// A mail with a link goes to it; until that was opened nothing changes. It takes a confirmed session. The answer is the
/// same whether somebody else has that address or not.
#[utoipa::path(post, path = "/api/data/v1/account/address", tag = "personal data", request_body = WantedAddress, responses(
    (status = 200, description = "A mail is on its way to the new address", body = AddressAsked),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn ask_for_address(
    context: web::Data<Context>,
    Then(Confirmed(who), Json(wanted)): Then<Confirmed, Json<WantedAddress>>,
) -> Result<web::Json<AddressAsked>, Problem> {
    let address = fields::address("/address", &wanted.address)?;
    let page = format!("{}confirm-address#", context.settings.public_url);
    let person = who.principal.person_id;
    let expires_at = context
        .database
        .transaction(move |connection| address::ask(connection, &who.origin, person, &address, &page))
        .await?;
    Ok(web::Json(AddressAsked { expires_at }))
}

/// The token of the link in the mail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressToken {
    /// What stands behind the `#` of the link.
    #[schema(max_length = 128)]
    token: String,
}

/// Confirm an e-mail address with the link that was sent to it, which can be done once.
#[utoipa::path(post, path = "/api/data/v1/address-confirmation", tag = "session", security(()), request_body = AddressToken, responses(
    (status = 204, description = "It is what one signs in with from now on"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn confirm_address(
    request: HttpRequest,
    context: web::Data<Context>,
    Json(form): Json<AddressToken>,
) -> Result<HttpResponse, Problem> {
    let digest = digest(&form.token);
    let scene = scene(&request, &context, origin(&request, None));
    let (person, _) =
        context.database.transaction(move |connection| address::confirm(connection, &scene, &digest)).await?;
    context.sessions.forget(person);
    Ok(HttpResponse::NoContent().finish())
}
