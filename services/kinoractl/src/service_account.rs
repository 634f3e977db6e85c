//! `kinoractl service-account …`: accounts of programs, for operators who set programs up on the server. A token of one
//! is made with `kinoractl token create --login service:…`.

use std::process::ExitCode;

use kinora_core::{OrganisationId, PersonId};
use kinora_store::service_accounts::{self, NewServiceAccount, ServiceAccount, ServiceAccountChange};
use kinora_store::{StoreError, rescue};

use crate::administration::{Access, CommandError, end, instant, origin};

/// `kinoractl service-account …`
#[derive(Debug, clap::Subcommand)]
pub enum ServiceAccountCommand {
    /// Show the service accounts of an organisation
    List {
        #[command(flatten)]
        access: Access,
        /// The organisation's id
        #[arg(long, value_name = "ID")]
        organisation: OrganisationId,
        /// Print a JSON document instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Make a service account; prints its login, which tokens are made for
    Create {
        #[command(flatten)]
        access: Access,
        /// The organisation's id
        #[arg(long, value_name = "ID")]
        organisation: OrganisationId,
        /// How people call it
        #[arg(long)]
        name: String,
        /// What it is for
        #[arg(long)]
        purpose: String,
        /// Login of the person of the organisation who answers for it
        #[arg(long, value_name = "LOGIN")]
        responsible: String,
    },
    /// Deactivate a service account: its tokens are revoked, and what it does ends at once
    Deactivate {
        #[command(flatten)]
        access: Access,
        /// The organisation's id
        #[arg(long, value_name = "ID")]
        organisation: OrganisationId,
        /// Its login
        #[arg(long)]
        login: String,
    },
}

/// Runs `kinoractl service-account …`.
pub fn run(command: &ServiceAccountCommand) -> ExitCode {
    end(match command {
        ServiceAccountCommand::List { access, organisation, json } => list(access, *organisation, *json),
        ServiceAccountCommand::Create { access, organisation, name, purpose, responsible } => {
            create(access, *organisation, (name, purpose), responsible)
        }
        ServiceAccountCommand::Deactivate { access, organisation, login } => {
            deactivate(access, *organisation, login)
        }
    })
}

fn list(access: &Access, organisation: OrganisationId, json: bool) -> Result<ExitCode, CommandError> {
    let accounts = service_accounts::list(&mut access.open()?.connector.connect()?, organisation)?;
    if json {
        let accounts: Vec<_> = accounts
            .iter()
            .map(|account| {
                serde_json::json!({
                    "id": account.id,
                    "login": account.login,
                    "name": account.name,
                    "purpose": account.purpose,
                    "responsible": account.responsible.as_ref().map(|person| &person.login),
                    "responsible_present": account.responsible.as_ref().is_some_and(|person| person.is_present),
                    "deactivated": account.deactivated_at.is_some(),
                    "last_used_at": account.last_used_at.map(instant),
                })
            })
            .collect();
        println!("{}", serde_json::json!({ "service_accounts": accounts }));
        return Ok(ExitCode::SUCCESS);
    }
    if accounts.is_empty() {
        println!("The organisation has no service accounts.");
    }
    for account in accounts {
        println!("{}", line(&account));
    }
    Ok(ExitCode::SUCCESS)
}

fn line(account: &ServiceAccount) -> String {
    let responsible = match &account.responsible {
        Some(person) if person.is_present => person.login.clone(),
        Some(person) => format!("{} (has left)", person.login),
        None => "nobody".to_owned(),
    };
    let state = if account.deactivated_at.is_some() { "deactivated" } else { "active" };
    let used =
        account.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {}", instant(at)));
    format!("{}  {state}  {used}  answered for by {responsible}  {}", account.login, account.name)
}

fn check(argument: &str, text: &str, longest: usize) -> Result<(), CommandError> {
    if (1..=longest).contains(&text.trim().chars().count()) {
        return Ok(());
    }
    Err(CommandError::Argument(format!("{argument} must have 1 to {longest} characters")))
}

fn create(
    access: &Access,
    organisation: OrganisationId,
    (name, purpose): (&str, &str),
    responsible: &str,
) -> Result<ExitCode, CommandError> {
    check("--name", name, 100)?;
    check("--purpose", purpose, 500)?;
    let mut connection = access.open()?.connector.connect()?;
    let made = rescue::in_transaction(&mut connection, |connection| {
        let responsible = rescue::find_able_person(connection, responsible)?;
        let new = NewServiceAccount {
            name: name.trim().to_owned(),
            purpose: purpose.trim().to_owned(),
            responsible,
        };
        service_accounts::create(connection, &origin("service-account create"), organisation, &new)
    })?;
    eprintln!(
        "service account '{}'. Give it roles in productions in the web client, and a token with: kinoractl token create --login {}",
        made.name, made.login
    );
    println!("{}", made.login);
    Ok(ExitCode::SUCCESS)
}

fn deactivate(access: &Access, organisation: OrganisationId, login: &str) -> Result<ExitCode, CommandError> {
    let mut connection = access.open()?.connector.connect()?;
    rescue::in_transaction(&mut connection, |connection| {
        let id: PersonId = service_accounts::list(connection, organisation)?
            .into_iter()
            .find(|account| account.login == login)
            .map(|account| account.id)
            .ok_or_else(|| {
                StoreError::Conflict(format!("The organisation has no service account '{login}'."))
            })?;
        let change = ServiceAccountChange { deactivated: Some(true), ..ServiceAccountChange::default() };
        let origin = origin("service-account deactivate");
        service_accounts::change(connection, &origin, (organisation, id), |_| true, &change)
    })?;
    println!("{login} may do nothing any more, and its tokens are revoked.");
    Ok(ExitCode::SUCCESS)
}
