//! Which account somebody has who comes through a provider.

use kinora_tests::{Answer, Client, IdentityProvider, Kinora};
use serde_json::{Value, json};

use super::studio::{Connection, Studio, post_to, role_in};
use crate::accounts::world::{add_organisation, add_person, add_production, execute, text};

fn bob(mail: &str) -> Value {
    json!({ "bob": { "displayName": ["Bob"], "mail": [mail], "groups": [] } })
}

fn called(name: &str, login: &str) -> Value {
    json!({ login: { "displayName": [name], "mail": [format!("{login}@studio.example")], "groups": [] } })
}

async fn name_of(browser: &mut Client) -> String {
    text(&browser.get("/api/data/v1/session").await.expect(200).json(), "/person/display_name")
}

async fn id_of(browser: &mut Client) -> String {
    text(&browser.get("/api/data/v1/session").await.expect(200).json(), "/person/id")
}

#[tokio::test]
async fn an_account_of_the_organisations_own_domain_is_joined_by_itself() {
    let mut studio = Studio::open().await;
    let organisation = studio.organisation.clone();
    let (id, _) =
        add_person(&studio.kinora, &mut studio.owner, &organisation, "Bob@studio.example", "administrator")
            .await;
    studio.set_people(&bob("bob@STUDIO.example")).await;
    let mut browser = studio.sign_in("bob").await;
    assert_eq!(id_of(&mut browser).await, id);
    assert_eq!(role_in(&mut browser, &organisation).await.as_deref(), Some("administrator"));
    let accounts = browser.get("/api/data/v1/account/studio-accounts").await.expect(200).json();
    assert_eq!(accounts["joined"][0]["connection_id"], studio.connection.id.as_str());
}

#[tokio::test]
async fn the_provider_names_those_whom_it_brought_and_nobody_else() {
    let mut studio = Studio::open().await;
    let organisation = studio.organisation.clone();
    let (_, mut bob) =
        add_person(&studio.kinora, &mut studio.owner, &organisation, "bob@studio.example", "member").await;
    studio.set_people(&called("BOB, R. (EXT)", "bob")).await;
    let mut joined = studio.sign_in("bob").await;
    assert_eq!(name_of(&mut joined).await, "Name of bob@studio.example");
    let own = json!({ "display_name": "Bobby" });
    let _ = bob.patch("/api/data/v1/account", &own).await.expect(200);
    assert_eq!(name_of(&mut studio.sign_in("bob").await).await, "Bobby");

    studio.set_people(&called("Ada Löwe", "ada")).await;
    assert_eq!(name_of(&mut studio.sign_in("ada").await).await, "Ada Löwe");
    studio.set_people(&called("Ada Berg", "ada")).await;
    assert_eq!(name_of(&mut studio.sign_in("ada").await).await, "Ada Berg");
    // Also once she has a password besides.
    let _ = execute(&studio.kinora, "UPDATE people SET password_hash = 'x' WHERE login LIKE 'ada%'");
    studio.set_people(&called("Ada Holm", "ada")).await;
    assert_eq!(name_of(&mut studio.sign_in("ada").await).await, "Ada Holm");
}

#[tokio::test]
async fn addresses_of_other_domains_make_no_account_and_join_none() {
    let mut studio = Studio::open().await;
    let organisation = studio.organisation.clone();
    let (_, _) =
        add_person(&studio.kinora, &mut studio.owner, &organisation, "bob@other.example", "member").await;
    let mut browser = studio.kinora.visitor();
    for mail in ["bob@other.example", "nobody@other.example", "bob@sub.studio.example", "admin@localhost"] {
        studio.set_people(&bob(mail)).await;
        let answer = studio.try_sign_in(&mut browser, "bob").await;
        studio.expect_refused(&mut browser, &answer, "foreign_address").await;
        assert!(answer.header("location").unwrap().contains("reason=account"));
    }
    for mail in ["", "not an address", "bob@studio.example, eve@studio.example"] {
        studio.set_people(&bob(mail)).await;
        let answer = studio.try_sign_in(&mut browser, "bob").await;
        studio.expect_refused(&mut browser, &answer, "no_address").await;
    }
    // Confirmed for somebody else is not confirmed for this organisation.
    let other = add_organisation(&mut studio.owner, "Other Studio").await;
    studio.confirm_domain(&other, "other.example");
    studio.set_people(&bob("bob@other.example")).await;
    let answer = studio.try_sign_in(&mut browser, "bob").await;
    studio.expect_refused(&mut browser, &answer, "foreign_address").await;
}

