//! What the headers of tus 1.0.0 (<https://tus.io/protocols/resumable-upload>) say, without any HTTP
//! library: parsing and writing them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The protocol's version.
pub const VERSION: &str = "1.0.0";
/// The extensions, for `Tus-Extension`.
pub const EXTENSIONS: &str =
    "creation,creation-with-upload,creation-defer-length,checksum,termination,expiration,concatenation";
/// The checksum algorithms, for `Tus-Checksum-Algorithm`.
pub const CHECKSUM_ALGORITHMS: &str = "sha1,sha256";
/// Longest file, for `Tus-Max-Size`: 16 TiB.
pub const LONGEST_BYTES: u64 = 16 << 40;
/// The only type a body of bytes may have.
pub const CONTENT_TYPE: &str = "application/offset+octet-stream";

/// Most parts of one concatenation.
const MOST_PARTS: usize = 1000;
/// Longest media type that is believed.
const LONGEST_MEDIA_TYPE_BYTES: usize = 200;

/// Why a header cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Not a whole number of bytes.
    #[error("must be a whole number of bytes")]
    Number,
    /// Not pairs of a key and a Base64 value.
    #[error("must be pairs of a key and a Base64 value, separated by commas")]
    Metadata,
    /// Neither "partial" nor "final;" with addresses.
    #[error("must be \"partial\" or \"final;\" with the addresses of partial uploads, separated by spaces")]
    Concatenation,
    /// Not an algorithm and a Base64 digest.
    #[error("must be \"sha1\" or \"sha256\", a space and a Base64 digest")]
    Checksum,
    /// Not "1".
    #[error("must be \"1\"")]
    DeferLength,
}

/// Reads `Upload-Length` and `Upload-Offset`.
///
/// # Errors
/// [`HeaderError::Number`]; signs, spaces and numbers beyond 63 bits are none.
pub fn parse_number(text: &str) -> Result<u64, HeaderError> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if is_number { text.parse::<i64>().ok() } else { None };
    number.and_then(|number| u64::try_from(number).ok()).ok_or(HeaderError::Number)
}

/// What is of interest in `Upload-Metadata`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The file's name as it was sent; shown, never used as a path.
    pub file_name: Option<String>,
    /// The file's media type, if it has the form of one.
    pub media_type: Option<String>,
}

/// Reads `Upload-Metadata`: keys `filename` (or `name`) and `filetype` (or `type`); others are kept by
/// whoever keeps the header, and not looked at.
///
/// # Errors
/// [`HeaderError::Metadata`] if it has another form, or a key twice.
pub fn parse_metadata(text: &str) -> Result<Metadata, HeaderError> {
    let mut pairs: Vec<(&str, String)> = Vec::new();
    for pair in text.split(',').map(str::trim) {
        if pair.is_empty() && text.trim().is_empty() {
            break;
        }
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_key || pairs.iter().any(|(known, _)| *known == key) {
            return Err(HeaderError::Metadata);
        }
        let bytes = STANDARD.decode(value.trim()).map_err(|_| HeaderError::Metadata)?;
        // PostgreSQL keeps every character but this one.
        pairs.push((key, String::from_utf8_lossy(&bytes).replace('\0', "\u{fffd}")));
    }
    let find = |key: &str| pairs.iter().find(|(known, _)| *known == key).map(|(_, value)| value.clone());
    let non_empty = |value: &String| !value.is_empty();
    Ok(Metadata {
        file_name: find("filename").filter(non_empty).or_else(|| find("name")).filter(non_empty),
        media_type: find("filetype").or_else(|| find("type")).filter(|value| is_media_type(value)),
    })
}

/// Whether it is a type and a subtype, perhaps with parameters, that can be sent in a header.
fn is_media_type(text: &str) -> bool {
    text.len() <= LONGEST_MEDIA_TYPE_BYTES
        && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
        && text.parse::<mime::Mime>().is_ok_and(|found| found.type_() != mime::STAR)
}

/// What `Upload-Concat` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concat {
    /// An upload that becomes part of another one.
    Partial,
    /// An upload put together from these: the last segments of the addresses.
    Final(Vec<String>),
}

/// Reads `Upload-Concat`. Of addresses, which may be absolute or relative, only the last segment of
/// the path counts: parts belong to the same production in any case.
///
/// # Errors
/// [`HeaderError::Concatenation`].
pub fn parse_concat(text: &str) -> Result<Concat, HeaderError> {
    if text.trim() == "partial" {
        return Ok(Concat::Partial);
    }
    let addresses = text.trim().strip_prefix("final;").ok_or(HeaderError::Concatenation)?;
    let parts: Vec<String> = addresses
        .split_ascii_whitespace()
        .map(|address| {
            let path = address.split(['?', '#']).next().unwrap_or_default();
            path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned()
        })
        .collect();
    let is_allowed =
        !parts.is_empty() && parts.len() <= MOST_PARTS && parts.iter().all(|part| !part.is_empty());
    if is_allowed { Ok(Concat::Final(parts)) } else { Err(HeaderError::Concatenation) }
}

/// Reads `Upload-Defer-Length`.
///
/// # Errors
/// [`HeaderError::DeferLength`] if it is there and not "1".
pub fn parse_defer_length(text: &str) -> Result<(), HeaderError> {
    if text == "1" { Ok(()) } else { Err(HeaderError::DeferLength) }
}

