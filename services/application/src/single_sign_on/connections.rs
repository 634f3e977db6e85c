//! Connections to identity providers, for the organisation's owners. Whatever changes one takes a confirmed session: who
//! may say which provider is believed may become anybody.

use actix_web::{HttpResponse, web};
use chrono::Utc;
use kinora_core::{ConnectionId, OrganisationId};
use kinora_store::single_sign_on::connections as rows;
use kinora_store::single_sign_on::keys as key_rows;
use kinora_store::single_sign_on::keys::NewKey;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::views::{self, SignOnConnection, Stored};
use super::{Setting, keys};
use crate::accounts::fields::{self, present};
use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::cursor::List;
use crate::extract::idempotency::{BareCreation, Created, once};
use crate::extract::permission::Owner;
use crate::extract::{Change, Confirmed, Creation, IfMatch, InOrganisation, Json, PathId, Then};

/// Longest name of a connection.
const MAX_NAME: usize = 100;
/// Longest name of an attribute.
const MAX_ATTRIBUTE: usize = 256;
/// Most ways of signing in that are asked for, and the longest name of one.
const MAX_CONTEXTS: usize = 10;
/// Largest difference of clocks, seconds.
const MAX_SKEW: i32 = 300;

/// A connection to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionForm {
    /// How its owners call it.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
}

/// How requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestBinding {
    /// In the query of an address.
    Redirect,
    /// In a form.
    Post,
}

impl RequestBinding {
    fn name(self) -> &'static str {
        match self {
            Self::Redirect => "redirect",
            Self::Post => "post",
        }
    }
}

/// What is to be changed about a connection; what is left out stays, `null` takes away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionChange {
    /// Another name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// Whether people sign in through it. It needs metadata first.
    #[serde(default)]
    enabled: Option<bool>,
    /// By how much the provider's clock may differ, seconds.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 300)]
    clock_skew_seconds: Option<i32>,
    /// Whether sign-ins may begin at the provider.
    #[serde(default)]
    allow_unsolicited: Option<bool>,
    /// Whether the provider is to ask for credentials every time (`ForceAuthn`).
    #[serde(default)]
    force_sign_in: Option<bool>,
    /// Ways of signing in that are asked for (`AuthnContextClassRef`); none: any.
    #[serde(default)]
    #[schema(max_items = 10)]
    contexts: Option<Vec<String>>,
    /// The format of `NameID` that is asked for.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 256)]
    name_id_format: Option<Option<String>>,
    /// How requests are sent; `null`: as the provider likes best.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<RequestBinding>)]
    request_binding: Option<Option<RequestBinding>>,
    /// Whether signing out ends the session at the other side too.
    #[serde(default)]
    single_logout: Option<bool>,
    /// The attribute that is the stable identity; `null`: the `NameID` is. With another one the people who signed in before
    /// are unknown, until they are linked anew.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 256)]
    subject_attribute: Option<Option<String>>,
    /// The attribute with the e-mail address.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 256)]
    email_attribute: Option<Option<String>>,
    /// The attribute with the person's name.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 256)]
    name_attribute: Option<Option<String>>,
    /// The attribute with the groups.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 256)]
    groups_attribute: Option<Option<String>>,
    /// Whether people in none of the groups become members as well.
    #[serde(default)]
    admits_everyone: Option<bool>,
}

/// A name that may be taken away: `null` and an empty text both do.
fn optional(pointer: &str, text: Option<Option<String>>) -> Result<Option<Option<String>>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let text = text.filter(|text| !text.trim().is_empty());
    Ok(Some(text.map(|text| fields::name(pointer, &text, MAX_ATTRIBUTE)).transpose()?))
}

