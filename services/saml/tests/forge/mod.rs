//! Makes documents as identity providers do, in the shapes of five of them, and signs and encrypts them.
//!
//! Signatures are libxmlsec1's, so that what is verified was not made by the code under test.

// Tests and fuzzing use different parts of it.
#![allow(dead_code)]

pub mod encrypt;
pub mod keys;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use kinora_saml::{Connection, IdentityProvider, PendingRequest, Refusal, ServiceProvider, SignIn};
use kinora_saml_verifier::InProcess;
use samael::crypto::{Crypto, CryptoProvider as _};

use keys::Key;

pub const PROVIDER: &str = "https://idp.studio.example/saml";
pub const OTHER_PROVIDER: &str = "https://idp.vendor.example/saml";
pub const SERVICE: &str = "https://kinora.studio.example/saml";
pub const ACS: &str = "https://kinora.studio.example/saml/acs";
pub const LOGOUT: &str = "https://kinora.studio.example/saml/logout";
pub const REQUEST: &str = "_0123456789abcdef0123456789abcdef";
pub const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
pub const SAMLP: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
pub const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
pub const EXC: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// The instant at which every document of the corpus arrives.
pub fn now() -> DateTime<Utc> {
    "2026-11-22T12:00:00Z".parse().expect("an instant")
}

/// Seconds from [`now`], as documents have it.
pub fn at(seconds: i64) -> String {
    (now() + TimeDelta::seconds(seconds)).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// How a vendor writes.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub name: &'static str,
    /// Prefix of the protocol, of assertions (none: default name space), and of signatures (none: likewise).
    pub samlp: &'static str,
    pub saml: &'static str,
    pub ds: &'static str,
    /// What stands in an `AttributeValue`'s tag.
    pub value: &'static str,
    /// `NameFormat` of attributes.
    pub format: &'static str,
    pub names: [&'static str; 3],
}

pub const KEYCLOAK: Style = Style {
    name: "keycloak",
    samlp: "samlp",
    saml: "saml",
    ds: "dsig",
    value: r#" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string""#,
    format: r#" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic""#,
    names: ["name", "email", "Role"],
};
pub const OKTA: Style = Style {
    name: "okta",
    samlp: "saml2p",
    saml: "saml2",
    ds: "ds",
    value: r#" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string""#,
    format: r#" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified""#,
    names: ["displayName", "email", "groups"],
};
pub const ENTRA: Style = Style {
    name: "entra",
    samlp: "samlp",
    saml: "",
    ds: "",
    value: "",
    format: "",
    names: [
        "http://schemas.microsoft.com/identity/claims/displayname",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
    ],
};
pub const ADFS: Style = Style {
    name: "adfs",
    samlp: "samlp",
    saml: "",
    ds: "ds",
    value: "",
    format: r#" a:OriginalIssuer="https://sts.studio.example/adfs" xmlns:a="http://schemas.xmlsoap.org/ws/2009/09/identity/claims""#,
    names: [
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
        "http://schemas.xmlsoap.org/claims/Group",
    ],
};
pub const GOOGLE: Style = Style {
    name: "google",
    samlp: "saml2p",
    saml: "saml2",
    ds: "ds",
    value: r#" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:anyType""#,
    format: "",
    names: ["name", "email", "groups"],
};
pub const STYLES: [Style; 5] = [KEYCLOAK, OKTA, ENTRA, ADFS, GOOGLE];

impl Style {
    pub fn p(&self, name: &str) -> String {
        format!("{}:{name}", self.samlp)
    }

    pub fn a(&self, name: &str) -> String {
        if self.saml.is_empty() { name.to_owned() } else { format!("{}:{name}", self.saml) }
    }

    pub fn declares_saml(&self) -> String {
        if self.saml.is_empty() {
            format!(" xmlns=\"{SAML}\"")
        } else {
            format!(" xmlns:{}=\"{SAML}\"", self.saml)
        }
    }
}

/// Signature and digest algorithm.
#[derive(Clone, Copy, Debug)]
pub struct Algorithm {
    pub name: &'static str,
    pub signature: &'static str,
    pub digest: &'static str,
}

macro_rules! algorithm {
    ($const:ident, $name:literal, $signature:literal, $digest:literal) => {
        pub const $const: Algorithm = Algorithm { name: $name, signature: $signature, digest: $digest };
    };
}
algorithm!(
    RSA_256,
    "rsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmlenc#sha256"
);
algorithm!(
    RSA_384,
    "rsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#sha384"
);
algorithm!(
    RSA_512,
    "rsa-sha512",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    "http://www.w3.org/2001/04/xmlenc#sha512"
);
algorithm!(
    EC_256,
    "ecdsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "http://www.w3.org/2001/04/xmlenc#sha256"
);
algorithm!(
    EC_384,
    "ecdsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#sha384"
);
algorithm!(
    EC_512,
    "ecdsa-sha512",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
    "http://www.w3.org/2001/04/xmlenc#sha512"
);
algorithm!(
    RSA_SHA1,
    "rsa-sha1",
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    "http://www.w3.org/2000/09/xmldsig#sha1"
);
algorithm!(
    RSA_MIXED,
    "rsa-sha256 over sha1",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2000/09/xmldsig#sha1"
);

/// Everything that can be chosen about a response. Texts are written as they stand, so that they may hold markup.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub style: Style,
    pub key: Key,
    pub algorithm: Algorithm,
    pub sign_response: bool,
    pub sign_assertion: bool,
    pub encrypt: Option<encrypt::Scheme>,
    pub response_id: String,
    pub assertion_id: String,
    pub version: String,
    pub destination: Option<String>,
    pub response_to: Option<String>,
    pub confirmed_for: Option<String>,
    pub response_issuer: String,
    pub issuer: String,
    pub issued: String,
    pub status: String,
    pub name_id: String,
    pub method: String,
    pub recipient: Option<String>,
    pub confirmed_until: Option<String>,
    pub confirmations: String,
    pub not_before: Option<String>,
    pub not_on_or_after: Option<String>,
    pub conditions: String,
    pub authentication: String,
    pub attributes: String,
    /// Further things at the end of the assertion, and in the response before and behind it.
    pub more: String,
    pub before: String,
    pub behind: String,
    /// Declarations and attributes more in the tags of response and assertion.
    pub response_tag: String,
    pub assertion_tag: String,
    /// Changes of the signature's template.
    pub template: Vec<(String, String)>,
}

