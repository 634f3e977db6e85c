//! Rules for values that serde cannot know.

use chrono::{DateTime, TimeDelta, Utc};
use kinora_core::mail::is_address;
use kinora_store::service_accounts::LOGIN_PREFIX;
use kinora_store::sign_in::login_key;
use serde::{Deserialize, Deserializer};

use crate::error::Problem;

/// Longest login: that of an e-mail address (RFC 5321).
pub const MAX_LOGIN: usize = 254;
/// Longest name of a person, organisation or production.
pub const MAX_NAME: usize = 200;

/// Characters that would let a text look like another one: controls, and overrides of direction.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A name: trimmed, 1 to `max` characters, nothing hidden in it.
///
/// # Errors
/// [`Problem::invalid`] at `pointer`.
pub fn name(pointer: &str, text: &str, max: usize) -> Result<String, Problem> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 {
        return Err(Problem::invalid(pointer, "must not be empty"));
    }
    if length > max {
        return Err(Problem::invalid(pointer, format!("must have at most {max} characters, has {length}")));
    }
    if text.chars().any(is_hidden) {
        return Err(Problem::invalid(pointer, "must not contain control or invisible characters"));
    }
    Ok(text.to_owned())
}

/// A login: like a name, without spaces.
///
/// # Errors
/// [`Problem::invalid`] at `pointer`.
pub fn login(pointer: &str, text: &str) -> Result<String, Problem> {
    let text = name(pointer, text, MAX_LOGIN)?;
    if text.chars().any(char::is_whitespace) {
        return Err(Problem::invalid(pointer, "must not contain spaces"));
    }
    // Programs are called so, in the audit trail too: nobody is to be taken for one.
    if login_key(&text).starts_with(LOGIN_PREFIX) {
        return Err(Problem::invalid(pointer, format!("must not begin with {LOGIN_PREFIX:?}")));
    }
    // Compatibility forms can be longer than what was typed.
    if login_key(&text).chars().count() > MAX_LOGIN {
        return Err(Problem::invalid(pointer, "is too long"));
    }
    Ok(text)
}

/// An address that mail can be sent to.
///
/// # Errors
/// [`Problem::invalid`] at `pointer`.
pub fn address(pointer: &str, text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if is_address(text) {
        Ok(text.to_owned())
    } else {
        Err(Problem::invalid(pointer, "must be an e-mail address such as ada@studio.example"))
    }
}

/// Longest time ahead that makes sense; PostgreSQL and clients cannot keep every instant that chrono can.
const LONGEST_AHEAD: TimeDelta = TimeDelta::days(3660);

/// An end that is still to come, at most ten years ahead.
///
/// # Errors
/// [`Problem::invalid`] at `pointer`.
pub fn future(pointer: &str, end: DateTime<Utc>) -> Result<(), Problem> {
    let now = Utc::now();
    if end <= now {
        return Err(Problem::invalid(pointer, "must be in the future"));
    }
    if end > now + LONGEST_AHEAD {
        return Err(Problem::invalid(pointer, "must be within the next ten years"));
    }
    Ok(())
}

/// Tells a field that is `null` from one that is left out (with `#[serde(default)]`).
///
/// # Errors
/// Those of the value.
pub fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_to_come() {
        let now = Utc::now();
        assert!(future("/ends_at", now + TimeDelta::days(1)).is_ok());
        for bad in [now - TimeDelta::seconds(1), now + TimeDelta::days(4000), DateTime::<Utc>::MAX_UTC] {
            assert!(future("/ends_at", bad).is_err(), "{bad}");
        }
        assert_eq!(address("/address", " ada@studio.example ").unwrap(), "ada@studio.example");
        assert!(address("/address", "ada").is_err());
    }

    #[test]
    fn names() {
        assert_eq!(name("/name", " Rushes 1 ", 10).unwrap(), "Rushes 1");
        assert!(name("/name", "Ω 映画 🎬", 10).is_ok());
        for bad in ["", "   ", "01234567890", "a\nb", "a\u{202e}b", "a\u{7}"] {
            let document = name("/name", bad, 10).unwrap_err().document("r");
            assert!(document.contains("\"pointer\":\"/name\""), "{bad:?}");
        }
    }

    #[test]
    fn logins() {
        assert_eq!(login("/login", "ada@studio.example").unwrap(), "ada@studio.example");
        assert!(login("/login", "ada lovelace").is_err());
        assert!(login("/login", "Service:export").is_err());
        assert!(login("/login", &"a".repeat(255)).is_err());
        // One character that normalises to eighteen.
        assert!(login("/login", &"\u{fdfa}".repeat(100)).is_err());
    }
}
