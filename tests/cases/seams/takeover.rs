//! A database that goes away under requests: reads are asked again, changes are refused and never made
//! twice, and what makes something once by its key may be repeated.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};
use diesel::{PgConnection, sql_query};
use kinora_tests::{Answer, Client, DatabaseRole, Kinora, wait_until};
use reqwest::Method;
use serde_json::{Value, json};

#[derive(QueryableByName)]
struct Process {
    #[diesel(sql_type = Integer)]
    id: i32,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn execute(connection: &mut PgConnection, statement: &str) {
    sql_query(statement).execute(connection).unwrap_or_else(|error| panic!("{statement}: {error}"));
}

fn productions_called(kinora: &Kinora, name: &str) -> i64 {
    let statement = format!("SELECT count(*) AS count FROM productions WHERE name = '{name}'");
    sql_query(statement).get_result::<Count>(&mut kinora.connect()).unwrap().count
}

/// Ends the connection of the application that waits for a lock.
async fn cut_who_waits(kinora: &Kinora) {
    // As the application, because nobody may end the connections of others.
    let mut connection = kinora.database().connect(DatabaseRole::Application);
    let waiting = "SELECT pid AS id FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let process = wait_until("a statement waits for the lock", async || {
        sql_query(waiting).get_result::<Process>(&mut connection).optional().unwrap()
    })
    .await;
    execute(&mut connection, &format!("SELECT pg_terminate_backend({})", process.id));
}

/// Somebody's request while a table is locked; its connection is cut, then the table is free again.
async fn send_and_cut(
    kinora: &Kinora,
    lock: &str,
    request: impl AsyncFnOnce(Client) -> Answer,
    client: &Client,
) -> Answer {
    let mut owner = kinora.connect();
    execute(&mut owner, "BEGIN");
    execute(&mut owner, lock);
    let cut = async {
        cut_who_waits(kinora).await;
        execute(&mut owner, "ROLLBACK");
    };
    tokio::join!(request(client.clone()), cut).0
}

async fn organisation_of(client: &mut Client) -> String {
    let organisations = client.get("/api/data/v1/organisations").await.expect(200).json();
    organisations["items"][0]["id"].as_str().unwrap().to_owned()
}