#[tokio::test]
async fn an_account_with_roles_elsewhere_is_joined_only_by_its_owner() {
    let mut studio = Studio::open().await;
    let organisation = studio.organisation.clone();
    let other = add_organisation(&mut studio.owner, "Other Studio").await;
    let (id, mut local) =
        add_person(&studio.kinora, &mut studio.owner, &organisation, "bob@studio.example", "member").await;
    let _ = execute(
        &studio.kinora,
        &format!(
            "INSERT INTO organisation_members (organisation_id, person_id, role) VALUES ('{other}', '{id}', 'member')"
        ),
    );
    studio.set_people(&bob("bob@studio.example")).await;
    let mut browser = studio.kinora.visitor();
    let answer = studio.try_sign_in(&mut browser, "bob").await;
    studio.expect_refused(&mut browser, &answer, "account_elsewhere").await;

    let form = json!({ "connection_id": studio.connection.id, "return_to": "/account" });
    let path = "/api/data/v1/account/studio-accounts";
    let open = local.get(path).await.expect(200).json();
    assert_eq!(open["open"][0]["connection_id"], studio.connection.id.as_str());
    let way = local.post(path, &form).await.expect(200).json();
    let leads = local.get(&text(&way, "/address")).await;
    let response = studio.idp.sign_in(&leads, "bob").await;
    let former = local.clone();
    let answer = studio.post(&mut local, &response).await.expect(303);
    assert_eq!(answer.header("location"), Some("/account"), "{}", studio.last_refusal());
    assert_eq!(id_of(&mut local).await, id);
    assert_ne!(former.cookie("__Host-kinora"), local.cookie("__Host-kinora"), "a new session");
    // From now on by itself, and only the name at the provider counts.
    studio.set_people(&bob("robert@elsewhere.example")).await;
    let mut browser = studio.sign_in("bob").await;
    assert_eq!(id_of(&mut browser).await, id);
    let session = browser.get("/api/data/v1/session").await.json();
    assert_eq!(session["person"]["login"], "bob@studio.example", "others know them by it");

    // The provider's person is taken: nobody else can have them.
    let (_, mut eve) =
        add_person(&studio.kinora, &mut studio.owner, &organisation, "eve@studio.example", "member").await;
    let way = eve.post(path, &form).await.expect(200).json();
    let leads = eve.get(&text(&way, "/address")).await;
    let response = studio.idp.sign_in(&leads, "bob").await;
    let answer = studio.post(&mut eve, &response).await.expect(303);
    assert!(answer.header("location").unwrap().contains("reason=account"));
    assert_eq!(studio.attempts()[0].refusal, "linked_to_another");
}

#[tokio::test]
async fn an_owners_account_is_joined_only_from_itself() {
    let mut studio = Studio::open().await;
    let organisation = studio.organisation.clone();
    let (_, mut local) =
        add_person(&studio.kinora, &mut studio.owner, &organisation, "bob@studio.example", "owner").await;
    studio.set_people(&bob("bob@studio.example")).await;
    let mut browser = studio.kinora.visitor();
    let answer = studio.try_sign_in(&mut browser, "bob").await;
    studio.expect_refused(&mut browser, &answer, "owners_account").await;
    let form = json!({ "connection_id": studio.connection.id });
    let way = local.post("/api/data/v1/account/studio-accounts", &form).await.expect(200).json();
    let leads = local.get(&text(&way, "/address")).await;
    let response = studio.idp.sign_in(&leads, "bob").await;
    let _ = studio.post(&mut local, &response).await.expect(303);
    let mut browser = studio.sign_in("bob").await;
    assert_eq!(role_in(&mut browser, &organisation).await.as_deref(), Some("owner"));
}

