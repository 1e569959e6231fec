//! A message on its way out, encoded once for all its receivers.

use std::cell::OnceCell;

use bytes::Bytes;

use super::deflate::{Agreement, compress_once};
use super::header::{self, Opcode};
use crate::Message;

/// The window sizes a server compresses with: `2^9` to `2^15`.
const MIN_BITS: u8 = 9;
const MAX_BITS: u8 = 15;

/// A message and its frames: the plain one, and one deflated without context per server window size.
///
/// Each frame is made when the first receiver needs it, and shared from then on; so a broadcast is encoded and
/// compressed once however many receive it.
#[derive(Debug)]
pub struct Outgoing {
    message: Message,
    compress: bool,
    plain: OnceCell<Bytes>,
    deflated: OnceCell<Box<Deflated>>,
}

/// By window size; `None` inside: not smaller than the message.
type Deflated = [OnceCell<Option<Bytes>>; (MAX_BITS - MIN_BITS + 1) as usize];

impl Outgoing {
    /// A message that may be compressed where that was negotiated.
    pub fn new(message: Message) -> Self {
        Self { message, compress: true, plain: OnceCell::new(), deflated: OnceCell::new() }
    }

    /// Whether the message may be compressed. Default `true`; `false` is for data that is compressed already.
    pub fn with_compress(mut self, compress: bool) -> Self {
        self.compress = compress;
        self
    }

    /// The message.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The uncompressed frame.
    pub fn plain(&self) -> &Bytes {
        self.plain.get_or_init(|| header::frame(self.opcode(), false, self.message.payload()))
    }

    /// The frame compressed on its own for a window of `2^bits` bytes; `None` if that makes it no smaller.
    ///
    /// The first caller's level counts for all.
    pub(super) fn deflated(&self, bits: u8, level: u8) -> Option<&Bytes> {
        let payload = self.message.payload();
        // No reference reaches further back than the message is long: short ones fit every window.
        let bits = if payload.len() <= 1 << bits { MAX_BITS } else { bits.clamp(MIN_BITS, MAX_BITS) };
        let frame = || {
            let framed = |compressed: &[u8]| {
                (compressed.len() < payload.len()).then(|| header::frame(self.opcode(), true, compressed))
            };
            compress_once(payload, bits, level, framed).ok().flatten()
        };
        let deflated = self.deflated.get_or_init(Box::default);
        deflated.get(usize::from(bits - MIN_BITS))?.get_or_init(frame).as_ref()
    }

    /// The frame for a receiver that negotiated this, without context takeover.
    pub(super) fn frame(&self, agreement: Option<Agreement>) -> &Bytes {
        match agreement {
            Some(agreement) if self.may_compress() && self.len() >= agreement.threshold => {
                self.deflated(agreement.server_bits, agreement.level).unwrap_or_else(|| self.plain())
            }
            _ => self.plain(),
        }
    }

    /// The uncompressed frame without its payload.
    pub(super) fn header(&self) -> Bytes {
        let mut bytes = Vec::with_capacity(header::encoded_length(self.len()));
        header::encode(self.opcode(), false, self.len(), &mut bytes);
        bytes.into()
    }

    /// How many bytes the payload is.
    pub(super) fn len(&self) -> usize {
        self.message.payload().len()
    }

    pub(super) fn may_compress(&self) -> bool {
        self.compress
    }

    pub(super) fn opcode(&self) -> Opcode {
        opcode(&self.message)
    }
}

/// Appends a message's uncompressed frame.
pub(super) fn encode_plain(message: &Message, bytes: &mut Vec<u8>) {
    header::encode(opcode(message), false, message.len(), bytes);
    bytes.extend_from_slice(message.payload());
}

pub(super) fn opcode(message: &Message) -> Opcode {
    match message {
        Message::Text(_) => Opcode::Text,
        Message::Binary(_) => Opcode::Binary,
    }
}

impl From<Message> for Outgoing {
    fn from(message: Message) -> Self {
        Self::new(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_made_once_and_shared() {
        let outgoing = Outgoing::new("a".repeat(2000).into());
        assert_eq!(outgoing.plain().as_ptr(), outgoing.plain().as_ptr());
        let frame = |bits| outgoing.deflated(bits, 6).expect("smaller").as_ptr();
        assert_eq!(frame(9), frame(9));
        assert_ne!(frame(9), frame(10));
        assert_eq!(frame(11), frame(15), "2000 bytes fit in every window from 2^11 on");
    }

    #[test]
    fn what_does_not_shrink_stays_plain() {
        assert_eq!(Outgoing::new("".into()).deflated(15, 6), None);
        assert_eq!(Outgoing::new("abc".into()).deflated(15, 6), None);
    }

    #[test]
    fn the_plain_frames_of_the_rfc() {
        let hello = Outgoing::new("Hello".into());
        assert_eq!(hello.plain()[..], [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
        let binary = Outgoing::new(Message::Binary(vec![7; 256].into()));
        assert_eq!(binary.plain()[..5], [0x82, 0x7e, 0x01, 0x00, 7]);
        let binary = Outgoing::new(Message::Binary(vec![7; 65_536].into()));
        assert_eq!(binary.plain()[..11], [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0, 7]);
    }
}
