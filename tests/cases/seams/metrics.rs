//! Every role tells how it does, on a listener of its own.

use kinora_tests::{Client, Kinora, wait_until};

/// Waits until there is a figure of this name.
async fn figure(metrics: &mut Client, name: &str) -> String {
    wait_until(name, async || {
        let answer = metrics.get("/metrics").await.expect(200);
        assert!(answer.header("content-type").unwrap().starts_with("text/plain"), "{:?}", answer.headers);
        answer.text().lines().find(|line| line.starts_with(name)).map(str::to_owned)
    })
    .await
}

#[tokio::test]
async fn every_role_serves_metrics_on_a_listener_of_its_own() {
    let mut kinora = Kinora::whole().await;
    let mut application = kinora.application(0).metrics().await;
    let _ = kinora.visitor().get("/livez").await.expect(200);
    let _ = figure(&mut application, "kinora_http_requests_total{").await;
    let mut backend = kinora.backend(0).metrics().await;
    assert_eq!(figure(&mut backend, "kinora_backend_leader 1").await, "kinora_backend_leader 1");
    let mut worker = kinora.worker(0).metrics().await;
    assert_eq!(figure(&mut worker, "kinora_worker_drained").await, "kinora_worker_drained 0");
    // Where people come in nobody learns anything of that.
    let page = kinora.visitor().get("/metrics").await;
    assert!(!page.text().contains("kinora_http_requests_total"), "{}", page.text());
}
