//! Live events over HTTP: nothing lost, nothing twice, nothing to whom it is not for.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use kinora_core::ProductionId;
use kinora_store::events::{self, EventKind};
use kinora_tests::{Client, Kinora, wait_until};
use serde_json::json;

use super::follower::Follower;
use crate::media::support::Studio;

fn record(conn: &mut PgConnection, production: ProductionId, kind: EventKind, number: usize) -> i64 {
    events::record(conn, production, kind, &json!({ "id": number })).unwrap()
}

#[tokio::test]
async fn a_stream_goes_on_after_a_crash_without_loss_or_repetition() {
    const BEFORE: usize = 150;
    const DURING: usize = 150;
    let mut kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let reader = studio.hire(&kinora, Some("reader"));
    let client = Client::with_token(&kinora.url(), &reader.token);
    let production = studio.production.to_string();
    let (mut follower, first) = Follower::open(&client, &production, None).await;
    assert_eq!((first.kind.as_str(), first.id), ("ready", Some(0)));
    let mut conn = kinora.connect();
    let (id, total) = (studio.production, BEFORE + DURING);
    let writer = std::thread::spawn(move || {
        for number in 1..=total {
            record(&mut conn, id, EventKind::Asset, number);
        }
    });
    let mut seen = Vec::new();
    while seen.len() < BEFORE {
        seen.push(follower.next().await.unwrap().id.unwrap());
    }
    kinora.application(0).kill();
    // What was on its way still counts as seen.
    seen.extend(follower.read_to_end().await.into_iter().filter_map(|event| event.id));
    writer.join().unwrap();
    kinora.application(0).start().await;
    let (mut follower, again) = Follower::open(&client, &production, seen.last().copied()).await;
    assert_eq!(again.kind, "ready");
    // And what is new mixes with what was missed.
    record(&mut kinora.connect(), id, EventKind::Asset, total + 1);
    while seen.len() < total + 1 {
        seen.push(follower.next().await.unwrap().id.unwrap());
    }
    assert_eq!(seen, (1..=total as i64 + 1).collect::<Vec<_>>());
}

#[tokio::test]
async fn every_instance_tells_its_followers_and_each_event_reaches_all() {
    let kinora = Kinora::builder().applications(2).start().await;
    let mut studio = Studio::open(&kinora);
    let reader = studio.hire(&kinora, Some("reader"));
    let production = studio.production.to_string();
    let mut followers = Vec::new();
    for index in [0, 1, 0, 1] {
        let client = Client::with_token(&kinora.url_of(index), &reader.token);
        followers.push(Follower::open(&client, &production, None).await.0);
    }
    let mut conn = kinora.connect();
    for number in 1..=50 {
        record(&mut conn, studio.production, EventKind::Run, number);
    }
    for follower in &mut followers {
        for number in 1..=50 {
            let event = follower.next().await.unwrap();
            assert_eq!((event.id, event.kind.as_str()), (Some(number), "run"));
            assert_eq!(event.data, json!({ "id": number }));
        }
    }
}

