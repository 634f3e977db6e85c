//! Guests: they see one production and nothing beside it, and memberships end on their date.

use kinora_store::audit::{self, Verdict};
use kinora_tests::{Client, Kinora};
use reqwest::Method;
use serde_json::{Value, json};

use super::invitations::{World, invitations, join, token, world};
use crate::accounts::world::{
    add_organisation, add_person, add_production, add_things, execute, organisation_of, send, text,
};

/// Invites somebody and gives them, signed in.
async fn invite(world: &mut World, address: &str, roles: Value) -> (String, Client) {
    let body = json!({ "address": address, "roles": roles });
    let _ = world.owner.post(&invitations(&world.production), &body).await.expect(201);
    let token = token(&world.relay, address, 1).await;
    let mut client = join(&world.kinora, &token, address).await;
    let id = text(&client.get("/api/data/v1/session").await.expect(200).json(), "/person/id");
    (id, client)
}

#[tokio::test]
async fn a_guest_sees_the_one_production_and_nothing_else() {
    let mut world = world().await;
    let (guest_id, mut guest) = invite(&mut world, "guest@y.example", json!({ "library": "editor" })).await;
    let World { kinora, mut owner, organisation, production, .. } = world;
    let secret = add_production(&mut owner, &organisation, "Secret").await;
    let own = add_things(&kinora, &production, &guest_id);
    let foreign = add_things(&kinora, &secret, &guest_id);
    let session = guest.get("/api/data/v1/session").await.expect(200).json();
    assert_eq!(session["organisations"], json!([]));
    let list = guest.get("/api/data/v1/productions").await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let _ = guest.get(&format!("/api/data/v1/productions/{production}/assets")).await.expect(200);
    let _ = guest.get(&format!("/api/data/v1/assets/{}", own.asset)).await.expect(200);
    for path in [
        format!("/api/data/v1/productions/{secret}"),
        format!("/api/data/v1/productions/{secret}/assets"),
        format!("/api/data/v1/assets/{}", foreign.asset),
        format!("/api/media/v1/assets/{}/original", foreign.asset),
        format!("/api/data/v1/organisations/{organisation}"),
        format!("/api/data/v1/organisations/{organisation}/people"),
        format!("/api/data/v1/organisations/{organisation}/productions"),
        format!("/api/data/v1/organisations/{organisation}/audit"),
        format!("/api/data/v1/organisations/{organisation}/mail"),
        format!("/api/data/v1/organisations/{organisation}/mail-relay"),
    ] {
        let _ = guest.get(&path).await.expect(404);
    }
    // Nor who else is in it; and they are on no list of the organisation's people.
    let _ = guest.get(&format!("/api/data/v1/productions/{production}/members")).await.expect(403);
    let _ = guest.get(&invitations(&production)).await.expect(403);
    let people = owner.get(&format!("/api/data/v1/organisations/{organisation}/people")).await.json();
    assert!(people["items"].as_array().unwrap().iter().all(|person| person["id"] != json!(guest_id)));
    let _ =
        owner.get(&format!("/api/data/v1/organisations/{organisation}/people/{guest_id}")).await.expect(404);
    let _ = guest.post("/api/data/v1/organisations", &json!({ "name": "Mine" })).await.expect(403);
    // Whatever they made is marked as a guest's.
    execute(&kinora, &format!("UPDATE assets SET created_by = '{guest_id}' WHERE id = '{}'", own.asset));
    let asset = owner.get(&format!("/api/data/v1/productions/{production}")).await.expect(200).json();
    assert_eq!(asset["guest"], false);
    let me = text(&owner.get("/api/data/v1/session").await.json(), "/person/id");
    let roles = json!({ "library": "reader" });
    let mine = format!("/api/data/v1/productions/{production}/members/{me}");
    let _ = send(&mut owner, Method::PUT, &mine, &[("If-Match", "*")], Some(&roles)).await.expect(200);
    let asset = owner.get(&format!("/api/data/v1/assets/{}", own.asset)).await.expect(200).json();
    assert_eq!(
        (&asset["created_by_guest"], &asset["created_by_name"]),
        (&json!(true), &json!("Grace Guest"))
    );
}

