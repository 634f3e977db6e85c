//! The command `upgrade-check`: whether this program may follow, or be returned to from, what is installed. It is run before
//! it is installed, against the live database, and changes nothing.

use std::fmt;

use kinora_store::migrations::Comparison;
use kinora_store::releases::Version;

/// The least version of each engine that this release works with: its package's name and the number.
/// What is older must be brought on before, by the release that is said to.
const LEAST_ENGINES: [(&str, [u32; 2]); 3] =
    [("postgresql", [15, 0]), ("rabbitmq-server", [3, 10]), ("redis-server", [7, 0])];

/// Which way it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To this release from the one before it.
    On,
    /// Back to this release from the one after it.
    Back,
}

/// What is known of the installation.
#[derive(Clone, Debug, Default)]
pub struct Installed {
    /// How its schema stands to this program's.
    pub schema: Comparison,
    /// The releases that have brought its database on, the oldest first.
    pub recorded: Vec<Version>,
    /// Those of Kinora's packages on its hosts.
    pub packages: Vec<Version>,
    /// Package name of each engine and its version, as Debian writes it.
    pub engines: Vec<(String, String)>,
}

/// Something that speaks against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// What is wrong.
    pub wrong: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.wrong, self.remedy)
    }
}

fn objection(wrong: impl Into<String>, remedy: impl Into<String>) -> Objection {
    Objection { wrong: wrong.into(), remedy: remedy.into() }
}

/// Everything that speaks against installing the last of `releases` on what is installed. Nothing: it may be.
#[must_use]
pub fn judge(way: Way, releases: &[Version], installed: &Installed) -> Vec<Objection> {
    let Some(this) = releases.last().copied() else { return Vec::new() };
    if installed.schema.applied.is_empty() {
        return vec![objection("this database holds no installation", "install this release with `site`")];
    }
    match way {
        Way::On => {
            let mut found = judge_way_on(this, releases, installed);
            found.extend(judge_engines(this, &installed.engines));
            found
        }
        Way::Back => judge_way_back(this, installed),
    }
}

/// What installing the last of `releases` will do to the database, in a sentence.
#[must_use]
pub fn describe(way: Way, releases: &[Version], installed: &Installed) -> String {
    let this = releases.last().map_or_else(String::new, ToString::to_string);
    let Comparison { missing, unknown, .. } = &installed.schema;
    match way {
        Way::On if missing.is_empty() => format!("{this} may be installed; the database is as it needs it"),
        Way::On => format!("{this} may be installed; the database gets {}", missing.join(", ")),
        Way::Back if unknown.is_empty() => format!("{this} may be returned to; the database is its own"),
        Way::Back => format!("{this} may be returned to; the database keeps {}", unknown.join(", ")),
    }
}

fn judge_way_on(this: Version, releases: &[Version], installed: &Installed) -> Vec<Objection> {
    let newest = installed.packages.iter().chain(&installed.recorded).max().copied();
    if let Some(newest) = newest.filter(|newest| *newest > this) {
        return vec![objection(
            format!("{newest} is installed, or was, and this is {this}, which is older"),
            format!(
                "upgrade with the bundle of {newest} or a later one; `rollback` with this bundle goes back"
            ),
        )];
    }
    let mut found = Vec::new();
    if !installed.schema.unknown.is_empty() {
        found.push(objection(
            format!("the database was migrated by a later build ({})", installed.schema.unknown.join(", ")),
            "take the bundle of that build or a later one",
        ));
    }
    // A host that was left out of the last upgrade counts: what runs there must understand what this release says.
    let first = releases.first().copied().unwrap_or(this);
    let oldest = installed.packages.iter().min().or(installed.recorded.last()).copied().unwrap_or(first);
    let next = releases.iter().find(|release| **release > oldest).copied();
    if let Some(next) = next.filter(|next| *next < this) {
        found.push(objection(
            format!("{oldest} is installed, and this is {this}: releases between them cannot be skipped"),
            format!("upgrade to {next} first, with its bundle, then to the one after it"),
        ));
    }
    found
}

fn judge_way_back(this: Version, installed: &Installed) -> Vec<Objection> {
    let mut found = Vec::new();
    if !installed.schema.missing.is_empty() {
        found.push(objection(
            format!(
                "the database lacks migrations of this release ({})",
                installed.schema.missing.join(", ")
            ),
            "it is no earlier release than what is installed: `upgrade` goes there",
        ));
    }
    let later: Vec<String> =
        installed.recorded.iter().filter(|release| **release > this).map(ToString::to_string).collect();
    if later.len() > 1 {
        found.push(objection(
            format!("{} have brought the database on since {this}", later.join(" and ")),
            "a release runs on the schema of the next one and no later one: restore a backup from before, or stay",
        ));
    }
    found
}

fn judge_engines(this: Version, engines: &[(String, String)]) -> Vec<Objection> {
    let mut found = Vec::new();
    for (name, version) in engines {
        // PostgreSQL's package has its major version in its name.
        let least = LEAST_ENGINES.iter().find(|(engine, _)| name.starts_with(engine));
        match (least, numbers(version)) {
            (Some((engine, least @ [major, minor])), Some(has)) if has < *least => found.push(objection(
                format!("{engine} is {version}, and {this} needs {major}.{minor} at least"),
                "upgrade first to the release before this one, whose bundle brings a newer one",
            )),
            (Some(_), None) => found.push(objection(
                format!("{name} has the version '{version}', which says nothing"),
                "see what is installed: dpkg -l",
            )),
            _ => {}
        }
    }
    found
}

