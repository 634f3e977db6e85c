//! Support access: the only way by which somebody outside an organisation sees what is in it.

use std::collections::{BTreeMap, BTreeSet};

use diesel::RunQueryDsl as _;
use diesel::sql_types::BigInt;
use kinora_store::audit::{self, Verdict};
use kinora_tests::{Answer, Client, Kinora, MailRelay, wait_until};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::factors::{enrol_app, slug};
use super::visibility::{addresses_with_ids, ask, fill, seen};
use super::world::{
    PASSWORD, Things, add_organisation, add_person, add_production, add_things, execute, text,
};
use crate::library::follower::Follower;

const OWNER: &str = "ada@studio.example";
const HELPER: &str = "help@vendor.example";

/// A studio of its own, without anybody of the vendor's organisation.
struct Scene {
    kinora: Kinora,
    /// Owner of the vendor's organisation, and the first administrator of the installation.
    first: Client,
    /// Owner of the studio.
    ada: Client,
    ada_id: String,
    /// Of the vendor, with a second factor.
    helper: Client,
    studio: String,
    vendor: String,
    production: String,
    things: Things,
}

impl Scene {
    async fn new() -> Self {
        let settings = "rate_limit.person_burst = 50000\nrate_limit.address_burst = 50000";
        Self::at(Kinora::builder().applications(1).settings("application", settings).start().await).await
    }

    async fn at(kinora: Kinora) -> Self {
        let mut first = kinora.administrator().await;
        let session = first.get("/api/data/v1/session").await.expect(200).json();
        let (first_id, vendor) = (text(&session, "/person/id"), text(&session, "/organisations/0/id"));
        let studio = add_organisation(&mut first, "Studio").await;
        let (ada_id, mut ada) = add_person(&kinora, &mut first, &studio, OWNER, "owner").await;
        let path = format!("/api/data/v1/organisations/{studio}/people/{first_id}");
        let _ = ada.delete(&path).await.expect(204);
        let (_, mut helper) = add_person(&kinora, &mut first, &vendor, HELPER, "member").await;
        let _ = enrol_app(&mut helper).await;
        let production = add_production(&mut ada, &studio, "Secret Film").await;
        let things = add_things(&kinora, &production, &ada_id);
        Self { kinora, first, ada, ada_id, helper, studio, vendor, production, things }
    }

    fn grants(&self) -> String {
        format!("/api/data/v1/organisations/{}/support-grants", self.studio)
    }

    /// A request for support access of an hour.
    fn form(&self, most_role: &str) -> Value {
        json!({
            "address": HELPER,
            "reason": "Reel 3 does not play",
            "scope": { "most_role": most_role, "modules": ["library"], "productions": [self.production] },
            "ends_at": chrono::Utc::now() + chrono::TimeDelta::hours(1),
        })
    }

    async fn give(&mut self, form: &Value) -> String {
        let path = self.grants();
        text(&self.ada.post(&path, form).await.expect(201).json(), "/id")
    }

    /// Gives support access, which the helper accepts.
    async fn open(&mut self, form: &Value) -> String {
        let grant = self.give(form).await;
        accept(&self.kinora, &mut self.helper, &grant).await;
        grant
    }

    fn assets(&self) -> String {
        format!("/api/data/v1/productions/{}/assets", self.production)
    }

    /// What the owner reads in the trail, newest first.
    async fn trail(&mut self, query: &str) -> Vec<Value> {
        let path = format!("/api/data/v1/organisations/{}/audit?limit=200&{query}", self.studio);
        self.ada.get(&path).await.expect(200).json()["items"].as_array().unwrap().clone()
    }

    fn count(&self, from: &str) -> i64 {
        count(&self.kinora, from)
    }
}

/// A link of that support access, as the backend makes one when it sends the mail.
fn link(kinora: &Kinora, grant: &str) -> Value {
    let token = Uuid::now_v7().to_string();
    let made = execute(
        kinora,
        &format!("INSERT INTO support_links (token_digest, grant_id) VALUES (sha256('{token}'), '{grant}')"),
    );
    assert_eq!(made, 1);
    json!({ "token": token })
}

