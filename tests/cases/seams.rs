//! Where the roles meet what is around them: systemd, TLS, and the services when they fail over.

pub(crate) mod authority;
mod canary;
mod metrics;
mod redis;
mod restart;
mod services;
mod takeover;
mod tls;
mod unit;
