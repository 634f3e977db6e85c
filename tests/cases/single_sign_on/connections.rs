//! Connections: who may, what they hold, keys and their rotation, rules.

use kinora_tests::{Client, Kinora, wait_until};
use reqwest::Method;
use serde_json::{Value, json};

use super::provider::{Described, Key, add_connection, change, connections_of, give_metadata};
use crate::accounts::world::{
    add_organisation, add_person, add_production, execute, organisation_of, send, text,
};

async fn world() -> (Kinora, Client, String) {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let organisation = organisation_of(&mut owner, "Kinora").await;
    (kinora, owner, organisation)
}

async fn audited(owner: &mut Client, organisation: &str, action: &str) -> Value {
    let path = format!("/api/data/v1/organisations/{organisation}/audit?limit=200");
    let rows = owner.get(&path).await.expect(200).json();
    let found = rows["items"].as_array().unwrap().iter().find(|row| row["action"] == action).cloned();
    found.unwrap_or_else(|| panic!("no {action} in {rows}"))
}

#[tokio::test]
async fn a_connection_is_set_up_switched_on_and_removed() {
    let (_kinora, mut owner, organisation) = world().await;
    let all = connections_of(&organisation);
    assert_eq!(owner.get(&all).await.expect(200).json()["items"], json!([]));
    let made = owner.post(&all, &json!({ "name": " Studio account " })).await.expect(201);
    let (etag, made) = (made.header("etag").unwrap().to_owned(), made.json());
    assert_eq!((made["name"].as_str(), made["enabled"].as_bool()), (Some("Studio account"), Some(false)));
    assert_eq!(made["provider"], Value::Null);
    assert_eq!(made["certificates"][0]["role"], "signing");
    let id = text(&made, "/id");
    let entity = text(&made, "/ours/entity_id");
    assert!(entity.ends_with(&format!("/saml/{id}/metadata")), "{entity}");
    let one = format!("{all}/{id}");

    // It cannot be switched on before it has metadata, nor changed unseen.
    let refused = change(&mut owner, Method::PATCH, &one, &json!({ "enabled": true })).await.expect(409);
    assert!(text(&refused.json(), "/detail").contains("metadata"));
    let _ = owner.patch(&one, &json!({ "name": "x" })).await.expect(428);
    let stale = [("If-Match", "\"77\"")];
    let _ = send(&mut owner, Method::PATCH, &one, &stale, Some(&json!({ "name": "x" }))).await.expect(412);

    let key = Key::ending_in(400);
    let xml = Described::new("https://login.studio.example/idp", &[&key]).xml();
    let body = json!({ "xml": xml });
    let path = format!("{one}/metadata");
    let given =
        send(&mut owner, Method::PUT, &path, &[("If-Match", &etag)], Some(&body)).await.expect(200).json();
    assert_eq!(text(&given, "/provider/entity_id"), "https://login.studio.example/idp");
    assert_eq!(given["provider"]["certificates"].as_array().unwrap().len(), 1);
    assert_eq!(given["warnings"], json!([]));
    let on = json!({
        "enabled": true, "clock_skew_seconds": 120, "request_binding": "post", "groups_attribute": "memberOf",
        "name_id_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", "contexts": ["urn:x:password"],
        "admits_everyone": false,
    });
    let changed = change(&mut owner, Method::PATCH, &one, &on).await.expect(200).json();
    for (name, value) in on.as_object().unwrap() {
        assert_eq!(changed[name], *value, "{name}");
    }
    let emptied = json!({ "request_binding": null, "groups_attribute": " " });
    let changed = change(&mut owner, Method::PATCH, &one, &emptied).await.expect(200).json();
    assert_eq!((&changed["request_binding"], &changed["groups_attribute"]), (&Value::Null, &Value::Null));
    assert_eq!(changed["clock_skew_seconds"], 120);
    for (wrong, pointer) in [
        (json!({ "clock_skew_seconds": 301 }), "/clock_skew_seconds"),
        (json!({ "name": "" }), "/name"),
        (json!({ "contexts": ["a", ""] }), "/contexts/1"),
        (json!({ "request_binding": "artifact" }), "/request_binding"),
    ] {
        let refused = change(&mut owner, Method::PATCH, &one, &wrong).await.expect(422).json();
        assert_eq!(text(&refused, "/errors/0/pointer"), pointer);
    }
    let row = audited(&mut owner, &organisation, "saml_connection.changed").await;
    assert_eq!(row["before"]["groups_attribute"], "memberOf");
    assert_eq!(row["after"]["groups_attribute"], Value::Null);
    assert!(!row.to_string().contains("X509Certificate"), "the trail keeps a digest of the metadata");

    let _ = change(&mut owner, Method::DELETE, &one, &json!({})).await.expect(204);
    let _ = owner.get(&one).await.expect(404);
    assert_eq!(
        audited(&mut owner, &organisation, "saml_connection.removed").await["subject"],
        "Studio account"
    );
}

