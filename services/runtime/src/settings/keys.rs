//! Which keys a settings file has, and in which lines.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

/// Keys of a file ("table.key") and the lines they stand in, counted from 1.
#[derive(Debug, Default)]
pub struct KeyMap(BTreeMap<String, usize>);

/// The line of the byte `offset` in `text`, counted from 1.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

impl KeyMap {
    /// The keys of an installed file.
    ///
    /// # Errors
    /// If it is not TOML.
    pub fn of_file(text: &str) -> Result<Self, toml::de::Error> {
        let table = DeTable::parse(text)?;
        let mut keys = Self::default();
        keys.add_table("", table.get_ref(), text);
        Ok(keys)
    }

    fn add_table(&mut self, prefix: &str, table: &DeTable<'_>, text: &str) {
        for (key, value) in table {
            let path = format!("{prefix}{}", key.get_ref());
            match value.get_ref() {
                DeValue::Table(inner) if !inner.is_empty() => {
                    self.add_table(&format!("{path}."), inner, text)
                }
                DeValue::Table(_) => {}
                _ => {
                    self.0.insert(path, line_at(text, key.span().start));
                }
            }
        }
    }

    /// The keys of a commented default file, including those that are commented out as `#key = …` or
    /// `#table.key = …`.
    #[must_use]
    pub fn of_defaults(text: &str) -> Self {
        let mut keys = Self::of_file(text).unwrap_or_default();
        let mut table = String::new();
        for (index, line) in text.lines().enumerate() {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
                table = format!("{}.", name.trim());
            } else if let Some((key, _)) = line.strip_prefix('#').and_then(|rest| rest.split_once(" = "))
                && key.bytes().all(|byte| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'.')
                })
            {
                keys.0.entry(format!("{table}{key}")).or_insert(index + 1);
            }
        }
        keys
    }

    /// All keys with their lines.
    pub fn iter(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0.iter().map(|(key, line)| (key.as_str(), *line))
    }

    /// Whether the key is there. A table in place of a value (or the other way round) counts as
    /// there: that is a wrong type, which is told better than an unknown key.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        let inside = format!("{key}.");
        self.0.contains_key(key)
            || self.0.keys().any(|known| known.starts_with(&inside) || key.starts_with(&format!("{known}.")))
    }

    /// The line of `key` or, for an element like `hosts[2]`, of the list.
    #[must_use]
    pub fn line_of(&self, key: &str) -> Option<usize> {
        let key = key.split('[').next().unwrap_or(key);
        self.0.get(key).copied()
    }

    /// The key most like `key`, if any is similar.
    #[must_use]
    pub fn nearest(&self, key: &str) -> Option<&str> {
        let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
        let likeness = |known: &str| {
            let whole = strsim::jaro_winkler(known, key);
            // A right key in the wrong table.
            if last(known) == last(key) { whole.max(0.9) } else { whole }
        };
        self.0
            .keys()
            .map(|known| (known.as_str(), likeness(known)))
            .filter(|(_, likeness)| *likeness > 0.75)
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(known, _)| known)
    }
}
