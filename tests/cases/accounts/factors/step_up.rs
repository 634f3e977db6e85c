//! What a stolen session must not be able to do takes a fresh confirmation.

use kinora_tests::{ADMINISTRATOR_PASSWORD, Client, Kinora, wait_until};
use reqwest::Method;
use serde_json::{Value, json};

use super::super::world::{PASSWORD, add_person, add_production, execute, organisation_of, send, text};
use super::software_key::SoftwareKey;
use super::{APP, D, enrol_app, let_steps_pass, slug};

const CONFIRM: &str = "/api/data/v1/account/confirmation";

/// Lets the confirmation of all sessions become too old, and waits until it is noticed.
async fn let_it_age(kinora: &Kinora, client: &mut Client) {
    let _ = execute(kinora, "UPDATE sessions SET confirmed_at = now() - interval '601 seconds'");
    wait_until("the confirmation is too old", async || {
        let session = client.get(&format!("{D}/session")).await.expect(200).json();
        session["confirmed_until"].is_null().then_some(())
    })
    .await;
}

#[tokio::test]
async fn dangerous_acts_ask_who_is_there() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (partner, _) = add_person(&kinora, &mut owner, &own, "partner@x.example", "owner").await;
    let (member, _) = add_person(&kinora, &mut owner, &own, "member@x.example", "member").await;
    let people = format!("{D}/organisations/{own}/people");
    let film = add_production(&mut owner, &own, "Film").await;
    let _ = execute(&kinora, "UPDATE productions SET created_at = now() - interval '361 minutes'");
    let production = format!("{D}/productions/{film}");
    let acts: Vec<(Method, String, Value)> = vec![
        (Method::POST, format!("{D}/account/tokens"), json!({ "name": "t" })),
        (Method::POST, APP.to_owned(), json!({})),
        (Method::PUT, APP.to_owned(), json!({ "code": "123456" })),
        (Method::DELETE, APP.to_owned(), json!({})),
        (Method::POST, format!("{D}/account/factors/recovery-codes"), json!({})),
        (Method::POST, format!("{D}/account/passkeys/challenge"), json!({})),
        (Method::POST, format!("{D}/account/passkeys"), json!({})),
        (Method::DELETE, format!("{D}/account/passkeys/{}", uuid::Uuid::now_v7()), json!({})),
        (Method::DELETE, format!("{people}/{partner}"), json!({})),
        (Method::PATCH, format!("{people}/{partner}"), json!({ "role": "member" })),
        (Method::PATCH, format!("{people}/{partner}"), json!({ "disabled": true })),
        (Method::PATCH, format!("{people}/{member}"), json!({ "role": "owner" })),
        (Method::PATCH, format!("{people}/{member}"), json!({ "role": "administrator" })),
        (
            Method::POST,
            people.clone(),
            json!({ "login": "a@x.example", "display_name": "A", "role": "administrator" }),
        ),
        (Method::POST, format!("{people}/{member}/password-link"), json!({})),
        (Method::DELETE, format!("{people}/{member}/factors"), json!({})),
        (Method::DELETE, production.clone(), json!({})),
        (Method::PUT, format!("{D}/organisations/{own}/security"), json!({ "second_factor_required": true })),
    ];
    let_it_age(&kinora, &mut owner).await;
    for (method, path, body) in &acts {
        let answer =
            send(&mut owner, method.clone(), path, &[("If-Match", "*")], Some(body)).await.expect(403);
        assert_eq!(slug(&answer), "step-up-required", "{method} {path}");
    }
    // Everything else goes on, and so does what is done to people who own nothing and give nothing.
    let _ = owner.get(&people).await.expect(200);
    let path = format!("{people}/{member}");
    let disabled = json!({ "disabled": true });
    let _ = send(&mut owner, Method::PATCH, &path, &[("If-Match", "*")], Some(&disabled)).await.expect(200);

    // Without a factor the password confirms; wrong ones count like those at sign-in.
    let wrong = owner.post(CONFIRM, &json!({ "password": "not this one" })).await.expect(422).json();
    assert_eq!(text(&wrong, "/errors/0/pointer"), "/password");
    for nothing in [json!({ "code": "123456" }), json!({ "recovery_code": "aaaa-bbbb-cccc-dddd" })] {
        let _ = owner.post(CONFIRM, &nothing).await.expect(422);
    }
    let confirmed =
        owner.post(CONFIRM, &json!({ "password": ADMINISTRATOR_PASSWORD })).await.expect(200).json();
    assert!(confirmed["confirmed_until"].is_string());
    let token = owner.post(&format!("{D}/account/tokens"), &json!({ "name": "t" })).await.expect(201).json();

    // An access token confirms nothing, and does none of this.
    let mut script = Client::with_token(&kinora.url(), &text(&token, "/secret"));
    for (method, path, body) in &acts {
        let answer =
            send(&mut script, method.clone(), path, &[("If-Match", "*")], Some(body)).await.expect(403);
        assert_eq!(slug(&answer), "session-required", "{method} {path}");
    }
    let _ = script.post(CONFIRM, &json!({ "password": ADMINISTRATOR_PASSWORD })).await.expect(403);
    // What was refused is untouched, and done as soon as the session is confirmed.
    let _ = owner.get(&production).await.expect(200);
    let _ = owner.delete(&production).await.expect(204);
    let _ = owner.get(&production).await.expect(404);
    // Nor does another site make a browser confirm.
    let mut bare = owner.clone();
    bare.forget_csrf_token();
    let _ = bare.post(CONFIRM, &json!({ "password": ADMINISTRATOR_PASSWORD })).await.expect(403);
}

