//! Step contracts: what each kind of step gets, and what it gives back.
//!
//! To add a kind: a variant in [`StepKind`], [`StepInput`] and [`StepOutput`] here, an
//! implementation in the worker, and its place in a workflow in the backend.

use serde::{Deserialize, Serialize};

use crate::object::SealedObject;
use crate::queue::QueueClass;
use crate::technical::{Analysis, Technical};

/// The kinds of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Find out what the original is (worker, quick).
    Probe,
    /// Move the original from staging to the object store (worker, long; only with S3).
    Settle,
    /// One decoding pass: proxy, poster, filmstrip, waveform, loudness, shot changes (worker, long).
    Render,
    /// Make the results visible (backend itself, in one transaction).
    Publish,
}

impl StepKind {
    /// The name in the database, the API and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Probe => "probe",
            Self::Settle => "settle",
            Self::Render => "render",
            Self::Publish => "publish",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Probe, Self::Settle, Self::Render, Self::Publish].into_iter().find(|kind| kind.name() == name)
    }

    /// Where the step's orders go; none for what the backend does itself.
    #[must_use]
    pub fn queue_class(self) -> Option<QueueClass> {
        match self {
            Self::Probe => Some(QueueClass::Quick),
            Self::Settle | Self::Render => Some(QueueClass::Long),
            Self::Publish => None,
        }
    }
}

/// What a worker is told to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "short-lived: made, serialised, dropped")]
pub enum StepInput {
    /// See [`StepKind::Probe`].
    Probe {
        /// What to look at.
        original: SealedObject,
        /// The delivered file's name: it is compared with what is in the file, and never a path.
        file_name: String,
    },
    /// See [`StepKind::Settle`].
    Settle {
        /// What to move.
        original: SealedObject,
    },
    /// See [`StepKind::Render`].
    Render {
        /// What to decode.
        original: SealedObject,
        /// What the probe found.
        technical: Technical,
    },
}

impl StepInput {
    /// The kind this is the input of.
    #[must_use]
    pub fn kind(&self) -> StepKind {
        match self {
            Self::Probe { .. } => StepKind::Probe,
            Self::Settle { .. } => StepKind::Settle,
            Self::Render { .. } => StepKind::Render,
        }
    }
}

/// What a worker gives back. Objects in it are in the vault, durable, and belong to nobody until the
/// backend has applied the result; those of a result that is ignored are removed later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "short-lived: made, serialised, dropped")]
pub enum StepOutput {
    /// See [`StepKind::Probe`].
    Probe {
        /// The normalised facts.
        technical: Technical,
        /// The raw ffprobe output (JSON), kept for support.
        raw_probe: SealedObject,
    },
    /// See [`StepKind::Settle`].
    Settle {
        /// The same object in its new place.
        original: SealedObject,
    },
    /// See [`StepKind::Render`].
    Render {
        /// What was made.
        derivatives: Vec<Derivative>,
        /// Loudness and shot changes.
        analysis: Analysis,
        /// What was not right about the file, in the user's words ("The file ends early …").
        warnings: Vec<String>,
    },
}

/// The kinds of derivatives; one of each kind per version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DerivativeKind {
    /// H.264/AAC MP4 (audio only: AAC in MP4), for playing in a browser.
    Proxy,
    /// One JPEG, for lists.
    Poster,
    /// One JPEG sprite sheet that holds all filmstrip tiles.
    Filmstrip,
    /// WebVTT that says which tile of the sprite stands for which time (`…#xywh=x,y,w,h`).
    FilmstripIndex,
    /// Waveform in the audiowaveform binary format, version 2.
    Waveform,
    /// The raw ffprobe output.
    RawProbe,
}

impl DerivativeKind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Proxy, Self::Poster, Self::Filmstrip, Self::FilmstripIndex, Self::Waveform, Self::RawProbe];

    /// The name in the database and the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Poster => "poster",
            Self::Filmstrip => "filmstrip",
            Self::FilmstripIndex => "filmstrip_index",
            Self::Waveform => "waveform",
            Self::RawProbe => "raw_probe",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One derivative, in the vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Derivative {
    /// What it is.
    pub kind: DerivativeKind,
    /// Its media type, for `Content-Type`.
    pub media_type: String,
    /// Where it is.
    pub object: SealedObject,
}
