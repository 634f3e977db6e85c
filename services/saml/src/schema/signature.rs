//! XML signatures: the one shape that is accepted.
//!
//! One reference, to the element that the signature stands in, enveloped and exclusively canonicalised, with SHA-2 and a
//! public key. libxmlsec1 would also fetch references from the network and from files, run XPath and XSLT, and take a
//! shared secret for a key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Node;

use super::{Children, attributes, empty, optional, required, text, unexpected};
use crate::names::{ENVELOPED, EXCLUSIVE_C14N, SIGNATURE};
use crate::refusal::{Refusal, RefusalCode, quoted};

/// Signature algorithms that are accepted.
pub const SIGNATURE_ALGORITHMS: [&str; 6] = [
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
];

/// Digest algorithms that are accepted.
pub const DIGEST_ALGORITHMS: [&str; 3] = [crate::names::SHA256, crate::names::SHA384, crate::names::SHA512];

/// What a signature says of itself; nothing of it is trusted before it has been verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Its algorithm.
    pub algorithm: String,
    /// Certificates in its `KeyInfo` (DER), which are only compared with those that are trusted.
    pub certificates: Vec<Vec<u8>>,
}

impl Signature {
    /// Reads the signature of the element with the ID `covered`.
    pub(crate) fn read(node: Node<'_, '_>, covered: &str) -> Result<Self, Refusal> {
        attributes(node, &["Id"])?;
        let mut children = Children::of(node)?;
        let algorithm = read_signed_info(children.next(SIGNATURE, "SignedInfo")?, covered)?;
        let value = children.next(SIGNATURE, "SignatureValue")?;
        attributes(value, &["Id"])?;
        if decode(&text(value)?).is_none_or(|bytes| bytes.is_empty()) {
            return Err(Refusal::with(RefusalCode::BadSignature, "SignatureValue is empty or not Base64"));
        }
        let certificates =
            children.next_if(SIGNATURE, "KeyInfo").map(read_key_info).transpose()?.unwrap_or_default();
        children.finish()?;
        Ok(Self { algorithm, certificates })
    }
}

fn read_signed_info(node: Node<'_, '_>, covered: &str) -> Result<String, Refusal> {
    attributes(node, &["Id"])?;
    let mut children = Children::of(node)?;
    let method = children.next(SIGNATURE, "CanonicalizationMethod")?;
    read_canonicalisation(method)?;
    let method = children.next(SIGNATURE, "SignatureMethod")?;
    let algorithm = read_algorithm(method, &SIGNATURE_ALGORITHMS)?;
    let references = children.all(SIGNATURE, "Reference");
    let [reference] = references.as_slice() else {
        return Err(Refusal::with(RefusalCode::SeveralReferences, format_args!("{}", references.len())));
    };
    read_reference(*reference, covered)?;
    children.finish()?;
    Ok(algorithm)
}

/// An algorithm without parameters.
fn read_algorithm(node: Node<'_, '_>, accepted: &[&str]) -> Result<String, Refusal> {
    attributes(node, &["Algorithm"])?;
    let algorithm = required(node, "Algorithm")?;
    if !accepted.contains(&algorithm.as_str()) {
        return Err(Refusal::with(RefusalCode::WeakAlgorithm, quoted(&algorithm)));
    }
    empty(node)?;
    Ok(algorithm)
}

fn read_canonicalisation(node: Node<'_, '_>) -> Result<(), Refusal> {
    attributes(node, &["Algorithm"])?;
    let algorithm = required(node, "Algorithm")?;
    if algorithm != EXCLUSIVE_C14N {
        return Err(Refusal::with(RefusalCode::Canonicalisation, quoted(&algorithm)));
    }
    read_inclusive_namespaces(node)
}

/// `InclusiveNamespaces`, the one parameter of exclusive canonicalisation.
fn read_inclusive_namespaces(node: Node<'_, '_>) -> Result<(), Refusal> {
    let mut children = Children::of(node)?;
    if let Some(inclusive) = children.next_if(EXCLUSIVE_C14N, "InclusiveNamespaces") {
        attributes(inclusive, &["PrefixList"])?;
        empty(inclusive)?;
    }
    children.finish()
}

fn read_reference(node: Node<'_, '_>, covered: &str) -> Result<(), Refusal> {
    attributes(node, &["URI", "Id"])?;
    let uri = optional(node, "URI").unwrap_or_default();
    if uri.strip_prefix('#') != Some(covered) {
        return Err(Refusal::differs(RefusalCode::ForeignReference, &uri, &format!("#{covered}")));
    }
    let mut children = Children::of(node)?;
    let transforms = children
        .next(SIGNATURE, "Transforms")
        .map_err(|_| Refusal::with(RefusalCode::Transform, "no Transforms"))?;
    read_transforms(transforms)?;
    read_algorithm(children.next(SIGNATURE, "DigestMethod")?, &DIGEST_ALGORITHMS)?;
    let value = text(children.next(SIGNATURE, "DigestValue")?)?;
    if decode(&value).is_none_or(|bytes| !matches!(bytes.len(), 32 | 48 | 64)) {
        return Err(Refusal::with(RefusalCode::BadSignature, "DigestValue is not a digest"));
    }
    children.finish()
}

