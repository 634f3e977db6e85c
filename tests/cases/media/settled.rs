//! The whole path with an S3 service: an original arrives in the staging directory, the ingest moves it to
//! the bucket, and it is played and downloaded from there. The server is `s3s-fs`, which
//! `packaging/bootstrap test` installs.

use std::path::Path;
use std::process::{Command, Stdio};

use kinora_tests::{Kinora, wait_until};
use reqwest::Method;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use super::support::{Studio, Uploader, count, vault_files};

pub const SECRET: &str = "a secret of the test";

pub async fn start_s3(root: &Path) -> (Child, String) {
    std::fs::create_dir_all(root.join("media")).unwrap();
    let mut process = tokio::process::Command::new("s3s-fs")
        .args(["--host", "127.0.0.1", "--port", "0", "--access-key", "kinora", "--secret-key", SECRET])
        .arg(root)
        .env("RUST_LOG", "info")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("s3s-fs, which `packaging/bootstrap test` installs");
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let endpoint = loop {
        let line = lines.next_line().await.unwrap().expect("the S3 server says where it listens");
        if let Some((_, address)) = line.split_once("server is running at ") {
            break address.trim().to_owned();
        }
    };
    // What else it says is read, so that it never waits for a full pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (process, endpoint)
}

/// Tells a role of the S3 service: settings and credentials.
pub fn configure(kinora: &Kinora, settings: &str, credentials: &str, endpoint: &str) {
    let path = kinora.directory().join("settings").join(settings);
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str(&format!(
        "vault.s3.endpoint = \"{endpoint}\"\nvault.s3.bucket = \"media\"\nvault.s3.allow_http = true\n"
    ));
    std::fs::write(&path, text).unwrap();
    let directory = kinora.directory().join("credentials").join(credentials);
    std::fs::write(directory.join("vault-s3-access-key"), "kinora").unwrap();
    std::fs::write(directory.join("vault-s3-secret-key"), SECRET).unwrap();
}

fn make_film(path: &Path) -> Vec<u8> {
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=2"])
        .args(["-c:v", "mpeg2video", "-q:v", "2"])
        .arg(path)
        .status()
        .unwrap();
    assert!(status.success());
    std::fs::read(path).unwrap()
}

#[tokio::test]
async fn an_original_moves_to_the_bucket_and_is_read_from_there() {
    let mut kinora = Kinora::whole().await;
    kinora.application(0).kill();
    kinora.worker(0).kill();
    let bucket = kinora.directory().join("s3");
    let (_server, endpoint) = start_s3(&bucket).await;
    configure(&kinora, "application-1.toml", "application", &endpoint);
    configure(&kinora, "worker-1.toml", "worker-1", &endpoint);
    kinora.application(0).start().await;
    kinora.worker(0).start().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let film = make_film(&kinora.directory().join("film.mov"));

    let address = uploader.create(film.len(), "film.mov").await;
    let (first, second) = film.split_at(film.len() / 2);
    let _ = uploader.write(&address, 0, first).await.expect(204);
    let answer = uploader.write(&address, first.len(), second).await.expect(204);
    let asset = answer.header("kinora-asset").unwrap().to_owned();
    wait_until("the asset is ready", async || {
        let mut conn = kinora.connect();
        let failed = count(&mut conn, "steps WHERE state = 'failed'");
        assert_eq!(failed, 0, "{}", kinora.directory().display());
        (count(&mut conn, "assets WHERE status = 'ready'") == 1).then_some(())
    })
    .await;
    assert_eq!(count(&mut kinora.connect(), "objects WHERE place <> 'store'"), 0);
    assert!(vault_files(&kinora).is_empty(), "nothing stays in the staging directory");
    assert_eq!(uploader.download(&asset).await, film);
    let proxy = format!("/api/media/v1/assets/{asset}/proxy");
    let request = uploader.client.request(Method::GET, &proxy).header("Range", "bytes=4-7");
    let answer = uploader.send(request).await.expect(206);
    assert_eq!(answer.bytes, b"ftyp");
    assert_eq!(answer.header("content-type"), Some("video/mp4"));
    for derivative in ["poster", "filmstrip", "filmstrip.vtt", "probe"] {
        let path = format!("/api/media/v1/assets/{asset}/{derivative}");
        let answer = uploader.send(uploader.client.request(Method::GET, &path)).await.expect(200);
        assert!(!answer.bytes.is_empty(), "{derivative}");
        assert!(answer.header("content-disposition").unwrap().starts_with("inline; filename=\"film."));
    }
}
