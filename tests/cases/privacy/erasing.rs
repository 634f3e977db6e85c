//! Erasing somebody who did everything there is to do: nothing of theirs remains, and the audit trail holds.

use kinora_store::audit::{self, Verdict};
use kinora_tests::{Client, Kinora, MailRelay};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::remains::{count, dump, expect_intact, lines_with};
use crate::accounts::factors::{enrol_app, let_steps_pass, sign_in_with_code};
use crate::accounts::world::{
    PASSWORD, add_organisation, add_person, add_production, add_things, execute, organisation_of, send,
    set_password, text, token_of,
};
use crate::single_sign_on::studio::Studio;

const D: &str = "/api/data/v1";
const ADDRESS: &str = "198.51.100.77";

/// A visitor with an address and a browser that nobody else has.
fn browser(kinora: &Kinora, mark: &str) -> Client {
    kinora
        .visitor()
        .with_header("X-Forwarded-For", ADDRESS)
        .with_header("User-Agent", &format!("Mozilla/5.0 ({mark} Machine)"))
}

fn token_in(mail: &Value, page: &str) -> String {
    let plain = text(mail, "/plain");
    let line = plain.lines().find(|line| line.contains(page)).unwrap_or_else(|| panic!("{plain}"));
    line.rsplit(['#', '/']).next().unwrap().to_owned()
}

/// Somebody whose every value bears a mark.
struct Canary {
    mark: String,
    id: String,
    /// What they sign in with at the end.
    login: String,
    client: Client,
    /// What opens something and was given to them on the way.
    secrets: Vec<String>,
}

/// Somebody is added, and does everything that a person can do here.
async fn live(studio: &mut Studio, relay: &MailRelay, production: &str) -> Canary {
    let mark = format!("kanarie{}", &Uuid::new_v4().simple().to_string()[..10]);
    let first = format!("{mark}.first@studio.example");
    let people = format!("{D}/organisations/{}/people", studio.organisation);
    let new = json!({ "login": first, "display_name": format!("Karl {mark}"), "role": "member" });
    let made = studio.owner.post(&people, &new).await.expect(201).json();
    let id = text(&made, "/person/id");
    let one = format!("{people}/{id}");
    let url = text(&made, "/password_link/url");
    let link = token_of(&url);
    let mut client = browser(&studio.kinora, &mark);
    let _ = set_password(&mut client, &link, PASSWORD).await.expect(204);
    let _ = client.sign_in(&first, PASSWORD).await.expect(200);
    let member = format!("{D}/productions/{production}/members/{id}");
    let roles = json!({ "library": "manager", "office": "manager" });
    let _ = studio.owner.put(&member, &roles).await.expect(200);

    // Another name, another address, and once more by an administrator.
    let rename = json!({ "display_name": format!("Karla {mark}") });
    let _ = client.patch(&format!("{D}/account"), &rename).await.expect(200);
    let second = format!("{mark}.second@studio.example");
    let _ = client.post(&format!("{D}/account/address"), &json!({ "address": second })).await.expect(200);
    let mails = relay.wait_for(&second, 1).await;
    let secret = token_in(&mails[0], "/confirm-address#");
    let token = json!({ "token": secret });
    let _ = client.post(&format!("{D}/address-confirmation"), &token).await.expect(204);
    let login = format!("{mark}.third@studio.example");
    let right = json!({ "login": login, "display_name": format!("Karoline {mark}") });
    let _ =
        send(&mut studio.owner, Method::PATCH, &one, &[("If-Match", "*")], Some(&right)).await.expect(200);
    // One that is never confirmed.
    let never = format!("{mark}.never@studio.example");
    let _ = execute(&studio.kinora, "UPDATE address_changes SET created_at = created_at - interval '1 hour'");
    let _ = client.post(&format!("{D}/account/address"), &json!({ "address": never })).await.expect(200);

    things_of_an_account(studio, &mut client, (&mark, &login, &one)).await;
    work(studio, &mut client, (&mark, &id, production)).await;
    Canary { mark, id, login, client, secrets: vec![link, secret] }
}