/// The algorithms of `Upload-Checksum`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChecksumAlgorithm {
    /// SHA-1, which the protocol demands.
    Sha1,
    /// SHA-256.
    Sha256,
}

/// The digest that the body of a request must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// How it was made.
    pub algorithm: ChecksumAlgorithm,
    /// The digest.
    pub digest: Vec<u8>,
}

/// Reads `Upload-Checksum`.
///
/// # Errors
/// [`HeaderError::Checksum`], also for algorithms that are not offered.
pub fn parse_checksum(text: &str) -> Result<Checksum, HeaderError> {
    let (algorithm, digest) = text.trim().split_once(' ').ok_or(HeaderError::Checksum)?;
    let (algorithm, length) = match algorithm {
        "sha1" => (ChecksumAlgorithm::Sha1, 20),
        "sha256" => (ChecksumAlgorithm::Sha256, 32),
        _ => return Err(HeaderError::Checksum),
    };
    let digest = STANDARD.decode(digest.trim()).map_err(|_| HeaderError::Checksum)?;
    if digest.len() == length { Ok(Checksum { algorithm, digest }) } else { Err(HeaderError::Checksum) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(key: &str, value: &str) -> String {
        format!("{key} {}", STANDARD.encode(value))
    }

    #[test]
    fn numbers() {
        for (text, number) in [("0", 0), ("100000000000", 100_000_000_000), ("007", 7)] {
            assert_eq!(parse_number(text), Ok(number));
        }
        for text in ["", "-1", "+1", " 1", "1.0", "1e3", "0x10", "9223372036854775808", "١"] {
            assert_eq!(parse_number(text), Err(HeaderError::Number), "{text}");
        }
        assert_eq!(parse_number("9223372036854775807"), Ok(i64::MAX as u64));
    }

    #[test]
    fn file_names_are_kept_as_they_were_sent() {
        let names = [
            "../../etc/passwd".to_owned(),
            "line\nbreak\r\n.mov".to_owned(),
            "🎬 emoji.mov".to_owned(),
            "x".repeat(300),
            "\u{202e}vom.gpj".to_owned(),
            "عربى.mov".to_owned(),
            " ".to_owned(),
            "a,b c.mov".to_owned(),
        ];
        for name in names {
            let header = format!("{},{}", pair("filename", &name), pair("filetype", "video/quicktime"));
            let metadata = parse_metadata(&header).unwrap();
            assert_eq!(metadata.file_name.as_deref(), Some(name.as_str()));
            assert_eq!(metadata.media_type.as_deref(), Some("video/quicktime"));
        }
        assert_eq!(parse_metadata(&pair("filename", "a\0b")).unwrap().file_name.unwrap(), "a\u{fffd}b");
        let latin = format!("filename {}", STANDARD.encode([b'a', 0xe9]));
        assert_eq!(parse_metadata(&latin).unwrap().file_name.unwrap(), "a\u{fffd}");
    }

    #[test]
    fn metadata_of_clients() {
        assert_eq!(parse_metadata(""), Ok(Metadata::default()));
        assert_eq!(parse_metadata("is_confidential"), Ok(Metadata::default()));
        let uppy = [pair("relativePath", "null"), pair("name", "a.mov"), pair("type", "video/mp4")].join(",");
        let metadata = parse_metadata(&uppy).unwrap();
        assert_eq!(metadata.file_name.as_deref(), Some("a.mov"));
        assert_eq!(metadata.media_type.as_deref(), Some("video/mp4"));
        assert_eq!(parse_metadata("filename , filetype").unwrap(), Metadata::default());
        for wrong in ["filename !!!", "a YQ==,a YQ==", ",", "a YQ==,", "é YQ==", "a YQ== YQ=="] {
            assert_eq!(parse_metadata(wrong), Err(HeaderError::Metadata), "{wrong}");
        }
        for odd in ["nonsense", "*/*", "text/html\r\nX: y", "a/b\u{e9}", &format!("a/{}", "b".repeat(300))] {
            assert_eq!(parse_metadata(&pair("filetype", odd)).unwrap().media_type, None, "{odd}");
        }
    }

    #[test]
    fn concatenations() {
        assert_eq!(parse_concat("partial"), Ok(Concat::Partial));
        let addresses = "final;/api/uploads/a https://host/x/b?y#z c/";
        let parts = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(parse_concat(addresses), Ok(Concat::Final(parts)));
        for wrong in ["", "final", "final;", "final; /", "Partial", "partial;a"] {
            assert_eq!(parse_concat(wrong), Err(HeaderError::Concatenation), "{wrong}");
        }
    }

    #[test]
    fn checksums() {
        let digest = STANDARD.encode([7; 20]);
        let checksum = parse_checksum(&format!("sha1 {digest}")).unwrap();
        assert_eq!(checksum, Checksum { algorithm: ChecksumAlgorithm::Sha1, digest: vec![7; 20] });
        for wrong in ["", "sha1", "sha1 !", "md5 AAAA", &format!("sha256 {digest}"), "sha1 AAAA"] {
            assert_eq!(parse_checksum(wrong), Err(HeaderError::Checksum), "{wrong}");
        }
    }
}
