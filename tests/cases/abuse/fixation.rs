//! Session fixation: what a browser had before it signed in is worth nothing afterwards.

use kinora_tests::{ADMINISTRATOR_PASSWORD, Client, Kinora, wait_until};
use serde_json::json;

use crate::accounts::factors::software_key::SoftwareKey;
use crate::accounts::factors::{enrol_app, finish, let_steps_pass};
use crate::accounts::world::{PASSWORD, add_person, organisation_of, set_password, token_of};
use crate::single_sign_on::studio::Studio;

const SESSION: &str = "/api/data/v1/session";
const COOKIE: &str = "__Host-kinora";
const PENDING: &str = "__Host-kinora-pending";
const LOGIN: &str = "admin@localhost";

/// Puts tokens that an attacker knows into a browser.
fn plant(browser: &mut Client, chosen: &[(&str, &str)]) {
    for (name, value) in chosen {
        browser.set_cookie(name, value);
    }
}

/// Whether somebody with only this token is signed in.
async fn opens(kinora: &Kinora, token: &str) -> bool {
    let mut thief = kinora.visitor();
    thief.set_cookie(COOKIE, token);
    thief.get(SESSION).await.status == 200
}

/// The browser is signed in with a token that nobody knew, and those that were planted open nothing.
async fn check(kinora: &Kinora, browser: &Client, planted: &[&str], way: &str) {
    let token = browser.cookie(COOKIE).unwrap_or_else(|| panic!("{way}: no session")).to_owned();
    assert!(token.len() >= 43, "{way}: 256 bits: {token}");
    assert!(opens(kinora, &token).await, "{way}");
    for known in planted {
        assert_ne!(*known, token, "{way}");
        // What is kept of a session is kept for a second.
        wait_until(&format!("{way}: the planted token opens nothing"), async || {
            (!opens(kinora, known).await).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn every_way_in_begins_a_session_of_its_own() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (_, mut ada) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let (_, mut eve) = add_person(&kinora, &mut owner, &own, "eve@x.example", "member").await;
    let made_up = "A".repeat(43);
    let eves = eve.cookie(COOKIE).unwrap().to_owned();

    // The password: a token that was made up, one of a session of the attacker's, and one's own of before.
    let mut browser = kinora.visitor();
    plant(&mut browser, &[(COOKIE, &made_up)]);
    let _ = browser.sign_in("ada@x.example", PASSWORD).await.expect(200);
    check(&kinora, &browser, &[&made_up], "password").await;
    let first = browser.cookie(COOKIE).unwrap().to_owned();
    let _ = browser.sign_in("ada@x.example", PASSWORD).await.expect(200);
    check(&kinora, &browser, &[&first], "password again").await;
    let mut browser = kinora.visitor();
    plant(&mut browser, &[(COOKIE, &eves)]);
    let _ = browser.sign_in("ada@x.example", PASSWORD).await.expect(200);
    // The attacker's session was replaced in this browser, so that it is not gone on with by mistake.
    check(&kinora, &browser, &[&eves], "over another's session").await;
    let who = browser.get(SESSION).await.expect(200).json();
    assert_eq!(who["person"]["login"], "ada@x.example");

    // The second factor.
    let (app, _) = enrol_app(&mut ada).await;
    let_steps_pass(&kinora);
    let mut browser = kinora.visitor();
    plant(&mut browser, &[(COOKIE, &made_up), (PENDING, &made_up)]);
    let _ = browser.sign_in("ada@x.example", PASSWORD).await.expect(202);
    let half = browser.cookie(PENDING).unwrap().to_owned();
    assert_ne!(half, made_up);
    assert!(!opens(&kinora, &half).await && !opens(&kinora, &made_up).await);
    let _ = finish(&mut browser, &json!({ "code": app.code() })).await.expect(200);
    check(&kinora, &browser, &[&made_up, &half], "second factor").await;

    // A passkey alone.
    let mut key = SoftwareKey::new(&kinora.url());
    let _ = key.enrol(&mut owner, "Key").await.expect(201);
    let mut browser = kinora.visitor();
    plant(&mut browser, &[(COOKIE, &made_up), (PENDING, &made_up)]);
    let signature = key.answer(&mut browser, "/api/data/v1/session/passkey/challenge").await;
    let challenged = browser.cookie(PENDING).unwrap().to_owned();
    assert_ne!(challenged, made_up);
    let _ = browser.post("/api/data/v1/session/passkey", &signature).await.expect(200);
    check(&kinora, &browser, &[&made_up, &challenged], "passkey").await;

    // A half sign-in of the attacker's in somebody's browser: their code does not finish it.
    let _ = eve.sign_in("eve@x.example", PASSWORD).await.expect(200);
    let (eves_app, _) = enrol_app(&mut eve).await;
    let_steps_pass(&kinora);
    let mut attacker = kinora.visitor();
    let _ = attacker.sign_in("eve@x.example", PASSWORD).await.expect(202);
    let mut victim = kinora.visitor();
    plant(&mut victim, &[(PENDING, attacker.cookie(PENDING).unwrap())]);
    let _ = finish(&mut victim, &json!({ "code": app.code() })).await.expect(422);
    assert!(victim.cookie(COOKIE).is_none());
    let _ = finish(&mut attacker, &json!({ "code": eves_app.code() })).await.expect(200);
}

#[tokio::test]
async fn a_studio_account_begins_a_session_of_its_own() {
    let studio = Studio::open().await;
    let made_up = "A".repeat(43);
    let mut browser = studio.kinora.visitor();
    plant(&mut browser, &[(COOKIE, &made_up), ("__Host-kinora-sign-on", &made_up)]);
    let form = studio.begin(&mut browser, "ada").await;
    assert_ne!(browser.cookie("__Host-kinora-sign-on").unwrap(), made_up);
    let answer = studio.post(&mut browser, &form).await.expect(303);
    assert_eq!(answer.header("location"), Some("/"), "{}", studio.last_refusal());
    check(&studio.kinora, &browser, &[&made_up], "studio account").await;
    let first = browser.cookie(COOKIE).unwrap().to_owned();
    let form = studio.begin(&mut browser, "ada").await;
    // As browsers send it: the session's cookie stays at home, and is replaced all the same.
    let _ = studio.post(&mut browser, &form).await.expect(303);
    check(&studio.kinora, &browser, &[&first], "studio account again").await;
}

/// Who gets at a one-time link, which an administrator or an operator makes, has not got past the second factor.
#[tokio::test]
async fn a_password_set_with_a_link_leaves_the_second_factor() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (id, mut ada) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let (app, _) = enrol_app(&mut ada).await;
    let_steps_pass(&kinora);
    let path = format!("/api/data/v1/organisations/{own}/people/{id}/password-link");
    let made = owner.post(&path, &json!({})).await.expect(201).json();
    let url = made["url"].as_str().unwrap().to_owned();
    let new = "nine Quiet rivers below the moon";
    let mut browser = kinora.visitor();
    let set = set_password(&mut browser, &token_of(&url), new).await.expect(204);
    assert_eq!(set.header("set-cookie"), None, "it signs nobody in");
    let _ = ada.get(SESSION).await.expect(401);
    let _ = browser.sign_in("ada@x.example", new).await.expect(202);
    assert!(browser.cookie(COOKIE).is_none());
    let _ = finish(&mut browser, &json!({ "code": app.code() })).await.expect(200);
}

#[tokio::test]
async fn a_new_password_leaves_no_session_but_the_one_it_was_changed_in() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let planted = kinora.visitor();
    let mut other = planted.clone();
    let _ = other.sign_in(LOGIN, ADMINISTRATOR_PASSWORD).await.expect(200);
    let token = other.cookie(COOKIE).unwrap().to_owned();
    let change = json!({
        "current_password": ADMINISTRATOR_PASSWORD,
        "new_password": "nine Quiet rivers below the moon",
    });
    let _ = owner.put("/api/data/v1/account/password", &change).await.expect(204);
    assert!(!opens(&kinora, &token).await);
    assert_eq!(owner.get(SESSION).await.status, 200);
    // Signing out ends it for everybody who had copied the token.
    let token = owner.cookie(COOKIE).unwrap().to_owned();
    let _ = owner.delete(SESSION).await.expect(204);
    assert!(!opens(&kinora, &token).await);
}
