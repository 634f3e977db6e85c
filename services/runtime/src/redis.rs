//! Redis as Kinora's roles use it: for what may be lost. The address of the primary comes from Sentinel
//! (or from a list, on one machine), TLS is verified, and a fail-over is survived.
//!
//! A connection is kept until it fails, answers that it is no primary, or Sentinel names another one;
//! then Sentinel is asked again and the command is tried once more. Whoever asks waits for a second or
//! two at most and can do without an answer.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use openssl::ssl::{SslConnector, SslMethod, SslVersion};
use redis::aio::{MultiplexedConnection, PubSub, PubSubSink, PubSubStream};
use redis::{AsyncConnectionConfig, ErrorKind, FromRedisValue, RedisConnectionInfo, ServerErrorKind};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_openssl::SslStream;

pub use redis::{Cmd, Msg, RedisError, cmd};

use crate::Secret;
use crate::tls::{TlsError, read_certificates};

/// Longest wait for one server to accept, and for one answer.
const TIMEOUT: Duration = Duration::from_millis(500);
/// Longest wait for a connection to the primary, however many servers are asked for it.
const LIMIT: Duration = Duration::from_millis(1500);
/// How long it is believed that the primary is still the primary.
const BELIEF: Duration = Duration::from_secs(2);
/// How often a silent subscription is asked whether it is alive.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// The `[redis]` table of the settings of application and backend.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisSettings {
    /// Servers as `host:port`; the first that answers is used. Not looked at with Sentinels.
    pub url_hosts: Vec<String>,
    /// Sentinels as `host:port`.
    pub sentinels: Vec<String>,
    /// What the Sentinels call the primary.
    pub primary_name: String,
    /// The role's Redis user, also on the Sentinels; none: the default user.
    #[serde(default)]
    pub user: Option<String>,
    /// Whether to speak TLS, with the Sentinels too.
    pub tls: bool,
    /// Certificates of the authorities that the servers' certificates must come from (PEM); without
    /// it the system's.
    #[serde(default)]
    pub tls_authorities: Option<PathBuf>,
}

/// A server's name or address, and its port.
type Address = (String, u16);

/// Host and port of an entry like `host`, `host:port`, `[::1]:port` or `::1`.
fn address(entry: &str, default_port: u16) -> Option<Address> {
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port.parse().ok()?),
        _ => (entry, default_port),
    };
    let host = host.trim_matches(['[', ']']);
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

impl RedisSettings {
    /// Whether there is a Redis at all.
    #[must_use]
    pub fn is_set(&self) -> bool {
        !self.url_hosts.is_empty() || !self.sentinels.is_empty()
    }

    /// What is wrong with the values: pairs of a key in the table and what is allowed.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, &'static str)> {
        let are_addresses = |list: &[String]| list.iter().all(|entry| address(entry, 1).is_some());
        let checks = [
            (are_addresses(&self.url_hosts), "url_hosts", "a list of \"host\" or \"host:port\""),
            (are_addresses(&self.sentinels), "sentinels", "a list of \"host\" or \"host:port\""),
            (!self.primary_name.is_empty(), "primary_name", "the name that the Sentinels know"),
            (self.user.as_deref() != Some(""), "user", "the name of a Redis user, or left out"),
        ];
        checks.into_iter().filter(|(fine, ..)| !fine).map(|(_, key, allowed)| (key, allowed)).collect()
    }
}

/// The connection in use.
struct Primary {
    address: Address,
    connection: MultiplexedConnection,
    /// When it was last known to be the primary.
    believed_at: Instant,
}

#[derive(Default)]
struct State {
    primary: Option<Primary>,
    sentinel: Option<MultiplexedConnection>,
    /// Which Sentinel is asked next.
    next_sentinel: usize,
}

/// The handle on Redis.
pub struct Redis {
    settings: RedisSettings,
    login: RedisConnectionInfo,
    state: Mutex<State>,
}

fn io_error(kind: std::io::ErrorKind, text: impl Into<String>) -> RedisError {
    std::io::Error::new(kind, text.into()).into()
}

fn late() -> RedisError {
    io_error(std::io::ErrorKind::TimedOut, "Redis did not answer in time")
}

