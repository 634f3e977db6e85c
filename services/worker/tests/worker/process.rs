//! The worker as a process, against a real RabbitMQ and a real vault.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use base64::Engine;
use kinora_bus::{BrokerSettings, Bus, Consumer};
use kinora_core::message::{Control, StepEvent, StepOrder, StepReport};
use kinora_core::object::SealedObject;
use kinora_core::step::{Derivative, DerivativeKind, StepInput, StepOutput};
use kinora_core::technical::Technical;
use kinora_core::{FailureCode, ProductionId, RunId, StepId};
use kinora_devstack::{Broker, BrokerEndpoint, PortBook, SecretBook};
use kinora_vault::{MasterKeys, Vault, VaultSecrets, VaultSettings};
use tokio_util::sync::CancellationToken;

use crate::samples::Studio;

/// Longest wait for anything; a busy machine must not fail a test.
const DEADLINE: Duration = Duration::from_secs(240);

/// The RabbitMQ of this test program; it ends with it.
fn broker() -> &'static (BrokerEndpoint, String) {
    static BROKER: OnceLock<(BrokerEndpoint, String)> = OnceLock::new();
    static ALIVE: Mutex<Vec<(kinora_devstack::Child, tempfile::TempDir)>> = Mutex::new(Vec::new());
    BROKER.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let secrets = SecretBook::open(&directory.path().join("secrets")).unwrap();
        let mut ports = PortBook::open(directory.path());
        let (port, node_port) = (ports.assign("amqp").unwrap(), ports.assign("node").unwrap());
        let broker = Broker::prepare(&directory.path().join("broker"), &secrets, port, node_port).unwrap();
        let child = kinora_devstack::Child::launch(&broker.launch(&directory.path().join("log"))).unwrap();
        child.wait_ready(DEADLINE).unwrap();
        let endpoint = broker.endpoint().clone();
        let password = std::fs::read_to_string(&endpoint.password_file).unwrap();
        ALIVE.lock().unwrap().push((child, directory));
        (endpoint, password)
    })
}

/// A vault, a scratch directory, queues of its own, and the backend's side of the broker.
struct Stage {
    studio: Studio,
    vault: Vault,
    bus: Bus,
    reports: Consumer<StepReport>,
    progress: Consumer<StepReport>,
    stop: CancellationToken,
}

impl Stage {
    async fn new() -> Self {
        let studio = Studio::new();
        let (endpoint, password) = tokio::task::spawn_blocking(broker).await.unwrap();
        let key = base64::prelude::BASE64_STANDARD.encode([7; 32]);
        let directory = |name: &str| {
            let path = studio.directory.path().join(name);
            std::fs::create_dir(&path).unwrap();
            path
        };
        let credentials = directory("credentials");
        std::fs::write(credentials.join("vault-master-key"), &key).unwrap();
        std::fs::write(credentials.join("broker-password"), password).unwrap();
        let vault_settings = VaultSettings { directory: directory("vault"), s3: None };
        let secrets = VaultSecrets::new(MasterKeys::parse(&key).unwrap());
        let vault = Vault::open(&vault_settings, secrets).unwrap();
        let broker = BrokerSettings {
            hosts: vec![format!("127.0.0.1:{}", endpoint.port)],
            virtual_host: endpoint.vhost.clone(),
            user: endpoint.user.clone(),
            tls: false,
            tls_authorities: None,
            prefix: format!("worker-{}", StepId::new()),
        };
        let text = format!(
            "metrics_listen = \"127.0.0.1:0\"\nscratch_path = \"{}\"\nshutdown_grace = \"1ms\"\nlog = \"debug\"\n\
             [broker]\nhosts = [\"{}\"]\nvirtual_host = \"{}\"\nuser = \"{}\"\nprefix = \"{}\"\n\
             [vault]\ndirectory = \"{}\"\n",
            directory("scratch").display(),
            broker.hosts[0],
            broker.virtual_host,
            broker.user,
            broker.prefix,
            vault_settings.directory.display(),
        );
        std::fs::write(studio.directory.path().join("worker.toml"), text).unwrap();
        let bus = Bus::start(&broker, password, "test").unwrap();
        bus.connected().await;
        let stop = CancellationToken::new();
        let (mut reports, mut progress) = (bus.reports(50, stop.clone()), bus.progress(50, stop.clone()));
        reports.subscribed().await;
        progress.subscribed().await;
        Self { studio, vault, bus, reports, progress, stop }
    }

