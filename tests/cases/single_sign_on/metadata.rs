//! Metadata of providers: as text and from an address, signed or not, fetched again, and its end.

use std::sync::{Arc, Mutex};

use kinora_tests::{Client, Kinora, Stack, wait_until};
use reqwest::Method;
use serde_json::{Value, json};

use super::provider::{Described, Key, Page, add_connection, change, give_metadata, page, serve};
use crate::accounts::world::{execute, organisation_of, text};

const ENTITY: &str = "https://login.studio.example/idp";

struct World {
    kinora: Kinora,
    owner: Client,
    connection: String,
    server: Page,
    address: String,
}

/// A server of metadata that Kinora trusts, and a connection.
async fn world() -> World {
    let key = Key::ending_in(100);
    let file = Stack::get().create_test_directory().join("authorities.pem");
    std::fs::write(&file, key.pem()).unwrap();
    let server: Page = Arc::new(Mutex::new(page("404 Not Found", "")));
    let address = serve(&key, Arc::clone(&server)).await;
    let lines = format!(
        "saml.metadata_authorities = {:?}\nsaml.metadata_from_this_host = true",
        file.display().to_string()
    );
    let kinora = Kinora::builder().applications(1).settings("application", &lines).start().await;
    let mut owner = kinora.administrator().await;
    let organisation = organisation_of(&mut owner, "Kinora").await;
    let connection = add_connection(&mut owner, &organisation, "Studio").await;
    World { kinora, owner, connection, server, address }
}

impl World {
    fn put(&self, answer: Vec<u8>) {
        *self.server.lock().unwrap() = answer;
    }

    fn put_xml(&self, xml: &str) {
        self.put(page("200 OK", xml));
    }

    async fn give(&mut self, body: &Value, status: u16) -> Value {
        let path = format!("{}/metadata", self.connection);
        change(&mut self.owner, Method::PUT, &path, body).await.expect(status).json()
    }

    async fn refresh(&mut self) -> Value {
        let path = format!("{}/metadata/refresh", self.connection);
        self.owner.post(&path, &json!({})).await.expect(200).json()
    }
}

#[tokio::test]
async fn metadata_that_cannot_be_used_replaces_nothing_and_says_why() {
    let mut world = world().await;
    let key = Key::ending_in(400);
    let keys = [&key];
    let good = Described::new(ENTITY, &keys).xml();
    let _ = give_metadata(&mut world.owner, &world.connection, &good).await.expect(200);
    let ended = Described { valid_until: Some("2020-01-01T00:00:00Z"), ..Described::new(ENTITY, &keys) };
    for (xml, says) in [
        (String::new(), "XML"),
        ("<html/>".to_owned(), "identity provider"),
        ("<!DOCTYPE x [<!ENTITY a \"b\">]><x/>".to_owned(), "DTD"),
        (Described::new(ENTITY, &[]).xml(), "no signing certificate"),
        (ended.xml(), "no longer valid"),
        (good.replace("https://login.studio.example/sso", "http://login.studio.example/sso"), "https"),
    ] {
        let refused = give_metadata(&mut world.owner, &world.connection, &xml).await.expect(422).json();
        assert_eq!(text(&refused, "/errors/0/pointer"), "/xml");
        let detail = text(&refused, "/errors/0/detail");
        assert!(detail.contains(says), "{detail}");
    }
    for wrong in [json!({}), json!({ "xml": good, "url": "https://x.example/" })] {
        let _ = world.give(&wrong, 422).await;
    }
    let kept = world.owner.get(&world.connection).await.json();
    assert_eq!(text(&kept, "/provider/entity_id"), ENTITY);
}

