//! The sending half: messages and control frames to the outbox.

use bytes::Bytes;

use super::burst::Burst;
use super::close;
use super::damage::Damage;
use super::deflate::{Agreement, Compressor};
use super::header::{self, MAX_CONTROL_PAYLOAD, Opcode};
use super::outbox::{Admission, Kind, Outbox, Overflow, Pushed};
use super::outgoing::Outgoing;
use super::traffic::Traffic;
use super::websocket::SocketOptions;
use crate::{CloseFrame, Message};

/// From how many bytes on a plain payload is queued as it is, behind its header. Copying fewer costs less than one more
/// piece to write.
const MIN_UNCOPIED: usize = 16 * 1024;

/// Encodes for one connection and owns its [`Outbox`].
pub struct Writer {
    outbox: Outbox,
    deflate: Option<Agreement>,
    /// With context takeover, from the first compressed message on.
    compressor: Option<Box<Compressor>>,
    is_closed: bool,
    /// Messages that were queued. Their bytes on the wire are the outbox's.
    queued: Traffic,
}

impl Writer {
    pub(super) fn new(options: &SocketOptions) -> Self {
        Self {
            outbox: Outbox::new(options.outbox.clone()),
            deflate: options.deflate,
            compressor: None,
            is_closed: false,
            queued: Traffic::default(),
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
                self.queued.count(1, message.len());
                match self.uncopied(message) {
                    Some(header) => {
                        // Under this policy nothing is dropped from the queue, so the two stay together.
                        self.outbox.push(header, Kind::Control);
                        self.outbox.push(message.message().payload().clone(), Kind::Message);
                    }
                    None => {
                        let frame = self.encode(message);
                        self.outbox.push(frame, Kind::Message);
                    }
                }
                self.outbox.conclude(pushed)
            }
        }
    }

    /// Queues the messages of a burst, each in the form that was negotiated: as one piece where that makes no
    /// difference, else one by one. `Dropped` counts all that were.
    ///
    /// Where the bound is reached, `write` may give the socket what it takes before the policy applies: how much is
    /// sent at once is no sign of a client that does not read.
    pub fn send_burst(&mut self, burst: &mut Burst, mut write: impl FnMut(&mut Outbox)) -> Pushed {
        if self.takes_whole(burst) {
            self.queued.count(burst.count(), burst.payload_bytes());
            self.outbox.push(burst.encoded(self.deflate), Kind::Message);
            return self.write_when_full(Pushed::Queued, &mut write);
        }
        if self.outbox.is_full() {
            write(&mut self.outbox);
        }
        let pushed = burst.outgoing().iter().map(|message| {
            let pushed = self.send(message);
            self.write_when_full(pushed, &mut write)
        });
        pushed.reduce(Pushed::and).unwrap_or(Pushed::Queued)
    }

    /// Queues a message whose frame is broken on purpose, under the same rules as any other.
    pub fn send_damaged(&mut self, message: &Message, damage: Damage) -> Pushed {
        if self.is_closed {
            return Pushed::Dropped(1);
        }
        match self.outbox.admit() {
            Admission::Refused(pushed) => pushed,
            Admission::Admitted(pushed) => {
                self.queued.count(1, message.len());
                self.outbox.push(damage.frame(message), Kind::Message);
                self.outbox.conclude(pushed)
            }
        }
    }

    /// Has the socket take what it can when the bound is reached; what then became of the message that reached it.
    fn write_when_full(&mut self, pushed: Pushed, write: &mut impl FnMut(&mut Outbox)) -> Pushed {
        if !self.outbox.is_full() {
            return pushed;
        }
        write(&mut self.outbox);
        match pushed {
            Pushed::Queued | Pushed::Full if self.outbox.overflow() == Overflow::Pause => {
                self.outbox.conclude(Pushed::Queued)
            }
            other => other,
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
        self.push_control(Opcode::Close, &close::encode(frame), Kind::Control);
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

    /// What was sent: messages that were queued, also those that were [dropped](Outbox::dropped_messages) later, and the
    /// bytes of frames that the socket was given.
    pub fn traffic(&self) -> Traffic {
        Traffic { wire_bytes: self.outbox.wire_bytes(), ..self.queued }
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

    /// The header of a plain message that is so large that its payload had better not be copied behind it.
    fn uncopied(&self, message: &Outgoing) -> Option<Bytes> {
        let is_large = message.len() >= MIN_UNCOPIED && self.outbox.overflow() != Overflow::DropOldest;
        (is_large && self.deflate.is_none()).then(|| message.header())
    }

    /// Whether nothing of the burst would be refused or dropped, now or later, or needs this connection's own context.
    fn takes_whole(&self, burst: &Burst) -> bool {
        let is_large = burst.is_single() && burst.max_bytes() >= MIN_UNCOPIED;
        let has_own_form = self.is_closed || self.has_context() || is_large;
        !has_own_form
            && self.outbox.overflow() != Overflow::DropOldest
            && self.outbox.has_room_for(burst.max_bytes())
    }

    /// A frame that others refer back to cannot be dropped, so that policy does without context.
    fn has_context(&self) -> bool {
        let has_takeover = self.deflate.is_some_and(|agreement| agreement.server_takeover);
        has_takeover && self.outbox.overflow() != Overflow::DropOldest
    }

    fn encode(&mut self, message: &Outgoing) -> Bytes {
        let Some(agreement) = self.deflate else { return message.plain().clone() };
        let payload = message.message().payload();
        if !message.may_compress() || payload.len() < agreement.threshold {
            return message.plain().clone();
        }
        if !self.has_context() {
            return message.frame(Some(agreement)).clone();
        }
        self.compressor
            .get_or_insert_with(|| Box::new(Compressor::new(agreement.server_bits, agreement.level)))
            .compress(payload, |compressed| header::frame(message.opcode(), true, compressed))
            .unwrap_or_else(|_| message.plain().clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::client_frame::{CLOSE, ClientInflate, FIN, PING, PONG, RSV1, TEXT, server_frame};
    use super::super::{OutboxOptions, WebSocket};
    use super::*;
    use crate::CloseCode;

    const AGREEMENT: Agreement = Agreement {
        server_takeover: false,
        client_takeover: false,
        server_bits: 15,
        client_bits: 15,
        threshold: 0,
        level: 6,
    };

    fn writer(deflate: Option<Agreement>) -> Writer {
        WebSocket::new(&SocketOptions { deflate, ..SocketOptions::default() }).writer
    }

    /// All frames that wait: first byte and payload.
    fn frames(writer: &mut Writer) -> Vec<(u8, Vec<u8>)> {
        let bytes: Vec<u8> = writer.outbox_ref().chunks().flatten().copied().collect();
        writer.outbox().advance(bytes.len());
        let mut rest = &bytes[..];
        std::iter::from_fn(|| server_frame(&mut rest).map(|(first, payload)| (first, payload.to_vec())))
            .collect()
    }

    fn outgoing(text: &str) -> Outgoing {
        Outgoing::new(text.into())
    }

    #[test]
    fn the_compressed_examples_of_the_rfc() {
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        let again = [0xf2, 0x00, 0x11, 0x00, 0x00];
        let mut writer = writer(Some(Agreement { server_takeover: true, ..AGREEMENT }));
        for text in ["Hello", "Hello", ""] {
            assert_eq!(writer.send(&outgoing(text)), Pushed::Queued);
        }
        let first = FIN | RSV1 | TEXT;
        assert_eq!(frames(&mut writer), [(first, hello.to_vec()), (first, again.to_vec()), (first, vec![0])]);
    }

    #[test]
    fn without_context_only_what_shrinks_is_compressed() {
        let mut writer = writer(Some(AGREEMENT));
        let long = "long ".repeat(100);
        for text in ["", "Hello", &long, &long] {
            writer.send(&outgoing(text));
        }
        writer.send(&outgoing(&long).with_compress(false));
        let frames = frames(&mut writer);
        let firsts: Vec<_> = frames.iter().map(|frame| frame.0).collect();
        let (plain, compressed) = (FIN | TEXT, FIN | RSV1 | TEXT);
        assert_eq!(firsts, [plain, plain, compressed, compressed, plain]);
        assert_eq!(frames[2], frames[3]);
        assert_eq!(ClientInflate::new(15, false).inflate(&frames[3].1), long.as_bytes());
    }

    #[test]
    fn short_messages_stay_plain_with_context_too() {
        let mut writer = writer(Some(Agreement { server_takeover: true, threshold: 6, ..AGREEMENT }));
        writer.send(&outgoing("aaaaa"));
        writer.send(&outgoing("aaaaaa"));
        let firsts: Vec<_> = frames(&mut writer).iter().map(|frame| frame.0).collect();
        assert_eq!(firsts, [FIN | TEXT, FIN | RSV1 | TEXT]);
    }

    #[test]
    fn what_is_dropped_is_never_referred_to() {
        let outbox = OutboxOptions { max_bytes: 200, overflow: Overflow::DropOldest };
        let deflate = Some(Agreement { server_takeover: true, ..AGREEMENT });
        let mut writer =
            WebSocket::new(&SocketOptions { deflate, outbox, ..SocketOptions::default() }).writer;
        let texts: Vec<String> = (0..50).map(|i| format!("message {i} ").repeat(20)).collect();
        for text in &texts {
            writer.send(&outgoing(text));
        }
        let mut inflate = ClientInflate::new(15, true);
        let kept = frames(&mut writer);
        assert!(kept.len() < texts.len());
        for ((first, payload), text) in kept.iter().zip(&texts[texts.len() - kept.len()..]) {
            assert_eq!(*first, FIN | RSV1 | TEXT);
            assert_eq!(inflate.inflate(payload), text.as_bytes());
        }
    }

    #[test]
    fn receivers_share_a_frame() {
        let message = Outgoing::new(Message::from("a".repeat(5000)));
        let (mut first, mut second) = (writer(Some(AGREEMENT)), writer(Some(AGREEMENT)));
        first.send(&message);
        second.send(&message);
        let frame = |writer: &mut Writer| writer.outbox().pop().map(|frame| frame.as_ptr());
        assert_eq!(frame(&mut first), frame(&mut second));
    }

    #[test]
    fn nothing_follows_the_close_frame() {
        let mut writer = writer(None);
        writer.ping(b"1");
        writer.close(Some(&CloseFrame::new(CloseCode::NORMAL, "bye")));
        assert!(writer.is_closed());
        writer.close(Some(&CloseFrame::new(CloseCode::GOING_AWAY, "")));
        writer.ping(b"2");
        writer.pong(b"3");
        assert_eq!(writer.send(&outgoing("late")), Pushed::Dropped(1));
        assert_eq!(
            frames(&mut writer),
            [(FIN | PING, b"1".to_vec()), (FIN | CLOSE, b"\x03\xe8bye".to_vec())]
        );
    }

    #[test]
    fn broken_frames_keep_their_place_and_the_bound() {
        let mut writer = writer(None);
        writer.send(&outgoing("a"));
        assert_eq!(writer.send_damaged(&"b".into(), Damage::Opcode), Pushed::Queued);
        writer.send(&outgoing("c"));
        let firsts: Vec<_> = frames(&mut writer).into_iter().collect();
        let text = |text: &str| (FIN | TEXT, text.as_bytes().to_vec());
        assert_eq!(firsts, [text("a"), (FIN | 3, b"b".to_vec()), text("c")]);
        let outbox = OutboxOptions { max_bytes: 1, overflow: Overflow::Close };
        let mut full = WebSocket::new(&SocketOptions { outbox, ..SocketOptions::default() }).writer;
        full.send(&outgoing("a"));
        assert_eq!(full.send_damaged(&"b".into(), Damage::Opcode), Pushed::Full);
        full.close(None);
        assert_eq!(full.send_damaged(&"c".into(), Damage::Opcode), Pushed::Dropped(1));
    }

    #[test]
    fn control_payloads_are_cut() {
        let mut writer = writer(None);
        writer.pong(&[7; 200]);
        assert_eq!(frames(&mut writer), [(FIN | PONG, vec![7; 125])]);
    }

    /// One that told it with the next message would lose that one, where the first is larger than twice the bound.
    #[test]
    fn whoever_waits_is_told_with_the_message_that_reaches_the_bound() {
        let outbox = OutboxOptions { max_bytes: 100, overflow: Overflow::Pause };
        let options = SocketOptions { outbox, ..SocketOptions::default() };
        let (small, large) = (Message::from("a"), Message::from("b".repeat(30_000)));
        let exact = Message::from("c".repeat(98));
        for (message, pushed) in [(small, Pushed::Queued), (large, Pushed::Full), (exact, Pushed::Full)] {
            let [mut single, mut together, mut shared, mut written] =
                [(); 4].map(|()| WebSocket::new(&options).writer);
            assert_eq!(single.send(&Outgoing::new(message.clone())), pushed);
            assert_eq!(together.send_burst(&mut Burst::new(message.clone(), 1), |_| {}), pushed);
            assert_eq!(shared.send_burst(&mut Burst::new(message.clone(), 2), |_| {}), pushed);
            // The socket takes all of it.
            let empty = |outbox: &mut Outbox| while outbox.pop().is_some() {};
            assert_eq!(written.send_burst(&mut Burst::new(message, 1), empty), Pushed::Queued);
        }
    }
}
