//! Recordings as HAR files: what HAR can say comes back as it was, and no file, however damaged, is read in silence.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use switchboard_core::recording::har::{Har, HarWriter, read};
use switchboard_core::recording::{Event, EventKind, Header, Line, Open, Refuse, Side};
use switchboard_core::time::WallTime;
use switchboard_core::{CloseCause, CloseCode, CloseFrame, Message};

/// What a connection does after its opening, each step so many µs after the one before.
#[derive(Clone, Debug)]
struct Conversation {
    start: u64,
    path: String,
    headers: Vec<(String, String)>,
    /// The status of a refusal; none: it is opened.
    refusal: Option<(u16, String)>,
    subprotocol: Option<String>,
    messages: Vec<(u64, Side, Message)>,
    close: Option<(u64, CloseCause, CloseFrame)>,
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        any::<String>().prop_map(Message::from),
        r#"\{"a": ?[0-9]{1,20}(\.0)?\}"#.prop_map(Message::from),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Message::from(Bytes::from(bytes))),
    ]
}

fn close() -> impl Strategy<Value = (CloseCause, CloseFrame)> {
    let sides = prop_oneof![Just(CloseCause::Client), Just(CloseCause::Server)];
    let sent = (sides, 1000..5000u16, "\\PC{0,30}").prop_map(|(by, code, reason)| {
        // Without a code there is no place for a reason.
        let reason = if code == 1005 { "" } else { &reason };
        (by, CloseFrame::new(CloseCode(code), reason))
    });
    let lost = "\\PC{0,30}";
    prop_oneof![
        sent,
        lost.prop_map(|reason| (CloseCause::Lost, CloseFrame::new(CloseCode::ABNORMAL, &reason)))
    ]
}

fn conversation() -> impl Strategy<Value = Conversation> {
    let side = prop_oneof![Just(Side::Client), Just(Side::Server)];
    let pause = 0..3_000_000u64;
    (
        0..10_000_000u64,
        r"/[a-z/]{0,10}(\?[a-z]=[a-z0-9%*]{0,5})?",
        prop::collection::vec(("x-[a-z]{1,5}", "[!-~]{0,10}"), 0..3),
        prop::option::weighted(0.2, (prop_oneof![300..600u16, Just(426)], "[a-z ]{0,10}")),
        prop::option::of("[a-z.]{1,8}"),
        prop::collection::vec((pause.clone(), side, message()), 0..8),
        prop::option::of((pause, close())),
    )
        .prop_map(|(start, path, headers, refusal, subprotocol, messages, close)| Conversation {
            start,
            path,
            headers,
            refusal,
            subprotocol,
            messages,
            close: close.map(|(pause, (by, frame))| (pause, by, frame)),
        })
}

/// As a recorder would write it: by time, connections counted by their opening.
fn recorded(mut conversations: Vec<Conversation>) -> Vec<Event> {
    conversations.sort_by_key(|conversation| conversation.start);
    let zero = conversations.first().map_or(0, |first| first.start / 1000 * 1000);
    let mut events = Vec::new();
    for (connection, conversation) in (1..).zip(conversations) {
        let Conversation { start, path, headers, refusal, subprotocol, messages, close } = conversation;
        let mut now = start - zero;
        let mut push = |now, kind| events.push(Event { at: Duration::from_micros(now), connection, kind });
        if let Some((status, reason)) = refusal {
            push(now, EventKind::Refuse(Refuse { path, headers, status, reason }));
            continue;
        }
        let named = subprotocol.iter().map(|name| ("sec-websocket-protocol".to_owned(), name.clone()));
        let response_headers = named.collect();
        push(now, EventKind::Open(Open { headers, subprotocol, response_headers, ..Open::new(path) }));
        for (pause, from, message) in messages {
            now += pause;
            push(now, EventKind::Message { from, message });
        }
        if let Some((pause, by, frame)) = close {
            push(now + pause, EventKind::Close { by, frame });
        }
    }
    events.sort_by_key(|event| event.at);
    events
}

fn as_har(events: &[Event], zero: WallTime) -> String {
    let mut writer = HarWriter::default();
    let source = Some("wss://example.com".to_owned());
    writer.push(Line::Header(Header { started_at: zero, source }));
    events.iter().cloned().for_each(|event| writer.push(Line::Event(event)));
    let written = writer.finish();
    assert_eq!(written.left_out, 0);
    written.text
}

proptest! {
    #[test]
    fn what_har_can_say_comes_back(conversations in prop::collection::vec(conversation(), 1..6)) {
        let events = recorded(conversations);
        // The first opening decides it when a HAR file is read, and it has ms.
        let zero = WallTime::from_us(1_795_323_600_123_000);
        let text = as_har(&events, zero);
        let again = read(text.as_bytes(), |name| Err(name.to_owned())).unwrap();
        prop_assert_eq!(&again.events, &events);
        prop_assert_eq!(again.header, Header { started_at: zero, source: Some("wss://example.com".to_owned()) });
        prop_assert_eq!((again.skipped, again.unanswered), (0, 0));
    }

    #[test]
    fn a_damaged_file_is_explained(
        conversations in prop::collection::vec(conversation(), 1..3),
        place in any::<prop::sample::Index>(),
        length in 0..20usize,
        instead in prop_oneof![
            Just(Vec::new()),
            prop::collection::vec(any::<u8>(), 0..4),
            prop::sample::select(vec!["{", "]", "null", "-1", "1e308", "\"\"", "[", ","]).prop_map(|text| text.as_bytes().to_vec()),
        ],
    ) {
        let mut text = as_har(&recorded(conversations), WallTime::from_us(0)).into_bytes();
        let start = place.index(text.len());
        let end = text.len().min(start + length);
        text.splice(start..end, instead);
        match read(&text, |_| Err("there is no such file".to_owned())) {
            Ok(recording) => {
                let lines = recording.to_lines().unwrap();
                for (number, line) in (1..).zip(lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())) {
                    Line::parse(number, line).unwrap();
                }
            }
            Err(error) => {
                prop_assert!(error.line > 0 || !error.field.is_empty(), "{}", error);
                prop_assert!(error.line as usize <= 1 + text.iter().filter(|byte| **byte == b'\n').count());
                prop_assert!(!error.message.is_empty());
            }
        }
    }

    #[test]
    fn arbitrary_bytes_are_explained(text in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(!Har::parse(&text).unwrap_err().to_string().is_empty());
    }
}
