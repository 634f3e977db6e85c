//! Going to an identity provider: to sign in, or for what a page of ours has asked for in the name of a session.

use std::borrow::Cow;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use kinora_core::{ConnectionId, OrganisationId};
use kinora_store::single_sign_on::{admission, identities, sessions};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use utoipa::ToSchema;

use super::attempt::Trial;
use super::page;
use super::provider::Ours;
use super::refused::{Code, Refused};
use super::route::{self, Kind, Purpose};
use crate::accounts::entrance;
use crate::context::Context;
use crate::error::{Problem, ProblemDocument, ProblemKind};
use crate::extract::permission::confirmed;
use crate::extract::{Authenticated, Confirmed, Json, PathId, Then, path_id};

/// A parameter of the request's query.
pub(super) fn parameter(request: &HttpRequest, name: &str) -> Option<String> {
    form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(found, _)| found == name)
        .map(|(_, value)| Cow::into_owned(value))
}

/// Sends the browser to the provider.
pub(super) async fn go_to_provider(
    request: HttpRequest,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let id: ConnectionId = path_id(&request, "connection_id")?;
    let trial = Trial::begin(&context, &request, id, "sign_in")?;
    let ours = Ours::load(&context, id).await?;
    let purpose = match parameter(&request, "ticket") {
        Some(ticket) => match with_ticket(&context, &request, id, &ticket) {
            Some(purpose) => purpose,
            // It was opened twice, or too late: the page that it came from can make another one.
            None => return Ok(page::go("/", Vec::new())),
        },
        None => {
            let return_to = parameter(&request, "return").as_deref().and_then(route::safe_path);
            Purpose::SignIn { return_to }
        }
    };
    let trial = Trial { purpose: name_of(&purpose), ..trial };
    if !ours.connection.enabled && !matches!(purpose, Purpose::Test { .. }) {
        let refused = Refused::from(Code::ConnectionOff);
        let attempt = trial.note_failure(&context, &refused).await?;
        return Ok(trial.refuse(&refused, attempt, Vec::new()));
    }
    let begun = route::begin(&context, &request, &ours, purpose).await?;
    page::deliver(begun.delivery, vec![begun.cookie])
}

fn name_of(purpose: &Purpose) -> &'static str {
    match purpose {
        Purpose::SignIn { .. } => Kind::SignIn.name(),
        Purpose::Test { .. } => Kind::Test.name(),
        Purpose::Link { .. } => Kind::Link.name(),
        Purpose::Confirm { .. } => Kind::Confirm.name(),
    }
}

/// What the ticket is for, if it is the present session's.
fn with_ticket(
    context: &Context,
    request: &HttpRequest,
    connection: ConnectionId,
    text: &str,
) -> Option<Purpose> {
    let ticket = route::open_ticket(context, connection, text)?;
    if entrance::session_of(request) != Some(ticket.session) {
        return None;
    }
    let (person, session, return_to) = (ticket.person, ticket.session, ticket.return_to);
    match ticket.purpose {
        Kind::Test => Some(Purpose::Test { person }),
        Kind::Link => Some(Purpose::Link { person, session, return_to }),
        Kind::Confirm => Some(Purpose::Confirm { person, session, return_to }),
        Kind::SignIn | Kind::Logout => None,
    }
}

/// A studio account that is joined with one's account.
#[derive(Serialize, ToSchema)]
pub struct StudioAccount {
    /// The connection that it is signed in through.
    connection_id: ConnectionId,
    /// The connection's name.
    connection: String,
    /// Since when.
    created_at: DateTime<Utc>,
    /// When it was last signed in with.
    last_signed_in_at: DateTime<Utc>,
}

/// A connection that one's account can be joined through.
#[derive(Serialize, ToSchema)]
pub struct OpenConnection {
    /// The connection.
    connection_id: ConnectionId,
    /// Its name.
    connection: String,
    /// Whose it is.
    organisation_id: OrganisationId,
}

/// The studio accounts of an account.
#[derive(Serialize, ToSchema)]
pub struct StudioAccounts {
    /// Those that are joined with it.
    joined: Vec<StudioAccount>,
    /// Where another one can be joined: enabled connections of one's organisations.
    open: Vec<OpenConnection>,
}

