//! TLS for the listeners: certificate and key from files, read again on reload without touching open
//! connections; where wanted, only clients with a certificate that names them get in.
//!
//! TLS 1.3, and 1.2 with forward secrecy and authenticated encryption (Mozilla's "intermediate"). No
//! session is resumed: peers are load balancers and monitoring, which keep their connections, and a
//! certificate that was withdrawn must not live on in a ticket.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::ssl::{
    AlpnError, SniError, Ssl, SslAcceptor, SslAcceptorBuilder, SslContext, SslMethod, SslOptions,
    SslSessionCacheMode, SslVerifyMode, SslVersion, select_next_proto,
};
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::{X509, X509Ref};

use crate::credentials::{CredentialError, Credentials, Secret, TLS_KEY};

/// The suites of TLS 1.2; those of 1.3 are all fine.
const CIPHERS: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
    ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
    ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// Protocols a listener offers by ALPN (RFC 7301), preferred ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocols {
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/2, else HTTP/1.1.
    Http2,
}

impl Protocols {
    fn list(self) -> &'static [u8] {
        match self {
            Self::Http1 => b"\x08http/1.1",
            Self::Http2 => b"\x02h2\x08http/1.1",
        }
    }
}

/// Which clients get in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clients {
    /// Authorities that their certificates must come from (PEM).
    pub authorities: PathBuf,
    /// Names of which a certificate must have one; empty: any.
    pub names: Vec<String>,
}

/// What a listener's TLS is made of, besides the key: that is the credential `tls-key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those between it and its authority, in this order (PEM).
    pub certificate: PathBuf,
    /// Which clients get in; none: all.
    pub clients: Option<Clients>,
}

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("the {what} {path} cannot be read: {source}")]
    Unreadable {
        /// What it holds.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("the {what} {path} {problem}")]
    Unusable {
        /// What it should hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it, after its name.
        problem: String,
    },
    /// The key cannot be read.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The key is none.
    #[error("the secret '{TLS_KEY}' is no private key in PEM without a passphrase")]
    Key,
    /// Certificate and key are not a pair.
    #[error(
        "the secret '{TLS_KEY}' is not the key of the certificate {0}: were both renewed? A new key is \
         handed to a service when it is restarted, not when it is reloaded"
    )]
    Mismatch(PathBuf),
    /// OpenSSL refuses.
    #[error("OpenSSL: {0}")]
    OpenSsl(#[from] ErrorStack),
}

fn unusable(what: &'static str, path: &Path, problem: impl Into<String>) -> TlsError {
    TlsError::Unusable { what, path: path.to_owned(), problem: problem.into() }
}

/// Reads the certificates in a PEM file, of which there must be one at least.
///
/// # Errors
/// [`TlsError`] naming the file.
pub fn read_certificates(what: &'static str, path: &Path) -> Result<Vec<X509>, TlsError> {
    let pem =
        std::fs::read(path).map_err(|source| TlsError::Unreadable { what, path: path.to_owned(), source })?;
    match X509::stack_from_pem(&pem) {
        Ok(list) if !list.is_empty() => Ok(list),
        _ => Err(unusable(what, path, "holds no certificate in PEM")),
    }
}

/// Whole days until the certificate ends; negative when it has.
fn days_left(certificate: &X509Ref) -> Result<i32, ErrorStack> {
    Ok(Asn1Time::days_from_now(0)?.diff(certificate.not_after())?.days)
}

/// Seconds since 1970.
fn unix_seconds(time: &Asn1TimeRef) -> Result<f64, ErrorStack> {
    let since = Asn1Time::from_unix(0)?.diff(time)?;
    Ok(f64::from(since.days) * 86_400.0 + f64::from(since.secs))
}

