//! Codes by mail: the weak second factor. Off until owners allow it, for one browser, once, for ten minutes, few of them,
//! counted with the app's codes, never enough to confirm a session.

use futures_util::future::join_all;
use kinora_store::second_factors::budget::TRIES;
use kinora_tests::{Answer, Client, Kinora, KinoraBuilder, MailRelay, wait_until};
use reqwest::Method;
use serde_json::{Value, json};

use super::super::world::{
    PASSWORD, add_organisation, add_person, add_production, execute, organisation_of, send, text,
};
use super::{D, FAST, SECOND, enrol_app, finish, let_steps_pass, sign_in_with_code, slug};

const ADD: &str = "/api/data/v1/account/factors/email-code";
const SEND: &str = "/api/data/v1/session/second-factor/email-code";
const CONFIRM: &str = "/api/data/v1/account/confirmation";
const ADA: &str = "ada@x.example";

struct World {
    // Dropped in this order: the product before its relay.
    kinora: Kinora,
    relay: MailRelay,
    owner: Client,
    organisation: String,
    ada: Client,
    ada_id: String,
}

async fn world(builder: KinoraBuilder) -> World {
    let relay = MailRelay::start().await;
    let kinora = builder.backends(1).relay(&relay).start().await;
    let mut owner = kinora.administrator().await;
    let organisation = organisation_of(&mut owner, "Kinora").await;
    let (ada_id, ada) = add_person(&kinora, &mut owner, &organisation, ADA, "member").await;
    World { kinora, relay, owner, organisation, ada, ada_id }
}

/// Says what an organisation asks for, and whether codes by mail are enough.
async fn ask(owner: &mut Client, organisation: &str, required: bool, allowed: bool) -> Answer {
    let path = format!("{D}/organisations/{organisation}/security");
    let body = json!({ "second_factor_required": required, "email_code_allowed": allowed });
    send(owner, Method::PUT, &path, &[("If-Match", "*")], Some(&body)).await
}

fn code_in(mail: &Value) -> String {
    let plain = text(mail, "/plain");
    let is_code = |line: &&str| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit());
    plain.lines().map(str::trim).find(is_code).unwrap_or_else(|| panic!("no code in {plain}")).to_owned()
}

/// The codes that were sent so far, when there are so many.
async fn codes(relay: &MailRelay, count: usize) -> Vec<String> {
    wait_until(&format!("{count} codes"), async || {
        let is_code =
            |mail: &&Value| mail["subject"].as_str().is_some_and(|text| text.starts_with("Your code to "));
        let codes: Vec<String> = relay.mails_to(ADA).iter().filter(is_code).map(code_in).collect();
        (codes.len() >= count).then_some(codes)
    })
    .await
}

/// As if it were an hour later for the counts of mails.
fn let_an_hour_pass(kinora: &Kinora) {
    let later = "UPDATE email_code_mails SET last_at = last_at - interval '1 hour', \
                 hour_began_at = hour_began_at - interval '1 hour'";
    let _ = execute(kinora, later);
}

/// Adds codes by mail to ada's account.
async fn enrol(world: &mut World) {
    let _ = world.ada.post(ADD, &json!({})).await.expect(200);
    let code = codes(&world.relay, 1).await.remove(0);
    let _ = world.ada.put(ADD, &json!({ "email_code": code })).await.expect(204);
    let_an_hour_pass(&world.kinora);
}

/// A browser in which ada has given the password, at an instance.
async fn half(kinora: &Kinora, instance: usize) -> Client {
    let mut client = kinora.visitor().at(&kinora.url_of(instance));
    let _ = client.sign_in(ADA, PASSWORD).await.expect(202);
    client
}

