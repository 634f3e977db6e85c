//! The live test of a connection, against a real provider.

use kinora_tests::Client;
use reqwest::Method;
use serde_json::{Value, json};

use super::provider::{change, connections_of};
use super::studio::{Studio, post_to};
use crate::accounts::world::{add_person, add_production, execute, text};

/// Runs a test as the owner; gives the attempt that its page shows.
async fn test(studio: &mut Studio, path: &str) -> Value {
    let begun = studio.owner.post(&format!("{path}/test"), &json!({})).await.expect(200).json();
    let leads = studio.owner.get(&text(&begun, "/address")).await;
    let form = studio.idp.sign_in(&leads, "ada").await;
    let mut owner = studio.owner.clone();
    let answer = studio.post(&mut owner, &form).await;
    let location = answer.header("location").unwrap_or_else(|| panic!("{}", answer.text())).to_owned();
    let (page, attempt) = location.split_once("?attempt=").expect("an attempt");
    assert_eq!(page, format!("/administration/sign-on/{}", studio.connection.id));
    studio.owner.get(&format!("{path}/attempts/{attempt}")).await.expect(200).json()
}

#[tokio::test]
async fn a_test_shows_what_came_and_what_it_would_be_and_changes_nothing() {
    let mut studio = Studio::open().await;
    let path = format!("{}/{}", connections_of(&studio.organisation), studio.connection.id);
    let film = add_production(&mut studio.owner, &studio.organisation, "Film").await;
    let rule = json!({ "group": "kinora-editors", "production_id": film, "roles": { "library": "editor" } });
    let _ = studio.connection.add_rule(&mut studio.owner, &rule).await;
    // It need not be switched on for that.
    let _ = change(&mut studio.owner, Method::PATCH, &path, &json!({ "enabled": false })).await.expect(200);
    let before = studio.owner.get("/api/data/v1/session").await.expect(200).json();
    let passed = test(&mut studio, &path).await;
    assert_eq!((&passed["refusal"], &passed["purpose"]), (&Value::Null, &json!("test")));
    assert_eq!(passed["person"], "admin@localhost");
    let findings = &passed["findings"];
    let values = |name: &str| {
        let all = findings["attributes"].as_array().unwrap();
        all.iter()
            .find(|one| one["name"] == name || one["friendly_name"] == name)
            .map(|one| one["values"].clone())
    };
    assert_eq!(values("mail"), Some(json!(["ada@studio.example"])), "{findings}");
    assert_eq!(findings["mapped"]["address"], "ada@studio.example");
    assert_eq!(findings["mapped"]["display_name"], "Ada Löwe");
    assert_eq!(findings["mapped"]["groups"], json!(["kinora-editors"]));
    assert_eq!(findings["mapped"]["matched_rules"].as_array().unwrap().len(), 1);
    assert_eq!(findings["mapped"]["organisation_role"], "member");
    assert_eq!(findings["mapped"]["productions"][0]["roles"]["library"], "editor");
    let last = studio.owner.get(&path).await.json()["last_test"].clone();
    assert_eq!((&last["refusal"], &last["is_current"]), (&Value::Null, &json!(true)));

    let after = studio.owner.get("/api/data/v1/session").await.expect(200).json();
    assert_eq!(after["person"], before["person"], "the owner stays who they are");
    assert_eq!(execute(&studio.kinora, "UPDATE people SET revision = revision WHERE login LIKE 'ada%'"), 0);
    assert_eq!(execute(&studio.kinora, "UPDATE saml_identities SET created_at = created_at"), 0);
}

#[tokio::test]
async fn a_test_proves_nothing_about_other_metadata() {
    let mut studio = Studio::open().await;
    let path = format!("{}/{}", connections_of(&studio.organisation), studio.connection.id);
    let _ = test(&mut studio, &path).await;
    assert_eq!(studio.owner.get(&path).await.json()["last_test"]["is_current"], true);
    let proven = format!("/api/data/v1/organisations/{}/security", studio.organisation);
    assert_eq!(studio.owner.get(&proven).await.expect(200).json()["sso_proven"], true);
    let metadata = studio.idp.metadata().await;
    studio.connection.set_metadata(&mut studio.owner, &format!("{metadata}\n")).await;
    assert_eq!(studio.owner.get(&path).await.json()["last_test"]["is_current"], false);
    assert_eq!(studio.owner.get(&proven).await.expect(200).json()["sso_proven"], false);
    let _ = test(&mut studio, &path).await;
    assert_eq!(studio.owner.get(&proven).await.expect(200).json()["sso_proven"], true);
}