/// Whether the connection is of no more use after such an error.
fn is_connection_over(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Io
            | ErrorKind::Parse
            | ErrorKind::Server(
                ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown | ServerErrorKind::BusyLoading
            )
    ) || error.is_timeout()
        || error.is_connection_dropped()
        || error.is_unrecoverable_error()
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Redis {
    /// Connects when it is first used.
    ///
    /// # Errors
    /// [`TlsError`] if the authorities cannot be read.
    pub fn new(settings: &RedisSettings, password: Option<&Secret>) -> Result<Self, TlsError> {
        if settings.tls {
            // Read at each connection; here so that a wrong path is told at the start.
            connector(settings)?;
        }
        let mut login = RedisConnectionInfo::default().set_skip_set_lib_name();
        if let Some(user) = &settings.user {
            login = login.set_username(user);
        }
        if let Some(password) = password {
            login = login.set_password(password.expose_text());
        }
        Ok(Self { settings: settings.clone(), login, state: Mutex::default() })
    }

    /// Runs a command on the primary; once more after a fail-over.
    ///
    /// # Errors
    /// If no primary answers in time, or it refuses.
    pub async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        match self.run_once(command).await {
            Err(error) if is_connection_over(&error) => self.run_once(command).await,
            result => result,
        }
    }

    async fn run_once<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        let (mut connection, address) = self.connection().await?;
        let result = command.query_async(&mut connection).await;
        if let Err(error) = &result
            && is_connection_over(error)
        {
            let mut state = self.state.lock().await;
            // Somebody else may have replaced it already; asking once too often does no harm.
            if state.primary.as_ref().is_some_and(|primary| primary.address == address) {
                state.primary = None;
            }
        }
        result
    }

    /// Whether the primary answers.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn ping(&self) -> Result<(), RedisError> {
        self.run::<String>(&redis::cmd("PING")).await.map(|_| ())
    }

    /// Hears what is said on the channels that `pattern` describes.
    ///
    /// # Errors
    /// If no primary answers in time.
    pub async fn subscribe(&self, pattern: &str) -> Result<Subscription, RedisError> {
        let (_, address) = self.connection().await?;
        let open = async {
            let stream = self.stream(&address).await?;
            let mut subscriber = PubSub::new(&self.login, stream).await?;
            subscriber.psubscribe(pattern).await?;
            Ok::<_, RedisError>(subscriber.split())
        };
        let (sink, stream) = timeout(LIMIT, open).await.unwrap_or_else(|_| Err(late()))?;
        Ok(Subscription { sink, stream, address })
    }

    async fn connection(&self) -> Result<(MultiplexedConnection, Address), RedisError> {
        let mut state = self.state.lock().await;
        if let Some(primary) = &state.primary
            && (self.settings.sentinels.is_empty() || primary.believed_at.elapsed() < BELIEF)
        {
            return Ok((primary.connection.clone(), primary.address.clone()));
        }
        timeout(LIMIT, self.find_primary(&mut state)).await.unwrap_or_else(|_| Err(late()))?;
        match &state.primary {
            Some(primary) => Ok((primary.connection.clone(), primary.address.clone())),
            None => Err(late()),
        }
    }

    async fn find_primary(&self, state: &mut State) -> Result<(), RedisError> {
        if self.settings.sentinels.is_empty() {
            return self.first_that_answers(state).await;
        }
        let address = match (self.ask_sentinels(state).await, &mut state.primary) {
            (Ok(address), Some(primary)) if primary.address != address => {
                log::info!(server = address.0; "Redis has another primary");
                address
            }
            (Ok(address), None) => address,
            // Still the same; or no Sentinel answers, and what stands may be right.
            (_, Some(primary)) => {
                primary.believed_at = Instant::now();
                return Ok(());
            }
            (Err(error), None) => return Err(error),
        };
        state.primary = None;
        let connection = self.connect(&address).await?;
        state.primary = Some(Primary { address, connection, believed_at: Instant::now() });
        Ok(())
    }

    async fn first_that_answers(&self, state: &mut State) -> Result<(), RedisError> {
        let mut last = io_error(std::io::ErrorKind::NotFound, "no Redis server is set");
        for address in self.settings.url_hosts.iter().filter_map(|entry| address(entry, REDIS_PORT)) {
            match self.connect(&address).await {
                Ok(connection) => {
                    state.primary = Some(Primary { address, connection, believed_at: Instant::now() });
                    return Ok(());
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The primary's address as a Sentinel knows it.
    async fn ask_sentinels(&self, state: &mut State) -> Result<Address, RedisError> {
        let mut question = redis::cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.settings.primary_name);
        let mut last = io_error(std::io::ErrorKind::NotFound, "no Sentinel is set");
        // One more than there are, as the first may be the kept connection to one of them.
        for _ in 0..=self.settings.sentinels.len() {
            let mut connection = match state.sentinel.take() {
                Some(connection) => connection,
                None => {
                    let index = state.next_sentinel % self.settings.sentinels.len().max(1);
                    state.next_sentinel = index + 1;
                    let sentinel =
                        self.settings.sentinels.get(index).and_then(|entry| address(entry, SENTINEL_PORT));
                    let Some(sentinel) = sentinel else { return Err(last) };
                    match self.connect(&sentinel).await {
                        Ok(connection) => connection,
                        Err(error) => {
                            last = error;
                            continue;
                        }
                    }
                }
            };
            match question.query_async::<Option<Address>>(&mut connection).await {
                Ok(Some(address)) => {
                    state.sentinel = Some(connection);
                    return Ok(address);
                }
                Ok(None) => {
                    let name = &self.settings.primary_name;
                    last = io_error(
                        std::io::ErrorKind::NotFound,
                        format!("the Sentinels know no primary called '{name}'"),
                    );
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn connect(&self, address: &Address) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(TIMEOUT));
        let open = async {
            let stream = self.stream(address).await?;
            let (connection, driver) =
                MultiplexedConnection::new_with_config(&self.login, stream, config).await?;
            tokio::spawn(driver);
            Ok(connection)
        };
        timeout(TIMEOUT, open).await.unwrap_or_else(|_| Err(late()))
    }

    async fn stream(&self, (host, port): &Address) -> Result<Box<dyn Stream>, RedisError> {
        let tcp = TcpStream::connect((host.as_str(), *port)).await?;
        tcp.set_nodelay(true)?;
        if !self.settings.tls {
            return Ok(Box::new(tcp));
        }
        let failed = |text: String| io_error(std::io::ErrorKind::ConnectionAborted, text);
        let connector = connector(&self.settings).map_err(|error| failed(error.to_string()))?;
        let session = connector
            .configure()
            .and_then(|configuration| configuration.into_ssl(host))
            .map_err(|error| failed(error.to_string()))?;
        let mut stream = SslStream::new(session, tcp).map_err(|error| failed(error.to_string()))?;
        std::pin::Pin::new(&mut stream)
            .connect()
            .await
            .map_err(|error| failed(format!("TLS with {host}:{port}: {error}")))?;
        Ok(Box::new(stream))
    }
}

fn connector(settings: &RedisSettings) -> Result<SslConnector, TlsError> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    if let Some(path) = &settings.tls_authorities {
        let mut store = openssl::x509::store::X509StoreBuilder::new()?;
        for authority in read_certificates("redis.tls_authorities", path)? {
            store.add_cert(authority)?;
        }
        builder.set_cert_store(store.build());
    }
    Ok(builder.build())
}

/// What is said on some channels, until the primary changes.
pub struct Subscription {
    sink: PubSubSink,
    stream: PubSubStream,
    address: Address,
}

impl Subscription {
    /// The next message; none when the server has ended the subscription.
    ///
    /// # Errors
    /// If the server no longer answers or is no longer the primary of `redis`: subscribe anew.
    pub async fn next(&mut self, redis: &Redis) -> Result<Option<Msg>, RedisError> {
        loop {
            match timeout(PROBE_INTERVAL, self.stream.next()).await {
                Ok(message) => return Ok(message),
                Err(_) => self.probe(redis).await?,
            }
        }
    }

    /// A server that hangs, or that was left behind by a fail-over, says nothing by itself.
    async fn probe(&mut self, redis: &Redis) -> Result<(), RedisError> {
        timeout(TIMEOUT, self.sink.ping::<redis::Value>()).await.unwrap_or_else(|_| Err(late()))?;
        let (_, address) = redis.connection().await?;
        if address == self.address {
            return Ok(());
        }
        Err(io_error(std::io::ErrorKind::ConnectionReset, "Redis has another primary"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_names_or_numbers_with_a_port() {
        for (text, expected) in [
            ("be1", Some(("be1", 6379))),
            ("be1:1", Some(("be1", 1))),
            ("[fd00::1]:2", Some(("fd00::1", 2))),
            ("fd00::1", Some(("fd00::1", 6379))),
            ("", None),
            (":1", None),
            ("be1:port", None),
        ] {
            let expected = expected.map(|(host, port)| (host.to_owned(), port));
            assert_eq!(address(text, REDIS_PORT), expected, "{text}");
        }
    }
}
