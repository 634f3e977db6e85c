//! The render step: one decoding pass over the original makes everything that is played and seen
//! (proxy, poster, filmstrip, waveform) and measures loudness and shot changes on the way.

pub mod filmstrip;
pub mod geometry;
mod picture;
mod sound;
mod watch;
mod waveform;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kinora_core::asset::AssetKind;
use kinora_core::message::Progress;
use kinora_core::step::DerivativeKind;
use kinora_core::technical::{Analysis, Technical, VideoStream};
use kinora_core::{Failure, FailureCode};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::StepError;
use crate::child::{self, Bounds, Tools};
use crate::confinement::Running;
use crate::feed::{self, Source};
use crate::probe;
use filmstrip::Plan;
use geometry::{PROXY_BOX, STILL_BOX};
use sound::Mix;
use watch::Watch;
use waveform::Waveform;

/// How much of the length may be missing before it is said: containers round, and sound and picture
/// seldom end together.
const MISSING_TOLERANCE: Duration = Duration::from_millis(300);

/// A file that was made, in the scratch directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// What it is.
    pub kind: DerivativeKind,
    /// Its media type.
    pub media_type: &'static str,
    /// Where it is.
    pub path: PathBuf,
}

/// What a pass gave.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The files.
    pub made: Vec<Made>,
    /// What was measured.
    pub analysis: Analysis,
    /// What was not right about the file, in the user's words.
    pub warnings: Vec<String>,
}

/// What one pass is to do.
struct Pass<'a> {
    technical: &'a Technical,
    /// Index of the picture stream, its facts, and the layout of its filmstrip.
    picture: Option<(u32, &'a VideoStream, Plan)>,
    mix: Option<Mix>,
    /// When the first picture is shown, on the file's own clock, microseconds.
    delay_us: i64,
}

/// FFmpeg's arguments of a pass that reads a plain file and writes to its working directory: what a
/// person would type for the same outputs. For measuring what everything around it costs.
///
/// # Errors
/// `NotMedia` if there is nothing to decode.
pub fn bare_arguments(
    technical: &Technical,
    has_zscale: bool,
    file: &Path,
) -> Result<Vec<OsString>, StepError> {
    Ok(Pass::plan(technical)?.arguments(has_zscale, vec!["-i".into(), file.into()]))
}

/// Renders `source`, about which the probe found `technical`, into the empty directory `scratch`;
/// `told` is called with each word of progress.
///
/// # Errors
/// `Undecodable` if nothing could be decoded, or what [`child::run_fed`] gives.
pub async fn render<S: Source>(
    tools: &Tools,
    source: Arc<S>,
    technical: &Technical,
    scratch: &Path,
    bounds: &Bounds,
    told: impl Fn(Progress) + Send,
) -> Result<Rendered, StepError> {
    let technical = &*probe::located(tools, &source, technical, bounds).await?;
    let pass = Pass::plan(technical)?;
    let arguments = pass.arguments(tools.has_zscale, fed_input());
    let channels = pass.mix.map_or(1, Mix::waveform_channels);
    let starting = child::start_fed(tools, &tools.ffmpeg, arguments, Some(scratch), source);
    let (mut running, feed) = bounds.within(starting).await?;
    let Running { child, stdout, stderr, .. } = &mut running;
    let work = async {
        let listen = async {
            let mut watch = Watch::new();
            let mut lines = BufReader::new(stderr).split(b'\n');
            while let Some(line) = lines.next_segment().await? {
                if watch.add(&String::from_utf8_lossy(&line)) {
                    told(watch.progress(technical.duration_us, Instant::now()));
                }
            }
            Ok::<_, std::io::Error>(watch)
        };
        let draw = async {
            let mut waveform = Waveform::new(channels);
            let mut buffer = vec![0; 64 * 1024];
            loop {
                match stdout.read(&mut buffer).await? {
                    0 => return Ok((waveform.length_us(), waveform.finish())),
                    length => waveform.add(buffer.get(..length).unwrap_or_default()),
                }
            }
        };
        let (watch, sound) = tokio::try_join!(listen, draw).map_err(StepError::internal)?;
        let status = child.wait().await.map_err(StepError::internal)?;
        if !status.success() {
            let detail = format!("{status}\n{}", watch.complaints.join("\n"));
            return Err(Failure::new(FailureCode::Undecodable).with_detail(detail).into());
        }
        Ok((watch, sound))
    };
    let result = bounds.within(work).await;
    let (watch, (sound_us, waveform)) = child::finish(running, &feed, result).await?;
    pass.collect(scratch, &watch, sound_us, &waveform).await
}

