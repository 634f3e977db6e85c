//! Which attributes there are, in one table for reading, patching and describing them; and what a user's document means.

use kinora_core::mail::is_address;
use kinora_store::provisioning::users::{User, UserForm};
use serde_json::{Map, Value};

use super::refusal::Refusal;

/// The schema of users.
pub(super) const USER_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The schema of groups.
pub(super) const GROUP_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// Most values of one attribute of a user.
const MOST_VALUES: usize = 50;
/// Longest name of a person, characters.
const LONGEST_NAME: usize = 200;

/// What an attribute holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Text of at most so many characters.
    Text(usize),
    /// The address of a resource.
    Reference,
    /// True or false.
    Flag,
    /// One value with parts.
    One(&'static [Attribute]),
    /// Several values with parts.
    Many(&'static [Attribute]),
}

/// Who may write an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mutability {
    ReadWrite,
    ReadOnly,
    Immutable,
}

/// An attribute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
    pub mutability: Mutability,
    /// Whether no other resource has the same value.
    pub unique: bool,
    pub description: &'static str,
    /// Values that are usual.
    pub usual: &'static [&'static str],
}

const fn attribute(name: &'static str, kind: Kind, description: &'static str) -> Attribute {
    Attribute {
        name,
        kind,
        required: false,
        mutability: Mutability::ReadWrite,
        unique: false,
        description,
        usual: &[],
    }
}

const fn read_only(name: &'static str, kind: Kind, description: &'static str) -> Attribute {
    Attribute { mutability: Mutability::ReadOnly, ..attribute(name, kind, description) }
}

const fn immutable(name: &'static str, kind: Kind, description: &'static str) -> Attribute {
    Attribute { mutability: Mutability::Immutable, ..attribute(name, kind, description) }
}

const NAME: &[Attribute] = &[
    attribute("formatted", Kind::Text(256), "The whole name."),
    attribute("familyName", Kind::Text(256), "The family name."),
    attribute("givenName", Kind::Text(256), "The given name."),
];
const EMAIL: &[Attribute] = &[
    attribute("value", Kind::Text(254), "The address."),
    Attribute { usual: &["work", "home", "other"], ..attribute("type", Kind::Text(64), "What it is for.") },
    attribute("primary", Kind::Flag, "Whether it is the one to use."),
];
const GROUP_OF_USER: &[Attribute] = &[
    read_only("value", Kind::Text(64), "The group's id."),
    read_only("$ref", Kind::Reference, "The group's address."),
    read_only("display", Kind::Text(256), "The group's name."),
];
const MEMBER: &[Attribute] = &[
    immutable("value", Kind::Text(64), "The user's id."),
    immutable("$ref", Kind::Reference, "The user's address."),
    Attribute {
        usual: &["User"],
        ..immutable("type", Kind::Text(16), "Always User: groups have no groups.")
    },
];

/// What users have besides `id`, `externalId` and `meta`.
pub(super) const USER: &[Attribute] = &[
    Attribute {
        required: true,
        unique: true,
        ..attribute("userName", Kind::Text(254), "What the provider calls the user.")
    },
    attribute("name", Kind::One(NAME), "The parts of the name."),
    attribute("displayName", Kind::Text(256), "How the user is called."),
    attribute(
        "emails",
        Kind::Many(EMAIL),
        "E-mail addresses. The primary, else the work address is the login.",
    ),
    Attribute {
        required: true,
        ..attribute("active", Kind::Flag, "Whether the user may come in. True where it is left out.")
    },
    read_only("groups", Kind::Many(GROUP_OF_USER), "The groups that the user is in."),
];
/// What groups have besides `id`, `externalId` and `meta`.
pub(super) const GROUP: &[Attribute] = &[
    Attribute {
        required: true,
        unique: true,
        ..attribute("displayName", Kind::Text(256), "The name, which rules may name the group by.")
    },
    attribute("members", Kind::Many(MEMBER), "The users in it."),
];
/// What the provider knows a resource by: common to all and in no schema (RFC 7643, section 3.1).
pub(super) const EXTERNAL_ID: Attribute =
    attribute("externalId", Kind::Text(256), "What the provider knows it by.");

/// Attributes of the core schema that Kinora does not keep (RFC 7643, section 4.1), and what is the server's.
const PASSED_OVER: [&str; 21] = [
    "schemas",
    "id",
    "meta",
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "password",
    "phoneNumbers",
    "ims",
    "photos",
    "addresses",
    "entitlements",
    "roles",
    "x509Certificates",
    "department",
    "manager",
    "employeeNumber",
];

