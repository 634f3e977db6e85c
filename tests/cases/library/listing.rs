//! The list of assets over HTTP, and who sees what.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use kinora_core::AssetId;
use kinora_store::schema::assets;
use kinora_tests::{Client, Kinora};
use serde_json::{Value, json};

use crate::media::support::Studio;

fn insert(conn: &mut PgConnection, studio: &Studio, name: &str) -> AssetId {
    let id = AssetId::new();
    diesel::insert_into(assets::table)
        .values((
            assets::id.eq(id.0),
            assets::production_id.eq(studio.production.0),
            assets::name.eq(name),
            assets::status.eq("ready"),
            assets::kind.eq("video"),
            assets::size_bytes.eq(7),
        ))
        .execute(conn)
        .unwrap();
    id
}

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn following_the_cursors_shows_everything_once() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let reader = studio.hire(&kinora, Some("reader"));
    let mut client = Client::with_token(&kinora.url(), &reader.token);
    let mut conn = kinora.connect();
    let base = format!("/api/data/v1/productions/{}/assets", studio.production);
    for sort in ["created", "-created", "name", "-name", "size", "-size", "duration", "-duration"] {
        diesel::delete(assets::table).execute(&mut conn).unwrap();
        let there: BTreeSet<String> =
            (0..23).map(|n| insert(&mut conn, &studio, &format!("A{}", n % 4)).to_string()).collect();
        let mut shown = Vec::new();
        let mut address = format!("{base}?sort={sort}&limit=5&status=ready&q=a");
        loop {
            let page = client.get(&address).await.expect(200).json();
            shown.extend(ids(&page));
            insert(&mut conn, &studio, "A2");
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            address = format!("{base}?sort={sort}&limit=5&status=ready&q=a&cursor={cursor}");
        }
        let once: BTreeSet<String> = shown.iter().cloned().collect();
        assert_eq!(once.len(), shown.len(), "{sort}: shown twice");
        assert!(there.is_subset(&once), "{sort}: left out");
    }
}

#[tokio::test]
async fn a_cursor_of_another_list_and_wrong_parameters_are_refused_by_name() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let reader = studio.hire(&kinora, Some("reader"));
    let mut client = Client::with_token(&kinora.url(), &reader.token);
    let mut conn = kinora.connect();
    for _ in 0..3 {
        insert(&mut conn, &studio, "A001");
    }
    let base = format!("/api/data/v1/productions/{}/assets", studio.production);
    let page = client.get(&format!("{base}?sort=name&limit=1")).await.expect(200).json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let _ = client.get(&format!("{base}?sort=name&limit=2&cursor={cursor}")).await.expect(200);
    for (query, parameter) in [
        (format!("sort=-name&cursor={cursor}"), "cursor"),
        (format!("sort=name&q=A&cursor={cursor}"), "cursor"),
        ("cursor=AAAA".to_owned(), "cursor"),
        ("limit=0".to_owned(), "limit"),
        ("limit=201".to_owned(), "limit"),
        ("sort=colour".to_owned(), "sort"),
        ("status=gone".to_owned(), "status"),
        ("colour=red".to_owned(), "colour"),
        (format!("q={}", "x".repeat(201)), "q"),
    ] {
        let problem = client.get(&format!("{base}?{query}")).await.expect(422).json();
        assert_eq!(problem["errors"][0]["parameter"], parameter, "{query}: {problem}");
    }
}

#[tokio::test]
async fn each_role_may_do_what_it_says_and_what_is_hidden_looks_absent() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let other = Studio::open(&kinora);
    let mut conn = kinora.connect();
    let id = insert(&mut conn, &studio, "A001");
    let foreign = insert(&mut conn, &other, "B001");
    let asset = format!("/api/data/v1/assets/{id}");
    let list = format!("/api/data/v1/productions/{}/assets", studio.production);
    let change = json!({ "name": "Scene 1" });
    for (role, reads, renames, removes) in [
        (None, 404, 404, 404),
        (Some("reader"), 200, 403, 403),
        (Some("editor"), 200, 200, 403),
        (Some("manager"), 200, 200, 204),
    ] {
        let person = studio.hire(&kinora, role);
        let mut client = Client::with_token(&kinora.url(), &person.token);
        let _ = client.get(&list).await.expect(reads);
        let _ = client.get(&asset).await.expect(reads);
        let _ = client.get(&format!("{asset}/runs")).await.expect(reads);
        let request = client.request(reqwest::Method::PATCH, &asset).header("If-Match", "*").json(&change);
        let _ = client.send(request).await.expect(renames);
        let request = client.request(reqwest::Method::DELETE, &asset).header("If-Match", "*");
        let _ = client.send(request).await.expect(removes);
        for absent in [foreign.to_string(), AssetId::new().to_string(), "x".to_owned()] {
            let problem = client.get(&format!("/api/data/v1/assets/{absent}")).await.expect(404).json();
            assert_eq!(problem["type"], "urn:kinora:problem:not-found");
        }
    }
    // Gone for everybody now.
    let person = studio.hire(&kinora, Some("manager"));
    let mut client = Client::with_token(&kinora.url(), &person.token);
    let _ = client.get(&asset).await.expect(404);
    assert!(ids(&client.get(&list).await.expect(200).json()).is_empty());
}

