//! Writes XML that is its own exclusive canonical form, so that what we sign need not be canonicalised.
//!
//! That holds because each element declares the name space of its own prefix exactly where exclusive canonicalisation
//! would, attributes are written in their canonical order, and nothing else that canonicalisation changes is ever
//! written.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::names;

/// An element under construction.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    prefix: &'static str,
    namespace: &'static str,
    name: &'static str,
    attributes: BTreeMap<&'static str, String>,
    content: Vec<Content>,
}

#[derive(Clone, Debug)]
enum Content {
    Element(Element),
    Text(String),
}

impl Element {
    fn new(prefix: &'static str, namespace: &'static str, name: &'static str) -> Self {
        Self { prefix, namespace, name, attributes: BTreeMap::new(), content: Vec::new() }
    }

    /// An element of the protocol.
    pub(crate) fn protocol(name: &'static str) -> Self {
        Self::new("samlp", names::PROTOCOL, name)
    }

    /// An element of assertions.
    pub(crate) fn assertion(name: &'static str) -> Self {
        Self::new("saml", names::ASSERTION, name)
    }

    /// An element of metadata.
    pub(crate) fn metadata(name: &'static str) -> Self {
        Self::new("md", names::METADATA, name)
    }

    /// An element of signatures.
    pub(crate) fn signature(name: &'static str) -> Self {
        Self::new("ds", names::SIGNATURE, name)
    }

    /// With an attribute.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.insert(name, value.into());
        self
    }

    /// With an attribute, if there is a value.
    pub(crate) fn with_some(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With text.
    pub(crate) fn text(mut self, text: impl Into<String>) -> Self {
        self.content.push(Content::Text(text.into()));
        self
    }

    /// With an element in it.
    pub(crate) fn child(mut self, child: Self) -> Self {
        self.content.push(Content::Element(child));
        self
    }

    /// With elements in it.
    pub(crate) fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.content.extend(children.into_iter().map(Content::Element));
        self
    }

    /// With an element as its second, which is where signatures stand: behind the issuer.
    pub(crate) fn second(mut self, child: Self) -> Self {
        self.content.insert(1.min(self.content.len()), Content::Element(child));
        self
    }

    /// The element as text.
    pub(crate) fn to_xml(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, &mut Vec::new());
        out
    }

    fn write(&self, out: &mut String, declared: &mut Vec<&'static str>) {
        let (prefix, name) = (self.prefix, self.name);
        let _ = write!(out, "<{prefix}:{name}");
        let declares = !declared.contains(&prefix);
        if declares {
            let _ = write!(out, " xmlns:{prefix}=\"{}\"", self.namespace);
            declared.push(prefix);
        }
        for (name, value) in &self.attributes {
            let _ = write!(out, " {name}=\"{}\"", escape_attribute(value));
        }
        out.push('>');
        for content in &self.content {
            match content {
                Content::Element(element) => element.write(out, declared),
                Content::Text(text) => out.push_str(&escape_text(text)),
            }
        }
        let _ = write!(out, "</{prefix}:{name}>");
        if declares {
            declared.pop();
        }
    }
}

fn escape_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#xD;")
}

fn escape_attribute(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
        .replace('\t', "&#x9;")
        .replace('\n', "&#xA;")
        .replace('\r', "&#xD;")
}