#[tokio::test]
async fn metadata_comes_from_an_address_within_limits() {
    let mut world = world().await;
    let key = Key::ending_in(400);
    let good = Described::new(ENTITY, &[&key]).xml();
    world.put_xml(&good);
    let address = world.address.clone();
    let given = world.give(&json!({ "url": address }), 200).await;
    assert_eq!(text(&given, "/metadata_url"), address);
    assert!(given["fetched_at"].is_string() && given["fetch_error"].is_null());
    let moved = b"HTTP/1.1 302 Found\r\nLocation: https://localhost/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    for (answer, says) in [
        (page("404 Not Found", ""), "status 404"),
        (moved.to_vec(), "another address"),
        (page("200 OK", &"x".repeat(1024 * 1024 + 1)), "larger"),
        (page("200 OK", "<html/>"), ""),
    ] {
        world.put(answer);
        let refused = world.give(&json!({ "url": address }), 422).await;
        assert_eq!(text(&refused, "/errors/0/pointer"), "/url");
        assert!(text(&refused, "/errors/0/detail").contains(says), "{refused}");
    }
    for bad in ["http://localhost/", "file:///etc/hostname", "https://a:b@localhost/", "x"] {
        let refused = world.give(&json!({ "url": bad }), 422).await;
        assert!(text(&refused, "/errors/0/detail").contains("https"), "{refused}");
    }
    // A server with a certificate that nobody vouches for.
    let unknown = serve(&Key::ending_in(10), Arc::clone(&world.server)).await;
    world.put_xml(&good);
    let refused = world.give(&json!({ "url": unknown }), 422).await;
    assert!(text(&refused, "/errors/0/detail").contains("could not be reached"), "{refused}");
}

#[tokio::test]
async fn this_host_is_asked_only_where_that_is_allowed() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let organisation = organisation_of(&mut owner, "Kinora").await;
    let connection = add_connection(&mut owner, &organisation, "Studio").await;
    for here in
        ["https://127.0.0.1/", "https://localhost/", "https://169.254.169.254/latest/", "https://[::1]/"]
    {
        let path = format!("{connection}/metadata");
        let refused =
            change(&mut owner, Method::PUT, &path, &json!({ "url": here })).await.expect(422).json();
        assert!(text(&refused, "/errors/0/detail").contains("this server itself"), "{refused}");
    }
}

#[tokio::test]
async fn a_signature_is_asked_for_where_a_signer_is_named() {
    let mut world = world().await;
    let (key, signer, stranger) = (Key::ending_in(400), Key::ending_in(400), Key::ending_in(400));
    let directory = world.kinora.directory().to_owned();
    let one = [&key];
    let described = Described::new(ENTITY, &one);
    let signed = described.signed(&signer, &directory);
    let foreign = described.signed(&stranger, &directory);
    let changed = signed.replace("studio.example/sso", "evil.example/sso");
    let pem = signer.pem();
    // With nobody named only what does not fit its own signature is refused.
    let refused = world.give(&json!({ "xml": changed }), 422).await;
    assert!(text(&refused, "/errors/0/detail").contains("signature is not valid"), "{refused}");
    for xml in [&signed, &foreign] {
        let _ = world.give(&json!({ "xml": xml }), 200).await;
    }
    for (xml, says) in
        [(described.xml(), "signed"), (foreign.clone(), "certificate"), (changed, "signature is not valid")]
    {
        let refused = world.give(&json!({ "xml": xml, "signer": pem }), 422).await;
        assert!(text(&refused, "/errors/0/detail").contains(says), "{refused}");
    }
    let refused = world.give(&json!({ "xml": signed, "signer": "not a certificate" }), 422).await;
    assert_eq!(text(&refused, "/errors/0/pointer"), "/signer");
    let given = world.give(&json!({ "xml": signed, "signer": pem }), 200).await;
    assert_eq!(text(&given, "/provider/entity_id"), ENTITY);
    assert!(given["metadata_signer"]["fingerprint"].is_string());

    // And whenever it is fetched again.
    world.put_xml(&signed);
    let address = world.address.clone();
    let _ = world.give(&json!({ "url": address, "signer": pem }), 200).await;
    let rolled = Key::ending_in(800);
    let keys = [&key, &rolled];
    let newer = Described::new(ENTITY, &keys);
    for (xml, says) in [
        (newer.xml(), Some("signed")),
        (newer.signed(&stranger, &directory), Some("certificate")),
        (newer.signed(&signer, &directory), None),
    ] {
        world.put_xml(&xml);
        let after = world.refresh().await;
        let count = after["provider"]["certificates"].as_array().unwrap().len();
        match says {
            Some(says) => {
                assert!(text(&after, "/fetch_error").contains(says), "{after}");
                assert_eq!(count, 1);
            }
            None => {
                assert_eq!(after["fetch_error"], Value::Null);
                assert_eq!(count, 2);
            }
        }
    }
}

