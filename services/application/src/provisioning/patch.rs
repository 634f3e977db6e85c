//! Changes of parts (RFC 7644, section 3.5.2), in the dialects of products: operations in any case, without a path, with
//! paths for names, with values to be removed.

use serde_json::{Map, Value};

use super::document::{
    Attribute, EXTERNAL_ID, Kind, Mutability, USER, convert, find, is_passed_over, member,
};
use super::path::{self, Named, Path, Term};
use super::refusal::Refusal;

/// Most operations of a request.
const MOST: usize = 1000;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Add,
    Replace,
    Remove,
}

/// One thing that is to be done: to what a path names.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operation {
    pub verb: Verb,
    pub path: Path,
    pub value: Value,
    /// Whether the request wrote the path as such. What it only lists among other things is passed over if it is not kept.
    pub is_explicit: bool,
}

/// The operations of a request. One without a path is one for each member of its value.
pub(super) fn read(body: &Map<String, Value>) -> Result<Vec<Operation>, Refusal> {
    let Some(Value::Array(given)) = member(body, "Operations") else {
        return Err(Refusal::syntax("Operations must be a list."));
    };
    let mut operations = Vec::with_capacity(given.len());
    for operation in given {
        let Value::Object(operation) = operation else {
            return Err(Refusal::syntax("Each operation is an object."));
        };
        let verb =
            match member(operation, "op").and_then(Value::as_str).map(str::to_ascii_lowercase).as_deref() {
                Some("add") => Verb::Add,
                Some("replace") => Verb::Replace,
                Some("remove") => Verb::Remove,
                _ => return Err(Refusal::syntax("op must be add, replace or remove.")),
            };
        let value = member(operation, "value").cloned().unwrap_or(Value::Null);
        match member(operation, "path") {
            Some(Value::String(text)) => push(&mut operations, verb, (text.as_str(), true), value)?,
            None | Some(Value::Null) => match value {
                Value::Object(map) if verb != Verb::Remove => {
                    for (name, value) in map {
                        push(&mut operations, verb, (name.as_str(), false), value)?;
                    }
                }
                _ if verb == Verb::Remove => {
                    return Err(Refusal::bad("noTarget", "remove needs a path."));
                }
                _ => return Err(Refusal::value("Without a path the value must be an object.")),
            },
            Some(_) => return Err(Refusal::bad("invalidPath", "path must be text.")),
        }
        if operations.len() > MOST {
            return Err(Refusal::too_large(format!("A request has at most {MOST} operations.")));
        }
    }
    Ok(operations)
}

fn push(
    operations: &mut Vec<Operation>,
    verb: Verb,
    (text, is_explicit): (&str, bool),
    value: Value,
) -> Result<(), Refusal> {
    match path::parse(text) {
        Ok(Named::Core(path)) => operations.push(Operation { verb, path, value, is_explicit }),
        // Nothing of extensions is kept.
        Ok(Named::Extension) => {}
        Err(refusal) if is_explicit => return Err(refusal),
        Err(_) => {}
    }
    Ok(())
}

/// Does these operations to a user's document.
pub(super) fn apply(document: &mut Map<String, Value>, operations: &[Operation]) -> Result<(), Refusal> {
    for operation in operations {
        let name = operation.path.attribute.as_str();
        let external = Some(&EXTERNAL_ID).filter(|attribute| attribute.name.eq_ignore_ascii_case(name));
        match find(USER, name).or(external) {
            Some(attribute) if attribute.mutability == Mutability::ReadOnly => {
                if operation.is_explicit {
                    return Err(Refusal::bad("mutability", format!("{name} cannot be written.")));
                }
            }
            Some(attribute) => apply_one(document, attribute, operation)?,
            None if !operation.is_explicit || is_passed_over(name) => {}
            None => return Err(Refusal::bad("invalidPath", format!("Users have no {name:?}."))),
        }
    }
    Ok(())
}

