//! What is asked, from `queries.toml`.

use kinora_core::fleet::Unit;
use serde::Deserialize;

/// The list of all questions.
const TEXT: &str = include_str!("queries.toml");
/// What stands for the time between two values.
const STEP: &str = "$step";

/// The list of questions is not one.
#[derive(Debug, thiserror::Error)]
#[error("fleet/queries.toml: {0}")]
pub struct QueriesError(#[from] toml::de::Error);

/// All questions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queries {
    pub(super) glance: GlanceQueries,
    #[serde(rename = "panel")]
    pub(super) panels: Vec<PanelQueries>,
}

/// Questions for the fleet at a glance.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GlanceQueries {
    pub hosts: String,
    pub silent: String,
    pub versions: String,
    pub primary: String,
    pub lag: String,
    pub leads: String,
    pub public_address: String,
    pub certificates: String,
    pub disks: String,
    pub backup: String,
    pub archive_lag: String,
    pub drill: String,
    pub drill_ok: String,
    pub media_copy: String,
    pub alerts: String,
}

/// A panel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PanelQueries {
    pub name: String,
    pub unit: Unit,
    pub lines: Vec<LineQuery>,
}

/// One line, or one for each value of a label.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum LineQuery {
    /// One for each value of the label `by`.
    Labelled { by: String, query: String },
    /// One of this name.
    Named { name: String, query: String },
}

impl LineQuery {
    /// The question for values that are so many seconds apart.
    pub fn query(&self, step_seconds: u32) -> String {
        let (Self::Labelled { query, .. } | Self::Named { query, .. }) = self;
        query.replace(STEP, &format!("{step_seconds}s"))
    }
}

impl Queries {
    /// Reads them.
    ///
    /// # Errors
    /// If the file that was compiled in is not what is expected, which a test rules out.
    pub fn read() -> Result<Self, QueriesError> {
        Ok(toml::from_str(TEXT)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_can_be_read_and_no_two_panels_have_one_name() {
        let queries = Queries::read().unwrap();
        let mut names: Vec<&str> = queries.panels.iter().map(|panel| panel.name.as_str()).collect();
        assert_eq!(names, ["ingest_stages", "ingest_steps", "queue_age", "errors", "storage", "backups"]);
        names.dedup();
        assert_eq!(names.len(), queries.panels.len());
    }

    #[test]
    fn the_step_is_put_in() {
        let line =
            LineQuery::Named { name: "a".to_owned(), query: "rate(x[$step]) / y[$step:1m]".to_owned() };
        assert_eq!(line.query(900), "rate(x[900s]) / y[900s:1m]");
    }
}
