//! A change of the master key: old media are read, and unfinished uploads go on, with the new key only.

use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kinora_tests::{Kinora, program};

use super::support::{Studio, Uploader, asset_of, count, make_bytes};

fn rewrap(kinora: &Kinora, credentials: &Path) -> Output {
    Command::new(program("kinora-application"))
        .arg("--settings")
        .arg(kinora.directory().join("settings/application-1.toml"))
        .arg("rewrap-keys")
        .env("CREDENTIALS_DIRECTORY", credentials)
        .output()
        .expect("kinora-application starts")
}

/// Gives every application other master keys, as an operator does: the file, then a restart.
async fn restart_with(kinora: &mut Kinora, credentials: &Path, master_keys: &str) {
    kinora.application(0).kill();
    let file = credentials.join("vault-master-key");
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, master_keys).unwrap();
    kinora.application(0).start().await;
}

#[tokio::test]
async fn the_old_master_key_can_go_when_all_keys_are_rewrapped() {
    let mut kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let bytes = make_bytes(1, 300_000);
    let asset = uploader.upload("old.mov", &bytes).await;
    let address = uploader.create(bytes.len(), "unfinished.mov").await;
    let _ = uploader.write(&address, 0, &bytes[..100_000]).await.expect(204);

    let credentials = kinora.directory().join("credentials/application");
    let old = std::fs::read_to_string(credentials.join("vault-master-key")).unwrap();
    let new = STANDARD.encode(make_bytes(2, 32));
    restart_with(&mut kinora, &credentials, &new).await;
    let refused = rewrap(&kinora, &credentials);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("into vault-master-key"), "{told}");

    restart_with(&mut kinora, &credentials, &format!("{new}\n{old}")).await;
    assert_eq!(uploader.download(&asset).await, bytes, "both keys open what there is");
    let mut conn = kinora.connect();
    for is_first in [true, false] {
        let done = rewrap(&kinora, &credentials);
        let told = String::from_utf8_lossy(&done.stdout).into_owned();
        let keys: u32 =
            told.split_once(" data keys").and_then(|(number, _)| number.parse().ok()).expect("a number");
        assert!(done.status.success() && (keys > 0) == is_first, "{told}");
    }
    assert_eq!(count(&mut conn, "audit_rows WHERE action = 'data_keys.rewrapped'"), 1);
    assert_eq!(count(&mut conn, "(SELECT DISTINCT master_key_id FROM objects) AS keys"), 1);

    restart_with(&mut kinora, &credentials, &new).await;
    assert_eq!(uploader.download(&asset).await, bytes);
    let answer = uploader.write(&address, 100_000, &bytes[100_000..]).await.expect(204);
    assert_eq!(uploader.download(&asset_of(&answer)).await, bytes);
}
