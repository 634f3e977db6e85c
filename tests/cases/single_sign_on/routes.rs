//! Several providers of one organisation: which one the people of a domain are sent to.

use kinora_store::Origin;
use kinora_store::single_sign_on::domains;
use kinora_tests::{Client, IdentityProvider};
use reqwest::Method;
use serde_json::{Value, json};

use super::studio::{Connection, Studio};
use crate::accounts::world::{add_organisation, add_person, send, text};

async fn way_of(browser: &mut Client, address: &str) -> Option<String> {
    let way =
        browser.post("/api/data/v1/session/route", &json!({ "address": address })).await.expect(200).json();
    way["address"].as_str().map(str::to_owned)
}

async fn lead(owner: &mut Client, domain: &str, target: &Value) -> kinora_tests::Answer {
    lead_from("*", owner, domain, target).await
}

/// Says what was read before.
async fn lead_from(read: &str, owner: &mut Client, domain: &str, target: &Value) -> kinora_tests::Answer {
    let body = json!({ "connection_id": target });
    send(owner, Method::PATCH, domain, &[("If-Match", read)], Some(&body)).await
}

#[tokio::test]
async fn each_domain_leads_to_the_provider_that_was_chosen_for_it() {
    let mut studio = Studio::open().await;
    let organisation = studio.organisation.clone();
    studio.confirm_domain(&organisation, "paris.example");
    let paris = IdentityProvider::start();
    let second = Connection::make(&mut studio.owner, &organisation, &paris).await;
    let mut visitor = studio.kinora.visitor();
    let first = Some(studio.connection.sign_in());
    assert_eq!(way_of(&mut visitor, "ada@paris.example").await, first, "the oldest that is on");

    let domains = format!("/api/data/v1/organisations/{organisation}/sign-on/domains");
    let listed = studio.owner.get(&domains).await.expect(200).json();
    let items = listed["items"].as_array().unwrap();
    let row = items.iter().find(|row| row["domain"] == "paris.example").unwrap();
    let domain = format!("{domains}/{}", text(row, "/id"));
    let led = lead(&mut studio.owner, &domain, &json!(second.id)).await.expect(200).json();
    assert_eq!(led["connection_id"], second.id.as_str());
    assert_eq!(way_of(&mut visitor, "ada@paris.example").await, Some(second.sign_in()));
    assert_eq!(way_of(&mut visitor, "ada@studio.example").await, first, "the others stay");

    // One that is off takes nobody, and nobody is sent to another one instead.
    second.change(&mut studio.owner, &json!({ "enabled": false })).await;
    assert_eq!(way_of(&mut visitor, "ada@paris.example").await, None);
    let _ = lead(&mut studio.owner, &domain, &Value::Null).await.expect(200);
    assert_eq!(way_of(&mut visitor, "ada@paris.example").await, first);

    // Only to the organisation's own, and only by its owners.
    let unknown = json!("01998c2e-0000-7000-8000-000000000000");
    let _ = lead(&mut studio.owner, &domain, &unknown).await.expect(404);
    let elsewhere = add_organisation(&mut studio.owner, "Other Studio").await;
    let (_, mut stranger) =
        add_person(&studio.kinora, &mut studio.owner, &elsewhere, "far@x.example", "owner").await;
    let foreign = Connection::make(&mut stranger, &elsewhere, &paris).await;
    let _ = lead(&mut stranger, &domain, &json!(foreign.id)).await.expect(404);
    let _ = lead(&mut studio.owner, &domain, &json!(foreign.id)).await.expect(404);
    let (_, mut administrator) =
        add_person(&studio.kinora, &mut studio.owner, &organisation, "it@x.example", "administrator").await;
    let _ = lead(&mut administrator, &domain, &json!(second.id)).await.expect(403);
    // What is to be changed must be said.
    let any = [("If-Match", "*")];
    let _ = send(&mut studio.owner, Method::PATCH, &domain, &any, Some(&json!({}))).await.expect(422);
    let trail = studio
        .owner
        .get(&format!("/api/data/v1/organisations/{organisation}/audit?permissions_only=true&limit=200"))
        .await
        .expect(200)
        .text();
    assert_eq!(trail.matches("organisation_domain.led").count(), 2);
}

#[tokio::test]
async fn nobody_leads_a_domain_elsewhere_without_having_seen_where_it_leads() {
    let mut studio = Studio::open().await;
    let below = format!("/api/data/v1/organisations/{}/sign-on", studio.organisation);
    let all = format!("{below}/domains");
    let made = studio.owner.post(&all, &json!({ "domain": "paris.example" })).await.expect(201);
    assert_eq!(made.header("etag"), Some("\"1\""));
    let domain = format!("{all}/{}", text(&made.json(), "/id"));
    let provider = IdentityProvider::start();
    let second = Connection::make(&mut studio.owner, &studio.organisation, &provider).await;
    let target = json!(second.id);

    let body = json!({ "connection_id": target });
    let _ = send(&mut studio.owner, Method::PATCH, &domain, &[], Some(&body)).await.expect(428);
    let led = lead_from("\"1\"", &mut studio.owner, &domain, &target).await.expect(200);
    assert_eq!((led.header("etag"), &led.json()["revision"]), (Some("\"2\""), &json!(2)));
    let _ = lead_from("\"1\"", &mut studio.owner, &domain, &Value::Null).await.expect(412);
    // What the operator says of it counts too, and that its connection goes.
    let operator = Origin::system("test");
    domains::confirm(&mut studio.kinora.connect(), &operator, "paris.example", None).unwrap();
    let _ = lead_from("\"2\"", &mut studio.owner, &domain, &Value::Null).await.expect(412);
    let any = [("If-Match", "*")];
    let connection = format!("{below}/connections/{}", second.id);
    let _ = send(&mut studio.owner, Method::DELETE, &connection, &any, None).await.expect(204);
    let _ = lead_from("\"3\"", &mut studio.owner, &domain, &Value::Null).await.expect(412);
    let listed = studio.owner.get(&all).await.expect(200).json();
    let row =
        listed["items"].as_array().unwrap().iter().find(|row| row["domain"] == "paris.example").unwrap();
    assert_eq!((&row["connection_id"], &row["revision"]), (&Value::Null, &json!(4)));
}