#[tokio::test]
async fn a_refused_test_says_why_and_what_helps() {
    let mut studio = Studio::open().await;
    let path = format!("{}/{}", connections_of(&studio.organisation), studio.connection.id);
    studio.idp.set(&json!({ "sign_response": false, "sign_assertion": false })).await;
    let refused = test(&mut studio, &path).await;
    assert_eq!(refused["refusal"], "unsigned");
    assert!(text(&refused, "/sentence").contains("Set the identity provider to sign"), "{refused}");
    assert_eq!(refused["findings"], Value::Null);
    assert_eq!(studio.owner.get(&path).await.json()["last_test"]["refusal"], "unsigned");
    studio.idp.set(&json!({ "sign_response": true, "sign_assertion": true })).await;
    studio.connection.change(&mut studio.owner, &json!({ "subject_attribute": "employeeNumber" })).await;
    let refused = test(&mut studio, &path).await;
    assert_eq!(refused["refusal"], "no_subject", "{refused}");
    let listed = studio.owner.get(&format!("{path}/attempts")).await.expect(200).json();
    let codes: Vec<&str> =
        listed["items"].as_array().unwrap().iter().map(|one| one["refusal"].as_str().unwrap()).collect();
    assert_eq!(codes, ["no_subject", "unsigned"]);

    let organisation = studio.organisation.clone();
    let (_, mut administrator) =
        add_person(&studio.kinora, &mut studio.owner, &organisation, "it@x.example", "administrator").await;
    let _ = administrator.get(&format!("{path}/attempts")).await.expect(403);
    let _ = administrator.post(&format!("{path}/test"), &json!({})).await.expect(403);
    let token =
        studio.owner.post("/api/data/v1/account/tokens", &json!({ "name": "t" })).await.expect(201).json();
    let mut script = Client::with_token(&studio.kinora.url(), &text(&token, "/secret"));
    let _ = script.post(&format!("{path}/test"), &json!({})).await.expect(403);
}

/// Puts attempts there as if they had just been made.
fn pretend(studio: &Studio, count: u32, refusal: &str) {
    let insert = format!(
        "INSERT INTO saml_attempts (id, connection_id, purpose, refusal) \
         SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') \
                 || '70008000' || lpad(to_hex(number), 12, '0'))::uuid, id, 'sign_in', {refusal} \
         FROM saml_connections, generate_series(1, {count}) AS number"
    );
    assert_eq!(execute(&studio.kinora, &insert), count as usize);
}

fn count(studio: &Studio, refusal: &str) -> usize {
    studio.attempts().iter().filter(|attempt| attempt.refusal == refusal).count()
}

/// Sends what anybody may send; it is refused.
async fn send_rubbish(studio: &Studio) {
    let mut stranger = studio.kinora.visitor();
    let form = studio.begin(&mut stranger, "ada").await.without("RelayState");
    let answer = post_to(&mut stranger, &studio.connection.acs(), &form, studio.idp.url()).await;
    studio.expect_refused(&mut stranger, &answer, "no_request").await;
}

#[tokio::test]
async fn a_test_that_passed_stays_however_many_come_after_it() {
    let mut studio = Studio::open().await;
    let path = format!("{}/{}", connections_of(&studio.organisation), studio.connection.id);
    let _ = test(&mut studio, &path).await;
    pretend(&studio, 1200, "NULL");
    let _ = studio.sign_in("ada").await;
    assert_eq!(count(&studio, "passed"), 1001, "others go");
    send_rubbish(&studio).await;
    let proven = format!("/api/data/v1/organisations/{}/security", studio.organisation);
    assert_eq!(studio.owner.get(&proven).await.expect(200).json()["sso_proven"], true);
}

#[tokio::test]
async fn what_strangers_send_takes_no_place_of_other_refusals() {
    let mut studio = Studio::open().await;
    let path = format!("{}/{}", connections_of(&studio.organisation), studio.connection.id);
    studio.idp.set(&json!({ "sign_response": false, "sign_assertion": false })).await;
    let _ = test(&mut studio, &path).await;
    studio.idp.set(&json!({ "sign_response": true, "sign_assertion": true })).await;
    studio.connection.change(&mut studio.owner, &json!({ "subject_attribute": "employeeNumber" })).await;
    let mut browser = studio.kinora.visitor();
    let answer = studio.try_sign_in(&mut browser, "ada").await;
    studio.expect_refused(&mut browser, &answer, "no_subject").await;
    pretend(&studio, 1200, "'no_request'");
    send_rubbish(&studio).await;
    let left = ["no_request", "unsigned", "no_subject"].map(|code| count(&studio, code));
    assert_eq!(left, [100, 1, 1]);
}

#[tokio::test]
async fn refusals_are_listed_without_what_went_well() {
    let mut studio = Studio::open().await;
    let path = format!("{}/{}/attempts", connections_of(&studio.organisation), studio.connection.id);
    send_rubbish(&studio).await;
    pretend(&studio, 60, "NULL");
    let codes = async |studio: &mut Studio, query: &str| -> Vec<Value> {
        let listed = studio.owner.get(&format!("{path}{query}")).await.expect(200).json();
        listed["items"].as_array().unwrap().iter().map(|one| one["refusal"].clone()).collect()
    };
    assert_eq!(codes(&mut studio, "").await, vec![Value::Null; 50]);
    assert_eq!(codes(&mut studio, "?refused=true").await, [json!("no_request")]);
    assert_eq!(codes(&mut studio, "?refused=false").await, vec![Value::Null; 50]);
    let _ = studio.owner.get(&format!("{path}?refused=maybe")).await.expect(422);
}
