//! Roles: who may give them, that there is always an owner, and that changes take effect at once.

use futures_util::future::join_all;
use kinora_tests::{Client, Kinora, wait_until};
use reqwest::Method;
use serde_json::json;

use super::world::{
    PASSWORD, add_organisation, add_person, add_production, execute, organisation_of, send, set_password,
    text, token_of,
};

const ANY: &[(&str, &str)] = &[("If-Match", "*")];

#[tokio::test]
async fn two_owners_who_leave_at_the_same_time_do_not_both_get_out() {
    let kinora = Kinora::builder().applications(2).start().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let me = text(&owner.get("/api/data/v1/session").await.json(), "/person/id");
    let (second, second_client) = add_person(&kinora, &mut owner, &own, "ada@x.example", "owner").await;

    for round in 0..8 {
        let leave = |client: &Client, person: &str, index: usize, disable: bool| {
            let mut client = client.at(&kinora.url_of(index));
            let path = format!("/api/data/v1/organisations/{own}/people/{person}");
            let body = if disable { json!({ "disabled": true }) } else { json!({ "role": "member" }) };
            async move { send(&mut client, Method::PATCH, &path, ANY, Some(&body)).await.status.as_u16() }
        };
        let answers =
            join_all([leave(&owner, &me, 0, false), leave(&second_client, &second, 1, round % 2 == 1)]).await;
        let mut sorted = answers.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [200, 409], "round {round}: {answers:?}");
        let statement = "UPDATE organisation_members SET role = 'owner', revision = revision + 1";
        assert_eq!(execute(&kinora, statement), 2);
        execute(&kinora, "UPDATE people SET disabled_at = NULL");
        execute(&kinora, "UPDATE sessions SET revoked_at = NULL");
    }
    // Alone, nobody gets out.
    let path = format!("/api/data/v1/organisations/{own}/people/{second}");
    let _ = send(&mut owner, Method::DELETE, &path, &[], None).await.expect(204);
    let path = format!("/api/data/v1/organisations/{own}/people/{me}");
    let _ = send(&mut owner, Method::DELETE, &path, &[], None).await.expect(409);
    for change in [json!({ "role": "administrator" }), json!({ "disabled": true })] {
        let _ = send(&mut owner, Method::PATCH, &path, ANY, Some(&change)).await.expect(409);
    }
}

#[tokio::test]
async fn administrators_can_not_get_at_owners() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let me = text(&owner.get("/api/data/v1/session").await.json(), "/person/id");
    let (_, mut admin) = add_person(&kinora, &mut owner, &own, "ada@x.example", "administrator").await;
    let people = format!("/api/data/v1/organisations/{own}/people");
    let path = format!("{people}/{me}");
    for change in [json!({ "role": "member" }), json!({ "disabled": true })] {
        let _ = send(&mut admin, Method::PATCH, &path, ANY, Some(&change)).await.expect(403);
    }
    let _ = send(&mut admin, Method::DELETE, &path, &[], None).await.expect(403);
    let _ = send(&mut admin, Method::POST, &format!("{path}/password-link"), &[], None).await.expect(403);
    let new = json!({ "login": "boss@x.example", "display_name": "Boss", "role": "owner" });
    let _ = admin.post(&people, &new).await.expect(403);
}

#[tokio::test]
async fn an_administrator_of_one_studio_can_not_take_over_an_account_of_another() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let other = add_organisation(&mut owner, "Other Studio").await;
    // Ada belongs to both; Eve administers only one of them.
    let (ada, _) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let shared = json!({ "login": "ADA@x.example", "display_name": "Ada", "role": "member" });
    let answer = owner.post(&format!("/api/data/v1/organisations/{other}/people"), &shared).await.expect(201);
    assert!(answer.json()["password_link"].is_null());
    let (_, mut eve) = add_person(&kinora, &mut owner, &other, "eve@x.example", "administrator").await;
    let path = format!("/api/data/v1/organisations/{other}/people/{ada}");
    let _ = send(&mut eve, Method::POST, &format!("{path}/password-link"), &[], None).await.expect(403);
    let change = json!({ "disabled": true });
    let _ = send(&mut eve, Method::PATCH, &path, ANY, Some(&change)).await.expect(403);
    // A login of somebody she does not see is just taken.
    let (_, _) = add_person(&kinora, &mut owner, &own, "bob@x.example", "member").await;
    let bob = json!({ "login": "bob@x.example", "display_name": "Bob", "role": "member" });
    let _ = eve.post(&format!("/api/data/v1/organisations/{other}/people"), &bob).await.expect(409);
}

