//! Reel, camera and recording fields, from the tags of container and picture stream.

use kinora_core::technical::CameraField;

use super::report::{Report, Tags, find_tag};

/// Most fields that are kept of one file.
const MAX_FIELDS: usize = 64;

/// Longest value that is kept, characters.
const MAX_VALUE_CHARACTERS: usize = 500;

/// Tags that describe the container's workings, or are told elsewhere.
const NOT_CAMERA: [&str; 22] = [
    "major_brand",
    "minor_version",
    "compatible_brands",
    "handler_name",
    "vendor_id",
    "encoder",
    "language",
    "rotate",
    "timecode",
    "duration",
    "bps",
    "number_of_frames",
    "number_of_bytes",
    "operational_pattern_ul",
    "generation_uid",
    "uid",
    "product_uid",
    "toolkit_version",
    "file_package_umid",
    "reel_umid",
    "track_id",
    "stream_size",
];

/// Tags that name the reel or tape, best first.
const REEL: [&str; 9] = [
    "reel_name",
    "com.apple.quicktime.reel",
    "com.apple.proapps.reel",
    "com.arri.camera.ReelName",
    "com.apple.quicktime.tapename",
    "reel",
    "tape_name",
    "tape",
    "umid_reel",
];

/// The reel or tape name: from the timecode track, the picture or the container.
pub(super) fn reel(report: &Report) -> Option<String> {
    let sources = || report.streams.iter().map(|stream| &stream.tags).chain([&report.format.tags]);
    REEL.iter().find_map(|name| sources().find_map(|tags| find_tag(tags, name))).map(shorten)
}

/// All other fields a camera or recorder wrote, without repetitions.
pub(super) fn fields(report: &Report) -> Vec<CameraField> {
    let mut fields: Vec<CameraField> = Vec::new();
    let picture = report.streams.iter().find(|stream| stream.is_picture());
    let all: [Option<&Tags>; 2] = [Some(&report.format.tags), picture.map(|stream| &stream.tags)];
    for (name, value) in all.into_iter().flatten().flatten() {
        let lower = name.to_ascii_lowercase();
        let is_told_elsewhere = NOT_CAMERA.contains(&lower.as_str())
            || lower.starts_with("_statistics")
            || REEL.iter().any(|reel| reel.eq_ignore_ascii_case(name));
        let is_known = fields.iter().any(|field| field.name.eq_ignore_ascii_case(name));
        if is_told_elsewhere || is_known || value.trim().is_empty() || fields.len() >= MAX_FIELDS {
            continue;
        }
        fields.push(CameraField { name: shorten(name), value: shorten(value.trim()) });
    }
    fields
}

/// Tags come from strangers: without control characters and not endless. PostgreSQL takes no NUL.
fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_VALUE_CHARACTERS).collect()
}
