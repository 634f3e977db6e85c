//! Real workers with real media: whatever is killed in mid-encode, the run completes, nothing is twice
//! in the result, and nothing is left behind.

use std::path::{Path, PathBuf};
use std::process::Command;

use kinora_core::object::SealedObject;
use kinora_core::state::{RunState, StepState};
use kinora_core::step::StepKind;
use kinora_core::{ObjectId, RunId};
use kinora_store::audit::Origin;
use kinora_store::{objects, run_views};
use kinora_tests::{Kinora, KinoraBuilder, media_programs, wait_until};
use kinora_vault::{MasterKeys, Vault, VaultSecrets, VaultSettings};

use super::fixture::{Delivered, Engine, number, word};

struct Studio {
    engine: Engine,
    vault: Vault,
}

fn two_workers() -> KinoraBuilder {
    // Patient enough for a busy machine: a live worker must not be taken for lost.
    Kinora::builder().workers(2).settings("backend", "coordinator.heartbeat_timeout = \"12s\"")
}

/// A film that takes some seconds to encode, and hardly any to make.
fn make_film(directory: &Path) -> PathBuf {
    let path = directory.join("film.mov");
    let picture = "testsrc2=size=1280x720:rate=25:duration=20";
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", picture])
        .args(["-f", "lavfi", "-i", "sine=frequency=440:duration=20"])
        .args(["-c:v", "mpeg2video", "-q:v", "4", "-c:a", "pcm_s16le", "-timecode", "10:00:00:00"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(status.success());
    path
}

impl Studio {
    async fn start(builder: KinoraBuilder) -> Self {
        let engine = Engine::with(builder).await;
        let directory = engine.kinora.directory();
        let key = std::fs::read_to_string(directory.join("credentials/worker-1/vault-master-key")).unwrap();
        let secrets = VaultSecrets::new(MasterKeys::parse(&key).unwrap());
        let settings = VaultSettings { directory: directory.join("vault"), s3: None };
        let vault = Vault::open(&settings, secrets).unwrap();
        Self { engine, vault }
    }

    async fn deliver_film(&self) -> Delivered {
        let film = make_film(self.engine.kinora.directory());
        let original = self.vault.put_file(&film).await.unwrap();
        std::fs::remove_file(film).unwrap();
        self.engine.world.deliver_object(&mut self.engine.connect(), &original)
    }

    /// Waits until the encode has made some way; gives the index of its worker.
    async fn wait_for_encode(&self, run: RunId) -> usize {
        let step = self
            .engine
            .wait_for_step(run, StepKind::Render, "the encode is under way", |step| {
                step.state == StepState::Running && step.progress.is_some()
            })
            .await;
        usize::from(step.worker.as_deref() == Some("worker-2"))
    }

    /// The result is complete, single, and can be read from the vault.
    async fn assert_good(&self, delivered: Delivered) {
        let mut connection = self.engine.connect();
        let kinds = "SELECT string_agg(kind, ' ' ORDER BY kind) AS word FROM derivatives";
        let all = "filmstrip filmstrip_index poster proxy raw_probe waveform";
        assert_eq!(word(&mut connection, kinds), all);
        let version = delivered.version;
        let proxy = format!(
            "SELECT object_id::text AS word FROM derivatives WHERE version_id = '{version}' AND kind = 'proxy'"
        );
        let proxy: ObjectId = word(&mut connection, &proxy).parse().unwrap();
        let proxy: SealedObject = objects::find(&mut connection, proxy).unwrap();
        let reader = self.vault.reader(&proxy).unwrap();
        let middle = reader.read_at(proxy.size_bytes / 2, 1000).await.unwrap();
        assert_eq!(middle.len(), 1000);
        let used =
            "SELECT count(*) AS number FROM orphan_objects o JOIN derivatives d ON d.object_id = o.object_id";
        assert_eq!(number(&mut connection, used), 0);
        assert_eq!(word(&mut connection, "SELECT status AS word FROM assets"), "ready");
    }

    /// Nothing runs and nothing lies about for steps that are over.
    async fn wait_until_tidy(&self) {
        let scratch = self.engine.kinora.directory().join("scratch");
        wait_until("no scratch is left", async || files_below(&scratch).is_empty().then_some(())).await;
        let place = self.engine.kinora.directory().display().to_string();
        wait_until("no media program runs", async || media_programs(&place).is_empty().then_some(())).await;
    }
}

/// Files of media; the workers' own lock files are not.
fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else if !matches!(path.file_name().and_then(|name| name.to_str()), Some("gate" | "lock")) {
            found.push(path);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_in_mid_encode_is_followed_by_the_other() {
    let mut studio = Studio::start(two_workers().backends(1)).await;
    let delivered = studio.deliver_film().await;
    let index = studio.wait_for_encode(delivered.run).await;
    studio.engine.kinora.worker(index).kill();
    studio.engine.wait_for_run(delivered.run, RunState::Done).await;
    studio.assert_good(delivered).await;
    // What the killed one left is removed when it comes back.
    studio.engine.kinora.worker(index).start().await;
    studio.wait_until_tidy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_killed_in_mid_encode_is_followed_by_the_other() {
    let mut studio = Studio::start(two_workers().backends(2)).await;
    let delivered = studio.deliver_film().await;
    studio.wait_for_encode(delivered.run).await;
    let leads = |log: String| log.contains("this backend leads");
    let leader = if leads(studio.engine.kinora.backend(0).log()) { 0 } else { 1 };
    studio.engine.kinora.backend(leader).kill();
    let run = studio.engine.wait_for_run(delivered.run, RunState::Done).await;
    assert!(run.steps.iter().all(|step| step.attempt == 1), "the encode was not disturbed: {run:?}");
    studio.assert_good(delivered).await;
    studio.wait_until_tidy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_killed_in_mid_encode_comes_back_and_the_run_completes() {
    let mut studio = Studio::start(two_workers().backends(1).own_broker()).await;
    let delivered = studio.deliver_film().await;
    studio.wait_for_encode(delivered.run).await;
    studio.engine.kinora.broker().kill();
    studio.engine.kinora.broker().start_again().await;
    studio.engine.wait_for_run(delivered.run, RunState::Done).await;
    studio.assert_good(delivered).await;
    studio.wait_until_tidy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_encode_leaves_nothing_behind_and_the_original_stays() {
    let studio = Studio::start(two_workers().backends(1)).await;
    let delivered = studio.deliver_film().await;
    studio.wait_for_encode(delivered.run).await;
    let (caller, origin) = (studio.engine.world.editor(), Origin::system("test"));
    run_views::request_cancel(&mut studio.engine.connect(), &caller, &origin, delivered.run).unwrap();
    let run = studio.engine.wait_for_run(delivered.run, RunState::Cancelled).await;
    assert_eq!(run.steps.last().unwrap().state, StepState::Cancelled);
    studio.wait_until_tidy().await;
    let mut connection = studio.engine.connect();
    let kept = "SELECT string_agg(kind, ' ') AS word FROM derivatives";
    assert_eq!(word(&mut connection, kept), "raw_probe");
    let original = "SELECT original_object_id::text AS word FROM versions";
    let original: ObjectId = word(&mut connection, original).parse().unwrap();
    let original = objects::find(&mut connection, original).unwrap();
    studio.vault.reader(&original).unwrap().read_at(0, 10).await.unwrap();
}
