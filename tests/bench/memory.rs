//! The application's memory while many uploads run at once.

use std::sync::Arc;

use futures_util::stream;
use kinora_tests::Kinora;
use reqwest::Method;
use tokio::sync::Barrier;

use crate::measure::{Row, peak_memory_bytes};
use crate::upload::{announce, create_production};

const UPLOADS: usize = 200;
const PIECE_BYTES: usize = 256 * 1024;
const PIECES: usize = 32;

/// All uploads send half, wait for each other, and send the rest: so all of them run at once.
pub async fn measure() -> Vec<Row> {
    let mut kinora = Kinora::api().await;
    let mut administrator = kinora.administrator().await;
    let production = create_production(&kinora, &mut administrator).await;
    let idle = peak_memory_bytes(kinora.application(0).process_id());
    let barrier = Arc::new(Barrier::new(UPLOADS));
    let mut tasks = Vec::new();
    for _ in 0..UPLOADS {
        let address = announce(&mut administrator, &production, (PIECES * PIECE_BYTES) as u64).await;
        let mut client = administrator.clone();
        let barrier = Arc::clone(&barrier);
        tasks.push(tokio::spawn(async move {
            let pieces = stream::unfold(0, move |piece| {
                let barrier = Arc::clone(&barrier);
                async move {
                    if piece == PIECES / 2 {
                        barrier.wait().await;
                    }
                    (piece < PIECES).then(|| (Ok::<_, std::io::Error>(vec![7_u8; PIECE_BYTES]), piece + 1))
                }
            });
            let request = client
                .request(Method::PATCH, &address)
                .header("Tus-Resumable", "1.0.0")
                .header("Upload-Offset", "0")
                .header("Content-Type", "application/offset+octet-stream")
                .body(reqwest::Body::wrap_stream(pieces));
            let _ = client.send(request).await.expect(204);
        }));
    }
    for task in tasks {
        task.await.expect("an upload");
    }
    let peak = peak_memory_bytes(kinora.application(0).process_id());
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    vec![Row {
        what: "peak memory of the application, 200 uploads running",
        figure: format!("{:.0} MB", megabytes(peak)),
        goal: "≤ 200 MB",
        reached: Some(peak <= 200_000_000),
        from: format!("VmHWM; {:.0} MB before the first upload", megabytes(idle)),
    }]
}
