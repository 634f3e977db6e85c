//! Exports hold what the register says, and nothing of anybody else.

use kinora_store::privacy::register::tables;
use kinora_tests::{Answer, Client, Kinora};
use reqwest::Method;
use serde_json::{Value, json};

use super::remains::count;
use crate::accounts::factors::enrol_app;
use crate::accounts::world::{
    add_organisation, add_person, add_production, add_things, execute, organisation_of, send, text,
};

const D: &str = "/api/data/v1";

fn people(export: &Value) -> &Vec<Value> {
    assert_eq!((&export["format"], &export["version"]), (&json!("kinora-personal-data"), &json!(1)));
    export["people"].as_array().unwrap()
}

fn download(answer: Answer) -> Value {
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("content-disposition").unwrap().starts_with("attachment; "));
    answer.json()
}

#[tokio::test]
async fn one_takes_along_everything_that_is_kept_of_oneself() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (id, mut ada) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let production = add_production(&mut owner, &own, "Film").await;
    let _ = add_things(&kinora, &production, &id);
    let _ = execute(&kinora, &format!("UPDATE assets SET created_by = '{id}'"));
    let _ = enrol_app(&mut ada).await;
    let made =
        ada.post(&format!("{D}/account/tokens"), &json!({ "name": "laptop" })).await.expect(201).json();
    // More rows than are read at once.
    let _ = execute(
        &kinora,
        &format!(
            "INSERT INTO audit_rows (sequence, at, actor_id, actor, action, subject_kind, hash) \
             SELECT 100000 + n, now(), '{id}', 'ada@x.example', 'test.done', 'test', decode(repeat('00', 32), 'hex') \
             FROM generate_series(1, 1201) AS n"
        ),
    );
    let export = download(ada.get(&format!("{D}/account/personal-data")).await.expect(200));
    let mine = &people(&export)[0];
    assert_eq!((people(&export).len(), &mine["id"], &mine["extent"]), (1, &json!(id), &json!("whole")));
    let data = mine["data"].as_object().unwrap();
    let mut sections: Vec<&str> = tables().filter_map(|table| table.section).collect();
    sections.sort_unstable();
    let mut found: Vec<&str> = data.keys().map(String::as_str).collect();
    found.sort_unstable();
    assert_eq!(found, sections);
    assert_eq!(data["account"][0]["login"], "ada@x.example");
    assert_eq!(data["account"][0]["display_name"], "Name of ada@x.example");
    assert_eq!(data["organisations"][0]["role"], "member");
    assert!(text(&data["sessions"][0], "/address").contains("127.0.0.1"));
    assert_eq!(
        (&data["access_tokens"][0]["name"], data["assets"].as_array().unwrap().len()),
        (&json!("laptop"), 1)
    );
    assert_eq!(data["recovery_codes"].as_array().unwrap().len(), 10);
    let trail = data["audit"].as_array().unwrap();
    assert_eq!(trail.iter().filter(|row| row["action"] == "test.done").count(), 1201);
    let sequences: Vec<i64> = trail.iter().filter_map(|row| row["sequence"].as_i64()).collect();
    assert!(sequences.windows(2).all(|pair| pair[0] < pair[1]), "each row once and in order");
    // What the administrator did is there, without who and from where it was.
    let added = trail.iter().find(|row| row["action"] == "person.added").expect("being added");
    assert_eq!(
        (&added["actor"], &added["address"], &added["subject"]),
        (&Value::Null, &Value::Null, &json!("ada@x.example"))
    );
    // No secrets, and no digests of them.
    let whole = export.to_string();
    for secret in
        ["digest", "sealed", "password_hash", "salts", text(&made, "/secret").as_str(), "admin@localhost"]
    {
        assert!(!whole.contains(secret), "{secret}");
    }
    let exported =
        "SELECT 1 FROM audit_rows WHERE action = 'personal_data.exported' AND subject_id = actor_id";
    assert_eq!(count(&kinora, exported), 1);
}

async fn export_of(client: &mut Client, organisation: &str, person: &str) -> Value {
    let path = format!("{D}/organisations/{organisation}/people/{person}/personal-data");
    download(client.get(&path).await.expect(200))
}

#[tokio::test]
async fn organisations_learn_nothing_of_each_other_from_exports() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let other = add_organisation(&mut owner, "Other Studio").await;
    let (_, mut other_owner) = add_person(&kinora, &mut owner, &other, "other@o.example", "owner").await;
    let admin = text(&owner.get(&format!("{D}/session")).await.json(), "/person/id");
    let _ = send(&mut owner, Method::DELETE, &format!("{D}/organisations/{other}/people/{admin}"), &[], None)
        .await
        .expect(204);
    let (guest, _) = add_person(&kinora, &mut other_owner, &other, "guest@o.example", "member").await;
    let (ada, _) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let here = add_production(&mut owner, &own, "Here").await;
    let there = add_production(&mut other_owner, &other, "There").await;
    for production in [&here, &there] {
        let _ = execute(
            &kinora,
            &format!(
                "INSERT INTO production_members (production_id, person_id, library_role) VALUES ('{production}', '{guest}', 'editor')"
            ),
        );
    }
    let export = export_of(&mut owner, &own, &guest).await;
    let theirs = &people(&export)[0];
    assert_eq!(theirs["extent"], "organisation");
    assert_eq!(theirs["data"]["productions"].as_array().unwrap().len(), 1);
    assert_eq!(theirs["data"]["productions"][0]["production_id"], here.as_str());
    assert_eq!(theirs["data"]["sessions"], Value::Null);
    assert!(!export.to_string().contains(&other) && !export.to_string().contains(&there), "{export}");
    // Ada is theirs alone.
    let export = export_of(&mut owner, &own, &ada).await;
    assert_eq!(people(&export)[0]["extent"], "account");
    assert!(people(&export)[0]["data"]["sessions"].is_array());

    let all = download(owner.get(&format!("{D}/organisations/{own}/personal-data")).await.expect(200));
    let mut ids: Vec<String> = people(&all).iter().map(|person| text(person, "/id")).collect();
    ids.sort();
    let mut expected = vec![admin, guest.clone(), ada];
    expected.sort();
    assert_eq!(ids, expected);
    assert!(!all.to_string().contains(&other), "{all}");
    // Whoever is nobody here is not found; and it takes a confirmed session.
    let stranger = text(&other_owner.get(&format!("{D}/session")).await.json(), "/person/id");
    let _ = owner.get(&format!("{D}/organisations/{own}/people/{stranger}/personal-data")).await.expect(404);
    let _ = execute(&kinora, "UPDATE sessions SET confirmed_at = confirmed_at - interval '11 minutes'");
    for path in [
        format!("{D}/organisations/{own}/personal-data"),
        format!("{D}/organisations/{own}/people/{guest}/personal-data"),
        format!("{D}/account/personal-data"),
    ] {
        let problem = kinora_tests::wait_until("the session is read anew", async || {
            let answer = owner.get(&path).await;
            (answer.status == 403).then(|| answer.json())
        })
        .await;
        assert_eq!(text(&problem, "/type"), "urn:kinora:problem:step-up-required");
    }
}
