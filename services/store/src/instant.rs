//! Instants in JSON: RFC 3339 in UTC with microseconds, what PostgreSQL keeps.
//!
//! Lists are full of instants; chrono's general formatter would take a third of the time that a
//! whole list takes.

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

/// `2026-11-22T00:41:39.123456Z`
pub(crate) const LENGTH: usize = 27;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// Days of 400 years, after which the calendar repeats.
const DAYS_PER_ERA: i64 = 146_097;
/// From 1 March of the year 0 to the beginning of 1970.
const DAYS_BEFORE_1970: i64 = 719_468;

/// The decimal digits of a number below 100.
fn pair(value: i64) -> [u8; 2] {
    [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]
}

/// Year, month and day of a day counted from the beginning of 1970 (Howard Hinnant's `civil_from_days`:
/// years begin in March, so that the leap day is the last one).
fn date(day: i64) -> (i64, i64, i64) {
    let shifted = day + DAYS_BEFORE_1970;
    let era = shifted.div_euclid(DAYS_PER_ERA);
    let day_of_era = shifted.rem_euclid(DAYS_PER_ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + 400 * era + i64::from(month <= 2), month, day_of_month)
}

/// The text of an instant, given in microseconds since 1970; none outside the years 0 to 9999.
pub(crate) fn text(micros: i64) -> Option<[u8; LENGTH]> {
    let (seconds, fraction) = (micros.div_euclid(MICROS_PER_SECOND), micros.rem_euclid(MICROS_PER_SECOND));
    let (year, month, day) = date(seconds.div_euclid(SECONDS_PER_DAY));
    let of_day = seconds.rem_euclid(SECONDS_PER_DAY);
    if !(0..=9999).contains(&year) {
        return None;
    }
    let ([y1, y2], [y3, y4]) = (pair(year / 100), pair(year % 100));
    let ([o1, o2], [d1, d2]) = (pair(month), pair(day));
    let ([h1, h2], [m1, m2], [s1, s2]) = (pair(of_day / 3600), pair(of_day / 60 % 60), pair(of_day % 60));
    let ([f1, f2], [f3, f4], [f5, f6]) =
        (pair(fraction / 10_000), pair(fraction / 100 % 100), pair(fraction % 100));
    Some([
        y1, y2, y3, y4, b'-', o1, o2, b'-', d1, d2, b'T', h1, h2, b':', m1, m2, b':', s1, s2, b'.', f1, f2,
        f3, f4, f5, f6, b'Z',
    ])
}

/// For `#[serde(serialize_with = …)]`.
pub(crate) fn serialize<S: Serializer>(instant: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    let Some(text) = text(instant.timestamp_micros()) else { return instant.serialize(serializer) };
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
    use chrono::{DateTime, Datelike as _, NaiveDate, Utc};

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

    #[test]
    fn every_day_of_ten_thousand_years_is_the_one_that_chrono_names() {
        for day in -719_528..=2_932_896 {
            let named = NaiveDate::from_epoch_days(day).unwrap();
            let expected = (i64::from(named.year()), i64::from(named.month()), i64::from(named.day()));
            assert_eq!(super::date(i64::from(day)), expected);
        }
        let micros_of_day = 86_400_000_000;
        for outside in [-719_529 * micros_of_day, 2_932_897 * micros_of_day, i64::MIN, i64::MAX] {
            assert_eq!(super::text(outside), None);
        }
    }
}
