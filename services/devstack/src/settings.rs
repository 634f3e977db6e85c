//! Settings files and credential directories of the product's roles on one machine.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::broker::BrokerEndpoint;
use crate::child::Launch;
use crate::directory::{create_private_directory, write_private_file};
use crate::error::DevstackError;
use crate::postgresql::DatabaseEndpoint;
use crate::redis::RedisEndpoint;
use crate::secret::{SecretBook, SecretKind};

/// A role of the product, or the one-off that prepares the database for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// `kinora-application`.
    Application {
        /// Port on 127.0.0.1 for people.
        port: u16,
        /// The directory of the built web client, if not the one built in.
        web_root: Option<PathBuf>,
    },
    /// `kinora-backend run`.
    Backend,
    /// `kinora-backend migrate`: the backend as the schema's owner.
    Migration,
    /// `kinora-worker`.
    Worker {
        /// Its name: unique on this machine.
        name: String,
    },
}

/// A database, and who uses it.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// Port on 127.0.0.1.
    pub port: u16,
    /// Database name.
    pub name: String,
    /// The owner's role and password file.
    pub owner: (String, PathBuf),
    /// The application's role and password file.
    pub application: (String, PathBuf),
    /// The backend's role and password file.
    pub backend: (String, PathBuf),
}

/// A broker.
#[derive(Debug, Clone)]
pub struct BrokerSettings {
    /// Port on 127.0.0.1.
    pub port: u16,
    /// User.
    pub user: String,
    /// Virtual host.
    pub vhost: String,
    /// Password file.
    pub password_file: PathBuf,
}

/// A Redis.
#[derive(Debug, Clone)]
pub struct RedisSettings {
    /// Port on 127.0.0.1.
    pub port: u16,
    /// Password file.
    pub password_file: PathBuf,
}

/// One installation of the product below one directory.
#[derive(Debug, Clone)]
pub struct ProductSettings {
    /// Its directory: `settings/`, `credentials/`, `vault/` and `scratch/` are made in it.
    pub directory: PathBuf,
    /// PostgreSQL.
    pub database: DatabaseSettings,
    /// RabbitMQ.
    pub broker: BrokerSettings,
    /// Redis.
    pub redis: RedisSettings,
    /// Lines (`table.key = value`) added to a role's settings file, by the role's short name.
    pub additions: Vec<(String, String)>,
}

impl Role {
    /// Whether it handles media objects. The backend never sees one, so it gets no key.
    fn has_vault(&self) -> bool {
        matches!(self, Role::Application { .. } | Role::Worker { .. })
    }

    /// Its short name, used for files: "application", "worker-1".
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Role::Application { .. } => "application",
            Role::Backend => "backend",
            Role::Migration => "migration",
            Role::Worker { name } => name,
        }
    }
}

impl ProductSettings {
    /// The settings file of a role, whether it was written or not.
    #[must_use]
    pub fn settings_file(&self, role: &Role) -> PathBuf {
        self.directory.join("settings").join(format!("{}.toml", role.name()))
    }

    /// The credential directory of a role.
    #[must_use]
    pub fn credentials_directory(&self, role: &Role) -> PathBuf {
        self.directory.join("credentials").join(role.name())
    }

    /// Writes the settings and credentials of a role and makes the directories it needs.
    ///
    /// # Errors
    /// When files cannot be written or secrets cannot be read.
    pub fn write(&self, role: &Role, metrics_port: u16) -> Result<(), DevstackError> {
        create_private_directory(&self.directory.join("settings"))?;
        create_private_directory(&self.directory.join("vault"))?;
        if let Role::Worker { name } = role {
            create_private_directory(&self.scratch(name))?;
        }
        let mut text = self.render(role, metrics_port);
        for (name, lines) in &self.additions {
            if name == role.name() {
                let _ = writeln!(text, "{lines}");
            }
        }
        write_private_file(&self.settings_file(role), text.as_bytes())?;
        self.write_credentials(role)
    }

    fn scratch(&self, worker: &str) -> PathBuf {
        self.directory.join("scratch").join(worker)
    }

