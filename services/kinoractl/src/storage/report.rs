//! What `kinoractl storage verify` and `storage restore` found, for people and for programs.

use std::time::{Duration, Instant};

use kinora_core::{AssetId, ObjectId, ProductionId};
use serde::Serialize;

use super::outcome::size;
use super::verify::Scope;

/// Findings that are kept for the JSON document; all are counted.
const MOST_KEPT: usize = 10_000;
/// Between two lines that say how far it is.
const PROGRESS: Duration = Duration::from_secs(30);

/// What is wrong with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Missing,
    Corrupt,
    NoKey,
}

/// How its copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum InCopy {
    Good,
    Missing,
    Damaged,
    /// No copy is set up, or it was of no use to look.
    NoCopy,
}

/// An object with which something is wrong.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) kind: Kind,
    pub(super) production: ProductionId,
    pub(super) object: ObjectId,
    pub(super) asset: Option<AssetId>,
    /// "original", or which derivative it is.
    pub(super) what: String,
    pub(super) detail: String,
    pub(super) in_copy: InCopy,
    pub(super) repaired: bool,
}

impl Finding {
    fn sentence(&self) -> String {
        let kind = match self.kind {
            Kind::Missing => "MISSING",
            Kind::Corrupt => "CORRUPT",
            Kind::NoKey => "NO KEY ",
        };
        let end = match (self.repaired, self.in_copy) {
            (true, _) => "repaired from the copy, and read again",
            (false, InCopy::Good) => "the copy is good",
            (false, InCopy::Missing) => "NOT in the copy",
            (false, InCopy::Damaged) => "the copy is damaged, too",
            (false, InCopy::NoCopy) => "not repaired",
        };
        let asset = self.asset.map_or_else(String::new, |asset| format!(" of asset {asset}"));
        format!(
            "  {kind}  object {}, {}{asset}, production {}\n           {}: {end}",
            self.object, self.what, self.production, self.detail
        )
    }
}

/// See the module.
#[derive(Serialize)]
pub(super) struct Report {
    #[serde(skip)]
    is_json: bool,
    #[serde(skip)]
    told: Instant,
    objects: u64,
    bytes: u64,
    missing: u64,
    corrupt: u64,
    no_key: u64,
    pub(super) repaired: u64,
    orphaned: u64,
    /// Nobody's as yet, but too young to say so.
    pub(super) young: u64,
    /// Orphans that the applications will remove now.
    pub(super) marked: u64,
    findings: Vec<Finding>,
    orphans: Vec<ObjectId>,
}

impl Report {
    pub(super) fn new(is_json: bool) -> Self {
        Self {
            is_json,
            told: Instant::now(),
            objects: 0,
            bytes: 0,
            missing: 0,
            corrupt: 0,
            no_key: 0,
            repaired: 0,
            orphaned: 0,
            young: 0,
            marked: 0,
            findings: Vec::new(),
            orphans: Vec::new(),
        }
    }

    pub(super) fn looked_at(&mut self, size_bytes: u64, reads: bool) {
        self.objects += 1;
        self.bytes += size_bytes;
        if self.told.elapsed() >= PROGRESS {
            self.told = Instant::now();
            let word = if reads { "read" } else { "looked at" };
            eprintln!("… {} objects, {} {word}", self.objects, size(self.bytes));
        }
    }

    pub(super) fn add(&mut self, finding: Finding) {
        *(match finding.kind {
            Kind::Missing => &mut self.missing,
            Kind::Corrupt => &mut self.corrupt,
            Kind::NoKey => &mut self.no_key,
        }) += 1;
        self.repaired += u64::from(finding.repaired);
        if !self.is_json {
            println!("{}", finding.sentence());
        } else if self.findings.len() < MOST_KEPT {
            self.findings.push(finding);
        }
    }

    pub(super) fn orphans(&mut self, ids: &[ObjectId]) {
        self.orphaned += ids.len() as u64;
        for id in ids {
            if !self.is_json {
                println!("  ORPHAN   object {id}: in the storage, no row of the database knows it");
            } else if self.orphans.len() < MOST_KEPT {
                self.orphans.push(*id);
            }
        }
    }

    fn unrepaired(&self) -> u64 {
        self.missing + self.corrupt + self.no_key - self.repaired
    }

    /// Tells the whole; whether all is in order now.
    pub(super) fn end(&self, scope: &Scope, stopped: Option<String>) -> bool {
        let is_ok = stopped.is_none() && self.unrepaired() == 0 && self.orphaned == 0;
        if self.is_json {
            let mut document = serde_json::to_value(self).unwrap_or_default();
            if let Some(document) = document.as_object_mut() {
                document.insert("ok".to_owned(), is_ok.into());
                document.insert("read_all_bytes".to_owned(), scope.reads.into());
                document.insert("stopped".to_owned(), stopped.into());
            }
            println!("{document}");
            return is_ok;
        }
        let word = if scope.reads { "read" } else { "looked at, not read" };
        println!(
            "{} objects ({}) {word}: {} missing, {} corrupt, {} without a key; {} repaired. {} orphans, {} marked, {} too young to say.",
            self.objects,
            size(self.bytes),
            self.missing,
            self.corrupt,
            self.no_key,
            self.repaired,
            self.orphaned,
            self.marked,
            self.young
        );
        println!("{}", self.next(scope, is_ok));
        is_ok
    }

    /// What to do, in a sentence.
    fn next(&self, scope: &Scope, is_ok: bool) -> String {
        if is_ok {
            return "All is in order.".to_owned();
        }
        let mut lines = vec!["NOT in order.".to_owned()];
        if self.missing + self.corrupt > self.repaired && !scope.repair {
            lines.push("To put back what the copy has: sudo kinora-admin storage verify --repair".to_owned());
        } else if self.missing + self.corrupt > self.repaired {
            lines.push("What could not be repaired: docs/operations/media-copies.md, \"What the copy does not have\".".to_owned());
        }
        if self.no_key > 0 {
            lines.push("Without a key: a line of vault-master-key is missing on this host (docs/operations/storage.md).".to_owned());
        }
        if self.orphaned > 0 {
            lines.push("Orphans are removed by the applications within an hour; at once: storage verify --quick --mark-orphans.".to_owned());
        }
        lines.join("\n")
    }
}
