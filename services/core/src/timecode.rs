//! Media time: exact frame rates and SMPTE ST 12-1 timecode.
//!
//! A position is a whole number of frames at a rational rate; text like `10:00:12:05` is only a way
//! of writing it. Drop-frame counting skips labels, never frames.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Frames per second as an exact fraction, in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "RawFrameRate")]
pub struct FrameRate {
    /// Frames.
    numerator: u32,
    /// In that many seconds.
    denominator: u32,
}

#[derive(Deserialize)]
struct RawFrameRate {
    numerator: u32,
    denominator: u32,
}

impl TryFrom<RawFrameRate> for FrameRate {
    type Error = TimecodeError;

    fn try_from(raw: RawFrameRate) -> Result<Self, Self::Error> {
        Self::new(raw.numerator, raw.denominator)
    }
}

/// Why a frame rate or timecode is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimecodeError {
    /// Zero on either side of the fraction, or more than 1,000 frames a second.
    #[error("{0}/{1} is not a frame rate")]
    Rate(u32, u32),
    /// Not of the form `HH:MM:SS:FF`.
    #[error("'{0}' is not a timecode (HH:MM:SS:FF)")]
    Form(String),
    /// A field is out of its range at this rate.
    #[error("'{0}' does not exist at {1} frames per second")]
    Range(String, FrameRate),
    /// Drop-frame counting is defined for multiples of 30000/1001 only.
    #[error("drop-frame counting needs 29.97 or 59.94 frames per second, not {0}")]
    DropFrame(FrameRate),
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

impl FrameRate {
    /// The rate `numerator/denominator`, reduced.
    ///
    /// # Errors
    /// [`TimecodeError::Rate`] if either is zero or the rate is over 1,000 frames a second.
    pub fn new(numerator: u32, denominator: u32) -> Result<Self, TimecodeError> {
        if numerator == 0 || denominator == 0 || u64::from(numerator) > 1000 * u64::from(denominator) {
            return Err(TimecodeError::Rate(numerator, denominator));
        }
        let divisor = greatest_common_divisor(numerator, denominator);
        Ok(Self { numerator: numerator / divisor, denominator: denominator / divisor })
    }

    /// Frames in [`Self::denominator`] seconds.
    #[must_use]
    pub fn numerator(self) -> u32 {
        self.numerator
    }

    /// Seconds that [`Self::numerator`] frames take.
    #[must_use]
    pub fn denominator(self) -> u32 {
        self.denominator
    }

    /// Labels in one second of timecode: the rate rounded up to whole frames, at least 1.
    #[must_use]
    pub fn nominal(self) -> u32 {
        self.numerator.div_ceil(self.denominator).max(1)
    }

    /// Whether drop-frame counting is defined: 30000/1001 and its multiples.
    #[must_use]
    pub fn allows_drop_frame(self) -> bool {
        self.denominator == 1001 && self.numerator.is_multiple_of(30_000)
    }

    /// The rate as a floating number, for showing and for speed figures only.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }

    /// Number of the frame that is shown at `microseconds` after the first one begins.
    #[must_use]
    pub fn frames_in(self, microseconds: u64) -> u64 {
        let frames = u128::from(microseconds) * u128::from(self.numerator)
            / (u128::from(self.denominator) * 1_000_000);
        u64::try_from(frames).unwrap_or(u64::MAX)
    }

    /// Microseconds from the start of the first frame to the start of frame `frames`, rounded up so
    /// that [`Self::frames_in`] gives `frames` back.
    #[must_use]
    pub fn microseconds_of(self, frames: u64) -> u64 {
        let microseconds = (u128::from(frames) * u128::from(self.denominator) * 1_000_000)
            .div_ceil(u128::from(self.numerator));
        u64::try_from(microseconds).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.denominator == 1 {
            write!(f, "{}", self.numerator)
        } else {
            write!(f, "{}/{}", self.numerator, self.denominator)
        }
    }
}

/// A SMPTE ST 12-1 timecode: a count of frames since midnight and the way it is labelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Timecode {
    /// Frames since `00:00:00:00`.
    pub frames: u64,
    /// The rate the labels count at.
    pub rate: FrameRate,
    /// Whether two (at 59.94: four) labels are skipped each minute except every tenth.
    pub drop_frame: bool,
}

