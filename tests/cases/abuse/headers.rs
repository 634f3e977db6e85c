//! Clickjacking, guessed content and caches: what every answer says to browsers, whatever it answers.

use std::fs;

use kinora_tests::{Answer, Client, Kinora, Stack};
use reqwest::Method;
use uuid::Uuid;

use super::{GENEROUS, ask, operations};

fn check(answer: &Answer, what: &str) {
    let policy = answer.header("content-security-policy").unwrap_or_else(|| panic!("{what}: no policy"));
    for part in ["frame-ancestors 'none'", "base-uri 'none'", "default-src 'none'"] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{what}: {policy}");
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{what}");
    }
    assert_eq!(answer.header("server"), None, "{what}");
    assert_eq!(answer.header("x-powered-by"), None, "{what}");
    if !answer.bytes.is_empty() {
        let kind = answer.header("content-type").unwrap_or_else(|| panic!("{what}: no type"));
        let is_text = kind.starts_with("text/") || kind.ends_with("xml");
        assert!(
            !is_text || kind.contains("charset=utf-8") || kind.contains("event-stream"),
            "{what}: {kind}"
        );
    }
}

/// Answers of the APIs are kept by nobody.
fn check_not_kept(answer: &Answer, what: &str) {
    let kept = answer.header("cache-control").unwrap_or_default();
    assert!(kept.contains("no-store") || kept.contains("private"), "{what}: {kept:?}");
}

async fn with_pages() -> Kinora {
    let root = Stack::get().create_test_directory().join("pages");
    fs::create_dir_all(root.join("assets")).unwrap();
    fs::write(root.join("index.html"), "<!doctype html><title>Kinora</title>").unwrap();
    fs::write(root.join("assets/app-1234.js"), "export {};").unwrap();
    fs::write(root.join("theme.js"), "export {};").unwrap();
    let settings = format!("{GENEROUS}\nweb_root = {root:?}");
    Kinora::builder().applications(1).settings("application", &settings).start().await
}

#[tokio::test]
async fn no_page_can_be_framed_and_no_answer_is_guessed_at_or_kept() {
    let kinora = with_pages().await;
    let mut owner = kinora.administrator().await;
    let mut seen = 0;
    for operation in operations(&kinora).await {
        if operation.id == "delete_session" {
            continue;
        }
        let mut visitor = kinora.visitor();
        let who: [(&str, &mut Client); 2] = [("owner", &mut owner), ("nobody", &mut visitor)];
        for (name, client) in who {
            let what = format!("{} {} as {name}", operation.method, operation.path);
            let answer = ask(client, &operation, &[]).await;
            check(&answer, &what);
            if operation.path.starts_with("/api/") {
                check_not_kept(&answer, &what);
            }
            seen += 1;
        }
    }
    assert!(seen > 180, "{seen}");
    let id = Uuid::now_v7();
    let places = [
        (Method::GET, "/".to_owned(), 200),
        (Method::GET, "/sign-in?return=%2Faccount".to_owned(), 200),
        (Method::GET, "/productions".to_owned(), 200),
        (Method::GET, "/welcome".to_owned(), 200),
        (Method::GET, "/invitation".to_owned(), 200),
        (Method::GET, "/administration/x/people".to_owned(), 200),
        (Method::GET, "/index.html".to_owned(), 200),
        (Method::GET, "/theme.js".to_owned(), 200),
        (Method::GET, "/assets/app-1234.js".to_owned(), 200),
        (Method::GET, "/assets/other.js".to_owned(), 404),
        (Method::GET, "/assets/".to_owned(), 404),
        (Method::GET, "/api/docs".to_owned(), 200),
        (Method::GET, "/api/openapi.json".to_owned(), 200),
        (Method::GET, "/api/nothing".to_owned(), 404),
        (Method::GET, "/api/data/v1/nothing".to_owned(), 404),
        (Method::GET, "/livez".to_owned(), 200),
        (Method::GET, "/readyz".to_owned(), 200),
        (Method::GET, format!("/saml/{id}/metadata"), 404),
        (Method::POST, "/".to_owned(), 405),
        (Method::DELETE, "/productions".to_owned(), 405),
        (Method::TRACE, "/".to_owned(), 405),
        (Method::TRACE, "/api/data/v1/session".to_owned(), 405),
    ];
    for (method, path, status) in places {
        let mut visitor = kinora.visitor();
        let request = visitor.request(method.clone(), &path);
        let answer = visitor.send(request).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.text());
        check(&answer, &format!("{method} {path}"));
        // TRACE gives nothing back of what was sent.
        assert!(!answer.text().contains("host:"), "{method} {path}");
    }
    // The page itself names no other host, and is asked for again each time.
    let page = kinora.visitor().get("/").await;
    check_not_kept(&page, "/");
}

/// Browsers are told to come back encrypted for two years, subdomains too, on every answer.
#[tokio::test]
async fn an_installation_with_https_insists_on_it() {
    let kinora = Kinora::builder().applications(1).start().await;
    let settings = kinora.directory().join("settings/application-1.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let plain = kinora.url();
    assert!(text.contains(&format!("public_url = \"{plain}\"")), "{text}");
    let answer = kinora.visitor().get("/livez").await;
    assert_eq!(answer.header("strict-transport-security"), None, "plain HTTP on one machine");
    fs::write(&settings, text.replace(&plain, "https://kinora.example")).unwrap();
    let mut kinora = kinora;
    let _ = kinora.application(0).stop().await;
    kinora.application(0).start().await;
    for path in ["/livez", "/api/data/v1/session", "/api/nothing", "/nothing"] {
        let answer = kinora.visitor().get(path).await;
        let policy = answer.header("strict-transport-security");
        assert_eq!(policy, Some("max-age=63072000; includeSubDomains"), "{path}");
    }
}
