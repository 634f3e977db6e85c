//! Exchanges and queues, declared from [`QueueClass::ALL`].
//!
//! | exchange | key | queue | what |
//! |---|---|---|---|
//! | `P.orders` | class | `P.orders.<class>` (quorum) | backend → worker: steps |
//! | `P.reports` | `results` | `P.results` (quorum) | worker → backend: begun, done, failed, cancelled |
//! | `P.reports` | `progress` | `P.heartbeats` (quorum, short-lived) | worker → backend: progress |
//! | `P.control` | – (fanout) | one per worker, exclusive | backend → workers: cancel |
//! | `P.dead` | – (fanout) | `P.dead` (quorum) | what was refused or delivered too often |
//!
//! Progress has a queue of its own, so that a flood of it never delays a result. It is a quorum queue, although
//! what is in it may be lost: a classic one lives on one node, and without that node no backend could declare it,
//! and no attempt would have a heartbeat.

use kinora_core::queue::QueueClass;
use lapin::options::{
    ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ExchangeKind};

use crate::BusError;

/// Deliveries of one order after which it is a poison message and goes to the dead letters. A lost
/// broker connection counts as one as well.
pub const DELIVERY_LIMIT: i32 = 10;
/// The same for results: they must survive many restarts of the backend.
const RESULT_DELIVERY_LIMIT: i32 = 50;
/// How long a worker may hold an order (RabbitMQ ≥ 3.12; before that `consumer_timeout` in
/// rabbitmq.conf says it), milliseconds: two days.
const CONSUMER_TIMEOUT_MS: i32 = 48 * 60 * 60 * 1000;
/// Progress older than this is of no use, milliseconds.
const PROGRESS_TTL_MS: i32 = 15_000;
/// Most progress messages that wait.
const PROGRESS_MAX_LENGTH: i32 = 10_000;
/// Most dead letters that are kept.
const DEAD_MAX_LENGTH: i32 = 10_000;

/// Routing key of reports that an attempt has begun or ended.
pub(crate) const RESULTS: &str = "results";
/// Routing key of progress.
pub(crate) const PROGRESS: &str = "progress";

/// How much is in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Depth {
    /// The queue's name without the prefix.
    pub queue: String,
    /// Messages that are ready to be delivered.
    pub messages: u32,
    /// Consumers.
    pub consumers: u32,
}

/// The names of everything that is declared.
#[derive(Clone, Debug)]
pub(crate) struct Topology {
    /// Whether it is declared by this process.
    is_ours: bool,
    prefix: String,
    pub(crate) orders_exchange: String,
    pub(crate) reports_exchange: String,
    pub(crate) control_exchange: String,
    pub(crate) results_queue: String,
    pub(crate) heartbeats_queue: String,
    dead: String,
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

impl Topology {
    pub(crate) fn new(prefix: &str) -> Self {
        let name = |name: &str| format!("{prefix}.{name}");
        Self {
            is_ours: true,
            prefix: prefix.to_owned(),
            orders_exchange: name("orders"),
            reports_exchange: name("reports"),
            control_exchange: name("control"),
            results_queue: name(RESULTS),
            heartbeats_queue: name("heartbeats"),
            dead: name("dead"),
        }
    }

    /// A topology that other processes declare.
    pub(crate) fn of_others(prefix: &str) -> Self {
        Self { is_ours: false, ..Self::new(prefix) }
    }

    pub(crate) fn order_queue(&self, class: QueueClass) -> String {
        format!("{}.{}", self.orders_exchange, class.name())
    }

