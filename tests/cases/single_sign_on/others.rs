//! Accounts that others had or have: what one organisation's provider, or its administrators, must not get at of another's.

use kinora_tests::Client;
use reqwest::Method;
use serde_json::{Value, json};

use super::studio::{Studio, role_in};
use crate::accounts::factors::{APP, enrol_app, let_steps_pass, sign_in_with_code, slug};
use crate::accounts::world::{
    PASSWORD, add_organisation, add_person, add_production, execute, send, set_password, text, token_of,
};

const ADA: &str = "ada@studio.example";
const ANY: &[(&str, &str)] = &[("If-Match", "*")];

fn ada() -> Value {
    json!({ "ada": { "displayName": ["Ada"], "mail": [ADA] } })
}

fn join(studio: &Studio, organisation: &str, role: &str) {
    let joined = format!(
        "INSERT INTO organisation_members (organisation_id, person_id, role) \
         SELECT '{organisation}', id, '{role}' FROM people WHERE login = '{ADA}'"
    );
    assert_eq!(execute(&studio.kinora, &joined), 1);
}

async fn leave(studio: &mut Studio, organisation: &str, person: &str) {
    let path = format!("/api/data/v1/organisations/{organisation}/people/{person}");
    let _ = send(&mut studio.owner, Method::DELETE, &path, ANY, None).await.expect(204);
}

async fn script_of(studio: &Studio, person: &mut Client) -> Client {
    let made = person.post("/api/data/v1/account/tokens", &json!({ "name": "script" })).await.expect(201);
    Client::with_token(&studio.kinora.url(), &text(&made.json(), "/secret"))
}

/// What the production answers, and with which problem.
async fn refusal(browser: &mut Client, production: &str) -> String {
    let answer = browser.get(&format!("/api/data/v1/productions/{production}")).await;
    if answer.status.is_success() { String::new() } else { slug(&answer) }
}

#[tokio::test]
async fn a_factor_that_was_not_shown_to_the_provider_opens_nothing_of_another_organisation() {
    let mut studio = Studio::open().await;
    let organisation = studio.organisation.clone();
    let other = add_organisation(&mut studio.owner, "Other Studio").await;
    let film = add_production(&mut studio.owner, &other, "Film").await;
    let (id, mut own) = add_person(&studio.kinora, &mut studio.owner, &organisation, ADA, "member").await;
    let (app, _) = enrol_app(&mut own).await;
    join(&studio, &other, "member");
    let _ = execute(
        &studio.kinora,
        &format!(
            "INSERT INTO production_members (production_id, person_id, library_role) VALUES ('{film}', '{id}', 'reader')"
        ),
    );
    let asks = format!("UPDATE organisations SET second_factor_required = true WHERE id = '{other}'");
    let _ = execute(&studio.kinora, &asks);
    studio.set_people(&ada()).await;
    // The account has roles elsewhere, so that its holder joins it.
    let form = json!({ "connection_id": studio.connection.id, "return_to": "/account" });
    let way = own.post("/api/data/v1/account/studio-accounts", &form).await.expect(200).json();
    let leads = own.get(&text(&way, "/address")).await;
    let response = studio.idp.sign_in(&leads, "ada").await;
    let _ = studio.post(&mut own, &response).await.expect(303);

    let mut through = studio.sign_in("ada").await;
    let session = through.get("/api/data/v1/session").await.expect(200).json();
    assert_eq!(session["own_sign_in_required"], true, "{session}");
    assert_eq!(session["second_factor_required"], false);
    assert!(session["confirmed_until"].is_null(), "whoever runs the provider has not shown the factor");
    let of =
        |id: &str| session["organisations"].as_array().unwrap().iter().find(|each| each["id"] == id).cloned();
    assert_eq!(of(&other).unwrap()["own_sign_in_required"], true);
    assert_eq!(of(&organisation).unwrap()["withheld"], false);
    assert_eq!(refusal(&mut through, &film).await, "own-sign-in-required");
    // Nor does it change what the account is opened with.
    let answer = send(&mut through, Method::DELETE, APP, &[], None).await.expect(403);
    assert_eq!(slug(&answer), "step-up-required");
    assert_eq!(slug(&through.post(APP, &json!({})).await.expect(403)), "step-up-required");
    // With their own password and the factor, Ada has all of it; and with the factor she confirms the other session.
    let mut browser = studio.kinora.visitor();
    let_steps_pass(&studio.kinora);
    let _ = sign_in_with_code(&mut browser, ADA, PASSWORD, &app.code()).await.expect(200);
    assert_eq!(refusal(&mut browser, &film).await, "");
    let_steps_pass(&studio.kinora);
    let shown = json!({ "code": app.code() });
    let _ = through.post("/api/data/v1/account/confirmation", &shown).await.expect(200);

    // An owner who may do without the provider of their organisation may not by that of another.
    let glass = format!(
        "UPDATE organisation_members SET role = 'owner', break_glass = true WHERE organisation_id = '{other}' AND person_id = '{id}'"
    );
    assert_eq!(execute(&studio.kinora, &glass), 1);
    let _ = execute(
        &studio.kinora,
        &format!("UPDATE organisations SET sso_required = true WHERE id = '{other}'"),
    );
    kinora_tests::wait_until("the other organisation asks for its own provider", async || {
        (refusal(&mut through, &film).await == "single-sign-on-required").then_some(())
    })
    .await;
    assert_eq!(refusal(&mut browser, &film).await, "");
}

