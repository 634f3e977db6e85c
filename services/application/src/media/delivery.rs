//! How files go out: which part was asked for, whether the client has it already, and under which name
//! it is saved. Pure functions of header texts (RFC 9110, RFC 6266, RFC 8187).

use std::fmt::Write as _;

/// What a request for a file of `size` bytes is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// All of it (200).
    Whole,
    /// Only these bytes (206): the first, and the one after the last.
    Part(u64, u64),
    /// The client has it already (304).
    NotModified,
    /// There are no such bytes (416).
    Unsatisfiable,
}

/// The conditions of a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conditions<'a> {
    /// `If-None-Match`
    pub if_none_match: Option<&'a str>,
    /// `If-Range`
    pub if_range: Option<&'a str>,
    /// `Range`
    pub range: Option<&'a str>,
}

/// Decides by RFC 9110 sections 13 and 14. `etag` is strong and comes with its quotes. Several ranges at
/// once are answered with the whole file, as the RFC allows.
#[must_use]
pub fn decide(conditions: Conditions<'_>, etag: &str, size: u64) -> Answer {
    if conditions.if_none_match.is_some_and(|header| matches_weakly(header, etag)) {
        return Answer::NotModified;
    }
    // If-Range takes strong comparison: a weak tag or a date never matches.
    if conditions.if_range.is_some_and(|header| header.trim() != etag) {
        return Answer::Whole;
    }
    conditions.range.map_or(Answer::Whole, |header| parse_range(header, size))
}

fn matches_weakly(header: &str, etag: &str) -> bool {
    header.trim() == "*"
        || header.split(',').map(str::trim).any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// What is not a valid single range of bytes is ignored, as the RFC demands.
fn parse_range(header: &str, size: u64) -> Answer {
    let Some((unit, set)) = header.split_once('=') else { return Answer::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return Answer::Whole;
    }
    let Some((first, last)) = set.trim().split_once('-') else { return Answer::Whole };
    let number = |text: &str| -> Option<Option<u64>> {
        let text = text.trim();
        if text.is_empty() {
            return Some(None);
        }
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        // A number that is too large for us is larger than every file.
        is_number.then(|| Some(text.parse().unwrap_or(u64::MAX)))
    };
    match (number(first), number(last)) {
        (Some(None), Some(Some(length))) => match length.min(size) {
            0 => Answer::Unsatisfiable,
            length => Answer::Part(size - length, size),
        },
        (Some(Some(first)), Some(last)) => {
            if last.is_some_and(|last| last < first) {
                return Answer::Whole;
            }
            if first >= size {
                return Answer::Unsatisfiable;
            }
            Answer::Part(first, last.map_or(size, |last| last.saturating_add(1).min(size)))
        }
        _ => Answer::Whole,
    }
}

/// `Content-Disposition` for saving under `name` (RFC 6266 with RFC 8187). What browsers would take for
/// a path, or could not save, is replaced.
#[must_use]
pub fn attachment(name: &str) -> String {
    disposition("attachment", name)
}

/// `Content-Disposition` for showing, saved under `name` if the person wants.
#[must_use]
pub fn inline(name: &str) -> String {
    disposition("inline", name)
}

fn disposition(kind: &str, name: &str) -> String {
    let name: String = name
        .chars()
        .map(|c| {
            if c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|') {
                '_'
            } else {
                c
            }
        })
        .filter(|c| !is_bidirectional_control(*c))
        .collect();
    let name = shorten(name.trim().trim_start_matches('.'));
    let name = if name.is_empty() { "file" } else { name.as_str() };
    let plain: String = name.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect();
    let mut value = format!("{kind}; filename=\"{plain}\"");
    if plain != name || plain.contains('%') {
        value.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            // attr-char of RFC 8187.
            if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
                value.push(char::from(byte));
            } else {
                let _ = write!(value, "%{byte:02X}");
            }
        }
    }
    value
}

