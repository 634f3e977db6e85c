//! The never-log list of docs/LOGGING.md: every kind of secret is a recognisable text, the product does
//! its work and fails in many ways, and nothing that was logged holds one of them.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diesel::RunQueryDsl as _;
use kinora_tests::{Client, Kinora, MailRelay, wait_until};
use kinora_vault::{MasterKeys, SealedSecret};
use reqwest::Method;
use reqwest::header::SET_COOKIE;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixDatagram};
use uuid::Uuid;

use super::unit::{Unit, Visit, visit, wait_for_text};
use crate::accounts::world;

/// What must not be found, and what it is.
#[derive(Default)]
struct Canaries(Vec<(String, String)>);

impl Canaries {
    /// A new one.
    fn make(&mut self, what: &str) -> String {
        let text = format!("canary{}", Uuid::new_v4().simple());
        self.keep(what, &text);
        text
    }

    /// One that the product made.
    fn keep(&mut self, what: &str, text: &str) {
        assert!(text.len() >= 12, "{what} is too short to be looked for");
        self.0.push((what.to_owned(), text.to_owned()));
    }

    /// Everything in the files below `directory`.
    fn keep_files(&mut self, directory: &Path) {
        for entry in fs::read_dir(directory).unwrap().flatten() {
            if entry.path().is_dir() {
                self.keep_files(&entry.path());
            } else {
                let text = fs::read_to_string(entry.path()).unwrap();
                self.keep(&entry.path().display().to_string(), text.trim());
            }
        }
    }

    fn found_in(&self, log: &str) -> Vec<&str> {
        let is_there = |text: &str| {
            let encoded = STANDARD.encode(text);
            // The end of Base64 depends on what follows.
            log.contains(text) || log.contains(&encoded[..encoded.len() / 4 * 3])
        };
        self.0.iter().filter(|(_, text)| is_there(text)).map(|(what, _)| what.as_str()).collect()
    }
}

/// Signs in, changes the password, makes a token and a person: gives the token's client and the
/// production.
async fn work(kinora: &Kinora, canaries: &mut Canaries) -> (Client, Client, String) {
    let (login, first) = kinora.create_administrator();
    canaries.keep("one-time password", &first);
    let mut client = kinora.visitor();
    let answer = client.sign_in(&login, &first).await.expect(200);
    for cookie in answer.headers.get_all(SET_COOKIE) {
        let pair = cookie.to_str().unwrap().split(';').next().unwrap();
        canaries.keep("cookie", pair.split_once('=').unwrap().1);
    }
    let password = format!("{} in the orchard", canaries.make("password"));
    let change = json!({ "current_password": first, "new_password": password });
    assert!(client.put("/api/data/v1/account/password", &change).await.status.is_success());
    let mut client = kinora.visitor();
    let answer = client.sign_in(&login, &password).await.expect(200);
    for cookie in answer.headers.get_all(SET_COOKIE) {
        let pair = cookie.to_str().unwrap().split(';').next().unwrap();
        canaries.keep("cookie", pair.split_once('=').unwrap().1);
    }
    let session = client.get("/api/data/v1/session").await.expect(200).json();
    canaries.keep("CSRF token", session["csrf_token"].as_str().unwrap());
    let organisation = world::organisation_of(&mut client, "Kinora").await;
    let production = world::add_production(&mut client, &organisation, &canaries.make("title")).await;
    let mail = format!("{}@example.org", canaries.make("e-mail address"));
    let body = json!({ "login": mail, "display_name": canaries.make("name"), "role": "member" });
    let path = format!("/api/data/v1/organisations/{organisation}/people");
    let made = client.post(&path, &body).await;
    assert!(made.status.is_success(), "{}", made.text());
    let url = world::text(&made.json(), "/password_link/url");
    let link = world::token_of(&url);
    canaries.keep("one-time link", &link);
    let _ = world::set_password(&mut kinora.visitor(), &link, &canaries.make("weak password")).await;
    let made = client.post("/api/data/v1/account/tokens", &json!({ "name": "t" })).await.expect(201).json();
    let secret = find_token(&made).expect("a token").to_owned();
    canaries.keep("access token", &secret);
    let token = Client::with_token(&kinora.url(), &secret);
    (client, token, production)
}

fn find_token(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => text.starts_with("kinora_").then_some(text),
        Value::Object(fields) => fields.values().find_map(find_token),
        _ => None,
    }
}