#[tokio::test]
async fn an_account_that_belongs_to_nobody_any_more_is_nobody_elses_and_begins_anew() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let other = add_organisation(&mut owner, "Other Studio").await;
    let login = "bob@x.example";
    let (bob, mut former) = add_person(&kinora, &mut owner, &own, login, "member").await;
    let made = former.post("/api/data/v1/account/tokens", &json!({ "name": "script" })).await.expect(201);
    let mut script = Client::with_token(&kinora.url(), &text(&made.json(), "/secret"));
    let gone = format!("/api/data/v1/organisations/{own}/people/{bob}");
    let _ = send(&mut owner, Method::DELETE, &gone, ANY, None).await.expect(204);

    let (_, mut eve) = add_person(&kinora, &mut owner, &other, "eve@x.example", "administrator").await;
    let form = json!({ "login": login, "display_name": "Bob", "role": "member" });
    let _ = eve.post(&format!("/api/data/v1/organisations/{other}/people"), &form).await.expect(409);

    let again =
        owner.post(&format!("/api/data/v1/organisations/{own}/people"), &form).await.expect(201).json();
    assert_eq!(text(&again, "/person/id"), bob);
    let _ = former.get("/api/data/v1/session").await.expect(401);
    let _ = script.get("/api/data/v1/session").await.expect(401);
    let mut visitor = kinora.visitor();
    let _ = visitor.sign_in(login, PASSWORD).await.expect(401);
    let token = token_of(&text(&again, "/password_link/url"));
    let _ = set_password(&mut visitor, &token, PASSWORD).await.expect(204);
    let _ = visitor.sign_in(login, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_role_opens_its_module_at_once_and_closes_it_within_a_second() {
    let kinora = Kinora::builder().applications(2).start().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (person, ada) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let mut ada = ada.at(&kinora.url_of(1));
    let production = add_production(&mut owner, &own, "Film").await;
    let assets = format!("/api/data/v1/productions/{production}/assets");
    let member = format!("/api/data/v1/productions/{production}/members/{person}");
    let _ = ada.get(&assets).await.expect(404);

    // Given on one instance, it holds on the other at once: refusals are not kept.
    let given = owner.put(&member, &json!({ "library": "reader" })).await.expect(200);
    let _ = ada.get(&assets).await.expect(200);
    // Another module opens no library.
    let tag = given.header("etag").unwrap().to_owned();
    let budget = json!({ "budget": "manager" });
    let _ = send(&mut owner, Method::PUT, &member, &[], Some(&budget)).await.expect(428);
    let _ =
        send(&mut owner, Method::PUT, &member, &[("If-Match", "\"99\"")], Some(&budget)).await.expect(412);
    let _ = send(&mut owner, Method::PUT, &member, &[("If-Match", &tag)], Some(&budget)).await.expect(200);
    wait_until("the library is closed again", async || (ada.get(&assets).await.status == 404).then_some(()))
        .await;
    let _ = ada.get(&format!("/api/data/v1/productions/{production}")).await.expect(200);
    let _ = send(&mut owner, Method::DELETE, &member, &[], None).await.expect(204);
    wait_until("the production is gone", async || {
        (ada.get(&format!("/api/data/v1/productions/{production}")).await.status == 404).then_some(())
    })
    .await;
}

#[tokio::test]
async fn managers_of_a_module_give_its_roles_and_no_others() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (manager, mut client) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let (person, mut reader) = add_person(&kinora, &mut owner, &own, "bob@x.example", "member").await;
    let production = add_production(&mut owner, &own, "Film").await;
    let member = |person: &str| format!("/api/data/v1/productions/{production}/members/{person}");
    let _ = owner.put(&member(&manager), &json!({ "library": "manager" })).await.expect(200);
    let _ = client.put(&member(&person), &json!({ "budget": "reader" })).await.expect(403);
    let _ = client.put(&member(&person), &json!({})).await.expect(422);
    let _ = client.put(&member(&person), &json!({ "library": "reader" })).await.expect(200);
    let more = json!({ "library": "reader", "office": "reader" });
    let _ = send(&mut client, Method::PUT, &member(&person), ANY, Some(&more)).await.expect(403);
    let _ = send(&mut reader, Method::PUT, &member(&manager), ANY, Some(&more)).await.expect(403);
    let _ = send(&mut client, Method::DELETE, &member(&person), &[], None).await.expect(204);
    let _ = send(&mut client, Method::DELETE, &member(&person), &[], None).await.expect(404);
}