const ACCEPTANCE: &str = "/api/data/v1/support-access/acceptance";

async fn accept(kinora: &Kinora, client: &mut Client, grant: &str) {
    let _ = client.post(ACCEPTANCE, &link(kinora, grant)).await.expect(200);
}

fn count(kinora: &Kinora, from: &str) -> i64 {
    #[derive(diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let query = format!("SELECT count(*) AS count FROM {from}");
    diesel::sql_query(query).get_result::<Count>(&mut kinora.connect()).unwrap().count
}

/// Status and request id of an answer whose body may never end.
async fn peek(client: &Client, method: &Method, path: &str) -> (u16, String) {
    let headers =
        [("If-Match", "*"), ("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"), ("Upload-Length", "1")];
    let mut request = client.request(method.clone(), path);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    if *method == Method::PATCH && !path.contains("/uploads/") {
        // Whole, so that the answer is about who asks and not about what is missing.
        request = request.json(&json!({ "name": "Another name" }));
    } else if *method != Method::GET && *method != Method::HEAD {
        request = request.json(&json!({}));
    }
    let answer = request.send().await.unwrap();
    let id = answer.headers().get("x-request-id").unwrap().to_str().unwrap().to_owned();
    (answer.status().as_u16(), id)
}

/// What somebody with support access as an editor is let at: whatever is not listed here must be refused to them. A new
/// operation that this test finds open is to be looked at: is it for somebody who helps out?
const FOR_SUPPORT: [&str; 13] = [
    "GET /api/data/v1/assets/{asset_id}",
    "GET /api/data/v1/assets/{asset_id}/runs",
    "GET /api/data/v1/productions/{production_id}",
    "GET /api/data/v1/productions/{production_id}/assets",
    "GET /api/data/v1/productions/{production_id}/events",
    "GET /api/data/v1/productions/{production_id}/runs",
    "GET /api/data/v1/runs/{run_id}",
    "GET /api/media/v1/productions/{production_id}/uploads",
    "PATCH /api/data/v1/assets/{asset_id}",
    "PATCH /api/media/v1/productions/{production_id}/uploads/{upload_id}",
    "POST /api/data/v1/runs/{run_id}/cancel",
    "POST /api/data/v1/runs/{run_id}/steps/{step_id}/restart",
    "POST /api/media/v1/productions/{production_id}/uploads",
];

/// Every documented operation on something of an organisation.
async fn operations(kinora: &Kinora) -> Vec<(Method, String)> {
    let document = kinora.visitor().get("/api/openapi.json").await.expect(200).json();
    let is_content = |path: &str| {
        ["organisation_id", "production_id", "asset_id", "run_id"]
            .iter()
            .any(|name| path.contains(&format!("{{{name}}}")))
    };
    let all: Vec<_> = addresses_with_ids(&document)
        .into_iter()
        // OPTIONS tells what the server can do, not what is there.
        .filter(|(method, path)| *method != Method::OPTIONS && is_content(path))
        .collect();
    assert!(all.len() > 40, "{}", all.len());
    all
}

/// Whoever asks hears of all these things what they hear of things that do not exist.
async fn expect_nothing(
    client: &mut Client,
    operations: &[(Method, String)],
    ids: &BTreeMap<&str, String>,
    who: &str,
) {
    let unknown: BTreeMap<_, _> = ids.keys().map(|name| (*name, Uuid::now_v7().to_string())).collect();
    for (method, template) in operations {
        let baseline = seen(&ask(client, method, &fill(template, &unknown)).await);
        assert_eq!(baseline.0, 404, "{who}: {method} {template}");
        let path = fill(template, ids);
        assert_eq!(seen(&ask(client, method, &path).await), baseline, "{who}: {method} {path}");
    }
}

