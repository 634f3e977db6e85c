//! Documents that parsers read differently, that fetch things, or that are meant to exhaust memory or time.

use super::Cases;
use crate::forge::{KEYCLOAK, SAML, recipe};

pub fn add(cases: &mut Cases) {
    comments(cases);
    doctypes(cases);
    differentials(cases);
    namespaces(cases);
    identifiers(cases);
    bombs(cases);
}

fn good() -> String {
    recipe(KEYCLOAK).make()
}

fn comments(cases: &mut Cases) {
    let class = "comment";
    // Canonicalisation leaves comments out, so that these signatures hold.
    let mut edit = |name: &str, about: &str, from: &str, to: &str| {
        cases.edited(class, "comment", name, about, &[(from, to)]);
    };
    edit("name-middle", "A comment cuts the name in two.", "ada-7f3e", "ada<!-- -->-7f3e");
    edit("name-end", "A comment at the end of the name.", "ada-7f3e", "ada-7f3e<!---->");
    edit("name-start", "A comment at the start of the name.", "ada-7f3e", "<!-- x -->ada-7f3e");
    edit(
        "mail",
        "A comment in an attribute's value.",
        "ada@studio.example",
        "ada@studio.example<!-- -->.evil.example",
    );
    edit("group", "A comment in a group.", "kinora-library", "kinora<!-- -->-library");
    edit(
        "audience",
        "A comment in the audience.",
        "https://kinora.studio.example/saml<",
        "https://kinora.studio.example/<!-- -->saml<",
    );
    edit("between", "A comment between elements.", "<saml:Subject>", "<!-- --><saml:Subject>");
    edit("instruction", "A processing instruction in the name.", "ada-7f3e", "ada<?x y?>-7f3e");
    edit(
        "instruction-between",
        "A processing instruction between elements.",
        "<saml:Subject>",
        "<?xml-stylesheet href=\"http://127.0.0.1:18999/\"?><saml:Subject>",
    );
    edit("cdata", "CDATA in the name.", "ada-7f3e", "<![CDATA[ada]]>-7f3e");
    edit("cdata-whole", "The name in CDATA.", "ada-7f3e", "<![CDATA[ada-7f3e]]>");
    cases.add(
        class,
        "comment",
        "before-root",
        "A comment before the document.",
        format!("<!-- x -->{}", good()),
    );
    cases.add(
        class,
        "comment",
        "behind-root",
        "A comment behind the document.",
        format!("{}<!-- x -->", good()),
    );
}

fn doctypes(cases: &mut Cases) {
    let class = "doctype";
    let mut add = |name: &str, about: &str, doctype: &str, entity: &str| {
        let document = format!("{doctype}{}", good().replacen("ada-7f3e", entity, 1));
        cases.add(class, "doctype", name, about, document);
    };
    add("plain", "A document type.", "<!DOCTYPE Response>", "ada-7f3e");
    add(
        "file",
        "An entity from a file (XXE).",
        "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/hostname\">]>",
        "&x;",
    );
    add(
        "http",
        "An entity from the network (XXE).",
        "<!DOCTYPE r [<!ENTITY x SYSTEM \"http://127.0.0.1:18999/x\">]>",
        "&x;",
    );
    add(
        "parameter",
        "A parameter entity from the network.",
        "<!DOCTYPE r [<!ENTITY % x SYSTEM \"http://127.0.0.1:18999/x\"> %x;]>",
        "ada-7f3e",
    );
    add(
        "external",
        "A document type from the network.",
        "<!DOCTYPE r SYSTEM \"http://127.0.0.1:18999/x.dtd\">",
        "ada-7f3e",
    );
    add(
        "public",
        "A public document type.",
        "<!DOCTYPE r PUBLIC \"-//x//y\" \"http://127.0.0.1:18999/x.dtd\">",
        "ada-7f3e",
    );
    add(
        "laughs",
        "Entities of entities of entities.",
        "<!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\"><!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;\">]>",
        "&e;",
    );
    add("name", "The name is an entity.", "<!DOCTYPE r [<!ENTITY x \"ada-7f3e\">]>", "&x;");
    add(
        "default-attribute",
        "The document type gives elements an attribute.",
        "<!DOCTYPE r [<!ATTLIST Response ID CDATA \"x\">]>",
        "ada-7f3e",
    );
    add(
        "id-type",
        "The document type says what an ID is.",
        "<!DOCTYPE r [<!ATTLIST Assertion Name ID #IMPLIED>]>",
        "ada-7f3e",
    );
    add("lower-case", "Not even a document type.", "<!doctype r>", "ada-7f3e");
    let quadratic = format!("<!DOCTYPE r [<!ENTITY x \"{}\">]>", "x".repeat(2_000));
    add("quadratic", "A long entity many times.", &quadratic, &"&x;".repeat(200));
}

