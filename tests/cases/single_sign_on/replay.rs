//! What counts once, for one browser, at one connection.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kinora_tests::{IdentityProvider, Kinora};
use serde_json::json;

use super::studio::{Connection, Studio, post_to};
use crate::accounts::world::execute;

#[tokio::test]
async fn a_response_counts_once_on_all_instances() {
    let studio = Studio::build(Kinora::builder().applications(2).one_address()).await;
    let mut browser = studio.kinora.visitor();
    let form = studio.begin(&mut browser, "ada").await;
    let cookie = browser.cookie("__Host-kinora-sign-on").unwrap().to_owned();
    let answer = studio.post(&mut browser, &form).await.expect(303);
    assert_eq!(answer.header("location"), Some("/"), "{}", studio.last_refusal());
    for instance in 0..2 {
        let mut thief = kinora_tests::Client::anonymous(&studio.kinora.url_of(instance));
        thief.set_cookie("__Host-kinora-sign-on", &cookie);
        let answer = studio.post(&mut thief, &form).await;
        studio.expect_refused(&mut thief, &answer, "request_gone").await;
    }
    // Even if the request were still there.
    let kept = "INSERT INTO saml_requests SELECT * FROM kept_requests";
    let mut browser = studio.kinora.visitor();
    let form = studio.begin(&mut browser, "ada").await;
    let cookie = browser.cookie("__Host-kinora-sign-on").unwrap().to_owned();
    let _ = execute(&studio.kinora, "CREATE TABLE kept_requests AS TABLE saml_requests");
    let _ = studio.post(&mut browser, &form).await.expect(303);
    for instance in 0..2 {
        let _ = execute(&studio.kinora, kept);
        let mut thief = kinora_tests::Client::anonymous(&studio.kinora.url_of(instance));
        thief.set_cookie("__Host-kinora-sign-on", &cookie);
        let answer = studio.post(&mut thief, &form).await;
        studio.expect_refused(&mut thief, &answer, "replayed").await;
    }
}

#[tokio::test]
async fn of_two_at_the_same_moment_one_comes_in() {
    let studio = Studio::build(Kinora::builder().applications(2).one_address()).await;
    let mut browser = studio.kinora.visitor();
    let form = studio.begin(&mut browser, "ada").await;
    let mut browsers: Vec<_> = (0..6).map(|number| browser.at(&studio.kinora.url_of(number % 2))).collect();
    let answers =
        futures_util::future::join_all(browsers.iter_mut().map(|browser| studio.post(browser, &form))).await;
    let inside = answers.iter().filter(|answer| answer.header("location") == Some("/")).count();
    assert_eq!(inside, 1, "{:?}", studio.attempts());
}

#[tokio::test]
async fn a_response_counts_in_the_browser_that_asked_for_it() {
    let studio = Studio::open().await;
    let mut browser = studio.kinora.visitor();
    let form = studio.begin(&mut browser, "ada").await;
    let mut victim = studio.kinora.visitor();
    let answer = studio.post(&mut victim, &form).await;
    studio.expect_refused(&mut victim, &answer, "wrong_browser").await;
    // Nor with a sign-in of its own under way.
    let _ = victim.get(&studio.connection.sign_in()).await;
    let answer = studio.post(&mut victim, &form).await;
    studio.expect_refused(&mut victim, &answer, "wrong_browser").await;
    // Where it belongs it still counts: nobody can spoil it from elsewhere.
    assert_eq!(studio.post(&mut browser, &form).await.header("location"), Some("/"));
}

#[tokio::test]
async fn a_request_waits_for_ten_minutes_and_one_answer() {
    let studio = Studio::open().await;
    let mut browser = studio.kinora.visitor();
    let form = studio.begin(&mut browser, "ada").await;
    let _ = execute(&studio.kinora, "UPDATE saml_requests SET expires_at = now()");
    let answer = studio.post(&mut browser, &form).await;
    studio.expect_refused(&mut browser, &answer, "request_gone").await;
    // A bad answer uses the request up.
    let mut browser = studio.kinora.visitor();
    let form = studio.begin(&mut browser, "ada").await;
    let xml = String::from_utf8(STANDARD.decode(form.value("SAMLResponse").unwrap()).unwrap()).unwrap();
    let forged = STANDARD.encode(xml.replace("ada@studio.example", "eve@studio.example"));
    let mut other = browser.clone();
    let answer = studio.post(&mut other, &form.clone().with("SAMLResponse", &forged)).await;
    studio.expect_refused(&mut other, &answer, "bad_signature").await;
    let answer = studio.post(&mut browser, &form).await;
    studio.expect_refused(&mut browser, &answer, "request_gone").await;
}

