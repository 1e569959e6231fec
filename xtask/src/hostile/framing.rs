//! Every rule of RFC 6455 about frames and messages, broken: 1002, 1007, 1008 or 1009.

use super::case::Outcome::{Close, Messages};
use super::case::{Case, Outcome};
use super::config::SMALL;
use super::wire::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, RSV1, TEXT, close, frame, header};

pub(super) fn cases() -> Vec<Case> {
    let echo =
        |(name, bytes, outcome): (&str, Vec<u8>, Outcome)| Case::frames(name, "/api/ws/echo", bytes, outcome);
    let mut cases: Vec<Case> = frames().into_iter().chain(closing()).map(echo).collect();
    cases.extend(reserved_opcodes().into_iter().map(echo));
    cases.extend(text());
    cases.extend(sizes());
    cases.extend(close_codes());
    cases
}

fn frames() -> Vec<(&'static str, Vec<u8>, Outcome)> {
    let rsv = |bits: u8| frame(FIN | bits | TEXT, b"x");
    vec![
        ("unmasked text", vec![0x81, 0x05, b'H', b'e', b'l', b'l', b'o'], Close(1002)),
        ("unmasked ping", vec![0x89, 0x00], Close(1002)),
        ("unmasked close", vec![0x88, 0x02, 0x03, 0xe8], Close(1002)),
        ("RSV1 without compression", rsv(RSV1), Close(1002)),
        ("RSV2", rsv(0x20), Close(1002)),
        ("RSV3", rsv(0x10), Close(1002)),
        ("RSV on a ping", frame(FIN | RSV1 | PING, b"x"), Close(1002)),
        ("RSV on a close", frame(FIN | 0x20 | CLOSE, &[0x03, 0xe8]), Close(1002)),
        ("a fragmented ping", frame(PING, b"x"), Close(1002)),
        ("a fragmented pong", frame(PONG, b"x"), Close(1002)),
        ("a fragmented close", frame(CLOSE, &[0x03, 0xe8]), Close(1002)),
        ("a ping of 126 bytes", frame(FIN | PING, &[0; 126]), Close(1002)),
        ("a ping of 65536 bytes, its header alone", header(FIN | PING, 65_536), Close(1002)),
        ("a close of 126 bytes", frame(FIN | CLOSE, &[b'x'; 126]), Close(1002)),
        ("16 bits for 125 bytes", [&[0x82, 0xfe, 0, 125, 0, 0, 0, 0][..], &[0; 125]].concat(), Close(1002)),
        (
            "64 bits for 5 bytes",
            [&[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0][..], &[0; 5]].concat(),
            Close(1002),
        ),
        ("64 bits for 65535 bytes", vec![0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0], Close(1002)),
        ("a continuation of nothing", frame(FIN | CONTINUATION, b"x"), Close(1002)),
        ("an unfinished continuation of nothing", frame(CONTINUATION, b"x"), Close(1002)),
        (
            "text inside of a fragmented text",
            [frame(TEXT, b"a"), frame(FIN | TEXT, b"b")].concat(),
            Close(1002),
        ),
        (
            "binary inside of a fragmented text",
            [frame(TEXT, b"a"), frame(BINARY, b"b")].concat(),
            Close(1002),
        ),
        (
            "a second continuation of a finished text",
            [frame(TEXT, b"a"), frame(FIN, b"b"), frame(FIN, b"c")].concat(),
            Close(1002),
        ),
        (
            "a violation after a message",
            [frame(FIN | TEXT, b"a"), frame(FIN | 3, b"b")].concat(),
            Close(1002),
        ),
        ("a violation after a violation", [rsv(0x20), rsv(0x10), vec![0xff; 1000]].concat(), Close(1002)),
        ("a megabyte after a violation", [rsv(0x20), vec![0xff; 1 << 20]].concat(), Close(1002)),
        ("bytes of no meaning", vec![0xff; 64], Close(1002)),
        ("zeros", vec![0; 64], Close(1002)),
        ("HTTP instead of frames", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".to_vec(), Close(1002)),
        ("a ping of 125 bytes is none", frame(FIN | PING, &[7; 125]), Messages(0)),
        (
            "a control frame between fragments is none",
            [frame(TEXT, b"a"), frame(FIN | PING, b"b"), frame(FIN, b"c")].concat(),
            Messages(1),
        ),
        ("unasked pongs are none", frame(FIN | PONG, b"unasked").repeat(1000), Messages(0)),
        ("empty messages are none", [frame(FIN | TEXT, b""), frame(FIN | BINARY, b"")].concat(), Messages(2)),
    ]
}

fn reserved_opcodes() -> Vec<(&'static str, Vec<u8>, Outcome)> {
    let opcodes = [
        ("opcode 3", 3),
        ("opcode 4", 4),
        ("opcode 5", 5),
        ("opcode 6", 6),
        ("opcode 7", 7),
        ("opcode 11", 11),
        ("opcode 12", 12),
        ("opcode 13", 13),
        ("opcode 14", 14),
        ("opcode 15", 15),
    ];
    opcodes.into_iter().map(|(name, opcode)| (name, frame(FIN | opcode, b"x"), Close(1002))).collect()
}

fn closing() -> Vec<(&'static str, Vec<u8>, Outcome)> {
    vec![
        ("a close without a code", frame(FIN | CLOSE, b""), Close(1005)),
        ("a close of one byte", frame(FIN | CLOSE, &[3]), Close(1002)),
        ("a reason that is no UTF-8", frame(FIN | CLOSE, &[0x03, 0xe8, 0xff, 0xfe]), Close(1007)),
        (
            "a reason that ends inside of a character",
            frame(FIN | CLOSE, &[0x03, 0xe8, 0xe2, 0x82]),
            Close(1007),
        ),
        (
            "a close and then more",
            [close(1000), frame(FIN | TEXT, b"late"), vec![0xff; 100_000]].concat(),
            Close(1000),
        ),
        ("two closes", [close(1000), close(1001)].concat(), Close(1000)),
        ("a close inside of a message", [frame(TEXT, b"a"), close(1000)].concat(), Close(1000)),
    ]
}

/// RFC 6455 section 7.4: which codes may stand in a frame.
fn close_codes() -> Vec<Case> {
    let good =
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
    let bad = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];
    let case = |code: u16, answer: u16| {
        Case::frames(format!("close code {code}"), "/api/ws/echo", close(code), Close(answer))
    };
    good.map(|code| case(code, code)).into_iter().chain(bad.map(|code| case(code, 1002))).collect()
}

