//! The queues between backend and worker: the one list that bus, backend, worker and monitors use.

use serde::{Deserialize, Serialize};

/// A class of work. Classes have queues of their own, so that a four-hour encode never stands in
/// the way of a one-second probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueClass {
    /// Seconds: probing, small derivatives.
    Quick,
    /// Minutes to hours: encoding.
    Long,
}

impl QueueClass {
    /// All classes.
    pub const ALL: [Self; 2] = [Self::Quick, Self::Long];

    /// The class's name in settings, unit names and queue names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Long => "long",
        }
    }

    /// The class of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}
