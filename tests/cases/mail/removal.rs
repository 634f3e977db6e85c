//! Access ends at once, also for what is under way: an open stream of events, a download that is being
//! read, an upload that is being written. On another instance than the one that was told.

use diesel::connection::SimpleConnection as _;
use kinora_tests::{Client, Kinora, wait_until};
use reqwest::{Method, Response};
use serde_json::json;

use crate::accounts::factors::enrol_app;
use crate::accounts::world::{add_person, organisation_of, send, text};
use crate::library::follower::Follower;
use crate::media::support::{OpenPatch, Studio, Uploader, count, make_bytes, original, vault_files};

/// More than kernel and libraries keep of a connection, so that who reads slowly has not got it all.
const LENGTH: usize = 40 * 1024 * 1024;

/// A download that is read slowly.
struct Download {
    response: Response,
    received: usize,
}

impl Download {
    async fn open(client: &Client, asset: &str) -> Self {
        let response = client.request(Method::GET, &original(asset)).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let mut download = Self { response, received: 0 };
        assert!(download.read().await, "the first bytes");
        download
    }

    /// Reads a little. Whether it goes on.
    async fn read(&mut self) -> bool {
        match self.response.chunk().await {
            Ok(Some(bytes)) => {
                self.received += bytes.len();
                true
            }
            Ok(None) | Err(_) => false,
        }
    }

    /// Goes on reading, a little now and then, until nothing more comes.
    async fn expect_cut(mut self, why: &str) {
        wait_until(&format!("the download ends: {why}"), async || (!self.read().await).then_some(())).await;
        assert!(self.received < LENGTH, "{why}: all of it came");
    }
}

/// Everything that one person has under way.
struct UnderWay {
    events: Follower,
    download: Download,
    patch: Option<OpenPatch>,
}

impl UnderWay {
    async fn expect_end(mut self, why: &str) {
        if let Some(patch) = self.patch.take() {
            assert_eq!(patch.status().await, Some(404), "{why}: the upload");
        }
        self.download.expect_cut(why).await;
        let last = self.events.read_to_end().await;
        assert!(
            last.iter().all(|event| ["membership", "production"].contains(&event.kind.as_str())),
            "{why}: {last:?}"
        );
    }
}

/// Two instances, a file, and how many uploads were begun.
struct Scene {
    owner: Client,
    kinora: Kinora,
    studio: Studio,
    asset: String,
    begun: i64,
}

impl Scene {
    async fn new() -> Self {
        let settings = "rate_limit.person_burst = 50000\nupload.sweep_interval = \"1s\"";
        let kinora = Kinora::builder().applications(2).settings("application", settings).start().await;
        // Before there is any organisation.
        let owner = kinora.administrator().await;
        let mut studio = Studio::open(&kinora);
        let editor = studio.hire(&kinora, Some("editor"));
        let uploader = Uploader::new(&kinora.url(), &studio, &editor);
        let asset = uploader.upload("long.mov", &make_bytes(77, LENGTH)).await;
        Self { owner, kinora, studio, asset, begun: 0 }
    }

    /// Somebody with a token who has all of it under way at the second instance.
    async fn begin(&mut self) -> (String, UnderWay) {
        let person = self.studio.hire(&self.kinora, Some("editor"));
        let url = self.kinora.url_of(1);
        let client = Client::with_token(&url, &person.token);
        let uploader = Uploader::new(&url, &self.studio, &person);
        let address = uploader.create(LENGTH, "slow.mov").await;
        let mut patch = uploader.begin_patch(&address, 0, LENGTH).await;
        patch.send(&make_bytes(5, 65_536)).await;
        self.begun += 1;
        let begun = self.begun;
        let mut connection = self.kinora.connect();
        wait_until("its upload has a writer", async || {
            (count(
                &mut connection,
                "uploads WHERE epoch > 0 AND length_bytes = 41943040 AND state = 'receiving'",
            ) == begun)
                .then_some(())
        })
        .await;
        let under_way = UnderWay {
            events: Follower::open(&client, &self.studio.production.to_string(), None).await.0,
            download: Download::open(&client, &self.asset).await,
            patch: Some(patch),
        };
        (person.id.to_string(), under_way)
    }

    fn execute(&self, statement: &str) {
        self.kinora.connect().batch_execute(statement).unwrap();
    }
}

#[tokio::test]
async fn what_is_under_way_ends_with_the_permission_for_it() {
    let mut scene = Scene::new().await;
    for end in [
        "DELETE FROM production_members WHERE person_id = '{person}'",
        "UPDATE production_members SET ends_at = now() WHERE person_id = '{person}'",
        "UPDATE access_tokens SET revoked_at = now() WHERE person_id = '{person}'",
        "UPDATE access_tokens SET expires_at = now() WHERE person_id = '{person}'",
        "UPDATE people SET disabled_at = now() WHERE id = '{person}'",
    ] {
        let (person, under_way) = scene.begin().await;
        scene.execute(&end.replace("{person}", &person));
        under_way.expect_end(end).await;
    }
}

