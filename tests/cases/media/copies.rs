//! Copies of the media: `kinoractl storage copy`, `verify` and `restore`, with a directory and with an S3 server as the place.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use diesel::prelude::*;
use kinora_core::object::SealedObject;
use kinora_core::{ObjectId, ProductionId};
use kinora_store::objects;
use kinora_tests::{DatabaseRole, Kinora, program, wait_until};
use kinora_vault::{Copies, CopyPlace, HashState, MasterKeys, Vault, VaultSecrets, VaultSettings};
use serde_json::Value;

use super::settled::{SECRET, start_s3};
use super::support::{Studio, count, make_bytes};

/// A storage with its database, and a place for copies.
struct Place {
    kinora: Kinora,
    vault: Vault,
    first: ProductionId,
    second: ProductionId,
    /// The directory behind the place for copies.
    copy: PathBuf,
    _server: Option<tokio::process::Child>,
}

/// What a command said: exit code, and its document.
type Told = (i32, Value);

impl Place {
    async fn open(on_s3: bool) -> Self {
        let mut kinora = Kinora::api().await;
        kinora.application(0).kill();
        let root = kinora.directory().to_owned();
        let keys = std::fs::read_to_string(root.join("credentials/application/vault-master-key")).unwrap();
        let settings = VaultSettings { directory: root.join("vault"), s3: None };
        let vault = Vault::open(&settings, VaultSecrets::new(MasterKeys::parse(&keys).unwrap())).unwrap();
        let (first, second) = (Studio::open(&kinora).production, Studio::open(&kinora).production);
        let secrets = root.join("credentials/copier");
        std::fs::create_dir_all(&secrets).unwrap();
        let (copy, table, server) = if on_s3 {
            let (server, endpoint) = start_s3(&root.join("s3")).await;
            for directory in [&secrets, &root.join("credentials/application")] {
                std::fs::write(directory.join("copy-s3-access-key"), "kinora").unwrap();
                std::fs::write(directory.join("copy-s3-secret-key"), SECRET).unwrap();
            }
            let table = format!("s3.endpoint = \"{endpoint}\"\ns3.bucket = \"media\"\ns3.allow_http = true");
            (root.join("s3/media"), table, Some(server))
        } else {
            std::fs::create_dir(root.join("copy")).unwrap();
            (root.join("copy"), format!("directory = {:?}", root.join("copy")), None)
        };
        let url = kinora.database().url(DatabaseRole::Copier);
        let (user, rest) = url.strip_prefix("postgres://").unwrap().split_once(':').unwrap();
        let (password, server_and_name) = rest.split_once('@').unwrap();
        let (address, name) = server_and_name.split_once('/').unwrap();
        std::fs::write(secrets.join("database-password"), password).unwrap();
        let text = format!(
            "[database]\nhosts = [\"{address}\"]\nname = \"{name}\"\nuser = \"{user}\"\n\
             [vault]\ndirectory = {:?}\n[copy]\n{table}\n",
            root.join("vault")
        );
        std::fs::write(root.join("media-copy.toml"), text).unwrap();
        Self { kinora, vault, first, second, copy, _server: server }
    }

    fn path(&self, name: &str) -> String {
        self.kinora.directory().join(name).to_str().unwrap().to_owned()
    }

    /// An object of two segments, with its row.
    async fn add(&self, production: ProductionId, seed: u64, length: usize) -> SealedObject {
        let seal = self.vault.begin_object().unwrap();
        let bytes = make_bytes(seed, length);
        let (mut hash, mut segments) = (HashState::new(), Vec::new());
        for (number, part) in (0..).zip([&bytes[..length / 3], &bytes[length / 3..]]) {
            let mut writer = self.vault.segment_writer(&seal, number, hash).await.unwrap();
            writer.write(part).await.unwrap();
            let finished = writer.finish().await.unwrap();
            hash = finished.checkpoint.hash;
            segments.push(kinora_core::object::Segment { number, length_bytes: part.len() as u64 });
        }
        let object = self.vault.seal_object(&seal, &segments, &hash);
        objects::insert(&mut self.kinora.connect(), production, &object).unwrap();
        object
    }

