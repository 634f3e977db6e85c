//! What holds for every request: bad input, cross-site requests, headers, preconditions, keys, limits.

use kinora_tests::{Client, Kinora, wait_until};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::world::{PASSWORD, add_person, organisation_of, send, text};

const PRODUCTIONS: &str = "productions";

async fn start() -> (Kinora, Client, String) {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    (kinora, owner, format!("/api/data/v1/organisations/{own}/{PRODUCTIONS}"))
}

fn csrf(client: &Client) -> String {
    let request = client.request(Method::GET, "/").build().unwrap();
    request.headers().get("x-csrf-token").unwrap().to_str().unwrap().to_owned()
}

#[tokio::test]
async fn bad_json_is_answered_with_the_name_of_the_field() {
    let (_kinora, mut owner, path) = start().await;
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(300 * 1024));
    let long = format!("{{\"name\": \"{}\"}}", "x".repeat(201));
    let deep = "[".repeat(50_000);
    for (body, status, slug, pointer) in [
        ("{\"name\": ", 400, "malformed", Some("")),
        ("", 400, "malformed", Some("")),
        ("{\"name\": \"\u{fffd}\"} trailing", 400, "malformed", Some("")),
        (deep.as_str(), 400, "malformed", Some("")),
        (large.as_str(), 413, "too-large", None),
        ("{\"name\": 7}", 422, "invalid", Some("/name")),
        ("{\"name\": null}", 422, "invalid", Some("/name")),
        ("{}", 422, "invalid", Some("/name")),
        ("[]", 422, "invalid", Some("")),
        ("[\"By position\"]", 422, "invalid", Some("")),
        ("{\"name\": \"x\", \"nmae\": 1}", 422, "invalid", Some("/nmae")),
        ("{\"name\": \"x\", \"name\": \"y\"}", 422, "invalid", Some("/name")),
        ("{\"name\": \"\"}", 422, "invalid", Some("/name")),
        ("{\"name\": \"  \"}", 422, "invalid", Some("/name")),
        ("{\"name\": \"a\\u0000b\"}", 422, "invalid", Some("/name")),
        ("{\"name\": \"a\\u202eb\"}", 422, "invalid", Some("/name")),
        (long.as_str(), 422, "invalid", Some("/name")),
    ] {
        let request = owner.request(Method::POST, &path).header("content-type", "application/json");
        let answer = owner.send(request.body(body.to_owned())).await;
        let shown: String = body.chars().take(60).collect();
        assert_eq!(answer.status.as_u16(), status, "{shown}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{shown}");
        let problem = answer.json();
        assert_eq!(text(&problem, "/type"), format!("urn:kinora:problem:{slug}"), "{shown}");
        assert_eq!(text(&problem, "/request_id"), answer.header("x-request-id").unwrap());
        if let Some(pointer) = pointer {
            assert_eq!(text(&problem, "/errors/0/pointer"), pointer, "{shown}");
        }
    }
    // A body that does not say how long it is is cut off as well.
    let chunks = (0..64).map(|_| Ok::<_, std::io::Error>(vec![b' '; 16 * 1024]));
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    let request = owner.request(Method::POST, &path).header("content-type", "application/json").body(body);
    let _ = owner.send(request).await.expect(413);
    let request = owner.request(Method::POST, &path).header("content-type", "text/plain").body("{}");
    let _ = owner.send(request).await.expect(415);
}

#[tokio::test]
async fn bad_queries_and_methods_are_answered_with_what_is_wrong() {
    let (_kinora, mut owner, path) = start().await;
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("cursor=AAAA", "cursor"),
        ("cursor=%00", "cursor"),
        ("limt=1", "limt"),
    ] {
        let problem = owner.get(&format!("{path}?{query}")).await.expect(422).json();
        assert_eq!(text(&problem, "/errors/0/parameter"), name, "{query}");
    }
    let answer = send(&mut owner, Method::PUT, &path, &[], Some(&json!({}))).await.expect(405);
    assert_eq!(text(&answer.json(), "/type"), "urn:kinora:problem:method-not-allowed");
    assert!(answer.header("allow").is_some_and(|allow| allow.contains("POST")));
    let _ = owner.get("/api/data/v1/nothing/here").await.expect(404);
}