#[tokio::test]
async fn joining_takes_the_session_that_asked_for_it() {
    let mut studio = Studio::open().await;
    let organisation = studio.organisation.clone();
    let (_, mut local) =
        add_person(&studio.kinora, &mut studio.owner, &organisation, "bob@studio.example", "member").await;
    let path = "/api/data/v1/account/studio-accounts";
    let form = json!({ "connection_id": studio.connection.id });
    let mut forgetful = local.clone();
    forgetful.forget_csrf_token();
    let _ = forgetful.post(path, &form).await.expect(403);
    let unknown = json!({ "connection_id": "01998c2e-0000-7000-8000-000000000000" });
    let _ = local.post(path, &unknown).await.expect(404);
    let way = local.post(path, &form).await.expect(200).json();
    let leads = local.get(&text(&way, "/address")).await;
    let response = studio.idp.sign_in(&leads, "ada").await;
    let mut browser = local.clone();
    let _ = local.delete("/api/data/v1/session").await.expect(204);
    let answer = studio.post(&mut browser, &response).await.expect(303);
    assert!(answer.header("location").unwrap().starts_with("/sign-in-refused"));
    assert_eq!(studio.attempts()[0].refusal, "session_gone");
    assert_eq!(execute(&studio.kinora, "UPDATE saml_identities SET subject = subject"), 0);
}

#[tokio::test]
async fn a_studio_account_can_be_separated_and_takes_along_what_it_gave() {
    let mut studio = Studio::open().await;
    let organisation = studio.organisation.clone();
    let film = add_production(&mut studio.owner, &organisation, "Film").await;
    let rule = json!({ "group": "readers", "production_id": film, "roles": { "library": "reader" } });
    let _ = studio.connection.add_rule(&mut studio.owner, &rule).await;
    let (_, mut local) =
        add_person(&studio.kinora, &mut studio.owner, &organisation, "bob@studio.example", "member").await;
    studio
        .set_people(&json!({
            "bob": { "displayName": ["Bob"], "mail": ["bob@studio.example"], "groups": ["readers"] },
            "ada": { "displayName": ["Ada"], "mail": ["ada@studio.example"], "groups": [] },
        }))
        .await;
    let mut through = studio.sign_in("bob").await;
    let place = format!("/api/data/v1/productions/{film}");
    let _ = through.get(&place).await.expect(200);
    let joined = format!("/api/data/v1/account/studio-accounts/{}", studio.connection.id);
    let mut forgetful = local.clone();
    forgetful.forget_csrf_token();
    let _ = forgetful.delete(&joined).await.expect(403);
    let _ = local.delete(&joined).await.expect(204);
    let _ = local.delete(&joined).await.expect(404);
    kinora_tests::wait_until("what the groups gave is gone", async || {
        (through.get(&place).await.status.as_u16() == 404).then_some(())
    })
    .await;
    assert_eq!(role_in(&mut local, &organisation).await.as_deref(), Some("member"), "given by hand");
    let rows = "UPDATE saml_sessions SET subject = subject WHERE session_id IN (SELECT s.id FROM sessions s \
                JOIN people p ON p.id = s.person_id WHERE p.login LIKE 'bob%')";
    assert_eq!(execute(&studio.kinora, rows), 0, "no session counts as begun there");
    // Without a password there would be no way in.
    let mut ada = studio.sign_in("ada").await;
    let refused = ada.delete(&joined).await.expect(409).text();
    assert!(refused.contains("no password"), "{refused}");
    let _ = studio.sign_in("ada").await;
}

/// A studio with a second provider, which names people as the first one does.
async fn two_providers() -> (Studio, Connection, IdentityProvider) {
    let mut studio = Studio::open().await;
    let paris = IdentityProvider::start();
    for idp in [&studio.idp, &paris] {
        idp.set(&json!({ "realm": "https://names.example" })).await;
    }
    let organisation = studio.organisation.clone();
    let connection = Connection::make(&mut studio.owner, &organisation, &paris).await;
    (studio, connection, paris)
}

/// Signs somebody in at the second provider.
async fn arrive(
    browser: &mut Client,
    (connection, idp): (&Connection, &IdentityProvider),
    login: &str,
) -> Answer {
    let leads = browser.get(&connection.sign_in()).await;
    let form = idp.sign_in(&leads, login).await;
    post_to(browser, &connection.acs(), &form, idp.url()).await
}

