//! Recordings that are damaged: each mistake is told with its line, however the file is cut, and the other lines are read.

use proptest::prelude::*;
use switchboard_core::recording::{Line, Lines, RecordingError};

const PAGE: &str = include_str!("../src/recording/README.md");

/// The page's example, with every kind of line.
fn example() -> &'static str {
    let (_, rest) = PAGE.split_once("```jsonl\n").expect("an example");
    rest.split_once("```").expect("its end").0
}

/// Each line, and what is wrong with those that are none.
fn read(text: &[u8], part: usize) -> (Vec<Result<Line, RecordingError>>, bool) {
    let (mut lines, mut found) = (Lines::default(), Vec::new());
    for part in text.chunks(part) {
        lines.push(part);
        while let Some(line) = lines.next_line().transpose() {
            found.push(line.map(|placed| placed.line));
        }
    }
    found.extend(lines.finish().transpose().map(|line| line.map(|placed| placed.line)));
    (found, lines.is_torn())
}

proptest! {
    #[test]
    fn damage_stays_in_its_line(
        place in any::<prop::sample::Index>(),
        length in 0..20usize,
        instead in prop_oneof![
            Just(Vec::new()),
            prop::collection::vec(any::<u8>().prop_filter("a line feed", |byte| *byte != b'\n'), 0..4),
            prop::sample::select(vec!["{", "]", "null", "-1", "1e308", "\"\"", ",", "0"])
                .prop_map(|text| text.as_bytes().to_vec()),
        ],
        part in 1..300usize,
    ) {
        let mut text = example().as_bytes().to_vec();
        let start = place.index(text.len());
        let feed = text[start..].iter().position(|byte| *byte == b'\n').expect("a line feed");
        text.splice(start..start + length.min(feed), instead);
        let (found, is_torn) = read(&text, part);
        prop_assert_eq!(&(found.clone(), is_torn), &read(&text, text.len()));
        prop_assert!(!is_torn, "it ends with a line feed");
        let damaged = 1 + example().as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count();
        let before: Vec<_> = example().lines().map(|line| Line::parse(1, line.as_bytes()).expect("a line")).collect();
        prop_assert!(found.len() == before.len() || found.len() == before.len() - 1, "a line may have become blank");
        for (number, line) in (1..).zip(found) {
            match line {
                Ok(line) => prop_assert!(number == damaged || before.contains(&line), "{:?}", line),
                // The first line that is none is told as the lack of a header, too.
                Err(error) => {
                    prop_assert!(error.line as usize == damaged || damaged == 1, "{}", error);
                    prop_assert!(!error.message.is_empty());
                }
            }
        }
    }

    #[test]
    fn what_is_cut_off_is_torn(end in any::<prop::sample::Index>(), part in 1..300usize) {
        let text = &example().as_bytes()[..end.index(example().len())];
        let whole = text.iter().filter(|byte| **byte == b'\n').count();
        let (found, is_torn) = read(text, part);
        let read = found.iter().filter(|line| line.is_ok()).count();
        // Without its line feed the last line may still be whole.
        let is_whole = !text.ends_with(b"\n") && read == whole + 1;
        prop_assert!(read == whole || is_whole);
        prop_assert_eq!(is_torn, whole > 0 && !text.ends_with(b"\n") && !is_whole);
        prop_assert_eq!(found.iter().any(Result::is_err), read == 0);
    }

    #[test]
    fn any_bytes_are_explained(text in prop::collection::vec(any::<u8>(), 0..300), part in 1..300usize) {
        let (found, _) = read(&text, part);
        let lines = text.iter().filter(|byte| **byte == b'\n').count() as u64;
        for error in found.into_iter().filter_map(Result::err) {
            prop_assert!((1..=lines + 1).contains(&error.line) && !error.message.is_empty(), "{}", error);
        }
    }
}
