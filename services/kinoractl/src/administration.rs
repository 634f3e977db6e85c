//! Commands on the server: they use the database with the settings and the password of the
//! application's role, and leave audit rows.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use kinora_core::permission::{Module, ModuleRole, TokenScope};
use kinora_core::{OrganisationId, ProductionId};
use kinora_runtime::CredentialError;
use kinora_runtime::cli::{EXIT_CONFIG, default_settings_path};
use kinora_runtime::credentials::{Credentials, DATABASE_PASSWORD};
use kinora_runtime::logging::LogFilter;
use kinora_runtime::settings::{self, Settings, SettingsError};
use kinora_store::audit::{self, Verdict};
use kinora_store::notices::Scene;
use kinora_store::pool::Connector;
use kinora_store::single_sign_on::domains::{self, NamedDomain};
use kinora_store::tokens::NewToken;
use kinora_store::{DatabaseSettings, Origin, StoreError, rescue, token_text};
use serde::Deserialize;

use crate::privacy;

/// Exit code for "it was looked at, and it is not in order".
pub(crate) const NOT_IN_ORDER: u8 = 1;
/// Exit code for "it could not be looked at" (`EX_UNAVAILABLE` of sysexits.h).
pub(crate) const UNAVAILABLE: u8 = 69;

/// Where the database is, and the password for it.
#[derive(Clone, Debug, clap::Args)]
pub struct Access {
    /// The settings file of the application [default: /etc/kinora/application.toml]
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// The directory with the secret database-password [default: $CREDENTIALS_DIRECTORY]
    #[arg(long, value_name = "DIRECTORY")]
    credentials: Option<PathBuf>,
}

/// What the commands read of the application's settings.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ApplicationSettings {
    log: LogFilter,
    public_url: String,
    database: DatabaseSettings,
}

impl Settings for ApplicationSettings {
    const ROLE: &'static str = "application";
    const DEFAULTS: &'static str = include_str!("../../../packaging/settings/application.toml");

    fn log_filter(&self) -> &LogFilter {
        &self.log
    }

    fn metrics_listen(&self) -> Option<SocketAddr> {
        None
    }
}

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Credential(#[from] CredentialError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no random bytes: {0}")]
    Random(String),
    #[error("{0}")]
    Argument(String),
    #[error("{0}")]
    File(String),
}

impl CommandError {
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Settings(_) | Self::Credential(_) => EXIT_CONFIG,
            Self::Store(StoreError::Conflict(_)) => NOT_IN_ORDER,
            Self::Argument(_) | Self::File(_) => 2,
            Self::Store(_) | Self::Random(_) => UNAVAILABLE,
        })
    }
}

pub(crate) fn end(result: Result<ExitCode, CommandError>) -> ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("kinoractl: {error}");
        error.exit_code()
    })
}

pub(crate) struct Server {
    settings: ApplicationSettings,
    pub(crate) connector: Connector,
}

impl Access {
    pub(crate) fn settings_path(&self) -> PathBuf {
        self.settings.clone().unwrap_or_else(|| default_settings_path(ApplicationSettings::ROLE))
    }

    pub(crate) fn credentials(&self) -> Credentials {
        self.credentials.as_ref().map_or_else(Credentials::from_environment, Credentials::in_directory)
    }

    pub(crate) fn open(&self) -> Result<Server, CommandError> {
        let settings: ApplicationSettings = settings::load(&self.settings_path())?;
        let password = self.credentials().read_text(DATABASE_PASSWORD)?;
        let connector = Connector::new(&settings.database, password.expose_text(), "kinoractl");
        Ok(Server { settings, connector })
    }
}

