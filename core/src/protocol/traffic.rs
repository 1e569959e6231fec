//! What has passed on a connection.

use std::ops::AddAssign;

/// What has passed in one direction of a connection since it opened.
///
/// Each half of the codec counts its own ([`Reader::take_traffic`](super::Reader::take_traffic),
/// [`Writer::traffic`](super::Writer::traffic)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Whole messages.
    pub messages: u64,
    /// Their payloads in bytes, as they are without compression.
    pub bytes: u64,
    /// All frames in bytes, as they are on the wire: with headers, compressed, and with control frames.
    pub wire_bytes: u64,
}

impl Traffic {
    /// Counts messages whose payloads have so many bytes together.
    #[inline]
    pub(super) fn count(&mut self, messages: usize, bytes: usize) {
        self.messages += messages as u64;
        self.bytes += bytes as u64;
    }
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.bytes += other.bytes;
        self.wire_bytes += other.wire_bytes;
    }
}

/// What has come since it was asked for: a reader is kept for each idle connection, so this is small.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Recent {
    messages: u32,
    wire_bytes: u32,
    bytes: u64,
}

impl Recent {
    /// Counts a message whose payload has so many bytes.
    #[inline]
    pub(super) fn message(&mut self, bytes: usize) {
        self.messages = self.messages.saturating_add(1);
        self.bytes += bytes as u64;
    }

    /// Counts bytes of frames.
    #[inline]
    pub(super) fn wire(&mut self, bytes: usize) {
        self.wire_bytes = self.wire_bytes.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
    }

    /// Begins anew.
    pub(super) fn take(&mut self) -> Traffic {
        let Self { messages, wire_bytes, bytes } = std::mem::take(self);
        Traffic { messages: messages.into(), bytes, wire_bytes: wire_bytes.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::client_frame::{
        BINARY, CLOSE, CONTINUATION, ClientDeflate, FIN, PING, RSV1, TEXT, client_frame,
    };
    use super::super::{
        Agreement, Burst, Damage, Outbox, OutboxOptions, Outgoing, Overflow, SocketOptions, WebSocket, Writer,
    };
    use super::*;
    use crate::Message;

    const AGREEMENT: Agreement = Agreement {
        server_takeover: false,
        client_takeover: false,
        server_bits: 15,
        client_bits: 15,
        threshold: 0,
        level: 6,
    };

    fn options(deflate: Option<Agreement>) -> SocketOptions {
        SocketOptions { deflate, ..SocketOptions::default() }
    }

    fn written(writer: &mut Writer) -> usize {
        let bytes: usize = writer.outbox_ref().chunks().map(<[u8]>::len).sum();
        writer.outbox().advance(bytes);
        bytes
    }

    #[test]
    fn what_comes_is_counted_however_it_is_split() {
        let compressed = ClientDeflate::new(15, false).compress(&[b'a'; 1_000]);
        let stream = [
            client_frame(FIN | TEXT, b"hello"),
            client_frame(BINARY, &[0; 300]),
            client_frame(FIN | PING, b"?"),
            client_frame(FIN | CONTINUATION, &[0; 200]),
            client_frame(FIN | RSV1 | TEXT, &compressed),
            client_frame(FIN | CLOSE, b""),
        ]
        .concat();
        for size in [1, 7, 64, stream.len()] {
            let mut reader = WebSocket::new(&options(Some(AGREEMENT))).reader;
            let mut traffic = Traffic::default();
            for piece in stream.chunks(size) {
                reader.receive(&mut piece.to_vec(), &mut Vec::new());
                traffic += reader.take_traffic();
            }
            let expected = Traffic { messages: 3, bytes: 5 + 500 + 1_000, wire_bytes: stream.len() as u64 };
            assert_eq!(traffic, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn what_is_sent_is_counted_alone_and_together() {
        let message = Message::from("hello ".repeat(100));
        for deflate in [None, Some(AGREEMENT), Some(Agreement { server_takeover: true, ..AGREEMENT })] {
            let mut writer = WebSocket::new(&options(deflate)).writer;
            writer.send(&Outgoing::new(message.clone()));
            let mut burst = Burst::new(message.clone(), 2);
            burst.push("x".into());
            writer.send_burst(&mut burst, |_| {});
            writer.send_damaged(&"y".into(), Damage::Opcode);
            writer.ping(b"?");
            assert_eq!(writer.traffic().wire_bytes, 0, "nothing was written yet");
            let wire_bytes = written(&mut writer) as u64;
            assert_eq!(wire_bytes < 1_000, deflate.is_some());
            assert_eq!(writer.traffic(), Traffic { messages: 4, bytes: 1_202, wire_bytes });
            writer.close(None);
            writer.send(&Outgoing::new("late".into()));
            assert_eq!(writer.traffic().messages, 4);
        }
    }

    #[test]
    fn what_is_dropped_or_replaced_never_was_on_the_wire() {
        let outbox = OutboxOptions { max_bytes: 10, overflow: Overflow::DropOldest };
        let mut writer = WebSocket::new(&SocketOptions { outbox, ..SocketOptions::default() }).writer;
        for _ in 0..5 {
            writer.send(&Outgoing::new(Message::from("twelve bytes")));
        }
        writer.outbox().set_blocked(true);
        writer.pong(b"long payload");
        writer.pong(b"x");
        assert_eq!((writer.outbox().take_dropped(), writer.outbox_ref().dropped_messages()), (4, 4));
        let wire_bytes = written(&mut writer) as u64;
        assert_eq!(writer.traffic(), Traffic { messages: 5, bytes: 60, wire_bytes });
        assert_eq!(wire_bytes, 14 + 3);
        writer.send(&Outgoing::new("abc".into()));
        let pop = |outbox: &mut Outbox| outbox.pop().map(|frame| frame.len());
        assert_eq!(pop(writer.outbox()), Some(5));
        assert_eq!(writer.traffic().wire_bytes, wire_bytes + 5);
    }
}
