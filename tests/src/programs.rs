//! Where Kinora's programs are, and that they are the ones of this source tree.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The programs the tests start.
const PACKAGES: [&str; 6] = [
    "kinora-application",
    "kinora-backend",
    "kinora-worker",
    "kinoractl",
    "kinora-devstack",
    "kinora-saml-verifier",
];

/// The path of a program, built before its first use.
///
/// `KINORA_PROGRAMS` names a directory with programs that are already built (`make test` sets it);
/// otherwise they are built here, so that a plain `cargo test` never runs stale ones.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    directory().join(name)
}

/// The directory of all programs.
pub(crate) fn directory() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| match std::env::var_os("KINORA_PROGRAMS") {
        Some(directory) => directory.into(),
        None => build(),
    })
}

/// Builds into the target directory and profile this test itself was built in.
fn build() -> PathBuf {
    // target/<profile>/deps/<test>
    let test = std::env::current_exe().expect("a program knows its path");
    let directory = test.parent().and_then(Path::parent).expect("a test lies in deps/").to_owned();
    let target = directory.parent().expect("a profile lies in the target directory");
    let profile = match directory.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--locked", "--bins", "--profile", profile, "--target-dir"])
        .arg(target)
        .args(PACKAGES.iter().flat_map(|package| ["-p", package]))
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "the programs under test do not build:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    directory
}

/// Command lines of FFmpeg's programs that run and have to do with a directory.
///
/// # Panics
/// Without `/proc`.
#[must_use]
pub fn media_programs(directory: &str) -> Vec<String> {
    std::fs::read_dir("/proc")
        .expect("/proc")
        .flatten()
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains("ffmpeg") && line.contains(directory))
        .collect()
}
