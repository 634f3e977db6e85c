//! Access tokens that may do less than their person: in events and files as well, and at once.

use kinora_tests::{Client, Kinora};
use reqwest::Method;
use serde_json::{Value, json};

use super::world::{add_person, add_production, organisation_of, send, text};

const TOKENS: &str = "/api/data/v1/account/tokens";

/// A token of this scope, and a program that has it.
async fn program(kinora: &Kinora, owner: &mut Client, scope: Value) -> Client {
    let made = owner.post(TOKENS, &json!({ "name": "script", "scope": scope })).await.expect(201).json();
    assert_eq!(made["token"]["scope"]["most_role"], scope["most_role"]);
    Client::with_token(&kinora.url(), &text(&made, "/secret"))
}

fn names(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|item| text(item, "/name")).collect()
}

#[tokio::test]
async fn a_token_does_what_its_scope_leaves_of_its_person() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (first, second) =
        (add_production(&mut owner, &own, "First").await, add_production(&mut owner, &own, "Second").await);
    let path = |id: &str| format!("/api/data/v1/productions/{id}");
    let assets = |id: &str| format!("/api/data/v1/productions/{id}/assets");

    let scope = json!({ "most_role": "reader", "modules": ["library"], "productions": [first] });
    let mut reader = program(&kinora, &mut owner, scope).await;
    assert_eq!(names(&reader.get("/api/data/v1/productions").await.expect(200).json()), ["First"]);
    let seen = reader.get(&path(&first)).await.expect(200).json();
    assert_eq!(
        seen["my_roles"],
        json!({ "office": null, "library": "reader", "subtitling": null, "budget": null })
    );
    let _ = reader.get(&assets(&first)).await.expect(200);
    // The other production does not exist for it, in any way.
    for missing in [path(&second), assets(&second), format!("{}/events", path(&second))] {
        let _ = reader.get(&missing).await.expect(404);
    }
    // Neither may it administer, nor look after the account.
    let people = format!("/api/data/v1/organisations/{own}/people");
    let _ = reader.get(&people).await.expect(403);
    let name = json!({ "name": "Other" });
    let _ = reader.post("/api/data/v1/organisations", &name).await.expect(403);
    let _ =
        send(&mut reader, Method::PATCH, &path(&first), &[("If-Match", "*")], Some(&name)).await.expect(403);
    for account in [TOKENS, "/api/data/v1/account/sessions", "/api/data/v1/account/factors"] {
        let problem = reader.get(account).await.expect(403).json();
        assert_eq!(text(&problem, "/type"), "urn:kinora:problem:session-required");
    }

    // In no module that it has a role in, the production is not there.
    let scope = json!({ "most_role": "manager", "modules": ["budget", "budget"] });
    let mut accountant = program(&kinora, &mut owner, scope).await;
    assert_eq!(names(&accountant.get("/api/data/v1/productions").await.expect(200).json()).len(), 2);
    let _ = accountant.get(&assets(&first)).await.expect(404);

    // Without a scope it is the person.
    let made = owner.post(TOKENS, &json!({ "name": "all" })).await.expect(201).json();
    assert_eq!(made["token"]["scope"], Value::Null);
    let mut whole = Client::with_token(&kinora.url(), &text(&made, "/secret"));
    let _ = whole.get(&people).await.expect(200);
    let _ = whole.get(TOKENS).await.expect(200);
}

#[tokio::test]
async fn a_scope_opens_nothing_that_the_person_has_not() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (first, second) =
        (add_production(&mut owner, &own, "First").await, add_production(&mut owner, &own, "Second").await);
    let (id, mut ada) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let member = |production: &str| format!("/api/data/v1/productions/{production}/members/{id}");
    let _ = owner.put(&member(&first), &json!({ "library": "reader" })).await.expect(200);

    // A production that the person is not in, known or unknown, is refused alike.
    for foreign in [second.clone(), uuid::Uuid::now_v7().to_string()] {
        let scope =
            json!({ "most_role": "manager", "modules": ["library"], "productions": [first, foreign] });
        let problem = ada.post(TOKENS, &json!({ "name": "s", "scope": scope })).await.expect(422).json();
        assert_eq!(text(&problem, "/errors/0/pointer"), "/scope/productions/1");
    }
    for wrong in [
        json!({ "most_role": "manager", "modules": [] }),
        json!({ "most_role": "owner", "modules": ["library"] }),
        json!({ "most_role": "reader", "modules": ["library"], "productions": [] }),
        json!({ "most_role": "reader" }),
    ] {
        let _ = ada.post(TOKENS, &json!({ "name": "s", "scope": wrong })).await.expect(422);
    }
    let scope = json!({ "most_role": "manager", "modules": ["library"], "productions": [first] });
    let mut script = program(&kinora, &mut ada, scope).await;
    let seen = script.get(&format!("/api/data/v1/productions/{first}")).await.expect(200).json();
    assert_eq!(seen["my_roles"]["library"], "reader");
    // What the person loses, the token loses.
    let _ = send(&mut owner, Method::DELETE, &member(&first), &[("If-Match", "*")], None).await.expect(204);
    kinora_tests::wait_until("the token sees nothing", async || {
        let answer = script.get(&format!("/api/data/v1/productions/{first}")).await;
        (answer.status == 404).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_program_that_runs_wild_locks_nobody_out() {
    let settings = "rate_limit.person_per_second = 0.5\nrate_limit.person_burst = 30";
    let kinora = Kinora::builder().applications(1).settings("application", settings).start().await;
    let mut owner = kinora.administrator().await;
    let mut secret = async || {
        let made = owner.post(TOKENS, &json!({ "name": "s" })).await.expect(201).json();
        Client::with_token(&kinora.url(), &text(&made, "/secret"))
    };
    let (mut wild, mut calm) = (secret().await, secret().await);
    let mut refused = false;
    for _ in 0..60 {
        refused = refused || wild.get("/api/data/v1/productions").await.status == 429;
    }
    assert!(refused);
    let _ = calm.get("/api/data/v1/productions").await.expect(200);
    let _ = owner.get("/api/data/v1/productions").await.expect(200);
}
