//! A RabbitMQ of a test's own, for tests that kill it.

use std::path::Path;

use kinora_devstack::{Broker, BrokerEndpoint, SecretBook};

use crate::part::{Part, ReadyWhen};
use crate::stack::Stack;

/// A broker only one test uses.
#[derive(Debug)]
pub struct OwnBroker {
    part: Part,
    endpoint: BrokerEndpoint,
}

impl OwnBroker {
    /// Starts one below `directory`.
    ///
    /// # Panics
    /// When it does not come up.
    pub async fn start(directory: &Path) -> Self {
        let stack = Stack::get();
        let unique = directory.display();
        let secrets = SecretBook::open(&directory.join("broker-secrets")).expect("a directory");
        let broker = Broker::prepare(
            &directory.join("rabbitmq"),
            &secrets,
            stack.assign_port(&format!("{unique} rabbitmq")),
            stack.assign_port(&format!("{unique} rabbitmq-node")),
        )
        .expect("a broker");
        let mut part = Part::new(broker.launch(&directory.join("rabbitmq.log")), ReadyWhen::Text);
        part.start().await;
        Self { part, endpoint: broker.endpoint().clone() }
    }

    /// Ends it as a crash would (SIGKILL). The list of its queues is flushed first: a broker that dies
    /// in the first minutes of its first life would lose it, which is not what tests are about.
    ///
    /// # Panics
    /// When the list cannot be flushed.
    pub fn kill(&mut self) {
        if self.part.is_running() {
            self.endpoint.flush_queue_names().expect("a flushed list of queues");
        }
        self.part.kill();
    }

    /// Starts it again and waits until it is ready.
    pub async fn start_again(&mut self) {
        self.part.start().await;
    }

    /// Its process, for freezing it.
    #[must_use]
    pub fn part(&self) -> &Part {
        &self.part
    }

    /// Whether its process runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.part.is_running()
    }

    /// Where it is.
    #[must_use]
    pub fn endpoint(&self) -> &BrokerEndpoint {
        &self.endpoint
    }
}