/// The first two numbers of a Debian version: `5:8.0.2-3+deb13u3` gives 8 and 0.
fn numbers(version: &str) -> Option<[u32; 2]> {
    let upstream = version.split_once(':').map_or(version, |(_, rest)| rest);
    let mut parts = upstream.split(|c: char| !c.is_ascii_digit());
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next().and_then(|text| text.parse().ok()).unwrap_or(0);
    Some([major, minor])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn releases(texts: &[&str]) -> Vec<Version> {
        texts.iter().map(|text| version(text)).collect()
    }

    fn schema(applied: &[&str], missing: &[&str], unknown: &[&str]) -> Comparison {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Comparison { applied: owned(applied), missing: owned(missing), unknown: owned(unknown) }
    }

    fn installed(packages: &[&str], recorded: &[&str]) -> Installed {
        Installed {
            schema: schema(&["1"], &["2"], &[]),
            recorded: releases(recorded),
            packages: releases(packages),
            engines: Vec::new(),
        }
    }

    fn said(way: Way, all: &[&str], installed: &Installed) -> String {
        judge(way, &releases(all), installed).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_next_release_and_the_same_one_may_be_installed() {
        let all = ["0.1.0", "0.2.0"];
        assert_eq!(said(Way::On, &all, &installed(&["0.1.0~dev3.g1-1"], &["0.1.0"])), "");
        assert_eq!(said(Way::On, &all, &installed(&["0.1.0", "0.2.0"], &["0.1.0", "0.2.0"])), "");
        assert_eq!(said(Way::On, &all, &installed(&["0.2.0"], &["0.1.0", "0.2.0"])), "");
        // From before releases were recorded, and with nobody saying what is installed.
        assert_eq!(said(Way::On, &all, &installed(&[], &[])), "");
    }

    #[test]
    fn an_older_release_is_refused() {
        for found in [installed(&["0.2.0"], &["0.1.0"]), installed(&["0.1.0"], &["0.1.0", "0.2.0"])] {
            let told = said(Way::On, &["0.1.0"], &found);
            assert!(
                told.starts_with("0.2.0 is installed, or was, and this is 0.1.0, which is older"),
                "{told}"
            );
            assert!(told.contains("`rollback`"), "{told}");
        }
    }

    #[test]
    fn a_skipped_release_is_refused_and_named() {
        let all = ["0.1.0", "0.2.0", "0.3.0", "0.4.0"];
        let told = said(Way::On, &all, &installed(&["0.1.0"], &["0.1.0"]));
        assert!(
            told.ends_with("upgrade to 0.2.0 first, with its bundle, then to the one after it"),
            "{told}"
        );
        // One host was left behind.
        let told = said(Way::On, &all, &installed(&["0.3.0", "0.2.0"], &["0.2.0", "0.3.0"]));
        assert!(told.contains("0.2.0 is installed") && told.contains("upgrade to 0.3.0 first"), "{told}");
        assert_eq!(said(Way::On, &all, &installed(&["0.3.0"], &["0.2.0", "0.3.0"])), "");
    }

    #[test]
    fn an_unknown_schema_and_an_empty_one_are_refused() {
        let mut found = installed(&["0.1.0"], &["0.1.0"]);
        found.schema = schema(&["1", "9"], &[], &["9"]);
        assert!(
            said(Way::On, &["0.1.0"], &found).starts_with("the database was migrated by a later build (9)")
        );
        found.schema = schema(&[], &["1"], &[]);
        for way in [Way::On, Way::Back] {
            assert!(said(way, &["0.1.0"], &found).starts_with("this database holds no installation"));
        }
    }

    #[test]
    fn an_engine_that_is_too_old_is_refused() {
        let engine = |name: &str, has: &str| {
            let mut found = installed(&["0.1.0"], &["0.1.0"]);
            found.engines = vec![(name.to_owned(), has.to_owned())];
            said(Way::On, &["0.1.0", "0.2.0"], &found)
        };
        for (name, has) in [
            ("postgresql", "15.20"),
            ("postgresql-17", "17.12-0+deb13u1"),
            ("rabbitmq-server", "4.0.5-6+deb13u2"),
            ("redis-server", "5:8.0.2-3+deb13u3"),
            ("haproxy", "1.0"),
        ] {
            assert_eq!(engine(name, has), "", "{name}");
        }
        for (name, has) in [
            ("postgresql", "14.9"),
            ("rabbitmq-server", "3.9.13-1"),
            ("redis-server", "5:6.2.7-1"),
            ("redis-server", ""),
        ] {
            assert!(engine(name, has).starts_with(name), "{name} {has}");
        }
    }

    #[test]
    fn one_may_go_back_one_release() {
        let mut found = installed(&["0.2.0"], &["0.1.0", "0.2.0"]);
        found.schema = schema(&["1", "2"], &[], &["2"]);
        assert_eq!(said(Way::Back, &["0.1.0"], &found), "");
        found.recorded = releases(&["0.1.0", "0.2.0", "0.3.0"]);
        assert!(
            said(Way::Back, &["0.1.0"], &found).starts_with("0.2.0 and 0.3.0 have brought the database on")
        );
        found.schema = schema(&["1"], &["2"], &[]);
        found.recorded = releases(&["0.1.0"]);
        assert!(said(Way::Back, &["0.1.0", "0.2.0"], &found).contains("`upgrade` goes there"));
    }
}
