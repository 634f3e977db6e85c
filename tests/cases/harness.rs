//! The harness keeps its promises: tests are apart from each other, services are real.

use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use kinora_tests::{DatabaseRole, OwnBroker, Stack, TestDatabase};
use lapin::options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    value: String,
}

fn count(connection: &mut diesel::PgConnection, table: &str) -> i64 {
    sql_query(format!("SELECT count(*) AS count FROM {table}")).get_result::<Count>(connection).unwrap().count
}

#[test]
fn databases_of_two_tests_are_apart_and_services_may_only_touch_rows() {
    let first = TestDatabase::create_empty("harness_first");
    let second = TestDatabase::create_empty("harness_second");
    for database in [&first, &second] {
        let mut owner = database.connect(DatabaseRole::Owner);
        sql_query("CREATE TABLE thing (id bigint PRIMARY KEY)").execute(&mut owner).unwrap();
    }
    let mut backend = first.connect(DatabaseRole::Backend);
    sql_query("INSERT INTO thing VALUES (1)").execute(&mut backend).unwrap();
    let mut application = first.connect(DatabaseRole::Application);
    assert_eq!(count(&mut application, "thing"), 1);
    assert_eq!(count(&mut second.connect(DatabaseRole::Owner), "thing"), 0);
    for statement in ["CREATE TABLE other (id bigint)", "DROP TABLE thing", "TRUNCATE thing"] {
        assert!(sql_query(statement).execute(&mut application).is_err(), "{statement}");
        assert!(sql_query(statement).execute(&mut backend).is_err(), "{statement}");
    }
}

#[test]
fn passwords_are_stored_as_scram_and_asked_for() {
    let database = TestDatabase::create_empty("harness_passwords");
    let mut owner = database.connect(DatabaseRole::Owner);
    let setting = sql_query("SELECT current_setting('password_encryption') AS value")
        .get_result::<Setting>(&mut owner)
        .unwrap();
    assert_eq!(setting.value, "scram-sha-256");
    let url = database.url(DatabaseRole::Backend);
    let (head, tail) = url.split_once('@').unwrap();
    let (user, _) = head.rsplit_once(':').unwrap();
    let wrong = format!("{user}:wrong@{tail}");
    assert!(<diesel::PgConnection as diesel::Connection>::establish(&wrong).is_err());
}

async fn open_channel(endpoint: &kinora_devstack::BrokerEndpoint, vhost: &str) -> lapin::Result<Channel> {
    let password = std::fs::read_to_string(&endpoint.password_file).unwrap();
    let uri = format!("amqp://{}:{password}@127.0.0.1:{}/{vhost}", endpoint.user, endpoint.port);
    let channel = Connection::connect(&uri, ConnectionProperties::default()).await?.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(channel)
}

async fn declare_quorum_queue(channel: &Channel) -> lapin::Result<lapin::Queue> {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare("work".into(), options, arguments).await
}

async fn publish(channel: &Channel, body: &[u8]) {
    let confirmation = channel
        .basic_publish(
            "".into(),
            "work".into(),
            BasicPublishOptions::default(),
            body,
            BasicProperties::default().with_delivery_mode(2),
        )
        .await
        .unwrap()
        .await
        .unwrap();
    assert!(confirmation.is_ack(), "{confirmation:?}");
}

#[tokio::test]
async fn virtual_hosts_are_apart_and_hold_quorum_queues() {
    let endpoint = &Stack::get().endpoints().broker;
    endpoint.create_vhost("harness-one").unwrap();
    endpoint.create_vhost("harness-two").unwrap();
    let one = open_channel(endpoint, "harness-one").await.unwrap();
    let two = open_channel(endpoint, "harness-two").await.unwrap();
    declare_quorum_queue(&one).await.unwrap();
    assert_eq!(declare_quorum_queue(&two).await.unwrap().message_count(), 0);
    publish(&one, b"hello").await;
    let got = one.basic_get("work".into(), BasicGetOptions::default()).await.unwrap().unwrap();
    assert_eq!(got.data, b"hello");
    assert!(two.basic_get("work".into(), BasicGetOptions::default()).await.unwrap().is_none());
    endpoint.delete_vhost("harness-one").unwrap();
    endpoint.delete_vhost("harness-two").unwrap();
    assert!(open_channel(endpoint, "harness-one").await.is_err());
}

#[tokio::test]
async fn a_killed_broker_comes_back_with_what_it_confirmed() {
    let directory = Stack::get().create_test_directory();
    let mut broker = OwnBroker::start(&directory).await;
    let endpoint = broker.endpoint().clone();
    let channel = open_channel(&endpoint, "kinora").await.unwrap();
    declare_quorum_queue(&channel).await.unwrap();
    publish(&channel, b"confirmed").await;
    broker.kill();
    assert!(!broker.is_running());
    assert!(open_channel(&endpoint, "kinora").await.is_err());
    broker.start_again().await;
    // The queue elects its leader after the start, and closes channels that ask too early.
    let got = kinora_tests::wait_until("the queue has a leader again", async || {
        let channel = open_channel(&endpoint, "kinora").await.ok()?;
        channel.basic_get("work".into(), BasicGetOptions::default()).await.ok().flatten()
    })
    .await;
    assert_eq!(got.data, b"confirmed");
}
