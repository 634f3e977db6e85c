//! `kinoractl storage …`: copies of the media, and whether database, storage and copy agree. docs/operations/media-copies.md

mod after_restore;
mod copy;
mod outcome;
mod report;
mod settings;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use kinora_core::{ObjectId, ProductionId};
use kinora_runtime::cli::{check_config, default_settings_path};
use kinora_runtime::credentials::{Credentials, DATABASE_PASSWORD, VAULT_MASTER_KEY};
use kinora_runtime::logging;
use kinora_runtime::settings::{self as setting_files, Settings as _};
use kinora_store::StoreError;
use kinora_store::leader::Leadership;
use kinora_store::pool::Connector;
use kinora_vault::{Copies, MasterKeys, Stored, Vault, VaultError, VaultSecrets};

use crate::administration::{Access, CommandError, NOT_IN_ORDER, UNAVAILABLE};
use outcome::Outcome;
use settings::{MediaCopySettings, StorageSettings, s3_credentials};
use verify::{Scope, Task};

/// What a run of this host, or the one it found done by another, came to.
const COPY_RESULT: &str = "/var/lib/kinora-media-copy/result.json";
/// Objects that one statement reads.
const PAGE: i64 = 500;

/// `kinoractl storage …`
#[derive(Debug, clap::Subcommand)]
pub enum StorageCommand {
    /// Copy what was added to the storage since the last run, and read a part again; kinora-media-copy.timer does so daily
    Copy(CopyOptions),
    /// Compare database and storage both ways: what is missing, damaged, or nobody's; reads every byte
    Verify(VerifyOptions),
    /// Put back from the copy what is missing in the storage, of one production or of all
    Restore(RestoreOptions),
    /// After the database was brought back to an earlier instant: say on which media it and the storage do not agree, and keep
    /// those that only the present knew; the verb restore runs it
    AfterRestore {
        #[command(flatten)]
        access: Access,
    },
    /// Say whether the settings of copies can be used
    CheckConfig {
        /// The settings file of copies [default: /etc/kinora/media-copy.toml]
        #[arg(long, value_name = "FILE")]
        settings: Option<PathBuf>,
    },
}

/// Options of `storage copy`.
#[derive(Debug, clap::Args)]
pub struct CopyOptions {
    /// The settings file of copies [default: /etc/kinora/media-copy.toml]
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// The directory with the secrets [default: $CREDENTIALS_DIRECTORY]
    #[arg(long, value_name = "DIRECTORY")]
    credentials: Option<PathBuf>,
    /// Where the result is written
    #[arg(long, value_name = "FILE", default_value = COPY_RESULT)]
    result: PathBuf,
    /// Do nothing where a run of any host went well less than so many hours ago
    #[arg(long, value_name = "HOURS")]
    unless_within: Option<u64>,
    /// Take an empty or another place for copies, although there was one before
    #[arg(long)]
    new_place: bool,
    /// Read all copies again, and all that they are copies of, instead of a part
    #[arg(long)]
    read_all: bool,
}

/// What `storage verify` and `storage restore` share.
#[derive(Debug, clap::Args)]
pub struct Where {
    #[command(flatten)]
    access: Access,
    /// The settings file of copies [default: /etc/kinora/media-copy.toml]
    #[arg(long, value_name = "FILE")]
    copy_settings: Option<PathBuf>,
    /// Where `storage copy` on this host writes its result
    #[arg(long, value_name = "FILE", default_value = COPY_RESULT)]
    copy_result: PathBuf,
    /// Print a JSON document instead of sentences
    #[arg(long)]
    json: bool,
}

/// Options of `storage verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyOptions {
    #[command(flatten)]
    place: Where,
    /// Only objects of the production with this id; what is nobody's is not looked for then
    #[arg(long, value_name = "ID")]
    production: Option<ProductionId>,
    /// Look whether everything is there and long enough, without reading it
    #[arg(long)]
    quick: bool,
    /// Put back from the copy what is missing or damaged
    #[arg(long)]
    repair: bool,
    /// Have the applications remove what is nobody's and older than two days
    #[arg(long, conflicts_with = "production")]
    mark_orphans: bool,
}

/// Options of `storage restore`.
#[derive(Debug, clap::Args)]
pub struct RestoreOptions {
    #[command(flatten)]
    place: Where,
    /// The production with this id
    #[arg(long, value_name = "ID", required_unless_present = "all")]
    production: Option<ProductionId>,
    /// All productions
    #[arg(long, conflicts_with = "production")]
    all: bool,
}

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
enum StorageError {
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(
        "the place for copies is empty, and there were copies before: is it mounted? If this is a new place, run \
         `kinora-admin storage copy --new-place` once"
    )]
    EmptyPlace,
    #[error(
        "no copy has been made yet, so there is none to compare with or to restore from: the timer makes the first one; \
         `sudo systemctl start kinora-media-copy` begins with it at once. If there should be one, the place for copies is \
         empty: is it mounted?"
    )]
    NoCopyYet,
    #[error(
        "the place for copies is not the one of the last run: is the right one mounted? If this is meant, run \
         `kinora-admin storage copy --new-place` once"
    )]
    OtherPlace,
    #[error("{0}")]
    Local(String),
}