#[tokio::test]
async fn the_roles_and_the_end_of_a_guest_are_changed_like_anybodys() {
    let mut world = world().await;
    let roles = json!({ "library": "reader", "budget": "reader" });
    let (guest_id, mut guest) = invite(&mut world, "guest@y.example", roles).await;
    let World { kinora, mut owner, organisation, production, .. } = world;
    let path = format!("/api/data/v1/productions/{production}/members/{guest_id}");
    let soon = (chrono::Utc::now() + chrono::TimeDelta::days(3)).to_rfc3339();
    let put = async |client: &mut Client, body: Value| {
        send(client, Method::PUT, &path, &[("If-Match", "*")], Some(&body)).await
    };
    let changed = put(&mut owner, json!({ "library": "editor", "budget": "reader", "ends_at": soon })).await;
    let changed = changed.expect(200).json();
    assert_eq!((&changed["roles"]["library"], &changed["guest"]), (&json!("editor"), &json!(true)));
    // Whoever does not speak of the end leaves it as it is.
    let kept = put(&mut owner, json!({ "library": "reader", "budget": "reader" })).await.expect(200).json();
    assert_eq!(kept["ends_at"], changed["ends_at"]);
    for bad in [json!("2001-01-01T00:00:00Z"), json!("tomorrow"), json!(7)] {
        let _ = put(&mut owner, json!({ "library": "reader", "ends_at": bad })).await.expect(422);
    }
    // A manager of one module neither ends nor prolongs what goes beyond it.
    let (ada_id, mut ada) = add_person(&kinora, &mut owner, &organisation, "ada@x.example", "member").await;
    let ada_path = format!("/api/data/v1/productions/{production}/members/{ada_id}");
    let _ = owner.put(&ada_path, &json!({ "library": "manager" })).await.expect(200);
    let _ =
        put(&mut ada, json!({ "library": "reader", "budget": "reader", "ends_at": null })).await.expect(403);
    let _ = put(&mut ada, json!({ "library": "editor", "budget": "reader" })).await.expect(200);
    let _ = put(&mut owner, json!({ "library": "editor" })).await.expect(200);
    let endless = put(&mut ada, json!({ "library": "editor", "ends_at": null })).await.expect(200).json();
    assert_eq!(endless["ends_at"], Value::Null);
    let _ = guest.get(&format!("/api/data/v1/productions/{production}")).await.expect(200);
    let _ = owner.delete(&path).await.expect(204);
    let _ = guest.get(&format!("/api/data/v1/productions/{production}")).await.expect(404);
    // Somebody who is neither is not made one by their id.
    let _ = owner.put(&path, &json!({ "library": "reader" })).await.expect(404);
}

#[tokio::test]
async fn a_membership_gives_nothing_from_its_end_on() {
    let kinora = Kinora::builder().applications(2).start().await;
    let mut owner = kinora.administrator().await;
    let organisation = organisation_of(&mut owner, "Kinora").await;
    let production = add_production(&mut owner, &organisation, "Film").await;
    let (ada_id, mut ada) = add_person(&kinora, &mut owner, &organisation, "ada@x.example", "member").await;
    let things = add_things(&kinora, &production, &ada_id);
    let member = format!("/api/data/v1/productions/{production}/members/{ada_id}");
    let _ = owner.put(&member, &json!({ "library": "reader" })).await.expect(200);
    let mut there = ada.at(&kinora.url_of(1));
    let asset = format!("/api/data/v1/assets/{}", things.asset);
    for client in [&mut ada, &mut there] {
        let _ = client.get(&asset).await.expect(200);
    }
    // The end is known before it comes: nothing kept outlives it, on no instance.
    execute(
        &kinora,
        "UPDATE production_members SET ends_at = now() + interval '2 seconds' WHERE library_role = 'reader'",
    );
    // What was kept without it is forgotten within a second.
    for client in [&mut ada, &mut there] {
        let path = format!("/api/data/v1/productions/{production}");
        kinora_tests::wait_until("the end is known", async || {
            let answer = client.get(&path).await;
            (answer.status == 404 || answer.json()["my_membership_ends_at"].is_string()).then_some(())
        })
        .await;
    }
    kinora_tests::wait_until("the database says that it has ended", async || {
        let ended = "SELECT 1 FROM production_members WHERE ends_at <= clock_timestamp()";
        (execute(&kinora, ended) == 1).then_some(())
    })
    .await;
    for client in [&mut ada, &mut there] {
        for path in [
            asset.clone(),
            format!("/api/data/v1/productions/{production}"),
            format!("/api/data/v1/productions/{production}/assets"),
            format!("/api/data/v1/productions/{production}/events"),
            format!("/api/media/v1/assets/{}/original", things.asset),
        ] {
            let _ = client.get(&path).await.expect(404);
        }
        let list = client.get("/api/data/v1/productions").await.expect(200).json();
        assert_eq!(list["items"], json!([]));
    }
    // Managers see that it has ended, and can prolong it.
    let ended = owner.get(&member).await.expect(200).json();
    assert!(ended["ends_at"].is_string());
    let on = json!({ "library": "reader", "ends_at": null });
    let _ = send(&mut owner, Method::PUT, &member, &[("If-Match", "*")], Some(&on)).await.expect(200);
    let _ = ada.get(&asset).await.expect(200);
}

