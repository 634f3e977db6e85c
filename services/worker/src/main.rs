//! `kinora-worker`: see the library.

use std::process::ExitCode;

use clap::Parser;
use kinora_worker::confinement::launch;

/// Kinora's media worker.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Used by the worker itself, inside the sandbox.
    #[command(name = launch::COMMAND, hide = true)]
    Launch(launch::LaunchArguments),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Some(Command::Launch(arguments)) => launch::run(&arguments),
        None => ExitCode::FAILURE,
    }
}
