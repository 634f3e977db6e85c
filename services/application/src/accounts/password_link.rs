//! Setting a password through a one-time link.
//!
//! The token comes in the body, and stands behind the `#` of the link: addresses are written into histories and logs.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use kinora_store::{password_links, people};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entrance::scene;
use super::password_policy;
use crate::context::{Context, origin};
use crate::error::{Problem, ProblemDocument};
use crate::extract::Json;
use crate::secrets::digest;

/// Whose one-time link it is.
#[derive(Serialize, ToSchema)]
pub struct PasswordLink {
    /// What the person signs in with.
    login: String,
    /// How the person is called.
    display_name: String,
    /// When the link ends.
    expires_at: DateTime<Utc>,
}

/// The token of a one-time link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordLinkToken {
    /// What stands behind the `#` of the link.
    #[schema(max_length = 100)]
    token: String,
}

/// A password to be set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPassword {
    /// What stands behind the `#` of the link.
    #[schema(max_length = 100)]
    token: String,
    /// The password.
    #[schema(max_length = 200, format = Password)]
    password: String,
}

/// Whose link is it?
#[utoipa::path(post, path = "/api/data/v1/password-link", tag = "session", security(()), request_body = PasswordLinkToken, responses(
    (status = 200, description = "It can be used", body = PasswordLink),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_password_link(
    context: web::Data<Context>,
    Json(form): Json<PasswordLinkToken>,
) -> Result<web::Json<PasswordLink>, Problem> {
    let digest = digest(&form.token);
    let link = context.database.read(move |connection| password_links::find(connection, &digest)).await?;
    let password_links::PasswordLink { login, display_name, expires_at, .. } = link;
    Ok(web::Json(PasswordLink { login, display_name, expires_at }))
}

/// Set a password with a link, which can be done once.
///
/// Ends all sessions and access tokens of the person, and a lock-out.
#[utoipa::path(post, path = "/api/data/v1/password-link/password", tag = "session", security(()), request_body = SetPassword, responses(
    (status = 204, description = "Set; sign in with it now"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn use_password_link(
    request: HttpRequest,
    context: web::Data<Context>,
    Json(form): Json<SetPassword>,
) -> Result<HttpResponse, Problem> {
    let digest = digest(&form.token);
    let (person, subject) = context
        .database
        .read(move |connection| {
            let link = password_links::find(connection, &digest)?;
            let subject = people::find_password_subject(connection, link.person_id)?;
            Ok::<_, kinora_store::StoreError>((link.person_id, subject))
        })
        .await?;
    let judged = form.password.clone();
    web::block(move || password_policy::check("/password", &judged, &subject))
        .await
        .map_err(Problem::unavailable)??;
    let turn = context.passwords.turn().await?;
    let hash = context.passwords.hash(&turn, form.password).await?;
    drop(turn);
    let scene = scene(&request, &context, origin(&request, None));
    context
        .database
        .transaction(move |connection| password_links::consume(connection, &scene, &digest, &hash))
        .await?;
    context.sessions.forget(person);
    Ok(HttpResponse::NoContent().finish())
}
