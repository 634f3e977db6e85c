//! Assertions.

use chrono::{DateTime, Utc};
use roxmltree::Node;

use super::signature::Signature;
use super::{
    Children, Envelope, attributes, bad_value, empty, instant, is, issuer, optional, required,
    required_instant, text, unexpected, word,
};
use crate::names::{self, ASSERTION, SIGNATURE};
use crate::refusal::{Refusal, RefusalCode};

/// Most confirmations of one subject.
const CONFIRMATIONS: usize = 8;

/// An assertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// ID and instant.
    pub envelope: Envelope,
    /// Who made it.
    pub issuer: String,
    /// Its signature, if it has one.
    pub signature: Option<Signature>,
    /// Whom it is about.
    pub name_id: Option<NameId>,
    /// How the subject is confirmed.
    pub confirmations: Vec<Confirmation>,
    /// When and for whom it holds.
    pub conditions: Option<Conditions>,
    /// How the person signed in.
    pub authentication: Option<Authentication>,
    /// What is said of the person.
    pub attributes: Vec<Attribute>,
}

/// A `NameID`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameId {
    /// The name.
    pub value: String,
    /// Its format.
    pub format: String,
    /// `NameQualifier`.
    pub name_qualifier: Option<String>,
    /// `SPNameQualifier`.
    pub sp_name_qualifier: Option<String>,
}

/// A `SubjectConfirmation` with its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// `Method`.
    pub method: String,
    /// Whether there is data at all.
    pub has_data: bool,
    /// `NotBefore`, which a bearer confirmation must not have.
    pub not_before: Option<DateTime<Utc>>,
    /// `NotOnOrAfter`.
    pub not_on_or_after: Option<DateTime<Utc>>,
    /// `Recipient`.
    pub recipient: Option<String>,
    /// `InResponseTo`.
    pub in_response_to: Option<String>,
}

/// `Conditions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// `NotBefore`.
    pub not_before: Option<DateTime<Utc>>,
    /// `NotOnOrAfter`.
    pub not_on_or_after: Option<DateTime<Utc>>,
    /// Each `AudienceRestriction` with its audiences; all of them must hold.
    pub audiences: Vec<Vec<String>>,
}

/// `AuthnStatement`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    /// `AuthnInstant`.
    pub instant: DateTime<Utc>,
    /// `SessionIndex`.
    pub session_index: Option<String>,
    /// `SessionNotOnOrAfter`.
    pub session_not_on_or_after: Option<DateTime<Utc>>,
    /// `AuthnContextClassRef`.
    pub context: Option<String>,
}

/// An `Attribute` with its values in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// `Name`.
    pub name: String,
    /// `FriendlyName`.
    pub friendly_name: Option<String>,
    /// Its values; those that are nil or consist of elements are left out.
    pub values: Vec<String>,
}

impl Assertion {
    /// Reads an assertion.
    pub(crate) fn read(node: Node<'_, '_>) -> Result<Self, Refusal> {
        attributes(node, &["ID", "Version", "IssueInstant"])?;
        let envelope = Envelope::read(node)?;
        let mut children = Children::of(node)?;
        let issuer = issuer(children.next(ASSERTION, "Issuer")?)?;
        let signature = children
            .next_if(SIGNATURE, "Signature")
            .map(|signature| Signature::read(signature, &envelope.id))
            .transpose()?;
        let (name_id, confirmations) = match children.next_if(ASSERTION, "Subject") {
            Some(subject) => read_subject(subject)?,
            None => (None, Vec::new()),
        };
        let conditions = children.next_if(ASSERTION, "Conditions").map(read_conditions).transpose()?;
        let (mut authentication, mut said) = (None, Vec::new());
        while let Some(statement) = children.any() {
            if is(statement, ASSERTION, "AuthnStatement") && authentication.is_none() {
                authentication = Some(read_authentication(statement)?);
            } else if is(statement, ASSERTION, "AttributeStatement") {
                said.extend(read_attributes(statement)?);
            } else {
                return Err(unexpected(statement));
            }
        }
        Ok(Self {
            envelope,
            issuer,
            signature,
            name_id,
            confirmations,
            conditions,
            authentication,
            attributes: said,
        })
    }
}

