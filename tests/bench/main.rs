//! What Kinora costs, each figure as a ratio to a peer or a limit measured in the same run.
//!
//! `make bench` runs all of it; `make bench ONLY=upload` one part. These machines are noisy: figures
//! are medians over alternating rounds, and nothing here passes or fails.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measurement that cannot go on stops"
)]

mod ingest;
mod listing;
mod measure;
mod memory;
mod paint;
mod upload;

use measure::Row;

#[tokio::main]
async fn main() {
    // cargo adds `--bench`; whatever else is given names the parts to run.
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let is_wanted = |part: &str| wanted.is_empty() || wanted.iter().any(|name| name == part);
    let mut rows: Vec<Row> = Vec::new();
    if is_wanted("upload") {
        rows.extend(upload::measure().await);
    }
    if is_wanted("memory") {
        rows.extend(memory::measure().await);
    }
    if is_wanted("ingest") {
        rows.extend(ingest::measure().await);
    }
    if is_wanted("list") {
        rows.extend(listing::measure().await);
    }
    if is_wanted("paint") {
        rows.extend(paint::measure().await);
    }
    print!("{}", measure::table(&rows));
}
