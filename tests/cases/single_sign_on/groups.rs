//! What groups give, and that it goes with them.

use kinora_tests::Kinora;
use reqwest::Method;
use serde_json::{Value, json};

use super::studio::{Studio, role_in};
use crate::accounts::world::{add_person, add_production, execute, send, text};
use crate::library::follower::Follower;

fn ada(groups: &[&str]) -> Value {
    json!({ "ada": { "displayName": ["Ada Löwe"], "mail": ["ada@studio.example"], "groups": groups } })
}

async fn status(browser: &mut kinora_tests::Client, production: &str) -> u16 {
    browser.get(&format!("/api/data/v1/productions/{production}")).await.status.as_u16()
}

#[tokio::test]
async fn a_role_comes_with_a_group_and_goes_with_it() {
    let mut studio = Studio::build(Kinora::builder().applications(2).one_address()).await;
    let organisation = studio.organisation.clone();
    let film = add_production(&mut studio.owner, &organisation, "Film").await;
    let series = add_production(&mut studio.owner, &organisation, "Series").await;
    for rule in [
        json!({ "group": "editors", "production_id": film, "roles": { "library": "editor" } }),
        json!({ "group": "readers", "production_id": film, "roles": { "library": "reader", "budget": "reader" } }),
        json!({ "group": "series", "production_id": series, "roles": { "office": "manager" } }),
        json!({ "group": "it", "organisation_role": "administrator" }),
    ] {
        let _ = studio.connection.add_rule(&mut studio.owner, &rule).await;
    }
    studio.set_people(&ada(&["editors", "readers", "series", "it"])).await;
    let mut browser = studio.sign_in("ada").await;
    let seen = browser.get(&format!("/api/data/v1/productions/{film}")).await.expect(200).json();
    // In each module the higher one of what the groups give.
    assert_eq!(seen["my_roles"]["library"], "editor");
    assert_eq!(seen["my_roles"]["budget"], "reader");
    assert_eq!(seen["guest"], false);
    assert_eq!(status(&mut browser, &series).await, 200);
    assert_eq!(role_in(&mut browser, &organisation).await.as_deref(), Some("administrator"));
    // Something goes on at the other instance while the groups go.
    let there = browser.at(&studio.kinora.url_of(1));
    let mut following = Follower::open(&there, &film, None).await.0;
    studio.set_people(&ada(&["readers"])).await;
    let mut second = studio.sign_in("ada").await;
    let seen = second.get(&format!("/api/data/v1/productions/{film}")).await.expect(200).json();
    assert_eq!(seen["my_roles"]["library"], "reader");
    assert_eq!(status(&mut second, &series).await, 404);
    assert_eq!(role_in(&mut second, &organisation).await.as_deref(), Some("member"));
    studio.set_people(&ada(&[])).await;
    let mut third = studio.sign_in("ada").await;
    assert_eq!(status(&mut third, &film).await, 404);
    // Also in the sessions from before, and on the other instance.
    let last = following.read_to_end().await;
    assert!(last.iter().any(|event| event.kind == "membership"), "{last:?}");
    kinora_tests::wait_until("the older session has lost it as well", async || {
        (status(&mut browser, &film).await == 404).then_some(())
    })
    .await;
    // All of it is on record.
    let audit = studio.owner.get(&format!("/api/data/v1/organisations/{organisation}/audit?limit=200")).await;
    let audit = audit.expect(200).json();
    let actions: Vec<&str> =
        audit["items"].as_array().unwrap().iter().filter_map(|row| row["action"].as_str()).collect();
    for action in ["identity.linked", "person.added", "person.changed", "membership.changed"] {
        assert!(actions.contains(&action), "{action}: {actions:?}");
    }
    assert_eq!(actions.iter().filter(|action| **action == "membership.changed").count(), 5, "{actions:?}");
}

