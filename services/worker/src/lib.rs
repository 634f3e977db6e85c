//! The worker: does the steps that touch media. It takes orders from the broker, reads originals
//! from the vault, runs FFmpeg on them in confinement, seals what comes out into the vault, and
//! reports. It has no way to the database.

pub mod child;
pub mod confinement;
pub mod consumer;
pub mod feed;
pub mod jobs;
pub mod original;
pub mod probe;
pub mod render;
pub mod scratch;
pub mod service;
pub mod settings;
pub mod steps;

pub use settings::WorkerSettings;

/// How a step can end other than well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// It was told to stop; nothing is left behind.
    #[error("cancelled")]
    Cancelled,
    /// It has failed, for a reason the user gets to read.
    #[error("{} {}", .0.message, .0.detail.as_deref().unwrap_or_default())]
    Failed(kinora_core::Failure),
}

impl From<kinora_core::Failure> for StepError {
    fn from(failure: kinora_core::Failure) -> Self {
        Self::Failed(failure)
    }
}

impl StepError {
    /// A defect of ours or of the machine, with its technical detail.
    pub fn internal(detail: impl std::fmt::Display) -> Self {
        Self::Failed(
            kinora_core::Failure::new(kinora_core::FailureCode::Internal).with_detail(detail.to_string()),
        )
    }
}
