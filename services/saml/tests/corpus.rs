//! The corpus on disk, one file for each document: what is made is what is there, and each is answered as it says.
//!
//! A file begins with lines `key: value`, ended by a line `---`; behind it stands the document as it is, or packed
//! (`packed: yes`: DEFLATE, Base64) where it is large or not UTF-8.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use flate2::read::DeflateDecoder;
use kinora_saml::verifier::Verifier;
use kinora_saml::{Certificate, Connection, IdentityProvider, LogoutMessage, Refusal, RelayState};

use crate::forge::{World, keys, now, pending};
use crate::made::{Case, Via, bad, good};

fn directory(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../saml/tests/corpus").join(kind)
}

fn file(case: &Case) -> Vec<u8> {
    let via = Via::ALL.iter().find(|(via, _)| *via == case.via).expect("listed").1;
    let is_packed =
        case.body.len() > 40_000 || std::str::from_utf8(&case.body).is_err() || case.body.contains(&0);
    let mut text =
        format!("class: {}\nexpect: {}\nabout: {}\nvia: {via}\n", case.class, case.expect, case.about);
    if case.arrives != 0 {
        text.push_str(&format!("arrives: {}\n", case.arrives));
    }
    if is_packed {
        return format!("{text}packed: yes\n---\n{}\n", crate::made_deflated(&case.body)).into_bytes();
    }
    [text.as_bytes(), b"---\n", &case.body, b"\n"].concat()
}

fn parse(name: &str, bytes: &[u8]) -> Case {
    let at = bytes.windows(5).position(|window| window == b"\n---\n").expect("a line ---");
    let head = std::str::from_utf8(&bytes[..at]).expect("a head of UTF-8");
    let fields: BTreeMap<&str, &str> = head.lines().filter_map(|line| line.split_once(": ")).collect();
    let body = &bytes[at + 5..bytes.len() - 1];
    let body = if fields.contains_key("packed") {
        let mut plain = Vec::new();
        let packed = STANDARD.decode(body).expect("Base64");
        DeflateDecoder::new(packed.as_slice()).read_to_end(&mut plain).expect("DEFLATE");
        plain
    } else {
        body.to_vec()
    };
    Case {
        class: fields["class"].to_owned(),
        name: name.to_owned(),
        expect: fields["expect"].to_owned(),
        about: fields["about"].to_owned(),
        via: Via::ALL.iter().find(|(_, text)| *text == fields["via"]).expect("a way").0,
        arrives: fields.get("arrives").map_or(0, |seconds| seconds.parse().expect("seconds")),
        body,
    }
}

/// Every document of a kind, from disk.
pub fn stored(kind: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for class in std::fs::read_dir(directory(kind)).expect("the corpus").map(|entry| entry.expect("readable"))
    {
        for entry in std::fs::read_dir(class.path()).expect("a class").map(|entry| entry.expect("readable")) {
            let name = entry.path().file_stem().expect("a name").to_string_lossy().into_owned();
            cases.push(parse(&name, &std::fs::read(entry.path()).expect("readable")));
        }
    }
    cases.sort_by(|a, b| (&a.class, &a.name).cmp(&(&b.class, &b.name)));
    cases
}

/// What came of a document, for comparison: a code, or who it was.
pub fn outcome(case: &Case, world: &World, verifier: &dyn Verifier) -> String {
    let connection = Connection { verifier, ..world.connection() };
    let now = now() + TimeDelta::seconds(case.arrives);
    let form = || STANDARD.encode(&case.body);
    let text = || String::from_utf8(case.body.clone()).expect("text");
    let result: Result<String, Refusal> = match case.via {
        Via::Response => {
            connection.receive(&form(), &pending(), now).map(|sign_in| sign_in.identity.name_id.value)
        }
        Via::Unsolicited => {
            connection.receive_unsolicited(&form(), now).map(|sign_in| sign_in.identity.name_id.value)
        }
        Via::LogoutRequestForm | Via::LogoutAnswerForm => {
            connection.receive_logout_form(&form(), case.via == Via::LogoutRequestForm, None, now).map(said)
        }
        Via::LogoutQuery => connection.receive_logout_query(&text(), now).map(said),
        Via::RelayState => RelayState::parse(&text()).map(|relay_state| relay_state.as_str().to_owned()),
        Via::Metadata => {
            IdentityProvider::from_metadata(&case.body, &[], verifier, now).map(|p| p.entity_id().to_owned())
        }
        Via::SignedMetadata => {
            let trusted = Certificate::from_der(&keys::provider_next().certificate).expect("a certificate");
            IdentityProvider::from_metadata(&case.body, &[trusted], verifier, now)
                .map(|p| p.entity_id().to_owned())
        }
    };
    result.map_or_else(|refusal| refusal.code.as_str().to_owned(), |who| format!("accepted {who}"))
}

fn said(message: LogoutMessage) -> String {
    match message {
        LogoutMessage::Request(request) => request.name_id.value,
        LogoutMessage::Answer(answer) => answer.in_response_to,
    }
}

fn write(kind: &str, cases: &[Case]) {
    let directory = directory(kind);
    let _ = std::fs::remove_dir_all(&directory);
    for case in cases {
        std::fs::create_dir_all(directory.join(&case.class)).expect("a directory");
        let path = directory.join(&case.class).join(format!("{}.txt", case.name));
        assert!(!path.exists(), "{} twice", path.display());
        std::fs::write(&path, file(case)).expect("writable");
    }
}

/// All in one test: what is compared may have been written just before.
#[test]
fn the_corpus_is_what_is_made_and_every_document_is_answered_as_it_says() {
    if std::env::var_os("KINORA_WRITE_CORPUS").is_some() {
        write("bad", &bad());
        write("good", &good());
    }
    let listed = |cases: &[Case]| -> BTreeSet<String> {
        cases
            .iter()
            .map(|c| format!("{}/{}: {} {:?} {}", c.class, c.name, c.expect, c.via, c.arrives))
            .collect()
    };
    let (bad_stored, good_stored) = (stored("bad"), stored("good"));
    assert_eq!(listed(&bad()), listed(&bad_stored), "write the corpus anew (KINORA_WRITE_CORPUS=1)");
    assert_eq!(listed(&good()), listed(&good_stored), "write the corpus anew (KINORA_WRITE_CORPUS=1)");
    let classes: BTreeSet<&str> = bad_stored.iter().map(|case| case.class.as_str()).collect();
    assert!(
        bad_stored.len() >= 150 && classes.len() >= 20,
        "{} documents, {} classes",
        bad_stored.len(),
        classes.len()
    );
    println!(
        "{} bad documents in {} classes, {} good ones",
        bad_stored.len(),
        classes.len(),
        good_stored.len()
    );

    let program = kinora_saml::VerifierProcess::new(env!("CARGO_BIN_EXE_kinora-saml-verifier").into(), 2);
    let world = crate::forge::world();
    let mut wrong = Vec::new();
    // What is made now has fresh random octets; what is stored must do as well.
    for case in bad_stored.iter().chain(&good_stored).chain(&good()) {
        let found = outcome(case, &world, &program);
        let is_right =
            if case.expect == "accepted" { found.starts_with("accepted ") } else { found == case.expect };
        if !is_right {
            wrong.push(format!("{}/{}: expected {}, was {found}", case.class, case.name, case.expect));
        }
    }
    assert!(wrong.is_empty(), "{} are answered otherwise:\n{}", wrong.len(), wrong.join("\n"));
}