/// Reads a `NameID`. Its text is taken as it stands: white space around it would make it another name.
pub(crate) fn read_name_id(node: Node<'_, '_>) -> Result<NameId, Refusal> {
    attributes(node, &["Format", "NameQualifier", "SPNameQualifier", "SPProvidedID"])?;
    let value = text(node)?;
    if value.chars().any(char::is_control) || value.len() > 1024 {
        return Err(bad_value("NameID", &value));
    }
    if value.trim().is_empty() {
        return Err(RefusalCode::NoNameId.into());
    }
    Ok(NameId {
        value,
        format: optional(node, "Format").unwrap_or_else(|| names::NAME_ID_UNSPECIFIED.to_owned()),
        name_qualifier: optional(node, "NameQualifier"),
        sp_name_qualifier: optional(node, "SPNameQualifier"),
    })
}

fn read_subject(node: Node<'_, '_>) -> Result<(Option<NameId>, Vec<Confirmation>), Refusal> {
    attributes(node, &[])?;
    let mut children = Children::of(node)?;
    let name_id = children.next_if(ASSERTION, "NameID").map(read_name_id).transpose()?;
    let confirmations = children.all(ASSERTION, "SubjectConfirmation");
    children.finish()?;
    if confirmations.len() > CONFIRMATIONS {
        return Err(Refusal::with(RefusalCode::TooManyNodes, "SubjectConfirmation"));
    }
    Ok((name_id, confirmations.into_iter().map(read_confirmation).collect::<Result<_, _>>()?))
}

fn read_confirmation(node: Node<'_, '_>) -> Result<Confirmation, Refusal> {
    attributes(node, &["Method"])?;
    let mut children = Children::of(node)?;
    let data = children.next_if(ASSERTION, "SubjectConfirmationData");
    children.finish()?;
    let mut confirmation = Confirmation {
        method: required(node, "Method")?,
        has_data: data.is_some(),
        not_before: None,
        not_on_or_after: None,
        recipient: None,
        in_response_to: None,
    };
    if let Some(data) = data {
        attributes(data, &["NotBefore", "NotOnOrAfter", "Recipient", "InResponseTo", "Address"])?;
        empty(data)?;
        confirmation.not_before = instant(data, "NotBefore")?;
        confirmation.not_on_or_after = instant(data, "NotOnOrAfter")?;
        confirmation.recipient = optional(data, "Recipient");
        confirmation.in_response_to = optional(data, "InResponseTo");
    }
    Ok(confirmation)
}

fn read_conditions(node: Node<'_, '_>) -> Result<Conditions, Refusal> {
    attributes(node, &["NotBefore", "NotOnOrAfter"])?;
    let mut audiences = Vec::new();
    let mut children = Children::of(node)?;
    while let Some(condition) = children.any() {
        if is(condition, ASSERTION, "AudienceRestriction") {
            let mut restriction = Children::of(condition)?;
            let wanted = restriction.all(ASSERTION, "Audience");
            restriction.finish()?;
            audiences.push(wanted.into_iter().map(word).collect::<Result<_, _>>()?);
        } else if is(condition, ASSERTION, "OneTimeUse") {
            // Every assertion is used only once here.
            empty(condition)?;
        } else if is(condition, ASSERTION, "ProxyRestriction") {
            // Kinora issues nothing on the strength of an assertion.
            let mut restriction = Children::of(condition)?;
            restriction.all(ASSERTION, "Audience");
            restriction.finish()?;
        } else {
            // A condition that is not understood is one that cannot be held to be met.
            return Err(unexpected(condition));
        }
    }
    Ok(Conditions {
        not_before: instant(node, "NotBefore")?,
        not_on_or_after: instant(node, "NotOnOrAfter")?,
        audiences,
    })
}

