//! Handshakes over memory, with an authority made for the occasion.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use openssl::asn1::Asn1Integer;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::pkey::Private;
use openssl::ssl::{HandshakeError, SslConnector, SslStream};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509Builder, X509NameBuilder};

use super::*;

type Pair = (X509, PKey<Private>);

/// A certificate that `issuer` signed; its own authority without one.
fn issue(name: &str, issuer: Option<&Pair>, days: (i64, i64)) -> Pair {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut names = X509NameBuilder::new().unwrap();
    names.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
    let subject = names.build();
    let mut builder = X509Builder::new().unwrap();
    let mut serial = BigNum::new().unwrap();
    serial.rand(64, MsbOption::MAYBE_ZERO, false).unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&Asn1Integer::from_bn(&serial).unwrap()).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(issuer.map_or(&*subject, |(authority, _)| authority.subject_name())).unwrap();
    builder.set_pubkey(&key).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let at = |days: i64| Asn1Time::from_unix(i64::try_from(now).unwrap() + days * 86_400 + 60).unwrap();
    builder.set_not_before(&at(days.0)).unwrap();
    builder.set_not_after(&at(days.1)).unwrap();
    if issuer.is_none() {
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    } else {
        let context = builder.x509v3_context(issuer.map(|(authority, _)| &**authority), None);
        let names = SubjectAlternativeName::new().dns(name).build(&context).unwrap();
        builder.append_extension(names).unwrap();
    }
    builder.sign(issuer.map_or(&key, |(_, key)| key), MessageDigest::sha256()).unwrap();
    (builder.build(), key)
}

struct Place {
    directory: tempfile::TempDir,
    authority: Pair,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            directory: tempfile::tempdir().unwrap(),
            authority: issue("Test authority", None, (-1, 3650)),
        };
        place.write("authorities.pem", &place.authority.0.to_pem().unwrap());
        place
    }

    fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.directory.path().join(name), content).unwrap();
    }

    fn host(&self, name: &str, days: (i64, i64)) -> Pair {
        let pair = issue(name, Some(&self.authority), days);
        self.install(&pair);
        pair
    }

    fn install(&self, (certificate, key): &Pair) {
        self.write("host.pem", &certificate.to_pem().unwrap());
        self.write(TLS_KEY, &key.private_key_to_pem_pkcs8().unwrap());
    }

    fn files(&self, names: Option<&[&str]>) -> TlsFiles {
        TlsFiles {
            certificate: self.directory.path().join("host.pem"),
            clients: names.map(|names| Clients {
                authorities: self.directory.path().join("authorities.pem"),
                names: names.iter().map(|name| (*name).to_owned()).collect(),
            }),
        }
    }

    fn tls(&self, names: Option<&[&str]>) -> Tls {
        let credentials = Credentials::in_directory(self.directory.path());
        Tls::open(self.files(names), credentials, Protocols::Http2).unwrap()
    }

    /// What a client sees that shows `identity`: the server's certificate and protocol, if it got in.
    fn visit(
        &self,
        acceptor: &SslAcceptor,
        identity: Option<&Pair>,
        configure: impl FnOnce(&mut openssl::ssl::SslConnectorBuilder),
    ) -> Result<(X509, Vec<u8>), String> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = acceptor.clone();
        let server = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            match acceptor.accept(stream) {
                Ok(mut stream) => {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).map_err(|error| error.to_string())?;
                    stream.write_all(b"!").map_err(|error| error.to_string())
                }
                Err(HandshakeError::Failure(stream)) => Err(stream.error().to_string()),
                Err(error) => Err(error.to_string()),
            }
        });
        let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
        builder.cert_store_mut().add_cert(self.authority.0.clone()).unwrap();
        builder.set_alpn_protos(b"\x02h2\x08http/1.1").unwrap();
        if let Some((certificate, key)) = identity {
            builder.set_certificate(certificate).unwrap();
            builder.set_private_key(key).unwrap();
        }
        configure(&mut builder);
        let outcome = talk(&builder.build(), address);
        let server = server.join().unwrap();
        server.and(outcome)
    }
}

fn talk(connector: &SslConnector, address: std::net::SocketAddr) -> Result<(X509, Vec<u8>), String> {
    let stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
    let mut stream: SslStream<TcpStream> =
        connector.connect("app1.test", stream).map_err(|error| error.to_string())?;
    // With TLS 1.3 a refusal arrives after the client's handshake.
    let mut answer = [0];
    stream
        .write_all(b"?")
        .and_then(|()| stream.read_exact(&mut answer))
        .map_err(|error| error.to_string())?;
    let protocol = stream.ssl().selected_alpn_protocol().unwrap_or_default().to_vec();
    Ok((stream.ssl().peer_certificate().unwrap(), protocol))
}