fn apply_one(
    document: &mut Map<String, Value>,
    attribute: &Attribute,
    operation: &Operation,
) -> Result<(), Refusal> {
    let Path { filter, sub, .. } = &operation.path;
    let misfit = || Refusal::bad("invalidPath", format!("{} has no such part.", attribute.name));
    match attribute.kind {
        Kind::Many(parts) => {
            let mut values = match document.remove(attribute.name) {
                Some(Value::Array(values)) => values,
                _ => Vec::new(),
            };
            change_values(&mut values, (attribute, parts), operation)?;
            values.retain(|value| value.as_object().is_some_and(|map| !map.is_empty()));
            if !values.is_empty() {
                let _ = document.insert(attribute.name.to_owned(), Value::Array(values));
            }
            Ok(())
        }
        _ if filter.is_some() => Err(misfit()),
        Kind::One(parts) => match sub {
            Some(sub) => {
                let Some(part) = find(parts, sub) else {
                    // Parts that are not kept, as prefixes of names.
                    return Ok(());
                };
                let mut inner = match document.remove(attribute.name) {
                    Some(Value::Object(inner)) => inner,
                    _ => Map::new(),
                };
                set(&mut inner, part, operation)?;
                if !inner.is_empty() {
                    let _ = document.insert(attribute.name.to_owned(), Value::Object(inner));
                }
                Ok(())
            }
            None => merge(document, attribute, operation),
        },
        _ if sub.is_some() => Err(misfit()),
        _ => set(document, attribute, operation),
    }
}

/// Sets or removes a value without parts.
fn set(
    document: &mut Map<String, Value>,
    attribute: &Attribute,
    operation: &Operation,
) -> Result<(), Refusal> {
    let value = match operation.verb {
        Verb::Remove => None,
        Verb::Add | Verb::Replace => convert(attribute, &operation.value)?,
    };
    match value {
        Some(value) => drop(document.insert(attribute.name.to_owned(), value)),
        None if attribute.required => {
            return Err(Refusal::bad("mutability", format!("{} is required.", attribute.name)));
        }
        None => drop(document.remove(attribute.name)),
    }
    Ok(())
}

/// Sets the parts that are named and leaves the others; or removes all.
fn merge(
    document: &mut Map<String, Value>,
    attribute: &Attribute,
    operation: &Operation,
) -> Result<(), Refusal> {
    let value = match operation.verb {
        Verb::Remove => None,
        Verb::Add | Verb::Replace => convert(attribute, &operation.value)?,
    };
    let stored = document.remove(attribute.name);
    let merged = match (stored, value) {
        (Some(Value::Object(mut stored)), Some(Value::Object(new))) => {
            stored.extend(new);
            Some(Value::Object(stored))
        }
        (_, value) => value,
    };
    if let Some(merged) = merged {
        let _ = document.insert(attribute.name.to_owned(), merged);
    }
    Ok(())
}

fn fits(value: &Value, term: &Term) -> bool {
    let Some(found) = value.as_object().and_then(|map| member(map, &term.attribute)) else { return false };
    match (found, &term.value) {
        (Value::String(one), Value::String(other)) => one.eq_ignore_ascii_case(other),
        (one, other) => one == other,
    }
}

/// Whether everything that `asked` says is so.
fn includes(value: &Value, asked: &Value) -> bool {
    let Some(asked) = asked.as_object() else { return false };
    asked.iter().all(|(name, expected)| value.get(name) == Some(expected))
}

