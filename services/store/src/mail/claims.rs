//! The sender's side of the queue: a mail is claimed and that is committed before it is sent; afterwards
//! its end is noted, unless the claim has passed to somebody else meanwhile.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use kinora_core::mail::Letter;
use kinora_core::{InvitationId, MessageId};
use uuid::Uuid;

use crate::privacy::address;
use crate::schema::{invitation_links, invitations, mail_messages, mail_relay};
use crate::support::acceptance;
use crate::token_text::{digest, random_token};
use crate::{Result, StoreError};

/// How patient the sender is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Wait before the second try of a mail; doubled each time.
    pub retry_delay: Duration,
    /// The longest such wait.
    pub longest_delay: Duration,
    /// How long a mail that the relay refuses for now is tried again.
    pub give_up_after: Duration,
    /// How long a claim holds: longer than sending can take.
    pub claim_validity: Duration,
    /// How long mails that were sent, failed or dropped are kept for showing.
    pub keep_ended: Duration,
}

fn span(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

impl Policy {
    /// The wait after this many tries.
    fn delay_after(&self, tries: i32) -> TimeDelta {
        let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or(0).min(20);
        span(self.retry_delay.saturating_mul(1 << doublings).min(self.longest_delay))
    }
}

/// A mail that is this process's to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The mail; makes its Message-ID, which is the same each time it is sent.
    pub id: MessageId,
    /// The claim.
    pub claim: Uuid,
    /// To whom.
    pub recipient: String,
    /// What it says.
    pub letter: Letter,
    /// The token of its link, if it has one. Only its digest is stored.
    pub token: Option<String>,
}

/// What a claim came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Send this, now that it is committed.
    Mail(Box<Claimed>),
    /// A mail was due and was ended instead: expired, or what it is about is over.
    Ended(MessageId),
    /// Nothing is due.
    Nothing,
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    person_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    invitation_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    recipient: String,
    #[diesel(sql_type = Nullable<Jsonb>)]
    letter: Option<serde_json::Value>,
    #[diesel(sql_type = Integer)]
    tries: i32,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    expires_at: Option<DateTime<Utc>>,
}

/// Claims the mail that is due longest, in a transaction of its own. Leaves out what somebody else has
/// locked, and the mail of an invitation on which somebody decides at this moment: they lock the invitation
/// first and its mail afterwards, and waiting for each other would end in a deadlock.
///
/// # Errors
/// The database's.
pub fn claim(connection: &mut PgConnection, policy: &Policy, now: DateTime<Utc>) -> Result<Claim> {
    connection.transaction(|connection| {
        let due: Option<Due> = diesel::sql_query(
            "SELECT id, person_id, invitation_id, recipient, letter, tries, expires_at FROM mail_messages \
             WHERE state = 'waiting' AND not_before <= $1 AND (invitation_id IS NULL OR EXISTS ( \
                 SELECT FROM invitations i WHERE i.id = invitation_id FOR KEY SHARE SKIP LOCKED)) \
             ORDER BY not_before, id LIMIT 1 FOR UPDATE SKIP LOCKED",
        )
        .bind::<Timestamptz, _>(now)
        .get_result(connection)
        .optional()?;
        let Some(due) = due else { return Ok(Claim::Nothing) };
        let id = MessageId(due.id);
        if due.expires_at.is_some_and(|end| end <= now) {
            end(connection, id, "failed", Some("It could not be sent in time."), now)?;
            return Ok(Claim::Ended(id));
        }
        let letter = due.letter.clone();
        let letter = letter.ok_or_else(|| StoreError::NotUnderstood("a mail without content".to_owned()));
        let letter = match letter.and_then(read_letter) {
            Ok(letter) => letter,
            Err(error) => {
                // Written by a later release, which is about to be installed here as well.
                postpone(connection, &due, policy, &error.to_string(), now)?;
                return Ok(Claim::Ended(id));
            }
        };
        let token = match find_link(connection, &due, &letter, now)? {
            Link::None => None,
            Link::Token(token) => Some(token),
            Link::Over => {
                end(connection, id, "dropped", None, now)?;
                return Ok(Claim::Ended(id));
            }
        };
        let claim = Uuid::now_v7();
        diesel::update(mail_messages::table.find(id.0))
            .set((
                mail_messages::state.eq("sending"),
                mail_messages::tries.eq(due.tries.saturating_add(1)),
                mail_messages::claim.eq(Some(claim)),
                mail_messages::claimed_until.eq(Some(now + span(policy.claim_validity))),
            ))
            .execute(connection)?;
        Ok(Claim::Mail(Box::new(Claimed { id, claim, recipient: due.recipient, letter, token })))
    })
}

fn read_letter(value: serde_json::Value) -> Result<Letter> {
    serde_json::from_value(value).map_err(|error| StoreError::NotUnderstood(error.to_string()))
}

