//! What is sent, encoded beforehand, and what must come back.

use anyhow::Result;
use flate2::{Compress, Compression, FlushCompress};

/// How many different messages there are of up to 16 KiB, and of longer ones.
const MESSAGES: usize = 64;
const LONG_MESSAGES: usize = 16;
const LONG: usize = 16 << 10;

/// How many bytes at a payload's start tell a message from the others.
pub(crate) const PREFIX: usize = 16;

/// Any other is as good: what is masked was masked beforehand.
const MASK: [u8; 4] = [0x5a, 0xa5, 0x3c, 0xc3];

const WORDS: [&str; 16] = [
    "harbour", "lantern", "meadow", "signal", "orbit", "granite", "violet", "cascade", "timber", "compass",
    "ember", "glacier", "willow", "anchor", "summit", "thistle",
];

/// Messages in the order in which they are sent, over and over.
pub(crate) struct Messages {
    payloads: Vec<Vec<u8>>,
    /// Their frames, one behind the other.
    frames: Vec<u8>,
    /// Where each frame begins, and where the last one ends.
    starts: Vec<usize>,
}

impl Messages {
    /// JSON texts of so many bytes each, at least [`PREFIX`] and a few more.
    pub(crate) fn new(length: usize, deflate: bool) -> Result<Self> {
        let count = if length > LONG { LONG_MESSAGES } else { MESSAGES };
        let payloads: Vec<Vec<u8>> = (0..count).map(|number| json(number, length)).collect();
        let (mut frames, mut starts) = (Vec::new(), vec![0]);
        for payload in &payloads {
            if deflate {
                push_frame(&mut frames, 0xc1, &compress(payload)?);
            } else {
                push_frame(&mut frames, 0x81, payload);
            }
            starts.push(frames.len());
        }
        Ok(Self { payloads, frames, starts })
    }

    /// How many different ones there are.
    pub(crate) fn count(&self) -> usize {
        self.payloads.len()
    }

    /// The frames of `count` messages from this one on; `number` must be a multiple of `count`, and `count` a power of
    /// two not above [`Self::count`].
    pub(crate) fn frames(&self, number: usize, count: usize) -> &[u8] {
        let first = number % self.count();
        &self.frames[self.starts[first]..self.starts[first + count]]
    }

    /// The payload that the message of this number has.
    pub(crate) fn payload(&self, number: usize) -> &[u8] {
        &self.payloads[number % self.count()]
    }

    /// Whether a payload that begins so can be the message of this number; with too few bytes it can.
    pub(crate) fn is_prefix(&self, number: usize, payload: &[u8]) -> bool {
        payload.len() < PREFIX || payload[..PREFIX] == self.payload(number)[..PREFIX]
    }
}

/// A list of made-up things, as long as it must be, that compresses about as well as JSON does.
fn json(number: usize, length: usize) -> Vec<u8> {
    use std::fmt::Write;

    let mut text = format!(r#"{{"n":"{number:08}","#);
    let mut chance = number as u32 * 7919 + 1;
    let mut draw = |below: u32| {
        chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (chance >> 8) % below
    };
    while text.len() + 96 < length {
        let (word, other) = (WORDS[draw(16) as usize], WORDS[draw(16) as usize]);
        let (id, price) = (draw(1_000_000), draw(100_000));
        // Writing to a string cannot fail.
        let _ = write!(text, r#""{word}-{id}":{{"name":"{other}","price":{price}}},"#);
    }
    text.push_str(r#""z":""#);
    while text.len() + 2 < length {
        text.push(char::from(b'a' + draw(26) as u8));
    }
    text.push_str("\"}");
    text.into_bytes()
}

fn compress(payload: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = Vec::with_capacity(payload.len() + 64);
    Compress::new(Compression::default(), false).compress_vec(
        payload,
        &mut compressed,
        FlushCompress::Sync,
    )?;
    // RFC 7692 section 7.2.1: without the empty block at the end.
    compressed.truncate(compressed.len() - 4);
    Ok(compressed)
}

fn push_frame(frames: &mut Vec<u8>, first: u8, payload: &[u8]) {
    frames.push(first);
    match payload.len() {
        length @ 0..=125 => frames.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            frames.push(0x80 | 126);
            frames.extend((length as u16).to_be_bytes());
        }
        length => {
            frames.push(0x80 | 127);
            frames.extend((length as u64).to_be_bytes());
        }
    }
    frames.extend(MASK);
    frames.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_json_of_the_length_asked_for_and_all_different() {
        for length in [64, 128, 4096, 65536] {
            let messages = Messages::new(length, false).unwrap();
            let mut seen = std::collections::HashSet::new();
            for number in 0..messages.count() {
                let payload = messages.payload(number);
                assert_eq!(payload.len(), length);
                serde_json::from_slice::<serde_json::Value>(payload).unwrap();
                assert!(seen.insert(payload[..PREFIX].to_vec()));
                assert!(messages.is_prefix(number, payload) && !messages.is_prefix(number + 1, payload));
            }
        }
    }

    #[test]
    fn frames_unmask_to_their_payloads() {
        let messages = Messages::new(128, false).unwrap();
        let frames = messages.frames(MESSAGES + 16, 2);
        assert_eq!(frames.len(), 2 * (2 + 2 + 4 + 128));
        let (head, masked) = (&frames[..8], &frames[8..136]);
        assert_eq!(head[..4], [0x81, 0xfe, 0, 128]);
        let plain: Vec<u8> = masked.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        assert_eq!(plain, messages.payload(16));
    }

    #[test]
    fn compressed_frames_are_smaller_and_say_so() {
        let (plain, deflated) = (Messages::new(4096, false).unwrap(), Messages::new(4096, true).unwrap());
        assert_eq!(deflated.frames(0, 1)[0], 0xc1);
        assert!(deflated.frames(0, 16).len() < plain.frames(0, 16).len() / 2);
    }
}
