//! What a connection asks of its provider, and what it makes of an answer that has it not.

use serde_json::json;

use super::studio::Studio;

const PASSWORD: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
const SMARTCARD: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI";

#[tokio::test]
async fn whoever_signed_in_more_weakly_than_was_asked_for_is_refused() {
    let mut studio = Studio::open().await;
    studio.connection.change(&mut studio.owner, &json!({ "contexts": [SMARTCARD] })).await;
    let mut browser = studio.kinora.visitor();
    let answer = studio.try_sign_in(&mut browser, "ada").await;
    studio.expect_refused(&mut browser, &answer, "weak_authentication").await;
    studio.idp.set(&json!({ "context": SMARTCARD })).await;
    let _ = studio.sign_in("ada").await;
    // Any of those that are named will do.
    studio.connection.change(&mut studio.owner, &json!({ "contexts": [PASSWORD, SMARTCARD] })).await;
    let _ = studio.sign_in("ada").await;
}

#[tokio::test]
async fn where_credentials_are_asked_for_every_time_an_earlier_sign_in_is_refused() {
    let mut studio = Studio::open().await;
    // Without being asked, the provider may go by a session that it has.
    studio.idp.set(&json!({ "signed_in_seconds_ago": 900 })).await;
    let _ = studio.sign_in("ada").await;
    assert_eq!(studio.idp.log().await.last().unwrap()["force"], false);
    studio.connection.change(&mut studio.owner, &json!({ "force_sign_in": true })).await;
    let mut browser = studio.kinora.visitor();
    let answer = studio.try_sign_in(&mut browser, "ada").await;
    assert_eq!(studio.idp.log().await.last().unwrap()["force"], true);
    studio.expect_refused(&mut browser, &answer, "stale_authentication").await;
    studio.idp.set(&json!({ "signed_in_seconds_ago": 0 })).await;
    let _ = studio.sign_in("ada").await;
}

#[tokio::test]
async fn clocks_may_differ_by_as_much_as_the_connection_says() {
    let mut studio = Studio::open().await;
    studio.idp.set(&json!({ "lifetime_seconds": -120 })).await;
    let mut browser = studio.kinora.visitor();
    let answer = studio.try_sign_in(&mut browser, "ada").await;
    studio.expect_refused(&mut browser, &answer, "expired").await;
    studio.connection.change(&mut studio.owner, &json!({ "clock_skew_seconds": 300 })).await;
    let _ = studio.sign_in("ada").await;
    studio.connection.change(&mut studio.owner, &json!({ "clock_skew_seconds": 0 })).await;
    let answer = studio.try_sign_in(&mut browser, "ada").await;
    studio.expect_refused(&mut browser, &answer, "expired").await;
}