#[tokio::test]
async fn relay_states_of_others_lead_nowhere() {
    let studio = Studio::open().await;
    for relay_state in [
        "https://evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        "_00000000000000000000000000000000",
    ] {
        let mut browser = studio.kinora.visitor();
        let form = studio.begin(&mut browser, "ada").await.with("RelayState", relay_state);
        let answer = studio.post(&mut browser, &form).await;
        let code = if relay_state.starts_with('_') { "request_gone" } else { "relay_state" };
        studio.expect_refused(&mut browser, &answer, code).await;
    }
    let mut browser = studio.kinora.visitor();
    let form = studio.begin(&mut browser, "ada").await.without("RelayState");
    let answer = studio.post(&mut browser, &form).await;
    studio.expect_refused(&mut browser, &answer, "no_request").await;
}

#[tokio::test]
async fn connections_are_not_mixed_up() {
    let mut studio = Studio::open().await;
    let other_idp = IdentityProvider::start();
    let organisation = studio.organisation.clone();
    let other = Connection::make(&mut studio.owner, &organisation, &other_idp).await;
    // The answer to one at the address of the other.
    let mut browser = studio.kinora.visitor();
    let form = studio.begin(&mut browser, "ada").await;
    let answer = post_to(&mut browser, &other.acs(), &form, studio.idp.url()).await;
    studio.expect_refused(&mut browser, &answer, "wrong_connection").await;
    // The answer of one provider under the relay state of a request to the other.
    let mut browser = studio.kinora.visitor();
    let foreign = {
        let leads = browser.get(&other.sign_in()).await;
        other_idp.sign_in(&leads, "ada").await
    };
    let form = studio.begin(&mut browser, "ada").await;
    let mixed = form.with("SAMLResponse", foreign.value("SAMLResponse").unwrap());
    let answer = studio.post(&mut browser, &mixed).await;
    studio.expect_refused(&mut browser, &answer, "wrong_issuer").await;
}

#[tokio::test]
async fn what_nobody_asked_for_begins_a_sign_in_where_that_is_allowed() {
    let mut studio = Studio::open().await;
    let unsolicited = async |studio: &Studio| {
        let page = studio.idp.open("/begin?login=ada&relay_state=https%3A%2F%2Fevil.example%2F").await;
        kinora_tests::PageForm::on(&page)
    };
    let form = unsolicited(&studio).await;
    let mut browser = studio.kinora.visitor();
    let answer = studio.post(&mut browser, &form).await;
    studio.expect_refused(&mut browser, &answer, "relay_state").await;
    let answer = studio.post(&mut browser, &form.without("RelayState")).await;
    studio.expect_refused(&mut browser, &answer, "no_request").await;

    studio.connection.change(&mut studio.owner, &json!({ "allow_unsolicited": true })).await;
    let form = unsolicited(&studio).await;
    let answer = studio.post(&mut browser, &form).await.expect(303);
    // It signs nobody in, so that nobody can be signed in as somebody else by a foreign page: it begins a sign-in.
    assert!(browser.cookie("__Host-kinora").is_none());
    assert_eq!(answer.header("location"), Some(studio.connection.sign_in().as_str()));
    let leads = browser.get(answer.header("location").unwrap()).await;
    let own = studio.idp.sign_in(&leads, "ada").await;
    assert_eq!(studio.post(&mut browser, &own).await.header("location"), Some("/"));
    // And it counts once.
    let mut again = studio.kinora.visitor();
    let answer = studio.post(&mut again, &form).await;
    studio.expect_refused(&mut again, &answer, "replayed").await;
    // An answer to a request is not one that nobody asked for.
    let mut other = studio.kinora.visitor();
    let asked = studio.begin(&mut other, "ada").await.without("RelayState");
    let answer = studio.post(&mut again, &asked).await;
    studio.expect_refused(&mut again, &answer, "unexpected_request").await;
}
