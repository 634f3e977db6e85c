//! Private PostgreSQL, RabbitMQ and Redis for one machine, and the whole product on top of them.
//!
//! Used in two places: `make run` (the `kinora-devstack run` command) and the test harness
//! (`kinora-devstack services`, and single parts started by a test that kills them). Everything
//! lives below one directory: data, logs, ports, passwords. Nothing of the system's own instances is
//! used or disturbed, and nothing outlives the process that started it. Only the database of tests may be in memory.

mod broker;
mod child;
mod directory;
mod error;
mod memory;
mod ports;
mod postgresql;
mod product;
mod redis;
mod secret;
mod services;
mod settings;
mod supervisor;

pub use broker::{Broker, BrokerEndpoint};
pub use child::{Child, ExitReport, Launch};
pub use directory::{DirectoryLock, create_private_directory, write_private_file};
pub use error::DevstackError;
pub use memory::MemoryDirectory;
pub use ports::PortBook;
pub use postgresql::{DatabaseEndpoint, Durability, PostgreSql};
pub use product::{ProductOptions, READY_LINE, run_product};
pub use redis::{Redis, RedisEndpoint};
pub use secret::{SecretBook, SecretKind};
pub use services::{ServiceEndpoints, Services, ServicesOptions};
pub use settings::{BrokerSettings, DatabaseSettings, ProductSettings, RedisSettings, Role};
pub use supervisor::{PartPlan, Readiness, Supervised};