#[tokio::test]
async fn nobody_outside_sees_anything_but_under_support_access() {
    let mut scene = Scene::new().await;
    let all = operations(&scene.kinora).await;
    let id = || Uuid::now_v7().to_string();
    let mut form = scene.form("editor");
    form["starts_at"] = json!(chrono::Utc::now() + chrono::TimeDelta::minutes(30));
    let grant = scene.open(&form).await;
    let mut ids = BTreeMap::from([
        ("organisation_id", scene.studio.clone()),
        ("production_id", scene.production.clone()),
        ("person_id", scene.ada_id.clone()),
        ("asset_id", scene.things.asset.clone()),
        ("run_id", scene.things.run.clone()),
        ("step_id", scene.things.step.clone()),
        ("upload_id", scene.things.upload.clone()),
        ("grant_id", grant),
    ]);
    // Of what is not made here there is nothing that could be seen; addresses with ids of yet another kind are tried all the same.
    for (_, template) in &all {
        for name in template.split('{').skip(1).filter_map(|part| part.split('}').next()) {
            let name: &str = Box::leak(name.to_owned().into_boxed_str());
            ids.entry(name).or_insert_with(id);
        }
    }

    // An owner of another organisation, who is the installation's first administrator.
    let mut first = scene.first.clone();
    expect_nothing(&mut first, &all, &ids, "the first administrator").await;
    let mut helper = scene.helper.clone();
    expect_nothing(&mut helper, &all, &ids, "before it begins").await;
    let _ = execute(
        &scene.kinora,
        "UPDATE support_grants SET starts_at = now() - interval '1 minute', ends_at = now() + interval '1 hour'",
    );

    // In the scope: what is for support, and each request of it on record.
    let (mut open, in_organisation): (BTreeSet<String>, Vec<_>) = (
        BTreeSet::new(),
        all.iter().filter(|(_, path)| path.contains("{organisation_id}")).cloned().collect(),
    );
    expect_nothing(&mut helper, &in_organisation, &ids, "administration").await;
    for (method, template) in all.iter().filter(|(_, path)| !path.contains("{organisation_id}")) {
        // As if each came an hour after the one before: each is a row of its own.
        let _ = execute(
            &scene.kinora,
            "UPDATE audit_rows SET at = at - interval '1 hour' WHERE support_grant_id IS NOT NULL",
        );
        let (status, request) = peek(&helper, method, &fill(template, &ids)).await;
        let noted = scene.count(&format!(
            "audit_rows r JOIN support_grants g ON g.id = r.support_grant_id WHERE r.request_id = '{request}'"
        ));
        if [403, 404].contains(&status) {
            continue;
        }
        assert!(noted > 0, "{method} {template} answers {status} and leaves no row");
        open.insert(format!("{method} {template}"));
    }
    let expected: BTreeSet<String> = FOR_SUPPORT.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(open, expected);

    // Outside of the scope: another production, and everything once it is over.
    let other = add_production(&mut scene.ada, &scene.studio, "Another").await;
    let things = add_things(&scene.kinora, &other, &scene.ada_id);
    let mut elsewhere = ids.clone();
    elsewhere.extend([
        ("production_id", other),
        ("asset_id", things.asset),
        ("run_id", things.run),
        ("step_id", things.step),
        ("upload_id", things.upload),
    ]);
    expect_nothing(&mut helper, &all, &elsewhere, "outside of the scope").await;
    let _ = execute(&scene.kinora, "UPDATE support_grants SET ends_at = now()");
    expect_nothing(&mut helper, &all, &ids, "after its end").await;
}

