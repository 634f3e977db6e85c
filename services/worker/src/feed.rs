//! The feed: serves an original to a confined child over HTTP/1.1 with ranges, decrypted on the way,
//! so that it never stands in clear on a disk.
//!
//! This speaks just what FFmpeg's `http:` protocol asks for: GET and HEAD of one resource with at
//! most one range, on connections that carry one request each. It is reachable only from inside the
//! child's sandbox.

use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use kinora_core::{Failure, FailureCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::confinement::launch::FEED_PORT;

/// Longest request head that is read, bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Most bytes read and sent at a time: large enough that the cost of a turn does not matter.
const CHUNK_BYTES: usize = 256 * 1024;

/// Bytes read and sent at first: a reader that looks for an index seeks again soon.
const FIRST_CHUNK_BYTES: usize = 64 * 1024;

/// Bytes the kernel holds for a connection: whatever it holds when the reader seeks was read and
/// decrypted in vain, and by itself it takes megabytes.
const SEND_BUFFER_BYTES: usize = 512 * 1024;

/// Where the bytes come from.
pub trait Source: Send + Sync + 'static {
    /// Size of the original, bytes.
    fn size_bytes(&self) -> u64;

    /// Between 1 and `most` bytes at `offset`, which lies inside the original.
    fn read_at(&self, offset: u64, most: usize) -> impl Future<Output = Result<Bytes, Failure>> + Send;
}

/// A plain file, for measuring what the feed costs and for tests.
#[derive(Debug)]
pub struct FileSource {
    file: Arc<std::fs::File>,
    size_bytes: u64,
}

impl FileSource {
    /// Opens the file.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn open(path: &std::path::Path) -> io::Result<Self> {
        let file = std::fs::File::open(path)?;
        let size_bytes = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), size_bytes })
    }
}

impl Source for FileSource {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    async fn read_at(&self, offset: u64, most: usize) -> Result<Bytes, Failure> {
        let file = Arc::clone(&self.file);
        let read = tokio::task::spawn_blocking(move || {
            let mut buffer = vec![0; most];
            let length = std::os::unix::fs::FileExt::read_at(&*file, &mut buffer, offset)?;
            buffer.truncate(length);
            if length == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(Bytes::from(buffer)) }
        });
        let storage = |error: String| Failure::new(FailureCode::Storage).with_detail(error);
        read.await
            .map_err(|error| storage(error.to_string()))?
            .map_err(|error: io::Error| storage(error.to_string()))
    }
}

/// The address of the original inside the sandbox.
#[must_use]
pub fn address() -> String {
    format!("http://127.0.0.1:{FEED_PORT}/original")
}

/// The serving side. Dropping it ends all connections.
#[derive(Debug)]
pub struct Feed {
    _serving: JoinSet<()>,
    failure: Arc<Mutex<Option<Failure>>>,
}

impl Feed {
    /// Serves `source` on `listener`.
    ///
    /// # Errors
    /// If the listener cannot be used.
    pub fn start(listener: TcpListener, source: Arc<impl Source>) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let failure = Arc::new(Mutex::new(None));
        let noted = Arc::clone(&failure);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((stream, _)) = listener.accept() => {
                        let (source, noted) = (Arc::clone(&source), Arc::clone(&noted));
                        connections.spawn(async move {
                            if let Err(error) = answer(stream, &*source, &noted).await {
                                // The reader seeks by closing the connection: nothing unusual.
                                log::trace!(error:%; "the reader closed a connection of the feed");
                            }
                        });
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self { _serving: serving, failure })
    }

    /// Why the original could not be read to the end, if that happened; the child then saw a broken
    /// connection, which says nothing about the media.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        self.failure.lock().ok().and_then(|failure| failure.clone())
    }
}

