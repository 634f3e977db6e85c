//! Secrets in addresses: histories, proxies and logs keep them, so none is ever taken from there, or written there.

use reqwest::Method;
use serde_json::json;

use super::{GENEROUS, ask, encoded, operations};
use crate::accounts::world::{organisation_of, text};
use kinora_tests::{Client, Kinora};

/// Names under which products take tokens from addresses.
const NAMES: [&str; 12] = [
    "token",
    "access_token",
    "auth",
    "authorization",
    "api_key",
    "apikey",
    "key",
    "session",
    "sid",
    "__Host-kinora",
    "bearer",
    "csrf_token",
];

#[tokio::test]
async fn a_token_or_session_in_an_address_opens_nothing_and_is_not_logged() {
    let settings = format!("{GENEROUS}\nlog = \"debug\"");
    let mut kinora = Kinora::builder().applications(1).settings("application", &settings).start().await;
    let mut owner = kinora.administrator().await;
    let made = owner.post("/api/data/v1/account/tokens", &json!({ "name": "t" })).await.expect(201).json();
    let token = text(&made, "/secret");
    let cookie = owner.cookie("__Host-kinora").unwrap().to_owned();
    let query = NAMES.iter().enumerate().map(|(number, name)| {
        let secret = if number % 2 == 0 { &token } else { &cookie };
        format!("{name}={}", encoded(secret))
    });
    let query: Vec<String> = query.collect();
    let other_way = query.iter().rev().cloned().collect::<Vec<_>>();
    let mut tried = 0;
    for operation in operations(&kinora).await {
        let plain = ask(&mut kinora.visitor(), &operation, &[]).await;
        for suffix in [
            format!("?{}", query.join("&")),
            format!("?{}", other_way.join("&")),
            format!(";jsessionid={cookie}"),
            format!("?access_token={token}"),
            format!("?__Host-kinora={cookie}"),
        ] {
            let mut asked = operation.clone();
            asked.path.push_str(&suffix);
            let answer = ask(&mut kinora.visitor(), &asked, &[]).await;
            // Nobody is signed in by it: the answer is the one that everybody gets, or a complaint about the address.
            let status = answer.status.as_u16();
            let is_same = answer.status == plain.status;
            assert!(is_same || [400, 401, 404, 405, 422].contains(&status), "{asked:?}: {status}");
            assert_eq!(
                answer.header("set-cookie").is_some(),
                plain.header("set-cookie").is_some() && is_same
            );
            for secret in [&token, &cookie] {
                let headers = format!("{:?}", answer.headers);
                assert!(
                    !answer.text().contains(secret.as_str()) && !headers.contains(secret.as_str()),
                    "{asked:?}"
                );
            }
            tried += 1;
        }
    }
    assert!(tried > 450, "{tried}");
    // Nor where it stands in a header or cookie that is not the one for it.
    for (name, value) in [
        ("X-API-Key", token.clone()),
        ("X-Auth-Token", token.clone()),
        ("Authorization", token.clone()),
        ("Authorization", format!("Basic {token}")),
        ("Authorization", format!("Bearer {cookie}")),
        ("Cookie", format!("kinora={cookie}")),
        ("Cookie", format!("__Secure-kinora={cookie}")),
        ("Cookie", format!("__Host-kinora={token}")),
        ("Cookie", format!("session={token}")),
        ("X-Forwarded-User", "admin@localhost".to_owned()),
        ("X-Remote-User", "admin@localhost".to_owned()),
    ] {
        let mut visitor = kinora.visitor();
        let request = visitor.request(Method::GET, "/api/data/v1/session").header(name, &value);
        let _ = visitor.send(request).await.expect(401);
    }
    // The control: where they belong, both open.
    let _ = Client::with_token(&kinora.url(), &token).get("/api/data/v1/productions").await.expect(200);
    let _ = owner.get("/api/data/v1/productions").await.expect(200);
    let log = kinora.application(0).log();
    assert!(log.contains("answered"), "{log}");
    for secret in [&token, &cookie] {
        assert!(!log.contains(secret.as_str()), "it is in the log");
    }
}

/// Links that people get by mail hold their token behind the `#`, which browsers send nowhere; and addresses that the
/// product leads on to hold none.
#[tokio::test]
async fn no_answer_leads_on_with_a_secret_in_its_address() {
    let kinora = super::generous().start().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let cookie = owner.cookie("__Host-kinora").unwrap().to_owned();
    for operation in operations(&kinora).await {
        if operation.id == "delete_session" {
            continue;
        }
        let answer = ask(&mut owner, &operation, &[]).await;
        for name in ["location", "content-location", "link", "refresh"] {
            let leads = answer.header(name).unwrap_or_default();
            assert!(!leads.contains(&cookie) && !leads.contains("kinora_"), "{operation:?}: {leads}");
        }
        assert!(!answer.text().contains(&cookie), "{operation:?} tells the session's token");
    }
    let path = format!("/api/data/v1/organisations/{own}/productions");
    let made = owner.post(&path, &json!({ "name": "Film" })).await.expect(201);
    assert!(made.header("location").unwrap().starts_with("/api/data/v1/productions/"));
}
