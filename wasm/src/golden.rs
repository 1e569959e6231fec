//! A batch with every kind of record, to which the reader in TypeScript is held.

use std::fmt::Write;

use bytes::Bytes;
use switchboard_core::dialect::commands::ServerEventKind;
use switchboard_core::{ConnectionId, HookKind, Message};

use crate::batch::Batch;
use crate::{call, contract};

/// Where the first of the batch's bytes lie in the memory that the tests make.
const FIRST_ADDRESS: usize = 65_536;

/// The batch as JSON: its words, and the bytes that they name, each at an address.
pub fn batch() -> String {
    let mut batch = Batch::default();
    let id = |slot: u64, generation: u64| ConnectionId::from_bits(generation << 32 | slot);
    batch
        .before
        .record(contract::ACCEPT)
        .id(id(1, 7))
        .word(2)
        .bytes(Bytes::from_static(b"HTTP/1.1 101"))
        .text(Some("name"))
        .text(Some("chat"))
        .text(Some(r#"{"id":"5"}"#))
        .text(Some(r#"{"user":"ann"}"#));
    batch.before.record(contract::ACCEPT).id(id(2, 0)).word(0).bytes(Bytes::from_static(b"HTTP"));
    batch.before.text(Some("other")).text(None).text(None).text(None);
    batch.before.record(contract::REJECT).id(id(3, 1)).bytes(Bytes::from_static(b"HTTP/1.1 404"));
    batch.before.about(contract::PAUSE, id(4, 0));
    batch.before.about(contract::RESUME, id(4, 0));
    batch.before.record(contract::CANCEL_CALL).wide((2 << 32) | 6);
    batch.before.record(contract::LOG).word(3).text(Some("a line: \u{fc}"));
    batch.before.record(contract::READ).text(Some("feed")).text(Some("file.jsonl"));
    batch.before.record(contract::READ_PART).wide(4).wide((1 << 32) | 7).word(65_536).text(Some("a.jsonl"));
    batch.before.record(contract::APPEND).text(Some("b.jsonl")).bytes(Bytes::from_static(b"{}\n"));
    let (shared, own) = (Bytes::from_static(b"shared"), Bytes::from(vec![9; 5_000]));
    batch.write(id(1, 7), [shared.clone(), own].into_iter());
    batch.write(id(2, 0), [shared.clone()].into_iter());
    batch.write(id(5, 0), [shared].into_iter());
    batch.after.about(contract::END, id(1, 7));
    batch.after.about(contract::REPORT_UNSENT, id(1, 7));
    batch.after.about(contract::TERMINATE, id(2, 0));
    batch.after.about(contract::REMOVED, id(3, 1));
    let upstream = (3 << 32) | 8;
    batch.after.record(contract::DIAL).wide(upstream).text(Some(r#"{"url":"ws://a"}"#));
    for message in [Message::from("text"), Message::Binary(Bytes::from_static(&[1, 2]))] {
        let (kind, payload) = call::payload(message);
        batch.after.record(contract::UPSTREAM).wide(upstream).word(kind).bytes(payload);
    }
    batch.after.record(contract::HANG_UP).wide(upstream).word(1001).text(Some("bye"));
    batch.after.record(contract::HANG_UP).wide(9).word(0).text(None);
    batch.calls.record(contract::CALL).wide(5).id(id(1, 7)).word(2).word(HookKind::Close as u32);
    batch.calls.word(contract::TEXT).bytes(Bytes::from_static(b"gone")).text(None).word(1001).word(0);
    batch.calls.record(contract::CALL).wide(upstream).id(id(2, 0)).word(0).word(1);
    batch.calls.word(contract::NOTHING).bytes(Bytes::new()).text(None).word(0).word(0);
    batch.calls.record(contract::CALL).wide(7).id(id(1, 7)).word(0).word(HookKind::ServerEvent as u32);
    batch.calls.word(contract::TEXT).bytes(Bytes::from_static(b"hi")).text(Some(r#""ann""#));
    batch.calls.word(0).word(ServerEventKind::Receive as u32);
    batch.pack();
    written(batch)
}

/// The bytes lie elsewhere in every run: they get addresses of their own, here and in the words.
fn written(batch: Batch) -> String {
    let mut words = batch.packed().to_vec();
    let mut text = String::from("{\n  \"bytes\": [");
    let mut address = FIRST_ADDRESS;
    // Nothing is read of an empty one.
    for (index, piece) in batch.packed_held().iter().filter(|piece| !piece.is_empty()).enumerate() {
        let place = [piece.as_ptr() as usize as u32, piece.len() as u32];
        let at = words.windows(2).position(|pair| pair == place);
        if let Some(at) = at {
            words[at] = address as u32;
        }
        let separator = if index == 0 { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(text, "{separator}\n    {{ \"address\": {address}, \"hex\": \"");
        for byte in piece {
            let _ = write!(text, "{byte:02x}");
        }
        text.push_str("\" }");
        address += piece.len();
    }
    let words: Vec<String> = words.iter().map(u32::to_string).collect();
    let _ = write!(text, "\n  ],\n  \"words\": [{}]\n}}\n", words.join(", "));
    text
}
