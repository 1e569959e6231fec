//! The receiving half: bytes to events.

use std::mem;

use bytes::Bytes;

use super::assembler::Assembler;
use super::error::Violation;
use super::header::{Header, Opcode};
use super::mask;
use super::websocket::SocketOptions;
use crate::{CloseCode, CloseFrame, Message, Text};

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

    /// Takes what the socket gave and appends what became of it. Unmasks in place: `input` is scrambled afterwards.
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
                let payload = &mut payload[..length];
                mask::apply(payload, header.mask, 0);
                self.take_whole(&header, payload, events)?;
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

    /// A frame that lies in the input as a whole.
    fn take_whole(
        &mut self,
        header: &Header,
        payload: &[u8],
        events: &mut Vec<Event>,
    ) -> Result<(), Violation> {
        if header.opcode.is_control() {
            return self.take_control(header.opcode, Bytes::copy_from_slice(payload), events);
        }
        if header.fin && self.assembler.is_idle() {
            events.push(Event::Message(self.assembler.whole(header, payload)?));
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
                let frame = parse_close(payload)?;
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

/// Reads a close frame's payload (RFC 6455 sections 5.5.1, 7.4).
fn parse_close(payload: Bytes) -> Result<Option<CloseFrame>, Violation> {
    let (code, reason) = match payload.split_first_chunk() {
        Some((code, _)) => (CloseCode(u16::from_be_bytes(*code)), payload.slice(2..)),
        None if payload.is_empty() => return Ok(None),
        None => return Err(Violation::protocol("close frame of one byte")),
    };
    if !code.is_sendable() {
        return Err(Violation::protocol("invalid close code"));
    }
    let reason = Text::from_utf8(reason).map_err(|_| Violation::payload("close reason is not UTF-8"))?;
    Ok(Some(CloseFrame { code, reason }))
}