#[tokio::test]
async fn a_reader_looks_and_changes_nothing_and_a_token_does_not_even_look() {
    let mut scene = Scene::new().await;
    let token = json!({ "name": "script" });
    let secret = scene.helper.post("/api/data/v1/account/tokens", &token).await.expect(201).json();
    let grant = scene.open(&scene.form("reader")).await;
    let asset = format!("/api/data/v1/assets/{}", scene.things.asset);
    let _ = scene.helper.get(&asset).await.expect(200);
    let name = json!({ "name": "Mine" });
    let headers = [("If-Match", "*")];
    let answer = super::world::send(&mut scene.helper, Method::PATCH, &asset, &headers, Some(&name)).await;
    assert_eq!(slug(&answer.expect(403)), "forbidden");
    let original = format!("/api/media/v1/assets/{}/original", scene.things.asset);
    assert!(scene.helper.get(&original).await.expect(403).text().contains("originals"));
    assert_eq!(scene.count("audit_rows WHERE action = 'support.downloaded'"), 0);

    let listed = scene.helper.get("/api/data/v1/productions").await.expect(200).json();
    assert_eq!(listed["items"][0]["support"]["grant_id"], grant.as_str());
    assert_eq!(listed["items"][0]["guest"], false);
    let session = scene.helper.get("/api/data/v1/session").await.expect(200).json();
    assert_eq!(session["support"][0]["organisation"], "Studio");
    assert_eq!(session["organisations"].as_array().unwrap().len(), 1);

    let mut script = Client::with_token(&scene.kinora.url(), &text(&secret, "/secret"));
    let _ = script.get(&scene.assets()).await.expect(404);
    let listed = script.get("/api/data/v1/productions").await.expect(200).json();
    assert_eq!(listed["items"], json!([]));
    let _ = script.get(&format!("/api/data/v1/productions/{}/events", scene.production)).await.expect(404);
    // Nor can one be made for it.
    let scoped = json!({ "name": "scoped", "scope": { "most_role": "reader", "modules": ["library"], "productions": [scene.production] } });
    let _ = scene.helper.post("/api/data/v1/account/tokens", &scoped).await.expect(422);

    // With originals, they are: only that the vault has no bytes of this one.
    let _ = execute(&scene.kinora, "UPDATE support_grants SET originals = true");
    let _ = wait_until("originals are included", async || {
        (scene.helper.get(&original).await.status.as_u16() != 403).then_some(())
    })
    .await;
    assert_eq!(scene.count("audit_rows WHERE action = 'support.downloaded'"), 1);
}

#[tokio::test]
async fn it_counts_with_a_second_factor_and_an_own_sign_in_only() {
    let mut scene = Scene::new().await;
    let other = "colour@vendor.example";
    let (_, mut colour) = add_person(&scene.kinora, &mut scene.first, &scene.vendor, other, "member").await;
    let mut form = scene.form("reader");
    form["address"] = json!(" Colour@Vendor.example ");
    // A moment before it is given they are told that there is none; what they are told next is not kept from then.
    let session = colour.get("/api/data/v1/session").await.expect(200).json();
    assert_eq!(session["support"], json!([]));
    let grant = scene.give(&form).await;
    let session = colour.get("/api/data/v1/session").await.expect(200).json();
    assert_eq!(session["support"], json!([]), "it was not accepted");
    accept(&scene.kinora, &mut colour, &grant).await;
    let session = colour.get("/api/data/v1/session").await.expect(200).json();
    assert_eq!(session["support"][0]["withheld"], "second_factor");
    assert_eq!(session["second_factor_required"], true);
    let (assets, stream) = (scene.assets(), format!("/api/data/v1/productions/{}/events", scene.production));
    for path in [&assets, &stream] {
        assert_eq!(slug(&colour.get(path).await.expect(403)), "second-factor-required", "{path}");
    }
    assert_eq!(scene.count("audit_rows WHERE support_grant_id IS NOT NULL"), 0);
    let _ = enrol_app(&mut colour).await;
    let _ = colour.get(&assets).await.expect(200);

    // The session of somebody who came through the identity provider of their own organisation.
    let connection = Uuid::now_v7();
    let session = text(&colour.get("/api/data/v1/account/sessions").await.expect(200).json(), "/items/0/id");
    let _ = execute(
        &scene.kinora,
        &format!(
            "INSERT INTO saml_connections (id, organisation_id, name, enabled) VALUES ('{connection}', '{}', 'Vendor', false)",
            scene.vendor
        ),
    );
    let _ = execute(
        &scene.kinora,
        &format!(
            "INSERT INTO saml_sessions (session_id, connection_id, subject, name_id) VALUES ('{session}', '{connection}', 'colour', '{{}}')"
        ),
    );
    let answer = wait_until("the session is one through a provider", async || {
        let answer = colour.get(&assets).await;
        (answer.status == 403).then_some(answer)
    })
    .await;
    assert_eq!(slug(&answer), "own-sign-in-required");
    assert_eq!(slug(&colour.get(&stream).await.expect(403)), "own-sign-in-required");
}

