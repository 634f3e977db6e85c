//! A full disk: the error says so, and what was checkpointed stays readable.
//!
//! The limit is `RLIMIT_FSIZE` of a process of its own (with `SIGXFSZ` ignored, so that writes fail
//! with `EFBIG`), which needs no privileges and no second file system: the test runs itself again.

use std::process::Command;

use crate::support::{FRAME, Numbers, open_vault, read_range};
use kinora_core::object::Segment;
use kinora_vault::{HashState, VaultError};

const MARK: &str = "KINORA_TEST_FILE_SIZE_IS_LIMITED";

#[test]
fn a_full_disk_is_told_and_loses_nothing_acknowledged() {
    let output = Command::new("bash")
        .args([
            "-c",
            r#"trap "" XFSZ; ulimit -f 1000; exec "$0" --exact --ignored full_disk::with_limit --nocapture"#,
        ])
        .arg(std::env::current_exe().unwrap())
        .env(MARK, "1")
        .output()
        .unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[tokio::test]
async fn what_can_be_counted_on_is_less_than_what_is_free() {
    let root = tempfile::tempdir().unwrap();
    let vault = open_vault(root.path());
    let output = Command::new("df").args(["-B1", "--output=size"]).arg(root.path()).output().unwrap();
    let size_bytes: u64 =
        String::from_utf8_lossy(&output.stdout).split_whitespace().last().unwrap().parse().unwrap();
    let free_bytes = vault.free_bytes().await.unwrap();
    assert!(free_bytes > 0 && free_bytes <= size_bytes - (size_bytes / 50).min(1 << 30));
    std::fs::remove_dir_all(root.path()).unwrap();
    assert!(vault.free_bytes().await.is_err(), "a directory that is gone has no room");
}

#[tokio::test]
#[ignore = "run by the test above, with a limit on the size of files"]
async fn with_limit() {
    assert!(std::env::var_os(MARK).is_some());
    let root = tempfile::tempdir().unwrap();
    let vault = open_vault(root.path());
    let plain = Numbers(8).bytes(40 * FRAME);
    let seal = vault.begin_object().unwrap();
    let mut writer = vault.segment_writer(&seal, 0, HashState::new()).await.unwrap();
    writer.write(&plain[..8 * FRAME]).await.unwrap();
    let checkpoint = writer.checkpoint().await.unwrap();
    assert_eq!(checkpoint.length_bytes, 8 * FRAME as u64);

    // 1,000 KiB are room for 15 whole frames. The writer is told when the next ones are written.
    let mut refused = None;
    for part in plain[8 * FRAME..].chunks(FRAME) {
        if let Err(error) = writer.write(part).await {
            refused = Some(error);
            break;
        }
    }
    assert!(matches!(refused, Some(VaultError::Full(_))), "{refused:?}");
    assert!(matches!(writer.write(b"more").await, Err(VaultError::Full(_)) | Ok(())));
    assert!(matches!(writer.checkpoint().await, Err(VaultError::Full(_))), "nothing more is acknowledged");
    let finished = writer.finish().await.unwrap();
    assert!(matches!(finished.failure, Some(VaultError::Full(_))));
    let kept = finished.checkpoint;
    assert_eq!(kept.length_bytes, 15 * FRAME as u64);

    for checkpoint in [checkpoint, kept.clone()] {
        let length = usize::try_from(checkpoint.length_bytes).unwrap();
        let segment = Segment { number: 0, length_bytes: checkpoint.length_bytes };
        let object = vault.seal_object(&seal, &[segment], &checkpoint.hash);
        assert_eq!(object.sha256, hex::encode(openssl::sha::sha256(&plain[..length])));
        assert_eq!(read_range(&vault.reader(&object).unwrap(), 0..u64::MAX).await, plain[..length]);
    }

    // Later there is room again (another file): the upload goes on where it was kept.
    let mut writer = vault.segment_writer(&seal, 1, kept.hash).await.unwrap();
    let rest = &plain[15 * FRAME..20 * FRAME];
    writer.write(rest).await.unwrap();
    let finished = writer.finish().await.unwrap();
    assert!(finished.failure.is_none());
    assert_eq!(finished.checkpoint.hash.sha256(), hex::encode(openssl::sha::sha256(&plain[..20 * FRAME])));

    assert!(matches!(vault.put_bytes(plain).await, Err(VaultError::Full(_))));
}
