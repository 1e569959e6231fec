//! The receiving half: bytes to events.

use std::mem;

use bytes::Bytes;

use super::assembler::Assembler;
use super::close;
use super::error::Violation;
use super::header::{Header, Opcode};
use super::mask;
use super::websocket::SocketOptions;
use crate::message::{CloseFrame, Message};

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A whole message.
    Message(Message),
    /// A ping; it is to be answered with a pong of the same payload.
    Ping(Bytes),
    /// A pong.
    Pong(Bytes),
    /// The client closes; it is to be answered with a close frame unless one was sent. Nothing comes after it.
    Close(Option<CloseFrame>),
    /// The client broke a rule; the connection is to be closed with its code. Nothing comes after it.
    Violation(Violation),
}

/// Takes the bytes of one connection in pieces of any size. Between messages it holds no buffer.
#[derive(Debug)]
pub struct Reader {
    state: State,
    assembler: Assembler,
}

/// Where in the byte stream the reader stands.
///
/// ```text
///            ┌──────── payload complete ────────┐
///            ▼                                  │
/// Header ────┴─ header complete ──► Payload ────┤
///   │ violation                                 │ close frame, violation
///   └───────────────► Finished ◄────────────────┘
/// ```
#[derive(Debug)]
enum State {
    /// Up to 13 bytes of a header that is not complete.
    Header { bytes: [u8; Header::MAX_LENGTH], length: usize },
    /// A frame of which not all payload has come.
    Payload(Frame),
    /// After a close frame or a violation: everything is ignored.
    Finished,
}

const START: State = State::Header { bytes: [0; Header::MAX_LENGTH], length: 0 };

#[derive(Debug)]
struct Frame {
    header: Header,
    /// Payload bytes that have come.
    taken: u64,
    /// Payload of a control frame; that of data frames is with the assembler.
    control: Vec<u8>,
}

impl Reader {
    pub(super) fn new(options: &SocketOptions) -> Self {
        Self { state: START, assembler: Assembler::new(options) }
    }

    /// Takes what the socket gave and appends what became of it. May unmask in place: `input` is scrambled
    /// afterwards.
    ///
    /// However the bytes are split over calls, the events are the same. After [`Event::Close`] and
    /// [`Event::Violation`] everything is ignored.
    pub fn receive(&mut self, input: &mut [u8], events: &mut Vec<Event>) {
        let mut rest = input;
        while !rest.is_empty() {
            let step = match self.state {
                State::Header { .. } => self.receive_header(rest, events),
                State::Payload(_) => self.receive_payload(rest, events),
                State::Finished => return,
            };
            match step {
                Ok(taken) => rest = &mut rest[taken..],
                Err(violation) => {
                    self.finish();
                    events.push(Event::Violation(violation));
                }
            }
        }
    }

    /// Whether the stream stands between messages, where nothing is buffered.
    pub fn is_idle(&self) -> bool {
        self.assembler.is_idle()
            && !matches!(self.state, State::Payload(_) | State::Header { length: 1.., .. })
    }

    /// Whether a close frame or a violation ended the stream.
    pub fn is_finished(&self) -> bool {
        matches!(self.state, State::Finished)
    }

    /// Bytes held until their frame or message is complete.
    pub fn buffered(&self) -> usize {
        let partial = match &self.state {
            State::Header { length, .. } => *length,
            State::Payload(frame) => frame.control.len(),
            State::Finished => 0,
        };
        partial + self.assembler.buffered()
    }

