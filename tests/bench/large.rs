//! A file whose places do not fit into 32 bits, through tus, the database and Range requests. What is not right stops it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use kinora_tests::{Client, Kinora};
use reqwest::Method;

use crate::measure::Row;
use crate::upload::{announce, create_production};

const FOUR_GIB: u64 = 1 << 32;
/// No multiple of anything.
const BYTES: u64 = FOUR_GIB + (256 << 20) + 12_345;
/// Where the upload is broken off and gone on with: beyond what 32 bits hold.
const BREAK: u64 = FOUR_GIB + 77;
/// Where something stands in the file; the rest is zeros and takes no room on the disk.
const MARKS: [u64; 5] = [0, (1 << 31) - 5, FOUR_GIB - 5, BREAK - 5, BYTES - 10];

fn mark(place: u64) -> String {
    format!("{place:010}")
}

/// Sends a part of the file as the body of the request; gives status and headers of the answer.
fn send(request: &reqwest::Request, file: &Path, from: u64, to: u64) -> String {
    let url = request.url();
    let mut text = format!("{} {} HTTP/1.1\r\n", request.method(), url.path());
    text.push_str(&format!("Host: {}:{}\r\n", url.host_str().unwrap(), url.port().unwrap()));
    for (name, value) in request.headers() {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    text.push_str("\r\n");
    let mut connection = TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).unwrap();
    connection.write_all(text.as_bytes()).unwrap();
    let source = File::open(file).unwrap();
    let (mut buffer, mut place) = (vec![0; 1 << 20], from);
    while place < to {
        let wanted = usize::try_from((to - place).min(1 << 20)).unwrap();
        source.read_exact_at(&mut buffer[..wanted], place).unwrap();
        connection.write_all(&buffer[..wanted]).unwrap();
        place += wanted as u64;
    }
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer.to_ascii_lowercase()
}

async fn patch(client: &Client, address: &str, file: &Path, from: u64, to: u64) -> String {
    let request = client
        .request(Method::PATCH, address)
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Offset", from)
        .header("Content-Type", "application/offset+octet-stream")
        .header("Content-Length", to - from)
        .header("Connection", "close")
        .build()
        .unwrap();
    let file = file.to_owned();
    let answer = tokio::task::spawn_blocking(move || send(&request, &file, from, to)).await.unwrap();
    assert!(answer.starts_with("http/1.1 204"), "{answer}");
    assert!(answer.contains(&format!("upload-offset: {to}\r\n")), "{answer}");
    answer
}

/// What the marks and the end are read back as.
async fn check_ranges(client: &mut Client, asset: &str) {
    let original = format!("/api/media/v1/assets/{asset}/original");
    for place in MARKS {
        for range in [format!("bytes={place}-{}", place + 9), format!("bytes={place}-")] {
            let is_open = range.ends_with('-');
            if is_open && BYTES - place > 1000 {
                continue;
            }
            let answer =
                client.send(client.request(Method::GET, &original).header("Range", &range)).await.expect(206);
            assert_eq!(answer.text(), mark(place), "{range}");
            let expected = format!("bytes {place}-{}/{BYTES}", place + 9);
            assert_eq!(answer.header("content-range"), Some(expected.as_str()));
        }
    }
    let last = client.request(Method::GET, &original).header("Range", "bytes=-10");
    assert_eq!(client.send(last).await.expect(206).text(), mark(BYTES - 10));
    let beyond = client.request(Method::GET, &original).header("Range", format!("bytes={BYTES}-"));
    let _ = client.send(beyond).await.expect(416);
}

/// Uploads and reads it.
pub async fn measure() -> Vec<Row> {
    let kinora = Kinora::api().await;
    let mut client = kinora.administrator().await;
    let production = create_production(&kinora, &mut client).await;
    let path = kinora.directory().join("large.bin");
    let file = File::create(&path).unwrap();
    file.set_len(BYTES).unwrap();
    for place in MARKS {
        file.write_all_at(mark(place).as_bytes(), place).unwrap();
    }
    let address = announce(&mut client, &production, BYTES).await;
    let started = Instant::now();
    let _ = patch(&client, &address, &path, 0, BREAK).await;
    let head = client.request(Method::HEAD, &address).header("Tus-Resumable", "1.0.0");
    let head = client.send(head).await.expect(200);
    assert_eq!(head.header("upload-offset"), Some(BREAK.to_string().as_str()));
    assert_eq!(head.header("upload-length"), Some(BYTES.to_string().as_str()));
    let answer = patch(&client, &address, &path, BREAK, BYTES).await;
    let took = started.elapsed();
    let asset =
        answer.lines().find_map(|line| line.strip_prefix("kinora-asset: ")).expect("an asset").to_owned();
    let found = client.get(&format!("/api/data/v1/assets/{asset}")).await.expect(200).json();
    assert_eq!(found["version"]["size_bytes"], BYTES);
    let sum = Command::new("sha256sum").arg(&path).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap();
    assert_eq!(found["version"]["sha256"].as_str(), sum.get(..64));
    check_ranges(&mut client, &asset).await;
    vec![Row {
        what: "a file beyond 4 GiB through tus, database and Range: bytes and places that are not right",
        figure: "0".to_owned(),
        goal: "0",
        reached: Some(true),
        from: format!(
            "{BYTES} bytes, gone on with at {BREAK}, {:.0} MB/s; what is not right stops the run",
            BYTES as f64 / took.as_secs_f64() / 1e6
        ),
    }]
}
