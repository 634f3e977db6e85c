//! TLS of the application's listeners, in a real process: who gets in, and renewal without a restart.

use std::net::SocketAddr;
use std::pin::Pin;

use kinora_tests::Kinora;
use openssl::ssl::{SslConnector, SslMethod};
use openssl::x509::X509;
use rustix::process::Signal;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::authority::{Authority, Identity};
use super::unit::{Unit, read_answer};

type Stream = SslStream<TcpStream>;

async fn connect(
    authority: &Authority,
    identity: Option<&Identity>,
    address: SocketAddr,
) -> Result<Stream, String> {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.cert_store_mut().add_cert(authority.certificate.clone()).unwrap();
    if let Some(identity) = identity {
        builder.set_certificate(&identity.certificate).unwrap();
        builder.set_private_key(&identity.key).unwrap();
    }
    let session = builder.build().configure().unwrap().into_ssl("app1.test").unwrap();
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let mut stream = SslStream::new(session, stream).unwrap();
    Pin::new(&mut stream).connect().await.map_err(|error| error.to_string())?;
    Ok(stream)
}

async fn get(stream: &mut Stream, path: &str) -> Result<String, String> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: kinora\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    read_answer(stream).await.map_err(|error| error.to_string())
}

async fn is_admitted(authority: &Authority, identity: Option<&Identity>, address: SocketAddr) -> bool {
    // With TLS 1.3 the refusal comes after the client's handshake.
    match connect(authority, identity, address).await {
        Ok(mut stream) => get(&mut stream, "/livez").await.is_ok_and(|head| head.starts_with("http/1.1 200")),
        Err(_) => false,
    }
}

fn shown(stream: &Stream) -> X509 {
    stream.ssl().peer_certificate().unwrap()
}

#[tokio::test]
async fn only_load_balancers_get_in_and_certificates_are_renewed_without_a_restart() {
    let kinora = Kinora::api().await;
    let tls = kinora.directory().join("tls");
    let authority = Authority::new(&tls, "kinora");
    let first = authority.issue(&["app1.test"]);
    first.write(&tls);
    let unit = Unit::new(
        &kinora,
        "unit",
        &format!(
            "tls.certificate = {:?}\ntls.client_authorities = {:?}\ntls.client_names = [\"lb1.test\"]",
            tls.join("host.pem"),
            authority.file(),
        ),
    );
    let (is_fine, told) = unit.check();
    assert!(!is_fine && told.contains("the secret 'tls-key' is missing"), "{told}");
    std::fs::write(unit.credentials.join("tls-key"), first.key_pem()).unwrap();
    let (is_fine, told) = unit.check();
    assert!(is_fine && told.contains(" days left, key fits, for app1.test"), "{told}");

    let process = unit.start();
    unit.told("READY=1").await;
    let balancer = authority.issue(&["lb1.test"]);
    let worker = authority.issue(&["worker1.test"]);
    let stranger = Authority::new(&tls, "stranger").issue(&["lb1.test"]);
    assert!(is_admitted(&authority, Some(&balancer), unit.address()).await, "{}", unit.read_log());
    for refused in [None, Some(&worker), Some(&stranger)] {
        assert!(!is_admitted(&authority, refused, unit.address()).await);
    }
    let mut metrics = connect(&authority, None, unit.metrics_address()).await.unwrap();
    let answer = get(&mut metrics, "/metrics").await.unwrap();
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
    for address in [unit.address(), unit.metrics_address()] {
        let mut plain = TcpStream::connect(address).await.unwrap();
        let _ = plain.write_all(b"GET /livez HTTP/1.1\r\nHost: kinora\r\n\r\n").await;
        assert!(!read_answer(&mut plain).await.is_ok_and(|head| head.starts_with("http/1.1 200")));
    }

    let mut open = connect(&authority, Some(&balancer), unit.address()).await.unwrap();
    assert_eq!(shown(&open).to_der().unwrap(), first.certificate.to_der().unwrap());
    let second = authority.issue(&["app1.test"]);
    second.write(&tls);
    std::fs::write(unit.credentials.join("tls-key"), second.key_pem()).unwrap();
    process.signal(Signal::HUP);
    unit.told("RELOADING=1").await;
    unit.told("READY=1").await;
    for address in [unit.address(), unit.metrics_address()] {
        let renewed = connect(&authority, Some(&balancer), address).await.unwrap();
        assert_eq!(shown(&renewed).to_der().unwrap(), second.certificate.to_der().unwrap());
    }
    assert!(!is_admitted(&authority, Some(&worker), unit.address()).await);
    assert!(get(&mut open, "/livez").await.unwrap().starts_with("http/1.1 200"), "still open");
    process.stop().await;
}
