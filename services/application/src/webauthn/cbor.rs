//! As much of CBOR (RFC 8949) as authenticators send: definite lengths, no tags, no fractions, little depth.

use super::Refusal;

/// Deepest nesting; CTAP allows four levels.
const MAX_DEPTH: u8 = 6;

/// A decoded item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Int(i64),
    Bytes(&'a [u8]),
    Text(&'a str),
    Array(Vec<Value<'a>>),
    Map(Vec<(Value<'a>, Value<'a>)>),
    /// false, true, null, undefined and what else has no content.
    Simple(u8),
}

impl<'a> Value<'a> {
    /// The value of a text key of a map.
    pub(super) fn text_key(&self, name: &str) -> Option<&Self> {
        self.find(|key| matches!(key, Value::Text(text) if *text == name))
    }

    /// The value of a number key of a map.
    pub(super) fn int_key(&self, number: i64) -> Option<&Self> {
        self.find(|key| *key == Value::Int(number))
    }

    fn find(&self, is_key: impl Fn(&Value<'a>) -> bool) -> Option<&Self> {
        let Value::Map(pairs) = self else { return None };
        pairs.iter().find(|(key, _)| is_key(key)).map(|(_, value)| value)
    }

    /// The bytes, if it is bytes.
    pub(super) fn bytes(&self) -> Option<&'a [u8]> {
        if let Value::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// The number, if it is one.
    pub(super) fn int(&self) -> Option<i64> {
        if let Value::Int(number) = self { Some(*number) } else { None }
    }
}

/// The one item that all of `bytes` are.
pub(super) fn decode_all(bytes: &[u8]) -> Result<Value<'_>, Refusal> {
    match decode(bytes)? {
        (value, []) => Ok(value),
        _ => Err(Refusal::Malformed("bytes after the end")),
    }
}

/// The first item of `bytes`, and what follows it.
pub(super) fn decode(bytes: &[u8]) -> Result<(Value<'_>, &[u8]), Refusal> {
    item(bytes, 0)
}

const BROKEN: Refusal = Refusal::Malformed("no CBOR that is understood");

fn split(bytes: &[u8], count: u64) -> Result<(&[u8], &[u8]), Refusal> {
    usize::try_from(count).ok().and_then(|count| bytes.split_at_checked(count)).ok_or(BROKEN)
}

fn item(bytes: &[u8], depth: u8) -> Result<(Value<'_>, &[u8]), Refusal> {
    if depth > MAX_DEPTH {
        return Err(BROKEN);
    }
    let (&initial, rest) = bytes.split_first().ok_or(BROKEN)?;
    let (major, detail) = (initial >> 5, initial & 0x1f);
    let (argument, rest) = argument(detail, rest)?;
    let number = || i64::try_from(argument).map_err(|_| BROKEN);
    match major {
        0 => Ok((Value::Int(number()?), rest)),
        1 => Ok((Value::Int(-1 - number()?), rest)),
        2 => split(rest, argument).map(|(content, rest)| (Value::Bytes(content), rest)),
        3 => {
            let (content, rest) = split(rest, argument)?;
            Ok((Value::Text(std::str::from_utf8(content).map_err(|_| BROKEN)?), rest))
        }
        4 => array(rest, argument, depth),
        5 => map(rest, argument, depth),
        7 if detail < 24 => Ok((Value::Simple(detail), rest)),
        _ => Err(BROKEN),
    }
}

fn argument(detail: u8, bytes: &[u8]) -> Result<(u64, &[u8]), Refusal> {
    let width = match detail {
        0..=23 => return Ok((u64::from(detail), bytes)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return Err(BROKEN),
    };
    let (head, rest) = split(bytes, width)?;
    Ok((head.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), rest))
}

fn array(mut bytes: &[u8], count: u64, depth: u8) -> Result<(Value<'_>, &[u8]), Refusal> {
    // Nothing is reserved for what is only announced: an item takes a byte at least.
    let mut items = Vec::new();
    for _ in 0..count {
        let (value, rest) = item(bytes, depth + 1)?;
        items.push(value);
        bytes = rest;
    }
    Ok((Value::Array(items), bytes))
}

fn map(mut bytes: &[u8], count: u64, depth: u8) -> Result<(Value<'_>, &[u8]), Refusal> {
    let mut pairs: Vec<(Value<'_>, Value<'_>)> = Vec::new();
    for _ in 0..count {
        let (key, rest) = item(bytes, depth + 1)?;
        let (value, rest) = item(rest, depth + 1)?;
        if pairs.iter().any(|(earlier, _)| *earlier == key) {
            return Err(Refusal::Malformed("a key stands twice"));
        }
        pairs.push((key, value));
        bytes = rest;
    }
    Ok((Value::Map(pairs), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_specification_are_read() {
        // RFC 8949, appendix A.
        for (text, value) in [
            ("00", Value::Int(0)),
            ("17", Value::Int(23)),
            ("1818", Value::Int(24)),
            ("1903e8", Value::Int(1000)),
            ("1a000f4240", Value::Int(1_000_000)),
            ("1b000000e8d4a51000", Value::Int(1_000_000_000_000)),
            ("20", Value::Int(-1)),
            ("3903e7", Value::Int(-1000)),
            ("f5", Value::Simple(21)),
            ("40", Value::Bytes(b"")),
            ("4401020304", Value::Bytes(&[1, 2, 3, 4])),
            ("6449455446", Value::Text("IETF")),
            ("80", Value::Array(vec![])),
            (
                "8201820203",
                Value::Array(vec![Value::Int(1), Value::Array(vec![Value::Int(2), Value::Int(3)])]),
            ),
            ("a10102", Value::Map(vec![(Value::Int(1), Value::Int(2))])),
        ] {
            assert_eq!(decode_all(&hex::decode(text).unwrap()), Ok(value), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_without_effort() {
        for text in [
            "",
            "18",
            "1a0000",
            "44010203",
            "62c328",
            "9f01ff",
            "5f4101ff",
            "c11a514b67b0",
            "fb3ff199999999999a",
            "0000",
            "a201020103",
            "9bffffffffffffffff",
            "5bffffffffffffffff",
            "1bffffffffffffffff",
            "3bffffffffffffffff",
            "818181818181818100",
        ] {
            assert!(decode_all(&hex::decode(text).unwrap()).is_err(), "{text}");
        }
    }
}