/// Who does it, for the audit trail: the command, and the operator's account on the host.
pub(crate) fn origin(command: &str) -> Origin {
    let account = ["SUDO_USER", "LOGNAME", "USER"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .unwrap_or_else(|| "unknown".to_owned());
    Origin::system(&format!("kinoractl {command} ({account} on the server)"))
}

pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `kinoractl token …`
#[derive(Debug, clap::Subcommand)]
pub enum TokenCommand {
    /// Make an access token for somebody; it is printed once, to standard output
    Create {
        #[command(flatten)]
        access: Access,
        /// Whose token it is: a person, or a service account (service:…)
        #[arg(long)]
        login: String,
        /// What it is for, as it will stand in the owner's list
        #[arg(long, default_value = "kinoractl")]
        name: String,
        /// How many days it holds
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(i64).range(1..=366))]
        days: i64,
        #[command(flatten)]
        scope: ScopeArguments,
    },
}

/// What a token may do at most.
#[derive(Clone, Debug, clap::Args)]
pub struct ScopeArguments {
    /// The most it may do: reader, editor or manager [default: all that its owner may]
    #[arg(long, value_name = "ROLE", value_parser = module_role)]
    most_role: Option<ModuleRole>,
    /// Only in this module; can be given several times [default: library]
    #[arg(long = "module", value_name = "MODULE", requires = "most_role", value_parser = module)]
    modules: Vec<Module>,
    /// Only in the production with this id; can be given several times [default: all of its owner's]
    #[arg(long = "production", value_name = "ID", requires = "most_role")]
    productions: Vec<ProductionId>,
}

fn module_role(name: &str) -> Result<ModuleRole, String> {
    ModuleRole::from_name(name).ok_or_else(|| "reader, editor or manager".to_owned())
}

fn module(name: &str) -> Result<Module, String> {
    Module::from_name(name).ok_or_else(|| "office, library, subtitling or budget".to_owned())
}

impl ScopeArguments {
    fn scope(&self) -> Option<TokenScope> {
        let some_modules = if self.modules.is_empty() { vec![Module::Library] } else { self.modules.clone() };
        self.most_role.map(|most_role| TokenScope {
            most_role,
            modules: some_modules,
            productions: Some(self.productions.clone()).filter(|ids| !ids.is_empty()),
        })
    }
}

/// Runs `kinoractl token …`.
pub fn token(command: &TokenCommand) -> ExitCode {
    let TokenCommand::Create { access, login, name, days, scope } = command;
    end(create_token(access, login, name, *days, scope.scope()))
}

fn create_token(
    access: &Access,
    login: &str,
    name: &str,
    days: i64,
    scope: Option<TokenScope>,
) -> Result<ExitCode, CommandError> {
    if !(1..=100).contains(&name.chars().count()) {
        return Err(CommandError::Argument("--name must have 1 to 100 characters".to_owned()));
    }
    let server = access.open()?;
    let token = token_text::new_access_token().map_err(|error| CommandError::Random(error.to_string()))?;
    let new = NewToken {
        name: name.to_owned(),
        digest: token_text::digest(&token),
        hint: token_text::hint_of(&token),
        validity: TimeDelta::days(days),
        scope,
    };
    let mut connection = server.connector.connect()?;
    let made = rescue::create_token(&mut connection, &origin("token create"), login, &new)?;
    eprintln!("access token '{name}' of {login}, until {}:", instant(made.expires_at));
    println!("{token}");
    Ok(ExitCode::SUCCESS)
}

/// `kinoractl audit …`
#[derive(Debug, clap::Subcommand)]
pub enum AuditCommand {
    /// Check that no row of the audit trail was altered, removed or moved
    Verify {
        #[command(flatten)]
        access: Access,
        /// Print a JSON document instead of a sentence
        #[arg(long)]
        json: bool,
    },
}

/// Runs `kinoractl audit …`.
pub fn audit(command: &AuditCommand) -> ExitCode {
    let AuditCommand::Verify { access, json } = command;
    end(verify(access, *json))
}

