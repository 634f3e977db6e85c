//! Invitations into a production, for its managers and the organisation's administrators.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use kinora_core::permission::{Module, ProductionRoles};
use kinora_core::{InvitationId, ProductionId};
use kinora_store::invitations::{self, Delivery, Inviter, NewInvitation};
use kinora_store::productions::Changer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::fields;
use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::cursor::List;
use crate::extract::idempotency::{BareCreation, Created, once};
use crate::extract::permission::OfMemberships;
use crate::extract::{Creation, Cursor, OfProduction, Page, PathId, Query, Then};

/// An invitation that is open: neither accepted nor withdrawn.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Invitation {
    /// Its id.
    id: InvitationId,
    /// The address it is for.
    address: String,
    /// What it gives.
    roles: ProductionRoles,
    /// When the membership ends that comes of it.
    membership_ends_at: Option<DateTime<Utc>>,
    /// Who stands for it, if that person still exists.
    invited_by: Option<String>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When its newest mail was asked for.
    mailed_at: DateTime<Utc>,
    /// When its link stops working, or has stopped.
    expires_at: DateTime<Utc>,
    /// What became of its newest mail: "waiting", "sending", "sent", "failed" or "dropped".
    mail_state: Option<String>,
    /// Why that mail does not arrive.
    mail_error: Option<String>,
    /// Counts its changes.
    revision: i64,
}

impl From<invitations::Invitation> for Invitation {
    fn from(row: invitations::Invitation) -> Self {
        Self {
            id: row.id,
            address: row.address,
            roles: row.roles,
            membership_ends_at: row.membership_ends_at,
            invited_by: row.invited_by,
            created_at: row.created_at,
            mailed_at: row.mailed_at,
            expires_at: row.expires_at,
            mail_state: row.mail_state,
            mail_error: row.mail_error,
            revision: row.revision,
        }
    }
}

/// Whom to invite, and to what.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationForm {
    /// The e-mail address.
    #[schema(min_length = 3, max_length = 254)]
    address: String,
    /// What they are to have: at least one role.
    roles: ProductionRoles,
    /// When their membership is to end; left out: never.
    #[serde(default)]
    membership_ends_at: Option<DateTime<Utc>>,
}

fn delivery(context: &Context) -> Delivery {
    let validity = TimeDelta::from_std(context.settings.invitation.validity.get());
    Delivery {
        validity: validity.unwrap_or(TimeDelta::days(7)),
        // Behind the #, which browsers send to no server and write into no Referer.
        page: format!("{}invitation#", context.settings.public_url),
    }
}

fn changer(access: &OfProduction) -> Changer {
    Changer { administers: access.administers(), roles: access.roles }
}

fn inviter(access: &OfProduction) -> Inviter<'_> {
    let principal = &access.who.principal;
    Inviter { person: principal.person_id, name: &principal.display_name, changer: changer(access) }
}

