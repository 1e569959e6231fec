//! The receiving half: bytes to events.

use bytes::Bytes;

use super::assembler::Assembler;
use super::close;
use super::error::Violation;
use super::header::{Header, MAX_CONTROL_PAYLOAD, Opcode};
use super::mask;
use super::outbox::Overflow;
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
///
/// A call decodes so much at most: 256 KiB, or [`OutboxOptions::max_bytes`](super::OutboxOptions::max_bytes) where a
/// client that does not read is paused, if that is less; each event counts as 64 bytes more. A client that sends 256 KiB
/// of compressed zeros can so be stopped before they have become 256 MiB. The rest is kept as it came.
#[derive(Debug)]
pub struct Reader {
    state: State,
    content: Content,
    budget: u32,
    /// What [`take_buffered`](Reader::take_buffered) has told, in steps.
    told: u32,
    undecoded: Option<Box<Undecoded>>,
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
    control: Option<Box<[u8; MAX_CONTROL_PAYLOAD]>>,
}

/// What becomes of messages.
#[derive(Debug)]
enum Content {
    Assembled(Assembler),
    /// They are passed over. The host reads no more when so many bytes have come.
    Discarded {
        left: usize,
    },
}

/// Bytes beyond the budget.
#[derive(Debug)]
struct Undecoded {
    bytes: Vec<u8>,
    /// How many of them are decoded.
    taken: usize,
}

impl Reader {
    /// Payload decoded by one call, in bytes.
    const BUDGET: u32 = 256 * 1024;

    /// What is held is told in steps of so many bytes.
    const STEP: usize = 16 * 1024;

    /// What an event counts beside its payload, in bytes.
    const EVENT_COST: usize = 64;

    /// So many bytes may come after the end, in case messages are allowed to be smaller than that.
    const MIN_DISCARDED: usize = 1 << 20;

    pub(super) fn new(options: &SocketOptions) -> Self {
        let budget = match options.outbox.overflow {
            // Replies are about as large as what is replied to.
            Overflow::Pause => u32::try_from(options.outbox.max_bytes).unwrap_or(u32::MAX).min(Self::BUDGET),
            Overflow::Close | Overflow::DropOldest => Self::BUDGET,
        };
        Self {
            state: START,
            content: Content::Assembled(Assembler::new(options)),
            budget,
            told: 0,
            undecoded: None,
        }
    }

    /// Takes what the socket gave and appends what became of it. May unmask in place: `input` is scrambled
    /// afterwards.
    ///
    /// However the bytes are split over calls, the events are the same. After [`Event::Close`] and
    /// [`Event::Violation`] everything is ignored. What is beyond the budget of a call is kept undecoded until
    /// [`resume`](Self::resume); as long as [there is some](Self::has_undecoded), the host should read no more, and
    /// what it gives is only added.
    pub fn receive(&mut self, input: &mut [u8], events: &mut Vec<Event>) {
        if let Some(undecoded) = &mut self.undecoded {
            undecoded.bytes.extend_from_slice(input);
            return;
        }
        let taken = self.decode(input, events);
        if taken < input.len() {
            self.undecoded = Some(Box::new(Undecoded { bytes: input[taken..].to_vec(), taken: 0 }));
        }
    }

    /// Goes on with what was kept undecoded, within the budget of one call.
    pub fn resume(&mut self, events: &mut Vec<Event>) {
        let Some(mut undecoded) = self.undecoded.take() else { return };
        undecoded.taken += self.decode(&mut undecoded.bytes[undecoded.taken..], events);
        if undecoded.taken < undecoded.bytes.len() {
            self.undecoded = Some(undecoded);
        }
    }

    /// Whether bytes wait to be decoded.
    pub fn has_undecoded(&self) -> bool {
        self.undecoded.is_some()
    }

    /// This server has sent its close frame: from here on only the client's matters (RFC 6455 section 5.5.1). Messages,
    /// pings and pongs are passed over without being assembled or inflated.
    pub fn expect_close(&mut self) {
        self.content.discard();
    }

    /// Whether the host should read on. False when more has come after the end, or after
    /// [`expect_close`](Self::expect_close), than a message may have, and at least 1 MiB: the client does not mean to
    /// close, and what it sends is left to its own system until the close timeout ends the connection.
    pub fn wants_input(&self) -> bool {
        !matches!(self.content, Content::Discarded { left: 0 })
    }