#[tokio::test]
async fn what_is_done_is_on_record_before_it_is_answered() {
    let mut scene = Scene::new().await;
    let grant = scene.open(&scene.form("editor")).await;
    let (assets, asset) = (scene.assets(), format!("/api/data/v1/assets/{}", scene.things.asset));
    for _ in 0..3 {
        let _ = scene.helper.get(&assets).await.expect(200);
        let _ = scene.helper.get(&asset).await.expect(200);
    }
    // It has neither: that they were asked for is on record all the same, the picture of lists with the lists.
    for what in ["proxy", "poster", "filmstrip"] {
        let path = format!("/api/media/v1/assets/{}/{what}", scene.things.asset);
        let _ = scene.helper.get(&path).await.expect(404);
    }
    let name = json!({ "name": "Renamed to help" });
    let headers = [("If-Match", "*")];
    let _ =
        super::world::send(&mut scene.helper, Method::PATCH, &asset, &headers, Some(&name)).await.expect(200);

    let rows = scene.trail(&format!("support_grant={grant}")).await;
    let acts: Vec<&str> = rows.iter().rev().filter_map(|row| row["action"].as_str()).collect();
    let expected =
        ["support.browsed", "support.viewed", "support.played", "support.changed", "asset.renamed"];
    assert_eq!(acts, expected);
    for row in &rows {
        assert_eq!(row["actor"], HELPER);
        assert_eq!(row["support_grant_id"], grant.as_str());
        assert_eq!(row["production_id"], scene.production.as_str());
    }
    let viewed = rows.iter().find(|row| row["action"] == "support.viewed").unwrap();
    assert_eq!((&viewed["subject_kind"], &viewed["subject"]), (&json!("asset"), &json!("A001")));
    assert_eq!(scene.trail("support_only=true").await.len(), rows.len());
    let acts = scene.trail("permissions_only=true").await;
    assert!(acts.iter().any(|row| row["action"] == "support.given"));
    let path =
        format!("/api/data/v1/organisations/{}/audit/export?format=csv&support_only=true", scene.studio);
    let table = scene.ada.get(&path).await.expect(200).text();
    assert!(table.lines().next().unwrap().ends_with(",support_grant_id,actor_is_guest"), "{table}");
    assert_eq!(table.matches(&grant).count(), rows.len(), "{table}");

    // A minute later the same is a row again.
    let _ = execute(&scene.kinora, "ALTER TABLE audit_rows ADD COLUMN kept timestamptz");
    let _ = execute(&scene.kinora, "UPDATE audit_rows SET kept = at, at = at - interval '61 seconds'");
    let _ = scene.helper.get(&assets).await.expect(200);
    assert_eq!(scene.trail(&format!("support_grant={grant}")).await.len(), rows.len() + 1);
    let _ = execute(&scene.kinora, "UPDATE audit_rows SET at = kept WHERE kept IS NOT NULL");

    // The mark is part of the chain.
    let verdict = audit::verify(&mut scene.kinora.connect()).unwrap();
    assert!(matches!(verdict, Verdict::Intact { .. }), "{verdict:?}");
    let _ = execute(
        &scene.kinora,
        "UPDATE audit_rows SET support_grant_id = NULL WHERE action = 'asset.renamed'",
    );
    let verdict = audit::verify(&mut scene.kinora.connect()).unwrap();
    assert!(matches!(verdict, Verdict::Altered(_)), "{verdict:?}");

    // What cannot be written is not answered; what needs no row still is.
    let _ = execute(
        &scene.kinora,
        "ALTER TABLE audit_rows ADD CONSTRAINT full_disk CHECK (action NOT LIKE 'support.%') NOT VALID",
    );
    let run = format!("/api/data/v1/runs/{}", scene.things.run);
    let refused = scene.helper.get(&run).await;
    assert!(refused.status.is_server_error(), "{}", refused.text());
    assert!(!refused.text().contains("failed"), "{}", refused.text());
    let _ = scene.ada.get(&format!("/api/data/v1/organisations/{}", scene.studio)).await.expect(200);
}

