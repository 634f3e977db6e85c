//! Connections, notifications and leadership with a real PostgreSQL.

use std::sync::mpsc;

use diesel::prelude::*;
use diesel::sql_types::Integer;
use kinora_store::leader::Leadership;
use kinora_store::notify::{Listener, Notice, notify};
use kinora_store::{DatabaseSettings, Pool, StoreError};
use kinora_tests::{DEADLINE, DatabaseRole, Stack, TestDatabase, wait_until};

#[derive(QueryableByName)]
struct Process {
    #[diesel(sql_type = Integer)]
    id: i32,
}

fn process_id(connection: &mut PgConnection) -> Result<i32, diesel::result::Error> {
    diesel::sql_query("SELECT pg_backend_pid() AS id")
        .get_result::<Process>(connection)
        .map(|process| process.id)
}

fn pool(database: &TestDatabase, hosts: &[String]) -> Pool {
    let endpoint = &Stack::get().endpoints().database;
    let settings = DatabaseSettings {
        hosts: hosts.to_vec(),
        name: database.name().to_owned(),
        user: endpoint.owner.clone(),
        tls: "disable".to_owned(),
        tls_authorities: None,
        pool_size: 1,
        statement_timeout_seconds: 30,
        checkout_timeout_seconds: 3,
    };
    let password = std::fs::read_to_string(&endpoint.owner_password_file).unwrap();
    Pool::new(&settings, password.trim_end(), "test")
}

fn server() -> String {
    format!("127.0.0.1:{}", Stack::get().endpoints().database.port)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_whose_server_turned_read_only_is_replaced() {
    let database = TestDatabase::create_empty("engine_read_only");
    let pool = pool(&database, &[server()]);
    let first = {
        let mut lease = pool.get().unwrap();
        diesel::sql_query("SET default_transaction_read_only = on").execute(&mut *lease).unwrap();
        process_id(&mut lease).unwrap()
    };
    // The connection is trusted for a moment before it is asked.
    wait_until("the pool gives another connection", async || {
        (process_id(&mut pool.get().unwrap()).unwrap() != first).then_some(())
    })
    .await;
    diesel::sql_query("CREATE TABLE written (id int)").execute(&mut *pool.get().unwrap()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_cut_is_replaced() {
    let database = TestDatabase::create_empty("engine_cut");
    let pool = pool(&database, &[server()]);
    let first = process_id(&mut pool.get().unwrap()).unwrap();
    let mut owner = database.connect(DatabaseRole::Owner);
    diesel::sql_query(format!("SELECT pg_terminate_backend({first})")).execute(&mut owner).unwrap();
    wait_until("the pool gives a connection that works", async || {
        let mut lease = pool.get().ok()?;
        process_id(&mut lease).ok().filter(|id| *id != first)
    })
    .await;
}

#[test]
fn a_connection_that_was_found_lost_is_not_given_out_again() {
    let database = TestDatabase::create_empty("engine_lost");
    let pool = pool(&database, &[server()]);
    let first = {
        let mut lease = pool.get().unwrap();
        assert!(!lease.is_lost());
        diesel::sql_query("SET default_transaction_read_only = on").execute(&mut *lease).unwrap();
        assert!(lease.is_lost());
        process_id(&mut lease).unwrap()
    };
    // Not even within the moment for which it would have been trusted.
    assert_ne!(process_id(&mut pool.get().unwrap()).unwrap(), first);
}

#[test]
fn the_server_that_answers_is_found_among_several() {
    let database = TestDatabase::create_empty("engine_several");
    let nowhere = format!("127.0.0.1:{}", Stack::get().assign_port("no database"));
    let found = pool(&database, &[nowhere.clone(), server()]);
    process_id(&mut found.get().unwrap()).unwrap();
    let error = pool(&database, &[nowhere]).get().map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
}

#[test]
fn notifications_arrive_also_after_the_connection_was_cut() {
    let database = TestDatabase::create_empty("engine_notify");
    let pool = pool(&database, &[server()]);
    let (sender, heard) = mpsc::channel();
    let _listener = Listener::spawn(pool.connector().clone(), &["engine_test"], move |notice| {
        let _ = sender.send(notice);
    })
    .unwrap();
    let next = || heard.recv_timeout(DEADLINE).unwrap();
    let told = |payload: &str| Notice::Notification {
        channel: "engine_test".to_owned(),
        payload: payload.to_owned(),
    };
    assert_eq!(next(), Notice::Connected);
    let mut owner = database.connect(DatabaseRole::Owner);
    owner
        .transaction(|connection| {
            notify(connection, "engine_test", "one")?;
            notify(connection, "another_channel", "not this")?;
            notify(connection, "engine_test", "two")
        })
        .unwrap();
    assert_eq!([next(), next()], [told("one"), told("two")]);
    diesel::sql_query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
        .execute(&mut owner)
        .unwrap();
    assert_eq!([next(), next()], [Notice::Lost, Notice::Connected]);
    notify(&mut owner, "engine_test", "three").unwrap();
    assert_eq!(next(), told("three"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_leads_and_notices_when_it_no_longer_does() {
    let database = TestDatabase::create_empty("engine_leader");
    let connector = pool(&database, &[server()]).connector().clone();
    let mut first = Leadership::try_acquire(&connector, 7).unwrap().unwrap();
    first.verify().unwrap();
    assert!(Leadership::try_acquire(&connector, 7).unwrap().is_none());
    assert!(Leadership::try_acquire(&connector, 8).unwrap().is_some(), "another lock is another office");
    let mut owner = database.connect(DatabaseRole::Owner);
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 \
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    diesel::sql_query(cut).execute(&mut owner).unwrap();
    assert!(first.verify().is_err());
    let mut second =
        wait_until("the office is free", async || Leadership::try_acquire(&connector, 7).unwrap()).await;
    second.verify().unwrap();
    drop(second);
    wait_until("the office is free again", async || Leadership::try_acquire(&connector, 7).unwrap()).await;
}