impl Timecode {
    /// Reads `HH:MM:SS:FF`; `;` or `.` before the frames means drop-frame counting.
    ///
    /// # Errors
    /// [`TimecodeError`] if the text is no timecode, has a label that does not exist at `rate`, or
    /// asks for drop-frame counting where it is not defined.
    pub fn parse(text: &str, rate: FrameRate) -> Result<Self, TimecodeError> {
        let form = || TimecodeError::Form(text.to_owned());
        let drop_frame = text.contains([';', '.']);
        let mut fields = [0_u32; 4];
        let mut parts = text.split([':', ';', '.']);
        for field in &mut fields {
            let part = parts.next().ok_or_else(form)?;
            if part.is_empty() || part.len() > 3 || !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(form());
            }
            *field = part.parse().map_err(|_| form())?;
        }
        if parts.next().is_some() {
            return Err(form());
        }
        if drop_frame && !rate.allows_drop_frame() {
            return Err(TimecodeError::DropFrame(rate));
        }
        let [hours, minutes, seconds, frames] = fields;
        let range = || TimecodeError::Range(text.to_owned(), rate);
        if hours > 23 || minutes > 59 || seconds > 59 || frames >= rate.nominal() {
            return Err(range());
        }
        let dropped = dropped_per_minute(rate, drop_frame);
        if frames < dropped && seconds == 0 && minutes % 10 != 0 {
            return Err(range());
        }
        let total_minutes = hours * 60 + minutes;
        let labels = u64::from(total_minutes * 60 + seconds) * u64::from(rate.nominal()) + u64::from(frames);
        let skipped = u64::from(dropped) * u64::from(total_minutes - total_minutes / 10);
        Ok(Self { frames: labels - skipped, rate, drop_frame })
    }

    /// The timecode `frames` later.
    #[must_use]
    pub fn plus(self, frames: u64) -> Self {
        Self { frames: self.frames.saturating_add(frames), ..self }
    }
}

fn dropped_per_minute(rate: FrameRate, drop_frame: bool) -> u32 {
    if drop_frame && rate.allows_drop_frame() { rate.nominal() / 15 } else { 0 }
}

impl fmt::Display for Timecode {
    /// Writes `HH:MM:SS:FF`, with `;` before the frames for drop-frame; wraps at 24 hours.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nominal = u64::from(self.rate.nominal());
        let dropped = u64::from(dropped_per_minute(self.rate, self.drop_frame));
        let per_minute = nominal * 60 - dropped;
        let per_ten_minutes = per_minute * 10 + dropped;
        let frames = self.frames % (per_ten_minutes * 6 * 24);
        let tens = frames / per_ten_minutes;
        let rest = frames % per_ten_minutes;
        // The first minute of ten is longer, as it drops nothing.
        let minutes = if rest < nominal * 60 { 0 } else { (rest - dropped) / per_minute };
        let label = frames + dropped * (tens * 9 + minutes);
        let separator = if self.drop_frame { ';' } else { ':' };
        write!(
            f,
            "{:02}:{:02}:{:02}{separator}{:02}",
            label / (nominal * 3600),
            label / (nominal * 60) % 60,
            label / nominal % 60,
            label % nominal,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(numerator: u32, denominator: u32) -> FrameRate {
        FrameRate::new(numerator, denominator).expect("a rate")
    }

    #[test]
    fn labels_at_the_edges_of_drop_frame_minutes() {
        // SMPTE ST 12-1, 5.2.2: 29.97 drop-frame.
        let table = [
            (1799, "00:00:59;29"),
            (1800, "00:01:00;02"),
            (17981, "00:09:59;29"),
            (17982, "00:10:00;00"),
            (107_892, "01:00:00;00"),
            (2_589_407, "23:59:59;29"),
            (2_589_408, "00:00:00;00"),
        ];
        for (frames, label) in table {
            let timecode = Timecode { frames, rate: rate(30_000, 1001), drop_frame: true };
            assert_eq!(timecode.to_string(), label);
        }
    }

    #[test]
    fn every_frame_of_a_day_is_written_and_read_back() {
        for (rate, drop_frame) in [
            (rate(24_000, 1001), false),
            (rate(25, 1), false),
            (rate(30_000, 1001), true),
            (rate(30_000, 1001), false),
            (rate(60_000, 1001), true),
        ] {
            let day = u64::from(rate.nominal()) * 86_400
                - if drop_frame { u64::from(rate.nominal()) / 15 * 1296 } else { 0 };
            for frames in (0..day).step_by(17).chain(0..40_000) {
                let timecode = Timecode { frames, rate, drop_frame };
                assert_eq!(Timecode::parse(&timecode.to_string(), rate), Ok(timecode));
            }
        }
    }

    #[test]
    fn what_does_not_exist_is_refused() {
        let ntsc = rate(30_000, 1001);
        for text in [
            "",
            "1",
            "00:00:00",
            "00:00:00:00:00",
            "aa:00:00:00",
            "00:00:00:-1",
            "24:00:00:00",
            "00:60:00:00",
            "00:00:60:00",
            "00:00:00:30",
            "00:01:00;00",
            "00:01:00;01",
            "٠٠:00:00:00",
        ] {
            assert!(Timecode::parse(text, ntsc).is_err(), "{text}");
        }
        assert!(Timecode::parse("00:10:00;00", ntsc).is_ok());
        assert_eq!(Timecode::parse("00:00:00;00", rate(25, 1)), Err(TimecodeError::DropFrame(rate(25, 1))));
        assert!(FrameRate::new(0, 1).is_err() && FrameRate::new(25, 0).is_err());
        assert!(serde_json::from_str::<FrameRate>(r#"{"numerator":25,"denominator":0}"#).is_err());
    }

    #[test]
    fn microseconds_and_frames_agree() {
        for rate in [rate(24_000, 1001), rate(25, 1), rate(30_000, 1001), rate(60_000, 1001), rate(12, 1)] {
            for frame in (0..2_000_000).step_by(997) {
                assert_eq!(rate.frames_in(rate.microseconds_of(frame)), frame, "{rate} {frame}");
            }
        }
    }
}
