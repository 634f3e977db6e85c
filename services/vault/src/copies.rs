//! Copies of objects, as they lie in the vault, in a second place. No key is needed to make or compare them.
//!
//! ```text
//! kinora-media-copy.json                              a random id, to notice another or an empty place
//! productions/<production id>/manifest.jsonl          all entries of the production, and a checksum over them
//! productions/<production id>/<aa>/<object id>/       laid out as a vault
//!     <segment number, 8 hexadecimal digits>          its stored bytes
//!     record.json                                     lengths and SHA-256; written last: without it nothing was copied
//! ```
//!
//! The records are what counts. A manifest is made from them, and made anew where it is damaged.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use kinora_core::object::Segment;
use kinora_core::{ObjectId, ProductionId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::VaultError;
use crate::frame::stored_bytes;
use crate::place::directory::Directory;
use crate::place::s3::Bucket;
use crate::place::shelf::Shelf;
use crate::place::{Place, object_path};
use crate::settings::CopyPlace;
use crate::stored::{Stored, compare, transfer};

const MARK: &str = "kinora-media-copy.json";
const PRODUCTIONS: &str = "productions";
const FORMAT: u32 = 1;
/// What a new file system has although it is empty.
const NOTHING: &str = "lost+found";

/// A segment in the copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Its number in the object.
    pub number: u32,
    /// How long it is, encrypted.
    pub stored_bytes: u64,
    /// SHA-256 of the encrypted bytes, lower-case hexadecimal.
    pub sha256: String,
}

/// An object in the copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The object.
    pub object: ObjectId,
    /// When it was copied, seconds since 1970.
    pub copied_at: u64,
    /// Since when the database does not know it any more, seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_since: Option<u64>,
    /// Its segments that are not empty, in order.
    pub segments: Vec<Held>,
}

impl Entry {
    /// Encrypted bytes of all segments.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        self.segments.iter().map(|held| held.stored_bytes).sum()
    }
}

#[derive(Serialize, Deserialize)]
struct Record {
    format: u32,
    #[serde(flatten)]
    entry: Entry,
}

#[derive(Serialize, Deserialize)]
struct Mark {
    format: u32,
    id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seal {
    entries: usize,
    sha256: String,
}

/// What the copy has of a production.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    /// Its objects.
    pub entries: BTreeMap<ObjectId, Entry>,
    /// Why it was made anew from the records, if it was.
    pub made_anew: Option<&'static str>,
}

/// The copies. Cheap to clone.
#[derive(Clone)]
pub struct Copies {
    shelf: Arc<dyn Shelf>,
}

