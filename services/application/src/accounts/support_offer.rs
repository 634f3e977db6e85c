//! Where the link of a mail that offers support access leads: what is offered, and accepting it.
//!
//! The token comes in the body, as that of an invitation does: addresses are written into histories and logs.

use actix_web::web;
use chrono::{DateTime, Utc};
use kinora_core::permission::TokenScope;
use kinora_store::support::acceptance;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::{Json, OwnAccount, Then};
use crate::secrets::digest;

/// The token of a link that offers support access.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupportOfferToken {
    /// What stands behind the `#` of the link.
    #[schema(max_length = 128)]
    token: String,
}

/// Support access that is offered to somebody.
#[derive(Serialize, ToSchema)]
pub struct SupportOffer {
    /// The name of the organisation whose content it opens.
    organisation: String,
    /// Who gives it, if that person still exists.
    given_by: Option<String>,
    /// For whom it is: the login of whoever accepts it.
    address: String,
    /// What it lets them do at most.
    scope: TokenScope,
    /// Whether originals may be downloaded.
    originals: bool,
    /// Why it is given.
    reason: String,
    /// From when it holds.
    starts_at: DateTime<Utc>,
    /// When it ends, and the link with it.
    ends_at: DateTime<Utc>,
}

impl From<acceptance::SupportOffer> for SupportOffer {
    fn from(offer: acceptance::SupportOffer) -> Self {
        Self {
            organisation: offer.organisation,
            given_by: offer.given_by,
            address: offer.address,
            scope: offer.scope,
            originals: offer.originals,
            reason: offer.reason,
            starts_at: offer.starts_at,
            ends_at: offer.ends_at,
        }
    }
}

/// Which support access is offered?
#[utoipa::path(post, path = "/api/data/v1/support-access", tag = "session", security(()), request_body = SupportOfferToken, responses(
    (status = 200, description = "It can be accepted", body = SupportOffer),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_support_offer(
    context: web::Data<Context>,
    Json(form): Json<SupportOfferToken>,
) -> Result<web::Json<SupportOffer>, Problem> {
    let digest = digest(&form.token);
    let offer = context
        .database
        .read(move |connection| acceptance::find_offer(connection, &digest, Utc::now()))
        .await?;
    Ok(web::Json(offer.into()))
}

/// Accept support access with one's account.
///
/// It is bound to the account from then on, and ends where somebody else is let into that: with a new one-time link, or
/// past its second factors.
#[utoipa::path(post, path = "/api/data/v1/support-access/acceptance", tag = "session", request_body = SupportOfferToken, responses(
    (status = 200, description = "Accepted", body = SupportOffer),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn accept_support_access(
    context: web::Data<Context>,
    Then(OwnAccount(who), Json(form)): Then<OwnAccount, Json<SupportOfferToken>>,
) -> Result<web::Json<SupportOffer>, Problem> {
    who.session()?;
    let (digest, person) = (digest(&form.token), who.principal.person_id);
    let offer = context
        .database
        .transaction(move |connection| {
            acceptance::accept(connection, &who.origin, person, &digest, Utc::now())
        })
        .await?;
    context.sessions.forget(person);
    Ok(web::Json(offer.into()))
}
