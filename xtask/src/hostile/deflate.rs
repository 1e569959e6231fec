//! permessage-deflate (RFC 7692) abused: bombs, streams that are none, and every negotiation of window bits.

use std::thread;

use anyhow::{Context, Result, anyhow, bail};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::case::Case;
use super::case::Outcome::{Close, Messages};
use super::config::INFLATED;
use super::target::Target;
use super::wire::{BINARY, CONTINUATION, FIN, PING, Peer, RSV1, TEXT, frame};

const PATH: &str = "/api/ws/deflate";
const OFFER: &[&str] = &["Sec-WebSocket-Extensions: permessage-deflate"];
const MIB: u64 = 1 << 20;

/// "Hello" as RFC 7692 section 7.2.3.1 compresses it.
const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = streams();
    cases.extend(bombs());
    cases.extend(negotiations());
    cases
}

fn streams() -> Vec<Case> {
    let case = |name: &str, bytes: Vec<u8>, outcome| Case::frames_with(name, PATH, OFFER, bytes, outcome);
    let whole = |payload: &[u8]| frame(FIN | RSV1 | TEXT, payload);
    // A final block, then the empty stored block that every message ends in.
    let final_block = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    vec![
        case("a compressed message is fine", whole(&HELLO), Messages(1)),
        case(
            "an uncompressed message among compressed ones is fine",
            [whole(&HELLO), frame(FIN | TEXT, b"plain"), whole(&HELLO)].concat(),
            Messages(3),
        ),
        case(
            "compressed over fragments is fine",
            [frame(RSV1 | TEXT, &HELLO[..3]), frame(FIN | PING, b""), frame(FIN, &HELLO[3..])].concat(),
            Messages(1),
        ),
        case("a final block is fine", whole(&final_block), Messages(1)),
        case(
            "after a final block another message is fine",
            [whole(&final_block), whole(&HELLO)].concat(),
            Messages(2),
        ),
        case("an empty compressed message is fine", whole(&[0x00]), Messages(1)),
        case(
            "stored blocks are fine",
            whole(&[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00]),
            Messages(1),
        ),
        case("no deflate at all", whole(&[0xff; 20]), Close(1007)),
        case("a reserved block type", whole(&[0x07, 0x00]), Close(1007)),
        case("a stored block of a wrong length", whole(&[0x00, 0x05, 0x00, 0x00, 0x00, 0x48]), Close(1007)),
        case("a distance before the start", whole(&[0x4b, 0x04, 0x42, 0x00]), Close(1007)),
        case("a truncated stream", whole(&HELLO[..3]), Close(1007)),
        case("nothing compressed is nothing", whole(&[]), Messages(1)),
        case("bytes after a final block", whole(&[&final_block[..], &[0xff; 8]].concat()), Close(1007)),
        case("compressed text that is no UTF-8", whole(&deflated(&[0xff, 0xfe], 15)), Close(1007)),
        case(
            "text that is no UTF-8, in a compressed message that never ends",
            frame(RSV1 | TEXT, &deflated(&[b'a', 0xff], 15)),
            Close(1007),
        ),
        case(
            "a compressed message that is too long and never ends",
            frame(RSV1 | BINARY, &deflated(&vec![0; INFLATED + 1], 15)),
            Close(1009),
        ),
        case("no deflate, in a message that never ends", frame(RSV1 | TEXT, &[0xff; 20]), Close(1007)),
        case(
            "RSV1 on a continuation",
            [frame(RSV1 | TEXT, &HELLO[..3]), frame(FIN | RSV1, &HELLO[3..])].concat(),
            Close(1002),
        ),
        case(
            "RSV1 on the continuation of an uncompressed message",
            [frame(TEXT, b"a"), frame(FIN | RSV1 | CONTINUATION, b"b")].concat(),
            Close(1002),
        ),
        case("RSV1 on a ping", frame(FIN | RSV1 | PING, b""), Close(1002)),
        case("RSV2 beside RSV1", frame(FIN | RSV1 | 0x20 | TEXT, &HELLO), Close(1002)),
        Case::frames("RSV1 where it was offered to nobody", PATH, whole(&HELLO), Close(1002)),
        Case::frames_with(
            "RSV1 where the server has no compression",
            "/api/ws/echo",
            OFFER,
            whole(&HELLO),
            Close(1002),
        ),
        case(
            "a history that was not agreed upon",
            [whole(&HELLO), whole(&[0xf2, 0x00, 0x11, 0x00, 0x00])].concat(),
            Close(1007),
        ),
        Case::frames_with(
            "a history that was agreed upon is fine",
            "/api/ws/takeover",
            OFFER,
            [whole(&HELLO), whole(&[0xf2, 0x00, 0x11, 0x00, 0x00])].concat(),
            Messages(2),
        ),
        case(
            "10,000 empty blocks are fine",
            whole(&[[0x00, 0x00, 0x00, 0xff, 0xff].repeat(10_000), vec![0x00]].concat()),
            Messages(1),
        ),
    ]
}