#[tokio::test]
async fn a_change_needs_the_etag_that_was_read() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let mut client = Client::with_token(&kinora.url(), &person.token);
    let id = insert(&mut kinora.connect(), &studio, "A001");
    let path = format!("/api/data/v1/assets/{id}");
    let read = client.get(&path).await.expect(200);
    let etag = read.header("etag").unwrap().to_owned();
    let patch = |client: &Client, etag: Option<&str>, body: &Value| {
        let request = client.request(reqwest::Method::PATCH, &path).json(body);
        match etag {
            Some(etag) => request.header("If-Match", etag),
            None => request,
        }
    };
    let request = patch(&client, None, &json!({ "name": "x" }));
    let _ = client.send(request).await.expect(428);
    for (body, pointer) in [
        (json!({ "name": "" }), "/name"),
        (json!({ "name": "   " }), "/name"),
        (json!({ "name": "a\nb" }), "/name"),
        (json!({ "name": "x".repeat(1001) }), "/name"),
        (json!({ "name": 7 }), "/name"),
        (json!({ "name": "x", "colour": "red" }), "/colour"),
    ] {
        let request = patch(&client, Some(&etag), &body);
        let problem = client.send(request).await.expect(422).json();
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    let request = patch(&client, Some(&etag), &json!({ "name": " Scene \u{1F3AC} " }));
    let changed = client.send(request).await.expect(200);
    assert_eq!(changed.json()["name"], "Scene \u{1F3AC}");
    assert_ne!(changed.header("etag"), Some(etag.as_str()));
    let request = patch(&client, Some(&etag), &json!({ "name": "late" }));
    let _ = client.send(request).await.expect(412);
}

#[tokio::test]
async fn runs_are_listed_and_only_editors_steer_them() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let (reader, editor) = (studio.hire(&kinora, Some("reader")), studio.hire(&kinora, Some("editor")));
    let stranger = studio.hire(&kinora, None);
    let mut conn = kinora.connect();
    let asset = insert(&mut conn, &studio, "A001");
    let [version, object, run, step] = [(); 4].map(|()| AssetId::new().0);
    conn.batch_execute(&format!(
        "INSERT INTO objects (id, production_id, master_key_id, wrapped_key, size_bytes, sha256, segments, place) \
         VALUES ('{object}', '{production}', 'k', 'w', 0, repeat('0', 64), '[]', 'store'); \
         INSERT INTO versions (id, asset_id, production_id, number, file_name, media_type, original_object_id, \
         size_bytes, sha256) VALUES ('{version}', '{asset}', '{production}', 1, 'a', 'b', '{object}', 0, 'c'); \
         INSERT INTO runs (id, production_id, asset_id, version_id, workflow, workflow_version, state) \
         VALUES ('{run}', '{production}', '{asset}', '{version}', 'ingest', 1, 'failed'); \
         INSERT INTO steps (id, run_id, position, kind, state) VALUES ('{step}', '{run}', 0, 'probe', 'failed')",
        production = studio.production
    ))
    .unwrap();
    let base = format!("/api/data/v1/runs/{run}");
    let restart = format!("{base}/steps/{step}/restart");
    let none = json!({});
    for (person, reads, steers) in [(&stranger, 404, 404), (&reader, 200, 403)] {
        let mut client = Client::with_token(&kinora.url(), &person.token);
        let _ = client.get(&base).await.expect(reads);
        let _ = client.post(&restart, &none).await.expect(steers);
        let _ = client.post(&format!("{base}/cancel"), &none).await.expect(steers);
    }
    let mut client = Client::with_token(&kinora.url(), &editor.token);
    let runs = format!("/api/data/v1/productions/{}/runs", studio.production);
    let failed = client.get(&format!("{runs}?state=failed")).await.expect(200).json();
    assert_eq!(ids(&failed), [run.to_string()]);
    assert!(ids(&client.get(&format!("{runs}?state=active")).await.expect(200).json()).is_empty());
    let _ = client.post(&format!("{base}/cancel"), &none).await.expect(409);
    let _ = client.post(&format!("{base}/steps/{}/restart", AssetId::new()), &none).await.expect(404);
    let again = client.post(&restart, &none).await.expect(202).json();
    assert_eq!((&again["state"], &again["steps"][0]["state"]), (&json!("active"), &json!("waiting")));
    let _ = client.post(&restart, &none).await.expect(409);
    let cancelled = client.post(&format!("{base}/cancel"), &none).await.expect(202).json();
    assert!(cancelled["cancel_requested_at"].is_string());
    let listed = client.get(&format!("/api/data/v1/assets/{asset}/runs")).await.expect(200).json();
    assert_eq!(ids(&listed), [run.to_string()]);
}
