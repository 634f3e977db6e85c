//! The queue by itself: claims, back-off, limits, what is kept and what is forgotten. The clock is the
//! tests' own.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use kinora_core::mail::Letter;
use kinora_core::{InvitationId, MessageId};
use kinora_store::StoreError;
use kinora_store::mail::claims::{self, Claim, Claimed, Outcome, Policy, RelayState, Settled};
use kinora_store::mail::{self, Message, views};
use kinora_store::schema::mail_messages;
use kinora_tests::{DatabaseRole, TestDatabase};
use uuid::Uuid;

const MINUTE: Duration = Duration::from_secs(60);

fn policy() -> Policy {
    Policy {
        retry_delay: MINUTE,
        longest_delay: 60 * MINUTE,
        give_up_after: 48 * 60 * MINUTE,
        claim_validity: 2 * MINUTE,
        keep_ended: 7 * 24 * 60 * MINUTE,
    }
}

fn code() -> Letter {
    Letter::Code {
        code: "canary-code-481516".to_owned(),
        minutes: 10,
        occasion: kinora_core::mail::CodeOccasion::SignIn,
        at: None,
        address: None,
        device: None,
    }
}

fn notice() -> Letter {
    Letter::Security {
        notice: kinora_core::mail::SecurityNotice::NewDevice,
        at: Utc::now(),
        address: None,
        device: None,
        page: "https://kinora.example/account".to_owned(),
    }
}

fn enqueue(
    connection: &mut PgConnection,
    recipient: &str,
    letter: &Letter,
    expires_at: Option<DateTime<Utc>>,
) -> MessageId {
    let message =
        Message { recipient, person: None, organisation: None, invitation: None, letter, expires_at };
    mail::enqueue(connection, &message).unwrap()
}

fn claim(connection: &mut PgConnection, now: DateTime<Utc>) -> Claimed {
    match claims::claim(connection, &policy(), now).unwrap() {
        Claim::Mail(claimed) => *claimed,
        other => panic!("{other:?}"),
    }
}

#[derive(QueryableByName, Debug, PartialEq)]
struct Stored {
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<Text>)]
    letter: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    last_error: Option<String>,
    #[diesel(sql_type = BigInt)]
    tries: i64,
}

fn stored(connection: &mut PgConnection, id: MessageId) -> Stored {
    diesel::sql_query(format!(
        "SELECT state, letter::text AS letter, last_error, tries::bigint AS tries FROM mail_messages WHERE id = '{id}'"
    ))
    .get_result(connection)
    .unwrap()
}

fn settle(
    connection: &mut PgConnection,
    claimed: &Claimed,
    outcome: &Outcome,
    now: DateTime<Utc>,
) -> Settled {
    claims::settle(connection, claimed, outcome, &policy(), now).unwrap()
}

#[test]
fn a_mail_is_one_senders_at_a_time_and_is_taken_back_from_one_that_ended() {
    let database = TestDatabase::create("mail_claims");
    let mut connection = database.connect(DatabaseRole::Backend);
    let mut other = database.connect(DatabaseRole::Backend);
    let id = enqueue(&mut connection, "ada@x.example", &notice(), None);
    let now = Utc::now() + TimeDelta::seconds(1);
    // While one looks at it in a transaction, others find nothing.
    connection.batch_execute("BEGIN; SELECT id FROM mail_messages FOR UPDATE").unwrap();
    assert_eq!(claims::claim(&mut other, &policy(), now).unwrap(), Claim::Nothing);
    connection.batch_execute("ROLLBACK").unwrap();
    let first = claim(&mut connection, now);
    assert_eq!((first.id, first.recipient.as_str(), &first.token), (id, "ada@x.example", &None));
    assert_eq!(claims::claim(&mut other, &policy(), now).unwrap(), Claim::Nothing);
    // The claim ends with its time; not before.
    assert_eq!(claims::reap(&mut other, now + TimeDelta::seconds(119)).unwrap(), 0);
    let later = now + TimeDelta::seconds(120);
    assert_eq!(claims::reap(&mut other, later).unwrap(), 1);
    let second = claim(&mut other, later);
    assert_eq!(second.id, first.id, "the same Message-ID");
    assert_ne!(second.claim, first.claim);
    // The first one, should it live after all, has nothing to say any more.
    assert_eq!(settle(&mut connection, &first, &Outcome::Sent, later), Settled::Overtaken);
    assert_eq!(stored(&mut connection, id).state, "sending");
    assert_eq!(settle(&mut other, &second, &Outcome::Sent, later), Settled::Sent);
    let ended = stored(&mut connection, id);
    assert_eq!((ended.state.as_str(), ended.letter, ended.tries), ("sent", None, 2));
    assert_eq!(claims::claim(&mut other, &policy(), later + TimeDelta::days(1)).unwrap(), Claim::Nothing);
}

