//! How many guesses are looked at, over all sessions and instances.

use chrono::{TimeDelta, Utc};
use futures_util::future::join_all;
use kinora_core::PersonId;
use kinora_store::second_factors::budget::{self, Attempt, FIRST_LOCK, Kind, LONGEST_LOCK, TRIES};
use kinora_tests::{ADMINISTRATOR_PASSWORD, Client, DatabaseRole, Kinora, TestDatabase};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use uuid::Uuid;

use super::super::world::{execute, text};
use super::{SECOND, enrol_app, finish, let_steps_pass, slug};

const LOGIN: &str = "admin@localhost";
const PENDING: &str = "__Host-kinora-pending";
const SESSIONS: usize = 200;
const GUESSES: usize = 100_000;

/// Posts codes on one kept connection. A whole HTTP client takes longer for each than the application does.
struct Guesser {
    connection: TcpStream,
    head: String,
}

impl Guesser {
    async fn connect(url: &str, pending: &str) -> Self {
        let address = url.strip_prefix("http://").unwrap();
        let connection = TcpStream::connect(address).await.unwrap();
        let length = body("000000").len();
        let head = format!(
            "POST {SECOND} HTTP/1.1\r\nHost: {address}\r\nCookie: {PENDING}={pending}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        Self { connection, head }
    }

    /// The answer's status.
    async fn guess(&mut self, code: &str) -> u16 {
        let request = format!("{}{}", self.head, body(code));
        self.connection.write_all(request.as_bytes()).await.unwrap();
        let (mut answer, mut filled) = ([0; 4096], 0);
        loop {
            let more = self.connection.read(&mut answer[filled..]).await.unwrap();
            assert_ne!(more, 0, "the connection ended");
            filled += more;
            let text = std::str::from_utf8(&answer[..filled]).unwrap();
            let Some((head, content)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.split_once("content-length: ").unwrap().1.split("\r\n").next().unwrap();
            if content.len() == length.parse::<usize>().unwrap() {
                return head[9..12].parse().unwrap();
            }
        }
    }
}

fn body(code: &str) -> String {
    format!("{{\"code\":\"{code}\"}}")
}

/// How many codes of a kind an application has looked at.
async fn evaluations(metrics: &mut Client, kind: &str) -> u64 {
    let name = format!("kinora_factor_evaluations_total{{kind=\"{kind}\"}}");
    let text = metrics.get("/metrics").await.expect(200).text();
    let line = text.lines().find(|line| line.starts_with(&name));
    line.and_then(|line| line.rsplit(' ').next()).map_or(0, |count| count.parse().unwrap())
}

/// Half sign-ins of a person, made in the database: a password each would take minutes.
fn half_sign_ins(kinora: &Kinora, person: &str) -> Vec<Client> {
    (0..SESSIONS)
        .map(|number| {
            let token = format!("half-{number}-{}", Uuid::new_v4());
            let digest: String = Sha256::digest(&token).iter().map(|byte| format!("{byte:02x}")).collect();
            let _ = execute(
                kinora,
                &format!(
                    "INSERT INTO pending_sign_ins (id, person_id, token_digest, expires_at) VALUES \
                     ('{}', '{person}', '\\x{digest}', now() + interval '1 hour')",
                    Uuid::now_v7()
                ),
            );
            let mut client = Client::anonymous(&kinora.url_of(number % 2));
            client.set_cookie(PENDING, &token);
            client
        })
        .collect()
}

#[tokio::test]
async fn a_hundred_thousand_guesses_over_two_hundred_sessions_are_five_evaluations() {
    let fast = "rate_limit.address_per_second = 1000000.0\nrate_limit.address_burst = 1000000\nlog = \"warn,kinora_runtime=info\"";
    let mut kinora = Kinora::builder().applications(2).settings("application", fast).start().await;
    let mut owner = kinora.administrator().await;
    let me = text(&owner.get("/api/data/v1/session").await.json(), "/person/id");
    let (app, codes) = enrol_app(&mut owner).await;
    let_steps_pass(&kinora);
    // The next time that the budget is spent it is for a day, so that the machine's speed does not matter.
    let spent = 9 * TRIES;
    let _ = execute(
        &kinora,
        &format!("INSERT INTO factor_tries (person_id, kind, failures) VALUES ('{me}', 'totp', {spent})"),
    );
    let mut first = kinora.application(0).metrics().await;
    let mut second = kinora.application(1).metrics().await;
    let mut halves = half_sign_ins(&kinora, &me);
    let guess = async |client: &Client, number: usize| {
        let mut guesser = Guesser::connect(&kinora.url_of(number % 2), client.cookie(PENDING).unwrap()).await;
        let mut statuses = (0_usize, 0_usize);
        let codes = app.wrong_codes(u32::try_from(number * GUESSES / SESSIONS).unwrap());
        for code in codes.take(GUESSES / SESSIONS) {
            match guesser.guess(&code).await {
                422 => statuses.0 += 1,
                429 => statuses.1 += 1,
                other => panic!("{other}"),
            }
        }
        statuses
    };
    let answers = join_all(halves.iter().enumerate().map(|(number, client)| guess(client, number))).await;
    let looked_at: usize = answers.iter().map(|(wrong, _)| wrong).sum();
    let refused: usize = answers.iter().map(|(_, refused)| refused).sum();
    assert_eq!((looked_at, refused), (TRIES as usize, GUESSES - TRIES as usize));
    let evaluated = evaluations(&mut first, "totp").await + evaluations(&mut second, "totp").await;
    assert_eq!(evaluated, TRIES as u64);

    // The right code is not looked at either, and the answer says for how long.
    let locked = halves[0].post(SECOND, &json!({ "code": app.code() })).await.expect(429);
    assert_eq!(slug(&locked), "locked");
    assert!(locked.header("retry-after").unwrap().parse::<i64>().unwrap() > 3600);
    let mut visitor = kinora.visitor();
    let _ = visitor.sign_in(LOGIN, ADMINISTRATOR_PASSWORD).await.expect(202);
    let _ = finish(&mut visitor, &json!({ "code": app.code() })).await.expect(429);
    let recorded = execute(&kinora, "SELECT 1 FROM audit_rows WHERE action = 'factor.locked'");
    assert_eq!(recorded, 1);
    // Whoever has lost nothing but patience gets in with a recovery code.
    let _ = finish(&mut visitor, &json!({ "recovery_code": codes[0] })).await.expect(200);
    // And with the app again when the time is over, which begins the count anew.
    let _ = execute(&kinora, "UPDATE factor_tries SET locked_until = now() - interval '1 second'");
    let _ = finish(&mut halves[1], &json!({ "code": app.code() })).await.expect(200);
    assert_eq!(execute(&kinora, "SELECT 1 FROM factor_tries"), 0);
}

#[tokio::test]
async fn recovery_codes_have_a_budget_of_their_own() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let (app, codes) = enrol_app(&mut owner).await;
    let_steps_pass(&kinora);
    let mut half = kinora.visitor();
    let _ = half.sign_in(LOGIN, ADMINISTRATOR_PASSWORD).await.expect(202);
    for _ in 0..TRIES {
        let _ = finish(&mut half, &json!({ "recovery_code": "aaaa-bbbb-cccc-dddd" })).await.expect(422);
    }
    let _ = finish(&mut half, &json!({ "recovery_code": codes[0] })).await.expect(429);
    // What can be no code at all costs no try.
    for _ in 0..2 * TRIES {
        let _ = finish(&mut half, &json!({ "code": "12 34" })).await.expect(422);
    }
    let _ = finish(&mut half, &json!({ "code": app.code() })).await.expect(200);
}

#[test]
fn each_lock_is_twice_as_long_up_to_a_day() {
    use diesel::RunQueryDsl as _;
    let database = TestDatabase::create("factor_budget");
    let mut connection = database.connect(DatabaseRole::Application);
    let person = PersonId::new();
    diesel::sql_query(format!(
        "INSERT INTO people (id, login, login_key, display_name) VALUES ('{person}', 'ada', 'ada', 'Ada')"
    ))
    .execute(&mut connection)
    .unwrap();
    let mut now = Utc::now();
    let mut tries = 0;
    let mut expected = FIRST_LOCK;
    for _ in 0..12 {
        for _ in 0..TRIES {
            tries += 1;
            let attempt = budget::take(&mut connection, person, Kind::Totp, now).unwrap();
            assert_eq!(attempt, Attempt::Allowed(tries));
        }
        let attempt = budget::take(&mut connection, person, Kind::Totp, now).unwrap();
        let Attempt::Locked(remaining) = attempt else { panic!("{attempt:?}") };
        assert!((remaining - expected).abs() < TimeDelta::milliseconds(1), "{remaining} {expected}");
        now += expected + TimeDelta::seconds(1);
        expected = (expected * 2).min(LONGEST_LOCK);
    }
    let other = budget::take(&mut connection, person, Kind::RecoveryCode, now).unwrap();
    assert_eq!(other, Attempt::Allowed(1));
    budget::clear(&mut connection, person, Kind::Totp).unwrap();
    assert_eq!(budget::take(&mut connection, person, Kind::Totp, now).unwrap(), Attempt::Allowed(1));
}
