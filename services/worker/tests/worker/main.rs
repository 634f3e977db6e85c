//! The worker's parts against the real FFmpeg in the real sandbox, with generated media. What comes
//! out is judged by ffprobe and by reading the files, not by the code under test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bad_input;
mod confinement;
mod ending;
mod process;
mod samples;
mod unit;
