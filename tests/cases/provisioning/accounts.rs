//! Which accounts provisioned users have, and what ends with them.

use kinora_tests::{Client, Kinora};
use serde_json::json;

use super::place::{Place, add_connection, add_token, patch, refusal, user};
use crate::accounts::world::{add_organisation, add_person, add_production, execute, organisation_of, text};
use crate::library::follower::Follower;

#[tokio::test]
async fn a_user_gets_an_account_and_belongs_to_the_organisation() {
    let mut place = Place::open().await;
    let made = place.provider.post("/scim/v2/Users", &user("Ada")).await.expect(201);
    let document = made.json();
    let id = text(&document, "/id");
    assert_eq!(made.header("content-type"), Some("application/scim+json"));
    assert_eq!(made.header("etag"), Some("W/\"1\""));
    assert_eq!(made.header("location"), Some(text(&document, "/meta/location").as_str()));
    assert!(text(&document, "/meta/location").ends_with(&format!("/scim/v2/Users/{id}")));
    assert_eq!(place.role_of("Ada@studio.example").await.as_deref(), Some("member"));
    // The same again is not another one, in whichever case.
    let mut again = user("Ada");
    again["userName"] = json!("ADA@Studio.Example");
    let answer = place.provider.post("/scim/v2/Users", &again).await;
    let (status, scim_type, detail) = refusal(&answer);
    assert_eq!((status, scim_type.as_deref()), (409, Some("uniqueness")), "{detail}");
    again["userName"] = json!("other-name");
    let answer = place.provider.post("/scim/v2/Users", &again).await;
    assert_eq!(refusal(&answer).1.as_deref(), Some("uniqueness"), "one account, one user");
    for filter in [
        "userName eq \"ada@STUDIO.example\"",
        "externalId eq \"ext-Ada\"",
        "emails.value eq \"ADA@studio.example\"",
        "emails[type eq \"work\"].value eq \"ada@studio.example\"",
        "active eq true and userName eq \"ada@studio.example\"",
    ] {
        let list = place
            .provider
            .get(&format!("/scim/v2/Users?filter={}", encoded(filter)))
            .await
            .expect(200)
            .json();
        assert_eq!(list["totalResults"], 1, "{filter}: {list}");
        assert_eq!(text(&list, "/Resources/0/id"), id);
    }
    let none = place.provider.get("/scim/v2/Users?filter=userName%20eq%20%22bob%22").await.expect(200).json();
    assert_eq!((&none["totalResults"], &none["Resources"]), (&json!(0), &json!([])));
    // A new name and address come through.
    let change = json!([
        { "op": "replace", "path": "displayName", "value": "Ada Löwe" },
        { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "loewe@studio.example" },
    ]);
    let path = format!("/scim/v2/Users/{id}");
    let changed = place.patch(&path, change.clone()).await.expect(200);
    assert_eq!(changed.header("etag"), Some("W/\"2\""));
    assert_eq!(place.role_of("loewe@studio.example").await.as_deref(), Some("member"));
    // The same again changes nothing and leaves nothing on record.
    let before = place.trail().await.len();
    assert_eq!(place.patch(&path, change).await.expect(200).header("etag"), Some("W/\"2\""));
    assert_eq!(place.trail().await.len(), before);
    let row =
        place.trail().await.into_iter().find(|row| row["action"] == "provisioned_user.created").unwrap();
    assert!(row.to_string().contains("provisioning of Studio accounts (token …"), "{row}");
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}

#[tokio::test]
async fn pages_and_versions_are_those_of_the_standard() {
    let mut place = Place::open().await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        ids.push(place.add_user(name).await);
    }
    let mut seen = Vec::new();
    for start in [1, 3, 5] {
        let list = place
            .provider
            .get(&format!("/scim/v2/Users?startIndex={start}&count=2"))
            .await
            .expect(200)
            .json();
        assert_eq!(list["totalResults"], 5);
        assert_eq!(list["startIndex"], start);
        let page = list["Resources"].as_array().unwrap().clone();
        assert_eq!(list["itemsPerPage"], page.len());
        seen.extend(page.iter().map(|one| text(one, "/id")));
    }
    assert_eq!(seen, ids);
    let none = place.provider.get("/scim/v2/Users?count=0").await.expect(200).json();
    assert_eq!((&none["totalResults"], &none["Resources"]), (&json!(5), &json!([])));
    let path = format!("/scim/v2/Users/{}", ids[0]);
    let known = super::place::with_header(
        &mut place.provider,
        reqwest::Method::GET,
        &path,
        ("If-None-Match", "W/\"1\""),
    );
    assert_eq!(known.await.status, 304);
    let late = super::place::with_header(
        &mut place.provider,
        reqwest::Method::DELETE,
        &path,
        ("If-Match", "W/\"9\""),
    );
    let late = late.await;
    assert_eq!(refusal(&late).0, 412);
    let short = place.provider.get(&format!("{path}?attributes=userName")).await.expect(200).json();
    assert_eq!(short.as_object().unwrap().len(), 3, "{short}");
}

