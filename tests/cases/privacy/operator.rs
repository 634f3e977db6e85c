//! What the operator does on the server: export, erase, and erase again after a restore.

use std::process::Output;

use diesel::connection::SimpleConnection as _;
use kinora_tests::Kinora;
use serde_json::{Value, json};

use super::remains::{count, dump, expect_intact, lines_with};
use crate::accounts::world::{add_person, add_production, organisation_of, text};
use crate::library::control::{kinoractl, on_server};

const LOGIN: &str = "ada.byron@x.example";

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn succeed(kinora: &Kinora, arguments: &[&str]) -> String {
    let output = on_server(kinora, arguments).await;
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn the_operator_exports_erases_and_erases_again_after_a_restore() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (id, _) = add_person(&kinora, &mut owner, &own, LOGIN, "member").await;
    let export: Value =
        serde_json::from_str(&succeed(&kinora, &["person", "export", "--login", LOGIN]).await).unwrap();
    assert_eq!((&export["format"], &export["people"][0]["id"]), (&json!("kinora-personal-data"), &json!(id)));
    assert_eq!(export["people"][0]["data"]["account"][0]["login"], LOGIN);
    for (arguments, code) in [
        (&["person", "export", "--login", "nobody@x.example"][..], 1),
        (&["user", "erase", "--login", LOGIN], 2),
        (&["person", "erase", "--login", "nobody@x.example", "--yes"], 1),
        (&["person", "erase", "--login", "admin@localhost", "--yes"], 1),
    ] {
        let output = on_server(&kinora, arguments).await;
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
    }
    // As a backup would have it: the tables that name her, as they are now.
    kinora
        .connect()
        .batch_execute(
            "CREATE TABLE backup_people AS TABLE people; CREATE TABLE backup_members AS TABLE organisation_members; \
             CREATE TABLE backup_sessions AS TABLE sessions",
        )
        .unwrap();
    let report: Value = serde_json::from_str(
        &succeed(&kinora, &["user", "erase", "--login", LOGIN, "--yes", "--json"]).await,
    )
    .unwrap();
    assert_eq!((&report["asked_by"], &report["person_id"]), (&json!("operator"), &json!(id)));
    let list = succeed(&kinora, &["erasure", "list"]).await;
    assert_eq!(list.lines().count(), 1);
    // Not "ada" alone: that may stand in an id.
    assert!(!list.contains("ada.byron"), "{list}");
    let again = succeed(&kinora, &["erasure", "repeat"]).await;
    assert_eq!(again.trim(), "0 erased again, 1 were erased already.");

    // Restored: she is there again, and the list in the database does not know.
    kinora
        .connect()
        .batch_execute(
            "UPDATE people p SET login = b.login, login_key = b.login_key, display_name = b.display_name, \
                 password_hash = b.password_hash, disabled_at = b.disabled_at, erased_at = NULL \
                 FROM backup_people b WHERE b.id = p.id; \
             INSERT INTO organisation_members SELECT b.* FROM backup_members b ON CONFLICT DO NOTHING; \
             INSERT INTO sessions SELECT b.* FROM backup_sessions b ON CONFLICT DO NOTHING; \
             DROP TABLE backup_people, backup_members, backup_sessions; \
             DELETE FROM erasures",
        )
        .unwrap();
    assert!(count(&kinora, &format!("SELECT 1 FROM people WHERE login = '{LOGIN}'")) == 1);
    let access = kinora.directory();
    let (settings, credentials) =
        (access.join("settings/application.toml"), access.join("credentials/application"));
    let arguments = [
        "erasure",
        "repeat",
        "-",
        "--settings",
        settings.to_str().unwrap(),
        "--credentials",
        credentials.to_str().unwrap(),
    ];
    let output = kinoractl(&arguments, list.trim()).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "1 erased again, 0 were erased already.");
    assert_eq!(lines_with(&dump(&kinora), &[LOGIN]), Vec::<String>::new());
    expect_told(&mut owner, &own, &id).await;
    let broken = kinoractl(&arguments, "{\"no\": \"erasure\"}").await;
    assert_eq!(broken.status.code(), Some(2), "{}", said(&broken));
}