fn bombs() -> Vec<Case> {
    // Less than a megabyte that inflates to 900.
    let bomb = zeros(900);
    let single = frame(FIN | RSV1 | BINARY, &bomb);
    let fragmented: Vec<u8> = bomb
        .chunks(1000)
        .enumerate()
        .flat_map(|(index, piece)| frame(if index == 0 { RSV1 | BINARY } else { CONTINUATION }, piece))
        .chain(frame(FIN, b""))
        .collect();
    let exact = deflated(&vec![b'a'; INFLATED], 15);
    let above = deflated(&vec![b'a'; INFLATED + 1], 15);
    let twice = single.clone();
    vec![
        Case::story("a bomb", move |target| target.bounded(16 * MIB, || explode(target, &single))).within(20),
        Case::story("200 MiB in 200 messages for a handler that takes its time", move |target| {
            let message = frame(FIN | RSV1 | BINARY, &zeros(1));
            target.bounded(16 * MIB, || {
                let (mut peer, _) = Peer::open_with(target.port, "/api/ws/late", OFFER)?;
                peer.write(&message.repeat(200))?;
                // What waits is counted while the first message still does.
                peer.message().map(drop)
            })
        }),
        Case::story("a bomb in fragments", move |target| {
            target.bounded(16 * MIB, || explode(target, &fragmented))
        })
        .within(20),
        Case::story("eight bombs at once", move |target| {
            target.bounded(64 * MIB, || {
                let (port, bomb) = (target.port, &twice);
                thread::scope(|scope| {
                    let bombers: Vec<_> = (0..8)
                        .map(|_| {
                            scope.spawn(move || {
                                let (mut peer, _) = Peer::open_with(port, PATH, OFFER)?;
                                peer.write_regardless(bomb);
                                peer.expect_close(1009)
                            })
                        })
                        .collect();
                    bombers
                        .into_iter()
                        .try_for_each(|bomber| bomber.join().map_err(|_| anyhow!("a client broke"))?)
                })
            })
        })
        .within(40),
        Case::frames_with(
            "exactly maxPayload is no bomb",
            PATH,
            OFFER,
            frame(FIN | RSV1 | BINARY, &exact),
            Messages(1),
        ),
        Case::frames_with(
            "one byte more than maxPayload",
            PATH,
            OFFER,
            frame(FIN | RSV1 | BINARY, &above),
            Close(1009),
        ),
        Case::frames_with(
            "a bomb that remembers",
            "/api/ws/takeover",
            OFFER,
            frame(FIN | RSV1 | BINARY, &zeros(100)),
            Close(1009),
        ),
    ]
}

fn explode(target: &Target, bomb: &[u8]) -> Result<()> {
    let (mut peer, _) = Peer::open_with(target.port, PATH, OFFER)?;
    peer.write_regardless(bomb);
    peer.expect_close(1009)
}

/// RFC 7692 section 7.1.2: every number of window bits, both ways, and offers that must be declined.
fn negotiations() -> Vec<Case> {
    let mut cases = Vec::new();
    for bits in 8..=15 {
        let server = format!("permessage-deflate; server_max_window_bits={bits}");
        let expected = (bits > 8).then(|| format!("server_max_window_bits={bits}"));
        cases.push(negotiation(server, Agreed::from(expected), Some(bits), None));
        let client = format!("permessage-deflate; client_max_window_bits={bits}");
        let expected = if bits < 15 { format!("client_max_window_bits={bits}") } else { String::new() };
        cases.push(negotiation(client, Agreed::With(expected), None, Some(bits)));
        for both in [9, 12, 15] {
            let offer =
                format!("permessage-deflate; server_max_window_bits={both}; client_max_window_bits={bits}");
            let expected = format!("server_max_window_bits={both}");
            cases.push(negotiation(offer, Agreed::With(expected), Some(both), Some(bits)));
        }
    }
    let declined = [
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=08",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=\"\"",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; unknown",
        "permessage-deflate; =",
        "permessage-deflate;",
        "x-webkit-deflate-frame",
        "permessage-bzip2",
        "permessage-deflate; server_max_window_bits=\"10",
        ", ,;;==\"\\",
        "",
    ];
    for offer in declined {
        cases.push(negotiation(offer.to_owned(), Agreed::Nothing, None, None));
        if !offer.contains("\"10") && !offer.contains('\\') {
            let next = format!("{offer}, permessage-deflate; server_max_window_bits=10");
            cases.push(negotiation(next, Agreed::With("server_max_window_bits=10".into()), Some(10), None));
        }
    }
    let good = [
        ("permessage-deflate; client_max_window_bits", ""),
        ("PerMessage-Deflate; Server_Max_Window_Bits=11", "server_max_window_bits=11"),
        ("permessage-deflate; server_max_window_bits=\"11\"", "server_max_window_bits=11"),
        (
            "permessage-deflate;server_no_context_takeover;client_no_context_takeover",
            "server_no_context_takeover",
        ),
        ("permessage-deflate; server_max_window_bits=9, permessage-deflate", "server_max_window_bits=9"),
    ];
    cases.extend(
        good.map(|(offer, with)| negotiation(offer.to_owned(), Agreed::With(with.into()), None, None)),
    );
    let endless = format!("permessage-deflate{}", "; a".repeat(2000));
    cases.push(negotiation(endless, Agreed::Nothing, None, None));
    cases
}

