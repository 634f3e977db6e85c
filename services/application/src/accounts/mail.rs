//! The mail queue of an organisation, for its administrators.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use kinora_core::{MessageId, OrganisationId};
use kinora_store::mail::views::{self, QueuedMail};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::cursor::{List, checked_limit};
use crate::extract::permission::Administrator;
use crate::extract::{Cursor, InOrganisation, PathId, Query, Then};

/// Where a mail is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    /// It is sent as soon as it can be.
    Waiting,
    /// It is being sent.
    Sending,
    /// The relay has it.
    Sent,
    /// It was given up.
    Failed,
    /// Somebody dropped it, or what it was about is over.
    Dropped,
}

impl MailState {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Waiting, "waiting"),
        (Self::Sending, "sending"),
        (Self::Sent, "sent"),
        (Self::Failed, "failed"),
        (Self::Dropped, "dropped"),
    ];

    fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map_or(Self::Waiting, |(state, _)| state)
    }
}

/// A mail of the organisation. What it says is not shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Mail {
    /// Its id, also the first part of its Message-ID.
    id: MessageId,
    /// To whom.
    recipient: String,
    /// What kind of letter it is: "invitation", "security", "code".
    kind: String,
    /// Where it is.
    state: MailState,
    /// How often it was tried.
    tries: i32,
    /// When it is tried next, while it waits.
    next_try_at: Option<DateTime<Utc>>,
    /// What went wrong last.
    last_error: Option<String>,
    /// When it was written.
    created_at: DateTime<Utc>,
    /// When it was sent, given up or dropped.
    ended_at: Option<DateTime<Utc>>,
    /// Whether it can be tried again now.
    can_retry: bool,
    /// Whether it can be dropped.
    can_drop: bool,
}

impl From<QueuedMail> for Mail {
    fn from(row: QueuedMail) -> Self {
        let state = MailState::from_name(&row.state);
        Self {
            id: MessageId(row.id),
            recipient: row.recipient,
            kind: row.kind,
            state,
            tries: row.tries,
            next_try_at: (state == MailState::Waiting).then_some(row.not_before),
            last_error: row.last_error,
            created_at: row.created_at,
            ended_at: row.ended_at,
            can_retry: state == MailState::Waiting || (state == MailState::Failed && row.has_letter),
            can_drop: matches!(state, MailState::Waiting | MailState::Failed),
        }
    }
}

/// Whether mail can go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RelayState {
    /// No backend has said anything about it yet.
    Unknown,
    /// No mail relay is set: mail waits.
    Unset,
    /// It takes mail.
    Working,
    /// It cannot be used at present: mail waits.
    Failing,
}

/// What is known of the mail relay.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MailRelay {
    /// Whether mail can go out.
    state: RelayState,
    /// Since when.
    since: DateTime<Utc>,
    /// Why not.
    error: Option<String>,
}

/// Which mails are listed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MailFilter {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most items: 1 to 200, else 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// Only those in this state.
    state: Option<MailState>,
}

/// List the mails of an organisation.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/mail", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path), MailFilter), responses(
    (status = 200, description = "Newest first; those that ended are kept for some days", body = List<Mail>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_mail(
    context: web::Data<Context>,
    Then(access, Query(filter)): Then<InOrganisation<Administrator>, Query<MailFilter>>,
) -> Result<web::Json<List<Mail>>, Problem> {
    let (id, limit) = (access.organisation_id, checked_limit(filter.limit)?);
    let state = filter.state.and_then(|state| MailState::ALL.into_iter().find(|(known, _)| *known == state));
    let state = state.map(|(_, name)| name);
    let list = format!("mail {id} {}", state.unwrap_or_default());
    let before: Option<Uuid> =
        filter.cursor.as_deref().map(|cursor| Cursor::read(&context.keys, &list, cursor)).transpose()?;
    let rows = context
        .database
        .read(move |connection| views::list(connection, id, state.as_slice(), before, limit + 1))
        .await?;
    let items: Vec<Mail> = rows.into_iter().map(Into::into).collect();
    Ok(web::Json(Cursor::cut(&context.keys, &list, items, limit, |mail| mail.id.0)?))
}

/// Whether mail can go out.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/mail-relay", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path)), responses(
    (status = 200, description = "What the leading backend knows of the mail relay", body = MailRelay),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_mail_relay(
    context: web::Data<Context>,
    _access: InOrganisation<Administrator>,
) -> Result<web::Json<MailRelay>, Problem> {
    let relay = context.database.read(views::find_relay).await?;
    let state = match relay.state.as_str() {
        "unset" => RelayState::Unset,
        "working" => RelayState::Working,
        "failing" => RelayState::Failing,
        _ => RelayState::Unknown,
    };
    Ok(web::Json(MailRelay { state, since: relay.since, error: relay.error }))
}

/// A mail of an organisation.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/mail/{message_id}", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path), ("message_id" = MessageId, Path)), responses(
    (status = 200, description = "It", body = Mail),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_mail(
    context: web::Data<Context>,
    Then(access, PathId(id)): Then<InOrganisation<Administrator>, PathId<MessageId>>,
) -> Result<web::Json<Mail>, Problem> {
    let organisation = access.organisation_id;
    let row = context.database.read(move |connection| views::find(connection, organisation, id)).await?;
    Ok(web::Json(row.into()))
}

/// Try a mail again at once.
#[utoipa::path(post, path = "/api/data/v1/organisations/{organisation_id}/mail/{message_id}/retry", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path), ("message_id" = MessageId, Path)), responses(
    (status = 200, description = "It waits to be sent", body = Mail),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn retry_mail(
    context: web::Data<Context>,
    Then(access, PathId(id)): Then<InOrganisation<Administrator>, PathId<MessageId>>,
) -> Result<web::Json<Mail>, Problem> {
    let row = context
        .database
        .transaction(move |connection| {
            views::retry(connection, &access.who.origin, access.organisation_id, id)
        })
        .await?;
    Ok(web::Json(row.into()))
}

/// Drop a mail: it is not sent.
#[utoipa::path(delete, path = "/api/data/v1/organisations/{organisation_id}/mail/{message_id}", tag = "organisations",
    params(("organisation_id" = OrganisationId, Path), ("message_id" = MessageId, Path)), responses(
    (status = 204, description = "Dropped"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn drop_mail(
    context: web::Data<Context>,
    Then(access, PathId(id)): Then<InOrganisation<Administrator>, PathId<MessageId>>,
) -> Result<HttpResponse, Problem> {
    context
        .database
        .transaction(move |connection| {
            views::drop_message(connection, &access.who.origin, access.organisation_id, id)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