/// Tokens, factors, wrong passwords and codes, the studio account.
async fn things_of_an_account(
    studio: &mut Studio,
    client: &mut Client,
    (mark, login, one): (&str, &str, &str),
) {
    let token = json!({ "name": format!("{mark} laptop") });
    let key = format!("{mark}-key");
    let path = format!("{D}/account/tokens");
    let made = send(client, Method::POST, &path, &[("Idempotency-Key", &key)], Some(&token)).await;
    let made = made.expect(201).json();
    let mut script = Client::with_token(&studio.kinora.url(), &text(&made, "/secret"))
        .with_header("X-Forwarded-For", ADDRESS)
        .with_header("User-Agent", mark);
    let _ = script.get(&format!("{D}/productions")).await.expect(200);
    let gone = format!("{D}/account/tokens/{}", text(&made, "/token/id"));
    let _ = client.post(&path, &json!({ "name": format!("{mark} desk") })).await.expect(201);
    let _ = client.delete(&gone).await.expect(204);
    let _ = client.get(&format!("{D}/account/personal-data")).await.expect(200);

    // Through the provider, before there is a second factor here.
    let person =
        json!({ mark: { "displayName": [format!("Karoline {mark}")], "mail": [login], "groups": [mark] } });
    studio.set_people(&person).await;
    let mut other = browser(&studio.kinora, mark);
    let answer = studio.try_sign_in(&mut other, mark).await;
    assert_eq!(answer.header("location"), Some("/"), "{}", studio.last_refusal());
    let mut lost = browser(&studio.kinora, mark);
    let form = studio.begin(&mut lost, mark).await;
    // Nobody knows whose attempt that is: so it is a stranger's, and goes when attempts do.
    let _ = studio.post(&mut studio.kinora.visitor(), &form).await.expect(303);

    let (app, _) = enrol_app(client).await;
    let mut wrong = browser(&studio.kinora, mark);
    let_steps_pass(&studio.kinora);
    let _ = sign_in_with_code(&mut wrong, login, PASSWORD, &app.wrong_code(1)).await.expect(422);
    let_steps_pass(&studio.kinora);
    let _ = sign_in_with_code(&mut wrong, login, PASSWORD, &app.code()).await.expect(200);
    let change = json!({ "current_password": PASSWORD, "new_password": "purple tuba meridian 41" });
    let _ = client.put(&format!("{D}/account/password"), &change).await.expect(204);
    let _ = studio.owner.post(&format!("{one}/password-link"), &json!({})).await.expect(201);
    // Until the login is locked.
    let mut guesser = browser(&studio.kinora, mark);
    for _ in 0..10 {
        let _ = guesser.sign_in(login, "not the password").await;
    }
    let _ = guesser.sign_in(login, "not the password").await.expect(429);
}

/// Uploads, an asset, an invitation that waits, a mail that failed.
async fn work(studio: &mut Studio, client: &mut Client, (mark, id, production): (&str, &str, &str)) {
    let things = add_things(&studio.kinora, production, id);
    for table in ["assets", "versions", "runs"] {
        let by = format!("UPDATE {table} SET created_by = '{id}' WHERE production_id = '{production}'");
        assert!(execute(&studio.kinora, &by) > 0, "{table}");
    }
    let asset = format!("{D}/assets/{}", things.asset);
    let name = json!({ "name": "A001 again" });
    let _ = send(client, Method::PATCH, &asset, &[("If-Match", "*")], Some(&name)).await.expect(200);
    let invitations = format!("{D}/productions/{production}/invitations");
    let guest = json!({ "address": "guest@x.example", "roles": { "library": "reader" } });
    let _ = client.post(&invitations, &guest).await.expect(201);
    // Letters and attempts in which they are named, and which are somebody else's.
    let organisation = &studio.organisation;
    let _ = execute(
        &studio.kinora,
        &format!(
            "INSERT INTO mail_messages (id, organisation_id, recipient, kind, letter, state, ended_at, last_error) VALUES \
             (gen_random_uuid(), '{organisation}', 'owner@x.example', 'break_glass', \
              '{{\"kind\": \"break_glass\", \"login\": \"{mark}.third@studio.example\", \"address\": \"{ADDRESS}\", \
                \"device\": \"Mozilla/5.0 ({mark} Machine)\"}}', 'failed', now(), \
              '550 <{mark}.first@studio.example> is unknown')"
        ),
    );
    let _ = execute(
        &studio.kinora,
        &format!(
            "INSERT INTO saml_attempts (id, connection_id, purpose, refusal, detail, findings) VALUES \
             (gen_random_uuid(), '{}', 'sign_in', 'foreign_address', 'for {mark}.second@studio.example', \
              '[{{\"name\": \"Karoline {mark}\"}}]')",
            studio.connection.id
        ),
    );
}