fn read_authentication(node: Node<'_, '_>) -> Result<Authentication, Refusal> {
    attributes(node, &["AuthnInstant", "SessionIndex", "SessionNotOnOrAfter"])?;
    let mut children = Children::of(node)?;
    if let Some(locality) = children.next_if(ASSERTION, "SubjectLocality") {
        attributes(locality, &["Address", "DNSName"])?;
        empty(locality)?;
    }
    let context = children.next(ASSERTION, "AuthnContext")?;
    children.finish()?;
    attributes(context, &[])?;
    let mut parts = Children::of(context)?;
    let class = parts.next_if(ASSERTION, "AuthnContextClassRef").map(word).transpose()?;
    if let Some(declaration) = parts.next_if(ASSERTION, "AuthnContextDeclRef") {
        text(declaration)?;
    }
    for authority in parts.all(ASSERTION, "AuthenticatingAuthority") {
        text(authority)?;
    }
    parts.finish()?;
    Ok(Authentication {
        instant: required_instant(node, "AuthnInstant")?,
        session_index: optional(node, "SessionIndex").filter(|index| !index.is_empty()),
        session_not_on_or_after: instant(node, "SessionNotOnOrAfter")?,
        context: class,
    })
}

fn read_attributes(node: Node<'_, '_>) -> Result<Vec<Attribute>, Refusal> {
    attributes(node, &[])?;
    let mut children = Children::of(node)?;
    let found = children.all(ASSERTION, "Attribute");
    children.finish()?;
    found.into_iter().map(read_attribute).collect()
}

/// Reads an `Attribute`, which may have attributes of foreign name spaces (ADFS: `OriginalIssuer`).
fn read_attribute(node: Node<'_, '_>) -> Result<Attribute, Refusal> {
    for attribute in node.attributes().filter(|attribute| attribute.namespace().is_none()) {
        if !matches!(attribute.name(), "Name" | "NameFormat" | "FriendlyName") {
            return Err(Refusal::with(RefusalCode::UnexpectedAttribute, "in Attribute"));
        }
    }
    let mut children = Children::of(node)?;
    let mut values = Vec::new();
    for value in children.all(ASSERTION, "AttributeValue") {
        values.extend(read_attribute_value(value)?);
    }
    children.finish()?;
    Ok(Attribute { name: required(node, "Name")?, friendly_name: optional(node, "FriendlyName"), values })
}

/// The text of a value, or of the one `NameID` in it (`eduPersonTargetedID`); nothing of a value of other elements.
fn read_attribute_value(node: Node<'_, '_>) -> Result<Option<String>, Refusal> {
    let is_nil =
        node.attribute((names::SCHEMA_INSTANCE, "nil")).is_some_and(|nil| nil == "true" || nil == "1");
    if let Some(attribute) = node.attributes().find(|attribute| attribute.namespace().is_none()) {
        return Err(super::bad_value("AttributeValue", attribute.name()));
    }
    if !node.children().any(|child| child.is_element()) {
        let value = text(node)?;
        return Ok((!is_nil).then_some(value));
    }
    let mut children = Children::of(node)?;
    if let Some(name_id) = children.next_if(ASSERTION, "NameID") {
        children.finish()?;
        return read_name_id(name_id).map(|name_id| Some(name_id.value));
    }
    let ours = [ASSERTION, names::PROTOCOL, SIGNATURE, names::ENCRYPTION, names::METADATA];
    let smuggled = node.descendants().skip(1).find(|inner| {
        inner.is_element() && inner.tag_name().namespace().is_none_or(|namespace| ours.contains(&namespace))
    });
    smuggled.map_or(Ok(None), |inner| Err(unexpected(inner)))
}