#[tokio::test]
async fn only_owners_see_and_set_up_connections_and_only_in_confirmed_sessions() {
    let (kinora, mut owner, organisation) = world().await;
    let other = add_organisation(&mut owner, "Other Studio").await;
    let (_, mut administrator) =
        add_person(&kinora, &mut owner, &organisation, "it@x.example", "administrator").await;
    let (_, mut stranger) = add_person(&kinora, &mut owner, &other, "far@x.example", "owner").await;
    let one = add_connection(&mut owner, &organisation, "Studio").await;
    let foreign = one.replace(&organisation, &other);
    for path in [connections_of(&organisation), one.clone(), format!("{one}/rules")] {
        let _ = administrator.get(&path).await.expect(403);
        let _ = stranger.get(&path).await.expect(404);
    }
    // The connection of one organisation is none of another's, whoever asks.
    for (method, path) in [
        (Method::GET, foreign.clone()),
        (Method::PATCH, foreign.clone()),
        (Method::DELETE, foreign.clone()),
        (Method::GET, format!("{foreign}/rules")),
        (Method::POST, format!("{foreign}/certificates")),
        (Method::POST, format!("{foreign}/certificates/switch")),
        (Method::POST, format!("{foreign}/metadata/refresh")),
    ] {
        let _ = change(&mut owner, method.clone(), &path, &json!({})).await.expect(404);
        let _ = change(&mut stranger, method, &path, &json!({})).await.expect(404);
    }
    let token = owner.post("/api/data/v1/account/tokens", &json!({ "name": "t" })).await.expect(201).json();
    let mut script = Client::with_token(&kinora.url(), &text(&token, "/secret"));
    let _ = script.get(&one).await.expect(200);
    let refused = change(&mut script, Method::PATCH, &one, &json!({ "name": "x" })).await.expect(403).json();
    assert!(text(&refused, "/type").ends_with(":session-required"));
    execute(&kinora, "UPDATE sessions SET confirmed_at = now() - interval '11 minutes'");
    let refused = wait_until("the confirmation is too old", async || {
        let answer = change(&mut owner, Method::PATCH, &one, &json!({ "name": "x" })).await;
        (answer.status == 403).then(|| answer.json())
    })
    .await;
    assert!(text(&refused, "/type").ends_with(":step-up-required"));
}

#[tokio::test]
async fn our_metadata_is_public_and_a_key_changes_in_steps() {
    let (kinora, mut owner, organisation) = world().await;
    let one = add_connection(&mut owner, &organisation, "Studio").await;
    let id = one.rsplit('/').next().unwrap().to_owned();
    let address = format!("/saml/{id}/metadata");
    let certificates = |text: &str| text.matches("use=\"signing\"").count();
    let answer = kinora.visitor().get(&address).await.expect(200);
    assert!(answer.header("content-type").unwrap().starts_with("application/samlmetadata+xml"));
    assert_eq!(certificates(&answer.text()), 1);
    assert!(answer.text().contains(&format!("/saml/{id}/acs")));
    let _ = kinora.visitor().get("/saml/not-an-id/metadata").await.expect(404);
    let _ = kinora.visitor().get(&format!("/saml/{}/metadata", uuid::Uuid::now_v7())).await.expect(404);

    let roles = |connection: &Value| -> Vec<(String, String)> {
        let all = connection["certificates"].as_array().unwrap();
        all.iter().map(|one| (text(one, "/role"), text(one, "/fingerprint"))).collect()
    };
    let first = roles(&owner.get(&one).await.json())[0].1.clone();
    let (keys, switch) = (format!("{one}/certificates"), format!("{one}/certificates/switch"));
    let _ = owner.post(&switch, &json!({})).await.expect(409);
    let _ = owner.delete(&keys).await.expect(404);
    let again = [("Idempotency-Key", "next certificate")];
    let made = send(&mut owner, Method::POST, &keys, &again, None).await.expect(201);
    let two = roles(&made.json());
    assert_eq!((two[0].0.as_str(), two[1].0.as_str()), ("signing", "next"));
    assert_eq!(two[0].1, first);
    let _ = owner.post(&keys, &json!({})).await.expect(409);
    // The same request again has the same answer, and makes none.
    let answer = send(&mut owner, Method::POST, &keys, &again, None).await.expect(201);
    assert_eq!((answer.text(), answer.header("etag")), (made.text(), made.header("etag")));
    assert_eq!(certificates(&kinora.visitor().get(&address).await.text()), 2);
    let switched = roles(&owner.post(&switch, &json!({})).await.expect(200).json());
    assert_eq!(switched[0], ("signing".to_owned(), two[1].1.clone()));
    assert_eq!(switched[1], ("former".to_owned(), first));
    let _ = owner.delete(&keys).await.expect(204);
    assert_eq!(certificates(&kinora.visitor().get(&address).await.text()), 1);
    for action in ["saml_key.added", "saml_key.switched", "saml_key.removed"] {
        let _ = audited(&mut owner, &organisation, action).await;
    }
}

