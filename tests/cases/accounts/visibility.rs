//! What a caller may not see answers exactly like what does not exist.
//!
//! The addresses are those of the OpenAPI document, so an endpoint that is added later is tried too.

use std::collections::BTreeMap;

use kinora_tests::{Answer, Client, Kinora};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::world::{add_organisation, add_person, add_production, add_things, organisation_of, send, text};

pub(crate) type Seen = (u16, BTreeMap<String, String>, String);

/// Everything of an answer that a caller can tell apart, but for the request's own id and the time, and
/// for whether the connection is kept: that depends on whether the request's body arrived before the
/// answer was ready.
pub(crate) fn seen(answer: &Answer) -> Seen {
    let apart = ["x-request-id", "date", "connection"];
    let headers = answer
        .headers
        .iter()
        .filter(|(name, _)| !apart.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    let id = answer.header("x-request-id").unwrap_or_default().to_owned();
    (answer.status.as_u16(), headers, answer.text().replace(&id, "ID"))
}

/// Method and path template of every address that has an id in it.
pub(super) fn addresses_with_ids(document: &Value) -> Vec<(Method, String)> {
    let mut addresses = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            if path.contains("_id}") {
                addresses.push((method, path.clone()));
            }
        }
    }
    addresses
}

pub(super) fn fill(template: &str, ids: &BTreeMap<&str, String>) -> String {
    ids.iter().fold(template.to_owned(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id))
}

pub(super) async fn ask(client: &mut Client, method: &Method, path: &str) -> Answer {
    let headers =
        [("If-Match", "*"), ("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"), ("Upload-Length", "1")];
    let body = (*method != Method::GET && *method != Method::HEAD).then(|| json!({}));
    send(client, method.clone(), path, &headers, body.as_ref()).await
}

#[tokio::test]
async fn foreign_unknown_and_impossible_ids_answer_alike_everywhere() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let other = add_organisation(&mut owner, "Other Studio").await;
    let (_, mut stranger) =
        add_person(&kinora, &mut owner, &other, "stranger@x.example", "administrator").await;
    let (insider_id, mut insider) =
        add_person(&kinora, &mut owner, &own, "insider@x.example", "member").await;
    let production = add_production(&mut owner, &own, "Secret Film").await;
    let things = add_things(&kinora, &production, &insider_id);

    let invitations = format!("/api/data/v1/productions/{production}/invitations");
    let invitation = json!({ "address": "guest@x.example", "roles": { "library": "reader" } });
    let invitation = text(&owner.post(&invitations, &invitation).await.expect(201).json(), "/id");
    let mails = owner.get(&format!("/api/data/v1/organisations/{own}/mail")).await.expect(200).json();

    let sign_on = format!("/api/data/v1/organisations/{own}/sign-on");
    let connection = owner.post(&format!("{sign_on}/connections"), &json!({ "name": "Studio" })).await;
    let connection = text(&connection.expect(201).json(), "/id");
    let rules = format!("{sign_on}/connections/{connection}/rules");
    let rule = json!({ "group": "it", "organisation_role": "member" });
    let rule = text(&owner.post(&rules, &rule).await.expect(201).json(), "/id");
    let domain = owner.post(&format!("{sign_on}/domains"), &json!({ "domain": "studio.example" })).await;

    let existing = BTreeMap::from([
        ("connection_id", connection),
        ("rule_id", rule),
        ("erasure_id", Uuid::now_v7().to_string()),
        ("domain_id", text(&domain.expect(201).json(), "/id")),
        ("attempt_id", Uuid::now_v7().to_string()),
        ("invitation_id", invitation),
        ("message_id", text(&mails, "/items/0/id")),
        ("organisation_id", own),
        ("person_id", insider_id),
        ("production_id", production),
        ("asset_id", things.asset),
        ("run_id", things.run),
        ("step_id", things.step),
        ("upload_id", things.upload),
        ("session_id", Uuid::now_v7().to_string()),
        ("token_id", Uuid::now_v7().to_string()),
        ("grant_id", Uuid::now_v7().to_string()),
        ("passkey_id", Uuid::now_v7().to_string()),
    ]);
    let unknown: BTreeMap<_, _> = existing.keys().map(|name| (*name, Uuid::now_v7().to_string())).collect();
    let impossible: BTreeMap<_, _> = existing.keys().map(|name| (*name, "not-an-id".to_owned())).collect();

    let document = kinora.visitor().get("/api/openapi.json").await.expect(200).json();
    let addresses = addresses_with_ids(&document);
    assert!(addresses.len() > 25, "{}", addresses.len());
    for (method, template) in addresses {
        // OPTIONS tells what the server can do, not what is there.
        if method == Method::OPTIONS {
            continue;
        }
        let baseline = seen(&ask(&mut stranger, &method, &fill(&template, &unknown)).await);
        assert_eq!(baseline.0, 404, "{method} {template}: {}", baseline.2);
        let path = fill(&template, &existing);
        assert_eq!(seen(&ask(&mut stranger, &method, &path).await), baseline, "{method} {path}");
        let path = fill(&template, &impossible);
        let answer = seen(&ask(&mut stranger, &method, &path).await);
        assert_eq!(answer, baseline, "{method} {path}");
        // A member of the organisation without a role in the production.
        if !template.contains("{organisation_id}") {
            let path = fill(&template, &existing);
            assert_eq!(
                seen(&ask(&mut insider, &method, &path).await),
                baseline,
                "{method} {path} as insider"
            );
        }
        let anonymous = ask(&mut kinora.visitor(), &method, &fill(&template, &existing)).await;
        assert_eq!(anonymous.status, 401, "{method} {template} anonymously");
    }
}

