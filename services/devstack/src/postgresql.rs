//! A private PostgreSQL with one role per service and the least rights each needs.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::geteuid;
use serde::{Deserialize, Serialize};

use crate::child::Launch;
use crate::directory::{create_private_directory, write_private_file};
use crate::error::DevstackError;
use crate::secret::{SecretBook, SecretKind};

/// The database of the product.
const DATABASE: &str = "kinora";
const OWNER: &str = "kinora_owner";
const SERVICES: [&str; 2] = ["kinora_application", "kinora_backend"];
/// Who copies media; migrations give it the little it may read.
const COPIER: &str = "kinora_copy";

/// Whether a power cut may lose acknowledged writes. The death of a process never does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Every commit is flushed to the disk.
    Full,
    /// No flushing: several times faster, for throw-away test databases.
    ProcessCrashOnly,
}

/// Where to reach it, and as whom.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct DatabaseEndpoint {
    /// Port on 127.0.0.1.
    pub port: u16,
    /// Database name.
    pub name: String,
    /// The role that owns the schema and runs migrations.
    pub owner: String,
    /// File with the owner's password.
    pub owner_password_file: PathBuf,
    /// The application's role: reads and writes rows.
    pub application: String,
    /// File with its password.
    pub application_password_file: PathBuf,
    /// The backend's role: reads and writes rows.
    pub backend: String,
    /// File with its password.
    pub backend_password_file: PathBuf,
    /// The role that copies media: reads which objects there are.
    pub copier: String,
    /// File with its password.
    pub copier_password_file: PathBuf,
}

/// A PostgreSQL cluster below a directory.
#[derive(Debug)]
pub struct PostgreSql {
    programs: PathBuf,
    data: PathBuf,
    wrapper: Vec<OsString>,
    endpoint: DatabaseEndpoint,
}

impl PostgreSql {
    /// Prepares the cluster: creates it on first use, and writes its settings every time.
    ///
    /// The owner may create databases when `owner_creates_databases` is set at creation (test harness).
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or the cluster cannot be created.
    pub fn prepare(
        directory: &Path,
        secrets: &SecretBook,
        port: u16,
        durability: Durability,
        owner_creates_databases: bool,
    ) -> Result<Self, DevstackError> {
        create_private_directory(directory)?;
        // It may be a link to memory, and `chown -R` follows none.
        let directory = &fs::canonicalize(directory).map_err(DevstackError::file("find", directory))?;
        let programs = newest_programs()?;
        let postgresql = Self {
            wrapper: unprivileged_wrapper(directory)?,
            programs,
            data: directory.join("data"),
            endpoint: endpoint(secrets, port),
        };
        if !postgresql.data.exists() {
            postgresql.create(directory, secrets, owner_creates_databases)?;
        }
        remove_stale_process_file(&postgresql.data);
        write_private_file(&postgresql.data.join("postgresql.conf"), settings(port, durability).as_bytes())?;
        write_private_file(
            &postgresql.data.join("pg_hba.conf"),
            b"host all all 127.0.0.1/32 scram-sha-256\n",
        )?;
        give_to_wrapped_user(&postgresql.wrapper, &postgresql.data)?;
        Ok(postgresql)
    }

    /// Where to reach it.
    #[must_use]
    pub fn endpoint(&self) -> &DatabaseEndpoint {
        &self.endpoint
    }

    /// How to start it; its output goes to `log`.
    #[must_use]
    pub fn launch(&self, log: &Path) -> Launch {
        let mut launch = Launch::new("postgresql", &self.programs.join("postgres"), log)
            .argument("-D")
            .argument(&self.data);
        launch.wrapper.clone_from(&self.wrapper);
        launch.ready_text = Some("database system is ready to accept connections");
        launch
    }

