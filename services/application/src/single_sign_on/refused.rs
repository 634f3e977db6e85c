//! Why somebody does not get in, besides what the library refuses: codes and sentences for administrators, and which
//! page the person gets.

use kinora_saml::{Refusal, RefusalCode};
use kinora_store::single_sign_on::admission::NotAdmitted;
use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $advice:ident, $sentence:literal;)*) => {
        /// What was wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What is wrong and what helps, for an administrator.
            #[must_use]
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }

            fn advice(self) -> Advice {
                match self { $(Self::$name => Advice::$advice,)* }
            }
        }
    };
}

codes! {
    /// The form is none of SAML's.
    BadForm = "bad_form", Administrator, "What was posted is not a form with one SAML message.";
    /// Answered before, or too old.
    RequestGone = "request_gone", Again, "The request was answered already, or its answer took longer than ten minutes. Begin the sign-in again.";
    /// Made in another browser.
    WrongBrowser = "wrong_browser", Again, "The response came in another browser than the one that the sign-in was begun in. Begin it again, and do not pass addresses of a sign-in on.";
    /// Made for another connection.
    WrongConnection = "wrong_connection", Again, "The response came to another connection than the one that the sign-in was begun with.";
    /// Used before.
    Replayed = "replayed", Again, "This response was used before. Each counts once. Begin the sign-in again.";
    /// The connection is switched off.
    ConnectionOff = "connection_off", Administrator, "This connection is switched off. It can be tested, and signs nobody in.";
    /// No stable identity.
    NoSubject = "no_subject", Administrator, "The attribute that is the stable identity is missing, empty, or has several values. Let the identity provider send it with one value, or choose another one for this connection.";
    /// A name that is another one at each sign-in.
    TransientSubject = "transient_subject", Administrator, "The NameID is a transient one, which is another one at each sign-in. Set the identity provider to a persistent NameID, or choose an attribute as the stable identity for this connection.";
    /// No group that counts.
    NoGroup = "no_group", NotAdmitted, "None of the person's groups has a rule, and this connection does not admit everyone. What the groups gave before was taken away.";
    /// No address.
    NoAddress = "no_address", Administrator, "No e-mail address came that an account could be made for. Let the identity provider send one, and set its attribute for this connection.";
    /// The address is not the organisation's.
    ForeignAddress = "foreign_address", Account, "The person's e-mail address is not in a domain that is confirmed as this organisation's. Add the domain and have it confirmed; invite people of other domains by mail.";
    /// The account has roles elsewhere.
    AccountElsewhere = "account_elsewhere", Account, "There is an account with this address that has roles in other organisations, so it is not joined by itself. Its owner signs in to it as before and joins the studio account on the account page; whoever has no place in this organisation any more is invited first.";
    /// The account is an owner's.
    OwnersAccount = "owners_account", Account, "There is an account with this address that owns the organisation, so it is not joined by itself. The owner signs in to it as before and joins the studio account on the account page.";
    /// The account is known at another connection.
    KnownElsewhere = "known_elsewhere", Account, "There is an account with this address that another connection knows already, and the same address at another identity provider may be somebody else's. Its owner signs in to it as before and joins this studio account on the account page; if the other connection is no longer used, remove it.";
    /// Joined with another account.
    LinkedToAnother = "linked_to_another", Account, "This person of the identity provider is joined with another account already.";
    /// The account is disabled.
    Disabled = "disabled", Disabled, "The account is disabled.";
    /// The session is over.
    SessionGone = "session_gone", Again, "The session that this was for has ended meanwhile.";
    /// Somebody else confirmed.
    WrongPerson = "wrong_person", Again, "Another person signed in at the identity provider than the one whose session was to be confirmed.";
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What the person's page says: what they can do themselves, and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Begin again.
    Again,
    /// Ask an administrator: something is set up wrongly.
    Administrator,
    /// Ask for a group.
    NotAdmitted,
    /// The address and its account.
    Account,
    /// The account is disabled.
    Disabled,
}

impl Advice {
    /// As it stands in the page's address.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Again => "again",
            Self::Administrator => "administrator",
            Self::NotAdmitted => "not-admitted",
            Self::Account => "account",
            Self::Disabled => "disabled",
        }
    }
}

/// A refusal of either kind.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The stable code.
    pub code: &'static str,
    /// What was found.
    pub detail: Option<String>,
    /// What the person can do.
    pub advice: Advice,
}

impl From<Code> for Refused {
    fn from(code: Code) -> Self {
        Self { code: code.as_str(), detail: None, advice: code.advice() }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let advice = match refusal.code {
            RefusalCode::Expired
            | RefusalCode::SessionOver
            | RefusalCode::WrongRequest
            | RefusalCode::UnexpectedRequest
            | RefusalCode::NoRequest
            | RefusalCode::RelayState
            | RefusalCode::StaleAuthentication
            | RefusalCode::ProviderRefused
            | RefusalCode::Busy
            | RefusalCode::TimedOut => Advice::Again,
            _ => Advice::Administrator,
        };
        // What our own program says is for the operator; everything else quotes what somebody sent.
        if matches!(refusal.code, RefusalCode::VerifierFailed | RefusalCode::Internal) {
            log::error!("a SAML message could not be judged: {refusal}");
        }
        Self { code: refusal.code.as_str(), detail: refusal.detail, advice }
    }
}

impl From<NotAdmitted> for Refused {
    fn from(why: NotAdmitted) -> Self {
        let code = match why {
            NotAdmitted::NoGroup => Code::NoGroup,
            NotAdmitted::NoAddress => Code::NoAddress,
            NotAdmitted::ForeignAddress => Code::ForeignAddress,
            NotAdmitted::AccountElsewhere => Code::AccountElsewhere,
            NotAdmitted::OwnersAccount => Code::OwnersAccount,
            NotAdmitted::KnownElsewhere => Code::KnownElsewhere,
            NotAdmitted::LinkedToAnother => Code::LinkedToAnother,
            NotAdmitted::Disabled => Code::Disabled,
        };
        code.into()
    }
}

/// What a code means and what helps, for an administrator: of the library's codes and of those here.
#[must_use]
pub fn sentence_of(code: &str) -> &'static str {
    let own = Code::ALL.iter().find(|known| known.as_str() == code).map(|known| known.sentence());
    let foreign =
        || RefusalCode::ALL.iter().find(|known| known.as_str() == code).map(|known| known.sentence());
    own.or_else(foreign).unwrap_or("It was refused for a reason that this release does not know.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_of_ours_is_one_of_the_librarys() {
        for code in Code::ALL {
            assert!(RefusalCode::ALL.iter().all(|other| other.as_str() != code.as_str()), "{code:?}");
            assert_eq!(sentence_of(code.as_str()), code.sentence());
            assert!(code.sentence().ends_with('.'));
        }
        assert_eq!(sentence_of("unsigned"), RefusalCode::Unsigned.sentence());
    }
}