impl StorageError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Command(error) => error.exit_code(),
            Self::EmptyPlace | Self::NoCopyYet | Self::OtherPlace | Self::Vault(VaultError::Settings(_)) => {
                ExitCode::from(2)
            }
            Self::Store(_) | Self::Vault(_) | Self::Local(_) => ExitCode::from(UNAVAILABLE),
        }
    }
}

/// Before all objects.
fn first_object() -> ObjectId {
    ObjectId(uuid::Uuid::nil())
}

fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "unknown".to_owned(), |it| it.trim().to_owned())
}

/// Runs `kinoractl storage …`.
pub fn run(command: &StorageCommand) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("kinoractl: {error}");
            return ExitCode::from(UNAVAILABLE);
        }
    };
    let ended = runtime.block_on(async {
        match command {
            StorageCommand::Copy(options) => run_copy(options).await,
            StorageCommand::Verify(options) => run_verify(options).await,
            StorageCommand::Restore(options) => run_restore(options).await,
            StorageCommand::AfterRestore { access } => run_after_restore(access).await,
            StorageCommand::CheckConfig { settings } => {
                Ok(check_config::<MediaCopySettings>(&copy_settings_path(settings.as_deref())))
            }
        }
    });
    ended.unwrap_or_else(|error| {
        eprintln!("kinoractl: {error}");
        error.exit_code()
    })
}

fn credentials(directory: Option<&Path>) -> Credentials {
    directory.map_or_else(Credentials::from_environment, Credentials::in_directory)
}

fn copy_settings_path(path: Option<&Path>) -> PathBuf {
    path.map_or_else(|| default_settings_path(MediaCopySettings::ROLE), Path::to_owned)
}

fn load_copy_settings(path: Option<&Path>) -> Result<MediaCopySettings, StorageError> {
    Ok(setting_files::load(&copy_settings_path(path)).map_err(CommandError::from)?)
}

