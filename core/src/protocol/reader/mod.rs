//! The receiving half: bytes to events.

mod content;
mod event;
mod undecoded;

use bytes::Bytes;

use crate::protocol::assembler::Assembler;
use crate::protocol::close;
use crate::protocol::error::Violation;
use crate::protocol::header::{Header, MAX_CONTROL_PAYLOAD, Opcode};
use crate::protocol::mask;
use crate::protocol::outbox::Overflow;
use crate::protocol::traffic::{Recent, Traffic};
use crate::protocol::websocket::SocketOptions;
use content::Content;
pub use event::Event;
use undecoded::Undecoded;

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
    traffic: Recent,
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

impl Reader {
    /// Payload decoded by one call, in bytes.
    const BUDGET: u32 = 256 * 1024;

    /// What is held is told in steps of so many bytes.
    const STEP: usize = 16 * 1024;

    /// What an event counts beside its payload, in bytes.
    const EVENT_COST: usize = 64;

    pub(in crate::protocol) fn new(options: &SocketOptions) -> Self {
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
            traffic: Recent::default(),
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
            undecoded.extend(input);
            return;
        }
        let taken = self.decode(input, events);
        if taken < input.len() {
            self.undecoded = Some(Box::new(Undecoded::new(&input[taken..])));
        }
    }

    /// Goes on with what was kept undecoded, within the budget of one call.
    pub fn resume(&mut self, events: &mut Vec<Event>) {
        let Some(mut undecoded) = self.undecoded.take() else { return };
        let taken = self.decode(undecoded.rest(), events);
        undecoded.take(taken);
        if !undecoded.is_empty() {
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

    /// What has come since the last call: whole messages, and the bytes of frames that were taken, those after the end included.
    /// Call it after each read; more than 4 GiB at once are not counted.
    pub fn take_traffic(&mut self) -> Traffic {
        self.traffic.take()
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
        let undecoded = self.undecoded.as_ref().map_or(0, |undecoded| undecoded.len());
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
    #[inline(always)]
    fn decode(&mut self, input: &mut [u8], events: &mut Vec<Event>) -> usize {
        let first = events.len();
        let taken = self.step(input, events);
        // Most reads are a frame, or a piece of one: where nothing is left, nothing has to wait.
        if taken == input.len() {
            return taken;
        }
        self.decode_more(taken, first, input, events)
    }

    /// Goes on behind the first step, whose event is at `known`.
    fn decode_more(
        &mut self,
        mut taken: usize,
        mut known: usize,
        input: &mut [u8],
        events: &mut Vec<Event>,
    ) -> usize {
        let mut budget = self.budget as usize;
        while taken < input.len() {
            // A step comes to one event at most.
            if let Some(event) = events.get(known) {
                let cost = event.payload_len() + Self::EVENT_COST;
                if cost >= budget && !self.is_finished() {
                    break;
                }
                budget = budget.saturating_sub(cost);
            }
            known = events.len();
            taken += self.step(&mut input[taken..], events);
        }
        taken
    }

    /// Takes a frame or a piece of one; how many bytes that took.
    #[inline(always)]
    fn step(&mut self, input: &mut [u8], events: &mut Vec<Event>) -> usize {
        let step = match self.state {
            State::Header { .. } => self.receive_header(input, events),
            State::Payload(_) => self.receive_payload(input, events),
            State::Finished => Ok(input.len()),
        };
        match step {
            Ok(taken) => {
                self.traffic.wire(taken);
                self.content.count(taken);
                taken
            }
            Err(violation) => {
                self.finish();
                events.push(Event::Violation(violation));
                0
            }
        }
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
            let message = assembler.whole(header.opcode, payload)?;
            self.traffic.message(message.len());
            events.push(Event::Message(message));
            return Ok(());
        }
        mask::apply(payload, header.mask, 0);
        if header.fin && assembler.is_idle() {
            let message = assembler.whole_compressed(header.opcode, payload)?;
            self.traffic.message(message.len());
            events.push(Event::Message(message));
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
            self.traffic.message(message.len());
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

#[cfg(test)]
mod tests;
