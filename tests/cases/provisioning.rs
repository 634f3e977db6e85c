//! Provisioning by identity providers (SCIM 2.0): with a client that this project did not write, with the requests that providers
//! publish, and with everything that must not go through.

mod accounts;
mod foreign;
mod groups;
mod place;
mod refusals;
mod samples;
mod tokens;
