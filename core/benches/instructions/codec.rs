//! Bytes to messages and back: frames, masks, fragments, compression.

use std::hint::black_box;

use serde_json::json;
use switchboard_core::Message;
use switchboard_core::protocol::{Agreement, Outgoing, SocketOptions, WebSocket, Writer};

use super::client_frame::{BINARY, ClientDeflate, FIN, PING, RSV1, TEXT, client_frame, client_message};
use super::{Operation, Scenario};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("codec.decode_text_16", || decode(client_frame(FIN | TEXT, &text(16)), 1)),
    ("codec.decode_text_4096", || decode(client_frame(FIN | TEXT, &text(4096)), 1)),
    ("codec.decode_binary_65536", || decode(client_frame(FIN | BINARY, &text(65_536)), 1)),
    ("codec.decode_burst_of_16", || decode(client_frame(FIN | TEXT, &text(128)).repeat(16), 16)),
    ("codec.decode_16_fragments", || {
        let piece = text(64);
        decode(client_message(FIN | TEXT, &[&piece[..]; 16]), 1)
    }),
    ("codec.decode_ping", || decode(client_frame(FIN | PING, b"are you there"), 1)),
    ("codec.decode_deflated_4096", || {
        let payload = ClientDeflate::new(15, false).compress(object(4096).payload());
        decode(client_frame(FIN | RSV1 | TEXT, &payload), 1)
    }),
    ("codec.decode_in_small_reads", decode_in_small_reads),
    ("codec.encode_text_16", || send(Message::from(&json!("0123456789abcd")), None, 1)),
    ("codec.encode_text_4096", || send(object(4096), None, 1)),
    ("codec.encode_once_for_100", || send(object(128), None, 100)),
    ("codec.deflate_4096", || send(object(4096), Some(AGREEMENT), 1)),
    ("codec.deflate_once_for_100", || send(object(4096), Some(AGREEMENT), 100)),
];

/// What is agreed upon by default, but compressing from the first byte on.
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

fn text(length: usize) -> Vec<u8> {
    b"What somebody typed and sent on. ".iter().copied().cycle().take(length).collect()
}

/// A JSON text of about this length that compresses as such texts do.
fn object(length: usize) -> Message {
    let item = |index: u64| json!({ "id": index * 7919 % 10_007, "name": format!("ship {index}"), "isLost": index.is_multiple_of(3) });
    let items = length / item(100).to_string().len();
    Message::from((0..items.max(1) as u64).map(item).collect::<serde_json::Value>())
}

/// One read from the socket, copied each time because unmasking scrambles it.
fn decode(wire: Vec<u8>, messages: usize) -> Operation {
    let mut reader = WebSocket::new(&options(Some(AGREEMENT))).reader;
    let (mut input, mut events) = (wire.clone(), Vec::new());
    Box::new(move || {
        input.copy_from_slice(&wire);
        events.clear();
        reader.receive(&mut input, &mut events);
        assert_eq!(events.len(), messages);
        assert!(reader.is_idle());
    })
}

/// A frame that comes seven bytes at a time.
fn decode_in_small_reads() -> Operation {
    let wire = client_frame(FIN | TEXT, &text(256));
    let mut reader = WebSocket::new(&options(None)).reader;
    let (mut input, mut events) = (wire.clone(), Vec::new());
    Box::new(move || {
        input.copy_from_slice(&wire);
        events.clear();
        for piece in input.chunks_mut(7) {
            reader.receive(piece, &mut events);
        }
        assert_eq!(events.len(), 1);
    })
}

/// One message to so many sockets, and all of it written.
fn send(message: Message, deflate: Option<Agreement>, receivers: usize) -> Operation {
    let options = options(deflate);
    let mut writers: Vec<Writer> = (0..receivers).map(|_| WebSocket::new(&options).writer).collect();
    Box::new(move || {
        let outgoing = Outgoing::new(message.clone());
        for writer in &mut writers {
            writer.send(&outgoing);
        }
        for writer in &mut writers {
            let outbox = writer.outbox();
            black_box(outbox.chunks().next());
            outbox.advance(outbox.queued_bytes());
            assert!(outbox.is_empty());
        }
    })
}
