//! The second gate, which is also the reader: each element with exactly the parts that may stand in it, in their
//! order, and nothing else.
//!
//! The same code reads a document before its signature is verified and what the verified reference covers afterwards;
//! the two must be equal. What is not listed here cannot be smuggled in, because it is refused where it stands.

pub mod assertion;
pub mod encryption;
pub mod logout;
pub mod response;
pub mod signature;

use chrono::{DateTime, SubsecRound as _, Utc};
use roxmltree::Node;

use crate::names;
use crate::refusal::{Refusal, RefusalCode, quoted};

/// Whether `node` is this element.
pub(crate) fn is(node: Node<'_, '_>, namespace: &str, name: &str) -> bool {
    let tag = node.tag_name();
    node.is_element() && tag.name() == name && tag.namespace() == Some(namespace)
}

/// Refuses an element that does not belong.
pub(crate) fn unexpected(node: Node<'_, '_>) -> Refusal {
    let tag = node.tag_name();
    let code = if is(node, names::SIGNATURE, "Signature") {
        RefusalCode::MisplacedSignature
    } else {
        RefusalCode::UnexpectedElement
    };
    let parent = node.parent_element().map_or("document", |parent| parent.tag_name().name());
    Refusal::with(code, format_args!("{} in {}", quoted(tag.name()), quoted(parent)))
}

/// Refuses what lacks a part.
pub(crate) fn missing(node: Node<'_, '_>, what: &str) -> Refusal {
    Refusal::with(RefusalCode::Missing, format_args!("{what} of {}", quoted(node.tag_name().name())))
}

/// The elements of an element, taken one kind after the other.
pub(crate) struct Children<'a, 'input> {
    parent: Node<'a, 'input>,
    left: std::iter::Peekable<std::vec::IntoIter<Node<'a, 'input>>>,
}

impl<'a, 'input> Children<'a, 'input> {
    /// The elements of `parent`, which holds no text.
    pub(crate) fn of(parent: Node<'a, 'input>) -> Result<Self, Refusal> {
        let mut elements = Vec::new();
        for child in parent.children() {
            if child.is_element() {
                elements.push(child);
            } else if child.is_text() && !child.text().unwrap_or_default().trim_ascii().is_empty() {
                let name = quoted(parent.tag_name().name());
                return Err(Refusal::with(RefusalCode::UnexpectedElement, format_args!("text in {name}")));
            }
        }
        Ok(Self { parent, left: elements.into_iter().peekable() })
    }

    /// The next element, if it is of this kind.
    pub(crate) fn next_if(&mut self, namespace: &str, name: &str) -> Option<Node<'a, 'input>> {
        self.left.next_if(|node| is(*node, namespace, name))
    }

    /// The next element, which must be of this kind.
    pub(crate) fn next(&mut self, namespace: &str, name: &str) -> Result<Node<'a, 'input>, Refusal> {
        match self.next_if(namespace, name) {
            Some(node) => Ok(node),
            None => {
                Err(self.left.peek().map_or_else(|| missing(self.parent, name), |other| unexpected(*other)))
            }
        }
    }

    /// All of this kind that follow.
    pub(crate) fn all(&mut self, namespace: &str, name: &str) -> Vec<Node<'a, 'input>> {
        std::iter::from_fn(|| self.next_if(namespace, name)).collect()
    }

    /// The next element, whatever it is.
    pub(crate) fn any(&mut self) -> Option<Node<'a, 'input>> {
        self.left.next()
    }

    /// Refuses what is left.
    pub(crate) fn finish(mut self) -> Result<(), Refusal> {
        self.left.next().map_or(Ok(()), |other| Err(unexpected(other)))
    }
}

/// The text of an element that holds nothing else.
pub(crate) fn text(node: Node<'_, '_>) -> Result<String, Refusal> {
    let mut whole = String::new();
    for child in node.children() {
        if child.is_element() {
            return Err(unexpected(child));
        }
        if !child.is_text() {
            return Err(RefusalCode::Comment.into());
        }
        whole.push_str(child.text().unwrap_or_default());
    }
    Ok(whole)
}