impl ConnectionChange {
    fn checked(self) -> Result<rows::ConnectionChange, Problem> {
        if let Some(skew) = self.clock_skew_seconds.filter(|skew| !(0..=MAX_SKEW).contains(skew)) {
            let wrong = format!("must be 0 to {MAX_SKEW} seconds, is {skew}");
            return Err(Problem::invalid("/clock_skew_seconds", wrong));
        }
        let context = |(index, text): (usize, String)| {
            fields::name(&format!("/contexts/{index}"), &text, MAX_ATTRIBUTE)
        };
        let contexts: Option<Vec<String>> = self
            .contexts
            .map(|contexts| contexts.into_iter().enumerate().map(context).collect())
            .transpose()?;
        if contexts.as_ref().is_some_and(|contexts| contexts.len() > MAX_CONTEXTS) {
            return Err(Problem::invalid("/contexts", format!("must be at most {MAX_CONTEXTS}")));
        }
        Ok(rows::ConnectionChange {
            name: self.name.map(|name| fields::name("/name", &name, MAX_NAME)).transpose()?,
            enabled: self.enabled,
            clock_skew_seconds: self.clock_skew_seconds,
            allow_unsolicited: self.allow_unsolicited,
            force_sign_in: self.force_sign_in,
            contexts,
            name_id_format: optional("/name_id_format", self.name_id_format)?,
            request_binding: self
                .request_binding
                .map(|binding| binding.map(|binding| binding.name().to_owned())),
            single_logout: self.single_logout,
            subject_attribute: optional("/subject_attribute", self.subject_attribute)?,
            email_attribute: optional("/email_attribute", self.email_attribute)?,
            name_attribute: optional("/name_attribute", self.name_attribute)?,
            groups_attribute: optional("/groups_attribute", self.groups_attribute)?,
            admits_everyone: self.admits_everyone,
        })
    }
}

