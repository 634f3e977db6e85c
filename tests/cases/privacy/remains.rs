//! Looking for what remains of somebody: in a dump of the whole database.

use std::path::PathBuf;
use std::process::Command;

use diesel::prelude::*;
use kinora_store::audit::{self, Verdict};
use kinora_tests::{DatabaseRole, Kinora};

/// PostgreSQL's own program of the newest version that is installed.
fn pg_dump() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").unwrap();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            let path = entry.unwrap().path();
            let version = path.file_name()?.to_str()?.parse().ok()?;
            let program = path.join("bin/pg_dump");
            program.exists().then_some((version, program))
        })
        .collect();
    found.sort();
    found.pop().expect("pg_dump is installed").1
}

/// All of the database as text.
pub fn dump(kinora: &Kinora) -> String {
    let output = Command::new(pg_dump())
        .args(["--inserts", "--no-owner", "--dbname"])
        .arg(kinora.database().url(DatabaseRole::Owner))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The lines of a dump in which one of the values stands, in capitals or not, in clear or as the bytes of a bytea.
pub fn lines_with(dump: &str, values: &[&str]) -> Vec<String> {
    let hex = |value: &str| value.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let wanted: Vec<String> = values
        .iter()
        .flat_map(|value| [value.to_lowercase(), hex(value), hex(&value.to_lowercase())])
        .collect();
    dump.lines()
        .filter(|line| {
            let line = line.to_lowercase();
            wanted.iter().any(|value| line.contains(value))
        })
        .map(|line| line.chars().take(400).collect())
        .collect()
}

/// The trail is what was written.
pub fn expect_intact(kinora: &Kinora) {
    let verdict = audit::verify(&mut kinora.connect()).unwrap();
    assert!(matches!(verdict, Verdict::Intact { .. }), "{verdict:?}");
}

/// How many rows a query gives.
pub fn count(kinora: &Kinora, query: &str) -> usize {
    diesel::sql_query(query).execute(&mut kinora.connect()).unwrap()
}