    fn copy_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("kinoractl"));
        command.env_remove("CREDENTIALS_DIRECTORY").args(["storage", "copy", "--settings"]);
        command.args([&self.path("media-copy.toml"), "--credentials", &self.path("credentials/copier")]);
        command.args(["--result", &self.path("result.json")]).args(arguments);
        command
    }

    /// Runs `storage copy`; gives what it wrote down.
    async fn copy(&self, arguments: &[&str]) -> Told {
        let output = tokio::process::Command::from(self.copy_command(arguments)).output().await.unwrap();
        let text = std::fs::read(self.path("result.json")).unwrap_or_default();
        let code = output.status.code().unwrap();
        eprintln!(
            "{code}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        (code, serde_json::from_slice(&text).unwrap_or(Value::Null))
    }

    /// Runs `storage verify` or `storage restore`; gives exit code and document.
    async fn storage(&self, arguments: &[&str]) -> Told {
        let (code, told, _) = self.run_storage(arguments).await;
        (code, told)
    }

    /// The same, with what it says on the side.
    async fn run_storage(&self, arguments: &[&str]) -> (i32, Value, String) {
        let output = tokio::process::Command::new(program("kinoractl"))
            .env_remove("CREDENTIALS_DIRECTORY")
            .arg("storage")
            .args(arguments)
            .args(["--json", "--settings", &self.path("settings/application.toml")])
            .args(["--credentials", &self.path("credentials/application")])
            .args([
                "--copy-settings",
                &self.path("media-copy.toml"),
                "--copy-result",
                &self.path("result.json"),
            ])
            .output()
            .await
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        eprintln!("{arguments:?}: {told}{said}");
        (output.status.code().unwrap(), serde_json::from_str(told.trim()).unwrap_or(Value::Null), said)
    }

    fn stored(&self, object: &SealedObject, number: u32) -> PathBuf {
        below(&self.path("vault"), object.id).join(format!("{number:08x}"))
    }

    fn copied(&self, production: ProductionId, object: &SealedObject) -> PathBuf {
        below(&format!("{}/productions/{production}", self.copy.display()), object.id)
    }

    /// Path → content of everything in the storage.
    fn storage_content(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        super::support::vault_files(&self.kinora)
            .into_iter()
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect()
    }
}

fn below(root: &str, id: ObjectId) -> PathBuf {
    let id = id.to_string();
    Path::new(root).join(&id[id.len() - 2..]).join(&id)
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(path, bytes).unwrap();
}

fn number(told: &Value, key: &str) -> u64 {
    told[key].as_u64().unwrap_or_else(|| panic!("{key} in {told}"))
}