    fn write_credentials(&self, role: &Role) -> Result<(), DevstackError> {
        let directory = self.credentials_directory(role);
        create_private_directory(&directory)?;
        let keys = SecretBook::open(&self.directory.join("secrets"))?;
        let copy = |source: &Path, name: &str| -> Result<(), DevstackError> {
            let secret = fs::read(source).map_err(DevstackError::file("read", source))?;
            write_private_file(&directory.join(name), &secret)
        };
        match role {
            Role::Application { .. } => {
                copy(&self.database.application.1, "database-password")?;
                copy(&self.redis.password_file, "redis-password")?;
                let session = keys.obtain("session-key", SecretKind::Key)?;
                write_private_file(&directory.join("session-key"), session.as_bytes())?;
            }
            Role::Backend => {
                copy(&self.database.backend.1, "database-password")?;
                copy(&self.redis.password_file, "redis-password")?;
                copy(&self.broker.password_file, "broker-password")?;
            }
            Role::Migration => {
                copy(&self.database.owner.1, "database-password")?;
                copy(&self.redis.password_file, "redis-password")?;
                copy(&self.broker.password_file, "broker-password")?;
            }
            Role::Worker { .. } => copy(&self.broker.password_file, "broker-password")?,
        }
        if role.has_vault() {
            let master = keys.obtain("vault-master-key", SecretKind::Key)?;
            write_private_file(&directory.join("vault-master-key"), master.as_bytes())?;
        }
        Ok(())
    }

    /// Dotted keys only, no tables: so lines can be added without knowing what stands there.
    fn render(&self, role: &Role, metrics_port: u16) -> String {
        let mut text = String::from("# Written at every start.\n");
        if let Role::Application { port, web_root } = role {
            let _ = writeln!(text, "listen = \"127.0.0.1:{port}\"");
            let _ = writeln!(text, "public_url = \"http://localhost:{port}\"");
            if let Some(root) = web_root {
                let _ = writeln!(text, "web_root = {}", quoted(root));
            }
        }
        let _ = writeln!(text, "metrics_listen = \"127.0.0.1:{metrics_port}\"");
        if let Role::Worker { name } = role {
            let _ = writeln!(text, "name = \"{name}\"");
            let _ = writeln!(text, "queues = [\"quick\", \"long\"]");
            let _ = writeln!(text, "scratch_path = {}", quoted(&self.scratch(name)));
        }
        let database_user = match role {
            Role::Application { .. } => Some(&self.database.application.0),
            Role::Backend => Some(&self.database.backend.0),
            Role::Migration => Some(&self.database.owner.0),
            Role::Worker { .. } => None,
        };
        if let Some(user) = database_user {
            let _ = writeln!(text, "database.hosts = [\"127.0.0.1:{}\"]", self.database.port);
            let _ = writeln!(text, "database.name = \"{}\"", self.database.name);
            let _ = writeln!(text, "database.user = \"{user}\"");
            let _ = writeln!(text, "redis.url_hosts = [\"127.0.0.1:{}\"]", self.redis.port);
        }
        if !matches!(role, Role::Application { .. }) {
            let _ = writeln!(text, "broker.hosts = [\"127.0.0.1:{}\"]", self.broker.port);
            let _ = writeln!(text, "broker.user = \"{}\"", self.broker.user);
            let _ = writeln!(text, "broker.virtual_host = \"{}\"", self.broker.vhost);
        }
        if role.has_vault() {
            let _ = writeln!(text, "vault.directory = {}", quoted(&self.directory.join("vault")));
        }
        text
    }
}

impl ProductSettings {
    /// How to start a role as a service, once its settings are written.
    #[must_use]
    pub fn launch(&self, role: &Role, programs: &Path, log: &Path) -> Launch {
        let program = match role {
            Role::Application { .. } => "kinora-application",
            Role::Backend | Role::Migration => "kinora-backend",
            Role::Worker { .. } => "kinora-worker",
        };
        let launch = Launch::new(role.name(), &programs.join(program), log)
            .variable("CREDENTIALS_DIRECTORY", self.credentials_directory(role))
            .argument("--settings")
            .argument(self.settings_file(role));
        match role {
            Role::Backend => launch.argument("run"),
            Role::Migration => launch.argument("migrate"),
            Role::Application { .. } | Role::Worker { .. } => launch,
        }
    }
}

