//! Nobody learns who has an account: the same bytes for known and unknown, wherever somebody can ask without having signed in,
//! and no mail to anybody. That the answers take the same time is measured by `make bench ONLY=timing`.

use kinora_store::sign_in::TRIES;
use kinora_tests::{Answer, Client, Kinora, MailRelay};
use reqwest::Method;
use serde_json::{Value, json};

use crate::accounts::factors::software_key::SoftwareKey;
use crate::accounts::factors::{enrol_app, slug};
use crate::accounts::visibility::{Seen, seen};
use crate::accounts::world::{
    PASSWORD, add_organisation, add_person, add_production, execute, organisation_of, send, set_password,
    text, token_of,
};
use crate::single_sign_on::studio::Studio;

const SESSION: &str = "/api/data/v1/session";
const ROUTE: &str = "/api/data/v1/session/route";
const SECOND: &str = "/api/data/v1/session/second-factor";
const PASSKEY: &str = "/api/data/v1/session/passkey";

/// A studio with somebody of every kind: their logins.
async fn people(studio: &mut Studio) -> Vec<&'static str> {
    let (organisation, kinora) = (studio.organisation.clone(), &studio.kinora);
    let owner = &mut studio.owner;
    let _ = add_person(kinora, owner, &organisation, "member@x.example", "member").await;
    let (_, mut secured) =
        add_person(kinora, owner, &organisation, "secured@x.example", "administrator").await;
    let _ = enrol_app(&mut secured).await;
    let (left, _) = add_person(kinora, owner, &organisation, "disabled@x.example", "member").await;
    let path = format!("/api/data/v1/organisations/{organisation}/people/{left}");
    let off = json!({ "disabled": true });
    let _ = send(owner, Method::PATCH, &path, &[("If-Match", "*")], Some(&off)).await.expect(200);
    let fresh = json!({ "login": "fresh@x.example", "display_name": "Fresh", "role": "member" });
    let all = format!("/api/data/v1/organisations/{organisation}/people");
    let _ = owner.post(&all, &fresh).await.expect(201);
    let other = add_organisation(owner, "Other Studio").await;
    let _ = add_person(kinora, owner, &other, "elsewhere@y.example", "owner").await;
    let _ = studio.sign_in("ada").await;
    vec![
        "member@x.example",
        "MEMBER@x.example",
        "secured@x.example",
        "disabled@x.example",
        "fresh@x.example",
        "elsewhere@y.example",
        "ada@studio.example",
        "admin@localhost",
        "admin@localhost ",
    ]
}

const UNKNOWN: [&str; 5] = ["nobody@x.example", "nobody@studio.example", "nobody", "n@y.example", "@"];

/// What can be told apart, with what is different each time taken out.
fn masked(answer: &Answer) -> Seen {
    let (status, mut headers, text) = seen(answer);
    if let Some(wait) = headers.get_mut("retry-after") {
        assert!((1..=301).contains(&wait.parse::<i64>().unwrap()), "{wait}");
        "soon".clone_into(wait);
    }
    (status, headers, text)
}

#[tokio::test]
async fn a_wrong_password_is_answered_alike_for_everybody_and_nobody() {
    let relay = MailRelay::start().await;
    let mut studio = Studio::build(Kinora::builder().applications(1).backends(1).relay(&relay)).await;
    let known = people(&mut studio).await;
    let mails = "SELECT 1 FROM mail_messages";
    let before = execute(&studio.kinora, mails);
    let kinora = &studio.kinora;
    let mut expected: Option<Seen> = None;
    for login in known.iter().copied().chain(UNKNOWN) {
        let answer = kinora.visitor().sign_in(login, "not this one, whoever it is").await;
        let answer = masked(&answer);
        assert_eq!(answer.0, 401, "{login}");
        assert_eq!(&answer, expected.get_or_insert_with(|| answer.clone()), "{login}");
    }
    // Where they sign in depends on the domain, and on nothing else.
    let mut at_studio: Option<Seen> = None;
    let mut elsewhere: Option<Seen> = None;
    for login in known.iter().copied().chain(UNKNOWN) {
        let answer = seen(&kinora.visitor().post(ROUTE, &json!({ "address": login })).await.expect(200));
        let expected = if login.ends_with("@studio.example") { &mut at_studio } else { &mut elsewhere };
        assert_eq!(&answer, expected.get_or_insert_with(|| answer.clone()), "{login}");
    }
    assert_ne!(at_studio, elsewhere);
    // Locked out after as many tries, with the same words.
    let mut locked: Option<Seen> = None;
    for login in ["member@x.example", "nobody-else@x.example"] {
        let _ = execute(kinora, "DELETE FROM sign_in_failures");
        for _ in 0..TRIES {
            let _ = kinora.visitor().sign_in(login, "wrong").await.expect(401);
        }
        let answer = masked(&kinora.visitor().sign_in(login, PASSWORD).await.expect(429));
        assert_eq!(&answer, locked.get_or_insert_with(|| answer.clone()), "{login}");
    }
    assert_eq!(execute(kinora, mails), before, "nobody was written to");
    assert_eq!(relay.mails_to("nobody@x.example"), Vec::<Value>::new());
}

