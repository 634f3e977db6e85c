//! The vault on S3, against a real S3 server program: `s3s-fs`, started by each test on a port of its
//! own. `packaging/bootstrap test` installs it where `make test` finds it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use kinora_core::object::{Place, SealedObject};
use kinora_vault::{S3Credentials, S3Settings, Vault, VaultError, VaultSecrets, VaultSettings};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::{FRAME, Numbers, master_keys, read_range, segment_file, write_segments};

const BUCKET: &str = "media";
const SECRET: &str = "a secret of the test";

struct Server {
    endpoint: String,
    root: tempfile::TempDir,
    _process: Child,
}

impl Server {
    async fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join(BUCKET)).unwrap();
        let mut process = Command::new("s3s-fs")
            .args(["--host", "127.0.0.1", "--port", "0", "--access-key", "kinora", "--secret-key", SECRET])
            .arg(root.path())
            .env("RUST_LOG", "info")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the S3 server s3s-fs; `packaging/bootstrap test` installs it");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let found = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some((_, address)) = line.split_once("server is running at ") {
                    return address.trim().to_owned();
                }
            }
            panic!("the S3 server ended");
        };
        let endpoint = tokio::time::timeout(Duration::from_secs(60), found).await.unwrap();
        // Whatever else it says is read, so that it does not wait for a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { endpoint, root, _process: process }
    }

    fn vault(&self, staging: &Path, bucket: &str, secret: &str) -> Vault {
        let s3 = S3Settings {
            endpoint: self.endpoint.clone(),
            bucket: bucket.to_owned(),
            region: "us-east-1".to_owned(),
            prefix: "kinora".to_owned(),
            allow_http: true,
            tls_authorities: None,
        };
        let settings = VaultSettings { directory: staging.to_owned(), s3: Some(s3) };
        let credentials = S3Credentials { access_key: "kinora".to_owned(), secret_key: secret.to_owned() };
        let secrets = VaultSecrets { s3: Some(credentials), ..VaultSecrets::new(master_keys(&[1])) };
        Vault::open(&settings, secrets).unwrap()
    }

    /// The server's own file behind a segment.
    fn file(&self, object: &SealedObject, number: u32) -> PathBuf {
        segment_file(&self.root.path().join(BUCKET).join("kinora"), object, number)
    }
}

#[tokio::test]
async fn objects_are_put_read_listed_and_removed() {
    let server = Server::start().await;
    let staging = tempfile::tempdir().unwrap();
    let vault = server.vault(staging.path(), BUCKET, SECRET);
    vault.check_service().await.unwrap();
    // More than two parts of a multipart upload.
    let plain = Numbers(11).bytes(20 * 1024 * 1024 + 333);
    let mut objects = Vec::new();
    for size in [0, 1, FRAME, FRAME + 1, plain.len()] {
        let object = vault.put_bytes(plain[..size].to_vec()).await.unwrap();
        assert_eq!(object.place, Place::Store);
        let reader = vault.reader(&object).unwrap();
        assert_eq!(read_range(&reader, 0..u64::MAX).await, plain[..size], "{size}");
        objects.push(object);
    }
    let reader = vault.reader(objects.last().unwrap()).unwrap();
    let mut numbers = Numbers(12);
    for _ in 0..10 {
        let start = numbers.below(plain.len());
        let length = numbers.below(200_000);
        let expected = &plain[start..(start + length).min(plain.len())];
        assert_eq!(reader.read_at(start as u64, length).await.unwrap(), expected);
    }
    assert!(std::fs::read_dir(staging.path()).unwrap().next().is_none(), "nothing was staged");
    let listed = async || {
        let mut found = Vec::new();
        for shard in 0..=255 {
            found.extend(vault.list(shard).await.unwrap());
        }
        found.sort();
        found
    };
    // An empty object has no segments, but its empty segment is stored all the same.
    assert_eq!(listed().await, objects.iter().map(|object| object.id).collect::<Vec<_>>());
    for object in &objects {
        vault.delete(object.id).await.unwrap();
        vault.delete(object.id).await.unwrap();
    }
    assert!(listed().await.is_empty());
    let read = vault.reader(&objects[1]).unwrap().read_at(0, 1).await;
    assert!(matches!(read, Err(VaultError::NotFound(_))), "{read:?}");
}

#[tokio::test]
async fn what_was_finished_before_there_was_a_bucket_is_read_and_removed() {
    let server = Server::start().await;
    let directory = tempfile::tempdir().unwrap();
    let settings = VaultSettings { directory: directory.path().to_owned(), s3: None };
    let before = Vault::open(&settings, VaultSecrets::new(master_keys(&[1]))).unwrap();
    let plain = Numbers(17).bytes(2 * FRAME + 7);
    let object = before.put_bytes(plain.clone()).await.unwrap();
    assert_eq!(object.place, Place::Store);

    let vault = server.vault(directory.path(), BUCKET, SECRET);
    assert_eq!(read_range(&vault.reader(&object).unwrap(), 0..u64::MAX).await, plain);
    let newer = vault.put_bytes(plain.clone()).await.unwrap();
    assert!(
        server.file(&newer, 0).exists() && !server.file(&object, 0).exists(),
        "new objects go to the bucket"
    );
    vault.delete(object.id).await.unwrap();
    let read = vault.reader(&object).unwrap().read_at(0, 1).await;
    assert!(matches!(read, Err(VaultError::NotFound(_))), "{read:?}");
}

