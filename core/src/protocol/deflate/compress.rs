//! Compressing messages (RFC 7692 section 7.2.1).

use std::cell::RefCell;

use flate2::{Compress, Compression, FlushCompress};

use super::FLUSH_TAIL;

/// Scratch buffers above this many bytes are given back after use.
const SCRATCH_LIMIT: usize = 256 * 1024;

/// The compressor failed, which should not happen; the message is sent uncompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct CompressFailed;

/// One deflate stream with its window: 380 kB. Belongs to a thread or, with context takeover, to a connection.
pub(in super::super) struct Compressor {
    stream: Compress,
    bits: u8,
    level: u8,
}

impl Compressor {
    /// A window of `2^bits` bytes, 9–15, and a level, 0–9; others count as the nearest.
    pub(in super::super) fn new(bits: u8, level: u8) -> Self {
        let (bits, level) = (bits.clamp(9, 15), level.min(9));
        let stream = Compress::new_with_window_bits(Compression::new(level.into()), false, bits);
        Self { stream, bits, level }
    }

    /// Compresses with reference to what was compressed before, and hands over the payload without its flush tail.
    pub(in super::super) fn compress<T>(
        &mut self,
        payload: &[u8],
        take: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, CompressFailed> {
        SCRATCH.with_borrow_mut(|scratch| {
            let result = self.run(payload, scratch).map(|()| take(scratch));
            scratch.clear();
            scratch.shrink_to(SCRATCH_LIMIT);
            if result.is_err() {
                self.stream.reset();
            }
            result
        })
    }

    fn run(&mut self, payload: &[u8], output: &mut Vec<u8>) -> Result<(), CompressFailed> {
        if payload.is_empty() {
            // An empty message would have no bytes at all: it becomes an empty block without its tail (7.2.3.6).
            output.push(0);
            return Ok(());
        }
        output.reserve(payload.len() / 2 + 64);
        let mut rest = payload;
        loop {
            let taken_before = self.stream.total_in();
            self.stream.compress_vec(rest, output, FlushCompress::Sync).map_err(|_| CompressFailed)?;
            let taken = usize::try_from(self.stream.total_in() - taken_before).unwrap_or(rest.len());
            rest = &rest[taken..];
            // The flush is complete when it leaves room.
            if output.len() < output.capacity() {
                break;
            }
            output.reserve(output.len());
        }
        if !rest.is_empty() || !output.ends_with(&FLUSH_TAIL) {
            return Err(CompressFailed);
        }
        output.truncate(output.len() - FLUSH_TAIL.len());
        Ok(())
    }
}

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    /// One for each window size and level in use.
    static SHARED: RefCell<Vec<Compressor>> = const { RefCell::new(Vec::new()) };
}

/// Compresses a message on its own with a compressor of this thread.
pub(in super::super) fn compress_once<T>(
    payload: &[u8],
    bits: u8,
    level: u8,
    take: impl FnOnce(&[u8]) -> T,
) -> Result<T, CompressFailed> {
    SHARED.with_borrow_mut(|shared| {
        let found = shared.iter().position(|shared| (shared.bits, shared.level) == (bits, level));
        let index = found.unwrap_or_else(|| {
            shared.push(Compressor::new(bits, level));
            shared.len() - 1
        });
        let compressor = shared.get_mut(index).ok_or(CompressFailed)?;
        compressor.stream.reset();
        compressor.compress(payload, take)
    })
}

#[cfg(test)]
mod tests {
    use flate2::{Decompress, FlushDecompress};

    use super::super::{History, inflate};
    use super::*;

    /// Text with repetitions at all distances.
    fn text(length: usize) -> Vec<u8> {
        let mut state = 1u32;
        let mut text = Vec::new();
        while text.len() < length {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match state >> 30 {
                0 if text.len() > 300 => {
                    let distance = 1 + (state as usize >> 3) % text.len();
                    let start = text.len() - distance;
                    let end = (start + 40).min(text.len());
                    text.extend_from_within(start..end);
                }
                _ => text.push(b'a' + (state >> 16) as u8 % 26),
            }
        }
        text.truncate(length);
        text
    }

    /// Inflates one byte at a time, so that the decompressor has only its window to refer to.
    fn fits_window(payload: &[u8], bits: u8, length: usize) -> Vec<u8> {
        let mut stream = Decompress::new_with_window_bits(false, bits);
        let mut rest = payload;
        let mut message = Vec::new();
        while message.len() < length {
            let (taken, made) = (stream.total_in(), stream.total_out());
            let mut byte = [0];
            stream.decompress(rest, &mut byte, FlushDecompress::None).expect("in the window");
            rest = &rest[(stream.total_in() - taken) as usize..];
            if stream.total_out() > made {
                message.push(byte[0]);
            } else {
                assert!(stream.total_in() > taken, "no progress");
            }
        }
        message
    }

    #[test]
    fn the_examples_of_the_rfc() {
        let mut compressor = Compressor::new(15, 6);
        let first = compressor.compress(b"Hello", <[u8]>::to_vec);
        assert_eq!(first, Ok(vec![0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]), "7.2.3.1");
        let second = compressor.compress(b"Hello", <[u8]>::to_vec);
        assert_eq!(second, Ok(vec![0xf2, 0x00, 0x11, 0x00, 0x00]), "7.2.3.2");
        assert_eq!(compressor.compress(b"", <[u8]>::to_vec), Ok(vec![0x00]), "7.2.3.6");
        assert_eq!(compressor.compress(b"", <[u8]>::to_vec), Ok(vec![0x00]));
    }

    #[test]
    fn every_window_and_level_is_honoured() {
        let message = text(70_000);
        for bits in 9..=15 {
            for level in 0..=9 {
                let payload = compress_once(&message, bits, level, <[u8]>::to_vec).expect("compressed");
                assert_eq!(fits_window(&payload, bits, message.len()), message, "bits {bits} level {level}");
                assert_eq!(inflate(&payload, None, false, message.len()).as_deref(), Ok(&message[..]));
            }
        }
    }

    #[test]
    fn context_is_kept_over_messages_of_any_size() {
        for bits in [9, 12, 15] {
            let mut compressor = Compressor::new(bits, 6);
            let mut history = History::new(bits);
            for length in [1, 100, 0, 5000, 100, 40_000, 70_000, 1, 33_000, 0, 7] {
                let message = text(length);
                let payload = compressor.compress(&message, <[u8]>::to_vec).expect("compressed");
                let inflated = inflate(&payload, Some(&mut history), false, 70_000);
                assert_eq!(inflated.as_deref(), Ok(&message[..]), "bits {bits}, length {length}");
            }
        }
    }

    #[test]
    fn incompressible_data_survives_any_buffer_boundary() {
        let mut state = 7u64;
        let noise: Vec<u8> = (0..3000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        for length in 1..noise.len() {
            let payload = compress_once(&noise[..length], 15, 6, <[u8]>::to_vec).expect("compressed");
            assert_eq!(
                inflate(&payload, None, false, length).as_deref(),
                Ok(&noise[..length]),
                "length {length}"
            );
        }
    }
}
