//! Encryption that is weak, broken, or that fetches.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Cases;
use crate::forge::encrypt::{Scheme, encrypted, gcm, scheme};
use crate::forge::{DS, KEYCLOAK, SAML, keys, recipe};

const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";

pub fn add(cases: &mut Cases) {
    algorithms(cases);
    fetching(cases);
    broken(cases);
    contents(cases);
}

fn with(cases: &mut Cases, class: &str, expect: &str, name: &str, about: &str, scheme: &Scheme) {
    cases.forged(class, expect, name, about, |r| (r.sign_response, r.encrypt) = (true, Some(scheme.clone())));
}

fn changed(from: &str, to: &str) -> Scheme {
    Scheme { changes: vec![(from.to_owned(), to.to_owned())], ..gcm() }
}

fn algorithms(cases: &mut Cases) {
    let class = "encryption-algorithm";
    with(
        cases,
        class,
        "encryption_algorithm",
        "rsa-1_5",
        "The key is encrypted with RSA PKCS #1 v1.5.",
        &scheme("aes256-gcm", "rsa-1_5"),
    );
    with(
        cases,
        class,
        "encryption_algorithm",
        "rsa-1_5-cbc",
        "The same with AES-CBC.",
        &scheme("aes128-cbc", "rsa-1_5"),
    );
    let data = "http://www.w3.org/2009/xmlenc11#aes256-gcm";
    for (name, uri) in [
        ("triple-des", format!("{XENC}tripledes-cbc")),
        ("aes-kw", format!("{XENC}kw-aes256")),
        ("nothing", "urn:none".to_owned()),
        ("rsa-as-data", format!("{XENC}rsa-oaep-mgf1p")),
    ] {
        with(
            cases,
            class,
            "encryption_algorithm",
            name,
            "An algorithm that is not accepted.",
            &changed(data, &uri),
        );
    }
    with(
        cases,
        class,
        "encryption_algorithm",
        "oaep-parameters",
        "OAEP with parameters.",
        &changed("<ds:DigestMethod", "<xenc:OAEPparams>AAAA</xenc:OAEPparams><ds:DigestMethod"),
    );
    with(
        cases,
        class,
        "encryption_algorithm",
        "oaep-md5",
        "OAEP with MD5.",
        &changed(&format!("{DS}sha1"), "http://www.w3.org/2001/04/xmldsig-more#md5"),
    );
    with(
        cases,
        class,
        "encryption_algorithm",
        "content-type",
        "Only the content is encrypted.",
        &changed(&format!("{XENC}Element"), &format!("{XENC}Content")),
    );
    for data in ["aes128-cbc", "aes192-cbc", "aes256-cbc"] {
        cases.forged(
            class,
            "unauthenticated_encryption",
            &format!("unsigned-{data}"),
            "AES-CBC in a response that is not signed: its padding could be asked for the content.",
            |r| r.encrypt = Some(scheme(data, "rsa-oaep-mgf1p")),
        );
    }
}

