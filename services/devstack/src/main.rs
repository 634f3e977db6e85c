//! `kinora-devstack`: private services for tests, or the whole product in the foreground.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, mpsc};

use clap::{Parser, Subcommand};
use kinora_devstack::{
    DevstackError, DirectoryLock, Durability, MemoryDirectory, PortBook, ProductOptions, Services,
    ServicesOptions, run_product,
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
        #[command(flatten)]
        product: ProductArguments,
    },
    /// Runs the whole product in a throw-away directory, a command beside it, and ends with the
    /// command's exit code. The command finds KINORA_URL, KINORA_LOGIN, KINORA_ONE_TIME_PASSWORD,
    /// KINORA_DIRECTORY and, with a mail relay, KINORA_MAIL in its environment. What the product says goes to standard error.
    With {
        #[command(flatten)]
        product: ProductArguments,
        /// The command and its arguments.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
}

#[derive(clap::Args)]
struct ProductArguments {
    /// Where the programs are; by default beside this one.
    #[arg(long)]
    bin_dir: Option<PathBuf>,
    /// The built web client; without it only the APIs are served.
    #[arg(long)]
    web_root: Option<PathBuf>,
    /// How many workers to run.
    #[arg(long, default_value_t = 2)]
    workers: u16,
    /// A mail relay to run beside it: a script for `aiosmtpd-python`, as tests/smtp/server.py is one.
    /// Without it mail waits.
    #[arg(long)]
    mail_relay: Option<PathBuf>,
}

impl ProductArguments {
    fn options(
        self,
        directory: PathBuf,
        report: fn(&str),
        command: Option<Vec<OsString>>,
    ) -> Result<ProductOptions, DevstackError> {
        let web_root = match self.web_root {
            Some(path) => Some(std::path::absolute(&path).map_err(|source| DevstackError::File {
                action: "find",
                path,
                source,
            })?),
            None => None,
        };
        Ok(ProductOptions {
            directory,
            programs: self.bin_dir.unwrap_or_else(own_directory),
            web_root,
            workers: self.workers,
            mail_relay: self.mail_relay,
            report,
            command,
        })
    }
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Services { dir, throw_away } => run_services(&dir, throw_away).map(|()| 0),
        Command::Run { dir, product } => {
            product.options(dir, say, None).and_then(|options| run_product(&options))
        }
        Command::With { product, command } => run_with(product, command),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(DevstackError::Stopped) => ExitCode::from(130),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A line for the operator. Nobody may be reading any more: that is no reason to die.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

fn mutter(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn run_with(product: ProductArguments, command: Vec<OsString>) -> Result<u8, DevstackError> {
    // Named like the test harness' directories, which sweeps up after processes that were killed.
    let directory = std::env::temp_dir().join(format!("kinora-test-with-{}", std::process::id()));
    let outcome =
        product.options(directory.clone(), mutter, Some(command)).and_then(|options| run_product(&options));
    let _ = std::fs::remove_dir_all(&directory);
    outcome
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
    let in_memory = throw_away.then(|| MemoryDirectory::create(&directory.join("postgresql")));
    let mut ports = PortBook::open(directory);
    let services = Arc::new(Services::start(
        directory,
        &mut ports,
        ServicesOptions {
            durability: if throw_away { Durability::ProcessCrashOnly } else { Durability::Full },
            owner_creates_databases: throw_away,
        },
        &(Arc::new(mutter) as _),
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
    drop(in_memory);
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
