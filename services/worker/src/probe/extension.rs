//! Whether a file is what its name says. A name decides nothing; but whoever sent a camera file under a wrong name may
//! have sent the wrong file, and other programs will go by the name.

/// Extensions, and the containers that stand behind them in ffprobe's words. What is not here is not judged.
const CONTAINERS: &[(&[&str], &[&str])] = &[
    (&["mov", "qt", "mp4", "m4v", "m4a", "3gp", "3g2", "heic", "heif", "avif"], &["mov"]),
    (&["mkv", "mka", "webm"], &["matroska"]),
    (&["mxf"], &["mxf", "mxf_opatom"]),
    (&["ts", "m2ts", "mts", "m2t"], &["mpegts"]),
    (&["mpg", "mpeg", "m2p", "vob"], &["mpeg", "mpegvideo", "mpegts"]),
    (&["avi"], &["avi"]),
    (&["wmv", "wma", "asf"], &["asf"]),
    (&["flv"], &["flv"]),
    (&["gxf"], &["gxf"]),
    (&["wav", "wave", "bwf"], &["wav"]),
    (&["w64"], &["w64"]),
    (&["aif", "aiff", "aifc"], &["aiff"]),
    (&["flac"], &["flac"]),
    (&["mp3"], &["mp3"]),
    (&["aac"], &["aac"]),
    (&["ogg", "oga", "ogv", "opus"], &["ogg"]),
    (&["jpg", "jpeg"], &["jpeg_pipe", "mjpeg", "image2"]),
    (&["png"], &["png_pipe", "apng", "image2"]),
    (&["tif", "tiff"], &["tiff_pipe", "image2"]),
    (&["dpx"], &["dpx_pipe", "image2"]),
    (&["exr"], &["exr_pipe", "image2"]),
    (&["bmp"], &["bmp_pipe", "image2"]),
    (&["webp"], &["webp_pipe", "image2"]),
    (&["gif"], &["gif", "gif_pipe"]),
];

/// What to say of a file whose name ends like that of something else. `format_name` is ffprobe's: names of containers
/// with commas between them; `container` is the same for people.
pub(super) fn warning(file_name: &str, format_name: &str, container: &str) -> Option<String> {
    let (_, extension) = file_name.rsplit_once('.')?;
    let extension = extension.to_ascii_lowercase();
    let (_, expected) = CONTAINERS.iter().find(|(names, _)| names.contains(&extension.as_str()))?;
    let fits = format_name.split(',').any(|name| expected.contains(&name));
    (!fits).then(|| {
        format!("The name ends in .{extension}, but the file is {container}. It was taken for what it is; other programs may go by the name.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOV: &str = "mov,mp4,m4a,3gp,3g2,mj2";

    #[test]
    fn a_name_that_does_not_fit_what_is_in_the_file_is_told() {
        for (name, format) in [
            ("a.mov", MOV),
            ("A001.MP4", MOV),
            ("a.mkv", "matroska,webm"),
            ("a.mxf", "mxf"),
            ("a.jpg", "jpeg_pipe"),
            // Nobody knows what these should be.
            ("a", "wav"),
            ("a.", "wav"),
            ("a.r3d", "wav"),
            (".mov.", "wav"),
            ("take.2", "wav"),
        ] {
            assert_eq!(warning(name, format, "X"), None, "{name}");
        }
        for (name, format) in
            [("a.mov", "wav"), ("a.b.WAV", MOV), ("a.mp4", "matroska,webm"), (".mov", "mpegts")]
        {
            let said = warning(name, format, "Wave").unwrap_or_else(|| panic!("{name}"));
            assert!(said.contains("the file is Wave"), "{said}");
        }
    }
}
