//! Every kind of frame there and back, and what is none.

use proptest::prelude::*;

use super::*;

fn node() -> Node {
    Node { name: "néud".into(), incarnation: 7 }
}

fn all() -> Vec<Body> {
    vec![
        Body::Message { run: 3, sequence: 9, header: "to all".into(), message: Message::from("grüße") },
        Body::Message {
            run: 3,
            sequence: 9,
            header: Bytes::new(),
            message: Message::Binary(vec![0, 255].into()),
        },
        Body::Alive { version: 4, sent: vec![("a".into(), 1, 2), ("b".into(), 3, u64::MAX)] },
        Body::Changes { first: 5, changes: vec![("k".into(), Some("v".into())), ("gone".into(), None)] },
        Body::Snapshot { version: 5, part: 1, parts: 2, entries: vec![("k".into(), Bytes::new())] },
        Body::Ask { of: None },
        Body::Ask { of: Some(Node { name: "".into(), incarnation: 0 }) },
        Body::Leaving,
    ]
}

#[test]
fn every_kind_goes_there_and_back_and_nothing_shorter_does() {
    for body in all() {
        let frame = Frame { node: node(), body };
        let bytes = frame.encode();
        assert_eq!(Frame::decode(bytes.clone()), Ok(frame.clone()));
        for length in 0..bytes.len() {
            let cut = Frame::decode(bytes.slice(..length));
            // A message and a question are as long as what is there.
            let may = matches!(frame.body, Body::Message { .. } | Body::Ask { .. });
            assert!(cut.is_err() || may && cut != Ok(frame.clone()), "{frame:?} cut at {length}");
        }
        if !matches!(frame.body, Body::Message { .. } | Body::Ask { of: None }) {
            let longer = [&bytes[..], b"x"].concat();
            assert_eq!(Frame::decode(longer.into()), Err(FrameError::Length));
        }
    }
}

#[test]
fn what_is_no_frame_is_said() {
    let good = Frame { node: node(), body: Body::Leaving }.encode();
    let with = |place: usize, value: u8| {
        let mut bytes = good.to_vec();
        bytes[place] = value;
        Frame::decode(bytes.into())
    };
    assert_eq!(with(0, 2), Err(FrameError::Version(2)));
    assert_eq!(with(1, 7), Err(FrameError::Kind(7)));
    assert_eq!(with(10, 255), Err(FrameError::Length));
    assert_eq!(with(11, 0xff), Err(FrameError::Utf8));
    let mut many =
        Frame { node: node(), body: Body::Alive { version: 0, sent: Vec::new() } }.encode().to_vec();
    let end = many.len();
    many[end - 4..].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(Frame::decode(many.into()), Err(FrameError::Limit));
}

proptest! {
    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0..8u8) {
        let _ = Frame::decode(bytes.clone().into());
        let named = [&[VERSION, kind][..], &[0; 9], &bytes].concat();
        let _ = Frame::decode(named.into());
    }
}
