//! Signatures that are missing, empty, of a stranger, over something else, or computed in a dangerous way.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Cases;
use crate::forge::{
    DS, EC_256, EXC, KEYCLOAK, RSA_256, RSA_MIXED, RSA_SHA1, keys, recipe, signature_template,
};

pub fn add(cases: &mut Cases) {
    unsigned(cases);
    empty(cases);
    strangers(cases);
    key_info(cases);
    references(cases);
    transforms(cases);
    canonicalisation(cases);
    weak(cases);
    changed(cases);
}

/// The whole signature of the good document, to be replaced.
fn good() -> (String, String) {
    let document = recipe(KEYCLOAK).make();
    let start = document.find("<dsig:Signature ").expect("a signature");
    let end = document.find("</dsig:Signature>").expect("its end") + "</dsig:Signature>".len();
    let signature = document.get(start..end).expect("a signature").to_owned();
    (document, signature)
}

fn unsigned(cases: &mut Cases) {
    let class = "unsigned";
    cases.forged(class, "unsigned", "never-signed", "Nothing is signed.", |r| r.sign_assertion = false);
    let (document, signature) = good();
    cases.add(
        class,
        "unsigned",
        "taken-away",
        "The signature was taken away.",
        document.replace(&signature, ""),
    );
    cases.forged(
        class,
        "unsigned",
        "encrypted-only",
        "Encrypted for us by anybody, with AES-GCM, not signed.",
        |r| {
            (r.sign_assertion, r.encrypt) = (false, Some(crate::forge::encrypt::gcm()));
        },
    );
    cases.add(
        class,
        "unexpected_element",
        "renamed",
        "The signature has another name.",
        document.replace("dsig:Signature>", "dsig:Signatur>").replace("<dsig:Signature ", "<dsig:Signatur "),
    );
    cases.add(
        class,
        "unexpected_element",
        "other-namespace",
        "The signature is in another name space.",
        document.replace(
            "xmlns:dsig=\"http://www.w3.org/2000/09/xmldsig#\"",
            "xmlns:dsig=\"http://www.w3.org/2000/10/xmldsig#\"",
        ),
    );
    cases.add(
        class,
        "comment",
        "commented-out",
        "The signature stands in a comment.",
        document.replace(&signature, &format!("<!--{signature}-->")),
    );
}

fn empty(cases: &mut Cases) {
    let class = "empty-signature";
    let (document, signature) = good();
    let put = |xml: &str| document.replace(&signature, xml);
    let emptied = |from: &str, to: &str| {
        let start = signature.find(from).expect("begins") + from.len();
        let end = signature.find(to).expect("ends");
        put(&format!("{}{}", signature.get(..start).expect("start"), signature.get(end..).expect("end")))
    };
    cases.add(
        class,
        "missing",
        "nothing-in-it",
        "A signature without anything in it.",
        put(&format!("<dsig:Signature xmlns:dsig=\"{DS}\"/>")),
    );
    cases.add(
        class,
        "bad_signature",
        "no-value",
        "SignatureValue is empty.",
        emptied("<dsig:SignatureValue>", "</dsig:SignatureValue>"),
    );
    cases.add(
        class,
        "bad_signature",
        "no-digest",
        "DigestValue is empty.",
        emptied("<dsig:DigestValue>", "</dsig:DigestValue>"),
    );
    cases.add(
        class,
        "missing",
        "no-signed-info",
        "SignedInfo is empty.",
        emptied("<dsig:SignedInfo>", "</dsig:SignedInfo>"),
    );
    cases.add(
        class,
        "several_references",
        "no-reference",
        "There is no reference.",
        put(&cut(&signature, "<dsig:Reference ", "</dsig:Reference>")),
    );
    cases.add(
        class,
        "unexpected_element",
        "only-key",
        "Only the key is left.",
        put(&cut(
            &cut(&signature, "<dsig:SignedInfo>", "</dsig:SignedInfo>"),
            "<dsig:SignatureValue>",
            "</dsig:SignatureValue>",
        )),
    );
    cases.add(
        class,
        "bad_signature",
        "zeros",
        "SignatureValue is zeros.",
        put(&replaced(
            &signature,
            "<dsig:SignatureValue>",
            "</dsig:SignatureValue>",
            &STANDARD.encode([0; 256]),
        )),
    );
    cases.add(
        class,
        "bad_signature",
        "short-digest",
        "DigestValue is one octet.",
        put(&replaced(&signature, "<dsig:DigestValue>", "</dsig:DigestValue>", "AA==")),
    );
}

