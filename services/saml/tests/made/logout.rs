//! Logout messages and relay states.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use url::form_urlencoded::byte_serialize;

use super::{Cases, Via};
use crate::forge::keys::Key;
use crate::forge::{
    LOGOUT, OTHER_PROVIDER, PROVIDER, REQUEST, RSA_256, RSA_SHA1, SAML, SAMLP, at, keys, signature_template,
    signed,
};

/// A logout message in pieces.
#[derive(Clone)]
pub struct Message {
    pub is_request: bool,
    pub is_signed: bool,
    pub key: Key,
    pub issuer: String,
    pub destination: String,
    pub issued: String,
    pub more: String,
    pub name: String,
    pub sessions: String,
}

pub fn request() -> Message {
    Message {
        is_request: true,
        is_signed: true,
        key: keys::provider(),
        issuer: PROVIDER.to_owned(),
        destination: format!(" Destination=\"{LOGOUT}\""),
        issued: at(-5),
        more: String::new(),
        name: "<saml:NameID>ada-7f3e</saml:NameID>".to_owned(),
        sessions: "<samlp:SessionIndex>_session-1</samlp:SessionIndex>".to_owned(),
    }
}

pub fn answer() -> Message {
    Message { is_request: false, more: format!(" InResponseTo=\"{REQUEST}\""), ..request() }
}

impl Message {
    pub fn make(&self) -> String {
        let template = if self.is_signed {
            signature_template("ds", "_logout-1", RSA_256, &self.key)
        } else {
            String::new()
        };
        let (name, content) = if self.is_request {
            ("LogoutRequest", format!("{}{}", self.name, self.sessions))
        } else {
            ("LogoutResponse", "<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status>".to_owned())
        };
        let xml = format!(
            "<samlp:{name} xmlns:samlp=\"{SAMLP}\" xmlns:saml=\"{SAML}\" ID=\"_logout-1\" Version=\"2.0\" IssueInstant=\"{}\"{}{}>\
             <saml:Issuer>{}</saml:Issuer>{template}{content}</samlp:{name}>",
            self.issued, self.destination, self.more, self.issuer,
        );
        if self.is_signed { signed(&xml, &self.key) } else { xml }
    }

    /// As a query, signed as it stands.
    pub fn query(
        &self,
        relay_state: Option<&str>,
        algorithm: &str,
        digest: MessageDigest,
        escape: impl Fn(&str) -> String,
    ) -> String {
        let message = Self { is_signed: false, ..self.clone() }.make();
        let parameter = if self.is_request { "SAMLRequest" } else { "SAMLResponse" };
        let mut query = format!("{parameter}={}", escape(&deflated(message.as_bytes())));
        if let Some(relay_state) = relay_state {
            query.push_str(&format!("&RelayState={}", escape(relay_state)));
        }
        query.push_str(&format!("&SigAlg={}", escape(algorithm)));
        let key = PKey::private_key_from_der(&self.key.private).expect("a key");
        let signature = Signer::new(digest, &key)
            .and_then(|mut signer| signer.sign_oneshot_to_vec(query.as_bytes()))
            .expect("signs");
        format!("{query}&Signature={}", escape(&STANDARD.encode(signature)))
    }

    fn plain_query(&self) -> String {
        self.query(Some("_relay"), RSA_256.signature, MessageDigest::sha256(), escaped)
    }
}

pub fn escaped(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// As some providers escape: lower-case hexadecimal.
fn escaped_lower(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02x}") })
        .collect()
}

pub fn deflated(bytes: &[u8]) -> String {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory");
    STANDARD.encode(encoder.finish().expect("memory"))
}

pub fn add_good(cases: &mut Cases) {
    let class = "logout";
    cases
        .add(class, "accepted", "request-form", "A request in a form.", request().make())
        .via(Via::LogoutRequestForm);
    cases
        .add(class, "accepted", "answer-form", "An answer in a form.", answer().make())
        .via(Via::LogoutAnswerForm);
    cases
        .add(class, "accepted", "request-query", "A request in a query.", request().plain_query())
        .via(Via::LogoutQuery);
    cases
        .add(class, "accepted", "answer-query", "An answer in a query.", answer().plain_query())
        .via(Via::LogoutQuery);
    let lower = request().query(None, RSA_256.signature, MessageDigest::sha256(), escaped_lower);
    cases
        .add(
            class,
            "accepted",
            "query-lower-case",
            "A query escaped in lower case, without a relay state.",
            lower,
        )
        .via(Via::LogoutQuery);
    let sha512 = request().query(
        None,
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        MessageDigest::sha512(),
        escaped,
    );
    cases
        .add(class, "accepted", "query-sha512", "A query signed with SHA-512.", sha512)
        .via(Via::LogoutQuery);
}

