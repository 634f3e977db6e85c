//! From ffprobe's report to the shared vocabulary.

use kinora_core::asset::AssetKind;
use kinora_core::technical::{AudioStream, Technical, VideoStream};
use kinora_core::timecode::FrameRate;

use super::report::{Format, Frame, Report, Stream, find_tag, microseconds};
use super::{camera, names, rate, timecode};

/// The facts about a file of `size_bytes`, from the container's `report`, the first decoded `frames`
/// of the main stream, and packet times of the picture where its rate was in doubt.
pub(super) fn technical(report: &Report, frames: &[Frame], packets: &[f64], size_bytes: u64) -> Technical {
    let picture = report.streams.iter().find(|stream| stream.is_picture());
    let audio: Vec<AudioStream> =
        report.streams.iter().filter(|stream| stream.is_sound()).map(sound).collect();
    let kind = match picture {
        Some(stream) if is_still(stream, &report.format) => AssetKind::Still,
        Some(_) => AssetKind::Video,
        None if audio.is_empty() => AssetKind::Unknown,
        None => AssetKind::Audio,
    };
    let duration_us = if kind == AssetKind::Still { None } else { duration(report) };
    let video = picture.map(|stream| VideoStream {
        start_us: start_of(stream, &report.format),
        ..self::picture(stream, frames, packets, duration_us, kind)
    });
    let picture_rate = video.as_ref().filter(|_| kind == AssetKind::Video).map(|video| video.frame_rate);
    let (start_timecode, warning) = timecode::start(report, frames, picture_rate);
    let mut warnings: Vec<String> = warning.into_iter().collect();
    warnings.extend(cut_off(&report.format, size_bytes));
    let known = usize::from(picture.is_some()) + audio.len();
    Technical {
        kind,
        container: names::container(&report.format),
        duration_us,
        bit_rate: if kind == AssetKind::Still { None } else { number(report.format.bit_rate.as_deref()) },
        video,
        audio,
        other_streams: u32::try_from(report.streams.len().saturating_sub(known)).unwrap_or(u32::MAX),
        start_timecode,
        reel: camera::reel(report),
        camera: camera::fields(report),
        warnings,
    }
}

/// `technical` with the places of its streams, which an earlier release did not note. The report is of
/// the same file, so the streams are the same, in the same order.
pub(super) fn locate(technical: &Technical, report: &Report) -> Technical {
    let mut located = technical.clone();
    let picture = report.streams.iter().find(|stream| stream.is_picture());
    if let (Some(video), Some(stream)) = (&mut located.video, picture) {
        (video.index, video.start_us) = (Some(stream.index), start_of(stream, &report.format));
    }
    let sounds = report.streams.iter().filter(|stream| stream.is_sound());
    for (audio, stream) in located.audio.iter_mut().zip(sounds) {
        audio.index = Some(stream.index);
    }
    located
}

/// When the stream begins, from the beginning of the file on.
fn start_of(stream: &Stream, format: &Format) -> Option<i64> {
    Some(microseconds(stream.start_time.as_deref())? - microseconds(format.start_time.as_deref())?)
}

fn is_still(stream: &Stream, format: &Format) -> bool {
    let is_image = format.format_name.ends_with("_pipe") || format.format_name == "image2";
    let is_single = stream.nb_frames.as_deref() == Some("1")
        && matches!(find_tag(&format.tags, "major_brand"), Some("heic" | "heix" | "mif1" | "avif"));
    let is_single_gif = format.format_name == "gif" && stream.nb_frames.as_deref() == Some("1");
    is_image || is_single || is_single_gif
}

/// Whether the file ends inside a packet of a transport stream, as one that was cut off does.
fn cut_off(format: &Format, size_bytes: u64) -> Option<String> {
    let is_whole = [188, 192, 204].iter().any(|packet| size_bytes.is_multiple_of(*packet));
    (format.format_name == "mpegts" && !is_whole).then(|| {
        "The file ends in the middle of a packet: it was probably cut off while it was recorded or copied."
            .to_owned()
    })
}

