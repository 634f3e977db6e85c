//! Invitations by mail into a production.
//!
//! An invitation is bound to an address: whoever accepts it has that login, or makes an account with it.
//! Making one looks at nobody's account, so neither the answer nor the time it takes tells whether the
//! address has one; only whoever holds the link, and so reads that mailbox, learns that.
//!
//! It holds only as long as whoever stands for it may give its roles. What it gives is then looked at
//! once more: nobody comes in by the word of somebody who has left.

pub mod acceptance;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text, Uuid as SqlUuid};
use kinora_core::mail::Letter;
use kinora_core::permission::ProductionRoles;
use kinora_core::{InvitationId, OrganisationId, PersonId, ProductionId};
use serde::Serialize;
use uuid::Uuid;

use crate::audit::{self, Act, Origin};
use crate::mail::{self, Message};
use crate::principals::{RoleColumns, production_roles, role_columns};
use crate::productions::{self, Changer};
use crate::schema::{invitation_links, invitations, mail_messages, organisations, people};
use crate::sign_in::login_key;
use crate::{Result, StoreError};

/// Most invitations of a production that are open at the same time.
pub const MAX_OPEN: i64 = 500;
/// Shortest time between two mails of an invitation.
pub const MAIL_PAUSE: TimeDelta = TimeDelta::seconds(60);

/// An invitation that is open: neither accepted nor withdrawn, perhaps expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// The address.
    pub address: String,
    /// What it gives.
    pub roles: ProductionRoles,
    /// When the membership that comes of it ends.
    pub membership_ends_at: Option<DateTime<Utc>>,
    /// The name of who stands for it, if that person still exists.
    pub invited_by: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When its newest mail was asked for.
    pub mailed_at: DateTime<Utc>,
    /// When its link stops working.
    pub expires_at: DateTime<Utc>,
    /// What became of its newest mail; none if that is not known any more.
    pub mail_state: Option<String>,
    /// Why that mail does not arrive.
    pub mail_error: Option<String>,
    /// Counts its changes.
    pub revision: i64,
}

type Row = (
    Uuid,
    String,
    RoleColumns,
    Option<DateTime<Utc>>,
    Option<String>,
    DateTime<Utc>,
    DateTime<Utc>,
    DateTime<Utc>,
    i64,
);

type RoleColumnNames = (
    invitations::office_role,
    invitations::library_role,
    invitations::subtitling_role,
    invitations::budget_role,
);

const ROLES: RoleColumnNames = (
    invitations::office_role,
    invitations::library_role,
    invitations::subtitling_role,
    invitations::budget_role,
);

/// Open invitations with the name of who stands for each.
macro_rules! open_invitations {
    ($production:expr) => {
        invitations::table
            .left_join(people::table.on(invitations::invited_by.eq(people::id.nullable())))
            .filter(invitations::production_id.eq($production.0))
            .filter(invitations::accepted_at.is_null())
            .filter(invitations::withdrawn_at.is_null())
            .select((
                invitations::id,
                invitations::address,
                ROLES,
                invitations::membership_ends_at,
                people::display_name.nullable(),
                invitations::created_at,
                invitations::mailed_at,
                invitations::expires_at,
                invitations::revision,
            ))
    };
}

fn read(
    (id, address, roles, membership_ends_at, invited_by, created_at, mailed_at, expires_at, revision): Row,
) -> Result<Invitation> {
    Ok(Invitation {
        id: InvitationId(id),
        address,
        roles: production_roles(&roles)?,
        membership_ends_at,
        invited_by,
        created_at,
        mailed_at,
        expires_at,
        mail_state: None,
        mail_error: None,
        revision,
    })
}

