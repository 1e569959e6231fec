//! The frame stream without extensions, against tungstenite: both hear the same messages, pings and pongs, and both
//! fail or neither does.
//!
//! Input: one byte for the length of our pieces, then the stream. What is allowed to differ, and why:
//!
//! - We fail as soon as a violation can be seen, tungstenite when the frame is complete: it may still be waiting.
//! - RFC 6455 section 5.2 demands the shortest length; tungstenite takes any.
//! - A close code that must not be sent: we fail with 1002, tungstenite reports a close with 1002 in its place; it also
//!   does so with 1014, which was registered later than its list.
#![no_main]

use std::io::{self, ErrorKind, Read, Write};

use libfuzzer_sys::fuzz_target;
use switchboard_core::protocol::{Event, SocketOptions};
use switchboard_core::{CloseCode, CloseFrame};
use switchboard_fuzz::stream::receive;
use tungstenite::protocol::{Role, WebSocket, WebSocketConfig};
use tungstenite::{Error, Message};

const MAX_MESSAGE: usize = 70_000;

fuzz_target!(|data: &[u8]| {
    let [piece, bytes @ ..] = data else { return };
    let options = SocketOptions { max_fragments: u32::MAX, ..SocketOptions::with_max_message(MAX_MESSAGE) };
    let (ours, our_end) = split(receive(&options, bytes, usize::from(*piece)));
    let (theirs, their_end) = tungstenite(bytes);
    let common = ours.len().min(theirs.len());
    assert_eq!(ours[..common], theirs[..common]);
    match (&our_end, &their_end) {
        (Some(Event::Close(ours)), Some(Event::Close(theirs))) if ours != theirs => {
            assert_eq!(ours.as_ref().map(|frame| frame.code), Some(CloseCode(1014)));
        }
        (Some(Event::Violation(ours)), Some(Event::Close(theirs))) if ours.reason.contains("close code") => {
            assert_eq!(theirs.as_ref().map(|frame| frame.code), Some(CloseCode::PROTOCOL_ERROR));
        }
        // A control frame of 126 bytes or more is too long, whatever its length was worth.
        (Some(Event::Violation(violation)), _)
            if violation.reason.contains("minimal") || violation.reason.contains("too long") =>
        {
            return;
        }
        (Some(Event::Violation(_)), None | Some(Event::Violation(_))) => {}
        (ours, theirs) => assert_eq!(ours, theirs),
    }
    assert_eq!(ours.len(), theirs.len());
});

/// What came, and what ended it.
fn split(mut events: Vec<Event>) -> (Vec<Event>, Option<Event>) {
    let end = events.pop_if(|event| matches!(event, Event::Close(_) | Event::Violation(_)));
    (events, end)
}

/// The same from tungstenite, whose errors all become one violation.
fn tungstenite(bytes: &[u8]) -> (Vec<Event>, Option<Event>) {
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let mut socket = WebSocket::from_raw_socket(Stream(bytes), Role::Server, Some(config));
    let mut events = Vec::new();
    loop {
        events.push(match socket.read() {
            Ok(Message::Text(text)) => Event::Message(text.as_str().into()),
            Ok(Message::Binary(payload)) => Event::Message(payload.into()),
            Ok(Message::Ping(payload)) => Event::Ping(payload),
            Ok(Message::Pong(payload)) => Event::Pong(payload),
            Ok(Message::Close(frame)) => {
                let frame =
                    frame.map(|frame| CloseFrame::new(CloseCode(frame.code.into()), frame.reason.as_str()));
                return (events, Some(Event::Close(frame)));
            }
            Ok(Message::Frame(frame)) => unreachable!("{frame}"),
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => return (events, None),
            Err(_) => {
                let violation =
                    switchboard_core::protocol::Violation::new(CloseCode::PROTOCOL_ERROR, "");
                return (events, Some(Event::Violation(violation)));
            }
        });
    }
}

/// Gives these bytes and then nothing yet; takes anything.
struct Stream<'a>(&'a [u8]);

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.0.read(buffer)
    }
}

impl Write for Stream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
