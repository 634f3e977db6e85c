//! People and things that the tests of accounts need.

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection as _;
use kinora_tests::{Answer, Client, Kinora};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// A password that is good enough.
pub const PASSWORD: &str = "seven Wandering teapots at noon";

/// Text at a JSON pointer.
pub fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no {pointer} in {value}"))
        .to_owned()
}

/// The organisation of a signed-in visitor that has this name.
pub async fn organisation_of(client: &mut Client, name: &str) -> String {
    let session = client.get("/api/data/v1/session").await.expect(200).json();
    let all = session["organisations"].as_array().unwrap();
    text(all.iter().find(|organisation| organisation["name"] == name).unwrap(), "/id")
}

/// Adds a person and gives their id and a visitor signed in as them.
pub async fn add_person(
    kinora: &Kinora,
    administrator: &mut Client,
    organisation: &str,
    login: &str,
    role: &str,
) -> (String, Client) {
    let path = format!("/api/data/v1/organisations/{organisation}/people");
    let body = json!({ "login": login, "display_name": format!("Name of {login}"), "role": role });
    let made = administrator.post(&path, &body).await.expect(201).json();
    let url = text(&made, "/password_link/url");
    let mut client = kinora.visitor();
    let _ = set_password(&mut client, &token_of(&url), PASSWORD).await.expect(204);
    let _ = client.sign_in(login, PASSWORD).await.expect(200);
    (text(&made, "/person/id"), client)
}

/// The token of a one-time link, which browsers send to nobody.
pub fn token_of(link: &str) -> String {
    link.split_once("/welcome#").unwrap_or_else(|| panic!("{link} is no one-time link")).1.to_owned()
}

/// Uses a one-time link.
pub async fn set_password(client: &mut Client, token: &str, password: &str) -> Answer {
    client.post("/api/data/v1/password-link/password", &json!({ "token": token, "password": password })).await
}

/// Makes a production and gives its id.
pub async fn add_production(administrator: &mut Client, organisation: &str, name: &str) -> String {
    let path = format!("/api/data/v1/organisations/{organisation}/productions");
    text(&administrator.post(&path, &json!({ "name": name })).await.expect(201).json(), "/id")
}

/// Makes an organisation and gives its id.
pub async fn add_organisation(owner: &mut Client, name: &str) -> String {
    text(&owner.post("/api/data/v1/organisations", &json!({ "name": name })).await.expect(201).json(), "/id")
}

/// Sends a request with more headers.
pub async fn send(
    client: &mut Client,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Answer {
    let mut request = client.request(method, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    client.send(request).await
}

/// Things in a library, made directly in the database.
#[derive(Debug)]
pub struct Things {
    /// An asset.
    pub asset: String,
    /// A run of it.
    pub run: String,
    /// A step of that.
    pub step: String,
    /// An unfinished upload.
    pub upload: String,
}

/// Puts an asset with a failed run, and an upload, into a production.
pub fn add_things(kinora: &Kinora, production: &str, person: &str) -> Things {
    let id = || Uuid::now_v7().to_string();
    let (object, asset, version, run, step, upload) = (id(), id(), id(), id(), id(), id());
    let sha256 = "0".repeat(64);
    let mut connection = kinora.connect();
    connection
        .batch_execute(&format!(
            "BEGIN;
             INSERT INTO objects (id, production_id, master_key_id, wrapped_key, size_bytes, sha256, segments, place)
                 VALUES ('{object}', '{production}', 'k', 'w', 1, '{sha256}', '[]', 'store');
             INSERT INTO assets (id, production_id, name, kind, status, current_version, size_bytes)
                 VALUES ('{asset}', '{production}', 'A001', 'video', 'ready', '{version}', 1);
             INSERT INTO versions (id, asset_id, production_id, number, file_name, media_type, original_object_id, size_bytes, sha256)
                 VALUES ('{version}', '{asset}', '{production}', 1, 'A001.mov', 'video/quicktime', '{object}', 1, '{sha256}');
             INSERT INTO runs (id, production_id, asset_id, version_id, workflow, workflow_version, state)
                 VALUES ('{run}', '{production}', '{asset}', '{version}', 'ingest', 1, 'failed');
             INSERT INTO steps (id, run_id, position, kind, state)
                 VALUES ('{step}', '{run}', 1, 'probe', 'failed');
             INSERT INTO uploads (id, production_id, person_id, length_bytes, object_id, master_key_id, wrapped_key, expires_at)
                 VALUES ('{upload}', '{production}', '{person}', 10, '{object}', 'k', 'w', now() + interval '1 day');
             COMMIT;"
        ))
        .unwrap();
    Things { asset, run, step, upload }
}

/// Runs a statement against the test's database.
pub fn execute(kinora: &Kinora, statement: &str) -> usize {
    diesel::sql_query(statement).execute(&mut kinora.connect()).unwrap()
}
