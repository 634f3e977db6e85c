//! The words of each letter.

use chrono::{DateTime, Utc};
use kinora_core::mail::{
    CodeOccasion, Letter, MOST_SUBJECTS, OperatorMeans, SecurityNotice, SignOnEnd, SupportDeed, SupportEvent,
};

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

/// Subject and first paragraph about support access.
fn support(event: SupportEvent, organisation: &str, address: &str) -> (String, String) {
    match event {
        SupportEvent::Given => (
            format!("{address} was given support access to {organisation}"),
            "A mail with a link went to this address. Once its holder has accepted with it, they can see what the access \
             covers, for the time below. Every request is on record, and any owner can end it at once."
                .to_owned(),
        ),
        SupportEvent::FirstUsed => (
            format!("{address} has begun to use support access to {organisation}"),
            "The support access below was used for the first time just now.".to_owned(),
        ),
        SupportEvent::Ended => (
            format!("Support access of {address} to {organisation} has ended"),
            "The support access below is over. Nothing can be seen with it any more.".to_owned(),
        ),
    }
}

/// What whoever is to help is told.
fn support_offer(
    organisation: &str,
    giver: Option<&str>,
    reason: &str,
    (starts_at, ends_at): (DateTime<Utc>, DateTime<Utc>),
    page: &str,
    token: Option<&str>,
) -> Words {
    let organisation = one_line(organisation);
    let mut facts = vec![("Organisation", organisation.clone()), ("Reason", one_line(reason))];
    facts.extend(giver.map(|giver| ("Given by", one_line(giver))));
    facts.push(("From", instant(starts_at)));
    facts.push(("Until", instant(ends_at)));
    Words {
        subject: format!("{organisation} asks for your help in Kinora"),
        blocks: vec![
            Block::Text(format!(
                "An owner of {organisation} gives you support access in Kinora: for a time you can see what they chose, and \
                 everything you do with it is on record."
            )),
            Block::Facts(facts),
            Block::Button("Look at it and accept".to_owned(), format!("{page}{}", token.unwrap_or_default())),
            Block::Small(
                "You need an account in Kinora whose login is this address, and a second factor or a passkey. The link works \
                 once. Do not pass this mail on."
                    .to_owned(),
            ),
            Block::Small(
                "You do not know what this is about? Then you need not do anything: without you nothing happens.".to_owned(),
            ),
        ],
    }
}

/// The names of what something was done to, behind what was done.
fn named(subjects: &[String]) -> String {
    if subjects.is_empty() {
        return String::new();
    }
    let names: Vec<String> = subjects.iter().take(MOST_SUBJECTS).map(|name| one_line(name)).collect();
    let more = if subjects.len() > MOST_SUBJECTS { " and more" } else { "" };
    format!(": {}{more}", names.join(", "))
}

/// What was done with support access.
fn done(deeds: &[SupportDeed]) -> Vec<Block> {
    if deeds.is_empty() {
        return vec![Block::Text("It was never used.".to_owned())];
    }
    let fact = |deed: &SupportDeed| {
        let what = match deed.action.as_str() {
            "support.browsed" => "Looked through lists",
            "support.viewed" => "Looked at something",
            "support.played" => "Played a clip",
            "support.downloaded" => "Downloaded an original",
            "support.followed" => "Followed what happens",
            "support.changed" => "Asked for a change",
            _ => "Changed something",
        };
        let unit = if deed.rows == 1 { "entry" } else { "entries" };
        let detail = match what {
            "Changed something" => format!("{} ({} {unit})", deed.action, deed.rows),
            _ => format!("{} {unit} in the audit log", deed.rows),
        };
        (what, format!("{detail}{}", named(&deed.subjects)))
    };
    vec![Block::Text("This was done:".to_owned()), Block::Facts(deeds.iter().map(fact).collect())]
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
        Letter::Support {
            event,
            organisation,
            address,
            giver,
            reason,
            starts_at,
            ends_at,
            originals,
            deeds,
            page,
        } => {
            let (organisation, address) = (one_line(organisation), one_line(address));
            let (subject, text) = support(*event, &organisation, &address);
            let mut facts = vec![("Given to", address), ("Reason", one_line(reason))];
            facts.extend(giver.as_deref().map(|giver| ("Given by", one_line(giver))));
            facts.push(("From", instant(*starts_at)));
            let end = if *event == SupportEvent::Ended { "Ended" } else { "Ends" };
            facts.push((end, instant(*ends_at)));
            facts.push((
                "Originals",
                if *originals { "can be downloaded" } else { "not included" }.to_owned(),
            ));
            let mut blocks = vec![Block::Text(text), Block::Facts(facts)];
            if *event == SupportEvent::Ended {
                blocks.extend(done(deeds));
            }
            blocks.push(Block::Button("See what was done".to_owned(), page.clone()));
            blocks.push(Block::Small(
                "You get this mail because you own the organisation in Kinora. All its owners get it."
                    .to_owned(),
            ));
            Words { subject, blocks }
        }
        Letter::OperatorAccess { means, person, at, expires_at } => operator_words(*means, &one_line(person), *at, *expires_at),
        Letter::ResponsibleLeft { organisation, person, accounts } => {
            let (organisation, person) = (one_line(organisation), one_line(person));
            let names: Vec<String> = accounts.iter().map(|name| format!("“{}”", one_line(name))).collect();
            Words {
                subject: format!("{person} answered for service accounts of {organisation} and has left"),
                blocks: vec![
                    Block::Text(format!(
                        "{person} no longer belongs to {organisation} or may not sign in any more. Nobody who is there \
                         answers now for what these programs do. Their access tokens go on working."
                    )),
                    Block::Facts(vec![("Service accounts", names.join(", "))]),
                    Block::Text(
                        "Name somebody else under administration, service accounts, or deactivate those that nobody \
                         needs. Make new tokens where the one who left may have a copy."
                            .to_owned(),
                    ),
                ],
            }
        }
        Letter::SupportOffer { grant: _, organisation, giver, reason, starts_at, ends_at, page } => {
            support_offer(organisation, giver.as_deref(), reason, (*starts_at, *ends_at), page, token)
        }
        Letter::AddressConfirmation { page, expires_at } => Words {
            subject: "Confirm your e-mail address".to_owned(),
            blocks: vec![
                Block::Text(
                    "Somebody wants to use this address for their account in Kinora: to sign in with it, and to get \
                     mail about the account."
                        .to_owned(),
                ),
                Block::Button(
                    "Confirm the address".to_owned(),
                    format!("{page}{}", token.unwrap_or_default()),
                ),
                Block::Small(format!("The link works once, until {}.", instant(*expires_at))),
                Block::Small(
                    "That was not you? Then you need not do anything: without you nothing happens.".to_owned(),
                ),
            ],
        },
        Letter::Code { code, minutes, occasion, at, address, device } => {
            let (subject, text, otherwise) = code_words(*occasion);
            let mut facts: Vec<_> = at.map(|at| ("When", instant(at))).into_iter().collect();
            facts.extend(address.clone().map(|address| ("From", address)));
            facts.extend(device.clone().map(|device| ("Browser", device)));
            Words {
                subject: subject.to_owned(),
                blocks: vec![
                    Block::Text(text.to_owned()),
                    Block::Code(code.clone()),
                    Block::Facts(facts),
                    Block::Small(format!(
                        "It holds for {minutes} minutes and works once, in the browser that asked for it. Nobody will \
                         ever ask you for it, neither by mail nor on the telephone. {otherwise}"
                    )),
                ],
            }
        }
    }
}

