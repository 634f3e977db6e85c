//! The waveform: highest and lowest sample of each short stretch of sound, in the binary format of
//! the BBC's audiowaveform, version 2, with 8 bits, which waveform viewers read directly.

/// Sample rate of the sound this is made from, samples per second.
pub const SAMPLE_RATE: u32 = 48_000;

/// Samples that one point stands for at first: 100 points a second.
const FIRST_SAMPLES_PER_POINT: u32 = 480;

/// Most points; when there would be more, neighbours are merged. An hour at 100 points a second;
/// with two channels 1.44 MB.
const MAX_POINTS: usize = 360_000;

/// Reduces sound to a waveform as it comes.
#[derive(Debug)]
pub struct Waveform {
    channels: usize,
    samples_per_point: u32,
    /// Lowest and highest sample of each channel, point after point.
    points: Vec<(i8, i8)>,
    /// The point that is being filled.
    open: Vec<(i16, i16)>,
    /// Samples of each channel in it.
    filled: u32,
    /// Samples of each channel until now.
    samples: u64,
    /// The channel of the next sample.
    channel: usize,
    /// First byte of a sample whose second has not come yet.
    half: Option<u8>,
}

const NEUTRAL: (i16, i16) = (i16::MAX, i16::MIN);

impl Waveform {
    /// Begins, for interleaved signed 16-bit little-endian samples of that many channels.
    #[must_use]
    pub fn new(channels: usize) -> Self {
        let channels = channels.max(1);
        Self {
            channels,
            samples_per_point: FIRST_SAMPLES_PER_POINT,
            points: Vec::new(),
            open: vec![NEUTRAL; channels],
            filled: 0,
            samples: 0,
            channel: 0,
            half: None,
        }
    }

    /// Takes the next bytes, cut anywhere.
    pub fn add(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        if let (Some(low), Some((high, after))) = (self.half, rest.split_first()) {
            self.half = None;
            self.add_sample(i16::from_le_bytes([low, *high]));
            rest = after;
        }
        let (pairs, odd) = rest.as_chunks::<2>();
        for pair in pairs {
            self.add_sample(i16::from_le_bytes(*pair));
        }
        if let Some(low) = odd.first() {
            self.half = Some(*low);
        }
    }

    fn add_sample(&mut self, sample: i16) {
        if let Some((low, high)) = self.open.get_mut(self.channel) {
            *low = (*low).min(sample);
            *high = (*high).max(sample);
        }
        self.channel += 1;
        if self.channel == self.channels {
            self.channel = 0;
            self.filled += 1;
            self.samples += 1;
            if self.filled == self.samples_per_point {
                self.close_point();
            }
        }
    }

    fn close_point(&mut self) {
        // The upper byte: the same scale with eight bits.
        let narrowed = self.open.iter().map(|(low, high)| ((low >> 8) as i8, (high >> 8) as i8));
        self.points.extend(narrowed);
        self.open.fill(NEUTRAL);
        self.filled = 0;
        if self.points.len() / self.channels >= MAX_POINTS {
            self.merge_neighbours();
        }
    }

    fn merge_neighbours(&mut self) {
        let channels = self.channels;
        let merged = self.points.chunks(2 * channels).flat_map(|pair| {
            let (first, second) = pair.split_at(channels.min(pair.len()));
            let second = if second.is_empty() { first } else { second };
            first.iter().zip(second).map(|(a, b)| (a.0.min(b.0), a.1.max(b.1)))
        });
        self.points = merged.collect();
        self.samples_per_point = self.samples_per_point.saturating_mul(2);
    }

    /// Exact length of the sound until now, microseconds.
    #[must_use]
    pub fn length_us(&self) -> u64 {
        let rate = u64::from(SAMPLE_RATE);
        let (seconds, rest) = (self.samples / rate, self.samples % rate);
        seconds * 1_000_000 + (rest * 1_000_000 + rate / 2) / rate
    }

    /// Ends, and gives the file.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        if self.filled > 0 {
            self.close_point();
        }
        let length = u32::try_from(self.points.len() / self.channels).unwrap_or(u32::MAX);
        let channels = u32::try_from(self.channels).unwrap_or(u32::MAX);
        const VERSION: u32 = 2;
        const FLAG_8_BIT: u32 = 1;
        let header = [VERSION, FLAG_8_BIT, SAMPLE_RATE, self.samples_per_point, length, channels];
        let mut file: Vec<u8> = header.iter().flat_map(|number| number.to_le_bytes()).collect();
        file.extend(self.points.iter().flat_map(|(low, high)| [low.to_le_bytes()[0], high.to_le_bytes()[0]]));
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(file: &[u8]) -> Vec<u32> {
        file[..24].chunks(4).map(|word| u32::from_le_bytes(word.try_into().expect("4 bytes"))).collect()
    }

    #[test]
    fn points_are_the_extremes_of_their_stretch_wherever_the_bytes_are_cut() {
        let mut samples: Vec<i16> = Vec::new();
        for n in 0..1000 {
            samples.push(if n == 100 { 0x7f00 } else { 0 });
            samples.push(if n == 600 { -0x8000 } else { 0x100 });
        }
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        for cut in [1, 2, 3, 7, 4000] {
            let mut waveform = Waveform::new(2);
            bytes.chunks(cut).for_each(|chunk| waveform.add(chunk));
            assert_eq!(waveform.length_us(), 20_833, "1000 of 48,000 samples");
            let file = waveform.finish();
            assert_eq!(header(&file), [2, 1, 48_000, 480, 3, 2]);
            let points: Vec<i8> = file[24..].iter().map(|byte| byte.cast_signed()).collect();
            assert_eq!(points, [0, 127, 1, 1, 0, 0, -128, 1, 0, 0, 1, 1], "cut at {cut}");
        }
    }

    #[test]
    fn ten_hours_stay_small() {
        let mut waveform = Waveform::new(2);
        // Ten hours of points rather than of samples, which would take long in a debug build.
        for _ in 0..3_600_000 / 8 {
            waveform.open.fill((-256, 256));
            waveform.close_point();
        }
        assert_eq!(waveform.samples_per_point, 960);
        let file = waveform.finish();
        assert!(file.len() < 1_500_000);
        assert_eq!(header(&file)[4] as usize * 4 + 24, file.len());
        assert!(file[24..].iter().all(|byte| [1, 255].contains(byte)));
    }

    #[test]
    fn silence_of_no_length_is_a_file_too() {
        assert_eq!(header(&Waveform::new(1).finish()), [2, 1, 48_000, 480, 0, 1]);
    }
}