#[tokio::test]
async fn two_that_race_for_a_name_make_one() {
    let mut place = Place::build(Kinora::builder().applications(2).one_address()).await;
    let there = place.provider.at(&place.kinora.url_of(1));
    let mut clients: Vec<Client> =
        (0..8).map(|n| if n % 2 == 0 { place.provider.clone() } else { there.clone() }).collect();
    let sent =
        clients.iter_mut().map(|client| async move { client.post("/scim/v2/Users", &user("ada")).await });
    let mut answers: Vec<u16> =
        futures_util::future::join_all(sent).await.iter().map(|answer| answer.status.as_u16()).collect();
    answers.sort_unstable();
    assert_eq!(answers, [201, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(execute(&place.kinora, "SELECT 1 FROM people WHERE login = 'ada@studio.example'"), 1);
    assert_eq!(place.role_of("ada@studio.example").await.as_deref(), Some("member"));
}

#[tokio::test]
async fn access_ends_at_once_everywhere_and_the_work_stays() {
    let mut place = Place::build(Kinora::builder().applications(2).one_address()).await;
    let (organisation, login) = (place.organisation.clone(), "ada@studio.example");
    let film = add_production(&mut place.owner, &organisation, "Film").await;
    let (person, mut ada) =
        add_person(&place.kinora, &mut place.owner, &organisation, login, "administrator").await;
    let member = format!("/api/data/v1/productions/{film}/members/{person}");
    let production = format!("/api/data/v1/productions/{film}");
    for ending in ["inactive", "removed"] {
        let _ = place.owner.put(&member, &json!({ "library": "editor" })).await.expect(200);
        let things = crate::accounts::world::add_things(&place.kinora, &film, &person);
        let _ = ada.get(&production).await.expect(200);
        let made = ada.post("/api/data/v1/account/tokens", &json!({ "name": "s" })).await.expect(201).json();
        let mut script = Client::with_token(&place.kinora.url(), &text(&made, "/secret"));
        let _ = script.get(&production).await.expect(200);
        let there = ada.at(&place.kinora.url_of(1));
        let mut following = Follower::open(&there, &film, None).await.0;
        let id = place.add_user("ada").await;
        let path = format!("/scim/v2/Users/{id}");
        if ending == "inactive" {
            // As Entra writes it.
            let off = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
            let _ = place.patch(&path, off.clone()).await.expect(200);
            let _ = place.patch(&path, off).await.expect(200);
        } else {
            let _ = place.provider.delete(&path).await.expect(204);
            let _ = place.provider.delete(&path).await.expect(404);
        }
        let last = following.read_to_end().await;
        // It may end before it could tell why.
        assert!(last.iter().all(|event| event.kind == "membership"), "{last:?}");
        for client in [&mut ada, &mut script] {
            kinora_tests::wait_until("the session has ended", async || {
                (client.get(&production).await.status == 401).then_some(())
            })
            .await;
        }
        assert_eq!(place.role_of(login).await, None);
        let asset = place.owner.get(&format!("/api/data/v1/assets/{}", things.asset)).await.status;
        assert!(asset == 200 || asset == 404, "the owner's own roles decide: {asset}");
        let kept = format!("SELECT 1 FROM assets WHERE id = '{}' AND removed_at IS NULL", things.asset);
        assert_eq!(execute(&place.kinora, &kept), 1, "the work stays");
        assert_eq!(execute(&place.kinora, &format!("SELECT 1 FROM people WHERE id = '{person}'")), 1);
        if ending == "inactive" {
            let _ = place
                .patch(&path, json!([{ "op": "replace", "value": { "active": true } }]))
                .await
                .expect(200);
            assert_eq!(place.role_of(login).await.as_deref(), Some("member"), "in again, as anybody");
            assert_eq!(ada.get("/api/data/v1/session").await.status, 401, "sessions from before stay ended");
            let _ = place.provider.delete(&path).await.expect(204);
            // By hand once more, for the other ending.
            let _ = execute(
                &place.kinora,
                &format!(
                    "INSERT INTO organisation_members (organisation_id, person_id, role) \
                     VALUES ('{organisation}', '{person}', 'administrator')"
                ),
            );
            ada = place.kinora.visitor();
            let _ = ada.sign_in(login, crate::accounts::world::PASSWORD).await.expect(200);
        }
    }
    let trail = place.trail().await;
    let removed = trail.iter().filter(|row| row["action"] == "person.removed").count();
    assert_eq!(removed, 3, "each time once");
}

#[tokio::test]
async fn nobody_is_taken_over() {
    let mut place = Place::open().await;
    let other = add_organisation(&mut place.owner, "Other Studio").await;
    // Somebody of another organisation, and a guest of one, with addresses in our domain.
    let _ = add_person(&place.kinora, &mut place.owner, &other, "far@studio.example", "member").await;
    let film = add_production(&mut place.owner, &other, "Far Film").await;
    let organisation = place.organisation.clone();
    let (guest, _) =
        add_person(&place.kinora, &mut place.owner, &organisation, "guest@studio.example", "member").await;
    let _ = execute(
        &place.kinora,
        &format!(
            "INSERT INTO production_members (production_id, person_id, library_role) VALUES ('{film}', '{guest}', 'reader')"
        ),
    );
    let _ = add_person(&place.kinora, &mut place.owner, &organisation, "boss@studio.example", "owner").await;
    for (name, word) in [
        ("far", "belongs to somebody else"),
        ("guest", "belongs to somebody else"),
        ("boss", "owns the organisation"),
    ] {
        let (status, scim_type, detail) = refusal(&place.provider.post("/scim/v2/Users", &user(name)).await);
        assert_eq!((status, scim_type.as_deref()), (400, Some("mutability")), "{name}");
        assert!(detail.contains(word) && detail.contains("can join it"), "{detail}");
    }
    // Nor somebody whom another provider of the same organisation vouches for, by a sign-in or by provisioning.
    let second = add_connection(&mut place.owner, &organisation).await;
    let (known, _) =
        add_person(&place.kinora, &mut place.owner, &organisation, "known@studio.example", "member").await;
    let of_second = format!(
        "INSERT INTO saml_identities (connection_id, subject, person_id) VALUES ('{second}', '[\"x\"]', '{known}')"
    );
    let _ = execute(&place.kinora, &of_second);
    let secret = add_token(&mut place.owner, &organisation, &second).await;
    let mut other_provider = Client::with_token(&place.kinora.url(), &secret);
    let _ = other_provider.post("/scim/v2/Users", &user("theirs")).await.expect(201);
    for name in ["known", "theirs"] {
        let (status, scim_type, detail) = refusal(&place.provider.post("/scim/v2/Users", &user(name)).await);
        assert_eq!((status, scim_type.as_deref()), (400, Some("mutability")), "{name}");
        assert!(detail.contains("another connection") && detail.contains("can join it"), "{detail}");
    }
    for (user_name, word) in [("x@elsewhere.example", "confirmed"), ("nobody", "address")] {
        let (status, _, detail) =
            refusal(&place.provider.post("/scim/v2/Users", &json!({ "userName": user_name })).await);
        assert_eq!(status, 400);
        assert!(detail.contains(word), "{detail}");
    }
    assert_eq!(execute(&place.kinora, "SELECT 1 FROM provisioned_users"), 1, "the other provider's");
    // Who joined the account, signed in to it, is known; roles elsewhere stay theirs.
    let joined = |login: &str| {
        format!(
            "INSERT INTO saml_identities (connection_id, subject, person_id) \
             SELECT '{}', '[\"{login}\"]', id FROM people WHERE login = '{login}'",
            place.connection
        )
    };
    let _ = execute(&place.kinora, &joined("guest@studio.example"));
    let id = place.add_user("guest").await;
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    let _ = place.patch(&format!("/scim/v2/Users/{id}"), off).await.expect(200);
    assert_eq!(place.role_of("guest@studio.example").await, None);
    let kept =
        format!("SELECT 1 FROM production_members WHERE production_id = '{film}' AND person_id = '{guest}'");
    assert_eq!(execute(&place.kinora, &kept), 1);
}

#[tokio::test]
async fn owners_are_left_an_owner_and_the_glass() {
    let mut place = Place::open().await;
    let organisation = place.organisation.clone();
    let (boss, mut client) =
        add_person(&place.kinora, &mut place.owner, &organisation, "boss@studio.example", "owner").await;
    let _ = execute(
        &place.kinora,
        &format!(
            "INSERT INTO saml_identities (connection_id, subject, person_id) VALUES ('{}', '[\"boss\"]', '{boss}')",
            place.connection
        ),
    );
    let id = place.add_user("boss").await;
    let path = format!("/scim/v2/Users/{id}");
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    // Somebody who gets in whatever the provider does.
    let glass = format!("UPDATE organisation_members SET break_glass = true WHERE person_id = '{boss}'");
    let _ = execute(&place.kinora, &glass);
    for answer in [place.patch(&path, off.clone()).await, place.provider.delete(&path).await] {
        let (status, scim_type, detail) = refusal(&answer);
        assert_eq!((status, scim_type.as_deref()), (400, Some("mutability")), "{detail}");
        assert!(detail.contains("emergency"), "{detail}");
    }
    let _ = execute(&place.kinora, &glass.replace("true", "false"));
    // The last owner.
    let others = format!(
        "UPDATE organisation_members SET role = 'administrator' \
         WHERE organisation_id = '{organisation}' AND person_id <> '{boss}'"
    );
    let _ = execute(&place.kinora, &others);
    for answer in [place.patch(&path, off.clone()).await, place.provider.delete(&path).await] {
        let (status, _, detail) = refusal(&answer);
        assert_eq!(status, 400);
        assert!(detail.contains("always has an owner"), "{detail}");
    }
    let _ = client.get(&format!("/api/data/v1/organisations/{organisation}")).await.expect(200);
    assert_eq!(organisation_of(&mut client, "Kinora").await, organisation);
    // One of several is an account like others.
    let _ = execute(&place.kinora, &others.replace("'administrator'", "'owner'"));
    let _ = patch(&mut place.provider, &path, off).await.expect(200);
    kinora_tests::wait_until("the owner is out", async || {
        (client.get("/api/data/v1/session").await.status == 401).then_some(())
    })
    .await;
}
