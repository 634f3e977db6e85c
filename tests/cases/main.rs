//! All integration tests in one binary: the services start once, the tests run in parallel.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod abuse;
mod accounts;
mod engine;
mod harness;
mod library;
mod mail;
mod media;
mod privacy;
mod product;
mod provisioning;
mod seams;
mod single_sign_on;
