//! The token that an identity provider provisions with: good for that, through its connection, and for nothing else.

use kinora_tests::{Client, Kinora};
use reqwest::Method;
use serde_json::{Value, json};

use super::place::{Place, add_connection, add_token, confirm_domain, refusal, tokens_of, user};
use crate::accounts::world::{add_organisation, add_person, execute, send, text};

#[tokio::test]
async fn a_token_provisions_and_does_nothing_else() {
    let mut place = Place::open().await;
    // Wherever a session or an access token is asked for, it is nobody.
    let organisation = format!("/api/data/v1/organisations/{}", place.organisation);
    for path in [
        "/api/data/v1/session",
        "/api/data/v1/productions",
        organisation.as_str(),
        "/api/data/v1/account/tokens",
    ] {
        let _ = place.provider.get(path).await.expect(401);
    }
    // And whoever has a session or an access token is nobody here.
    let made =
        place.owner.post("/api/data/v1/account/tokens", &json!({ "name": "s" })).await.expect(201).json();
    let mut script = Client::with_token(&place.kinora.url(), &text(&made, "/secret"));
    let mut visitor = place.kinora.visitor();
    for client in [&mut script, &mut visitor] {
        for path in ["/scim/v2/Users", "/scim/v2/Groups", "/scim/v2/Schemas", "/scim/v2/other"] {
            let answer = client.get(path).await;
            assert_eq!(refusal(&answer).0, 401, "{path}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"kinora\""));
        }
        assert_eq!(client.post("/scim/v2/Users", &user("eve")).await.status, 401);
    }
    assert_eq!(place.owner.get("/scim/v2/Users").await.status, 401, "a session");
    let _ = place.provider.get("/scim/v2/Users").await.expect(200);
}

#[tokio::test]
async fn there_are_two_at_a_time_and_a_revoked_one_is_nothing() {
    let mut place = Place::open().await;
    let path = tokens_of(&place.organisation, &place.connection);
    let second = place.owner.post(&path, &json!({ "expires_in_days": 30 })).await.expect(201).json();
    let secret = text(&second, "/secret");
    assert!(secret.starts_with("kinora_scim_") && secret.len() == 12 + 49, "{secret}");
    let _ = place.owner.post(&path, &json!({})).await.expect(409);
    for wrong in [0, 732] {
        let _ = place.owner.post(&path, &json!({ "expires_in_days": wrong })).await.expect(422);
    }
    let mut follower = Client::with_token(&place.kinora.url(), &secret);
    let _ = follower.get("/scim/v2/Users").await.expect(200);
    let shown = place.owner.get(&path).await.expect(200).json();
    assert_eq!(shown["tokens"].as_array().unwrap().len(), 2);
    assert!(!shown.to_string().contains(&secret), "shown once");
    assert!(text(&shown, "/url").ends_with("/scim/v2"));
    let first = text(&shown, "/tokens/1/id");
    let _ = place.owner.delete(&format!("{path}/{first}")).await.expect(204);
    let _ = place.owner.delete(&format!("{path}/{first}")).await.expect(404);
    assert_eq!(place.provider.get("/scim/v2/Users").await.status, 401);
    let _ = follower.get("/scim/v2/Users").await.expect(200);
    // An end that has come ends it as well.
    let _ = execute(&place.kinora, "UPDATE provisioning_tokens SET expires_at = now()");
    assert_eq!(follower.get("/scim/v2/Users").await.status, 401);
    // Only owners see and make them, in a confirmed session.
    let (_, mut administrator) =
        add_person(&place.kinora, &mut place.owner, &place.organisation, "a@x.example", "administrator")
            .await;
    let _ = administrator.get(&path).await.expect(403);
    let _ = execute(&place.kinora, "UPDATE sessions SET confirmed_at = NULL");
    kinora_tests::wait_until("the confirmation has ended", async || {
        (place.owner.post(&path, &json!({})).await.status == 403).then_some(())
    })
    .await;
    let trail = place.trail().await;
    let actions: Vec<&str> = trail.iter().filter_map(|row| row["action"].as_str()).collect();
    for action in ["provisioning_token.created", "provisioning_token.revoked"] {
        assert!(actions.contains(&action), "{action}: {actions:?}");
    }
}

