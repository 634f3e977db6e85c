//! Assets: what they can be, and where they stand.

use serde::{Deserialize, Serialize};

/// What kind of thing an asset is, known after the probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AssetKind {
    /// Not probed yet, or not media.
    Unknown,
    /// Moving picture, with or without sound.
    Video,
    /// Sound alone.
    Audio,
    /// One picture.
    Still,
}

/// Where an asset stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AssetStatus {
    /// Its ingest is under way.
    Processing,
    /// It can be watched.
    Ready,
    /// Its ingest has failed; the original is kept.
    Failed,
    /// Its ingest was cancelled; the original is kept.
    Cancelled,
}

macro_rules! named {
    ($type:ident, [$($variant:ident => $name:literal),+ $(,)?]) => {
        impl $type {
            /// All values.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// The name in the database and the API.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The value of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

named!(AssetKind, [Unknown => "unknown", Video => "video", Audio => "audio", Still => "still"]);
named!(AssetStatus, [Processing => "processing", Ready => "ready", Failed => "failed", Cancelled => "cancelled"]);