#[tokio::test]
async fn an_address_without_an_account_is_erased_as_well() {
    const GUEST: &str = "guest.nobody@x.example";
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let production = add_production(&mut owner, &own, "Nordlicht").await;
    let invitations = format!("/api/data/v1/productions/{production}/invitations");
    let invited = json!({ "address": GUEST, "roles": { "library": "reader" } });
    let _ = owner.post(&invitations, &invited).await.expect(201);
    let grants = format!("/api/data/v1/organisations/{own}/support-grants");
    let grant = json!({
        "address": "Guest.Nobody@x.example",
        "reason": "guest.nobody@x.example looks at the upload",
        "scope": { "most_role": "reader", "modules": ["library"], "productions": [production] },
        "ends_at": chrono::Utc::now() + chrono::TimeDelta::hours(1),
    });
    let _ = owner.post(&grants, &grant).await.expect(201);
    // Somebody else's is left alone.
    let other = json!({ "address": "guest.other@x.example", "roles": { "library": "reader" } });
    let _ = owner.post(&invitations, &other).await.expect(201);
    assert!(lines_with(&dump(&kinora), &[GUEST]).len() > 3);

    let report: Value = serde_json::from_str(
        &succeed(&kinora, &["person", "erase", "--login", GUEST, "--yes", "--json"]).await,
    )
    .unwrap();
    let done: Vec<(&str, &str)> = report["report"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["table"].as_str().unwrap(), row["done"].as_str().unwrap()))
        .collect();
    for row in [
        ("invitations", "deleted"),
        ("mail_messages", "deleted"),
        ("support_grants", "pseudonymised"),
        ("audit_rows", "pseudonymised"),
    ] {
        assert!(done.contains(&row), "{row:?}: {done:?}");
    }
    assert_eq!(lines_with(&dump(&kinora), &[GUEST]), Vec::<String>::new());
    assert_eq!(count(&kinora, "SELECT 1 FROM invitations WHERE address = 'guest.other@x.example'"), 1);
    expect_intact(&kinora);
    // Nothing names it any more; and a login that is no address is looked for nowhere.
    let people = count(&kinora, "SELECT 1 FROM people");
    for nothing in [GUEST, "Nordlicht"] {
        let output = on_server(&kinora, &["person", "erase", "--login", nothing, "--yes"]).await;
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    }
    assert_eq!(count(&kinora, "SELECT 1 FROM people"), people, "nobody is left behind");
}

/// Both erasures are in the trail, the second one by the list.
async fn expect_told(owner: &mut kinora_tests::Client, own: &str, id: &str) {
    let trail =
        owner.get(&format!("/api/data/v1/organisations/{own}/audit?action=person.erased")).await.json();
    let actors: Vec<String> = trail["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["subject_id"] == id)
        .map(|row| text(row, "/actor"))
        .collect();
    assert_eq!(actors.len(), 2, "{trail}");
    assert!(actors[0].starts_with("kinoractl erasure repeat ("), "{actors:?}");
}

#[tokio::test]
async fn what_a_request_under_way_left_behind_is_erased_as_well() {
    use kinora_store::audit::{self, Act, Origin};
    use kinora_store::privacy::erasures;

    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (id, _) = add_person(&kinora, &mut owner, &own, LOGIN, "member").await;
    let path = format!("/api/data/v1/organisations/{own}/people/{id}/erasure");
    let _ = owner.post(&path, &json!({ "login": LOGIN })).await.expect(200);
    let mut connection = kinora.connect();
    let person = id.parse().unwrap();
    let late = Origin {
        actor_id: Some(person),
        actor: LOGIN.to_owned(),
        address: Some("198.51.100.77".to_owned()),
        request_id: None,
        support_grant: None,
    };
    let act = Act::new("session.ended", "session", uuid::Uuid::now_v7(), LOGIN);
    audit::record(&mut connection, &late, act.in_organisation(own.parse().unwrap())).unwrap();
    let now = chrono::Utc::now();
    assert_eq!(erasures::sweep_recent(&mut connection, now).unwrap(), 1);
    assert_eq!(lines_with(&dump(&kinora), &[LOGIN, "198.51.100.77"]), Vec::<String>::new());
    expect_intact(&kinora);
    // Once.
    assert_eq!(erasures::sweep_recent(&mut connection, now).unwrap(), 0);
    expect_intact(&kinora);
}

#[tokio::test]
async fn what_was_ended_before_a_restore_does_not_hold_after_it() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let _ = owner.post("/api/data/v1/account/tokens", &json!({ "name": "withdrawn" })).await.expect(201);
    kinora.connect().batch_execute("UPDATE access_tokens SET revoked_at = now()").unwrap();
    let withdrawn = succeed(&kinora, &["after-restore", "withdrawn"]).await;
    let open = count(&kinora, "SELECT 1 FROM sessions WHERE revoked_at IS NULL");
    assert!(open > 0);
    // Restored: the token holds again.
    kinora.connect().batch_execute("UPDATE access_tokens SET revoked_at = NULL").unwrap();
    let access = kinora.directory();
    let (settings, credentials) =
        (access.join("settings/application.toml"), access.join("credentials/application"));
    let arguments = [
        "after-restore",
        "end",
        "--settings",
        settings.to_str().unwrap(),
        "--credentials",
        credentials.to_str().unwrap(),
    ];
    let broken = kinoractl(&arguments, "{\"no\": \"list\"}").await;
    assert_eq!(broken.status.code(), Some(2), "{}", said(&broken));
    assert_eq!(count(&kinora, "SELECT 1 FROM sessions WHERE revoked_at IS NULL"), open);
    for (sessions, tokens) in [(open, 1), (0, 0)] {
        let output = kinoractl(&arguments, &withdrawn).await;
        let wanted = format!(
            "{sessions} sessions ended, 0 links and codes made void, {tokens} tokens withdrawn again."
        );
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), wanted, "{}", said(&output));
    }
    assert_eq!(count(&kinora, "SELECT 1 FROM sessions WHERE revoked_at IS NULL"), 0);
    assert_eq!(count(&kinora, "SELECT 1 FROM audit_rows WHERE action = 'database.restored'"), 2);
    expect_intact(&kinora);
}
