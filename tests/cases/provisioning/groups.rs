//! Provisioned groups give what rules say, at once, and what a sign-in says of groups does not matter then.

use kinora_tests::Kinora;
use reqwest::Method;
use serde_json::{Value, json};

use super::place::{GROUP, Place, add_token, refusal, user};
use crate::accounts::world::{add_person, add_production, send, text};
use crate::single_sign_on::studio::{Studio, role_in};

#[tokio::test]
async fn roles_come_and_go_with_groups_at_once() {
    let mut place = Place::build(Kinora::builder().applications(1)).await;
    let organisation = place.organisation.clone();
    let film = add_production(&mut place.owner, &organisation, "Film").await;
    let (_, mut ada) =
        add_person(&place.kinora, &mut place.owner, &organisation, "ada@studio.example", "member").await;
    // From the connection, and not by hand.
    let _ = crate::accounts::world::execute(
        &place.kinora,
        "DELETE FROM organisation_members m USING people p WHERE p.id = m.person_id AND p.login = 'ada@studio.example'",
    );
    let production = format!("/api/data/v1/productions/{film}");
    let _ = place
        .add_rule(&json!({ "group": "Editors", "production_id": film, "roles": { "library": "editor" } }))
        .await;
    let it = place.add_rule(&json!({ "group": "ext-it", "organisation_role": "administrator" })).await;
    let id = place.add_user("ada").await;
    assert_eq!(place.role_of("ada@studio.example").await.as_deref(), Some("member"));
    let editors = place.add_group("Editors", &[&id]).await;
    let path = format!("/scim/v2/Groups/{editors}");
    let library = |seen: &Value| seen["my_roles"]["library"].clone();
    assert_eq!(library(&ada.get(&production).await.expect(200).json()), "editor");
    let listed = place.provider.get(&format!("/scim/v2/Users/{id}")).await.expect(200).json();
    assert_eq!(text(&listed, "/groups/0/value"), editors);

    let leave = json!([{ "op": "remove", "path": format!("members[value eq \"{id}\"]") }]);
    let answer = place.patch(&path, leave.clone()).await.expect(204);
    assert_eq!(answer.header("etag"), Some("W/\"2\""));
    let _ = place.patch(&path, leave).await.expect(204);
    kinora_tests::wait_until("the role has gone", async || {
        (ada.get(&production).await.status == 404).then_some(())
    })
    .await;
    let join = json!([{ "op": "Add", "path": "members", "value": [{ "value": id }] }]);
    let _ = place.patch(&path, join).await.expect(204);
    let _ = ada.get(&production).await.expect(200);

    // A rule may name the group by what the provider knows it by, and counts from the moment it is made.
    let body = json!({ "schemas": [GROUP], "displayName": "Information technology", "externalId": "ext-it",
                       "members": [{ "value": id }] });
    let made = place.provider.post("/scim/v2/Groups", &body).await.expect(201).json();
    assert_eq!(place.role_of("ada@studio.example").await.as_deref(), Some("administrator"));
    let _ = place.owner.delete(&it).await.expect(204);
    assert_eq!(place.role_of("ada@studio.example").await.as_deref(), Some("member"));
    let _ = place
        .add_rule(&json!({ "group": "Information technology", "organisation_role": "administrator" }))
        .await;
    assert_eq!(place.role_of("ada@studio.example").await.as_deref(), Some("administrator"));
    // A new name is another group's.
    let other = format!("/scim/v2/Groups/{}", text(&made, "/id"));
    let rename = json!([{ "op": "replace", "value": { "id": made["id"], "displayName": "IT" } }]);
    let _ = place.patch(&other, rename).await.expect(204);
    assert_eq!(place.role_of("ada@studio.example").await.as_deref(), Some("member"));
    // Removed, and with it what it gave.
    let _ = place.provider.delete(&path).await.expect(204);
    kinora_tests::wait_until("the role has gone", async || {
        (ada.get(&production).await.status == 404).then_some(())
    })
    .await;
    let without = place.provider.get(&format!("{other}?excludedAttributes=members")).await.expect(200).json();
    assert!(without.get("members").is_none(), "{without}");
    let with = place.provider.get(&other).await.expect(200).json();
    assert_eq!(text(&with, "/members/0/value"), id);
    let found = place
        .provider
        .get("/scim/v2/Groups?filter=displayName%20eq%20%22it%22&excludedAttributes=members")
        .await;
    let found = found.expect(200).json();
    assert_eq!((&found["totalResults"], found["Resources"][0].get("members")), (&json!(1), None));
    // All of it is on record, as the token's.
    let trail = place.trail().await;
    for action in [
        "provisioned_group.created",
        "provisioned_group.changed",
        "provisioned_group.removed",
        "membership.changed",
    ] {
        let row = trail.iter().find(|row| row["action"] == action).unwrap_or_else(|| panic!("{action}"));
        assert!(row.to_string().contains("provisioning of Studio accounts"), "{row}");
    }
}

