//! The queue as an organisation's administrators see it. What a mail says is not shown: they see to
//! whom it goes, of what kind it is, and why it does not arrive.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use kinora_core::{MessageId, OrganisationId};
use serde_json::json;
use uuid::Uuid;

use super::claims;
use crate::audit::{self, Act, Origin};
use crate::notify::{self, MAIL_CHANNEL};
use crate::schema::mail_messages;
use crate::{Result, StoreError};

/// A mail in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct QueuedMail {
    /// Its id.
    pub id: Uuid,
    /// To whom.
    pub recipient: String,
    /// What kind of letter.
    pub kind: String,
    /// "waiting", "sending", "sent", "failed" or "dropped".
    pub state: String,
    /// How often it was tried.
    pub tries: i32,
    /// When it is tried next, if it waits.
    pub not_before: DateTime<Utc>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it was sent, given up or dropped.
    pub ended_at: Option<DateTime<Utc>>,
    /// Whether it can be tried again: what it says is still known.
    pub has_letter: bool,
}

type Columns = (
    mail_messages::id,
    mail_messages::recipient,
    mail_messages::kind,
    mail_messages::state,
    mail_messages::tries,
    mail_messages::not_before,
    mail_messages::last_error,
    mail_messages::created_at,
    mail_messages::ended_at,
    diesel::dsl::IsNotNull<mail_messages::letter>,
);

fn columns() -> Columns {
    (
        mail_messages::id,
        mail_messages::recipient,
        mail_messages::kind,
        mail_messages::state,
        mail_messages::tries,
        mail_messages::not_before,
        mail_messages::last_error,
        mail_messages::created_at,
        mail_messages::ended_at,
        mail_messages::letter.is_not_null(),
    )
}

/// The mails of an organisation, newest first, those before `before`; only those in one of `states`, if
/// there are any.
///
/// # Errors
/// If the database fails.
pub fn list(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    states: &[&str],
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<QueuedMail>> {
    let mut query = mail_messages::table
        .filter(mail_messages::organisation_id.eq(organisation.0))
        .order(mail_messages::id.desc())
        .limit(limit)
        .select(columns())
        .into_boxed();
    if !states.is_empty() {
        query = query.filter(mail_messages::state.eq_any(states.to_vec()));
    }
    if let Some(before) = before {
        query = query.filter(mail_messages::id.lt(before));
    }
    Ok(query.load(connection)?)
}

/// A mail of an organisation.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    id: MessageId,
) -> Result<QueuedMail> {
    Ok(mail_messages::table
        .find(id.0)
        .filter(mail_messages::organisation_id.eq(organisation.0))
        .select(columns())
        .first(connection)?)
}

/// A mail of an organisation that stays as it is until the transaction ends.
fn lock(connection: &mut PgConnection, organisation: OrganisationId, id: MessageId) -> Result<QueuedMail> {
    Ok(mail_messages::table
        .find(id.0)
        .filter(mail_messages::organisation_id.eq(organisation.0))
        .select(columns())
        .for_update()
        .first(connection)?)
}

fn conflict<T>(sentence: &str) -> Result<T> {
    Err(StoreError::Conflict(sentence.to_owned()))
}

/// Has a mail tried again at once: one that waits, or one that was given up.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::Conflict`] if it is not waiting and has not failed, or what it
/// said is not known any more.
pub fn retry(
    connection: &mut PgConnection,
    origin: &Origin,
    organisation: OrganisationId,
    id: MessageId,
) -> Result<QueuedMail> {
    let stored = lock(connection, organisation, id)?;
    match stored.state.as_str() {
        "waiting" => {}
        "failed" if stored.has_letter => {}
        "failed" => return conflict("This mail held a code that is no longer valid. Ask for a new one."),
        "sending" => return conflict("This mail is being sent at this moment."),
        _ => return conflict("This mail was sent or dropped already."),
    }
    let now = Utc::now();
    diesel::update(mail_messages::table.find(id.0))
        .set((
            mail_messages::state.eq("waiting"),
            mail_messages::not_before.eq(now),
            mail_messages::refused_at.eq(None::<DateTime<Utc>>),
            mail_messages::ended_at.eq(None::<DateTime<Utc>>),
        ))
        .execute(connection)?;
    notify::notify(connection, MAIL_CHANNEL, "")?;
    let changed = find(connection, organisation, id)?;
    record(connection, origin, organisation, "mail.retried", &stored)?;
    Ok(changed)
}

/// Drops a mail: it is not sent.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::Conflict`] if it is being sent or was.
pub fn drop_message(
    connection: &mut PgConnection,
    origin: &Origin,
    organisation: OrganisationId,
    id: MessageId,
) -> Result<QueuedMail> {
    let stored = lock(connection, organisation, id)?;
    match stored.state.as_str() {
        "waiting" | "failed" => {}
        "sending" => return conflict("This mail is being sent at this moment."),
        _ => return conflict("This mail was sent or dropped already."),
    }
    claims::end(connection, id, "dropped", None, Utc::now())?;
    let changed = find(connection, organisation, id)?;
    record(connection, origin, organisation, "mail.dropped", &stored)?;
    Ok(changed)
}

fn record(
    connection: &mut PgConnection,
    origin: &Origin,
    organisation: OrganisationId,
    action: &'static str,
    mail: &QueuedMail,
) -> Result<()> {
    let act = Act::new(action, "mail", mail.id, &mail.recipient).in_organisation(organisation);
    audit::record(connection, origin, act.before(json!({ "kind": mail.kind, "state": mail.state })))
}

/// What administrators are told about the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// "unknown", "unset", "working" or "failing".
    pub state: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why it is failing.
    pub error: Option<String>,
}

/// What the leading backend knows of the relay.
///
/// # Errors
/// If the database fails.
pub fn find_relay(connection: &mut PgConnection) -> Result<Relay> {
    let (state, since, error) = claims::find_relay(connection)?;
    Ok(Relay { state, since, error })
}
