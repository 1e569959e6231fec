//! Messages that go to the same receivers, one right after another.

use std::cell::OnceCell;

use bytes::Bytes;

use super::deflate::Agreement;
use super::header;
use super::outgoing::{self, Outgoing};
use crate::Message;

/// What one turn sends to the same receivers, in order.
///
/// Many messages in a row are encoded as one piece of bytes for all receivers that negotiated alike, so that each
/// queues and writes one thing instead of many. A receiver for whom that will not do gets them one by one; nobody
/// can tell the difference but by the cost.
#[derive(Debug)]
pub struct Burst {
    first: Message,
    /// Most bursts are one message long.
    more: Vec<Message>,
    bytes: usize,
    payload_bytes: usize,
    /// Whether what is encoded is needed again.
    is_shared: bool,
    plain: Option<Bytes>,
    deflated: Vec<(Agreement, Bytes)>,
    /// The same messages one by one, for whom that is needed.
    outgoing: OnceCell<Vec<Outgoing>>,
}

impl Burst {
    /// A burst of this many bytes takes no further message, to keep memory and caches small: 64 KiB.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// The first message, for this many receivers.
    pub fn new(message: Message, receivers: usize) -> Self {
        Self {
            bytes: header::encoded_length(message.len()) + message.len(),
            payload_bytes: message.len(),
            first: message,
            more: Vec::new(),
            is_shared: receivers > 1,
            plain: None,
            deflated: Vec::new(),
            outgoing: OnceCell::new(),
        }
    }

    /// Whether it may grow.
    pub fn has_room(&self) -> bool {
        self.bytes < Self::MAX_BYTES
    }

    /// Adds a message for the same receivers.
    pub fn push(&mut self, message: Message) {
        self.bytes += header::encoded_length(message.len()) + message.len();
        self.payload_bytes += message.len();
        self.more.push(message);
    }

    /// Whether it is one message for one receiver.
    pub(super) fn is_single(&self) -> bool {
        self.more.is_empty() && !self.is_shared
    }

    /// How many messages it is.
    pub(super) fn count(&self) -> usize {
        1 + self.more.len()
    }

    /// How many bytes their payloads are.
    pub(super) fn payload_bytes(&self) -> usize {
        self.payload_bytes
    }

    /// How many bytes it is on the wire: not more than that.
    pub(super) fn max_bytes(&self) -> usize {
        self.bytes
    }

    /// The messages one by one, in order.
    pub(super) fn outgoing(&self) -> &[Outgoing] {
        self.outgoing.get_or_init(|| self.messages().cloned().map(Outgoing::new).collect())
    }

    /// All frames in one piece. With an agreement that has server context takeover this must not be asked for.
    pub(super) fn encoded(&mut self, agreement: Option<Agreement>) -> Bytes {
        match agreement {
            None => self.encoded_plain(),
            Some(agreement) => self.encoded_deflated(agreement),
        }
    }

    fn encoded_plain(&mut self) -> Bytes {
        if let Some(bytes) = &self.plain {
            return bytes.clone();
        }
        let mut bytes = Vec::with_capacity(self.bytes);
        self.messages().for_each(|message| outgoing::encode_plain(message, &mut bytes));
        let bytes = Bytes::from(bytes);
        if self.is_shared {
            self.plain = Some(bytes.clone());
        }
        bytes
    }

    fn encoded_deflated(&mut self, agreement: Agreement) -> Bytes {
        if let Some((_, bytes)) = self.deflated.iter().find(|(known, _)| *known == agreement) {
            return bytes.clone();
        }
        let bytes = match self.outgoing() {
            [message] => message.frame(Some(agreement)).clone(),
            messages => {
                let frames: Vec<&[u8]> =
                    messages.iter().map(|message| &message.frame(Some(agreement))[..]).collect();
                frames.concat().into()
            }
        };
        if self.is_shared {
            self.deflated.push((agreement, bytes.clone()));
        }
        bytes
    }

