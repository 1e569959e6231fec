//! A client's byte stream as the server's reader sees it.

use switchboard_core::Message;
use switchboard_core::protocol::{Agreement, Event, SocketOptions, WebSocket};

/// The options that one byte stands for.
///
/// | Bits | |
/// |---|---|
/// | 0 | permessage-deflate was negotiated |
/// | 1, 2 | context takeover of the client, of the server |
/// | 3–5 | window bits of both, 8 to 15 |
/// | 6 | messages of at most 300 bytes instead of 70,000 |
/// | 7 | at most four fragments |
pub fn options(byte: u8) -> SocketOptions {
    let bits = 8 + (byte >> 3 & 7);
    let agreement = Agreement {
        client_takeover: byte & 2 != 0,
        server_takeover: byte & 4 != 0,
        server_bits: bits.max(9),
        client_bits: bits,
        threshold: 0,
        level: 6,
    };
    let mut options = SocketOptions::with_max_message(if byte & 64 != 0 { 300 } else { 70_000 });
    options.deflate = (byte & 1 != 0).then_some(agreement);
    if byte & 128 != 0 {
        options.max_fragments = 4;
    }
    options
}

/// The events of these bytes, received in pieces of this length. Checks what holds after every piece.
pub fn receive(options: &SocketOptions, bytes: &[u8], piece: usize) -> Vec<Event> {
    let mut reader = WebSocket::new(options).reader;
    let mut events = Vec::new();
    let mut bytes = bytes.to_vec();
    for piece in bytes.chunks_mut(piece.max(1)) {
        reader.receive(piece, &mut events);
        while reader.has_undecoded() {
            reader.resume(&mut events);
        }
        // Compressed payload may be a little longer than the message; a header and a control frame come on top.
        assert!(reader.buffered() <= options.max_message + options.max_message / 64 + 1024 + 256);
        assert!(!reader.is_idle() || reader.buffered() == 0, "idle connections hold nothing");
    }
    check(options, &events, reader.is_finished());
    events
}

fn check(options: &SocketOptions, events: &[Event], is_finished: bool) {
    let last = events.len().saturating_sub(1);
    for (index, event) in events.iter().enumerate() {
        let ends = matches!(event, Event::Close(_) | Event::Violation(_));
        assert!(!ends || (index == last && is_finished), "{event:?} is not the last event");
        match event {
            Event::Message(message) => {
                assert!(message.len() <= options.max_message, "a message over the limit");
                if let Message::Text(text) = message {
                    assert_eq!(std::str::from_utf8(text.as_bytes()), Ok(text.as_str()));
                }
            }
            Event::Ping(payload) | Event::Pong(payload) => assert!(payload.len() <= 125),
            Event::Close(Some(frame)) => assert!(frame.code.is_sendable(), "{frame:?}"),
            Event::Close(None) => {}
            Event::Violation(violation) => {
                assert!(matches!(violation.code.0, 1002 | 1007 | 1008 | 1009), "{violation}");
            }
        }
    }
}
