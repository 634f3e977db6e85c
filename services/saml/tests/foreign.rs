//! A real identity provider that this project did not write: pysaml2's (`tests/idp`), over HTTP.
//!
//! It checks our requests' signatures itself and makes responses in every way it can; all go through the verifier's
//! process.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use chrono::{TimeDelta, Utc};
use kinora_saml::{
    Binding, Connection, Delivery, IdentityProvider, LogoutMessage, Outgoing, PendingRequest, RefusalCode,
    RelayState, ServiceProvider, SignIn, SignInOptions, VerifierProcess,
};
use serde_json::{Value, json};
use url::Url;

use crate::forge::{ACS, LOGOUT, SERVICE, keys};

/// The provider's process and what is known of it.
struct Foreign {
    process: Child,
    address: String,
    verifier: VerifierProcess,
    service: ServiceProvider,
    provider: IdentityProvider,
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A web page or where it leads to.
struct Page {
    status: u16,
    head: String,
    body: String,
}

impl Page {
    /// The value of a field of the form on the page.
    fn field(&self, name: &str) -> Option<String> {
        let (_, rest) = self.body.split_once(&format!("name=\"{name}\" value=\""))?;
        Some(rest.split_once('"')?.0.replace("&quot;", "\"").replace("&lt;", "<").replace("&amp;", "&"))
    }

    fn location(&self) -> Url {
        let line = self.head.lines().find_map(|line| line.strip_prefix("Location: ")).expect("leads on");
        Url::parse(line.trim()).expect("an address")
    }
}

impl Foreign {
    fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/idp/idp.py");
        let mut process = Command::new("pysaml2-python")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("pysaml2-python, which `packaging/bootstrap test` installs");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("a pipe"))
            .read_line(&mut line)
            .expect("says where it is");
        let said: Value = serde_json::from_str(&line).expect("JSON");
        let address = said["url"].as_str().expect("an address").trim_start_matches("http://").to_owned();
        let service = ServiceProvider {
            entity_id: SERVICE.to_owned(),
            acs_url: ACS.to_owned(),
            logout_url: LOGOUT.to_owned(),
            key: keys::service(),
            other_key: Some(keys::service_next()),
        };
        let verifier = VerifierProcess::new(env!("CARGO_BIN_EXE_kinora-saml-verifier").into(), 2);
        let metadata = ask(&address, "GET", "/metadata", "", "");
        let provider = IdentityProvider::from_metadata(metadata.body.as_bytes(), &[], &verifier, Utc::now())
            .expect("its metadata");
        let foreign = Self { process, address, verifier, service, provider };
        assert_eq!(foreign.ask("PUT", "/service", &foreign.service.metadata()).status, 204);
        foreign
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Page {
        ask(&self.address, method, path, body, "application/x-www-form-urlencoded")
    }

    fn set(&self, settings: &Value) {
        assert_eq!(self.ask("PUT", "/settings", &settings.to_string()).status, 204);
    }

    fn log(&self) -> Value {
        serde_json::from_str(&self.ask("GET", "/log", "").body).expect("JSON")
    }

    fn connection(&self) -> Connection<'_> {
        Connection {
            service: &self.service,
            provider: &self.provider,
            verifier: &self.verifier,
            clock_skew: TimeDelta::seconds(60),
        }
    }

    /// Delivers a message of ours.
    fn deliver(&self, outgoing: &Outgoing) -> Page {
        match &outgoing.delivery {
            Delivery::Redirect(address) => {
                let url = Url::parse(address).expect("an address");
                self.ask("GET", &format!("{}?{}", url.path(), url.query().expect("a query")), "")
            }
            Delivery::Post { action, fields } => {
                let form: String =
                    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                self.ask("POST", Url::parse(action).expect("an address").path(), &form)
            }
        }
    }

    /// Signs somebody in there; gives the response and the request.
    fn sign_in(
        &self,
        login: &str,
        binding: Option<Binding>,
        options: &SignInOptions,
    ) -> (Page, PendingRequest, RelayState) {
        let relay_state = RelayState::random().expect("randomness");
        let made = Utc::now();
        let outgoing = self
            .service
            .request_sign_in(&self.provider, binding, options, &relay_state, made)
            .expect("a request");
        let form = self.deliver(&outgoing);
        let handle = form.field("request").unwrap_or_else(|| panic!("{} {}", form.status, form.body));
        let page = self.ask("POST", "/sign-in", &format!("login={login}&request={handle}"));
        let request = PendingRequest {
            id: outgoing.id,
            made,
            force: options.force,
            contexts: options.contexts.clone(),
        };
        (page, request, relay_state)
    }

    fn signed_in(&self) -> SignIn {
        let (page, request, relay_state) = self.sign_in("ada", None, &SignInOptions::default());
        assert_eq!(page.field("RelayState").as_deref(), Some(relay_state.as_str()), "{}", page.body);
        let response = page.field("SAMLResponse").unwrap_or_else(|| panic!("{}", page.body));
        self.connection()
            .receive(&response, &request, Utc::now())
            .unwrap_or_else(|refusal| panic!("{refusal}"))
    }
}

/// As little of HTTP as it takes.
fn ask(address: &str, method: &str, path: &str, body: &str, kind: &str) -> Page {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Page { status, head: head.replace('\r', ""), body: body.to_owned() }
}