/// Adds what became of the newest mail of each.
fn add_mail(connection: &mut PgConnection, found: &mut [Invitation]) -> Result<()> {
    let ids: Vec<Uuid> = found.iter().map(|invitation| invitation.id.0).collect();
    let mails: Vec<(Option<Uuid>, String, Option<String>)> = mail_messages::table
        .filter(mail_messages::invitation_id.eq_any(ids))
        .order((mail_messages::invitation_id, mail_messages::id.desc()))
        .distinct_on(mail_messages::invitation_id)
        .select((mail_messages::invitation_id, mail_messages::state, mail_messages::last_error))
        .load(connection)?;
    for (id, state, error) in mails {
        if let Some(invitation) = found.iter_mut().find(|one| Some(one.id.0) == id) {
            invitation.mail_error = error.filter(|_| state != "sent");
            invitation.mail_state = Some(state);
        }
    }
    Ok(())
}

/// The open invitations of a production, newest first, those before `before`.
///
/// # Errors
/// If the database fails.
pub fn list(
    connection: &mut PgConnection,
    production: ProductionId,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Invitation>> {
    let mut query = open_invitations!(production).order(invitations::id.desc()).limit(limit).into_boxed();
    if let Some(before) = before {
        query = query.filter(invitations::id.lt(before));
    }
    let rows: Vec<Row> = query.load(connection)?;
    let mut found = rows.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    add_mail(connection, &mut found)?;
    Ok(found)
}

/// An open invitation of a production.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find(connection: &mut PgConnection, production: ProductionId, id: InvitationId) -> Result<Invitation> {
    let row: Row = open_invitations!(production).filter(invitations::id.eq(id.0)).first(connection)?;
    let mut found = [read(row)?];
    add_mail(connection, &mut found)?;
    let [invitation] = found;
    Ok(invitation)
}

/// Who invites.
#[derive(Clone, Debug)]
pub struct Inviter<'a> {
    /// The person.
    pub person: PersonId,
    /// How they are called, for the mail.
    pub name: &'a str,
    /// What they may give.
    pub changer: Changer,
}

/// How an invitation reaches its address.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// How long the link works.
    pub validity: TimeDelta,
    /// The page that the link opens; the token is appended to it.
    pub page: String,
}

/// An invitation to be made.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// The address.
    pub address: String,
    /// What it gives: at least one role.
    pub roles: ProductionRoles,
    /// When the membership that comes of it ends.
    pub membership_ends_at: Option<DateTime<Utc>>,
}

fn conflict<T>(sentence: &str) -> Result<T> {
    Err(StoreError::Conflict(sentence.to_owned()))
}

/// Whether somebody with that login is in the production. Looks at its members alone, so that it takes
/// the same time whoever else has an account.
fn is_member(connection: &mut PgConnection, production: ProductionId, address_key: &str) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Bool)]
        found: bool,
    }
    let found: Found = diesel::sql_query(
        "WITH members AS MATERIALIZED ( \
             SELECT p.login_key FROM production_members m JOIN people p ON p.id = m.person_id \
             WHERE m.production_id = $1 AND (m.ends_at IS NULL OR m.ends_at > now()) \
         ) SELECT EXISTS (SELECT FROM members WHERE login_key = $2) AS found",
    )
    .bind::<SqlUuid, _>(production.0)
    .bind::<Text, _>(address_key)
    .get_result(connection)?;
    Ok(found.found)
}

/// An invitation as the audit trail keeps it.
#[derive(Serialize)]
struct State<'a> {
    roles: &'a ProductionRoles,
    membership_ends_at: Option<DateTime<Utc>>,
    expires_at: DateTime<Utc>,
}