#[tokio::test]
async fn it_ends_at_once_also_for_what_is_under_way() {
    let mut scene = Scene::new().await;
    let assets = scene.assets();
    for why in ["an owner ends it", "its time is over"] {
        let grant = scene.open(&scene.form("reader")).await;
        let _ = scene.helper.get(&assets).await.expect(200);
        let mut stream = Follower::open(&scene.helper, &scene.production, None).await.0;
        if why == "an owner ends it" {
            let path = format!("{}/{grant}/end", scene.grants());
            let ended = scene.ada.post(&path, &json!({})).await.expect(200).json();
            assert_eq!(ended["state"], "ended");
        } else {
            let _ =
                execute(&scene.kinora, "UPDATE support_grants SET ends_at = now() WHERE ended_at IS NULL");
        }
        // Not even from what was kept of them.
        let _ = scene.helper.get(&assets).await.expect(404);
        let last = stream.read_to_end().await;
        assert!(last.is_empty(), "{why}: {last:?}");
        assert_eq!(scene.helper.get("/api/data/v1/productions").await.expect(200).json()["items"], json!([]));
        let session = scene.helper.get("/api/data/v1/session").await.expect(200).json();
        assert_eq!(session["support"], json!([]), "{why}");
    }
}

#[tokio::test]
async fn it_opens_nothing_until_the_holder_of_the_mailbox_accepts_it_with_the_account_of_that_login() {
    let mut scene = Scene::new().await;
    let grant = scene.give(&scene.form("reader")).await;
    let (assets, page) = (scene.assets(), format!("{}/{grant}", scene.grants()));
    let _ = scene.helper.get(&assets).await.expect(404);
    assert_eq!(scene.ada.get(&page).await.expect(200).json()["state"], "offered");

    let token = link(&scene.kinora, &grant);
    let mut visitor = scene.kinora.visitor();
    let offer = visitor.post("/api/data/v1/support-access", &token).await.expect(200).json();
    assert_eq!((&offer["organisation"], &offer["address"]), (&json!("Studio"), &json!(HELPER)));
    assert_eq!(
        (&offer["reason"], &offer["given_by"]),
        (&json!("Reel 3 does not play"), &json!("Name of ada@studio.example"))
    );
    // Neither a stranger nor somebody else who got at the link.
    let _ = visitor.post(ACCEPTANCE, &token).await.expect(401);
    let refused = scene.first.post(ACCEPTANCE, &token).await.expect(409);
    assert!(refused.text().contains(HELPER), "{}", refused.text());
    let _ = scene.helper.get(&assets).await.expect(404);

    let again = link(&scene.kinora, &grant);
    let _ = scene.helper.post(ACCEPTANCE, &token).await.expect(200);
    let _ = scene.helper.get(&assets).await.expect(200);
    let read = scene.ada.get(&page).await.expect(200).json();
    assert!(read["state"] == "active" && read["accepted_at"].is_string(), "{read}");
    let acts = scene.trail("action=support.accepted").await;
    assert_eq!((acts.len(), &acts[0]["actor"]), (1, &json!(HELPER)));
    // The mails have done their work.
    for used in [&token, &again, &json!({ "token": "made-up" })] {
        let _ = visitor.post("/api/data/v1/support-access", used).await.expect(404);
        let _ = scene.helper.post(ACCEPTANCE, used).await.expect(404);
    }
    let _ = scene.ada.post(&format!("{page}/end"), &json!({})).await.expect(200);

    // What has ended cannot be accepted any more.
    let grant = scene.give(&scene.form("reader")).await;
    let token = link(&scene.kinora, &grant);
    let _ = scene.ada.post(&format!("{}/{grant}/end", scene.grants()), &json!({})).await.expect(200);
    let _ = scene.helper.post(ACCEPTANCE, &token).await.expect(404);
    let _ = scene.helper.get(&assets).await.expect(404);
}