fn read_transforms(node: Node<'_, '_>) -> Result<(), Refusal> {
    attributes(node, &[])?;
    let mut children = Children::of(node)?;
    let transforms = children.all(SIGNATURE, "Transform");
    children.finish().map_err(|refusal| Refusal { code: RefusalCode::Transform, ..refusal })?;
    let algorithms: Vec<String> =
        transforms.iter().map(|t| optional(*t, "Algorithm").unwrap_or_default()).collect();
    let ([enveloped, exclusive], [first, second]) = (transforms.as_slice(), algorithms.as_slice()) else {
        return Err(Refusal::with(RefusalCode::Transform, quoted(&algorithms.join(", "))));
    };
    if first != ENVELOPED || second != EXCLUSIVE_C14N {
        return Err(Refusal::with(RefusalCode::Transform, quoted(&algorithms.join(", "))));
    }
    attributes(*enveloped, &["Algorithm"])?;
    empty(*enveloped).map_err(|refusal| Refusal { code: RefusalCode::Transform, ..refusal })?;
    attributes(*exclusive, &["Algorithm"])?;
    read_inclusive_namespaces(*exclusive)
        .map_err(|refusal| Refusal { code: RefusalCode::Transform, ..refusal })
}

/// The certificates in a `KeyInfo`; whatever could make a program fetch or decrypt a key is refused.
pub(crate) fn read_key_info(node: Node<'_, '_>) -> Result<Vec<Vec<u8>>, Refusal> {
    attributes(node, &["Id"])?;
    let refused = |node: Node<'_, '_>| Refusal::with(RefusalCode::KeyInfo, quoted(node.tag_name().name()));
    let mut certificates = Vec::new();
    let mut children = Children::of(node)?;
    while let Some(child) = children.any() {
        if child.tag_name().namespace() != Some(SIGNATURE) {
            return Err(refused(child));
        }
        match child.tag_name().name() {
            "X509Data" => certificates.extend(read_x509_data(child)?),
            "KeyName" => drop(text(child)?),
            "KeyValue" => read_key_value(child)?,
            _ => return Err(refused(child)),
        }
    }
    Ok(certificates)
}

fn read_x509_data(node: Node<'_, '_>) -> Result<Vec<Vec<u8>>, Refusal> {
    attributes(node, &[])?;
    let mut certificates = Vec::new();
    let mut children = Children::of(node)?;
    while let Some(child) = children.any() {
        let name = child.tag_name().name();
        match name {
            _ if child.tag_name().namespace() != Some(SIGNATURE) => return Err(unexpected(child)),
            "X509Certificate" => certificates.push(
                decode(&text(child)?)
                    .ok_or_else(|| Refusal::with(RefusalCode::KeyInfo, "X509Certificate is not Base64"))?,
            ),
            "X509SubjectName" | "X509SKI" => drop(text(child)?),
            "X509IssuerSerial" => {
                let mut parts = Children::of(child)?;
                text(parts.next(SIGNATURE, "X509IssuerName")?)?;
                text(parts.next(SIGNATURE, "X509SerialNumber")?)?;
                parts.finish()?;
            }
            _ => return Err(Refusal::with(RefusalCode::KeyInfo, quoted(name))),
        }
    }
    Ok(certificates)
}

/// A bare RSA or elliptic-curve key; never used, only let pass.
fn read_key_value(node: Node<'_, '_>) -> Result<(), Refusal> {
    let mut children = Children::of(node)?;
    let refused = || Refusal::with(RefusalCode::KeyInfo, "KeyValue");
    if let Some(rsa) = children.next_if(SIGNATURE, "RSAKeyValue") {
        let mut parts = Children::of(rsa)?;
        text(parts.next(SIGNATURE, "Modulus")?)?;
        text(parts.next(SIGNATURE, "Exponent")?)?;
        parts.finish()?;
    } else {
        let namespace = "http://www.w3.org/2009/xmldsig11#";
        let key = children.next_if(namespace, "ECKeyValue").ok_or_else(refused)?;
        let mut parts = Children::of(key)?;
        empty(parts.next(namespace, "NamedCurve")?)?;
        text(parts.next(namespace, "PublicKey")?)?;
        parts.finish()?;
    }
    children.finish()
}

/// Base64 with white space in it, as XML Signature writes it.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let plain: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(plain).ok()
}