/// Requests that go wrong, each with secrets where they may end up.
async fn misuse(kinora: &Kinora, client: &mut Client, canaries: &mut Canaries) {
    let mut visitor = kinora.visitor();
    let wrong = (canaries.make("unknown login"), canaries.make("wrong password"));
    let _ = visitor.sign_in(&wrong.0, &wrong.1).await;
    let secret = canaries.make("in a body");
    for body in [
        format!("{{\"login\": \"{secret}"),
        format!("{{\"login\": 5, \"{secret}\": 1}}"),
        format!("{{\"login\": {{\"x\": \"{secret}\"}}, \"password\": \"{secret}\"}}"),
        format!("{{\"login\": \"x\", \"password\": [\"{secret}\"]}}"),
        secret.clone(),
    ] {
        for path in ["/api/data/v1/session", "/api/data/v1/organisations", "/api/data/v1/account/tokens"] {
            let request = client.request(Method::POST, path).header("Content-Type", "application/json");
            let _ = client.send(request.body(body.clone())).await;
        }
    }
    for header in [
        "Authorization",
        "Cookie",
        "X-CSRF-Token",
        "X-Forwarded-For",
        "X-Request-Id",
        "User-Agent",
        "Referer",
        "Idempotency-Key",
        "Last-Event-ID",
        "If-Match",
        "Range",
        "Origin",
        "Upload-Metadata",
        "Content-Type",
    ] {
        let secret = canaries.make(header);
        for value in [secret.clone(), format!("Bearer {secret}"), format!("kinora_session={secret}")] {
            for (method, path) in
                [(Method::GET, "/api/data/v1/session"), (Method::POST, "/api/data/v1/organisations")]
            {
                let mut other = kinora.visitor();
                let request = other.request(method.clone(), path).header(header, &value).body("{}");
                let _ = other.send(request).await;
                let request = client.request(method, path).header(header, &value).body("{}");
                let _ = client.clone().send(request).await;
            }
        }
    }
    let secret = canaries.make("in an address");
    for path in [
        format!("/{secret}"),
        format!("/livez?token={secret}"),
        format!("/api/data/v1/productions/{secret}"),
        format!("/api/data/v1/{secret}/%0a%00{secret}"),
        format!("/welcome/{secret}"),
        format!("/api/data/v1/password-link?token={secret}"),
        format!("/api/data/v1/productions?cursor={secret}&limit={secret}&{secret}=1"),
        format!("/api/media/v1/uploads/{secret}"),
    ] {
        let _ = client.get(&path).await;
        let _ = client.post(&path, &json!({ "password": secret })).await;
    }
    let address = kinora.url().replace("http://localhost", "127.0.0.1");
    for raw in [
        format!("GET /{secret} HTTP/9.9\r\n{secret}: {secret}\r\n\r\n"),
        format!("{secret}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: {secret}\r\nHost: {secret}\r\n{secret}\r\n\r\n"),
        format!("POST /api/data/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n{secret}"),
    ] {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(raw.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
}

/// Invites addresses that a relay takes and refuses, and accepts; the link, the addresses and what the
/// relay says stay out of the logs.
async fn invite(
    kinora: &Kinora,
    client: &mut Client,
    relay: &MailRelay,
    production: &str,
    canaries: &mut Canaries,
) {
    let path = format!("/api/data/v1/productions/{production}/invitations");
    let invited = canaries.make("invited address");
    let addresses = [
        format!("{invited}@example.org"),
        format!("refused+{invited}@example.org"),
        format!("greylisted+1{invited}@example.org"),
    ];
    for address in &addresses {
        let body = json!({ "address": address, "roles": { "library": "reader" } });
        let _ = client.post(&path, &body).await.expect(201);
    }
    let token = crate::mail::invitations::token(relay, &addresses[0], 1).await;
    canaries.keep("link of an invitation", &token);
    let mut visitor = kinora.visitor();
    let _ = visitor.post("/api/data/v1/invitation", &json!({ "token": token })).await.expect(200);
    let password = canaries.make("password of a guest");
    let account = json!({ "token": token, "display_name": canaries.make("name of a guest"), "password": format!("{password} at sea") });
    let _ = visitor.post("/api/data/v1/invitation/account", &account).await.expect(201);
    let unknown = canaries.make("unknown token");
    let _ = visitor.post("/api/data/v1/invitation", &json!({ "token": unknown })).await.expect(404);
    let code = canaries.make("code sent by mail");
    let letter = kinora_core::mail::Letter::Code {
        code,
        minutes: 10,
        occasion: kinora_core::mail::CodeOccasion::SignIn,
        at: None,
        address: None,
        device: None,
    };
    let message = kinora_store::mail::Message {
        recipient: "refused@example.org",
        person: None,
        organisation: None,
        invitation: None,
        letter: &letter,
        expires_at: None,
    };
    kinora_store::mail::enqueue(&mut kinora.connect(), &message).unwrap();
}

/// A connection to an identity provider: its private key, and what owners give that is refused.
async fn connect_provider(kinora: &Kinora, client: &mut Client, canaries: &mut Canaries) {
    let organisation = world::organisation_of(client, "Kinora").await;
    let all = format!("/api/data/v1/organisations/{organisation}/sign-on/connections");
    let made = client.post(&all, &json!({ "name": canaries.make("connection") })).await.expect(201).json();
    let path = format!("{all}/{}/metadata", world::text(&made, "/id"));
    let secret = canaries.make("in the address of metadata");
    for body in [
        json!({ "url": format!("https://127.0.0.1:1/{secret}?key={secret}") }),
        json!({ "xml": format!("<x>{}</x>", canaries.make("metadata")) }),
        json!({ "xml": "<x/>", "signer": canaries.make("certificate") }),
    ] {
        let _ = world::send(client, Method::PUT, &path, &[("If-Match", "*")], Some(&body)).await.expect(422);
    }
    let keys =
        fs::read_to_string(kinora.directory().join("credentials/application/vault-master-key")).unwrap();
    let row: SealedRow = diesel::sql_query("SELECT id, master_key_id, sealed_key FROM saml_keys")
        .get_result(&mut kinora.connect())
        .unwrap();
    let sealed = SealedSecret { master_key_id: row.master_key_id, text: row.sealed_key };
    let secret = MasterKeys::parse(&keys).unwrap().open("saml-key", row.id.as_bytes(), &sealed).unwrap();
    // Behind what is the same in every key.
    canaries.keep("private key", &STANDARD.encode(&secret[60..120]));
}

#[derive(diesel::QueryableByName)]
struct SealedRow {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    id: Uuid,
    #[diesel(sql_type = diesel::sql_types::Text)]
    master_key_id: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    sealed_key: String,
}

/// Uploads something that is no film.
async fn upload(client: &Client, production: &str, canaries: &mut Canaries) {
    let content = canaries.make("content of a file").repeat(20);
    let name = format!("{}.mov", canaries.make("name of a file"));
    let path = format!("/api/media/v1/productions/{production}/uploads");
    let begin = |metadata: String| {
        let request = client.request(Method::POST, &path).header("Tus-Resumable", "1.0.0");
        request.header("Upload-Length", content.len()).header("Upload-Metadata", metadata)
    };
    let _ = client.clone().send(begin(format!("{} ***", canaries.make("malformed metadata")))).await;
    let metadata = format!("filename {}", STANDARD.encode(&name));
    let answer = client.clone().send(begin(metadata)).await.expect(201);
    let address = answer.header("location").unwrap().to_owned();
    let request = client
        .request(Method::PATCH, &address)
        .header("Tus-Resumable", "1.0.0")
        .header("Content-Type", "application/offset+octet-stream")
        .header("Upload-Offset", 0)
        .body(content);
    let _ = client.clone().send(request).await.expect(204);
}

/// Services that are gone or refuse, and settings that are wrong.
async fn fail(kinora: &Kinora, canaries: &mut Canaries) -> String {
    let mut logs = String::new();
    let wrong = Unit::new(kinora, "wrong-passwords", "");
    for name in ["database-password", "redis-password"] {
        fs::write(wrong.credentials.join(name), canaries.make(name)).unwrap();
    }
    let absent = Unit::new(kinora, "no-database", "");
    let text = fs::read_to_string(&absent.settings).unwrap();
    let hosts = text.lines().find(|line| line.starts_with("database.hosts")).unwrap();
    fs::write(&absent.settings, text.replace(hosts, "database.hosts = [\"127.0.0.1:1\"]")).unwrap();
    for unit in [wrong, absent] {
        let process = unit.start();
        unit.told("READY=1").await;
        assert_eq!(visit(unit.address()).await, Visit::Answered);
        let mut visitor = Client::anonymous(&format!("http://localhost:{}", unit.address().port()));
        let _ = visitor.sign_in(&canaries.make("login"), &canaries.make("password")).await.expect(503);
        let _ = visitor.get("/readyz").await.expect(503);
        process.stop().await;
        let log = unit.read_log();
        assert!(log.contains("WARN") || log.contains("ERROR"), "{log}");
        logs += &log;
    }
    let secret = canaries.make("in settings");
    let lines = [
        format!("database.password = \"{secret}\""),
        format!("threads = \"{secret}\""),
        format!("body_limit = [\"{secret}\"]"),
        format!("trusted_proxies = {{ a = \"{secret}\" }}"),
        format!("password.cost = {secret}"),
    ];
    for (number, line) in lines.iter().enumerate() {
        let unit = Unit::new(kinora, &format!("settings-{number}"), line);
        let (is_fine, told) = unit.check();
        assert!(!is_fine && told.contains("application.toml:"), "{told}");
        logs += &told;
    }
    logs
}

#[tokio::test]
async fn no_secret_is_ever_logged() {
    let mut canaries = Canaries::default();
    let debug = "log = \"debug\"";
    let relay_password = canaries.make("password at the mail relay");
    let relay = MailRelay::start().await;
    let mut kinora = Kinora::builder()
        .applications(1)
        .backends(1)
        .workers(1)
        .settings("application", debug)
        .settings("backend", debug)
        .relay(&relay)
        .secret("backend", "mail-password", &relay_password)
        .settings("worker", debug)
        .nobody_yet()
        .start()
        .await;
    canaries.keep_files(&kinora.directory().join("credentials"));
    let (mut client, token, production) = work(&kinora, &mut canaries).await;
    misuse(&kinora, &mut client, &mut canaries).await;
    upload(&token, &production, &mut canaries).await;
    connect_provider(&kinora, &mut client, &mut canaries).await;
    invite(&kinora, &mut client, &relay, &production, &mut canaries).await;
    wait_for_text(&kinora.backend(0).log_path(), "mail sent").await;
    wait_for_text(&kinora.backend(0).log_path(), "a mail was given up").await;
    let worker = kinora.worker(0).log_path();
    wait_for_text(&worker, "has failed").await;
    wait_for_text(&kinora.backend(0).log_path(), "a step has failed").await;
    kinora.redis().kill();
    let _ = client.get("/readyz").await.expect(200);
    let mut logs = fail(&kinora, &mut canaries).await;
    for log in [kinora.application(0).log(), kinora.backend(0).log(), kinora.worker(0).log()] {
        logs += &log;
    }
    assert_eq!(canaries.found_in(&logs), [""; 0]);
    // The search finds what is there, and the records say what they should.
    canaries.keep("control", "kinora_application::access");
    assert_eq!(canaries.found_in(&logs), ["control"]);
    for field in
        ["request_id=", "person_id=", "production_id=", "run_id=", "step=probe", "attempt=1", "duration_ms="]
    {
        assert!(logs.contains(field), "{field}");
    }
}

/// Makes `/run/systemd/journal` the directory that is given, for the program that follows.
const JOURNAL: &str = "mount -t tmpfs none /run && mkdir -p /run/systemd/journal && \
    mount --bind \"$1\" /run/systemd/journal && shift && \
    export JOURNAL_STREAM=$(stat -L -c %d:%i /dev/stderr) && exec \"$@\"";

#[tokio::test]
async fn the_journal_gets_fields_and_no_secret() {
    let kinora = Kinora::api().await;
    let unit = Unit::new(&kinora, "unit", "");
    let directory = kinora.directory().join("journal");
    fs::create_dir(&directory).unwrap();
    let journal = UnixDatagram::bind(directory.join("socket")).unwrap();
    let wrapper = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        JOURNAL,
        "sh",
        directory.to_str().unwrap(),
    ];
    let process = unit.start_with(&wrapper, &unit.open_log());
    unit.told("READY=1").await;
    let mut canaries = Canaries::default();
    let mut visitor = Client::anonymous(&format!("http://localhost:{}", unit.address().port()));
    let secret = canaries.make("address");
    let answer = visitor.get(&format!("/api/data/v1/productions/{}?x={secret}", Uuid::now_v7())).await;
    let id = answer.header("x-request-id").unwrap().to_owned();
    let mut buffer = vec![0_u8; 65_536];
    let record = wait_until("the request's record", async || {
        while let Ok(count) = journal.try_recv(&mut buffer) {
            let record = String::from_utf8_lossy(&buffer[..count]).into_owned();
            assert_eq!(canaries.found_in(&record), [""; 0]);
            if record.contains(&id) && record.contains("answered") {
                return Some(record);
            }
        }
        None
    })
    .await;
    for field in ["KINORA_REQUEST_ID\n", "KINORA_PRODUCTION_ID\n", "KINORA_DURATION_MS\n", "KINORA_ROUTE\n"] {
        assert!(record.contains(field), "{field}: {record}");
    }
    assert!(record.contains("SYSLOG_IDENTIFIER=kinora-application") || record.contains("kinora-application"));
    process.stop().await;
    assert_eq!(unit.read_log(), "", "everything went to the journal");
}
