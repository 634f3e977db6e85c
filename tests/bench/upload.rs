//! Uploading through the API, against `dd conv=fdatasync` of the same bytes on the same disk.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use kinora_tests::{Client, Kinora};
use reqwest::Method;

use crate::bare;
use crate::measure::{Row, median};

const BYTES: u64 = 1 << 30;
const ROUNDS: usize = 5;

/// A production's id, made for the measurement.
pub async fn create_production(kinora: &Kinora, administrator: &mut Client) -> String {
    let organisations = administrator.get("/api/data/v1/organisations").await.expect(200).json();
    let organisation = organisations["items"][0]["id"].as_str().expect("an organisation").to_owned();
    let path = format!("/api/data/v1/organisations/{organisation}/productions");
    let answer = administrator.post(&path, &serde_json::json!({"name": "Measurement"})).await.expect(201);
    let _ = kinora;
    answer.json()["id"].as_str().expect("an id").to_owned()
}

/// Announces an upload of `bytes`; gives its address.
pub async fn announce(client: &mut Client, production: &str, bytes: u64) -> String {
    let path = format!("/api/media/v1/productions/{production}/uploads");
    let request = client
        .request(Method::POST, &path)
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Length", bytes.to_string());
    let answer = client.send(request).await.expect(201);
    answer.header("location").expect("a Location").to_owned()
}

async fn upload(client: &mut Client, production: &str, file: &Path) -> Duration {
    let address = announce(client, production, BYTES).await;
    let request = client
        .request(Method::PATCH, &address)
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Offset", "0")
        .header("Content-Type", "application/offset+octet-stream")
        .header("Content-Length", BYTES)
        .header("Connection", "close")
        .build()
        .unwrap();
    let file = file.to_owned();
    tokio::task::spawn_blocking(move || send(&request, &file)).await.unwrap()
}

/// The cheapest client there is, for it shares the processors with what is measured: the kernel moves the
/// file's pages to the connection (`std::io::copy` uses sendfile(2)).
fn send(request: &reqwest::Request, file: &Path) -> Duration {
    let url = request.url();
    let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let mut head = format!("{} {} HTTP/1.1\r\nHost: {host}\r\n", request.method(), url.path());
    for (name, value) in request.headers() {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    let mut file = File::open(file).unwrap();
    let started = Instant::now();
    let mut connection = TcpStream::connect(&host).unwrap();
    connection.write_all((head + "\r\n").as_bytes()).unwrap();
    assert_eq!(std::io::copy(&mut file, &mut connection).unwrap(), BYTES);
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let took = started.elapsed();
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert!(answer.to_ascii_lowercase().contains(&format!("upload-offset: {BYTES}")), "{answer}");
    took
}

fn copy(file: &Path, to: &Path) -> Duration {
    let started = Instant::now();
    let status = std::process::Command::new("dd")
        .arg(format!("if={}", file.display()))
        .arg(format!("of={}", to.display()))
        .args(["bs=1M", "conv=fdatasync", "status=none"])
        .status()
        .expect("dd");
    assert!(status.success());
    let took = started.elapsed();
    std::fs::remove_file(to).unwrap();
    took
}

/// Alternates both, so that a slow minute of the disk hits both.
pub async fn measure() -> Vec<Row> {
    let kinora = Kinora::api().await;
    let mut client = kinora.administrator().await;
    let production = create_production(&kinora, &mut client).await;
    let source = kinora.directory().join("source.bin");
    let made = std::process::Command::new("dd")
        .args(["if=/dev/urandom", &format!("of={}", source.display()), "bs=1M", "status=none"])
        .arg(format!("count={}", BYTES >> 20))
        .status()
        .expect("dd");
    assert!(made.success());
    let (mut ours, mut theirs, mut bares) = (Vec::new(), Vec::new(), Vec::new());
    let (mut ratios, mut bounds) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let copied = kinora.directory().join("copy.bin");
        let theirs_took = copy(&source, &copied).as_secs_f64();
        let ours_took = upload(&mut client, &production, &source).await.as_secs_f64();
        let bare_took = bare::transfer(&source, &copied).as_secs_f64();
        // The first round warms caches and counts for neither.
        if round > 0 {
            ours.push(ours_took);
            theirs.push(theirs_took);
            bares.push(bare_took);
            ratios.push(theirs_took / ours_took);
            bounds.push(theirs_took / bare_took);
        }
    }
    let ratio = median(ratios);
    let rate = |seconds: f64| BYTES as f64 / seconds / 1e6;
    let theirs = rate(median(theirs));
    vec![
        Row {
            what: "upload through the API ÷ `dd conv=fdatasync`, 1 GiB",
            figure: format!("{ratio:.2}"),
            goal: "≥ 0.9",
            reached: Some(ratio >= 0.9),
            from: format!("{:.0} MB/s ÷ {theirs:.0} MB/s, median of {ROUNDS}", rate(median(ours))),
        },
        Row {
            what: "the same by a bare program: loopback, SHA-256, AES-256-GCM, write, fdatasync; no HTTP, no database",
            figure: format!("{:.2}", median(bounds)),
            goal: "",
            reached: None,
            from: format!(
                "{:.0} MB/s ÷ {theirs:.0} MB/s; {}",
                rate(median(bares)),
                bare::costs(&source, &kinora.directory().join("copy.bin"))
            ),
        },
    ]
}
