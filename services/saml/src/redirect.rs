//! The HTTP-Redirect binding: messages in the query, compressed, signed over the query's very bytes.
//!
//! Providers escape differently, so a signature is verified over what arrived, never over what we would have written.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use openssl::bn::BigNum;
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::pkey::Id;
use openssl::sign::Verifier;
use url::form_urlencoded::byte_serialize;

use crate::certificate::Certificate;
use crate::document::MESSAGE;
use crate::keys::ServiceKey;
use crate::names;
use crate::refusal::{Refusal, RefusalCode, quoted};

/// Longest query that is looked at, bytes.
const QUERY_BYTES: usize = 64 * 1024;

/// Which kind of message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parameter {
    /// `SAMLRequest`.
    Request,
    /// `SAMLResponse`.
    Response,
}

impl Parameter {
    /// The name of the parameter and of the form field.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Request => "SAMLRequest",
            Self::Response => "SAMLResponse",
        }
    }
}

/// The address to send the browser to, signed.
pub(crate) fn signed_url(
    endpoint: &str,
    parameter: Parameter,
    message: &str,
    relay_state: Option<&str>,
    key: &ServiceKey,
) -> Result<String, Refusal> {
    let mut query = format!("{}={}", parameter.name(), escaped(&deflated(message)?));
    if let Some(relay_state) = relay_state {
        query.push_str("&RelayState=");
        query.push_str(&escaped(relay_state));
    }
    query.push_str("&SigAlg=");
    query.push_str(&escaped(names::RSA_SHA256));
    let signature = key.sign(query.as_bytes())?;
    let separator = if endpoint.contains('?') { '&' } else { '?' };
    Ok(format!("{endpoint}{separator}{query}&Signature={}", escaped(&signature)))
}

fn escaped(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

fn deflated(message: &str) -> Result<String, Refusal> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    let bytes = encoder.write_all(message.as_bytes()).and_then(|()| encoder.finish());
    Ok(STANDARD.encode(bytes.map_err(|_| RefusalCode::Internal)?))
}

/// A message that came in a query whose signature holds.
#[derive(Debug)]
pub(crate) struct Received {
    /// Which parameter it came in.
    pub parameter: Parameter,
    /// The document.
    pub xml: Vec<u8>,
    /// The relay state, as it came.
    pub relay_state: Option<String>,
}

/// The parameters of a query that matter here, as they arrived and unescaped.
struct Query<'a> {
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> Query<'a> {
    fn parse(query: &'a str) -> Result<Self, Refusal> {
        let mut parameters: Vec<(&str, &str)> = Vec::new();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let known = ["SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature", "SAMLEncoding"];
            if !known.contains(&name) {
                continue;
            }
            if parameters.iter().any(|(other, _)| *other == name) {
                return Err(Refusal::with(RefusalCode::BadValue, format_args!("{name} twice")));
            }
            parameters.push((name, value));
        }
        Ok(Self { parameters })
    }

    fn raw(&self, name: &str) -> Option<&'a str> {
        self.parameters.iter().find(|(other, _)| *other == name).map(|(_, value)| *value)
    }

    fn value(&self, name: &str) -> Result<Option<String>, Refusal> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        let pair = format!("v={raw}");
        let parsed = url::form_urlencoded::parse(pair.as_bytes()).next();
        let value = parsed.map(|(_, value)| value.into_owned()).unwrap_or_default();
        if value.contains('\u{fffd}') {
            return Err(Refusal::with(RefusalCode::BadValue, name));
        }
        Ok(Some(value))
    }
}

