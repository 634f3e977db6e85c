//! PostgreSQL: the only truth. One place for SQL: schema, queries, migrations, notifications.
//!
//! Finders take the caller, so that nothing is read without permission; changes leave their audit
//! row and their event in the same transaction. Lock order, so that transactions never wait for
//! each other in a circle: first the rows that are changed (runs and their steps before their asset),
//! then [`events`] (locks the production's row), last the audit trail (locks the one row of its head).

pub mod after_restore;
pub mod asset_list;
pub mod assets;
pub mod audit;
mod belonging;
pub mod bootstrap;
pub mod canary;
mod columns;
mod error;
pub mod events;
pub mod fleet;
pub mod idempotency;
mod instant;
pub mod invitations;
pub mod known_browsers;
pub mod leader;
pub mod mail;
pub mod migrations;
pub mod notices;
pub mod notify;
pub mod object_copies;
pub mod object_keys;
pub mod objects;
pub mod organisations;
pub mod password_links;
pub mod passwords;
pub mod people;
pub mod pool;
pub mod presence;
pub mod principals;
pub mod privacy;
pub mod productions;
pub mod provisioning;
pub mod releases;
pub mod rescue;
pub mod run_views;
pub mod runs;
pub mod schema;
pub mod scopes;
pub mod second_factors;
pub mod security;
pub mod service_accounts;
pub mod sessions;
pub mod sign_in;
pub mod single_sign_on;
pub mod support;
pub mod token_text;
pub mod tokens;
pub mod uploads;
pub mod versions;
mod wire;
pub mod write_ahead_log;

pub use audit::{Act, Origin};
pub use error::{Result, StoreError};
pub use pool::{DatabaseSettings, Lease, Pool};
pub use principals::Principal;
