//! Signs messages of ours for the POST binding (XML Signature, enveloped).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::keys::ServiceKey;
use crate::names;
use crate::refusal::Refusal;
use crate::write::Element;

/// `message`, whose first element is its issuer, with a signature behind that.
pub(crate) fn signed(message: Element, id: &str, key: &ServiceKey) -> Result<String, Refusal> {
    let digest = STANDARD.encode(Sha256::digest(message.to_xml()));
    let algorithm = |name, algorithm: &str| Element::signature(name).with("Algorithm", algorithm);
    let transforms = Element::signature("Transforms")
        .child(algorithm("Transform", names::ENVELOPED))
        .child(algorithm("Transform", names::EXCLUSIVE_C14N));
    let reference = Element::signature("Reference")
        .with("URI", format!("#{id}"))
        .child(transforms)
        .child(algorithm("DigestMethod", names::SHA256))
        .child(Element::signature("DigestValue").text(digest));
    let signed_info = Element::signature("SignedInfo")
        .child(algorithm("CanonicalizationMethod", names::EXCLUSIVE_C14N))
        .child(algorithm("SignatureMethod", names::RSA_SHA256))
        .child(reference);
    let value = key.sign(signed_info.to_xml().as_bytes())?;
    let signature = Element::signature("Signature")
        .child(signed_info)
        .child(Element::signature("SignatureValue").text(value))
        .child(key_info(key.certificate().der()));
    Ok(message.second(signature).to_xml())
}

/// A `KeyInfo` with a certificate.
pub(crate) fn key_info(certificate: &[u8]) -> Element {
    let certificate = Element::signature("X509Certificate").text(STANDARD.encode(certificate));
    Element::signature("KeyInfo").child(Element::signature("X509Data").child(certificate))
}