/// Invites an address into a production.
///
/// # Errors
/// [`StoreError::NotFound`] if there is no such production; [`StoreError::Forbidden`] if the caller may
/// not give these roles; [`StoreError::Conflict`] if somebody of that address is a member or invited
/// already, or mail cannot be sent there.
pub fn create(
    connection: &mut PgConnection,
    origin: &Origin,
    inviter: &Inviter<'_>,
    production: ProductionId,
    new: &NewInvitation,
    delivery: &Delivery,
) -> Result<Invitation> {
    let (title, organisation, _) = productions::lock(connection, production, |_| true)?;
    if new.roles.is_empty() || !inviter.changer.may(&ProductionRoles::default(), &new.roles) {
        return Err(StoreError::Forbidden);
    }
    let now = Utc::now();
    let key = login_key(&new.address);
    if is_member(connection, production, &key)? {
        return conflict("Somebody with this address is a member of the production already.");
    }
    replace_expired(connection, production, &key, now)?;
    let id = InvitationId::new();
    let (office, library, subtitling, budget) = role_columns(&new.roles);
    let expires_at = now + delivery.validity;
    diesel::insert_into(invitations::table)
        .values((
            invitations::id.eq(id.0),
            invitations::organisation_id.eq(organisation.0),
            invitations::production_id.eq(production.0),
            invitations::address.eq(&new.address),
            invitations::address_key.eq(&key),
            invitations::office_role.eq(office),
            invitations::library_role.eq(library),
            invitations::subtitling_role.eq(subtitling),
            invitations::budget_role.eq(budget),
            invitations::membership_ends_at.eq(new.membership_ends_at),
            invitations::invited_by.eq(Some(inviter.person.0)),
            invitations::created_at.eq(now),
            invitations::mailed_at.eq(now),
            invitations::expires_at.eq(expires_at),
        ))
        .execute(connection)?;
    let place = Place { organisation, production, title: &title };
    let made = find(connection, production, id)?;
    send(connection, inviter, &place, &made, delivery)?;
    let state = State { roles: &new.roles, membership_ends_at: new.membership_ends_at, expires_at };
    audit::record(connection, origin, place.act("invitation.created", &made).after(state))?;
    find(connection, production, id)
}

/// Forgets invitations that were accepted, withdrawn or expired so long ago: they hold addresses of people
/// who may have nothing to do with us any more. The audit trail keeps that there was one.
///
/// # Errors
/// If the database fails.
pub fn remove_old(connection: &mut PgConnection, before: DateTime<Utc>) -> Result<usize> {
    let old = invitations::table.filter(
        invitations::expires_at
            .lt(before)
            .or(invitations::accepted_at.lt(before))
            .or(invitations::withdrawn_at.lt(before)),
    );
    Ok(diesel::delete(old).execute(connection)?)
}

/// Where an invitation leads.
struct Place<'a> {
    organisation: OrganisationId,
    production: ProductionId,
    title: &'a str,
}

impl Place<'_> {
    fn act(&self, action: &'static str, invitation: &Invitation) -> Act {
        Act::new(action, "invitation", invitation.id, &invitation.address)
            .in_organisation(self.organisation)
            .in_production(self.production)
    }
}

/// Makes room for a new invitation of an address: an open one that has expired is withdrawn.
fn replace_expired(
    connection: &mut PgConnection,
    production: ProductionId,
    address_key: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let open = invitations::table
        .filter(invitations::production_id.eq(production.0))
        .filter(invitations::accepted_at.is_null())
        .filter(invitations::withdrawn_at.is_null());
    let count: i64 = open.count().get_result(connection)?;
    if count >= MAX_OPEN {
        return conflict("This production has too many open invitations. Withdraw some of them first.");
    }
    let same: Option<(Uuid, DateTime<Utc>)> = open
        .filter(invitations::address_key.eq(address_key))
        .select((invitations::id, invitations::expires_at))
        .first(connection)
        .optional()?;
    match same {
        None => Ok(()),
        Some((_, expires_at)) if expires_at > now => {
            conflict("This address is invited already. Send that invitation again, or withdraw it first.")
        }
        Some((id, _)) => close(connection, InvitationId(id), now),
    }
}

/// Withdraws an invitation: its links stop working and its mail is not sent any more.
fn close(connection: &mut PgConnection, id: InvitationId, now: DateTime<Utc>) -> Result<()> {
    diesel::update(invitations::table.find(id.0))
        .set((invitations::withdrawn_at.eq(Some(now)), invitations::revision.eq(invitations::revision + 1)))
        .execute(connection)?;
    end_links(connection, id)?;
    mail::drop_of_invitation(connection, id, now)
}

fn end_links(connection: &mut PgConnection, id: InvitationId) -> Result<()> {
    let links = invitation_links::table.filter(invitation_links::invitation_id.eq(id.0));
    diesel::delete(links).execute(connection)?;
    Ok(())
}

