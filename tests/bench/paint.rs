//! When a library of 40,000 assets is on the screen, in Chromium with an empty cache.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kinora_tests::Kinora;

use crate::listing::{NO_LIMITS, fill};
use crate::measure::{Row, median};
use crate::upload::create_production;

const ROUNDS: usize = 5;

fn open(url: &str, name: &str, token: &str) -> serde_json::Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/paint.mjs");
    let mut browser = Command::new("node")
        .arg(script)
        .args([url, name])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node");
    browser.stdin.take().expect("standard input").write_all(token.as_bytes()).expect("the token");
    let output = browser.wait_with_output().expect("the browser");
    assert!(output.status.success(), "the page did not come up");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The web client must be built (`make web`).
pub async fn measure() -> Vec<Row> {
    let web: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../services/web/dist");
    assert!(web.join("index.html").exists(), "build the web client first: make web");
    let web = web.canonicalize().expect("a path");
    let settings = format!("{NO_LIMITS}web_root = \"{}\"\n", web.display());
    let kinora = Kinora::builder().applications(1).settings("application", &settings).start().await;
    let mut client = kinora.administrator().await;
    let production = create_production(&kinora, &mut client).await;
    fill(&kinora, &production);
    let list = client.get(&format!("/api/data/v1/productions/{production}/assets")).await.expect(200).json();
    let name = list["items"][0]["name"].as_str().expect("a name").to_owned();
    let token = client.cookie("__Host-kinora").expect("signed in").to_owned();
    let url = format!("{}/productions/{production}/library", kinora.url());
    let (mut painted, mut listed) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let times = open(&url, &name, &token);
        painted.push(times["painted_ms"].as_f64().expect("a time"));
        listed.push(times["listed_ms"].as_f64().expect("a time"));
    }
    let listed = median(listed);
    vec![Row {
        what: "library of 40,000 assets on the screen, empty cache",
        figure: format!("{listed:.0} ms"),
        goal: "≤ 1,000 ms",
        reached: Some(listed <= 1000.0),
        from: format!(
            "first asset's name painted; first contentful paint {:.0} ms; median of {ROUNDS}",
            median(painted)
        ),
    }]
}
