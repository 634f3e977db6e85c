//! A mail relay of a test's own: `tests/smtp/server.py`, which says what it answers to whom.

use std::fs;
use std::path::{Path, PathBuf};

use kinora_devstack::Launch;
use serde_json::Value;

use crate::part::{Part, ReadyWhen};
use crate::stack::Stack;
use crate::wait::wait_until;

const PASSWORD_FILE: &str = "relay-password";

/// How a relay wants to be spoken with.
#[derive(Debug, Clone, Default)]
pub struct RelayOptions {
    /// "none", "starttls" or "implicit".
    pub tls: &'static str,
    /// Files of the certificate and its key, with TLS.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// User and password, if it asks for them.
    pub user: Option<(&'static str, &'static str)>,
}

/// A mail relay.
#[derive(Debug)]
pub struct MailRelay {
    part: Part,
    directory: PathBuf,
    port: u16,
}

impl MailRelay {
    /// One without encryption and password, running.
    pub async fn start() -> Self {
        let mut relay = Self::prepare(&RelayOptions { tls: "none", ..RelayOptions::default() });
        relay.part().start().await;
        relay
    }

    /// One that does not run yet.
    ///
    /// # Panics
    /// When its files cannot be written.
    #[must_use]
    pub fn prepare(options: &RelayOptions) -> Self {
        let stack = Stack::get();
        let directory = stack.create_test_directory();
        let port = stack.assign_port(&format!("{} relay", directory.display()));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("smtp/server.py");
        let mail = directory.join("mail");
        let log = directory.join("relay.log");
        let mut launch = Launch::new("mail relay", Path::new("aiosmtpd-python"), &log)
            .argument(script)
            .argument("--port")
            .argument(port.to_string())
            .argument("--directory")
            .argument(&mail)
            .argument("--tls")
            .argument(options.tls);
        if let Some((certificate, key)) = &options.identity {
            launch = launch.argument("--certificate").argument(certificate).argument("--key").argument(key);
        }
        if let Some((user, password)) = options.user {
            let file = directory.join(PASSWORD_FILE);
            fs::write(&file, password).expect("a password file");
            launch = launch.argument("--user").argument(user).argument("--password-file").argument(file);
        }
        launch.ready_text = Some("relay ready");
        Self { part: Part::new(launch, ReadyWhen::Text), directory: mail, port }
    }

    /// Its process.
    pub fn part(&mut self) -> &mut Part {
        &mut self.part
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Lines of a backend's settings with which it sends through a relay without encryption. Quick to
    /// try again, as tests wait for it.
    #[must_use]
    pub fn settings(&self) -> String {
        format!(
            "mail.relay = \"localhost:{}\"\nmail.address = \"127.0.0.1\"\nmail.tls = \"none\"\n\
             mail.from = \"Kinora <kinora@studio.example>\"\nmail.retry_delay = \"1s\"\nmail.timeout = \"20s\"",
            self.port
        )
    }

    /// Puts a file into its directory that says how it behaves: "closed" or "release".
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn tell(&self, word: &str) {
        fs::create_dir_all(&self.directory).expect("a directory");
        fs::write(self.directory.join(word), "").expect("a file");
    }

    /// Takes such a file away.
    pub fn untell(&self, word: &str) {
        let _ = fs::remove_file(self.directory.join(word));
    }

    /// The mails it has taken, in the order in which they came.
    ///
    /// # Panics
    /// When one cannot be read.
    #[must_use]
    pub fn mails(&self) -> Vec<Value> {
        let Ok(entries) = fs::read_dir(&self.directory) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        files.sort();
        let read = |path: &PathBuf| serde_json::from_slice(&fs::read(path).expect("a mail")).expect("JSON");
        files.iter().map(read).collect()
    }

    /// The mails it has taken for an address.
    #[must_use]
    pub fn mails_to(&self, address: &str) -> Vec<Value> {
        let is_to = |mail: &Value| {
            mail.get("to").and_then(Value::as_array).is_some_and(|to| to.iter().any(|one| one == address))
        };
        self.mails().into_iter().filter(is_to).collect()
    }

    /// Waits until it has `count` mails for an address; gives them.
    pub async fn wait_for(&self, address: &str, count: usize) -> Vec<Value> {
        wait_until(&format!("{count} mails to {address}"), async || {
            Some(self.mails_to(address)).filter(|mails| mails.len() >= count)
        })
        .await
    }
}

impl Drop for MailRelay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("---- mail relay ----\n{}", self.part.log());
        }
        self.part.kill();
    }
}
