//! Verifies XML signatures with libxmlsec1, through samael. The one package that links it and libxml2.
//!
//! The program `kinora-saml-verifier` answers one question on its standard input and ends. Before it reads a byte of
//! the question it has limited itself ([`sandbox`]): memory, time, and to the system calls that computing needs.

pub mod sandbox;

use std::panic::{AssertUnwindSafe, catch_unwind};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kinora_saml::verifier::{Answer, Kind, Question, Verifier, gate};
use kinora_saml::{Certificate, Refusal, RefusalCode};
use samael::crypto::{AllowedSignatureAlgorithm, CertificateDer, Crypto, CryptoProvider, ReduceMode};

/// What samael is to accept; the gate has checked the same.
const ALGORITHMS: [AllowedSignatureAlgorithm; 6] = [
    AllowedSignatureAlgorithm::RsaSha256,
    AllowedSignatureAlgorithm::RsaSha384,
    AllowedSignatureAlgorithm::RsaSha512,
    AllowedSignatureAlgorithm::EcdsaSha256,
    AllowedSignatureAlgorithm::EcdsaSha384,
    AllowedSignatureAlgorithm::EcdsaSha512,
];

/// Answers a question: the gate first, then the signatures.
#[must_use]
pub fn answer(question: &Question) -> Answer {
    if let Err(refusal) = gate(question.kind, &question.xml) {
        return Answer::Refused(refusal.code.as_str().to_owned());
    }
    let certificates: Option<Vec<Vec<u8>>> =
        question.certificates.iter().map(|text| STANDARD.decode(text).ok()).collect();
    match certificates {
        Some(certificates) => verify_ungated(&question.xml, &certificates),
        None => Answer::Failed("a certificate is not Base64".to_owned()),
    }
}

/// Verifies every signature of a document that must have passed the gate: by itself libxmlsec1 fetches what a document
/// names, and runs what it brings. For the tests that show so.
#[must_use]
pub fn verify_ungated(xml: &str, certificates: &[Vec<u8>]) -> Answer {
    // samael would take no certificate for a reason not to look at signatures.
    if certificates.is_empty() {
        return Answer::Refused(RefusalCode::NoCertificate.as_str().to_owned());
    }
    let mut outcome = Answer::Refused(RefusalCode::BadSignature.as_str().to_owned());
    // One after the other: given several, samael stops at the first whose key is of another kind than the signature.
    for certificate in certificates {
        match verify_with(xml, certificate) {
            Answer::Refused(_) => {}
            verified @ Answer::Verified(_) => return verified,
            failed @ Answer::Failed(_) => outcome = failed,
        }
    }
    outcome
}

/// Verifies every signature of a document with one certificate.
fn verify_with(xml: &str, certificate: &[u8]) -> Answer {
    let certificates = [CertificateDer::from(certificate.to_vec())];
    // What the digest was made of, rather than a pruned copy of the document.
    let reduced = catch_unwind(AssertUnwindSafe(|| {
        Crypto::reduce_xml_to_signed_with_allowed_algorithms(
            xml,
            &certificates,
            ReduceMode::PreDigest,
            Some(&ALGORITHMS),
        )
    }));
    match reduced {
        Ok(Ok(covered)) if !covered.is_empty() => Answer::Verified(covered),
        Ok(_) => Answer::Refused(RefusalCode::BadSignature.as_str().to_owned()),
        Err(_) => Answer::Failed("samael panicked".to_owned()),
    }
}

/// Makes libxmlsec1 and OpenSSL load whatever they load, which is not possible any more afterwards.
pub fn warm_up() {
    // An empty certificate: it fails once everything is loaded.
    let _ = Crypto::verify_signed_xml("<a/>", &CertificateDer::from(Vec::new()), None);
}

/// The verifier within this process, without its limits: for fuzzing and tests.
#[derive(Clone, Copy, Debug)]
pub struct InProcess;

impl Verifier for InProcess {
    fn verify(&self, kind: Kind, xml: &str, certificates: &[Certificate]) -> Result<String, Refusal> {
        gate(kind, xml)?;
        let certificates: Vec<Vec<u8>> = certificates.iter().map(|known| known.der().to_vec()).collect();
        verify_ungated(xml, &certificates).into_result()
    }
}