/// Does an operation to an attribute with several values.
fn change_values(
    values: &mut Vec<Value>,
    (attribute, parts): (&Attribute, &'static [Attribute]),
    operation: &Operation,
) -> Result<(), Refusal> {
    let Path { filter, sub, .. } = &operation.path;
    if let Some(sub) = sub {
        let part = find(parts, sub)
            .ok_or_else(|| Refusal::bad("invalidPath", format!("{} has no {sub:?}.", attribute.name)))?;
        return change_parts(values, filter.as_ref(), part, operation);
    }
    let given = match convert(attribute, &operation.value)? {
        Some(Value::Array(given)) => given,
        _ => Vec::new(),
    };
    if operation.verb != Verb::Remove && given.iter().any(is_primary) {
        values.iter_mut().for_each(unmark);
    }
    match (operation.verb, filter) {
        (Verb::Remove, Some(term)) => values.retain(|value| !fits(value, term)),
        (Verb::Remove, None) if given.is_empty() => values.clear(),
        (Verb::Remove, None) => values.retain(|value| !given.iter().any(|asked| includes(value, asked))),
        (Verb::Replace, None) => *values = given,
        (Verb::Add, None) => {
            for value in given {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
        }
        (Verb::Add | Verb::Replace, Some(term)) => {
            let new = given.into_iter().next().unwrap_or_default();
            let new = new.as_object().cloned().unwrap_or_default();
            for value in chosen(values, Some(term)) {
                if let Some(stored) = value.as_object_mut() {
                    stored.extend(new.clone());
                }
            }
        }
    }
    Ok(())
}

/// Does an operation to one part of the values that a filter chooses, or of all.
fn change_parts(
    values: &mut Vec<Value>,
    filter: Option<&Term>,
    part: &Attribute,
    operation: &Operation,
) -> Result<(), Refusal> {
    if operation.verb == Verb::Remove {
        for value in values.iter_mut().filter(|value| filter.is_none_or(|term| fits(value, term))) {
            if let Some(stored) = value.as_object_mut() {
                let _ = stored.remove(part.name);
            }
        }
        return Ok(());
    }
    let Some(new) = convert(part, &operation.value)? else { return Ok(()) };
    if part.name == "primary" && new == Value::Bool(true) {
        values.iter_mut().for_each(unmark);
    }
    for value in chosen(values, filter) {
        if let Some(stored) = value.as_object_mut() {
            let _ = stored.insert(part.name.to_owned(), new.clone());
        }
    }
    Ok(())
}

/// The values that a filter chooses, or all. Where there is none it is made: providers write the work address so whether
/// there is one or not.
fn chosen<'a>(values: &'a mut Vec<Value>, filter: Option<&Term>) -> Vec<&'a mut Value> {
    let is_chosen = |value: &Value| filter.is_none_or(|term| fits(value, term));
    if !values.iter().any(is_chosen) {
        let made = filter.map(|term| (term.attribute.clone(), term.value.clone())).into_iter().collect();
        values.push(Value::Object(made));
    }
    values.iter_mut().filter(|value| is_chosen(value)).collect()
}

fn is_primary(value: &Value) -> bool {
    value.get("primary") == Some(&Value::Bool(true))
}

