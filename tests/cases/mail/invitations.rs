//! Invitations: who may give what, the link that works once, and that nobody learns who has an account.

use diesel::prelude::*;
use diesel::sql_types::Text;
use kinora_tests::{Client, Kinora, MailRelay, wait_until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::accounts::world::{
    PASSWORD, add_organisation, add_person, add_production, execute, organisation_of, send, text,
};

/// A Kinora that sends mail, with a production.
pub struct World {
    pub relay: MailRelay,
    pub kinora: Kinora,
    pub owner: Client,
    pub organisation: String,
    pub production: String,
}

pub async fn world() -> World {
    let relay = MailRelay::start().await;
    let kinora = Kinora::builder().applications(1).backends(1).relay(&relay).start().await;
    let mut owner = kinora.administrator().await;
    let organisation = organisation_of(&mut owner, "Kinora").await;
    let production = add_production(&mut owner, &organisation, "Nordlicht").await;
    World { relay, kinora, owner, organisation, production }
}

pub fn invitations(production: &str) -> String {
    format!("/api/data/v1/productions/{production}/invitations")
}

/// The token of the newest of `count` mails to an address.
pub async fn token(relay: &MailRelay, address: &str, count: usize) -> String {
    let mails = relay.wait_for(address, count).await;
    let plain = text(mails.last().unwrap(), "/plain");
    let line = plain.lines().find(|line| line.contains("/invitation#")).unwrap_or_else(|| panic!("{plain}"));
    line.rsplit('#').next().unwrap().to_owned()
}

fn reader(address: &str) -> Value {
    json!({ "address": address, "roles": { "library": "reader" } })
}

async fn offer(client: &mut Client, token: &str) -> kinora_tests::Answer {
    client.post("/api/data/v1/invitation", &json!({ "token": token })).await
}

/// Accepts with a new account; gives a visitor signed in with it.
pub async fn join(kinora: &Kinora, token: &str, address: &str) -> Client {
    let body = json!({ "token": token, "display_name": "Grace Guest", "password": PASSWORD });
    let mut client = kinora.visitor();
    let _ = client.post("/api/data/v1/invitation/account", &body).await.expect(201);
    let _ = client.sign_in(address, PASSWORD).await.expect(200);
    client
}

#[tokio::test]
async fn an_invitation_is_accepted_once_with_a_new_account_of_its_address() {
    let World { relay, kinora, mut owner, organisation, production } = world().await;
    let address = "Grace@Elsewhere.example";
    let ends_at = chrono::Utc::now() + chrono::TimeDelta::days(30);
    let body = json!({ "address": address, "roles": { "library": "reader" }, "membership_ends_at": ends_at });
    let made = owner.post(&invitations(&production), &body).await.expect(201);
    let location = made.header("location").unwrap().to_owned();
    assert_eq!(text(&made.json(), "/address"), address);
    let token = token(&relay, address, 1).await;
    let mail = relay.mails_to(address).remove(0);
    assert_eq!(mail["subject"], "Administrator invites you to “Nordlicht”");
    assert!(text(&mail, "/html").contains(&format!("/invitation#{token}\"")));
    wait_until("its mail is noted as sent", async || {
        (owner.get(&location).await.expect(200).json()["mail_state"] == "sent").then_some(())
    })
    .await;
    // The token is nowhere in the database.
    assert_eq!(execute(&kinora, &format!("SELECT 1 FROM mail_messages m WHERE m::text LIKE '%{token}%'")), 0);

    let mut visitor = kinora.visitor();
    let offered = offer(&mut visitor, &token).await.expect(200).json();
    assert_eq!(offered["has_account"], false);
    assert_eq!(
        (text(&offered, "/production"), text(&offered, "/organisation"), text(&offered, "/invited_by")),
        ("Nordlicht".to_owned(), "Kinora".to_owned(), "Administrator".to_owned())
    );
    let weak = json!({ "token": token, "display_name": "Grace", "password": "grace@elsewhere.example1" });
    let _ = visitor.post("/api/data/v1/invitation/account", &weak).await.expect(422);
    let _ = visitor.post("/api/data/v1/invitation/acceptance", &json!({ "token": token })).await.expect(401);

    let mut grace = join(&kinora, &token, "grace@elsewhere.example").await;
    let list = grace.get("/api/data/v1/productions").await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!((&list["items"][0]["id"], &list["items"][0]["guest"]), (&json!(production), &json!(true)));
    assert_eq!(list["items"][0]["my_roles"]["library"], "reader");
    assert!(list["items"][0]["my_membership_ends_at"].is_string());

    // Once.
    let _ = offer(&mut visitor, &token).await.expect(404);
    let again = json!({ "token": token, "display_name": "Eve", "password": PASSWORD });
    let _ = visitor.post("/api/data/v1/invitation/account", &again).await.expect(404);
    let open = owner.get(&invitations(&production)).await.expect(200).json();
    assert_eq!(open["items"], json!([]));
    let members = owner.get(&format!("/api/data/v1/productions/{production}/members")).await.json();
    let guest = members["items"].as_array().unwrap().iter().find(|member| member["guest"] == true).unwrap();
    assert_eq!(text(guest, "/person/login"), address);
    assert!(guest["ends_at"].is_string());
    let trail = owner.get(&format!("/api/data/v1/organisations/{organisation}/audit")).await.json();
    let rows = trail["items"].as_array().unwrap();
    let actions: Vec<&str> = rows.iter().filter_map(|row| row["action"].as_str()).collect();
    for action in ["invitation.created", "invitation.accepted", "membership.changed"] {
        assert!(actions.contains(&action), "{action}: {actions:?}");
    }
}

#[tokio::test]
async fn whoever_accepts_has_the_address_as_their_login() {
    let World { relay, kinora, mut owner, organisation, production } = world().await;
    let (_, mut ada) = add_person(&kinora, &mut owner, &organisation, "ada@x.example", "member").await;
    let (_, mut bob) = add_person(&kinora, &mut owner, &organisation, "bob@x.example", "member").await;
    let _ = owner.post(&invitations(&production), &reader("ADA@x.example")).await.expect(201);
    let token = token(&relay, "ADA@x.example", 1).await;
    let body = json!({ "token": token });
    assert_eq!(offer(&mut kinora.visitor(), &token).await.expect(200).json()["has_account"], true);
    // Not with another account, nor with a second one of that login.
    let refused = bob.post("/api/data/v1/invitation/acceptance", &body).await.expect(409).json();
    assert!(text(&refused, "/detail").contains("ADA@x.example"), "{refused}");
    let new = json!({ "token": token, "display_name": "Eve", "password": PASSWORD });
    let _ = kinora.visitor().post("/api/data/v1/invitation/account", &new).await.expect(409);
    // A leaked access token is not enough.
    let made = ada.post("/api/data/v1/account/tokens", &json!({ "name": "t" })).await.expect(201).json();
    let mut script = Client::with_token(&kinora.url(), &text(&made, "/secret"));
    let _ = script.post("/api/data/v1/invitation/acceptance", &body).await.expect(403);

    let joined = ada.post("/api/data/v1/invitation/acceptance", &body).await.expect(200).json();
    assert_eq!(joined["production_id"], json!(production));
    let seen = ada.get(&format!("/api/data/v1/productions/{production}")).await.expect(200).json();
    assert_eq!(seen["guest"], false, "a member of the organisation is no guest");
    let _ = bob.get(&format!("/api/data/v1/productions/{production}")).await.expect(404);
}

#[tokio::test]
async fn nobody_gives_more_than_they_have() {
    let World { relay, kinora, mut owner, organisation, production } = world().await;
    let (ada_id, mut ada) = add_person(&kinora, &mut owner, &organisation, "ada@x.example", "member").await;
    let (bob_id, mut bob) = add_person(&kinora, &mut owner, &organisation, "bob@x.example", "member").await;
    let member = |id: &str| format!("/api/data/v1/productions/{production}/members/{id}");
    let _ = owner.put(&member(&ada_id), &json!({ "library": "manager" })).await.expect(200);
    let _ = owner.put(&member(&bob_id), &json!({ "library": "editor" })).await.expect(200);
    let path = invitations(&production);
    let _ = bob.post(&path, &reader("c@x.example")).await.expect(403);
    let _ = bob.get(&path).await.expect(403);
    for roles in [json!({ "budget": "reader" }), json!({ "library": "reader", "office": "reader" })] {
        let _ = ada.post(&path, &json!({ "address": "c@x.example", "roles": roles })).await.expect(403);
    }
    for body in [
        json!({ "address": "c@x.example", "roles": {} }),
        json!({ "address": "nobody", "roles": { "library": "reader" } }),
        json!({ "address": "a@x.example\r\nBcc: b@x.example", "roles": { "library": "reader" } }),
        json!({ "address": "c@x.example", "roles": { "library": "reader" }, "membership_ends_at": "2001-01-01T00:00:00Z" }),
        json!({ "address": "c@x.example", "roles": { "library": "reader" }, "membership_ends_at": "9999-01-01T00:00:00Z" }),
    ] {
        let _ = ada.post(&path, &body).await.expect(422);
    }
    // By the office's manager; ada decides on it no more than on the office.
    let offices = json!({ "address": "c@x.example", "roles": { "office": "reader" } });
    let made = owner.post(&path, &offices).await.expect(201).json();
    let one = format!("{path}/{}", text(&made, "/id"));
    let _ = ada.delete(&one).await.expect(403);
    let _ = ada.post(&format!("{one}/mail"), &json!({})).await.expect(403);

    // What ada gave holds as long as she may give it.
    let _ = ada.post(&path, &reader("guest@y.example")).await.expect(201);
    let token = token(&relay, "guest@y.example", 1).await;
    let _ = offer(&mut kinora.visitor(), &token).await.expect(200);
    let demoted = json!({ "library": "reader" });
    let _ = send(&mut owner, Method::PUT, &member(&ada_id), &[("If-Match", "*")], Some(&demoted))
        .await
        .expect(200);
    let _ = offer(&mut kinora.visitor(), &token).await.expect(404);
    let body = json!({ "token": token, "display_name": "G", "password": PASSWORD });
    let _ = kinora.visitor().post("/api/data/v1/invitation/account", &body).await.expect(404);
}

#[tokio::test]
async fn links_end_when_they_are_replaced_withdrawn_or_old() {
    let World { relay, kinora, mut owner, production, .. } = world().await;
    let path = invitations(&production);
    let address = "guest@y.example";
    let made = owner.post(&path, &reader(address)).await.expect(201).json();
    let one = format!("{path}/{}", text(&made, "/id"));
    let first = token(&relay, address, 1).await;
    let mut visitor = kinora.visitor();
    let twice = owner.post(&path, &reader(address)).await.expect(409).json();
    assert!(text(&twice, "/detail").contains("invited already"), "{twice}");
    let _ = owner.post(&format!("{one}/mail"), &json!({})).await.expect(409);
    execute(&kinora, "UPDATE invitations SET mailed_at = mailed_at - interval '1 hour'");
    let _ = owner.post(&format!("{one}/mail"), &json!({})).await.expect(201);
    let second = token(&relay, address, 2).await;
    assert_ne!(first, second);
    let ids: Vec<String> = relay.mails_to(address).iter().map(|mail| text(mail, "/message_id")).collect();
    assert_ne!(ids[0], ids[1], "another mail");
    let _ = offer(&mut visitor, &first).await.expect(404);
    let _ = offer(&mut visitor, &second).await.expect(200);
    // Expired: it is still listed, and can be sent again.
    execute(&kinora, "UPDATE invitations SET expires_at = now(), mailed_at = mailed_at - interval '1 hour'");
    let _ = offer(&mut visitor, &second).await.expect(404);
    let open = owner.get(&path).await.expect(200).json();
    assert_eq!(open["items"].as_array().unwrap().len(), 1);
    let _ = owner.post(&format!("{one}/mail"), &json!({})).await.expect(201);
    let third = token(&relay, address, 3).await;
    let _ = offer(&mut visitor, &third).await.expect(200);
    let _ = owner.delete(&one).await.expect(204);
    let _ = offer(&mut visitor, &third).await.expect(404);
    let _ = owner.get(&one).await.expect(404);
    let _ = owner.delete(&one).await.expect(404);
    // Anew; and an expired one makes room for the next. (Its mail first: of an expired one none is sent.)
    let _ = owner.post(&path, &reader(address)).await.expect(201);
    let _ = token(&relay, address, 4).await;
    execute(&kinora, "UPDATE invitations SET expires_at = now()");
    let _ = owner.post(&path, &reader(address)).await.expect(201);
    let fifth = token(&relay, address, 5).await;
    let _ = offer(&mut visitor, &fifth).await.expect(200);
    let _ = owner.delete(&format!("/api/data/v1/productions/{production}")).await.expect(204);
    let _ = offer(&mut visitor, &fifth).await.expect(404);
    for nonsense in ["", "x", &"y".repeat(4000)] {
        let _ = offer(&mut visitor, nonsense).await.expect(404);
    }
}

#[tokio::test]
async fn of_two_who_accept_at_the_same_time_one_does() {
    let World { relay, kinora, mut owner, production, .. } = world().await;
    let address = "guest@y.example";
    let _ = owner.post(&invitations(&production), &reader(address)).await.expect(201);
    let token = token(&relay, address, 1).await;
    let body = json!({ "token": token, "display_name": "G", "password": PASSWORD });
    let requests = (0..4).map(|_| {
        let (mut visitor, body) = (kinora.visitor(), body.clone());
        async move { visitor.post("/api/data/v1/invitation/account", &body).await.status.as_u16() }
    });
    let mut statuses = futures_util::future::join_all(requests).await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201, "{statuses:?}");
    assert!(statuses[1..].iter().all(|status| [404, 409].contains(status)), "{statuses:?}");
}

