//! Mail through a real relay, and what comes of it: invitations, guests, and that access ends at once.

mod guests;
pub(crate) mod invitations;
mod notices;
mod queue;
mod removal;
mod sending;
