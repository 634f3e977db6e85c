//! Mail that is to go out: a queue in the database.
//!
//! Whoever causes a mail writes it in the transaction of its cause ([`enqueue`]), so that there is
//! neither a mail about what did not happen nor a change whose mail was lost. The leading backend claims
//! what is due, commits, then sends ([`claims`]). What became of it is kept for some days for the
//! organisation's administrators ([`views`]).
//!
//! Delivery is at least once: when a backend ends, or the relay's answer is lost, between the last byte of
//! a mail and the note that it was sent, it is sent again, with the same Message-ID.
//!
//! No secret waits here longer than it must. The link of an invitation is made when the mail is claimed,
//! and only its digest is stored. A letter that holds a secret itself (a code) is removed in the moment
//! it is sent, fails, is dropped or expires; all others when they are sent or dropped.

pub mod claims;
pub mod views;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::mail::{Letter, is_address};
use kinora_core::{InvitationId, MessageId, OrganisationId, PersonId};
use uuid::Uuid;

use crate::notify::{self, MAIL_CHANNEL};
use crate::schema::{mail_messages, organisation_members, people};
use crate::{Result, StoreError};

/// A mail to be sent.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// The address.
    pub recipient: &'a str,
    /// Whose account it is about, where that is known.
    pub person: Option<PersonId>,
    /// The organisation whose administrators may see that there is this mail; none: nobody.
    pub organisation: Option<OrganisationId>,
    /// The invitation it is about.
    pub invitation: Option<InvitationId>,
    /// What it says.
    pub letter: &'a Letter,
    /// After this instant it is not worth sending.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Writes a mail into the queue, in the running transaction. The backend hears of it with the commit.
///
/// # Errors
/// [`StoreError::Conflict`] if no mail can be sent to that address.
pub fn enqueue(connection: &mut PgConnection, message: &Message<'_>) -> Result<MessageId> {
    if !is_address(message.recipient) {
        return Err(StoreError::Conflict("Mail cannot be sent to this address.".to_owned()));
    }
    let letter =
        serde_json::to_value(message.letter).map_err(|error| StoreError::NotUnderstood(error.to_string()))?;
    let id = MessageId::new();
    diesel::insert_into(mail_messages::table)
        .values((
            mail_messages::id.eq(id.0),
            mail_messages::organisation_id.eq(message.organisation.map(Uuid::from)),
            mail_messages::person_id.eq(message.person.map(Uuid::from)),
            mail_messages::invitation_id.eq(message.invitation.map(Uuid::from)),
            mail_messages::recipient.eq(message.recipient),
            mail_messages::kind.eq(message.letter.kind()),
            mail_messages::letter.eq(Some(letter)),
            mail_messages::expires_at.eq(message.expires_at),
        ))
        .execute(connection)?;
    notify::notify(connection, MAIL_CHANNEL, "")?;
    Ok(id)
}

/// Writes a mail about a person's own account to that person: to the login, if that is an address, else
/// nothing is written. Administrators see it if the person belongs to exactly one organisation, as with
/// several none is to learn of the others.
///
/// # Errors
/// [`StoreError::NotFound`] if there is no such person.
pub fn enqueue_personal(
    connection: &mut PgConnection,
    person: PersonId,
    letter: &Letter,
    expires_at: Option<DateTime<Utc>>,
) -> Result<Option<MessageId>> {
    let login: String = people::table.find(person.0).select(people::login).first(connection)?;
    if !is_address(&login) {
        return Ok(None);
    }
    let organisations: Vec<Uuid> = organisation_members::table
        .filter(organisation_members::person_id.eq(person.0))
        .select(organisation_members::organisation_id)
        .limit(2)
        .load(connection)?;
    let organisation = match organisations.as_slice() {
        [only] => Some(OrganisationId(*only)),
        _ => None,
    };
    let message = Message {
        recipient: &login,
        person: Some(person),
        organisation,
        invitation: None,
        letter,
        expires_at,
    };
    enqueue(connection, &message).map(Some)
}

/// Drops what waits of an invitation's mails: a link to nothing is of no use to anybody.
pub(crate) fn drop_of_invitation(
    connection: &mut PgConnection,
    invitation: InvitationId,
    now: DateTime<Utc>,
) -> Result<()> {
    let waiting: Vec<Uuid> = mail_messages::table
        .filter(mail_messages::invitation_id.eq(invitation.0))
        .filter(mail_messages::state.eq_any(["waiting", "failed"]))
        .select(mail_messages::id)
        .for_update()
        .load(connection)?;
    for id in waiting {
        claims::end(connection, MessageId(id), "dropped", None, now)?;
    }
    Ok(())
}
