//! The workflows: which steps a run has, and which of them must be done before which.
//!
//! The application starts runs and the backend moves them on, so what a run consists of stands here
//! where both see it. A workflow that changes gets a new version; runs that were started with an
//! older one keep the steps they have.

use crate::object::Place;
use crate::step::StepKind;

/// Name of the workflow that makes a delivered file watchable.
pub const INGEST: &str = "ingest";
/// Version of [`ingest`].
pub const INGEST_VERSION: i32 = 1;

/// A step as planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedStep {
    /// What it does; each kind is at most once in a run.
    pub kind: StepKind,
    /// What must be done before.
    pub needs: Vec<StepKind>,
}

/// The steps of the workflow [`INGEST`] for an original that is in `place`: probe, then one decoding
/// pass, then publish; an original that is still in staging is moved to the object store meanwhile.
#[must_use]
pub fn ingest(place: Place) -> Vec<PlannedStep> {
    let step = |kind, needs: &[StepKind]| PlannedStep { kind, needs: needs.to_vec() };
    let probe = step(StepKind::Probe, &[]);
    let render = step(StepKind::Render, &[StepKind::Probe]);
    match place {
        Place::Store => vec![probe, render, step(StepKind::Publish, &[StepKind::Render])],
        Place::Staging => vec![
            probe,
            step(StepKind::Settle, &[]),
            render,
            step(StepKind::Publish, &[StepKind::Settle, StepKind::Render]),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_need_stands_before_and_no_kind_twice() {
        for place in [Place::Staging, Place::Store] {
            let mut seen = Vec::new();
            for step in ingest(place) {
                assert!(step.needs.iter().all(|need| seen.contains(need)), "{step:?}");
                assert!(!seen.contains(&step.kind), "{step:?}");
                seen.push(step.kind);
            }
            assert_eq!(seen.last(), Some(&StepKind::Publish));
            assert_eq!(seen.contains(&StepKind::Settle), place == Place::Staging);
        }
    }
}
