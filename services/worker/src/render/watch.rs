//! Listening to FFmpeg while it works: progress, what it complains of, and the loudness it found.
//! All of it comes on its standard error, where progress lines are `key=value` and log lines carry
//! their level (`-loglevel level+info`).

use kinora_core::message::Progress;
use kinora_core::technical::Loudness;

/// Most complaints that are kept word by word.
const MAX_KEPT_COMPLAINTS: usize = 20;

/// Integrated loudness at and below which it is silence: BS.1770's absolute gate.
const SILENCE_LUFS: f32 = -70.0;

/// What was heard so far.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Media time that was written, microseconds.
    pub written_us: u64,
    /// Frames of the first picture output.
    pub frames: u64,
    /// Media seconds in one second.
    pub speed: Option<f32>,
    /// Number of complaints of decoders and demuxers.
    pub errors: u64,
    /// The first of them.
    pub complaints: Vec<String>,
    /// Loudness, once the run is over.
    pub loudness: Option<Loudness>,
    is_in_summary: bool,
}

impl Watch {
    /// Takes the next line.
    pub fn add(&mut self, line: &str) {
        let line = line.trim();
        if line.contains("[error]") || line.contains("[fatal]") || line.contains("[panic]") {
            self.errors += 1;
            if self.complaints.len() < MAX_KEPT_COMPLAINTS {
                self.complaints.push(line.to_owned());
            }
        } else if line.contains("ebur128") && line.ends_with("Summary:") {
            self.is_in_summary = true;
            self.loudness = Some(Loudness { integrated_lufs: None, range_lu: None, true_peak_dbtp: None });
        } else if line.starts_with('[') {
            self.is_in_summary = false;
        } else if let Some((key, value)) = line.split_once('=') {
            self.add_progress(key.trim(), value.trim());
        } else if self.is_in_summary {
            self.add_summary(line);
        }
    }

    fn add_progress(&mut self, key: &str, value: &str) {
        match key {
            // FFmpeg 5 calls microseconds milliseconds in the older of its two keys.
            "out_time_us" => self.written_us = value.parse().unwrap_or(self.written_us),
            "frame" => self.frames = value.parse().unwrap_or(self.frames),
            "speed" => self.speed = value.trim_end_matches('x').trim().parse().ok(),
            _ => {}
        }
    }

    fn add_summary(&mut self, line: &str) {
        let Some(loudness) = &mut self.loudness else { return };
        let Some((key, value)) = line.split_once(':') else { return };
        let number = value.split_whitespace().next().and_then(|number| number.parse::<f32>().ok());
        let number = number.filter(|number| number.is_finite());
        match key {
            "I" => loudness.integrated_lufs = number.filter(|lufs| *lufs > SILENCE_LUFS),
            "LRA" => loudness.range_lu = number,
            "Peak" => loudness.true_peak_dbtp = number,
            _ => {}
        }
    }

    /// How far it is in media of `length_us`.
    #[must_use]
    pub fn progress(&self, length_us: Option<u64>) -> Progress {
        let length_us = length_us.filter(|length| *length > 0);
        let speed = self.speed.filter(|speed| *speed > 0.0);
        // Figures to look at: precision does not matter.
        let fraction =
            length_us.map(|length| (self.written_us as f64 / length as f64).clamp(0.0, 1.0) as f32);
        let remaining_seconds = length_us.zip(speed).map(|(length, speed)| {
            (length.saturating_sub(self.written_us) as f64 / 1e6 / f64::from(speed)).ceil() as u32
        });
        Progress { fraction, speed, remaining_seconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(text: &str) -> Watch {
        let mut watch = Watch::default();
        text.lines().for_each(|line| watch.add(line));
        watch
    }

    #[test]
    fn progress_is_read_and_extrapolated() {
        let seen = watch(
            "frame=50\nfps=0.0\nout_time_us=2000000\nout_time=00:00:02.000000\nspeed=   4x\nprogress=continue",
        );
        let progress = seen.progress(Some(10_000_000));
        assert_eq!((seen.frames, progress.fraction, progress.speed), (50, Some(0.2), Some(4.0)));
        assert_eq!(progress.remaining_seconds, Some(2));
        assert_eq!(watch("out_time_us=N/A\nspeed=N/A").progress(None), Progress::default());
    }

    #[test]
    fn loudness_is_read_from_the_summary_and_silence_has_none() {
        let summary = "[Parsed_ebur128_4 @ 0x1] [info] Summary:\n\n  Integrated loudness:\n    I:         -23.1 LUFS\n    \
            Threshold: -33.1 LUFS\n\n  Loudness range:\n    LRA:         4.2 LU\n    Threshold: -43.0 LUFS\n    \
            LRA low:   -25.0 LUFS\n    LRA high:  -21.0 LUFS\n\n  True peak:\n    Peak:       -5.9 dBFS\n";
        let loudness = watch(summary).loudness.expect("loudness");
        assert_eq!(loudness.integrated_lufs, Some(-23.1));
        assert_eq!((loudness.range_lu, loudness.true_peak_dbtp), (Some(4.2), Some(-5.9)));
        let silence = watch(&summary.replace("-23.1 LUFS", "-70.0 LUFS").replace("-5.9", "-inf"));
        let silence = silence.loudness.expect("loudness");
        assert_eq!((silence.integrated_lufs, silence.true_peak_dbtp), (None, None));
    }

    #[test]
    fn complaints_are_counted_and_the_first_ones_kept() {
        let seen = watch(&"[h264 @ 0x5] [error] error while decoding MB 3 4\n".repeat(1000));
        assert_eq!((seen.errors, seen.complaints.len()), (1000, MAX_KEPT_COMPLAINTS));
    }
}
