//! Connections to PostgreSQL: where the servers are, a pool that survives a change of the primary,
//! and single connections for those that keep one (listener, leader).
//!
//! libpq is given all servers and picks the one that accepts writes. A server that turned read-only
//! under an open connection would fail every write for ever, so a connection is asked for that when
//! it is taken from the pool, unless it was asked a moment ago. Once one is found to be lost, all others
//! are asked: a server that goes takes them all with it.

use std::fmt;
use std::fmt::Write as _;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::r2d2::{HandleError, ManageConnection, R2D2Connection};
use diesel::sql_types::{Bool, Integer};
use serde::Deserialize;

mod in_use;

use crate::{Result, StoreError};
use in_use::InUse;

/// How long a connection is trusted to be alive and writable without asking.
const TRUST: Duration = Duration::from_millis(500);

/// Where the database is and how it is used; the `[database]` table of each role's settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// Servers as `host`, `host:port` or `[address]:port`, or the directory of a Unix socket. With
    /// several, the one that accepts writes is used.
    pub hosts: Vec<String>,
    /// The database's name.
    pub name: String,
    /// The role's PostgreSQL user; its password is the credential `database-password`.
    pub user: String,
    /// libpq's `sslmode`: "disable", "prefer", "require", "verify-ca" or "verify-full".
    #[serde(default = "default_tls")]
    pub tls: String,
    /// Certificates of the authorities that the servers' certificates must come from (PEM).
    #[serde(default)]
    pub tls_authorities: Option<PathBuf>,
    /// Most connections of this process.
    pub pool_size: u32,
    /// Longest a statement may run, seconds.
    pub statement_timeout_seconds: u32,
    /// Longest wait for a free connection, seconds.
    pub checkout_timeout_seconds: u32,
}

fn default_tls() -> String {
    "prefer".to_owned()
}

impl DatabaseSettings {
    /// What is wrong with the values: pairs of a key in the table and what is allowed.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, &'static str)> {
        let modes = ["disable", "prefer", "require", "verify-ca", "verify-full"];
        let checks = [
            (!self.hosts.is_empty(), "hosts", "a list of at least one server"),
            (
                modes.contains(&self.tls.as_str()),
                "tls",
                "\"disable\", \"prefer\", \"require\", \"verify-ca\" or \"verify-full\"",
            ),
            ((1..=500).contains(&self.pool_size), "pool_size", "1 to 500"),
            ((1..=3600).contains(&self.statement_timeout_seconds), "statement_timeout_seconds", "1 to 3600"),
            ((1..=60).contains(&self.checkout_timeout_seconds), "checkout_timeout_seconds", "1 to 60"),
        ];
        checks.into_iter().filter(|(fine, ..)| !fine).map(|(_, key, allowed)| (key, allowed)).collect()
    }
}

/// All that libpq needs to connect, the password included; shown without it.
///
/// libpq asks one server after the other, and each of a server's addresses, for two seconds where nobody answers. So that a server
/// that is gone does not hold up every connection, each one begins with another server than the one before.
#[derive(Clone)]
pub struct Connector {
    /// As many as servers; the servers in another order in each.
    conninfos: Arc<[String]>,
    turn: Arc<AtomicUsize>,
    shown: String,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connector({})", self.shown)
    }
}

/// Quotes a value for libpq's `keyword = 'value'` strings.
fn quote(value: &str) -> String {
    format!("'{}'", value.replace('\\', r"\\").replace('\'', r"\'"))
}

/// Host and port of an entry like `host`, `host:port`, `[::1]:port` or `/socket/directory`.
fn host_and_port(entry: &str) -> (&str, &str) {
    const DEFAULT_PORT: &str = "5432";
    if let Some(rest) = entry.strip_prefix('[') {
        let (host, port) = rest.split_once(']').unwrap_or((rest, ""));
        return (host, port.strip_prefix(':').unwrap_or(DEFAULT_PORT));
    }
    match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => (host, port),
        _ => (entry, DEFAULT_PORT),
    }
}