pub fn add(cases: &mut Cases) {
    forms(cases);
    queries(cases);
    relay_states(cases);
}

fn forms(cases: &mut Cases) {
    let class = "logout-form";
    let mut add = |expect: &str, name: &str, about: &str, body: String, via: Via| {
        cases.add(class, expect, name, about, body).via(via);
    };
    let form = Via::LogoutRequestForm;
    add(
        "unsigned",
        "unsigned-request",
        "A request that is not signed.",
        Message { is_signed: false, ..request() }.make(),
        form,
    );
    add(
        "unsigned",
        "unsigned-answer",
        "An answer that is not signed.",
        Message { is_signed: false, ..answer() }.make(),
        Via::LogoutAnswerForm,
    );
    add(
        "unknown_certificate",
        "stranger",
        "A stranger's request.",
        Message { key: keys::attacker(), ..request() }.make(),
        form,
    );
    add(
        "bad_signature",
        "changed-name",
        "The name was changed.",
        request().make().replace("ada-7f3e", "bob-1111"),
        form,
    );
    add(
        "bad_signature",
        "session-taken",
        "The session was taken away: all are to end.",
        request().make().replace("<samlp:SessionIndex>_session-1</samlp:SessionIndex>", ""),
        form,
    );
    add(
        "wrong_issuer",
        "other-issuer",
        "Another provider's.",
        Message { issuer: OTHER_PROVIDER.to_owned(), ..request() }.make(),
        form,
    );
    add(
        "wrong_destination",
        "other-destination",
        "Sent to another address.",
        Message { destination: " Destination=\"https://else.example/\"".to_owned(), ..request() }.make(),
        form,
    );
    add(
        "wrong_destination",
        "no-destination",
        "Sent nowhere.",
        Message { destination: String::new(), ..request() }.make(),
        form,
    );
    add("expired", "old", "Made an hour ago.", Message { issued: at(-3_600), ..request() }.make(), form);
    add(
        "not_yet_valid",
        "later",
        "Made in the future.",
        Message { issued: at(3_600), ..request() }.make(),
        form,
    );
    add(
        "expired",
        "over",
        "Its time is over.",
        Message { more: format!(" NotOnOrAfter=\"{}\"", at(-200)), ..request() }.make(),
        form,
    );
    add(
        "unexpected_element",
        "encrypted-name",
        "The name is encrypted.",
        Message { name: "<saml:EncryptedID/>".to_owned(), ..request() }.make(),
        form,
    );
    add(
        "unexpected_root",
        "answer-as-request",
        "An answer in the place of a request.",
        answer().make(),
        form,
    );
    add(
        "unexpected_root",
        "request-as-answer",
        "A request in the place of an answer.",
        request().make(),
        Via::LogoutAnswerForm,
    );
    add(
        "unexpected_root",
        "response",
        "A sign-in response.",
        crate::forge::recipe(crate::forge::KEYCLOAK).make(),
        form,
    );
    add(
        "no_request",
        "no-request",
        "An answer to nothing.",
        Message { more: String::new(), ..answer() }.make(),
        Via::LogoutAnswerForm,
    );
    add(
        "foreign_reference",
        "fetching",
        "Its signature covers an HTTP address.",
        request().make().replace("URI=\"#_logout-1\"", "URI=\"http://127.0.0.1:18999/ssrf\""),
        form,
    );
    add(
        "comment",
        "comment",
        "A comment in the name.",
        request().make().replace("ada-7f3e", "ada<!-- -->-7f3e"),
        form,
    );
    add(
        "too_many_nodes",
        "sessions",
        "Sessions without end.",
        Message { sessions: "<samlp:SessionIndex>x</samlp:SessionIndex>".repeat(150), ..request() }.make(),
        form,
    );
}