/// Without the first piece from `from` to `to`.
fn cut(text: &str, from: &str, to: &str) -> String {
    let start = text.find(from).expect("begins");
    let end = text.get(start..).and_then(|rest| rest.find(to)).expect("ends") + start + to.len();
    format!("{}{}", text.get(..start).expect("start"), text.get(end..).expect("end"))
}

/// With other content between `from` and `to`.
fn replaced(text: &str, from: &str, to: &str, content: &str) -> String {
    let start = text.find(from).expect("begins") + from.len();
    let end = text.get(start..).and_then(|rest| rest.find(to)).expect("ends") + start;
    format!("{}{content}{}", text.get(..start).expect("start"), text.get(end..).expect("end"))
}

fn x509(der: &[u8]) -> String {
    format!(
        "<dsig:X509Data><dsig:X509Certificate>{}</dsig:X509Certificate></dsig:X509Data>",
        STANDARD.encode(der)
    )
}

fn strangers(cases: &mut Cases) {
    let class = "foreign-key";
    let (attacker, provider) = (keys::attacker(), keys::provider());
    let own = x509(&attacker.certificate);
    let with_info = |info: &str| {
        let (attacker, own, info) = (attacker.clone(), own.clone(), info.to_owned());
        move |r: &mut crate::forge::Recipe| {
            (r.key, r.template) = (attacker.clone(), vec![(own.clone(), info.clone())]);
        }
    };
    cases.forged(
        class,
        "unknown_certificate",
        "own-certificate",
        "Signed by a stranger, with the stranger's certificate.",
        with_info(&own),
    );
    cases.forged(
        class,
        "bad_signature",
        "our-providers-certificate",
        "Signed by a stranger, with the provider's certificate.",
        with_info(&x509(&provider.certificate)),
    );
    cases.forged(
        class,
        "bad_signature",
        "both-certificates",
        "Signed by a stranger, with both certificates.",
        with_info(&format!("{}{own}", x509(&provider.certificate))),
    );
    cases.forged(
        class,
        "bad_signature",
        "both-certificates-in-one",
        "Signed by a stranger, both certificates in one X509Data.",
        with_info(
            &format!("{own}{}", x509(&provider.certificate)).replace("</dsig:X509Data><dsig:X509Data>", ""),
        ),
    );
    cases.forged(
        class,
        "bad_signature",
        "key-name",
        "Signed by a stranger, with a key name.",
        with_info("<dsig:KeyName>idp</dsig:KeyName>"),
    );
    cases.forged(
        class,
        "bad_signature",
        "key-value",
        "Signed by a stranger, with the key itself.",
        with_info(&rsa_key_value(&attacker)),
    );
    cases.forged(
        class,
        "key_info",
        "broken-certificate",
        "Signed by a stranger, with a certificate that is not Base64.",
        with_info("<dsig:X509Data><dsig:X509Certificate>%</dsig:X509Certificate></dsig:X509Data>"),
    );
    cases.forged(class, "unknown_certificate", "response-too", "Signed by a stranger in both places.", |r| {
        (r.key, r.sign_response) = (attacker.clone(), true);
    });
    cases.forged(
        class,
        "unknown_certificate",
        "next-certificate",
        "Signed with a certificate that this connection was not yet told of.",
        |r| r.key = keys::provider_next(),
    );
    cases.forged(
        class,
        "unknown_certificate",
        "other-provider",
        "Signed by another organisation's provider in the name of this one.",
        |r| r.key = keys::other_provider(),
    );
    let mut inner = recipe(KEYCLOAK);
    inner.key = attacker.clone();
    let assertion = inner.assertion();
    let mut outer = recipe(KEYCLOAK);
    outer.sign_response = true;
    cases.add(
        class,
        "unknown_certificate",
        "stranger-within",
        "The response is the provider's, the assertion in it a stranger's.",
        outer.response(&assertion),
    );
    let mut outer = inner.clone();
    (outer.sign_response, inner.key) = (true, provider.clone());
    let assertion = inner.assertion();
    cases.add(
        class,
        "unknown_certificate",
        "stranger-around",
        "The assertion is the provider's, the response a stranger's.",
        outer.response(&assertion),
    );
}

