//! After the database was brought back to an earlier instant, media that only the discarded present knew stay, on the path
//! and in the bucket: `kinoractl storage after-restore`, which the verb restore runs before anybody can work.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use kinora_core::ObjectId;
use kinora_core::object::{Place, SealedObject};
use kinora_store::objects;
use kinora_tests::{Kinora, wait_until};

use super::settled::{configure, start_s3};
use super::support::{Studio, Uploader, count, make_bytes};
use crate::library::control::kinoractl;

/// An object that was begun years ago, as its id tells, in the shard `shard`: something of it is stored below `root`.
fn leave(root: &Path, shard: u8) -> ObjectId {
    let id = format!("01700000-0000-7000-8000-0000000000{shard:02x}");
    let directory = root.join(format!("{shard:02x}")).join(&id);
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("00000000"), "of a time that was discarded").unwrap();
    id.parse().unwrap()
}

fn is_there(root: &Path, id: ObjectId) -> bool {
    let id = id.to_string();
    // The server leaves directories.
    root.join(&id[34..]).join(&id).join("00000000").exists()
}

/// What the command says.
async fn after_restore(kinora: &Kinora) -> String {
    let directory = kinora.directory();
    let (settings, credentials) =
        (directory.join("settings/application-1.toml"), directory.join("credentials/application"));
    let (settings, credentials) = (settings.to_str().unwrap(), credentials.to_str().unwrap());
    let arguments = ["storage", "after-restore", "--settings", settings, "--credentials", credentials];
    let output = kinoractl(&arguments, "").await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The row of an object of which nothing is stored.
fn lost(id: &str) -> SealedObject {
    SealedObject {
        id: id.parse().unwrap(),
        master_key_id: "a-key".to_owned(),
        wrapped_key: "a wrapped key".to_owned(),
        size_bytes: 0,
        sha256: "0".repeat(64),
        segments: Vec::new(),
        place: Place::Store,
    }
}

#[tokio::test]
async fn media_that_only_the_present_knew_stay_on_the_path_and_in_the_bucket() {
    let mut kinora = Kinora::builder()
        .applications(1)
        .settings("application", "upload.sweep_interval = \"20ms\"")
        .start()
        .await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let bytes = make_bytes(7, 1000);
    let upload = uploader.create(bytes.len() * 2, "half.mov").await;
    let _ = uploader.write(&upload, 0, &bytes).await.expect(204);
    kinora.application(0).kill();
    let (path, bucket) = (kinora.directory().join("vault"), kinora.directory().join("s3/media"));
    let (_server, endpoint) = start_s3(&kinora.directory().join("s3")).await;
    configure(&kinora, "application-1.toml", "application", &endpoint);

    // Brought back: nobody knows these two any more, one is known and gone, and the upload is as old as the instant.
    let (staged, settled) = (leave(&path, 1), leave(&bucket, 2));
    let gone = lost("01700000-0000-7000-8000-0000000000ff");
    let mut conn = kinora.connect();
    objects::insert(&mut conn, studio.production, &gone).unwrap();
    conn.batch_execute("UPDATE uploads SET expires_at = now() - interval '1 day', writer_seen_at = NULL")
        .unwrap();
    let told = after_restore(&kinora).await;
    assert!(told.contains("In the vault and not in the database: 2, kept until "), "{told}");
    assert!(told.contains(&format!("In the database and not in the vault: 1: {}.", gone.id)), "{told}");
    let kept = "orphan_objects WHERE remove_after > now() + interval '35 days'";
    assert_eq!(count(&mut conn, kept), 2);
    assert_eq!(count(&mut conn, "audit_rows WHERE action = 'media.retained'"), 1);
    let again = after_restore(&kinora).await;
    assert!(again.contains("In the vault and not in the database: 0, "), "{again}");
    assert_eq!(count(&mut conn, kept), 2, "what was kept stays so");

    // What is nobody's beside them goes: the sweep has been at both, in the shards before.
    let nobodys = leave(&bucket, 3);
    kinora.application(0).start().await;
    wait_until("the sweep comes by", async || (!is_there(&bucket, nobodys)).then_some(())).await;
    assert!(is_there(&path, staged) && is_there(&bucket, settled));
    assert_eq!(uploader.offset(&upload).await, bytes.len());
}
