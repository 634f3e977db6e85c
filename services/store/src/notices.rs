//! Telling people what happened to their own account: every such change comes through [`tell`], in its own
//! transaction.

use chrono::Utc;
use diesel::pg::PgConnection;
use kinora_core::PersonId;
use kinora_core::mail::{Letter, SecurityNotice};

use crate::audit::Origin;
use crate::{Result, mail};

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

/// Tells a person, in the running transaction: a letter to them goes into the queue of mails.
///
/// Where somebody else acts, the letter says neither from where nor with what browser: that is theirs.
///
/// # Errors
/// If the database fails.
pub fn tell(
    connection: &mut PgConnection,
    scene: &Scene,
    person: PersonId,
    notice: SecurityNotice,
) -> Result<()> {
    let is_own = scene.origin.actor_id.is_none_or(|actor| actor == person);
    let letter = Letter::Security {
        notice,
        at: Utc::now(),
        address: scene.origin.address.clone().filter(|_| is_own),
        device: scene.device.clone().filter(|_| is_own),
        page: scene.page.clone(),
    };
    mail::enqueue_personal(connection, person, &letter, None).map(drop)
}