/// The names a certificate is for: DNS names of its subjectAltName; without that extension its common
/// name (RFC 6125, section 6.4.4).
#[must_use]
pub fn names_of(certificate: &X509Ref) -> Vec<String> {
    match certificate.subject_alt_names() {
        Some(names) => names.iter().filter_map(|name| name.dnsname().map(str::to_owned)).collect(),
        None => certificate
            .subject_name()
            .entries_by_nid(Nid::COMMONNAME)
            .filter_map(|entry| entry.data().to_string().ok())
            .collect(),
    }
}

impl TlsFiles {
    /// Says whether the files and, where it is given, the key can be used and belong together: one line
    /// for each file, for people.
    ///
    /// # Errors
    /// [`TlsError`] with the first thing that is wrong.
    pub fn check(&self, key: Option<&Secret>) -> Result<Vec<String>, TlsError> {
        let chain = self.chain()?;
        let mut told = Vec::new();
        if let Some(leaf) = chain.first() {
            let days = days_left(leaf)?;
            if days < 0 {
                let problem = format!("has ended {} days ago: renew it", -days);
                return Err(unusable("certificate", &self.certificate, problem));
            }
            if let Some(key) = key {
                self.match_key(leaf, key)?;
            }
            let names = names_of(leaf).join(", ");
            told.push(format!(
                "{}: {days} days left, key {}, for {}",
                self.certificate.display(),
                if key.is_some() { "fits" } else { "not checked" },
                if names.is_empty() { "no name" } else { &names },
            ));
        }
        if let Some(clients) = &self.clients {
            let authorities = read_certificates("client_authorities", &clients.authorities)?;
            told.push(describe_authorities(&clients.authorities, &authorities)?);
        }
        Ok(told)
    }

    /// The chain, each certificate issued by the next.
    fn chain(&self) -> Result<Vec<X509>, TlsError> {
        let chain = read_certificates("certificate", &self.certificate)?;
        for (position, pair) in chain.windows(2).enumerate() {
            if let [certificate, issuer] = pair
                && issuer.issued(certificate) != openssl::x509::X509VerifyResult::OK
            {
                let problem = format!(
                    "is out of order: its certificate number {} did not issue number {}",
                    position + 2,
                    position + 1
                );
                return Err(unusable("certificate", &self.certificate, problem));
            }
        }
        Ok(chain)
    }

    fn match_key(&self, leaf: &X509Ref, key: &Secret) -> Result<PKey<openssl::pkey::Private>, TlsError> {
        // No passphrase is asked for on a terminal.
        let key = PKey::private_key_from_pem_callback(key.expose(), |_| Ok(0)).map_err(|_| TlsError::Key)?;
        if leaf.public_key()?.public_eq(&key) {
            return Ok(key);
        }
        Err(TlsError::Mismatch(self.certificate.clone()))
    }

    fn builder(&self, key: &Secret, protocols: Protocols) -> Result<SslAcceptorBuilder, TlsError> {
        let mut chain = self.chain()?.into_iter();
        let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
        builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
        builder.set_cipher_list(CIPHERS)?;
        builder.set_options(SslOptions::NO_TICKET | SslOptions::NO_RENEGOTIATION);
        builder.set_num_tickets(0)?;
        builder.set_session_cache_mode(SslSessionCacheMode::OFF);
        if let Some(leaf) = chain.next() {
            let key = self.match_key(&leaf, key)?;
            let ends = unix_seconds(leaf.not_after())?;
            metrics::gauge!("kinora_tls_certificate_ends_seconds").set(ends);
            builder.set_certificate(&leaf)?;
            builder.set_private_key(&key)?;
        }
        for certificate in chain {
            builder.add_extra_chain_cert(certificate)?;
        }
        if let Some(clients) = &self.clients {
            admit_only(&mut builder, clients)?;
        }
        let offered = protocols.list();
        builder.set_alpn_select_callback(move |_, asked| {
            select_next_proto(offered, asked).ok_or(AlpnError::NOACK)
        });
        Ok(builder)
    }
}

