//! The requests that Microsoft and Okta publish, in their shape with names of our own.
//!
//! * Microsoft Entra ID: "Tutorial: Develop a SCIM endpoint for user provisioning to apps from Microsoft Entra ID",
//!   learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups, sections "User operations"
//!   and "Group operations".
//! * Okta: "SCIM 2.0 protocol", developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20, operations "Create User",
//!   "Update a specific User (PUT, PATCH)", "Create Group", "Update a specific Group".

use serde_json::{Value, json};

use super::place::{Place, refusal};
use crate::accounts::world::text;

#[tokio::test]
async fn what_entra_sends() {
    let mut place = Place::open().await;
    // "Test connection" asks for somebody who does not exist.
    let probe = "/scim/v2/Users?filter=userName%20eq%20%22non-existent%20user%22";
    let none = place.provider.get(probe).await.expect(200).json();
    assert_eq!(none["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"]));
    assert_eq!((&none["totalResults"], &none["Resources"]), (&json!(0), &json!([])));

    let create = json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
        ],
        "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
        "userName": "grace.hopper@studio.example",
        "active": true,
        "emails": [{ "primary": true, "type": "work", "value": "grace@studio.example" }],
        "meta": { "resourceType": "User" },
        "name": { "formatted": "Grace Hopper", "familyName": "Hopper", "givenName": "Grace" },
        "roles": []
    });
    let made = place.provider.post("/scim/v2/Users", &create).await.expect(201).json();
    let path = format!("/scim/v2/Users/{}", text(&made, "/id"));
    for part in ["externalId", "userName", "active", "emails", "name"] {
        assert_eq!(made[part], create[part], "{part}");
    }
    assert_eq!(text(&made, "/meta/resourceType"), "User");
    assert_eq!(place.role_of("grace@studio.example").await.as_deref(), Some("member"));
    let again = place.provider.post("/scim/v2/Users", &create).await;
    assert_eq!(refusal(&again).1.as_deref(), Some("uniqueness"));

    let update = json!([
        { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "hopper@studio.example" },
        { "op": "Replace", "path": "name.familyName", "value": "Murray Hopper" }
    ]);
    let updated = place.patch(&path, update).await.expect(200).json();
    assert_eq!(text(&updated, "/emails/0/value"), "hopper@studio.example");
    assert_eq!(text(&updated, "/name/familyName"), "Murray Hopper");
    let user_name = json!([{ "op": "Replace", "path": "userName", "value": "hopper@studio.example" }]);
    assert_eq!(
        text(&place.patch(&path, user_name).await.expect(200).json(), "/userName"),
        "hopper@studio.example"
    );
    // Both ways in which it disables somebody, and the attributes that Kinora does not keep.
    for value in [json!(false), json!("False")] {
        let on = json!([{ "op": "Replace", "path": "active", "value": "True" }]);
        assert_eq!(place.patch(&path, on).await.expect(200).json()["active"], json!(true));
        let off = json!([
            { "op": "Replace", "path": "active", "value": value },
            { "op": "Add", "path": "title", "value": "Rear admiral" },
            { "op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "Post" }
        ]);
        let answer = place.patch(&path, off).await.expect(200).json();
        assert_eq!((&answer["active"], answer.get("title")), (&json!(false), None));
        assert_eq!(place.role_of("hopper@studio.example").await, None);
    }

    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
        "displayName": "Cutting room",
        "meta": { "resourceType": "Group" }
    });
    let made = place.provider.post("/scim/v2/Groups", &group).await.expect(201).json();
    let group = format!("/scim/v2/Groups/{}", text(&made, "/id"));
    let found = place
        .provider
        .get("/scim/v2/Groups?excludedAttributes=members&filter=displayName%20eq%20%22Cutting%20room%22")
        .await
        .expect(200)
        .json();
    assert_eq!(text(&found, "/Resources/0/id"), text(&made, "/id"));
    let user = path.rsplit('/').next().unwrap().to_owned();
    let members = |answer: Value| answer["members"].as_array().map_or(0, Vec::len);
    for (operation, expected) in [
        (json!({ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": user }] }), 1),
        (json!({ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": user }] }), 0),
        (json!({ "op": "Replace", "path": "displayName", "value": "Cutting rooms" }), 0),
    ] {
        let _ = place.patch(&group, json!([operation])).await.expect(204);
        assert_eq!(members(place.provider.get(&group).await.expect(200).json()), expected, "{operation}");
    }
    let _ = place.provider.delete(&group).await.expect(204);
    let _ = place.provider.delete(&path).await.expect(204);
    assert_eq!(refusal(&place.provider.get(&path).await).0, 404);
}

#[tokio::test]
async fn what_okta_sends() {
    let mut place = Place::open().await;
    let probe =
        "/scim/v2/Users?filter=userName%20eq%20%22ada.lovelace%40studio.example%22&startIndex=1&count=100";
    assert_eq!(place.provider.get(probe).await.expect(200).json()["totalResults"], 0);
    let create = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada.lovelace@studio.example",
        "name": { "givenName": "Ada", "familyName": "Lovelace" },
        "emails": [{ "primary": true, "value": "ada.lovelace@studio.example", "type": "work" }],
        "displayName": "Ada Lovelace",
        "locale": "en-US",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "password": "1mz050nq",
        "active": true
    });
    let answer = place.provider.post("/scim/v2/Users", &create).await.expect(201);
    assert!(!answer.text().contains("1mz050nq"), "a password is neither kept nor told");
    let made = answer.json();
    let (id, path) = (text(&made, "/id"), format!("/scim/v2/Users/{}", text(&made, "/id")));
    assert_eq!(place.provider.get(probe).await.expect(200).json()["Resources"][0]["id"], made["id"]);
    let kept = "SELECT 1 FROM provisioned_users u JOIN people p ON p.id = u.person_id \
                WHERE u::text LIKE '%1mz050nq%' OR p.password_hash IS NOT NULL";
    assert_eq!(crate::accounts::world::execute(&place.kinora, kept), 0);
    // An update sends the whole user.
    let mut put = made.clone();
    put["name"]["familyName"] = json!("Byron");
    put["displayName"] = json!("Ada Byron");
    let changed = place.provider.put(&path, &put).await.expect(200).json();
    assert_eq!((text(&changed, "/id"), text(&changed, "/displayName")), (id.clone(), "Ada Byron".to_owned()));
    // Deactivation names no path; nor does coming back.
    for active in [false, true] {
        let operations = json!([{ "op": "replace", "value": { "active": active } }]);
        assert_eq!(place.patch(&path, operations).await.expect(200).json()["active"], active);
        let role = place.role_of("ada.lovelace@studio.example").await;
        assert_eq!(role.as_deref(), active.then_some("member"));
    }
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "Editorial",
        "members": []
    });
    let made = place.provider.post("/scim/v2/Groups", &group).await.expect(201).json();
    let path = format!("/scim/v2/Groups/{}", text(&made, "/id"));
    let replace = json!([
        { "op": "replace", "value": { "id": made["id"], "displayName": "Editorial team" } },
        { "op": "add", "path": "members", "value": [{ "value": id, "display": "ada.lovelace@studio.example" }] }
    ]);
    let _ = place.patch(&path, replace).await.expect(204);
    let seen = place.provider.get(&path).await.expect(200).json();
    assert_eq!(
        (text(&seen, "/displayName"), text(&seen, "/members/0/value")),
        ("Editorial team".to_owned(), id.clone())
    );
    let remove = json!([{ "op": "remove", "path": format!("members[value eq \"{id}\"]") }]);
    let _ = place.patch(&path, remove).await.expect(204);
    assert_eq!(place.provider.get(&path).await.expect(200).json().get("members"), None);
    let list = place.provider.get("/scim/v2/Groups?startIndex=1&count=100").await.expect(200).json();
    assert_eq!(
        (&list["totalResults"], &list["startIndex"], &list["itemsPerPage"]),
        (&json!(1), &json!(1), &json!(1))
    );
}