#[tokio::test]
async fn what_is_worse_never_replaces_what_works() {
    let mut world = world().await;
    let (key, ended) = (Key::ending_in(400), Key::ending_in(-2));
    let (one, gone) = ([&key], [&ended]);
    let until = |year: u32| format!("{year}-01-01T00:00:00Z");
    let (later, sooner) = (until(2090), until(2080));
    let good = Described { valid_until: Some(&later), ..Described::new(ENTITY, &one) };
    world.put_xml(&good.xml());
    let address = world.address.clone();
    let _ = world.give(&json!({ "url": address }), 200).await;
    let _ =
        change(&mut world.owner, Method::PATCH, &world.connection, &json!({ "request_binding": "redirect" }))
            .await
            .expect(200);
    let other = Described {
        entity_id: "https://evil.example/idp",
        valid_until: Some(&later),
        ..Described::new("", &one)
    };
    let unserved =
        Described { with_redirect: false, valid_until: Some(&later), ..Described::new(ENTITY, &one) };
    let over = Described { valid_until: Some(&later), ..Described::new(ENTITY, &gone) };
    let older = Described { valid_until: Some(&sooner), ..Described::new(ENTITY, &one) };
    for (worse, says) in [
        (page("200 OK", &other.xml()), "another identity provider"),
        (page("200 OK", &unserved.xml()), "binding"),
        (page("200 OK", &over.xml()), "have ended"),
        (page("200 OK", &older.xml()), "ends earlier"),
        (page("503 Service Unavailable", ""), "503"),
    ] {
        world.put(worse);
        let after = world.refresh().await;
        assert!(text(&after, "/fetch_error").contains(says), "{says}: {after}");
        assert_eq!(text(&after, "/provider/entity_id"), ENTITY);
        assert!(after["provider"]["sign_on_redirect"].is_string());
        assert!(text(&after, "/provider/valid_until").starts_with("2090"));
    }
    world.put_xml(&good.xml());
    assert_eq!(world.refresh().await["fetch_error"], Value::Null);
    let pasted = give_metadata(&mut world.owner, &world.connection, &good.xml()).await.expect(200).json();
    assert_eq!(pasted["metadata_url"], Value::Null);
    let refresh = format!("{}/metadata/refresh", world.connection);
    let _ = world.owner.post(&refresh, &json!({})).await.expect(409);
}

#[tokio::test]
async fn metadata_is_fetched_again_every_day_and_owners_hear_of_ends_once() {
    let mut world = world().await;
    let (soon, late) = (Key::ending_in(20), Key::ending_in(400));
    world.put_xml(&Described::new(ENTITY, &[&soon]).xml());
    let address = world.address.clone();
    let given = world.give(&json!({ "url": address }), 200).await;
    assert_eq!(text(&given, "/warnings/0/what"), "provider_certificate");
    assert_eq!(given["warnings"][0]["days_left"], 20);
    // The administrator's login is no address that mail goes to everywhere: see who would get it.
    let mails = "UPDATE mail_messages SET tries = tries WHERE kind = 'sign_on_ending'";
    let _ = world.kinora.application(0).stop().await;
    world.kinora.application(0).start().await;
    let kinora = &world.kinora;
    wait_until("the first mail", async || (execute(kinora, mails) == 1).then_some(())).await;

    execute(&world.kinora, "UPDATE saml_connections SET fetch_tried_at = now() - interval '25 hours'");
    let own = "UPDATE saml_keys SET not_after = now() + interval '6 days 1 hour' WHERE role = 'signing'";
    assert_eq!(execute(&world.kinora, own), 1);
    world.put_xml(&Described::new(ENTITY, &[&soon, &late]).xml());
    let _ = world.kinora.application(0).stop().await;
    world.kinora.application(0).start().await;
    let (owner, connection) = (&mut world.owner, world.connection.clone());
    let refreshed = wait_until("new metadata", async || {
        let now = owner.get(&connection).await.expect(200).json();
        (now["provider"]["certificates"].as_array().unwrap().len() == 2).then_some(now)
    })
    .await;
    assert_eq!(refreshed["warnings"].as_array().unwrap().len(), 1, "{refreshed}");
    assert_eq!(text(&refreshed, "/warnings/0/what"), "own_certificate");
    assert_eq!(refreshed["warnings"][0]["days_left"], 6);
    let kinora = &world.kinora;
    wait_until("the second mail", async || (execute(kinora, mails) == 2).then_some(())).await;
    for days in [30, 7] {
        let told = format!("UPDATE saml_warnings SET days = days WHERE days = {days}");
        assert_eq!(execute(&world.kinora, &told), 1, "each mail is sent once");
    }
}