/// From the first copy to the repair of all that can be wrong, and back from an emptied storage.
async fn everything(on_s3: bool) {
    let place = Place::open(on_s3).await;
    let mut ours = Vec::new();
    for (seed, length) in [(1, 300_000), (2, 9), (3, 70_000)] {
        ours.push(place.add(place.first, seed, length).await);
    }
    let theirs = place.add(place.second, 4, 100_000).await;

    let (code, told) = place.copy(&[]).await;
    assert_eq!((code, &told["ok"], number(&told, "copied_objects")), (0, &Value::Bool(true), 4));
    for object in &ours {
        for number in 0..2 {
            let copy = place.copied(place.first, object).join(format!("{number:08x}"));
            assert_eq!(std::fs::read(copy).unwrap(), std::fs::read(place.stored(object, number)).unwrap());
        }
    }
    // Then only what is new, and nothing that is there is written again.
    let inode = |object| std::fs::metadata(place.copied(place.first, object).join("00000001")).unwrap().ino();
    let before: Vec<u64> = ours.iter().map(inode).collect();
    let added = place.add(place.first, 5, 50_000).await;
    let (code, told) = place.copy(&[]).await;
    assert_eq!((code, number(&told, "copied_objects"), number(&told, "objects")), (0, 1, 5));
    assert_eq!(ours.iter().map(inode).collect::<Vec<_>>(), before);
    ours.push(added);
    let (code, told) = place.storage(&["verify"]).await;
    assert_eq!((code, number(&told, "objects")), (0, 5), "{told}");

    // A flipped byte, a removed segment, a removed object.
    let content = place.storage_content();
    flip(&place.stored(&ours[0], 1));
    std::fs::remove_file(place.stored(&ours[2], 0)).unwrap();
    std::fs::remove_dir_all(place.stored(&theirs, 0).parent().unwrap()).unwrap();
    let (code, told) = place.storage(&["verify", "--production", &place.first.to_string()]).await;
    assert_eq!((code, number(&told, "corrupt"), number(&told, "missing")), (1, 1, 1));
    let (code, told) = place.storage(&["verify"]).await;
    assert_eq!(
        (code, number(&told, "corrupt"), number(&told, "missing"), number(&told, "repaired")),
        (1, 1, 2, 0)
    );
    let named: Vec<&str> =
        told["findings"].as_array().unwrap().iter().map(|it| it["object"].as_str().unwrap()).collect();
    for object in [&ours[0], &ours[2], &theirs] {
        assert!(named.contains(&object.id.to_string().as_str()), "{told}");
    }
    assert!(told["findings"].as_array().unwrap().iter().all(|it| it["in_copy"] == "good"), "{told}");
    let (code, told) = place.storage(&["verify", "--repair"]).await;
    assert_eq!((code, number(&told, "repaired")), (0, 3));
    assert_eq!(place.storage_content(), content, "bit by bit");
    assert_eq!(count(&mut place.kinora.connect(), "audit_rows WHERE action = 'media.repaired'"), 1);

    // A damaged copy repairs nothing.
    flip(&place.stored(&ours[0], 1));
    flip(&place.copied(place.first, &ours[0]).join("00000000"));
    let damaged = place.storage_content();
    let (code, told) = place.storage(&["verify", "--repair"]).await;
    assert_eq!((code, number(&told, "corrupt"), number(&told, "repaired")), (1, 1, 0));
    assert_eq!(told["findings"][0]["in_copy"], "damaged");
    assert_eq!(place.storage_content(), damaged, "nothing was changed");
    for segment in [0, 1] {
        let path = place.stored(&ours[0], segment);
        std::fs::write(&path, &content[&path]).unwrap();
    }
    // The daily run finds and mends it, because the storage has what was copied.
    let (code, told) = place.copy(&["--read-all"]).await;
    assert_eq!((code, number(&told, "mended_objects"), number(&told, "read_again_objects")), (0, 1, 5));

    // One production out of an emptied storage, the other one untouched; then all.
    std::fs::remove_dir_all(place.path("vault")).unwrap();
    std::fs::create_dir(place.path("vault")).unwrap();
    let (code, told) = place.storage(&["restore", "--production", &place.first.to_string()]).await;
    assert_eq!((code, number(&told, "repaired")), (0, 4));
    let of_theirs = |path: &Path| path.to_str().unwrap().contains(&theirs.id.to_string());
    let expected: BTreeMap<_, _> = content
        .iter()
        .filter(|(path, _)| !of_theirs(path))
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect();
    assert_eq!(place.storage_content(), expected);
    let (code, told) = place.storage(&["restore", "--all"]).await;
    assert_eq!((code, number(&told, "repaired")), (0, 1));
    assert_eq!(place.storage_content(), content);
}

#[tokio::test]
async fn media_are_copied_verified_repaired_and_restored_with_a_directory() {
    everything(false).await;
}

#[tokio::test]
async fn media_are_copied_verified_repaired_and_restored_with_s3() {
    everything(true).await;
}

