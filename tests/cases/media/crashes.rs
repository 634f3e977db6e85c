//! Processes that die or hang, clients that fight, disks that are full.

use std::path::PathBuf;
use std::process::Stdio;

use kinora_tests::{Kinora, program, wait_until};
use reqwest::Method;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tokio::process::{Child, Command};

use super::support::{Studio, Uploader, asset_of, count, is_marked, make_bytes, original};

const FRAME: usize = 65_536;
const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn a_killed_application_loses_nothing_that_it_acknowledged() {
    let mut kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let bytes = make_bytes(10, 9 * MIB + 77);
    let address = uploader.create(bytes.len(), "reel.mov").await;
    let _ = uploader.write(&address, 0, &bytes[..MIB + 1]).await.expect(204);
    let mut acknowledged = MIB + 1;
    for round in 0..2 {
        let sent = 3 * MIB;
        wait_until("no dead writer is in the way", async || {
            (uploader.write(&address, acknowledged, &[]).await.status.as_u16() == 204).then_some(())
        })
        .await;
        let mut patch = uploader.begin_patch(&address, acknowledged, bytes.len() - acknowledged).await;
        patch.send(&bytes[acknowledged..acknowledged + sent]).await;
        // In the middle of the request, with some of it marked.
        let marked = acknowledged + MIB;
        wait_until("bytes are marked while they come", async || {
            is_marked(&mut kinora.connect(), &address, marked).then_some(())
        })
        .await;
        kinora.application(0).kill();
        assert_eq!(patch.status().await, None, "it was never answered");
        kinora.application(0).start().await;
        let offset = uploader.offset(&address).await;
        assert!((marked..=acknowledged + sent).contains(&offset), "round {round}: {offset}");
        acknowledged = offset;
    }
    let answer = wait_until("the dead writer's lease has ended", async || {
        let answer = uploader.write(&address, acknowledged, &bytes[acknowledged..]).await;
        (answer.status.as_u16() != 423).then_some(answer)
    })
    .await
    .expect(204);
    assert_eq!(uploader.download(&asset_of(&answer)).await, bytes);
}

#[tokio::test]
async fn two_clients_on_one_upload_do_not_spoil_it() {
    let kinora = Kinora::builder().applications(2).start().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let first = Uploader::new(&kinora.url(), &studio, &person);
    let second = first.at(&kinora.url_of(1));
    let bytes = make_bytes(11, 4 * MIB);
    let address = first.create(bytes.len(), "a.mov").await;
    let mut patch = first.begin_patch(&address, 0, bytes.len()).await;
    patch.send(&bytes[..MIB]).await;
    wait_until("the first one writes", async || {
        (count(&mut kinora.connect(), "uploads WHERE writer IS NOT NULL") == 1).then_some(())
    })
    .await;
    for uploader in [&first, &second] {
        let answer = uploader.write(&address, 0, &bytes).await.expect(423);
        assert!(answer.header("retry-after").is_some());
    }
    patch.send(&bytes[MIB..]).await;
    assert_eq!(patch.status().await, Some(204));
    let _ = second.write(&address, 0, &bytes).await.expect(409);
    let asset = asset_of(&second.head(&address).await.expect(200));
    assert_eq!(second.download(&asset).await, bytes);

    // A race for the same bytes: exactly one gets them in.
    let address = first.create(bytes.len(), "b.mov").await;
    let (one, two) = tokio::join!(first.write(&address, 0, &bytes), second.write(&address, 0, &bytes));
    let mut answers = [one.status.as_u16(), two.status.as_u16()];
    answers.sort_unstable();
    assert!(answers == [204, 409] || answers == [204, 423], "{answers:?}");
    let asset = asset_of(&first.head(&address).await.expect(200));
    assert_eq!(first.download(&asset).await, bytes);
    assert_eq!(count(&mut kinora.connect(), "assets"), 2);
}

#[tokio::test]
async fn a_client_that_is_cut_off_goes_on_where_it_was() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let bytes = make_bytes(12, 2 * FRAME + 900);
    let address = uploader.create(bytes.len(), "a.mov").await;
    let mut patch = uploader.begin_patch(&address, 0, bytes.len()).await;
    patch.send(&bytes[..FRAME + 123]).await;
    drop(patch);
    let offset = wait_until("what came before the cut is kept", async || {
        let offset = uploader.offset(&address).await;
        (offset > 0).then_some(offset)
    })
    .await;
    assert!(offset <= FRAME + 123);
    let answer = uploader.write(&address, offset, &bytes[offset..]).await.expect(204);
    assert_eq!(uploader.download(&asset_of(&answer)).await, bytes);
}

