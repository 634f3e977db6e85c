//! Kinora's shared vocabulary: ids, permissions, states and their legal transitions, media time,
//! and the contracts between backend and worker.
//!
//! This crate is pure: no I/O, no clock, no async runtime. Whatever stands here is understood by
//! every role, so a change to a serialised type must keep reading what older releases wrote.

pub mod asset;
pub mod failure;
pub mod fleet;
pub mod ids;
pub mod mail;
pub mod message;
pub mod object;
pub mod permission;
pub mod queue;
pub mod state;
pub mod step;
pub mod technical;
pub mod timecode;
pub mod workflow;

pub use failure::{Failure, FailureCode};
pub use ids::*;