#[tokio::test]
async fn nothing_of_an_erased_person_remains_and_the_trail_is_intact() {
    let relay = MailRelay::start().await;
    let builder = Kinora::builder().applications(1).backends(1).relay(&relay);
    let mut studio = Studio::build(builder).await;
    let organisation = studio.organisation.clone();
    let production = add_production(&mut studio.owner, &organisation, "Nordlicht").await;
    let mut canary = live(&mut studio, &relay, &production).await;
    let marks = [canary.mark.clone(), ADDRESS.to_owned()];
    let marks: Vec<&str> = marks.iter().map(String::as_str).collect();
    // The search finds what is there: in many tables.
    let before = lines_with(&dump(&studio.kinora), &marks);
    let mut tables: Vec<&str> = before.iter().filter_map(|line| line.split_whitespace().nth(2)).collect();
    tables.sort_unstable();
    tables.dedup();
    for table in ["people", "sessions", "audit_rows", "mail_messages", "access_tokens", "address_changes"] {
        assert!(tables.contains(&format!("public.{table}").as_str()), "{table} is not in {tables:?}");
    }
    expect_intact(&studio.kinora);

    let path = format!("{D}/organisations/{organisation}/people/{}/erasure", canary.id);
    let _ = studio.owner.post(&path, &json!({ "login": "somebody@else.example" })).await.expect(422);
    let report = studio.owner.post(&path, &json!({ "login": canary.login })).await.expect(200).json();
    assert_eq!((&report["extent"], &report["asked_by"]), (&json!("whole"), &json!("organisation")));
    let done = |table: &str, done: &str| {
        let rows = report["report"].as_array().unwrap();
        let found = rows.iter().find(|row| row["table"] == table && row["done"] == done);
        found.and_then(|row| row["rows"].as_i64()).unwrap_or(0)
    };
    for table in [
        "sessions",
        "access_tokens",
        "totp_factors",
        "recovery_codes",
        "known_browsers",
        "saml_identities",
        "organisation_members",
        "production_members",
        "mail_messages",
        "uploads",
        "sign_in_failures",
        "address_changes",
        "password_links",
        "idempotency_keys",
        "saml_attempts",
    ] {
        assert!(done(table, "deleted") > 0, "{table}: {report}");
    }
    assert_eq!((done("people", "pseudonymised"), done("assets", "kept")), (1, 1), "{report}");
    assert!(done("audit_rows", "pseudonymised") > 10, "{report}");

    // At once, everywhere.
    let _ = canary.client.get(&format!("{D}/session")).await.expect(401);
    let _ = studio.kinora.visitor().sign_in(&canary.login, "purple tuba meridian 41").await.expect(401);
    let remains = lines_with(&dump(&studio.kinora), &marks);
    assert!(remains.is_empty(), "{} lines remain:\n{}", remains.len(), remains.join("\n"));
    expect_intact(&studio.kinora);

    // Nor was it ever logged, name or link.
    let logs = [studio.kinora.application(0).log(), studio.kinora.backend(0).log()].concat();
    assert!(logs.contains("listening"), "there is a log");
    for kept in canary.secrets.iter().chain([&canary.mark]) {
        assert!(!logs.contains(kept.as_str()), "{kept} is in a log");
    }

    // What they made is there, under the opaque id.
    let list = studio.owner.get(&format!("{D}/organisations/{organisation}/audit?limit=200")).await.json();
    let rows = list["items"].as_array().unwrap();
    let erased = rows.iter().find(|row| row["action"] == "person.erased").expect("the act");
    assert_eq!((&erased["actor"], &erased["subject_id"]), (&json!("admin@localhost"), &json!(canary.id)));
    let theirs: Vec<&Value> = rows.iter().filter(|row| row["actor_id"] == canary.id.as_str()).collect();
    let name = text(erased, "/subject");
    assert!(name.starts_with("Erased person ") && theirs.len() > 5, "{name}");
    assert!(
        theirs
            .iter()
            .all(|row| row["actor"] == name.as_str() && row["address"].is_null() && row["erased"] == true)
    );
    assert!(
        theirs.iter().any(|row| row["action"] == "asset.renamed" && row["after"]["name"] == "A001 again")
    );
    // The report is kept; nobody can be erased twice.
    let stored =
        studio.owner.get(&format!("{D}/organisations/{organisation}/erasures")).await.expect(200).json();
    assert_eq!(stored["items"][0], report);
    let one = format!("{D}/organisations/{organisation}/erasures/{}", text(&report, "/id"));
    assert_eq!(studio.owner.get(&one).await.expect(200).json(), report);
    let _ = studio.owner.post(&path, &json!({ "login": canary.login })).await.expect(404);
    // Erased is not altered: what was not erased is covered as before, and an erasure that nobody asked for shows.
    let row = "WHERE action = 'asset.renamed'";
    let _ = execute(&studio.kinora, &format!("UPDATE audit_rows SET after = '{{\"name\": \"B\"}}' {row}"));
    assert!(matches!(audit::verify(&mut studio.kinora.connect()).unwrap(), Verdict::Altered(_)));
}

