//! Fetches identity providers' metadata, from where an owner says: within limits, by https, following nobody elsewhere,
//! and never from this very host.
//!
//! Addresses inside the studio's network are fine, because that is where its provider may be. What comes back is shown to
//! nobody: it is metadata, or it is dropped.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, redirect};
use url::{Host, Url};

use crate::settings::SamlSettings;

/// How long everything together may take.
const TIME_LIMIT: Duration = Duration::from_secs(15);
/// How long connecting may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Longest document: what the library reads at most.
const LONGEST_BYTES: usize = kinora_saml::document::METADATA.bytes;
/// Longest address.
const LONGEST_ADDRESS: usize = 2000;

/// Why there is no metadata. Each is a sentence for an administrator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It leads to this host.
    #[error(
        "The address leads to this server itself, or to its own network link, from where no metadata is fetched."
    )]
    OwnHost,
    /// No connection.
    #[error(
        "The server could not be reached: {0}. Check the address, and whether Kinora's servers may connect to it."
    )]
    Unreachable(String),
    /// It took too long.
    #[error("The server did not answer within {} seconds.", TIME_LIMIT.as_secs())]
    TooSlow,
    /// It sends elsewhere.
    #[error(
        "The server sends Kinora to another address, which it does not follow. Give the address where the metadata is."
    )]
    Redirected,
    /// Another status than 200.
    #[error("The server answered with status {0} instead of metadata.")]
    Status(u16),
    /// More than metadata ever is.
    #[error("What the server sends is larger than metadata may be ({} KiB).", LONGEST_BYTES / 1024)]
    TooLarge,
    /// A file that the settings name cannot be read.
    #[error("Kinora's setting saml.metadata_authorities cannot be used. The details are in its log.")]
    Authorities,
}

/// An address that metadata may be fetched from.
///
/// # Errors
/// What it must be.
pub fn address(text: &str) -> Result<Url, &'static str> {
    let wrong = "must be an https address such as https://login.studio.example/metadata";
    let url = Url::parse(text.trim()).map_err(|_| wrong)?;
    let is_plain = url.scheme() == "https"
        && url.host().is_some()
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
        && url.as_str().len() <= LONGEST_ADDRESS;
    if is_plain { Ok(url) } else { Err(wrong) }
}

/// Whether a connection to an address would end at this host, on its network link, or at no host at all.
fn leads_here(address: IpAddr) -> bool {
    is_own(address) || is_of_interface(address)
}

/// Whether an address is this host's own, of its network link, or no host's at all, wherever it is asked.
fn is_own(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_own_v4(v4),
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || v6.is_unicast_link_local()
                || embedded(v6).is_some_and(is_own_v4)
        }
    }
}

/// Whether an address is one of this host's network interfaces: what is sent to such a one has it as its source too.
/// Nothing is sent, the system is only asked which source it would take.
fn is_of_interface(address: IpAddr) -> bool {
    let address = match address {
        IpAddr::V6(v6) => embedded(v6).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    let any =
        if address.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
    let source = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((address, 443))?;
        socket.local_addr()
    });
    source.is_ok_and(|source| source.ip() == address)
}

fn is_own_v4(v4: Ipv4Addr) -> bool {
    v4.is_loopback()
        || v4.is_link_local()
        || v4.is_unspecified()
        || v4.octets()[0] == 0
        || v4.is_multicast()
        || v4.is_broadcast()
}

/// The IPv4 address that stands in one of IPv6.
fn embedded(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    v6.to_ipv4().or_else(|| translated(v6))
}

/// The IPv4 address behind one of a translator (NAT64, RFC 6052).
fn translated(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

/// Looks names up, and keeps what leads to this host to itself: the address that is connected to is the one that
/// was looked at.
struct Elsewhere;

#[derive(Debug)]
struct LeadsHere;

impl fmt::Display for LeadsHere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name leads to this host")
    }
}

impl std::error::Error for LeadsHere {}

