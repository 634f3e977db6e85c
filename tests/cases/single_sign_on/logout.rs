//! Signing out, both ways.

use kinora_tests::{Answer, Client};
use reqwest::Method;
use serde_json::json;

use super::studio::{Studio, post_to};
use crate::accounts::world::text;

/// The path and query of an address of the product.
fn path_of(address: &str) -> String {
    let (_, rest) = address.split_once("//").unwrap();
    format!("/{}", rest.split_once('/').unwrap().1)
}

async fn sign_out(browser: &mut Client) -> Answer {
    browser.delete("/api/data/v1/session").await
}

#[tokio::test]
async fn signing_out_here_signs_out_there() {
    let studio = Studio::open().await;
    let mut browser = studio.sign_in("ada").await;
    let way = sign_out(&mut browser).await.expect(200).json();
    // Here it has ended before anybody was asked.
    let _ = browser.get("/api/data/v1/session").await.expect(401);
    let leads = browser.get(&text(&way, "/address")).await.expect(303);
    let there = studio.idp.open(leads.header("location").unwrap()).await.expect(303);
    let log = studio.idp.log().await;
    assert!(log.iter().any(|entry| entry["logout_request"].is_string()), "{log:?}");
    let back = browser.get(&path_of(there.header("location").unwrap())).await.expect(303);
    assert_eq!(back.header("location"), Some("/signed-out"), "{}", studio.last_refusal());
    // The answer counts once, and in this browser.
    let again = browser.get(&path_of(there.header("location").unwrap())).await.expect(303);
    assert!(again.header("location").unwrap().starts_with("/signed-out?incomplete=true&attempt="));
}

#[tokio::test]
async fn where_it_is_switched_off_or_the_session_is_local_it_ends_here() {
    let mut studio = Studio::open().await;
    let mut owner = studio.owner.clone();
    studio.connection.change(&mut studio.owner, &json!({ "single_logout": false })).await;
    let mut browser = studio.sign_in("ada").await;
    let _ = sign_out(&mut browser).await.expect(204);
    let _ = sign_out(&mut owner).await.expect(204);
}

#[tokio::test]
async fn signing_out_there_signs_out_here() {
    let studio = Studio::open().await;
    let (mut one, mut two) = (studio.sign_in("ada").await, studio.sign_in("ada").await);
    studio
        .set_people(&json!({
            "ada": { "displayName": ["Ada Löwe"], "mail": ["ada@studio.example"], "groups": [] },
            "eve": { "displayName": ["Eve"], "mail": ["eve@studio.example"], "groups": [] },
        }))
        .await;
    let mut eve = studio.sign_in("eve").await;
    let began = studio.idp.open("/end?login=ada").await.expect(303);
    let request = path_of(began.header("location").unwrap());
    let mut visitor = studio.kinora.visitor();
    let answer = visitor.get(&request).await.expect(303);
    let there = studio.idp.open(answer.header("location").unwrap()).await.expect(200);
    assert!(there.text().contains("Signed out"));
    let _ = one.get("/api/data/v1/session").await.expect(401);
    let _ = two.get("/api/data/v1/session").await.expect(401);
    let _ = eve.get("/api/data/v1/session").await.expect(200);
    // The same message ends nothing a second time.
    let mut later = studio.sign_in("ada").await;
    let again = visitor.get(&request).await.expect(303);
    assert!(again.header("location").unwrap().starts_with("/signed-out?incomplete=true"));
    assert_eq!(studio.attempts()[0].refusal, "replayed");
    let _ = later.get("/api/data/v1/session").await.expect(200);
}

#[tokio::test]
async fn signing_out_there_by_post_signs_out_here() {
    let studio = Studio::open().await;
    let mut browser = studio.sign_in("ada").await;
    let page = studio.idp.open("/end?login=ada&binding=post").await.expect(200);
    let form = kinora_tests::PageForm::on(&page);
    let mut visitor = studio.kinora.visitor();
    let path = path_of(&form.action);
    // One letter of it changed, and nobody is signed out.
    let sent = form.value("SAMLRequest").unwrap().to_owned();
    let changed = form.clone().with("SAMLRequest", &sent.replacen("MD", "MT", 1));
    let answer = post_to(&mut visitor, &path, &changed, studio.idp.url()).await.expect(303);
    assert!(answer.header("location").unwrap().starts_with("/signed-out?incomplete=true"));
    let _ = browser.get("/api/data/v1/session").await.expect(200);
    let answer = post_to(&mut visitor, &path, &form, studio.idp.url()).await.expect(303);
    let there = studio.idp.open(answer.header("location").unwrap()).await.expect(200);
    assert!(there.text().contains("Signed out"), "{}", studio.last_refusal());
    let _ = browser.get("/api/data/v1/session").await.expect(401);
}

#[tokio::test]
async fn unsigned_logouts_end_nothing() {
    let studio = Studio::open().await;
    let mut browser = studio.sign_in("ada").await;
    let began = studio.idp.open("/end?login=ada").await.expect(303);
    let signed = path_of(began.header("location").unwrap());
    let (unsigned, _) = signed.split_once("&SigAlg").unwrap();
    let (changed, _) = signed.split_once("&Signature=").unwrap();
    let mut visitor = studio.kinora.visitor();
    for (message, code) in
        [(unsigned.to_owned(), "unsigned"), (format!("{changed}&Signature=AAAA"), "bad_signature")]
    {
        let answer = visitor.get(&message).await.expect(303);
        assert!(answer.header("location").unwrap().starts_with("/signed-out?incomplete=true"));
        assert_eq!(studio.attempts()[0].refusal, code);
    }
    // By POST, from another site's page.
    let xml = format!(
        "<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_{}\" Version=\"2.0\" IssueInstant=\"{}\" Destination=\"{}/saml/{}/logout\"><saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{}/metadata</saml:Issuer><saml:NameID xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">x</saml:NameID></samlp:LogoutRequest>",
        "a".repeat(32),
        chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ"),
        studio.kinora.url(),
        studio.connection.id,
        studio.idp.url(),
    );
    use base64::Engine as _;
    let form = kinora_tests::PageForm {
        action: String::new(),
        fields: vec![("SAMLRequest".to_owned(), base64::engine::general_purpose::STANDARD.encode(xml))],
    };
    let path = format!("/saml/{}/logout", studio.connection.id);
    let answer = post_to(&mut visitor, &path, &form, "https://evil.example").await.expect(303);
    assert!(answer.header("location").unwrap().starts_with("/signed-out?incomplete=true"));
    assert_eq!(studio.attempts()[0].refusal, "unsigned");
    let _ = browser.get("/api/data/v1/session").await.expect(200);
    // Nothing else takes what another site posts.
    for other in ["/api/data/v1/session", "/saml/x/acs"] {
        let request = browser.request(Method::POST, other).header("Sec-Fetch-Site", "cross-site").body("");
        let answer = browser.clone().send(request).await;
        assert_eq!(answer.status.as_u16(), 403, "{other}");
    }
}
