//! The first gate: what is true of every document before its meaning is looked at.
//!
//! It runs before any parser but its own scan, in time linear in the length, and leaves nothing that XML
//! parsers are known to read differently: no DTD, comment, processing instruction, CDATA, foreign encoding, no empty or
//! relative name space, no second thing called an ID.

use std::collections::HashSet;

use roxmltree::{Document, Node, ParsingOptions};

use crate::names;
use crate::refusal::{Refusal, RefusalCode, quoted};

/// How much of a document is accepted.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes.
    pub bytes: usize,
    /// Levels of elements.
    pub depth: u32,
    /// Elements and pieces of text.
    pub nodes: u32,
    /// Name space declarations, which parsers copy for every element.
    pub namespaces: usize,
    /// Whether comments may stand between elements (never inside a value).
    pub comments: bool,
}

/// For messages: responses, requests.
pub const MESSAGE: Limits =
    Limits { bytes: 256 * 1024, depth: 30, nodes: 5_000, namespaces: 400, comments: false };

/// For metadata, which people write comments into.
pub const METADATA: Limits =
    Limits { bytes: 1024 * 1024, depth: 30, nodes: 20_000, namespaces: 400, comments: true };

/// Attributes and declarations of one element.
const ATTRIBUTES: u32 = 48;

/// Longest ID, bytes.
const ID_BYTES: usize = 256;

/// Checks what can be checked without a parser. Gives the document without its XML declaration.
///
/// # Errors
/// The refusal.
pub fn screen(bytes: &[u8], limits: Limits) -> Result<&str, Refusal> {
    if bytes.len() > limits.bytes {
        return Err(Refusal::with(
            RefusalCode::TooLarge,
            format_args!("{} bytes, at most {}", bytes.len(), limits.bytes),
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| RefusalCode::NotUtf8)?;
    let text = without_declaration(text.trim_ascii())?;
    if text.chars().any(|c| !is_character(c)) {
        return Err(Refusal::with(RefusalCode::NotXml, "a control character"));
    }
    refuse_markup(text, limits)?;
    scan(text, limits)?;
    Ok(text)
}

/// Parses a screened document and checks its names.
///
/// # Errors
/// The refusal.
pub fn parse(text: &str, limits: Limits) -> Result<Document<'_>, Refusal> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: limits.nodes, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::NodesLimitReached => Refusal::from(RefusalCode::TooManyNodes),
        other => Refusal::with(RefusalCode::NotXml, other),
    })?;
    let mut ids = HashSet::new();
    let mut namespaces = HashSet::new();
    for element in document.descendants().filter(Node::is_element) {
        check_namespaces(element, &mut namespaces)?;
        check_names(element, &mut ids)?;
    }
    Ok(document)
}

/// Takes the XML declaration away; another encoding than UTF-8 would be believed by some parsers.
fn without_declaration(text: &str) -> Result<&str, Refusal> {
    let Some(rest) = text.strip_prefix("<?xml") else { return Ok(text) };
    let Some((declaration, rest)) = rest.split_once("?>") else { return Err(RefusalCode::NotXml.into()) };
    let words: Vec<String> = declaration
        .split_ascii_whitespace()
        .map(|word| word.replace('\'', "\"").to_ascii_lowercase())
        .collect();
    let known = ["version=\"1.0\"", "encoding=\"utf-8\"", "standalone=\"yes\"", "standalone=\"no\""];
    if words.first().is_none_or(|first| first != known[0]) {
        return Err(Refusal::with(RefusalCode::NotXml, "the XML declaration"));
    }
    if let Some(word) = words.iter().find(|word| !known.contains(&word.as_str())) {
        let code = if word.starts_with("encoding") { RefusalCode::NotUtf8 } else { RefusalCode::NotXml };
        return Err(Refusal::with(code, quoted(word)));
    }
    Ok(rest.trim_ascii_start())
}

/// The characters of XML 1.0, less those that no text needs.
fn is_character(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' | '\u{feff}' | '\u{85}' | '\u{2028}' => false,
        c => !c.is_control(),
    }
}

