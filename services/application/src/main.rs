//! `kinora-application`: see the library.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use kinora_application::media::rewrap;
use kinora_application::settings::ApplicationSettings;
use kinora_application::{app, openapi};
use kinora_runtime::cli::{CommonArguments, check_config};
use kinora_runtime::service;

/// Kinora's APIs and web client over HTTP.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    common: CommonArguments,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve (what happens without a command).
    Run,
    /// Say whether the settings and secrets can be used.
    CheckConfig,
    /// Wrap all data keys with the first of the master keys, so that the others can be removed.
    RewrapKeys,
    /// Print the OpenAPI document; needs no settings.
    Openapi,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let path = arguments.common.settings_path::<ApplicationSettings>();
    match arguments.command.unwrap_or(Command::Run) {
        Command::Run => service::run::<ApplicationSettings, _, _, _>(&path, app::serve),
        Command::CheckConfig => check_config::<ApplicationSettings>(&path),
        Command::RewrapKeys => rewrap::run(&path),
        Command::Openapi => {
            println!("{}", openapi::text());
            ExitCode::SUCCESS
        }
    }
}