#[test]
fn the_mail_of_an_invitation_on_which_somebody_decides_waits_until_they_have() {
    let database = TestDatabase::create("mail_of_invitation");
    let mut owner = database.connect(DatabaseRole::Application);
    let (organisation, production, id) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    owner
        .batch_execute(&format!(
            "INSERT INTO organisations (id, name) VALUES ('{organisation}', 'Fjord');
             INSERT INTO productions (id, organisation_id, name) VALUES ('{production}', '{organisation}', 'Tide');
             INSERT INTO invitations (id, organisation_id, production_id, address, address_key, library_role, expires_at)
                 VALUES ('{id}', '{organisation}', '{production}', 'a@x.example', 'a@x.example', 'reader', now() + interval '9 days')"
        ))
        .unwrap();
    let letter = notice();
    let invitation = Some(InvitationId(id));
    let message = Message {
        recipient: "a@x.example",
        person: None,
        organisation: None,
        invitation,
        letter: &letter,
        expires_at: None,
    };
    let mail = mail::enqueue(&mut owner, &message).unwrap();
    let mut sender = database.connect(DatabaseRole::Backend);
    sender.batch_execute("SET lock_timeout = '10s'").unwrap();
    let now = Utc::now();
    owner
        .transaction::<(), StoreError, _>(|owner| {
            owner.batch_execute(&format!("SELECT FROM invitations WHERE id = '{id}' FOR UPDATE"))?;
            assert_eq!(claims::claim(&mut sender, &policy(), now)?, Claim::Nothing);
            // Neither waits for the other.
            Ok(owner.batch_execute(&format!("SELECT FROM mail_messages WHERE id = '{mail}' FOR UPDATE"))?)
        })
        .unwrap();
    assert!(claim(&mut sender, now).token.is_some());
}

