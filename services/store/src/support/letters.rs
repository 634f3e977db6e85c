//! What the owners of an organisation are told of support access, by mail.

use diesel::prelude::*;
use kinora_core::PersonId;
use kinora_core::mail::{Letter, SupportDeed, SupportEvent};

use super::Grant;
use super::uses::deeds;
use crate::{Result, mail, organisations, security};

/// Tells every owner who may sign in. The id of the grant is appended to `pages`.
pub(super) fn tell(
    connection: &mut PgConnection,
    grant: &Grant,
    event: SupportEvent,
    pages: &str,
) -> Result<()> {
    let done = match event {
        SupportEvent::Ended => deeds(connection, grant.id)?,
        SupportEvent::Given | SupportEvent::FirstUsed => Vec::new(),
    };
    let letter = Letter::Support {
        event,
        organisation: organisations::find(connection, grant.organisation)?.name,
        address: grant.address.clone(),
        giver: grant.given_by.clone(),
        reason: grant.reason.clone(),
        starts_at: grant.starts_at,
        ends_at: grant.ended_at.unwrap_or(grant.ends_at),
        originals: grant.originals,
        deeds: done.into_iter().map(|(action, rows)| SupportDeed { action, rows }).collect(),
        page: format!("{pages}{}", grant.id),
    };
    for owner in security::owners(connection, grant.organisation)? {
        if owner.disabled_at.is_none() {
            mail::enqueue_personal(connection, PersonId(owner.id), &letter, None)?;
        }
    }
    Ok(())
}
