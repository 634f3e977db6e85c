//! Which passwords are good enough: hard to guess, not common, not made of the person's own words.

use std::sync::LazyLock;

use kinora_store::people::PasswordSubject;

use crate::error::Problem;

/// Longest password.
pub const MAX_CHARACTERS: usize = 200;
/// Guesses that a password must withstand.
const LEAST_GUESSES: u64 = 100_000_000;
/// What is estimated: the estimate takes time with the square of the length, and nothing after this
/// makes a good password bad.
const ESTIMATED: usize = 72;
/// Own words shorter than this say nothing.
const LEAST_WORD: usize = 3;
/// What must be left of a password without the person's own words.
const LEAST_REST: usize = 6;

static COMMON: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("../../data/common-passwords.txt").lines().collect());

fn is_common(password: &str) -> bool {
    COMMON.binary_search(&password).is_ok()
}

/// Words that a person's own password must not be made of, longest first.
fn own_words(subject: &PasswordSubject) -> Vec<String> {
    let sources = [&subject.login, &subject.display_name];
    let mut words: Vec<String> = sources
        .into_iter()
        .chain(&subject.organisations)
        .map(String::as_str)
        .chain(["kinora"])
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()).chain([text]))
        .filter(|word| word.chars().count() >= LEAST_WORD)
        .map(str::to_lowercase)
        .collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words.dedup();
    words
}

/// Whether hardly anything is left of the password without the person's own words.
fn is_made_of(password: &str, words: &[String]) -> bool {
    let rest = words.iter().fold(password.to_owned(), |rest, word| rest.replace(word, " "));
    rest != password && rest.chars().filter(|c| c.is_alphabetic()).count() < LEAST_REST
}

/// Judges a new password; `pointer` is where it stands in the request.
///
/// # Errors
/// [`Problem::invalid`] with the reason.
pub fn check(pointer: &str, password: &str, subject: &PasswordSubject) -> Result<(), Problem> {
    let refuse = |reason: &str| Err(Problem::invalid(pointer, reason));
    if password.chars().count() > MAX_CHARACTERS {
        return refuse("must have at most 200 characters");
    }
    let lower = password.to_lowercase();
    if is_common(lower.trim()) {
        return refuse("is one of the most common passwords");
    }
    let words = own_words(subject);
    if is_made_of(&lower, &words) {
        return refuse("is made of your own name, login or organisation");
    }
    let estimated: String = password.chars().take(ESTIMATED).collect();
    let inputs: Vec<&str> = words.iter().map(String::as_str).collect();
    let estimate = zxcvbn::zxcvbn(&estimated, &inputs);
    if estimate.guesses() >= LEAST_GUESSES {
        return Ok(());
    }
    let advice =
        estimate.feedback().and_then(|feedback| feedback.warning()).map(|warning| warning.to_string());
    match advice {
        Some(advice) => refuse(&format!("is too easy to guess: {advice}")),
        None => refuse("is too easy to guess: make it longer, for example several words without connection"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> PasswordSubject {
        PasswordSubject {
            login: "ada.lovelace@analytical.example".into(),
            display_name: "Ada Lovelace".into(),
            organisations: vec!["Babbage Pictures".into()],
            password_hash: None,
        }
    }

    fn reason(password: &str) -> Option<String> {
        check("/new_password", password, &subject()).err().map(|problem| problem.document("r"))
    }

    #[test]
    fn the_list_is_long_sorted_and_lower_case() {
        assert!(COMMON.len() >= 30_000, "{}", COMMON.len());
        assert!(COMMON.is_sorted());
        assert!(COMMON.iter().all(|word| *word == word.to_lowercase()));
    }

    #[test]
    fn good_passwords_are_accepted() {
        for password in [
            "correct horse battery staple",
            "vK8#qLz2!mWx",
            "Регенбоген-над-облаками-7",
            "ada swims with 9 turtles",
        ] {
            assert_eq!(reason(password), None, "{password}");
        }
    }

    #[test]
    fn common_ones_are_refused_however_they_are_typed() {
        for password in ["123456", "PassWord", "qwertyuiop", "trustno1", " letmein "] {
            assert!(reason(password).is_some_and(|r| r.contains("most common")), "{password}");
        }
    }

    #[test]
    fn seven_characters_are_never_enough() {
        for password in ["vK8#qLz", "§¶ĸŋđ€ß", "z0!Q_e;", "éíôüñçå", "7#fQ~Zp", "日本語のパス語"]
        {
            assert_eq!(password.chars().count(), 7);
            assert!(reason(password).is_some(), "{password}");
        }
    }

    #[test]
    fn own_words_are_refused() {
        for password in [
            "AdaLovelace1843!",
            "BabbagePictures2026",
            "ada.lovelace@analytical.example",
            "lovelaceAnalyticalBabbage99",
        ] {
            assert!(reason(password).is_some_and(|r| r.contains("your own")), "{password}");
        }
    }

    #[test]
    fn easy_ones_are_refused_with_a_reason() {
        for password in ["", "abc", "aaaaaaaaaaaaaaaa", "abcabcabcabc", "p4ssw0rd2020", "asdfghjkl;"] {
            assert!(reason(password).is_some(), "{password}");
        }
        assert!(reason(&"x".repeat(201)).is_some_and(|r| r.contains("200")));
    }
}
