//! Names of containers and codecs as people in post-production say them.

use super::report::{Format, Stream, find_tag};

/// The container's name.
pub(super) fn container(format: &Format) -> String {
    let brand = find_tag(&format.tags, "major_brand").unwrap_or_default();
    let name = match format.format_name.as_str() {
        names if names.starts_with("mov,") => {
            return match brand {
                "" | "qt" => "QuickTime / MOV".to_owned(),
                "M4A" | "M4B" => "MPEG-4 audio (M4A)".to_owned(),
                brand if brand.starts_with("3g") => "3GPP".to_owned(),
                _ => "MP4".to_owned(),
            };
        }
        "mxf" => return mxf(format).to_owned(),
        names if names.starts_with("matroska") => "Matroska / WebM",
        "mpegts" => "MPEG transport stream",
        "mpeg" => "MPEG program stream",
        "mpegvideo" => "MPEG video elementary stream",
        "avi" => "AVI",
        "flv" => "Flash video",
        "asf" => "Windows Media (ASF)",
        "ogg" => "Ogg",
        "wav" if find_tag(&format.tags, "time_reference").is_some() => "Broadcast Wave (BWF)",
        "wav" => "Wave",
        "w64" => "Wave64",
        "aiff" => "AIFF",
        "caf" => "Core Audio (CAF)",
        "flac" => "FLAC",
        "mp3" => "MP3",
        "aac" => "AAC (ADTS)",
        "ac3" => "Dolby Digital (AC-3)",
        "eac3" => "Dolby Digital Plus (E-AC-3)",
        "gxf" => "GXF",
        "dv" => "DV",
        "h264" => "H.264 elementary stream",
        "hevc" => "HEVC elementary stream",
        "gif" | "gif_pipe" => "GIF",
        "png_pipe" => "PNG",
        "jpeg_pipe" | "mjpeg" => "JPEG",
        "tiff_pipe" => "TIFF",
        "webp_pipe" => "WebP",
        "bmp_pipe" => "BMP",
        "dpx_pipe" => "DPX",
        "exr_pipe" => "OpenEXR",
        "psd_pipe" => "Photoshop (PSD)",
        "j2k_pipe" => "JPEG 2000",
        "jpegxl_pipe" => "JPEG XL",
        _ => return format.format_long_name.clone().unwrap_or_else(|| format.format_name.clone()),
    };
    name.to_owned()
}

/// The MXF operational pattern, from its universal label (SMPTE ST 377-1, 8.3.3): byte 13 is the
/// item complexity, byte 14 the package complexity; 0x10 there means OP-Atom.
fn mxf(format: &Format) -> &'static str {
    let label = find_tag(&format.tags, "operational_pattern_ul").unwrap_or_default();
    let byte = |number: usize| {
        let digits: String = label.chars().filter(char::is_ascii_hexdigit).collect();
        digits.get(number * 2..number * 2 + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok())
    };
    match (byte(12), byte(13)) {
        (Some(0x10), _) => "MXF OP-Atom",
        (Some(1), Some(1)) => "MXF OP1a",
        (Some(1), Some(2)) => "MXF OP1b",
        (Some(2), Some(1)) => "MXF OP2a",
        (Some(3), Some(3)) => "MXF OP3c",
        _ => "MXF",
    }
}

/// The codec's name, with its profile where people say it.
pub(super) fn codec(stream: &Stream) -> String {
    let id = stream.codec_name.as_deref().unwrap_or_default();
    let profile = stream.profile.as_deref().filter(|profile| *profile != "unknown");
    let tag = stream.codec_tag_string.as_deref().unwrap_or_default();
    let with_profile = |name: &str| match profile {
        Some(profile) => format!("{name} {profile}"),
        None => name.to_owned(),
    };
    let name = match id {
        "prores" => return prores(tag, profile),
        "dnxhd" => {
            return match profile {
                Some(profile) if profile.starts_with("DNX") => format!("Avid {}", profile.replace('_', " ")),
                _ => "Avid DNxHD".to_owned(),
            };
        }
        "h264" => return with_profile("H.264"),
        "hevc" => return with_profile("HEVC (H.265)"),
        "av1" => "AV1",
        "vp8" => "VP8",
        "vp9" => "VP9",
        "mpeg1video" => "MPEG-1",
        "mpeg2video" => return with_profile("MPEG-2"),
        "mpeg4" => "MPEG-4 Part 2",
        "mjpeg" => "JPEG",
        "jpeg2000" => "JPEG 2000",
        "dvvideo" => "DV",
        "cfhd" => "GoPro CineForm",
        "vc1" => "VC-1",
        "ffv1" => "FFV1",
        "rawvideo" | "v210" | "v410" | "r210" => "uncompressed",
        "png" => "PNG",
        "tiff" => "TIFF",
        "webp" => "WebP",
        "dpx" => "DPX",
        "exr" => "OpenEXR",
        "gif" => "GIF",
        "aac" => "AAC",
        "mp3" => "MP3",
        "mp2" => "MPEG-1 Layer II",
        "ac3" => "Dolby Digital (AC-3)",
        "eac3" => "Dolby Digital Plus (E-AC-3)",
        "dts" => "DTS",
        "flac" => "FLAC",
        "alac" => "Apple Lossless",
        "opus" => "Opus",
        "vorbis" => "Vorbis",
        "pcm_alaw" => "G.711 A-law",
        "pcm_mulaw" => "G.711 µ-law",
        pcm if pcm.starts_with("pcm_") => {
            let kind = if pcm.starts_with("pcm_f") { " float" } else { "" };
            return match bit_depth(stream) {
                Some(bits) => format!("PCM {bits} bit{kind}"),
                None => "PCM".to_owned(),
            };
        }
        _ => return stream.codec_long_name.clone().unwrap_or_else(|| id.to_owned()),
    };
    name.to_owned()
}