#[tokio::test]
async fn what_somebody_has_just_begun_alone_they_take_back_without_a_word() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (member, _) = add_person(&kinora, &mut owner, &own, "member@x.example", "member").await;
    let (_, mut boss) = add_person(&kinora, &mut owner, &own, "boss@x.example", "administrator").await;
    let token = owner.post(&format!("{D}/account/tokens"), &json!({ "name": "t" })).await.expect(201).json();
    let mut script = Client::with_token(&kinora.url(), &text(&token, "/secret"));
    let mut productions = Vec::new();
    for name in ["Old", "Shared", "Mine", "Scripted"] {
        productions.push(format!("{D}/productions/{}", add_production(&mut owner, &own, name).await));
    }
    let [old, shared, mine, scripted] = productions.as_slice() else { unreachable!() };
    let _ =
        owner.put(&format!("{shared}/members/{member}"), &json!({ "library": "reader" })).await.expect(200);
    let _ = execute(
        &kinora,
        "UPDATE productions SET created_at = now() - CASE name WHEN 'Old' THEN interval '361 minutes' \
         ELSE interval '359 minutes' END",
    );
    for client in [&mut owner, &mut boss] {
        let_it_age(&kinora, client).await;
    }
    for production in [old, shared] {
        assert_eq!(slug(&owner.delete(production).await.expect(403)), "step-up-required", "{production}");
        assert_eq!(slug(&script.delete(production).await.expect(403)), "session-required", "{production}");
    }
    // To another administrator it is somebody else's.
    assert_eq!(slug(&boss.delete(mine).await.expect(403)), "step-up-required");
    let _ = owner.delete(mine).await.expect(204);
    let _ = script.delete(scripted).await.expect(204);
    for production in [old, shared] {
        let _ = owner.get(production).await.expect(200);
    }
}

#[tokio::test]
async fn who_has_a_factor_confirms_with_it() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (_, mut ada) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let (app, codes) = enrol_app(&mut ada).await;
    let mut key = SoftwareKey::new(&kinora.url());
    let _ = key.enrol(&mut ada, "Key").await.expect(201);
    let_steps_pass(&kinora);
    let tokens = format!("{D}/account/tokens");
    let change = json!({ "current_password": PASSWORD, "new_password": "nine Quiet rivers below the moon" });
    let signature = key.answer(&mut ada, &format!("{CONFIRM}/challenge")).await;
    for proof in
        [json!({ "code": app.code() }), json!({ "recovery_code": codes[4] }), json!({ "passkey": signature })]
    {
        let_it_age(&kinora, &mut ada).await;
        // The password is not enough, neither to confirm nor to change it.
        let _ = ada.post(CONFIRM, &json!({ "password": PASSWORD })).await.expect(422);
        let answer = ada.put(&format!("{D}/account/password"), &change).await.expect(403);
        assert_eq!(slug(&answer), "step-up-required");
        let _ = ada.post(&tokens, &json!({ "name": "t" })).await.expect(403);
        let _ = ada.post(CONFIRM, &proof).await.expect(200);
        let _ = ada.post(&tokens, &json!({ "name": "t" })).await.expect(201);
        // Each proof once.
        let _ = ada.post(CONFIRM, &proof).await.expect(422);
    }
    let _ = ada.put(&format!("{D}/account/password"), &change).await.expect(204);
}

#[tokio::test]
async fn sessions_from_before_are_not_confirmed() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let _ = execute(&kinora, "UPDATE sessions SET confirmed_at = NULL");
    wait_until("that is noticed", async || {
        let answer = owner.post(&format!("{D}/account/tokens"), &json!({ "name": "t" })).await;
        (answer.status == 403).then_some(())
    })
    .await;
}
