//! The seam behind which libxml2 and libxmlsec1 work: what is asked of the verifier and what it answers.
//!
//! It gets a document that passed the gate and the certificates that are trusted, and nothing secret. It gives back the
//! very octets that the verified reference covers, which are then read in place of the document.

use serde::{Deserialize, Serialize};

use crate::certificate::Certificate;
use crate::document::{self, MESSAGE, METADATA};
use crate::names;
use crate::provider;
use crate::refusal::{Refusal, RefusalCode, quoted};
use crate::schema::is;
use crate::schema::logout::Logout;
use crate::schema::response::{Content, Response};

/// Which gate a document has to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A response or a logout message.
    Message,
    /// Metadata.
    Metadata,
}

/// What is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Which gate the document has to pass.
    pub kind: Kind,
    /// The document.
    pub xml: String,
    /// The trusted certificates, DER in Base64; at least one.
    pub certificates: Vec<String>,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// Every signature holds; this is what the outermost one covers, canonicalised.
    Verified(String),
    /// It is refused, with this [`RefusalCode`].
    Refused(String),
    /// The verifier itself failed.
    Failed(String),
}

/// Something that verifies signatures.
pub trait Verifier: Send + Sync {
    /// What the outermost verified signature of `xml` covers.
    ///
    /// # Errors
    /// The refusal: [`RefusalCode::BadSignature`], one of the gate's, or one of [`RefusalCode::Busy`],
    /// [`RefusalCode::TimedOut`], [`RefusalCode::VerifierFailed`].
    fn verify(&self, kind: Kind, xml: &str, certificates: &[Certificate]) -> Result<String, Refusal>;
}

impl Answer {
    /// The answer as a result.
    ///
    /// # Errors
    /// The refusal it holds.
    pub fn into_result(self) -> Result<String, Refusal> {
        match self {
            Self::Verified(xml) => Ok(xml),
            Self::Refused(code) => {
                let known = RefusalCode::ALL.iter().find(|known| known.as_str() == code);
                Err(known.map_or_else(
                    || Refusal::with(RefusalCode::VerifierFailed, quoted(&code)),
                    |code| Refusal::from(*code),
                ))
            }
            Self::Failed(why) => Err(Refusal::with(RefusalCode::VerifierFailed, quoted(&why))),
        }
    }
}

/// The gate: refuses every document that libxmlsec1 must not see. A document that passes has at least one signature.
///
/// # Errors
/// The refusal.
pub fn gate(kind: Kind, xml: &str) -> Result<(), Refusal> {
    let limits = match kind {
        Kind::Message => MESSAGE,
        Kind::Metadata => METADATA,
    };
    let text = document::screen(xml.as_bytes(), limits)?;
    let document = document::parse(text, limits)?;
    let root = document.root_element();
    let is_signed = match kind {
        Kind::Metadata => provider::read_signature(&document)?.is_some(),
        Kind::Message if is(root, names::PROTOCOL, "Response") => {
            let response = Response::read(root)?;
            let inner = match &response.content {
                Content::Plain(assertion) => assertion.signature.is_some(),
                Content::Encrypted(_) => false,
            };
            inner || response.signature.is_some()
        }
        Kind::Message => Logout::read(root)?.head().signature.is_some(),
    };
    if is_signed { Ok(()) } else { Err(RefusalCode::Unsigned.into()) }
}
