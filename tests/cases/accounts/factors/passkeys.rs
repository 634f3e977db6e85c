//! Passkeys: enrolment, as a second factor, alone; and everything that makes a signature worth nothing.

use kinora_tests::{ADMINISTRATOR_PASSWORD, Client, Kinora};
use serde_json::{Value, json};

use super::super::world::{PASSWORD, add_person, execute, organisation_of, text};
use super::software_key::{PRESENT, SoftwareKey};
use super::{D, finish, slug};

const LOGIN: &str = "admin@localhost";
const ALONE: &str = "/api/data/v1/session/passkey";
const ALONE_CHALLENGE: &str = "/api/data/v1/session/passkey/challenge";
const STEP_CHALLENGE: &str = "/api/data/v1/session/second-factor/challenge";

/// Makes a key do something wrong.
type Spoil = fn(&mut SoftwareKey);

/// Signs in with the passkey alone; gives the status.
async fn alone(kinora: &Kinora, key: &mut SoftwareKey) -> u16 {
    let mut client = kinora.visitor();
    let signature = key.answer(&mut client, ALONE_CHALLENGE).await;
    client.post(ALONE, &signature).await.status.as_u16()
}

#[tokio::test]
async fn a_passkey_is_a_second_factor_and_a_way_in_by_itself() {
    let kinora = Kinora::builder().applications(2).start().await;
    let mut owner = kinora.administrator().await;
    let mut key = SoftwareKey::new(&kinora.url());
    let added = key.enrol(&mut owner, "Laptop").await.expect(201).json();
    assert_eq!(added["recovery_codes"].as_array().unwrap().len(), 10);
    assert_eq!(text(&added, "/passkey/name"), "Laptop");
    // The same one again, and a second one.
    let again = key.enrol(&mut owner, "Again").await.expect(409);
    assert_eq!(slug(&again), "conflict");
    let mut phone = SoftwareKey::new(&kinora.url());
    let added = phone.enrol(&mut owner, "Phone").await.expect(201).json();
    assert_eq!(added["recovery_codes"], json!([]));
    let phone_id = text(&added, "/passkey/id");

    let mut visitor = kinora.visitor();
    let half = visitor.sign_in(LOGIN, ADMINISTRATOR_PASSWORD).await.expect(202).json();
    assert_eq!(half["factors"], json!({ "authenticator": false, "passkey": true, "email_code": false }));
    let asked = visitor.post(STEP_CHALLENGE, &json!({})).await.expect(200).json();
    assert_eq!(asked["allow"].as_array().unwrap().len(), 2);
    assert_eq!(asked["allow"][0]["transports"], json!(["hybrid", "internal"]));
    let signature = key.sign(&text(&asked, "/challenge"));
    let _ = finish(&mut visitor, &json!({ "passkey": signature })).await.expect(200);

    // Without a login: asked at one instance, answered at the other.
    let mut client = kinora.visitor().at(&kinora.url_of(1));
    let signature = key.answer(&mut client, ALONE_CHALLENGE).await;
    let mut client = client.at(&kinora.url_of(0));
    let session = client.post(ALONE, &signature).await.expect(200).json();
    assert_eq!(text(&session, "/person/login"), LOGIN);
    client.refresh_csrf_token().await;
    // What was signed once is worth nothing a second time.
    let _ = client.post(ALONE, &signature).await.expect(401);

    let factors = client.get(&format!("{D}/account/factors")).await.expect(200).json();
    let names: Vec<String> =
        factors["passkeys"].as_array().unwrap().iter().map(|item| text(item, "/name")).collect();
    assert_eq!(names, ["Laptop", "Phone"]);
    assert!(
        factors["passkeys"][0]["last_used_at"].is_string()
            && factors["passkeys"][1]["last_used_at"].is_null()
    );
    let _ = client.delete(&format!("{D}/account/passkeys/{phone_id}")).await.expect(204);
    let _ = client.delete(&format!("{D}/account/passkeys/{phone_id}")).await.expect(404);
    assert_eq!(alone(&kinora, &mut phone).await, 401);
    assert_eq!(alone(&kinora, &mut key).await, 200);
}