fn send(
    connection: &mut PgConnection,
    inviter: &Inviter<'_>,
    place: &Place<'_>,
    invitation: &Invitation,
    delivery: &Delivery,
) -> Result<()> {
    let organisation: String =
        organisations::table.find(place.organisation.0).select(organisations::name).first(connection)?;
    let letter = Letter::Invitation {
        inviter: inviter.name.to_owned(),
        organisation,
        production: place.title.to_owned(),
        page: delivery.page.clone(),
        expires_at: invitation.expires_at,
        membership_ends_at: invitation.membership_ends_at,
    };
    let message = Message {
        recipient: &invitation.address,
        person: None,
        organisation: Some(place.organisation),
        invitation: Some(invitation.id),
        letter: &letter,
        expires_at: Some(invitation.expires_at),
    };
    mail::enqueue(connection, &message).map(drop)
}

/// Locks an open invitation of a production, which the caller must be one to decide on.
fn decide_on(
    connection: &mut PgConnection,
    changer: Changer,
    production: ProductionId,
    id: InvitationId,
) -> Result<Invitation> {
    let _: Uuid = invitations::table
        .find(id.0)
        .filter(invitations::production_id.eq(production.0))
        .select(invitations::id)
        .for_update()
        .first(connection)?;
    let stored = find(connection, production, id)?;
    if changer.may(&ProductionRoles::default(), &stored.roles) {
        Ok(stored)
    } else {
        Err(StoreError::Forbidden)
    }
}

/// Sends an invitation again, with a new link; the former ones stop working. From now on the caller
/// stands for it.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::Forbidden`]; [`StoreError::Conflict`] if it was sent a moment
/// ago, or what it gives would have ended already.
pub fn resend(
    connection: &mut PgConnection,
    origin: &Origin,
    inviter: &Inviter<'_>,
    (production, id): (ProductionId, InvitationId),
    delivery: &Delivery,
) -> Result<Invitation> {
    let (title, organisation, _) = productions::lock(connection, production, |_| true)?;
    let stored = decide_on(connection, inviter.changer, production, id)?;
    let now = Utc::now();
    if stored.mailed_at > now - MAIL_PAUSE {
        return conflict("This invitation was sent less than a minute ago. Give it a moment to arrive.");
    }
    if stored.membership_ends_at.is_some_and(|end| end <= now) {
        return conflict("The end date of this invitation has passed. Withdraw it and invite anew.");
    }
    end_links(connection, id)?;
    mail::drop_of_invitation(connection, id, now)?;
    let expires_at = now + delivery.validity;
    diesel::update(invitations::table.find(id.0))
        .set((
            invitations::mailed_at.eq(now),
            invitations::expires_at.eq(expires_at),
            invitations::invited_by.eq(Some(inviter.person.0)),
            invitations::revision.eq(invitations::revision + 1),
        ))
        .execute(connection)?;
    let place = Place { organisation, production, title: &title };
    let renewed = find(connection, production, id)?;
    send(connection, inviter, &place, &renewed, delivery)?;
    let state = State { roles: &stored.roles, membership_ends_at: stored.membership_ends_at, expires_at };
    audit::record(connection, origin, place.act("invitation.resent", &renewed).after(state))?;
    find(connection, production, id)
}

/// Withdraws an invitation.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::Forbidden`].
pub fn withdraw(
    connection: &mut PgConnection,
    origin: &Origin,
    changer: Changer,
    (production, id): (ProductionId, InvitationId),
) -> Result<()> {
    let (title, organisation, _) = productions::lock(connection, production, |_| true)?;
    let stored = decide_on(connection, changer, production, id)?;
    close(connection, id, Utc::now())?;
    let state = State {
        roles: &stored.roles,
        membership_ends_at: stored.membership_ends_at,
        expires_at: stored.expires_at,
    };
    let place = Place { organisation, production, title: &title };
    audit::record(connection, origin, place.act("invitation.withdrawn", &stored).before(state))
}
