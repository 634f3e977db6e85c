//! The integration tests' harness: real PostgreSQL, RabbitMQ and Redis, real Kinora processes.
//!
//! One `kinora-devstack services` runs for the test process. Each test gets what is its own: a database
//! copied from a migrated template, a RabbitMQ virtual host, a Redis, a vault, and whichever Kinora
//! processes it asks for; so all tests run in parallel. When a test fails, the logs of its processes
//! are printed. Nothing outlives the test process, even when it is killed.
//!
//! How to write a test stands in `docs/development/testing.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a harness that cannot go on fails the test that uses it"
)]

mod broker;
mod client;
mod database;
mod kinora;
mod part;
mod programs;
mod prometheus;
mod provider;
mod relay;
mod stack;
mod wait;

pub use broker::OwnBroker;
pub use client::{Answer, Client};
pub use database::{DatabaseRole, TestDatabase};
pub use kinora::{ADMINISTRATOR_PASSWORD, Kinora, KinoraBuilder};
pub use part::Part;
pub use programs::{media_programs, program};
pub use prometheus::{Prometheus, PrometheusTls};
pub use provider::{IdentityProvider, PageForm};
pub use relay::{MailRelay, RelayOptions};
pub use stack::Stack;
pub use wait::{DEADLINE, wait_until};
