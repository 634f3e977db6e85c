//! Single sign-on: the connections of organisations to their identity providers, and what goes with them.
//!
//! A connection belongs to one organisation, whose owners set it up. Addresses of the protocol name connections by their
//! id alone, and whoever asks there is nobody yet: only [`connections::find`] and what is below it take no organisation.

pub mod admission;
pub mod attempts;
pub mod break_glass;
pub mod connections;
pub mod domains;
pub mod identities;
pub mod keys;
pub mod requests;
pub mod rules;
pub mod sessions;
pub mod used;
pub mod warnings;