/// The original, as FFmpeg reads it.
fn fed_input() -> Vec<OsString> {
    let mut input = child::input_options();
    input.extend(["-i".into(), feed::address().into()]);
    input
}

impl<'a> Pass<'a> {
    fn plan(technical: &'a Technical) -> Result<Self, StepError> {
        let length = technical.duration_us.map(Duration::from_micros);
        let picture = technical.video.as_ref().and_then(|video| {
            Some((video.index?, video, Plan::new(length, geometry::tile(picture::shown(video)))))
        });
        let mix = if technical.kind == AssetKind::Still { None } else { Mix::choose(&technical.audio) };
        if picture.is_none() && mix.is_none() {
            return Err(Failure::new(FailureCode::NotMedia).into());
        }
        let delay_us = picture.as_ref().and_then(|(_, video, _)| video.start_us).unwrap_or(0);
        Ok(Self { technical, picture, mix, delay_us })
    }

    fn arguments(&self, has_zscale: bool, input: Vec<OsString>) -> Vec<OsString> {
        let mut all: Vec<OsString> = Vec::new();
        let mut add = |text: &str| all.extend(text.split_whitespace().map(OsString::from));
        // Errors in the media never end the pass: what can be read is shown, with a warning.
        add("-hide_banner -nostdin -y -loglevel level+info -nostats -progress pipe:2 -stats_period 0.5");
        add("-max_error_rate 1");
        all.extend(input);
        if let (Some((index, video, _)), AssetKind::Still) = (&self.picture, self.technical.kind) {
            all.push("-filter_complex".into());
            all.push(picture::still_graph(*index, video, has_zscale).into());
            let mut add = |text: &str| all.extend(text.split_whitespace().map(OsString::from));
            add("-map [large] -c:v mjpeg -q:v 2 -frames:v 1 -f image2 -update 1 proxy.jpg");
            add("-map [poster] -c:v mjpeg -q:v 3 -frames:v 1 -f image2 -update 1 poster.jpg");
            return all;
        }
        if let Some((index, video, plan)) = &self.picture {
            all.push("-filter_complex".into());
            all.push(picture::graph(*index, video, plan, has_zscale).into());
        }
        if let Some(mix) = self.mix {
            all.push("-filter_complex".into());
            all.push(mix.graph(self.delay_us).into());
        }
        self.add_outputs(&mut all);
        all
    }

    fn add_outputs(&self, all: &mut Vec<OsString>) {
        let mut add = |text: &str| all.extend(text.split_whitespace().map(OsString::from));
        if let Some((_, video, _)) = &self.picture {
            add("-map [picture]");
            add(&picture::encoder_options(video.frame_rate).join(" "));
        }
        if self.mix.is_some() {
            add("-map [sound] -c:a aac -b:a 160k");
        }
        add("-map_metadata -1 -map_chapters -1 -write_tmcd 0 -movflags +faststart -f mp4 proxy.mp4");
        if self.mix.is_some() {
            add("-map [samples] -c:a pcm_s16le -f s16le pipe:1");
        }
        if self.picture.is_some() {
            for (label, quality, file) in [("[sheet]", "5", "filmstrip.jpg"), ("[poster]", "3", "poster.jpg")]
            {
                add(&format!("-map {label} -c:v mjpeg -q:v {quality} -frames:v 1 -fps_mode:v passthrough"));
                add(&format!("-f image2 -update 1 {file}"));
            }
        }
    }

