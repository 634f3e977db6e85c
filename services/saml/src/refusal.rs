//! Why something from an identity provider was refused, for the administrator who has to mend it.
//!
//! The code is what programs, translations and the audit log go by; it must not be renamed. The detail quotes what was
//! found, shortened and without control characters, and never holds a key, an assertion or an attribute's value.

use std::fmt;

/// Longest piece of a document that a detail quotes, characters.
const QUOTED_CHARS: usize = 160;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $sentence:literal;)*) => {
        /// What was wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum RefusalCode { $($(#[$doc])* $name,)* }

        impl RefusalCode {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What is wrong and what helps, for an administrator.
            #[must_use]
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

codes! {
    // The document as such.
    /// The form field is not Base64.
    NotBase64 = "not_base64", "What the identity provider sent is not Base64 text. Check that nothing between it and Kinora changes forms.";
    /// The compressed query parameter does not unpack.
    NotDeflated = "not_deflated", "What the identity provider sent cannot be unpacked.";
    /// Larger than any honest document.
    TooLarge = "too_large", "The document is larger than any sign-in needs to be. If a person is in very many groups, let the identity provider send only the groups that Kinora needs.";
    /// Not UTF-8.
    NotUtf8 = "not_utf8", "The document is not written in UTF-8.";
    /// Not well-formed XML.
    NotXml = "not_xml", "The document is not well-formed XML.";
    /// Declares a document type or entities.
    Doctype = "doctype", "The document declares a document type (DTD). Identity providers do not do that; it is how XML parsers are attacked.";
    /// Comment, processing instruction or CDATA.
    Comment = "comment", "The document contains a comment, a processing instruction or CDATA. Identity providers do not send these; they are used to make programs read a name differently.";
    /// Nested too deeply.
    TooDeep = "too_deep", "The document is nested more deeply than any sign-in needs.";
    /// Too many elements or attributes.
    TooManyNodes = "too_many_nodes", "The document has more elements or attributes than any sign-in needs. If a person is in very many groups, let the identity provider send only the groups that Kinora needs.";
    /// A namespace that is empty or relative, or an attribute in a place where it changes meaning.
    Namespace = "namespace", "The document uses XML name spaces in a way that programs read differently.";
    /// An ID that is not one.
    BadId = "bad_id", "The document contains an identifier that is not valid.";
    /// Two elements with one ID.
    DuplicateId = "duplicate_id", "Two parts of the document have the same identifier, so that a signature could mean either.";
    /// Not the element that was expected.
    UnexpectedRoot = "unexpected_root", "This is not the kind of SAML document that was expected here.";
    /// An element where none belongs.
    UnexpectedElement = "unexpected_element", "The document has a part that does not belong where it stands.";
    /// An attribute that does not belong.
    UnexpectedAttribute = "unexpected_attribute", "The document has an attribute that does not belong where it stands.";
    /// A part is missing.
    Missing = "missing", "The document lacks a part that every sign-in has.";
    /// A value that cannot be read.
    BadValue = "bad_value", "The document has a value that cannot be read.";
    /// Not SAML 2.0.
    WrongVersion = "wrong_version", "The document is not SAML 2.0.";
    /// Several assertions.
    SeveralAssertions = "several_assertions", "The response contains more than one assertion. Set the identity provider to send one.";
    /// Kinora's two XML parsers read different things.
    Disagreement = "disagreement", "Two XML parsers read this document differently, so it is not trusted.";

    // Signatures.
    /// Not signed.
    Unsigned = "unsigned", "Neither the response nor the assertion is signed. Set the identity provider to sign them.";
    /// A signature where none belongs, or several.
    MisplacedSignature = "misplaced_signature", "A signature stands where none belongs, or there are several in one place.";
    /// Not one reference.
    SeveralReferences = "several_references", "A signature covers none or several things instead of one.";
    /// Covers something other than what it stands in.
    ForeignReference = "foreign_reference", "A signature covers something other than the part it stands in.";
    /// A transform that is not accepted.
    Transform = "transform", "A signature asks for a transformation that is not accepted. Only `enveloped-signature` followed by exclusive canonicalisation is.";
    /// A canonicalisation that is not accepted.
    Canonicalisation = "canonicalisation", "A signature asks for a canonicalisation other than exclusive XML canonicalisation without comments.";
    /// A weak or unknown signature or digest algorithm.
    WeakAlgorithm = "weak_algorithm", "The signature uses an algorithm that is not accepted. Set the identity provider to RSA or ECDSA with SHA-256, SHA-384 or SHA-512 (not SHA-1).";
    /// Key information of a kind that is not accepted.
    KeyInfo = "key_info", "The signature names its key in a way that is not accepted.";
    /// Signed with a certificate that this connection does not know.
    UnknownCertificate = "unknown_certificate", "The document names a signing certificate that this connection does not know. If the identity provider has changed its certificate, load its metadata again.";
    /// The signature is wrong.
    BadSignature = "bad_signature", "The signature is not valid: the document was changed after it was signed, or was signed with a key that this connection does not know. If the identity provider has changed its certificate, load its metadata again.";

    // Encryption.
    /// Encrypted in a way that is not accepted.
    EncryptionAlgorithm = "encryption_algorithm", "The assertion is encrypted in a way that is not accepted. Set the identity provider to AES-GCM (or AES-CBC) with RSA-OAEP.";
    /// CBC that nothing protects against being changed.
    UnauthenticatedEncryption = "unauthenticated_encryption", "The assertion is encrypted with AES-CBC and the response around it is not signed. Set the identity provider to sign the response too, or to encrypt with AES-GCM.";
    /// It cannot be decrypted.
    NotDecrypted = "not_decrypted", "The assertion could not be decrypted. Load Kinora's metadata into the identity provider again, so that it encrypts for Kinora's present certificate.";

    // What it says.
    /// The identity provider says no.
    ProviderRefused = "provider_refused", "The identity provider did not sign the person in.";
    /// From somebody else.
    WrongIssuer = "wrong_issuer", "The document was issued by another identity provider than the one of this connection.";
    /// For somebody else.
    WrongAudience = "wrong_audience", "The assertion is meant for another application. Compare the audience (entity ID) in the identity provider with the one in Kinora's metadata.";
    /// Sent to another address.
    WrongRecipient = "wrong_recipient", "The assertion is meant for another address. Compare the assertion consumer (reply) URL in the identity provider with the one in Kinora's metadata.";
    /// Sent to another address.
    WrongDestination = "wrong_destination", "The document is addressed to another address. Compare the URL in the identity provider with the one in Kinora's metadata.";
    /// Too old.
    Expired = "expired", "The document is no longer valid. If this happens to everyone, compare the clocks of the identity provider and of Kinora's servers.";
    /// From the future.
    NotYetValid = "not_yet_valid", "The document is not valid yet. If this happens to everyone, compare the clocks of the identity provider and of Kinora's servers.";
    /// The session it speaks of is over.
    SessionOver = "session_over", "The person's session at the identity provider is already over.";
    /// Answers another request.
    WrongRequest = "wrong_request", "The document answers another request than the one that this browser made. Begin the sign-in again.";
    /// Answers no request.
    NoRequest = "no_request", "The document answers no request of Kinora's. Begin at Kinora's sign-in page, or allow sign-ins that begin at the identity provider for this connection.";
    /// Answers a request although it was to come unasked.
    UnexpectedRequest = "unexpected_request", "The document answers a request that this browser did not make. Begin the sign-in again.";
    /// Signed in in a weaker way than was asked for.
    WeakAuthentication = "weak_authentication", "The person did not sign in in the way that Kinora asked the identity provider for.";
    /// Not signed in afresh although that was asked for.
    StaleAuthentication = "stale_authentication", "The identity provider did not ask the person to sign in again although Kinora wanted that.";
    /// The subject is not confirmed by bearing.
    NoBearer = "no_bearer", "The assertion does not confirm its subject in the way that signing in with a browser needs (bearer).";
    /// Nobody's name.
    NoNameId = "no_name_id", "The assertion does not name a person (NameID). Set the identity provider to send one.";
    /// Nobody signed in.
    NoAuthentication = "no_authentication", "The assertion does not say that somebody signed in (AuthnStatement).";
    /// A relay state that is not one of ours.
    RelayState = "relay_state", "The relay state is not one that Kinora made.";

    // Metadata.
    /// No identity provider in it.
    NotAProvider = "not_a_provider", "The metadata does not describe a SAML 2.0 identity provider.";
    /// Several in it.
    SeveralProviders = "several_providers", "The metadata describes several identity providers. Give the metadata of one.";
    /// No certificate.
    NoCertificate = "no_certificate", "The metadata has no signing certificate, without which nothing the identity provider says can be checked.";
    /// A certificate that cannot be used.
    BadCertificate = "bad_certificate", "A certificate cannot be used: it is damaged, or its key is weaker than RSA 2048 or is not RSA or an ECDSA key of NIST P-256, P-384 or P-521.";
    /// No way to sign in.
    NoSignOn = "no_sign_on", "The metadata has no sign-in address with the Redirect or POST binding.";
    /// An address that is not https.
    BadEndpoint = "bad_endpoint", "The metadata has an address that is not a valid https address.";
    /// Out of date.
    MetadataExpired = "metadata_expired", "The metadata says that it is no longer valid (validUntil). Get it anew.";

    // Ourselves.
    /// Too many at once.
    Busy = "busy", "Too many sign-ins are being checked at this moment. Try again.";
    /// The time limit.
    TimedOut = "timed_out", "Checking the signature took longer than allowed and was ended.";
    /// The verifier does not work.
    VerifierFailed = "verifier_failed", "The program that checks signatures does not work. The details are in Kinora's log.";
    /// A defect of our own, or no randomness.
    Internal = "internal", "Something went wrong inside Kinora. The details are in the log.";
}

/// A refusal: the code and, where it helps, what was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Refusal {
    /// What was wrong.
    pub code: RefusalCode,
    /// What was found, or what was expected.
    pub detail: Option<String>,
}

impl Refusal {
    /// A refusal with a detail of our own words.
    #[must_use]
    pub fn with(code: RefusalCode, detail: impl fmt::Display) -> Self {
        Self { code, detail: Some(printable(&detail.to_string(), QUOTED_CHARS * 3)) }
    }

    /// A refusal of a value that is not the expected one.
    #[must_use]
    pub fn differs(code: RefusalCode, found: &str, expected: &str) -> Self {
        Self::with(code, format_args!("found “{}”, expected “{}”", quoted(found), quoted(expected)))
    }
}

impl From<RefusalCode> for Refusal {
    fn from(code: RefusalCode) -> Self {
        Self { code, detail: None }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.sentence())?;
        self.detail.as_ref().map_or(Ok(()), |detail| write!(f, " ({detail})"))
    }
}

/// A piece of a document, fit to be shown.
pub(crate) fn quoted(text: &str) -> String {
    printable(text, QUOTED_CHARS)
}

fn printable(text: &str, longest: usize) -> String {
    let mut chars = text.chars().map(|c| if c.is_control() || is_invisible(c) { '\u{fffd}' } else { c });
    let mut shown: String = chars.by_ref().take(longest).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Characters that turn the direction of writing or take no room.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_distinct_words_and_sentences_end() {
        let codes: HashSet<_> = RefusalCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), RefusalCode::ALL.len());
        for code in RefusalCode::ALL {
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
            assert!(code.sentence().ends_with('.'), "{code:?}");
        }
    }

    #[test]
    fn what_is_quoted_is_short_and_harmless() {
        let refusal = Refusal::differs(RefusalCode::WrongIssuer, &"x\u{202e}\n".repeat(400), "a");
        let detail = refusal.detail.unwrap_or_default();
        assert!(detail.chars().count() < 250, "{detail}");
        assert!(!detail.contains(['\u{202e}', '\n']));
    }
}