#[tokio::test]
async fn whoever_is_in_no_group_is_refused_where_not_everyone_is_admitted() {
    let mut studio = Studio::open().await;
    let organisation = studio.organisation.clone();
    let film = add_production(&mut studio.owner, &organisation, "Film").await;
    let rule = json!({ "group": "editors", "production_id": film, "roles": { "library": "editor" } });
    let _ = studio.connection.add_rule(&mut studio.owner, &rule).await;
    studio.connection.change(&mut studio.owner, &json!({ "admits_everyone": false })).await;
    studio.set_people(&ada(&["others", "EDITORS"])).await;
    let mut browser = studio.kinora.visitor();
    let answer = studio.try_sign_in(&mut browser, "ada").await;
    studio.expect_refused(&mut browser, &answer, "no_group").await;
    assert!(answer.header("location").unwrap().contains("reason=not-admitted"));
    assert_eq!(
        execute(&studio.kinora, "SELECT 1 FROM people WHERE login LIKE 'ada%'"),
        0,
        "no account was made"
    );

    studio.set_people(&ada(&["editors"])).await;
    let mut inside = studio.sign_in("ada").await;
    assert_eq!(status(&mut inside, &film).await, 200);
    // The group is gone: refused, and what it gave is gone everywhere.
    studio.set_people(&ada(&[])).await;
    let answer = studio.try_sign_in(&mut browser, "ada").await;
    studio.expect_refused(&mut browser, &answer, "no_group").await;
    kinora_tests::wait_until("the session from before sees nothing", async || {
        (status(&mut inside, &film).await == 404).then_some(())
    })
    .await;
    assert_eq!(role_in(&mut inside, &organisation).await, None);
}

#[tokio::test]
async fn what_was_given_by_hand_is_not_touched() {
    let mut studio = Studio::open().await;
    let organisation = studio.organisation.clone();
    let film = add_production(&mut studio.owner, &organisation, "Film").await;
    let series = add_production(&mut studio.owner, &organisation, "Series").await;
    for production in [&film, &series] {
        let rule =
            json!({ "group": "readers", "production_id": production, "roles": { "library": "reader" } });
        let _ = studio.connection.add_rule(&mut studio.owner, &rule).await;
    }
    studio.set_people(&ada(&["readers"])).await;
    let mut browser = studio.sign_in("ada").await;
    let id = text(&browser.get("/api/data/v1/session").await.json(), "/person/id");
    // By hand from now on: more in one production, and the role in the organisation.
    let member = format!("/api/data/v1/productions/{film}/members/{id}");
    let stored = studio.owner.get(&member).await.expect(200);
    let etag = stored.header("etag").unwrap().to_owned();
    let roles = json!({ "library": "manager" });
    let put = send(&mut studio.owner, Method::PUT, &member, &[("If-Match", &etag)], Some(&roles)).await;
    assert!(put.status.is_success(), "{}", put.text());
    let person = format!("/api/data/v1/organisations/{organisation}/people/{id}");
    let etag = studio.owner.get(&person).await.expect(200).header("etag").unwrap().to_owned();
    let role = json!({ "role": "owner" });
    let made = send(&mut studio.owner, Method::PATCH, &person, &[("If-Match", &etag)], Some(&role)).await;
    let _ = made.expect(200);
    for groups in [&["readers"][..], &[]] {
        studio.set_people(&ada(groups)).await;
        let mut browser = studio.sign_in("ada").await;
        let seen = browser.get(&format!("/api/data/v1/productions/{film}")).await.expect(200).json();
        assert_eq!(seen["my_roles"]["library"], "manager");
        assert_eq!(role_in(&mut browser, &organisation).await.as_deref(), Some("owner"));
    }
    let mut browser = studio.sign_in("ada").await;
    let seen = browser.get(&format!("/api/data/v1/productions/{series}")).await;
    // An owner sees it, and has no role in it any more.
    assert_eq!(seen.expect(200).json()["my_roles"]["library"], Value::Null);
}

#[tokio::test]
async fn a_disabled_person_is_refused() {
    let mut studio = Studio::open().await;
    let _ = studio.sign_in("ada").await;
    let _ =
        execute(&studio.kinora, "UPDATE people SET disabled_at = now() WHERE login = 'ada@studio.example'");
    let mut browser = studio.kinora.visitor();
    let answer = studio.try_sign_in(&mut browser, "ada").await;
    studio.expect_refused(&mut browser, &answer, "disabled").await;
    let organisation = studio.organisation.clone();
    let (_, mut bob) =
        add_person(&studio.kinora, &mut studio.owner, &organisation, "bob@studio.example", "member").await;
    let _ = bob.get("/api/data/v1/session").await.expect(200);
}
