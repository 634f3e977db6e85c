//! Names of attributes, as filters (RFC 7644, section 3.4.2.2) and patches (section 3.5.2) write them. Of filters only what
//! providers send is offered: comparisons with `eq`, joined by `and`.

use serde_json::Value;

use super::refusal::Refusal;

/// Longest filter or path, bytes.
const LONGEST: usize = 2000;
/// Most comparisons of a filter.
const MOST_TERMS: usize = 5;
/// What core schemas begin with.
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:";

/// `attribute`, `attribute.sub`, `attribute[part eq "value"]` or `attribute[part eq "value"].sub`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Path {
    /// The attribute, as it was written.
    pub attribute: String,
    /// Which of its values.
    pub filter: Option<Term>,
    /// Which part of it.
    pub sub: Option<String>,
}

/// A comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Term {
    /// What is compared, in lower case: "emails.value".
    pub attribute: String,
    /// With what.
    pub value: Value,
}

/// What a path names.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Named {
    /// Something of the core schema.
    Core(Path),
    /// Something of an extension.
    Extension,
}

fn invalid(text: &str) -> Refusal {
    let shown: String = text.chars().take(100).collect();
    Refusal::bad("invalidPath", format!("{shown:?} is no path that is understood here."))
}

/// What follows the name of a core schema; none: it is another schema's.
fn without_schema(text: &str) -> Option<&str> {
    if !text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:")) {
        return Some(text);
    }
    let rest = text
        .get(..CORE.len())
        .filter(|start| start.eq_ignore_ascii_case(CORE))
        .and(text.get(CORE.len()..))?;
    rest.split_once(':').map(|(_, name)| name)
}

fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '$')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Reads a path.
pub(super) fn parse(text: &str) -> Result<Named, Refusal> {
    let wrong = || invalid(text);
    if text.len() > LONGEST {
        return Err(wrong());
    }
    let Some(rest) = without_schema(text.trim()) else { return Ok(Named::Extension) };
    let (attribute, filter, sub) = match rest.split_once('[') {
        Some((attribute, rest)) => {
            let (inside, after) = rest.rsplit_once(']').ok_or_else(wrong)?;
            let mut terms = parse_filter(inside).map_err(|_| wrong())?;
            let filter = terms.pop().filter(|_| terms.is_empty()).ok_or_else(wrong)?;
            let sub = match after.strip_prefix('.') {
                Some(sub) => Some(sub),
                None if after.is_empty() => None,
                None => return Err(wrong()),
            };
            (attribute, Some(filter), sub)
        }
        None => match rest.split_once('.') {
            Some((attribute, sub)) => (attribute, None, Some(sub)),
            None => (rest, None, None),
        },
    };
    if !is_name(attribute) || sub.is_some_and(|sub| !is_name(sub)) {
        return Err(wrong());
    }
    Ok(Named::Core(Path { attribute: attribute.to_owned(), filter, sub: sub.map(str::to_owned) }))
}

/// Reads a filter.
pub(super) fn parse_filter(text: &str) -> Result<Vec<Term>, Refusal> {
    let wrong = || {
        Refusal::bad(
            "invalidFilter",
            "A filter is one or more comparisons such as userName eq \"ada\", joined by and.",
        )
    };
    if text.len() > LONGEST {
        return Err(wrong());
    }
    let (mut terms, mut rest) = (Vec::new(), text.trim());
    loop {
        let (attribute, after) = split_attribute(rest).ok_or_else(wrong)?;
        let after = keyword(after, "eq").ok_or_else(wrong)?;
        let mut values = serde_json::Deserializer::from_str(after).into_iter::<Value>();
        let value = values.next().and_then(Result::ok).ok_or_else(wrong)?;
        if value.is_object() || value.is_array() {
            return Err(wrong());
        }
        let end = values.byte_offset();
        terms.push(Term { attribute: whole_name(attribute).ok_or_else(wrong)?, value });
        rest = after.get(end..).unwrap_or_default().trim();
        if rest.is_empty() {
            return Ok(terms);
        }
        rest = keyword(rest, "and").ok_or_else(wrong)?;
        if terms.len() >= MOST_TERMS {
            return Err(wrong());
        }
    }
}

