//! The whole product in the foreground on one machine: what `make run` starts.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde::Deserialize;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::child::Launch;
use crate::directory::DirectoryLock;
use crate::error::DevstackError;
use crate::ports::PortBook;
use crate::postgresql::Durability;
use crate::services::{ServiceEndpoints, Services, ServicesOptions};
use crate::settings::{BrokerSettings, DatabaseSettings, ProductSettings, RedisSettings, Role};
use crate::supervisor::{PartPlan, Readiness, Reporter, Supervised};

const ADMINISTRATOR: &str = "admin@localhost";

/// What a role's log says when it can do its work (`kinora_runtime::Service::notify_ready`).
pub const READY_LINE: &str = "kinora_runtime::service: ready";

/// How the product is started.
#[derive(Debug, Clone)]
pub struct ProductOptions {
    /// Where everything it keeps lives.
    pub directory: PathBuf,
    /// Where its programs are.
    pub programs: PathBuf,
    /// The directory of the built web client, if not the one built in.
    pub web_root: Option<PathBuf>,
    /// How many workers run.
    pub workers: u16,
    /// A script for `aiosmtpd-python` that is a mail relay (`tests/smtp/server.py`); without it mail waits.
    pub mail_relay: Option<PathBuf>,
    /// Gets the lines for the operator.
    pub report: fn(&str),
    /// A command to run once everything is ready; the product stops when it ends. It finds
    /// `KINORA_URL`, `KINORA_LOGIN`, `KINORA_ONE_TIME_PASSWORD` (first run), `KINORA_DIRECTORY` and, with a
    /// mail relay, `KINORA_MAIL` (where it puts what it was given) in its environment.
    pub command: Option<Vec<OsString>>,
}

/// What runs, in the order in which it was started.
#[derive(Default)]
struct Running {
    stopping: bool,
    services: Option<Arc<Services>>,
    parts: Vec<Arc<Supervised>>,
}

#[derive(Clone)]
struct Product {
    running: Arc<Mutex<Running>>,
    report: fn(&str),
}

enum Event {
    Signal,
    Started(Result<Ready, DevstackError>),
    CommandEnded(u8),
}

/// What a visitor needs to know.
struct Ready {
    url: String,
    administrator: Administrator,
}

/// Runs the product until it is told to stop by SIGINT, SIGTERM or SIGHUP, or its command ends. Gives
/// the exit code: the command's, or 0.
///
/// # Errors
/// When it cannot be started; whatever had been started is stopped again first.
pub fn run_product(options: &ProductOptions) -> Result<u8, DevstackError> {
    let lock = DirectoryLock::take(&options.directory)?;
    let directory =
        std::path::absolute(&options.directory).map_err(DevstackError::file("find", &options.directory))?;
    let options = ProductOptions { directory, ..options.clone() };
    let report = options.report;
    let (sender, receiver) = listen_for_signals()?;
    let product = Product { running: Arc::default(), report };
    {
        let (product, options, sender) = (product.clone(), options.clone(), sender.clone());
        // Parent-death signals follow threads: this thread waits for all tools it starts.
        in_thread("start", move || {
            let _ = sender.send(Event::Started(start(&product, &options)));
        })?;
    }
    let outcome = loop {
        match receiver.recv() {
            Ok(Event::Started(Ok(ready))) => {
                if let Err(error) = run_command(&options, &ready, &sender) {
                    break Err(error);
                }
            }
            Ok(Event::Started(Err(error))) => break Err(error),
            Ok(Event::CommandEnded(code)) => break Ok(code),
            Ok(Event::Signal) | Err(_) => break Ok(0),
        }
    };
    report("stopping");
    let begun = Instant::now();
    product.stop();
    report(&format!("stopped in {:.1} s", begun.elapsed().as_secs_f64()));
    drop(lock);
    outcome
}

fn in_thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), DevstackError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map(drop)
        .map_err(|source| DevstackError::Spawn { name: name.to_owned(), source })
}

