//! The time from taking somebody's role until nothing of what they have under way on another instance goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::stream;
use kinora_tests::{Client, Kinora, wait_until};
use reqwest::{Body, Method, Response};
use serde_json::json;

use crate::measure::Row;
use crate::upload::{announce, create_production};

const ROUNDS: usize = 20;
const GOAL: Duration = Duration::from_secs(2);
/// More than kernel and libraries keep of a connection, so that who reads slowly has not got it all.
const LENGTH: usize = 40 * 1024 * 1024;
/// How slowly the download is read and the upload written.
const PAUSE: Duration = Duration::from_millis(20);
const PIECE: usize = 16 * 1024;
const PASSWORD: &str = "velvet-harbour-nineteen-lamps";

fn patch(client: &Client, address: &str, body: Body) -> reqwest::RequestBuilder {
    client
        .request(Method::PATCH, address)
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Offset", "0")
        .header("Content-Type", "application/offset+octet-stream")
        .header("Content-Length", LENGTH)
        .body(body)
}

/// Somebody new with a role in the production, signed in at the second instance; their id.
async fn hire(kinora: &Kinora, owner: &mut Client, production: &str, login: &str) -> (String, Client) {
    let organisations = owner.get("/api/data/v1/organisations").await.expect(200).json();
    let organisation = organisations["items"][0]["id"].as_str().expect("an organisation");
    let people = format!("/api/data/v1/organisations/{organisation}/people");
    let new = json!({ "login": login, "display_name": login, "role": "member" });
    let made = owner.post(&people, &new).await.expect(201).json();
    let (id, link) = (made["person"]["id"].as_str().unwrap(), made["password_link"]["url"].as_str().unwrap());
    let token = link.split_once('#').expect("a token").1;
    let mut client = kinora.visitor().at(&kinora.url_of(1));
    let set = json!({ "token": token, "password": PASSWORD });
    let _ = client.post("/api/data/v1/password-link/password", &set).await.expect(204);
    let member = format!("/api/data/v1/productions/{production}/members/{id}");
    let _ = owner.put(&member, &json!({ "library": "editor" })).await.expect(200);
    let _ = client.sign_in(login, PASSWORD).await.expect(200);
    client.refresh_csrf_token().await;
    (id.to_owned(), client)
}

/// Reads until nothing more comes, slowly; gives when that was and how much came.
async fn read(mut response: Response, pause: Duration) -> (Instant, usize) {
    let mut received = 0;
    while let Ok(Some(bytes)) = response.chunk().await {
        received += bytes.len();
        tokio::time::sleep(pause).await;
    }
    (Instant::now(), received)
}

/// Takes the role of somebody who follows events, downloads and uploads; gives how long each went on.
async fn round(
    kinora: &Kinora,
    owner: &mut Client,
    production: &str,
    asset: &str,
    number: usize,
) -> [Duration; 3] {
    let (id, mut client) = hire(kinora, owner, production, &format!("p{number}@bench.example")).await;
    let events = format!("/api/data/v1/productions/{production}/events");
    let events = client.request(Method::GET, &events).send().await.unwrap().error_for_status().unwrap();
    let original = format!("/api/media/v1/assets/{asset}/original");
    let original = client.request(Method::GET, &original).send().await.unwrap().error_for_status().unwrap();
    let address = announce(&mut client, production, LENGTH as u64).await;
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let body = Body::wrap_stream(stream::unfold(counted, async |counted| {
        tokio::time::sleep(PAUSE).await;
        counted.fetch_add(PIECE, Ordering::Relaxed);
        Some((Ok::<_, std::io::Error>(vec![7_u8; PIECE]), counted))
    }));
    let events = tokio::spawn(read(events, Duration::ZERO));
    let download = tokio::spawn(read(original, PAUSE));
    let upload = patch(&client, &address, body);
    let upload =
        tokio::spawn(
            async move { (upload.send().await.map(|answer| answer.status().as_u16()), Instant::now()) },
        );
    wait_until("the upload is under way", async || (sent.load(Ordering::Relaxed) > 20 * PIECE).then_some(()))
        .await;

    let asked = Instant::now();
    let _ = owner.delete(&format!("/api/data/v1/productions/{production}/members/{id}")).await.expect(204);
    let (answer, upload) = upload.await.unwrap();
    // What is refused while it is sent may also end in a closed connection.
    assert!(answer.is_err() || answer.is_ok_and(|status| status == 404), "the upload was cut");
    let ((events, _), (download, received)) = (events.await.unwrap(), download.await.unwrap());
    assert!(received < LENGTH, "all of the download came");
    [events, download, upload].map(|end| end.saturating_duration_since(asked))
}

/// Takes roles, some times over.
pub async fn measure() -> Vec<Row> {
    let settings = "rate_limit.person_burst = 50000\nrate_limit.sign_in_burst = 500";
    let kinora = Kinora::builder().applications(2).settings("application", settings).start().await;
    let mut owner = kinora.administrator().await;
    let production = create_production(&kinora, &mut owner).await;
    let address = announce(&mut owner, &production, LENGTH as u64).await;
    let whole = patch(&owner, &address, Body::from(vec![9_u8; LENGTH]));
    let asset = owner.send(whole).await.expect(204).header("kinora-asset").expect("an asset").to_owned();
    let mut slowest = [Duration::ZERO; 3];
    for number in 0..ROUNDS {
        let took = round(&kinora, &mut owner, &production, &asset, number).await;
        for (slowest, took) in slowest.iter_mut().zip(took) {
            *slowest = took.max(*slowest);
        }
    }
    [
        "from taking a role until live events on another instance end, the slowest",
        "… until a download there ends",
        "… until an upload there ends",
    ]
    .into_iter()
    .zip(slowest)
    .map(|(what, slowest)| Row {
        what,
        figure: format!("{:.2} s", slowest.as_secs_f64()),
        goal: "≤ 2 s",
        reached: Some(slowest <= GOAL),
        from: format!("{ROUNDS} members, removed while they have all three under way"),
    })
    .collect()
}