    fn messages(&self) -> impl Iterator<Item = &Message> {
        std::iter::once(&self.first).chain(&self.more)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{OutboxOptions, Overflow, Pushed, SocketOptions, WebSocket, Writer};
    use super::*;

    const AGREEMENT: Agreement = Agreement {
        server_takeover: false,
        client_takeover: false,
        server_bits: 15,
        client_bits: 15,
        threshold: 100,
        level: 6,
    };

    fn writer(deflate: Option<Agreement>, max_bytes: usize, overflow: Overflow) -> Writer {
        let outbox = OutboxOptions { max_bytes, overflow };
        WebSocket::new(&SocketOptions { deflate, outbox, ..SocketOptions::default() }).writer
    }

    fn messages() -> Vec<Message> {
        let texts = ["", "a", &"b".repeat(125), &"c".repeat(126), &"d ".repeat(2_000), "e"];
        texts.iter().map(|text| Message::from(*text)).chain([Message::Binary(vec![7; 300].into())]).collect()
    }

    fn burst(messages: &[Message], receivers: usize) -> Burst {
        let mut messages = messages.iter().cloned();
        let mut burst = Burst::new(messages.next().unwrap_or_else(|| "".into()), receivers);
        messages.for_each(|message| burst.push(message));
        burst
    }

    fn wire(writer: &Writer) -> Vec<u8> {
        writer.outbox_ref().chunks().flatten().copied().collect()
    }

    #[test]
    fn the_wire_is_the_same_as_one_by_one() {
        let takeover = Agreement { server_takeover: true, ..AGREEMENT };
        for deflate in [None, Some(AGREEMENT), Some(takeover)] {
            for overflow in [Overflow::Close, Overflow::DropOldest, Overflow::Pause] {
                for max_bytes in [0, 100, 5_000, 1 << 20] {
                    for receivers in [1, 2] {
                        let [mut together, mut single] =
                            [(); 2].map(|()| writer(deflate, max_bytes, overflow));
                        let pushed = together.send_burst(&mut burst(&messages(), receivers), |_| {});
                        let singly =
                            messages().into_iter().map(|message| single.send(&Outgoing::new(message)));
                        let singly = singly.reduce(Pushed::and);
                        let case = format!("{deflate:?} {overflow:?} {max_bytes} {receivers}");
                        assert_eq!(wire(&together), wire(&single), "{case}");
                        assert_eq!(Some(pushed), singly, "{case}");
                    }
                }
            }
        }
    }

    #[test]
    fn receivers_that_agreed_alike_share_one_piece() {
        let mut burst = burst(&messages(), 3);
        let [mut first, mut second, mut other] =
            [None, None, Some(AGREEMENT)].map(|deflate| writer(deflate, 1 << 20, Overflow::Close));
        for writer in [&mut first, &mut second, &mut other] {
            assert_eq!(writer.send_burst(&mut burst, |_| {}), Pushed::Queued);
            assert_eq!(writer.outbox_ref().queued_pieces(), 1);
        }
        let piece = |writer: &mut Writer| writer.outbox().pop().map(|bytes| bytes.as_ptr());
        assert_eq!(piece(&mut first), piece(&mut second));
        assert_ne!(wire(&first), wire(&other));
    }

    #[test]
    fn what_the_socket_takes_does_not_count() {
        for overflow in [Overflow::Close, Overflow::DropOldest, Overflow::Pause] {
            let mut writer = writer(None, 100, overflow);
            let mut written = Vec::new();
            let pushed = writer.send_burst(&mut burst(&messages(), 1), |outbox| {
                written.extend(std::iter::from_fn(|| outbox.pop()).flatten());
            });
            assert_eq!(pushed, Pushed::Queued, "{overflow:?}");
            written.extend(wire(&writer));
            let mut all = self::writer(None, 1 << 20, overflow);
            for message in messages() {
                assert_eq!(all.send(&Outgoing::new(message)), Pushed::Queued);
            }
            assert_eq!(written, wire(&all), "{overflow:?}");
        }
    }

    #[test]
    fn nothing_follows_a_close_frame() {
        let mut writer = writer(None, 1 << 20, Overflow::Close);
        writer.close(None);
        let before = wire(&writer);
        let pushed = writer.send_burst(&mut burst(&messages(), 1), |_| {});
        assert_eq!(pushed, Pushed::Dropped(messages().len()));
        assert_eq!(wire(&writer), before);
    }

    #[test]
    fn a_large_burst_takes_no_more() {
        let mut burst = Burst::new(Message::Binary(vec![0; Burst::MAX_BYTES - 5].into()), 2);
        assert!(burst.has_room());
        burst.push("x".into());
        assert!(!burst.has_room());
    }
}
