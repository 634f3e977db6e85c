//! A SAML 2.0 service provider: what an identity provider says, and whether it may be believed.
//!
//! Pure: no HTTP, no database, no clock of its own. Three things happen to every document, in this order:
//!
//! 1. **The gate** ([`verifier::gate`]; `document`, `schema`): what could be read in two ways, and whatever does not
//!    belong where it stands, is refused before any XML library written in C sees it.
//! 2. **The signature** is verified by libxmlsec1, through samael, in a process of its own
//!    ([`VerifierProcess`], the package `kinora-saml-verifier`). It gives back the octets that the signature
//!    covers. This crate never links either library; see `docs/adr/0012-saml-verifier-process.md`.
//! 3. **The checks** (`checks`): for us, for this request, at this time, from this provider.
//!
//! [`Connection`] is the way in: [`Connection::receive`], [`Connection::receive_unsolicited`],
//! [`Connection::receive_logout_query`], [`Connection::receive_logout_form`]. [`ServiceProvider`] makes our
//! metadata and requests, [`IdentityProvider`] reads theirs. Every refusal is a [`Refusal`].
//!
//! What the caller does: stores [`OneTimeUse`] under a unique key before anyone is signed in, binds
//! [`PendingRequest`] to the browser and the connection, looks [`RelayState`] up on its own side, and calls this on a
//! thread that may block.

mod certificate;
mod checks;
mod decrypt;
pub mod document;
mod keys;
mod logout;
pub mod names;
mod process;
mod provider;
mod redirect;
mod refusal;
mod relay;
mod schema;
mod service;
mod sign;
mod sign_in;
pub mod verifier;
mod write;

pub use certificate::Certificate;
pub use keys::{ServiceKey, random_id};
pub use logout::{LogoutAnswer, LogoutMessage, LogoutRequest};
pub use process::VerifierProcess;
pub use provider::{Binding, Endpoints, IdentityProvider};
pub use refusal::{Refusal, RefusalCode};
pub use relay::RelayState;
pub use schema::assertion::{Attribute, NameId};
pub use service::{Delivery, Outgoing, ServiceProvider, SignInOptions};
pub use sign_in::{Connection, Identity, OneTimeUse, PendingRequest, SignIn};