#[tokio::test]
async fn a_copy_that_was_killed_goes_on() {
    let place = Place::open(false).await;
    let small = place.add(place.first, 1, 1000).await;
    let large = place.add(place.first, 2, 256 << 20).await;
    let mut run = place.copy_command(&[]).spawn().unwrap();
    let record = |object| place.copied(place.first, object).join("record.json");
    let part = place.copied(place.first, &large).join("00000001.part");
    // The large one takes long enough to be met half way.
    while !part.exists() {
        assert!(run.try_wait().unwrap().is_none(), "it ended before it was killed");
        std::thread::yield_now();
    }
    run.kill().unwrap();
    run.wait().unwrap();
    wait_until("the lock of the killed run falls", async || {
        let locks = "pg_locks l JOIN pg_database d ON d.oid = l.database WHERE l.locktype = 'advisory' AND d.datname = current_database()";
        (count(&mut place.kinora.connect(), locks) == 0).then_some(())
    })
    .await;
    assert!(record(&small).exists() && !record(&large).exists());
    let inode = std::fs::metadata(record(&small)).unwrap().ino();
    let (code, told) = place.copy(&[]).await;
    assert_eq!((code, number(&told, "objects")), (0, 2));
    assert_eq!(
        std::fs::metadata(record(&small)).unwrap().ino(),
        inode,
        "what was copied is not copied again"
    );
    assert!(!part.exists());
    let (code, told) = place.copy(&["--read-all"]).await;
    assert_eq!((code, number(&told, "read_again_objects"), number(&told, "mended_objects")), (0, 2, 0));
}

#[tokio::test]
async fn a_fault_of_the_source_neither_empties_nor_spoils_the_copy() {
    let place = Place::open(false).await;
    let object = place.add(place.first, 1, 70_000).await;
    let other = place.add(place.first, 2, 70_000).await;
    assert_eq!(place.copy(&[]).await.0, 0);
    let held = std::fs::read(place.copied(place.first, &object).join("00000001")).unwrap();
    // Damage in the storage is told, and not copied.
    flip(&place.stored(&object, 1));
    let (code, told) = place.copy(&["--read-all"]).await;
    assert_eq!((code, number(&told, "failed_objects")), (1, 1));
    assert!(told["problem"].as_str().unwrap().contains(&object.id.to_string()), "{told}");
    // Neither is a database that has lost everything.
    let mut conn = place.kinora.connect();
    diesel::sql_query("DELETE FROM objects").execute(&mut conn).unwrap();
    let (code, told) = place.copy(&[]).await;
    assert_eq!((code, number(&told, "gone_objects"), number(&told, "removed_objects")), (0, 2, 0));
    assert_eq!(std::fs::read(place.copied(place.first, &object).join("00000001")).unwrap(), held);
    // An object that comes back is one again; one that was gone for long enough leaves.
    objects::insert(&mut conn, place.first, &other).unwrap();
    let copies = Copies::open(&CopyPlace::Directory(place.copy.clone())).unwrap();
    let mut entries = copies.manifest(place.first).await.unwrap().entries;
    for entry in entries.values_mut() {
        assert!(entry.gone_since.is_some());
        entry.gone_since = Some(1);
    }
    copies.write_manifest(place.first, &entries).await.unwrap();
    let (code, told) = place.copy(&[]).await;
    assert_eq!((code, number(&told, "objects"), number(&told, "removed_objects")), (0, 1, 1));
    assert!(!place.copied(place.first, &object).exists() && place.copied(place.first, &other).exists());
    // A manifest that was damaged is made anew.
    let manifest = place.copy.join(format!("productions/{}/manifest.jsonl", place.first));
    let before = std::fs::read(&manifest).unwrap();
    flip(&manifest);
    let (code, told) = place.copy(&[]).await;
    assert_eq!((code, number(&told, "manifests_made_anew"), number(&told, "copied_objects")), (0, 1, 0));
    assert_eq!(std::fs::read(&manifest).unwrap(), before);
    // A mount that is not there is no empty copy.
    std::fs::rename(&place.copy, place.path("away")).unwrap();
    assert_eq!(place.copy(&[]).await.0, 69);
    std::fs::create_dir(&place.copy).unwrap();
    let (code, told) = place.copy(&[]).await;
    assert!(code == 2 && told["problem"].as_str().unwrap().contains("is it mounted?"), "{told}");
    assert!(std::fs::read_dir(&place.copy).unwrap().next().is_none());
    assert_eq!(place.copy(&["--new-place"]).await.0, 0);
}

