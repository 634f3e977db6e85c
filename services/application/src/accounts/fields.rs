//! Rules for values that serde cannot know.

use kinora_store::sign_in::login_key;

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
    // Compatibility forms can be longer than what was typed.
    if login_key(&text).chars().count() > MAX_LOGIN {
        return Err(Problem::invalid(pointer, "is too long"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(login("/login", &"a".repeat(255)).is_err());
        // One character that normalises to eighteen.
        assert!(login("/login", &"\u{fdfa}".repeat(100)).is_err());
    }
}
