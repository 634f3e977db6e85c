//! The texts of tokens: what is shown once, and the digest that is stored of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::error::ErrorStack;
use openssl::rand::rand_bytes;
use sha2::{Digest as _, Sha256};

/// SHA-256 of a token: what the database keeps of it.
pub type Digest = [u8; 32];

/// What API access tokens begin with, so that scanners find those that leaked.
pub const TOKEN_PREFIX: &str = "kinora_";
/// What the tokens of identity providers for provisioning begin with.
pub const PROVISIONING_PREFIX: &str = "kinora_scim_";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 43 of 62 characters: 256 bits.
const TOKEN_BODY: usize = 43;
const TOKEN_CHECK: usize = 6;
/// Letters that cannot be mistaken for one another when read aloud or from paper.
const CLEAR: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
/// Of 31: 138 bits.
const CODE_LETTERS: usize = 28;

/// SHA-256 of a token.
#[must_use]
pub fn digest(token: &str) -> Digest {
    Sha256::digest(token.as_bytes()).into()
}

/// 32 random bytes as text that fits into URLs and cookies.
///
/// # Errors
/// If the system gives no random bytes.
pub fn random_token() -> Result<String, ErrorStack> {
    let mut bytes = [0_u8; 32];
    rand_bytes(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn letters(bytes: impl IntoIterator<Item = u8>) -> String {
    bytes.into_iter().filter_map(|byte| ALPHABET.get(usize::from(byte)).copied()).map(char::from).collect()
}

/// Six characters that tell a mistyped token from a revoked one without a look into the database.
fn check_of(body: &str) -> String {
    let hash = Sha256::digest(format!("kinora token check {body}").as_bytes());
    letters(hash.iter().take(TOKEN_CHECK).map(|byte| byte % 62))
}

/// A new API access token: prefix, 256 random bits, check characters.
///
/// # Errors
/// If the system gives no random bytes.
pub fn new_access_token() -> Result<String, ErrorStack> {
    new_token(TOKEN_PREFIX)
}

/// A new token for provisioning, of the same form.
///
/// # Errors
/// If the system gives no random bytes.
pub fn new_provisioning_token() -> Result<String, ErrorStack> {
    new_token(PROVISIONING_PREFIX)
}

fn new_token(prefix: &str) -> Result<String, ErrorStack> {
    let mut body = String::new();
    while body.len() < TOKEN_BODY {
        let mut bytes = [0_u8; 64];
        rand_bytes(&mut bytes)?;
        // Only values below 62 are used, so that all characters are equally likely.
        let usable = bytes.into_iter().map(|byte| byte & 63).filter(|value| *value < 62);
        body.push_str(&letters(usable.take(TOKEN_BODY - body.len())));
    }
    Ok(format!("{prefix}{body}{}", check_of(&body)))
}

/// A new recovery code: seven groups of four letters that cannot be mistaken for one another, 138 bits. Those of former
/// releases have four groups, and work on.
///
/// # Errors
/// If the system gives no random bytes.
pub fn new_recovery_code() -> Result<String, ErrorStack> {
    let mut letters: Vec<char> = Vec::with_capacity(CODE_LETTERS);
    while letters.len() < CODE_LETTERS {
        let mut bytes = [0_u8; 2 * CODE_LETTERS];
        rand_bytes(&mut bytes)?;
        // Those beyond the last letter are passed over, so that all are equally likely.
        let drawn = bytes.iter().filter_map(|byte| CLEAR.get(usize::from(byte & 31)));
        letters.extend(drawn.take(CODE_LETTERS - letters.len()).map(|letter| char::from(*letter)));
    }
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    Ok(groups.join("-"))
}

/// How many digits a code sent by mail has: 26 bits.
pub const EMAIL_CODE_DIGITS: usize = 8;

/// A new code to be sent by mail, all equally likely.
///
/// # Errors
/// If the system gives no random bytes.
pub fn new_email_code() -> Result<String, ErrorStack> {
    const CODES: u32 = 100_000_000;
    // The rest above the last whole round of codes is drawn again.
    const ROUNDS: u32 = u32::MAX / CODES * CODES;
    loop {
        let mut bytes = [0_u8; 4];
        rand_bytes(&mut bytes)?;
        let drawn = u32::from_be_bytes(bytes);
        if drawn < ROUNDS {
            return Ok(format!("{:0width$}", drawn % CODES, width = EMAIL_CODE_DIGITS));
        }
    }
}

/// Whether the text can be an API access token at all.
#[must_use]
pub fn is_access_token(text: &str) -> bool {
    is_token(TOKEN_PREFIX, text)
}

/// Whether the text can be a token for provisioning at all.
#[must_use]
pub fn is_provisioning_token(text: &str) -> bool {
    is_token(PROVISIONING_PREFIX, text)
}

fn is_token(prefix: &str, text: &str) -> bool {
    text.strip_prefix(prefix)
        .and_then(|rest| rest.split_at_checked(TOKEN_BODY))
        .is_some_and(|(body, check)| check == check_of(body))
}

/// The last characters of a token, to tell tokens apart in a list.
#[must_use]
pub fn hint_of(token: &str) -> String {
    token.chars().skip(token.chars().count().saturating_sub(4)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_codes_can_be_read_aloud() {
        let code = new_recovery_code().unwrap();
        let groups: Vec<&str> = code.split('-').collect();
        assert_eq!(groups.len(), 7, "{code}");
        assert!(
            groups.iter().all(|group| group.len() == 4 && !group.contains(['i', 'l', 'o', '0', '1'])),
            "{code}"
        );
        assert_ne!(code, new_recovery_code().unwrap());
    }

    #[test]
    fn codes_sent_by_mail_are_digits() {
        let codes: std::collections::BTreeSet<String> = (0..200).map(|_| new_email_code().unwrap()).collect();
        assert!(codes.iter().all(|code| code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_digit())));
        assert!(codes.len() > 190, "{}", codes.len());
    }

    #[test]
    fn access_tokens_are_recognisable_and_checked() {
        let token = new_access_token().unwrap();
        assert_eq!(token.len(), TOKEN_PREFIX.len() + TOKEN_BODY + TOKEN_CHECK);
        assert!(is_access_token(&token));
        assert_ne!(token, new_access_token().unwrap());
        assert!(!is_access_token(&token.replace("kinora_", "github_")));
        let last = if token.ends_with('A') { "B" } else { "A" };
        assert!(!is_access_token(&format!("{}{last}", &token[..token.len() - 1])));
        assert!(!is_access_token("kinora_é"));
        assert!(token.ends_with(&hint_of(&token)));
        // Made elsewhere too: ansible/tests/test_authority.py has the same text.
        assert!(is_access_token(&format!("kinora_{}UA66nB", "0".repeat(43))));
        // One kind is never taken for the other.
        let other = new_provisioning_token().unwrap();
        assert!(is_provisioning_token(&other) && !is_access_token(&other));
        assert!(!is_provisioning_token(&token));
    }
}