fn prores(tag: &str, profile: Option<&str>) -> String {
    let kind = match tag {
        "apco" => "422 Proxy",
        "apcs" => "422 LT",
        "apcn" => "422",
        "apch" => "422 HQ",
        "ap4h" => "4444",
        "ap4x" => "4444 XQ",
        "aprn" => return "Apple ProRes RAW".to_owned(),
        "aprh" => return "Apple ProRes RAW HQ".to_owned(),
        // In MXF there is no such tag, but FFmpeg names the profile.
        _ => match profile {
            Some("Proxy") => "422 Proxy",
            Some("LT") => "422 LT",
            Some("Standard") => "422",
            Some("HQ") => "422 HQ",
            Some("4444") => "4444",
            Some("XQ") => "4444 XQ",
            _ => return "Apple ProRes".to_owned(),
        },
    };
    format!("Apple ProRes {kind}")
}

/// Bits in a sample of sound or picture, if the file says or the format implies it.
pub(super) fn bit_depth(stream: &Stream) -> Option<u8> {
    let raw = stream.bits_per_raw_sample.as_deref().and_then(|bits| bits.parse::<u8>().ok());
    let coded = stream.bits_per_sample.and_then(|bits| u8::try_from(bits).ok());
    if stream.codec_type == "audio" {
        return raw.filter(|bits| *bits > 0).or(coded).filter(|bits| *bits > 0);
    }
    let format = stream.pix_fmt.as_deref()?;
    if let Some(bits) = raw.filter(|bits| *bits > 0) {
        return Some(bits);
    }
    let base = format.trim_end_matches("le").trim_end_matches("be");
    let digits: String =
        base.chars().rev().take_while(char::is_ascii_digit).collect::<Vec<_>>().into_iter().rev().collect();
    match (base, digits.as_str()) {
        (name, _) if name.starts_with("p0") || name.starts_with("p2") || name.starts_with("p4") => {
            name.get(2..).and_then(|bits| bits.parse().ok())
        }
        (name, _) if name.starts_with("nv") => {
            if name == "nv20" {
                Some(10)
            } else {
                Some(8)
            }
        }
        (_, "9") => Some(9),
        (_, "10") => Some(10),
        (_, "12") => Some(12),
        (_, "14") => Some(14),
        (_, "16" | "48" | "64") => Some(16),
        (_, "32") if base.ends_with("f32") => Some(32),
        (name, _) if name.starts_with("mono") => Some(1),
        _ => Some(8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_follows_from_the_pixel_format() {
        let table = [
            ("yuv420p", 8),
            ("yuvj420p", 8),
            ("yuv422p10le", 10),
            ("yuv444p12le", 12),
            ("p010le", 10),
            ("gbrp16be", 16),
            ("rgb48le", 16),
            ("rgb24", 8),
            ("gbrpf32le", 32),
            ("nv12", 8),
            ("gray", 8),
            ("gray10le", 10),
        ];
        for (format, bits) in table {
            let stream =
                Stream { codec_type: "video".into(), pix_fmt: Some(format.into()), ..Stream::default() };
            assert_eq!(bit_depth(&stream), Some(bits), "{format}");
        }
    }

    #[test]
    fn operational_patterns_are_read_from_the_label() {
        let mut format = Format { format_name: "mxf".into(), ..Format::default() };
        for (label, name) in [
            ("060e2b34.04010101.0d010201.01010900", "MXF OP1a"),
            ("060e2b34.04010102.0d010201.10030000", "MXF OP-Atom"),
            ("", "MXF"),
        ] {
            format.tags.insert("operational_pattern_ul".into(), label.into());
            assert_eq!(container(&format), name);
        }
    }
}