fn rsa_key_value(key: &keys::Key) -> String {
    let rsa = openssl::rsa::Rsa::private_key_from_der(&key.private).expect("RSA");
    format!(
        "<dsig:KeyValue><dsig:RSAKeyValue><dsig:Modulus>{}</dsig:Modulus><dsig:Exponent>{}</dsig:Exponent></dsig:RSAKeyValue></dsig:KeyValue>",
        STANDARD.encode(rsa.n().to_vec()),
        STANDARD.encode(rsa.e().to_vec())
    )
}

fn key_info(cases: &mut Cases) {
    let class = "key-info";
    let (document, signature) = good();
    let mut add = |expect: &str, name: &str, about: &str, info: &str| {
        let signature_with = replaced(&signature, "<dsig:KeyInfo>", "</dsig:KeyInfo>", info);
        cases.add(class, expect, name, about, document.replace(&signature, &signature_with));
    };
    let retrieval =
        |uri: &str| format!("<dsig:RetrievalMethod URI=\"{uri}\" Type=\"{DS}rawX509Certificate\"/>");
    add(
        "key_info",
        "retrieval-http",
        "The key is to be fetched over HTTP.",
        &retrieval("http://127.0.0.1:18999/key"),
    );
    add(
        "key_info",
        "retrieval-file",
        "The key is to be read from a file.",
        &retrieval("file:///etc/hostname"),
    );
    add(
        "key_info",
        "retrieval-within",
        "The key stands elsewhere in the document.",
        &retrieval("#_assertion-1"),
    );
    add(
        "key_info",
        "reference",
        "KeyInfoReference.",
        "<dsig11:KeyInfoReference xmlns:dsig11=\"http://www.w3.org/2009/xmldsig11#\" URI=\"http://127.0.0.1:18999/\"/>",
    );
    add(
        "key_info",
        "pgp",
        "A PGP key.",
        "<dsig:PGPData><dsig:PGPKeyID>AAAAAAAAAAA=</dsig:PGPKeyID></dsig:PGPData>",
    );
    add(
        "key_info",
        "encrypted-key",
        "An encrypted key.",
        "<xenc:EncryptedKey xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\"/>",
    );
    add(
        "key_info",
        "crl",
        "A revocation list.",
        "<dsig:X509Data><dsig:X509CRL>AAAA</dsig:X509CRL></dsig:X509Data>",
    );
    add("key_info", "management-data", "MgmtData.", "<dsig:MgmtData>x</dsig:MgmtData>");
    add(
        "key_info",
        "security-token",
        "A reference to a token (WS-Security).",
        "<o:SecurityTokenReference xmlns:o=\"urn:o\"/>",
    );
    add("key_info", "dsa", "A DSA key.", "<dsig:KeyValue><dsig:DSAKeyValue/></dsig:KeyValue>");
}

