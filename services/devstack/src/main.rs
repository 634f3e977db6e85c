//! `kinora-devstack`: private services for tests, or the whole product in the foreground.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, mpsc};

use clap::{Parser, Subcommand};
use kinora_devstack::{
    DevstackError, DirectoryLock, Durability, PortBook, ProductOptions, Services, ServicesOptions,
    run_product,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

#[derive(Parser)]
#[command(about = "Runs private PostgreSQL, RabbitMQ and Redis, or all of Kinora, on this machine")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Starts the three services, prints one line of JSON that says where they are, and ends them
    /// when standard input closes or on SIGINT, SIGTERM or SIGHUP.
    Services {
        /// Where they keep everything.
        #[arg(long)]
        dir: PathBuf,
        /// For tests: no flushing to disk, the owner may create databases, DIR is removed at the end.
        #[arg(long)]
        throw_away: bool,
    },
    /// Runs the whole product in the foreground until Ctrl-C.
    Run {
        /// Where it keeps everything.
        #[arg(long, default_value = ".kinora")]
        dir: PathBuf,
        /// Where its programs are; by default beside this one.
        #[arg(long)]
        bin_dir: Option<PathBuf>,
        /// The built web client, if not the one built into the application.
        #[arg(long)]
        web_root: Option<PathBuf>,
        /// How many workers to run.
        #[arg(long, default_value_t = 2)]
        workers: u16,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Services { dir, throw_away } => run_services(&dir, throw_away),
        Command::Run { dir, bin_dir, web_root, workers } => run_product(&ProductOptions {
            directory: dir,
            programs: bin_dir.unwrap_or_else(own_directory),
            web_root,
            workers,
        }),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(DevstackError::Stopped) => ExitCode::from(130),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn own_directory() -> PathBuf {
    std::env::current_exe().ok().and_then(|path| path.parent().map(Path::to_owned)).unwrap_or_default()
}

fn run_services(directory: &Path, throw_away: bool) -> Result<(), DevstackError> {
    let lock = DirectoryLock::take(directory)?;
    let directory = &std::path::absolute(directory).map_err(|source| DevstackError::File {
        action: "find",
        path: directory.to_owned(),
        source,
    })?;
    let over = wait_for_the_end()?;
    let mut ports = PortBook::open(directory);
    let services = Arc::new(Services::start(
        directory,
        &mut ports,
        ServicesOptions {
            durability: if throw_away { Durability::ProcessCrashOnly } else { Durability::Full },
            owner_creates_databases: throw_away,
        },
        &(Arc::new(|line: &str| {
            let _ = writeln!(std::io::stderr(), "{line}");
        }) as _),
    )?);
    let waiter = {
        let services = Arc::clone(&services);
        std::thread::spawn(move || announce(&services))
    };
    // Either the end is asked for, or the start failed: the waiter's sender is the same channel.
    let outcome = loop {
        if waiter.is_finished() {
            let outcome = waiter.join().unwrap_or(Err(DevstackError::Stopped));
            if outcome.is_ok() {
                let _ = over.recv();
            }
            break outcome;
        }
        if over.recv_timeout(std::time::Duration::from_millis(20)).is_ok() {
            services.begin_stop();
            break Ok(());
        }
    };
    services.stop();
    if throw_away {
        let _ = std::fs::remove_dir_all(directory);
    }
    drop(lock);
    outcome
}

/// Waits for all three and prints where they are.
fn announce(services: &Services) -> Result<(), DevstackError> {
    services.wait_database()?;
    services.wait_redis()?;
    services.wait_broker()?;
    let line = serde_json::to_string(services.endpoints()).unwrap_or_default();
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
    Ok(())
}

/// A channel that speaks when standard input closes or a signal asks for the end.
fn wait_for_the_end() -> Result<mpsc::Receiver<()>, DevstackError> {
    let (sender, receiver) = mpsc::channel();
    let failed = |source| DevstackError::Spawn { name: "signal listener".to_owned(), source };
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(failed)?;
    let from_signal = sender.clone();
    std::thread::spawn(move || {
        for _ in signals.forever() {
            let _ = from_signal.send(());
        }
    });
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        let _ = sender.send(());
    });
    Ok(receiver)
}
