//! The client's address: the peer's, or what a trusted load balancer says in `X-Forwarded-For`.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// A network in CIDR notation, like `10.1.0.0/16` or `fd00::/8`; a bare address is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: u128,
    mask: u128,
    is_v4: bool,
}

/// Text that is no [`Network`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a network like \"10.1.0.0/16\", \"fd00::/8\" or \"10.1.0.7\"")]
pub struct NetworkError(String);

fn bits(address: IpAddr) -> (u128, bool) {
    match address.to_canonical() {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), true),
        IpAddr::V6(v6) => (v6.to_bits(), false),
    }
}

impl Network {
    /// Whether the address is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (value, is_v4) = bits(address);
        is_v4 == self.is_v4 && value & self.mask == self.base
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || NetworkError(text.to_owned());
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().map_err(|_| error())?)),
            None => (text, None),
        };
        let (base, is_v4) = bits(address.parse().map_err(|_| error())?);
        let width = if is_v4 { 32 } else { 128 };
        let length = length.unwrap_or(width);
        if length > width {
            return Err(error());
        }
        let all = if is_v4 { u128::from(u32::MAX) } else { u128::MAX };
        let mask = all & all.checked_shl(width - length).unwrap_or(0);
        Ok(Self { base: base & mask, mask, is_v4 })
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The client's address behind `peer`, reading `X-Forwarded-For` from its end, where the trusted
/// load balancers wrote, up to the first address that is not one of them.
pub fn client_address(
    peer: IpAddr,
    forwarded_for: &str,
    mut is_trusted: impl FnMut(IpAddr) -> bool,
) -> IpAddr {
    let mut address = peer.to_canonical();
    for entry in forwarded_for.rsplit(',') {
        if !is_trusted(address) {
            break;
        }
        match entry.trim().parse::<IpAddr>() {
            Ok(next) => address = next.to_canonical(),
            Err(_) => break,
        }
    }
    address
}

/// What is counted together: an IPv4 address, or the /64 that an IPv6 host can choose from.
#[must_use]
pub fn counted_address(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &str) -> String {
        let trusted: Network = "10.0.0.0/24".parse().unwrap();
        client_address(peer.parse().unwrap(), forwarded, |a| trusted.contains(a)).to_string()
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        for (peer, forwarded, expected) in [
            ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
            ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "1.1.1.1, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
            ("10.0.0.1", "garbage", "10.0.0.1"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("::ffff:10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ] {
            assert_eq!(client(peer, forwarded), expected, "{peer} {forwarded}");
        }
    }

    #[test]
    fn networks() {
        for (network, inside, outside) in [
            ("10.1.0.0/16", "10.1.255.255", "10.2.0.0"),
            ("0.0.0.0/0", "1.2.3.4", "::1"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("::/0", "2001::1", "1.2.3.4"),
            ("10.1.0.7", "10.1.0.7", "10.1.0.8"),
        ] {
            let parsed: Network = network.parse().unwrap();
            assert!(parsed.contains(inside.parse().unwrap()), "{network}");
            assert!(!parsed.contains(outside.parse().unwrap()), "{network}");
        }
        for bad in ["", "10.0.0.0/33", "::/129", "a/8", "10.0.0.0/-1"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    #[test]
    fn hosts_cannot_dodge_by_changing_their_ipv6_address() {
        let one = counted_address("2001:db8::1".parse().unwrap());
        assert_eq!(one, counted_address("2001:db8::ffff:1".parse().unwrap()));
        assert_ne!(one, counted_address("2001:db8:0:1::1".parse().unwrap()));
    }
}
