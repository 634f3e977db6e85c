//! What a run of `kinoractl storage copy` did, as `status` and alerts read it.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use kinora_core::{ObjectId, ProductionId};
use serde::{Deserialize, Serialize};

/// The newest result, at the top of the copy.
pub(super) const LAST_RUN: &str = "last-run.json";
/// Failures that are told one by one.
const MOST_TOLD: usize = 100;

/// What was done. Times are seconds since 1970, sizes encrypted bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// Whether everything that should be in the copy is there.
    pub(super) ok: bool,
    /// When it ended.
    pub(super) at: u64,
    /// When the last run that this host knows of ended well; none if none did.
    #[serde(default)]
    pub(super) good_at: Option<u64>,
    /// How long it took.
    pub(super) seconds: u64,
    /// Which host did it.
    pub(super) host: String,
    /// The id of the place for copies.
    pub(super) place: String,
    /// What is wrong, in a sentence; none if nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
    pub(super) productions: u64,
    /// In the copy now.
    pub(super) objects: u64,
    pub(super) bytes: u64,
    /// Copied by this run.
    pub(super) copied_objects: u64,
    pub(super) copied_bytes: u64,
    /// Read again and compared.
    pub(super) read_again_objects: u64,
    /// Copies that were damaged and made again.
    pub(super) mended_objects: u64,
    /// In the copy, and not in the database any more; they stay for a while.
    pub(super) gone_objects: u64,
    /// Removed because their time had come.
    pub(super) removed_objects: u64,
    pub(super) manifests_made_anew: u64,
    pub(super) failed_objects: u64,
    /// The first of them.
    pub(super) failures: Vec<FailedObject>,
    /// Where the next run begins to read again.
    pub(super) next_shard: u8,
}

/// An object with which something is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FailedObject {
    production: ProductionId,
    object: ObjectId,
    what: String,
}

impl Outcome {
    /// Adds an object with which something is wrong.
    pub(super) fn fail(&mut self, production: ProductionId, object: ObjectId, what: &str) {
        log::error!(production = production.to_string().as_str(), object = object.to_string().as_str(); "{what}");
        self.failed_objects += 1;
        if self.failures.len() < MOST_TOLD {
            self.failures.push(FailedObject { production, object, what: what.to_owned() });
        }
    }

    /// Ends it: with what stopped it, or else with how it went.
    pub(super) fn end(&mut self, stopped: Option<String>, now: u64) {
        self.seconds = now.saturating_sub(self.at);
        self.at = now;
        let of_objects = (self.failed_objects > 0).then(|| {
            let first = self.failures.first().map_or_else(String::new, |first| {
                format!(", first {} of production {}: {}", first.object, first.production, first.what)
            });
            format!("{} objects have no good copy or are damaged{first}", self.failed_objects)
        });
        self.problem = stopped.or(of_objects);
        self.ok = self.problem.is_none();
        if self.ok {
            self.good_at = Some(now);
        }
    }

    /// One line for people.
    pub(super) fn sentence(&self) -> String {
        let state =
            self.problem.as_ref().map_or_else(|| "ok".to_owned(), |problem| format!("FAILED: {problem}"));
        format!(
            "media copy {state}; {} objects ({}) of {} productions in the copy, {} copied ({}), {} read again, {} mended, \
             {} kept although removed, {} removed, {} s",
            self.objects,
            size(self.bytes),
            self.productions,
            self.copied_objects,
            size(self.copied_bytes),
            self.read_again_objects,
            self.mended_objects,
            self.gone_objects,
            self.removed_objects,
            self.seconds,
        )
    }

    /// Reads the result of an earlier run; none if there is none that can be understood.
    pub(super) fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    /// Writes the result, at once or not at all, readable for everybody on the host.
    pub(super) fn write(&self, path: &Path) -> std::io::Result<()> {
        let part = path.with_extension("part");
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&part)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()?;
        std::fs::rename(&part, path)
    }
}

/// A number of bytes as people read it.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut value = bytes;
    while value >= 10 * 1024 && unit + 1 < UNITS.len() {
        value /= 1024;
        unit += 1;
    }
    format!("{value} {}", UNITS.get(unit).copied().unwrap_or_default())
}