    /// Gathers what the pass left in `scratch`.
    async fn collect(
        &self,
        scratch: &Path,
        watch: &Watch,
        sound_us: u64,
        waveform: &[u8],
    ) -> Result<Rendered, StepError> {
        let mut made = Vec::new();
        let mut analysis = Analysis::default();
        let add = |made: &mut Vec<Made>, kind, media_type, name: &str| {
            let path = scratch.join(name);
            let is_there = std::fs::metadata(&path).is_ok_and(|file| file.len() > 0);
            if is_there {
                made.push(Made { kind, media_type, path });
                Ok(())
            } else {
                let detail = format!("no {name} came out\n{}", watch.complaints.join("\n"));
                Err(StepError::from(Failure::new(FailureCode::Undecodable).with_detail(detail)))
            }
        };
        let write = async |name: &str, bytes: &[u8]| {
            tokio::fs::write(scratch.join(name), bytes).await.map_err(StepError::internal)
        };
        if self.technical.kind == AssetKind::Still {
            add(&mut made, DerivativeKind::Proxy, "image/jpeg", "proxy.jpg")?;
            add(&mut made, DerivativeKind::Poster, "image/jpeg", "poster.jpg")?;
            if let Some((_, video, _)) = &self.picture {
                let size = geometry::fit(picture::shown(video), STILL_BOX);
                (analysis.proxy_width, analysis.proxy_height) = (Some(size.width), Some(size.height));
            }
            return Ok(Rendered { made, analysis, warnings: self.warnings(watch, None) });
        }
        // FFmpeg's own position counts whole packets of AAC.
        let mut length_us = if self.mix.is_some() { sound_us } else { watch.written_us };
        if let Some((_, video, plan)) = &self.picture {
            if watch.frames == 0 {
                let detail = format!("no picture came out\n{}", watch.complaints.join("\n"));
                return Err(Failure::new(FailureCode::Undecodable).with_detail(detail).into());
            }
            let size = geometry::fit(picture::shown(video), PROXY_BOX);
            let picture_us = video.frame_rate.microseconds_of(watch.frames);
            length_us = length_us.max(picture_us);
            analysis.proxy_frames = Some(watch.frames);
            analysis.proxy_frame_rate = Some(video.frame_rate);
            (analysis.proxy_width, analysis.proxy_height) = (Some(size.width), Some(size.height));
            let shots = read_text(&scratch.join(picture::SHOTS_FILE)).await?;
            analysis.shot_changes = shot_changes(&shots, video, watch.frames);
            let tiles = filmstrip::printed_times(&read_text(&scratch.join(picture::TILES_FILE)).await?);
            write("filmstrip.vtt", plan.index(&tiles, Duration::from_micros(picture_us)).as_bytes()).await?;
        }
        analysis.proxy_duration_us = Some(length_us);
        add(
            &mut made,
            DerivativeKind::Proxy,
            if self.picture.is_some() { "video/mp4" } else { "audio/mp4" },
            "proxy.mp4",
        )?;
        if self.picture.is_some() {
            add(&mut made, DerivativeKind::Poster, "image/jpeg", "poster.jpg")?;
            add(&mut made, DerivativeKind::Filmstrip, "image/jpeg", "filmstrip.jpg")?;
            add(&mut made, DerivativeKind::FilmstripIndex, "text/vtt", "filmstrip.vtt")?;
        }
        if self.mix.is_some() {
            write("waveform.dat", waveform).await?;
            add(&mut made, DerivativeKind::Waveform, "application/octet-stream", "waveform.dat")?;
            analysis.loudness = watch.loudness;
        }
        Ok(Rendered { made, analysis, warnings: self.warnings(watch, Some(length_us)) })
    }