#[test]
fn refusals_for_now_are_tried_again_ever_later_and_given_up_in_the_end() {
    let database = TestDatabase::create("mail_back_off");
    let mut connection = database.connect(DatabaseRole::Backend);
    let id = enqueue(&mut connection, "ada@x.example", &notice(), None);
    // Whole seconds, because PostgreSQL keeps no nanoseconds.
    let begin = DateTime::from_timestamp(Utc::now().timestamp() + 1, 0).unwrap();
    let mut now = begin;
    let mut waits = Vec::new();
    let refusal = Outcome::Deferred("451 greylisted".to_owned());
    loop {
        let claimed = claim(&mut connection, now);
        match settle(&mut connection, &claimed, &refusal, now) {
            Settled::Waiting => {}
            Settled::Failed => break,
            other => panic!("{other:?}"),
        }
        let next: DateTime<Utc> =
            mail_messages::table.find(id.0).select(mail_messages::not_before).first(&mut connection).unwrap();
        let too_early = next - TimeDelta::seconds(1);
        assert_eq!(claims::claim(&mut connection, &policy(), too_early).unwrap(), Claim::Nothing);
        waits.push((next - now).num_minutes());
        now = next;
    }
    assert_eq!(waits[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
    let hours = (now - begin).num_hours();
    assert!((48..50).contains(&hours), "given up after {hours} h");
    let ended = stored(&mut connection, id);
    assert_eq!((ended.state.as_str(), ended.last_error.as_deref()), ("failed", Some("451 greylisted")));
    assert!(ended.letter.is_some(), "an administrator may want to have it tried again");
}

#[test]
fn a_relay_that_is_away_makes_no_mail_fail() {
    let database = TestDatabase::create("mail_patience");
    let mut connection = database.connect(DatabaseRole::Backend);
    let id = enqueue(&mut connection, "ada@x.example", &notice(), None);
    let mut now = Utc::now() + TimeDelta::seconds(1);
    for _ in 0..200 {
        let claimed = claim(&mut connection, now);
        let away = Outcome::Unreachable("connection refused".to_owned());
        assert_eq!(settle(&mut connection, &claimed, &away, now), Settled::Waiting);
        now += TimeDelta::hours(1);
    }
    assert_eq!(stored(&mut connection, id).tries, 200);
    let claimed = claim(&mut connection, now);
    assert_eq!(settle(&mut connection, &claimed, &Outcome::Sent, now), Settled::Sent);
}

#[test]
fn what_is_secret_is_forgotten_with_its_use() {
    let database = TestDatabase::create("mail_secrets");
    let mut connection = database.connect(DatabaseRole::Backend);
    let now = Utc::now() + TimeDelta::seconds(1);
    let find = "SELECT count(*) AS tries, '' AS state, NULL AS letter, NULL AS last_error FROM mail_messages m \
                WHERE m::text LIKE '%canary-code%'";
    let count = |connection: &mut PgConnection| {
        diesel::sql_query(find).get_result::<Stored>(connection).unwrap().tries
    };
    for outcome in [Outcome::Sent, Outcome::Refused("550".to_owned())] {
        enqueue(&mut connection, "ada@x.example", &code(), Some(now + TimeDelta::minutes(10)));
        assert_eq!(count(&mut connection), 1);
        let claimed = claim(&mut connection, now);
        settle(&mut connection, &claimed, &outcome, now);
        assert_eq!(count(&mut connection), 0, "{outcome:?}");
    }
    // Nobody sends it: it goes with its time, claimed or not.
    for is_claimed in [false, true] {
        let id = enqueue(&mut connection, "ada@x.example", &code(), Some(now + TimeDelta::minutes(10)));
        if is_claimed {
            let _ = claim(&mut connection, now);
        }
        claims::reap(&mut connection, now + TimeDelta::minutes(10)).unwrap();
        assert_eq!(count(&mut connection), 0);
        let ended = stored(&mut connection, id);
        assert_eq!(ended.state, "failed");
        assert!(ended.last_error.is_some());
    }
    assert_eq!(claims::claim(&mut connection, &policy(), now + TimeDelta::hours(1)).unwrap(), Claim::Nothing);
}

#[test]
fn ended_mail_is_forgotten_after_a_week_and_what_waits_never() {
    let database = TestDatabase::create("mail_upkeep");
    let mut connection = database.connect(DatabaseRole::Backend);
    let now = Utc::now() + TimeDelta::seconds(1);
    let sent = enqueue(&mut connection, "ada@x.example", &notice(), None);
    let claimed = claim(&mut connection, now);
    assert_eq!(claimed.id, sent);
    settle(&mut connection, &claimed, &Outcome::Sent, now);
    enqueue(&mut connection, "bob@x.example", &notice(), None);
    assert_eq!(claims::remove_old(&mut connection, &policy(), now + TimeDelta::days(6)).unwrap(), 0);
    assert_eq!(claims::remove_old(&mut connection, &policy(), now + TimeDelta::days(8)).unwrap(), 1);
    let figures = claims::count(&mut connection).unwrap();
    assert_eq!((figures.waiting, figures.failed), (1, 0));
    assert!(figures.oldest.is_some());
}

#[test]
fn what_a_later_release_wrote_waits_for_it() {
    let database = TestDatabase::create("mail_later");
    let mut connection = database.connect(DatabaseRole::Backend);
    let id = enqueue(&mut connection, "ada@x.example", &notice(), None);
    connection.batch_execute("UPDATE mail_messages SET letter = '{\"kind\": \"carrier_pigeon\"}'").unwrap();
    let now = Utc::now() + TimeDelta::seconds(1);
    assert_eq!(claims::claim(&mut connection, &policy(), now).unwrap(), Claim::Ended(id));
    let waiting = stored(&mut connection, id);
    assert_eq!(waiting.state, "waiting");
    assert!(waiting.last_error.unwrap().contains("carrier_pigeon"));
    assert_eq!(claims::claim(&mut connection, &policy(), now).unwrap(), Claim::Nothing, "it is put off");
}

#[test]
fn a_mail_and_its_cause_are_one_transaction_and_no_address_goes_unchecked() {
    let database = TestDatabase::create("mail_enqueue");
    let mut connection = database.connect(DatabaseRole::Application);
    let undone = connection.transaction::<(), StoreError, _>(|connection| {
        enqueue(connection, "ada@x.example", &notice(), None);
        Err(StoreError::NotFound)
    });
    assert!(undone.is_err());
    assert_eq!(claims::count(&mut connection).unwrap().waiting, 0);
    for bad in ["ada", "ada@x.example\r\nBcc: eve@x.example", "a b@x.example", ""] {
        let letter = notice();
        let message = Message {
            recipient: bad,
            person: None,
            organisation: None,
            invitation: None,
            letter: &letter,
            expires_at: None,
        };
        assert!(matches!(mail::enqueue(&mut connection, &message), Err(StoreError::Conflict(_))), "{bad}");
    }
}

#[test]
fn what_is_known_of_the_relay_is_written_down_when_it_changes() {
    let database = TestDatabase::create("mail_relay_state");
    let mut connection = database.connect(DatabaseRole::Backend);
    let relay = |connection: &mut PgConnection| views::find_relay(connection).unwrap();
    assert_eq!(relay(&mut connection).state, "unknown");
    let begin = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let failing = RelayState::Failing("no route".to_owned());
    for (minutes, state) in
        [(0, RelayState::Unset), (1, failing.clone()), (2, failing), (3, RelayState::Working)]
    {
        claims::note_relay(&mut connection, &state, begin + TimeDelta::minutes(minutes)).unwrap();
    }
    let known = relay(&mut connection);
    assert_eq!(
        (known.state.as_str(), known.error, known.since),
        ("working", None, begin + TimeDelta::minutes(3))
    );
}