fn references(cases: &mut Cases) {
    let class = "foreign-reference";
    let mut uri = |name: &str, about: &str, uri: &str| {
        cases.edited(class, "foreign_reference", name, about, &[("URI=\"#_assertion-1\"", uri)]);
    };
    uri("http", "The reference is an HTTP address.", "URI=\"http://127.0.0.1:18999/ssrf\"");
    uri("https", "The reference is an HTTPS address.", "URI=\"https://127.0.0.1:18999/ssrf\"");
    uri("file", "The reference is a file.", "URI=\"file:///etc/hostname\"");
    uri("ftp", "The reference is an FTP address.", "URI=\"ftp://127.0.0.1:18999/x\"");
    uri("path", "The reference is a path.", "URI=\"/etc/hostname\"");
    uri("empty", "The reference is the whole document.", "URI=\"\"");
    uri("none", "There is no URI.", "");
    uri("response", "The reference is to the response around.", "URI=\"#_response-1\"");
    uri("nothing", "The reference is to nothing.", "URI=\"#_nothing\"");
    uri("xpointer-root", "The reference is an XPointer of the whole document.", "URI=\"#xpointer(/)\"");
    uri("xpointer-id", "The reference is an XPointer.", "URI=\"#xpointer(id('_assertion-1'))\"");
    uri("xpointer-expression", "The reference is an XPointer with an expression.", "URI=\"#xpointer(//*)\"");
    uri("escaped", "The reference is escaped.", "URI=\"%23_assertion-1\"");
    uri("space", "There is a space in the reference.", "URI=\"#_assertion-1 \"");
    uri("with-path", "The reference names a document too.", "URI=\"x.xml#_assertion-1\"");

    let class = "several-references";
    let (document, signature) = good();
    let reference = piece(&signature, "<dsig:Reference ", "</dsig:Reference>");
    let signed_info = piece(&signature, "<dsig:SignedInfo>", "</dsig:SignedInfo>");
    let other = reference.replace("#_assertion-1", "#_response-1");
    let put = |from: &str, to: &str| document.replace(from, to);
    cases.add(
        class,
        "several_references",
        "same-twice",
        "Two references to one element.",
        put(&reference, &format!("{reference}{reference}")),
    );
    cases.add(
        class,
        "several_references",
        "two",
        "References to assertion and response.",
        put(&reference, &format!("{reference}{other}")),
    );
    cases.add(
        class,
        "several_references",
        "three",
        "Three references.",
        put(&reference, &reference.repeat(3)),
    );
    cases.add(
        class,
        "unexpected_element",
        "two-signed-info",
        "Two SignedInfo, the second being the signed one.",
        put(&signed_info, &signed_info.repeat(2)),
    );
    cases.add(
        class,
        "unexpected_element",
        "signed-info-behind",
        "A second SignedInfo behind the value.",
        put("<dsig:KeyInfo>", &format!("{signed_info}<dsig:KeyInfo>")),
    );
    cases.add(
        class,
        "several_references",
        "manifest",
        "The references stand in a Manifest.",
        put(&reference, &format!("<dsig:Manifest>{reference}</dsig:Manifest>")),
    );
    cases.add(
        class,
        "unexpected_element",
        "two-values",
        "Two SignatureValue.",
        put("<dsig:KeyInfo>", "<dsig:SignatureValue>AAAA</dsig:SignatureValue><dsig:KeyInfo>"),
    );
    cases.add(
        class,
        "several_references",
        "two-methods",
        "Two SignatureMethod.",
        put(&reference, &format!("<dsig:SignatureMethod Algorithm=\"{}\"/>{reference}", RSA_256.signature)),
    );
    cases.add(
        class,
        "unexpected_element",
        "two-digests",
        "Two DigestValue.",
        put("</dsig:Reference>", "<dsig:DigestValue>AAAA</dsig:DigestValue></dsig:Reference>"),
    );
}

fn piece(text: &str, from: &str, to: &str) -> String {
    let start = text.find(from).expect("begins");
    let end = text.get(start..).and_then(|rest| rest.find(to)).expect("ends") + start + to.len();
    text.get(start..end).expect("a piece").to_owned()
}

/// A stylesheet that computes for long.
pub const XSLT: &str = "<xsl:stylesheet xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\" version=\"1.0\"><xsl:template match=\"/\"><xsl:for-each select=\"//*\"><xsl:value-of select=\"count(//*//*)\"/></xsl:for-each></xsl:template></xsl:stylesheet>";