fn verify(access: &Access, json: bool) -> Result<ExitCode, CommandError> {
    let mut connection = access.open()?.connector.connect()?;
    let verdict = audit::verify(&mut connection)?;
    println!("{}", if json { verdict_json(&verdict) } else { verdict_sentence(&verdict) });
    let is_intact = matches!(verdict, Verdict::Intact { .. });
    Ok(ExitCode::from(if is_intact { 0 } else { NOT_IN_ORDER }))
}

fn verdict_sentence(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Intact { rows, head } => format!(
            "The audit trail is intact: {rows} rows.\n\
             Keep this elsewhere, to notice should all of it be rewritten: {rows} {head}"
        ),
        Verdict::Missing(row) => {
            format!(
                "The audit trail is damaged: row {row} is missing; those before it are as they were written."
            )
        }
        Verdict::Altered(row) => format!(
            "The audit trail is damaged: row {row} is not what was written, or the row before it was replaced; \
             those before are as they were written."
        ),
        Verdict::CutOff { last, head } => {
            format!(
                "The audit trail is damaged: {head} rows were written, but the last one there is row {last}."
            )
        }
    }
}

fn verdict_json(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Intact { rows, head } => {
            serde_json::json!({ "verdict": "intact", "rows": rows, "head": head })
        }
        Verdict::Missing(row) => serde_json::json!({ "verdict": "missing", "row": row }),
        Verdict::Altered(row) => serde_json::json!({ "verdict": "altered", "row": row }),
        Verdict::CutOff { last, head } => {
            serde_json::json!({ "verdict": "cut_off", "row": last, "written": head })
        }
    }
    .to_string()
}

/// `kinoractl person …`
#[derive(Debug, clap::Subcommand)]
pub enum PersonCommand {
    /// Make a one-time link with which somebody sets a password; for administrators locked out
    PasswordLink {
        #[command(flatten)]
        access: Access,
        /// Who
        #[arg(long)]
        login: String,
        /// How many hours it holds
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(i64).range(1..=72))]
        hours: i64,
    },
    /// Write what is kept of somebody to standard output, as JSON (GDPR, articles 15 and 20)
    Export {
        #[command(flatten)]
        access: Access,
        /// Who
        #[arg(long)]
        login: String,
    },
    /// Erase somebody, or an e-mail address without an account: account, sessions, names and addresses everywhere; it
    /// cannot be undone (GDPR, article 17)
    Erase {
        #[command(flatten)]
        access: Access,
        /// Who; or the address that was invited or given support access, and has no account
        #[arg(long)]
        login: String,
        /// Say that it is meant: without it nothing is done
        #[arg(long)]
        yes: bool,
        /// Print the report as a JSON document instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Take the second factors of somebody who has lost them; they sign in with the password and add new ones
    ResetFactors {
        #[command(flatten)]
        access: Access,
        /// Who
        #[arg(long)]
        login: String,
    },
}

/// Runs `kinoractl person …`.
pub fn person(command: &PersonCommand) -> ExitCode {
    end(match command {
        PersonCommand::PasswordLink { access, login, hours } => create_password_link(access, login, *hours),
        PersonCommand::ResetFactors { access, login } => reset_factors(access, login),
        PersonCommand::Export { access, login } => privacy::export(access, login),
        PersonCommand::Erase { access, login, yes, json } => privacy::erase(access, login, *yes, *json),
    })
}

fn reset_factors(access: &Access, login: &str) -> Result<ExitCode, CommandError> {
    let server = access.open()?;
    let mut connection = server.connector.connect()?;
    let page = format!("{}/account", server.settings.public_url.trim_end_matches('/'));
    let scene = Scene { origin: origin("person reset-factors"), device: None, page };
    let opened = rescue::reset_factors(&mut connection, &scene, login)?;
    for organisation in opened {
        println!(
            "{organisation} does not require single sign-on any more: {login} was its last owner who could sign in \
             without the identity provider. Require it again when {login} has a second factor."
        );
    }
    println!(
        "{login} has no second factor and no session any more, and signs in with the password. If that is lost too: \
         kinoractl person password-link."
    );
    Ok(ExitCode::SUCCESS)
}