#[tokio::test]
async fn who_reads_too_slowly_is_cut_off_and_comes_back_without_loss() {
    const EVENTS: usize = 1200;
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let reader = studio.hire(&kinora, Some("reader"));
    let client = Client::with_token(&kinora.url(), &reader.token);
    let production = studio.production.to_string();
    let mut slow = Follower::open_unread(&client, &production, None).await;
    let (mut quick, _) = Follower::open(&client, &production, None).await;
    let (mut conn, id) = (kinora.connect(), studio.production);
    // More than the kernel keeps for a connection, and than the application does.
    let filler = "x".repeat(32 * 1024);
    let writer = std::thread::spawn(move || {
        // Several in a transaction: it is not the disk that is tried here.
        for batch in 0..EVENTS / 20 {
            conn.transaction(|conn| {
                for number in 0..20 {
                    let event = json!({ "id": batch * 20 + number, "filler": filler });
                    events::record(conn, id, EventKind::Asset, &event)?;
                }
                Ok::<_, kinora_store::StoreError>(())
            })
            .unwrap();
        }
    });
    // The quick one is not held up by the slow one.
    let mut last = 0;
    while last < EVENTS as i64 {
        match quick.next().await {
            Some(event) => last = event.id.unwrap(),
            // On a busy machine even this one may have been too slow for a moment.
            None => (quick, _) = Follower::open(&client, &production, Some(last)).await,
        }
    }
    writer.join().unwrap();
    let mut seen: Vec<i64> = slow
        .read_to_end()
        .await
        .into_iter()
        .filter(|event| event.kind == "asset")
        .filter_map(|event| event.id)
        .collect();
    assert!(seen.len() < EVENTS, "it was never cut off");
    while seen.len() < EVENTS {
        let (mut again, first) =
            Follower::open(&client, &production, Some(seen.last().copied().unwrap_or(0))).await;
        assert_eq!(first.kind, "ready");
        while seen.len() < EVENTS {
            match again.next().await {
                Some(event) => seen.push(event.id.unwrap()),
                None => break,
            }
        }
    }
    assert_eq!(seen, (1..=EVENTS as i64).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_stream_ends_with_the_permission_for_it() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let production = studio.production.to_string();
    let mut conn = kinora.connect();
    for (index, end) in [
        "DELETE FROM production_members WHERE person_id = '{person}'",
        "UPDATE access_tokens SET revoked_at = now() WHERE person_id = '{person}'",
        "UPDATE access_tokens SET expires_at = now() WHERE person_id = '{person}'",
        "UPDATE people SET disabled_at = now() WHERE id = '{person}'",
    ]
    .into_iter()
    .enumerate()
    {
        let reader = studio.hire(&kinora, Some("reader"));
        let client = Client::with_token(&kinora.url(), &reader.token);
        let (mut follower, _) = Follower::open(&client, &production, None).await;
        let seen = record(&mut conn, studio.production, EventKind::Asset, index);
        assert_eq!(follower.next().await.unwrap().id, Some(seen));
        // What happens in the same moment is not shown any more.
        conn.transaction(|conn| {
            conn.batch_execute(&end.replace("{person}", &reader.id.to_string()))?;
            record(conn, studio.production, EventKind::Asset, index);
            QueryResult::Ok(())
        })
        .unwrap();
        assert_eq!(follower.read_to_end().await, [], "{end}");
    }
}

#[tokio::test]
async fn the_news_of_a_lost_role_is_the_last_that_is_told() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let (leaver, stayer) = (studio.hire(&kinora, Some("reader")), studio.hire(&kinora, Some("reader")));
    let production = studio.production.to_string();
    let client = Client::with_token(&kinora.url(), &leaver.token);
    let (mut leaving, _) = Follower::open(&client, &production, None).await;
    let client = Client::with_token(&kinora.url(), &stayer.token);
    let (mut staying, _) = Follower::open(&client, &production, None).await;
    let mut conn = kinora.connect();
    conn.transaction(|conn| {
        conn.batch_execute(&format!("DELETE FROM production_members WHERE person_id = '{}'", leaver.id))?;
        events::record_membership(conn, studio.production, leaver.id).unwrap();
        QueryResult::Ok(())
    })
    .unwrap();
    let last = leaving.read_to_end().await;
    assert!(last.len() <= 1, "{last:?}");
    assert!(last.iter().all(|event| event.kind == "membership"), "{last:?}");
    // It is nobody else's business.
    let seen = record(&mut conn, studio.production, EventKind::Production, 1);
    let event = staying.next().await.unwrap();
    assert_eq!((event.kind.as_str(), event.id), ("production", Some(seen)));
}

#[tokio::test]
async fn events_of_the_library_reach_only_those_with_a_role_in_it() {
    let mut kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let (inside, outside) = (studio.hire(&kinora, Some("reader")), studio.hire(&kinora, Some("reader")));
    let mut conn = kinora.connect();
    conn.batch_execute(&format!(
        "UPDATE production_members SET library_role = NULL, budget_role = 'manager' WHERE person_id = '{}'",
        outside.id
    ))
    .unwrap();
    let production = studio.production.to_string();
    let client = Client::with_token(&kinora.url(), &inside.token);
    let (mut insider, _) = Follower::open(&client, &production, None).await;
    let client = Client::with_token(&kinora.url(), &outside.token);
    let (mut outsider, _) = Follower::open(&client, &production, None).await;
    let redis = redis_client(&kinora);
    publish_until_heard(&redis, &production, &mut insider).await;
    for (number, kind) in [EventKind::Asset, EventKind::Run, EventKind::AssetRemoved].into_iter().enumerate()
    {
        record(&mut conn, studio.production, kind, number);
    }
    let last = record(&mut conn, studio.production, EventKind::Production, 9);
    let event = outsider.next().await.unwrap();
    assert_eq!((event.kind.as_str(), event.id), ("production", Some(last)));
    let mut kinds = Vec::new();
    while kinds.last().is_none_or(|kind| kind != "production") {
        kinds.push(insider.next().await.unwrap().kind);
    }
    kinds.retain(|kind| kind != "progress");
    assert_eq!(kinds, ["asset", "run", "asset_removed", "production"]);
    // Coming back, too: what was missed is filtered in the same way.
    let (mut again, _) = Follower::open(&client, &production, Some(0)).await;
    assert_eq!(again.next().await.unwrap().id, Some(last));
    // Progress is heard again after Redis was gone.
    kinora.redis().kill();
    kinora.redis().start().await;
    publish_until_heard(&redis, &production, &mut insider).await;
}

