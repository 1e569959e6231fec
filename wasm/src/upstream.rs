//! Outgoing connections on their way to JavaScript and back.

use bytes::Bytes;
use serde_json::json;
use switchboard_core::{CloseCode, CloseFrame, Dial};

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
