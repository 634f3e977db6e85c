//! Live progress to the pages, by way of Redis. All of it may be lost: without Redis states still
//! move, only the percentages stand still.

use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, Utc};
use kinora_core::message::Progress;
use kinora_core::{ProductionId, RunId, StepId};
use kinora_runtime::Secret;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _,
    RedisConnectionInfo, RedisError,
};
use serde::{Serialize, Serializer};
use tokio::sync::Mutex;

/// Longest wait for Redis.
const TIMEOUT: Duration = Duration::from_millis(500);
/// How long a Redis that failed is left alone.
const REST: Duration = Duration::from_secs(2);
const DEFAULT_PORT: u16 = 6379;

/// What a page is told about a step under way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProgressMessage {
    /// The run.
    pub run_id: RunId,
    /// The step.
    pub step_id: StepId,
    /// Its attempt.
    pub attempt: u32,
    /// How far it is.
    pub progress: Progress,
    /// When that was said.
    #[serde(serialize_with = "as_instant")]
    pub at: DateTime<Utc>,
}

fn as_instant<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// The Redis servers, and a connection to the one that accepts messages.
pub struct Fanout {
    clients: Vec<Client>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connection: Option<MultiplexedConnection>,
    /// When it failed last.
    failed_at: Option<Instant>,
    /// Whether that was told in the log.
    is_lost: bool,
}

fn server(entry: &str, password: Option<&Secret>) -> Result<ConnectionInfo, RedisError> {
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().unwrap_or(DEFAULT_PORT)),
        None => (entry, DEFAULT_PORT),
    };
    let address = ConnectionAddr::Tcp(host.to_owned(), port).into_connection_info()?;
    Ok(match password {
        Some(password) => {
            address.set_redis_settings(RedisConnectionInfo::default().set_password(password.expose_text()))
        }
        None => address,
    })
}

impl Fanout {
    /// Connects when there is something to tell. Without servers nothing is told.
    ///
    /// # Errors
    /// If an address cannot be understood.
    pub fn new(hosts: &[String], password: Option<&Secret>) -> Result<Self, RedisError> {
        let open = |entry: &String| Client::open(server(entry, password)?);
        Ok(Self { clients: hosts.iter().map(open).collect::<Result<_, _>>()?, state: Mutex::default() })
    }

    /// Tells the pages of a production, if Redis is there.
    pub async fn tell(&self, production: ProductionId, message: &ProgressMessage) {
        if self.clients.is_empty() {
            return;
        }
        let Ok(json) = serde_json::to_string(message) else { return };
        let mut state = self.state.lock().await;
        if state.failed_at.is_some_and(|at| at.elapsed() < REST) {
            return;
        }
        match self.publish(&mut state, &format!("progress:{production}"), &json).await {
            Ok(()) => {
                state.failed_at = None;
                if std::mem::take(&mut state.is_lost) {
                    log::info!("Redis is back: live progress again");
                }
            }
            Err(error) => {
                state.connection = None;
                state.failed_at = Some(Instant::now());
                metrics::counter!("kinora_backend_redis_failures_total").increment(1);
                if !std::mem::replace(&mut state.is_lost, true) {
                    log::warn!("no live progress until Redis is back: {error}");
                }
            }
        }
    }

    async fn publish(&self, state: &mut State, channel: &str, json: &str) -> Result<(), RedisError> {
        let mut connection = match &state.connection {
            Some(connection) => connection.clone(),
            None => self.connect().await?,
        };
        redis::cmd("PUBLISH").arg(channel).arg(json).query_async::<i64>(&mut connection).await?;
        state.connection = Some(connection);
        Ok(())
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT));
        let mut last = RedisError::from((redis::ErrorKind::Client, "no Redis server is set"));
        for client in &self.clients {
            match client.get_multiplexed_async_connection_with_config(&config).await {
                Ok(connection) => return Ok(connection),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}
