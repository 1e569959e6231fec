//! Recordings as HAR files (HTTP Archive 1.2), as browsers and proxies write and read them.
//!
//! [`Har`] reads what Chrome's network panel, Playwright and mitmproxy write, [`HarWriter`] writes what Chrome's network panel
//! imports. Both ways messages, their times, headers, subprotocols and refusals stay:
//!
//! ```
//! use bytes::Bytes;
//! use switchboard_core::recording::har::{HarWriter, read};
//! use switchboard_core::recording::Line;
//!
//! let file = r#"{"log": {"entries": [{
//!   "startedDateTime": "2026-11-22T05:00:00.000Z",
//!   "request": {"url": "wss://example.com/feed?x=1", "headers": []},
//!   "response": {"status": 101, "headers": []},
//!   "_resourceType": "websocket",
//!   "_webSocketMessages": [{"type": "send", "time": 1795323600.0125, "opcode": 1, "data": "{\"type\":\"subscribe\"}"}]
//! }]}}"#;
//! let recording = read(file.as_bytes(), |name| Err(format!("there is no file {name}")))?;
//! assert_eq!(
//!     String::from_utf8(recording.to_lines()?).unwrap(),
//!     r#"{"switchboard":"recording","version":1,"startedAt":"2026-11-22T05:00:00.000Z","source":"wss://example.com"}
//! {"at":0,"connection":1,"type":"open","path":"/feed?x=1","status":101}
//! {"at":12.5,"connection":1,"type":"message","from":"client","json":{"type":"subscribe"}}
//! "#,
//! );
//!
//! let mut writer = HarWriter::default();
//! writer.push(Line::Header(recording.header));
//! recording.events.into_iter().for_each(|event| writer.push(Line::Event(event)));
//! assert!(writer.finish().text.contains(r#""url": "wss://example.com/feed?x=1""#));
//! # Ok::<(), switchboard_core::recording::RecordingError>(())
//! ```
//!
//! What HAR cannot say:
//!
//! - **Closes.** Browsers write none. Ours stand as frames with opcode 8, which Chrome shows, and as `error` for connections
//!   that were lost; both are read again.
//! - **Openings that failed** have no status in Chrome and Playwright unless the failure names it. Without one they are
//!   refused with 502.
//! - **Faults and gaps** are left out.
//! - **Empty messages** are missing in the files of browsers.

mod address;
mod document;
mod frame;
mod object;
mod reading;
#[cfg(test)]
mod tests;
mod writing;

use bytes::Bytes;

pub use reading::{Har, HarRecording};
pub use writing::{HarWriter, WrittenHar};

use super::error::RecordingError;

/// The most WebSockets of a file.
pub const MAX_CONNECTIONS: usize = 100_000;

/// The longest file that hosts should read, in bytes: 256 MiB, as it is held in memory as a whole. So much goes for each
/// attached file, too.
pub const MAX_FILE: u64 = 256 << 20;

const SUBPROTOCOL: &str = "sec-websocket-protocol";

/// Reads a file as a whole: [`Har::parse`] and [`Har::into_recording`]. `attached` gives the bytes of a file beside it.
pub fn read(
    text: &[u8],
    attached: impl FnMut(&str) -> Result<Bytes, String>,
) -> Result<HarRecording, RecordingError> {
    Har::parse(text)?.into_recording(attached)
}
