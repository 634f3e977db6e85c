//! Listening to FFmpeg while it works: progress, what it complains of, and the loudness it found.
//! All of it comes on its standard error, where progress lines are `key=value`, positions of the
//! picture `frame:… pts_time:…`, and log lines carry their level (`-loglevel level+info`).

use std::time::Instant;

use kinora_core::message::Progress;
use kinora_core::technical::Loudness;

/// Most complaints that are kept word by word.
const MAX_KEPT_COMPLAINTS: usize = 20;

/// Integrated loudness at and below which it is silence: BS.1770's absolute gate.
const SILENCE_LUFS: f32 = -70.0;

/// What was heard so far.
#[derive(Clone, Debug)]
pub struct Watch {
    begun: Instant,
    /// Media time that was written, microseconds.
    pub written_us: u64,
    /// Frames of the first picture output.
    pub frames: u64,
    /// Number of complaints of decoders and demuxers.
    pub errors: u64,
    /// The first of them.
    pub complaints: Vec<String>,
    /// Loudness, once the run is over.
    pub loudness: Option<Loudness>,
    is_in_summary: bool,
}

impl Watch {
    /// Begins to listen.
    #[must_use]
    pub fn new() -> Self {
        Self {
            begun: Instant::now(),
            written_us: 0,
            frames: 0,
            errors: 0,
            complaints: Vec::new(),
            loudness: None,
            is_in_summary: false,
        }
    }

    /// Takes the next line; whether it said how far the pass is.
    pub fn add(&mut self, line: &str) -> bool {
        let line = line.trim();
        let before = self.written_us;
        if line.contains("[error]") || line.contains("[fatal]") || line.contains("[panic]") {
            self.errors += 1;
            if self.complaints.len() < MAX_KEPT_COMPLAINTS {
                self.complaints.push(line.to_owned());
            }
        } else if line == "Integrated loudness:" {
            // Its headline may be torn apart, and what follows mixed with other words: FFmpeg 7 does its
            // work in several threads, which all write here.
            self.is_in_summary = true;
            self.loudness = Some(Loudness { integrated_lufs: None, range_lu: None, true_peak_dbtp: None });
        } else if line.starts_with("frame:") {
            let seconds = line.split_once("pts_time:").and_then(|(_, time)| time.trim().parse::<f64>().ok());
            // As a cast does: nothing below zero, and nothing for what is no number.
            self.written_us = self.written_us.max((seconds.unwrap_or(0.0) * 1e6) as u64);
        } else if let Some((key, value)) = line.split_once('=') {
            self.add_progress(key.trim(), value.trim());
        } else if self.is_in_summary && !line.starts_with('[') {
            self.add_summary(line);
        }
        self.written_us != before
    }

    fn add_progress(&mut self, key: &str, value: &str) {
        match key {
            // FFmpeg 5 calls microseconds milliseconds in the older of its two keys.
            // FFmpeg 7 takes it back in the end, where a picture was written that has no length.
            "out_time_us" => self.written_us = self.written_us.max(value.parse().unwrap_or(0)),
            "frame" => self.frames = value.parse().unwrap_or(self.frames),
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

    /// How far it is at `now` in media of `length_us`.
    #[must_use]
    pub fn progress(&self, length_us: Option<u64>, now: Instant) -> Progress {
        let length_us = length_us.filter(|length| *length > 0);
        let seconds = now.saturating_duration_since(self.begun).as_secs_f64();
        let speed = Some((self.written_us as f64 / 1e6 / seconds) as f32);
        let speed = speed.filter(|speed| speed.is_finite() && *speed > 0.0);
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
    use std::time::Duration;

    use super::*;

    fn watch(text: &str) -> Watch {
        let mut watch = Watch::new();
        for line in text.lines() {
            watch.add(line);
        }
        watch
    }

    #[test]
    fn progress_is_read_and_extrapolated() {
        let mut seen =
            watch("frame=50\nfps=0.0\nout_time_us=2000000\nout_time=00:00:02.000000\nprogress=continue");
        let later = seen.begun + Duration::from_millis(500);
        let progress = seen.progress(Some(10_000_000), later);
        assert_eq!((seen.frames, progress.fraction, progress.speed), (50, Some(0.2), Some(4.0)));
        assert_eq!(progress.remaining_seconds, Some(2));
        assert!(seen.add("frame:75   pts:75      pts_time:3"));
        assert!(!seen.add("lavfi.scd.score=0.012"));
        assert_eq!(seen.progress(Some(6_000_000), later).fraction, Some(0.5));
        assert!(!seen.add("out_time_us=0"), "it never goes back");
        let nothing = watch("out_time_us=N/A\nspeed=N/A");
        assert_eq!(nothing.progress(None, nothing.begun), Progress::default());
    }

    #[test]
    fn loudness_is_read_from_the_summary_and_silence_has_none() {
        let summary = "[Parsed_ebur128_4 @ 0x1] [info] Summary:\n\n  Integrated loudness:\n    I:         -23.1 LUFS\n    \
            Threshold: -33.1 LUFS\n\n  Loudness range:\n    LRA:         4.2 LU\n    Threshold: -43.0 LUFS\n    \
            LRA low:   -25.0 LUFS\n    LRA high:  -21.0 LUFS\n\n  True peak:\n    Peak:       -5.9 dBFS\n";
        let loudness = watch(summary).loudness.expect("loudness");
        assert_eq!(loudness.integrated_lufs, Some(-23.1));
        assert_eq!((loudness.range_lu, loudness.true_peak_dbtp), (Some(4.2), Some(-5.9)));
        let mixed = summary.replace("[info] Summary:", "[info] frame:6    pts:42      pts_time:1.68").replace(
            "  True peak",
            "frame:7    pts:49      pts_time:1.96\nlavfi.scd.score=0.005\n[out#1 @ 0x2] [info] audio:188KiB\n  True peak",
        );
        assert_eq!(watch(&mixed).loudness, Some(loudness));
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
