//! Logout requests and responses.

use chrono::{DateTime, Utc};
use roxmltree::Node;

use super::assertion::{NameId, read_name_id};
use super::response::read_status;
use super::signature::Signature;
use super::{Children, Envelope, attributes, instant, is, issuer, optional, word};
use crate::names::{ASSERTION, PROTOCOL, SIGNATURE};
use crate::refusal::{Refusal, RefusalCode, quoted};

/// Most sessions that one request ends.
const SESSIONS: usize = 100;

/// What is common to both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// ID and instant.
    pub envelope: Envelope,
    /// Who sent it.
    pub issuer: String,
    /// Where it was sent to.
    pub destination: Option<String>,
    /// Its signature, if it has one in the document.
    pub signature: Option<Signature>,
}

/// A message about the end of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Logout {
    /// The identity provider wants sessions to end.
    Request {
        /// What is common to both.
        head: Head,
        /// Whose.
        name_id: NameId,
        /// Which; all of the person's if there is none.
        session_indexes: Vec<String>,
        /// Until when the request holds.
        not_on_or_after: Option<DateTime<Utc>>,
    },
    /// The identity provider has ended them.
    Response {
        /// What is common to both.
        head: Head,
        /// Which request it answers.
        in_response_to: Option<String>,
        /// What the provider could not do, if anything.
        problem: Option<String>,
    },
}

impl Logout {
    /// Reads either message.
    pub(crate) fn read(node: Node<'_, '_>) -> Result<Self, Refusal> {
        if is(node, PROTOCOL, "LogoutRequest") {
            read_request(node)
        } else if is(node, PROTOCOL, "LogoutResponse") {
            read_response(node)
        } else {
            Err(Refusal::with(RefusalCode::UnexpectedRoot, quoted(node.tag_name().name())))
        }
    }

    /// What is common to both.
    #[must_use]
    pub fn head(&self) -> &Head {
        match self {
            Self::Request { head, .. } | Self::Response { head, .. } => head,
        }
    }

    /// The same without its signature, to be compared with what the signature covers.
    pub(crate) fn without_signature(mut self) -> Self {
        match &mut self {
            Self::Request { head, .. } | Self::Response { head, .. } => head.signature = None,
        }
        self
    }
}

fn read_head(node: Node<'_, '_>, children: &mut Children<'_, '_>) -> Result<Head, Refusal> {
    let envelope = Envelope::read(node)?;
    let issuer = issuer(children.next(ASSERTION, "Issuer")?)?;
    let signature = children
        .next_if(SIGNATURE, "Signature")
        .map(|signature| Signature::read(signature, &envelope.id))
        .transpose()?;
    Ok(Head { envelope, issuer, destination: optional(node, "Destination"), signature })
}

fn read_request(node: Node<'_, '_>) -> Result<Logout, Refusal> {
    attributes(node, &["ID", "Version", "IssueInstant", "Destination", "Consent", "NotOnOrAfter", "Reason"])?;
    let mut children = Children::of(node)?;
    let head = read_head(node, &mut children)?;
    let name_id = read_name_id(children.next(ASSERTION, "NameID")?)?;
    let sessions = children.all(PROTOCOL, "SessionIndex");
    children.finish()?;
    if sessions.len() > SESSIONS {
        return Err(Refusal::with(RefusalCode::TooManyNodes, "SessionIndex"));
    }
    Ok(Logout::Request {
        head,
        name_id,
        session_indexes: sessions.into_iter().map(word).collect::<Result<_, _>>()?,
        not_on_or_after: instant(node, "NotOnOrAfter")?,
    })
}

fn read_response(node: Node<'_, '_>) -> Result<Logout, Refusal> {
    attributes(node, &["ID", "Version", "IssueInstant", "Destination", "Consent", "InResponseTo"])?;
    let mut children = Children::of(node)?;
    let head = read_head(node, &mut children)?;
    let problem = match read_status(children.next(PROTOCOL, "Status")?) {
        Ok(()) => None,
        Err(refusal) if refusal.code == RefusalCode::ProviderRefused => {
            Some(refusal.detail.unwrap_or_default())
        }
        Err(refusal) => return Err(refusal),
    };
    children.finish()?;
    Ok(Logout::Response { head, in_response_to: optional(node, "InResponseTo"), problem })
}