/// Subject, first sentence, and what to do about a code that one has not asked for.
fn code_words(occasion: CodeOccasion) -> (&'static str, &'static str, &'static str) {
    match occasion {
        CodeOccasion::SignIn => (
            "Your code to sign in",
            "Type this code into the page where you sign in to Kinora:",
            "If you are not signing in, somebody knows your password: change it.",
        ),
        CodeOccasion::Enrolment => (
            "Your code to confirm this address",
            "Type this code into the page where you add codes by mail to your account in Kinora:",
            "If you are not doing that, somebody else is using your account: tell your administrator.",
        ),
    }
}

/// What whoever runs the servers did to an account, and what to do about it.
fn operator_words(
    means: OperatorMeans,
    person: &str,
    at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
) -> Words {
    let (subject, done, undone) = match means {
        OperatorMeans::AccessToken => (
            format!("An operator made an access token for {person}"),
            format!(
                "has made an access token of {person}. Whoever has it sees and does what that account may."
            ),
            "Access tokens are listed and revoked on the account's page.",
        ),
        OperatorMeans::PasswordLink => (
            format!("An operator made a password link for {person}"),
            format!("has made a one-time link for {person}. Whoever has it sets that account's password."),
            "A new link made under administration, people, ends this one.",
        ),
        OperatorMeans::FactorsReset => (
            format!("An operator took the second factors of {person}"),
            format!("has taken the second factors of {person}: the password alone opens that account now."),
            "A new factor closes this again.",
        ),
    };
    let mut facts = vec![("Account", person.to_owned()), ("When", instant(at))];
    facts.extend(expires_at.map(|end| ("Ends", instant(end))));
    Words {
        subject,
        blocks: vec![
            Block::Text(format!("Somebody who runs the servers of Kinora {done}")),
            Block::Facts(facts),
            Block::Text(format!(
                "This is told to the account itself and to the owners of its organisations. If nobody of you has asked \
                 for it, ask whoever runs Kinora; the audit log has the command and the operator. {undone}"
            )),
        ],
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
        SecurityNotice::EmailCodesAdded => (
            "Codes by mail were added",
            "Your account can now be confirmed with codes that are sent to this address, if your organisations \
             allow it.",
        ),
        SecurityNotice::EmailCodesRemoved => {
            ("Codes by mail were removed", "Codes sent to this address no longer confirm your account.")
        }
        SecurityNotice::AccountCorrected => (
            "Your account was corrected",
            "An administrator has corrected the name of your account, or what you sign in with.",
        ),
        SecurityNotice::AddressChanged => (
            "Your e-mail address was changed",
            "Your account has another e-mail address now: you sign in with it, and mail about the account goes there.",
        ),
        SecurityNotice::FactorsReset => (
            "Your second factors were reset",
            "An administrator has removed the second factors of your account. You set up new ones when you \
             sign in next.",
        ),
    }
}