/// The text of an element that holds a name or an address, without white space around it.
pub(crate) fn word(node: Node<'_, '_>) -> Result<String, Refusal> {
    let text = text(node)?;
    let word = text.trim_ascii();
    if word.is_empty() {
        return Err(missing(node, "text"));
    }
    if word.chars().any(char::is_control) {
        return Err(bad_value(node.tag_name().name(), word));
    }
    Ok(word.to_owned())
}

/// An element without anything in it.
pub(crate) fn empty(node: Node<'_, '_>) -> Result<(), Refusal> {
    Children::of(node)?.finish()
}

/// Refuses attributes other than these.
pub(crate) fn attributes(node: Node<'_, '_>, allowed: &[&str]) -> Result<(), Refusal> {
    for attribute in node.attributes() {
        if attribute.namespace().is_some() || !allowed.contains(&attribute.name()) {
            let (name, element) = (quoted(attribute.name()), quoted(node.tag_name().name()));
            return Err(Refusal::with(RefusalCode::UnexpectedAttribute, format_args!("{name} of {element}")));
        }
    }
    Ok(())
}

/// An attribute that may be absent.
pub(crate) fn optional(node: Node<'_, '_>, name: &str) -> Option<String> {
    node.attributes().find(|a| a.namespace().is_none() && a.name() == name).map(|a| a.value().to_owned())
}

/// An attribute that must be there.
pub(crate) fn required(node: Node<'_, '_>, name: &str) -> Result<String, Refusal> {
    optional(node, name).filter(|value| !value.is_empty()).ok_or_else(|| missing(node, name))
}

/// Refuses a value.
pub(crate) fn bad_value(name: &str, value: &str) -> Refusal {
    Refusal::with(RefusalCode::BadValue, format_args!("{}: “{}”", quoted(name), quoted(value)))
}

/// An instant that may be absent.
pub(crate) fn instant(node: Node<'_, '_>, name: &str) -> Result<Option<DateTime<Utc>>, Refusal> {
    optional(node, name).map(|value| parse_instant(&value).ok_or_else(|| bad_value(name, &value))).transpose()
}

/// An instant that must be there.
pub(crate) fn required_instant(node: Node<'_, '_>, name: &str) -> Result<DateTime<Utc>, Refusal> {
    instant(node, name)?.ok_or_else(|| missing(node, name))
}

/// An `xs:dateTime` with its time zone, of the years 1970 to 9999.
pub(crate) fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    let plain = text.len() <= 40 && text.bytes().all(|b| b.is_ascii_digit() || b"-+:.TZ".contains(&b));
    let instant = plain.then(|| DateTime::parse_from_rfc3339(text).ok())??.with_timezone(&Utc);
    let known = (0..253_402_300_800).contains(&instant.timestamp());
    known.then(|| instant.trunc_subsecs(6))
}

/// The attributes that every message and assertion has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Its ID.
    pub id: String,
    /// When it was made.
    pub issued: DateTime<Utc>,
}

impl Envelope {
    /// Reads `ID`, `Version`, `IssueInstant`.
    pub(crate) fn read(node: Node<'_, '_>) -> Result<Self, Refusal> {
        let version = required(node, "Version")?;
        if version != "2.0" {
            return Err(Refusal::with(RefusalCode::WrongVersion, quoted(&version)));
        }
        Ok(Self { id: required(node, "ID")?, issued: required_instant(node, "IssueInstant")? })
    }
}

/// Reads an `Issuer`.
pub(crate) fn issuer(node: Node<'_, '_>) -> Result<String, Refusal> {
    attributes(node, &["Format", "NameQualifier", "SPNameQualifier", "SPProvidedID"])?;
    word(node)
}

#[cfg(test)]
mod tests {
    use super::parse_instant;

    #[test]
    fn instants_need_a_time_zone_and_nothing_odd() {
        for text in ["2026-11-22T10:00:00Z", "2026-11-22T10:00:00.1234567Z", "2026-11-22T11:00:00+01:00"] {
            assert!(parse_instant(text).is_some(), "{text}");
        }
        for text in [
            "",
            "2026-11-22T10:00:00",
            "2026-11-22",
            "2026-11-22 10:00:00Z",
            " 2026-11-22T10:00:00Z",
            "2026-13-22T10:00:00Z",
            "10000-01-01T00:00:00Z",
            "1969-01-01T00:00:00Z",
            "2026-11-22t10:00:00z",
        ] {
            assert!(parse_instant(text).is_none(), "{text}");
        }
    }
}
