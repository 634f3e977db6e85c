//! Accounts and permissions against real applications: who gets in, who sees what, what is recorded.

mod audit;
mod audited;
pub(crate) mod factors;
mod permissions;
mod renewal;
mod requests;
mod service_accounts;
mod sessions;
mod sign_in;
mod support;
mod tokens;
pub(crate) mod visibility;
pub(crate) mod world;
