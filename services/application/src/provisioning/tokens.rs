//! The tokens that a connection's provider provisions with, for the organisation's owners.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use kinora_core::{ConnectionId, OrganisationId, TokenId};
use kinora_store::provisioning::tokens::{self as rows, NewProvisioningToken};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PREFIX;
use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::idempotency::{Created, once};
use crate::extract::permission::Owner;
use crate::extract::{Confirmed, Creation, InOrganisation, PathId, Then};
use crate::secrets::{digest, hint_of, new_provisioning_token};
use crate::single_sign_on::Setting;

/// Longest time that a token holds, days.
const MAX_DAYS: i64 = 731;

/// A token for provisioning, without its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProvisioningToken {
    /// Its id.
    id: TokenId,
    /// Its last characters.
    hint: String,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it ends.
    expires_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    last_used_at: Option<DateTime<Utc>>,
}

impl From<rows::ProvisioningToken> for ProvisioningToken {
    fn from(row: rows::ProvisioningToken) -> Self {
        Self {
            id: TokenId(row.id),
            hint: row.hint,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
        }
    }
}

/// What a connection's provider provisions, and with what.
#[derive(Serialize, ToSchema)]
pub struct Provisioning {
    /// What the provider is to be told as the address (tenant URL, base URL).
    url: String,
    /// The tokens that hold, newest first: at most two.
    tokens: Vec<ProvisioningToken>,
    /// Users that may come in.
    active_users: i64,
    /// Users that may not.
    inactive_users: i64,
    /// Groups. If there are any, they decide about the roles of provisioned people, and not what a sign-in says.
    groups: i64,
}

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProvisioning {
    /// How long it holds, in days.
    #[serde(default = "default_days")]
    #[schema(minimum = 1, maximum = 731, default = 366)]
    expires_in_days: i64,
}

fn default_days() -> i64 {
    366
}

/// A new token with its secret, which is never shown again.
#[derive(Serialize, ToSchema)]
pub struct CreatedProvisioningToken {
    /// To be given to the provider. It is good for provisioning through this connection and for nothing else.
    secret: String,
    /// The token.
    token: ProvisioningToken,
}

/// What a connection's provider provisions, and the tokens for it.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/provisioning", tag = "single sign-on",
    params(("organisation_id" = OrganisationId, Path), ("connection_id" = ConnectionId, Path)), responses(
    (status = 200, description = "It", body = Provisioning),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_provisioning(
    context: web::Data<Context>,
    Then(access, PathId(id)): Then<InOrganisation<Owner>, PathId<ConnectionId>>,
) -> Result<web::Json<Provisioning>, Problem> {
    let organisation = access.organisation_id;
    let (tokens, extent) =
        context.database.read(move |connection| rows::list(connection, organisation, id)).await?;
    Ok(web::Json(Provisioning {
        url: format!("{}{PREFIX}", context.settings.public_url.as_str().trim_end_matches('/')),
        tokens: tokens.into_iter().map(Into::into).collect(),
        active_users: extent.active_users,
        inactive_users: extent.inactive_users,
        groups: extent.groups,
    }))
}

/// Make a token that the connection's provider provisions with.
///
/// There are at most two, so that one can follow the other without a gap.
#[utoipa::path(post, path = "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/provisioning", tag = "single sign-on", request_body = NewProvisioning,
    params(("organisation_id" = OrganisationId, Path), ("connection_id" = ConnectionId, Path), ("Idempotency-Key" = Option<String>, Header)), responses(
    (status = 201, description = "Made", body = CreatedProvisioningToken),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn create_provisioning_token(
    context: web::Data<Context>,
    Then(access, Then(PathId(id), Then(Confirmed(who), Creation { body, key }))): Setting<
        Creation<NewProvisioning>,
    >,
) -> Result<HttpResponse, Problem> {
    if !(1..=MAX_DAYS).contains(&body.expires_in_days) {
        return Err(Problem::invalid("/expires_in_days", format!("must be 1 to {MAX_DAYS}")));
    }
    let secret = new_provisioning_token().map_err(Problem::internal)?;
    let validity = TimeDelta::days(body.expires_in_days);
    let new = NewProvisioningToken { digest: digest(&secret), hint: hint_of(&secret), validity };
    let (place, keys) = ((access.organisation_id, id), context.keys.clone());
    let created = context
        .database
        .creation(key, move |connection, key| {
            once(connection, &keys, who.principal.person_id, key, |connection| {
                let token = rows::create(connection, &who.origin, place, &new)?;
                Created::new(&CreatedProvisioningToken { secret: secret.clone(), token: token.into() })
            })
        })
        .await?;
    Ok(created.into_response())
}

/// Revoke a token for provisioning.
#[utoipa::path(delete, path = "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/provisioning/{token_id}", tag = "single sign-on",
    params(("organisation_id" = OrganisationId, Path), ("connection_id" = ConnectionId, Path), ("token_id" = TokenId, Path)), responses(
    (status = 204, description = "Revoked; nothing is provisioned with it any more"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn revoke_provisioning_token(
    context: web::Data<Context>,
    Then(access, Then(PathId(id), Then(Confirmed(who), PathId(token)))): Setting<PathId<TokenId>>,
) -> Result<HttpResponse, Problem> {
    let place = (access.organisation_id, id, token);
    context.database.transaction(move |connection| rows::revoke(connection, &who.origin, place)).await?;
    Ok(HttpResponse::NoContent().finish())
}
