//! The sending half: messages and control frames to the outbox.

use bytes::Bytes;

use super::deflate::{Agreement, Compressor};
use super::header::{self, MAX_CONTROL_PAYLOAD, Opcode};
use super::outbox::{Admission, Kind, Outbox, Overflow, Pushed};
use super::outgoing::Outgoing;
use super::websocket::SocketOptions;
use crate::CloseFrame;

/// Encodes for one connection and owns its [`Outbox`].
pub struct Writer {
    outbox: Outbox,
    deflate: Option<Agreement>,
    /// With context takeover, from the first compressed message on.
    compressor: Option<Box<Compressor>>,
    is_closed: bool,
}

impl Writer {
    pub(super) fn new(options: &SocketOptions) -> Self {
        Self {
            outbox: Outbox::new(options.outbox.clone()),
            deflate: options.deflate,
            compressor: None,
            is_closed: false,
        }
    }

    /// Queues a message in the form that was negotiated. After [`close`](Self::close) it is dropped.
    pub fn send(&mut self, message: &Outgoing) -> Pushed {
        if self.is_closed {
            return Pushed::Dropped(1);
        }
        // Asked first: a message that went through a compressor with context has to be sent.
        match self.outbox.admit() {
            Admission::Refused(pushed) => pushed,
            Admission::Admitted(pushed) => {
                let frame = self.encode(message);
                self.outbox.push(frame, Kind::Message);
                pushed
            }
        }
    }

    /// Queues a ping; of a payload over 125 bytes the first 125. Left out after a close frame, and while the outbox is
    /// full: a client that does not read will not answer either.
    pub fn ping(&mut self, payload: &[u8]) {
        if !self.outbox.is_full() {
            self.push_control(Opcode::Ping, payload, Kind::Control);
        }
    }

    /// Queues a pong; of a payload over 125 bytes the first 125. Left out after a close frame.
    pub fn pong(&mut self, payload: &[u8]) {
        self.push_control(Opcode::Pong, payload, Kind::Pong);
    }

    /// Queues the close frame behind what waits already; nothing can be queued after it, a second one is ignored.
    ///
    /// A code that must not be sent, as 1005 and 1006, becomes a close frame without code. A reason that is too long
    /// is cut.
    pub fn close(&mut self, frame: Option<&CloseFrame>) {
        let mut payload = Vec::new();
        if let Some(frame) = frame.filter(|frame| frame.code.is_sendable()) {
            let frame = CloseFrame::new(frame.code, frame.reason.as_str());
            payload.extend_from_slice(&frame.code.0.to_be_bytes());
            payload.extend_from_slice(frame.reason.as_bytes());
        }
        self.push_control(Opcode::Close, &payload, Kind::Control);
        self.is_closed = true;
    }

    /// What waits for the socket, to write it.
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// What waits for the socket, to look at it.
    pub fn outbox_ref(&self) -> &Outbox {
        &self.outbox
    }

    /// Whether a close frame was queued.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    fn push_control(&mut self, opcode: Opcode, payload: &[u8], kind: Kind) {
        if !self.is_closed {
            let payload = &payload[..payload.len().min(MAX_CONTROL_PAYLOAD)];
            self.outbox.push(header::frame(opcode, false, payload), kind);
        }
    }

    fn encode(&mut self, message: &Outgoing) -> Bytes {
        let Some(agreement) = self.deflate else { return message.plain().clone() };
        let payload = message.message().payload();
        if !message.may_compress() || payload.len() < agreement.threshold {
            return message.plain().clone();
        }
        // A frame that others refer back to cannot be dropped, so this policy does without context.
        let has_context = agreement.server_takeover && self.outbox.overflow() != Overflow::DropOldest;
        if !has_context {
            let deflated = message.deflated(agreement.server_bits, agreement.level);
            return deflated.unwrap_or_else(|| message.plain()).clone();
        }
        self.compressor
            .get_or_insert_with(|| Box::new(Compressor::new(agreement.server_bits, agreement.level)))
            .compress(payload, |compressed| header::frame(message.opcode(), true, compressed))
            .unwrap_or_else(|_| message.plain().clone())
    }
}