    fn worker(&self) -> Worker {
        let directory = self.studio.directory.path();
        let log = std::fs::File::options().create(true).append(true).open(directory.join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_kinora-worker"))
            .args(["--settings".as_ref(), directory.join("worker.toml").as_os_str()])
            .env("CREDENTIALS_DIRECTORY", directory.join("credentials"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Worker { child, log: directory.join("log") }
    }

    fn order(&self, input: StepInput) -> StepOrder {
        StepOrder {
            run_id: RunId::new(),
            step_id: StepId::new(),
            attempt: 1,
            production_id: ProductionId::new(),
            input,
        }
    }

    async fn send(&self, order: &StepOrder) {
        let class = order.input.kind().queue_class().unwrap();
        self.bus.publish_order(class, order).await.unwrap();
    }

    /// The next report that satisfies `is_meant`; those before it are taken, too.
    async fn report(&mut self, is_meant: impl Fn(&StepEvent) -> bool) -> StepReport {
        let wait = async {
            loop {
                let delivery = self.reports.next().await.unwrap();
                delivery.acknowledge().await.unwrap();
                if is_meant(&delivery.body.event) {
                    return delivery.body;
                }
            }
        };
        let log = self.studio.directory.path().join("log");
        let said = || std::fs::read_to_string(log).unwrap_or_default();
        tokio::time::timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("no such report\n{}", said()))
    }

    /// Waits for progress that has got somewhere.
    async fn progress(&mut self) {
        let wait = async {
            loop {
                let delivery = self.progress.next().await.unwrap();
                delivery.acknowledge().await.unwrap();
                if let StepEvent::Progress(word) = &delivery.body.event
                    && word.fraction.is_some_and(|fraction| fraction > 0.0)
                {
                    return *word;
                }
            }
        };
        let log = self.studio.directory.path().join("log");
        let said = || std::fs::read_to_string(log).unwrap_or_default();
        let word =
            tokio::time::timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("no progress\n{}", said()));
        assert!(word.speed.is_some() && word.remaining_seconds.is_some(), "{word:?}");
    }

    /// Does an order and gives what comes of it.
    async fn perform(&mut self, input: StepInput) -> StepEvent {
        let order = self.order(input);
        self.send(&order).await;
        self.report(StepEvent::is_final).await.event
    }

    /// A film that takes long to render and was quick to make, and what the probe says about it.
    async fn long_film(&self) -> (SealedObject, Technical) {
        self.film(150).await
    }

    /// A film of two seconds and so many times two more.
    async fn film(&self, times: u32) -> (SealedObject, Technical) {
        let short = self.studio.make(
            "short.mp4",
            "-f lavfi -i testsrc2=s=1280x720:r=50:d=2 -c:v libx264 -preset ultrafast -crf 40 -pix_fmt yuv420p",
        );
        let film =
            self.studio.make("film.mp4", &format!("-stream_loop {times} -i {} -c copy", short.display()));
        let technical = self.studio.probe(&film).await.unwrap();
        (self.vault.put_file(&film).await.unwrap(), technical)
    }

    fn scratch_content(&self) -> Vec<PathBuf> {
        let root = self.studio.directory.path().join("scratch");
        let processes = std::fs::read_dir(root).unwrap().flatten().map(|entry| entry.path());
        let jobs = processes
            .filter(|path| path.is_dir())
            .flat_map(|path| std::fs::read_dir(path).unwrap().flatten());
        jobs.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

struct Worker {
    child: Child,
    log: PathBuf,
}

impl Worker {
    /// All processes below this one.
    fn descendants(&self) -> HashSet<u32> {
        let mut found = HashSet::from([self.child.id()]);
        let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|entry| {
                let id = entry.file_name().to_str()?.parse().ok()?;
                let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
                let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
                let is_dead = matches!(fields.next()?, "Z" | "X");
                let parent = fields.next()?.parse().ok()?;
                (!is_dead).then_some((id, parent))
            })
            .collect();
        loop {
            let before = found.len();
            found.extend(
                parents
                    .iter()
                    .filter(|(_, parent)| found.contains(parent))
                    .map(|(id, _)| *id)
                    .collect::<Vec<_>>(),
            );
            if found.len() == before {
                found.remove(&self.child.id());
                return found;
            }
        }
    }

    fn has_said(&self, text: &str) -> bool {
        std::fs::read_to_string(&self.log).unwrap().contains(text)
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }

    async fn end(&mut self) -> std::process::ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "{}", std::fs::read_to_string(&self.log).unwrap());
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::task::yield_now().await;
    }
}