async fn run_copy(options: &CopyOptions) -> Result<ExitCode, StorageError> {
    let settings = load_copy_settings(options.settings.as_deref())?;
    logging::install(&settings.log, "kinora-media-copy");
    let before = Outcome::read(&options.result);
    let mut outcome = copy::begin((0, 0));
    let ended = copy_all(options, &settings, before.as_ref(), &mut outcome).await;
    let stopped = match &ended {
        Ok(copy::Ended::Elsewhere) => {
            println!("another host is copying; nothing to do here");
            return Ok(ExitCode::SUCCESS);
        }
        Ok(copy::Ended::Done) => None,
        Ok(copy::Ended::Recent(recent)) => {
            println!(
                "{} copied less than {} hours ago; nothing to do",
                recent.host,
                options.unless_within.unwrap_or_default()
            );
            write_result(options, recent)?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => Some(error.to_string()),
    };
    outcome.good_at = before.as_ref().and_then(|before| before.good_at);
    if stopped.is_some() {
        // The part that was to be read again still is; and a place that was not taken is not the known one.
        outcome.next_shard = before.as_ref().map_or(0, |before| before.next_shard);
        if outcome.place.is_empty() {
            outcome.place = before.map(|before| before.place).unwrap_or_default();
        }
    }
    outcome.end(stopped, copy::now());
    write_result(options, &outcome)?;
    println!("{}", outcome.sentence());
    match ended {
        Err(error) => Ok(error.exit_code()),
        Ok(_) => Ok(ExitCode::from(if outcome.ok { 0 } else { NOT_IN_ORDER })),
    }
}

fn write_result(options: &CopyOptions, outcome: &Outcome) -> Result<(), StorageError> {
    let written = outcome.write(&options.result);
    written.map_err(|error| StorageError::Local(format!("{}: {error}", options.result.display())))
}

async fn copy_all(
    options: &CopyOptions,
    settings: &MediaCopySettings,
    before: Option<&Outcome>,
    outcome: &mut Outcome,
) -> Result<copy::Ended, StorageError> {
    let credentials = credentials(options.credentials.as_deref());
    let password = credentials.read_text(DATABASE_PASSWORD).map_err(CommandError::from)?;
    let connector = Connector::new(&settings.database, password.expose_text(), "kinoractl storage copy");
    let Some(mut leadership) = copy::lock(&connector)? else { return Ok(copy::Ended::Elsewhere) };
    let ended = copy_as_leader(options, settings, before, outcome, (&connector, &mut leadership)).await;
    if let Err(error) = leadership.release() {
        log::warn!("the lock of copying went with its connection: {error}");
    }
    ended
}

async fn copy_as_leader(
    options: &CopyOptions,
    settings: &MediaCopySettings,
    before: Option<&Outcome>,
    outcome: &mut Outcome,
    (connector, leadership): (&Connector, &mut Leadership),
) -> Result<copy::Ended, StorageError> {
    let credentials = credentials(options.credentials.as_deref());
    let copies = Copies::open(&settings.copy.place(&credentials)?)?;
    let last = copy::last(&copies).await?;
    if let (Some(hours), Some(last)) = (options.unless_within, &last)
        && copy::is_recent(last, Duration::from_secs(hours.saturating_mul(3600)))
    {
        return Ok(copy::Ended::Recent(Box::new(last.clone())));
    }
    let first = last.as_ref().or(before).map_or(0, |last| last.next_shard);
    let again = (first, if options.read_all { 256 } else { settings.copy.shards_a_day() });
    let s3 = s3_credentials(&credentials, "vault", settings.vault.s3.as_ref())?;
    *outcome = copy::begin(again);
    let mut run = copy::Run {
        connection: connector.connect()?,
        leadership,
        stored: Stored::open(&settings.vault, s3.as_ref())?,
        copies,
        plan: copy::Plan {
            keep_removed: settings.copy.keep_removed.get(),
            again,
            is_new_place: options.new_place,
        },
        outcome,
    };
    let known = before.map(|before| before.place.as_str()).filter(|place| !place.is_empty());
    run.all(known).await?;
    Ok(copy::Ended::Done)
}

/// The vault with the application's keys, and the way to the database.
fn open_storage(access: &Access) -> Result<(Vault, Connector), StorageError> {
    let settings: StorageSettings =
        setting_files::load(&access.settings_path()).map_err(CommandError::from)?;
    let credentials = access.credentials();
    let read = |name: &str| credentials.read_text(name).map_err(CommandError::from);
    let master_keys = MasterKeys::parse(read(VAULT_MASTER_KEY)?.expose_text())?;
    let s3 = s3_credentials(&credentials, "vault", settings.vault.s3.as_ref())?;
    let vault = Vault::open(&settings.vault, VaultSecrets { s3, ..VaultSecrets::new(master_keys) })?;
    let password = read(DATABASE_PASSWORD)?;
    Ok((vault, Connector::new(&settings.database, password.expose_text(), "kinoractl storage")))
}

/// Storage and database, and the copy if one is set up.
async fn open_task(place: &Where, scope: Scope) -> Result<Task, StorageError> {
    let (vault, connector) = open_storage(&place.access)?;
    let copy_path = copy_settings_path(place.copy_settings.as_deref());
    let copies = if place.copy_settings.is_some() || copy_path.exists() {
        let settings = load_copy_settings(Some(&copy_path))?;
        let copies = Copies::open(&settings.copy.place(&place.access.credentials())?)?;
        // An empty mount point would make every copy look lost.
        if copies.identity().await?.is_none() {
            let had_one = Outcome::read(&place.copy_result).is_some_and(|before| !before.place.is_empty());
            return Err(if had_one { StorageError::EmptyPlace } else { StorageError::NoCopyYet });
        }
        Some(copies)
    } else if scope.repair {
        let what = format!("there is no copy to repair from: {} is not there", copy_path.display());
        return Err(CommandError::Argument(what).into());
    } else {
        None
    };
    Ok(Task {
        connection: connector.connect()?,
        vault,
        copies,
        scope,
        report: report::Report::new(place.json),
    })
}

async fn run_verify(options: &VerifyOptions) -> Result<ExitCode, StorageError> {
    let scope = Scope {
        production: options.production,
        reads: !options.quick,
        repair: options.repair,
        orphans: options.production.is_none(),
        mark_orphans: options.mark_orphans,
        command: "storage verify",
    };
    end(open_task(&options.place, scope).await?).await
}

async fn run_restore(options: &RestoreOptions) -> Result<ExitCode, StorageError> {
    let scope = Scope {
        production: options.production,
        reads: false,
        repair: true,
        orphans: false,
        mark_orphans: false,
        command: "storage restore",
    };
    end(open_task(&options.place, scope).await?).await
}

async fn run_after_restore(access: &Access) -> Result<ExitCode, StorageError> {
    let (vault, connector) = open_storage(access)?;
    after_restore::run(&vault, &mut connector.connect()?).await?;
    Ok(ExitCode::SUCCESS)
}

async fn end(mut task: Task) -> Result<ExitCode, StorageError> {
    let ended = task.run().await;
    // Also where it was stopped: what was found and repaired until then.
    let is_ok = task.report.end(&task.scope, ended.as_ref().err().map(ToString::to_string));
    ended?;
    Ok(ExitCode::from(if is_ok { 0 } else { NOT_IN_ORDER }))
}
