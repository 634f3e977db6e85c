//! Technical metadata of a media file, normalised from what the probe found, and the results of
//! its analysis.

use serde::{Deserialize, Serialize};

use crate::asset::AssetKind;
use crate::timecode::{FrameRate, Timecode};

/// What a media file is. Whatever the file does not say is absent, never guessed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Technical {
    /// Video, audio or still.
    pub kind: AssetKind,
    /// Container, as a person would name it ("QuickTime / MOV", "MXF OP1a").
    pub container: String,
    /// Length in microseconds; absent for stills.
    pub duration_us: Option<u64>,
    /// Bits per second over the whole file.
    pub bit_rate: Option<u64>,
    /// The first picture stream, if any.
    pub video: Option<VideoStream>,
    /// All sound streams in file order.
    pub audio: Vec<AudioStream>,
    /// Number of timed-text and data streams that were not looked into.
    pub other_streams: u32,
    /// Timecode of the first frame, with drop-frame counting as the file says.
    pub start_timecode: Option<Timecode>,
    /// Reel or tape name.
    pub reel: Option<String>,
    /// Camera and recording fields (make, model, lens, clip id …) as name and value.
    pub camera: Vec<CameraField>,
    /// What was not right about the file, in the user's words.
    #[serde(default)]
    pub warnings: Vec<String>,
}

impl Technical {
    /// Whether it says where in the file its streams are. What earlier releases stored does not.
    #[must_use]
    pub fn is_located(&self) -> bool {
        self.video.iter().all(|video| video.index.is_some())
            && self.audio.iter().all(|audio| audio.index.is_some())
    }
}

/// One field a camera or recorder wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CameraField {
    /// Name as in the file.
    pub name: String,
    /// Value as in the file.
    pub value: String,
}

/// A picture stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VideoStream {
    /// Index of the stream in the file; absent in what earlier releases found.
    #[serde(default)]
    pub index: Option<u32>,
    /// When its first picture is shown, on the file's own clock, microseconds; absent if the file does
    /// not say.
    #[serde(default)]
    pub start_us: Option<i64>,
    /// Codec, as a person would name it ("Apple ProRes 422 HQ").
    pub codec: String,
    /// Codec's short name as FFmpeg has it ("prores").
    pub codec_id: String,
    /// Coded raster, pixels.
    pub width: u32,
    /// Coded raster, lines.
    pub height: u32,
    /// Width of the picture as shown: square pixels, rotation applied.
    pub display_width: u32,
    /// Height of the picture as shown: square pixels, rotation applied.
    pub display_height: u32,
    /// Clockwise rotation for display: 0, 90, 180 or 270 degrees.
    pub rotation_degrees: u16,
    /// Shape of one pixel, width over height, as "n:d".
    pub pixel_aspect: String,
    /// Exact frame rate; for variable rate, the nominal one that the proxy is made at.
    pub frame_rate: FrameRate,
    /// Whether frames last unequally long (phones).
    pub variable_frame_rate: bool,
    /// Number of frames, if the file says or the length implies it.
    pub frame_count: Option<u64>,
    /// "progressive", "top field first", "bottom field first".
    pub field_order: String,
    /// Chroma sampling and depth as FFmpeg names it ("yuv422p10le").
    pub pixel_format: String,
    /// Bits in a sample.
    pub bit_depth: Option<u8>,
    /// Primaries as in ITU-T H.273 ("bt709").
    pub colour_primaries: Option<String>,
    /// Transfer characteristic as in ITU-T H.273 ("bt709", "smpte2084", "arib-std-b67").
    pub colour_transfer: Option<String>,
    /// Matrix coefficients as in ITU-T H.273.
    pub colour_matrix: Option<String>,
    /// "limited" or "full".
    pub colour_range: Option<String>,
    /// Bits per second of this stream.
    pub bit_rate: Option<u64>,
}

impl VideoStream {
    /// Whether the picture has to be tone-mapped for an SDR display.
    #[must_use]
    pub fn is_hdr(&self) -> bool {
        matches!(self.colour_transfer.as_deref(), Some("smpte2084" | "arib-std-b67"))
    }

    /// Whether two fields of different instants make one frame.
    #[must_use]
    pub fn is_interlaced(&self) -> bool {
        self.field_order != "progressive"
    }
}

/// A sound stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AudioStream {
    /// Index of the stream in the file; absent in what earlier releases found.
    #[serde(default)]
    pub index: Option<u32>,
    /// Codec, as a person would name it.
    pub codec: String,
    /// Codec's short name as FFmpeg has it.
    pub codec_id: String,
    /// Samples per second.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: u32,
    /// Layout ("stereo", "5.1"), if the file says.
    pub layout: Option<String>,
    /// Bits in a sample, if that has a meaning for the codec.
    pub bit_depth: Option<u8>,
    /// Language as in BCP 47, if the file says.
    pub language: Option<String>,
    /// Bits per second of this stream.
    pub bit_rate: Option<u64>,
}

/// What the decoding pass measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Analysis {
    /// Loudness, if there is sound.
    pub loudness: Option<Loudness>,
    /// First frames of shots, as frame numbers of the proxy, ascending; the first frame is not in it.
    pub shot_changes: Vec<u64>,
    /// Frames in the proxy; absent for sound and stills.
    pub proxy_frames: Option<u64>,
    /// Frame rate of the proxy; absent for sound and stills.
    pub proxy_frame_rate: Option<FrameRate>,
    /// Width of the proxy, pixels.
    pub proxy_width: Option<u32>,
    /// Height of the proxy, pixels.
    pub proxy_height: Option<u32>,
    /// Length of the proxy in microseconds.
    pub proxy_duration_us: Option<u64>,
}

/// Programme loudness by EBU R 128 / ITU-R BS.1770.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Loudness {
    /// Integrated loudness, LUFS; absent for silence.
    pub integrated_lufs: Option<f32>,
    /// Loudness range, LU (EBU Tech 3342).
    pub range_lu: Option<f32>,
    /// Highest true peak, dBTP; absent for silence.
    pub true_peak_dbtp: Option<f32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_earlier_releases_stored_is_still_read() {
        let stored = r#"{"kind":"video","container":"QuickTime / MOV","duration_us":20000000,"bit_rate":null,
            "video":{"codec":"Apple ProRes 422 HQ","codec_id":"prores","width":1920,"height":1080,
            "display_width":1920,"display_height":1080,"rotation_degrees":0,"pixel_aspect":"1:1",
            "frame_rate":{"numerator":25,"denominator":1},"variable_frame_rate":false,"frame_count":500,
            "field_order":"progressive","pixel_format":"yuv422p10le","bit_depth":10,"colour_primaries":null,
            "colour_transfer":null,"colour_matrix":null,"colour_range":null,"bit_rate":null},
            "audio":[{"codec":"PCM 24 bit","codec_id":"pcm_s24le","sample_rate":48000,"channels":1,
            "layout":null,"bit_depth":24,"language":null,"bit_rate":null}],
            "other_streams":1,"start_timecode":null,"reel":null,"camera":[]}"#;
        let mut technical: Technical = serde_json::from_str(stored).unwrap();
        assert!(!technical.is_located());
        technical.video.as_mut().unwrap().index = Some(0);
        assert!(!technical.is_located(), "the sound is not");
        technical.audio[0].index = Some(1);
        assert!(technical.is_located());
    }
}
