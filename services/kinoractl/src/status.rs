//! `kinoractl status`: how the fleet does, on one page, through the public API.
//!
//! Ends with 0 when all is well, 1 when something needs attention, 2 when it could not be asked.

mod page;

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use kinora_core::fleet::InstallationStatus;

use crate::canary::client::{CanaryError, Client};
use crate::input::{self, Secret};

/// Something needs attention.
const NOT_WELL: u8 = 1;
/// It could not be asked.
const NOT_ASKED: u8 = 2;

/// Options of the command.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Kinora's address, as people open it; an access token of an administrator is read from standard input
    #[arg(long)]
    url: String,
    /// Use the access token in this file
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Connect to this address instead of looking the name in --url up
    #[arg(long, value_name = "ADDRESS")]
    connect_to: Option<IpAddr>,
    /// Certificates (PEM) to trust besides those of the system
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Print the JSON document of the API instead of a page
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(options: &Options) -> ExitCode {
    let asked = read_token(options).and_then(|token| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime
            .map_err(|error| error.to_string())?
            .block_on(ask(options, token))
            .map_err(|error| told(&error))
    });
    match asked {
        Ok(status) => {
            let text = if options.json { json(&status) } else { page::page(&status) };
            println!("{}", text.trim_end());
            ExitCode::from(if status.is_well { 0 } else { NOT_WELL })
        }
        Err(error) => {
            eprintln!("kinoractl: {error}");
            ExitCode::from(NOT_ASKED)
        }
    }
}

fn read_token(options: &Options) -> Result<Secret, String> {
    input::read_secret(options.token_file.as_deref(), "access token").map_err(|error| error.to_string())
}

async fn ask(options: &Options, token: Secret) -> Result<InstallationStatus, CanaryError> {
    let mut client = Client::new(&options.url, options.ca_file.as_deref(), options.connect_to)?;
    client.use_token(token);
    client.get("how the fleet does", "/api/data/v1/installation/status").await
}

/// The error, with what to do where that is known.
fn told(error: &CanaryError) -> String {
    let advice = match error {
        CanaryError::Refused { status, .. } if status.as_u16() == 401 => {
            "\nThe token is not known or has ended; `sudo kinora-admin token create` on an application makes one."
        }
        CanaryError::Refused { status, .. } if status.as_u16() == 404 => {
            "\nOnly administrators of the organisation that runs this installation are told, with a token without a scope."
        }
        CanaryError::Connection(_) => {
            "\nFrom the controller `kinora/install status` asks each host by SSH, without this address."
        }
        _ => "",
    };
    format!("{error}{advice}")
}

fn json(status: &InstallationStatus) -> String {
    serde_json::to_string_pretty(status).unwrap_or_default()
}
