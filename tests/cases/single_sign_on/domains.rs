//! E-mail domains: named by owners, confirmed by the operator.

use std::process::{Command, Output};

use kinora_tests::{Kinora, program};
use serde_json::{Value, json};

use crate::accounts::world::{add_organisation, add_person, organisation_of, text};

fn kinoractl(kinora: &Kinora, arguments: &[&str]) -> Output {
    Command::new(program("kinoractl"))
        .args(arguments)
        .arg("--settings")
        .arg(kinora.directory().join("settings/application-1.toml"))
        .arg("--credentials")
        .arg(kinora.directory().join("credentials/application"))
        .output()
        .unwrap()
}

#[track_caller]
fn ok(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn owners_name_domains_and_the_operator_confirms_them() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let other = add_organisation(&mut owner, "Other Studio").await;
    let (_, mut administrator) = add_person(&kinora, &mut owner, &own, "it@x.example", "administrator").await;
    let (_, mut stranger) = add_person(&kinora, &mut owner, &other, "far@x.example", "owner").await;
    let at = |organisation: &str| format!("/api/data/v1/organisations/{organisation}/sign-on/domains");
    let (ours, theirs) = (at(&own), at(&other));
    let _ = administrator.get(&ours).await.expect(403);
    let _ = stranger.get(&ours).await.expect(404);
    let _ = stranger.post(&ours, &json!({ "domain": "studio.example" })).await.expect(404);
    let made = owner.post(&ours, &json!({ "domain": " @Studio.Example " })).await.expect(201).json();
    assert_eq!((text(&made, "/domain").as_str(), &made["verified_at"]), ("studio.example", &Value::Null));
    let _ = owner.post(&ours, &json!({ "domain": "studio.example" })).await.expect(409);
    for bad in
        ["gmail.com", "*.studio.example", "xn--80ak6aa92e.com", "stüdio.example", "studio", "a@b.example"]
    {
        let refused = owner.post(&ours, &json!({ "domain": bad })).await.expect(422).json();
        assert_eq!(text(&refused, "/errors/0/pointer"), "/domain");
    }
    // Another organisation may name the same one; nobody learns of the other.
    let _ = stranger.post(&theirs, &json!({ "domain": "studio.example" })).await.expect(201);

    assert!(ok(&kinoractl(&kinora, &["domain", "list"])).contains("not confirmed"));
    let which = refused(&kinoractl(&kinora, &["domain", "confirm", "studio.example"]));
    assert!(which.contains("--organisation"), "{which}");
    let confirmed = ok(&kinoractl(&kinora, &["domain", "confirm", "Studio.example", "--organisation", &own]));
    assert!(confirmed.contains("Kinora"), "{confirmed}");
    assert!(owner.get(&ours).await.json()["items"][0]["verified_at"].is_string());
    assert_eq!(owner.get(&theirs).await.json()["items"][0]["verified_at"], Value::Null);
    let taken =
        refused(&kinoractl(&kinora, &["domain", "confirm", "studio.example", "--organisation", &other]));
    assert!(taken.contains("Another organisation"), "{taken}");
    let listed = ok(&kinoractl(&kinora, &["domain", "list", "--json"]));
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["domains"].as_array().unwrap().len(), 2);
    let _ = refused(&kinoractl(&kinora, &["domain", "confirm", "nobody.example"]));

    let _ = ok(&kinoractl(&kinora, &["domain", "withdraw", "studio.example"]));
    let _ = refused(&kinoractl(&kinora, &["domain", "withdraw", "studio.example"]));
    let _ = ok(&kinoractl(&kinora, &["domain", "confirm", "studio.example", "--organisation", &other]));
    let one = format!("{ours}/{}", text(&made, "/id"));
    let _ = stranger.delete(&one).await.expect(404);
    let _ = owner.delete(&one).await.expect(204);
    let _ = owner.delete(&one).await.expect(404);
    let trail =
        owner.get(&format!("/api/data/v1/organisations/{own}/audit?limit=200")).await.json().to_string();
    for action in ["added", "confirmed", "withdrawn", "removed"] {
        assert!(trail.contains(&format!("organisation_domain.{action}")), "{action}");
    }
    assert!(trail.contains("kinoractl domain confirm"));
}
