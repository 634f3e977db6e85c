//! RabbitMQ and PostgreSQL over TLS with a private authority: the right one is believed, a wrong one
//! and a wrong name are refused.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use kinora_bus::{BrokerSettings, Bus};
use kinora_devstack::{Broker, Child, Durability, PostgreSql, SecretBook};
use kinora_store::DatabaseSettings;
use kinora_store::pool::Connector;
use kinora_tests::{DEADLINE, Stack};
use openssl::ssl::{SslAcceptor, SslMethod};
use tokio::time::timeout;

use super::authority::{Authority, Identity};

fn append(path: &Path, lines: &str) {
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, format!("{text}{lines}")).unwrap();
}

#[tokio::test]
async fn the_broker_is_spoken_to_over_tls_and_the_next_one_is_tried() {
    let stack = Stack::get();
    let directory = stack.create_test_directory();
    let authority = Authority::new(&directory, "kinora");
    authority.issue(&["127.0.0.1"]).write(&directory);
    let port = |what| stack.assign_port(&format!("{} {what}", directory.display()));
    let secrets = SecretBook::open(&directory.join("secrets")).unwrap();
    let home = directory.join("rabbitmq");
    let tls_port = port("amqps");
    let broker = Broker::prepare(&home, &secrets, port("amqp"), port("node")).unwrap();
    let tls = directory.display();
    append(
        &home.join("rabbitmq.conf"),
        &format!(
            "listeners.ssl.1 = 127.0.0.1:{tls_port}\nssl_options.cacertfile = {}\n\
             ssl_options.certfile = {tls}/host.pem\nssl_options.keyfile = {tls}/host.key\n\
             ssl_options.versions.1 = tlsv1.3\nssl_options.versions.2 = tlsv1.2\n",
            authority.file().display(),
        ),
    );
    let log = directory.join("rabbitmq.log");
    let launch = broker.launch(&log);
    let child = tokio::task::spawn_blocking(move || {
        let child = Child::launch(&launch).unwrap();
        child.wait_ready(DEADLINE).unwrap();
        child
    })
    .await
    .unwrap();
    let password = fs::read_to_string(&broker.endpoint().password_file).unwrap();
    let settings = BrokerSettings {
        // The first of the cluster is down: the supervisor goes on to the next.
        hosts: vec![format!("127.0.0.1:{}", port("nobody")), format!("127.0.0.1:{tls_port}")],
        virtual_host: broker.endpoint().vhost.clone(),
        user: broker.endpoint().user.clone(),
        tls: true,
        tls_authorities: Some(authority.file()),
        prefix: "kinora".to_owned(),
    };
    let bus = Bus::start(&settings, &password, "test").unwrap();
    timeout(DEADLINE, bus.connected()).await.expect("a connection");
    bus.depths().await.unwrap();
    bus.close().await;

    tokio::task::spawn_blocking(move || child.stop(rustix::process::Signal::KILL, Duration::ZERO))
        .await
        .unwrap();
}

/// What a server with this identity hears from clients that greet it.
fn listen(identity: &Identity) -> (u16, mpsc::Receiver<Result<(), String>>) {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    builder.set_certificate(&identity.certificate).unwrap();
    builder.set_private_key(&identity.key).unwrap();
    let acceptor = builder.build();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, results) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let result = acceptor.accept(stream).map(drop).map_err(|error| format!("{error:?}"));
            if sender.send(result).is_err() {
                return;
            }
        }
    });
    (port, results)
}

