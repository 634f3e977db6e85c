//! What is said by mail, and to which addresses.
//!
//! Whoever causes a mail writes down what it is about ([`Letter`]) in its own transaction; the backend
//! finds the words when it sends. So texts stand in one place, a letter that waits is sent in the words
//! of the release that sends it, and nothing that waits holds more than it must: the link of an
//! invitation is made when the mail goes out and is never in the queue at all.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What a mail says. Written into the queue: a release must keep reading what older ones wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Letter {
    /// Somebody is asked to join a production. The sender puts the token behind `page`.
    Invitation {
        /// Who asks: a person's name.
        inviter: String,
        /// The organisation that owns the production.
        organisation: String,
        /// The production's name.
        production: String,
        /// What the token is appended to: an address of the web client that ends in `#`.
        page: String,
        /// Until when the link works.
        expires_at: DateTime<Utc>,
        /// When the membership ends that comes of it.
        membership_ends_at: Option<DateTime<Utc>>,
    },
    /// Something happened to a person's account that they should know of.
    Security {
        /// What happened.
        notice: SecurityNotice,
        /// When.
        at: DateTime<Utc>,
        /// From which network address, as text.
        address: Option<String>,
        /// What the browser said it is.
        device: Option<String>,
        /// The address of the page where they can look after it.
        page: String,
    },
    /// Something that single sign-on needs is about to end. For the owners of an organisation.
    SignOnEnding {
        /// The organisation's name.
        organisation: String,
        /// The connection's name.
        connection: String,
        /// What ends.
        what: SignOnEnd,
        /// When.
        ends_at: DateTime<Utc>,
        /// The address of the page where it is looked after.
        page: String,
    },
    /// An owner got in without the identity provider that everybody else of the organisation needs.
    BreakGlass {
        /// Who: what they sign in with.
        login: String,
        /// The organisation's name.
        organisation: String,
        /// When.
        at: DateTime<Utc>,
        /// From which network address, as text.
        address: Option<String>,
        /// What the browser said it is.
        device: Option<String>,
    },
    /// A code to type in, as a second factor. Secret: it leaves the queue as soon as it can.
    Code {
        /// The code.
        code: String,
        /// How many minutes it holds.
        minutes: u32,
    },
}

/// What of a connection to an identity provider ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignOnEnd {
    /// The last certificate of the provider.
    ProviderCertificate,
    /// The certificate that Kinora signs with.
    OwnCertificate,
    /// The provider's metadata, which nobody renews.
    ProviderMetadata,
}

/// What a person is told about their own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecurityNotice {
    /// A sign-in from a browser that was not seen before.
    NewDevice,
    /// The password is another one now.
    PasswordChanged,
    /// An authenticator app was added.
    AuthenticatorAdded,
    /// An authenticator app was removed.
    AuthenticatorRemoved,
    /// A passkey was added.
    PasskeyAdded,
    /// A passkey was removed.
    PasskeyRemoved,
    /// New recovery codes were made; the former ones no longer work.
    RecoveryCodesMade,
    /// A recovery code was used.
    RecoveryCodeUsed,
    /// An administrator has reset the second factors.
    FactorsReset,
}

impl Letter {
    /// The kind's name, in the queue, the API and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Invitation { .. } => "invitation",
            Self::Security { .. } => "security",
            Self::SignOnEnding { .. } => "sign_on_ending",
            Self::BreakGlass { .. } => "break_glass",
            Self::Code { .. } => "code",
        }
    }

    /// Whether it holds a secret, so that it is not kept for another try by hand.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Code { .. })
    }
}

/// Longest address (RFC 5321, section 4.5.3.1.3, less the angle brackets).
const LONGEST_ADDRESS: usize = 254;
/// Longest part before the `@` (RFC 5321, section 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;
/// Longest label of a domain (RFC 1035).
const LONGEST_LABEL: usize = 63;

/// Whether mail can be sent to `text`: `local@domain` in the form without quotes (dot-atom, RFC 5322),
/// a domain of ASCII labels. Addresses that need SMTPUTF8 are none here: few relays take them.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    };
    let is_label = |label: &str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= LONGEST_ADDRESS
        && local.len() <= LONGEST_LOCAL
        && local.split('.').all(is_atom)
        && domain.split('.').all(is_label)
        // An address of digits alone would be one of the network, not of a mailbox.
        && domain.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_what_is_none() {
        for good in [
            "ada@studio.example",
            "a.b+tag@x-y.example",
            "o'brien@studio.example",
            "admin@localhost",
            "1@2.x",
        ] {
            assert!(is_address(good), "{good}");
        }
        let long = format!("{}@x.example", "a".repeat(65));
        let longer = format!("a@{}", "b.".repeat(130) + "example");
        for bad in [
            "",
            "ada",
            "@x.example",
            "ada@",
            "a b@x.example",
            "a@@x.example",
            ".a@x.example",
            "a.@x.example",
            "a..b@x.example",
            "a@x..example",
            "a@-x.example",
            "a@x.example\r\nBcc: b@x.example",
            "a@x.example\n",
            "Ada <a@x.example>",
            "\"a b\"@x.example",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a,b@x.example",
            "é@x.example",
            "a@é.example",
            &long,
            &longer,
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn letters_are_read_as_they_were_written() {
        let letter = Letter::Code { code: "123456".to_owned(), minutes: 10 };
        let text = serde_json::to_string(&letter).unwrap();
        assert_eq!(text, r#"{"kind":"code","code":"123456","minutes":10}"#);
        assert_eq!(serde_json::from_str::<Letter>(&text).unwrap(), letter);
        assert!(letter.is_secret());
    }
}
