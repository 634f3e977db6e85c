//! Requests that must not go through, and what is answered.

use reqwest::Method;
use serde_json::{Value, json};

use super::place::{Place, refusal, user};
use crate::accounts::world::send;

#[tokio::test]
async fn what_is_wrong_is_refused_in_the_words_of_the_standard() {
    let mut place = Place::open().await;
    let id = place.add_user("ada").await;
    let _ = place.add_user("bob").await;
    let one = format!("/scim/v2/Users/{id}");
    let group = format!("/scim/v2/Groups/{}", place.add_group("Editors", &[&id]).await);
    let operations = |operations: Value| json!({ "Operations": operations });
    let large = vec![json!({ "value": id }); 1001];
    let cases: Vec<(Method, String, Value, u16, Option<&str>)> = vec![
        (Method::POST, "/scim/v2/Users".to_owned(), json!({}), 400, Some("invalidValue")),
        (Method::POST, "/scim/v2/Users".to_owned(), json!([]), 400, Some("invalidSyntax")),
        (Method::POST, "/scim/v2/Users".to_owned(), json!({ "userName": 7 }), 400, Some("invalidValue")),
        (
            Method::POST,
            "/scim/v2/Users".to_owned(),
            json!({ "userName": "a\u{0}b" }),
            400,
            Some("invalidValue"),
        ),
        (
            Method::POST,
            "/scim/v2/Users".to_owned(),
            json!({ "userName": "c@studio.example", "active": "perhaps" }),
            400,
            Some("invalidValue"),
        ),
        (Method::PUT, one.clone(), json!({ "displayName": "Ada" }), 400, Some("invalidValue")),
        (Method::PUT, one.clone(), json!({ "userName": "BOB@studio.example" }), 409, Some("uniqueness")),
        (Method::PATCH, one.clone(), json!({}), 400, Some("invalidSyntax")),
        (
            Method::PATCH,
            one.clone(),
            operations(json!([{ "op": "replace", "path": "userName", "value": "bob@studio.example" }])),
            409,
            Some("uniqueness"),
        ),
        (
            Method::PATCH,
            one.clone(),
            operations(json!([{ "op": "remove", "path": "userName" }])),
            400,
            Some("mutability"),
        ),
        (
            Method::PATCH,
            one.clone(),
            operations(json!([{ "op": "replace", "path": "groups", "value": [] }])),
            400,
            Some("mutability"),
        ),
        (
            Method::PATCH,
            one.clone(),
            operations(json!([{ "op": "replace", "path": "shoeSize", "value": 43 }])),
            400,
            Some("invalidPath"),
        ),
        (Method::PATCH, one.clone(), operations(json!([{ "op": "remove" }])), 400, Some("noTarget")),
        (Method::POST, "/scim/v2/Groups".to_owned(), json!({}), 400, Some("invalidValue")),
        (
            Method::POST,
            "/scim/v2/Groups".to_owned(),
            json!({ "displayName": "x", "members": [{ "value": id, "type": "Group" }] }),
            400,
            Some("invalidValue"),
        ),
        (
            Method::POST,
            "/scim/v2/Groups".to_owned(),
            json!({ "displayName": "x", "members": large }),
            413,
            None,
        ),
        (
            Method::PATCH,
            group,
            operations(json!([{ "op": "remove", "path": "displayName" }])),
            400,
            Some("mutability"),
        ),
        (Method::POST, "/scim/v2/Bulk".to_owned(), json!({ "Operations": [] }), 501, None),
        (Method::POST, "/scim/v2/.search".to_owned(), json!({}), 501, None),
        (Method::GET, "/scim/v2/Me".to_owned(), Value::Null, 501, None),
        (Method::GET, "/scim/v2/Things".to_owned(), Value::Null, 404, None),
        (Method::POST, "/scim/v2/Schemas".to_owned(), json!({}), 405, None),
        (Method::PATCH, "/scim/v2/Users".to_owned(), json!({}), 405, None),
        (
            Method::GET,
            "/scim/v2/Users?filter=userName%20co%20%22a%22".to_owned(),
            Value::Null,
            400,
            Some("invalidFilter"),
        ),
        (
            Method::GET,
            "/scim/v2/Users?filter=title%20eq%20%22a%22".to_owned(),
            Value::Null,
            400,
            Some("invalidFilter"),
        ),
        (
            Method::GET,
            "/scim/v2/Groups?filter=colour%20eq%20%22a%22".to_owned(),
            Value::Null,
            400,
            Some("invalidFilter"),
        ),
        (Method::GET, "/scim/v2/Users?count=many".to_owned(), Value::Null, 400, Some("invalidValue")),
    ];
    for (method, path, body, status, scim_type) in cases {
        let answer = send(&mut place.provider, method.clone(), &path, &[], Some(&body)).await;
        let told = refusal(&answer);
        assert_eq!((told.0, told.1.as_deref()), (status, scim_type), "{method} {path} {body}: {}", told.2);
    }
    // Nothing of it was done.
    let list = place.provider.get("/scim/v2/Users").await.expect(200).json();
    assert_eq!(list["totalResults"], 2);
}

#[tokio::test]
async fn bodies_are_bounded_and_of_their_type() {
    let mut place = Place::open().await;
    let mut large = user("ada");
    large["nickName"] = json!("n".repeat(1 << 20));
    assert_eq!(refusal(&place.provider.post("/scim/v2/Users", &large).await).0, 413);
    let text = place.provider.request(Method::POST, "/scim/v2/Users");
    let text = text.header("Content-Type", "text/plain").body(user("ada").to_string());
    assert_eq!(refusal(&place.provider.send(text).await).0, 415);
    let broken = place.provider.request(Method::POST, "/scim/v2/Users");
    let broken = broken.header("Content-Type", "application/scim+json").body("{");
    assert_eq!(refusal(&place.provider.send(broken).await).1.as_deref(), Some("invalidSyntax"));
    let deep = format!("{}{}", "{\"a\":".repeat(5000), "1");
    let deep = place
        .provider
        .request(Method::POST, "/scim/v2/Users")
        .header("Content-Type", "application/json")
        .body(deep);
    assert_eq!(refusal(&place.provider.send(deep).await).1.as_deref(), Some("invalidSyntax"));
    let good = place.provider.request(Method::POST, "/scim/v2/Users");
    let good =
        good.header("Content-Type", "application/scim+json; charset=utf-8").body(user("ada").to_string());
    let _ = place.provider.send(good).await.expect(201);
}
