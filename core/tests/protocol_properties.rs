//! What holds for any bytes, however they are split, and for any message on its way through both ends.

#[path = "support/client_frame.rs"]
mod client_frame;

use client_frame::{
    BINARY, CONTINUATION, ClientDeflate, ClientInflate, FIN, PING, PONG, RSV1, TEXT, client_frame,
    client_message, server_frame,
};
use proptest::prelude::*;
use switchboard_core::Message;
use switchboard_core::protocol::{Agreement, Event, Outgoing, Pushed, SocketOptions, WebSocket};

fn agreement(takeover: bool, bits: u8) -> Agreement {
    Agreement {
        server_takeover: takeover,
        client_takeover: takeover,
        server_bits: bits.max(9),
        client_bits: bits,
        threshold: 0,
        level: 6,
    }
}

fn options(deflate: Option<Agreement>) -> SocketOptions {
    SocketOptions { deflate, ..SocketOptions::with_max_message(200_000) }
}

/// The events of these bytes, received in pieces of the given lengths, over and over.
fn events(options: &SocketOptions, bytes: &[u8], lengths: &[usize]) -> Vec<Event> {
    let mut reader = WebSocket::new(options).reader;
    let mut events = Vec::new();
    let mut bytes = bytes.to_vec();
    let mut rest = &mut bytes[..];
    let mut lengths = lengths.iter().cycle();
    while !rest.is_empty() {
        let length = lengths.next().map_or(rest.len(), |length| (*length).clamp(1, rest.len()));
        let (piece, more) = rest.split_at_mut(length);
        reader.receive(piece, &mut events);
        while reader.has_undecoded() {
            reader.resume(&mut events);
        }
        rest = more;
    }
    events
}

/// Frames that make sense, frames that do not, and noise.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let flags = prop_oneof![8 => Just(FIN), 4 => Just(0), 2 => Just(FIN | RSV1), 1 => Just(RSV1), 1 => Just(FIN | 0x20)];
    let opcode = prop_oneof![
        4 => Just(TEXT), 4 => Just(BINARY), 6 => Just(CONTINUATION), 2 => Just(PING), 2 => Just(PONG),
        1 => 0_u8..16
    ];
    let compressed = |payload: Vec<u8>| ClientDeflate::new(15, false).compress(&payload);
    let payload = prop_oneof![
        2 => any_payload().prop_map(compressed),
        1 => (any_payload(), any::<prop::sample::Index>(), any::<u8>()).prop_map(move |(payload, at, byte)| {
            let mut payload = compressed(payload);
            let at = at.index(payload.len());
            payload[at] = byte;
            payload
        }),
        6 => "\\PC{0,40}".prop_map(String::into_bytes),
        2 => prop::collection::vec(any::<u8>(), 0..20),
        1 => prop::collection::vec(any::<u8>(), 120..300),
        2 => Just(vec![0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]),
    ];
    prop_oneof![
        30 => (flags, opcode, payload).prop_map(|(flags, opcode, payload)| client_frame(flags | opcode, &payload)),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

/// Text with repetitions, or noise.
fn any_payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        "[a-c]{1,40}".prop_map(String::into_bytes),
        ("[a-z]{1,60}", 1_usize..500).prop_map(|(word, times)| word.repeat(times).into_bytes()),
        prop::collection::vec(any::<u8>(), 1..3000),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_split_gives_the_same_events(
        frames in prop::collection::vec(any_frame(), 1..12),
        lengths in prop::collection::vec(1_usize..30, 1..8),
        deflate in prop_oneof![Just(None), any::<bool>().prop_map(|takeover| Some(agreement(takeover, 15)))],
        max_message in prop_oneof![Just(200_000_usize), 0_usize..300],
    ) {
        let bytes = frames.concat();
        let options = SocketOptions { max_message, ..options(deflate) };
        let whole = events(&options, &bytes, &[]);
        prop_assert_eq!(&events(&options, &bytes, &[1]), &whole);
        prop_assert_eq!(&events(&options, &bytes, &lengths), &whole);
    }

    #[test]
    fn what_clients_send_arrives(
        payloads in prop::collection::vec(any_payload(), 1..6),
        bits in 8_u8..=15,
        takeover in any::<bool>(),
        cut in any::<prop::sample::Index>(),
        lengths in prop::collection::vec(1_usize..5000, 1..4),
    ) {
        // A client with an 8-bit window is one whose zlib made 9 of it.
        let mut deflate = ClientDeflate::new(bits, takeover);
        let mut bytes = Vec::new();
        for payload in &payloads {
            let compressed = deflate.compress(payload);
            let (head, tail) = compressed.split_at(cut.index(compressed.len()));
            bytes.extend(client_message(RSV1 | BINARY, &[head, tail]));
            bytes.extend(client_frame(FIN | BINARY, payload));
        }
        let expected: Vec<_> = payloads
            .iter()
            .flat_map(|payload| [payload.clone(), payload.clone()])
            .map(|payload| Event::Message(Message::Binary(payload.into())))
            .collect();
        prop_assert_eq!(events(&options(Some(agreement(takeover, bits))), &bytes, &lengths), expected);
    }

    #[test]
    fn what_the_server_sends_arrives(
        payloads in prop::collection::vec(any_payload(), 1..6),
        bits in 9_u8..=15,
        takeover in any::<bool>(),
        threshold in 0_usize..2000,
    ) {
        let agreement = Agreement { threshold, ..agreement(takeover, bits) };
        let mut socket = WebSocket::new(&options(Some(agreement)));
        let mut inflate = ClientInflate::new(bits, takeover);
        for payload in &payloads {
            let outgoing = Outgoing::new(Message::Binary(payload.clone().into()));
            prop_assert_eq!(socket.writer.send(&outgoing), Pushed::Queued);
            let frame = socket.writer.outbox().pop().expect("a frame");
            let mut rest = &frame[..];
            let (first, body) = server_frame(&mut rest).expect("a whole frame");
            prop_assert!(rest.is_empty());
            let is_compressed = first & RSV1 != 0;
            prop_assert_eq!(first & !RSV1, FIN | BINARY);
            if payload.len() < threshold {
                prop_assert!(!is_compressed);
            } else if takeover {
                prop_assert!(is_compressed);
            }
            let received = if is_compressed { inflate.inflate(body) } else { body.to_vec() };
            prop_assert_eq!(&received, payload);
        }
    }

    #[test]
    fn memory_follows_what_came_and_never_what_was_declared(
        frames in prop::collection::vec(any_frame(), 1..12),
    ) {
        let mut reader = WebSocket::new(&options(None)).reader;
        let mut bytes = frames.concat();
        let mut events = Vec::new();
        let received = bytes.len();
        reader.receive(&mut bytes, &mut events);
        prop_assert!(reader.buffered() <= received);
        if reader.is_idle() {
            prop_assert_eq!(reader.buffered(), 0);
        }
    }
}