fn fetching(cases: &mut Cases) {
    let class = "encryption-fetch";
    let reference = |uri: &str, inner: &str| {
        format!("<xenc:CipherReference URI=\"{uri}\">{inner}</xenc:CipherReference>")
    };
    let replace_value = |xml: String, with: &str, last: bool| {
        let find = |text: &str, what: &str| if last { text.rfind(what) } else { text.find(what) };
        let start = find(&xml, "<xenc:CipherValue>").expect("begins");
        let end = find(&xml, "</xenc:CipherValue>").expect("ends") + "</xenc:CipherValue>".len();
        format!("{}{with}{}", xml.get(..start).expect("start"), xml.get(end..).expect("end"))
    };
    let mut put = |expect: &str, name: &str, about: &str, inner: String| {
        let mut recipe = recipe(KEYCLOAK);
        recipe.sign_response = true;
        let content =
            format!("<saml:EncryptedAssertion xmlns:saml=\"{SAML}\">{inner}</saml:EncryptedAssertion>");
        cases.add(class, expect, name, about, recipe.response(&content));
    };
    let good = || encrypted(&gcm(), recipe(KEYCLOAK).assertion().as_bytes());
    put(
        "unexpected_element",
        "data-http",
        "The ciphertext is to be fetched over HTTP.",
        replace_value(good(), &reference("http://127.0.0.1:18999/data", ""), true),
    );
    put(
        "unexpected_element",
        "data-file",
        "The ciphertext is to be read from a file.",
        replace_value(good(), &reference("file:///etc/hostname", ""), true),
    );
    put(
        "unexpected_element",
        "data-within",
        "The ciphertext stands elsewhere in the document.",
        replace_value(good(), &reference("#_x", ""), true),
    );
    put(
        "unexpected_element",
        "key-http",
        "The encrypted key is to be fetched over HTTP.",
        replace_value(good(), &reference("http://127.0.0.1:18999/key", ""), false),
    );
    let transforms = format!(
        "<xenc:Transforms><ds:Transform xmlns:ds=\"{DS}\" Algorithm=\"{DS}base64\"/></xenc:Transforms>"
    );
    put(
        "unexpected_element",
        "data-transformed",
        "The ciphertext is to be fetched and transformed.",
        replace_value(good(), &reference("http://127.0.0.1:18999/data", &transforms), true),
    );
    let retrieval = |uri: &str| format!("<ds:RetrievalMethod URI=\"{uri}\" Type=\"{XENC}EncryptedKey\"/>");
    let info = |inner: &str| {
        good().replace(
            &format!("<ds:KeyInfo xmlns:ds=\"{DS}\">"),
            &format!("<ds:KeyInfo xmlns:ds=\"{DS}\">{inner}"),
        )
    };
    put(
        "key_info",
        "retrieval-http",
        "The encrypted key is to be retrieved over HTTP.",
        info(&retrieval("http://127.0.0.1:18999/key")),
    );
    put(
        "key_info",
        "retrieval-file",
        "The encrypted key is to be retrieved from a file.",
        info(&retrieval("file:///etc/hostname")),
    );
    put(
        "key_info",
        "retrieval-within",
        "The encrypted key is to be retrieved from elsewhere in the document.",
        info(&retrieval("#_x")),
    );
    put(
        "key_info",
        "key-retrieval",
        "The key of the key is to be retrieved.",
        good().replace(
            "</xenc:EncryptionMethod><xenc:CipherData>",
            &format!(
                "</xenc:EncryptionMethod><ds:KeyInfo xmlns:ds=\"{DS}\">{}</ds:KeyInfo><xenc:CipherData>",
                retrieval("http://127.0.0.1:18999/key")
            ),
        ),
    );
    put("foreign_reference", "data-reference", "The key names data elsewhere.",
        good().replace("</xenc:EncryptedKey>", "<xenc:ReferenceList><xenc:DataReference URI=\"http://127.0.0.1:18999/x\"/></xenc:ReferenceList></xenc:EncryptedKey>"));
}

fn broken(cases: &mut Cases) {
    let class = "encryption-broken";
    let mut stranger = gcm();
    stranger.recipient = keys::other_provider().certificate;
    with(cases, class, "not_decrypted", "for-another", "Encrypted for somebody else.", &stranger);
    let mut cbc = scheme("aes256-cbc", "rsa-oaep-mgf1p");
    cbc.recipient = keys::other_provider().certificate;
    with(cases, class, "not_decrypted", "for-another-cbc", "The same with AES-CBC.", &cbc);
    with(
        cases,
        class,
        "not_decrypted",
        "other-key-length",
        "Says another length of key.",
        &changed("#aes256-gcm", "#aes128-gcm"),
    );
    with(
        cases,
        class,
        "not_decrypted",
        "other-hash",
        "Says another hash of OAEP.",
        &changed(&format!("{DS}sha1"), &format!("{XENC}sha256")),
    );
    with(
        cases,
        class,
        "not_decrypted",
        "gcm-as-cbc",
        "Says CBC, and is GCM.",
        &changed("http://www.w3.org/2009/xmlenc11#aes256-gcm", &format!("{XENC}aes256-cbc")),
    );
    let mut recipe_without = recipe(KEYCLOAK);
    recipe_without.sign_response = true;
    let whole = encrypted(&gcm(), b"x");
    let (start, end) =
        (whole.find("<ds:KeyInfo").expect("begins"), whole.find("</ds:KeyInfo>").expect("ends"));
    let without = whole.replace(whole.get(start..end + "</ds:KeyInfo>".len()).expect("a piece"), "");
    let content =
        format!("<saml:EncryptedAssertion xmlns:saml=\"{SAML}\">{without}</saml:EncryptedAssertion>");
    cases.add(class, "missing", "no-key", "Without a key.", recipe_without.response(&content));
    with(
        cases,
        class,
        "unexpected_element",
        "two-keys",
        "With a key within and another beside.",
        &changed("</xenc:EncryptedData>", &format!("</xenc:EncryptedData>{}", another_key())),
    );
    with(
        cases,
        class,
        "unexpected_element",
        "properties",
        "With EncryptionProperties.",
        &changed("</xenc:EncryptedData>", "<xenc:EncryptionProperties/></xenc:EncryptedData>"),
    );
    let tampered = |edit: &dyn Fn(&mut Vec<u8>)| {
        let xml = encrypted(&gcm(), recipe(KEYCLOAK).assertion().as_bytes());
        let start = xml.rfind("<xenc:CipherValue>").expect("begins") + "<xenc:CipherValue>".len();
        let end = xml.rfind("</xenc:CipherValue>").expect("ends");
        let mut data = STANDARD.decode(xml.get(start..end).expect("a value")).expect("Base64");
        edit(&mut data);
        let mut recipe = recipe(KEYCLOAK);
        recipe.sign_response = false;
        recipe.response(&format!(
            "<saml:EncryptedAssertion xmlns:saml=\"{SAML}\">{}{}{}</saml:EncryptedAssertion>",
            xml.get(..start).expect("start"),
            STANDARD.encode(data),
            xml.get(end..).expect("end")
        ))
    };
    cases.add(
        class,
        "not_decrypted",
        "bit",
        "One bit of the ciphertext differs.",
        tampered(&|data| data[40] ^= 1),
    );
    cases.add(
        class,
        "not_decrypted",
        "tag",
        "One bit of the tag differs.",
        tampered(&|data| *data.last_mut().expect("octets") ^= 1),
    );
    cases.add(class, "not_decrypted", "cut-off", "The end is missing.", tampered(&|data| data.truncate(100)));
    cases.add(class, "not_decrypted", "short", "Shorter than a nonce.", tampered(&|data| data.truncate(5)));
    cases.add(class, "not_decrypted", "empty", "Nothing is encrypted.", tampered(&Vec::clear));
    cases.add(
        class,
        "not_decrypted",
        "no-tag",
        "Only nonce and half a tag.",
        tampered(&|data| data.truncate(20)),
    );
}

