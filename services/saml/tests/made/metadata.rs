//! Metadata of identity providers.

use super::{Cases, Via};
use crate::forge::keys::{self, Key};
use crate::forge::{PROVIDER, RSA_256, provider_metadata, signature_template, signed};

fn good() -> String {
    provider_metadata(PROVIDER, &[keys::provider()])
}

/// Metadata with a signature.
fn signed_metadata(key: &Key) -> String {
    let template = signature_template("ds", "_metadata", RSA_256, key);
    signed(&good().replacen("<md:IDPSSODescriptor", &format!("{template}<md:IDPSSODescriptor"), 1), key)
}

pub fn add_good(cases: &mut Cases) {
    let class = "metadata";
    cases.add(class, "accepted", "plain", "An entity.", good()).via(Via::Metadata);
    let entities = format!(
        "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{}</md:EntitiesDescriptor>",
        good()
    );
    cases
        .add(class, "accepted", "entities", "A list of entities with one identity provider.", entities)
        .via(Via::Metadata);
    cases
        .add(class, "accepted", "signed", "Signed, as it must be.", signed_metadata(&keys::provider_next()))
        .via(Via::SignedMetadata);
    cases
        .add(
            class,
            "accepted",
            "comment",
            "With a declaration and a comment.",
            format!("<?xml version=\"1.0\"?>\n<!-- ours -->\n{}", good()),
        )
        .via(Via::Metadata);
    cases
        .add(
            class,
            "accepted",
            "extensions",
            "With extensions and what else metadata has.",
            good().replacen(
                "<md:IDPSSODescriptor",
                "<md:Extensions><x xmlns=\"urn:x\"><y/></x></md:Extensions><md:IDPSSODescriptor",
                1,
            ),
        )
        .via(Via::Metadata);
}

