//! Accepting an invitation, with the account of its address or with a new one.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::permission::{OrganisationRole, ProductionRoles};
use kinora_core::{InvitationId, OrganisationId, PersonId, ProductionId};
use serde_json::json;
use uuid::Uuid;

use super::{ROLES, end_links};
use crate::audit::{self, Act, Origin};
use crate::principals::{RoleColumns, organisation_role, production_roles};
use crate::productions::{self, Changer, MembershipState};
use crate::schema::{
    invitation_links, invitations, organisation_members, organisations, people, production_members,
    productions as production_rows,
};
use crate::{Result, StoreError, events, mail, people as accounts};

/// An invitation as whoever holds its link sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The invitation.
    pub id: InvitationId,
    /// The production it leads to.
    pub production_id: ProductionId,
    /// The production's name.
    pub production: String,
    /// The organisation that owns it.
    pub organisation_id: OrganisationId,
    /// The organisation's name.
    pub organisation: String,
    /// Who stands for it.
    pub invited_by: String,
    /// For whom it is.
    pub address: String,
    /// What makes a login the one it is for.
    pub address_key: String,
    /// What it gives.
    pub roles: ProductionRoles,
    /// When the membership ends that comes of it.
    pub membership_ends_at: Option<DateTime<Utc>>,
    /// When the link stops working.
    pub expires_at: DateTime<Utc>,
    /// Whether there is an account with that login.
    pub has_account: bool,
}

type Row = (
    (Uuid, Uuid, String, Uuid, String),
    (Option<Uuid>, String, String, RoleColumns),
    (Option<DateTime<Utc>>, DateTime<Utc>),
);

/// The invitation behind a link, if it can be accepted.
///
/// # Errors
/// [`StoreError::NotFound`] if it cannot: there is no such link, it was used, withdrawn, replaced or has
/// expired, the production is gone, or whoever stands for it may not give these roles any more.
pub fn find_offer(connection: &mut PgConnection, token_digest: &[u8]) -> Result<Offer> {
    let now = Utc::now();
    let row: Row = invitation_links::table
        .inner_join(invitations::table.inner_join(production_rows::table).inner_join(organisations::table))
        .filter(invitation_links::token_digest.eq(token_digest))
        .filter(invitations::accepted_at.is_null())
        .filter(invitations::withdrawn_at.is_null())
        .filter(invitations::expires_at.gt(now))
        .filter(invitations::membership_ends_at.is_null().or(invitations::membership_ends_at.gt(now)))
        .filter(production_rows::removed_at.is_null())
        .select((
            (
                invitations::id,
                production_rows::id,
                production_rows::name,
                organisations::id,
                organisations::name,
            ),
            (invitations::invited_by, invitations::address, invitations::address_key, ROLES),
            (invitations::membership_ends_at, invitations::expires_at),
        ))
        .first(connection)?;
    let ((id, production_id, production, organisation_id, organisation), who, when) = row;
    let (inviter, address, address_key, roles) = who;
    let roles = production_roles(&roles)?;
    let inviter = inviter.ok_or(StoreError::NotFound)?;
    let invited_by = require_entitled(connection, inviter, organisation_id, production_id, &roles, now)?;
    let has_account: bool =
        diesel::select(diesel::dsl::exists(people::table.filter(people::login_key.eq(&address_key))))
            .get_result(connection)?;
    Ok(Offer {
        id: InvitationId(id),
        production_id: ProductionId(production_id),
        production,
        organisation_id: OrganisationId(organisation_id),
        organisation,
        invited_by,
        address,
        address_key,
        roles,
        membership_ends_at: when.0,
        expires_at: when.1,
        has_account,
    })
}

/// The name of the inviter, if they may still give these roles.
fn require_entitled(
    connection: &mut PgConnection,
    inviter: Uuid,
    organisation: Uuid,
    production: Uuid,
    roles: &ProductionRoles,
    now: DateTime<Utc>,
) -> Result<String> {
    let name: String = people::table
        .find(inviter)
        .filter(people::disabled_at.is_null())
        .select(people::display_name)
        .first(connection)?;
    let place: Option<String> = organisation_members::table
        .find((organisation, inviter))
        .select(organisation_members::role)
        .first(connection)
        .optional()?;
    let place = place.as_deref().map(organisation_role).transpose()?;
    let own: Option<RoleColumns> = production_members::table
        .find((production, inviter))
        .filter(production_members::ends_at.is_null().or(production_members::ends_at.gt(now)))
        .select((
            production_members::office_role,
            production_members::library_role,
            production_members::subtitling_role,
            production_members::budget_role,
        ))
        .first(connection)
        .optional()?;
    let changer = Changer {
        administers: place.is_some_and(OrganisationRole::administers),
        roles: own.as_ref().map(production_roles).transpose()?.unwrap_or_default(),
    };
    if changer.may(&ProductionRoles::default(), roles) { Ok(name) } else { Err(StoreError::NotFound) }
}