fn identities(kinora: &Kinora) -> usize {
    execute(kinora, "UPDATE saml_identities SET subject = subject")
}

#[tokio::test]
async fn the_same_name_and_address_at_another_provider_is_somebody_else() {
    let (studio, second, paris) = two_providers().await;
    let at_second = (&second, &paris);
    let mut ada = studio.sign_in("ada").await;
    let id = id_of(&mut ada).await;
    let mut browser = studio.kinora.visitor();
    for _ in 0..2 {
        let answer = arrive(&mut browser, at_second, "ada").await;
        studio.expect_refused(&mut browser, &answer, "known_elsewhere").await;
        assert!(answer.header("location").unwrap().contains("reason=account"));
        assert_eq!(identities(&studio.kinora), 1);
    }
    // Who holds the account joins it, signed in to it.
    let form = json!({ "connection_id": second.id, "return_to": "/account" });
    let way = ada.post("/api/data/v1/account/studio-accounts", &form).await.expect(200).json();
    let leads = ada.get(&text(&way, "/address")).await;
    let response = paris.sign_in(&leads, "ada").await;
    let answer = post_to(&mut ada, &second.acs(), &response, paris.url()).await.expect(303);
    assert_eq!(answer.header("location"), Some("/account"), "{}", studio.last_refusal());
    let answer = arrive(&mut browser, at_second, "ada").await.expect(303);
    assert_eq!(answer.header("location"), Some("/"), "{}", studio.last_refusal());
    assert_eq!(id_of(&mut browser).await, id);
    assert_eq!(id_of(&mut studio.sign_in("ada").await).await, id);
    assert_eq!(identities(&studio.kinora), 2);

    // The same name with another address is another account: names count at one connection.
    studio.set_people(&bob("bob@studio.example")).await;
    let mut first = studio.sign_in("bob").await;
    paris.set(&json!({ "people": bob("robert@studio.example") })).await;
    let mut other = studio.kinora.visitor();
    let answer = arrive(&mut other, at_second, "bob").await.expect(303);
    assert_eq!(answer.header("location"), Some("/"), "{}", studio.last_refusal());
    assert_ne!(id_of(&mut first).await, id_of(&mut other).await);
    let names = "SELECT 1 FROM saml_identities GROUP BY subject HAVING count(*) = 2";
    assert_eq!(execute(&studio.kinora, names), 2, "each name is there once for each connection");
}

#[tokio::test]
async fn what_a_connection_knew_goes_with_it() {
    let (mut studio, second, paris) = two_providers().await;
    let id = id_of(&mut studio.sign_in("ada").await).await;
    let mut browser = studio.kinora.visitor();
    studio.connection.change(&mut studio.owner, &json!({ "enabled": false })).await;
    let answer = arrive(&mut browser, (&second, &paris), "ada").await;
    studio.expect_refused(&mut browser, &answer, "known_elsewhere").await;
    studio.connection.remove(&mut studio.owner).await;
    let answer = arrive(&mut browser, (&second, &paris), "ada").await.expect(303);
    assert_eq!(answer.header("location"), Some("/"), "{}", studio.last_refusal());
    assert_eq!(id_of(&mut browser).await, id);
}

#[tokio::test]
async fn of_two_providers_that_name_one_address_at_once_one_has_it() {
    let (mut studio, second, paris) = two_providers().await;
    let organisation = studio.organisation.clone();
    let _ =
        add_person(&studio.kinora, &mut studio.owner, &organisation, "ada@studio.example", "member").await;
    let (mut here, mut there) = (studio.kinora.visitor(), studio.kinora.visitor());
    let response = studio.begin(&mut here, "ada").await;
    let leads = there.get(&second.sign_in()).await;
    let foreign = paris.sign_in(&leads, "ada").await;
    let (one, other) = futures_util::future::join(
        studio.post(&mut here, &response),
        post_to(&mut there, &second.acs(), &foreign, paris.url()),
    )
    .await;
    let inside = [one, other].iter().filter(|answer| answer.header("location") == Some("/")).count();
    assert_eq!((inside, identities(&studio.kinora)), (1, 1), "{:?}", studio.attempts());
}