#[tokio::test]
async fn the_same_invitation_sent_twice_is_one() {
    // The product goes with the world that is not taken apart whole.
    let World { relay, kinora: _kinora, mut owner, production, .. } = world().await;
    let headers = [("Idempotency-Key", "invite-1")];
    let path = invitations(&production);
    let body = reader("guest@y.example");
    let first = send(&mut owner, Method::POST, &path, &headers, Some(&body)).await.expect(201);
    let again = send(&mut owner, Method::POST, &path, &headers, Some(&body)).await.expect(201);
    assert_eq!(first.bytes, again.bytes);
    relay.wait_for("guest@y.example", 1).await;
    let _ = owner.post(&path, &reader("other@y.example")).await.expect(201);
    relay.wait_for("other@y.example", 1).await;
    assert_eq!(relay.mails_to("guest@y.example").len(), 1);
}

#[derive(QueryableByName)]
struct Plan {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

/// Neither the answer nor the mail differs, and the one query that looks at logins reads those of the
/// production's members, whoever else has an account.
#[tokio::test]
async fn nobody_learns_from_an_invitation_who_has_an_account() {
    let World { relay, kinora, mut owner, production, organisation } = world().await;
    let other = add_organisation(&mut owner, "Other Studio").await;
    let _ = add_person(&kinora, &mut owner, &other, "known@x.example", "member").await;
    let (ada_id, mut ada) = add_person(&kinora, &mut owner, &organisation, "ada@x.example", "member").await;
    let member = format!("/api/data/v1/productions/{production}/members/{ada_id}");
    let _ = owner.put(&member, &json!({ "library": "manager" })).await.expect(200);
    let mut seen = Vec::new();
    for address in ["known@x.example", "never@x.example"] {
        let answer = ada.post(&invitations(&production), &reader(address)).await.expect(201);
        let mut body = answer.json();
        let varying = ["id", "address", "created_at", "mailed_at", "expires_at"];
        for key in varying {
            body[key] = Value::Null;
        }
        let mail = relay.wait_for(address, 1).await.remove(0);
        let tokenless = |part: &str| {
            let text = text(&mail, part);
            let token = text.split("/invitation#").nth(1).unwrap();
            let token: String =
                token.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
            text.replace(&token, "TOKEN")
        };
        seen.push((body, mail["subject"].clone(), tokenless("/plain"), tokenless("/html")));
    }
    // The minute in which the link ends may be another one.
    let (first, second) = (&seen[0], &seen[1]);
    assert_eq!((&first.0, &first.1), (&second.0, &second.1));
    assert_eq!(first.2.lines().count(), second.2.lines().count());
    let plan: Vec<Plan> = diesel::sql_query(format!(
        "EXPLAIN WITH members AS MATERIALIZED ( \
             SELECT p.login_key FROM production_members m JOIN people p ON p.id = m.person_id \
             WHERE m.production_id = '{production}' AND (m.ends_at IS NULL OR m.ends_at > now()) \
         ) SELECT EXISTS (SELECT FROM members WHERE login_key = 'x') AS found"
    ))
    .load(&mut kinora.connect())
    .unwrap();
    let plan: Vec<String> = plan.into_iter().map(|row| row.line).collect();
    assert!(!plan.join("\n").contains("people_login_key"), "{plan:?}");
}