fn postpone(
    connection: &mut PgConnection,
    due: &Due,
    policy: &Policy,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::update(mail_messages::table.find(due.id))
        .set((
            mail_messages::tries.eq(due.tries.saturating_add(1)),
            mail_messages::not_before.eq(now + policy.delay_after(due.tries.saturating_add(1))),
            mail_messages::last_error.eq(Some(reason)),
        ))
        .execute(connection)?;
    Ok(())
}

/// What becomes of a letter's link.
enum Link {
    /// It has none.
    None,
    /// This is its token.
    Token(String),
    /// What it leads to is over.
    Over,
}

fn find_link(connection: &mut PgConnection, due: &Due, letter: &Letter, now: DateTime<Utc>) -> Result<Link> {
    let token = match (letter, due.invitation_id, due.person_id) {
        (_, Some(invitation), _) => make_link(connection, InvitationId(invitation), now)?,
        (Letter::AddressConfirmation { .. }, None, Some(person)) => {
            address::make_link(connection, person, &due.recipient, now)?
        }
        (Letter::AddressConfirmation { .. }, None, None) => None,
        (Letter::SupportOffer { grant, .. }, ..) => acceptance::make_link(connection, *grant, now)?,
        _ => return Ok(Link::None),
    };
    Ok(token.map_or(Link::Over, Link::Token))
}

/// A link of the invitation, if that can still be accepted.
fn make_link(
    connection: &mut PgConnection,
    invitation: InvitationId,
    now: DateTime<Utc>,
) -> Result<Option<String>> {
    let is_open: Option<Uuid> = invitations::table
        .find(invitation.0)
        .filter(invitations::accepted_at.is_null())
        .filter(invitations::withdrawn_at.is_null())
        .filter(invitations::expires_at.gt(now))
        .select(invitations::id)
        .first(connection)
        .optional()?;
    if is_open.is_none() {
        return Ok(None);
    }
    let token = random_token().map_err(|error| StoreError::Unavailable(error.to_string()))?;
    diesel::insert_into(invitation_links::table)
        .values((
            invitation_links::token_digest.eq(digest(&token).as_slice()),
            invitation_links::invitation_id.eq(invitation.0),
        ))
        .execute(connection)?;
    Ok(Some(token))
}

/// Ends a mail; what it says is forgotten, unless somebody may want to have it tried again.
pub(super) fn end(
    connection: &mut PgConnection,
    id: MessageId,
    state: &'static str,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::sql_query(
        "UPDATE mail_messages SET state = $2, ended_at = $3, claim = NULL, claimed_until = NULL, \
             last_error = coalesce($4, last_error), \
             letter = CASE WHEN $2 = 'failed' AND kind <> 'code' THEN letter END \
         WHERE id = $1",
    )
    .bind::<SqlUuid, _>(id.0)
    .bind::<Text, _>(state)
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<Text>, _>(error)
    .execute(connection)?;
    Ok(())
}

/// How sending ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The relay has it.
    Sent,
    /// The relay refused this mail for good.
    Refused(String),
    /// The relay refused this mail for now.
    Deferred(String),
    /// The relay could not be reached, or takes nothing from us at present: no fault of the mail, which
    /// waits as long as that lasts.
    Unreachable(String),
}

/// What [`settle`] made of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was sent.
    Sent,
    /// It waits to be tried again.
    Waiting,
    /// It is given up.
    Failed,
    /// The claim was somebody else's already.
    Overtaken,
}

