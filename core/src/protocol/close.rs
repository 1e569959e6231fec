//! The close frame's payload: a code and a reason, or nothing (RFC 6455 sections 5.5.1 and 7.4).

use bytes::Bytes;

use super::error::Violation;
use crate::message::{CloseCode, CloseFrame, Text};

/// Reads the payload of a client's close frame.
pub(super) fn parse(payload: Bytes) -> Result<Option<CloseFrame>, Violation> {
    let code = match payload.split_first_chunk() {
        Some((code, _)) => CloseCode(u16::from_be_bytes(*code)),
        None if payload.is_empty() => return Ok(None),
        None => return Err(Violation::protocol("close frame of one byte")),
    };
    if !code.is_sendable() {
        return Err(Violation::protocol("invalid close code"));
    }
    let reason =
        Text::from_utf8(payload.slice(2..)).map_err(|_| Violation::payload("close reason is not UTF-8"))?;
    Ok(Some(CloseFrame { code, reason }))
}

/// Writes the payload of a server's close frame. A code that must not be sent, such as 1005 and 1006, gives an empty
/// payload; a reason that is too long is cut.
pub(super) fn encode(frame: Option<&CloseFrame>) -> Vec<u8> {
    let mut payload = Vec::new();
    if let Some(frame) = frame.filter(|frame| frame.code.is_sendable()) {
        let frame = CloseFrame::new(frame.code, frame.reason.as_str());
        payload.extend_from_slice(&frame.code.0.to_be_bytes());
        payload.extend_from_slice(frame.reason.as_bytes());
    }
    payload
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_code(code: u16) -> Result<Option<CloseFrame>, Violation> {
        parse(Bytes::copy_from_slice(&code.to_be_bytes()))
    }

    #[test]
    fn codes_that_may_come() {
        let valid = [1000..=1003, 1007..=1014, 3000..=4999];
        for code in 0..=u16::MAX {
            let is_valid = valid.iter().any(|range| range.contains(&code));
            match parse_code(code) {
                Ok(frame) => {
                    assert!(is_valid, "{code}");
                    assert_eq!(frame, Some(CloseFrame::new(CloseCode(code), "")));
                }
                Err(violation) => {
                    assert!(!is_valid, "{code}");
                    assert_eq!(violation, Violation::protocol("invalid close code"));
                }
            }
        }
    }

    #[test]
    fn payloads() {
        assert_eq!(parse(Bytes::new()), Ok(None));
        assert_eq!(parse(Bytes::from_static(&[3])), Err(Violation::protocol("close frame of one byte")));
        let bye = CloseFrame::new(CloseCode::NORMAL, "bye");
        assert_eq!(parse(Bytes::from_static(b"\x03\xe8bye")), Ok(Some(bye.clone())));
        assert_eq!(encode(Some(&bye)), b"\x03\xe8bye");
        let broken = parse(Bytes::from_static(b"\x03\xe8\xce\xba\xe1\xbd"));
        assert_eq!(broken, Err(Violation::payload("close reason is not UTF-8")));
    }

    #[test]
    fn what_must_not_be_sent_is_not() {
        assert_eq!(encode(None), b"");
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
            assert_eq!(encode(Some(&CloseFrame::new(CloseCode(code), "x"))), b"", "{code}");
        }
        let long = CloseFrame { code: CloseCode::NORMAL, reason: "é".repeat(100).into() };
        let payload = encode(Some(&long));
        assert_eq!(payload.len(), 2 + 122, "61 characters of two bytes");
        assert!(std::str::from_utf8(&payload[2..]).is_ok());
    }
}