fn create_password_link(access: &Access, login: &str, hours: i64) -> Result<ExitCode, CommandError> {
    let server = access.open()?;
    let token = token_text::random_token().map_err(|error| CommandError::Random(error.to_string()))?;
    let mut connection = server.connector.connect()?;
    let expires_at = rescue::create_password_link(
        &mut connection,
        &origin("person password-link"),
        login,
        &token_text::digest(&token),
        TimeDelta::hours(hours),
    )?;
    eprintln!("link for {login} to set a password, once, until {}:", instant(expires_at));
    println!("{}", link(&server.settings.public_url, &token));
    Ok(ExitCode::SUCCESS)
}

/// The page of the web client where the password is set.
fn link(public_url: &str, token: &str) -> String {
    format!("{}/welcome#{token}", public_url.trim_end_matches('/'))
}

/// `kinoractl domain …`
#[derive(Debug, clap::Subcommand)]
pub enum DomainCommand {
    /// Show all e-mail domains that organisations have named, and which of them are confirmed
    List {
        #[command(flatten)]
        access: Access,
        /// Print a JSON document instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Confirm that a domain is the organisation's: people with addresses in it sign in through its identity provider
    Confirm {
        #[command(flatten)]
        access: Access,
        /// The domain
        domain: String,
        /// The organisation's id, where several have named the domain
        #[arg(long, value_name = "ID")]
        organisation: Option<uuid::Uuid>,
    },
    /// Take a confirmation back
    Withdraw {
        #[command(flatten)]
        access: Access,
        /// The domain
        domain: String,
    },
}

/// Runs `kinoractl domain …`.
pub fn domain(command: &DomainCommand) -> ExitCode {
    end(match command {
        DomainCommand::List { access, json } => list_domains(access, *json),
        DomainCommand::Confirm { access, domain, organisation } => {
            confirm_domain(access, domain, organisation.map(OrganisationId))
        }
        DomainCommand::Withdraw { access, domain } => withdraw_domain(access, domain),
    })
}

fn list_domains(access: &Access, json: bool) -> Result<ExitCode, CommandError> {
    let rows = domains::list_all(&mut access.open()?.connector.connect()?)?;
    if json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                serde_json::json!({
                    "domain": row.domain.domain,
                    "organisation": row.organisation,
                    "organisation_id": row.domain.organisation_id,
                    "verified_at": row.domain.verified_at.map(instant),
                })
            })
            .collect();
        println!("{}", serde_json::json!({ "domains": rows }));
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        println!("No organisation has named an e-mail domain.");
    }
    for NamedDomain { domain, organisation } in rows {
        let state = domain
            .verified_at
            .map_or_else(|| "not confirmed".to_owned(), |at| format!("confirmed {}", instant(at)));
        println!("{}  {state}  {organisation} ({})", domain.domain, domain.organisation_id);
    }
    Ok(ExitCode::SUCCESS)
}

fn confirm_domain(
    access: &Access,
    domain: &str,
    organisation: Option<OrganisationId>,
) -> Result<ExitCode, CommandError> {
    let mut connection = access.open()?.connector.connect()?;
    let row = domains::confirm(&mut connection, &origin("domain confirm"), domain, organisation)?;
    println!(
        "{} is {}'s: people with addresses in it sign in through its identity provider when one is switched on.",
        row.domain.domain, row.organisation
    );
    Ok(ExitCode::SUCCESS)
}

fn withdraw_domain(access: &Access, domain: &str) -> Result<ExitCode, CommandError> {
    let mut connection = access.open()?.connector.connect()?;
    let row = domains::withdraw(&mut connection, &origin("domain withdraw"), domain)?;
    println!(
        "{} is not {}'s any more: nobody is sent to its identity provider for it.",
        row.domain.domain, row.organisation
    );
    Ok(ExitCode::SUCCESS)
}
