//! Rows as JSON, written straight from PostgreSQL's binary values.
//!
//! For the few lists that are asked for all the time. What is written is what serde writes of the
//! same values, to the byte; the tests compare both.

use std::io::Write as _;

use diesel::backend::Backend;
use diesel::pg::Pg;
use diesel::row::{Field as _, Row};
use kinora_core::Failure;
use uuid::Uuid;

use crate::{Result, StoreError, instant};

/// From the beginning of 1970 to that of 2000, from which PostgreSQL counts, in microseconds.
const MICROS_BEFORE_2000: i64 = 946_684_800_000_000;

/// What a column holds, and so how it is written. Each may be null.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// `uuid`
    Id,
    /// `text`
    Text,
    /// `text` that is one of the names this says yes to.
    Name(fn(&str) -> bool),
    /// `int8`
    Number,
    /// `timestamptz`
    Instant,
    /// `jsonb` that is a [`Failure`]
    Failure,
}

/// Why a value was not written.
type Unfit = Box<dyn std::error::Error + Send + Sync>;

/// Appends a row as a JSON object with these members, one for each column.
///
/// # Errors
/// [`StoreError::NotUnderstood`] for a value that is not of its form.
pub(crate) fn write<'a>(
    row: &impl Row<'a, Pg>,
    members: &[(&'static str, Form)],
    json: &mut Vec<u8>,
) -> Result<()> {
    for (index, (name, form)) in members.iter().enumerate() {
        json.extend_from_slice(if index == 0 { b"{\"" } else { b",\"" });
        json.extend_from_slice(name.as_bytes());
        json.extend_from_slice(b"\":");
        let field = row.get(index).ok_or_else(|| StoreError::NotUnderstood(format!("no column {name}")))?;
        match field.value() {
            None => json.extend_from_slice(b"null"),
            Some(value) => form
                .write(<Pg as Backend>::RawValue::as_bytes(&value), json)
                .map_err(|error| StoreError::NotUnderstood(format!("{name}: {error}")))?,
        }
    }
    json.push(b'}');
    Ok(())
}

impl Form {
    fn write(self, value: &[u8], json: &mut Vec<u8>) -> Result<(), Unfit> {
        match self {
            Self::Id => {
                let mut quoted = [b'"'; 38];
                if let Some(text) = quoted.get_mut(1..37) {
                    Uuid::from_slice(value)?.hyphenated().encode_lower(text);
                }
                json.extend_from_slice(&quoted);
            }
            Self::Text => put_text(std::str::from_utf8(value)?, json)?,
            Self::Name(is_known) => {
                let name = std::str::from_utf8(value)?;
                if !is_known(name) {
                    return Err(format!("unknown name '{name}'").into());
                }
                put_text(name, json)?;
            }
            Self::Number => serde_json::to_writer(json, &i64::from_be_bytes(value.try_into()?))?,
            Self::Instant => {
                let micros = i64::from_be_bytes(value.try_into()?).checked_add(MICROS_BEFORE_2000);
                let text = micros.and_then(instant::text).ok_or("an instant outside the years 0 to 9999")?;
                json.push(b'"');
                json.extend_from_slice(&text);
                json.push(b'"');
            }
            Self::Failure => match value.split_first() {
                Some((1, text)) => serde_json::to_writer(json, &serde_json::from_slice::<Failure>(text)?)?,
                _ => return Err("jsonb in a form of an unknown version".into()),
            },
        }
        Ok(())
    }
}

/// Appends text in quotes. Most of it needs no escapes, which is found out for many bytes at a time.
fn put_text(text: &str, json: &mut Vec<u8>) -> Result<(), Unfit> {
    let needs_escape = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    if text.bytes().fold(false, |found, byte| found | needs_escape(byte)) {
        return Ok(serde_json::to_writer(json, text)?);
    }
    json.push(b'"');
    json.write_all(text.as_bytes())?;
    json.push(b'"');
    Ok(())
}