    fn receive_header(&mut self, input: &mut [u8], events: &mut Vec<Event>) -> Result<usize, Violation> {
        let State::Header { bytes, length } = &mut self.state else { return Ok(0) };
        let (header, taken) = if *length == 0 {
            match Header::parse(input)? {
                Some(parsed) => parsed,
                None => {
                    bytes[..input.len()].copy_from_slice(input);
                    *length = input.len();
                    return Ok(input.len());
                }
            }
        } else {
            let earlier = *length;
            let more = input.len().min(Header::MAX_LENGTH - earlier);
            bytes[earlier..earlier + more].copy_from_slice(&input[..more]);
            match Header::parse(&bytes[..earlier + more])? {
                Some((header, taken)) => (header, taken - earlier),
                None => {
                    *length += more;
                    return Ok(more);
                }
            }
        };
        self.state = START;
        if !header.opcode.is_control() {
            self.assembler.check(&header)?;
        }
        let payload = &mut input[taken..];
        match usize::try_from(header.length) {
            Ok(length) if length <= payload.len() => {
                self.take_whole(&header, &mut payload[..length], events)?;
                Ok(taken + length)
            }
            _ => {
                if !header.opcode.is_control() {
                    self.assembler.begin_frame(&header);
                }
                self.state = State::Payload(Frame { header, taken: 0, control: Vec::new() });
                Ok(taken)
            }
        }
    }

    /// A frame that lies in the input as a whole, still masked.
    fn take_whole(
        &mut self,
        header: &Header,
        payload: &mut [u8],
        events: &mut Vec<Event>,
    ) -> Result<(), Violation> {
        if header.fin && !header.rsv1 && !header.opcode.is_control() && self.assembler.is_idle() {
            let payload = mask::unmasked(payload, header.mask);
            events.push(Event::Message(self.assembler.whole(header.opcode, payload)?));
            return Ok(());
        }
        mask::apply(payload, header.mask, 0);
        if header.opcode.is_control() {
            return self.take_control(header.opcode, Bytes::copy_from_slice(payload), events);
        }
        if header.fin && self.assembler.is_idle() {
            events.push(Event::Message(self.assembler.whole_compressed(header.opcode, payload)?));
            return Ok(());
        }
        self.assembler.begin_frame(header);
        self.assembler.push(payload)?;
        self.end_data_frame(header, events)
    }

    fn receive_payload(&mut self, input: &mut [u8], events: &mut Vec<Event>) -> Result<usize, Violation> {
        let State::Payload(frame) = &mut self.state else { return Ok(0) };
        let missing = usize::try_from(frame.header.length - frame.taken).unwrap_or(usize::MAX);
        let length = input.len().min(missing);
        let piece = &mut input[..length];
        // The mask repeats every four bytes: what was taken matters modulo four only.
        mask::apply(piece, frame.header.mask, (frame.taken % 4) as usize);
        frame.taken += length as u64;
        let is_complete = length == missing;
        let header = frame.header;
        if header.opcode.is_control() {
            frame.control.extend_from_slice(piece);
            if is_complete {
                let payload = mem::take(&mut frame.control).into();
                self.state = START;
                self.take_control(header.opcode, payload, events)?;
            }
            return Ok(length);
        }
        self.assembler.push(piece)?;
        if is_complete {
            self.state = START;
            self.end_data_frame(&header, events)?;
        }
        Ok(length)
    }

    fn end_data_frame(&mut self, header: &Header, events: &mut Vec<Event>) -> Result<(), Violation> {
        if header.fin
            && let Some(message) = self.assembler.finish()?
        {
            events.push(Event::Message(message));
        }
        Ok(())
    }

    fn take_control(
        &mut self,
        opcode: Opcode,
        payload: Bytes,
        events: &mut Vec<Event>,
    ) -> Result<(), Violation> {
        events.push(match opcode {
            Opcode::Ping => Event::Ping(payload),
            Opcode::Close => {
                let frame = close::parse(payload)?;
                self.finish();
                Event::Close(frame)
            }
            _ => Event::Pong(payload),
        });
        Ok(())
    }