pub fn add(cases: &mut Cases) {
    let class = "metadata";
    let mut add = |expect: &str, name: &str, about: &str, body: String, via: Via| {
        cases.add(class, expect, name, about, body).via(via);
    };
    let plain = Via::Metadata;
    add(
        "no_certificate",
        "no-certificate",
        "Without a certificate.",
        provider_metadata(PROVIDER, &[]),
        plain,
    );
    add(
        "no_certificate",
        "only-encryption",
        "With a certificate for encryption only.",
        good().replace("use=\"signing\"", "use=\"encryption\""),
        plain,
    );
    let weak = Key { private: Vec::new(), certificate: keys::weak_certificate() };
    add(
        "bad_certificate",
        "weak-key",
        "With an RSA key of 1024 bits.",
        provider_metadata(PROVIDER, &[weak]),
        plain,
    );
    add(
        "bad_certificate",
        "broken-certificate",
        "With a certificate that is none.",
        provider_metadata(PROVIDER, &[Key { private: Vec::new(), certificate: vec![1, 2, 3] }]),
        plain,
    );
    add(
        "metadata_expired",
        "expired",
        "Out of date.",
        good().replacen("entityID=", "validUntil=\"2026-01-01T00:00:00Z\" entityID=", 1),
        plain,
    );
    add(
        "metadata_expired",
        "expired-role",
        "The role is out of date.",
        good().replacen(
            "<md:IDPSSODescriptor",
            "<md:IDPSSODescriptor validUntil=\"2026-01-01T00:00:00Z\"",
            1,
        ),
        plain,
    );
    add(
        "bad_value",
        "bad-date",
        "A date that is none.",
        good().replacen("entityID=", "validUntil=\"soon\" entityID=", 1),
        plain,
    );
    let second = good().replace("_metadata", "_second").replace(PROVIDER, "https://second.example");
    let list = |inner: &str| {
        format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{inner}</md:EntitiesDescriptor>"
        )
    };
    add("several_providers", "two", "Two providers.", list(&format!("{}{second}", good())), plain);
    add("not_a_provider", "none", "No provider.", list(""), plain);
    add(
        "not_a_provider",
        "service",
        "A service provider.",
        good().replace("IDPSSODescriptor", "SPSSODescriptor"),
        plain,
    );
    add(
        "not_a_provider",
        "saml-1",
        "A provider of SAML 1.1.",
        good().replacen(
            "protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"",
            "protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:1.1:protocol\"",
            1,
        ),
        plain,
    );
    add("not_a_provider", "html", "An HTML page.", "<html><body>Sign in</body></html>".to_owned(), plain);
    add(
        "no_sign_on",
        "no-address",
        "Without a sign-in address.",
        good().replace("SingleSignOnService", "OtherService"),
        plain,
    );
    add(
        "bad_endpoint",
        "http",
        "An address without TLS.",
        good().replace("https://idp.studio.example/sso", "http://idp.studio.example/sso"),
        plain,
    );
    add(
        "bad_endpoint",
        "script",
        "An address that is a script.",
        good().replace("https://idp.studio.example/sso", "javascript:alert(1)"),
        plain,
    );
    add(
        "bad_endpoint",
        "user",
        "An address with a password.",
        good().replace("https://idp.studio.example/sso", "https://a:b@idp.studio.example/sso"),
        plain,
    );
    add(
        "bad_endpoint",
        "relative",
        "An address that is a path.",
        good().replace("https://idp.studio.example/sso", "/sso"),
        plain,
    );
    add("doctype", "doctype", "With a document type.", format!("<!DOCTYPE x>{}", good()), plain);
    add(
        "doctype",
        "entity",
        "With an entity from a file.",
        format!(
            "<!DOCTYPE x [<!ENTITY x SYSTEM \"file:///etc/hostname\">]>{}",
            good().replace(PROVIDER, "&x;")
        ),
        plain,
    );
    add(
        "too_large",
        "large",
        "Two megabytes.",
        format!("{}{}", good(), " ".repeat(100)).replacen(
            "<md:IDPSSODescriptor",
            &format!("{}<md:IDPSSODescriptor", " ".repeat(1_100_000)),
            1,
        ),
        plain,
    );
    add(
        "comment",
        "comment-in-certificate",
        "A comment in the certificate.",
        good().replacen("</ds:X509Certificate>", "<!-- --></ds:X509Certificate>", 1),
        plain,
    );
    add(
        "missing",
        "nameless",
        "Without an entity ID.",
        good().replacen(&format!("entityID=\"{PROVIDER}\""), "", 1),
        plain,
    );

    let must = Via::SignedMetadata;
    add("unsigned", "unsigned", "Not signed, though it must be.", good(), must);
    add("bad_signature", "stranger", "Signed by a stranger.", signed_metadata(&keys::attacker()), must);
    add(
        "bad_signature",
        "changed",
        "Changed after it was signed.",
        signed_metadata(&keys::provider_next()).replace("idp.studio.example/sso", "idp.evil.example/sso"),
        must,
    );
    let signed = signed_metadata(&keys::provider_next());
    let evil = good().replace("_metadata", "_evil").replace("idp.studio.example", "idp.evil.example");
    add(
        "misplaced_signature",
        "wrapped",
        "The signed metadata in a list behind a stranger's.",
        list(&format!("{evil}{signed}")),
        must,
    );
    add(
        "misplaced_signature",
        "in-extensions",
        "The signed metadata in the extensions of a stranger's.",
        evil.replacen(
            "<md:IDPSSODescriptor",
            &format!("<md:Extensions>{signed}</md:Extensions><md:IDPSSODescriptor"),
            1,
        ),
        must,
    );
    add(
        "foreign_reference",
        "fetching",
        "Its signature covers an HTTP address.",
        signed.replace("URI=\"#_metadata\"", "URI=\"http://127.0.0.1:18999/ssrf\""),
        must,
    );
    add("transform", "stylesheet", "Its signature has a stylesheet.", signed.replacen("<ds:Transforms>", &format!("<ds:Transforms><ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\">{}</ds:Transform>", super::signatures::XSLT), 1), must);
}
