//! Responses.

use roxmltree::Node;

use super::assertion::Assertion;
use super::encryption::Encrypted;
use super::signature::Signature;
use super::{Children, Envelope, attributes, is, issuer, optional, required, text, unexpected};
use crate::names::{ASSERTION, PROTOCOL, SIGNATURE, SUCCESS};
use crate::refusal::{Refusal, RefusalCode, quoted};

/// A response that says yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// ID and instant.
    pub envelope: Envelope,
    /// Who sent it.
    pub issuer: Option<String>,
    /// Where it was sent to.
    pub destination: Option<String>,
    /// Which request it answers.
    pub in_response_to: Option<String>,
    /// Its signature, if it has one, and where that stands in the document, bytes.
    pub signature: Option<(Signature, std::ops::Range<usize>)>,
    /// What it brings.
    pub content: Content,
}

/// What a response brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// An assertion.
    Plain(Box<Assertion>),
    /// An encrypted assertion.
    Encrypted(Box<Encrypted>),
}

impl Response {
    /// Reads a response. One that says no is refused with what it says.
    pub(crate) fn read(node: Node<'_, '_>) -> Result<Self, Refusal> {
        if !is(node, PROTOCOL, "Response") {
            return Err(Refusal::with(RefusalCode::UnexpectedRoot, quoted(node.tag_name().name())));
        }
        attributes(node, &["ID", "Version", "IssueInstant", "Destination", "InResponseTo", "Consent"])?;
        let envelope = Envelope::read(node)?;
        let mut children = Children::of(node)?;
        let issuer = children.next_if(ASSERTION, "Issuer").map(issuer).transpose()?;
        let signature = children
            .next_if(SIGNATURE, "Signature")
            .map(|signature| Ok::<_, Refusal>((Signature::read(signature, &envelope.id)?, signature.range())))
            .transpose()?;
        read_status(children.next(PROTOCOL, "Status")?)?;
        let content = match children.any() {
            Some(first) if is(first, ASSERTION, "Assertion") => {
                Content::Plain(Box::new(Assertion::read(first)?))
            }
            Some(first) if is(first, ASSERTION, "EncryptedAssertion") => {
                Content::Encrypted(Box::new(Encrypted::read(first)?))
            }
            Some(other) => return Err(unexpected(other)),
            None => return Err(super::missing(node, "Assertion")),
        };
        if let Some(second) = children.any() {
            let is_assertion =
                is(second, ASSERTION, "Assertion") || is(second, ASSERTION, "EncryptedAssertion");
            return Err(if is_assertion {
                RefusalCode::SeveralAssertions.into()
            } else {
                unexpected(second)
            });
        }
        Ok(Self {
            envelope,
            issuer,
            destination: optional(node, "Destination"),
            in_response_to: optional(node, "InResponseTo"),
            signature,
            content,
        })
    }
}

/// Reads a `Status`; any but success is a refusal.
pub(crate) fn read_status(node: Node<'_, '_>) -> Result<(), Refusal> {
    attributes(node, &[])?;
    let mut children = Children::of(node)?;
    let outer = children.next(PROTOCOL, "StatusCode")?;
    let message = children.next_if(PROTOCOL, "StatusMessage").map(text).transpose()?;
    // Whatever the provider adds for its own support.
    let detail = children.next_if(PROTOCOL, "StatusDetail");
    children.finish()?;
    attributes(outer, &["Value"])?;
    let mut codes = Children::of(outer)?;
    let inner = codes.next_if(PROTOCOL, "StatusCode");
    codes.finish()?;
    let value = required(outer, "Value")?;
    if value == SUCCESS && detail.is_none() {
        return Ok(());
    }
    let inner = inner.and_then(|inner| optional(inner, "Value")).unwrap_or_default();
    let message = message.unwrap_or_default();
    let said: Vec<String> =
        [value, inner, message].iter().filter(|part| !part.is_empty()).map(|part| quoted(part)).collect();
    Err(Refusal::with(RefusalCode::ProviderRefused, said.join(" · ")))
}