    fn warnings(&self, watch: &Watch, length_us: Option<u64>) -> Vec<String> {
        let mut warnings = Vec::new();
        if let (Some(expected), Some(got)) = (self.technical.duration_us, length_us) {
            let missing = Duration::from_micros(expected.saturating_sub(got));
            if missing > MISSING_TOLERANCE.max(Duration::from_micros(expected / 100)) {
                warnings.push(format!(
                    "The file ends early: {:.1} of {:.1} seconds could be read. It was probably cut off while \
                     it was recorded or copied.",
                    got as f64 / 1e6,
                    expected as f64 / 1e6,
                ));
            }
        }
        if watch.errors > 0 {
            warnings.push(format!(
                "The file is damaged in places: {} while it was decoded. Picture or sound may be faulty there.",
                if watch.errors == 1 { "one error".to_owned() } else { format!("{} errors", watch.errors) },
            ));
        }
        warnings
    }
}

async fn read_text(path: &Path) -> Result<String, StepError> {
    match tokio::fs::read_to_string(path).await {
        Ok(text) => Ok(text),
        // Made only when there is something to print.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(StepError::internal(error)),
    }
}

/// First frames of shots, from what the `metadata` filter printed for them.
fn shot_changes(text: &str, video: &VideoStream, frames: u64) -> Vec<u64> {
    let half_frame = Duration::from_micros(video.frame_rate.microseconds_of(1) / 2);
    let of_time = |time: Duration| {
        let middle = u64::try_from((time + half_frame).as_micros()).unwrap_or(u64::MAX);
        video.frame_rate.frames_in(middle)
    };
    let mut changes: Vec<u64> = filmstrip::printed_times(text).into_iter().map(of_time).collect();
    changes.retain(|frame| (1..frames).contains(frame));
    changes.dedup();
    changes
}

#[cfg(test)]
mod tests {
    use kinora_core::technical::AudioStream;
    use kinora_core::timecode::FrameRate;

    use super::*;

    fn video() -> VideoStream {
        VideoStream {
            index: Some(0),
            start_us: None,
            codec: "H.264".to_owned(),
            codec_id: "h264".to_owned(),
            width: 1920,
            height: 1080,
            display_width: 1920,
            display_height: 1080,
            rotation_degrees: 90,
            pixel_aspect: "1:1".to_owned(),
            frame_rate: FrameRate::new(25, 1).unwrap(),
            variable_frame_rate: false,
            frame_count: None,
            field_order: "top field first".to_owned(),
            pixel_format: "yuv420p".to_owned(),
            bit_depth: Some(8),
            colour_primaries: None,
            colour_transfer: Some("smpte2084".to_owned()),
            colour_matrix: None,
            colour_range: None,
            bit_rate: None,
        }
    }

    fn mono(index: u32) -> AudioStream {
        AudioStream {
            index: Some(index),
            codec: "PCM 24 bit".to_owned(),
            codec_id: "pcm_s24le".to_owned(),
            sample_rate: 48_000,
            channels: 1,
            layout: Some("mono".to_owned()),
            bit_depth: Some(24),
            language: None,
            bit_rate: None,
        }
    }

    #[test]
    fn all_that_is_made_comes_from_one_decoding_pass() {
        let files = [
            (AssetKind::Video, Some(video()), vec![mono(1), mono(2)]),
            (AssetKind::Video, Some(video()), vec![]),
            (AssetKind::Audio, None, vec![mono(0), mono(1)]),
            (AssetKind::Still, Some(video()), vec![]),
        ];
        for (kind, video, audio) in files {
            let technical = Technical {
                kind,
                container: "QuickTime / MOV".to_owned(),
                duration_us: Some(10_000_000),
                bit_rate: None,
                video,
                audio,
                other_streams: 0,
                start_timecode: None,
                reel: None,
                camera: Vec::new(),
                warnings: Vec::new(),
            };
            let arguments = Pass::plan(&technical).unwrap().arguments(true, fed_input());
            let words: Vec<_> = arguments.iter().map(|word| word.to_str().unwrap()).collect();
            assert_eq!(words.iter().filter(|word| **word == "-i").count(), 1, "{words:?}");
            // Nor does a graph open the file once more.
            assert!(words.iter().all(|word| !word.contains("movie=")), "{words:?}");
        }
    }
}
