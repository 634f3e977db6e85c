//! Values that settings are written in: spans of time like `"30s"` and sizes like `"16 MiB"`.

use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};

/// A span of time: `"500ms"`, `"30s"`, `"5m"`, `"2h"`, `"7d"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl Span {
    /// The span.
    #[must_use]
    pub fn get(self) -> Duration {
        self.0
    }
}

/// A number of bytes: `"512"`, `"64 KiB"`, `"16 MiB"`, `"100 GiB"`, `"2 TiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// The number of bytes.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

/// A whole number and its unit.
fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim()))
}

fn parse_span(text: &str) -> Option<Duration> {
    let (number, unit) = split(text.trim())?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        "d" => 24 * 60 * 60 * 1000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}

fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = split(text.trim())?;
    let shift = match unit {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return None,
    };
    number.checked_mul(1_u64 << shift)
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_span(&text).map(Self).ok_or_else(|| {
            D::Error::custom(format!(
                "'{text}' is not a span of time: write \"500ms\", \"30s\", \"5m\", \"2h\" or \"7d\""
            ))
        })
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_size(&text).map(Self).ok_or_else(|| {
            D::Error::custom(format!(
                "'{text}' is not a size: write \"512 B\", \"64 KiB\", \"16 MiB\", \"100 GiB\" or \"2 TiB\""
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_sizes() {
        assert_eq!(parse_span("90s"), Some(Duration::from_secs(90)));
        assert_eq!(parse_span("2 h"), Some(Duration::from_secs(7200)));
        assert_eq!(parse_size("64 KiB"), Some(65536));
        assert_eq!(parse_size("7"), Some(7));
        for bad in
            ["", "s", "-1s", "1.5h", "5", "5 parsecs", "99999999999999999999s", "18446744073709551615d"]
        {
            assert_eq!(parse_span(bad), None, "{bad}");
        }
        for bad in ["", "MiB", "1 MB", "99999999999999999999", "18446744073709551615 TiB"] {
            assert_eq!(parse_size(bad), None, "{bad}");
        }
    }
}
