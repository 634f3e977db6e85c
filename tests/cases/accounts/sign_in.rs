//! Signing in: lock-out across instances, no difference between known and unknown logins, sessions.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use futures_util::future::join_all;
use kinora_store::Origin;
use kinora_store::schema::{audit_rows, sign_in_failures};
use kinora_store::sign_in::{self, Attempt, LOCK, TRIES};
use kinora_tests::{Client, DatabaseRole, Kinora, TestDatabase, wait_until};
use serde_json::json;

use super::world::{PASSWORD, add_person, execute, organisation_of, text};

/// How many passwords an application has looked at.
async fn verifications(metrics: &mut Client) -> u64 {
    let text = metrics.get("/metrics").await.expect(200).text();
    let line = text.lines().find(|line| line.starts_with("kinora_password_verifications_total"));
    line.and_then(|line| line.rsplit(' ').next()).map_or(0, |count| count.parse().unwrap())
}

async fn try_in_parallel(kinora: &Kinora, login: &str, count: usize) -> (usize, usize) {
    let attempts = (0..count).map(|number| {
        let mut client = Client::anonymous(&kinora.url_of(number % 2));
        let (login, wrong) = (login.to_owned(), format!("wrong {number}"));
        async move {
            // Whoever waits too long for a turn is sent away without a try, and comes back.
            wait_until("a turn", async || {
                Some(client.sign_in(&login, &wrong).await.status.as_u16()).filter(|status| *status != 503)
            })
            .await
        }
    });
    let answers = join_all(attempts).await;
    let count = |status| answers.iter().filter(|answer| **answer == status).count();
    assert_eq!(count(401) + count(429), answers.len(), "{answers:?}");
    (count(401), count(429))
}

