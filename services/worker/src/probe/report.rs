//! What ffprobe says, as far as it is used. Everything is optional: it depends on the container.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The whole report.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Report {
    /// Streams in file order.
    #[serde(default)]
    pub streams: Vec<Stream>,
    /// The container.
    #[serde(default)]
    pub format: Format,
    /// The first decoded frames, if they were asked for.
    #[serde(default)]
    pub frames: Vec<Frame>,
    /// The first packets, if they were asked for.
    #[serde(default)]
    pub packets: Vec<Packet>,
}

/// Tags by name.
pub type Tags = BTreeMap<String, String>;

/// The container.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Format {
    pub format_name: String,
    pub format_long_name: Option<String>,
    pub start_time: Option<String>,
    pub duration: Option<String>,
    pub bit_rate: Option<String>,
    pub probe_score: u32,
    pub tags: Tags,
}

/// A stream.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Stream {
    pub index: u32,
    pub codec_type: String,
    pub codec_name: Option<String>,
    pub codec_long_name: Option<String>,
    pub codec_tag_string: Option<String>,
    pub profile: Option<String>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub sample_aspect_ratio: Option<String>,
    pub pix_fmt: Option<String>,
    pub color_range: Option<String>,
    pub color_space: Option<String>,
    pub color_transfer: Option<String>,
    pub color_primaries: Option<String>,
    pub field_order: Option<String>,
    pub r_frame_rate: Option<String>,
    pub avg_frame_rate: Option<String>,
    pub start_time: Option<String>,
    pub duration: Option<String>,
    pub bit_rate: Option<String>,
    pub bits_per_raw_sample: Option<String>,
    pub bits_per_sample: Option<u32>,
    pub nb_frames: Option<String>,
    pub sample_rate: Option<String>,
    pub sample_fmt: Option<String>,
    pub channels: Option<u32>,
    pub channel_layout: Option<String>,
    pub disposition: BTreeMap<String, u32>,
    pub tags: Tags,
    pub side_data_list: Vec<SideData>,
}

/// Data that comes along with a stream or frame.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SideData {
    pub side_data_type: String,
    /// Degrees counter-clockwise, as FFmpeg counts them.
    pub rotation: Option<f64>,
    pub timecode: Option<String>,
}

/// A decoded frame.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Frame {
    pub stream_index: u32,
    pub interlaced_frame: u32,
    pub top_field_first: u32,
    pub color_range: Option<String>,
    pub color_space: Option<String>,
    pub color_primaries: Option<String>,
    pub color_transfer: Option<String>,
    pub side_data_list: Vec<SideData>,
}

/// A packet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Packet {
    pub pts_time: Option<String>,
}

impl Stream {
    /// Whether it is a cover picture inside a sound file.
    #[must_use]
    pub fn is_attached_picture(&self) -> bool {
        let is_set = |name| self.disposition.get(name).is_some_and(|value| *value != 0);
        is_set("attached_pic") || is_set("timed_thumbnails")
    }

    /// Whether it is picture that can be decoded.
    #[must_use]
    pub fn is_picture(&self) -> bool {
        self.codec_type == "video"
            && !self.is_attached_picture()
            && self.width.unwrap_or(0) > 0
            && self.height.unwrap_or(0) > 0
            && self.is_known_codec()
    }

    /// Whether it is sound that can be decoded.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.codec_type == "audio"
            && self.channels.unwrap_or(0) > 0
            && self.sample_rate.as_deref().is_some_and(|rate| rate != "0")
            && self.is_known_codec()
    }

    fn is_known_codec(&self) -> bool {
        self.codec_name.as_deref().is_some_and(|name| name != "unknown" && name != "none")
    }
}

/// Finds a tag whatever its case.
#[must_use]
pub fn find_tag<'a>(tags: &'a Tags, name: &str) -> Option<&'a str> {
    tags.iter()
        .find(|(key, value)| key.eq_ignore_ascii_case(name) && !value.trim().is_empty())
        .map(|(_, value)| value.trim())
}

/// A time in seconds as microseconds.
#[must_use]
pub fn microseconds(text: Option<&str>) -> Option<i64> {
    let seconds: f64 = text?.parse().ok()?;
    // Far below 2^53, so the conversion is exact to the microsecond.
    seconds.is_finite().then(|| (seconds * 1_000_000.0).round() as i64)
}
