//! Finding somebody in texts and JSON that are about something else, and taking them out of it.

use std::collections::BTreeSet;

use diesel::prelude::*;
use kinora_core::{OrganisationId, PersonId};
use serde_json::Value;

use crate::Result;
use crate::audit::{self, AuditRow, Edit, PERSON};
use crate::schema::{invitations, sessions};
use crate::sign_in::login_key;

/// Keys of JSON that name whoever a row is about.
const NAMING: [&str; 6] = ["name", "login", "display_name", "address", "hint", "device"];
/// Kinds of subjects that belong to the person who acts on them, names and all.
const OWN_THINGS: [&str; 4] = ["session", "token", "passkey", "login"];
/// Kinds of subjects that are content: their names are the production's, whoever they are like.
const CONTENT: [&str; 6] = ["production", "asset", "upload", "run", "step", "version"];

/// What somebody was ever called here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Traces {
    person: Option<PersonId>,
    logins: BTreeSet<String>,
    names: BTreeSet<String>,
    /// Network addresses and browsers: taken out only of what names the person as well.
    circumstances: BTreeSet<String>,
    name: String,
}

fn text_at<'a>(value: Option<&'a Value>, key: &str) -> Option<&'a str> {
    value?.get(key)?.as_str()
}

impl Traces {
    /// Gathers what the database knows of a person's names, present and former; `name` is put in their place.
    pub(super) fn gather(
        connection: &mut PgConnection,
        person: PersonId,
        (login, display_name): (&str, &str),
        name: String,
    ) -> Result<Self> {
        let mut traces = Self { person: Some(person), name, ..Self::default() };
        traces.add_login(login);
        traces.add_name(display_name);
        audit::find_of_person(connection, person, None, |row| traces.learn(row))?;
        let addresses: Vec<String> = invitations::table
            .filter(invitations::accepted_by.eq(person.0))
            .select(invitations::address)
            .load(connection)?;
        addresses.iter().for_each(|address| traces.add_login(address));
        let seen: Vec<(Option<String>, Option<String>)> = sessions::table
            .filter(sessions::person_id.eq(person.0))
            .select((sessions::address, sessions::user_agent))
            .load(connection)?;
        traces.circumstances.extend(seen.into_iter().flat_map(|(address, agent)| [address, agent]).flatten());
        Ok(traces)
    }

    fn learn(&mut self, row: &AuditRow) {
        let id = self.person.map(uuid::Uuid::from);
        if row.actor_id == id {
            self.add_login(&row.actor);
            self.circumstances.extend(row.address.clone());
        }
        if row.subject_id == id && row.subject_kind == PERSON {
            row.subject.iter().for_each(|subject| self.add_login(subject));
            for state in [&row.before, &row.after] {
                text_at(state.as_ref(), "login").into_iter().for_each(|login| self.add_login(login));
                // The name of a factor or a connection is none of a person.
                if row.action.starts_with("person.") {
                    for key in ["name", "display_name"] {
                        text_at(state.as_ref(), key).into_iter().for_each(|name| self.add_name(name));
                    }
                }
            }
        }
    }

    fn add_login(&mut self, login: &str) {
        let key = login_key(login);
        if !key.is_empty() && !key.starts_with("erased person ") {
            self.logins.insert(key);
        }
    }

    fn add_name(&mut self, name: &str) {
        let name = name.trim();
        if !name.is_empty() && !name.starts_with("Erased person ") {
            self.names.insert(name.to_lowercase());
        }
    }

    /// The keys of all logins.
    pub(super) fn logins(&self) -> Vec<String> {
        self.logins.iter().cloned().collect()
    }

    /// Patterns of LIKE for every text that may have to be changed.
    pub(super) fn patterns(&self) -> Vec<String> {
        let mut patterns = BTreeSet::new();
        for text in self.logins.iter().chain(&self.names) {
            patterns.insert(crate::people::pattern(text));
            // As it stands in JSON.
            let quoted = Value::String(text.clone()).to_string();
            patterns.insert(crate::people::pattern(quoted.trim_matches('"')));
        }
        patterns.into_iter().collect()
    }

