//! Signing in, in the ways that providers answer; and where somebody signs in at all.

use chrono::{DateTime, Utc};
use kinora_tests::{Client, PageForm};
use serde_json::json;

use super::studio::{Studio, role_in};
use crate::accounts::factors::slug;
use crate::accounts::world::{execute, text};

#[tokio::test]
async fn people_come_in_by_redirect_and_by_post_however_the_answer_is_protected() {
    let mut studio = Studio::open().await;
    let mut ids = std::collections::BTreeSet::new();
    let ways = [
        json!({ "sign_response": true, "sign_assertion": false, "encrypt": null }),
        json!({ "sign_response": false, "sign_assertion": true, "encrypt": null }),
        json!({ "sign_response": true, "sign_assertion": true, "encrypt": "aes256-gcm" }),
    ];
    for (binding, way) in ["redirect", "post", "redirect"].into_iter().zip(ways) {
        studio.idp.set(&way).await;
        studio.connection.change(&mut studio.owner, &json!({ "request_binding": binding })).await;
        let mut browser = studio.sign_in("ada").await;
        let session = browser.get("/api/data/v1/session").await.expect(200).json();
        assert_eq!(session["person"]["login"], "ada@studio.example");
        assert_eq!(session["person"]["display_name"], "Ada Löwe");
        assert_eq!(session["single_sign_on"], true);
        assert_eq!(session["password_change_required"], false);
        assert_eq!(role_in(&mut browser, &studio.organisation).await.as_deref(), Some("member"));
        ids.insert(text(&session, "/person/id"));
        // The session changes things as any other.
        let _ =
            browser.patch("/api/data/v1/account", &json!({ "display_name": "Ada Löwe" })).await.expect(200);
    }
    assert_eq!(ids.len(), 1, "one account");
    let bindings: Vec<_> = studio.idp.log().await.into_iter().map(|entry| entry["binding"].clone()).collect();
    assert_eq!(bindings, ["Redirect", "POST", "Redirect"]);
}