/// libpq's `keyword = 'value'` pairs, without the password.
fn parameters(settings: &DatabaseSettings, servers: &[(&str, &str)], application: &str) -> String {
    let list = |part: fn(&(&str, &str)) -> String| servers.iter().map(part).collect::<Vec<_>>().join(",");
    // The server ends the session of a client whose host has vanished within about ten seconds,
    // so that its locks do not outlive it.
    let options = format!(
        "-c statement_timeout={} -c idle_in_transaction_session_timeout=60s -c timezone=UTC \
         -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=2",
        u64::from(settings.statement_timeout_seconds) * 1000,
    );
    let mut written = String::new();
    for (keyword, value) in [
        ("host", list(|(host, _)| (*host).to_owned())),
        ("port", list(|(_, port)| (*port).to_owned())),
        ("dbname", settings.name.clone()),
        ("user", settings.user.clone()),
        ("sslmode", settings.tls.clone()),
        (
            "sslrootcert",
            settings.tls_authorities.as_ref().map_or_else(String::new, |p| p.display().to_string()),
        ),
        ("application_name", application.to_owned()),
        ("target_session_attrs", "read-write".to_owned()),
        ("connect_timeout", "2".to_owned()),
        ("tcp_user_timeout", "5000".to_owned()),
        ("keepalives_idle", "5".to_owned()),
        ("keepalives_interval", "2".to_owned()),
        ("keepalives_count", "2".to_owned()),
        ("client_encoding", "UTF8".to_owned()),
        ("options", options),
    ] {
        if !value.is_empty() {
            let _ = write!(written, "{keyword}={} ", quote(&value));
        }
    }
    written
}

impl Connector {
    /// Connects with these settings; `application` shows in `pg_stat_activity`.
    #[must_use]
    pub fn new(settings: &DatabaseSettings, password: &str, application: &str) -> Self {
        let mut servers: Vec<_> = settings.hosts.iter().map(|entry| host_and_port(entry)).collect();
        let shown = parameters(settings, &servers, application);
        let step = usize::from(!servers.is_empty());
        let conninfos = (0..servers.len().max(1))
            .map(|_| {
                let conninfo =
                    format!("{}password={}", parameters(settings, &servers, application), quote(password));
                servers.rotate_left(step);
                conninfo
            })
            .collect();
        Self { conninfos, turn: Arc::default(), shown }
    }

    fn conninfo(&self) -> &str {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        self.conninfos.get(turn % self.conninfos.len().max(1)).map_or("", String::as_str)
    }

    /// A connection outside the pool, to the server that accepts writes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if no server can be reached.
    pub fn connect(&self) -> Result<PgConnection> {
        let mut connection = PgConnection::establish(self.conninfo())
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        // Hints and notices of the server are not ours to print.
        connection.batch_execute("SET client_min_messages = warning")?;
        Ok(connection)
    }
}

/// Whether the server behind the connection has stopped accepting writes.
fn is_read_only(connection: &mut PgConnection) -> QueryResult<bool> {
    let query = "pg_is_in_recovery() OR current_setting('transaction_read_only')::bool";
    diesel::select(diesel::dsl::sql::<Bool>(query)).get_result(connection)
}

/// A connection and when it was last seen to be alive and writable.
struct Checked {
    connection: PgConnection,
    seen: Instant,
    /// How many losses were known then.
    losses: u64,
    /// Who serves it at the server.
    process: i32,
    in_use: InUse,
}

impl Drop for Checked {
    fn drop(&mut self) {
        self.in_use.give_back(self.process);
    }
}

#[derive(Debug)]
struct Manager {
    connector: Connector,
    /// How many connections were found to be lost while they were in use.
    losses: Arc<AtomicU64>,
    in_use: InUse,
}