#[tokio::test]
async fn a_lower_role_ends_what_it_does_not_allow_and_nothing_else() {
    let mut scene = Scene::new().await;
    let (person, under_way) = scene.begin().await;
    let UnderWay { mut events, mut download, patch } = under_way;
    scene.execute(&format!(
        "UPDATE production_members SET library_role = 'reader' WHERE person_id = '{person}'"
    ));
    assert_eq!(patch.unwrap().status().await, Some(404), "a reader adds nothing");
    // What readers may do goes on to its end.
    while download.read().await {}
    assert_eq!(download.received, LENGTH);
    let mut connection = scene.kinora.connect();
    let production = scene.studio.production;
    let kind = kinora_store::events::EventKind::Asset;
    let sequence =
        kinora_store::events::record(&mut connection, production, kind, &json!({ "id": 1 })).unwrap();
    assert_eq!(events.next().await.unwrap().id, Some(sequence));
}

/// Through the API, as an administrator removes somebody: a guest with a browser's session.
#[tokio::test]
async fn a_removed_guest_and_a_revoked_session_see_no_more() {
    let scene = Scene::new().await;
    let mut owner = scene.owner.clone();
    let organisation = organisation_of(&mut owner, "Kinora").await;
    let me = text(&owner.get("/api/data/v1/session").await.json(), "/person/id");
    let production = scene.studio.production.to_string();
    // The administrator manages the library of a production of another organisation.
    scene.execute(&format!(
        "INSERT INTO production_members (production_id, person_id, library_role) VALUES ('{production}', '{me}', 'manager')"
    ));
    for (number, why) in ["removed", "session revoked", "signed out", "disabled"].into_iter().enumerate() {
        let login = format!("guest{number}@x.example");
        let (id, client) = add_person(&scene.kinora, &mut owner, &organisation, &login, "member").await;
        scene.execute(&format!(
            "INSERT INTO production_members (production_id, person_id, library_role) VALUES ('{production}', '{id}', 'reader')"
        ));
        let mut there = client.at(&scene.kinora.url_of(1));
        let seen = there.get(&format!("/api/data/v1/productions/{production}")).await.expect(200).json();
        assert_eq!(seen["guest"], true);
        let under_way = UnderWay {
            events: Follower::open(&there, &production, None).await.0,
            download: Download::open(&there, &scene.asset).await,
            patch: None,
        };
        let mut here = client.clone();
        match why {
            "removed" => {
                let member = format!("/api/data/v1/productions/{production}/members/{id}");
                let _ = owner.delete(&member).await.expect(204);
            }
            "session revoked" => {
                let sessions = here.get("/api/data/v1/account/sessions").await.expect(200).json();
                let session = text(&sessions, "/items/0/id");
                let _ = here.delete(&format!("/api/data/v1/account/sessions/{session}")).await.expect(204);
            }
            "signed out" => {
                let _ = here.delete("/api/data/v1/session").await.expect(204);
            }
            _ => scene.execute(&format!("UPDATE people SET disabled_at = now() WHERE id = '{id}'")),
        }
        under_way.expect_end(why).await;
    }
}

/// Under support access, with a browser's session, on another instance than the one that ends it.
#[tokio::test]
async fn what_is_under_way_ends_with_support_access() {
    let scene = Scene::new().await;
    let mut owner = scene.owner.clone();
    let organisation = organisation_of(&mut owner, "Kinora").await;
    let production = scene.studio.production.to_string();
    for (number, end) in [
        "UPDATE support_grants SET ends_at = now() WHERE supporter_id = '{person}'",
        "UPDATE support_grants SET ended_at = now() WHERE supporter_id = '{person}'",
        "DELETE FROM totp_factors WHERE person_id = '{person}'",
    ]
    .into_iter()
    .enumerate()
    {
        let login = format!("helper{number}@x.example");
        let (id, mut client) = add_person(&scene.kinora, &mut owner, &organisation, &login, "member").await;
        let _ = enrol_app(&mut client).await;
        scene.execute(&format!(
            "INSERT INTO support_grants (id, organisation_id, address, address_key, supporter_id, most_role, modules, \
                 originals, reason, given_by, starts_at, ends_at) \
             SELECT gen_random_uuid(), p.organisation_id, '{login}', '{login}', '{id}', 'reader', '{{library}}', \
                 true, 'reel 3', gen_random_uuid(), now() - interval '1 minute', now() + interval '1 hour' \
             FROM productions p WHERE p.id = '{production}'"
        ));
        let there = client.at(&scene.kinora.url_of(1));
        let under_way = UnderWay {
            events: Follower::open(&there, &production, None).await.0,
            download: Download::open(&there, &scene.asset).await,
            patch: None,
        };
        scene.execute(&end.replace("{person}", &id));
        under_way.expect_end(end).await;
    }
}

