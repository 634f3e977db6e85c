//! What samael and libxmlsec1 do without the gate, and that the gate stops each of these: if one of these tests fails in
//! its first half, a newer library may have closed the way; in its second half, the gate is open.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use kinora_saml::RefusalCode;
use kinora_saml::verifier::{Answer, Kind, gate};
use kinora_saml_verifier::verify_ungated;
use samael::metadata::EntityDescriptor;
use samael::service_provider::ServiceProviderBuilder;

use crate::forge::encrypt::{encrypted, gcm};
use crate::forge::{
    ACS, DS, EXC, KEYCLOAK, PROVIDER, REQUEST, SAML, SERVICE, keys, provider_metadata, recipe,
};

/// A web server that tells the path of each request and answers with nothing of use.
fn listen() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream: TcpStream = stream;
            let mut buffer = [0; 1024];
            let read = stream.read(&mut buffer).unwrap_or(0);
            let line = String::from_utf8_lossy(&buffer[..read]).lines().next().unwrap_or_default().to_owned();
            let _ = stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\n<a/>");
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    (port, receiver)
}

/// The library has asked for that path; unless it was built without HTTP, as Debian 13's is: there only the gate is tried.
fn expect_request(requests: &Receiver<String>, path: &str) {
    if !has_http() {
        return;
    }
    let request = requests.recv_timeout(Duration::from_secs(30)).expect("a request");
    assert!(request.starts_with(&format!("GET {path} ")), "{request}");
}

/// Whether the xmlsec of this machine refers to libxml2's HTTP client.
fn has_http() -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("readable");
    let library = maps
        .lines()
        .find_map(|line| line.split_whitespace().last().filter(|path| path.contains("/libxmlsec1.so")));
    let library = std::fs::read(library.expect("libxmlsec1 is loaded")).expect("readable");
    library.windows(11).any(|name| name == b"xmlNanoHTTP")
}

fn refused(xml: &str) -> RefusalCode {
    gate(Kind::Message, xml).expect_err("the gate").code
}

fn provider_certificate() -> Vec<Vec<u8>> {
    vec![keys::provider().certificate]
}

