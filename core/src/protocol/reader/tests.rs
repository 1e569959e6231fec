//! Bytes to events, however they are split.

use super::*;
use crate::CloseCode;
use crate::message::{CloseFrame, Message};
use crate::protocol::client_frame::*;
use crate::protocol::{Agreement, OutboxOptions, WebSocket};

fn receive(options: &SocketOptions, bytes: &[u8], piece: usize) -> Vec<Event> {
    let mut reader = WebSocket::new(options).reader;
    let mut events = Vec::new();
    let mut bytes = bytes.to_vec();
    for piece in bytes.chunks_mut(piece.max(1)) {
        reader.receive(piece, &mut events);
        while reader.has_undecoded() {
            reader.resume(&mut events);
        }
    }
    events
}

fn text(text: &str) -> Event {
    Event::Message(text.into())
}

fn binary(payload: &[u8]) -> Event {
    Event::Message(Message::Binary(Bytes::copy_from_slice(payload)))
}

fn ping(payload: &'static str) -> Event {
    Event::Ping(payload.into())
}

#[test]
fn what_is_held_is_told_in_steps() {
    let mut reader = WebSocket::new(&SocketOptions::default()).reader;
    let mut bytes = client_frame(FIN | BINARY, &[7; 50_000]);
    let mut events = Vec::new();
    let mut tell = |piece: &mut [u8]| {
        reader.receive(piece, &mut events);
        (reader.take_buffered(), reader.take_buffered())
    };
    let (first, rest) = bytes.split_at_mut(10_000);
    assert_eq!(tell(first), (None, None), "too little to be told");
    let (second, last) = rest.split_at_mut(30_000);
    assert_eq!(tell(second), (Some(40_000 - 8), None));
    assert_eq!(tell(last), (Some(0), None));
    assert_eq!(events.len(), 1);
}