/// Everything that is to be had of a production and its asset.
fn addresses(production: &str, asset: &str) -> [String; 8] {
    [
        format!("/api/data/v1/productions/{production}"),
        format!("/api/data/v1/productions/{production}/assets"),
        format!("/api/data/v1/productions/{production}/assets?q=long"),
        format!("/api/data/v1/productions/{production}/runs"),
        format!("/api/media/v1/productions/{production}/uploads"),
        format!("/api/data/v1/assets/{asset}"),
        format!("/api/data/v1/assets/{asset}/runs"),
        original(asset),
    ]
}

/// The status of an answer, without reading all of it.
async fn status_of(client: &Client, address: &str) -> u16 {
    let request = client.request(Method::GET, address).header("Range", "bytes=0-3");
    match request.send().await.unwrap().status().as_u16() {
        206 => 200,
        other => other,
    }
}

#[tokio::test]
async fn a_removed_production_ends_what_is_under_way_and_gives_up_all_it_had() {
    let mut scene = Scene::new().await;
    let production = scene.studio.production.to_string();
    let (_, under_way) = scene.begin().await;
    let [boss, editor] = ["manager", "editor"].map(|role| scene.studio.hire(&scene.kinora, Some(role)));
    scene.execute(&format!(
        "UPDATE organisation_members SET role = 'administrator' WHERE person_id = '{}'",
        boss.id
    ));
    let uploader = Uploader::new(&scene.kinora.url(), &scene.studio, &editor);
    let waiting = uploader.create(10, "waiting.mov").await;
    let _ = uploader.head(&waiting).await.expect(200);
    let clients: Vec<Client> = [&boss, &editor]
        .iter()
        .flat_map(|person| [0, 1].map(|index| Client::with_token(&scene.kinora.url_of(index), &person.token)))
        .collect();
    let addresses = addresses(&production, &scene.asset);
    for client in &clients {
        for address in &addresses {
            assert_eq!(status_of(client, address).await, 200, "{address}");
        }
    }

    // A token cannot confirm what takes everything away from others: it takes somebody who has just signed in.
    scene.execute(&format!(
        "INSERT INTO organisation_members (organisation_id, person_id, role) SELECT organisation_id, p.id, 'administrator' \
         FROM productions, people p WHERE productions.id = '{production}' AND p.login = 'admin@localhost'"
    ));
    let (mut owner, mut boss, mut editor) = (scene.owner.clone(), clients[0].clone(), clients[2].clone());
    let path = addresses[0].clone();
    let etag = boss.get(&path).await.expect(200).header("etag").unwrap().to_owned();
    let remove = async |client: &mut Client, etag: &str| {
        send(client, Method::DELETE, &path, &[("If-Match", etag)], None).await
    };
    let _ = remove(&mut editor, &etag).await.expect(403);
    let _ = remove(&mut boss, &etag).await.expect(403);
    let _ = remove(&mut owner, "\"4711\"").await.expect(412);
    let _ = boss.get(&path).await.expect(200);
    let _ = remove(&mut owner, &etag).await.expect(204);

    under_way.expect_end("the production was removed").await;
    for client in &clients {
        for address in &addresses {
            wait_until(&format!("{address} is gone"), async || {
                (status_of(client, address).await == 404).then_some(())
            })
            .await;
        }
        let mut client = client.clone();
        let list = client.get("/api/data/v1/productions").await.expect(200).json();
        assert_eq!(list["items"], json!([]));
    }
    let _ = remove(&mut owner, &etag).await.expect(404);
    let _ = uploader.head(&waiting).await.expect(404);

    let mut connection = scene.kinora.connect();
    let of_it = format!("production_id = '{production}'");
    assert_eq!(count(&mut connection, &format!("runs WHERE {of_it} AND cancel_requested_at IS NULL")), 0);
    assert_eq!(count(&mut connection, &format!("runs WHERE {of_it}")), 1);
    wait_until("its unfinished uploads have expired", async || {
        (count(&mut connection, &format!("uploads WHERE {of_it} AND state = 'receiving'")) == 0).then_some(())
    })
    .await;
    let act = format!(
        "audit_rows WHERE {of_it} AND action = 'production.removed' AND subject = 'Film' AND actor = 'admin@localhost'"
    );
    assert_eq!(count(&mut connection, &act), 1);

    // For a week the bytes are there, and then they are not.
    let listed = "objects o JOIN orphan_objects w ON w.object_id = o.id \
                  WHERE w.remove_after BETWEEN now() + interval '6 days' AND now() + interval '7 days'";
    assert_eq!(count(&mut connection, listed), 1);
    assert!(!vault_files(&scene.kinora).is_empty());
    scene.execute("UPDATE orphan_objects SET remove_after = now()");
    wait_until("nothing is left in the vault", async || {
        (vault_files(&scene.kinora).is_empty() && count(&mut connection, "orphan_objects") == 0).then_some(())
    })
    .await;
    assert_eq!(count(&mut connection, "objects WHERE wrapped_key <> ''"), 0, "no key is left");
}
