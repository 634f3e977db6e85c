//! One Kinora of a test's own: as many processes of each role as the test asks for.

use std::path::{Path, PathBuf};

use kinora_devstack::{
    BrokerEndpoint, BrokerSettings, Launch, ProductSettings, READY_LINE, Redis, RedisSettings, Role,
    SecretBook,
};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::broker::OwnBroker;
use crate::client::Client;
use crate::database::{DatabaseRole, FOUNDED, MIGRATED, TestDatabase};
use crate::part::{Part, ReadyWhen};
use crate::programs;
use crate::stack::Stack;

const ADMINISTRATOR: &str = "admin@localhost";
/// What the first administrator's password is changed to by [`Kinora::administrator`].
pub const ADMINISTRATOR_PASSWORD: &str = "Quartz-lantern 93 over the orchard";

/// What to start.
#[derive(Debug, Clone, Default)]
pub struct KinoraBuilder {
    applications: usize,
    backends: usize,
    workers: usize,
    own_broker: bool,
    one_address: bool,
    nobody_yet: bool,
    additions: Vec<(&'static str, String)>,
    secrets: Vec<(&'static str, &'static str, String)>,
}

impl KinoraBuilder {
    /// How many applications run.
    #[must_use]
    pub fn applications(mut self, count: usize) -> Self {
        self.applications = count;
        self
    }

    /// How many backends run.
    #[must_use]
    pub fn backends(mut self, count: usize) -> Self {
        self.backends = count;
        self
    }

    /// How many workers run.
    #[must_use]
    pub fn workers(mut self, count: usize) -> Self {
        self.workers = count;
        self
    }

    /// A RabbitMQ only this test uses, so that it may kill it (three seconds more to start).
    #[must_use]
    pub fn own_broker(mut self) -> Self {
        self.own_broker = true;
        self
    }

    /// All applications are opened at the address of the first one, as behind a load balancer.
    #[must_use]
    pub fn one_address(mut self) -> Self {
        self.one_address = true;
        self
    }

    /// Adds lines to the settings file of every process of a role ("application", "backend", "worker").
    /// They are dotted keys: `rate_limit.person_burst = 5`.
    #[must_use]
    pub fn settings(mut self, role: &'static str, lines: &str) -> Self {
        self.additions.push((role, lines.to_owned()));
        self
    }

    /// Gives every process of a role one more secret.
    #[must_use]
    pub fn secret(mut self, role: &'static str, name: &'static str, value: &str) -> Self {
        self.secrets.push((role, name, value.to_owned()));
        self
    }

    /// Has backends send mail through this relay, which asks for neither encryption nor password.
    #[must_use]
    pub fn relay(self, relay: &crate::MailRelay) -> Self {
        let lines = relay.settings();
        self.settings("backend", &lines)
    }

    /// Begins where an installation begins, before there is an administrator.
    #[must_use]
    pub fn nobody_yet(mut self) -> Self {
        self.nobody_yet = true;
        self
    }

    /// Starts everything and waits until all of it is ready.
    ///
    /// # Panics
    /// When a part does not come up.
    pub async fn start(self) -> Kinora {
        static IS_FOUNDED: OnceCell<()> = OnceCell::const_new();
        if !self.nobody_yet {
            let _ = IS_FOUNDED.get_or_init(|| Box::pin(found())).await;
        }
        let stack = Stack::get();
        let directory = stack.create_test_directory();
        let name = directory.file_name().and_then(|name| name.to_str()).expect("a directory name").to_owned();
        let database = TestDatabase::copy(if self.nobody_yet { MIGRATED } else { FOUNDED }, &name);
        let own_broker = if self.own_broker { Some(OwnBroker::start(&directory).await) } else { None };
        let shared = &stack.endpoints().broker;
        let broker = match &own_broker {
            Some(own) => BrokerSettings::from(own.endpoint()),
            None => {
                shared.create_vhost(&name).expect("a virtual host");
                BrokerSettings { vhost: name.clone(), ..BrokerSettings::from(shared) }
            }
        };
        let (redis, redis_settings) = start_redis(&directory, &name).await;
        let mut settings = ProductSettings {
            directory: directory.clone(),
            database: database.settings(),
            broker,
            redis: redis_settings,
            additions: Vec::new(),
        };
        let mut kinora = Kinora {
            applications: Vec::new(),
            backends: Vec::new(),
            workers: Vec::new(),
            own_broker,
            redis,
            database,
            ports: Vec::new(),
            shared_broker: shared.clone(),
            name,
            directory,
            settings: settings.clone(),
        };
        for number in 1..=self.applications {
            let port = kinora.assign_port(&format!("application-{number}"));
            kinora.ports.push(port);
            let role = Role::Application { port, web_root: None };
            let part = kinora.role_part(&mut settings, &self, "application", number, &role);
            kinora.applications.push(part);
        }
        for number in 1..=self.backends {
            let part = kinora.role_part(&mut settings, &self, "backend", number, &Role::Backend);
            kinora.backends.push(part);
        }
        for number in 1..=self.workers {
            let role = Role::Worker { name: format!("worker-{number}") };
            let part = kinora.role_part(&mut settings, &self, "worker", number, &role);
            kinora.workers.push(part);
        }
        for part in kinora.parts_mut() {
            part.begin_start();
        }
        for part in kinora.parts() {
            part.wait_ready().await;
        }
        kinora
    }
}

/// A Kinora of one test. Dropping it ends its processes and drops its database and virtual host.
#[derive(Debug)]
pub struct Kinora {
    applications: Vec<Part>,
    backends: Vec<Part>,
    workers: Vec<Part>,
    own_broker: Option<OwnBroker>,
    redis: Part,
    database: TestDatabase,
    ports: Vec<u16>,
    shared_broker: BrokerEndpoint,
    name: String,
    directory: PathBuf,
    settings: ProductSettings,
}

impl Kinora {
    /// Says what to start; nothing unless asked for.
    #[must_use]
    pub fn builder() -> KinoraBuilder {
        KinoraBuilder::default()
    }

