//! Telling people what happened to their own account: every such change comes through [`tell`], in its own
//! transaction. There is no mail yet, so nothing is written; with it, this is where a letter goes into the queue.

use diesel::pg::PgConnection;
use kinora_core::PersonId;

use crate::Result;
use crate::audit::Origin;

/// Somebody who acts, and what a letter about it says besides.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Who, from where.
    pub origin: Origin,
    /// What their browser says it is.
    pub device: Option<String>,
    /// The address of the page where a person looks after their account.
    pub page: String,
}

/// What a person is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A sign-in from a browser that was not seen before.
    NewDevice,
    /// The password is another one now.
    PasswordChanged,
    /// An authenticator app was added.
    AuthenticatorAdded,
    /// An authenticator app was removed.
    AuthenticatorRemoved,
    /// A passkey was added.
    PasskeyAdded,
    /// A passkey was removed.
    PasskeyRemoved,
    /// New recovery codes were made; the former ones no longer work.
    RecoveryCodesMade,
    /// A recovery code was used.
    RecoveryCodeUsed,
    /// Somebody else has reset the second factors.
    FactorsReset,
}

/// Tells a person, in the running transaction.
///
/// # Errors
/// If the database fails.
pub fn tell(connection: &mut PgConnection, scene: &Scene, person: PersonId, notice: Notice) -> Result<()> {
    let _ = (connection, scene, person, notice);
    Ok(())
}