    fn quorum(&self, delivery_limit: i32) -> FieldTable {
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), text("quorum"));
        arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(delivery_limit));
        arguments.insert("x-dead-letter-exchange".into(), text(&self.dead));
        // At-least-once needs reject-publish (RabbitMQ manual, "Quorum Queues").
        arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
        arguments.insert("x-overflow".into(), text("reject-publish"));
        arguments.insert("x-consumer-timeout".into(), AMQPValue::LongInt(CONSUMER_TIMEOUT_MS));
        arguments
    }

    fn dead_arguments() -> FieldTable {
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), text("quorum"));
        arguments.insert("x-max-length".into(), AMQPValue::LongInt(DEAD_MAX_LENGTH));
        arguments
    }

    /// Neither a delivery limit's victims nor what is too old or too much goes anywhere.
    fn heartbeats_arguments() -> FieldTable {
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), text("quorum"));
        arguments.insert("x-message-ttl".into(), AMQPValue::LongInt(PROGRESS_TTL_MS));
        arguments.insert("x-max-length".into(), AMQPValue::LongInt(PROGRESS_MAX_LENGTH));
        arguments
    }

    /// Declares everything, if that is for this process to do; does nothing where it is there already.
    pub(crate) async fn declare(&self, connection: &Connection) -> Result<(), BusError> {
        if !self.is_ours {
            return Ok(());
        }
        let channel = connection.create_channel().await?;
        for (exchange, kind) in [
            (&self.dead, ExchangeKind::Fanout),
            (&self.orders_exchange, ExchangeKind::Direct),
            (&self.reports_exchange, ExchangeKind::Direct),
            (&self.control_exchange, ExchangeKind::Fanout),
        ] {
            let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
            channel.exchange_declare(exchange.as_str().into(), kind, options, FieldTable::default()).await?;
        }
        self.declare_queue(&channel, &self.dead, Self::dead_arguments(), &self.dead, "").await?;
        for class in QueueClass::ALL {
            let queue = self.order_queue(class);
            let arguments = self.quorum(DELIVERY_LIMIT);
            self.declare_queue(&channel, &queue, arguments, &self.orders_exchange, class.name()).await?;
        }
        let arguments = self.quorum(RESULT_DELIVERY_LIMIT);
        self.declare_queue(&channel, &self.results_queue, arguments, &self.reports_exchange, RESULTS).await?;
        let arguments = Self::heartbeats_arguments();
        self.declare_queue(&channel, &self.heartbeats_queue, arguments, &self.reports_exchange, PROGRESS)
            .await?;
        channel.close(200, "declared".into()).await?;
        Ok(())
    }

    async fn declare_queue(
        &self,
        channel: &Channel,
        queue: &str,
        arguments: FieldTable,
        exchange: &str,
        key: &str,
    ) -> Result<(), BusError> {
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue.into(), options, arguments).await?;
        channel
            .queue_bind(
                queue.into(),
                exchange.into(),
                key.into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await?;
        Ok(())
    }

    fn queues(&self) -> Vec<String> {
        let mut queues: Vec<_> = QueueClass::ALL.into_iter().map(|class| self.order_queue(class)).collect();
        queues.extend([self.results_queue.clone(), self.heartbeats_queue.clone(), self.dead.clone()]);
        queues
    }

    pub(crate) async fn depths(&self, connection: &Connection) -> Result<Vec<Depth>, BusError> {
        let channel = connection.create_channel().await?;
        let mut depths = Vec::new();
        for queue in self.queues() {
            let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let found = channel.queue_declare(queue.as_str().into(), options, FieldTable::default()).await?;
            let name = queue.strip_prefix(&format!("{}.", self.prefix)).unwrap_or(&queue).to_owned();
            depths.push(Depth {
                queue: name,
                messages: found.message_count(),
                consumers: found.consumer_count(),
            });
        }
        channel.close(200, "asked".into()).await?;
        Ok(depths)
    }

    pub(crate) async fn delete(&self, connection: &Connection) -> Result<(), BusError> {
        let channel = connection.create_channel().await?;
        for queue in self.queues() {
            channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await?;
        }
        for exchange in [&self.orders_exchange, &self.reports_exchange, &self.control_exchange, &self.dead] {
            channel.exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default()).await?;
        }
        channel.close(200, "deleted".into()).await?;
        Ok(())
    }
}