/// Unpacks a message from the raw query (without `?`) and verifies its signature with any of `certificates`.
pub(crate) fn receive(query: &str, certificates: &[Certificate]) -> Result<Received, Refusal> {
    if query.len() > QUERY_BYTES {
        return Err(RefusalCode::TooLarge.into());
    }
    let query = Query::parse(query)?;
    let (parameter, message) = match (query.value("SAMLRequest")?, query.value("SAMLResponse")?) {
        (Some(message), None) => (Parameter::Request, message),
        (None, Some(message)) => (Parameter::Response, message),
        _ => return Err(Refusal::with(RefusalCode::Missing, "SAMLRequest or SAMLResponse")),
    };
    let deflate = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE";
    if query.value("SAMLEncoding")?.is_some_and(|encoding| encoding != deflate) {
        return Err(RefusalCode::NotDeflated.into());
    }
    verify(&query, parameter, certificates)?;
    Ok(Received { parameter, xml: inflated(&message)?, relay_state: query.value("RelayState")? })
}

/// Unpacks at most what a message may have.
fn inflated(message: &str) -> Result<Vec<u8>, Refusal> {
    let packed = STANDARD.decode(message).map_err(|_| RefusalCode::NotBase64)?;
    let mut xml = Vec::new();
    let longest = MESSAGE.bytes as u64 + 1;
    DeflateDecoder::new(packed.as_slice())
        .take(longest)
        .read_to_end(&mut xml)
        .map_err(|_| RefusalCode::NotDeflated)?;
    if xml.len() > MESSAGE.bytes {
        return Err(RefusalCode::TooLarge.into());
    }
    Ok(xml)
}

fn verify(query: &Query<'_>, parameter: Parameter, certificates: &[Certificate]) -> Result<(), Refusal> {
    let (Some(raw_algorithm), Some(signature)) = (query.raw("SigAlg"), query.value("Signature")?) else {
        return Err(RefusalCode::Unsigned.into());
    };
    let signature = STANDARD.decode(signature).map_err(|_| RefusalCode::BadSignature)?;
    let algorithm = query.value("SigAlg")?.unwrap_or_default();
    let (kind, digest) = algorithm_of(&algorithm)
        .ok_or_else(|| Refusal::with(RefusalCode::WeakAlgorithm, quoted(&algorithm)))?;
    let name = parameter.name();
    let mut signed = format!("{name}={}", query.raw(name).unwrap_or_default());
    if let Some(relay_state) = query.raw("RelayState") {
        signed.push_str("&RelayState=");
        signed.push_str(relay_state);
    }
    signed.push_str("&SigAlg=");
    signed.push_str(raw_algorithm);
    let holds = certificates.iter().any(|certificate| {
        let key = certificate.public_key().ok().filter(|key| key.id() == kind);
        let signature = if kind == Id::EC { ecdsa_der(&signature) } else { Some(signature.clone()) };
        key.zip(signature).is_some_and(|(key, signature)| {
            Verifier::new(digest, &key)
                .and_then(|mut verifier| verifier.verify_oneshot(&signature, signed.as_bytes()))
                .unwrap_or(false)
        })
    });
    if holds { Ok(()) } else { Err(RefusalCode::BadSignature.into()) }
}

fn algorithm_of(uri: &str) -> Option<(Id, MessageDigest)> {
    let name = uri.strip_prefix("http://www.w3.org/2001/04/xmldsig-more#")?;
    Some(match name {
        "rsa-sha256" => (Id::RSA, MessageDigest::sha256()),
        "rsa-sha384" => (Id::RSA, MessageDigest::sha384()),
        "rsa-sha512" => (Id::RSA, MessageDigest::sha512()),
        "ecdsa-sha256" => (Id::EC, MessageDigest::sha256()),
        "ecdsa-sha384" => (Id::EC, MessageDigest::sha384()),
        "ecdsa-sha512" => (Id::EC, MessageDigest::sha512()),
        _ => return None,
    })
}

/// XML Signature writes an ECDSA signature as its two numbers side by side (IEEE P1363), OpenSSL as DER.
fn ecdsa_der(signature: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = signature.split_at_checked(signature.len() / 2)?;
    let number = |bytes: &[u8]| BigNum::from_slice(bytes).ok();
    EcdsaSig::from_private_components(number(r)?, number(s)?).ok()?.to_der().ok()
}