#[tokio::test]
async fn groups_keep_what_is_theirs() {
    let mut place = Place::open().await;
    let id = place.add_user("ada").await;
    let group = place.add_group("Editors", &[&id]).await;
    let same = place.provider.post("/scim/v2/Groups", &json!({ "displayName": "editors" })).await;
    assert_eq!(refusal(&same).1.as_deref(), Some("uniqueness"));
    let path = format!("/scim/v2/Groups/{group}");
    let put = json!({ "schemas": [GROUP], "displayName": "Cutters", "members": [] });
    let changed = place.provider.put(&path, &put).await.expect(200).json();
    assert_eq!((text(&changed, "/displayName"), changed.get("members")), ("Cutters".to_owned(), None));
    let unknown = json!([{ "op": "add", "path": "members", "value": [{ "value": uuid::Uuid::now_v7() }] }]);
    let answer = place.patch(&path, unknown).await;
    assert_eq!(refusal(&answer).1.as_deref(), Some("invalidValue"));
    let late = send(&mut place.provider, Method::PUT, &path, &[("If-Match", "W/\"1\"")], Some(&put)).await;
    assert_eq!(refusal(&late).0, 412);
    let _ = place.provider.delete(&path).await.expect(204);
    let _ = place.provider.get(&path).await.expect(404);
}

fn ada(groups: &[&str]) -> Value {
    json!({ "ada": { "displayName": ["Ada"], "mail": ["ada@studio.example"], "groups": groups } })
}

#[tokio::test]
async fn at_a_sign_in_the_provisioned_groups_decide() {
    let builder = Kinora::builder().applications(1);
    let mut studio = Studio::build(builder).await;
    let organisation = studio.organisation.clone();
    let rule = json!({ "group": "it", "organisation_role": "administrator" });
    let _ = studio.connection.add_rule(&mut studio.owner, &rule).await;
    let secret = add_token(&mut studio.owner, &organisation, &studio.connection.id).await;
    let mut provider = kinora_tests::Client::with_token(&studio.kinora.url(), &secret);
    // No groups are provisioned: the sign-in says which there are.
    let made = provider.post("/scim/v2/Users", &user("ada")).await.expect(201).json();
    let (id, path) = (text(&made, "/id"), format!("/scim/v2/Users/{}", text(&made, "/id")));
    studio.set_people(&ada(&["it"])).await;
    let mut browser = studio.sign_in("ada").await;
    assert_eq!(role_in(&mut browser, &organisation).await.as_deref(), Some("administrator"));
    let rename = json!([{ "op": "replace", "path": "displayName", "value": "Ada L" }]);
    let _ = super::place::patch(&mut provider, &path, rename).await.expect(200);
    assert_eq!(role_in(&mut browser, &organisation).await.as_deref(), Some("administrator"));
    // From the first one on they decide, whatever the sign-in says.
    let body = json!({ "displayName": "others", "members": [{ "value": id }] });
    let group = provider.post("/scim/v2/Groups", &body).await.expect(201).json();
    let mut browser = studio.sign_in("ada").await;
    assert_eq!(role_in(&mut browser, &organisation).await.as_deref(), Some("member"));
    let group = format!("/scim/v2/Groups/{}", text(&group, "/id"));
    let rename = json!([{ "op": "replace", "path": "displayName", "value": "it" }]);
    let _ = super::place::patch(&mut provider, &group, rename).await.expect(204);
    studio.set_people(&ada(&[])).await;
    let mut browser = studio.sign_in("ada").await;
    assert_eq!(role_in(&mut browser, &organisation).await.as_deref(), Some("administrator"));
    // Who is not to come in does not, though the provider signs them in.
    let off = json!([{ "op": "replace", "value": { "active": false } }]);
    let _ = super::place::patch(&mut provider, &path, off).await.expect(200);
    let mut refused = studio.kinora.visitor();
    let answer = studio.try_sign_in(&mut refused, "ada").await;
    studio.expect_refused(&mut refused, &answer, "disabled").await;
    kinora_tests::wait_until("the session has ended", async || {
        (browser.get("/api/data/v1/session").await.status == 401).then_some(())
    })
    .await;
}
