//! Loopback ports: chosen free, remembered, chosen anew when somebody else has taken them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::fs::File;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use crate::directory::write_private_file;
use crate::error::DevstackError;

/// Below Linux' default range for outgoing connections (32768 and up), so that no client's local
/// port can take one of ours between the choice and the use.
const LOWEST: u16 = 20_000;
const HIGHEST: u16 = 32_700;

/// Ports in our range that belong to well-known services and must stay theirs.
const WELL_KNOWN: [u16; 7] = [25_565, 25_672, 26_257, 26_379, 27_017, 28_015, 32_400];

/// The ports of one directory, by the name of what listens there.
#[derive(Debug)]
pub struct PortBook {
    path: PathBuf,
    ports: BTreeMap<String, u16>,
    given: BTreeSet<u16>,
}

impl PortBook {
    /// Reads what `directory` remembers; an unreadable memory is an empty one.
    #[must_use]
    pub fn open(directory: &Path) -> Self {
        let path = directory.join("ports.json");
        let ports =
            fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { path, ports, given: BTreeSet::new() }
    }

    /// The port that was used last under `name`, whether it is free or not.
    #[must_use]
    pub fn remembered(&self, name: &str) -> Option<u16> {
        self.ports.get(name).copied()
    }

    /// Gives the remembered port when it is free, otherwise a new one, and remembers it.
    ///
    /// # Errors
    /// When no free port is found or the memory cannot be written.
    pub fn assign(&mut self, name: &str) -> Result<u16, DevstackError> {
        if let Some(port) = self.remembered(name)
            && !self.given.contains(&port)
            && is_free(port)
        {
            self.given.insert(port);
            return Ok(port);
        }
        let port = self.choose(name)?;
        self.given.insert(port);
        self.ports.insert(name.to_owned(), port);
        let text = serde_json::to_vec_pretty(&self.ports).unwrap_or_default();
        write_private_file(&self.path, &text)?;
        Ok(port)
    }

    fn choose(&self, name: &str) -> Result<u16, DevstackError> {
        for _ in 0..2_000 {
            let port = random_port()?;
            let remembered = self.ports.values().any(|&other| other == port);
            if !remembered && !self.given.contains(&port) && !WELL_KNOWN.contains(&port) && is_free(port) {
                return Ok(port);
            }
        }
        Err(DevstackError::NoPort(name.to_owned()))
    }
}

/// Whether nothing listens on the loopback port now.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn random_port() -> Result<u16, DevstackError> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0_u8; 4];
    File::open(source)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(DevstackError::file("read", source))?;
    let span = u32::from(HIGHEST - LOWEST);
    let offset = u32::from_le_bytes(bytes) % span;
    Ok(LOWEST + u16::try_from(offset).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_port_is_remembered_and_replaced_when_taken() {
        let directory = tempfile::tempdir().unwrap();
        let first = PortBook::open(directory.path()).assign("web").unwrap();
        assert!((LOWEST..HIGHEST).contains(&first));
        let again = PortBook::open(directory.path()).assign("web").unwrap();
        assert_eq!(again, first, "the port is stable across starts");

        let _occupant = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        let moved = PortBook::open(directory.path()).assign("web").unwrap();
        assert_ne!(moved, first);
        assert_eq!(PortBook::open(directory.path()).remembered("web"), Some(moved));
    }

    #[test]
    fn two_names_never_share_a_port() {
        let directory = tempfile::tempdir().unwrap();
        let mut book = PortBook::open(directory.path());
        let ports: BTreeSet<u16> =
            (0..40).map(|number| book.assign(&format!("part-{number}")).unwrap()).collect();
        assert_eq!(ports.len(), 40);
    }
}
