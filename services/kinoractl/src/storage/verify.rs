//! `kinoractl storage verify` and `storage restore`: every object that the database knows is looked at, and, the other way round,
//! everything in the storage is looked up.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::PgConnection;
use kinora_core::object::SealedObject;
use kinora_core::{ObjectId, ProductionId};
use kinora_store::{object_copies, uploads};
use kinora_vault::{Copies, Vault, VaultError};

use super::report::{Finding, InCopy, Kind, Report};
use super::{PAGE, StorageError, first_object};
use crate::administration::origin;

/// What nobody knows is left alone for so long: an upload or a result may be about to be written down. The same as in the
/// applications' sweep.
const UNKNOWN_AFTER: TimeDelta = TimeDelta::days(2);

/// What is to be done.
pub(super) struct Scope {
    pub(super) production: Option<ProductionId>,
    /// Whether every byte is read.
    pub(super) reads: bool,
    pub(super) repair: bool,
    pub(super) orphans: bool,
    pub(super) mark_orphans: bool,
    pub(super) command: &'static str,
}

/// Doing it.
pub(super) struct Task {
    pub(super) connection: PgConnection,
    pub(super) vault: Vault,
    pub(super) copies: Option<Copies>,
    pub(super) scope: Scope,
    pub(super) report: Report,
}

impl Task {
    /// # Errors
    /// What stops the whole; what is wrong with objects is in the report.
    pub(super) async fn run(&mut self) -> Result<(), StorageError> {
        let outcome = self.objects().await;
        if self.report.repaired > 0 {
            object_copies::record_repair(
                &mut self.connection,
                &origin(self.scope.command),
                self.report.repaired,
            )?;
        }
        outcome?;
        if self.scope.orphans { self.orphans().await } else { Ok(()) }
    }

    async fn objects(&mut self) -> Result<(), StorageError> {
        let mut after = first_object();
        loop {
            let page = object_copies::ids(&mut self.connection, self.scope.production, after, PAGE)?;
            let Some((_, last)) = page.last() else { return Ok(()) };
            after = *last;
            for (production, id) in page {
                self.object(production, id).await?;
            }
        }
    }

    async fn look(&self, object: &SealedObject) -> Result<(), VaultError> {
        if self.scope.reads { self.vault.verify(object).await } else { self.vault.look_at(object).await }
    }

    async fn object(&mut self, production: ProductionId, id: ObjectId) -> Result<(), StorageError> {
        let Some(object) = object_copies::find_wanted(&mut self.connection, id)? else { return Ok(()) };
        self.report.looked_at(object.size_bytes, self.scope.reads);
        let Err(error) = self.look(&object).await else { return Ok(()) };
        kind_of(&error).ok_or(error)?;
        // It may have been moved or removed meanwhile: as it stands now, it must be found once more.
        let Some(object) = object_copies::find_wanted(&mut self.connection, id)? else { return Ok(()) };
        let Err(error) = self.look(&object).await else { return Ok(()) };
        let kind = kind_of(&error).ok_or_else(|| error.clone())?;
        let used = object_copies::use_of(&mut self.connection, id)?;
        let mut finding = Finding {
            kind,
            production,
            object: id,
            asset: used.as_ref().map(|used| used.asset),
            what: used.map_or_else(|| "of no asset".to_owned(), |used| used.what),
            detail: error.to_string(),
            in_copy: InCopy::NoCopy,
            repaired: false,
        };
        self.repair(&object, &mut finding).await?;
        self.report.add(finding);
        Ok(())
    }

    /// Looks at the copy of an object with which something is wrong, and puts it back where that is asked for.
    async fn repair(&self, object: &SealedObject, finding: &mut Finding) -> Result<(), StorageError> {
        let Some(copies) = &self.copies else { return Ok(()) };
        if finding.kind == Kind::NoKey {
            return Ok(());
        }
        let found = self.vault.verify_copy(copies, finding.production, object).await;
        finding.in_copy = match found {
            Ok(()) => InCopy::Good,
            Err(VaultError::NotFound(_)) => InCopy::Missing,
            Err(VaultError::Corrupt(_)) => InCopy::Damaged,
            Err(error) => return Err(error.into()),
        };
        if finding.in_copy == InCopy::Good && self.scope.repair {
            self.vault.put_back(copies, finding.production, object).await?;
            finding.repaired = true;
        }
        Ok(())
    }

    async fn orphans(&mut self) -> Result<(), StorageError> {
        for shard in 0..=u8::MAX {
            let found = self.vault.list(shard).await?;
            for ids in found.chunks(1000) {
                let unknown = uploads::unknown_objects(&mut self.connection, ids)?;
                let before = Utc::now() - UNKNOWN_AFTER;
                let (old, young): (Vec<_>, Vec<_>) =
                    unknown.into_iter().partition(|id| is_older(*id, before));
                self.report.young += young.len() as u64;
                if self.scope.mark_orphans {
                    let origin = origin(self.scope.command);
                    let marked =
                        object_copies::mark_orphans(&mut self.connection, &origin, &old, Utc::now())?;
                    self.report.marked += marked as u64;
                } else {
                    self.report.orphans(&old);
                }
            }
        }
        Ok(())
    }
}

/// What kind of finding an error is; none for one that stops the whole.
fn kind_of(error: &VaultError) -> Option<Kind> {
    match error {
        VaultError::NotFound(_) => Some(Kind::Missing),
        VaultError::Corrupt(_) => Some(Kind::Corrupt),
        VaultError::UnknownMasterKey(_) => Some(Kind::NoKey),
        _ => None,
    }
}

/// Whether an object was begun before that instant; its id tells. One that does not tell is not.
fn is_older(id: ObjectId, than: DateTime<Utc>) -> bool {
    let begun = id.0.get_timestamp().map(|timestamp| timestamp.to_unix());
    begun.is_some_and(|(seconds, _)| i64::try_from(seconds).is_ok_and(|seconds| seconds < than.timestamp()))
}
