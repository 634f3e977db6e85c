//! A Prometheus of a test's own, with Kinora's rules and with figures that the test says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kinora_devstack::Launch;

use crate::part::{Part, ReadyWhen};
use crate::stack::Stack;

/// What a Prometheus shows, and whom it lets in.
#[derive(Debug, Clone)]
pub struct PrometheusTls {
    /// Its certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authorities of those who may ask.
    pub clients: PathBuf,
}

/// A Prometheus that scrapes nobody.
#[derive(Debug)]
pub struct Prometheus {
    part: Part,
    port: u16,
}

impl Prometheus {
    /// One that knows `figures` (OpenMetrics text with instants, of the past) and runs the rules of the role monitoring
    /// each second.
    ///
    /// # Panics
    /// When its files cannot be written, or it does not come up.
    pub async fn start(figures: &str, tls: &PrometheusTls) -> Self {
        let stack = Stack::get();
        let directory = stack.create_test_directory();
        let port = stack.assign_port(&format!("{} prometheus", directory.display()));
        let (data, config, web) =
            (directory.join("data"), directory.join("prometheus.yml"), directory.join("web.yml"));
        fill(&directory, &data, figures);
        let rules =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../ansible/roles/monitoring/files/rules/*.yml");
        let text = format!("global: {{evaluation_interval: 1s}}\nrule_files: ['{}']\n", rules.display());
        fs::write(&config, text).expect("settings");
        let text = format!(
            "tls_server_config:\n  cert_file: {}\n  key_file: {}\n  client_auth_type: RequireAndVerifyClientCert\n  \
             client_ca_file: {}\n  min_version: TLS13\n",
            tls.certificate.display(),
            tls.key.display(),
            tls.clients.display(),
        );
        fs::write(&web, text).expect("settings");
        let mut launch =
            Launch::new("prometheus", Path::new("prometheus"), &directory.join("prometheus.log"))
                .argument(format!("--config.file={}", config.display()))
                .argument(format!("--web.config.file={}", web.display()))
                .argument(format!("--web.listen-address=127.0.0.1:{port}"))
                .argument(format!("--storage.tsdb.path={}", data.display()))
                // What the test says holds for longer than the test.
                .argument("--query.lookback-delta=1h");
        launch.ready_text = Some("Server is ready to receive web requests");
        let mut part = Part::new(launch, ReadyWhen::Text);
        part.start().await;
        Self { part, port }
    }

    /// Its process.
    pub fn part(&mut self) -> &mut Part {
        &mut self.part
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }
}

/// Makes a database of Prometheus' that holds these figures.
fn fill(directory: &Path, data: &Path, figures: &str) {
    let file = directory.join("figures");
    fs::write(&file, figures).expect("figures");
    let output = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .arg(&file)
        .arg(data)
        .output()
        .expect("promtool, of the package prometheus");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
