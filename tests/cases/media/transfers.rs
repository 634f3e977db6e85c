//! Uploads as they are meant to go.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kinora_tests::{Kinora, wait_until};
use reqwest::Method;
use sha2::{Digest, Sha256};

use super::support::{OCTETS, Studio, Uploader, asset_of, count, make_bytes, sha256, vault_files};

const FRAME: usize = 65_536;

#[tokio::test]
async fn a_file_in_pieces_becomes_an_asset_with_a_run() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let bytes = make_bytes(1, 3 * FRAME + 1000);
    let names = ["../../etc/passwd", "line\nbreak.mov", "🎬.mov", &"x".repeat(300), "\u{202e}vom.gpj"];
    for (round, name) in names.into_iter().enumerate() {
        let address = uploader.create(bytes.len(), name).await;
        assert_eq!(uploader.offset(&address).await, 0);
        let mut offset = 0;
        // Pieces that end within a frame, at its end, and after one byte.
        for length in [1, FRAME - 1, FRAME + 7, 0, bytes.len() - 2 * FRAME - 7] {
            let answer = uploader.write(&address, offset, &bytes[offset..offset + length]).await.expect(204);
            offset += length;
            assert_eq!(answer.header("upload-offset"), Some(offset.to_string().as_str()));
            assert_eq!(answer.header("tus-resumable"), Some("1.0.0"));
            let head = uploader.head(&address).await.expect(200);
            assert_eq!(head.header("upload-offset"), Some(offset.to_string().as_str()));
            assert_eq!(head.header("upload-length"), Some(bytes.len().to_string().as_str()));
            assert_eq!(head.header("cache-control"), Some("no-store"));
            let is_complete = offset == bytes.len();
            assert_eq!(head.header("upload-expires").is_some(), !is_complete);
            assert_eq!(head.header("kinora-asset").is_some(), is_complete);
        }
        let asset = asset_of(&uploader.head(&address).await);
        assert_eq!(uploader.download(&asset).await, bytes);
        let mut conn = kinora.connect();
        let made = i64::try_from(round + 1).unwrap();
        for rows in [
            "assets WHERE status = 'processing'",
            "runs WHERE state = 'active'",
            "steps WHERE state = 'waiting'",
            "events WHERE kind = 'asset'",
            "audit_rows WHERE action = 'asset.created'",
            "audit_rows WHERE action = 'upload.created'",
        ] {
            assert!(count(&mut conn, rows) >= made, "{rows}");
        }
        let stored = count(&mut conn, &format!("versions WHERE sha256 = '{}'", sha256(&bytes)));
        assert_eq!(stored, made, "the checksum was computed as the bytes came");
        let request = uploader.client.request(Method::GET, &format!("/api/data/v1/assets/{asset}"));
        let shown = uploader.send(request).await.expect(200).json();
        assert_eq!(shown["name"], *name, "the name is as it was sent");
        assert_eq!(shown["version"]["file_name"], *name);
    }
    for file in vault_files(&kinora) {
        let stored = std::fs::read(&file).unwrap();
        assert!(!stored.windows(32).any(|window| window == &bytes[..32]), "{} is in clear", file.display());
    }
}

#[tokio::test]
async fn bytes_may_come_with_the_creation_and_the_length_later() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let bytes = make_bytes(2, 100_000);

    // All at once.
    let request = uploader
        .creation()
        .header("Upload-Length", bytes.len())
        .header("Content-Type", OCTETS)
        .body(bytes.clone());
    let answer = uploader.send(request).await.expect(201);
    assert_eq!(answer.header("upload-offset"), Some("100000"));
    assert_eq!(uploader.download(&asset_of(&answer)).await, bytes);

    // The first bytes, then the length with the last ones.
    let request = uploader
        .creation()
        .header("Upload-Defer-Length", "1")
        .header("Content-Type", OCTETS)
        .body(bytes[..1000].to_vec());
    let answer = uploader.send(request).await.expect(201);
    let address = answer.header("location").unwrap().to_owned();
    let head = uploader.head(&address).await.expect(200);
    assert_eq!(head.header("upload-defer-length"), Some("1"));
    assert_eq!(head.header("upload-length"), None);
    let request = uploader.patch(&address, 1000, &bytes[1000..]).header("Upload-Length", bytes.len());
    let answer = uploader.send(request).await.expect(204);
    assert_eq!(uploader.download(&asset_of(&answer)).await, bytes);

    // The length alone, when all bytes are there.
    let request = uploader.creation().header("Upload-Defer-Length", "1");
    let address = uploader.send(request).await.expect(201).header("location").unwrap().to_owned();
    let _ = uploader.write(&address, 0, &bytes).await.expect(204);
    let request = uploader.patch(&address, bytes.len(), &[]).header("Upload-Length", bytes.len());
    let answer = uploader.send(request).await.expect(204);
    assert_eq!(uploader.download(&asset_of(&answer)).await, bytes);

    // An empty file is one, and named.
    let asset = uploader.upload("", &[]).await;
    assert!(uploader.download(&asset).await.is_empty());
    assert_eq!(count(&mut kinora.connect(), "assets WHERE name = 'Untitled' AND size_bytes = 0"), 1);
}

