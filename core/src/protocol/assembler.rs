//! Fragments to messages (RFC 6455 section 5.4): order, size, UTF-8 and decompression.

use bytes::Bytes;

use super::deflate::{Agreement, History, InflateError, Inflater, inflate};
use super::error::Violation;
use super::header::{Header, Opcode};
use super::utf8::Utf8Validator;
use super::websocket::SocketOptions;
use crate::message::{Message, Text};

/// How many bytes are allocated because a header announces them; more is allocated as the payload comes.
const MAX_PREALLOCATION: usize = 64 * 1024;

/// Puts one message at a time together. Between messages it holds no buffer.
#[derive(Debug)]
pub(super) struct Assembler {
    max_message: usize,
    max_fragments: u32,
    compression: Compression,
    /// Most connections send messages that come at once.
    message: Option<Box<Assembly>>,
}

/// Whether messages may be compressed, and what they may refer back to.
#[derive(Debug)]
enum Compression {
    None,
    PerMessage,
    WithHistory(Box<History>),
}

/// A message of which not everything has come.
#[derive(Debug)]
struct Assembly {
    is_text: bool,
    body: Body,
    utf8: Utf8Validator,
    fragments: u32,
    /// Bytes of payload that came, as they were on the wire.
    received: usize,
}

/// The result of a message's last frame.
#[derive(Debug)]
enum Body {
    Plain(Vec<u8>),
    Compressed(Inflater),
}

impl Body {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Plain(payload) => payload,
            Self::Compressed(inflater) => inflater.output(),
        }
    }
}

impl Assembler {
    pub(super) fn new(options: &SocketOptions) -> Self {
        let compression = match options.deflate {
            None => Compression::None,
            Some(Agreement { client_takeover: false, .. }) => Compression::PerMessage,
            Some(Agreement { client_bits, .. }) => {
                Compression::WithHistory(Box::new(History::new(client_bits)))
            }
        };
        Self {
            max_message: options.max_message,
            max_fragments: options.max_fragments,
            compression,
            message: None,
        }
    }

    /// Whether a message has begun.
    pub(super) fn is_idle(&self) -> bool {
        self.message.is_none()
    }

    /// Bytes held of the unfinished message.
    pub(super) fn buffered(&self) -> usize {
        self.message.as_ref().map_or(0, |message| message.body.bytes().len())
    }

    /// Checks a data frame's header against what came before, before any of its payload.
    pub(super) fn check(&self, header: &Header) -> Result<(), Violation> {
        let (is_compressed, length, fragments) = match (&self.message, header.opcode) {
            (None, Opcode::Continuation) => {
                return Err(Violation::protocol("continuation without a message"));
            }
            (None, _) => (header.rsv1, 0, 0),
            (Some(message), Opcode::Continuation) => {
                (matches!(message.body, Body::Compressed(_)), message.received, message.fragments)
            }
            (Some(_), _) => return Err(Violation::protocol("new message inside of a fragmented one")),
        };
        if header.rsv1 {
            if header.opcode == Opcode::Continuation {
                return Err(Violation::protocol("RSV1 is set on a continuation"));
            }
            if matches!(self.compression, Compression::None) {
                return Err(Violation::protocol("RSV1 is set without permessage-deflate"));
            }
        }
        if fragments >= self.max_fragments {
            return Err(Violation::policy("too many fragments"));
        }
        let max = if is_compressed { self.max_compressed() } else { self.max_message };
        if header.length > max.saturating_sub(length) as u64 {
            return Err(Violation::too_big("message is too big"));
        }
        Ok(())
    }

    /// A whole message in one frame.
    pub(super) fn whole(&mut self, opcode: Opcode, payload: Vec<u8>) -> Result<Message, Violation> {
        into_message(opcode == Opcode::Text, payload.into())
    }

    /// A whole compressed message in one frame, straight from the input.
    pub(super) fn whole_compressed(&mut self, opcode: Opcode, payload: &[u8]) -> Result<Message, Violation> {
        let is_text = opcode == Opcode::Text;
        let inflated = inflate(payload, self.compression.history(), is_text, self.max_message)?;
        into_message(is_text, inflated)
    }

    /// Starts or continues a message with a frame that [`check`](Self::check) let pass.
    pub(super) fn begin_frame(&mut self, header: &Header) {
        let message = self.message.get_or_insert_with(|| {
            Box::new(Assembly {
                is_text: header.opcode == Opcode::Text,
                body: match header.rsv1 {
                    true => Body::Compressed(Inflater::begin()),
                    false => Body::Plain(Vec::new()),
                },
                utf8: Utf8Validator::default(),
                fragments: 0,
                received: 0,
            })
        });
        message.fragments += 1;
        if let Body::Plain(payload) = &mut message.body {
            let declared = usize::try_from(header.length).unwrap_or(usize::MAX);
            payload.reserve(declared.min(MAX_PREALLOCATION));
        }
    }

