//! Medians, processor time, memory, and the table that is printed.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

/// One line of the table.
pub struct Row {
    /// What was measured.
    pub what: &'static str,
    /// The figure, with its unit.
    pub figure: String,
    /// What is aimed at.
    pub goal: &'static str,
    /// Whether it was reached; none where there is no goal.
    pub reached: Option<bool>,
    /// How it came about: both sides of a ratio.
    pub from: String,
}

/// The table as Markdown, so that it can be kept as it is.
pub fn table(rows: &[Row]) -> String {
    let mut text = String::from("\n| measured | figure | goal | reached | from |\n|---|---|---|---|---|\n");
    for row in rows {
        let reached = match row.reached {
            Some(true) => "yes",
            Some(false) => "no",
            None => "",
        };
        let _ = writeln!(text, "| {} | {} | {} | {reached} | {} |", row.what, row.figure, row.goal, row.from);
    }
    text
}

/// The middle of an odd number of values, the upper middle of an even number.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// sysconf(_SC_CLK_TCK) is 100 on every Linux that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time of a process so far, with that of the children it has waited for.
pub fn processor_time(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("the process runs");
    // Fields after the command, which is in parentheses and may hold spaces (proc(5)).
    let fields: Vec<&str> = stat.rsplit_once(')').expect("stat").1.split_whitespace().collect();
    let ticks: u64 = fields[11..15].iter().map(|field| field.parse::<u64>().expect("ticks")).sum();
    Duration::from_secs_f64(ticks as f64 / TICKS_PER_SECOND)
}

/// The most memory a process has held so far, bytes (VmHWM).
pub fn peak_memory_bytes(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("VmHWM");
    let kibibytes: u64 = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
    kibibytes * 1024
}