/// In a well-formed document `<!` and `<?` can only begin what is refused here.
fn refuse_markup(text: &str, limits: Limits) -> Result<(), Refusal> {
    for (at, _) in text.match_indices("<!") {
        let rest = text.get(at..).unwrap_or_default();
        if rest.starts_with("<!--") {
            if !limits.comments {
                return Err(RefusalCode::Comment.into());
            }
        } else if rest.starts_with("<![CDATA[") {
            return Err(RefusalCode::Comment.into());
        } else {
            return Err(RefusalCode::Doctype.into());
        }
    }
    if text.contains("<?") {
        return Err(RefusalCode::Comment.into());
    }
    Ok(())
}

/// Where the scan is.
enum Place {
    Text,
    Comment,
    Tag { closing: bool, quote: Option<u8>, attributes: u32, last: u8 },
}

/// Counts levels, elements, attributes and declarations before a parser has to keep them.
fn scan(text: &str, limits: Limits) -> Result<(), Refusal> {
    if text.matches("xmlns").count() > limits.namespaces {
        return Err(Refusal::with(RefusalCode::TooManyNodes, "name space declarations"));
    }
    let (mut depth, mut elements) = (0_u32, 0_u32);
    let mut place = Place::Text;
    let bytes = text.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        match &mut place {
            Place::Text if byte == b'<' => {
                let rest = bytes.get(at + 1..).unwrap_or_default();
                let closing = rest.first() == Some(&b'/');
                if rest.starts_with(b"!--") {
                    place = Place::Comment;
                    continue;
                }
                if !closing {
                    depth += 1;
                    elements += 1;
                }
                place = Place::Tag { closing, quote: None, attributes: 0, last: byte };
            }
            Place::Text => {}
            Place::Comment => {
                if byte == b'>' && at >= 2 && bytes.get(at - 2..at) == Some(b"--") {
                    place = Place::Text;
                }
            }
            Place::Tag { quote: Some(open), .. } if byte != *open => {}
            Place::Tag { quote: quote @ Some(_), last, .. } => {
                *quote = None;
                *last = byte;
            }
            Place::Tag { closing, quote, attributes, last } => match byte {
                b'"' | b'\'' => *quote = Some(byte),
                b'>' => {
                    if *closing || *last == b'/' {
                        depth = depth.saturating_sub(1);
                    }
                    place = Place::Text;
                }
                _ => {
                    *attributes += u32::from(byte == b'=');
                    if *attributes > ATTRIBUTES {
                        return Err(Refusal::with(RefusalCode::TooManyNodes, "attributes of one element"));
                    }
                    *last = byte;
                }
            },
        }
        if depth > limits.depth {
            return Err(RefusalCode::TooDeep.into());
        }
        if elements > limits.nodes {
            return Err(RefusalCode::TooManyNodes.into());
        }
    }
    Ok(())
}

/// Name spaces must be absolute and not empty: libxml2's canonicalisation gives up on relative ones and then digests
/// nothing at all.
fn check_namespaces<'a>(element: Node<'a, '_>, seen: &mut HashSet<&'a str>) -> Result<(), Refusal> {
    for uri in element.namespaces().map(|namespace| namespace.uri()).collect::<Vec<_>>() {
        if seen.insert(uri) && !is_absolute(uri) {
            return Err(Refusal::with(RefusalCode::Namespace, format_args!("“{}”", quoted(uri))));
        }
    }
    if element.default_namespace().is_some_and(str::is_empty) {
        return Err(Refusal::with(RefusalCode::Namespace, "a name space is taken away"));
    }
    Ok(())
}

/// Whether a name space begins with a scheme and consists of plain characters.
fn is_absolute(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        && !rest.is_empty()
        && uri.chars().all(|c| c.is_ascii_graphic() && !"<>\"{}|\\^`".contains(c))
}