    fn finish(&mut self) {
        self.state = State::Finished;
        self.assembler.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::WebSocket;
    use super::super::client_frame::*;
    use super::*;
    use crate::CloseCode;

    fn receive(options: &SocketOptions, bytes: &[u8], piece: usize) -> Vec<Event> {
        let mut reader = WebSocket::new(options).reader;
        let mut events = Vec::new();
        let mut bytes = bytes.to_vec();
        for piece in bytes.chunks_mut(piece.max(1)) {
            reader.receive(piece, &mut events);
        }
        events
    }

    fn text(text: &str) -> Event {
        Event::Message(text.into())
    }

    fn binary(payload: &[u8]) -> Event {
        Event::Message(Message::Binary(Bytes::copy_from_slice(payload)))
    }

    fn ping(payload: &'static str) -> Event {
        Event::Ping(payload.into())
    }

    #[test]
    fn the_examples_of_the_rfc_however_split() {
        let masked_hello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let masked_pong = [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let mut bytes = [masked_hello, masked_pong].concat();
        bytes.extend(client_message(TEXT, &[b"Hel", b"lo"]));
        bytes.extend(client_frame(FIN | PING, b"Hello"));
        bytes.extend(client_frame(FIN | BINARY, &[7; 256]));
        bytes.extend(client_frame(FIN | BINARY, &[7; 65_536]));
        let expected = [
            text("Hello"),
            Event::Pong("Hello".into()),
            text("Hello"),
            ping("Hello"),
            binary(&[7; 256]),
            binary(&[7; 65_536]),
        ];
        for piece in [1, 2, 3, 5, 7, 11, 13, 1000, 1 << 20] {
            assert_eq!(receive(&SocketOptions::default(), &bytes, piece), expected, "pieces of {piece}");
        }
    }

    #[test]
    fn every_split_in_two_gives_the_same_events() {
        let mut bytes = client_message(TEXT, &["a é".as_bytes(), "€".as_bytes(), b"", "😀".as_bytes()]);
        bytes.extend(client_frame(FIN | PING, b"in between"));
        bytes.extend(client_frame(BINARY, &[1; 130]));
        bytes.extend(client_frame(FIN | PONG, b""));
        bytes.extend(client_frame(FIN | CONTINUATION, b"end"));
        bytes.extend(client_frame(FIN | TEXT, b""));
        bytes.extend(client_frame(FIN | CLOSE, b"\x03\xe8bye"));
        let whole = receive(&SocketOptions::default(), &bytes, bytes.len());
        assert_eq!(whole.len(), 6);
        assert_eq!(whole[5], Event::Close(Some(CloseFrame::new(CloseCode::NORMAL, "bye"))));
        for cut in 0..=bytes.len() {
            let mut reader = WebSocket::new(&SocketOptions::default()).reader;
            let mut events = Vec::new();
            let (head, tail) = (&mut bytes[..cut].to_vec(), &mut bytes[cut..].to_vec());
            reader.receive(head, &mut events);
            reader.receive(tail, &mut events);
            assert_eq!(events, whole, "cut at {cut}");
        }
    }

    #[test]
    fn control_frames_stand_between_fragments() {
        let mut bytes = client_frame(TEXT, b"Hel");
        bytes.extend(client_frame(FIN | PING, b"1"));
        bytes.extend(client_frame(FIN | CONTINUATION, b"lo"));
        assert_eq!(receive(&SocketOptions::default(), &bytes, 1), [ping("1"), text("Hello")]);
    }

    #[test]
    fn violations_end_the_stream_with_their_code() {
        let unmasked = vec![0x81, 0x05, b'H', b'e', b'l', b'l', b'o'];
        let cases: Vec<(u16, &str, Vec<u8>)> = vec![
            (1002, "not masked", unmasked),
            (1002, "RSV1 is set without", client_frame(FIN | RSV1 | TEXT, b"x")),
            (1002, "RSV2", client_frame(FIN | 0x20 | TEXT, b"x")),
            (1002, "RSV3", client_frame(FIN | 0x10 | TEXT, b"x")),
            (1002, "RSV1 is set on a control", client_frame(FIN | RSV1 | PING, b"x")),
            (1002, "reserved", client_frame(FIN | 3, b"x")),
            (1002, "reserved", client_frame(FIN | 11, b"x")),
            (1002, "fragmented", client_frame(PING, b"x")),
            (1002, "too long", client_frame(FIN | PING, &[0; 126])),
            (1002, "continuation without", client_frame(FIN | CONTINUATION, b"x")),
            (1002, "new message", [client_frame(TEXT, b"x"), client_frame(FIN | TEXT, b"x")].concat()),
            (1002, "minimal", vec![0x82, 0xfe, 0, 1, 0, 0, 0, 0]),
            (1002, "top bit", client_header(FIN | BINARY, 1 << 63)),
            (1009, "too big", client_header(FIN | BINARY, (1 << 63) - 1)),
            (1009, "too big", client_header(FIN | BINARY, 16 * 1024 * 1024 + 1)),
            (1002, "one byte", client_frame(FIN | CLOSE, &[3])),
            (1002, "close code", client_frame(FIN | CLOSE, &1005_u16.to_be_bytes())),
            (1007, "reason", client_frame(FIN | CLOSE, &[3, 0xe8, 0xff])),
            (1007, "UTF-8", client_frame(FIN | TEXT, &[0xff])),
            (1007, "UTF-8", client_frame(FIN | TEXT, &[0xe2, 0x82])),
            (1007, "UTF-8", client_message(TEXT, &[&[0xe2, 0x82], b"x"])),
        ];
        for (code, reason, mut bytes) in cases {
            // What follows, even a violation, is ignored.
            bytes.extend([0xff; 20]);
            for piece in [1, 1000] {
                let events = receive(&SocketOptions::default(), &bytes, piece);
                let [Event::Violation(violation)] = &events[..] else { panic!("{reason}: {events:?}") };
                assert_eq!(violation.code, CloseCode(code), "{reason}");
                assert!(violation.reason.contains(reason), "{reason}: {violation}");
            }
        }
    }

    #[test]
    fn nothing_counts_after_a_close_frame() {
        let mut bytes = client_frame(FIN | CLOSE, b"");
        bytes.extend(client_frame(FIN | TEXT, b"late"));
        bytes.extend([0xff; 20]);
        assert_eq!(receive(&SocketOptions::default(), &bytes, 3), [Event::Close(None)]);
    }

    #[test]
    fn impossible_text_fails_before_its_frame_ends() {
        let mut bytes = client_frame(FIN | TEXT, b"\xce\xba\xe1\xbd\xb9\xf4\x90\x80\x80 and more");
        let mut reader = WebSocket::new(&SocketOptions::default()).reader;
        let mut events = Vec::new();
        let (head, tail) = bytes.split_at_mut(6 + 6);
        reader.receive(head, &mut events);
        assert_eq!(events, [], "F4 alone could become U+100000");
        reader.receive(&mut tail[..1], &mut events);
        assert!(matches!(events[..], [Event::Violation(Violation { code: CloseCode::INVALID_PAYLOAD, .. })]));
        assert!(reader.is_finished());
        assert_eq!(reader.buffered(), 0);
    }

    #[test]
    fn what_is_held_is_known() {
        let mut reader = WebSocket::new(&SocketOptions::default()).reader;
        let mut events = Vec::new();
        assert!(reader.is_idle());
        let mut bytes = client_frame(TEXT, b"abc");
        for (range, held) in [(0..3, 3), (3..6, 0), (6..8, 2), (8..9, 3)] {
            reader.receive(&mut bytes[range], &mut events);
            assert_eq!((reader.is_idle(), reader.buffered()), (false, held));
        }
        reader.receive(&mut client_frame(FIN | CONTINUATION, b""), &mut events);
        assert_eq!((reader.is_idle(), reader.buffered()), (true, 0));
        assert_eq!(events, [text("abc")]);
    }
}
