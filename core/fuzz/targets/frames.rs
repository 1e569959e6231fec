//! The frame stream: however the bytes are split, the events are the same, memory is bounded, and what the server
//! sends back for each message arrives at a client.
//!
//! Input: one byte of options (see `stream::options`), one byte for the length of pieces, then the stream.
#![no_main]

use libfuzzer_sys::fuzz_target;
use switchboard_core::protocol::{Event, Outgoing, Pushed, SocketOptions, WebSocket};
use switchboard_fuzz::client_frame::{
    BINARY, CLOSE, ClientInflate, FIN, PING, PONG, RSV1, TEXT, server_frame,
};
use switchboard_fuzz::stream::{options, receive};

fuzz_target!(|data: &[u8]| {
    let [first, piece, bytes @ ..] = data else { return };
    let options = options(*first);
    let whole = receive(&options, bytes, bytes.len());
    assert_eq!(receive(&options, bytes, 1), whole, "byte by byte");
    assert_eq!(receive(&options, bytes, usize::from(*piece)), whole, "in pieces of {piece}");
    answer(&options, whole);
});

/// Echoes every message, answers pings and closes, and reads the answers as a client does.
fn answer(options: &SocketOptions, events: Vec<Event>) {
    let mut writer = WebSocket::new(options).writer;
    let mut inflate =
        options.deflate.map(|agreement| ClientInflate::new(agreement.server_bits, agreement.server_takeover));
    for event in events {
        let (opcode, payload) = match event {
            Event::Message(message) => {
                let (opcode, payload) =
                    (if message.as_text().is_some() { TEXT } else { BINARY }, message.payload().clone());
                assert_eq!(writer.send(&Outgoing::new(message)), Pushed::Queued);
                (opcode, payload)
            }
            Event::Ping(payload) => {
                writer.pong(&payload);
                (PONG, payload)
            }
            Event::Pong(payload) => {
                writer.ping(&payload);
                (PING, payload)
            }
            Event::Close(frame) => {
                writer.close(frame.as_ref());
                let payload = frame
                    .map(|frame| [&frame.code.0.to_be_bytes(), frame.reason.as_bytes().as_ref()].concat());
                (CLOSE, payload.unwrap_or_default().into())
            }
            Event::Violation(violation) => {
                writer.close(Some(&violation.into()));
                let payload = [&violation.code.0.to_be_bytes(), violation.reason.as_bytes()].concat();
                (CLOSE, payload.into())
            }
        };
        let frame = writer.outbox().pop().expect("a frame was queued");
        let mut rest = &frame[..];
        let (first, sent) = server_frame(&mut rest).expect("a whole frame");
        assert!(rest.is_empty(), "one frame and nothing behind it");
        assert_eq!(first & !RSV1, FIN | opcode);
        match inflate.as_mut().filter(|_| first & RSV1 != 0) {
            Some(inflate) => assert_eq!(inflate.inflate(sent), payload),
            None => assert_eq!((first & RSV1, sent), (0, &payload[..])),
        }
    }
    assert!(writer.outbox_ref().is_empty());
}
