//! Outgoing connections on their way to JavaScript and back.

use bytes::Bytes;
use serde_json::json;
use switchboard_core::{CloseCode, CloseFrame, Dial, Input, UpstreamEvent, UpstreamId};
use wasm_bindgen::prelude::*;

use crate::{Switchboard, call};

#[wasm_bindgen]
impl Switchboard {
    /// An outgoing connection is open, with the subprotocol that the other side chose.
    pub fn upstream_opened(&mut self, upstream: f64, protocol: Option<String>) {
        self.upstream(upstream, UpstreamEvent::Opened { protocol });
    }

    /// The first `length` bytes of scratch came on an outgoing connection: 1 text, 2 binary.
    pub fn upstream_message(&mut self, upstream: f64, kind: u32, length: usize) {
        if let Some(message) = call::message(kind, self.scratched(length)) {
            self.upstream(upstream, UpstreamEvent::Message(message));
        }
    }

    /// The transport of an outgoing connection has taken so many of the messages that were sent on it.
    pub fn upstream_sent(&mut self, upstream: f64, messages: usize) {
        self.upstream(upstream, UpstreamEvent::Sent { messages });
    }

    /// An outgoing connection was answered with this HTTP status instead of 101.
    pub fn upstream_refused(&mut self, upstream: f64, status: u16) {
        self.upstream(upstream, UpstreamEvent::Refused { status });
    }

    /// An outgoing connection ended; code 1005 stands for a close frame without one, 1006 for none.
    pub fn upstream_closed(&mut self, upstream: f64, code: u16, reason: &str) {
        self.upstream(upstream, UpstreamEvent::Closed(ending(code, reason)));
    }

    /// An outgoing connection could not be opened, or broke.
    pub fn upstream_failed(&mut self, upstream: f64, message: String) {
        self.upstream(upstream, UpstreamEvent::Failed { message });
    }
}

impl Switchboard {
    fn upstream(&mut self, upstream: f64, event: UpstreamEvent) {
        let upstream = UpstreamId::from_bits(upstream as u64);
        self.host.input(Input::Upstream { upstream, event });
    }
}

/// What to open, as JSON: `Dial` in `npm/src/engine/actor.ts`.
pub(crate) fn description(dial: &Dial) -> String {
    let Dial { url, headers, protocols, max_message, .. } = dial;
    let description = json!({
        "url": url,
        "headers": headers,
        "protocols": protocols,
        "maxMessage": max_message,
    });
    description.to_string()
}

/// The code and the reason of a close frame to send; 0 is no code.
pub(crate) fn farewell(frame: Option<CloseFrame>) -> (u32, Bytes) {
    frame.map_or((0, Bytes::new()), |frame| (frame.code.0.into(), frame.reason.as_bytes().clone()))
}

/// The close frame of the other side, from the code and reason that WebSocket APIs report.
pub(crate) fn ending(code: u16, reason: &str) -> Option<CloseFrame> {
    let code = CloseCode(code);
    (code != CloseCode::NO_STATUS).then(|| CloseFrame::new(code, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_are_none_stay_none() {
        assert_eq!(farewell(None), (0, Bytes::new()));
        assert_eq!(farewell(Some(CloseFrame::new(CloseCode(4000), "a"))), (4000, "a".into()));
        assert_eq!(ending(1005, ""), None);
        for code in [1000, 1006, 4000] {
            assert_eq!(ending(code, "a"), Some(CloseFrame::new(CloseCode(code), "a")));
        }
    }

    #[test]
    fn a_header_may_come_twice() {
        let header = |value: &str| ("x-a".to_owned(), value.to_owned());
        let mut dial = Dial::new("ws://a/");
        dial.headers = vec![header("1"), header("2")];
        dial.protocols = vec!["p".into()];
        dial.max_message = 6;
        let expected = json!({
            "url": "ws://a/",
            "headers": [["x-a", "1"], ["x-a", "2"]],
            "protocols": ["p"],
            "maxMessage": 6,
        });
        assert_eq!(serde_json::from_str::<serde_json::Value>(&description(&dial)).unwrap(), expected);
    }
}