#[tokio::test]
async fn a_one_time_link_works_once_and_ends_what_was_open() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (ada, mut client) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let token =
        client.post("/api/data/v1/account/tokens", &json!({ "name": "script" })).await.expect(201).json();
    let mut script = Client::with_token(&kinora.url(), &text(&token, "/secret"));
    let _ = script.get("/api/data/v1/session").await.expect(200);

    let path = format!("/api/data/v1/organisations/{own}/people/{ada}/password-link");
    let mut link = async || {
        let made = send(&mut owner, Method::POST, &path, &[], None).await.expect(201).json();
        let url = text(&made, "/url");
        token_of(&url)
    };
    let (replaced, valid) = (link().await, link().await);
    let mut visitor = kinora.visitor();
    let good = "nine Quiet rivers below the moon";
    let read = "/api/data/v1/password-link";
    let _ = visitor.post(read, &json!({ "token": replaced })).await.expect(404);
    let _ = set_password(&mut visitor, &replaced, good).await.expect(404);
    let whose = visitor.post(read, &json!({ "token": valid })).await.expect(200).json();
    assert_eq!(text(&whose, "/login"), "ada@x.example");
    let _ = set_password(&mut visitor, &valid, "qwertyuiop").await.expect(422);
    let answers = join_all((0..4).map(|_| {
        let (mut visitor, valid) = (visitor.clone(), valid.clone());
        async move { set_password(&mut visitor, &valid, good).await.status.as_u16() }
    }))
    .await;
    assert_eq!(answers.iter().filter(|status| **status == 204).count(), 1, "{answers:?}");
    let _ = client.get("/api/data/v1/session").await.expect(401);
    let _ = script.get("/api/data/v1/session").await.expect(401);
    let _ = visitor.sign_in("ada@x.example", PASSWORD).await.expect(401);

    let expired = link().await;
    execute(&kinora, "UPDATE password_links SET expires_at = now()");
    let _ = visitor.post(read, &json!({ "token": expired })).await.expect(404);
    let _ = set_password(&mut visitor, &expired, good).await.expect(404);
}

#[tokio::test]
async fn tokens_are_stored_hashed_revocable_and_cannot_make_others() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let path = "/api/data/v1/account/tokens";
    let made = owner.post(path, &json!({ "name": "canary", "expires_in_days": 1 })).await.expect(201).json();
    let secret = text(&made, "/secret");
    assert!(secret.starts_with("kinora_"));
    let list = owner.get(path).await.expect(200);
    assert!(!list.text().contains(&secret));
    assert!(secret.ends_with(&text(&list.json(), "/items/0/hint")));
    let dump = execute(
        &kinora,
        &format!("SELECT 1 FROM access_tokens t WHERE t::text LIKE '%{}%'", &secret["kinora_".len()..]),
    );
    assert_eq!(dump, 0);

    let mut script = Client::with_token(&kinora.url(), &secret);
    let own = organisation_of(&mut script, "Kinora").await;
    // The same permissions, and no CSRF token.
    let _ = add_production(&mut script, &own, "Canary").await;
    let problem = script.post(path, &json!({ "name": "child" })).await.expect(403).json();
    assert_eq!(text(&problem, "/type"), "urn:kinora:problem:session-required");
    let _ = owner.delete(&format!("{path}/{}", text(&made, "/token/id"))).await.expect(204);
    let _ = script.get("/api/data/v1/session").await.expect(401);

    let made = owner.post(path, &json!({ "name": "short" })).await.expect(201).json();
    let mut script = Client::with_token(&kinora.url(), &text(&made, "/secret"));
    execute(&kinora, "UPDATE access_tokens SET expires_at = now()");
    let _ = script.get("/api/data/v1/session").await.expect(401);
}

#[tokio::test]
async fn only_who_decides_on_members_sees_who_has_which_role() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let production = add_production(&mut owner, &own, "Nordlicht").await;
    let (reader, mut reading) = add_person(&kinora, &mut owner, &own, "rita@x.example", "member").await;
    let (manager, mut managing) = add_person(&kinora, &mut owner, &own, "max@x.example", "member").await;
    let members = format!("/api/data/v1/productions/{production}/members");
    for (person, role) in [(&reader, "reader"), (&manager, "manager")] {
        let path = format!("{members}/{person}");
        let _ =
            send(&mut owner, Method::PUT, &path, &[], Some(&json!({ "library": role }))).await.expect(200);
    }
    for path in [members.clone(), format!("{members}/{manager}"), format!("{members}/{reader}")] {
        // They see the production, so this is no secret: they just may not.
        let _ = reading.get(&path).await.expect(403);
        let _ = managing.get(&path).await.expect(200);
        let _ = owner.get(&path).await.expect(200);
    }
}
