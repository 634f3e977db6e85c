//! Organisations that ask for the studio account, and those who can do without.

use kinora_tests::{Client, Kinora, MailRelay};
use serde_json::{Value, json};

use super::studio::{Studio, role_in};
use crate::accounts::factors::{enrol_app, let_steps_pass, sign_in_with_code, slug};
use crate::accounts::world::{PASSWORD, add_organisation, add_person, add_production, execute};
use crate::library::follower::Follower;

fn require(studio: &Studio) {
    let changed =
        format!("UPDATE organisations SET sso_required = true WHERE id = '{}'", studio.organisation);
    assert_eq!(execute(&studio.kinora, &changed), 1);
}

fn ada() -> Value {
    json!({ "ada": { "displayName": ["Ada"], "mail": ["ada@studio.example"], "groups": ["readers"] } })
}

async fn status(browser: &mut Client, production: &str) -> u16 {
    browser.get(&format!("/api/data/v1/productions/{production}")).await.status.as_u16()
}

#[tokio::test]
async fn roles_are_withheld_from_sessions_that_began_elsewhere() {
    let mut studio = Studio::open().await;
    let organisation = studio.organisation.clone();
    let film = add_production(&mut studio.owner, &organisation, "Film").await;
    let rule = json!({ "group": "readers", "production_id": film, "roles": { "library": "reader" } });
    let _ = studio.connection.add_rule(&mut studio.owner, &rule).await;
    let (_, mut local) =
        add_person(&studio.kinora, &mut studio.owner, &organisation, "ada@studio.example", "member").await;
    studio.set_people(&ada()).await;
    let mut through = studio.sign_in("ada").await;
    assert_eq!(status(&mut local, &film).await, 200);
    let mut following = Follower::open(&local, &film, None).await.0;
    let mut guest = add_guest(&mut studio, &film).await;
    assert_eq!(status(&mut guest, &film).await, 200);
    require(&studio);
    kinora_tests::wait_until("the local session is shut out", async || {
        (status(&mut local, &film).await == 403).then_some(())
    })
    .await;
    let refused = local.get(&format!("/api/data/v1/productions/{film}")).await;
    assert_eq!(slug(&refused), "single-sign-on-required");
    let session = local.get("/api/data/v1/session").await.expect(200).json();
    assert_eq!(session["single_sign_on_required"], true);
    assert_eq!(session["second_factor_required"], false);
    assert_eq!(session["organisations"][0]["withheld"], true);
    let _ = following.read_to_end().await;
    // What is not theirs stays what it is for everybody.
    let unknown = "01998c2e-0000-7000-8000-000000000000";
    assert_eq!(status(&mut local, unknown).await, 404);
    // Whoever came through the connection has everything; so have guests, of whom no provider knows.
    assert_eq!(status(&mut through, &film).await, 200);
    assert_eq!(role_in(&mut through, &organisation).await.as_deref(), Some("member"));
    assert_eq!(status(&mut guest, &film).await, 200);
    // A connection that is switched off proves nothing.
    let _ = execute(&studio.kinora, "UPDATE saml_connections SET enabled = false");
    kinora_tests::wait_until("its sessions are shut out", async || {
        (status(&mut through, &film).await == 403).then_some(())
    })
    .await;
}

/// Somebody in a production of the organisation who does not belong to it.
async fn add_guest(studio: &mut Studio, production: &str) -> Client {
    let other = add_organisation(&mut studio.owner, "Freelancers").await;
    let (id, guest) =
        add_person(&studio.kinora, &mut studio.owner, &other, "guest@x.example", "member").await;
    let _ = execute(
        &studio.kinora,
        &format!(
            "INSERT INTO production_members (production_id, person_id, library_role) VALUES ('{production}', '{id}', 'reader')"
        ),
    );
    guest
}

#[tokio::test]
async fn a_session_through_a_connection_has_the_second_factor_of_that_organisation_alone() {
    let mut studio = Studio::open().await;
    let organisation = studio.organisation.clone();
    let other = add_organisation(&mut studio.owner, "Other Studio").await;
    let mut browser = studio.sign_in("ada").await;
    let joined = format!(
        "INSERT INTO organisation_members (organisation_id, person_id, role) \
         SELECT '{other}', id, 'member' FROM people WHERE login = 'ada@studio.example'"
    );
    let _ = execute(&studio.kinora, &joined);
    let _ = execute(&studio.kinora, "UPDATE organisations SET second_factor_required = true");
    kinora_tests::wait_until("both ask for a second factor", async || {
        let session = browser.get("/api/data/v1/session").await.expect(200).json();
        (session["second_factor_required"] == true).then_some(())
    })
    .await;
    let session = browser.get("/api/data/v1/session").await.expect(200).json();
    let withheld = |id: &str| {
        let all = session["organisations"].as_array().unwrap();
        all.iter().find(|item| item["id"] == id).unwrap()["withheld"].clone()
    };
    assert_eq!((withheld(&organisation), withheld(&other)), (json!(false), json!(true)));
}