/// A recipe in the style, signed assertion, all as it should be.
pub fn recipe(style: Style) -> Recipe {
    let a = |name: &str| style.a(name);
    let named = |name: &str, values: &[&str]| {
        let values: String =
            values.iter().map(|v| format!("<{0}{1}>{v}</{0}>", a("AttributeValue"), style.value)).collect();
        format!("<{0} Name=\"{name}\"{1}>{values}</{0}>", a("Attribute"), style.format)
    };
    let [name, email, groups] = style.names;
    let attributes = format!(
        "<{0}>{1}{2}{3}</{0}>",
        a("AttributeStatement"),
        named(name, &["Ada Löwe &amp; Söhne"]),
        named(email, &["ada@studio.example"]),
        named(groups, &["kinora-editors", "kinora-library"]),
    );
    let context = format!(
        "<{0}><{1}>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</{1}></{0}>",
        a("AuthnContext"),
        a("AuthnContextClassRef"),
    );
    Recipe {
        style,
        key: keys::provider(),
        algorithm: RSA_256,
        sign_response: false,
        sign_assertion: true,
        encrypt: None,
        response_id: "_response-1".to_owned(),
        assertion_id: "_assertion-1".to_owned(),
        version: "2.0".to_owned(),
        destination: Some(ACS.to_owned()),
        response_to: Some(REQUEST.to_owned()),
        confirmed_for: Some(REQUEST.to_owned()),
        response_issuer: PROVIDER.to_owned(),
        issuer: PROVIDER.to_owned(),
        issued: at(-5),
        status: "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/>"
            .replace("samlp", style.samlp),
        name_id: format!(
            "<{0} Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">ada-7f3e</{0}>",
            a("NameID")
        ),
        method: "urn:oasis:names:tc:SAML:2.0:cm:bearer".to_owned(),
        recipient: Some(ACS.to_owned()),
        confirmed_until: Some(at(300)),
        confirmations: String::new(),
        not_before: Some(at(-60)),
        not_on_or_after: Some(at(300)),
        conditions: format!("<{0}><{1}>{SERVICE}</{1}></{0}>", a("AudienceRestriction"), a("Audience")),
        authentication: format!(
            "<{0} AuthnInstant=\"{1}\" SessionIndex=\"_session-1\">{context}</{0}>",
            a("AuthnStatement"),
            at(-10)
        ),
        attributes,
        more: String::new(),
        before: String::new(),
        behind: String::new(),
        response_tag: String::new(),
        assertion_tag: String::new(),
        template: Vec::new(),
    }
}