#[tokio::test]
async fn a_code_by_mail_is_added_where_it_is_allowed_and_finishes_a_sign_in() {
    let mut world = world(Kinora::builder().applications(1)).await;
    let factors = format!("{D}/account/factors");
    let before = world.ada.get(&factors).await.expect(200).json();
    assert_eq!((&before["email_codes_allowed"], &before["email_codes"]), (&json!(false), &Value::Null));
    assert_eq!(slug(&world.ada.post(ADD, &json!({})).await.expect(409)), "conflict");
    let _ = ask(&mut world.ada, &world.organisation, false, true).await.expect(403);
    let allowed = ask(&mut world.owner, &world.organisation, false, true).await.expect(200).json();
    assert_eq!(allowed["email_code_allowed"], true);
    assert_eq!(world.ada.get(&factors).await.expect(200).json()["email_codes_allowed"], true);

    let mut elsewhere = world.kinora.visitor();
    let _ = elsewhere.sign_in(ADA, PASSWORD).await.expect(200);
    let _ = world.ada.post(ADD, &json!({})).await.expect(200);
    let first = codes(&world.relay, 1).await.remove(0);
    let is_first = |mail: &Value| mail["subject"] == "Your code to confirm this address";
    assert_eq!(world.relay.mails_to(ADA).iter().filter(|mail| is_first(mail)).count(), 1);
    let wrong = if first == "00000000" { "00000001" } else { "00000000" };
    for bad in [wrong, "123456", "1234567x"] {
        let problem = world.ada.put(ADD, &json!({ "email_code": bad })).await.expect(422).json();
        assert_eq!(text(&problem, "/errors/0/pointer"), "/email_code", "{bad}");
    }
    // Not in another session of the same person.
    let _ = elsewhere.put(ADD, &json!({ "email_code": first })).await.expect(422);
    let typed = format!(" {} {}", &first[..4], &first[4..]);
    let _ = world.ada.put(ADD, &json!({ "email_code": typed })).await.expect(204);
    let _ = world.ada.put(ADD, &json!({ "email_code": first })).await.expect(422);
    assert!(world.ada.get(&factors).await.expect(200).json()["email_codes"]["created_at"].is_string());
    let _ = elsewhere.get(&format!("{D}/session")).await.expect(401);
    let_an_hour_pass(&world.kinora);

    let mut browser = world.kinora.visitor();
    let second = browser.sign_in(ADA, PASSWORD).await.expect(202).json();
    assert_eq!(second["factors"], json!({ "authenticator": false, "passkey": false, "email_code": true }));
    assert!(browser.cookie("__Host-kinora").is_none());
    let named = [("User-Agent", "Lynx on a <telex>")];
    let _ = send(&mut browser, Method::POST, SEND, &named, Some(&json!({}))).await.expect(200);
    let code = codes(&world.relay, 2).await.remove(1);
    let mail = world.relay.mails_to(ADA).into_iter().find(|mail| mail["subject"] == "Your code to sign in");
    let mail = mail.unwrap();
    for part in ["/plain", "/html"] {
        let words = text(&mail, part);
        for said in [code.as_str(), "127.0.0.1", "UTC", "Lynx on a", "minutes and works once"] {
            assert!(words.contains(said), "{said}: {words}");
        }
    }
    assert!(text(&mail, "/headers/Expires").contains(':'), "{mail}");
    let session = finish(&mut browser, &json!({ "email_code": code })).await.expect(200).json();
    assert_eq!(session["person"]["login"], ADA);
    assert_eq!(session["confirmed_until"], Value::Null);

    // It confirms nothing; the password does, of somebody without a better factor.
    let tokens = format!("{D}/account/tokens");
    assert_eq!(slug(&browser.post(&tokens, &json!({ "name": "t" })).await.expect(403)), "step-up-required");
    let _ = browser.post(CONFIRM, &json!({ "email_code": code })).await.expect(422);
    let _ = browser.post(CONFIRM, &json!({ "password": PASSWORD })).await.expect(200);
    let _ = browser.post(&tokens, &json!({ "name": "t" })).await.expect(201);

    let trail = world.owner.get(&format!("{D}/organisations/{}/audit", world.organisation)).await.json();
    let rows = trail["items"].as_array().unwrap();
    let has = |action: &str, words: &str| {
        rows.iter().any(|row| row["action"] == action && row.to_string().contains(words))
    };
    assert!(has("email_code.sent", "second_factor") && has("email_code.sent", "enrol"), "{trail}");
    assert!(has("factor.added", "email_code") && has("session.begun", "email_code"), "{trail}");
    assert!(has("organisation.security_changed", "email_code_allowed"), "{trail}");
    wait_until("the letters are wiped", async || {
        (execute(&world.kinora, "SELECT 1 FROM mail_messages WHERE letter IS NOT NULL") == 0).then_some(())
    })
    .await;
    for table in
        ["email_codes", "email_factors", "mail_messages", "audit_rows", "sessions", "idempotency_keys"]
    {
        for secret in [&code, &first] {
            let find = format!("SELECT 1 FROM {table} t WHERE t::text LIKE '%{secret}%'");
            assert_eq!(execute(&world.kinora, &find), 0, "{secret} is in {table}");
        }
    }
    let logs = world.kinora.application(0).log() + &world.kinora.backend(0).log();
    assert!(!logs.contains(&code) && !logs.contains(&first));
    let _ = browser.delete(ADD).await.expect(204);
    let _ = browser.delete(ADD).await.expect(404);
    let _ = world.kinora.visitor().sign_in(ADA, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_code_by_mail_is_for_one_browser_and_for_ten_minutes_and_once() {
    let mut world = world(Kinora::builder().applications(2)).await;
    let _ = ask(&mut world.owner, &world.organisation, false, true).await.expect(200);
    enrol(&mut world).await;
    let (mut first, mut second) = (half(&world.kinora, 0).await, half(&world.kinora, 1).await);
    let _ = first.post(SEND, &json!({})).await.expect(200);
    let code = codes(&world.relay, 2).await.remove(1);
    let _ = finish(&mut second, &json!({ "email_code": code })).await.expect(422);
    // A newer one takes its place.
    let_an_hour_pass(&world.kinora);
    let _ = first.post(SEND, &json!({})).await.expect(200);
    let newer = codes(&world.relay, 3).await.remove(2);
    let _ = finish(&mut first, &json!({ "email_code": code })).await.expect(422);
    // Too old, by the database's rows: it was made ten minutes before it ends.
    let rows = "SELECT 1 FROM email_codes WHERE expires_at <= now() + interval '10 minutes' \
                AND expires_at > now() + interval '8 minutes'";
    assert_eq!(execute(&world.kinora, rows), 1);
    let _ = execute(&world.kinora, "UPDATE email_codes SET expires_at = now() - interval '1 second'");
    let _ = finish(&mut first, &json!({ "email_code": newer })).await.expect(422);
    let _ = execute(&world.kinora, "DELETE FROM factor_tries");
    // Once, whichever instance is asked.
    let_an_hour_pass(&world.kinora);
    let _ = first.post(SEND, &json!({})).await.expect(200);
    let last = codes(&world.relay, 4).await.remove(3);
    let body = json!({ "email_code": last });
    let mut all: Vec<Client> = (0..4).map(|number| first.at(&world.kinora.url_of(number % 2))).collect();
    let answers = join_all(all.iter_mut().map(|client| client.post(SECOND, &body))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses[1..].iter().all(|status| [401, 422].contains(status)), "{statuses:?}");
}

#[tokio::test]
async fn guesses_at_codes_by_mail_and_at_those_of_the_app_are_counted_together() {
    let mut world = world(Kinora::builder().applications(2).settings("application", FAST)).await;
    let _ = ask(&mut world.owner, &world.organisation, false, true).await.expect(200);
    let (app, recovery) = enrol_app(&mut world.ada).await;
    enrol(&mut world).await;
    let_steps_pass(&world.kinora);
    let mut browser = half(&world.kinora, 0).await;
    let _ = browser.post(SEND, &json!({})).await.expect(200);
    let code = codes(&world.relay, 2).await.remove(1);
    let guesses = (0..40_u32).map(|number| {
        let mut client = browser.at(&world.kinora.url_of(usize::try_from(number % 2).unwrap()));
        let guess = format!("{:08}", (code.parse::<u32>().unwrap() + 1 + number) % 100_000_000);
        let body = if number % 4 < 2 {
            json!({ "email_code": guess })
        } else {
            json!({ "code": app.wrong_code(number) })
        };
        async move { client.post(SECOND, &body).await.status.as_u16() }
    });
    let statuses = join_all(guesses).await;
    let looked_at = statuses.iter().filter(|status| **status == 422).count();
    assert_eq!(looked_at, TRIES as usize, "{statuses:?}");
    // Neither right code is looked at now; what has a budget of its own is.
    let locked = browser.post(SECOND, &json!({ "email_code": code })).await.expect(429);
    assert_eq!(slug(&locked), "locked");
    let _ = browser.post(SECOND, &json!({ "code": app.code() })).await.expect(429);
    let _ = finish(&mut browser, &json!({ "recovery_code": recovery[0] })).await.expect(200);
}

#[tokio::test]
async fn a_code_by_mail_counts_while_every_organisation_that_asks_for_more_than_a_password_allows_it() {
    let mut world = world(Kinora::builder().applications(1)).await;
    let other = add_organisation(&mut world.owner, "Other Studio").await;
    let _ = enrol_app(&mut world.owner).await;
    let film = add_production(&mut world.owner, &world.organisation, "Film").await;
    let elsewhere = add_production(&mut world.owner, &other, "Elsewhere").await;
    let member = format!("{D}/productions/{film}/members/{}", world.ada_id);
    let _ = world.owner.put(&member, &json!({ "library": "reader" })).await.expect(200);
    let _ = ask(&mut world.owner, &world.organisation, true, true).await.expect(200);
    let list = format!("{D}/productions/{film}/assets");
    assert_eq!(slug(&world.ada.get(&list).await.expect(403)), "second-factor-required");
    enrol(&mut world).await;
    let _ = world.ada.get(&list).await.expect(200);
    // The last factor stays while one is asked for.
    let _ = world.ada.delete(ADD).await.expect(409);
    let stream =
        |client: &Client| client.request(Method::GET, &format!("{D}/productions/{film}/events")).send();
    let open = stream(&world.ada).await.unwrap();
    assert_eq!(open.status(), 200);

    // Another organisation that asks and does not allow it, whose guest ada becomes.
    let _ = ask(&mut world.owner, &other, true, false).await.expect(200);
    let guest = format!(
        "INSERT INTO production_members (production_id, person_id, library_role) VALUES ('{elsewhere}', '{}', 'reader')",
        world.ada_id
    );
    let _ = execute(&world.kinora, &guest);
    wait_until("the code counts no more", async || {
        let answer = world.ada.get(&list).await;
        (answer.status == 403 && slug(&answer) == "second-factor-required").then_some(())
    })
    .await;
    let end = tokio::time::timeout(kinora_tests::DEADLINE, open.bytes()).await;
    assert!(end.is_ok(), "the stream goes on");
    let session = world.kinora.visitor().sign_in(ADA, PASSWORD).await.expect(200).json();
    assert_eq!(
        (&session["factors"]["email_code"], &session["second_factor_required"]),
        (&json!(false), &json!(true))
    );
    let allowed = world.ada.get(&format!("{D}/account/factors")).await.expect(200).json();
    assert_eq!(allowed["email_codes_allowed"], false);

    // It allows it, too; or asks for nothing.
    for (required, allowed) in [(true, true), (true, false), (false, false)] {
        let _ = ask(&mut world.owner, &other, required, allowed).await.expect(200);
        let expected = if required && !allowed { 403 } else { 200 };
        wait_until("that is noticed", async || (world.ada.get(&list).await.status == expected).then_some(()))
            .await;
    }
}

#[tokio::test]
async fn who_came_in_with_a_code_by_mail_has_shown_nothing_better() {
    let mut world = world(Kinora::builder().applications(1)).await;
    let _ = ask(&mut world.owner, &world.organisation, false, true).await.expect(200);
    let (app, _) = enrol_app(&mut world.ada).await;
    enrol(&mut world).await;
    let_steps_pass(&world.kinora);
    let mut by_mail = half(&world.kinora, 0).await;
    let _ = by_mail.post(SEND, &json!({})).await.expect(200);
    let code = codes(&world.relay, 2).await.remove(1);
    let _ = finish(&mut by_mail, &json!({ "email_code": code })).await.expect(200);
    let mut by_app = world.kinora.visitor();
    let _ = sign_in_with_code(&mut by_app, ADA, PASSWORD, &app.code()).await.expect(200);

    // Neither the password nor a code by mail confirms for somebody with an app.
    let_an_hour_pass(&world.kinora);
    let tokens = format!("{D}/account/tokens");
    let _ = by_mail.post(&tokens, &json!({ "name": "t" })).await.expect(403);
    let _ = by_mail.post(CONFIRM, &json!({ "password": PASSWORD })).await.expect(422);
    let _ = by_mail.post(CONFIRM, &json!({ "email_code": code })).await.expect(422);
    let _ = by_app.post(&tokens, &json!({ "name": "t" })).await.expect(201);

    // The organisation asks for more, and sees it in the session.
    let _ = enrol_app(&mut world.owner).await;
    let _ = ask(&mut world.owner, &world.organisation, true, false).await.expect(200);
    let read = format!("{D}/organisations/{}", world.organisation);
    wait_until("the session by mail is shut out", async || {
        (by_mail.get(&read).await.status == 403).then_some(())
    })
    .await;
    let _ = by_app.get(&read).await.expect(200);

    // Nor does it break the glass, where single sign-on is required.
    let _ = ask(&mut world.owner, &world.organisation, false, true).await.expect(200);
    wait_until("it counts again", async || (by_mail.get(&read).await.status == 200).then_some(())).await;
    let glass = format!(
        "UPDATE organisation_members SET role = 'owner', break_glass = true WHERE person_id = '{}'",
        world.ada_id
    );
    let _ = execute(&world.kinora, &glass);
    let _ = execute(&world.kinora, "UPDATE organisations SET sso_required = true");
    wait_until("the session by mail does not reach it", async || {
        let answer = by_mail.get(&read).await;
        (answer.status == 403 && slug(&answer) == "single-sign-on-required").then_some(())
    })
    .await;
    let _ = by_app.get(&read).await.expect(200);
    let mut again = half(&world.kinora, 0).await;
    let _ = again.post(SEND, &json!({})).await.expect(200);
    let code = codes(&world.relay, 3).await.remove(2);
    let _ = finish(&mut again, &json!({ "email_code": code })).await.expect(200);
    let _ = again.get(&read).await.expect(403);
    assert_eq!(execute(&world.kinora, "SELECT 1 FROM audit_rows WHERE action = 'break_glass.used'"), 0);
}

#[tokio::test]
async fn few_codes_are_sent_and_none_without_the_password() {
    let mut world = world(Kinora::builder().applications(1)).await;
    let _ = ask(&mut world.owner, &world.organisation, false, true).await.expect(200);
    // Nobody who has not given the password, and nobody without this factor, causes a mail.
    let _ = world.kinora.visitor().post(SEND, &json!({})).await.expect(401);
    let _ = enrol_app(&mut world.ada).await;
    let mut browser = half(&world.kinora, 0).await;
    let _ = browser.post(SEND, &json!({})).await.expect(403);
    let unknown = world.kinora.visitor().sign_in("nobody@x.example", PASSWORD).await;
    assert_eq!(unknown.status, 401);
    assert_eq!(execute(&world.kinora, "SELECT 1 FROM mail_messages WHERE kind = 'code'"), 0);
    enrol(&mut world).await;
    let mut browser = half(&world.kinora, 0).await;
    for number in 0..5 {
        let _ = browser.post(SEND, &json!({})).await.expect(200);
        let soon = browser.post(SEND, &json!({})).await.expect(429);
        assert_eq!(slug(&soon), "rate-limited");
        let wait: u64 = soon.header("retry-after").unwrap().parse().unwrap();
        let longest = if number < 4 { 61 } else { 3601 };
        assert!((1..=longest).contains(&wait), "{number}: {wait}");
        let _ =
            execute(&world.kinora, "UPDATE email_code_mails SET last_at = last_at - interval '2 minutes'");
    }
    let enough = browser.post(SEND, &json!({})).await.expect(429);
    assert!(enough.header("retry-after").unwrap().parse::<u64>().unwrap() > 61);
    let_an_hour_pass(&world.kinora);
    let _ = browser.post(SEND, &json!({})).await.expect(200);
    // Whoever has lost everything begins anew: an administrator takes it away.
    let person = format!("{D}/organisations/{}/people/{}", world.organisation, world.ada_id);
    let _ = world.owner.delete(&format!("{person}/factors")).await.expect(204);
    assert_eq!(execute(&world.kinora, "SELECT 1 FROM email_factors"), 0);
    let _ = browser.post(SEND, &json!({})).await.expect(401);
}