#[tokio::test]
async fn other_sites_can_not_change_anything() {
    let (kinora, mut owner, path) = start().await;
    let body = json!({ "name": "Forged" });
    let token = csrf(&owner);
    let mut bare = owner.clone();
    bare.forget_csrf_token();
    let own = kinora.url();
    for headers in [
        vec![],
        vec![("X-CSRF-Token", "AAAA")],
        vec![("X-CSRF-Token", token.as_str()), ("Origin", "https://evil.example")],
        vec![("X-CSRF-Token", token.as_str()), ("Origin", "null")],
        vec![("X-CSRF-Token", token.as_str()), ("Sec-Fetch-Site", "cross-site")],
        vec![("X-CSRF-Token", token.as_str()), ("Sec-Fetch-Site", "same-site")],
    ] {
        let answer = send(&mut bare, Method::POST, &path, &headers, Some(&body)).await.expect(403);
        assert_eq!(text(&answer.json(), "/type"), "urn:kinora:problem:cross-site", "{headers:?}");
    }
    let good =
        [("X-CSRF-Token", token.as_str()), ("Origin", own.as_str()), ("Sec-Fetch-Site", "same-origin")];
    let _ = send(&mut bare, Method::POST, &path, &good, Some(&body)).await.expect(201);
    // The token belongs to one session.
    let mut other = kinora.visitor();
    let _ = other.sign_in("admin@localhost", kinora_tests::ADMINISTRATOR_PASSWORD).await.expect(200);
    assert_ne!(csrf(&other), token);
    let foreign = csrf(&other);
    let _ =
        send(&mut bare, Method::POST, &path, &[("X-CSRF-Token", &foreign)], Some(&body)).await.expect(403);
    // Nor can another site sign somebody in.
    let login = json!({ "login": "admin@localhost", "password": PASSWORD });
    let evil = [("Origin", "https://evil.example")];
    let _ = send(&mut kinora.visitor(), Method::POST, "/api/data/v1/session", &evil, Some(&login))
        .await
        .expect(403);
    let list = owner.get(&path).await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn every_answer_has_the_security_headers_and_the_cookie_its_attributes() {
    let kinora = Kinora::builder().applications(1).nobody_yet().start().await;
    let (login, password) = kinora.create_administrator();
    let mut client = kinora.visitor();
    let signed_in = client.sign_in(&login, &password).await.expect(200);
    let cookie = signed_in.header("set-cookie").unwrap().to_owned();
    assert!(cookie.starts_with("__Host-kinora="), "{cookie}");
    for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.split("; ").any(|part| part == attribute), "{attribute}: {cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    for path in
        ["/livez", "/api/openapi.json", "/api/docs", "/api/data/v1/session", "/api/data/v1/productions", "/x"]
    {
        let answer = client.get(path).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"), "{path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        assert!(answer.header("permissions-policy").is_some() && answer.header("x-request-id").is_some());
        assert_eq!(answer.header("server"), None, "{path}");
    }
    let page = client.get("/api/docs").await.expect(200).text();
    for forbidden in ["<style", " style=", "onclick", "//cdn", "https://"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let signed_out = client.delete("/api/data/v1/session").await;
    assert_eq!(signed_out.status, 204);
    assert!(signed_out.header("set-cookie").unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn changes_need_the_revision_that_was_read() {
    let (_kinora, mut owner, path) = start().await;
    let id = text(&owner.post(&path, &json!({ "name": "Film" })).await.expect(201).json(), "/id");
    let one = format!("/api/data/v1/productions/{id}");
    let tag = owner.get(&one).await.expect(200).header("etag").unwrap().to_owned();
    let name = |name: &str| json!({ "name": name });
    let _ = owner.patch(&one, &name("A")).await.expect(428);
    for wrong in ["\"99\"", "W/\"1\"", "1", "\"\""] {
        let _ =
            send(&mut owner, Method::PATCH, &one, &[("If-Match", wrong)], Some(&name("A"))).await.expect(412);
    }
    let changed =
        send(&mut owner, Method::PATCH, &one, &[("If-Match", &tag)], Some(&name("A"))).await.expect(200);
    assert_eq!(changed.header("etag").unwrap(), format!("\"{}\"", changed.json()["revision"]));
    let _ = send(&mut owner, Method::PATCH, &one, &[("If-Match", &tag)], Some(&name("B"))).await.expect(412);
    let _ = send(&mut owner, Method::DELETE, &one, &[("If-Match", &tag)], None).await.expect(412);
    assert_eq!(text(&owner.get(&one).await.expect(200).json(), "/name"), "A");
    let _ = send(&mut owner, Method::DELETE, &one, &[], None).await.expect(204);
    let _ = owner.get(&one).await.expect(404);
}

#[tokio::test]
async fn the_same_creation_sent_again_makes_one_thing() {
    let (kinora, mut owner, path) = start().await;
    let key = Uuid::now_v7().to_string();
    let headers = [("Idempotency-Key", key.as_str())];
    let body = json!({ "name": "Once" });
    let requests = (0..6).map(|_| {
        let (mut client, path, body, key) = (owner.clone(), path.clone(), body.clone(), key.clone());
        async move { send(&mut client, Method::POST, &path, &[("Idempotency-Key", &key)], Some(&body)).await }
    });
    let answers = futures_util::future::join_all(requests).await;
    for answer in &answers {
        assert_eq!(answer.status, 201);
        assert_eq!(answer.bytes, answers[0].bytes);
        assert_eq!(answer.header("location"), answers[0].header("location"));
        assert_eq!(answer.header("etag"), answers[0].header("etag"));
    }
    let list = owner.get(&path).await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let other =
        send(&mut owner, Method::POST, &path, &headers, Some(&json!({ "name": "Twice" }))).await.expect(422);
    assert_eq!(text(&other.json(), "/type"), "urn:kinora:problem:idempotency-key-reused");
    // The key is the person's own.
    let own = organisation_of(&mut owner, "Kinora").await;
    let (_, mut ada) = add_person(&kinora, &mut owner, &own, "ada@x.example", "administrator").await;
    let theirs =
        send(&mut ada, Method::POST, &path, &headers, Some(&json!({ "name": "Twice" }))).await.expect(201);
    assert_ne!(theirs.bytes, answers[0].bytes);
    // A secret that is given again was not stored in clear.
    let tokens = "/api/data/v1/account/tokens";
    let key = [("Idempotency-Key", "token-1")];
    let body = json!({ "name": "t" });
    let first = send(&mut owner, Method::POST, tokens, &key, Some(&body)).await.expect(201);
    let again = send(&mut owner, Method::POST, tokens, &key, Some(&body)).await.expect(201);
    assert_eq!(first.bytes, again.bytes);
    let secret = text(&first.json(), "/secret");
    let find = format!("SELECT 1 FROM idempotency_keys k WHERE k::text LIKE '%{secret}%'");
    assert_eq!(super::world::execute(&kinora, &find), 0);
}

#[tokio::test]
async fn pages_follow_each_other_and_cursors_belong_to_their_list() {
    let (_kinora, mut owner, path) = start().await;
    for number in 0..5 {
        let _ = owner.post(&path, &json!({ "name": format!("Film {number}") })).await.expect(201);
    }
    let mut names = Vec::new();
    let mut next = Some(String::new());
    while let Some(cursor) = next {
        let query = if cursor.is_empty() { String::new() } else { format!("&cursor={cursor}") };
        let page = owner.get(&format!("/api/data/v1/productions?limit=2{query}")).await.expect(200).json();
        names.extend(page["items"].as_array().unwrap().iter().map(|item| text(item, "/name")));
        next = page["next_cursor"].as_str().map(str::to_owned);
    }
    assert_eq!(names, ["Film 4", "Film 3", "Film 2", "Film 1", "Film 0"]);
    let page = owner.get("/api/data/v1/productions?limit=2").await.json();
    let cursor = text(&page, "/next_cursor");
    let _ = owner.get(&format!("{path}?cursor={cursor}")).await.expect(422);
}

#[tokio::test]
async fn too_many_requests_are_refused_for_a_while_and_nobody_else_pays() {
    let settings = "rate_limit.person_per_second = 0.5\nrate_limit.person_burst = 20\n\
                    rate_limit.sign_in_per_minute = 1.0\nrate_limit.sign_in_burst = 4";
    let kinora = Kinora::builder().applications(1).settings("application", settings).start().await;
    let mut owner = kinora.administrator().await;
    let mut last = owner.get("/api/data/v1/session").await;
    for _ in 0..30 {
        if last.status == 429 {
            break;
        }
        last = owner.get("/api/data/v1/session").await;
    }
    assert_eq!(last.status, 429);
    assert_eq!(text(&last.json(), "/type"), "urn:kinora:problem:rate-limited");
    assert!(last.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
    let _ = kinora.visitor().get("/livez").await.expect(200);
    let _ = kinora.visitor().get("/api/data/v1/session").await.expect(401);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(kinora.visitor().sign_in("nobody", "x").await.status.as_u16());
    }
    // One was spent by the administrator.
    assert_eq!(statuses, [401, 401, 401, 429]);
}

#[tokio::test]
async fn addresses_in_forwarded_for_are_believed_from_trusted_proxies_only() {
    let kinora = Kinora::builder()
        .applications(1)
        .settings("application", "trusted_proxies = [\"192.0.2.0/24\"]")
        .start()
        .await;
    let mut owner = kinora.administrator().await;
    let login = json!({ "login": "admin@localhost", "password": kinora_tests::ADMINISTRATOR_PASSWORD });
    let forged = [("X-Forwarded-For", "203.0.113.9")];
    let _ = send(&mut kinora.visitor(), Method::POST, "/api/data/v1/session", &forged, Some(&login))
        .await
        .expect(200);
    let sessions = owner.get("/api/data/v1/account/sessions").await.expect(200).json();
    let addresses: Vec<&Value> =
        sessions["items"].as_array().unwrap().iter().map(|item| &item["address"]).collect();
    assert!(addresses.iter().all(|address| **address == "127.0.0.1" || **address == "::1"), "{addresses:?}");
}

#[tokio::test]
async fn readiness_names_what_is_missing() {
    let mut kinora = Kinora::api().await;
    let mut visitor = kinora.visitor();
    let ready = visitor.get("/readyz").await.expect(200).json();
    assert_eq!(ready, json!({ "ready": true, "postgresql": "ok", "redis": "ok", "vault": "ok" }));
    kinora.redis().kill();
    let without = visitor.get("/readyz").await.expect(200).json();
    assert_eq!((&without["ready"], &without["redis"]), (&json!(true), &json!("unavailable")));
    // Whoever needs no file goes on without the storage, and it heals by itself.
    let vault = kinora.directory().join("vault");
    std::fs::rename(&vault, kinora.directory().join("away")).unwrap();
    let is = async |expected: &str| {
        let answer = kinora.visitor().get("/readyz").await.expect(200).json();
        (answer["ready"] == true && answer["vault"] == expected).then_some(())
    };
    wait_until("it is told that the storage is away", async || is("unavailable").await).await;
    std::fs::rename(kinora.directory().join("away"), &vault).unwrap();
    wait_until("it is told that the storage is back", async || is("ok").await).await;
    let _ = visitor.get("/livez").await.expect(200);
}

#[tokio::test]
async fn whoever_alone_has_lost_the_storage_leaves_the_work_to_the_others() {
    let mut kinora = Kinora::builder().applications(2).start().await;
    let own = kinora.directory().join("own");
    std::fs::create_dir(&own).unwrap();
    kinora.application(1).kill();
    let settings = kinora.directory().join("settings/application-2.toml");
    let shared = kinora.directory().join("vault");
    let text = std::fs::read_to_string(&settings).unwrap();
    let other = text.replace(shared.to_str().unwrap(), own.join("vault").to_str().unwrap());
    assert_ne!(other, text);
    std::fs::write(&settings, other).unwrap();
    kinora.application(1).start().await;

    let answer = async |index: usize| {
        let answer = kinora_tests::Client::anonymous(&kinora.url_of(index)).get("/readyz").await;
        (answer.status.as_u16(), text_of(&answer.json(), "vault"))
    };
    let is = async |index: usize, status: u16, vault: &str| {
        (answer(index).await == (status, vault.to_owned())).then_some(())
    };
    std::fs::rename(&own, kinora.directory().join("own away")).unwrap();
    wait_until("the second one is left out", async || is(1, 503, "unavailable").await).await;
    wait_until("the first one serves", async || is(0, 200, "ok").await).await;
    std::fs::rename(&shared, kinora.directory().join("away")).unwrap();
    wait_until("the first one goes on", async || is(0, 200, "unavailable").await).await;
    wait_until("the second one does, too", async || is(1, 200, "unavailable").await).await;
    std::fs::rename(kinora.directory().join("away"), &shared).unwrap();
    wait_until("the first one has it back", async || is(0, 200, "ok").await).await;
    wait_until("the second one is left out again", async || is(1, 503, "unavailable").await).await;
}

/// What a text at a key is.
fn text_of(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn every_documented_address_is_served_and_asks_who_is_calling() {
    let kinora = Kinora::api().await;
    let mut visitor = kinora.visitor();
    let document = visitor.get("/api/openapi.json").await.expect(200).json();
    assert!(text(&document, "/openapi").starts_with("3.1"));
    let open = [
        "create_session",
        "route_sign_in",
        "challenge_passkey_sign_in",
        "sign_in_with_passkey",
        "read_password_link",
        "use_password_link",
        "read_invitation_offer",
        "create_invited_account",
        "read_support_offer",
        "confirm_address",
        "livez",
        "readyz",
    ];
    let mut seen = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            let id = text(operation, "/operationId");
            assert!(!seen.contains(&id), "{id} stands twice");
            seen.push(id.clone());
            if open.contains(&id.as_str()) || method == Method::OPTIONS {
                continue;
            }
            let filled = path.replace(['{', '}'], "");
            let answer =
                send(&mut visitor, method.clone(), &filled, &[("Tus-Resumable", "1.0.0")], None).await;
            assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text());
        }
    }
    assert!(seen.len() > 40, "{}", seen.len());
}
