//! A private RabbitMQ: one node, no epmd, everything below one directory.
//!
//! The Erlang distribution normally needs epmd, a port mapper shared by the whole machine. Here the
//! node is told its one port (`-erl_epmd_port`), so there is none: RabbitMQ finds the distribution
//! already running and skips its own epmd start. That also saves two seconds of every start.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::child::Launch;
use crate::directory::{create_private_directory, write_private_file};
use crate::error::DevstackError;
use crate::secret::{SecretBook, SecretKind};

/// The real start script. The one in /usr/sbin changes to the user `rabbitmq` and reads /etc.
const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const NODE: &str = "kinora@localhost";
const USER: &str = "kinora";
const VHOST: &str = "kinora";

/// Where to reach it.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct BrokerEndpoint {
    /// AMQP port on 127.0.0.1.
    pub port: u16,
    /// User name.
    pub user: String,
    /// Virtual host made at first start.
    pub vhost: String,
    /// File with the user's password.
    pub password_file: PathBuf,
    /// Erlang distribution port on 127.0.0.1, for administration.
    pub node_port: u16,
    /// Home directory with the Erlang cookie, for administration.
    pub home: PathBuf,
}

/// A RabbitMQ node below a directory.
#[derive(Debug)]
pub struct Broker {
    directory: PathBuf,
    endpoint: BrokerEndpoint,
}

impl Broker {
    /// Prepares a node in `directory`, with its password in `secrets`.
    ///
    /// # Errors
    /// When RabbitMQ is not installed or files cannot be written.
    pub fn prepare(
        directory: &Path,
        secrets: &SecretBook,
        port: u16,
        node_port: u16,
    ) -> Result<Self, DevstackError> {
        if !Path::new(SERVER).exists() {
            return Err(DevstackError::Missing { program: "RabbitMQ" });
        }
        let home = directory.join("home");
        for path in [directory, &home, &directory.join("mnesia")] {
            create_private_directory(path)?;
        }
        let broker = Self {
            directory: directory.to_owned(),
            endpoint: BrokerEndpoint {
                port,
                user: USER.to_owned(),
                vhost: VHOST.to_owned(),
                password_file: secrets.path("broker-password"),
                node_port,
                home: home.clone(),
            },
        };
        let password = secrets.obtain("broker-password", SecretKind::Password)?;
        let cookie = secrets.obtain("broker-cookie", SecretKind::Password)?;
        let cookie_file = home.join(".erlang.cookie");
        write_private_file(&cookie_file, cookie.as_bytes())?;
        fs::set_permissions(&cookie_file, fs::Permissions::from_mode(0o400))
            .map_err(DevstackError::file("restrict", &cookie_file))?;
        broker.write("rabbitmq.conf", &settings(port, &password))?;
        broker.write("advanced.config", "[].\n")?;
        broker.write("enabled_plugins", "[].\n")?;
        Ok(broker)
    }

    fn write(&self, name: &str, content: &str) -> Result<(), DevstackError> {
        write_private_file(&self.directory.join(name), content.as_bytes())
    }

    /// Where to reach it.
    #[must_use]
    pub fn endpoint(&self) -> &BrokerEndpoint {
        &self.endpoint
    }

    /// How to start it; its output goes to `log`.
    #[must_use]
    pub fn launch(&self, log: &Path) -> Launch {
        let path = |name: &str| self.directory.join(name);
        let node_arguments = format!(
            "-sname {NODE} -start_epmd false -erl_epmd_port {} \
             -kernel inet_dist_use_interface {{127,0,0,1}} +S 2:2 +A 32",
            self.endpoint.node_port
        );
        let mut launch = Launch::new("rabbitmq", Path::new(SERVER), log)
            .variable("PATH", "/usr/local/bin:/usr/bin:/bin")
            .variable("LANG", "C.UTF-8")
            .variable("HOME", path("home"))
            .variable("RABBITMQ_NODENAME", NODE)
            .variable("RABBITMQ_CONF_ENV_FILE", "/dev/null")
            .variable("RABBITMQ_CONFIG_FILE", path("rabbitmq.conf"))
            .variable("RABBITMQ_ADVANCED_CONFIG_FILE", path("advanced.config"))
            .variable("RABBITMQ_ENABLED_PLUGINS_FILE", path("enabled_plugins"))
            .variable("RABBITMQ_GENERATED_CONFIG_DIR", path("generated"))
            .variable("RABBITMQ_MNESIA_BASE", path("mnesia"))
            .variable("RABBITMQ_MNESIA_DIR", path("mnesia/node"))
            .variable("RABBITMQ_FEATURE_FLAGS_FILE", path("feature_flags"))
            .variable("RABBITMQ_LOG_BASE", path("log"))
            .variable("RABBITMQ_LOGS", "-")
            .variable("RABBITMQ_PID_FILE", path("pid"))
            .variable("RABBITMQ_SCHEDULER_BIND_TYPE", "u")
            // Tells the start script to become the Erlang machine instead of staying in between.
            .variable("NOTIFY_SOCKET", "/dev/null")
            .variable("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", node_arguments);
        launch.keep_environment = false;
        launch.directory = Some(self.directory.clone());
        launch.ready_text = Some("Server startup complete");
        launch
    }
}

