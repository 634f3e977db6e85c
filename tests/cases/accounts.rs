//! Accounts and permissions against real applications: who gets in, who sees what, what is recorded.

mod audit;
pub(crate) mod factors;
mod permissions;
mod requests;
mod sign_in;
mod tokens;
mod visibility;
pub(crate) mod world;