#[tokio::test]
async fn the_page_that_posts_a_request_may_post_to_the_provider_and_to_nobody_else() {
    let mut studio = Studio::open().await;
    studio.connection.change(&mut studio.owner, &json!({ "request_binding": "post" })).await;
    let mut browser = studio.kinora.visitor();
    let page = browser.get(&studio.connection.sign_in()).await.expect(200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains(&format!("form-action {};", studio.idp.url())), "{policy}");
    assert!(!policy.contains("unsafe") && policy.contains("script-src 'self'"), "{policy}");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let _ = browser.get("/saml/send.js").await.expect(200);
    let _ = browser.get("/saml/send.css").await.expect(200);
    // The cookie that comes back with another site's form, and no other does.
    let cookie = page.header("set-cookie").unwrap();
    for part in ["__Host-kinora-sign-on=", "HttpOnly", "Secure", "SameSite=None", "Path=/", "Max-Age=600"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let form = studio.idp.sign_in(&page, "ada").await;
    let answer = studio.post(&mut browser, &form).await;
    let session = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let session: Vec<&str> = session.filter(|line| line.starts_with("__Host-kinora=")).collect();
    assert!(session[0].contains("SameSite=Lax") && session[0].contains("HttpOnly"), "{session:?}");
}

#[tokio::test]
async fn one_goes_on_to_where_one_wanted_and_never_to_another_site() {
    let studio = Studio::open().await;
    let at = studio.connection.sign_in();
    for (asked, leads) in [
        ("%2Fproductions%3Fq%3Da%2520b", "/productions?q=a%20b"),
        ("https%3A%2F%2Fevil.example%2F", "/"),
        ("%2F%2Fevil.example%2F", "/"),
        ("%2F%5Cevil.example%2F", "/"),
        ("%2F%0D%0ASet-Cookie%3A%20a%3Db", "/"),
    ] {
        let mut browser = studio.kinora.visitor();
        let leads_there = browser.get(&format!("{at}?return={asked}")).await;
        let form = studio.idp.sign_in(&leads_there, "ada").await;
        let answer = studio.post(&mut browser, &form).await.expect(303);
        assert_eq!(answer.header("location"), Some(leads), "{asked}");
    }
}

#[tokio::test]
async fn where_somebody_signs_in_says_nothing_about_who_has_an_account() {
    let mut studio = Studio::open().await;
    let _ = studio.sign_in("ada").await;
    let mut visitor = studio.kinora.visitor();
    let mut route = async |address: &str| {
        let answer = visitor.post("/api/data/v1/session/route", &json!({ "address": address })).await;
        answer.expect(200).json()
    };
    let there = json!({ "way": "single_sign_on", "address": studio.connection.sign_in() });
    let here = json!({ "way": "password", "address": null });
    for known_or_not in ["ada@studio.example", "nobody@STUDIO.example", "x@studio.example."] {
        assert_eq!(route(known_or_not).await, there, "{known_or_not}");
    }
    for other in ["admin@localhost", "nobody@localhost", "nobody", "a@sub.studio.example", "", "a@b@c", "@"] {
        assert_eq!(route(other).await, here, "{other}");
    }
    // A connection that is off takes nobody.
    studio.connection.change(&mut studio.owner, &json!({ "enabled": false })).await;
    assert_eq!(route("ada@studio.example").await, here);
    let mut browser = studio.kinora.visitor();
    let answer = browser.get(&studio.connection.sign_in()).await;
    studio.expect_refused(&mut browser, &answer, "connection_off").await;
}

#[tokio::test]
async fn a_session_ends_when_the_provider_says_and_lists_as_any_other() {
    let studio = Studio::open().await;
    let mut browser = studio.sign_in("ada").await;
    let sessions = browser.get("/api/data/v1/account/sessions").await.expect(200).json();
    let ends: DateTime<Utc> = text(&sessions, "/items/0/expires_at").parse().unwrap();
    assert!(ends > Utc::now());
    // Signing in again replaces the session that the browser had.
    let before = browser.clone();
    let form = {
        let leads = browser.get(&studio.connection.sign_in()).await;
        studio.idp.sign_in(&leads, "ada").await
    };
    let _ = studio.post(&mut browser, &form).await.expect(303);
    let _ = before.clone().get("/api/data/v1/account/tokens").await;
    let sessions = browser.get("/api/data/v1/account/sessions").await.expect(200).json();
    assert_eq!(sessions["items"].as_array().unwrap().len(), 1, "{sessions}");
}

#[tokio::test]
async fn confirming_takes_a_fresh_sign_in_at_the_provider() {
    let studio = Studio::open().await;
    let mut browser = studio.sign_in("ada").await;
    let token = json!({ "name": "script", "expires_in_days": 7 });
    let _ = execute(&studio.kinora, "UPDATE sessions SET confirmed_at = now() - interval '1 hour'");
    kinora_tests::wait_until("the sign-in is an hour ago", async || {
        let session = browser.get("/api/data/v1/session").await.expect(200).json();
        session["confirmed_until"].is_null().then_some(())
    })
    .await;
    let refused = browser.post("/api/data/v1/account/tokens", &token).await.expect(403);
    assert_eq!(slug(&refused), "step-up-required");
    let asked = json!({ "return_to": "/account" });
    let way =
        browser.post("/api/data/v1/account/confirmation/studio-account", &asked).await.expect(200).json();
    let ticket = text(&way, "/address");
    // The ticket is good for nothing in another session.
    let mut other = studio.kinora.visitor();
    assert_eq!(other.get(&ticket).await.expect(303).header("location"), Some("/"));
    let leads = browser.get(&ticket).await;
    let form = studio.idp.sign_in(&leads, "ada").await;
    assert_eq!(studio.idp.log().await.last().unwrap()["force"], true, "asked for credentials");
    let mut before = browser.clone();
    let answer = studio.post(&mut browser, &form).await.expect(303);
    assert_eq!(answer.header("location"), Some("/account"), "{}", studio.last_refusal());
    // The session goes on with another cookie and CSRF token, and nothing is left for who has a copy of the former ones.
    assert_ne!(browser.cookie("__Host-kinora"), before.cookie("__Host-kinora"));
    let _ = before.get("/api/data/v1/session").await.expect(401);
    let _ = browser.post("/api/data/v1/account/tokens", &token).await.expect(403);
    browser.refresh_csrf_token().await;
    let _ = browser.post("/api/data/v1/account/tokens", &token).await.expect(201);
    let sessions = browser.get("/api/data/v1/account/sessions").await.expect(200).json();
    assert_eq!(sessions["items"].as_array().unwrap().len(), 1, "{sessions}");
    assert_eq!(studio.attempts()[0].purpose, "confirm");
}

#[tokio::test]
async fn nobody_confirms_for_somebody_else() {
    let studio = Studio::open().await;
    studio
        .set_people(&json!({
            "ada": { "displayName": ["Ada"], "mail": ["ada@studio.example"], "groups": [] },
            "eve": { "displayName": ["Eve"], "mail": ["eve@studio.example"], "groups": [] },
        }))
        .await;
    let mut browser = studio.sign_in("ada").await;
    let _ = studio.sign_in("eve").await;
    let _ = execute(&studio.kinora, "UPDATE sessions SET confirmed_at = now() - interval '1 hour'");
    let way =
        browser.post("/api/data/v1/account/confirmation/studio-account", &json!({})).await.expect(200).json();
    let leads = browser.get(&text(&way, "/address")).await;
    let form = studio.idp.sign_in(&leads, "eve").await;
    let answer = studio.post(&mut browser, &form).await.expect(303);
    assert!(answer.header("location").unwrap().starts_with("/sign-in-refused"));
    assert_eq!(studio.attempts()[0].refusal, "wrong_person");
    let _ = browser.get("/api/data/v1/session").await.expect(200);
}

/// As Google's directory sends it.
#[tokio::test]
async fn a_name_that_comes_in_two_parts_is_put_together() {
    let studio = Studio::open().await;
    let ada = json!({ "mail": ["ada@studio.example"], "givenName": ["Ada"], "sn": [" Löwe"], "groups": [] });
    studio.set_people(&json!({ "ada": ada })).await;
    let mut browser = studio.sign_in("ada").await;
    let session = browser.get("/api/data/v1/session").await.expect(200).json();
    assert_eq!(text(&session, "/person/display_name"), "Ada Löwe");
}

#[tokio::test]
async fn names_that_do_not_last_are_refused_and_attributes_can_stand_for_them() {
    let mut studio = Studio::open().await;
    let transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
    studio.idp.set(&json!({ "name_id_format": transient })).await;
    let mut browser = studio.kinora.visitor();
    let answer = studio.try_sign_in(&mut browser, "ada").await;
    studio.expect_refused(&mut browser, &answer, "transient_subject").await;
    studio.connection.change(&mut studio.owner, &json!({ "subject_attribute": "uid" })).await;
    let answer = studio.try_sign_in(&mut browser, "ada").await;
    studio.expect_refused(&mut browser, &answer, "no_subject").await;
    let ada = |uid: &[&str]| json!({ "ada": { "mail": ["ada@studio.example"], "displayName": ["Ada"], "uid": uid, "groups": [] } });
    studio.set_people(&ada(&["4711", "4712"])).await;
    let answer = studio.try_sign_in(&mut browser, "ada").await;
    studio.expect_refused(&mut browser, &answer, "no_subject").await;
    studio.set_people(&ada(&["4711"])).await;
    let mut first = studio.sign_in("ada").await;
    // The same person with another name and another address.
    let renamed = json!({ "ada": { "mail": ["a.king@studio.example"], "displayName": ["Ada King"], "uid": ["4711"], "groups": [] } });
    studio.set_people(&renamed).await;
    let mut second = studio.sign_in("ada").await;
    let (first, second) = (who(&mut first).await, who(&mut second).await);
    assert_eq!(first.0, second.0);
    assert_eq!((second.1.as_str(), second.2.as_str()), ("a.king@studio.example", "Ada King"));
}

async fn who(browser: &mut Client) -> (String, String, String) {
    let session = browser.get("/api/data/v1/session").await.expect(200).json();
    (text(&session, "/person/id"), text(&session, "/person/login"), text(&session, "/person/display_name"))
}

#[tokio::test]
async fn forms_that_are_none_are_refused() {
    let studio = Studio::open().await;
    let mut browser = studio.kinora.visitor();
    let form =
        PageForm { action: String::new(), fields: vec![("SAMLResponse".to_owned(), "x".repeat(2_000_000))] };
    let _ = studio.post(&mut browser, &form).await.expect(413);
    let form = PageForm { action: String::new(), fields: vec![("RelayState".to_owned(), "x".to_owned())] };
    let answer = studio.post(&mut browser, &form).await;
    studio.expect_refused(&mut browser, &answer, "bad_form").await;
    let _ = browser.post(&studio.connection.acs(), &json!({ "SAMLResponse": "x" })).await.expect(415);
    let unknown = "/saml/01998c2e-0000-7000-8000-000000000000";
    for place in ["sign-in", "logout", "sign-out"] {
        let answer = browser.get(&format!("{unknown}/{place}")).await;
        assert!([404, 303].contains(&answer.status.as_u16()), "{place}: {}", answer.status);
    }
}