#[tokio::test]
async fn foreign_ids_inside_what_one_may_see_answer_like_unknown_ones() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let other = add_organisation(&mut owner, "Other Studio").await;
    let (foreigner, mut foreign_client) =
        add_person(&kinora, &mut owner, &other, "far@x.example", "member").await;
    let session = foreign_client.get("/api/data/v1/account/sessions").await.expect(200).json();
    let foreign_session = text(&session, "/items/0/id");
    let token = foreign_client
        .post("/api/data/v1/account/tokens", &json!({ "name": "theirs" }))
        .await
        .expect(201)
        .json();
    let foreign_token = text(&token, "/token/id");
    let production = add_production(&mut owner, &own, "Film").await;
    let foreign_production = add_production(&mut owner, &other, "Their Film").await;
    let me = text(&owner.get("/api/data/v1/session").await.json(), "/person/id");
    let mine = add_things(&kinora, &production, &me);
    let theirs = add_things(&kinora, &foreign_production, &me);
    let invitation = json!({ "address": "guest@x.example", "roles": { "library": "reader" } });
    let path = format!("/api/data/v1/productions/{foreign_production}/invitations");
    let foreign_invitation = text(&owner.post(&path, &invitation).await.expect(201).json(), "/id");
    let mails = owner.get(&format!("/api/data/v1/organisations/{other}/mail")).await.expect(200).json();
    let foreign_mail = text(&mails, "/items/0/id");

    let d = "/api/data/v1";
    let cases = [
        (Method::GET, format!("{d}/organisations/{own}/people/"), foreigner.clone(), ""),
        (Method::PATCH, format!("{d}/organisations/{own}/people/"), foreigner.clone(), ""),
        (Method::DELETE, format!("{d}/organisations/{own}/people/"), foreigner.clone(), ""),
        (Method::POST, format!("{d}/organisations/{own}/people/"), foreigner.clone(), "/password-link"),
        (Method::GET, format!("{d}/productions/{production}/members/"), foreigner.clone(), ""),
        (Method::DELETE, format!("{d}/productions/{production}/members/"), foreigner.clone(), ""),
        (Method::DELETE, format!("{d}/account/sessions/"), foreign_session, ""),
        (Method::DELETE, format!("{d}/account/tokens/"), foreign_token, ""),
        (Method::POST, format!("{d}/runs/{}/steps/", mine.run), theirs.step, "/restart"),
        (Method::GET, format!("{d}/productions/{production}/invitations/"), foreign_invitation.clone(), ""),
        (
            Method::DELETE,
            format!("{d}/productions/{production}/invitations/"),
            foreign_invitation.clone(),
            "",
        ),
        (Method::POST, format!("{d}/productions/{production}/invitations/"), foreign_invitation, "/mail"),
        (Method::GET, format!("{d}/organisations/{own}/mail/"), foreign_mail.clone(), ""),
        (Method::DELETE, format!("{d}/organisations/{own}/mail/"), foreign_mail.clone(), ""),
        (Method::POST, format!("{d}/organisations/{own}/mail/"), foreign_mail, "/retry"),
        (Method::HEAD, format!("/api/media/v1/productions/{production}/uploads/"), theirs.upload, ""),
    ];
    for (method, before, foreign, after) in cases {
        let unknown = format!("{before}{}{after}", Uuid::now_v7());
        let baseline = seen(&ask(&mut owner, &method, &unknown).await);
        assert_eq!(baseline.0, 404, "{method} {unknown}: {}", baseline.2);
        let path = format!("{before}{foreign}{after}");
        assert_eq!(seen(&ask(&mut owner, &method, &path).await), baseline, "{method} {path}");
        let path = format!("{before}not-an-id{after}");
        let answer = seen(&ask(&mut owner, &method, &path).await);
        assert_eq!(answer, baseline, "{method} {path}");
    }
    let roles = json!({ "library": "reader" });
    for id in [foreigner.as_str(), &Uuid::now_v7().to_string()] {
        let path = format!("{d}/productions/{production}/members/{id}");
        let _ = owner.put(&path, &roles).await.expect(404);
    }
}

#[tokio::test]
async fn lists_show_only_what_one_may_see() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (person, mut member) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let shared = add_production(&mut owner, &own, "Shared").await;
    let _ = add_production(&mut owner, &own, "Secret").await;
    let roles = json!({ "library": "reader" });
    let _ =
        owner.put(&format!("/api/data/v1/productions/{shared}/members/{person}"), &roles).await.expect(200);

    let list = member.get("/api/data/v1/productions").await.expect(200).json();
    let names: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| text(item, "/name")).collect();
    assert_eq!(names, ["Shared"]);
    assert_eq!(list["items"][0]["my_roles"]["library"], "reader");
    for path in ["people", "productions", "audit"] {
        let _ = member.get(&format!("/api/data/v1/organisations/{own}/{path}")).await.expect(403);
    }
    let _ = member.get(&format!("/api/data/v1/productions/{shared}/assets")).await.expect(200);
    let _ = member
        .patch(&format!("/api/data/v1/productions/{shared}"), &json!({ "name": "Mine" }))
        .await
        .expect(428);
    let rename = json!({ "name": "Mine" });
    let path = format!("/api/data/v1/productions/{shared}");
    let _ = send(&mut member, Method::PATCH, &path, &[("If-Match", "*")], Some(&rename)).await.expect(403);
}