fn differentials(cases: &mut Cases) {
    let class = "parser-differential";
    let mut add = |expect: &str, name: &str, about: &str, body: Vec<u8>| {
        cases.add(class, expect, name, about, body);
    };
    let good = good();
    let text = |text: String| text.into_bytes();
    add("not_utf8", "utf-16", "UTF-16.", good.encode_utf16().flat_map(u16::to_le_bytes).collect());
    let marked: Vec<u16> = std::iter::once(0xfeff).chain(good.encode_utf16()).collect();
    add(
        "not_utf8",
        "utf-16-mark",
        "UTF-16 with its mark.",
        marked.into_iter().flat_map(u16::to_be_bytes).collect(),
    );
    add("not_xml", "utf-8-mark", "A byte order mark.", text(format!("\u{feff}{good}")));
    add(
        "not_utf8",
        "utf-7-declared",
        "Says that it is UTF-7.",
        text(format!("<?xml version=\"1.0\" encoding=\"UTF-7\"?>{good}")),
    );
    add(
        "not_utf8",
        "latin-1-declared",
        "Says that it is Latin-1.",
        text(format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>{good}")),
    );
    add(
        "not_utf8",
        "utf-16-declared",
        "Says that it is UTF-16.",
        text(format!("<?xml version=\"1.0\" encoding=\"UTF-16\"?>{good}")),
    );
    add("not_xml", "version-1.1", "XML 1.1.", text(format!("<?xml version=\"1.1\"?>{good}")));
    add(
        "comment",
        "two-declarations",
        "Two XML declarations.",
        text(format!("<?xml version=\"1.0\"?><?xml version=\"1.0\"?>{good}")),
    );
    add("not_xml", "text-before", "Text before the document.", text(format!("x{good}")));
    add("not_xml", "text-behind", "Text behind the document.", text(format!("{good}x")));
    add("not_xml", "cut-off", "The end is missing.", text(good.replace("</samlp:Response>", "")));
    add(
        "not_xml",
        "crossed",
        "Tags that cross.",
        text(
            good.replace("</saml:Conditions>", "")
                .replace("</saml:Subject>", "</saml:Conditions></saml:Subject>"),
        ),
    );
    add("not_xml", "zero", "A zero octet.", text(good.replacen("ada-7f3e", "ada\0-7f3e", 1)));
    add("not_xml", "control", "A control character.", text(good.replacen("ada-7f3e", "ada\u{8}-7f3e", 1)));
    add(
        "not_xml",
        "escaped-zero",
        "A zero as a character reference.",
        text(good.replacen("ada-7f3e", "ada&#0;-7f3e", 1)),
    );
    add(
        "not_xml",
        "undefined-entity",
        "An entity that is not defined.",
        text(good.replacen("ada-7f3e", "ada&nbsp;-7f3e", 1)),
    );
    add(
        "not_xml",
        "attribute-twice",
        "An attribute twice.",
        text(good.replacen("Version=\"2.0\"", "Version=\"2.0\" Version=\"2.0\"", 1)),
    );
    add(
        "not_xml",
        "prefix-twice",
        "An attribute twice through two prefixes.",
        text(good.replacen(
            "Version=\"2.0\"",
            "xmlns:p=\"urn:x\" xmlns:q=\"urn:x\" p:a=\"1\" q:a=\"2\" Version=\"2.0\"",
            1,
        )),
    );
    add(
        "not_xml",
        "unquoted",
        "An attribute without quotes.",
        text(good.replacen("Version=\"2.0\"", "Version=2.0", 1)),
    );
    add(
        "not_xml",
        "less-than",
        "A less-than sign in an attribute.",
        text(good.replacen("Version=\"2.0\"", "Version=\"<2.0\"", 1)),
    );
    let mut broken = good.clone().into_bytes();
    let at = good.find("ada-7f3e").expect("a name");
    broken.splice(at..at, [0xc0, 0x80]);
    add("not_utf8", "overlong", "An overlong zero.", broken);
    add("not_xml", "nothing", "Nothing.", Vec::new());
    add("not_xml", "json", "JSON.", b"{\"NameID\":\"ada\"}".to_vec());
    add("unexpected_root", "html", "An HTML page.", b"<html><body>Sign in</body></html>".to_vec());
}

fn namespaces(cases: &mut Cases) {
    let class = "namespace";
    let mut edit = |expect: &str, name: &str, about: &str, from: &str, to: &str| {
        cases.edited(class, expect, name, about, &[(from, to)]);
    };
    let saml = format!("<saml:Assertion xmlns:saml=\"{SAML}\"");
    edit(
        "unexpected_element",
        "other-assertion",
        "The assertion is in another name space.",
        &saml,
        "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:1.0:assertion\"",
    );
    edit(
        "unexpected_element",
        "similar",
        "The name space differs in a letter's case.",
        &saml,
        "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:saml:2.0:assertion\"",
    );
    edit(
        "unexpected_root",
        "other-protocol",
        "The response is in another name space.",
        "xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\"",
        "xmlns:samlp=\"urn:oasis:names:tc:SAML:1.1:protocol\"",
    );
    edit("not_xml", "undeclared", "A prefix that is not declared.", &saml, "<saml:Assertion");
    edit(
        "unexpected_attribute",
        "prefixed-destination",
        "An attribute of the protocol in a name space.",
        "Destination=",
        "samlp:Destination=",
    );
    edit(
        "namespace",
        "prefixed-id",
        "An ID in a name space.",
        "ID=\"_assertion-1\"",
        "xmlns:x=\"urn:x\" x:ID=\"_other\" ID=\"_assertion-1\"",
    );
    edit("namespace", "xml-id", "xml:id.", "ID=\"_assertion-1\"", "xml:id=\"_other\" ID=\"_assertion-1\"");
    edit(
        "namespace",
        "xml-base",
        "xml:base.",
        "ID=\"_assertion-1\"",
        "xml:base=\"http://127.0.0.1:18999/\" ID=\"_assertion-1\"",
    );
    edit(
        "namespace",
        "taken-away",
        "The default name space is taken away.",
        "<saml:Subject>",
        "<saml:Subject xmlns=\"\">",
    );
    edit(
        "namespace",
        "prefix-taken-away",
        "A prefix is taken away.",
        "<saml:Subject>",
        "<saml:Subject xmlns:dsig=\"\">",
    );
    edit(
        "unexpected_element",
        "prefix-changed",
        "The prefix means something else within.",
        "<saml:Subject>",
        "<saml:Subject xmlns:saml=\"urn:x\">",
    );
    edit(
        "unexpected_element",
        "no-namespace",
        "An element in no name space.",
        "<saml:Subject>",
        "<Subject/><saml:Subject>",
    );
    edit(
        "not_xml",
        "xml-rebound",
        "The prefix xml means something else.",
        "<saml:Subject>",
        "<saml:Subject xmlns:xml=\"urn:x\">",
    );
    edit(
        "bad_value",
        "plain-attribute-of-value",
        "A value has an attribute.",
        "<saml:AttributeValue ",
        "<saml:AttributeValue encrypted=\"no\" ",
    );
}

fn identifiers(cases: &mut Cases) {
    let class = "identifier";
    let mut edit = |expect: &str, name: &str, about: &str, edits: &[(&str, &str)]| {
        cases.edited(class, expect, name, about, edits);
    };
    edit(
        "duplicate_id",
        "same",
        "Response and assertion have one ID.",
        &[("ID=\"_response-1\"", "ID=\"_assertion-1\"")],
    );
    edit(
        "duplicate_id",
        "lower-case",
        "Another thing called id has the assertion's ID.",
        &[("<saml:Subject>", "<saml:Subject id=\"_assertion-1\">")],
    );
    edit(
        "duplicate_id",
        "of-signature",
        "The signature has the assertion's ID.",
        &[("<dsig:SignedInfo>", "<dsig:SignedInfo Id=\"_assertion-1\">")],
    );
    edit("bad_id", "number", "It begins with a digit.", &[("ID=\"_response-1\"", "ID=\"1\"")]);
    edit("bad_id", "space", "It has a space.", &[("ID=\"_response-1\"", "ID=\"_response 1\"")]);
    edit("bad_id", "empty", "It is empty.", &[("ID=\"_response-1\"", "ID=\"\"")]);
    edit("bad_id", "quote", "It has a quote.", &[("ID=\"_response-1\"", "ID=\"_&apos;)]\"")]);
    edit(
        "bad_id",
        "letters",
        "It has letters that look like others.",
        &[("ID=\"_response-1\"", "ID=\"_respоnse\"")],
    );
    let long = format!("ID=\"_{}\"", "x".repeat(300));
    edit("bad_id", "long", "It is long.", &[("ID=\"_response-1\"", &long)]);
    edit("missing", "none", "The response has none.", &[(" ID=\"_response-1\"", "")]);
    edit(
        "unexpected_attribute",
        "two-kinds",
        "Another ID on the assertion.",
        &[("ID=\"_assertion-1\"", "ID=\"_assertion-1\" Id=\"_x\"")],
    );
}

fn bombs(cases: &mut Cases) {
    let class = "bomb";
    let good = good();
    let inner = |xml: &str| good.replacen("<saml:Subject>", &format!("{xml}<saml:Subject>"), 1);
    let mut add = |expect: &str, name: &str, about: &str, body: String| {
        cases.add(class, expect, name, about, body);
    };
    add(
        "too_large",
        "large-name",
        "A name of 300,000 letters.",
        good.replacen("ada-7f3e", &"x".repeat(300_000), 1),
    );
    add("too_large", "large-space", "300,000 spaces.", inner(&" ".repeat(300_000)));
    add(
        "too_deep",
        "deep",
        "1,000 levels.",
        inner(&format!("{}{}", "<a>".repeat(1_000), "</a>".repeat(1_000))),
    );
    add("too_deep", "deep-open", "1,000 levels that are not closed.", inner(&"<a>".repeat(1_000)));
    add(
        "too_deep",
        "deep-signed-info",
        "Levels in SignedInfo.",
        good.replacen(
            "<dsig:SignedInfo>",
            &format!("<dsig:SignedInfo>{}{}", "<a>".repeat(40), "</a>".repeat(40)),
            1,
        ),
    );
    add("too_many_nodes", "elements", "6,000 elements.", inner(&"<a/>".repeat(6_000)));
    let groups = "<saml:AttributeValue>x</saml:AttributeValue>".repeat(5_000);
    add(
        "too_many_nodes",
        "groups",
        "5,000 groups.",
        good.replacen("</saml:Attribute>", &format!("{groups}</saml:Attribute>"), 1),
    );
    let attributes: String = (0..100).map(|n| format!(" a{n}=\"x\"")).collect();
    add(
        "too_many_nodes",
        "attributes",
        "100 attributes of one element.",
        inner(&format!("<a{attributes}/>")),
    );
    let many: String = (0..10_000).map(|n| format!(" a{n}=\"x\"")).collect();
    add(
        "too_many_nodes",
        "attributes-many",
        "10,000 attributes of one element.",
        inner(&format!("<a{many}/>")),
    );
    let namespaces: String = (0..500).map(|n| format!("<a xmlns:a{n}=\"urn:{n}\"/>")).collect();
    add("too_many_nodes", "namespaces", "500 name spaces.", inner(&namespaces));
    let confirmation = "<saml:SubjectConfirmation Method=\"urn:x\"/>".repeat(50);
    add(
        "too_many_nodes",
        "confirmations",
        "50 confirmations.",
        good.replacen("<saml:SubjectConfirmation ", &format!("{confirmation}<saml:SubjectConfirmation "), 1),
    );
}