    /// Builds the cluster under another name and renames it when it is complete, so that an
    /// interrupted first start leaves nothing half-made behind.
    fn create(
        &self,
        directory: &Path,
        secrets: &SecretBook,
        owner_creates_databases: bool,
    ) -> Result<(), DevstackError> {
        let fresh = directory.join("data.fresh");
        if fresh.exists() {
            fs::remove_dir_all(&fresh).map_err(DevstackError::file("remove", &fresh))?;
        }
        create_private_directory(&fresh)?;
        give_to_wrapped_user(&self.wrapper, directory)?;
        // "trust" never takes effect: pg_hba.conf is replaced before the server first listens.
        self.run(
            "initdb",
            &[
                "-D".as_ref(),
                fresh.as_os_str(),
                "--username=postgres".as_ref(),
                "--auth=trust".as_ref(),
                "--encoding=UTF8".as_ref(),
                "--locale=C.UTF-8".as_ref(),
                "--no-sync".as_ref(),
                "--no-instructions".as_ref(),
            ],
            "",
        )?;
        self.run_single_user(&fresh, "postgres", &create_roles(secrets, owner_creates_databases)?)?;
        self.run_single_user(&fresh, DATABASE, &grant_rights())?;
        fs::rename(&fresh, &self.data).map_err(DevstackError::file("rename", &fresh))
    }

    /// Runs statements, one per line, without any server listening.
    fn run_single_user(&self, data: &Path, database: &str, statements: &str) -> Result<(), DevstackError> {
        let output = self.run(
            "postgres",
            &["--single".as_ref(), "-D".as_ref(), data.as_os_str(), database.as_ref()],
            statements,
        )?;
        // The single-user server goes on after an error and exits with 0.
        if output.contains("ERROR:") || output.contains("FATAL:") {
            return Err(DevstackError::Command { name: "preparing the database".to_owned(), detail: output });
        }
        Ok(())
    }

    fn run(
        &self,
        program: &str,
        arguments: &[&std::ffi::OsStr],
        input: &str,
    ) -> Result<String, DevstackError> {
        let program_path = self.programs.join(program).into_os_string();
        let mut words = self.wrapper.iter().chain([&program_path]);
        let mut command = Command::new(words.next().unwrap_or(&program_path));
        let failed = |detail: String| DevstackError::Command { name: program.to_owned(), detail };
        let mut child = command
            .args(words)
            .args(arguments)
            .env("LC_ALL", "C.UTF-8")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes()).map_err(|error| failed(error.to_string()))?;
        }
        let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if output.status.success() { Ok(text) } else { Err(failed(text)) }
    }
}

/// After a power cut `postmaster.pid` may name a number that another program has by now, and
/// PostgreSQL would refuse to start. Only a file that names no PostgreSQL is removed.
fn remove_stale_process_file(data: &Path) {
    let file = data.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&file) else { return };
    let id = text.lines().next().unwrap_or_default().trim();
    let command = fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
    if !command.contains("postgres") {
        let _ = fs::remove_file(&file);
    }
}

fn endpoint(secrets: &SecretBook, port: u16) -> DatabaseEndpoint {
    let [application, backend] = SERVICES;
    DatabaseEndpoint {
        port,
        name: DATABASE.to_owned(),
        owner: OWNER.to_owned(),
        owner_password_file: secrets.path(&password_name(OWNER)),
        application: application.to_owned(),
        application_password_file: secrets.path(&password_name(application)),
        backend: backend.to_owned(),
        backend_password_file: secrets.path(&password_name(backend)),
        copier: COPIER.to_owned(),
        copier_password_file: secrets.path(&password_name(COPIER)),
    }
}

fn password_name(role: &str) -> String {
    format!("database-password-{role}")
}

fn create_roles(secrets: &SecretBook, owner_creates_databases: bool) -> Result<String, DevstackError> {
    let mut statements = String::new();
    for role in [OWNER, COPIER].iter().chain(&SERVICES) {
        let password = secrets.obtain(&password_name(role), SecretKind::Password)?;
        let right = if *role == OWNER && owner_creates_databases { " CREATEDB" } else { "" };
        statements += &format!("CREATE ROLE {role} LOGIN{right} PASSWORD '{password}'\n");
    }
    statements += &format!("CREATE DATABASE {DATABASE} OWNER {OWNER}\n");
    statements += &format!("REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC\n");
    statements += &format!("GRANT CONNECT ON DATABASE {DATABASE} TO {COPIER}\n");
    for role in SERVICES {
        statements += &format!("GRANT CONNECT, TEMPORARY ON DATABASE {DATABASE} TO {role}\n");
    }
    Ok(statements)
}

