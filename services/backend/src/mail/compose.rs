//! A mail as it goes to the relay: headers by lettre, which encodes what is not ASCII (RFC 2047) and lets
//! no line break through; a plain and an HTML part.

use chrono::{DateTime, Utc};
use kinora_core::mail::Letter;
use kinora_store::mail::claims::Claimed;
use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};

use super::letters::words;
use super::relay::RelayError;
use super::render::{html, plain};

/// Tells answering machines to be silent (RFC 3834), and those of Exchange, which has a word of its own.
const AUTOMATIC: [(&str, &str); 2] =
    [("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")];

/// Why a mail cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The recipient's address is none.
    #[error("the address cannot be used: {0}")]
    Address(#[from] lettre::address::AddressError),
    /// lettre refuses.
    #[error("{0}")]
    Message(#[from] lettre::error::Error),
}

/// A mail on its way to the relay.
#[derive(Clone, Debug)]
pub(super) struct ReadyMail {
    /// Who sends it to whom.
    pub envelope: Envelope,
    /// Headers and body.
    pub bytes: Vec<u8>,
}

/// Whom mail comes from.
#[derive(Clone, Debug)]
pub struct Sender {
    from: Mailbox,
}

impl Sender {
    /// `from` is an address, or a name with an address in angle brackets.
    ///
    /// # Errors
    /// [`RelayError::From`].
    pub fn new(from: &str) -> Result<Self, RelayError> {
        Ok(Self { from: from.parse().map_err(RelayError::From)? })
    }

    /// The Message-ID is the same each time a mail is sent, so that a mail that arrives twice can be told.
    pub(super) fn compose(&self, claimed: &Claimed, now: DateTime<Utc>) -> Result<ReadyMail, ComposeError> {
        let to: Address = claimed.recipient.parse()?;
        let words = words(&claimed.letter, claimed.token.as_deref());
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(words.subject.clone())
            .date(now.into())
            .message_id(Some(format!("<{}@{}>", claimed.id, self.from.email.domain())));
        for (name, value) in AUTOMATIC {
            let name = HeaderName::new_from_ascii_str(name);
            message = message.raw_header(HeaderValue::new(name, value.to_owned()));
        }
        if let Letter::Code { minutes, .. } = &claimed.letter {
            // Of no use afterwards (RFC 4021, section 2.1.50).
            let expires = now + chrono::TimeDelta::minutes(i64::from(*minutes));
            let name = HeaderName::new_from_ascii_str("Expires");
            message = message.raw_header(HeaderValue::new(name, expires.to_rfc2822()));
        }
        let message = message.multipart(
            MultiPart::alternative()
                .singlepart(part(ContentType::TEXT_PLAIN, plain(&words)))
                .singlepart(part(ContentType::TEXT_HTML, html(&words))),
        )?;
        Ok(ReadyMail { envelope: message.envelope().clone(), bytes: message.formatted() })
    }
}

/// Quoted-printable (RFC 2045): passes every relay, whatever it thinks of long lines and 8 bits.
fn part(content_type: ContentType, text: String) -> SinglePart {
    SinglePart::builder()
        .header(content_type)
        .header(ContentTransferEncoding::QuotedPrintable)
        .body(text.replace('\n', "\r\n"))
}

#[cfg(test)]
mod tests {
    use kinora_core::MessageId;

    use super::*;

    fn claimed(recipient: &str, production: &str) -> Claimed {
        Claimed {
            id: MessageId::new(),
            claim: uuid::Uuid::nil(),
            recipient: recipient.to_owned(),
            letter: Letter::Invitation {
                inviter: "Ada\r\nBcc: eve@x.example".to_owned(),
                organisation: "Étoile & Söhne".to_owned(),
                production: production.to_owned(),
                page: "https://kinora.example/invitation#".to_owned(),
                expires_at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
                membership_ends_at: None,
            },
            token: Some("TOKEN".to_owned()),
        }
    }

    fn compose(recipient: &str, production: &str) -> Result<String, ComposeError> {
        let sender = Sender::new("Kinora Söhne <kinora@studio.example>").unwrap();
        let mail = sender.compose(&claimed(recipient, production), Utc::now())?;
        Ok(String::from_utf8(mail.bytes).unwrap())
    }

    #[test]
    fn nothing_in_a_letter_becomes_a_header() {
        let text = compose("bob@x.example", "Film\r\nX-Evil: yes\r\n\r\nbody").unwrap();
        assert!(text.is_ascii());
        let head = text.split("\r\n\r\n").next().unwrap();
        let names: Vec<&str> = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .filter_map(|line| line.split_once(':').map(|(name, _)| name))
            .collect();
        assert_eq!(
            names,
            [
                "From",
                "To",
                "Subject",
                "Date",
                "Message-ID",
                "Auto-Submitted",
                "X-Auto-Response-Suppress",
                "MIME-Version",
                "Content-Type"
            ]
        );
        assert!(!head.contains("\nBcc") && !head.contains("\nX-Evil"), "{head}");
        let letter = claimed("bob@x.example", "Film\r\nX-Evil: yes").letter;
        assert_eq!(words(&letter, None).subject, "Ada Bcc: eve@x.example invites you to “Film X-Evil: yes”");
        for bad in ["bob@x.example\r\nRCPT TO:<eve@x.example>", "bob@x.example>", "a b@x.example"] {
            assert!(compose(bad, "Film").is_err(), "{bad}");
        }
    }

    #[test]
    fn both_parts_hold_the_whole_link() {
        let text = compose("bob@x.example", "Film").unwrap();
        let joined = text.replace("=\r\n", "");
        assert_eq!(joined.matches("https://kinora.example/invitation#TOKEN").count(), 4, "{joined}");
        assert!(joined.contains("Content-Type: text/plain; charset=utf-8"), "{joined}");
        assert!(joined.contains("Content-Type: text/html; charset=utf-8"), "{joined}");
    }

    #[test]
    fn a_mail_that_is_sent_again_has_the_same_id() {
        let sender = Sender::new("kinora@studio.example").unwrap();
        let claimed = claimed("bob@x.example", "Film");
        let id = |mail: ReadyMail| {
            let text = String::from_utf8(mail.bytes).unwrap();
            text.lines().find(|line| line.starts_with("Message-ID")).unwrap().to_owned()
        };
        let first = id(sender.compose(&claimed, Utc::now()).unwrap());
        assert_eq!(first, format!("Message-ID: <{}@studio.example>", claimed.id));
        assert_eq!(id(sender.compose(&claimed, Utc::now()).unwrap()), first);
    }
}