async fn answer<S: Source>(
    mut stream: TcpStream,
    source: &S,
    noted: &Mutex<Option<Failure>>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    rustix::net::sockopt::set_socket_send_buffer_size(&stream, SEND_BUFFER_BYTES)?;
    let head = read_head(&mut stream).await?;
    let size = source.size_bytes();
    let Some(request) = Request::parse(&head, size) else {
        return stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await;
    };
    stream.write_all(request.response_head(size).as_bytes()).await?;
    if request.is_head || request.is_unsatisfiable {
        return stream.shutdown().await;
    }
    let (mut offset, mut chunk_bytes) = (request.start, FIRST_CHUNK_BYTES);
    while offset < request.end {
        let left = usize::try_from(request.end - offset).unwrap_or(usize::MAX);
        // Up to a multiple of the chunk, so that no frame of the vault is decrypted twice.
        let aligned = chunk_bytes - usize::try_from(offset % chunk_bytes as u64).unwrap_or(0);
        chunk_bytes = (chunk_bytes * 2).min(CHUNK_BYTES);
        match source.read_at(offset, left.min(aligned)).await {
            Ok(chunk) => {
                offset += chunk.len() as u64;
                stream.write_all(&chunk).await?;
            }
            Err(failure) => {
                if let Ok(mut noted) = noted.lock() {
                    noted.get_or_insert(failure);
                }
                return Err(io::Error::other("the original could not be read"));
            }
        }
    }
    stream.shutdown().await
}

async fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(1024);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_HEAD_BYTES || stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    Ok(head)
}

/// What is asked for: bytes `start` to (not including) `end`.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    is_head: bool,
    is_range: bool,
    is_unsatisfiable: bool,
    start: u64,
    end: u64,
}

impl Request {
    fn parse(head: &[u8], size: u64) -> Option<Self> {
        let head = std::str::from_utf8(head).ok()?;
        let mut lines = head.split("\r\n");
        let is_head = match lines.next()?.split(' ').next()? {
            "GET" => false,
            "HEAD" => true,
            _ => return None,
        };
        let range = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("range").then(|| value.trim())
        });
        let mut request =
            Self { is_head, is_range: range.is_some(), is_unsatisfiable: false, start: 0, end: size };
        if let Some(range) = range {
            let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
            request.start = first.parse().ok()?;
            if !last.is_empty() {
                request.end = last.parse::<u64>().ok()?.saturating_add(1).min(size);
            }
            request.is_unsatisfiable = request.start >= request.end;
        }
        Some(request)
    }

    fn response_head(&self, size: u64) -> String {
        let common =
            "Accept-Ranges: bytes\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n\r\n";
        if self.is_unsatisfiable {
            return format!(
                "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */{size}\r\nContent-Length: 0\r\n{common}"
            );
        }
        let length = self.end - self.start;
        if self.is_range {
            format!(
                "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {}-{}/{size}\r\nContent-Length: {length}\r\n{common}",
                self.start,
                self.end.saturating_sub(1),
            )
        } else {
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{common}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Request> {
        Request::parse(format!("{text}\r\n\r\n").as_bytes(), 1000)
    }

    #[test]
    fn ranges_are_read_as_http_defines_them() {
        let whole = parse("GET /original HTTP/1.1\r\nHost: x").expect("a request");
        assert_eq!((whole.start, whole.end, whole.is_range), (0, 1000, false));
        let open = parse("GET / HTTP/1.1\r\nrange: bytes=200-").expect("a request");
        assert_eq!((open.start, open.end, open.is_range), (200, 1000, true));
        assert!(open.response_head(1000).contains("Content-Range: bytes 200-999/1000"));
        let closed = parse("GET / HTTP/1.1\r\nRange: bytes=200-299").expect("a request");
        assert_eq!((closed.start, closed.end), (200, 300));
        let beyond = parse("GET / HTTP/1.1\r\nRange: bytes=1000-").expect("a request");
        assert!(beyond.is_unsatisfiable);
        assert!(beyond.response_head(1000).starts_with("HTTP/1.1 416 "));
        assert!(parse("HEAD / HTTP/1.1").expect("a request").is_head);
        for bad in
            ["POST / HTTP/1.1", "GET / HTTP/1.1\r\nRange: bytes=-5", "GET / HTTP/1.1\r\nRange: lines=1-2", ""]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
