//! Accepting support access, with the account of the address it was offered to.
//!
//! The link went to the address, so whoever opens it reads that mailbox; and they sign in with the account of that login.
//! Both together show that the account is of the person the owner meant.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::permission::TokenScope;
use kinora_core::{OrganisationId, PersonId, SupportGrantId};
use uuid::Uuid;

use super::{find, refuse, require_outside};
use crate::audit::{self, Origin};
use crate::schema::{people, support_grants, support_links};
use crate::token_text::{digest, random_token};
use crate::{Result, StoreError, organisations};

/// Support access as whoever holds its link sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupportOffer {
    /// The access.
    pub id: SupportGrantId,
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// Its name.
    pub organisation: String,
    /// The name of who gives it, if that person still exists.
    pub given_by: Option<String>,
    /// For whom it is.
    pub address: String,
    /// What it lets them do at most.
    pub scope: TokenScope,
    /// Whether originals may be downloaded.
    pub originals: bool,
    /// Why it is given.
    pub reason: String,
    /// From when it holds.
    pub starts_at: DateTime<Utc>,
    /// When it ends, and the link with it.
    pub ends_at: DateTime<Utc>,
}

/// The support access behind a link, if it can be accepted.
///
/// # Errors
/// [`StoreError::NotFound`] if it cannot: there is no such link, it was used, or the access has ended.
pub fn find_offer(
    connection: &mut PgConnection,
    token_digest: &[u8],
    now: DateTime<Utc>,
) -> Result<SupportOffer> {
    let (id, organisation): (Uuid, Uuid) = support_links::table
        .inner_join(support_grants::table)
        .filter(support_links::token_digest.eq(token_digest))
        .filter(support_grants::supporter_id.is_null())
        .filter(support_grants::ended_at.is_null())
        .filter(support_grants::ends_at.gt(now))
        .select((support_grants::id, support_grants::organisation_id))
        .first(connection)?;
    let grant = find(connection, OrganisationId(organisation), SupportGrantId(id))?;
    Ok(SupportOffer {
        id: grant.id,
        organisation_id: grant.organisation,
        organisation: organisations::find(connection, grant.organisation)?.name,
        given_by: grant.given_by,
        address: grant.address,
        scope: grant.scope,
        originals: grant.originals,
        reason: grant.reason,
        starts_at: grant.starts_at,
        ends_at: grant.ends_at,
    })
}

/// Accepts support access with one's account: it is bound to it.
///
/// # Errors
/// [`StoreError::NotFound`] as [`find_offer`]; [`StoreError::Conflict`] if it is for another address, or for somebody
/// who belongs to the organisation by now.
pub fn accept(
    connection: &mut PgConnection,
    origin: &Origin,
    person: PersonId,
    token_digest: &[u8],
    now: DateTime<Utc>,
) -> Result<SupportOffer> {
    let id: Uuid = support_links::table
        .filter(support_links::token_digest.eq(token_digest))
        .select(support_links::grant_id)
        .first(connection)?;
    let wanted: String =
        support_grants::table.find(id).select(support_grants::address_key).for_update().first(connection)?;
    let offer = find_offer(connection, token_digest, now)?;
    let key: String = people::table.find(person.0).select(people::login_key).first(connection)?;
    if key != wanted {
        return Err(StoreError::Conflict(format!(
            "This support access is for {}. Sign in with that login to accept it.",
            offer.address
        )));
    }
    if require_outside(connection, offer.organisation_id, &key).is_err() {
        return refuse("You belong to this organisation: its owners give you roles in productions instead.");
    }
    diesel::update(support_grants::table.find(id))
        .set((support_grants::supporter_id.eq(Some(person.0)), support_grants::accepted_at.eq(Some(now))))
        .execute(connection)?;
    diesel::delete(support_links::table.filter(support_links::grant_id.eq(id))).execute(connection)?;
    let accepted = find(connection, offer.organisation_id, offer.id)?;
    audit::record(connection, origin, accepted.act("support.accepted").after(accepted.state()))?;
    Ok(offer)
}

/// The token of the link in a mail that is about to go out, if the access can still be accepted. Only its digest is stored.
pub(crate) fn make_link(
    connection: &mut PgConnection,
    grant: SupportGrantId,
    now: DateTime<Utc>,
) -> Result<Option<String>> {
    let open: Option<Uuid> = support_grants::table
        .find(grant.0)
        .filter(support_grants::supporter_id.is_null())
        .filter(support_grants::ended_at.is_null())
        .filter(support_grants::ends_at.gt(now))
        .select(support_grants::id)
        .first(connection)
        .optional()?;
    let Some(id) = open else { return Ok(None) };
    let token = random_token().map_err(|error| StoreError::Unavailable(error.to_string()))?;
    diesel::insert_into(support_links::table)
        .values((support_links::token_digest.eq(digest(&token).as_slice()), support_links::grant_id.eq(id)))
        .execute(connection)?;
    Ok(Some(token))
}