fn describe_authorities(path: &Path, authorities: &[X509]) -> Result<String, TlsError> {
    let mut shortest = i32::MAX;
    for authority in authorities {
        shortest = shortest.min(days_left(authority)?);
    }
    if shortest < 0 {
        return Err(unusable("authorities file", path, "holds a certificate that has ended"));
    }
    let count = authorities.len();
    let noun = if count == 1 { "authority" } else { "authorities" };
    Ok(format!("{}: {count} {noun}, {shortest} days left", path.display()))
}

/// Says whether a file of authorities can be used, in one line for people.
///
/// # Errors
/// [`TlsError`] naming the file.
pub fn check_authorities(path: &Path) -> Result<String, TlsError> {
    describe_authorities(path, &read_certificates("authorities file", path)?)
}

/// Asks for a client's certificate and lets in only those that `clients` describes.
fn admit_only(builder: &mut SslAcceptorBuilder, clients: &Clients) -> Result<(), TlsError> {
    let mut store = X509StoreBuilder::new()?;
    let mut told = Stack::new()?;
    for authority in read_certificates("client_authorities", &clients.authorities)? {
        told.push(authority.subject_name().to_owned()?)?;
        store.add_cert(authority)?;
    }
    builder.set_cert_store(store.build());
    builder.set_client_ca_list(told);
    let names = clients.names.clone();
    builder.set_verify_callback(
        SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
        move |valid, context| {
            if !valid || context.error_depth() > 0 || names.is_empty() {
                return valid;
            }
            let found = context.current_cert().map(names_of).unwrap_or_default();
            let is_known =
                found.iter().any(|name| names.iter().any(|known| known.eq_ignore_ascii_case(name)));
            if !is_known {
                log::warn!(names:? = found; "refused a client whose certificate has none of client_names");
                context.set_error(openssl::x509::X509VerifyResult::APPLICATION_VERIFICATION);
            }
            is_known
        },
    );
    Ok(())
}

/// The TLS of one listener. Clones share it.
#[derive(Clone)]
pub struct Tls {
    files: TlsFiles,
    credentials: Credentials,
    protocols: Protocols,
    current: Arc<RwLock<SslContext>>,
}

impl Tls {
    /// Reads certificate, key and authorities.
    ///
    /// # Errors
    /// [`TlsError`] naming the file.
    pub fn open(files: TlsFiles, credentials: Credentials, protocols: Protocols) -> Result<Self, TlsError> {
        let key = credentials.read(TLS_KEY)?;
        let current = files.builder(&key, protocols)?.build().into_context();
        Ok(Self { files, credentials, protocols, current: Arc::new(RwLock::new(current)) })
    }

    /// Reads all of it again, for connections from now on. What is in use stays in use if the new
    /// files cannot be used.
    ///
    /// # Errors
    /// [`TlsError`] naming the file.
    pub fn reload(&self) -> Result<(), TlsError> {
        let key = self.credentials.read(TLS_KEY)?;
        let fresh = self.files.builder(&key, self.protocols)?.build().into_context();
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    fn current(&self) -> SslContext {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The state of one new connection.
    ///
    /// # Errors
    /// If OpenSSL cannot make it.
    pub fn connection(&self) -> Result<Ssl, ErrorStack> {
        Ssl::new(&self.current())
    }

    /// A builder for servers that keep their acceptor for ever: each connection takes the files' present
    /// state when the client's greeting has arrived.
    ///
    /// # Errors
    /// [`TlsError`] naming the file.
    pub fn acceptor(&self) -> Result<SslAcceptorBuilder, TlsError> {
        let key = self.credentials.read(TLS_KEY)?;
        let mut builder = self.files.builder(&key, self.protocols)?;
        let tls = self.clone();
        // Called for every handshake, also where the client names no server.
        builder.set_servername_callback(move |connection, _| {
            connection.set_ssl_context(&tls.current()).map_err(|_| SniError::ALERT_FATAL)
        });
        Ok(builder)
    }
}

#[cfg(test)]
mod tests;
