//! A client and a set of checks that know nothing of Kinora: python-scim's, from PyPI. They come with
//! `packaging/bootstrap test`.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::place::{Place, add_token, tokens_of};

#[tokio::test]
async fn an_independent_client_finds_nothing_to_complain_of() {
    let mut place = Place::open().await;
    let token = add_token(&mut place.owner, &place.organisation, &place.connection).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scim/check.py");
    let mut process = Command::new("scim2-python")
        .arg(script)
        .args([format!("{}/scim/v2", place.kinora.url()), "studio.example".to_owned()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("scim2-python, which `packaging/bootstrap test` installs");
    let mut input = process.stdin.take().unwrap();
    input.write_all(format!("{token}\n").as_bytes()).await.unwrap();
    drop(input);
    let output = process.wait_with_output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let results: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let good = ["SUCCESS", "COMPLIANT", "ACCEPTABLE"];
    for result in &results {
        let status = result["status"].as_str().unwrap();
        // Searching several kinds at once is not offered, which the tester takes for what it is.
        let is_search = result["reason"].as_str().unwrap_or_default().starts_with("POST /.search");
        assert!(good.contains(&status) || (status == "SKIPPED" && is_search), "{result:#}");
    }
    let of = |resource: &str| results.iter().filter(|result| result["resource"] == resource).count();
    assert!(of("User") >= 20 && of("Group") >= 12, "{} and {}: {said}", of("User"), of("Group"));
    let shown = place.owner.get(&tokens_of(&place.organisation, &place.connection)).await.expect(200).json();
    assert!(shown["tokens"][0]["last_used_at"].is_string(), "{shown}");
}