#[tokio::test]
async fn a_row_that_names_an_erasure_nobody_recorded_is_altered() {
    let kinora = Kinora::api().await;
    let _ = kinora.administrator().await;
    expect_intact(&kinora);
    let hidden = "UPDATE audit_rows SET actor = 'Erased person 1', erasures = ARRAY[gen_random_uuid()], \
                  salts = overlay(salts PLACING decode(repeat('00', 16), 'hex') FROM 1) WHERE sequence = 2";
    assert_eq!(execute(&kinora, hidden), 1);
    assert_eq!(audit::verify(&mut kinora.connect()).unwrap(), Verdict::Altered(2));
}

#[tokio::test]
async fn one_erases_oneself_and_the_only_owner_is_told_why_not() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let erasure = format!("{D}/account/erasure");
    let refused = owner.post(&erasure, &json!({ "login": "admin@localhost" })).await.expect(409).json();
    assert!(text(&refused, "/detail").starts_with("The only owner of Kinora cannot be erased"), "{refused}");
    let (id, mut ada) = add_person(&kinora, &mut owner, &own, "ada.byron@x.example", "member").await;
    let mark = ["ada.byron@x.example"];
    let _ = ada.post(&erasure, &json!({ "login": "bob@x.example" })).await.expect(422);
    // A session that was not confirmed for some time, and a token, do not do.
    let made = ada.post(&format!("{D}/account/tokens"), &json!({ "name": "t" })).await.expect(201).json();
    let mut script = Client::with_token(&kinora.url(), &text(&made, "/secret"));
    let _ = script.post(&erasure, &json!({ "login": "ada.byron@x.example" })).await.expect(403);
    let _ = execute(&kinora, "UPDATE sessions SET confirmed_at = confirmed_at - interval '11 minutes'");
    let mut stale = ada.clone();
    kinora_tests::wait_until("the session is read anew", async || {
        let answer = stale.post(&erasure, &json!({ "login": "nobody@x.example" })).await;
        (answer.status == 403).then_some(())
    })
    .await;
    let _ = execute(&kinora, "UPDATE sessions SET confirmed_at = now()");
    let report = kinora_tests::wait_until("the confirmed session may", async || {
        let answer = ada.post(&erasure, &json!({ "login": "Ada.Byron@x.example" })).await;
        (answer.status == 200).then(|| answer.json())
    })
    .await;
    assert_eq!((&report["asked_by"], &report["person_id"]), (&json!("person"), &json!(id)));
    let _ = ada.get(&format!("{D}/session")).await.expect(401);
    let _ = script.get(&format!("{D}/productions")).await.expect(401);
    assert_eq!(lines_with(&dump(&kinora), &mark), Vec::<String>::new());
    expect_intact(&kinora);
    // The organisation is told, by opaque id.
    let list = owner.get(&format!("{D}/organisations/{own}/erasures")).await.expect(200).json();
    assert_eq!(list["items"][0]["person_id"], id.as_str());
    // The address is free again.
    let (again, _) = add_person(&kinora, &mut owner, &own, "ada.byron@x.example", "member").await;
    assert_ne!(again, id);
}

