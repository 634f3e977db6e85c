//! `kinora-backend`: see `kinora-backend --help`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use kinora_backend::{BackendSettings, commands, coordinator};
use kinora_runtime::cli::{CommonArguments, check_config};
use kinora_runtime::service;

/// Kinora's backend: moves runs on, migrates the database, makes the first administrator.
#[derive(Debug, Parser)]
#[command(name = "kinora-backend", version)]
struct Arguments {
    #[command(flatten)]
    common: CommonArguments,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Coordinate runs until asked to stop (the default)
    Run,
    /// Bring the database to this release's schema, as the owner of its tables
    Migrate,
    /// Say whether this release may be installed on the database as it is; changes nothing
    UpgradeCheck(commands::Upgrade),
    /// Make an organisation with its first administrator; prints the one-time password as JSON
    CreateAdministrator(commands::NewAdministrator),
    /// Make the canary's organisation, production, account and token where they are missing; prints JSON
    PrepareCanary,
    /// Say whether the settings can be used, and exit
    CheckConfig,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let path = arguments.common.settings_path::<BackendSettings>();
    match arguments.command.unwrap_or(Command::Run) {
        Command::Run => service::run(&path, coordinator::run),
        Command::Migrate => commands::exit_code(commands::migrate(&path)),
        Command::UpgradeCheck(upgrade) => commands::exit_code(commands::check_upgrade(&path, &upgrade)),
        Command::CreateAdministrator(new) => commands::exit_code(commands::create_administrator(&path, &new)),
        Command::PrepareCanary => commands::exit_code(commands::prepare_canary(&path)),
        Command::CheckConfig => check_config::<BackendSettings>(&path),
    }
}
