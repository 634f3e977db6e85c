//! The processor time of an ingest, against one bare FFmpeg command that makes the same outputs.

use std::process::{Command, Stdio};

use kinora_tests::{Stack, program};

use crate::measure::Row;

const ROUNDS: &str = "3";

/// Twenty seconds of ProRes 422 HQ with moving detail and sound, as a camera would deliver.
pub fn camera_file(to: &std::path::Path) {
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=25,noise=alls=12:allf=t"])
        .args(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "20"])
        .args(["-c:v", "prores_ks", "-profile:v", "hq", "-pix_fmt", "yuv422p10le", "-c:a", "pcm_s24le"])
        .args(["-timecode", "10:00:00:00"])
        .arg(to)
        .status()
        .expect("ffmpeg");
    assert!(status.success());
}

/// Runs the worker's own measuring program, which takes both sides in turn.
pub async fn measure() -> Vec<Row> {
    let file = Stack::get().create_test_directory().join("camera.mov");
    camera_file(&file);
    let measuring = program("examples/ingest_cost");
    let output = Command::new(measuring)
        .arg(&file)
        .arg(ROUNDS)
        .stdin(Stdio::null())
        .output()
        .expect("cargo build --release -p kinora-worker --example ingest_cost");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let last = text.lines().last().expect("a result");
    let result: serde_json::Value = serde_json::from_str(last).expect("JSON");
    let figure = |key: &str| result[key].as_f64().expect("a number");
    let ratio = figure("ratio");
    vec![Row {
        what: "processor time of an ingest ÷ one bare FFmpeg command, 20 s of ProRes 1080p25",
        figure: format!("{ratio:.3}"),
        goal: "≤ 1.05",
        reached: Some(ratio <= 1.05),
        from: format!(
            "{:.1} s ÷ {:.1} s, median of {ROUNDS}; with probe, sandbox, decryption and sealing",
            figure("ingest_cpu_s"),
            figure("bare_cpu_s")
        ),
    }]
}