/// A half sign-in of a person's, from the start.
async fn half(kinora: &Kinora, login: &str) -> Client {
    let mut client = kinora.visitor();
    let _ = client.sign_in(login, PASSWORD).await.expect(202);
    client
}

#[tokio::test]
async fn a_half_sign_in_that_is_none_is_answered_alike() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (id, mut ada) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let (_, mut bob) = add_person(&kinora, &mut owner, &own, "bob@x.example", "member").await;
    let _ = enrol_app(&mut ada).await;
    let _ = enrol_app(&mut bob).await;
    let disabled = half(&kinora, "ada@x.example").await;
    let path = format!("/api/data/v1/organisations/{own}/people/{id}");
    let off = json!({ "disabled": true });
    let _ = send(&mut owner, Method::PATCH, &path, &[("If-Match", "*")], Some(&off)).await.expect(200);
    let expired = half(&kinora, "bob@x.example").await;
    let _ = execute(&kinora, "UPDATE pending_sign_ins SET expires_at = now() - interval '1 second'");
    let mut made_up = kinora.visitor();
    made_up.set_cookie("__Host-kinora-pending", &"A".repeat(43));
    let nobody = kinora.visitor();
    for (path, body) in [
        (SECOND.to_owned(), json!({ "code": "123456" })),
        (SECOND.to_owned(), json!({ "recovery_code": "aaaa-bbbb-cccc-dddd" })),
        (SECOND.to_owned(), json!({ "email_code": "12345678" })),
        (format!("{SECOND}/challenge"), json!({})),
        (format!("{SECOND}/email-code"), json!({})),
    ] {
        let mut expected: Option<Seen> = None;
        for (what, client) in
            [("disabled", &disabled), ("expired", &expired), ("made up", &made_up), ("none", &nobody)]
        {
            let answer = client.clone().post(&path, &body).await.expect(401);
            assert_eq!(slug(&answer), "sign-in-required");
            let answer = seen(&answer);
            assert_eq!(&answer, expected.get_or_insert_with(|| answer.clone()), "{path} {what}");
        }
    }
    // No guess was looked at.
    assert_eq!(execute(&kinora, "SELECT 1 FROM factor_tries"), 0);
    assert_eq!(execute(&kinora, "SELECT 1 FROM mail_messages WHERE kind = 'code'"), 0);
}

#[tokio::test]
async fn a_passkey_that_opens_nothing_is_answered_alike() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (id, mut ada) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let mut known = SoftwareKey::new(&kinora.url());
    let _ = known.enrol(&mut owner, "Key").await.expect(201);
    let mut disabled = SoftwareKey::new(&kinora.url());
    let _ = disabled.enrol(&mut ada, "Key").await.expect(201);
    let path = format!("/api/data/v1/organisations/{own}/people/{id}");
    let off = json!({ "disabled": true });
    let _ = send(&mut owner, Method::PATCH, &path, &[("If-Match", "*")], Some(&off)).await.expect(200);
    let unknown = SoftwareKey::new(&kinora.url());
    let forged = SoftwareKey { key: unknown.key.clone(), ..known.clone() };
    let mut expected: Option<Seen> = None;
    for (what, mut key) in [("unknown", unknown), ("known, forged", forged), ("disabled", disabled)] {
        let mut browser = kinora.visitor();
        let signature = key.answer(&mut browser, &format!("{PASSKEY}/challenge")).await;
        let answer = seen(&browser.post(PASSKEY, &signature).await.expect(401));
        assert_eq!(&answer, expected.get_or_insert_with(|| answer.clone()), "{what}");
    }
    // The challenge names nobody's passkeys.
    let asked = kinora.visitor().post(&format!("{PASSKEY}/challenge"), &json!({})).await.expect(200).json();
    assert_eq!(asked["allow"], json!([]));
    // The control.
    let mut browser = kinora.visitor();
    let signature = known.answer(&mut browser, &format!("{PASSKEY}/challenge")).await;
    let _ = browser.post(PASSKEY, &signature).await.expect(200);
}