    /// The text without the person; none if they do not stand in it.
    ///
    /// Logins, and names of several words, are found anywhere between other words. A name of one word is taken for
    /// theirs only where nothing else stands: it may be anybody's.
    pub(super) fn without(&self, text: &str) -> Option<String> {
        let is_name = self.names.contains(&text.trim().to_lowercase());
        if is_name || self.logins.contains(&login_key(text)) {
            return Some(self.name.clone());
        }
        let mut changed = None;
        let several = self.names.iter().filter(|name| name.contains(char::is_whitespace));
        for needle in self.logins.iter().chain(several) {
            let found = replaced(changed.as_deref().unwrap_or(text), needle, &self.name);
            changed = found.or(changed);
        }
        changed
    }

    /// JSON without the person; none if they do not stand in it. Where `is_theirs`, all of it is about them.
    pub(super) fn without_in(&self, value: &Value, is_theirs: bool) -> Option<Value> {
        let named = self.walk(value, None, is_theirs);
        let base = match (&named, is_theirs) {
            (None, false) => return None,
            (None, true) => value,
            (Some(named), _) => named,
        };
        self.without_circumstances(base).or(named)
    }

    fn walk(&self, value: &Value, key: Option<&str>, is_theirs: bool) -> Option<Value> {
        map_texts(value, key, &|key, text| {
            let is_naming = is_theirs && key.is_some_and(|key| NAMING.contains(&key));
            if is_naming && text != self.name { Some(self.name.clone()) } else { self.without(text) }
        })
    }

    fn without_circumstances(&self, value: &Value) -> Option<Value> {
        map_texts(value, None, &|_, text| self.circumstances.contains(text).then(|| self.name.clone()))
    }

    /// What is to be erased of a row of the trail, if anything is.
    pub(super) fn edit(&self, row: &AuditRow) -> Option<Edit> {
        let id = self.person.map(uuid::Uuid::from);
        let (is_actor, is_subject) = (row.actor_id == id, row.subject_id == id);
        let is_own_thing = is_actor && OWN_THINGS.contains(&row.subject_kind.as_str());
        let is_theirs = is_subject || is_own_thing;
        let is_content = CONTENT.contains(&row.subject_kind.as_str());
        let mut mask = 0;
        let names_actor = is_actor || (row.actor_id.is_none() && self.without(&row.actor).is_some());
        if names_actor && row.actor != self.name {
            mask |= 1;
        }
        // Whoever tried without being signed in may have been the person.
        if (is_actor || (is_subject && row.actor_id.is_none())) && row.address.is_some() {
            mask |= 2;
        }
        let subject = row.subject.as_deref().filter(|subject| *subject != self.name);
        if subject.is_some_and(|subject| is_theirs || (!is_content && self.without(subject).is_some())) {
            mask |= 4;
        }
        let state = |state: &Option<Value>| {
            let state = state.as_ref().filter(|_| is_theirs || !is_content)?;
            self.without_in(state, is_theirs).filter(|left| left != state)
        };
        let (before, after) = (state(&row.before), state(&row.after));
        mask |= if before.is_some() { 8 } else { 0 };
        mask |= if after.is_some() { 16 } else { 0 };
        (mask != 0).then_some(Edit { sequence: row.sequence, mask, before, after })
    }
}

/// All edits that take a person out of the trail, of one organisation's rows or of all, in order.
pub(super) fn edits(
    connection: &mut PgConnection,
    traces: &Traces,
    person: PersonId,
    organisation: Option<OrganisationId>,
) -> Result<Vec<Edit>> {
    let mut edits = std::collections::BTreeMap::new();
    let mut look = |row: &AuditRow| {
        if let Some(edit) = traces.edit(row) {
            edits.insert(edit.sequence, edit);
        }
    };
    audit::find_of_person(connection, person, organisation, &mut look)?;
    let patterns = traces.patterns();
    if !patterns.is_empty() {
        audit::find_with_text(connection, &patterns, organisation, &mut look)?;
    }
    Ok(edits.into_values().collect())
}