impl BrokerEndpoint {
    /// Adds a virtual host that the user may use in full.
    ///
    /// # Errors
    /// When the node does not run or refuses; `name` may hold only letters, digits, `-` and `_`.
    pub fn create_vhost(&self, name: &str) -> Result<(), DevstackError> {
        let vhost = checked_name(name)?;
        let user = &self.user;
        self.evaluate(&format!(
            "ok = rabbit_vhost:add(<<\"{vhost}\">>, <<\"kinora\">>), \
             ok = rabbit_auth_backend_internal:set_permissions(<<\"{user}\">>, <<\"{vhost}\">>, \
             <<\".*\">>, <<\".*\">>, <<\".*\">>, <<\"kinora\">>), done"
        ))
    }

    /// Removes a virtual host with everything in it.
    ///
    /// # Errors
    /// When the node does not run or refuses.
    pub fn delete_vhost(&self, name: &str) -> Result<(), DevstackError> {
        let vhost = checked_name(name)?;
        self.evaluate(&format!("rabbit_vhost:delete(<<\"{vhost}\">>, <<\"kinora\">>), done"))
    }

    /// Writes down which quorum queues exist.
    ///
    /// RabbitMQ's Raft library keeps that list in a file it flushes only every few minutes. A node killed
    /// before its first flush starts again with queues that never elect a leader. Messages are not
    /// concerned: their log is flushed before each confirm.
    ///
    /// # Errors
    /// When the node does not run or refuses.
    pub fn flush_queue_names(&self) -> Result<(), DevstackError> {
        self.evaluate("[ok = dets:sync(Table) || Table <- dets:all()], done")
    }

    /// Evaluates an expression in the node; it must end in `done`.
    fn evaluate(&self, expression: &str) -> Result<(), DevstackError> {
        let failed =
            |detail: String| DevstackError::Command { name: "administrating RabbitMQ".to_owned(), detail };
        // The node refuses a second client of the same name, and erl_call's own random names collide
        // when several are started in the same moment.
        static CALLS: AtomicU64 = AtomicU64::new(0);
        let call = CALLS.fetch_add(1, Ordering::Relaxed);
        let mut child = Command::new("erl_call")
            .arg("-h")
            .arg(format!("kinora_{}_{call}", std::process::id()))
            .args(["-timeout", "60", "-address"])
            .arg(format!("localhost:{}", self.node_port))
            .arg("-e")
            .env("HOME", &self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin // A form ends with a full stop and white space.
                .write_all(format!("{expression}.\n").as_bytes())
                .map_err(|error| failed(error.to_string()))?;
        }
        let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
        let answer = String::from_utf8_lossy(&output.stdout);
        if answer.trim() == "{ok, done}" {
            return Ok(());
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        Err(failed(format!("{answer}{complaint}")))
    }
}

fn checked_name(name: &str) -> Result<&str, DevstackError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(plain) {
        return Ok(name);
    }
    Err(DevstackError::Command {
        name: "administrating RabbitMQ".to_owned(),
        detail: format!("{name:?} is not a plain name"),
    })
}

fn settings(port: u16, password: &str) -> String {
    format!(
        "# Written at every start. The user is made at the first one.\n\
         listeners.tcp.1 = 127.0.0.1:{port}\n\
         default_vhost = {VHOST}\n\
         default_user = {USER}\n\
         default_pass = {password}\n\
         # An encode may hold its message for days; the backend's reaper watches over steps instead.\n\
         consumer_timeout = 31536000000\n\
         log.console = true\n\
         log.console.level = info\n\
         log.file = false\n"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn names_cannot_carry_code_into_the_node() {
        assert!(checked_name("test-1_a").is_ok());
        assert!(checked_name("x\">>), init:stop().").is_err());
        assert!(checked_name("").is_err());
    }
}