#[tokio::test]
async fn a_token_needs_no_studio_account_and_the_second_factor_of_its_person() {
    let mut studio = Studio::open().await;
    let organisation = studio.organisation.clone();
    let film = add_production(&mut studio.owner, &organisation, "Film").await;
    let login = "bob@studio.example";
    let (id, bob) = add_person(&studio.kinora, &mut studio.owner, &organisation, login, "member").await;
    let ada = studio.sign_in("ada").await;
    let _ = execute(
        &studio.kinora,
        &format!(
            "INSERT INTO production_members (production_id, person_id, library_role) \
             SELECT '{film}', id, 'reader' FROM people WHERE id = '{id}' OR login = 'ada@studio.example'"
        ),
    );
    let mut scripts = Vec::new();
    for mut person in [bob, ada] {
        let form = json!({ "name": "script" });
        let made = person.post("/api/data/v1/account/tokens", &form).await.expect(201).json();
        let secret = made["secret"].as_str().unwrap().to_owned();
        scripts.push(Client::with_token(&studio.kinora.url(), &secret));
    }
    let [of_bob, of_ada] = scripts.as_mut_slice() else { unreachable!() };
    let mut stream = Follower::open(of_bob, &film, None).await.0;
    require(&studio);
    let _ = execute(&studio.kinora, "UPDATE organisations SET second_factor_required = true");
    // For one the organisation's provider answers, for the other nobody does.
    kinora_tests::wait_until("the token of somebody without a factor opens nothing", async || {
        (status(of_bob, &film).await == 403).then_some(())
    })
    .await;
    let refused = of_bob.get(&format!("/api/data/v1/productions/{film}")).await;
    assert_eq!(slug(&refused), "second-factor-required");
    let _ = stream.read_to_end().await;
    assert_eq!(status(of_ada, &film).await, 200);
    let mut stream = Follower::open(of_ada, &film, None).await.0;
    let _ = execute(&studio.kinora, "UPDATE saml_connections SET enabled = false");
    kinora_tests::wait_until("a connection that is off answers for nobody", async || {
        (status(of_ada, &film).await == 403).then_some(())
    })
    .await;
    let _ = stream.read_to_end().await;
}

#[tokio::test]
async fn an_owner_breaks_the_glass_and_all_owners_hear_of_it() {
    let relay = MailRelay::start().await;
    let mut studio = Studio::build(Kinora::builder().applications(1).backends(1).relay(&relay)).await;
    let organisation = studio.organisation.clone();
    let mut owners = Vec::new();
    for login in ["first@studio.example", "second@studio.example"] {
        owners.push(add_person(&studio.kinora, &mut studio.owner, &organisation, login, "owner").await);
    }
    let (first, mut browser) = owners.swap_remove(0);
    let (app, _) = enrol_app(&mut browser).await;
    let glass = format!("UPDATE organisation_members SET break_glass = true WHERE person_id = '{first}'");
    assert_eq!(execute(&studio.kinora, &glass), 1);
    require(&studio);
    // The other owner has no glass to break.
    let mut second = studio.kinora.visitor();
    let _ = second.sign_in("second@studio.example", PASSWORD).await.expect(200);
    let path = format!("/api/data/v1/organisations/{organisation}");
    assert_eq!(slug(&second.get(&path).await.expect(403)), "single-sign-on-required");
    // The first one has, with the second factor.
    let_steps_pass(&studio.kinora);
    let mut broken = studio.kinora.visitor();
    let code = app.code();
    let _ = sign_in_with_code(&mut broken, "first@studio.example", PASSWORD, &code).await.expect(200);
    let _ = broken.get(&path).await.expect(200);
    let audit = broken.get(&format!("{path}/audit?limit=50")).await.expect(200).json();
    let used = audit["items"].as_array().unwrap().iter().find(|row| row["action"] == "break_glass.used");
    assert_eq!(used.expect("a row")["actor"], "first@studio.example");
    for owner in ["first@studio.example", "second@studio.example"] {
        let mail = kinora_tests::wait_until("the owners are told", async || {
            let mails = relay.mails_to(owner).into_iter().map(|mail| mail.to_string());
            mails.into_iter().find(|mail| mail.contains("signed in without the identity provider"))
        })
        .await;
        assert!(mail.contains("first@studio.example"), "{mail}");
    }
    // Without the factor it is nothing.
    let _ = execute(&studio.kinora, "DELETE FROM totp_factors");
    kinora_tests::wait_until("the glass is whole", async || {
        (broken.get(&path).await.status == 403).then_some(())
    })
    .await;
}
