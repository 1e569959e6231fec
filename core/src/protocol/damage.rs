//! Frames that break RFC 6455 or RFC 7692 on purpose, to test how a client takes them.

use bytes::Bytes;
use serde::Deserialize;

use super::header::{self, Opcode};
use super::outgoing;
use crate::Message;

/// FIN and a reserved opcode.
const RESERVED: u8 = 0x83;
const MASKED: u8 = 0x80;
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// What [`Damage::Oversized`] announces, in bytes: 1 TiB.
const OVERSIZED: u64 = 1 << 40;

/// How the frame of a message is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Damage {
    /// The header announces one byte more than follows, so that the next frame is read from its second byte on.
    Length,
    /// The frame is masked, which only a client's may be (RFC 6455 section 5.1).
    Mask,
    /// A text message ends with a byte that is not UTF-8 (section 8.1). A binary one becomes text.
    Utf8,
    /// The frame has the reserved opcode 3 (section 5.2).
    Opcode,
    /// The frame says that it is compressed, and holds a deflate block of a kind that does not exist.
    Deflate,
    /// The header announces 1 TiB.
    Oversized,
}

impl Damage {
    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Damage::Length => "length",
            Damage::Mask => "mask",
            Damage::Utf8 => "utf8",
            Damage::Opcode => "opcode",
            Damage::Deflate => "deflate",
            Damage::Oversized => "oversized",
        }
    }

    /// The broken frame of a message.
    pub(super) fn frame(self, message: &Message) -> Bytes {
        let (opcode, payload) = (outgoing::opcode(message), &message.payload()[..]);
        let mut frame = Vec::with_capacity(payload.len() + 14);
        match self {
            Damage::Length => {
                header::encode(opcode, false, payload.len() + 1, &mut frame);
                frame.extend_from_slice(payload);
            }
            Damage::Mask => {
                header::encode(opcode, false, payload.len(), &mut frame);
                frame[1] |= MASKED;
                frame.extend(MASK);
                frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
            }
            Damage::Utf8 => {
                header::encode(Opcode::Text, false, payload.len() + 1, &mut frame);
                frame.extend_from_slice(payload);
                frame.push(0xff);
            }
            Damage::Opcode => {
                header::encode(opcode, false, payload.len(), &mut frame);
                frame[0] = RESERVED;
                frame.extend_from_slice(payload);
            }
            // A last block of the type 3.
            Damage::Deflate => frame.extend_from_slice(&header::frame(opcode, true, &[0x07])),
            Damage::Oversized => {
                header::encode(opcode, false, usize::from(u16::MAX) + 1, &mut frame);
                frame[2..10].copy_from_slice(&OVERSIZED.to_be_bytes());
                frame.extend_from_slice(payload);
            }
        }
        frame.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_frame_is_broken_in_one_place() {
        let hello = b"Hello";
        for (damage, expected) in [
            (Damage::Length, [&[0x81, 6], &hello[..]].concat()),
            (Damage::Mask, vec![0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]),
            (Damage::Utf8, [&[0x81, 6], &hello[..], &[0xff]].concat()),
            (Damage::Opcode, [&[0x83, 5], &hello[..]].concat()),
            (Damage::Deflate, vec![0xc1, 1, 7]),
            (Damage::Oversized, [&[0x81, 127, 0, 0, 1, 0, 0, 0, 0, 0], &hello[..]].concat()),
        ] {
            assert_eq!(damage.frame(&"Hello".into())[..], expected, "{damage:?}");
        }
        let binary = Message::Binary(Bytes::from_static(&[1]));
        assert_eq!(Damage::Utf8.frame(&binary)[..], [0x81, 2, 1, 0xff]);
        assert_eq!(Damage::Deflate.frame(&binary)[..], [0xc2, 1, 7]);
    }
}