/// Notes how sending a claimed mail ended.
///
/// # Errors
/// The database's.
pub fn settle(
    connection: &mut PgConnection,
    claimed: &Claimed,
    outcome: &Outcome,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Settled> {
    connection.transaction(|connection| {
        let held: Option<(i32, Option<DateTime<Utc>>)> = mail_messages::table
            .find(claimed.id.0)
            .filter(mail_messages::claim.eq(claimed.claim))
            .select((mail_messages::tries, mail_messages::refused_at))
            .for_update()
            .first(connection)
            .optional()?;
        let Some((tries, refused_at)) = held else { return Ok(Settled::Overtaken) };
        let (error, refused_at) = match outcome {
            Outcome::Sent => {
                end(connection, claimed.id, "sent", None, now)?;
                return Ok(Settled::Sent);
            }
            Outcome::Refused(error) => {
                end(connection, claimed.id, "failed", Some(error), now)?;
                return Ok(Settled::Failed);
            }
            Outcome::Deferred(error) => (error, Some(refused_at.unwrap_or(now))),
            Outcome::Unreachable(error) => (error, refused_at),
        };
        if matches!(outcome, Outcome::Deferred(_))
            && refused_at.is_some_and(|first| now - first >= span(policy.give_up_after))
        {
            end(connection, claimed.id, "failed", Some(error), now)?;
            return Ok(Settled::Failed);
        }
        diesel::update(mail_messages::table.find(claimed.id.0))
            .set((
                mail_messages::state.eq("waiting"),
                mail_messages::claim.eq(None::<Uuid>),
                mail_messages::claimed_until.eq(None::<DateTime<Utc>>),
                mail_messages::not_before.eq(now + policy.delay_after(tries)),
                mail_messages::refused_at.eq(refused_at),
                mail_messages::last_error.eq(Some(error)),
            ))
            .execute(connection)?;
        Ok(Settled::Waiting)
    })
}

/// Takes back the mails of senders that have ended in between, and ends those that expired. Gives how
/// many were taken back.
///
/// # Errors
/// The database's.
pub fn reap(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<usize> {
    let taken_back = diesel::update(
        mail_messages::table
            .filter(mail_messages::state.eq("sending"))
            .filter(mail_messages::claimed_until.le(now)),
    )
    .set((
        mail_messages::state.eq("waiting"),
        mail_messages::claim.eq(None::<Uuid>),
        mail_messages::claimed_until.eq(None::<DateTime<Utc>>),
        mail_messages::not_before.eq(now),
        mail_messages::last_error.eq(Some("The sender ended before the mail relay had answered.")),
    ))
    .execute(connection)?;
    diesel::sql_query(
        "UPDATE mail_messages SET state = 'failed', ended_at = $1, \
             letter = CASE WHEN kind <> 'code' THEN letter END, \
             last_error = coalesce(last_error, 'It could not be sent in time.') \
         WHERE state = 'waiting' AND expires_at <= $1",
    )
    .bind::<Timestamptz, _>(now)
    .execute(connection)?;
    Ok(taken_back)
}

/// Forgets mails that ended long enough ago.
///
/// # Errors
/// The database's.
pub fn remove_old(connection: &mut PgConnection, policy: &Policy, now: DateTime<Utc>) -> Result<usize> {
    let old = mail_messages::table.filter(mail_messages::ended_at.lt(now - span(policy.keep_ended)));
    Ok(diesel::delete(old).execute(connection)?)
}

/// What the sender knows of the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayState {
    /// None is set.
    Unset,
    /// It takes mail.
    Working,
    /// It cannot be used; why not.
    Failing(String),
}

/// Writes down what is known of the relay, for administrators.
///
/// # Errors
/// The database's.
pub fn note_relay(connection: &mut PgConnection, relay: &RelayState, now: DateTime<Utc>) -> Result<()> {
    let (state, error) = match relay {
        RelayState::Unset => ("unset", None),
        RelayState::Working => ("working", None),
        RelayState::Failing(error) => ("failing", Some(error.as_str())),
    };
    diesel::sql_query(
        "UPDATE mail_relay SET since = CASE WHEN state = $1 THEN since ELSE $2 END, state = $1, error = $3 \
         WHERE state <> $1 OR error IS DISTINCT FROM $3",
    )
    .bind::<Text, _>(state)
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<Text>, _>(error)
    .execute(connection)?;
    Ok(())
}

/// Figures for monitoring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueFigures {
    /// Mails that wait, those being sent among them.
    pub waiting: i64,
    /// Mails that failed and are still kept.
    pub failed: i64,
    /// When the oldest of those that wait was written.
    pub oldest: Option<DateTime<Utc>>,
}

/// Counts the queue.
///
/// # Errors
/// The database's.
pub fn count(connection: &mut PgConnection) -> Result<QueueFigures> {
    let open = mail_messages::table.filter(mail_messages::state.eq_any(["waiting", "sending"]));
    let (waiting, oldest) = open
        .select((diesel::dsl::count_star(), diesel::dsl::min(mail_messages::created_at)))
        .first(connection)?;
    let failed =
        mail_messages::table.filter(mail_messages::state.eq("failed")).count().get_result(connection)?;
    Ok(QueueFigures { waiting, failed, oldest })
}

/// The state of the relay as it was written down; see [`note_relay`].
pub(super) type RelayRow = (String, DateTime<Utc>, Option<String>);

pub(super) fn find_relay(connection: &mut PgConnection) -> Result<RelayRow> {
    Ok(mail_relay::table
        .select((mail_relay::state, mail_relay::since, mail_relay::error))
        .first(connection)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let policy = Policy {
            retry_delay: Duration::from_secs(60),
            longest_delay: Duration::from_secs(3600),
            give_up_after: Duration::ZERO,
            claim_validity: Duration::ZERO,
            keep_ended: Duration::ZERO,
        };
        let minutes: Vec<i64> = [0, 1, 2, 3, 6, 7, 8, 1000, i32::MAX]
            .into_iter()
            .map(|tries| policy.delay_after(tries).num_minutes())
            .collect();
        assert_eq!(minutes, [1, 1, 2, 4, 32, 60, 60, 60, 60]);
    }
}
