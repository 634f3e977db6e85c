//! Cross-site request forgery: no change is made that another site's page makes a browser send.

use reqwest::Method;

use super::{ask, generous, kind_of, operations};
use crate::accounts::world::{add_person, organisation_of};

/// Operations that do nothing in the name of the session's cookie, so that they need no token of it. Another site cannot call
/// them either.
const WITHOUT_TOKEN: [&str; 9] = [
    "create_session",
    "route_sign_in",
    "show_second_factor",
    "challenge_second_factor",
    "send_email_code",
    "sign_in_with_passkey",
    "challenge_passkey_sign_in",
    "read_password_link",
    "use_password_link",
];

/// Places among the ways to send what another site's page can: a foreign origin, none, and another site.
const FOR_EVERYBODY: [usize; 3] = [0, 1, 12];

#[tokio::test]
async fn every_change_that_another_site_sends_is_refused() {
    let kinora = generous().start().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (_, other) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let token_of = |client: &kinora_tests::Client| {
        let request = client.request(Method::GET, "/").build().unwrap();
        request.headers().get("x-csrf-token").unwrap().to_str().unwrap().to_owned()
    };
    let (token, foreign_token) = (token_of(&owner), token_of(&other));
    let url = kinora.url();
    let mut bare = owner.clone();
    bare.forget_csrf_token();
    let origins = [
        "https://evil.example".to_owned(),
        "null".to_owned(),
        String::new(),
        url.replace("http://", "https://"),
        url.replace("localhost", "127.0.0.1"),
        url.replace("localhost", "sub.localhost"),
        format!("{url}.evil.example"),
        format!("{url}1"),
        format!("{url}/"),
        url.rsplit_once(':').unwrap().0.to_owned(),
        format!("{url}, https://evil.example"),
        format!("{url} https://evil.example"),
    ];
    let sites = ["cross-site", "same-site", "none", "", "Same-Origin", "same-origin, cross-site"];
    let mut with_token: Vec<Vec<(&str, &str)>> = Vec::new();
    for origin in &origins {
        with_token.push(vec![("X-CSRF-Token", token.as_str()), ("Origin", origin.as_str())]);
    }
    for site in sites {
        with_token.push(vec![("X-CSRF-Token", token.as_str()), ("Sec-Fetch-Site", site)]);
    }
    let without_token: Vec<Vec<(&str, &str)>> = vec![
        vec![],
        vec![("Origin", url.as_str()), ("Sec-Fetch-Site", "same-origin")],
        vec![("X-CSRF-Token", "")],
        vec![("X-CSRF-Token", "AAAA")],
        vec![("X-CSRF-Token", foreign_token.as_str())],
        vec![("X-CSRF-Token", &token[1..])],
        vec![("X-CSRF-Token", "undefined"), ("Origin", url.as_str())],
    ];

    let mut all = operations(&kinora).await;
    all.retain(super::Operation::is_change);
    // Signing out comes last, as it is meant once.
    all.sort_by_key(|operation| operation.id == "delete_session");
    assert!(all.len() > 60, "{}", all.len());
    let mut free = Vec::new();
    for operation in &all {
        for (number, headers) in with_token.iter().enumerate() {
            let answer = ask(&mut bare, operation, headers).await;
            assert_eq!(
                (answer.status.as_u16(), kind_of(&answer).as_str()),
                (403, "cross-site"),
                "{operation:?} {headers:?}"
            );
            // Nor for somebody without a session, who could be signed in as somebody else in this way.
            if !FOR_EVERYBODY.contains(&number) {
                continue;
            }
            let answer = ask(&mut kinora.visitor(), operation, &headers[1..]).await;
            assert_eq!(kind_of(&answer), "cross-site", "{operation:?} {headers:?} without a session");
        }
        let mut refused = 0;
        for headers in &without_token {
            refused += usize::from(kind_of(&ask(&mut bare, operation, headers).await) == "cross-site");
        }
        if refused == 0 {
            free.push(operation.id.as_str());
        } else {
            assert_eq!(refused, without_token.len(), "{operation:?}");
        }
        // The control: Kinora's own page is let through to the operation.
        let good =
            [("X-CSRF-Token", token.as_str()), ("Origin", url.as_str()), ("Sec-Fetch-Site", "same-origin")];
        assert_ne!(kind_of(&ask(&mut bare, operation, &good).await), "cross-site", "{operation:?}");
    }
    free.sort_unstable();
    let mut expected = WITHOUT_TOKEN.to_vec();
    expected.sort_unstable();
    assert_eq!(free, expected);
}

/// A form of another site can send these without asking first (Fetch standard, CORS-safelisted).
#[tokio::test]
async fn what_a_form_can_send_is_no_request_of_ours() {
    let kinora = generous().start().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let path = format!("/api/data/v1/organisations/{own}/productions");
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        // With the session's token, as if that had leaked.
        let request = owner.request(Method::POST, &path).header("Content-Type", kind);
        let _ = owner.send(request.body("{\"name\":\"Forged\"}")).await.expect(415);
    }
    // No page of another origin may read an answer, whatever it asks for.
    for origin in ["https://evil.example", "null"] {
        let request = owner.request(Method::GET, "/api/data/v1/session").header("Origin", origin);
        let answer = owner.send(request).await.expect(200);
        let preflight = owner
            .request(Method::OPTIONS, &path)
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "x-csrf-token");
        let preflight = owner.send(preflight).await;
        for answer in [answer, preflight] {
            let allows = answer.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
            assert_eq!(allows, None, "{origin}");
        }
    }
    let list = owner.get(&path).await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 0);
}