#[tokio::test]
async fn private_keys_are_sealed_and_move_to_a_new_master_key() {
    let (mut kinora, mut owner, organisation) = world().await;
    let one = add_connection(&mut owner, &organisation, "Studio").await;
    let address = format!("/saml/{}/metadata", one.rsplit('/').next().unwrap());
    // Neither PEM nor the beginning of PKCS #8 in Base64.
    let clear = "SELECT 1 FROM saml_keys WHERE sealed_key LIKE '%BEGIN%' OR sealed_key LIKE 'MII%'";
    assert_eq!(execute(&kinora, clear), 0);
    let file = kinora.directory().join("credentials/application/vault-master-key");
    let old = std::fs::read_to_string(&file).unwrap();
    let new = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode([43_u8; 32])
    };
    let put = |keys: &str| {
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, keys).unwrap();
    };
    put(&format!("{new}\n{old}"));
    let _ = kinora.application(0).stop().await;
    let _ = kinora.run_application(&["rewrap-keys"]);
    put(&new);
    kinora.application(0).start().await;
    let _ = kinora.visitor().get(&address).await.expect(200);
}

#[tokio::test]
async fn groups_give_roles_here_and_never_ownership() {
    let (_kinora, mut owner, organisation) = world().await;
    let other = add_organisation(&mut owner, "Other Studio").await;
    let film = add_production(&mut owner, &organisation, "Film").await;
    let foreign = add_production(&mut owner, &other, "Their Film").await;
    let rules = format!("{}/rules", add_connection(&mut owner, &organisation, "Studio").await);
    let editors =
        json!({ "group": "kinora-editors", "production_id": film, "roles": { "library": "editor" } });
    let made = owner.post(&rules, &editors).await.expect(201).json();
    let admins = json!({ "group": "it", "organisation_role": "administrator" });
    let _ = owner.post(&rules, &admins).await.expect(201);
    for (wrong, status) in [
        (editors.clone(), 409),
        (json!({ "group": "x", "organisation_role": "owner" }), 422),
        (json!({ "group": "x", "production_id": foreign, "roles": { "library": "reader" } }), 409),
        (
            json!({ "group": "x", "production_id": uuid::Uuid::now_v7(), "roles": { "library": "reader" } }),
            409,
        ),
        (json!({ "group": "x", "production_id": film, "roles": {} }), 422),
        (json!({ "group": "x", "production_id": film }), 422),
        (json!({ "group": "x" }), 422),
        (json!({ "group": " ", "organisation_role": "member" }), 422),
    ] {
        let _ = owner.post(&rules, &wrong).await.expect(status);
    }
    let listed = owner.get(&rules).await.expect(200).json();
    let groups: Vec<&str> =
        listed["items"].as_array().unwrap().iter().map(|rule| rule["group"].as_str().unwrap()).collect();
    assert_eq!(groups, ["it", "kinora-editors"]);
    let _ = owner.delete(&format!("{rules}/{}", text(&made, "/id"))).await.expect(204);
    let _ = owner.delete(&format!("{rules}/{}", text(&made, "/id"))).await.expect(404);
    let row = audited(&mut owner, &organisation, "saml_group_rule.removed").await;
    assert_eq!(row["before"]["group"], "kinora-editors");
}

#[tokio::test]
async fn what_names_people_anew_forgets_who_they_were() {
    let (kinora, mut owner, organisation) = world().await;
    let one = add_connection(&mut owner, &organisation, "Studio").await;
    let id = one.rsplit('/').next().unwrap().to_owned();
    let key = Key::ending_in(400);
    let known = || execute(&kinora, "UPDATE saml_identities SET last_signed_in_at = now()");
    let remember = || {
        execute(
            &kinora,
            &format!(
                "INSERT INTO saml_identities (connection_id, subject, person_id)
                 SELECT '{id}', 'ada', id FROM people LIMIT 1 ON CONFLICT DO NOTHING"
            ),
        )
    };
    let xml = |entity: &str| Described::new(entity, &[&key]).xml();
    let _ = give_metadata(&mut owner, &one, &xml("https://one.example")).await.expect(200);
    remember();
    let _ = give_metadata(&mut owner, &one, &xml("https://one.example")).await.expect(200);
    assert_eq!(known(), 1);
    let _ = give_metadata(&mut owner, &one, &xml("https://two.example")).await.expect(200);
    assert_eq!(known(), 0);
    remember();
    let _ = change(&mut owner, Method::PATCH, &one, &json!({ "email_attribute": "mail" })).await.expect(200);
    assert_eq!(known(), 1);
    let _ = change(&mut owner, Method::PATCH, &one, &json!({ "subject_attribute": "uid" })).await.expect(200);
    assert_eq!(known(), 0);
}
