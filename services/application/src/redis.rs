//! Redis as the application uses it: progress that may be lost, and the question whether it is there.

use std::time::Duration;

use kinora_runtime::Secret;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _,
    RedisConnectionInfo, RedisError, aio::MultiplexedConnection, aio::PubSub,
};
use tokio::sync::Mutex;

use crate::settings::RedisSettings;

/// Longest wait for Redis: whoever asks can do without.
const TIMEOUT: Duration = Duration::from_millis(500);
const DEFAULT_PORT: u16 = 6379;

/// The servers, and a connection to one that answers.
pub struct Redis {
    clients: Vec<Client>,
    connection: Mutex<Option<MultiplexedConnection>>,
}

fn server(entry: &str, password: &Secret) -> Result<ConnectionInfo, RedisError> {
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().unwrap_or(DEFAULT_PORT)),
        None => (entry, DEFAULT_PORT),
    };
    let address = ConnectionAddr::Tcp(host.to_owned(), port);
    let login = RedisConnectionInfo::default().set_password(password.expose_text());
    Ok(address.into_connection_info()?.set_redis_settings(login))
}

impl Redis {
    /// Connects when it is first used.
    ///
    /// # Errors
    /// If an address cannot be understood.
    pub fn new(settings: &RedisSettings, password: &Secret) -> Result<Self, RedisError> {
        let open = |entry: &String| Client::open(server(entry, password)?);
        let clients = settings.url_hosts.iter().map(open).collect::<Result<_, _>>()?;
        Ok(Self { clients, connection: Mutex::new(None) })
    }

    /// A connection to the first server that answers.
    ///
    /// # Errors
    /// If none does.
    pub async fn connection(&self) -> Result<MultiplexedConnection, RedisError> {
        let mut kept = self.connection.lock().await;
        if let Some(connection) = kept.as_ref() {
            return Ok(connection.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT));
        let mut last = RedisError::from((redis::ErrorKind::Client, "no Redis server is set"));
        for client in &self.clients {
            match client.get_multiplexed_async_connection_with_config(&config).await {
                Ok(connection) => {
                    *kept = Some(connection.clone());
                    return Ok(connection);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Gives up the kept connection after it failed.
    pub async fn reconnect(&self) {
        *self.connection.lock().await = None;
    }

    /// A connection of its own for subscriptions.
    ///
    /// # Errors
    /// If no server answers.
    pub async fn subscriber(&self) -> Result<PubSub, RedisError> {
        let mut last = RedisError::from((redis::ErrorKind::Client, "no Redis server is set"));
        for client in &self.clients {
            match client.get_async_pubsub().await {
                Ok(subscriber) => return Ok(subscriber),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Whether Redis answers.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn ping(&self) -> Result<(), RedisError> {
        let mut connection = self.connection().await?;
        let answer: Result<String, RedisError> = redis::cmd("PING").query_async(&mut connection).await;
        if answer.is_err() {
            self.reconnect().await;
        }
        answer.map(|_| ())
    }
}