fn run_command(
    options: &ProductOptions,
    ready: &Ready,
    sender: &mpsc::Sender<Event>,
) -> Result<(), DevstackError> {
    let Some(words) = &options.command else { return Ok(()) };
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "--"])
        .args(words)
        .env("KINORA_URL", &ready.url)
        .env("KINORA_LOGIN", &ready.administrator.login)
        .env("KINORA_DIRECTORY", &options.directory);
    if options.mail_relay.is_some() {
        command.env("KINORA_MAIL", mail_directory(options));
    }
    if let Some(password) = &ready.administrator.one_time_password {
        // Good for one sign-in to a throw-away installation: no secret worth a file.
        command.env("KINORA_ONE_TIME_PASSWORD", password);
    }
    let sender = sender.clone();
    in_thread("command", move || {
        let code = match command.status() {
            Ok(status) => status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
            Err(_) => 127,
        };
        let _ = sender.send(Event::CommandEnded(code));
    })
}

type Events = (mpsc::Sender<Event>, mpsc::Receiver<Event>);

/// A second signal ends the process at once; the kernel then ends its children.
fn listen_for_signals() -> Result<Events, DevstackError> {
    let failed = |source| DevstackError::Spawn { name: "signal listener".to_owned(), source };
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(failed)?;
    let (sender, receiver) = mpsc::channel();
    let listener = sender.clone();
    in_thread("signals", move || {
        let mut first = None;
        for _ in signals.forever() {
            // `make` passes on signals its children got already: not everything that comes twice was meant twice.
            match first {
                None => first = Some(Instant::now()),
                Some(first) if first.elapsed() > Duration::from_secs(1) => std::process::exit(130),
                Some(_) => {}
            }
            let _ = listener.send(Event::Signal);
        }
    })?;
    Ok((sender, receiver))
}

