//! Tests of the SAML service provider with libxmlsec1 behind it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod alone;
mod corpus;
mod foreign;
mod forge;
mod made;
mod mutate;
mod outgoing;
mod process;

use made::logout::deflated as made_deflated;
