//! The relay state: what comes back with a response, unchanged.
//!
//! It is a random name that the application looks up on its own side. An address in it would be an open redirect, so
//! nothing that could be an address is one.

use crate::keys::random_id;
use crate::refusal::{Refusal, RefusalCode};

/// An opaque relay state of ours.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RelayState(String);

impl RelayState {
    /// A new one.
    ///
    /// # Errors
    /// [`RefusalCode::Internal`] if there is no randomness.
    pub fn random() -> Result<Self, Refusal> {
        random_id().map(Self)
    }

    /// Takes one that came back, or that was stored.
    ///
    /// # Errors
    /// [`RefusalCode::RelayState`] if it cannot be one of ours.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let hexadecimal = text.strip_prefix('_').unwrap_or_default();
        let is_ours = hexadecimal.len() == 32
            && hexadecimal.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if is_ours { Ok(Self(text.to_owned())) } else { Err(RefusalCode::RelayState.into()) }
    }

    /// As it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
