//! How a peer can break the protocol, and the close code for it.

use std::fmt;

use crate::message::{CloseCode, CloseFrame};

/// A violation of the protocol, which fails the connection with its code (RFC 6455 section 7.1.7).
///
/// The host answers with a close frame of this code and reason, and reads no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// 1002 (framing), 1007 (text or compressed data), 1008 (fragments) or 1009 (size).
    pub code: CloseCode,
    /// What was wrong, short enough for a close frame.
    pub reason: &'static str,
}

impl Violation {
    /// A violation, for hosts that decode frames themselves.
    pub const fn new(code: CloseCode, reason: &'static str) -> Self {
        Self { code, reason }
    }

    /// 1002: the bytes are not what RFC 6455 or the negotiated extension allows.
    pub(super) const fn protocol(reason: &'static str) -> Self {
        Self { code: CloseCode::PROTOCOL_ERROR, reason }
    }

    /// 1007: the payload does not match its type.
    pub(super) const fn payload(reason: &'static str) -> Self {
        Self { code: CloseCode::INVALID_PAYLOAD, reason }
    }

    /// 1008: more fragments than this server accepts.
    pub(super) const fn policy(reason: &'static str) -> Self {
        Self { code: CloseCode::POLICY_VIOLATION, reason }
    }

    /// 1009: more bytes than this server accepts.
    pub(super) const fn too_big(reason: &'static str) -> Self {
        Self { code: CloseCode::MESSAGE_TOO_BIG, reason }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reason, self.code)
    }
}

impl std::error::Error for Violation {}

/// The close frame that tells the peer.
impl From<Violation> for CloseFrame {
    fn from(violation: Violation) -> Self {
        CloseFrame::new(violation.code, violation.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_names_its_code() {
        let violation = Violation::protocol("reserved opcode");
        assert_eq!(violation.to_string(), "reserved opcode (1002)");
        let frame = CloseFrame::from(violation);
        assert_eq!((frame.code, frame.reason.as_str()), (CloseCode::PROTOCOL_ERROR, "reserved opcode"));
    }
}