/// What stands before the operator: up to a space that is not inside brackets.
fn split_attribute(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (place, character) in text.char_indices() {
        match character {
            '[' => depth += 1,
            ']' => depth = depth.checked_sub(1)?,
            ' ' if depth == 0 => return text.split_at_checked(place),
            _ => {}
        }
    }
    None
}

/// What follows a keyword, in any case.
fn keyword<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let text = text.trim_start();
    let (start, rest) = text.split_at_checked(word.len())?;
    (start.eq_ignore_ascii_case(word) && rest.starts_with(' ')).then(|| rest.trim_start())
}

/// `emails[type eq "work"].value` as "emails.value": addresses are not told apart by their kind.
fn whole_name(attribute: &str) -> Option<String> {
    let plain = match attribute.split_once('[') {
        Some((name, rest)) => format!("{name}{}", rest.rsplit_once(']')?.1),
        None => attribute.to_owned(),
    };
    let name = without_schema(&plain)?;
    let is_whole = name.split('.').all(is_name) && name.split('.').count() <= 2;
    is_whole.then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn path(attribute: &str, filter: Option<(&str, Value)>, sub: Option<&str>) -> Named {
        Named::Core(Path {
            attribute: attribute.to_owned(),
            filter: filter.map(|(attribute, value)| Term { attribute: attribute.to_owned(), value }),
            sub: sub.map(str::to_owned),
        })
    }

    #[test]
    fn paths_as_providers_write_them() {
        for (text, expected) in [
            ("userName", path("userName", None, None)),
            ("name.givenName", path("name", None, Some("givenName"))),
            ("emails[type eq \"work\"].value", path("emails", Some(("type", json!("work"))), Some("value"))),
            ("members[value eq \"a]b\"]", path("members", Some(("value", json!("a]b"))), None)),
            ("urn:ietf:params:scim:schemas:core:2.0:User:active", path("active", None, None)),
            ("urn:ietf:params:scim:schemas:core:2.0:Group:members", path("members", None, None)),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", Named::Extension),
        ] {
            assert_eq!(parse(text).unwrap(), expected, "{text}");
        }
        for bad in [
            "",
            "a b",
            "name.",
            ".value",
            "emails[type eq \"work\"",
            "emails[type]",
            "emails[type eq \"work\"]value",
            "emails[type eq \"a\" and type eq \"b\"]",
            "name.given.x",
            "é",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn filters_are_comparisons_joined_by_and() {
        let term = |attribute: &str, value: Value| Term { attribute: attribute.to_owned(), value };
        for (text, expected) in [
            ("userName eq \"Ada\"", vec![term("username", json!("Ada"))]),
            ("USERNAME EQ \"a \\\"b\\\" and c\"", vec![term("username", json!("a \"b\" and c"))]),
            (
                "emails[type eq \"work\"].value eq \"a@x.example\"",
                vec![term("emails.value", json!("a@x.example"))],
            ),
            (
                "id eq \"1\" AND members.value eq \"2\"",
                vec![term("id", json!("1")), term("members.value", json!("2"))],
            ),
            ("active eq true", vec![term("active", json!(true))]),
            (
                "urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"a\"",
                vec![term("username", json!("a"))],
            ),
        ] {
            assert_eq!(parse_filter(text).unwrap(), expected, "{text}");
        }
        let many = ["a eq 1"; 6].join(" and ");
        for bad in [
            "",
            "userName",
            "userName eq",
            "userName eq Ada",
            "userName co \"a\"",
            "userName eq \"a\" or userName eq \"b\"",
            "not (userName eq \"a\")",
            "userName eq \"a\" and",
            "userName eq {\"a\": 1}",
            "a.b.c eq 1",
            "] eq 1",
            &many,
        ] {
            assert!(parse_filter(bad).is_err(), "{bad}");
        }
    }
}
