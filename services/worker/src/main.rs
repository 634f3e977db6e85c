//! `kinora-worker`: see `kinora-worker --help`.

use std::process::ExitCode;

use clap::Parser;
use kinora_runtime::cli::CommonArguments;
use kinora_worker::WorkerSettings;
use kinora_worker::confinement::{launch, unit};

/// Kinora's media worker: probes and renders what was uploaded.
#[derive(Debug, Parser)]
#[command(name = "kinora-worker", version)]
struct Arguments {
    #[command(flatten)]
    common: CommonArguments,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Work until asked to stop (the default)
    Run,
    /// Say whether the settings can be used and the media programs run confined, and exit
    CheckConfig,
    /// Used by the worker itself, inside the sandbox
    #[command(name = launch::COMMAND, hide = true)]
    Launch(launch::LaunchArguments),
    /// Used by kinora-media@.service: standard input is a connection of the worker
    #[command(hide = true)]
    Confined,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let path = arguments.common.settings_path::<WorkerSettings>();
    match arguments.command.unwrap_or(Command::Run) {
        Command::Run => kinora_runtime::service::run(&path, kinora_worker::service::run),
        Command::CheckConfig => kinora_worker::service::check(&path),
        Command::Launch(arguments) => launch::run(&arguments),
        Command::Confined => unit::run(),
    }
}
