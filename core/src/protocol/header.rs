//! The frame header (RFC 6455 section 5.2).
//!
//! ```text
//! byte 0   FIN RSV1 RSV2 RSV3 opcode(4)
//! byte 1   MASK length(7)     0–125: the length; 126: 2 bytes follow; 127: 8 bytes follow
//!          4 bytes mask, from the client only
//! ```

use super::error::Violation;

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV2_AND_3: u8 = 0x30;
const MASKED: u8 = 0x80;

/// The longest payload of a control frame, in bytes (RFC 6455 section 5.5).
pub(super) const MAX_CONTROL_PAYLOAD: usize = 125;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    /// Whether the frame stands outside of messages.
    pub(super) fn is_control(self) -> bool {
        matches!(self, Opcode::Close | Opcode::Ping | Opcode::Pong)
    }

    fn parse(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => return None,
        })
    }
}

/// The header of a client's frame, its stateless rules already checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The last frame of its message.
    pub(super) fin: bool,
    /// Compressed, if permessage-deflate was negotiated (RFC 7692 section 6).
    pub(super) rsv1: bool,
    pub(super) opcode: Opcode,
    pub(super) mask: [u8; 4],
    /// Payload bytes as the client declares them; not a reason to allocate as many.
    pub(super) length: u64,
}

impl Header {
    /// The longest client header in bytes.
    pub(super) const MAX_LENGTH: usize = 14;

    /// Reads a header from the start of `bytes` with the bytes it took; `None` when more are needed.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Violation> {
        let [first, second, rest @ ..] = bytes else { return Ok(None) };
        if first & RSV2_AND_3 != 0 {
            return Err(Violation::protocol("RSV2 or RSV3 is set"));
        }
        let opcode = Opcode::parse(first & 0x0f).ok_or(Violation::protocol("reserved opcode"))?;
        let fin = first & FIN != 0;
        let rsv1 = first & RSV1 != 0;
        let short = second & !MASKED;
        if second & MASKED == 0 {
            return Err(Violation::protocol("client frame is not masked"));
        }
        if opcode.is_control() {
            if !fin {
                return Err(Violation::protocol("control frame is fragmented"));
            }
            if rsv1 {
                return Err(Violation::protocol("RSV1 is set on a control frame"));
            }
            if usize::from(short) > MAX_CONTROL_PAYLOAD {
                return Err(Violation::protocol("control frame is too long"));
            }
        }
        let (length, rest) = match short {
            126 => {
                let Some((length, rest)) = rest.split_first_chunk() else { return Ok(None) };
                (u64::from(u16::from_be_bytes(*length)), rest)
            }
            127 => {
                let Some((length, rest)) = rest.split_first_chunk() else { return Ok(None) };
                (u64::from_be_bytes(*length), rest)
            }
            short => (u64::from(short), rest),
        };
        let is_minimal = match short {
            126 => length > 125,
            127 => length > u64::from(u16::MAX),
            _ => true,
        };
        if !is_minimal {
            return Err(Violation::protocol("payload length is not minimal"));
        }
        if length > i64::MAX as u64 {
            return Err(Violation::protocol("payload length has its top bit set"));
        }
        let Some((mask, rest)) = rest.split_first_chunk() else { return Ok(None) };
        Ok(Some((Self { fin, rsv1, opcode, mask: *mask, length }, bytes.len() - rest.len())))
    }
}

/// How many bytes the header of a server's frame takes.
pub(crate) fn encoded_length(payload: usize) -> usize {
    match payload {
        0..=125 => 2,
        126..=0xffff => 4,
        _ => 10,
    }
}

/// Appends the header of a whole, unmasked message or control frame.
pub(super) fn encode(opcode: Opcode, rsv1: bool, payload: usize, frame: &mut Vec<u8>) {
    frame.push(FIN | if rsv1 { RSV1 } else { 0 } | opcode as u8);
    match payload {
        0..=125 => frame.push(payload as u8),
        126..=0xffff => {
            frame.push(126);
            frame.extend_from_slice(&(payload as u16).to_be_bytes());
        }
        _ => {
            frame.push(127);
            frame.extend_from_slice(&(payload as u64).to_be_bytes());
        }
    }
}

/// A whole server frame: header and payload in one allocation of exactly their size.
pub(super) fn frame(opcode: Opcode, rsv1: bool, payload: &[u8]) -> bytes::Bytes {
    let mut frame = Vec::with_capacity(encoded_length(payload.len()) + payload.len());
    encode(opcode, rsv1, payload.len(), &mut frame);
    frame.extend_from_slice(payload);
    frame.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(bytes: &[u8]) -> &'static str {
        Header::parse(bytes).expect_err("a violation").reason
    }

    #[test]
    fn every_length_form_is_read_and_written() {
        for (length, taken) in [(0, 6), (125, 6), (126, 8), (65_535, 8), (65_536, 14), (1 << 40, 14)] {
            let mut bytes = Vec::new();
            encode(Opcode::Binary, false, length, &mut bytes);
            assert_eq!(bytes.len(), encoded_length(length));
            bytes[1] |= MASKED;
            bytes.extend_from_slice(&[1, 2, 3, 4, 99]);
            let header = Header {
                fin: true,
                rsv1: false,
                opcode: Opcode::Binary,
                mask: [1, 2, 3, 4],
                length: length as u64,
            };
            assert_eq!(Header::parse(&bytes), Ok(Some((header, taken))));
            for cut in 0..taken {
                assert_eq!(Header::parse(&bytes[..cut]), Ok(None), "{length} cut at {cut}");
            }
        }
    }

    #[test]
    fn stateless_rules_are_checked() {
        assert_eq!(reason(&[0xa1, 0x80]), "RSV2 or RSV3 is set");
        assert_eq!(reason(&[0x91, 0x80]), "RSV2 or RSV3 is set");
        for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
            assert_eq!(reason(&[0x80 | opcode, 0x80]), "reserved opcode");
        }
        assert_eq!(reason(&[0x81, 0x05]), "client frame is not masked");
        for opcode in [8, 9, 10] {
            assert_eq!(reason(&[opcode, 0x80]), "control frame is fragmented");
            assert_eq!(reason(&[0xc0 | opcode, 0x80]), "RSV1 is set on a control frame");
            assert_eq!(reason(&[0x80 | opcode, 0xfe]), "control frame is too long");
        }
        assert_eq!(reason(&[0x82, 0xfe, 0, 125]), "payload length is not minimal");
        assert_eq!(reason(&[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff]), "payload length is not minimal");
        assert_eq!(reason(&[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]), "payload length has its top bit set");
    }
}
