//! Generates the samples and runs probe and render on them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use kinora_core::step::DerivativeKind;
use kinora_core::technical::Technical;
use kinora_worker::StepError;
use kinora_worker::child::{Bounds, Tools};
use kinora_worker::confinement::bubblewrap::Bubblewrap;
use kinora_worker::confinement::{Confinement, Limits};
use kinora_worker::feed::FileSource;
use kinora_worker::probe::probe;
use kinora_worker::render::{Rendered, render};
use serde_json::Value;

/// A place for one test's files.
pub struct Studio {
    pub directory: tempfile::TempDir,
    pub tools: Tools,
    pub bounds: Bounds,
}

impl Studio {
    pub fn new() -> Self {
        let bubblewrap = Bubblewrap::new(
            "/usr/bin/bwrap".into(),
            env!("CARGO_BIN_EXE_kinora-worker").into(),
            Limits::default(),
        );
        let confinement = Confinement::Bubblewrap(bubblewrap.unwrap());
        let tools = Tools {
            confinement,
            ffmpeg: "/usr/bin/ffmpeg".into(),
            ffprobe: "/usr/bin/ffprobe".into(),
            has_zscale: true,
        };
        let bounds = Bounds { cancel: Default::default(), time_limit: Duration::from_secs(300) };
        Self { directory: tempfile::tempdir().unwrap(), tools, bounds }
    }

    /// Makes a file with FFmpeg from `arguments` (words).
    pub fn make(&self, name: &str, arguments: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        let mut command = Command::new("ffmpeg");
        command.args(["-hide_banner", "-v", "error", "-nostdin", "-y"]).args(words(arguments)).arg(&path);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        path
    }

    /// Makes a file with these bytes.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Makes a copy of the first `part` of a file.
    pub fn cut(&self, original: &Path, part: f64) -> PathBuf {
        let bytes = std::fs::read(original).unwrap();
        let length = (bytes.len() as f64 * part) as usize;
        let name = format!("cut-{}", original.file_name().unwrap().to_string_lossy());
        self.write(&name, &bytes[..length])
    }

    pub async fn probe(&self, path: &Path) -> Result<Technical, StepError> {
        let source = Arc::new(FileSource::open(path).unwrap());
        probe(&self.tools, source, &self.bounds).await.map(|probed| probed.technical)
    }

    pub async fn render(&self, path: &Path, technical: &Technical) -> Result<Output, StepError> {
        let scratch = tempfile::tempdir_in(self.directory.path()).unwrap();
        let source = Arc::new(FileSource::open(path).unwrap());
        let rendered = render(&self.tools, source, technical, scratch.path(), &self.bounds, |_| {}).await?;
        Ok(Output { scratch, rendered })
    }

    /// Both, which must succeed.
    pub async fn ingest(&self, path: &Path) -> (Technical, Output) {
        let technical = self.probe(path).await.unwrap();
        let output = self.render(path, &technical).await.unwrap();
        (technical, output)
    }
}

/// Words, as a shell would cut them; only single quotes are known.
pub fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let (mut is_quoted, mut is_inside) = (false, false);
    for character in text.chars() {
        if character == '\'' {
            is_quoted = !is_quoted;
        } else if character.is_whitespace() && !is_quoted {
            is_inside = false;
        } else {
            if !is_inside {
                words.push(String::new());
                is_inside = true;
            }
            words.last_mut().unwrap().push(character);
        }
    }
    words
}

pub struct Output {
    #[allow(dead_code)]
    pub scratch: tempfile::TempDir,
    pub rendered: Rendered,
}

/// What ffprobe says about a proxy's picture.
#[derive(Debug, PartialEq, Eq)]
pub struct Picture {
    pub width: u64,
    pub height: u64,
    pub frames: u64,
    pub rate: String,
}

impl Output {
    pub fn path(&self, kind: DerivativeKind) -> &Path {
        &self.rendered.made.iter().find(|made| made.kind == kind).unwrap_or_else(|| panic!("{kind:?}")).path
    }

    pub fn kinds(&self) -> Vec<DerivativeKind> {
        self.rendered.made.iter().map(|made| made.kind).collect()
    }

    /// Checks everything that is promised of every moving proxy, and gives its raster and frames.
    pub fn check_picture(&self) -> Picture {
        let path = self.path(DerivativeKind::Proxy);
        assert_fast_start(path);
        let report = ffprobe(
            path,
            "-select_streams v -show_streams -show_frames -show_entries \
            stream:frame=key_frame,pict_type,best_effort_timestamp_time,pkt_pts_time,interlaced_frame",
        );
        let streams = report["streams"].as_array().unwrap();
        assert_eq!(streams.len(), 1);
        let stream = &streams[0];
        assert_eq!(stream["codec_name"], "h264");
        assert_eq!(stream["profile"], "High");
        assert_eq!(stream["pix_fmt"], "yuv420p");
        assert_eq!(stream["sample_aspect_ratio"].as_str().unwrap_or("1:1"), "1:1");
        assert_eq!(stream["field_order"], "progressive");
        for (key, value) in
            [("color_space", "bt709"), ("color_transfer", "bt709"), ("color_primaries", "bt709")]
        {
            assert_eq!(stream[key], value, "{key}");
        }
        assert_eq!(stream["color_range"], "tv");
        assert!(stream["side_data_list"].is_null(), "a rotation is left: {stream}");
        let rate = stream["r_frame_rate"].as_str().unwrap().to_owned();
        assert_eq!(stream["avg_frame_rate"].as_str().unwrap(), rate, "not constant");
        let frames = report["frames"].as_array().unwrap();
        let (n, d) = rate.split_once('/').unwrap();
        let per_second = n.parse::<f64>().unwrap() / d.parse::<f64>().unwrap();
        let mut since_key = u64::MAX;
        for (number, frame) in frames.iter().enumerate() {
            let time: f64 = frame["best_effort_timestamp_time"].as_str().unwrap().parse().unwrap();
            assert!((time - number as f64 / per_second).abs() < 0.002, "frame {number} at {time}: {rate}");
            since_key = if frame["key_frame"] == 1 {
                0
            } else {
                since_key.checked_add(1).expect("a key frame first")
            };
            assert!((since_key as f64) < per_second.max(1.0), "a group of pictures is over a second long");
        }
        assert_closed_groups(path);
        let size = |key: &str| stream[key].as_u64().unwrap();
        let analysis = &self.rendered.analysis;
        assert_eq!(analysis.proxy_frames, Some(frames.len() as u64));
        assert_eq!(analysis.proxy_width.map(u64::from), Some(size("width")));
        assert_eq!(analysis.proxy_height.map(u64::from), Some(size("height")));
        self.check_stills();
        Picture { width: size("width"), height: size("height"), frames: frames.len() as u64, rate }
    }