fn duration(report: &Report) -> Option<u64> {
    let streams = report.streams.iter().filter(|stream| stream.is_picture() || stream.is_sound());
    let longest = || streams.filter_map(|stream| microseconds(stream.duration.as_deref())).max();
    let duration = microseconds(report.format.duration.as_deref()).or_else(longest)?;
    u64::try_from(duration).ok().filter(|duration| *duration > 0)
}

fn number(text: Option<&str>) -> Option<u64> {
    text?.parse().ok().filter(|number| *number > 0)
}

fn named(text: Option<&str>) -> Option<String> {
    text.filter(|name| !name.is_empty() && *name != "unknown" && *name != "reserved").map(str::to_owned)
}

fn picture(
    stream: &Stream,
    frames: &[Frame],
    packets: &[f64],
    duration_us: Option<u64>,
    kind: AssetKind,
) -> VideoStream {
    let (width, height) = (stream.width.unwrap_or(0), stream.height.unwrap_or(0));
    let rotation_degrees = rotation(stream, frames);
    let aspect = pixel_aspect(stream);
    let (display_width, display_height) = display_size(width, height, aspect, rotation_degrees);
    let variable_frame_rate = rate::is_variable(packets);
    let frame_rate = rate::nominal(stream, variable_frame_rate).unwrap_or_else(fallback_rate);
    let counted = number(stream.nb_frames.as_deref());
    let implied =
        || duration_us.filter(|_| !variable_frame_rate).map(|length| rounded_frames(frame_rate, length));
    let first = frames.first().cloned().unwrap_or_default();
    let either = |of_stream: &Option<String>, of_frame: &Option<String>| {
        named(of_stream.as_deref()).or_else(|| named(of_frame.as_deref()))
    };
    VideoStream {
        index: Some(stream.index),
        start_us: None,
        codec: names::codec(stream),
        codec_id: stream.codec_name.clone().unwrap_or_default(),
        width,
        height,
        display_width,
        display_height,
        rotation_degrees,
        pixel_aspect: format!("{}:{}", aspect.0, aspect.1),
        frame_rate,
        variable_frame_rate,
        frame_count: if kind == AssetKind::Still { Some(1) } else { counted.or_else(implied) },
        field_order: field_order(stream, frames, kind).to_owned(),
        pixel_format: stream.pix_fmt.clone().unwrap_or_default(),
        bit_depth: names::bit_depth(stream),
        colour_primaries: either(&stream.color_primaries, &first.color_primaries),
        colour_transfer: either(&stream.color_transfer, &first.color_transfer),
        colour_matrix: either(&stream.color_space, &first.color_space),
        colour_range: match either(&stream.color_range, &first.color_range).as_deref() {
            Some("tv" | "limited" | "mpeg") => Some("limited".to_owned()),
            Some("pc" | "full" | "jpeg") => Some("full".to_owned()),
            _ => None,
        },
        bit_rate: number(stream.bit_rate.as_deref()),
    }
}

fn rounded_frames(rate: FrameRate, duration_us: u64) -> u64 {
    // Containers round the length down to their own ticks: half a frame decides.
    rate.frames_in(duration_us.saturating_add(rate.microseconds_of(1) / 2))
}

#[expect(clippy::expect_used, reason = "25/1 is a frame rate")]
fn fallback_rate() -> FrameRate {
    FrameRate::new(25, 1).expect("a rate")
}

/// Clockwise degrees, in quarter turns: players ignore anything else too.
fn rotation(stream: &Stream, frames: &[Frame]) -> u16 {
    let of_frame =
        || frames.first().and_then(|frame| frame.side_data_list.iter().find_map(|data| data.rotation));
    let matrix = stream.side_data_list.iter().find_map(|data| data.rotation).or_else(of_frame);
    let tag = || find_tag(&stream.tags, "rotate").and_then(|text| text.parse::<f64>().ok());
    let clockwise = matrix.map(|degrees| -degrees).or_else(tag).filter(|degrees| degrees.is_finite());
    let quarters = (clockwise.unwrap_or(0.0) / 90.0).round().rem_euclid(4.0);
    // 0, 1, 2 or 3.
    quarters as u16 * 90
}

