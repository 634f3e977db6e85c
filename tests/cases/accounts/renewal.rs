//! A session that is confirmed is known by another cookie and CSRF token from then on: the former ones open nothing, on any
//! instance, and what was under way in its name loses nothing.

use kinora_tests::{ADMINISTRATOR_PASSWORD, Answer, Client, Kinora, wait_until};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::world::{add_production, organisation_of, text};
use crate::library::follower::Follower;
use crate::media::support::{asset_of, count, make_bytes, original};

const COOKIE: &str = "__Host-kinora";
const SESSION: &str = "/api/data/v1/session";
const SESSIONS: &str = "/api/data/v1/account/sessions";
const TOKENS: &str = "/api/data/v1/account/tokens";
const CONFIRM: &str = "/api/data/v1/account/confirmation";
const OCTETS: &str = "application/offset+octet-stream";

/// Two instances, and an owner's browser at the first one.
async fn two_instances() -> (Kinora, Client) {
    let kinora = Kinora::builder().applications(2).start().await;
    let owner = kinora.administrator().await.at(&kinora.url_of(0));
    (kinora, owner)
}

fn password() -> Value {
    json!({ "password": ADMINISTRATOR_PASSWORD })
}

fn slug(answer: &Answer) -> String {
    text(&answer.json(), "/type").rsplit(':').next().unwrap().to_owned()
}

async fn session_ids(client: &mut Client) -> Vec<String> {
    let sessions = client.get(SESSIONS).await.expect(200).json();
    sessions["items"].as_array().unwrap().iter().map(|item| text(item, "/id")).collect()
}

#[tokio::test]
async fn the_former_cookie_opens_nothing_and_the_next_one_the_same_session() {
    let (kinora, mut owner) = two_instances().await;
    let ids = session_ids(&mut owner).await;
    let mut before = owner.clone();
    let mut there = owner.at(&kinora.url_of(1));
    let _ = there.get(SESSION).await.expect(200);

    let answer = owner.post(CONFIRM, &password()).await.expect(200);
    let set = answer.header("set-cookie").unwrap();
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
        assert!(set.contains(attribute), "{set}");
    }
    assert_ne!(owner.cookie(COOKIE), before.cookie(COOKIE));
    assert_ne!(owner.csrf_token(), before.csrf_token());

    // At once where it was confirmed, and elsewhere as soon as what is kept of it is too old.
    let _ = before.get(SESSION).await.expect(401);
    let _ = before.post(TOKENS, &json!({ "name": "thief" })).await.expect(401);
    wait_until("the other instance refuses the former cookie", async || {
        (there.get(SESSION).await.status == 401).then_some(())
    })
    .await;
    let _ = there.post(TOKENS, &json!({ "name": "thief" })).await.expect(401);

    for place in 0..2 {
        let mut owner = owner.at(&kinora.url_of(place));
        let session = owner.get(SESSION).await.expect(200).json();
        assert_eq!(session["csrf_token"], answer.json()["csrf_token"]);
        assert!(session["confirmed_until"].is_string());
        let _ = owner.post(TOKENS, &json!({ "name": format!("mine {place}") })).await.expect(201);
        // A page that was opened before has the former token only: refused, until it has asked for the session.
        let mut page = before.at(&kinora.url_of(place));
        page.set_cookie(COOKIE, owner.cookie(COOKIE).unwrap());
        let refused = page.post(TOKENS, &json!({ "name": "page" })).await.expect(403);
        assert_eq!(slug(&refused), "cross-site");
        page.refresh_csrf_token().await;
        let _ = page.post(TOKENS, &json!({ "name": format!("page {place}") })).await.expect(201);
    }
    assert_eq!(session_ids(&mut owner).await, ids, "the same session");
    // A wrong password renews nothing.
    let cookie = owner.cookie(COOKIE).unwrap().to_owned();
    let _ = owner.post(CONFIRM, &json!({ "password": "not this one" })).await.expect(422);
    assert_eq!(owner.cookie(COOKIE), Some(cookie.as_str()));
    let _ = owner.delete(SESSION).await.expect(204);
    let mut gone = owner.clone();
    gone.set_cookie(COOKIE, &cookie);
    let _ = gone.get(SESSION).await.expect(401);
}

/// Otherwise the browser could be left with the cookie of the one that came first.
#[tokio::test]
async fn of_two_confirmations_with_one_cookie_one_is_refused() {
    let (kinora, owner) = two_instances().await;
    let (mut first, mut second) = (owner.clone(), owner.at(&kinora.url_of(1)));
    let proof = password();
    let (one, two) = tokio::join!(first.post(CONFIRM, &proof), second.post(CONFIRM, &proof));
    let mut found = [one.status.as_u16(), two.status.as_u16()];
    found.sort_unstable();
    assert_eq!(found, [200, 401], "{} {}", one.text(), two.text());
    let mut kept = if one.status == 200 { first } else { second };
    let _ = kept.get(SESSION).await.expect(200);
}

