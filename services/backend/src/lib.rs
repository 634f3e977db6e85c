//! The backend: the only holder of both database and broker. It moves runs on, sends mail, migrates the
//! schema, and makes the first administrator.
//!
//! A run is rows; the broker only carries orders and reports. See [`coordinator`] for how the one
//! follows from the other.

pub mod audit;
pub mod commands;
pub mod coordinator;
mod database;
mod fanout;
pub mod fleet;
pub mod mail;
pub mod settings;
pub mod upgrade_check;

pub use database::Database;
pub use fanout::{Fanout, ProgressMessage};
pub use settings::BackendSettings;