#[tokio::test]
async fn it_ends_where_somebody_else_is_let_into_the_account() {
    let mut scene = Scene::new().await;
    let people = format!("/api/data/v1/organisations/{}/people", scene.vendor);
    let listed = scene.first.get(&format!("{people}?q=help")).await.expect(200).json();
    let person = text(&listed, "/items/0/id");
    for (method, path) in [
        (Method::POST, format!("{people}/{person}/password-link")),
        (Method::DELETE, format!("{people}/{person}/factors")),
    ] {
        let grant = scene.open(&scene.form("reader")).await;
        let _ = scene.helper.get(&scene.assets()).await.expect(200);
        let before = scene.trail("action=support.ended").await.len();
        let answer = super::world::send(&mut scene.first, method, &path, &[], Some(&json!({}))).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text());
        // The owner sees that it has ended, by nobody of theirs, and is told.
        let read = scene.ada.get(&format!("{}/{grant}", scene.grants())).await.expect(200).json();
        assert_eq!((&read["state"], &read["ended_by"]), (&json!("ended"), &json!(null)), "{path}");
        let _ = wait_until("the end is on record", async || {
            (scene.trail("action=support.ended").await.len() > before).then_some(())
        })
        .await;
        // The helper's own session is still there after the link was made: it opens nothing.
        let left = scene.helper.get(&scene.assets()).await.status.as_u16();
        assert!([401, 404].contains(&left), "{path}: {left}");
    }
}

#[tokio::test]
async fn an_owner_hears_the_same_of_addresses_with_and_without_an_account() {
    let mut scene = Scene::new().await;
    let known = scene.ada.post(&scene.grants(), &scene.form("reader")).await.expect(201);
    let mut form = scene.form("reader");
    form["address"] = json!("nobody@vendor.example");
    let unknown = scene.ada.post(&scene.grants(), &form).await.expect(201);
    let shape = |answer: &Answer| {
        let mut grant = answer.json();
        for name in ["id", "address", "created_at", "starts_at", "ends_at"] {
            grant[name] = json!(null);
        }
        grant
    };
    assert_eq!(shape(&known), shape(&unknown));
    // A mail goes to either, with nothing in the queue that would tell them apart.
    let told = scene.count(
        "mail_messages WHERE kind = 'support_offer' AND person_id IS NULL AND organisation_id IS NOT NULL",
    );
    assert_eq!(told, 2);
    // An account that gets the address later is the one only for whoever reads the mailbox.
    let login = "nobody@vendor.example";
    let (_, mut later) = add_person(&scene.kinora, &mut scene.first, &scene.vendor, login, "member").await;
    let _ = enrol_app(&mut later).await;
    let _ = later.get(&scene.assets()).await.expect(404);
    let session = later.get("/api/data/v1/session").await.expect(200).json();
    assert_eq!(session["support"], json!([]));

    // What is refused has nothing to do with other organisations' people.
    for (change, status) in [
        (json!({ "address": HELPER }), 409),
        (json!({ "address": OWNER }), 409),
        (
            json!({ "address": "x@y.example", "scope": { "most_role": "manager", "modules": ["library"] } }),
            422,
        ),
        (
            json!({ "address": "x@y.example", "scope": { "most_role": "reader", "modules": ["library"], "productions": [Uuid::now_v7()] } }),
            409,
        ),
        (json!({ "address": "x@y.example", "reason": " " }), 422),
        (
            json!({ "address": "x@y.example", "ends_at": chrono::Utc::now() + chrono::TimeDelta::days(8) }),
            422,
        ),
    ] {
        let mut form = scene.form("reader");
        for (name, value) in change.as_object().unwrap() {
            form[name] = value.clone();
        }
        let answer = scene.ada.post(&scene.grants(), &form).await;
        assert_eq!(answer.status, status, "{change}: {}", answer.text());
    }
}

