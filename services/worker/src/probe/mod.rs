//! The probe: finds out what an original is, with ffprobe in confinement, and says it in the shared
//! vocabulary. Whether something is media is decided by decoding a first frame of it, not by what
//! its beginning looks like.

mod camera;
mod extension;
mod names;
mod normalise;
mod rate;
mod report;
mod timecode;

use std::borrow::Cow;
use std::ffi::OsString;
use std::sync::Arc;

use kinora_core::asset::AssetKind;
use kinora_core::technical::Technical;
use kinora_core::{Failure, FailureCode};

use crate::StepError;
use crate::child::{self, Bounds, Outcome, Tools};
use crate::feed::{self, Source};
use report::{Report, Stream};

/// Longest ffprobe report that is read, bytes.
const MAX_REPORT_BYTES: u64 = 16 << 20;

/// Lowest score of ffprobe's guess that is believed. Random bytes come out as MP3 with a score of 1.
const MIN_PROBE_SCORE: u32 = 12;

/// Packets, of all streams together, whose frames are looked at along with the streams.
const PACKETS_FOR_LOOK: &str = "%+#8";

/// Packets looked at to tell whether frames last equally long.
const PACKETS_FOR_RATE: u32 = 600;

/// What the probe found.
#[derive(Debug)]
pub struct Probed {
    /// The normalised facts.
    pub technical: Technical,
    /// ffprobe's own words, JSON.
    pub raw: Vec<u8>,
    /// ffprobe's names of the container.
    format_name: String,
}

impl Probed {
    /// The same of a file that came under this name, with a warning if that is the name of something else.
    #[must_use]
    pub fn named(mut self, file_name: &str) -> Self {
        let warning = extension::warning(file_name, &self.format_name, &self.technical.container);
        self.technical.warnings.extend(warning);
        self
    }
}

/// Probes `source`.
///
/// # Errors
/// `EmptyFile`, `NotMedia`, `Truncated`, `Undecodable`, or what [`child::run_fed`] gives.
pub async fn probe<S: Source>(tools: &Tools, source: Arc<S>, bounds: &Bounds) -> Result<Probed, StepError> {
    if source.size_bytes() == 0 {
        return Err(Failure::new(FailureCode::EmptyFile).into());
    }
    let (report, raw) = look(tools, &source, bounds).await?;
    let picture = report.streams.iter().find(|stream| stream.is_picture());
    let sound = report.streams.iter().find(|stream| stream.is_sound());
    let Some(main) = picture.or(sound) else {
        return Err(not_media(&format!("{}: no picture or sound in it", report.format.format_name)).into());
    };
    if report.format.probe_score < MIN_PROBE_SCORE {
        let detail = format!("{} (score {})", report.format.format_name, report.format.probe_score);
        return Err(not_media(&detail).into());
    }
    let seen: Vec<_> = report.frames.iter().filter(|frame| frame.stream_index == main.index).collect();
    let first = if seen.len() >= enough_frames(main) {
        seen.into_iter().cloned().collect()
    } else {
        first_frames(tools, Arc::clone(&source), main, bounds).await?
    };
    let packets = if picture.is_some_and(|stream| rate::is_doubtful(stream, &report.format)) {
        packet_times(tools, Arc::clone(&source), main, bounds).await?
    } else {
        Vec::new()
    };
    let technical = normalise::technical(&report, &first, &packets, source.size_bytes());
    if technical.kind == AssetKind::Unknown {
        return Err(not_media(&report.format.format_name).into());
    }
    Ok(Probed { technical, raw, format_name: report.format.format_name })
}

/// Runs ffprobe for container, streams and the frames of the first few packets: one start of a program
/// that takes longer to load than to look at a file.
async fn look<S: Source>(
    tools: &Tools,
    source: &Arc<S>,
    bounds: &Bounds,
) -> Result<(Report, Vec<u8>), StepError> {
    let arguments = ["-show_format", "-show_streams", "-show_frames", "-read_intervals", PACKETS_FOR_LOOK];
    let outcome = run(tools, Arc::clone(source), &arguments, bounds).await?;
    if outcome.status.success() {
        return Ok((parse(&outcome.output)?, outcome.output));
    }
    // After an error in the packets ffprobe says nothing about container and streams.
    inspect(tools, Arc::clone(source), bounds).await
}

