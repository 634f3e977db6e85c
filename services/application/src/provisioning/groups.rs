//! `/scim/v2/Groups`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use kinora_store::provisioning::groups::{self as rows, Group, GroupStep, GroupTerm};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::access::{Body, Provisioner, reading, transaction};
use super::answer::{self, Asked, Times};
use super::document::{EXTERNAL_ID, GROUP, GROUP_SCHEMA, convert, external_id, find, is_passed_over, member};
use super::patch::{self, Operation, Verb};
use super::path::{self, Term};
use super::refusal::Refusal;
use crate::context::Context;
use crate::extract::Then;

/// Most members that one request names.
const MOST_MEMBERS: usize = 1000;

/// A group as it is sent, with its members if they were asked for.
fn resource(context: &Context, group: &Group, members: Option<&[Uuid]>) -> Map<String, Value> {
    let times = Times { created: group.created_at, updated: group.updated_at, revision: group.revision };
    let mut resource = Map::new();
    let mut put = |name: &str, value: Value| drop(resource.insert(name.to_owned(), value));
    put("schemas", json!([GROUP_SCHEMA]));
    put("id", json!(group.id));
    put("displayName", json!(group.display_name));
    if let Some(id) = &group.external_id {
        put("externalId", json!(id));
    }
    put("meta", answer::meta("Group", times, &answer::location(context, "Groups", group.id)));
    if let Some(members) = members.filter(|members| !members.is_empty()) {
        let member = |id: &Uuid| json!({ "value": id, "$ref": answer::location(context, "Users", id), "type": "User" });
        put("members", members.iter().map(member).collect());
    }
    resource
}

/// Answers with a group.
async fn send(
    request: &HttpRequest,
    context: &Context,
    status: StatusCode,
    group: Group,
) -> Result<HttpResponse, Refusal> {
    let asked = Asked::of(request)?;
    let id = group.id;
    let members = match asked.wants("members") {
        true => reading(context, move |connection| rows::members_of(connection, &[id])).await?.remove(&id),
        false => None,
    };
    let mut body = resource(context, &group, members.as_deref());
    asked.project(&mut body);
    Ok(answer::resource(request, status, group.revision, body))
}

/// A comparison of a filter as the store takes it.
fn term(Term { attribute, value }: Term) -> Result<GroupTerm, Refusal> {
    let Some(text) = value.as_str() else { return Ok(GroupTerm::Nothing) };
    let id = Uuid::try_parse(text).ok();
    Ok(match attribute.as_str() {
        "id" => id.map_or(GroupTerm::Nothing, GroupTerm::Id),
        "displayname" => GroupTerm::DisplayName(text.to_owned()),
        "externalid" => GroupTerm::ExternalId(text.to_owned()),
        "members" | "members.value" => id.map_or(GroupTerm::Nothing, GroupTerm::Member),
        _ => {
            return Err(Refusal::bad(
                "invalidFilter",
                "Groups can be found by id, displayName, externalId and members.value.",
            ));
        }
    })
}

/// List groups.
pub(super) async fn list_groups(
    request: HttpRequest,
    context: web::Data<Context>,
    who: Provisioner,
) -> Result<HttpResponse, Refusal> {
    let asked = Asked::of(&request)?;
    let terms = asked.filter.as_deref().map(path::parse_filter).transpose()?.unwrap_or_default();
    let terms: Vec<GroupTerm> = terms.into_iter().map(term).collect::<Result<_, _>>()?;
    let (slice, with_members) = (asked.slice()?, asked.wants("members"));
    let (groups, total, members) = reading(&context, move |connection| {
        let (groups, total) = rows::list(connection, &who.source, &terms, slice)?;
        let ids: Vec<Uuid> = groups.iter().map(|group| group.id).collect();
        let ids = if with_members { ids } else { Vec::new() };
        Ok((groups, total, rows::members_of(connection, &ids)?))
    })
    .await?;
    let resources: Vec<Value> = groups
        .iter()
        .map(|group| {
            let mut body = resource(&context, group, members.get(&group.id).map(Vec::as_slice));
            asked.project(&mut body);
            Value::Object(body)
        })
        .collect();
    Ok(answer::list(total, slice, &resources))
}

/// The ids of members.
fn ids(value: &Value) -> Result<Vec<Uuid>, Refusal> {
    let values = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(values) => values.as_slice(),
        one => std::slice::from_ref(one),
    };
    if values.len() > MOST_MEMBERS {
        return Err(Refusal::too_large(format!("A request names at most {MOST_MEMBERS} members.")));
    }
    values.iter().map(id).collect()
}

