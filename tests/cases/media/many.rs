//! Many uploads at the same time.

use kinora_tests::{Kinora, wait_until};

use super::support::{Studio, Uploader, count, make_bytes, original, sha256};

const UPLOADS: usize = 200;
const FRAME: usize = 65_536;

/// The most memory that a process has had resident so far, bytes.
fn peak_memory_bytes(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[tokio::test]
async fn two_hundred_uploads_at_once_all_arrive() {
    let mut kinora = Kinora::builder()
        .applications(1)
        .settings("application", "rate_limit.person_burst = 5000")
        .start()
        .await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let length = 5 * FRAME + 11;
    let mut addresses = Vec::new();
    for number in 0..UPLOADS {
        addresses.push(uploader.create(length, &format!("{number}.mov")).await);
    }
    let mut open = Vec::new();
    let mut sent = 3 * FRAME;
    for (number, address) in addresses.into_iter().enumerate() {
        let bytes = make_bytes(1000 + number as u64, length);
        let mut patch = uploader.begin_patch(&address, 0, length).await;
        patch.send(&bytes[..sent]).await;
        open.push((address, bytes, patch));
    }
    // Nobody has finished: all are under way in this moment. A byte now and then shows that nobody has gone.
    wait_until("all of them have a writer", async || {
        for (_, bytes, patch) in &mut open {
            patch.send(&bytes[sent..=sent]).await;
        }
        sent += 1;
        let writers =
            count(&mut kinora.connect(), "uploads WHERE writer IS NOT NULL AND state = 'receiving'");
        (writers == UPLOADS as i64).then_some(())
    })
    .await;
    let mut sums = Vec::new();
    let mut tasks = tokio::task::JoinSet::new();
    for (address, bytes, mut patch) in open {
        sums.push((address, sha256(&bytes)));
        tasks.spawn(async move {
            patch.send(&bytes[sent..]).await;
            patch.status().await
        });
    }
    while let Some(status) = tasks.join_next().await {
        assert_eq!(status.unwrap(), Some(204));
    }
    let peak = peak_memory_bytes(kinora.application(0).process_id());
    assert!(peak <= 200_000_000, "{peak} bytes for {UPLOADS} uploads");
    for (address, sum) in sums {
        let asset = uploader.head(&address).await.expect(200).header("kinora-asset").unwrap().to_owned();
        let answer = uploader.send(uploader.client.request(reqwest::Method::GET, &original(&asset))).await;
        assert_eq!(sha256(&answer.expect(200).bytes), sum);
    }
}