/// What the server's answer to an offer is.
#[derive(Clone)]
enum Agreed {
    /// No extension.
    Nothing,
    /// permessage-deflate with at least this parameter.
    With(String),
}

impl From<Option<String>> for Agreed {
    fn from(parameter: Option<String>) -> Self {
        parameter.map_or(Agreed::Nothing, Agreed::With)
    }
}

/// After the answer both sides must keep to it: what repeats at a distance beyond the window shows.
fn negotiation(offer: String, agreed: Agreed, server_bits: Option<u8>, client_bits: Option<u8>) -> Case {
    Case::story(format!("the offer {offer:.120}"), move |target| {
        let line = format!("Sec-WebSocket-Extensions: {offer}");
        let (mut peer, head) = Peer::open_with(target.port, PATH, &[&line])?;
        let answer = head.header("sec-websocket-extensions");
        match (&agreed, answer) {
            (Agreed::Nothing, None) => return peer.echo("without"),
            (Agreed::With(parameter), Some(answer))
                if answer.starts_with("permessage-deflate") && answer.contains(parameter.as_str()) => {}
            _ => bail!("the answer was {answer:?}"),
        }
        // Zlib knows no window of 8 bits: what refers back at most 256 bytes fits one.
        let text = repeating(100_000);
        let bits = client_bits.unwrap_or(15);
        let payload = if bits == 8 { stored(&text[..1000]) } else { deflated(&text, bits) };
        let expected = if bits == 8 { &text[..1000] } else { &text[..] };
        peer.write(&frame(FIN | RSV1 | BINARY, &payload))?;
        let message = peer.message()?;
        if message.first != FIN | RSV1 | BINARY {
            bail!("the echo is not compressed");
        }
        let inflated = inflated(&message.payload, server_bits.unwrap_or(15)).context("the echo")?;
        if inflated != expected { bail!("another message came back") } else { Ok(()) }
    })
}

/// Bytes that repeat at once, for the smallest window, and again far back, beyond most windows.
fn repeating(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let noise: Vec<u8> = (0..5_000)
        .flat_map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            [(state >> 24) as u8; 4]
        })
        .collect();
    noise.iter().copied().cycle().take(length).collect()
}

/// Compressed as one message, without the empty block at its end.
fn deflated(bytes: &[u8], bits: u8) -> Vec<u8> {
    let mut compress = Compress::new_with_window_bits(Compression::default(), false, bits);
    let mut out = Vec::with_capacity(bytes.len() + 1024);
    // There is room for everything, so one call is enough; the receiver checks the result.
    let _ = compress.compress_vec(bytes, &mut out, FlushCompress::Sync);
    out.truncate(out.len().saturating_sub(4));
    out
}

/// This many megabytes of zeros, each compressed on its own.
fn zeros(megabytes: usize) -> Vec<u8> {
    let mut compress = Compress::new(Compression::best(), false);
    let mut out = Vec::with_capacity(64 * 1024);
    let _ = compress.compress_vec(&vec![0; 1 << 20], &mut out, FlushCompress::Full);
    let mut bomb = out.repeat(megabytes);
    bomb.truncate(bomb.len() - 4);
    bomb
}

fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u16;
    let mut out = vec![0];
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend_from_slice(bytes);
    out.push(0);
    out
}

/// Inflates with a window that is no larger than agreed.
fn inflated(payload: &[u8], bits: u8) -> Result<Vec<u8>> {
    let mut decompress = Decompress::new_with_window_bits(false, bits);
    let whole = [payload, &[0, 0, 0xff, 0xff]].concat();
    let mut out = Vec::with_capacity(INFLATED + 1024);
    match decompress.decompress_vec(&whole, &mut out, FlushDecompress::Sync)? {
        Status::Ok | Status::StreamEnd if decompress.total_in() as usize == whole.len() => Ok(out),
        other => bail!("{other:?} after {} of {} bytes", decompress.total_in(), whole.len()),
    }
}