/// A browser's upload.
struct Upload {
    address: String,
    bytes: Vec<u8>,
}

impl Upload {
    async fn begin(client: &mut Client, production: &str, bytes: Vec<u8>) -> Self {
        let path = format!("/api/media/v1/productions/{production}/uploads");
        let request = client
            .request(Method::POST, &path)
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Length", bytes.len())
            .header("Upload-Metadata", "filename bG9uZy5tb3Y=");
        let address = client.send(request).await.expect(201).header("location").unwrap().to_owned();
        Self { address, bytes }
    }

    fn patch(&self, client: &Client, offset: usize, end: usize) -> RequestBuilder {
        client
            .request(Method::PATCH, &self.address)
            .header("Tus-Resumable", "1.0.0")
            .header("Content-Type", OCTETS)
            .header("Upload-Offset", offset)
            .body(self.bytes[offset..end].to_vec())
    }

    /// Begins to send everything up to `end`, and stops after `first` bytes of it.
    async fn begin_patch(&self, client: &Client, base: &str, end: usize, first: usize) -> TcpStream {
        let host = base.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).await.unwrap();
        let head = format!(
            "PATCH {} HTTP/1.1\r\nHost: {host}\r\nCookie: {COOKIE}={}\r\nX-CSRF-Token: {}\r\nTus-Resumable: 1.0.0\r\n\
             Content-Type: {OCTETS}\r\nUpload-Offset: 0\r\nContent-Length: {end}\r\n\r\n",
            self.address,
            client.cookie(COOKIE).unwrap(),
            client.csrf_token().unwrap(),
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&self.bytes[..first]).await.unwrap();
        stream
    }

    async fn offset(&self, client: &mut Client) -> usize {
        let request = client.request(Method::HEAD, &self.address).header("Tus-Resumable", "1.0.0");
        client.send(request).await.expect(200).header("upload-offset").unwrap().parse().unwrap()
    }
}

#[tokio::test]
async fn what_was_sent_with_the_former_cookie_is_finished_or_refused_whole() {
    let (kinora, mut owner) = two_instances().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let production = add_production(&mut owner, &own, "Film").await;
    let bytes = make_bytes(11, 410_000);
    let upload = Upload::begin(&mut owner, &production, bytes.clone()).await;
    let mut before = owner.at(&kinora.url_of(1));
    let (mut events, _) = Follower::open(&before, &production, None).await;
    let mut patch = upload.begin_patch(&before, &kinora.url_of(1), 400_000, 100_000).await;
    let mut connection = kinora.connect();
    wait_until("the upload has a writer", async || {
        (count(&mut connection, "uploads WHERE epoch > 0") == 1).then_some(())
    })
    .await;

    let _ = owner.post(CONFIRM, &password()).await.expect(200);
    wait_until("the former cookie opens nothing", async || {
        (before.get(SESSION).await.status == 401).then_some(())
    })
    .await;

    // What was begun goes on to its end, and is acknowledged as ever.
    patch.write_all(&upload.bytes[100_000..400_000]).await.unwrap();
    let mut head = [0; 12];
    let _ = patch.read_exact(&mut head).await.unwrap();
    assert_eq!(&head[9..], b"204");
    // A stream of events has no end of its own: it ends, and comes back where it was.
    let _ = events.read_to_end().await;
    let last = events.last;
    let (_again, beginning) = Follower::open(&owner, &production, last).await;
    assert_eq!(beginning.kind, "ready");

    // What came after the confirmation is refused whole, and changes nothing.
    let late = upload.patch(&before, 400_000, 410_000);
    let _ = before.send(late).await.expect(401);
    let mut page = before.clone();
    page.set_cookie(COOKIE, owner.cookie(COOKIE).unwrap());
    let late = upload.patch(&page, 400_000, 410_000);
    assert_eq!(slug(&page.send(late).await.expect(403)), "cross-site");
    assert_eq!(upload.offset(&mut owner).await, 400_000);

    // The page asks for the session, and goes on from there.
    page.refresh_csrf_token().await;
    let rest = upload.patch(&page, 400_000, 410_000);
    let asset = asset_of(&page.send(rest).await.expect(204));
    assert!(owner.get(&original(&asset)).await.expect(200).bytes == bytes, "the same bytes");
}
