//! What is heard in the proxy, and the filters that make it.
//!
//! A browser plays one stereo track. Of the many ways sound is delivered:
//! - one mono stream: both sides;
//! - several mono streams (broadcast MXF): the first two are left and right;
//! - a stereo stream: as it is;
//! - surround with a known layout: FFmpeg's downmix by ITU-R BS.775;
//! - many channels without a known layout (16 discrete ones): the first two are left and right, by
//!   the convention of recorders and broadcasters.
//!
//! Loudness is measured on what is heard, surround before its downmix, with BS.1770's weights.

use kinora_core::technical::AudioStream;

/// Where the proxy's sound comes from. Numbers are stream indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// One channel.
    Mono(u32),
    /// Two mono streams.
    Pair(u32, u32),
    /// A stereo stream.
    Stereo(u32),
    /// A stream with a known layout of more than two channels.
    Surround(u32),
    /// A stream whose first two channels are taken.
    FirstTwo(u32),
}

impl Mix {
    /// Chooses among the sound streams, in file order; none if there are none.
    #[must_use]
    pub fn choose(streams: &[AudioStream]) -> Option<Self> {
        let mut sounds = streams.iter().filter_map(|stream| Some((stream.index?, stream)));
        let (index, first) = sounds.next()?;
        let is_known = first.layout.as_deref().is_some_and(|layout| !layout.contains("channels"));
        Some(match first.channels {
            1 => match sounds.next() {
                Some((second, AudioStream { channels: 1, .. })) => Self::Pair(index, second),
                _ => Self::Mono(index),
            },
            2 => Self::Stereo(index),
            3..=8 if is_known => Self::Surround(index),
            _ => Self::FirstTwo(index),
        })
    }

    /// Channels of the waveform.
    #[must_use]
    pub fn waveform_channels(self) -> usize {
        if matches!(self, Self::Mono(_)) { 1 } else { 2 }
    }

    /// The filter graph: from the input's streams to `[sound]` for the proxy and `[samples]` for the
    /// waveform. `delay_us` is when the picture's first frame is shown, on the file's own clock:
    /// sound before it is cut, a gap before the sound is filled.
    #[must_use]
    pub fn graph(self, delay_us: i64) -> String {
        const RATE: u32 = super::waveform::SAMPLE_RATE;
        const MEASURE: &str = "ebur128=peak=true:framelog=verbose";
        let align = format!("asetpts=PTS-({delay_us}/1000000)/TB,aresample={RATE}:async=1:first_pts=0");
        let stereo = "aformat=channel_layouts=stereo";
        let measured = match self {
            Self::Mono(index) => format!("[0:{index}]{align},aformat=channel_layouts=mono,{MEASURE}"),
            Self::Stereo(index) => format!("[0:{index}]{align},{stereo},{MEASURE}"),
            Self::Surround(index) => format!("[0:{index}]{align},{MEASURE},{stereo}"),
            Self::FirstTwo(index) => {
                format!("[0:{index}]pan=stereo|c0=c0|c1=c1,{align},{MEASURE}")
            }
            Self::Pair(left, right) => format!(
                "[0:{left}]{align},aformat=channel_layouts=mono[left];\
                 [0:{right}]{align},aformat=channel_layouts=mono[right];\
                 [left][right]join=inputs=2:channel_layout=stereo,{MEASURE}"
            ),
        };
        let samples = if self.waveform_channels() == 1 { "mono" } else { "stereo" };
        format!(
            "{measured},asplit=2[heard][seen];[heard]{stereo}[sound];\
             [seen]aformat=sample_fmts=s16:channel_layouts={samples}[samples]"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(index: u32, channels: u32, layout: &str) -> AudioStream {
        AudioStream {
            index: Some(index),
            codec: "PCM 24 bit".into(),
            codec_id: "pcm_s24le".into(),
            sample_rate: 48_000,
            channels,
            layout: Some(layout.to_owned()).filter(|layout| !layout.is_empty()),
            bit_depth: Some(24),
            language: None,
            bit_rate: None,
        }
    }

    #[test]
    fn what_is_heard_follows_the_conventions_of_delivery() {
        type Delivered = &'static [(u32, &'static str)];
        let table: [(Delivered, Option<Mix>); 9] = [
            (&[], None),
            (&[(1, "mono")], Some(Mix::Mono(1))),
            (&[(1, ""), (1, ""), (1, "")], Some(Mix::Pair(1, 2))),
            (&[(1, ""), (2, "stereo")], Some(Mix::Mono(1))),
            (&[(2, "stereo"), (2, "stereo")], Some(Mix::Stereo(1))),
            (&[(6, "5.1(side)")], Some(Mix::Surround(1))),
            (&[(6, "")], Some(Mix::FirstTwo(1))),
            (&[(8, "8 channels (FL+FR)")], Some(Mix::FirstTwo(1))),
            (&[(16, "hexadecagonal")], Some(Mix::FirstTwo(1))),
        ];
        for (channels, expected) in table {
            let streams: Vec<_> = (1..)
                .zip(channels)
                .map(|(index, (channels, layout))| stream(index, *channels, layout))
                .collect();
            assert_eq!(Mix::choose(&streams), expected, "{channels:?}");
        }
    }
}
