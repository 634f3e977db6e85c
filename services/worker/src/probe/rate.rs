//! Exact frame rates, and whether frames last equally long.

use kinora_core::timecode::FrameRate;

use super::report::{Format, Stream};

/// Rates that cameras and recorders use, as fractions.
const STANDARD: [(u32, u32); 17] = [
    (24_000, 1001),
    (24, 1),
    (25, 1),
    (30_000, 1001),
    (30, 1),
    (48_000, 1001),
    (48, 1),
    (50, 1),
    (60_000, 1001),
    (60, 1),
    (12, 1),
    (15, 1),
    (90, 1),
    (100, 1),
    (120_000, 1001),
    (120, 1),
    (240, 1),
];

/// How far two ways of computing a rate may be apart before the file is suspected of a variable one.
const DOUBT: f64 = 0.001;

/// Reads FFmpeg's `n/d`.
pub(super) fn fraction(text: Option<&str>) -> Option<FrameRate> {
    let (numerator, denominator) = text?.split_once('/')?;
    let (mut numerator, mut denominator): (u64, u64) = (numerator.parse().ok()?, denominator.parse().ok()?);
    while numerator > u64::from(u32::MAX) || denominator > u64::from(u32::MAX) {
        numerator /= 2;
        denominator /= 2;
    }
    FrameRate::new(u32::try_from(numerator).ok()?, u32::try_from(denominator).ok()?).ok()
}

fn distance(a: f64, b: f64) -> f64 {
    (a / b - 1.0).abs()
}

/// The standard rate within `tolerance` of `rate` (a part of it), the nearest one if several are.
fn standard_near(rate: f64, tolerance: f64) -> Option<FrameRate> {
    STANDARD
        .iter()
        .filter_map(|(numerator, denominator)| FrameRate::new(*numerator, *denominator).ok())
        .min_by(|a, b| distance(rate, a.as_f64()).total_cmp(&distance(rate, b.as_f64())))
        .filter(|nearest| distance(rate, nearest.as_f64()) <= tolerance)
}

/// Whether the two rates the container gives differ, so that packets must be looked at. In transport
/// streams the base rate may be the field rate, and times are too coarse in others: only containers
/// of phones and screen recorders are doubted.
pub(super) fn is_doubtful(stream: &Stream, format: &Format) -> bool {
    let is_suspect = ["mov", "matroska", "webm"].iter().any(|name| format.format_name.contains(name));
    let (base, average) =
        (fraction(stream.r_frame_rate.as_deref()), fraction(stream.avg_frame_rate.as_deref()));
    is_suspect
        && match (base, average) {
            (Some(base), Some(average)) => distance(base.as_f64(), average.as_f64()) > DOUBT,
            _ => true,
        }
}

/// Whether these presentation times (seconds, any order) are unequally spaced. The last one does not
/// count: the last frame of a file often lasts longer or shorter.
pub(super) fn is_variable(times: &[f64]) -> bool {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    let mut steps: Vec<f64> =
        times.windows(2).map(|pair| pair.iter().rev().copied().reduce(|a, b| a - b).unwrap_or(0.0)).collect();
    steps.pop();
    steps.sort_by(f64::total_cmp);
    match (steps.get(steps.len() / 20), steps.get((steps.len() * 19) / 20)) {
        // A millisecond container rounds 33.37 ms to 33 or 34.
        (Some(short), Some(long)) => long - short > 0.0025,
        _ => false,
    }
}

/// The rate a proxy of `stream` is made at.
pub(super) fn nominal(stream: &Stream, is_variable: bool) -> Option<FrameRate> {
    let base = fraction(stream.r_frame_rate.as_deref());
    let average = fraction(stream.avg_frame_rate.as_deref());
    if is_variable {
        // Phones drop frames: the rate meant is the next standard one, seldom the average.
        let average = average.or(base)?;
        return standard_near(average.as_f64(), 0.04)
            .or(base.filter(|rate| rate.as_f64() <= 120.0))
            .or(Some(average));
    }
    match (base, average) {
        // Field rate as base rate (interlaced H.264 in a transport stream).
        (Some(base), Some(average)) if distance(base.as_f64(), 2.0 * average.as_f64()) < 0.01 => {
            Some(standard_near(average.as_f64(), 0.0004).unwrap_or(average))
        }
        // What the container says exactly, where it is plausible.
        (Some(base), Some(average)) if distance(base.as_f64(), average.as_f64()) < 0.02 => {
            Some(standard_near(base.as_f64(), 0.0002).unwrap_or(base))
        }
        (Some(base), _) if base.as_f64() <= 300.0 => Some(base),
        (_, average) => average.map(|rate| standard_near(rate.as_f64(), 0.0004).unwrap_or(rate)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(base: &str, average: &str) -> Stream {
        Stream { r_frame_rate: Some(base.into()), avg_frame_rate: Some(average.into()), ..Stream::default() }
    }

    #[test]
    fn rates_come_out_as_exact_fractions() {
        let table = [
            ("24000/1001", "24000/1001", false, "24000/1001"),
            ("50/1", "25/1", false, "25"),
            ("60000/1001", "30000/1001", false, "30000/1001"),
            ("19001/317", "19001/317", false, "60000/1001"),
            ("25/1", "0/0", false, "25"),
            ("90000/1", "2997/100", true, "30000/1001"),
            ("120/1", "26873/900", true, "30000/1001"),
            ("1/1", "1/1", false, "1"),
        ];
        for (base, average, is_variable, expected) in table {
            let rate = nominal(&stream(base, average), is_variable).expect("a rate");
            assert_eq!(rate.to_string(), expected, "{base} {average}");
        }
        assert_eq!(nominal(&stream("0/0", "0/0"), false), None);
    }

    #[test]
    fn rounding_is_not_variation() {
        let rounded: Vec<f64> = (0..100).map(|n| (f64::from(n) * 1001.0 / 30.0).round() / 1000.0).collect();
        assert!(!is_variable(&rounded));
        let dropped: Vec<f64> = (0..100).filter(|n| n % 7 != 3).map(|n| f64::from(n) / 30.0).collect();
        assert!(is_variable(&dropped));
        let mut longer_last = rounded.clone();
        longer_last.push(9.0);
        assert!(!is_variable(&longer_last));
        assert!(!is_variable(&[]) && !is_variable(&[0.0]));
    }
}