fn is_running(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    !matches!(stat.rsplit(") ").next().and_then(|rest| rest.chars().next()), None | Some('Z' | 'X'))
}

fn render_input(original: &SealedObject, technical: &Technical) -> StepInput {
    StepInput::Render { original: original.clone(), technical: technical.clone() }
}

fn is_started(event: &StepEvent) -> bool {
    matches!(event, StepEvent::Started)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_original_is_probed_settled_and_rendered() {
    let mut stage = Stage::new().await;
    let _worker = stage.worker();
    let film = stage.studio.make(
        "a.mov",
        "-f lavfi -i testsrc2=s=1280x720:r=25:d=4 -f lavfi -i sine=d=4 -c:v prores_ks -c:a pcm_s24le \
         -timecode 10:00:00:00",
    );
    let original = stage.vault.put_file(&film).await.unwrap();
    let probe = StepInput::Probe { original: original.clone(), file_name: "../../a\nb.mov".into() };
    let StepEvent::Done { output: StepOutput::Probe { technical, raw_probe } } = stage.perform(probe).await
    else {
        panic!("no probe");
    };
    assert_eq!(technical.start_timecode.unwrap().to_string(), "10:00:00:00");
    let raw = stage.vault.reader(&raw_probe).unwrap().read_at(0, 1 << 20).await.unwrap();
    let raw: serde_json::Value = serde_json::from_slice(&raw).unwrap();
    assert_eq!(raw["streams"][0]["codec_name"], "prores");
    let settled = stage.perform(StepInput::Settle { original: original.clone() }).await;
    assert_eq!(settled, StepEvent::Done { output: StepOutput::Settle { original: original.clone() } });
    let StepEvent::Done { output: StepOutput::Render { derivatives, analysis, warnings } } =
        stage.perform(render_input(&original, &technical)).await
    else {
        panic!("no proxy");
    };
    assert_eq!((analysis.proxy_frames, warnings), (Some(100), Vec::new()));
    let kinds: Vec<_> = derivatives.iter().map(|derivative| derivative.kind).collect();
    let expected = [
        DerivativeKind::Proxy,
        DerivativeKind::Poster,
        DerivativeKind::Filmstrip,
        DerivativeKind::FilmstripIndex,
        DerivativeKind::Waveform,
    ];
    assert_eq!(kinds, expected);
    let Derivative { object, media_type, .. } = &derivatives[0];
    assert_eq!(media_type, "video/mp4");
    let reader = stage.vault.reader(object).unwrap();
    let proxy = reader.read_at(0, usize::try_from(object.size_bytes).unwrap()).await.unwrap();
    let proxy = stage.studio.write("proxy.mp4", &proxy);
    assert_eq!(stage.studio.probe(&proxy).await.unwrap().video.unwrap().frame_count, Some(100));
    assert_eq!(stage.scratch_content(), Vec::<PathBuf>::new());
    assert!(!is_in_clear(
        stage.studio.directory.path(),
        &std::fs::read(&film).unwrap()[200_000..200_032],
        &film
    ));
}

/// Whether `bytes` stand in any file below `directory` but `film`.
fn is_in_clear(directory: &Path, bytes: &[u8], film: &Path) -> bool {
    std::fs::read_dir(directory).unwrap().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return is_in_clear(&path, bytes, film);
        }
        path != film && std::fs::read(&path).unwrap().windows(bytes.len()).any(|window| window == bytes)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_says_why() {
    let mut stage = Stage::new().await;
    let _worker = stage.worker();
    let code = |event: StepEvent| match event {
        StepEvent::Failed { failure } => failure.code,
        other => panic!("{other:?}"),
    };
    let probe =
        |original: &SealedObject| StepInput::Probe { original: original.clone(), file_name: "a".into() };
    let text = stage.vault.put_bytes(b"no film".to_vec()).await.unwrap();
    assert_eq!(code(stage.perform(probe(&text)).await), FailureCode::NotMedia);
    let empty = stage.vault.put_bytes(Vec::new()).await.unwrap();
    assert_eq!(code(stage.perform(probe(&empty)).await), FailureCode::EmptyFile);
    let film = stage.studio.make("a.mkv", "-f lavfi -i testsrc2=s=1280x720:d=4 -c:v mjpeg -q:v 2");
    let technical = stage.studio.probe(&film).await.unwrap();
    let original = stage.vault.put_file(&film).await.unwrap();
    damage(&stage.studio.directory.path().join("vault"), original.size_bytes);
    assert_eq!(code(stage.perform(render_input(&original, &technical)).await), FailureCode::Corrupt);
    stage.vault.delete(original.id).await.unwrap();
    assert_eq!(code(stage.perform(probe(&original)).await), FailureCode::MissingObject);
    assert_eq!(stage.scratch_content(), Vec::<PathBuf>::new());
}

/// Changes one byte in the middle of the stored segment that is a little larger than `size_bytes`.
fn damage(directory: &Path, size_bytes: u64) {
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            damage(&path, size_bytes);
        } else if entry.metadata().unwrap().len() > size_bytes {
            let mut bytes = std::fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(&path, bytes).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_in_the_middle() {
    let mut stage = Stage::new().await;
    let worker = stage.worker();
    let (original, technical) = stage.long_film().await;
    let order = stage.order(render_input(&original, &technical));
    stage.send(&order).await;
    stage.report(is_started).await;
    stage.progress().await;
    assert!(!worker.descendants().is_empty() && !stage.scratch_content().is_empty());
    let asked = Instant::now();
    stage.bus.publish_control(&Control::Cancel { step_id: order.step_id, attempt: 1 }).await.unwrap();
    let report = stage.report(StepEvent::is_final).await;
    assert_eq!((report.event, report.step_id), (StepEvent::Cancelled, order.step_id));
    eprintln!("cancelled after {:?}", asked.elapsed());
    until("the children are gone", || worker.descendants().is_empty()).await;
    assert_eq!(stage.scratch_content(), Vec::<PathBuf>::new());
    // The order, were it delivered again, is not done again.
    stage.send(&order).await;
    assert_eq!(stage.report(StepEvent::is_final).await.event, StepEvent::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_step_still_has_a_heartbeat_and_can_be_cancelled() {
    let mut stage = Stage::new().await;
    let worker = stage.worker();
    let (original, technical) = stage.long_film().await;
    let order = stage.order(render_input(&original, &technical));
    stage.send(&order).await;
    stage.report(is_started).await;
    stage.progress().await;
    for process in worker.descendants() {
        assert!(Command::new("kill").args(["-STOP", &process.to_string()]).status().unwrap().success());
    }
    // More words than can have been under way when everything stood still.
    let mut last = None;
    for _ in 0..5 {
        let next = tokio::time::timeout(DEADLINE, stage.progress.next()).await.expect("a heartbeat").unwrap();
        next.acknowledge().await.unwrap();
        last = Some(next.body.event);
    }
    assert!(matches!(last, Some(StepEvent::Progress(_))));
    // What is stopped takes no notice of a request either: only a kill ends it.
    let children = worker.descendants();
    for process in &children {
        assert!(Command::new("kill").args(["-TERM", &process.to_string()]).status().unwrap().success());
    }
    assert_eq!(worker.descendants(), children);
    stage.bus.publish_control(&Control::Cancel { step_id: order.step_id, attempt: 1 }).await.unwrap();
    assert_eq!(stage.report(StepEvent::is_final).await.event, StepEvent::Cancelled);
    // First everything is gone, then it is said.
    assert_eq!(stage.scratch_content(), Vec::<PathBuf>::new());
    until("the stopped children are gone", || worker.descendants().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_and_done_by_the_next() {
    let mut stage = Stage::new().await;
    let mut worker = stage.worker();
    let (original, technical) = stage.long_film().await;
    let order = stage.order(render_input(&original, &technical));
    stage.send(&order).await;
    stage.report(is_started).await;
    stage.progress().await;
    let children = worker.descendants();
    assert!(children.len() >= 3, "{children:?}");
    worker.signal("-KILL");
    worker.end().await;
    until("all children die with it", || !children.iter().any(|process| is_running(*process))).await;
    assert!(!stage.scratch_content().is_empty(), "it had no chance to clean up");
    let next = stage.worker();
    stage.report(is_started).await;
    stage.progress().await;
    // Only what the living worker makes is there.
    assert_eq!(stage.scratch_content().len(), 1);
    stage.bus.publish_control(&Control::Cancel { step_id: order.step_id, attempt: 1 }).await.unwrap();
    stage.report(|event| *event == StepEvent::Cancelled).await;
    drop(next);
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_drain_it_finishes_what_it_has_and_takes_nothing_more() {
    let mut stage = Stage::new().await;
    let mut worker = stage.worker();
    let (original, technical) = stage.film(4).await;
    let order = stage.order(render_input(&original, &technical));
    stage.send(&order).await;
    stage.report(is_started).await;
    worker.signal("-USR1");
    until("it has heard", || worker.has_said("what is under way goes on steps=1")).await;
    let other = stage.order(StepInput::Settle { original: original.clone() });
    stage.send(&other).await;
    let report = stage.report(StepEvent::is_final).await;
    assert_eq!((report.step_id, report.attempt), (order.step_id, 1));
    assert!(matches!(report.event, StepEvent::Done { .. }), "{:?}", report.event);
    until("it is drained", || worker.has_said("drained: nothing is under way")).await;
    // Then the next one takes what was left, though the drained one still runs.
    let _next = stage.worker();
    let report = stage.report(StepEvent::is_final).await;
    assert_eq!(report.step_id, other.step_id);
    worker.signal("-TERM");
    assert!(worker.end().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_stop_it_hands_the_order_to_another() {
    let mut stage = Stage::new().await;
    let mut worker = stage.worker();
    let (original, technical) = stage.long_film().await;
    let order = stage.order(render_input(&original, &technical));
    stage.send(&order).await;
    stage.report(is_started).await;
    stage.progress().await;
    let children = worker.descendants();
    worker.signal("-TERM");
    assert!(worker.end().await.success());
    let log = std::fs::read_to_string(&worker.log).unwrap();
    assert!(!log.contains("ERROR") && !log.contains("WARN"), "a normal end is no trouble:\n{log}");
    // They had closed everything before the worker ended; the kernel may still be burying them.
    until("the children are gone", || !children.iter().any(|process| is_running(*process))).await;
    let root = stage.studio.directory.path().join("scratch");
    let left = std::fs::read_dir(root).unwrap().flatten().filter(|entry| entry.path().is_dir()).count();
    assert_eq!(left, 0);
    let _next = stage.worker();
    let report = stage.report(is_started).await;
    assert_eq!((report.step_id, report.attempt), (order.step_id, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_comes_twice_is_done_once() {
    let mut stage = Stage::new().await;
    let _worker = stage.worker();
    let film = stage.studio.make("a.mp4", "-f lavfi -i testsrc2=s=320x180:d=1 -c:v libx264 -pix_fmt yuv420p");
    let original = stage.vault.put_file(&film).await.unwrap();
    let order = stage.order(StepInput::Probe { original, file_name: "a.mp4".into() });
    stage.send(&order).await;
    let first = stage.report(StepEvent::is_final).await;
    stage.send(&order).await;
    let second = stage.report(|_| true).await;
    // Not even a start is reported in between, and the raw probe is the same object.
    assert_eq!(first, second);
}

#[test]
fn check_config_tries_the_sandbox_out() {
    let directory = tempfile::tempdir().unwrap();
    let check = |media: &str| {
        let settings = directory.path().join("worker.toml");
        std::fs::write(&settings, format!("{media}\n[vault]\ndirectory = \"/srv/kinora/vault\"\n")).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_kinora-worker"))
            .args(["check-config".as_ref(), "--settings".as_ref(), settings.as_os_str()])
            .env_remove("CREDENTIALS_DIRECTORY")
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let (code, text) = check("");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("FFmpeg runs confined"), "{text}");
    let (code, text) = check("[media]\nbubblewrap = \"/usr/bin/no-bwrap\"");
    assert_eq!(code, Some(78), "{text}");
    assert!(text.contains("Install the package bubblewrap"), "{text}");
    // A sandbox that cannot be set up, as where user name spaces are forbidden.
    let (code, text) = check("[media]\nbubblewrap = \"/usr/bin/false\"");
    assert_eq!(code, Some(78), "{text}");
    assert!(text.contains("user.max_user_namespaces"), "{text}");
    let (code, text) = check("[media]\nffmpeg = \"/usr/bin/no-ffmpeg\"");
    assert_eq!(code, Some(78), "{text}");
    assert!(text.contains("`ffmpeg`"), "{text}");
    let (code, text) = check("[media]\nffmpg = \"/usr/bin/ffmpeg\"");
    assert_eq!(code, Some(78), "{text}");
    assert!(text.contains("did you mean 'media.ffmpeg'"), "{text}");
}