/// List an organisation's connections to identity providers.
///
/// For owners, as everything about them.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/sign-on/connections", tag = "single sign-on",
    params(("organisation_id" = OrganisationId, Path)), responses(
    (status = 200, description = "Oldest first", body = List<SignOnConnection>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_connections(
    context: web::Data<Context>,
    access: InOrganisation<Owner>,
) -> Result<web::Json<List<SignOnConnection>>, Problem> {
    let organisation = access.organisation_id;
    let stored = context
        .database
        .read(move |connection| {
            let rows = rows::list(connection, organisation)?;
            rows.into_iter().map(|row| Stored::of(connection, row)).collect::<kinora_store::Result<Vec<_>>>()
        })
        .await?;
    let items = stored.into_iter().map(|stored| SignOnConnection::new(&context, stored)).collect();
    Ok(web::Json(List { items, next_cursor: None }))
}

/// A new key, made on a thread that may block.
async fn new_key(context: &Context) -> Result<NewKey, Problem> {
    let master_keys = context.master_keys.clone();
    let host = context.settings.public_url.host_str().unwrap_or_default().to_owned();
    web::block(move || keys::make(&master_keys, &host, Utc::now()))
        .await
        .map_err(Problem::internal)?
        .map_err(Problem::internal)
}

/// Make a connection.
///
/// It has a key of Kinora's, and addresses to give to the identity provider; it is not switched on.
#[utoipa::path(post, path = "/api/data/v1/organisations/{organisation_id}/sign-on/connections", tag = "single sign-on", request_body = ConnectionForm,
    params(("organisation_id" = OrganisationId, Path), ("Idempotency-Key" = Option<String>, Header)), responses(
    (status = 201, description = "Made", body = SignOnConnection, headers(("ETag" = String), ("Location" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn create_connection(
    context: web::Data<Context>,
    Then(access, Then(Confirmed(who), Creation { body, key })): Then<
        InOrganisation<Owner>,
        Then<Confirmed, Creation<ConnectionForm>>,
    >,
) -> Result<HttpResponse, Problem> {
    let name = fields::name("/name", &body.name, MAX_NAME)?;
    let organisation = access.organisation_id;
    let own_key = new_key(&context).await?;
    let (keys, shared, id) = (context.keys.clone(), context.clone(), ConnectionId::new());
    let created = context
        .database
        .creation(key, move |connection, key| {
            once(connection, &keys, who.principal.person_id, key, |connection| {
                let row = rows::create(connection, &who.origin, organisation, (id, &name), &own_key)?;
                let made = SignOnConnection::new(&shared, Stored::of(connection, row)?);
                let location = format!("/api/data/v1/organisations/{organisation}/sign-on/connections/{id}");
                Ok(Created::new(&made)?.at(location).revision(1))
            })
        })
        .await?;
    Ok(created.into_response())
}

/// A connection.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}", tag = "single sign-on",
    params(("organisation_id" = OrganisationId, Path), ("connection_id" = ConnectionId, Path)), responses(
    (status = 200, description = "It", body = SignOnConnection, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_connection(
    context: web::Data<Context>,
    Then(access, PathId(id)): Then<InOrganisation<Owner>, PathId<ConnectionId>>,
) -> Result<HttpResponse, Problem> {
    views::answer(&context, access.organisation_id, id).await
}

/// Change a connection.
#[utoipa::path(patch, path = "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}", tag = "single sign-on", request_body = ConnectionChange,
    params(("organisation_id" = OrganisationId, Path), ("connection_id" = ConnectionId, Path), ("If-Match" = String, Header)), responses(
    (status = 200, description = "Changed", body = SignOnConnection, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn update_connection(
    context: web::Data<Context>,
    Then(access, Then(PathId(id), Then(Confirmed(who), Then(IfMatch(expected), Json(change))))): Setting<
        Change<ConnectionChange>,
    >,
) -> Result<HttpResponse, Problem> {
    let (organisation, change) = (access.organisation_id, change.checked()?);
    context
        .database
        .transaction(move |connection| {
            let is_expected = |revision| expected.includes(revision);
            rows::change(connection, &who.origin, (organisation, id), is_expected, change)
        })
        .await?;
    views::answer(&context, organisation, id).await
}

/// Remove a connection.
///
/// Nobody signs in through it any more, and its addresses answer that there is nothing. What it has given to people stays
/// theirs, as if it had been given by hand.
#[utoipa::path(delete, path = "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}", tag = "single sign-on",
    params(("organisation_id" = OrganisationId, Path), ("connection_id" = ConnectionId, Path), ("If-Match" = String, Header)), responses(
    (status = 204, description = "Removed"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn remove_connection(
    context: web::Data<Context>,
    Then(access, Then(PathId(id), Then(Confirmed(who), IfMatch(expected)))): Setting<IfMatch>,
) -> Result<HttpResponse, Problem> {
    let organisation = access.organisation_id;
    context
        .database
        .transaction(move |connection| {
            let is_expected = |revision| expected.includes(revision);
            rows::remove(connection, &who.origin, (organisation, id), is_expected)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Make the certificate that is to follow.
///
/// From now on both stand in Kinora's metadata. Let the provider load it again before you switch.
#[utoipa::path(post, path = "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/certificates", tag = "single sign-on",
    params(("organisation_id" = OrganisationId, Path), ("connection_id" = ConnectionId, Path), ("Idempotency-Key" = Option<String>, Header)), responses(
    (status = 201, description = "Made", body = SignOnConnection, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn add_certificate(
    context: web::Data<Context>,
    Then(access, Then(PathId(id), Then(Confirmed(who), BareCreation(key)))): Setting<BareCreation>,
) -> Result<HttpResponse, Problem> {
    let organisation = access.organisation_id;
    let known = move |connection: &mut _| rows::find_in(connection, organisation, id);
    context.database.read(known).await?;
    let own_key = new_key(&context).await?;
    let (keys, shared) = (context.keys.clone(), context.clone());
    let created = context
        .database
        .creation(key, move |connection, key| {
            once(connection, &keys, who.principal.person_id, key, |connection| {
                let row = key_rows::add_next(connection, &who.origin, (organisation, id), &own_key)?;
                let revision = row.revision;
                let made = SignOnConnection::new(&shared, Stored::of(connection, row)?);
                Ok(Created::new(&made)?.revision(revision))
            })
        })
        .await?;
    Ok(created.into_response())
}

/// Sign with the other certificate from now on.
#[utoipa::path(post, path = "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/certificates/switch", tag = "single sign-on",
    params(("organisation_id" = OrganisationId, Path), ("connection_id" = ConnectionId, Path)), responses(
    (status = 200, description = "Switched", body = SignOnConnection, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn switch_certificate(
    context: web::Data<Context>,
    Then(access, Then(PathId(id), Confirmed(who))): Then<
        InOrganisation<Owner>,
        Then<PathId<ConnectionId>, Confirmed>,
    >,
) -> Result<HttpResponse, Problem> {
    let organisation = access.organisation_id;
    context
        .database
        .transaction(move |connection| key_rows::switch(connection, &who.origin, (organisation, id)))
        .await?;
    views::answer(&context, organisation, id).await
}

/// Drop the certificate that Kinora does not sign with.
#[utoipa::path(delete, path = "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/certificates", tag = "single sign-on",
    params(("organisation_id" = OrganisationId, Path), ("connection_id" = ConnectionId, Path)), responses(
    (status = 204, description = "Dropped"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn drop_certificate(
    context: web::Data<Context>,
    Then(access, Then(PathId(id), Confirmed(who))): Then<
        InOrganisation<Owner>,
        Then<PathId<ConnectionId>, Confirmed>,
    >,
) -> Result<HttpResponse, Problem> {
    let organisation = access.organisation_id;
    context
        .database
        .transaction(move |connection| key_rows::drop_other(connection, &who.origin, (organisation, id)))
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
