//! RabbitMQ: carries work and nothing else. Wipe the broker and the system recovers, because the
//! database knows what is under way.
//!
//! [`Bus`] keeps one connection alive for ever: it goes round the brokers' addresses, and, for a backend,
//! declares the topology anew after each connection; publishers and consumers pick up the new connection by
//! themselves. Delivery is at least once: readers must cope with seeing a message twice, late or
//! never. Results are confirmed by the broker before an order is acknowledged.

mod channel;
mod connection;
mod consumer;
mod error;
mod publisher;
mod settings;
mod topology;

use std::sync::Arc;

use kinora_core::message::{Control, StepOrder, StepReport};
use kinora_core::queue::QueueClass;
use tokio_util::sync::CancellationToken;

pub use consumer::{Consumer, Delivery};
pub use error::BusError;
pub use settings::BrokerSettings;
pub use topology::{DELIVERY_LIMIT, Depth};

use connection::Link;
use consumer::Source;
use publisher::Publisher;
use topology::Topology;

/// The connection to the broker. Clones share it.
#[derive(Clone)]
pub struct Bus {
    inner: Arc<Inner>,
}

struct Inner {
    topology: Topology,
    link: Link,
    confirmed: Publisher,
    transient: Publisher,
}

impl Bus {
    /// Starts to connect, in the background and for ever, and declares queues and exchanges, which
    /// needs the right to. Must be called inside a Tokio runtime; `name` shows in the broker's list of
    /// connections.
    ///
    /// # Errors
    /// [`BusError::Settings`] if the settings cannot be used.
    pub fn start(settings: &BrokerSettings, password: &str, name: &str) -> Result<Self, BusError> {
        Self::connect(settings, password, name, Topology::new(&settings.prefix))
    }

    /// Like [`Bus::start`] for a worker, which has no right to declare anything: it waits until a backend
    /// has.
    ///
    /// # Errors
    /// [`BusError::Settings`] if the settings cannot be used.
    pub fn join(settings: &BrokerSettings, password: &str, name: &str) -> Result<Self, BusError> {
        Self::connect(settings, password, name, Topology::of_others(&settings.prefix))
    }

    fn connect(
        settings: &BrokerSettings,
        password: &str,
        name: &str,
        topology: Topology,
    ) -> Result<Self, BusError> {
        let link = Link::start(settings, password, name, topology.clone())?;
        let confirmed = Publisher::new(link.clone(), true);
        let transient = Publisher::new(link.clone(), false);
        Ok(Self { inner: Arc::new(Inner { topology, link, confirmed, transient }) })
    }