fn redis_client(kinora: &Kinora) -> redis::Client {
    let settings = kinora.redis_settings();
    let password = std::fs::read_to_string(&settings.password_file).unwrap();
    redis::Client::open(format!("redis://:{}@127.0.0.1:{}/", password.trim(), settings.port)).unwrap()
}

/// Publishes progress until the follower has heard some: nobody says when the subscription stands.
async fn publish_until_heard(redis: &redis::Client, production: &str, follower: &mut Follower) {
    let message = json!({ "run_id": "r", "progress": { "fraction": 0.5 } });
    wait_until("progress can be published to somebody", async || {
        let mut connection = redis.get_multiplexed_async_connection().await.ok()?;
        let receivers: i64 = redis::cmd("PUBLISH")
            .arg(format!("progress:{production}"))
            .arg(message.to_string())
            .query_async(&mut connection)
            .await
            .ok()?;
        (receivers > 0).then_some(())
    })
    .await;
    loop {
        let event = follower.next().await.unwrap();
        if event.kind == "progress" {
            assert_eq!((event.id, event.data), (None, message));
            return;
        }
    }
}

#[tokio::test]
async fn who_comes_back_too_late_is_told_to_read_everything_again() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let reader = studio.hire(&kinora, Some("reader"));
    let mut client = Client::with_token(&kinora.url(), &reader.token);
    let production = studio.production.to_string();
    let mut conn = kinora.connect();
    for number in 1..=6 {
        record(&mut conn, studio.production, EventKind::Asset, number);
    }
    conn.batch_execute("DELETE FROM events WHERE sequence <= 3").unwrap();
    for (last, kind, id) in
        [(3, "ready", 3), (6, "ready", 6), (2, "reset", 6), (0, "reset", 6), (7, "reset", 6)]
    {
        let (_, first) = Follower::open(&client, &production, Some(last)).await;
        assert_eq!((first.kind.as_str(), first.id), (kind, Some(id)), "after {last}");
    }
    let path = format!("/api/data/v1/productions/{production}/events");
    for wrong in ["-1", "x", "99999999999999999999"] {
        let request = client.request(reqwest::Method::GET, &path).header("Last-Event-ID", wrong);
        let _ = client.send(request).await.expect(422);
    }
}

#[tokio::test]
async fn nobody_else_finds_the_stream() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let stranger = studio.hire(&kinora, None);
    let path = format!("/api/data/v1/productions/{}/events", studio.production);
    let mut client = Client::with_token(&kinora.url(), &stranger.token);
    let hidden = client.get(&path).await.expect(404).json();
    let absent = format!("/api/data/v1/productions/{}/events", ProductionId::new());
    let missing = client.get(&absent).await.expect(404).json();
    assert_eq!((&hidden["type"], &hidden["detail"]), (&missing["type"], &missing["detail"]));
    let _ = kinora.visitor().get(&path).await.expect(401);
}

#[tokio::test]
async fn streams_end_when_the_application_is_stopped() {
    let mut kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let reader = studio.hire(&kinora, Some("reader"));
    let client = Client::with_token(&kinora.url(), &reader.token);
    let (mut follower, _) = Follower::open(&client, &studio.production.to_string(), None).await;
    let report = kinora.application(0).stop().await;
    assert_eq!(report.code, Some(0), "an open stream must not keep it from ending in good order");
    assert_eq!(follower.read_to_end().await, []);
}
