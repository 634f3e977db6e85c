//! Secrets come from files or standard input, never from the command line, where everybody on the
//! host could read them.

use std::fmt;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

/// A secret that cannot be printed by mistake.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why no secret was read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file cannot be read.
    #[error("{0} cannot be read: {1}")]
    File(String, io::Error),
    /// Standard input cannot be read.
    #[error("standard input cannot be read: {0}")]
    Input(io::Error),
    /// There was nothing.
    #[error("{0} is empty: the {1} is expected there")]
    Empty(String, &'static str),
}

/// Reads the first line of a file, or of standard input; asks for it at a terminal. `what` is
/// "password" or "access token".
pub fn read_secret(file: Option<&Path>, what: &'static str) -> Result<Secret, InputError> {
    let (text, place) = match file {
        Some(path) => {
            let place = path.display().to_string();
            (std::fs::read_to_string(path).map_err(|error| InputError::File(place.clone(), error))?, place)
        }
        None => (read_line(what).map_err(InputError::Input)?, "standard input".to_owned()),
    };
    let secret = text.lines().next().unwrap_or_default();
    if secret.is_empty() {
        return Err(InputError::Empty(place, what));
    }
    Ok(Secret(secret.to_owned()))
}

fn read_line(what: &str) -> io::Result<String> {
    let stdin = io::stdin();
    let is_terminal = stdin.is_terminal();
    if is_terminal {
        eprint!("{what}: ");
        io::stderr().flush()?;
        show_typing(false);
    }
    let mut line = String::new();
    let outcome = stdin.lock().read_line(&mut line);
    if is_terminal {
        show_typing(true);
        eprintln!();
    }
    outcome.map(|_| line)
}

/// Best effort: where there is no `stty`, what is typed is seen.
fn show_typing(visible: bool) {
    let flag = if visible { "echo" } else { "-echo" };
    let _ = Command::new("stty").arg(flag).stdin(Stdio::inherit()).stderr(Stdio::null()).status();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_line_and_is_not_shown() {
        let file = std::env::temp_dir().join(format!("kinoractl-{}", std::process::id()));
        std::fs::write(&file, "pass word \nsecond line\n").unwrap();
        let secret = read_secret(Some(&file), "password").unwrap();
        assert_eq!(secret.expose(), "pass word ");
        assert!(!format!("{secret:?}").contains("pass"));
        std::fs::write(&file, "\n").unwrap();
        assert!(matches!(read_secret(Some(&file), "password"), Err(InputError::Empty(..))));
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(read_secret(Some(&file), "password"), Err(InputError::File(..))));
    }
}