#[test]
fn the_examples_of_the_rfc_however_split() {
    let masked_hello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    let masked_pong = [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    let mut bytes = [masked_hello, masked_pong].concat();
    bytes.extend(client_message(TEXT, &[b"Hel", b"lo"]));
    bytes.extend(client_frame(FIN | PING, b"Hello"));
    bytes.extend(client_frame(FIN | BINARY, &[7; 256]));
    bytes.extend(client_frame(FIN | BINARY, &[7; 65_536]));
    let expected = [
        text("Hello"),
        Event::Pong("Hello".into()),
        text("Hello"),
        ping("Hello"),
        binary(&[7; 256]),
        binary(&[7; 65_536]),
    ];
    for piece in [1, 2, 3, 5, 7, 11, 13, 1000, 1 << 20] {
        assert_eq!(receive(&SocketOptions::default(), &bytes, piece), expected, "pieces of {piece}");
    }
}

#[test]
fn every_split_in_two_gives_the_same_events() {
    let mut bytes = client_message(TEXT, &["a é".as_bytes(), "€".as_bytes(), b"", "😀".as_bytes()]);
    bytes.extend(client_frame(FIN | PING, b"in between"));
    bytes.extend(client_frame(BINARY, &[1; 130]));
    bytes.extend(client_frame(FIN | PONG, b""));
    bytes.extend(client_frame(FIN | CONTINUATION, b"end"));
    bytes.extend(client_frame(FIN | TEXT, b""));
    bytes.extend(client_frame(FIN | CLOSE, b"\x03\xe8bye"));
    let whole = receive(&SocketOptions::default(), &bytes, bytes.len());
    assert_eq!(whole.len(), 6);
    assert_eq!(whole[5], Event::Close(Some(CloseFrame::new(CloseCode::NORMAL, "bye"))));
    for cut in 0..=bytes.len() {
        let mut reader = WebSocket::new(&SocketOptions::default()).reader;
        let mut events = Vec::new();
        let (head, tail) = (&mut bytes[..cut].to_vec(), &mut bytes[cut..].to_vec());
        reader.receive(head, &mut events);
        reader.receive(tail, &mut events);
        assert_eq!(events, whole, "cut at {cut}");
    }
}

#[test]
fn control_frames_stand_between_fragments() {
    let mut bytes = client_frame(TEXT, b"Hel");
    bytes.extend(client_frame(FIN | PING, b"1"));
    bytes.extend(client_frame(FIN | CONTINUATION, b"lo"));
    assert_eq!(receive(&SocketOptions::default(), &bytes, 1), [ping("1"), text("Hello")]);
}

#[test]
fn violations_end_the_stream_with_their_code() {
    let unmasked = vec![0x81, 0x05, b'H', b'e', b'l', b'l', b'o'];
    let cases: Vec<(u16, &str, Vec<u8>)> = vec![
        (1002, "not masked", unmasked),
        (1002, "RSV1 is set without", client_frame(FIN | RSV1 | TEXT, b"x")),
        (1002, "RSV2", client_frame(FIN | 0x20 | TEXT, b"x")),
        (1002, "RSV3", client_frame(FIN | 0x10 | TEXT, b"x")),
        (1002, "RSV1 is set on a control", client_frame(FIN | RSV1 | PING, b"x")),
        (1002, "reserved", client_frame(FIN | 3, b"x")),
        (1002, "reserved", client_frame(FIN | 11, b"x")),
        (1002, "fragmented", client_frame(PING, b"x")),
        (1002, "too long", client_frame(FIN | PING, &[0; 126])),
        (1002, "continuation without", client_frame(FIN | CONTINUATION, b"x")),
        (1002, "new message", [client_frame(TEXT, b"x"), client_frame(FIN | TEXT, b"x")].concat()),
        (1002, "minimal", vec![0x82, 0xfe, 0, 1, 0, 0, 0, 0]),
        (1002, "top bit", client_header(FIN | BINARY, 1 << 63)),
        (1009, "too big", client_header(FIN | BINARY, (1 << 63) - 1)),
        (1009, "too big", client_header(FIN | BINARY, 16 * 1024 * 1024 + 1)),
        (1002, "one byte", client_frame(FIN | CLOSE, &[3])),
        (1002, "close code", client_frame(FIN | CLOSE, &1005_u16.to_be_bytes())),
        (1007, "reason", client_frame(FIN | CLOSE, &[3, 0xe8, 0xff])),
        (1007, "UTF-8", client_frame(FIN | TEXT, &[0xff])),
        (1007, "UTF-8", client_frame(FIN | TEXT, &[0xe2, 0x82])),
        (1007, "UTF-8", client_message(TEXT, &[&[0xe2, 0x82], b"x"])),
    ];
    for (code, reason, mut bytes) in cases {
        // What follows, even a violation, is ignored.
        bytes.extend([0xff; 20]);
        for piece in [1, 1000] {
            let events = receive(&SocketOptions::default(), &bytes, piece);
            let [Event::Violation(violation)] = &events[..] else { panic!("{reason}: {events:?}") };
            assert_eq!(violation.code, CloseCode(code), "{reason}");
            assert!(violation.reason.contains(reason), "{reason}: {violation}");
        }
    }
}

#[test]
fn nothing_counts_after_a_close_frame() {
    let mut bytes = client_frame(FIN | CLOSE, b"");
    bytes.extend(client_frame(FIN | TEXT, b"late"));
    bytes.extend([0xff; 20]);
    assert_eq!(receive(&SocketOptions::default(), &bytes, 3), [Event::Close(None)]);
}

#[test]
fn impossible_text_fails_before_its_frame_ends() {
    let mut bytes = client_frame(FIN | TEXT, b"\xce\xba\xe1\xbd\xb9\xf4\x90\x80\x80 and more");
    let mut reader = WebSocket::new(&SocketOptions::default()).reader;
    let mut events = Vec::new();
    let (head, tail) = bytes.split_at_mut(6 + 6);
    reader.receive(head, &mut events);
    assert_eq!(events, [], "F4 alone could become U+100000");
    reader.receive(&mut tail[..1], &mut events);
    assert!(matches!(events[..], [Event::Violation(Violation { code: CloseCode::INVALID_PAYLOAD, .. })]));
    assert!(reader.is_finished());
    assert_eq!(reader.buffered(), 0);
}

/// The options of a client that compresses, and a frame of so many zeros.
fn bomb(zeros: usize) -> (SocketOptions, Vec<u8>) {
    let deflate = Some(Agreement {
        server_takeover: false,
        client_takeover: false,
        server_bits: 15,
        client_bits: 15,
        threshold: 0,
        level: 6,
    });
    let payload = ClientDeflate::new(15, false).compress(&vec![0; zeros]);
    let options = SocketOptions { deflate, ..SocketOptions::default() };
    (options, client_frame(FIN | RSV1 | BINARY, &payload))
}

#[test]
fn one_call_decodes_no_more_than_its_budget() {
    let (options, frame) = bomb(100_000);
    let mut input = frame.repeat(640);
    let mut reader = WebSocket::new(&options).reader;
    let (mut events, mut rounds) = (Vec::new(), 0);
    reader.receive(&mut input, &mut events);
    loop {
        assert!((1..=3).contains(&events.len()), "{} events", events.len());
        rounds += 1;
        events.clear();
        if !reader.has_undecoded() {
            break;
        }
        assert!(!reader.is_idle());
        assert!(reader.buffered() <= 640 * frame.len());
        reader.resume(&mut events);
    }
    assert_eq!(rounds, 640_usize.div_ceil(3));
    assert!(reader.is_idle());
    assert_eq!(reader.buffered(), 0);
    reader.resume(&mut events);
    assert_eq!(events, []);
}

#[test]
fn small_events_are_counted_too() {
    let mut input = client_frame(FIN | PING, b"").repeat(10_000);
    let mut reader = WebSocket::new(&SocketOptions::default()).reader;
    let mut events = Vec::new();
    reader.receive(&mut input, &mut events);
    assert_eq!(events.len(), 256 * 1024 / 64);
    // What comes meanwhile has to wait behind it.
    reader.receive(&mut client_frame(FIN | TEXT, b"last"), &mut events);
    while reader.has_undecoded() {
        reader.resume(&mut events);
    }
    assert_eq!((events.len(), events.last()), (10_001, Some(&text("last"))));
}

#[test]
fn who_is_to_be_paused_has_a_smaller_budget() {
    let (options, frame) = bomb(1000);
    let outbox = OutboxOptions { max_bytes: 3000, overflow: Overflow::Pause };
    let mut events = Vec::new();
    let mut reader = WebSocket::new(&SocketOptions { outbox, ..options }).reader;
    reader.receive(&mut frame.repeat(100), &mut events);
    assert_eq!(events.len(), 3);
}

#[test]
fn the_end_is_found_beyond_the_budget_and_ends_everything() {
    let (options, frame) = bomb(300_000);
    let mut input = [&frame.repeat(3)[..], &client_frame(FIN | CLOSE, b""), &frame.repeat(5)[..]].concat();
    let mut reader = WebSocket::new(&options).reader;
    let mut events = Vec::new();
    reader.receive(&mut input, &mut events);
    while reader.has_undecoded() {
        reader.resume(&mut events);
    }
    assert_eq!((events.len(), events.last()), (4, Some(&Event::Close(None))));
    assert_eq!(reader.buffered(), 0);
}

#[test]
fn after_our_close_frame_only_the_clients_counts() {
    let (options, bomb) = bomb(10_000);
    let mut bytes = client_frame(TEXT, b"not ended");
    let begun = bytes.len();
    bytes.extend(client_frame(FIN | PING, b"x"));
    bytes.extend(client_frame(FIN | CONTINUATION, &[0xff; 200]));
    bytes.extend(bomb);
    bytes.extend(client_frame(FIN | TEXT, &[0xff]));
    bytes.extend(client_frame(FIN | CLOSE, b"\x03\xe8bye"));
    for cut in [0, 3, begun - 2, begun] {
        for piece in [1, 7, 1000] {
            let mut reader = WebSocket::new(&options).reader;
            let mut events = Vec::new();
            let (head, tail) = (&mut bytes[..cut].to_vec(), &mut bytes[cut..].to_vec());
            reader.receive(head, &mut events);
            reader.expect_close();
            tail.chunks_mut(piece).for_each(|piece| reader.receive(piece, &mut events));
            let expected = Event::Close(Some(CloseFrame::new(CloseCode::NORMAL, "bye")));
            assert_eq!(events, [expected], "cut at {cut}, pieces of {piece}");
            assert!(reader.wants_input());
        }
    }
}

#[test]
fn who_does_not_close_is_not_read_for_ever() {
    let options = SocketOptions::with_max_message(2 << 20);
    let frame = client_frame(FIN | BINARY, &[7; 65_536]);
    let violation = client_frame(FIN | 3, b"");
    for ends_itself in [false, true] {
        let mut reader = WebSocket::new(&options).reader;
        let mut events = Vec::new();
        match ends_itself {
            true => reader.receive(&mut violation.clone(), &mut events),
            false => reader.expect_close(),
        }
        let mut taken = 0;
        while reader.wants_input() {
            reader.receive(&mut frame.clone(), &mut events);
            taken += frame.len();
        }
        assert!((2 << 20..(2 << 20) + frame.len()).contains(&taken), "{taken}");
        assert_eq!(events.len(), usize::from(ends_itself));
        assert_eq!(reader.buffered(), 0);
    }
}

#[test]
fn what_is_held_is_known() {
    let mut reader = WebSocket::new(&SocketOptions::default()).reader;
    let mut events = Vec::new();
    assert!(reader.is_idle());
    let mut bytes = client_frame(TEXT, b"abc");
    for (range, held) in [(0..3, 3), (3..6, 0), (6..8, 2), (8..9, 3)] {
        reader.receive(&mut bytes[range], &mut events);
        assert_eq!((reader.is_idle(), reader.buffered()), (false, held));
    }
    reader.receive(&mut client_frame(FIN | CONTINUATION, b""), &mut events);
    assert_eq!((reader.is_idle(), reader.buffered()), (true, 0));
    assert_eq!(events, [text("abc")]);
}