#[test]
fn samael_alone_takes_anything_if_the_provider_has_no_certificate() {
    let mut unsigned = recipe(KEYCLOAK);
    unsigned.sign_assertion = false;
    // samael looks at the clock itself.
    let now = chrono::Utc::now();
    let at = |seconds| (now + chrono::TimeDelta::seconds(seconds)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    (unsigned.issued, unsigned.not_before) = (at(-5), Some(at(-60)));
    (unsigned.not_on_or_after, unsigned.confirmed_until) = (Some(at(300)), Some(at(300)));
    unsigned.authentication = unsigned.authentication.replace(&crate::forge::at(-10), &at(-10));
    let document = unsigned.make();
    let metadata: EntityDescriptor = provider_metadata(PROVIDER, &[]).parse().expect("metadata");
    let service = ServiceProviderBuilder::default()
        .entity_id(SERVICE.to_owned())
        .acs_url(ACS.to_owned())
        .idp_metadata(metadata)
        .build()
        .expect("a service provider");
    let accepted = service.parse_xml_response(&document, Some(&[REQUEST]));
    assert_eq!(
        accepted.expect("nothing is verified").subject.and_then(|s| s.name_id).map(|n| n.value),
        Some("ada-7f3e".to_owned())
    );

    assert_eq!(refused(&document), RefusalCode::Unsigned);
    assert_eq!(verify_ungated(&document, &[]), Answer::Refused("no_certificate".to_owned()));
    let error = crate::forge::world_with(&provider_metadata(PROVIDER, &[])).expect_err("no certificate");
    assert_eq!(error.code, RefusalCode::NoCertificate);
}

#[test]
fn samael_alone_fetches_what_a_reference_names_over_http() {
    let (port, requests) = listen();
    let document = recipe(KEYCLOAK)
        .make()
        .replace("URI=\"#_assertion-1\"", &format!("URI=\"http://127.0.0.1:{port}/reference\""));
    let answer = verify_ungated(&document, &provider_certificate());
    assert_eq!(answer, Answer::Refused("bad_signature".to_owned()));
    expect_request(&requests, "/reference");

    assert_eq!(refused(&document), RefusalCode::ForeignReference);
}

#[test]
fn samael_alone_reads_what_a_reference_names_from_files() {
    let path = std::env::temp_dir().join(format!("kinora-saml-{}", std::process::id()));
    let content = b"<secret>of this host</secret>";
    std::fs::write(&path, content).expect("writable");
    // A signature over the file: it holds only if the file was read.
    let key = keys::provider();
    let template = crate::forge::signature_template("dsig", "_x", crate::forge::RSA_256, &key)
        .replace("URI=\"#_x\"", &format!("URI=\"file://{}\"", path.display()))
        .replace(&format!("<dsig:Transform Algorithm=\"{DS}enveloped-signature\"/>"), "");
    let unsigned = recipe(KEYCLOAK);
    let mut unsigned = unsigned.clone();
    unsigned.sign_assertion = false;
    let document = unsigned.make().replacen("<saml:Subject>", &format!("{template}<saml:Subject>"), 1);
    let signed = crate::forge::signed(&document, &key);
    let digest = openssl::base64::encode_block(&openssl::sha::sha256(content));
    std::fs::remove_file(&path).expect("there");
    assert!(signed.contains(&digest), "libxmlsec1 digested the file: {signed}");

    assert_eq!(refused(&signed), RefusalCode::ForeignReference);
}

#[test]
fn samael_alone_runs_xpath_and_stylesheets() {
    let exclusive = format!("<dsig:Transform Algorithm=\"{EXC}\"/>");
    let enveloped = format!("<dsig:Transform Algorithm=\"{DS}enveloped-signature\"/>");
    // Each leaves out or replaces what is signed, so that the digest shows that it was run.
    let xpath = "<dsig:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><dsig:XPath>not(ancestor-or-self::saml:Subject)</dsig:XPath></dsig:Transform>";
    let mut filtered = recipe(KEYCLOAK);
    filtered.template = vec![(enveloped.clone(), format!("{enveloped}{xpath}"))];
    let document = filtered.make();
    // Another subject, and the signature still holds.
    let changed = document.replace("ada-7f3e", "eve-0000");
    assert!(
        matches!(verify_ungated(&changed, &provider_certificate()), Answer::Verified(_)),
        "XPath was run"
    );
    assert_eq!(refused(&changed), RefusalCode::Transform);

    let sheet = "<xsl:stylesheet xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\" version=\"1.0\"><xsl:template match=\"/\"><made/></xsl:template></xsl:stylesheet>";
    let mut styled = recipe(KEYCLOAK);
    styled.template = vec![(
        format!("{enveloped}{exclusive}"),
        format!(
            "{enveloped}<dsig:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\">{sheet}</dsig:Transform>{exclusive}"
        ),
    )];
    let document = styled.make().replace("ada-7f3e", "eve-0000");
    match verify_ungated(&document, &provider_certificate()) {
        Answer::Verified(covered) => assert!(covered.contains("<made"), "{covered}"),
        other => panic!("the stylesheet was not run: {other:?}"),
    }
    assert_eq!(refused(&document), RefusalCode::Transform);
}

/// `xmlsec1 --decrypt`, which is what decrypting with libxmlsec1 would be.
fn decrypt_with_xmlsec(xml: &str) {
    let directory = std::env::temp_dir();
    let stem =
        directory.join(format!("kinora-saml-{}-{:?}", std::process::id(), std::thread::current().id()));
    let (document, key) = (stem.with_extension("xml"), stem.with_extension("pem"));
    std::fs::write(&document, xml).expect("writable");
    std::fs::write(&key, include_bytes!("keys/service.pem")).expect("writable");
    let output =
        Command::new("xmlsec1").args(["--decrypt", "--privkey-pem"]).arg(&key).arg(&document).output();
    std::fs::remove_file(&document).expect("there");
    std::fs::remove_file(&key).expect("there");
    output.expect("xmlsec1, which `packaging/bootstrap test` installs");
}

fn with_encrypted(inner: &str) -> String {
    let content = format!("<saml:EncryptedAssertion xmlns:saml=\"{SAML}\">{inner}</saml:EncryptedAssertion>");
    let mut recipe = recipe(KEYCLOAK);
    recipe.sign_response = true;
    recipe.response(&content)
}

#[test]
fn xmlsec_alone_fetches_ciphertext_that_is_named() {
    let (port, requests) = listen();
    let inner = encrypted(&gcm(), b"<a/>");
    let start = inner.rfind("<xenc:CipherValue>").expect("a value");
    let end = inner.rfind("</xenc:CipherValue>").expect("its end") + "</xenc:CipherValue>".len();
    let reference = format!("<xenc:CipherReference URI=\"http://127.0.0.1:{port}/cipher\"/>");
    let document = with_encrypted(&format!("{}{reference}{}", &inner[..start], &inner[end..]));
    decrypt_with_xmlsec(&document);
    expect_request(&requests, "/cipher");

    assert_eq!(refused(&document), RefusalCode::UnexpectedElement);
}

#[test]
fn xmlsec_alone_fetches_keys_that_are_named() {
    let (port, requests) = listen();
    let retrieval = format!(
        "<ds:RetrievalMethod URI=\"http://127.0.0.1:{port}/key\" Type=\"http://www.w3.org/2001/04/xmlenc#EncryptedKey\"/>"
    );
    let inner = encrypted(&gcm(), b"<a/>");
    let info = format!("<ds:KeyInfo xmlns:ds=\"{DS}\">");
    let document = with_encrypted(&inner.replacen(&info, &format!("{info}{retrieval}"), 1));
    decrypt_with_xmlsec(&document);
    expect_request(&requests, "/key");

    assert_eq!(refused(&document), RefusalCode::KeyInfo);
}