#[tokio::test]
async fn a_wrong_checksum_discards_the_bytes_of_its_request() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let bytes = make_bytes(3, 2 * FRAME + 5);
    let address = uploader.create(bytes.len(), "a.mov").await;
    let with = |offset: usize, part: &[u8], checksum: String| {
        uploader.patch(&address, offset, part).header("Upload-Checksum", checksum)
    };
    let (first, second) = bytes.split_at(FRAME + 1);
    let sha256_of = |part: &[u8]| format!("sha256 {}", STANDARD.encode(Sha256::digest(part)));
    let files = vault_files(&kinora).len();
    let _ = uploader.send(with(0, first, sha256_of(second))).await.expect(460);
    assert_eq!(uploader.offset(&address).await, 0);
    assert_eq!(vault_files(&kinora).len(), files, "nothing of it stays");
    let _ = uploader.send(with(0, first, sha256_of(first))).await.expect(204);
    // SHA-1 of the second part, made by `openssl sha1`'s library.
    let sha1 = format!("sha1 {}", STANDARD.encode(sha1_of(second)));
    let _ = uploader
        .send(with(first.len(), second, "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned()))
        .await
        .expect(460);
    assert_eq!(uploader.offset(&address).await, first.len());
    let _ = uploader.send(with(first.len(), second, "md5 AAAA".to_owned())).await.expect(400);
    let answer = uploader.send(with(first.len(), second, sha1)).await.expect(204);
    assert_eq!(uploader.download(&asset_of(&answer)).await, bytes);
}

fn sha1_of(bytes: &[u8]) -> Vec<u8> {
    let mut child = std::process::Command::new("openssl")
        .args(["dgst", "-sha1", "-binary"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), bytes).unwrap();
    child.wait_with_output().unwrap().stdout
}

#[tokio::test]
async fn partial_uploads_are_put_together() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let bytes = make_bytes(4, 5 * FRAME + 3);
    let (a, b) = bytes.split_at(2 * FRAME + 1);
    let mut parts = Vec::new();
    for part in [a, b] {
        let request =
            uploader.creation().header("Upload-Length", part.len()).header("Upload-Concat", "partial");
        parts.push(uploader.send(request).await.expect(201).header("location").unwrap().to_owned());
    }
    let join = |order: &[&String]| {
        let addresses: Vec<String> = order.iter().map(|part| format!("{}{part}", kinora.url())).collect();
        uploader
            .creation()
            .header("Upload-Concat", format!("final;{}", addresses.join(" ")))
            .header("Upload-Metadata", format!("filename {}", STANDARD.encode("joined.mov")))
    };
    let _ = uploader.write(&parts[1], 0, b).await.expect(204);
    let _ = uploader.send(join(&[&parts[0], &parts[1]])).await.expect(422);
    let answer = uploader.write(&parts[0], 0, a).await.expect(204);
    assert_eq!(answer.header("kinora-asset"), None, "a part is no asset");
    assert_eq!(count(&mut kinora.connect(), "assets"), 0);
    assert_eq!(uploader.head(&parts[0]).await.header("upload-concat"), Some("partial"));
    let _ = uploader.send(join(&[&parts[0]]).header("Upload-Length", "5")).await.expect(400);

    let answer = uploader.send(join(&[&parts[0], &parts[1]])).await.expect(201);
    let address = answer.header("location").unwrap().to_owned();
    let asset = asset_of(&answer);
    assert_eq!(uploader.download(&asset).await, bytes);
    let head = uploader.head(&address).await.expect(200);
    assert_eq!(head.header("upload-length"), Some(bytes.len().to_string().as_str()));
    assert_eq!(head.header("upload-offset"), head.header("upload-length"));
    assert!(head.header("upload-concat").unwrap().starts_with("final;/api/media/v1/"));
    let _ = uploader.write(&address, bytes.len(), b"more").await.expect(403);
    // Of the parts nothing is left.
    let _ = uploader.head(&parts[0]).await.expect(404);
    wait_until("the objects of the parts are removed", async || {
        (count(&mut kinora.connect(), "orphan_objects") == 0 && vault_files(&kinora).len() == 1).then_some(())
    })
    .await;
    assert_eq!(uploader.download(&asset).await, bytes);
}

