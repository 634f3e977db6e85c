//! The canary's own account: made once, its token replaced when another is handed out, and good for its own production alone.

use kinora_store::token_text;
use kinora_tests::{Client, Kinora, wait_until};
use serde_json::{Value, json};

use super::fixture::{number, word};

fn prepare(kinora: &Kinora, token: &str) -> Value {
    let file = kinora.directory().join("credentials/backend/canary-token");
    // Writes settings and credentials where they are not there yet.
    let _ = kinora.run_backend(&["check-config"]);
    std::fs::write(file, token).unwrap();
    serde_json::from_str(&kinora.run_backend(&["prepare-canary"])).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_canary_has_a_production_and_a_token_and_nothing_else() {
    let kinora = Kinora::builder().applications(1).start().await;
    let mut owner = kinora.administrator().await;
    let mut connection = kinora.connect();
    let (first, second) = (token_text::new_access_token().unwrap(), token_text::new_access_token().unwrap());

    let made = prepare(&kinora, &first);
    assert_eq!(made["changed"], json!(true));
    let production = made["production_id"].as_str().unwrap().to_owned();
    assert_eq!(prepare(&kinora, &first), json!({ "production_id": production, "changed": false }));
    let acts = "SELECT string_agg(action, ' ' ORDER BY sequence) AS word FROM audit_rows \
                WHERE actor LIKE '%prepare-canary%'";
    assert_eq!(
        word(&mut connection, acts),
        "organisation.created service_account.created production.created token.created"
    );
    let members = "SELECT count(*) AS number FROM organisation_members JOIN organisations ON id = organisation_id \
                   WHERE name = 'Kinora canary'";
    assert_eq!(number(&mut connection, members), 0);

    // It sees its own production, and may make nothing beside it.
    let mut canary = Client::with_token(&kinora.url(), &first);
    let assets = format!("/api/data/v1/productions/{production}/assets");
    let _ = canary.get(&assets).await.expect(200);
    let body = json!({ "name": "Another" });
    assert!(canary.post("/api/data/v1/organisations", &body).await.status.is_client_error());
    let session = owner.get("/api/data/v1/session").await.expect(200).json();
    let studio = session["organisations"][0]["id"].as_str().unwrap().to_owned();
    let film = owner
        .post(&format!("/api/data/v1/organisations/{studio}/productions"), &body)
        .await
        .expect(201)
        .json();
    let film = film["id"].as_str().unwrap();
    let _ = canary.get(&format!("/api/data/v1/productions/{film}/assets")).await.expect(404);
    // Nor does an administrator of another organisation see the canary's.
    let _ = owner.get(&assets).await.expect(404);

    // Another token: the old one opens nothing, and both stand in the trail.
    assert_eq!(prepare(&kinora, &second), json!({ "production_id": production, "changed": true }));
    assert!(word(&mut connection, acts).ends_with("token.created token.revoked token.created"));
    let mut canary = Client::with_token(&kinora.url(), &second);
    let _ = canary.get(&assets).await.expect(200);
    let mut canary = Client::with_token(&kinora.url(), &first);
    wait_until("the old token opens nothing", async || {
        (canary.get(&assets).await.status == 401).then_some(())
    })
    .await;
}