/// Tables made by the owner later are usable by the services, which may not change the schema.
fn grant_rights() -> String {
    let services = SERVICES.join(", ");
    format!(
        "REVOKE ALL ON SCHEMA public FROM PUBLIC\n\
         ALTER SCHEMA public OWNER TO {OWNER}\n\
         GRANT USAGE ON SCHEMA public TO {services}\n\
         ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public \
         GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {services}\n\
         ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public \
         GRANT USAGE, SELECT ON SEQUENCES TO {services}\n"
    )
}

fn settings(port: u16, durability: Durability) -> String {
    let flush = match durability {
        Durability::Full => "fsync = on\nsynchronous_commit = on\nfull_page_writes = on\n",
        Durability::ProcessCrashOnly => "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n",
    };
    format!(
        "# Written at every start.\n\
         listen_addresses = '127.0.0.1'\n\
         port = {port}\n\
         unix_socket_directories = ''\n\
         password_encryption = 'scram-sha-256'\n\
         max_connections = 300\n\
         shared_buffers = '128MB'\n\
         dynamic_shared_memory_type = posix\n\
         max_wal_size = '1GB'\n\
         timezone = 'UTC'\n\
         log_timezone = 'UTC'\n\
         lc_messages = 'C'\n\
         log_line_prefix = '%m [%p] %u@%d %a '\n\
         {flush}"
    )
}

/// The programs of the newest installed PostgreSQL, at least 15.
fn newest_programs() -> Result<PathBuf, DevstackError> {
    let root = Path::new("/usr/lib/postgresql");
    let newest = fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|version| root.join(version.to_string()).join("bin/postgres").exists())
        .max();
    match newest {
        Some(version) if version >= 15 => Ok(root.join(version.to_string()).join("bin")),
        _ => Err(DevstackError::Missing { program: "PostgreSQL 15 or newer" }),
    }
}

/// PostgreSQL refuses to run as root, and as a user without a name. As root it runs in a user namespace in which it
/// is the user `postgres` and still owns root's files; where namespaces are forbidden, as that user itself.
fn unprivileged_wrapper(directory: &Path) -> Result<Vec<OsString>, DevstackError> {
    if !geteuid().is_root() {
        return Ok(Vec::new());
    }
    let candidates: [&[&str]; 2] = [
        &["unshare", "--user", "--map-user=postgres", "--map-group=postgres", "--"],
        &["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"],
    ];
    for words in candidates {
        let wrapper: Vec<OsString> = words.iter().map(OsString::from).collect();
        give_to_wrapped_user(&wrapper, directory)?;
        let works = words.split_first().is_some_and(|(program, rest)| {
            Command::new(program)
                .args(rest)
                .args(["sh", "-c", "id --user --name > /dev/null && test -w \"$0\""])
                .arg(directory)
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        });
        if works {
            return Ok(wrapper);
        }
    }
    Err(DevstackError::Command {
        name: "starting PostgreSQL as root".to_owned(),
        detail: format!(
            "PostgreSQL refuses to run as root; neither a user namespace nor the user `postgres` can \
             use {}. Run as an ordinary user, or choose a --dir the user `postgres` can reach.",
            directory.display()
        ),
    })
}

/// Gives the directory to the user `postgres` where the wrapper switches to it.
fn give_to_wrapped_user(wrapper: &[OsString], directory: &Path) -> Result<(), DevstackError> {
    if wrapper.first().is_none_or(|word| word != "setpriv") {
        return Ok(());
    }
    let status = Command::new("chown")
        .args(["-R", "postgres:postgres", "--"])
        .arg(directory)
        .status()
        .map_err(DevstackError::file("give to postgres", directory))?;
    if status.success() {
        return Ok(());
    }
    Err(DevstackError::Command {
        name: "chown".to_owned(),
        detail: format!("cannot give {} to postgres", directory.display()),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn only_throw_away_clusters_skip_flushing() {
        assert!(settings(1, Durability::Full).contains("fsync = on\n"));
        assert!(settings(1, Durability::ProcessCrashOnly).contains("fsync = off\n"));
    }

    #[test]
    fn services_get_rows_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let secrets = SecretBook::open(directory.path()).unwrap();
        let statements = create_roles(&secrets, false).unwrap() + &grant_rights();
        assert!(!statements.contains("CREATEDB"));
        assert!(!statements.contains("SUPERUSER"));
        for role in SERVICES {
            assert!(!statements.contains(&format!("OWNER {role}")));
        }
    }
}