#[tokio::test]
async fn an_organisation_erases_its_part_of_a_guest_of_others() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let other = add_organisation(&mut owner, "Other Studio").await;
    let (_, mut other_owner) = add_person(&kinora, &mut owner, &other, "other@o.example", "owner").await;
    let admin = text(&owner.get(&format!("{D}/session")).await.json(), "/person/id");
    let leave = format!("{D}/organisations/{other}/people/{admin}");
    let _ = send(&mut owner, Method::DELETE, &leave, &[], None).await.expect(204);
    let (guest, mut client) =
        add_person(&kinora, &mut other_owner, &other, "guest.one@o.example", "member").await;
    let (here, there) = (
        add_production(&mut owner, &own, "Here").await,
        add_production(&mut other_owner, &other, "There").await,
    );
    for production in [&here, &there] {
        let _ = execute(
            &kinora,
            &format!(
                "INSERT INTO production_members (production_id, person_id, library_role) VALUES ('{production}', '{guest}', 'editor')"
            ),
        );
    }
    let (asset_here, asset_there) = (add_things(&kinora, &here, &guest), add_things(&kinora, &there, &guest));
    let _ = execute(&kinora, &format!("UPDATE assets SET created_by = '{guest}'"));
    for asset in [&asset_here.asset, &asset_there.asset] {
        let path = format!("{D}/assets/{asset}");
        let name = json!({ "name": "Seen" });
        let answer = kinora_tests::wait_until("the roles are known", async || {
            let answer = send(&mut client, Method::PATCH, &path, &[("If-Match", "*")], Some(&name)).await;
            (answer.status == 200).then_some(answer)
        });
        let _ = answer.await;
    }

    let held = owner
        .get(&format!("{D}/organisations/{own}/personal-data/people?q=guest.one"))
        .await
        .expect(200)
        .json();
    assert_eq!((&held["items"][0]["id"], &held["items"][0]["role"]), (&json!(guest), &Value::Null));
    let path = format!("{D}/organisations/{own}/people/{guest}/erasure");
    let body = json!({ "login": "guest.one@o.example" });
    let report = owner.post(&path, &body).await.expect(200).json();
    assert_eq!(report["extent"], "organisation", "{report}");
    let stand_in = text(&report, "/stands_for");
    assert_ne!(stand_in, guest);
    // Here they are gone, there nothing has changed.
    let _ = owner.post(&path, &body).await.expect(404);
    let seen = client.get(&format!("{D}/productions")).await.expect(200).json();
    let names: Vec<&str> =
        seen["items"].as_array().unwrap().iter().filter_map(|item| item["name"].as_str()).collect();
    assert_eq!(names, ["There"]);
    assert_eq!(count(&kinora, &format!("SELECT 1 FROM assets WHERE created_by = '{stand_in}'")), 1);
    assert_eq!(count(&kinora, &format!("SELECT 1 FROM assets WHERE created_by = '{guest}'")), 1);
    assert_eq!(count(&kinora, &format!("SELECT 1 FROM uploads WHERE person_id = '{guest}'")), 1);
    let named = |organisation: &str| {
        let rows = format!(
            "SELECT 1 FROM audit_rows r WHERE organisation_id = '{organisation}' AND r::text LIKE '%guest.one%'"
        );
        count(&kinora, &rows)
    };
    assert_eq!(named(&own), 0);
    assert!(named(&other) > 0);
    expect_intact(&kinora);
    let told = other_owner.get(&format!("{D}/organisations/{other}/erasures")).await.expect(200).json();
    assert_eq!(told["items"], json!([]));
    // Their own organisation erases the account itself.
    let path = format!("{D}/organisations/{other}/people/{guest}/erasure");
    let report = other_owner.post(&path, &body).await.expect(200).json();
    assert_eq!(report["extent"], "whole");
    assert_eq!(lines_with(&dump(&kinora), &["guest.one@o.example"]), Vec::<String>::new());
    expect_intact(&kinora);
}

