//! Why something did not work, for the person who waits for it.
//!
//! A failure has a sentence in the user's words and a technical detail one click away. The code is
//! what programs and translations go by; it is written into the database and must not be renamed.

use serde::{Deserialize, Serialize};

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// The file is not one of the media formats that can be read.
    NotMedia,
    /// The file is empty.
    EmptyFile,
    /// The file ends before its index (an MP4 without `moov`), so nothing in it can be found.
    Truncated,
    /// The file was recognised but its content could not be decoded.
    Undecodable,
    /// The stored bytes do not match their checksum or authentication tag.
    Corrupt,
    /// The original is not in the storage.
    MissingObject,
    /// Storage could not be reached or is full.
    Storage,
    /// The step ran longer than it may.
    TimedOut,
    /// The step was tried as often as allowed and its worker was lost each time.
    WorkerLost,
    /// Somebody cancelled it.
    Cancelled,
    /// A step that this one needs has failed.
    Upstream,
    /// A defect in Kinora.
    Internal,
}

impl FailureCode {
    /// Whether another attempt of the same step can succeed without anybody changing anything.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Storage | Self::WorkerLost | Self::Internal)
    }

    /// The sentence shown to the person, without the technical detail.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NotMedia => "This is not a media file we can read.",
            Self::EmptyFile => "The file is empty: not a media file we can read.",
            Self::Truncated => {
                "The file is incomplete: its index is missing. It was probably cut off while it was \
                 copied. Upload it again from the source."
            }
            Self::Undecodable => "The file was recognised, but its picture or sound could not be decoded.",
            Self::Corrupt => "The stored file is damaged. Restore it from the backup or upload it again.",
            Self::MissingObject => {
                "The stored file is missing. Restore it from the backup or upload it again."
            }
            Self::Storage => "The storage could not be used. It is tried again automatically.",
            Self::TimedOut => "This took longer than allowed and was stopped.",
            Self::WorkerLost => "The machine that worked on this was lost several times.",
            Self::Cancelled => "This was cancelled.",
            Self::Upstream => "A step before this one failed.",
            Self::Internal => "Something went wrong inside Kinora. The details are in the log.",
        }
    }
}

/// A failure as it is stored, sent and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Failure {
    /// What kind of failure it was.
    pub code: FailureCode,
    /// A sentence in the user's words.
    pub message: String,
    /// Technical detail for support; at most [`Failure::MAX_DETAIL_BYTES`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Failure {
    /// Longest detail that is kept: enough for the end of a decoder's log.
    pub const MAX_DETAIL_BYTES: usize = 4096;

    /// A failure with the standard sentence of its code.
    #[must_use]
    pub fn new(code: FailureCode) -> Self {
        Self { code, message: code.sentence().to_owned(), detail: None }
    }

    /// Adds the technical detail, keeping its end if it is too long (the end says what went wrong).
    #[must_use]
    pub fn with_detail(mut self, detail: impl AsRef<str>) -> Self {
        let text = detail.as_ref();
        let mut start = text.len().saturating_sub(Self::MAX_DETAIL_BYTES);
        while !text.is_char_boundary(start) {
            start += 1;
        }
        self.detail = text.get(start..).filter(|kept| !kept.is_empty()).map(str::to_owned);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detail_keeps_its_end_at_a_character_boundary() {
        let text = "é".repeat(4000) + "the end";
        let failure = Failure::new(FailureCode::Undecodable).with_detail(&text);
        let detail = failure.detail.unwrap_or_default();
        assert!(detail.ends_with("the end"));
        assert!(detail.len() <= Failure::MAX_DETAIL_BYTES);
        assert_eq!(Failure::new(FailureCode::NotMedia).with_detail("").detail, None);
    }
}