#[tokio::test]
async fn two_instances_together_look_at_ten_wrong_passwords_and_no_more() {
    let mut kinora = Kinora::builder().applications(2).start().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let _ = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let mut first = kinora.application(0).metrics().await;
    let mut second = kinora.application(1).metrics().await;
    let mut work = async || verifications(&mut first).await + verifications(&mut second).await;

    for login in ["ada@x.example", "nobody@x.example"] {
        let before = work().await;
        assert_eq!(try_in_parallel(&kinora, login, 24).await, (10, 14), "{login}");
        // The same work for a login that exists and one that does not.
        assert_eq!(work().await - before, 10, "{login}");
        let mut client = kinora.visitor();
        let locked = client.sign_in(login, PASSWORD).await.expect(429);
        assert_eq!(text(&locked.json(), "/type"), "urn:kinora:problem:locked");
        let wait: i64 = locked.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=301).contains(&wait), "{wait}");
        assert_eq!(work().await - before, 10, "{login}");
    }

    // When the time is over, the right password works again.
    execute(&kinora, "UPDATE sign_in_failures SET locked_until = now() - interval '1 second'");
    let _ = kinora.visitor().sign_in("ADA@x.example", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn known_and_unknown_logins_answer_alike() {
    let mut kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let _ = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let people = format!("/api/data/v1/organisations/{own}/people");
    let fresh = json!({ "login": "fresh@x.example", "display_name": "Fresh", "role": "member" });
    let _ = owner.post(&people, &fresh).await.expect(201);

    let mut metrics = kinora.application(0).metrics().await;
    let mut answers = Vec::new();
    for login in ["ada@x.example", "fresh@x.example", "nobody@x.example"] {
        let before = verifications(&mut metrics).await;
        let answer = kinora.visitor().sign_in(login, "not this one").await.expect(401);
        assert_eq!(verifications(&mut metrics).await - before, 1, "{login}");
        let id = answer.header("x-request-id").unwrap().to_owned();
        answers.push(answer.text().replace(&id, ""));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

/// Takes a try for the login "ada".
fn take(connection: &mut PgConnection, now: DateTime<Utc>) -> kinora_store::Result<Attempt> {
    sign_in::take_attempt(connection, &Origin::system("test"), "ada", now).map(|(attempt, _)| attempt)
}

#[test]
fn a_right_password_clears_the_count_and_a_lock_ends() {
    let database = TestDatabase::create("sign_in_counts");
    let mut connection = database.connect(DatabaseRole::Application);
    let digest = sign_in::login_digest("ada");
    let now = Utc::now();
    for number in 1..TRIES {
        let attempt = take(&mut connection, now).unwrap();
        assert_eq!(attempt, Attempt::Allowed(number));
    }
    sign_in::clear(&mut connection, &digest).unwrap();
    for number in 1..=TRIES {
        let attempt = take(&mut connection, now).unwrap();
        assert_eq!(attempt, Attempt::Allowed(number));
    }
    let later = now + TimeDelta::minutes(3);
    let locked = take(&mut connection, later).unwrap();
    assert!(
        matches!(locked, Attempt::Locked(left) if left <= TimeDelta::minutes(2) && left > TimeDelta::seconds(119)),
        "{locked:?}"
    );
    let after = now + LOCK + TimeDelta::milliseconds(1);
    assert_eq!(take(&mut connection, after).unwrap(), Attempt::Allowed(1));
    assert_eq!(take(&mut connection, after).unwrap(), Attempt::Allowed(2));
    sign_in::give_attempt_back(&mut connection, &digest).unwrap();
    assert_eq!(take(&mut connection, after).unwrap(), Attempt::Allowed(2));
}

#[test]
fn a_lock_and_its_row_in_the_trail_are_one_transaction() {
    let database = TestDatabase::create("sign_in_lock");
    let mut owner = database.connect(DatabaseRole::Owner);
    let mut connection = database.connect(DatabaseRole::Application);
    let digest = sign_in::login_digest("ada");
    let now = Utc::now();
    // How many tries are counted, whether they lock, and how many locks are on record.
    let stands = |owner: &mut PgConnection| -> (i32, bool, i64) {
        let counted = sign_in_failures::table
            .find(digest.as_slice())
            .select((sign_in_failures::failures, sign_in_failures::locked_until.is_not_null()));
        let (failures, is_locked) = counted.first(owner).unwrap();
        let rows = audit_rows::table.filter(audit_rows::action.eq("account.locked")).count();
        (failures, is_locked, rows.get_result(owner).unwrap())
    };
    for _ in 1..TRIES {
        take(&mut connection, now).unwrap();
    }
    assert_eq!(stands(&mut owner), (TRIES - 1, false, 0));
    // What cannot be recorded is not done: the try is not taken, and the password not looked at.
    owner.batch_execute("ALTER TABLE audit_rows ADD CONSTRAINT closed CHECK (false) NOT VALID").unwrap();
    let _ = take(&mut connection, now).unwrap_err();
    assert_eq!(stands(&mut owner), (TRIES - 1, false, 0));
    owner.batch_execute("ALTER TABLE audit_rows DROP CONSTRAINT closed").unwrap();
    // On record before anybody has looked at the password, so that it is whatever happens then.
    assert_eq!(take(&mut connection, now).unwrap(), Attempt::Allowed(TRIES));
    assert_eq!(stands(&mut owner), (TRIES, true, 1));
    assert!(matches!(take(&mut connection, now).unwrap(), Attempt::Locked(_)));
    assert_eq!(stands(&mut owner), (TRIES, true, 1));
}

#[tokio::test]
async fn a_revoked_session_ends_on_every_instance() {
    let kinora = Kinora::builder().applications(2).start().await;
    let owner = kinora.administrator().await;
    let mut first = owner.at(&kinora.url_of(0));
    let mut second = owner.at(&kinora.url_of(1));
    let _ = second.get("/api/data/v1/session").await.expect(200);
    let sessions = first.get("/api/data/v1/account/sessions").await.expect(200).json();
    let items = sessions["items"].as_array().unwrap();
    let current = items.iter().find(|item| item["current"] == true).unwrap();
    let path = format!("/api/data/v1/account/sessions/{}", text(current, "/id"));
    let _ = first.delete(&path).await.expect(204);
    // At once where it was revoked.
    let _ = first.get("/api/data/v1/session").await.expect(401);
    wait_until("the session has ended on the other instance", async || {
        (second.get("/api/data/v1/session").await.status == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions_and_must_be_good() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (_, mut ada) = add_person(&kinora, &mut owner, &own, "ada.lovelace@x.example", "member").await;
    let mut elsewhere = kinora.visitor();
    let _ = elsewhere.sign_in("ada.lovelace@x.example", PASSWORD).await.expect(200);

    let path = "/api/data/v1/account/password";
    for (current, new, pointer) in [
        (PASSWORD, "password1", "/new_password"),
        (PASSWORD, "AdaLovelace1815!", "/new_password"),
        (PASSWORD, PASSWORD, "/new_password"),
        ("wrong", "nine Quiet rivers below the moon", "/current_password"),
    ] {
        let change = json!({ "current_password": current, "new_password": new });
        let problem = ada.put(path, &change).await.expect(422).json();
        assert_eq!(text(&problem, "/errors/0/pointer"), pointer, "{new}");
    }
    let good = json!({ "current_password": PASSWORD, "new_password": "nine Quiet rivers below the moon" });
    let _ = ada.put(path, &good).await.expect(204);
    let _ = ada.get("/api/data/v1/session").await.expect(200);
    let _ = elsewhere.get("/api/data/v1/session").await.expect(401);
    let _ = kinora.visitor().sign_in("ada.lovelace@x.example", PASSWORD).await.expect(401);
}

#[tokio::test]
async fn a_one_time_password_opens_nothing_but_the_choice_of_another() {
    let kinora = Kinora::builder().applications(1).nobody_yet().start().await;
    let (login, password) = kinora.create_administrator();
    let mut client = kinora.visitor();
    let session = client.sign_in(&login, &password).await.expect(200).json();
    assert_eq!(session["password_change_required"], true);
    for path in ["/api/data/v1/productions", "/api/data/v1/organisations", "/api/data/v1/account/tokens"] {
        let problem = client.get(path).await.expect(403).json();
        assert_eq!(text(&problem, "/type"), "urn:kinora:problem:password-change-required");
    }
    let change = json!({ "current_password": password, "new_password": PASSWORD });
    let _ = client.put("/api/data/v1/account/password", &change).await.expect(204);
    let _ = client.get("/api/data/v1/productions").await.expect(200);
}

#[tokio::test]
async fn passwords_are_hashed_anew_when_the_cost_was_raised() {
    let kinora = Kinora::builder()
        .applications(1)
        .settings("application", "password.cost = 13")
        .nobody_yet()
        .start()
        .await;
    let (login, password) = kinora.create_administrator();
    let cost = || {
        use kinora_store::schema::people;
        let hash: Option<String> =
            people::table.select(people::password_hash).first(&mut kinora.connect()).unwrap();
        hash.unwrap().split('$').nth(2).unwrap().to_owned()
    };
    assert_eq!(cost(), "12");
    let _ = kinora.visitor().sign_in(&login, &password).await.expect(200);
    assert_eq!(cost(), "13");
    let _ = kinora.visitor().sign_in(&login, &password).await.expect(200);
}

#[tokio::test]
async fn a_flood_of_sign_ins_is_turned_away_and_costs_others_nothing() {
    let settings = "password.parallel = 1\npassword.queue = 2";
    let mut kinora = Kinora::builder().applications(1).settings("application", settings).start().await;
    let mut owner = kinora.administrator().await;
    let mut metrics = kinora.application(0).metrics().await;
    let before = verifications(&mut metrics).await;
    let flood = (0..40).map(|number| {
        let mut client = kinora.visitor();
        async move { client.sign_in(&format!("nobody-{number}"), "wrong").await }
    });
    let others = async {
        let mut statuses = Vec::new();
        for _ in 0..20 {
            statuses.push(owner.get("/api/data/v1/productions").await.status.as_u16());
        }
        statuses
    };
    let (answers, others) = futures_util::join!(join_all(flood), others);
    assert!(others.iter().all(|status| *status == 200), "{others:?}");
    let worked_on = answers.iter().filter(|answer| answer.status == 401).count();
    let away: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert_eq!(worked_on + away.len(), 40);
    assert!(!away.is_empty());
    for answer in away {
        assert_eq!(text(&answer.json(), "/type"), "urn:kinora:problem:overloaded");
        assert!(answer.header("retry-after").is_some());
    }
    // Those that were turned away cost no password's work, and no try.
    assert_eq!(verifications(&mut metrics).await - before, worked_on as u64);
    let counted = execute(&kinora, "UPDATE sign_in_failures SET failures = failures");
    assert_eq!(counted, worked_on);
}