fn transforms(cases: &mut Cases) {
    let class = "transform";
    let enveloped = format!("<dsig:Transform Algorithm=\"{DS}enveloped-signature\"/>");
    let exclusive = format!("<dsig:Transform Algorithm=\"{EXC}\"/>");
    let both = format!("{enveloped}{exclusive}");
    let transform = |algorithm: &str, inner: &str| {
        format!("<dsig:Transform Algorithm=\"{algorithm}\">{inner}</dsig:Transform>")
    };
    let mut add = |name: &str, about: &str, transforms: &str| {
        cases.edited(class, "transform", name, about, &[(&both, transforms)]);
    };
    add(
        "xslt",
        "A stylesheet is to be run.",
        &format!("{enveloped}{}{exclusive}", transform("http://www.w3.org/TR/1999/REC-xslt-19991116", XSLT)),
    );
    add(
        "xpath",
        "An XPath filter is to be run.",
        &format!(
            "{enveloped}{}{exclusive}",
            transform(
                "http://www.w3.org/TR/1999/REC-xpath-19991116",
                "<dsig:XPath>not(ancestor-or-self::dsig:Signature)</dsig:XPath>"
            )
        ),
    );
    add(
        "xpath-slow",
        "An XPath filter that takes for ever.",
        &format!(
            "{}{exclusive}",
            transform(
                "http://www.w3.org/TR/1999/REC-xpath-19991116",
                "<dsig:XPath>count(//node()[count(//node()[count(//node())&gt;0])&gt;0])&gt;0</dsig:XPath>"
            )
        ),
    );
    add(
        "xpath-2",
        "An XPath 2 filter.",
        &format!(
            "{enveloped}{}{exclusive}",
            transform(
                "http://www.w3.org/2002/06/xmldsig-filter2",
                "<f:XPath xmlns:f=\"http://www.w3.org/2002/06/xmldsig-filter2\" Filter=\"intersect\">//*</f:XPath>"
            )
        ),
    );
    add(
        "base64",
        "A Base64 transform, which takes the text of the element.",
        &format!("{enveloped}{}", transform(&format!("{DS}base64"), "")),
    );
    add(
        "decryption",
        "A decryption transform.",
        &format!("{enveloped}{}{exclusive}", transform("http://www.w3.org/2002/07/decrypt#XML", "")),
    );
    add(
        "relationship",
        "A transform of another standard.",
        &format!(
            "{enveloped}{}",
            transform("http://schemas.openxmlformats.org/package/2006/RelationshipTransform", "")
        ),
    );
    add("none", "No transform.", "");
    add("only-enveloped", "Only enveloped-signature.", &enveloped);
    add("only-exclusive", "Only canonicalisation.", &exclusive);
    add("swapped", "In the other order.", &format!("{exclusive}{enveloped}"));
    add("three", "Canonicalised twice.", &format!("{both}{exclusive}"));
    add(
        "inclusive",
        "Inclusive canonicalisation.",
        &format!("{enveloped}{}", transform("http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "")),
    );
    add(
        "with-comments",
        "Canonicalisation that keeps comments.",
        &format!("{enveloped}{}", transform(&format!("{EXC}WithComments"), "")),
    );
    add(
        "xpath-in-enveloped",
        "An XPath in enveloped-signature.",
        &format!(
            "{}{exclusive}",
            transform(&format!("{DS}enveloped-signature"), "<dsig:XPath>true()</dsig:XPath>")
        ),
    );
    add(
        "more-in-exclusive",
        "Something more in the canonicalisation.",
        &format!("{enveloped}{}", transform(EXC, "<dsig:XPath>true()</dsig:XPath>")),
    );
    cases.edited(
        class,
        "transform",
        "no-transforms",
        "Without Transforms.",
        &[(&format!("<dsig:Transforms>{both}</dsig:Transforms>"), "")],
    );
    cases.edited(
        class,
        "transform",
        "foreign-child",
        "Something else among the transforms.",
        &[(&both, &format!("{both}<x xmlns=\"urn:x\"/>"))],
    );
}

fn canonicalisation(cases: &mut Cases) {
    let class = "canonicalisation";
    let own = format!("<dsig:CanonicalizationMethod Algorithm=\"{EXC}\"/>");
    for (name, about, algorithm) in [
        (
            "inclusive",
            "Inclusive canonicalisation.",
            "http://www.w3.org/TR/2001/REC-xml-c14n-20010315".to_owned(),
        ),
        (
            "inclusive-with-comments",
            "Inclusive canonicalisation with comments.",
            "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments".to_owned(),
        ),
        ("inclusive-1.1", "Canonical XML 1.1.", "http://www.w3.org/2006/12/xml-c14n11".to_owned()),
        ("with-comments", "Exclusive canonicalisation with comments.", format!("{EXC}WithComments")),
        (
            "xslt",
            "A stylesheet as canonicalisation.",
            "http://www.w3.org/TR/1999/REC-xslt-19991116".to_owned(),
        ),
        ("unknown", "Nobody knows it.", "urn:nothing".to_owned()),
        ("base64", "Base64.", format!("{DS}base64")),
    ] {
        let other = format!("<dsig:CanonicalizationMethod Algorithm=\"{algorithm}\"/>");
        cases.edited(class, "canonicalisation", name, about, &[(&own, &other)]);
    }
    cases.edited(class, "missing", "none", "No algorithm.", &[(&own, "<dsig:CanonicalizationMethod/>")]);

    // libxml2 does not canonicalise relative name spaces: it stops, and a careless caller digests nothing at all.
    let class = "void-canonicalisation";
    let nothing = STANDARD.encode(openssl::sha::sha256(b""));
    let (document, _) = good();
    let digested = replaced(&document, "<dsig:DigestValue>", "</dsig:DigestValue>", &nothing);
    cases.add(class, "bad_signature", "digest-of-nothing", "The digest is that of nothing.", &digested);
    for (name, uri) in [
        ("relative", "1"),
        ("dots", "../x"),
        ("path", "/x"),
        ("words", "a b"),
        ("query", "?x"),
        ("fragment", "#x"),
    ] {
        let opened =
            digested.replacen("<saml:Assertion ", &format!("<saml:Assertion xmlns:void=\"{uri}\" "), 1);
        cases.add(
            class,
            "namespace",
            name,
            "A relative name space makes canonicalisation give up; the digest is that of nothing.",
            opened,
        );
    }
    let used = digested.replacen("<saml:Subject>", "<saml:Subject xmlns:void=\"x/y\" void:a=\"b\">", 1);
    cases.add(class, "namespace", "used", "The relative name space is used.", used);
}

fn weak(cases: &mut Cases) {
    let class = "weak-algorithm";
    cases.forged(class, "weak_algorithm", "rsa-sha1", "RSA with SHA-1, signed by the provider.", |r| {
        r.algorithm = RSA_SHA1
    });
    cases.forged(
        class,
        "weak_algorithm",
        "sha1-digest",
        "SHA-1 as digest under an RSA SHA-256 signature.",
        |r| r.algorithm = RSA_MIXED,
    );
    let method = format!("SignatureMethod Algorithm=\"{}\"", RSA_256.signature);
    let digest = format!("DigestMethod Algorithm=\"{}\"", RSA_256.digest);
    for (name, uri) in [
        ("rsa-md5", "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"),
        ("rsa-ripemd160", "http://www.w3.org/2001/04/xmldsig-more/rsa-ripemd160"),
        ("rsa-sha224", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha224"),
        ("dsa-sha1", "http://www.w3.org/2000/09/xmldsig#dsa-sha1"),
        ("dsa-sha256", "http://www.w3.org/2009/xmldsig11#dsa-sha256"),
        ("ecdsa-sha1", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1"),
        ("nothing", "urn:none"),
    ] {
        cases.edited(
            class,
            "weak_algorithm",
            name,
            "A signature algorithm that is not accepted.",
            &[(&method, &format!("SignatureMethod Algorithm=\"{uri}\""))],
        );
    }
    for (name, uri) in [
        ("digest-md5", "http://www.w3.org/2001/04/xmldsig-more#md5"),
        ("digest-sha1", "http://www.w3.org/2000/09/xmldsig#sha1"),
        ("digest-ripemd160", "http://www.w3.org/2001/04/xmlenc#ripemd160"),
        ("digest-nothing", "urn:none"),
    ] {
        cases.edited(
            class,
            "weak_algorithm",
            name,
            "A digest algorithm that is not accepted.",
            &[(&digest, &format!("DigestMethod Algorithm=\"{uri}\""))],
        );
    }
    cases.edited(
        class,
        "bad_signature",
        "other-hash",
        "The method says SHA-512, the value was made with SHA-256.",
        &[(RSA_256.signature, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512")],
    );
    cases.edited(
        class,
        "bad_signature",
        "other-kind",
        "The method says ECDSA, the value was made with RSA.",
        &[(RSA_256.signature, EC_256.signature)],
    );

    let class = "hmac-confusion";
    for (name, uri) in [
        ("sha1", "http://www.w3.org/2000/09/xmldsig#hmac-sha1"),
        ("sha256", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
        ("sha384", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha384"),
        ("sha512", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512"),
        ("md5", "http://www.w3.org/2001/04/xmldsig-more#hmac-md5"),
    ] {
        let forged = recipe(KEYCLOAK).make().replace(RSA_256.signature, uri);
        cases.add(
            class,
            "weak_algorithm",
            name,
            "A shared secret, for which the public certificate is to be taken.",
            forged,
        );
    }
    let truncated = format!(
        "<dsig:SignatureMethod Algorithm=\"{}\"><dsig:HMACOutputLength>8</dsig:HMACOutputLength></dsig:SignatureMethod>",
        RSA_256.signature
    );
    let plain = format!("<dsig:SignatureMethod Algorithm=\"{}\"/>", RSA_256.signature);
    cases.edited(
        class,
        "unexpected_element",
        "output-length",
        "The length of a code that is compared.",
        &[(&plain, &truncated)],
    );
}

fn changed(cases: &mut Cases) {
    let class = "changed";
    let mut edit = |name: &str, about: &str, from: &str, to: &str| {
        cases.edited(class, "bad_signature", name, about, &[(from, to)]);
    };
    edit("name", "Another name.", "ada-7f3e", "eve-0000");
    edit("name-case", "A letter of the name.", "ada-7f3e", "Ada-7f3e");
    edit("name-format", "Another format of the name.", "nameid-format:persistent", "nameid-format:transient");
    edit("mail", "Another address.", "ada@studio.example", "eve@studio.example");
    edit("group", "Another group.", "kinora-library", "kinora-owners");
    edit("attribute-name", "Another attribute.", "Name=\"email\"", "Name=\"emails\"");
    edit("session", "Another session.", "SessionIndex=\"_session-1\"", "SessionIndex=\"_session-2\"");
    edit("session-taken", "Without its session.", " SessionIndex=\"_session-1\"", "");
    edit("context", "Another way of signing in.", "PasswordProtectedTransport", "MobileTwoFactorContract");
    edit(
        "value-more",
        "A value more.",
        "</saml:Attribute>",
        "<saml:AttributeValue>kinora-owners</saml:AttributeValue></saml:Attribute>",
    );
    edit("space", "A space in the name.", "ada-7f3e", "ada-7f3e ");
    edit("reference", "Another character reference in the name.", "ada-7f3e", "&#97;da-7f3f");
    edit("one-time-use", "A condition more.", "</saml:Conditions>", "<saml:OneTimeUse/></saml:Conditions>");
    let mut recipe = recipe(KEYCLOAK);
    (recipe.sign_response, recipe.sign_assertion) = (true, true);
    let document = recipe.make();
    cases.add(
        class,
        "bad_signature",
        "within-both",
        "Both are signed; the name was changed.",
        document.replace("ada-7f3e", "eve-0000"),
    );
    cases.add(
        class,
        "bad_signature",
        "response-of-both",
        "Both are signed; the response was changed.",
        document.replacen("Version=\"2.0\"", "Consent=\"urn:x\" Version=\"2.0\"", 1),
    );
    let template = signature_template("dsig", "_assertion-1", RSA_256, &keys::provider());
    assert!(template.contains("DigestValue"), "a template has digests");
}