#[tokio::test]
async fn another_instance_takes_over_and_the_old_writer_is_fenced_out() {
    let mut kinora = Kinora::builder().applications(2).start().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let first = Uploader::new(&kinora.url(), &studio, &person);
    let second = first.at(&kinora.url_of(1));
    let bytes = make_bytes(13, 6 * MIB + 5);
    let address = first.create(bytes.len(), "a.mov").await;
    let mut stale = first.begin_patch(&address, 0, bytes.len()).await;
    stale.send(&bytes[..2 * MIB]).await;
    wait_until("bytes are marked", async || is_marked(&mut kinora.connect(), &address, MIB).then_some(()))
        .await;
    // It hangs in the middle of a request.
    kinora.application(0).freeze();
    let offset = second.offset(&address).await;
    assert!(offset >= MIB);
    let answer = wait_until("its lease has ended", async || {
        let answer = second.write(&address, offset, &bytes[offset..offset + MIB]).await;
        (answer.status.as_u16() != 423).then_some(answer)
    })
    .await;
    let _ = answer.expect(204);
    // It comes back, and gets bytes that contradict those that the other one has written.
    kinora.application(0).thaw();
    let garbage = vec![0; bytes.len() - 2 * MIB];
    stale.send(&garbage).await;
    assert_eq!(stale.status().await, Some(409));
    assert_eq!(second.offset(&address).await, offset + MIB);
    let answer = second.write(&address, offset + MIB, &bytes[offset + MIB..]).await.expect(204);
    assert_eq!(second.download(&asset_of(&answer)).await, bytes);
    kinora.application(1).kill();
    assert_eq!(first.download(&asset_of(&first.head(&address).await)).await, bytes);
}

#[tokio::test]
async fn an_upload_that_died_between_its_last_byte_and_its_asset_is_completed() {
    let mut kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let bytes = make_bytes(14, 4 * FRAME);
    // The last byte is sent, but its request is not: only whole frames can have been marked.
    let request = uploader.creation().header("Upload-Defer-Length", "1");
    let address = uploader.send(request).await.expect(201).header("location").unwrap().to_owned();
    let _ = uploader.write(&address, 0, &bytes).await.expect(204);
    kinora.application(0).kill();
    // As if it had died after it learnt the length.
    let set = format!("UPDATE uploads SET length_bytes = {}", bytes.len());
    diesel::RunQueryDsl::execute(diesel::sql_query(set), &mut kinora.connect()).unwrap();
    kinora.application(0).start().await;
    let asset = asset_of(&uploader.head(&address).await.expect(200));
    assert_eq!(uploader.download(&asset).await, bytes);
}

#[tokio::test]
async fn a_concatenation_whose_process_died_is_finished_by_another() {
    let mut kinora = Kinora::builder()
        .applications(1)
        .settings("application", "upload.sweep_interval = \"100ms\"")
        .start()
        .await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let bytes = make_bytes(15, 3 * MIB);
    let request = uploader.creation().header("Upload-Length", bytes.len()).header("Upload-Concat", "partial");
    let part = uploader.send(request).await.expect(201).header("location").unwrap().to_owned();
    let _ = uploader.write(&part, 0, &bytes).await.expect(204);
    // A final upload as a process leaves it that dies right after making it: its lease has ended.
    let request = uploader.creation().header("Upload-Length", "1");
    let address = uploader.send(request).await.expect(201).header("location").unwrap().to_owned();
    kinora.application(0).kill();
    let part_id = part.rsplit('/').next().unwrap();
    let id = address.rsplit('/').next().unwrap();
    let change = format!(
        "UPDATE uploads SET concatenation = 'final', parts = '[\"{part_id}\"]', length_bytes = {}, epoch = 1, \
         writer = 'dead', writer_seen_at = now() - interval '1 hour' WHERE id = '{id}'",
        bytes.len()
    );
    diesel::RunQueryDsl::execute(diesel::sql_query(change), &mut kinora.connect()).unwrap();
    kinora.application(0).start().await;
    let asset = wait_until("it is put together", async || {
        uploader.head(&address).await.header("kinora-asset").map(str::to_owned)
    })
    .await;
    assert_eq!(uploader.download(&asset).await, bytes);
}