    /// The poster is a picture, and each tile of the filmstrip's index lies inside its sheet.
    fn check_stills(&self) {
        let poster = ffprobe(self.path(DerivativeKind::Poster), "-show_streams");
        assert_eq!(poster["streams"][0]["codec_name"], "mjpeg");
        let sheet = ffprobe(self.path(DerivativeKind::Filmstrip), "-show_streams");
        let size = |key: &str| sheet["streams"][0][key].as_u64().unwrap();
        let index = std::fs::read_to_string(self.path(DerivativeKind::FilmstripIndex)).unwrap();
        assert!(index.starts_with("WEBVTT\n\n"));
        let tiles: Vec<Vec<u64>> = index
            .lines()
            .filter_map(|line| line.strip_prefix("filmstrip#xywh="))
            .map(|place| place.split(',').map(|number| number.parse().unwrap()).collect())
            .collect();
        assert!(!tiles.is_empty() && tiles.len() <= 120, "{index}");
        for tile in &tiles {
            assert!(tile[0] + tile[2] <= size("width") && tile[1] + tile[3] <= size("height"), "{tile:?}");
            assert_eq!(tile[3], 90);
        }
    }

    /// The proxy's sound: AAC, stereo, 48 kHz.
    pub fn check_sound(&self) {
        let path = self.path(DerivativeKind::Proxy);
        assert_fast_start(path);
        let report = ffprobe(path, "-select_streams a -show_streams");
        let streams = report["streams"].as_array().unwrap();
        assert_eq!(streams.len(), 1);
        assert_eq!(streams[0]["codec_name"], "aac");
        assert_eq!(streams[0]["channels"], 2);
        assert_eq!(streams[0]["sample_rate"], "48000");
        assert!(self.kinds().contains(&DerivativeKind::Waveform));
    }

    /// The waveform's header: version, flags, rate, samples per point, points, channels.
    pub fn waveform(&self) -> Vec<u32> {
        let bytes = std::fs::read(self.path(DerivativeKind::Waveform)).unwrap();
        let header: Vec<u32> =
            bytes[..24].chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect();
        assert_eq!(bytes.len() as u32, 24 + header[4] * header[5] * 2);
        header
    }

    pub fn has_no_sound(&self) {
        let report = ffprobe(self.path(DerivativeKind::Proxy), "-select_streams a -show_streams");
        assert_eq!(report["streams"].as_array().unwrap().len(), 0);
        assert!(!self.kinds().contains(&DerivativeKind::Waveform));
        assert_eq!(self.rendered.analysis.loudness, None);
    }
}

pub fn ffprobe(path: &Path, arguments: &str) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json"])
        .args(words(arguments))
        .arg(path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// In an MP4 that starts at once, `moov` stands before `mdat`.
fn assert_fast_start(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    let mut names = Vec::new();
    let mut at = 0;
    while at + 8 <= bytes.len() {
        let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        names.push(String::from_utf8_lossy(&bytes[at + 4..at + 8]).into_owned());
        at += match size {
            0 => break,
            1 => u64::from_be_bytes(bytes[at + 8..at + 16].try_into().unwrap()) as usize,
            size => size,
        };
    }
    let place =
        |name: &str| names.iter().position(|other| other == name).unwrap_or_else(|| panic!("{names:?}"));
    assert!(place("moov") < place("mdat"), "{names:?}");
}

/// In closed groups each key frame is an IDR picture (NAL unit type 5), and no picture is shown
/// before the key frame that it comes after in the file.
fn assert_closed_groups(path: &Path) {
    let report = ffprobe(path, "-select_streams v -show_packets -show_entries packet=pts,flags");
    let packets = report["packets"].as_array().unwrap();
    let mut key = i64::MIN;
    let mut keys = 0;
    for packet in packets {
        let shown = packet["pts"].as_i64().unwrap();
        if packet["flags"].as_str().unwrap().contains('K') {
            key = shown;
            keys += 1;
        }
        assert!(shown >= key, "a picture at {shown} belongs before the key frame at {key}");
    }
    let trace = Command::new("ffmpeg")
        .args(["-v", "verbose", "-nostdin", "-i"])
        .arg(path)
        .args(["-map", "0:v", "-c", "copy", "-bsf:v", "trace_headers", "-f", "null", "-"])
        .output()
        .unwrap();
    let trace = String::from_utf8_lossy(&trace.stderr).into_owned();
    let idr = trace
        .lines()
        .filter(|line| line.contains("nal_unit_type") && line.trim_end().ends_with("= 5"))
        .count();
    assert!(idr >= keys, "{keys} key frames, {idr} slices of IDR pictures");
}
