//! Restarts with sockets that systemd keeps: nobody is refused, nobody is reset, what was begun is
//! finished, and systemd is told.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use kinora_tests::Kinora;
use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::unit::{PACE, Unit, Visit, read_answer, visit};

/// `KINORA_RESTARTS` of them; a thousand take about half an hour.
fn restarts() -> usize {
    std::env::var("KINORA_RESTARTS").ok().and_then(|count| count.parse().ok()).unwrap_or(10)
}

/// No visitor is sent away for coming too often.
const UNLIMITED: &str = "rate_limit.address_per_second = 1000000.0\nrate_limit.address_burst = 1000000\n";

type Counts = HashMap<Visit, usize>;

/// 200 new connections a second until `stop`, each with one request.
async fn flood(address: SocketAddr, stop: CancellationToken) -> Counts {
    let mut ticks = interval(Duration::from_millis(5));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut visits = JoinSet::new();
    let mut counts = Counts::new();
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        visits.spawn(visit(address));
        while let Some(done) = visits.try_join_next() {
            *counts.entry(done.unwrap()).or_default() += 1;
        }
    }
    while let Some(done) = visits.join_next().await {
        *counts.entry(done.unwrap()).or_default() += 1;
    }
    counts
}

/// A visitor that keeps its connection until it is asked to close it.
async fn stay(address: SocketAddr, stop: CancellationToken) -> Counts {
    let mut counts = Counts::new();
    while !stop.is_cancelled() {
        let mut stream = match TcpStream::connect(address).await {
            Ok(stream) => stream,
            Err(error) => {
                *counts.entry(error.into()).or_default() += 1;
                continue;
            }
        };
        while !stop.is_cancelled() {
            let asked = stream.write_all(b"GET /livez HTTP/1.1\r\nHost: kinora\r\n\r\n").await;
            let answer = match asked {
                Ok(()) => read_answer(&mut stream).await,
                Err(error) => Err(error),
            };
            match answer {
                Ok(head) => {
                    *counts.entry(Visit::Answered).or_default() += 1;
                    if head.contains("connection: close") {
                        break;
                    }
                }
                Err(error) => {
                    *counts.entry(error.into()).or_default() += 1;
                    break;
                }
            }
            tokio::time::sleep(PACE).await;
        }
    }
    counts
}

#[tokio::test]
async fn a_restart_under_load_refuses_and_resets_nobody() {
    let kinora = Kinora::api().await;
    let unit = Unit::new(&kinora, "unit", UNLIMITED);
    let mut process = unit.start();
    unit.told("READY=1").await;
    let stop = CancellationToken::new();
    let mut visitors = JoinSet::new();
    visitors.spawn(flood(unit.address(), stop.clone()));
    for _ in 0..4 {
        visitors.spawn(stay(unit.address(), stop.clone()));
    }
    for number in 1..=restarts() {
        process.stop().await;
        process = unit.start();
        // It serves again when somebody who came after the start is answered.
        assert_eq!(visit(unit.address()).await, Visit::Answered, "restart {number}");
    }
    stop.cancel();
    let mut total = Counts::new();
    while let Some(counts) = visitors.join_next().await {
        for (visit, count) in counts.unwrap() {
            *total.entry(visit).or_default() += count;
        }
    }
    process.stop().await;
    println!("{} restarts: {total:?}", restarts());
    let answered = total.remove(&Visit::Answered).unwrap_or(0);
    assert!(answered > restarts() * 50, "{answered} answers are no load");
    assert_eq!(total, Counts::new(), "{}", unit.read_log());
}

#[tokio::test]
async fn what_was_begun_is_finished_and_systemd_is_told() {
    let kinora = Kinora::api().await;
    let unit = Unit::new(&kinora, "unit", UNLIMITED);
    let process = unit.start();
    unit.told("READY=1").await;
    unit.told("WATCHDOG=1").await;

    process.signal(Signal::HUP);
    assert!(unit.told("RELOADING=1").await.contains("MONOTONIC_USEC="));
    unit.told("READY=1").await;

    // Half a request, half a head, and a connection that has nothing more to say.
    let mut half = TcpStream::connect(unit.address()).await.unwrap();
    let body = r#"{"login":"nobody@example.org","password":"no such password"}"#;
    let head = format!(
        "POST /api/data/v1/session HTTP/1.1\r\nHost: kinora\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    half.write_all(head.as_bytes()).await.unwrap();
    half.write_all(&body.as_bytes()[..10]).await.unwrap();
    let mut fresh = TcpStream::connect(unit.address()).await.unwrap();
    let mut idle = TcpStream::connect(unit.address()).await.unwrap();
    idle.write_all(b"GET /livez HTTP/1.1\r\nHost: kinora\r\n\r\n").await.unwrap();
    assert!(!read_answer(&mut idle).await.unwrap().contains("connection: close"));
    // Connections are accepted in turn, so that all three are by now.
    process.signal(Signal::TERM);
    let stopping = unit.told("STOPPING=1").await;
    assert!(stopping.contains("EXTEND_TIMEOUT_USEC=50000000"), "grace and a margin: {stopping}");
    fresh.write_all(b"GET /livez HTTP/1.1\r\nHost: kinora\r\n\r\n").await.unwrap();
    let answer = read_answer(&mut fresh).await.unwrap();
    assert!(answer.starts_with("http/1.1 200") && answer.contains("connection: close"), "{answer}");
    half.write_all(&body.as_bytes()[10..]).await.unwrap();
    let answer = read_answer(&mut half).await.unwrap();
    assert!(answer.starts_with("http/1.1 401") && answer.contains("connection: close"), "{answer}");
    assert_eq!(idle.read(&mut [0]).await.unwrap(), 0, "closed politely");
    assert!(process.end().await.success());

    // Whoever comes in between waits for the next process.
    let waiting = tokio::spawn(visit(unit.address()));
    let next = unit.start();
    assert_eq!(waiting.await.unwrap(), Visit::Answered);
    next.stop().await;
}
