//! A small tus 1.0.0 client: creation, PATCH in pieces, going on after an interruption.
//!
//! Once, in the middle, it breaks an upload off on purpose: that a lost connection loses no
//! acknowledged byte is part of what the canary is there to see.

use std::io::SeekFrom;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use reqwest::{Body, Method, Response, StatusCode};
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::client::{CanaryError, Client, accept, send};

/// Bytes of one PATCH.
const PIECE_BYTES: u64 = 8 * 1024 * 1024;
/// Bytes read from the file at once.
const READ_BYTES: usize = 256 * 1024;
/// How often in a row a piece may fail without any progress.
const MOST_FAILURES: u32 = 6;

/// The file, and what is known about it.
#[derive(Debug)]
pub struct Source {
    file: File,
    /// Its length.
    pub size_bytes: u64,
    /// Its name without directories.
    pub name: String,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

impl Source {
    /// Opens the file and reads it once.
    pub async fn open(path: &Path) -> Result<Self, CanaryError> {
        let failed = |error| CanaryError::File(path.display().to_string(), error);
        let mut file = File::open(path).await.map_err(failed)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; READ_BYTES];
        let mut size_bytes = 0_u64;
        loop {
            let count = file.read(&mut buffer).await.map_err(failed)?;
            if count == 0 {
                break;
            }
            hash.update(buffer.get(..count).unwrap_or_default());
            size_bytes += count as u64;
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { file, size_bytes, name, sha256 })
    }

    /// The bytes from `offset` on, `length` of them or up to the end.
    async fn read(&mut self, offset: u64, length: u64) -> Result<Bytes, CanaryError> {
        let failed = |error| CanaryError::File("the file".to_owned(), error);
        self.file.seek(SeekFrom::Start(offset)).await.map_err(failed)?;
        let length = length.min(self.size_bytes.saturating_sub(offset));
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        self.file.read_exact(&mut bytes).await.map_err(failed)?;
        Ok(bytes.into())
    }
}

/// An upload that was begun.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Its address.
    pub address: String,
}

/// What came of an upload.
#[derive(Debug)]
pub struct Uploaded {
    /// The asset it has become.
    pub asset_id: String,
    /// How many bytes the server had kept of the piece that was broken off; none if the file was too
    /// small to be broken off.
    pub kept_bytes: Option<u64>,
}

/// Begins an upload.
pub async fn create(client: &Client, production: &str, source: &Source) -> Result<Upload, CanaryError> {
    let address = format!("/api/media/v1/productions/{production}/uploads");
    let metadata = format!("filename {}", STANDARD.encode(&source.name));
    let request = client
        .request(Method::POST, &address)?
        .header("tus-resumable", "1.0.0")
        .header("upload-length", source.size_bytes)
        .header("upload-metadata", metadata);
    let response = send("begin the upload", request).await?;
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let address = location
        .ok_or_else(|| CanaryError::Wrong("begin the upload: the answer has no Location".to_owned()))?
        .to_owned();
    Ok(Upload { address })
}

/// Sends everything, going on after interruptions.
pub async fn send_all(
    client: &Client,
    upload: &Upload,
    source: &mut Source,
) -> Result<Uploaded, CanaryError> {
    let mut offset = 0;
    let mut failures = 0;
    let mut kept_bytes = None;
    let mut asset = None;
    while offset < source.size_bytes {
        let piece = piece_length(source.size_bytes);
        if kept_bytes.is_none() && offset > 0 {
            kept_bytes = Some(break_off(client, upload, source, offset, piece).await?);
            offset += kept_bytes.unwrap_or_default();
            continue;
        }
        let bytes = source.read(offset, piece).await?;
        match patch(client, upload, offset, bytes.into()).await {
            Ok(response) => {
                offset = offset_of(&response)?;
                asset = asset_of(&response);
                failures = 0;
            }
            Err(error) => {
                failures += 1;
                if failures >= MOST_FAILURES || !is_worth_another_try(&error) {
                    return Err(error);
                }
                tokio::time::sleep(Duration::from_millis(200) * 2_u32.pow(failures)).await;
                offset = find_offset(client, upload).await?.0;
            }
        }
    }
    let asset_id = match asset {
        Some(asset) => asset,
        // An empty file is complete without a PATCH, and an answer may have been lost.
        None => find_offset(client, upload).await?.1.ok_or_else(|| {
            CanaryError::Wrong("the upload is complete, but no asset is named for it".to_owned())
        })?,
    };
    Ok(Uploaded { asset_id, kept_bytes })
}

