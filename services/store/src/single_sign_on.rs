//! Single sign-on: the connections of organisations to their identity providers, and what goes with them.
//!
//! A connection belongs to one organisation, whose owners set it up. Addresses of the protocol name connections by their
//! id alone, and whoever asks there is nobody yet: only [`connections::find`] and what is below it take no organisation.

pub mod connections;
pub mod domains;
pub mod keys;
pub mod rules;
pub mod warnings;
