//! Metadata of identity providers that do not exist, and a server that has it.

use std::path::Path;
use std::pin::Pin;
use std::process::Command;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kinora_tests::{Answer, Client};
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{Ssl, SslAcceptor, SslMethod};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Name};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_openssl::SslStream;

use crate::accounts::world::{send, text};

/// A key with a self-signed certificate.
pub struct Key {
    key: PKey<Private>,
    certificate: X509,
}

impl Key {
    /// One whose certificate ends after so many days, which may be in the past.
    pub fn ending_in(days: i64) -> Self {
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let mut name = X509Name::builder().unwrap();
        name.append_entry_by_text("CN", "localhost").unwrap();
        let name = name.build();
        let mut serial = BigNum::new().unwrap();
        serial.rand(100, MsbOption::MAYBE_ZERO, false).unwrap();
        let now = chrono::Utc::now().timestamp();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
        builder.set_subject_name(&name).unwrap();
        builder.set_issuer_name(&name).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.set_not_before(&Asn1Time::from_unix(now - 400 * 86_400).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::from_unix(now + days * 86_400 + 3600).unwrap()).unwrap();
        builder.append_extension(BasicConstraints::new().ca().build().unwrap()).unwrap();
        let names = SubjectAlternativeName::new()
            .dns("localhost")
            .ip("127.0.0.1")
            .build(&builder.x509v3_context(None, None))
            .unwrap();
        builder.append_extension(names).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self { certificate: builder.build(), key }
    }

    /// The certificate in PEM.
    pub fn pem(&self) -> String {
        String::from_utf8(self.certificate.to_pem().unwrap()).unwrap()
    }
}

/// What a provider's metadata says.
pub struct Described<'a> {
    pub entity_id: &'a str,
    pub keys: &'a [&'a Key],
    pub valid_until: Option<&'a str>,
    pub with_redirect: bool,
}

impl<'a> Described<'a> {
    pub fn new(entity_id: &'a str, keys: &'a [&'a Key]) -> Self {
        Self { entity_id, keys, valid_until: None, with_redirect: true }
    }

    /// As metadata; `inner` stands first in it.
    fn with(&self, inner: &str) -> String {
        let keys: String = self
            .keys
            .iter()
            .map(|key| {
                let der = STANDARD.encode(key.certificate.to_der().unwrap());
                format!(
                    "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{der}\
                     </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
                )
            })
            .collect();
        let service = |binding: &str| {
            format!(
                "<md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-{binding}\" \
                 Location=\"https://login.studio.example/sso\"/>"
            )
        };
        let redirect = if self.with_redirect { service("Redirect") } else { String::new() };
        let until = self.valid_until.map(|end| format!(" validUntil=\"{end}\"")).unwrap_or_default();
        format!(
            "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
             xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" ID=\"_m\" entityID=\"{}\"{until}>{inner}\
             <md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{keys}{redirect}{}\
             </md:IDPSSODescriptor></md:EntityDescriptor>",
            self.entity_id,
            service("POST")
        )
    }

    /// The metadata.
    pub fn xml(&self) -> String {
        self.with("")
    }

    /// The metadata, signed by xmlsec1.
    pub fn signed(&self, signer: &Key, directory: &Path) -> String {
        let template = "<ds:Signature><ds:SignedInfo>\
             <ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>\
             <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>\
             <ds:Reference URI=\"#_m\"><ds:Transforms>\
             <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>\
             <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/></ds:Transforms>\
             <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><ds:DigestValue/></ds:Reference>\
             </ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data><ds:X509Certificate/></ds:X509Data></ds:KeyInfo></ds:Signature>";
        let at = |name: &str| directory.join(name);
        std::fs::write(at("key.pem"), signer.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        std::fs::write(at("certificate.pem"), signer.pem()).unwrap();
        std::fs::write(at("template.xml"), self.with(template)).unwrap();
        let done = Command::new("xmlsec1")
            .args(["--sign", "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor"])
            .arg("--privkey-pem")
            .arg(format!("{},{}", at("key.pem").display(), at("certificate.pem").display()))
            .arg("--output")
            .arg(at("signed.xml"))
            .arg(at("template.xml"))
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        std::fs::read_to_string(at("signed.xml")).unwrap()
    }
}

/// What a server of metadata answers: the whole of it, head and body.
pub type Page = Arc<Mutex<Vec<u8>>>;

/// An answer with this body.
pub fn page(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
        .into_bytes()
}

/// A server on this machine, by TLS with `key`; gives its address.
pub async fn serve(key: &Key, page: Page) -> String {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    acceptor.set_private_key(&key.key).unwrap();
    acceptor.set_certificate(&key.certificate).unwrap();
    let acceptor = acceptor.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://localhost:{}/metadata", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let mut stream = SslStream::new(Ssl::new(acceptor.context()).unwrap(), socket).unwrap();
            // Whoever does not trust the certificate goes again.
            if Pin::new(&mut stream).accept().await.is_err() {
                continue;
            }
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            let answer = page.lock().unwrap().clone();
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

/// The address of an organisation's connections.
pub fn connections_of(organisation: &str) -> String {
    format!("/api/data/v1/organisations/{organisation}/sign-on/connections")
}

/// Makes a connection and gives its address.
pub async fn add_connection(owner: &mut Client, organisation: &str, name: &str) -> String {
    let all = connections_of(organisation);
    let made = owner.post(&all, &json!({ "name": name })).await.expect(201).json();
    format!("{all}/{}", text(&made, "/id"))
}

/// Changes something whatever its revision is.
pub async fn change(client: &mut Client, method: Method, path: &str, body: &Value) -> Answer {
    send(client, method, path, &[("If-Match", "*")], Some(body)).await
}

/// Gives a connection metadata as text.
pub async fn give_metadata(owner: &mut Client, connection: &str, xml: &str) -> Answer {
    change(owner, Method::PUT, &format!("{connection}/metadata"), &json!({ "xml": xml })).await
}