#[tokio::test]
async fn a_signature_counts_only_as_it_was_asked_for() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let mut key = SoftwareKey::new(&kinora.url());
    let _ = key.enrol(&mut owner, "Key").await.expect(201);
    assert_eq!(alone(&kinora, &mut key).await, 200);

    let spoilt: [(&str, Spoil); 7] = [
        ("another page", |key| key.origin = "https://evil.example".to_owned()),
        ("another port", |key| key.origin = "http://localhost:1".to_owned()),
        ("inside another page", |key| key.cross_origin = true),
        ("another installation", |key| key.rp_id = "evil.example".to_owned()),
        ("nobody there", |key| key.flags = 0),
        ("nobody recognised", |key| key.flags = PRESENT),
        ("another person", |key| key.user_handle = "AAAAAAAAAAAAAAAAAAAAAA".to_owned()),
    ];
    for (name, spoil) in spoilt {
        let mut other = key.clone();
        other.counter += 100;
        spoil(&mut other);
        assert_eq!(alone(&kinora, &mut other).await, 401, "{name}");
    }
    // Without a name of the person nobody is let in by the passkey alone.
    let mut unnamed = key.clone();
    unnamed.user_handle = String::new();
    assert_eq!(alone(&kinora, &mut unnamed).await, 401);
    // Another key that claims to be this one.
    let mut forged = SoftwareKey::new(&kinora.url());
    (forged.id, forged.user_handle, forged.counter) = (key.id.clone(), key.user_handle.clone(), 100);
    assert_eq!(alone(&kinora, &mut forged).await, 401);
    // A copy whose counter lags behind.
    let mut copy = key.clone();
    copy.counter = 0;
    assert_eq!(alone(&kinora, &mut copy).await, 401);
    assert_eq!(alone(&kinora, &mut key).await, 200);

    // Every part of the answer, spoilt by itself.
    for part in ["credential_id", "client_data", "authenticator_data", "signature"] {
        let mut client = kinora.visitor();
        let mut signature = key.answer(&mut client, ALONE_CHALLENGE).await;
        let good = text(&signature, &format!("/{part}"));
        let spoilt = format!("{}{}", &good[..good.len() - 2], if good.ends_with("AA") { "BB" } else { "AA" });
        signature[part] = json!(spoilt);
        let _ = client.post(ALONE, &signature).await.expect(401);
        for nonsense in ["", "*", "AAAA"] {
            signature[part] = json!(nonsense);
            let _ = client.post(ALONE, &signature).await.expect(401);
        }
    }
}

#[tokio::test]
async fn a_challenge_belongs_to_one_browser_and_one_purpose() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let mut key = SoftwareKey::new(&kinora.url());
    let _ = key.enrol(&mut owner, "Key").await.expect(201);
    let half = async || {
        let mut client = kinora.visitor();
        let _ = client.sign_in(LOGIN, ADMINISTRATOR_PASSWORD).await.expect(202);
        client
    };
    // Asked by one browser, brought by another.
    let (mut mine, mut theirs) = (half().await, half().await);
    let signature = key.answer(&mut mine, STEP_CHALLENGE).await;
    let _ = finish(&mut theirs, &json!({ "passkey": signature })).await.expect(422);
    // It is spent nowhere but where it belongs.
    let _ = finish(&mut mine, &json!({ "passkey": signature })).await.expect(200);
    let mut stranger = kinora.visitor();
    let _ = stranger.post(ALONE_CHALLENGE, &json!({})).await.expect(200);
    let mut asked = kinora.visitor();
    let signature = key.answer(&mut asked, ALONE_CHALLENGE).await;
    let _ = stranger.post(ALONE, &signature).await.expect(401);
    let _ = kinora.visitor().post(ALONE, &signature).await.expect(401);
    // Signed for one purpose, brought for another.
    let mut third = half().await;
    let for_step = key.answer(&mut third, STEP_CHALLENGE).await;
    let _ = third.post(ALONE, &for_step).await.expect(401);
    let confirm = format!("{D}/account/confirmation");
    let for_confirmation = key.answer(&mut owner, &format!("{confirm}/challenge")).await;
    let asked = owner.post(&format!("{D}/account/passkeys/challenge"), &json!({})).await.expect(200).json();
    let for_enrolment = key.sign(&text(&asked, "/challenge"));
    let _ = owner.post(&confirm, &json!({ "passkey": for_enrolment })).await.expect(422);
    let _ = owner.post(&confirm, &json!({ "passkey": for_confirmation })).await.expect(200);
    // Too late.
    let mut late = half().await;
    let signature = key.answer(&mut late, STEP_CHALLENGE).await;
    assert!(execute(&kinora, "UPDATE passkey_challenges SET expires_at = now() - interval '1 second'") > 0);
    let _ = finish(&mut late, &json!({ "passkey": signature })).await.expect(422);
}