    /// Takes the next unmasked bytes of the frame. Text fails at its first impossible byte, compressed or not.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), Violation> {
        let Some(message) = &mut self.message else { return Ok(()) };
        message.received += piece.len();
        match &mut message.body {
            Body::Plain(payload) => {
                if message.is_text {
                    message.utf8.push(piece).map_err(|_| NOT_UTF8)?;
                }
                payload.extend_from_slice(piece);
            }
            Body::Compressed(inflater) => {
                let before = inflater.output().len();
                let pushed = inflater.push(piece, self.compression.history().as_deref(), self.max_message);
                // Text that was inflated before the fault may itself be wrong, and then came first.
                if message.is_text {
                    message.utf8.push(&inflater.output()[before..]).map_err(|_| NOT_UTF8)?;
                }
                pushed?;
            }
        }
        Ok(())
    }

    /// Ends the message with its last frame.
    pub(super) fn finish(&mut self) -> Result<Option<Message>, Violation> {
        let Some(message) = self.message.take() else { return Ok(None) };
        let payload = match message.body {
            Body::Plain(payload) => Bytes::from(payload),
            Body::Compressed(inflater) => inflater.finish(self.compression.history(), self.max_message)?,
        };
        if !message.utf8.is_complete() {
            return Err(NOT_UTF8);
        }
        Ok(Some(match message.is_text {
            true => Message::Text(Text::from_validated(payload)),
            false => Message::Binary(payload),
        }))
    }

    /// The largest message that is taken, in bytes.
    pub(super) fn max_message(&self) -> usize {
        self.max_message
    }

    /// Stored blocks make data a little longer than it was.
    fn max_compressed(&self) -> usize {
        self.max_message.saturating_add(self.max_message / 64).saturating_add(1024)
    }
}

impl Compression {
    fn history(&mut self) -> Option<&mut History> {
        match self {
            Self::WithHistory(history) => Some(history),
            Self::None | Self::PerMessage => None,
        }
    }
}

const NOT_UTF8: Violation = Violation::payload("text is not UTF-8");

impl From<InflateError> for Violation {
    fn from(error: InflateError) -> Self {
        match error {
            InflateError::TooBig => Self::too_big("inflated message is too big"),
            InflateError::Invalid => Self::payload("compressed data does not inflate"),
            InflateError::NotUtf8 => NOT_UTF8,
        }
    }
}

