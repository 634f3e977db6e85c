//! The three services together: started in parallel, supervised, stopped in order.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use crate::broker::{Broker, BrokerEndpoint};
use crate::child::Launch;
use crate::directory::create_private_directory;
use crate::error::DevstackError;
use crate::ports::PortBook;
use crate::postgresql::{DatabaseEndpoint, Durability, PostgreSql};
use crate::redis::{Redis, RedisEndpoint};
use crate::secret::SecretBook;
use crate::supervisor::{PartPlan, Readiness, Reporter, Supervised};

/// How the services are set up.
#[derive(Debug, Clone, Copy)]
pub struct ServicesOptions {
    /// Whether a power cut may lose acknowledged writes.
    pub durability: Durability,
    /// Whether the schema's owner may create further databases (test harness).
    pub owner_creates_databases: bool,
}

/// Where the services are.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct ServiceEndpoints {
    /// PostgreSQL.
    pub database: DatabaseEndpoint,
    /// RabbitMQ.
    pub broker: BrokerEndpoint,
    /// Redis.
    pub redis: RedisEndpoint,
}

/// The running services. Dropping them stops them.
pub struct Services {
    endpoints: ServiceEndpoints,
    broker: Supervised,
    redis: Supervised,
    database: Supervised,
}

impl Services {
    /// Prepares and starts all three; returns at once, before they are ready.
    ///
    /// # Errors
    /// When a program is missing or a directory cannot be prepared.
    pub fn start(
        directory: &Path,
        ports: &mut PortBook,
        options: ServicesOptions,
        report: &Reporter,
    ) -> Result<Self, DevstackError> {
        let secrets = SecretBook::open(&directory.join("secrets"))?;
        let logs = directory.join("logs");
        create_private_directory(&logs)?;
        let log = |name: &str| -> PathBuf { logs.join(format!("{name}.log")) };
        // The broker takes the longest: it starts first.
        let broker = Broker::prepare(
            &directory.join("rabbitmq"),
            &secrets,
            ports.assign("rabbitmq")?,
            ports.assign("rabbitmq-node")?,
        )?;
        let broker_part =
            supervise(broker.launch(&log("rabbitmq")), Signal::TERM, Duration::from_secs(5), report)?;
        let redis = Redis::prepare(&directory.join("redis"), &secrets, ports.assign("redis")?)?;
        let redis_part =
            supervise(redis.launch(&log("redis")), Signal::TERM, Duration::from_secs(2), report)?;
        let database = PostgreSql::prepare(
            &directory.join("postgresql"),
            &secrets,
            ports.assign("postgresql")?,
            options.durability,
            options.owner_creates_databases,
        )?;
        // SIGINT is PostgreSQL's "fast shutdown": clients are sent away, nothing is lost.
        let database_part =
            supervise(database.launch(&log("postgresql")), Signal::INT, Duration::from_secs(5), report)?;
        Ok(Self {
            endpoints: ServiceEndpoints {
                database: database.endpoint().clone(),
                broker: broker.endpoint().clone(),
                redis: redis.endpoint().clone(),
            },
            broker: broker_part,
            redis: redis_part,
            database: database_part,
        })
    }

    /// Where they are.
    #[must_use]
    pub fn endpoints(&self) -> &ServiceEndpoints {
        &self.endpoints
    }

    /// Waits for PostgreSQL.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn wait_database(&self) -> Result<(), DevstackError> {
        self.database.wait_ready()
    }

    /// Waits for Redis.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn wait_redis(&self) -> Result<(), DevstackError> {
        self.redis.wait_ready()
    }

    /// Waits for RabbitMQ.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn wait_broker(&self) -> Result<(), DevstackError> {
        self.broker.wait_ready()
    }

    /// Tells all three to stop without waiting, so that they stop at the same time and a start that
    /// is still waiting for one of them gives up.
    pub fn begin_stop(&self) {
        for part in [&self.broker, &self.redis, &self.database] {
            part.begin_stop();
        }
    }

    /// Stops all three.
    pub fn stop(&self) {
        self.begin_stop();
        for part in [&self.broker, &self.redis, &self.database] {
            part.stop();
        }
    }
}

fn supervise(
    launch: Launch,
    stop_signal: Signal,
    stop_grace: Duration,
    report: &Reporter,
) -> Result<Supervised, DevstackError> {
    let plan = PartPlan {
        launch,
        readiness: Readiness::Text,
        stop_signal,
        stop_grace,
        start_limit: Duration::from_secs(90),
    };
    let report = Arc::clone(report);
    Supervised::start(plan, move |line| report(line))
}