    /// Whether the stream stands between messages, where nothing is buffered.
    pub fn is_idle(&self) -> bool {
        let is_between = match &self.content {
            Content::Assembled(assembler) => assembler.is_idle(),
            Content::Discarded { .. } => true,
        };
        is_between
            && self.undecoded.is_none()
            && !matches!(self.state, State::Payload(_) | State::Header { length: 1.., .. })
    }

    /// Whether a close frame or a violation ended the stream.
    pub fn is_finished(&self) -> bool {
        matches!(self.state, State::Finished)
    }

    /// Bytes held until their frame or message is complete, and those that wait to be decoded.
    pub fn buffered(&self) -> usize {
        let partial = match &self.state {
            State::Header { length, .. } => *length,
            State::Payload(Frame { taken, control: Some(_), .. }) => *taken as usize,
            State::Payload(_) | State::Finished => 0,
        };
        let message = match &self.content {
            Content::Assembled(assembler) => assembler.buffered(),
            Content::Discarded { .. } => 0,
        };
        let undecoded =
            self.undecoded.as_ref().map_or(0, |undecoded| undecoded.bytes.len() - undecoded.taken);
        partial + message + undecoded
    }

    /// What is [`buffered`](Self::buffered), if that has changed by 16 KiB or more since it was asked for last. The host
    /// tells the engine after each read ([`Input::Buffered`](crate::Input::Buffered)), which bounds the sum of all
    /// connections.
    pub fn take_buffered(&mut self) -> Option<usize> {
        let bytes = self.buffered();
        let steps = u32::try_from(bytes / Self::STEP).unwrap_or(u32::MAX);
        (std::mem::replace(&mut self.told, steps) != steps).then_some(if steps == 0 { 0 } else { bytes })
    }

