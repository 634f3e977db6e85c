//! The vault in a directory: what is written is read back, and nothing else is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use crate::support::{FRAME, Numbers, master_keys, open_vault, read_range, segment_file, write_segments};
use kinora_core::object::Segment;
use kinora_vault::{
    HashState, PendingCheckpoint, SegmentWriter, Vault, VaultError, VaultSecrets, VaultSettings,
};

fn sha256(bytes: &[u8]) -> String {
    hex::encode(openssl::sha::sha256(bytes))
}

#[tokio::test]
async fn every_size_around_a_frame_boundary_comes_back() {
    let root = tempfile::tempdir().unwrap();
    let vault = open_vault(root.path());
    let bytes = Numbers(1).bytes(20 * FRAME);
    let mut sizes = vec![0, 1, 15, 16, 17];
    for frames in [1, 2, 3, 4, 5, 16, 17] {
        sizes.extend([frames * FRAME - 1, frames * FRAME, frames * FRAME + 1]);
    }
    for size in sizes {
        let plain = &bytes[..size];
        let written = write_segments(&vault, &[plain]).await;
        let put = vault.put_bytes(plain.to_vec()).await.unwrap();
        let path = root.path().join("plain");
        fs::write(&path, plain).unwrap();
        let put_file = vault.put_file(&path).await.unwrap();
        for object in [written, put, put_file] {
            assert_eq!(object.size_bytes, size as u64);
            assert_eq!(object.sha256, sha256(plain));
            let reader = vault.reader(&object).unwrap();
            assert_eq!(reader.read_at(0, usize::MAX).await.unwrap(), plain, "{size}");
            assert_eq!(read_range(&reader, 0..u64::MAX).await, plain, "{size}");
            assert!(reader.read_at(size as u64, 10).await.unwrap().is_empty());
            assert!(reader.read_at(u64::MAX, 10).await.unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn any_part_of_an_object_of_many_segments_can_be_read() {
    let root = tempfile::tempdir().unwrap();
    let vault = open_vault(root.path());
    let mut numbers = Numbers(2);
    for round in 0..12 {
        let lengths: Vec<usize> = (0..=round)
            .map(|_| match numbers.below(5) {
                0 => 0,
                1 => numbers.below(100),
                2 => FRAME * numbers.below(4),
                3 => FRAME + 1,
                _ => numbers.below(5 * FRAME),
            })
            .collect();
        let plain = numbers.bytes(lengths.iter().sum());
        let mut rest = plain.as_slice();
        let mut pieces = Vec::new();
        for length in lengths {
            let (piece, after) = rest.split_at(length);
            pieces.push(piece);
            rest = after;
        }
        let object = write_segments(&vault, &pieces).await;
        assert_eq!(object.sha256, sha256(&plain));
        let reader = vault.reader(&object).unwrap();
        for _ in 0..60 {
            let start = numbers.below(plain.len() + 2);
            let length = numbers.below(plain.len() + 2);
            let start_cut = start.min(plain.len());
            let expected = &plain[start_cut..(start + length).min(plain.len()).max(start_cut)];
            assert_eq!(reader.read_at(start as u64, length).await.unwrap(), expected);
            assert_eq!(read_range(&reader, start as u64..(start + length) as u64).await, expected);
        }
    }
}

#[tokio::test]
async fn nothing_of_the_plain_bytes_is_on_the_disk_and_nobody_else_may_look() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("vault");
    let vault = open_vault(&directory);
    let object = write_segments(&vault, &[&b"TOP SECRET ".repeat(20_000)]).await;
    let file = segment_file(&directory, &object, 0);
    let stored = fs::read(&file).unwrap();
    assert_eq!(stored.len(), 220_000 + 4 * 16);
    assert!(!stored.windows(6).any(|window| window == b"SECRET"));
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    for path in file.ancestors().skip(1).take_while(|path| *path != root.path()) {
        assert_eq!(mode(path), 0o700, "{}", path.display());
    }
}

#[tokio::test]
async fn a_root_that_its_group_may_write_to_is_shared_with_the_group() {
    let root = tempfile::tempdir().unwrap();
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o2770)).unwrap();
    let vault = open_vault(root.path());
    let object = write_segments(&vault, &[b"for another user of the group"]).await;
    let file = segment_file(root.path(), &object, 0);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode();
    // What the group gets besides is for the umask to say.
    assert_eq!(mode(&file) & 0o047, 0o040);
    for path in file.ancestors().skip(1).take_while(|path| *path != root.path()) {
        assert_eq!(mode(path) & 0o2057, 0o2050, "{}: a directory hands the group down", path.display());
    }
}

#[tokio::test]
async fn whatever_is_changed_is_noticed() {
    let root = tempfile::tempdir().unwrap();
    let vault = open_vault(root.path());
    let plain = Numbers(3).bytes(2 * FRAME + 100);
    let object = write_segments(&vault, &[&plain, &plain]).await;
    let file = segment_file(root.path(), &object, 0);
    let stored = fs::read(&file).unwrap();
    let refused = async |changed: &[u8], why: &str| {
        fs::write(&file, changed).unwrap();
        let read = vault.reader(&object).unwrap().read_at(0, plain.len()).await;
        assert!(matches!(read, Err(VaultError::Corrupt(_))), "{why}");
    };
    // Flipped bits: in each frame's first byte, last byte and tag, and all over.
    let mut numbers = Numbers(4);
    let frame = FRAME + 16;
    let edges = [0, FRAME - 1, FRAME, frame - 1, frame, 2 * frame, stored.len() - 17, stored.len() - 1];
    let anywhere: Vec<usize> = (0..40).map(|_| numbers.below(stored.len())).collect();
    for at in edges.into_iter().chain(anywhere) {
        let mut changed = stored.clone();
        changed[at] ^= 1 << numbers.below(8);
        refused(&changed, &format!("bit in byte {at}")).await;
    }
    // Frames exchanged, repeated, removed.
    let swapped = [&stored[frame..2 * frame], &stored[..frame], &stored[2 * frame..]].concat();
    refused(&swapped, "frames exchanged").await;
    let repeated = [&stored[..frame], &stored[..frame], &stored[2 * frame..]].concat();
    refused(&repeated, "frame repeated").await;
    refused(&stored[frame..], "frame removed").await;
    // Cut off.
    for length in [0, 1, 16, frame - 1, frame, 2 * frame, stored.len() - 1] {
        refused(&stored[..length], &format!("cut to {length}")).await;
    }
    // A segment in the place of another.
    refused(&fs::read(segment_file(root.path(), &object, 1)).unwrap(), "other segment").await;
    // A segment of another object with the same content.
    let other = write_segments(&vault, &[&plain]).await;
    refused(&fs::read(segment_file(root.path(), &other, 0)).unwrap(), "other object").await;
    // Bytes that no record covers do not matter.
    fs::write(&file, [stored.as_slice(), b"left by a crash"].concat()).unwrap();
    assert_eq!(vault.reader(&object).unwrap().read_at(0, plain.len()).await.unwrap(), plain);
}

#[tokio::test]
async fn a_record_that_was_changed_is_noticed() {
    let root = tempfile::tempdir().unwrap();
    let vault = open_vault(root.path());
    let plain = Numbers(5).bytes(FRAME + 100);
    let object = write_segments(&vault, &[&plain, b"second"]).await;
    let mut shorter = object.clone();
    shorter.segments[0].length_bytes -= 1;
    assert!(matches!(vault.reader(&shorter), Err(VaultError::Corrupt(_))), "does not add up");
    shorter.size_bytes -= 1;
    let read = vault.reader(&shorter).unwrap().read_at(FRAME as u64, 10).await;
    assert!(matches!(read, Err(VaultError::Corrupt(_))), "the last frame is longer");
    let mut exchanged = object.clone();
    exchanged.segments[0].number = 1;
    exchanged.segments[1].number = 0;
    assert!(vault.reader(&exchanged).unwrap().read_at(0, 10).await.is_err());
    let mut missing = object.clone();
    missing.segments[1].number = 9;
    let read = vault.reader(&missing).unwrap().read_at(object.size_bytes - 1, 1).await;
    assert!(matches!(read, Err(VaultError::NotFound(_))));
    let mut foreign = object;
    foreign.id = kinora_core::ObjectId::new();
    assert!(matches!(vault.reader(&foreign), Err(VaultError::Corrupt(_))), "the key is bound to the id");
}

#[tokio::test]
async fn an_upload_goes_on_after_a_crash_from_its_last_checkpoint() {
    let root = tempfile::tempdir().unwrap();
    let plain = Numbers(6).bytes(9 * FRAME + 77);
    let vault = open_vault(root.path());
    let seal = vault.begin_object().unwrap();
    let mut writer = vault.segment_writer(&seal, 1, HashState::new()).await.unwrap();
    writer.write(&plain[..3 * FRAME + 5]).await.unwrap();
    let checkpoint = writer.checkpoint().await.unwrap();
    assert_eq!(checkpoint.length_bytes, 3 * FRAME as u64, "whole frames only");
    writer.write(&plain[3 * FRAME + 5..7 * FRAME]).await.unwrap();
    // The crash: no finish. What is kept goes through its stored forms.
    drop(writer);
    let (id, key_id, wrapped) = (seal.id, seal.master_key_id.clone(), seal.wrapped_key.clone());
    let hash = HashState::from_bytes(&checkpoint.hash.to_bytes()).unwrap();
    let first = Segment { number: 1, length_bytes: checkpoint.length_bytes };

    let vault = open_vault(root.path());
    let seal = vault.reopen_object(id, &key_id, &wrapped).unwrap();
    let again = vault.segment_writer(&seal, 1, hash.clone()).await;
    assert!(matches!(again, Err(VaultError::SegmentExists { number: 1, .. })), "a number is used once");
    let mut writer = vault.segment_writer(&seal, 2, hash).await.unwrap();
    writer.write(&plain[3 * FRAME..]).await.unwrap();
    let finished = writer.finish().await.unwrap();
    let second = Segment { number: 2, length_bytes: finished.checkpoint.length_bytes };
    let object = vault.seal_object(&seal, &[first, second], &finished.checkpoint.hash);
    assert_eq!(object.sha256, sha256(&plain));
    let reader = vault.reader(&object).unwrap();
    assert_eq!(read_range(&reader, 0..u64::MAX).await, plain);
}

#[tokio::test]
async fn checkpoints_cover_what_was_written_while_more_is_written() {
    let root = tempfile::tempdir().unwrap();
    let plain = Numbers(7).bytes(40 * FRAME);
    let vault = open_vault(root.path());
    let seal = vault.begin_object().unwrap();
    let mut writer = vault.segment_writer(&seal, 0, HashState::new()).await.unwrap();
    assert!(writer.begin_checkpoint().unwrap().is_none(), "nothing to do");
    let mut pending = Vec::new();
    for part in plain.chunks(3 * FRAME + 1000) {
        writer.write(part).await.unwrap();
        pending.push(begin_new_checkpoint(&mut writer).await);
    }
    let mut last = 0;
    for checkpoint in pending {
        let checkpoint = checkpoint.durable().await.unwrap();
        assert!(checkpoint.length_bytes > last && checkpoint.length_bytes.is_multiple_of(FRAME as u64));
        last = checkpoint.length_bytes;
        let length = usize::try_from(last).unwrap();
        assert_eq!(checkpoint.hash.sha256(), sha256(&plain[..length]));
        let segment = Segment { number: 0, length_bytes: last };
        let object = vault.seal_object(&seal, &[segment], &checkpoint.hash);
        let reader = vault.reader(&object).unwrap();
        assert_eq!(read_range(&reader, 0..u64::MAX).await, plain[..length]);
    }
    writer.discard().await.unwrap();
    let segment = Segment { number: 0, length_bytes: last };
    let gone = vault.seal_object(&seal, &[segment], &HashState::new());
    assert!(matches!(vault.reader(&gone).unwrap().read_at(0, 1).await, Err(VaultError::NotFound(_))));
}

/// Begins a checkpoint as soon as there is something new in the file.
async fn begin_new_checkpoint(writer: &mut SegmentWriter) -> PendingCheckpoint {
    let begin = async {
        loop {
            match writer.begin_checkpoint().unwrap() {
                Some(pending) => return pending,
                None => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), begin).await.expect("whole frames get written")
}

#[tokio::test]
async fn rotation_rewraps_the_key_and_leaves_the_media() {
    let root = tempfile::tempdir().unwrap();
    let old = open_vault(root.path());
    let object = old.put_bytes(&b"media"[..]).await.unwrap();
    let settings = VaultSettings { directory: root.path().to_owned(), s3: None };
    let both = Vault::open(&settings, VaultSecrets::new(master_keys(&[2, 1]))).unwrap();
    let rewrapped = both.rewrap(&object).unwrap();
    assert_ne!(rewrapped.master_key_id, object.master_key_id);
    assert_eq!(rewrapped.segments, object.segments);
    let new = Vault::open(&settings, VaultSecrets::new(master_keys(&[2]))).unwrap();
    assert_eq!(new.reader(&rewrapped).unwrap().read_at(0, 9).await.unwrap(), &b"media"[..]);
    assert!(matches!(new.reader(&object), Err(VaultError::UnknownMasterKey(_))));
}

#[tokio::test]
async fn objects_are_listed_and_removed() {
    let root = tempfile::tempdir().unwrap();
    let vault = open_vault(root.path());
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(vault.put_bytes(&b"x"[..]).await.unwrap().id);
    }
    let listed = async || {
        let mut found = Vec::new();
        for shard in 0..=255 {
            found.extend(vault.list(shard).await.unwrap());
        }
        found.sort();
        found
    };
    assert_eq!(listed().await, ids);
    vault.delete(ids[2]).await.unwrap();
    vault.delete(ids[2]).await.unwrap();
    ids.remove(2);
    assert_eq!(listed().await, ids);
}

#[tokio::test]
async fn a_store_that_does_not_work_is_told() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("vault");
    let vault = open_vault(&directory);
    vault.check_directory().await.unwrap();
    assert!(fs::read_dir(&directory).unwrap().next().is_none(), "the check leaves nothing behind");
    let object = vault.put_bytes(&b"kept"[..]).await.unwrap();
    fs::rename(&directory, root.path().join("elsewhere")).unwrap();
    assert!(matches!(vault.check_directory().await, Err(VaultError::Unavailable(_))));
    assert!(matches!(vault.put_bytes(&b"x"[..]).await, Err(VaultError::Unavailable(_))));
    // With all of it away, nothing is said to be missing, and nothing to be removed.
    let reader = vault.reader(&object).unwrap();
    assert!(matches!(reader.read_at(0, 1).await, Err(VaultError::Unavailable(_))));
    assert!(matches!(vault.look_at(&object).await, Err(VaultError::Unavailable(_))));
    assert!(matches!(vault.delete(object.id).await, Err(VaultError::Unavailable(_))));
    assert!(matches!(vault.delete_segment(object.id, 0).await, Err(VaultError::Unavailable(_))));
    assert!(matches!(vault.list(0).await, Err(VaultError::Unavailable(_))));
    assert!(matches!(vault.free_bytes().await, Err(VaultError::Unavailable(_))));
    let settings = VaultSettings { directory: "relative".into(), s3: None };
    let refused = Vault::open(&settings, VaultSecrets::new(master_keys(&[1])));
    assert!(matches!(refused, Err(VaultError::Settings(_))));
}
