//! The register of personal data (GDPR, article 30): what is kept, why, how long, and what becomes of it.

use serde::Serialize;

pub use super::tables::tables;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Something about a person; in the export.
    Personal,
    /// Nothing that tells who it is, but belongs to what is kept of a person; in the export.
    Plain,
    /// The id of the person whose row it is; in the export.
    Person,
    /// The id of who made it or did it: stays, without the name, when that person is erased; in the export.
    Author,
    /// As [`Holds::Personal`], and in the export only if the person did it themselves: else it is somebody else's.
    OfActor,
    /// As [`Holds::Personal`], and in the export unless it names another person.
    OfSubject,
    /// Text in which somebody may be named: searched when that person is erased; in the export.
    Free,
    /// The same, and not in the export.
    Hidden,
    /// A secret, or the digest of one: in no export.
    Secret,
    /// Nothing about anybody.
    Internal,
}

impl Holds {
    /// Whether erasing somebody looks for their name in it.
    #[must_use]
    pub fn is_searched(self) -> bool {
        matches!(self, Self::Free | Self::Hidden)
    }
}

/// What erasing a person does with what a table holds of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is deleted.
    Deleted,
    /// It stays, with an opaque id instead of the name; the sentence says what that means here.
    Pseudonymised(&'static str),
    /// It stays, because of this.
    Kept(&'static str),
    /// It holds nothing about anybody.
    Nothing,
}

/// A table, and what it holds of people.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What it is called on the page.
    pub title: &'static str,
    /// What it holds, in the words of those whom it is about.
    pub what: &'static str,
    /// What for.
    pub why: &'static str,
    /// How long.
    pub kept: &'static str,
    /// What erasing a person does with it.
    pub fate: Fate,
    /// Its name in the export; none: there is nothing to take along.
    pub section: Option<&'static str>,
    /// Which rows are about a person: SQL about `t`, with the person's id as `$1` and the keys of their logins as `$3`.
    pub of_person: Option<&'static str>,
    /// Which of those an organisation keeps: the same with its id as `$2`. None: they belong to the account alone.
    pub of_organisation: Option<&'static str>,
    /// SQL about `t` that tells rows apart and orders them, as text.
    pub key: &'static str,
    /// The columns: all that hold text, JSON, bytes or lists, all that refer to a person, and those of the export.
    pub columns: &'static [(&'static str, Holds)],
}

impl Table {
    /// Whether it holds something about people.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        self.fate != Fate::Nothing
    }
}

/// Personal data that stands outside of the database.
#[derive(Clone, Copy, Debug)]
pub struct Elsewhere {
    /// A name for programs.
    pub name: &'static str,
    /// What it is called on the page.
    pub title: &'static str,
    /// What it holds.
    pub what: &'static str,
    /// What for.
    pub why: &'static str,
    /// How long.
    pub kept: &'static str,
    /// What erasing a person does with it.
    pub fate: Fate,
}

/// What stands outside of the database.
pub const ELSEWHERE: &[Elsewhere] = &[
    Elsewhere {
        name: "journal",
        title: "Logs of the servers",
        what: "Ids of people, the network address of requests that change something, and ids of requests. No names and no \
               e-mail addresses.",
        why: "To find faults, and to notice and prove misuse.",
        kept: "As long as the servers' journals are set to keep them, and whatever system they are passed on to.",
        fate: Fate::Kept(
            "The id tells nothing any more once the person is erased. Network addresses go when the journal is rotated.",
        ),
    },
    Elsewhere {
        name: "backups",
        title: "Backups",
        what: "Copies of the whole database.",
        why: "To bring everything back after a failure.",
        kept: "Until the backup is rotated out (28 days unless the operator sets otherwise).",
        fate: Fate::Kept(
            "Backups are not changed. After one is restored everybody on the list of erasures is erased again.",
        ),
    },
    Elsewhere {
        name: "redis",
        title: "Live progress",
        what: "How far running work is, by the ids of the work. Nothing about people.",
        why: "To show progress at once.",
        kept: "Minutes.",
        fate: Fate::Nothing,
    },
    Elsewhere {
        name: "media",
        title: "Media",
        what: "The files of productions. Who can be seen or heard in them is the production's to know.",
        why: "They are what the production is made of.",
        kept: "As long as the production keeps them.",
        fate: Fate::Kept("They belong to the production and not to the account."),
    },
    Elsewhere {
        name: "browser",
        title: "Your browser",
        what: "Cookies that keep you signed in and let the browser be known again, how the page is set up (colours, widths of \
               columns), and the list of your unfinished uploads.",
        why: "To keep you signed in, and to go on with uploads.",
        kept: "Until you sign out, the session ends, or you clear the browser.",
        fate: Fate::Kept(
            "Kinora cannot reach into your browser. The cookies are worth nothing once the account is erased.",
        ),
    },
];

/// A line of the page about personal data.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Line {
    /// A name for programs: the table's or the place's.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What is kept.
    pub what: &'static str,
    /// What for.
    pub why: &'static str,
    /// How long.
    pub kept: &'static str,
    /// "deleted", "pseudonymised", "kept" or "nothing".
    pub fate: &'static str,
    /// What that means here.
    pub fate_means: Option<&'static str>,
    /// Where it stands in the export.
    pub section: Option<&'static str>,
    /// Whether it stands in the database.
    pub in_database: bool,
}

impl Fate {
    fn parts(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Deleted => ("deleted", None),
            Self::Pseudonymised(how) => ("pseudonymised", Some(how)),
            Self::Kept(why) => ("kept", Some(why)),
            Self::Nothing => ("nothing", None),
        }
    }
}

/// The lines of the page about personal data.
pub fn lines() -> impl Iterator<Item = Line> {
    let stored = tables().filter(|table| table.is_personal()).map(|table| {
        let (fate, fate_means) = table.fate.parts();
        let Table { name, title, what, why, kept, section, .. } = *table;
        Line { name, title, what, why, kept, fate, fate_means, section, in_database: true }
    });
    let elsewhere = ELSEWHERE.iter().map(|place| {
        let (fate, fate_means) = place.fate.parts();
        let Elsewhere { name, title, what, why, kept, .. } = *place;
        Line { name, title, what, why, kept, fate, fate_means, section: None, in_database: false }
    });
    stored.chain(elsewhere)
}

/// The table of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Table> {
    tables().find(|table| table.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_line_says_what_people_ask() {
        for line in lines() {
            for text in [line.title, line.what, line.why, line.kept] {
                assert!(!text.is_empty() && !text.contains("  "), "{}: {text:?}", line.name);
            }
        }
        let names: HashSet<&str> = lines().map(|line| line.name).collect();
        assert_eq!(names.len(), lines().count());
        let sections: Vec<&str> = lines().filter_map(|line| line.section).collect();
        assert_eq!(sections.iter().collect::<HashSet<_>>().len(), sections.len());
    }

    #[test]
    fn whatever_is_about_people_says_about_whom() {
        for table in tables() {
            let has_person =
                table.columns.iter().any(|(_, holds)| matches!(holds, Holds::Person | Holds::Personal));
            if has_person {
                assert!(table.of_person.is_some(), "{}: whose rows are they?", table.name);
            }
            if table.fate == Fate::Nothing {
                let is_free =
                    table.columns.iter().all(|(_, holds)| matches!(holds, Holds::Internal | Holds::Secret));
                assert!(is_free, "{} holds something about people", table.name);
            }
            if table.section.is_some() {
                assert!(table.of_person.is_some() && !table.key.is_empty(), "{}", table.name);
            }
        }
    }
}
