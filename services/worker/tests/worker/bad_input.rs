//! The rows of the bad-input table: each gives a usable asset, or fails with the right reason.

use kinora_core::asset::AssetKind;
use kinora_core::step::DerivativeKind;
use kinora_core::technical::Technical;
use kinora_core::timecode::Timecode;
use kinora_core::{Failure, FailureCode};
use kinora_worker::StepError;

use crate::samples::{Picture, Studio, ffprobe};

const TONE: &str = "-f lavfi -i sine=frequency=1000:sample_rate=48000:duration=2";

fn picture(width: u64, height: u64, frames: u64, rate: &str) -> Picture {
    Picture { width, height, frames, rate: rate.to_owned() }
}

fn start(technical: &Technical) -> (String, bool) {
    let timecode: Timecode = technical.start_timecode.expect("a start timecode");
    (timecode.to_string(), timecode.drop_frame)
}

async fn failure(studio: &Studio, name: &str, bytes: &[u8]) -> Failure {
    match studio.probe(&studio.write(name, bytes)).await {
        Err(StepError::Failed(failure)) => failure,
        other => panic!("{name}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prores_ten_bit_422() {
    let studio = Studio::new();
    let file = studio.make(
        "a.mov",
        &format!(
            "-f lavfi -i testsrc2=s=1920x1080:r=24000/1001:d=2 {TONE} -c:v prores_ks -profile:v 3 \
             -pix_fmt yuv422p10le -c:a pcm_s24le -timecode 01:02:03:04 -metadata:s:v reel_name=A001 \
             -metadata make=Camera -metadata model='Kinora One'"
        ),
    );
    let (technical, output) = studio.ingest(&file).await;
    assert_eq!((technical.kind, technical.container.as_str()), (AssetKind::Video, "QuickTime / MOV"));
    let video = technical.video.as_ref().unwrap();
    assert_eq!((video.codec.as_str(), video.bit_depth), ("Apple ProRes 422 HQ", Some(10)));
    assert_eq!(video.frame_rate.to_string(), "24000/1001");
    assert_eq!((video.frame_count, video.variable_frame_rate), (Some(48), false));
    assert_eq!(start(&technical), ("01:02:03:04".to_owned(), false));
    assert_eq!(technical.audio[0].codec, "PCM 24 bit");
    assert_eq!(technical.reel.as_deref(), Some("A001"));
    assert!(technical.camera.iter().any(|field| field.value == "Kinora One"), "{:?}", technical.camera);
    assert_eq!(output.check_picture(), picture(1280, 720, 48, "24000/1001"));
    output.check_sound();
    assert_eq!(output.waveform()[5], 1, "one channel was recorded");
    let loudness = output.rendered.analysis.loudness.unwrap();
    // A 1 kHz sine of -18 dBFS peak on one channel, which BS.1770 counts as -21.1 LUFS.
    assert!((loudness.integrated_lufs.unwrap() + 21.1).abs() < 0.3, "{loudness:?}");
    assert!((loudness.true_peak_dbtp.unwrap() + 18.1).abs() < 0.3, "{loudness:?}");
    assert_eq!(output.rendered.warnings, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn dnxhr_in_quicktime_and_mxf() {
    let studio = Studio::new();
    for name in ["a.mov", "a.mxf"] {
        let file = studio.make(
            name,
            &format!(
                "-f lavfi -i testsrc2=s=1280x720:r=25:d=2 {TONE} -c:v dnxhd -profile:v dnxhr_hq -pix_fmt yuv422p \
                 -c:a pcm_s24le -timecode 10:00:00:00"
            ),
        );
        let (technical, output) = studio.ingest(&file).await;
        assert_eq!(technical.video.as_ref().unwrap().codec, "Avid DNXHR HQ");
        assert_eq!(start(&technical), ("10:00:00:00".to_owned(), false));
        assert_eq!(output.check_picture(), picture(1280, 720, 50, "25/1"));
        output.check_sound();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mpeg2_interlaced_in_mxf_and_transport_stream() {
    let studio = Studio::new();
    let pictures =
        "-f lavfi -i testsrc2=s=720x576:r=50:d=2,tinterlace=interleave_top,fieldorder=tff,setsar=64/45";
    let codec = "-c:v mpeg2video -flags +ildct+ilme -field_order tt -top 1 -b:v 15M -pix_fmt yuv422p";
    for (name, container, sound) in [
        ("a.mxf", "MXF OP1a", "-c:a pcm_s16le -timecode 10:00:00:00"),
        ("a.ts", "MPEG transport stream", "-c:a mp2"),
    ] {
        let file = studio.make(name, &format!("{pictures} {TONE} {codec} {sound}"));
        let (technical, output) = studio.ingest(&file).await;
        let video = technical.video.as_ref().unwrap();
        assert_eq!(technical.container, container);
        assert_eq!((video.field_order.as_str(), video.is_interlaced()), ("top field first", true), "{name}");
        assert_eq!((video.width, video.height, video.pixel_aspect.as_str()), (720, 576, "64:45"));
        assert_eq!((video.display_width, video.display_height), (1024, 576));
        assert_eq!(video.frame_rate.to_string(), "25", "{name}");
        assert_eq!(output.check_picture(), picture(1024, 576, 50, "25/1"), "{name}");
        output.check_sound();
        assert_eq!(output.rendered.warnings, Vec::<String>::new());
        assert_combs_are_gone(&output.path(DerivativeKind::Proxy).display().to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn surround_is_known_by_its_layout_and_heard_in_stereo() {
    let studio = Studio::new();
    let sound = "-f lavfi -i anoisesrc=d=2:r=48000:a=0.1,aformat=channel_layouts=mono,pan=5.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0";
    for (name, codec, layout) in [("a.wav", "pcm_s24le", "5.1"), ("a.ac3", "ac3", "5.1(side)")] {
        let file = studio.make(name, &format!("{sound} -c:a {codec}"));
        let (technical, output) = studio.ingest(&file).await;
        let stream = &technical.audio[0];
        assert_eq!((stream.channels, stream.layout.as_deref()), (6, Some(layout)), "{name}");
        output.check_sound();
    }
}

/// FFmpeg's own detector sees no interlaced frame.
fn assert_combs_are_gone(path: &str) {
    let output = std::process::Command::new("ffmpeg")
        .args(["-nostdin", "-i", path, "-vf", "idet", "-an", "-f", "null", "-"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = text.lines().find(|line| line.contains("Multi frame detection")).expect("a summary");
    let count = |name: &str| -> u32 {
        line.split_once(name).unwrap().1.split_whitespace().next().unwrap().parse().unwrap()
    };
    assert_eq!(count("TFF:") + count("BFF:"), 0, "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn phone_video_with_variable_rate_turned_by_a_quarter() {
    let studio = Studio::new();
    let file = studio.make(
        "a.mp4",
        "-f lavfi -i testsrc2=s=640x360:r=30:d=3,select=not(eq(mod(n\\,9)\\,4)+eq(mod(n\\,13)\\,6)) \
         -fps_mode vfr -c:v libx264 -pix_fmt yuv420p -video_track_timescale 90000",
    );
    turn(&file);
    let (technical, output) = studio.ingest(&file).await;
    let video = technical.video.as_ref().unwrap();
    assert!(video.variable_frame_rate);
    assert_eq!(video.rotation_degrees, 90);
    assert_eq!((video.width, video.height), (640, 360));
    assert_eq!((video.display_width, video.display_height), (360, 640));
    let seen = output.check_picture();
    assert_eq!((seen.width, seen.height), (360, 640));
    // Three seconds at a standard rate, whichever of them the phone's average came near.
    let length = output.rendered.analysis.proxy_duration_us.unwrap();
    assert!(length.abs_diff(3_000_000) < 60_000, "{length}");
    assert_eq!(seen.rate.split('/').next().unwrap().parse::<u32>().unwrap() % 5, 0, "{}", seen.rate);
}

/// Writes a display matrix that turns the first track clockwise by 90° (ISO/IEC 14496-12, 8.3.2).
fn turn(path: &std::path::Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let name = bytes.windows(4).position(|four| four == b"tkhd").unwrap();
    let matrix: [u32; 9] = [0, 0x1_0000, 0, 0xffff_0000, 0, 0, 360 << 16, 0, 0x4000_0000];
    let at = name + 4 + 40;
    bytes[at..at + 36].copy_from_slice(&matrix.map(u32::to_be_bytes).concat());
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn timecodes_with_and_without_drop_frame() {
    let studio = Studio::new();
    let make = |name: &str, rate: &str, timecode: &str| {
        studio.make(
            name,
            &format!("-f lavfi -i testsrc2=s=320x180:r={rate}:d=1 -c:v libx264 -pix_fmt yuv420p {timecode}"),
        )
    };
    let table = [
        ("ndf.mov", "24000/1001", "-timecode 01:00:00:23", "01:00:00:23", false, 24),
        ("df.mov", "30000/1001", "-timecode 00:59:59;28", "00:59:59;28", true, 30),
        ("5994df.mov", "60000/1001", "-timecode 01:00:00;58", "01:00:00;58", true, 60),
        (
            "5994df.mxf",
            "60000/1001",
            "-timecode 01:00:00;58 -c:v mpeg2video -pix_fmt yuv422p",
            "01:00:00;58",
            true,
            60,
        ),
        (
            "2997ndf.mxf",
            "30000/1001",
            "-timecode 01:00:00:29 -c:v mpeg2video -pix_fmt yuv422p",
            "01:00:00:29",
            false,
            30,
        ),
    ];
    for (name, rate, option, expected, drop_frame, frames) in table {
        let (technical, output) = studio.ingest(&make(name, rate, option)).await;
        assert_eq!(start(&technical), (expected.to_owned(), drop_frame), "{name}");
        assert_eq!(technical.video.as_ref().unwrap().frame_rate.to_string(), rate, "{name}");
        assert_eq!(output.check_picture(), picture(320, 180, frames, rate), "{name}");
        assert_eq!(technical.warnings, Vec::<String>::new(), "{name}");
        output.has_no_sound();
    }
    // Drop-frame is not defined at 23.976: shown as counted, with a warning.
    let marked = make("df.mkv", "24000/1001", "-metadata:s:v timecode=01:00:00;12");
    let (technical, output) = studio.ingest(&marked).await;
    assert_eq!(start(&technical), ("01:00:00:12".to_owned(), false));
    assert!(technical.warnings[0].contains("drop-frame"), "{:?}", technical.warnings);
    assert_eq!(output.check_picture(), picture(320, 180, 24, "24000/1001"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_channels_in_one_stream_and_in_sixteen() {
    let studio = Studio::new();
    let one = studio.make(
        "a.mov",
        "-f lavfi -i testsrc2=s=320x180:r=25:d=2 -f lavfi -i anoisesrc=d=2:r=48000:a=0.1 \
         -filter_complex '[1]asplit=16,amerge=inputs=16[a]' -map 0:v -map '[a]' -c:v prores_ks -c:a pcm_s24le",
    );
    let maps = " -map 1:a".repeat(16);
    let sixteen = studio.make(
        "a.mxf",
        &format!(
            "-f lavfi -i testsrc2=s=320x180:r=25:d=2 {TONE} -map 0:v{maps} -c:v mpeg2video -pix_fmt yuv422p \
             -c:a pcm_s24le"
        ),
    );
    for (file, streams, channels) in [(one, 1, 16), (sixteen, 16, 1)] {
        let (technical, output) = studio.ingest(&file).await;
        assert_eq!((technical.audio.len(), technical.audio[0].channels), (streams, channels));
        assert_eq!(output.check_picture(), picture(320, 180, 50, "25/1"));
        output.check_sound();
        assert_eq!(output.waveform()[2..], [48_000, 480, 200, 2]);
        assert!(output.rendered.analysis.loudness.unwrap().integrated_lufs.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn video_without_sound_of_odd_dimensions() {
    let studio = Studio::new();
    let file = studio.make("a.mkv", "-f lavfi -i testsrc=s=641x361:r=25:d=1 -c:v ffv1 -pix_fmt yuv444p");
    let (technical, output) = studio.ingest(&file).await;
    assert_eq!(technical.audio, []);
    assert_eq!(technical.video.unwrap().width, 641);
    assert_eq!(output.check_picture(), picture(640, 360, 25, "25/1"));
    output.has_no_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_frame() {
    let studio = Studio::new();
    for (name, options) in [
        ("a.mov", "-c:v prores_ks"),
        ("a.mp4", "-c:v libx264 -pix_fmt yuv420p"),
        ("a.mxf", "-c:v mpeg2video -pix_fmt yuv422p -flags +ildct+ilme -field_order tt -top 1"),
    ] {
        let source = "-f lavfi -i testsrc2=s=320x180:r=25,setfield=tff -frames:v 1";
        let file = studio.make(name, &format!("{source} {options}"));
        let (technical, output) = studio.ingest(&file).await;
        assert_eq!(technical.kind, AssetKind::Video, "{name}");
        assert_eq!(output.check_picture(), picture(320, 180, 1, "25/1"), "{name}");
        assert_eq!(output.rendered.warnings, Vec::<String>::new(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_hours() {
    let studio = Studio::new();
    let file = studio.make(
        "a.mov",
        "-f lavfi -i testsrc2=s=32x18:r=1:d=36000 -c:v mpeg4 -qscale:v 20 -timecode 00:00:00:00",
    );
    let (technical, output) = studio.ingest(&file).await;
    assert_eq!(technical.duration_us, Some(36_000_000_000));
    assert_eq!(output.check_picture(), picture(32, 18, 36_000, "1/1"));
    assert_eq!(output.rendered.analysis.proxy_duration_us, Some(36_000_000_000));
    let index = std::fs::read_to_string(output.path(DerivativeKind::FilmstripIndex)).unwrap();
    let last = index.lines().rfind(|line| line.contains("-->")).unwrap();
    assert!(last.starts_with("09:5") && last.ends_with("--> 10:00:00.000"), "{last}");
    assert_eq!(output.rendered.warnings, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_alone() {
    let studio = Studio::new();
    let stereo = "-f lavfi -i sine=frequency=440:sample_rate=96000:duration=2 -ac 2";
    for (name, options, container) in [
        ("a.wav", "-c:a pcm_s24le", "Wave"),
        ("a.mp3", "-ar 48000 -c:a libmp3lame", "MP3"),
        ("a.flac", "-c:a flac", "FLAC"),
    ] {
        let file = studio.make(name, &format!("{stereo} {options}"));
        let (technical, output) = studio.ingest(&file).await;
        assert_eq!((technical.kind, technical.container.as_str()), (AssetKind::Audio, container));
        assert_eq!(technical.video, None);
        assert_eq!(output.kinds(), [DerivativeKind::Proxy, DerivativeKind::Waveform]);
        assert_eq!(output.rendered.made[0].media_type, "audio/mp4");
        output.check_sound();
        assert!(output.rendered.analysis.loudness.unwrap().integrated_lufs.is_some());
        let length = output.rendered.analysis.proxy_duration_us.unwrap();
        assert!(length.abs_diff(2_000_000) < 100_000, "{name}: {length}");
    }
    // 59,259 samples, which are no whole number of AAC's packets or of the waveform's points.
    let odd = studio.make("odd.wav", "-f lavfi -i sine=frequency=440:sample_rate=48000 -t 1.23457");
    let (technical, output) = studio.ingest(&odd).await;
    let lengths = (technical.duration_us, output.rendered.analysis.proxy_duration_us);
    assert_eq!(lengths, (Some(1_234_563), Some(1_234_563)));
    let silence = studio.make("silence.wav", "-f lavfi -i anullsrc=r=48000:cl=stereo -t 2");
    let (_, output) = studio.ingest(&silence).await;
    let loudness = output.rendered.analysis.loudness.unwrap();
    assert_eq!((loudness.integrated_lufs, loudness.true_peak_dbtp), (None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn stills() {
    let studio = Studio::new();
    for (name, options, container, size) in [
        ("a.png", "testsrc2=s=4097x2305 -pix_fmt rgb48be", "PNG", (3840, 2160)),
        ("a.jpg", "testsrc2=s=1001x1501 -pix_fmt yuvj420p", "JPEG", (1000, 1500)),
        ("a.tiff", "testsrc2=s=640x480 -pix_fmt rgb24", "TIFF", (640, 480)),
    ] {
        let file = studio.make(name, &format!("-f lavfi -i {options} -frames:v 1"));
        let (technical, output) = studio.ingest(&file).await;
        assert_eq!((technical.kind, technical.container.as_str()), (AssetKind::Still, container));
        assert_eq!((technical.duration_us, technical.start_timecode), (None, None));
        assert_eq!(output.kinds(), [DerivativeKind::Proxy, DerivativeKind::Poster]);
        let large = ffprobe(output.path(DerivativeKind::Proxy), "-show_streams");
        assert_eq!(large["streams"][0]["codec_name"], "mjpeg");
        assert_eq!(large["streams"][0]["width"], size.0);
        assert_eq!(large["streams"][0]["height"], size.1);
        let poster = ffprobe(output.path(DerivativeKind::Poster), "-show_streams");
        assert!(poster["streams"][0]["height"].as_u64().unwrap() <= 1280);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photograph_is_turned_as_its_exif_says() {
    let studio = Studio::new();
    let file = studio.make("a.jpg", "-f lavfi -i testsrc2=s=640x480 -frames:v 1 -pix_fmt yuvj420p");
    let bytes = std::fs::read(&file).unwrap();
    // One entry, orientation (0x0112) 6: turned clockwise by 90° for display.
    let tiff =
        [b"Exif\0\0II*\0".as_slice(), &[8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0], &[0; 4]];
    let tiff = tiff.concat();
    let length = (tiff.len() as u16 + 2).to_be_bytes();
    let turned = [&bytes[..2], &[0xff, 0xe1], &length, &tiff, &bytes[2..]].concat();
    let (technical, output) = studio.ingest(&studio.write("b.jpg", &turned)).await;
    let video = technical.video.unwrap();
    assert_eq!((video.rotation_degrees, video.display_width, video.display_height), (90, 480, 640));
    let large = ffprobe(output.path(DerivativeKind::Proxy), "-show_streams");
    assert_eq!((&large["streams"][0]["width"], &large["streams"][0]["height"]), (&480.into(), &640.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_with_a_cover_picture_is_sound() {
    let studio = Studio::new();
    let cover = studio.make("cover.jpg", "-f lavfi -i testsrc2=s=320x320 -frames:v 1 -pix_fmt yuvj420p");
    let file = studio.make(
        "a.mp3",
        &format!(
            "-f lavfi -i anoisesrc=d=2:r=44100:a=0.3 -i {} -map 0 -map 1 -c:a libmp3lame -c:v copy -disposition:v attached_pic",
            cover.display()
        ),
    );
    let (technical, output) = studio.ingest(&file).await;
    assert_eq!((technical.kind, technical.video), (AssetKind::Audio, None));
    output.check_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn high_dynamic_range_is_tone_mapped() {
    let studio = Studio::new();
    // Grey patches by their code value in 10 bits: 5, 203 (BT.2408's white of a diffuse surface) and 1,000 cd/m²
    // in PQ; and the corresponding ones in HLG. Relabelled, the first two would look washed out and grey.
    for (transfer, dark, white, highlight) in [("smpte2084", 279, 573, 723), ("arib-std-b67", 204, 721, 940)]
    {
        let mut seen = Vec::new();
        for code in [dark, white, highlight] {
            let file = studio.make(
                &format!("{transfer}-{code}.mkv"),
                &format!(
                    "-f lavfi -i nullsrc=s=64x64:r=25:d=0.2,format=yuv420p10le,geq=lum={code}:cb=512:cr=512 -c:v libx265 \
                     -pix_fmt yuv420p10le -x265-params \
                     log-level=error:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
                ),
            );
            let (technical, output) = studio.ingest(&file).await;
            let video = technical.video.unwrap();
            assert!(video.is_hdr(), "{video:?}");
            assert_eq!(video.colour_primaries.as_deref(), Some("bt2020"));
            output.check_picture();
            seen.push(luma(output.path(DerivativeKind::Proxy)));
        }
        let [dark, white, highlight] = seen[..] else { panic!("{seen:?}") };
        assert!((20..90).contains(&dark), "{transfer}: {seen:?}");
        assert!((170..235).contains(&white), "{transfer}: {seen:?}");
        assert!((white + 4..=240).contains(&highlight), "{transfer}: {seen:?}");
    }
}

/// Luma of the first pixel of the first frame.
fn luma(path: &std::path::Path) -> u8 {
    let output = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(path)
        .args(["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"])
        .output()
        .unwrap();
    output.stdout[32 * 64 + 32]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_is_stopped() {
    let mut studio = Studio::new();
    let file = studio.make("a.mp4", "-f lavfi -i testsrc2=s=640x360:d=1 -c:v libx264 -pix_fmt yuv420p");
    let technical = studio.probe(&file).await.unwrap();
    studio.bounds.time_limit = std::time::Duration::ZERO;
    match studio.render(&file, &technical).await {
        Err(StepError::Failed(failure)) => assert_eq!(failure.code, FailureCode::TimedOut),
        other => panic!("{:?}", other.map(|output| output.rendered)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shots_are_found_at_their_first_frame() {
    let studio = Studio::new();
    let file = studio.make(
        "a.mp4",
        "-f lavfi -i color=c=red:s=320x180:r=25:d=1 -f lavfi -i color=c=blue:s=320x180:r=25:d=1 \
         -f lavfi -i testsrc2=s=320x180:r=25:d=1 -filter_complex '[0][1][2]concat=n=3' -c:v libx264 \
         -pix_fmt yuv420p",
    );
    let (_, output) = studio.ingest(&file).await;
    assert_eq!(output.rendered.analysis.shot_changes, [25, 50]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_that_begins_before_the_picture_is_cut_to_it() {
    let studio = Studio::new();
    // The tone bursts when the picture turns white, one second into the picture, which itself begins
    // half a second after the sound.
    let file = studio.make(
        "a.mkv",
        "-itsoffset 0.5 -f lavfi -i testsrc2=s=320x180:r=25:d=2 -f lavfi -i \
         'aevalsrc=if(gte(t\\,1.5)\\,0.5*sin(2000*t)\\,0):s=48000:d=2.5' -c:v libx264 -pix_fmt yuv420p -c:a pcm_s16le",
    );
    let (_, output) = studio.ingest(&file).await;
    assert_eq!(output.check_picture().frames, 50);
    let bytes = std::fs::read(output.path(DerivativeKind::Waveform)).unwrap();
    let header = output.waveform();
    let point = header[5] as usize * 2;
    let first_loud = bytes[24..].chunks(point).position(|point| point[1].cast_signed() > 20).unwrap();
    assert!((98..=102).contains(&first_loud), "the burst is at {first_loud} hundredths, not at 1 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_mp4_has_no_index() {
    let studio = Studio::new();
    let whole = studio.make("a.mp4", "-f lavfi -i testsrc2=s=640x360:r=25:d=3 -c:v libx264 -pix_fmt yuv420p");
    match studio.probe(&studio.cut(&whole, 0.6)).await {
        Err(StepError::Failed(failure)) => assert_eq!(failure.code, FailureCode::Truncated, "{failure:?}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_mxf_transport_stream_and_fast_start_mp4_give_what_is_there() {
    let studio = Studio::new();
    for (name, options) in [
        ("a.mxf", "-c:v mpeg2video -pix_fmt yuv422p -b:v 10M -c:a pcm_s16le"),
        ("a.ts", "-c:v mpeg2video -b:v 10M -c:a mp2"),
        ("h264.ts", "-c:v libx264 -pix_fmt yuv420p -c:a mp2"),
        ("fast.mp4", "-c:v libx264 -pix_fmt yuv420p -c:a aac -movflags +faststart"),
    ] {
        let sources = "-f lavfi -i testsrc2=s=640x360:r=25:d=4 -f lavfi -i sine=sample_rate=48000:d=4";
        let whole = studio.make(name, &format!("{sources} {options}"));
        let cut = studio.cut(&whole, 0.6);
        let (technical, output) = studio.ingest(&cut).await;
        let seen = output.check_picture();
        assert!((30..90).contains(&seen.frames), "{name}: {seen:?}");
        output.check_sound();
        let warnings = [technical.warnings, output.rendered.warnings.clone()].concat();
        let is_said = |words: &str| warnings.iter().any(|warning| warning.contains(words));
        assert!(is_said("cut off") || is_said("damaged"), "{name}: {warnings:?}");
        if !name.ends_with(".ts") {
            assert!(is_said("The file ends early"), "{name}: {warnings:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_media_is_refused_with_the_reason() {
    let studio = Studio::new();
    assert_eq!(failure(&studio, "empty.mov", b"").await.code, FailureCode::EmptyFile);
    let text = "INT. KITCHEN - NIGHT\n\nShe opens the letter.\n".repeat(200);
    let subtitles = "1\n00:00:01,000 --> 00:00:02,000\nHello\n\n".repeat(20);
    let page = "<!doctype html><html><body>Hello</body></html>";
    let zeros = vec![0; 300_000];
    for (name, bytes) in [
        ("script.mov", text.as_bytes()),
        ("one-line.mov", b"hello".as_slice()),
        ("one-byte.mov", b"\n".as_slice()),
        ("subtitles.mov", subtitles.as_bytes()),
        ("page.mov", page.as_bytes()),
        ("zeros.mov", &zeros),
    ] {
        let failure = failure(&studio, name, bytes).await;
        assert_eq!(failure.code, FailureCode::NotMedia, "{name}: {failure:?}");
        assert!(failure.message.contains("not a media file we can read"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_bytes_are_no_media() {
    let studio = Studio::new();
    for seed in 1..=24_u64 {
        let bytes = random_bytes(seed, 50_000 + 20_000 * seed as usize);
        let failure = failure(&studio, &format!("random-{seed}.mov"), &bytes).await;
        let is_refused = matches!(failure.code, FailureCode::NotMedia | FailureCode::Undecodable);
        assert!(is_refused, "seed {seed}: {failure:?}");
        assert_eq!(failure.code, FailureCode::NotMedia, "seed {seed}: {failure:?}");
    }
}

/// xorshift64*, so that a failure can be had again.
fn random_bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let words = std::iter::repeat_with(|| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes()
    });
    words.flatten().take(length).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_refer_to_others_are_not_followed() {
    let studio = Studio::new();
    let victim = studio.make("victim.ts", "-f lavfi -i testsrc2=s=320x180:r=25:d=1 -c:v mpeg2video");
    let victim = victim.display();
    let playlist =
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\nfile://{victim}\n#EXT-X-ENDLIST\n");
    let concat = format!("ffconcat version 1.0\nfile '{victim}'\n");
    let drawing = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"99\" \
         height=\"99\"><image xlink:href=\"file://{victim}\" width=\"9\" height=\"9\"/></svg>"
    );
    let dash = format!(
        "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" profiles=\
         \"urn:mpeg:dash:profile:isoff-on-demand:2011\"><Period><AdaptationSet><Representation id=\"1\"><BaseURL>\
         {victim}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    );
    for (name, text) in [("a.mov", playlist), ("b.mov", concat), ("c.mov", drawing), ("d.mov", dash)] {
        let failure = failure(&studio, name, text.as_bytes()).await;
        assert_eq!(failure.code, FailureCode::NotMedia, "{name}: {failure:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_playlist_hidden_in_avi_subtitles_is_not_followed() {
    let studio = Studio::new();
    let (listener, port) = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    };
    let playlist = format!(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\nhttp://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n"
    );
    let plain = studio.make("a.avi", "-f lavfi -i testsrc2=s=320x180:r=25:d=1 -c:v mjpeg");
    let bytes = std::fs::read(plain).unwrap();
    let file = studio.write("b.avi", &with_subtitles(&bytes, playlist.as_bytes()));
    let (technical, output) = studio.ingest(&file).await;
    assert_eq!(technical.kind, AssetKind::Video);
    assert!(output.check_picture().frames > 0);
    assert!(listener.accept().is_err(), "the playlist's address was asked for");
}

/// Adds a `GAB2` subtitle stream, whose content FFmpeg opens with whatever demuxer fits, to an AVI.
fn with_subtitles(avi: &[u8], content: &[u8]) -> Vec<u8> {
    let chunk = |name: &[u8], body: &[u8]| {
        let mut all = [name, &(body.len() as u32).to_le_bytes(), body].concat();
        all.resize(all.len().next_multiple_of(2), 0);
        all
    };
    let mut header = vec![0; 56];
    header[..4].copy_from_slice(b"txts");
    for (at, value) in [(20, 1_u32), (24, 25), (32, 1)] {
        header[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    let stream =
        chunk(b"LIST", &[b"strl".as_slice(), &chunk(b"strh", &header), &chunk(b"strf", &[])].concat());
    let mut packet = b"GAB2\0\x02\0".to_vec();
    packet.extend(2_u32.to_le_bytes());
    packet.extend([b'x', 0]);
    packet.extend(4_u16.to_le_bytes());
    packet.extend((content.len() as u32).to_le_bytes());
    packet.extend(content);
    let packet = chunk(b"01tx", &packet);
    let place = |name: &[u8]| avi.windows(4).position(|four| four == name).unwrap();
    let (hdrl, movi) = (place(b"hdrl"), place(b"movi"));
    let size_at = |at: usize| u32::from_le_bytes(avi[at..at + 4].try_into().unwrap());
    let hdrl_end = hdrl + size_at(hdrl - 4) as usize;
    let mut out = avi[..hdrl_end].to_vec();
    out.extend(&stream);
    out.extend(&avi[hdrl_end..movi + 4]);
    out.extend(&packet);
    out.extend(&avi[movi + 4..]);
    let mut grow = |at: usize, by: usize| {
        let size = u32::from_le_bytes(out[at..at + 4].try_into().unwrap()) + by as u32;
        out[at..at + 4].copy_from_slice(&size.to_le_bytes());
    };
    grow(4, stream.len() + packet.len());
    grow(hdrl - 4, stream.len());
    grow(movi - 4 + stream.len(), packet.len());
    // Number of streams in the main header.
    let avih = place(b"avih");
    grow(avih + 8 + 24, 1);
    out
}