#[tokio::test]
async fn what_another_connection_provisioned_is_not_there() {
    let mut place = Place::open().await;
    let (user_id, group) = (place.add_user("ada").await, place.add_group("Editors", &[]).await);
    let other = add_organisation(&mut place.owner, "Other Studio").await;
    confirm_domain(&place.kinora, &other, "other.example");
    let connection = add_connection(&mut place.owner, &other).await;
    let secret = add_token(&mut place.owner, &other, &connection).await;
    let mut stranger = Client::with_token(&place.kinora.url(), &secret);
    for path in ["/scim/v2/Users", "/scim/v2/Groups"] {
        let list = stranger.get(path).await.expect(200).json();
        assert_eq!(list["totalResults"], 0, "{list}");
    }
    let unknown = uuid::Uuid::now_v7();
    for (kind, id) in [("Users", &user_id), ("Groups", &group)] {
        for method in [Method::GET, Method::DELETE, Method::PATCH, Method::PUT] {
            let body = match method {
                Method::PATCH => Some(json!({ "Operations": [] })),
                Method::PUT => Some(json!({ "userName": "x@other.example", "displayName": "x" })),
                _ => None,
            };
            let mut answers = Vec::new();
            for id in [id.as_str(), &unknown.to_string(), "no-id"] {
                let path = format!("/scim/v2/{kind}/{id}");
                let answer = send(&mut stranger, method.clone(), &path, &[], body.as_ref()).await;
                answers.push((answer.status.as_u16(), answer.text()));
            }
            assert_eq!(answers[0].0, 404, "{method} {kind}: {}", answers[0].1);
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{method} {kind}: {answers:?}");
        }
    }
    // Nor can its users come into groups of the other.
    let body = json!({ "displayName": "Thieves", "members": [{ "value": user_id }] });
    assert_eq!(refusal(&stranger.post("/scim/v2/Groups", &body).await).1.as_deref(), Some("invalidValue"));
    // The account is the first organisation's: its address is in no domain of the other.
    let answer = stranger.post("/scim/v2/Users", &user("ada")).await;
    assert_eq!(refusal(&answer).0, 400, "{}", answer.text());
}

#[tokio::test]
async fn a_provider_that_runs_wild_locks_nobody_out() {
    let settings = "rate_limit.person_per_second = 0.5\nrate_limit.person_burst = 30";
    let kinora = Kinora::builder().applications(1).settings("application", settings).start().await;
    let mut owner = kinora.administrator().await;
    let organisation = crate::accounts::world::organisation_of(&mut owner, "Kinora").await;
    let connection = add_connection(&mut owner, &organisation).await;
    let secret = add_token(&mut owner, &organisation, &connection).await;
    let mut wild = Client::with_token(&kinora.url(), &secret);
    let mut refused = None;
    for _ in 0..60 {
        let answer = wild.get("/scim/v2/Users").await;
        if answer.status == 429 {
            refused = Some(answer);
        }
    }
    let refused = refused.expect("counted");
    assert_eq!(refusal(&refused).0, 429);
    assert!(refused.header("retry-after").is_some());
    let _ = owner.get("/api/data/v1/productions").await.expect(200);
}

#[tokio::test]
async fn neither_tokens_nor_names_are_logged_and_tokens_are_not_stored() {
    let builder = Kinora::builder().applications(1).settings("application", "log = \"debug\"");
    let mut place = Place::build(builder).await;
    let secret = add_token(&mut place.owner, &place.organisation, &place.connection).await;
    let mut provider = Client::with_token(&place.kinora.url(), &secret);
    let name = format!("canary{}", uuid::Uuid::new_v4().simple());
    let made = provider.post("/scim/v2/Users", &user(&name)).await.expect(201).json();
    let id = text(&made, "/id");
    let _ = provider.get(&format!("/scim/v2/Users?filter=userName%20eq%20%22{name}%22")).await.expect(200);
    let _ = provider.post("/scim/v2/Users", &user(&name)).await.expect(409);
    let _ = provider.delete(&format!("/scim/v2/Users/{id}")).await.expect(204);
    let mut wrong = Client::with_token(&place.kinora.url(), &format!("{}x", &secret[..secret.len() - 1]));
    assert_eq!(wrong.get("/scim/v2/Users").await.status, 401);
    let log = place.kinora.application(0).log();
    assert!(log.contains("/scim/v2/Users"), "requests are in the log");
    for kept in [secret.as_str(), &secret[..40], name.as_str()] {
        assert!(!log.contains(kept), "{kept}");
    }
    for table in ["provisioning_tokens", "audit_rows", "idempotency_keys"] {
        let found = format!("SELECT 1 FROM {table} x WHERE x::text LIKE '%{secret}%'");
        assert_eq!(execute(&place.kinora, &found), 0, "{table}");
    }
    let kept: Value = place.owner.get(&tokens_of(&place.organisation, &place.connection)).await.json();
    assert!(secret.ends_with(&text(&kept, "/tokens/0/hint")));
}