fn attribute(name: &str, value: Option<&String>) -> String {
    value.map(|value| format!(" {name}=\"{value}\"")).unwrap_or_default()
}

impl Recipe {
    /// The document.
    pub fn make(&self) -> String {
        let assertion = self.assertion();
        let content = match &self.encrypt {
            None => assertion,
            Some(scheme) => {
                let name = self.style.a("EncryptedAssertion");
                let inner = encrypt::encrypted(scheme, assertion.as_bytes());
                format!("<{name}{}>{inner}</{name}>", self.style.declares_saml())
            }
        };
        self.response(&content)
    }

    /// The assertion alone.
    pub fn assertion(&self) -> String {
        let s = &self.style;
        let a = |name: &str| s.a(name);
        let template = if self.sign_assertion { self.signature(&self.assertion_id) } else { String::new() };
        let data = format!(
            "<{}{}{}{}/>",
            a("SubjectConfirmationData"),
            attribute("InResponseTo", self.confirmed_for.as_ref()),
            attribute("NotOnOrAfter", self.confirmed_until.as_ref()),
            attribute("Recipient", self.recipient.as_ref()),
        );
        let confirmation = if self.confirmations.is_empty() {
            format!("<{0} Method=\"{1}\">{data}</{0}>", a("SubjectConfirmation"), self.method)
        } else {
            self.confirmations.clone()
        };
        let subject = format!("<{0}>{1}{confirmation}</{0}>", a("Subject"), self.name_id);
        let conditions = format!(
            "<{0}{1}{2}>{3}</{0}>",
            a("Conditions"),
            attribute("NotBefore", self.not_before.as_ref()),
            attribute("NotOnOrAfter", self.not_on_or_after.as_ref()),
            self.conditions,
        );
        let xml = format!(
            "<{0}{1} ID=\"{2}\" IssueInstant=\"{3}\" Version=\"{4}\"{5}><{6}>{7}</{6}>{template}{subject}{conditions}{8}{9}{10}</{0}>",
            a("Assertion"),
            s.declares_saml(),
            self.assertion_id,
            self.issued,
            self.version,
            self.assertion_tag,
            a("Issuer"),
            self.issuer,
            self.authentication,
            self.attributes,
            self.more,
        );
        if self.sign_assertion { signed(&xml, &self.key) } else { xml }
    }

    /// The response around an assertion.
    pub fn response(&self, content: &str) -> String {
        let s = &self.style;
        let template = if self.sign_response { self.signature(&self.response_id) } else { String::new() };
        let issuer = format!("<{0}{1}>{2}</{0}>", s.a("Issuer"), s.declares_saml(), self.response_issuer);
        let xml = format!(
            "<{0} xmlns:{1}=\"{SAMLP}\"{2}{3} ID=\"{4}\"{5} IssueInstant=\"{6}\" Version=\"{7}\">{issuer}{template}{8}<{9}>{10}</{9}>{content}{11}</{0}>",
            s.p("Response"),
            s.samlp,
            self.response_tag,
            attribute("Destination", self.destination.as_ref()),
            self.response_id,
            attribute("InResponseTo", self.response_to.as_ref()),
            self.issued,
            self.version,
            self.before,
            s.p("Status"),
            self.status,
            self.behind,
        );
        if self.sign_response { signed(&xml, &self.key) } else { xml }
    }

    /// A signature without its values.
    fn signature(&self, id: &str) -> String {
        let mut template = signature_template(self.style.ds, id, self.algorithm, &self.key);
        for (from, to) in &self.template {
            assert!(template.contains(from), "{from} is not in {template}");
            template = template.replace(from, to);
        }
        template
    }
}

