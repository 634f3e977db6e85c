//! The words of each letter.

use chrono::{DateTime, Utc};
use kinora_core::mail::{Letter, SecurityNotice, SignOnEnd};

/// A part of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// A paragraph.
    Text(String),
    /// The one thing to do: what it says on it, and where it leads.
    Button(String, String),
    /// Something to type in.
    Code(String),
    /// Names and values, one a line.
    Facts(Vec<(&'static str, String)>),
    /// A paragraph of less weight.
    Small(String),
}

/// A letter in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// The subject; also the heading.
    pub subject: String,
    /// What follows.
    pub blocks: Vec<Block>,
}

/// An instant for people of whom no time zone is known.
fn instant(at: DateTime<Utc>) -> String {
    at.format("%-d %B %Y, %H:%M UTC").to_string()
}

/// A name on one line: what was typed elsewhere makes no lines here.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Subject and first paragraph about something of single sign-on that ends.
fn ending(what: SignOnEnd, connection: &str) -> (String, String) {
    match what {
        SignOnEnd::ProviderCertificate => (
            format!("The certificate of “{connection}” is about to end"),
            "The identity provider's last signing certificate that Kinora knows ends soon. When the provider changes \
             to a new one that Kinora does not know, nobody can sign in through it. Load its new metadata in time."
                .to_owned(),
        ),
        SignOnEnd::OwnCertificate => (
            format!("Kinora's certificate for “{connection}” is about to end"),
            "The certificate that Kinora signs its requests with ends soon, and the identity provider may refuse them \
             then. Make the next one, let the provider load Kinora's metadata again, then switch to it."
                .to_owned(),
        ),
        SignOnEnd::ProviderMetadata => (
            format!("The metadata of “{connection}” is about to end"),
            "The identity provider's metadata says that it is valid until the date below, and Kinora has nothing newer. \
             After that nobody can sign in through this connection. Load its metadata again."
                .to_owned(),
        ),
    }
}

/// The words of a letter. `token` goes behind the address of a letter that has a link.
pub(super) fn words(letter: &Letter, token: Option<&str>) -> Words {
    match letter {
        Letter::Invitation { inviter, organisation, production, page, expires_at, membership_ends_at } => {
            let link = format!("{page}{}", token.unwrap_or_default());
            let (inviter, organisation, production) =
                (one_line(inviter), one_line(organisation), one_line(production));
            let mut facts = vec![
                ("Production", production.clone()),
                ("Organisation", organisation.clone()),
                ("Invited by", inviter.clone()),
            ];
            facts.extend(membership_ends_at.map(|end| ("Access until", instant(end))));
            Words {
                subject: format!("{inviter} invites you to “{production}”"),
                blocks: vec![
                    Block::Text(format!(
                        "{inviter} of {organisation} invites you to work on “{production}” in Kinora, where \
                         its footage and papers are kept."
                    )),
                    Block::Facts(facts),
                    Block::Button("Open the invitation".to_owned(), link),
                    Block::Small(format!(
                        "The link works once, until {}, and only for this address. Do not pass this mail on: \
                         whoever has the link could accept in your place.",
                        instant(*expires_at)
                    )),
                    Block::Small(
                        "You do not know what this is about? Then you need not do anything: without you \
                         nothing happens."
                            .to_owned(),
                    ),
                ],
            }
        }
        Letter::Security { notice, at, address, device, page } => {
            let (subject, text) = notice_words(*notice);
            let mut facts = vec![("When", instant(*at))];
            facts.extend(address.clone().map(|address| ("From", address)));
            facts.extend(device.clone().map(|device| ("Browser", device)));
            Words {
                subject: subject.to_owned(),
                blocks: vec![
                    Block::Text(text.to_owned()),
                    Block::Facts(facts),
                    Block::Text(
                        "If this was you, all is well. If it was not, change your password, end the sessions \
                         you do not know, and tell your administrator."
                            .to_owned(),
                    ),
                    Block::Button("Look after your account".to_owned(), page.clone()),
                ],
            }
        }
        Letter::SignOnEnding { organisation, connection, what, ends_at, page } => {
            let (organisation, connection) = (one_line(organisation), one_line(connection));
            let (subject, text) = ending(*what, &connection);
            Words {
                subject,
                blocks: vec![
                    Block::Text(text),
                    Block::Facts(vec![
                        ("Organisation", organisation),
                        ("Connection", connection),
                        ("Ends", instant(*ends_at)),
                    ]),
                    Block::Button("Open the connection".to_owned(), page.clone()),
                    Block::Small(
                        "You get this mail because you own the organisation in Kinora. It comes 30 days and 7 days \
                         before the end."
                            .to_owned(),
                    ),
                ],
            }
        }
        Letter::BreakGlass { login, organisation, at, address, device } => {
            let (login, organisation) = (one_line(login), one_line(organisation));
            let mut facts = vec![("Account", login.clone()), ("When", instant(*at))];
            facts.extend(address.clone().map(|address| ("From", address)));
            facts.extend(device.clone().map(|device| ("Browser", device)));
            Words {
                subject: format!("An owner of {organisation} signed in without the identity provider"),
                blocks: vec![
                    Block::Text(format!(
                        "{organisation} asks everybody to sign in with the studio account. {login} is one of the \
                         owners who may do without in an emergency, and has just done so, with password \
                         and second factor."
                    )),
                    Block::Facts(facts),
                    Block::Text(
                        "All owners are told of this. If nobody of you knows of an emergency, disable that \
                         account and look at the audit log."
                            .to_owned(),
                    ),
                ],
            }
        }
        Letter::Code { code, minutes } => Words {
            subject: "Your code to sign in".to_owned(),
            blocks: vec![
                Block::Text("Type this code into the page where you sign in to Kinora:".to_owned()),
                Block::Code(code.clone()),
                Block::Small(format!(
                    "It holds for {minutes} minutes and works once. Nobody will ever ask you for it, neither \
                     by mail nor on the telephone. If you are not signing in, somebody knows your password: \
                     change it."
                )),
            ],
        },
    }
}

fn notice_words(notice: SecurityNotice) -> (&'static str, &'static str) {
    match notice {
        SecurityNotice::NewDevice => (
            "A sign-in from a new browser",
            "Somebody has just signed in to your account from a browser that was not seen before.",
        ),
        SecurityNotice::PasswordChanged => {
            ("Your password was changed", "The password of your account is another one now.")
        }
        SecurityNotice::AuthenticatorAdded => (
            "An authenticator app was added",
            "Your account can now be confirmed with another authenticator app.",
        ),
        SecurityNotice::AuthenticatorRemoved => {
            ("An authenticator app was removed", "An authenticator app no longer confirms your account.")
        }
        SecurityNotice::PasskeyAdded => {
            ("A passkey was added", "Your account can now be opened with another passkey.")
        }
        SecurityNotice::PasskeyRemoved => {
            ("A passkey was removed", "A passkey no longer opens your account.")
        }
        SecurityNotice::RecoveryCodesMade => (
            "New recovery codes were made",
            "Your account has new recovery codes; those you had before no longer work.",
        ),
        SecurityNotice::RecoveryCodeUsed => (
            "A recovery code was used",
            "One of your recovery codes was used to sign in. It does not work a second time.",
        ),
        SecurityNotice::FactorsReset => (
            "Your second factors were reset",
            "An administrator has removed the second factors of your account. You set up new ones when you \
             sign in next.",
        ),
    }
}