#[tokio::test]
async fn those_who_have_left_are_listed_with_the_login_of_then_exported_and_erased() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let other = add_organisation(&mut owner, "Other Studio").await;
    let (_, mut other_owner) = add_person(&kinora, &mut owner, &other, "other@o.example", "owner").await;
    let admin = text(&owner.get(&format!("{D}/session")).await.json(), "/person/id");
    let leave = format!("{D}/organisations/{other}/people/{admin}");
    let _ = send(&mut owner, Method::DELETE, &leave, &[], None).await.expect(204);
    let (gone, _) = add_person(&kinora, &mut owner, &own, "gone@x.example", "member").await;
    let (moved, _) = add_person(&kinora, &mut owner, &own, "moved@x.example", "member").await;
    let _ = execute(
        &kinora,
        &format!(
            "INSERT INTO organisation_members (organisation_id, person_id, role) VALUES ('{other}', '{moved}', 'member')"
        ),
    );
    for person in [&gone, &moved] {
        let path = format!("{D}/organisations/{own}/people/{person}");
        let _ = send(&mut owner, Method::DELETE, &path, &[], None).await.expect(204);
    }
    let new = json!({ "login": "secret.new@o.example", "display_name": "Another name" });
    let path = format!("{D}/organisations/{other}/people/{moved}");
    let _ = send(&mut other_owner, Method::PATCH, &path, &[("If-Match", "*")], Some(&new)).await.expect(200);

    let list = format!("{D}/organisations/{own}/personal-data/people?limit=2");
    let mut listed = Vec::new();
    let mut page = list.clone();
    loop {
        let answer = owner.get(&page).await.expect(200).json();
        listed.extend(answer["items"].as_array().unwrap().clone());
        let Some(cursor) = answer["next_cursor"].as_str() else { break };
        page = format!("{list}&cursor={cursor}");
    }
    let left: Vec<(&str, &str)> = listed
        .iter()
        .filter(|person| person["has_left"] == true)
        .map(|person| (person["id"].as_str().unwrap(), person["login"].as_str().unwrap()))
        .collect();
    assert_eq!(left, [(gone.as_str(), "gone@x.example"), (moved.as_str(), "moved@x.example")]);
    let there = format!("{D}/organisations/{other}/personal-data/people?q=gone");
    assert_eq!(other_owner.get(&there).await.expect(200).json()["items"], json!([]));

    // Where they went is nobody's business: neither in the list nor in what is taken along.
    let path = |person: &str, what: &str| format!("{D}/organisations/{own}/people/{person}/{what}");
    let exported = owner.get(&path(&moved, "personal-data")).await.expect(200).text();
    assert!(exported.contains("\"organisation\"") && !exported.contains("secret.new"), "{exported}");
    for (person, login, extent) in
        [(&moved, "moved@x.example", "organisation"), (&gone, "gone@x.example", "whole")]
    {
        let report =
            owner.post(&path(person, "erasure"), &json!({ "login": login })).await.expect(200).json();
        assert_eq!(report["extent"], extent, "{report}");
        let named = format!(
            "SELECT 1 FROM audit_rows r WHERE organisation_id = '{own}' AND r::text LIKE '%{login}%'"
        );
        assert_eq!(count(&kinora, &named), 0, "{login}");
        let _ = owner.get(&path(person, "personal-data")).await.expect(404);
    }
    let _ = kinora.visitor().sign_in("secret.new@o.example", PASSWORD).await.expect(200);
    expect_intact(&kinora);
}

#[tokio::test]
async fn nobody_erases_those_above_them_or_elsewhere() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (_, mut administrator) = add_person(&kinora, &mut owner, &own, "it@x.example", "administrator").await;
    let (second, _) = add_person(&kinora, &mut owner, &own, "second@x.example", "owner").await;
    let (member, mut client) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let path = |person: &str, what: &str| format!("{D}/organisations/{own}/people/{person}/{what}");
    let body = json!({ "login": "second@x.example" });
    let _ = administrator.post(&path(&second, "erasure"), &body).await.expect(403);
    for what in ["erasures", "personal-data", "personal-data/people"] {
        let _ = client.get(&format!("{D}/organisations/{own}/{what}")).await.expect(403);
    }
    let _ = client.get(&path(&second, "personal-data")).await.expect(403);
    let _ = client.post(&path(&second, "erasure"), &body).await.expect(403);
    let it = text(&administrator.get(&format!("{D}/session")).await.json(), "/person/id");
    let _ = administrator.post(&path(&it, "erasure"), &json!({ "login": "it@x.example" })).await.expect(409);
    let _ =
        administrator.post(&path(&member, "erasure"), &json!({ "login": "ADA@x.example" })).await.expect(200);
    let _ = administrator.post(&path(&second, "erasure"), &body).await.expect(403);
    let _ = owner.post(&path(&second, "erasure"), &body).await.expect(200);
}