impl ManageConnection for Manager {
    type Connection = Checked;
    type Error = StoreError;

    fn connect(&self) -> Result<Checked> {
        // Before the connection: a loss that is noticed meanwhile makes this one be asked, too.
        let losses = self.losses.load(Ordering::Acquire);
        let mut connection = self.connector.connect()?;
        let process =
            diesel::select(diesel::dsl::sql::<Integer>("pg_backend_pid()")).get_result(&mut connection)?;
        Ok(Checked { connection, seen: Instant::now(), losses, process, in_use: self.in_use.clone() })
    }

    /// Asked whenever one is taken from the pool.
    fn is_valid(&self, checked: &mut Checked) -> Result<()> {
        self.in_use.take(checked.process);
        let losses = self.losses.load(Ordering::Acquire);
        if checked.losses == losses && checked.seen.elapsed() < TRUST {
            return Ok(());
        }
        if is_read_only(&mut checked.connection)? {
            return Err(StoreError::Unavailable("the server has become read-only".to_owned()));
        }
        checked.seen = Instant::now();
        checked.losses = losses;
        Ok(())
    }

    /// Asked whenever one comes back.
    fn has_broken(&self, checked: &mut Checked) -> bool {
        self.in_use.give_back(checked.process);
        std::thread::panicking() || checked.connection.is_broken()
    }
}

/// One line for each failed attempt to connect, at a level that does not drown the caller's error.
#[derive(Debug)]
struct Quiet;

impl HandleError<StoreError> for Quiet {
    fn handle_error(&self, error: StoreError) {
        log::warn!("database connection: {error}");
    }
}

/// The connections of a process. Clones share them. All methods block: call them where that is
/// allowed (`web::block`, `spawn_blocking`).
#[derive(Clone)]
pub struct Pool {
    pool: diesel::r2d2::Pool<Manager>,
    connector: Connector,
    losses: Arc<AtomicU64>,
    in_use: InUse,
    size: u32,
    limit: Duration,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.connector).finish()
    }
}

/// A connection on loan from the pool.
pub struct Lease {
    checked: diesel::r2d2::PooledConnection<Manager>,
    losses: Arc<AtomicU64>,
}

impl Lease {
    /// Whether this connection cannot be used any more: it broke, or its server has stopped accepting writes.
    /// Asks the server, so it is for after a failure. A lost one is not given out again, and the pool asks
    /// each of the others before it gives them out.
    pub fn is_lost(&mut self) -> bool {
        let is_lost = !matches!(is_read_only(&mut self.checked.connection), Ok(false));
        if is_lost {
            self.losses.fetch_add(1, Ordering::AcqRel);
        }
        is_lost
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.checked.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.checked.connection
    }
}

impl Pool {
    /// A pool that connects when it is first used, so that a role can start before its database.
    #[must_use]
    pub fn new(settings: &DatabaseSettings, password: &str, application: &str) -> Self {
        let limit = Duration::from_secs(u64::from(settings.checkout_timeout_seconds.max(1)));
        Self::with(Connector::new(settings, password, application), settings.pool_size.max(1), limit)
    }