fn unmark(value: &mut Value) {
    if is_primary(value)
        && let Some(stored) = value.as_object_mut()
    {
        let _ = stored.insert("primary".to_owned(), Value::Bool(false));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn patched(document: &Value, operations: Value) -> Result<Value, Refusal> {
        let mut document = document.as_object().unwrap().clone();
        let body =
            json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations });
        apply(&mut document, &read(body.as_object().unwrap())?)?;
        Ok(Value::Object(document))
    }

    fn ada() -> Value {
        json!({
            "userName": "ada", "active": true, "name": { "givenName": "Ada" },
            "emails": [
                { "type": "work", "value": "ada@x.example", "primary": true },
                { "type": "home", "value": "a@home.example" },
            ],
        })
    }

    #[test]
    fn the_dialects_of_products_mean_what_they_mean() {
        for (operations, pointer, expected) in [
            // Entra: verbs with a capital, booleans as text, a path for one address, names with dots without a path.
            (json!([{ "op": "Replace", "path": "active", "value": "False" }]), "/active", json!(false)),
            (
                json!([{ "op": "Add", "path": "emails[type eq \"work\"].value", "value": "b@x.example" }]),
                "/emails/0/value",
                json!("b@x.example"),
            ),
            (
                json!([{ "op": "Add", "path": "emails[type eq \"other\"].value", "value": "c@x.example" }]),
                "/emails/2",
                json!({ "type": "other", "value": "c@x.example" }),
            ),
            (
                json!([{ "op": "Replace", "value": { "name.familyName": "Löwe", "displayName": "Ada L" } }]),
                "/name",
                json!({ "givenName": "Ada", "familyName": "Löwe" }),
            ),
            (
                json!([{ "op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
                         "value": "Post" }]),
                "/userName",
                json!("ada"),
            ),
            // Okta: no path.
            (json!([{ "op": "replace", "value": { "active": false } }]), "/active", json!(false)),
            (
                json!([{ "op": "replace", "value": { "id": "1", "schemas": [], "groups": [], "userName": "bob" } }]),
                "/userName",
                json!("bob"),
            ),
            // As the standard says.
            (json!([{ "op": "remove", "path": "emails[type eq \"home\"]" }]), "/emails/1", Value::Null),
            (json!([{ "op": "remove", "path": "name.givenName" }]), "/name", Value::Null),
            (json!([{ "op": "remove", "path": "emails" }]), "/emails", Value::Null),
            (
                json!([{ "op": "remove", "path": "emails", "value": [{ "value": "ada@x.example" }] }]),
                "/emails/0/type",
                json!("home"),
            ),
            (
                json!([{ "op": "add", "path": "emails", "value": [{ "value": "n@x.example", "primary": true }] }]),
                "/emails/0/primary",
                json!(false),
            ),
            (
                json!([{ "op": "replace", "path": "emails[type eq \"home\"].primary", "value": true }]),
                "/emails/0/primary",
                json!(false),
            ),
            (
                json!([{ "op": "add", "path": "name", "value": { "familyName": "L" } }]),
                "/name/givenName",
                json!("Ada"),
            ),
            (json!([{ "op": "add", "path": "externalId", "value": "7" }]), "/externalId", json!("7")),
            (json!([{ "op": "replace", "path": "title", "value": "Editor" }]), "/title", Value::Null),
            (
                json!([{ "op": "replace", "path": "name.honorificPrefix", "value": "Dr" }]),
                "/name/givenName",
                json!("Ada"),
            ),
        ] {
            let after = patched(&ada(), operations.clone()).unwrap();
            assert_eq!(
                after.pointer(pointer).cloned().unwrap_or_default(),
                expected,
                "{operations}: {after}"
            );
        }
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for (operations, scim_type) in [
            (json!({}), "invalidSyntax"),
            (json!(["add"]), "invalidSyntax"),
            (json!([{ "op": "move", "path": "active", "value": true }]), "invalidSyntax"),
            (json!([{ "op": "remove" }]), "noTarget"),
            (json!([{ "op": "replace", "value": "x" }]), "invalidValue"),
            (json!([{ "op": "replace", "path": 7, "value": "x" }]), "invalidPath"),
            (json!([{ "op": "replace", "path": "shoeSize", "value": "x" }]), "invalidPath"),
            (json!([{ "op": "replace", "path": "userName[type eq \"x\"]", "value": "x" }]), "invalidPath"),
            (json!([{ "op": "replace", "path": "userName.part", "value": "x" }]), "invalidPath"),
            (json!([{ "op": "replace", "path": "emails.shoe", "value": "x" }]), "invalidPath"),
            (json!([{ "op": "replace", "path": "groups", "value": [] }]), "mutability"),
            (json!([{ "op": "remove", "path": "userName" }]), "mutability"),
            (json!([{ "op": "remove", "path": "active" }]), "mutability"),
            (json!([{ "op": "replace", "path": "active", "value": "perhaps" }]), "invalidValue"),
            (json!([{ "op": "add", "path": "emails", "value": "a@x.example" }]), "invalidValue"),
        ] {
            let refusal = patched(&ada(), operations.clone()).unwrap_err();
            assert_eq!(refusal.scim_type(), Some(scim_type), "{operations}: {refusal}");
        }
        let many = vec![json!({ "op": "replace", "path": "active", "value": true }); 1001];
        assert!(patched(&ada(), json!(many)).is_err());
    }
}
