//! What is said by mail, and to which addresses.
//!
//! Whoever causes a mail writes down what it is about ([`Letter`]) in its own transaction; the backend
//! finds the words when it sends. So texts stand in one place, a letter that waits is sent in the words
//! of the release that sends it, and nothing that waits holds more than it must: the link of an
//! invitation is made when the mail goes out and is never in the queue at all.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::SupportGrantId;

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
    /// Somebody outside an organisation may see its content for a time. For the owners of the organisation.
    Support {
        /// What is told of it.
        event: SupportEvent,
        /// The organisation's name.
        organisation: String,
        /// The address it was given to.
        address: String,
        /// Who gave it: a person's name, if that person still exists.
        giver: Option<String>,
        /// Why it was given.
        reason: String,
        /// From when it holds.
        starts_at: DateTime<Utc>,
        /// When it ends, or has ended.
        ends_at: DateTime<Utc>,
        /// Whether originals may be downloaded.
        originals: bool,
        /// What was done with it, once it has ended.
        deeds: Vec<SupportDeed>,
        /// The address of the page where it is looked after.
        page: String,
    },
    /// Somebody outside an organisation is offered support access to it. The sender puts the token behind `page`.
    SupportOffer {
        /// The access.
        grant: SupportGrantId,
        /// The organisation's name.
        organisation: String,
        /// Who gives it: a person's name, if that person still exists.
        giver: Option<String>,
        /// Why it is given.
        reason: String,
        /// From when it holds.
        starts_at: DateTime<Utc>,
        /// When it ends, and the link with it.
        ends_at: DateTime<Utc>,
        /// What the token is appended to: an address of the web client that ends in `#`.
        page: String,
    },
    /// Whoever runs the servers has made something with which somebody's account can be used. For that person, and for
    /// the owners of their organisations.
    OperatorAccess {
        /// What was made.
        means: OperatorMeans,
        /// Whose account: what they sign in with.
        person: String,
        /// When.
        at: DateTime<Utc>,
        /// When it ends, if it does by itself.
        expires_at: Option<DateTime<Utc>>,
    },
    /// Somebody who answered for service accounts has left. For the administrators of an organisation.
    ResponsibleLeft {
        /// The organisation's name.
        organisation: String,
        /// Who left: what they sign in with.
        person: String,
        /// The names of the service accounts.
        accounts: Vec<String>,
    },
    /// Somebody wants to use this address for their account. The sender puts the token behind `page`.
    AddressConfirmation {
        /// What the token is appended to: an address of the web client that ends in `#`.
        page: String,
        /// Until when the link works.
        expires_at: DateTime<Utc>,
    },
    /// A code to type in, as a second factor. Secret: it leaves the queue as soon as it can.
    Code {
        /// The code.
        code: String,
        /// How many minutes it holds.
        minutes: u32,
        /// What it is for.
        #[serde(default)]
        occasion: CodeOccasion,
        /// When it was asked for.
        #[serde(default)]
        at: Option<DateTime<Utc>>,
        /// From which network address, as text.
        #[serde(default)]
        address: Option<String>,
        /// What the browser said it is.
        #[serde(default)]
        device: Option<String>,
    },
}

/// What a code sent by mail is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeOccasion {
    /// Finishing a sign-in.
    #[default]
    SignIn,
    /// Showing that mail arrives, before codes can be used to sign in.
    Enrolment,
}

/// With what an operator can use somebody's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatorMeans {
    /// An access token.
    AccessToken,
    /// A one-time link with which a password is set.
    PasswordLink,
    /// None, but the second factors were taken: the password alone opens the account.
    FactorsReset,
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

/// What owners are told of support access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SupportEvent {
    /// It was given.
    Given,
    /// It was used for the first time.
    FirstUsed,
    /// It has ended.
    Ended,
}

/// How many of the things that something was done to a mail names.
pub const MOST_SUBJECTS: usize = 10;

/// How often something was done with support access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupportDeed {
    /// The act, as the audit trail calls it.
    pub action: String,
    /// Rows of the audit trail.
    pub rows: i64,
    /// To what, by name: the first of them, [`MOST_SUBJECTS`] at most and one more where there are more.
    #[serde(default)]
    pub subjects: Vec<String>,
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
    /// Codes sent by mail can be used to sign in.
    EmailCodesAdded,
    /// They cannot any more.
    EmailCodesRemoved,
    /// An administrator has reset the second factors.
    FactorsReset,
    /// An administrator has corrected name or login.
    AccountCorrected,
    /// The e-mail address is another one now.
    AddressChanged,
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
            Self::Support { .. } => "support",
            Self::SupportOffer { .. } => "support_offer",
            Self::OperatorAccess { .. } => "operator_access",
            Self::ResponsibleLeft { .. } => "responsible_left",
            Self::AddressConfirmation { .. } => "address_confirmation",
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
        let letter = Letter::Code {
            code: "12345678".to_owned(),
            minutes: 10,
            occasion: CodeOccasion::SignIn,
            at: None,
            address: None,
            device: None,
        };
        let text = serde_json::to_string(&letter).unwrap();
        assert_eq!(serde_json::from_str::<Letter>(&text).unwrap(), letter);
        // As a release wrote it that said less.
        let before = r#"{"kind":"code","code":"12345678","minutes":10}"#;
        assert_eq!(serde_json::from_str::<Letter>(before).unwrap(), letter);
        assert!(letter.is_secret());
    }
}