/// Characters that turn the direction of what follows and so hide the end of a name.
fn is_bidirectional_control(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// At most 240 bytes, which every file system takes, keeping the end with the extension.
fn shorten(name: &str) -> String {
    const LONGEST_BYTES: usize = 240;
    const TAIL_BYTES: usize = 20;
    if name.len() <= LONGEST_BYTES {
        return name.to_owned();
    }
    let mut head = LONGEST_BYTES - TAIL_BYTES;
    while !name.is_char_boundary(head) {
        head -= 1;
    }
    let mut tail = name.len() - TAIL_BYTES;
    while !name.is_char_boundary(tail) {
        tail += 1;
    }
    format!("{}{}", name.get(..head).unwrap_or_default(), name.get(tail..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "\"abc\"";

    fn range(header: &str, size: u64) -> Answer {
        decide(Conditions { range: Some(header), ..Conditions::default() }, TAG, size)
    }

    #[test]
    fn ranges() {
        let large = 5_000_000_000;
        let table = [
            ("bytes=0-", 10, Answer::Part(0, 10)),
            ("bytes=0-0", 10, Answer::Part(0, 1)),
            ("bytes=3-5", 10, Answer::Part(3, 6)),
            ("bytes=9-", 10, Answer::Part(9, 10)),
            ("bytes=5-100", 10, Answer::Part(5, 10)),
            ("bytes=-3", 10, Answer::Part(7, 10)),
            ("bytes=-100", 10, Answer::Part(0, 10)),
            ("Bytes = 1 - 2", 10, Answer::Part(1, 3)),
            ("bytes=4999999999-", large, Answer::Part(4_999_999_999, large)),
            ("bytes=0-99999999999999999999999", 10, Answer::Part(0, 10)),
            ("bytes=10-", 10, Answer::Unsatisfiable),
            ("bytes=10-20", 10, Answer::Unsatisfiable),
            ("bytes=-0", 10, Answer::Unsatisfiable),
            ("bytes=0-", 0, Answer::Unsatisfiable),
            ("bytes=-1", 0, Answer::Unsatisfiable),
            ("bytes=99999999999999999999999-", 10, Answer::Unsatisfiable),
            // Not a single valid range: as if there were none.
            ("bytes=5-3", 10, Answer::Whole),
            ("bytes=0-1,4-5", 10, Answer::Whole),
            ("bytes=-", 10, Answer::Whole),
            ("bytes=a-b", 10, Answer::Whole),
            ("bytes", 10, Answer::Whole),
            ("lines=0-1", 10, Answer::Whole),
            ("bytes=+1-2", 10, Answer::Whole),
            ("", 10, Answer::Whole),
        ];
        for (header, size, answer) in table {
            assert_eq!(range(header, size), answer, "{header}");
        }
    }

    #[test]
    fn conditions_come_before_ranges() {
        let with = |if_none_match, if_range| {
            decide(Conditions { if_none_match, if_range, range: Some("bytes=1-2") }, TAG, 10)
        };
        assert_eq!(with(Some("\"abc\""), None), Answer::NotModified);
        assert_eq!(with(Some("\"x\", W/\"abc\""), None), Answer::NotModified);
        assert_eq!(with(Some("*"), None), Answer::NotModified);
        assert_eq!(with(Some("\"x\""), None), Answer::Part(1, 3));
        assert_eq!(with(None, Some("\"abc\"")), Answer::Part(1, 3));
        assert_eq!(with(None, Some("W/\"abc\"")), Answer::Whole);
        assert_eq!(with(None, Some("\"old\"")), Answer::Whole);
        assert_eq!(with(None, Some("Sun, 22 Nov 2026 00:00:00 GMT")), Answer::Whole);
    }

    #[test]
    fn names_cannot_break_out() {
        let table = [
            ("take 1.mov", "attachment; filename=\"take 1.mov\""),
            ("../../etc/passwd", "attachment; filename=\"_.._etc_passwd\""),
            ("a\r\nSet-Cookie: x=y.mov", "attachment; filename=\"a__Set-Cookie_ x=y.mov\""),
            ("a\"; filename=\"b", "attachment; filename=\"a_; filename=_b\""),
            ("", "attachment; filename=\"file\""),
            ("...", "attachment; filename=\"file\""),
            ("100%.mov", "attachment; filename=\"100%.mov\"; filename*=UTF-8''100%25.mov"),
            (
                "été €.mov",
                "attachment; filename=\"_t_ _.mov\"; filename*=UTF-8''%C3%A9t%C3%A9%20%E2%82%AC.mov",
            ),
            ("\u{202e}vom.exe", "attachment; filename=\"vom.exe\""),
        ];
        for (name, value) in table {
            assert_eq!(attachment(name), value, "{name}");
        }
        for name in ["x".repeat(300) + ".mov", "🎬".repeat(300) + ".mov", "é".repeat(299) + ".mov"] {
            let value = attachment(&name);
            assert!(value.is_ascii() && value.len() < 1000, "{value}");
            assert!(value.ends_with(".mov\"") || value.ends_with(".mov"), "{value}");
        }
        assert!(inline("a.jpg").starts_with("inline; "));
    }
}
