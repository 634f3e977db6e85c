//! `kinoractl storage copy`: what was added to the storage since the last run, into the copy. docs/adr/0022.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use diesel::PgConnection;
use kinora_core::object::Segment;
use kinora_core::{ObjectId, ProductionId};
use kinora_store::leader::{COPY_LOCK, Leadership};
use kinora_store::object_copies;
use kinora_store::pool::Connector;
use kinora_vault::{Copies, Entry, Stored, VaultError};

use super::outcome::{LAST_RUN, Outcome};
use super::{PAGE, StorageError, first_object, hostname};

/// What a run is told.
pub(super) struct Plan {
    pub(super) keep_removed: Duration,
    /// Of the 256 shards of objects, the first one that is read again, and how many.
    pub(super) again: (u8, u64),
    /// Whether an empty place is taken although there was another.
    pub(super) is_new_place: bool,
}

/// How a run ended that was not stopped.
pub(super) enum Ended {
    /// All productions were gone through.
    Done,
    /// Another host copies at this moment.
    Elsewhere,
    /// A host copied a while ago.
    Recent(Box<Outcome>),
}

pub(super) struct Run<'a> {
    pub(super) connection: PgConnection,
    pub(super) leadership: &'a mut Leadership,
    pub(super) stored: Stored,
    pub(super) copies: Copies,
    pub(super) plan: Plan,
    pub(super) outcome: &'a mut Outcome,
}

pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Whether this process may copy; none where another one does at this moment.
pub(super) fn lock(connector: &Connector) -> Result<Option<Leadership>, StorageError> {
    Ok(Leadership::try_acquire(connector, COPY_LOCK)?)
}

/// The result of the last run that went well, of any host; none if there is none that can be understood.
pub(super) async fn last(copies: &Copies) -> Result<Option<Outcome>, StorageError> {
    let note = copies.read_note(LAST_RUN).await?;
    Ok(note.and_then(|text| serde_json::from_slice(&text).ok()))
}

/// Whether a run went well less than `within` ago.
pub(super) fn is_recent(last: &Outcome, within: Duration) -> bool {
    last.ok && last.at.saturating_add(within.as_secs()) > now()
}