/// How many frames of `stream` are enough to judge by: whether a picture is interlaced does not always
/// show in the first one.
fn enough_frames(stream: &Stream) -> usize {
    if stream.is_picture() { 2 } else { 1 }
}

/// Runs ffprobe for container and streams, and nothing else.
///
/// # Errors
/// `NotMedia`, `Truncated`, or what [`child::run_fed`] gives.
async fn inspect<S: Source>(
    tools: &Tools,
    source: Arc<S>,
    bounds: &Bounds,
) -> Result<(Report, Vec<u8>), StepError> {
    let outcome = run(tools, source, &["-show_format", "-show_streams"], bounds).await?;
    if !outcome.status.success() {
        return Err(refusal(&outcome).into());
    }
    let report = parse(&outcome.output)?;
    Ok((report, outcome.output))
}

/// `technical`, the probe's findings about `source`, with the places of its streams: as it is, unless an
/// earlier release has found it, which did not note them.
///
/// # Errors
/// As those of [`inspect`].
pub async fn located<'a, S: Source>(
    tools: &Tools,
    source: &Arc<S>,
    technical: &'a Technical,
    bounds: &Bounds,
) -> Result<Cow<'a, Technical>, StepError> {
    if technical.is_located() {
        return Ok(Cow::Borrowed(technical));
    }
    let (report, _) = inspect(tools, Arc::clone(source), bounds).await?;
    Ok(Cow::Owned(normalise::locate(technical, &report)))
}

/// Decodes the first frames of `stream`: proof that it is what it seems, and the facts that stand
/// only in the frames.
async fn first_frames<S: Source>(
    tools: &Tools,
    source: Arc<S>,
    stream: &Stream,
    bounds: &Bounds,
) -> Result<Vec<report::Frame>, StepError> {
    let count = if stream.is_picture() { "%+#2" } else { "%+#8" };
    let index = stream.index.to_string();
    let arguments = ["-select_streams", &index, "-read_intervals", count, "-show_frames"];
    let outcome = run(tools, source, &arguments, bounds).await?;
    let frames = if outcome.status.success() { parse(&outcome.output)?.frames } else { Vec::new() };
    if frames.is_empty() {
        return Err(Failure::new(FailureCode::Undecodable).with_detail(outcome.complaint).into());
    }
    Ok(frames)
}

/// Presentation times of the first packets of `stream`, seconds.
async fn packet_times<S: Source>(
    tools: &Tools,
    source: Arc<S>,
    stream: &Stream,
    bounds: &Bounds,
) -> Result<Vec<f64>, StepError> {
    let index = stream.index.to_string();
    let count = format!("%+#{PACKETS_FOR_RATE}");
    let arguments =
        ["-select_streams", &index, "-read_intervals", &count, "-show_entries", "packet=pts_time"];
    let outcome = run(tools, source, &arguments, bounds).await?;
    let packets = parse(&outcome.output)?.packets;
    Ok(packets.iter().filter_map(|packet| packet.pts_time.as_deref()?.parse().ok()).collect())
}

async fn run<S: Source>(
    tools: &Tools,
    source: Arc<S>,
    what: &[&str],
    bounds: &Bounds,
) -> Result<Outcome, StepError> {
    let mut arguments: Vec<OsString> =
        ["-v", "error", "-hide_banner", "-of", "json"].map(OsString::from).into();
    arguments.extend(what.iter().map(OsString::from));
    arguments.extend(child::input_options());
    arguments.push("-i".into());
    arguments.push(feed::address().into());
    child::run_fed(tools, &tools.ffprobe, arguments, source, MAX_REPORT_BYTES, bounds).await
}

fn parse(output: &[u8]) -> Result<Report, StepError> {
    serde_json::from_slice(output)
        .map_err(|error| StepError::internal(format!("ffprobe's report cannot be read: {error}")))
}

fn not_media(detail: &str) -> Failure {
    Failure::new(FailureCode::NotMedia).with_detail(detail)
}

/// Why ffprobe did not want the file.
fn refusal(outcome: &Outcome) -> Failure {
    let complaint = outcome.complaint.trim();
    if complaint.contains("moov atom not found") {
        return Failure::new(FailureCode::Truncated).with_detail(complaint);
    }
    if outcome.status.code() == Some(i32::from(crate::confinement::launch::EXIT_UNPREPARED)) {
        return Failure::new(FailureCode::Internal).with_detail(complaint);
    }
    not_media(complaint)
}