fn queries(cases: &mut Cases) {
    let class = "logout-query";
    let mut add = |expect: &str, name: &str, about: &str, body: String| {
        cases.add(class, expect, name, about, body).via(Via::LogoutQuery);
    };
    let good = request().plain_query();
    let (unsigned, _) = good.split_once("&SigAlg=").expect("signed");
    let (no_value, _) = good.split_once("&Signature=").expect("signed");
    add("unsigned", "unsigned", "Without signature and algorithm.", unsigned.to_owned());
    add("unsigned", "no-signature", "Without signature.", no_value.to_owned());
    add("bad_signature", "empty-signature", "With an empty signature.", format!("{no_value}&Signature="));
    add("bad_signature", "other-relay-state", "Another relay state.", good.replace("_relay", "_other"));
    add(
        "bad_signature",
        "relay-state-taken",
        "Without its relay state.",
        good.replace("&RelayState=_relay", ""),
    );
    add(
        "bad_signature",
        "as-answer",
        "A request's signature over an answer's parameter.",
        good.replace("SAMLRequest=", "SAMLResponse="),
    );
    add(
        "bad_signature",
        "escaped-otherwise",
        "Escaped otherwise than it was signed.",
        good.replacen("_relay", "%5Frelay", 1),
    );
    add("bad_value", "twice", "The message twice.", format!("{good}&SAMLRequest=x"));
    add("bad_value", "signature-twice", "The signature twice.", format!("{good}&Signature=AAAA"));
    add("missing", "both", "A request and an answer.", format!("{good}&SAMLResponse=x"));
    add("missing", "neither", "Neither a request nor an answer.", "RelayState=x".to_owned());
    add(
        "weak_algorithm",
        "sha1",
        "Signed with SHA-1.",
        request().query(None, RSA_SHA1.signature, MessageDigest::sha1(), escaped),
    );
    add(
        "weak_algorithm",
        "hmac",
        "With a shared secret.",
        request().query(
            None,
            "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
            MessageDigest::sha256(),
            escaped,
        ),
    );
    add(
        "bad_signature",
        "other-algorithm",
        "Says ECDSA.",
        request().query(
            None,
            "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
            MessageDigest::sha256(),
            escaped,
        ),
    );
    add(
        "bad_signature",
        "stranger",
        "A stranger's.",
        Message { key: keys::attacker(), ..request() }.plain_query(),
    );
    add(
        "wrong_issuer",
        "other-issuer",
        "Another provider's.",
        Message { issuer: OTHER_PROVIDER.to_owned(), ..request() }.plain_query(),
    );
    add(
        "wrong_destination",
        "other-destination",
        "Sent to another address.",
        Message { destination: " Destination=\"https://else.example/\"".to_owned(), ..request() }
            .plain_query(),
    );
    add("expired", "old", "Made an hour ago.", Message { issued: at(-3_600), ..request() }.plain_query());
    add("unexpected_root", "answer-in-request", "An answer in the request's parameter.", relabelled());

    let class = "deflate-bomb";
    let mut bomb = |expect: &str, name: &str, about: &str, message: &str| {
        cases.add(class, expect, name, about, sign_query(message)).via(Via::LogoutQuery);
    };
    bomb(
        "too_large",
        "zeros",
        "Thirty megabytes of zeros in thirty kilobytes.",
        &deflated(&vec![0; 30_000_000]),
    );
    bomb(
        "too_large",
        "spaces",
        "A message and 300,000 spaces.",
        &deflated(
            format!("{}{}", Message { is_signed: false, ..request() }.make(), " ".repeat(300_000)).as_bytes(),
        ),
    );
    bomb("not_deflated", "plain", "Not compressed.", &STANDARD.encode(request().make()));
    bomb("not_deflated", "noise", "Not compressed either.", &STANDARD.encode([0xff; 100]));
    bomb("not_base64", "not-base64", "Not Base64.", "%%%");
    bomb("not_xml", "nothing", "Nothing, compressed.", &deflated(b""));
}

/// An answer in the parameter of requests, signed so.
fn relabelled() -> String {
    sign_query(&deflated(Message { is_signed: false, ..answer() }.make().as_bytes()))
}

fn sign_query(message: &str) -> String {
    let query = format!("SAMLRequest={}&SigAlg={}", escaped(message), escaped(RSA_256.signature));
    let key = PKey::private_key_from_der(&keys::provider().private).expect("a key");
    let signature = Signer::new(MessageDigest::sha256(), &key)
        .and_then(|mut signer| signer.sign_oneshot_to_vec(query.as_bytes()))
        .expect("signs");
    format!("{query}&Signature={}", escaped(&STANDARD.encode(signature)))
}

fn relay_states(cases: &mut Cases) {
    for (name, relay_state) in [
        ("foreign-site", "https://evil.example/"),
        ("without-scheme", "//evil.example/"),
        ("path", "/productions"),
        ("script", "javascript:alert(1)"),
        ("markup", "\"><script>alert(1)</script>"),
        ("backslash", "\\\\evil.example"),
        ("lines", "_0123456789abcdef0123456789abcdef\r\nLocation: https://evil.example/"),
        ("upper-case", "_0123456789ABCDEF0123456789ABCDEF"),
        ("short", "_0123"),
        ("empty", ""),
    ] {
        cases
            .add("relay-state", "relay_state", name, "A relay state that is not one of ours.", relay_state)
            .via(Via::RelayState);
    }
}