fn id(value: &Value) -> Result<Uuid, Refusal> {
    let Value::Object(map) = value else {
        return Err(Refusal::value("Each member is an object with a value."));
    };
    let kind = member(map, "type").and_then(Value::as_str);
    if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("Group")) {
        return Err(Refusal::value("Groups in groups are not offered: have the provider flatten them."));
    }
    let text = member(map, "value").and_then(Value::as_str).unwrap_or_default();
    Uuid::try_parse(text).map_err(|_| Refusal::value("The value of a member is the id of a user."))
}

fn display_name(value: &Value) -> Result<String, Refusal> {
    let Some(attribute) = find(GROUP, "displayName") else { return Err(Refusal::not_implemented()) };
    match convert(attribute, value)? {
        Some(Value::String(name)) => Ok(name.trim().to_owned()),
        _ => Err(Refusal::value("displayName is required.")),
    }
}

/// Make a group.
pub(super) async fn create_group(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(who, Body(body)): Then<Provisioner, Body>,
) -> Result<HttpResponse, Refusal> {
    let name = display_name(member(&body, "displayName").unwrap_or(&Value::Null))?;
    let external_id = external_id(&body)?;
    let members = ids(member(&body, "members").unwrap_or(&Value::Null))?;
    let made = transaction(&context, move |connection| {
        let named = (name.as_str(), external_id.as_deref());
        Ok(rows::create(connection, &who.origin, &who.source, named, &members)?)
    })
    .await?;
    send(&request, &context, StatusCode::CREATED, made).await
}

/// A group.
pub(super) async fn read_group(
    request: HttpRequest,
    context: web::Data<Context>,
    who: Provisioner,
) -> Result<HttpResponse, Refusal> {
    let id = answer::path_id(&request)?;
    let group = reading(&context, move |connection| rows::find(connection, &who.source, id)).await?;
    send(&request, &context, StatusCode::OK, group).await
}

/// Make a group what the body says.
pub(super) async fn replace_group(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(who, Body(body)): Then<Provisioner, Body>,
) -> Result<HttpResponse, Refusal> {
    let steps = vec![
        GroupStep::DisplayName(display_name(member(&body, "displayName").unwrap_or(&Value::Null))?),
        GroupStep::ExternalId(external_id(&body)?),
        GroupStep::Replace(ids(member(&body, "members").unwrap_or(&Value::Null))?),
    ];
    let changed = change(&request, &context, who, steps).await?;
    send(&request, &context, StatusCode::OK, changed).await
}

/// Change parts of a group.
pub(super) async fn patch_group(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(who, Body(body)): Then<Provisioner, Body>,
) -> Result<HttpResponse, Refusal> {
    let steps = steps(&patch::read(&body)?)?;
    let changed = change(&request, &context, who, steps).await?;
    // Groups are large, and a provider that adds one member need not be told of all others.
    Ok(answer::changed(changed.revision))
}

/// What these operations do to a group.
fn steps(operations: &[Operation]) -> Result<Vec<GroupStep>, Refusal> {
    let mut steps = Vec::with_capacity(operations.len());
    let mut named = 0;
    for operation in operations {
        let name = operation.path.attribute.as_str();
        let step = if name.eq_ignore_ascii_case("members") {
            Some(members_step(operation)?)
        } else if name.eq_ignore_ascii_case("displayName") {
            plain(operation)?;
            let value = if operation.verb == Verb::Remove { &Value::Null } else { &operation.value };
            if value.is_null() {
                return Err(Refusal::bad("mutability", "displayName is required."));
            }
            Some(GroupStep::DisplayName(display_name(value)?))
        } else if name.eq_ignore_ascii_case(EXTERNAL_ID.name) {
            plain(operation)?;
            let value = if operation.verb == Verb::Remove { &Value::Null } else { &operation.value };
            let value = convert(&EXTERNAL_ID, value)?.as_ref().and_then(Value::as_str).map(str::to_owned);
            Some(GroupStep::ExternalId(value))
        } else if operation.is_explicit && !is_passed_over(name) {
            return Err(Refusal::bad("invalidPath", format!("Groups have no {name:?}.")));
        } else {
            None
        };
        if let Some(GroupStep::Add(ids) | GroupStep::Remove(ids) | GroupStep::Replace(ids)) = &step {
            named += ids.len();
        }
        if named > MOST_MEMBERS {
            return Err(Refusal::too_large(format!("A request names at most {MOST_MEMBERS} members.")));
        }
        steps.extend(step);
    }
    Ok(steps)
}

/// Refuses parts of what has none.
fn plain(operation: &Operation) -> Result<(), Refusal> {
    let has_parts = operation.path.filter.is_some() || operation.path.sub.is_some();
    if has_parts { Err(Refusal::bad("invalidPath", "This has no parts.")) } else { Ok(()) }
}