    /// An application alone: enough for tests of the API.
    pub async fn api() -> Self {
        Self::builder().applications(1).start().await
    }

    /// One process of each role.
    pub async fn whole() -> Self {
        Self::builder().applications(1).backends(1).workers(1).start().await
    }

    /// The address of the application.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(0)
    }

    /// The address of application `index`, counted from 0.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn url_of(&self, index: usize) -> String {
        let port = self.ports.get(index).expect("an application");
        format!("http://localhost:{port}")
    }

    /// A visitor nobody knows.
    #[must_use]
    pub fn visitor(&self) -> Client {
        Client::anonymous(&self.url())
    }

    /// The first administrator, signed in with a password of their own ([`ADMINISTRATOR_PASSWORD`]).
    ///
    /// # Panics
    /// When that is refused, as it is where there is [`nobody_yet`](KinoraBuilder::nobody_yet).
    pub async fn administrator(&self) -> Client {
        let mut client = self.visitor();
        let _ = client.sign_in(ADMINISTRATOR, ADMINISTRATOR_PASSWORD).await.expect(200);
        client
    }

    /// Makes the first administrator; gives login and one-time password.
    ///
    /// # Panics
    /// When the command fails, or there is one already.
    #[must_use]
    pub fn create_administrator(&self) -> (String, String) {
        let output = self.run_backend(&[
            "create-administrator",
            "--login",
            ADMINISTRATOR,
            "--name",
            "Administrator",
            "--organisation",
            "Kinora",
        ]);
        let answer: Value = serde_json::from_str(output.trim()).expect("JSON");
        let text = |key: &str| answer.get(key).and_then(Value::as_str).expect(key).to_owned();
        (text("login"), text("one_time_password"))
    }

    /// Runs a command of `kinora-backend` to its end; gives what it printed to standard output.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn run_backend(&self, arguments: &[&str]) -> String {
        let role = Role::Backend;
        if !self.settings.settings_file(&role).exists() {
            let port = self.assign_port("backend-command");
            self.settings.write(&role, port).expect("settings");
        }
        let output = std::process::Command::new(programs::program("kinora-backend"))
            .arg("--settings")
            .arg(self.settings.settings_file(&role))
            .args(arguments)
            .env("CREDENTIALS_DIRECTORY", self.settings.credentials_directory(&role))
            .output()
            .expect("kinora-backend starts");
        assert!(
            output.status.success(),
            "kinora-backend {arguments:?}: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs a command of `kinora-application` to its end, with the settings and secrets of the first
    /// application; gives what it printed to standard output.
    ///
    /// # Panics
    /// When it fails, or no application was asked for.
    #[must_use]
    pub fn run_application(&self, arguments: &[&str]) -> String {
        let output = std::process::Command::new(programs::program("kinora-application"))
            .arg("--settings")
            .arg(self.directory.join("settings/application-1.toml"))
            .args(arguments)
            .env("CREDENTIALS_DIRECTORY", self.directory.join("credentials/application"))
            .output()
            .expect("kinora-application starts");
        assert!(
            output.status.success(),
            "kinora-application {arguments:?}: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The application `index`, counted from 0.
    ///
    /// # Panics
    /// When there is none.
    pub fn application(&mut self, index: usize) -> &mut Part {
        self.applications.get_mut(index).expect("an application")
    }

    /// The backend `index`, counted from 0.
    ///
    /// # Panics
    /// When there is none.
    pub fn backend(&mut self, index: usize) -> &mut Part {
        self.backends.get_mut(index).expect("a backend")
    }

    /// The worker `index`, counted from 0.
    ///
    /// # Panics
    /// When there is none.
    pub fn worker(&mut self, index: usize) -> &mut Part {
        self.workers.get_mut(index).expect("a worker")
    }

    /// The Redis of this test.
    pub fn redis(&mut self) -> &mut Part {
        &mut self.redis
    }

    /// The RabbitMQ of this test.
    ///
    /// # Panics
    /// When it was not asked for with [`KinoraBuilder::own_broker`].
    pub fn broker(&mut self) -> &mut OwnBroker {
        self.own_broker.as_mut().expect("a broker of the test's own")
    }

    /// How processes reach this test's broker.
    #[must_use]
    pub fn broker_settings(&self) -> &BrokerSettings {
        &self.settings.broker
    }

    /// How processes reach this test's Redis.
    #[must_use]
    pub fn redis_settings(&self) -> &RedisSettings {
        &self.settings.redis
    }

    /// The database of this test.
    #[must_use]
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// A connection to the database of this test as the schema's owner.
    #[must_use]
    pub fn connect(&self) -> diesel::PgConnection {
        self.database.connect(DatabaseRole::Owner)
    }

    /// The directory of this test: `vault/`, `scratch/<worker>/`, logs.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn keep_database_as(mut self, template: &str) {
        for part in self.parts_mut() {
            part.kill();
        }
        self.database.keep_as(template);
    }

    fn assign_port(&self, part: &str) -> u16 {
        Stack::get().assign_port(&format!("{} {part}", self.name))
    }

    fn role_part(
        &self,
        settings: &mut ProductSettings,
        builder: &KinoraBuilder,
        kind: &str,
        number: usize,
        role: &Role,
    ) -> Part {
        let name = format!("{kind}-{number}");
        let lines: Vec<_> =
            builder.additions.iter().filter(|(of, _)| *of == kind).map(|(_, lines)| lines.clone()).collect();
        // Two processes of a role differ in their ports, so each has a settings file of its own.
        let file_name = if matches!(role, Role::Worker { .. }) { role.name() } else { &name };
        settings.additions = vec![(role.name().to_owned(), lines.join("\n"))];
        settings.write(role, self.assign_port(&format!("{name} metrics"))).expect("settings");
        for (_, name, value) in builder.secrets.iter().filter(|(of, ..)| *of == kind) {
            std::fs::write(settings.credentials_directory(role).join(name), value).expect("a secret");
        }
        let written = settings.settings_file(role);
        let own = written.with_file_name(format!("{file_name}.toml"));
        if own != written {
            std::fs::copy(&written, &own).expect("a settings file");
        }
        if let (Role::Application { port, .. }, true, Some(first)) =
            (role, builder.one_address, self.ports.first())
        {
            let text = std::fs::read_to_string(&own).expect("a settings file");
            let address = |port: &u16| format!("public_url = \"http://localhost:{port}\"");
            std::fs::write(&own, text.replace(&address(port), &address(first))).expect("a settings file");
        }
        let log = self.directory.join(format!("{name}.log"));
        let mut launch: Launch = settings.launch(role, programs::directory(), &log);
        launch.name.clone_from(&name);
        for argument in &mut launch.arguments {
            if Path::new(argument) == written {
                *argument = own.clone().into_os_string();
            }
        }
        match role {
            Role::Application { port, .. } => Part::new(launch, ReadyWhen::Http(*port)),
            _ => {
                launch.ready_text = Some(READY_LINE);
                Part::new(launch, ReadyWhen::Text)
            }
        }
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.applications.iter().chain(&self.backends).chain(&self.workers)
    }

    fn parts_mut(&mut self) -> impl Iterator<Item = &mut Part> {
        self.applications.iter_mut().chain(&mut self.backends).chain(&mut self.workers)
    }
}

impl Drop for Kinora {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for part in self.parts() {
                let log = part.log();
                let lines: Vec<_> = log.lines().collect();
                let tail = lines.get(lines.len().saturating_sub(60)..).unwrap_or_default();
                eprintln!("---- {} ----\n{}", part.name(), tail.join("\n"));
            }
        }
        for part in self.parts_mut() {
            part.kill();
        }
        self.redis.kill();
        if self.own_broker.is_none() {
            let _ = self.shared_broker.delete_vhost(&self.name);
        }
        self.own_broker = None;
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Makes the database that tests are copied from, as an installation gets its first administrator: with the backend's
/// command, and a password of their own. Once: a password costs a quarter of a second of a processor each time.
async fn found() {
    let kinora = Kinora::builder().applications(1).nobody_yet().start().await;
    let (login, one_time_password) = kinora.create_administrator();
    let mut client = kinora.visitor();
    let _ = client.sign_in(&login, &one_time_password).await.expect(200);
    let change = serde_json::json!({
        "current_password": one_time_password,
        "new_password": ADMINISTRATOR_PASSWORD,
    });
    let answer = client.put("/api/data/v1/account/password", &change).await;
    assert!(answer.status.is_success(), "{}: {}", answer.status, answer.text());
    kinora.keep_database_as(FOUNDED);
}

async fn start_redis(directory: &Path, name: &str) -> (Part, RedisSettings) {
    let secrets = SecretBook::open(&directory.join("redis-secrets")).expect("a directory");
    let port = Stack::get().assign_port(&format!("{name} redis"));
    let redis = Redis::prepare(&directory.join("redis"), &secrets, port).expect("a Redis");
    let mut part = Part::new(redis.launch(&directory.join("redis.log")), ReadyWhen::Text);
    part.start().await;
    (part, RedisSettings::from(redis.endpoint()))
}
