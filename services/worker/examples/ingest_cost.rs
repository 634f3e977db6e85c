//! What an ingest costs besides the decoding and encoding itself: CPU time of probe, feed from the
//! vault, sandbox, rendering, waveform and sealing into the vault, against one bare FFmpeg command
//! that makes the same outputs from a plain file. The goal is 1.05.
//!
//! `cargo run -p kinora-worker --example ingest_cost -- FILE [ROUNDS]`; `kinora-worker` must have been built
//! with the same profile. Prints a line for each round and the medians as JSON.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use kinora_core::object::SealedObject;
use kinora_core::step::{StepInput, StepOutput};
use kinora_vault::{MasterKeys, Vault, VaultSecrets, VaultSettings};
use kinora_worker::child::{self, Bounds, Tools};
use kinora_worker::confinement::bubblewrap::Bubblewrap;
use kinora_worker::confinement::{Confinement, Limits};
use kinora_worker::scratch::Scratch;
use kinora_worker::settings::MediaSettings;
use kinora_worker::steps::Workshop;
use kinora_worker::{feed, probe, render};
use rustix::io::Errno;
use rustix::process::WaitOptions;
use tokio_util::sync::CancellationToken;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// Thirty-two bytes in Base64, for objects that live as long as this program.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// CPU time of this process, and of all its descendants that have ended, seconds.
///
/// bubblewrap's outer process does not wait for its inner one, whose time (with FFmpeg's) would be
/// lost: it falls to this process, which must wait for it.
fn cpu_seconds_apart() -> Fallible<(f64, f64)> {
    while !matches!(rustix::process::wait(WaitOptions::empty()), Err(Errno::CHILD)) {}
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // Fields 14 to 17 of proc(5): user and system time of the process and of its children.
    let fields = stat.rsplit_once(") ").ok_or("no fields")?.1.split(' ').skip(11).take(4);
    let ticks: Vec<u64> = fields.map(str::parse::<u64>).collect::<Result<_, _>>()?;
    let [user, system, children_user, children_system] = ticks[..] else { return Err("no times".into()) };
    // sysconf(_SC_CLK_TCK) is 100 on every Linux that Rust runs on.
    Ok(((user + system) as f64 / 100.0, (children_user + children_system) as f64 / 100.0))
}

/// The sum of [`cpu_seconds_apart`].
fn cpu_seconds() -> Fallible<f64> {
    cpu_seconds_apart().map(|(own, children)| own + children)
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

async fn workshop(directory: &Path) -> Fallible<Workshop> {
    let launcher = std::env::current_exe()?.with_file_name("../kinora-worker").canonicalize()?;
    let tools = Tools {
        confinement: Confinement::Bubblewrap(Bubblewrap::new(
            "/usr/bin/bwrap".into(),
            launcher,
            Limits::default(),
        )?),
        ffmpeg: "/usr/bin/ffmpeg".into(),
        ffprobe: "/usr/bin/ffprobe".into(),
        has_zscale: true,
    };
    let settings = VaultSettings { directory: directory.join("vault"), s3: None };
    std::fs::create_dir(&settings.directory)?;
    let vault = Vault::open(&settings, VaultSecrets::new(MasterKeys::parse(KEY)?))?;
    let media: MediaSettings = serde_json::from_value(serde_json::json!({
        "ffmpeg": "/usr/bin/ffmpeg", "ffprobe": "/usr/bin/ffprobe", "bubblewrap": "/usr/bin/bwrap",
        "confinement": "bubblewrap", "socket": "/nonexistent",
        "memory_limit": "12 GiB", "file_limit": "64 GiB", "time_limit": "10h", "time_limit_factor": 0.0,
    }))?;
    Ok(Workshop { tools, vault, scratch: Scratch::open(&directory.join("scratch"))?, media })
}

/// CPU seconds per gigabyte of reading and demultiplexing without decoding: the plain file, and the
/// vault through sandbox and feed.
async fn reading(
    workshop: &Workshop,
    original: &SealedObject,
    file: &Path,
    bounds: &Bounds,
) -> Fallible<serde_json::Value> {
    let options = |input: std::ffi::OsString| -> Vec<std::ffi::OsString> {
        let words = ["-v", "error", "-nostdin", "-i", "", "-map", "0", "-c", "copy", "-f", "null", "-"];
        words.map(|word| if word.is_empty() { input.clone() } else { word.into() }).into()
    };
    let before = cpu_seconds()?;
    Command::new("/usr/bin/ffmpeg").args(options(file.into())).stdin(Stdio::null()).status()?;
    let between = cpu_seconds()?;
    let source = Arc::new(workshop.vault.reader(original)?);
    let arguments = options(feed::address().into());
    child::run_fed(&workshop.tools, &workshop.tools.ffmpeg, arguments, source, 1 << 20, bounds).await?;
    let after = cpu_seconds()?;
    let gigabytes = original.size_bytes as f64 / 1e9;
    Ok(serde_json::json!({
        "file_cpu_s_per_gb": (between - before) / gigabytes,
        "feed_cpu_s_per_gb": (after - between) / gigabytes,
    }))
}

#[tokio::main]
async fn main() -> Fallible<()> {
    let mut arguments = std::env::args_os().skip(1);
    let file = arguments.next().ok_or("which file?")?;
    let file = std::fs::canonicalize(file)?;
    let rounds: usize = arguments.next().and_then(|text| text.to_str()?.parse().ok()).unwrap_or(3);
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let directory = tempfile::tempdir()?;
    let workshop = workshop(directory.path()).await?;
    let original = workshop.vault.put_file(&file).await?;
    let source = Arc::new(workshop.vault.reader(&original)?);
    let bounds = Bounds { cancel: CancellationToken::new(), time_limit: Duration::MAX };
    let technical = probe::probe(&workshop.tools, source, &bounds).await?.technical;
    let bare = directory.path().join("bare");
    std::fs::create_dir(&bare)?;
    let command = render::bare_arguments(&technical, true, &file)?;
    println!("reading alone: {}", reading(&workshop, &original, &file, &bounds).await?);
    let (mut of_bare, mut of_ingest) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        let before = cpu_seconds()?;
        let status = Command::new("/usr/bin/ffmpeg")
            .args(&command)
            .current_dir(&bare)
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(bare.join("samples"))?)
            .stderr(Stdio::null())
            .status()?;
        if !status.success() {
            return Err("the bare command has failed".into());
        }
        let (own_before, children_before) = cpu_seconds_apart()?;
        let between = own_before + children_before;
        let cancel = CancellationToken::new();
        let input = StepInput::Probe { original: original.clone(), file_name: String::new() };
        let StepOutput::Probe { technical, .. } = workshop.perform(&input, &cancel, |_| ()).await? else {
            return Err("no probe".into());
        };
        let input = StepInput::Render { original: original.clone(), technical };
        workshop.perform(&input, &cancel, |_| ()).await?;
        let (own, children) = cpu_seconds_apart()?;
        let (one, other) = (between - before, own + children - between);
        println!(
            "round {round}: bare {one:.2} s, ingest {other:.2} s (worker {:.2}, children {:.2}), ratio {:.3}",
            own - own_before,
            children - children_before,
            other / one,
        );
        of_bare.push(one);
        of_ingest.push(other);
    }
    let (bare, ingest) = (median(&of_bare), median(&of_ingest));
    println!("{}", serde_json::json!({ "bare_cpu_s": bare, "ingest_cpu_s": ingest, "ratio": ingest / bare }));
    Ok(())
}