impl From<&DatabaseEndpoint> for DatabaseSettings {
    fn from(endpoint: &DatabaseEndpoint) -> Self {
        let endpoint = endpoint.clone();
        Self {
            port: endpoint.port,
            name: endpoint.name,
            owner: (endpoint.owner, endpoint.owner_password_file),
            application: (endpoint.application, endpoint.application_password_file),
            backend: (endpoint.backend, endpoint.backend_password_file),
        }
    }
}

impl From<&BrokerEndpoint> for BrokerSettings {
    fn from(endpoint: &BrokerEndpoint) -> Self {
        Self {
            port: endpoint.port,
            user: endpoint.user.clone(),
            vhost: endpoint.vhost.clone(),
            password_file: endpoint.password_file.clone(),
        }
    }
}

impl From<&RedisEndpoint> for RedisSettings {
    fn from(endpoint: &RedisEndpoint) -> Self {
        Self { port: endpoint.port, password_file: endpoint.password_file.clone() }
    }
}

/// A TOML basic string. JSON's escapes are a subset of TOML's.
fn quoted(path: &Path) -> String {
    serde_json::to_string(&path.to_string_lossy()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn product(directory: &Path) -> ProductSettings {
        let secret = |name: &str| {
            let path = directory.join(name);
            fs::write(&path, name).unwrap();
            path
        };
        ProductSettings {
            directory: directory.to_owned(),
            database: DatabaseSettings {
                port: 1,
                name: "kinora".to_owned(),
                owner: ("owner".to_owned(), secret("o")),
                application: ("application".to_owned(), secret("a")),
                backend: ("backend".to_owned(), secret("b")),
            },
            broker: BrokerSettings {
                port: 2,
                user: "kinora".to_owned(),
                vhost: "v".to_owned(),
                password_file: secret("broker"),
            },
            redis: RedisSettings { port: 3, password_file: secret("redis") },
            additions: vec![("backend".to_owned(), "extra.key = 1".to_owned())],
        }
    }

    #[test]
    fn a_worker_gets_no_database_and_nobody_gets_secrets_in_settings() {
        let directory = tempfile::tempdir().unwrap();
        let product = product(directory.path());
        let worker = Role::Worker { name: "worker-1".to_owned() };
        product.write(&worker, 9).unwrap();
        let credentials = product.credentials_directory(&worker);
        assert!(credentials.join("broker-password").exists());
        assert!(!credentials.join("database-password").exists());
        let text = fs::read_to_string(product.settings_file(&worker)).unwrap();
        assert!(!text.contains("database"));
        let key = fs::read_to_string(credentials.join("vault-master-key")).unwrap();
        assert!(!text.contains(&key));
    }

    #[test]
    fn the_application_never_learns_of_the_broker() {
        let directory = tempfile::tempdir().unwrap();
        let product = product(directory.path());
        let role = Role::Application { port: 4, web_root: Some(PathBuf::from("/a \"quoted\" path")) };
        product.write(&role, 9).unwrap();
        let text = fs::read_to_string(product.settings_file(&role)).unwrap();
        assert!(!text.contains("broker"));
        assert!(text.contains(r#"web_root = "/a \"quoted\" path""#));
        let credentials = product.credentials_directory(&role);
        assert!(!credentials.join("broker-password").exists());
        assert_eq!(fs::read_to_string(credentials.join("database-password")).unwrap(), "a");
    }

    #[test]
    fn additions_reach_only_their_role() {
        let directory = tempfile::tempdir().unwrap();
        let product = product(directory.path());
        product.write(&Role::Backend, 9).unwrap();
        product.write(&Role::Migration, 9).unwrap();
        let text = |role| fs::read_to_string(product.settings_file(&role)).unwrap();
        assert!(text(Role::Backend).ends_with("extra.key = 1\n"));
        assert!(!text(Role::Migration).contains("extra"));
    }
}
