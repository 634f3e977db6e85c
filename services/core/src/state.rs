//! The states of runs and steps and the transitions between them that are legal.
//!
//! The database holds the state; this is the one place that says what may follow what.

use serde::{Deserialize, Serialize};

/// The state of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Steps it depends on are not done yet.
    Blocked,
    /// Can be handed to a worker.
    Waiting,
    /// Handed to the broker, no word from a worker yet.
    Queued,
    /// A worker has reported that it began.
    Running,
    /// Done; its output is applied.
    Done,
    /// Failed; may be restarted by a person.
    Failed,
    /// Cancelled; may be restarted by a person.
    Cancelled,
}

impl StepState {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Blocked,
        Self::Waiting,
        Self::Queued,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The name in the database and the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Waiting => "waiting",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether a step may go from this state to `next`.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use StepState::{Blocked, Cancelled, Done, Failed, Queued, Running, Waiting};
        match self {
            Blocked => matches!(next, Waiting | Cancelled | Failed),
            Waiting => matches!(next, Queued | Running | Done | Failed | Cancelled),
            // Queued → Done: the report that it began may be overtaken by its result.
            // Queued/Running → Waiting: the attempt was lost and the next one is due.
            Queued => matches!(next, Running | Done | Failed | Cancelled | Waiting),
            Running => matches!(next, Done | Failed | Cancelled | Waiting),
            Done => false,
            Failed | Cancelled => matches!(next, Waiting | Blocked),
        }
    }

    /// Whether nothing happens to the step unless a person acts.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// The state of a run, which follows from its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Some step is not in a final state.
    Active,
    /// All steps are done.
    Done,
    /// A step has failed and nothing else goes on.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl RunState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Active, Self::Done, Self::Failed, Self::Cancelled];

    /// The name in the database and the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The state of a run whose steps are in these states.
    ///
    /// Blocked steps behind a failed or cancelled one do not keep a run active.
    #[must_use]
    pub fn of(steps: &[StepState]) -> Self {
        let has = |state| steps.contains(&state);
        if has(StepState::Waiting) || has(StepState::Queued) || has(StepState::Running) {
            Self::Active
        } else if has(StepState::Failed) {
            Self::Failed
        } else if has(StepState::Cancelled) {
            Self::Cancelled
        } else if steps.iter().all(|state| *state == StepState::Done) {
            Self::Done
        } else {
            Self::Active
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn done_is_the_end_and_nothing_becomes_itself() {
        for state in StepState::ALL {
            assert!(!state.may_become(state), "{state:?}");
            assert!(!StepState::Done.may_become(state), "{state:?}");
            assert_eq!(StepState::from_name(state.name()), Some(state));
        }
    }

    #[test]
    fn final_states_are_left_only_by_restarting() {
        for state in [StepState::Failed, StepState::Cancelled] {
            for next in StepState::ALL {
                let restart = matches!(next, StepState::Waiting | StepState::Blocked);
                assert_eq!(state.may_become(next), restart, "{state:?} → {next:?}");
            }
        }
    }

    #[test]
    fn a_run_follows_from_its_steps() {
        use StepState::{Blocked, Cancelled, Done, Failed, Queued, Running, Waiting};
        let table: [(&[StepState], RunState); 8] = [
            (&[Waiting, Blocked, Blocked], RunState::Active),
            (&[Done, Queued, Blocked], RunState::Active),
            (&[Done, Running, Blocked], RunState::Active),
            (&[Done, Done, Done], RunState::Done),
            (&[Failed, Blocked, Blocked], RunState::Failed),
            (&[Done, Cancelled, Blocked], RunState::Cancelled),
            (&[Failed, Running, Blocked], RunState::Active),
            (&[Done, Done, Blocked], RunState::Active),
        ];
        for (steps, run) in table {
            assert_eq!(RunState::of(steps), run, "{steps:?}");
        }
    }
}
