//! What is said of support access by mail: to whom it is offered, and to the owners of the organisation.

use diesel::prelude::*;
use kinora_core::PersonId;
use kinora_core::mail::{Letter, SupportEvent};

use super::Grant;
use super::uses::deeds;
use crate::mail::Message;
use crate::{Result, mail, organisations, security};

/// Offers it to its address. The token is appended to `page`.
pub(super) fn offer(connection: &mut PgConnection, grant: &Grant, page: &str) -> Result<()> {
    let letter = Letter::SupportOffer {
        grant: grant.id,
        organisation: organisations::find(connection, grant.organisation)?.name,
        giver: grant.given_by.clone(),
        reason: grant.reason.clone(),
        starts_at: grant.starts_at,
        ends_at: grant.ends_at,
        page: page.to_owned(),
    };
    let message = Message {
        recipient: &grant.address,
        person: None,
        organisation: Some(grant.organisation),
        invitation: None,
        letter: &letter,
        expires_at: Some(grant.ends_at),
    };
    mail::enqueue(connection, &message).map(drop)
}

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
        deeds: done,
        page: format!("{pages}{}", grant.id),
    };
    for owner in security::owners(connection, grant.organisation)? {
        if owner.disabled_at.is_none() {
            mail::enqueue_personal(connection, PersonId(owner.id), &letter, None)?;
        }
    }
    Ok(())
}