impl Run<'_> {
    /// Copies what is new of all productions, reads a part again, and removes what was gone for long enough.
    ///
    /// # Errors
    /// What stops the whole: the database, the copy, or a storage that does not answer. What is wrong with single objects is in
    /// the outcome.
    pub(super) async fn all(&mut self, known_place: Option<&str>) -> Result<(), StorageError> {
        self.outcome.place = self.find_place(known_place).await?;
        let mut productions = object_copies::productions(&mut self.connection)?;
        productions.extend(self.copies.productions().await?);
        productions.sort_unstable();
        productions.dedup();
        for production in productions {
            self.leadership.verify()?;
            self.production(production).await?;
            self.outcome.productions += 1;
        }
        let mut told = self.outcome.clone();
        told.end(None, now());
        let text =
            serde_json::to_vec_pretty(&told).map_err(|error| StorageError::Local(error.to_string()))?;
        Ok(self.copies.write_note(LAST_RUN, text.into()).await?)
    }

    /// The id of the place; an empty one gets one, if there was none before.
    async fn find_place(&self, known: Option<&str>) -> Result<String, StorageError> {
        let found = self.copies.identity().await?;
        match (found, known) {
            (Some(found), Some(known)) if found != known && !self.plan.is_new_place => {
                Err(StorageError::OtherPlace)
            }
            (None, Some(_)) if !self.plan.is_new_place => Err(StorageError::EmptyPlace),
            (Some(found), _) => Ok(found),
            (None, _) => {
                // Random enough: an id of an object is made for nothing else here.
                let id = ObjectId::new().to_string();
                self.copies.begin(&id).await?;
                Ok(id)
            }
        }
    }

    async fn production(&mut self, production: ProductionId) -> Result<(), StorageError> {
        let manifest = self.copies.manifest(production).await?;
        if let Some(reason) = manifest.made_anew {
            log::warn!(production = production.to_string().as_str(), reason = reason; "the manifest was made anew from the records");
            self.outcome.manifests_made_anew += 1;
        }
        let before = manifest.entries;
        let mut entries = BTreeMap::new();
        let mut gone = before.clone();
        let mut after = first_object();
        loop {
            let page = object_copies::page(&mut self.connection, production, after, PAGE)?;
            let Some((last, _)) = page.last() else { break };
            after = *last;
            for (object, segments) in page {
                let known = gone.remove(&object).map(|entry| Entry { gone_since: None, ..entry });
                let entry = match known {
                    Some(entry) => Some(entry),
                    None => self.object(production, object, &segments).await?,
                };
                if let Some(entry) = entry {
                    self.read_again(production, &entry, true).await?;
                    entries.insert(object, entry);
                }
            }
        }
        for entry in gone.into_values() {
            if let Some(entry) = self.gone(production, entry).await? {
                entries.insert(entry.object, entry);
            }
        }
        let held = entries.values();
        self.outcome.objects += held.len() as u64;
        self.outcome.bytes += held.map(Entry::stored_bytes).sum::<u64>();
        if entries != before || manifest.made_anew.is_some() {
            self.copies.write_manifest(production, &entries).await?;
        }
        Ok(())
    }

    /// Copies one object. None where the storage does not have it.
    async fn object(
        &mut self,
        production: ProductionId,
        object: ObjectId,
        segments: &[Segment],
    ) -> Result<Option<Entry>, StorageError> {
        match self.copies.copy(&self.stored, production, object, segments, now()).await {
            Ok((entry, bytes)) => {
                self.outcome.copied_objects += 1;
                self.outcome.copied_bytes += bytes;
                Ok(Some(entry))
            }
            Err(error @ (VaultError::NotFound(_) | VaultError::Corrupt(_))) => {
                // Somebody may have removed it since it was listed.
                if object_copies::is_wanted(&mut self.connection, object)? {
                    self.outcome.fail(production, object, &format!("cannot be copied: {error}"));
                }
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What happens to a copy whose object the database does not know. None if it is gone now.
    async fn gone(&mut self, production: ProductionId, entry: Entry) -> Result<Option<Entry>, StorageError> {
        let since = entry.gone_since.unwrap_or_else(now);
        if since.saturating_add(self.plan.keep_removed.as_secs()) > now() {
            self.outcome.gone_objects += 1;
            self.read_again(production, &entry, false).await?;
            return Ok(Some(Entry { gone_since: Some(since), ..entry }));
        }
        match self.copies.remove(production, entry.object).await {
            Ok(()) => {
                self.outcome.removed_objects += 1;
                Ok(None)
            }
            // A lock of the bucket, for example. It is tried again.
            Err(error) => {
                log::warn!(object = entry.object.to_string().as_str(); "a copy that is not needed any more cannot be removed: {error}");
                self.outcome.gone_objects += 1;
                Ok(Some(Entry { gone_since: Some(since), ..entry }))
            }
        }
    }

    /// Reads a copy again if it is its turn, and, where `has_source`, what it is a copy of. A damaged copy is mended from a
    /// storage that still has the same bytes.
    async fn read_again(
        &mut self,
        production: ProductionId,
        entry: &Entry,
        has_source: bool,
    ) -> Result<(), StorageError> {
        if !is_turn(entry.object, self.plan.again) {
            return Ok(());
        }
        self.outcome.read_again_objects += 1;
        let is_damage =
            |error: &VaultError| matches!(error, VaultError::NotFound(_) | VaultError::Corrupt(_));
        let copy = match self.copies.compare(production, entry).await {
            Err(error) if !is_damage(&error) => return Err(error.into()),
            other => other,
        };
        let source = match self.stored.compare(entry).await {
            _ if !has_source => Err(VaultError::NotFound(String::new())),
            Err(error) if !is_damage(&error) => return Err(error.into()),
            other => other,
        };
        match (copy, source) {
            (Ok(_), Ok(_)) => {}
            (Err(error), Ok(_)) => {
                log::warn!(object = entry.object.to_string().as_str(); "the copy was damaged ({error}) and is made again");
                self.copies.mend(&self.stored, production, entry).await?;
                self.outcome.mended_objects += 1;
            }
            (Ok(_), Err(_)) if !has_source => {}
            (Ok(_), Err(error)) => {
                if object_copies::is_wanted(&mut self.connection, entry.object)? {
                    let what = format!(
                        "in the storage {error}; the copy is good: kinora-admin storage verify --repair"
                    );
                    self.outcome.fail(production, entry.object, &what);
                }
            }
            (Err(error), Err(_)) if !has_source => {
                self.outcome.fail(
                    production,
                    entry.object,
                    &format!("the copy of a removed object: {error}"),
                );
            }
            (Err(copy), Err(source)) => {
                let what = format!("both are damaged: in the copy {copy}, in the storage {source}");
                self.outcome.fail(production, entry.object, &what);
            }
        }
        Ok(())
    }
}

/// Whether an object is among the shards (last two digits of its id) that a run reads again.
fn is_turn(object: ObjectId, (first, count): (u8, u64)) -> bool {
    let shard = object.0.as_bytes().last().copied().unwrap_or_default();
    u64::from(shard.wrapping_sub(first)) < count
}

/// The outcome of a run that begins now.
pub(super) fn begin(again: (u8, u64)) -> Outcome {
    let next = again.0.wrapping_add(u8::try_from(again.1 % 256).unwrap_or_default());
    Outcome { host: hostname(), next_shard: next, at: now(), ..Outcome::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_object_has_its_turn_once_in_a_round() {
        let objects: Vec<ObjectId> = (0..=255_u128)
            .map(|shard| format!("01890a5d-ac96-774b-bcce-b302099a80{shard:02x}").parse().unwrap())
            .collect();
        for count in [1, 9, 16, 86, 128, 256] {
            let mut seen = [0; 256];
            let mut first = 250_u8;
            for _ in 0..256_u64.div_ceil(count) {
                for (object, seen) in objects.iter().zip(&mut seen) {
                    *seen += u32::from(is_turn(*object, (first, count)));
                }
                first = begin((first, count)).next_shard;
            }
            assert!(seen.iter().all(|times| (1..=2).contains(times)), "{count}: {seen:?}");
        }
    }
}