#[tokio::test]
async fn what_is_removed_or_expires_leaves_nothing_behind() {
    let kinora = Kinora::builder()
        .applications(1)
        .settings("application", "upload.sweep_interval = \"100ms\"")
        .start()
        .await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let bytes = make_bytes(5, FRAME * 2);
    let asset = uploader.upload("stays.mov", &bytes).await;
    let removed = uploader.create(bytes.len() * 2, "removed.mov").await;
    let _ = uploader.write(&removed, 0, &bytes).await.expect(204);
    let forgotten = uploader.create(bytes.len() * 2, "forgotten.mov").await;
    let _ = uploader.write(&forgotten, 0, &bytes).await.expect(204);
    assert_eq!(vault_files(&kinora).len(), 3);

    let _ = uploader.send(uploader.request(Method::DELETE, &removed)).await.expect(204);
    let _ = uploader.head(&removed).await.expect(404);
    let _ = uploader.write(&removed, bytes.len(), b"x").await.expect(404);
    let _ = uploader.send(uploader.request(Method::DELETE, &removed)).await.expect(404);
    diesel::RunQueryDsl::execute(
        diesel::sql_query("UPDATE uploads SET expires_at = now() WHERE asset_id IS NULL"),
        &mut kinora.connect(),
    )
    .unwrap();
    let _ = uploader.head(&forgotten).await.expect(404);
    let _ = uploader.write(&forgotten, bytes.len(), b"x").await.expect(404);
    wait_until("both are gone from database and vault", async || {
        let mut conn = kinora.connect();
        let rows = count(&mut conn, "uploads") + count(&mut conn, "orphan_objects");
        (rows == 1 && vault_files(&kinora).len() == 1).then_some(())
    })
    .await;
    let mut conn = kinora.connect();
    assert_eq!(count(&mut conn, "audit_rows WHERE action = 'upload.removed'"), 1);
    assert_eq!(count(&mut conn, "audit_rows WHERE action = 'upload.expired'"), 1);
    assert_eq!(uploader.download(&asset).await, bytes);
}

#[tokio::test]
async fn objects_that_no_row_knows_are_removed_when_they_are_old() {
    let kinora = Kinora::builder()
        .applications(1)
        .settings("application", "upload.sweep_interval = \"20ms\"")
        .start()
        .await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let bytes = make_bytes(9, 1000);
    let asset = uploader.upload("known.mov", &bytes).await;
    // Their ids tell when they were begun: one years ago, one just now, as by a worker that is about to
    // report it.
    let young = kinora_core::ObjectId::new().to_string();
    let old = "01700000-0000-7000-8000-000000000000";
    for id in [old, &young] {
        let directory = kinora.directory().join("vault").join(&id[34..]).join(id);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("00000000"), "left by a crash").unwrap();
    }
    let has = |id: &str| vault_files(&kinora).iter().any(|file| file.to_string_lossy().contains(id));
    assert!(has(&young));
    wait_until("the old one is gone", async || (!has(old)).then_some(())).await;
    assert!(has(&young));
    assert_eq!(uploader.download(&asset).await, bytes);
}

/// Whoever ends an upload may not have heard yet that its last byte made it complete, and has to be able to clean up.
#[tokio::test]
async fn what_was_complete_says_on_its_removal_what_it_had_become() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let bytes = make_bytes(6, 1000);
    let complete = uploader.create(bytes.len(), "complete.mov").await;
    let _ = uploader.write(&complete, 0, &bytes).await.expect(204);
    let asset = uploader.head(&complete).await.expect(200).header("kinora-asset").unwrap().to_owned();
    let removed = uploader.send(uploader.request(Method::DELETE, &complete)).await.expect(204);
    assert_eq!(removed.header("kinora-asset"), Some(asset.as_str()));
    assert_eq!(uploader.download(&asset).await, bytes);

    let begun = uploader.create(bytes.len() * 2, "begun.mov").await;
    let _ = uploader.write(&begun, 0, &bytes).await.expect(204);
    let removed = uploader.send(uploader.request(Method::DELETE, &begun)).await.expect(204);
    assert_eq!(removed.header("kinora-asset"), None);
}