#[tokio::test]
async fn who_had_an_account_before_has_nothing_of_it_once_the_provider_lets_its_person_in() {
    let mut studio = Studio::open().await;
    let organisation = studio.organisation.clone();
    let other = add_organisation(&mut studio.owner, "Other Studio").await;
    // Somebody makes an account of an address that is not theirs, with all that opens it, and lets go of it.
    let (id, mut eve) = add_person(&studio.kinora, &mut studio.owner, &other, ADA, "member").await;
    let mut script = script_of(&studio, &mut eve).await;
    let (app, _) = enrol_app(&mut eve).await;
    leave(&mut studio, &other, &id).await;
    studio.set_people(&ada()).await;
    let mut real = studio.sign_in("ada").await;
    assert_eq!(role_in(&mut real, &organisation).await.as_deref(), Some("member"));
    let _ = eve.get("/api/data/v1/session").await.expect(401);
    let _ = script.get("/api/data/v1/session").await.expect(401);
    let _ = studio.kinora.visitor().sign_in(ADA, PASSWORD).await.expect(401);
    let factors = real.get("/api/data/v1/account/factors").await.expect(200).json();
    assert!(!factors.to_string().contains("\"authenticator\":{"), "{factors}");
    drop(app);
}

#[tokio::test]
async fn a_former_organisations_provider_does_not_let_in_who_belongs_to_another_one() {
    let mut studio = Studio::open().await;
    let organisation = studio.organisation.clone();
    let other = add_organisation(&mut studio.owner, "Other Studio").await;
    studio.set_people(&ada()).await;
    let mut browser = studio.sign_in("ada").await;
    let id = text(&browser.get("/api/data/v1/session").await.expect(200).json(), "/person/id");
    leave(&mut studio, &organisation, &id).await;
    // Nobody else gets the account by its login, not even who administers another organisation.
    let (_, mut eve) =
        add_person(&studio.kinora, &mut studio.owner, &other, "eve@x.example", "administrator").await;
    let form = json!({ "login": ADA, "display_name": "Ada", "role": "member" });
    let people = format!("/api/data/v1/organisations/{other}/people");
    let _ = eve.post(&people, &form).await.expect(409);
    // Whoever administers both takes her over to the other one.
    let moved = studio.owner.post(&people, &form).await.expect(201).json();
    assert_eq!(text(&moved, "/person/id"), id);
    let link = token_of(&text(&moved, "/password_link/url"));
    let mut visitor = studio.kinora.visitor();
    let _ = set_password(&mut visitor, &link, PASSWORD).await.expect(204);
    let answer = studio.try_sign_in(&mut visitor, "ada").await;
    studio.expect_refused(&mut visitor, &answer, "account_elsewhere").await;
    let _ = visitor.sign_in(ADA, PASSWORD).await.expect(200);
    assert_eq!(role_in(&mut visitor, &other).await.as_deref(), Some("member"));
    assert_eq!(role_in(&mut visitor, &organisation).await, None);
    // Back from there, the provider knows her again, and what she had elsewhere opens nothing.
    leave(&mut studio, &other, &id).await;
    let mut again = studio.sign_in("ada").await;
    assert_eq!(role_in(&mut again, &organisation).await.as_deref(), Some("member"));
    let _ = visitor.get("/api/data/v1/session").await.expect(401);
    let _ = studio.kinora.visitor().sign_in(ADA, PASSWORD).await.expect(401);
}