fn members_step(operation: &Operation) -> Result<GroupStep, Refusal> {
    if operation.path.sub.is_some() {
        return Err(Refusal::bad(
            "mutability",
            "A member's parts cannot be written: remove it and add another.",
        ));
    }
    match (operation.verb, &operation.path.filter) {
        (Verb::Add, None) => Ok(GroupStep::Add(ids(&operation.value)?)),
        (Verb::Replace, None) => Ok(GroupStep::Replace(ids(&operation.value)?)),
        // Entra names those to be removed in the value; without any all leave.
        (Verb::Remove, None) => match ids(&operation.value)? {
            ids if ids.is_empty() => Ok(GroupStep::Replace(ids)),
            ids => Ok(GroupStep::Remove(ids)),
        },
        (Verb::Remove, Some(Term { attribute, value })) if attribute == "value" => {
            let id = value.as_str().and_then(|text| Uuid::try_parse(text).ok());
            Ok(GroupStep::Remove(id.into_iter().collect()))
        }
        _ => Err(Refusal::bad("noTarget", "Members are chosen by value, and added without choosing.")),
    }
}

async fn change(
    request: &HttpRequest,
    context: &Context,
    who: Provisioner,
    steps: Vec<GroupStep>,
) -> Result<Group, Refusal> {
    let id = answer::path_id(request)?;
    let expected = answer::expected(request);
    transaction(context, move |connection| {
        Ok(rows::change(connection, &who.origin, &who.source, id, expected, &steps)?)
    })
    .await
}

/// Remove a group: what it gave is taken at once.
pub(super) async fn remove_group(
    request: HttpRequest,
    context: web::Data<Context>,
    who: Provisioner,
) -> Result<HttpResponse, Refusal> {
    let id = answer::path_id(&request)?;
    let expected = answer::expected(&request);
    transaction(&context, move |connection| {
        Ok(rows::remove(connection, &who.origin, &who.source, id, expected)?)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(operations: Value) -> Result<Vec<GroupStep>, Refusal> {
        let body = json!({ "Operations": operations });
        steps(&patch::read(body.as_object().unwrap())?)
    }

    #[test]
    fn members_come_and_go_in_every_dialect() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for (operations, expected) in [
            (
                json!([{ "op": "Add", "path": "members", "value": [{ "value": one }, { "value": two, "$ref": null }] }]),
                vec![GroupStep::Add(vec![one, two])],
            ),
            (
                json!([{ "op": "Remove", "path": "members", "value": [{ "value": one }] }]),
                vec![GroupStep::Remove(vec![one])],
            ),
            (
                json!([{ "op": "remove", "path": format!("members[value eq \"{two}\"]") }]),
                vec![GroupStep::Remove(vec![two])],
            ),
            (json!([{ "op": "remove", "path": "members" }]), vec![GroupStep::Replace(vec![])]),
            (
                json!([{ "op": "replace", "path": "members", "value": [{ "value": one, "display": "Ada" }] }]),
                vec![GroupStep::Replace(vec![one])],
            ),
            (
                json!([{ "op": "replace", "value": { "id": one, "displayName": "Editors" } }]),
                vec![GroupStep::DisplayName("Editors".to_owned())],
            ),
            (
                json!([{ "op": "remove", "path": "externalId" }, { "op": "add", "path": "externalId", "value": "7" }]),
                vec![GroupStep::ExternalId(None), GroupStep::ExternalId(Some("7".to_owned()))],
            ),
        ] {
            assert_eq!(read(operations.clone()).unwrap(), expected, "{operations}");
        }
        for (operations, scim_type) in [
            (json!([{ "op": "add", "path": "members", "value": [{ "value": "x" }] }]), Some("invalidValue")),
            (json!([{ "op": "add", "path": "members", "value": ["x"] }]), Some("invalidValue")),
            (
                json!([{ "op": "add", "path": "members", "value": [{ "value": one, "type": "Group" }] }]),
                Some("invalidValue"),
            ),
            (json!([{ "op": "replace", "path": "members.value", "value": "x" }]), Some("mutability")),
            (
                json!([{ "op": "replace", "path": format!("members[value eq \"{one}\"]"), "value": {} }]),
                Some("noTarget"),
            ),
            (json!([{ "op": "remove", "path": "displayName" }]), Some("mutability")),
            (json!([{ "op": "replace", "path": "colour", "value": "red" }]), Some("invalidPath")),
            (json!([{ "op": "add", "path": "members", "value": vec![json!({ "value": one }); 1001] }]), None),
        ] {
            assert_eq!(read(operations.clone()).unwrap_err().scim_type(), scim_type, "{operations}");
        }
    }
}
