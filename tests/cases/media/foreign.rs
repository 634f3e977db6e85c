//! A tus client that knows nothing of Kinora: `tuspy` from PyPI, given an address and a token. It comes
//! with `packaging/bootstrap test`.

use kinora_tests::Kinora;
use tokio::process::Command;

use super::support::{Studio, Uploader, count, make_bytes, sha256};

const SCRIPT: &str = r#"
import sys
from tusclient import client
address, token, path = sys.argv[1:4]
tus = client.TusClient(address, headers={"Authorization": "Bearer " + token})
# In two goes, as after a broken connection: the second finds its place by itself.
first = tus.uploader(path, chunk_size=200_000)
first.upload_chunk()
second = tus.uploader(path, chunk_size=70_000, url=first.url, upload_checksum=True)
assert second.offset == 200_000, second.offset
second.upload()
print(second.url)
"#;

#[tokio::test]
async fn a_foreign_client_uploads_with_an_address_and_a_token_alone() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let bytes = make_bytes(20, 500_123);
    let path = kinora.directory().join("camera.mov");
    std::fs::write(&path, &bytes).unwrap();
    let output = Command::new("tuspy-python")
        .args(["-c", SCRIPT])
        .arg(format!("{}{}", kinora.url(), studio.uploads()))
        .arg(&person.token)
        .arg(&path)
        .output()
        .await
        .expect("tuspy-python, which `packaging/bootstrap test` installs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let address = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let answer = uploader.head(&address).await.expect(200);
    let asset = answer.header("kinora-asset").unwrap();
    assert_eq!(uploader.download(asset).await, bytes);
    let stored = format!("versions WHERE sha256 = '{}' AND file_name = 'Untitled'", sha256(&bytes));
    assert_eq!(count(&mut kinora.connect(), &stored), 1, "no name was given");
}