#[tokio::test]
async fn before_the_first_copy_it_is_said_that_there_is_none_and_how_to_make_one() {
    let place = Place::open(false).await;
    let _ = place.add(place.first, 1, 1000).await;
    for arguments in [["verify", "--quick"], ["restore", "--all"]] {
        let (code, _, said) = place.run_storage(&arguments).await;
        assert_eq!(code, 2);
        assert!(said.contains("no copy has been made yet"), "{said}");
        assert!(said.contains("systemctl start kinora-media-copy"), "{said}");
    }
    let (code, told) = place.copy(&[]).await;
    assert_eq!((code, &told["good_at"]), (0, &told["at"]));
    assert_eq!(place.storage(&["verify", "--quick"]).await.0, 0);
    // Now there was one.
    std::fs::rename(&place.copy, place.path("away")).unwrap();
    std::fs::create_dir(&place.copy).unwrap();
    let (code, _, said) = place.run_storage(&["verify", "--quick"]).await;
    assert!(code == 2 && said.contains("there were copies before: is it mounted?"), "{said}");
    // A run that fails leaves alone when one went well.
    let (code, failed) = place.copy(&[]).await;
    assert_eq!((code, &failed["ok"], &failed["good_at"]), (2, &Value::Bool(false), &told["good_at"]));
}

#[tokio::test]
async fn orphans_are_told_and_left_alone_until_somebody_asks() {
    let place = Place::open(false).await;
    let object = place.add(place.first, 1, 1000).await;
    assert_eq!(place.copy(&[]).await.0, 0);
    // The first 48 bits of an id are its milliseconds: 2025-01-01, and now.
    let old: ObjectId = "01941f29-7c00-7000-8000-0000000000ff".parse().unwrap();
    let young = ObjectId::new();
    for id in [old, young] {
        let directory = below(&place.path("vault"), id);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("00000000"), "nobody's").unwrap();
    }
    let (code, told) = place.storage(&["verify"]).await;
    assert_eq!((code, number(&told, "orphaned"), number(&told, "young")), (1, 1, 1));
    assert_eq!(told["orphans"][0], old.to_string());
    let (code, _) = place.storage(&["verify", "--repair"]).await;
    assert_eq!(code, 1);
    let mut conn = place.kinora.connect();
    assert_eq!(count(&mut conn, "orphan_objects"), 0);
    let (code, told) = place.storage(&["verify", "--mark-orphans"]).await;
    assert_eq!((code, number(&told, "marked")), (0, 1));
    assert_eq!(count(&mut conn, &format!("orphan_objects WHERE object_id = '{old}'")), 1);
    assert_eq!(count(&mut conn, "orphan_objects"), 1);
    for id in [old, young, object.id] {
        assert!(below(&place.path("vault"), id).exists());
    }
}

#[tokio::test]
async fn whoever_copies_reads_which_objects_there_are_and_nothing_else() {
    let place = Place::open(false).await;
    let mut conn = place.kinora.database().connect(DatabaseRole::Copier);
    diesel::sql_query("SELECT id, production_id, segments, wrapped_key FROM objects")
        .execute(&mut conn)
        .unwrap();
    for refused in [
        "SELECT sha256 FROM objects",
        "SELECT name FROM productions",
        "SELECT login FROM people",
        "SELECT name FROM assets",
        "UPDATE objects SET wrapped_key = ''",
        "DELETE FROM objects",
        "INSERT INTO orphan_objects (object_id) VALUES (gen_random_uuid())",
        "CREATE TABLE mine (id int)",
    ] {
        let answer = diesel::sql_query(refused).execute(&mut conn).unwrap_err().to_string();
        assert!(answer.contains("permission denied"), "{refused}: {answer}");
    }
    // A second run that finds a recent one does nothing; a run that fails is written down.
    place.add(place.first, 1, 1000).await;
    assert_eq!(place.copy(&[]).await.0, 0);
    place.add(place.first, 2, 1000).await;
    let (code, told) = place.copy(&["--unless-within", "20"]).await;
    assert_eq!((code, number(&told, "objects")), (0, 1));
    std::fs::write(place.path("credentials/copier/database-password"), "wrong").unwrap();
    let (code, told) = place.copy(&[]).await;
    assert_eq!((code, &told["ok"]), (69, &Value::Bool(false)));
}