impl Product {
    fn lock(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a part unless the product is stopping already.
    fn add(&self, plan: PartPlan) -> Result<Arc<Supervised>, DevstackError> {
        let mut running = self.lock();
        if running.stopping {
            return Err(DevstackError::Stopped);
        }
        let part = Arc::new(Supervised::start(plan, self.report)?);
        running.parts.push(Arc::clone(&part));
        Ok(part)
    }

    /// The product's own parts first, while their services still answer; then the services.
    fn stop(&self) {
        let (parts, services) = {
            let mut running = self.lock();
            running.stopping = true;
            (std::mem::take(&mut running.parts), running.services.clone())
        };
        for part in &parts {
            part.begin_stop();
        }
        for part in &parts {
            part.stop();
        }
        if let Some(services) = services {
            services.stop();
        }
    }
}

fn start(product: &Product, options: &ProductOptions) -> Result<Ready, DevstackError> {
    let say = options.report;
    let begun = Instant::now();
    check_programs(&options.programs)?;
    let mut ports = PortBook::open(&options.directory);
    say("starting PostgreSQL, RabbitMQ and Redis (private, on loopback)");
    let reporter: Reporter = Arc::new(say);
    let services = {
        let mut running = product.lock();
        if running.stopping {
            return Err(DevstackError::Stopped);
        }
        let services = Arc::new(Services::start(
            &options.directory,
            &mut ports,
            ServicesOptions { durability: Durability::Full, owner_creates_databases: false },
            &reporter,
        )?);
        running.services = Some(Arc::clone(&services));
        services
    };
    let former_port = ports.remembered("application");
    let port = ports.assign("application")?;
    if let Some(former) = former_port
        && former != port
    {
        say(&format!("port {former} is taken by another program: the address changes to port {port}"));
    }
    let mut settings = product_settings(&options.directory, services.endpoints(), options.workers);
    let mut parts = Vec::new();
    if let Some(script) = &options.mail_relay {
        let port = ports.assign("mail-relay")?;
        parts.push(start_relay(product, options, script, port)?);
        settings.additions.push(("backend".to_owned(), relay_settings(port)));
    }
    settings.write(&Role::Migration, ports.assign("migration-metrics")?)?;
    services.wait_database()?;
    say("bringing the database schema up to date");
    run_tool(options, &settings, &Role::Migration, &["migrate"])?;

    let backend_metrics = ports.assign("backend-metrics")?;
    settings.write(&Role::Backend, backend_metrics)?;
    services.wait_redis()?;
    say("starting the application");
    let application = start_application(product, options, &settings, &mut ports, port)?;
    let administrator = create_administrator(options, &settings)?;
    parts.push(application);
    let ready = start_behind(product, options, (&*services, &mut ports, &settings), parts);
    if ready.is_err() {
        // The next start knows the password no more.
        introduce(say, &administrator);
    }
    ready?;
    say(&format!("up after {:.1} s", begun.elapsed().as_secs_f64()));
    let url = format!("http://localhost:{port}/");
    say(&format!("ready: {url}"));
    if !introduce(say, &administrator) {
        say(&format!("administrator: {}", administrator.login));
        say(&format!("password lost? {}", new_link_command(options, &settings, port)));
    }
    say(&format!("logs: {}", options.directory.join("logs").display()));
    Ok(Ready { url, administrator })
}

/// Starts what stands behind the application, and waits for it and for `parts`.
fn start_behind(
    product: &Product,
    options: &ProductOptions,
    (services, ports, settings): (&Services, &mut PortBook, &ProductSettings),
    mut parts: Vec<Arc<Supervised>>,
) -> Result<(), DevstackError> {
    services.wait_broker()?;
    (options.report)("starting the backend and the workers");
    parts.push(start_role(product, options, settings, &Role::Backend)?);
    for number in 1..=options.workers {
        let name = worker_name(number);
        let metrics = ports.assign(&format!("{name}-metrics"))?;
        let role = Role::Worker { name };
        settings.write(&role, metrics)?;
        parts.push(start_role(product, options, settings, &role)?);
    }
    for part in parts {
        part.wait_ready()?;
    }
    // From here on a crash of the broker keeps its queues.
    services.endpoints().broker.flush_queue_names()
}

/// Says how the first administrator gets in; false if they were made by an earlier start.
fn introduce(say: fn(&str), administrator: &Administrator) -> bool {
    let Some(password) = &administrator.one_time_password else { return false };
    say(&format!("first administrator: {}", administrator.login));
    say(&format!("one-time password: {password}"));
    true
}

fn mail_directory(options: &ProductOptions) -> PathBuf {
    options.directory.join("mail")
}

/// Lines of the backend's settings with which it sends through that relay.
fn relay_settings(port: u16) -> String {
    format!(
        "mail.relay = \"localhost:{port}\"\nmail.address = \"127.0.0.1\"\nmail.tls = \"none\"\n\
         mail.from = \"Kinora <kinora@localhost>\""
    )
}

fn start_relay(
    product: &Product,
    options: &ProductOptions,
    script: &Path,
    port: u16,
) -> Result<Arc<Supervised>, DevstackError> {
    let log = options.directory.join("logs").join("mail-relay.log");
    let mut launch = Launch::new("mail-relay", Path::new("aiosmtpd-python"), &log)
        .argument(script)
        .argument("--port")
        .argument(port.to_string())
        .argument("--directory")
        .argument(mail_directory(options));
    launch.ready_text = Some("relay ready");
    product.add(PartPlan {
        launch,
        readiness: Readiness::Text,
        stop_signal: Signal::TERM,
        stop_grace: Duration::from_secs(2),
        start_limit: Duration::from_secs(60),
    })
}

fn check_programs(programs: &Path) -> Result<(), DevstackError> {
    for name in ["kinora-application", "kinora-backend", "kinora-worker"] {
        let path = programs.join(name);
        if !path.exists() {
            return Err(DevstackError::Command {
                name: "starting Kinora".to_owned(),
                detail: format!("{} does not exist; build it first", path.display()),
            });
        }
    }
    Ok(())
}

fn product_settings(directory: &Path, endpoints: &ServiceEndpoints, workers: u16) -> ProductSettings {
    ProductSettings {
        directory: directory.to_owned(),
        database: DatabaseSettings::from(&endpoints.database),
        broker: BrokerSettings::from(&endpoints.broker),
        redis: RedisSettings::from(&endpoints.redis),
        // Ctrl-C is answered within seconds: what does not end in time is handed back.
        additions: std::iter::once("application".to_owned())
            .chain((1..=workers).map(worker_name))
            .map(|role| (role, "shutdown_grace = \"2s\"".to_owned()))
            .collect(),
    }
}

fn worker_name(number: u16) -> String {
    format!("worker-{number}")
}

fn start_application(
    product: &Product,
    options: &ProductOptions,
    settings: &ProductSettings,
    ports: &mut PortBook,
    port: u16,
) -> Result<Arc<Supervised>, DevstackError> {
    let metrics = ports.assign("application-metrics")?;
    let role = Role::Application { port, web_root: options.web_root.clone() };
    settings.write(&role, metrics)?;
    start_role(product, options, settings, &role)
}

fn start_role(
    product: &Product,
    options: &ProductOptions,
    settings: &ProductSettings,
    role: &Role,
) -> Result<Arc<Supervised>, DevstackError> {
    let log = options.directory.join("logs").join(format!("{}.log", role.name()));
    let mut launch = settings.launch(role, &options.programs, &log);
    let readiness = match role {
        Role::Application { port, .. } => Readiness::Http { port: *port, path: "/readyz" },
        _ => {
            launch.ready_text = Some(READY_LINE);
            Readiness::Text
        }
    };
    product.add(PartPlan {
        launch,
        readiness,
        stop_signal: Signal::TERM,
        stop_grace: Duration::from_secs(4),
        start_limit: Duration::from_secs(60),
    })
}

/// The command that makes a new one-time link for the administrator, ready to be pasted.
fn new_link_command(options: &ProductOptions, settings: &ProductSettings, port: u16) -> String {
    let role = Role::Application { port, web_root: None };
    let quoted = |path: PathBuf| {
        let text = path.display().to_string();
        let is_plain = text.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-+@".contains(letter));
        if is_plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
    };
    let programs = std::path::absolute(&options.programs).unwrap_or_else(|_| options.programs.clone());
    format!(
        "{} person password-link --login {ADMINISTRATOR} --settings {} --credentials {}",
        quoted(programs.join("kinoractl")),
        quoted(settings.settings_file(&role)),
        quoted(settings.credentials_directory(&role)),
    )
}

fn default_administrator() -> String {
    ADMINISTRATOR.to_owned()
}

#[derive(Debug, Deserialize)]
struct Administrator {
    /// Not told where there is one already; then it is the one that an earlier run made.
    #[serde(default = "default_administrator")]
    login: String,
    #[serde(default)]
    one_time_password: Option<String>,
}

/// Makes the first administrator; harmless when there is one.
fn create_administrator(
    options: &ProductOptions,
    settings: &ProductSettings,
) -> Result<Administrator, DevstackError> {
    let output = run_tool(
        options,
        settings,
        &Role::Backend,
        &[
            "create-administrator",
            "--login",
            ADMINISTRATOR,
            "--name",
            "Administrator",
            "--organisation",
            "Kinora",
        ],
    )?;
    serde_json::from_str(output.trim()).map_err(|error| DevstackError::Command {
        name: "creating the first administrator".to_owned(),
        detail: error.to_string(),
    })
}

/// Runs a command of the backend's program to its end and returns what it printed.
fn run_tool(
    options: &ProductOptions,
    settings: &ProductSettings,
    role: &Role,
    arguments: &[&str],
) -> Result<String, DevstackError> {
    let name = arguments.first().copied().unwrap_or_default();
    let log = options.directory.join("logs").join("tools.log");
    let mut launch: Launch = settings.launch(role, &options.programs, &log);
    // `launch` ends in the command that runs the service; this one takes its place.
    if matches!(role, Role::Backend | Role::Migration) {
        launch.arguments.pop();
    }
    launch.arguments.extend(arguments.iter().map(Into::into));
    let failed = |detail: String| DevstackError::Command { name: name.to_owned(), detail };
    let output = launch
        .command()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(failed(complaint))
}
