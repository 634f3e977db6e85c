//! `/scim/v2/Users`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use kinora_core::PersonId;
use kinora_store::provisioning::users::{self as rows, GroupRef, User, UserTerm};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::access::{Body, Provisioner, reading, transaction};
use super::answer::{self, Asked, Times};
use super::document::{USER_SCHEMA, stored_document, user_document, user_form};
use super::patch;
use super::path::{self, Term};
use super::refusal::Refusal;
use crate::context::Context;
use crate::extract::Then;

/// A user as it is sent.
fn resource(context: &Context, user: &User, groups: &[GroupRef]) -> Map<String, Value> {
    let mut resource = stored_document(user);
    let mut put = |name: &str, value: Value| drop(resource.insert(name.to_owned(), value));
    put("schemas", json!([USER_SCHEMA]));
    put("id", json!(user.id));
    let times = Times { created: user.created_at, updated: user.updated_at, revision: user.revision };
    put("meta", answer::meta("User", times, &answer::location(context, "Users", user.id)));
    if !groups.is_empty() {
        let group = |(id, name): &GroupRef| json!({ "value": id, "$ref": answer::location(context, "Groups", id), "display": name });
        put("groups", groups.iter().map(group).collect());
    }
    resource
}

/// Answers with a user.
async fn send(
    request: &HttpRequest,
    context: &Context,
    status: StatusCode,
    user: User,
) -> Result<HttpResponse, Refusal> {
    let asked = Asked::of(request)?;
    let id = user.id;
    let groups = reading(context, move |connection| rows::groups_of(connection, &[id])).await?;
    let groups = groups.get(&id).map(Vec::as_slice).unwrap_or_default();
    let mut body = resource(context, &user, groups);
    asked.project(&mut body);
    Ok(answer::resource(request, status, user.revision, body))
}

/// A comparison of a filter as the store takes it.
fn term(term: Term) -> Result<UserTerm, Refusal> {
    let Term { attribute, value } = term;
    let text = value.as_str().map(str::to_owned);
    Ok(match (attribute.as_str(), text, &value) {
        ("id", text, _) => {
            text.and_then(|text| Uuid::try_parse(&text).ok()).map_or(UserTerm::Nobody, UserTerm::Id)
        }
        ("username", Some(text), _) => UserTerm::UserName(text),
        ("externalid", Some(text), _) => UserTerm::ExternalId(text),
        ("emails" | "emails.value", Some(text), _) => UserTerm::Email(text),
        ("active", _, Value::Bool(active)) => UserTerm::Active(*active),
        ("username" | "externalid" | "emails" | "emails.value" | "active", _, _) => UserTerm::Nobody,
        _ => {
            return Err(Refusal::bad(
                "invalidFilter",
                "Users can be found by id, userName, externalId, emails.value and active.",
            ));
        }
    })
}

/// List users.
pub(super) async fn list_users(
    request: HttpRequest,
    context: web::Data<Context>,
    who: Provisioner,
) -> Result<HttpResponse, Refusal> {
    let asked = Asked::of(&request)?;
    let terms = asked.filter.as_deref().map(path::parse_filter).transpose()?.unwrap_or_default();
    let terms: Vec<UserTerm> = terms.into_iter().map(term).collect::<Result<_, _>>()?;
    let slice = asked.slice()?;
    let (users, total, groups) = reading(&context, move |connection| {
        let (users, total) = rows::list(connection, &who.source, &terms, slice)?;
        let ids: Vec<Uuid> = users.iter().map(|user| user.id).collect();
        let groups = rows::groups_of(connection, &ids)?;
        Ok((users, total, groups))
    })
    .await?;
    let resources: Vec<Value> = users
        .iter()
        .map(|user| {
            let groups = groups.get(&user.id).map(Vec::as_slice).unwrap_or_default();
            let mut body = resource(&context, user, groups);
            asked.project(&mut body);
            Value::Object(body)
        })
        .collect();
    Ok(answer::list(total, slice, &resources))
}

/// Make a user.
pub(super) async fn create_user(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(who, Body(body)): Then<Provisioner, Body>,
) -> Result<HttpResponse, Refusal> {
    let form = user_form(user_document(&body)?)?;
    let made = transaction(&context, move |connection| {
        Ok(rows::create(connection, &who.origin, &who.source, &form)?)
    })
    .await?;
    context.sessions.forget(PersonId(made.person_id));
    send(&request, &context, StatusCode::CREATED, made).await
}

/// A user.
pub(super) async fn read_user(
    request: HttpRequest,
    context: web::Data<Context>,
    who: Provisioner,
) -> Result<HttpResponse, Refusal> {
    let id = answer::path_id(&request)?;
    let user = reading(&context, move |connection| rows::find(connection, &who.source, id)).await?;
    send(&request, &context, StatusCode::OK, user).await
}

/// Make a user what the body says. What is left out is taken away; whether they may come in stays as it is.
pub(super) async fn replace_user(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(who, Body(body)): Then<Provisioner, Body>,
) -> Result<HttpResponse, Refusal> {
    let document = user_document(&body)?;
    change(request, context, who, move |stored| {
        let mut document = document;
        // A provider that leaves it out does not mean to let somebody in again.
        let _ = document.entry("active").or_insert(Value::Bool(stored.active));
        user_form(document)
    })
    .await
}

/// Change parts of a user.
pub(super) async fn patch_user(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(who, Body(body)): Then<Provisioner, Body>,
) -> Result<HttpResponse, Refusal> {
    let operations = patch::read(&body)?;
    change(request, context, who, move |stored| {
        let mut document = stored_document(stored);
        patch::apply(&mut document, &operations)?;
        user_form(document)
    })
    .await
}

async fn change(
    request: HttpRequest,
    context: web::Data<Context>,
    who: Provisioner,
    change: impl FnOnce(&User) -> Result<rows::UserForm, Refusal> + Send + 'static,
) -> Result<HttpResponse, Refusal> {
    let id = answer::path_id(&request)?;
    let expected = answer::expected(&request);
    let changed = transaction(&context, move |connection| {
        rows::change(connection, &who.origin, &who.source, id, expected, change)
    })
    .await?;
    context.sessions.forget(PersonId(changed.person_id));
    send(&request, &context, StatusCode::OK, changed).await
}

/// Remove a user. Their access ends; their account and their work stay.
pub(super) async fn remove_user(
    request: HttpRequest,
    context: web::Data<Context>,
    who: Provisioner,
) -> Result<HttpResponse, Refusal> {
    let id = answer::path_id(&request)?;
    let expected = answer::expected(&request);
    let person = transaction(&context, move |connection| {
        Ok(rows::remove(connection, &who.origin, &who.source, id, expected)?)
    })
    .await?;
    context.sessions.forget(person);
    Ok(HttpResponse::NoContent().finish())
}
