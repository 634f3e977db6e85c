//! The steps: from an order's input to its output, with everything they need at hand.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kinora_core::message::Progress;
use kinora_core::object::SealedObject;
use kinora_core::step::{Derivative, StepInput, StepOutput};
use kinora_core::technical::Technical;
use kinora_vault::{ObjectReader, Vault, VaultError};
use tokio_util::sync::CancellationToken;

use crate::StepError;
use crate::child::{Bounds, Tools};
use crate::original::failure;
use crate::probe::probe;
use crate::render::{Made, render};
use crate::scratch::Scratch;
use crate::settings::MediaSettings;

/// What all steps need.
#[derive(Debug)]
pub struct Workshop {
    /// The media programs.
    pub tools: Tools,
    /// Where originals are and derivatives go.
    pub vault: Vault,
    /// Where things are made.
    pub scratch: Scratch,
    /// Time limits.
    pub media: MediaSettings,
}

impl Workshop {
    /// Does the step `input`; `told` is called with each word of progress.
    ///
    /// After an error nothing is left in scratch or vault.
    ///
    /// # Errors
    /// [`StepError::Cancelled`] once `cancel` is, or why it has failed.
    pub async fn perform(
        &self,
        input: &StepInput,
        cancel: &CancellationToken,
        told: impl Fn(Progress) + Send + Sync,
    ) -> Result<StepOutput, StepError> {
        match input {
            StepInput::Probe { original, file_name } => self.probe(original, file_name, cancel).await,
            StepInput::Settle { original } => self.settle(original, cancel, told).await,
            StepInput::Render { original, technical } => self.render(original, technical, cancel, told).await,
        }
    }

    fn reader(&self, original: &SealedObject) -> Result<Arc<ObjectReader>, StepError> {
        Ok(Arc::new(self.vault.reader(original).map_err(stored)?))
    }

    fn bounds(&self, cancel: &CancellationToken, length: Duration) -> Bounds {
        Bounds { cancel: cancel.clone(), time_limit: self.media.time_limit(length) }
    }

    async fn probe(
        &self,
        original: &SealedObject,
        file_name: &str,
        cancel: &CancellationToken,
    ) -> Result<StepOutput, StepError> {
        let bounds = self.bounds(cancel, Duration::ZERO);
        let probed = probe(&self.tools, self.reader(original)?, &bounds).await?.named(file_name);
        let raw_probe =
            bounds.within(async { self.vault.put_bytes(probed.raw).await.map_err(stored) }).await?;
        Ok(StepOutput::Probe { technical: probed.technical, raw_probe })
    }

    async fn settle(
        &self,
        original: &SealedObject,
        cancel: &CancellationToken,
        told: impl Fn(Progress) + Send + Sync,
    ) -> Result<StepOutput, StepError> {
        // An hour of copying for each ten gigabytes is more than any storage in use needs.
        let length = Duration::from_secs(original.size_bytes / 3_000_000);
        let moving = async {
            let tell = |bytes: u64| {
                // Frames are a little larger as stored.
                let fraction = (bytes as f64 / original.size_bytes.max(1) as f64).min(1.0) as f32;
                told(Progress { fraction: Some(fraction), ..Progress::default() });
            };
            self.vault.settle_with(original, tell).await.map_err(stored)
        };
        let original = self.bounds(cancel, length).within(moving).await?;
        Ok(StepOutput::Settle { original })
    }

    async fn render(
        &self,
        original: &SealedObject,
        technical: &Technical,
        cancel: &CancellationToken,
        told: impl Fn(Progress) + Send + Sync,
    ) -> Result<StepOutput, StepError> {
        let length = Duration::from_micros(technical.duration_us.unwrap_or(0));
        let bounds = self.bounds(cancel, length);
        let scratch = self.scratch.job().map_err(StepError::internal)?;
        let reader = self.reader(original)?;
        let rendered = render(&self.tools, reader, technical, scratch.path(), &bounds, told).await?;
        let derivatives = self.seal(&rendered.made, cancel).await?;
        remove(scratch.path());
        Ok(StepOutput::Render { derivatives, analysis: rendered.analysis, warnings: rendered.warnings })
    }

    /// Puts what was made into the vault. A cancellation waits for the file at hand, so that no half
    /// object is left, and then takes back what was put.
    async fn seal(&self, made: &[Made], cancel: &CancellationToken) -> Result<Vec<Derivative>, StepError> {
        let mut derivatives: Vec<Derivative> = Vec::with_capacity(made.len());
        for Made { kind, media_type, path } in made {
            let put = if cancel.is_cancelled() {
                Err(StepError::Cancelled)
            } else {
                self.vault.put_file(path).await.map_err(stored)
            };
            match put {
                Ok(object) => {
                    derivatives.push(Derivative {
                        kind: *kind,
                        media_type: (*media_type).to_owned(),
                        object,
                    });
                }
                Err(error) => {
                    for derivative in &derivatives {
                        if let Err(error) = self.vault.delete(derivative.object.id).await {
                            log::warn!(object:% = derivative.object.id; "not taken back: {error}");
                        }
                    }
                    return Err(error);
                }
            }
        }
        Ok(derivatives)
    }
}

/// What is in the vault need not stand in clear any longer.
fn remove(scratch: &Path) {
    if let Err(error) = std::fs::remove_dir_all(scratch) {
        log::error!(path:% = scratch.display(); "the scratch directory could not be removed: {error}");
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn stored(error: VaultError) -> StepError {
    failure(&error).into()
}