fn not_understood(path: &str) -> VaultError {
    VaultError::Corrupt(format!("{path} in the copy"))
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, VaultError> {
    serde_json::to_vec(value).map_err(|error| VaultError::Source(error.to_string()))
}

impl Copies {
    /// Takes a place into use. Does not reach out to S3.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] if the directory is not there; [`VaultError::Settings`] if S3 cannot be used.
    pub fn open(place: &CopyPlace) -> Result<Self, VaultError> {
        let shelf: Arc<dyn Shelf> = match place {
            CopyPlace::Directory(root) => Arc::new(Directory::open_existing(root)?),
            CopyPlace::S3(settings, credentials) => {
                Arc::new(Bucket::open("copy", settings, Some(credentials))?)
            }
        };
        Ok(Self { shelf })
    }

    /// The id of this place; none if nothing was ever copied to it.
    ///
    /// # Errors
    /// [`VaultError::Corrupt`] if it cannot be understood; the errors of the place.
    pub async fn identity(&self) -> Result<Option<String>, VaultError> {
        let Some(text) = self.shelf.read(MARK).await? else { return Ok(None) };
        let mark: Mark = serde_json::from_slice(&text).map_err(|_| not_understood(MARK))?;
        if mark.format == FORMAT { Ok(Some(mark.id)) } else { Err(not_understood(MARK)) }
    }

    /// Gives an empty place an id.
    ///
    /// # Errors
    /// [`VaultError::Settings`] if something else is there; the errors of the place.
    pub async fn begin(&self, id: &str) -> Result<(), VaultError> {
        let names = self.shelf.names("").await?;
        if let Some(name) = names.iter().find(|name| *name != NOTHING && !name.ends_with(".part")) {
            return Err(VaultError::Settings(format!(
                "the place for copies has no {MARK} and is not empty ({name}): give it a place of its own"
            )));
        }
        self.shelf.write(MARK, json(&Mark { format: FORMAT, id: id.to_owned() })?.into()).await
    }

    /// A small file at the top of the copy; none if there is no such file.
    ///
    /// # Errors
    /// The errors of the place.
    pub async fn read_note(&self, name: &str) -> Result<Option<Bytes>, VaultError> {
        self.shelf.read(name).await
    }

    /// Writes a small file at the top of the copy.
    ///
    /// # Errors
    /// The errors of the place.
    pub async fn write_note(&self, name: &str, content: Bytes) -> Result<(), VaultError> {
        self.shelf.write(name, content).await
    }

    /// The productions of which anything is there.
    ///
    /// # Errors
    /// The errors of the place.
    pub async fn productions(&self) -> Result<Vec<ProductionId>, VaultError> {
        let names = self.shelf.names(PRODUCTIONS).await?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// What the copy has of a production. Where the manifest is missing or damaged, from its records.
    ///
    /// # Errors
    /// The errors of the place.
    pub async fn manifest(&self, production: ProductionId) -> Result<Manifest, VaultError> {
        let text = self.shelf.read(&manifest_path(production)).await?;
        let made_anew = match text.as_deref().map(|text| parse_manifest(text, production)) {
            Some(Some(entries)) => return Ok(Manifest { entries, made_anew: None }),
            Some(None) => Some("it was damaged"),
            None => None,
        };
        let place = self.place(production);
        let mut entries = BTreeMap::new();
        for shard in 0..=u8::MAX {
            for object in place.list(shard).await? {
                if let Some(entry) = self.record(production, object).await? {
                    entries.insert(object, entry);
                }
            }
        }
        // Killed before the first manifest is no damage.
        Ok(Manifest { entries, made_anew })
    }

    /// Writes the manifest of a production.
    ///
    /// # Errors
    /// The errors of the place.
    pub async fn write_manifest(
        &self,
        production: ProductionId,
        entries: &BTreeMap<ObjectId, Entry>,
    ) -> Result<(), VaultError> {
        let mut text = json(&serde_json::json!({ "format": FORMAT, "production": production }))?;
        for entry in entries.values() {
            text.push(b'\n');
            text.extend_from_slice(&json(entry)?);
        }
        text.push(b'\n');
        let sha256 = hex::encode(Sha256::digest(&text));
        text.extend_from_slice(&json(&Seal { entries: entries.len(), sha256 })?);
        text.push(b'\n');
        self.shelf.write(&manifest_path(production), text.into()).await
    }

    /// The record of an object; none if it was not copied, or its record is damaged.
    ///
    /// # Errors
    /// The errors of the place.
    pub async fn record(
        &self,
        production: ProductionId,
        object: ObjectId,
    ) -> Result<Option<Entry>, VaultError> {
        let Some(text) = self.shelf.read(&record_path(production, object)).await? else { return Ok(None) };
        let record = serde_json::from_slice::<Record>(&text).ok();
        Ok(record.filter(|it| it.format == FORMAT && it.entry.object == object).map(|it| it.entry))
    }

    /// Copies an object, unless it is there already. Tells its entry, and how many bytes were copied.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] or [`VaultError::Corrupt`] (too short) if the vault does not have it; the errors of both places.
    pub async fn copy(
        &self,
        stored: &Stored,
        production: ProductionId,
        object: ObjectId,
        segments: &[Segment],
        now: u64,
    ) -> Result<(Entry, u64), VaultError> {
        if let Some(entry) = self.record(production, object).await? {
            return Ok((entry, 0));
        }
        let place = self.place(production);
        let mut held = Vec::with_capacity(segments.len());
        for segment in segments.iter().filter(|segment| segment.length_bytes > 0) {
            let (number, stored_bytes) = (segment.number, stored_bytes(segment.length_bytes));
            let source = stored.source(object, number).await?;
            let sink = place.replace(object, number, stored_bytes).await?;
            let sha256 = transfer(source.as_ref(), sink, stored_bytes, None).await?;
            held.push(Held { number, stored_bytes, sha256 });
        }
        let entry = Entry { object, copied_at: now, gone_since: None, segments: held };
        self.write_record(production, &entry).await?;
        let copied_bytes = entry.stored_bytes();
        Ok((entry, copied_bytes))
    }

    /// Copies what is damaged or missing in the copy of an object again, if the vault has exactly what was copied once.
    ///
    /// # Errors
    /// [`VaultError::Corrupt`] or [`VaultError::NotFound`] if it has not: nothing was changed then. The errors of both places.
    pub async fn mend(
        &self,
        stored: &Stored,
        production: ProductionId,
        entry: &Entry,
    ) -> Result<(), VaultError> {
        stored.compare(entry).await?;
        let place = self.place(production);
        for held in &entry.segments {
            let source = stored.source(entry.object, held.number).await?;
            let sink = place.replace(entry.object, held.number, held.stored_bytes).await?;
            transfer(source.as_ref(), sink, held.stored_bytes, Some(&held.sha256)).await?;
        }
        self.write_record(production, &Entry { gone_since: None, ..entry.clone() }).await
    }

    /// Reads a copy again: whether it is still what was copied. Tells how many bytes were read.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] or [`VaultError::Corrupt`] if it is not; the errors of the place.
    pub async fn compare(&self, production: ProductionId, entry: &Entry) -> Result<u64, VaultError> {
        let place = self.place(production);
        for held in &entry.segments {
            let source = place.open(entry.object, held.number).await?;
            compare(source.as_ref(), entry.object, held).await?;
        }
        Ok(entry.stored_bytes())
    }

    /// Removes an object from the copy. Nothing there is no error.
    ///
    /// # Errors
    /// The errors of the place.
    pub async fn remove(&self, production: ProductionId, object: ObjectId) -> Result<(), VaultError> {
        self.place(production).delete(object).await
    }

    /// The copies of a production, laid out as a vault.
    pub(crate) fn place(&self, production: ProductionId) -> Arc<dyn Place> {
        self.shelf.place(&format!("{PRODUCTIONS}/{production}"))
    }

    async fn write_record(&self, production: ProductionId, entry: &Entry) -> Result<(), VaultError> {
        let text = json(&Record { format: FORMAT, entry: entry.clone() })?;
        self.shelf.write(&record_path(production, entry.object), text.into()).await
    }
}

fn manifest_path(production: ProductionId) -> String {
    format!("{PRODUCTIONS}/{production}/manifest.jsonl")
}

fn record_path(production: ProductionId, object: ObjectId) -> String {
    format!("{PRODUCTIONS}/{production}/{}/record.json", object_path(object))
}

/// The entries of a manifest; none if it is not as it was written, or of another production.
fn parse_manifest(text: &[u8], production: ProductionId) -> Option<BTreeMap<ObjectId, Entry>> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
        production: ProductionId,
    }
    let body = text.strip_suffix(b"\n")?;
    let end = body.iter().rposition(|byte| *byte == b'\n')? + 1;
    let (sealed, seal) = body.split_at_checked(end)?;
    let seal: Seal = serde_json::from_slice(seal).ok()?;
    if hex::encode(Sha256::digest(sealed)) != seal.sha256 {
        return None;
    }
    let mut lines = sealed.strip_suffix(b"\n")?.split(|byte| *byte == b'\n');
    let head: Head = serde_json::from_slice(lines.next()?).ok()?;
    if head.format != FORMAT || head.production != production {
        return None;
    }
    let entries = lines
        .map(|line| serde_json::from_slice::<Entry>(line).ok().map(|entry| (entry.object, entry)))
        .collect::<Option<BTreeMap<_, _>>>()?;
    (entries.len() == seal.entries).then_some(entries)
}
