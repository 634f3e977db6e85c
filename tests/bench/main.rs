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

mod bare;
mod cancel;
mod ingest;
mod large;
mod listing;
mod measure;
mod memory;
mod paint;
mod removal;
mod start;
mod timing;
mod upload;

use measure::Row;

#[tokio::main]
async fn main() {
    // cargo adds `--bench`; whatever else is given names the parts to run.
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let mut rows: Vec<Row> = Vec::new();
    for part in [
        "start",
        "upload",
        "large",
        "memory",
        "ingest",
        "cancel",
        "removal",
        "list",
        "paint",
        "timing",
        "passwords",
    ] {
        // Forty minutes: only when it is asked for.
        let is_wanted =
            if wanted.is_empty() { part != "passwords" } else { wanted.iter().any(|name| name == part) };
        if !is_wanted {
            continue;
        }
        let measured = match part {
            "start" => start::measure(),
            "upload" => upload::measure().await,
            "large" => large::measure().await,
            "memory" => memory::measure().await,
            "ingest" => ingest::measure().await,
            "cancel" => cancel::measure().await,
            "removal" => removal::measure().await,
            "list" => listing::measure().await,
            "timing" => timing::measure().await,
            "passwords" => timing::measure_passwords().await,
            _ => paint::measure().await,
        };
        for row in &measured {
            eprintln!("{}: {} ({})", row.what, row.figure, row.from);
        }
        rows.extend(measured);
    }
    print!("{}", measure::table(&rows));
}
