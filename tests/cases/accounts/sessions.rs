//! The ends of sessions over HTTP: without a request for long, at the latest, and by whom.

use kinora_tests::{Client, Kinora, wait_until};
use reqwest::Method;
use serde_json::json;

use super::world::{PASSWORD, add_person, execute, organisation_of, send, text};
use crate::media::support::count;

const SESSION: &str = "/api/data/v1/session";
const SESSIONS: &str = "/api/data/v1/account/sessions";

/// Two instances, and Ada with a session that both know.
struct Scene {
    kinora: Kinora,
    id: String,
    ada: [Client; 2],
}

impl Scene {
    async fn new() -> Self {
        let kinora = Kinora::builder().applications(2).start().await;
        let mut owner = kinora.administrator().await;
        let own = organisation_of(&mut owner, "Kinora").await;
        let (id, client) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
        let mut ada = [0, 1].map(|index| client.at(&kinora.url_of(index)));
        for client in &mut ada {
            let _ = client.get(SESSION).await.expect(200);
        }
        Self { kinora, id, ada }
    }

    /// Changes her sessions as time would.
    fn age(&self, set: &str) {
        let changed =
            execute(&self.kinora, &format!("UPDATE sessions SET {set} WHERE person_id = '{}'", self.id));
        assert!(changed > 0);
    }

    fn has(&self, what: &str) -> bool {
        count(&mut self.kinora.connect(), &format!("sessions WHERE person_id = '{}' AND {what}", self.id)) > 0
    }

    /// What was found is kept for a second at most; then nobody lets her in, and no try brings it back.
    async fn expect_end(&mut self) {
        for client in &mut self.ada {
            wait_until("the session has ended", async || {
                (client.get(SESSION).await.status == 401).then_some(())
            })
            .await;
        }
        for client in &mut self.ada {
            let _ = client.get(SESSION).await.expect(401);
            let _ = client.get("/api/data/v1/productions").await.expect(401);
        }
    }
}

#[tokio::test]
async fn a_session_without_requests_ends_on_every_instance() {
    let mut scene = Scene::new().await;
    scene.age("last_seen_at = now() - interval '12 hours', idle_expires_at = now() - interval '1 second'");
    scene.expect_end().await;
    assert!(scene.has("idle_expires_at < now() AND expires_at > now()"), "no request has prolonged it");
}

#[tokio::test]
async fn a_request_moves_the_idle_end_and_never_beyond_the_last_one() {
    let mut scene = Scene::new().await;
    scene.age("last_seen_at = now() - interval '2 minutes', idle_expires_at = now() + interval '1 minute'");
    let [_, second] = &mut scene.ada;
    let mut second = second.clone();
    wait_until("a request has moved the idle end", async || {
        let _ = second.get(SESSION).await.expect(200);
        scene.has("idle_expires_at > now() + interval '11 hours'").then_some(())
    })
    .await;
    scene.age(
        "last_seen_at = now() - interval '2 minutes', idle_expires_at = now() + interval '1 minute', \
         expires_at = now() + interval '5 minutes'",
    );
    wait_until("a request has moved the idle end as far as it goes", async || {
        let _ = second.get(SESSION).await.expect(200);
        scene.has("idle_expires_at = expires_at").then_some(())
    })
    .await;
    // However busy it is.
    scene.age("last_seen_at = now(), idle_expires_at = now() + interval '1 hour', expires_at = now() - interval '1 second'");
    scene.expect_end().await;
}

#[tokio::test]
async fn other_sessions_are_ended_in_a_confirmed_one_only_and_ones_own_always() {
    let mut scene = Scene::new().await;
    let mut elsewhere = scene.kinora.visitor();
    let _ = elsewhere.sign_in("ada@x.example", PASSWORD).await.expect(200);
    let [ada, _] = &mut scene.ada;
    let mut ada = ada.clone();
    let made = ada.post("/api/data/v1/account/tokens", &json!({ "name": "script" })).await.expect(201).json();
    let mut script = Client::with_token(&scene.kinora.url(), &text(&made, "/secret"));
    let sessions = ada.get(SESSIONS).await.expect(200).json();
    let path_of = |is_current: bool| {
        let item = sessions["items"].as_array().unwrap().iter().find(|item| item["current"] == is_current);
        format!("{SESSIONS}/{}", text(item.unwrap(), "/id"))
    };
    let (own, other) = (path_of(true), path_of(false));
    let end = async |client: &mut Client, path: &str| send(client, Method::DELETE, path, &[], None).await;
    let slug = |answer: &kinora_tests::Answer| text(&answer.json(), "/type");

    scene.age("confirmed_at = now() - interval '11 minutes'");
    // What is known of her is kept for a second: until then, an id of no session shows whether she is asked.
    let nobodys = format!("{SESSIONS}/01998c2e-0000-7000-8000-000000000000");
    wait_until("the confirmation has ended", async || {
        (end(&mut ada, &nobodys).await.status == 403).then_some(())
    })
    .await;
    let refused = end(&mut ada, &other).await.expect(403);
    assert!(slug(&refused).ends_with(":step-up-required"), "{}", slug(&refused));
    let refused = end(&mut script, &other).await.expect(403);
    assert!(slug(&refused).ends_with(":session-required"), "{}", slug(&refused));
    let _ = elsewhere.get(SESSION).await.expect(200);

    let _ = ada.post("/api/data/v1/account/confirmation", &json!({ "password": PASSWORD })).await.expect(200);
    let _ = end(&mut ada, &other).await.expect(204);
    let _ = elsewhere.get(SESSION).await.expect(401);
    // Leaving takes nothing.
    scene.age("confirmed_at = now() - interval '11 minutes'");
    let _ = end(&mut ada, &own).await.expect(204);
    let _ = ada.get(SESSION).await.expect(401);
}

#[tokio::test]
async fn a_wrong_password_is_on_record_with_whose_it_was_and_nothing_that_was_typed() {
    let scene = Scene::new().await;
    let typed = "certainly-not-her-password";
    let _ = scene.kinora.visitor().sign_in("ada@x.example", typed).await.expect(401);
    let _ = scene.kinora.visitor().sign_in("nobody-of-that-name", typed).await.expect(401);
    let log = scene.kinora.directory().join("application-1.log");
    let lines = wait_until("both are in the log", async || {
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        let lines: Vec<String> =
            log.lines().filter(|line| line.contains("a password was not right")).map(str::to_owned).collect();
        (lines.len() == 2).then_some(lines)
    })
    .await;
    assert!(lines[0].contains(&scene.id) && lines[0].contains("127.0.0.1"), "{lines:?}");
    assert!(lines.iter().all(|line| line.contains("request_id=")), "{lines:?}");
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(!log.contains(typed) && !log.contains("nobody-of-that-name"));
}