/// Accepts an invitation as somebody who has an account.
///
/// # Errors
/// [`StoreError::NotFound`] if it cannot be accepted; [`StoreError::Conflict`] if it is for another
/// address.
pub fn accept(
    connection: &mut PgConnection,
    origin: &Origin,
    person: PersonId,
    token_digest: &[u8],
) -> Result<Offer> {
    let offer = take(connection, token_digest, person)?;
    let key: String = people::table.find(person.0).select(people::login_key).first(connection)?;
    if key != offer.address_key {
        return Err(StoreError::Conflict(format!(
            "This invitation is for {}. Sign in with that login to accept it.",
            offer.address
        )));
    }
    join(connection, origin, &offer, person, false)?;
    Ok(offer)
}

/// Accepts an invitation with a new account, whose login is the address. Gives the new person.
///
/// # Errors
/// [`StoreError::NotFound`] if it cannot be accepted; [`StoreError::Conflict`] if there is an account
/// with that login.
pub fn accept_as_new(
    connection: &mut PgConnection,
    origin: &Origin,
    token_digest: &[u8],
    display_name: &str,
    password_hash: &str,
) -> Result<(Offer, PersonId)> {
    let person = PersonId::new();
    let offer = find_offer(connection, token_digest)?;
    let taken = || StoreError::Conflict("There is an account with this address. Sign in with it.".to_owned());
    if offer.has_account {
        return Err(taken());
    }
    diesel::insert_into(people::table)
        .values((
            people::id.eq(person.0),
            people::login.eq(&offer.address),
            people::login_key.eq(&offer.address_key),
            people::display_name.eq(display_name),
        ))
        .execute(connection)
        .map_err(|error| match StoreError::from(error) {
            // Somebody else made it in the same moment.
            error if error.violated_unique_constraint().is_some() => taken(),
            error => error,
        })?;
    let offer = take(connection, token_digest, person)?;
    accounts::store_password(connection, person, password_hash, false)?;
    let origin = Origin { actor_id: Some(person), actor: offer.address.clone(), ..origin.clone() };
    join(connection, &origin, &offer, person, true)?;
    Ok((offer, person))
}

/// Marks an invitation as accepted. Of two at the same time one finds that it is not there any more.
fn take(connection: &mut PgConnection, token_digest: &[u8], person: PersonId) -> Result<Offer> {
    let offer = find_offer(connection, token_digest)?;
    // First the production, as everybody who changes its members.
    productions::lock(connection, offer.production_id, |_| true)?;
    let now = Utc::now();
    let open = invitations::table
        .find(offer.id.0)
        .filter(invitations::accepted_at.is_null())
        .filter(invitations::withdrawn_at.is_null());
    let taken = diesel::update(open)
        .set((
            invitations::accepted_at.eq(Some(now)),
            invitations::accepted_by.eq(Some(person.0)),
            invitations::revision.eq(invitations::revision + 1),
        ))
        .execute(connection)?;
    if taken == 0 {
        return Err(StoreError::NotFound);
    }
    // Again, now that nobody changes it: roles may have been taken from the inviter meanwhile.
    require_entitled_now(connection, &offer)?;
    end_links(connection, offer.id)?;
    mail::drop_of_invitation(connection, offer.id, now)?;
    Ok(offer)
}

fn require_entitled_now(connection: &mut PgConnection, offer: &Offer) -> Result<()> {
    let inviter: Option<Uuid> =
        invitations::table.find(offer.id.0).select(invitations::invited_by).first(connection)?;
    let inviter = inviter.ok_or(StoreError::NotFound)?;
    let (organisation, production) = (offer.organisation_id.0, offer.production_id.0);
    require_entitled(connection, inviter, organisation, production, &offer.roles, Utc::now()).map(drop)
}

/// Makes a person a member with what the offer gives. Who is one already, added by hand meanwhile, keeps
/// what they have where it is more.
fn join(
    connection: &mut PgConnection,
    origin: &Origin,
    offer: &Offer,
    person: PersonId,
    is_new_account: bool,
) -> Result<()> {
    let (production, now) = (offer.production_id, Utc::now());
    let stored = match productions::find_member(connection, production, person) {
        Ok(member) => Some(member).filter(|member| member.holds(now)),
        Err(StoreError::NotFound) => None,
        Err(error) => return Err(error),
    };
    let (roles, ends_at) = match &stored {
        Some(member) => (member.roles.higher(&offer.roles), member.ends_at),
        None => (offer.roles, offer.membership_ends_at),
    };
    productions::write_membership(connection, production, person, &roles, ends_at)?;
    events::record_membership(connection, production, person)?;
    let is_guest = productions::find_member(connection, production, person)?.is_guest;
    let scope = |act: Act| act.in_organisation(offer.organisation_id).in_production(production);
    let accepted = Act::new("invitation.accepted", "invitation", offer.id, &offer.address)
        .after(json!({ "person": person, "guest": is_guest, "new_account": is_new_account }));
    let changed = Act::new("membership.changed", audit::PERSON, person, &offer.address)
        .before(MembershipState {
            roles: &stored.as_ref().map(|member| member.roles).unwrap_or_default(),
            ends_at: stored.as_ref().and_then(|member| member.ends_at),
        })
        .after(MembershipState { roles: &roles, ends_at });
    audit::record_all(connection, origin, vec![scope(accepted), scope(changed)])
}
