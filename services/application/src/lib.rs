//! The application: Data API, Media API, sessions, and the web client, over HTTP.
//!
//! [`app`] puts the parts together. A handler lives in [`accounts`], [`library`] or [`media`]; its
//! signature says who may call it (see [`extract::permission`]), and its errors are [`Problem`]s.
//! How to add one is told in `docs/development/adding-an-endpoint.md`.

pub mod access;
pub mod accounts;
pub mod address;
pub mod app;
pub mod context;
pub mod database;
pub mod drain;
pub mod error;
pub mod extract;
pub mod guards;
pub mod health;
pub mod installation;
pub mod library;
pub mod media;
pub mod middleware;
pub mod openapi;
pub mod pages;
pub mod privacy;
pub mod provisioning;
pub mod rate;
pub mod secrets;
pub mod sessions;
pub mod settings;
pub mod single_sign_on;
pub mod storage;
pub mod webauthn;

pub use context::Context;
pub use error::{Problem, ProblemKind};