#[tokio::test]
async fn somebody_elses_passkey_finishes_no_sign_in() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (_, mut ada) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let (mut hers, mut mine) = (SoftwareKey::new(&kinora.url()), SoftwareKey::new(&kinora.url()));
    let _ = hers.enrol(&mut ada, "Hers").await.expect(201);
    let _ = mine.enrol(&mut owner, "Mine").await.expect(201);
    // A key that is somebody's already is nobody else's.
    assert_eq!(slug(&hers.enrol(&mut owner, "Taken").await.expect(409)), "conflict");
    hers.user_handle = String::new();
    let mut half = kinora.visitor();
    let _ = half.sign_in(LOGIN, ADMINISTRATOR_PASSWORD).await.expect(202);
    let signature = hers.answer(&mut half, STEP_CHALLENGE).await;
    let _ = finish(&mut half, &json!({ "passkey": signature })).await.expect(422);
    // Nor does the password of one with the passkey of the other make a session of either.
    let _ = half.get(&format!("{D}/session")).await.expect(401);
    let mut half = kinora.visitor();
    let _ = half.sign_in("ada@x.example", PASSWORD).await.expect(202);
    let signature = mine.answer(&mut half, STEP_CHALLENGE).await;
    let _ = finish(&mut half, &json!({ "passkey": signature })).await.expect(422);
}

#[tokio::test]
async fn only_what_was_asked_for_is_enrolled() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let challenge = async |client: &mut Client| {
        let asked =
            client.post(&format!("{D}/account/passkeys/challenge"), &json!({})).await.expect(200).json();
        text(&asked, "/challenge")
    };
    let path = format!("{D}/account/passkeys");
    let good = SoftwareKey::new(&kinora.url());
    let mut cases: Vec<(&str, Value)> = Vec::new();
    let first = challenge(&mut owner).await;
    cases.push((
        "another page",
        SoftwareKey { origin: "https://evil.example".to_owned(), ..good.clone() }.creation("k", &first),
    ));
    cases.push(("made up", good.creation("k", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")));
    let mut installation = good.clone();
    installation.rp_id = "evil.example".to_owned();
    cases.push(("another installation", installation.creation("k", &challenge(&mut owner).await)));
    let absent = SoftwareKey { flags: 0, ..good.clone() };
    cases.push(("nobody there", absent.creation("k", &challenge(&mut owner).await)));
    let mut cut = good.creation("k", &challenge(&mut owner).await);
    let whole = text(&cut, "/attestation_object");
    cut["attestation_object"] = json!(whole[..whole.len() - 8]);
    cases.push(("cut off", cut));
    for (name, body) in cases {
        assert_eq!(slug(&owner.post(&path, &body).await.expect(422)), "invalid", "{name}");
    }
    let body = good.creation("k", &first);
    let _ = owner.post(&path, &body).await.expect(201);
    let factors = owner.get(&format!("{D}/account/factors")).await.expect(200).json();
    assert_eq!(factors["passkeys"].as_array().unwrap().len(), 1);
}