/// List the open invitations into a production.
#[utoipa::path(get, path = "/api/data/v1/productions/{production_id}/invitations", tag = "productions",
    params(("production_id" = ProductionId, Path), Page), responses(
    (status = 200, description = "Newest first; those that have expired among them", body = List<Invitation>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_invitations(
    context: web::Data<Context>,
    Then(OfMemberships(access), Query(page)): Then<OfMemberships, Query<Page>>,
) -> Result<web::Json<List<Invitation>>, Problem> {
    let (id, limit) = (access.production_id, page.limit()?);
    let list = format!("invitations {id}");
    let before: Option<Uuid> =
        page.cursor.as_deref().map(|cursor| Cursor::read(&context.keys, &list, cursor)).transpose()?;
    let rows =
        context.database.read(move |connection| invitations::list(connection, id, before, limit + 1)).await?;
    let items: Vec<Invitation> = rows.into_iter().map(Into::into).collect();
    Ok(web::Json(Cursor::cut(&context.keys, &list, items, limit, |invitation| invitation.id.0)?))
}

/// Invite somebody into a production by mail.
///
/// Administrators give any roles; managers of a module give that module's. Whether the address has an
/// account shows nowhere: neither in the answer nor in the mail.
#[utoipa::path(post, path = "/api/data/v1/productions/{production_id}/invitations", tag = "productions", request_body = InvitationForm,
    params(("production_id" = ProductionId, Path), ("Idempotency-Key" = Option<String>, Header)), responses(
    (status = 201, description = "Invited; the mail is on its way", body = Invitation, headers(("Location" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn create_invitation(
    context: web::Data<Context>,
    Then(OfMemberships(access), Creation { body, key }): Then<OfMemberships, Creation<InvitationForm>>,
) -> Result<HttpResponse, Problem> {
    let address = fields::address("/address", &body.address)?;
    if Module::ALL.iter().all(|module| body.roles.role(*module).is_none()) {
        return Err(Problem::invalid("/roles", "must have a role in at least one module"));
    }
    if let Some(end) = body.membership_ends_at {
        fields::future("/membership_ends_at", end)?;
    }
    let new = NewInvitation { address, roles: body.roles, membership_ends_at: body.membership_ends_at };
    let (delivery, keys, production) = (delivery(&context), context.keys.clone(), access.production_id);
    let created = context
        .database
        .creation(key, move |connection, key| {
            once(connection, &keys, access.who.principal.person_id, key, |connection| {
                let inviter = inviter(&access);
                let made = invitations::create(
                    connection,
                    &access.who.origin,
                    &inviter,
                    production,
                    &new,
                    &delivery,
                )?;
                let location = format!("/api/data/v1/productions/{production}/invitations/{}", made.id);
                Ok(Created::new(&Invitation::from(made))?.at(location))
            })
        })
        .await?;
    Ok(created.into_response())
}

/// An open invitation.
#[utoipa::path(get, path = "/api/data/v1/productions/{production_id}/invitations/{invitation_id}", tag = "productions",
    params(("production_id" = ProductionId, Path), ("invitation_id" = InvitationId, Path)), responses(
    (status = 200, description = "It", body = Invitation),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_invitation(
    context: web::Data<Context>,
    Then(OfMemberships(access), PathId(id)): Then<OfMemberships, PathId<InvitationId>>,
) -> Result<web::Json<Invitation>, Problem> {
    let production = access.production_id;
    let row = context.database.read(move |connection| invitations::find(connection, production, id)).await?;
    Ok(web::Json(row.into()))
}

/// Withdraw an invitation; its link stops working.
#[utoipa::path(delete, path = "/api/data/v1/productions/{production_id}/invitations/{invitation_id}", tag = "productions",
    params(("production_id" = ProductionId, Path), ("invitation_id" = InvitationId, Path)), responses(
    (status = 204, description = "Withdrawn"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn withdraw_invitation(
    context: web::Data<Context>,
    Then(OfMemberships(access), PathId(id)): Then<OfMemberships, PathId<InvitationId>>,
) -> Result<HttpResponse, Problem> {
    context
        .database
        .transaction(move |connection| {
            let place = (access.production_id, id);
            invitations::withdraw(connection, &access.who.origin, changer(&access), place)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Send an invitation again.
///
/// With a new link that works as long as a new invitation's; the former ones stop working.
#[utoipa::path(post, path = "/api/data/v1/productions/{production_id}/invitations/{invitation_id}/mail", tag = "productions",
    params(("production_id" = ProductionId, Path), ("invitation_id" = InvitationId, Path), ("Idempotency-Key" = Option<String>, Header)), responses(
    (status = 201, description = "The mail is on its way", body = Invitation),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn resend_invitation(
    context: web::Data<Context>,
    Then(OfMemberships(access), Then(PathId(id), BareCreation(key))): Then<
        OfMemberships,
        Then<PathId<InvitationId>, BareCreation>,
    >,
) -> Result<HttpResponse, Problem> {
    let (delivery, keys) = (delivery(&context), context.keys.clone());
    let created = context
        .database
        .creation(key, move |connection, key| {
            once(connection, &keys, access.who.principal.person_id, key, |connection| {
                let (place, inviter) = ((access.production_id, id), inviter(&access));
                let sent = invitations::resend(connection, &access.who.origin, &inviter, place, &delivery)?;
                Created::new(&Invitation::from(sent))
            })
        })
        .await?;
    Ok(created.into_response())
}
