//! What the interface says of itself (RFC 7643, sections 5 to 7), and everything else below its address.

use actix_web::{HttpRequest, HttpResponse, web};
use kinora_store::provisioning::Slice;
use serde_json::{Value, json};

use super::access::Provisioner;
use super::answer::{self, MOST};
use super::document::{Attribute, GROUP, GROUP_SCHEMA, Kind, Mutability, USER, USER_SCHEMA};
use super::refusal::Refusal;
use crate::context::Context;

const CONFIG_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const TYPE_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SCHEMA_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// What is offered.
pub(super) async fn read_service_provider(context: web::Data<Context>, _: Provisioner) -> HttpResponse {
    let offered = |supported: bool| json!({ "supported": supported });
    let location = answer::location(&context, "ServiceProviderConfig", "");
    answer::document(&json!({
        "schemas": [CONFIG_SCHEMA],
        "documentationUri": "https://datatracker.ietf.org/doc/html/rfc7644",
        "patch": offered(true),
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": MOST },
        "changePassword": offered(false),
        "sort": offered(false),
        "etag": offered(true),
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Provisioning token",
            "description": "A token made on the page of the single sign-on connection, sent as 'Authorization: Bearer …'.",
            "primary": true,
        }],
        "meta": { "resourceType": "ServiceProviderConfig", "location": location.trim_end_matches('/') },
    }))
}

fn resource_types(context: &Context) -> [Value; 2] {
    [
        ("User", "/Users", USER_SCHEMA, "Who may come in."),
        ("Group", "/Groups", GROUP_SCHEMA, "Groups that give roles."),
    ]
    .map(|(name, endpoint, schema, description)| {
        json!({
            "schemas": [TYPE_SCHEMA],
            "id": name,
            "name": name,
            "description": description,
            "endpoint": endpoint,
            "schema": schema,
            "meta": {
                "resourceType": "ResourceType",
                "location": answer::location(context, "ResourceTypes", name),
            },
        })
    })
}

fn described(attribute: &Attribute) -> Value {
    let (kind, parts) = match attribute.kind {
        Kind::Text(_) => ("string", None),
        Kind::Reference => ("reference", None),
        Kind::Flag => ("boolean", None),
        Kind::One(parts) | Kind::Many(parts) => ("complex", Some(parts)),
    };
    let mut document = json!({
        "name": attribute.name,
        "type": kind,
        "multiValued": matches!(attribute.kind, Kind::Many(_)),
        "description": attribute.description,
        "required": attribute.required,
        "caseExact": matches!(attribute.kind, Kind::Reference),
        "mutability": match attribute.mutability {
            Mutability::ReadWrite => "readWrite",
            Mutability::ReadOnly => "readOnly",
            Mutability::Immutable => "immutable",
        },
        "returned": "default",
        "uniqueness": if attribute.unique { "server" } else { "none" },
    });
    if let Some(map) = document.as_object_mut() {
        if !attribute.usual.is_empty() {
            let _ = map.insert("canonicalValues".to_owned(), json!(attribute.usual));
        }
        if matches!(attribute.kind, Kind::Reference) {
            let _ = map.insert("referenceTypes".to_owned(), json!([references(attribute)]));
        }
        if let Some(parts) = parts {
            let _ = map.insert("subAttributes".to_owned(), parts.iter().map(described).collect());
        }
    }
    document
}

/// What kind of resource a reference leads to: users refer to groups, which they cannot write, and groups to users.
fn references(attribute: &Attribute) -> &'static str {
    if attribute.mutability == Mutability::ReadOnly { "Group" } else { "User" }
}

fn schemas(context: &Context) -> [Value; 2] {
    [(USER_SCHEMA, "User", "A user.", USER), (GROUP_SCHEMA, "Group", "A group of users.", GROUP)].map(
        |(id, name, description, table)| {
            json!({
                "schemas": [SCHEMA_SCHEMA],
                "id": id,
                "name": name,
                "description": description,
                "attributes": table.iter().map(described).collect::<Vec<_>>(),
                "meta": { "resourceType": "Schema", "location": answer::location(context, "Schemas", id) },
            })
        },
    )
}

fn all(resources: &[Value]) -> HttpResponse {
    let count = i64::try_from(resources.len()).unwrap_or(i64::MAX);
    answer::list(count, Slice { offset: 0, limit: count }, resources)
}

fn one(request: &HttpRequest, resources: &[Value]) -> Result<HttpResponse, Refusal> {
    let id = request.match_info().get("id").unwrap_or_default();
    let found = resources.iter().find(|resource| resource.get("id").and_then(Value::as_str) == Some(id));
    found.map(answer::document).ok_or_else(Refusal::not_found)
}

/// The kinds of resources.
pub(super) async fn list_resource_types(context: web::Data<Context>, _: Provisioner) -> HttpResponse {
    all(&resource_types(&context))
}

/// A kind of resource.
pub(super) async fn read_resource_type(
    request: HttpRequest,
    context: web::Data<Context>,
    _: Provisioner,
) -> Result<HttpResponse, Refusal> {
    one(&request, &resource_types(&context))
}

/// What resources have.
pub(super) async fn list_schemas(context: web::Data<Context>, _: Provisioner) -> HttpResponse {
    all(&schemas(&context))
}

/// What one kind of resource has.
pub(super) async fn read_schema(
    request: HttpRequest,
    context: web::Data<Context>,
    _: Provisioner,
) -> Result<HttpResponse, Refusal> {
    one(&request, &schemas(&context))
}

/// Everything else below the address.
pub(super) async fn not_found(_: Provisioner) -> Result<HttpResponse, Refusal> {
    Err(Refusal::not_found())
}

/// Other methods.
pub(super) async fn not_allowed(_: Provisioner) -> Result<HttpResponse, Refusal> {
    Err(Refusal::not_allowed())
}

/// What the protocol knows and Kinora does not do.
pub(super) async fn not_implemented(_: Provisioner) -> Result<HttpResponse, Refusal> {
    Err(Refusal::not_implemented())
}
