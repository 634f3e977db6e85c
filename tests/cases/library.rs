//! The library: its queries, its lists over HTTP, live events, and the operator's command.

pub(crate) mod control;
pub(crate) mod follower;
mod listing;
mod live;
mod store;