fn pixel_aspect(stream: &Stream) -> (u32, u32) {
    let read = || {
        let (n, d) = stream.sample_aspect_ratio.as_deref()?.split_once(':')?;
        Some((n.parse::<u32>().ok()?, d.parse::<u32>().ok()?))
    };
    // Beyond any format in use it is garbage, and would make absurd proxies.
    read().filter(|(n, d)| *n > 0 && *d > 0 && n / d < 8 && d / n < 8).unwrap_or((1, 1))
}

/// The picture as shown: the wider of the two ways to square the pixels, then turned.
fn display_size(width: u32, height: u32, (n, d): (u32, u32), rotation_degrees: u16) -> (u32, u32) {
    let squared = (u64::from(width) * u64::from(n) + u64::from(d) / 2) / u64::from(d);
    let squared = u32::try_from(squared).unwrap_or(u32::MAX).max(1);
    if rotation_degrees % 180 == 90 { (height, squared) } else { (squared, height) }
}

fn field_order(stream: &Stream, frames: &[Frame], kind: AssetKind) -> &'static str {
    const TOP: &str = "top field first";
    const BOTTOM: &str = "bottom field first";
    if kind == AssetKind::Still {
        return "progressive";
    }
    let interlaced = frames.iter().find(|frame| frame.interlaced_frame != 0);
    match (stream.field_order.as_deref(), interlaced) {
        // The order in which fields are shown is the second letter.
        (Some("tt" | "bt"), _) => TOP,
        (Some("bb" | "tb"), _) => BOTTOM,
        (Some("progressive"), None) => "progressive",
        (_, Some(frame)) if frame.top_field_first != 0 => TOP,
        (_, Some(_)) => BOTTOM,
        (_, None) => "progressive",
    }
}

fn sound(stream: &Stream) -> AudioStream {
    AudioStream {
        index: Some(stream.index),
        codec: names::codec(stream),
        codec_id: stream.codec_name.clone().unwrap_or_default(),
        sample_rate: stream.sample_rate.as_deref().and_then(|rate| rate.parse().ok()).unwrap_or(0),
        channels: stream.channels.unwrap_or(0),
        layout: named(stream.channel_layout.as_deref()),
        bit_depth: names::bit_depth(stream),
        language: find_tag(&stream.tags, "language").filter(|language| *language != "und").map(str::to_owned),
        bit_rate: number(stream.bit_rate.as_deref()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_become_square_before_the_picture_is_turned() {
        assert_eq!(display_size(720, 576, (64, 45), 0), (1024, 576));
        assert_eq!(display_size(1440, 1080, (4, 3), 0), (1920, 1080));
        assert_eq!(display_size(1920, 1080, (1, 1), 90), (1080, 1920));
        assert_eq!(display_size(1, 1, (1, 7), 0), (1, 1));
    }

    #[test]
    fn sound_keeps_the_layout_that_the_file_says() {
        let layout = |channels: u32, said: Option<&str>| {
            // As ffprobe writes it.
            let said = serde_json::json!({
                "index": 1, "codec_type": "audio", "codec_name": "pcm_s24le", "sample_rate": "48000",
                "channels": channels, "channel_layout": said,
            });
            let sound = sound(&serde_json::from_value(said).unwrap());
            (sound.channels, sound.layout)
        };
        for name in ["5.1", "5.1(side)", "7.1", "stereo", "mono"] {
            assert_eq!(layout(6, Some(name)), (6, Some(name.to_owned())));
        }
        // What nobody has said is not guessed.
        assert_eq!(layout(6, None), (6, None));
        assert_eq!(layout(6, Some("unknown")), (6, None));
    }

    #[test]
    fn rotation_is_clockwise_in_quarter_turns() {
        let turned = |degrees| {
            let data = super::super::report::SideData { rotation: Some(degrees), ..Default::default() };
            rotation(&Stream { side_data_list: vec![data], ..Stream::default() }, &[])
        };
        for (matrix, clockwise) in
            [(-90.0, 90), (90.0, 270), (180.0, 180), (-180.0, 180), (0.0, 0), (f64::NAN, 0)]
        {
            assert_eq!(turned(matrix), clockwise);
        }
    }
}
