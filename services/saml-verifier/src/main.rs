//! `kinora-saml-verifier`: reads one question as JSON from standard input, answers on standard output, ends.
//!
//! Started by `kinora_saml::VerifierProcess` for each document; not meant to be started by hand.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use kinora_saml::verifier::{Answer, Question};
use kinora_saml_verifier::{answer, sandbox, warm_up};

/// Longest question, bytes.
const QUESTION_BYTES: u64 = 8 * 1024 * 1024;

fn main() -> ExitCode {
    let answer = match prepare() {
        Ok(()) => respond(),
        Err(error) => Answer::Failed(format!("it could not confine itself: {error}")),
    };
    let written = serde_json::to_vec(&answer).ok().and_then(|bytes| std::io::stdout().write_all(&bytes).ok());
    if written.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn prepare() -> std::io::Result<()> {
    // If whoever asked is gone, nobody waits for the answer.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    sandbox::limit()?;
    warm_up();
    sandbox::confine()
}

fn respond() -> Answer {
    let mut question = Vec::new();
    if let Err(error) = std::io::stdin().take(QUESTION_BYTES).read_to_end(&mut question) {
        return Answer::Failed(format!("the question cannot be read: {error}"));
    }
    match serde_json::from_slice::<Question>(&question) {
        Ok(question) => answer(&question),
        Err(error) => Answer::Failed(format!("the question is not one: {error}")),
    }
}