    /// Another pool like this one, without any of its connections.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self::with(self.connector.clone(), self.size, self.limit)
    }

    /// Has each connection asked whether it is alive before it is given out the next time.
    pub fn distrust(&self) {
        self.losses.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether connections have been in use for so long and the server that accepts writes now works on nothing for
    /// any of them: they lead to one that hangs, or to one that is not the primary any more. Blocks for some seconds at most.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if no server accepts writes; a failure of that one.
    pub fn is_stuck(&self, duration: Duration) -> Result<bool> {
        let processes = self.in_use.for_longer_than(duration);
        if processes.is_empty() {
            return Ok(false);
        }
        Ok(in_use::count_at_work(&mut self.connector.connect()?, &processes, duration)? == 0)
    }

    fn with(connector: Connector, size: u32, limit: Duration) -> Self {
        let (losses, in_use) = (Arc::new(AtomicU64::new(0)), InUse::default());
        let manager =
            Manager { connector: connector.clone(), losses: Arc::clone(&losses), in_use: in_use.clone() };
        let pool = diesel::r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .connection_timeout(limit)
            .max_lifetime(Some(Duration::from_secs(60 * 60)))
            .idle_timeout(Some(Duration::from_secs(5 * 60)))
            .test_on_check_out(true)
            .error_handler(Box::new(Quiet))
            .build_unchecked(manager);
        Self { pool, connector, losses, in_use, size, limit }
    }

    /// Takes a connection to a server that accepts writes; waits for a free one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if there is none within the time that is set.
    pub fn get(&self) -> Result<Lease> {
        self.lease(self.pool.get())
    }

    /// The same with a limit of its own.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn get_within(&self, limit: Duration) -> Result<Lease> {
        self.lease(self.pool.get_timeout(limit))
    }

    fn lease(
        &self,
        taken: Result<diesel::r2d2::PooledConnection<Manager>, diesel::r2d2::PoolError>,
    ) -> Result<Lease> {
        let checked = taken.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Lease { checked, losses: Arc::clone(&self.losses) })
    }

    /// How to connect outside the pool.
    #[must_use]
    pub fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Open connections, and those of them that nobody uses.
    #[must_use]
    pub fn counts(&self) -> (u32, u32) {
        let state = self.pool.state();
        (state.connections, state.idle_connections)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> DatabaseSettings {
        DatabaseSettings {
            hosts: vec!["db1".into(), "db2:6432".into(), "[::1]:5433".into(), "/run/postgresql".into()],
            name: "kinora".into(),
            user: "o'hara\\".into(),
            tls: "disable".into(),
            tls_authorities: None,
            pool_size: 4,
            statement_timeout_seconds: 30,
            checkout_timeout_seconds: 3,
        }
    }

    #[test]
    fn the_password_is_never_shown() {
        let connector = Connector::new(&settings(), "hunter2", "test");
        assert!(connector.conninfo().ends_with("password='hunter2'"));
        let pool = Pool::new(&settings(), "hunter2", "test");
        assert!(!format!("{connector:?}{pool:?}").contains("hunter2"));
    }

    #[test]
    fn all_servers_are_listed_and_values_quoted() {
        let shown = Connector::new(&settings(), "x", "test").shown;
        assert!(shown.contains("host='db1,db2,::1,/run/postgresql' port='5432,6432,5433,5432'"), "{shown}");
        assert!(shown.contains(r"user='o\'hara\\'"), "{shown}");
        assert!(shown.contains("target_session_attrs='read-write'"), "{shown}");
        // A server that hangs or vanishes is left within seconds.
        for parameter in ["connect_timeout='2'", "tcp_user_timeout='5000'", "keepalives_idle='5'"] {
            assert!(shown.contains(parameter), "{parameter}: {shown}");
        }
    }

    #[test]
    fn each_connection_begins_with_another_server() {
        let connector = Connector::new(&settings(), "x", "test");
        let first = |text: &str| text.split([',', '\'']).nth(1).map(str::to_owned);
        let seen: Vec<_> = (0..5).map(|_| first(connector.clone().conninfo())).collect();
        let expected = ["db1", "db2", "::1", "/run/postgresql", "db1"].map(|host| Some(host.to_owned()));
        assert_eq!(seen, expected);
        assert!(connector.conninfo().contains("port='6432,5433,5432,5432'"), "a server keeps its port");
    }

    #[test]
    fn wrong_values_are_found() {
        assert_eq!(settings().problems(), []);
        let wrong = DatabaseSettings { hosts: vec![], tls: "yes".into(), pool_size: 0, ..settings() };
        let keys: Vec<_> = wrong.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["hosts", "tls", "pool_size"]);
    }
}
