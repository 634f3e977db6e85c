//! The Media API against real processes: uploads that survive everything, and files that come back.

mod after_restore;
mod bad_files;
mod copies;
mod crashes;
mod deliveries;
mod foreign;
mod many;
mod rotation;
mod rules;
mod settled;
mod slow;
pub mod support;
mod transfers;