#[tokio::test]
async fn a_link_that_leads_nowhere_is_answered_alike() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let all = format!("/api/data/v1/organisations/{own}/people");
    let link = async |owner: &mut Client, login: &str| {
        let body = json!({ "login": login, "display_name": "Name", "role": "member" });
        let made = owner.post(&all, &body).await.expect(201).json();
        token_of(&text(&made, "/password_link/url"))
    };
    let expired = link(&mut owner, "expired@x.example").await;
    let _ = execute(&kinora, "UPDATE password_links SET expires_at = now() - interval '1 second'");
    let used = link(&mut owner, "used@x.example").await;
    let (read, set) = ("/api/data/v1/password-link", "/api/data/v1/password-link/password");
    let _ = set_password(&mut kinora.visitor(), &used, PASSWORD).await.expect(204);
    let made_up = "A".repeat(43);
    for path in [read, set] {
        let mut expected: Option<Seen> = None;
        for (what, token) in [("expired", &expired), ("used", &used), ("made up", &made_up)] {
            let mut body = json!({ "token": token });
            if path == set {
                body["password"] = json!(PASSWORD);
            }
            let answer = seen(&kinora.visitor().post(path, &body).await.expect(404));
            assert_eq!(&answer, expected.get_or_insert_with(|| answer.clone()), "{path} {what}");
        }
    }
}

/// By somebody who has signed in, and may invite, but not look at who has accounts.
#[tokio::test]
async fn an_invitation_is_answered_alike() {
    let relay = MailRelay::start().await;
    let kinora = Kinora::builder().applications(1).backends(1).relay(&relay).start().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let production = add_production(&mut owner, &own, "Film").await;
    let other = add_organisation(&mut owner, "Other Studio").await;
    let _ = add_person(&kinora, &mut owner, &other, "known@y.example", "member").await;
    let (id, mut manager) = add_person(&kinora, &mut owner, &own, "manager@x.example", "member").await;
    let member = format!("/api/data/v1/productions/{production}/members/{id}");
    let _ = owner.put(&member, &json!({ "library": "manager" })).await.expect(200);
    let path = format!("/api/data/v1/productions/{production}/invitations");
    let mut told = Vec::new();
    for address in ["known@y.example", "never@y.example"] {
        let body = json!({ "address": address, "roles": { "library": "reader" } });
        let made = manager.post(&path, &body).await.expect(201);
        let value = made.json();
        let id = text(&value, "/id");
        let mut words = vec![id.clone(), address.to_owned()];
        for instant in ["/created_at", "/mailed_at", "/expires_at"] {
            words.extend(value.pointer(instant).and_then(Value::as_str).map(str::to_owned));
        }
        let hide = |answer: Seen| {
            let (status, mut headers, mut text) = answer;
            for word in &words {
                text = text.replace(word, "X");
                for value in headers.values_mut() {
                    *value = value.replace(word, "X");
                }
            }
            (status, headers, text)
        };
        let again = manager.post(&path, &body).await.expect(409);
        let early = manager.post(&format!("{path}/{id}/mail"), &json!({})).await.expect(409);
        told.push([hide(seen(&made)), hide(seen(&again)), hide(seen(&early))]);
        let _ = relay.wait_for(address, 1).await;
    }
    assert_eq!(told[0], told[1]);
}

/// The page asks here before it knows who somebody is; a longer text is refused for its length alone.
#[tokio::test]
async fn what_is_no_login_at_all_is_refused_before_anybody_is_looked_for() {
    let kinora = Kinora::api().await;
    let long = "a".repeat(255);
    for (path, body, pointer) in [
        (SESSION, json!({ "login": long, "password": "x" }), "/login"),
        (SESSION, json!({ "login": "admin@localhost", "password": "x".repeat(1025) }), "/password"),
        (SESSION, json!({ "login": "nobody@localhost", "password": "x".repeat(1025) }), "/password"),
        (ROUTE, json!({ "address": long }), "/address"),
    ] {
        let problem = kinora.visitor().post(path, &body).await.expect(422).json();
        assert_eq!(text(&problem, "/errors/0/pointer"), pointer);
    }
    assert_eq!(execute(&kinora, "SELECT 1 FROM sign_in_failures"), 0);
}
