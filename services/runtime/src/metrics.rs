//! Metrics in the Prometheus text format, on a listener of their own, so that monitoring neither
//! needs a session nor competes with users.

use std::net::SocketAddr;
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_openssl::SslStream;

use crate::Shutdown;
use crate::tls::Tls;

/// How long a client may take to send its request and to read the answer.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest request head.
const MAX_HEAD_BYTES: usize = 8 * 1024;
/// How often old samples of summaries and histograms are folded.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Wait after a connection could not be accepted, for instance as the process has too many files open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Upper bounds of the buckets of all histograms, seconds.
const BUCKETS_SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

/// The installed recorder.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

impl Metrics {
    /// Installs the recorder. What was counted before this call is lost, so it comes first.
    ///
    /// # Errors
    /// If another recorder is installed already.
    pub fn install() -> Result<Self, BuildError> {
        let handle = PrometheusBuilder::new().set_buckets(&BUCKETS_SECONDS)?.install_recorder()?;
        // All programs of a release have one version, this crate's too.
        metrics::gauge!("kinora_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        Ok(Self { handle })
    }

    /// All metrics in the Prometheus text format 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Answers `GET /metrics` and `GET /livez` on `listener` until shutdown, over TLS where it is given.
    /// Returns the listener's address.
    ///
    /// # Errors
    /// If the listener cannot be used.
    pub fn serve(
        &self,
        listener: std::net::TcpListener,
        tls: Option<Tls>,
        shutdown: Shutdown,
    ) -> std::io::Result<SocketAddr> {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let bound = listener.local_addr()?;
        let metrics = self.clone();
        tokio::spawn(async move {
            let mut upkeep = tokio::time::interval(UPKEEP_INTERVAL);
            loop {
                tokio::select! {
                    () = shutdown.requested() => return,
                    _ = upkeep.tick() => metrics.handle.run_upkeep(),
                    accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                        let (metrics, tls) = (metrics.clone(), tls.clone());
                        tokio::spawn(async move {
                            // A client that hangs or leaves concerns nobody else.
                            let _ = tokio::time::timeout(CLIENT_TIMEOUT, metrics.welcome(stream, tls)).await;
                        });
                    } else {
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    },
                }
            }
        });
        Ok(bound)
    }

    async fn welcome(&self, stream: TcpStream, tls: Option<Tls>) -> std::io::Result<()> {
        let Some(tls) = tls else { return self.answer(stream).await };
        let mut stream = SslStream::new(tls.connection()?, stream)?;
        std::pin::Pin::new(&mut stream).accept().await.map_err(std::io::Error::other)?;
        self.answer(stream).await
    }

    /// Answers one request (HTTP/1.1, RFC 9112) and closes the connection.
    async fn answer(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
        let mut head = Vec::new();
        let mut buffer = [0_u8; 1024];
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            let count = stream.read(&mut buffer).await?;
            if count == 0 || head.len() + count > MAX_HEAD_BYTES {
                return Ok(());
            }
            head.extend(buffer.iter().take(count));
        }
        let head = String::from_utf8_lossy(&head);
        let mut words = head.split([' ', '\r']);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (status, body) = match (method, target.split('?').next().unwrap_or_default()) {
            ("GET" | "HEAD", "/metrics") => ("200 OK", self.render()),
            ("GET" | "HEAD", "/livez") => ("200 OK", "ok\n".to_owned()),
            ("GET" | "HEAD", _) => ("404 Not Found", "not found\n".to_owned()),
            _ => ("405 Method Not Allowed", "GET only\n".to_owned()),
        };
        let mut answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            body.len(),
        );
        if method != "HEAD" {
            answer.push_str(&body);
        }
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn metrics_are_served_and_nothing_else() {
        let metrics = Metrics { handle: PrometheusBuilder::new().build_recorder().handle() };
        let shutdown = Shutdown::manual();
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = metrics.serve(listener, None, shutdown.clone()).unwrap();
        for (request, status) in [
            ("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK"),
            ("GET /livez HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK"),
            ("GET /etc/passwd HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found"),
            ("POST /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 405 Method Not Allowed"),
        ] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with(status), "{request} → {answer}");
        }
        shutdown.request();
    }
}
