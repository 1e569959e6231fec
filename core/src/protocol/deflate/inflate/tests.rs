use super::*;

fn once(payload: &[u8]) -> Result<Bytes, InflateError> {
    inflate(payload, None, false, 1000)
}

#[test]
fn the_examples_of_the_rfc() {
    let hello = Ok(Bytes::from_static(b"Hello"));
    assert_eq!(once(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]), hello, "7.2.3.1");
    assert_eq!(once(&[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00]), hello, "7.2.3.3");
    assert_eq!(once(&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]), hello, "7.2.3.4");
    let two_blocks = [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
    assert_eq!(once(&two_blocks), hello, "7.2.3.5");
    assert_eq!(once(&[0x00]), Ok(Bytes::new()), "7.2.3.6");

    let mut history = History::new(15);
    for payload in [&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..], &[0xf2, 0x00, 0x11, 0x00, 0x00]] {
        assert_eq!(inflate(payload, Some(&mut history), false, 1000), hello, "7.2.3.2");
    }
}

#[test]
fn final_blocks_may_be_followed_by_more() {
    let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let twice = [last, last].concat();
    assert_eq!(once(&twice), Ok(Bytes::from_static(b"HelloHello")));
    assert_eq!(once(&[&twice[..], &[0]].concat()), Ok(Bytes::from_static(b"HelloHello")));
    assert_eq!(once(&[]), Ok(Bytes::new()));
    assert_eq!(once(&[0x03, 0x00].repeat(MAX_STREAMS)), Ok(Bytes::new()));
    assert_eq!(once(&[0x03, 0x00].repeat(MAX_STREAMS + 1)), Err(InflateError::Invalid));
}

#[test]
fn a_block_after_a_final_one_may_refer_back() {
    // 7.2.3.2's second message, in one message with a final block before it.
    let payload = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0xf2, 0x00, 0x11, 0x00, 0x00];
    assert_eq!(once(&payload), Ok(Bytes::from_static(b"HelloHello")));
}

#[test]
fn cut_or_broken_data_is_invalid() {
    let whole = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    for end in 1..whole.len() - 1 {
        assert_eq!(once(&whole[..end]), Err(InflateError::Invalid), "cut at {end}");
    }
    let stored = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
    // One zero byte is an empty message.
    for end in 2..stored.len() - 1 {
        assert_eq!(once(&stored[..end]), Err(InflateError::Invalid), "cut at {end}");
    }
    assert_eq!(once(&[0xff, 0xff, 0xff]), Err(InflateError::Invalid), "reserved block type");
    assert_eq!(once(&[0xf2, 0x00, 0x11, 0x00, 0x00]), Err(InflateError::Invalid), "refers before the start");
}

#[test]
fn output_stops_at_the_limit() {
    let bomb = flate2::Compress::new(flate2::Compression::best(), false);
    let mut payload = Vec::with_capacity(100_000);
    let mut compress = bomb;
    let zeros = vec![0; 10_000_000];
    compress.compress_vec(&zeros, &mut payload, flate2::FlushCompress::Sync).expect("compressed");
    payload.truncate(payload.len() - 4);
    assert_eq!(inflate(&payload, None, false, 9_999_999), Err(InflateError::TooBig));
    assert_eq!(inflate(&payload, None, false, 100), Err(InflateError::TooBig));
    assert_eq!(inflate(&payload, None, false, 10_000_000).map(|message| message.len()), Ok(10_000_000));
    INFLATER.with_borrow(|inflater| assert!(inflater.output.capacity() <= COPY_LIMIT));
    assert_eq!(inflate(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], None, false, 5).map(|m| m.len()), Ok(5));
    assert_eq!(
        inflate(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], None, false, 4),
        Err(InflateError::TooBig)
    );
    assert_eq!(inflate(&[0x00], None, false, 0).map(|message| message.len()), Ok(0));
}

/// A message that comes in pieces of this length, as [`inflate`] would see it.
fn in_pieces(payload: &[u8], piece: usize, history: &mut History, max: usize) -> Result<Bytes, InflateError> {
    let mut inflater = Inflater::begin();
    let mut utf8 = Utf8Validator::default();
    for piece in payload.chunks(piece) {
        let before = inflater.output().len();
        let pushed = inflater.push(piece, Some(history), max);
        utf8.push(&inflater.output()[before..]).map_err(|_| InflateError::NotUtf8)?;
        pushed?;
    }
    inflater.finish(Some(history), max)
}

#[test]
fn pieces_of_any_length_come_to_the_same() {
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let stored = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
    let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let not_text = [0x00, 0x02, 0x00, 0xfd, 0xff, 0x48, 0xff, 0x00];
    let payloads = [
        vec![],
        vec![0x00],
        hello.to_vec(),
        stored.to_vec(),
        [last, hello].concat(),
        [&last[..], &[0xf2, 0x00, 0x11, 0x00, 0x00]].concat(),
        vec![0xf2, 0x00, 0x11, 0x00, 0x00],
        hello[..4].to_vec(),
        // Only what ends every message makes broken text of it, and does not end it.
        vec![0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0xcd, 0xdb],
        not_text.to_vec(),
        [&not_text[..7], &[0xff; 5]].concat(),
        [&hello[..6], &[0xff; 5]].concat(),
        stored[..10].repeat(50),
        not_text[..7].repeat(50),
        [0x03, 0x00].repeat(MAX_STREAMS + 1),
    ];
    for payload in &payloads {
        for max in [0, 4, 5, 100, 1000] {
            let remembered = || {
                let mut history = History::new(15);
                history.push(b"Hello");
                history
            };
            let mut history = remembered();
            let whole = inflate(payload, Some(&mut history), true, max).and_then(|message| {
                std::str::from_utf8(&message).map_err(|_| InflateError::NotUtf8)?;
                Ok(message)
            });
            for piece in [1, 2, 3, 7, 1000] {
                let mut again = remembered();
                let found = in_pieces(payload, piece, &mut again, max);
                assert_eq!(found, whole, "{payload:x?} in pieces of {piece}, at most {max}");
                assert!(found.is_err() || again.bytes == history.bytes);
            }
        }
    }
}

#[test]
fn history_keeps_no_more_than_its_window() {
    let mut history = History::new(8);
    history.push(&[1; 500]);
    history.push(&[2; 100]);
    assert_eq!(history.bytes.len(), 512);
    assert_eq!(history.bytes.iter().filter(|byte| **byte == 2).count(), 100);
    history.push(&[3; 5000]);
    assert_eq!(history.bytes, [3; 512]);
}
