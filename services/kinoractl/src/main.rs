//! `kinoractl`: the operator's command.
//!
//! `canary` and `status` look at Kinora from outside, through its public APIs only. The other commands work on
//! the server, with the settings and the database password of a role, and leave audit rows.

mod administration;
mod after_restore;
mod canary;
mod input;
mod privacy;
mod run;
mod service_account;
mod size;
mod status;
mod storage;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Kinora's command for operators.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try the whole path from outside: sign in, upload, wait for the ingest, read from the proxy
    Canary(canary::Options),
    /// How the fleet does, on one page; ends with 1 when something needs attention, 2 when it could not be asked
    Status(status::Options),
    /// API access tokens
    #[command(subcommand)]
    Token(administration::TokenCommand),
    /// The audit trail
    #[command(subcommand)]
    Audit(administration::AuditCommand),
    /// People: those who cannot get in by themselves, and what is kept of them
    #[command(subcommand, alias = "user")]
    Person(administration::PersonCommand),
    /// Accounts of programs
    #[command(subcommand)]
    ServiceAccount(service_account::ServiceAccountCommand),
    /// The list of erased people, to be applied again after a backup was restored
    #[command(subcommand)]
    Erasure(privacy::ErasureCommand),
    /// What must not hold again after the database was brought back to an earlier instant; the verb restore runs these
    #[command(subcommand)]
    AfterRestore(after_restore::AfterRestoreCommand),
    /// Copies of the media, and whether database, storage and copy agree
    #[command(subcommand)]
    Storage(storage::StorageCommand),
    /// What is being made of media: runs with their steps
    #[command(subcommand)]
    Run(run::RunCommand),
    /// How many steps wait and run, and since when the oldest
    Queue(run::QueueCommand),
    /// E-mail domains of organisations, for single sign-on
    #[command(subcommand)]
    Domain(administration::DomainCommand),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Canary(options) => canary::run(&options),
        Command::Status(options) => status::run(&options),
        Command::Token(command) => administration::token(&command),
        Command::Audit(command) => administration::audit(&command),
        Command::Person(command) => administration::person(&command),
        Command::ServiceAccount(command) => service_account::run(&command),
        Command::Erasure(command) => privacy::erasure(&command),
        Command::AfterRestore(command) => after_restore::run(&command),
        Command::Storage(command) => storage::run(&command),
        Command::Run(command) => run::run(&command),
        Command::Queue(command) => run::queue(&command),
        Command::Domain(command) => administration::domain(&command),
    }
}