fn assert_is_unavailable(answer: &Answer) {
    assert_eq!(answer.status.as_u16(), 503, "{}", answer.text());
    assert!(answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().unwrap() > 0));
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let problem: Value = answer.json();
    assert_eq!(problem["type"], "urn:kinora:problem:unavailable");
    assert!(!problem["detail"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn a_read_whose_connection_is_cut_is_answered() {
    let kinora = Kinora::api().await;
    let mut client = kinora.administrator().await;
    let organisation = organisation_of(&mut client).await;
    let path = format!("/api/data/v1/organisations/{organisation}/productions");
    let lock = "LOCK TABLE productions IN ACCESS EXCLUSIVE MODE";
    let read = async |mut client: Client| client.get(&path).await;
    let answer = send_and_cut(&kinora, lock, read, &client).await;
    assert_eq!(answer.expect(200).json()["items"], json!([]));
}

#[tokio::test]
async fn a_change_whose_connection_is_cut_is_refused_and_not_made() {
    let kinora = Kinora::api().await;
    let mut client = kinora.administrator().await;
    let organisation = organisation_of(&mut client).await;
    let path = format!("/api/data/v1/organisations/{organisation}/productions");
    let lock = "LOCK TABLE productions IN EXCLUSIVE MODE";
    let make = async |mut client: Client| client.post(&path, &json!({"name": "Without a key"})).await;
    assert_is_unavailable(&send_and_cut(&kinora, lock, make, &client).await);
    assert_eq!(productions_called(&kinora, "Without a key"), 0);
    // What the person does next.
    let _ = client.post(&path, &json!({"name": "Without a key"})).await.expect(201);
    assert_eq!(productions_called(&kinora, "Without a key"), 1);
}

#[tokio::test]
async fn what_is_made_once_by_its_key_is_made_once() {
    let kinora = Kinora::api().await;
    let mut client = kinora.administrator().await;
    let organisation = organisation_of(&mut client).await;
    let path = format!("/api/data/v1/organisations/{organisation}/productions");
    let lock = "LOCK TABLE productions IN EXCLUSIVE MODE";
    let make = async |mut client: Client| {
        let request = client.request(Method::POST, &path).header("Idempotency-Key", "one");
        client.send(request.json(&json!({"name": "With a key"}))).await
    };
    let first = send_and_cut(&kinora, lock, make, &client).await.expect(201).json();
    let again = make(client.clone()).await.expect(201).json();
    assert_eq!(first["id"], again["id"]);
    assert_eq!(productions_called(&kinora, "With a key"), 1);
}

#[tokio::test]
async fn without_a_server_that_takes_connections_a_read_says_when_to_come_back() {
    let kinora = Kinora::api().await;
    let client = kinora.administrator().await;
    let mut application = kinora.database().connect(DatabaseRole::Application);
    let name = kinora.database().name();
    // From the database beside it, as none can be closed from within.
    let url = kinora.database().url(DatabaseRole::Owner);
    let beside = format!("{}postgres", url.strip_suffix(name).unwrap());
    let mut owner = PgConnection::establish(&beside).unwrap();
    let allow = |owner: &mut PgConnection, yes: bool| {
        execute(owner, &format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS {yes}"));
    };
    allow(&mut owner, false);
    execute(
        &mut application,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()",
    );
    let read = async || client.clone().get("/api/data/v1/organisations").await;
    let answer = read().await;
    allow(&mut owner, true);
    assert_is_unavailable(&answer);
    wait_until("the database is found again", async || (read().await.status.as_u16() == 200).then_some(()))
        .await;
}

#[tokio::test]
async fn before_a_planned_takeover_nothing_is_begun_and_nobody_is_refused() {
    let mut kinora = Kinora::api().await;
    let client = kinora.administrator().await;
    let name = kinora.database().name().to_owned();
    let url = kinora.database().url(DatabaseRole::Owner);
    let beside = format!("{}postgres", url.strip_suffix(&name).unwrap());
    let mut owner = PgConnection::establish(&beside).unwrap();
    let mut application = kinora.database().connect(DatabaseRole::Application);
    wait_until("the application pauses", async || {
        execute(&mut application, "NOTIFY kinora_pause, '60000'");
        kinora.application(0).log().contains("nothing new is begun").then_some(())
    })
    .await;
    // What a switchover does to whoever would ask now.
    execute(&mut owner, &format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false"));
    execute(
        &mut application,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()",
    );
    let mut asking = client.clone();
    let asked = tokio::spawn(async move { asking.get("/api/data/v1/organisations").await });
    wait_until("the listener has noticed", async || {
        kinora.application(0).log().contains("listening to the database was interrupted").then_some(())
    })
    .await;
    assert!(!kinora.application(0).log().contains("database connection: "), "nothing was begun");
    execute(&mut owner, &format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS true"));
    let _ = asked.await.unwrap().expect(200);
}

/// Server processes that are stopped as those of a frozen machine are, until this is dropped.
struct Frozen(Vec<i32>);

impl Frozen {
    fn signal(&self, name: &str) {
        let processes: Vec<_> = self.0.iter().map(i32::to_string).collect();
        let status = std::process::Command::new("kill").arg(name).args(processes).status().unwrap();
        assert!(status.success(), "kill {name}");
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.signal("-CONT");
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_left_and_its_threads_are_not_missed() {
    let settings = "database.pool_size = 2\ndatabase.checkout_timeout_seconds = 60\n";
    let mut kinora = Kinora::builder().applications(1).settings("application", settings).start().await;
    let client = kinora.administrator().await;
    let read = async || client.clone().get("/api/data/v1/organisations").await;
    let _ = read().await.expect(200);
    let mut application = kinora.database().connect(DatabaseRole::Application);
    let idle = "SELECT pid AS id FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'kinora-application'
                  AND pid <> pg_backend_pid() AND state = 'idle'";
    let processes = sql_query(idle).load::<Process>(&mut application).unwrap();
    assert!(!processes.is_empty(), "the application has connections");
    let frozen = Frozen(processes.into_iter().map(|process| process.id).collect());
    frozen.signal("-STOP");
    // Connections that were used a moment ago are not asked whether they live: each takes a reader with it, who is
    // answered over another one as soon as the frozen server is left.
    wait_until("the frozen server is left", async || {
        let _ = read().await.expect(200);
        kinora.application(0).log().contains("its connections are left").then_some(())
    })
    .await;
    let _ = read().await.expect(200);
    drop(frozen);
    let _ = read().await.expect(200);
}
