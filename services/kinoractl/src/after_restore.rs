//! After the database was brought back to an earlier instant: nothing that was ended since may hold again.

use std::io::Read as _;
use std::process::ExitCode;

use kinora_store::after_restore::{self, Withdrawn};

use crate::administration::{Access, CommandError, end, origin};

/// Most bytes of a list of withdrawn tokens: some hundred thousand of them.
const LONGEST_LIST: u64 = 16 << 20;

/// `kinoractl after-restore …`
#[derive(Debug, clap::Subcommand)]
pub enum AfterRestoreCommand {
    /// Write the ids of all withdrawn tokens to standard output, as JSON; before a restore
    Withdrawn {
        #[command(flatten)]
        access: Access,
    },
    /// End all sessions, unused links and codes, and withdraw the tokens again whose list is on standard input
    End {
        #[command(flatten)]
        access: Access,
    },
}

/// Runs `kinoractl after-restore …`.
pub fn run(command: &AfterRestoreCommand) -> ExitCode {
    end(match command {
        AfterRestoreCommand::Withdrawn { access } => list(access),
        AfterRestoreCommand::End { access } => end_all(access),
    })
}

fn list(access: &Access) -> Result<ExitCode, CommandError> {
    let mut connection = access.open()?.connector.connect()?;
    let withdrawn = after_restore::list_withdrawn(&mut connection)?;
    let text = serde_json::to_string(&withdrawn).map_err(|error| CommandError::File(error.to_string()))?;
    println!("{text}");
    Ok(ExitCode::SUCCESS)
}

fn end_all(access: &Access) -> Result<ExitCode, CommandError> {
    let wrong = |error: String| CommandError::File(format!("standard input: {error}"));
    let mut text = String::new();
    std::io::stdin()
        .take(LONGEST_LIST)
        .read_to_string(&mut text)
        .map_err(|error| wrong(error.to_string()))?;
    let withdrawn: Withdrawn =
        if text.trim().is_empty() { Withdrawn::default() } else { parse(&text).map_err(wrong)? };
    let mut connection = access.open()?.connector.connect()?;
    let ended = after_restore::end_what_came_back(&mut connection, &origin("after-restore end"), &withdrawn)?;
    println!(
        "{} sessions ended, {} links and codes made void, {} tokens withdrawn again.",
        ended.sessions, ended.links_and_codes, ended.tokens
    );
    Ok(ExitCode::SUCCESS)
}

fn parse(text: &str) -> Result<Withdrawn, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}