/// The application under a limit on the size of files, which is how a full disk looks without one: with
/// `SIGXFSZ` ignored, writes beyond it fail with `EFBIG`.
struct Limited {
    process: Child,
}

impl Limited {
    fn start(kinora: &Kinora) -> Self {
        let settings: PathBuf = kinora.directory().join("settings/application-1.toml");
        let settings =
            if settings.exists() { settings } else { kinora.directory().join("settings/application.toml") };
        let process = Command::new("bash")
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
            .arg(program("kinora-application"))
            .arg("--settings")
            .arg(settings)
            .env("CREDENTIALS_DIRECTORY", kinora.directory().join("credentials/application"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { process }
    }

    fn limit(&self, bytes: Option<u64>) {
        let pid = Pid::from_raw(i32::try_from(self.process.id().unwrap()).unwrap());
        prlimit(pid, Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
    }
}

/// Waits until the application is ready and says of the storage that it is so.
async fn wait_ready(kinora: &Kinora, vault: &str) {
    wait_until(&format!("the application answers, with storage {vault}"), async || {
        let answer = reqwest::get(format!("{}/readyz", kinora.url())).await.ok()?;
        let is_ready = answer.status().is_success();
        let told: serde_json::Value = answer.json().await.ok()?;
        (is_ready && told["ready"] == true && told["vault"] == vault).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_full_disk_is_told_and_the_upload_goes_on_later() {
    let mut kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    kinora.application(0).kill();
    let application = Limited::start(&kinora);
    wait_ready(&kinora, "ok").await;
    let bytes = make_bytes(16, 4 * MIB + 5);
    let address = uploader.create(bytes.len(), "a.mov").await;
    let in_the_way = uploader.create(bytes.len(), "b.mov").await;
    let _ = uploader.write(&address, 0, &bytes[..MIB]).await.expect(204);

    application.limit(Some(2 * MIB as u64));
    let answer = uploader.write(&address, MIB, &bytes[MIB..]).await.expect(507);
    assert!(answer.text().contains("urn:kinora:problem:storage-full"), "{}", answer.text());
    let offset = uploader.offset(&address).await;
    assert!((2 * MIB..3 * MIB).contains(&offset), "what still fitted is kept: {offset}");
    // Still full: nothing more goes in, nothing is lost.
    application.limit(Some(1000));
    let _ = uploader.write(&address, offset, &bytes[offset..]).await.expect(507);
    assert_eq!(uploader.offset(&address).await, offset);
    // Not a byte fits: people still sign in, read, and make room.
    application.limit(Some(0));
    wait_ready(&kinora, "full").await;
    let mut administrator = kinora.administrator().await;
    let _ = administrator.get("/api/data/v1/session").await.expect(200);
    let assets = format!("/api/data/v1/productions/{}/assets", studio.production);
    let _ = uploader.client.clone().get(&assets).await.expect(200);
    let _ = uploader.send(uploader.request(Method::DELETE, &in_the_way)).await.expect(204);
    let _ = uploader.write(&address, offset, &bytes[offset..]).await.expect(507);

    application.limit(None);
    wait_ready(&kinora, "ok").await;
    let answer = uploader.write(&address, offset, &bytes[offset..]).await.expect(204);
    assert_eq!(uploader.download(&asset_of(&answer)).await, bytes);
}

#[tokio::test]
async fn while_the_storage_is_gone_files_are_told_to_be_away_and_not_missing() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let bytes = make_bytes(17, MIB);
    let asset = uploader.upload("a.mov", &bytes).await;
    let address = uploader.create(bytes.len(), "b.mov").await;
    let (vault, away) = (kinora.directory().join("vault"), kinora.directory().join("away"));
    std::fs::rename(&vault, &away).unwrap();
    let length = bytes.len();
    for request in [
        uploader.client.request(Method::GET, &original(&asset)),
        uploader.patch(&address, 0, &bytes),
        uploader.creation().header("Upload-Length", length),
    ] {
        let answer = uploader.send(request).await.expect(503);
        assert!(answer.header("retry-after").is_some());
        assert!(answer.text().contains("The storage of media cannot be reached"), "{}", answer.text());
    }
    std::fs::rename(&away, &vault).unwrap();
    assert_eq!(uploader.download(&asset).await, bytes);
    assert_eq!(asset_of(&uploader.write(&address, 0, &bytes).await.expect(204)).len(), 36);
}