    /// Decodes within the budget; how many bytes that took.
    fn decode(&mut self, input: &mut [u8], events: &mut Vec<Event>) -> usize {
        let length = input.len();
        let mut rest = input;
        let mut budget = self.budget as usize;
        while !rest.is_empty() {
            let known = events.len();
            let step = match self.state {
                State::Header { .. } => self.receive_header(rest, events),
                State::Payload(_) => self.receive_payload(rest, events),
                State::Finished => Ok(rest.len()),
            };
            match step {
                Ok(taken) => {
                    self.content.count(taken);
                    rest = &mut rest[taken..];
                }
                Err(violation) => {
                    self.finish();
                    events.push(Event::Violation(violation));
                }
            }
            // A step comes to one event at most.
            if let Some(event) = events.get(known) {
                let cost = event.payload_len() + Self::EVENT_COST;
                if cost >= budget && !self.is_finished() {
                    break;
                }
                budget = budget.saturating_sub(cost);
            }
        }
        length - rest.len()
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
        if let Content::Assembled(assembler) = &self.content
            && !header.opcode.is_control()
        {
            assembler.check(&header)?;
        }
        let payload = &mut input[taken..];
        match usize::try_from(header.length) {
            Ok(length) if length <= payload.len() => {
                self.take_whole(&header, &mut payload[..length], events)?;
                Ok(taken + length)
            }
            _ => {
                let control = header.opcode.is_control().then(|| Box::new([0; MAX_CONTROL_PAYLOAD]));
                if let Content::Assembled(assembler) = &mut self.content
                    && control.is_none()
                {
                    assembler.begin_frame(&header);
                }
                self.state = State::Payload(Frame { header, taken: 0, control });
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
        if header.opcode.is_control() {
            mask::apply(payload, header.mask, 0);
            return self.take_control(header.opcode, Bytes::copy_from_slice(payload), events);
        }
        let Content::Assembled(assembler) = &mut self.content else { return Ok(()) };
        if header.fin && !header.rsv1 && assembler.is_idle() {
            let payload = mask::unmasked(payload, header.mask);
            events.push(Event::Message(assembler.whole(header.opcode, payload)?));
            return Ok(());
        }
        mask::apply(payload, header.mask, 0);
        if header.fin && assembler.is_idle() {
            events.push(Event::Message(assembler.whole_compressed(header.opcode, payload)?));
            return Ok(());
        }
        assembler.begin_frame(header);
        assembler.push(payload)?;
        self.end_data_frame(header, events)
    }

    fn receive_payload(&mut self, input: &mut [u8], events: &mut Vec<Event>) -> Result<usize, Violation> {
        let State::Payload(frame) = &mut self.state else { return Ok(0) };
        let missing = usize::try_from(frame.header.length - frame.taken).unwrap_or(usize::MAX);
        let length = input.len().min(missing);
        let piece = &mut input[..length];
        let before = frame.taken as usize;
        frame.taken += length as u64;
        let is_complete = length == missing;
        let header = frame.header;
        if let Some(control) = &mut frame.control {
            mask::apply(piece, header.mask, before % 4);
            control[before..before + length].copy_from_slice(piece);
            if is_complete {
                let payload = Bytes::copy_from_slice(&control[..before + length]);
                self.state = START;
                self.take_control(header.opcode, payload, events)?;
            }
            return Ok(length);
        }
        if let Content::Assembled(assembler) = &mut self.content {
            // The mask repeats every four bytes: what was taken matters modulo four only.
            mask::apply(piece, header.mask, before % 4);
            assembler.push(piece)?;
        }
        if is_complete {
            self.state = START;
            self.end_data_frame(&header, events)?;
        }
        Ok(length)
    }

    fn end_data_frame(&mut self, header: &Header, events: &mut Vec<Event>) -> Result<(), Violation> {
        if header.fin
            && let Content::Assembled(assembler) = &mut self.content
            && let Some(message) = assembler.finish()?
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
        if opcode == Opcode::Close {
            let frame = close::parse(payload)?;
            self.finish();
            events.push(Event::Close(frame));
        } else if matches!(self.content, Content::Assembled(_)) {
            events.push(match opcode {
                Opcode::Ping => Event::Ping(payload),
                _ => Event::Pong(payload),
            });
        }
        Ok(())
    }

    fn finish(&mut self) {
        self.state = State::Finished;
        self.content.discard();
    }
}

impl Content {
    /// Passes over everything from here on.
    fn discard(&mut self) {
        if let Self::Assembled(assembler) = self {
            *self = Self::Discarded { left: assembler.max_message().max(Reader::MIN_DISCARDED) };
        }
    }

    /// Takes note of bytes that were passed over.
    fn count(&mut self, bytes: usize) {
        if let Self::Discarded { left } = self {
            *left = left.saturating_sub(bytes);
        }
    }
}

impl Event {
    fn payload_len(&self) -> usize {
        match self {
            Event::Message(message) => message.len(),
            Event::Ping(payload) | Event::Pong(payload) => payload.len(),
            Event::Close(_) | Event::Violation(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::client_frame::*;
    use super::super::{Agreement, OutboxOptions, WebSocket};
    use super::*;
    use crate::CloseCode;

    fn receive(options: &SocketOptions, bytes: &[u8], piece: usize) -> Vec<Event> {
        let mut reader = WebSocket::new(options).reader;
        let mut events = Vec::new();
        let mut bytes = bytes.to_vec();
        for piece in bytes.chunks_mut(piece.max(1)) {
            reader.receive(piece, &mut events);
            while reader.has_undecoded() {
                reader.resume(&mut events);
            }
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
    fn what_is_held_is_told_in_steps() {
        let mut reader = WebSocket::new(&SocketOptions::default()).reader;
        let mut bytes = client_frame(FIN | BINARY, &[7; 50_000]);
        let mut events = Vec::new();
        let mut tell = |piece: &mut [u8]| {
            reader.receive(piece, &mut events);
            (reader.take_buffered(), reader.take_buffered())
        };
        let (first, rest) = bytes.split_at_mut(10_000);
        assert_eq!(tell(first), (None, None), "too little to be told");
        let (second, last) = rest.split_at_mut(30_000);
        assert_eq!(tell(second), (Some(40_000 - 8), None));
        assert_eq!(tell(last), (Some(0), None));
        assert_eq!(events.len(), 1);
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

    /// The options of a client that compresses, and a frame of so many zeros.
    fn bomb(zeros: usize) -> (SocketOptions, Vec<u8>) {
        let deflate = Some(Agreement {
            server_takeover: false,
            client_takeover: false,
            server_bits: 15,
            client_bits: 15,
            threshold: 0,
            level: 6,
        });
        let payload = ClientDeflate::new(15, false).compress(&vec![0; zeros]);
        let options = SocketOptions { deflate, ..SocketOptions::default() };
        (options, client_frame(FIN | RSV1 | BINARY, &payload))
    }

    #[test]
    fn one_call_decodes_no_more_than_its_budget() {
        let (options, frame) = bomb(100_000);
        let mut input = frame.repeat(640);
        let mut reader = WebSocket::new(&options).reader;
        let (mut events, mut rounds) = (Vec::new(), 0);
        reader.receive(&mut input, &mut events);
        loop {
            assert!((1..=3).contains(&events.len()), "{} events", events.len());
            rounds += 1;
            events.clear();
            if !reader.has_undecoded() {
                break;
            }
            assert!(!reader.is_idle());
            assert!(reader.buffered() <= 640 * frame.len());
            reader.resume(&mut events);
        }
        assert_eq!(rounds, 640_usize.div_ceil(3));
        assert!(reader.is_idle());
        assert_eq!(reader.buffered(), 0);
        reader.resume(&mut events);
        assert_eq!(events, []);
    }

    #[test]
    fn small_events_are_counted_too() {
        let mut input = client_frame(FIN | PING, b"").repeat(10_000);
        let mut reader = WebSocket::new(&SocketOptions::default()).reader;
        let mut events = Vec::new();
        reader.receive(&mut input, &mut events);
        assert_eq!(events.len(), 256 * 1024 / 64);
        // What comes meanwhile has to wait behind it.
        reader.receive(&mut client_frame(FIN | TEXT, b"last"), &mut events);
        while reader.has_undecoded() {
            reader.resume(&mut events);
        }
        assert_eq!((events.len(), events.last()), (10_001, Some(&text("last"))));
    }

    #[test]
    fn who_is_to_be_paused_has_a_smaller_budget() {
        let (options, frame) = bomb(1000);
        let outbox = OutboxOptions { max_bytes: 3000, overflow: Overflow::Pause };
        let mut events = Vec::new();
        let mut reader = WebSocket::new(&SocketOptions { outbox, ..options }).reader;
        reader.receive(&mut frame.repeat(100), &mut events);
        assert_eq!(events.len(), 3);
    }

    #[test]
    fn the_end_is_found_beyond_the_budget_and_ends_everything() {
        let (options, frame) = bomb(300_000);
        let mut input =
            [&frame.repeat(3)[..], &client_frame(FIN | CLOSE, b""), &frame.repeat(5)[..]].concat();
        let mut reader = WebSocket::new(&options).reader;
        let mut events = Vec::new();
        reader.receive(&mut input, &mut events);
        while reader.has_undecoded() {
            reader.resume(&mut events);
        }
        assert_eq!((events.len(), events.last()), (4, Some(&Event::Close(None))));
        assert_eq!(reader.buffered(), 0);
    }

    #[test]
    fn after_our_close_frame_only_the_clients_counts() {
        let (options, bomb) = bomb(10_000);
        let mut bytes = client_frame(TEXT, b"not ended");
        let begun = bytes.len();
        bytes.extend(client_frame(FIN | PING, b"x"));
        bytes.extend(client_frame(FIN | CONTINUATION, &[0xff; 200]));
        bytes.extend(bomb);
        bytes.extend(client_frame(FIN | TEXT, &[0xff]));
        bytes.extend(client_frame(FIN | CLOSE, b"\x03\xe8bye"));
        for cut in [0, 3, begun - 2, begun] {
            for piece in [1, 7, 1000] {
                let mut reader = WebSocket::new(&options).reader;
                let mut events = Vec::new();
                let (head, tail) = (&mut bytes[..cut].to_vec(), &mut bytes[cut..].to_vec());
                reader.receive(head, &mut events);
                reader.expect_close();
                tail.chunks_mut(piece).for_each(|piece| reader.receive(piece, &mut events));
                let expected = Event::Close(Some(CloseFrame::new(CloseCode::NORMAL, "bye")));
                assert_eq!(events, [expected], "cut at {cut}, pieces of {piece}");
                assert!(reader.wants_input());
            }
        }
    }

    #[test]
    fn who_does_not_close_is_not_read_for_ever() {
        let options = SocketOptions::with_max_message(2 << 20);
        let frame = client_frame(FIN | BINARY, &[7; 65_536]);
        let violation = client_frame(FIN | 3, b"");
        for ends_itself in [false, true] {
            let mut reader = WebSocket::new(&options).reader;
            let mut events = Vec::new();
            match ends_itself {
                true => reader.receive(&mut violation.clone(), &mut events),
                false => reader.expect_close(),
            }
            let mut taken = 0;
            while reader.wants_input() {
                reader.receive(&mut frame.clone(), &mut events);
                taken += frame.len();
            }
            assert!((2 << 20..(2 << 20) + frame.len()).contains(&taken), "{taken}");
            assert_eq!(events.len(), usize::from(ends_itself));
            assert_eq!(reader.buffered(), 0);
        }
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
