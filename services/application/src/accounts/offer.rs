//! Where the link of an invitation leads: what is offered, and accepting it.
//!
//! The token comes in the body: addresses are written into histories and logs. Whoever has it reads the
//! mailbox it was sent to, and may be told whether that address has an account.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use kinora_core::ProductionId;
use kinora_core::permission::ProductionRoles;
use kinora_store::invitations::acceptance::{self, Offer};
use kinora_store::people::PasswordSubject;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{fields, password_policy};
use crate::context::{Context, origin};
use crate::error::{Problem, ProblemDocument};
use crate::extract::{Json, OwnAccount, Then};
use crate::secrets::digest;

/// The token of an invitation's link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationToken {
    /// What stands behind the `#` of the link.
    #[schema(max_length = 128)]
    token: String,
}

/// What an invitation offers.
#[derive(Serialize, ToSchema)]
pub struct InvitationOffer {
    /// The production it leads to.
    production_id: ProductionId,
    /// The production's name.
    production: String,
    /// The name of the organisation that owns it.
    organisation: String,
    /// Who invites.
    invited_by: String,
    /// For whom it is: the login of whoever accepts it.
    address: String,
    /// What it gives.
    roles: ProductionRoles,
    /// When the membership ends that comes of it.
    membership_ends_at: Option<DateTime<Utc>>,
    /// When the link stops working.
    expires_at: DateTime<Utc>,
    /// Whether there is an account with that login, which is to accept it.
    has_account: bool,
}

impl From<Offer> for InvitationOffer {
    fn from(offer: Offer) -> Self {
        Self {
            production_id: offer.production_id,
            production: offer.production,
            organisation: offer.organisation,
            invited_by: offer.invited_by,
            address: offer.address,
            roles: offer.roles,
            membership_ends_at: offer.membership_ends_at,
            expires_at: offer.expires_at,
            has_account: offer.has_account,
        }
    }
}

/// What does an invitation offer?
#[utoipa::path(post, path = "/api/data/v1/invitation", tag = "session", security(()), request_body = InvitationToken, responses(
    (status = 200, description = "It can be accepted", body = InvitationOffer),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_invitation_offer(
    context: web::Data<Context>,
    Json(form): Json<InvitationToken>,
) -> Result<web::Json<InvitationOffer>, Problem> {
    let digest = digest(&form.token);
    let offer = context.database.read(move |connection| acceptance::find_offer(connection, &digest)).await?;
    Ok(web::Json(offer.into()))
}

/// What was accepted.
#[derive(Serialize, ToSchema)]
pub struct AcceptedInvitation {
    /// The production one is a member of now.
    production_id: ProductionId,
}

/// Accept an invitation with one's account.
#[utoipa::path(post, path = "/api/data/v1/invitation/acceptance", tag = "session", request_body = InvitationToken, responses(
    (status = 200, description = "Accepted", body = AcceptedInvitation),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn accept_invitation(
    context: web::Data<Context>,
    Then(OwnAccount(who), Json(form)): Then<OwnAccount, Json<InvitationToken>>,
) -> Result<web::Json<AcceptedInvitation>, Problem> {
    who.session()?;
    let (digest, person) = (digest(&form.token), who.principal.person_id);
    let offer = context
        .database
        .transaction(move |connection| acceptance::accept(connection, &who.origin, person, &digest))
        .await?;
    context.sessions.forget(person);
    Ok(web::Json(AcceptedInvitation { production_id: offer.production_id }))
}

/// A new account that accepts an invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitedAccount {
    /// What stands behind the `#` of the link.
    #[schema(max_length = 128)]
    token: String,
    /// How one is called.
    #[schema(min_length = 1, max_length = 200)]
    display_name: String,
    /// The password.
    #[schema(max_length = 200, format = Password)]
    password: String,
}

/// Accept an invitation with a new account, whose login is the address of the invitation.
#[utoipa::path(post, path = "/api/data/v1/invitation/account", tag = "session", security(()), request_body = InvitedAccount, responses(
    (status = 201, description = "The account is made, and a member; sign in with it now", body = AcceptedInvitation),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn create_invited_account(
    request: HttpRequest,
    context: web::Data<Context>,
    Json(form): Json<InvitedAccount>,
) -> Result<HttpResponse, Problem> {
    let digest = digest(&form.token);
    let offer = context.database.read(move |connection| acceptance::find_offer(connection, &digest)).await?;
    let display_name = fields::name("/display_name", &form.display_name, fields::MAX_NAME)?;
    let subject = PasswordSubject {
        login: offer.address,
        display_name: display_name.clone(),
        organisations: vec![offer.organisation, offer.production],
        password_hash: None,
    };
    let judged = form.password.clone();
    web::block(move || password_policy::check("/password", &judged, &subject))
        .await
        .map_err(Problem::unavailable)??;
    let turn = context.passwords.turn().await?;
    let hash = context.passwords.hash(&turn, form.password).await?;
    drop(turn);
    let origin = origin(&request, None);
    let (offer, _) = context
        .database
        .transaction(move |connection| {
            acceptance::accept_as_new(connection, &origin, &digest, &display_name, &hash)
        })
        .await?;
    Ok(HttpResponse::Created().json(AcceptedInvitation { production_id: offer.production_id }))
}
