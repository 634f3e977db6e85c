//! The one connection: kept alive by a task that goes round the brokers and never gives up.
//!
//! This is our own supervision rather than lapin's recovery, which knows one address only and gives
//! up after a number of attempts.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties, Event};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::channel::OpenChannel;
use crate::topology::Topology;
use crate::{BrokerSettings, BusError};

/// Longest wait for a broker to answer a connection attempt, topology included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the state is looked at besides listening to events.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);
/// Longest wait for the broker's goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Growing pauses between attempts.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(Self::FIRST)
    }
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(3);

    /// Waits, longer each time.
    pub(crate) async fn pause(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(Self::LONGEST);
    }

    /// Starts again with the shortest pause.
    pub(crate) fn reset(&mut self) {
        self.0 = Self::FIRST;
    }
}

/// The present connection, for everybody who needs one.
#[derive(Clone)]
pub(crate) struct Link {
    current: watch::Receiver<Option<Arc<Connection>>>,
    topology: Topology,
    stop: CancellationToken,
    /// Channels that are being closed.
    closings: TaskTracker,
}

impl Link {
    pub(crate) fn start(
        settings: &BrokerSettings,
        password: &str,
        name: &str,
        topology: Topology,
    ) -> Result<Self, BusError> {
        let addresses = settings.addresses(password)?;
        // Read once here, so that a wrong path is told at the start.
        settings.tls_config()?;
        let (sender, current) = watch::channel(None);
        let stop = CancellationToken::new();
        let supervisor = Supervisor {
            settings: settings.clone(),
            addresses,
            name: name.to_owned(),
            topology: topology.clone(),
            current: sender,
        };
        let stopped = stop.clone();
        tokio::spawn(async move {
            stopped.run_until_cancelled(supervisor.run()).await;
        });
        Ok(Self { current, topology, stop, closings: TaskTracker::new() })
    }

    pub(crate) fn current(&self) -> Option<Arc<Connection>> {
        self.current.borrow().as_ref().filter(|connection| connection.status().connected()).map(Arc::clone)
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.current().is_some()
    }

    /// Waits for a connection, however long it takes.
    pub(crate) async fn wait(&self) -> Arc<Connection> {
        let mut current = self.current.clone();
        loop {
            if let Some(connection) = self.current() {
                return connection;
            }
            if current.changed().await.is_err() {
                // Closed for good; whoever waits is about to be dropped as well.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Opens a channel on `connection`; see [`OpenChannel`].
    pub(crate) async fn open_channel(&self, connection: &Connection) -> Result<OpenChannel, BusError> {
        OpenChannel::open(connection, &self.closings).await
    }

    /// Declares the topology anew: somebody removed a part of it while the connection stood.
    pub(crate) async fn repair(&self) {
        if let Some(connection) = self.current()
            && let Err(error) = self.topology.declare(&connection).await
        {
            log::warn!("the queues cannot be declared anew: {error}");
        }
    }

    pub(crate) async fn close(&self) -> bool {
        let connection = self.current();
        self.stop.cancel();
        self.closings.close();
        if tokio::time::timeout(CLOSE_TIMEOUT, self.closings.wait()).await.is_err() {
            log::debug!("the broker did not answer the closing of a channel");
        }
        let Some(connection) = connection else { return true };
        let goodbye = connection.close(200, "shutting down".into());
        let is_answered = matches!(tokio::time::timeout(CLOSE_TIMEOUT, goodbye).await, Ok(Ok(())));
        if !is_answered {
            log::debug!("the broker did not answer the goodbye");
        }
        is_answered
    }
}

struct Supervisor {
    settings: BrokerSettings,
    addresses: Vec<AMQPUri>,
    name: String,
    topology: Topology,
    current: watch::Sender<Option<Arc<Connection>>>,
}

impl Supervisor {
    async fn run(self) {
        let mut backoff = Backoff::default();
        for address in self.addresses.iter().cycle() {
            let place = format!("{}:{}", address.authority.host, address.authority.port);
            let attempt = tokio::time::timeout(CONNECT_TIMEOUT, self.connect(address.clone()));
            match attempt.await.unwrap_or(Err(BusError::NotConfirmed)) {
                Ok(connection) => {
                    log::info!(broker = place; "connected to the broker");
                    metrics::gauge!("kinora_bus_connected").set(1.0);
                    backoff.reset();
                    let connection = Arc::new(connection);
                    self.current.send_replace(Some(Arc::clone(&connection)));
                    let reason = wait_for_end(&connection).await;
                    self.current.send_replace(None);
                    metrics::gauge!("kinora_bus_connected").set(0.0);
                    log::warn!(broker = place; "the connection to the broker has ended: {reason}");
                }
                Err(error) => log::warn!(broker = place; "the broker cannot be reached: {error}"),
            }
            backoff.pause().await;
        }
    }

    async fn connect(&self, address: AMQPUri) -> Result<Connection, BusError> {
        let properties = ConnectionProperties::default().with_connection_name(self.name.as_str().into());
        let runtime = lapin::runtime::default_runtime()?;
        let tls = self.settings.tls_config()?;
        let connection = Connection::connect_uri_with_config(address, properties, tls, runtime).await?;
        self.topology.declare(&connection).await?;
        Ok(connection)
    }
}

/// Waits until the connection is of no more use and says why.
async fn wait_for_end(connection: &Connection) -> String {
    let mut events = Box::pin(connection.events_listener());
    let mut checks = tokio::time::interval(CHECK_INTERVAL);
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Event::Error(error)) => return error.to_string(),
                Some(Event::ConnectionBlocked(reason)) => log::warn!("the broker takes no messages: {reason}"),
                Some(Event::ConnectionUnblocked) => log::info!("the broker takes messages again"),
                Some(_) => {}
                None => return "closed".to_owned(),
            },
            _ = checks.tick() => if !connection.status().connected() {
                return "closed".to_owned();
            },
        }
    }
}