#[tokio::test]
async fn only_owners_give_it_and_only_in_a_confirmed_session() {
    let mut scene = Scene::new().await;
    let login = "it@studio.example";
    let (_, mut administrator) = {
        let (kinora, studio) = (&scene.kinora, scene.studio.clone());
        add_person(kinora, &mut scene.ada, &studio, login, "administrator").await
    };
    let (path, form) = (scene.grants(), scene.form("reader"));
    let _ = administrator.post(&path, &form).await.expect(403);
    let _ = administrator.get(&path).await.expect(403);
    let _ = execute(&scene.kinora, "UPDATE sessions SET confirmed_at = now() - interval '1 hour'");
    let answer = wait_until("the session is not fresh any more", async || {
        let answer = scene.ada.post(&path, &form).await;
        (answer.status == 403).then_some(answer)
    })
    .await;
    assert_eq!(slug(&answer), "step-up-required");
    let _ = scene
        .ada
        .post("/api/data/v1/account/confirmation", &json!({ "password": PASSWORD }))
        .await
        .expect(200);
    let _ = execute(&scene.kinora, "UPDATE support_grants SET ended_at = now() WHERE ended_at IS NULL");
    let _ = scene.give(&form).await;
    // Rows are never deleted, not even by the application's own user of the database.
    let mut connection = scene.kinora.database().connect(kinora_tests::DatabaseRole::Application);
    let refused = diesel::sql_query("DELETE FROM support_grants").execute(&mut connection);
    assert!(refused.unwrap_err().to_string().contains("permission denied"));
}

#[tokio::test]
async fn owners_are_told_when_it_is_given_first_used_and_ended() {
    let relay = MailRelay::start().await;
    let kinora = Kinora::builder().applications(1).backends(1).relay(&relay).start().await;
    let mut scene = Scene::at(kinora).await;
    let grant = scene.give(&scene.form("reader")).await;
    let offer = wait_until("the offer is at the relay", async || {
        let mails = relay.mails_to(HELPER);
        mails.iter().map(|mail| text(mail, "/plain")).find(|plain| plain.contains("support-access#"))
    })
    .await;
    assert!(offer.contains("Studio") && offer.contains("Reel 3 does not play"), "{offer}");
    let (_, token) = offer.split_once("support-access#").unwrap();
    let token = token.split_whitespace().next().unwrap();
    let _ = scene.helper.post(ACCEPTANCE, &json!({ "token": token })).await.expect(200);
    let asset = format!("/api/data/v1/assets/{}", scene.things.asset);
    for _ in 0..2 {
        let _ = scene.helper.get(&asset).await.expect(200);
        let _ = scene.helper.get(&scene.assets()).await.expect(200);
    }
    let _ = execute(&scene.kinora, "UPDATE support_grants SET ends_at = now()");
    let mails = relay.wait_for(OWNER, 3).await;
    let by_subject: BTreeMap<String, String> =
        mails.iter().map(|mail| (text(mail, "/subject"), text(mail, "/plain"))).collect();
    let subjects: Vec<&str> = by_subject.keys().map(String::as_str).collect();
    let expected = [
        "Support access of help@vendor.example to Studio has ended",
        "help@vendor.example has begun to use support access to Studio",
        "help@vendor.example was given support access to Studio",
    ];
    assert_eq!(subjects, expected);
    for plain in by_subject.values() {
        assert!(plain.contains("Reel 3 does not play") && plain.contains(&grant), "{plain}");
    }
    let end = &by_subject[expected[0]];
    for line in [
        "Looked at something: 1 entry in the audit log: A001",
        "Looked through lists: 1 entry in the audit log: Secret Film",
    ] {
        assert!(end.contains(line), "{end}");
    }
    assert!(!end.contains("Played"), "{end}");
    let acts = scene.trail("action=support.ended").await;
    assert_eq!((acts.len(), &acts[0]["actor"]), (1, &json!("application")));
    assert_eq!(relay.mails_to(OWNER).len(), 3);
}
