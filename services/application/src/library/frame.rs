//! The text of server-sent events (WHATWG HTML, section 9.2).

use bytes::Bytes;
use kinora_store::events::Event;

/// A comment that keeps the connection open.
pub const KEEP_ALIVE: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// An event with its number, by which a client that comes back says what it has seen.
#[must_use]
pub fn event(event: &Event) -> Bytes {
    numbered(event.sequence, &event.kind, &event.payload)
}

/// The beginning of a stream: how soon to come back after it has ended (milliseconds), and a first event.
#[must_use]
pub fn beginning(sequence: i64, kind: &str) -> Bytes {
    Bytes::from(format!("retry: 1000\nid: {sequence}\nevent: {kind}\ndata: {{}}\n\n"))
}

/// A frame of that number.
#[must_use]
pub fn numbered(sequence: i64, kind: &str, json: &str) -> Bytes {
    let json = single_line(json);
    Bytes::from(format!("id: {sequence}\nevent: {kind}\ndata: {json}\n\n"))
}

/// A frame without a number: not sent again after a reconnection.
#[must_use]
pub fn live(kind: &str, json: &str) -> Bytes {
    let json = single_line(json);
    Bytes::from(format!("event: {kind}\ndata: {json}\n\n"))
}

/// In JSON, line breaks stand only between tokens; in a frame they would end the line.
fn single_line(json: &str) -> std::borrow::Cow<'_, str> {
    if json.contains(['\n', '\r']) { json.replace(['\n', '\r'], " ").into() } else { json.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_one_event_whatever_the_json_looks_like() {
        let text = numbered(7, "asset", "{\n  \"name\": \"a\\nb\"\r\n}");
        assert_eq!(text, "id: 7\nevent: asset\ndata: {   \"name\": \"a\\nb\"  }\n\n");
        assert_eq!(live("progress", "{}"), "event: progress\ndata: {}\n\n");
    }
}