/// Text that is no UTF-8, in one frame, over fragments, and found before its frame is complete.
fn text() -> Vec<Case> {
    let bad: [(&str, &[u8]); 12] = [
        ("a lone continuation byte", b"\x80"),
        ("FF", b"\xff"),
        ("FE", b"\xfe"),
        ("overlong slash", b"\xc0\xaf"),
        ("overlong NUL", b"\xe0\x80\x80"),
        ("overlong in four", b"\xf0\x80\x80\x80"),
        ("a surrogate", b"\xed\xa0\x80"),
        ("a surrogate pair", b"\xed\xa0\x81\xed\xb0\x80"),
        ("above U+10FFFF", b"\xf4\x90\x80\x80"),
        ("a start without its rest", b"\xe2\x82x"),
        ("five bytes", b"\xf8\x88\x80\x80\x80"),
        ("an end inside of a character", b"\xf0\x9f\x98"),
    ];
    let mut cases = Vec::new();
    for (name, bytes) in bad {
        let path = "/api/ws/echo";
        let whole = [b"text ", bytes].concat();
        cases.push(Case::frames(format!("no UTF-8: {name}"), path, frame(FIN | TEXT, &whole), Close(1007)));
        for cut in 0..=bytes.len() {
            let (start, end) = bytes.split_at(cut);
            let split = [frame(TEXT, start), frame(FIN | PING, b""), frame(FIN, end)].concat();
            cases.push(Case::frames(format!("no UTF-8: {name}, cut at {cut}"), path, split, Close(1007)));
        }
    }
    let early = [header(FIN | TEXT, 1000), masked(b"\xce\xba\xe1\xbd\xb9\xf4\x90\x80\x80")].concat();
    cases.push(Case::frames(
        "no UTF-8, found while its frame is on its way",
        "/api/ws/echo",
        early,
        Close(1007),
    ));
    let every_split: Vec<u8> = "κόσμε 😀 €"
        .bytes()
        .enumerate()
        .flat_map(|(index, byte)| frame(if index == 0 { TEXT } else { CONTINUATION }, &[byte]))
        .chain(frame(FIN, b""))
        .collect();
    cases.push(Case::frames("UTF-8 cut at every byte is none", "/api/ws/echo", every_split, Messages(1)));
    cases.push(Case::frames(
        "binary may be anything",
        "/api/ws/echo",
        frame(FIN | BINARY, b"\xff\xfe"),
        Messages(1),
    ));
    cases.push(Case::frames("NUL is text", "/api/ws/echo", frame(FIN | TEXT, b"\0\0"), Messages(1)));
    cases
}

fn sizes() -> Vec<Case> {
    let small = |name: &str, bytes: Vec<u8>, outcome| Case::frames(name, "/api/ws/small", bytes, outcome);
    let half = vec![0; SMALL / 2];
    let fragments = |count: usize| -> Vec<u8> {
        (0..count).flat_map(|index| frame(if index == 0 { TEXT } else { CONTINUATION }, b"")).collect()
    };
    vec![
        small("a length of 2^63", header(FIN | BINARY, 1 << 63), Close(1002)),
        small("a length of 2^64 - 1", header(FIN | BINARY, u64::MAX), Close(1002)),
        small("a length of 2^63 - 1", header(FIN | BINARY, (1 << 63) - 1), Close(1009)),
        small("a length of 2^32", header(FIN | BINARY, 1 << 32), Close(1009)),
        small(
            "a length of 2^63 - 1 in a continuation",
            [frame(BINARY, b"x"), header(FIN, (1 << 63) - 1)].concat(),
            Close(1009),
        ),
        small("one byte more than maxPayload", header(FIN | BINARY, SMALL as u64 + 1), Close(1009)),
        small("exactly maxPayload is not too much", frame(FIN | BINARY, &vec![1; SMALL]), Messages(1)),
        small(
            "one byte more over fragments",
            [frame(BINARY, &half), frame(CONTINUATION, &half), header(FIN, 1)].concat(),
            Close(1009),
        ),
        small("1025 empty fragments where 1024 are counted", fragments(1025), Close(1008)),
        small("50,000 empty fragments where 1024 are counted", fragments(50_000), Close(1008)),
        Case::frames(
            "50,000 empty fragments where they fit",
            "/api/ws/echo",
            [fragments(50_000), frame(FIN, b"")].concat(),
            Messages(1),
        ),
        Case::frames("50,000 empty fragments and no end", "/api/ws/echo", fragments(50_000), Messages(0)),
    ]
}

fn masked(payload: &[u8]) -> Vec<u8> {
    frame(FIN | TEXT, payload)[6..].to_vec()
}