/// An account passes to whoever makes a password link for it, so that takes an administrator of every
/// organisation whose guest the person is.
#[tokio::test]
async fn administrators_elsewhere_do_not_get_at_a_guests_account() {
    let mut world = world().await;
    let (guest_id, _) = invite(&mut world, "guest@y.example", json!({ "library": "reader" })).await;
    let World { kinora, mut owner, organisation, production, .. } = world;
    let other = add_organisation(&mut owner, "Other Studio").await;
    let (_, mut eve) = add_person(&kinora, &mut owner, &other, "eve@x.example", "administrator").await;
    let person = json!({ "login": "guest@y.example", "display_name": "G", "role": "member" });
    let people = |organisation: &str| format!("/api/data/v1/organisations/{organisation}/people");
    let _ = eve.post(&people(&other), &person).await.expect(409);
    // Somebody who administers both may; then the guest belongs to the other one, which gives eve nothing.
    let _ = owner.post(&people(&other), &person).await.expect(201);
    let link = format!("{}/{guest_id}/password-link", people(&other));
    let _ = eve.post(&link, &json!({})).await.expect(403);
    let disable = json!({ "disabled": true });
    let path = format!("{}/{guest_id}", people(&other));
    let _ = send(&mut eve, Method::PATCH, &path, &[("If-Match", "*")], Some(&disable)).await.expect(403);
    // When they are no guest any more, they are eve's to administer.
    let member = format!("/api/data/v1/productions/{production}/members/{guest_id}");
    let _ = owner.delete(&member).await.expect(204);
    let _ = eve.post(&link, &json!({})).await.expect(201);
    let _ = organisation;
}

#[tokio::test]
async fn the_trail_keeps_that_a_guest_did_it_whatever_becomes_of_them() {
    let mut world = world().await;
    let (guest_id, mut guest) = invite(&mut world, "guest@y.example", roles_of_an_editor()).await;
    let World { kinora, mut owner, organisation, production, .. } = world;
    let asset = format!("/api/data/v1/assets/{}", add_things(&kinora, &production, &guest_id).asset);
    let rename = async |client: &mut Client, name: &str| {
        let name = json!({ "name": name });
        let _ = send(client, Method::PATCH, &asset, &[("If-Match", "*")], Some(&name)).await.expect(200);
    };
    rename(&mut guest, "By a guest").await;
    // Somebody with a place in the organisation, and a program, which has none either.
    let (ada_id, mut ada) = add_person(&kinora, &mut owner, &organisation, "ada@x.example", "member").await;
    let members = format!("/api/data/v1/productions/{production}/members");
    let _ = owner.put(&format!("{members}/{ada_id}"), &roles_of_an_editor()).await.expect(200);
    rename(&mut ada, "By staff").await;
    execute(
        &kinora,
        &format!(
            "INSERT INTO service_accounts (person_id, organisation_id, purpose, responsible_id, created_by) \
             VALUES ('{guest_id}', '{organisation}', 'p', '{ada_id}', '{ada_id}')"
        ),
    );
    rename(&mut guest, "By a program").await;
    execute(&kinora, &format!("DELETE FROM service_accounts WHERE person_id = '{guest_id}'"));

    let export = format!("/api/data/v1/organisations/{organisation}/audit");
    let expect_marks = async |owner: &mut Client, when: &str| {
        let rows = owner.get(&format!("{export}?limit=200")).await.expect(200).json()["items"].clone();
        let mark = |name: &str| {
            let row = rows.as_array().unwrap().iter().find(|row| row["after"]["name"] == name);
            row.unwrap_or_else(|| panic!("{name} in {rows:#}"))["actor_is_guest"].clone()
        };
        let marks = ["By a guest", "By staff", "By a program"].map(mark);
        assert_eq!(marks, [json!(true), json!(false), json!(false)], "{when}");
        let accepted = rows.as_array().unwrap().iter().find(|row| row["action"] == "invitation.accepted");
        assert_eq!(accepted.unwrap()["actor_is_guest"], true, "{when}");
        let table = owner.get(&format!("{export}/export?format=csv&action=asset.renamed")).await;
        let table = table.expect(200).text();
        let marked = table.lines().filter(|line| line.ends_with(",true")).count();
        assert_eq!((marked, table.lines().count()), (1, 4), "{when}: {table}");
    };
    expect_marks(&mut owner, "at once").await;
    let _ = owner.delete(&format!("{members}/{guest_id}")).await.expect(204);
    expect_marks(&mut owner, "when they have gone").await;
    execute(
        &kinora,
        &format!(
            "INSERT INTO organisation_members (organisation_id, person_id, role) \
             VALUES ('{organisation}', '{guest_id}', 'member')"
        ),
    );
    expect_marks(&mut owner, "when they were hired").await;
    let check = || audit::verify(&mut kinora.connect()).unwrap();
    assert!(matches!(check(), Verdict::Intact { .. }), "{:?}", check());
    execute(
        &kinora,
        "UPDATE audit_rows SET actor_is_guest = false WHERE actor_is_guest AND action = 'asset.renamed'",
    );
    assert!(matches!(check(), Verdict::Altered(_)), "{:?}", check());
}

fn roles_of_an_editor() -> Value {
    json!({ "library": "editor" })
}