#[test]
fn people_sign_in_in_every_way_that_pysaml2_can() {
    let foreign = Foreign::start();
    let mut names = std::collections::BTreeSet::new();
    let ways = [(true, false), (false, true), (true, true)];
    let algorithms = [
        ("rsa-sha256", "sha256"),
        ("rsa-sha384", "sha384"),
        ("rsa-sha512", "sha512"),
        ("ecdsa-sha256", "sha256"),
        ("ecdsa-sha384", "sha384"),
        ("ecdsa-sha512", "sha512"),
    ];
    for (response, assertion) in ways {
        for (signature, digest) in algorithms {
            foreign.set(&json!({"sign_response": response, "sign_assertion": assertion, "encrypt": null, "signature": signature, "digest": digest}));
            let identity = foreign.signed_in().identity;
            assert_eq!(
                identity.values("mail").collect::<Vec<_>>(),
                ["ada@studio.example"],
                "{signature} {identity:?}"
            );
            assert_eq!(identity.values("displayName").collect::<Vec<_>>(), ["Ada Löwe"]);
            assert_eq!(identity.values("groups").collect::<Vec<_>>(), ["kinora-editors"]);
            names.insert(identity.name_id.value);
        }
    }
    for encryption in ["aes128-cbc", "aes256-cbc", "aes128-gcm", "aes256-gcm"] {
        for assertion in [true, false] {
            foreign.set(&json!({"sign_response": true, "sign_assertion": assertion, "encrypt": encryption, "signature": "rsa-sha256", "digest": "sha256"}));
            names.insert(foreign.signed_in().identity.name_id.value);
        }
    }
    assert_eq!(names.len(), 1, "one person: {names:?}");
}

#[test]
fn pysaml2_verifies_our_requests_and_groups_change() {
    let foreign = Foreign::start();
    let options = SignInOptions { force: true, ..SignInOptions::default() };
    let (page, request, _) = foreign.sign_in("ada", Some(Binding::Post), &options);
    let response = page.field("SAMLResponse").expect("a response");
    assert!(foreign.connection().receive(&response, &request, Utc::now()).is_ok());
    let log = foreign.log();
    assert_eq!(log[0], json!({"request": request.id, "force": true, "binding": "POST"}));

    // The answer to another's request is not ours.
    let other = PendingRequest { id: kinora_saml::random_id().expect("randomness"), ..request.clone() };
    let refusal = foreign.connection().receive(&response, &other, Utc::now()).expect_err("refused");
    assert_eq!(refusal.code, RefusalCode::WrongRequest);

    // A changed request is refused there.
    let relay_state = RelayState::random().expect("randomness");
    let outgoing = foreign
        .service
        .request_sign_in(&foreign.provider, None, &options, &relay_state, Utc::now())
        .expect("a request");
    let Delivery::Redirect(address) = outgoing.delivery else { panic!("redirected") };
    let changed = Outgoing {
        delivery: Delivery::Redirect(address.replace("RelayState=_", "RelayState=_0")),
        ..outgoing
    };
    assert_eq!(foreign.deliver(&changed).status, 400);

    foreign.set(&json!({"people": {"ada": {"mail": ["ada@studio.example"], "groups": ["kinora-readers", "everyone"]}}}));
    let identity = foreign.signed_in().identity;
    assert_eq!(identity.values("groups").collect::<Vec<_>>(), ["kinora-readers", "everyone"]);
}

#[test]
fn sign_ins_that_begin_at_pysaml2_and_logouts_both_ways() {
    let foreign = Foreign::start();
    let page = foreign.ask("GET", "/begin?login=ada", "");
    let response = page.field("SAMLResponse").unwrap_or_else(|| panic!("{}", page.body));
    let connection = foreign.connection();
    let signed_in =
        connection.receive_unsolicited(&response, Utc::now()).unwrap_or_else(|refusal| panic!("{refusal}"));
    let request =
        PendingRequest { id: "_x".to_owned(), made: Utc::now(), force: false, contexts: Vec::new() };
    assert_eq!(
        connection.receive(&response, &request, Utc::now()).expect_err("refused").code,
        RefusalCode::NoRequest
    );

    // Ours to theirs, and their answer.
    let relay_state = RelayState::random().expect("randomness");
    let name_id = &signed_in.identity.name_id;
    let outgoing = connection.request_logout(
        name_id,
        signed_in.identity.session_index.as_deref(),
        &relay_state,
        Utc::now(),
    );
    let outgoing = outgoing.expect("can be made").expect("it has single logout");
    let answer = foreign.deliver(&outgoing);
    assert_eq!(answer.status, 303, "{}", answer.body);
    let location = answer.location();
    match connection.receive_logout_query(location.query().expect("a query"), Utc::now()) {
        Ok(LogoutMessage::Answer(answer)) => {
            assert_eq!((answer.in_response_to, answer.problem), (outgoing.id, None))
        }
        other => panic!("{other:?}"),
    }

    // Theirs to ours, and our answer.
    let began = foreign.ask("GET", "/end?login=ada", "");
    assert_eq!(began.status, 303, "{}", began.body);
    let location = began.location();
    let request = match connection.receive_logout_query(location.query().expect("a query"), Utc::now()) {
        Ok(LogoutMessage::Request(request)) => request,
        other => panic!("{other:?}"),
    };
    assert_eq!(request.name_id.value, name_id.value);
    let (answer, _) =
        connection.answer_logout(&request, true, Utc::now()).expect("can be made").expect("an address");
    let page = foreign.deliver(&answer);
    assert_eq!(page.status, 200, "{}", page.body);
    let log = foreign.log();
    let last = log.as_array().and_then(|log| log.last()).expect("something");
    assert_eq!(last["logout_answer"], Value::from(request.id));
}