/// A signature without its values, over the element with this ID.
pub fn signature_template(prefix: &str, id: &str, algorithm: Algorithm, key: &Key) -> String {
    let template = format!(
        "<Signature xmlns=\"{DS}\"><SignedInfo><CanonicalizationMethod Algorithm=\"{EXC}\"/>\
         <SignatureMethod Algorithm=\"{}\"/><Reference URI=\"#{id}\"><Transforms>\
         <Transform Algorithm=\"{DS}enveloped-signature\"/><Transform Algorithm=\"{EXC}\"/></Transforms>\
         <DigestMethod Algorithm=\"{}\"/><DigestValue/></Reference></SignedInfo><SignatureValue/>\
         <KeyInfo><X509Data><X509Certificate>{}</X509Certificate></X509Data></KeyInfo></Signature>",
        algorithm.signature,
        algorithm.digest,
        STANDARD.encode(&key.certificate),
    );
    if prefix.is_empty() {
        return template;
    }
    template
        .replace("</", "\u{1}")
        .replace('<', &format!("<{prefix}:"))
        .replace('\u{1}', &format!("</{prefix}:"))
        .replace("xmlns=", &format!("xmlns:{prefix}="))
}

/// Signs the first signature template of a document.
pub fn signed(xml: &str, key: &Key) -> String {
    let signed = Crypto::sign_xml(xml, &key.private).unwrap_or_else(|error| panic!("{error}: {xml}"));
    let (_, document) = signed.split_once("?>").expect("libxml2 writes a declaration");
    document.trim().to_owned()
}

/// What is there once: the provider and ourselves.
#[derive(Debug)]
pub struct World {
    pub provider: IdentityProvider,
    pub service: ServiceProvider,
}

/// The world that the corpus lives in.
pub fn world() -> World {
    let keys = [keys::provider(), keys::p256(), keys::p384()];
    world_with(&provider_metadata(PROVIDER, &keys)).expect("the provider's metadata")
}

/// The same with another provider.
pub fn world_with(metadata: &str) -> Result<World, Refusal> {
    Ok(World {
        provider: IdentityProvider::from_metadata(metadata.as_bytes(), &[], &InProcess, now())?,
        service: ServiceProvider {
            entity_id: SERVICE.to_owned(),
            acs_url: ACS.to_owned(),
            logout_url: LOGOUT.to_owned(),
            key: keys::service(),
            other_key: None,
        },
    })
}

/// Metadata of a provider.
pub fn provider_metadata(entity_id: &str, keys: &[Key]) -> String {
    let keys: String = keys
        .iter()
        .map(|key| {
            format!(
                "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"{DS}\"><ds:X509Data><ds:X509Certificate>{}\
                 </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>",
                STANDARD.encode(&key.certificate)
            )
        })
        .collect();
    let place = |name: &str, address: &str| {
        ["Redirect", "POST"]
            .map(|binding| {
                format!(
                    "<md:{name} Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-{binding}\" Location=\"{address}\"/>"
                )
            })
            .concat()
    };
    format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{entity_id}\" ID=\"_metadata\">\
         <md:IDPSSODescriptor protocolSupportEnumeration=\"{SAMLP}\" WantAuthnRequestsSigned=\"true\">{keys}{}{}\
         </md:IDPSSODescriptor></md:EntityDescriptor>",
        place("SingleLogoutService", "https://idp.studio.example/slo"),
        place("SingleSignOnService", "https://idp.studio.example/sso"),
    )
}

/// The request that responses answer.
pub fn pending() -> PendingRequest {
    PendingRequest {
        id: REQUEST.to_owned(),
        made: now() - TimeDelta::seconds(60),
        force: false,
        contexts: Vec::new(),
    }
}

impl World {
    pub fn connection(&self) -> Connection<'_> {
        Connection {
            service: &self.service,
            provider: &self.provider,
            verifier: &InProcess,
            clock_skew: TimeDelta::seconds(120),
        }
    }

    /// Takes a document as the answer to [`pending`].
    pub fn receive(&self, document: &[u8]) -> Result<SignIn, Refusal> {
        self.connection().receive(&STANDARD.encode(document), &pending(), now())
    }
}