/// JSON with texts replaced; none if nothing was.
fn map_texts(
    value: &Value,
    key: Option<&str>,
    replace: &impl Fn(Option<&str>, &str) -> Option<String>,
) -> Option<Value> {
    match value {
        Value::String(text) => replace(key, text).filter(|new| new != text).map(Value::String),
        Value::Array(items) => {
            let new: Vec<Option<Value>> = items.iter().map(|item| map_texts(item, key, replace)).collect();
            new.iter().any(Option::is_some).then(|| {
                Value::Array(
                    new.into_iter().zip(items).map(|(new, old)| new.unwrap_or_else(|| old.clone())).collect(),
                )
            })
        }
        Value::Object(map) => {
            let new: Vec<_> = map
                .iter()
                .map(|(key, item)| (key, item, map_texts(item, Some(key.as_str()), replace)))
                .collect();
            new.iter().any(|(_, _, new)| new.is_some()).then(|| {
                let entries =
                    new.into_iter().map(|(key, old, new)| (key.clone(), new.unwrap_or_else(|| old.clone())));
                Value::Object(entries.collect())
            })
        }
        _ => None,
    }
}

/// Whether a character continues a login or a word.
fn is_inside(character: Option<char>) -> bool {
    character.is_some_and(|character| character.is_alphanumeric() || character == '_')
}

/// The text with every occurrence of `needle` (in small letters) between other words replaced; none without any.
fn replaced(text: &str, needle: &str, by: &str) -> Option<String> {
    let mut result = String::new();
    let (mut rest, mut before, mut found) = (text, None, false);
    while let Some(first) = rest.chars().next() {
        let end = (!is_inside(before)).then(|| length_of_match(rest, needle)).flatten();
        let end = end.filter(|end| !is_inside(rest.get(*end..).and_then(|tail| tail.chars().next())));
        match end {
            Some(end) => {
                result.push_str(by);
                before = rest.get(..end).and_then(|matched| matched.chars().next_back());
                rest = rest.get(end..).unwrap_or_default();
                found = true;
            }
            None => {
                result.push(first);
                before = Some(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
            }
        }
    }
    found.then_some(result)
}

/// How many bytes of the text's beginning are `needle`, capitals or not.
fn length_of_match(text: &str, needle: &str) -> Option<usize> {
    let mut wanted = needle.chars();
    let mut length = 0;
    for character in text.chars() {
        if wanted.as_str().is_empty() {
            break;
        }
        for small in character.to_lowercase() {
            if wanted.next() != Some(small) {
                return None;
            }
        }
        length += character.len_utf8();
    }
    (wanted.as_str().is_empty() && length > 0).then_some(length)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn traces() -> Traces {
        let mut traces = Traces { name: "Erased person 1".into(), ..Traces::default() };
        traces.add_login("Ada@Studio.example");
        traces.add_name("Ada Löwe");
        traces.add_name("Grace");
        traces.circumstances.insert("192.0.2.7".into());
        traces
    }

    #[test]
    fn people_are_found_between_words_and_not_inside_of_them() {
        let traces = traces();
        let without = |text: &str| traces.without(text);
        assert_eq!(without("ADA@studio.EXAMPLE").unwrap(), "Erased person 1");
        assert_eq!(without("550 <ada@studio.example> unknown").unwrap(), "550 <Erased person 1> unknown");
        assert_eq!(without("by ADA LÖWE, ada löwe").unwrap(), "by Erased person 1, Erased person 1");
        assert_eq!(without("Grace").unwrap(), "Erased person 1");
        for other in
            ["Grace's rushes", "nada@studio.example", "ada@studio.examples", "Ada Löwenherz", "", "ada"]
        {
            assert_eq!(without(other), None, "{other}");
        }
    }

    #[test]
    fn network_addresses_go_only_with_the_person() {
        let traces = traces();
        let letter = json!({ "login": "ada@studio.example", "address": "192.0.2.7", "at": "x" });
        let left = json!({ "login": "Erased person 1", "address": "Erased person 1", "at": "x" });
        assert_eq!(traces.without_in(&letter, false), Some(left));
        assert_eq!(traces.without_in(&json!({ "login": "bob", "address": "192.0.2.7" }), false), None);
        let token = json!({ "name": "Ada's laptop", "list": [1, { "x": "grace" }] });
        let left = json!({ "name": "Erased person 1", "list": [1, { "x": "Erased person 1" }] });
        assert_eq!(traces.without_in(&token, true), Some(left));
        assert_eq!(traces.without_in(&json!({ "roles": ["editor"] }), true), None);
    }
}
