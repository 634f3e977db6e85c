//! The start timecode: where files keep it, and what to make of what they say.

use kinora_core::timecode::{FrameRate, Timecode, TimecodeError};

use super::rate;
use super::report::{Frame, Report, find_tag};

/// The start timecode and, if the file's own way of writing it is impossible, a warning.
pub(super) fn start(
    report: &Report,
    frames: &[Frame],
    picture_rate: Option<FrameRate>,
) -> (Option<Timecode>, Option<String>) {
    let Some((text, track_rate)) = find(report, frames) else { return (None, None) };
    let Some(rate) = picture_rate.or(track_rate) else { return (None, None) };
    match Timecode::parse(&text, rate) {
        Ok(timecode) => (Some(timecode), None),
        Err(TimecodeError::DropFrame(_)) => without_drop_frame(&text, rate),
        Err(error) => match track_rate.map(|rate| Timecode::parse(&text, rate)) {
            // A timecode track may count at another rate than the picture has (25 labels for 50p).
            Some(Ok(timecode)) => (Some(timecode), None),
            _ => (None, Some(format!("The start timecode of the file cannot be used: {error}."))),
        },
    }
}

/// Drop-frame counting is marked where it is not defined (23.976): the labels are counted as they are.
fn without_drop_frame(text: &str, rate: FrameRate) -> (Option<Timecode>, Option<String>) {
    let plain = text.replace([';', '.'], ":");
    let warning = format!(
        "The file marks its timecode as drop-frame, which does not exist at {:.3} frames per second. It is \
         counted without dropping.",
        rate.as_f64(),
    );
    (Timecode::parse(&plain, rate).ok(), Some(warning))
}

/// The timecode's text, and the rate of the track it stands in.
fn find(report: &Report, frames: &[Frame]) -> Option<(String, Option<FrameRate>)> {
    let tracks = report.streams.iter().filter(|stream| stream.codec_tag_string.as_deref() == Some("tmcd"));
    let pictures = report.streams.iter().filter(|stream| stream.is_picture());
    for stream in tracks.chain(pictures) {
        if let Some(text) = find_tag(&stream.tags, "timecode") {
            let own =
                if stream.is_picture() { None } else { rate::fraction(stream.avg_frame_rate.as_deref()) };
            return Some((text.to_owned(), own));
        }
    }
    let others = report.streams.iter().find_map(|stream| find_tag(&stream.tags, "timecode"));
    let named = others.or_else(|| find_tag(&report.format.tags, "timecode")).map(str::to_owned);
    let in_frames = || frames.first()?.side_data_list.iter().find_map(|data| data.timecode.clone());
    named.or_else(in_frames).map(|text| (text, None))
}

#[cfg(test)]
mod tests {
    use super::super::report::Stream;
    use super::*;

    fn report(timecode: &str) -> Report {
        let mut stream = Stream {
            codec_type: "video".into(),
            codec_name: Some("prores".into()),
            width: Some(1),
            height: Some(1),
            ..Stream::default()
        };
        stream.tags.insert("TIMECODE".into(), timecode.into());
        Report { streams: vec![stream], ..Report::default() }
    }

    #[test]
    fn impossible_drop_frame_is_counted_plainly_with_a_warning() {
        let rate = FrameRate::new(24_000, 1001).ok();
        let (timecode, warning) = start(&report("01:00:00;12"), &[], rate);
        let timecode = timecode.expect("a timecode");
        assert_eq!((timecode.to_string().as_str(), timecode.drop_frame), ("01:00:00:12", false));
        assert!(warning.is_some_and(|warning| warning.contains("23.976")));
    }

    #[test]
    fn nonsense_is_a_warning_and_no_timecode() {
        let rate = FrameRate::new(25, 1).ok();
        let (timecode, warning) = start(&report("25:99:00:00"), &[], rate);
        assert!(timecode.is_none() && warning.is_some());
        assert_eq!(start(&Report::default(), &[], rate), (None, None));
    }
}