#[tokio::test]
async fn a_staged_upload_is_settled_once_and_read_all_the_time() {
    let server = Server::start().await;
    let staging = tempfile::tempdir().unwrap();
    let vault = server.vault(staging.path(), BUCKET, SECRET);
    let plain = Numbers(13).bytes(5 * FRAME + 5);
    let staged = write_segments(&vault, &[&plain[..FRAME + 1], &plain[FRAME + 1..]]).await;
    assert_eq!(staged.place, Place::Staging);
    assert_eq!(read_range(&vault.reader(&staged).unwrap(), 0..u64::MAX).await, plain);

    // A first attempt that died after one segment: the other is still only staged.
    let first = server.file(&staged, 0);
    std::fs::create_dir_all(first.parent().unwrap()).unwrap();
    std::fs::copy(segment_file(staging.path(), &staged, 0), &first).unwrap();
    let before = vault.reader(&staged).unwrap();
    before.read_at(0, 1).await.unwrap();

    let mut told = Vec::new();
    let settled = vault.settle_with(&staged, |bytes| told.push(bytes)).await.unwrap();
    assert_eq!(settled, SealedObject { place: Place::Store, ..staged.clone() });
    assert!(told.is_sorted());
    assert_eq!(*told.last().unwrap(), plain.len() as u64 + 7 * 16);
    assert!(!segment_file(staging.path(), &staged, 0).exists(), "nothing stays in the staging place");
    for object in [&settled, &staged] {
        assert_eq!(read_range(&vault.reader(object).unwrap(), 0..u64::MAX).await, plain);
    }
    assert_eq!(read_range(&before, 0..u64::MAX).await, plain, "whoever was reading goes on");
    // Again, as after a lost answer.
    assert_eq!(vault.settle(&staged).await.unwrap(), settled);
    assert_eq!(vault.settle(&settled).await.unwrap(), settled);

    vault.delete(settled.id).await.unwrap();
    assert!(matches!(vault.settle(&staged).await, Err(VaultError::NotFound(_))));
}

#[tokio::test]
async fn damage_and_refusal_are_told_apart() {
    let server = Server::start().await;
    let staging = tempfile::tempdir().unwrap();
    let vault = server.vault(staging.path(), BUCKET, SECRET);
    let plain = Numbers(14).bytes(3 * FRAME);
    let object = vault.put_bytes(plain.clone()).await.unwrap();
    let file = server.file(&object, 0);
    let stored = std::fs::read(&file).unwrap();
    for length in [0, FRAME + 16, stored.len() - 1] {
        std::fs::write(&file, &stored[..length]).unwrap();
        let read = vault.reader(&object).unwrap().read_at(2 * FRAME as u64, 10).await;
        assert!(matches!(read, Err(VaultError::Corrupt(_))), "cut to {length}: {read:?}");
    }
    let mut changed = stored.clone();
    changed[FRAME + 20] ^= 1;
    std::fs::write(&file, &changed).unwrap();
    let reader = vault.reader(&object).unwrap();
    assert!(matches!(reader.read_at(FRAME as u64, 1).await, Err(VaultError::Corrupt(_))));
    assert_eq!(
        reader.read_at(2 * FRAME as u64, FRAME).await.unwrap(),
        plain[2 * FRAME..],
        "other frames are"
    );

    let refused = server.vault(staging.path(), BUCKET, "wrong").check_service().await;
    assert!(matches!(refused, Err(VaultError::Unavailable(_))), "{refused:?}");
    let settings = VaultSettings {
        directory: staging.path().to_owned(),
        s3: Some(S3Settings {
            endpoint: server.endpoint.clone(),
            bucket: BUCKET.to_owned(),
            region: "us-east-1".to_owned(),
            prefix: String::new(),
            allow_http: true,
            tls_authorities: None,
        }),
    };
    let without = Vault::open(&settings, VaultSecrets::new(master_keys(&[1])));
    assert!(matches!(without, Err(VaultError::Settings(_))));
    let words = staging.path().join("authorities.pem");
    std::fs::write(&words, "no certificate").unwrap();
    for file in [words, staging.path().join("absent.pem")] {
        let mut settings = settings.clone();
        settings.s3.as_mut().unwrap().tls_authorities = Some(file.clone());
        let credentials = S3Credentials { access_key: "kinora".to_owned(), secret_key: "x".to_owned() };
        let secrets = VaultSecrets { s3: Some(credentials), ..VaultSecrets::new(master_keys(&[1])) };
        let Err(VaultError::Settings(text)) = Vault::open(&settings, secrets) else {
            panic!("{file:?} was taken")
        };
        assert!(text.contains("vault.s3.tls_authorities") && text.contains(file.to_str().unwrap()), "{text}");
    }
    drop(server);
    assert!(matches!(vault.check_service().await, Err(VaultError::Unavailable(_))));
}