impl Resolve for Elsewhere {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if found.iter().any(|address| leads_here(address.ip())) {
                return Err(LeadsHere.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether two addresses name the same host, with or without the dot of the root.
fn is_same_host(one: &Url, other: &Url) -> bool {
    let name = |url: &Url| url.host_str().map(|host| host.trim_end_matches('.').to_owned());
    name(one) == name(other)
}

/// Fetches what is at `url`; `public_url` is Kinora's own, where it is not fetched from either.
///
/// # Errors
/// [`FetchError`].
pub async fn fetch(settings: &SamlSettings, public_url: &Url, url: &Url) -> Result<Vec<u8>, FetchError> {
    if !settings.metadata_from_this_host {
        if is_same_host(url, public_url) {
            return Err(FetchError::OwnHost);
        }
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            _ => None,
        };
        if literal.is_some_and(leads_here) {
            return Err(FetchError::OwnHost);
        }
    }
    let client = client(settings)?;
    // The whole of it, however slowly it drips.
    tokio::time::timeout(TIME_LIMIT, read(&client, url)).await.map_err(|_| FetchError::TooSlow)?
}

fn client(settings: &SamlSettings) -> Result<Client, FetchError> {
    let mut builder = Client::builder()
        .https_only(true)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_LIMIT)
        .timeout(TIME_LIMIT)
        .user_agent(concat!("Kinora/", env!("CARGO_PKG_VERSION")));
    if !settings.metadata_from_this_host {
        builder = builder.dns_resolver(Arc::new(Elsewhere));
    }
    if let Some(file) = &settings.metadata_authorities {
        builder = builder.tls_certs_merge(authorities(file)?);
    }
    builder.build().map_err(|error| {
        log::error!("metadata cannot be fetched at all: {error}");
        FetchError::Authorities
    })
}

fn authorities(file: &Path) -> Result<Vec<Certificate>, FetchError> {
    let unusable = |error: &dyn fmt::Display| {
        log::error!("saml.metadata_authorities: {error}");
        FetchError::Authorities
    };
    let pem = std::fs::read(file).map_err(|error| unusable(&error))?;
    Certificate::from_pem_bundle(&pem).map_err(|error| unusable(&error))
}

async fn read(client: &Client, url: &Url) -> Result<Vec<u8>, FetchError> {
    let mut response = client.get(url.clone()).send().await.map_err(|error| explain(&error))?;
    let status = response.status();
    if status.is_redirection() {
        return Err(FetchError::Redirected);
    }
    if status.as_u16() != 200 {
        return Err(FetchError::Status(status.as_u16()));
    }
    let mut document = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| explain(&error))? {
        if document.len() + chunk.len() > LONGEST_BYTES {
            return Err(FetchError::TooLarge);
        }
        document.extend_from_slice(&chunk);
    }
    Ok(document)
}

/// What an error of the HTTP library means: the innermost cause says it best.
fn explain(error: &reqwest::Error) -> FetchError {
    if error.is_timeout() {
        return FetchError::TooSlow;
    }
    let mut cause: &(dyn std::error::Error + 'static) = error;
    loop {
        if cause.is::<LeadsHere>() {
            return FetchError::OwnHost;
        }
        match cause.source() {
            Some(inner) => cause = inner,
            None => return FetchError::Unreachable(shortened(&cause.to_string())),
        }
    }
}

fn shortened(text: &str) -> String {
    let plain: String = text.chars().filter(|character| !character.is_control()).take(200).collect();
    plain.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_host_are_known_in_all_their_forms() {
        for own in [
            "127.0.0.1",
            "127.8.9.1",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
        ] {
            assert!(is_own(own.parse().unwrap()), "{own}");
        }
        for other in ["10.0.0.1", "192.168.1.1", "172.16.0.1", "93.184.216.34", "fd00::1", "2001:db8::1"] {
            assert!(!is_own(other.parse().unwrap()), "{other}");
        }
    }

    #[test]
    fn only_plain_https_addresses_are_taken() {
        assert!(address(" https://login.studio.example/metadata?tenant=1 ").is_ok());
        assert!(address("https://10.0.0.4:8443/FederationMetadata/2007-06/FederationMetadata.xml").is_ok());
        let long = format!("https://x.example/{}", "a".repeat(2000));
        for bad in [
            "",
            "login.studio.example",
            "http://login.studio.example/metadata",
            "file:///etc/hostname",
            "ftp://x.example/",
            "https://ada:secret@x.example/",
            "https://x.example/#part",
            &long,
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }

    /// The address by which others in the network reach this host; none without a network.
    fn address_in_network() -> Option<IpAddr> {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        // Of a documentation network, which is nobody's: the way out of here.
        socket.connect("192.0.2.1:443").ok()?;
        Some(socket.local_addr().unwrap().ip())
    }

    #[test]
    fn addresses_of_interfaces_are_own_too() {
        assert!(is_of_interface("127.0.0.1".parse().unwrap()));
        // Neither loopback nor link-local, wherever there is a network.
        if let Some(IpAddr::V4(own)) = address_in_network() {
            assert!(leads_here(IpAddr::V4(own)), "{own}");
            assert!(leads_here(IpAddr::V6(own.to_ipv6_mapped())), "{own}");
        }
        for other in ["192.0.2.1", "198.51.100.7", "::ffff:192.0.2.1", "2001:db8::1"] {
            assert!(!leads_here(other.parse().unwrap()), "{other}");
        }
    }

    #[tokio::test]
    async fn this_host_is_not_asked_by_number_or_by_name() {
        let settings =
            SamlSettings { verifier: None, metadata_authorities: None, metadata_from_this_host: false };
        let public_url = Url::parse("https://kinora.studio.example/").unwrap();
        let in_network = address_in_network().map(|own| format!("https://{own}:1/"));
        for here in [
            "https://127.0.0.1:1/",
            "https://[::1]:1/",
            "https://2130706433/",
            "https://localhost:1/",
            "https://KINORA.studio.example:8443/saml/metadata",
            "https://kinora.studio.example./",
        ]
        .into_iter()
        .chain(in_network.as_deref())
        {
            let url = address(here).unwrap();
            assert_eq!(fetch(&settings, &public_url, &url).await, Err(FetchError::OwnHost), "{here}");
        }
    }
}