/// A key.
fn another_key() -> String {
    "<xenc:EncryptedKey xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\"/>".to_owned()
}

fn contents(cases: &mut Cases) {
    let class = "encryption-content";
    let mut put = |expect: &str, name: &str, about: &str, plain: &[u8], is_signed: bool| {
        let mut recipe = recipe(KEYCLOAK);
        recipe.sign_response = is_signed;
        let inner = encrypted(&gcm(), plain);
        cases.add(
            class,
            expect,
            name,
            about,
            recipe.response(&format!(
                "<saml:EncryptedAssertion xmlns:saml=\"{SAML}\">{inner}</saml:EncryptedAssertion>"
            )),
        );
    };
    let assertion = recipe(KEYCLOAK).assertion();
    let mut unsigned = recipe(KEYCLOAK);
    unsigned.sign_assertion = false;
    let bare = unsigned.assertion();
    put(
        "unsigned",
        "unsigned",
        "An assertion that is not signed, in a response that is not.",
        bare.as_bytes(),
        false,
    );
    put(
        "bad_signature",
        "changed",
        "An assertion that was changed after it was signed.",
        assertion.replace("ada-7f3e", "eve-0000").as_bytes(),
        false,
    );
    put("unexpected_element", "text", "Only text.", b"ada-7f3e", false);
    put("not_decrypted", "octets", "Octets that are no text.", &[0xff, 0xfe, 0x00, 0x01], true);
    put("missing", "nothing", "Nothing.", b"", true);
    put(
        "unexpected_element",
        "response",
        "A response.",
        recipe(KEYCLOAK).make().replace("_response-1", "_response-2").as_bytes(),
        true,
    );
    put(
        "several_assertions",
        "two",
        "Two assertions.",
        format!("{assertion}{}", assertion.replace("_assertion-1", "_assertion-2")).as_bytes(),
        true,
    );
    put(
        "not_xml",
        "breaks-out",
        "Closes the response and opens another.",
        format!("</samlp:Response><samlp:Response>{assertion}").as_bytes(),
        false,
    );
    put("doctype", "doctype", "A document type.", format!("<!DOCTYPE x>{assertion}").as_bytes(), true);
    put(
        "comment",
        "comment",
        "A comment in the name.",
        assertion.replace("ada-7f3e", "ada<!-- -->-7f3e").as_bytes(),
        false,
    );
    let nested = format!(
        "<saml:EncryptedAssertion xmlns:saml=\"{SAML}\">{}</saml:EncryptedAssertion>",
        encrypted(&gcm(), assertion.as_bytes())
    );
    put("unexpected_element", "nested", "Another encrypted assertion.", nested.as_bytes(), true);
    put(
        "foreign_reference",
        "fetching",
        "A signature over an HTTP address.",
        assertion.replace("URI=\"#_assertion-1\"", "URI=\"http://127.0.0.1:18999/ssrf\"").as_bytes(),
        false,
    );
    put("transform", "stylesheet", "A signature with a stylesheet.", assertion.replacen("<dsig:Transforms>", &format!("<dsig:Transforms><dsig:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\">{}</dsig:Transform>", super::signatures::XSLT), 1).as_bytes(), false);
    put(
        "duplicate_id",
        "same-id",
        "An assertion with the response's ID.",
        bare.replace("_assertion-1", "_response-1").as_bytes(),
        true,
    );
    put(
        "wrong_issuer",
        "other-issuer",
        "An assertion of another issuer.",
        bare.replace("https://idp.studio.example/saml", "https://idp.vendor.example/saml").as_bytes(),
        true,
    );
}
