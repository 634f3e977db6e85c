//! Instants in JSON: RFC 3339 in UTC with microseconds, what PostgreSQL keeps.
//!
//! Lists are full of instants; chrono's general formatter would take a third of the time that a
//! whole list takes.

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::{Serialize, Serializer};

/// `2026-11-22T00:41:39.123456Z`
const LENGTH: usize = 27;

fn put(text: &mut [u8; LENGTH], start: usize, digits: usize, mut value: u32) {
    for slot in text.iter_mut().skip(start).take(digits).rev() {
        *slot = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// For `#[serde(serialize_with = …)]`.
pub(crate) fn serialize<S: Serializer>(instant: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    let naive = instant.naive_utc();
    let Some(year) = u32::try_from(naive.year()).ok().filter(|year| *year <= 9999) else {
        return instant.serialize(serializer);
    };
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    put(&mut text, 0, 4, year);
    put(&mut text, 5, 2, naive.month());
    put(&mut text, 8, 2, naive.day());
    put(&mut text, 11, 2, naive.hour());
    put(&mut text, 14, 2, naive.minute());
    put(&mut text, 17, 2, naive.second());
    put(&mut text, 20, 6, (naive.nanosecond() % 1_000_000_000) / 1000);
    match std::str::from_utf8(&text) {
        Ok(text) => serializer.serialize_str(text),
        Err(error) => Err(serde::ser::Error::custom(error)),
    }
}

/// The same for instants that may be absent.
pub(crate) mod optional {
    use super::{DateTime, Serializer, Utc};

    /// For `#[serde(serialize_with = …)]`.
    pub(crate) fn serialize<S: Serializer>(
        instant: &Option<DateTime<Utc>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match instant {
            Some(instant) => super::serialize(instant, serializer),
            None => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    #[derive(serde::Serialize)]
    struct Holder {
        #[serde(serialize_with = "super::serialize")]
        at: DateTime<Utc>,
        #[serde(serialize_with = "super::optional::serialize")]
        end: Option<DateTime<Utc>>,
    }

    #[test]
    fn an_instant_is_written_as_chrono_reads_it() {
        for micros in [0, 1, 951_782_399_999_999, 1_795_308_099_123_456, 253_402_300_799_999_999, -1] {
            let at = DateTime::from_timestamp_micros(micros).unwrap();
            let json = serde_json::to_value(Holder { at, end: Some(at) }).unwrap();
            let text = json["at"].as_str().unwrap();
            assert_eq!(text.parse::<DateTime<Utc>>().unwrap(), at, "{text}");
            assert_eq!(json["end"], json["at"]);
            assert_eq!(text.len(), super::LENGTH);
        }
        let none = serde_json::to_value(Holder { at: DateTime::UNIX_EPOCH, end: None }).unwrap();
        assert!(none["end"].is_null());
    }
}