/// Whether an attribute that is in no table is nevertheless no mistake.
pub(super) fn is_passed_over(name: &str) -> bool {
    PASSED_OVER.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The attribute of this name, in whichever case.
pub(super) fn find<'a>(table: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    table.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// The member of an object, in whichever case its name is.
pub(super) fn member<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name)
        .or_else(|| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// A value as it is kept; none if there is nothing in it.
pub(super) fn convert(attribute: &Attribute, value: &Value) -> Result<Option<Value>, Refusal> {
    let name = attribute.name;
    match (attribute.kind, value) {
        (_, Value::Null) => Ok(None),
        (Kind::Text(longest), Value::String(text)) => {
            if text.chars().count() > longest {
                return Err(Refusal::value(format!("{name} has at most {longest} characters.")));
            }
            if text.chars().any(char::is_control) {
                return Err(Refusal::value(format!("{name} must not contain control characters.")));
            }
            Ok(Some(value.clone()).filter(|_| !text.trim().is_empty()))
        }
        // Its address follows from the id.
        (Kind::Reference, Value::String(_)) => Ok(None),
        (Kind::Flag, Value::Bool(_)) => Ok(Some(value.clone())),
        // Entra writes "True" and "False".
        (Kind::Flag, Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "true" => Ok(Some(Value::Bool(true))),
            "false" => Ok(Some(Value::Bool(false))),
            _ => Err(Refusal::value(format!("{name} must be true or false."))),
        },
        (Kind::One(parts), Value::Object(map)) => {
            let map = normalise(parts, map)?;
            Ok((!map.is_empty()).then_some(Value::Object(map)))
        }
        (Kind::Many(parts), Value::Array(values)) => many(name, parts, values),
        (Kind::Many(parts), Value::Object(_)) => many(name, parts, std::slice::from_ref(value)),
        _ => Err(Refusal::value(format!("{name} is not of its type; see Schemas."))),
    }
}

fn many(name: &str, parts: &[Attribute], values: &[Value]) -> Result<Option<Value>, Refusal> {
    if values.len() > MOST_VALUES {
        return Err(Refusal::value(format!("{name} has at most {MOST_VALUES} values.")));
    }
    let mut kept = Vec::with_capacity(values.len());
    for value in values {
        let Value::Object(map) = value else {
            return Err(Refusal::value(format!("Each value of {name} is an object.")));
        };
        let map = normalise(parts, map)?;
        if !map.is_empty() {
            kept.push(Value::Object(map));
        }
    }
    Ok((!kept.is_empty()).then_some(Value::Array(kept)))
}

/// A document with the names of the table, and nothing but what is in it and can be written.
pub(super) fn normalise(
    table: &[Attribute],
    given: &Map<String, Value>,
) -> Result<Map<String, Value>, Refusal> {
    let mut kept = Map::new();
    for (name, value) in given {
        let Some(attribute) = find(table, name) else { continue };
        if attribute.mutability == Mutability::ReadOnly {
            continue;
        }
        if let Some(value) = convert(attribute, value)? {
            let _ = kept.insert(attribute.name.to_owned(), value);
        }
    }
    Ok(kept)
}

/// The document of a user as it was given, with `externalId`.
pub(super) fn user_document(given: &Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    let mut document = normalise(USER, given)?;
    if let Some(value) = external_id(given)? {
        let _ = document.insert(EXTERNAL_ID.name.to_owned(), Value::String(value));
    }
    Ok(document)
}

/// `externalId`, if there is one.
pub(super) fn external_id(given: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    let value = member(given, EXTERNAL_ID.name).unwrap_or(&Value::Null);
    Ok(convert(&EXTERNAL_ID, value)?.as_ref().and_then(Value::as_str).map(str::to_owned))
}

/// The document of a user as it is stored.
pub(super) fn stored_document(user: &User) -> Map<String, Value> {
    let mut document = user.attributes.as_object().cloned().unwrap_or_default();
    let _ = document.insert("userName".to_owned(), Value::String(user.user_name.clone()));
    let _ = document.insert("active".to_owned(), Value::Bool(user.active));
    if let Some(id) = &user.external_id {
        let _ = document.insert(EXTERNAL_ID.name.to_owned(), Value::String(id.clone()));
    }
    document
}

/// What a user's document means.
pub(super) fn user_form(mut document: Map<String, Value>) -> Result<UserForm, Refusal> {
    let text = |value: Option<Value>| match value {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let user_name = text(document.remove("userName"))
        .map(|name| name.trim().to_owned())
        .ok_or_else(|| Refusal::value("userName is required."))?;
    let external_id = text(document.remove(EXTERNAL_ID.name));
    let active = document.remove("active").and_then(|value| value.as_bool()).unwrap_or(true);
    let emails = emails(&document);
    let address = address(&emails, &user_name);
    let display_name = display_name(&document);
    Ok(UserForm {
        user_name,
        external_id,
        active,
        emails: emails.iter().map(|(address, _)| address.to_lowercase()).collect(),
        attributes: Value::Object(document),
        address,
        display_name,
    })
}

/// The addresses, and how much each is the one to use.
fn emails(document: &Map<String, Value>) -> Vec<(String, u8)> {
    let weight = |value: &Value| {
        let is_primary = value.get("primary").and_then(Value::as_bool).unwrap_or(false);
        let is_work =
            value.get("type").and_then(Value::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case("work"));
        2 * u8::from(is_primary) + u8::from(is_work)
    };
    let values = document.get("emails").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    values
        .iter()
        .filter_map(|value| Some((value.get("value")?.as_str()?.trim().to_owned(), weight(value))))
        .collect()
}

/// The address that is the login, and its domain: the primary, else that of work, else any, else the user's name.
fn address(emails: &[(String, u8)], user_name: &str) -> Option<(String, String)> {
    let usable = emails.iter().filter(|(address, _)| is_address(address));
    // Of those alike the first.
    let best = usable.rev().max_by_key(|(_, weight)| *weight).map(|(address, _)| address.as_str());
    let address = best.or_else(|| Some(user_name).filter(|name| is_address(name)))?;
    let (_, domain) = address.rsplit_once('@')?;
    Some((address.to_owned(), domain.to_ascii_lowercase()))
}

/// How somebody is called: `displayName`, else the whole name, else its parts.
fn display_name(document: &Map<String, Value>) -> Option<String> {
    let part = |name: &str| document.get("name")?.get(name)?.as_str();
    let whole = document.get("displayName").and_then(Value::as_str).or_else(|| part("formatted"));
    let name = match whole {
        Some(name) => name.to_owned(),
        None => [part("givenName"), part("familyName")].into_iter().flatten().collect::<Vec<_>>().join(" "),
    };
    let name: String = name.trim().chars().take(LONGEST_NAME).collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn form(given: Value) -> Result<UserForm, Refusal> {
        user_form(user_document(given.as_object().unwrap())?)
    }

    #[test]
    fn only_what_is_needed_is_kept_and_in_the_names_of_the_schema() {
        let form = form(json!({
            "schemas": [USER_SCHEMA, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
            "USERNAME": "ada@x.example", "Active": "False", "externalID": "7", "password": "secret",
            "Name": { "GivenName": "Ada", "familyName": "Löwe", "honorificPrefix": "Dr" },
            "displayName": null, "title": "Editor", "phoneNumbers": [{ "value": "1" }], "groups": [{ "value": "g" }],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "department": "Post" },
        }))
        .unwrap();
        assert_eq!(form.user_name, "ada@x.example");
        assert!(!form.active);
        assert_eq!(form.external_id.as_deref(), Some("7"));
        assert_eq!(form.attributes, json!({ "name": { "givenName": "Ada", "familyName": "Löwe" } }));
        assert_eq!(form.display_name.as_deref(), Some("Ada Löwe"));
        assert_eq!(form.address, Some(("ada@x.example".to_owned(), "x.example".to_owned())));
    }

    #[test]
    fn the_login_is_the_primary_address_else_that_of_work_else_the_name() {
        let work = json!({ "type": "work", "value": "w@x.example" });
        let home = json!({ "type": "home", "value": "h@x.example" });
        let first = json!({ "type": "home", "value": "p@X.example", "primary": "True" });
        for (emails, address) in [
            (json!([home, work]), Some("w@x.example")),
            (json!([work, first]), Some("p@X.example")),
            (json!([home]), Some("h@x.example")),
            (json!(work), Some("w@x.example")),
            (json!([{ "value": "no address" }]), Some("ada@x.example")),
        ] {
            let form = form(json!({ "userName": "ada@x.example", "emails": emails })).unwrap();
            assert_eq!(form.address.map(|(address, _)| address).as_deref(), address, "{emails}");
        }
        let plain = form(json!({ "userName": "ada" })).unwrap();
        assert_eq!((plain.address, plain.active), (None, true));
    }

    #[test]
    fn wrong_types_are_refused() {
        for bad in [
            json!({}),
            json!({ "userName": "" }),
            json!({ "userName": 7 }),
            json!({ "userName": "a\nb" }),
            json!({ "userName": "a".repeat(255) }),
            json!({ "userName": "a", "active": "maybe" }),
            json!({ "userName": "a", "active": 1 }),
            json!({ "userName": "a", "name": "Ada" }),
            json!({ "userName": "a", "emails": ["a@x.example"] }),
            json!({ "userName": "a", "emails": vec![json!({ "value": "a@x.example" }); 51] }),
            json!({ "userName": "a", "externalId": 7 }),
        ] {
            assert!(form(bad.clone()).is_err(), "{bad}");
        }
    }
}
