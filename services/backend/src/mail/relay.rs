//! The studio's mail relay (SMTP, RFC 5321): one connection for each mail, encrypted by STARTTLS
//! (RFC 3207) or from the first byte (RFC 8314).
//!
//! Which command a relay refuses says whose fault it is. Until it knows the recipient it speaks about
//! itself or about us (certificate, password, sender), and all mail waits; a refused recipient or
//! content concerns that one mail.

use std::error::Error as _;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use kinora_runtime::Secret;
use kinora_store::mail::claims::Outcome;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;

use super::compose::ReadyMail;
use crate::settings::{MailSettings, RelayTls};

/// Longest answer of a relay that is shown, characters.
const LONGEST_ANSWER: usize = 300;

/// Why a relay's settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The sender is no address.
    #[error("mail.from is no address: {0}")]
    From(#[source] lettre::address::AddressError),
    /// The file of authorities cannot be read.
    #[error("the file {path} with the authorities of the mail relay cannot be read: {source}")]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// TLS cannot be set up.
    #[error("TLS with the mail relay: {0}")]
    Tls(#[from] SmtpError),
    /// A certificate cannot be read.
    #[error("the authorities of the mail relay: {0}")]
    Certificate(#[from] kinora_runtime::tls::TlsError),
    /// There is a user, but no password.
    #[error("mail.user is set, so the secret 'mail-password' is needed")]
    NoPassword,
}

/// The relay.
pub struct Relay {
    host: String,
    address: Option<IpAddr>,
    port: u16,
    encryption: RelayTls,
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    hello: ClientId,
    timeout: Duration,
}

impl Relay {
    /// The relay of these settings.
    ///
    /// # Errors
    /// [`RelayError`].
    pub fn new(settings: &MailSettings, password: Option<&Secret>) -> Result<Self, RelayError> {
        let (host, port) = settings.host_and_port().unwrap_or_default();
        let tls = match settings.tls {
            RelayTls::None => None,
            RelayTls::Starttls | RelayTls::Implicit => Some(tls_parameters(settings, &host)?),
        };
        let credentials = match (&settings.user, password) {
            (Some(user), Some(password)) => {
                Some(Credentials::new(user.clone(), password.expose_text().to_owned()))
            }
            (Some(_), None) => return Err(RelayError::NoPassword),
            (None, _) => None,
        };
        let hello = settings.hello_name.clone().map_or_else(ClientId::default, ClientId::Domain);
        Ok(Self {
            host,
            address: settings.address,
            port,
            encryption: settings.tls,
            tls,
            credentials,
            hello,
            timeout: settings.timeout.get(),
        })
    }

    /// Sends a mail; takes at most the time of the settings.
    pub(super) async fn send(&self, mail: &ReadyMail) -> Outcome {
        match tokio::time::timeout(self.timeout, self.deliver(mail)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let seconds = self.timeout.as_secs();
                Outcome::Unreachable(format!("The mail relay did not answer within {seconds} seconds."))
            }
        }
    }

    async fn deliver(&self, mail: &ReadyMail) -> Outcome {
        let mut connection = match self.connect().await {
            Ok(connection) => connection,
            Err(error) => return unreachable("The mail relay cannot be reached", &error),
        };
        if let Some(credentials) = &self.credentials
            && let Err(error) = connection.auth(DEFAULT_MECHANISMS, credentials).await
        {
            connection.abort().await;
            return unreachable("The mail relay does not let us in", &error);
        }
        let outcome = self.hand_over(&mut connection, mail).await;
        if outcome == Outcome::Sent {
            // It has the mail, whatever it says to our leaving.
            let _ = connection.quit().await;
        } else {
            connection.abort().await;
        }
        outcome
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let place = match self.address {
            Some(address) => (address.to_string(), self.port),
            None => (self.host.clone(), self.port),
        };
        let at_once = self.tls.clone().filter(|_| self.encryption == RelayTls::Implicit);
        let limit = Some(self.timeout);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(place, limit, &self.hello, at_once, None).await?;
        if self.encryption == RelayTls::Starttls
            && let Some(tls) = self.tls.clone()
        {
            // Refused if the relay does not offer it: mail never goes in clear because somebody in
            // between has taken the offer away.
            connection.starttls(tls, &self.hello).await?;
        }
        Ok(connection)
    }

    async fn hand_over(&self, connection: &mut AsyncSmtpConnection, mail: &ReadyMail) -> Outcome {
        let from = mail.envelope.from().cloned();
        if let Err(error) = connection.command(Mail::new(from, Vec::new())).await {
            return unreachable("The mail relay does not take mail from us", &error);
        }
        for recipient in mail.envelope.to() {
            if let Err(error) = connection.command(Rcpt::new(recipient.clone(), Vec::new())).await {
                return refusal("The mail relay does not take mail for this address", &error);
            }
        }
        if let Err(error) = connection.command(Data).await {
            return refusal("The mail relay does not take this mail", &error);
        }
        match connection.message(&mail.bytes).await {
            Ok(_) => Outcome::Sent,
            Err(error) => refusal("The mail relay does not take this mail", &error),
        }
    }
}

fn tls_parameters(settings: &MailSettings, host: &str) -> Result<TlsParameters, RelayError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = &settings.tls_authorities {
        // Only these: a studio that names its authority does not want all the world's.
        builder = builder.certificate_store(CertificateStore::None);
        for certificate in kinora_runtime::tls::read_certificates("tls_authorities", path)? {
            let der = certificate.to_der().map_err(|error| RelayError::Authorities {
                path: path.clone(),
                source: io::Error::other(error),
            })?;
            builder = builder.add_root_certificate(Certificate::from_der(der)?);
        }
    }
    Ok(builder.build()?)
}

/// What a relay said, in one line that can be shown.
fn answer(error: &SmtpError) -> String {
    let said = error.source().map(ToString::to_string).unwrap_or_default();
    let text = match error.status() {
        Some(code) => format!("{code} {said}"),
        None => error.to_string(),
    };
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(LONGEST_ANSWER).collect()
}

fn unreachable(what: &str, error: &SmtpError) -> Outcome {
    Outcome::Unreachable(format!("{what}: {}", answer(error)))
}

/// A refusal of one mail; a connection that broke says nothing about it.
fn refusal(what: &str, error: &SmtpError) -> Outcome {
    let text = format!("{what}: {}", answer(error));
    if error.is_permanent() {
        Outcome::Refused(text)
    } else if error.is_transient() && !is_shutting_down(error) {
        Outcome::Deferred(text)
    } else {
        Outcome::Unreachable(text)
    }
}

/// 421: the relay closes the channel, whatever it was asked (RFC 5321, section 3.8).
fn is_shutting_down(error: &SmtpError) -> bool {
    error.status().is_some_and(|code| code.to_string() == "421")
}