fn into_message(is_text: bool, payload: Bytes) -> Result<Message, Violation> {
    match is_text {
        true => Text::from_utf8(payload).map(Message::Text).map_err(|_| NOT_UTF8),
        false => Ok(Message::Binary(payload)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::client_frame::*;
    use super::super::{Event, WebSocket};
    use super::*;
    use crate::CloseCode;

    fn deflate(client_takeover: bool) -> Option<Agreement> {
        let (server_bits, client_bits) = (15, 15);
        Some(Agreement {
            server_takeover: false,
            client_takeover,
            server_bits,
            client_bits,
            threshold: 0,
            level: 6,
        })
    }

    /// The code of the violation that these bytes end in; 0 when they are fine.
    fn code(options: &SocketOptions, bytes: &[u8]) -> u16 {
        let mut events = Vec::new();
        WebSocket::new(options).reader.receive(&mut bytes.to_vec(), &mut events);
        match events.pop() {
            Some(Event::Violation(violation)) => violation.code.0,
            _ => 0,
        }
    }

    #[test]
    fn size_is_limited_over_all_fragments_before_they_come() {
        let options = SocketOptions::with_max_message(10);
        let four = client_frame(BINARY, &[0; 4]);
        assert_eq!(code(&options, &[&four[..], &client_frame(FIN, &[0; 6])].concat()), 0);
        assert_eq!(code(&options, &[&four[..], &client_header(FIN, 7)].concat()), 1009);
        assert_eq!(code(&options, &client_frame(FIN | TEXT, &[b'a'; 10])), 0);
        assert_eq!(code(&options, &client_header(FIN | TEXT, 11)), 1009);
    }

    #[test]
    fn fragments_are_limited() {
        let options = SocketOptions { max_fragments: 3, ..SocketOptions::default() };
        assert_eq!(code(&options, &client_message(TEXT, &[b"", b"", b""])), 0);
        assert_eq!(code(&options, &client_message(TEXT, &[b"", b"", b"", b""])), 1008);
        let mut largest = Vec::new();
        for _ in 0..65_535 {
            largest.extend(client_frame(if largest.is_empty() { BINARY } else { CONTINUATION }, &[0; 256]));
        }
        largest.extend(client_frame(FIN, &[0; 256]));
        assert_eq!(code(&SocketOptions::default(), &largest), 0);
    }

    #[test]
    fn the_bit_for_compression_stands_on_the_first_fragment_only() {
        let options = SocketOptions { deflate: deflate(false), ..SocketOptions::default() };
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        let first = client_frame(RSV1 | TEXT, &hello[..3]);
        assert_eq!(code(&options, &[&first[..], &client_frame(FIN, &hello[3..])].concat()), 0);
        assert_eq!(code(&options, &[&first[..], &client_frame(FIN | RSV1, &hello[3..])].concat()), 1002);
        assert_eq!(code(&SocketOptions::default(), &first), 1002);
    }

    #[test]
    fn compressed_messages_are_checked_after_inflating() {
        let options = SocketOptions { deflate: deflate(false), ..SocketOptions::with_max_message(100) };
        let mut client = ClientDeflate::new(15, false);
        let mut compressed = |payload: &[u8]| client_frame(FIN | RSV1 | TEXT, &client.compress(payload));
        assert_eq!(code(&options, &compressed(&[b'a'; 100])), 0);
        assert_eq!(code(&options, &compressed(&[b'a'; 101])), 1009);
        assert_eq!(code(&options, &compressed(&vec![b'a'; 1 << 20])), 1009);
        assert_eq!(code(&options, &compressed(&[0xff])), 1007);
        assert_eq!(code(&options, &client_frame(FIN | RSV1 | TEXT, &[0xff; 5])), 1007);
        assert_eq!(code(&options, &client_frame(FIN | RSV1 | TEXT, &[0xf2, 0x48, 0xcd])), 1007);
        assert_eq!(code(&options, &client_header(FIN | RSV1 | TEXT, 1 << 20)), 1009);
    }

    #[test]
    fn a_compressed_message_fails_before_its_last_fragment() {
        let options = SocketOptions { deflate: deflate(false), ..SocketOptions::with_max_message(100) };
        let mut client = ClientDeflate::new(15, false);
        let mut first = |payload: &[u8]| client_frame(RSV1 | TEXT, &client.compress(payload));
        assert_eq!(code(&options, &first("half a €".as_bytes().split_at(8).0)), 0);
        assert_eq!(code(&options, &first(b"fine, then \xff")), 1007);
        assert_eq!(code(&options, &first(&[b'a'; 101])), 1009);
        assert_eq!(code(&options, &first(&vec![b'a'; 1 << 20])), 1009);
        assert_eq!(code(&options, &client_frame(RSV1 | TEXT, &[0xff; 5])), 1007);
        // A frame that has not come as a whole yet.
        let mut cut = client_frame(FIN | RSV1 | TEXT, &[&client.compress(b"\xff")[..], &[0; 50]].concat());
        cut.truncate(cut.len() - 50);
        assert_eq!(code(&options, &cut), 1007);
    }

    #[test]
    fn context_is_kept_where_it_was_agreed() {
        let second = [
            client_frame(FIN | RSV1 | TEXT, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]),
            client_frame(FIN | TEXT, b"not part of it"),
            client_frame(FIN | RSV1 | TEXT, &[0xf2, 0x00, 0x11, 0x00, 0x00]),
        ]
        .concat();
        let kept = SocketOptions { deflate: deflate(true), ..SocketOptions::default() };
        let forgotten = SocketOptions { deflate: deflate(false), ..SocketOptions::default() };
        assert_eq!((code(&kept, &second), code(&forgotten, &second)), (0, 1007));
        let mut events = Vec::new();
        WebSocket::new(&kept).reader.receive(&mut second.clone(), &mut events);
        assert_eq!(events.pop(), Some(Event::Message("Hello".into())));
    }

    #[test]
    fn a_declared_length_allocates_little() {
        let mut assembler = Assembler::new(&SocketOptions::default());
        let header =
            Header { fin: true, rsv1: false, opcode: Opcode::Binary, mask: [0; 4], length: 16 << 20 };
        assert_eq!(assembler.check(&header), Ok(()));
        assembler.begin_frame(&header);
        let Some(Body::Plain(payload)) = assembler.message.map(|message| message.body) else {
            panic!("a message has begun");
        };
        assert!(payload.capacity() <= 2 * MAX_PREALLOCATION, "{}", payload.capacity());
        let too_big = Header { length: (16 << 20) + 1, ..header };
        assert_eq!(
            Assembler::new(&SocketOptions::default()).check(&too_big).map_err(|v| v.code),
            Err(CloseCode::MESSAGE_TOO_BIG)
        );
    }
}