/// The studio accounts that are joined with one's account.
#[utoipa::path(get, path = "/api/data/v1/account/studio-accounts", tag = "account", responses(
    (status = 200, description = "Studio accounts", body = StudioAccounts),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_studio_accounts(
    context: web::Data<Context>,
    Authenticated(who): Authenticated,
) -> Result<web::Json<StudioAccounts>, Problem> {
    let person = who.principal.person_id;
    // Also where it is withheld: this is how one gets there.
    let whole = who.principal.with_everything();
    let organisations: Vec<OrganisationId> =
        whole.organisations.iter().map(|membership| membership.id).collect();
    let (joined, open) = context
        .database
        .read(move |connection| {
            let joined = identities::list_of_person(connection, person)?;
            let open = identities::list_open(connection, &organisations)?;
            Ok::<_, kinora_store::StoreError>((joined, open))
        })
        .await?;
    let joined = joined.into_iter().map(|identity| StudioAccount {
        connection_id: ConnectionId(identity.connection_id),
        connection: identity.connection,
        created_at: identity.created_at,
        last_signed_in_at: identity.last_signed_in_at,
    });
    let open = open.into_iter().map(|(id, connection, organisation)| OpenConnection {
        connection_id: id,
        connection,
        organisation_id: organisation,
    });
    Ok(web::Json(StudioAccounts { joined: joined.collect(), open: open.collect() }))
}

/// Where to go with one's studio account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StudioAccountRequest {
    /// The connection.
    connection_id: ConnectionId,
    /// The path inside Kinora to come back to.
    #[serde(default)]
    #[schema(max_length = 2000)]
    return_to: Option<String>,
}

/// Where to go to confirm.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StudioConfirmationRequest {
    /// The path inside Kinora to come back to.
    #[serde(default)]
    #[schema(max_length = 2000)]
    return_to: Option<String>,
}

/// The address to open.
#[derive(Serialize, ToSchema)]
pub struct ProviderAddress {
    /// To be opened in this browser, within a minute.
    address: String,
}

/// Join a studio account with one's account.
///
/// Opens the way to the identity provider; whoever signs in there becomes this account. Takes a session that was confirmed
/// within the last minutes.
#[utoipa::path(post, path = "/api/data/v1/account/studio-accounts", tag = "account", request_body = StudioAccountRequest, responses(
    (status = 200, description = "Open this address", body = ProviderAddress),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn join_studio_account(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(Authenticated(who), Json(form)): Then<Authenticated, Json<StudioAccountRequest>>,
) -> Result<web::Json<ProviderAddress>, Problem> {
    confirmed(&request).await?;
    let id = form.connection_id;
    let whole = who.principal.with_everything();
    let organisations: Vec<OrganisationId> =
        whole.organisations.iter().map(|membership| membership.id).collect();
    let open =
        context.database.read(move |connection| identities::list_open(connection, &organisations)).await?;
    if !open.iter().any(|(found, ..)| *found == id) {
        return Err(Problem::not_found());
    }
    let address = route::ticket_address(&context, &who, id, Kind::Link, form.return_to.as_deref())?;
    Ok(web::Json(ProviderAddress { address }))
}

/// Separate a studio account from one's account.
///
/// What its connection gave goes with it. Takes a session that was confirmed within the last minutes, and an account with
/// a password.
#[utoipa::path(delete, path = "/api/data/v1/account/studio-accounts/{connection_id}", tag = "account",
    params(("connection_id" = ConnectionId, Path)), responses(
    (status = 204, description = "Separated"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn separate_studio_account(
    context: web::Data<Context>,
    Then(Confirmed(who), PathId(id)): Then<Confirmed, PathId<ConnectionId>>,
) -> Result<HttpResponse, Problem> {
    let person = who.principal.person_id;
    context
        .database
        .transaction(move |connection| admission::separate(connection, &who.origin, person, id))
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Confirm the session with one's studio account.
///
/// For sessions that began with it, of people without a second factor: the identity provider asks for credentials again.
#[utoipa::path(post, path = "/api/data/v1/account/confirmation/studio-account", tag = "account", request_body = StudioConfirmationRequest, responses(
    (status = 200, description = "Open this address", body = ProviderAddress),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn confirm_with_studio_account(
    context: web::Data<Context>,
    Then(Authenticated(who), Json(form)): Then<Authenticated, Json<StudioConfirmationRequest>>,
) -> Result<web::Json<ProviderAddress>, Problem> {
    let session = who.session()?;
    if who.principal.methods.any() {
        return Err(Problem::new(ProblemKind::Conflict, "Confirm with your second factor."));
    }
    let beginning = context.database.read(move |connection| sessions::find(connection, session)).await?;
    let beginning = beginning.ok_or_else(|| {
        Problem::new(ProblemKind::Conflict, "This session did not begin with a studio account.")
    })?;
    let to = form.return_to.as_deref();
    let address = route::ticket_address(&context, &who, beginning.connection, Kind::Confirm, to)?;
    Ok(web::Json(ProviderAddress { address }))
}