    /// Whether the connection stands at this moment.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.inner.link.is_connected()
    }

    /// Waits until the connection stands.
    pub async fn connected(&self) {
        self.inner.link.wait().await;
    }

    /// Hands a step to the workers of its class; returns when the broker has it safely.
    ///
    /// # Errors
    /// [`BusError`] if the broker has not confirmed; it may have got the order nevertheless.
    pub async fn publish_order(&self, class: QueueClass, order: &StepOrder) -> Result<(), BusError> {
        let exchange = &self.inner.topology.orders_exchange;
        let result = self.inner.confirmed.publish(exchange, class.name(), order, true).await;
        self.repair_if_unroutable(result).await
    }

    /// Tells the backend that an attempt has begun or ended; returns when the broker has it safely.
    ///
    /// # Errors
    /// [`BusError`] if the broker has not confirmed; it may have got the report nevertheless.
    pub async fn publish_report(&self, report: &StepReport) -> Result<(), BusError> {
        let topology = &self.inner.topology;
        let result =
            self.inner.confirmed.publish(&topology.reports_exchange, topology::RESULTS, report, true).await;
        self.repair_if_unroutable(result).await
    }

    /// Like [`Bus::publish_report`], but tries until the broker has confirmed or `stop` is
    /// cancelled. The report may arrive more than once.
    ///
    /// # Errors
    /// The last [`BusError`] if it was stopped before.
    pub async fn publish_report_until_confirmed(
        &self,
        report: &StepReport,
        stop: &CancellationToken,
    ) -> Result<(), BusError> {
        let mut backoff = connection::Backoff::default();
        loop {
            let error = match self.publish_report(report).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            log::warn!(run_id:% = report.run_id, step_id:% = report.step_id, attempt = report.attempt; "report not confirmed: {error}");
            if stop.run_until_cancelled(backoff.pause()).await.is_none() {
                return Err(error);
            }
        }
    }

    /// Sends progress, which is also the heartbeat of an attempt. It is not confirmed and may be
    /// lost; when the broker is away it is dropped at once.
    ///
    /// # Errors
    /// [`BusError`] if it was dropped.
    pub async fn publish_progress(&self, report: &StepReport) -> Result<(), BusError> {
        let topology = &self.inner.topology;
        self.inner.transient.publish(&topology.reports_exchange, topology::PROGRESS, report, false).await
    }

    /// Tells all workers that are connected at this moment.
    ///
    /// # Errors
    /// [`BusError`] if the broker has not confirmed.
    pub async fn publish_control(&self, control: &Control) -> Result<(), BusError> {
        // Not mandatory: without a worker there is nobody who would have to stop.
        self.inner.confirmed.publish(&self.inner.topology.control_exchange, "", control, false).await
    }

    /// The orders of one class. At most `prefetch` are unacknowledged at a time. Ends when `stop` is
    /// cancelled: orders not yet given out are handed back, those given out can still be
    /// acknowledged.
    #[must_use]
    pub fn orders(&self, class: QueueClass, prefetch: u16, stop: CancellationToken) -> Consumer<StepOrder> {
        let queue = self.inner.topology.order_queue(class);
        Consumer::new(self.inner.link.clone(), Source::Queue(queue), prefetch, stop)
    }

    /// Reports that an attempt has begun or ended.
    #[must_use]
    pub fn reports(&self, prefetch: u16, stop: CancellationToken) -> Consumer<StepReport> {
        let queue = self.inner.topology.results_queue.clone();
        Consumer::new(self.inner.link.clone(), Source::Queue(queue), prefetch, stop)
    }

    /// Reports of progress.
    #[must_use]
    pub fn progress(&self, prefetch: u16, stop: CancellationToken) -> Consumer<StepReport> {
        let queue = self.inner.topology.heartbeats_queue.clone();
        Consumer::new(self.inner.link.clone(), Source::Queue(queue), prefetch, stop)
    }

    /// What all workers are told. Whatever was sent while this worker was not connected is lost.
    #[must_use]
    pub fn controls(&self, stop: CancellationToken) -> Consumer<Control> {
        let source = Source::Fanout(self.inner.topology.control_exchange.clone());
        Consumer::new(self.inner.link.clone(), source, 0, stop)
    }

    /// How much is in each queue; see [`Depth`].
    ///
    /// # Errors
    /// [`BusError`] if the broker cannot be asked.
    pub async fn depths(&self) -> Result<Vec<Depth>, BusError> {
        let connection = self.inner.link.current().ok_or(BusError::NotConnected)?;
        self.inner.topology.depths(&connection).await
    }

    /// Removes all queues and exchanges of this prefix with everything in them. They are declared
    /// anew when they are used next.
    ///
    /// # Errors
    /// [`BusError`] if the broker cannot be reached or refuses.
    pub async fn delete_topology(&self) -> Result<(), BusError> {
        let connection = self.inner.link.wait().await;
        self.inner.topology.delete(&connection).await
    }

    /// Closes the connection, after the channels of what was dropped before, and does not connect
    /// again. Says whether it ended in order; nothing is to be done where it did not.
    pub async fn close(&self) -> bool {
        self.inner.link.close().await
    }

    /// A queue or exchange that is gone while the connection stands was removed by somebody.
    async fn repair_if_unroutable(&self, result: Result<(), BusError>) -> Result<(), BusError> {
        if let Err(BusError::Unroutable | BusError::Broker(_)) = result {
            self.inner.link.repair().await;
        }
        result
    }
}