/// Whatever some program takes for an ID is one, is unique, and is in no name space.
fn check_names<'a>(element: Node<'a, '_>, ids: &mut HashSet<&'a str>) -> Result<(), Refusal> {
    for attribute in element.attributes() {
        if attribute.namespace() == Some(names::XML) && !matches!(attribute.name(), "lang" | "space") {
            return Err(Refusal::with(
                RefusalCode::Namespace,
                format_args!("xml:{}", quoted(attribute.name())),
            ));
        }
        if !attribute.name().eq_ignore_ascii_case("id") {
            continue;
        }
        if attribute.namespace().is_some() {
            return Err(Refusal::with(RefusalCode::Namespace, "an ID in a name space"));
        }
        if !is_id(attribute.value()) {
            return Err(Refusal::with(RefusalCode::BadId, quoted(attribute.value())));
        }
        if !ids.insert(attribute.value()) {
            return Err(Refusal::with(RefusalCode::DuplicateId, quoted(attribute.value())));
        }
    }
    Ok(())
}

/// Whether this is an `NCName` of plain characters.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() <= ID_BYTES
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Option<RefusalCode> {
        screen(text.as_bytes(), MESSAGE).and_then(|text| parse(text, MESSAGE).map(drop)).err().map(|r| r.code)
    }

    #[test]
    fn plain_documents_pass() {
        for text in [
            "<a/>",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b='>' c=\"/\">x &amp; y<d/></a>\n",
            "<?xml version='1.0' encoding='utf-8' standalone='no'?><a xmlns='urn:x' ID='_1'/>",
        ] {
            assert_eq!(code(text), None, "{text}");
        }
    }

    #[test]
    fn everything_that_parsers_disagree_about_is_refused() {
        for (text, expected) in [
            ("<!DOCTYPE a><a/>", RefusalCode::Doctype),
            ("<a>x<!-- -->y</a>", RefusalCode::Comment),
            ("<a><![CDATA[x]]></a>", RefusalCode::Comment),
            ("<a><?x y?></a>", RefusalCode::Comment),
            ("<?xml version=\"1.0\" encoding=\"UTF-7\"?><a/>", RefusalCode::NotUtf8),
            ("<?xml version=\"1.1\"?><a/>", RefusalCode::NotXml),
            ("<a/><b/>", RefusalCode::NotXml),
            ("<a>&b;</a>", RefusalCode::NotXml),
            ("<a xmlns='b'/>", RefusalCode::Namespace),
            ("<a xmlns='1'/>", RefusalCode::Namespace),
            ("<a xmlns='urn:x'><b xmlns=''/></a>", RefusalCode::Namespace),
            ("<a xml:id='x'/>", RefusalCode::Namespace),
            ("<a xml:base='x'/>", RefusalCode::Namespace),
            ("<a xmlns:p='urn:x' p:ID='x'/>", RefusalCode::Namespace),
            ("<a ID='x'><b Id='x'/></a>", RefusalCode::DuplicateId),
            ("<a ID='1x'/>", RefusalCode::BadId),
            ("<a>\u{1}</a>", RefusalCode::NotXml),
        ] {
            assert_eq!(code(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn bombs_are_refused_before_a_parser_sees_them() {
        let deep = format!("{}{}", "<a>".repeat(31), "</a>".repeat(31));
        assert_eq!(code(&deep), Some(RefusalCode::TooDeep));
        let allowed = format!("{}{}", "<a>".repeat(30), "</a>".repeat(30));
        assert_eq!(code(&allowed), None);
        assert_eq!(code(&format!("<a>{}</a>", "<b/>".repeat(5_001))), Some(RefusalCode::TooManyNodes));
        let attributes: String = (0..60).map(|n| format!(" a{n}='x'")).collect();
        assert_eq!(code(&format!("<a{attributes}/>")), Some(RefusalCode::TooManyNodes));
        let namespaces: String = (0..401).map(|n| format!("<b xmlns:a{n}='urn:x'/>")).collect();
        assert_eq!(code(&format!("<a>{namespaces}</a>")), Some(RefusalCode::TooManyNodes));
        assert_eq!(code(&format!("<a>{}</a>", "x".repeat(256 * 1024))), Some(RefusalCode::TooLarge));
    }

    #[test]
    fn comments_pass_in_metadata_only_between_elements() {
        let text = "<a><!-- > --><b/></a>";
        assert!(screen(text.as_bytes(), METADATA).and_then(|t| parse(t, METADATA).map(drop)).is_ok());
        assert_eq!(code(text), Some(RefusalCode::Comment));
    }
}
