//! Files that are not what they should be, through the whole product with a real worker: each is kept and says what is
//! wrong with it, and nothing else is affected.

use std::path::Path;
use std::process::Command;

use kinora_tests::{Kinora, wait_until};
use reqwest::Method;
use serde_json::Value;

use super::support::{Studio, Uploader, make_bytes};

fn make(path: &Path, arguments: &str) -> Vec<u8> {
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin"])
        .args(arguments.split_whitespace())
        .arg(path)
        .status()
        .unwrap();
    assert!(status.success());
    std::fs::read(path).unwrap()
}

async fn read(uploader: &Uploader, path: &str) -> Value {
    uploader.send(uploader.client.request(Method::GET, path)).await.expect(200).json()
}

/// The asset when nothing is done with it any more.
async fn settled(uploader: &Uploader, asset: &str) -> Value {
    let path = format!("/api/data/v1/assets/{asset}");
    wait_until("the asset is ready or has failed", async || {
        let found = read(uploader, &path).await;
        ["ready", "failed"].contains(&found["status"].as_str().unwrap()).then_some(found)
    })
    .await
}

/// Everything that it warns of.
fn warnings(asset: &Value) -> String {
    let version = &asset["version"];
    format!("{} {}", version["warnings"], version["technical"]["warnings"])
}

#[tokio::test]
async fn files_that_are_not_what_they_should_be_are_kept_and_say_so() {
    let kinora = Kinora::whole().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let sources = "-f lavfi -i testsrc2=s=320x180:r=25:d=3";
    let film = make(
        &kinora.directory().join("film.ts"),
        &format!("{sources} -f lavfi -i sine=sample_rate=48000:d=3 -c:v mpeg2video -b:v 4M -c:a mp2"),
    );
    let good = make(&kinora.directory().join("good.mov"), &format!("{sources} -c:v mpeg2video -q:v 4"));
    let text = "INT. KITCHEN - NIGHT\n\nShe opens the letter.\n".repeat(200).into_bytes();
    let random = make_bytes(11, 300_000);
    // A transport stream has packets of 188 bytes; this ends within one.
    let cut = &film[..film.len() * 6 / 10 / 188 * 188 + 100];

    let refused = [
        ("empty.mov", Vec::new(), "empty_file"),
        ("script.mov", text, "not_media"),
        ("random.mov", random, "not_media"),
    ];
    let mut sent = Vec::new();
    for (name, bytes, code) in &refused {
        sent.push((*name, bytes, *code, uploader.upload(name, bytes).await));
    }
    let truncated = uploader.upload("tape.ts", cut).await;
    let misnamed = uploader.upload("tape.mov", &film).await;
    let whole = uploader.upload("good.mov", &good).await;

    for (name, bytes, code, asset) in &sent {
        let found = settled(&uploader, asset).await;
        assert_eq!(
            (&found["status"], &found["failure"]["code"]),
            (&"failed".into(), &(*code).into()),
            "{name}"
        );
        let said = found["failure"]["message"].as_str().unwrap();
        assert!(said.len() > 20 && said.ends_with('.'), "{name}: {said}");
        let runs = read(&uploader, &format!("/api/data/v1/assets/{asset}/runs")).await;
        let runs = runs["items"].as_array().unwrap();
        assert_eq!(runs.len(), 1, "{name}: {runs:?}");
        assert_eq!(runs[0]["state"], "failed", "{name}");
        // The original is what was sent, bit for bit.
        assert_eq!(&uploader.download(asset).await, *bytes, "{name}");
    }
    let found = settled(&uploader, &truncated).await;
    assert_eq!(found["status"], "ready", "{found:#}");
    assert!(warnings(&found).contains("cut off"), "{found:#}");
    assert!(!warnings(&found).contains("The name ends"), "{found:#}");
    assert_eq!(uploader.download(&truncated).await, cut);
    let found = settled(&uploader, &misnamed).await;
    assert_eq!(found["status"], "ready", "{found:#}");
    assert!(warnings(&found).contains("The name ends in .mov, but the file is MPEG"), "{found:#}");
    let found = settled(&uploader, &whole).await;
    assert_eq!((&found["status"], &found["failure"]), (&"ready".into(), &Value::Null), "{found:#}");
    assert_eq!(warnings(&found).replace("null", "[]"), "[] []", "{found:#}");
    assert_eq!(uploader.download(&whole).await, good);
}