#[test]
fn renewed_certificates_are_taken_up_and_wrong_ones_are_not() {
    let place = Place::new();
    let first = place.host("app1.test", (-1, 30));
    let tls = place.tls(None);
    let acceptor = tls.acceptor().unwrap().build();
    let (seen, protocol) = place.visit(&acceptor, None, |_| {}).unwrap();
    assert_eq!(seen.to_der().unwrap(), first.0.to_der().unwrap());
    assert_eq!(protocol, b"h2");

    let second = place.host("app1.test", (-1, 60));
    tls.reload().unwrap();
    let (seen, protocol) = place.visit(&acceptor, None, |_| {}).unwrap();
    assert_eq!(seen.to_der().unwrap(), second.0.to_der().unwrap());
    assert_eq!(protocol, b"h2", "also after a reload");

    place.write("host.pem", &first.0.to_pem().unwrap());
    let refusal = tls.reload().unwrap_err().to_string();
    assert!(refusal.contains("is not the key of the certificate"), "{refusal}");
    let (seen, _) = place.visit(&acceptor, None, |_| {}).unwrap();
    assert_eq!(seen.to_der().unwrap(), second.0.to_der().unwrap(), "what was in use stays in use");
}

#[test]
fn only_clients_with_a_known_name_from_the_authority_get_in_also_after_a_reload() {
    let place = Place::new();
    place.host("app1.test", (-1, 30));
    let tls = place.tls(Some(&["lb1.test", "lb2.test"]));
    let acceptor = tls.acceptor().unwrap().build();
    let balancer = issue("LB2.test", Some(&place.authority), (-1, 30));
    let neighbour = issue("worker1.test", Some(&place.authority), (-1, 30));
    let outdated = issue("lb1.test", Some(&place.authority), (-30, -1));
    let stranger = issue("lb1.test", Some(&issue("Test authority", None, (-1, 30))), (-1, 30));
    for _ in 0..2 {
        place.visit(&acceptor, Some(&balancer), |_| {}).unwrap();
        for refused in [None, Some(&neighbour), Some(&outdated), Some(&stranger)] {
            assert!(place.visit(&acceptor, refused, |_| {}).is_err());
        }
        tls.reload().unwrap();
    }
    // Another authority takes over.
    let heir = Place::new();
    place.write("authorities.pem", &heir.authority.0.to_pem().unwrap());
    tls.reload().unwrap();
    assert!(place.visit(&acceptor, Some(&balancer), |_| {}).is_err());
    let balancer = issue("lb1.test", Some(&heir.authority), (-1, 30));
    place.visit(&acceptor, Some(&balancer), |_| {}).unwrap();
}

#[test]
fn old_and_weak_protocols_are_refused() {
    let place = Place::new();
    place.host("app1.test", (-1, 30));
    let acceptor = place.tls(None).acceptor().unwrap().build();
    let at_most = |version: SslVersion, ciphers: &'static str| {
        place.visit(&acceptor, None, move |builder| {
            // The client itself would refuse them at its usual level.
            builder.set_security_level(0);
            builder.set_min_proto_version(None).unwrap();
            builder.set_max_proto_version(Some(version)).unwrap();
            builder.set_cipher_list(ciphers).unwrap();
        })
    };
    at_most(SslVersion::TLS1_3, "ALL").unwrap();
    at_most(SslVersion::TLS1_2, "ALL").unwrap();
    assert!(at_most(SslVersion::TLS1_2, "ECDHE-ECDSA-AES128-SHA").is_err(), "no authenticated encryption");
    assert!(at_most(SslVersion::TLS1_1, "ALL").is_err());
}

#[test]
fn what_is_wrong_with_files_is_told() {
    let place = Place::new();
    let credentials = Credentials::in_directory(place.directory.path());
    let check = |names: Option<&[&str]>| {
        let key = credentials.read(TLS_KEY).unwrap();
        place.files(names).check(Some(&key)).map_err(|error| error.to_string())
    };
    place.host("app1.test", (-1, 30));
    let told = check(Some(&["lb1.test"])).unwrap();
    assert!(told[0].ends_with("host.pem: 30 days left, key fits, for app1.test"), "{told:?}");
    assert!(told[1].ends_with("authorities.pem: 1 authority, 3650 days left"), "{told:?}");
    place.host("app1.test", (-30, -2));
    assert!(check(None).unwrap_err().contains("has ended"), "{:?}", check(None));
    place.host("app1.test", (-1, 30));
    place.write(TLS_KEY, &issue("x", None, (0, 1)).1.private_key_to_pem_pkcs8().unwrap());
    assert!(check(None).unwrap_err().contains("is not the key of the certificate"));
    place.write(TLS_KEY, b"no key");
    assert!(check(None).unwrap_err().contains("is no private key in PEM"));
    place.write("host.pem", b"no certificate");
    assert!(check(None).unwrap_err().contains("holds no certificate"));
    std::fs::remove_file(place.directory.path().join("host.pem")).unwrap();
    assert!(check(None).unwrap_err().contains("cannot be read"));
    let host = issue("app1.test", Some(&place.authority), (-1, 30));
    place.install(&host);
    let stranger = issue("Somebody else", None, (-1, 30));
    place.write("host.pem", &[host.0.to_pem().unwrap(), stranger.0.to_pem().unwrap()].concat());
    assert!(check(None).unwrap_err().contains("certificate number 2 did not issue number 1"));
}