#[tokio::test]
async fn no_password_is_sent_to_a_broker_with_a_wrong_certificate() {
    let directory = Stack::get().create_test_directory();
    let authority = Authority::new(&directory, "kinora");
    let stranger = Authority::new(&directory, "stranger");
    let (port, results) = listen(&authority.issue(&["127.0.0.1"]));
    let settings = |host: &str, trusted: &Authority| BrokerSettings {
        hosts: vec![format!("{host}:{port}")],
        virtual_host: "/".to_owned(),
        user: "kinora".to_owned(),
        tls: true,
        tls_authorities: Some(trusted.file()),
        prefix: "kinora".to_owned(),
    };
    let mut results = Some(results);
    for (settings, alert) in [
        (settings("127.0.0.1", &authority), None),
        (settings("127.0.0.1", &stranger), Some("unknown ca")),
        (settings("localhost", &authority), Some("bad certificate")),
    ] {
        let bus = Bus::start(&settings, "p", "test").unwrap();
        let heard = results.take().unwrap();
        let (heard, result) = tokio::task::spawn_blocking(move || {
            let result = heard.recv_timeout(DEADLINE).expect("a greeting");
            (heard, result)
        })
        .await
        .unwrap();
        bus.close().await;
        match (alert, result) {
            (None, result) => assert_eq!(result, Ok(())),
            (Some(alert), result) => assert!(result.as_ref().unwrap_err().contains(alert), "{result:?}"),
        }
        // What was still under way belongs to the case before.
        while heard.try_recv().is_ok() {}
        results = Some(heard);
    }
}

#[test]
fn the_database_is_believed_by_its_certificate_only() {
    let stack = Stack::get();
    let directory = stack.create_test_directory();
    let authority = Authority::new(&directory, "kinora");
    let stranger = Authority::new(&directory, "stranger");
    let port = stack.assign_port(&format!("{} postgresql", directory.display()));
    let secrets = SecretBook::open(&directory.join("secrets")).unwrap();
    let home = directory.join("postgresql");
    let server = PostgreSql::prepare(&home, &secrets, port, Durability::ProcessCrashOnly, false).unwrap();
    // PostgreSQL wants to be told where its files are, and that nobody else reads the key.
    let data = home.join("data");
    authority.issue(&["127.0.0.1"]).write(&data);
    std::os::unix::fs::chown(data.join("host.key"), owner(&data).0, owner(&data).1).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(data.join("host.key"), private).unwrap();
    append(
        &data.join("postgresql.conf"),
        "ssl = on\nssl_cert_file = 'host.pem'\nssl_key_file = 'host.key'\n",
    );
    fs::write(data.join("pg_hba.conf"), "hostssl all all 127.0.0.1/32 scram-sha-256\n").unwrap();
    let child = Child::launch(&server.launch(&directory.join("postgresql.log"))).unwrap();
    child.wait_ready(DEADLINE).unwrap();
    let endpoint = server.endpoint();
    let password = fs::read_to_string(&endpoint.backend_password_file).unwrap();
    let settings = DatabaseSettings {
        hosts: vec![format!("127.0.0.1:{port}")],
        name: endpoint.name.clone(),
        user: endpoint.backend.clone(),
        tls: "verify-full".to_owned(),
        tls_authorities: Some(authority.file()),
        pool_size: 1,
        statement_timeout_seconds: 5,
        checkout_timeout_seconds: 5,
    };
    let connect = |settings: &DatabaseSettings| {
        Connector::new(settings, &password, "test").connect().map(drop).map_err(|error| error.to_string())
    };
    connect(&settings).unwrap();
    let refusal = connect(&DatabaseSettings { tls_authorities: Some(stranger.file()), ..settings.clone() });
    assert!(refusal.as_ref().unwrap_err().contains("certificate verify failed"), "{refusal:?}");
    let refusal = connect(&DatabaseSettings { hosts: vec![format!("localhost:{port}")], ..settings.clone() });
    assert!(refusal.as_ref().unwrap_err().contains("does not match host name"), "{refusal:?}");
    let refusal = connect(&DatabaseSettings { tls: "disable".to_owned(), ..settings });
    assert!(refusal.is_err(), "the server speaks TLS only");
    child.stop(rustix::process::Signal::INT, DEADLINE);
}

fn owner(path: &Path) -> (Option<u32>, Option<u32>) {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = fs::metadata(path).unwrap();
    (Some(metadata.uid()), Some(metadata.gid()))
}
