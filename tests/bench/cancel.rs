//! The time from asking to cancel a run until none of its media programs is left.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use kinora_tests::{Client, Kinora, media_programs, wait_until};
use reqwest::Method;
use serde_json::Value;

use crate::measure::Row;
use crate::upload::{announce, create_production};

const ROUNDS: usize = 5;
const GOAL: Duration = Duration::from_secs(2);

/// Half a minute of ProRes 1080p25, made by the quicker of FFmpeg's two encoders.
fn film_file(to: &Path) {
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=25", "-t", "30"])
        .args(["-c:v", "prores", "-profile:v", "3", "-pix_fmt", "yuv422p10le"])
        .arg(to)
        .status()
        .expect("ffmpeg");
    assert!(status.success());
}

/// Uploads a film and gives the address of its run once the encode is under way.
async fn begin(client: &mut Client, production: &str, film: &[u8]) -> String {
    let address = announce(client, production, film.len() as u64).await;
    let request = client
        .request(Method::PATCH, &address)
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Offset", "0")
        .header("Content-Type", "application/offset+octet-stream")
        .body(film.to_vec());
    let _ = client.send(request).await.expect(204);
    let runs = format!("/api/data/v1/productions/{production}/runs?state=active");
    wait_until("the encode is under way", async || {
        let list = client.get(&runs).await.expect(200).json();
        let run = list["items"].get(0)?;
        let is_encoding = |step: &Value| step["kind"] == "render" && step["progress"].is_object();
        run["steps"]
            .as_array()?
            .iter()
            .any(is_encoding)
            .then(|| format!("/api/data/v1/runs/{}", run["id"].as_str().unwrap()))
    })
    .await
}

/// Cancels in the middle of an encode, some times over.
pub async fn measure() -> Vec<Row> {
    let kinora = Kinora::whole().await;
    let mut client = kinora.administrator().await;
    let production = create_production(&kinora, &mut client).await;
    let file = kinora.directory().join("camera.mov");
    film_file(&file);
    let film = std::fs::read(&file).unwrap();
    let place = kinora.directory().display().to_string();
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let run = begin(&mut client, &production, &film).await;
        assert!(!media_programs(&place).is_empty(), "the encode was over before it could be cancelled");
        let asked = Instant::now();
        let _ = client.post(&format!("{run}/cancel"), &serde_json::json!({})).await.expect(202);
        wait_until("no media program runs", async || media_programs(&place).is_empty().then_some(())).await;
        took.push(asked.elapsed());
        wait_until("the run is cancelled", async || {
            (client.get(&run).await.expect(200).json()["state"] == "cancelled").then_some(())
        })
        .await;
    }
    let slowest = took.iter().max().copied().unwrap_or_default();
    vec![Row {
        what: "from asking to cancel a run until its FFmpeg is gone, the slowest",
        figure: format!("{:.2} s", slowest.as_secs_f64()),
        goal: "≤ 2 s",
        reached: Some(slowest <= GOAL),
        from: format!("{ROUNDS} encodes of ProRes 1080p25, each cancelled once it told progress"),
    }]
}
