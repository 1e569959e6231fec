//! Recordings: what passed between clients and a server, in a file that can be read, edited and replayed.
//!
//! A recording is [JSON Lines](https://jsonlines.org): UTF-8, one JSON object a line, each line ended by a line feed. The
//! first line is the header, each other one an event:
//!
//! ```
//! use switchboard_core::recording::{EventKind, Line, Side};
//!
//! let text = r#"{"switchboard":"recording","version":1,"startedAt":"2026-11-22T05:00:00.000Z","source":"wss://example.com/feed"}
//! {"at":0,"connection":1,"type":"open","path":"/feed?x=1","headers":[["origin","https://example.com"]],"subprotocol":"v1"}
//! {"at":12.5,"connection":1,"type":"message","from":"client","json":{"type":"subscribe"}}
//! {"at":14,"connection":1,"type":"message","from":"server","text":"two\nlines"}
//! {"at":20,"connection":1,"type":"message","from":"server","binary":"AAEC"}
//! {"at":31,"connection":2,"type":"refuse","path":"/feed","status":401,"reason":"no token"}
//! {"at":40,"type":"gap","missed":17}
//! {"at":41,"connection":1,"type":"fault","effect":"a message is lost"}
//! {"at":55,"connection":1,"type":"close","by":"client","code":1000,"reason":"bye"}
//! "#;
//! let lines: Result<Vec<Line>, _> = (1..).zip(text.lines()).map(|(n, line)| Line::parse(n, line.as_bytes())).collect();
//! let Line::Event(event) = &lines?[2] else { panic!("an event") };
//! let EventKind::Message { from, message } = &event.kind else { panic!("a message") };
//! assert_eq!((*from, message.as_text()), (Side::Client, Some(r#"{"type":"subscribe"}"#)));
//!
//! let error = Line::parse(3, br#"{"at":1,"connection":1,"type":"close","by":"browser"}"#).unwrap_err();
//! assert_eq!(error.to_string(), "line 3: by: expected \"client\" or \"server\" or \"lost\", got \"browser\"");
//! # Ok::<(), switchboard_core::recording::RecordingError>(())
//! ```
//!
//! - `at` is the time in ms since `startedAt`, with decimals if there are any; `connection` counts 1, 2, 3… within the run.
//! - A text message is `json` when it is one JSON value without line breaks in it or white space around it, and `text`
//!   otherwise. `json` is the message's text itself, byte for byte, white space included. A binary message is `binary`, in
//!   base64.
//! - A close code of 1005 is a close frame without a code, 1006 none at all. Who writes by hand may leave out `code` (1000, or
//!   1006 with `"by":"lost"`), `reason`, `status` (101), `headers`, `responseHeaders` and `subprotocol`.
//! - `fault` tells what a fault did and is ignored by a replay. `gap` says how many events are missing.
//! - A file that was appended to has a second header later: there `at` and `connection` start anew.
//! - Keys that are not known are mistakes, told with line and field. A line has at most [`MAX_LINE`] bytes. Blank lines are
//!   skipped. A line that is no JSON was torn by a crash if it is the last one and has no line feed, or if a header
//!   follows: [`Lines`] leaves it out and says so.

pub mod conversion;
mod error;
mod event;
mod form;
pub mod har;
mod line;
mod lines;
mod mask;
pub(crate) mod recorder;
pub(crate) mod run;
mod settings;

pub use error::RecordingError;
pub use event::{Event, EventKind, Gap, Header, Open, Refuse, Side};
pub use line::{Line, MAX_LINE};
pub use lines::{Lines, Placed};
pub use mask::Mask;
pub use settings::RecordSettings;

/// The JSON Schema of one line, for editors and other programs that read or write recordings.
#[cfg(feature = "json-schema")]
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(form::Form).to_value()
}
