//! The filmstrip: one sheet of small pictures, and a WebVTT index that says which stands for which
//! time, as players' thumbnail tracks have it (`filmstrip#xywh=x,y,w,h`, W3C Media Fragments).

use std::fmt::Write as _;
use std::time::Duration;

use super::geometry::Size;

/// Most tiles of a filmstrip, however long the picture is.
pub const MAX_TILES: u32 = 120;

/// Tiles in a row of the sheet.
const COLUMNS: u32 = 10;

/// Shortest time between two tiles.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(500);

/// Time between two tiles where the length is not known.
const INTERVAL_OF_UNKNOWN: Duration = Duration::from_secs(10);

/// How the sheet is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Time between two tiles.
    pub interval: Duration,
    /// Tiles in a row.
    pub columns: u32,
    /// Rows.
    pub rows: u32,
    /// Size of a tile.
    pub tile: Size,
}

impl Plan {
    /// The layout for a picture of `length` (none if not known) with tiles of size `tile`.
    #[must_use]
    pub fn new(length: Option<Duration>, tile: Size) -> Self {
        let (interval, tiles) = match length {
            Some(length) => {
                let interval = (length / (MAX_TILES - 2)).max(SHORTEST_INTERVAL);
                // At most MAX_TILES by the choice of the interval.
                let tiles = (length.as_secs_f64() / interval.as_secs_f64()).ceil() as u32 + 1;
                (interval, tiles.min(MAX_TILES))
            }
            None => (INTERVAL_OF_UNKNOWN, MAX_TILES),
        };
        let columns = tiles.clamp(1, COLUMNS);
        Self { interval, columns, rows: tiles.div_ceil(columns).max(1), tile }
    }

    /// Tiles that have room.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.columns * self.rows
    }

    /// The index for tiles whose frames begin at `starts`, of a picture that lasts `length`.
    #[must_use]
    pub fn index(&self, starts: &[Duration], length: Duration) -> String {
        let mut text = String::from("WEBVTT\n");
        let ends = starts.iter().skip(1).copied().chain([length]);
        for (number, (start, end)) in (0..self.capacity()).zip(starts.iter().zip(ends)) {
            let Size { width, height } = self.tile;
            let (x, y) = (number % self.columns * width, number / self.columns * height);
            let (start, end) = (clock(*start), clock(end.max(*start + Duration::from_millis(1))));
            // Writing to a String cannot fail.
            let _ = write!(text, "\n{start} --> {end}\nfilmstrip#xywh={x},{y},{width},{height}\n");
        }
        text
    }
}

/// A WebVTT timestamp.
fn clock(time: Duration) -> String {
    let (seconds, milliseconds) = (time.as_secs(), time.subsec_millis());
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}")
}

/// The times in what FFmpeg's `metadata=print` filter wrote, one for each frame.
#[must_use]
pub fn printed_times(text: &str) -> Vec<Duration> {
    let times = text.lines().filter_map(|line| line.split_once("pts_time:")?.1.trim().parse::<f64>().ok());
    times.filter_map(|seconds| Duration::try_from_secs_f64(seconds).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TILE: Size = Size { width: 160, height: 90 };

    #[test]
    fn the_sheet_stays_small_however_long_the_picture_is() {
        for seconds in [0, 1, 3, 59, 60, 61, 600, 3600, 36_000, 1_000_000] {
            let plan = Plan::new(Some(Duration::from_secs(seconds)), TILE);
            let needed = u64::from(plan.capacity()) * plan.interval.as_millis() as u64;
            assert!(needed >= seconds * 1000, "{seconds} s: {plan:?}");
            assert!(plan.capacity() <= MAX_TILES, "{seconds} s: {plan:?}");
        }
        assert_eq!(Plan::new(None, TILE).capacity(), MAX_TILES);
    }

    #[test]
    fn the_index_names_the_place_of_each_tile() {
        let plan = Plan { interval: Duration::from_secs(1), columns: 2, rows: 2, tile: TILE };
        let starts = [0, 1, 3661].map(Duration::from_secs);
        let index = plan.index(&starts, Duration::from_millis(3_662_500));
        assert_eq!(
            index,
            "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nfilmstrip#xywh=0,0,160,90\n\n\
             00:00:01.000 --> 01:01:01.000\nfilmstrip#xywh=160,0,160,90\n\n\
             01:01:01.000 --> 01:01:02.500\nfilmstrip#xywh=0,90,160,90\n"
        );
    }

    #[test]
    fn times_are_read_from_what_ffmpeg_prints() {
        let text = "frame:0    pts:0       pts_time:0\nlavfi.scd.score=0.000\nframe:1 pts:25 pts_time:1.04\n";
        assert_eq!(printed_times(text), [Duration::ZERO, Duration::from_millis(1040)]);
    }
}