/// At least three pieces, where the file has enough bytes for it.
fn piece_length(size_bytes: u64) -> u64 {
    (size_bytes / 3).clamp(1, PIECE_BYTES)
}

fn is_worth_another_try(error: &CanaryError) -> bool {
    match error {
        CanaryError::Connection(_) => true,
        CanaryError::Refused { status, .. } => {
            status.is_server_error()
                || matches!(
                    *status,
                    StatusCode::CONFLICT | StatusCode::LOCKED | StatusCode::TOO_MANY_REQUESTS
                )
        }
        _ => false,
    }
}

async fn patch(client: &Client, upload: &Upload, offset: u64, body: Body) -> Result<Response, CanaryError> {
    let request = client
        .request(Method::PATCH, &upload.address)?
        .header("tus-resumable", "1.0.0")
        .header("upload-offset", offset)
        .header(CONTENT_TYPE, "application/offset+octet-stream")
        .body(body);
    send("send bytes", request).await
}

fn number(response: &Response, name: &str) -> Option<u64> {
    response.headers().get(name)?.to_str().ok()?.parse().ok()
}

fn offset_of(response: &Response) -> Result<u64, CanaryError> {
    number(response, "upload-offset")
        .ok_or_else(|| CanaryError::Wrong("an answer about the upload has no Upload-Offset".to_owned()))
}

fn asset_of(response: &Response) -> Option<String> {
    Some(response.headers().get("kinora-asset")?.to_str().ok()?.to_owned())
}

/// How many bytes the server has, and which asset they have become.
async fn find_offset(client: &Client, upload: &Upload) -> Result<(u64, Option<String>), CanaryError> {
    let request = client.request(Method::HEAD, &upload.address)?.header("tus-resumable", "1.0.0");
    let response = accept("ask for the upload's offset", request.send().await?).await?;
    Ok((offset_of(&response)?, asset_of(&response)))
}

/// Sends half of a piece, lets the connection break, and asks what has arrived of it: between
/// nothing and that half.
async fn break_off(
    client: &Client,
    upload: &Upload,
    source: &mut Source,
    offset: u64,
    piece: u64,
) -> Result<u64, CanaryError> {
    let half = source.read(offset, piece / 2).await?;
    let sent = half.len() as u64;
    let announced = piece.min(source.size_bytes - offset);
    let broken = stream::iter([Ok(half), Err(std::io::Error::other("broken off on purpose"))]);
    let request = client
        .request(Method::PATCH, &upload.address)?
        .header("tus-resumable", "1.0.0")
        .header("upload-offset", offset)
        .header(CONTENT_TYPE, "application/offset+octet-stream")
        .header(CONTENT_LENGTH, announced)
        .body(Body::wrap_stream(broken));
    if let Ok(response) = request.send().await
        && response.status().is_success()
    {
        return Err(CanaryError::Wrong("an upload that broke off was answered with success".to_owned()));
    }
    // The server may still be busy with what it got.
    let mut failures = 0;
    loop {
        match find_offset(client, upload).await {
            Ok((now, _)) if now >= offset && now <= offset + sent => return Ok(now - offset),
            Ok((now, _)) => {
                return Err(CanaryError::Wrong(format!(
                    "after the upload broke off, the offset is {now}: it must be {offset} to {}",
                    offset + sent
                )));
            }
            Err(error) => {
                failures += 1;
                if failures >= MOST_FAILURES || !is_worth_another_try(&error) {
                    return Err(error);
                }
                tokio::time::sleep(Duration::from_millis(200) * 2_u32.pow(failures)).await;
            }
        }
    }
}

/// Ends an upload. Gives the asset that it had become, if it was complete before anybody here had heard of that.
pub async fn terminate(client: &Client, upload: &Upload) -> Result<Option<String>, CanaryError> {
    let request = client.request(Method::DELETE, &upload.address)?.header("tus-resumable", "1.0.0");
    let response = request.send().await?;
    if matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::GONE) {
        return Ok(None);
    }
    accept("end the upload", response).await.map(|response| asset_of(&response))
}

#[cfg(test)]
mod tests {
    use super::piece_length;

    #[test]
    fn a_file_goes_in_at_least_three_pieces() {
        assert_eq!(piece_length(0), 1);
        assert_eq!(piece_length(2), 1);
        assert_eq!(piece_length(3_000_000), 1_000_000);
        assert_eq!(piece_length(1 << 40), super::PIECE_BYTES);
    }
}
